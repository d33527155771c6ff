"""Corners of what suppliers tell by themselves: old attempts, old words, clocks, and crowds."""

import pytest

from shop import calls, comparing, fulfilment, health, hearing, settling
from shop.callbacks import Repriced, Told, Trust
from shop.calls import AskBalance, AskTopup, Submit
from shop.settling import NotOpened
from shop.suppliers import Abilities, Listing
from shop.time import HOUR, MINUTE, SECOND
from tests.shop.prepaid import (
    COST,
    EVERY_WAY,
    NOW,
    OWNER,
    PRICE,
    SELLER,
    E,
    T,
    a_shop,
    listed_at,
    now_of,
    ordered,
    report,
    reported,
    started,
)
from tests.shop.samples import case_of, owed

ABLE = Abilities(knows_our_ref=True, calls_back=True, tells_balance=True, tells_prices=True)


@pytest.fixture
def books(tmp_path):
    with a_shop(tmp_path, abilities={**EVERY_WAY.abilities, SELLER: ABLE}) as opened:
        opened.calls.set_list_due(SELLER, NOW + 99 * HOUR)
        opened.calls.set_compare_at(SELLER, NOW + 99 * HOUR)
        yield opened


def told(state, nth=1, **more):
    return Told(ref=f"P-zonegame-{nth}", report=report(state, **more))


def second_attempt(books):
    order = settling.decided(
        books, ordered(books, NotOpened.UNKNOWN), E.PROCEEDED, OWNER, NOW + MINUTE
    )
    order = fulfilment.start(books, order, NOW + 2 * MINUTE, NOW + MINUTE)
    return fulfilment.submitted(books, order, report(T.PENDING), NOW + MINUTE)


@pytest.mark.parametrize("trust", [Trust.PROOF, Trust.HINT])
def test_m1_serial_of_an_earlier_attempt(books, trust):
    second_attempt(books)
    news = told(T.DELIVERED, serial="SN-SECRET", note="sn SN-SECRET")
    hearing.heard(books, SELLER, news, trust, NOW + 2 * MINUTE)
    for row in books.orders._tx.fetch("SELECT facts FROM outbox WHERE address = :a", {"a": OWNER}):
        assert "SN-SECRET" not in row["facts"]


def test_signed_pending_after_delivered_is_older(books):
    order = started(books)
    hearing.heard(books, SELLER, told(T.DELIVERED), Trust.PROOF, NOW + SECOND)
    hearing.heard(books, SELLER, told(T.PENDING), Trust.PROOF, NOW + 2 * SECOND)
    assert case_of(books, order) is None


def test_late_answer_while_the_clock_was_set_back(books):
    asked_with = started(books)
    hearing.heard(books, SELLER, told(T.DELIVERED), Trust.PROOF, NOW - 2 * SECOND)
    fulfilment.submitted(books, asked_with, report(T.PENDING), NOW - SECOND)
    assert case_of(books, asked_with) is None


def test_probe_is_not_put_off_for_ever(books):
    health.has_no_balance(books, SELLER, COST, "saldo", NOW)
    now = NOW
    for _ in range(30):
        now += 20 * SECOND
        if isinstance(calls.next_call(books, SELLER, now), AskBalance):
            return
        health.unanswered(books, SELLER, "HTTP 500", now)  # of an order that cannot be asked about
    raise AssertionError("never asked for our balance")


def test_a_known_order_is_no_unknown_one(books):
    started(books)
    hearing.never_understood(books, SELLER, told(T.DELIVERED), Trust.HINT, NOW + 11 * MINUTE)
    assert owed(books, OWNER) == []


def test_paid_partial_is_not_ordered_again(books):
    ordered(books, NotOpened.NOT_SENT)
    hearing.heard(books, SELLER, told(T.PARTIAL), Trust.PROOF, NOW + SECOND)
    assert not isinstance(calls.next_call(books, SELLER, NOW + MINUTE), Submit)


