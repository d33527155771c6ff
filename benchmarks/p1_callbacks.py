"""P1: how many callbacks a second are received, proved, read, stored durably and answered with 200.

ZoneGame's callbacks, each another one, 64 in flight over as many connections that are kept, to the
web part of a shop: on a SQLite file and on PostgreSQL, every commit synced, and on a SQLite file
with many old orders in it, of which each once brought a callback. Who takes in what was stored is
another part of the shop, and does not run.

The baseline is an aiohttp handler that only checks the signature. The old orders' is the same shop
on a file that was empty: to show whether it becomes slower with the years. All servers have one
core to themselves, of which only one is asked at a time; what asks is on another one.

``BENCH_OLD_ORDERS`` in the environment says how many old orders there are (the goal speaks of
1,000,000: 8 GB, and some minutes to make them).
"""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import shop
from benchmarks.children import Child, child, cpu_seconds, two_cores
from benchmarks.filled import Filling, empty, fill
from benchmarks.measuring import Measured, Say, ratio_at_least
from benchmarks.servers import running_server
from bot.logs import configure_logs
from shop.time import SECOND
from storage.sqlite import connect
from tests.fakes.process import answers, free_port

CALLBACKS: Final = 5_000  # in each of the two halves of a round
IN_FLIGHT: Final = 64
OLD_ORDERS: Final = int(os.environ.get("BENCH_OLD_ORDERS", "100000"))
_KEY: Final = "signing-key-0123456789"
_WARMING_UP: Final = 1_000
_APART: Final = 60 * SECOND
_WITHIN: Final = 150.0  # seconds
_TOO_BUSY: Final = 0.85  # of its core: from here on the load might be what is measured
_BARE, _SQLITE, _POSTGRES, _OLD = "the bare handler", "SQLite", "PostgreSQL", "the old file"


class LoadTooSlow(Exception):
    """The process that plays the supplier was as busy as what it measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Seconds; and the share of them that the server, and the caller, used of a core."""

    seconds: float
    server: float
    caller: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """A server that takes callbacks."""

    process: Child
    port: int
    numbers: "count[int]" = field(default_factory=lambda: count(0, CALLBACKS))


_Round = Mapping[str, Sequence[_Run]]
"""By the name of the server: its two halves of the round."""


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Bring callbacks to each server in turn, and in every round once more in reverse order."""
    configure_logs("ERROR", "text", ())
    with TemporaryDirectory() as folder, running_server() as server, server.database() as database:
        files = {_SQLITE: Path(folder, "empty.db"), _OLD: Path(folder, "old.db")}
        empty(files[_SQLITE])
        await _fill(files[_OLD])
        say(f"{OLD_ORDERS} orders are in the file")
        addresses = {name: f"sqlite:///{path}" for name, path in files.items()}
        async with _opened({**addresses, _POSTGRES: database.uri}) as (caller, doors):
            for door in doors.values():
                await _run(caller, door, _WARMING_UP)
            found = [await _round(caller, doors) for _ in range(rounds)]
        version = server.version
    _judge_load(found, say)
    beside_old = f"callbacks stored beside {OLD_ORDERS:,} old orders"
    return [
        *_rows(found, _SQLITE, _BARE, _Row(what="callbacks stored on SQLite", least=0.5)),
        *_rows(
            found,
            _POSTGRES,
            _BARE,
            _Row(what="callbacks stored on PostgreSQL", least=0.5, beside=version),
        ),
        *_rows(found, _OLD, _SQLITE, _Row(what=beside_old, least=0.95)),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What a row says, and the ratio that is asked of it."""

    what: str
    least: float
    beside: str = ""


def _rows(found: Sequence[_Round], ours: str, its: str, row: _Row) -> Sequence[Measured]:
    """Return a row by the clock, and one by processor time, which neighbours disturb less."""
    ways = {row.what: _rate, f"{row.what}, a second of processor time": _rate_of_work}
    return [
        Measured(
            what=what,
            unit="callbacks/s",
            figures=[rate(one[ours]) for one in found],
            baselines=[rate(one[its]) for one in found],
            goals=(ratio_at_least(row.least),),
            beside=row.beside,
        )
        for what, rate in ways.items()
    ]


def _rate(halves: Sequence[_Run]) -> float:
    return CALLBACKS * len(halves) / sum(half.seconds for half in halves)


def _rate_of_work(halves: Sequence[_Run]) -> float:
    return CALLBACKS * len(halves) / sum(half.server * half.seconds for half in halves)


def _judge_load(found: Sequence[_Round], say: Say) -> None:
    """Say what the cores did. Raises ``LoadTooSlow``."""
    for name in found[0]:
        used = 1e6 / _rate_of_work([half for one in found for half in one[name]])
        say(f"{name}: {used:.0f} µs of processor time for a callback")
    busiest = max(half.caller for one in found for halves in one.values() for half in halves)
    say(f"the caller used at most {busiest:.0%} of its core")
    if busiest > _TOO_BUSY:
        raise LoadTooSlow(f"{busiest:.0%} of a core")


async def _round(caller: Child, doors: Mapping[str, _Door]) -> _Round:
    order = [*doors, *reversed([*doors])]
    runs = [(name, await _run(caller, doors[name], CALLBACKS)) for name in order]
    return {name: [run for other, run in runs if other == name] for name in doors}


async def _run(caller: Child, door: _Door, callbacks: int) -> _Run:
    question = {
        "port": door.port,
        "key": _KEY,
        "first": next(door.numbers),
        "callbacks": callbacks,
        "in_flight": IN_FLIGHT,
    }
    used = cpu_seconds(door.process.pid)
    found = await caller.asked(question, _WITHIN)
    used = cpu_seconds(door.process.pid) - used
    seconds = found["seconds"]
    return _Run(seconds=seconds, server=used / seconds, caller=found["busy"])


@asynccontextmanager
async def _opened(
    databases: Mapping[str, str],
) -> AsyncIterator[tuple[Child, Mapping[str, _Door]]]:
    """Run the caller, the bare handler, and the web part of a shop on each of these databases."""
    ours, others = two_cores()
    async with AsyncExitStack() as stack:
        caller = await stack.enter_async_context(child("benchmarks.callers", cores=others))
        await caller.said(_WITHIN)
        port = free_port()
        bare = child("benchmarks.bare_handler", str(port), _KEY, cores=ours)
        doors = {_BARE: _Door(process=await stack.enter_async_context(bare), port=port)}
        for name, database in databases.items():
            port = free_port()
            settings = shop.environment(outside=port, database=database, port=port)
            settings["ZONEGAME_API_KEY"] = _KEY
            web = child("benchmarks.web_role", cores=ours, environment=settings)
            doors[name] = _Door(process=await stack.enter_async_context(web), port=port)
        for door in doors.values():
            await answers(f"http://127.0.0.1:{door.port}/healthz")
        yield caller, doors


# Digests have no order, so what is new comes anywhere among them.
_TOLD: Final = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)
INSERT INTO inbox (supplier, digest, trust, method, query, body, received_at, due_at)
SELECT 'zonegame', lower(hex(randomblob(32))), 'proof', 'POST', '', '', n * :apart, NULL
FROM numbers
"""


async def _fill(path: Path) -> None:
    await fill(path, Filling(orders=OLD_ORDERS, apart=_APART, finished=True))
    with closing(connect(str(path))) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # of this connection, which nobody will miss
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_TOLD, {"many": OLD_ORDERS, "apart": _APART})
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
