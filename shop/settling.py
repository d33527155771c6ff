"""What a supplier's answer does to an order: opening its invoice, and everything heard later."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from shop import health, notices, paying, watching
from shop.breaker import Outcome
from shop.cases import CaseKind
from shop.moving import Because, go, next_due, open_case
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import Event, Order, Status, may
from shop.ports import Books
from shop.pricing import Charge, may_show
from shop.suppliers import Invoice, InvoiceReport, InvoiceState
from shop.time import HOUR, MINUTE, Millis


class NotOpened(StrEnum):
    """Why no invoice came of asking for one."""

    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


Opening: TypeAlias = Invoice | NotOpened

_FAILED_OPENING: Mapping[NotOpened, Event] = MappingProxyType(
    {
        NotOpened.NOT_SENT: Event.NOT_SENT,
        NotOpened.REFUSED: Event.INVOICE_REFUSED,
        NotOpened.UNKNOWN: Event.OUTCOME_UNKNOWN,
    }
)
_REPORTED: Mapping[InvoiceState, Event] = MappingProxyType(
    {
        InvoiceState.SETTLED: Event.SETTLED,
        InvoiceState.DELIVERED: Event.DELIVERED,
        InvoiceState.FAILED: Event.FAILED,
        InvoiceState.EXPIRED: Event.LAPSED,
    }
)
# What may be heard again and again in a status without meaning anything new.
_OLD_NEWS: Mapping[Status, frozenset[InvoiceState]] = MappingProxyType(
    {
        Status.AWAITING_PAYMENT: frozenset({InvoiceState.UNPAID, InvoiceState.UNREADABLE}),
        Status.PROCESSING: frozenset({InvoiceState.SETTLED, InvoiceState.UNREADABLE}),
        Status.DELIVERED: frozenset({InvoiceState.DELIVERED, InvoiceState.UNREADABLE}),
        Status.REFUND_DUE: frozenset(set(InvoiceState) - {InvoiceState.DELIVERED}),
        Status.REFUNDED: frozenset(set(InvoiceState) - {InvoiceState.DELIVERED}),
        Status.EXPIRED: frozenset(set(InvoiceState) - {InvoiceState.UNCLEAR}),
        Status.CANCELLED: frozenset(set(InvoiceState) - {InvoiceState.UNCLEAR}),
    }
)
_PROVES_PAYMENT = frozenset({Event.SETTLED, Event.DELIVERED, Event.FAILED})
_GOODS_CAME = frozenset({Event.ARRIVED, Event.LOSS_RECORDED})
_REMEMBERED: Millis = 7 * 24 * HOUR  # how long a deposit's history is looked at
_DELAYED = NoticeKind.CHECK_DELAYED
_BELIEVABLE = 2  # times the listed price; a cost above that is a mistake, and not learnt
AGAIN_AFTER_NO_ANSWER: Millis = 30 * MINUTE
STOPS_ASKING: Millis = 48 * HOUR  # after a QR's end, where the supplier never answers


def start_opening(books: Books, order: Order, lease_until: Millis, now: Millis) -> Order:
    """Write down that an invoice is about to be asked for; the caller commits, then asks."""
    because = Because(lease_until=lease_until)
    return go(books, order, Event.OPENING_STARTED, now, because)


def opened(books: Books, asked: Order, opening: Opening, now: Millis, evidence: str = "") -> Order:
    """Take in the answer to ``start_opening``; ``asked`` is what that returned.

    An answer that comes after the order was given up is kept (its QR may be shown again), no more.
    """
    order = _the(books, asked.id)
    _note_how_it_went(books, asked, opening, now)
    if order.version != asked.version:
        return _opened_too_late(books, order, opening, now)
    if isinstance(opening, NotOpened):
        return _not_opened(books, order, opening, now, evidence)
    if books.orders.has_invoice(order.gateway, opening.supplier_ref):  # another order's
        evidence = f"invoice {opening.supplier_ref} belongs to another order"
        return _not_opened(books, order, NotOpened.UNKNOWN, now, evidence)
    if not order.is_prepaid:
        _learn(books, order, opening, now)
    if not may_be_shown(order, opening):
        facts: Facts = {"until": watching.ends_at(replace(order, invoice=opening))}
        because = Because(facts=facts)
        return go(books, order, Event.INVOICE_AT_A_LOSS, now, because, invoice=opening)
    return go(books, order, Event.INVOICE_OPENED, now, invoice=opening)


def _note_how_it_went(books: Books, asked: Order, opening: Opening, now: Millis) -> None:
    """Note whether a supplier of dropship goods opens invoices, and how soon; a no says nothing."""
    if asked.is_prepaid or opening in {NotOpened.REFUSED, NotOpened.NOT_SENT}:
        return
    took, well = now - asked.changed_at, isinstance(opening, Invoice)
    outcome = Outcome(
        ref=f"{asked.id}/{asked.version}",
        at=now,
        went_well=well,
        took=max(took, 0),
        buyer=asked.address,
    )
    health.went(books, asked.supplier, outcome)


def may_be_shown(order: Order, invoice: Invoice) -> bool:
    """Tell whether the QR of ``order`` may be shown: not at a loss, nor for much more or less."""
    if order.is_prepaid:
        return may_show(price=order.price, amount=invoice.amount, cost=order.price)
    return may_show(
        price=order.price, amount=invoice.amount, cost=invoice.cost, ceiling=order.may_cost
    )


def _opened_too_late(books: Books, order: Order, opening: Opening, now: Millis) -> Order:
    if isinstance(opening, NotOpened) or not may(order, Event.INVOICE_OPENED):
        return order
    if order.invoice or books.orders.has_invoice(order.gateway, opening.supplier_ref):
        return order
    return go(books, order, Event.INVOICE_OPENED, now, invoice=opening)


def _not_opened(books: Books, order: Order, why: NotOpened, now: Millis, evidence: str) -> Order:
    until = order.quote_until if why is NotOpened.UNKNOWN else None
    return go(
        books, order, _FAILED_OPENING[why], now, Because(facts={"until": until}, evidence=evidence)
    )


def _learn(books: Books, order: Order, invoice: Invoice, now: Millis) -> None:
    if invoice.cost > _BELIEVABLE * order.listed:
        return
    charge = Charge(listed=order.listed, charged=invoice.cost)
    books.shelf.learn(order.supplier, order.sku, charge, now)


def give_up(books: Books, order: Order, now: Millis) -> Order:
    """Cancel an order for which no QR is asked any more: its quote ran out, or its item changed."""
    return go(books, order, Event.GIVEN_UP, now)


def opening_lost(books: Books, order: Order, now: Millis) -> Order:
    """Cancel an order whose call nobody is making any more: an unseen QR cannot be paid."""
    return _not_opened(books, order, NotOpened.UNKNOWN, now, "no answer was kept")


def heard(
    books: Books, order_id: str, report: InvoiceReport, asked_at: Millis, now: Millis
) -> Order:
    """Take in a supplier's answer about an invoice, asked for at ``asked_at``."""
    order = _the(books, order_id)
    if report.serial:  # it is nobody's but the buyer's
        report = replace(report, note=report.note.replace(report.serial, "***"))
    if report.strange:
        tell_unknown_word(books, order, report.words, report.note, now)
    because = Because(evidence=report.note)
    if order.is_prepaid and report.state is InvoiceState.SETTLED:
        after = paying.paid(books, order, report.amount, now, because)
        return after if after is not order else _unmoved(books, order, _DELAYED, asked_at, now)
    event = _event_of(order, report, asked_at)
    if event is not None:
        learnt: dict[str, Any] = {"serial": report.serial or order.serial}
        if event in _PROVES_PAYMENT and order.invoice is not None:
            learnt["received"] = order.received or order.invoice.amount
        return go(books, order, event, now, because, **learnt)
    _doubt(books, order, report, asked_at, now)
    unpaid = report.state in {InvoiceState.UNPAID, InvoiceState.EXPIRED}
    answer = NoticeKind.UNPAID_YET if unpaid else NoticeKind.CHECK_DELAYED
    return _unmoved(books, order, answer, asked_at, now)


