"""Make the calls that ``shop.calls`` chooses, and hand the answers to the use cases."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, assert_never

import stamina

from bot.logs import get_logger
from bot.workers.waiting import wait
from shop import calls, catalogue, restoring, settling
from shop.calls import (
    LONGEST_CALL,
    AskBalance,
    AskInvoice,
    Call,
    FetchList,
    Idle,
    OpenInvoice,
    Purpose,
)
from shop.catalogue import Game
from shop.figures import CallOutcome, outcome_of
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import Order
from shop.settling import NotOpened, Opening
from shop.suppliers import (
    Invoice,
    InvoiceRequest,
    Listing,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    PriceList,
    Refused,
    Supplier,
    SupplierError,
    Unavailable,
)
from shop.time import HOUR, MINUTE, Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, Unwritable

T = TypeVar("T")

log = get_logger(__name__)

AT_ONCE = 16
LIST_AGAIN: Millis = MINUTE
_BREATH: Millis = 20  # between two looks at what is due
OLD_PRICES: Millis = 6 * HOUR
BELIEVES_AFTER: Millis = HOUR  # a list that lost half of its items
# Seconds, for calls under way when the shop is told to stop; the web server takes three more after.
_FINISH_WITHIN = 5.0
_KEEP_TRYING = 70.0  # seconds, to store an answer that is known nowhere else; about a lease
_LONGEST_SKU = 40  # bytes; a button carries it


class SupplierCalls:
    """One supplier's worker."""

    def __init__(
        self,
        supplier: Supplier,
        *,
        keeper: BookKeeper,
        games: Sequence[Game],
        low_balance: int,
        clock: Callable[[], Millis],
    ) -> None:
        self._supplier = supplier
        self.slug = supplier.slug
        self.counts_calls = supplier.counts_calls
        self._keeper = keeper
        self._games = games
        self._low_balance = low_balance
        self._clock = clock
        self._bell = keeper.bell()
        self._making: set[asyncio.Task[None]] = set()
        self._down = ""
        self._listed_at: Millis = 0
        self._uncounted: list[tuple[Purpose, CallOutcome, Millis]] = []
        self._restoring = True  # for all we know

    async def run(self) -> None:
        """Call until cancelled; calls under way then have a few seconds to finish."""
        try:
            while True:
                await self._round()
        finally:
            if self._making:
                await asyncio.wait(self._making, timeout=_FINISH_WITHIN)

    async def _round(self) -> None:
        if len(self._making) >= AT_ONCE:
            await wait(self._bell, None, self._clock)
            return
        self._bell.clear()  # before choosing: what happens from here on rings again
        try:
            chosen = await self._choose(AT_ONCE - len(self._making))
        except Exception:
            log.exception("calls.choose_failed", supplier=self.slug)
            await asyncio.sleep(1)
            return
        for call in chosen:
            if isinstance(call, Idle):
                # What is due may be in another process's hands: do not spin on it.
                until = max(call.until, self._clock() + _BREATH)
                await wait(self._bell, until, self._clock)
            else:
                self._begin(call)

    def _begin(self, call: Call) -> None:
        task = asyncio.create_task(self.make(call), name=f"{self.slug} {type(call).__name__}")
        self._making.add(task)
        task.add_done_callback(self._made)

    def _made(self, task: asyncio.Task[None]) -> None:
        self._making.discard(task)
        self._bell.set()

    async def choose(self) -> Call | Idle:
        """Write down which call is made next, and return it."""
        return (await self._choose(1))[0]

    async def _choose(self, most: int) -> Sequence[Call | Idle]:
        """Write down in one commit which calls are made next; only the last may be ``Idle``."""

        def choose(books: SqlBooks) -> Sequence[Call | Idle]:
            now = self._clock()  # here: it may have waited its turn for a while
            chosen: list[Call | Idle] = []
            while len(chosen) < most and not (chosen and isinstance(chosen[-1], Idle)):
                chosen.append(calls.next_call(books, self.slug, now, limited=self.counts_calls))
            return chosen

        return await self._keeper.write(choose)

    async def make(self, call: Call) -> None:
        """Make a call that ``choose`` returned, and take in its answer."""
        try:
            match call:
                case OpenInvoice():
                    await self._open(call)
                case AskInvoice():
                    await self._ask(call)
                case AskBalance():
                    await self._balance(call)
                case FetchList():
                    await self._list(call)
                case _:
                    assert_never(call)
        except Exception:
            log.exception("calls.failed", supplier=self.slug, call=type(call).__name__)
        await self._count()

    async def _answer(self, call: Call, answer: Awaitable[T]) -> T:
        """Wait for an answer; note for the monitor what came of the call, and how long it took."""
        began, error = self._clock(), None
        try:
            return await answer
        except Exception as raised:
            error = raised
            raise
        finally:
            took = self._clock() - began
            self._uncounted.append((calls.purpose_of(call), outcome_of(error), took))

    async def _count(self) -> None:
        """Store what was noted, apart from orders and money: all calls of a kind share one row."""
        noted, self._uncounted = self._uncounted, []

        def count(books: SqlBooks) -> None:
            for purpose, outcome, took in noted:
                books.figures.record_outcome(self.slug, purpose, outcome, took)

        try:
            await self._keeper.write(count)
        except (Busy, Unwritable) as error:
            log.info("calls.not_counted", supplier=self.slug, why=str(error))

    async def _keep(self, work: Callable[[SqlBooks], T]) -> T:
        """Store an answer; go on trying while the database is away.

        ``work`` may have been stored without our knowing: a second time it changes nothing.
        """
        async for attempt in stamina.retry_context(
            on=(Busy, Unwritable), attempts=None, timeout=_KEEP_TRYING, wait_max=2.0
        ):
            with attempt:
                return await self._keeper.write(work)
        raise AssertionError("stamina returns or raises")

    async def _open(self, call: OpenInvoice) -> None:
        """Ask for the invoice of an order that is written down as being opened. Once."""
        order = call.order
        request = InvoiceRequest(
            ref=order.id, sku=order.sku, target=order.target, price=order.price
        )
        opening: Opening
        evidence = ""
        try:
            opening = await self._answer(call, self._open_in_time(order, request))
        except NotSent as error:
            opening, evidence = NotOpened.NOT_SENT, str(error)
        except Refused as error:
            opening, evidence = NotOpened.REFUSED, str(error)
            if isinstance(error, Misconfigured):
                await self._check_the_key()
        except OutcomeUnknown as error:
            opening, evidence = NotOpened.UNKNOWN, str(error)
            if error.accepted:
                await self._alert("accepted_unread", order.id, order.id, str(error))
        log.info("invoice.opened", order=order.id, outcome=_name(opening), evidence=evidence)
        now = self._clock()
        await self._keep(lambda books: settling.opened(books, order, opening, now, evidence))

    async def _open_in_time(self, order: Order, request: InvoiceRequest) -> Invoice:
        """Ask, unless this process stood still until its lease was nearly used up."""
        if (order.due_at or 0) - self._clock() < LONGEST_CALL:
            raise NotSent("the lease has nearly run out")
        return await self._supplier.open_invoice(request)

    async def _ask(self, call: AskInvoice) -> None:
        order, asked_at = call.order, self._clock()
        if order.invoice is None:
            raise LookupError(f"{order.id} has no invoice to ask about")
        try:
            report = await self._answer(
                call, self._supplier.invoice_report(order.invoice.supplier_ref)
            )
        except SupplierError as error:
            await self._went_away(error)
            if isinstance(error, Misconfigured):
                await self._check_the_key()
            now = self._clock()
            await self._take_in(
                order, lambda books: settling.unanswered(books, order.id, asked_at, now)
            )
            return
        self._came_back()
        now = self._clock()
        after = await self._take_in(
            order, lambda books: settling.heard(books, order.id, report, asked_at, now)
        )
        if after.status is not order.status:
            log.info("order.moved", order=order.id, was=order.status, became=after.status)

    async def _take_in(self, order: Order, work: Callable[[SqlBooks], Order]) -> Order:
        """Store what came of a question; in a restored copy also that it was asked."""

        def taking_in(books: SqlBooks) -> tuple[Order, bool]:
            return work(books), self._restoring and restoring.asked(books, order.id)

        after, self._restoring = await self._keep(taking_in)
        return after

    async def _balance(self, call: AskBalance) -> None:
        balance: int | None = None
        try:
            balance = await self._answer(call, self._supplier.balance())
        except SupplierError as error:
            await self._went_away(error)
        else:
            self._came_back()
        now = self._clock()
        low = balance is not None and balance < self._low_balance
        notice = Notice(
            key=f"balance:{self.slug}:{now}",
            kind=NoticeKind.BALANCE,
            address=call.address,
            facts={"supplier": self._supplier.title, "balance": balance, "low": int(low)},
        )
        await self._keep(lambda books: books.outbox.owe(notice, now))

    async def _list(self, call: FetchList) -> None:
        self._listed_at = self._clock()
        try:
            prices = await self._answer(call, self._supplier.price_list())
        except Misconfigured as error:
            await self._went_away(error)
            await self._close(error)
        except SupplierError as error:
            await self._went_away(error)
            await self._list_unread(str(error))
        else:
            self._came_back()
            await self._stock(prices)
        finally:
            now = self._clock()
            await self._keep(lambda books: books.calls.list_tried(self.slug, now))

    async def _list_unread(self, why: str) -> None:
        """Try again soon; tell the owners once a day while the prices grow old."""
        now = self._clock()

        def later(books: SqlBooks) -> int:
            books.calls.set_list_due(self.slug, now + LIST_AGAIN)
            return books.shelf.stored(self.slug)[1]

        since = await self._keep(later)
        if since and now - since > OLD_PRICES:
            await self._alert("list_unread", f"list:{now // (24 * HOUR)}", "", why)

    async def _stock(self, prices: PriceList) -> None:
        sold = [
            (game.slug, listing)
            for listing in prices.listings
            if listing.available
            and len(listing.sku.encode()) <= _LONGEST_SKU
            and (game := catalogue.game_of(listing.category, self._games)) is not None
        ]
        now = self._clock()
        kept = await self._keep(lambda books: _restock(books, self.slug, sold, now))
        log.info(
            "list.read", supplier=self.slug, sold=len(sold), dropped=prices.dropped, kept_old=kept
        )

    async def _check_the_key(self) -> None:
        """Have the list read soon: it tells a refused key from one call that was refused."""
        now = self._clock()
        if now - self._listed_at >= LIST_AGAIN:
            await self._keep(lambda books: books.calls.set_list_due(self.slug, now))

    async def _close(self, error: Misconfigured) -> None:
        """Take the supplier off the shelf until its list can be read again, and tell the owners."""
        now = self._clock()

        def off_the_shelf(books: SqlBooks) -> None:
            books.shelf.replace(self.slug, (), now)
            books.calls.set_list_due(self.slug, now + LIST_AGAIN)

        await self._keep(off_the_shelf)
        day = now // (24 * HOUR)
        await self._alert("misconfigured", f"{day}", "", str(error))

    async def _alert(self, alert: str, occasion: str, order_id: str, evidence: str) -> None:
        """Tell the owners, once for each occasion."""
        now = self._clock()
        notice = Notice(
            key=f"alert:{self.slug}:{alert}:{occasion}",
            kind=NoticeKind.ALERT,
            address="",
            order_id=order_id,
            facts={"alert": alert, "supplier": self._supplier.title, "evidence": evidence},
        )
        await self._keep(lambda books: books.outbox.owe_owners(notice, now))

    async def _went_away(self, error: SupplierError) -> None:
        """Note once that a supplier gives no answers; pause if it says that we ask too often."""
        if isinstance(error, Unavailable) and error.busy:
            now = self._clock()
            await self._keep(lambda books: calls.pause(books, self.slug, now))
        if not self._down:
            log.warning("supplier.away", supplier=self.slug, why=str(error))
        self._down = str(error)

    def _came_back(self) -> None:
        if self._down:
            log.info("supplier.back", supplier=self.slug)
        self._down = ""


def _name(opening: Opening) -> str:
    return opening.value if isinstance(opening, NotOpened) else "opened"


def _restock(
    books: SqlBooks, supplier: str, sold: Sequence[tuple[str, Listing]], now: Millis
) -> bool:
    """Replace the shelf; keep the old one for an hour if the new one is less than half of it."""
    before, since = books.shelf.stored(supplier)
    if 2 * len(sold) >= before or (sold and now - since >= BELIEVES_AFTER):
        books.shelf.replace(supplier, sold, now)
        return False
    facts: Facts = {
        "alert": "list_kept",
        "supplier": supplier,
        "evidence": f"{before} → {len(sold)}",
    }
    key = f"alert:{supplier}:list:{before}:{len(sold)}:{since}"
    notice = Notice(key=key, kind=NoticeKind.ALERT, address="", facts=facts)
    books.outbox.owe_owners(notice, now)
    return True
