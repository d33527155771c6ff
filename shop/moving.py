"""Make one move of an order with all that belongs to it: history, ledger, timer, messages, case."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from shop import ledger, notices, watching
from shop.cases import Case, CaseKind, answers, with_words
from shop.copied import SINCE_THE_COPY, is_of_a_copy
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import CASH, ENDED, HOLDS_MONEY, HOUSE, Event, Order, Returned, Status, move
from shop.ports import Books
from shop.text import visible
from shop.time import SECOND, Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """What belongs to a move besides itself."""

    facts: Facts = field(default_factory=dict)
    evidence: str = ""  # the supplier's own words
    actor: str = ""
    reason: str = ""  # the actor's
    quiet: bool = False  # another move follows at once, and says it all
    lease_until: Millis | None = None  # of the call that follows


NOTHING_MORE = Because()
_UNSEEN = frozenset({Event.INVOICE_AT_A_LOSS})
_LATE = frozenset({Status.EXPIRED, Status.CANCELLED})
_AGAIN_AFTER_NOT_SENT: Millis = 15 * SECOND
# What a move itself says about the order's money, whoever makes it.
_MARKS: Mapping[Event, Mapping[str, Any]] = MappingProxyType(
    {
        Event.CREDITED: {"returned": Returned.WALLET},
        Event.REFUND_MADE: {"returned": Returned.HAND},
        Event.LOSS_RECORDED: {"lost": True},
        Event.PROCEEDED: {"alarmed": False, "settled_at": None},  # waiting begins anew
    }
)
# The case that a status is, whichever way an order came there.
_CASE_OF: Mapping[Status, CaseKind] = MappingProxyType(
    {
        Status.REFUND_DUE: CaseKind.PAID_FAILED,
        Status.UNSURE: CaseKind.AMBIGUOUS,
        Status.PARTLY_DELIVERED: CaseKind.PARTLY,
    }
)
# Hiding a QR says nothing of whether it was paid, nor what our balance got back of the customer.
_ASKS_NOTHING = frozenset({Event.CANCELLED, Event.COST_RETURNED})
# What was asked about an order in this status is answered by leaving it.
_ANSWERED_BY_MOVING = frozenset({Status.AWAITING_PAYMENT, Status.UNSURE, Status.REFUND_DUE})


def go(
    books: Books,
    was: Order,
    event: Event,
    now: Millis,
    because: Because = NOTHING_MORE,
    **learnt: Any,
) -> Order:
    """Make one move with all that belongs to it, in the transaction of ``books``.

    ``was`` is as stored; ``learnt``: the fields that the event changes besides. Raises
    ``IllegalMove``, or ``ledger.Overdrawn``: nothing may be committed then.
    """
    moved = move(replace(was, **learnt), event, now)
    moved = replace(moved, **_MARKS.get(event, {}))
    if moved.received and moved.settled_at is None:
        moved = replace(moved, settled_at=now)
    if moved.received and not was.received:
        _believe(books, moved, now)
    moved = replace(moved, claimed_at=None, due_at=next_due(books, moved, now))
    if event in _UNSEEN or (was.status, event) == (Status.CANCELLED, Event.INVOICE_OPENED):
        moved = replace(moved, due_at=None)  # an unseen QR cannot be paid
    if because.lease_until is not None:
        moved = replace(moved, due_at=because.lease_until)
    why = because.evidence or because.reason
    books.orders.move(was, moved, event, actor=because.actor, evidence=why)
    entry = ledger.entry_of(was, moved, event, because.actor, because.reason)
    if entry is not None:
        books.ledger.post(entry)
    if not because.quiet:
        for notice in notices.after(was, moved, event, because.facts):
            books.outbox.owe(notice, now)
        _cases_of(books, was, moved, event, because)
    return moved


def _believe(books: Books, order: Order, now: Millis) -> None:
    """Store the payment of ``order``: it is believed once, for ever."""
    payment_id = order.invoice.supplier_ref if order.invoice else order.id
    amount = order.received - order.fee
    books.payments.arrived(order.gateway, payment_id, order.id, amount, now)


def next_due(books: Books, order: Order, now: Millis) -> Millis | None:
    """Return when something must next be done about ``order``; ``None``: nothing more."""
    if order.status is Status.PLACED:
        return now + _AGAIN_AFTER_NOT_SENT
    fair = books.orders.waiting(order.asks) * SECOND if order.status is Status.PROCESSING else 0
    return watching.next_question(order, now, books.rules.poll, fair)


def _kind_of(was: Order, order: Order, event: Event) -> CaseKind | None:
    """Return the case that a move makes, if it makes one."""
    if event is Event.PAID_WRONG:
        return CaseKind.PAID_WRONG
    if was.status in _LATE and order.status in HOLDS_MONEY:
        return CaseKind.PAID_LATE
    if (order.supplier, order.sku, order.status) == (HOUSE, CASH, Status.PROCESSING):
        return CaseKind.CASH
    if watching.may_resolve(order):  # a person is asked if no word comes
        return None
    return _CASE_OF.get(order.status)


def _cases_of(books: Books, was: Order, order: Order, event: Event, because: Because) -> None:
    """Open the case that a move makes, or close the one it answers."""
    if event in _ASKS_NOTHING:
        return
    kind, now = _kind_of(was, order, event), order.changed_at
    if kind is not None:
        open_case(books, order, kind, because.evidence, now)
    elif order.status in ENDED or (was.status in _ANSWERED_BY_MOVING and _is_watched(order)):
        close_case(books, order, now)


def _is_watched(order: Order) -> bool:
    """Tell whether anything will be done about an order without a person's doing."""
    return order.due_at is not None or order.status not in HOLDS_MONEY


