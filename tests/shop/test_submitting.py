"""When paid orders are ordered: ahead of all else, a few at a time, each once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import calls, fulfilment, ordering, settling
from shop.calls import (
    LEASE,
    MOST_CALLS,
    MOST_OF,
    PACE,
    WINDOW,
    AskBalance,
    AskInvoice,
    AskTopup,
    Idle,
    OpenInvoice,
    Purpose,
    Submit,
    purpose_of,
)
from shop.fulfilment import MOST_SUBMITTING
from shop.settling import NotOpened
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    PRICE,
    SELLER,
    T,
    a_shop,
    a_wish,
    by_hand,
    credit,
    deposit,
    listed_at,
    now_of,
    ordered,
    paid,
    place,
    report,
    reported,
    settled,
)
from tests.shop.samples import NOW, OWNER, E, M, S, an_invoice

GATEWAY = "zultopup"
THEN = NOW + MINUTE


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        for supplier in (SELLER, GATEWAY):
            opened.calls.set_list_due(supplier, NOW + 99 * HOUR)
            opened.calls.set_compare_at(supplier, NOW + 99 * HOUR)
        yield opened


def choose(books: SqlBooks, now: int = THEN, supplier: str = SELLER) -> calls.Call | Idle:
    return calls.next_call(books, supplier, now)


def many(books: SqlBooks, count: int) -> None:
    """Paid orders of that many people, one second after another."""
    for nth in range(count):
        paid(books, f"P{nth}", NOW + nth * SECOND, address=f"web:p{nth}")


def spend(books: SqlBooks, count: int, at: int, purpose: Purpose) -> None:
    for _ in range(count):
        books.calls.record(SELLER, purpose, at)


def test_a_paid_order_is_ordered_ahead_of_every_other_call(books: SqlBooks) -> None:
    seller: dict[str, Any] = {"supplier": GATEWAY}
    claimed = deposit(books, "CLAIMED", address="web:a", **seller)
    ordering.claim_paid(books, claimed, NOW)
    place(books, a_wish("NEW", M.DEPOSIT, address="web:b", **seller))
    books.calls.ask_balance(GATEWAY, OWNER, NOW)
    paid(books, "P", address="web:c", **seller)
    found = [choose(books, supplier=GATEWAY) for _ in range(4)]
    assert [type(call) for call in found] == [Submit, AskInvoice, OpenInvoice, AskBalance]
    made = [purpose for _, purpose in books.calls.made_between(GATEWAY, NOW, THEN)]
    wanted = [Purpose.SUBMIT, Purpose.CLAIM, Purpose.OPEN, Purpose.BALANCE]
    assert made == wanted == list(Purpose)[:4]


def test_o3_the_attempt_is_written_down_before_the_call_is_made(books: SqlBooks) -> None:
    paid(books)
    call = choose(books)
    assert call == Submit(order=now_of(books, "P"))
    assert purpose_of(call) is Purpose.SUBMIT
    assert (call.order.status, call.order.due_at) == (S.SUBMITTING, THEN + LEASE)
    assert books.calls.made_between(SELLER, NOW, THEN) == [(THEN, Purpose.SUBMIT)]


def test_the_seller_is_asked_to_deliver_and_the_gateway_never(books: SqlBooks) -> None:
    settling.heard(books, deposit(books).id, settled(PRICE), NOW, NOW + SECOND)
    assert isinstance(choose(books, supplier=GATEWAY), Idle)
    assert isinstance(choose(books), Submit)


def test_who_has_waited_longest_comes_first(books: SqlBooks) -> None:
    many(books, 3)
    order = now_of(books, "P0")
    books.orders.note(replace(order, due_at=NOW + 30 * SECOND))
    found = [choose(books) for _ in range(3)]
    assert [call.order.id for call in found if isinstance(call, Submit)] == ["P1", "P2", "P0"]


def test_o4_only_a_few_are_being_ordered_at_any_moment(books: SqlBooks) -> None:
    """What would have to be asked of the owner, if this machine died now."""
    many(books, MOST_SUBMITTING + 2)
    found = [choose(books) for _ in range(MOST_SUBMITTING + 1)]
    assert [isinstance(call, Submit) for call in found] == [True] * MOST_SUBMITTING + [False]
    first = found[0]
    assert isinstance(first, Submit)
    fulfilment.submitted(books, first.order, report(T.DELIVERED), THEN + 1)
    assert isinstance(choose(books, THEN + 1), Submit)
    assert isinstance(choose(books, THEN + 1), Idle)


def test_another_suppliers_submissions_are_another_suppliers(books: SqlBooks) -> None:
    many(books, MOST_SUBMITTING)
    for _ in range(MOST_SUBMITTING):
        choose(books)
    paid(books, "OTHER", NOW, supplier=GATEWAY, address="web:other")
    assert isinstance(choose(books, supplier=GATEWAY), Submit)


def test_what_became_too_dear_is_given_back_on_the_way_and_the_next_one_ordered(
    books: SqlBooks,
) -> None:
    many(books, 2)
    paid(books, "OTHER", NOW + MINUTE, sku="2", address="web:other")
    listed_at(books, PRICE + 1)
    call = choose(books, THEN + SECOND)
    assert isinstance(call, Submit)
    assert call.order.id == "OTHER"
    assert [now_of(books, name).status for name in ("P0", "P1")] == [S.REFUNDED] * 2
    assert (credit(books, "web:p0"), credit(books, "web:p1")) == (PRICE, PRICE + 1)
    assert isinstance(choose(books, THEN + SECOND), Idle)


def test_o8_too_dear_and_refunded_by_hand_it_is_not_tried_again(books: SqlBooks) -> None:
    paid(books)
    listed_at(books, PRICE + 1)
    for nth in range(5):
        assert isinstance(choose(by_hand(books), THEN + nth * MINUTE), Idle)
    order = now_of(books, "P")
    assert (order.status, order.tries) == (S.REFUND_DUE, 0)


def test_what_never_left_is_tried_again_when_it_says_so(books: SqlBooks) -> None:
    paid(books)
    now, tries = THEN, 0
    while tries < 6:
        call = choose(books, now)
        if isinstance(call, Submit):
            tries += 1
            fulfilment.submitted(books, call.order, NotOpened.NOT_SENT, now)
        now = call.until if isinstance(call, Idle) else now
    assert now == THEN + (15 + 30 + 60 + 120 + 240) * SECOND
    assert now_of(books, "P").status is S.PAID


@pytest.mark.parametrize(
    ("count", "purpose", "free_at"),
    [(MOST_CALLS, Purpose.WATCH, NOW + WINDOW), (MOST_OF, Purpose.SUBMIT, NOW + WINDOW)],
)
def test_submissions_stay_within_what_the_supplier_allows(
    books: SqlBooks, count: int, purpose: Purpose, free_at: int
) -> None:
    paid(books)
    spend(books, count, NOW, purpose)
    assert choose(books) == Idle(until=free_at)
    assert isinstance(choose(books, free_at), Submit)


def test_a_supplier_that_counts_no_calls_is_asked_as_often_as_needed(books: SqlBooks) -> None:
    spend(books, MOST_CALLS, NOW, Purpose.WATCH)
    paid(books)
    books.rules = replace(books.rules, abilities={})
    assert isinstance(calls.next_call(books, SELLER, THEN), Submit)
    assert len(books.calls.made_between(SELLER, NOW - 1, THEN)) == MOST_CALLS


@pytest.mark.parametrize("outcome", [report(T.PENDING), NotOpened.UNKNOWN])
def test_what_was_ordered_is_asked_about_as_an_order_not_as_an_invoice(
    books: SqlBooks, outcome: fulfilment.Outcome
) -> None:
    order = ordered(books, outcome)
    assert order.due_at is not None
    if outcome is NotOpened.UNKNOWN:
        assert isinstance(choose(books, order.due_at), AskBalance)
    call = choose(books, order.due_at)
    assert isinstance(call, AskTopup)
    assert (call.order.id, purpose_of(call)) == ("P", Purpose.WATCH)
    assert isinstance(choose(books, order.due_at + PACE), Idle)
    assert isinstance(choose(books, order.due_at + LEASE), AskTopup)


def test_o1_a_submission_whose_worker_is_gone_wakes_the_others_when_its_lease_ends(
    books: SqlBooks,
) -> None:
    paid(books)
    assert isinstance(choose(books), Submit)
    assert choose(books) == Idle(until=THEN + LEASE)
    choose(books, THEN + LEASE)
    assert now_of(books, "P").status is S.UNSURE


def test_o1_an_opening_whose_worker_is_gone_wakes_the_others_too(books: SqlBooks) -> None:
    place(books, a_wish("D", M.DEPOSIT))
    assert isinstance(choose(books, supplier=GATEWAY), OpenInvoice)
    assert choose(books, supplier=GATEWAY) == Idle(until=THEN + LEASE)


def test_o11_after_a_stop_no_submission_is_made_again_and_each_is_asked_about(
    books: SqlBooks,
) -> None:
    many(books, 2)
    assert isinstance(choose(books), Submit)
    start = THEN + SECOND
    calls.wake_up(books, [SELLER], start)
    books.calls.set_list_due(SELLER, NOW + 99 * HOUR)
    found = [choose(books, start + nth * 3 * SECOND) for nth in range(3)]
    assert [type(call) for call in found] == [Submit, AskBalance, AskTopup]
    assert found[0].order.id == "P1"  # type: ignore[union-attr]
    assert found[2].order.id == "P0"  # type: ignore[union-attr]


def answer(books: SqlBooks, call: calls.Call, now: int) -> None:
    """Silence, then the payment a minute before the QR's end; the goods after an hour."""
    match call:
        case OpenInvoice(order=order):
            settling.opened(books, order, an_invoice("D", cost=0), now)
        case AskInvoice(order=order) if now < NOW + 14 * MINUTE:
            settling.unanswered(books, order.id, now, now)
        case AskInvoice(order=order):
            settling.heard(books, order.id, settled(PRICE), now, now)
        case Submit(order=order):
            fulfilment.submitted(books, order, report(T.PENDING), now)
        case AskTopup(order=order):
            reported(books, order, T.DELIVERED if now >= NOW + HOUR else T.PENDING, now)
        case _:
            raise AssertionError(call)


