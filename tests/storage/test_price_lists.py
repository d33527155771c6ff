"""What is stored of price lists: all that is known of each, and what they newly said."""

import pytest

from shop.price_lists import Changed, Kept, Reading, Undescribed
from shop.shelf import Change, PriceChange
from shop.suppliers import Listing
from storage.books import SqlBooks
from tests.shop.samples import NOW

ZT, KG = "zultopup", "kiosgame"
WHOLE = Reading(
    supplier=ZT,
    rows=72,
    dropped=2,
    undescribed=(
        Undescribed(category='Telkomsel "5rb" é 原', rows=3, sold=False),
        Undescribed(category="Nowhere Saga", rows=1, sold=True),
    ),
    kept=Kept.SHORT,
    words="60 → 12",
    short_since=NOW,
    failed=4,
    asked_by=("web:owner", "telegram:7"),
)


def change(sku: str, supplier: str = ZT, was: int = 10, became: int = 20) -> PriceChange:
    return PriceChange(
        supplier=supplier,
        sku=sku,
        game="free-fire",
        item=f"{sku} Diamond",
        change=Change.DEARER,
        was=was,
        became=became,
    )


def skus(books: SqlBooks, since: int = 0, most: int = 99, before: int = 0) -> list[str]:
    return [each.change.sku for each in books.price_lists.changes(since, most, before)]


def test_of_a_list_that_was_never_read_nothing_is_known(books: SqlBooks) -> None:
    assert books.price_lists.reading(ZT) == Reading(supplier=ZT)
    books.calls.set_list_due(ZT, NOW)
    assert books.price_lists.reading(ZT) == Reading(supplier=ZT)


def test_all_that_is_known_of_a_list_is_read_back(books: SqlBooks) -> None:
    books.price_lists.put(WHOLE)
    assert books.price_lists.reading(ZT) == WHOLE
    assert books.price_lists.reading(KG) == Reading(supplier=KG)
    books.price_lists.put(Reading(supplier=ZT))
    assert books.price_lists.reading(ZT) == Reading(supplier=ZT)


def test_what_is_on_the_shelf_and_since_when_the_shelf_says(books: SqlBooks) -> None:
    row = Listing(sku="1", category="", name="70 Diamond", price=1, available=True)
    books.price_lists.put(WHOLE)
    books.calls.set_list_due(ZT, NOW + 5)
    books.shelf.replace(ZT, [("free-fire", row)], NOW + 1)
    reading = books.price_lists.reading(ZT)
    assert (reading.items, reading.listed_at, reading.rows) == (1, NOW + 1, 72)
    books.price_lists.put(reading)
    assert books.calls.list_due_at(ZT) == NOW + 5


@pytest.mark.parametrize("kept", [None, *Kept])
def test_every_reason_is_kept(books: SqlBooks, kept: Kept | None) -> None:
    books.price_lists.put(Reading(supplier=ZT, kept=kept))
    assert books.price_lists.reading(ZT).kept is kept


def test_the_newest_changes_come_first_and_page_by_page(books: SqlBooks) -> None:
    for supplier in (KG, ZT):
        books.calls.set_list_due(supplier, NOW)
    books.price_lists.note([change("b"), change("a", was=5)], NOW)
    books.price_lists.note([change("c", KG)], NOW + 1)
    assert skus(books) == ["c", "a", "b"]
    assert (skus(books, most=2), skus(books, most=2, before=2)) == (["c", "a"], ["b"])
    assert skus(books, since=NOW) == ["c"]
    assert books.price_lists.changes(NOW, 9) == [Changed(at=NOW + 1, change=change("c", KG))]


def test_what_one_list_said_is_found_by_when_it_was_read(books: SqlBooks) -> None:
    books.calls.set_list_due(ZT, NOW)
    books.price_lists.note([change("a")], NOW)
    books.price_lists.note([change("b")], NOW + 1)
    books.price_lists.note([change("c", KG)], NOW + 1)
    assert books.price_lists.changes_of(ZT, NOW + 1) == [change("b")]
    assert books.price_lists.changes_of(ZT, NOW + 2) == []


def test_of_two_words_about_one_item_at_one_instant_the_last_counts(books: SqlBooks) -> None:
    books.calls.set_list_due(ZT, NOW)
    books.price_lists.note([change("a")], NOW)
    books.price_lists.note([change("a", was=20, became=30)], NOW)
    assert books.price_lists.changes_of(ZT, NOW) == [change("a", was=20, became=30)]


def test_a_suppliers_old_changes_are_forgotten_and_no_others(books: SqlBooks) -> None:
    for supplier in (KG, ZT):
        books.calls.set_list_due(supplier, NOW)
        books.price_lists.note([change("old", supplier)], NOW)
        books.price_lists.note([change("new", supplier)], NOW + 1)
    books.price_lists.forget_before(ZT, NOW + 1)
    assert [(e.change.supplier, e.change.sku) for e in books.price_lists.changes(0, 9)] == [
        (KG, "new"),
        (ZT, "new"),
        (KG, "old"),
    ]
