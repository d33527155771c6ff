"""One way to write: many works to a commit, each as if alone, durable before it is answered."""

import asyncio

import psycopg
import pytest

from storage.address import Address
from storage.database import (
    MOST_IN_A_GROUP,
    MOST_WAITING,
    Busy,
    Database,
    Transaction,
    Unwritable,
    Work,
)
from storage.opening import open_database
from tests.fakes.databases import transaction
from tests.storage.files import BROKEN_RULE, found, opened

NOTES = "SELECT body FROM transcript ORDER BY seq"


def note(body: str) -> Work[int]:
    """A work that writes one row and returns its number."""

    def work(tx: Transaction) -> int:
        last = tx.fetch("SELECT COALESCE(MAX(seq), 0) AS seq FROM transcript")[0]["seq"]
        row = {"seq": last + 1, "body": body}
        tx.execute("INSERT INTO transcript (address, seq, body) VALUES ('a', :seq, :body)", row)
        return int(row["seq"])

    return work


def spoiled(body: str) -> Work[int]:
    """A work that writes one row and then fails."""

    def work(tx: Transaction) -> int:
        note(body)(tx)
        raise LookupError(body)

    return work


def told(work: Work[int]) -> Work[int]:
    """A work that rings, then does another."""

    def telling(tx: Transaction) -> int:
        tx.ring()
        return work(tx)

    return telling


def notes(address: Address) -> list[str]:
    return [row["body"] for row in found(address, NOTES)]


async def test_d1_what_was_answered_is_in_the_file(database: Database, address: Address) -> None:
    assert await database.run(note("one")) == 1
    assert notes(address) == ["one"]


async def test_works_that_come_together_answer_in_order(
    database: Database, address: Address
) -> None:
    wanted = [str(nth) for nth in range(3 * MOST_IN_A_GROUP)]
    numbers = await asyncio.gather(*(database.run(note(body)) for body in wanted))
    assert numbers == list(range(1, len(wanted) + 1))
    assert notes(address) == wanted


async def test_works_that_come_together_share_a_commit(address: Address) -> None:
    groups: list[int] = []

    async with opened(address) as database:
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
    database: Database, address: Address, place: int
) -> None:
    works = [note(str(nth)) for nth in range(10)]
    works[place] = spoiled("bad")
    results = await asyncio.gather(*map(database.run, works), return_exceptions=True)
    wanted = [str(nth) for nth in range(10) if nth != place]
    assert notes(address) == wanted
    assert isinstance(results[place], LookupError)
    assert [result for result in results if isinstance(result, int)] == list(range(1, 10))


async def test_a_whole_group_may_fail_and_each_hears_its_own_error(
    database: Database, address: Address
) -> None:
    works = [database.run(spoiled(str(nth))) for nth in range(5)]
    results = await asyncio.gather(*works, return_exceptions=True)
    assert [str(error) for error in results] == ["0", "1", "2", "3", "4"]
    assert notes(address) == []
    assert await database.run(note("on")) == 1


async def test_a_broken_rule_of_the_schema_is_its_works_own_fault(
    database: Database, address: Address
) -> None:
    def orphan(tx: Transaction) -> int:
        return tx.execute("INSERT INTO pictures (order_id, bytes) VALUES ('NOBODY', '')")

    good, bad, other = await asyncio.gather(
        database.run(note("a")),
        database.run(orphan),
        database.run(note("b")),
        return_exceptions=True,
    )
    assert (good, other) == (1, 2)
    assert isinstance(bad, BROKEN_RULE)
    assert notes(address) == ["a", "b"]


async def test_a_caller_who_goes_away_does_not_undo_the_work(
    database: Database, address: Address
) -> None:
    leaving = asyncio.create_task(database.run(note("left")))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await database.run(note("stayed")) == 2
    assert notes(address) == ["left", "stayed"]


async def test_too_many_writers_are_told_to_come_back(database: Database, address: Address) -> None:
    many = (database.run(note(str(nth))) for nth in range(MOST_WAITING + 3))
    results = await asyncio.gather(*many, return_exceptions=True)
    assert [type(result) for result in results[MOST_WAITING:]] == [Busy] * 3
    assert results[:MOST_WAITING] == list(range(1, MOST_WAITING + 1))
    assert len(notes(address)) == MOST_WAITING
    assert await database.run(note("again")) == MOST_WAITING + 1


async def test_closing_finishes_what_waits(address: Address) -> None:
    async with opened(address) as database:
        waiting = [asyncio.create_task(database.run(note(str(nth)))) for nth in range(50)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting) == list(range(1, 51))
    assert len(notes(address)) == 50


async def test_a_closed_database_is_busy_not_silent(address: Address) -> None:
    async with opened(address) as database:
        await database.run(note("before"))
    async with asyncio.timeout(5):
        for _ in range(3):
            with pytest.raises(Busy):
                await database.run(note("after"))
    assert notes(address) == ["before"]


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_writes_while_it_is_closing_is_stored_or_told(
    address: Address, turns: int
) -> None:
    """Never left waiting; ``turns``: how long somebody thinks between two writes."""
    stored: list[str] = []

    async def keeps_writing(database: Database) -> None:
        for nth in range(50):
            await database.run(note(f"{nth}"))
            stored.append(f"{nth}")
            for _ in range(turns):
                await asyncio.sleep(0)

    async with opened(address) as database:
        writing = asyncio.create_task(keeps_writing(database))
        await asyncio.sleep(0)
    await asyncio.wait([writing], timeout=1)
    answered = writing.done()
    writing.cancel()
    assert answered
    assert writing.exception() is None or isinstance(writing.exception(), Busy)
    assert notes(address) == stored


