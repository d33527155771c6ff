"""One item each, whoever has it: what goes together by itself, and what is asked about first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.goods import NO_WORDS, recognise
from shop.shelf import Arranged, Doubt, Item, Match, Member, Offer, Why, arrange
from shop.suppliers import FormField, FormOption
from tests.shop.labelled_goods import OF_GAMES, Row
from tests.shop.samples import WORDS, the_games

GAMES = the_games()
ML, FF, GENSHIN = GAMES["mobile-legends"], GAMES["free-fire"], GAMES["genshin-impact"]
ZT, SP, KG, ZG, AG = "zultopup", "senpay", "kiosgame", "zonegame", "apigames"
D5, D6, D86 = (f"mobile-legends/diamond/{amount}" for amount in (5, 6, 86))
WDP = "mobile-legends/weekly-diamond-pass/1"

ID = FormField(key="id", label="User ID")
SERVER = FormField(key="server", label="Server ID")
EMAIL = FormField(key="email", label="Email")


def offer(supplier: str, item: str, listed: int, **more: Any) -> Offer:
    """An offer of Mobile Legends; its sku is its name."""
    given = {"sku": item, "game": "mobile-legends", **more}
    return Offer(supplier=supplier, item=item, listed=listed, **given)


def same(one: Offer, good: str, item: str = "") -> Match:
    said = item or one.item
    return Match(supplier=one.supplier, sku=one.sku, item=said, good=good, same=True)


def other(one: Offer, good: str, item: str = "") -> Match:
    return replace(same(one, good, item), same=False)


def shelf(*offers: Offer, said: Sequence[Match] = ()) -> Arranged:
    return arrange(ML, WORDS["mobile-legends"], offers, said)


def groups(arranged: Arranged) -> dict[str, list[str]]:
    """Who stands where, in the order of the shelf."""
    return {item.key: [member.offer.supplier for member in item.members] for item in arranged.items}


def questions(arranged: Arranged) -> list[tuple[str, str, str]]:
    return [(doubt.offer.supplier, doubt.good, doubt.why.value) for doubt in arranged.doubts]


def the_item(arranged: Arranged, key: str) -> Item:
    item = arranged.item(key)
    assert item is not None, groups(arranged)
    return item


# --- What goes together by itself ----------------------------------------------------------------


def test_the_same_good_of_several_suppliers_is_one_item() -> None:
    three = (
        offer(KG, "86 Diamonds", 18_624),
        offer(ZG, "86 Diamond (78 + 8)", 18_950),
        offer(SP, "86 (78+8) Diamonds", 18_750),
    )
    arranged = shelf(*three)
    assert arranged.items == (
        Item(
            key=D86,
            game="mobile-legends",
            title="86 Diamond",
            members=tuple(Member(offer=three[nth], content=86) for nth in (0, 2, 1)),
            content=86,
        ),
    )
    assert arranged.doubts == ()


def test_one_offer_has_its_goods_key_and_title_from_the_start() -> None:
    item = the_item(shelf(offer(ZG, "10000 dm", 2_110_000)), "mobile-legends/diamond/10000")
    assert (item.title, item.content) == ("10.000 Diamond", 10_000)
    assert [member.confirmed for member in item.members] == [False]


def test_passes_are_items_that_are_not_counted() -> None:
    arranged = shelf(
        offer(ZG, "Weekly Diamond Pass", 27_200),
        offer(KG, "WDP", 27_080),
        offer(SP, "WDP 2X", 53_600),
    )
    assert groups(arranged) == {WDP: [KG, ZG], WDP.replace("/1", "/2"): [SP]}
    titles = [(item.title, item.content) for item in arranged.items]
    assert titles == [("Weekly Diamond Pass", 0), ("2× Weekly Diamond Pass", 0)]  # noqa: RUF001


def test_several_routes_of_one_supplier_are_one_item() -> None:
    arranged = shelf(offer(KG, "86 Diamonds", 18_624), offer(KG, "86 (78+8) Diamonds", 18_890))
    assert groups(arranged) == {D86: [KG, KG]}


def test_other_amounts_units_kinds_and_games_stay_apart() -> None:
    arranged = shelf(
        offer(ZG, "86 Diamond", 18_950),
        offer(KG, "85 Diamonds", 18_600),
        offer(KG, "Twilight Pass", 18_600),
        offer(KG, "86 Diamonds Brazil", 18_600),
        offer(ZT, "86 Diamond", 18_600, game="mobile-legends-brazil"),
    )
    assert sorted(groups(arranged).values()) == [[KG], [KG], [KG], [ZG], [ZT]]
    assert arranged.doubts == ()


def test_a_game_that_nobody_described_shows_every_offer_for_itself() -> None:
    gems = (offer(KG, "60 Gems", 12_049), offer(SP, "60 Gems", 12_000))
    arranged = arrange(ML, NO_WORDS, gems, [same(gems[0], D86)])
    assert groups(arranged) == {"senpay/60 Gems": [SP], "kiosgame/60 Gems": [KG]}
    assert [item.title for item in arranged.items] == ["60 Gems", "60 Gems"]


def test_what_stands_alone_is_called_as_its_supplier_calls_it() -> None:
    long = "Paket " + "Spesial " * 12
    arranged = shelf(
        offer(ZG, "Paket\u202e Sultan\x07", 5_000, sku="A1"),
        offer(KG, long, 6_000, sku="B2"),
        offer(SP, "\u200b", 7_000, sku="C3"),
    )
    titles = {item.key: item.title for item in arranged.items}
    assert titles["zonegame/A1"] == "Paket Sultan"
    assert titles["kiosgame/B2"] == long[:59] + "…"
    assert titles["senpay/C3"] == "C3"


def test_the_cheapest_comes_first_and_what_is_withheld_takes_part() -> None:
    arranged = shelf(
        offer(ZG, "86 Diamond", 18_950),
        offer(KG, "86 Diamonds", 17_000, withheld=True),
        offer(ZG, "Twilight Pass", 17_500),
        offer(ZG, "Paket", 16_000),
    )
    assert list(groups(arranged)) == ["zonegame/Paket", D86, "mobile-legends/twilight-pass/1"]
    assert groups(arranged)[D86] == [KG, ZG]


# --- Prices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "outside"),
    [
        ([100, 100, 120], []),  # a fifth more than the median
        ([100, 100, 121], [121]),
        ([80, 100, 100], []),
        ([79, 100, 100], [79]),
        ([79, 100, 121], [79, 121]),
        ([100, 150], []),  # the median of two is between them: 125
        ([100, 151], [100, 151]),
        ([99, 101], []),
        ([101, 102, 150, 151], []),  # 126, a fifth of which is 25.2
        ([101, 102, 150, 152], [152]),
        ([100, 102, 150, 151], [100]),
        ([100], []),
        ([0, 0], []),
        ([0, 100], [0, 100]),
        ([18_600, 18_950, 1_860], [1_860]),
        ([18_600, 18_950, 189_500], [189_500]),
    ],
)
def test_a_price_far_from_the_others_is_asked_about(prices: list[int], outside: list[int]) -> None:
    offers = [offer(f"s{nth}", "86 Diamonds", price) for nth, price in enumerate(prices)]
    arranged = shelf(*offers)
    alone = [doubt.offer.listed for doubt in arranged.doubts]
    assert sorted(alone) == sorted(outside)
    assert {doubt.why for doubt in arranged.doubts} <= {Why.PRICE}
    item = arranged.item(D86)
    together = [member.offer.listed for member in item.members] if item else []
    assert sorted(together + outside) == sorted(prices)
    for doubt in arranged.doubts:
        found = arranged.item_of(doubt.offer.supplier, doubt.offer.sku)
        assert found is not None
        assert (found.key, found.title, found.content) == (doubt.offer.key, "86 Diamonds", 86)


def test_a_question_about_a_price_shows_what_it_is_compared_with() -> None:
    near, far = offer(KG, "86 Diamonds", 18_600), offer(SP, "86 Diamonds", 1_860)
    third = offer(ZG, "86 Diamond", 18_950)
    (doubt,) = shelf(near, far, third).doubts
    assert doubt == Doubt(
        offer=far, good=D86, title="86 Diamond", why=Why.PRICE, others=(near, third)
    )
    dear = offer(AG, "86 Diamond", 189_500)
    doubts = shelf(near, far, third, dear).doubts
    assert [(doubt.offer, doubt.others) for doubt in doubts] == [
        (far, (near, third)),
        (dear, (near, third)),
    ]
    # Where two are at odds, nobody knows which: each is shown beside the other.
    arranged = shelf(near, far)
    assert arranged.item(D86) is None
    assert [(doubt.offer, doubt.others) for doubt in arranged.doubts] == [
        (far, (near,)),
        (near, (far,)),
    ]
    assert {doubt.title for doubt in arranged.doubts} == {"86 Diamond"}


def test_what_the_owner_confirmed_stays_at_any_price_and_counts_in_the_median() -> None:
    dear = offer(ZG, "86 Diamond", 40_000)
    cheap = (offer(KG, "86 Diamonds", 18_600), offer(SP, "86 (78+8) Diamonds", 18_700))
    arranged = shelf(dear, *cheap, said=[same(dear, D86)])
    assert groups(arranged) == {D86: [KG, SP, ZG]}
    assert [member.confirmed for member in the_item(arranged, D86).members] == [False, False, True]
    arranged = shelf(dear, cheap[0], said=[same(dear, D86)])
    assert groups(arranged) == {f"kiosgame/{cheap[0].sku}": [KG], D86: [ZG]}
    assert questions(arranged) == [(KG, D86, "price")]


# --- Names that can be read in two ways ----------------------------------------------------------

TWO_WAYS = offer(ZG, "5 Diamond (5 + 1)", 1_500)
FIVE = offer(KG, "5 (5+0) Diamonds", 1_511)
SIX = offer(SP, "6 Diamonds", 1_700)


def test_the_seeds_trap_is_asked_about_and_never_merged() -> None:
    senpay = offer(SP, "5 (5+0) Diamonds", 1_425)
    arranged = shelf(TWO_WAYS, FIVE, senpay)
    assert groups(arranged) == {D5: [SP, KG], TWO_WAYS.key: [ZG]}
    assert arranged.doubts == (
        Doubt(offer=TWO_WAYS, good=D5, title="5 Diamond", why=Why.NAME, others=(senpay, FIVE)),
    )
    assert the_item(arranged, TWO_WAYS.key).content == 0  # nobody can say


def test_of_two_goods_it_may_be_the_one_of_the_nearer_price_is_asked_about() -> None:
    assert questions(shelf(TWO_WAYS, FIVE, SIX)) == [(ZG, D5, "name")]
    dearer = replace(TWO_WAYS, listed=1_690)
    assert questions(shelf(dearer, FIVE, SIX)) == [(ZG, D6, "name")]
    between = replace(TWO_WAYS, listed=1_605), replace(FIVE, listed=1_510), SIX
    assert questions(shelf(*between)) == [(ZG, D5, "name")]  # as near to both: its headline
    assert questions(shelf(TWO_WAYS, SIX)) == [(ZG, D6, "name")]


def test_where_there_is_nothing_it_could_be_nothing_is_asked() -> None:
    arranged = shelf(TWO_WAYS, offer(KG, "12 Diamonds", 3_372))
    assert groups(arranged)[TWO_WAYS.key] == [ZG]
    assert arranged.doubts == ()
    assert shelf(offer(KG, "Joki 86 Diamonds", 9_000), offer(ZG, "86 Diamond", 18_950)).doubts == ()


def test_a_pass_with_words_that_nobody_knows_is_asked_about() -> None:
    arranged = shelf(offer(KG, "PK - WDP", 27_080), offer(ZG, "Weekly Diamond Pass", 27_200))
    assert questions(arranged) == [(KG, WDP, "name")]


# --- What the owner said -------------------------------------------------------------------------


def test_the_owners_yes_puts_an_offer_where_it_belongs() -> None:
    arranged = shelf(TWO_WAYS, FIVE, said=[same(TWO_WAYS, D5)])
    assert groups(arranged) == {D5: [ZG, KG]}
    item = the_item(arranged, D5)
    assert [member.confirmed for member in item.members] == [True, False]
    assert arranged.doubts == ()


def test_the_owners_no_keeps_an_offer_out_and_is_not_asked_again() -> None:
    certain = offer(SP, "5 Diamonds", 1_425)
    arranged = shelf(
        TWO_WAYS, FIVE, certain, said=[other(TWO_WAYS, D5), other(certain, D5), other(SIX, D5)]
    )
    assert groups(arranged) == {certain.key: [SP], TWO_WAYS.key: [ZG], D5: [KG]}
    assert arranged.doubts == ()
    # It may still be the other good that its name can mean.
    assert questions(shelf(TWO_WAYS, FIVE, SIX, said=[other(TWO_WAYS, D5)])) == [(ZG, D6, "name")]
    assert shelf(TWO_WAYS, FIVE, SIX, said=[other(TWO_WAYS, D5), other(TWO_WAYS, D6)]).doubts == ()
    far = offer(SP, "5 Diamonds", 9_000)
    assert shelf(far, FIVE, offer(ZT, "5 Diamond", 1_500), said=[other(far, D5)]).doubts == ()


def test_a_no_to_one_good_says_nothing_of_another() -> None:
    certain = offer(SP, "5 Diamonds", 1_425)
    assert groups(shelf(certain, FIVE, said=[other(certain, D6)])) == {D5: [SP, KG]}


def test_an_answer_is_about_the_offer_as_it_was_called() -> None:
    renamed = replace(TWO_WAYS, item="5 Diamond (5 + 2)")
    for match in (same(renamed, D5, TWO_WAYS.item), other(renamed, D5, TWO_WAYS.item)):
        arranged = shelf(renamed, FIVE, said=[match])
        assert groups(arranged) == {renamed.key: [ZG], D5: [KG]}
        assert questions(arranged) == [(ZG, D5, "name")]
    certain = replace(FIVE, supplier=SP)
    arranged = shelf(certain, FIVE, said=[other(certain, D5, "5 Diamonds")])
    assert groups(arranged) == {D5: [KG, SP]}
    arranged = shelf(certain, FIVE, said=[same(certain, D5, "5 Diamonds")])
    assert {m.confirmed for m in the_item(arranged, D5).members} == {False}


def test_an_answer_is_about_one_suppliers_sku() -> None:
    twin = replace(TWO_WAYS, sku="twin")
    elsewhere = replace(TWO_WAYS, supplier=AG)
    arranged = shelf(TWO_WAYS, twin, elsewhere, FIVE, said=[same(twin, D5)])
    assert groups(arranged) == {TWO_WAYS.key: [ZG], elsewhere.key: [AG], D5: [ZG, KG]}


def test_a_name_that_nobody_can_read_is_what_the_owner_says() -> None:
    strange = offer(ZT, "Paket Diamond Kecil", 1_520)
    arranged = shelf(strange, FIVE, said=[same(strange, D5)])
    item = the_item(arranged, D5)
    assert [(m.offer.supplier, m.content, m.confirmed) for m in item.members] == [
        (KG, 5, False),
        (ZT, 5, True),
    ]
    alone = shelf(strange, said=[same(strange, WDP)])
    assert (the_item(alone, WDP).title, the_item(alone, WDP).content) == ("Weekly Diamond Pass", 0)


@pytest.mark.parametrize(
    "good",
    [
        WDP,
        "mobile-legends/uc/5",
        "free-fire/diamond/5",
        "mobile-legends/diamond/0",
        "mobile-legends/diamond/x",
        "kiosgame/5 (5+0) Diamonds",
        "",
    ],
)
def test_no_word_of_the_owner_makes_a_good_of_another_kind_or_game(good: str) -> None:
    arranged = shelf(TWO_WAYS, FIVE, said=[same(TWO_WAYS, good)])
    assert groups(arranged) == {TWO_WAYS.key: [ZG], D5: [KG]}
    assert questions(arranged) == [(ZG, D5, "name")]


def test_two_answers_at_odds_are_none() -> None:
    said = [same(TWO_WAYS, D5), same(TWO_WAYS, D6)]
    for order in (said, said[::-1]):
        arranged = shelf(TWO_WAYS, FIVE, said=order)
        assert groups(arranged) == {TWO_WAYS.key: [ZG], D5: [KG]}
        assert questions(arranged) == [(ZG, D5, "name")]


# --- What a customer is promised -----------------------------------------------------------------


def test_a_name_of_two_readings_holds_what_the_owner_took_it_for() -> None:
    for good, amount in ((D5, 5), (D6, 6)):
        item = the_item(shelf(TWO_WAYS, said=[same(TWO_WAYS, good)]), good)
        assert (item.title, item.content) == (f"{amount} Diamond", amount)
        assert [member.content for member in item.members] == [amount]


def test_the_customer_is_promised_the_least_of_an_item() -> None:
    less = offer(SP, "80 Diamonds", 18_000)
    arranged = shelf(
        less,
        offer(KG, "86 Diamonds", 18_600),
        offer(ZG, "86 Diamond", 18_900),
        said=[same(less, D86)],
    )
    item = the_item(arranged, D86)
    assert (item.key, item.title, item.content) == (D86, "80 Diamond", 80)
    assert [(m.offer.supplier, m.content) for m in item.members] == [(SP, 80), (KG, 86), (ZG, 86)]


def test_of_two_readings_that_are_neither_the_good_the_smaller_is_promised() -> None:
    item = the_item(
        shelf(TWO_WAYS, said=[same(TWO_WAYS, "mobile-legends/diamond/7")]), D5[:-1] + "7"
    )
    assert (item.title, item.content) == ("5 Diamond", 5)


def test_more_than_the_good_is_not_less() -> None:
    more = offer(SP, "90 Diamonds", 19_000)
    item = the_item(shelf(more, offer(KG, "86 Diamonds", 18_600), said=[same(more, D86)]), D86)
    assert (item.title, item.content) == ("86 Diamond", 86)


def test_of_passes_the_fewest_are_promised() -> None:
    one, two = offer(ZG, "WDP", 27_000), offer(KG, "WDP 2x", 54_000)
    good = WDP.replace("/1", "/2")
    item = the_item(shelf(one, two, said=[same(one, good)]), good)
    assert (item.title, item.content) == ("Weekly Diamond Pass", 0)


# --- Forms ---------------------------------------------------------------------------------------


def test_a_supplier_that_asks_other_things_stands_alone_and_is_asked_about() -> None:
    near = offer(KG, "86 Diamonds", 18_600)
    odd = offer(SP, "86 Diamonds", 18_700, form=(ID, SERVER, EMAIL))
    arranged = shelf(near, odd)
    assert groups(arranged) == {D86: [KG], odd.key: [SP]}
    assert arranged.doubts == (
        Doubt(offer=odd, good=D86, title="86 Diamond", why=Why.FORM, others=(near,)),
    )
    assert the_item(arranged, odd.key).content == 86
    fits = replace(odd, form=(ID, SERVER))
    assert groups(shelf(near, fits)) == {D86: [KG, SP]}


def test_a_form_is_asked_about_only_where_the_offer_would_have_merged() -> None:
    form = (ID, SERVER, EMAIL)
    odd = offer(SP, "86 Diamonds", 18_700, form=form)
    assert groups(shelf(odd)) == {odd.key: [SP]}
    assert shelf(odd).doubts == ()
    near = offer(KG, "86 Diamonds", 18_600)
    assert shelf(near, replace(odd, listed=30_000)).doubts == ()
    assert shelf(near, odd, said=[other(odd, D86)]).doubts == ()
    assert shelf(FIVE, replace(TWO_WAYS, form=form)).doubts == ()
    assert shelf(near, offer(SP, "Joki 86 Diamonds", 18_700, form=form)).doubts == ()


def test_no_word_of_the_owner_makes_a_form_fit() -> None:
    near = offer(KG, "86 Diamonds", 18_600)
    odd = offer(SP, "86 Diamonds", 18_700, form=(ID, SERVER, EMAIL))
    arranged = shelf(near, odd, said=[same(odd, D86)])
    assert groups(arranged) == {D86: [KG], odd.key: [SP]}
    assert arranged.doubts == ()  # the owner has answered
    assert [member.confirmed for member in the_item(arranged, odd.key).members] == [False]


def test_an_odd_form_does_not_move_the_median() -> None:
    odd = [offer(SP, f"86 Diamonds V{n}", 30_000 + n, form=(ID, EMAIL, SERVER)) for n in range(5)]
    arranged = shelf(offer(KG, "86 Diamonds", 18_600), offer(ZG, "86 Diamond", 18_950), *odd)
    assert groups(arranged)[D86] == [KG, ZG]


def test_a_form_with_a_suppliers_own_servers_fits_if_it_has_ours() -> None:
    names = ("Asia", "America", "Europe", "TW, HK, MO")
    options = tuple(FormOption(name=name, code=f"s{n}") for n, name in enumerate(names))
    crystals = [
        Offer(supplier=ZG, sku="1", game="genshin-impact", item="60 Genesis Crystals", listed=100),
        Offer(
            supplier=SP,
            sku="2",
            game="genshin-impact",
            item="60 Genesis Crystals",
            listed=101,
            form=(ID, replace(SERVER, options=options)),
        ),
    ]
    words = WORDS["genshin-impact"]
    assert groups(arrange(GENSHIN, words, crystals)) == {
        "genshin-impact/genesis-crystal/60": [ZG, SP]
    }
    fewer = replace(crystals[1], form=(ID, replace(SERVER, options=options[:2])))
    arranged = arrange(GENSHIN, words, [crystals[0], fewer])
    assert [doubt.why for doubt in arranged.doubts] == [Why.FORM]


# --- The labelled rows ---------------------------------------------------------------------------


def arranged_rows() -> list[tuple[Arranged, dict[str, Row]]]:
    """Every game's labelled rows on its shelf, with what a person says of each."""
    found = []
    for game in sorted({row.game for row in OF_GAMES}):
        rows = [row for row in OF_GAMES if row.game == game]
        offers = [row.offer for row in rows]
        arranged = arrange(GAMES[game], WORDS[game], offers)
        found.append((arranged, {row.offer.key: row for row in rows}))
    return found


