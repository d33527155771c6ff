"""What comes due with nobody to ask: own QRs that run out, and cases that wait for an answer."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shop import comparing, fulfilment, housekeeping, settling, watching
from shop.cases import REMIND_EVERY, Answer, CaseKind
from shop.housekeeping import AT_ONCE, LOOK_EVERY
from shop.settling import NotOpened
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    SELLER,
    T,
    a_shop,
    asked,
    deposit,
    now_of,
    ordered,
    own_qris,
    paid,
    report,
    reported,
)
from tests.shop.samples import NOW, OWNER, E, K, S, case_of, owed

LAPSES = NOW + 15 * MINUTE + watching.GRACE


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        yield opened


def days(books: SqlBooks, count: int, start: int = NOW) -> None:
    """Tidy whenever it says so, and at least every hour, for that many days."""
    now, end = start, start + count * REMIND_EVERY
    while now < end:
        then = housekeeping.tidy(books, now)
        assert now < then <= now + LOOK_EVERY
        now = then


# --- own QRs ---


def test_what_is_next_is_known_and_is_never_far(books: SqlBooks) -> None:
    assert housekeeping.tidy(books, NOW) == NOW + LOOK_EVERY
    own_qris(books)
    assert housekeeping.tidy(books, NOW) == LAPSES
    assert housekeeping.tidy(books, LAPSES) == LAPSES + LOOK_EVERY


def test_only_the_owners_own_qris_lapses_by_the_clock(books: SqlBooks) -> None:
    """Of a deposit the supplier knows whether it was paid."""
    deposit(books)
    own_qris(books, address="web:ani")
    days(books, 2)
    assert now_of(books, "Q").status is S.EXPIRED
    assert now_of(books, "D").status is S.AWAITING_PAYMENT


def test_much_that_is_due_is_done_in_parts(books: SqlBooks) -> None:
    for nth in range(AT_ONCE + 5):
        own_qris(books, f"Q{nth}", address=f"web:p{nth}")
    assert housekeeping.tidy(books, LAPSES) == LAPSES
    left = [f"Q{nth}" for nth in range(AT_ONCE + 5) if is_open(books, f"Q{nth}")]
    assert len(left) == 5
    assert housekeeping.tidy(books, LAPSES) == LAPSES + LOOK_EVERY
    assert not any(is_open(books, name) for name in left)


def is_open(books: SqlBooks, name: str) -> bool:
    return now_of(books, name).status is S.AWAITING_PAYMENT


def test_what_is_due_without_reason_is_put_to_rest(books: SqlBooks) -> None:
    order = settling.decided(books, own_qris(books), E.CANCELLED, OWNER, NOW + MINUTE)
    assert order.due_at is None
    books.orders._tx.execute("UPDATE orders SET due_at = :now", {"now": NOW})
    assert housekeeping.tidy(books, NOW + MINUTE) == NOW + MINUTE + LOOK_EVERY
    assert now_of(books, "Q").due_at is None


# --- reminders ---


def test_an_open_case_is_told_again_once_a_day(books: SqlBooks) -> None:
    ordered(books, report(T.PARTIAL))
    assert len(asked(books)) == 1
    days(books, 1)
    assert len(asked(books)) == 1
    days(books, 5, NOW + REMIND_EVERY)
    told = asked(books)
    assert len(told) == 6
    assert all(again == told[0] for again in told)  # the same question, with all its answers
    assert owed(books).count(K.PARTLY) == 1  # the customer hears nothing of it


def test_a_case_about_a_balance_is_told_again_too(books: SqlBooks) -> None:
    comparing.compared(books, SELLER, 100, NOW - 1, NOW)
    comparing.compared(books, SELLER, 50, NOW + 1, NOW + 2)
    days(books, 4)
    assert len(asked(books)) == 4
    assert {told["kind"] for told in asked(books)} == {CaseKind.BALANCE}


def test_what_was_answered_is_not_told_again(books: SqlBooks) -> None:
    order = ordered(books, report(T.PARTIAL))
    days(books, 2)
    settling.decided(books, order, E.ARRIVED, OWNER, NOW + 2 * REMIND_EVERY)
    days(books, 4, NOW + 2 * REMIND_EVERY)
    assert len(asked(books)) == 2


def test_a_case_that_became_another_is_a_day_old_a_day_later(books: SqlBooks) -> None:
    order = ordered(books, NotOpened.UNKNOWN)
    fulfilment.unanswered(books, "P", NOW + 10 * MINUTE)
    assert case_of(books, order) is CaseKind.AMBIGUOUS
    later = NOW + REMIND_EVERY - HOUR
    reported(books, order, T.PARTIAL, later)
    assert case_of(books, order) is CaseKind.PARTLY
    housekeeping.tidy(books, later + REMIND_EVERY - 1)
    assert len(asked(books)) == 2
    housekeeping.tidy(books, later + REMIND_EVERY)
    assert len(asked(books)) == 3


def test_after_a_long_stop_each_case_is_told_once(books: SqlBooks) -> None:
    for nth in range(3):
        ordered(books, report(T.PARTIAL), f"P{nth}", NOW + nth * MINUTE)
    housekeeping.tidy(books, NOW + 30 * REMIND_EVERY)
    assert len(asked(books)) == 6
    housekeeping.tidy(books, NOW + 30 * REMIND_EVERY + HOUR)
    assert len(asked(books)) == 6


def test_a_reminder_does_not_take_back_what_the_owner_has_half_said(books: SqlBooks) -> None:
    ordered(books, report(T.PARTIAL))
    case = books.cases.open_for("P")
    assert case is not None
    tx = books.orders._tx
    tx.execute(
        "UPDATE cases SET pending = :said, pending_by = :by", {"said": "arrived", "by": OWNER}
    )
    housekeeping.tidy(books, NOW + REMIND_EVERY)
    kept = books.cases.open_for("P")
    assert kept is not None
    assert (kept.pending, kept.opened_at) == (Answer.ARRIVED, case.opened_at)


# --- a supplier that is no longer in the settings ---


@pytest.mark.parametrize("outcome", [None, report(T.PENDING), NotOpened.UNKNOWN])
def test_o1_o13_what_only_a_forgotten_supplier_could_tell_becomes_the_owners_business(
    books: SqlBooks, outcome: fulfilment.Outcome | None
) -> None:
    order = paid(books) if outcome is None else ordered(books, outcome)
    books.rules = replace(books.rules, abilities={})
    now = NOW
    while now < NOW + HOUR:
        now = max(housekeeping.tidy(books, now), now + SECOND)
    assert now_of(books, "P").status is order.status
    assert now_of(books, "P").tries == order.tries  # nothing was ordered
    assert owed(books).count(K.SLOW) == 1
    assert case_of(books, order) in {CaseKind.STUCK, CaseKind.AMBIGUOUS}


def test_an_order_that_ended_at_a_forgotten_supplier_is_left_in_peace(books: SqlBooks) -> None:
    ordered(books, report(T.DELIVERED))
    books.rules = replace(books.rules, abilities={})
    housekeeping.tidy(books, NOW + 2 * MINUTE)
    assert now_of(books, "P").due_at is None
