"""The last question before an order: is all of that right, and how is it paid?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from bot.conversation import forms
from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Finish, Goto, Outcome, StepId, View
from shop import catalogue, ordering
from shop.ordering import Declined, Shown, Why, Wish
from shop.orders import Status
from shop.payments import PaymentMethod
from shop.ports import Offer

_DECLINED: Mapping[Why, str] = {
    Why.TOO_MANY: "order.too_many",
    Why.TOO_SOON: "order.too_soon",
    Why.TAKEN: "order.taken",
    Why.SHORT: "order.short",
    Why.NO_AMOUNT: "order.no_amount",
}
_LABELS: Mapping[PaymentMethod, str] = {
    PaymentMethod.DROPSHIP: "confirm.pay",
    PaymentMethod.DEPOSIT: "confirm.pay_deposit",
    PaymentMethod.QRIS: "confirm.pay_qris",
    PaymentMethod.WALLET: "confirm.pay_wallet",
}


def to_confirm(room: Room, draft: Draft) -> Outcome:
    """Go to the confirmation with today's price; back to the items if this one is gone.

    An account that was given for another supplier's goods is fitted to what this one asks.
    """
    offer, game = room.offer(draft), room.game(draft.game)
    if offer is None or game is None or not room.can_write_target(offer, game):
        known = Draft(game=draft.game, user_id=draft.user_id, server=draft.server)
        return Goto(StepId.ITEM, known, room.texts("item.gone"))
    asked = room.asked(draft)
    if asked is None:
        if not forms.is_complete(offer.form, draft):
            return ask_account(room, draft)
    elif not catalogue.is_user_id(asked, draft.user_id):  # of a form of another kind
        return ask_account(room, draft)
    else:
        server = catalogue.fitting_server(asked, game, draft.server)
        draft = replace(draft, server=server, fields="")
        if asked.has_server and not server:
            return Goto(StepId.SERVER, draft)
    price = room.quote(offer).price
    return Goto(StepId.CONFIRM, replace(draft, item=offer.item, price=price))


def ask_account(room: Room, draft: Draft) -> Outcome:
    """Ask whose account it is for: as the game does, or field by field as its supplier does."""
    step = StepId.FIELD if room.asked(draft) is None else StepId.ACCOUNT
    return Goto(step, replace(draft, user_id="", server="", fields=""))


class Confirm:
    """Is all of that right? The only question about goods with an effect."""

    id: ClassVar[StepId] = StepId.CONFIRM
    back: ClassVar[StepId | None] = StepId.ITEM
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        game = room.game(draft.game)
        offer = room.offer(draft)
        methods = room.payments(offer, draft.price) if offer is not None else []
        text = room.texts(
            "confirm.ask",
            game=game.title if game is not None else "",
            item=draft.item,
            account=room.account(draft.user_id, draft.server),
            price=room.texts.money(draft.price),
        )
        if PaymentMethod.WALLET in methods:
            text = f"{text}\n{room.texts('confirm.credit', credit=room.texts.money(room.credit()))}"
        if not methods:
            text = f"{text}\n{room.texts('confirm.no_method')}"
        return View(
            title=room.texts("confirm.title"),
            text=text,
            choices=(
                *pay_choices(room, methods),
                Choice("account", room.texts("confirm.account")),
            ),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if value == "account":
            return ask_account(room, draft)
        if value not in set(PaymentMethod):
            return Again(room.texts("confirm.press"))
        return self._pay(room, draft, PaymentMethod(value))

    def _pay(self, room: Room, draft: Draft, method: PaymentMethod) -> Outcome:
        fresh = to_confirm(room, draft)
        offer = room.offer(draft)
        if offer is None or not isinstance(fresh, Goto) or fresh.step is not StepId.CONFIRM:
            return fresh
        if (because := _changed(room, draft, fresh.draft)) is not None:
            return Again(because, fresh.draft)
        if method not in room.payments(offer, draft.price):
            return Again(room.texts("confirm.other_method"), fresh.draft)
        return placed(room, _wish(room, draft, offer, method))


def _changed(room: Room, was: Draft, now: Draft) -> str | None:
    if now.item != was.item:
        return room.texts("confirm.item_changed", was=was.item, now=now.item)
    if now.price != was.price:
        before, after = room.texts.money(was.price), room.texts.money(now.price)
        return room.texts("confirm.price_changed", was=before, now=after)
    return None


def _wish(room: Room, draft: Draft, offer: Offer, method: PaymentMethod) -> Wish:
    quote = room.quote(offer)
    if method is not PaymentMethod.DROPSHIP:  # from our balance it costs what is listed
        quote = replace(quote, cost=quote.listed)
    return Wish(
        id=room.token,
        key=f"{room.address}:{room.screen}",
        address=room.address,
        supplier=draft.supplier,
        sku=draft.sku,
        game=draft.game,
        item=draft.item,
        user_id=draft.user_id,
        server=draft.server,
        target=room.target(draft),
        quote=quote,
        method=method,
    )


def pay_choices(room: Room, methods: Sequence[PaymentMethod]) -> tuple[Choice, ...]:
    """Return a button for each way to pay; the first that shows a QR is simply "Pay"."""
    first = next((method for method in methods if method is not PaymentMethod.WALLET), None)
    return tuple(
        Choice(method.value, room.texts("confirm.pay" if method is first else _LABELS[method]))
        for method in methods
    )


def placed(room: Room, wish: Wish) -> Outcome:
    """Place an order, and say what came of it; a new one speaks for itself."""
    match ordering.place(room.books, wish, room.now):
        case Declined(why=why, until=until):
            return Again(declined(room, why, until))
        case Shown(order=order):
            has_qr = order.status is Status.AWAITING_PAYMENT
            return Finish(
                View(text=room.texts("order.shown_again" if has_qr else "order.shown_soon"))
            )
        case _:
            return Finish()


def declined(room: Room, why: Why, until: int | None) -> str:
    """Say why nothing was placed, and when trying again makes sense."""
    when = "" if until is None else room.texts("order.until", time=room.texts.time(until))
    return room.texts(_DECLINED[why], when=when).strip()
