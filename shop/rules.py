"""What the owner decides once, in the settings."""

from dataclasses import dataclass

from shop.pricing import PriceRule
from shop.time import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The owner's rules, as the use cases need them."""

    prices: PriceRule
    poll: Millis  # shortest time between two questions about one order
    holds_for: Millis  # how long a quoted price is kept
