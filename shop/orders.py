"""The life of an order. Every legal move is a row of ``MOVES``; there is no other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from shop.suppliers import Invoice
from shop.time import Millis


class Status(StrEnum):
    """Where an order stands."""

    PLACED = "placed"  # confirmed in the chat, price frozen
    OPENING = "opening"  # written down before the supplier is asked for a QR
    AWAITING_PAYMENT = "awaiting_payment"  # the customer has the QR
    PROCESSING = "processing"  # paid; the supplier is delivering
    DELIVERED = "delivered"
    REFUND_DUE = "refund_due"  # the customer's money must go back
    REFUNDED = "refunded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to an order."""

    PLACED = "placed"
    OPENING_STARTED = "opening_started"
    NOT_SENT = "not_sent"
    INVOICE_OPENED = "invoice_opened"
    INVOICE_REFUSED = "invoice_refused"  # the supplier said no
    OUTCOME_UNKNOWN = "outcome_unknown"  # an unseen QR cannot be paid
    INVOICE_AT_A_LOSS = "invoice_at_a_loss"
    GIVEN_UP = "given_up"  # the quote ran out before a QR could be had
    CANCELLED = "cancelled"  # by the customer: hides the QR
    REOPENED = "reopened"  # the same item for the same account shows the hidden QR again
    LAPSED = "lapsed"  # not paid in time
    SETTLED = "settled"  # the money is at the supplier
    DELIVERED = "delivered"
    SERIAL_ARRIVED = "serial_arrived"  # later than the success it belongs to
    FAILED = "failed"  # paid, and the supplier could not deliver
    PAYMENT_FOUND = "payment_found"  # by the owner, where the supplier's answers leave it open
    PAYMENT_ABSENT = "payment_absent"  # by the owner, likewise
    GIVEN_BACK = "given_back"  # by the owner: will not wait any longer, or a reversal
    ARRIVED = "arrived"  # by the owner: the goods came all the same
    REFUND_MADE = "refund_made"  # by the owner


S, E = Status, Event
MOVES: Mapping[tuple[Status, Event], Status] = MappingProxyType(
    {
        (S.PLACED, E.OPENING_STARTED): S.OPENING,
        (S.PLACED, E.CANCELLED): S.CANCELLED,
        (S.PLACED, E.GIVEN_UP): S.CANCELLED,
        (S.OPENING, E.NOT_SENT): S.PLACED,
        (S.OPENING, E.INVOICE_OPENED): S.AWAITING_PAYMENT,
        (S.OPENING, E.INVOICE_REFUSED): S.CANCELLED,
        (S.OPENING, E.OUTCOME_UNKNOWN): S.CANCELLED,
        (S.OPENING, E.INVOICE_AT_A_LOSS): S.CANCELLED,
        (S.AWAITING_PAYMENT, E.CANCELLED): S.CANCELLED,
        (S.AWAITING_PAYMENT, E.LAPSED): S.EXPIRED,
        (S.AWAITING_PAYMENT, E.SETTLED): S.PROCESSING,
        (S.AWAITING_PAYMENT, E.DELIVERED): S.DELIVERED,
        (S.AWAITING_PAYMENT, E.FAILED): S.REFUND_DUE,
        (S.AWAITING_PAYMENT, E.PAYMENT_FOUND): S.REFUND_DUE,
        (S.AWAITING_PAYMENT, E.PAYMENT_ABSENT): S.EXPIRED,
        (S.PROCESSING, E.DELIVERED): S.DELIVERED,
        (S.PROCESSING, E.FAILED): S.REFUND_DUE,
        (S.PROCESSING, E.GIVEN_BACK): S.REFUND_DUE,
        (S.PROCESSING, E.ARRIVED): S.DELIVERED,
        (S.REFUND_DUE, E.REFUND_MADE): S.REFUNDED,
        (S.REFUND_DUE, E.ARRIVED): S.DELIVERED,
        (S.DELIVERED, E.SERIAL_ARRIVED): S.DELIVERED,
        (S.DELIVERED, E.GIVEN_BACK): S.REFUND_DUE,
        # A hidden or lapsed QR may still have been paid: such money is never ignored.
        (S.CANCELLED, E.INVOICE_OPENED): S.CANCELLED,  # the answer of a call we had given up
        (S.CANCELLED, E.REOPENED): S.AWAITING_PAYMENT,
        (S.CANCELLED, E.SETTLED): S.PROCESSING,
        (S.CANCELLED, E.DELIVERED): S.DELIVERED,
        (S.CANCELLED, E.FAILED): S.REFUND_DUE,
        (S.CANCELLED, E.PAYMENT_FOUND): S.REFUND_DUE,
        (S.EXPIRED, E.SETTLED): S.PROCESSING,
        (S.EXPIRED, E.DELIVERED): S.DELIVERED,
        (S.EXPIRED, E.FAILED): S.REFUND_DUE,
        (S.EXPIRED, E.PAYMENT_FOUND): S.REFUND_DUE,
    }
)
FIRST = S.PLACED
UNPAID = frozenset({S.PLACED, S.OPENING, S.AWAITING_PAYMENT})
HOLDS_MONEY = frozenset({S.PROCESSING, S.REFUND_DUE})
ENDED = frozenset({S.DELIVERED, S.REFUNDED, S.EXPIRED, S.CANCELLED})
BY_THE_OWNER = frozenset(
    {E.PAYMENT_FOUND, E.PAYMENT_ABSENT, E.GIVEN_BACK, E.ARRIVED, E.REFUND_MADE}
)


class IllegalMove(Exception):
    """The event makes no sense in this status. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One purchase: what was confirmed, and where it stands. Money in whole rupiah."""

    id: str  # also the order number people read; unguessable
    key: str  # the confirmation it came from: a second tap is the same order
    address: str  # who bought, ``<channel>:<person>``
    supplier: str
    sku: str  # the supplier's product code
    game: str
    item: str  # as the customer confirmed it
    user_id: str
    server: str
    target: str  # the account as this supplier wants it written
    listed: int
    cost: int
    price: int
    status: Status
    version: int
    created_at: Millis
    quote_until: Millis
    changed_at: Millis  # of the last move
    due_at: Millis | None  # when something must next be done about it
    claimed_at: Millis | None = None  # "I have paid", not yet answered
    last_claim_at: Millis | None = None
    invoice: Invoice | None = None
    settled_at: Millis | None = None
    serial: str = ""
    alarmed: bool = False  # the customer was told that it takes long


def move(order: Order, event: Event, now: Millis) -> Order:
    """Return the order after ``event``, or raise ``IllegalMove``."""
    try:
        status = MOVES[order.status, event]
    except KeyError:
        raise IllegalMove(f"{order.id}: {event} while {order.status}") from None
    return replace(order, status=status, version=order.version + 1, changed_at=now)


def may(order: Order, event: Event) -> bool:
    """Tell whether ``event`` is a legal move of this order now."""
    return (order.status, event) in MOVES
