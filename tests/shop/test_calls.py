"""Who is asked about next, within what a supplier allows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import calls, ordering, settling
from shop.calls import (
    LEASE,
    LIST_EVERY,
    MOST_CALLS,
    MOST_OPENINGS,
    WINDOW,
    AskBalance,
    AskInvoice,
    FetchList,
    Idle,
    OpenInvoice,
    Purpose,
)
from shop.orders import Order
from shop.settling import NotOpened
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import MINUTE, SECOND
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


def test_claims_come_first_then_new_orders_the_owner_questions_and_the_list(
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
        AskInvoice,
        FetchList,
        Idle,
    ]
    assert (chosen[0].order.id, chosen[1].order.id) == (claimed.id, new.id)
    assert chosen[2].address == OWNER
    assert chosen[3].order.id == watched.id
    purposes = [purpose for _, purpose in books.calls.made_since(ZT, NOW - 1)]
    assert purposes == list(Purpose)


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
    assert books.calls.made_since(ZT, NOW - 1) == [(NOW, Purpose.OPEN)]


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


def test_sixty_calls_fill_the_window_and_the_end_of_it_is_named(books: SqlBooks) -> None:
    spend(books, 20, NOW - 50 * SECOND)
    spend(books, 40, NOW - 10 * SECOND)
    placed(books, "NEW")
    end = NOW - 50 * SECOND + WINDOW
    assert choose(books) == Idle(until=end)
    assert choose(books, end - 1) == Idle(until=end)
    assert isinstance(choose(books, end), OpenInvoice)


def test_even_a_claim_waits_for_the_window(books: SqlBooks) -> None:
    spend(books, MOST_CALLS, NOW)
    ordering.claim_paid(books, stored(books, S.AWAITING_PAYMENT), NOW)
    assert choose(books) == Idle(until=NOW + WINDOW)
    assert isinstance(choose(books, NOW + WINDOW), AskInvoice)


def test_new_orders_take_half_of_the_window_at_the_most(books: SqlBooks) -> None:
    for nth in range(MOST_OPENINGS + 1):
        placed(books, f"N{nth:02}", due_at=NOW - nth)
    chosen = [choose(books) for _ in range(MOST_OPENINGS)]
    assert all(isinstance(call, OpenInvoice) for call in chosen)
    assert choose(books) == Idle(until=NOW + WINDOW)
    stored(books, S.AWAITING_PAYMENT, id="WATCHED", target="w")
    assert isinstance(choose(books), AskInvoice)
    for nth in range(MOST_OPENINGS):
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
    assert isinstance(choose(books, order.quote_until), Idle)
    assert now_of(books, "NEW").status is S.CANCELLED
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_what_nobody_can_finish_is_given_up_even_when_the_window_is_full(books: SqlBooks) -> None:
    order = placed(books, "NEW")
    spend(books, MOST_CALLS, order.quote_until)
    assert isinstance(choose(books, order.quote_until), Idle)
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
    assert tries == 15 * MINUTE // settling.AGAIN_AFTER_NOT_SENT
    assert owed(books) == [K.STATUS, K.NOT_OPENED]


def test_o11_after_a_stop_every_open_order_is_asked_about_at_once(books: SqlBooks) -> None:
    for name, status in (("A", S.AWAITING_PAYMENT), ("B", S.PROCESSING), ("C", S.EXPIRED)):
        order = stored(books, status, id=name, target=name)
        books.orders.note(replace(order, due_at=NOW + MINUTE))
    placed(books, "LOST")
    choose(books, NOW)
    calls.wake_up(books, [ZT], NOW + SECOND)
    chosen = [choose(books, NOW + SECOND) for _ in range(4)]
    assert [call.order.id for call in chosen[:2]] == ["A", "B"]
    assert isinstance(chosen[2], FetchList)
    assert chosen[3] == Idle(until=NOW + MINUTE)
    assert now_of(books, "LOST").status is S.CANCELLED


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
