"""What comes too late, twice, or says the opposite: of orders paid from our balance."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop import calls, fulfilment, ledger, settling, watching
from shop.calls import AskBalance, AskTopup, Idle, Submit
from shop.cases import Answer, CaseKind, answers
from shop.orders import Order, Status
from shop.settling import NotOpened
from shop.suppliers import Refused, TopupState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    COST,
    LEASE,
    PRICE,
    SELLER,
    T,
    a_shop,
    asked,
    balances,
    by_hand,
    credit,
    now_of,
    ordered,
    report,
    reported,
    started,
)
from tests.shop.samples import NOW, OWNER, E, K, S, case_of, owed

OURS, SPENT = ledger.supplier(SELLER), ledger.cost(SELLER)
LOST_AT = LEASE + SECOND
THEN = LOST_AT + MINUTE
SERIAL = "SN-SECRET-1"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        opened.calls.set_list_due(SELLER, NOW + 99 * HOUR)
        opened.calls.set_compare_at(SELLER, NOW + 99 * HOUR)
        yield opened


def lost(books: SqlBooks) -> tuple[Order, Order]:
    """What its worker was given, and what became of it when the lease ran out."""
    asked_with = started(books)
    # Our balance is looked at, at once: it is evidence for the owner.
    assert calls.next_call(books, SELLER, LEASE) == AskBalance(address="")
    return asked_with, now_of(books, "P")


# --- a worker that is gone ---


def test_o4_a_submission_whose_worker_is_gone_may_have_been_made(books: SqlBooks) -> None:
    _, order = lost(books)
    assert order.status is S.UNSURE
    assert case_of(books, order) is None  # the supplier is asked first
    fulfilment.unanswered(books, "P", LEASE + 10 * MINUTE)
    assert case_of(books, order) is CaseKind.AMBIGUOUS
    assert K.NOT_OPENED not in owed(books)  # they have paid: nothing was given up
    assert balances(books, OURS, ledger.HELD) == (0, -PRICE)


def test_o4_what_may_have_been_ordered_is_never_ordered_again_by_itself(books: SqlBooks) -> None:
    """Two days of silence, and then of words that nobody can read."""
    lost(books)
    now, questions = LEASE, 0
    while now < NOW + 48 * HOUR:
        call = calls.next_call(books, SELLER, now)
        assert not isinstance(call, Submit)
        if isinstance(call, AskTopup):
            questions += 1
            if now < NOW + 24 * HOUR:
                fulfilment.unanswered(books, "P", now)
            else:
                reported(books, call.order, T.UNREADABLE, now)
        now = call.until if isinstance(call, Idle) else now
    order = now_of(books, "P")
    assert (order.status, order.tries) == (S.UNSURE, 1)
    assert questions > 24 * 60
    assert case_of(books, order) is CaseKind.AMBIGUOUS
    assert owed(books).count(K.SLOW) == 1


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (T.PENDING, S.PROCESSING),
        (T.DELIVERED, S.DELIVERED),
        (T.PARTIAL, S.PARTLY_DELIVERED),
        (T.FAILED, S.REFUNDED),
        (T.UNREADABLE, S.UNSURE),
    ],
)
def test_o14_a_late_answer_is_one_more_report(
    books: SqlBooks, state: TopupState, status: Status
) -> None:
    asked_with, _ = lost(books)
    after = fulfilment.submitted(books, asked_with, report(state, supplier_ref="77"), THEN)
    assert after == now_of(books, "P")
    assert after.status is status
    assert credit(books) == (PRICE if status is S.REFUNDED else 0)
    if status is not S.UNSURE:
        assert case_of(books, after) is not CaseKind.AMBIGUOUS


@pytest.mark.parametrize("late", list(NotOpened))
def test_o14_a_late_failure_proves_nothing(books: SqlBooks, late: NotOpened) -> None:
    """Somebody may have decided by it meanwhile: only the supplier's own words count."""
    asked_with, before = lost(books)
    assert fulfilment.submitted(books, asked_with, late, THEN) == before
    assert now_of(books, "P") == before
    assert credit(books) == 0


@pytest.mark.parametrize("state", [T.DELIVERED, T.PARTIAL])
def test_l10_goods_that_come_after_the_owner_gave_up_are_a_case(
    books: SqlBooks, state: TopupState
) -> None:
    asked_with, order = lost(books)
    settling.decided(books, order, E.GIVEN_BACK, OWNER, LOST_AT + 1)
    after = fulfilment.submitted(books, asked_with, report(state), THEN)
    assert (after.status, credit(books)) == (S.REFUNDED, PRICE)
    assert case_of(books, after) is CaseKind.CONFLICT


