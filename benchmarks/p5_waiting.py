"""P5: what 10,000 open QRs cost a shop that waits for their payments.

The shop is a whole ``lapak run`` on a SQLite file, with ZulTopup's call budget: about once a second
it asks about one of them, and hears that nobody has paid. All are due: it has just been started.

The baseline is the same shop on an empty file. Both run side by side, and are looked at together.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import shop
from benchmarks.children import Child, child, cpu_seconds, resident_megabytes
from benchmarks.filled import Filling, counted, empty, fill
from benchmarks.measuring import Measured, Say, at_most
from bot.logs import configure_logs
from shop.time import SECOND
from tests.fakes.process import answers, free_port

ORDERS = 10_000
_OPENED_WITHIN = 480 * SECOND
_LOOKS_FOR = 8.0  # seconds of each round
_SETTLES_IN = 5.0  # seconds, after which starting is over
_WITHIN = 30.0


class Gone(Exception):
    """The orders did not wait until the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A process during one round: hundredths of a core, and megabytes at its end."""

    busy: float
    memory: float


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Look at both for so many rounds."""
    configure_logs("ERROR", "text", ())
    with TemporaryDirectory() as folder:
        full, none = Path(folder, "full.db"), Path(folder, "empty.db")
        filling = Filling(orders=ORDERS, apart=_OPENED_WITHIN // ORDERS, finished=False)
        await fill(full, filling)
        empty(none)
        async with _side_by_side([full, none]) as (waiting, idle):
            await asyncio.sleep(_SETTLES_IN)
            pairs = [await _look([waiting, idle]) for _ in range(rounds)]
        if (left := counted(full, "awaiting_payment")) != ORDERS:
            raise Gone(f"{left} of {ORDERS} are left")
    say(f"{ORDERS} orders waited to the end")
    return [
        Measured(
            what="memory more with 10,000 open orders waiting",
            unit="MB",
            figures=[waiting.memory - idle.memory for waiting, idle in pairs],
            goals=(at_most(80, "MB"),),
        ),
        Measured(
            what="processor time with 10,000 open orders waiting",
            unit="% of a core",
            figures=[waiting.busy for waiting, _ in pairs],
            goals=(at_most(2, "% of a core"),),
        ),
        Measured(
            what="processor time with none",
            unit="% of a core",
            figures=[idle.busy for _, idle in pairs],
        ),
    ]


@asynccontextmanager
async def _side_by_side(files: Sequence[Path]) -> AsyncIterator[Sequence[Child]]:
    """Run a shop on each of these files, from when it is ready."""
    async with AsyncExitStack() as stack:
        outside = await stack.enter_async_context(child("benchmarks.outside"))
        port = int((await outside.said(_WITHIN))["port"])
        shops = []
        for nth, file in enumerate(files):
            settings = shop.environment(
                outside=port,
                database=f"sqlite:///{file}",
                port=free_port(),
                token=f"{nth + 1}:{shop.TOKEN.partition(':')[2]}",
            )
            running = child("benchmarks.shop", environment=settings)
            shops.append(await stack.enter_async_context(running))
            await answers(f"http://127.0.0.1:{settings['LAPAK_PORT']}/readyz")
        yield shops


async def _look(shops: Sequence[Child]) -> Sequence[_Look]:
    before = [cpu_seconds(each.pid) for each in shops]
    await asyncio.sleep(_LOOKS_FOR)
    return [
        _Look(
            busy=100 * (cpu_seconds(each.pid) - used) / _LOOKS_FOR,
            memory=resident_megabytes(each.pid),
        )
        for each, used in zip(shops, before, strict=True)
    ]
