"""What cannot be brought to its buyer becomes the owner's case, and nobody else's business."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import moving, notices, settling
from shop.cases import Answer, CaseKind, answers
from shop.notices import MUST_ARRIVE, NoticeKind
from shop.orders import Order
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import MINUTE
from storage.books import SqlBooks
from tests.shop.samples import BUYER, NOW, OWNER, E, K, S, case_of, open_books, owed, stored

SERIAL = "SN-SECRET-1"
WHY = "Forbidden: bot was blocked by the user"
THEN = NOW + MINUTE


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        yield opened


def lose(books: SqlBooks, order: Order, kind: NoticeKind = K.DELIVERED, why: str = WHY) -> None:
    """One message to the buyer turns out to be undeliverable."""
    notice = notices.to_customer(order, kind, str(order.version))
    moving.undelivered(books, notice, why, THEN)


def asked(books: SqlBooks) -> list[Mapping[str, Any]]:
    """What the owner was asked, by each message."""
    found = [due.notice for due in books.outbox.due(THEN + MINUTE, 99)]
    return [dict(notice.facts) for notice in found if notice.kind is K.CASE]


def delivered(books: SqlBooks) -> Order:
    order = stored(books, S.PROCESSING)
    report = InvoiceReport(state=InvoiceState.DELIVERED, serial=SERIAL)
    return settling.heard(books, order.id, report, NOW, NOW)


def test_m5b_a_serial_number_that_cannot_be_brought_is_a_case(books: SqlBooks) -> None:
    order = delivered(books)
    lose(books, order)
    case = books.cases.open_for(order.id)
    assert case is not None
    assert case.kind is CaseKind.UNDELIVERED
    assert case.evidence == f"delivered → {BUYER}: {WHY}"
    assert Answer.SEEN in answers(case, order)
    assert owed(books, OWNER) == [K.CASE]
    (facts,) = asked(books)
    assert facts["evidence"] == case.evidence
    assert "seen" in facts["answers"].split()


def test_m1_no_message_to_an_owner_holds_the_serial_number(books: SqlBooks) -> None:
    order = delivered(books)
    lose(books, order)
    report = InvoiceReport(state=InvoiceState.FAILED, note="gagal")
    settling.heard(books, order.id, report, THEN, THEN)
    rows = books.orders._tx.fetch("SELECT facts FROM outbox WHERE address = :a", {"a": OWNER})
    assert len(rows) == 2
    assert all(SERIAL not in row["facts"] for row in rows)


@pytest.mark.parametrize("kind", sorted(set(NoticeKind) - MUST_ARRIVE))
def test_a_message_that_need_not_arrive_is_no_case(books: SqlBooks, kind: NoticeKind) -> None:
    order = delivered(books)
    lose(books, order, kind)
    assert case_of(books, order) is None
    assert owed(books, OWNER) == []


def test_a_message_about_an_order_nobody_knows_is_no_case(books: SqlBooks) -> None:
    lose(books, replace(delivered(books), id="UNKNOWN"))
    assert books.cases.all_open() == []


def test_an_open_case_stays_what_it_is_and_is_told_again_with_the_words(books: SqlBooks) -> None:
    order = stored(books, S.PROCESSING)
    report = InvoiceReport(state=InvoiceState.FAILED, note="Nomor salah")
    order = settling.heard(books, order.id, report, NOW, NOW)
    first = books.cases.open_for(order.id)
    assert first is not None
    books.cases.put(
        replace(first, pending=Answer.REFUNDED, pending_by=OWNER, pending_until=THEN + MINUTE)
    )
    lose(books, order, K.REFUND_DUE)
    case = books.cases.open_for(order.id)
    assert case is not None
    assert (case.id, case.kind) == (first.id, CaseKind.PAID_FAILED)
    assert case.evidence == f"Nomor salah · refund_due → {BUYER}: {WHY}"
    assert (case.pending, case.pending_by) == (Answer.REFUNDED, OWNER)  # the question is the same
    assert owed(books, OWNER) == [K.CASE, K.CASE]
    assert Answer.SEEN not in answers(case, order)


def test_o1_money_that_must_go_back_is_that_case_and_not_just_seen(books: SqlBooks) -> None:
    order = stored(books, S.REFUND_DUE)
    lose(books, order, K.REFUND_DUE)
    assert case_of(books, order) is CaseKind.PAID_FAILED


def test_each_message_that_is_lost_is_told_even_after_the_first_was_seen(books: SqlBooks) -> None:
    order = delivered(books)
    lose(books, order)
    case = books.cases.open_for(order.id)
    assert case is not None
    books.cases.close(case, Answer.SEEN, OWNER, THEN)
    lose(books, order, K.SERIAL)
    again = books.cases.open_for(order.id)
    assert again is not None
    assert (again.kind, again.id != case.id) == (CaseKind.UNDELIVERED, True)
    assert owed(books, OWNER) == [K.CASE, K.CASE]


def test_m2_the_same_loss_is_told_once(books: SqlBooks) -> None:
    order = delivered(books)
    for _ in range(3):
        lose(books, order)
    assert owed(books, OWNER) == [K.CASE]


def test_what_was_lost_is_still_said_when_the_case_becomes_another(books: SqlBooks) -> None:
    order = delivered(books)
    lose(books, order)
    report = InvoiceReport(state=InvoiceState.FAILED, note="gagal")
    settling.heard(books, order.id, report, THEN, THEN)
    case = books.cases.open_for(order.id)
    assert case is not None
    assert case.kind is CaseKind.CONFLICT
    assert case.evidence == f"delivered → {BUYER}: {WHY} · gagal"
    settling.decided(books, order, E.GIVEN_BACK, OWNER, THEN)
    case = books.cases.open_for(order.id)
    assert case is not None
    assert (case.kind, WHY in case.evidence) == (CaseKind.PAID_FAILED, True)


@pytest.mark.parametrize("why", ["a\nb", "x" * 5000, "\u202eevil"])
def test_m7_a_channels_words_stay_on_their_line(books: SqlBooks, why: str) -> None:
    order = delivered(books)
    lose(books, order, why=why)
    case = books.cases.open_for(order.id)
    assert case is not None
    assert case.evidence.isprintable()
    assert len(case.evidence) <= 200
    assert case.evidence.startswith(f"delivered → {BUYER}: ")
