"""The line to one supplier: calls are counted, answers kept, silence noted, owners alerted."""

from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TypeVar

import stamina

from bot.logs import get_logger
from shop import calls, health, restoring
from shop.calls import Call, Purpose
from shop.figures import CallOutcome, outcome_of
from shop.notices import Notice, NoticeKind
from shop.orders import Order
from shop.suppliers import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Supplier,
    SupplierError,
    Unavailable,
)
from shop.time import MINUTE, Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, Unwritable

T = TypeVar("T")

log = get_logger(__name__)

LIST_AGAIN: Millis = MINUTE
_KEEP_TRYING = 70.0  # seconds, to store an answer that is known nowhere else; about a lease


class Change(Enum):
    """What an answer, or that there is none, has changed about its supplier."""

    NONE = auto()
    AWAY = auto()
    BACK = auto()


def _is_silence(error: SupplierError | None) -> bool:
    """Tell whether a call that left had no usable answer."""
    if isinstance(error, Unavailable):
        return not (error.busy or error.answered)
    return isinstance(error, OutcomeUnknown)


class SupplierLine:
    """What every call to one supplier needs, whatever it is about."""

    def __init__(
        self, supplier: Supplier, *, keeper: BookKeeper, clock: Callable[[], Millis]
    ) -> None:
        self.supplier = supplier
        self.slug = supplier.slug
        self.keeper = keeper
        self.clock = clock
        self.listed_at: Millis = 0
        self._uncounted: list[tuple[Purpose, CallOutcome, Millis]] = []
        self._restoring = True  # for all we know

    async def answer(self, call: Call, answer: Awaitable[T]) -> T:
        """Wait for an answer; note for the monitor what came of the call, and how long it took."""
        began, error = self.clock(), None
        try:
            return await answer
        except Exception as raised:
            error = raised
            raise
        finally:
            took = self.clock() - began
            self._uncounted.append((calls.purpose_of(call), outcome_of(error), took))

    async def count(self) -> None:
        """Store what was noted, apart from orders and money: all calls of a kind share one row."""
        noted, self._uncounted = self._uncounted, []

        def count(books: SqlBooks) -> None:
            for purpose, outcome, took in noted:
                books.figures.record_outcome(self.slug, purpose, outcome, took)

        try:
            await self.keeper.write(count)
        except (Busy, Unwritable) as error:
            log.info("calls.not_counted", supplier=self.slug, why=str(error))

    async def keep(self, work: Callable[[SqlBooks], T]) -> T:
        """Store an answer; go on trying while the database is away.

        ``work`` may have been stored without our knowing: a second time it changes nothing.
        """
        async for attempt in stamina.retry_context(
            on=(Busy, Unwritable), attempts=None, timeout=_KEEP_TRYING, wait_max=2.0
        ):
            with attempt:
                return await self.keeper.write(work)
        raise AssertionError("stamina returns or raises")

    async def keep_answer(
        self,
        work: Callable[[SqlBooks], T],
        error: SupplierError | None = None,
        *,
        about_one: bool = False,
    ) -> T:
        """Store what came of a call, and what it says of the supplier: that it answers, or not.

        ``about_one``: it was about one order, with which alone the trouble may lie.
        """
        now = self.clock()

        def noting(books: SqlBooks) -> tuple[T, Change]:
            if about_one and _is_silence(error):
                health.left_open(books, self.slug, now)
                return work(books), Change.NONE
            return work(books), self._noted(books, error, now)

        result, change = await self.keep(noting)
        if change is Change.AWAY:
            log.warning("supplier.away", supplier=self.slug, why=str(error))
        elif change is Change.BACK:
            log.info("supplier.back", supplier=self.slug)
        return result

    def _noted(self, books: SqlBooks, error: SupplierError | None, now: Millis) -> Change:
        """Note whether the supplier answers; return what has changed by it."""
        match error:
            case Unavailable(busy=True):
                calls.pause(books, self.slug, now)
            case Unavailable(answered=True):  # says nothing of whether it is there
                pass
            case Misconfigured():  # of one call: the list tells whether it is so of all
                pass
            case NotSent() | OutcomeUnknown() | Unavailable():
                if health.unanswered(books, self.slug, str(error), now):
                    return Change.AWAY
            case _:
                if health.answered(books, self.slug, now):
                    return Change.BACK
        return Change.NONE

    async def take_in(
        self, order: Order, work: Callable[[SqlBooks], Order], error: SupplierError | None = None
    ) -> Order:
        """Store what came of a question; in a restored copy also that it was asked."""

        def taking_in(books: SqlBooks) -> tuple[Order, bool]:
            return work(books), self._restoring and restoring.asked(books, order.id)

        after, self._restoring = await self.keep_answer(taking_in, error, about_one=True)
        if after.status is not order.status:
            log.info("order.moved", order=order.id, was=order.status, became=after.status)
        return after

    async def alert(self, alert: str, occasion: str, order_id: str, evidence: str) -> None:
        """Tell the owners, once for each occasion."""
        now = self.clock()
        notice = Notice(
            key=f"alert:{self.slug}:{alert}:{occasion}",
            kind=NoticeKind.ALERT,
            address="",
            order_id=order_id,
            facts={"alert": alert, "supplier": self.supplier.title, "evidence": evidence},
        )
        await self.keep(lambda books: books.outbox.owe_owners(notice, now))

    async def check_the_key(self) -> None:
        """Have the list read soon: it tells a refused key from one call that was refused.

        Of a list that is a file of ours it is the balance that tells.
        """
        now = self.clock()
        if self.supplier.list_is_local:
            await self.keep(lambda books: books.calls.compare_soon(self.slug, now))
        elif now - self.listed_at >= LIST_AGAIN:
            await self.keep(lambda books: books.calls.set_list_due(self.slug, now))
