"""What the schema itself forbids, whatever the program does."""

import pytest

from storage.database import Transaction
from tests.storage.files import BELONGING, put, refused

REWRITES = [
    "UPDATE order_events SET event = 'delivered'",
    "UPDATE order_events SET at = at",
    "DELETE FROM order_events",
    "DELETE FROM orders",
]
TRUNCATES = [
    "TRUNCATE order_events",
    "TRUNCATE orders CASCADE",
    "TRUNCATE transcript, order_events",
]


def written(tx: Transaction) -> None:
    """An order with its first event."""
    put(tx, "orders", id="A")
    put(tx, "order_events", order_id="A")


@pytest.mark.parametrize(
    ("kind", "sql"),
    [(kind, sql) for kind in ("sqlite", "postgres") for sql in REWRITES]
    + [("postgres", sql) for sql in TRUNCATES],
)
def test_l2_history_is_only_ever_added_to(tx: Transaction, sql: str) -> None:
    written(tx)
    with refused(tx, "never"):
        tx.execute(sql)
    assert len(tx.fetch("SELECT * FROM order_events")) == 1
    put(tx, "order_events", order_id="A", version=2)


@pytest.mark.parametrize("changes", ["price = cost - 1", "price = listed - 1", "cost = -1"])
def test_o8b_no_order_below_its_cost_can_even_be_stored(tx: Transaction, changes: str) -> None:
    put(tx, "orders", listed=100, cost=112, price=118)
    with refused(tx, "(?i)check"):
        tx.execute(f"UPDATE orders SET {changes}")


@pytest.mark.parametrize("table", sorted(BELONGING))
def test_nothing_belongs_to_an_order_that_is_not_there(tx: Transaction, table: str) -> None:
    with refused(tx, "(?i)foreign key"):
        put(tx, table, order_id="NOBODY")


def test_o2_one_invoice_belongs_to_one_order(tx: Transaction) -> None:
    for name in "AB":
        put(tx, "orders", id=name, idempotency=name)
    put(tx, "invoices", order_id="A", supplier_ref="1")
    with refused(tx, "(?i)unique"):
        put(tx, "invoices", order_id="B", supplier_ref="1")
    put(tx, "invoices", order_id="B", supplier_ref="1", gateway="another")


def test_o4_a_reference_is_never_given_to_a_second_attempt(tx: Transaction) -> None:
    for name in "AB":
        put(tx, "orders", id=name, idempotency=name)
    put(tx, "attempts", order_id="A", ref="A-1", nth=1)
    for again in ({"order_id": "B", "nth": 1}, {"order_id": "A", "nth": 2}):
        with refused(tx, "(?i)unique"):
            put(tx, "attempts", **{"ref": "A-1", **again})
    with refused(tx, "(?i)unique"):
        put(tx, "attempts", order_id="A", ref="A-2", nth=1)
    put(tx, "attempts", order_id="B", ref="A-1", nth=1, supplier="another")


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("orders", {"received": -1}),
        ("orders", {"excess": -1}),
        ("attempts", {"cost": -1}),
        ("attempts", {"charged": -1}),
        ("payments", {"amount": -1}),
    ],
)
def test_money_that_a_customer_or_a_supplier_has_is_never_below_zero(
    tx: Transaction, table: str, changes: dict[str, int]
) -> None:
    put(tx, "orders", id="A", idempotency="A")
    row = {"id": "B"} if table == "orders" else {"order_id": "A"}
    with refused(tx, "(?i)check"):
        put(tx, table, **row, **changes)
    put(tx, table, **row)


def test_a_supplier_has_one_open_case_about_its_balance(tx: Transaction) -> None:
    put(tx, "cases", id="1", order_id=None, about="zultopup", closed_at=None)
    with refused(tx, "(?i)unique"):
        put(tx, "cases", id="2", order_id=None, about="zultopup", closed_at=None)
    put(tx, "cases", id="3", order_id=None, about="zonegame", closed_at=None)
    put(tx, "cases", id="4", order_id=None, about="zultopup", closed_at=5)


def test_an_order_has_one_open_case(tx: Transaction) -> None:
    put(tx, "orders", id="A")
    put(tx, "cases", id="1", order_id="A", closed_at=None)
    with refused(tx, "(?i)unique"):
        put(tx, "cases", id="2", order_id="A", closed_at=None)
    put(tx, "cases", id="3", order_id="A", closed_at=5)
