"""Two processes want the same row of PostgreSQL: each comes to its turn, and none twice."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.address import PostgresServer
from storage.database import Transaction, Unwritable, Work
from tests.fakes.databases import fresh, rows, transaction
from tests.storage.files import opened
from tests.storage.servers import SOON, Note, first_time, give_up_sooner, notes, two


@pytest.fixture
def direct(tmp_path: Path) -> Iterator[PostgresServer]:
    """A database, and nothing between."""
    with fresh("postgres", tmp_path) as address:
        assert isinstance(address, PostgresServer)
        yield address


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that gives up sooner."""
    give_up_sooner(monkeypatch)


def until_somebody_is_blocked(address: PostgresServer) -> None:
    for _ in range(1000):
        found = rows(
            address,
            "SELECT 1 AS one FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        if found:
            return
        time.sleep(0.005)
    raise AssertionError("nobody is")


async def test_of_two_who_see_the_last_place_free_one_gets_it(direct: PostgresServer) -> None:
    both_have_looked = threading.Barrier(2)

    def takes_it(name: str) -> Work[bool]:
        both_looked = first_time(lambda: both_have_looked.wait(10))

        def work(tx: Transaction) -> bool:
            taken = tx.fetch("SELECT COUNT(*) AS n FROM transcript")[0]["n"]
            both_looked()
            if taken == 0:  # each writes a row of their own: only both together are wrong
                tx.execute("INSERT INTO transcript VALUES (:name, 1, :name)", {"name": name})
            return taken == 0

        return work

    async with two(direct) as (one, other):
        got = await asyncio.gather(one.run(takes_it("budi")), other.run(takes_it("siti")))
    assert sorted(got) == [False, True]
    assert len(notes(direct)) == 1


async def test_both_of_two_who_count_the_same_rows_come_to_be_counted(
    direct: PostgresServer,
) -> None:
    both_have_counted = threading.Barrier(2)
    ours = Note("ours", lambda: both_have_counted.wait(10))
    theirs = Note("theirs", lambda: both_have_counted.wait(10))
    async with two(direct) as (one, other):
        got = await asyncio.gather(one.run(ours), other.run(theirs))
    assert sorted(got) == [1, 2]
    assert sorted(notes(direct)) == ["ours", "theirs"]
    assert ours.runs + theirs.runs > 2


async def test_many_writers_in_many_processes_all_get_through(direct: PostgresServer) -> None:
    async with two(direct) as (one, other):
        works = [(one if nth % 2 else other).run(Note(f"{nth:02}")) for nth in range(60)]
        got = await asyncio.gather(*works)
    assert sorted(got) == list(range(1, 61))
    assert sorted(notes(direct)) == [f"{nth:02}" for nth in range(60)]


async def test_two_who_wait_for_each_other_are_both_served(direct: PostgresServer) -> None:
    with transaction(direct) as tx:
        name = direct.shown.rpartition("/")[2]
        tx.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '50ms'")
        for seq in (1, 2):
            tx.execute("INSERT INTO transcript VALUES ('a', :seq, '')", {"seq": seq})
    both_hold_one = threading.Barrier(2)

    def signs(name: str, order: tuple[int, int]) -> Work[None]:
        holds_one = first_time(lambda: both_hold_one.wait(10))

        def work(tx: Transaction) -> None:
            for seq in order:
                signed = {"seq": seq, "name": name}
                tx.execute("UPDATE transcript SET body = body || :name WHERE seq = :seq", signed)
                holds_one()

        return work

    async with two(direct) as (one, other):
        await asyncio.gather(one.run(signs("b", (1, 2))), other.run(signs("s", (2, 1))))
    assert [sorted(body) for body in notes(direct)] == [["b", "s"], ["b", "s"]]


async def test_a_number_that_another_process_was_about_to_use_is_not_used_twice(
    direct: PostgresServer,
) -> None:
    """Without having read anything else, so that it is the key that collides."""
    inserted = threading.Event()
    insert = (
        "INSERT INTO transcript (address, seq, body) VALUES"
        " ('a', (SELECT COALESCE(MAX(seq), 0) + 1 FROM transcript), :body)"
    )

    def goes_first(tx: Transaction) -> None:
        tx.execute(insert, {"body": "first"})
        if not inserted.is_set():
            inserted.set()
            until_somebody_is_blocked(direct)

    def comes_second(tx: Transaction) -> None:
        inserted.wait(10)
        tx.execute(insert, {"body": "second"})

    async with two(direct) as (one, other):
        await asyncio.gather(one.run(goes_first), other.run(comes_second))
    assert sorted(notes(direct)) == ["first", "second"]


async def test_a_key_that_is_simply_taken_is_its_works_own_fault(direct: PostgresServer) -> None:
    def again(tx: Transaction) -> None:
        tx.execute("INSERT INTO transcript VALUES ('a', 1, 'again')")

    async with opened(direct) as database:
        await database.run(Note("there"))
        good, bad = await asyncio.gather(
            database.run(Note("good")), database.run(again), return_exceptions=True
        )
        assert good == 2
        assert isinstance(bad, psycopg.errors.UniqueViolation)
    assert notes(direct) == ["there", "good"]


@pytest.mark.usefixtures("short")
async def test_a_row_that_somebody_keeps_locked_is_unwritable_until_they_let_go(
    direct: PostgresServer,
) -> None:
    def change(tx: Transaction) -> int:
        return tx.execute("UPDATE transcript SET body = 'changed'")

    async with asyncio.timeout(SOON), opened(direct) as database:
        await database.run(Note("there"))
        with transaction(direct) as rival:
            rival.fetch("SELECT 1 FROM transcript FOR UPDATE")
            with pytest.raises(Unwritable):
                await database.run(change)
            assert await database.read(lambda tx: len(tx.fetch("SELECT 1 FROM transcript"))) == 1
        assert notes(direct) == ["there"]
        assert await database.run(change) == 1
    assert notes(direct) == ["changed"]
