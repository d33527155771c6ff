"""Where suppliers tell us how an order went: prove, read, write down, answer."""

import asyncio
import hmac
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeAlias

from aiohttp import hdrs, web

from providers.settings import Networks
from shop.callbacks import Callback, CallsBack, Nonsense, Trust
from shop.text import visible
from storage.database import Busy, Unwritable
from webhook_server.app import MOST_BYTES
from webhook_server.metrics import CallbackOutcome
from webhook_server.origin import remote_of

PATIENCE: Final = 10.0  # seconds that a body may take to arrive
SELDOM: Final = 60.0  # seconds between two lines of the log that say the same of one supplier

Store: TypeAlias = Callable[[str, Callback, Trust], Awaitable[bool]]
"""Stores durably what a supplier (its slug) told; ``False`` if it was known already."""

Answer: TypeAlias = tuple[CallbackOutcome, web.Response]

_AS_IT_IS: Final = "identity"

log = logging.getLogger(__name__)


def add_supplier_callbacks(
    app: web.Application,
    *,
    suppliers: Mapping[str, CallsBack],
    store: Store,
    secrets: Sequence[bytes] = (),
    trusted: Networks = (),
    count: Callable[[str, CallbackOutcome, float], None] = lambda *_: None,
) -> None:
    """Serve ``/callbacks/<slug>``, or with ``secrets`` only ``/callbacks/<slug>/<secret>``.

    200 is answered only after the callback was stored. ``store`` may raise ``Busy`` or
    ``Unwritable``. ``trusted``: networks whose ``X-Forwarded-For`` is believed. ``count`` hears of
    every request its slug (anybody's words), what came of it, and how many seconds it took.

    Raises:
        ValueError: One of the secrets is empty.
    """
    if not all(secrets):
        raise ValueError("an empty secret keeps nobody out")
    doors = {slug: _Door(slug, supplier, store, trusted) for slug, supplier in suppliers.items()}

    def door_of(request: web.Request) -> _Door:
        door = doors.get(request.match_info["slug"])
        if door is None or not _opens(request.match_info.get("secret"), secrets):
            raise _Refused(CallbackOutcome.NOT_FOUND, HTTPStatus.NOT_FOUND)
        return door

    async def receive(request: web.Request) -> web.Response:
        began = time.monotonic()
        try:
            outcome, response = await door_of(request).answer(request)
        except _Refused as refused:
            outcome, response = refused.outcome, refused.response()
        count(request.match_info["slug"], outcome, time.monotonic() - began)
        return response

    app.router.add_route("*", "/callbacks/{slug}", receive)
    app.router.add_route("*", "/callbacks/{slug}/{secret}", receive)


def _opens(given: str | None, secrets: Sequence[bytes]) -> bool:
    if given is None or not secrets:
        return given is None and not secrets
    written = given.encode("utf-8", "surrogateescape")
    # All are compared: the time taken tells nothing of which one it was.
    found = [hmac.compare_digest(written, secret) for secret in secrets]
    return any(found)


class _Refused(Exception):
    """It is answered at once, in no supplier's words."""

    def __init__(
        self, outcome: CallbackOutcome, status: HTTPStatus, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status.phrase)
        self.outcome = outcome
        self._status = status
        self._headers = headers

    def response(self) -> web.Response:
        text = f"{self._status}: {self._status.phrase}"
        return web.Response(status=self._status, text=text, headers=self._headers)


