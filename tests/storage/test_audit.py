"""The audit is silent about sound books, and goes red for each invariant that is broken by hand."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from shop import ordering, settling
from shop.orders import Order
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import MINUTE
from storage.address import Address, PostgresServer, SqliteFile
from storage.audit import RULES, WHOLE_RUPIAH, audit
from storage.books import SqlBooks
from storage.opening import held
from storage.schema import Unusable
from storage.sqlite import connect
from tests.fakes.databases import fresh, rows, transaction
from tests.fakes.postgres import drop, new_database
from tests.shop.samples import NOW, OWNER, QUOTE, an_invoice
from tests.shop.samples import RULES as OWNERS_RULES
from tests.storage.files import Shared

# The orders in the books, and what the supplier said of each.
SAID = {
    "AWAITING": InvoiceState.UNPAID,
    "PROCESSING": InvoiceState.SETTLED,
    "DELIVERED": InvoiceState.DELIVERED,
    "REFUND": InvoiceState.FAILED,
    "EXPIRED": InvoiceState.EXPIRED,
}
# Which rule: how to break it, and the ids that must then be named.
DAMAGES: Mapping[str, tuple[str, set[str]]] = {
    "an order that holds money is watched, or is a case": (
        "UPDATE orders SET due_at = NULL WHERE id = 'PROCESSING'",
        {"O1", "O13"},
    ),
    "money that must go back is a case": (
        "UPDATE cases SET closed_at = 1 WHERE order_id = 'REFUND'",
        {"O1b"},
    ),
    "no invoice without the mark that it was asked for": (
        "UPDATE order_events SET event = 'placed' WHERE event = 'opening_started'",
        {"O3", "O6b"},
    ),
    "the history of an order leads to where it stands": (
        "UPDATE orders SET status = 'refunded' WHERE id = 'EXPIRED'",
        {"O6b"},
    ),
    "the history of an order has no gaps": (
        "DELETE FROM order_events WHERE order_id = 'AWAITING' AND version = 1",
        {"O6b"},
    ),
    "each event begins where the one before it ended": (
        "UPDATE order_events SET was = 'expired' WHERE event = 'settled'",
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
# This one a rule of the schema prevents: it is lifted first.
TWINS = "one invoice for an order, one order for an invoice"
LIFTED = {
    "sqlite": """
        CREATE TABLE loose AS SELECT * FROM invoices; DROP TABLE invoices;
        ALTER TABLE loose RENAME TO invoices;
    """,
    "postgres": "ALTER TABLE invoices DROP CONSTRAINT invoices_supplier_supplier_ref_key;",
}
MORE_DAMAGES = [
    ("O1", "UPDATE orders SET due_at = NULL WHERE id = 'REFUND'; UPDATE cases SET closed_at = 1"),
    ("O6b", "UPDATE orders SET version = version + 1 WHERE id = 'DELIVERED'"),
    ("O8", "UPDATE invoices SET cost = 11801 WHERE order_id = 'PROCESSING'"),
    # What the customer pays covers it, and the owner, who promised less, pays the rest.
    ("O8", "UPDATE invoices SET cost = 11801, amount = 12799 WHERE order_id = 'AWAITING'"),
    ("O8", "UPDATE invoices SET cost = 11801, amount = 12799 WHERE order_id = 'DELIVERED'"),
    ("M1", "UPDATE outbox SET address = 'web:other' WHERE kind = 'qr' AND order_id = 'EXPIRED'"),
    ("M3", "UPDATE outbox SET kind = 'refunded' WHERE kind = 'refund_due'"),
    (
        "O6b no such move: awaiting_payment arrived delivered",
        "UPDATE order_events SET event = 'arrived' WHERE event = 'delivered'",
    ),
    (
        "O6b does not begin as placed: AWAITING",
        "UPDATE order_events SET became = 'opening' WHERE version = 1",
    ),
]
# What a server would not even store.
DAMAGES_OF_A_FILE = [
    ("L5", "UPDATE orders SET price = price + 0.5 WHERE id = 'AWAITING'"),
    ("L5", "UPDATE orders SET price = 'much' WHERE id = 'AWAITING'"),
    ("L5", "UPDATE invoices SET amount = 11800.5 WHERE order_id = 'EXPIRED'"),
    ("L5", "UPDATE invoices SET cost = 'x' WHERE order_id = 'EXPIRED'"),
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
def sold(address: Address) -> Address:
    """Books with an order in every interesting status, all its messages sent."""
    return with_orders(address)


def with_orders(address: Address) -> Address:
    with transaction(address) as tx:
        books = SqlBooks(tx, OWNERS_RULES, (OWNER,))
        for name, said in SAID.items():
            sell(books, name, said)
        while owed := books.outbox.due(NOW + MINUTE, 99):
            for message in owed:
                books.outbox.sent(message, NOW + MINUTE)
    return address


def damage(address: Address, sql: str) -> None:
    """Change it behind the shop's back: no trigger and no foreign key is in the way."""
    if isinstance(address, SqliteFile):
        with closing(sqlite3.connect(address.path)) as file:
            for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                file.execute(f"DROP TRIGGER {name}")
            file.executescript(sql)
            file.commit()
        return
    with psycopg.connect(address.uri) as server:
        server.execute("SET session_replication_role = replica")
        server.execute(sql)


