"""Several real processes on one database, Telegram by webhook, one of each kind killed."""

import asyncio
import itertools
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientConnectorError, ClientError, ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer

from tests.fakes.buyers import BY_DEPOSIT, BY_DROPSHIP, BY_WALLET, buyers, buying
from tests.fakes.process import Process, answers, free_port
from tests.fakes.reckoning import comes_to_rest, reckoning
from tests.fakes.world import WEBHOOK_SECRET, World, opened_world

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]
on_a_server = pytest.mark.parametrize("on_a_database", ["postgres"], indirect=True)
CUSTOMERS = 6
METHODS = (BY_DROPSHIP, BY_DEPOSIT, BY_WALLET)
STANDBY_TALKS_WITHIN = 10.0
LEASE = 5  # seconds, instead of 75
SHORT_LEASE = f"""
import sys
from shop import calls

calls.LEASE = {LEASE} * 1000
calls.LONGEST_CALL = {LEASE} * 800
from bot import __main__  # only now: others take these along by name

sys.exit(__main__.main())
"""


@dataclass
class Front:
    """The reverse proxy before several web processes: each in turn, the next where one is gone."""

    ports: list[int]
    passed: Counter[int] = field(default_factory=Counter)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        self._turns = itertools.cycle(self.ports)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        async with (
            ClientSession(connector=TCPConnector(force_close=True)) as self._session,
            TestServer(app) as server,
        ):
            yield str(server.make_url("")).rstrip("/")

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        for port in itertools.islice(self._turns, len(self.ports)):
            url = f"http://127.0.0.1:{port}{request.path_qs}"
            try:
                async with self._session.request(
                    request.method, url, data=body, headers=request.headers
                ) as answer:
                    self.passed[port] += answer.ok
                    return web.Response(status=answer.status, body=await answer.read())
            except ClientConnectorError:
                continue  # nobody heard it
            except ClientError:
                break  # somebody may have: Telegram brings it again
        return web.Response(status=502)


@asynccontextmanager
async def opened_chain(folder: Path, front: Front) -> AsyncIterator[World]:
    """A world whose Telegram brings updates to ``front``."""
    async with front.open() as url:
        settings = {
            "TELEGRAM_MODE": "webhook",
            "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "LAPAK_PUBLIC_URL": url,
            "LAPAK_PAYMENTS": "dropship,deposit,wallet",
        }
        async with opened_world(folder, "postgres", **settings) as world:
            yield world


@pytest.fixture
def front() -> Front:
    return Front([free_port(), free_port()])


async def first_to_say(part: str, processes: list[Process]) -> Process:
    saying = [asyncio.create_task(process.says(part)) for process in processes]
    await asyncio.wait(saying, return_when=asyncio.FIRST_COMPLETED)
    for task in saying:
        task.cancel()
    await asyncio.gather(*saying, return_exceptions=True)
    return next(process for process in processes if part in process.output)


async def eventually(true: Callable[[], Awaitable[bool]], within: float, what: str) -> None:
    clock = asyncio.get_running_loop().time
    until = clock() + within
    while not await true():
        assert clock() < until, f"not within {within} s: {what}"
        await asyncio.sleep(0.1)


def sold(world: World, paid: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return (await reckoning(world)).bought >= paid

    return enough


@on_a_server
async def test_o2_o14_one_of_each_kind_is_killed_and_the_other_goes_on(
    tmp_path: Path, front: Front
) -> None:
    async with opened_chain(tmp_path, front) as world, AsyncExitStack() as shop:

        async def start(role: str, port: int = 0) -> Process:
            return await shop.enter_async_context(world.shop(role=role, port=port))

        webs = [await start("web", port) for port in front.ports]
        workers = [await start("worker") for _ in range(2)]
        bots = [await start("bot") for _ in range(2)]
        for port in front.ports:
            await answers(f"http://127.0.0.1:{port}/readyz")
        for worker in workers:  # whichever reads the price list
            await worker.says("shop.started")
        await first_to_say("list.read", workers)
        bot = await first_to_say("bot.talks", bots)
        async with buying(buyers(world, CUSTOMERS, "of each kind", METHODS)):
            await eventually(sold(world, 3), 30, "three sold")
            before = (await reckoning(world)).bought
            [standby] = [other for other in bots if other is not bot]
            assert "bot.talks" not in standby.output
            for process in (webs[0], workers[0], bot):
                assert await process.kill() == -signal.SIGKILL
            await standby.says("bot.talks", STANDBY_TALKS_WITHIN)
            await eventually(sold(world, before + 4), 60, "four more sold")
        await comes_to_rest(world, 100)  # a lease of the killed worker may have to run out
        for process in (webs[1], workers[1], standby):
            assert await process.kill(signal.SIGTERM, within=10) == 0
        there = await reckoning(world)
        sys.stdout.write(f"one of each killed: {there}\n")
        assert there.at_rest() == []
        assert all(front.passed[port] for port in front.ports)
        assert not [it for it in (*webs, *workers, *bots) if "Traceback" in it.output]


@dataclass
class Workers:
    """One that stands still while it asks for a QR, and one that came meanwhile."""

    world: World
    asking: Process
    idle: Process


@asynccontextmanager
async def one_is_asking(folder: Path, front: Front) -> AsyncIterator[Workers]:
    """Budi orders, and is told that no QR came; at the end he orders again, and pays."""
    async with opened_chain(folder, front) as world, AsyncExitStack() as shop:

        async def start(role: str, port: int = 0) -> Process:
            return await shop.enter_async_context(world.shop(SHORT_LEASE, role=role, port=port))

        await start("web", front.ports[0])
        bot, asking = await start("bot"), await start("worker")
        await answers(f"http://127.0.0.1:{front.ports[0]}/readyz")
        await asking.says("list.read")
        await bot.says("bot.talks")
        [budi] = buyers(world, 1, "one is asking")
        await world.control("fault", kind="slow", path="order/create", seconds=LEASE / 2)
        ordering = asyncio.create_task(budi.orders("123456789"))

        async def accepted() -> bool:
            return bool(await world.journal())

        await eventually(accepted, 15, "accepted by the supplier")
        asking.send(signal.SIGSTOP)
        assert [row["status"] for row in world.orders()] == ["opening"]
        idle = await start("worker")
        yield Workers(world, asking, idle)
        assert not await ordering, "a QR came of a lost call"
        assert await budi.orders("987654321")
        await budi.pays("987654321")
        await comes_to_rest(world, 30)
        assert (await reckoning(world)).at_rest() == []
        assert [row["status"] for row in world.orders()] == ["cancelled", "delivered"]


@on_a_server
async def test_o14_what_a_killed_worker_asked_for_is_given_up_after_its_lease(
    tmp_path: Path, front: Front
) -> None:
    async with one_is_asking(tmp_path, front) as workers:
        await workers.asking.kill()
        await workers.world.person(7).sees("kami batalkan", LEASE + 10)


@on_a_server
async def test_o14_a_worker_that_stood_still_does_not_overrule_the_others(
    tmp_path: Path, front: Front
) -> None:
    async with one_is_asking(tmp_path, front) as workers:
        await workers.world.person(7).sees("kami batalkan", LEASE + 10)
        workers.asking.send(signal.SIGCONT)
        await workers.asking.says("invoice.opened")

        async def kept() -> bool:
            return bool(workers.world.rows("SELECT order_id FROM invoices"))

        await eventually(kept, 5, "its QR is kept")
        assert [row["status"] for row in workers.world.orders()] == ["cancelled"]
