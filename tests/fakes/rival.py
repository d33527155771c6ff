"""A rival who comes while our transaction is at an exact statement."""

import asyncio
import concurrent.futures
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from storage.address import Address, PostgresServer
from storage.database import NO_PARAMETERS, Database, Parameters, Row, Transaction
from storage.opening import open_database
from tests.fakes.databases import rows

BLOCKED = """
SELECT 1 AS one FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND wait_event_type = 'Lock' AND wait_event IN ('transactionid', 'tuple')
"""


@dataclass
class Line:
    """A place in our statements where a rival comes, once."""

    at: str = ""
    before: bool = False
    rival: Callable[[], Awaitable[Any]] | None = None
    came: asyncio.Future[Any] | None = None
    rival_wins: bool = False  # it was through before we went on
    _address: Address | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    async def open(self, address: Address) -> Any:
        self._address, self._loop = address, asyncio.get_running_loop()
        return _Watched(await open_database(address), self)

    def passes(self, sql: str, *, before: bool) -> None:
        """Called in the writer's thread."""
        if self.rival is None or before is not self.before or self.at not in sql:
            return
        rival, self.rival = self.rival, None
        assert self._loop is not None

        async def do() -> Any:
            return await rival()

        coming = asyncio.run_coroutine_threadsafe(do(), self._loop)
        self.came = asyncio.wrap_future(coming, loop=self._loop)
        if isinstance(self._address, PostgresServer):
            self.rival_wins = _is_through(coming, self._address)


def _is_through(coming: concurrent.futures.Future[Any], address: Address) -> bool:
    """Wait until the rival is through, or waits for us."""
    for _ in range(1000):
        if coming.done():
            return True
        if rows(address, BLOCKED):
            return False
        time.sleep(0.01)
    raise AssertionError("the rival neither comes through nor waits for us")


class _Watched:
    def __init__(self, database: Database, line: Line) -> None:
        self._database, self._line = database, line

    async def run(self, work: Any) -> Any:
        return await self._database.run(lambda tx: work(_Statements(tx, self._line)))

    async def read(self, work: Any) -> Any:
        return await self._database.read(work)

    def bell(self) -> asyncio.Event:
        return self._database.bell()

    async def close(self) -> None:
        await self._database.close()


class _Statements:
    def __init__(self, tx: Transaction, line: Line) -> None:
        self._tx, self._line = tx, line

    def execute(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> int:
        self._line.passes(sql, before=True)
        touched = self._tx.execute(sql, parameters)
        self._line.passes(sql, before=False)
        return touched

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        for row in rows:
            self.execute(sql, row)

    def fetch(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> Sequence[Row]:
        self._line.passes(sql, before=True)
        found = self._tx.fetch(sql, parameters)
        self._line.passes(sql, before=False)
        return found

    def ring(self) -> None:
        self._tx.ring()
