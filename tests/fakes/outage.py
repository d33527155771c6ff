"""The ways in which a shop's database goes away for a while, and the moments at which it does."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, Protocol

import httpx

from providers.base import http_client
from storage.address import SqliteFile
from storage.sqlite import connect
from tests.fakes.chat import FakeChat
from tests.fakes.proxy import Proxy


class Outage(Protocol):
    """How the database of this kind goes away."""

    def away(self) -> None: ...
    def back(self) -> None: ...


class Locked:
    """Somebody else writes into the file, and does not stop."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def away(self) -> None:
        self._connection = connect(str(self._file.path))
        self._connection.execute("PRAGMA busy_timeout=5000")
        self._connection.execute("BEGIN IMMEDIATE")

    def back(self) -> None:
        if self._connection is not None:
            with closing(self._connection):
                self._connection.execute("ROLLBACK")
            self._connection = None


class Unplugged:
    """Nobody answers at the server's address."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def away(self) -> None:
        self._proxy.go_away()

    def back(self) -> None:
        self._proxy.heal()


class Wire(httpx.AsyncBaseTransport):
    """The line to the supplier; once, before an answer is handed on, something happens."""

    def __init__(self) -> None:
        self._inner = http_client()
        self._at: dict[str, Callable[[], None]] = {}

    def before_answer(self, path: str, do: Callable[[], None]) -> None:
        self._at[path] = do

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self, trust_env=False, timeout=5)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner._transport.handle_async_request(request)
        await response.aread()
        path = next((path for path in self._at if request.url.path.endswith(path)), None)
        if path is not None:
            self._at.pop(path)()
        return response

    async def aclose(self) -> None:
        return  # a client ends after each call, the line does not

    async def end(self) -> None:
        await self._inner.aclose()


class Fails:
    """A chat that the database goes away from, as a certain message is sent."""

    def __init__(self, chat: FakeChat, part: str, do: Callable[[], None]) -> None:
        self._send, self._part, self._do = chat.send, part, do
        self.did = asyncio.Event()

    async def send(self, address: str, view: Any, key: str) -> str:
        message_id = await self._send(address, view, key)
        if self._part in f"{view.title}\n{view.text}" and not self.did.is_set():
            self._do()
            self.did.set()
        return message_id
