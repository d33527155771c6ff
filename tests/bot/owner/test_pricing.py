"""The owner's prices: shown, changed after a second look, and taken back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.views import MOST_DATA_BYTES, Finish, StepId, View
from bot.owner.price_effects import effects_of, price_of
from bot.owner.price_places import of_scope
from bot.owner.price_words import Look, Unclear, Undo, Wanted, read
from bot.owner.pricing import CONFIRM_WITHIN, UNDO_WITHIN, ConfirmPrice, prices
from shop.pricing import SHOP, Override, Part, Scope
from shop.routing import Verdict
from shop.shelf import Item
from shop.suppliers import Abilities
from shop.time import MINUTE, SECOND
from tests.bot.conversation.parlour import (
    BACK,
    EVERY_WAY,
    FACE,
    OWNER,
    SHELF,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    unhurried,
    whole,
    wide,
)

SECOND_OWNER = "telegram:12345"
FF, ML = "free-fire", "mobile-legends"
YES = "Ya, ubah harga"
say, money = TEXTS["id"], TEXTS["id"].money


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour(owners=(OWNER, SECOND_OWNER), rules=EVERY_WAY)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


def item(parlour: Parlour, game: str, title: str) -> Item:
    """The item of that name, whatever its key."""
    arranged = parlour.books.shelf.arranged(game)
    return next(each for each in arranged.items if each.title == title)


def decided(parlour: Parlour) -> Mapping[Scope, Override]:
    return parlour.books.price_rules.all()


def decide(parlour: Parlour, scope: Scope, override: Override) -> None:
    """An owner decided this some time ago."""
    long_ago = parlour.clock() - 60 * MINUTE
    parlour.books.price_rules.put(scope, override, OWNER, long_ago)


def price(parlour: Parlour, game: str, title: str) -> int | None:
    """What a customer pays for an item now; ``None``: it is not sold."""
    sale = parlour.room().market.sale(item(parlour, game, title))
    return None if sale is None else sale.quote.price


def change(owner: Guest, typed: str) -> View:
    """Let an owner write a change, and say yes to it."""
    owner.says(f"/harga {typed}")
    assert owner.step is StepId.PRICE, owner.last
    told = owner.taps(YES)
    assert told is not None
    return told


# --- what is shown --------------------------------------------------------------------------------


def test_the_shops_rule_is_shown_with_where_each_part_comes_from(
    parlour: Parlour, owner: Guest
) -> None:
    decide(parlour, SHOP, Override(margin_bp=625, floor=300))
    view = owner.says("/harga")
    for line in (
        "persen: 6,25% (toko)",
        "min: Rp500 (dari pengaturan)",
        "bulat: Rp100 (dari pengaturan)",
        "lantai: Rp300 (toko)",
        say("price.no_overrides"),
        say("price.how"),
    ):
        assert line in view.text
    assert "harga tetap:" not in view.text
    assert view.choices == ()


def test_whatever_was_set_on_its_own_is_listed_and_opened_by_its_button(
    parlour: Parlour, owner: Guest
) -> None:
    diamonds = item(parlour, FF, "70 Diamond")
    decide(parlour, ML, Override(margin_bp=700, margin_min=1_000))
    decide(parlour, diamonds.key, Override(price=12_500))
    view = owner.says("/harga")
    assert "• Mobile Legends: persen 7% · min Rp1.000" in view.text
    assert "• Free Fire · 70 Diamond: harga tetap Rp12.500" in view.text
    opened = owner.taps("Free Fire · 70 Diamond")
    assert opened is not None
    assert opened.title == "🏷 Harga: Free Fire · 70 Diamond"
    assert owner.taps("Mobile Legends", on=view) == owner.says("/harga ml")


def test_a_game_shows_of_each_item_its_cost_price_and_profit(
    parlour: Parlour, owner: Guest
) -> None:
    decide(parlour, ML, Override(margin_bp=700))
    decide(parlour, item(parlour, ML, "172 Diamond").key, Override(price=45_000))
    view = owner.says("/harga ml")
    assert view.title == "🏷 Harga: Mobile Legends"
    assert "persen: 7% (game ini)" in view.text
    # 19,100 listed costs 21,392 by dropship; 7 % of that is 1,498; rounded up to hundreds.
    assert "• 86 Diamond: Rp21.392 → Rp22.900 (+Rp1.508)" in view.text
    assert "• 172 Diamond ✎: Rp42.560 → Rp45.000 (+Rp2.440)" in view.text


def test_a_game_is_shown_for_a_name_with_a_slip_of_the_finger(owner: Guest) -> None:
    assert owner.says("/harga mobil legend").title == "🏷 Harga: Mobile Legends"


def test_an_item_shows_whose_word_counts_for_each_part(parlour: Parlour, owner: Guest) -> None:
    diamonds = item(parlour, ML, "86 Diamond")
    decide(parlour, SHOP, Override(margin_min=800, floor=100))
    decide(parlour, ML, Override(round_to=500, floor=200))
    decide(parlour, diamonds.key, Override(floor=300, price=25_000))
    view = owner.says("/harga ml 86")
    for line in (
        "persen: 5% (dari pengaturan)",
        "min: Rp800 (toko)",
        "bulat: Rp500 (game ini)",
        "lantai: Rp300 (item ini)",
        "harga tetap: Rp25.000 (item ini)",
        "• zultopup: Rp21.392 → Rp25.000 (+Rp3.608)",
        say(f"route.{Verdict.SOLD}"),
        f"/harga {diamonds.key} = 20rb",
    ):
        assert line in view.text
    assert owner.says(f"/harga {diamonds.key}") == view


def test_an_item_that_nothing_is_sold_of_says_why(parlour: Parlour, owner: Guest) -> None:
    decide(parlour, item(parlour, FF, "70 Diamond").key, Override(price=11_500, floor=301))
    assert (
        "• zultopup: Rp11.500 < Rp11.200 + Rp301, jadi tidak dijual"
        in owner.says("/harga ff 70").text
    )
    assert "• 70 Diamond ✎: Rp11.200 → tidak dijual" in owner.says("/harga ff").text
    assert "70 Diamond" not in [c.label for c in parlour.guest("budi").says("/start ff").choices]


def test_what_cannot_be_delivered_now_keeps_its_price_and_says_so(
    parlour: Parlour, owner: Guest
) -> None:
    line = "• 70 Diamond: Rp11.200 → Rp11.800 (+Rp600)"
    assert line in owner.says("/harga ff").text.splitlines()
    parlour.books.shelf.withhold(SUPPLIER, "1")
    assert f"{line}, sedang tidak bisa dikirim" in owner.says("/harga ff").text.splitlines()


# --- what is understood ---------------------------------------------------------------------------


UNDERSTOOD: Sequence[tuple[str, str, Part, int]] = [
    ("persen 6", "", Part.PERCENT, 600),
    ("percent 6,25%", "", Part.PERCENT, 625),
    ("ml persen 7.5", "ml", Part.PERCENT, 750),
    ("ml persen 0", "ml", Part.PERCENT, 0),
    ("ml persen 100 %", "ml", Part.PERCENT, 10_000),
    ("ml PERSEN = 7", "ml", Part.PERCENT, 700),
    ("ml min 1000", "ml", Part.LEAST, 1_000),
    ("mobile legends minimal 1.000", "mobile legends", Part.LEAST, 1_000),
    ("min Rp 1rb", "", Part.LEAST, 1_000),
    ("ml bulat 500", "ml", Part.STEP, 500),
    ("round 1", "", Part.STEP, 1),
    ("bulat 100rb", "", Part.STEP, 100_000),
    ("ml lantai 300", "ml", Part.FLOOR, 300),
    ("floor 0", "", Part.FLOOR, 0),
    ("ml 86 = 20000", "ml 86", Part.PRICE, 20_000),
    ("ml 86=20.000", "ml 86", Part.PRICE, 20_000),
    ("ml 86 harga 20rb", "ml 86", Part.PRICE, 20_000),
    ("ml 86 price = Rp20,000", "ml 86", Part.PRICE, 20_000),
    ("ml 86 harga 20 ribu", "ml 86", Part.PRICE, 20_000),
    ("kiosgame/S4_ML86 = 1", "kiosgame/S4_ML86", Part.PRICE, 1),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "where", "part", "value"), UNDERSTOOD)
def test_a_change_is_understood_however_it_is_written(
    typed: str, where: str, part: Part, value: int
) -> None:
    wanted = Wanted(where=where, part=part, value=value)
    assert read(typed) == wanted
    assert read(f"  {typed}  ") == wanted
    assert read(wide(typed)) == wanted


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("", Look(where="")),
        ("ml", Look(where="ml")),
        ("ml 86", Look(where="ml 86")),
        ("hal 2", Look(where="", page=2)),
        ("mobile-legends hal 3", Look(where="mobile-legends", page=3)),
        ("ml PAGE 0", Look(where="ml", page=0)),
        ("ml hapus", Wanted(where="ml")),
        ("reset", Wanted(where="")),
        ("ml 86 hapus", Wanted(where="ml 86")),
        ("ml persen hapus", Wanted(where="ml", part=Part.PERCENT)),
        ("ml 86 = reset", Wanted(where="ml 86", part=Part.PRICE)),
        ("urung 0a1b2c3d", Undo(mark="0a1b2c3d")),
        ("urung", Look(where="urung")),
    ],
)
def test_what_is_no_amount_is_a_question_or_taken_back(typed: str, asked: object) -> None:
    assert read(typed) == asked


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("ml persen", Unclear.HALF), ("ml 86 =", Unclear.HALF), ("ml hapus 86", Unclear.HALF),
        ("persen 100,01", Unclear.PERCENT), ("persen 101", Unclear.PERCENT),
        ("persen -1", Unclear.PERCENT), ("persen 7,123", Unclear.PERCENT),
        ("persen 7 8", Unclear.PERCENT), ("persen 1e2", Unclear.PERCENT),
        ("persen ½", Unclear.PERCENT), ("persen tujuh", Unclear.PERCENT),
        ("bulat 0", Unclear.STEP), ("bulat 100001", Unclear.STEP), ("bulat dua", Unclear.STEP),
        ("min -500", Unclear.AMOUNT), ("min 1,25", Unclear.AMOUNT), ("lantai 1e3", Unclear.AMOUNT),
        ("ml 86 = 100.000.001", Unclear.AMOUNT), ("ml 86 = murah", Unclear.AMOUNT),
        ("ml 86 = 20rb 5", Unclear.AMOUNT), ("ml min 1000 persen 7", Unclear.AMOUNT),
        ("ml 86 = 0", Unclear.NOUGHT),
    ],
)  # fmt: skip
def test_what_is_absurd_or_half_said_is_not_done_but_explained(
    parlour: Parlour, owner: Guest, typed: str, why: Unclear
) -> None:
    assert read(typed) is why
    view = owner.says(f"/harga {typed}")
    assert view.text.endswith(say("price.how"))
    assert len(view.text) > len(say("price.how")) + 10
    assert (owner.step, decided(parlour)) == (None, {})


def test_a_refusal_names_the_most_that_is_taken(owner: Guest) -> None:
    assert "Rp100.000:" in owner.says("/harga bulat 1jt").text
    assert "Rp100.000.000." in owner.says("/harga min 1000jt").text
    assert "dari 0 sampai 100" in owner.says("/harga persen 500").text


@pytest.mark.parametrize("typed", ["{}", "{} persen 7", "{} = 20rb", "{} hapus"])
def test_an_unknown_name_says_how_far_it_was_understood(
    parlour: Parlour, owner: Guest, typed: str
) -> None:
    unknown = owner.says(f"/harga {typed.format('xyzzy plugh')}")
    assert say("price.not_found", typed="xyzzy plugh") in unknown.text
    no_item = owner.says(f"/harga {typed.format('ml 8888')}")
    known = say("price.no_item", game="Mobile Legends", typed="8888", slug=ML)
    assert known in no_item.text
    assert (owner.step, decided(parlour)) == (None, {})


def test_a_name_with_a_slip_of_the_finger_changes_nothing(parlour: Parlour, owner: Guest) -> None:
    view = owner.says("/harga mobil legend persen 7")
    perhaps = say("price.perhaps", typed="mobil legend", game="Mobile Legends")
    assert view.text == f"{perhaps}\n\n{say('price.how')}"
    assert (owner.step, decided(parlour)) == (None, {})


@pytest.mark.parametrize("where", ["", "ml", "mobile-legends"])
def test_only_an_item_is_given_a_fixed_price(parlour: Parlour, owner: Guest, where: str) -> None:
    assert say("price.of_an_item") in owner.says(f"/harga {where} = 20rb").text
    assert (owner.step, decided(parlour)) == (None, {})


def test_what_was_typed_is_shown_back_short_and_harmless(owner: Guest) -> None:
    view = owner.says("/harga \u202e" + "x" * 250 + " persen 7")
    assert "\u202e" not in view.text
    assert "x" * 40 not in view.text
    assert "x" * 39 in view.text


# --- changing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "scope", "override"),
    [
        ("persen 6", SHOP, Override(margin_bp=600)),
        ("ml min 1000", ML, Override(margin_min=1_000)),
        ("Mobile Legends bulat 500", ML, Override(round_to=500)),
        ("mobile-legends lantai 0", ML, Override(floor=0)),
        ("ml 86 = 25rb", "86 Diamond", Override(price=25_000)),
        ("ml 86 persen 3,5", "86 Diamond", Override(margin_bp=350)),
    ],
)
def test_prices_change_only_after_a_second_look(
    parlour: Parlour, owner: Guest, typed: str, scope: Scope, override: Override
) -> None:
    view = owner.says(f"/harga {typed}")
    assert owner.labels == [YES, BACK]
    assert say("price.ask", changes="", effect="").rpartition("\n\n")[2] in view.text
    assert decided(parlour) == {}
    told = owner.taps(YES)
    assert told is not None
    assert told.choices[0].label == say("price.undo")
    scope = item(parlour, ML, scope).key if scope == "86 Diamond" else scope
    assert decided(parlour) == {scope: override}
    assert owner.step is None


def test_parts_are_decided_one_by_one_and_keep_one_another(parlour: Parlour, owner: Guest) -> None:
    change(owner, "ml persen 7")
    change(owner, "ml min 1000")
    assert decided(parlour) == {ML: Override(margin_bp=700, margin_min=1_000)}
    change(owner, "ml persen hapus")
    assert decided(parlour) == {ML: Override(margin_min=1_000)}
    change(owner, "ml hapus")
    assert decided(parlour) == {}


def test_customers_pay_the_new_price_from_the_next_moment(parlour: Parlour, owner: Guest) -> None:
    budi = parlour.guest("budi")
    budi.walks_to_confirmation()
    assert "Rp11.800" in budi.last.text
    change(owner, "ff 70 = 12.345")
    budi.taps("Bayar")
    assert parlour.orders == []
    assert "Rp11.800" in budi.last.text  # was
    assert "Rp12.345" in budi.last.text  # is
    budi.taps("Bayar")
    assert [order.price for order in parlour.orders] == [12_345]


def test_an_order_that_was_made_keeps_its_price_and_its_ceiling(
    parlour: Parlour, owner: Guest
) -> None:
    budi = parlour.guest("budi")
    change(owner, "ff lantai 300")
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    change(owner, "ff lantai 9000")
    (order,) = parlour.orders
    assert (order.price, order.ceiling) == (11_800, 11_500)


def test_a_restart_forgets_no_price(parlour: Parlour, owner: Guest) -> None:
    told = change(owner, "ff 70 = 12.345")
    parlour.restart()
    assert price(parlour, FF, "70 Diamond") == 12_345
    assert owner.taps(say("price.undo"), on=told) == View(
        text=say("price.undone", what="Free Fire · 70 Diamond")
    )
    assert price(parlour, FF, "70 Diamond") == 11_800


def test_what_is_so_already_is_not_asked(parlour: Parlour, owner: Guest) -> None:
    change(owner, "ml persen 7")
    for typed in ("ml persen 7,00", "ml min hapus", "ff hapus", "hapus"):
        view = owner.says(f"/harga {typed}")
        assert "memang sudah begitu" in view.text
        assert owner.step is None


# --- the second look ------------------------------------------------------------------------------


def test_the_look_shows_the_most_changed_prices_before_and_after(
    parlour: Parlour, owner: Guest
) -> None:
    lines = owner.says("/harga ff lantai 700").text.splitlines()
    assert lines == [
        "lantai: Rp0 → Rp700",
        "",
        "2 dari 3 item berubah harga. Yang paling banyak:",
        "• 5 Diamond: Rp1.500 → Rp1.700",
        "• 70 Diamond: Rp11.800 → Rp11.900",
        "",
        "Benar? Berlaku 2 menit.",
    ]


def test_of_many_changed_prices_the_look_shows_five(parlour: Parlour, owner: Guest) -> None:
    parlour.stock({FF: [(f"s{n}", f"{n} Diamond", 1_000 * n) for n in range(1, 11)]})
    lines = owner.says("/harga persen 60").text.splitlines()
    assert lines[2] == "10 dari 10 item berubah harga. Yang paling banyak:"
    assert [line.partition(":")[0] for line in lines[3:8]] == [
        f"• Free Fire · {n} Diamond" for n in (10, 9, 8, 7, 6)
    ]
    assert lines[8] == "… dan 5 lagi"


def test_what_becomes_cheaper_is_shown_by_how_much_too(owner: Guest) -> None:
    lines = owner.says("/harga ff persen 4").text.splitlines()
    assert lines[2:5] == [
        "2 dari 3 item berubah harga. Yang paling banyak:",
        "• 140 Diamond: Rp23.500 → Rp23.200",
        "• 70 Diamond: Rp11.800 → Rp11.700",
    ]


def test_of_one_item_the_look_is_one_line(owner: Guest) -> None:
    assert owner.says("/harga ff 70 = 12rb").text.splitlines()[:4] == [
        "harga tetap: tidak ada → Rp12.000",
        "",
        "• 70 Diamond: Rp11.800 → Rp12.000",
        "",
    ]


def test_a_change_without_an_effect_says_so(owner: Guest) -> None:
    assert say("price.changes_nothing") in owner.says("/harga ff min 501").text
    assert say("price.about_nothing") in owner.says("/harga pubg persen 7").text


def test_a_price_that_sells_nothing_is_told_before_and_can_be_taken_back(
    parlour: Parlour, owner: Guest
) -> None:
    view = owner.says("/harga ff 70 = 11.199")
    assert "• 70 Diamond: Rp11.199 < Rp11.200 + Rp0" in view.text
    assert "1 item tidak dijual lagi" in view.text
    owner.taps(YES)
    assert price(parlour, FF, "70 Diamond") is None
    back = owner.says("/harga ff 70 hapus")
    assert "harga tetap: Rp11.199 → tidak ada" in back.text
    assert "1 item dijual lagi:\n• 70 Diamond: tidak dijual → Rp11.800" in back.text
    owner.taps(YES)
    assert price(parlour, FF, "70 Diamond") == 11_800


def test_a_floor_of_the_shop_says_which_fixed_prices_it_is_too_high_for(
    parlour: Parlour, owner: Guest
) -> None:
    decide(parlour, item(parlour, FF, "70 Diamond").key, Override(price=12_000))
    view = owner.says("/harga lantai 801")
    assert "• Free Fire · 70 Diamond: Rp12.000 < Rp11.200 + Rp801" in view.text
    owner.taps(YES)
    assert price(parlour, FF, "70 Diamond") is None
    assert price(parlour, FF, "5 Diamond") == 1_800


OVERRIDES = st.builds(
    Override,
    margin_bp=st.none() | st.integers(0, 10_000),
    margin_min=st.none() | st.integers(0, 5_000),
    round_to=st.none() | st.sampled_from([1, 100, 500, 5_000]),
    floor=st.none() | st.integers(0, 5_000),
    price=st.none() | st.integers(1, 80_000),
)
PLACES = st.sampled_from([SHOP, FF, ML, "70 Diamond"])


@unhurried
@given(before=st.dictionaries(PLACES, OVERRIDES), place=PLACES, after=OVERRIDES)
def test_prices_become_exactly_what_the_look_has_shown(
    before: Mapping[str, Override], place: str, after: Override
) -> None:
    parlour = Parlour()
    try:
        key = item(parlour, FF, "70 Diamond").key
        scopes = {"70 Diamond": key}
        for name, override in before.items():
            decide(parlour, scopes.get(name, name), override)
        scope, room = scopes.get(place, place), parlour.room()
        others = {**room.market.overrides, scope: after}
        looked = effects_of(room, of_scope(room, scope), others)
        was, announced = all_prices(parlour), {e.item.key: e.after for e in looked.changed}
        decide(parlour, scope, after)
        now = all_prices(parlour)
        assert {k for k in now if was[k] != now[k]} == {
            effect.item.key for effect in (*looked.changed, *looked.stopped, *looked.resumed)
        }
        for key, priced in announced.items():
            assert priced.quote is not None
            assert now[key] == priced.quote.price
        assert all(now[effect.item.key] is None for effect in looked.stopped)
        assert all(was[effect.item.key] is None for effect in looked.resumed)
    finally:
        parlour.close()


def all_prices(parlour: Parlour) -> dict[str, int | None]:
    """What customers pay for each item on the shelf."""
    room = parlour.room()
    items = [each for game in room.games() for each in room.items(game)]
    sales = {each.key: room.market.sale(each) for each in items}
    return {key: None if sale is None else sale.quote.price for key, sale in sales.items()}


# --- who, when, and once --------------------------------------------------------------------------


def test_a_yes_after_two_minutes_is_none(parlour: Parlour, owner: Guest) -> None:
    owner.says("/harga ml persen 7")
    parlour.clock.advance(CONFIRM_WITHIN + 1)
    assert owner.taps(YES) == View(text=say("price.too_late"))
    assert (owner.step, decided(parlour)) == (None, {})
    owner.says("/harga ml persen 7")
    parlour.clock.advance(CONFIRM_WITHIN)
    owner.taps(YES)
    assert decided(parlour) == {ML: Override(margin_bp=700)}


def test_anything_but_yes_asks_again(parlour: Parlour, owner: Guest) -> None:
    owner.says("/harga ml persen 7")
    assert owner.says("mungkin").text.startswith(say("price.press"))
    assert (owner.step, decided(parlour)) == (StepId.PRICE, {})
    owner.says("ya, ubah harga")
    assert decided(parlour) == {ML: Override(margin_bp=700)}


def test_a_yes_to_what_another_owner_has_changed_meanwhile_is_none(
    parlour: Parlour, owner: Guest
) -> None:
    partner = parlour.guest(address=SECOND_OWNER)
    owner.says("/harga ml persen 7")
    change(partner, "ml min 1000")
    assert owner.taps(YES) == View(text=say("price.changed_meanwhile"))
    assert decided(parlour) == {ML: Override(margin_min=1_000)}


def test_an_old_yes_is_no_second_one(parlour: Parlour, owner: Guest) -> None:
    asked = owner.says("/harga ml persen 7")
    owner.taps(YES, on=asked)
    change(owner, "ml hapus")
    owner.taps(YES, on=asked)
    assert decided(parlour) == {}


def test_nobody_else_sees_or_changes_prices(parlour: Parlour, owner: Guest) -> None:
    budi = parlour.guest("budi")
    told = change(owner, "ml persen 7")
    for typed in ("/harga", "/harga ml persen 1", "/harga ml hapus"):
        view = budi.says(typed)
        assert say("command.unknown") in view.text
        assert budi.step is not StepId.PRICE
    budi.presses(told.choices[0].data)
    assert decided(parlour) == {ML: Override(margin_bp=700)}


def test_an_owner_who_is_none_any_more_says_yes_in_vain(parlour: Parlour, owner: Guest) -> None:
    owner.says("/harga ml persen 7")
    parlour.owners = (SECOND_OWNER,)
    parlour.open(FACE)
    owner.taps(YES)
    assert decided(parlour) == {}
    room = parlour.room(OWNER, is_owner=False)
    refused = ConfirmPrice().answer(room, owner.draft, "yes")
    assert refused == Finish(View(text=say("price.too_late")))


def test_it_is_written_down_who_decided_and_when(parlour: Parlour, owner: Guest) -> None:
    change(owner, "ml persen 7")
    (made,) = parlour.books.price_rules.decided_since(0)
    assert (made.actor, made.at) == (OWNER, parlour.clock())


# --- taking back ----------------------------------------------------------------------------------


def test_a_change_is_undone_by_its_button_once(parlour: Parlour, owner: Guest) -> None:
    decide(parlour, ML, Override(margin_bp=600, margin_min=900))
    told = change(owner, "ml persen 7")
    parlour.clock.advance(UNDO_WITHIN)
    undone = owner.taps(say("price.undo"), on=told)
    assert undone == View(text=say("price.undone", what="Mobile Legends"))
    assert decided(parlour) == {ML: Override(margin_bp=600, margin_min=900)}
    assert owner.taps(say("price.undo"), on=told) == View(text=say("price.cannot_undo"))
    assert decided(parlour) == {ML: Override(margin_bp=600, margin_min=900)}


def test_what_was_taken_back_comes_back_by_undoing_that(parlour: Parlour, owner: Guest) -> None:
    decide(parlour, ML, Override(margin_bp=600))
    told = change(owner, "ml hapus")
    assert decided(parlour) == {}
    parlour.guest(address=SECOND_OWNER).presses(told.choices[0].data)
    assert decided(parlour) == {ML: Override(margin_bp=600)}


def test_after_ten_minutes_nothing_is_undone(parlour: Parlour, owner: Guest) -> None:
    told = change(owner, "ml persen 7")
    parlour.clock.advance(UNDO_WITHIN + 1)
    assert owner.taps(say("price.undo"), on=told) == View(text=say("price.cannot_undo"))
    assert decided(parlour) == {ML: Override(margin_bp=700)}


def test_a_change_that_another_one_followed_is_not_undone(parlour: Parlour, owner: Guest) -> None:
    first, second = change(owner, "ml persen 7"), change(owner, "ml persen 8")  # at once
    owner.taps(say("price.undo"), on=first)
    assert decided(parlour) == {ML: Override(margin_bp=800)}
    owner.taps(say("price.undo"), on=second)
    assert decided(parlour) == {ML: Override(margin_bp=700)}


def test_the_button_of_an_earlier_change_to_the_same_undoes_nothing(
    parlour: Parlour, owner: Guest
) -> None:
    first = change(owner, "ml persen 7")
    parlour.clock.advance(SECOND)
    change(owner, "ml persen 8")
    parlour.clock.advance(SECOND)
    change(owner, "ml persen 7")
    assert owner.taps(say("price.undo"), on=first) == View(text=say("price.cannot_undo"))
    assert decided(parlour) == {ML: Override(margin_bp=700)}


def test_a_change_of_one_scope_is_undone_whatever_happened_to_others(
    parlour: Parlour, owner: Guest
) -> None:
    told = change(owner, "ml persen 7")
    change(owner, "ff persen 7")
    owner.taps(say("price.undo"), on=told)
    assert decided(parlour) == {FF: Override(margin_bp=700)}


def test_a_made_up_undo_does_nothing(parlour: Parlour, owner: Guest) -> None:
    change(owner, "ml persen 7")
    assert owner.says("/harga urung 00000000") == View(text=say("price.cannot_undo"))
    assert decided(parlour) == {ML: Override(margin_bp=700)}


# --- long lists, and what is gone -----------------------------------------------------------------


MANY = [(f"sku-{n}", f"{n} Diamond", 1_000 * n) for n in range(1, 22)]


@pytest.mark.parametrize("limit", [3, 10, 100])
def test_every_item_of_a_game_is_on_some_page_and_opened_by_its_button(
    parlour: Parlour, limit: int
) -> None:
    parlour.stock({ML: MANY})
    owner = parlour.guest(address=OWNER, limit=limit)
    view, seen = owner.says("/harga ml"), []
    while True:
        assert len(view.choices) <= limit
        seen += [c for c in view.choices if c.label.endswith("Diamond")]
        assert all(f"• {c.label}: " in view.text for c in seen[-1:])
        onwards = [c for c in view.choices if c.label == say("button.next")]
        if not onwards:
            break
        view = owner.presses(onwards[0].data) or view
    assert [choice.label for choice in seen] == [name for _, name, _ in MANY]
    for choice in (seen[0], seen[-1]):
        opened = owner.presses(choice.data)
        assert opened is not None
        assert opened.title == f"🏷 Harga: Mobile Legends · {choice.label}"


def test_pages_go_back_and_end(parlour: Parlour, owner: Guest) -> None:
    parlour.stock({ML: MANY})
    first, last = owner.says("/harga ml"), owner.says("/harga ml hal 99")
    assert say("page", page=1, pages=3) in first.text
    assert say("page", page=3, pages=3) in last.text
    assert owner.labels[-1] == say("button.previous")
    owner.taps(say("button.previous"))
    assert owner.taps(say("button.previous")) == first
    assert owner.says("/harga ml hal 0") == first


def test_the_shops_list_of_own_prices_has_pages_too(parlour: Parlour, owner: Guest) -> None:
    parlour.stock({ML: MANY})
    for _, name, listed in MANY:
        decide(parlour, item(parlour, ML, name).key, Override(price=3 * listed))
    shown = []
    for page in (1, 2, 3):
        view = owner.says(f"/harga hal {page}")
        shown += [line for line in view.text.splitlines() if line.startswith("• ")]
    assert sorted(shown) == sorted(
        f"• Mobile Legends · {name}: harga tetap {money(3 * listed)}" for _, name, listed in MANY
    )


def test_a_button_never_carries_more_than_telegram_takes(parlour: Parlour, owner: Guest) -> None:
    long = "S" * 90
    parlour.stock({ML: [(long, "86 Diamond dengan nama yang panjang sekali", 19_100)]})
    (lone,) = parlour.books.shelf.arranged(ML).items
    decide(parlour, lone.key, Override(price=25_000))
    decide(parlour, f"kiosgame/{long}", Override(price=25_000))
    for typed in ("/harga", "/harga ml"):
        view = owner.says(typed)
        assert len(view.choices) == 1
        assert len(view.choices[0].data.encode()) <= MOST_DATA_BYTES
        assert len(view.choices[0].label) <= 24
        opened = owner.presses(view.choices[0].data)
        assert opened is not None
        assert opened.title.startswith("🏷 Harga: Mobile Legends · 86 Diamond")


def test_the_longest_names_leave_a_message_that_telegram_shows_whole(
    parlour: Parlour, owner: Guest
) -> None:
    parlour.stock({ML: [(f"sku-{n}", f"{n} {'Diamond ' * 24}", 1_000 * n) for n in range(1, 30)]})
    for typed in ("/harga", "/harga ml", "/harga persen 50", "/harga ml lantai 50rb"):
        shown = whole(owner.says(typed))
        assert len(shown) < 4_096
        assert all(len(line) < 100 for line in shown.splitlines() if line.startswith("• "))


def test_what_was_decided_for_an_item_that_is_gone_can_be_seen_and_taken_back(
    parlour: Parlour, owner: Guest
) -> None:
    decide(parlour, "kiosgame/S4_ML86", Override(price=20_000))
    assert "• kiosgame/S4_ML86: harga tetap Rp20.000" in owner.says("/harga").text
    shown = owner.taps("kiosgame/S4_ML86")
    assert shown is not None
    assert say("price.gone") in shown.text
    assert owner.says("/harga kiosgame/S4_ML86") == shown
    view = owner.says("/harga kiosgame/S4_ML86 hapus")
    assert "harga tetap: Rp20.000 → tidak ada" in view.text
    assert say("price.about_nothing") in view.text
    owner.taps(YES)
    assert decided(parlour) == {}


def test_a_game_that_nobody_described_has_prices_like_any_other(
    parlour: Parlour, owner: Guest
) -> None:
    parlour.stock({"~arena-of-gods": [("A60", "60 Gems", 10_000)]})
    for name in ("arena of gods", "~arena-of-gods"):
        assert "60 Gems: Rp11.200 → Rp11.800" in owner.says(f"/harga {name}").text
    change(owner, "Arena of Gods persen 9")
    assert decided(parlour) == {"~arena-of-gods": Override(margin_bp=900)}
    opened = owner.taps("Arena Of Gods", on=owner.says("/harga"))
    assert opened is not None
    assert "60 Gems: Rp11.200 → Rp12.300" in opened.text


def test_a_game_with_nothing_on_the_shelf_has_a_rule_all_the_same(
    parlour: Parlour, owner: Guest
) -> None:
    assert say("price.nothing") in owner.says("/harga pubg").text
    change(owner, "pubg persen 9")
    assert decided(parlour) == {"pubg-mobile": Override(margin_bp=900)}


# --- several suppliers, another language, anything ------------------------------------------------


@pytest.fixture
def both(parlour: Parlour) -> Item:
    """An item of two suppliers: ZoneGame's costs Rp10.900, ZulTopup's Rp11.200 by dropship."""
    able = {**EVERY_WAY.abilities, "zonegame": Abilities()}
    parlour.arrange(replace(EVERY_WAY, suppliers=(SUPPLIER, "zonegame"), abilities=able))
    parlour.open(replace(FACE, titles={"zonegame": "ZoneGame", SUPPLIER: "ZulTopup"}))
    parlour.fund(1_000_000, "supplier:zonegame")
    parlour.stock({FF: [("FF70", "70 Diamonds", 10_900)]}, supplier="zonegame")
    (both,) = (each for each in parlour.books.shelf.arranged(FF).items if len(each.members) == 2)
    assert both.key == "free-fire/diamond/70"
    return both


def test_of_several_offers_each_is_shown_and_the_cheapest_makes_the_price(
    parlour: Parlour, owner: Guest, both: Item
) -> None:
    shown = owner.says("/harga ff 70").text
    zonegame = shown.index("• ZoneGame: Rp10.900 → Rp11.500 (+Rp600)")
    assert zonegame < shown.index("• ZulTopup: Rp11.200 → Rp11.800 (+Rp600)")
    assert "Rp10.900 → Rp11.500 (+Rp600)" in owner.says("/harga ff").text


def test_a_fixed_price_may_suffice_for_one_offer_and_not_for_another(
    parlour: Parlour, owner: Guest, both: Item
) -> None:
    look = owner.says("/harga ff 70 = 11.100")
    assert "Rp11.500 → Rp11.100" in look.text
    owner.taps(YES)
    assert price(parlour, FF, both.title) == 11_100
    assert "• ZulTopup: Rp11.100 < Rp11.200 + Rp0" in owner.says("/harga ff 70").text


def test_an_offer_that_is_not_to_be_had_makes_no_price(
    parlour: Parlour, owner: Guest, both: Item
) -> None:
    parlour.books.shelf.withhold("zonegame", "FF70")
    assert "Rp11.200 → Rp11.800 (+Rp600)" in owner.says("/harga ff").text
    assert "1 item tidak dijual lagi" in owner.says("/harga ff 70 = 11.100").text


def test_what_was_decided_for_an_offer_alone_is_nothing_to_the_item_it_is_part_of_now(
    parlour: Parlour, owner: Guest, both: Item
) -> None:
    decide(parlour, "zonegame/FF70", Override(price=20_000))
    assert price(parlour, FF, both.title) == 11_500
    assert "• zonegame/FF70: harga tetap Rp20.000" in owner.says("/harga").text
    change(owner, "zonegame/FF70 hapus")
    assert decided(parlour) == {}


def test_an_owner_who_reads_english_reads_and_writes_english(
    parlour: Parlour, owner: Guest
) -> None:
    owner.says("/bahasa en")
    view = owner.says("/harga ml percent 7.25")
    assert "percent: 5% → 7.25%" in view.text
    owner.taps("Yes, change it")
    assert decided(parlour) == {ML: Override(margin_bp=725)}
    assert "percent: 7.25% (this game)" in owner.says("/harga ml").text


WORDS = st.sampled_from(
    ["ml", "ff", "86", "70", "persen", "min", "bulat", "lantai", "=", "harga", "hapus", "hal",
     "urung", "7", "7,5", "1rb", "20.000", "@", "/", "kiosgame/1", "mobile-legends", "~x", "0"]
)  # fmt: skip
SENTENCES = st.lists(WORDS | st.text(max_size=8), max_size=6).map(" ".join)


@unhurried
@given(typed=st.lists(SENTENCES, min_size=1, max_size=5))
def test_whatever_is_written_there_is_an_answer_and_nothing_changes_without_a_yes(
    typed: Sequence[str],
) -> None:
    parlour = Parlour()
    try:
        room = parlour.room(OWNER, is_owner=True)
        for text in typed:
            answered = prices(room, text)
            if isinstance(answered, View):
                assert answered.text
                continue
            assert ConfirmPrice().ask(room, answered.draft).text
        assert decided(parlour) == {}
    finally:
        parlour.close()


def test_without_own_prices_every_item_is_priced_by_the_settings(parlour: Parlour) -> None:
    room = parlour.room()
    found = [each for game in room.games() for each in room.items(game)]
    assert len(found) == sum(map(len, SHELF.values()))
    for each in found:
        assert price_of(room, each).rule == parlour.rules.prices
        assert price_of(room, each).quote == room.market.quote(each, each.members[0].offer)