def close_case(books: Books, order: Order, now: Millis) -> None:
    """Close what is being asked about an order, if anything is: it has been answered."""
    case = books.cases.open_for(order.id)
    if case is not None:
        books.cases.close(case, None, "", now)


def open_case(books: Books, order: Order, kind: CaseKind, evidence: str, now: Millis) -> None:
    """Ask the owner, unless this was asked since the last move; an order has one open case."""
    last = books.cases.last_for(order.id)
    # A customer may say again that they paid, after the owner looked in vain.
    again = kind is CaseKind.CLAIMED and last is not None and last.closed_at is not None
    asked = last is not None and last.kind is kind and last.opened_at >= order.changed_at
    if asked and not again:
        return
    if last is not None and last.kind is kind is CaseKind.UNSURE:
        return
    case = books.cases.open_for(order.id)
    if case is None:
        case = _new_case(books, order, kind, evidence, now)
    else:
        words = with_words(case.evidence, evidence)
        case = replace(case, kind=kind, evidence=words, opened_at=now, pending=None)
    ask_the_owners(books, order, case, f"case:{case.id}:{kind}", now)


def add_to_case(books: Books, order: Order, words: str, occasion: str, now: Millis) -> None:
    """Add what has become known to an open case, and tell it again; without one, do nothing."""
    case = books.cases.open_for(order.id)
    if case is None:
        return
    case = replace(case, evidence=with_words(case.evidence, words), opened_at=now)
    ask_the_owners(books, order, case, f"case:{case.id}:{case.kind}:{occasion}", now)


def undelivered(books: Books, notice: Notice, why: str, now: Millis) -> None:
    """Take in that a message can never be brought: what must arrive becomes a case.

    An open case of its order stays what it is, gets the words added and is told again. ``why`` is
    the channel's word for it. Nothing is sent again: the buyer can read it all by command.
    """
    order = books.orders.get(notice.order_id) if notice.kind in notices.MUST_ARRIVE else None
    if order is None:
        return
    words = visible(f"{notice.kind} → {notice.address}: {why}")
    if books.cases.open_for(order.id) is not None:
        add_to_case(books, order, words, notice.key, now)
        return
    due = order.status is Status.REFUND_DUE  # money that must go back is that before all else
    kind = CaseKind.PAID_FAILED if due else CaseKind.UNDELIVERED
    case = _new_case(books, order, kind, words, now)
    ask_the_owners(books, order, case, f"case:{case.id}:{case.kind}:{notice.key}", now)


def _new_case(books: Books, order: Order, kind: CaseKind, evidence: str, now: Millis) -> Case:
    return Case(
        id=f"{order.id}-{books.cases.count_for(order.id) + 1}",
        order_id=order.id,
        kind=kind,
        evidence=evidence,
        opened_at=now,
    )


def ask_the_owners(books: Books, order: Order, case: Case, key: str, now: Millis) -> None:
    """Store the case and owe its question; of an order of a copy it may have an answer already."""
    if is_of_a_copy(books, order):
        case = replace(case, evidence=with_words(case.evidence, SINCE_THE_COPY))
    books.cases.put(case)
    tell(books, order, case, key, now)


def tell(books: Books, order: Order, case: Case, key: str, now: Millis) -> None:
    """Owe the owners the question of a case; the serial number is nobody's but the buyer's."""
    facts: Facts = {
        **notices.facts_of(order),
        "serial": "",
        "case": case.id,
        "kind": case.kind,
        "evidence": case.evidence,
        "buyer": order.address,
        "payout": order.payout,
        "answers": " ".join(answers(case, order)),
    }
    notice = Notice(key=key, kind=NoticeKind.CASE, address="", order_id=order.id, facts=facts)
    books.outbox.owe_owners(notice, now)
