"""P2: how long a serial number takes from the supplier's callback to the chat, at 200 a second.

From when the request is sent, over loopback, to when the shop hands the message with the serial
number to the chat's sender, which is instant. The shop is one process in all its roles, with its
real web server and ZoneGame's real adapter (played by hand below it, at once); its orders are paid,
accepted by the supplier and announced beforehand. Each callback is about another order of another
buyer. They come in equal steps, answered or not, from a second process.

The baseline is the same shop in the same round with its storage in memory: the same engine, on a
SQLite file that lies in ``/dev/shm``, where a sync costs nothing and no disk is touched. It is no
``:memory:`` database: that has no second connection to read beside the writer with, so it would be
another program. PostgreSQL has the same baseline: what a server costs is part of what is measured.
"""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import httpx

from benchmarks.children import Child, child
from benchmarks.measuring import Goal, Measured, Say, at_most, ratio_at_most
from benchmarks.servers import running_server
from bot.bootstrap import Seams, Shop, opened_shop
from bot.conversation.views import View
from bot.front import parts_of
from bot.logs import configure_logs
from bot.roles import EVERY_ROLE, Running
from bot.settings import Settings, demo_settings
from bot.settings.table import DEMO_KEY
from shop import entries, fulfilment, ledger, ordering
from shop.calls import LEASE
from shop.orders import Order
from shop.payments import PaymentMethod
from shop.pricing import Quote
from shop.suppliers import TopupReport, TopupState
from shop.time import Millis
from storage.address import Address, SqliteFile
from storage.books import SqlBooks
from storage.opening import migrate, prepare
from webhook_server.app import build_app, serve

CALLBACKS: Final = 600
A_SECOND: Final = 200
_WARMING_UP: Final = 100  # sent before these, and not counted
_LOOPBACK: Final = "127.0.0.1"
_MEMORY_FOLDER: Final = Path("/dev/shm")
_ANY_PORT: Final = 8080  # of a page that is not served
_SLUG: Final = "zonegame"
_QUOTE: Final = Quote(listed=10_000, cost=10_000, price=11_000)
_AT_A_TIME: Final = 50  # orders, made in one transaction
_READY_WITHIN: Final = 60.0  # seconds
_WITHIN: Final = 60.0
_BETWEEN_LOOKS: Final = 0.05
_MEMORY, _SQLITE, _POSTGRES = "memory", "SQLite", "PostgreSQL"