def test_a_list_that_was_read_before_a_price_changed(books):
    listed_at(books, COST)
    hearing.heard(books, SELLER, Repriced(sku="1", price=5 * PRICE), Trust.HINT, NOW + 1)
    listed_at(books, COST, NOW + 2)
    assert books.shelf.next_price_question(SELLER, NOW + 3) == "1"
    assert books.shelf.offer(SELLER, "1", 0) is None


def test_orders_are_asked_about_though_many_prices_have_no_answer(books):
    ordered(books, report(T.PENDING))
    items = [
        Listing(sku=str(n), category="", name="x", price=100, available=True) for n in range(600)
    ]
    books.shelf.replace(SELLER, [("free-fire", each) for each in items], NOW)
    for each in items:
        hearing.heard(books, SELLER, Repriced(sku=each.sku, price=101), Trust.HINT, NOW)
    asked_ = 0
    for now in range(NOW, NOW + 20 * MINUTE, 15 * SECOND):  # sixteen at once, 15 s each, no answer
        asked_ += sum(isinstance(calls.next_call(books, SELLER, now), AskTopup) for _ in range(16))
    assert asked_ > 0


def test_an_order_delivered_after_its_refund_is_not_taken_back(books):
    comparing.compared(books, SELLER, 1_000_000, NOW - 1, NOW)
    order = reported(
        books, ordered(books, report(T.PENDING), at=NOW + SECOND), T.FAILED, NOW + MINUTE
    )
    order = reported(books, order, T.DELIVERED, NOW + 2 * MINUTE)
    settling.decided(books, order, E.LOSS_RECORDED, OWNER, NOW + 3 * MINUTE)
    comparing.compared(books, SELLER, 1_000_000, NOW + HOUR - 1, NOW + HOUR)  # the owner paid in
    assert now_of(books, "P").attempt.charged == COST
    assert books.cases.open_about(SELLER) is not None


def test_what_the_owner_gave_back_is_not_taken_back(books):
    comparing.compared(books, SELLER, 1_000_000, NOW - 1, NOW)
    order = ordered(books, report(T.DELIVERED), at=NOW + SECOND)
    settling.decided(books, order, E.GIVEN_BACK, OWNER, NOW + 3 * MINUTE)
    comparing.compared(books, SELLER, 1_000_000, NOW + HOUR - 1, NOW + HOUR)
    assert now_of(books, "P").attempt.charged == COST


def test_a_hint_during_a_question_is_not_lost(books):
    ordered(books, report(T.PENDING))
    now = NOW + 20 * MINUTE
    call = calls.next_call(books, SELLER, now)
    taken = hearing.heard(books, SELLER, told(T.DELIVERED), Trust.HINT, now + 2 * SECOND)
    fulfilment.reported(books, call.order, report(T.PENDING), now, now + 3 * SECOND)
    assert not taken or now_of(books, "P").due_at <= now + 10 * SECOND


def test_never_heard_of_it_of_an_earlier_attempt_is_no_case(books):
    first = ordered(books, NotOpened.UNKNOWN)
    order = settling.decided(books, first, E.PROCEEDED, OWNER, NOW + MINUTE)
    fulfilment.start(books, order, NOW + 2 * MINUTE, NOW + MINUTE)
    fulfilment.reported(books, first, report(T.MISSING), NOW + SECOND, NOW + 2 * MINUTE)
    assert case_of(books, order) is None


def test_c1_of_a_hint_about_an_old_attempt_the_owner_reads_only_what_it_is_about(books):
    order = second_attempt(books)
    hearing.heard(books, SELLER, told(T.FAILED, note="forged"), Trust.HINT, NOW + 2 * MINUTE)
    case = books.cases.open_for(order.id)
    assert case is not None
    assert "P-zonegame-1" in case.evidence
    assert "forged" not in case.evidence


def test_a_clock_a_year_ahead_parks_nothing_for_a_year(books):
    assert hearing.again_at(NOW + 365 * 24 * HOUR, NOW) is None
