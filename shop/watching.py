"""When to ask a supplier next: denser while a payment is likely, thinner as a QR ages.

A QR falls due as if it were the only one: what is due the longest is asked about first
(``shop.calls``), so a crowd shares the budget evenly and none of it lies idle. Who has paid and
been told so can wait better than who has paid and hears nothing: orders being delivered let every
other order have its turn before they fall due again.
``benchmarks/p7_call_budget.py`` measures what this gives.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from shop.orders import HOUSE, PAID_FOR, Attempt, Order, Status
from shop.time import HOUR, MINUTE, SECOND, Millis

GRACE: Millis = 2 * MINUTE  # after a QR's end, before an unpaid order may lapse
TAKES_LONG: Millis = 15 * MINUTE  # being delivered for longer than this is a case

LIKELY_UNTIL: Millis = 5 * MINUTE  # most people who pay have paid by then
# (up to this age, ask every so many polls)
_AWAITING = ((LIKELY_UNTIL, 1), (15 * MINUTE, 2), (HOUR, 12))
_PROCESSING = ((2 * MINUTE, 1), (TAKES_LONG, 4))
_LONGEST_TURN: Millis = MINUTE  # stuck and old orders count as waiting, but take few turns
_LATE_PAYMENTS = (5 * MINUTE, 30 * MINUTE, 6 * HOUR, 24 * HOUR)
_LATE_SERIALS = (1 * MINUTE, 5 * MINUTE, 30 * MINUTE, 6 * HOUR)
_RECHECKS = {
    Status.REFUND_DUE: _LATE_PAYMENTS,
    Status.REFUNDED: _LATE_PAYMENTS,
    Status.PARTLY_DELIVERED: _LATE_PAYMENTS,
    Status.DELIVERED: _LATE_SERIALS,
}
# How an order that may have been made is told from one that was not (docs/suppliers.md).
_UNSURE = (2 * SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND)
# Until a person is asked about an order that may have been made: where the supplier can be asked,
# and where it may yet tell us by itself (docs/suppliers.md, "A lost answer").
_DOUBT_ASKED: Millis = 10 * MINUTE
_DOUBT_TOLD: Millis = 30 * MINUTE
# After a call that never left: each time twice as long.
_SUBMIT_AGAIN: Millis = 15 * SECOND
_SUBMIT_AGAIN_MOST: Millis = 5 * MINUTE


def lapses_at(order: Order) -> Millis:
    """Return from when on an order that the supplier calls unpaid has lapsed."""
    return ends_at(order) + GRACE


def undecided_at(order: Order) -> Millis:
    """Return from when on an order that nobody calls paid or unpaid is a case."""
    return lapses_at(order) + 30 * MINUTE


def ends_at(order: Order) -> Millis:
    """Return when the order's QR runs out, or is taken to, where the supplier did not say."""
    invoice = order.invoice
    said = invoice.expires_at if invoice is not None else None
    return order.quote_until if said is None else said


def next_question(order: Order, now: Millis, poll: Millis, fair: Millis = 0) -> Millis | None:
    """Return when something is to be done about ``order`` next, or never.

    Questions come ``poll`` from now at the earliest. ``fair``: how long it takes to ask about every
    waiting order once. An order being delivered is left alone for that long, a minute at the most.
    """
    if order.status is Status.PAID:
        return now + _submit_again(order) if order.tries else now
    if not can_be_asked_about(order):
        return _when_to_say_so(order, now)
    if order.status is Status.PROCESSING:
        return _while_processing(order, now, poll, fair)
    return _SCHEDULES.get(order.status, _recheck)(order, now, poll)


def _when_to_say_so(order: Order, now: Millis) -> Millis | None:
    """Return when to tell that an order nobody can be asked about takes long; never twice."""
    if order.status not in {Status.UNSURE, Status.PROCESSING} or order.supplier == HOUSE:
        return None
    moments = [] if order.alarmed else [max(order.waits_since + TAKES_LONG, now)]
    if may_resolve(order) and now < doubtful_at(order):
        moments.append(doubtful_at(order))
    return min(moments, default=None)


