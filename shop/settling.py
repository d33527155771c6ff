"""What a supplier's answer does to an order: opening its invoice, and everything heard later."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from shop import notices, watching
from shop.cases import Case, CaseKind, answers, with_words
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import ENDED, HOLDS_MONEY, Event, Order, Status, may, move
from shop.ports import Books
from shop.pricing import Charge, may_show
from shop.suppliers import Invoice, InvoiceReport, InvoiceState
from shop.text import visible
from shop.time import HOUR, MINUTE, SECOND, Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class _Because:
    """What belongs to a move besides itself."""

    facts: Facts = field(default_factory=dict)
    evidence: str = ""  # the supplier's own words
    actor: str = ""


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
_LATE = frozenset({Status.EXPIRED, Status.CANCELLED})
_UNSEEN = frozenset({Event.INVOICE_AT_A_LOSS})
_BELIEVABLE = 2  # times the listed price; a cost above that is a mistake, and not learnt
AGAIN_AFTER_NOT_SENT: Millis = MINUTE // 4
AGAIN_AFTER_NO_ANSWER: Millis = 30 * MINUTE
STOPS_ASKING: Millis = 48 * HOUR  # after a QR's end, where the supplier never answers


def start_opening(books: Books, order: Order, lease_until: Millis, now: Millis) -> Order:
    """Write down that an invoice is about to be asked for; the caller commits, then asks."""
    moved = replace(move(order, Event.OPENING_STARTED, now), due_at=lease_until)
    books.orders.move(order, moved, Event.OPENING_STARTED)
    return moved


def opened(books: Books, asked: Order, opening: Opening, now: Millis, evidence: str = "") -> Order:
    """Take in the answer to ``start_opening``; ``asked`` is what that returned.

    An answer that comes after the order was given up is kept (its QR may be shown again), no more.
    """
    order = books.orders.get(asked.id)
    if order is None:
        raise LookupError(asked.id)
    if order.version != asked.version:
        return _opened_too_late(books, order, opening, now)
    if isinstance(opening, NotOpened):
        return _not_opened(books, order, opening, now, evidence)
    if books.orders.has_invoice(order.supplier, opening.supplier_ref):  # another order's
        evidence = f"invoice {opening.supplier_ref} belongs to another order"
        return _not_opened(books, order, NotOpened.UNKNOWN, now, evidence)
    _learn(books, order, opening, now)
    with_invoice = replace(order, invoice=opening)
    if not may_show(price=order.price, amount=opening.amount, cost=opening.cost):
        facts: Facts = {"until": watching.ends_at(with_invoice)}
        return _go(books, with_invoice, Event.INVOICE_AT_A_LOSS, now, _Because(facts=facts))
    return _go(books, with_invoice, Event.INVOICE_OPENED, now)


def _opened_too_late(books: Books, order: Order, opening: Opening, now: Millis) -> Order:
    if isinstance(opening, NotOpened) or not may(order, Event.INVOICE_OPENED):
        return order
    if order.invoice or books.orders.has_invoice(order.supplier, opening.supplier_ref):
        return order
    return _go(books, replace(order, invoice=opening), Event.INVOICE_OPENED, now)


def _not_opened(books: Books, order: Order, why: NotOpened, now: Millis, evidence: str) -> Order:
    until = order.quote_until if why is NotOpened.UNKNOWN else None
    return _go(
        books, order, _FAILED_OPENING[why], now, _Because(facts={"until": until}, evidence=evidence)
    )


def _learn(books: Books, order: Order, invoice: Invoice, now: Millis) -> None:
    if invoice.cost > _BELIEVABLE * order.listed:
        return
    charge = Charge(listed=order.listed, charged=invoice.cost)
    books.shelf.learn(order.supplier, order.sku, charge, now)


def give_up(books: Books, order: Order, now: Millis) -> Order:
    """Cancel an order whose quote ran out before a QR could be had."""
    return _go(books, order, Event.GIVEN_UP, now)


def opening_lost(books: Books, order: Order, now: Millis) -> Order:
    """Cancel an order whose call nobody is making any more: an unseen QR cannot be paid."""
    return _not_opened(books, order, NotOpened.UNKNOWN, now, "no answer was kept")


def heard(
    books: Books, order_id: str, report: InvoiceReport, asked_at: Millis, now: Millis
) -> Order:
    """Take in a supplier's answer about an invoice, asked for at ``asked_at``."""
    order = books.orders.get(order_id)
    if order is None:
        raise LookupError(order_id)
    if report.serial:  # it is nobody's but the buyer's
        report = replace(report, note=report.note.replace(report.serial, "***"))
    if report.strange:
        _tell_unknown_word(books, order, report, now)
    event = _event_of(order, report, asked_at)
    if event is not None:
        settled = replace(order, serial=report.serial or order.serial)
        return _go(books, settled, event, now, _Because(evidence=report.note))
    _doubt(books, order, report, asked_at, now)
    unpaid = report.state in {InvoiceState.UNPAID, InvoiceState.EXPIRED}
    answer = NoticeKind.UNPAID_YET if unpaid else NoticeKind.CHECK_DELAYED
    return _unmoved(books, order, answer, asked_at, now)


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
    _open_case(books, order, CaseKind.UNSURE if unsure else CaseKind.CONFLICT, report.note, now)


