"""The customer's side of an order: place, hide, show again, say that it is paid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from shop import notices, settling, watching
from shop.notices import NoticeKind
from shop.orders import Event, Order, Status, may, move
from shop.ports import Books
from shop.pricing import Quote, may_show
from shop.time import HOUR, SECOND, Millis

MOST_OPEN = 3  # QRs a person may have open
BETWEEN_ORDERS: Millis = 10 * SECOND
BETWEEN_CLAIMS: Millis = 10 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the customer confirmed, to the letter."""

    id: str  # for the order, if one is made
    key: str
    address: str
    supplier: str
    sku: str
    game: str
    item: str
    user_id: str
    server: str
    target: str
    quote: Quote


class Why(StrEnum):
    """Why nothing was placed."""

    TOO_MANY = "too_many"
    TOO_SOON = "too_soon"
    TAKEN = "taken"  # the same item for the same account is open elsewhere, or being delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A new order."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """No new order: this one is the customer's, and is shown again."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Nothing was placed. ``until``: when trying again makes sense, if known."""

    why: Why
    until: Millis | None = None


Outcome: TypeAlias = Placed | Shown | Declined


def place(books: Books, wish: Wish, now: Millis) -> Outcome:
    """Place an order once: the same key, or the same item and account, shows the one there is."""
    if (same := books.orders.by_key(wish.key)) is not None:
        return Shown(order=same)
    twin = books.orders.live_with(wish.supplier, wish.sku, wish.target, now)
    if twin is not None:
        return _show_twin(books, twin, wish, now)
    if (declined := _too_much(books, wish.address, now)) is not None:
        return declined
    order = _new_order(wish, now, books.rules.holds_for)
    books.orders.add(order)
    for notice in notices.after(order, order, Event.PLACED):
        books.outbox.owe(notice, now)
    return Placed(order=order)


def _too_much(books: Books, address: str, now: Millis) -> Declined | None:
    if len(books.orders.payable_of(address, now)) >= MOST_OPEN:
        return _too_many(books, address, now)
    last = books.orders.last_created_of(address)
    if last is not None and 0 <= now - last < BETWEEN_ORDERS:
        return Declined(why=Why.TOO_SOON, until=last + BETWEEN_ORDERS)
    return None


def _too_many(books: Books, address: str, now: Millis) -> Declined:
    ends = [watching.ends_at(order) for order in books.orders.payable_of(address, now)]
    return Declined(why=Why.TOO_MANY, until=min(ends, default=None))


def _new_order(wish: Wish, now: Millis, holds_for: Millis) -> Order:
    return Order(
        id=wish.id,
        key=wish.key,
        address=wish.address,
        supplier=wish.supplier,
        sku=wish.sku,
        game=wish.game,
        item=wish.item,
        user_id=wish.user_id,
        server=wish.server,
        target=wish.target,
        listed=wish.quote.listed,
        cost=wish.quote.cost,
        price=wish.quote.price,
        status=Status.PLACED,
        version=1,
        created_at=now,
        quote_until=now + holds_for,
        changed_at=now,
        due_at=now,
    )


def _show_twin(books: Books, twin: Order, wish: Wish, now: Millis) -> Outcome:
    paid = twin.status is Status.PROCESSING
    gone = twin.status is Status.CANCELLED and not is_payable(twin, now)
    if twin.address == wish.address and not (paid or gone):
        return Shown(order=show_again(books, twin, now))
    until = None if paid else watching.ends_at(twin)
    return Declined(why=Why.TAKEN, until=until)


def show_again(books: Books, order: Order, now: Millis) -> Order:
    """Show a QR again, taking back a "Batal" while it can still be paid."""
    if order.status is Status.CANCELLED and is_payable(order, now):
        was, order = order, move(order, Event.REOPENED, now)
        order = replace(order, due_at=settling.next_due(books, order, now))
        books.orders.move(was, order, Event.REOPENED, actor=order.address)
        for notice in notices.after(was, order, Event.REOPENED):
            books.outbox.owe(notice, now)
    if order.status is Status.AWAITING_PAYMENT and is_payable(order, now):
        # Ten taps at once show it once; hidden and had back, it is shown again.
        occasion = f"again:{order.version}:{now // BETWEEN_ORDERS}"
        books.outbox.owe(notices.to_customer(order, NoticeKind.QR, occasion), now)
    return order


def is_payable(order: Order, now: Millis) -> bool:
    """Tell whether the order has a QR that may be shown, and has not run out by ``now``."""
    invoice = order.invoice
    return (
        invoice is not None
        and now < watching.ends_at(order)
        and may_show(price=order.price, amount=invoice.amount, cost=invoice.cost)
    )


def cancel(books: Books, order: Order, now: Millis) -> Order | None:
    """Hide the QR, at the customer's wish; ``None`` if it is too late for that."""
    if not may(order, Event.CANCELLED):
        return None
    was, order = order, move(order, Event.CANCELLED, now)
    order = replace(order, due_at=settling.next_due(books, order, now))
    books.orders.move(was, order, Event.CANCELLED, actor=order.address)
    for notice in notices.after(was, order, Event.CANCELLED):
        books.outbox.owe(notice, now)
    return order


class Claim(StrEnum):
    """What became of "I have paid"."""

    ASKING = "asking"
    TOO_SOON = "too_soon"
    ALREADY_PAID = "already_paid"
    NOTHING_TO_ASK = "nothing_to_ask"


_MAYBE_PAID = frozenset({Status.AWAITING_PAYMENT, Status.EXPIRED, Status.CANCELLED})


def claim_paid(books: Books, order: Order, now: Millis) -> Claim:
    """Have the supplier asked at once, ahead of everything else; once in ten seconds a person."""
    return claim_any(books, order.address, [order], now)


def claim_any(books: Books, address: str, orders: Sequence[Order], now: Millis) -> Claim:
    """Have the supplier asked about each of a person's ``orders`` that may have been paid."""
    asked = [order for order in orders if order.invoice and order.status in _MAYBE_PAID]
    if not asked:
        paid = any(order.status is Status.PROCESSING for order in orders)
        return Claim.ALREADY_PAID if paid else Claim.NOTHING_TO_ASK
    last = books.orders.last_claim_of(address)
    if last is not None and 0 <= now - last < BETWEEN_CLAIMS:
        return Claim.TOO_SOON
    asked = [order for order in asked if not _asked_lately(order, now)]
    for order in asked:
        books.orders.note(replace(order, claimed_at=now, last_claim_at=now, due_at=now))
    return Claim.ASKING if asked else Claim.TOO_SOON


def _asked_lately(order: Order, now: Millis) -> bool:
    """Tell whether a claim about a QR that ran out long ago was answered within the hour."""
    recent = order.last_claim_at is not None and 0 <= now - order.last_claim_at < HOUR
    return recent and now > watching.lapses_at(order) + HOUR
