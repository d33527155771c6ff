"""Our balance at a supplier, as the books have it and as the supplier says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shop import calls, comparing, entries, fulfilment, ledger, settling
from shop.calls import COMPARE_AGAIN, COMPARE_EVERY, AskBalance, Idle
from shop.cases import Case, CaseKind
from shop.settling import NotOpened
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    COST,
    GATEWAY,
    PRICE,
    SELLER,
    T,
    a_shop,
    asked,
    balances,
    by_hand,
    deposit,
    now_of,
    ordered,
    paid,
    report,
    reported,
    settled,
    started,
)
from tests.shop.samples import NOW, OWNER, E, M, owed

OURS, THEIRS = ledger.supplier(SELLER), ledger.supplier(GATEWAY)
OPENING = 1_000_000
THEN = NOW + HOUR


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        yield opened


def say(books: SqlBooks, balance: int, now: int = THEN, supplier: str = SELLER) -> Case | None:
    """The supplier says this of our balance, asked for just before; is the owner asked?"""
    comparing.compared(books, supplier, balance, now - SECOND, now)
    return books.cases.open_about(supplier)


def opened(books: SqlBooks, supplier: str = SELLER) -> None:
    assert say(books, OPENING, NOW, supplier) is None


# --- agreeing ---


def test_the_first_balance_opens_the_books_with_what_is_there(books: SqlBooks) -> None:
    opened(books)
    assert balances(books, OURS, ledger.ADJUSTMENT) == (OPENING, -OPENING)
    assert books.ledger.has(f"opening:{SELLER}")
    assert say(books, OPENING) is None


def test_an_empty_balance_opens_the_books_too(books: SqlBooks) -> None:
    assert say(books, 0, NOW) is None
    assert books.ledger.has(f"opening:{SELLER}")
    assert say(books, 5) is not None


def test_what_was_sold_before_the_first_comparison_is_no_difference(books: SqlBooks) -> None:
    ordered(books, report(T.DELIVERED))
    assert balances(books, OURS) == (-COST,)
    assert say(books, OPENING) is None
    assert balances(books, OURS) == (OPENING,)


def test_the_books_follow_what_is_sold_and_agree(books: SqlBooks) -> None:
    opened(books)
    ordered(books, report(T.DELIVERED, cost=COST - 500), at=NOW + MINUTE)
    assert say(books, OPENING - COST + 500) is None
    assert owed(books, OWNER) == []


# --- what is under way ---


@pytest.mark.parametrize("balance", [OPENING, OPENING - COST])
def test_an_order_that_may_have_been_made_explains_its_cost_and_no_more(
    books: SqlBooks, balance: int
) -> None:
    opened(books)
    ordered(books, NotOpened.UNKNOWN, at=NOW + MINUTE)
    assert say(books, balance) is None
    assert say(books, OPENING + 1, THEN + 1) is not None
    assert say(books, balance, THEN + 2) is None
    assert say(books, OPENING - COST - 1, THEN + 3) is not None


def test_an_order_that_is_being_made_explains_its_cost(books: SqlBooks) -> None:
    opened(books)
    started(books, at=NOW + MINUTE)
    assert say(books, OPENING - COST) is None


def test_a_deposit_that_may_have_been_paid_explains_its_amount_and_no_more(
    books: SqlBooks,
) -> None:
    opened(books, GATEWAY)
    deposit(books, at=NOW + MINUTE)
    assert say(books, OPENING + PRICE, supplier=GATEWAY) is None
    assert say(books, OPENING, THEN + 1, GATEWAY) is None
    assert say(books, OPENING + PRICE + 1, THEN + 2, GATEWAY) is not None
    assert balances(books, THEIRS) == (OPENING,)


@pytest.mark.parametrize(("balance", "agrees"), [(0, True), (-COST, True), (1, False)])
def test_what_was_posted_while_the_question_was_under_way_may_be_in_the_answer_or_not(
    books: SqlBooks, balance: int, agrees: bool
) -> None:
    opened(books)
    asked_at = NOW + MINUTE
    ordered(books, report(T.DELIVERED), at=asked_at + SECOND)
    comparing.compared(books, SELLER, OPENING + balance, asked_at, asked_at + 2 * SECOND)
    assert (books.cases.open_about(SELLER) is None) is agrees


@pytest.mark.parametrize("balance", [OPENING, OPENING + PRICE])
def test_money_that_comes_in_meanwhile_may_be_in_the_answer_or_not(
    books: SqlBooks, balance: int
) -> None:
    opened(books, GATEWAY)
    deposit(books, at=NOW + MINUTE)
    settling.heard(books, "D", settled(PRICE), THEN, THEN)
    comparing.compared(books, GATEWAY, balance, THEN - SECOND, THEN + SECOND)
    assert books.cases.open_about(GATEWAY) is None


# --- differing ---


def test_a_difference_is_asked_once_with_what_happened_since_they_agreed(
    books: SqlBooks,
) -> None:
    opened(books)
    ordered(books, report(T.DELIVERED), at=NOW + MINUTE)
    for nth in range(4):
        say(books, OPENING - 50_000, THEN + nth * MINUTE)
    case = books.cases.open_about(SELLER)
    assert case is not None
    assert (case.kind, case.about, case.order_id) == (CaseKind.BALANCE, SELLER, "")
    (told,) = asked(books)
    assert told["answers"] == "adjust seen"
    assert told["evidence"].startswith("Rp988.800 → Rp950.000 (-Rp38.800)")
    assert "delivered P -Rp11.200" in told["evidence"]
    assert "opening" not in told["evidence"]  # they agreed since


def test_another_difference_is_the_same_case_told_again(books: SqlBooks) -> None:
    opened(books)
    first, second = say(books, OPENING - 1), say(books, OPENING - 2, THEN + 1)
    assert first is not None
    assert second is not None
    assert (second.id, len(asked(books))) == (first.id, 2)


def test_a_difference_that_goes_away_closes_its_case(books: SqlBooks) -> None:
    opened(books)
    case = say(books, OPENING - 1)
    assert case is not None
    assert say(books, OPENING, THEN + 1) is None
    again = say(books, OPENING - 1, THEN + 2)
    assert again is not None
    assert again.id != case.id


def test_each_supplier_has_a_case_of_its_own(books: SqlBooks) -> None:
    opened(books)
    opened(books, GATEWAY)
    assert say(books, OPENING - 1) is not None
    assert books.cases.open_about(GATEWAY) is None
    assert say(books, OPENING - 1, supplier=GATEWAY) is not None


def test_both_balances_stand_beside_an_order_that_may_have_been_made(books: SqlBooks) -> None:
    opened(books)
    order = ordered(books, NotOpened.UNKNOWN, at=NOW + MINUTE)
    fulfilment.unanswered(books, order.id, NOW + 11 * MINUTE)
    say(books, OPENING - COST)
    case = books.cases.open_for(order.id)
    assert case is not None
    assert "buku Rp1.000.000, nyata Rp988.800" in case.evidence
    assert now_of(books, "P").status == "unsure"  # evidence, and no proof


# --- the owner's answers ---


def adjust(books: SqlBooks, now: int = THEN + HOUR) -> None:
    case = books.cases.open_about(SELLER)
    assert case is not None
    comparing.adjust(books, case, OWNER, now)


def test_adjusted_the_books_follow_the_supplier_and_say_who_said_so(books: SqlBooks) -> None:
    opened(books)
    say(books, OPENING - 50_000)
    adjust(books)
    assert balances(books, OURS, ledger.ADJUSTMENT) == (OPENING - 50_000, 50_000 - OPENING)
    assert books.cases.open_about(SELLER) is None
    line = books.ledger.lines(OURS, 1)[0]
    assert (line.amount, line.actor) == (-50_000, OWNER)
    assert say(books, OPENING - 50_000, THEN + 2 * HOUR) is None


def test_what_was_sold_since_the_supplier_spoke_is_not_adjusted_away(books: SqlBooks) -> None:
    opened(books)
    say(books, OPENING - 50_000)
    ordered(books, report(T.DELIVERED), at=THEN + MINUTE)
    adjust(books)
    assert balances(books, OURS) == (OPENING - 50_000 - COST,)
    assert say(books, OPENING - 50_000 - COST, THEN + 2 * HOUR) is None


def test_what_came_in_since_the_supplier_spoke_is_not_adjusted_away(books: SqlBooks) -> None:
    opened(books)
    say(books, OPENING - 50_000)
    entries.post_own(books, OURS, 200_000, "entry:1", THEN + MINUTE, actor=OWNER)
    adjust(books)
    assert balances(books, OURS) == (OPENING + 150_000,)


def test_two_differences_are_adjusted_one_after_the_other(books: SqlBooks) -> None:
    opened(books)
    for nth, said in enumerate([OPENING - 1, OPENING - 7, OPENING + 3], start=1):
        say(books, said, THEN + nth * HOUR)
        adjust(books, THEN + nth * HOUR + MINUTE)
        assert balances(books, OURS) == (said,)


def test_what_the_owner_brings_and_takes_is_in_the_books(books: SqlBooks) -> None:
    opened(books)
    for nth, amount in enumerate([200_000, -50_000]):
        entries.post_own(books, OURS, amount, f"entry:{nth}", NOW + MINUTE, actor=OWNER)
    assert balances(books, OURS) == (OPENING + 150_000,)
    assert say(books, OPENING + 150_000) is None


def test_l2_an_own_entry_is_corrected_by_another_one_once(books: SqlBooks) -> None:
    opened(books)
    entries.post_own(books, OURS, 200_000, "entry:1", NOW + MINUTE, actor=OWNER)
    assert correct(books, "entry:1", THEN)
    assert balances(books, OURS) == (OPENING,)
    assert not correct(books, "entry:1", THEN + 1)
    assert balances(books, OURS) == (OPENING,)
    rows = books.orders._tx.fetch("SELECT id, actor FROM entries WHERE corrects = 'entry:1'")
    assert [dict(row) for row in rows] == [{"id": "undo:entry:1", "actor": OWNER}]


def correct(books: SqlBooks, entry: str, now: int) -> Any:
    return entries.correct(books, entry, OWNER, now)


def test_l2_only_an_owners_own_entry_can_be_corrected(books: SqlBooks) -> None:
    opened(books)
    ordered(books, report(T.DELIVERED))
    tx = books.orders._tx
    others = [row["id"] for row in tx.fetch("SELECT id FROM entries")]
    assert len(others) > 2
    for entry in [*others, "entry:nothing", "undo:entry:1"]:
        assert not correct(books, entry, THEN)
    assert len(tx.fetch("SELECT id FROM entries")) == len(others)


# --- when ---


def test_the_balance_is_compared_once_a_day_by_itself(books: SqlBooks) -> None:
    books.calls.set_list_due(SELLER, NOW + 999 * HOUR)
    now, compared = NOW, []
    while now < NOW + 3 * COMPARE_EVERY:
        call = calls.next_call(books, SELLER, now)
        if isinstance(call, AskBalance):
            assert call.address == ""
            compared.append(now - NOW)
            books.calls.set_compare_at(SELLER, now + COMPARE_EVERY)  # as the answer has it done
        now = call.until if isinstance(call, Idle) else now
    assert compared == [0, COMPARE_EVERY, 2 * COMPARE_EVERY]


def test_whoever_asks_for_the_balance_the_books_are_compared_then(books: SqlBooks) -> None:
    books.calls.set_list_due(SELLER, NOW + 999 * HOUR)
    assert isinstance(calls.next_call(books, SELLER, NOW), AskBalance)
    books.calls.ask_balance(SELLER, OWNER, NOW + HOUR)
    assert calls.next_call(books, SELLER, NOW + HOUR) == AskBalance(address=OWNER)
    idle = calls.next_call(books, SELLER, NOW + HOUR)
    assert idle == Idle(until=NOW + HOUR + COMPARE_AGAIN)  # until there is an answer


def test_it_is_compared_soon_after_an_order_that_may_have_been_made(books: SqlBooks) -> None:
    books.calls.set_list_due(SELLER, NOW + 999 * HOUR)
    assert isinstance(calls.next_call(books, SELLER, NOW), AskBalance)
    asked_with = started(books)
    fulfilment.submitted(books, asked_with, NotOpened.UNKNOWN, NOW + SECOND)
    assert calls.next_call(books, SELLER, NOW + SECOND) == AskBalance(address="")


def test_a_shop_that_sells_nothing_from_its_balance_compares_nothing(tmp_path: Path) -> None:
    with a_shop(tmp_path, methods=(M.DROPSHIP, M.WALLET)) as books:
        books.calls.set_list_due(SELLER, NOW + HOUR)
        assert calls.next_call(books, SELLER, NOW) == Idle(until=NOW + HOUR)


def test_what_is_given_back_by_hand_leaves_our_balances_alone(books: SqlBooks) -> None:
    opened(books)
    manual = by_hand(books)
    order = reported(manual, ordered(manual, report(T.PENDING)), T.FAILED, THEN, returned=True)
    settling.decided(manual, order, E.REFUND_MADE, OWNER, THEN + 1)
    assert say(books, OPENING, THEN + HOUR) is None
    assert paid(books, "P2", THEN + HOUR).status == "paid"