Fresh: TypeAlias = Callable[[], AbstractContextManager[Address]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waits:
    """Milliseconds from when a callback was sent, of all but the first ones."""

    answered: Sequence[float]
    told: Sequence[float]
    late: float  # the callback that was sent latest


_Round: TypeAlias = Mapping[str, _Waits]
"""By the kind of storage."""


class NotInMemory(Exception):
    """This machine shows no file system that lies in memory."""


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Tell of the same number of orders on each kind of storage in turn."""
    configure_logs("ERROR", "text", ())
    if not _MEMORY_FOLDER.is_dir():
        raise NotInMemory(f"there is no {_MEMORY_FOLDER}")
    async with AsyncExitStack() as stack:
        memory = Path(stack.enter_context(TemporaryDirectory(dir=_MEMORY_FOLDER)))
        disk = Path(stack.enter_context(TemporaryDirectory()))
        say(f"a sync takes {_sync(disk):.2f} ms on the disk, {_sync(memory):.3f} ms in memory")
        server = stack.enter_context(running_server())
        caller = await stack.enter_async_context(child("benchmarks.steady_callers"))
        await caller.said(_WITHIN)
        kinds: Mapping[str, Fresh] = {
            _MEMORY: partial(_file, memory),
            _SQLITE: partial(_file, disk),
            _POSTGRES: server.database,
        }
        found: list[_Round] = [
            {kind: await _told(caller, fresh) for kind, fresh in kinds.items()}
            for _ in range(rounds)
        ]
        version = server.version
    _tell(found, say)
    return [*_rows(found, _SQLITE, ""), *_rows(found, _POSTGRES, version)]


def _rows(found: Sequence[_Round], kind: str, beside: str) -> Sequence[Measured]:
    goals: Mapping[int, Sequence[Goal]] = {50: (), 99: (at_most(50, "ms"), ratio_at_most(5))}
    return [
        Measured(
            what=f"callback to serial number in the chat on {kind}, {A_SECOND}/s, p{nth}",
            unit="ms",
            figures=[_percentile(one[kind].told, nth) for one in found],
            baselines=[_percentile(one[_MEMORY].told, nth) for one in found],
            goals=wanted,
            beside=beside,
        )
        for nth, wanted in goals.items()
    ]


def _percentile(waits: Sequence[float], nth: int) -> float:
    return statistics.quantiles(waits, n=100, method="inclusive")[nth - 1]


def _tell(found: Sequence[_Round], say: Say) -> None:
    """Say what part of it the answer to the callback is, and how punctual the load was."""
    for kind in found[0]:
        answered, told = (
            "/".join(
                f"{statistics.median(_percentile(getattr(one[kind], what), nth) for one in found):.1f}"
                for nth in (50, 99)
            )
            for what in ("answered", "told")
        )
        say(f"{kind}: answered after {answered} ms (p50/p99), in the chat after {told} ms")
    late = max(each.late for one in found for each in one.values())
    say(f"the latest callback was sent {late:.0f} ms late")


def _sync(folder: Path) -> float:
    """Return the milliseconds that a small write takes until it is durable there."""
    with (folder / "sync").open("wb", buffering=0) as file:
        instants = [time.monotonic()]
        for _ in range(50):
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            instants.append(time.monotonic())
    return 1000 * statistics.median(after - before for before, after in pairwise(instants))


@contextmanager
def _file(folder: Path) -> Iterator[Address]:
    with TemporaryDirectory(dir=folder) as inner:
        address = SqliteFile(path=Path(inner, "lapak.db"))
        migrate(address)
        yield address


# --- one run --------------------------------------------------------------------------------------


class _Chat:
    """Shows nothing to nobody; notes when it was handed the serial number that a buyer awaits."""

    edits = True

    def __init__(self) -> None:
        self.serials: dict[str, str] = {}
        self.came: dict[str, float] = {}
        self.all_came = asyncio.Event()

    async def send(self, address: str, view: View, key: str) -> str:
        if view.copy and view.copy == self.serials.get(address):
            self.came.setdefault(address, time.monotonic())
            if len(self.came) == len(self.serials):
                self.all_came.set()
        return key

    async def edit(self, address: str, message_id: str, view: View) -> None:
        return


async def _told(caller: Child, fresh: Fresh) -> _Waits:
    """Open a shop on fresh storage, and have each of its orders told of."""
    chat = _Chat()
    with fresh() as address, TemporaryDirectory() as folder:
        settings = _settings(address, Path(folder))
        prepare(address)
        async with _opened(settings, chat) as (shop, port):
            tells = await _orders_on_their_way(shop, chat)
            question = {"port": port, "key": DEMO_KEY, "a_second": A_SECOND, "tells": tells}
            said = await caller.asked(question, _WITHIN)
            async with asyncio.timeout(_WITHIN):
                await chat.all_came.wait()
    came = [chat.came[buyer] for buyer in chat.serials]
    return _Waits(
        answered=_waits(said["sent"], said["answered"]),
        told=_waits(said["sent"], came),
        late=1000 * said["late"],
    )


def _waits(sent: Sequence[float], came: Sequence[float]) -> Sequence[float]:
    # Both processes read the one monotonic clock of the machine.
    waits = [1000 * (after - before) for before, after in zip(sent, came, strict=True)]
    return waits[_WARMING_UP:]


def _settings(database: Address, folder: Path) -> Settings:
    changes = {"database": database, "payments": (PaymentMethod.WALLET,)}
    return demo_settings(folder, _ANY_PORT, suppliers=(_SLUG,)).model_copy(update=changes)


@asynccontextmanager
async def _opened(settings: Settings, chat: _Chat) -> AsyncIterator[tuple[Shop, int]]:
    """Run the whole shop; give it, and the port that it listens on."""
    seams = Seams(senders={"web": chat}, client=_instant_client)
    async with opened_shop(settings, seams) as shop:
        running, stop = Running(shop, EVERY_ROLE), asyncio.Event()
        app = build_app(checks=running.checks(), parts=parts_of(shop, settings))
        working = asyncio.create_task(running.until(stop))
        try:
            async with serve(app, _LOOPBACK, 0) as port:
                yield shop, port
        finally:
            stop.set()
            await working


def _instant_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(_answer))


def _answer(request: httpx.Request) -> httpx.Response:
    """Answer as ZoneGame, whose goods take a while: no question ever finds an order delivered."""
    last = request.url.path.rpartition("/")[2]
    rows = [{"code": "FF70", "category": "Free Fire", "name": "70 Diamond", "price": 10_000}]
    said = {"products": rows, "profile": {"balance": 0}}
    about = {"trx_id": last, "status": "pending", "price": _QUOTE.cost}
    return httpx.Response(200, json={"success": True, "data": said.get(last, about)})


async def _orders_on_their_way(shop: Shop, chat: _Chat) -> Sequence[tuple[str, str]]:
    """Return reference and serial number to come of orders whose buyers were told they are paid."""
    numbers, orders = range(_WARMING_UP + CALLBACKS), list[Order]()
    for first in numbers[::_AT_A_TIME]:
        some = numbers[first : first + _AT_A_TIME]
        now = shop.clock()
        orders += await shop.keeper.write(
            lambda books, some=some, now=now: [_being_delivered(books, nth, now) for nth in some]
        )
    async with asyncio.timeout(_READY_WITHIN):
        while await shop.keeper.read(_is_busy):
            await asyncio.sleep(_BETWEEN_LOOKS)
    chat.serials = {order.address: f"SN{order.id}" for order in orders}
    return [(_ref(order), chat.serials[order.address]) for order in orders]


def _ref(order: Order) -> str:
    if order.attempt is None:
        raise LookupError(order.id)
    return order.attempt.ref


def _is_busy(books: SqlBooks) -> bool:
    items, _ = books.shelf.stored(_SLUG)
    return not items or sum(books.outbox.waiting().values()) > 0


def _being_delivered(books: SqlBooks, nth: int, now: Millis) -> Order:
    """Return a new order that was paid from its buyer's wallet and accepted by the supplier."""
    buyer, account = f"web:{nth}", f"{nth:010}"
    entries.post_own(books, ledger.wallet(buyer), -_QUOTE.price, f"benchmark:{nth}", now)
    wish = ordering.Wish(
        id=f"P2{nth:08}",
        key=f"{buyer}:1",
        address=buyer,
        supplier=_SLUG,
        sku="FF70",
        game="free-fire",
        item="70 Diamond",
        user_id=account,
        server="",
        target=account,
        quote=_QUOTE,
        method=PaymentMethod.WALLET,
    )
    placed = ordering.place(books, wish, now)
    if not isinstance(placed, ordering.Placed):
        raise TypeError(f"not placed: {placed}")
    started = fulfilment.start(books, placed.order, now + LEASE, now)
    accepted = TopupReport(state=TopupState.PENDING, cost=_QUOTE.cost, note="status pending")
    return fulfilment.submitted(books, started, accepted, now)
