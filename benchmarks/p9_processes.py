"""P9: what more worker processes bring on PostgreSQL, in whole orders a second.

As a shop of several processes is run: one is the bot (here it is this process: it takes the turns
of the people who buy, and sends all messages to a chat that is instant), and one, two or four are
``--role worker``. Each worker has its supplier within its own process. Measured twice: with a
supplier that answers at once, where the cores decide, and with one that takes 300 ms for each
answer, as real ones do, where a worker mostly waits, for at most 16 answers at a time.

The baseline is one worker process beside the same bot on the same server, in the same round.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from os import cpu_count, getpid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from benchmarks import instant
from benchmarks.children import Child, child, children_of, cpu_seconds
from benchmarks.measuring import Measured, Say, ratio_at_least
from benchmarks.servers import Server, running_server
from bot.bootstrap import Seams, Shop
from bot.logs import configure_logs
from bot.roles import Role
from storage.address import PostgresServer

AT_ONCE = 96
_COUNTS: Final = (1, 2, 4)
_WITHIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Supplier:
    """How long each answer takes, and how many orders are a round."""

    words: str
    takes: float
    orders: int


_SUPPLIERS: Final = (
    _Supplier(words="supplier instant", takes=0, orders=150),
    _Supplier(words="supplier answers in 300 ms", takes=0.3, orders=120),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Orders a second, and what each kind of process used of a core meanwhile."""

    rate: float
    cores: Mapping[str, float]


_Round: TypeAlias = Mapping[int, Sequence[_Run]]
"""By the number of workers: one run for each supplier."""


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Sell with one, two and four workers in turn, beside a quick supplier and a slow one."""
    configure_logs("ERROR", "text", ())
    with running_server() as server:
        found: list[_Round] = [
            {count: await _sell(server, count) for count in _COUNTS} for _ in range(rounds)
        ]
        version = server.version
    rows = []
    for nth, supplier in enumerate(_SUPPLIERS):
        for count in _COUNTS:
            used = _cores([one[count][nth] for one in found])
            say(f"{supplier.words}, {count} workers: {used}")
            if count > 1:
                rows.append(_row(found, nth, count, f"{version}; used {used}"))
    return rows


def _row(found: Sequence[_Round], nth: int, count: int, beside: str) -> Measured:
    return Measured(
        what=f"whole orders with {count} workers, {_SUPPLIERS[nth].words}",
        unit="orders/s",
        figures=[one[count][nth].rate for one in found],
        baselines=[one[1][nth].rate for one in found],
        goals=(ratio_at_least(1.6),) if count == 2 else (),
        beside=beside,
    )


def _cores(runs: Sequence[_Run]) -> str:
    """Say what the cores did, on average."""
    shares = {kind: sum(run.cores[kind] for run in runs) / len(runs) for kind in runs[0].cores}
    said = ", ".join(f"{kind} {share:.2f}" for kind, share in shares.items())
    return f"{said} of {cpu_count()} cores"


async def _sell(server: Server, count: int) -> Sequence[_Run]:
    """Sell on a fresh database with so many workers."""
    chat = instant.InstantChat()
    runs = []
    with server.database() as address:
        async with _bot(address, chat) as shop, _workers(address, count) as workers:
            for supplier in _SUPPLIERS:
                for worker in workers:
                    await worker.asked({"takes": supplier.takes}, _WITHIN)
                people = [f"web:{supplier.takes}-{nth}" for nth in range(supplier.orders)]
                used = _used(server, workers)
                began = time.perf_counter()
                await instant.buy(shop, chat, people, at_once=AT_ONCE)
                took = time.perf_counter() - began
                # Connections opened meanwhile began with nothing; none is closed here.
                cores = {
                    kind: sum(now - used[kind].get(pid, 0) for pid, now in after.items()) / took
                    for kind, after in _used(server, workers).items()
                }
                runs.append(_Run(rate=supplier.orders / took, cores=cores))
    return runs


def _used(server: Server, workers: Sequence[Child]) -> Mapping[str, Mapping[int, float]]:
    """Return the processor time used so far, of each process of each kind."""
    pids = {
        "bot and people": [getpid()],
        "workers": [worker.pid for worker in workers],
        "PostgreSQL": children_of(server.pid),
    }
    return {kind: {pid: cpu_seconds(pid) for pid in of_kind} for kind, of_kind in pids.items()}


@asynccontextmanager
async def _bot(address: PostgresServer, chat: instant.InstantChat) -> AsyncIterator[Shop]:
    with TemporaryDirectory() as folder:
        settings = instant.settings_on(address, Path(folder))
        seams = Seams(senders={"web": chat})
        async with instant.working_shop(settings, seams, frozenset({Role.BOT})) as shop:
            yield shop


@asynccontextmanager
async def _workers(address: PostgresServer, count: int) -> AsyncIterator[Sequence[Child]]:
    """Run so many workers, from when all of them are ready."""
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(child("benchmarks.worker", address.uri))
            for _ in range(count)
        ]
        for worker in started:
            await worker.said(_WITHIN)
        yield started
