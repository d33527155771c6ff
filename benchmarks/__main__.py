"""Run benchmarks and print their table: ``make bench``, ``make bench ARGS="P7 --write"``."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from benchmarks import table
from benchmarks.measuring import LEAST_ROUNDS, Benchmark

MODULES: Mapping[str, str] = {
    "P1": "benchmarks.p1_callbacks",
    "P2": "benchmarks.p2_callback_to_chat",
    "P3": "benchmarks.p3_chat",
    "P4": "benchmarks.p4_orders",
    "P5": "benchmarks.p5_waiting",
    "P6": "benchmarks.p6_start",
    "P7": "benchmarks.p7_call_budget",
    "P8": "benchmarks.p8_shelf",
    "P9": "benchmarks.p9_processes",
    "P10": "benchmarks.p10_finding",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 0 when all of it was measured, whether or not a goal was reached."""
    wanted = _parser().parse_args(arguments)
    missing = [name for name in wanted.names if find_spec(MODULES[name]) is None]
    names = wanted.names or [name for name, module in MODULES.items() if find_spec(module)]
    if missing or wanted.rounds < LEAST_ROUNDS:
        fewest = f"at least {LEAST_ROUNDS} rounds"
        _say(f"there is no {MODULES[missing[0]]}" if missing else fewest)
        return 2
    lines: list[str] = []
    for name in dict.fromkeys(names):
        found = asyncio.run(_measured(name, wanted.rounds))
        lines.extend(found)
        if wanted.write:  # at once: the next one may fail
            table.README.write_text(table.written(table.README.read_text("utf-8"), found), "utf-8")
    sys.stdout.write(f"{table.table(lines)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="P7", type=_name, help="all, if none is named")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="%(default)s or more")
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    return parser


def _name(text: str) -> str:
    if text.upper() not in MODULES:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(MODULES)}")
    return text.upper()


async def _measured(name: str, rounds: int) -> list[str]:
    running = asyncio.current_task()
    if running is not None:  # as Ctrl+C does: what a benchmark started ends with it
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    # What a module of that name offers is the one promise of this folder.
    benchmark = cast("Benchmark", import_module(MODULES[name]))
    began = time.monotonic()
    _say(f"{name}: {rounds} rounds")
    rows = await benchmark.measure(rounds, lambda text: _say(f"{name}: {text}"))
    _say(f"{name}: took {time.monotonic() - began:.0f} s")
    return table.lines(name, rows, datetime.now(UTC).date())


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
