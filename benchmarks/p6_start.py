"""P6: how soon a shop is ready that has sold 100,000 orders.

From the start of the process to the first 200 of ``/readyz``: the modules are read, the database is
looked over, the price list is fetched, every worker runs. Everything is as an operator has it, but
the price list, and Telegram, are at hand. The file holds what such orders leave behind: history,
pictures, messages, sessions, and the numbers of the updates.

The baseline is the same start on an empty file.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import shop
from benchmarks.children import child
from benchmarks.filled import Filling, empty, fill
from benchmarks.measuring import Measured, Say, at_most, ratio_at_most
from bot.logs import configure_logs
from shop.time import SECOND
from tests.fakes.process import free_port

ORDERS = 100_000
_APART = 60 * SECOND
_WITHIN = 60.0
_BETWEEN_LOOKS = 0.01  # seconds
_QUESTION = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Seconds."""

    full: float
    none: float


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Start on both files in turn."""
    configure_logs("ERROR", "text", ())
    with TemporaryDirectory() as folder:
        full, none = Path(folder, "full.db"), Path(folder, "empty.db")
        await fill(full, Filling(orders=ORDERS, apart=_APART, finished=True))
        empty(none)
        say(f"{ORDERS} orders are in the file")
        async with child("benchmarks.outside") as outside:
            port = int((await outside.said(_WITHIN))["port"])
            await _start(none, port)  # once for the caches of the machine
            found = [
                _Round(none=await _start(none, port), full=await _start(full, port))
                for _ in range(rounds)
            ]
    return [
        Measured(
            what="start to ready, 100,000 orders in the file",
            unit="s",
            figures=[one.full for one in found],
            baselines=[one.none for one in found],
            goals=(at_most(1.5, "s"), ratio_at_most(1.2)),
        )
    ]


async def _start(file: Path, outside: int) -> float:
    """Return how long it takes a shop to be ready; it has stopped then."""
    port = free_port()
    settings = shop.environment(outside=outside, database=f"sqlite:///{file}", port=port)
    began = time.perf_counter()
    async with child("bot", "run", environment=settings), asyncio.timeout(_WITHIN):
        while True:
            if await _is_ready(port):
                return time.perf_counter() - began
            await asyncio.sleep(_BETWEEN_LOOKS)


async def _is_ready(port: int) -> bool:
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(_QUESTION)
            return b" 200 " in await reader.readline()
        finally:
            writer.close()
    return False
