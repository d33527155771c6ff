"""Is it alive, and can it work? What a supervisor or a proxy asks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import web

from shop.text import visible

PATIENCE = 2.0  # seconds that one check may take

Check: TypeAlias = Callable[[], Awaitable[str | None]]
"""``None``: all is well. A text: what is not, in words fit for strangers."""

_OK = "ok"
_FRESH = {"Cache-Control": "no-store"}

log = logging.getLogger(__name__)


def add_health(app: web.Application, checks: Mapping[str, Check]) -> None:
    """Serve ``GET /healthz`` and ``GET /readyz``.

    Every check is asked at each ``/readyz``, all at once, ``PATIENCE`` seconds each.
    """

    async def readyz(_: web.Request) -> web.Response:
        answers = await asyncio.gather(*(_ask(name, check) for name, check in checks.items()))
        found = dict(zip(checks, answers, strict=True))
        ready = all(answer == _OK for answer in answers)
        body = {"ready": ready, "checks": found}
        return web.json_response(body, status=200 if ready else 503, headers=_FRESH)

    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", readyz)


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text=_OK, headers=_FRESH)


async def _ask(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            wrong = await check()
    except TimeoutError:
        return f"no answer within {PATIENCE:g} seconds"
    except Exception:
        # What it raised is for the log: whoever asks may be anybody.
        log.exception("readiness.check_failed", extra={"check": name})
        return "the check itself failed; see the log"
    return _OK if wrong is None else visible(wrong)
