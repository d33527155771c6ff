"""When to ask a supplier next: denser while a payment is likely, thinner as a QR ages.

A QR falls due as if it were the only one: what is due the longest is asked about first
(``shop.calls``), so a crowd shares the budget evenly and none of it lies idle. Who has paid and
been told so can wait better than who has paid and hears nothing: orders being delivered let every
other order have its turn before they fall due again.
``benchmarks/p7_call_budget.py`` measures what this gives.
"""

from shop.orders import Order, Status
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
_RECHECKS = {Status.REFUND_DUE: _LATE_PAYMENTS, Status.DELIVERED: _LATE_SERIALS}


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
    """Return when to ask about ``order`` again, ``poll`` from now at the earliest, or never.

    ``fair``: how long it takes to ask about every waiting order once. An order being delivered is
    left alone for that long, a minute at the most.
    """
    match order.status:
        case _ if order.invoice is None:
            return None
        case Status.AWAITING_PAYMENT:
            return _while_awaiting(order, now, poll)
        case Status.PROCESSING:
            age = now - (order.settled_at or order.changed_at)
            pause = _interval(_PROCESSING, age, poll) or 5 * MINUTE
            return now + max(pause, min(fair, _LONGEST_TURN))
        case Status.CANCELLED | Status.EXPIRED:
            return _after_the_end(order, now, poll)
        case _:
            offsets = () if order.serial else _RECHECKS.get(order.status, ())
            return _next_of(offsets, order.changed_at, now + poll)


def _while_awaiting(order: Order, now: Millis, poll: Millis) -> Millis:
    if now >= undecided_at(order):
        return now + (10 * MINUTE if now < undecided_at(order) + 24 * HOUR else HOUR)
    pause = _interval(_AWAITING, now - order.created_at, poll) or 5 * MINUTE
    end = lapses_at(order)
    return max(min(now + pause, end), now + poll) if now < end else now + pause


def _after_the_end(order: Order, now: Millis, poll: Millis) -> Millis | None:
    ends = max(ends_at(order), order.changed_at if order.status is Status.EXPIRED else 0)
    if now < ends:
        return max(min(now + 12 * poll, ends + SECOND), now + poll)
    return _next_of(_LATE_PAYMENTS, ends, now + poll)


def _interval(table: tuple[tuple[Millis, int], ...], age: Millis, poll: Millis) -> Millis | None:
    return next((polls * poll for upto, polls in table if age < upto), None)


def _next_of(offsets: tuple[Millis, ...], start: Millis, after: Millis) -> Millis | None:
    """Return the first of ``start + offset`` that lies after ``after``."""
    moments = [start + offset for offset in offsets]
    return next((moment for moment in moments if moment > after), None)