def _tell_unknown_word(books: Books, order: Order, report: InvoiceReport, now: Millis) -> None:
    facts: Facts = {"order": order.id, "supplier": order.supplier, "evidence": report.note}
    key = f"alert:{order.supplier}:word:{report.words}"
    alert = Notice(key=key, kind=NoticeKind.ALERT, address="", order_id=order.id, facts=facts)
    books.outbox.owe_owners(alert, now)


def unanswered(books: Books, order_id: str, asked_at: Millis, now: Millis) -> Order:
    """Take in that a question had no usable answer: nothing moves; it is asked again later."""
    order = books.orders.get(order_id)
    if order is None:
        raise LookupError(order_id)
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
    order = _say_it_takes_long(books, order, now)
    if order.status is Status.AWAITING_PAYMENT and now >= watching.undecided_at(order):
        _open_case(books, order, CaseKind.UNSURE, "", now)
    due_at = next_due(books, order, now)
    order = replace(order, due_at=due_at)
    if order.claimed_at is not None and order.claimed_at > asked_at:  # claimed while we asked
        order = replace(order, due_at=now)
    elif order.claimed_at is not None:
        books.outbox.owe(notices.to_customer(order, answer, str(order.claimed_at)), now)
        order = replace(order, claimed_at=None)
    books.orders.note(order)
    return order


def _say_it_takes_long(books: Books, order: Order, now: Millis) -> Order:
    since = order.settled_at or order.changed_at
    if order.status is not Status.PROCESSING or order.alarmed or now - since < watching.TAKES_LONG:
        return order
    books.outbox.owe(notices.to_customer(order, NoticeKind.SLOW, "once"), now)
    _open_case(books, order, CaseKind.STUCK, "", now)
    return replace(order, alarmed=True)


def decided(books: Books, order: Order, event: Event, actor: str, now: Millis) -> Order:
    """Apply an owner's decision; raise ``IllegalMove`` if the order has moved on meanwhile."""
    return _go(books, order, event, now, _Because(actor=actor))


