"""LISTEN: news that another process stored rings the bells of this one."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

import psycopg

from storage.patience import ANSWER_WITHIN, PING_EVERY, PatientAsyncConnection, connecting

CHANNEL: Final = "lapak"
_AGAIN_AFTER = 0.5  # seconds


class Doorbell:
    """Hears what other processes tell, on a connection of its own, until it is closed.

    News that came while the connection was lost is made up for by one ring when it is back. ``own``
    are the server's processes that write for us: what they tell is known here.
    """

    def __init__(self, uri: str, ring: Callable[[], None], own: Collection[int] = ()) -> None:
        self._uri = uri
        self._ring = ring
        self._own = own
        self._hearing: asyncio.Task[None] | None = None

    async def hung(self) -> None:
        """Begin to listen. Raises ``psycopg.OperationalError`` if there is no server."""
        connection = await self._connected()
        self._hearing = asyncio.create_task(self._hear(connection), name="doorbell")

    async def close(self) -> None:
        """Stop listening."""
        if self._hearing is not None:
            self._hearing.cancel()
            with suppress(asyncio.CancelledError):
                await self._hearing

    async def _connected(self) -> PatientAsyncConnection:
        connection = await PatientAsyncConnection.connect(
            self._uri, autocommit=True, **connecting(self._uri)
        )
        try:
            await connection.execute(f"LISTEN {CHANNEL}")
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _hear(self, connection: PatientAsyncConnection) -> None:
        while True:
            try:
                await self._listen(connection)
            except (psycopg.Error, TimeoutError, OSError):
                pass
            finally:
                await connection.close()
            connection = await self._reconnected()
            self._ring()

    async def _listen(self, connection: PatientAsyncConnection) -> None:
        while True:
            async for notify in connection.notifies(timeout=PING_EVERY):
                if notify.pid not in self._own:
                    self._ring()
            async with asyncio.timeout(ANSWER_WITHIN):
                await connection.execute("SELECT 1")

    async def _reconnected(self) -> PatientAsyncConnection:
        while True:
            with suppress(psycopg.Error, TimeoutError, OSError):
                return await self._connected()
            await asyncio.sleep(_AGAIN_AFTER)
