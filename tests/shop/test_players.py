"""Players: what is known of them for how long, what orders tell, and which accounts are kept."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop import fulfilment, ordering, players, recognizing
from shop.catalogue import Game
from shop.ordering import Placed
from shop.players import LASTS, LONGEST_NICKNAME, NOBODY, Found, MustAsk, Player, SavedAccount
from shop.suppliers import FormField, FormOption, Listing, Refused, TopupState, WrongAccount
from shop.text import visible
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import SELLER, a_shop, a_wish, for_credit, paid, report
from tests.shop.samples import BUYER, GAMES, NOW, M

ML, BRAZIL, FREE_FIRE = "mobile-legends", "mobile-legends-brazil", "free-fire"
BY_SLUG: Mapping[str, Game] = {game.slug: game for game in GAMES}
ACCOUNT = {"game": ML, "user_id": "12345678", "server": "2001"}
ASKED = [Found.FOUND, Found.ABSENT, Found.UNKNOWN]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        yield opened


def budi(books: SqlBooks, game: str = ML) -> players.Whose:
    return recognizing.whose(books.rules, game, "12345678", "2001")


# --- how long an answer is believed ---------------------------------------------------------------


@pytest.mark.parametrize("found", ASKED)
def test_an_answer_is_believed_for_so_long_and_no_longer(books: SqlBooks, found: Found) -> None:
    books.players.answer(budi(books), found, "", NOW)
    last = NOW + LASTS[found] - 1
    assert recognizing.look(books, budi(books), last, asks=True).found is found
    with pytest.raises(MustAsk) as must:
        recognizing.look(books, budi(books), last + 1, asks=True)
    assert must.value.whose == budi(books)


def test_names_are_believed_for_ten_minutes_and_silence_for_one() -> None:
    assert [LASTS[found] for found in ASKED] == [10 * MINUTE, 10 * MINUTE, MINUTE]


def test_an_answer_from_a_clock_that_was_ahead_is_asked_for_again(books: SqlBooks) -> None:
    books.players.answer(budi(books), Found.FOUND, "Budi", NOW + HOUR)
    with pytest.raises(MustAsk):
        recognizing.look(books, budi(books), NOW, asks=True)


def test_where_nobody_can_be_asked_only_the_region_outlives_an_answer(books: SqlBooks) -> None:
    assert recognizing.look(books, budi(books), NOW, asks=False) == NOBODY
    books.players.answer(budi(books), Found.FOUND, "Budi", NOW)
    books.players.register(budi(books), "ID")
    assert recognizing.look(books, budi(books), NOW + HOUR, asks=False) == Player(region="ID")


def test_what_nobody_could_say_is_settled_so_that_nobody_waits_twice(books: SqlBooks) -> None:
    recognizing.settle(books, budi(books), NOW)
    assert recognizing.look(books, budi(books), NOW, asks=True).found is Found.UNKNOWN


def test_what_somebody_said_meanwhile_is_not_settled(books: SqlBooks) -> None:
    books.players.answer(budi(books), Found.FOUND, "Budi", NOW)
    recognizing.settle(books, budi(books), NOW + MINUTE)
    assert recognizing.look(books, budi(books), NOW + MINUTE, asks=True).nickname == "Budi"


# --- where accounts are registered ----------------------------------------------------------------


def test_regional_variants_share_the_accounts_of_their_game() -> None:
    variants = [slug for slug in BY_SLUG if slug.startswith(f"{ML}-")]
    assert len(variants) > 3
    assert {players.base_of(BY_SLUG, slug) for slug in (ML, *variants)} == {ML}
    assert players.base_of(BY_SLUG, "pubg-mobile-global") == "pubg-mobile"


@pytest.mark.parametrize("slug", [FREE_FIRE, "free-fire-max", "magic-chess-go-go", "~another"])
def test_a_game_that_is_not_sold_by_region_has_accounts_of_its_own(slug: str) -> None:
    assert players.base_of(BY_SLUG, slug) == slug


def test_the_game_for_a_region_is_found_if_there_is_one() -> None:
    there = players.variant_in(GAMES, ML, "BR")
    here = players.variant_in(GAMES, ML, "ID")
    assert there is not None
    assert here is not None
    assert (here.slug, there.slug) == (ML, BRAZIL)
    assert players.variant_in(GAMES, ML, "JP") is None
    assert players.variant_in(GAMES, FREE_FIRE, "BR") is None


@pytest.mark.parametrize(
    ("game", "region", "elsewhere"),
    [
        (ML, "ID", False), (ML, "BR", True), (BRAZIL, "BR", False), (BRAZIL, "ID", True),
        (ML, "", False), (FREE_FIRE, "BR", False), ("mobile-legends-global", "ID", False),
    ],
)  # fmt: skip
def test_an_account_is_elsewhere_only_if_both_regions_are_countries_that_differ(
    game: str, region: str, elsewhere: bool
) -> None:
    assert players.is_elsewhere(BY_SLUG[game], region) is elsewhere


@pytest.mark.parametrize(("said", "read"), [("ID", "ID"), (" br\n", "BR")])
def test_a_country_is_read_as_suppliers_write_it(said: str, read: str) -> None:
    assert players.read_region(said) == read


@given(st.text(max_size=12))
def test_m7_nothing_but_a_country_is_a_region(said: str) -> None:
    read = players.read_region(said)
    assert read == "" or (len(read) == 2 and read.isascii() and read.isupper())


# --- what orders tell -----------------------------------------------------------------------------


def ordered_with(books: SqlBooks, outcome: Any, **changes: Any) -> None:
    """A paid order that its supplier answers at once."""
    order = paid(books, **{**ACCOUNT, **changes})
    started = fulfilment.start(books, order, NOW + MINUTE, NOW)
    fulfilment.submitted(books, started, outcome, NOW)


@pytest.mark.parametrize("state", [TopupState.PENDING, TopupState.DELIVERED, TopupState.FAILED])
def test_an_answer_about_an_order_tells_name_and_region(books: SqlBooks, state: TopupState) -> None:
    ordered_with(books, replace(report(state), nickname="Whyy", region="ID"))
    known = recognizing.look(books, budi(books, BRAZIL), NOW, asks=True)
    assert known == Player(found=Found.FOUND, nickname="Whyy", asked_at=NOW, region="ID")
    assert [account.nickname for account in books.accounts.of(BUYER)] == ["Whyy"]


def test_a_wrong_account_tells_where_it_is_registered(books: SqlBooks) -> None:
    ordered_with(books, WrongAccount("no", nickname="Whyy", region="ID", wanted="BR"), game=BRAZIL)
    known = recognizing.look(books, budi(books), NOW, asks=True)
    assert (known.nickname, known.region) == ("Whyy", "ID")


@pytest.mark.parametrize("outcome", [WrongAccount("no", wanted="BR"), Refused("no")])
def test_a_refusal_that_names_nobody_teaches_nothing(books: SqlBooks, outcome: Refused) -> None:
    ordered_with(books, outcome)
    assert recognizing.look(books, budi(books), NOW, asks=False) == NOBODY


def test_an_answer_that_names_nobody_leaves_what_is_known(books: SqlBooks) -> None:
    books.players.answer(budi(books), Found.FOUND, "Budi", NOW)
    ordered_with(books, report(TopupState.PENDING))
    assert recognizing.look(books, budi(books), NOW, asks=True).nickname == "Budi"


_FOREIGN = st.text(max_size=80)


@given(nickname=_FOREIGN, region=_FOREIGN)
def test_m7_what_a_supplier_calls_a_player_is_one_short_line(nickname: str, region: str) -> None:
    shown = players.shown_nickname(nickname)
    assert shown == visible(shown, LONGEST_NICKNAME)
    assert len(shown) <= LONGEST_NICKNAME
    assert len(players.read_region(region)) in {0, 2}


def test_letters_from_right_to_left_turn_around_what_stands_beside_them() -> None:
    assert players.keeps_direction("•CUMAN BISA MM• ᴊᴀɢᴏᴀɴ 王者 🙂")
    assert not players.keeps_direction("Raja שלום")
    assert not players.keeps_direction("سلام")


# --- which accounts are kept ----------------------------------------------------------------------


def placed(books: SqlBooks, name: str = "W", at: int = NOW, **changes: Any) -> None:
    wish = a_wish(name, M.QRIS, **{**ACCOUNT, **changes})
    assert isinstance(ordering.place(books, wish, at), Placed)


def test_the_account_of_an_order_is_kept_with_the_name_that_was_shown(books: SqlBooks) -> None:
    placed(books, nickname="Budi")
    assert books.accounts.of(BUYER) == [SavedAccount(**ACCOUNT, used_at=NOW, nickname="Budi")]
    assert books.accounts.of("web:siti") == []


def test_what_is_declined_keeps_nothing(books: SqlBooks) -> None:
    wish = a_wish("W", M.WALLET, **ACCOUNT)
    assert not isinstance(ordering.place(books, wish, NOW), Placed)
    assert books.accounts.of(BUYER) == []


def test_credit_is_for_no_account(books: SqlBooks) -> None:
    ordering.place(books, for_credit("C", 50_000), NOW)
    assert books.accounts.of(BUYER) == []


def test_five_accounts_of_a_game_are_kept_at_most(books: SqlBooks) -> None:
    for nth in range(7):
        placed(books, f"W{nth}", NOW + nth * 20 * MINUTE, user_id=f"1234567{nth}")
    assert [account.user_id[-1] for account in books.accounts.of(BUYER)] == list("65432")


_TYPED = FormField(key="id", label="ID")
_CHOSEN = FormField(
    key="os", label="OS", options=(FormOption(name="iOS", code="1"), FormOption(name="X", code="2"))
)


@pytest.mark.parametrize(
    ("game", "form", "user_id", "kept"),
    [
        ("valorant", (_CHOSEN, _TYPED), "iOS, Budi#ID1", False),  # looks like a Riot ID
        (FREE_FIRE, (_CHOSEN, _TYPED), "iOS, 123456789", False),
        (FREE_FIRE, (_TYPED,), "123456789", True),
        (FREE_FIRE, (), "123456789", True),
        ("valorant", (), "Budi Santoso#ID1", True),
    ],
)
def test_what_was_filled_in_field_by_field_is_no_account(
    books: SqlBooks, game: str, form: tuple[FormField, ...], user_id: str, kept: bool
) -> None:
    row = Listing(sku="1", category=game, name="1 VP", price=10_000, available=True, form=form)
    books.shelf.replace(SELLER, [(game, row)], NOW)
    placed(books, game=game, user_id=user_id, server="", at=NOW + SECOND)
    assert bool(books.accounts.of(BUYER)) is kept


def test_a_listing_that_is_gone_leaves_what_the_game_asks(books: SqlBooks) -> None:
    placed(books)
    placed(books, "F", NOW + MINUTE, game=FREE_FIRE, user_id="Budi, 3", server="")
    assert [account.game for account in books.accounts.of(BUYER)] == [ML]
