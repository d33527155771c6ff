"""A shop with one supplier gets its inbox: its open orders go on, and nothing is made up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop import fulfilment, hearing, watching
from shop.callbacks import Callback, Told, Trust
from shop.cases import CaseKind
from shop.orders import Order, Status
from shop.suppliers import NO_TROUBLE, TopupReport, TopupState
from shop.time import HOUR, MINUTE
from storage import attempts
from storage.address import Address, SqliteFile
from storage.audit import audit
from storage.books import SqlBooks
from storage.database import Transaction
from storage.opening import migrate
from tests.fakes.databases import rows, transaction
from tests.fakes.postgres import drop, new_database
from tests.shop.samples import NOW, OWNER, RULES, M, S, case_of, stored
from tests.storage.files import as_of, put

ZT = "zultopup"
# As the version before stored an attempt.
_PUT = """
INSERT INTO attempts (order_id, nth, supplier, ref, sku, cost, by_our_ref, supplier_ref, charged,
                      started_at)
VALUES (:order_id, :nth, :supplier, :ref, :sku, :cost, :by_our_ref, :supplier_ref, :charged,
        :started_at)
ON CONFLICT (order_id, nth) DO UPDATE SET
    supplier_ref = excluded.supplier_ref, charged = excluded.charged
"""
STATUSES = (S.PAID, S.SUBMITTING, S.PROCESSING, S.UNSURE, S.DELIVERED, S.REFUNDED)


@pytest.fixture
def old(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """A shop of the version before callbacks, in the middle of its life."""
    address: Address = SqliteFile(path=tmp_path / "lapak.db")
    if kind != "sqlite":
        address = new_database(empty=True)
    with as_of(3):
        migrate(address)
    with transaction(address) as tx, monkeypatch.context() as before:
        before.setattr(attempts, "_PUT", _PUT)
        for name, kind_of in SINCE.items():  # what today's program writes besides
            tx.execute(f"ALTER TABLE orders ADD COLUMN {name} {kind_of}")
        live(tx)
        for name in SINCE:
            tx.execute(f"ALTER TABLE orders DROP COLUMN {name}")
    yield address
    if kind != "sqlite":
        drop(address)  # type: ignore[arg-type]


SINCE = {"good": "TEXT", "content": "BIGINT", "ceiling": "BIGINT", "server_code": "TEXT"}


def live(tx: Transaction) -> None:
    """Orders paid first in every status that matters, and a price list."""
    for status in STATUSES:
        stored(books_of(tx), status, id=status.upper(), target=status, method=M.DEPOSIT)
    told = {"kind": "delivered", "message": "DELIVERED:delivered", "order_id": "DELIVERED"}
    sent = {"created_at": NOW, "sent_at": NOW, "due_at": None, "lane": 0, "facts": "{}"}
    put(tx, "outbox", address="web:budi", seq=1, failed="", **told, **sent)
    item = {"sku": "1", "game": "free-fire", "item": "70 Diamond", "listed": 10_000}
    put(tx, "offers", supplier=ZT, position=0, fetched_at=NOW, **item)


def books_of(tx: Transaction) -> SqlBooks:
    return SqlBooks(tx, RULES, (OWNER,))


def of(tx: Transaction, status: Status) -> Order:
    found = books_of(tx).orders.get(status.upper())
    assert found is not None
    return found


def test_after_the_migration_the_audit_finds_nothing(old: Address) -> None:
    migrate(old)
    assert audit(old) == []


def test_every_order_and_attempt_is_what_it_was_and_was_told_nothing(old: Address) -> None:
    orders, tried = rows(old, "SELECT * FROM orders"), rows(old, "SELECT * FROM attempts")
    migrate(old)
    since = [
        {"good": "", "content": 0, "ceiling": row["price"], "server_code": row["server"]}
        for row in orders
    ]
    assert rows(old, "SELECT * FROM orders") == [
        row | more for row, more in zip(orders, since, strict=True)
    ]
    told_nothing = {"calls_back": 0, "told_ref": ""}
    assert rows(old, "SELECT * FROM attempts") == [row | told_nothing for row in tried]
    with transaction(old) as tx:
        known = {status for status in STATUSES if of(tx, status).attempt is not None}
    assert known == set(STATUSES) - {S.PAID}
    assert len(tried) == len(known)


def test_what_was_listed_is_sold_as_before(old: Address) -> None:
    migrate(old)
    with transaction(old) as tx:
        shelf = books_of(tx).shelf
        (offer,) = shelf.offers("free-fire", NOW)
        assert (offer.supplier, offer.sku, offer.listed, offer.form) == (ZT, "1", 10_000, ())
        assert shelf.next_price_question_at(ZT) is None


def test_nobody_has_called_back_and_nobody_is_away(old: Address) -> None:
    migrate(old)
    with transaction(old) as tx:
        books = books_of(tx)
        assert (books.inbox.due(NOW + HOUR, 9), books.inbox.next_at()) == ([], None)
        assert (books.health.away(NOW), books.health.of(ZT)) == (frozenset(), NO_TROUBLE)


def test_what_may_have_been_ordered_before_is_asked_about_and_then_a_case(old: Address) -> None:
    """It was begun before callbacks: nobody waits for one."""
    migrate(old)
    with transaction(old) as tx:
        order = of(tx, S.UNSURE)
        assert watching.may_resolve(order)
        assert watching.doubtful_at(order) == NOW + 10 * MINUTE
        fulfilment.unanswered(books_of(tx), order.id, NOW + 10 * MINUTE)
        assert case_of(books_of(tx), order) is CaseKind.AMBIGUOUS
    assert audit(old) == []


def test_c4_callbacks_about_orders_of_before_are_taken_in(old: Address) -> None:
    migrate(old)
    for nth, status in enumerate((S.SUBMITTING, S.PROCESSING, S.UNSURE)):
        with transaction(old) as tx:
            books, body = books_of(tx), b"%d" % nth
            callback = Callback(method="POST", query="", body=body)
            assert books.inbox.store(ZT, callback, Trust.PROOF, NOW)
            said = TopupReport(state=TopupState.DELIVERED, supplier_ref=f"{nth}")
            news = Told(ref=f"{status.upper()}-{ZT}-1", report=said)
            assert hearing.heard(books, ZT, news, Trust.PROOF, NOW + HOUR)
            after = of(tx, status)
            assert after.status is S.DELIVERED
            assert books.attempts.known_as(ZT, f"{nth}") == after
    assert audit(old) == []
