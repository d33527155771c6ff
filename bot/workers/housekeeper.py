"""Do what comes due with nobody to ask (``shop.housekeeping``)."""

import asyncio
from collections.abc import Callable

from bot.logs import get_logger
from bot.workers.waiting import wait
from shop import housekeeping
from shop.time import SECOND, Millis
from storage.books import BookKeeper

log = get_logger(__name__)

_BREATH: Millis = 5 * SECOND  # between two looks


class Housekeeper:
    """The worker for what the shop does by itself."""

    def __init__(self, *, keeper: BookKeeper, clock: Callable[[], Millis]) -> None:
        self._keeper = keeper
        self._clock = clock
        self._bell = keeper.bell()

    async def run(self) -> None:
        """Tidy up until cancelled."""
        while True:
            self._bell.clear()
            try:
                until = await self.tidy()
            except Exception:
                log.exception("housekeeping.failed")
                await asyncio.sleep(1)
            else:
                await asyncio.sleep(_BREATH / 1000)
                await wait(self._bell, until, self._clock)

    async def tidy(self) -> Millis:
        """Do what is due now; return when to look again."""
        return await self._keeper.write(lambda books: housekeeping.tidy(books, self._clock()))
