"""What names on price lists mean: as a careful reseller reads them, and never more than that."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.catalogue import Game, game_of
from shop.goods import (
    EVERY_GAME,
    NO_WORDS,
    Good,
    Kind,
    Named,
    Words,
    extend_words,
    good_called,
    read_words,
    recognise,
    title_of,
)
from shop.text import plain
from shop.words import BETWEEN_NUMBERS
from tests.shop.labelled_goods import OF_GAMES, ROWS, Row
from tests.shop.samples import the_games, wide

GAMES = the_games()
TEXT = (files("shop") / "goods.toml").read_text("utf-8")
WORDS = read_words(TEXT)
ML, FF, GENSHIN = GAMES["mobile-legends"], GAMES["free-fire"], GAMES["genshin-impact"]

# Every game of which we know the targets (the sheet of suppliers), and what is counted in it.
UNITS = {
    "mobile-legends": "86 Diamond",
    "mobile-legends-brazil": "86 Diamond",
    "mobile-legends-philippines": "86 Diamond",
    "mobile-legends-malaysia": "86 Diamond",
    "mobile-legends-singapore": "86 Diamond",
    "mobile-legends-global": "86 Diamond",
    "magic-chess-go-go": "86 Diamond",
    "free-fire": "86 Diamond",
    "free-fire-max": "86 Diamond",
    "pubg-mobile": "86 UC",
    "pubg-mobile-global": "86 UC",
    "honor-of-kings": "86 Token",
    "call-of-duty-mobile": "86 CP",
    "arena-of-valor": "86 Voucher",
    "valorant": "86 VP",
    "league-of-legends": "86 RP",
    "wild-rift": "86 Wild Cores",
    "genshin-impact": "86 Genesis Crystals",
    "honkai-star-rail": "86 Oneiric Shard",
    "zenless-zone-zero": "86 Monochrome",
    "honkai-impact-3": "86 Crystal",
    "punishing-gray-raven": "86 Rainbow Card",
    "lifeafter": "86 Credit",
    "arena-breakout": "86 Bond",
    "knights-of-veda": "86 Star Crystal",
    "sausage-man": "86 Candy",
    "point-blank": "86 PB Cash",
    "zepeto": "86 ZEM",
    "higgs-domino": "86 Koin Emas",
}


def read(name: str, game: Game = ML) -> Good | None:
    return recognise(game, WORDS[game.slug], name)


def in_short(good: Good | None) -> str:
    """A reading as one line: "86 diamond", "5|6 diamond ?", "pass 2 wdp", "none"."""
    if good is None:
        return "none"
    amounts = "|".join(map(str, good.amounts))
    kind = "pass " if good.kind is Kind.PASS else ""
    return f"{kind}{amounts} {good.unit}{'' if good.certain else ' ?'}"


# --- Amounts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        # plain
        ("86 Diamonds", "86 diamond"),
        ("86 diamond", "86 diamond"),
        ("86 dm", "86 diamond"),
        ("86dm", "86 diamond"),
        ("💎 86", "86 diamond"),
        ("86💎", "86 diamond"),
        ("💎 86 Diamonds 💎", "86 diamond"),
        ("Diamond 86", "86 diamond"),
        ("DM - 9288 Diamonds", "9288 diamond"),
        # the headline is the total
        ("86 Diamonds (78 + 8 Bonus)", "86 diamond"),
        ("86 Diamonds (78 + Bonus 8)", "86 diamond"),
        ("86 Diamonds (78 Diamonds + 8 Bonus)", "86 diamond"),
        ("86 Diamonds (70 + 8 + 8)", "86 diamond"),
        ("5 (5+0) Diamonds", "5 diamond"),
        ("717(638+79) Diamond", "717 diamond"),
        ("2.195 Diamonds (1.860 + 335)", "2195 diamond"),
        ("86 Diamonds (78 + 8", "86 diamond"),
        # the headline is the base: 5 to some, 6 to others
        ("5 Diamond (5 + 1)", "5|6 diamond ?"),
        ("60 + 1 Diamonds", "60|61 diamond ?"),
        ("60 Diamonds + 1 Bonus", "60|61 diamond ?"),
        ("(60 + 1) Diamonds", "60|61 diamond ?"),
        ("50+50 Diamonds", "50|100 diamond ?"),
        ("80 Diamonds (8 Bonus)", "80|88 diamond ?"),
        ("80 Diamonds (Bonus 8)", "80|88 diamond ?"),
        ("60 + 0 Diamonds", "60 diamond"),
        # neither
        ("100 Diamonds (30 + 50 Bonus)", "none"),
        ("86 Diamonds (8 + 78)", "86 diamond"),
        ("86 Diamonds (100 + 8)", "none"),
        # doubled, or two of them
        ("86 Diamonds x2", "86|172 diamond ?"),
        ("2x 86 Diamonds", "86|172 diamond ?"),
        ("86 Diamonds 2×", "86|172 diamond ?"),  # noqa: RUF001
        ("86 Diamonds Bonus", "86 diamond ?"),
        ("86 Diamonds + Bonus", "86 diamond ?"),
        ("86 Diamonds Bonus x2", "none"),
    ],
)
def test_an_amount_is_what_its_numbers_say(name: str, wanted: str) -> None:
    assert in_short(read(name)) == wanted


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("10.000", 10_000),
        ("10,000", 10_000),
        ("1.000.000", 1_000_000),
        ("999", 999),
        ("1000", 1_000),
        (wide("10.000"), 10_000),
        ("1.000,000", 0),  # one sign, not two
        ("10.00", 0),
        ("1.0000", 0),
        ("0.500", 0),
        ("010", 0),
        ("0", 0),
        ("10 000", 0),
        ("1e3", 0),
        ("10..000", 0),
        ("1000000000000", 10**12),
        ("1000000000001", 0),
    ],
)
def test_thousands_are_written_with_a_point_or_a_comma(written: str, amount: int) -> None:
    good = read(f"{written} Diamond")
    assert (good.amount if good else 0) == amount


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("1M Koin", "1000000 koin-emas"),
        ("1B Koin Emas", "1000000000 koin-emas"),
        ("1.5B Koin", "1500000000 koin-emas"),
        ("2,25 M Chips", "2250000 koin-emas"),
        ("50 juta koin", "50000000 koin-emas"),
        ("50 Jt Koin", "50000000 koin-emas"),
        ("500rb koin", "500000 koin-emas"),
        ("1.500M Koin", "none"),
        ("M 5 Koin", "5 koin-emas ?"),
        ("juta koin", "none"),
        ("30M", "none"),
    ],
)
def test_a_game_that_counts_in_millions_says_so(name: str, wanted: str) -> None:
    assert in_short(read(name, GAMES["higgs-domino"])) == wanted


@pytest.mark.parametrize("name", ["1M Diamond", "10K Diamonds", "1 juta Diamond", "86abc Diamond"])
def test_where_a_game_does_not_a_number_with_letters_is_no_number(name: str) -> None:
    good = read(name)
    assert good is None or not good.certain


# --- Passes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Weekly Diamond Pass", "pass 1 weekly-diamond-pass"),
        ("WEEKLY DIAMOND PASS", "pass 1 weekly-diamond-pass"),
        ("Weekly-Diamond-Pass", "pass 1 weekly-diamond-pass"),
        ("WDP", "pass 1 weekly-diamond-pass"),
        ("Weekly Pass", "pass 1 weekly-diamond-pass"),
        ("Mingguan", "pass 1 weekly-diamond-pass"),
        ("Weekly Diamond Pass (WDP)", "pass 1 weekly-diamond-pass"),
        ("2x Weekly Diamond Pass", "pass 2 weekly-diamond-pass"),
        ("Weekly Diamond Pass x2", "pass 2 weekly-diamond-pass"),
        ("Weekly Diamond Pass 2x", "pass 2 weekly-diamond-pass"),
        ("Weekly Diamond Pass (x 2)", "pass 2 weekly-diamond-pass"),
        ("WDP 10X", "pass 10 weekly-diamond-pass"),
        ("1x Weekly Diamond Pass", "pass 1 weekly-diamond-pass"),
        ("Weekly Diamond Pass V3", "pass 1 weekly-diamond-pass"),
        ("Weekly Diamond Pass S4", "pass 1 weekly-diamond-pass ?"),  # a season?
        ("2 Weekly Diamond Pass", "pass 2 weekly-diamond-pass ?"),
        ("0x Weekly Diamond Pass", "none"),
        ("Weekly Diamond Pass x2 (2x)", "none"),
        ("Starlight", "pass 1 starlight-member"),
        ("Starlight Member", "pass 1 starlight-member"),
        ("Starlight Plus", "pass 1 starlight-member-plus"),
        ("Starlight Member Plus", "pass 1 starlight-member-plus"),
        ("Starlight Ultra", "pass 1 starlight-member ?"),
        ("Twilight Pass + Starlight", "none"),
        ("Weekly Diamond Pass + 86 Diamonds", "none"),
        ("5x Weekly Diamond Pass (1100 DM)", "none"),
        ("86 Diamonds Mingguan", "none"),
        ("7 Diamonds", "7 diamond"),
        ("Weekly", "none"),
        ("Weekly Diamnod Pass", "none"),  # never by likeness
        ("Diamond Pass", "none"),
    ],
)
def test_a_pass_is_known_by_its_exact_name_only(name: str, wanted: str) -> None:
    assert in_short(read(name)) == wanted


def test_a_number_can_be_part_of_a_pass() -> None:
    pubg = GAMES["pubg-mobile"]
    assert in_short(read("Prime 1 Bulan", pubg)) == "pass 1 prime-1-month"
    assert in_short(read("2x Prime 1 Month", pubg)) == "pass 2 prime-1-month"
    assert in_short(read("Prime Plus 1 Month", pubg)) == "pass 1 prime-plus-1-month"
    assert in_short(read("Prime 3 Month", pubg)) == "none"
    assert in_short(read("60 UC (50 + 10)", pubg)) == "60 uc"


# --- What else stands in a name ------------------------------------------------------------------


@pytest.mark.parametrize(
    "around",
    [
        "{} [PROMO TERMURAH]",
        "[PROMO TERMURAH] {} V3",
        "{} Q2",
        "{} S4",
        "{} (Instant)",
        "{} - Proses Cepat",
        "🔥 {} 🔥",
        "Top Up {}",
        "MLBB {}",
        "Mobile Legends: Bang Bang - {}",
        "{} Mobile Legends Indonesia",
        "{} (ID)",
        "{} Indonesia",
        "{} 🇮🇩",
        "  {}  ",
        "\u200b{}\u200f",
        "*{}*",
    ],
)
def test_what_only_tells_routes_apart_does_not_matter(around: str) -> None:
    assert in_short(read(around.format("86 Diamonds (78 + 8)"))) == "86 diamond"


@pytest.mark.parametrize(
    "around",
    [
        "{} Joki",
        "Gift {}",
        "{} Voucher",
        "{} Via Login",
        "{} Brazil",
        "{} BR",
        "{} 🇧🇷",
        "{} Global",
        "{} PH",
        "{} MY",
        "{} SG",
        "{} RU",
        "{} TR",
        "{} EU",
        "{} Asia",
        "{} 30 Hari",
        "{} + 10 Gold",
        "{} + 1 Skin",
        "{} Akun Baru",
        "{} Bonus x2",
        "{} First Recharge x2",
        "{} Flash Sale Limited 1x",
        "\u202e{}",
        "{}\u00b2",
        "{} V3.5",
        "{} V345",
        "{} C6",
    ],
)
def test_what_makes_it_another_thing_leaves_nothing_to_ask(around: str) -> None:
    assert read(around.format("86 Diamonds")) is None


@pytest.mark.parametrize(
    "around",
    [
        "{} Promo",
        "{} First Recharge",
        "Double {}",
        "{} Pre-Order",
        "{} Server Asphodel",
        "{} MAX",
        "Free Fire {}",
        "{} ?",
        "±{}",
        "{} %",
        "<b>{}</b>",
        "🎁 {}",
        "{} Гарантия",
        "{} #1st",
    ],
)
def test_a_word_that_nobody_knows_is_a_doubt(around: str) -> None:
    for name in ("86 Diamonds", "Weekly Diamond Pass", "86 Diamonds (78 + 8)"):
        good = read(around.format(name))
        assert good is None or not good.certain, good


def test_the_owner_is_asked_about_one_number_among_words_that_nobody_knows() -> None:
    assert in_short(read("86 Diamonds First Recharge")) == "86 diamond ?"
    assert in_short(read("86 Diamonds and 5 Rubies")) == "none"
    assert in_short(read("50 Diamond (50 + 50) First Topup")) == "none"


@pytest.mark.parametrize(
    ("slug", "name", "wanted"),
    [
        ("mobile-legends-brazil", "86 Diamonds Brazil", "86 diamond"),
        ("mobile-legends-brazil", "86 Diamonds Indonesia", "none"),
        ("mobile-legends-global", "86 Diamonds Global", "86 diamond"),
        ("pubg-mobile", "60 UC Global", "none"),
        ("pubg-mobile-global", "60 UC Global", "60 uc"),
        # Where accounts are of no region, it may be a server or a country: ask.
        ("genshin-impact", "60 Genesis Crystals Asia", "60 genesis-crystal ?"),
        ("valorant", "475 VP Malaysia", "475 vp ?"),
        ("free-fire", "70 Diamonds MAX", "none"),
        ("free-fire", "Free Fire MAX 70 Diamonds", "none"),
        ("free-fire-max", "Free Fire MAX 70 Diamonds", "70 diamond"),
        ("free-fire-max", "FF MAX 70 Diamonds", "70 diamond"),
        ("free-fire-max", "Free Fire 70 Diamonds", "70 diamond ?"),
        ("free-fire-max", "70 Diamonds MAX", "70 diamond ?"),
        ("arena-of-valor", "40 Vouchers", "40 voucher"),
        ("arena-of-valor", "Kode 40 Vouchers", "none"),
        ("zepeto", "60 Zepeto Zem", "60 zem"),
        ("valorant", "475 Valorant Points", "475 vp"),
        ("free-fire", "5 Diamond Free Fire", "5 diamond"),
        ("free-fire", "86 UC", "none"),
        ("zenless-zone-zero", "60 Polychrome", "60 polychrome"),
        ("zenless-zone-zero", "60 Polychrome 60 Monochrome", "none"),
    ],
)
def test_games_and_regions_are_kept_apart(slug: str, name: str, wanted: str) -> None:
    assert in_short(read(name, GAMES[slug])) == wanted


def test_a_game_without_words_has_no_goods() -> None:
    assert recognise(ML, NO_WORDS, "86 Diamonds") is None
    assert recognise(ML, Words(), "Weekly Diamond Pass") is None


# --- Keys and titles -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "name", "key", "title"),
    [
        (ML, "86 Diamonds (78 + 8)", "mobile-legends/diamond/86", "86 Diamond"),
        (ML, "10000 dm", "mobile-legends/diamond/10000", "10.000 Diamond"),
        (GENSHIN, "60 Genesis Crystal", "genshin-impact/genesis-crystal/60", "60 Genesis Crystals"),
        (ML, "WDP", "mobile-legends/weekly-diamond-pass/1", "Weekly Diamond Pass"),
        (ML, "WDP x2", "mobile-legends/weekly-diamond-pass/2", "2× Weekly Diamond Pass"),  # noqa: RUF001
        (FF, "70 Diamonds", "free-fire/diamond/70", "70 Diamond"),
    ],
)
def test_a_good_has_a_key_and_a_title(game: Game, name: str, key: str, title: str) -> None:
    good = read(name, game)
    assert good is not None
    assert good.key == key
    assert title_of(WORDS[game.slug], good) == title
    assert good_called(game, WORDS[game.slug], key) == good


@pytest.mark.parametrize(
    "key",
    [
        "",
        "mobile-legends",
        "mobile-legends/diamond",
        "mobile-legends/diamond/",
        "mobile-legends/diamond/0",
        "mobile-legends/diamond/086",
        "mobile-legends/diamond/-5",
        "mobile-legends/diamond/86/1",
        "mobile-legends/diamond/\u0668\u0666",
        "mobile-legends/diamond/" + "9" * 60,
        "mobile-legends/uc/60",
        "free-fire/diamond/70",
        "zultopup/52",
    ],
)
def test_a_key_of_nothing_is_no_good(key: str) -> None:
    assert good_called(ML, WORDS["mobile-legends"], key) is None


def test_both_readings_of_a_name_have_keys() -> None:
    good = read("5 Diamond (5 + 1)")
    assert good is not None
    keys = list(good.keys)
    assert keys == ["mobile-legends/diamond/5", "mobile-legends/diamond/6"]
    assert good.key == keys[-1]


@pytest.mark.parametrize("slug", UNITS)
def test_every_game_has_words_and_its_own_title_means_itself(slug: str) -> None:
    game, words = GAMES[slug], WORDS[slug]
    first = read(UNITS[slug], game)
    assert first is not None
    assert title_of(words, first) == UNITS[slug]
    for kind, named in words.goods:
        amount = "86 " if kind is Kind.AMOUNT else ""
        for name in (named.title, *named.names):
            good = read(f"{amount}{name}", game)
            assert good is not None, name
            assert (good.kind, good.unit, good.certain) == (kind, named.slug, True), name


def test_no_words_are_of_an_unknown_game() -> None:
    assert set(WORDS) - {EVERY_GAME} == set(UNITS)
    assert set(WORDS) - {EVERY_GAME} <= set(GAMES)


# --- The labelled rows ---------------------------------------------------------------------------


def test_there_are_enough_labelled_rows_of_every_supplier() -> None:
    assert len(ROWS) >= 500
    assert {row.supplier for row in ROWS} == {
        "zonegame", "senpay", "kiosgame", "zultopup", "apigames",
    }  # fmt: skip
    assert {row.game for row in ROWS} == {*UNITS, ""}


@pytest.mark.parametrize("category", sorted({row.category for row in ROWS}))
def test_a_labelled_category_is_its_game_in_its_region(category: str) -> None:
    row = next(row for row in ROWS if row.category == category)
    found = game_of(category, list(GAMES.values()))
    assert (found.slug if found else "") == row.game
    assert (found.region if found else "") == row.region


@pytest.mark.parametrize("row", OF_GAMES, ids=lambda row: f"{row.game}:{row.name!a}")
def test_a_labelled_row_is_certain_only_if_a_person_is(row: Row) -> None:
    good = read(row.name, GAMES[row.game])
    if row.certain:
        assert row.is_said_by(good), good
    else:
        assert good is None or not good.certain
        assert good is None or row.kind is not None, "there is nothing to ask"


def test_nearly_every_doubtful_row_can_be_asked_about() -> None:
    doubtful = [row for row in OF_GAMES if row.kind is not None and not row.certain]
    asked = [row for row in doubtful if row.is_said_by(read(row.name, GAMES[row.game]))]
    assert len(doubtful) >= 40
    assert len(doubtful) - len(asked) <= 2


# --- The file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("goods = 1", "goods is not a table"),
        ("goods.x = 1", "goods.x is not a table"),
        ("[goods.x]\nunits = 1", "goods.x: 1 is not a list"),
        ("[goods.x]\nunits = [1]", "goods.x.units is not a table"),
        ("[goods.x]\nunits = [{title = 'A'}]", "goods.x.units: .* not all texts"),
        ("[goods.x]\nunits = [{slug = 'a b', title = 'A'}]", "goods.x.units: .* other parts"),
        ("[goods.x]\nunits = [{slug = 'a/b', title = 'A'}]", "goods.x.units: .* other parts"),
        ("[goods.x]\nunits = [{slug = 'Aa', title = 'A'}]", "goods.x.units: .* other parts"),
        ("[goods.x]\nunits = [{slug = 'a', titel = 'A'}]", "goods.x.units: .* other parts"),
        ("[goods.x]\nunits = [{slug = 'a', title = 'A', names = 'b'}]", "goods.x.units.a: 'b'"),
        ("[goods.x]\nunits = [{slug = 'a', title = 'A', names = [1]}]", r"goods.x.units.a: \[1\]"),
        ("[goods.x]\nunits = [{slug = 'a'}]", "goods.x: a cannot be called ''"),
        ("[goods.x]\nunits = [{slug = 'a', title = '86'}]", "goods.x: a cannot be called '86'"),
        ("[goods.x]\nunits = [{slug = 'a', title = '!!'}]", "goods.x: a cannot be called '!!'"),
        ("[goods.x]\nunits = [{slug = 'a', title = 'x'}]", "goods.x: a cannot be called 'x'"),
        (
            "[goods.x]\nunits = [{slug = 'a', title = 'A'}, {slug = 'b', title = 'a'}]",
            "goods.x: 'a' would mean two goods",
        ),
        (
            "[goods.x]\nunits = [{slug = 'a', title = 'A'}]\npasses = [{slug = 'a', title = 'B'}]",
            "goods.x: .* would mean two goods",
        ),
        ("[goods.x]\nunit = []", "goods.x: nobody knows what unit means"),
        ("[goods.x]\nunits = [{slug = 'a', title = 'A\u200b'}]", "goods.x: a cannot be called"),
        ("[goods.x]\nunits = [{slug = 'a', title = '" + "A" * 41 + "'}]", "a cannot be called"),
        ("[goods.x]\nlike = 'y'", "goods.x: nothing above it is called 'y'"),
        ("[goods.x]\nlike = 1", "goods.x: nothing above it is called 1"),
        ("[goods.x]\nlike = []", r"goods.x: nothing above it is called \[\]"),
        ("[goods.x]\nscales = {m = 0}", "goods.x.scales"),
        ("[goods.x]\nscales = {m = true}", "goods.x.scales"),
        ("[goods.x]\nscales = 1", "goods.x.scales is not a table"),
        ("[goods.x]\nignored = ['a', 1]", "goods.x: .* not all texts"),
        ("[every-game]\nlike = 'x'", "every-game: nobody knows what like means"),
        ("every-game = []", "every-game is not a table"),
        ("this is not TOML", "."),
        ("x = " + "[" * 9_999, "nested too deeply|."),
    ],
)
def test_words_that_cannot_be_used_say_what_is_wrong_and_where(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        read_words(text)


def test_the_owner_adds_names_units_passes_and_games() -> None:
    more = extend_words(
        WORDS,
        """
        [every-game]
        ignored = ["paket hemat"]
        [goods.mobile-legends]
        units = [{ slug = "diamond", names = ["dias"] }, { slug = "gold", title = "Gold" }]
        passes = [{ slug = "valentine-pass", title = "Valentine Pass", names = ["vp 14"] }]
        [goods.arena-of-gods]
        like = "mobile-legends"
        units = [{ slug = "diamond", title = "Berlian" }]
        """,
    )
    words = more["mobile-legends"]
    assert in_short(recognise(ML, words, "86 dias")) == "86 diamond"
    assert in_short(recognise(ML, words, "86 dm")) == "86 diamond"
    assert in_short(recognise(ML, words, "10 Gold")) == "10 gold"
    assert in_short(recognise(ML, words, "VP 14 x2")) == "pass 2 valentine-pass"
    assert in_short(recognise(ML, words, "86 Diamonds Paket Hemat")) == "86 diamond"
    assert in_short(recognise(ML, words, "86 Diamonds Joki")) == "none"
    assert in_short(recognise(FF, more["free-fire"], "70 Diamonds Paket Hemat")) == "70 diamond"
    new = replace(ML, slug="arena-of-gods", title="Arena of Gods", aliases=())
    good = recognise(new, more["arena-of-gods"], "86 dias (78 + 8)")
    assert in_short(good) == "86 diamond"
    assert good is not None
    assert title_of(more["arena-of-gods"], good) == "86 Berlian"
    assert "Arena of Gods" not in TEXT
    assert in_short(read("86 dias")) == "none"  # ours are as they were


def test_the_owner_may_call_a_unit_otherwise() -> None:
    more = extend_words(
        WORDS, "[goods.free-fire]\nunits = [{slug = 'diamond', title = 'Berlian', names = []}]"
    )["free-fire"]
    good = recognise(FF, more, "70 Diamonds")
    assert good is not None
    assert title_of(more, good) == "70 Berlian"
    for name in ("70 Berlian", "70 Diamond", "70 dm"):
        assert recognise(FF, more, name) == good


def test_the_owner_cannot_give_a_name_away_twice() -> None:
    text = "[goods.mobile-legends]\npasses = [{slug = 'p', title = 'P', names = ['WDP']}]"
    with pytest.raises(ValueError, match=r"goods.mobile-legends: 'WDP' would mean two goods"):
        extend_words(WORDS, text)


@pytest.mark.parametrize("text", ["", "# nothing yet", "[[game]]\nslug = 'x'", "[goods]"])
def test_a_file_without_goods_changes_nothing(text: str) -> None:
    assert extend_words(WORDS, text) == WORDS


def test_the_signs_between_numbers_are_all_read() -> None:
    words = Words(units=(Named(slug="u", title="U"),))
    for sign in BETWEEN_NUMBERS:
        good = recognise(ML, words, f"5 U {sign} 5")
        assert good is not None, sign
        assert not good.certain, sign


# --- Whatever suppliers write --------------------------------------------------------------------

HOSTILE = [
    "",
    " ",
    "\x00",
    "86\x00\x07 Diamonds\x1b[31m",
    "9" * 60 + " Diamonds",
    "1" + ".000" * 30 + " Diamonds",
    "1" + ",000" * 30 + " Diamonds",
    "(" * 80 + "86 Diamonds" + ")" * 60,
    "[" * 150,
    "86 Diamonds " + "(78+8)" * 20,
    "+" * 150,
    "x" * 150,
    "1x" * 75,
    "v1" * 75,
    "a1" * 75,
    "1." * 75,
    "1,1." * 40,
    "diamond " * 19,
    "86 " * 50,
    "weekly diamond " * 10,
    "bonus " * 26,
    "💎" * 150,
    "\u202e" * 150,
    "e\u0301" * 75,
    "\U0001f1e7\U0001f1f7" * 75,
    "\ufdfa" * 150,  # one letter that plain text writes as eighteen
    "a" * 160,
    "\ud800 86 Diamonds",
    "\ue000 Diamonds",
    "\ue000\ue00086 Diamonds",
    "86 Diamonds" * 1_000_000,
    "1" * 1_000_000 + " Diamonds",
]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: f"{name[:12]!a}-{len(name)}")
def test_a_hostile_name_is_read_quickly_and_never_trusted(name: str) -> None:
    before = time.process_time()
    for game in GAMES.values():
        recognise(game, WORDS.get(game.slug, NO_WORDS), name)
    assert time.process_time() - before < 3
    good = read(name)
    assert good is None or good.amounts[0] == 86


def test_a_name_that_was_cut_says_nothing() -> None:
    assert read("86 Diamonds" + " " * 149) is not None
    assert read("86 Diamonds" + " " * 150) is None


PIECES = st.sampled_from(
    [
        *(
            "86",
            "78",
            "8",
            "10.000",
            "1,5",
            "0",
            "Diamonds",
            "dm",
            "💎",
            "UC",
            "Koin",
            "(",
            ")",
            "+",
        ),
        *("x", "2x", "x2", "Bonus", "Weekly Diamond Pass", "WDP", "Mingguan", "Brazil", "ID", "V3"),
        *(
            "S4",
            "Promo",
            "[PROMO TERMURAH]",
            "Joki",
            "juta",
            "M",
            "Free Fire",
            "MAX",
            "-",
            "\u200b",
        ),
    ]
)
NAMES = st.one_of(
    st.text(max_size=40),
    st.lists(PIECES, max_size=8).map(" ".join),
    st.lists(PIECES, max_size=5).map("".join),
)


@given(st.sampled_from(list(UNITS)), NAMES)
def test_no_number_is_ever_made_up(slug: str, name: str) -> None:
    good = read(name, GAMES[slug])
    if good is None:
        return
    assert good == read(name, GAMES[slug])
    assert good.game == slug
    assert 0 < good.amount <= 10**12
    assert good_called(GAMES[slug], WORDS[slug], good.key) == replace(
        good, certain=True, headline=0
    )
    numbers = list(_numbers(plain(name)))
    if not numbers:
        assert (good.kind, good.amount) == (Kind.PASS, 1)
    elif len(numbers) == 1 and slug != "higgs-domino":
        assert good.amount == numbers[0]


def _numbers(text: str) -> Iterator[int]:
    """The numbers of a text, but for the names of routes."""
    for found in re.findall(r"(?<![vqsVQS])(?<![vqsVQS][0-9])[0-9]+(?:[.,][0-9]+)*", text):
        yield int(re.sub(r"[.,]", "", found))


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_base_and_bonus_are_one_good_only_where_the_name_says_the_total(
    base: int, more: int
) -> None:
    total = base + more
    for name in (
        f"{total} Diamonds ({base} + {more} Bonus)",
        f"{total} ({base}+{more}) Diamonds",
        f"{total:,} Diamonds",
        f"{total} dm",
    ):
        good = read(name)
        assert good is not None
        assert (good.amount, good.certain, good.headline) == (total, True, 0)
    for name in (f"{base} Diamond ({base} + {more})", f"{base} + {more} Diamonds"):
        good = read(name)
        assert good is not None
        assert (good.amount, good.certain, good.headline) == (total, False, base)
    wrong = read(f"{total + 1} Diamonds ({base} + {more} Bonus)")
    assert wrong is None or wrong.amounts[0] == base == total + 1


def test_a_list_of_25_000_rows_is_read_in_no_time() -> None:
    shapes = ("{0} Diamonds", "{1} ({0}+1) Diamonds", "{1} Diamond ({0} + 1 Bonus)", "WDP {0}x")
    names = [shapes[nth % 4].format(nth + 1, nth + 2) for nth in range(25_000)]
    before = time.process_time()
    certain = sum(good.certain for name in names if (good := read(name)) is not None)
    first = time.process_time() - before
    assert certain == 25_000
    assert first < 5  # it takes 0.2 s where nothing else runs
    before = time.process_time()
    for name in names:
        read(name)
    assert time.process_time() - before < first
