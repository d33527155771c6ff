"""Who else works on this database: the first process, and the one bot.

PostgreSQL's advisory locks belong to a connection, so they end with the process, however that ends
(PostgreSQL manual, "Advisory Locks"). On SQLite a lock file keeps a second process out.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Final, Protocol

import psycopg
from psycopg.errors import LockNotAvailable

from storage.database import Unwritable
from storage.patience import ANSWER_WITHIN, PING_EVERY, PatientAsyncConnection, connecting
from storage.postgres import translated

_ALIVE: Final = 0x4C61_7061_6B01  # every process shares it; while the first one enters, it alone
_BOT: Final = 0x4C61_7061_6B02
_AGAIN_AFTER = 1.0  # seconds
_PONG_WITHIN = 5.0  # seconds
_FROZEN_AFTER = 30.0  # seconds
# A bot asks something every few seconds. One that was stopped in the middle keeps its connection,
# and so its lock, for as long as its machine is up (PostgreSQL manual, "pg_locks": a key of 64 bits
# is shown in two halves).
_END_A_FROZEN_BOT: Final = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted
  AND l.classid = :high AND l.objid = :low AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND a.state = 'idle' AND a.state_change < clock_timestamp() - make_interval(secs => :seconds)
"""
_TROUBLE: Final = (psycopg.Error, TimeoutError, OSError)


class Presence(Protocol):
    """This process among those on one database."""

    def entering(self) -> AbstractAsyncContextManager[bool]:
        """Give whether nobody else is here; whoever else comes waits for the end of the block."""

    async def stay(self) -> None:
        """Be seen by those who enter, until cancelled."""

    async def is_the_bot(self) -> None:
        """Return once this process is the one that talks to the chats."""

    async def was_the_bot(self) -> None:
        """Return once it may no longer be: it stops talking at once, and stands by again."""

    async def close(self) -> None:
        """Leave: another process may be the bot now."""


class Alone:
    """The only process on its database."""

    def entering(self) -> AbstractAsyncContextManager[bool]:
        return nullcontext(enter_result=True)

    async def stay(self) -> None:
        await asyncio.Event().wait()

    async def is_the_bot(self) -> None:
        return

    async def was_the_bot(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return


class AmongOthers:
    """One of several processes on a PostgreSQL database, known by the locks of one connection."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._connection: PatientAsyncConnection | None = None

    @asynccontextmanager
    async def entering(self) -> AsyncIterator[bool]:
        """Give whether nobody else is here. Raises ``Unwritable``: the server is away."""
        try:
            connection = await self._connected()
            alone = await _locked(connection, _ALIVE)
            if not alone:
                await _share(connection)
        except _TROUBLE as error:
            raise Unwritable(f"the server does not answer: {error}") from error
        try:
            yield alone
        finally:
            if alone and not connection.closed:
                await _share(connection)
                await connection.execute("SELECT pg_advisory_unlock(%s)", [_ALIVE])

    async def stay(self) -> None:
        while True:
            await self._lost()
            with suppress(*_TROUBLE):
                async with asyncio.timeout(ANSWER_WITHIN):
                    await self._present()
            await asyncio.sleep(_AGAIN_AFTER)

    async def is_the_bot(self) -> None:
        while True:
            with suppress(*_TROUBLE):
                async with asyncio.timeout(ANSWER_WITHIN):
                    connection = await self._present()
                    if await _locked(connection, _BOT):
                        return
                    await connection.execute(translated(_END_A_FROZEN_BOT), _frozen())
            await asyncio.sleep(_AGAIN_AFTER)

    async def was_the_bot(self) -> None:
        await self._lost()

    async def _lost(self) -> None:
        """Return once the connection, and so every lock, is gone."""
        connection = self._connection
        with suppress(*_TROUBLE):
            while connection is not None:
                async for _ in connection.notifies(timeout=PING_EVERY):
                    pass  # nobody notifies us: it is how an end of the connection is heard at once
                async with asyncio.timeout(_PONG_WITHIN):
                    await connection.execute("SELECT 1")
        await self.close()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:  # told, the server is done with it before we return; else some time after
            with suppress(*_TROUBLE):
                async with asyncio.timeout(PING_EVERY):
                    await connection.execute("SELECT pg_advisory_unlock_all()")
        finally:
            await connection.close()

    async def _present(self) -> PatientAsyncConnection:
        """Return the connection of this process; be here again, if it was lost."""
        known = self._connection
        if known is not None and not known.closed:
            return known
        connection = await self._connected()
        await _share(connection)
        return connection

    async def _connected(self) -> PatientAsyncConnection:
        await self.close()
        self._connection = await PatientAsyncConnection.connect(
            self._uri, autocommit=True, **connecting(self._uri)
        )
        return self._connection


def _frozen() -> dict[str, float]:
    return {"high": _BOT >> 32, "low": _BOT & 0xFFFF_FFFF, "seconds": _FROZEN_AFTER}


async def _share(connection: PatientAsyncConnection) -> None:
    """Be one of those here; wait while the first one enters."""
    while True:
        with suppress(LockNotAvailable):  # it takes its time
            await connection.execute("SELECT pg_advisory_lock_shared(%s)", [_ALIVE])
            return


async def _locked(connection: PatientAsyncConnection, lock: int) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [lock])
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