def test_what_goes_together_by_itself_is_the_same_to_a_person() -> None:
    merged = 0
    for arranged, rows in arranged_rows():
        for item in arranged.items:
            members = [rows[member.offer.key] for member in item.members]
            if len(members) == 1:
                continue
            merged += len(members)
            assert {row.key for row in members} == {item.key}
            assert all(row.is_sure for row in members)
    assert merged >= 250


def test_what_is_the_same_to_a_person_goes_together_by_itself() -> None:
    sure = [row for row in OF_GAMES if row.is_sure]
    at_home = sum(
        member.offer.key in rows and rows[member.offer.key].key == item.key
        for arranged, rows in arranged_rows()
        for item in arranged.items
        for member in item.members
        if rows[member.offer.key].is_sure
    )
    recall = at_home / len(sure)
    print(f"recall {recall:.3f}: {at_home} of {len(sure)} rows")  # noqa: T201 the figure it is for
    assert len(sure) >= 350
    assert recall == 1


def test_odd_prices_are_asked_about_and_other_things_are_not() -> None:
    asked = 0
    for arranged, rows in arranged_rows():
        doubts = {doubt.offer.key: doubt for doubt in arranged.doubts}
        for key, row in rows.items():
            if row.odd_price:
                assert doubts[key].why is Why.PRICE
                assert doubts[key].good == row.key
            elif key in doubts:
                asked += 1
                assert doubts[key].why is Why.NAME
                assert not row.certain
                assert row.kind is not None
    assert asked >= 34


