"""Prepaid money: what arrives for an order, what becomes of it at once, and how it goes back."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from shop import asking, moving
from shop.cases import with_words
from shop.copied import SINCE_THE_COPY, is_of_a_copy
from shop.money import rupiah
from shop.moving import NOTHING_MORE, Because, go
from shop.orders import CASH, CREDIT, HOUSE, Event, Order, Status
from shop.payments import Arrival, Refunds
from shop.ports import Books
from shop.time import Millis

ONCE_IN_DOUBT: Final = "percobaan sebelumnya mungkin sudah dikirim: lihat dulu di pemasok"
_LATE = frozenset({Status.EXPIRED, Status.CANCELLED})
_SOLD_BY_US: Mapping[tuple[str, str], Event] = MappingProxyType(
    {(HOUSE, CREDIT): Event.DELIVERED, (HOUSE, CASH): Event.ACCEPTED}
)


def paid(
    books: Books, order: Order, amount: int | None, now: Millis, because: Because = NOTHING_MORE
) -> Order:
    """Take in that the invoice of a prepaid order was paid: once, whatever is heard again.

    ``amount``: what reached our account, ``None`` if only that it is the right sum; whole rupiah.
    The same payment again changes nothing. The same one with another amount, and one that is not
    what was asked for, are cases: nothing is guessed. Late money goes back.
    """
    invoice = order.invoice
    if invoice is None:
        raise LookupError(f"{order.id} has no invoice")
    amount = invoice.amount if amount is None else amount
    arrival = books.payments.arrived(order.gateway, invoice.supplier_ref, order.id, amount, now)
    if arrival is Arrival.DIFFERS:
        words = f"{rupiah(order.received - order.fee)} → {rupiah(amount)}"
        asking.paid_twice(books, order, invoice.supplier_ref, words, now)
    if arrival is not Arrival.FIRST:
        return order
    if amount not in {invoice.amount, order.price}:
        return go(books, order, Event.PAID_WRONG, now, because, received=amount)
    took = {"received": invoice.amount, "fee": invoice.amount - amount}
    if order.status in _LATE:
        return give_back(books, order, Event.PAID_LATE, now, because, **took)
    return _doubt_in_a_copy(
        books, _sell(books, go(books, order, Event.PAID, now, because, **took), now), now
    )


def _doubt_in_a_copy(books: Books, order: Order, now: Millis) -> Order:
    """Order nothing that may have been ordered since the copy was made: a person decides."""
    if order.status is not Status.PAID or not is_of_a_copy(books, order):
        return order
    books.calls.compare_soon(order.supplier, now)
    because = Because(evidence="may have been ordered since the copy")
    return go(books, order, Event.OUTCOME_UNKNOWN, now, because)


def pay_from_wallet(books: Books, order: Order, now: Millis) -> Order:
    """Pay a placed order from its customer's wallet. Raises ``ledger.Overdrawn``."""
    because = Because(actor=order.address)
    paid_for = go(books, order, Event.PAID, now, because, received=order.price)
    return _sell(books, paid_for, now)


def _sell(books: Books, order: Order, now: Millis) -> Order:
    """Deliver what the shop itself sells: credit at once, cash by the owner's hand."""
    event = _SOLD_BY_US.get((order.supplier, order.sku))
    return order if event is None else go(books, order, event, now)


def give_back(
    books: Books,
    order: Order,
    event: Event,
    now: Millis,
    because: Because = NOTHING_MORE,
    **learnt: Any,
) -> Order:
    """Make a move that owes the customer their money; into the wallet it goes at once.

    Dropship money is not ours to credit, and an owner may want to refund everything by hand. What
    may have been delivered all the same is the owner's, too.
    """
    is_decided = order.supplier == HOUSE or event is Event.GIVEN_BACK  # by the owner just now
    doubt = "" if is_decided else _why_it_may_have_come(books, order)
    if doubt:
        because = replace(because, evidence=with_words(because.evidence, doubt))
    to_wallet = order.supplier == HOUSE or books.rules.refunds is Refunds.WALLET
    if doubt or not (order.is_prepaid and to_wallet):
        return go(books, order, event, now, because, **learnt)
    quiet = replace(because, quiet=True)
    due = go(books, order, event, now, quiet, **learnt)
    facts = {**because.facts, "why": event}
    credited = go(books, due, Event.CREDITED, now, Because(facts=facts))
    moving.close_case(books, credited, now)
    return credited


def _why_it_may_have_come(books: Books, order: Order) -> str:
    """Say why the goods may be there, though what was asked of last has failed; empty: they cannot.

    Another may have delivered them since a restored copy was made; or an attempt that nobody knew
    the outcome of, before the owner had the order made once more.
    """
    if is_of_a_copy(books, order):
        return SINCE_THE_COPY
    history = books.orders.history(order.id)
    once_more = max(
        (nth for nth, each in enumerate(history) if each.event is Event.PROCEEDED), default=0
    )
    was_in_doubt = any(each.became is Status.UNSURE for each in history[:once_more])
    return ONCE_IN_DOUBT if was_in_doubt else ""


def proceed(books: Books, order: Order, now: Millis, because: Because) -> Order:
    """Have a paid order delivered all the same, at the owner's word.

    What was paid beyond its price becomes credit; what is missing is the owner's gift.
    """
    excess = max(order.received - order.amount_due, 0)
    return _sell(books, go(books, order, Event.PROCEEDED, now, because, excess=excess), now)
