"""A shop in a street: real books on a real file, a simulated supplier, people with chats.

Time stands still until a test moves it; whatever is due is then done, call by call.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.bootstrap import Seams, Shop, opened_shop
from bot.settings import Settings, demo_settings
from providers.simulators.control import add_simulators
from providers.simulators.zultopup import ZulTopupSimulator
from shop.calls import Idle
from shop.money import ceil_div
from shop.time import MINUTE, SECOND
from storage.audit import audit
from storage.opening import prepare
from tests.fakes.chat import FakeChat, Person
from tests.fakes.databases import Onlooker, fresh, the_kind

NOON = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta


@dataclass
class Clock:
    """Time that moves when told to."""

    at: int = NOON

    def __call__(self) -> int:
        return self.at

    def advance(self, span: int) -> None:
        self.at += span


@dataclass
class Street:
    """Everything a story needs."""

    clock: Clock
    chat: FakeChat
    simulator: ZulTopupSimulator
    server: TestServer
    settings: Settings
    seams: Seams
    shop: Shop = field(init=False)
    onlooker: Onlooker = field(init=False)
    _shop_stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self.onlooker = Onlooker(self.settings.database)

    async def open(self) -> None:
        prepare(self.settings.database)
        self._shop_stack = AsyncExitStack()
        self.shop = await self._shop_stack.enter_async_context(
            opened_shop(self.settings, self.seams)
        )

    async def close(self) -> None:
        self.onlooker.close()
        await self._shop_stack.aclose()

    async def restart(self) -> None:
        """Close the shop and open it again on the same file."""
        await self.close()
        await self.open()

    def person(self, name: str = "budi", limit: int = 12) -> Person:
        async def take_turn(*said: Any) -> Any:
            return await self.shop.take_turn(*said)

        return Person(self.chat, take_turn, f"web:{name}", limit)

    @property
    def owner(self) -> Person:
        return self.person("owner")

    async def work(self) -> int:
        """Do all that is due now: calls, and messages; return when something may be due again."""
        due = self.clock()
        for _ in range(1000):
            call = await self.shop.suppliers[0].choose()
            if isinstance(call, Idle):
                due = call.until
                break
            await self.shop.suppliers[0].make(call)
        due = min(due, await self.shop.housekeeper.tidy())
        await self.shop.outbox.drain()
        next_message = await self.shop.keeper.read(lambda books: books.outbox.next_at(self.clock()))
        return due if next_message is None else min(due, next_message)

    async def after(self, span: int, step: int = 5 * SECOND) -> None:
        """Let time pass, step by step, doing what comes due on the way.

        Steps at which nothing is due are left out, but for one in a minute.
        """
        end, due = self.clock() + span, self.clock()
        while self.clock() < end:
            steps = ceil_div(min(due - self.clock(), MINUTE), step)
            self.clock.advance(min(max(steps, 1) * step, end - self.clock()))
            due = await self.work()

    async def control(self, action: str, **body: Any) -> dict[str, Any]:
        async with self._client() as client:
            answer = await client.post(f"/control/zultopup/{action}", json=body)
            return dict(await answer.json())

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        async with ClientSession(str(self.server.make_url("/"))) as session:
            yield session

    @property
    def journal(self) -> list[dict[str, Any]]:
        """What the supplier really has: the truth."""
        return list(self.simulator.journal()["orders"])

    @property
    def deposits(self) -> list[dict[str, Any]]:
        """The deposits that the supplier really has."""
        return list(self.simulator.journal()["deposits"])

    async def pay_deposit(self, nth: int = -1, **more: Any) -> dict[str, Any]:
        return await self.control("pay", id=self.deposits[nth]["id"], **more)

    def balance(self, account: str) -> int:
        """What the books say of an account."""
        found = self.rows(
            f"SELECT COALESCE(SUM(balance), 0) AS n FROM accounts WHERE account = '{account}'"
        )
        return int(found[0]["n"])

    async def pay(self, nth: int = -1, **more: Any) -> dict[str, Any]:
        return await self.control("pay", id=self.journal[nth]["id"], **more)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.onlooker.rows(sql)

    @property
    def orders(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM orders ORDER BY created_at, id")

    def broken(self) -> list[str]:
        return audit(self.settings.database)


@asynccontextmanager
async def street(
    folder: Path, seams: Seams | None = None, *, on: str = "", **settings: Any
) -> AsyncIterator[Street]:
    """Open a street, on the kind of database ``on``; at its end the books must be in order."""
    clock = Clock()
    chat = FakeChat()
    simulator = ZulTopupSimulator(clock=clock)
    app = web.Application()
    add_simulators(app, [simulator])
    async with TestServer(app) as server, AsyncExitStack() as stack:
        address = stack.enter_context(fresh(on or the_kind.get(), folder))
        wanted = demo_settings(folder, server.port or 0, suppliers=("zultopup",))
        wanted = wanted.model_copy(update={"poll_seconds": 5, "database": address, **settings})
        seams = replace(seams or Seams(), clock=clock, senders={"web": chat})
        there = Street(
            clock=clock, chat=chat, simulator=simulator, server=server, settings=wanted, seams=seams
        )
        await there.open()
        try:
            await there.work()
            yield there
            await there.work()
            assert there.broken() == []
        finally:
            await there.close()
