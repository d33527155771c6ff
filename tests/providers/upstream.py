"""A supplier on loopback, for what only a real connection shows."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.providers.contract import Case


def impatient() -> httpx.AsyncClient:
    """As the real one, but sooner tired of waiting."""
    limits = httpx.Timeout(10, read=0.1)
    return httpx.AsyncClient(timeout=limits, follow_redirects=False, trust_env=False, verify=False)


Script = Callable[["Upstream", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: str | bytes, *headers: str, status: int = 200) -> bytes:
    octets = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(octets)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + octets


@dataclass
class Upstream:
    """Answers every request by its script, and counts them."""

    script: Script
    greeting: bytes = b""  # said before anything is heard; then it hangs up
    connections: int = 0
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0
    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> str:
        """The path and query of the last request."""
        return self.requests[-1][0].split(" ")[1]

    def times(self) -> Counter[str]:
        """How often each path was asked."""
        return Counter(head.partition(" HTTP/")[0] for head, _ in self.requests)

    def header(self, name: str) -> list[str]:
        lines = self.requests[-1][0].split("\r\n")[1:]
        return [line.split(": ", 1)[1] for line in lines if line.lower().startswith(f"{name}:")]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if (task := asyncio.current_task()) is not None:
            self.serving[task] = writer
        try:
            if self.greeting:
                writer.write(self.greeting)
                await reader.read(1)
                return
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lengths = [
                    int(line.split(":")[1])
                    for line in head.split("\r\n")
                    if line.lower().startswith("content-length:")
                ]
                body = await reader.readexactly(sum(lengths))
                self.requests.append((head, body))
                await self.script(self, reader, writer)
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(
    script: Script, tls: ssl.SSLContext | None = None, greeting: bytes = b""
) -> AsyncIterator[Upstream]:
    upstream = Upstream(script, greeting)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        for _ in range(10):  # a connection that nobody waits for any more may yet be taken
            await asyncio.sleep(0)
        server.close()
        for writer in upstream.serving.values():
            writer.transport.abort()
        await asyncio.gather(*upstream.serving)
        await server.wait_closed()


def says(octets: bytes) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)

    return script


def says_as_recorded(case: Case, *headers: str) -> Script:
    async def script(
        upstream: Upstream, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        said = case.answer(upstream.target)
        writer.write(answer(said.body, *headers, status=said.status))

    return script


def says_and_closes(octets: bytes) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()
        writer.close()

    return script


def says_and_resets(octets: bytes) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return script


def says_and_hangs(octets: bytes) -> Script:
    async def script(
        _: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(octets)
        await writer.drain()
        await reader.read()  # until the other side gives up
        writer.close()

    return script


def never_ends(head: bytes, piece: bytes, pause: float = 0.0) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return script