def test_o4_a_late_success_stops_what_the_owner_wanted_ordered_again(books: SqlBooks) -> None:
    asked_with, order = lost(books)
    settling.decided(books, order, E.PROCEEDED, OWNER, LOST_AT + 1)
    after = fulfilment.submitted(books, asked_with, report(T.DELIVERED), LOST_AT + 2)
    assert (after.status, after.tries) == (S.DELIVERED, 1)
    assert balances(books, OURS, SPENT) == (-COST, COST)


def test_o14_the_late_answer_of_an_earlier_attempt_is_not_that_of_the_next_one(
    books: SqlBooks,
) -> None:
    asked_with, order = lost(books)
    order = settling.decided(books, order, E.PROCEEDED, OWNER, LOST_AT + 1)
    second = fulfilment.start(books, order, THEN + MINUTE, LOST_AT + 2)
    assert fulfilment.submitted(books, asked_with, report(T.FAILED), THEN) == second
    assert now_of(books, "P") == second
    assert fulfilment.submitted(books, second, report(T.DELIVERED), THEN).status is S.DELIVERED


# --- what the supplier takes back ---


def test_a_cost_that_comes_back_later_is_posted_once_and_nobody_hears_of_it(
    books: SqlBooks,
) -> None:
    order = ordered(books, report(T.PENDING))
    order = reported(books, order, T.FAILED, THEN)
    assert (order.status, credit(books)) == (S.REFUNDED, PRICE)
    assert balances(books, OURS, SPENT) == (-COST, COST)  # it did not say that we have it back
    told = owed(books), owed(books, OWNER)
    for nth in range(1, 4):
        order = reported(books, order, T.FAILED, THEN + nth * MINUTE, returned=True)
        assert balances(books, OURS, SPENT) == (0, 0)
    assert (owed(books), owed(books, OWNER)) == told
    events = [happened.event for happened in books.orders.history("P")]
    assert events.count(E.COST_RETURNED) == 1


def test_a_failure_that_gave_our_money_back_costs_nothing(books: SqlBooks) -> None:
    order = ordered(books, report(T.PENDING))
    order = reported(books, order, T.FAILED, THEN, returned=True)
    assert (order.status, credit(books)) == (S.REFUNDED, PRICE)
    assert balances(books, OURS, SPENT) == (0, 0)
    assert E.COST_RETURNED not in {happened.event for happened in books.orders.history("P")}


def test_a_cost_comes_back_while_the_owner_still_has_to_refund(books: SqlBooks) -> None:
    manual = by_hand(books)
    order = reported(manual, ordered(manual, report(T.PENDING)), T.FAILED, THEN)
    assert order.status is S.REFUND_DUE
    order = reported(manual, order, T.FAILED, THEN + MINUTE, returned=True)
    assert order.status is S.REFUND_DUE
    assert balances(books, OURS, SPENT) == (0, 0)
    assert case_of(books, order) is CaseKind.PAID_FAILED
    assert len(asked(books)) == 1  # what our balance got back is no news to whoever refunds
    assert owed(books).count(K.REFUND_DUE) == 1


def test_a_cost_that_comes_back_answers_nothing_that_the_owner_is_being_asked(
    books: SqlBooks,
) -> None:
    order = reported(books, ordered(books, report(T.PENDING)), T.FAILED, THEN)
    order = reported(books, order, T.DELIVERED, THEN + MINUTE)
    assert (order.status, case_of(books, order)) == (S.REFUNDED, CaseKind.CONFLICT)
    reported(books, order, T.FAILED, THEN + HOUR, returned=True)
    assert balances(books, OURS, SPENT) == (0, 0)
    assert case_of(books, order) is CaseKind.CONFLICT


# --- the supplier contradicts itself ---


@pytest.mark.parametrize("returned", [False, True])
def test_o6_a_failure_after_the_success_is_a_case_and_moves_nothing(
    books: SqlBooks, returned: bool
) -> None:
    order = ordered(books, report(T.DELIVERED))
    told = owed(books)
    after = reported(books, order, T.FAILED, THEN, returned=returned)
    assert (after.status, after.version) == (S.DELIVERED, order.version)
    assert case_of(books, after) is CaseKind.CONFLICT
    assert owed(books) == told
    assert balances(books, OURS, SPENT, ledger.SALES) == (-COST, COST, -PRICE)


def test_l10_a_success_after_the_refund_is_a_case_that_can_be_recorded_as_a_loss_once(
    books: SqlBooks,
) -> None:
    order = ordered(books, Refused("no"))
    told = owed(books)
    order = reported(books, order, T.DELIVERED, THEN)
    case = books.cases.open_for("P")
    assert case is not None
    assert (order.status, case.kind) == (S.REFUNDED, CaseKind.CONFLICT)
    assert set(answers(case, order)) == {Answer.LOSS, Answer.SEEN}
    lossy = settling.decided(books, order, E.LOSS_RECORDED, OWNER, THEN + 1)
    assert (lossy.status, lossy.lost, credit(books)) == (S.REFUNDED, True, PRICE)
    assert balances(books, OURS, SPENT, ledger.SALES) == (-COST, COST, 0)
    assert case_of(books, lossy) is None
    assert owed(books) == told
    assert answers(case, lossy) == (Answer.SEEN,)
    reported(books, lossy, T.DELIVERED, THEN + HOUR)
    assert balances(books, OURS, SPENT) == (-COST, COST)


