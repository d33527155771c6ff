"""Processes that a benchmark starts: they speak JSON lines, and are gone when it ends."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
_LONGEST_LINE = 1 << 24  # bytes
_FAREWELL = 10.0  # seconds to end when told to


class ChildFailed(Exception):
    """A process of the benchmark ended early, or said something else than was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A Python process of ours. What it prints are JSON objects, one a line."""

    process: asyncio.subprocess.Process
    name: str

    @property
    def pid(self) -> int:
        return self.process.pid

    async def asked(self, question: Mapping[str, Any], within: float) -> dict[str, Any]:
        """Ask for something and return the answer. Raises ``ChildFailed``."""
        if self.process.stdin is None:
            raise ChildFailed(f"{self.name} has no input")
        self.process.stdin.write(f"{json.dumps(question)}\n".encode())
        await self.process.stdin.drain()
        return await self.said(within)

    async def said(self, within: float) -> dict[str, Any]:
        """Return the next object that it prints. Raises ``ChildFailed`` if none comes."""
        if self.process.stdout is None:
            raise ChildFailed(f"{self.name} has no output")
        try:
            async with asyncio.timeout(within):
                line = await self.process.stdout.readline()
        except TimeoutError:
            raise ChildFailed(f"{self.name} said nothing within {within:g} s") from None
        if not line:
            raise ChildFailed(f"{self.name} ended with {await self.process.wait()}")
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ChildFailed(f"{self.name} said {line[:80]!r}")
        return found


@asynccontextmanager
async def child(
    module: str,
    *arguments: str,
    cores: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Child]:
    """Run ``python -m module``, on these cores only; it has ended at the end.

    It is told to end, and killed if it does not.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        keep_to(cores, process.pid)
        yield Child(process=process, name=module)
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    for end in (process.terminate, process.kill):
        with suppress(ProcessLookupError):
            end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await process.communicate()
        if process.returncode is not None:
            return


def keep_to(cores: Sequence[int], pid: int = 0) -> None:
    """Keep a process, and all it starts from now on, to these cores, where that can be done."""
    wanted = set(cores) & (os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set())
    if wanted:
        os.sched_setaffinity(pid, wanted)


def two_cores() -> tuple[Sequence[int], Sequence[int]]:
    """Return a core for what is measured and another for its load; none if there is only one."""
    if not hasattr(os, "sched_getaffinity"):
        return (), ()
    first, *others = sorted(os.sched_getaffinity(0))
    return ([first], [others[0]]) if others else ((), ())


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used so far, all its threads together (Linux)."""
    # Field 2 is the name in brackets, which may hold blanks (proc_pid_stat(5)).
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_megabytes(pid: int) -> float:
    """Return how much memory a process has in RAM (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ChildFailed(f"process {pid} has ended")


def children_of(pid: int) -> Sequence[int]:
    """Return the processes that a process has started and that still run (Linux)."""
    told = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in told.read_text("ascii").split()]
