"""How deliveries at a supplier went lately, and when it is left alone for it.

A circuit breaker: it opens when most of the last attempts went wrong or took too long, and lets
orders through again after a pause; what comes of the first one closes it or opens it for longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shop.time import HOUR, MINUTE, SECOND, Millis

LATELY: Millis = 15 * MINUTE
MOST = 20  # attempts that are looked at
FEWEST = 5  # fewer say nothing
FEWEST_BUYERS = 3  # whose orders went wrong: what fails for one person may be that person's doing
SLOW: Millis = 20 * SECOND  # an answer that takes longer is a bad sign
_FIRST_PAUSE: Millis = 5 * MINUTE
_LONGEST_PAUSE: Millis = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt went. ``ref``: ours; ``took``: until its answer, in milliseconds."""

    ref: str
    at: Millis
    went_well: bool
    took: Millis
    buyer: str = ""  # whose order it was: one person's say little of a supplier

    @property
    def is_fine(self) -> bool:
        return self.went_well and self.took <= SLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """An open breaker: nothing is ordered until ``open_until``; then one attempt decides."""

    open_until: Millis
    pause: Millis

    def is_open(self, now: Millis) -> bool:
        return now < self.open_until and not self.is_of_a_wrong_clock(now)

    def is_of_a_wrong_clock(self, now: Millis) -> bool:
        """Tell whether it would be open for longer than any pause is."""
        return self.open_until > now + _LONGEST_PAUSE


def is_failing(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether most of the last attempts went wrong, and not for a person or two alone."""
    last = outcomes[-MOST:]
    most = len(last) >= FEWEST and 2 * sum(outcome.is_fine for outcome in last) < len(last)
    return most and len(_wronged(last)) >= FEWEST_BUYERS


def is_failing_still(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether all of the attempts after a pause went wrong, for more than one person."""
    return not any(outcome.is_fine for outcome in outcomes) and len(_wronged(outcomes)) > 1


def _wronged(outcomes: Sequence[Outcome]) -> set[str]:
    return {outcome.buyer for outcome in outcomes if not outcome.is_fine}


def opened(now: Millis, before: Breaker | None = None) -> Breaker:
    """Return the breaker that opens now; after ``before``, for twice as long."""
    pause = _FIRST_PAUSE if before is None else min(2 * before.pause, _LONGEST_PAUSE)
    return Breaker(open_until=now + pause, pause=pause)
