"""A shop that sold by dropship only gets its books: they agree with every order it ever had."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from shop import ledger, settling
from shop.orders import PAID_FOR, Event, Order, Returned, Status
from shop.payments import Arrival
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import HOUR, MINUTE
from storage.address import Address, SqliteFile
from storage.audit import audit
from storage.books import SqlBooks
from storage.cases import SqlCases
from storage.database import Transaction
from storage.ledger import SqlLedger, SqlPayments
from storage.opening import migrate
from storage.orders import SqlOrders
from tests.fakes.databases import rows, transaction
from tests.fakes.postgres import drop, new_database
from tests.shop.samples import (
    DROPSHIP,
    NOW,
    OWNER,
    QUOTE,
    RULES,
    E,
    S,
    an_invoice,
    an_order,
    moved,
)
from tests.storage.files import as_of, put

ZT, CODE = "zultopup", 63
PRICE, COST = QUOTE.price, QUOTE.cost
_OPEN = (E.OPENING_STARTED, E.INVOICE_OPENED)
# What happened to each order, and what is special about its invoice.
STORIES: dict[str, tuple[Sequence[Event], dict[str, Any]]] = {
    **{status.upper(): (events, {}) for status, events in DROPSHIP.items()},
    "CODE": ((*_OPEN, E.SETTLED, E.DELIVERED), {"amount": PRICE + CODE}),
    "NO_PROFIT": ((*_OPEN, E.DELIVERED), {"cost": PRICE}),
    "UNDER_THE_QUOTE": ((*_OPEN, E.DELIVERED), {"amount": COST}),
    "ALL_PROFIT": ((*_OPEN, E.DELIVERED), {"cost": 0}),
    "CODE_DUE": ((*_OPEN, E.SETTLED, E.FAILED), {"amount": PRICE + CODE}),
    "LATE": ((*_OPEN, E.LAPSED, E.SETTLED), {}),
    "HIDDEN_AND_PAID": ((*_OPEN, E.CANCELLED, E.DELIVERED), {}),
    "ARRIVED": ((*_OPEN, E.FAILED, E.ARRIVED), {}),
    "TAKEN_BACK": ((*_OPEN, E.DELIVERED, E.GIVEN_BACK, E.REFUND_MADE), {}),
    "FOUND": ((*_OPEN, E.LAPSED, E.PAYMENT_FOUND), {}),
    "REFUSED": ((E.OPENING_STARTED, E.INVOICE_REFUSED), {}),
    "GIVEN_UP": ((E.GIVEN_UP,), {}),
}
_DELIVERED = {"CODE", "NO_PROFIT", "UNDER_THE_QUOTE", "ALL_PROFIT", "HIDDEN_AND_PAID", "ARRIVED"}


@pytest.fixture
def old(kind: str, tmp_path: Path) -> Iterator[Address]:
    """A shop of the version before the ledger, in the middle of its life."""
    address: Address = SqliteFile(path=tmp_path / "lapak.db")
    if kind != "sqlite":
        address = new_database(empty=True)
    with as_of(2):
        migrate(address)
    with transaction(address) as tx:
        for name, (events, invoice) in STORIES.items():
            live(tx, name, events, invoice)
    yield address
    if kind != "sqlite":
        drop(address)  # type: ignore[arg-type]


def live(tx: Transaction, name: str, events: Sequence[Event], special: dict[str, Any]) -> None:
    """One order as that version stored it, with its history, its messages and its case."""
    order, history = an_order(id=name, target=name, address=f"web:{name}"), []
    for event in (E.PLACED, *events):
        was = "" if event is E.PLACED else order.status
        if event is E.INVOICE_OPENED:
            order = moved(order, event, invoice=an_invoice(name, **special))
        elif event is not E.PLACED:
            order = moved(order, event)
        history.append((order.version, event, was, order.status))
    columns = ("address", "supplier", "sku", "game", "item", "user_id", "server", "target")
    whole = ("listed", "cost", "price", "version", "created_at", "quote_until", "changed_at")
    row = {field: getattr(order, field) for field in (*columns, *whole, "due_at", "serial")}
    row |= {"claimed_at": None, "last_claim_at": None, "settled_at": None, "alarmed": 0}
    put(tx, "orders", id=name, idempotency=name, status=order.status.value, **row)
    for version, event, was, became in history:
        what = {"event": event.value, "was": str(was), "became": became.value, "at": NOW}
        put(tx, "order_events", order_id=name, version=version, actor="", evidence="", **what)
    if order.invoice is not None:
        kept = ("supplier_ref", "number", "amount", "cost", "qr", "link", "expires_at")
        invoice = {field: getattr(order.invoice, field) for field in kept}
        put(tx, "invoices", order_id=name, supplier=ZT, **invoice)
    if order.status is S.REFUND_DUE:
        said = {"kind": "paid_failed", "evidence": "gagal", "answer": "", "actor": ""}
        times = {"opened_at": NOW - 5 * MINUTE, "closed_at": None, "pending_until": None}
        pending = {"pending": "", "pending_by": ""}
        put(tx, "cases", id=f"{name}-1", order_id=name, **said, **times, **pending)
    message = {"kind": order.status.value, "message": f"{name}:{order.status}", "sent_at": NOW}
    told = {"created_at": NOW, "due_at": None, "lane": 0, "facts": "{}", "failed": ""}
    put(tx, "outbox", address=f"web:{name}", seq=1, order_id=name, **message, **told)


def orders(address: Address) -> dict[str, Order]:
    with transaction(address) as tx:
        found = {name: SqlOrders(tx).get(name) for name in STORIES}
    return {name: order for name, order in found.items() if order is not None}


def balances(address: Address) -> dict[str, int]:
    with transaction(address) as tx:
        return dict(SqlLedger(tx).balances())


def test_after_the_migration_the_audit_finds_nothing(old: Address) -> None:
    migrate(old)
    assert audit(old) == []


def test_every_order_is_what_it_was_and_says_what_was_paid_for_it(old: Address) -> None:
    migrate(old)
    found = orders(old)
    assert set(found) == set(STORIES)
    for name, order in found.items():
        assert (order.gateway, order.asks, order.method) == (ZT, ZT, "dropship")
        assert order.received == (order.amount_due if order.status in PAID_FOR else 0)
        assert (order.fee, order.excess, order.tries, order.attempt) == (0, 0, 0, None)
        returned = Returned.HAND if order.status is S.REFUNDED else Returned.NOT
        assert (order.returned, order.lost) == (returned, False)
        assert order.version == len(STORIES[name][0]) + 1


def test_l7_the_books_begin_with_what_every_order_means_today(old: Address) -> None:
    migrate(old)
    found, books = orders(old).values(), balances(old)
    held = sum(order.received for order in found if order.status in {S.PROCESSING, S.REFUND_DUE})
    sold = sum(order.received for order in found if order.status is S.DELIVERED)
    assert books[ledger.HELD] == -held
    assert books[ledger.dropship(ZT)] == held
    assert books[ledger.SALES] == -sold
    assert books[ledger.profit(ZT)] + books[ledger.cost(ZT)] == sold
    delivered = [order for order in found if order.status is S.DELIVERED]
    assert {order.id for order in delivered} == {"DELIVERED", *_DELIVERED}
    costs = sum(order.invoice.cost for order in delivered if order.invoice)
    assert books[ledger.profit(ZT)] == sum(order.price for order in delivered) - costs
    assert sum(books.values()) == 0


def test_l6_a_payment_of_before_is_known_for_ever(old: Address) -> None:
    migrate(old)
    with transaction(old) as tx:
        payments = SqlPayments(tx)
        again = payments.arrived(ZT, "ref-DELIVERED", "DELIVERED", PRICE, NOW + HOUR)
        assert again is Arrival.AGAIN
        other = payments.arrived(ZT, "ref-DELIVERED", "DELIVERED", PRICE + 1, NOW + HOUR)
        assert other is Arrival.DIFFERS
        new = payments.arrived(ZT, "ref-EXPIRED", "EXPIRED", PRICE, NOW + HOUR)
        assert new is Arrival.FIRST


def test_open_cases_stay_open_and_are_told_again_a_day_later(old: Address) -> None:
    migrate(old)
    with transaction(old) as tx:
        cases = SqlCases(tx)
        names = {case.order_id for case in cases.all_open()}
        assert names == {"REFUND_DUE", "CODE_DUE", "FOUND"}
        case = cases.open_for("REFUND_DUE")
        assert case is not None
        assert (case.about, case.evidence) == ("", "gagal")
        first = NOW - 5 * MINUTE + 24 * HOUR
        assert cases.next_to_remind(first - 1) is None
        assert cases.next_to_remind(first) is not None


GOES_ON: dict[str, tuple[InvoiceState, Status]] = {
    "AWAITING_PAYMENT": (InvoiceState.DELIVERED, S.DELIVERED),
    "PROCESSING": (InvoiceState.DELIVERED, S.DELIVERED),
    "LATE": (InvoiceState.FAILED, S.REFUND_DUE),
    "EXPIRED": (InvoiceState.SETTLED, S.PROCESSING),
    "CANCELLED": (InvoiceState.FAILED, S.REFUND_DUE),
    "CODE": (InvoiceState.FAILED, S.DELIVERED),
    "REFUNDED": (InvoiceState.DELIVERED, S.REFUNDED),
}
DECIDED: dict[str, tuple[Event, Status]] = {
    "REFUND_DUE": (E.REFUND_MADE, S.REFUNDED),
    "CODE_DUE": (E.ARRIVED, S.DELIVERED),
    "DELIVERED": (E.GIVEN_BACK, S.REFUND_DUE),
    "TAKEN_BACK": (E.LOSS_RECORDED, S.REFUNDED),
}


def test_l1_everything_goes_on_and_the_books_with_it(old: Address) -> None:
    migrate(old)
    for name, (state, status) in GOES_ON.items():
        with transaction(old) as tx:
            books, report = SqlBooks(tx, RULES, (OWNER,)), InvoiceReport(state=state, note="x")
            assert settling.heard(books, name, report, NOW + HOUR, NOW + HOUR).status is status
    for name, (event, status) in DECIDED.items():
        with transaction(old) as tx:
            books = SqlBooks(tx, RULES, (OWNER,))
            order = books.orders.get(name)
            assert order is not None
            assert settling.decided(books, order, event, OWNER, NOW + HOUR).status is status
    assert audit(old) == []
    entries = rows(old, "SELECT id FROM entries WHERE order_id = 'PROCESSING' ORDER BY at")
    assert [row["id"] for row in entries] == ["PROCESSING/0", "PROCESSING/5"]


def test_nothing_of_an_order_that_was_never_paid_is_in_the_books(old: Address) -> None:
    migrate(old)
    paid = {order.id for order in orders(old).values() if order.received}
    assert {row["order_id"] for row in rows(old, "SELECT order_id FROM payments")} == paid
    assert {row["order_id"] for row in rows(old, "SELECT order_id FROM entries")} <= paid
