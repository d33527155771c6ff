"""Questions about store credit: how much, how it is paid, and where money is to be sent."""

from dataclasses import replace
from typing import ClassVar

from bot.conversation.confirming import pay_choices, placed
from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Finish, Goto, Outcome, StepId, View
from shop import ordering
from shop.money import NotAnAmount, read_typed_rupiah
from shop.ordering import Wish
from shop.orders import CASH, CREDIT, HOUSE
from shop.payments import PaymentMethod
from shop.pricing import Quote
from shop.text import visible

PRESETS = (20_000, 50_000, 100_000, 250_000, 500_000)
_LONGEST_PAYOUT = 120
_EXAMPLE = 50_000


def _amount(room: Room, value: str, least: int, most: int) -> int | str:
    """Return the amount that was typed or chosen, or what is wrong with it, with an example."""
    example = room.texts.money(min(max(_EXAMPLE, least), most))
    try:
        amount = read_typed_rupiah(value)
    except NotAnAmount:
        return room.texts("amount.unreadable", example=example)
    if amount < least:
        return room.texts("amount.too_small", least=room.texts.money(least), example=example)
    if amount > most:
        return room.texts("amount.too_large", most=room.texts.money(most), example=example)
    return amount


class AskCredit:
    """How much credit?"""

    id: ClassVar[StepId] = StepId.CREDIT
    back: ClassVar[StepId | None] = StepId.GAME
    free: ClassVar[bool] = True
    about_game: ClassVar[bool] = False

    def ask(self, room: Room, _draft: Draft) -> View:
        if not room.credit_methods():
            return View(text=room.texts("credit.not_sold"))
        rules = room.books.rules
        presets = [n for n in PRESETS if rules.credit_min <= n <= rules.credit_max]
        return View(
            title=room.texts("credit.title"),
            text=room.texts(
                "credit.ask",
                credit=room.texts.money(room.credit()),
                least=room.texts.money(rules.credit_min),
                most=room.texts.money(rules.credit_max),
            ),
            choices=tuple(Choice(str(n), room.texts.money(n)) for n in presets),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        rules = room.books.rules
        if not room.credit_methods():
            return Goto(StepId.GAME, Draft(), room.texts("credit.not_sold"))
        amount = _amount(room, value, rules.credit_min, rules.credit_max)
        if isinstance(amount, str):
            return Again(amount)
        return Goto(StepId.CREDIT_METHOD, replace(draft, price=amount))


class AskCreditMethod:
    """Is that right, and how is it paid?"""

    id: ClassVar[StepId] = StepId.CREDIT_METHOD
    back: ClassVar[StepId | None] = StepId.CREDIT
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = False

    def ask(self, room: Room, draft: Draft) -> View:
        return View(
            title=room.texts("credit.title"),
            text=room.texts("credit.confirm", amount=room.texts.money(draft.price)),
            choices=pay_choices(room, room.credit_methods()),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if value not in set(room.credit_methods()):
            return Again(room.texts("confirm.press_pay"))
        return placed(room, _own_wish(room, CREDIT, draft.price, PaymentMethod(value)))


class AskCash:
    """How much of the credit is to be paid out?"""

    id: ClassVar[StepId] = StepId.CASH
    back: ClassVar[StepId | None] = StepId.GAME
    free: ClassVar[bool] = True
    about_game: ClassVar[bool] = False

    def ask(self, room: Room, _draft: Draft) -> View:
        credit = room.credit()
        if not credit:
            return View(text=room.texts("cash.nothing"))
        amount = room.texts.money(credit)
        return View(
            title=room.texts("cash.title"),
            text=room.texts("cash.ask", credit=amount),
            choices=(Choice(str(credit), amount),),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        credit = room.credit()
        if not credit:
            return Goto(StepId.GAME, Draft(), room.texts("cash.nothing"))
        amount = _amount(room, value, min(room.books.rules.credit_min, credit), credit)
        if isinstance(amount, str):
            return Again(amount)
        return Goto(StepId.PAYOUT, replace(draft, price=amount, order=""))


class AskPayout:
    """Where is the money to be sent: which bank or e-wallet, which number, whose name?"""

    id: ClassVar[StepId] = StepId.PAYOUT
    back: ClassVar[StepId | None] = StepId.GAME
    free: ClassVar[bool] = True
    about_game: ClassVar[bool] = False

    def ask(self, room: Room, draft: Draft) -> View:
        order = room.own_order(draft.order) if draft.order else None
        amount = room.texts.money(order.amount if order is not None else draft.price)
        title = room.texts("payout.title")
        if not draft.item:
            return View(title=title, text=room.texts("payout.ask", amount=amount))
        return View(
            title=title,
            text=room.texts("payout.check", amount=amount, payout=draft.item),
            choices=(Choice("@yes", room.texts("payout.yes")),),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if value == "@yes" and draft.item:
            return self._send(room, draft)
        payout = visible(value, _LONGEST_PAYOUT)
        if sum(char.isdigit() for char in payout) < 4:
            return Again(room.texts("payout.no_number"))
        return Goto(StepId.PAYOUT, replace(draft, item=payout))

    def _send(self, room: Room, draft: Draft) -> Outcome:
        if not draft.order:
            wish = _own_wish(room, CASH, draft.price, PaymentMethod.WALLET)
            return placed(room, replace(wish, payout=draft.item))
        order = room.own_order(draft.order)
        if order is None or not ordering.pay_out_to(room.books, order, draft.item, room.now):
            return Finish(View(text=room.texts("payout.too_late")))
        noted = room.texts("payout.noted", order=order.id, payout=draft.item)
        return Finish(View(text=noted))


def _own_wish(room: Room, sku: str, amount: int, method: PaymentMethod) -> Wish:
    """Return the wish for credit, or for cash, over ``amount`` rupiah."""
    return Wish(
        id=room.token,
        key=f"{room.address}:{room.screen}",
        address=room.address,
        supplier=HOUSE,
        sku=sku,
        game="",
        item=room.texts(f"item.{sku}", amount=room.texts.money(amount)),
        user_id="",
        server="",
        target="",
        quote=Quote(listed=amount, cost=amount, price=amount),
        method=method,
    )
