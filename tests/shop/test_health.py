"""A supplier that is away: noticed, told once, asked every minute, back; and what it gives back."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from shop import calls, comparing, fulfilment, health, ledger, settling
from shop.calls import AskBalance, Call, FetchList, Idle, Submit
from shop.orders import Order
from shop.settling import NotOpened
from shop.suppliers import NO_TROUBLE, Abilities, OutOfBalance, Refused, Trouble, Why
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
    asked,
    balances,
    by_hand,
    credit,
    now_of,
    ordered,
    paid,
    report,
    reported,
    started,
)
from tests.shop.samples import NOW, OWNER, E, K, S, case_of, owed

THEN = NOW + HOUR
OURS, SPENT = ledger.supplier(SELLER), ledger.cost(SELLER)
ABLE = Abilities(knows_our_ref=True, tells_balance=True)
Happens = Callable[[SqlBooks, int], bool]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path, abilities={**EVERY_WAY.abilities, SELLER: ABLE}) as opened:
        opened.calls.set_list_due(SELLER, NOW + 99 * HOUR)
        opened.calls.set_compare_at(SELLER, NOW + 99 * HOUR)
        yield opened


def misses(books: SqlBooks, now: int) -> bool:
    return health.unanswered(books, SELLER, "HTTP 502", now)


def answers(books: SqlBooks, now: int) -> bool:
    return health.answered(books, SELLER, now)


def falls_silent(books: SqlBooks, now: int) -> bool:
    return [misses(books, now) for _ in range(health.MISSES)][-1]


def refuses_us(books: SqlBooks, now: int) -> bool:
    return health.refused_us(books, SELLER, "API_KEY_NOT_FOUND", now)


def is_empty(books: SqlBooks, now: int) -> bool:
    return health.has_no_balance(books, SELLER, COST, "saldo tidak cukup", now)


def is_filled(books: SqlBooks, now: int) -> bool:
    return health.has_balance(books, SELLER, COST, now)


# how it goes away, as what, and how it comes back
AWAY: Mapping[Happens, tuple[Why, Happens]] = {
    falls_silent: (Why.SILENT, answers),
    refuses_us: (Why.KEY, answers),
    is_empty: (Why.BALANCE, is_filled),
}
EACH_WAY = pytest.mark.parametrize("goes", AWAY, ids=lambda happens: happens.__name__)


def alerts(books: SqlBooks) -> list[str]:
    return [alert["alert"] for alert in asked(books, K.ALERT)]


def is_away(books: SqlBooks) -> bool:
    return SELLER in books.health.away(NOW)


# --- noticing ---


def test_a_supplier_is_away_after_three_questions_without_an_answer_in_a_row(
    books: SqlBooks,
) -> None:
    assert [misses(books, NOW + nth) for nth in range(3)] == [False, False, True]
    assert books.health.of(SELLER) == Trouble(misses=3, away_since=NOW + 2, why=Why.SILENT)
    assert books.health.away(NOW) == {SELLER}


def test_an_answer_in_between_starts_the_count_again(books: SqlBooks) -> None:
    for nth in range(10):
        assert not misses(books, NOW + nth)
        assert not misses(books, NOW + nth)
        assert not answers(books, NOW + nth)
        assert books.health.of(SELLER) == NO_TROUBLE
    assert not is_away(books)
    assert alerts(books) == []


def test_however_long_it_lasts_a_miss_more_changes_nothing_and_says_nothing(
    books: SqlBooks,
) -> None:
    falls_silent(books, NOW)
    since = books.health.of(SELLER)
    for nth in range(1, 50):
        assert not misses(books, NOW + nth * MINUTE)
    assert books.health.of(SELLER) == since
    assert alerts(books) == ["away_silent"]


@EACH_WAY
def test_one_suppliers_trouble_is_nobody_elses(books: SqlBooks, goes: Happens) -> None:
    assert goes(books, NOW)
    assert not health.answered(books, GATEWAY, NOW + 1)
    assert books.health.away(NOW) == {SELLER}


@EACH_WAY
def test_the_owners_hear_once_that_it_is_away_and_once_that_it_is_back(
    books: SqlBooks, goes: Happens
) -> None:
    why, comes_back = AWAY[goes]
    for nth in range(3):
        now = NOW + nth * HOUR
        assert goes(books, now)
        assert not goes(books, now + 1)
        assert is_away(books)
        assert comes_back(books, now + MINUTE)
        assert not comes_back(books, now + MINUTE + 1)
        assert not is_away(books)
    assert alerts(books) == [f"away_{why}", "back"] * 3
    assert owed(books) == []  # no customer hears of it


@EACH_WAY
def test_the_owners_read_what_the_supplier_said(books: SqlBooks, goes: Happens) -> None:
    goes(books, NOW)
    (alert,) = asked(books, K.ALERT)
    said = {Why.SILENT: "HTTP 502", Why.KEY: "API_KEY_NOT_FOUND", Why.BALANCE: "saldo tidak cukup"}
    assert (alert["supplier"], alert["evidence"]) == (SELLER, said[AWAY[goes][0]])


def test_a_supplier_that_was_silent_and_then_does_not_know_us_is_told_again(
    books: SqlBooks,
) -> None:
    falls_silent(books, NOW)
    assert refuses_us(books, NOW + 1)
    assert alerts(books) == ["away_silent", "away_key"]
    assert answers(books, NOW + 2)
    assert alerts(books)[-1] == "back"


# --- our balance there ---


def test_no_answer_but_the_balance_itself_brings_back_who_had_nothing_of_ours(
    books: SqlBooks,
) -> None:
    is_empty(books, NOW)
    for nth in range(5):
        assert not answers(books, NOW + nth)
    assert not health.has_balance(books, SELLER, COST - 1, NOW + MINUTE)
    assert is_away(books)
    assert health.has_balance(books, SELLER, COST, NOW + 2 * MINUTE)
    assert not is_away(books)


@pytest.mark.parametrize("goes", [falls_silent, refuses_us], ids=lambda goes: goes.__name__)
def test_a_balance_says_nothing_of_any_other_trouble(books: SqlBooks, goes: Happens) -> None:
    goes(books, NOW)
    assert not health.has_balance(books, SELLER, 2**40, NOW + 1)
    assert is_away(books)


def test_who_is_away_already_is_not_told_to_be_empty_too(books: SqlBooks) -> None:
    falls_silent(books, NOW)
    assert not is_empty(books, NOW + 1)
    assert books.health.of(SELLER).why is Why.SILENT


def test_a_refusal_for_want_of_balance_takes_the_supplier_off_and_gives_the_money_back(
    books: SqlBooks,
) -> None:
    order = ordered(books, OutOfBalance("saldo tidak cukup"))
    assert (order.status, credit(books)) == (S.REFUNDED, PRICE)
    trouble = books.health.of(SELLER)
    assert (trouble.why, trouble.needs, trouble.away_since) == (Why.BALANCE, COST, NOW)


def test_any_other_refusal_takes_nobody_off(books: SqlBooks) -> None:
    ordered(books, Refused("no"))
    assert not is_away(books)


# --- while it is away ---


def live(
    books: SqlBooks, until: int, happens: Callable[[Call, int], object], since: int = NOW
) -> list[tuple[int, Call]]:
    """Let the supplier's worker do what falls due; return each call and when it was made."""
    now, made = since, list[tuple[int, Call]]()
    for _ in range(5_000):
        call = calls.next_call(books, SELLER, now)
        if isinstance(call, Idle):
            now = max(call.until, now + 1)
            if now >= until:
                return made
            continue
        made.append((now, call))
        happens(call, now)
    raise AssertionError("it never comes to rest")


