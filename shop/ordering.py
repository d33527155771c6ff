"""The customer's side of an order: place, hide, show again, say that it is paid."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from shop import notices, paying, recognizing, settling, watching
from shop.cases import CaseKind
from shop.moving import Because, add_to_case, go, open_case
from shop.notices import NoticeKind
from shop.orders import HOLDS_MONEY, HOUSE, Event, Order, Status, may
from shop.payments import PaymentMethod
from shop.ports import Books
from shop.pricing import Quote
from shop.qris import MOST_PER_PAYMENT, with_amount
from shop.suppliers import Invoice
from shop.time import HOUR, SECOND, Millis

MOST_OPEN = 3  # QRs a person may have open
BETWEEN_ORDERS: Millis = 10 * SECOND
BETWEEN_CLAIMS: Millis = 10 * SECOND
RESERVED: Millis = 24 * HOUR  # how long nobody else is asked for the amount of an own QRIS
UNIQUE_CODES = 1_000  # rupiah at the most, to tell payments to the own QRIS apart


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
    good: str = ""  # the key of the item
    content: int = 0  # how much of it is promised at least
    server_code: str = ""  # what the supplier calls the server
    method: PaymentMethod = PaymentMethod.DROPSHIP
    payout: str = ""  # of cash: where the customer wants it sent
    nickname: str = ""  # of the player, as it was shown; foreign text


class Why(StrEnum):
    """Why nothing was placed."""

    TOO_MANY = "too_many"
    TOO_SOON = "too_soon"
    TAKEN = "taken"  # the same item for the same account is open elsewhere, or being delivered
    SHORT = "short"  # the wallet holds less than the price
    NO_AMOUNT = "no_amount"  # every amount near this one is waited for by another order


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
    twin = _twin(books, wish, now)
    if twin is not None and not _makes_way(twin, wish):
        return _show_twin(books, twin, wish, now)
    if (declined := _too_much(books, wish, now)) is not None:
        return declined
    if twin is not None:
        cancel(books, twin, now)
    outcome = _PLACE[wish.method](books, _new_order(books, wish, now), now)
    if isinstance(outcome, Placed):
        recognizing.remember(books, outcome.order, wish.nickname, now)
    return outcome


def _twin(books: Books, wish: Wish, now: Millis) -> Order | None:
    """Return the order that this one would be a second of; credit has no such twin."""
    if wish.supplier == HOUSE:
        return None
    twin = books.orders.live_with(wish.supplier, wish.sku, wish.target, now)
    if twin is not None or not wish.good:
        return twin
    # The same good may have been sold by another supplier's offer. A dropship QR there that nobody
    # has paid hinders nothing.
    twin = books.orders.live_of(wish.address, wish.good, wish.user_id, wish.server, now)
    if twin is not None and not (twin.is_prepaid or twin.status in HOLDS_MONEY):
        return None
    return twin


def _makes_way(twin: Order, wish: Wish) -> bool:
    """Tell whether ``twin`` is given up for another way to pay, or another price or content.

    Its money would go back if it were paid all the same: its QR is hidden, not forgotten.
    """
    confirmed = (wish.method, wish.quote.price, wish.content)
    is_other = (twin.method, twin.price, twin.content) != confirmed
    may_go = twin.status is Status.CANCELLED or may(twin, Event.CANCELLED)
    return is_other and twin.address == wish.address and twin.is_prepaid and may_go


def _place_for_a_gateway(books: Books, order: Order, now: Millis) -> Outcome:
    books.orders.add(order)
    for notice in notices.after(order, order, Event.PLACED):
        books.outbox.owe(notice, now)
    return Placed(order=order)


def _place_on_the_wallet(books: Books, order: Order, now: Millis) -> Outcome:
    if books.ledger.credit_of(order.address) < order.price:
        return Declined(why=Why.SHORT)
    books.orders.add(order)
    return Placed(order=paying.pay_from_wallet(books, order, now))


def _place_for_own_qris(books: Books, order: Order, now: Millis) -> Outcome:
    taken = books.orders.reserved_amounts(now - RESERVED)
    most = min(order.price + UNIQUE_CODES - 1, MOST_PER_PAYMENT)
    free = (amount for amount in range(order.price, most + 1) if amount not in taken)
    amount = next(free, None)
    if amount is None:
        return Declined(why=Why.NO_AMOUNT)
    books.orders.add(order)
    invoice = Invoice(
        supplier_ref=order.id,
        number=order.id,
        amount=amount,
        cost=0,
        qr=with_amount(books.rules.qris, amount),
        link="",
        expires_at=order.quote_until,
    )
    return Placed(order=go(books, order, Event.INVOICE_OPENED, now, invoice=invoice))


_PLACE: Mapping[PaymentMethod, Callable[[Books, Order, Millis], Outcome]] = MappingProxyType(
    {
        PaymentMethod.DROPSHIP: _place_for_a_gateway,
        PaymentMethod.DEPOSIT: _place_for_a_gateway,
        PaymentMethod.QRIS: _place_for_own_qris,
        PaymentMethod.WALLET: _place_on_the_wallet,
    }
)


def _too_much(books: Books, wish: Wish, now: Millis) -> Declined | None:
    opens_a_qr = wish.method is not PaymentMethod.WALLET
    if opens_a_qr and len(books.orders.payable_of(wish.address, now)) >= MOST_OPEN:
        return _too_many(books, wish.address, now)
    last = books.orders.last_created_of(wish.address)
    if last is not None and 0 <= now - last < BETWEEN_ORDERS:
        return Declined(why=Why.TOO_SOON, until=last + BETWEEN_ORDERS)
    return None


def _too_many(books: Books, address: str, now: Millis) -> Declined:
    ends = [watching.ends_at(order) for order in books.orders.payable_of(address, now)]
    return Declined(why=Why.TOO_MANY, until=min(ends, default=None))


def _new_order(books: Books, wish: Wish, now: Millis) -> Order:
    gateways = {
        PaymentMethod.DROPSHIP: wish.supplier,
        PaymentMethod.DEPOSIT: books.rules.deposits_at,
    }
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
        quote_until=now + books.rules.holds_for,
        changed_at=now,
        due_at=now,
        method=wish.method,
        gateway=gateways.get(wish.method, HOUSE),
        payout=wish.payout,
        good=wish.good,
        content=wish.content,
        ceiling=wish.quote.ceiling,
        server_code=wish.server_code,
    )


def _show_twin(books: Books, twin: Order, wish: Wish, now: Millis) -> Outcome:
    paid = twin.status in HOLDS_MONEY
    gone = twin.status is Status.CANCELLED and not is_payable(twin, now)
    if twin.address == wish.address and not (paid or gone):
        return Shown(order=show_again(books, twin, now))
    until = None if paid else watching.ends_at(twin)
    return Declined(why=Why.TAKEN, until=until)


def show_again(books: Books, order: Order, now: Millis) -> Order:
    """Show a QR again, taking back a "Batal" while it can still be paid."""
    if order.status is Status.CANCELLED and is_payable(order, now):
        order = go(books, order, Event.REOPENED, now, Because(actor=order.address))
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
        and settling.may_be_shown(order, invoice)
    )


def cancel(books: Books, order: Order, now: Millis) -> Order | None:
    """Hide the QR, at the customer's wish; ``None`` if it is too late for that."""
    if not may(order, Event.CANCELLED):
        return None
    return go(books, order, Event.CANCELLED, now, Because(actor=order.address))


