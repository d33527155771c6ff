"""A paid order goes elsewhere: after certain failures, to confirmed offers, to each once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import (
    calls,
    comparing,
    fulfilment,
    health,
    ledger,
    rerouting,
    routing,
    settling,
    watching,
)
from shop.calls import Submit
from shop.orders import Order
from shop.pricing import Override
from shop.settling import NotOpened
from shop.shelf import Match
from shop.suppliers import NotSold, OutOfBalance, Refused, WrongAccount
from shop.time import MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    T,
    asked,
    credit,
    now_of,
    own_qris,
    paid,
    report,
    reported,
)
from tests.shop.samples import NOW, OWNER, QUOTE, E, S
from tests.shop.shelves import (
    GAME,
    GOOD,
    KG,
    ZG,
    bought,
    confirmed_shelf,
    confirms,
    events,
    every,
    funds,
    lists,
    started,
    the_item,
)

THEN = NOW + SECOND


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with confirmed_shelf(tmp_path) as opened:
        yield opened


def tried(books: SqlBooks, outcome: Any, supplier: str = ZG, **changes: Any) -> Order:
    """A paid order of the item, and what its supplier answered to the attempt."""
    order = started(books, bought(books, supplier, **changes))
    return fulfilment.submitted(books, order, outcome, THEN)


@pytest.mark.parametrize("no", [NotSold("gone"), OutOfBalance("empty"), Refused("no")])
def test_o5_what_one_supplier_refuses_another_delivers(books: SqlBooks, no: Refused) -> None:
    order = tried(books, no)
    assert (order.status, order.supplier, order.sku) == (S.PAID, KG, "ki70")
    assert (order.cost, order.listed, order.due_at) == (10_001, 10_001, THEN)
    call = calls.next_call(books, KG, THEN)
    assert isinstance(call, Submit)
    request = fulfilment.request_of(call.order)
    assert (request.sku, request.ref, request.user_id) == ("ki70", f"P-{KG}-2", "123456789")
    done = fulfilment.submitted(books, call.order, report(T.DELIVERED, serial="SN"), THEN + 1)
    assert (done.status, done.serial) == (S.DELIVERED, "SN")
    spent = [books.ledger.balance(ledger.cost(slug)) for slug in (ZG, KG)]
    assert spent == [0, 10_001]
    assert events(books, order).count(E.REROUTED) == 1


def test_o5_what_a_supplier_certainly_failed_at_another_delivers(books: SqlBooks) -> None:
    order = tried(books, report(T.PENDING))
    assert order.status is S.PROCESSING
    order = reported(books, order, T.FAILED, THEN + MINUTE)
    assert (order.status, order.supplier) == (S.PAID, KG)
    # What the failed attempt cost stays in the books until our balance says otherwise.
    assert books.ledger.balance(ledger.cost(ZG)) == 10_000
    assert books.calls.compare_at(ZG) == THEN + MINUTE


@pytest.mark.parametrize("outcome", [NotOpened.UNKNOWN, report(T.UNREADABLE)])
def test_o5_what_may_have_been_ordered_is_never_ordered_elsewhere(
    books: SqlBooks, outcome: Any
) -> None:
    order = tried(books, outcome)
    assert (order.status, order.supplier) == (S.UNSURE, ZG)
    failed = reported(books, order, T.FAILED, THEN + MINUTE)
    assert failed.status is S.REFUNDED  # and not even then: it goes back
    assert E.REROUTED not in events(books, failed)


def test_o4_what_was_once_in_doubt_goes_elsewhere_at_the_owners_word_only(books: SqlBooks) -> None:
    order = tried(books, NotOpened.UNKNOWN)
    order = reported(books, order, T.PENDING, THEN + MINUTE)
    assert order.status is S.PROCESSING
    order = reported(books, order, T.FAILED, THEN + 2 * MINUTE)
    assert order.status is S.REFUNDED


def test_what_was_not_sent_is_tried_again_where_it_was(books: SqlBooks) -> None:
    order = tried(books, NotOpened.NOT_SENT)
    assert (order.status, order.supplier) == (S.PAID, ZG)


def test_a_wrong_account_is_wrong_everywhere(books: SqlBooks) -> None:
    order = tried(books, WrongAccount("no such account"))
    assert order.status is S.REFUNDED
    assert credit(books) == order.price


def test_only_what_the_owner_confirmed_stands_in(books: SqlBooks) -> None:
    books.shelf.unmatch(GAME, KG, "ki70", GOOD)
    assert len(the_item(books).members) == 2  # still one item
    assert tried(books, NotSold("gone")).status is S.REFUNDED


def test_a_name_that_changed_since_it_was_confirmed_is_not_confirmed(books: SqlBooks) -> None:
    lists(books, KG, 10_001, name="70 Diamonds")
    assert tried(books, NotSold("gone")).status is S.REFUNDED


def test_o8b_nobody_stands_in_above_the_ceiling(books: SqlBooks) -> None:
    order = bought(books)  # for 10,500
    lists(books, KG, order.may_cost + 1)
    order = fulfilment.submitted(books, started(books, order), NotSold("gone"), THEN)
    assert order.status is S.REFUNDED


def test_o8b_the_floor_lowers_the_ceiling(books: SqlBooks) -> None:
    books.price_rules.put(GAME, Override(floor=300), OWNER, NOW)
    order = bought(books)
    assert (order.price, order.may_cost) == (10_500, 10_200)
    lists(books, KG, 10_201)
    assert routing.stand_in(books, order, NOW) is None
    lists(books, KG, 10_200)
    assert routing.stand_in(books, order, NOW) is not None


def test_o8b_what_became_too_dear_another_delivers(books: SqlBooks) -> None:
    order = bought(books)
    lists(books, ZG, order.may_cost + 1)
    order = started(books, order)
    assert (order.status, order.supplier, order.tries) == (S.PAID, KG, 0)


def test_o8b_what_is_too_dear_everywhere_goes_back(books: SqlBooks) -> None:
    order = bought(books)
    every(books, (ZG, KG), order.may_cost + 1)
    confirms(books, ZG, KG)
    assert started(books, order).status is S.REFUNDED
    assert credit(books) == order.price


def test_an_order_does_not_wait_for_a_supplier_that_is_away(books: SqlBooks) -> None:
    order = bought(books)
    health.refused_us(books, ZG, "key", NOW)
    assert isinstance(calls.next_call(books, ZG, THEN), calls.Idle)
    assert now_of(books, order.id).supplier == KG
    assert isinstance(calls.next_call(books, KG, THEN), Submit)


def test_it_waits_if_nobody_else_has_it(books: SqlBooks) -> None:
    order = bought(books)
    for slug in (ZG, KG):
        health.refused_us(books, slug, "key", NOW)
    calls.next_call(books, ZG, THEN)
    order = now_of(books, order.id)
    assert (order.status, order.supplier) == (S.PAID, ZG)
    assert order.due_at == THEN + fulfilment.WAIT_FOR_SUPPLIER


def test_no_offer_is_tried_twice(books: SqlBooks) -> None:
    order = tried(books, Refused("no"))
    order = fulfilment.submitted(books, started(books, order, THEN), Refused("no"), THEN + 1)
    assert order.status is S.REFUNDED
    assert events(books, order).count(E.SUBMISSION_STARTED) == 2


def test_who_was_promised_more_gets_no_less(books: SqlBooks) -> None:
    less = Match(supplier=KG, sku="ki70", item="65 (60+5) Diamonds", good=GOOD, same=True)
    lists(books, KG, 10_001, name="65 (60+5) Diamonds")
    order = bought(books)  # while it was 70 for certain
    books.shelf.match([(GAME, less)], OWNER, NOW)
    assert the_item(books).content == 65  # who buys from now on is promised 65
    assert routing.stand_in(books, order, NOW) is None
    assert routing.stand_in(books, replace(order, content=65), NOW) is not None


def test_our_balance_must_cover_it(books: SqlBooks) -> None:
    funds(books, KG, -490_000)
    assert tried(books, NotSold("gone")).status is S.REFUNDED


def test_a_late_delivery_of_the_first_is_believed_and_the_second_never_made(
    books: SqlBooks,
) -> None:
    order = tried(books, report(T.PENDING))
    order = reported(books, order, T.FAILED, THEN + 1)
    assert rerouting.is_left_behind(order)
    for state in (T.PENDING, T.MISSING, T.FAILED, T.UNREADABLE):
        assert reported(books, order, state, THEN + 2) == order  # old news
    done = reported(books, order, T.DELIVERED, THEN + 3, serial="SN")
    assert (done.status, done.supplier, done.sku) == (S.DELIVERED, ZG, "zo70")
    assert books.ledger.balance(ledger.cost(ZG)) == 10_000
    assert isinstance(calls.next_call(books, KG, THEN + 4), calls.Idle)


def test_a_late_delivery_of_the_first_after_the_second_was_made_is_a_case(
    books: SqlBooks,
) -> None:
    order = tried(books, report(T.PENDING))
    first = order
    order = reported(books, order, T.FAILED, THEN + 1)
    order = started(books, order, THEN + 2)
    assert (order.status, order.supplier) == (S.SUBMITTING, KG)
    after = fulfilment.reported(books, first, report(T.DELIVERED), THEN + 2, THEN + 3)
    assert after == order
    assert asked(books)[-1]["kind"] == "conflict"


def test_it_is_not_endless(books: SqlBooks) -> None:
    order = replace(bought(books), tries=routing.MOST_TRIES)
    assert routing.stand_in(books, order, NOW) is None
    order = replace(order, tries=routing.MOST_TRIES - 1)
    assert routing.stand_in(books, order, NOW) is not None


def test_dropship_orders_stay_where_the_money_is(books: SqlBooks) -> None:
    order = bought(books)
    dropship = replace(order, method=next(iter(type(order.method))))
    assert not dropship.is_prepaid
    assert routing.stand_in(books, dropship, NOW) is None


# --- what an attack found ---


def test_o10_a_code_that_is_used_for_another_good_by_now_is_not_ordered(books: SqlBooks) -> None:
    order = bought(books)
    lists(books, ZG, 9_000, name="50 Diamonds")
    order = started(books, order)
    assert (order.status, order.supplier) == (S.PAID, KG)  # who still has it
    lists(books, KG, 9_000, name="50 Diamonds")
    order = started(books, order)
    assert order.status is S.REFUNDED
    assert events(books, order)[-2:] == [E.CHANGED, E.CREDITED]
    assert books.attempts.tried(order.id) == frozenset()


def test_o10_a_price_that_sets_an_offer_apart_makes_it_no_other_good(books: SqlBooks) -> None:
    order = bought(books)
    books.shelf.unmatch(GAME, ZG, "zo70", GOOD)
    lists(books, ZG, 5_000)
    assert ZG not in {m.offer.supplier for m in the_item(books).members}
    assert started(books, order).status is S.SUBMITTING


def test_o10_what_stood_alone_is_ordered_under_its_name_only(books: SqlBooks) -> None:
    lists(books, ZG, 10_000, name="Kotak Merah")
    alone = {"good": f"{ZG}/zo70", "item": "Kotak Merah", "content": 0}
    order = paid(books, "A", supplier=ZG, sku="zo70", game=GAME, **alone)
    other = paid(books, "B", supplier=ZG, sku="zo70", game=GAME, address="web:b", **alone)
    assert started(books, order).status is S.SUBMITTING
    lists(books, ZG, 10_000, name="Kotak Biru")
    assert started(books, other).status is S.REFUNDED


def by_hand_given_back(books: SqlBooks, order: Order) -> Order:
    """The owner will not wait any longer."""
    return settling.decided(books, order, E.GIVEN_BACK, OWNER, THEN + 2)


def test_a_rerouted_order_is_never_asked_about_where_it_was_not_tried(books: SqlBooks) -> None:
    order = tried(books, report(T.PENDING))
    order = reported(books, order, T.FAILED, THEN + 1)
    assert (order.supplier, order.attempt and order.attempt.supplier) == (KG, ZG)
    given_back = by_hand_given_back(books, order)
    assert given_back.due_at is None
    assert not watching.can_be_asked_about(given_back)


def test_d2_a_rerouted_order_in_a_copy_is_a_case_and_its_first_failure_old_news(
    books: SqlBooks,
) -> None:
    order = tried(books, report(T.PENDING))
    order = reported(books, order, T.FAILED, THEN + 1)
    order = fulfilment.doubted(books, order, THEN + 2, "may have been ordered since the copy")
    assert order.status is S.UNSURE
    assert not watching.may_resolve(order)
    assert asked(books)[-1]["kind"] == "ambiguous"
    assert reported(books, order, T.FAILED, THEN + 3) == order


@pytest.mark.parametrize("returned_by", ["word", "balance"])
def test_what_a_failed_attempt_cost_comes_back_to_the_books(
    books: SqlBooks, returned_by: str
) -> None:
    comparing.compared(books, ZG, 500_000, NOW, NOW)
    first = tried(books, report(T.PENDING))
    order = reported(books, first, T.FAILED, THEN + 1)
    order = fulfilment.submitted(
        books, started(books, order, THEN + 2), report(T.DELIVERED), THEN + 3
    )
    assert [books.ledger.balance(ledger.cost(slug)) for slug in (ZG, KG)] == [10_000, 10_001]
    if returned_by == "word":
        for _ in range(2):
            again = report(T.FAILED, returned=True)
            assert fulfilment.reported(books, first, again, THEN + 4, THEN + 4) == order
    else:
        for nth in range(2):
            comparing.compared(books, ZG, 500_000, THEN + 4 + nth, THEN + 4 + nth)
        assert books.cases.open_about(ZG) is None
    assert [books.ledger.balance(ledger.cost(slug)) for slug in (ZG, KG)] == [0, 10_001]
    assert books.ledger.balance(ledger.supplier(ZG)) == 500_000
    assert now_of(books, order.id).status is S.DELIVERED


def test_a_failure_that_is_told_again_is_no_case(books: SqlBooks) -> None:
    first = tried(books, report(T.PENDING))
    order = reported(books, first, T.FAILED, THEN + 1)
    order = started(books, order, THEN + 2)
    told = len(asked(books))
    for state in (T.FAILED, T.PENDING, T.UNREADABLE, T.MISSING):
        assert fulfilment.reported(books, first, report(state), THEN + 3, THEN + 3) == order
    assert len(asked(books)) == told


def test_our_own_late_answer_about_the_first_is_a_case_when_it_says_delivered(
    books: SqlBooks,
) -> None:
    asked_for = started(books, bought(books))
    order = reported(books, asked_for, T.FAILED, THEN)  # by a callback, while we waited
    order = started(books, order, THEN + 1)
    after = fulfilment.submitted(books, asked_for, report(T.DELIVERED), THEN + 2)
    assert after == order
    assert asked(books)[-1]["kind"] == "conflict"


def test_what_was_taken_for_never_sent_and_is_being_done_is_not_ordered_elsewhere(
    books: SqlBooks,
) -> None:
    first = tried(books, NotOpened.NOT_SENT)
    health.refused_us(books, ZG, "key", THEN)
    order = fulfilment.put_off(books, first, THEN)
    assert order.supplier == KG
    done = fulfilment.reported(books, first, report(T.PENDING), THEN + 1, THEN + 1)
    assert (done.status, done.supplier, done.cost) == (S.PROCESSING, ZG, 10_000)


def test_paid_orders_of_a_supplier_that_was_left_go_elsewhere(books: SqlBooks) -> None:
    order = bought(books)
    calls.wait_without(books, ZG, THEN)
    assert now_of(books, order.id).supplier == KG


def test_o8_a_cheaper_offer_of_the_same_good_is_not_answered_with_the_old_qr(
    books: SqlBooks,
) -> None:
    route = {"supplier": ZG, "sku": "zo70", "game": GAME, "good": GOOD, "content": 70}
    old = own_qris(books, "OLD", **route)
    cheaper = replace(QUOTE, listed=9_000, cost=9_000, price=9_500)
    elsewhere = {**route, "supplier": KG, "sku": "ki70", "quote": cheaper}
    new = own_qris(books, "NEW", NOW + MINUTE, **elsewhere)
    assert (new.price, new.supplier) == (9_500, KG)
    assert now_of(books, old.id).status is S.CANCELLED
