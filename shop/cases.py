"""What only a person can decide: one open case an order at the most, and its legal answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from shop.orders import ENDED, Event, Order, may
from shop.time import Millis


class CaseKind(StrEnum):
    """Why the owner is asked."""

    PAID_FAILED = "paid_failed"
    PAID_LATE = "paid_late"
    UNSURE = "unsure"  # the order failed, and nothing says whether the customer paid
    STUCK = "stuck"  # paid, and nothing heard for long
    CONFLICT = "conflict"  # the supplier contradicts what it said before


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
    evidence: str  # the supplier's own words: foreign text
    opened_at: Millis
    closed_at: Millis | None = None
    pending: Answer | None = None  # chosen, and waiting to be confirmed
    pending_by: str = ""
    pending_until: Millis | None = None


def answers(case: Case, order: Order) -> tuple[Answer, ...]:
    """Return what may be said to this case now: legal moves, and SEEN once the order has ended."""
    if case.closed_at is not None:
        return ()
    legal = tuple(a for a, event in EVENT_OF.items() if event is not None and may(order, event))
    return (*legal, Answer.SEEN) if order.status in ENDED else legal