class Claim(StrEnum):
    """What became of "I have paid"."""

    ASKING = "asking"
    ASKING_THE_OWNER = "asking_the_owner"
    TOO_SOON = "too_soon"
    ALREADY_PAID = "already_paid"
    NOTHING_TO_ASK = "nothing_to_ask"


_MAYBE_PAID = frozenset({Status.AWAITING_PAYMENT, Status.EXPIRED, Status.CANCELLED})
_BEING_DELIVERED = HOLDS_MONEY - {Status.REFUND_DUE}


def claim_paid(books: Books, order: Order, now: Millis) -> Claim:
    """Have the supplier asked at once, ahead of everything else; once in ten seconds a person."""
    return claim_any(books, order.address, [order], now)


def claim_any(books: Books, address: str, orders: Sequence[Order], now: Millis) -> Claim:
    """Have it looked into whether each of a person's ``orders`` that may have been paid was.

    A supplier is asked; of what came to the owner's own QRIS only the owner can tell.
    """
    asked = [order for order in orders if order.invoice and order.status in _MAYBE_PAID]
    if not asked:
        paid = any(order.status in _BEING_DELIVERED for order in orders)
        return Claim.ALREADY_PAID if paid else Claim.NOTHING_TO_ASK
    last = books.orders.last_claim_of(address)
    if last is not None and 0 <= now - last < BETWEEN_CLAIMS:
        return Claim.TOO_SOON
    asked = [order for order in asked if not _asked_lately(order, now)]
    for order in asked:
        _claim(books, order, now)
    if not asked:
        return Claim.TOO_SOON
    own = all(order.gateway == HOUSE for order in asked)
    return Claim.ASKING_THE_OWNER if own else Claim.ASKING


def _claim(books: Books, order: Order, now: Millis) -> None:
    if order.gateway != HOUSE:
        claimed = replace(order, claimed_at=now, last_claim_at=now, due_at=now)
        books.orders.note(claimed)
        return
    # It does not lapse any more: the case is what is due about it.
    books.orders.note(replace(order, last_claim_at=now, due_at=None))
    open_case(books, order, CaseKind.CLAIMED, "", now)


def _asked_lately(order: Order, now: Millis) -> bool:
    """Tell whether a claim about a QR that ran out long ago was answered within the hour."""
    recent = order.last_claim_at is not None and 0 <= now - order.last_claim_at < HOUR
    return recent and now > watching.lapses_at(order) + HOUR


def pay_out_to(books: Books, order: Order, payout: str, now: Millis) -> bool:
    """Note where the customer wants a refund sent, and tell the owners; ``False``: none is due."""
    if order.status is not Status.REFUND_DUE:
        return False
    order = replace(order, payout=payout)
    books.orders.note(order)
    if books.cases.open_for(order.id) is None:
        open_case(books, order, CaseKind.PAID_FAILED, payout, now)
    else:
        add_to_case(books, order, payout, f"payout:{now}", now)
    return True
