"""A price list: what is sold of it, when the old one is kept, what changed, and who hears of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import calls, catalogue, health, stocking
from shop.calls import Purpose
from shop.price_lists import Described, Kept, SortedList, Undescribed, sort_out
from shop.shelf import Change, PriceChange
from shop.stocking import DAY, News
from shop.suppliers import FormField, Listing, PriceList, Why
from shop.time import HOUR, MINUTE, SECOND
from storage.address import Address
from storage.books import SqlBooks
from tests.fakes.databases import KINDS, fresh
from tests.shop.samples import GAMES, NOW, OWNER, RULES
from tests.shop.shelves import ZG, confirmed_shelf
from tests.storage.files import undone

ZT, KG = "zultopup", "kiosgame"
FF = "Free Fire"
ID = FormField(key="id", label="Player ID")
OTHER = "telegram:7"


@pytest.fixture(scope="module", params=KINDS)
def address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """A database of each kind, in which no test leaves anything."""
    with fresh(request.param, tmp_path_factory.mktemp("books")) as database:
        yield database


@pytest.fixture
def books(address: Address) -> Iterator[SqlBooks]:
    with undone(address) as tx:
        yield SqlBooks(tx, RULES, (OWNER, OTHER))


def row(sku: str, price: int = 10_000, category: str = FF, **more: Any) -> Listing:
    given = {"name": f"{sku} Diamond", "available": True, **more}
    return Listing(sku=sku, category=category, price=price, **given)


def a_list(*rows: Listing, dropped: int = 0) -> SortedList:
    return sort_out(PriceList(listings=rows, dropped=dropped), GAMES)


def of(count: int, first: int = 0) -> SortedList:
    """A list with so many items."""
    return a_list(*(row(str(nth)) for nth in range(first, first + count)))


def taken(books: SqlBooks, found: SortedList, now: int = NOW, supplier: str = ZT) -> News:
    return stocking.take_in(books, supplier, found, now)


def on_sale(books: SqlBooks, supplier: str = ZT) -> list[tuple[str, int]]:
    offers = [offer for game in books.shelf.games(0) for offer in books.shelf.offers(game, 0)]
    return sorted((o.sku, o.listed) for o in offers if o.supplier == supplier)


def told(books: SqlBooks, address: str = OWNER) -> list[tuple[str, str]]:
    """What a person is told, in order: which alert, and what it is about."""
    rows = books.outbox._tx.fetch(
        "SELECT facts FROM outbox WHERE address = :address ORDER BY seq", {"address": address}
    )
    facts = [json.loads(found["facts"]) for found in rows]
    return [(each["alert"], each["evidence"]) for each in facts]


def alerts(books: SqlBooks) -> list[str]:
    return [alert for alert, _ in told(books)]


# --- sorting a list out ---------------------------------------------------------------------------


def slugs(found: SortedList) -> list[str]:
    return [game for game, _ in found.sold]


@pytest.mark.parametrize(
    ("category", "game"),
    [
        ("Free Fire", "free-fire"),
        ("Mobile Legends : Indonesia", "mobile-legends"),
        ("Mobile Legends [PROMO TERMURAH] V3", "mobile-legends"),
        ("FREE FIRE MAX Q2", "free-fire-max"),
    ],
)
def test_a_category_is_the_game_it_names_whatever_its_supplier_adds(
    category: str, game: str
) -> None:
    assert slugs(a_list(row("1", category=category))) == [game]


def test_a_list_knows_every_game_by_every_name_that_one_name_alone_is_known_by() -> None:
    described = Described(GAMES)
    names = [name for game in GAMES for name in (game.title, *game.aliases)]
    decorated = [f"[PROMO] {name.upper()} V3" for name in names]
    strange = ["Telkomsel", "Arena of Gods", "原神", "", "V3", *(f"{name} Plus" for name in names)]
    assert len(names) > 40
    for category in (*names, *decorated, *strange):
        assert described.game(category) == catalogue.game_of(category, GAMES), category


@pytest.mark.parametrize(
    ("stated", "sold"),
    [
        ({}, False),
        ({"has_server": True}, True),
        ({"has_server": False}, True),
        ({"form": (ID,)}, True),
    ],
)
def test_what_nobody_described_is_sold_with_what_its_supplier_states_or_not_at_all(
    stated: dict[str, Any], sold: bool
) -> None:
    found = a_list(row("1", category="Arena of Gods", **stated), row("2"))
    assert slugs(found) == (["~arena-of-gods", "free-fire"] if sold else ["free-fire"])
    assert found.undescribed == (Undescribed(category="Arena of Gods", rows=1, sold=sold),)


def test_a_category_without_a_letter_that_can_be_read_is_named_and_not_sold() -> None:
    found = a_list(row("1", category="原神", has_server=False))
    assert found.sold == ()
    assert found.undescribed == (Undescribed(category="原神", rows=1, sold=False),)


def test_what_is_not_to_be_had_now_is_not_sold_and_its_category_known_all_the_same() -> None:
    found = a_list(
        row("1", available=False),
        row("2", category="Arena of Gods", has_server=False, available=False),
    )
    assert (found.sold, found.rows, found.dropped) == ((), 2, 0)
    assert found.undescribed == (Undescribed(category="Arena of Gods", rows=1, sold=False),)


def test_a_row_whose_sku_no_button_can_carry_is_dropped_and_counted() -> None:
    found = a_list(row("x" * 40), row("x" * 41), row("é" * 21), dropped=3)
    assert [listing.sku for _, listing in found.sold] == ["x" * 40]
    assert (found.rows, found.dropped) == (6, 5)


# --- what is sold from now on ---------------------------------------------------------------------


def test_the_first_list_is_sold_and_nothing_of_it_is_news(books: SqlBooks) -> None:
    news = taken(books, a_list(row("1"), row("2", 20_000)))
    assert news == News()
    assert on_sale(books) == [("1", 10_000), ("2", 20_000)]
    assert books.price_lists.changes(0, 99) == []
    assert told(books) == []


def test_what_a_list_newly_says_is_counted_and_remembered(books: SqlBooks) -> None:
    taken(books, a_list(row("1"), row("2"), row("3"), row("4")))
    later = a_list(row("1"), row("2", 11_000), row("3", 9_000), row("5", 7_000))
    news = taken(books, later, NOW + MINUTE)
    assert news.count() == {"new": 1, "gone": 1, "dearer": 1, "cheaper": 1}
    remembered = books.price_lists.changes_of(ZT, NOW + MINUTE)
    assert {(c.sku, c.change, c.was, c.became) for c in remembered} == {
        ("2", Change.DEARER, 10_000, 11_000),
        ("3", Change.CHEAPER, 10_000, 9_000),
        ("4", Change.GONE, 10_000, 0),
        ("5", Change.NEW, 0, 7_000),
    }
    assert [c.change for c in books.price_lists.changes(0, 99)] == list(remembered)
    assert told(books) == []  # an ordinary list is no reason to write to anybody


def test_the_same_list_again_says_nothing_new(books: SqlBooks) -> None:
    taken(books, of(5))
    assert taken(books, of(5), NOW + MINUTE) == News()
    assert books.shelf.fresh(NOW + MINUTE) == {ZT}


def test_changes_are_remembered_for_thirty_days(books: SqlBooks) -> None:
    taken(books, a_list(row("1")))
    taken(books, a_list(row("1", 10_100)), NOW + 1)
    taken(books, a_list(row("1", 10_200)), NOW + 1 + 30 * DAY)
    assert len(books.price_lists.changes(0, 99)) == 2
    taken(books, a_list(row("1", 10_200)), NOW + 2 + 30 * DAY)
    assert [each.at for each in books.price_lists.changes(0, 99)] == [NOW + 1 + 30 * DAY]


def test_one_suppliers_list_is_not_anothers(books: SqlBooks) -> None:
    taken(books, of(10))
    taken(books, of(3), supplier=KG)
    assert (len(on_sale(books)), len(on_sale(books, KG))) == (10, 3)
    assert told(books) == []


# --- lists that are not believed ------------------------------------------------------------------


def test_half_a_list_is_sold_and_less_than_half_keeps_the_old_one(books: SqlBooks) -> None:
    taken(books, of(10))
    assert taken(books, of(4), NOW + MINUTE) == News(kept=Kept.SHORT)
    assert len(on_sale(books)) == 10
    assert taken(books, of(5), NOW + 2 * MINUTE).kept is None
    assert len(on_sale(books)) == 5


def test_the_owners_hear_once_of_a_short_list_and_once_when_it_is_believed(
    books: SqlBooks,
) -> None:
    taken(books, of(10), NOW - MINUTE)
    for minute in range(60):
        assert taken(books, of(4), NOW + minute * MINUTE).kept is Kept.SHORT
    assert told(books) == told(books, OTHER) == [("list_kept", "10 → 4")]
    news = taken(books, of(4), NOW + HOUR)
    assert news.count() == {"new": 0, "gone": 6, "dearer": 0, "cheaper": 0}
    assert len(on_sale(books)) == 4
    taken(books, of(4), NOW + HOUR + MINUTE)
    assert told(books)[1:] == [("list_believed", "10 → 4")]


def test_a_whole_list_in_between_begins_the_hour_anew(books: SqlBooks) -> None:
    taken(books, of(10), NOW - MINUTE)
    taken(books, of(4), NOW)
    taken(books, of(10), NOW + 30 * MINUTE)
    taken(books, of(4), NOW + 40 * MINUTE)
    assert taken(books, of(4), NOW + HOUR).kept is Kept.SHORT
    assert taken(books, of(4), NOW + 100 * MINUTE).kept is None


def test_a_list_that_could_not_be_read_in_between_does_not_begin_it_anew(books: SqlBooks) -> None:
    taken(books, of(10), NOW - MINUTE)
    taken(books, of(4), NOW)
    stocking.unread(books, ZT, Kept.UNREAD, "HTTP 502", NOW + 30 * MINUTE)
    assert taken(books, of(4), NOW + HOUR).kept is None


def test_after_a_night_without_the_shop_the_first_short_list_is_not_believed(
    books: SqlBooks,
) -> None:
    taken(books, of(10), NOW - 9 * HOUR)
    assert taken(books, of(4), NOW).kept is Kept.SHORT


def test_a_clock_that_was_ahead_does_not_keep_a_short_list_back_for_ever(books: SqlBooks) -> None:
    taken(books, of(10), NOW - MINUTE)
    taken(books, of(4), NOW + 99 * DAY)
    taken(books, of(4), NOW)
    assert taken(books, of(4), NOW + HOUR).kept is None


def test_an_empty_list_is_never_believed(books: SqlBooks) -> None:
    taken(books, of(10), NOW - MINUTE)
    for hours in range(5):
        assert taken(books, a_list(dropped=60), NOW + hours * HOUR).kept is Kept.EMPTY
    assert len(on_sale(books)) == 10
    assert told(books) == [("list_empty", "10 → 0, ✗ 60")]
    taken(books, a_list(dropped=60), NOW + DAY)
    assert alerts(books) == ["list_empty", "list_empty"]  # once a day
    assert books.price_lists.reading(ZT).listed_at == NOW - MINUTE  # so its prices grow old


def test_a_supplier_that_never_listed_anything_may_go_on_so(books: SqlBooks) -> None:
    assert taken(books, a_list()) == News()
    assert told(books) == []


def test_what_is_known_of_a_kept_list_stays_that_of_the_one_that_is_sold(books: SqlBooks) -> None:
    strange = row("x", category="Arena of Gods", has_server=True)
    taken(books, a_list(*(row(str(nth)) for nth in range(9)), strange, dropped=2))
    before = books.price_lists.reading(ZT)
    taken(books, of(2), NOW + MINUTE)
    kept = books.price_lists.reading(ZT)
    assert (kept.kept, kept.words) == (Kept.SHORT, "10 → 2")
    assert replace(kept, kept=None, words="", short_since=0) == before
    assert (before.rows, before.dropped, before.items) == (12, 2, 10)


def test_what_is_stored_a_second_time_because_nobody_knew_says_nothing_twice(
    books: SqlBooks,
) -> None:
    taken(books, a_list(*(row(sku) for sku in "abcd")))
    books.price_lists.put(replace(books.price_lists.reading(ZT), asked_by=("web:asks",)))
    later = a_list(row("a", 20_000), row("b"), row("x", category="Nowhere"), dropped=1)
    for _ in range(2):
        taken(books, later, NOW + MINUTE)
    assert alerts(books) == ["list_dropped", "list_undescribed", "prices_jumped"]
    assert len(told(books, "web:asks")) == 1
    assert len(books.price_lists.changes(0, 99)) == 3


# --- what the owners should look at ---------------------------------------------------------------


def test_rows_that_make_no_sense_are_told_when_there_are_the_first_ones(books: SqlBooks) -> None:
    taken(books, a_list(row("1")))
    for days in range(3):
        taken(books, a_list(row("1"), dropped=3), NOW + days * DAY)
    assert told(books) == [("list_dropped", "3/4")]
    taken(books, a_list(row("1")), NOW + 4 * DAY)
    for minute in (1, 3):  # there, gone, and there again
        taken(books, a_list(row("1"), dropped=1), NOW + 4 * DAY + minute * MINUTE)
        taken(books, a_list(row("1")), NOW + 4 * DAY + (minute + 1) * MINUTE)
    assert told(books)[1:] == [("list_dropped", "1/2")]  # once a day


def strange(*names: str, **more: Any) -> Sequence[Listing]:
    return [row(f"{name}/{nth}", category=name, **more) for name in names for nth in range(2)]


def test_categories_that_nobody_described_are_told_once_and_when_there_are_more(
    books: SqlBooks,
) -> None:
    some = [
        *strange("Arena of Nobody"),
        *strange("Nowhere Saga", has_server=False),
        row("1", category="Nowhere Saga"),
    ]
    for minute in (0, 1, 2):
        taken(books, a_list(*some), NOW + minute * MINUTE)
    assert told(books) == [("list_undescribed", "✓ Nowhere Saga (3)\n✗ Arena of Nobody (2)")]
    taken(books, a_list(*some[:-2]), NOW + 3 * MINUTE)  # fewer rows are no news
    taken(books, a_list(*some[2:]), NOW + 4 * MINUTE)  # nor is a category that went
    assert len(told(books)) == 1
    taken(books, a_list(*some[2:], row("9", category="No Such Pay")), NOW + 5 * MINUTE)
    assert told(books)[1:] == [("list_undescribed", "✓ Nowhere Saga (3)\n✗ No Such Pay (1)")]


def test_of_many_categories_ten_are_named(books: SqlBooks) -> None:
    taken(books, a_list(*strange(*(f"Strange {letter}" for letter in "ABCDEFGHIJKL"))))
    [(_, evidence)] = told(books)
    assert evidence.splitlines()[0] == "✗ Strange A (2)"
    assert evidence.splitlines()[9:] == ["✗ Strange J (2)", "… +2"]


def test_a_price_that_jumps_by_more_than_a_fifth_is_told(books: SqlBooks) -> None:
    taken(books, a_list(*(row(sku) for sku in "abcde")))
    later = [row("a", 12_000), row("b", 12_001), row("c", 8_000), row("d", 7_999)]
    later.append(row("e", 1_000))
    taken(books, a_list(*later), NOW + MINUTE)
    [(alert, evidence)] = told(books)
    assert alert == "prices_jumped"
    assert evidence.splitlines() == [
        "↓ e Diamond (Free Fire): Rp10.000 → Rp1.000",
        "↑ b Diamond (Free Fire): Rp10.000 → Rp12.001",
        "↓ d Diamond (Free Fire): Rp10.000 → Rp7.999",
    ]


def test_of_many_prices_that_jump_ten_are_named(books: SqlBooks) -> None:
    taken(books, of(13))
    taken(books, a_list(*(row(str(nth), 20_000) for nth in range(13))), NOW + MINUTE)
    [(_, evidence)] = told(books)
    assert len(evidence.splitlines()) == 11
    assert evidence.endswith("… +3")


def test_what_is_new_or_gone_is_no_jump(books: SqlBooks) -> None:
    taken(books, a_list(row("1"), row("2")))
    taken(books, a_list(row("1"), row("3", 1)), NOW + MINUTE)
    assert told(books) == []


# --- lists that could not be read -----------------------------------------------------------------


def fails(books: SqlBooks, now: int, why: Kept = Kept.UNREAD) -> None:
    stocking.unread(books, ZT, why, "services are not grouped by type", now)


def test_a_list_that_never_can_be_read_is_told_once_a_day_and_the_old_one_kept(
    books: SqlBooks,
) -> None:
    taken(books, of(3), NOW)
    for minute in range(1, 5):
        fails(books, NOW + minute * MINUTE)
    assert told(books) == []
    for minute in range(5, 90):
        fails(books, NOW + minute * MINUTE)
    assert told(books) == [("list_unreadable", "services are not grouped by type")]
    assert len(on_sale(books)) == 3
    for hours in range(2, 30):
        fails(books, NOW + hours * HOUR)
    assert alerts(books) == ["list_unreadable", "list_unread", "list_unread"]  # past six hours


def test_a_list_that_can_be_read_again_ends_the_count(books: SqlBooks) -> None:
    for minute in (1, 2, 3, 4):
        fails(books, NOW + minute * MINUTE)
    taken(books, of(3), NOW + 5 * MINUTE)
    for minute in (6, 7, 8, 9):
        fails(books, NOW + minute * MINUTE)
    assert told(books) == []
    reading = books.price_lists.reading(ZT)
    assert (reading.kept, reading.failed) == (Kept.UNREAD, 4)


def test_a_list_that_is_kept_back_was_read_all_the_same(books: SqlBooks) -> None:
    taken(books, of(10))
    for minute in (1, 2, 3, 4):
        fails(books, NOW + minute * MINUTE)
    taken(books, of(4), NOW + 5 * MINUTE)
    fails(books, NOW + 6 * MINUTE)
    assert alerts(books) == ["list_kept"]


def test_of_a_supplier_that_is_away_the_list_is_not_told_besides(books: SqlBooks) -> None:
    for _ in range(health.MISSES):
        health.unanswered(books, ZT, "HTTP 502", NOW)
    for minute in range(60):
        fails(books, NOW + minute * MINUTE)
    assert alerts(books) == [f"away_{Why.SILENT}"]


def test_a_refused_key_is_told_by_what_it_leads_to_and_not_as_a_list(books: SqlBooks) -> None:
    taken(books, of(3))
    for hours in range(30):
        fails(books, NOW + hours * HOUR, Kept.REFUSED)
    assert told(books) == []
    assert books.price_lists.reading(ZT).kept is Kept.REFUSED


# --- who asked ------------------------------------------------------------------------------------


def test_whoever_asked_hears_once_what_came_of_it(books: SqlBooks) -> None:
    taken(books, a_list(row("1"), row("2"), row("3"), row("4")))
    books.calls.set_list_due(ZT, NOW + HOUR)
    for _ in range(2):
        stocking.ask(books, [ZT], OTHER, NOW)
    assert books.calls.list_due_at(ZT) == NOW
    stocking.ask(books, [ZT], "web:third", NOW)
    assert books.price_lists.reading(ZT).asked_by == (OTHER, "web:third")
    later = a_list(row("1"), row("2", 11_000), row("3", 9_000), row("5", 7_000))
    for minute in (1, 2):
        taken(books, later, NOW + minute * MINUTE)
    for address in (OTHER, "web:third"):
        assert told(books, address) == [("list_read", "+1 -1 ↑1 ↓1")]
    assert told(books) == []


def test_whoever_asked_hears_that_the_old_list_is_kept_or_none_was_had(books: SqlBooks) -> None:
    taken(books, of(10))
    stocking.ask(books, [ZT], "web:asks", NOW)
    taken(books, of(4), NOW + MINUTE)
    stocking.ask(books, [ZT], "web:asks", NOW)
    fails(books, NOW + 2 * MINUTE)
    fails(books, NOW + 3 * MINUTE)
    assert told(books, "web:asks") == [
        ("list_read_kept", "10 → 4"),
        ("list_not_read", "services are not grouped by type"),
    ]


def test_a_list_that_is_due_already_is_not_put_off_by_asking(books: SqlBooks) -> None:
    books.calls.set_list_due(ZT, NOW - MINUTE)
    stocking.ask(books, [ZT], OWNER, NOW)
    assert books.calls.list_due_at(ZT) == NOW - MINUTE


# --- single prices --------------------------------------------------------------------------------


def test_a_price_that_was_asked_for_is_remembered_as_a_lists(books: SqlBooks) -> None:
    taken(books, a_list(row("1"), row("2")))
    books.shelf.withhold(ZT, "1")
    stocking.repriced(books, ZT, row("1", 15_000), NOW + MINUTE)
    stocking.repriced(books, ZT, row("2"), NOW + 2 * MINUTE)  # costs what it did
    stocking.repriced(books, ZT, row("nothing of ours", 5), NOW + 3 * MINUTE)
    assert on_sale(books) == [("1", 15_000), ("2", 10_000)]
    [changed] = books.price_lists.changes(0, 99)
    assert changed.at == NOW + MINUTE
    assert changed.change == PriceChange(
        supplier=ZT,
        sku="1",
        game="free-fire",
        item="1 Diamond",
        change=Change.DEARER,
        was=10_000,
        became=15_000,
    )
    assert alerts(books) == ["prices_jumped"]


# --- the budget -----------------------------------------------------------------------------------


def test_a_command_takes_all_of_its_calls_out_of_the_budget_or_none(books: SqlBooks) -> None:
    for nth in range(calls.MOST_CALLS - 1):
        books.calls.record(ZT, Purpose.WATCH, NOW + nth)
    later = NOW + MINUTE
    assert not stocking.take_calls(books, ZT, [Purpose.BALANCE, Purpose.LIST], later)
    assert stocking.take_calls(books, ZT, [Purpose.LIST], later)
    assert not stocking.take_calls(books, ZT, [Purpose.LIST], later)
    made = books.calls.made_between(ZT, NOW - HOUR, NOW + HOUR)
    assert [what for _, what in made][-2:] == [Purpose.WATCH, Purpose.LIST]


def test_a_supplier_without_a_limit_has_no_budget_to_take_from(books: SqlBooks) -> None:
    assert all(stocking.take_calls(books, KG, [Purpose.LIST], NOW) for _ in range(100))
    assert books.calls.made_between(KG, 0, NOW + HOUR) == []


def test_nothing_is_asked_of_a_supplier_that_is_left_alone(books: SqlBooks) -> None:
    calls.pause(books, ZT, NOW)
    assert not stocking.take_calls(books, ZT, [Purpose.LIST], NOW + SECOND)
    assert stocking.take_calls(books, ZT, [Purpose.LIST], NOW + calls.BUSY_PAUSE)
    books.calls.pause(KG, NOW + DAY)  # by a clock that was wrong
    assert stocking.take_calls(books, KG, [Purpose.LIST], NOW)


def test_o10_diamonds_of_another_region_are_no_members_of_ours(tmp_path: Path) -> None:
    with confirmed_shelf(tmp_path) as books:
        for slug, category, price in (
            (ZG, "Mobile Legends", 20_000),
            (KG, "Mobile Legends [Brazil]", 19_000),
        ):
            row = Listing(
                sku=f"{slug}86", category=category, name="86 Diamonds", price=price, available=True
            )
            stocking.take_in(books, slug, sort_out(PriceList(listings=(row,)), GAMES), NOW)
        ours = books.shelf.item("mobile-legends/diamond/86", "mobile-legends")
        assert ours is not None
        assert [member.offer.supplier for member in ours.members] == [ZG]
