"""Single prices, items off the shelf, and the forms of suppliers; the same on both databases."""

from dataclasses import replace

import pytest

from shop.suppliers import FormField, FormOption, Listing
from shop.time import MINUTE
from storage.books import SqlBooks
from storage.database import Transaction
from tests.shop.samples import NOW

SP, GAME = "senpay", "free-fire"
FORM = (
    FormField(key="player_id", label="Player ID"),
    FormField(
        key="server",
        label="Server — “pilih” \N{PARTY POPPER} ' \" \\ %s :id",
        options=(
            FormOption(name="Asia", code="10040300"),
            FormOption(name="Eropa & Amerika", code="os_euro"),
        ),
    ),
)


def listing(sku: str, price: int = 100, form: tuple[FormField, ...] = ()) -> Listing:
    return Listing(sku=sku, category="", name=sku, price=price, available=True, form=form)


def repriced(sku: str, price: int, *, available: bool) -> Listing:
    return replace(listing(sku, price), available=available)


def stock(books: SqlBooks, *listings: Listing, supplier: str = SP, now: int = NOW) -> None:
    books.shelf.replace(supplier, [(GAME, each) for each in listings], now)


def shelf(books: SqlBooks) -> list[tuple[str, str, int]]:
    """What is offered; the same whichever way it is asked for."""
    offers = books.shelf.offers(GAME, 0)
    for offer in offers:
        assert books.shelf.offer(offer.supplier, offer.sku, 0) == offer
    return [(offer.supplier, offer.sku, offer.listed) for offer in offers]


@pytest.fixture
def stocked(books: SqlBooks) -> SqlBooks:
    """Two suppliers that sell the same two items."""
    for supplier in (SP, "kiosgame"):
        stock(books, listing("a", 100), listing("b", 200), supplier=supplier)
    return books


THEIRS = [("kiosgame", "a", 100), ("kiosgame", "b", 200)]


# --- off the shelf, and on it again ---


def test_an_item_that_is_withheld_is_not_offered_and_no_other_is(stocked: SqlBooks) -> None:
    stocked.shelf.withhold(SP, "a")
    assert sorted(shelf(stocked)) == [*THEIRS, (SP, "b", 200)]
    assert stocked.shelf.offer(SP, "a", 0) is None
    stocked.shelf.withhold(SP, "a")
    stocked.shelf.withhold(SP, "unknown")
    stocked.shelf.withhold("unknown", "b")
    assert sorted(shelf(stocked)) == [*THEIRS, (SP, "b", 200)]


def test_an_item_that_is_withheld_still_counts_as_stored(stocked: SqlBooks) -> None:
    """A list that has lost half of its items is doubted: withholding loses none."""
    stocked.shelf.withhold(SP, "a")
    assert stocked.shelf.stored(SP) == (2, NOW)


def test_a_price_that_was_read_brings_an_item_back_at_that_price(stocked: SqlBooks) -> None:
    stocked.shelf.withhold(SP, "a")
    stocked.shelf.reprice(SP, listing("a", 150))
    assert sorted(shelf(stocked)) == [*THEIRS, (SP, "a", 150), (SP, "b", 200)]


def test_an_item_that_is_not_to_be_had_is_withheld_at_its_new_price(stocked: SqlBooks) -> None:
    stocked.shelf.reprice(SP, repriced("a", 150, available=False))
    assert sorted(shelf(stocked)) == [*THEIRS, (SP, "b", 200)]
    stocked.shelf.reprice(SP, listing("a", 150))
    assert (SP, "a", 150) in shelf(stocked)


def test_what_costs_more_now_stands_behind_what_costs_less(stocked: SqlBooks) -> None:
    stocked.shelf.reprice("kiosgame", listing("a", 300))
    assert [sku for supplier, sku, _ in shelf(stocked) if supplier == "kiosgame"] == ["b", "a"]


@pytest.mark.parametrize("available", [True, False])
def test_a_price_of_what_is_not_listed_puts_nothing_on_the_shelf(
    stocked: SqlBooks, available: bool
) -> None:
    before = shelf(stocked)
    stocked.shelf.reprice(SP, repriced("c", 1, available=available))
    stocked.shelf.reprice("unknown", repriced("a", 1, available=available))
    assert shelf(stocked) == before


