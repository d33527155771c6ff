"""Pull the plug at an exact place: before and after each commit, supplier request and message."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.conversation.channels import Sender
from bot.conversation.views import View
from providers.base import http_client
from storage.address import Address
from storage.database import Database

POINTS = (
    "commit.before",
    "commit.after",
    "request.before",
    "request.after",
    "message.before",
    "message.after",
)


class Pulled(BaseException):
    """The power is gone. Nothing may catch this."""


def _raise() -> None:
    raise Pulled


@dataclass
class Plug:
    """Counts how often each place is passed; at the chosen one, ``pull`` happens."""

    point: str = ""
    hit: int = 0
    pull: Callable[[], None] = _raise
    passed: Counter[str] = field(default_factory=Counter)
    out: bool = False
    armed: bool = False
    pulls: int = 0

    def arm(self) -> None:
        """From here on every place counts."""
        self.armed = True

    @property
    def was_pulled(self) -> bool:
        """Whether the chosen place was come to."""
        return self.pulls > 0

    def at(self, point: str) -> None:
        if self.out:
            self.pull()
        if not self.armed:
            return
        self.passed[point] += 1
        if (point, self.passed[point]) == (self.point, self.hit):
            self.out = True
            self.pulls += 1
            self.pull()

    def mend(self) -> None:
        """Power is back, for good."""
        self.out, self.armed = False, False

    def database(
        self, opener: Callable[[Address], Awaitable[Database]]
    ) -> Callable[[Address], Awaitable[Any]]:
        async def opened(address: Address) -> Any:
            return _Database(await opener(address), self)

        return opened

    def client(self) -> httpx.AsyncClient:
        client = http_client()
        client._transport = _Transport(client._transport, self)
        return client

    def sender(self, sender: Sender) -> Sender:
        return _Sender(sender, self)


class _Database:
    def __init__(self, database: Database, plug: Plug) -> None:
        self._database, self._plug = database, plug

    async def run(self, work: Any) -> Any:
        self._plug.at("commit.before")
        result = await self._database.run(work)
        self._plug.at("commit.after")
        return result

    async def read(self, work: Any) -> Any:
        if self._plug.out:
            self._plug.pull()
        return await self._database.read(work)

    def bell(self) -> asyncio.Event:
        return self._database.bell()

    async def close(self) -> None:
        await self._database.close()


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, transport: httpx.AsyncBaseTransport, plug: Plug) -> None:
        self._transport, self._plug = transport, plug

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._plug.at("request.before")
        response = await self._transport.handle_async_request(request)
        await response.aread()
        self._plug.at("request.after")
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Sender:
    def __init__(self, sender: Sender, plug: Plug) -> None:
        self._sender, self._plug = sender, plug

    @property
    def edits(self) -> bool:
        return self._sender.edits

    async def send(self, address: str, view: View, key: str) -> str:
        self._plug.at("message.before")
        message_id = await self._sender.send(address, view, key)
        self._plug.at("message.after")
        return message_id

    async def edit(self, address: str, message_id: str, view: View) -> None:
        self._plug.at("message.before")
        await self._sender.edit(address, message_id, view)
        self._plug.at("message.after")
