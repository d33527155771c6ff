"""``/daftar``: what an owner sees of the price lists, and how they have them fetched."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.conversation.views import View
from bot.owner.lists import SHOWN_CHANGES
from shop import stocking
from shop.notices import Notice, NoticeKind
from shop.price_lists import Kept, sort_out
from shop.suppliers import Listing, PriceList
from shop.time import HOUR, MINUTE
from tests.bot.conversation.parlour import (
    FACE,
    GAMES,
    OWNER,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    whole,
)

KG = "kiosgame"
TWO = replace(FACE, suppliers=(SUPPLIER, KG), titles={SUPPLIER: "ZulTopup", KG: "Kiosgame"})
EMPTY_SHOP = replace(FACE, suppliers=())


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    parlour.stock({})
    parlour.open(TWO)
    return parlour.guest("owner")


def row(sku: str, price: int, category: str = "Free Fire") -> Listing:
    return Listing(sku=sku, category=category, name=f"{sku} Diamond", price=price, available=True)


def reads(
    parlour: Parlour, rows: Sequence[Listing], dropped: int = 0, supplier: str = SUPPLIER
) -> None:
    """The worker has read a list, a minute after whatever was before."""
    parlour.clock.advance(MINUTE)
    found = sort_out(PriceList(listings=rows, dropped=dropped), GAMES)
    stocking.take_in(parlour.books, supplier, found, parlour.clock())


def lines(view: View) -> list[str]:
    return whole(view).strip().splitlines()


def test_each_list_says_what_it_holds_and_what_was_left_out(parlour: Parlour, owner: Guest) -> None:
    strange = [row(f"x{nth}", 1_000, "Telkomsel") for nth in range(3)]
    reads(parlour, [row("70", 10_000), row("140", 19_900), *strange], dropped=2)
    assert lines(owner.says("/daftar")) == [
        "📋 Daftar harga pemasok",
        "ZulTopup: 2 item, dibaca 20 Nov 2026, 12.01 WIB",
        "2 dari 7 baris dilewati, tidak terbaca",
        "Belum dikenal (✓ dijual, ✗ tidak): ✗ Telkomsel (3)",
        "",
        "Kiosgame: belum pernah terbaca",
        "",
        "Tidak ada perubahan dalam 24 jam terakhir.",
    ]
    assert owner.labels == ["Ambil sekarang", "30 hari terakhir"]


def test_changes_are_shown_newest_first_with_what_they_were(parlour: Parlour, owner: Guest) -> None:
    reads(parlour, [row("70", 10_000), row("140", 19_900), row("5", 850)])
    reads(parlour, [row("70", 10_500), row("140", 19_000), row("5", 850)])
    reads(parlour, [row("70", 10_500), row("140", 19_000), row("12", 1_750)])
    assert lines(owner.says("/daftar"))[5:] == [
        "Perubahan 24 jam terakhir:",
        "20 Nov 2026, 12.03 WIB",
        "+ 12 Diamond (Free Fire, ZulTopup): Rp1.750",
        "- 5 Diamond (Free Fire, ZulTopup): Rp850",
        "20 Nov 2026, 12.02 WIB",
        "↑ 70 Diamond (Free Fire, ZulTopup): Rp10.000 → Rp10.500",
        "↓ 140 Diamond (Free Fire, ZulTopup): Rp19.900 → Rp19.000",
    ]


def test_many_changes_come_page_by_page(parlour: Parlour, owner: Guest) -> None:
    many = [str(nth) for nth in range(100, 123)]
    reads(parlour, [row(sku, 10_000) for sku in many])
    reads(parlour, [row(sku, 10_100) for sku in many])
    seen = []
    owner.says("/daftar")
    for _ in range(3):
        seen.append([line for line in lines(owner.last) if line.startswith("↑")])
        if any("Lebih lama" in label for label in owner.labels):
            owner.taps("Lebih lama")
    assert [len(page) for page in seen] == [SHOWN_CHANGES, SHOWN_CHANGES, 3]
    assert len({line for page in seen for line in page}) == 23
    assert "ZulTopup: 23 item" not in whole(owner.last)  # the lists stand on the first page
    assert owner.labels == ["Ambil sekarang", "30 hari terakhir"]


def test_a_day_is_shown_unless_more_is_asked_for(parlour: Parlour, owner: Guest) -> None:
    reads(parlour, [row("70", 10_000)])
    reads(parlour, [row("70", 10_500)])
    parlour.clock.advance(30 * HOUR)
    assert "Tidak ada perubahan dalam 24 jam" in whole(owner.says("/daftar"))
    owner.taps("30 hari terakhir")
    assert "Perubahan 720 jam terakhir:" in whole(owner.last)
    assert "Rp10.500" in whole(owner.last)
    assert owner.labels == ["Ambil sekarang"]
    assert "Rp10.500" in whole(owner.says("/daftar 48"))
    assert "Perubahan 720 jam" in whole(owner.says("/daftar 999"))


@pytest.mark.parametrize("typed", ["/daftar 24-99", "/daftar 0", "/daftar semua", "/daftar -1"])
def test_what_makes_no_sense_shows_the_first_page_of_a_day(
    parlour: Parlour, owner: Guest, typed: str
) -> None:
    reads(parlour, [row("70", 10_000)])
    reads(parlour, [row("70", 10_500)])
    assert whole(owner.says(typed)) == whole(owner.says("/daftar"))


def test_why_the_newest_list_is_not_used_is_said(parlour: Parlour, owner: Guest) -> None:
    reads(parlour, [row(str(nth), 10_000) for nth in range(10)])
    reads(parlour, [row("1", 10_000)])
    stocking.unread(parlour.books, KG, Kept.REFUSED, "API_KEY_NOT_FOUND", parlour.clock())
    said = whole(owner.says("/daftar"))
    assert "⚠️ Yang terbaru belum dipakai, jumlah item 10 → 1" in said
    assert "⚠️ Terakhir dicoba, belum terbaca: API_KEY_NOT_FOUND" in said


def test_of_many_strange_categories_some_are_named(parlour: Parlour, owner: Guest) -> None:
    reads(parlour, [row(letter, 1_000, f"Nowhere {letter}") for letter in "ABCDEFG"])
    said = whole(owner.says("/lists"))
    assert "✗ Nowhere E (1), … +2" in said
    assert "Nowhere F" not in said


def test_an_owner_has_the_lists_fetched_and_hears_what_came_of_each(
    parlour: Parlour, owner: Guest
) -> None:
    reads(parlour, [row("70", 10_000)])
    for supplier in (SUPPLIER, KG):
        parlour.books.calls.set_list_due(supplier, parlour.clock() + HOUR)
    owner.says("/daftar")
    owner.taps("Ambil sekarang")
    assert "Siap, daftar ZulTopup, Kiosgame diambil sekarang" in whole(owner.last)
    due = {parlour.books.calls.list_due_at(supplier) for supplier in (SUPPLIER, KG)}
    assert due == {parlour.clock()}
    reads(parlour, [row("70", 10_500), row("5", 850)])
    stocking.unread(parlour.books, KG, Kept.UNREAD, "kiosgame: HTTP 502", parlour.clock())
    parlour.post()
    owner.sees("✅ Daftar ZulTopup sudah diambil: +1 -0 ↑1 ↓0")
    owner.sees("Daftar Kiosgame belum bisa diambil (kiosgame: HTTP 502)")
    reads(parlour, [row("70", 10_600), row("5", 850)])
    before = len(owner.views)
    parlour.post()
    assert len(owner.views) == before  # nobody asked again


def test_nobody_else_sees_the_lists_or_has_them_fetched(parlour: Parlour, owner: Guest) -> None:
    parlour.books.calls.set_list_due(SUPPLIER, parlour.clock() + HOUR)
    owner.says("/daftar")
    button = owner.button("Ambil sekarang")
    stranger = parlour.guest("budi")
    stranger.says("/start")
    for said in (stranger.says("/daftar"), stranger.says("/lists"), stranger.presses(button)):
        assert said is not None
        assert "Perintah itu belum ada" in whole(said)
    assert parlour.books.calls.list_due_at(SUPPLIER) == parlour.clock() + HOUR
    parlour.owners = ()  # whoever was an owner when the button was shown, and is none any more
    parlour.open(TWO)
    assert "Perintah itu belum ada" in whole(owner.presses(button) or View(text=""))
    assert parlour.books.price_lists.reading(SUPPLIER).asked_by == ()


def test_a_shop_without_suppliers_says_so(parlour: Parlour) -> None:
    parlour.open(EMPTY_SHOP)
    owner = parlour.guest("owner")
    assert whole(owner.says("/daftar")).strip() == TEXTS["id"]("balance.no_supplier")


ALERTS = {
    "list_kept": "10 → 4",
    "list_empty": "10 → 0, ✗ 60",
    "list_believed": "10 → 4",
    "list_dropped": "3/4",
    "list_undescribed": "✗ Telkomsel (3)\n… +2",
    "list_unreadable": "zultopup: services are not grouped by type",
    "prices_jumped": "↑ 70 Diamond (Free Fire): Rp10.000 → Rp13.000",
    "list_read": "+1 -0 ↑1 ↓0",
    "list_read_kept": "10 → 4",
    "list_not_read": "kiosgame: HTTP 502",
}


@pytest.mark.parametrize("alert", ALERTS)
@pytest.mark.parametrize("language", ["id", "en"])
def test_whatever_is_told_of_a_list_names_its_supplier_and_what_it_is_about(
    parlour: Parlour, owner: Guest, alert: str, language: str
) -> None:
    owner.says(f"/bahasa {language}")
    facts = {"alert": alert, "supplier": SUPPLIER, "evidence": ALERTS[alert]}
    notice = Notice(key="k", kind=NoticeKind.ALERT, address=OWNER, facts=facts)
    parlour.books.outbox.owe(notice, parlour.clock())
    parlour.post()
    assert "ZulTopup" in whole(owner.last)
    assert ALERTS[alert] in whole(owner.last)
