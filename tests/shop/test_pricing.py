"""From cost to price: never below cost, never below the list, in whole steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.pricing import Charge, PriceRule, Quote, may_show, quote
from tests.shop.samples import RULES

LISTED = st.integers(min_value=1, max_value=10**9)
RULE = st.builds(
    PriceRule,
    margin_bp=st.integers(min_value=0, max_value=10_000),
    margin_min=st.integers(min_value=0, max_value=100_000),
    round_to=st.sampled_from([1, 10, 50, 100, 500, 1000]),
    dropship_bp=st.integers(min_value=0, max_value=5_000),
)
CHARGE = st.none() | st.builds(
    Charge,
    listed=st.integers(min_value=0, max_value=10**9),
    charged=st.integers(min_value=0, max_value=10**9),
)


def test_the_documents_own_example_is_priced_as_written_down() -> None:
    """10,000 listed costs 11,200; 5 % of that is 560; rounded up to hundreds."""
    assert quote(10_000, RULES.prices) == Quote(listed=10_000, cost=11_200, price=11_800)


def test_a_small_item_earns_the_least_margin() -> None:
    assert quote(850, RULES.prices) == Quote(listed=850, cost=952, price=1_500)


def test_what_was_charged_before_replaces_the_expected_percentage() -> None:
    learnt = Charge(listed=10_000, charged=10_700)
    assert quote(10_000, RULES.prices, learnt).cost == 10_700
    assert quote(20_000, RULES.prices, learnt).cost == 21_400


def test_a_charge_without_a_listed_price_teaches_nothing() -> None:
    learnt = Charge(listed=0, charged=99_999)
    assert quote(10_000, RULES.prices, learnt) == quote(10_000, RULES.prices)


@given(LISTED, RULE, CHARGE)
def test_o8b_a_price_is_never_below_cost_nor_below_the_list(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    made = quote(listed, rule, learnt)
    assert made.listed == listed
    assert made.price >= made.cost >= listed
    assert type(made.price) is type(made.cost) is int


@given(LISTED, RULE, CHARGE)
def test_o8b_a_price_leaves_the_owners_margin_and_is_a_multiple_of_the_rounding(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    made = quote(listed, rule, learnt)
    margin = made.price - made.cost
    assert made.price % rule.round_to == 0
    assert margin >= rule.margin_min
    assert margin * 10_000 >= made.cost * rule.margin_bp
    lower = made.price - rule.round_to - made.cost  # one step less would be too little
    assert lower < rule.margin_min or lower * 10_000 < made.cost * rule.margin_bp


@given(LISTED, RULE, CHARGE)
def test_what_was_learnt_covers_the_same_charge_again(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    if learnt is not None and learnt.listed == listed:
        assert quote(listed, rule, learnt).cost >= learnt.charged


@given(LISTED, RULE)
def test_a_higher_list_price_never_sells_for_less(listed: int, rule: PriceRule) -> None:
    assert quote(listed + 1, rule).price >= quote(listed, rule).price


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


@given(LISTED, LISTED, LISTED)
def test_o8b_no_qr_is_ever_shown_at_a_loss(price: int, amount: int, cost: int) -> None:
    if may_show(price=price, amount=amount, cost=cost):
        assert cost <= amount < price + 1_000
        assert cost <= price


@given(LISTED, RULE, CHARGE)
def test_o8_an_order_at_the_quoted_cost_can_be_shown(
    listed: int, rule: PriceRule, learnt: Charge | None
) -> None:
    made = quote(listed, rule, learnt)
    assert may_show(price=made.price, amount=made.price, cost=made.cost)
