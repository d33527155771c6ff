"""PostgreSQL's bad days: nothing is stored twice, nothing is lost, and nobody waits for ever."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.address import PostgresServer
from storage.database import CommitUnknown, Transaction, Unwritable
from storage.postgres import PostgresEngine
from tests.fakes.databases import fresh, transaction
from tests.fakes.proxy import Fault, Proxy
from tests.storage.files import opened
from tests.storage.servers import (
    SOON,
    Note,
    end_all_connections,
    first_time,
    give_up_sooner,
    notes,
    two,
)


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
    give_up_sooner(monkeypatch)


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


# --- afterwards -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("short")
async def test_a_server_that_only_lets_read_is_unwritable_until_it_lets_write(
    direct: PostgresServer,
) -> None:
    """As one that another is about to take over from."""
    name = direct.shown.rpartition("/")[2]

    def only_reading(word: str) -> None:
        with transaction(direct) as tx:
            tx.execute("SET TRANSACTION READ WRITE")
            tx.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {word}")
        end_all_connections(direct)

    async with opened(direct) as database:
        await database.run(Note("before"))
        only_reading("on")
        with pytest.raises(Unwritable):
            await database.run(Note("lost"))
        assert await database.read(lambda tx: len(tx.fetch("SELECT 1 FROM transcript"))) == 1
        only_reading("off")
        assert await database.run(Note("after")) == 2
    assert notes(direct) == ["before", "after"]


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
