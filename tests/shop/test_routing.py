"""By which offer an item is sold, and why not by the others."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shop import health
from shop.breaker import Outcome
from shop.payments import PaymentMethod as M
from shop.pricing import Override
from shop.routing import FRESH, Market
from shop.suppliers import FormField
from shop.time import HOUR, MINUTE
from storage.books import SqlBooks
from tests.shop.prepaid import a_shop
from tests.shop.samples import NOW, OWNER
from tests.shop.shelves import (
    GOOD,
    KG,
    RULES,
    ZG,
    ZT,
    every,
    funds,
    lists,
    sale,
    sold_by,
    the_item,
    verdicts,
)


def bad(nth: int, at: int = NOW) -> Outcome:
    """Somebody's order went wrong, each time somebody else's."""
    return Outcome(ref=f"bad-{nth}-{at}", at=at, went_well=False, took=10, buyer=f"web:{nth}")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(
        tmp_path, **{name: getattr(RULES, name) for name in ("abilities", "suppliers")}
    ) as b:
        for slug in (ZT, ZG, KG):
            funds(b, slug, 500_000)
        yield b


def test_customers_see_one_item_at_the_best_price(books: SqlBooks) -> None:
    every(books, (ZG, KG), 10_000)
    item = the_item(books)
    assert (item.title, len(item.members)) == ("70 Diamond", 2)
    found = sale(books)
    assert found is not None
    assert (found.offer.supplier, found.quote.listed, found.quote.cost) == (ZG, 10_000, 10_000)
    assert found.quote.price == 10_500
    assert verdicts(books) == {ZG: "sold", KG: "dearer"}


def test_at_the_same_cost_the_preferred_supplier_sells(books: SqlBooks) -> None:
    for slug in (KG, ZG):
        lists(books, slug, 10_000)
    assert sold_by(books) == ZG
    books.rules = replace(books.rules, suppliers=(KG, ZG))
    assert sold_by(books) == KG


def test_what_dropship_adds_counts(books: SqlBooks) -> None:
    lists(books, ZT, 10_000)
    lists(books, ZG, 11_000)
    assert sold_by(books) == ZG  # 10,000 and 12 percent are more


def test_without_dropship_its_supplier_costs_what_it_lists(books: SqlBooks) -> None:
    lists(books, ZT, 10_000)
    lists(books, ZG, 11_000)
    books.rules = replace(books.rules, methods=(M.QRIS,))
    found = sale(books)
    assert found is not None
    assert (found.offer.supplier, found.quote.cost) == (ZT, 10_000)


def test_somebody_is_sold_what_they_can_pay_for(books: SqlBooks) -> None:
    books.rules = replace(books.rules, methods=(M.DROPSHIP, M.WALLET))
    lists(books, ZT, 10_000)
    lists(books, ZG, 9_000)
    assert sold_by(books, credit=0) == ZT  # the cheaper one only the wallet can pay
    assert sold_by(books, credit=1_000_000) == ZG


@pytest.mark.parametrize("why", ["away", "failing", "withheld", "old", "no_balance", "gone"])
def test_a_supplier_that_cannot_deliver_does_not_sell(books: SqlBooks, why: str) -> None:
    every(books, (ZG, KG), 10_000)
    at = NOW
    match why:
        case "away":
            health.refused_us(books, ZG, "key", NOW)
        case "failing":
            for nth in range(5):
                health.went(books, ZG, bad(nth))
        case "withheld":
            books.shelf.withhold(ZG, "zo70")
        case "old":
            at = NOW + FRESH + 1
            lists(books, KG, 10_001, at)
        case "no_balance":
            funds(books, ZG, -490_001)
        case _:
            books.shelf.replace(ZG, [], NOW)
    assert sold_by(books, at) == KG
    if why != "gone":
        assert verdicts(books, at)[ZG] == {"failing": "away"}.get(why, why)


def test_a_game_with_servers_is_sold_where_somebody_knows_how_to_write_its_accounts(
    books: SqlBooks,
) -> None:
    books.rules = replace(books.rules, targets={KG: "{user_id}|{server_id}"})
    for slug in (ZG, KG):
        listing = {"name": "86 Diamonds"}
        lists(books, slug, 19_000, **listing)  # type: ignore[arg-type]
        books.orders._tx.execute("UPDATE offers SET game = 'mobile-legends'")
    books.shelf._renew({"mobile-legends"})
    item = books.shelf.item("mobile-legends/diamond/86", "mobile-legends")
    assert item is not None
    said = {r.offer.supplier: r.verdict.value for r in Market(books, NOW).routes(item)}
    assert said == {KG: "sold", ZG: "unwritable"}


def test_what_its_own_price_would_sell_at_a_loss_is_not_sold(books: SqlBooks) -> None:
    every(books, (ZG, KG), 10_000)
    books.price_rules.put(GOOD, Override(price=10_400, floor=400), OWNER, NOW)
    assert (sold_by(books), verdicts(books)) == (ZG, {ZG: "sold", KG: "at_a_loss"})


def test_a_form_that_asks_as_the_game_does_stands_beside_the_others(books: SqlBooks) -> None:
    lists(books, ZG, 10_000)
    lists(books, KG, 9_900, form=(FormField(key="player_id", label="UID"),))
    assert len(the_item(books).members) == 2
    assert sold_by(books) == KG


def test_a_supplier_is_tried_again_after_its_pause_and_once_is_enough(books: SqlBooks) -> None:
    every(books, (ZG, KG), 10_000)
    for nth in range(5):
        health.went(books, ZG, bad(nth))
    assert ZG in books.health.away(NOW + 5 * MINUTE - 1)
    later = NOW + 5 * MINUTE
    assert sold_by(books, later) == ZG
    for nth in range(2):
        assert ZG not in books.health.away(later)
        health.went(books, ZG, bad(nth, later))
    assert ZG in books.health.away(later + 10 * MINUTE - 1)  # twice as long
    much_later = later + 10 * MINUTE
    fine = Outcome(ref="fine", at=much_later, went_well=True, took=10, buyer="web:0")
    health.went(books, ZG, fine)
    assert books.health.breaker(ZG) is None
    assert books.health.lately(ZG, NOW)[0].ref == "fine"


def test_nobody_takes_a_supplier_off_the_shelf_alone(books: SqlBooks) -> None:
    every(books, (ZG, KG), 10_000)
    for nth in range(40):
        alone = replace(bad(nth), buyer=f"web:{nth % 2}")
        health.went(books, ZG, alone)
    assert sold_by(books) == ZG
    health.went(books, ZG, bad(99))  # a third one's
    assert sold_by(books) == KG
    later = NOW + 5 * MINUTE
    for nth in range(9):
        health.went(books, ZG, replace(bad(nth, later), buyer="web:1"))
    assert ZG not in books.health.away(later)


def test_a_breaker_that_a_wrong_clock_opened_is_closed(books: SqlBooks) -> None:
    far = NOW + 999 * HOUR
    for nth in range(5):
        health.went(books, ZG, bad(nth, far))
    assert ZG not in books.health.away(NOW)
