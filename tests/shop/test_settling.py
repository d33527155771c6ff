"""What a supplier's answer about an invoice does: every status, every word, as a table."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shop import moving, settling, watching
from shop.cases import CaseKind
from shop.notices import NoticeKind
from shop.orders import Order, Status
from shop.settling import AGAIN_AFTER_NO_ANSWER
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.samples import (
    DROPSHIP,
    NOW,
    OWNER,
    POLL,
    K,
    S,
    case_of,
    open_books,
    owed,
    stored,
)

W = InvoiceState
ASKED = NOW + MINUTE  # after the order's last move: the answer is fresh
HEARD = ASKED + SECOND


@dataclass(frozen=True)
class Then:
    """What must follow: where the order stands, whom the owner is asked about, who is told what."""

    status: Status
    case: CaseKind | None = None
    says: tuple[NoticeKind, ...] = ()


def goes(status: Status, *says: NoticeKind, case: CaseKind | None = None) -> Then:
    return Then(status, case, (K.STATUS, *says))


CONFLICT, UNSURE = CaseKind.CONFLICT, CaseKind.UNSURE
FAILED, LATE = CaseKind.PAID_FAILED, CaseKind.PAID_LATE
TABLE: Mapping[tuple[Status, InvoiceState], Then] = {
    (S.AWAITING_PAYMENT, W.UNPAID): Then(S.AWAITING_PAYMENT),
    (S.AWAITING_PAYMENT, W.SETTLED): goes(S.PROCESSING, K.QR_CLOSED),
    (S.AWAITING_PAYMENT, W.DELIVERED): goes(S.DELIVERED, K.QR_CLOSED, K.DELIVERED),
    (S.AWAITING_PAYMENT, W.FAILED): goes(S.REFUND_DUE, K.QR_CLOSED, K.REFUND_DUE, case=FAILED),
    (S.AWAITING_PAYMENT, W.EXPIRED): goes(S.EXPIRED, K.QR_CLOSED, K.LAPSED),
    (S.AWAITING_PAYMENT, W.UNCLEAR): Then(S.AWAITING_PAYMENT, UNSURE),
    (S.AWAITING_PAYMENT, W.UNREADABLE): Then(S.AWAITING_PAYMENT),
    (S.PROCESSING, W.UNPAID): Then(S.PROCESSING, CONFLICT),
    (S.PROCESSING, W.SETTLED): Then(S.PROCESSING),
    (S.PROCESSING, W.DELIVERED): goes(S.DELIVERED, K.DELIVERED),
    (S.PROCESSING, W.FAILED): goes(S.REFUND_DUE, K.REFUND_DUE, case=FAILED),
    (S.PROCESSING, W.EXPIRED): Then(S.PROCESSING, CONFLICT),
    (S.PROCESSING, W.UNCLEAR): Then(S.PROCESSING, CONFLICT),
    (S.PROCESSING, W.UNREADABLE): Then(S.PROCESSING),
    (S.DELIVERED, W.UNPAID): Then(S.DELIVERED, CONFLICT),
    (S.DELIVERED, W.SETTLED): Then(S.DELIVERED, CONFLICT),
    (S.DELIVERED, W.DELIVERED): Then(S.DELIVERED),
    (S.DELIVERED, W.FAILED): Then(S.DELIVERED, CONFLICT),
    (S.DELIVERED, W.EXPIRED): Then(S.DELIVERED, CONFLICT),
    (S.DELIVERED, W.UNCLEAR): Then(S.DELIVERED, CONFLICT),
    (S.DELIVERED, W.UNREADABLE): Then(S.DELIVERED),
    **{(S.REFUND_DUE, word): Then(S.REFUND_DUE) for word in W},
    (S.REFUND_DUE, W.DELIVERED): Then(S.REFUND_DUE, CONFLICT),
    **{(S.REFUNDED, word): Then(S.REFUNDED) for word in W},
    (S.REFUNDED, W.DELIVERED): Then(S.REFUNDED, CONFLICT),
    **{(S.EXPIRED, word): Then(S.EXPIRED) for word in W},
    (S.EXPIRED, W.UNCLEAR): Then(S.EXPIRED, UNSURE),
    (S.EXPIRED, W.SETTLED): goes(S.PROCESSING, K.PAID_LATE, case=LATE),
    (S.EXPIRED, W.DELIVERED): goes(S.DELIVERED, K.DELIVERED),
    (S.EXPIRED, W.FAILED): goes(S.REFUND_DUE, K.REFUND_DUE, case=LATE),
    **{(S.CANCELLED, word): Then(S.CANCELLED) for word in W},
    (S.CANCELLED, W.SETTLED): goes(S.PROCESSING, K.PAID_LATE, case=LATE),
    (S.CANCELLED, W.DELIVERED): goes(S.DELIVERED, K.DELIVERED),
    (S.CANCELLED, W.FAILED): goes(S.REFUND_DUE, K.REFUND_DUE, case=LATE),
    (S.CANCELLED, W.UNCLEAR): Then(S.CANCELLED, UNSURE),
}
WITH_INVOICE = [status for status in DROPSHIP if status not in {S.PLACED, S.OPENING}]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        yield opened


def hear(books: SqlBooks, order: Order, word: InvoiceState, now: int = HEARD, **more: str) -> Order:
    report = InvoiceReport(state=word, note=more.pop("note", "their words"), **more)
    return settling.heard(books, order.id, report, now - SECOND, now)


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(itertools.product(WITH_INVOICE, W))


@pytest.mark.parametrize(("status", "word"), sorted(TABLE))
def test_o6_o11_m3_each_answer_in_each_status_does_this_and_no_more(
    books: SqlBooks, status: Status, word: InvoiceState
) -> None:
    then = TABLE[status, word]
    order = stored(books, status)
    after = hear(books, order, word)
    assert after == books.orders.get(order.id)
    assert after.status is then.status
    assert after.version == order.version + (then.status is not status)
    assert owed(books) == list(then.says)
    assert case_of(books, order) == then.case
    assert owed(books, OWNER) == [K.CASE] * (then.case is not None)


@pytest.mark.parametrize(("status", "word"), sorted(TABLE))
def test_m2_hearing_the_same_again_says_nothing_twice(
    books: SqlBooks, status: Status, word: InvoiceState
) -> None:
    order = stored(books, status)
    once = hear(books, order, word)
    told = owed(books), owed(books, OWNER)
    for nth in range(1, 4):
        after = hear(books, order, word, now=HEARD + nth * MINUTE)
        assert (after.status, after.version) == (once.status, once.version)
    assert (owed(books), owed(books, OWNER)) == told


@pytest.mark.parametrize(("status", "word"), sorted(TABLE))
def test_o6_an_answer_asked_for_before_the_last_move_is_old_not_a_contradiction(
    books: SqlBooks, status: Status, word: InvoiceState
) -> None:
    order = stored(books, status)
    report = InvoiceReport(state=word, note="their words")
    after = settling.heard(books, order.id, report, order.changed_at - 1, HEARD)
    assert after.status is TABLE[status, word].status
    if after.status is status:
        assert case_of(books, order) is None


@pytest.mark.parametrize(("status", "word"), sorted(TABLE))
def test_o13_after_any_answer_an_open_order_has_a_timer(
    books: SqlBooks, status: Status, word: InvoiceState
) -> None:
    after = hear(books, stored(books, status), word)
    assert after.due_at == moving.next_due(books, after, HEARD)
    assert after.due_at is None or after.due_at >= HEARD + POLL
    if after.status in {S.AWAITING_PAYMENT, S.PROCESSING}:
        assert after.due_at is not None


@pytest.mark.parametrize(("status", "word"), sorted(TABLE))
def test_l6_o1_money_that_must_go_back_is_always_a_case(
    books: SqlBooks, status: Status, word: InvoiceState
) -> None:
    after = hear(books, stored(books, status), word)
    if after.status is S.REFUND_DUE and status is not S.REFUND_DUE:
        assert books.cases.open_for(after.id) is not None


def test_o11_unpaid_lapses_only_after_the_end_and_its_grace(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    lapses = watching.lapses_at(order)
    unpaid = InvoiceReport(state=W.UNPAID)
    slow = settling.heard(books, order.id, unpaid, lapses - 1, lapses + MINUTE)
    assert slow.status is S.AWAITING_PAYMENT  # asked before: it may have been paid since
    assert settling.heard(books, order.id, unpaid, lapses, lapses).status is S.EXPIRED
    assert owed(books) == [K.STATUS, K.QR_CLOSED, K.LAPSED]


@pytest.mark.parametrize("word", [W.UNREADABLE, W.UNCLEAR])
def test_o11_no_other_word_lets_an_order_lapse(books: SqlBooks, word: InvoiceState) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    later = watching.lapses_at(order) + 24 * 60 * MINUTE
    assert hear(books, order, word, now=later).status is S.AWAITING_PAYMENT


def test_o11_silence_lets_no_order_lapse(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    later = watching.lapses_at(order) + 24 * 60 * MINUTE
    after = settling.unanswered(books, order.id, later - SECOND, later)
    assert after.status is S.AWAITING_PAYMENT
    assert after.due_at is not None
    assert owed(books) == []
    assert case_of(books, order) is UNSURE  # but it does not stay unseen


WORDLESS = [word for word in W if word is not W.DELIVERED]


@pytest.mark.parametrize("word", WORDLESS)
def test_m2_a_serial_number_is_taken_only_from_a_word_of_delivery(
    books: SqlBooks, word: InvoiceState
) -> None:
    order = stored(books, S.DELIVERED)
    after = hear(books, order, word, serial="SN1")
    assert (after.serial, after.version) == ("", order.version)
    assert owed(books) == []
    assert hear(books, order, W.DELIVERED, HEARD + MINUTE, serial="SN2").serial == "SN2"
    assert owed(books) == [K.STATUS, K.SERIAL]


@pytest.mark.parametrize("status", sorted(set(WITH_INVOICE) - {S.REFUNDED}))
def test_o1_whatever_was_asked_and_not_answered_is_asked_again(
    books: SqlBooks, status: Status
) -> None:
    """Even when it was the last question that its schedule has."""
    order = stored(books, status)
    now = NOW + 25 * HOUR
    for _ in range(30):
        order = settling.unanswered(books, order.id, now, now + SECOND)
        assert order.due_at is not None
        longest = HOUR if status is S.AWAITING_PAYMENT else AGAIN_AFTER_NO_ANSWER
        assert now + SECOND + POLL <= order.due_at <= now + SECOND + longest
        now = order.due_at
    assert order.status is status
