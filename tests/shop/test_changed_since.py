"""What became of an offer after an order of it was paid for, and of what was said of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shop import calls, fulfilment, health, matching, restoring, settling, stocking
from shop.breaker import Outcome
from shop.cases import CaseKind
from shop.copied import is_of_a_copy
from shop.matching import Pair
from shop.orders import Order
from shop.pricing import Override
from shop.routing import Market
from shop.settling import NotOpened
from shop.shelf import Match
from shop.suppliers import Listing
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import T, a_wish, paid, place, report, reported
from tests.shop.samples import NOW, OWNER, E, M, S, case_of, owed
from tests.shop.shelves import (
    GAME,
    GOOD,
    KG,
    ZG,
    ZT,
    bought,
    confirmed_shelf,
    confirms,
    lists,
    sold_by,
    started,
    the_item,
)

THEN = NOW + SECOND
SKU = "zo70"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    """Two suppliers have the item, and the owner has confirmed both."""
    with confirmed_shelf(tmp_path) as opened:
        yield opened


def listing(name: str = "70 Diamonds", price: int = 10_000, *, available: bool = True) -> Listing:
    return Listing(sku=SKU, category="x", name=name, price=price, available=available)


def pair_of(books: SqlBooks, supplier: str = ZG) -> Pair:
    [offer] = [m.offer for m in the_item(books).members if m.offer.supplier == supplier]
    return Pair(offer=offer, good=GOOD)


def two_confirmed(books: SqlBooks) -> None:
    """One supplier has the item by two codes, and both are confirmed."""
    rows = [replace(listing(price=9_900), sku=sku) for sku in (SKU, "zo70b")]
    books.shelf.replace(ZG, [(GAME, row) for row in rows], NOW)
    for row in rows:
        same = Match(supplier=ZG, sku=row.sku, item=row.name, good=GOOD, same=True)
        books.shelf.match([(GAME, same)], OWNER, NOW)


def is_ordered_at(books: SqlBooks, supplier: str, at: int = NOW + 1) -> bool:
    """Whether the order that was paid for would be made there."""
    [row] = books.orders._tx.fetch("SELECT id FROM orders WHERE status = 'paid'")
    order = books.orders.get(row["id"])
    assert order is not None
    after = started(books, order, at)
    return after.status is S.SUBMITTING and after.supplier == supplier


# --- another good ---------------------------------------------------------------------------------


def test_o10_a_code_that_moved_to_another_game_is_not_ordered_by_its_old_name(
    books: SqlBooks,
) -> None:
    bought(books, ZG)
    books.shelf.replace(ZG, [("mobile-legends", listing(price=9_000))], NOW)
    assert not is_ordered_at(books, ZG)


def test_o10_nor_is_one_that_stood_alone(books: SqlBooks) -> None:
    lists(books, ZG, 10_000, name="Kotak Merah")
    alone = {"good": f"{ZG}/{SKU}", "item": "Kotak Merah", "content": 0}
    paid(books, "A", supplier=ZG, sku=SKU, game=GAME, **alone)
    books.shelf.replace(ZG, [("mobile-legends", listing("Kotak Merah"))], NOW)
    assert not is_ordered_at(books, ZG)


def test_o10_what_the_owner_calls_another_good_by_now_is_not_ordered(books: SqlBooks) -> None:
    bought(books, ZG)
    matching.say(books, [pair_of(books)], OWNER, NOW, same=False)
    assert not is_ordered_at(books, ZG)


@pytest.mark.parametrize("name", ["7 Diamonds", "Kotak Merah"])
def test_o10_a_name_is_looked_at_while_an_offer_is_not_sold(books: SqlBooks, name: str) -> None:
    bought(books, ZG)
    lists(books, ZG, 10_000, name=name)
    books.shelf.withhold(ZG, SKU)
    assert not is_ordered_at(books, ZG)


def test_o10_an_answer_about_a_price_that_names_another_good_is_believed(books: SqlBooks) -> None:
    bought(books, ZG)
    stocking.repriced(books, ZG, listing("7 Diamonds"), NOW)
    assert books.shelf.offer(ZG, SKU, 0) is None  # until the list says so, too
    assert books.calls.list_due_at(ZG) <= NOW
    assert not is_ordered_at(books, ZG)


def test_a_price_that_jumps_together_with_a_name_is_told(books: SqlBooks) -> None:
    stocking.repriced(books, ZG, listing("70 Diamonds Hemat", price=20_000), NOW)
    assert owed(books, OWNER) == ["alert"]


def test_o10_what_is_gone_from_a_fresh_list_is_not_ordered_by_its_old_code(
    books: SqlBooks,
) -> None:
    """Its row may stand under a game that nobody described, or be another good by now."""
    bought(books, ZG)
    other = replace(listing("140 Diamonds", 20_000), sku="zo140")
    books.shelf.replace(ZG, [(GAME, other)], NOW)
    assert not is_ordered_at(books, ZG)


def test_o10_a_qr_is_opened_for_no_other_good_than_the_one_that_was_placed(
    books: SqlBooks,
) -> None:
    lists(books, ZT, 10_000)
    wish = a_wish("DS", M.DROPSHIP, supplier=ZT, sku="zu70", game=GAME, good=GOOD, content=70)
    order = place(books, wish)
    lists(books, ZT, 10_000, name="7 Diamonds")
    assert not isinstance(calls.next_call(books, ZT, NOW + MINUTE), calls.OpenInvoice)
    after = books.orders.get(order.id)
    assert after is not None
    assert after.status is S.CANCELLED


# --- another price --------------------------------------------------------------------------------


def test_o8b_a_price_is_looked_at_while_an_offer_is_not_sold(books: SqlBooks) -> None:
    bought(books, ZG)
    books.shelf.reprice(ZG, listing(price=99_000, available=False))
    assert not is_ordered_at(books, ZG)


def test_o8b_a_price_is_looked_at_however_old_its_list_is(books: SqlBooks) -> None:
    bought(books, ZG)
    lists(books, ZG, 99_000)
    assert not is_ordered_at(books, ZG, NOW + 25 * HOUR)


def test_o8b_to_have_it_made_once_more_is_no_word_on_another_price(books: SqlBooks) -> None:
    order = started(books, bought(books, ZG))
    order = fulfilment.submitted(books, order, NotOpened.UNKNOWN, THEN)
    settling.decided(books, order, E.PROCEEDED, OWNER, THEN + 1)
    lists(books, ZG, 99_000, at=THEN + 2)
    assert not is_ordered_at(books, ZG, THEN + 3)


def test_c7_a_charge_above_what_an_order_may_cost_is_told_and_nothing_more_sold_for_it(
    books: SqlBooks,
) -> None:
    order = started(books, bought(books, ZG))
    dear = replace(report(T.DELIVERED, serial="SN"), cost=50_000)
    after = fulfilment.submitted(books, order, dear, THEN)
    assert (after.status, after.attempt and after.attempt.charged) == (S.DELIVERED, 50_000)
    assert owed(books, OWNER) == ["alert"]
    assert books.shelf.offer(ZG, SKU, 0) is None
    assert books.calls.list_due_at(ZG) <= THEN


def test_c7_a_charge_within_it_is_told_to_nobody(books: SqlBooks) -> None:
    order = started(books, bought(books, ZG))
    as_agreed = replace(report(T.DELIVERED, serial="SN"), cost=order.may_cost)
    fulfilment.submitted(books, order, as_agreed, THEN)
    assert owed(books, OWNER) == []
    assert books.shelf.offer(ZG, SKU, 0) is not None


# --- a supplier that was taken out of the settings --------------------------------------------


@pytest.fixture
def without_zonegame(books: SqlBooks) -> SqlBooks:
    able = {slug: each for slug, each in books.rules.abilities.items() if slug != ZG}
    rules = replace(books.rules, abilities=able, suppliers=(ZT, KG))
    return SqlBooks(books.orders._tx, rules, (OWNER,))


def test_nothing_is_sold_by_a_supplier_that_is_in_the_settings_no_more(
    books: SqlBooks, without_zonegame: SqlBooks
) -> None:
    assert sold_by(books) == ZG
    assert sold_by(without_zonegame) == KG


def test_a_paid_order_does_not_go_to_and_fro_between_its_offers(
    books: SqlBooks, without_zonegame: SqlBooks
) -> None:
    two_confirmed(books)
    books.shelf.replace(KG, [], NOW)
    order = bought(books, ZG)
    after = fulfilment.put_off(without_zonegame, order, NOW + 1)
    assert (after.status, after.sku) == (S.PAID, order.sku)


# --- what is the owner's ------------------------------------------------------------------------


def doubted_twice(books: SqlBooks) -> Order:
    """An order in doubt, made once more by the owner's word, and in doubt again."""
    order = started(books, bought(books, ZG))
    order = fulfilment.submitted(books, order, NotOpened.UNKNOWN, THEN)
    order = settling.decided(books, order, E.PROCEEDED, OWNER, THEN + 1)
    order = started(books, order, THEN + 2)
    return fulfilment.submitted(books, order, NotOpened.UNKNOWN, THEN + 3)


