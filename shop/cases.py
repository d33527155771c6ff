"""What only a person can decide: one open case about a thing at the most, and its legal answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from shop.orders import ENDED, HOUSE, Event, Order, Status, may
from shop.time import HOUR, Millis

MOST_EVIDENCE = 600  # characters
REMIND_EVERY: Millis = 24 * HOUR


class CaseKind(StrEnum):
    """Why the owner is asked."""

    PAID_FAILED = "paid_failed"
    PAID_LATE = "paid_late"
    PAID_WRONG = "paid_wrong"  # not what was asked for
    PAID_TWICE = "paid_twice"  # the payment that was believed is now told with another amount
    CLAIMED = "claimed"  # the customer says that they paid the owner's own QRIS
    UNSURE = "unsure"  # the order failed, and nothing says whether the customer paid
    AMBIGUOUS = "ambiguous"  # paid from our balance, and perhaps ordered
    PARTLY = "partly"
    STUCK = "stuck"  # paid, and nothing heard for long
    CONFLICT = "conflict"  # the supplier contradicts what it said before
    UNDELIVERED = "undelivered"  # what the buyer had to be told cannot be brought to them
    CASH = "cash"  # a customer wants credit paid out
    BALANCE = "balance"  # a supplier's balance is not what the books say


class Answer(StrEnum):
    """What the owner may say to a case. Stands in buttons: rename only with a migration."""

    REFUNDED = "refunded"
    CREDIT = "credit"
    ARRIVED = "arrived"
    GIVE_BACK = "give_back"
    PROCEED = "proceed"
    PAID = "paid"
    UNPAID = "unpaid"
    LOSS = "loss"
    ADJUST = "adjust"  # the books follow what the supplier says
    SEEN = "seen"  # nothing moves; the case is closed


# Each answer is the first of its events that is a legal move of the order.
EVENTS_OF: Mapping[Answer, tuple[Event, ...]] = MappingProxyType(
    {
        Answer.CREDIT: (Event.CREDITED,),
        Answer.REFUNDED: (Event.REFUND_MADE,),
        Answer.ARRIVED: (Event.ARRIVED,),
        Answer.GIVE_BACK: (Event.GIVEN_BACK,),
        Answer.PROCEED: (Event.PROCEEDED,),
        Answer.PAID: (Event.PAYMENT_FOUND, Event.PAID, Event.PAID_LATE),
        Answer.UNPAID: (Event.PAYMENT_ABSENT,),
        Answer.LOSS: (Event.LOSS_RECORDED,),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question to the owner. ``opened_at``: when it was last asked, reminders apart."""

    id: str
    order_id: str  # empty: about what ``about`` names, and no order
    about: str = ""  # a supplier, for its balance; or a payment, as its gateway and its id
    kind: CaseKind
    evidence: str  # the supplier's and the channel's own words: foreign text
    opened_at: Millis
    closed_at: Millis | None = None
    pending: Answer | None = None  # chosen, and waiting to be confirmed
    pending_by: str = ""
    pending_until: Millis | None = None


def event_of(answer: Answer, order: Order) -> Event | None:
    """Return the move that an answer makes now; ``None``: it is no legal one."""
    return next((event for event in EVENTS_OF.get(answer, ()) if _fits(order, event)), None)


def _fits(order: Order, event: Event) -> bool:
    # Credit that was sold may be spent by now, and cash that was sent is gone.
    undone = order.supplier == HOUSE and order.status in ENDED
    lost = event is Event.LOSS_RECORDED and order.lost
    unasked = event in {Event.PAID, Event.PAID_LATE} and order.invoice is None
    return may(order, event) and not (undone or lost or unasked)


def answers(case: Case, order: Order | None) -> tuple[Answer, ...]:
    """Return what may be said to this case now: legal moves, and SEEN if nothing need follow."""
    if case.closed_at is not None:
        return ()
    if order is None:
        return (Answer.ADJUST, Answer.SEEN) if case.kind is CaseKind.BALANCE else (Answer.SEEN,)
    legal = tuple(answer for answer in EVENTS_OF if event_of(answer, order) is not None)
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
