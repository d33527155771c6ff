"""What the owner brings into the shop's accounts or takes out, entered after a second look."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Finish, Goto, Outcome, StepId, View
from shop import entries, ledger
from shop.money import NotAnAmount, read_typed_rupiah
from shop.text import visible
from shop.time import MINUTE, Millis

CONFIRM_WITHIN: Millis = 2 * MINUTE
UNDO_WITHIN: Millis = 10 * MINUTE  # later, the opposite is entered, and looked at twice
_LONGEST_NOTE = 100
_ENTRY = re.compile(
    r"(?P<account>[a-z]+(?::[A-Za-z0-9_-]+)?)\s+(?P<sign>[+-])\s*(?P<amount>\S+)\s*(?P<note>.*)"
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
    for slug in room.face.dropshippers:
        own[f"profit:{slug}"] = ledger.profit(slug)
    return own


def _account(room: Room, word: str) -> str | None:
    """Return the account that a word means: one of the shop's, or the wallet of a customer."""
    customer = ":" in word and bool(room.books.orders.recent_of(word, 1))
    return accounts(room).get(word) or (ledger.wallet(word) if customer else None)


def _customer(account: str) -> str:
    """Return whose wallet an account is; empty: it is none."""
    prefix = ledger.wallet("")
    return account.removeprefix(prefix) if account.startswith(prefix) else ""


def read_entry(room: Room, args: str) -> Wanted | None:
    """Understand ``zultopup +500rb a note``; ``None``: it is not to be understood."""
    found = _ENTRY.fullmatch(args.strip())
    account = _account(room, found["account"]) if found else None
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
        balance = _balance(room, draft.find)
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
        if _customer(draft.find) and _balance(room, draft.find) + draft.price < 0:
            return Finish(View(text=room.texts("entry.overdrawn")))
        key = f"{entries.OWN_ENTRY}{room.address}:{room.screen}"
        _post(room, draft, key)
        undo = Choice("undo", room.texts("entry.undo"), data=f"p:urung:{key}")
        amount = room.texts.money(draft.price)
        done = room.texts("entry.done", account=draft.find, amount=amount)
        return Finish(View(text=done, choices=(undo,)))


def _balance(room: Room, account: str) -> int:
    """Return what an account holds, as its owner sees it: a wallet's credit is a plus."""
    customer = _customer(account)
    ledger_of = room.books.ledger
    return ledger_of.credit_of(customer) if customer else ledger_of.balance(account)


def _post(room: Room, draft: Draft, key: str) -> None:
    books, customer, said = room.books, _customer(draft.find), {"reason": draft.item}
    if customer:
        entries.credit(books, customer, draft.price, key, room.now, actor=room.address, **said)
    else:
        entries.post_own(books, draft.find, draft.price, key, room.now, actor=room.address, **said)


def undo(room: Room, key: str) -> View:
    """Take an own entry back: by a new one that corrects it, once."""
    posted_at = room.books.ledger.posted_at(key)
    if posted_at is None or not 0 <= room.now - posted_at <= UNDO_WITHIN:
        return View(text=room.texts("entry.cannot_undo"))
    given = room.books.ledger.amounts_of(key)
    spent = any(
        customer and room.books.ledger.credit_of(customer) < -amount
        for account, amount in given.items()
        if (customer := _customer(account))
    )
    if spent:
        return View(text=room.texts("entry.overdrawn"))
    corrected = entries.correct(room.books, key, room.address, room.now)
    return View(text=room.texts("entry.undone" if corrected else "entry.cannot_undo"))
