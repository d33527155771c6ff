"""What changed between a yes and the order it leads to."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shop import calls, fulfilment, health, housekeeping, moving, settling
from shop.cases import CaseKind
from shop.games import Ask, Server
from shop.orders import Order
from shop.payments import Refunds
from shop.settling import NotOpened
from shop.suppliers import NotSold, OutOfBalance, Refused, TopupState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import T, a_wish, by_hand, now_of, place, report
from tests.shop.samples import NOW, OWNER, E, M, S, case_of
from tests.shop.shelves import (
    GAME,
    GOOD,
    KG,
    ZG,
    ZT,
    bought,
    confirmed_shelf,
    lists,
    started,
)
from tests.shop.test_changed_since import listing

THEN = NOW + SECOND


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with confirmed_shelf(tmp_path) as opened:
        yield opened


def test_o8b_a_yes_to_a_dear_price_is_no_yes_to_a_dearer_one(books: SqlBooks) -> None:
    mine = by_hand(books)
    books.shelf.replace(KG, [], NOW)  # nobody stands in
    order = bought(mine)
    lists(mine, ZG, order.may_cost + 100)
    order = started(mine, order)
    assert (order.status, case_of(mine, order)) == (S.REFUND_DUE, CaseKind.PAID_FAILED)
    order = settling.decided(mine, order, E.PROCEEDED, OWNER, THEN)  # 100 more, says the case
    lists(mine, ZG, 20 * order.price, at=THEN + 1)
    after = started(mine, order, THEN + 2)
    assert after.status is not S.SUBMITTING


def test_o8b_nor_is_it_hours_later(books: SqlBooks) -> None:
    mine = by_hand(books)
    books.shelf.replace(KG, [], NOW)
    order = bought(mine)
    lists(mine, ZG, order.may_cost + 100)
    order = settling.decided(mine, started(mine, order), E.PROCEEDED, OWNER, THEN)
    order = started(mine, order, THEN + 1)
    order = fulfilment.submitted(mine, order, NotOpened.NOT_SENT, THEN + 2)  # no way there
    lists(mine, ZG, 20 * order.price, at=THEN + 5 * HOUR)
    assert started(mine, order, THEN + 6 * HOUR).status is not S.SUBMITTING


def test_o10_no_qr_is_opened_by_a_code_that_is_gone_from_a_fresh_list(books: SqlBooks) -> None:
    """Its row may stand under a game that nobody described, or be another good by now."""
    lists(books, ZT, 10_000)
    wish = a_wish("DS", M.DROPSHIP, supplier=ZT, sku="zu70", game=GAME, good=GOOD, content=70)
    order = place(books, wish)
    other = replace(listing("140 Diamonds", 20_000), sku="zu140")
    books.shelf.replace(ZT, [(GAME, other)], NOW + SECOND)
    call = calls.next_call(books, ZT, NOW + MINUTE)
    assert not isinstance(call, calls.OpenInvoice)
    assert now_of(books, order.id).status is S.CANCELLED


@pytest.mark.parametrize(
    ("name", "price"), [("7 Diamonds", 10_000), ("70 (63+7) Diamonds", 99_000)]
)
def test_o10_what_is_sent_again_as_a_question_is_still_what_was_sold(
    books: SqlBooks, name: str, price: int
) -> None:
    """They may never have had the first: then the question orders what the code is by now."""
    order = started(books, bought(books, KG))
    order = fulfilment.submitted(books, order, NotOpened.UNKNOWN, THEN)
    assert fulfilment.may_be_repeated(books, order)
    lists(books, KG, price, at=THEN, name=name)
    books.calls.set_compare_at(KG, NOW + 99 * HOUR)
    call = calls.next_call(books, KG, THEN + MINUTE)
    assert isinstance(call, calls.AskTopup)
    assert not call.may_repeat


def test_o1_an_order_that_is_being_done_at_last_and_never_ends_is_told(books: SqlBooks) -> None:
    """In doubt for long, then accepted, then nothing: somebody must hear of it."""
    order = started(books, bought(books))
    order = fulfilment.submitted(books, order, NotOpened.UNKNOWN, THEN)
    now = THEN
    while now < THEN + 24 * HOUR:
        call = calls.next_call(books, ZG, now)
        if isinstance(call, calls.Idle):
            now = max(call.until, now + 1)
            continue
        if isinstance(call, calls.AskBalance):
            books.calls.set_compare_at(ZG, NOW + 99 * HOUR)
        if isinstance(call, calls.AskTopup):
            said = T.MISSING if now < THEN + 20 * MINUTE else T.PENDING
            fulfilment.reported(books, call.order, report(said), now, now)
    order = now_of(books, order.id)
    assert order.status is S.PROCESSING
    assert case_of(books, order) is CaseKind.STUCK


def test_o1_nor_is_it_forgotten_that_was_told_of_before_it_was_in_doubt(books: SqlBooks) -> None:
    """Its supplier was away for long, then took it, by an answer that was lost; then nothing."""
    books.shelf.replace(KG, [], NOW)
    order = bought(books)
    late = NOW + 20 * MINUTE
    order = fulfilment.wait(books, order, late)
    assert case_of(books, order) is CaseKind.STUCK
    order = fulfilment.submitted(
        books, started(books, order, late), NotOpened.UNKNOWN, late + SECOND
    )
    order = fulfilment.reported(books, order, report(T.PENDING), late + MINUTE, late + MINUTE)
    assert order.status is S.PROCESSING
    much_later = late + 24 * HOUR
    order = fulfilment.reported(books, order, report(T.PENDING), much_later, much_later)
    assert case_of(books, order) is CaseKind.STUCK


def test_o10_an_order_that_came_back_goes_to_the_account_as_its_supplier_writes_it(
    books: SqlBooks,
) -> None:
    asia = Server(code="asia", title="Asia", codes={ZG: "ZG-1", KG: "KG-9"})
    game = replace(books.rules.game(GAME), ask=Ask.NUMBER_AND_REGION, servers=(asia,))
    rules = replace(
        books.rules,
        refunds=Refunds.MANUAL,
        games={**books.rules.games, GAME: game},
        targets=dict.fromkeys((ZG, KG), "{user_id}/{server_id}"),
    )
    mine = SqlBooks(books.orders._tx, rules, (OWNER,))
    order = bought(mine, server="asia", target="123456789/ZG-1", server_code="ZG-1")
    first = fulfilment.submitted(mine, started(mine, order), NotOpened.NOT_SENT, THEN)
    health.refused_us(mine, ZG, "key", THEN)
    order = fulfilment.put_off(mine, first, THEN)
    assert (order.supplier, order.server_code) == (KG, "KG-9")
    # It had been sent after all: their signed callback says that it is being done.
    order = fulfilment.reported(mine, first, report(T.PENDING), THEN + 1, THEN + 1)
    assert (order.status, order.supplier) == (S.PROCESSING, ZG)
    mine.shelf.replace(KG, [], THEN + 2)
    order = fulfilment.reported(mine, order, report(T.FAILED), THEN + 2, THEN + 2)
    assert order.status is S.REFUND_DUE
    order = settling.decided(mine, order, E.PROCEEDED, OWNER, THEN + 3)
    request = fulfilment.request_of(started(mine, order, THEN + 4))
    assert (request.server, request.target) == ("ZG-1", "123456789/ZG-1")


@pytest.mark.parametrize("state", [T.PENDING, T.DELIVERED])
def test_o2_a_dear_attempt_that_was_made_after_all_is_believed(
    books: SqlBooks, state: TopupState
) -> None:
    """The owner had it delivered though it was dear; the call seemed not to have left; another
    stands in; then the first is told of: it is not ordered twice.
    """
    mine = by_hand(books)
    order = bought(mine)
    for slug in (ZG, KG):
        lists(mine, slug, 2 * order.price)
    order = settling.decided(mine, started(mine, order), E.PROCEEDED, OWNER, THEN)
    first = fulfilment.submitted(mine, started(mine, order, THEN), NotOpened.NOT_SENT, THEN + 1)
    lists(mine, KG, 10_000, at=THEN + 2)
    health.refused_us(mine, ZG, "key", THEN + 2)
    order = fulfilment.put_off(mine, first, THEN + 2)
    assert (order.status, order.supplier) == (S.PAID, KG)
    after = fulfilment.reported(mine, first, report(state), THEN + 3, THEN + 3)
    assert after.supplier == ZG
    assert after.status in {S.PROCESSING, S.DELIVERED}


# --- a yes to a dear one is to that one alone ---


def yes_to_a_dear_one(mine: SqlBooks) -> Order:
    """Both have become dearer than the price; the owner has it delivered all the same."""
    order = bought(mine)
    lists(mine, KG, order.price + 1_000)
    lists(mine, ZG, order.price + 1_500)
    order = started(mine, order)
    assert order.status is S.REFUND_DUE
    return settling.decided(mine, order, E.PROCEEDED, OWNER, THEN)


def test_o8b_nobody_else_is_bought_from_at_a_loss_while_its_supplier_is_away(
    books: SqlBooks,
) -> None:
    mine = by_hand(books)
    order = yes_to_a_dear_one(mine)
    health.refused_us(mine, ZG, "key", THEN)
    assert not isinstance(calls.next_call(mine, ZG, THEN + 1), calls.Submit)
    order = now_of(mine, order.id)
    assert (order.status, order.supplier) == (S.PAID, ZG)


def test_o8b_nor_if_it_rises_once_more(books: SqlBooks) -> None:
    mine = by_hand(books)
    order = yes_to_a_dear_one(mine)
    lists(mine, ZG, order.price + 2_000, at=THEN)
    calls.next_call(mine, ZG, THEN + 1)
    assert now_of(mine, order.id).status is S.REFUND_DUE


@pytest.mark.parametrize("no", [NotSold("gone"), OutOfBalance("empty")])
def test_o8b_nor_if_it_is_refused(books: SqlBooks, no: Refused) -> None:
    mine = by_hand(books)
    order = started(mine, yes_to_a_dear_one(mine), THEN + 1)
    assert order.status is S.SUBMITTING
    assert fulfilment.submitted(mine, order, no, THEN + 2).status is S.REFUND_DUE


def test_o8b_nor_if_it_fails(books: SqlBooks) -> None:
    mine = by_hand(books)
    order = started(mine, yes_to_a_dear_one(mine), THEN + 1)
    order = fulfilment.submitted(mine, order, report(T.PENDING), THEN + 2)
    after = fulfilment.reported(mine, order, report(T.FAILED), THEN + MINUTE, THEN + MINUTE)
    assert after.status is S.REFUND_DUE


def test_o8b_nor_if_its_supplier_left_the_settings(books: SqlBooks) -> None:
    mine = by_hand(books)
    order = yes_to_a_dear_one(mine)
    able = {slug: each for slug, each in mine.rules.abilities.items() if slug != ZG}
    left = SqlBooks(books.orders._tx, replace(mine.rules, abilities=able), (OWNER,))
    housekeeping.tidy(left, THEN + 1)
    assert now_of(left, order.id).status is S.PAID


# --- and what else may have changed ---


def test_o10_nor_by_one_that_a_list_left_out_which_was_asked_for_before(books: SqlBooks) -> None:
    lists(books, ZT, 10_000)
    wish = a_wish("DS", M.DROPSHIP, supplier=ZT, sku="zu70", game=GAME, good=GOOD, content=70)
    place(books, wish, NOW + 5)
    other = replace(listing("140 Diamonds", 20_000), sku="zu140")
    books.shelf.replace(ZT, [(GAME, other)], NOW + 3)  # stored after it
    assert not isinstance(calls.next_call(books, ZT, NOW + MINUTE), calls.OpenInvoice)


def test_o10_nothing_that_left_the_list_is_sent_again_as_a_question(books: SqlBooks) -> None:
    order = started(books, bought(books, KG))
    order = fulfilment.submitted(books, order, NotOpened.UNKNOWN, THEN)
    books.shelf.replace(KG, [], THEN)
    assert not fulfilment.may_be_repeated(books, order)


def test_what_is_being_asked_stays_what_is_asked_however_long_it_takes(books: SqlBooks) -> None:
    order = started(books, bought(books))
    order = fulfilment.submitted(books, order, report(T.PENDING), THEN)
    late = THEN + 20 * MINUTE
    order = fulfilment.reported(books, order, report(T.PENDING), late, late)
    moving.open_case(books, order, CaseKind.CONFLICT, "they say otherwise", late + 1)
    order = fulfilment.reported(books, order, report(T.PENDING), late + HOUR, late + HOUR)
    assert case_of(books, order) is CaseKind.CONFLICT
