"""The last question before an order: is all of that right, whose is it, and how is it paid?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from bot.conversation import forms
from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Finish, Goto, Outcome, StepId, View
from shop import catalogue, ordering, players, recognizing
from shop.ordering import Declined, Shown, Why, Wish
from shop.orders import Status
from shop.payments import PaymentMethod
from shop.players import Found, Player, Whose
from shop.routing import Sale

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


_PLAYERS: Mapping[str, str] = {
    Found.FOUND: "confirm.nickname",
    Found.ABSENT: "confirm.absent",
    Found.UNKNOWN: "confirm.unknown",
}


def to_confirm(room: Room, draft: Draft) -> Outcome:
    """Go to the confirmation with today's price; back to the items if this one is gone.

    An account that was given for another supplier's goods is fitted to what this one asks. One
    that nobody has is asked for again, once; of one that is registered elsewhere it is asked
    whether it is meant. Raises ``shop.players.MustAsk``.
    """
    outcome = _priced(room, draft)
    if not isinstance(outcome, Goto) or outcome.step is not StepId.CONFIRM:
        return outcome
    draft = outcome.draft
    player = _player_of(room, draft)
    account = _written(draft)
    if player.found is Found.ABSENT and draft.absent != account:
        shown = room.account(draft)
        because = room.texts("account.absent", account=shown)
        return ask_account(room, replace(draft, absent=account), because)
    if lives_elsewhere(room, draft):
        return Goto(StepId.CHECK, draft)
    return Goto(StepId.CONFIRM, replace(draft, player=player.found.value, nickname=player.nickname))


def _written(draft: Draft) -> str:
    return f"{draft.user_id}/{draft.server}"


def _whose(room: Room, draft: Draft) -> Whose | None:
    """Return whose account it is; ``None``: of a supplier's own form nobody can tell."""
    if room.asked(draft) is None:
        return None
    return recognizing.whose(room.books.rules, draft.game, draft.user_id, draft.server)


def _player_of(room: Room, draft: Draft) -> Player:
    """Return what is known of whose account it is."""
    game, whose = room.game(draft.game), _whose(room, draft)
    if game is None or whose is None:
        return players.NOBODY
    asks = draft.game in room.face.nicknames and game.has_server is bool(draft.server)
    player = recognizing.look(room.books, whose, room.now, asks=asks)
    # That a game's players were not found says nothing where its variants cannot be asked about.
    return player if asks or player.found is Found.FOUND else players.NOBODY


def lives_elsewhere(room: Room, draft: Draft) -> str:
    """Return the region of an account that is not the game's; empty if it is meant all the same."""
    game, whose = room.game(draft.game), _whose(room, draft)
    if game is None or whose is None or draft.elsewhere == _written(draft):
        return ""
    region = room.books.players.of(whose).region
    return region if players.is_elsewhere(game, region) else ""


def meant_all_the_same(draft: Draft) -> Draft:
    """Return the draft whose account is meant although it is registered elsewhere."""
    return replace(draft, elsewhere=_written(draft))


def _priced(room: Room, draft: Draft) -> Outcome:
    sale, game = room.sale(draft), room.game(draft.game)
    if sale is None or game is None:
        known = Draft(
            game=draft.game,
            user_id=draft.user_id,
            server=draft.server,
            absent=draft.absent,
            elsewhere=draft.elsewhere,
        )
        return Goto(StepId.ITEM, known, room.texts("item.gone"))
    draft = replace(draft, good=sale.item.key)
    asked = room.asked(draft)
    if asked is None:
        if not forms.is_complete(sale.offer.form, draft):
            return ask_account(room, draft)
    elif not catalogue.is_user_id(asked, draft.user_id):  # of a form of another kind
        return ask_account(room, draft)
    else:
        server = catalogue.fitting_server(asked, game, draft.server)
        draft = replace(draft, server=server, fields="")
        if asked.has_server and not server:
            return Goto(StepId.SERVER, draft)
    return Goto(StepId.CONFIRM, replace(draft, item=sale.item.title, price=sale.quote.price))


def ask_account(room: Room, draft: Draft, because: str = "") -> Outcome:
    """Ask whose account it is for: as the game does, or field by field as its supplier does."""
    step = StepId.FIELD if room.asked(draft) is None else StepId.ACCOUNT
    return Goto(step, replace(draft, user_id="", server="", fields=""), because)


class Confirm:
    """Is all of that right? The only question about goods with an effect."""

    id: ClassVar[StepId] = StepId.CONFIRM
    back: ClassVar[StepId | None] = StepId.ITEM
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        game = room.game(draft.game)
        sale = room.sale(draft)
        methods = room.payments(sale) if sale is not None else []
        text = room.texts(
            "confirm.ask",
            game=game.title if game is not None else "",
            item=draft.item,
            account="\n".join(_account_lines(room, draft)),
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
        fresh = _priced(room, draft)
        sale = room.sale(draft)
        if sale is None or not isinstance(fresh, Goto) or fresh.step is not StepId.CONFIRM:
            return fresh
        if (because := _changed(room, draft, fresh.draft)) is not None:
            return Again(because, fresh.draft)
        if method not in room.payments(sale):
            return Again(room.texts("confirm.other_method"), fresh.draft)
        wish = _wish(room, fresh.draft, sale, method)
        if wish is None:  # its supplier has another form by now
            return ask_account(room, fresh.draft)
        return placed(room, wish)


def _changed(room: Room, was: Draft, now: Draft) -> str | None:
    if now.item != was.item:
        return room.texts("confirm.item_changed", was=was.item, now=now.item)
    if now.price != was.price:
        before, after = room.texts.money(was.price), room.texts.money(now.price)
        return room.texts("confirm.price_changed", was=before, now=after)
    return None


def _wish(room: Room, draft: Draft, sale: Sale, method: PaymentMethod) -> Wish | None:
    """Return what was confirmed, to the letter; ``None``: its supplier cannot be told."""
    quote, target = sale.quote, room.target(draft, sale.offer)
    if target is None:
        return None
    if method is not PaymentMethod.DROPSHIP:  # from our balance it costs what is listed
        quote = replace(quote, cost=quote.listed)
    return Wish(
        id=room.token,
        key=f"{room.address}:{room.screen}",
        address=room.address,
        supplier=sale.offer.supplier,
        sku=sale.offer.sku,
        game=draft.game,
        item=draft.item,
        good=sale.item.key,
        content=sale.item.content,
        user_id=draft.user_id,
        server=draft.server,
        target=target.text,
        server_code=target.server,
        quote=quote,
        method=method,
        nickname=draft.nickname,
    )


def _account_lines(room: Room, draft: Draft) -> Sequence[str]:
    """Return the account, and below it what is known of the player.

    A nickname has a line of its own: its letters may turn around what stands beside it.
    """
    account = room.account(draft)
    said = _PLAYERS.get(draft.player)
    return [account] if said is None else [account, room.texts(said, nickname=draft.nickname)]


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
