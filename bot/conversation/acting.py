"""Buttons that belong to an order: they work for ever, and for its buyer only."""

from collections.abc import Callable, Mapping

from bot.conversation.notices import order_view
from bot.conversation.room import Room
from bot.conversation.steps import repeat
from bot.conversation.views import Again, Outcome, View
from shop import ordering
from shop.ordering import Claim
from shop.orders import Order, Status

_CLAIMED: Mapping[Claim, str] = {
    Claim.ASKING: "claim.asking",
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
    return repeat(room, order.id)


def _show(room: Room, order: Order) -> View:
    """Show an order as it stands, and its QR again if that can still be paid."""
    shown = ordering.show_again(room.books, order, room.now)
    return order_view(shown, room)


_ACTIONS: Mapping[str, Callable[[Room, Order], Outcome | View]] = {
    "paid": _paid,
    "cancel": _cancel,
    "again": _again,
    "show": _show,
}


def claim_all(room: Room) -> View:
    """Answer a picture, most likely a receipt: have the supplier asked about what is open."""
    waiting = room.books.orders.open_of(room.address, room.now)
    claim = ordering.claim_any(room.books, room.address, waiting, room.now)
    if claim is Claim.ASKING:
        return View(text=room.texts("picture.asking"))
    if claim is Claim.TOO_SOON:
        return View(text=room.texts("claim.too_soon"))
    for order in room.books.orders.recent_of(room.address, 5):
        if order.status is Status.PROCESSING:
            return View(text=room.texts("claim.already_paid", order=order.id))
    support = room.face.support or room.face.name
    return View(text=room.texts("picture.nothing", support=support))
