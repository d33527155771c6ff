"""A street with all five suppliers in it, who tell the shop by themselves how orders went.

Their callbacks go over real HTTP to the door of the shop's own web server. Time stands still as in
a street: nothing happens at the suppliers, at the door or in the shop until a test lets it.
"""

import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.bootstrap import Seams
from bot.front import parts_of
from bot.secrets import Secret
from bot.settings import Settings, demo_settings
from bot.simulated import BALANCE
from providers.base import READ_LIMIT, READ_TRIES, http_client
from providers.registry import adapters
from providers.settings import Kind, specs_of
from providers.simulators import prepaid
from providers.simulators.apigames import ApigamesSimulator
from providers.simulators.callbacks import CallbackPost
from providers.simulators.control import Simulator, add_simulators
from providers.simulators.kiosgame import KiosgameSimulator
from providers.simulators.prepaid import PrepaidSimulator
from providers.simulators.senpay import SenPaySimulator
from providers.simulators.zonegame import ZoneGameSimulator
from providers.simulators.zultopup import ZulTopupSimulator
from shop import entries, matching
from shop.calls import Idle
from shop.matching import Pair
from shop.orders import HOUSE
from shop.payments import PaymentMethod
from shop.time import SECOND
from storage.address import SqliteFile
from storage.books import SqlBooks
from tests.fakes.chat import FakeChat, Person
from tests.fakes.databases import fresh, the_kind
from tests.fakes.street import Clock, Street
from webhook_server.app import build_app

CANARY = "canary-7f3a"
DOOR_SECRET = f"{CANARY}-at-the-door"
LOOPBACK = "127.0.0.1"
BLINK = 50  # ms that a call takes at least
PATIENCE = int(READ_LIMIT * SECOND / READ_TRIES)  # for one answer
_WITHOUT_ZULTOPUP = (PaymentMethod.QRIS, PaymentMethod.WALLET)
_OF_A_FILE = "SELECT name FROM sqlite_master WHERE type = 'table'"
_OF_A_SERVER = """
SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'
"""


@dataclass(frozen=True, slots=True)
class Stall:
    """A supplier, and what stories need to know of it.

    ``ordering`` and ``asking``: what the paths of these calls end with, or have in them; where the
    one begins the other, the order comes first. ``done`` and ``failed``: for its control surface.
    """

    slug: str
    sku: str  # 70 diamonds for Free Fire
    ordering: str
    asking: str
    done: str
    failed: str
    signs: bool = False  # what its callbacks say is believed
    calls_back: bool = True
    protocol: str = ""

    def __str__(self) -> str:
        return self.protocol or self.slug


