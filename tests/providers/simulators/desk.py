"""Around a simulated supplier: a clock, its control surface, a shop that hears its callbacks."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from providers.simulators.control import add_simulators

# 2026-07-15 10:00:00 in Jakarta
START = 1_784_084_400_000


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Shop:
    """Hears callbacks; answers what ``answers`` holds, then 200."""

    def __init__(self):
        self.heard = []
        self.answers = []
        self.something = asyncio.Event()
        self.while_hearing = None  # awaited before the answer

    async def hear(self, request):
        self.heard.append((await request.read(), request.headers, request.raw_path))
        if self.while_hearing is not None:
            await self.while_hearing()
        self.something.set()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    @property
    def bodies(self):
        return [json.loads(body) for body, _, _ in self.heard]


class Desk:
    """The simulator, whoever buys there, and whoever holds its strings."""

    def __init__(self, http, clock, simulator, shop, url):
        self.http = http
        self.clock = clock
        self.simulator = simulator
        self.shop = shop
        self.url = url  # where the shop hears callbacks

    async def ask(self, method, path, **more):
        url = f"/{self.simulator.slug}{path}"
        async with self.http.request(method, url, **more) as reply:
            return reply.status, await reply.json()

    async def control(self, action, **wish):
        url = f"/control/{self.simulator.slug}/{action}"
        async with self.http.post(url, json=wish) as reply:
            return reply.status, await reply.json()

    async def done(self, action, **wish):
        status, body = await self.control(action, **wish)
        assert (status, body.get("ok")) == (200, True), body
        return body

    async def journal(self):
        async with self.http.get(f"/control/{self.simulator.slug}/journal") as reply:
            assert reply.status == 200
            return await reply.json()

    async def later(self, ms=3000):
        """Let time pass, and everything happen that is due by then."""
        self.clock.now += ms
        await self.simulator.settle()


@asynccontextmanager
async def listening():
    """A shop, and the address where it hears callbacks."""
    shop = Shop()
    app = web.Application()
    app.router.add_route("*", "/callbacks", shop.hear)
    async with TestServer(app) as server:
        yield shop, str(server.make_url("/callbacks"))


@asynccontextmanager
async def opened(kind, desk=Desk, *, clock=None, **more):
    """``kind``: the simulator's class. ``desk``: how this supplier is spoken to."""
    clock = clock or Clock()
    simulator = kind(clock=clock, **more)
    app = web.Application()
    add_simulators(app, [simulator])
    async with listening() as (shop, url), TestClient(TestServer(app)) as http:
        yield desk(http, clock, simulator, shop, url)