def heard_of_deposits(
    books: Books,
    order_id: str,
    reports: Mapping[str, InvoiceReport],
    asked_at: Millis,
    now: Millis,
) -> Order:
    """Take in a supplier's history of deposits; ``order_id`` is the order that was due.

    Only what is settled counts. Whatever still waits falls due as if it had been asked about.
    """
    gateway = _the(books, order_id).gateway
    for supplier_ref in books.orders.deposits_since(gateway, now - _REMEMBERED) & reports.keys():
        order, report = books.orders.with_invoice(gateway, supplier_ref), reports[supplier_ref]
        if order is not None and _is_news(order, report):
            heard(books, order.id, report, asked_at, now)
    for order in books.orders.waiting_deposits(gateway):
        if order.claimed_at is None and now < watching.lapses_at(order):
            books.orders.note(replace(order, due_at=next_due(books, order, now)))
    return _the(books, order_id)


def _is_news(order: Order, report: InvoiceReport) -> bool:
    if report.state is not InvoiceState.SETTLED:
        return False
    return not order.received or report.amount not in {None, order.received - order.fee}


def _event_of(order: Order, report: InvoiceReport, asked_at: Millis) -> Event | None:
    if report.state is InvoiceState.UNPAID and order.status is Status.AWAITING_PAYMENT:
        return Event.LAPSED if asked_at >= watching.lapses_at(order) else None
    if order.status is Status.DELIVERED:
        arrived = report.state is InvoiceState.DELIVERED and report.serial and not order.serial
        return Event.SERIAL_ARRIVED if arrived else None
    event = _REPORTED.get(report.state)
    return event if event is not None and may(order, event) else None