def undelivered(books: Books, notice: Notice, why: str, now: Millis) -> None:
    """Take in that a message can never be brought: what must arrive becomes a case.

    An open case of its order stays what it is, gets the words added and is told again. ``why`` is
    the channel's word for it. Nothing is sent again: the buyer can read it all by command.
    """
    order = books.orders.get(notice.order_id) if notice.kind in notices.MUST_ARRIVE else None
    if order is None:
        return
    words = visible(f"{notice.kind} → {notice.address}: {why}")
    case = books.cases.open_for(order.id)
    if case is not None:
        evidence = with_words(case.evidence, words)
        case = replace(case, evidence=evidence, opened_at=now)
    else:  # money that must go back is that case before all else
        due = order.status is Status.REFUND_DUE
        kind = CaseKind.PAID_FAILED if due else CaseKind.UNDELIVERED
        case = _new_case(books, order, kind, words, now)
    _ask_the_owners(books, order, case, f"case:{case.id}:{case.kind}:{notice.key}", now)


def _go(
    books: Books, order: Order, event: Event, now: Millis, because: _Because = _Because()
) -> Order:
    """Make one move with all that belongs to it: event, next question, messages, case."""
    moved = move(order, event, now)
    if event is Event.SETTLED:
        moved = replace(moved, settled_at=now)
    moved = replace(moved, claimed_at=None, due_at=next_due(books, moved, now))
    if event in _UNSEEN or (order.status, event) == (Status.CANCELLED, Event.INVOICE_OPENED):
        moved = replace(moved, due_at=None)  # an unseen QR cannot be paid
    books.orders.move(order, moved, event, actor=because.actor, evidence=because.evidence)
    for notice in notices.after(order, moved, event, because.facts):
        books.outbox.owe(notice, now)
    _cases_of(books, order, moved, because.evidence, now)
    return moved


def next_due(books: Books, order: Order, now: Millis) -> Millis | None:
    """Return when something must next be done about ``order``; ``None``: nothing more."""
    if order.status is Status.PLACED:
        return now + AGAIN_AFTER_NOT_SENT
    fair = books.orders.waiting(order.supplier) * SECOND
    return watching.next_question(order, now, books.rules.poll, fair)


def _cases_of(books: Books, was: Order, order: Order, evidence: str, now: Millis) -> None:
    """Open the case that a move makes, or close the one it answers."""
    if was.status in _LATE and order.status in HOLDS_MONEY:
        _open_case(books, order, CaseKind.PAID_LATE, evidence, now)
    elif order.status is Status.REFUND_DUE:
        _open_case(books, order, CaseKind.PAID_FAILED, evidence, now)
    elif order.status in ENDED and (case := books.cases.open_for(order.id)) is not None:
        books.cases.close(case, None, "", now)


def _open_case(books: Books, order: Order, kind: CaseKind, evidence: str, now: Millis) -> None:
    """Ask the owner, unless this was asked since the last move; an order has one open case."""
    last = books.cases.last_for(order.id)
    if last is not None and last.kind is kind and last.opened_at >= order.changed_at:
        return
    if last is not None and last.kind is kind is CaseKind.UNSURE:
        return
    case = books.cases.open_for(order.id)
    if case is None:
        case = _new_case(books, order, kind, evidence, now)
    else:
        words = with_words(case.evidence, evidence)
        case = replace(case, kind=kind, evidence=words, opened_at=now, pending=None)
    _ask_the_owners(books, order, case, f"case:{case.id}:{kind}", now)


def _new_case(books: Books, order: Order, kind: CaseKind, evidence: str, now: Millis) -> Case:
    return Case(
        id=f"{order.id}-{books.cases.count_for(order.id) + 1}",
        order_id=order.id,
        kind=kind,
        evidence=evidence,
        opened_at=now,
    )


def _ask_the_owners(books: Books, order: Order, case: Case, key: str, now: Millis) -> None:
    """Store the case and owe its question; the serial number is nobody's but the buyer's."""
    books.cases.put(case)
    facts: Facts = {
        **notices.facts_of(order),
        "serial": "",
        "case": case.id,
        "kind": case.kind,
        "evidence": case.evidence,
        "buyer": order.address,
        "answers": " ".join(answers(case, order)),
    }
    notice = Notice(key=key, kind=NoticeKind.CASE, address="", order_id=order.id, facts=facts)
    books.outbox.owe_owners(notice, now)
