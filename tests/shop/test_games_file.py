"""The games as they ship, and what an owner adds to them: each mistake is one line that helps."""

import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.accounts import Account, Unreadable, read_account
from shop.games import OF_A_FEW, Ask, Game, Server
from shop.games_file import read_games, with_own
from shop.goods import extend_words, read_words
from tests.shop.samples import the_games

GAMES = the_games()
EVERY = tuple(GAMES.values())
DOCUMENT = Path(__file__).parents[2] / "docs/games.md"
BLOOD_STRIKE = """
[[game]]
slug = "blood-strike"
title = "Blood Strike"
ask = "number"
example = "1234567890"
where = { id = "Di profil.", en = "In your profile." }
"""


def game_with(**changed: str) -> str:
    """An entry of a new game, with some keys written otherwise; an empty one is left out."""
    keys = {
        "slug": '"blood-strike"',
        "title": '"Blood Strike"',
        "ask": '"number"',
        "example": '"1234567890"',
        "where": '{ id = "Di profil.", en = "In your profile." }',
        **changed,
    }
    return "[[game]]\n" + "".join(f"{key} = {text}\n" for key, text in keys.items() if text)


def refusal(text: str) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        with_own(EVERY, text)
    return str(caught.value)


def read(text: str) -> tuple[tuple[Game, ...], str]:
    try:
        return with_own(EVERY, text), ""
    except ValueError as error:
        return (), str(error)


# --- the games as they ship -----------------------------------------------------------------------


def test_the_games_everybody_asks_for_come_first() -> None:
    assert list(GAMES)[:8] == [
        "mobile-legends",
        "free-fire",
        "free-fire-max",
        "pubg-mobile",
        "honor-of-kings",
        "valorant",
        "genshin-impact",
        "honkai-star-rail",
    ]
    assert len(GAMES) == 29


@pytest.mark.parametrize("game", EVERY, ids=lambda game: game.slug)
def test_a_game_is_described_completely(game: Game) -> None:
    assert set(game.where) == {"id", "en"}
    assert all(text == text.strip() != "" for text in (game.title, *game.where.values()))
    assert len(game.title) <= 24  # the label of a button in a list
    assert game.aliases
    assert bool(game.servers) is (game.ask in OF_A_FEW)
    assert 0 < game.usual[0] <= game.usual[1] <= 25
    assert 0 < game.usual_server[0] <= game.usual_server[1] <= 10
    prefixes = [prefix for server in game.servers for prefix in server.prefixes]
    assert len(set(prefixes)) == len(prefixes)
    assert all(len(server.title) <= 24 for server in game.servers)


@pytest.mark.parametrize("game", EVERY, ids=lambda game: game.slug)
def test_the_example_shown_to_customers_is_understood(game: Game) -> None:
    account = read_account(game, game.example)
    assert isinstance(account, Account)
    assert not account.odd
    assert bool(account.server) is game.has_server


@pytest.mark.parametrize(
    ("slug", "region"),
    [
        ("mobile-legends", "ID"),
        ("mobile-legends-brazil", "BR"),
        ("mobile-legends-philippines", "PH"),
        ("mobile-legends-malaysia", "MY"),
        ("mobile-legends-singapore", "SG"),
        ("mobile-legends-global", "GLOBAL"),
        ("pubg-mobile", "ID"),
        ("pubg-mobile-global", "GLOBAL"),
        ("magic-chess-go-go", ""),
    ],
)
def test_a_region_is_a_game_of_its_own_and_asks_the_same(slug: str, region: str) -> None:
    game = GAMES[slug]
    base = GAMES["pubg-mobile" if "pubg" in slug else "mobile-legends"]
    assert game.region == region
    assert replace(game, slug="", title="", aliases=(), region="") == replace(
        base, slug="", title="", aliases=(), region=""
    )
    assert not set(game.aliases) & set(base.aliases) or game is base


def test_every_code_of_a_supplier_stands_in_that_suppliers_document() -> None:
    codes = {
        (game.slug, supplier, code)
        for game in EVERY
        for server in game.servers
        for supplier, code in server.codes.items()
    }
    assert codes == {
        ("knights-of-veda", "senpay", code) for code in ("10040200", "10040300", "10040400")
    }


