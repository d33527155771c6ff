"""The owner's commands and cases. Who asks is checked here, at every single act."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from bot.conversation.case_views import case_view, confirm_view, supplier_case_view
from bot.conversation.entering import enter, undo
from bot.conversation.room import Room
from bot.conversation.steps import Step
from bot.conversation.views import Outcome, View, for_case
from bot.owner.links import NOWHERE, Entrances, links
from bot.owner.lists import lists
from bot.owner.matching import match
from bot.owner.pricing import ConfirmPrice, prices
from bot.owner.routes import route
from shop import comparing, ledger, settling
from shop.cases import Answer, Case, answers, event_of
from shop.orders import CASH, HOUSE, IllegalMove, Order, Returned, Status
from shop.time import MINUTE, Millis

CONFIRM_WITHIN: Millis = 2 * MINUTE
SHOWN_CASES = 10


class OwnersDesk:
    """``bot.conversation.engine.Desk`` for the owners named in the settings."""

    steps: ClassVar[Sequence[Step]] = (ConfirmPrice(),)

    def __init__(self, owners: Collection[str], entrances: Entrances = NOWHERE) -> None:
        self._owners = frozenset(owners)
        self._commands: Mapping[str, Callable[[Room, str], View | Outcome]] = {
            "saldo": _ask_balances,
            "kasus": _list_cases,
            "buku": _ledger,
            "catat": enter,
            "urung": undo,
            "rute": route,
            "cocok": match,
            "harga": prices,
            "daftar": lists,
            "tautan": partial(links, entrances),
        }

    def is_owner(self, address: str) -> bool:
        return address in self._owners

    def command(self, room: Room, name: str, args: str) -> View | Outcome | None:
        """Answer an owner's command; ``None`` if it is none, or nobody who may give it."""
        if not self.is_owner(room.address):
            return None
        do = self._commands.get(name)
        return None if do is None else do(room, args)

    def act(self, room: Room, case_id: str, action: str) -> View:
        """Do what a button of a case says. Money moves only after a second, fresh yes."""
        if not self.is_owner(room.address):
            return View(text=room.texts("button.old"))
        case = room.books.cases.get(case_id)
        if case is None:
            return View(text=room.texts("case.unknown"))
        if not case.order_id:
            return _act_on_balance(room, case, action)
        order = room.books.orders.get(case.order_id)
        if order is None or case.closed_at is not None:
            return View(text=room.texts("case.closed", order=case.order_id))
        return _act_on_order(room, case, order, action)


def _act_on_order(room: Room, case: Case, order: Order, action: str) -> View:
    """Do what a button of a case about an order says."""
    if action == "open":
        _take_back(room, case)
        return case_view(case, order, room)
    answer = _answer(action.removeprefix("yes-"))
    if answer is None or answer not in answers(case, order):
        return case_view(case, order, room)
    if action.startswith("yes-"):
        return _confirmed(room, case, order, answer)
    return _ask(room, case, order, answer)


def _take_back(room: Room, case: Case) -> None:
    """Take the first yes back: the owner said "not yet"."""
    if case.pending is not None:
        room.books.cases.put(replace(case, pending=None, pending_until=None))


def _act_on_balance(room: Room, case: Case, action: str) -> View:
    """Do what a button of a case about a supplier's balance says."""
    if case.closed_at is not None:
        return View(text=room.texts("case.balance.closed", supplier=case.about))
    answer = _answer(action.removeprefix("yes-"))
    if answer not in answers(case, None):
        answer = None
    if answer is Answer.SEEN:
        room.books.cases.close(case, answer, room.address, room.now)
        return View(text=room.texts("case.balance.closed", supplier=case.about))
    if answer is not Answer.ADJUST:
        _take_back(room, case)
        return supplier_case_view(case, room)
    if not (action.startswith("yes-") and _is_confirmed(room, case, answer)):
        _wait_for_yes(room, case, answer)
        return View(
            text=room.texts("sure.adjust", supplier=case.about, evidence=case.evidence),
            choices=(
                for_case(case.id, f"yes-{answer}", room.texts("case.yes")),
                for_case(case.id, "open", room.texts("case.no")),
            ),
        )
    comparing.adjust(room.books, case, room.address, room.now)
    return View(text=room.texts("decided.adjust", supplier=case.about))


