"""Accounts as people really type them, for every game this shop knows."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.accounts import Account, Unreadable, is_user_id, read_account, read_server
from shop.games import OF_A_FEW, Ask, Game, Server
from shop.text import plain
from tests.shop.samples import in_digits_from, the_games, wide

ARABIC, PERSIAN = "\u0660", "\u06f0"  # their noughts
GAMES = the_games()
ML, FF, VALORANT = GAMES["mobile-legends"], GAMES["free-fire"], GAMES["valorant"]
GENSHIN, STAR_RAIL, ZENLESS = (
    GAMES[slug] for slug in ("genshin-impact", "honkai-star-rail", "zenless-zone-zero")
)
RAVEN, LIFEAFTER, VEDA = (
    GAMES[slug] for slug in ("punishing-gray-raven", "lifeafter", "knights-of-veda")
)
OF_ONE_STUDIO = [GENSHIN, STAR_RAIL]
ANY_GAME = st.sampled_from(list(GAMES.values()))
# No game of ours has it; an owner's may.
CLANS = replace(
    GAMES["sausage-man"],
    ask=Ask.WORD_AND_REGION,
    servers=(Server(code="s1", title="Asia 1"), Server(code="s2", title="Zona Eropa")),
)


def those_that_ask(*asks: Ask) -> list[Game]:
    return [game for game in GAMES.values() if game.ask in asks]


def by_slug(game: Game) -> str:
    return game.slug


# --- an ID and a typed server ---------------------------------------------------------------------

# Shapes seen in other shops' chats for one account: ID 938572270, server 12729.
TOGETHER = [
    "938572270 (12729)",
    "938572270(12729)",
    "938572270 12729",
    "938572270/12729",
    "938572270 / 12729",
    "938572270-12729",
    "938572270|12729",
    "938572270 | 12729",
    "938572270,12729",
    "938572270;12729",
    "938572270.12729",
    "938572270:12729",
    "938572270#12729",
    "938572270[12729]",
    "(938572270)(12729)",
    "  938572270   12729  ",
    "938572270\n12729",
    "938572270\r\n(12729)",
    "938572270\t(12729)",
    "938572270\xa0(12729)",
    "ID: 938572270 Server: 12729",
    "id 938572270 server 12729",
    "ID=938572270 Zone=12729",
    "ID938572270 ZONE12729",
    "938572270server12729",
    "User ID: 938572270\nZone ID: 12729",
    "user id 938572270 zone id 12729",
    "userid:938572270, server:12729",
    "UserID938572270ZoneID12729",
    "UID 938572270 SRV 12729",
    "Player ID : 938572270 (Server : 12729)",
    "ID Akun 938572270 Zona 12729",
    "GAME ID 938572270 ZONA 12729",
    "Akun: 938572270, wilayah: 12729",
    "938572270 server 12729",
    "938572270 id 12729 server",
    "User ID (Zone ID): 938572270 (12729)",
    "ID/Server: 938572270/12729",
    "Server: 12729 ID: 938572270",
    "Zone ID 12729, User ID 938572270",
    "server 12729 938572270",
    "12729 zona, 938572270 id",
    wide("938572270(12729)"),
    wide("938572270") + "\u3000" + wide("12729"),
    in_digits_from(ARABIC, "938572270 (12729)"),
    in_digits_from(PERSIAN, "938572270 12729"),
    "938\u200b572270\u200f (12729)",
    "\u202a938572270 (12729)\u202c",
    "\u2066938572270\u2069\u00a0\u2067(12729)\u2069",
    "\ufeff938572270\u2060 12729",
]
WITH_TYPED_SERVER = those_that_ask(Ask.NUMBER_AND_SERVER)


@pytest.mark.parametrize("game", WITH_TYPED_SERVER, ids=by_slug)
def test_an_id_with_its_server_is_understood_however_it_is_written(game: Game) -> None:
    wanted = Account(user_id="938572270", server="12729")
    assert {typed: read_account(game, typed) for typed in TOGETHER} == dict.fromkeys(
        TOGETHER, wanted
    )


@pytest.mark.parametrize(
    ("typed", "account"),
    [
        ("12345678", Account(user_id="12345678")),
        ("12345678 id", Account(user_id="12345678")),
        ("00123456 (0020)", Account(user_id="00123456", server="0020")),
        ("server 0020, id 00123456", Account(user_id="00123456", server="0020")),
        ("1234 (2001)", Account(user_id="1234", server="2001", odd=True)),
        ("1234567890123 (2001)", Account(user_id="1234567890123", server="2001", odd=True)),
        ("12345678 (20)", Account(user_id="12345678", server="20", odd=True)),
        ("12345678 (2001001)", Account(user_id="12345678", server="2001001", odd=True)),
        ("2001 12345678", Account(user_id="2001", server="12345678", odd=True)),
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
        ("Server: 2001", Unreadable.EMPTY),
        ("zone id 2001", Unreadable.EMPTY),
        ("Budi", Unreadable.LETTERS),
        ("1234567B (2001)", Unreadable.LETTERS),
        ("12345678 (SEA)", Unreadable.LETTERS),
        ("12345678 atau 2001", Unreadable.LETTERS),
        ("+12345678 2001", Unreadable.LETTERS),
        ("12345678 (2001) 99", Unreadable.TOO_MANY),
        ("12.345.678 (2001)", Unreadable.TOO_MANY),
        ("id 12345678 server 2001 id 87654321", Unreadable.TOO_MANY),
        ("12345678 id 2001", Unreadable.UNCLEAR),  # whose label is it?
        ("id 12345678 id 87654321", Unreadable.UNCLEAR),
        ("server 2001 server 2002", Unreadable.UNCLEAR),
        ("ID Server 2001", Unreadable.UNCLEAR),
        ("1234567890123", Unreadable.RUN_TOGETHER),
        ("User ID: 1234567890123", Unreadable.RUN_TOGETHER),
        ("123456782001567", Unreadable.RUN_TOGETHER),
        ("1234567890123456", Unreadable.RUN_TOGETHER),
        ("1" * 26, Unreadable.TOO_LONG),
        ("12345678 (12345678901)", Unreadable.TOO_LONG),
        (f"{'1' * 26} (2001)", Unreadable.TOO_LONG),
    ],
)
@pytest.mark.parametrize("game", WITH_TYPED_SERVER, ids=by_slug)
def test_what_is_no_account_is_asked_back_and_says_why(
    game: Game, typed: str, why: Unreadable
) -> None:
    assert read_account(game, typed) is why


# --- an ID alone ----------------------------------------------------------------------------------


@pytest.mark.parametrize("game", those_that_ask(Ask.NUMBER), ids=by_slug)
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("5123456789", "5123456789"),
        ("ID: 5123456789", "5123456789"),
        ("UID:5123456789", "5123456789"),
        ("id5123456789", "5123456789"),
        ("id akun = 5123456789", "5123456789"),
        ("Open ID: 5123456789", "5123456789"),
        (wide("(5123456789)"), "5123456789"),
        (in_digits_from(ARABIC, "5123456789"), "5123456789"),
        ("0000123456", "0000123456"),
        ("5123456789.", "5123456789"),
        ("5123456789 (2001)", Unreadable.TOO_MANY),
        ("512 345 6789", Unreadable.TOO_MANY),
        ("Budi", Unreadable.LETTERS),
        ("5123456789 Budi", Unreadable.LETTERS),
        ("51234S6789", Unreadable.LETTERS),
        ("", Unreadable.EMPTY),
        ("ID:", Unreadable.EMPTY),
        ("9" * 26, Unreadable.TOO_LONG),
    ],
)
def test_games_with_a_number_take_one_number(
    game: Game, typed: str, wanted: str | Unreadable
) -> None:
    meant = wanted if isinstance(wanted, Unreadable) else Account(user_id=wanted)
    assert read_account(game, typed) == meant


@pytest.mark.parametrize(
    ("slug", "typed", "odd"),
    [
        ("free-fire", "1234567", True),
        ("free-fire", "12345678", False),
        ("free-fire", "1" * 14, False),
        ("free-fire", "1" * 15, True),
        ("free-fire-max", "4645", True),
        ("pubg-mobile", "12345678", True),
        ("pubg-mobile", "512345678", False),
        ("honor-of-kings", "1234", True),
        ("honor-of-kings", "1" * 20, False),
        ("honor-of-kings", "1" * 21, True),
        ("call-of-duty-mobile", "1" * 9, True),
        ("call-of-duty-mobile", "1" * 25, False),
        ("arena-of-valor", "1" * 18, False),
        ("arena-of-valor", "1" * 19, True),
        ("honkai-impact-3", "12345", True),
        ("honkai-impact-3", "1" * 12, False),
        ("higgs-domino", "1" * 15, False),
        ("higgs-domino", "1" * 16, True),
        ("sausage-man", "ab", True),
        ("zepeto", "a" * 20, False),
        ("zepeto", "a" * 21, True),
    ],
)
def test_an_unusual_length_is_asked_about(slug: str, typed: str, odd: bool) -> None:
    assert read_account(GAMES[slug], typed) == Account(user_id=typed, odd=odd)


@pytest.mark.parametrize("game", those_that_ask(Ask.WORD), ids=by_slug)
@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("5sn9jf", "5sn9jf"),
        ("wakWAW55", "wakWAW55"),
        ("Budi.S_99-x", "Budi.S_99-x"),
        ("0012", "0012"),
        (" wakwaw55\n", "wakwaw55"),
        ("ID: wakwaw55", "wakwaw55"),
        ("Zepetto ID wakwaw55", "wakwaw55"),
        ("user id = budi-id", "budi-id"),
        ("(wakwaw55)", "wakwaw55"),
        (wide("wakWAW55"), "wakWAW55"),
        ("wak\u200bwaw" + in_digits_from(ARABIC, "55"), "wakwaw55"),
        ("server", "server"),  # a label elsewhere, a name when it stands alone
        ("id.server", "id.server"),
    ],
)
def test_a_word_is_kept_in_its_own_case(game: Game, typed: str, word: str) -> None:
    assert read_account(game, typed) == Account(user_id=word)
    assert is_user_id(game, word)


@pytest.mark.parametrize("game", those_that_ask(Ask.WORD), ids=by_slug)
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", Unreadable.WORD),
        ("ID:", Unreadable.WORD),
        ("Budi Santoso", Unreadable.WORD),
        ("budi 55", Unreadable.WORD),
        ("budi@55", Unreadable.WORD),
        ("budi+55", Unreadable.WORD),
        ("bud\u0456", Unreadable.WORD),  # a Cyrillic letter that looks Latin
        ("玩家一", Unreadable.WORD),
        ("b" * 26, Unreadable.TOO_LONG),
    ],
)
def test_a_word_has_no_blanks_and_no_other_signs(game: Game, typed: str, why: Unreadable) -> None:
    assert read_account(game, typed) is why


@pytest.mark.parametrize("typed", ["wakwaw55.", "-wakwaw55", "wakwaw55..."])
def test_a_sign_at_the_end_of_a_word_is_asked_about(typed: str) -> None:
    assert read_account(GAMES["zepeto"], typed) == Account(user_id=typed, odd=True)


@pytest.mark.parametrize("game", those_that_ask(Ask.RIOT_ID), ids=by_slug)
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
def test_a_riot_id_is_kept_as_its_owner_writes_it(game: Game, typed: str, riot_id: str) -> None:
    assert read_account(game, typed) == Account(user_id=riot_id)
    assert is_user_id(game, riot_id)


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


@pytest.mark.parametrize(
    ("game", "text", "can_be"),
    [
        (ML, "0123", True),
        (ML, "", False),
        (ML, "12 34", False),
        (ML, "\u0661\u0662\u0663\u0664", False),
        (ML, "²", False),
        (FF, "1" * 25, True),
        (FF, "1" * 26, False),
        (GENSHIN, "Budi", False),
        (CLANS, "Budi.99", True),
        (CLANS, "Budi#99", False),
        (VALORANT, "12345678", False),
    ],
)
def test_what_is_stored_is_known_for_a_user_id_of_its_game(
    game: Game, text: str, can_be: bool
) -> None:
    assert is_user_id(game, text) is can_be


# --- an ID and one of a few servers ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "typed", "place"),
    [
        *(
            (game, typed, place)
            for game in OF_ONE_STUDIO
            for typed, place in [
                ("612345678", "America"),
                ("712345678", "Europe"),
                ("812345678", "Asia"),
                ("1812345678", "Asia"),
                ("912345678", "TW, HK, MO"),
                ("UID: " + wide("812345678"), "Asia"),
                ("112345678", ""),  # mainland China: not sold, so it is asked
                ("181234567", ""),  # likewise: where 18 tells the server, eight more follow
                ("8123456789", ""),
                ("512345678", ""),
                ("1912345678", ""),
            ]
        ),
        (ZENLESS, "1012345678", "America"),
        (ZENLESS, "1312345678", "Asia"),
        (ZENLESS, "1512345678", "Europe"),
        (ZENLESS, "1712345678", "TW, HK, MO"),
        (ZENLESS, "12345678", ""),
        (ZENLESS, "131234567", ""),
        (RAVEN, "16746755", ""),
        (LIFEAFTER, "22512309", ""),
        (VEDA, "1122334455", ""),
    ],
)
def test_the_server_follows_from_the_uid_and_is_never_made_up(
    game: Game, typed: str, place: str
) -> None:
    code = next((server.code for server in game.servers if server.title == place), "")
    user_id = plain(typed).removeprefix("UID: ")
    assert read_account(game, typed) == Account(user_id=user_id, server=code)


@pytest.mark.parametrize("game", those_that_ask(*OF_A_FEW), ids=by_slug)
@pytest.mark.parametrize(
    "typed",
    [
        "212345678 {}",
        "212345678 ({})",
        "212345678({})",
        "212345678/{}",
        "212345678\n{}",
        "{} 212345678",
        "UID: 212345678 Server: {}",
        "UID 212345678, server {}",
        "ID=212345678; Zona = {}",
        "Server {}, ID 212345678",
        "\u200e212345678\xa0{}",
    ],
)
def test_a_uid_with_the_name_of_its_server_is_understood(game: Game, typed: str) -> None:
    for server in game.servers:
        for name in (*server.called, server.title.lower(), server.title.upper(), server.mark):
            account = read_account(game, typed.format(name))
            assert account == Account(user_id="212345678", server=server.code), name


@pytest.mark.parametrize("game", [*OF_ONE_STUDIO, ZENLESS], ids=by_slug)
def test_a_server_that_contradicts_the_uid_is_asked_back_and_never_chosen(game: Game) -> None:
    for home in game.servers:
        uid = f"{home.prefixes[-1]}12345678"
        for named in game.servers:
            read = read_account(game, f"{uid} {named.title}")
            same = named is home
            assert read == (
                Account(user_id=uid, server=home.code) if same else Unreadable.OTHER_SERVER
            )


@pytest.mark.parametrize("game", [*OF_ONE_STUDIO, ZENLESS, RAVEN], ids=by_slug)
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("512345678 Mars", Unreadable.LETTERS),
        ("512345678 Asia Europe", Unreadable.LETTERS),
        ("512345678 Budi Asia", Unreadable.LETTERS),
        ("Asia", Unreadable.LETTERS),
        ("Server Asia", Unreadable.LETTERS),
        ("", Unreadable.EMPTY),
        ("UID:", Unreadable.EMPTY),
        ("512345678 712345678", Unreadable.TOO_MANY),
        ("512345678 712345678 Asia", Unreadable.TOO_MANY),
        ("9" * 26 + " Asia", Unreadable.TOO_LONG),
    ],
)
def test_a_word_that_is_no_server_of_the_game_is_not_passed_over(
    game: Game, typed: str, why: Unreadable
) -> None:
    assert read_account(game, typed) is why


@pytest.mark.parametrize(
    ("game", "typed", "wanted"),
    [
        (RAVEN, "16746755 5000", Account(user_id="16746755", server="5000")),
        (RAVEN, "16746755 AP", Account(user_id="16746755", server="5000")),
        (LIFEAFTER, "500001/22512309", Account(user_id="22512309", server="500001")),
        (LIFEAFTER, "500001 500002", Unreadable.UNCLEAR),
        (LIFEAFTER, "22512309 red wood town", Account(user_id="22512309", server="500004")),
        (VEDA, "1122334455 kr/jp/tw", Account(user_id="1122334455", server="10040300")),
        (CLANS, "Budi.99 Asia 1", Account(user_id="Budi.99", server="s1")),
        (CLANS, "asia 1, Budi.99", Account(user_id="Budi.99", server="s1")),
        (CLANS, "id Budi.99 zona eropa", Account(user_id="Budi.99", server="s2")),
        (CLANS, "Budi.99", Account(user_id="Budi.99")),
        (CLANS, "Budi Santoso", Unreadable.WORD),
        (CLANS, "Budi.99 Mars", Unreadable.WORD),
        (CLANS, "s1 s2", Unreadable.UNCLEAR),
    ],
)
def test_a_servers_code_or_second_name_will_do(
    game: Game, typed: str, wanted: Account | Unreadable
) -> None:
    assert read_account(game, typed) == wanted


@pytest.mark.parametrize("game", those_that_ask(*OF_A_FEW), ids=by_slug)
def test_a_region_can_be_chosen_or_typed(game: Game) -> None:
    for server in game.servers:
        names = (*server.called, server.title.upper(), f" {server.title} ", server.mark)
        for typed in (*names, f"Server: {server.title}"):
            assert read_server(game, typed) == server.code
    for typed in ("", "Mars", "asia america", "8", "server"):
        assert read_server(game, typed) is Unreadable.NO_SUCH_SERVER


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("2001", "2001"),
        ("(2001)", "2001"),
        ("Server: 2001", "2001"),
        ("zone id 0020", "0020"),
        ("id server 0020", "0020"),
        (in_digits_from(ARABIC, "2001"), "2001"),
        ("", Unreadable.EMPTY),
        ("server", Unreadable.EMPTY),
        ("Asia", Unreadable.LETTERS),
        ("12345678 2001", Unreadable.LETTERS),
        ("User ID: 12345678", Unreadable.UNCLEAR),
        ("1" * 11, Unreadable.TOO_LONG),
    ],
)
def test_a_typed_server_is_one_number(typed: str, wanted: str) -> None:
    assert read_server(ML, typed) == wanted


# --- whatever they type ---------------------------------------------------------------------------

_ALPHABET = "0123456789 ()#/|-:.,;_=\n\u200b\xa0\u0661\uff12²½⑩"
_WORDS = ("id", "user id", "server", "zone", "uid", "Asia", "5000", "Budi", "18", "8", "000")
TYPED = st.one_of(
    st.text(max_size=320),
    st.text(alphabet=_ALPHABET + "idserverzonaABC", max_size=40),
    st.lists(st.sampled_from([*_WORDS, *_ALPHABET]), max_size=12).map("".join),
    st.lists(st.sampled_from([*_WORDS, "812345678", "2001"]), max_size=6).map(" ".join),
)


def digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


@given(ANY_GAME, TYPED)
def test_any_text_is_an_account_or_a_reason(game: Game, text: str) -> None:
    account = read_account(game, text)
    assert isinstance(account, Account | Unreadable)
    assert isinstance(read_server(game, text), str)
    if isinstance(account, Account):
        assert is_user_id(game, account.user_id)


@given(ANY_GAME, TYPED)
def test_o10_no_digit_is_ever_invented_moved_or_dropped(game: Game, text: str) -> None:
    account = read_account(game, text)
    if not isinstance(account, Account):
        return
    typed = plain(text)
    assert all(part in text or part in typed for part in account.user_id.split("#"))
    if game.servers:  # one of a few: named as typed, or it follows from the ID
        rest = digits(typed.replace(account.user_id, "", 1))
        named = next((s for s in game.servers if s.code == account.server), None)
        names = named.called if named else ()
        assert rest in {"", *map(digits, names)}
        return
    assert account.server in typed
    said = account.user_id + account.server
    if game.ask is not Ask.RIOT_ID:
        assert Counter(digits(said)) == Counter(digits(typed))


@given(st.from_regex(r"[0-9]{1,12}", fullmatch=True), st.from_regex(r"[0-9]{1,10}", fullmatch=True))
def test_o10_id_and_server_arrive_digit_by_digit(user_id: str, server: str) -> None:
    shapes = ("{0} ({1})", "{0}/{1}", "{0}\n{1}", "ID: {0} Zone: {1}", "Server {1} ID {0}")
    for text in (shape.format(user_id, server) for shape in shapes):
        account = read_account(ML, text)
        assert isinstance(account, Account)
        assert (account.user_id, account.server) == (user_id, server)
