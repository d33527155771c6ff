"""Which game a category names, what a supplier's form asks, and what the supplier calls things."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.simulators import (
    apigames_products,
    kiosgame_catalogue,
    senpay_catalogue,
    zonegame_products,
    zultopup_services,
)
from shop.catalogue import (
    Account,
    Ask,
    Game,
    Server,
    as_asked,
    canonical,
    fits,
    fitting_server,
    game_of,
    is_undescribed,
    is_user_id,
    meant,
    option_for,
    read_account,
    server_code,
    server_title,
    slug_of_undescribed,
    target_format,
    undescribed,
)
from shop.price_lists import Described
from shop.suppliers import FormField, FormOption
from tests.shop.samples import the_games, wide

GAMES = the_games()
EVERY = list(GAMES.values())
ML, FF, VALORANT, GENSHIN, RAVEN, VEDA = (
    GAMES[slug]
    for slug in (
        "mobile-legends",
        "free-fire",
        "valorant",
        "genshin-impact",
        "punishing-gray-raven",
        "knights-of-veda",
    )
)
SAUSAGE_MAN = GAMES["sausage-man"]
# Asks as Genshin Impact does, and knows what two suppliers call its servers.
KNOWN_THERE = replace(
    GENSHIN,
    servers=(
        Server(code="a", title="Asia", codes={"senpay": "10", "kiosgame": "AS"}),
        Server(code="e", title="Europe", names=("EU",), codes={"senpay": "20"}),
    ),
)


def typed(key: str) -> FormField:
    return FormField(key=key, label=key)


def chosen(**codes: str) -> FormField:
    options = tuple(FormOption(name=name, code=code) for name, code in codes.items())
    return FormField(key="server", label="Server List", options=options)


def named(*options: tuple[str, str]) -> FormField:
    return replace(chosen(), options=tuple(FormOption(name=n, code=c) for n, c in options))


ID = typed("id")
SERVER = typed("server")
FOUR = chosen(Asia="os_asia", America="os_usa", Europe="os_euro", SAR="os_cht")


# --- categories -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "slug"),
    [
        ("Mobile Legends", "mobile-legends"),
        ("Mobile Legends : Indonesia", "mobile-legends"),
        ("Mobile Legends [PROMO TERMURAH] V3", "mobile-legends"),
        ("PROMO Mobile Legends Q2", "mobile-legends"),
        ("MOBILE LEGENDS: BANG BANG", "mobile-legends"),
        ("Mobile Legends : Brazil", "mobile-legends-brazil"),
        ("Mobile Legends : Philippines", "mobile-legends-philippines"),
        ("Mobile Legends Malaysia V2", "mobile-legends-malaysia"),
        ("Mobile Legends - Singapore", "mobile-legends-singapore"),
        ("Mobile Legends (Global)", "mobile-legends-global"),
        ("Mobile Legends : Russia", None),
        ("Magic Chess Go Go", "magic-chess-go-go"),
        ("Free Fire", "free-fire"),
        ("Free Fire MAX!", "free-fire-max"),
        ("Free Fire MAX [PROMO TERMURAH] V3", "free-fire-max"),
        ("PUBG Mobile Indonesia V3", "pubg-mobile"),
        ("PUBG Mobile : Global", "pubg-mobile-global"),
        (wide("PUBG") + " Mobile", "pubg-mobile"),
        ("Honkai: Star Rail", "honkai-star-rail"),
        ("Honkai Star Rail", "honkai-star-rail"),
        ("Astra Knights of Veda V3", "knights-of-veda"),
        ("ARENA BREAKOUT [PROMO TERMURAH] Q2", "arena-breakout"),
        ("League of Legends : Wild Rift", "wild-rift"),
        ("Free Fire Advance", None),
        ("Legends", None),
        ("Honkai", None),
        ("V3", None),
        ("", None),
        ("!!!", None),
    ],
)
def test_a_suppliers_category_is_a_game_only_by_its_exact_name(
    category: str, slug: str | None
) -> None:
    found = game_of(category, EVERY)
    assert (found.slug if found else None) == slug


def test_a_category_without_letters_is_nobodys_even_if_a_name_is_so_too() -> None:
    assert game_of("원신", [replace(FF, aliases=("원신",))]) is None


def test_what_the_five_suppliers_sell_is_known_but_for_what_nobody_described() -> None:
    categories = {
        *(item.category for item in apigames_products.ITEMS),
        *(item.category for item in kiosgame_catalogue.ITEMS),
        *(item.category for item in senpay_catalogue.ITEMS),
        *(item.category for item in zonegame_products.ITEMS),
        *(service.kategori for service in zultopup_services.SERVICES if service.tipe == "Games"),
    }
    assert {name for name in categories if game_of(name, EVERY) is None} == {
        "Goddess of Victory: Nikke",
        "Ragnarok Origin",
        "Ragnarok Origin V3",
        "DANA",
        "Pulsa Lengkap Telkomsel V3",
    }


@pytest.mark.parametrize(
    ("said", "slug"),
    [
        ("ml", "mobile-legends"),
        ("mole", "mobile-legends"),
        ("epep", "free-fire"),
        ("ff max", "free-fire-max"),
        ("pabji", "pubg-mobile"),
        ("codm", "call-of-duty-mobile"),
        ("aov", "arena-of-valor"),
        ("lol", "league-of-legends"),
        ("mcgg", "magic-chess-go-go"),
        ("zzz", "zenless-zone-zero"),
        ("hi3", "honkai-impact-3"),
        ("pgr", "punishing-gray-raven"),
        ("pb", "point-blank"),
        ("higgs", "higgs-domino"),
    ],
)
def test_a_game_is_known_by_what_customers_call_it(said: str, slug: str) -> None:
    assert game_of(said, EVERY) == GAMES[slug]


def test_no_name_means_two_games() -> None:
    meant_by: dict[str, str] = {}
    for game in EVERY:
        for name in {canonical(game.title), *map(canonical, game.aliases)}:
            assert name
            assert meant_by.setdefault(name, game.slug) == game.slug


# --- does a form ask what the game asks? ----------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "form", "same"),
    [
        (ML, (), True),
        (ML, (ID,), False),
        (ML, (ID, SERVER), True),
        (ML, (ID, FOUR), False),
        (ML, (ID, SERVER, typed("name")), False),
        (ML, (FOUR, ID), False),
        (FF, (ID,), True),
        (FF, (ID, SERVER), False),
        (FF, (ID, FOUR), False),
        (FF, (FOUR,), False),
        (SAUSAGE_MAN, (ID,), True),
        (SAUSAGE_MAN, (ID, SERVER), False),
        (VALORANT, (ID,), True),
        (VALORANT, (ID, FOUR), False),
        (GENSHIN, (), True),
        (GENSHIN, (ID,), False),
        (GENSHIN, (ID, SERVER), False),  # nobody knows what is typed there
        (GENSHIN, (ID, FOUR), True),
        (GENSHIN, (ID, chosen(Asia="1", America="2", Europe="3")), False),  # one is missing
        (GENSHIN, (ID, named(("ASIA", "1"), ("USA", "2"), ("eu", "3"), ("SAR", "4"))), True),
        (GENSHIN, (ID, named(*(("?", s.code) for s in GENSHIN.servers))), True),  # by code alone
        (GENSHIN, (ID, replace(FOUR, options=(*FOUR.options, *named(("KR", "5")).options))), True),
        (
            GENSHIN,
            (ID, replace(FOUR, options=(*FOUR.options, *named(("asia", "5")).options))),
            False,
        ),
        (VEDA, (ID, named(*((s.title.upper(), s.code) for s in VEDA.servers))), True),
        (VEDA, (ID, SERVER), True),  # of SenPay the codes are known
        (RAVEN, (ID, named(("AP", "1"), ("EU", "2"), ("NA", "3"))), True),
        (RAVEN, (ID, named(("Asia Europe", "1"), ("EU", "2"), ("NA", "3"))), False),
        (KNOWN_THERE, (ID, named(("First", "10"), ("Second", "20"))), True),
        (KNOWN_THERE, (ID, named(("First", "AS"), ("EU", "7"))), True),  # as Kiosgame calls it
        (KNOWN_THERE, (ID, named(("Europe", "10"), ("Asia", "20"))), True),  # its codes count most
        (KNOWN_THERE, (ID, named(("One", "10"), ("Two", "10"), ("EU", "20"))), False),
        (KNOWN_THERE, (ID, named(("Asia", "EU"))), False),  # one for both
        (KNOWN_THERE, (ID, SERVER), True),
    ],
)
def test_an_offer_stands_beside_others_if_its_form_asks_what_the_game_asks(
    game: Game, form: tuple[FormField, ...], same: bool
) -> None:
    assert fits(game, "senpay", form) is same


def test_a_typed_server_is_asked_for_only_where_the_suppliers_own_codes_are_known() -> None:
    assert fits(VEDA, "senpay", (ID, SERVER))
    assert not fits(VEDA, "kiosgame", (ID, SERVER))
    assert not fits(KNOWN_THERE, "kiosgame", (ID, SERVER))  # one of the two is not known there


@pytest.mark.parametrize("game", [g for g in EVERY if g.servers], ids=lambda game: game.slug)
def test_whatever_fits_gives_each_server_an_option_of_its_own(game: Game) -> None:
    field = named(*((server.title, f"x{server.code}") for server in game.servers))
    assert fits(game, "zonegame", (ID, field))
    found = [option_for(game, "zonegame", s.code, field.options) for s in game.servers]
    assert found == list(field.options)
    assert option_for(game, "zonegame", "elsewhere", field.options) is None


# --- a game as a form asks for it -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "form", "ask"),
    [
        (ML, (), Ask.NUMBER_AND_SERVER),
        (ML, (ID,), Ask.NUMBER),
        (ML, (ID, SERVER), Ask.NUMBER_AND_SERVER),
        (ML, (ID, FOUR), Ask.NUMBER_AND_REGION),
        (FF, (ID, SERVER), Ask.NUMBER_AND_SERVER),
        (FF, (ID, FOUR), Ask.NUMBER_AND_REGION),
        (GENSHIN, (ID,), Ask.NUMBER),
        (GENSHIN, (ID, SERVER), Ask.NUMBER_AND_REGION),
        (SAUSAGE_MAN, (ID,), Ask.WORD),
        (SAUSAGE_MAN, (ID, FOUR), Ask.WORD_AND_REGION),
        (SAUSAGE_MAN, (ID, SERVER), None),
        (VALORANT, (ID,), Ask.RIOT_ID),
        (VALORANT, (ID, SERVER), None),
        (VALORANT, (ID, FOUR), None),
        (ML, (FOUR,), None),
        (ML, (FOUR, ID), None),
        (ML, (ID, SERVER, SERVER), None),
    ],
)
def test_a_form_changes_what_is_asked_or_is_asked_field_by_field(
    game: Game, form: tuple[FormField, ...], ask: Ask | None
) -> None:
    asked = as_asked(game, form)
    assert (asked.ask if asked else None) is ask
    if asked is not None:
        assert bool(asked.servers) is (ask in {Ask.NUMBER_AND_REGION, Ask.WORD_AND_REGION})


def test_a_forms_servers_are_called_as_it_calls_them_and_known_by_our_names_too() -> None:
    asked = as_asked(GENSHIN, (ID, named(("ASIA", "1"), ("AMERIKA", "2"), ("Mars", "3"))))
    assert asked is not None
    assert [server.title for server in asked.servers] == ["ASIA", "AMERIKA", "Mars"]
    assert read_account(asked, "812345678") == Account(user_id="812345678", server="ASIA")
    assert read_account(asked, "612345678 usa") == Account(user_id="612345678", server="AMERIKA")
    assert [fitting_server(asked, GENSHIN, s.code) for s in GENSHIN.servers] == [
        *("ASIA", "AMERIKA", "", "")
    ]
    assert fitting_server(asked, GENSHIN, "mars") == "Mars"
    assert fitting_server(GENSHIN, GENSHIN, "os_cht") == "os_cht"
    assert fitting_server(ML, ML, "2001") == "2001"
    assert fitting_server(FF, ML, "2001") == fitting_server(ML, ML, "") == ""


# --- what a supplier calls things -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "supplier", "server", "code"),
    [
        (KNOWN_THERE, "senpay", "a", "10"),
        (KNOWN_THERE, "kiosgame", "a", "AS"),
        (KNOWN_THERE, "kiosgame", "e", "e"),
        (GENSHIN, "senpay", "os_asia", "os_asia"),
        (ML, "senpay", "0020", "0020"),
        (FF, "senpay", "", ""),
    ],
)
def test_a_server_is_written_in_the_suppliers_own_code_where_it_is_known(
    game: Game, supplier: str, server: str, code: str
) -> None:
    assert server_code(game, supplier, server) == code


def test_people_read_a_servers_name_and_a_typed_one_as_it_was_typed() -> None:
    assert server_title(RAVEN, "5000") == "Asia-Pacific"
    assert server_title(ML, "5000") == "5000"


def test_a_games_own_target_format_counts_more_than_the_suppliers() -> None:
    game = replace(ML, targets={"zultopup": "{user_id}({server_id})"})
    assert target_format(game, "zultopup", "{user_id}{server_id}") == "{user_id}({server_id})"
    assert target_format(game, "kiosgame", "{user_id}|{server_id}") == "{user_id}|{server_id}"
    assert target_format(ML, "zultopup", "") == ""


def test_no_target_format_is_shipped_as_no_document_tells_one() -> None:
    assert [game.slug for game in EVERY if game.targets] == []


# --- games nobody described -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "slug", "title"),
    [
        ("Arena of Gods", "~arena-of-gods", "Arena Of Gods"),
        ("ARENA OF GODS [PROMO TERMURAH] V3", "~arena-of-gods", "Arena Of Gods"),
        ("Goddess of Victory: Nikke", "~goddess-of-victory-nikke", "Goddess Of Victory Nikke"),
        (wide("Blood") + " Strike!", "~blood-strike", "Blood Strike"),
        ("8 Ball Pool", "~8-ball-pool", "8 Ball Pool"),
        (
            "The Seven Deadly Sins: Grand Cross of Light",
            "~the-seven-deadly-sin-289ac570",
            "The Seven Deadly Sin…",
        ),
        ("원신", "", ""),
        ("[V3]", "", ""),
        ("", "", ""),
    ],
)
def test_a_game_nobody_described_is_called_as_its_category(
    category: str, slug: str, title: str
) -> None:
    assert slug_of_undescribed(category) == slug
    if slug:
        assert undescribed(slug).title == title


def test_long_names_that_begin_alike_stay_two_games() -> None:
    one, two = (slug_of_undescribed(f"The Seven Deadly Sins: Grand {n}") for n in ("X", "Cross"))
    assert one != two
    assert one[:20] == two[:20]


@given(st.text(max_size=80))
def test_every_category_has_a_slug_that_is_safe_and_none_of_ours_or_it_has_none(
    category: str,
) -> None:
    slug = slug_of_undescribed(category)
    assert len(slug) <= 30
    assert bool(slug) is is_undescribed(slug)
    assert slug not in GAMES
    assert set(slug.removeprefix("~")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert bool(slug) is bool(undescribed(slug).title)


def test_a_game_nobody_described_takes_an_id_of_digits_or_letters() -> None:
    game = undescribed("~blood-strike")
    for user_id in ("0012345678", "Budi.99"):
        assert read_account(game, f"ID: {user_id}") == Account(user_id=user_id)
        assert is_user_id(game, user_id)
    assert as_asked(game, (ID,)) == game
    assert as_asked(game, (ID, SERVER)) is None  # field by field, as its supplier calls them
    assert undescribed("~blood-strike", has_server=False) == game


def test_a_game_nobody_described_has_a_server_if_its_supplier_says_so() -> None:
    game = undescribed("~blood-strike", has_server=True)
    assert game.has_server
    assert read_account(game, "12345678 (2001)") == Account(user_id="12345678", server="2001")


@pytest.mark.parametrize("has_server", [None, False, True])
def test_what_is_said_of_a_game_nobody_described_is_said_in_both_languages(
    has_server: bool | None,
) -> None:
    game = undescribed("~blood-strike", has_server=has_server)
    assert set(game.where) == {"id", "en"}
    account = read_account(game, game.example)
    assert isinstance(account, Account)
    assert (bool(account.server), account.odd) == (bool(has_server), False)


# --- names in general -----------------------------------------------------------------------------


def test_names_are_compared_without_case_and_signs_and_in_other_letters_as_written() -> None:
    names = [("KR / JP", "a"), ("한국", "b"), ("일본", "c"), ("Asia", "d"), ("ASIA!", "e")]
    assert meant("kr jp", names) == "a"
    assert meant("일본", names) == "c"
    assert meant("asia", names) == ""  # two of them
    assert meant("Asia", names) == "d"
    assert meant("", names) == meant("?", names) == meant("중국", names) == ""


@pytest.mark.parametrize(
    ("category", "other"),
    [
        ("Mobile Legends [Brazil]", "mobile-legends"),
        ("Mobile Legends [Malaysia] V2", "mobile-legends"),
        ("PUBG Mobile [Global]", "pubg-mobile"),
        ("Free Fire [MAX]", "free-fire"),
    ],
)
def test_o10_a_region_in_brackets_is_another_game(category: str, other: str) -> None:
    for found in (game_of(category, GAMES.values()), Described(GAMES.values()).game(category)):
        assert found is None or found.slug != other


def test_nor_are_two_undescribed_regions_one_game() -> None:
    first, second = (f"Arena of Gods [{region}]" for region in ("Brazil", "Global"))
    assert slug_of_undescribed(first) != slug_of_undescribed(second)
