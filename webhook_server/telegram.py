"""Where Telegram brings updates to: prove, read, write down, answer."""

import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from aiohttp import web
from aiohttp.http import HttpProcessingError

from storage.database import Busy, Unwritable
from storage.updates import is_update_id
from webhook_server.metrics import CallbackOutcome

PATH: Final = "/telegram/webhook"
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
MOST_BYTES: Final = 1 << 20  # of one update; more is answered with 413
KINDS: Final = ("message", "callback_query")

Store: TypeAlias = Callable[[int, str], Awaitable[bool]]
"""Stores number and JSON text of an update durably; ``False`` if it was known already."""

_ANSWERS: Final = {
    CallbackOutcome.STORED: 200,
    CallbackOutcome.REPEATED: 200,
    CallbackOutcome.IGNORED: 200,
    CallbackOutcome.NONSENSE: 400,
    CallbackOutcome.UNPROVED: 401,
    CallbackOutcome.TOO_LARGE: 413,
    CallbackOutcome.NOT_STORED: 503,  # Telegram brings it again
}
OUTCOMES: Final = tuple(_ANSWERS)

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """What was brought is not an update; bringing it again would not help."""


def add_telegram_webhook(
    app: web.Application,
    *,
    secrets: Sequence[bytes],
    store: Store,
    count: Callable[[CallbackOutcome, float], None] = lambda *_: None,
) -> None:
    """Serve ``POST /telegram/webhook``; 200 is answered only after the update was stored.

    Each of the ``secrets`` (new and old, while it is being changed) proves that Telegram asks
    (core.telegram.org/bots/api, "setWebhook", ``secret_token``). ``store`` may raise ``Busy`` or
    ``Unwritable``. ``count`` hears of every request what came of it, and how many seconds it took.

    Raises:
        ValueError: There is no secret, or an empty one: anybody could speak for anybody.
    """
    if not secrets or not all(secrets):
        raise ValueError("the webhook needs a secret")
    door = _Door(tuple(secrets), store)

    async def receive(request: web.Request) -> web.Response:
        began = time.monotonic()
        outcome = await door.outcome(request)
        count(outcome, time.monotonic() - began)
        return web.Response(status=_ANSWERS[outcome])

    app.router.add_post(PATH, receive)


class _Door:
    def __init__(self, secrets: Sequence[bytes], store: Store) -> None:
        self._secrets = secrets
        self._store = store
        self._is_failing = False

    async def outcome(self, request: web.Request) -> CallbackOutcome:
        """Return what became of a request. The body is not touched before the proof."""
        if not self._proves(request):
            return CallbackOutcome.UNPROVED
        try:
            said = _read(await _body(request))
        except web.HTTPRequestEntityTooLarge:
            return CallbackOutcome.TOO_LARGE
        except Unreadable as error:
            log.warning("telegram.unreadable_request", extra={"why": str(error)})
            return CallbackOutcome.NONSENSE
        return await self._stored(*said) if said else CallbackOutcome.IGNORED

    def _proves(self, request: web.Request) -> bool:
        given = request.headers.get(HEADER, "").encode("utf-8", "surrogateescape")
        # All are compared: the time taken tells nothing of which one it was.
        found = [hmac.compare_digest(given, secret) for secret in self._secrets]
        return any(found)

    async def _stored(self, number: int, text: str) -> CallbackOutcome:
        try:
            is_new = await self._store(number, text)
        except (Busy, Unwritable) as error:
            if not self._is_failing:
                log.warning("telegram.cannot_store", extra={"why": repr(error)})
            self._is_failing = True
            return CallbackOutcome.NOT_STORED
        self._is_failing = False
        return CallbackOutcome.STORED if is_new else CallbackOutcome.REPEATED


async def _body(request: web.Request) -> bytes:
    """Return the bytes. Raises ``HTTPRequestEntityTooLarge`` before more than that is kept."""
    if (request.content_length or 0) > MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(MOST_BYTES)
    try:
        return await request.clone(client_max_size=MOST_BYTES).read()
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise Unreadable("the body is broken") from error


def _read(body: bytes) -> tuple[int, str] | None:
    """Return number and text of an update; ``None`` if it is of a kind that nobody asked for.

    The text is ASCII: halves of characters, which JSON can carry and no database takes, stay
    escaped.
    """
    try:
        update: Any = json.loads(body)
        text = json.dumps(update, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not JSON") from error
    if not isinstance(update, dict) or not is_update_id(number := update.get("update_id")):
        raise Unreadable("no update_id")
    return (number, text) if any(kind in update for kind in KINDS) else None
