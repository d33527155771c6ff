"""What is said of one SQLite file: synced, locked, full, read-only, and closed when it fails."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import sqlite
from storage.database import Database, Transaction, Unwritable, Work
from storage.sqlite import connect
from tests.storage.files import one_transaction, opened, rows
from tests.storage.servers import until
from tests.storage.test_database import NOTES, note
from tests.storage.test_doorbell import bell_of

FULL = 2


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with opened(path) as found:
        yield found


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


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_that_cannot_be_opened_leaves_nothing_open(
    tmp_path: Path, read_only: bool
) -> None:
    path = tmp_path / "lapak.db"
    path.write_bytes(b"my shopping list\n" * 100)
    gc.collect()  # what other tests left
    before = open_files()
    for _ in range(20):
        with (
            pytest.raises(sqlite3.DatabaseError),
            closing(connect(str(path), read_only=read_only)) as connection,
        ):
            connection.execute("SELECT * FROM sqlite_master")
    gc.collect()
    assert open_files() <= before


@pytest.mark.parametrize("name", ["a?b.db", "a#b.db", "a%20b.db", "a b.db", "ä.db"])
def test_any_file_name_is_that_file(tmp_path: Path, name: str) -> None:
    with closing(connect(str(tmp_path / name))) as connection:
        connection.execute("CREATE TABLE here (n)")
    assert (tmp_path / name).is_file()
    assert {found.name for found in tmp_path.iterdir()} == {name}


# --- news of other processes ---


async def test_what_another_process_stores_rings_here_once_and_what_we_store_does_not(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def looked(connection: sqlite3.Connection) -> int:
        looks.append(look(connection))
        return looks[-1]

    async def looked_again() -> None:
        before = len(looks)
        await until(lambda: len(looks) > before + 1)

    look = sqlite._stored_by_others
    monkeypatch.setattr(sqlite, "LOOK_EVERY", 0.002)
    monkeypatch.setattr(sqlite, "_stored_by_others", looked)
    async with opened(path) as database:
        bell = bell_of(database)
        await looked_again()
        await database.run(note("ours"))
        await looked_again()
        assert bell.rung == 0
        with one_transaction(path) as tx:
            note("theirs")(tx)
        await until(lambda: bell.rung > 0)
        await looked_again()
        assert bell.rung == 1


async def test_a_look_that_fails_is_made_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([1, sqlite3.OperationalError("disk I/O error"), 2])

    def look(_: sqlite3.Connection) -> int:
        number = next(found, 2)
        if isinstance(number, Exception):
            raise number
        return number

    monkeypatch.setattr(sqlite, "LOOK_EVERY", 0.002)
    monkeypatch.setattr(sqlite, "_stored_by_others", look)
    async with opened(path) as database:
        bell = bell_of(database)
        await until(lambda: bell.rung == 1)
