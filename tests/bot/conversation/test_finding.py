"""What a typed text means: the one item, one of a few, or something near; never a wrong number."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.conversation.engine import LONGEST_TEXT
from bot.conversation.finding import MOST_SALES, NEAREST, Found, find, find_game, find_item
from bot.conversation.item_names import cut
from tests.bot.conversation.finding_samples import CONFUSING, NIKKE
from tests.bot.conversation.parlour import GAMES, RULES, SUPPLIER, Guest, Parlour, unhurried, wide


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour()
    opened.stock(CONFUSING)
    yield opened
    opened.close()


def found(parlour: Parlour, text: str, within: str = "") -> Found:
    game = next((game for game in GAMES if game.slug == within), None)
    return find(parlour.room(), text, game)


def keys(found: Found) -> list[str]:
    return [sale.item.key for sale in found.sales]


# --- the one item ---------------------------------------------------------------------------------

ML, FF, MAX = "mobile-legends", "free-fire", "free-fire-max"
BRAZIL = "mobile-legends-brazil"
CLEAR = {
    "ml 86": f"{ML}/diamond/86",
    "86 ml": f"{ML}/diamond/86",
    "ML86": f"{ML}/diamond/86",
    "86ml": f"{ML}/diamond/86",
    "mlbb 86 dm": f"{ML}/diamond/86",
    "86dm ml": f"{ML}/diamond/86",
    "m.l. 86": f"{ML}/diamond/86",
    wide("ml 86"): f"{ML}/diamond/86",
    "ml ٨٦": f"{ML}/diamond/86",
    "Mobile Legends 86 Diamonds 💎": f"{ML}/diamond/86",
    "mole 172 dong kak": f"{ML}/diamond/172",
    "tolong isi ml 86 dm ya kak, makasih": None,  # "makasih" is no word for it
    "tolong isi ml 86 dm ya kak": f"{ML}/diamond/86",
    "top up my ml 86": f"{ML}/diamond/86",
    "i want to buy 86 diamonds for mobile legends please": f"{ML}/diamond/86",
    "harga ml 86 berapa?": f"{ML}/diamond/86",
    "ml 12": f"{ML}/diamond/12",
    "ml 5": f"{SUPPLIER}/47",  # "5 Diamond (5 + 1)": it may be six
    "ml 7 diamonds": f"{ML}/diamond/7",
    "7 diamonds": f"{ML}/diamond/7",
    # which game
    "ff70": f"{FF}/diamond/70",
    "ff 70": f"{FF}/diamond/70",
    "70 ff": f"{FF}/diamond/70",
    "epep 70": f"{FF}/diamond/70",
    "freefire 70 diamond": f"{FF}/diamond/70",
    "ff max 70": f"{MAX}/diamond/70",
    "ffmax70": f"{MAX}/diamond/70",
    "70 ff max": f"{MAX}/diamond/70",
    "max ff 70": f"{MAX}/diamond/70",
    "ff 70 max": f"{MAX}/diamond/70",
    "ml 86 brazil": f"{BRAZIL}/diamond/86",
    "ml br 86": f"{BRAZIL}/diamond/86",
    "brazil ml 86": f"{BRAZIL}/diamond/86",
    "ml 86 indonesia": f"{ML}/diamond/86",
    "ml indo 86": f"{ML}/diamond/86",
    "hi3 60": "honkai-impact-3/crystal/60",
    "honkai impact 3 60": "honkai-impact-3/crystal/60",
    "hsr 60 shard": "honkai-star-rail/oneiric-shard/60",
    "valo 1.000": "valorant/vp/1000",
    "1,000 vp": "valorant/vp/1000",
    "475 vp": "valorant/vp/475",
    "60 uc": "pubg-mobile/uc/60",
    # slips of the finger
    "mobil legend 86": f"{ML}/diamond/86",
    "mobile lagends 86 dimond": f"{ML}/diamond/86",
    "fre fire 70": f"{FF}/diamond/70",
    "genshn welkin": "genshin-impact/welkin-moon/1",
    "genshin welkn": "genshin-impact/welkin-moon/1",
    # passes
    "ml wdp": f"{ML}/weekly-diamond-pass/1",
    "weekly pass ml": f"{ML}/weekly-diamond-pass/1",
    "weekly ml pass": f"{ML}/weekly-diamond-pass/1",
    "ml weeklypass": f"{ML}/weekly-diamond-pass/1",
    "ml wdp 1": f"{ML}/weekly-diamond-pass/1",
    "ml wdp 2": f"{ML}/weekly-diamond-pass/2",
    "ml wdp x2": f"{ML}/weekly-diamond-pass/2",
    "2x wdp ml": f"{ML}/weekly-diamond-pass/2",
    "wdp brazil": f"{BRAZIL}/weekly-diamond-pass/1",
    "ml starlight": f"{ML}/starlight-member/1",
    "starlight plus": f"{ML}/starlight-member-plus/1",
    "twilight": f"{ML}/twilight-pass/1",
    "welkin": "genshin-impact/welkin-moon/1",
    "genshin welkin": "genshin-impact/welkin-moon/1",
    "hok weekly card": "honor-of-kings/weekly-card/1",
    "pubg prime 1": "pubg-mobile/prime-1-month/1",
    "weekly deal pack 2": "pubg-mobile/weekly-deal-pack-2/1",
    "level up ff": f"{FF}/level-up-pass/1",
    "top up ff level up pass": f"{FF}/level-up-pass/1",
    # millions
    "higgs 1b": "higgs-domino/koin-emas/1000000000",
    "30 m koin higgs": "higgs-domino/koin-emas/30000000",
    "1b chip": "higgs-domino/koin-emas/1000000000",
    # what nobody described
    "goddess of victory nikke 60": f"{SUPPLIER}/401",
}  # fmt: skip


@pytest.mark.parametrize(("text", "key"), CLEAR.items())
def test_a_text_means_the_one_item_that_it_names(
    parlour: Parlour, text: str, key: str | None
) -> None:
    item = find_item(parlour.room(), text)
    assert (None if item is None else item.key) == key


@pytest.mark.parametrize(
    "text",
    [
        "ml 85", "ml 87 dm", "ml 8", "ml 6", "ml 860", "ml 086", "ml 8 6", "ml 86 86", "ml 86 172",
        "ml 86 x2", "ml 86,172", "ml 1.72", "ff 7", "ff 700", "ff 69", "ff max 140", "475.0 vp",
        "valo 474", "valo 1.00", "ml wdp 3", "wdp x3 ml", "weekly deal pack 3", "higgs 1m",
        "higgs 1", "ml 86 12345678 2001", "ml 86 rb", "86 dm brazil 1",
    ],
)  # fmt: skip
def test_a_number_is_never_rounded(parlour: Parlour, text: str) -> None:
    assert find_item(parlour.room(), text) is None


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("86", {f"{ML}/diamond/86", f"{BRAZIL}/diamond/86", "magic-chess-go-go/diamond/86"}),
        ("86 dm", {f"{ML}/diamond/86", f"{BRAZIL}/diamond/86", "magic-chess-go-go/diamond/86"}),
        ("475", {"valorant/vp/475"}),  # one, but nobody said of what
        ("70 diamond", {f"{FF}/diamond/70", f"{MAX}/diamond/70"}),
        ("free 70", {f"{FF}/diamond/70", f"{MAX}/diamond/70"}),
        ("ml ff 70", {f"{FF}/diamond/70"}),  # two games
        ("wdp", {f"{ML}/weekly-diamond-pass/1", f"{BRAZIL}/weekly-diamond-pass/1"}),
        ("membership mingguan", {f"{FF}/membership-mingguan/1", f"{MAX}/membership-mingguan/1"}),
        ("weekly card", {"honor-of-kings/weekly-card/1", "magic-chess-go-go/weekly-card/1"}),
        ("ml weekly", {f"{ML}/weekly-diamond-pass/1", f"{ML}/weekly-elite-bundle/1"}),
        ("pubg deal pack",
         {"pubg-mobile/weekly-deal-pack-1/1", "pubg-mobile/weekly-deal-pack-2/1"}),
        ("welkn", {"genshin-impact/welkin-moon/1"}),  # a slip, and no game
        ("86 brazil", {f"{BRAZIL}/diamond/86"}),
        ("honkai 60", {"honkai-impact-3/crystal/60", "honkai-star-rail/oneiric-shard/60"}),
        ("nikke 60", {f"{SUPPLIER}/401"}),
    ],
)  # fmt: skip
def test_what_may_mean_several_is_offered_and_never_chosen(
    parlour: Parlour, text: str, among: set[str]
) -> None:
    what = found(parlour, text)
    assert (what.item, set(keys(what)), what.is_near) == (None, among, False)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("ml 85", [f"{ML}/diamond/86"]),
        ("ml 100 dm", [f"{ML}/diamond/86", f"{ML}/diamond/172"]),
        ("ml 6", [f"{SUPPLIER}/47", f"{ML}/diamond/7", f"{ML}/diamond/12"]),
        ("bukan ml 86", [f"{ML}/diamond/86"]),
        ("ml 86 joki", [f"{ML}/diamond/86"]),
        ("ml weekly 7", [f"{ML}/diamond/7"]),  # seven, and not the weekly pass
        ("ml 99999", []),
        ("hok 25", [f"{SUPPLIER}/503"]),  # of what, nobody knows
        ("ml " + "9" * 200, []),
    ],
)
def test_what_is_near_is_offered_the_nearest_first(
    parlour: Parlour, text: str, near: list[str]
) -> None:
    what = found(parlour, text)
    assert what.game is not None
    assert (what.item, keys(what)) == (None, near)
    assert what.is_near


@pytest.mark.parametrize("text", ["ml", "mobile legends", "ml diamond", "ml dm", "ml dimond",
                                  "halo kak mau top up ml dong"])  # fmt: skip
def test_a_text_that_names_a_game_only_leads_to_its_items(parlour: Parlour, text: str) -> None:
    what = found(parlour, text)
    assert what.game is not None
    assert (what.game.slug, what.item, what.sales) == (ML, None, ())


def test_a_unit_alone_leads_to_the_games_that_count_in_it(parlour: Parlour) -> None:
    what = found(parlour, "diamond")
    assert {game.slug for game in what.games} == {ML, FF, MAX, BRAZIL, "magic-chess-go-go"}
    assert {game.slug for game in found(parlour, "85 diamonds").games} >= {ML, FF}


@pytest.mark.parametrize(
    "text", ["", "  ", "🔥", "roblox", "しろう", "halo apa kabar", "?!", "a " * 99]
)
def test_nonsense_means_nothing(parlour: Parlour, text: str) -> None:
    assert found(parlour, text) == Found()


# --- inside a game --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("86", f"{ML}/diamond/86"),
        ("86 dm", f"{ML}/diamond/86"),
        ("wdp", f"{ML}/weekly-diamond-pass/1"),
        ("starlight", f"{ML}/starlight-member/1"),
        ("mingguan", f"{ML}/weekly-diamond-pass/1"),
        ("ff 70", f"{FF}/diamond/70"),
        ("fre fire 70", f"{FF}/diamond/70"),
        ("475 vp", "valorant/vp/475"),
        ("welkin", "genshin-impact/welkin-moon/1"),
        ("ml 86 brazil", f"{BRAZIL}/diamond/86"),
    ],
)
def test_inside_a_game_its_own_items_come_first_and_then_all_others(
    parlour: Parlour, text: str, key: str
) -> None:
    item = found(parlour, text, ML).item
    assert item is not None
    assert item.key == key


@pytest.mark.parametrize("text", ["70", "140", "475", "70 diamond", "70 dm", "membership"])
def test_a_bare_number_or_a_unit_of_this_game_never_leads_out_of_it(
    parlour: Parlour, text: str
) -> None:
    what = found(parlour, text, ML)
    assert what.item is None
    assert all(key.startswith((ML, SUPPLIER)) for key in keys(what)) or not what.is_near


# --- properties -----------------------------------------------------------------------------------

NUMBERS = re.compile(r"[0-9]+")
WORDS = ["ml", "ff", "max", "mlbb", "brazil", "dm", "diamond", "wdp", "weekly", "pass", "vp", "x2",
         "2x", "86", "70", "85", "172", "1.000", "1000", "475", "x", "hi3", "honkai impact 3", "5",
         "12", "7", "1", "2", "3", "ff70", "prime", "uc", "60", "bukan", "b", "m", "koin", "higgs",
         "starlight", "plus", "mobil", "legend"]  # fmt: skip


@pytest.fixture(scope="module")
def open_parlour() -> Iterator[Parlour]:
    opened = Parlour()
    opened.stock(CONFUSING)
    yield opened
    opened.close()


def check_numbers(parlour: Parlour, text: str) -> None:
    """Of a text that chooses an item, each number is one of the item's, or of its game's name."""
    item = find_item(parlour.room(), text)
    if item is None:
        return
    game = parlour.room().game(item.game)
    assert game is not None
    names = " ".join((game.title, *game.aliases))
    *_, count = item.key.split("/")
    known = {*cut(item.title), *cut(names), count}
    scales = dict(parlour.rules.words_of(item.game).scales)
    said = [token for token in cut(text) if token.isdigit()]
    meant = {str(int(n) * scale) for n in said if len(n) < 9 for scale in (1, *scales.values())}
    assert all(n in known for n in said) or known & meant, (text, item)


@given(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join))
@unhurried
def test_what_is_chosen_has_every_number_that_was_said(open_parlour: Parlour, text: str) -> None:
    check_numbers(open_parlour, text)


@given(st.text(max_size=LONGEST_TEXT))
@example("\u00d72 ml 86")
@example("x" * LONGEST_TEXT)
@example("1." * 150)
@example("9" * LONGEST_TEXT)
@example("2x" * 150)
@example("½ ml ²86")
@unhurried
def test_whatever_is_typed_is_answered(open_parlour: Parlour, text: str) -> None:
    what = find(open_parlour.room(), text)
    assert len(what.sales) <= MOST_SALES
    check_numbers(open_parlour, text)
    for game in GAMES[:3]:
        find(open_parlour.room(), text, game)
    find_game(open_parlour.room(), text)


# --- the order ------------------------------------------------------------------------------------


def test_what_this_person_bought_last_is_offered_first_and_then_what_sells(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    cheapest = [f"{BRAZIL}/diamond/86", "magic-chess-go-go/diamond/86", f"{ML}/diamond/86"]
    assert keys(found(parlour, "86")) == cheapest
    parlour.bought(siti, "12345678 (2001)", "ml", "86")
    assert keys(found(parlour, "86")) == [cheapest[2], *cheapest[:2]]
    for _ in range(2):
        parlour.bought(siti, "12345678 (2001)", "magic chess", "86")
    assert keys(found(parlour, "86")) == [cheapest[1], cheapest[2], cheapest[0]]
    parlour.bought(budi, "12345678 (2001)", "ml brazil", "86")
    assert keys(found(parlour, "86"))[0] == f"{BRAZIL}/diamond/86"  # it was budi who searched
    assert parlour.books.orders.best_selling_goods(9)[0] == "magic-chess-go-go/diamond/86"


def test_of_many_no_more_are_offered_than_anybody_reads(parlour: Parlour) -> None:
    parlour.arrange(replace(parlour.rules, words={}))
    parlour.stock({game.slug: [(f"{game.slug}-1", "60 Gems", 1_000)] for game in GAMES})
    assert len(keys(found(parlour, "60"))) == MOST_SALES
    parlour.arrange(RULES)
    parlour.stock({ML: [(str(n), f"{n} Diamond", 200 * n) for n in range(50, 90) if n != 70]})
    near = keys(found(parlour, "ml 70"))
    assert len(near) == NEAREST
    assert near[:2] == [f"{ML}/diamond/69", f"{ML}/diamond/71"]


# --- the shelf changes ----------------------------------------------------------------------------


def test_a_search_knows_what_was_listed_a_moment_ago(parlour: Parlour) -> None:
    assert find_item(parlour.room(), "ml 99") is None
    parlour.stock({ML: [("99", "99 Diamond", 20_000)]})
    assert find_item(parlour.room(), "ml 99") is not None
    assert find_item(parlour.room(), "ml 86") is None


def test_offers_that_are_not_taken_for_one_item_are_offered_both(parlour: Parlour) -> None:
    dearer = ("fast", "86 Diamonds Proses Cepat", 60_000)  # of another price: nobody knows why
    parlour.stock({ML: [("45", "86 Diamond", 19_100), dearer]})
    what = found(parlour, "ml 86")
    assert (what.item, keys(what)) == (None, [f"{SUPPLIER}/45", f"{SUPPLIER}/fast"])


def test_a_game_whose_goods_have_no_words_is_searched_all_the_same() -> None:
    parlour = Parlour()
    parlour.arrange(replace(parlour.rules, words={}))
    parlour.stock({ML: [("1", "86 Diamonds", 20_000), ("2", "2x Weekly Pass", 9_000)]})
    for text, sku in (("ml 86", "1"), ("ml 86 diamonds", "1"), ("ml weekly pass 2", "2")):
        item = find_item(parlour.room(), text)
        assert item is not None, text
        assert item.key == f"{SUPPLIER}/{sku}"
    parlour.close()


@pytest.mark.parametrize("text", ["ml", "nikke", "goddess", "fre fire"])
def test_a_game_is_found_by_its_names_and_by_a_word_of_them(parlour: Parlour, text: str) -> None:
    game = find_game(parlour.room(), text)
    assert game is not None
    assert game.slug in {ML, FF, NIKKE}


def test_a_game_is_never_taken_for_one_with_another_number_in_its_name(parlour: Parlour) -> None:
    for text in ("honkai impact 4", "hi4", "ff max 70"):
        game = find_game(parlour.room(), text)
        assert game is None, text
