"""The owner's own prices: what is decided, by whom, and what it was before."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.pricing import NOTHING, SHOP, Decision, Override, Part, Scope
from shop.time import MINUTE
from storage.database import Transaction
from storage.price_rules import SqlPriceRules
from tests.shop.samples import NOW, OWNER
from tests.storage.files import refused

GAME, ITEM, LONE = "mobile-legends", "mobile-legends/diamond/86", "kiosgame/S4_ML86"
AMOUNT = st.none() | st.integers(min_value=0, max_value=10**12)
POSITIVE = st.none() | st.integers(min_value=1, max_value=10**12)
OVERRIDES = st.builds(
    Override,
    margin_bp=AMOUNT,
    margin_min=AMOUNT,
    round_to=POSITIVE,
    floor=AMOUNT,
    price=POSITIVE,
)


@pytest.fixture
def rules(tx: Transaction) -> SqlPriceRules:
    return SqlPriceRules(tx)


def test_nothing_is_decided_in_a_new_shop(rules: SqlPriceRules) -> None:
    assert rules.all() == {}
    assert rules.decided_since(0) == []


def test_what_was_decided_for_each_scope_is_known(rules: SqlPriceRules) -> None:
    decided = {
        SHOP: Override(margin_bp=600),
        GAME: Override(margin_min=0, round_to=500),
        ITEM: Override(floor=300, price=20_000),
        LONE: Override(price=19_999),
    }
    for scope, override in decided.items():
        rules.put(scope, override, OWNER, NOW)
    assert rules.all() == decided


def test_a_later_word_replaces_an_earlier_one(rules: SqlPriceRules) -> None:
    rules.put(GAME, Override(margin_bp=700, floor=300), OWNER, NOW)
    rules.put(GAME, Override(margin_bp=800), OWNER, NOW + 1)
    assert rules.all() == {GAME: Override(margin_bp=800)}


def test_what_is_taken_back_is_decided_no_more(rules: SqlPriceRules) -> None:
    rules.put(GAME, Override(margin_bp=700), OWNER, NOW)
    rules.put(ITEM, Override(price=20_000), OWNER, NOW)
    rules.put(GAME, NOTHING, OWNER, NOW + 1)
    assert rules.all() == {ITEM: Override(price=20_000)}


def test_the_last_word_on_each_scope_knows_what_was_before_it(rules: SqlPriceRules) -> None:
    rules.put(GAME, Override(margin_bp=700), OWNER, NOW - 10 * MINUTE - 1)
    rules.put(ITEM, Override(price=20_000), OWNER, NOW - 10 * MINUTE)
    rules.put(ITEM, Override(price=21_000, floor=0), "web:partner", NOW)
    assert rules.decided_since(NOW - 10 * MINUTE) == [
        Decision(
            scope=ITEM,
            was=Override(price=20_000),
            now=Override(price=21_000, floor=0),
            actor="web:partner",
            at=NOW,
        )
    ]
    rules.put(GAME, NOTHING, OWNER, NOW + 1)
    assert [decision.was for decision in rules.decided_since(NOW)] == [
        Override(price=20_000),
        Override(margin_bp=700),  # of what was taken back, too
    ]


def test_the_first_word_on_a_scope_had_nothing_before_it(rules: SqlPriceRules) -> None:
    rules.put(SHOP, Override(margin_bp=600), OWNER, NOW)
    assert [decision.was for decision in rules.decided_since(NOW)] == [NOTHING]
    assert rules.decided_since(NOW + 1) == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scope=st.sampled_from([SHOP, GAME, ITEM]), first=OVERRIDES, second=OVERRIDES)
def test_every_decision_comes_back_as_it_was_made(
    rules: SqlPriceRules, scope: Scope, first: Override, second: Override
) -> None:
    for override in (first, second):
        rules.put(scope, override, OWNER, NOW)
        assert rules.all().get(scope, NOTHING) == override
    last = {decision.scope: decision for decision in rules.decided_since(NOW)}[scope]
    assert (last.was, last.now) == (first, second)


@pytest.mark.parametrize(
    ("part", "absurd"),
    [
        (Part.PERCENT, -1),
        (Part.LEAST, -1),
        (Part.STEP, 0),
        (Part.FLOOR, -1),
        (Part.PRICE, 0),
    ],
)
def test_the_database_itself_refuses_what_no_price_can_be_made_of(
    tx: Transaction, rules: SqlPriceRules, part: Part, absurd: int
) -> None:
    with refused(tx, f"(?i)check constraint.*{part}"):
        rules.put(ITEM, NOTHING.put(part, absurd), OWNER, NOW)
    assert rules.all() == {}
