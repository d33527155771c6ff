"""A line to PostgreSQL that goes wrong on demand.

It has a thread and a loop of its own, so that it works while the test's loop waits for it.
What passes is read message by message: one byte that names it, four bytes of length that count
themselves, the rest; only the first one of a connection has no name (PostgreSQL manual,
"Frontend/Backend Protocol").
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from storage.address import PostgresServer
from tests.fakes.postgres import socket_folder


class Fault(Enum):
    """What is wrong with the line."""

    NONE = auto()
    REFUSES = auto()  # whoever comes is turned away
    SWALLOWS = auto()  # takes in everything, and answers nothing
    CUTS_BEFORE_COMMIT = auto()  # the server never sees the COMMIT
    CUTS_AFTER_COMMIT = auto()  # the server commits, and the client never hears of it
    SILENT_AFTER_COMMIT = auto()  # the same, but nothing tells the client that it is over


_AT_COMMIT = {Fault.CUTS_BEFORE_COMMIT, Fault.CUTS_AFTER_COMMIT, Fault.SILENT_AFTER_COMMIT}
_WRITES = b"BEGIN ISOLATION LEVEL SERIALIZABLE"  # who reads begins otherwise
_COMMIT = {b"Q": b"COMMIT\0", b"P": b"\0COMMIT\0"}  # a simple query, and one that is prepared
_READY = b"Z"


@dataclass(eq=False)
class _Line:
    """One client, and the server's end of its connection."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    writing: bool = False
    committing: bool = False

    def cut(self) -> None:
        for end in (self.client, self.server):
            if end is not None:
                end.transport.abort()


class Proxy:
    """Stands before the tests' server on a free port of this machine."""

    def __init__(self) -> None:
        self.fault = Fault.NONE
        self.commits = 0  # seen since the last ``break_at_commit``
        self.broken = 0  # times, at a COMMIT
        self._nth, self._then = 1, Fault.NONE
        self._lines: set[_Line] = set()
        self._loop = asyncio.new_event_loop()
        self._listening = socket.create_server(("127.0.0.1", 0))
        [self._socket] = socket_folder().glob(".s.PGSQL.*[0-9]")

    def address(self, direct: PostgresServer) -> PostgresServer:
        """The database ``direct``, through this line."""
        name = Path(urlsplit(direct.uri).path).name
        port = self._listening.getsockname()[1]
        return PostgresServer(
            uri=f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable&gssencmode=disable",
            shown=f"postgresql://localhost/{name}",
        )

    def cut(self) -> None:
        """Break every connection there is; new ones are as good as before."""
        self._do(self._cut_all)

    def go_away(self) -> None:
        """Break every connection, and turn away whoever comes."""
        self.fault = Fault.REFUSES
        self.cut()

    def swallow(self) -> None:
        """From now on nobody is answered any more."""
        self.fault = Fault.SWALLOWS

    def break_at_commit(self, fault: Fault, *, nth: int = 1, then: Fault = Fault.NONE) -> None:
        """Break the line at the ``nth`` COMMIT from now on; then it is as ``then``.

        All connections are cut at once; after silence nobody is answered until it is healed.
        """
        assert fault in _AT_COMMIT
        self.fault, self.commits, self._nth, self._then = fault, 0, nth, then

    def heal(self) -> None:
        """All is well again; what was swallowed is lost."""
        lost = self.fault is Fault.SWALLOWS
        self.fault = Fault.NONE
        if lost:
            self.cut()

    @contextmanager
    def standing(self) -> Iterator["Proxy"]:
        """The proxy at work; every connection is broken at the end."""
        thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        thread.start()
        serving = asyncio.run_coroutine_threadsafe(self._serve(), self._loop)
        try:
            yield self
        finally:
            self.go_away()
            self._loop.call_soon_threadsafe(serving.cancel)
            self._do(lambda: None)
            asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._accept, sock=self._listening) as server:
            await server.serve_forever()

    async def _finish(self) -> None:
        """Wait until every task but this one has ended."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def _do(self, what: Callable[[], Any]) -> None:
        async def doing() -> None:
            what()

        asyncio.run_coroutine_threadsafe(doing(), self._loop).result(10)

    def _cut_all(self) -> None:
        for line in self._lines:
            line.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio does it only for sockets that were made with a protocol number.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(writer)
        self._lines.add(line)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._connect(line, reader)
        finally:
            line.cut()
            self._lines.discard(line)

    async def _connect(self, line: _Line, reader: asyncio.StreamReader) -> None:
        if self.fault is Fault.REFUSES:
            return
        hello = await _message(reader, named=False)
        if self.fault is Fault.SWALLOWS:
            await reader.read()
            return
        answers, line.server = await asyncio.open_unix_connection(self._socket)
        line.server.write(hello)
        done, waiting = await asyncio.wait(
            [
                asyncio.create_task(self._up(line, reader)),
                asyncio.create_task(self._down(line, answers)),
            ],
            return_when=asyncio.FIRST_COMPLETED,
        )
        line.cut()
        await asyncio.gather(*done, *waiting, return_exceptions=True)

    async def _up(self, line: _Line, reader: asyncio.StreamReader) -> None:
        assert line.server is not None
        while True:
            message = await _message(reader)
            if self.fault is Fault.SWALLOWS:
                continue
            line.writing = line.writing or _WRITES in message
            if self.fault in _AT_COMMIT and line.writing and _is_commit(message):
                self.commits += 1
                line.committing = self.commits == self._nth
                if line.committing and self.fault is Fault.CUTS_BEFORE_COMMIT:
                    self._break()
                    return
            line.server.write(message)
            await line.server.drain()

    async def _down(self, line: _Line, answers: asyncio.StreamReader) -> None:
        while True:
            message = await _message(answers)
            if self.fault is Fault.SWALLOWS:
                continue
            if line.committing:
                if message[:1] == _READY:
                    self._break()
                continue
            line.client.write(message)
            await line.client.drain()

    def _break(self) -> None:
        silent = self.fault is Fault.SILENT_AFTER_COMMIT
        self.fault = Fault.SWALLOWS if silent else self._then
        self.broken += 1
        if not silent:
            self._cut_all()


async def _message(reader: asyncio.StreamReader, *, named: bool = True) -> bytes:
    head = await reader.readexactly(5 if named else 4)
    return head + await reader.readexactly(int.from_bytes(head[-4:]) - 4)


def _is_commit(message: bytes) -> bool:
    ending = _COMMIT.get(message[:1])
    return ending is not None and ending in message.upper()
