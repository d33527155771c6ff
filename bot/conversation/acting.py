"""Buttons that belong to an order: they work for ever, and for its buyer only."""

from collections.abc import Callable, Mapping, Sequence

from bot.conversation.notices import order_view
from bot.conversation.room import Room
from bot.conversation.steps import repeat
from bot.conversation.views import Again, Draft, Goto, Outcome, StepId, View
from shop import ordering
from shop.notices import Notice, NoticeKind, facts_of
from shop.ordering import Claim
from shop.orders import HOLDS_MONEY, HOUSE, Order, Status
from shop.time import MINUTE, Millis

_CLAIMED: Mapping[Claim, str] = {
    Claim.ASKING: "claim.asking",
    Claim.ASKING_THE_OWNER: "claim.asking_the_owner",
    Claim.TOO_SOON: "claim.too_soon",
    Claim.ALREADY_PAID: "claim.already_paid",
    Claim.NOTHING_TO_ASK: "claim.nothing",
}


def act(room: Room, order_id: str, action: str) -> Outcome | View:
    """Do what a button of an order says."""
    order = room.own_order(order_id)
    if order is None:
        return View(text=room.texts("order.unknown"))
    do = _ACTIONS.get(action)
    return Again(room.texts("button.old")) if do is None else do(room, order)


def _paid(room: Room, order: Order) -> View:
    claim = ordering.claim_paid(room.books, order, room.now)
    return View(text=room.texts(_CLAIMED[claim], order=order.id))


def _cancel(room: Room, order: Order) -> View:
    if ordering.cancel(room.books, order, room.now) is not None:
        return View(text=room.texts("order.cancelled", order=order.id))
    if order.status is Status.CANCELLED:
        return View(text=room.texts("order.cancelled", order=order.id))
    opening = order.status is Status.OPENING
    text = "order.being_opened" if opening else "order.too_late_to_cancel"
    return View(text=room.texts(text, order=order.id))


def _again(room: Room, order: Order) -> Outcome:
    if order.supplier == HOUSE:
        return Goto(StepId.CREDIT, Draft())
    return repeat(room, order.id)


def _show(room: Room, order: Order) -> View:
    """Show an order as it stands, and its QR again if that can still be paid."""
    shown = ordering.show_again(room.books, order, room.now)
    return order_view(shown, room)


def _pay_out(room: Room, order: Order) -> Outcome | View:
    """Ask where a refund is to be sent."""
    if order.status is not Status.REFUND_DUE:
        return View(text=room.texts("payout.too_late"))
    return Goto(StepId.PAYOUT, Draft(order=order.id))


_ACTIONS: Mapping[str, Callable[[Room, Order], Outcome | View]] = {
    "paid": _paid,
    "cancel": _cancel,
    "again": _again,
    "show": _show,
    "payout": _pay_out,
}


_IN_DELIVERY = HOLDS_MONEY - {Status.REFUND_DUE}
_MAYBE_PAID = frozenset({Status.AWAITING_PAYMENT, Status.EXPIRED})
_PICTURE_CLAIMED: Mapping[Claim, str] = {
    Claim.ASKING: "picture.asking",
    Claim.ASKING_THE_OWNER: "picture.asking_the_owner",
    Claim.TOO_SOON: "claim.too_soon",
}


def claim_all(room: Room, file: str = "") -> View:
    """Answer a picture, most likely a receipt: have it looked into what is open.

    Of what came to the own QRIS only the owner can tell: the picture is passed on.
    """
    recent = room.books.orders.recent_of(room.address, 5)
    own = [order for order in recent if _may_be_claimed(order, room.now)]
    waiting = [*room.books.orders.open_of(room.address, room.now), *own]
    waiting = list({order.id: order for order in waiting}.values())
    claim = ordering.claim_any(room.books, room.address, waiting, room.now)
    _pass_on(room, [order for order in own if order.invoice], file)
    if claim in _PICTURE_CLAIMED:
        return View(text=room.texts(_PICTURE_CLAIMED[claim]))
    for order in room.books.orders.recent_of(room.address, 5):
        if order.status in _IN_DELIVERY:
            return View(text=room.texts("claim.already_paid", order=order.id))
    support = room.face.support or room.face.name
    return View(text=room.texts("picture.nothing", support=support))


def _may_be_claimed(order: Order, now: Millis) -> bool:
    """Tell whether the own QRIS of an order may just have been paid: its amount is still its."""
    lately = now - order.changed_at < ordering.RESERVED
    return order.gateway == HOUSE and order.status in _MAYBE_PAID and lately


def _pass_on(room: Room, orders: Sequence[Order], file: str) -> None:
    for order in orders:
        notice = Notice(
            key=f"{order.id}:receipt:{room.now // MINUTE}",
            kind=NoticeKind.RECEIPT,
            address="",
            order_id=order.id,
            facts={**facts_of(order), "buyer": order.address, "file": file},
        )
        room.books.outbox.owe_owners(notice, room.now)
