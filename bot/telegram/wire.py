"""HTTP to the Bot API: pools, timeouts, and answers that are not Telegram's."""

import json
import ssl
import warnings
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
from telegram.error import NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest
from telegram.warnings import PTBDeprecationWarning

from shop.time import SECOND, Millis

POLL_SECONDS = 25  # how long Telegram may keep a question for news open
_CONNECT = 5.0
_POLL_READ = POLL_SECONDS + 10.0
_CALL_READ = 15.0
_WRITE = 10.0
_POOL = 10.0
_CONNECTIONS = 128


class Flooded(TelegramError):
    """Telegram takes nothing more for a while. ``after``: milliseconds, if it said so.

    Raised instead of ``telegram.error.RetryAfter``, which holds seconds or a ``timedelta``, as an
    environment variable has it, and warns of that each time it is made.
    """

    def __init__(self, after: Millis | None) -> None:
        super().__init__("Too Many Requests")
        self.after = after


class TelegramRequest(HTTPXRequest):
    """Requests to the Bot API, or to something that stands in its place and speaks HTML."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Do one request. Raises ``Flooded`` and ``telegram.error.NetworkError``."""
        code, payload = await super().do_request(*args, **kwargs)
        if code == HTTPStatus.TOO_MANY_REQUESTS:
            raise Flooded(_said_in(payload))
        if code == HTTPStatus.OK and b'"result"' not in payload:
            raise NetworkError("the answer is not the Bot API's")
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return the JSON object in ``payload``. Raises ``telegram.error.NetworkError``.

        The library's own one writes a traceback to the log, at each retry while a proxy is ill.
        """
        try:
            answer = json.loads(payload)
        except ValueError:
            raise NetworkError("the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise NetworkError("the answer is not the Bot API's")
        return answer


def _said_in(payload: bytes) -> Millis | None:
    try:
        return max(0, int(json.loads(payload)["parameters"]["retry_after"])) * SECOND
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def retry_after(error: Flooded | RetryAfter) -> Millis | None:
    """Return when to come back, in milliseconds from now, if Telegram said so."""
    if isinstance(error, Flooded):
        return error.after
    with warnings.catch_warnings():
        # "will be a timedelta": by PTB_TIMEDELTA it is one already, or seconds; both are read here.
        warnings.simplefilter("ignore", PTBDeprecationWarning)
        span = error.retry_after
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    return int(seconds * SECOND)


@cache
def _trusted() -> ssl.SSLContext:
    """Read the trusted certificates once, as the library would at each start of a client.

    Unlike those for suppliers, they may be named by the environment (``SSL_CERT_FILE``).
    """
    return httpx.create_ssl_context()


def calls() -> TelegramRequest:
    """Return what all calls but the poll go through."""
    return TelegramRequest(
        connection_pool_size=_CONNECTIONS,
        connect_timeout=_CONNECT,
        read_timeout=_CALL_READ,
        write_timeout=_WRITE,
        pool_timeout=_POOL,
        httpx_kwargs={"verify": _trusted()},
    )


def polls() -> TelegramRequest:
    """Return what the poll goes through."""
    return TelegramRequest(
        connection_pool_size=2,
        connect_timeout=_CONNECT,
        read_timeout=_POLL_READ,
        write_timeout=_WRITE,
        pool_timeout=_POOL,
        httpx_kwargs={"verify": _trusted()},
    )
