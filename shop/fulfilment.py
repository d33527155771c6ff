"""Prepaid orders: have them delivered from our balance, once."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

from shop import health, moving, paying, recognizing, rerouting, routing, watching
from shop.breaker import Outcome as Went
from shop.cases import CaseKind
from shop.charging import charged, tell_of_a_dear_charge
from shop.copied import is_of_a_copy
from shop.moving import Because, go
from shop.notices import Facts
from shop.orders import Attempt, Event, Order, Status, may
from shop.ports import Books
from shop.rerouting import rerouted
from shop.settling import NotOpened, say_it_takes_long, tell_unknown_word
from shop.shelf import Offer
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
from shop.time import MINUTE, SECOND, Millis

Outcome: TypeAlias = TopupReport | Refused | NotOpened

MOST_SUBMITTING = 4  # calls under way at one supplier: what may be unsure after a crash
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


def start(books: Books, order: Order, lease_until: Millis, now: Millis) -> Order:
    """Write down the next attempt with our reference; the caller commits, then makes the call.

    If the offer has become another good, is gone from a fresh list, or is dearer than it may be,
    another one stands in for it, or the money is given back: look at the status. What a dear one
    costs is its ceiling from then on: the owner is told of it, and a yes counts so far.
    """
    offer = books.shelf.as_listed(order.supplier, order.sku)
    cost = order.cost if offer is None else offer.listed
    if _is_another_good(books, order, offer, now):
        words = f"{order.supplier} {order.sku}: {order.item} → {offer.item if offer else '-'}"
        return _not_there(books, order, Event.CHANGED, words, now)
    if cost > order.may_cost:
        words = f"{order.supplier} {order.sku}: {order.cost} → {cost}"
        return _not_there(books, order, Event.TOO_DEAR, words, now, ceiling=cost)
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


def _is_another_good(books: Books, order: Order, offer: Offer | None, now: Millis) -> bool:
    """Tell whether an offer is not what was sold any more, or gone from a list of today."""
    if offer is None:
        return bool(order.good) and order.supplier in books.shelf.fresh(now - routing.FRESH)
    return not routing.is_as_sold(books, order, offer)


def _not_there(
    books: Books, order: Order, event: Event, words: str, now: Millis, **learnt: Any
) -> Order:
    because = Because(evidence=words)
    moved = rerouted(books, order, now, because)
    return moved or paying.give_back(books, order, event, now, because, **learnt)


def put_off(books: Books, order: Order, now: Millis) -> Order:
    """Have another offer deliver a paid order whose supplier is away, or leave it for a while."""
    because = Because(evidence=f"{order.supplier} is away")
    return rerouted(books, order, now, because) or wait(books, order, now)


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
        server=order.server_code or order.server,
        target=order.target,
    )


def may_be_repeated(books: Books, order: Order) -> bool:
    """Tell whether the present attempt of an order may be sent again as a question.

    Only one that may have been made, where that orders nothing new. But if its supplier never had
    it, it is ordered by this: so it must still be what was sold, for no more than it may cost, and
    nobody may have delivered it since a copy was made.
    """
    attempt = order.attempt
    if attempt is None or attempt.supplier_ref or order.status is not Status.UNSURE:
        return False
    repeats = books.rules.abilities_of(attempt.supplier).repeats_are_questions
    if not repeats or is_of_a_copy(books, order):
        return False
    offer = books.shelf.as_listed(attempt.supplier, attempt.sku)
    if offer is None or offer.listed > order.may_cost:
        return False
    return routing.is_as_sold(books, order, offer)


def question_about(order: Order, now: Millis, *, may_repeat: bool) -> StatusRequest:
    """Return how to ask about the present attempt of an order.

    One that may be repeated is, but only within minutes, and before a person is asked: nobody
    gives back what is then being ordered.
    """
    attempt = _attempt_of(order)
    soon = 0 <= now - attempt.started_at < REPEAT_WITHIN
    return StatusRequest(
        ref=attempt.ref,
        supplier_ref=attempt.supplier_ref or attempt.told_ref,
        repeat=request_of(order) if may_repeat and soon else None,
    )


def _attempt_of(order: Order) -> Attempt:
    if order.attempt is None:
        raise LookupError(f"{order.id} has no attempt")
    return order.attempt


def submitted(
    books: Books, asked: Order, outcome: Outcome, now: Millis, evidence: str = ""
) -> Order:
    """Take in the answer to ``start``; ``asked`` is what that returned.

    An answer that comes after the lease ran out is one more report.
    """
    order = _the(books, asked.id)
    _note_how_it_went(books, asked, outcome, now)
    if order.version != asked.version:
        if not isinstance(outcome, TopupReport):
            return order
        # Of what was given back meanwhile it is news, however long ago it was asked for.
        asked_at = now if order.status in _GIVEN_BACK else order.changed_at - 1
        return reported(books, asked, outcome, asked_at, now)
    match outcome:
        case TopupReport():
            return _take_in(books, order, _read(books, order, outcome, now), now)
        case Refused():
            return _refused(books, order, outcome, now, evidence)
        case NotOpened.UNKNOWN:
            return doubted(books, order, now, evidence)
        case _:
            return _not_sent(books, order, now, evidence)


def _refused(books: Books, order: Order, refused: Refused, now: Millis, evidence: str) -> Order:
    """Have another offer deliver what this one will not, or give the money back."""
    because = Because(evidence=evidence, facts=_learn_from(books, order, refused, now))
    # Of a wrong account another supplier would hear the same, or deliver to the wrong one.
    moved = None
    if not isinstance(refused, WrongAccount):
        moved = rerouted(books, order, now, because)
    return moved or paying.give_back(books, order, Event.FAILED, now, because)


def _not_sent(books: Books, order: Order, now: Millis, evidence: str) -> Order:
    waiting = go(books, order, Event.NOT_SENT, now, Because(evidence=evidence))
    told = say_it_takes_long(books, waiting, now)
    if told is not waiting:
        books.orders.note(told)
    return told


# What a refusal says of the item or of the account, and not of how its supplier works.
_NO_SIGN = (NotSold, OutOfBalance, WrongAccount)
_BAD_SIGNS = frozenset({TopupState.FAILED, TopupState.UNREADABLE})


def _note_how_it_went(books: Books, asked: Order, outcome: Outcome, now: Millis) -> None:
    """Note of the supplier whether it took an order, and how soon."""
    if isinstance(outcome, _NO_SIGN) or outcome is NotOpened.NOT_SENT:  # silence is noted apart
        return
    well = isinstance(outcome, TopupReport) and outcome.state not in _BAD_SIGNS
    took = max(now - _attempt_of(asked).started_at, 0)
    _note(books, asked, well=well, took=took, now=now)


def _note(books: Books, order: Order, *, well: bool, took: Millis, now: Millis) -> None:
    attempt = _attempt_of(order)
    went = Went(ref=attempt.ref, at=now, went_well=well, took=took, buyer=order.address)
    health.went(books, attempt.supplier, went)


def _learn_from(books: Books, order: Order, refused: Refused, now: Millis) -> Facts:
    """Take in why a supplier refused an order; return what its customer should know of it."""
    supplier = order.supplier
    match refused:
        case NotSold():
            books.shelf.withhold(supplier, order.sku)
        case OutOfBalance():
            health.has_no_balance(books, supplier, _attempt_of(order).cost, str(refused), now)
        case WrongAccount(nickname=nickname, region=region, wanted=wanted):
            recognizing.learn(books, order, nickname, region, now)
            told = {"nickname": nickname, "region": region, "wanted": wanted}
            return {"wrong": "account", **{name: visible(text) for name, text in told.items()}}
        case _:
            books.calls.compare_soon(supplier, now)  # our balance there may be empty
    return {}


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

    Of an attempt that was followed by another nothing is believed: what is news of it is a case.
    """
    order = _the(books, asked.id)
    report = _read(books, order, report, now)
    of_before = order.tries != asked.tries or rerouting.is_left_behind(order)
    if of_before and not _is_news_of_before(books, order, asked, report, now):
        return order
    if order.tries != asked.tries:
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


