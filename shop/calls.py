"""Whose turn it is to be asked about: one call budget a supplier, one order of precedence.

ZulTopup allows 60 requests a minute and key (its document, "Rate limit"). Whether that is counted
in fixed or sliding minutes it does not say: fewer than 60 in any 61 s satisfies both, and leaves
room for a call that was slow to get there.

A new QR is not held back because many are open: a buyer who must wait for one leaves, while with
many open the news of a payment merely comes later, for all alike, and whoever says that they have
paid is asked about ahead of it. Half of the budget is all that new QRs can take.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from shop import fulfilment, routing, settling, watching
from shop.orders import ENDED, PAID_FOR, Order, Status
from shop.payments import PaymentMethod
from shop.ports import Books
from shop.time import HOUR, MINUTE, SECOND, Millis

WINDOW: Millis = 61 * SECOND
MOST_CALLS = 58
MOST_OF = 30  # claims, and openings: half of the budget each
PACE: Millis = WINDOW // MOST_CALLS  # between two scheduled questions: no bursts, no long waits
LONGEST_CALL: Millis = 60 * SECOND
LEASE: Millis = 75 * SECOND  # longer than any call may take
BUSY_PAUSE: Millis = 15 * SECOND  # when a supplier says that we ask too often
LIST_EVERY: Millis = 10 * MINUTE
LIST_FRESH: Millis = MINUTE
PRICE_AGAIN: Millis = 2 * MINUTE  # until there is an answer
ALONE_EVERY: Millis = MINUTE
COMPARE_EVERY: Millis = 24 * HOUR
COMPARE_AGAIN: Millis = 2 * MINUTE  # until there is an answer
LONGEST_TIMER: Millis = 49 * HOUR  # of an order
_NEVER: Millis = 2**60
LONGEST_PAUSE: Millis = HOUR  # of a message


class Purpose(StrEnum):
    """What a call is for, most urgent first."""

    SUBMIT = "submit"  # a paid order wants to be delivered
    CLAIM = "claim"  # a customer says they have paid
    OPEN = "open"  # a new order wants its QR
    BALANCE = "balance"  # the owner asks, or the books are compared
    LIST = "list"  # the price list: rarely, but then ahead of the many questions
    WATCH = "watch"  # scheduled questions
    PRICE = "price"  # of one item, whose orders wait until it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """Open the invoice of ``order``, which is written down as being opened."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Have ``order`` delivered, whose attempt is written down as being made."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AskInvoice:
    """Ask about the invoice of ``order``."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDeposits:
    """Ask about all open deposits in one; ``order`` is the one that is due."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTopup:
    """Ask about the attempt of ``order``."""

    order: Order
    may_repeat: bool = False  # by sending it again


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBalance:
    """Ask for our balance, for the owner at ``address``; for the books alone if it is empty."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPrice:
    """Ask what one item of the list costs now."""

    sku: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchList:
    """Fetch the price list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing may or need be asked before ``until``, unless something happens."""

    until: Millis


Call: TypeAlias = (
    Submit | OpenInvoice | AskInvoice | AskDeposits | AskTopup | AskBalance | AskPrice | FetchList
)


def purpose_of(call: Call) -> Purpose:
    """Return what a call is for."""
    match call:
        case Submit():
            return Purpose.SUBMIT
        case OpenInvoice():
            return Purpose.OPEN
        case AskInvoice(order=order) | AskTopup(order=order) | AskDeposits(order=order):
            return Purpose.WATCH if order.claimed_at is None else Purpose.CLAIM
        case AskBalance():
            return Purpose.BALANCE
        case AskPrice():
            return Purpose.PRICE
        case FetchList():
            return Purpose.LIST
        case _:
            assert_never(call)


def next_call(books: Books, supplier: str, now: Millis) -> Call | Idle:
    """Choose the next call to ``supplier``, and write it down; the caller commits, then makes it.

    A call that is never made after all costs one of the budget, and its lease brings it back. A
    supplier that does not count our calls has no budget.
    """
    limited = books.rules.abilities_of(supplier).counts_calls
    _clear_away(books, supplier, now)
    paused_until = books.calls.paused_until(supplier)
    if now < paused_until <= now + BUSY_PAUSE:  # a later end is that of a clock that was wrong
        return Idle(until=paused_until)
    # Calls noted further ahead than a window were noted by a clock that was wrong.
    made = books.calls.made_between(supplier, now - WINDOW, now + WINDOW) if limited else ()
    if len(made) >= MOST_CALLS:
        return Idle(until=made[len(made) - MOST_CALLS][0] + WINDOW)
    budget = _Budget(made=made, now=now)
    found = _choose(books, supplier, budget)
    if found is None:
        return Idle(until=_next_moment(books, supplier, budget))
    purpose, call = found
    if limited:
        books.calls.record(supplier, purpose, now)
    return call


def pause(books: Books, supplier: str, now: Millis) -> None:
    """Leave a supplier alone for a while, in every process: it says that we ask too often."""
    books.calls.pause(supplier, now + BUSY_PAUSE)


def wake_up(books: Books, suppliers: Sequence[str], now: Millis, *, alone: bool = True) -> None:
    """Begin after a stop: price lists are fetched, and timers nobody can have meant come due.

    ``alone``: no other process can still be making a call, so all leases end, and every open
    invoice is asked about at once. Otherwise a lease ends by itself.
    """
    books.orders.come_due(now, latest=now + LONGEST_TIMER)
    if alone:
        books.orders.end_leases(now)
    books.outbox.come_due(now, latest=now + LONGEST_PAUSE)
    books.cases.come_due(now, latest=now + LONGEST_TIMER)
    books.calls.come_due(now, latest=now + LONGEST_TIMER)
    for supplier in suppliers:
        if not list_is_fresh(books, supplier, now):
            books.calls.set_list_due(supplier, now)


def wait_without(books: Books, supplier: str, now: Millis) -> None:
    """Leave for later what is due at a supplier that nobody can ask; say so where it takes long.

    What is paid and not ordered goes to an offer of another that the owner has confirmed.
    """
    _clear_away(books, supplier, now)
    while (order := books.orders.next_paid(supplier, now)) is not None:
        fulfilment.put_off(books, order, now)
    while (order := books.orders.next_watched(supplier, now)) is not None:
        if order.status in ENDED:
            books.orders.note(replace(order, due_at=None))
        elif order.is_prepaid and order.status in PAID_FOR:
            fulfilment.unanswered(books, order.id, now)
        else:
            settling.unanswered(books, order.id, now, now)


def list_is_fresh(books: Books, supplier: str, now: Millis) -> bool:
    """Tell whether a price list was fetched, or could not be, in the last minute, by any process.

    Processes that start together, or one that starts again and again, then ask for it once.
    """
    return now - LIST_FRESH < books.calls.list_tried_at(supplier) <= now


def _clear_away(books: Books, supplier: str, now: Millis) -> None:
    """Give up what nobody can finish: openings whose caller is gone, quotes that ran out."""
    while (lost := books.orders.next_lost_opening(supplier, now)) is not None:
        settling.opening_lost(books, lost, now)
    while (unanswered := books.orders.next_lost_submission(supplier, now)) is not None:
        fulfilment.lost(books, unanswered, now)
    while (late := books.orders.next_outdated(supplier, now)) is not None:
        settling.give_up(books, late, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Budget:
    """The calls of the last window, and what they leave."""

    made: Sequence[tuple[Millis, str]]
    now: Millis

    def free_at(self, purpose: Purpose) -> Millis:
        """Return from when on a call for ``purpose`` may be made."""
        mine = [at for at, what in self.made if what == purpose]
        if purpose is Purpose.WATCH and mine:
            return mine[-1] + PACE
        if purpose in _HALVED and len(mine) >= MOST_OF:
            return mine[len(mine) - MOST_OF] + WINDOW
        return self.now

    def allows(self, purpose: Purpose) -> bool:
        return self.free_at(purpose) <= self.now


_HALVED = frozenset({Purpose.SUBMIT, Purpose.CLAIM, Purpose.OPEN})


def _choose(books: Books, supplier: str, budget: _Budget) -> tuple[Purpose, Call] | None:
    """Return the most urgent call that the budget allows."""
    return next(
        (
            (purpose, call)
            for purpose, choose in _CHOOSERS.items()
            if budget.allows(purpose) and (call := choose(books, supplier, budget.now)) is not None
        ),
        None,
    )


def _submit(books: Books, supplier: str, now: Millis) -> Call | None:
    """Begin to have a paid order delivered; one that became too dear is given back on the way."""
    away = supplier in books.health.away(now)
    while (order := books.orders.next_paid(supplier, now)) is not None:
        if away:
            fulfilment.put_off(books, order, now)
            continue
        if books.shelf.is_being_asked(supplier, order.sku):
            fulfilment.wait(books, order, now, fulfilment.WAIT_FOR_PRICE)
            continue
        if books.orders.submitting(supplier) >= fulfilment.MOST_SUBMITTING:
            return None
        started = fulfilment.start(books, order, now + LEASE, now)
        if started.status is Status.SUBMITTING:
            return Submit(order=started)
    return None


def _claim(books: Books, supplier: str, now: Millis) -> Call | None:
    order = books.orders.next_claimed(supplier, now)
    return None if order is None else _ask(books, order, now)


def _open(books: Books, supplier: str, now: Millis) -> Call | None:
    while (order := books.orders.next_placed(supplier, now)) is not None:
        if routing.is_still_sold(books, order):
            return OpenInvoice(order=settling.start_opening(books, order, now + LEASE, now))
        settling.give_up(books, order, now)
    return None


def _balance(books: Books, supplier: str, now: Millis) -> Call | None:
    address = books.calls.next_balance_request(supplier)
    if address is None and _compares_at(books, supplier) > now:
        return None
    # Whoever asks, the books are compared with the answer.
    if _compares_at(books, supplier) != _NEVER:
        books.calls.set_compare_at(supplier, now + COMPARE_AGAIN)
    return AskBalance(address=address or "")


def _compares_at(books: Books, supplier: str) -> Millis:
    """Return when the books are next compared; never, while nothing is sold from a balance.

    Where only dropship is sold, they are from the owner's first own entry on.
    """
    if not books.rules.abilities_of(supplier).tells_balance:
        return _NEVER
    at = books.calls.compare_at(supplier)
    return at if at or books.rules.sells_from_balance else _NEVER


def _price(books: Books, supplier: str, now: Millis) -> Call | None:
    sku = books.shelf.next_price_question(supplier, now)
    if sku is None:
        return None
    books.shelf.ask_price(supplier, sku, now + PRICE_AGAIN)
    return AskPrice(sku=sku)


def _list(books: Books, supplier: str, now: Millis) -> Call | None:
    if books.calls.list_due_at(supplier) > now:
        return None
    books.calls.set_list_due(supplier, now + LIST_EVERY)
    return FetchList()


def _watch(books: Books, supplier: str, now: Millis) -> Call | None:
    order = _next_watched(books, supplier, now)
    if order is None:
        return None
    if _is_asked_about_together(books, order, now):
        books.orders.note(replace(order, due_at=now + LEASE))
        return AskDeposits(order=order)
    return _ask(books, order, now)


def _next_watched(books: Books, supplier: str, now: Millis) -> Order | None:
    """Return what is asked about next; where nobody can be asked, only say that it takes long."""
    while (order := books.orders.next_watched(supplier, now)) is not None:
        if watching.can_be_asked_about(order):
            return order
        fulfilment.unanswered(books, order.id, now)
    return None


def _is_asked_about_together(books: Books, order: Order, now: Millis) -> bool:
    """Tell whether the history of deposits, which serves all that are open, is asked for instead.

    It proves what was paid, never what was not, and may leave things out: each deposit is asked
    about alone once a minute, and at its end.
    """
    if order.method is not PaymentMethod.DEPOSIT or order.status is not Status.AWAITING_PAYMENT:
        return False
    lately = now - (order.asked_at or order.created_at) < ALONE_EVERY
    return (
        lately and now < watching.lapses_at(order) and books.orders.open_deposits(order.gateway) > 1
    )


# In the order of ``Purpose``: the most urgent first.
_CHOOSERS: Mapping[Purpose, Callable[[Books, str, Millis], Call | None]] = {
    Purpose.SUBMIT: _submit,
    Purpose.CLAIM: _claim,
    Purpose.OPEN: _open,
    Purpose.BALANCE: _balance,
    Purpose.LIST: _list,
    Purpose.WATCH: _watch,
    Purpose.PRICE: _price,
}


def _ask(books: Books, order: Order, now: Millis) -> AskInvoice | AskTopup:
    books.orders.note(replace(order, due_at=now + LEASE, asked_at=now))
    paid_for = order.is_prepaid and order.status in PAID_FOR
    if not paid_for:
        return AskInvoice(order=order)
    return AskTopup(order=order, may_repeat=fulfilment.may_be_repeated(books, order))


def _next_submission(books: Books, supplier: str) -> Millis | None:
    """Return when a paid order can next be submitted; the end of a call is news of its own."""
    busy = books.orders.submitting(supplier) >= fulfilment.MOST_SUBMITTING
    return None if busy else books.orders.next_submission_at(supplier)


def _next_moment(books: Books, supplier: str, budget: _Budget) -> Millis:
    """Return when the budget or a timer next allows something."""
    moments = [books.calls.list_due_at(supplier), _compares_at(books, supplier)]
    if (watched := books.orders.next_watch_at(supplier)) is not None:
        moments.append(max(watched, budget.free_at(Purpose.WATCH)))
    if books.orders.next_claimed(supplier, budget.now) is not None:
        moments.append(budget.free_at(Purpose.CLAIM))
    if (placed := books.orders.next_opening_at(supplier)) is not None:
        moments.append(max(placed, budget.free_at(Purpose.OPEN)))
    if (asked := books.shelf.next_price_question_at(supplier)) is not None:
        moments.append(asked)
    if (paid := _next_submission(books, supplier)) is not None:
        moments.append(max(paid, budget.free_at(Purpose.SUBMIT)))
    return max(min(moments), budget.now)