@EACH_WAY
def test_a_supplier_that_is_away_is_asked_every_minute(books: SqlBooks, goes: Happens) -> None:
    goes(books, NOW)

    def no_answer(_call: Call, now: int) -> None:
        misses(books, now)

    made = live(books, NOW + 10 * MINUTE + 1, no_answer)
    assert {type(call) for _, call in made} <= {AskBalance, FetchList}
    assert sorted({at - NOW for at, _ in made}) == [nth * MINUTE for nth in range(1, 11)]


def test_while_ours_there_does_not_suffice_the_balance_is_asked_for_every_minute(
    books: SqlBooks,
) -> None:
    is_empty(books, NOW)

    def too_little(call: Call, now: int) -> None:
        if isinstance(call, AskBalance):
            books.calls.set_compare_at(SELLER, now + calls.COMPARE_EVERY)
            assert not health.has_balance(books, SELLER, COST - 1, now)
        answers(books, now)

    made = live(books, NOW + 10 * MINUTE + 1, too_little)
    looks = [at - NOW for at, call in made if isinstance(call, AskBalance)]
    assert looks == [nth * MINUTE for nth in range(1, 11)]
    assert alerts(books) == ["away_balance"]


def test_who_does_not_tell_our_balance_is_asked_for_the_list_alone(tmp_path: Path) -> None:
    with a_shop(tmp_path, abilities={SELLER: Abilities(knows_our_ref=True)}) as books:
        books.calls.set_list_due(SELLER, NOW + HOUR)
        falls_silent(books, NOW)
        assert (books.calls.compare_at(SELLER), books.calls.list_due_at(SELLER)) == (
            0,
            NOW + MINUTE,
        )


