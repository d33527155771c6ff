"""The life of an order. Every legal move is a row of ``MOVES``; there is no other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from shop.payments import PaymentMethod
from shop.suppliers import Invoice
from shop.time import Millis


class Status(StrEnum):
    """Where an order stands."""

    PLACED = "placed"  # confirmed in the chat, price frozen
    OPENING = "opening"  # written down before the supplier is asked for a QR
    AWAITING_PAYMENT = "awaiting_payment"  # the customer has the QR
    PAID = "paid"  # prepaid: the money is proven, nothing is ordered yet
    SUBMITTING = "submitting"  # prepaid: written down before the supplier is asked to deliver
    PROCESSING = "processing"  # paid; the supplier is delivering
    UNSURE = "unsure"  # prepaid: perhaps ordered; only questions follow
    PARTLY_DELIVERED = "partly_delivered"  # a part arrived; the owner decides
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
    OUTCOME_UNKNOWN = "outcome_unknown"  # an unseen QR cannot be paid; an order may have been made
    INVOICE_AT_A_LOSS = "invoice_at_a_loss"
    GIVEN_UP = "given_up"  # the quote ran out before a QR could be had
    CANCELLED = "cancelled"  # by the customer: hides the QR
    REOPENED = "reopened"  # the same item for the same account shows the hidden QR again
    LAPSED = "lapsed"  # not paid in time
    SETTLED = "settled"  # dropship: the money is at the supplier
    PAID = "paid"  # prepaid: the money is ours
    PAID_LATE = "paid_late"  # prepaid: after the end of its QR
    PAID_WRONG = "paid_wrong"  # prepaid: not what was asked for
    SUBMISSION_STARTED = "submission_started"
    REROUTED = "rerouted"  # another confirmed offer stands in for the one it was sold by
    CHANGED = "changed"  # since it was paid: its offer is another good by now
    TOO_DEAR = "too_dear"  # since it was paid: selling it now would be a loss
    ACCEPTED = "accepted"  # the supplier will deliver
    PARTLY = "partly"  # a part was delivered
    DELIVERED = "delivered"
    SERIAL_ARRIVED = "serial_arrived"  # later than the success it belongs to
    FAILED = "failed"  # paid, and the supplier could not deliver
    COST_RETURNED = "cost_returned"  # of a failed order, to our balance
    CREDITED = "credited"  # the money went back into the customer's wallet
    PAYMENT_FOUND = "payment_found"  # by the owner, where the supplier's answers leave it open
    PAYMENT_ABSENT = "payment_absent"  # by the owner, likewise
    PROCEEDED = "proceeded"  # by the owner: deliver it (again) all the same
    GIVEN_BACK = "given_back"  # by the owner: will not wait any longer, or a reversal
    ARRIVED = "arrived"  # by the owner: the goods came all the same
    REFUND_MADE = "refund_made"  # by the owner
    LOSS_RECORDED = "loss_recorded"  # by the owner: refunded, and the goods came all the same


S, E = Status, Event
_Moves = Mapping[tuple[Status, Event], Status]
_OF_ALL: _Moves = {
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
    (S.AWAITING_PAYMENT, E.PAYMENT_ABSENT): S.EXPIRED,
    (S.PROCESSING, E.DELIVERED): S.DELIVERED,
    (S.PROCESSING, E.FAILED): S.REFUND_DUE,
    (S.PROCESSING, E.GIVEN_BACK): S.REFUND_DUE,
    (S.PROCESSING, E.ARRIVED): S.DELIVERED,
    (S.REFUND_DUE, E.REFUND_MADE): S.REFUNDED,
    (S.REFUND_DUE, E.ARRIVED): S.DELIVERED,
    (S.REFUNDED, E.LOSS_RECORDED): S.REFUNDED,
    (S.DELIVERED, E.SERIAL_ARRIVED): S.DELIVERED,
    (S.DELIVERED, E.GIVEN_BACK): S.REFUND_DUE,
    # A hidden or lapsed QR may still have been paid: such money is never ignored.
    (S.CANCELLED, E.INVOICE_OPENED): S.CANCELLED,  # the answer of a call we had given up
    (S.CANCELLED, E.REOPENED): S.AWAITING_PAYMENT,
}
# The invoice is the order: whoever is paid also delivers.
_OF_DROPSHIP: _Moves = {
    (S.AWAITING_PAYMENT, E.SETTLED): S.PROCESSING,
    (S.AWAITING_PAYMENT, E.DELIVERED): S.DELIVERED,
    (S.AWAITING_PAYMENT, E.FAILED): S.REFUND_DUE,
    (S.AWAITING_PAYMENT, E.PAYMENT_FOUND): S.REFUND_DUE,
    (S.CANCELLED, E.SETTLED): S.PROCESSING,
    (S.CANCELLED, E.DELIVERED): S.DELIVERED,
    (S.CANCELLED, E.FAILED): S.REFUND_DUE,
    (S.CANCELLED, E.PAYMENT_FOUND): S.REFUND_DUE,
    (S.EXPIRED, E.SETTLED): S.PROCESSING,
    (S.EXPIRED, E.DELIVERED): S.DELIVERED,
    (S.EXPIRED, E.FAILED): S.REFUND_DUE,
    (S.EXPIRED, E.PAYMENT_FOUND): S.REFUND_DUE,
}
# The money comes first; then the shop orders from its balance.
_OF_PREPAID: _Moves = {
    (S.PLACED, E.INVOICE_OPENED): S.AWAITING_PAYMENT,  # a QR that we draw ourselves
    (S.PLACED, E.PAID): S.PAID,  # from the wallet
    (S.AWAITING_PAYMENT, E.PAID): S.PAID,
    (S.AWAITING_PAYMENT, E.PAID_WRONG): S.REFUND_DUE,
    (S.CANCELLED, E.PAID_LATE): S.REFUND_DUE,
    (S.CANCELLED, E.PAID_WRONG): S.REFUND_DUE,
    (S.EXPIRED, E.PAID_LATE): S.REFUND_DUE,
    (S.EXPIRED, E.PAID_WRONG): S.REFUND_DUE,
    (S.PAID, E.SUBMISSION_STARTED): S.SUBMITTING,
    (S.PAID, E.ACCEPTED): S.PROCESSING,  # what the shop itself will do
    (S.PAID, E.DELIVERED): S.DELIVERED,  # likewise, done at once
    (S.PAID, E.PARTLY): S.PARTLY_DELIVERED,  # told of a call that we took for never sent
    (S.PAID, E.REROUTED): S.PAID,
    (S.PAID, E.CHANGED): S.REFUND_DUE,
    (S.PAID, E.TOO_DEAR): S.REFUND_DUE,
    (S.PAID, E.GIVEN_BACK): S.REFUND_DUE,
    (S.PAID, E.OUTCOME_UNKNOWN): S.UNSURE,  # in a restored copy it may have been ordered since
    (S.SUBMITTING, E.NOT_SENT): S.PAID,
    (S.SUBMITTING, E.REROUTED): S.PAID,  # refused: nothing was done
    (S.SUBMITTING, E.ACCEPTED): S.PROCESSING,
    (S.SUBMITTING, E.PARTLY): S.PARTLY_DELIVERED,
    (S.SUBMITTING, E.DELIVERED): S.DELIVERED,
    (S.SUBMITTING, E.FAILED): S.REFUND_DUE,
    (S.SUBMITTING, E.OUTCOME_UNKNOWN): S.UNSURE,
    (S.PROCESSING, E.PARTLY): S.PARTLY_DELIVERED,
    (S.PROCESSING, E.REROUTED): S.PAID,  # the supplier says for certain that it has failed
    (S.UNSURE, E.ACCEPTED): S.PROCESSING,
    (S.UNSURE, E.PARTLY): S.PARTLY_DELIVERED,
    (S.UNSURE, E.DELIVERED): S.DELIVERED,
    (S.UNSURE, E.FAILED): S.REFUND_DUE,
    (S.UNSURE, E.PROCEEDED): S.PAID,  # only the owner may have it ordered once more
    (S.UNSURE, E.GIVEN_BACK): S.REFUND_DUE,
    (S.UNSURE, E.ARRIVED): S.DELIVERED,
    (S.PARTLY_DELIVERED, E.DELIVERED): S.DELIVERED,
    (S.PARTLY_DELIVERED, E.FAILED): S.REFUND_DUE,
    (S.PARTLY_DELIVERED, E.ARRIVED): S.DELIVERED,
    (S.PARTLY_DELIVERED, E.GIVEN_BACK): S.REFUND_DUE,
    (S.REFUND_DUE, E.PROCEEDED): S.PAID,
    (S.REFUND_DUE, E.CREDITED): S.REFUNDED,
    (S.REFUND_DUE, E.COST_RETURNED): S.REFUND_DUE,
    (S.REFUNDED, E.COST_RETURNED): S.REFUNDED,
}
_DROPSHIP: _Moves = MappingProxyType({**_OF_ALL, **_OF_DROPSHIP})
_PREPAID: _Moves = MappingProxyType({**_OF_ALL, **_OF_PREPAID})
MOVES: _Moves = MappingProxyType({**_DROPSHIP, **_PREPAID})
FIRST = S.PLACED
UNPAID = frozenset({S.PLACED, S.OPENING, S.AWAITING_PAYMENT})
HOLDS_MONEY = frozenset(
    {S.PAID, S.SUBMITTING, S.PROCESSING, S.UNSURE, S.PARTLY_DELIVERED, S.REFUND_DUE}
)
ENDED = frozenset({S.DELIVERED, S.REFUNDED, S.EXPIRED, S.CANCELLED})
PAID_FOR = HOLDS_MONEY | {S.DELIVERED, S.REFUNDED}
BY_THE_OWNER = frozenset(
    {
        E.PAYMENT_FOUND,
        E.PAYMENT_ABSENT,
        E.PROCEEDED,
        E.GIVEN_BACK,
        E.ARRIVED,
        E.REFUND_MADE,
        E.LOSS_RECORDED,
    }
)
HOUSE = "house"
"""The shop itself, where others are suppliers: it takes wallets and the owner's own QRIS as
payment, and sells credit and cash."""
CREDIT, CASH = "credit", "cash"  # what the house sells, by sku


class IllegalMove(Exception):
    """The event makes no sense in this status. Nothing was changed."""


class Returned(StrEnum):
    """How a refund went back to the customer. Stored: rename only with a migration."""

    NOT = ""
    WALLET = "wallet"
    HAND = "hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at having a prepaid order delivered, from our balance. Money in whole rupiah."""

    nth: int
    ref: str  # ours: committed before the call, and never used again
    supplier: str
    sku: str
    cost: int  # expected
    by_our_ref: bool  # the supplier can be asked by it
    calls_back: bool = False  # the supplier tells us by itself how it went
    supplier_ref: str = ""  # the supplier's own id, once it told one
    told_ref: str = ""  # what a callback called it, which nothing has proved
    charged: int = 0  # what it took of our balance, and did not give back
    started_at: Millis


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
    method: PaymentMethod = PaymentMethod.DROPSHIP
    gateway: str = ""  # who is paid: a supplier's slug, or ``HOUSE``
    received: int = 0  # what the customer paid
    fee: int = 0  # what the gateway kept of it
    excess: int = 0  # what was credited of it when a wrong amount was accepted
    returned: Returned = Returned.NOT
    lost: bool = False  # refunded, and delivered all the same
    asked_at: Millis | None = None  # when the supplier was last asked about it alone
    payout: str = ""  # where the customer wants money sent: foreign text
    tries: int = 0  # attempts at having it delivered
    attempt: Attempt | None = None  # the last of them
    good: str = ""  # the key of the item that was confirmed
    content: int = 0  # how much of it was promised at least; 0: it is not counted
    # What it may cost us at the most when it is ordered; 0: its price. Of one that was too dear:
    # what the owner, who alone can have it ordered still, was told that it costs.
    ceiling: int = 0
    server_code: str = ""  # what the supplier calls the server

    @property
    def is_prepaid(self) -> bool:
        return self.method is not PaymentMethod.DROPSHIP

    @property
    def may_cost(self) -> int:
        """What its goods may cost at the most when they are ordered, in whole rupiah."""
        return self.ceiling or self.price

    @property
    def asks(self) -> str:
        """Who is asked about this order next: who is paid, and once it is paid, who delivers."""
        return self.supplier if self.status in PAID_FOR else self.gateway

    @property
    def waits_since(self) -> Millis:
        """When its customer began to wait for what was paid for."""
        return self.settled_at or self.changed_at

    @property
    def amount_due(self) -> int:
        """What its customer is asked to pay, in whole rupiah."""
        return self.invoice.amount if self.invoice else self.price

    @property
    def amount(self) -> int:
        """What its customer has paid and not got back, or is asked to pay, in whole rupiah."""
        return (self.received or self.amount_due) - self.excess


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One line of an order's history. ``evidence`` is foreign text, for owners only."""

    at: Millis
    event: Event
    became: Status
    actor: str
    evidence: str


def moves_of(order: Order) -> Mapping[tuple[Status, Event], Status]:
    """Return the legal moves of orders paid like this one."""
    return _PREPAID if order.is_prepaid else _DROPSHIP


def move(order: Order, event: Event, now: Millis) -> Order:
    """Return the order after ``event``, or raise ``IllegalMove``."""
    try:
        status = moves_of(order)[order.status, event]
    except KeyError:
        raise IllegalMove(f"{order.id}: {event} while {order.status}") from None
    return replace(order, status=status, version=order.version + 1, changed_at=now)


def may(order: Order, event: Event) -> bool:
    """Tell whether ``event`` is a legal move of this order now."""
    return (order.status, event) in moves_of(order)
