"""Who is asked about next, within what a supplier allows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import calls, moving, ordering, settling
from shop.calls import (
    LEASE,
    LIST_EVERY,
    LONGEST_PAUSE,
    LONGEST_TIMER,
    MOST_CALLS,
    MOST_OF,
    PACE,
    WINDOW,
    AskBalance,
    AskInvoice,
    FetchList,
    Idle,
    OpenInvoice,
    Purpose,
)
from shop.notices import Notice
from shop.orders import Order, Status
from shop.settling import NotOpened
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.samples import NOW, OWNER, K, S, an_invoice, open_books, owed, stored

ZT = "zultopup"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        opened.calls.set_list_due(ZT, NOW + 24 * 60 * MINUTE)
        yield opened


def choose(books: SqlBooks, now: int = NOW) -> Any:
    return calls.next_call(books, ZT, now)


def placed(books: SqlBooks, name: str, **changes: Any) -> Order:
    return stored(books, S.PLACED, id=name, target=name, **changes)


def now_of(books: SqlBooks, name: str) -> Order:
    found = books.orders.get(name)
    assert found is not None
    return found


def spend(books: SqlBooks, count: int, at: int, purpose: Purpose = Purpose.WATCH) -> None:
    for _ in range(count):
        books.calls.record(ZT, purpose, at)


def test_claims_come_first_then_new_orders_the_owner_the_list_and_last_the_questions(
    books: SqlBooks,
) -> None:
    books.calls.set_list_due(ZT, NOW)
    watched = stored(books, S.AWAITING_PAYMENT, id="WATCHED", target="w")
    books.calls.ask_balance(ZT, OWNER, NOW)
    new = placed(books, "NEW")
    claimed = stored(books, S.EXPIRED, id="CLAIMED", target="c")
    ordering.claim_paid(books, claimed, NOW)
    chosen = [choose(books) for _ in range(6)]
    assert [type(call) for call in chosen] == [
        AskInvoice,
        OpenInvoice,
        AskBalance,
        FetchList,
        AskInvoice,
        Idle,
    ]
    assert (chosen[0].order.id, chosen[1].order.id) == (claimed.id, new.id)
    assert chosen[2].address == OWNER
    assert chosen[4].order.id == watched.id
    purposes = [purpose for _, purpose in books.calls.made_between(ZT, NOW - 1, NOW)]
    assert purposes == [each for each in Purpose if each not in {Purpose.SUBMIT, Purpose.PRICE}]


def test_the_claim_that_waits_longest_is_asked_first(books: SqlBooks) -> None:
    for nth, name in enumerate("CAB"):
        order = stored(books, S.AWAITING_PAYMENT, id=name, target=name)
        claimed = replace(order, claimed_at=NOW - 9 * SECOND + nth, due_at=NOW - nth)
        books.orders.note(claimed)
    assert [choose(books).order.id for _ in range(3)] == ["C", "A", "B"]


def test_o3_a_call_is_written_down_before_it_is_made(books: SqlBooks) -> None:
    placed(books, "NEW")
    call = choose(books)
    assert call == OpenInvoice(order=now_of(books, "NEW"))
    assert (call.order.status, call.order.due_at) == (S.OPENING, NOW + LEASE)
    assert books.calls.made_between(ZT, NOW - 1, NOW) == [(NOW, Purpose.OPEN)]


def test_o14_what_is_being_asked_is_not_asked_again_within_its_lease(books: SqlBooks) -> None:
    stored(books, S.AWAITING_PAYMENT, id="A")
    assert choose(books).order.id == "A"
    assert choose(books) == Idle(until=NOW + LEASE)
    assert isinstance(choose(books, NOW + LEASE - 1), Idle)
    again = choose(books, NOW + LEASE)  # nobody answered: whoever asked is gone
    assert isinstance(again, AskInvoice)


def test_an_order_that_is_not_paid_for_is_not_asked_about_before_it_is_opened(
    books: SqlBooks,
) -> None:
    placed(books, "NEW", due_at=NOW + MINUTE)
    stored(books, S.OPENING, id="OPENING", target="o", at=NOW)
    books.orders.note(replace(now_of(books, "OPENING"), due_at=NOW + LEASE))
    assert choose(books) == Idle(until=NOW + MINUTE)


def test_another_suppliers_orders_are_another_suppliers(books: SqlBooks) -> None:
    placed(books, "NEW", supplier="zonegame")
    books.calls.ask_balance("zonegame", OWNER, NOW)
    spend_elsewhere = [books.calls.record("zonegame", Purpose.OPEN, NOW) for _ in range(90)]
    assert len(spend_elsewhere) == 90
    assert isinstance(choose(books), Idle)
    placed(books, "OURS")
    assert isinstance(choose(books), OpenInvoice)


def test_fewer_than_sixty_calls_fill_the_window_and_the_end_of_it_is_named(
    books: SqlBooks,
) -> None:
    assert MOST_CALLS < 60  # what the supplier allows
    spend(books, 20, NOW - 50 * SECOND)
    spend(books, MOST_CALLS - 21, NOW - 10 * SECOND)
    placed(books, "ONE", due_at=NOW - 1)
    placed(books, "NEW")
    assert isinstance(choose(books), OpenInvoice)  # the last one
    end = NOW - 50 * SECOND + WINDOW
    assert choose(books) == Idle(until=end)
    assert choose(books, end - 1) == Idle(until=end)
    assert isinstance(choose(books, end), OpenInvoice)


@pytest.mark.parametrize("ahead", [WINDOW + 1, 24 * HOUR])
def test_calls_noted_by_a_clock_that_was_ahead_do_not_stop_the_shop(
    books: SqlBooks, ahead: int
) -> None:
    spend(books, MOST_CALLS, NOW + ahead)
    placed(books, "NEW")
    assert isinstance(choose(books), OpenInvoice)


def test_a_clock_that_went_back_a_little_forgets_no_call(books: SqlBooks) -> None:
    spend(books, MOST_CALLS, NOW + 30 * SECOND)
    placed(books, "NEW")
    assert choose(books) == Idle(until=NOW + 30 * SECOND + WINDOW)


def test_scheduled_questions_are_paced_and_nothing_else_waits_for_them(books: SqlBooks) -> None:
    for name in "ABC":
        stored(books, S.AWAITING_PAYMENT, id=name, target=name)
    assert isinstance(choose(books), AskInvoice)
    assert choose(books) == Idle(until=NOW + PACE)
    placed(books, "NEW")
    assert isinstance(choose(books), OpenInvoice)
    ordering.claim_paid(books, now_of(books, "C"), NOW)
    assert choose(books).order.id == "C"
    assert choose(books, NOW + PACE - 1) == Idle(until=NOW + PACE)
    assert choose(books, NOW + PACE).order.id == "B"
    assert PACE * MOST_CALLS <= WINDOW < (PACE + 20) * MOST_CALLS  # they may use all of it


def test_claims_take_half_of_the_window_at_the_most_and_wait_like_questions_then(
    books: SqlBooks,
) -> None:
    for nth in range(MOST_OF + 2):
        order = stored(books, S.AWAITING_PAYMENT, id=f"C{nth:02}", target=f"c{nth}")
        books.orders.note(replace(order, claimed_at=NOW - MINUTE + nth, due_at=NOW))
    placed(books, "NEW")
    chosen = [choose(books) for _ in range(MOST_OF + 3)]
    assert [call.order.id for call in chosen[:MOST_OF]] == [f"C{n:02}" for n in range(MOST_OF)]
    assert isinstance(chosen[MOST_OF], OpenInvoice)
    assert isinstance(chosen[MOST_OF + 1], AskInvoice)
    assert chosen[MOST_OF + 2] == Idle(until=NOW + PACE)
    made = [purpose for _, purpose in books.calls.made_between(ZT, NOW - 1, NOW)]
    assert made == [Purpose.CLAIM] * MOST_OF + [Purpose.OPEN, Purpose.WATCH]


def test_even_a_claim_waits_for_the_window(books: SqlBooks) -> None:
    spend(books, MOST_CALLS, NOW)
    ordering.claim_paid(books, stored(books, S.AWAITING_PAYMENT), NOW)
    assert choose(books) == Idle(until=NOW + WINDOW)
    assert isinstance(choose(books, NOW + WINDOW), AskInvoice)


def test_new_orders_take_half_of_the_window_at_the_most(books: SqlBooks) -> None:
    for nth in range(MOST_OF + 1):
        placed(books, f"N{nth:02}", due_at=NOW - nth)
    chosen = [choose(books) for _ in range(MOST_OF)]
    assert all(isinstance(call, OpenInvoice) for call in chosen)
    assert choose(books) == Idle(until=NOW + WINDOW)
    stored(books, S.AWAITING_PAYMENT, id="WATCHED", target="w")
    assert isinstance(choose(books), AskInvoice)
    for nth in range(MOST_OF):
        settling.opened(books, now_of(books, f"N{nth + 1:02}"), NotOpened.REFUSED, NOW)
    assert isinstance(choose(books, NOW + WINDOW), OpenInvoice)


def test_the_order_that_waits_longest_is_opened_first(books: SqlBooks) -> None:
    for nth, name in enumerate("CAB"):
        placed(books, name, due_at=NOW - SECOND * (3 - nth))
    assert [choose(books).order.id for _ in range(3)] == ["C", "A", "B"]


def test_idle_until_the_first_thing_that_comes_due(books: SqlBooks) -> None:
    books.calls.set_list_due(ZT, NOW + 9 * SECOND)
    assert choose(books) == Idle(until=NOW + 9 * SECOND)
    later = stored(books, S.AWAITING_PAYMENT, id="WATCHED", target="w")
    books.orders.note(replace(later, due_at=NOW + 7 * SECOND))
    assert choose(books) == Idle(until=NOW + 7 * SECOND)
    placed(books, "NEW", due_at=NOW + 5 * SECOND)
    assert choose(books) == Idle(until=NOW + 5 * SECOND)
    assert isinstance(choose(books, NOW + 5 * SECOND), OpenInvoice)
    assert isinstance(choose(books, NOW + 7 * SECOND), AskInvoice)
    assert isinstance(choose(books, NOW + 9 * SECOND), FetchList)


def test_the_list_is_fetched_at_once_and_then_every_ten_minutes(books: SqlBooks) -> None:
    books.calls.set_list_due(ZT, 0)
    assert isinstance(choose(books), FetchList)
    assert choose(books) == Idle(until=NOW + LIST_EVERY)
    assert isinstance(choose(books, NOW + LIST_EVERY), FetchList)


def test_the_list_is_fetched_on_time_however_many_questions_wait(books: SqlBooks) -> None:
    for nth in range(2 * MOST_CALLS):
        stored(books, S.AWAITING_PAYMENT, id=f"W{nth}", target=f"w{nth}", at=NOW - HOUR)
    books.calls.set_list_due(ZT, NOW)
    now, lists, questions = NOW, [], 0
    while now < NOW + LIST_EVERY + WINDOW:
        call = choose(books, now)
        lists += [now] * isinstance(call, FetchList)
        questions += isinstance(call, AskInvoice)
        now = call.until if isinstance(call, Idle) else now
    assert [at - NOW - nth * LIST_EVERY <= PACE for nth, at in enumerate(lists)] == [True, True]
    assert questions > 10 * (MOST_CALLS - 2)  # it was a load


def test_the_list_still_waits_for_customers_and_for_the_window(books: SqlBooks) -> None:
    spend(books, MOST_CALLS, NOW)
    books.calls.set_list_due(ZT, NOW)
    assert choose(books) == Idle(until=NOW + WINDOW)
    ordering.claim_paid(books, stored(books, S.AWAITING_PAYMENT, id="C", target="c"), NOW)
    placed(books, "NEW")
    chosen = [choose(books, NOW + WINDOW) for _ in range(3)]
    assert [type(call) for call in chosen] == [AskInvoice, OpenInvoice, FetchList]


def test_each_owner_hears_the_balance_once_for_asking(books: SqlBooks) -> None:
    for at, owner in ((2, "web:second"), (1, "web:first"), (3, "web:first")):
        books.calls.ask_balance(ZT, owner, NOW + at)
    chosen = [choose(books, NOW + 3) for _ in range(3)]
    assert chosen[:2] == [AskBalance(address="web:first"), AskBalance(address="web:second")]
    assert isinstance(chosen[2], Idle)


def test_o1_a_lost_opening_is_given_up_when_its_lease_has_run_out(books: SqlBooks) -> None:
    placed(books, "NEW")
    choose(books)
    choose(books, NOW + LEASE - 1)
    assert now_of(books, "NEW").status is S.OPENING
    choose(books, NOW + LEASE)
    assert now_of(books, "NEW").status is S.CANCELLED
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_o4_a_lost_opening_is_never_made_again(books: SqlBooks) -> None:
    placed(books, "NEW")
    choose(books)
    for minutes in range(1, 60):
        assert not isinstance(choose(books, NOW + minutes * MINUTE), OpenInvoice)


def test_o8_an_order_whose_quote_ran_out_is_given_up_not_opened(books: SqlBooks) -> None:
    order = placed(books, "NEW")
    given_up = choose(books, order.quote_until)
    assert isinstance(given_up, Idle)
    assert now_of(books, "NEW").status is S.CANCELLED
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_what_nobody_can_finish_is_given_up_even_when_the_window_is_full(books: SqlBooks) -> None:
    order = placed(books, "NEW")
    spend(books, MOST_CALLS, order.quote_until)
    given_up = choose(books, order.quote_until)
    assert given_up == Idle(until=order.quote_until + WINDOW)
    assert now_of(books, "NEW").status is S.CANCELLED


def test_what_never_left_is_tried_again_soon_and_given_up_with_its_quote(
    books: SqlBooks,
) -> None:
    placed(books, "NEW")
    now, tries = NOW, 0
    while isinstance(call := choose(books, now), OpenInvoice):
        tries += 1
        settling.opened(books, call.order, NotOpened.NOT_SENT, now)
        idle = choose(books, now)
        assert isinstance(idle, Idle)
        now = idle.until
    assert now_of(books, "NEW").status is S.CANCELLED
    assert tries == 15 * MINUTE // (15 * SECOND)
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_o11_after_a_stop_every_open_order_is_asked_about_without_delay(books: SqlBooks) -> None:
    for name, status in (("A", S.AWAITING_PAYMENT), ("B", S.PROCESSING), ("C", S.EXPIRED)):
        order = stored(books, status, id=name, target=name)
        books.orders.note(replace(order, due_at=NOW + MINUTE))
    placed(books, "LOST")
    choose(books, NOW)
    start = NOW + SECOND
    calls.wake_up(books, [ZT], start)
    assert isinstance(choose(books, start), FetchList)
    assert choose(books, start).order.id == "A"
    assert choose(books, start) == Idle(until=start + PACE)
    assert choose(books, start + PACE).order.id == "B"
    assert choose(books, start + PACE) == Idle(until=NOW + MINUTE)
    assert now_of(books, "LOST").status is S.CANCELLED


def test_after_a_stop_nothing_waits_for_a_clock_that_was_ahead(books: SqlBooks) -> None:
    order = stored(books, S.EXPIRED, id="A")
    books.orders.note(replace(order, due_at=NOW + LONGEST_TIMER + 1))
    notice = Notice(key="k", kind=K.LAPSED, address="web:budi")
    books.outbox.owe(notice, NOW)
    books.outbox.later(books.outbox.due(NOW, 1)[0], NOW + LONGEST_PAUSE + 1)
    calls.wake_up(books, [ZT], NOW)
    assert isinstance(choose(books), FetchList)
    assert choose(books).order.id == "A"
    assert [owed.notice.key for owed in books.outbox.due(NOW, 9)] == ["k"]


@pytest.mark.parametrize("status", [s for s in S if s is not S.PLACED])
def test_no_timer_is_ever_longer_than_a_restart_believes(books: SqlBooks, status: Status) -> None:
    order = stored(books, status)
    for hours in range(60):
        due_at = moving.next_due(books, order, NOW + hours * HOUR)
        assert due_at is None or due_at <= NOW + hours * HOUR + LONGEST_TIMER


def test_an_order_is_asked_about_until_it_ends(books: SqlBooks) -> None:
    """A whole life in virtual time: opened, watched, lapsed, looked at late, left alone."""
    placed(books, "NEW")
    call = choose(books)
    settling.opened(books, call.order, an_invoice("NEW"), NOW)
    now, asked = NOW, 0
    while now < NOW + 30 * 60 * MINUTE:
        call = choose(books, now)
        if isinstance(call, Idle):
            now = max(call.until, now + 1)
        elif isinstance(call, AskInvoice):
            asked += 1
            unpaid = InvoiceReport(state=InvoiceState.UNPAID)
            settling.heard(books, call.order.id, unpaid, now, now)
    order = now_of(books, "NEW")
    assert (order.status, order.due_at) == (S.EXPIRED, None)
    assert 80 < asked < 130