# --- readers ---


async def test_readers_see_one_moment(database: Database, address: Address) -> None:
    await database.run(note("before"))

    def twice(tx: Transaction) -> tuple[int, int]:
        first = len(tx.fetch(NOTES))
        with transaction(address) as other:  # somebody commits meanwhile
            other.execute("INSERT INTO transcript VALUES ('b', 1, 'meanwhile')")
        return first, len(tx.fetch(NOTES))

    assert await database.read(twice) == (1, 1)
    assert await database.read(lambda tx: len(tx.fetch(NOTES))) == 2


# SQLite says that the file cannot be written; PostgreSQL, that the work did not ask to write.
REFUSED_TO_A_READER = (Unwritable, psycopg.errors.ReadOnlySqlTransaction)


async def test_readers_cannot_write(database: Database, address: Address) -> None:
    with pytest.raises(REFUSED_TO_A_READER, match=r"readonly|read-only"):
        await database.read(note("no"))
    assert notes(address) == []
    assert await database.run(note("yes")) == 1


async def test_readers_ring_no_bell(database: Database) -> None:
    bell = database.bell()
    await database.read(lambda tx: tx.ring())
    assert not bell.is_set()


async def test_a_reader_that_fails_leaves_the_next_one_unharmed(database: Database) -> None:
    def fail(tx: Transaction) -> int:
        tx.fetch(NOTES)
        raise LookupError

    with pytest.raises(LookupError):
        await database.read(fail)
    with pytest.raises((Unwritable, psycopg.errors.UndefinedTable)):
        await database.read(lambda tx: tx.fetch("SELECT * FROM nowhere"))
    assert await database.read(lambda tx: len(tx.fetch(NOTES))) == 0


async def test_readers_never_see_half_of_a_work(database: Database, address: Address) -> None:
    seen: list[int] = []

    def two(tx: Transaction) -> None:
        note("one")(tx)
        seen.append(len(notes(address)))
        note("two")(tx)

    await database.run(two)
    assert seen == [0]
    assert notes(address) == ["one", "two"]


async def test_many_readers_are_served_beside_a_writer(database: Database) -> None:
    works = [database.run(note(str(nth))) for nth in range(100)]
    reads = [database.read(lambda tx: len(tx.fetch(NOTES))) for _ in range(100)]
    counts = (await asyncio.gather(*works, *reads))[100:]
    assert all(0 <= count <= 100 for count in counts)
    assert await database.read(lambda tx: len(tx.fetch(NOTES))) == 100


# --- bells ---


async def test_every_bell_rings_when_a_work_rang_and_was_stored(
    database: Database, address: Address
) -> None:
    bells = [database.bell(), database.bell()]
    await database.run(note("quietly"))
    assert not any(bell.is_set() for bell in bells)
    await database.run(told(note("aloud")))
    assert all(bell.is_set() for bell in bells)
    assert notes(address) == ["quietly", "aloud"]


async def test_a_bell_that_rings_tells_of_what_can_be_read(
    database: Database, address: Address
) -> None:
    """Whoever it wakes looks at once, and on a connection of their own."""
    bell = database.bell()
    seen: list[list[str]] = []

    async def wakes() -> None:
        for _ in range(5):
            await bell.wait()
            bell.clear()
            seen.append(notes(address))

    waking = asyncio.create_task(wakes())
    for nth in range(5):
        await database.run(told(note(str(nth))))
        await asyncio.sleep(0)  # it is awake before the next one is stored
    await waking
    assert [len(then) for then in seen] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("loud", [0, 4, 9])
async def test_one_that_rings_among_many_is_heard(database: Database, loud: int) -> None:
    bell = database.bell()
    works = [note(str(nth)) for nth in range(10)]
    await asyncio.gather(*map(database.run, works))
    assert not bell.is_set()
    works[loud] = told(works[loud])
    await asyncio.gather(*map(database.run, works))
    assert bell.is_set()


async def test_what_rang_and_was_undone_is_no_news_and_neither_are_its_neighbours(
    database: Database,
) -> None:
    bell = database.bell()
    works = [note("a"), told(spoiled("bad")), note("b")]
    results = await asyncio.gather(*map(database.run, works), return_exceptions=True)
    assert isinstance(results[1], LookupError)
    assert not bell.is_set()
    works[2] = told(note("c"))
    await asyncio.gather(*map(database.run, works), return_exceptions=True)
    assert bell.is_set()


# --- how many rows ---


def test_a_transaction_tells_how_many_rows_it_touched(tx: Transaction) -> None:
    note("a")(tx)
    note("b")(tx)
    assert tx.execute("UPDATE transcript SET body = 'c'") == 2
    assert tx.execute("UPDATE transcript SET body = 'd' WHERE seq = 9") == 0
    gone = tx.fetch("DELETE FROM transcript WHERE seq = 1 RETURNING body")
    assert [row["body"] for row in gone] == ["c"]


async def test_closing_does_not_wait_for_a_writer_that_is_gone(address: Address) -> None:
    database = await open_database(address)
    working = asyncio.create_task(database.run(lambda tx: tx.fetch("SELECT 1 AS one")))
    await asyncio.sleep(0)
    database._writer.cancel()
    async with asyncio.timeout(10):
        await database.close()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