def test_a_case_that_was_answered_is_not_asked_again_before_the_order_moves(
    books: SqlBooks,
) -> None:
    order = ordered(books, report(T.DELIVERED))
    reported(books, order, T.FAILED, THEN)
    case = books.cases.open_for("P")
    assert case is not None
    books.cases.close(case, Answer.SEEN, OWNER, THEN + 1)
    reported(books, order, T.FAILED, THEN + MINUTE)
    assert case_of(books, order) is None
    assert len(asked(books)) == 1


# --- words and numbers ---


def test_m2_a_serial_number_that_comes_later_is_sent_once_and_never_replaced(
    books: SqlBooks,
) -> None:
    order = ordered(books, report(T.DELIVERED))
    told = owed(books)
    reported(books, order, T.DELIVERED, THEN)
    assert owed(books) == told
    for nth, serial in enumerate([SERIAL, SERIAL, "SN-2", ""], start=1):
        order = reported(books, order, T.DELIVERED, THEN + nth * MINUTE, serial=serial)
        assert order.serial == SERIAL
    assert owed(books) == [*told, K.STATUS, K.SERIAL]


def test_m1_the_serial_number_is_in_no_evidence_and_in_no_message_to_an_owner(
    books: SqlBooks,
) -> None:
    order = ordered(books, report(T.PENDING))
    note = f"sukses, sn {SERIAL}"
    order = reported(books, order, T.DELIVERED, THEN, serial=SERIAL, note=note)
    reported(books, order, T.FAILED, THEN + MINUTE, serial=SERIAL, note=note)
    assert "sukses, sn ***" in [happened.evidence for happened in books.orders.history("P")]
    assert len(asked(books)) == 1
    tx = books.orders._tx
    for row in tx.fetch("SELECT facts FROM outbox WHERE address = :a", {"a": OWNER}):
        assert SERIAL not in row["facts"]


def test_m1_the_serial_number_in_the_first_answer_is_in_no_evidence_either(
    books: SqlBooks,
) -> None:
    ordered(books, report(T.DELIVERED, serial=SERIAL, note=f"sukses, sn {SERIAL}"))
    assert all(SERIAL not in happened.evidence for happened in books.orders.history("P"))


@pytest.mark.parametrize("first", [False, True])
def test_a_word_that_no_document_has_is_told_once(books: SqlBooks, first: bool) -> None:
    order = ordered(books, report(T.PENDING, strange=first, words="ditahan"))
    for nth in range(1, 4):
        reported(books, order, T.UNREADABLE, THEN + nth, strange=True, words="ditahan")
    assert [alert["supplier"] for alert in asked(books, K.ALERT)] == [SELLER]


def test_o4_a_late_answer_about_an_earlier_attempt_ends_nothing_and_is_a_case(
    books: SqlBooks,
) -> None:
    manual = by_hand(books)
    first = ordered(manual, report(T.PENDING, supplier_ref="first"))
    order = reported(manual, first, T.FAILED, THEN)
    order = settling.decided(manual, order, E.PROCEEDED, OWNER, THEN)
    order = fulfilment.start(manual, order, THEN + MINUTE, THEN)
    order = fulfilment.submitted(manual, order, report(T.PENDING, supplier_ref="second"), THEN)
    fulfilment.reported(manual, first, report(T.FAILED, supplier_ref="first"), THEN, THEN + MINUTE)
    after = now_of(manual, "P")
    assert (after.status, after.attempt) == (S.PROCESSING, order.attempt)
    assert case_of(manual, after) is CaseKind.CONFLICT


def test_o1_a_second_attempt_that_takes_long_is_a_case_of_its_own(books: SqlBooks) -> None:
    order = ordered(books, NotOpened.UNKNOWN)
    late = NOW + watching.TAKES_LONG + MINUTE
    order = fulfilment.unanswered(books, order.id, late)
    assert order.alarmed
    order = settling.decided(books, order, E.PROCEEDED, OWNER, late)
    order = fulfilment.start(books, order, late + MINUTE, late)
    order = fulfilment.submitted(books, order, report(T.PENDING), late)
    assert case_of(books, order) is None
    order = reported(books, order, T.PENDING, late + watching.TAKES_LONG)
    assert case_of(books, order) is CaseKind.STUCK