def _doubt(
    books: Books, order: Order, report: InvoiceReport, asked_at: Millis, now: Millis
) -> None:
    """Open a case for an answer that contradicts what is known, unless it is merely older."""
    old_news = report.state in _OLD_NEWS.get(order.status, frozenset())
    if report.state is InvoiceState.UNREADABLE:  # it may well mean "paid", once the QR has ended
        old_news = order.status is not Status.AWAITING_PAYMENT or now < watching.lapses_at(order)
    if old_news or asked_at < order.changed_at:
        return
    unread = {InvoiceState.UNCLEAR, InvoiceState.UNREADABLE}
    unsure = report.state in unread and may(order, Event.PAYMENT_FOUND)
    open_case(books, order, CaseKind.UNSURE if unsure else CaseKind.CONFLICT, report.note, now)


def tell_unknown_word(books: Books, order: Order, words: str, note: str, now: Millis) -> None:
    """Tell the owners, once for each, of a word that a supplier's document does not explain."""
    facts: Facts = {"order": order.id, "supplier": order.asks, "evidence": note}
    key = f"alert:{order.asks}:word:{words}"
    alert = Notice(key=key, kind=NoticeKind.ALERT, address="", order_id=order.id, facts=facts)
    books.outbox.owe_owners(alert, now)


def unanswered(books: Books, order_id: str, asked_at: Millis, now: Millis) -> Order:
    """Take in that a question had no usable answer: nothing moves; it is asked again later."""
    order = _the(books, order_id)
    order = _unmoved(books, order, NoticeKind.CHECK_DELAYED, asked_at, now)
    still = now < watching.ends_at(order) + STOPS_ASKING
    if order.due_at is None and still:  # the last question of its schedule wants an answer
        order = replace(order, due_at=now + AGAIN_AFTER_NO_ANSWER)
        books.orders.note(order)
    return order


def _unmoved(
    books: Books, order: Order, answer: NoticeKind, asked_at: Millis, now: Millis
) -> Order:
    """Answer a claim that changed nothing, say so if it takes long, and set the next question."""
    order = say_it_takes_long(books, order, now)
    if order.status is Status.AWAITING_PAYMENT and now >= watching.undecided_at(order):
        open_case(books, order, CaseKind.UNSURE, "", now)
    due_at = next_due(books, order, now)
    order = replace(order, due_at=due_at)
    if order.claimed_at is not None and order.claimed_at > asked_at:  # claimed while we asked
        order = replace(order, due_at=now)
    elif order.claimed_at is not None:
        books.outbox.owe(notices.to_customer(order, answer, str(order.claimed_at)), now)
        order = replace(order, claimed_at=None)
    books.orders.note(order)
    return order


_IN_DELIVERY = frozenset({Status.PAID, Status.PROCESSING, Status.UNSURE})


def say_it_takes_long(books: Books, order: Order, now: Millis) -> Order:
    """Tell the customer, and ask the owner, once, if a paid order takes long; the caller notes it.

    An order about which the owner is being asked already is no second case. If it only moved on,
    and that answered the question, it is asked again.
    """
    if order.status not in _IN_DELIVERY or now - order.waits_since < watching.TAKES_LONG:
        return order
    asked = order.alarmed and books.cases.open_for(order.id) is not None
    if order.status is not Status.UNSURE and not asked:
        open_case(books, order, CaseKind.STUCK, "", now)
    if order.alarmed:
        return order
    books.outbox.owe(notices.to_customer(order, NoticeKind.SLOW, "once"), now)
    return replace(order, alarmed=True)


def decided(
    books: Books, order: Order, event: Event, actor: str, now: Millis, *, why: str = ""
) -> Order:
    """Apply an owner's decision; raise ``IllegalMove`` if the order has moved on meanwhile."""
    because = Because(actor=actor, reason=why)
    match event:
        case Event.PAID | Event.PAID_LATE:
            return paying.paid(books, order, None, now, because)
        case Event.PROCEEDED:
            return paying.proceed(books, order, now, because)
        case Event.GIVEN_BACK:
            return paying.give_back(books, order, event, now, because)
        case _:
            return go(books, order, event, now, because, **_known_by_now(order, event))


def _known_by_now(order: Order, event: Event) -> dict[str, Any]:
    """Return what an owner's decision says about the money."""
    if event is Event.PAYMENT_FOUND:
        return {"received": order.amount_due}
    attempt = order.attempt
    if event in _GOODS_CAME and attempt is not None and not attempt.charged:
        return {"attempt": replace(attempt, charged=attempt.cost)}
    return {}


def _the(books: Books, order_id: str) -> Order:
    order = books.orders.get(order_id)
    if order is None:
        raise LookupError(order_id)
    return order
