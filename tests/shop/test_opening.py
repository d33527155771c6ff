"""Asking for an invoice, once: what each answer does, in time and too late."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import ordering, settling
from shop.orders import IllegalMove, Order, Status
from shop.pricing import Charge
from shop.settling import NotOpened
from shop.time import MINUTE, SECOND
from storage.books import SqlBooks
from storage.orders import Stale
from tests.shop.samples import (
    NOW,
    OWNER,
    QUOTE,
    K,
    S,
    an_invoice,
    open_books,
    owed,
    stored,
)

LEASE = NOW + 75 * SECOND
THEN = NOW + 2 * SECOND
AGAIN_AFTER_NOT_SENT = 15 * SECOND


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        yield opened


def opening(books: SqlBooks, **changes: Any) -> Order:
    return settling.start_opening(books, stored(books, S.PLACED, **changes), LEASE, NOW)


def now_of(books: SqlBooks, order: Order) -> Order:
    found = books.orders.get(order.id)
    assert found is not None
    return found


def facts_of_the_last(books: SqlBooks) -> dict[str, Any]:
    return dict(books.outbox.due(NOW + MINUTE, 99)[-1].notice.facts)


def test_o3_an_opening_is_written_down_with_its_lease_before_anything_is_asked(
    books: SqlBooks,
) -> None:
    order = opening(books)
    assert now_of(books, order) == order
    assert (order.status, order.due_at) == (S.OPENING, LEASE)
    assert owed(books) == []


@pytest.mark.parametrize("status", sorted(set(Status) - {S.PLACED}))
def test_o2_only_a_placed_order_can_be_opened(books: SqlBooks, status: Status) -> None:
    order = stored(books, status)
    with pytest.raises(IllegalMove):
        settling.start_opening(books, order, LEASE, NOW)


def test_o14_two_workers_cannot_open_the_same_order(books: SqlBooks) -> None:
    placed = stored(books, S.PLACED)
    settling.start_opening(books, placed, LEASE, NOW)
    with pytest.raises(Stale):
        settling.start_opening(books, placed, LEASE, NOW)


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({}, S.AWAITING_PAYMENT, [K.STATUS, K.QR]),
        ({"cost": QUOTE.price}, S.AWAITING_PAYMENT, [K.STATUS, K.QR]),
        ({"amount": QUOTE.price + 1}, S.AWAITING_PAYMENT, [K.STATUS, K.QR]),
        ({"amount": QUOTE.price + 999}, S.AWAITING_PAYMENT, [K.STATUS, K.QR]),
        ({"amount": QUOTE.cost}, S.AWAITING_PAYMENT, [K.STATUS, K.QR]),
        ({"expires_at": None}, S.AWAITING_PAYMENT, [K.STATUS, K.QR]),
        ({"amount": QUOTE.price + 1_000}, S.CANCELLED, [K.STATUS, K.NOT_OPENED]),
        ({"amount": QUOTE.price * 10}, S.CANCELLED, [K.STATUS, K.NOT_OPENED]),
        ({"cost": QUOTE.price + 1}, S.CANCELLED, [K.STATUS, K.NOT_OPENED]),
        ({"amount": QUOTE.cost - 1}, S.CANCELLED, [K.STATUS, K.NOT_OPENED]),
        ({"amount": 0}, S.CANCELLED, [K.STATUS, K.NOT_OPENED]),
    ],
)
def test_o8_a_qr_is_shown_for_the_quote_and_a_unique_code_never_at_a_loss(
    books: SqlBooks, changes: dict[str, int | None], status: Status, says: list[str]
) -> None:
    order = opening(books)
    after = settling.opened(books, order, an_invoice(**changes), THEN)
    assert after.status is status
    assert after.invoice == an_invoice(**changes)
    assert owed(books) == says
    assert now_of(books, order) == after
    assert (after.due_at is not None) is (K.QR in says)  # an unseen QR cannot be paid


@pytest.mark.parametrize(
    ("why", "status", "says", "due_at"),
    [
        (NotOpened.NOT_SENT, S.PLACED, [], THEN + AGAIN_AFTER_NOT_SENT),
        (NotOpened.REFUSED, S.CANCELLED, [K.STATUS, K.NOT_OPENED], None),
        (NotOpened.UNKNOWN, S.CANCELLED, [K.STATUS, K.NOT_OPENED], None),
    ],
)
def test_o4_only_what_never_left_is_tried_again(
    books: SqlBooks, why: NotOpened, status: Status, says: list[str], due_at: int | None
) -> None:
    after = settling.opened(books, opening(books), why, THEN, "their words")
    assert (after.status, after.due_at, after.invoice) == (status, due_at, None)
    assert owed(books) == says


def test_after_an_unknown_outcome_the_customer_hears_from_when_to_try_again(
    books: SqlBooks,
) -> None:
    order = opening(books)
    settling.opened(books, order, NotOpened.UNKNOWN, THEN)
    owed_now = books.outbox.due(THEN, 9)[0]
    books.outbox.sent(owed_now, THEN)
    assert facts_of_the_last(books)["until"] == order.quote_until


def test_the_suppliers_words_are_kept_as_evidence_not_shown(books: SqlBooks) -> None:
    settling.opened(books, opening(books), NotOpened.REFUSED, THEN, "saldo <habis>")
    rows = books.orders._tx.fetch("SELECT evidence FROM order_events ORDER BY version DESC")
    assert rows[0]["evidence"] == "saldo <habis>"
    told = books.orders._tx.fetch("SELECT facts FROM outbox")
    assert all("habis" not in row["facts"] for row in told)


@pytest.mark.parametrize("changes", [{}, {"cost": 11_500}, {"cost": QUOTE.price + 1}])
def test_what_was_charged_is_learnt_even_at_a_loss(
    books: SqlBooks, changes: dict[str, int]
) -> None:
    invoice = an_invoice(**changes)
    settling.opened(books, opening(books), invoice, THEN)
    learnt = Charge(listed=QUOTE.listed, charged=invoice.cost)
    assert books.shelf.learnt("zultopup", "1") == learnt


@pytest.mark.parametrize(
    ("charged", "learnt"),
    [(2 * QUOTE.listed, True), (2 * QUOTE.listed + 1, False), (900_000_000, False)],
)
def test_a_cost_beyond_belief_is_shown_to_nobody_and_not_learnt(
    books: SqlBooks, charged: int, learnt: bool
) -> None:
    after = settling.opened(books, opening(books), an_invoice(cost=charged), THEN)
    assert after.status is S.CANCELLED
    assert (books.shelf.learnt("zultopup", "1") is not None) is learnt


@pytest.mark.parametrize("end", [NOW + 7 * MINUTE, None])
def test_after_a_loss_the_customer_hears_from_when_to_try_again(
    books: SqlBooks, end: int | None
) -> None:
    order = opening(books)
    settling.opened(books, order, an_invoice(cost=QUOTE.price + 1, expires_at=end), THEN)
    books.outbox.sent(books.outbox.due(THEN, 9)[0], THEN)
    assert facts_of_the_last(books)["until"] == (end or order.quote_until)


def given_up(books: SqlBooks, order: Order) -> Order:
    return settling.opening_lost(books, order, LEASE)


def test_an_opening_whose_caller_is_gone_is_cancelled(books: SqlBooks) -> None:
    after = given_up(books, opening(books))
    assert (after.status, after.due_at) == (S.CANCELLED, None)
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_o14_a_late_answer_is_kept_and_shows_nothing(books: SqlBooks) -> None:
    """The fence: the order was given up meanwhile, so its QR is remembered, and nobody sees it."""
    order = opening(books)
    given_up(books, order)
    told = owed(books)
    after = settling.opened(books, order, an_invoice(), LEASE + SECOND)
    assert (after.status, after.invoice) == (S.CANCELLED, an_invoice())
    assert after.due_at is None  # an unseen QR cannot be paid
    assert now_of(books, order) == after
    assert owed(books) == told
    assert owed(books, OWNER) == []


@pytest.mark.parametrize("late", list(NotOpened))
def test_o14_a_late_failure_changes_nothing(books: SqlBooks, late: NotOpened) -> None:
    order = opening(books)
    before = given_up(books, order)
    assert settling.opened(books, order, late, LEASE + SECOND) == before
    assert now_of(books, order) == before


def test_o2_a_qr_that_came_late_is_shown_again_for_the_same_wish(books: SqlBooks) -> None:
    order = opening(books)
    given_up(books, order)
    late = settling.opened(books, order, an_invoice(), LEASE + SECOND)
    shown = ordering.show_again(books, late, LEASE + MINUTE)
    assert shown.status is S.AWAITING_PAYMENT
    assert shown.due_at is not None
    assert owed(books)[-1] == K.QR


def test_o8_a_late_qr_at_a_loss_is_kept_and_never_shown(books: SqlBooks) -> None:
    order = opening(books)
    given_up(books, order)
    late = settling.opened(books, order, an_invoice(cost=99_999), LEASE + SECOND)
    assert ordering.show_again(books, late, LEASE + MINUTE) == late
    assert K.QR not in owed(books)


def test_o2_an_invoice_that_belongs_to_another_order_is_never_shown_for_this_one(
    books: SqlBooks,
) -> None:
    stored(books, S.AWAITING_PAYMENT, id="FIRST", target="first")
    order = opening(books)
    after = settling.opened(books, order, an_invoice("FIRST"), THEN)
    assert (after.status, after.invoice) == (S.CANCELLED, None)
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_o2_a_late_answer_with_another_orders_invoice_changes_nothing(books: SqlBooks) -> None:
    stored(books, S.AWAITING_PAYMENT, id="FIRST", target="first")
    order = opening(books)
    before = given_up(books, order)
    assert settling.opened(books, order, an_invoice("FIRST"), LEASE + SECOND) == before


def test_o2_a_second_late_answer_changes_nothing(books: SqlBooks) -> None:
    order = opening(books)
    given_up(books, order)
    first = settling.opened(books, order, an_invoice(), LEASE + SECOND)
    second = an_invoice(supplier_ref="another")
    assert settling.opened(books, order, second, LEASE + MINUTE) == first


def test_an_order_whose_quote_ran_out_before_a_qr_is_given_up(books: SqlBooks) -> None:
    order = stored(books, S.PLACED)
    after = settling.give_up(books, order, order.quote_until)
    assert (after.status, after.due_at) == (S.CANCELLED, None)
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_an_answer_about_an_unknown_order_is_an_error(books: SqlBooks) -> None:
    order = opening(books)
    stranger = replace(order, id="NOBODY")
    with pytest.raises(LookupError):
        settling.opened(books, stranger, an_invoice(), THEN)