@EACH_WAY
def test_o1_what_is_paid_waits_for_it_and_is_ordered_once_it_is_back(
    books: SqlBooks, goes: Happens
) -> None:
    paid(books)
    goes(books, NOW)
    made = live(books, NOW + 5 * MINUTE, misses_unless_empty(books))
    assert not [call for _, call in made if isinstance(call, Submit)]
    assert (now_of(books, "P").status, now_of(books, "P").tries) == (S.PAID, 0)
    back_at = NOW + 5 * MINUTE
    assert AWAY[goes][1](books, back_at)
    later = live(books, back_at + 2 * MINUTE, lambda *_: None, back_at)
    assert [call.order.id for _, call in later if isinstance(call, Submit)] == ["P"]
    assert later[0][0] <= back_at + MINUTE


def misses_unless_empty(books: SqlBooks) -> Callable[[Call, int], object]:
    def happens(_call: Call, now: int) -> None:
        if books.health.of(SELLER).why is not Why.BALANCE:
            misses(books, now)

    return happens


@EACH_WAY
def test_o1_who_paid_and_waits_long_is_told_once_and_the_owner_asked_once(
    books: SqlBooks, goes: Happens
) -> None:
    order = paid(books)
    goes(books, NOW)
    live(books, NOW + HOUR, misses_unless_empty(books))
    assert owed(books).count(K.SLOW) == 1
    assert len(asked(books)) == 1
    assert case_of(books, order) == "stuck"
    assert now_of(books, "P").due_at is not None


# --- what failed orders cost, and whether that is back ---

OPENING = 1_000_000


def say(books: SqlBooks, balance: int, now: int = THEN) -> bool:
    """The supplier says this of our balance; do the books agree, or is the owner asked?"""
    comparing.compared(books, SELLER, balance, now - SECOND, now)
    return books.cases.open_about(SELLER) is None


def failed(books: SqlBooks, name: str = "P", cost: int = COST) -> Order:
    """An order that was charged, then failed, and nobody said that we have the money back."""
    order = started(books, name, NOW + MINUTE, address=f"web:{name}")
    order = fulfilment.submitted(books, order, report(T.PENDING, cost=cost), NOW + MINUTE)
    order = reported(books, order, T.FAILED, NOW + 2 * MINUTE)
    assert order.attempt is not None
    assert (order.status, order.attempt.charged) == (S.REFUNDED, cost)
    return order


def returned(books: SqlBooks) -> list[str]:
    """The orders whose cost was posted back, in the order in which it was."""
    sql = "SELECT order_id FROM order_events WHERE event = :e ORDER BY at, order_id"
    return [row["order_id"] for row in books.orders._tx.fetch(sql, {"e": E.COST_RETURNED})]


def test_a_cost_that_came_back_is_posted_without_a_word_to_anybody(books: SqlBooks) -> None:
    assert say(books, OPENING, NOW)
    failed(books)
    assert balances(books, OURS, SPENT) == (OPENING - COST, COST)
    told = owed(books), owed(books, OWNER)
    for nth in range(3):
        assert say(books, OPENING, THEN + nth * HOUR)
    assert balances(books, OURS, SPENT) == (OPENING, 0)
    assert returned(books) == ["P"]
    assert (owed(books), owed(books, OWNER)) == told
    evidence = [line.evidence for line in books.orders.history("P")]
    assert evidence[-1] == f"saldo {SELLER}: Rp1.000.000"


def test_a_cost_that_the_supplier_kept_stays_in_the_books(books: SqlBooks) -> None:
    say(books, OPENING, NOW)
    failed(books)
    assert say(books, OPENING - COST)
    assert (returned(books), balances(books, SPENT)) == ([], (COST,))


@pytest.mark.parametrize("off_by", [-1, 1, COST])
def test_a_difference_that_is_not_exactly_that_is_the_owners_question(
    books: SqlBooks, off_by: int
) -> None:
    say(books, OPENING, NOW)
    failed(books)
    assert not say(books, OPENING + off_by)
    assert (returned(books), balances(books, OURS)) == ([], (OPENING - COST,))


def test_costs_that_came_back_together_are_posted_together(books: SqlBooks) -> None:
    say(books, OPENING, NOW)
    for nth, name in enumerate("ABC"):
        failed(books, name, COST - nth)
    assert say(books, OPENING)
    assert (returned(books), balances(books, OURS)) == (["A", "B", "C"], (OPENING,))


