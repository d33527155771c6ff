"""Links to games and items: what they carry leads where it should, for every item there is."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.conversation.linking import PAYLOAD, game_of, item_of, payload_of, payload_of_game
from bot.conversation.views import Started, StepId, Typed, read_text
from shop.shelf import Item, Match
from tests.bot.conversation.finding_samples import CONFUSING, NIKKE
from tests.bot.conversation.parlour import (
    GAMES,
    NOON,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    unhurried,
    without,
)

ODD_SKUS = ["ML_86-A", "produk: 86 💎", "a/b/c", "x" * 40, "S4_ML86", "_", "é"]


def item(parlour: Parlour, key: str, game: str) -> Item:
    found = parlour.room().item(game, key)
    assert found is not None
    return found


def test_every_item_of_a_big_shelf_has_a_link_of_its_own(parlour: Parlour) -> None:
    suppliers = ("zultopup", "kiosgame", "zonegame")
    amounts = range(5, 400, 7)
    for nth, supplier in enumerate(suppliers):
        shelf = {
            **{
                game.slug: [
                    (f"{game.slug[:9]}_{nth}/{n}", f"{n} {word}", n * 300 + nth)
                    for n in amounts
                    for word in ("Diamond", "Keping Ajaib")
                ]
                for game in GAMES
            },
            "free-fire": [(sku, f"Paket {sku} {nth}", 5_000) for sku in ODD_SKUS],
        }
        parlour.stock(shelf, supplier)
    room = parlour.room()
    every = [each for game in room.games() for each in room.items(game)]
    payloads = {payload_of(each) for each in every}
    assert len(payloads) == len(every) > 3_000
    for each in every:
        payload = payload_of(each)
        assert PAYLOAD.fullmatch(payload), payload
        assert item_of(room, payload) is each
        game = game_of(room, payload)
        assert game is not None
        assert game.slug == each.game


def test_every_game_has_a_link(parlour: Parlour) -> None:
    parlour.stock(CONFUSING)
    room = parlour.room()
    for game in (*GAMES, *room.games()):
        payload = payload_of_game(game)
        assert PAYLOAD.fullmatch(payload)
        assert game_of(room, payload) == game
        assert item_of(room, payload) is None
    assert NIKKE in {game.slug for game in room.games()}


def test_a_link_says_where_it_leads(parlour: Parlour) -> None:
    good = item(parlour, "mobile-legends/diamond/86", "mobile-legends")
    assert payload_of(good) == "mobile-legends_diamond_86"
    long = replace(good, key=f"mobile-legends/{'x' * 60}/86")
    assert payload_of(long).startswith("mobile-legends_i_")
    assert payload_of(replace(good, key="mobile-legends/i/86")) != "mobile-legends_i_86"


def test_a_link_to_an_offer_leads_to_the_item_that_it_became(parlour: Parlour) -> None:
    parlour.stock({"mobile-legends": [("47", "6 Diamond (5 + 1 ekstra)", 1_500)]})
    parlour.stock({"mobile-legends": [("x6", "6 Diamond", 1_500)]}, "zonegame")
    alone = item(parlour, f"{SUPPLIER}/47", "mobile-legends")
    payload, good = payload_of(alone), "mobile-legends/diamond/6"
    assert item_of(parlour.room(), payload) is alone
    match = Match(
        supplier=SUPPLIER, sku="47", item="6 Diamond (5 + 1 ekstra)", good=good, same=True
    )
    parlour.books.shelf.match([("mobile-legends", match)], "web:owner", NOON)
    became = item_of(parlour.room(), payload)
    assert became is not None
    assert became.key == good


# --- opening one ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["/start", "mulai", "Mulai", "start", "beli", "buy", "/mulai"])
def test_a_link_to_an_item_leads_to_the_question_behind_it(budi: Guest, verb: str) -> None:
    budi.says("/start valorant")
    view = budi.says(f"{verb} mobile-legends_diamond_86")
    assert (budi.step, budi.draft.item) == (StepId.ACCOUNT, "86 Diamond")
    assert view.title == "Mobile Legends · 86 Diamond"


@pytest.mark.parametrize("verb", ["/start", "mulai", "beli"])
def test_a_link_to_a_game_leads_to_its_items(budi: Guest, verb: str) -> None:
    budi.says(f"{verb} free-fire-max")
    assert (budi.step, budi.draft.game) == (StepId.ITEM, "free-fire-max")


def test_a_link_forgets_what_was_being_bought(budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.says("/start mobile-legends_diamond_172")
    assert (budi.step, budi.draft.item, budi.draft.user_id) == (StepId.ACCOUNT, "172 Diamond", "")


def test_an_old_link_to_what_is_gone_leads_to_the_games_items_with_a_word(
    parlour: Parlour, budi: Guest
) -> None:
    for payload in ("mobile-legends_diamond_999", "mobile-legends_i_0123456789abcdef",
                    "mobile-legends_x"):  # fmt: skip
        view = budi.says(f"/start {payload}")
        assert (budi.step, budi.draft.game) == (StepId.ITEM, "mobile-legends")
        assert TEXTS["id"]("link.gone") in view.text
        assert "86 Diamond" in budi.labels


def test_a_link_to_what_is_sold_out_says_so_and_offers_others(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.books.shelf.withhold(SUPPLIER, "45")
    view = budi.says("/start mobile-legends_diamond_86")
    assert "86 Diamond sedang habis" in view.text
    assert budi.labels[0] == "172 Diamond"


def test_a_link_to_a_game_that_is_sold_out_offers_the_others(budi: Guest) -> None:
    view = budi.says("/start pubg-mobile")
    assert budi.step is StepId.GAME
    assert "PUBG Mobile sedang kosong" in view.text
    assert "Free Fire" in budi.labels


def test_a_link_to_a_game_that_the_shop_no_longer_knows_starts_as_usual(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.open(without("mobile-legends"))
    budi.says("/start mobile-legends_diamond_86")
    assert (budi.step, budi.draft.game) == (StepId.GAME, "")


@given(st.one_of(st.text(max_size=80), st.from_regex(PAYLOAD, fullmatch=True)))
@example("___")
@example("_i_")
@example("free-fire_i_")
@example("free-fire_diamond_70_")
@example("~")
@example("i_0123456789abcdef")
@unhurried
def test_nonsense_starts_as_usual(payload: str) -> None:
    parlour = Parlour()
    try:
        budi = parlour.guest()
        budi.does(Started(payload))
        assert budi.step in {StepId.GAME, StepId.ITEM, StepId.ACCOUNT}
        known = {game.slug for game in GAMES}
        if payload.partition("_")[0] not in known:
            assert (budi.step, budi.draft.game) == (StepId.GAME, "")
    finally:
        parlour.close()


# --- the words that do the same -------------------------------------------------------------------


def test_words_before_a_link_are_read_as_one_that_may_be_an_answer() -> None:
    assert read_text("mulai free-fire") == Started("free-fire", "mulai free-fire")
    assert read_text("  BELI  ml 86 ") == Started("ml 86", "BELI  ml 86")
    assert read_text("/start free-fire") == Started("free-fire")
    assert read_text("mulai") == Started()
    assert read_text("beli") == Typed("beli")
    assert read_text("membeli 86") == Typed("membeli 86")


@pytest.mark.parametrize("typed", ["beli ml 86", "buy 86 ml", "mulai ml86", "start ml 86"])
def test_words_that_are_no_link_are_looked_for(budi: Guest, typed: str) -> None:
    budi.says(typed)
    assert (budi.step, budi.draft.item) == (StepId.ACCOUNT, "86 Diamond")


def test_words_that_are_no_link_are_an_answer_where_one_is_asked_for(budi: Guest) -> None:
    budi.says("/start free-fire")
    budi.says("beli 70")
    assert (budi.step, budi.draft.item) == (StepId.ACCOUNT, "70 Diamond")
    budi.says("/start valorant")
    budi.says("475 vp")
    budi.says("Start Me#ID1")
    assert (budi.step, budi.draft.user_id) == (StepId.CONFIRM, "Start Me#ID1")
