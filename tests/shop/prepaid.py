"""Orders that are paid first, made as the shop makes them, in books that must always be whole."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from shop import fulfilment, ledger, ordering, settling
from shop.fulfilment import Outcome
from shop.notices import NoticeKind
from shop.orders import CASH, CREDIT, HOUSE, Order
from shop.payments import PaymentMethod, Refunds
from shop.pricing import Quote
from shop.suppliers import Abilities, InvoiceReport, InvoiceState, Listing, TopupReport, TopupState
from shop.time import MINUTE, SECOND
from storage import audit
from storage.books import SqlBooks
from storage.money_invariants import WHOLE_RUPIAH
from tests.shop.samples import (
    BUYER,
    NOW,
    OWNER,
    QUOTE,
    RULES,
    E,
    M,
    an_invoice,
    open_books,
)

SELLER, GATEWAY = "zonegame", "zultopup"  # who delivers, and who takes deposits
PRICE, COST = QUOTE.price, QUOTE.cost
WALLET = ledger.wallet(BUYER)
LEASE = NOW + 75 * SECOND
# A static QRIS of nobody.
STATIC_QRIS = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)
EVERY_WAY = replace(
    RULES,
    methods=tuple(PaymentMethod),
    qris=STATIC_QRIS,
    deposits_at=GATEWAY,
    abilities={
        **RULES.abilities,
        SELLER: Abilities(counts_calls=True, knows_our_ref=True, tells_balance=True),
    },
)
T = TopupState


@contextmanager
def a_shop(folder: Path, **rules: Any) -> Iterator[SqlBooks]:
    """Books under the rules of an owner who takes money every way; whole when the test is over."""
    with open_books(folder, replace(EVERY_WAY, **rules)) as books:
        yield books
        assert broken(books) == []


def broken(books: SqlBooks) -> list[str]:
    """What the audit finds."""
    return audit._broken(books.orders._tx, (*audit.RULES, WHOLE_RUPIAH))


def by_hand(books: SqlBooks) -> SqlBooks:
    """The same books, under an owner who refunds everything by hand."""
    rules = replace(books.rules, refunds=Refunds.MANUAL)
    return SqlBooks(books.orders._tx, rules, (OWNER,))


def a_wish(name: str, method: PaymentMethod, **changes: Any) -> ordering.Wish:
    wish = ordering.Wish(
        id=name,
        key=f"key-{name}",
        address=BUYER,
        supplier=SELLER,
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id="123456789",
        server="",
        target=f"target-{name}",
        quote=QUOTE,
        method=method,
    )
    return replace(wish, **changes)


def for_credit(name: str, amount: int, method: PaymentMethod = M.QRIS, **changes: Any) -> Any:
    """A wish for credit in the shop, at what it is worth."""
    quote = Quote(listed=amount, cost=amount, price=amount)
    bought = {"supplier": HOUSE, "sku": CREDIT, "game": "", "item": "Saldo", "target": ""}
    return a_wish(name, method, quote=quote, **{**bought, **changes})


def for_cash(name: str, amount: int, **changes: Any) -> Any:
    """A wish to have credit paid out."""
    return for_credit(name, amount, M.WALLET, sku=CASH, payout="BCA 123", **changes)


def place(books: SqlBooks, wish: ordering.Wish, at: int = NOW) -> Order:
    outcome = ordering.place(books, wish, at)
    assert isinstance(outcome, ordering.Placed), outcome
    return outcome.order


def own_qris(books: SqlBooks, name: str = "Q", at: int = NOW, **changes: Any) -> Order:
    """An order that waits for its money on the owner's own QRIS."""
    return place(books, a_wish(name, M.QRIS, **changes), at)


def deposit(
    books: SqlBooks, name: str = "D", at: int = NOW, more: int = 0, **changes: Any
) -> Order:
    """An order whose QR is a deposit of ours, over its price and ``more``."""
    order = place(books, a_wish(name, M.DEPOSIT, **changes), at)
    opening = settling.start_opening(books, order, at + MINUTE, at)
    end = at + 15 * MINUTE
    invoice = an_invoice(name, amount=order.price + more, cost=0, expires_at=end)
    return settling.opened(books, opening, invoice, at)


def settled(amount: int | None = None) -> InvoiceReport:
    return InvoiceReport(state=InvoiceState.SETTLED, amount=amount, note="success")


def paid(books: SqlBooks, name: str = "P", at: int = NOW, **changes: Any) -> Order:
    """An order that is paid on the own QRIS, as the owner says, and not ordered yet."""
    return settling.decided(books, own_qris(books, name, at, **changes), E.PAID, OWNER, at)


def with_credit(books: SqlBooks, amount: int, buyer: str = BUYER, at: int = NOW) -> None:
    """Top up the buyer's wallet."""
    name = f"TOPUP-{buyer}-{at}"
    wish = for_credit(name, amount, address=buyer)
    settling.decided(books, place(books, wish, at), E.PAID, OWNER, at)


def started(books: SqlBooks, name: str = "P", at: int = NOW, **changes: Any) -> Order:
    """An order whose attempt is written down as being made."""
    return fulfilment.start(books, paid(books, name, at, **changes), at + 75 * SECOND, at)


def ordered(books: SqlBooks, outcome: Outcome, name: str = "P", at: int = NOW) -> Order:
    """An order that was asked for, with that answer."""
    return fulfilment.submitted(books, started(books, name, at), outcome, at)


def report(state: TopupState, **more: Any) -> TopupReport:
    return TopupReport(state=state, **{"note": "their words", **more})


def reported(books: SqlBooks, order: Order, state: TopupState, now: int, **more: Any) -> Order:
    """The supplier says this of an order, asked about just before."""
    return fulfilment.reported(books, order, report(state, **more), now - 1, now)


def now_of(books: SqlBooks, name: str) -> Order:
    found = books.orders.get(name)
    assert found is not None
    return found


def credit(books: SqlBooks, buyer: str = BUYER) -> int:
    return books.ledger.credit_of(buyer)


def balances(books: SqlBooks, *accounts: str) -> tuple[int, ...]:
    return tuple(books.ledger.balance(account) for account in accounts)


def listed_at(books: SqlBooks, price: int, at: int = NOW) -> None:
    """What the supplier asks for the item from now on."""
    listing = Listing(sku="1", category="", name="70 Diamond", price=price, available=True)
    books.shelf.replace(SELLER, [("free-fire", listing)], at)


def asked(books: SqlBooks, kind: NoticeKind = NoticeKind.CASE) -> list[Mapping[str, Any]]:
    """What the owner was told, message by message, oldest first."""
    sql = "SELECT facts FROM outbox WHERE address = :a AND kind = :k ORDER BY seq"
    found = books.orders._tx.fetch(sql, {"a": OWNER, "k": kind})
    return [json.loads(row["facts"]) for row in found]
