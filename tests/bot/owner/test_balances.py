"""``/saldo`` of an owner: what is ours at every supplier, asked for or by the shop's own books."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shop import ledger
from tests.bot.conversation.parlour import FACE, OWNER, SUPPLIER, TEXTS, Guest, Parlour

SILENT = "senpay"  # tells no balance
OTHER = "zonegame"


def shop(*suppliers: str) -> Parlour:
    balances = tuple(slug for slug in suppliers if slug != SILENT)
    return Parlour(face=replace(FACE, suppliers=suppliers, balances=balances))


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = shop(SUPPLIER, SILENT, OTHER)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


def by_the_books(supplier: str, balance: int, language: str = "id") -> str:
    texts = TEXTS[language]
    return texts("balance.by_the_books", supplier=supplier, balance=texts.money(balance))


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_who_tells_a_balance_is_asked_and_of_the_others_the_books_are_shown(
    parlour: Parlour, owner: Guest, language: str
) -> None:
    parlour.fund(312_500, ledger.supplier(SILENT))
    parlour.fund(1_000_000, ledger.supplier(SUPPLIER))
    owner.says(f"/bahasa {language}")
    view = owner.says("/saldo")
    asking = TEXTS[language]("balance.asking")
    assert view.text.splitlines() == [asking, by_the_books(SILENT, 312_500, language)]
    asked = {
        slug: parlour.books.calls.next_balance_request(slug) for slug in parlour.face.suppliers
    }
    assert asked == {SUPPLIER: OWNER, SILENT: None, OTHER: OWNER}


def test_where_nobody_tells_a_balance_nobody_is_asked() -> None:
    parlour = shop(SILENT)
    view = parlour.guest(address=OWNER).says("/saldo")
    assert view.text == by_the_books(SILENT, 0)
    assert parlour.books.calls.next_balance_request(SILENT) is None
    parlour.close()


def test_what_the_owner_enters_is_what_the_books_say(parlour: Parlour, owner: Guest) -> None:
    for typed in (f"/catat {SILENT} +500rb modal", f"/catat {SILENT} -50rb ditarik"):
        owner.says(typed)
        owner.taps("Ya")
        parlour.clock.advance(1_000)
    assert by_the_books(SILENT, 450_000) in owner.says("/saldo").text


def test_s2_nobody_else_is_told_what_the_books_say(parlour: Parlour) -> None:
    parlour.fund(312_500, ledger.supplier(SILENT))
    view = parlour.guest("budi").says("/saldo")
    assert "312.500" not in view.text
    assert SILENT not in view.text
