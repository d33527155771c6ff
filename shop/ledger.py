"""Double-entry books: what each order means in each account, and what a move posts.

Assets and expenses are positive, liabilities and income negative, in whole rupiah; every entry sums
to zero. An order's part in the books follows from where it stands (``stands``), so what a move
posts is the difference it makes: nothing can be posted twice, or forgotten on the way back.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from shop.orders import CASH, CREDIT, HOLDS_MONEY, HOUSE, Order, Returned, Status
from shop.payments import PaymentMethod
from shop.time import Millis

QRIS: Final = "qris"  # money on the owner's own QRIS
HELD: Final = "held"  # paid by customers, neither delivered nor given back yet
SALES: Final = "sales"
ADJUSTMENT: Final = "adjustment"  # between these books and the owner's pocket


def supplier(slug: str) -> str:
    """Our balance at a supplier."""
    return f"supplier:{slug}"


def dropship(slug: str) -> str:
    """Customers' money that a supplier holds for open dropship orders."""
    return f"dropship:{slug}"


def profit(slug: str) -> str:
    """Dropship profit not yet withdrawn."""
    return f"profit:{slug}"


def cost(slug: str) -> str:
    """What a supplier charged for goods, and kept of payments."""
    return f"cost:{slug}"


def wallet(address: str) -> str:
    """The store credit of a person: never above zero, as it is a liability."""
    return f"wallet:{address}"


class Overdrawn(Exception):
    """A wallet holds less than was to be taken from it. Nothing was posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """What leaves an account, and what comes into it; whole rupiah, neither negative."""

    leaving: int = 0
    coming: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one entry did to one account."""

    at: Millis
    amount: int
    event: str
    order_id: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One posting set: what is added to each account, summing to zero.

    ``id`` is unique for ever: the same thing is never posted twice. ``corrects`` names the entry
    that this one sets right, with ``actor`` and ``reason``.
    """

    id: str
    at: Millis
    amounts: Mapping[str, int]
    order_id: str = ""
    event: str = ""
    actor: str = ""
    reason: str = field(default="", repr=False)
    corrects: str = ""

    def __post_init__(self) -> None:
        if sum(self.amounts.values()) != 0:
            raise ValueError(f"{self.id}: an entry sums to zero")


def entry_of(was: Order, now: Order, event: str, actor: str = "", reason: str = "") -> Entry | None:
    """Return what a move posts; ``None``: no money moved."""
    if was.attempt is not None and now.attempt is not None and was.attempt.nth != now.attempt.nth:
        was = replace(was, attempt=None)  # what an earlier attempt cost stays in the books
    before, after = stands(was), stands(now)
    changed = {name: after[name] - before[name] for name in before.keys() | after.keys()}
    amounts = {name: amount for name, amount in sorted(changed.items()) if amount}
    if not amounts:
        return None
    return Entry(
        id=f"{now.id}/{now.version}",
        at=now.changed_at,
        amounts=amounts,
        order_id=now.id,
        event=event,
        actor=actor,
        reason=reason,
    )


def stands(order: Order) -> Counter[str]:
    """Return what ``order`` contributes to each account as it stands; the sum is zero."""
    book: Counter[str] = Counter()
    if order.attempt is not None:
        book[supplier(order.attempt.supplier)] -= order.attempt.charged
        book[cost(order.attempt.supplier)] += order.attempt.charged
    if order.received:
        (_prepaid if order.is_prepaid else _dropshipped)(order, book)
    return book


def _dropshipped(order: Order, book: Counter[str]) -> None:
    """The supplier takes the money, and credits a profit when it has delivered."""
    if order.status in HOLDS_MONEY:
        book[dropship(order.gateway)] += order.received
        book[HELD] -= order.received
    elif order.status is Status.DELIVERED or order.lost:
        earned = order.price - (order.invoice.cost if order.invoice else order.cost)
        book[profit(order.gateway)] += earned
        book[cost(order.gateway)] += order.received - earned
        # Refunded and delivered all the same: the customer was paid from the owner's pocket.
        book[ADJUSTMENT if order.lost else SALES] -= order.received
    # Refunded: the owner and the supplier have settled it between them.


def _prepaid(order: Order, book: Counter[str]) -> None:
    """The money is ours at once: held, then earned or given back."""
    book[cost(order.gateway)] += order.fee
    book[_account_of(order)] += order.received - order.fee
    book[wallet(order.address)] -= order.excess
    book[_where(order)] -= order.received - order.excess


def _account_of(order: Order) -> str:
    """Return where the customer's money went."""
    match order.method:
        case PaymentMethod.WALLET:
            return wallet(order.address)
        case PaymentMethod.QRIS:
            return QRIS
        case _:
            return supplier(order.gateway)


_SOLD: Mapping[tuple[str, str], str] = MappingProxyType({(HOUSE, CASH): ADJUSTMENT})


def _where(order: Order) -> str:
    """Return what the customer's money has become."""
    match order.status:
        case Status.DELIVERED if (order.supplier, order.sku) == (HOUSE, CREDIT):
            return wallet(order.address)
        case Status.DELIVERED:
            return _SOLD.get((order.supplier, order.sku), SALES)
        case Status.REFUNDED if order.returned is Returned.WALLET:
            return wallet(order.address)
        case Status.REFUNDED:  # by hand: out of the owner's pocket, unless it came there
            return QRIS if order.method is PaymentMethod.QRIS else ADJUSTMENT
        case _:
            return HELD