def test_a_new_list_says_what_is_sold_whatever_was_withheld(stocked: SqlBooks) -> None:
    stocked.shelf.withhold(SP, "a")
    stocked.shelf.withhold("kiosgame", "a")
    stock(stocked, listing("a", 120), now=NOW + 1)
    assert sorted(shelf(stocked)) == [THEIRS[1], (SP, "a", 120)]


def test_a_price_alone_makes_no_old_list_fresh(stocked: SqlBooks) -> None:
    stocked.shelf.reprice(SP, listing("a", 150))
    assert stocked.shelf.offer(SP, "a", NOW + 1) is None


# --- prices to ask for ---


def asked_next(books: SqlBooks, now: int = NOW, supplier: str = SP) -> str | None:
    return books.shelf.next_price_question(supplier, now)


def test_what_is_due_the_longest_is_asked_for_first_then_by_name(books: SqlBooks) -> None:
    for sku, at in (("d", NOW), ("b", NOW - 1), ("a", NOW), ("e", NOW + 1), ("c", NOW - 2)):
        books.shelf.ask_price(SP, sku, at)
    found = []
    while (due := asked_next(books)) is not None:
        found.append(due)
        books.shelf.price_answered(SP, due)
    assert found == ["c", "b", "a", "d"]
    assert asked_next(books, NOW + 1) == "e"


def test_when_a_price_is_next_asked_for_is_known(books: SqlBooks) -> None:
    assert books.shelf.next_price_question_at(SP) is None
    books.shelf.ask_price(SP, "a", NOW + 5)
    books.shelf.ask_price(SP, "b", NOW + 3)
    books.shelf.ask_price("kiosgame", "a", NOW)
    assert books.shelf.next_price_question_at(SP) == NOW + 3
    books.shelf.price_answered(SP, "b")
    assert books.shelf.next_price_question_at(SP) == NOW + 5


@pytest.mark.parametrize("then", [NOW + MINUTE, NOW - MINUTE])
def test_asked_for_again_a_price_is_one_question_at_the_new_time(
    books: SqlBooks, then: int
) -> None:
    books.shelf.ask_price(SP, "a", NOW)
    books.shelf.ask_price(SP, "a", then)
    assert books.shelf.next_price_question_at(SP) == then
    books.shelf.price_answered(SP, "a")
    assert books.shelf.next_price_question_at(SP) is None


def test_an_answer_is_one_suppliers_answer_about_one_item(books: SqlBooks) -> None:
    for supplier, sku in ((SP, "a"), (SP, "b"), ("kiosgame", "a")):
        books.shelf.ask_price(supplier, sku, NOW)
    books.shelf.price_answered(SP, "a")
    books.shelf.price_answered(SP, "unknown")
    assert (asked_next(books), asked_next(books, supplier="kiosgame")) == ("b", "a")


def test_whoever_asks_suppliers_hears_of_a_new_question(books: SqlBooks, tx: Transaction) -> None:
    tx.rang = False  # type: ignore[attr-defined]
    books.shelf.ask_price(SP, "a", NOW)
    assert tx.rang  # type: ignore[attr-defined]


# --- forms ---


def test_a_form_is_kept_field_by_field_with_its_choices(books: SqlBooks) -> None:
    stock(books, listing("a", form=FORM), listing("b", 200))
    one, other = books.shelf.offers(GAME, 0)
    assert (one.form, other.form) == (FORM, ())
    offer = books.shelf.offer(SP, "a", 0)
    assert offer is not None
    assert offer.form == FORM


def test_forms_that_differ_in_a_letter_are_not_taken_for_each_other(books: SqlBooks) -> None:
    other = (replace(FORM[0], label="Player Id"), FORM[1])
    stock(books, listing("a", 1, FORM), listing("b", 2, other), listing("c", 3, FORM))
    assert [offer.form for offer in books.shelf.offers(GAME, 0)] == [FORM, other, FORM]


def test_a_new_list_brings_its_own_form(books: SqlBooks) -> None:
    stock(books, listing("a", form=FORM))
    stock(books, listing("a"), now=NOW + 1)
    assert [offer.form for offer in books.shelf.offers(GAME, 0)] == [()]


def test_a_price_that_was_read_leaves_the_form_alone(books: SqlBooks) -> None:
    """The answer about one product does not show it."""
    stock(books, listing("a", form=FORM))
    books.shelf.reprice(SP, listing("a", 150))
    assert [(offer.listed, offer.form) for offer in books.shelf.offers(GAME, 0)] == [(150, FORM)]
