"""P2: how long a serial number takes from the supplier's callback to the chat, at 200 a second.

From when the request is sent, over loopback, to when the shop hands the message with the serial
number to the chat's sender, which is instant and knows no limits. The shop is one process in all
its roles, with its real web server and the real adapter of ZoneGame, whose other end answers at
once. Its orders were paid, accepted by the supplier and announced before. Each callback is about
another order of another buyer; they come in equal steps, answered or not, from a second process.

The baseline is the same shop, in the same round, with its storage in memory: a SQLite file in
``/dev/shm``, where a sync costs nothing. It is no ``:memory:`` database: nobody can read such a one
beside its writer, so the shop on it would be another program. PostgreSQL has the same baseline,
because what a server costs is part of what is measured.
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
_WARMING_UP: Final = 100  # sent before these, and left out of the waits
_ALL: Final = _WARMING_UP + CALLBACKS
_LOOPBACK: Final = "127.0.0.1"
_MEMORY_FOLDER: Final = Path("/dev/shm")
_ANY_PORT: Final = 8080  # of a page that is not served
_SLUG: Final = "zonegame"
_SKU, _GAME, _ITEM = "FF70", "free-fire", "70 Diamond"
_QUOTE: Final = Quote(listed=10_000, cost=10_000, price=11_000)
_AT_A_TIME: Final = 50  # orders, made in one transaction
_WITHIN: Final = 60.0  # seconds
_BETWEEN_LOOKS: Final = 0.05
_MEMORY, _SQLITE, _POSTGRES = "memory", "SQLite", "PostgreSQL"

Fresh: TypeAlias = Callable[[], AbstractContextManager[Address]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Milliseconds.

    Attributes:
        answered: From the sending of each callback to its 200.
        told: From the sending of each callback to its serial number in the chat.
        used: Processor time of the shop's process for one callback.
        queued: How long its threads waited for a core meanwhile, for one callback.
        late: How late the latest callback was sent.
    """

    answered: Sequence[float]
    told: Sequence[float]
    used: float
    queued: float
    late: float


_Round: TypeAlias = Mapping[str, _Run]
"""By the kind of storage."""


class NotInMemory(Exception):
    """This machine has no folder that lies in memory."""


