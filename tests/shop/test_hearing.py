"""Around a supplier's answers: claims, late serials, unknown words, long waits, decisions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shop import ordering, settling, watching
from shop.cases import CaseKind
from shop.orders import BY_THE_OWNER, Event, IllegalMove, Order, Status, moves_of
from shop.settling import AGAIN_AFTER_NO_ANSWER
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.samples import (
    NOW,
    OWNER,
    POLL,
    E,
    K,
    S,
    an_order,
    case_of,
    open_books,
    owed,
    stored,
)

W = InvoiceState


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        yield opened


def hear(books: SqlBooks, order: Order, word: InvoiceState, now: int, **more: Any) -> Order:
    return settling.heard(books, order.id, InvoiceReport(state=word, **more), now - 1, now)


def unheard(books: SqlBooks, order: Order, now: int) -> Order:
    return settling.unanswered(books, order.id, now - 1, now)


def claimed(books: SqlBooks, status: Status, now: int = NOW + SECOND) -> Order:
    order = stored(books, status)
    assert ordering.claim_paid(books, order, now) is ordering.Claim.ASKING
    return order


@pytest.mark.parametrize("status", [S.AWAITING_PAYMENT, S.EXPIRED, S.CANCELLED])
@pytest.mark.parametrize(
    ("word", "answer"), [(W.UNPAID, K.UNPAID_YET), (W.UNREADABLE, K.CHECK_DELAYED)]
)
def test_a_claim_that_finds_nothing_is_answered_exactly_once(
    books: SqlBooks, status: Status, word: InvoiceState, answer: str
) -> None:
    order = claimed(books, status)
    for nth in range(2, 5):
        assert hear(books, order, word, NOW + nth * SECOND).claimed_at is None
    assert owed(books) == [answer]


def test_a_claim_is_answered_even_when_the_supplier_is_silent(books: SqlBooks) -> None:
    order = claimed(books, S.AWAITING_PAYMENT)
    unheard(books, order, NOW + 2 * SECOND)
    unheard(books, order, NOW + 9 * SECOND)
    assert owed(books) == [K.CHECK_DELAYED]


@pytest.mark.parametrize("silent", [False, True])
def test_a_claim_made_while_a_question_was_under_way_is_answered_by_the_next_one_only(
    books: SqlBooks, silent: bool
) -> None:
    """The customer may have paid after that question was put: its answer is none to them."""
    order = stored(books, S.AWAITING_PAYMENT)
    asked_at, said_at, heard_at = NOW + SECOND, NOW + 2 * SECOND, NOW + 3 * SECOND
    ordering.claim_paid(books, order, said_at)
    if silent:
        after = settling.unanswered(books, order.id, asked_at, heard_at)
    else:
        unpaid = InvoiceReport(state=W.UNPAID)
        after = settling.heard(books, order.id, unpaid, asked_at, heard_at)
    assert owed(books) == []
    assert (after.claimed_at, after.due_at) == (said_at, heard_at)  # asked again at once
    claimed_next = books.orders.next_claimed(order.supplier, heard_at)
    assert claimed_next == after
    answered = hear(books, order, W.UNPAID, NOW + 4 * SECOND)
    assert answered.claimed_at is None
    assert owed(books) == [K.UNPAID_YET]


def test_an_old_answer_that_says_paid_is_believed_whatever_was_claimed_since(
    books: SqlBooks,
) -> None:
    order = claimed(books, S.AWAITING_PAYMENT, NOW + 2 * SECOND)
    report = InvoiceReport(state=W.SETTLED)
    after = settling.heard(books, order.id, report, NOW + SECOND, NOW + 3 * SECOND)
    assert (after.status, after.claimed_at) == (S.PROCESSING, None)
    assert owed(books) == [K.STATUS, K.QR_CLOSED]


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED])
def test_o11_late_money_is_found_even_if_the_last_question_had_no_answer(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    now = NOW + 25 * HOUR  # after the last of the scheduled questions
    assert watching.next_question(order, now, POLL) is None
    for _ in range(5):
        after = unheard(books, order, now)
        assert after.due_at == now + AGAIN_AFTER_NO_ANSWER
        now = after.due_at
    after = hear(books, order, W.SETTLED, now)
    assert after.status is S.PROCESSING
    assert case_of(books, order) is CaseKind.PAID_LATE
    assert owed(books) == [K.STATUS, K.PAID_LATE]


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED])
def test_an_order_whose_last_question_was_answered_is_left_alone(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    now = NOW + 25 * HOUR
    unheard(books, order, now)
    assert hear(books, order, W.UNPAID, now + AGAIN_AFTER_NO_ANSWER).due_at is None
    assert owed(books) == []


def test_while_its_schedule_lasts_silence_puts_nothing_off(books: SqlBooks) -> None:
    order = stored(books, S.EXPIRED)
    end = watching.ends_at(order)
    assert unheard(books, order, end + MINUTE).due_at == end + 5 * MINUTE


def test_a_claim_that_proves_true_needs_no_answer_but_the_news(books: SqlBooks) -> None:
    order = claimed(books, S.AWAITING_PAYMENT)
    after = hear(books, order, W.SETTLED, NOW + 2 * SECOND)
    assert after.claimed_at is None
    assert owed(books) == [K.STATUS, K.QR_CLOSED]


def test_each_claim_has_an_answer_of_its_own(books: SqlBooks) -> None:
    order = claimed(books, S.AWAITING_PAYMENT)
    hear(books, order, W.UNPAID, NOW + 2 * SECOND)
    again = books.orders.get(order.id)
    assert again is not None
    ordering.claim_paid(books, again, NOW + 20 * SECOND)
    hear(books, order, W.UNPAID, NOW + 21 * SECOND)
    assert owed(books) == [K.UNPAID_YET, K.UNPAID_YET]


def test_m2_a_serial_number_that_comes_later_is_sent_once(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.DELIVERED, NOW + 1)
    before = owed(books)
    for nth in range(2, 5):
        hear(books, order, W.DELIVERED, NOW + nth * MINUTE)
    assert owed(books) == before
    for nth in range(5, 8):
        after = hear(books, order, W.DELIVERED, NOW + nth * MINUTE, serial="SN1")
        assert (after.serial, after.due_at) == ("SN1", None)
    assert owed(books) == [*before, K.STATUS, K.SERIAL]


def test_m2_a_serial_number_once_shown_is_never_replaced(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.DELIVERED, NOW + 1, serial="SN1")
    told = owed(books)
    assert hear(books, order, W.DELIVERED, NOW + MINUTE, serial="SN2").serial == "SN1"
    assert hear(books, order, W.DELIVERED, NOW + 2 * MINUTE).serial == "SN1"
    assert owed(books) == told


def test_a_serial_number_said_before_the_success_is_not_lost(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.SETTLED, NOW + 1, serial="SN1")
    assert hear(books, order, W.DELIVERED, NOW + MINUTE).serial == "SN1"


def test_an_unknown_word_tells_the_owner_once_for_each_word(books: SqlBooks) -> None:
    one = stored(books, S.AWAITING_PAYMENT, id="A", target="a")
    two = stored(books, S.PROCESSING, id="B", target="b")
    for nth in range(1, 4):
        for order in (one, two):
            note = f"status sukses?: percobaan ke-{nth}, {order.id}"  # what they add changes
            said = {"words": "sukses?", "note": note, "strange": True}
            hear(books, order, W.UNREADABLE, NOW + nth * SECOND, **said)
    assert owed(books, OWNER) == [K.ALERT]
    for nth in range(4, 7):
        said = {"words": "refunded?", "note": "x", "strange": True}
        hear(books, one, W.UNREADABLE, NOW + nth * SECOND, **said)
    assert owed(books, OWNER) == [K.ALERT, K.ALERT]
    assert case_of(books, one) is None


def test_the_owner_sees_all_that_was_said_around_an_unknown_word(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    said = {"words": "sukses?", "note": "sukses?: cek admin", "strange": True}
    hear(books, order, W.UNREADABLE, NOW + SECOND, **said)
    (alert,) = [due.notice for due in books.outbox.due(NOW + MINUTE, 9)]
    assert (alert.address, alert.order_id) == (OWNER, order.id)
    assert alert.facts["evidence"] == "sukses?: cek admin"


def test_a_strange_word_is_told_even_where_the_other_word_decides(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    after = hear(books, order, W.SETTLED, NOW + SECOND, words="ditahan, settlement", strange=True)
    assert after.status is S.PROCESSING
    assert owed(books, OWNER) == [K.ALERT]


@pytest.mark.parametrize("word", W)
def test_known_words_are_no_alert(books: SqlBooks, word: InvoiceState) -> None:
    hear(books, stored(books, S.AWAITING_PAYMENT), word, NOW + SECOND, words="pending")
    assert K.ALERT not in owed(books, OWNER)


def test_o1_words_nobody_can_read_are_a_case_once_the_qr_has_run_out(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    lapses = watching.lapses_at(order)
    hear(books, order, W.UNREADABLE, lapses - 1, note="ditahan")
    assert case_of(books, order) is None
    for nth in range(3):
        after = hear(books, order, W.UNREADABLE, lapses + nth * MINUTE, note="ditahan")
        assert after.status is S.AWAITING_PAYMENT
    case = books.cases.open_for(order.id)
    assert case is not None
    assert (case.kind, case.evidence) == (CaseKind.UNSURE, "ditahan")
    assert owed(books, OWNER) == [K.CASE]
    assert owed(books) == []


def test_o1_an_order_that_nobody_decides_is_a_case_in_time(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    undecided = watching.undecided_at(order)
    assert undecided <= watching.ends_at(order) + HOUR
    unheard(books, order, undecided - 1)
    assert case_of(books, order) is None
    for nth in range(3):
        after = unheard(books, order, undecided + nth * MINUTE)
        assert (after.status, after.due_at is None) == (S.AWAITING_PAYMENT, False)
    assert case_of(books, order) is CaseKind.UNSURE
    assert owed(books, OWNER) == [K.CASE]
    assert owed(books) == []
    hear(books, order, W.DELIVERED, undecided + HOUR)
    assert case_of(books, order) is None


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED, S.REFUND_DUE, S.DELIVERED])
def test_a_supplier_that_never_answers_again_is_asked_for_two_days_not_for_ever(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    stops = watching.ends_at(order) + 48 * HOUR
    assert unheard(books, order, stops - 1).due_at is not None
    assert unheard(books, order, stops).due_at is None


def paid(books: SqlBooks) -> Order:
    order = stored(books, S.AWAITING_PAYMENT)
    return hear(books, order, W.SETTLED, NOW)


def test_o1_an_order_that_takes_long_is_said_so_once_and_is_a_case(books: SqlBooks) -> None:
    order = paid(books)
    before = owed(books)
    hear(books, order, W.SETTLED, NOW + watching.TAKES_LONG - 1)
    assert owed(books) == before
    assert case_of(books, order) is None
    for nth in range(3):
        after = hear(books, order, W.SETTLED, NOW + watching.TAKES_LONG + nth * MINUTE)
        assert after.alarmed
    assert owed(books) == [*before, K.SLOW]
    assert owed(books, OWNER) == [K.CASE]
    assert case_of(books, order) is CaseKind.STUCK


def test_o1_a_supplier_that_is_silent_for_long_is_a_case_too(books: SqlBooks) -> None:
    order = paid(books)
    unheard(books, order, NOW + watching.TAKES_LONG)
    assert case_of(books, order) is CaseKind.STUCK
    assert owed(books)[-1] == K.SLOW


def test_a_case_is_closed_by_the_success_it_waited_for(books: SqlBooks) -> None:
    order = paid(books)
    unheard(books, order, NOW + watching.TAKES_LONG)
    hear(books, order, W.DELIVERED, NOW + 20 * MINUTE)
    assert case_of(books, order) is None
    last = books.cases.last_for(order.id)
    assert last is not None
    assert last.closed_at == NOW + 20 * MINUTE


def test_o11_late_money_that_cannot_be_turned_into_goods_stays_one_case(books: SqlBooks) -> None:
    order = stored(books, S.EXPIRED)
    hear(books, order, W.SETTLED, NOW + MINUTE)
    assert case_of(books, order) is CaseKind.PAID_LATE
    hear(books, order, W.FAILED, NOW + 2 * MINUTE)
    assert case_of(books, order) is CaseKind.PAID_FAILED
    assert len(books.cases.all_open()) == 1
    assert owed(books, OWNER) == [K.CASE, K.CASE]


def test_a_case_that_was_closed_is_not_asked_again_before_the_order_moves(
    books: SqlBooks,
) -> None:
    order = stored(books, S.DELIVERED)
    hear(books, order, W.FAILED, NOW + MINUTE, note="gagal")
    case = books.cases.open_for(order.id)
    assert case is not None
    books.cases.close(case, None, OWNER, NOW + 2 * MINUTE)
    hear(books, order, W.FAILED, NOW + 3 * MINUTE, note="gagal")
    assert case_of(books, order) is None
    assert owed(books, OWNER) == [K.CASE]


def test_m3b_success_after_a_refund_is_due_asks_the_owner_and_tells_the_customer_nothing(
    books: SqlBooks,
) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.FAILED, NOW + 1)
    told = owed(books)
    after = hear(books, order, W.DELIVERED, NOW + MINUTE)
    assert after.status is S.REFUND_DUE
    assert owed(books) == told
    assert case_of(books, order) is CaseKind.CONFLICT


DECISIONS = moves_of(an_order())


@pytest.mark.parametrize(("status", "event"), sorted(k for k in DECISIONS if k[1] in BY_THE_OWNER))
def test_the_owners_decision_is_a_move_with_its_author(
    books: SqlBooks, status: Status, event: Event
) -> None:
    order = stored(books, status)
    after = settling.decided(books, order, event, OWNER, NOW + MINUTE)
    assert after.status is DECISIONS[status, event]
    events = books.orders._tx.fetch(
        "SELECT event, actor FROM order_events WHERE version = :v", {"v": after.version}
    )
    assert [tuple(row) for row in events] == [(event, OWNER)]


@pytest.mark.parametrize(
    ("status", "event", "says"),
    [
        (S.AWAITING_PAYMENT, E.PAYMENT_FOUND, [K.STATUS, K.QR_CLOSED, K.REFUND_DUE]),
        (S.AWAITING_PAYMENT, E.PAYMENT_ABSENT, [K.STATUS, K.QR_CLOSED, K.LAPSED]),
        (S.PROCESSING, E.GIVEN_BACK, [K.STATUS, K.REFUND_DUE]),
        (S.PROCESSING, E.ARRIVED, [K.STATUS, K.DELIVERED]),
        (S.REFUND_DUE, E.REFUND_MADE, [K.STATUS, K.REFUNDED]),
        (S.REFUND_DUE, E.ARRIVED, [K.STATUS, K.DELIVERED]),
        (S.DELIVERED, E.GIVEN_BACK, [K.STATUS, K.REFUND_DUE]),
    ],
)
def test_m3_the_customer_is_told_what_the_owner_decided(
    books: SqlBooks, status: Status, event: Event, says: list[str]
) -> None:
    settling.decided(books, stored(books, status), event, OWNER, NOW + MINUTE)
    assert owed(books) == says


def test_o6b_a_decision_that_comes_too_late_changes_nothing(books: SqlBooks) -> None:
    order = stored(books, S.REFUNDED)
    with pytest.raises(IllegalMove):
        settling.decided(books, order, Event.REFUND_MADE, OWNER, NOW + MINUTE)
    assert books.orders.get(order.id) == order
    assert owed(books) == []


def test_an_answer_about_an_unknown_order_is_an_error_not_a_new_order(books: SqlBooks) -> None:
    with pytest.raises(LookupError):
        settling.heard(books, "NOBODY", InvoiceReport(state=W.SETTLED), NOW, NOW)
    with pytest.raises(LookupError):
        settling.unanswered(books, "NOBODY", NOW, NOW)