def may_resolve(order: Order) -> bool:
    """Tell whether word may come of an order that may have been made, without a person's doing."""
    attempt = order.attempt
    if order.status is not Status.UNSURE or attempt is None or not _delivers_next(order, attempt):
        return False
    return attempt.calls_back or can_be_asked_about(order)


def _delivers_next(order: Order, attempt: Attempt) -> bool:
    """Tell whether the last attempt was at the offer that delivers next: no other stands in."""
    return (attempt.supplier, attempt.sku) == (order.supplier, order.sku)


def doubtful_at(order: Order) -> Millis:
    """Return when a person is asked about an order that may have been made."""
    return order.changed_at + (_DOUBT_ASKED if can_be_asked_about(order) else _DOUBT_TOLD)


def _submit_again(order: Order) -> Millis:
    return min(_SUBMIT_AGAIN << min(order.tries - 1, 10), _SUBMIT_AGAIN_MOST)


def can_be_asked_about(order: Order) -> bool:
    """Tell whether there is anything to ask about this order, or a moment at which it ends."""
    if order.is_prepaid and order.status in PAID_FOR:
        attempt = order.attempt
        return (
            attempt is not None
            and _delivers_next(order, attempt)  # who delivers next knows nothing of another's
            and (attempt.by_our_ref or bool(attempt.supplier_ref or attempt.told_ref))
        )
    ours_to_see = order.gateway == HOUSE and order.status is not Status.AWAITING_PAYMENT
    return order.invoice is not None and not ours_to_see


def _while_awaiting(order: Order, now: Millis, poll: Millis) -> Millis:
    if order.gateway == HOUSE:  # nobody is asked: the owner says that it came
        return max(lapses_at(order), now)
    if now >= undecided_at(order):
        return now + (10 * MINUTE if now < undecided_at(order) + 24 * HOUR else HOUR)
    pause = _interval(_AWAITING, now - order.created_at, poll) or 5 * MINUTE
    end = lapses_at(order)
    return max(min(now + pause, end), now + poll) if now < end else now + pause


def _while_processing(order: Order, now: Millis, poll: Millis, fair: Millis) -> Millis:
    age = now - (order.settled_at or order.changed_at)
    pause = _interval(_PROCESSING, age, poll) or 5 * MINUTE
    return now + max(pause, min(fair, _LONGEST_TURN))


def _while_unsure(order: Order, now: Millis, poll: Millis) -> Millis:
    due = _next_of(_UNSURE, order.changed_at, now) or now + MINUTE
    return due if now == order.changed_at else max(due, now + poll)


def _recheck(order: Order, now: Millis, poll: Millis) -> Millis | None:
    if order.serial or (order.status is Status.REFUNDED and not order.is_prepaid):
        return None
    return _next_of(_RECHECKS.get(order.status, ()), order.changed_at, now + poll)


def _after_the_end(order: Order, now: Millis, poll: Millis) -> Millis | None:
    ends = max(ends_at(order), order.changed_at if order.status is Status.EXPIRED else 0)
    if now < ends:
        return max(min(now + 12 * poll, ends + SECOND), now + poll)
    return _next_of(_LATE_PAYMENTS, ends, now + poll)


_SCHEDULES: Mapping[Status, Callable[[Order, Millis, Millis], Millis | None]] = MappingProxyType(
    {
        Status.AWAITING_PAYMENT: _while_awaiting,
        Status.UNSURE: _while_unsure,
        Status.CANCELLED: _after_the_end,
        Status.EXPIRED: _after_the_end,
    }
)


def _interval(table: tuple[tuple[Millis, int], ...], age: Millis, poll: Millis) -> Millis | None:
    return next((polls * poll for upto, polls in table if age < upto), None)


def _next_of(offsets: tuple[Millis, ...], start: Millis, after: Millis) -> Millis | None:
    """Return the first of ``start + offset`` that lies after ``after``."""
    moments = [start + offset for offset in offsets]
    return next((moment for moment in moments if moment > after), None)
