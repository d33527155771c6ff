"""HTTP plumbing shared by the supplier adapters. The contract is ``shop.suppliers``."""

import asyncio
import json
import re
import ssl
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar, Generic, TypeVar

import httpx
import stamina

from shop.suppliers import Misconfigured, NotSent, OutcomeUnknown, Supplier, Unavailable
from shop.text import visible
from shop.time import Millis

S = TypeVar("S")
T = TypeVar("T")

# Raised before a byte of the request is written. Everything else may have arrived.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_REFUSES_US = frozenset({401, 403})
# What stands between us and them may have answered instead, or after them.
# 408: too late for an answer, not for the work.
_NO_ANSWER = frozenset({*range(100, 200), *range(300, 400), 408, 429, *range(500, 600)})
_MOST_BYTES = 4_000_000
ORDER_LIMIT = 60.0  # seconds for one order call as a whole; a caller's lease is longer
READ_LIMIT = 20.0
READ_TRIES = 3  # of a question that had no answer, where calls are not counted

Client = Callable[[], httpx.AsyncClient]


def http_client() -> httpx.AsyncClient:
    """Return a client that does what it is told: no redirects, retries, proxies or cookies."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(30, connect=5),
        follow_redirects=False,
        trust_env=False,
        verify=trusted(),
    )


@cache
def trusted() -> ssl.SSLContext:
    """Read the trusted certificates once: reading them takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A supplier's HTTP answer, whole."""

    status: int
    body: bytes

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON; ``None`` if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> dict[str, Any]:
        """Return the body as a JSON object; an empty one if it is none."""
        found = self.json()
        return found if isinstance(found, dict) else {}

    def text(self) -> str:
        """Return the body as text; empty if it is not UTF-8."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            return ""


def _is_object(reply: Reply) -> bool:
    return isinstance(reply.json(), dict)


class _TooLarge(Exception):
    pass


# InvalidURL: a redirect to nowhere, which httpx reads although it is not followed.
_NO_USABLE_ANSWER = (httpx.HTTPError, httpx.InvalidURL, _TooLarge, TimeoutError)


class HttpSupplier(Supplier, Generic[S]):
    """A supplier reached over HTTP. Subclasses build requests and read replies.

    ``settings``: an instance of ``settings_type`` (see ``providers.settings``), which has a
    ``url``. ``client`` makes the HTTP client of one call: each call has a connection of its own,
    because a stale kept-alive one would make an order that never left look like one that may have
    arrived. ``callback_url``: where the supplier may tell us how an order went; empty: nowhere.
    """

    settings_type: ClassVar[type]

    def __init__(
        self,
        settings: S,
        *,
        clock: Callable[[], Millis],
        client: Client = http_client,
        callback_url: str = "",
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client
        self._callback_url = callback_url

    @property
    @abstractmethod
    def _url(self) -> str:
        """Where the supplier answers."""

    @abstractmethod
    def _secrets(self) -> Iterable[str]:
        """Return every text that nothing we hand on may repeat."""

    async def _order(
        self,
        path: str,
        *,
        headers: Mapping[str, str],
        body: Mapping[str, str | int] | None = None,
        query: Mapping[str, str] | None = None,
        readable: Callable[[Reply], bool] = _is_object,
    ) -> Reply:
        """Ask once for something to be done: POST ``body``, or without one GET.

        ``readable`` tells an answer of theirs from one of what stands between. Raise ``NotSent``,
        ``Misconfigured`` or ``OutcomeUnknown``.
        """
        method = "GET" if body is None else "POST"
        sent: dict[str, Any] = {"headers": headers, "params": dict(query or {})}
        if body is not None:
            sent["json"] = dict(body)
        try:
            async with asyncio.timeout(ORDER_LIMIT):
                reply = await self._call(method, path, **sent)
        except _NEVER_LEFT as error:
            raise NotSent(f"{self.slug}: {type(error).__name__}") from error
        except _NO_USABLE_ANSWER as error:
            raise OutcomeUnknown(f"{self.slug}: {type(error).__name__}") from error
        self._check_key(reply)
        if reply.status in _NO_ANSWER or not readable(reply):
            raise OutcomeUnknown(f"{self.slug}: {_what(reply)}")
        return reply

    async def _read(
        self,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """GET, and return the JSON object. Raise ``Unavailable`` or ``Misconfigured``."""
        reply = await self._ask(path, headers=headers, query=query)
        if not reply.is_ok:
            raise Unavailable(f"{self.slug}: {_what(reply)}")
        return reply.fields()

    async def _ask(
        self,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
        readable: Callable[[Reply], bool] = _is_object,
    ) -> Reply:
        """Ask a question, which does nothing there: GET, or with a ``body`` POST; again if need be.

        The answer may be a refusal (its ``status`` is 4xx). ``readable`` tells an answer of theirs
        from one of what stands between. Raise ``Unavailable`` or ``Misconfigured``.
        """
        method = "GET" if body is None else "POST"
        sent: dict[str, Any] = {"headers": headers, "params": dict(query or {})}
        if body is not None:
            sent["json"] = dict(body)
        once = partial(self._ask_once, method, path, sent, readable)
        try:
            async with asyncio.timeout(READ_LIMIT):
                return await (once() if self.counts_calls else _until_answered(once))
        except TimeoutError as error:
            raise Unavailable(f"{self.slug}: {type(error).__name__}") from error

    async def _ask_once(
        self, method: str, path: str, sent: Mapping[str, Any], readable: Callable[[Reply], bool]
    ) -> Reply:
        try:
            reply = await self._call(method, path, **sent)
        except _NO_USABLE_ANSWER as error:
            raise Unavailable(f"{self.slug}: {type(error).__name__}") from error
        self._check_key(reply)
        if reply.status in _NO_ANSWER or not readable(reply):
            raise Unavailable(f"{self.slug}: {_what(reply)}", busy=reply.status == 429)
        return reply

    def _check_key(self, reply: Reply) -> None:
        if reply.status in _REFUSES_US:
            raise Misconfigured(f"{self.slug}: HTTP {reply.status}, the key is not accepted")

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

    def _words(self, answer: Mapping[str, Any], *names: str) -> str:
        """Return their own sentence, the first text of these names, for the owner's eyes."""
        said = (answer.get(name) for name in names)
        words = next((word for word in said if isinstance(word, str) and word), "no reason given")
        return visible(self._hide(words))

    def _hidden(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields without our secrets. Before anything is cut: half a key tells much."""
        return {name: self._hide(value) for name, value in data.items()}

    def _hide(self, value: T) -> T | str:
        """Return a text without our secrets, in case they repeat them; other values as they are."""
        if not isinstance(value, str):
            return value
        text: str = value
        for secret in self._secrets():
            text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE) if secret else text
        return text


def _what(reply: Reply) -> str:
    return f"HTTP {reply.status}, {len(reply.body)} bytes"


async def _until_answered(ask: Callable[[], Awaitable[Reply]]) -> Reply:
    """Ask a few times, while there is no usable answer."""
    async for attempt in stamina.retry_context(
        on=_may_answer_later,
        attempts=READ_TRIES,
        wait_initial=0.2,
        wait_max=2.0,
        wait_jitter=0.2,
    ):
        with attempt:
            return await ask()
    raise AssertionError("stamina returns or raises")


def _may_answer_later(error: Exception) -> bool:
    return isinstance(error, Unavailable) and not error.busy
