"""A restored copy: what it cannot know is asked about, and nothing is asked of a supplier twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shop import calls, fulfilment, moving, notices, restoring, settling
from shop.calls import AskTopup, Idle, OpenInvoice, Submit
from shop.cases import Answer, Case, CaseKind, answers
from shop.copied import SINCE_THE_COPY
from shop.suppliers import Abilities, InvoiceReport, InvoiceState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    COST,
    EVERY_WAY,
    GATEWAY,
    PRICE,
    SELLER,
    T,
    a_shop,
    a_wish,
    asked,
    balances,
    by_hand,
    credit,
    deposit,
    listed_at,
    now_of,
    ordered,
    own_qris,
    paid,
    place,
    report,
    reported,
    settled,
    started,
)
from tests.shop.samples import NOW, OWNER, E, K, M, S, case_of, owed, stored

START = NOW + 6 * HOUR
HELD = "held"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        for supplier in (SELLER, GATEWAY):
            opened.calls.set_list_due(supplier, NOW + 99 * HOUR)
            opened.calls.set_compare_at(supplier, NOW + 99 * HOUR)
        yield opened


def restored(books: SqlBooks, now: int = START, *suppliers: str) -> None:
    """What stands in the books is a copy of ``NOW``, and the shop starts on it."""
    books.orders._tx.execute("INSERT INTO copied (at) VALUES (:now)", {"now": NOW})
    assert restoring.begin(books, suppliers or [SELLER, GATEWAY], now)


def test_what_is_no_copy_is_left_alone(books: SqlBooks) -> None:
    order = paid(books)
    assert not restoring.begin(books, [SELLER, GATEWAY], START)
    assert now_of(books, "P") == order


@pytest.mark.parametrize("begun", [False, True])
def test_o4_what_was_paid_in_the_copy_may_have_been_ordered_since(
    books: SqlBooks, begun: bool
) -> None:
    make = started if begun else paid
    make(books)
    restored(books)
    order = now_of(books, "P")
    assert order.status is S.UNSURE
    # Of an attempt the supplier can tell; of what was only paid nobody but the owner.
    assert case_of(books, order) is (None if begun else CaseKind.AMBIGUOUS)
    assert (credit(books), *balances(books, HELD)) == (0, -PRICE)
    assert K.REFUNDED not in owed(books)


@pytest.mark.parametrize("begun", [False, True])
def test_o4_nothing_of_a_copy_is_ordered_again_by_itself(books: SqlBooks, begun: bool) -> None:
    make = started if begun else paid
    make(books)
    restored(books)
    now = START
    made: list[calls.Call] = []
    while now < START + 24 * HOUR and len(made) < 3_000:
        call = calls.next_call(books, SELLER, now)
        if isinstance(call, Idle):
            now = call.until
            continue
        made.append(call)
        if isinstance(call, AskTopup):
            fulfilment.unanswered(books, "P", now)
    assert not [call for call in made if isinstance(call, Submit)]
    assert now_of(books, "P").status is S.UNSURE


def test_the_owner_decides_what_the_copy_cannot_know(books: SqlBooks) -> None:
    order = paid(books)
    restored(books)
    order = now_of(books, "P")
    case = books.cases.open_for("P")
    assert case is not None
    assert {Answer.PROCEED, Answer.GIVE_BACK, Answer.ARRIVED} <= set(answers(case, order))
    again = settling.decided(books, order, E.PROCEEDED, OWNER, START + MINUTE)
    after = fulfilment.start(books, again, START + HOUR, START + MINUTE)
    assert fulfilment.submitted(books, after, report(T.DELIVERED), START + HOUR).status is (
        S.DELIVERED
    )


def test_o3_a_deposit_that_was_being_opened_is_given_up_not_opened_again(
    books: SqlBooks,
) -> None:
    place(books, a_wish("D", M.DEPOSIT))
    order = place(books, a_wish("D2", M.DEPOSIT), NOW + MINUTE)
    settling.start_opening(books, order, NOW + HOUR, NOW + MINUTE)
    restored(books, NOW + 2 * MINUTE)
    assert {now_of(books, name).status for name in ("D", "D2")} == {S.CANCELLED}
    call = calls.next_call(books, GATEWAY, NOW + 3 * MINUTE)
    assert not isinstance(call, OpenInvoice)
    assert owed(books).count(K.NOT_OPENED) == 2


def test_the_shop_is_closed_until_every_order_of_the_copy_was_asked_about(
    books: SqlBooks,
) -> None:
    deposit(books)
    ordered(books, report(T.PENDING), at=NOW + MINUTE)
    restored(books)
    assert restoring.is_closed(books)
    settling.heard(books, "D", settled(PRICE), START, START + SECOND)
    assert restoring.asked(books, "D")
    reported(books, now_of(books, "P"), T.DELIVERED, START + MINUTE)
    assert not restoring.asked(books, "P")
    assert not restoring.is_closed(books)
    assert now_of(books, "D").status is S.UNSURE  # it may have been delivered since the copy


def test_o11_the_owners_own_qris_is_asked_about_nowhere_and_keeps_nobody_waiting(
    books: SqlBooks,
) -> None:
    own_qris(books)
    restored(books)
    assert not restoring.is_closed(books)


def test_an_order_nobody_can_be_asked_about_keeps_nobody_waiting(books: SqlBooks) -> None:
    """The supplier finds orders by its own number only, and the copy does not have it."""
    books.rules = replace(books.rules, abilities={})
    paid(books, "P0")
    started(books, "P1", NOW + MINUTE)
    restored(books)
    assert {now_of(books, name).status for name in ("P0", "P1")} == {S.UNSURE}
    assert not restoring.is_closed(books)
    now, told = START, 0
    while now < START + 48 * HOUR and told < 99:
        call = calls.next_call(books, SELLER, now)
        assert not isinstance(call, AskTopup | Submit)
        now = call.until if isinstance(call, Idle) else now
        told += 1
    assert owed(books).count(K.SLOW) == 2  # but who waits is told so


def test_the_owner_hears_from_when_the_copy_is(books: SqlBooks) -> None:
    restored(books)
    (alert,) = asked(books, K.ALERT)
    assert (alert["alert"], alert["at"]) == ("restored", NOW)


def test_o4_d2_what_was_paid_in_the_copy_is_not_ordered_when_its_supplier_is_back_in_the_settings(
    books: SqlBooks,
) -> None:
    paid(books)  # and delivered, after the copy was made
    restored(books, START, GATEWAY)  # the seller's key is not on the new machine yet
    assert not restoring.is_closed(books)
    calls.wait_without(books, SELLER, START)
    later = START + HOUR  # it is put into the settings, and the shop restarted
    calls.wake_up(books, [SELLER, GATEWAY], later)
    assert not restoring.begin(books, [SELLER, GATEWAY], later)
    books.calls.set_list_due(SELLER, NOW + 99 * HOUR)
    assert not isinstance(calls.next_call(books, SELLER, later), Submit)


@pytest.mark.parametrize("of_a_copy", [False, True])
def test_o4_d2_an_attempt_of_the_copy_is_not_sent_again_as_a_question(
    tmp_path: Path, of_a_copy: bool
) -> None:
    """It was refused since, and another supplier has delivered: now the question orders it."""
    able = Abilities(knows_our_ref=True, repeats_are_questions=True)
    with a_shop(tmp_path, abilities={**EVERY_WAY.abilities, SELLER: able}) as books:
        books.calls.set_list_due(SELLER, NOW + 99 * HOUR)
        listed_at(books, COST)
        order, soon = started(books), NOW + MINUTE
        if of_a_copy:
            restored(books, soon)
        else:
            fulfilment.lost(books, order, soon)
        call = calls.next_call(books, SELLER, soon + MINUTE)
        assert isinstance(call, AskTopup)
        assert call.may_repeat is not of_a_copy


def warned(books: SqlBooks, order_id: str) -> Case:
    """The open case of an order, which says that it may have been answered since the copy."""
    case = books.cases.open_for(order_id)
    assert case is not None
    assert SINCE_THE_COPY in case.evidence
    return case


def test_d2_a_wrong_payment_of_the_copy_is_told_with_a_warning(books: SqlBooks) -> None:
    """The owner had it delivered all the same, after the copy was made."""
    order = deposit(books)
    settling.heard(books, order.id, settled(PRICE - 1), NOW, NOW)
    restored(books, START)
    case = warned(books, order.id)
    assert case.kind is CaseKind.PAID_WRONG
    assert Answer.PROCEED in answers(case, now_of(books, order.id))


def test_d2_a_late_payment_of_the_copy_is_told_with_a_warning(books: SqlBooks) -> None:
    """The owner sent it back by hand, after the copy was made."""
    order = own_qris(books)
    order = settling.decided(books, order, E.PAYMENT_ABSENT, OWNER, NOW)
    settling.decided(by_hand(books), order, E.PAID_LATE, OWNER, NOW + 1)
    restored(books, START)
    assert warned(books, order.id).kind is CaseKind.PAID_LATE


def test_d2_a_wrong_payment_that_is_heard_of_again_is_told_with_a_warning(books: SqlBooks) -> None:
    order = deposit(books)
    restored(books, START)
    settling.heard(books, order.id, settled(PRICE - 1), START, START + SECOND)
    assert warned(books, order.id).kind is CaseKind.PAID_WRONG


def test_d2_a_dropship_order_of_the_copy_that_failed_says_so(books: SqlBooks) -> None:
    """It had failed before, after the copy was made, and the owner sent the money by hand."""
    order = stored(books, S.PROCESSING)
    restored(books)
    no = InvoiceReport(state=InvoiceState.FAILED, note="gagal")
    settling.heard(books, order.id, no, START, START + SECOND)
    assert warned(books, order.id).kind is CaseKind.PAID_FAILED


def test_d2_what_was_being_ordered_in_the_copy_and_is_unknown_says_so(books: SqlBooks) -> None:
    """It was refused since, and another supplier delivered: nobody here knows of that attempt."""
    order = started(books)
    restored(books)
    late = START + 11 * MINUTE
    fulfilment.reported(books, now_of(books, order.id), report(T.MISSING), late, late)
    assert warned(books, order.id).kind is CaseKind.AMBIGUOUS


def test_d2_what_takes_long_in_the_copy_says_so(books: SqlBooks) -> None:
    order = ordered(books, report(T.PENDING))
    restored(books)
    late = START + MINUTE
    fulfilment.reported(books, now_of(books, order.id), report(T.PENDING), late, late)
    assert warned(books, order.id).kind is CaseKind.STUCK


def test_d2_money_to_go_back_of_the_copy_that_nobody_could_be_told_of_says_so(
    books: SqlBooks,
) -> None:
    mine = by_hand(books)
    order = reported(mine, ordered(mine, report(T.PENDING)), T.FAILED, NOW + 1)
    case = books.cases.open_for(order.id)
    assert case is not None
    books.cases.close(case, None, OWNER, NOW + 2)
    restored(books)
    notice = notices.to_customer(order, K.REFUND_DUE, "once")
    moving.undelivered(books, notice, "blocked", START)
    assert warned(books, order.id).kind is CaseKind.PAID_FAILED


def test_a_case_that_the_restore_opens_is_told_once(books: SqlBooks) -> None:
    paid(books)
    restored(books)
    assert len(asked(books)) == 1


def test_another_start_before_everybody_was_asked_tells_nothing_again(books: SqlBooks) -> None:
    reported(books, ordered(books, report(T.PENDING)), T.PARTIAL, NOW + 1)
    deposit(books, at=NOW + MINUTE)
    restored(books)
    assert restoring.is_closed(books)
    told = len(asked(books))
    for nth in range(1, 4):
        assert restoring.begin(books, [SELLER, GATEWAY], START + nth * SECOND)
    assert len(asked(books)) == told