class _Door:
    """One supplier's. Nothing more is done for a request than it has earned so far."""

    def __init__(self, slug: str, supplier: CallsBack, store: Store, trusted: Networks) -> None:
        self._slug = slug
        self._supplier = supplier
        self._store = store
        self._trusted = trusted
        self._log = _Log(slug)
        self._is_failing = False

    async def answer(self, request: web.Request) -> Answer:
        """Return what became of a request, and what its sender hears. Raise ``_Refused``."""
        self._check_method(request.method)
        callback = _callback(request, await _body(request), self._trusted)
        trust = self._proved(callback)
        why = self._why_nonsense(callback)
        if why is None:
            return await self._stored(callback, trust), self._thanks(callback)
        if trust is Trust.HINT and callback.method == hdrs.METH_GET:
            return CallbackOutcome.IGNORED, self._thanks(callback)
        return CallbackOutcome.NONSENSE, self._regrets(why)

    def _check_method(self, method: str) -> None:
        methods = self._supplier.callback_methods
        if method not in methods:
            allow = {"Allow": ", ".join(methods)}
            raise _Refused(CallbackOutcome.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, allow)

    def _proved(self, callback: Callback) -> Trust:
        try:
            trust = self._supplier.verify(callback)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was proved
            self._log.once("callback.cannot_verify", error=type(error).__name__)
            trust = Trust.NONE
        if trust is Trust.HINT or trust is Trust.PROOF:
            return trust
        self._log.seldom("callback.unproved", remote=callback.remote)
        raise _Refused(CallbackOutcome.UNPROVED, HTTPStatus.UNAUTHORIZED)

    def _why_nonsense(self, callback: Callback) -> str | None:
        """Return why it cannot be understood; ``None`` if it can."""
        try:
            self._supplier.parse(callback)
        except Nonsense as nonsense:
            why = visible(str(nonsense))
            self._log.seldom("callback.nonsense", why=why)
        except Exception as error:  # noqa: BLE001 - it is read again when it is stored: not that one
            why = "it cannot be read"
            self._log.seldom("callback.cannot_parse", error=type(error).__name__)
        else:
            return None
        return why

    async def _stored(self, callback: Callback, trust: Trust) -> CallbackOutcome:
        try:
            is_new = await self._store(self._slug, callback, trust)
        except Exception as error:  # whatever it is, it is not stored
            if not self._is_failing:
                self._log.tell("callback.cannot_store", why=_why_not_stored(error))
            self._is_failing = True
            unavailable = HTTPStatus.SERVICE_UNAVAILABLE
            raise _Refused(CallbackOutcome.NOT_STORED, unavailable) from error
        self._is_failing = False
        return CallbackOutcome.STORED if is_new else CallbackOutcome.REPEATED

    def _thanks(self, callback: Callback) -> web.Response:
        return self._json(HTTPStatus.OK, lambda: self._supplier.thanks(callback))

    def _regrets(self, why: str) -> web.Response:
        return self._json(HTTPStatus.BAD_REQUEST, lambda: self._supplier.regrets(why))

    def _json(self, status: HTTPStatus, speak: Callable[[], str]) -> web.Response:
        try:
            said = speak().encode("utf-8", "backslashreplace")
        except Exception as error:  # noqa: BLE001 - the status counts: it is stored, or never will be
            self._log.once("callback.speechless", error=type(error).__name__)
            said = b"{}"
        return web.Response(status=status, body=said, content_type="application/json")


class _Log:
    """Says little of what anybody can cause, and nothing of what is in it."""

    def __init__(self, slug: str) -> None:
        self._slug = slug
        self._said: dict[str, float] = {}

    def tell(self, event: str, **what: str) -> None:
        log.warning(event, extra={"supplier": self._slug, **what})

    def once(self, event: str, **what: str) -> None:
        if event not in self._said:
            self.seldom(event, **what)

    def seldom(self, event: str, **what: str) -> None:
        now = time.monotonic()
        if now - self._said.get(event, -math.inf) >= SELDOM:
            self._said[event] = now
            self.tell(event, **what)


def _why_not_stored(error: Exception) -> str:
    # Only these two are known to repeat nothing of what was to be stored.
    return repr(error) if isinstance(error, Busy | Unwritable) else type(error).__name__


# --- the request, as it came ----------------------------------------------------------------------


async def _body(request: web.Request) -> bytes:
    """Return the very bytes. Raise ``_Refused`` before more than ``MOST_BYTES`` are kept."""
    _check_head(request)
    try:
        async with asyncio.timeout(PATIENCE):
            return await request.clone(client_max_size=MOST_BYTES).read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None
    except TimeoutError:
        raise _Refused(CallbackOutcome.NONSENSE, HTTPStatus.REQUEST_TIMEOUT) from None
    except (web.RequestPayloadError, ConnectionError):
        raise _Refused(CallbackOutcome.NONSENSE, HTTPStatus.BAD_REQUEST) from None


def _check_head(request: web.Request) -> None:
    if (request.content_length or 0) > MOST_BYTES:
        raise _too_large()
    codings = request.headers.getall(hdrs.CONTENT_ENCODING, ())
    if any(coding.lower() != _AS_IT_IS for coding in codings):
        # aiohttp would hand on what comes out of it: neither the bytes that were signed, nor few.
        only = {"Accept-Encoding": _AS_IT_IS}
        raise _Refused(CallbackOutcome.NONSENSE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, only)


def _too_large() -> _Refused:
    return _Refused(CallbackOutcome.TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _callback(request: web.Request, body: bytes, trusted: Networks) -> Callback:
    forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, ())
    return Callback(
        method=request.method,
        query=request.raw_path.partition("?")[2],  # what is behind a "#" belongs to it
        body=body,
        headers=_headers(request),
        remote=remote_of(_peer(request), forwarded, trusted),
    )


def _headers(request: web.Request) -> Mapping[str, str]:
    named = [(name.lower(), value) for name, value in request.headers.items()]
    times = Counter(name for name, _ in named)
    return {name: value for name, value in named if times[name] == 1}


def _peer(request: web.Request) -> str | None:
    # Not ``request.remote``: a middleware may have put there what a proxy told it.
    peer = request.transport and request.transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else None  # a Unix socket's is a text, or gone
