"""Who else is here, and who is the one bot: true whatever happens to a process or its line."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from storage import patience, presence
from storage.address import PostgresServer, SqliteFile
from storage.opening import presence_on
from storage.presence import Alone, AmongOthers
from tests.fakes.databases import fresh, rows
from tests.fakes.process import started
from tests.fakes.proxy import Proxy

SOON = 10  # seconds, within which another process takes over
A_WHILE = 0.4  # seconds, in which nothing must happen
HERE = """
SELECT 1 AS one FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = current_database()
"""

BECOMES_THE_BOT = """
import asyncio, sys
from storage.presence import AmongOthers

async def main():
    here = AmongOthers(sys.argv[1])
    async with here.entering():
        pass
    await here.is_the_bot()
    print("talks", flush=True)
    await here.was_the_bot()
    print("stands by", flush=True)

asyncio.run(main())
"""
DIES_WHILE_ENTERING = """
import asyncio, sys
from storage.presence import AmongOthers

async def main():
    async with AmongOthers(sys.argv[1]).entering() as alone:
        print("alone" if alone else "not alone", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def direct(tmp_path: Path) -> Iterator[PostgresServer]:
    with fresh("postgres", tmp_path) as address:
        assert isinstance(address, PostgresServer)
        yield address


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy().standing() as standing:
        yield standing


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that look more often whether they are still there."""
    monkeypatch.setattr(presence, "PING_EVERY", 0.1)
    monkeypatch.setattr(presence, "_PONG_WITHIN", 0.5)
    monkeypatch.setattr(presence, "_AGAIN_AFTER", 0.05)
    monkeypatch.setattr(presence, "ANSWER_WITHIN", 1.0)
    monkeypatch.setitem(patience.CONNECTING, "connect_timeout", 2)


@pytest.fixture
async def process(direct: PostgresServer) -> AsyncIterator[Callable[..., AmongOthers]]:
    """Makes processes, on a line of their own if they are given one; all leave at the end."""
    async with AsyncExitStack() as stack:

        def made(line: Proxy | None = None) -> AmongOthers:
            here = AmongOthers((line.address(direct) if line else direct).uri)
            stack.push_async_callback(here.close)
            return here

        yield made


async def is_alone(here: AmongOthers) -> bool:
    """Enter and stay; tell whether nobody else was there."""
    async with asyncio.timeout(SOON), here.entering() as alone:
        return alone


async def happens(waiting: asyncio.Task[None], within: float = SOON) -> bool:
    done, _ = await asyncio.wait([waiting], timeout=within)
    return bool(done)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - what is waited for is not in this loop
            await asyncio.sleep(0.01)


@asynccontextmanager
async def while_(doing: asyncio.Task[None]) -> AsyncIterator[asyncio.Task[None]]:
    try:
        yield doing
    finally:
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)


Made = Callable[..., AmongOthers]


# --- the first one here ---------------------------------------------------------------------------


async def test_whoever_comes_first_is_alone_and_the_next_are_not(process: Made) -> None:
    assert [await is_alone(process()) for _ in range(3)] == [True, False, False]


async def test_when_all_have_left_the_next_one_is_alone_again(process: Made) -> None:
    first, second = process(), process()
    assert (await is_alone(first), await is_alone(second)) == (True, False)
    await first.close()
    third = process()
    assert not await is_alone(third)
    await second.close()
    await third.close()
    assert await is_alone(process())


async def test_of_many_who_come_at_once_one_is_alone_and_the_others_wait_for_it(
    process: Made,
) -> None:
    told: list[str] = []

    async def enter(here: AmongOthers) -> None:
        async with here.entering() as alone:
            if alone:
                told.append("begins")
                await asyncio.sleep(A_WHILE)
                told.append("is done")
            else:
                told.append("comes in")

    async with asyncio.timeout(SOON):
        await asyncio.gather(*(enter(process()) for _ in range(5)))
    assert told == ["begins", "is done", *["comes in"] * 4]


async def test_whoever_fails_while_entering_keeps_nobody_out(process: Made) -> None:
    first = process()

    async def fails() -> None:
        async with first.entering() as alone:
            assert alone
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    await first.close()
    assert await is_alone(process())


@pytest.mark.usefixtures("quick")
async def test_whoever_loses_the_connection_while_entering_keeps_nobody_out(
    process: Made, proxy: Proxy
) -> None:
    first, second = process(proxy), process()
    with suppress(psycopg.OperationalError):  # it may find out, and then does not start
        async with first.entering() as alone:
            assert alone
            waiting = asyncio.create_task(is_alone(second))
            await asyncio.sleep(A_WHILE)
            assert not waiting.done()
            proxy.cut()
            await waiting
    assert not await is_alone(process())


@pytest.mark.process
async def test_a_process_that_is_killed_while_entering_keeps_nobody_out(
    process: Made, direct: PostgresServer, tmp_path: Path
) -> None:
    async with started(direct.uri, folder=tmp_path, script=DIES_WHILE_ENTERING) as other:
        await other.says("alone")
        waiting = asyncio.create_task(is_alone(process()))
        assert not (await asyncio.wait([waiting], timeout=A_WHILE))[0]
        await other.kill(signal.SIGKILL)
        await waiting
    assert not await is_alone(process())


@pytest.mark.usefixtures("quick")
async def test_whoever_stays_is_seen_again_after_a_lost_connection(
    process: Made, proxy: Proxy, direct: PostgresServer
) -> None:
    first = process(proxy)
    assert await is_alone(first)
    async with while_(asyncio.create_task(first.stay())):
        proxy.go_away()
        stranger = process()
        assert await is_alone(stranger)  # the other one could not be seen
        await stranger.close()
        proxy.heal()
        await until(lambda: rows(direct, HERE) != [])
        assert not await is_alone(process())


async def test_two_databases_of_one_server_have_nothing_to_do_with_each_other(
    process: Made, tmp_path: Path
) -> None:
    assert await is_alone(process())
    with fresh("postgres", tmp_path) as address:
        assert isinstance(address, PostgresServer)
        elsewhere = AmongOthers(address.uri)
        assert await is_alone(elsewhere)
        async with asyncio.timeout(SOON):
            await elsewhere.is_the_bot()
        await elsewhere.close()


# --- the one bot ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
async def test_one_of_three_is_the_bot_until_it_leaves(process: Made) -> None:
    three = [process() for _ in range(3)]
    for left in (3, 2, 1):
        waiting = {asyncio.create_task(here.is_the_bot()): here for here in three}
        done, _ = await asyncio.wait(waiting, timeout=SOON, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        done, others = await asyncio.wait(waiting, timeout=A_WHILE)
        assert (len(done), len(others)) == (1, left - 1)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        bot = waiting[done.pop()]
        three.remove(bot)
        await bot.close()


@pytest.mark.usefixtures("quick")
async def test_a_bot_that_loses_its_connection_hears_of_it_and_another_takes_over(
    process: Made, proxy: Proxy
) -> None:
    first, second = process(proxy), process()
    await first.is_the_bot()
    async with (
        while_(asyncio.create_task(first.was_the_bot())) as over,
        while_(asyncio.create_task(second.is_the_bot())) as takes_over,
    ):
        assert not await happens(over, A_WHILE)
        assert not takes_over.done()
        proxy.cut()
        assert await happens(over)
        assert await happens(takes_over)
        async with while_(asyncio.create_task(first.is_the_bot())) as again:
            assert not await happens(again, A_WHILE)
            await second.close()
            assert await happens(again)


@pytest.mark.usefixtures("quick")
async def test_a_bot_whose_server_falls_silent_hears_of_it(process: Made, proxy: Proxy) -> None:
    """And before the server may notice, by its own keepalives, and let another be the bot."""
    bot = process(proxy)
    await bot.is_the_bot()
    async with while_(asyncio.create_task(bot.was_the_bot())) as over:
        proxy.swallow()
        assert await happens(over, 2)
    async with while_(asyncio.create_task(bot.is_the_bot())) as again:
        assert not await happens(again, A_WHILE)
        proxy.heal()
        assert await happens(again)


@pytest.mark.usefixtures("quick")
async def test_a_bot_that_loses_its_connection_becomes_it_again_where_nobody_else_is(
    process: Made, proxy: Proxy
) -> None:
    bot = process(proxy)
    for _ in range(3):
        async with asyncio.timeout(SOON):
            await bot.is_the_bot()
            watching = asyncio.create_task(bot.was_the_bot())
            await asyncio.sleep(0)
            proxy.go_away()
            await watching
        async with while_(asyncio.create_task(bot.is_the_bot())) as again:
            assert not await happens(again, A_WHILE)
            proxy.heal()
            assert await happens(again)


async def test_leaving_makes_room_at_once(process: Made, direct: PostgresServer) -> None:
    bot = process()
    await bot.is_the_bot()
    await bot.close()
    assert rows(direct, HERE) == []
    async with asyncio.timeout(1):
        await process().is_the_bot()
    await bot.close()  # once more does no harm


@pytest.mark.process
async def test_a_bot_that_is_killed_is_followed_within_ten_seconds(
    process: Made, direct: PostgresServer, tmp_path: Path
) -> None:
    async with started(direct.uri, folder=tmp_path, script=BECOMES_THE_BOT) as other:
        await other.says("talks")
        async with while_(asyncio.create_task(process().is_the_bot())) as takes_over:
            assert not await happens(takes_over, A_WHILE)
            await other.kill(signal.SIGKILL)
            assert await happens(takes_over)


@pytest.mark.process
async def test_a_bot_that_stands_still_is_followed_too(
    process: Made, direct: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection lives on with its machine: the server ends it for whoever stands by."""
    monkeypatch.setattr(presence, "_FROZEN_AFTER", 1.0)
    async with started(direct.uri, folder=tmp_path, script=BECOMES_THE_BOT) as other:
        await other.says("talks")
        os.kill(other.pid, signal.SIGSTOP)
        async with while_(asyncio.create_task(process().is_the_bot())) as takes_over:
            assert await happens(takes_over)


async def test_a_bot_that_looks_after_its_lock_is_left_alone(
    process: Made, direct: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "PING_EVERY", 0.1)
    monkeypatch.setattr(presence, "_FROZEN_AFTER", 1.0)
    bot = process()
    await bot.is_the_bot()
    async with (
        while_(asyncio.create_task(bot.was_the_bot())),
        while_(asyncio.create_task(process().is_the_bot())) as takes_over,
    ):
        assert not await happens(takes_over, 2.5)


async def test_a_shop_on_a_file_is_alone_and_the_bot_for_good(tmp_path: Path) -> None:
    here = presence_on(SqliteFile(path=tmp_path / "lapak.db"))
    assert isinstance(here, Alone)
    async with here.entering() as alone:
        assert alone
    await here.is_the_bot()
    async with while_(asyncio.create_task(here.was_the_bot())) as over:
        assert not await happens(over, 0.05)
    await here.close()
