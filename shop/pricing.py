"""From what a supplier charges to what a customer pays. Whole rupiah, basis points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from shop.money import ceil_div
from shop.time import Millis

_WHOLE = 10_000  # basis points in one
_UNIQUE_CODE = 1_000  # a payment gateway may add up to three digits to tell payments apart

Scope: TypeAlias = str
"""What a part of the rule is decided for: the shop, a game (its slug), an item (its key)."""
SHOP: Final[Scope] = ""


class Part(StrEnum):
    """What the owner decides of prices: each is a field of a rule, and of an override."""

    PERCENT = "margin_bp"
    LEAST = "margin_min"
    STEP = "round_to"
    FLOOR = "floor"
    PRICE = "price"  # of one item only


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """The owner's margin and what dropship is expected to add to the listed price.

    ``floor``: the profit below which nothing is sold. ``price``: the owner's own price of one item,
    which no margin and no rounding changes.
    """

    margin_bp: int
    margin_min: int
    round_to: int
    dropship_bp: int
    floor: int = 0
    price: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What the owner decided for one scope; ``None``: as the wider scope has it."""

    margin_bp: int | None = None
    margin_min: int | None = None
    round_to: int | None = None
    floor: int | None = None
    price: int | None = None

    def get(self, part: Part) -> int | None:
        found: int | None = getattr(self, part)
        return found

    def put(self, part: Part, value: int | None) -> "Override":
        """Return the override with one part decided so."""
        return replace(self, **{part.value: value})

    @property
    def parts(self) -> Mapping[Part, int]:
        """What is decided here."""
        return {part: value for part in Part if (value := self.get(part)) is not None}


NOTHING: Final = Override()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The last word of an owner on one scope: what was decided before, what is since ``at``."""

    scope: Scope
    was: Override
    now: Override
    actor: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a supplier once charged (``charged``) for an item it listed at ``listed``."""

    listed: int
    charged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price, and the cost it was made from. ``floor``: the least profit the owner wants."""

    listed: int
    cost: int
    price: int
    floor: int = 0

    @property
    def ceiling(self) -> int:
        """What the goods may cost at the most when they are ordered."""
        return self.price - self.floor


def rule_for(
    base: PriceRule, overrides: Mapping[Scope, Override], game: str, item: str, meant: str = ""
) -> PriceRule:
    """Return the rule of one item: what it leaves open is its game's, then the shop's, then base.

    ``item`` is an item's key; only an item has a price of its own. ``meant``: the key of the good
    that an offer which stands alone is called like. What is decided for that holds for it, too.
    """
    rule = base
    for scope in dict.fromkeys((SHOP, game, meant, item)):
        override = overrides.get(scope)
        if override is not None:
            own = scope in {item, meant} and scope != SHOP
            decided = {p.value: v for p, v in override.parts.items() if own or p is not Part.PRICE}
            rule = replace(rule, **decided)
    return rule


def decided_for(
    part: Part, overrides: Mapping[Scope, Override], game: str, item: str, meant: str = ""
) -> Scope | None:
    """Return the scope that decides a part of the rule of one item; ``None``: the settings do."""
    own = [scope for scope in (item, meant) if scope != SHOP]
    scopes = own if part is Part.PRICE else (*own, game, SHOP)
    return next((s for s in scopes if overrides.get(s, NOTHING).get(part) is not None), None)


def quote(
    listed: int, rule: PriceRule, learnt: Charge | None = None, *, dropships: bool = True
) -> Quote | None:
    """Price an item listed at ``listed``, counting on the dropship cost learnt for it, if any.

    ``dropships``: whether its supplier does; from one that does not it costs what is listed.
    ``None``: it is not sold, as in ``priced``.
    """
    cost = max(listed, _expected_cost(listed, rule, learnt)) if dropships else listed
    return priced(listed, cost, rule)


def priced(listed: int, cost: int, rule: PriceRule) -> Quote | None:
    """Price an item that is listed at ``listed`` and costs ``cost``.

    ``None``: the owner's own price of it leaves less than the floor, so it is not sold. The price
    is never below the listed one: ZulTopup refuses that (its document, "Mode Dropship").
    """
    least = max(listed, cost + rule.floor)
    if rule.price is not None:
        price = rule.price
    else:
        margin = max(ceil_div(cost * rule.margin_bp, _WHOLE), rule.margin_min)
        price = ceil_div(max(cost + margin, least), rule.round_to) * rule.round_to
    if price < least:
        return None
    return Quote(listed=listed, cost=cost, price=price, floor=rule.floor)


def _expected_cost(listed: int, rule: PriceRule, learnt: Charge | None) -> int:
    if learnt is not None and learnt.listed > 0:
        return ceil_div(listed * learnt.charged, learnt.listed)
    return listed + ceil_div(listed * rule.dropship_bp, _WHOLE)


def may_show(*, price: int, amount: int, cost: int, ceiling: int | None = None) -> bool:
    """Tell whether a QR over ``amount`` may be shown for an order quoted at ``price``.

    Not for more than the quote plus a gateway's unique code, and not if less profit is left than
    between ``ceiling`` and ``price``; without a ceiling: not at a loss.
    """
    floor = 0 if ceiling is None else price - ceiling
    return min(amount, price) - cost >= floor and amount < price + _UNIQUE_CODE


class PriceRules(Protocol):
    """The owner's own prices."""

    def all(self) -> Mapping[Scope, Override]:
        """Return what is decided, by scope; of what was taken back nothing."""

    def put(self, scope: Scope, override: Override, actor: str, now: Millis) -> None:
        """Decide a scope's prices; ``NOTHING`` takes them back. What was before is kept."""

    def decided_since(self, since: Millis) -> Sequence[Decision]:
        """Return the last decision on each scope that was made at ``since`` or later."""
