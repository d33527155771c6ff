"""The owner says which offers are the same good, and can take it back."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shop import matching
from shop.suppliers import Abilities
from tests.bot.conversation.parlour import FACE, OWNER, RULES, SUPPLIER, TEXTS, Guest, Parlour

GAME = "mobile-legends"
GOOD = f"{GAME}/diamond/5"
ZG, KG, SP = "zonegame", "kiosgame", "senpay"
SAY = TEXTS["id"]
# As the suppliers' own documents have it: the prices say that it is one item, the names do not.
LISTED = {
    ZG: ("MLID5", "5 Diamond (5 + 1)", 1_500),
    KG: ("S1_1187", "5 (5+0) Diamonds", 1_511),
    SP: ("ML_5", "5 (5+0) Diamonds", 1_425),
}


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    rules = replace(
        RULES,
        abilities={slug: Abilities(dropships=True) for slug in (SUPPLIER, *LISTED)},
        suppliers=(SUPPLIER, *LISTED),
        targets=dict.fromkeys((SUPPLIER, *LISTED), "{user_id}{server_id}"),
    )
    opened = Parlour(rules=rules, face=replace(FACE, titles={ZG: "ZoneGame"}))
    for slug, (sku, name, price) in LISTED.items():
        opened.stock({GAME: [(sku, name, price)]}, slug)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


def keys(parlour: Parlour) -> set[str]:
    return {item.key for item in parlour.books.shelf.arranged(GAME).items}


def members(parlour: Parlour, good: str = GOOD) -> dict[str, bool]:
    """The suppliers of a good, and whether the owner has confirmed each."""
    item = parlour.books.shelf.item(good, GAME)
    return {m.offer.supplier: m.confirmed for m in item.members} if item is not None else {}


def test_what_can_be_read_in_two_ways_stands_alone_and_is_asked_about(
    parlour: Parlour, owner: Guest
) -> None:
    assert members(parlour) == {KG: False, SP: False}
    assert f"{ZG}/MLID5" in keys(parlour)
    view = owner.says("/cocok")
    assert view is not None
    assert view.title == SAY("match.title", number=1, count=1)
    for part in ("ZoneGame: “5 Diamond (5 + 1)” · Rp1.500", "5 Diamond (Mobile Legends)"):
        assert part in view.text
    assert "“5 (5+0) Diamonds” · Rp1.425" in view.text
    assert owner.labels == [SAY("match.same"), SAY("match.other")]


def test_a_yes_makes_it_the_same_item_that_promises_the_least(
    parlour: Parlour, owner: Guest
) -> None:
    owner.says("/cocok")
    owner.taps(SAY("match.same"))
    assert members(parlour) == {ZG: True, KG: False, SP: False}
    item = parlour.books.shelf.item(GOOD, GAME)
    assert item is not None
    assert (item.title, item.content) == ("5 Diamond", 5)
    assert matching.doubts(parlour.books) == []


def test_a_no_is_not_asked_again(parlour: Parlour, owner: Guest) -> None:
    owner.says("/cocok")
    owner.taps(SAY("match.other"))
    assert members(parlour) == {KG: False, SP: False}
    assert SAY("match.none") in owner.says("/cocok").text  # type: ignore[union-attr]


@pytest.mark.parametrize("answer", ["match.same", "match.other"])
def test_an_answer_can_be_taken_back(parlour: Parlour, owner: Guest, answer: str) -> None:
    owner.says("/cocok")
    owner.taps(SAY(answer))
    owner.taps(SAY("match.undo"))
    assert members(parlour) == {KG: False, SP: False}
    assert len(matching.doubts(parlour.books)) == 1


def test_an_offer_that_is_called_otherwise_by_now_is_asked_about_anew(
    parlour: Parlour, owner: Guest
) -> None:
    owner.says("/cocok")
    owner.taps(SAY("match.same"))
    parlour.stock({GAME: [("MLID5", "5 Diamond (5 + 2)", 1_500)]}, ZG)
    assert ZG not in members(parlour)
    assert len(matching.doubts(parlour.books)) == 1


def test_an_old_button_says_nothing_of_what_the_code_is_used_for_now(
    parlour: Parlour, owner: Guest
) -> None:
    question = owner.says("/cocok")
    parlour.stock({GAME: [("MLID5", "50 Diamond (50 + 10)", 14_000)]}, ZG)
    view = owner.taps(SAY("match.same"), on=question)
    assert view is not None
    assert view.text.startswith(SAY("match.gone"))
    assert parlour.books.shelf.matches(GAME) == []


def test_questions_can_be_passed_over(parlour: Parlour, owner: Guest) -> None:
    more = [("MLID5", "5 Diamond (5 + 1)", 1_500), ("MLID12", "11 Diamond (11 + 1)", 3_400)]
    parlour.stock({GAME: more}, ZG)
    parlour.stock(
        {GAME: [("S1_1187", "5 (5+0) Diamonds", 1_511), ("S1_1188", "12 (11+1) Diamonds", 3_372)]},
        KG,
    )
    first = owner.says("/cocok")
    second = owner.taps(SAY("match.skip"))
    third = owner.taps(SAY("match.skip"))
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.title != second.title
    assert (third.title, third.text) == (first.title, first.text)


def test_everything_that_went_together_by_itself_can_be_confirmed_at_once(
    parlour: Parlour, owner: Guest
) -> None:
    owner.says("/cocok")
    owner.taps(SAY("match.other"))
    owner.taps(SAY("match.all.look"))
    assert "5 (5+0) Diamonds" in owner.last.text
    owner.taps(SAY("match.all.yes"))
    assert members(parlour) == {KG: True, SP: True}
    assert matching.all_unconfirmed(parlour.books) == []


def test_a_yes_to_all_counts_for_what_was_shown_and_nothing_else(
    parlour: Parlour, owner: Guest
) -> None:
    owner.says("/cocok semua")
    shown = owner.last
    parlour.stock({GAME: [("MLID5", "5 (5+0) Diamonds", 1_490)]}, ZG)
    view = owner.taps(SAY("match.all.yes"), on=shown)
    assert view is not None
    assert view.text.startswith(SAY("match.all.changed"))
    assert members(parlour) == {ZG: False, KG: False, SP: False}


def test_the_routes_of_an_item_can_be_confirmed_and_set_apart(
    parlour: Parlour, owner: Guest
) -> None:
    owner.says("/rute ml 5")
    owner.taps(SAY("route.confirm"))
    assert members(parlour) == {KG: True, SP: True}
    assert SAY("route.stand_ins", confirmed=2, count=2) in owner.last.text
    owner.taps(SAY("route.apart", number=1))  # the cheapest, which is sold
    assert members(parlour) == {KG: True}
    owner.taps(SAY("match.undo"))
    assert set(members(parlour)) == {KG, SP}


def test_a_yes_under_an_item_counts_for_what_was_shown_and_nothing_else(
    parlour: Parlour, owner: Guest
) -> None:
    shown = owner.says("/rute ml 5")
    parlour.stock({GAME: [("MLID5", "5 (5+0) Diamonds", 1_490)]}, ZG)
    view = owner.taps(SAY("route.confirm"), on=shown)
    assert view is not None
    assert view.text.startswith(SAY("match.all.changed"))
    assert members(parlour) == {ZG: False, KG: False, SP: False}


def test_the_items_of_a_game_are_listed_each_with_who_delivers_it(owner: Guest) -> None:
    view = owner.says("/rute ml")
    assert view is not None
    assert "5 Diamond: senpay, biaya Rp1.596" in view.text
    owner.taps("5 Diamond")
    assert "Mobile Legends · 5 Diamond" in owner.last.title


@pytest.mark.parametrize("words", ["", "qqq", "ml 9999", "x" * 250, "sama ffffffff", "beda", "/"])
def test_nonsense_is_told_how_to_ask(owner: Guest, words: str) -> None:
    view = owner.says(f"/rute {words}")
    assert view is not None
    assert view.text
    assert owner.says(f"/cocok {words}") is not None


def test_s2_nobody_else_may_ask_or_answer(parlour: Parlour, owner: Guest) -> None:
    question = owner.says("/cocok")
    budi = parlour.guest()
    for words in ("/cocok", "/rute ml 5", "/cocok semua"):
        view = budi.says(words)
        assert view is not None
        assert SAY("command.unknown") in view.text
    budi.taps(SAY("match.same"), on=question)
    assert parlour.books.shelf.matches(GAME) == []


def test_the_owners_hear_once_a_day_that_something_is_doubtful(parlour: Parlour) -> None:
    for _ in range(3):
        matching.ask_the_owners(parlour.books, 1, parlour.clock())
    sql = "SELECT facts FROM outbox WHERE kind = 'alert'"
    assert len(parlour.connection.execute(sql).fetchall()) == 1
