"""From cost to price: never below cost and floor, never below the list, in whole steps."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shop.pricing import (
    NOTHING,
    SHOP,
    Charge,
    Override,
    Part,
    PriceRule,
    Quote,
    Scope,
    decided_for,
    may_show,
    priced,
    quote,
    rule_for,
)

BASE = PriceRule(margin_bp=500, margin_min=500, round_to=100, dropship_bp=1_200)
GAME, ITEM = "mobile-legends", "mobile-legends/diamond/86"
OTHER_GAME, OTHER_ITEM = "free-fire", "kiosgame/S1_FF70"
STEPS = st.sampled_from([1, 10, 50, 100, 500, 1_000])
RUPIAH = st.integers(min_value=0, max_value=100_000)
LISTED = st.integers(min_value=1, max_value=10**9)
RULE = st.builds(
    PriceRule,
    margin_bp=st.integers(min_value=0, max_value=10_000),
    margin_min=RUPIAH,
    round_to=STEPS,
    dropship_bp=st.integers(min_value=0, max_value=5_000),
    floor=RUPIAH,
)
CHARGE = st.none() | st.builds(
    Charge,
    listed=st.integers(min_value=0, max_value=10**9),
    charged=st.integers(min_value=0, max_value=10**9),
)
OVERRIDE = st.builds(
    Override,
    margin_bp=st.none() | st.integers(min_value=0, max_value=10_000),
    margin_min=st.none() | RUPIAH,
    round_to=st.none() | STEPS,
    floor=st.none() | RUPIAH,
    price=st.none() | st.integers(min_value=1, max_value=300_000),
)
SCOPES = st.sampled_from([SHOP, GAME, ITEM, OTHER_GAME, OTHER_ITEM])
OVERRIDES = st.dictionaries(SCOPES, OVERRIDE)


def certainly(made: Quote | None) -> Quote:
    """A quote that must be there."""
    assert made is not None
    return made


# --- from cost to price ---------------------------------------------------------------------------


def test_the_documents_own_example_is_priced_as_written_down() -> None:
    """10,000 listed costs 11,200; 5 % of that is 560; rounded up to hundreds."""
    assert quote(10_000, BASE) == Quote(listed=10_000, cost=11_200, price=11_800)


def test_a_small_item_earns_the_least_margin() -> None:
    assert quote(850, BASE) == Quote(listed=850, cost=952, price=1_500)


def test_what_was_charged_before_replaces_the_expected_percentage() -> None:
    learnt = Charge(listed=10_000, charged=10_700)
    assert certainly(quote(10_000, BASE, learnt)).cost == 10_700
    assert certainly(quote(20_000, BASE, learnt)).cost == 21_400


def test_a_charge_without_a_listed_price_teaches_nothing() -> None:
    learnt = Charge(listed=0, charged=99_999)
    assert quote(10_000, BASE, learnt) == quote(10_000, BASE)


def test_a_supplier_that_does_not_dropship_charges_what_it_lists() -> None:
    learnt = Charge(listed=10_000, charged=10_700)
    made = quote(10_000, BASE, learnt, dropships=False)
    assert made == Quote(listed=10_000, cost=10_000, price=10_500)


def test_a_floor_above_the_margin_is_what_the_price_is_made_of() -> None:
    """18,624 costs 18,624; margin 5 % is 932, but 2,000 is wanted: 20,624, in hundreds 20,700."""
    rule = replace(BASE, floor=2_000)
    made = certainly(quote(18_624, rule, dropships=False))
    assert (made.price, made.ceiling) == (20_700, 18_700)


def test_an_owners_own_price_is_not_rounded() -> None:
    rule = replace(BASE, price=19_999, floor=300)
    made = quote(18_624, rule, dropships=False)
    assert made == Quote(listed=18_624, cost=18_624, price=19_999, floor=300)


@pytest.mark.parametrize(
    ("price", "floor", "sold"),
    [
        (18_624, 0, True),  # no profit was asked for
        (18_623, 0, False),
        (18_924, 300, True),
        (18_923, 300, False),
    ],
)
def test_an_own_price_below_cost_and_floor_sells_nothing(
    price: int, floor: int, sold: bool
) -> None:
    rule = replace(BASE, price=price, floor=floor)
    assert (quote(18_624, rule, dropships=False) is not None) is sold


def test_the_cost_that_counts_for_an_own_price_is_the_one_dropship_is_expected_to_have() -> None:
    rule = replace(BASE, price=11_000)
    assert quote(10_000, rule) is None  # 11,200
    assert quote(10_000, rule, Charge(listed=10_000, charged=10_900)) is not None


def test_goods_may_cost_up_to_the_price_where_no_floor_was_set() -> None:
    assert Quote(listed=50_000, cost=50_000, price=50_000).ceiling == 50_000


@given(LISTED, RULE, CHARGE)
def test_o8b_a_price_is_never_below_cost_nor_below_the_list(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    made = certainly(quote(listed, rule, learnt))
    assert made.listed == listed
    assert made.price >= made.cost >= listed
    assert type(made.price) is type(made.cost) is int


@given(LISTED, RULE, CHARGE)
def test_o8b_a_price_leaves_the_owners_margin_and_is_a_multiple_of_the_rounding(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    made = certainly(quote(listed, rule, learnt))

    def suffices(margin: int) -> bool:
        is_enough = margin >= max(rule.margin_min, rule.floor)
        return is_enough and margin * 10_000 >= made.cost * rule.margin_bp

    assert made.price % rule.round_to == 0
    assert suffices(made.price - made.cost)
    assert not suffices(made.price - rule.round_to - made.cost)  # one step less is too little


@given(LISTED, RULE, CHARGE)
def test_what_was_learnt_covers_the_same_charge_again(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    if learnt is not None and learnt.listed == listed:
        assert certainly(quote(listed, rule, learnt)).cost >= learnt.charged


@given(LISTED, RULE)
def test_a_higher_list_price_never_sells_for_less(listed: int, rule: PriceRule) -> None:
    assert certainly(quote(listed + 1, rule)).price >= certainly(quote(listed, rule)).price


# --- whose word counts ----------------------------------------------------------------------------


def test_what_an_item_leaves_open_is_its_games_and_then_the_shops() -> None:
    overrides = {
        SHOP: Override(margin_bp=600, margin_min=700, round_to=50, floor=100),
        GAME: Override(margin_bp=700, margin_min=800),
        ITEM: Override(margin_bp=800, price=20_000),
    }
    expected = PriceRule(
        margin_bp=800, margin_min=800, round_to=50, floor=100, price=20_000, dropship_bp=1_200
    )
    assert rule_for(BASE, overrides, GAME, ITEM) == expected


def test_what_is_decided_for_one_game_or_item_is_nothing_to_another() -> None:
    overrides = {GAME: Override(margin_bp=700), ITEM: Override(floor=900, price=20_000)}
    assert rule_for(BASE, overrides, OTHER_GAME, OTHER_ITEM) == BASE
    sibling = rule_for(BASE, overrides, GAME, "mobile-legends/diamond/172")
    assert sibling == replace(BASE, margin_bp=700)


@pytest.mark.parametrize("scope", [SHOP, GAME])
@pytest.mark.parametrize("item", [ITEM, ""])
def test_only_an_item_has_a_price_of_its_own(scope: Scope, item: str) -> None:
    overrides = {scope: Override(price=20_000)}
    assert rule_for(BASE, overrides, GAME, item) == BASE


def test_nought_is_a_decision_and_no_gap() -> None:
    overrides = {SHOP: Override(margin_min=900), ITEM: Override(margin_min=0)}
    assert rule_for(BASE, overrides, GAME, ITEM).margin_min == 0


@given(OVERRIDES, RULE)
def test_each_part_of_a_rule_is_what_the_scope_that_is_named_for_it_says(
    overrides: Mapping[Scope, Override], base: PriceRule
) -> None:
    made = rule_for(base, overrides, GAME, ITEM)
    for part in Part:
        scope = decided_for(part, overrides, GAME, ITEM)
        said = getattr(base, part) if scope is None else overrides[scope].get(part)
        assert getattr(made, part) == said
    assert made.dropship_bp == base.dropship_bp


def test_the_parts_are_the_fields_of_an_override() -> None:
    assert [part.value for part in Part] == [field.name for field in fields(Override)]


@given(OVERRIDE, st.sampled_from(Part), RUPIAH)
def test_an_override_changes_in_one_part_alone(was: Override, part: Part, value: int) -> None:
    changed = was.put(part, value)
    assert changed.parts == {**was.parts, part: value}
    assert changed.put(part, was.get(part)) == was
    assert NOTHING.parts == {}


# --- the QR of a dropship order -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "amount", "cost", "shown"),
    [
        (11_800, 11_800, 11_200, True),
        (11_800, 11_800, 11_800, True),  # no profit, but no loss
        (11_800, 11_800, 11_801, False),
        (11_800, 12_799, 11_200, True),  # the largest unique code
        (11_800, 12_800, 11_200, False),
        (11_800, 11_500, 11_200, True),
        (11_800, 11_199, 11_200, False),
        (11_800, 12_500, 12_000, False),  # a unique code does not pay for a loss on the quote
    ],
)
def test_o8_a_qr_is_shown_for_the_quote_and_a_unique_code_at_most(
    price: int, amount: int, cost: int, shown: bool
) -> None:
    assert may_show(price=price, amount=amount, cost=cost) is shown
    assert may_show(price=price, amount=amount, cost=cost, ceiling=price) is shown


@pytest.mark.parametrize(
    ("amount", "cost", "shown"),
    [
        (11_800, 11_500, True),  # exactly the floor of 300
        (11_800, 11_501, False),
        (12_700, 11_501, False),  # a unique code is no profit
        (11_600, 11_300, True),
        (11_600, 11_301, False),  # they ask less of the customer: the profit is less
    ],
)
def test_a_qr_that_leaves_less_than_the_floor_is_not_shown(
    amount: int, cost: int, shown: bool
) -> None:
    assert may_show(price=11_800, amount=amount, cost=cost, ceiling=11_500) is shown


@given(LISTED, LISTED, LISTED)
def test_o8b_no_qr_is_ever_shown_at_a_loss(price: int, amount: int, cost: int) -> None:
    if may_show(price=price, amount=amount, cost=cost):
        assert cost <= amount < price + 1_000
        assert cost <= price


@given(LISTED, RULE, CHARGE)
def test_o8_an_order_at_the_quoted_cost_can_be_shown(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    made = certainly(quote(listed, rule, learnt))
    assert may_show(price=made.price, amount=made.price, cost=made.cost, ceiling=made.ceiling)


# --- whatever happens -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What was promised to a customer, and what the owner then wanted to earn by it."""

    price: int
    ceiling: int
    floor: int


