"""PostgreSQL's bad days: nothing is stored twice, nothing is lost, and nobody waits for ever."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from storage import doorbell, patience, postgres
from storage.address import PostgresServer
from storage.database import CommitUnknown, Database, Transaction, Unwritable, Work
from storage.doorbell import Doorbell
from storage.postgres import PostgresEngine, open_postgres
from tests.fakes.databases import fresh, rows, transaction
from tests.fakes.proxy import Fault, Proxy

SOON = 15  # seconds that nobody has to wait longer than, whatever the server does


@pytest.fixture
def direct(tmp_path: Path) -> Iterator[PostgresServer]:
    """A database, and nothing between."""
    with fresh("postgres", tmp_path) as address:
        assert isinstance(address, PostgresServer)
        yield address


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy().standing() as standing:
        yield standing


@pytest.fixture
def far(direct: PostgresServer, proxy: Proxy) -> PostgresServer:
    """The same database, behind a line that may break."""
    return proxy.address(direct)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that gives up sooner."""
    monkeypatch.setattr(postgres, "PATIENCE", 0.3)
    monkeypatch.setattr(patience, "ANSWER_WITHIN", 0.5)
    monkeypatch.setattr(doorbell, "PING_EVERY", 0.1)
    monkeypatch.setattr(doorbell, "_AGAIN_AFTER", 0.05)
    options = "-c lock_timeout=100ms -c idle_in_transaction_session_timeout=300ms"
    monkeypatch.setitem(patience.CONNECTING, "options", options)
    monkeypatch.setitem(patience.CONNECTING, "connect_timeout", 2)


@asynccontextmanager
async def opened(address: PostgresServer) -> AsyncIterator[Database]:
    database = await open_postgres(address)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def two(address: PostgresServer) -> AsyncIterator[tuple[Database, Database]]:
    """Two processes on one database."""
    async with opened(address) as one, opened(address) as other:
        yield one, other


