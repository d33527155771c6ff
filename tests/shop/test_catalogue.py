"""Accounts as people really type them, for every game this shop knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.catalogue import (
    Account,
    Ask,
    Game,
    Unreadable,
    canonical,
    game_of,
    read_account,
    read_games,
    read_server,
)
from shop.text import plain
from tests.shop.samples import in_digits_from, the_games, wide

ARABIC, PERSIAN = "\u0660", "\u06f0"  # their noughts
GAMES = the_games()
ML, FF, VALORANT = GAMES["mobile-legends"], GAMES["free-fire"], GAMES["valorant"]
GENSHIN, STAR_RAIL = GAMES["genshin-impact"], GAMES["honkai-star-rail"]
NUMBERS_ONLY = [game for game in GAMES.values() if game.ask is Ask.NUMBER]
WITH_REGION = [game for game in GAMES.values() if game.ask is Ask.NUMBER_AND_REGION]
ANY_GAME = st.sampled_from(list(GAMES.values()))

# Shapes seen in other shops' chats for one account: ID 12345678, server 2001.
TOGETHER = [
    "12345678 (2001)",
    "12345678(2001)",
    "12345678 2001",
    "12345678/2001",
    "12345678 / 2001",
    "12345678-2001",
    "12345678|2001",
    "12345678 | 2001",
    "12345678,2001",
    "12345678;2001",
    "12345678.2001",
    "12345678:2001",
    "12345678#2001",
    "12345678[2001]",
    "(12345678)(2001)",
    "  12345678   2001  ",
    "12345678\n2001",
    "12345678\t(2001)",
    "12345678\xa0(2001)",
    "ID: 12345678 Server: 2001",
    "id 12345678 server 2001",
    "ID=12345678 Zone=2001",
    "User ID: 12345678\nZone ID: 2001",
    "userid:12345678, server:2001",
    "UID 12345678 SRV 2001",
    "Player ID : 12345678 (Server : 2001)",
    "ID Akun 12345678 Zona 2001",
    "GAME ID 12345678 ZONA 2001",
    "12345678 server 2001",
    wide("12345678(2001)"),
    wide("12345678") + "\u3000" + wide("2001"),
    in_digits_from(ARABIC, "12345678 (2001)"),
    in_digits_from(PERSIAN, "12345678 2001"),
    "12\u200b345678\u200f (2001)",
    "\u202a12345678 (2001)\u202c",
]


@pytest.mark.parametrize("typed", TOGETHER)
def test_an_id_with_its_server_is_understood_however_it_is_written(typed: str) -> None:
    assert read_account(ML, typed) == Account(user_id="12345678", server="2001")


@pytest.mark.parametrize(
    ("typed", "account"),
    [
        ("12345678", Account(user_id="12345678")),
        ("00123456 (0020)", Account(user_id="00123456", server="0020")),
        ("1234 (2001)", Account(user_id="1234", server="2001", odd=True)),
        ("1234567890123 (2001)", Account(user_id="1234567890123", server="2001", odd=True)),
        ("12345678 (20)", Account(user_id="12345678", server="20", odd=True)),
        ("12345678 (2001001)", Account(user_id="12345678", server="2001001", odd=True)),
        ("123456789012 (123456)", Account(user_id="123456789012", server="123456")),
    ],
)
def test_lengths_are_doubted_never_refused_and_leading_zeros_stay(
    typed: str, account: Account
) -> None:
    assert read_account(ML, typed) == account


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", Unreadable.EMPTY),
        ("   ", Unreadable.EMPTY),
        ("ID:", Unreadable.EMPTY),
        ("user id server", Unreadable.EMPTY),
        ("( )", Unreadable.EMPTY),
        ("\u200b\u200b", Unreadable.EMPTY),
        ("Budi", Unreadable.LETTERS),
        ("1234567B (2001)", Unreadable.LETTERS),
        ("12345678 (SEA)", Unreadable.LETTERS),
        ("12345678 atau 2001", Unreadable.LETTERS),
        ("+12345678 2001", Unreadable.LETTERS),
        ("12345678 (2001) 99", Unreadable.TOO_MANY),
        ("12.345.678 (2001)", Unreadable.TOO_MANY),
        ("1234567890123", Unreadable.RUN_TOGETHER),
        ("123456782001567", Unreadable.RUN_TOGETHER),
        ("1234567890123456", Unreadable.RUN_TOGETHER),
        ("1" * 26, Unreadable.TOO_LONG),
        ("12345678 (12345678901)", Unreadable.TOO_LONG),
    ],
)
def test_what_is_no_account_says_why(typed: str, why: Unreadable) -> None:
    assert read_account(ML, typed) is why


@pytest.mark.parametrize("game", NUMBERS_ONLY, ids=lambda game: game.slug)
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("5123456789", "5123456789"),
        ("ID: 5123456789", "5123456789"),
        ("UID:5123456789", "5123456789"),
        ("id akun = 5123456789", "5123456789"),
        (wide("(5123456789)"), "5123456789"),
        (in_digits_from(ARABIC, "5123456789"), "5123456789"),
        ("0000123456", "0000123456"),
        ("5123456789.", "5123456789"),
        ("5123456789 (2001)", Unreadable.TOO_MANY),
        ("512 345 6789", Unreadable.TOO_MANY),
        ("Budi", Unreadable.LETTERS),
        ("5123456789 Budi", Unreadable.LETTERS),
        ("", Unreadable.EMPTY),
        ("9" * 26, Unreadable.TOO_LONG),
    ],
)
def test_games_with_a_number_take_one_number(
    game: Game, typed: str, wanted: str | Unreadable
) -> None:
    meant = wanted if isinstance(wanted, Unreadable) else Account(user_id=wanted)
    assert read_account(game, typed) == meant


@pytest.mark.parametrize(
    ("game", "typed", "odd"),
    [
        (FF, "1234567", True),
        (FF, "12345678", False),
        (FF, "1" * 14, False),
        (FF, "1" * 15, True),
        (GAMES["free-fire-max"], "4645", True),
        (GAMES["pubg-mobile"], "12345678", True),
        (GAMES["pubg-mobile"], "512345678", False),
        (GAMES["honor-of-kings"], "1234", True),
        (GAMES["honor-of-kings"], "1" * 20, False),
        (GAMES["honor-of-kings"], "1" * 21, True),
    ],
)
def test_an_unusual_length_is_asked_about(game: Game, typed: str, odd: bool) -> None:
    assert read_account(game, typed) == Account(user_id=typed, odd=odd)


@pytest.mark.parametrize(
    ("typed", "riot_id"),
    [
        ("Budi#ID1", "Budi#ID1"),
        ("Budi Santoso#ID1", "Budi Santoso#ID1"),
        ("  Budi   Santoso # ID1 ", "Budi Santoso#ID1"),
        ("bUdI#iD1", "bUdI#iD1"),
        ("한국어이름#KR1", "한국어이름#KR1"),
        ("プレイヤー#JP1", "プレイヤー#JP1"),
        ("Игроки#RU1", "Игроки#RU1"),
        ("玩家一#12345", "玩家一#12345"),
        ("Bu.di-99_x#ID123", "Bu.di-99_x#ID123"),
        ("id server#ID1", "id server#ID1"),  # words that are labels elsewhere are a name here
        ("Budi" + wide("#ID1"), "Budi#ID1"),
        ("Budi\uff03ID1", "Budi#ID1"),
        (wide("Budi") + "#ID1", wide("Budi") + "#ID1"),  # another name than Budi
        (wide("Budi#ID1"), wide("Budi") + "#ID1"),
        ("\ufb01nal\u00b2#ID1", "\ufb01nal\u00b2#ID1"),
        ("Jose\u0301#ID1", "Jos\u00e9#ID1"),  # the same letter, typed in two keystrokes
        ("Bu\u200bdi\u3164#ID1\ufe0f", "Budi#ID1"),
        ("Budi#" + in_digits_from(ARABIC, "1234"), "Budi#1234"),
        (in_digits_from(ARABIC, "1234") + "#ID1", in_digits_from(ARABIC, "1234") + "#ID1"),
        ("a" * 16 + "#12345", "a" * 16 + "#12345"),
        ("abc#abc", "abc#abc"),
    ],
)
def test_a_riot_id_is_kept_as_its_owner_writes_it(typed: str, riot_id: str) -> None:
    assert read_account(VALORANT, typed) == Account(user_id=riot_id)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "Budi",
        "Budi#",
        "#ID1",
        "ab#ID1",
        "a" * 17 + "#ID1",
        "Budi#ID",
        "Budi#ID1234",
        "Budi#ID_1",
        "Budi#I D1",
        "Budi##ID1",
        "Budi#ID1#ID2",
        "Budi\uff03#ID1",
        "\u3164\u3164\u3164#ID1",
        "12345678",
    ],
)
def test_a_riot_id_has_a_name_and_a_tag(typed: str) -> None:
    assert read_account(VALORANT, typed) is Unreadable.RIOT_ID


@pytest.mark.parametrize("game", WITH_REGION, ids=lambda game: game.slug)
@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("612345678", "America"),
        ("712345678", "Europe"),
        ("812345678", "Asia"),
        ("1812345678", "Asia"),
        ("912345678", "TW, HK, MO"),
        ("UID: " + wide("812345678"), "Asia"),
        ("112345678", ""),  # mainland China: not sold, so it is asked
        ("512345678", ""),
        ("1912345678", ""),
    ],
)
def test_the_server_follows_from_the_uid_and_is_never_made_up(
    game: Game, typed: str, place: str
) -> None:
    code = next((server.code for server in game.servers if server.title == place), "")
    account = read_account(game, typed)
    assert isinstance(account, Account)
    assert (account.server, account.odd) == (code, False)
    assert account.user_id == plain(typed).removeprefix("UID: ")


@pytest.mark.parametrize("game", WITH_REGION, ids=lambda game: game.slug)
@pytest.mark.parametrize(
    "typed",
    [
        "812345678 {}",
        "812345678 ({})",
        "812345678/{}",
        "812345678\n{}",
        "{} 812345678",
        "UID: 812345678 Server: {}",
        "UID 812345678, server {}",
        "ID=812345678; Zona = {}",
    ],
)
def test_a_uid_with_the_name_of_its_server_is_understood(game: Game, typed: str) -> None:
    for server in game.servers:
        for name in (server.title, server.title.lower(), server.code):
            account = read_account(game, typed.format(name))
            assert account == Account(user_id="812345678", server=server.code), name


@pytest.mark.parametrize("game", WITH_REGION, ids=lambda game: game.slug)
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("812345678 Mars", Unreadable.LETTERS),
        ("812345678 Asia Europe", Unreadable.LETTERS),
        ("812345678 Budi Asia", Unreadable.LETTERS),
        ("Asia", Unreadable.LETTERS),
        ("Server Asia", Unreadable.LETTERS),
        ("812345678 712345678 Asia", Unreadable.TOO_MANY),
        ("9" * 26 + " Asia", Unreadable.TOO_LONG),
    ],
)
def test_a_word_that_is_no_server_of_the_game_is_not_passed_over(
    game: Game, typed: str, why: Unreadable
) -> None:
    assert read_account(game, typed) is why


@pytest.mark.parametrize("game", WITH_REGION, ids=lambda game: game.slug)
def test_a_region_can_be_chosen_or_typed(game: Game) -> None:
    for server in game.servers:
        for typed in (server.code, server.title, server.title.upper(), f" {server.title} "):
            assert read_server(game, typed) == server.code
    for typed in ("", "Mars", "asia america", "8"):
        assert read_server(game, typed) is Unreadable.NO_SUCH_SERVER


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("2001", "2001"),
        ("(2001)", "2001"),
        ("Server: 2001", "2001"),
        ("zone id 0020", "0020"),
        (in_digits_from(ARABIC, "2001"), "2001"),
        ("", Unreadable.EMPTY),
        ("server", Unreadable.EMPTY),
        ("Asia", Unreadable.LETTERS),
        ("12345678 2001", Unreadable.LETTERS),
        ("1" * 11, Unreadable.TOO_LONG),
    ],
)
def test_a_typed_server_is_one_number(typed: str, wanted: str) -> None:
    assert read_server(ML, typed) == wanted


@given(ANY_GAME, st.text(max_size=320))
def test_any_text_is_an_account_or_a_reason(game: Game, text: str) -> None:
    assert isinstance(read_account(game, text), Account | Unreadable)
    assert isinstance(read_server(game, text), str)


@given(
    ANY_GAME, st.text(alphabet="0123456789 ()#/|-:.,;idserverzonaABC\u0661\uff12²½⑩", max_size=40)
)
def test_o10_no_digit_is_ever_invented_moved_or_dropped_between_others(
    game: Game, text: str
) -> None:
    account = read_account(game, text)
    if not isinstance(account, Account):
        return
    typed = plain(text)
    assert all(part in typed for part in account.user_id.split("#"))
    region = account.server in {server.code for server in game.servers}
    said = account.user_id + ("" if region else account.server)
    assert "".join(filter(str.isdigit, said)) == "".join(filter(str.isdigit, typed))


@given(st.from_regex(r"[0-9]{1,12}", fullmatch=True), st.from_regex(r"[0-9]{1,10}", fullmatch=True))
def test_o10_id_and_server_arrive_digit_by_digit(user_id: str, server: str) -> None:
    for text in (f"{user_id} ({server})", f"{user_id}/{server}", f"ID: {user_id} Zone: {server}"):
        account = read_account(ML, text)
        assert isinstance(account, Account)
        assert (account.user_id, account.server) == (user_id, server)


def test_the_eight_games_are_there_in_order() -> None:
    assert list(GAMES) == [
        "mobile-legends",
        "free-fire",
        "free-fire-max",
        "pubg-mobile",
        "honor-of-kings",
        "valorant",
        "genshin-impact",
        "honkai-star-rail",
    ]


def test_no_name_means_two_games() -> None:
    meant: dict[str, str] = {}
    for game in GAMES.values():
        for name in {canonical(game.title), *map(canonical, game.aliases)}:
            assert name
            assert meant.setdefault(name, game.slug) == game.slug


@pytest.mark.parametrize("game", GAMES.values(), ids=lambda game: game.slug)
def test_a_game_is_described_completely(game: Game) -> None:
    assert set(game.where) == {"id", "en"}
    assert all(text == text.strip() != "" for text in (game.title, *game.where.values()))
    assert bool(game.servers) is (game.ask is Ask.NUMBER_AND_REGION)
    assert 0 < game.usual[0] <= game.usual[1] <= 25
    assert 0 < game.usual_server[0] <= game.usual_server[1] <= 10
    codes = [server.code for server in game.servers]
    prefixes = [prefix for server in game.servers for prefix in server.prefixes]
    assert len(set(codes)) == len(codes)
    assert len(set(prefixes)) == len(prefixes)


@pytest.mark.parametrize("game", GAMES.values(), ids=lambda game: game.slug)
def test_the_example_shown_to_customers_is_understood(game: Game) -> None:
    account = read_account(game, game.example)
    assert isinstance(account, Account)
    assert not account.odd
    assert bool(account.server) is game.has_server


@pytest.mark.parametrize(
    ("category", "slug"),
    [
        ("Mobile Legends", "mobile-legends"),
        ("MOBILE LEGENDS: BANG BANG", "mobile-legends"),
        ("Free Fire", "free-fire"),
        ("Free Fire MAX!", "free-fire-max"),
        ("Honkai: Star Rail", "honkai-star-rail"),
        ("Honkai Star Rail", "honkai-star-rail"),
        (wide("PUBG") + " Mobile", "pubg-mobile"),
        ("Free Fire Advance", None),
        ("Legends", None),
        ("", None),
        ("!!!", None),
    ],
)
def test_a_suppliers_category_is_a_game_only_by_its_exact_name(
    category: str, slug: str | None
) -> None:
    found = game_of(category, list(GAMES.values()))
    assert (found.slug if found else None) == slug


@pytest.mark.parametrize("text", ["", "# nothing yet", "title = 'not games'", "game = []"])
def test_a_list_without_games_has_no_games(text: str) -> None:
    assert read_games(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "[[game]]\nslug = 'x'",
        (
            "[[game]]\nslug = 'x'\ntitle = 'X'\naliases = []\nask = 'shoe_size'\nusual = [1, 2]\n"
            "example = '1'\nwhere = {}"
        ),
        "this is not TOML",
    ],
)
def test_a_game_that_is_not_described_properly_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_games(text)
