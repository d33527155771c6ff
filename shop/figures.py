"""How the shop stands at one moment, for a monitor: counts and instants, never who or what."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shop.suppliers import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Refused,
    Unavailable,
)
from shop.time import Millis

LANES: Final = (0, 1)  # of the outbox

SLOWER_THAN: Final[tuple[Millis, ...]] = (0, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
"""The buckets of how long calls took: each ends where the next one begins, the last one never."""


def bucket_of(took: Millis) -> Millis:
    """Return the lower bound of the bucket for ``took``; the upper bound belongs to it."""
    return SLOWER_THAN[max(bisect_left(SLOWER_THAN, took) - 1, 0)]


class CallOutcome(StrEnum):
    """What came of a call to a supplier. Stored: rename only with a migration."""

    ANSWERED = "answered"
    REFUSED = "refused"
    MISCONFIGURED = "misconfigured"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"
    BUSY = "busy"  # the supplier says that we ask too often
    BROKEN = "broken"  # by something that no adapter raises on purpose


_OUTCOMES: Final[tuple[tuple[type[Exception], CallOutcome], ...]] = (
    (Misconfigured, CallOutcome.MISCONFIGURED),  # before what it is a kind of
    (Refused, CallOutcome.REFUSED),
    (NotSent, CallOutcome.NOT_SENT),
    (OutcomeUnknown, CallOutcome.UNKNOWN),
    (Unavailable, CallOutcome.UNAVAILABLE),
)


def outcome_of(error: Exception | None) -> CallOutcome:
    """Return what came of a call that raised ``error``, or nothing."""
    if error is None:
        return CallOutcome.ANSWERED
    if isinstance(error, Unavailable) and error.busy:
        return CallOutcome.BUSY
    found = (outcome for kind, outcome in _OUTCOMES if isinstance(error, kind))
    return next(found, CallOutcome.BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How often a supplier may be called: ``most`` times in any ``window``."""

    most: int
    window: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many wait, and since when the oldest of them does."""

    count: int = 0
    since: Millis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCount:
    """Calls of one kind that took about as long: ``took`` is the sum."""

    supplier: str
    purpose: str
    outcome: str
    slower_than: Millis
    calls: int
    took: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How the whole shop stands ``at`` one moment. What is not there at all may be left out."""

    at: Millis
    orders: Mapping[str, int]  # by status
    cases: Mapping[str, Waiting]  # the open ones, by kind
    outbox: Mapping[int, Waiting]  # not sent and not given up, by lane
    updates: Waiting  # received and not answered
    suppliers: Sequence[str]  # every one the shop has
    budget_left: Mapping[str, int]  # calls, by supplier; of those that count them
    calls: Sequence[CallCount]  # since the database is there