def _answer(word: str) -> Answer | None:
    return Answer(word) if word in set(Answer) else None


def _ask(room: Room, case: Case, order: Order, answer: Answer) -> View:
    if answer is Answer.SEEN:
        room.books.cases.close(case, answer, room.address, room.now)
        return View(text=room.texts("case.closed", order=order.id))
    _wait_for_yes(room, case, answer)
    return confirm_view(case, order, answer, room)


def _wait_for_yes(room: Room, case: Case, answer: Answer) -> None:
    until = room.now + CONFIRM_WITHIN
    room.books.cases.put(
        replace(case, pending=answer, pending_by=room.address, pending_until=until)
    )


def _is_confirmed(room: Room, case: Case, answer: Answer) -> bool:
    """Tell whether this owner chose this answer, not long ago."""
    fresh = case.pending_until is not None and room.now <= case.pending_until
    return fresh and case.pending is answer and case.pending_by == room.address


def _has_moved_since(case: Case, order: Order) -> bool:
    """Tell whether the order moved after the owner chose: their yes was to something else."""
    return case.pending_until is not None and order.changed_at > case.pending_until - CONFIRM_WITHIN


def _confirmed(room: Room, case: Case, order: Order, answer: Answer) -> View:
    event = event_of(answer, order)
    stale = _has_moved_since(case, order)
    if event is None or stale or not _is_confirmed(room, case, answer):
        return _ask(room, case, order, answer)
    room.books.cases.put(replace(case, pending=None, pending_by="", pending_until=None))
    why = f"{case.kind}: {answer}"
    try:
        after = settling.decided(room.books, order, event, room.address, room.now, why=why)
    except IllegalMove:
        return case_view(case, order, room)
    return View(text=room.texts(f"decided.{_word(answer, order, after)}", order=order.id))


def _word(answer: Answer, was: Order, after: Order) -> str:
    """Return which text says what came of an answer: money may go back at once, or stay."""
    if after.returned is Returned.WALLET is not was.returned:
        return "credited"
    if (after.supplier, after.sku, answer) == (HOUSE, CASH, Answer.ARRIVED):
        return "arrived.cash"
    stays = answer is Answer.PAID and after.status is not Status.REFUND_DUE
    return "paid_own" if stays else answer


def _ask_balances(room: Room, _args: str) -> View:
    """Ask the suppliers that tell our balance; of the others say what the books say."""
    if not room.face.suppliers:
        return View(text=room.texts("balance.no_supplier"))
    lines = [room.texts("balance.asking")] if room.face.balances else []
    for slug in room.face.suppliers:
        if slug in room.face.balances:
            room.books.calls.ask_balance(slug, room.address, room.now)
        else:
            written = room.texts.money(room.books.ledger.balance(ledger.supplier(slug)))
            lines.append(
                room.texts(
                    "balance.by_the_books",
                    supplier=room.face.titles.get(slug, slug),
                    balance=written,
                )
            )
    return View(text="\n".join(lines))


def _list_cases(room: Room, _args: str) -> View:
    cases = room.books.cases.all_open()
    if not cases:
        return View(text=room.texts("cases.none"))
    lines, choices = [], []
    for number, case in enumerate(cases[:SHOWN_CASES], start=1):
        order = room.books.orders.get(case.order_id) if case.order_id else None
        name = case.about if order is None else order.id
        money = "" if order is None else f" · {room.texts.money(order.amount)}"
        kind = room.texts(f"case.{case.kind}.short")
        lines.append(f"{number}. {name}{money}\n{kind}, {room.texts.date(case.opened_at)}")
        choices.append(for_case(case.id, "open", f"{number}. {name}"[:24]))
    if len(cases) > SHOWN_CASES:
        lines.append(room.texts("cases.more", more=len(cases) - SHOWN_CASES))
    return View(
        title=room.texts("cases.title", count=len(cases)),
        text="\n".join(lines),
        choices=tuple(choices),
    )


def _ledger(room: Room, _args: str) -> View:
    """Show the balance of every account; all wallets are one line."""
    lines = [
        f"{account}: {room.texts.money(balance)}"
        for account, balance in room.books.ledger.balances()
        if balance
    ]
    return View(
        title=room.texts("ledger.title"),
        text="\n".join(lines) or room.texts("ledger.empty"),
    )