# --- what an owner adds ---------------------------------------------------------------------------


def test_an_empty_file_changes_nothing() -> None:
    assert with_own(EVERY, "") == with_own(EVERY, "# nothing yet") == EVERY
    assert read_games("") == read_games("game = []") == ()


def test_a_new_slug_is_a_new_game_after_ours() -> None:
    *ours, new = with_own(EVERY, BLOOD_STRIKE)
    assert tuple(ours) == EVERY
    assert new == Game(
        slug="blood-strike",
        title="Blood Strike",
        aliases=(),
        ask=Ask.NUMBER,
        usual=(5, 15),
        example="1234567890",
        where={"id": "Di profil.", "en": "In your profile."},
    )


def test_a_known_slug_changes_just_the_keys_it_names_and_adds_to_names() -> None:
    changed = with_own(
        EVERY,
        """
        [[game]]
        slug = "genshin-impact"
        aliases = ["genshen", "gi"]
        where.en = "At the bottom right."
        targets.zultopup = "{user_id}/{server_id}"
        servers = [
            { code = "os_asia", names = ["Asia Pasifik"], codes.zonegame = "AS" },
            { code = "os_sea", title = "SEA", prefixes = ["5"] },
        ]
        """,
    )
    before = GAMES["genshin-impact"]
    after = {game.slug: game for game in changed}["genshin-impact"]
    asia, *others = before.servers
    assert [game.slug for game in changed] == list(GAMES)
    assert after == replace(
        before,
        aliases=(*before.aliases, "genshen"),
        where={"id": before.where["id"], "en": "At the bottom right."},
        targets={"zultopup": "{user_id}/{server_id}"},
        servers=(
            replace(asia, names=(*asia.names, "Asia Pasifik"), codes={"zonegame": "AS"}),
            *others,
            Server(code="os_sea", title="SEA", prefixes=("5",)),
        ),
    )
    assert [game for game in changed if game.slug != "genshin-impact"] == [
        game for game in EVERY if game.slug != "genshin-impact"
    ]


def test_what_one_supplier_calls_a_server_leaves_what_others_call_it() -> None:
    entry = """
    [[game]]
    slug = "knights-of-veda"
    servers = [{ code = "10040200", codes.kiosgame = "SEA" }]
    """
    changed = {game.slug: game for game in with_own(EVERY, entry)}["knights-of-veda"]
    assert changed.servers[0].codes == {"senpay": "10040200", "kiosgame": "SEA"}
    assert changed.servers[1:] == GAMES["knights-of-veda"].servers[1:]


def test_a_game_that_is_like_another_has_all_but_its_names_and_its_region() -> None:
    entry = '[[game]]\nslug = "mobile-legends-turkey"\ntitle = "ML Turkey"\nlike = "mobile-legends"'
    new = with_own(EVERY, entry)[-1]
    assert new == replace(
        GAMES["mobile-legends"],
        slug="mobile-legends-turkey",
        title="ML Turkey",
        aliases=(),
        region="",
    )


def test_a_game_may_be_like_one_above_it_in_the_same_file() -> None:
    entry = '[[game]]\nslug = "blood-strike-sea"\ntitle = "BS SEA"\nlike = "blood-strike"\n'
    assert with_own(EVERY, BLOOD_STRIKE + entry)[-1].example == "1234567890"
    assert refusal(entry + BLOOD_STRIKE) == (
        "game blood-strike-sea: like: names no game that is described before it"
    )


def test_one_language_will_do_for_both() -> None:
    assert with_own(EVERY, game_with(where='{ id = "Di profil." }'))[-1].where == {
        "id": "Di profil.",
        "en": "Di profil.",
    }


