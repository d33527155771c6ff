"""One port for all that comes in by HTTP: the application, and how it listens and stops."""

import errno
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from aiohttp import web
from aiohttp.http import HttpProcessingError

from webhook_server.health import Check, add_health

MOST_BYTES: Final = 64 * 1024  # of one request's body; more is answered with 413
IDLE: Final = 30.0  # seconds for a request's head to arrive, and between two requests
FAREWELL: Final = 3.0  # seconds that requests under way have left when the server stops

Part: TypeAlias = Callable[[web.Application], None]
"""Adds the routes of another room to the application."""

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


log = logging.getLogger(__name__)


class CannotListen(Exception):
    """Nothing listens. The text is one plain line: what, why, and what to do about it."""


def build_app(*, checks: Mapping[str, Check], parts: Sequence[Part] = ()) -> web.Application:
    """Return the application: health, and what the parts add; any other path is a plain 404.

    A response may bring its own ``Content-Security-Policy``; else nothing may be loaded by it.
    """
    app = web.Application(client_max_size=MOST_BYTES)
    app.on_response_prepare.append(_say_little)
    add_health(app, checks)
    for part in parts:
        part(app)
    return app


async def _say_little(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)  # aiohttp names its version, and Python's
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listen while the block runs; give the port, which is a free one if 0 was asked for.

    At the end nothing new is accepted, and requests under way have ``FAREWELL`` seconds left.

    Raises:
        CannotListen: The port is taken or not allowed, or the host is not this machine's. Print
            its text and leave with exit code 1.
    """
    log.addFilter(_is_ours)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=log,
        keepalive_timeout=IDLE,
        shutdown_timeout=FAREWELL,
        auto_decompress=False,  # nobody we hear from compresses; a bomb is not unpacked
        lingering_time=1.0,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, OverflowError) as error:
            raise CannotListen(_explain(host, port, error)) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell our own failures from what strangers send that is not HTTP: those get their 400."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_OTHER_PORT: Final = "choose another port (LAPAK_PORT, or --port)"
_EXPLAINED: Final = {
    errno.EADDRINUSE: ("another program uses this port", f"stop that one, or {_OTHER_PORT}"),
    errno.EACCES: ("this user may not open this port", f"{_OTHER_PORT}, from 1024 on"),
    errno.EADDRNOTAVAIL: (
        "the address is not one of this machine",
        "set LAPAK_HOST to 127.0.0.1, or to 0.0.0.0 for every address",
    ),
}


def _explain(host: str, port: int, error: OSError | OverflowError) -> str:
    unknown = (str(getattr(error, "strerror", None) or error), "check LAPAK_HOST and LAPAK_PORT")
    number = getattr(error, "errno", None) or 0
    if "could not bind on any address" in str(error):  # asyncio's words since Python 3.13
        number = errno.EADDRNOTAVAIL
    why, what_to_do = _EXPLAINED.get(number, unknown)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"cannot listen on {where}: {why}; {what_to_do}"