def test_l7_what_failed_after_a_doubt_goes_back_by_the_owners_word_and_then_at_once(
    books: SqlBooks,
) -> None:
    order = reported(books, doubted_twice(books), T.FAILED, THEN + 4)
    assert (order.status, case_of(books, order)) == (S.REFUND_DUE, CaseKind.PAID_FAILED)


def test_l7_an_owner_who_gives_back_has_decided(books: SqlBooks) -> None:
    after = settling.decided(books, doubted_twice(books), E.GIVEN_BACK, OWNER, THEN + 4)
    assert after.status is S.REFUNDED


def test_d2_only_orders_of_the_copy_are_the_owners_whatever_its_clock_said(
    books: SqlBooks,
) -> None:
    old = bought(books, ZG)
    books.orders._tx.execute("INSERT INTO copied (at) VALUES (:at)", {"at": NOW + 999 * HOUR})
    restoring.begin(books, [ZT, ZG, KG], NOW)
    new = paid(books, "N", NOW + HOUR, supplier=KG, sku="other", user_id="987654321")
    assert [is_of_a_copy(books, order) for order in (old, new)] == [True, False]
    assert new.status is S.PAID


# --- what was decided for a good -----------------------------------------------------------------


def test_o8_the_owners_price_of_a_good_holds_for_an_offer_that_has_to_stand_alone(
    books: SqlBooks,
) -> None:
    for slug in (ZG, KG):
        books.shelf.unmatch(GAME, slug, f"{slug[:2]}70", GOOD)
    books.price_rules.put(GOOD, Override(price=25_000, floor=5_000), OWNER, NOW)
    lists(books, KG, 100_000)  # by mistake: too far from the other one to be the same good
    items = books.shelf.arranged(GAME).items
    assert [item.meant for item in items] == [GOOD, GOOD]
    quotes = [sale.quote for item in items if (sale := Market(books, NOW).sale(item))]
    assert [(quote.price, quote.floor) for quote in quotes] == [(25_000, 5_000)]