class NotOnItsWay(Exception):
    """An order is not being delivered, so nobody can tell of it."""


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Tell of as many orders on each kind of storage in turn."""
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
            {kind: await _run(caller, fresh) for kind, fresh in kinds.items()}
            for _ in range(rounds)
        ]
        version = server.version
    _tell(found, say)
    return [*_rows(found, _SQLITE, ""), *_rows(found, _POSTGRES, version)]


def _percentile(nth: int, waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=100, method="inclusive")[nth - 1]


_FIGURES: Final[Mapping[str, tuple[Callable[[_Run], float], Sequence[Goal]]]] = {
    "p50": (lambda run: _percentile(50, run.told), ()),
    "p99": (lambda run: _percentile(99, run.told), (at_most(50, "ms"), ratio_at_most(5))),
    "processor time of the shop": (lambda run: run.used, ()),
}


def _rows(found: Sequence[_Round], kind: str, beside: str) -> Sequence[Measured]:
    return [
        Measured(
            what=f"callback to serial number in the chat on {kind}, {A_SECOND}/s: {words}",
            unit="ms",
            figures=[of(one[kind]) for one in found],
            baselines=[of(one[_MEMORY]) for one in found],
            goals=goals,
            beside=beside,
        )
        for words, (of, goals) in _FIGURES.items()
    ]


def _tell(found: Sequence[_Round], say: Say) -> None:
    """Say where the time went, and how punctual the load was."""
    for kind in found[0]:
        runs = [one[kind] for one in found]
        answered = _median(runs, lambda run: _percentile(99, run.answered))
        told = _median(runs, lambda run: _percentile(99, run.told))
        used, queued = _median(runs, lambda run: run.used), _median(runs, lambda run: run.queued)
        say(f"{kind}: p99 of the chat {told:.1f} ms, of the answer {answered:.1f} ms")
        say(f"{kind}: one used {used:.1f} ms of a core, and waited {queued:.1f} ms for one")
    late = max(run.late for one in found for run in one.values())
    say(f"the latest callback was sent {late:.0f} ms late")


def _median(runs: Sequence[_Run], of: Callable[[_Run], float]) -> float:
    return statistics.median(map(of, runs))


def _sync(folder: Path) -> float:
    """Return how many milliseconds a small write takes there until it is durable."""
    with (folder / "sync").open("wb", buffering=0) as file:
        instants = [time.monotonic()]
        for _ in range(50):
            file.write(bytes(4096))
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


async def _run(caller: Child, fresh: Fresh) -> _Run:
    """Open a shop on fresh storage, and have each of its orders told of."""
    chat = _Chat()
    with fresh() as address, TemporaryDirectory() as folder:
        prepare(address)
        async with _opened(_settings(address, Path(folder)), chat) as (shop, port):
            tells = await _orders_on_their_way(shop, chat)
            used, queued = time.process_time(), _queued()
            said = await caller.asked(
                {"port": port, "key": DEMO_KEY, "a_second": A_SECOND, "tells": tells}, _WITHIN
            )
            async with asyncio.timeout(_WITHIN):
                await chat.all_came.wait()
            used, queued = time.process_time() - used, _queued() - queued
    came = [chat.came[buyer] for buyer in chat.serials]
    return _Run(
        answered=_waits(said["sent"], said["answered"]),
        told=_waits(said["sent"], came),
        used=1000 * used / _ALL,
        queued=1000 * queued / _ALL,
        late=1000 * said["late"],
    )


def _waits(sent: Sequence[float], came: Sequence[float]) -> Sequence[float]:
    # Both processes read the machine's one monotonic clock.
    waits = [1000 * (after - before) for before, after in zip(sent, came, strict=True)]
    return waits[_WARMING_UP:]


def _queued() -> float:
    """Return how many seconds threads of this process were ready and had no core (Linux)."""
    # Nanoseconds on a core, nanoseconds in a queue for one, turns (kernel, "sched-stats.rst").
    told = (task / "schedstat" for task in Path("/proc/self/task").iterdir())
    return sum(int(each.read_text("ascii").split()[1]) for each in told) / 1e9


def _settings(database: Address, folder: Path) -> Settings:
    sells = {"preferred_suppliers": (_SLUG,), "payments": (PaymentMethod.WALLET,)}
    return demo_settings(folder, _ANY_PORT).model_copy(update={**sells, "database": database})


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
    """Answer as ZoneGame; whoever asks about an order hears that it is under way."""
    last = request.url.path.rpartition("/")[2]
    item = {"code": _SKU, "category": "Free Fire", "name": _ITEM, "price": _QUOTE.listed}
    data = {"products": [item], "profile": {"balance": 0}}
    order = {"trx_id": last, "status": "pending", "price": _QUOTE.cost}
    return httpx.Response(200, json={"success": True, "data": data.get(last, order)})


async def _orders_on_their_way(shop: Shop, chat: _Chat) -> Sequence[tuple[str, str]]:
    """Return the references of orders that are being delivered, and the serial numbers to come.

    Their buyers have been told so: nothing is left to do but to wait.
    """
    refs: dict[str, str] = {}
    for first in range(0, _ALL, _AT_A_TIME):
        some = range(_ALL)[first : first + _AT_A_TIME]
        refs |= await shop.keeper.write(partial(_being_delivered, numbers=some, now=shop.clock()))
    chat.serials = {buyer: f"SN{ref}" for buyer, ref in refs.items()}
    async with asyncio.timeout(_WITHIN):
        while True:
            if await shop.keeper.read(_is_quiet):
                return [(ref, chat.serials[buyer]) for buyer, ref in refs.items()]
            await asyncio.sleep(_BETWEEN_LOOKS)


def _is_quiet(books: SqlBooks) -> bool:
    items, _ = books.shelf.stored(_SLUG)
    return bool(items) and not any(books.outbox.waiting().values())


def _being_delivered(books: SqlBooks, *, numbers: Sequence[int], now: Millis) -> dict[str, str]:
    """Place orders, pay them and have them accepted; return the reference of each buyer's."""
    return dict(_accepted(books, nth, now) for nth in numbers)


def _accepted(books: SqlBooks, nth: int, now: Millis) -> tuple[str, str]:
    buyer, account = f"web:{nth}", f"{nth:010}"
    entries.post_own(books, ledger.wallet(buyer), -_QUOTE.price, f"benchmark:{nth}", now)
    wish = ordering.Wish(
        id=f"P2{nth:08}",
        key=f"{buyer}:1",
        address=buyer,
        supplier=_SLUG,
        sku=_SKU,
        game=_GAME,
        item=_ITEM,
        user_id=account,
        server="",
        target=account,
        quote=_QUOTE,
        method=PaymentMethod.WALLET,
    )
    placed = ordering.place(books, wish, now)
    if isinstance(placed, ordering.Declined):
        raise NotOnItsWay(placed.why)
    started = fulfilment.start(books, placed.order, now + LEASE, now)
    pending = TopupReport(state=TopupState.PENDING, cost=_QUOTE.cost, note="status pending")
    accepted = fulfilment.submitted(books, started, pending, now)
    if accepted.attempt is None:
        raise NotOnItsWay(accepted.status)
    return buyer, accepted.attempt.ref
