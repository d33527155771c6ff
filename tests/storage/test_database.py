"""One way to write: many works to a commit, each as if alone, durable before it is answered."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import (
    MOST_IN_A_GROUP,
    MOST_WAITING,
    Busy,
    Database,
    Transaction,
    Unwritable,
    Work,
)
from storage.sqlite import SqliteTransaction, connect
from tests.storage.files import new_file, opened, rows

NOTES = "SELECT body FROM transcript ORDER BY seq"
FULL = 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new_file(tmp_path)


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with opened(path) as found:
        yield found


def note(body: str) -> Work[int]:
    """A work that writes one row and returns its number."""

    def work(tx: Transaction) -> int:
        found = tx.fetch("SELECT COALESCE(MAX(seq), 0) + 1 AS seq FROM transcript")
        row = {"seq": found[0]["seq"], "body": body}
        tx.execute("INSERT INTO transcript (address, seq, body) VALUES ('a', :seq, :body)", row)
        return int(row["seq"])

    return work


def spoiled(body: str) -> Work[int]:
    """A work that writes one row and then fails."""

    def work(tx: Transaction) -> int:
        note(body)(tx)
        raise LookupError(body)

    return work


def pragma(sql: str) -> Work[int]:
    def work(tx: Transaction) -> int:
        found = tx.fetch(sql)
        return int(found[0][0]) if found else 0  # type: ignore[index]

    return work


def notes(path: Path) -> list[str]:
    return [body for (body,) in rows(path, NOTES)]


async def test_d1_the_writer_syncs_every_commit_to_the_disk(database: Database) -> None:
    def settings(tx: Transaction) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        return tuple(tx.fetch(f"PRAGMA {name}")[0][0] for name in names)  # type: ignore[index]

    assert await database.run(settings) == ("wal", FULL, 1, 1)


def test_d1_every_connection_that_writes_is_wal_and_full(path: Path) -> None:
    with closing(connect(str(path))) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == FULL


async def test_d1_what_was_answered_is_in_the_file(database: Database, path: Path) -> None:
    assert await database.run(note("one")) == 1
    assert notes(path) == ["one"]


async def test_works_that_come_together_answer_in_order(database: Database, path: Path) -> None:
    wanted = [str(nth) for nth in range(3 * MOST_IN_A_GROUP)]
    numbers = await asyncio.gather(*(database.run(note(body)) for body in wanted))
    assert numbers == list(range(1, len(wanted) + 1))
    assert notes(path) == wanted


async def test_works_that_come_together_share_a_commit(path: Path) -> None:
    groups: list[int] = []

    async with opened(path) as database:
        run_group = database._engine.run_group

        async def counted(works: list[Work[int]]) -> object:
            groups.append(len(works))
            return await run_group(works)

        database._engine.run_group = counted  # type: ignore[method-assign,assignment]
        await asyncio.gather(*(database.run(note(str(nth))) for nth in range(200)))
    assert sum(groups) == 200
    assert max(groups) == MOST_IN_A_GROUP
    assert len(groups) < 10


@pytest.mark.parametrize("place", [0, 3, 9])
async def test_o6b_a_work_that_fails_does_not_touch_its_neighbours(
    database: Database, path: Path, place: int
) -> None:
    works = [note(str(nth)) for nth in range(10)]
    works[place] = spoiled("bad")
    results = await asyncio.gather(*map(database.run, works), return_exceptions=True)
    wanted = [str(nth) for nth in range(10) if nth != place]
    assert notes(path) == wanted
    assert isinstance(results[place], LookupError)
    assert [result for result in results if isinstance(result, int)] == list(range(1, 10))


async def test_a_whole_group_may_fail_and_each_hears_its_own_error(
    database: Database, path: Path
) -> None:
    works = [database.run(spoiled(str(nth))) for nth in range(5)]
    results = await asyncio.gather(*works, return_exceptions=True)
    assert [str(error) for error in results] == ["0", "1", "2", "3", "4"]
    assert notes(path) == []
    assert await database.run(note("on")) == 1


async def test_a_broken_rule_of_the_schema_is_its_works_own_fault(
    database: Database, path: Path
) -> None:
    def orphan(tx: Transaction) -> int:
        return tx.execute("INSERT INTO pictures (order_id, bytes) VALUES ('NOBODY', x'00')")

    good, bad, other = await asyncio.gather(
        database.run(note("a")),
        database.run(orphan),
        database.run(note("b")),
        return_exceptions=True,
    )
    assert (good, other) == (1, 2)
    assert isinstance(bad, sqlite3.IntegrityError)
    assert notes(path) == ["a", "b"]


async def test_a_caller_who_goes_away_does_not_undo_the_work(
    database: Database, path: Path
) -> None:
    leaving = asyncio.create_task(database.run(note("left")))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await database.run(note("stayed")) == 2
    assert notes(path) == ["left", "stayed"]


async def test_too_many_writers_are_told_to_come_back(database: Database, path: Path) -> None:
    many = (database.run(note(str(nth))) for nth in range(MOST_WAITING + 3))
    results = await asyncio.gather(*many, return_exceptions=True)
    assert [type(result) for result in results[MOST_WAITING:]] == [Busy] * 3
    assert results[:MOST_WAITING] == list(range(1, MOST_WAITING + 1))
    assert len(notes(path)) == MOST_WAITING
    assert await database.run(note("again")) == MOST_WAITING + 1


async def test_closing_finishes_what_waits(path: Path) -> None:
    async with opened(path) as database:
        waiting = [asyncio.create_task(database.run(note(str(nth)))) for nth in range(50)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting) == list(range(1, 51))
    assert len(notes(path)) == 50


async def test_a_closed_database_is_busy_not_silent(path: Path) -> None:
    async with opened(path) as database:
        await database.run(note("before"))
    async with asyncio.timeout(5):
        for _ in range(3):
            with pytest.raises(Busy):
                await database.run(note("after"))
    assert notes(path) == ["before"]


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_writes_while_it_is_closing_is_stored_or_told(path: Path, turns: int) -> None:
    """Never left waiting; ``turns``: how long somebody thinks between two writes."""
    stored: list[str] = []

    async def keeps_writing(database: Database) -> None:
        for nth in range(50):
            await database.run(note(f"{nth}"))
            stored.append(f"{nth}")
            for _ in range(turns):
                await asyncio.sleep(0)

    async with opened(path) as database:
        writing = asyncio.create_task(keeps_writing(database))
        await asyncio.sleep(0)
    await asyncio.wait([writing], timeout=1)
    answered = writing.done()
    writing.cancel()
    assert answered
    assert writing.exception() is None or isinstance(writing.exception(), Busy)
    assert notes(path) == stored


async def test_a_locked_database_is_unwritable_until_it_is_free(
    database: Database, path: Path
) -> None:
    await database.run(pragma("PRAGMA busy_timeout=1"))  # do not wait here
    with closing(connect(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        works = [database.run(note(str(nth))) for nth in range(3)]
        results = await asyncio.gather(*works, return_exceptions=True)
        assert [type(result) for result in results] == [Unwritable] * 3
        assert "locked" in str(results[0])
        assert await database.read(lambda tx: len(tx.fetch(NOTES))) == 0
        other.execute("ROLLBACK")
    assert await database.run(note("after")) == 1
    assert notes(path) == ["after"]


async def test_a_full_disk_is_unwritable_until_there_is_room(
    database: Database, path: Path
) -> None:
    await database.run(note("before"))
    pages = await database.run(pragma("PRAGMA page_count"))
    await database.run(pragma(f"PRAGMA max_page_count={pages}"))
    results = await asyncio.gather(
        database.run(note("large" * 20_000)), database.run(note("small")), return_exceptions=True
    )
    assert isinstance(results[0], Unwritable)
    assert "full" in str(results[0])
    assert results[1] == 2
    await database.run(pragma("PRAGMA max_page_count=1000000"))
    assert await database.run(note("large" * 20_000)) == 3
    assert [len(body) for body in notes(path)] == [6, 5, 100_000]


async def test_a_read_only_database_is_unwritable_until_it_is_not(
    database: Database, path: Path
) -> None:
    await database.run(pragma("PRAGMA query_only=ON"))
    with pytest.raises(Unwritable, match="readonly"):
        await database.run(note("no"))
    assert await database.read(lambda tx: len(tx.fetch(NOTES))) == 0
    writer = database._engine._writer  # type: ignore[attr-defined]
    await writer.visit(lambda connection: connection.execute("PRAGMA query_only=OFF"))
    assert await database.run(note("yes")) == 1
    assert notes(path) == ["yes"]


async def test_an_unwritable_database_keeps_the_reason(database: Database) -> None:
    def nonsense(tx: Transaction) -> int:
        return tx.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(Unwritable) as caught:
        await database.run(nonsense)
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)


async def test_readers_see_one_moment(database: Database, path: Path) -> None:
    await database.run(note("before"))

    def twice(tx: Transaction) -> tuple[int, int]:
        first = len(tx.fetch(NOTES))
        with closing(connect(str(path))) as other:  # somebody commits meanwhile
            other.execute("INSERT INTO transcript VALUES ('b', 1, 'meanwhile')")
        return first, len(tx.fetch(NOTES))

    assert await database.read(twice) == (1, 1)
    assert await database.read(lambda tx: len(tx.fetch(NOTES))) == 2


async def test_readers_cannot_write(database: Database, path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read(note("no"))
    assert notes(path) == []
    assert await database.run(note("yes")) == 1


async def test_a_reader_that_fails_leaves_the_next_one_unharmed(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await database.read(lambda tx: tx.fetch("SELECT * FROM nowhere"))
    assert await database.read(lambda tx: len(tx.fetch(NOTES))) == 0


async def test_readers_never_see_half_of_a_work(database: Database, path: Path) -> None:
    seen: list[int] = []

    def two(tx: Transaction) -> None:
        note("one")(tx)
        seen.append(len(rows(path, NOTES)))
        note("two")(tx)

    await database.run(two)
    assert seen == [0]
    assert notes(path) == ["one", "two"]


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_that_cannot_be_opened_leaves_nothing_open(
    tmp_path: Path, read_only: bool
) -> None:
    path = tmp_path / "lapak.db"
    path.write_bytes(b"my shopping list\n" * 100)
    before = open_files()
    for _ in range(20):
        with (
            pytest.raises(sqlite3.DatabaseError),
            closing(connect(str(path), read_only=read_only)) as connection,
        ):
            connection.execute("SELECT * FROM sqlite_master")
    gc.collect()
    assert open_files() == before


@pytest.mark.parametrize("name", ["a?b.db", "a#b.db", "a%20b.db", "a b.db", "ä.db"])
def test_any_file_name_is_that_file(tmp_path: Path, name: str) -> None:
    with closing(connect(str(tmp_path / name))) as connection:
        connection.execute("CREATE TABLE here (n)")
    assert (tmp_path / name).is_file()
    assert {found.name for found in tmp_path.iterdir()} == {name}


def test_a_transaction_tells_how_many_rows_it_touched(path: Path) -> None:
    with closing(connect(str(path))) as connection:
        tx = SqliteTransaction(connection)
        note("a")(tx)
        note("b")(tx)
        assert tx.execute("UPDATE transcript SET body = 'c'") == 2
        assert tx.execute("UPDATE transcript SET body = 'd' WHERE seq = 9") == 0
        found = tx.fetch("DELETE FROM transcript WHERE seq = 1 RETURNING body")
        assert [row["body"] for row in found] == ["c"]