def test_a_yes_to_a_strange_price_counts_for_that_price(books: SqlBooks) -> None:
    books.shelf.unmatch(GAME, ZG, SKU, GOOD)
    lists(books, ZT, 10_002)
    lists(books, ZG, 7_500)
    [doubt] = books.shelf.arranged(GAME).doubts
    mark = matching.pair_of(doubt).mark
    assert matching.pair_marked(books, mark) is not None
    lists(books, ZG, 750)
    assert matching.pair_marked(books, mark) is None


def test_an_old_undo_takes_back_no_later_word(books: SqlBooks) -> None:
    pair = pair_of(books)
    matching.say(books, [pair], OWNER, NOW, same=False)
    assert not matching.take_back(books, pair, same=True)
    assert pair.offer not in [member.offer for member in the_item(books).members]
    assert matching.take_back(books, pair, same=False)


# --- another sku of the same supplier -------------------------------------------------------------


def test_o1_a_doubt_about_a_stand_in_of_the_same_supplier_is_asked_of_a_person(
    books: SqlBooks,
) -> None:
    two_confirmed(books)
    order = started(books, bought(books, ZG))
    order = fulfilment.submitted(books, order, report(T.PENDING), THEN)
    order = reported(books, order, T.FAILED, THEN + 1)
    assert (order.supplier, order.sku) == (ZG, "zo70b")
    order = fulfilment.doubted(books, order, THEN + 2, "may have been ordered since the copy")
    for now in range(THEN + 3, THEN + HOUR, MINUTE):
        call = calls.next_call(books, ZG, now)
        if isinstance(call, calls.AskTopup):
            fulfilment.reported(books, call.order, report(T.FAILED), now, now)
    assert books.cases.open_for(order.id) is not None


def test_l3_an_attempt_left_behind_twice_is_counted_once(books: SqlBooks) -> None:
    lists(books, ZT, 10_002)
    confirms(books, ZT)
    order = started(books, bought(books, ZG))
    order = fulfilment.submitted(books, order, report(T.PENDING), THEN)
    order = reported(books, order, T.FAILED, THEN + 1)
    assert order.supplier == KG
    health.refused_us(books, KG, "key", THEN)
    order = fulfilment.put_off(books, order, THEN + 2)
    assert order.supplier == ZT
    assert len(books.attempts.left_behind(ZG)) == 1


# --- a clock that was ahead -----------------------------------------------------------------------

AHEAD = NOW + 2 * 365 * 24 * HOUR


def went(books: SqlBooks, nth: int, at: int, *, well: bool) -> None:
    outcome = Outcome(ref=f"{at}-{nth}", at=at, went_well=well, took=100, buyer=f"b{nth}")
    health.went(books, ZG, outcome)


def test_bad_signs_of_a_clock_that_was_ahead_keep_no_supplier_away(books: SqlBooks) -> None:
    for nth in range(20):
        went(books, nth, AHEAD + nth, well=False)
    for nth in range(30):
        now = NOW + nth * 10 * MINUTE
        went(books, nth, now, well=True)
        assert ZG not in books.health.away(now)


def test_signs_that_are_stored_out_of_turn_all_count(books: SqlBooks) -> None:
    for nth in range(5):
        went(books, nth, NOW + 10 - nth, well=False)
    assert ZG in books.health.away(NOW + 20)


def test_a_breaker_of_a_clock_that_was_ahead_does_not_hide_bad_signs(books: SqlBooks) -> None:
    for nth in range(5):
        went(books, nth, AHEAD + nth, well=False)
    for nth in range(5):
        went(books, nth, NOW + nth, well=False)
    assert ZG in books.health.away(NOW + 5)