def test_costs_that_come_back_one_by_one_are_posted_one_by_one(books: SqlBooks) -> None:
    say(books, OPENING, NOW)
    costs = {"A": COST, "B": COST - 1, "C": COST - 2}
    for name, cost in costs.items():
        failed(books, name, cost)
    balance = OPENING - sum(costs.values())
    for nth, name in enumerate("BCA"):
        balance += costs[name]
        assert say(books, balance, THEN + nth * HOUR)
    assert (returned(books), balances(books, OURS)) == (["B", "C", "A"], (OPENING,))


def test_of_two_that_cost_the_same_one_is_posted_for_one(books: SqlBooks) -> None:
    say(books, OPENING, NOW)
    failed(books, "A")
    failed(books, "B")
    assert say(books, OPENING - COST)
    assert (len(returned(books)), balances(books, OURS)) == (1, (OPENING - COST,))
    assert say(books, OPENING, THEN + HOUR)
    assert (sorted(returned(books)), balances(books, OURS)) == (["A", "B"], (OPENING,))


@pytest.mark.parametrize("other", [None, NotOpened.UNKNOWN])
def test_while_anything_else_is_under_way_nothing_is_posted_back(
    books: SqlBooks, other: NotOpened | None
) -> None:
    """The other order may have been made, or not: the difference proves nothing."""
    say(books, OPENING, NOW)
    failed(books)
    if other is None:
        started(books, "Q", NOW + 3 * MINUTE)
    else:
        ordered(books, other, "Q", NOW + 3 * MINUTE)
    for nth, balance in enumerate([OPENING, OPENING - COST, OPENING - 2 * COST]):
        say(books, balance, THEN + nth * MINUTE)
        assert returned(books) == []


def test_what_was_posted_since_the_question_left_keeps_anything_from_being_posted_back(
    books: SqlBooks,
) -> None:
    say(books, OPENING, NOW)
    failed(books)
    ordered(books, report(T.DELIVERED), "Q", THEN)
    comparing.compared(books, SELLER, OPENING - COST, THEN - SECOND, THEN + SECOND)
    assert returned(books) == []


def test_a_cost_comes_back_while_the_owner_still_has_to_refund(books: SqlBooks) -> None:
    manual = by_hand(books)
    say(manual, OPENING, NOW)
    order = ordered(manual, report(T.PENDING), at=NOW + MINUTE)
    order = reported(manual, order, T.FAILED, NOW + 2 * MINUTE)
    cases = len(asked(manual))
    assert say(manual, OPENING)
    after = now_of(manual, "P")
    assert (after.status, returned(manual)) == (S.REFUND_DUE, ["P"])
    assert (case_of(manual, after), len(asked(manual))) == ("paid_failed", cases)
    done = settling.decided(manual, after, E.REFUND_MADE, OWNER, THEN + 1)
    assert done.status is S.REFUNDED


def test_a_failure_that_said_at_once_that_we_have_it_back_is_not_posted_twice(
    books: SqlBooks,
) -> None:
    say(books, OPENING, NOW)
    order = ordered(books, report(T.PENDING), at=NOW + MINUTE)
    reported(books, order, T.FAILED, NOW + 2 * MINUTE, returned=True)
    assert not say(books, OPENING + COST)
    assert (returned(books), balances(books, OURS)) == ([], (OPENING,))


def test_what_is_being_delivered_or_was_is_not_posted_back(books: SqlBooks) -> None:
    say(books, OPENING, NOW)
    order = ordered(books, report(T.PENDING), at=NOW + MINUTE)
    assert not say(books, OPENING)
    reported(books, order, T.DELIVERED, THEN + MINUTE)
    assert not say(books, OPENING, THEN + HOUR)
    assert returned(books) == []


def test_the_first_comparison_posts_nothing_back(books: SqlBooks) -> None:
    """Nobody knows yet what stood there before."""
    failed(books)
    assert say(books, OPENING)
    assert (returned(books), balances(books, OURS)) == ([], (OPENING,))


def test_one_suppliers_balance_brings_back_no_cost_of_anothers(books: SqlBooks) -> None:
    say(books, OPENING, NOW)
    comparing.compared(books, GATEWAY, OPENING, NOW - 1, NOW)
    failed(books)
    comparing.compared(books, GATEWAY, OPENING + COST, THEN - 1, THEN)
    assert returned(books) == []
    assert fulfilment.unanswered(books, "P", THEN).status is S.REFUNDED