def ids(broken: list[str]) -> set[str]:
    return {line.partition(" ")[0] for line in broken}


def test_sound_books_are_silent(sold: Address) -> None:
    assert audit(sold) == []


def test_empty_books_are_silent(address: Address) -> None:
    assert audit(address) == []


def test_every_rule_is_broken_once_below() -> None:
    assert {*DAMAGES, TWINS} == {rule.says for rule in RULES}
    assert WHOLE_RUPIAH.id in {begins for begins, _ in DAMAGES_OF_A_FILE}


@pytest.mark.parametrize("says", DAMAGES)
def test_each_rule_goes_red_when_what_it_says_is_broken(sold: Address, says: str) -> None:
    sql, named = DAMAGES[says]
    damage(sold, sql)
    broken = audit(sold)
    assert any(f" {says}: " in line for line in broken)
    assert ids(broken) == named


def test_o2_two_orders_with_one_invoice_are_named(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as address:
        with_orders(address)
        damage(address, f"{LIFTED[kind]} UPDATE invoices SET supplier_ref = 'same'")
        (line,) = audit(address)
    assert line == f"O2 {TWINS}: AWAITING"


@pytest.mark.parametrize(("begins", "sql"), MORE_DAMAGES)
def test_other_damage_is_named_too(sold: Address, begins: str, sql: str) -> None:
    damage(sold, sql)
    assert any(line.startswith(begins) for line in audit(sold))


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(("begins", "sql"), DAMAGES_OF_A_FILE)
def test_damage_that_only_a_file_can_take_is_named_too(
    sold: Address, begins: str, sql: str
) -> None:
    damage(sold, sql)
    assert any(line.startswith(begins) for line in audit(sold))


def test_a_broken_order_is_named(sold: Address) -> None:
    damage(sold, "UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'")
    (line,) = audit(sold)
    assert line.endswith(": AWAITING")
    assert "\n" not in line


@pytest.mark.parametrize("kind", ["sqlite"])
def test_d1_a_file_full_of_rubbish_is_never_called_sound(sold: SqliteFile) -> None:
    with closing(connect(str(sold.path))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(sold.path.read_bytes())
    page = 4096
    content[2 * page : 12 * page] = b"\xa5" * (10 * page)
    sold.path.write_bytes(content)
    try:
        broken = audit(sold)
    except Unusable:
        return
    assert broken


def test_a_missing_file_is_said_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no such database"):
        audit(SqliteFile(path=tmp_path / "lapak.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_database_of_a_server_is_said(shared: Shared) -> None:
    server = shared("postgres")
    assert isinstance(server, PostgresServer)
    missing = PostgresServer(uri=server.uri.replace("/lapak_", "/no_"), shown="postgresql://h/no")
    with pytest.raises(Unusable, match=r"^postgresql://h/no: no such database"):
        audit(missing)


def test_a_server_without_the_tables_is_not_called_sound() -> None:
    server = new_database(empty=True)
    with pytest.raises(Unusable, match=r"it is empty; run: lapak migrate$"):
        audit(server)
    drop(server)


def test_the_audit_runs_beside_a_shop_in_the_middle_of_a_write(sold: Address) -> None:
    with held(sold):
        with transaction(sold) as writer:
            writer.execute("UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'")
            assert audit(sold) == []  # it sees what is committed
        assert ids(audit(sold)) == {"O13"}


def test_the_audit_changes_nothing(path: Path) -> None:
    with_orders(SqliteFile(path=path))
    before = {found.name: found.read_bytes() for found in path.parent.glob("*.db")}
    audit(SqliteFile(path=path))
    assert {found.name: found.read_bytes() for found in path.parent.glob("*.db")} == before


def test_o8_a_qr_that_was_never_shown_breaks_no_promise(sold: Address) -> None:
    damage(
        sold,
        """
        UPDATE invoices SET amount = 99999 WHERE order_id = 'AWAITING';
        UPDATE outbox SET sent_at = NULL WHERE order_id = 'AWAITING' AND kind = 'qr'
        """,
    )
    assert audit(sold) == []


def test_m1_cases_and_alerts_are_the_owners_business(sold: Address) -> None:
    sql = "SELECT DISTINCT kind FROM outbox WHERE address = :owner AND order_id <> ''"
    assert rows(sold, sql, owner=OWNER) == [{"kind": "case"}]
    assert audit(sold) == []


def test_the_rules_name_invariants_of_the_design() -> None:
    known = {"O1", "O1b", "O2", "O3", "O6b", "O8", "O13", "M1", "M2", "M3"}
    assert {rule.id for rule in RULES} == known
