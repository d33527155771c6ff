"""Prepaid orders: have them delivered from our balance, once."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

from shop import health, moving, paying, watching
from shop.cases import CaseKind
from shop.moving import Because, go
from shop.notices import Facts
from shop.orders import Attempt, Event, Order, Status, may
from shop.ports import Books
from shop.settling import NotOpened, say_it_takes_long, tell_unknown_word
from shop.suppliers import (
    NotSold,
    OutOfBalance,
    Refused,
    StatusRequest,
    TopupReport,
    TopupRequest,
    TopupState,
    WrongAccount,
)
from shop.text import visible
from shop.time import HOUR, MINUTE, SECOND, Millis

Outcome: TypeAlias = TopupReport | Refused | NotOpened

MOST_SUBMITTING = 4  # calls under way at one supplier: what may be unsure after a crash
FRESH: Millis = 24 * HOUR  # older prices say nothing
REPEAT_WITHIN: Millis = 9 * MINUTE  # of an attempt; a person is asked after ten (shop.watching)
WAIT_FOR_SUPPLIER: Millis = MINUTE
WAIT_FOR_PRICE: Millis = 5 * SECOND
_REPORTED: Mapping[TopupState, Event] = MappingProxyType(
    {
        TopupState.PENDING: Event.ACCEPTED,
        TopupState.DELIVERED: Event.DELIVERED,
        TopupState.PARTIAL: Event.PARTLY,
        TopupState.FAILED: Event.FAILED,
    }
)
_NOT_ACCEPTED: Mapping[NotOpened, Event] = MappingProxyType(
    {
        NotOpened.NOT_SENT: Event.NOT_SENT,
        NotOpened.UNKNOWN: Event.OUTCOME_UNKNOWN,
    }
)
# What may be heard again and again in a status without meaning anything new.
_OLD_NEWS: Mapping[Status, frozenset[TopupState]] = MappingProxyType(
    {
        Status.SUBMITTING: frozenset({TopupState.UNREADABLE}),  # our own call will tell
        Status.PROCESSING: frozenset({TopupState.PENDING, TopupState.UNREADABLE}),
        Status.UNSURE: frozenset({TopupState.UNREADABLE}),
        Status.PARTLY_DELIVERED: frozenset({TopupState.PARTIAL, TopupState.UNREADABLE}),
        Status.DELIVERED: frozenset({TopupState.DELIVERED, TopupState.UNREADABLE}),
        Status.REFUND_DUE: frozenset(set(TopupState) - {TopupState.DELIVERED, TopupState.PARTIAL}),
        Status.REFUNDED: frozenset(set(TopupState) - {TopupState.DELIVERED, TopupState.PARTIAL}),
    }
)
_GIVEN_BACK = frozenset({Status.REFUND_DUE, Status.REFUNDED})
_TRYING = frozenset({Event.SUBMISSION_STARTED, Event.NOT_SENT})
_COSTS = frozenset({TopupState.PENDING, TopupState.DELIVERED, TopupState.PARTIAL})


def start(books: Books, order: Order, lease_until: Millis, now: Millis) -> Order:
    """Write down the next attempt with our reference; the caller commits, then makes the call.

    If the item has become dearer than its price, the money is given back instead, unless the owner
    has just said to deliver it all the same: look at the status.
    """
    offer = books.shelf.offer(order.supplier, order.sku, now - FRESH)
    cost = order.cost if offer is None else offer.listed
    if cost > order.price and not _is_the_owners_wish(books, order):
        words = f"{order.supplier} {order.sku}: {order.cost} → {cost}"
        return paying.give_back(books, order, Event.TOO_DEAR, now, Because(evidence=words))
    nth, abilities = order.tries + 1, books.rules.abilities_of(order.supplier)
    attempt = Attempt(
        nth=nth,
        ref=f"{order.id}-{order.supplier}-{nth}",
        supplier=order.supplier,
        sku=order.sku,
        cost=cost,
        by_our_ref=abilities.knows_our_ref,
        calls_back=abilities.calls_back,
        started_at=now,
    )
    because = Because(lease_until=lease_until)
    return go(books, order, Event.SUBMISSION_STARTED, now, because, tries=nth, attempt=attempt)


def wait(books: Books, order: Order, now: Millis, span: Millis = WAIT_FOR_SUPPLIER) -> Order:
    """Leave a paid order for ``span`` milliseconds, and say so if it takes long.

    Its supplier is away, or what the item costs now is being asked.
    """
    told = say_it_takes_long(books, order, now)
    waiting = replace(told, due_at=now + span)
    books.orders.note(waiting)
    return waiting


def request_of(order: Order) -> TopupRequest:
    """Return what is asked for in the present attempt of an order."""
    attempt = _attempt_of(order)
    return TopupRequest(
        ref=attempt.ref,
        sku=attempt.sku,
        user_id=order.user_id,
        server=order.server,
        target=order.target,
    )


def question_about(order: Order, now: Millis, *, repeats_are_questions: bool) -> StatusRequest:
    """Return how to ask about the present attempt of an order.

    One that may have been made is sent again as a question only where that orders nothing new, only
    within minutes, and before a person is asked: nobody gives back what is then being ordered.
    """
    attempt = _attempt_of(order)
    may_repeat = (
        repeats_are_questions
        and order.status is Status.UNSURE
        and not attempt.supplier_ref
        and 0 <= now - attempt.started_at < REPEAT_WITHIN
    )
    return StatusRequest(
        ref=attempt.ref,
        supplier_ref=attempt.supplier_ref or attempt.told_ref,
        repeat=request_of(order) if may_repeat else None,
    )


def _attempt_of(order: Order) -> Attempt:
    if order.attempt is None:
        raise LookupError(f"{order.id} has no attempt")
    return order.attempt


def _is_the_owners_wish(books: Books, order: Order) -> bool:
    events = (happened.event for happened in reversed(books.orders.history(order.id)))
    return next(event for event in events if event not in _TRYING) is Event.PROCEEDED


def submitted(
    books: Books, asked: Order, outcome: Outcome, now: Millis, evidence: str = ""
) -> Order:
    """Take in the answer to ``start``; ``asked`` is what that returned.

    An answer that comes after the lease ran out is one more report.
    """
    order = _the(books, asked.id)
    if order.version != asked.version:
        late = isinstance(outcome, TopupReport) and _same_attempt(order, asked)
        # Of what was given back meanwhile it is news, however long ago it was asked for.
        asked_at = now if order.status in _GIVEN_BACK else order.changed_at - 1
        return reported(books, order, outcome, asked_at, now) if late else order  # type: ignore[arg-type]
    if isinstance(outcome, TopupReport):
        return _take_in(books, order, _read(books, order, outcome, now), now)
    if isinstance(outcome, Refused):
        because = Because(evidence=evidence, facts=_learn_from(books, order, outcome, now))
        return paying.give_back(books, order, Event.FAILED, now, because)
    event = _NOT_ACCEPTED[outcome]
    because = Because(evidence=evidence)
    if event is Event.OUTCOME_UNKNOWN:
        return doubted(books, order, now, evidence)
    waiting = go(books, order, event, now, because)
    told = say_it_takes_long(books, waiting, now)
    if told is not waiting:
        books.orders.note(told)
    return told


def _learn_from(books: Books, order: Order, refused: Refused, now: Millis) -> Facts:
    """Take in why a supplier refused an order; return what its customer should know of it."""
    supplier = order.supplier
    match refused:
        case NotSold():
            books.shelf.withhold(supplier, order.sku)
        case OutOfBalance():
            health.has_no_balance(books, supplier, _attempt_of(order).cost, str(refused), now)
        case WrongAccount(nickname=nickname, region=region, wanted=wanted):
            told = {"nickname": nickname, "region": region, "wanted": wanted}
            return {"wrong": "account", **{name: visible(text) for name, text in told.items()}}
        case _:
            books.calls.compare_soon(supplier, now)  # our balance there may be empty
    return {}


def _same_attempt(order: Order, asked: Order) -> bool:
    return order.attempt is not None and order.tries == asked.tries


def doubted(books: Books, order: Order, now: Millis, evidence: str) -> Order:
    """Take in that an order may have been made: a person decides unless the supplier can tell.

    The supplier's balance is looked at: it is evidence, not proof (docs/suppliers.md).
    """
    books.calls.compare_soon(order.supplier, now)
    return go(books, order, Event.OUTCOME_UNKNOWN, now, Because(evidence=evidence))


def lost(books: Books, order: Order, now: Millis) -> Order:
    """Take in that nobody is making the call of a submission any more."""
    return doubted(books, order, now, "no answer was kept")


def reported(
    books: Books, asked: Order, report: TopupReport, asked_at: Millis, now: Millis
) -> Order:
    """Take in a supplier's answer about the attempt of ``asked``, asked for at ``asked_at``.

    Of an attempt that was followed by another nothing is believed: that is a case.
    """
    order = _the(books, asked.id)
    report = _read(books, order, report, now)
    if order.tries != asked.tries:
        if report.state is not TopupState.MISSING:
            words = f"{asked.attempt.ref if asked.attempt else asked.id}: {report.note}"
            moving.open_case(books, order, CaseKind.CONFLICT, words, now)
        return order
    if report.state is TopupState.MISSING:
        return _unmoved(books, order, now, report.note)
    event = _event_of(order, report)
    if event is not None:
        return _take_in(books, order, report, now)
    old_news = _is_known(order, report)
    if not old_news and asked_at >= order.changed_at:
        moving.open_case(books, order, CaseKind.CONFLICT, report.note, now)
    return _unmoved(books, order, now)


def _read(books: Books, order: Order, report: TopupReport, now: Millis) -> TopupReport:
    """Tell of a word nobody has explained; a serial number is nobody's but the buyer's."""
    if report.serial:
        report = replace(report, note=report.note.replace(report.serial, "***"))
    if report.strange:
        tell_unknown_word(books, order, report.words, report.note, now)
    return report


def unanswered(books: Books, order_id: str, now: Millis) -> Order:
    """Take in that a question had no usable answer: nothing moves; it is asked again later."""
    return _unmoved(books, _the(books, order_id), now)


def _event_of(order: Order, report: TopupReport) -> Event | None:
    if order.status is Status.DELIVERED:
        arrived = report.state is TopupState.DELIVERED and report.serial and not order.serial
        return Event.SERIAL_ARRIVED if arrived else None
    event = _REPORTED.get(report.state)
    if event is Event.FAILED and report.returned and _has_cost(order):
        event = Event.FAILED if may(order, Event.FAILED) else Event.COST_RETURNED
    return event if event is not None and may(order, event) else None


def _is_known(order: Order, report: TopupReport) -> bool:
    """Tell whether a state was heard before, or is a loss that the owner has recorded."""
    if order.lost and report.state is TopupState.DELIVERED:
        return True
    return report.state in _OLD_NEWS.get(order.status, frozenset())


def is_old_news(order: Order, report: TopupReport) -> bool:
    """Tell whether a report says nothing that an order does not show already."""
    if order.status is Status.DELIVERED and not order.serial:
        return False
    if report.state is TopupState.UNREADABLE:
        return False
    return _is_known(order, report)


def _has_cost(order: Order) -> bool:
    return order.attempt is not None and order.attempt.charged > 0


def _take_in(books: Books, order: Order, report: TopupReport, now: Millis) -> Order:
    event = _event_of(order, report)
    if event is None:  # nothing certain, as the first answer: it may well be accepted
        return doubted(books, order, now, report.note)
    learnt: dict[str, Any] = {
        "attempt": _charged(order, report),
        "serial": report.serial or order.serial,
    }
    because = Because(evidence=report.note)
    if event is Event.FAILED:
        return paying.give_back(books, order, event, now, because, **learnt)
    return go(books, order, event, now, because, **learnt)


def _charged(order: Order, report: TopupReport) -> Attempt | None:
    """Return the attempt with what this answer tells of it: its id, and what it costs us."""
    attempt = order.attempt
    if attempt is None:
        return None
    attempt = replace(attempt, supplier_ref=attempt.supplier_ref or report.supplier_ref)
    if report.state in _COSTS and not attempt.charged:
        return replace(attempt, charged=attempt.cost if report.cost is None else report.cost)
    if report.state is TopupState.FAILED and report.returned:
        return replace(attempt, charged=0)
    return attempt


def _unmoved(books: Books, order: Order, now: Millis, words: str = "") -> Order:
    """Say so if it takes long, ask a person if nobody else can tell, and set the next question."""
    if order.status is Status.SUBMITTING:  # its timer is the lease of our own call
        return order
    order = say_it_takes_long(books, order, now)
    if watching.may_resolve(order) and now >= watching.doubtful_at(order):
        _ask_a_person(books, order, words, now)
    order = replace(order, due_at=moving.next_due(books, order, now), claimed_at=None)
    books.orders.note(order)
    return order


def _ask_a_person(books: Books, order: Order, words: str, now: Millis) -> None:
    """Ask the owner once; our balance there is looked at again, and stands beside the question."""
    if books.cases.open_for(order.id) is None:
        books.calls.compare_soon(order.supplier, now)
    moving.open_case(books, order, CaseKind.AMBIGUOUS, words, now)


def _the(books: Books, order_id: str) -> Order:
    order = books.orders.get(order_id)
    if order is None:
        raise LookupError(order_id)
    return order