def _is_news_of_before(
    books: Books, order: Order, asked: Order, report: TopupReport, now: Millis
) -> bool:
    """Take in what a word about an attempt of before says of its cost; tell if it says more."""
    if report.state is TopupState.FAILED and report.returned:
        rerouting.cost_returned(books, order, asked.tries, report.note, now)
    if report.state is TopupState.MISSING:
        return False
    return rerouting.is_worth_hearing(books, order, asked.tries, report.state)


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
    recognizing.learn(books, order, report.nickname, report.region, now)
    event = _event_of(order, report)
    if event is None:  # nothing certain, as the first answer: it may well be accepted
        return doubted(books, order, now, report.note)
    learnt: dict[str, Any] = {
        "attempt": charged(order, report),
        "serial": report.serial or order.serial,
    }
    because = Because(evidence=report.note)
    tell_of_a_dear_charge(books, order, report, now)
    if event is Event.FAILED:
        _note(books, order, well=False, took=0, now=now)
        moved = rerouted(books, order, now, because, **learnt)
        if moved is not None:
            books.calls.compare_soon(order.supplier, now)  # is our balance there whole again?
            return moved
        return paying.give_back(books, order, event, now, because, **learnt)
    return go(books, order, event, now, because, **rerouting.back(books, order), **learnt)


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
