"""From what a supplier charges to what a customer pays. Whole rupiah, basis points."""

from dataclasses import dataclass

from shop.money import ceil_div

_WHOLE = 10_000  # basis points in one
_UNIQUE_CODE = 1_000  # a payment gateway may add up to three digits to tell payments apart


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """The owner's margin and what dropship is expected to add to the listed price."""

    margin_bp: int
    margin_min: int
    round_to: int
    dropship_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a supplier once charged (``charged``) for an item it listed at ``listed``."""

    listed: int
    charged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price, and the cost it was made from."""

    listed: int
    cost: int
    price: int


def quote(
    listed: int, rule: PriceRule, learnt: Charge | None = None, *, dropships: bool = True
) -> Quote:
    """Price an item listed at ``listed``, counting on the dropship cost learnt for it, if any.

    ``dropships``: whether its supplier does; from one that does not it costs what is listed. The
    price is never below the listed one: ZulTopup refuses that (its document, "Mode Dropship").
    """
    cost = max(listed, _expected_cost(listed, rule, learnt)) if dropships else listed
    margin = max(ceil_div(cost * rule.margin_bp, _WHOLE), rule.margin_min)
    price = ceil_div(cost + margin, rule.round_to) * rule.round_to
    return Quote(listed=listed, cost=cost, price=price)


def _expected_cost(listed: int, rule: PriceRule, learnt: Charge | None) -> int:
    if learnt is not None and learnt.listed > 0:
        return ceil_div(listed * learnt.charged, learnt.listed)
    return listed + ceil_div(listed * rule.dropship_bp, _WHOLE)


def may_show(*, price: int, amount: int, cost: int) -> bool:
    """Tell whether a QR over ``amount`` may be shown for an order quoted at ``price``.

    Not at a loss, and not for more than the quote plus a gateway's unique code.
    """
    return amount >= cost and price >= cost and amount < price + _UNIQUE_CODE