# --- Whatever is listed, and whatever was said ---------------------------------------------------

ITEMS = (
    "86 Diamonds", "86 dm", "86 (78+8) Diamonds", "5 Diamond (5 + 1)", "5 Diamonds", "6 Diamonds",
    "86 Diamonds Promo", "WDP", "WDP x2", "Weekly Pass", "Starlight", "Starlight Plus",
    "86 Diamonds Brazil", "Joki", "",
)  # fmt: skip
KEYS = (D5, D6, D86, WDP, "mobile-legends/starlight-member/1", "free-fire/diamond/5", "zultopup/1")
FORMS = ((), (), (), (ID, SERVER), (ID,), (ID, SERVER, EMAIL))
OFFERS = st.lists(
    st.builds(
        Offer,
        supplier=st.sampled_from([ZT, SP, KG]),
        sku=st.sampled_from([str(n) for n in range(6)]),
        game=st.sampled_from([ML.slug, ML.slug, ML.slug, FF.slug]),
        item=st.sampled_from(ITEMS),
        listed=st.sampled_from([0, 79, 80, 99, 100, 101, 120, 121, 150, 1_000]),
        form=st.sampled_from(FORMS),
        withheld=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: (one.supplier, one.sku),
)
SAID = st.lists(
    st.builds(
        Match,
        supplier=st.sampled_from([ZT, SP, KG]),
        sku=st.sampled_from([str(n) for n in range(6)]),
        item=st.sampled_from(ITEMS),
        good=st.sampled_from(KEYS),
        same=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda said: (said.supplier, said.sku, said.good),
)


@given(OFFERS, SAID, st.randoms(use_true_random=False))
def test_no_offer_is_lost_or_doubled_and_their_order_does_not_matter(
    offers: list[Offer], said: list[Match], chance: Any
) -> None:
    arranged = shelf(*offers, said=said)
    there = [member.offer for item in arranged.items for member in item.members]
    assert sorted(there, key=lambda one: one.key) == sorted(offers, key=lambda one: one.key)
    assert len({item.key for item in arranged.items}) == len(arranged.items)
    lowest = [min(member.offer.listed for member in item.members) for item in arranged.items]
    assert lowest == sorted(lowest)
    chance.shuffle(offers)
    chance.shuffle(said)
    assert shelf(*offers, said=said) == arranged


@given(OFFERS, SAID)
def test_nothing_goes_together_without_a_certain_name_or_the_owners_word(
    offers: list[Offer], said: list[Match]
) -> None:
    yes = {(m.supplier, m.sku, m.item, m.good) for m in said if m.same}
    no = {(m.supplier, m.sku, m.item, m.good) for m in said if not m.same}
    arranged = shelf(*offers, said=said)
    for item in arranged.items:
        amounts = {member.content for member in item.members}
        assert item.content == min(amounts)
        for member in item.members:
            one = member.offer
            about = (one.supplier, one.sku, one.item, item.key)
            good = recognise(ML, WORDS["mobile-legends"], one.item)
            assert about not in no
            assert member.confirmed is (about in yes)
            if member.confirmed:
                assert good is None or good.unit in item.key.split("/")
            elif len(item.members) > 1 or item.key != one.key:
                assert good is not None
                assert (good.certain, good.key, one.game) == (True, item.key, ML.slug)
                assert one.form in {(), (ID, SERVER)}


@given(OFFERS, SAID)
def test_every_question_is_about_an_offer_that_stands_alone_and_was_not_answered(
    offers: list[Offer], said: list[Match]
) -> None:
    answered = {(m.supplier, m.sku, m.item, m.good) for m in said if not m.same}
    arranged = shelf(*offers, said=said)
    asked = [doubt.offer.key for doubt in arranged.doubts]
    assert len(set(asked)) == len(asked)
    for doubt in arranged.doubts:
        one = doubt.offer
        assert arranged.item_of(one.supplier, one.sku) == arranged.item(one.key)
        assert (one.supplier, one.sku, one.item, doubt.good) not in answered
        assert doubt.others
        assert one not in doubt.others
        item = arranged.item(doubt.good)
        if item is not None:
            assert (doubt.title, doubt.others) == (
                item.title,
                tuple(member.offer for member in item.members),
            )
        else:
            assert doubt.why is Why.PRICE
