"""The owner's commands and cases. Who asks is checked here, at every single act."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from bot.conversation.notices import case_view, confirm_view
from bot.conversation.room import Room
from bot.conversation.views import View, for_case
from shop import settling
from shop.cases import EVENT_OF, Answer, Case, answers
from shop.orders import IllegalMove, Order
from shop.time import MINUTE, Millis

CONFIRM_WITHIN: Millis = 2 * MINUTE
SHOWN_CASES = 10


class OwnersDesk:
    """``bot.conversation.engine.Desk`` for the owners named in the settings."""

    def __init__(self, owners: Collection[str]) -> None:
        self._owners = frozenset(owners)
        self._commands: Mapping[str, Callable[[Room], View]] = {
            "saldo": _ask_balances,
            "kasus": _list_cases,
        }

    def is_owner(self, address: str) -> bool:
        return address in self._owners

    def command(self, room: Room, name: str) -> View | None:
        """Answer an owner's command; ``None`` if it is none, or nobody who may give it."""
        if not self.is_owner(room.address):
            return None
        do = self._commands.get(name)
        return None if do is None else do(room)

    def act(self, room: Room, case_id: str, action: str) -> View:
        """Do what a button of a case says. Money moves only after a second, fresh yes."""
        if not self.is_owner(room.address):
            return View(text=room.texts("button.old"))
        case = room.books.cases.get(case_id)
        order = None if case is None else room.books.orders.get(case.order_id)
        if case is None or order is None:
            return View(text=room.texts("case.unknown"))
        if case.closed_at is not None:
            return View(text=room.texts("case.closed", order=order.id))
        if action == "open":
            if case.pending is not None:  # "not yet" takes the first yes back
                room.books.cases.put(replace(case, pending=None, pending_until=None))
            return case_view(case, order, room)
        confirmed = action.startswith("yes-")
        answer = _answer(action.removeprefix("yes-"))
        if answer is None or answer not in answers(case, order):
            return case_view(case, order, room)
        return (
            _confirmed(room, case, order, answer) if confirmed else _ask(room, case, order, answer)
        )


def _answer(word: str) -> Answer | None:
    return Answer(word) if word in set(Answer) else None


def _ask(room: Room, case: Case, order: Order, answer: Answer) -> View:
    if answer is Answer.SEEN:
        room.books.cases.close(case, answer, room.address, room.now)
        return View(text=room.texts("case.closed", order=order.id))
    until = room.now + CONFIRM_WITHIN
    room.books.cases.put(
        replace(case, pending=answer, pending_by=room.address, pending_until=until)
    )
    return confirm_view(case, order, answer, room)


def _confirmed(room: Room, case: Case, order: Order, answer: Answer) -> View:
    fresh = case.pending_until is not None and room.now <= case.pending_until
    if not fresh or case.pending is not answer or case.pending_by != room.address:
        return _ask(room, case, order, answer)
    event = EVENT_OF[answer]
    if event is None:
        return case_view(case, order, room)
    room.books.cases.put(replace(case, pending=None, pending_by="", pending_until=None))
    try:
        settling.decided(room.books, order, event, room.address, room.now)
    except IllegalMove:
        return case_view(case, order, room)
    return View(text=room.texts(f"decided.{answer}", order=order.id))


def _ask_balances(room: Room) -> View:
    for supplier in room.face.suppliers:
        room.books.calls.ask_balance(supplier, room.address, room.now)
    known = bool(room.face.suppliers)
    return View(text=room.texts("balance.asking" if known else "balance.no_supplier"))


def _list_cases(room: Room) -> View:
    cases = room.books.cases.all_open()
    if not cases:
        return View(text=room.texts("cases.none"))
    lines, choices = [], []
    for number, case in enumerate(cases[:SHOWN_CASES], start=1):
        order = room.books.orders.get(case.order_id)
        if order is not None:
            kind = room.texts(f"case.{case.kind}.short")
            money = room.texts.money(order.invoice.amount if order.invoice else order.price)
            since = room.texts.date(case.opened_at)
            lines.append(f"{number}. {order.id} · {money}\n{kind}, {since}")
            choices.append(for_case(case.id, "open", f"{number}. {order.id}"))
    if len(cases) > SHOWN_CASES:
        lines.append(room.texts("cases.more", more=len(cases) - SHOWN_CASES))
    return View(
        title=room.texts("cases.title", count=len(cases)),
        text="\n".join(lines),
        choices=tuple(choices),
    )