def test_a_whole_life_in_virtual_time(books: SqlBooks) -> None:
    place(books, a_wish("D", M.DEPOSIT))
    now, seen = NOW, []
    while now < NOW + 2 * HOUR and now_of(books, "D").status is not S.DELIVERED:
        found = [choose(books, now, supplier) for supplier in (GATEWAY, SELLER)]
        for call in found:
            if not isinstance(call, Idle):
                seen.append(type(call))
                answer(books, call, now)
        now += 5 * SECOND
    assert now_of(books, "D").status is S.DELIVERED
    assert (seen.count(OpenInvoice), seen.count(Submit)) == (1, 1)
    events = [happened.event for happened in books.orders.history("D")]
    assert events == [
        E.PLACED,
        E.OPENING_STARTED,
        E.INVOICE_OPENED,
        E.PAID,
        E.SUBMISSION_STARTED,
        E.ACCEPTED,
        E.DELIVERED,
    ]


def test_who_waits_for_four_calls_to_end_does_not_ask_again_and_again(books: SqlBooks) -> None:
    for nth in range(fulfilment.MOST_SUBMITTING + 1):
        paid(books, f"P{nth}", address=f"web:p{nth}")
    for _ in range(fulfilment.MOST_SUBMITTING):
        assert isinstance(choose(books, NOW), Submit)
    idle = choose(books, NOW)
    assert isinstance(idle, Idle)
    assert idle.until > NOW
