"""What only a person can decide: one open case an order at the most, and its legal answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from shop.orders import ENDED, Event, Order, Status, may
from shop.time import Millis

MOST_EVIDENCE = 600  # characters


class CaseKind(StrEnum):
    """Why the owner is asked."""

    PAID_FAILED = "paid_failed"
    PAID_LATE = "paid_late"
    UNSURE = "unsure"  # the order failed, and nothing says whether the customer paid
    STUCK = "stuck"  # paid, and nothing heard for long
    CONFLICT = "conflict"  # the supplier contradicts what it said before
    UNDELIVERED = "undelivered"  # what the buyer had to be told cannot be brought to them


class Answer(StrEnum):
    """What the owner may say to a case. Stands in buttons: rename only with a migration."""

    REFUNDED = "refunded"
    ARRIVED = "arrived"
    GIVE_BACK = "give_back"
    PAID = "paid"
    UNPAID = "unpaid"
    SEEN = "seen"  # nothing moves; the case is closed


EVENT_OF: Mapping[Answer, Event | None] = MappingProxyType(
    {
        Answer.REFUNDED: Event.REFUND_MADE,
        Answer.ARRIVED: Event.ARRIVED,
        Answer.GIVE_BACK: Event.GIVEN_BACK,
        Answer.PAID: Event.PAYMENT_FOUND,
        Answer.UNPAID: Event.PAYMENT_ABSENT,
        Answer.SEEN: None,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question to the owner about one order. ``opened_at``: when it was last asked."""

    id: str
    order_id: str
    kind: CaseKind
    evidence: str  # the supplier's and the channel's own words: foreign text
    opened_at: Millis
    closed_at: Millis | None = None
    pending: Answer | None = None  # chosen, and waiting to be confirmed
    pending_by: str = ""
    pending_until: Millis | None = None


def answers(case: Case, order: Order) -> tuple[Answer, ...]:
    """Return what may be said to this case now: legal moves, and SEEN if nothing need follow."""
    if case.closed_at is not None:
        return ()
    legal = tuple(a for a, event in EVENT_OF.items() if event is not None and may(order, event))
    return (*legal, Answer.SEEN) if _may_just_be_seen(case, order) else legal


def _may_just_be_seen(case: Case, order: Order) -> bool:
    """Tell whether the case may be closed with nothing moved: never while money must go back."""
    told_otherwise = case.kind is CaseKind.UNDELIVERED and order.status is not Status.REFUND_DUE
    return told_otherwise or order.status in ENDED


def with_words(evidence: str, words: str) -> str:
    """Return what was said so far and then ``words``, once each, on one line; the end is kept."""
    if not words or words in evidence:
        return evidence
    both = f"{evidence} · {words}" if evidence else words
    return both if len(both) <= MOST_EVIDENCE else f"…{both[1 - MOST_EVIDENCE :]}"
