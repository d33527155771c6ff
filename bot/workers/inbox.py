"""Take in what suppliers told us, in the order in which it came."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from bot.logs import get_logger
from bot.workers.waiting import wait
from shop import hearing
from shop.callbacks import Callback, CallsBack, News, Nonsense, Told, Trust
from shop.time import SECOND, Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, Unwritable
from storage.inbox import Received

log = get_logger(__name__)

AT_ONCE = 64
_AFTER_TROUBLE: Millis = SECOND


class InboxWorker:
    """The worker. Several may run: each callback is taken in once, in one transaction."""

    def __init__(
        self,
        *,
        keeper: BookKeeper,
        suppliers: Mapping[str, CallsBack],
        clock: Callable[[], Millis],
    ) -> None:
        self._keeper = keeper
        self._suppliers = suppliers
        self._clock = clock
        self._bell = keeper.bell()
        self._began = clock()  # what came while no process ran is tried as long as any

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._bell.clear()  # before looking: what comes from here on rings again
            try:
                until = await self.round()
            except (Busy, Unwritable) as error:
                log.info("inbox.waits", why=str(error))
                until = self._clock() + _AFTER_TROUBLE
            except Exception:
                log.exception("inbox.round_failed")
                until = self._clock() + _AFTER_TROUBLE
            if until is None or until > self._clock():
                await wait(self._bell, until, self._clock)

    async def round(self) -> Millis | None:
        """Take in what is due; return when something is due next.

        Raises ``Busy`` or ``Unwritable``: what was not taken in waits.
        """
        now = self._clock()
        due, next_at = await self._keeper.read(
            lambda books: (books.inbox.due(now, AT_ONCE), books.inbox.next_at())
        )
        if not due:
            return next_at
        # All at once: they share a commit, in this order.
        came = await asyncio.gather(*map(self._take_in, due), return_exceptions=True)
        trouble = next((each for each in came if isinstance(each, BaseException)), None)
        if trouble is not None:
            raise trouble
        return self._clock()

    async def _take_in(self, received: Received) -> None:
        """Take in one callback; one that only fails is left for the owner, and blocks nobody."""
        try:
            await self._keeper.write(lambda books: self._heard(books, received))
        except (Busy, Unwritable):
            raise
        except Exception:
            log.exception("inbox.failed", supplier=received.supplier)
            later = self._clock() + 30 * SECOND
            await self._keeper.write(lambda books: self._later_or_never(books, received, later))

    def _heard(self, books: SqlBooks, received: Received) -> None:
        if not books.inbox.waits(received):
            return
        now, supplier = self._clock(), received.supplier
        news = self._news_of(received)
        early = [
            each for each in news if not hearing.heard(books, supplier, each, received.trust, now)
        ]
        again_at = hearing.again_at(max(received.received_at, self._began), now)
        if early and again_at is not None:
            books.inbox.later(received, again_at)
            return
        for each in early:
            log.warning("inbox.unknown_order", supplier=supplier)
            hearing.never_understood(books, supplier, each, received.trust, now)
        books.inbox.done(received)

    def _news_of(self, received: Received) -> list[News]:
        supplier = self._suppliers.get(received.supplier)
        if supplier is None:  # no longer configured
            return []
        try:
            return list(supplier.parse(received.callback))
        except Nonsense as error:
            log.warning("inbox.nonsense", supplier=received.supplier, why=str(error))
            return []

    def _later_or_never(self, books: SqlBooks, received: Received, later: Millis) -> None:
        if hearing.again_at(max(received.received_at, self._began), self._clock()) is None:
            books.inbox.done(received)
        else:
            books.inbox.later(received, later)


def receiver(
    keeper: BookKeeper, suppliers: Mapping[str, CallsBack], clock: Callable[[], Millis]
) -> Callable[[str, Callback, Trust], Awaitable[bool]]:
    """Return what the web server stores a callback with: durably, before it is answered.

    It gives ``False`` for one that was known already, or that anybody could have sent about an
    order that is none of ours; it raises ``Busy`` and ``Unwritable`` as ``Database.run``.
    """

    async def receive(slug: str, callback: Callback, trust: Trust) -> bool:
        anybodys = trust is Trust.HINT and callback.method == "GET"
        if anybodys and not await names_an_attempt(slug, callback):
            return False
        return await keeper.write(lambda books: books.inbox.store(slug, callback, trust, clock()))

    async def names_an_attempt(slug: str, callback: Callback) -> bool:
        told = [each for each in suppliers[slug].parse(callback) if isinstance(each, Told)]
        return await keeper.read(
            lambda books: any(books.attempts.named(slug, each.ref) is not None for each in told)
        )

    return receive
