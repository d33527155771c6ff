"""P4: whole orders a second, from "Bayar" to the message that the goods have come.

The shop's own conversation, use cases, workers and database; only the supplier and the chat are
played, in this process, and answer at once. The supplier does not count calls.

The baseline writes the very same rows, statement by statement as the shop wrote them, in the same
transactions (state is committed before the outside world is touched, so there have to be several),
through the same database and for as many orders at a time. It reads nothing, decides nothing and
sends nothing. What a program would reach that could write an order down in a single transaction is
told beside it: nobody can sell safely that way.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import instant
from benchmarks.measuring import Measured, Say, ratio_at_least
from benchmarks.rows import Journal, NotingDatabase, Writes, write_again
from benchmarks.servers import running_server
from bot.bootstrap import Seams
from bot.logs import configure_logs
from storage.address import Address, SqliteFile
from storage.database import Database, Transaction
from storage.opening import migrate, open_database, prepare

ORDERS = 400
AT_ONCE = 64
_TABLES = (
    "orders",
    "order_events",
    "invoices",
    "payments",
    "entries",
    "postings",
    "pictures",
    "outbox",
    "shown",
    "charges",
)

Fresh = Callable[[], AbstractContextManager[Address]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Orders a second."""

    shop: float
    rows: float
    at_one_blow: float


class OtherRows(Exception):
    """What was written again is not what the shop had written."""


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Sell on a SQLite file and on PostgreSQL."""
    configure_logs("ERROR", "text", ())
    with TemporaryDirectory() as folder:
        rows = await _rows(rounds, say, _files(Path(folder)), "SQLite", "")
    with running_server() as server:
        return [
            *rows,
            *await _rows(rounds, say, server.database, "PostgreSQL", server.version),
        ]


async def _rows(rounds: int, say: Say, fresh: Fresh, kind: str, beside: str) -> list[Measured]:
    orders = await _noted(fresh)
    transactions = sum(map(len, orders)) / len(orders)
    statements = sum(len(writes) for one in orders for writes in one) / len(orders)
    say(f"{kind}: an order is {statements:.0f} written rows in {transactions:.0f} transactions")
    found = [await _round(fresh, orders) for _ in range(rounds)]
    return [
        Measured(
            what=f"whole orders on {kind}",
            unit="orders/s",
            figures=[one.shop for one in found],
            baselines=[one.rows for one in found],
            goals=(ratio_at_least(0.3),),
            beside=beside,
        ),
        Measured(
            what=f"whole orders on {kind}, beside rows written in one transaction an order",
            unit="orders/s",
            figures=[one.shop for one in found],
            baselines=[one.at_one_blow for one in found],
            beside=beside,
        ),
    ]


def _files(folder: Path) -> Fresh:
    @contextmanager
    def fresh() -> Iterator[Address]:
        address = SqliteFile(path=folder / "lapak.db")
        migrate(address)
        try:
            yield address
        finally:
            for part in folder.iterdir():
                part.unlink()

    return fresh


async def _noted(fresh: Fresh) -> Sequence[Sequence[Writes]]:
    """Return what the shop writes for each of so many orders, and see that it can be repeated."""
    journal = Journal()

    async def noting(address: Address) -> Database:
        return NotingDatabase(await open_database(address), journal)

    with fresh() as address:
        await _sell(address, Seams(database=noting))
        sold = await _counted(address)
    orders = journal.by_order()
    with fresh() as address:
        async with _opened(address) as database:
            await write_again(database, orders, at_once=AT_ONCE)
        if (again := await _counted(address)) != sold:
            raise OtherRows(f"{again}, not {sold}")
    return orders


async def _round(fresh: Fresh, orders: Sequence[Sequence[Writes]]) -> _Round:
    at_one_blow = [[[each for writes in one for each in writes]] for one in orders]
    with fresh() as address:
        before = await _rewrite(address, orders)
    with fresh() as address:
        shop = await _sell(address, Seams())
    with fresh() as address:
        after = await _rewrite(address, orders)
    with fresh() as address:
        blow = await _rewrite(address, at_one_blow)
    return _Round(shop=ORDERS / shop, rows=2 * ORDERS / (before + after), at_one_blow=ORDERS / blow)


async def _sell(address: Address, seams: Seams) -> float:
    """Return how many seconds it took to sell all."""
    chat = instant.InstantChat()
    seams = replace(seams, senders={"web": chat})
    people = [f"web:p{nth}" for nth in range(ORDERS)]
    with TemporaryDirectory() as folder:
        settings = instant.settings_on(address, Path(folder))
        prepare(address)
        async with instant.working_shop(settings, seams) as shop:
            return await _timed(lambda: instant.buy(shop, chat, people, at_once=AT_ONCE))


async def _rewrite(address: Address, orders: Sequence[Sequence[Writes]]) -> float:
    async with _opened(address) as database:
        return await _timed(lambda: write_again(database, orders, at_once=AT_ONCE))


@asynccontextmanager
async def _opened(address: Address) -> AsyncIterator[Database]:
    database = await open_database(address)
    try:
        yield database
    finally:
        await database.close()


async def _counted(address: Address) -> dict[str, int]:
    async with _opened(address) as database:
        return await database.read(_count)


def _count(tx: Transaction) -> dict[str, int]:
    return {table: int(tx.fetch(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"]) for table in _TABLES}


async def _timed(act: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began