class Note:
    """A work that writes one row behind the others, and knows how often it was run.

    The first time ``meanwhile`` happens, between reading and writing.
    """

    def __init__(self, body: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._body = body
        self._meanwhile = meanwhile
        self.runs = 0

    def __call__(self, tx: Transaction) -> int:
        self.runs += 1
        last = tx.fetch("SELECT COALESCE(MAX(seq), 0) AS seq FROM transcript")[0]["seq"]
        if self.runs == 1:
            self._meanwhile()
        row = {"seq": last + 1, "body": self._body}
        tx.execute("INSERT INTO transcript VALUES ('a', :seq, :body)", row)
        return int(last) + 1


def first_time(do: Callable[[], object]) -> Callable[[], None]:
    """What does it once, however often it is called."""
    left = [do]

    def once() -> None:
        if left:
            left.pop()()

    return once


def notes(address: PostgresServer) -> list[str]:
    return [row["body"] for row in rows(address, "SELECT body FROM transcript ORDER BY seq")]


def end_all_connections(address: PostgresServer) -> None:
    """What the server does when it is restarted, or told to by its owner."""
    with transaction(address) as tx:
        tx.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


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


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - what is waited for is not in this loop
            await asyncio.sleep(0.01)


# --- rivals ---------------------------------------------------------------------------------------


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


# --- the connection breaks ------------------------------------------------------------------------


async def test_a_commit_that_the_server_never_saw_is_not_known_and_not_repeated(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    lost = Note("lost")
    async with opened(far) as database:
        await database.run(Note("before"))
        proxy.break_at_commit(Fault.CUTS_BEFORE_COMMIT)
        with pytest.raises(CommitUnknown):
            await database.run(lost)
        assert (lost.runs, proxy.broken) == (1, 1)
        assert notes(direct) == ["before"]
        assert await database.run(Note("after")) == 2
    assert notes(direct) == ["before", "after"]


async def test_a_commit_whose_answer_is_lost_is_not_known_and_not_repeated(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    stored = Note("stored")
    async with opened(far) as database:
        proxy.break_at_commit(Fault.CUTS_AFTER_COMMIT)
        with pytest.raises(CommitUnknown):
            await database.run(stored)
        assert (stored.runs, proxy.broken) == (1, 1)
        assert notes(direct) == ["stored"]
        assert await database.run(Note("after")) == 2
    assert notes(direct) == ["stored", "after"]


@pytest.mark.parametrize("fault", [Fault.CUTS_BEFORE_COMMIT, Fault.CUTS_AFTER_COMMIT])
async def test_all_who_shared_the_commit_hear_that_nobody_knows(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy, fault: Fault
) -> None:
    shared = [Note(f"{nth}") for nth in range(5)]
    async with opened(far) as database:
        bell = database.bell()
        proxy.break_at_commit(fault)
        heard = await asyncio.gather(*map(database.run, shared), return_exceptions=True)
        assert [type(each) for each in heard] == [CommitUnknown] * 5
        assert bell.is_set()  # perhaps there is news
    assert [each.runs for each in shared] == [1] * 5
    assert len(notes(direct)) in {0, 5}


async def test_a_connection_that_breaks_before_the_commit_harms_nobody(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    interrupted = Note("once", proxy.cut)
    async with opened(far) as database:
        assert await database.run(interrupted) == 1
    assert interrupted.runs == 2
    assert notes(direct) == ["once"]


async def test_a_server_that_ends_all_connections_harms_nobody(direct: PostgresServer) -> None:
    interrupted = Note("in the middle", lambda: end_all_connections(direct))
    async with opened(direct) as database:
        await database.run(Note("before"))
        end_all_connections(direct)
        await database.run(Note("between"))
        await database.run(interrupted)
        end_all_connections(direct)
        assert await database.read(lambda tx: len(tx.fetch("SELECT 1 FROM transcript"))) == 3
    assert interrupted.runs == 2
    assert notes(direct) == ["before", "between", "in the middle"]


@pytest.mark.usefixtures("short")
async def test_a_server_that_is_away_is_unwritable_and_unreadable_until_it_is_back(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    lost = Note("lost")
    async with asyncio.timeout(SOON), opened(far) as database:
        await database.run(Note("before"))
        proxy.go_away()
        with pytest.raises(Unwritable) as caught:
            await database.run(lost)
        assert not isinstance(caught.value, CommitUnknown)
        with pytest.raises(Unwritable):
            await database.read(lambda tx: tx.fetch("SELECT 1 FROM transcript"))
        proxy.heal()
        assert await database.run(Note("after")) == 2
        assert await database.read(lambda tx: len(tx.fetch("SELECT 1 FROM transcript"))) == 2
    assert notes(direct) == ["before", "after"]


async def test_a_server_that_comes_back_soon_is_not_missed(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    async with opened(far) as database:
        await database.run(Note("before"))
        proxy.go_away()
        writing = asyncio.create_task(database.run(Note("during")))
        reading = asyncio.create_task(database.read(lambda tx: tx.fetch("SELECT 1 AS one")))
        await asyncio.sleep(0.2)
        assert not writing.done()
        assert not reading.done()
        proxy.heal()
        assert await writing == 2
        assert len(await reading) == 1
    assert notes(direct) == ["before", "during"]


async def test_readers_do_not_notice_that_their_idle_connections_were_cut(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    def wait_and_count(tx: Transaction) -> int:
        tx.fetch("SELECT pg_sleep(0.05)")
        return len(tx.fetch("SELECT 1 FROM transcript"))

    async with opened(far) as database:
        await database.run(Note("there"))
        for _ in range(2):
            counts = await asyncio.gather(*(database.read(wait_and_count) for _ in range(8)))
            assert counts == [1] * 8
            proxy.cut()
        assert await database.read(wait_and_count) == 1


async def test_a_reader_sees_one_moment_across_a_lost_connection(
    far: PostgresServer, proxy: Proxy
) -> None:
    cut = first_time(proxy.cut)

    def twice(tx: Transaction) -> tuple[int, int]:
        first = len(tx.fetch("SELECT 1 FROM transcript"))
        cut()
        return first, len(tx.fetch("SELECT 1 FROM transcript"))

    async with opened(far) as database:
        await database.run(Note("there"))
        assert await database.read(twice) == (1, 1)


# --- silence --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short")
async def test_a_server_that_answers_nothing_keeps_nobody_waiting(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    async with asyncio.timeout(SOON), opened(far) as database:
        await database.run(Note("before"))
        await database.read(lambda tx: tx.fetch("SELECT 1 FROM transcript"))
        proxy.swallow()
        written, read = await asyncio.gather(
            database.run(Note("lost")),
            database.read(lambda tx: tx.fetch("SELECT 1 FROM transcript")),
            return_exceptions=True,
        )
        assert type(written) is Unwritable
        assert type(read) is Unwritable
        proxy.heal()
        assert await database.run(Note("after")) == 2
    assert notes(direct) == ["before", "after"]


@pytest.mark.usefixtures("short")
async def test_a_commit_that_is_not_answered_is_not_known(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    """Nothing is lost on this line but the answer: the server has stored it."""
    async with asyncio.timeout(SOON), opened(far) as database:
        await database.run(Note("before"))
        silenced = first_time(lambda: proxy.break_at_commit(Fault.SILENT_AFTER_COMMIT))
        with pytest.raises(CommitUnknown):
            await database.run(Note("stored", silenced))
        assert notes(direct) == ["before", "stored"]
        proxy.heal()
        assert await database.run(Note("after")) == 3


@pytest.mark.usefixtures("short")
async def test_whoever_was_stopped_in_the_middle_loses_only_their_own_time(
    direct: PostgresServer,
) -> None:
    """The server ends a transaction that does nothing, and with it its locks."""

    def lock_and_sleep(tx: Transaction) -> None:
        tx.execute("UPDATE transcript SET body = body || ' and ours'")
        sleep()

    sleep = first_time(lambda: time.sleep(1))
    async with asyncio.timeout(SOON), two(direct) as (one, other):
        await one.run(Note("there"))
        stopped = asyncio.create_task(one.run(lock_and_sleep))
        await asyncio.sleep(0.5)  # the server's patience, and a little
        await other.run(lambda tx: tx.execute("UPDATE transcript SET body = body || ' and theirs'"))
        assert notes(direct) == ["there and theirs"]
        await stopped
    assert notes(direct) == ["there and theirs and ours"]


@pytest.mark.usefixtures("short")
async def test_whoever_was_stopped_before_they_had_done_it_all_does_it_again(
    direct: PostgresServer,
) -> None:
    stopped = Note("once", lambda: time.sleep(0.6))
    async with asyncio.timeout(SOON), opened(direct) as database:
        assert await database.run(stopped) == 1
    assert stopped.runs == 2
    assert notes(direct) == ["once"]


# --- bells ----------------------------------------------------------------------------------------


class Rings:
    """Counts how often it is rung."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


class CountedBell(asyncio.Event):
    def __init__(self) -> None:
        super().__init__()
        self.rung = 0

    def set(self) -> None:
        self.rung += 1
        super().set()


def bell_of(database: Database) -> CountedBell:
    bell = CountedBell()
    database._bells.append(bell)
    return bell


def news(tx: Transaction) -> None:
    tx.ring()


async def test_news_rings_in_every_process_once(direct: PostgresServer) -> None:
    async with two(direct) as (one, other):
        ours, theirs = bell_of(one), bell_of(other)
        for rung in range(1, 4):
            await one.run(news)
            assert ours.rung == rung  # at once, and not again when the server tells it
            await until(lambda rung=rung: theirs.rung == rung)
        await other.run(news)  # and what comes behind our own in the same line is heard
        await until(lambda: ours.rung == 4)
        assert theirs.rung == 4


async def test_no_news_rings_nowhere(direct: PostgresServer) -> None:
    async with two(direct) as (one, other):
        ours, theirs = bell_of(one), bell_of(other)
        await one.run(Note("quietly"))
        await other.run(news)
        await until(lambda: (ours.rung, theirs.rung) == (1, 1))


async def test_news_that_was_not_stored_rings_nowhere_else(direct: PostgresServer) -> None:
    def spoiled(tx: Transaction) -> None:
        tx.ring()
        raise LookupError

    async with two(direct) as (one, other):
        theirs = bell_of(other)
        with pytest.raises(LookupError):
            await one.run(spoiled)
        await one.run(news)
        await until(lambda: theirs.rung == 1)


@pytest.mark.usefixtures("short")
async def test_news_of_an_outage_is_made_up_for_by_one_ring(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    rings = Rings()
    doorbell = Doorbell(far.uri, rings)
    await doorbell.hung()
    async with opened(direct) as database:
        proxy.go_away()
        for _ in range(3):
            await database.run(news)
        assert rings.count == 0
        proxy.heal()
        await until(lambda: rings.count > 0)
        await database.run(news)
        await until(lambda: rings.count > 1)
        assert rings.count == 2
    await doorbell.close()


@pytest.mark.usefixtures("short")
async def test_a_bell_that_has_gone_deaf_is_hung_anew(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    rings = Rings()
    doorbell = Doorbell(far.uri, rings)
    await doorbell.hung()
    async with opened(direct) as database:
        proxy.swallow()
        await database.run(news)
        await asyncio.sleep(0.3)
        proxy.fault = Fault.NONE  # the connection stays; what was said meanwhile is lost
        await until(lambda: rings.count > 0)
        before = rings.count
        await database.run(news)
        await until(lambda: rings.count > before)
    await doorbell.close()


@pytest.mark.usefixtures("short")
async def test_a_bell_is_taken_down_at_once_even_if_nobody_answers(
    far: PostgresServer, proxy: Proxy
) -> None:
    doorbell = Doorbell(far.uri, lambda: None)
    await doorbell.hung()
    proxy.swallow()
    await asyncio.sleep(0.3)  # it is asking whether anybody is there
    async with asyncio.timeout(3):
        await doorbell.close()


async def test_only_connections_that_we_have_now_count_as_our_own(
    far: PostgresServer, proxy: Proxy
) -> None:
    """The number of a process that has ended may become another's."""
    async with opened(far) as database:
        engine = database._engine
        assert isinstance(engine, PostgresEngine)
        for nth in range(3):
            await database.run(Note(f"{nth}"))
            proxy.cut()
        await database.run(Note("last"))
        assert len(engine.pids) == 1