@pytest.mark.parametrize("ask", ["word", "riot_id", "number_and_server"])
def test_a_new_game_may_ask_as_ours_do(ask: str) -> None:
    example = {"word": "Budi.99", "riot_id": "Budi#ID1"}.get(ask, "12345678 (2001)")
    game = with_own(EVERY, game_with(ask=f'"{ask}"', example=f'"{example}"'))[-1]
    account = read_account(game, example)
    assert isinstance(account, Account)
    assert not account.odd


def test_what_goods_are_called_stands_in_the_same_file_and_is_read_elsewhere() -> None:
    text = '[goods.free-fire]\nunits = [{ slug = "gold", title = "Golds" }]\n[every-game]\n'
    assert with_own(EVERY, text) == EVERY


# --- mistakes -------------------------------------------------------------------------------------

WHERE_IS = 'servers = [{ code = "1", title = "Asia" }, { code = "2", title = "ASIA!" }]\n'
MISTAKES = [
    (
        "this is no TOML",
        "no TOML: Expected '=' after a key in a key/value pair (at line 1, column 6)",
    ),
    ("a = 1\na = 2", "no TOML: Cannot overwrite a value (at "),
    ("game = " + "[" * 5000, "nested too deeply"),
    ("[[games]]\nslug = 'x'", "games: is no key; there are game, goods, every-game"),
    ("[game]\nslug = 'x'", "game: is written [[game]], once for each"),
    ("game = 5", "game: is written [[game]], once for each"),
    ("game = [1]", "game: is written [[game]], once for each"),
    ("[[game]]", "game 1 of the file: slug: is not 2 to 30 of a-z, 0-9 and -"),
    (game_with(slug='"Blood Strike"'), "game 1 of the file: slug: is not 2 to 30 of a-z, 0-9 an"),
    (game_with(slug='"~blood"'), "game 1 of the file: slug: is not 2 to 30 of a-z, 0-9 and -"),
    (game_with(slug='"b"'), "game 1 of the file: slug: is not 2 to 30 of a-z, 0-9 and -"),
    (game_with(slug=f'"{"b" * 31}"'), "game 1 of the file: slug: is not 2 to 30 of a-z, 0-9"),
    (game_with(slug="5"), "game 1 of the file: slug: is not 2 to 30 of a-z, 0-9 and -"),
    (BLOOD_STRIKE * 2, "game blood-strike: slug: is described twice"),
    (game_with(title=""), "game blood-strike: title: is missing"),
    (game_with(ask=""), "game blood-strike: ask: is missing"),
    (game_with(example=""), "game blood-strike: example: is missing"),
    (game_with(where=""), "game blood-strike: where: is missing"),
    (game_with(aliasses="[]"), "game blood-strike: aliasses: is no key; there are slug, like, ti"),
    (game_with(**{'"k\\u00e9y\\n"': "1"}), r"game blood-strike: 'k\xe9y\n': is no key; there are"),
    (game_with(title="5"), "game blood-strike: title: is not a text"),
    (game_with(title='"  "'), "game blood-strike: title: is not a text"),
    (
        game_with(title=r'"Blood\nStrike"'),
        "game blood-strike: title: is not plain text on one line",
    ),
    (game_with(title=r'"Blood\u202eS"'), "game blood-strike: title: is not plain text on one line"),
    (game_with(title=f'"{"b" * 41}"'), "game blood-strike: title: is not plain text on one line,"),
    (
        game_with(title='"피의 일격"'),
        "game blood-strike: aliases: '\\ud53c\\uc758 \\uc77c\\uaca9' has",
    ),
    (game_with(aliases='"bs"'), 'game blood-strike: aliases: is not a list of texts, as in ["on'),
    (game_with(aliases="[5]"), "game blood-strike: aliases: is not a text"),
    (
        game_with(aliases='["!!"]'),
        "game blood-strike: aliases: '!!' has no letter of a-z and no di",
    ),
    (
        game_with(aliases='["ML"]'),
        "game blood-strike: aliases: 'ml' is a name of mobile-legends, to",
    ),
    (
        game_with(title='"Free Fire!"'),
        "game blood-strike: aliases: 'free fire' is a name of free-fi",
    ),
    (
        '[[game]]\nslug = "free-fire"\naliases = ["pgr"]',
        "aliases: 'pgr' is a name of free-fire, too",
    ),
    (game_with(ask='"shoe_size"'), "game blood-strike: ask: is none of number, number_and_server,"),
    (
        game_with(ask='["number"]'),
        "game blood-strike: ask: is none of number, number_and_server, n",
    ),
    (game_with(usual="8"), "game blood-strike: usual: is not two lengths from 1 to 25, as in [5,"),
    (game_with(usual="[8]"), "game blood-strike: usual: is not two lengths from 1 to 25"),
    (game_with(usual="[9, 8]"), "game blood-strike: usual: is not two lengths from 1 to 25"),
    (game_with(usual="[0, 8]"), "game blood-strike: usual: is not two lengths from 1 to 25"),
    (game_with(usual="[5.0, 8]"), "game blood-strike: usual: is not two lengths from 1 to 25"),
    (game_with(usual_server="[1, 11]"), "game blood-strike: usual_server: is not two lengths fro"),
    (game_with(after_prefix="-1"), "game blood-strike: after_prefix: is not a number of digits"),
    (game_with(after_prefix="true"), "game blood-strike: after_prefix: is not a number of digits"),
    (game_with(example="1234567890"), "game blood-strike: example: is not a text"),
    (
        game_with(example='"Budi"'),
        "game blood-strike: example: is not an account as this game asks",
    ),
    (game_with(where='"Di profil."'), "game blood-strike: where: is not where.id and where.en"),
    (game_with(where="{}"), "game blood-strike: where: is not where.id and where.en"),
    (
        game_with(where='{ de = "Im Profil." }'),
        "game blood-strike: where: de: is no key; there are ",
    ),
    (game_with(where="{ id = 5 }"), "game blood-strike: where: is not a text"),
    (
        game_with(region='"Indonesia"'),
        "game blood-strike: region: is not a region in capitals, as i",
    ),
    (game_with(region="5"), "game blood-strike: region: is not a region in capitals, as in"),
    (
        game_with(like='"nothing"'),
        "game blood-strike: like: names no game that is described before",
    ),
    (game_with(like="[]"), "game blood-strike: like: names no game that is described before it"),
    (game_with(like='"free-fire"', title=""), "game blood-strike: title: is missing"),
    ('[[game]]\nslug = "free-fire"\nlike = "mobile-legends"', "game free-fire: like: is for a new"),
    (
        game_with(targets='"{user_id}"'),
        "game blood-strike: targets: is not a text for each supplier",
    ),
    (
        game_with(targets='{ "Zul Topup" = "x" }'),
        "game blood-strike: targets: 'Zul Topup' is no sup",
    ),
    (game_with(targets="{ zultopup = 5 }"), "game blood-strike: targets: is not a text"),
    (
        game_with(targets='{ zultopup = "{server_id}" }'),
        "game blood-strike: targets.zultopup: does",
    ),
    (
        game_with(targets='{ zultopup = "{user_id}{server_id}" }'),
        "game blood-strike: targets.zultopup: does not have {user_id} in it exactly once",
    ),
    (
        game_with(targets='{ zultopup = "{user_id!r}" }'),
        "game blood-strike: targets.zultopup: does not have {user_id} in it exactly once",
    ),
    (
        '[[game]]\nslug = "mobile-legends"\ntargets.zultopup = "{user_id}"',
        "game mobile-legends: targets.zultopup: does not have {user_id} and {server_id} in it exac",
    ),
    (game_with(servers="5"), "game blood-strike: servers: is not a list of servers, as in [{ code"),
    (
        game_with(servers="[5]"),
        "game blood-strike: servers: is not a list of servers, as in [{ code",
    ),
    (game_with(servers="[{}]"), "game blood-strike: servers: is not a text"),
    (game_with(servers='[{ code = "1" }]'), "game blood-strike: servers: is not a text"),
    (
        game_with(servers='[{ code = "1", title = "Asia", name = "A" }]'),
        "game blood-strike: servers: name: is no key; there are code, title, prefixes, nam",
    ),
    (
        game_with(servers='[{ code = "1", title = "Asia", prefixes = ["A"] }]'),
        "game blood-strike: servers: prefixes are not texts of digits",
    ),
    (
        game_with(servers='[{ code = "1", title = "Asia" }]'),
        "game blood-strike: servers: are not asked for where ask is number",
    ),
    (
        game_with(ask='"number_and_region"'),
        "game blood-strike: servers: are needed where ask is nu",
    ),
    (
        game_with(ask='"number_and_region"') + WHERE_IS,
        "game blood-strike: servers: asia names two of them",
    ),
    (
        '[[game]]\nslug = "genshin-impact"\nservers = [{ code = "os_usa", prefixes = ["8"] }]',
        "game genshin-impact: servers: IDs that begin with 8 live on two of them",
    ),
]


