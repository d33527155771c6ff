"""What a shop writes: noted down, statement by statement, to be written again without the shop."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from storage.database import NO_PARAMETERS, Database, Parameters, Row, Transaction, Work

T = TypeVar("T")
Statement = tuple[str, Parameters]
Writes = Sequence[Statement]
"""What one transaction wrote."""


@dataclass(slots=True)
class Journal:
    """Every transaction that wrote something, in order."""

    transactions: list[Writes] = field(default_factory=list)

    def by_order(self) -> Sequence[Sequence[Writes]]:
        """Return the transactions of each order, in order; the few that are of none are dealt out.

        What belongs to an order names it, or its buyer. A transaction of several orders is taken
        apart: each of them has one.
        """
        buyers = {
            str(row["id"]): str(row["address"])
            for writes in self.transactions
            for sql, row in writes
            if "INSERT INTO orders" in sql
        }
        found: dict[str, list[Writes]] = {address: [] for address in buyers.values()}
        others: list[Writes] = []
        for writes in self.transactions:
            parts = _parted(writes, buyers, found.keys())
            for address, part in parts.items():
                (found[address] if address else others).append(part)
        orders = list(found.values())
        for nth, writes in enumerate(others):
            orders[nth % len(orders)].append(writes)
        return orders


def _parted(
    writes: Writes, buyers: Mapping[str, str], addresses: Collection[str]
) -> Mapping[str, Writes]:
    """Return what was written for each buyer; what names nobody goes with what stands before it."""
    parts: dict[str, list[Statement]] = {}
    address = ""
    for sql, row in writes:
        named = row.get("address", "")
        known = buyers.get(str(row.get("order_id") or row.get("id") or ""))
        address = known or (str(named) if named in addresses else address)
        parts.setdefault(address, []).append((sql, row))
    return parts


class NotingDatabase(Database):
    """A database that notes in a journal what is written through it."""

    def __init__(self, inner: Database, journal: Journal) -> None:
        self._inner = inner
        self._journal = journal

    async def run(self, work: Work[T]) -> T:
        noted: list[Statement] = []

        def noting(tx: Transaction) -> T:
            noted.clear()  # it may be run more than once
            return work(_Noting(tx, noted))

        result = await self._inner.run(noting)
        if noted:
            self._journal.transactions.append(tuple(noted))
        return result

    async def read(self, work: Work[T]) -> T:
        return await self._inner.read(work)

    def bell(self) -> asyncio.Event:
        return self._inner.bell()

    def ring(self) -> None:
        self._inner.ring()

    async def close(self) -> None:
        await self._inner.close()


class _Noting:
    """A transaction that notes what touched a row."""

    def __init__(self, tx: Transaction, noted: list[Statement]) -> None:
        self._tx = tx
        self._noted = noted

    def execute(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> int:
        touched = self._tx.execute(sql, parameters)
        if touched:
            self._noted.append((sql, parameters))
        return touched

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        for row in rows:
            self.execute(sql, row)

    def fetch(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> Sequence[Row]:
        return self._tx.fetch(sql, parameters)

    def ring(self) -> None:
        self._tx.ring()


async def write_again(
    database: Database, orders: Sequence[Sequence[Writes]], *, at_once: int
) -> None:
    """Write all that again, so many orders at a time, each transaction after the one before."""
    places = asyncio.Semaphore(at_once)

    async def write(transactions: Sequence[Writes]) -> None:
        async with places:
            for writes in transactions:
                await database.run(partial(_write, writes=writes))

    async with asyncio.TaskGroup() as tasks:
        for transactions in orders:
            tasks.create_task(write(transactions))


def _write(tx: Transaction, *, writes: Writes) -> None:
    for sql, parameters in writes:
        tx.execute(sql, parameters)