class Prices(RuleBasedStateMachine):
    """Owners decide, lists and charges change, customers buy: in any order.

    What is submitted, or shown as a QR, earned the floor that held when it was sold.
    """

    @initialize(listed=st.integers(min_value=1, max_value=200_000), dropships=st.booleans())
    def open(self, listed: int, dropships: bool) -> None:
        self.overrides: dict[Scope, Override] = {}
        self.learnt: Charge | None = None
        self.listed, self.dropships = listed, dropships
        self.sold: list[Sold] = []

    @rule(scope=SCOPES, part=st.sampled_from(Part), data=st.data())
    def decide(self, scope: Scope, part: Part, data: st.DataObject) -> None:
        value = data.draw(st.none() | (STEPS if part is Part.STEP else RUPIAH))
        self.overrides[scope] = self.overrides.get(scope, NOTHING).put(part, value)

    @rule(scope=SCOPES)
    def take_back(self, scope: Scope) -> None:
        self.overrides.pop(scope, None)

    @rule(listed=st.integers(min_value=1, max_value=200_000))
    def list_anew(self, listed: int) -> None:
        self.listed = listed

    @rule(more=st.integers(min_value=-2_000, max_value=5_000))
    def learn(self, more: int) -> None:
        self.learnt = Charge(listed=self.listed, charged=max(self.listed + more, 0))

    @rule(own=st.integers(min_value=-500, max_value=3_000))
    def name_a_price(self, own: int) -> None:
        override = self.overrides.get(ITEM, NOTHING)
        self.overrides[ITEM] = override.put(Part.PRICE, max(self.listed + own, 1))

    @rule()
    def sell(self) -> None:
        made = self._quote()
        if made is not None:
            floor = self._rule().floor
            self.sold.append(Sold(price=made.price, ceiling=made.ceiling, floor=floor))

    @rule(more=st.integers(min_value=-3_000, max_value=3_000))
    def submit(self, more: int) -> None:
        for order in self.sold:
            cost_now = max(self.listed + more, 0)
            if cost_now <= order.ceiling:
                assert order.price - cost_now >= order.floor

    @rule(more=st.integers(-3_000, 3_000), code=st.integers(-500, 1_500))
    def show_a_qr(self, more: int, code: int) -> None:
        for order in self.sold:
            cost, amount = max(self.listed + more, 0), order.price + code
            shown = may_show(price=order.price, amount=amount, cost=cost, ceiling=order.ceiling)
            if shown:
                assert amount - cost >= order.floor

    @invariant()
    def what_is_offered_earns_the_floor(self) -> None:
        made, wanted = self._quote(), self._rule()
        if made is None:
            assert wanted.price is not None  # only a price of their own can be too low
            return
        assert made.price >= made.cost + wanted.floor
        assert made.price >= made.listed == self.listed
        assert made.ceiling + wanted.floor == made.price
        assert made.cost <= made.ceiling  # what was just quoted may be ordered
        assert made.price == wanted.price or made.price % wanted.round_to == 0
        assert made == priced(made.listed, made.cost, wanted)

    def _rule(self) -> PriceRule:
        return rule_for(BASE, self.overrides, GAME, ITEM)

    def _quote(self) -> Quote | None:
        return quote(self.listed, self._rule(), self.learnt, dropships=self.dropships)


TestWhateverHappens = Prices.TestCase
TestWhateverHappens.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@given(LISTED, CHARGE, OVERRIDES, st.booleans())
def test_o8b_under_any_overrides_a_quote_earns_the_floor_or_there_is_none(
    listed: int, learnt: Charge | None, overrides: Mapping[Scope, Override], dropships: bool
) -> None:
    wanted = rule_for(BASE, overrides, GAME, ITEM)
    made = quote(listed, wanted, learnt, dropships=dropships)
    if made is None:
        assert wanted.price is not None
        assert wanted.price < max(listed, made_cost(listed, learnt, dropships) + wanted.floor)
        return
    assert made.price >= made.cost + wanted.floor
    assert made.ceiling + wanted.floor <= made.price
    assert made.price in {wanted.price, -(-made.price // wanted.round_to) * wanted.round_to}


def made_cost(listed: int, learnt: Charge | None, dropships: bool) -> int:
    """What the item is counted on to cost, whatever the owner wants for it."""
    return certainly(quote(listed, BASE, learnt, dropships=dropships)).cost