@pytest.mark.parametrize(("text", "line"), MISTAKES)
def test_a_mistake_is_one_line_that_names_game_and_key(text: str, line: str) -> None:
    said = refusal(text)
    assert line in said
    assert said.isascii()
    assert said.isprintable()
    assert len(said) < 200


def test_our_own_file_is_held_to_the_same() -> None:
    with pytest.raises(ValueError, match=r"^game blood-strike: ask: is none of "):
        read_games(game_with(ask='"shoe_size"'))


VALUES = st.recursive(
    st.one_of(st.integers(-2, 30), st.booleans(), st.text(max_size=12), st.just("{user_id}")),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text("abid", max_size=3), each),
    max_leaves=6,
)


def as_toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
        case list():
            return f"[{', '.join(map(as_toml, value))}]"
        case dict():
            pairs = (f"{as_toml(key)} = {as_toml(each)}" for key, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case _:
            raise AssertionError(value)


KEYS = ("title", "aliases", "ask", "usual", "usual_server", "example", "where", "servers", "region")


@given(
    st.sampled_from(["blood-strike", "genshin-impact"]),
    st.dictionaries(st.sampled_from([*KEYS, "targets", "after_prefix", "like"]), VALUES),
)
def test_any_entry_is_a_game_or_one_line(slug: str, written: dict[str, object]) -> None:
    text = f'[[game]]\nslug = "{slug}"\n'
    text += "".join(f"{key} = {as_toml(value)}\n" for key, value in written.items())
    games, line = read(text)
    assert line.isprintable()
    for game in (game for game in games if game.slug == slug):
        assert not isinstance(read_account(game, game.example), Unreadable)


@given(st.text(max_size=200))
def test_any_text_is_a_file_or_one_line(text: str) -> None:
    games, line = read(text)
    assert line.isprintable()
    assert bool(games) is not bool(line)


# --- the document ---------------------------------------------------------------------------------


def test_the_file_of_an_owner_that_the_document_shows_is_understood() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text("utf-8"), flags=re.DOTALL)
    games = {game.slug: game for game in with_own(EVERY, shown)}
    entries = tomllib.loads(shown)["game"]
    assert {entry["slug"] for entry in entries} <= set(games)
    assert set(games) - set(GAMES) == {"blood-strike", "mobile-legends-turkey"}
    assert games["mobile-legends-turkey"].region == "TR"
    assert games["mobile-legends"].targets == {"zultopup": "{user_id}{server_id}"}
    assert games["genshin-impact"].servers[0].codes == {"zonegame": "asia"}
    ours = read_words((files("shop") / "goods.toml").read_text("utf-8"))
    assert [unit.slug for unit in extend_words(ours, shown)["blood-strike"].units] == ["gold"]


def test_the_document_knows_every_key_and_every_way_to_ask() -> None:
    told = DOCUMENT.read_text("utf-8")
    head = (files("shop") / "games.toml").read_text("utf-8")
    for key in (*KEYS, "slug", "like", "targets", "after_prefix"):
        assert re.search(rf"^#   {key}\s", head, flags=re.MULTILINE), key
        assert f"`{key}`" in told, key
    for ask in Ask:
        assert re.search(rf"^#\s+{ask}\s", head, flags=re.MULTILINE), ask
        assert f"`{ask}`" in told, ask
