"""The audit is silent about sound books, and goes red for each invariant that is broken by hand."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shop import ordering, settling
from shop.orders import Order
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import MINUTE
from storage.audit import RULES, audit
from storage.books import SqlBooks
from storage.sqlite import connect
from storage.sqlite_schema import only_one
from tests.shop.samples import NOW, OWNER, QUOTE, an_invoice
from tests.shop.samples import RULES as OWNERS_RULES
from tests.storage.files import new_file, one_transaction

# The orders in the books, and what the supplier said of each.
SAID = {
    "AWAITING": InvoiceState.UNPAID,
    "PROCESSING": InvoiceState.SETTLED,
    "DELIVERED": InvoiceState.DELIVERED,
    "REFUND": InvoiceState.FAILED,
    "EXPIRED": InvoiceState.EXPIRED,
}
FREE_HISTORY = "DROP TRIGGER order_events_stay; DROP TRIGGER order_events_remain;"
TWIN_INVOICES = """
    CREATE TABLE loose AS SELECT * FROM invoices; DROP TABLE invoices;
    ALTER TABLE loose RENAME TO invoices; UPDATE invoices SET supplier_ref = 'same';
"""
# Which rule: how to break it, and the ids that must then be named.
DAMAGES: dict[str, tuple[str, set[str]]] = {
    "money is whole rupiah": (
        "UPDATE orders SET price = price + 0.5 WHERE id = 'AWAITING'",
        {"L5"},
    ),
    "an order that holds money is watched, or is a case": (
        "UPDATE orders SET due_at = NULL WHERE id = 'PROCESSING'",
        {"O1", "O13"},
    ),
    "money that must go back is a case": (
        "UPDATE cases SET closed_at = 1 WHERE order_id = 'REFUND'",
        {"O1b"},
    ),
    "one invoice for an order, one order for an invoice": (TWIN_INVOICES, {"O2"}),
    "no invoice without the mark that it was asked for": (
        f"{FREE_HISTORY} UPDATE order_events SET event = 'placed' WHERE event = 'opening_started'",
        {"O3", "O6b"},
    ),
    "the history of an order leads to where it stands": (
        "UPDATE orders SET status = 'refunded' WHERE id = 'EXPIRED'",
        {"O6b"},
    ),
    "the history of an order has no gaps": (
        f"{FREE_HISTORY} DELETE FROM order_events WHERE order_id = 'AWAITING' AND version = 1",
        {"O6b"},
    ),
    "each event begins where the one before it ended": (
        f"{FREE_HISTORY} UPDATE order_events SET was = 'expired' WHERE event = 'settled'",
        {"O6b"},
    ),
    "no QR shown for more than the quote and a unique code, nor at a loss": (
        "UPDATE invoices SET amount = 12800 WHERE order_id = 'AWAITING'",
        {"O8"},
    ),
    "every order that is not at an end has a timer or is a case": (
        "UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'",
        {"O13"},
    ),
    "what belongs to an order was sent to its buyer or is the owner's business": (
        "UPDATE outbox SET address = 'web:other' WHERE kind = 'delivered'",
        {"M1"},
    ),
    "a delivered order has its message": (
        "DELETE FROM outbox WHERE kind = 'delivered'",
        {"M2"},
    ),
    "no word of success, refund or return before the order says so": (
        "UPDATE outbox SET created_at = created_at - 1 WHERE kind = 'refund_due'",
        {"M3"},
    ),
}
MORE_DAMAGES = [
    ("L5", "UPDATE orders SET price = 'much' WHERE id = 'AWAITING'"),
    ("L5", "UPDATE invoices SET amount = 11800.5 WHERE order_id = 'EXPIRED'"),
    ("L5", "UPDATE invoices SET cost = 'x' WHERE order_id = 'EXPIRED'"),
    ("O1", "UPDATE orders SET due_at = NULL WHERE id = 'REFUND'; UPDATE cases SET closed_at = 1"),
    ("O6b", "UPDATE orders SET version = version + 1 WHERE id = 'DELIVERED'"),
    ("O8", "UPDATE invoices SET cost = 11801 WHERE order_id = 'PROCESSING'"),
    # What the customer pays covers it, and the owner, who promised less, pays the rest.
    ("O8", "UPDATE invoices SET cost = 11801, amount = 12799 WHERE order_id = 'AWAITING'"),
    ("O8", "UPDATE invoices SET cost = 11801, amount = 12799 WHERE order_id = 'DELIVERED'"),
    ("M1", "UPDATE outbox SET address = 'web:other' WHERE kind = 'qr' AND order_id = 'EXPIRED'"),
    ("M3", "UPDATE outbox SET kind = 'refunded' WHERE kind = 'refund_due'"),
    (
        "O6b no such move",
        f"{FREE_HISTORY} UPDATE order_events SET event = 'arrived' WHERE event = 'delivered'",
    ),
    (
        "O6b does not begin as placed",
        f"{FREE_HISTORY} UPDATE order_events SET became = 'opening' WHERE version = 1",
    ),
    ("D1 a row of pictures", "INSERT INTO pictures (order_id, bytes) VALUES ('NOBODY', x'00')"),
    (
        "D1 the file is damaged",
        "PRAGMA writable_schema=ON; DELETE FROM sqlite_master WHERE name = 'orders_by_address'",
    ),
]


def sell(books: SqlBooks, name: str, said: InvoiceState) -> Order:
    """One order, from the confirmation to the supplier's word, as the shop does it."""
    wish = ordering.Wish(
        id=name,
        key=name,
        address=f"web:{name}",
        supplier="zultopup",
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id="123456789",
        server="",
        target=name,
        quote=QUOTE,
    )
    placed = ordering.place(books, wish, NOW)
    assert isinstance(placed, ordering.Placed)
    opening = settling.start_opening(books, placed.order, NOW + MINUTE, NOW)
    settling.opened(books, opening, an_invoice(name), NOW + 1)
    return settling.heard(books, name, InvoiceReport(state=said), NOW + 2, NOW + 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Books with an order in every interesting status, all its messages sent."""
    path = new_file(tmp_path)
    with one_transaction(path) as tx:
        books = SqlBooks(tx, OWNERS_RULES, (OWNER,))
        for name, said in SAID.items():
            sell(books, name, said)
        while owed := books.outbox.due(NOW + MINUTE, 99):
            for message in owed:
                books.outbox.sent(message, NOW + MINUTE)
    return path


def damage(path: Path, sql: str) -> None:
    """Change the file behind the shop's back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
        connection.commit()


def ids(broken: list[str]) -> set[str]:
    return {line.split(" ")[0] for line in broken}


def test_sound_books_are_silent(path: Path) -> None:
    assert audit(path) == []


def test_empty_books_are_silent(tmp_path: Path) -> None:
    assert audit(new_file(tmp_path)) == []


def test_every_rule_is_broken_once_below() -> None:
    assert set(DAMAGES) == {rule.says for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.id}: {rule.says}")
def test_each_rule_goes_red_when_what_it_says_is_broken(path: Path, rule: object) -> None:
    says = rule.says  # type: ignore[attr-defined]
    sql, named = DAMAGES[says]
    damage(path, sql)
    broken = audit(path)
    assert any(f" {says}: " in line for line in broken)
    assert ids(broken) == named


@pytest.mark.parametrize(("begins", "sql"), MORE_DAMAGES)
def test_other_damage_is_named_too(path: Path, begins: str, sql: str) -> None:
    damage(path, sql)
    assert any(line.startswith(begins) for line in audit(path))


def test_a_broken_order_is_named(path: Path) -> None:
    damage(path, "UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'")
    (line,) = audit(path)
    assert line.endswith(": AWAITING")
    assert "\n" not in line


def test_d1_a_file_full_of_rubbish_is_never_called_sound(path: Path) -> None:
    with closing(connect(str(path))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    page = 4096
    content[2 * page : 12 * page] = b"\xa5" * (10 * page)
    path.write_bytes(content)
    try:
        broken = audit(path)
    except sqlite3.DatabaseError:
        return
    assert broken


def test_a_missing_database_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        audit(tmp_path / "lapak.db")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(str(path))) as connection:
        yield connection


def test_the_audit_runs_beside_a_shop_in_the_middle_of_a_write(
    path: Path, writer: sqlite3.Connection
) -> None:
    with only_one(path):
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'")
        assert audit(path) == []  # it sees what is committed
        writer.execute("COMMIT")
        assert ids(audit(path)) == {"O13"}


def test_the_audit_changes_nothing(path: Path) -> None:
    before = {found.name: found.read_bytes() for found in path.parent.glob("*.db")}
    audit(path)
    assert {found.name: found.read_bytes() for found in path.parent.glob("*.db")} == before


def test_o8_a_qr_that_was_never_shown_breaks_no_promise(path: Path) -> None:
    damage(
        path,
        """
        UPDATE invoices SET amount = 99999 WHERE order_id = 'AWAITING';
        UPDATE outbox SET sent_at = NULL WHERE order_id = 'AWAITING' AND kind = 'qr'
        """,
    )
    assert audit(path) == []


def test_m1_cases_and_alerts_are_the_owners_business(path: Path) -> None:
    with closing(connect(str(path), read_only=True)) as connection:
        sql = "SELECT kind FROM outbox WHERE address = ? AND order_id <> ''"
        assert {row["kind"] for row in connection.execute(sql, (OWNER,))} == {"case"}
    assert audit(path) == []


def test_the_rules_name_invariants_of_the_design() -> None:
    known = {"L5", "O1", "O1b", "O2", "O3", "O6b", "O8", "O13", "M1", "M2", "M3"}
    assert {rule.id for rule in RULES} == known