_ZONEGAME = ("/api/v1/order", "/api/v1/order/", "success", "failed")
_SENPAY = ("/transaction/create", "/transaction/TRX", "success", "failed")
_APIGAMES = ("/v2/transaksi", "/v2/transaksi/status", "Sukses", "Gagal")
_ZULTOPUP = ("/api/order/create", "/api/order/status", "Success", "Error")
_KIOSGAME = ("/v1/status/", "SUCCESS", "FAILED")
ZONEGAME = Stall("zonegame", "FF70", *_ZONEGAME, signs=True)
SENPAY = Stall("senpay", "FF-BJ-V3FF_ID_70", *_SENPAY)
KIOSGAME = Stall("kiosgame", "S4_FF70", "/v2/order", *_KIOSGAME, signs=True)
OTOMAX = Stall("kiosgame", "S4_FF70", "/v3/otomax/order", *_KIOSGAME, protocol="otomax")
APIGAMES = Stall("apigames", "ff70", *_APIGAMES)
ZULTOPUP = Stall("zultopup", "1", *_ZULTOPUP, calls_back=False)
CALLING_BACK: Sequence[Stall] = (ZONEGAME, SENPAY, KIOSGAME, OTOMAX, APIGAMES)
STALLS: Sequence[Stall] = (*CALLING_BACK, ZULTOPUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request that left the shop, whether or not it arrived."""

    at: int
    method: str
    path: str
    body: str


@dataclass
class Line:
    """The line from the shop to its suppliers. Every request that leaves is written down."""

    clock: Clock
    cut: set[str] = field(default_factory=set)  # nothing whose path has one of these in it leaves
    slow: set[str] = field(default_factory=set)  # likewise, answers take longer than anybody waits
    sent: list[Sent] = field(default_factory=list)
    seen: Callable[[Sent], None] = lambda _: None  # looks at each before it leaves
    lost: list[str] = field(default_factory=list)  # what leaves for one of these does not arrive
    _meanwhile: list[tuple[str, Callable[[], Awaitable[object]]]] = field(default_factory=list)

    def meanwhile(self, path: str, doing: Callable[[], Awaitable[object]]) -> None:
        """Have ``doing`` done after the supplier has answered for ``path``, before we hear it."""
        self._meanwhile.append((path, doing))

    def client(self) -> httpx.AsyncClient:
        client = http_client()
        client._transport = _Transport(client._transport, self)
        return client

    def leaves(self, request: httpx.Request) -> None:
        path = request.url.path
        if any(part in path for part in self.cut):
            raise httpx.ConnectError("no route to host")
        body = request.content.decode() if request.content else request.url.query.decode()
        self.sent.append(Sent(at=self.clock(), method=request.method, path=path, body=body))
        self.seen(self.sent[-1])
        for part in self.lost:
            if path.endswith(part):
                self.lost.remove(part)
                raise httpx.ReadError("connection reset by peer")

    async def is_answered(self, path: str) -> None:
        self.clock.advance(BLINK)
        if any(part in path for part in self.slow):
            self.clock.advance(PATIENCE)
            raise httpx.ReadTimeout("no answer in time")
        for part, doing in list(self._meanwhile):
            if part in path:
                self._meanwhile.remove((part, doing))
                await doing()


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, transport: httpx.AsyncBaseTransport, line: Line) -> None:
        self._transport, self._line = transport, line

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._line.leaves(request)
        try:
            response = await self._transport.handle_async_request(request)
            await response.aread()
        except httpx.HTTPError:
            await self._line.is_answered(request.url.path)
            raise
        await self._line.is_answered(request.url.path)
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


@dataclass(repr=False)
class Mall(Street):
    """Everything a story with several suppliers needs."""

    simulators: Mapping[str, Simulator] = field(default_factory=dict)
    port: socket.socket = field(default_factory=socket.socket)  # held while the shop is closed
    line: Line = field(default_factory=lambda: Line(Clock()))
    logs: Sequence[Mapping[str, Any]] = ()
    records: list[logging.LogRecord] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    _clients: dict[str, Callable[[], httpx.AsyncClient]] = field(default_factory=dict)
    _due: list[int] = field(default_factory=list)

    # --- opening ---

    async def open(self) -> None:
        await super().open()
        parts = (
            *parts_of(self.shop, self.settings),
            lambda app: add_simulators(app, list(self.simulators.values())),
        )
        self.server = TestServer(
            build_app(checks={}, parts=parts), socket_factory=lambda *_: self.port.dup()
        )
        await self.server.start_server()

    async def close(self) -> None:
        await self.server.close()
        await super().close()

    # --- time ---

    @property
    def prepaid(self) -> list[PrepaidSimulator]:
        return [it for it in self.simulators.values() if isinstance(it, PrepaidSimulator)]

    async def settles(self) -> None:
        """Have the suppliers finish what is due, and send their callbacks."""
        for simulator in self.prepaid:
            await simulator.settle()

    async def work(self) -> None:
        """Do all that is due now: at the suppliers, at the door, in the shop."""
        for _ in range(1000):
            self._due = []
            await self.settles()
            took_in, called = await self.takes_in(), await self._calls()
            if not (took_in or called):
                break
        else:
            raise AssertionError("there is always something due")
        self._due.append(await self.shop.housekeeper.tidy())
        await self.shop.outbox.drain()

    async def takes_in(self) -> bool:
        """Take in the callbacks that are due; tell whether there were any."""
        any_due = False
        while (until := await self.shop.inbox.round()) is not None and until <= self.clock():
            any_due = True
        self._due += [] if until is None else [until]
        return any_due

    async def _calls(self) -> bool:
        called = False
        for worker in self.shop.suppliers:
            while not isinstance(call := await worker.choose(), Idle):
                await worker.make(call)
                called = True
            self._due.append(call.until)
        return called

    async def after(self, span: int, step: int = 60 * SECOND) -> None:
        """Let time pass, from one moment at which something is due to the next."""
        end = self.clock() + span
        await self.work()
        while self.clock() < end:
            soonest = min((*self._due, *self._due_there()), default=end)
            pause = max(soonest - self.clock(), SECOND)
            self.clock.advance(min(pause, step, end - self.clock()))
            await self.work()

    def _due_there(self) -> Iterator[int]:
        for simulator in self.prepaid:
            yield from simulator._books._due.values()
            yield from (waiting.due_at for waiting in simulator._post._waiting)

    # --- suppliers ---

    async def tell(self, stall: Stall, action: str, **wish: Any) -> dict[str, Any]:
        """Have something happen at a supplier."""
        return await self.simulators[stall.slug].actions()[action](wish)

    async def fault(self, stall: Stall, kind: str, path: str = "", **more: Any) -> None:
        """Have a supplier commit a fault; who is to wait for it waits no longer than need be."""
        quick = {"seconds": 0.02} if kind in {"timeout", "slow"} else {}
        where = {"path": path} if path else {}
        await self.tell(stall, "fault", kind=kind, **where, **quick, **more)

    def accepted_by(self, stall: Stall) -> list[dict[str, Any]]:
        """The orders that a supplier really has: the truth."""
        return list(self.simulators[stall.slug].journal()["orders"])

    def orders_sent(self, stall: Stall) -> list[int]:
        """When an order left for a supplier, each time."""
        return [sent.at for sent in self.line.sent if sent.path.endswith(stall.ordering)]

    def tries_of(self, stall: Stall) -> list[dict[str, Any]]:
        """Every callback that it tried to bring."""
        return list(self.simulators[stall.slug].journal()["callbacks"])

    def deaf_to(self, stall: Stall) -> None:
        """Have no callback of a supplier arrive from now on."""
        post = self._post_of(stall)
        self._clients.setdefault(stall.slug, post._client)
        post._client = _lost_client

    def hears(self, stall: Stall) -> None:
        """Have callbacks arrive again; the ones so far are lost for ever."""
        post = self._post_of(stall)
        if stall.slug in self._clients:
            post._client = self._clients.pop(stall.slug)
            post._waiting.clear()

    def _post_of(self, stall: Stall) -> CallbackPost:
        simulator = self.simulators[stall.slug]
        assert isinstance(simulator, PrepaidSimulator)
        return simulator._post

    async def brings(
        self, stall: Stall, body: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Bring the shop's door something in a supplier's name."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            url = self.settings.callback_url(stall.slug)
            return await client.post(url, content=body.encode(), headers=dict(headers or {}))

    async def sets_all_apart(self) -> None:
        """The owner says of every offer that it is no other's good."""
        now, owner = self.clock(), self.owner.address

        def set_apart(books: SqlBooks) -> None:
            for game in books.shelf.games(0):
                arranged = books.shelf.arranged(game)
                pairs = [
                    Pair(offer=member.offer, good=item.key)
                    for item in arranged.items
                    for member in item.members
                    if item.key != member.offer.key
                ]
                matching.say(books, pairs, owner, now, same=False)

        await self.shop.keeper.write(set_apart)

    # --- people ---

    def person(self, name: str = "budi", limit: int = 90) -> Person:
        """The same person by the same name; a page shows all that is sold of a game."""
        if name not in self.people:
            self.people[name] = super().person(name, limit)
        return self.people[name]

    async def gives_credit(self, person: Person, amount: int) -> None:
        now = self.clock()
        key = f"entry:{person.address}:{now}"
        await self.shop.keeper.write(
            lambda books: entries.credit(
                books, person.address, amount, key, now, actor=self.owner.address, reason=""
            )
        )

    async def chooses(
        self, person: Person, stall: Stall, account: str = "123456789", game: str = "free-fire"
    ) -> None:
        """Go as far as the last question."""
        await person.says(f"/start {game}")
        await person.taps(f"{stall.slug}/{stall.sku}")
        await person.says(account)
        person.sees("Cek dulu")

    async def sells(self, stall: Stall, game: str = "free-fire") -> bool:
        """Whether a customer who comes now is offered a supplier's item."""
        person = self.person("passer-by")
        await person.says(f"/start {game}")
        return f"{stall.slug}/{stall.sku}" in [choice.id for choice in person.last.choices]

    async def buys(self, person: Person, stall: Stall, account: str = "123456789") -> None:
        """Buy on credit; nothing is ordered yet."""
        await self.gives_credit(person, 50_000)
        self.clock.advance(11 * SECOND)
        await self.chooses(person, stall, account)
        await person.taps("wallet")
        assert self.orders_of(person)[-1]["status"] == "paid"

    def orders_of(self, person: Person) -> list[dict[str, Any]]:
        found = [row for row in self.orders if row["address"] == person.address]
        return [row for row in found if row["supplier"] != HOUSE]

    def attempts(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM attempts ORDER BY started_at, order_id, nth")

    def cases(self) -> list[dict[str, Any]]:
        """What the owner is being asked."""
        return self.rows("SELECT * FROM cases WHERE closed_at IS NULL ORDER BY opened_at, id")

    def credit(self, person: Person) -> int:
        return -self.balance(f"wallet:{person.address}")

    # --- what must not be seen ---

    async def leaks(self) -> list[str]:
        """Where a secret stands that nobody may see."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            metrics = await client.get(str(self.server.make_url("/metrics")))
        assert metrics.status_code == 200
        is_file = isinstance(self.settings.database, SqliteFile)
        tables = [row["name"] for row in self.rows(_OF_A_FILE if is_file else _OF_A_SERVER)]
        seen: dict[str, object] = {
            "metrics": metrics.text,
            "logs": [*self.logs, *map(_written, self.records)],
            "chats": self.chat.messages,
            **{name: self.rows(f"SELECT * FROM {name}") for name in tables},
        }
        assert seen["chats"]
        assert seen["logs"]
        return [name for name, what in seen.items() if CANARY in repr(what)]


def _written(record: logging.LogRecord) -> str:
    return f"{record.__dict__} {record.getMessage()} {record.exc_info}"


def _lost_client() -> httpx.AsyncClient:
    def lose(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to host")

    return httpx.AsyncClient(transport=httpx.MockTransport(lose))


def _simulators(clock: Clock, settings: Settings) -> Mapping[str, Simulator]:
    """Those of the demo, with keys of ours."""
    senpay, apigames = (settings.of_suppliers[slug] for slug in ("senpay", "apigames"))
    simulators: Sequence[Simulator] = (
        ZulTopupSimulator(clock=clock, balance=BALANCE),
        ZoneGameSimulator(clock=clock, balance=BALANCE),
        SenPaySimulator(
            clock=clock,
            balance=BALANCE,
            callback_url=settings.callback_url("senpay"),
            secret_key=senpay.secret_key()[0],
        ),
        KiosgameSimulator(clock=clock, balance=BALANCE),
        ApigamesSimulator(
            clock=clock,
            balance=BALANCE,
            callback_url=settings.callback_url("apigames"),
            secret_key=apigames.secret_key()[0],
        ),
    )
    return {simulator.slug: simulator for simulator in simulators}


def _with_canaries(of_suppliers: Mapping[str, Any]) -> dict[str, Any]:
    """Give every secret of every supplier a text that is found wherever it should not stand."""
    known = dict(of_suppliers)
    for slug, settings in known.items():
        specs = specs_of(adapters()[slug].settings_type)
        names = [name for name, spec in specs.items() if spec.kind is Kind.SECRET]
        secrets = {name: _revealing(f"{CANARY}-{slug}-{name}") for name in names}
        known[slug] = replace(settings, **secrets)
    return known


def _revealing(text: str) -> Callable[[], Sequence[str]]:
    return lambda: (text,)


@contextmanager
def _records() -> Iterator[list[logging.LogRecord]]:
    """What is logged by way of ``logging``, where warnings are the least (``bot.logs``)."""
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield seen
    finally:
        root.removeHandler(handler)


def _wanted(folder: Path, port: int, stalls: Sequence[Stall], **settings: Any) -> Settings:
    slugs = tuple(dict.fromkeys(stall.slug for stall in stalls))
    products = folder / "apigames.csv"
    products.write_text(ApigamesSimulator(clock=lambda: 0).products_csv(), "utf-8")
    wanted = demo_settings(folder, port, products=products)
    of = _with_canaries(wanted.of_suppliers)
    for stall in stalls:
        if stall.protocol:
            of[stall.slug] = replace(of[stall.slug], protocol=stall.protocol)
    more = {
        "preferred_suppliers": slugs,
        "payments": tuple(PaymentMethod) if "zultopup" in slugs else _WITHOUT_ZULTOPUP,
        "poll_seconds": 5,
        "of_suppliers": of,
        "callback_secrets": (Secret(DOOR_SECRET),),
    }
    return wanted.model_copy(update={**more, **settings})


@asynccontextmanager
async def mall(
    folder: Path,
    stalls: Sequence[Stall] = (ZONEGAME, SENPAY, KIOSGAME, APIGAMES, ZULTOPUP),
    seams: Seams | None = None,
    *,
    on: str = "",
    apart: bool = True,
    **settings: Any,
) -> AsyncIterator[Mall]:
    """Open a mall that buys at ``stalls``, on the kind of database ``on``.

    ``apart``: every supplier's goods are items of their own, so that a story can choose among them.
    At its end the books are in order, nothing was raised that nobody saw, and no secret is seen.
    """
    clock, chat = Clock(), FakeChat()
    line = Line(clock)
    async with AsyncExitStack() as stack:
        logs = stack.enter_context(capture_logs())
        records = stack.enter_context(_records())
        # They settle when a test says so, and not also now and then.
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(prepaid, "_TICK", 3600.0)
        port = stack.enter_context(socket.create_server((LOOPBACK, 0)))
        wanted = _wanted(folder, port.getsockname()[1], stalls, **settings)
        address = stack.enter_context(fresh(on or the_kind.get(), folder))
        wanted = wanted.model_copy(update={"database": address, **settings})
        simulators = _simulators(clock, wanted)
        zultopup = simulators["zultopup"]
        assert isinstance(zultopup, ZulTopupSimulator)
        there = Mall(
            clock=clock,
            chat=chat,
            simulator=zultopup,
            server=None,  # type: ignore[arg-type]  # a door of its own, once it is open
            settings=wanted,
            seams=replace(seams or Seams(client=line.client), clock=clock, senders={"web": chat}),
            simulators=simulators,
            port=port,
            line=line,
            logs=logs,
            records=records,
        )
        await there.open()
        try:
            await there.work()
            if apart:
                await there.sets_all_apart()
            if "senpay" in wanted.suppliers:
                await _enter_what_senpay_holds(there)
            yield there
            await there.work()
            assert there.broken() == []
            assert [it for it in logs if it["log_level"] in {"error", "critical"}] == []
            assert [it for it in records if it.levelno >= logging.ERROR] == []
            assert await there.leaks() == []
        finally:
            await there.close()


async def _enter_what_senpay_holds(there: Mall) -> None:
    """It tells no balance: what the owner enters is what is sold from."""
    await there.owner.says("/catat senpay +500rb")
    await there.owner.taps("Ya, catat")
    await there.work()
