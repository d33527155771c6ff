"""Real ``lapak`` processes, started by tests and ended by their ids."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

ROOT = Path(__file__).parent.parent.parent


class Process:
    """One running program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.output = ""
        self._reading = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.returncode

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.output += line.decode(errors="replace")

    async def ended(self, within: float = 30) -> int:
        """The exit code, once it has ended by itself."""
        async with asyncio.timeout(within):
            code = await self._process.wait()
            await self._reading
        return code

    async def says(self, part: str, within: float = 30) -> None:
        """Wait until it has printed ``part``."""
        async with asyncio.timeout(within):
            while part not in self.output:
                if self._reading.done():
                    raise AssertionError(f"{part!r} never came: {self.output}")
                await asyncio.sleep(0.02)

    def send(self, how: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.code is None:
            os.kill(self.pid, how)

    async def kill(self, how: signal.Signals = signal.SIGKILL, within: float = 15) -> int:
        """End it, and wait until it is gone."""
        self.send(how)
        return await self.ended(within)


@asynccontextmanager
async def started(
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    script: str = "",
) -> AsyncIterator[Process]:
    """Run ``lapak`` with these arguments in ``folder``; it is gone at the end."""
    entry = ["-c", script] if script else ["-m", "bot"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *entry,
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Process(process)
    try:
        yield running
    finally:
        if running.code is None:
            await running.kill()
        await running._reading


async def answers(url: str, within: float = 30) -> None:
    """Wait until ``url`` answers 200."""
    async with asyncio.timeout(within), ClientSession(timeout=ClientTimeout(total=2)) as session:
        while True:
            with suppress(ClientError, TimeoutError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
