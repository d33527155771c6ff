"""What the owner brings into the shop's accounts or takes out, entered after a second look."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Finish, Goto, Outcome, StepId, View
from shop import comparing, ledger
from shop.money import NotAnAmount, read_typed_rupiah
from shop.text import visible
from shop.time import MINUTE, Millis

CONFIRM_WITHIN: Millis = 2 * MINUTE
_LONGEST_NOTE = 100
_ENTRY = re.compile(
    r"(?P<account>[a-z]+(?::[a-z]+)?)\s+(?P<sign>[+-])\s*(?P<amount>\S+)\s*(?P<note>.*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An entry as typed: ``amount`` is negative for what is taken out."""

    account: str
    amount: int
    note: str


def accounts(room: Room) -> Mapping[str, str]:
    """Return the accounts an owner may enter into, by the words for them."""
    own = {"qris": ledger.QRIS}
    for slug in room.face.suppliers:
        own[slug] = ledger.supplier(slug)
        own[f"profit:{slug}"] = ledger.profit(slug)
    return own


def read_entry(room: Room, args: str) -> Wanted | None:
    """Understand ``zultopup +500rb a note``; ``None``: it is not to be understood."""
    found = _ENTRY.fullmatch(args.strip())
    account = accounts(room).get(found["account"]) if found else None
    if found is None or account is None:
        return None
    try:
        amount = read_typed_rupiah(found["amount"])
    except NotAnAmount:
        return None
    if not amount:
        return None
    note = visible(found["note"], _LONGEST_NOTE)
    return Wanted(account=account, amount=-amount if found["sign"] == "-" else amount, note=note)


def enter(room: Room, args: str) -> View | Outcome:
    """Answer ``/catat``: show what would be entered, and ask once more."""
    wanted = read_entry(room, args)
    if wanted is None:
        names = ", ".join(accounts(room))
        return View(text=room.texts("entry.how", accounts=names))
    return Goto(
        StepId.ENTRY,
        Draft(
            find=wanted.account,
            price=wanted.amount,
            item=wanted.note,
            until=room.now + CONFIRM_WITHIN,
        ),
    )


class ConfirmEntry:
    """Is that what came in, or went out?"""

    id: ClassVar[StepId] = StepId.ENTRY
    back: ClassVar[StepId | None] = StepId.GAME
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = False

    def ask(self, room: Room, draft: Draft) -> View:
        balance = room.books.ledger.balance(draft.find)
        return View(
            title=room.texts("entry.title"),
            text=room.texts(
                "entry.ask",
                account=draft.find,
                amount=room.texts.money(draft.price),
                before=room.texts.money(balance),
                after=room.texts.money(balance + draft.price),
                note=draft.item or "-",
            ),
            choices=(Choice("yes", room.texts("entry.yes")),),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if not room.is_owner or room.now > draft.until:
            return Finish(View(text=room.texts("entry.too_late")))
        if value != "yes":
            return Again(room.texts("entry.press"))
        key = f"{comparing.OWN_ENTRY}{room.address}:{room.screen}"
        comparing.post_own(
            room.books,
            draft.find,
            draft.price,
            key,
            room.now,
            actor=room.address,
            reason=draft.item,
        )
        undo = Choice("undo", room.texts("entry.undo"), data=f"p:urung:{key}")
        amount = room.texts.money(draft.price)
        done = room.texts("entry.done", account=draft.find, amount=amount)
        return Finish(View(text=done, choices=(undo,)))


def undo(room: Room, key: str) -> View:
    """Take an own entry back: by a new one that corrects it, once."""
    corrected = comparing.correct(room.books, key, room.address, room.now)
    return View(text=room.texts("entry.undone" if corrected else "entry.cannot_undo"))
