"""Wait for news, or for a moment to come."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from shop.time import SECOND, Millis

LONGEST: Millis = 30 * SECOND  # clocks may be set: nobody sleeps longer than this


async def wait(bell: asyncio.Event, until: Millis | None, clock: Callable[[], Millis]) -> None:
    """Return when ``bell`` rings or ``until`` has come; at the latest after half a minute."""
    most = LONGEST if until is None else min(max(until - clock(), 0), LONGEST)
    with suppress(TimeoutError):
        async with asyncio.timeout(most / 1000):
            await bell.wait()
    bell.clear()
