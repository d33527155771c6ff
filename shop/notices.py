"""Which move owes whom which message. Words and pictures are the conversation's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

from shop.orders import HOUSE, Event, Order, Status

Facts = Mapping[str, str | int | None]


class NoticeKind(StrEnum):
    """The messages the shop sends by itself. Stored in the outbox."""

    STATUS = "status"  # the one status message of an order, edited in place
    QR = "qr"
    QR_CLOSED = "qr_closed"  # takes the buttons from the QR message
    NOT_OPENED = "not_opened"  # no QR could be had; says why and what to do
    LAPSED = "lapsed"
    UNPAID_YET = "unpaid_yet"  # the answer to "I have paid"
    CHECK_DELAYED = "check_delayed"  # likewise, when the supplier does not answer
    PAID_LATE = "paid_late"
    SLOW = "slow"
    DELIVERED = "delivered"
    SERIAL = "serial"  # a serial number that came after the goods
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    PAID_WRONG = "paid_wrong"  # not what was asked for
    PARTLY = "partly"
    RECEIPT = "receipt"  # a customer's picture, for the owner
    CREDIT = "credit"  # the owner changed somebody's store credit by hand
    CASE = "case"
    BALANCE = "balance"
    ALERT = "alert"


class Lane(IntEnum):
    """Which messages wait for which: order is kept in each lane of a chat. Stored in the outbox."""

    ORDERS = 0
    SLOW = 1  # what is not about one order waits for whatever is


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message owed. ``key`` is unique for ever: the same message is never owed twice."""

    key: str
    kind: NoticeKind
    address: str
    order_id: str = ""
    facts: Facts = field(default_factory=dict)


K, E = NoticeKind, Event
LANE_OF: Mapping[NoticeKind, Lane] = MappingProxyType(
    {
        K.STATUS: Lane.ORDERS,
        K.QR: Lane.ORDERS,
        K.QR_CLOSED: Lane.ORDERS,
        K.NOT_OPENED: Lane.ORDERS,
        K.LAPSED: Lane.ORDERS,
        K.UNPAID_YET: Lane.ORDERS,
        K.CHECK_DELAYED: Lane.ORDERS,
        K.PAID_LATE: Lane.ORDERS,
        K.SLOW: Lane.ORDERS,
        K.DELIVERED: Lane.ORDERS,
        K.SERIAL: Lane.ORDERS,
        K.REFUND_DUE: Lane.ORDERS,
        K.REFUNDED: Lane.ORDERS,
        K.PAID_WRONG: Lane.ORDERS,
        K.PARTLY: Lane.ORDERS,
        K.RECEIPT: Lane.ORDERS,
        K.CREDIT: Lane.ORDERS,
        K.CASE: Lane.ORDERS,
        K.BALANCE: Lane.SLOW,
        K.ALERT: Lane.SLOW,
    }
)
# Owners may only have to press /start once: what they are told is never given up.
FOR_OWNERS = frozenset({K.CASE, K.RECEIPT, K.BALANCE, K.ALERT})
# What a buyer has paid for, or is owed: if it cannot arrive, the owner has to say it.
MUST_ARRIVE = frozenset({K.DELIVERED, K.SERIAL, K.REFUND_DUE, K.PAID_WRONG})
_QR_WAS_SHOWN = frozenset({Status.AWAITING_PAYMENT})
# The words beside the status message. An order that was given up says so in one message.
_SAYS: Mapping[Event, tuple[NoticeKind, ...]] = MappingProxyType(
    {
        E.INVOICE_OPENED: (K.QR,),
        E.INVOICE_REFUSED: (K.NOT_OPENED,),
        E.OUTCOME_UNKNOWN: (K.NOT_OPENED,),
        E.INVOICE_AT_A_LOSS: (K.NOT_OPENED,),
        E.GIVEN_UP: (K.NOT_OPENED,),
        E.LAPSED: (K.LAPSED,),
        E.PAYMENT_ABSENT: (K.LAPSED,),
        E.DELIVERED: (K.DELIVERED,),
        E.ARRIVED: (K.DELIVERED,),
        E.SERIAL_ARRIVED: (K.SERIAL,),
        E.FAILED: (K.REFUND_DUE,),
        E.PAYMENT_FOUND: (K.REFUND_DUE,),
        E.GIVEN_BACK: (K.REFUND_DUE,),
        E.REFUND_MADE: (K.REFUNDED,),
        E.CREDITED: (K.REFUNDED,),
        E.PAID_LATE: (K.REFUND_DUE,),
        E.PAID_WRONG: (K.PAID_WRONG,),
        E.CHANGED: (K.REFUND_DUE,),
        E.TOO_DEAR: (K.REFUND_DUE,),
        E.PARTLY: (K.PARTLY,),
    }
)
_SILENT = frozenset(
    {
        E.OPENING_STARTED,
        E.NOT_SENT,
        E.SUBMISSION_STARTED,
        E.REROUTED,
        E.COST_RETURNED,
        E.LOSS_RECORDED,
    }
)


def after(was: Order, now: Order, event: Event, extra: Facts | None = None) -> tuple[Notice, ...]:
    """Return what the customer must be told of this move."""
    if event in _SILENT or (was.status, event) == (Status.CANCELLED, Event.INVOICE_OPENED):
        return ()
    kinds = [NoticeKind.STATUS]
    if was.status in _QR_WAS_SHOWN:
        kinds.append(NoticeKind.QR_CLOSED)
    if event is Event.SETTLED and was.status is not Status.AWAITING_PAYMENT:
        kinds.append(NoticeKind.PAID_LATE)
    if event is not Event.OUTCOME_UNKNOWN or now.status is Status.CANCELLED:
        kinds.extend(_SAYS.get(event, ()))  # a paid order is merely being looked into
    facts = {**facts_of(now), "was": was.status, "event": event, **(extra or {})}
    return tuple(to_customer(now, kind, str(now.version), facts) for kind in kinds)


def to_customer(
    order: Order, kind: NoticeKind, occasion: str, facts: Facts | None = None
) -> Notice:
    """Owe the buyer of ``order`` one message; ``occasion`` tells it from others of its kind."""
    return Notice(
        key=f"{order.id}:{kind}:{occasion}",
        kind=kind,
        address=order.address,
        order_id=order.id,
        facts=facts if facts is not None else facts_of(order),
    )


def facts_of(order: Order) -> dict[str, str | int | None]:
    """Return what any message about this order may say, as it stands now."""
    invoice = order.invoice
    return {
        "order": order.id,
        "status": order.status,
        "game": order.game,
        "item": order.item,
        "user_id": order.user_id,
        "server": order.server,
        "price": order.price,
        "amount": order.amount,
        "asked": order.amount_due,
        "method": order.method,
        "sold": order.sku if order.supplier == HOUSE else "",
        "returned": order.returned,
        "expires_at": invoice.expires_at if invoice else None,
        "at": order.changed_at,
        "serial": order.serial,
    }
