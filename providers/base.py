"""HTTP plumbing shared by the supplier adapters. The contract is ``shop.suppliers``."""

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from shop.suppliers import Misconfigured, NotSent, OutcomeUnknown, Supplier, Unavailable
from shop.time import Millis

# Raised before a byte of the request is written. Everything else may have arrived.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_REFUSES_US = frozenset({401, 403})
# What stands between us and them may have answered instead, or after them.
_NO_ANSWER = frozenset({*range(100, 200), *range(300, 400), 429, *range(500, 600)})
_MOST_BYTES = 4_000_000
ORDER_LIMIT = 60.0  # seconds for one order call as a whole; a caller's lease is longer
READ_LIMIT = 20.0

Client = Callable[[], httpx.AsyncClient]


def http_client() -> httpx.AsyncClient:
    """Return a client that does what it is told: no redirects, retries, proxies or cookies."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(30, connect=5),
        follow_redirects=False,
        trust_env=False,
        verify=_trusted(),
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Read the trusted certificates once: reading them takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A supplier's HTTP answer, whole."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; ``None`` if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class _TooLarge(Exception):
    pass


# InvalidURL: a redirect to nowhere, which httpx reads although it is not followed.
_NO_USABLE_ANSWER = (httpx.HTTPError, httpx.InvalidURL, _TooLarge, TimeoutError)


class HttpSupplier(Supplier):
    """A supplier reached over HTTP. Subclasses build requests and read replies.

    ``client`` makes the HTTP client of one call: each call has a connection of its own, because a
    stale kept-alive one would make an order that never left look like one that may have arrived.
    """

    def __init__(self, *, url: str, client: Client = http_client, clock: Callable[[], Millis]):
        self._url = url
        self._client = client
        self._clock = clock

    async def _order(
        self, path: str, *, headers: Mapping[str, str], body: Mapping[str, str | int]
    ) -> Reply:
        """POST once. Raise ``NotSent``, ``Misconfigured`` or ``OutcomeUnknown``."""
        try:
            async with asyncio.timeout(ORDER_LIMIT):
                reply = await self._call("POST", path, headers=headers, json=dict(body))
        except _NEVER_LEFT as error:
            raise NotSent(f"{self.slug}: {type(error).__name__}") from error
        except _NO_USABLE_ANSWER as error:
            raise OutcomeUnknown(f"{self.slug}: {type(error).__name__}") from error
        if reply.status in _REFUSES_US:
            raise Misconfigured(f"{self.slug}: HTTP {reply.status}, the key is not accepted")
        if reply.status in _NO_ANSWER or not isinstance(reply.json(), dict):
            raise OutcomeUnknown(f"{self.slug}: HTTP {reply.status}, {len(reply.body)} bytes")
        return reply

    async def _read(
        self,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """GET, and return the JSON object. Raise ``Unavailable`` or ``Misconfigured``."""
        try:
            async with asyncio.timeout(READ_LIMIT):
                reply = await self._call("GET", path, headers=headers, params=dict(query or {}))
        except _NO_USABLE_ANSWER as error:
            raise Unavailable(f"{self.slug}: {type(error).__name__}") from error
        if reply.status in _REFUSES_US:
            raise Misconfigured(f"{self.slug}: HTTP {reply.status}, the key is not accepted")
        data = reply.json()
        if not 200 <= reply.status < 300 or not isinstance(data, dict):
            what = f"{self.slug}: HTTP {reply.status}, {len(reply.body)} bytes"
            raise Unavailable(what, busy=reply.status == 429)
        return data

    async def _call(self, method: str, path: str, **request: Any) -> Reply:
        async with self._client() as client:
            stream: AbstractAsyncContextManager[httpx.Response]
            stream = client.stream(method, f"{self._url}{path}", **request)
            async with stream as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise _TooLarge
                return Reply(status=response.status_code, body=bytes(body))
