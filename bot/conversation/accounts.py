"""The accounts that a customer has used: how they are called, `/akun`, and taking one away."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from bot.conversation.room import Room
from bot.conversation.views import Choice, View
from shop import players, recognizing
from shop.orders import Order
from shop.players import SavedAccount
from shop.time import MINUTE, Millis

COMMAND: Final = "akun"
SHOWN: Final = 5
MOST_LABEL: Final = 24
UNDONE_WITHIN: Final[Millis] = 10 * MINUTE
_CUT: Final = "…"
_SHORTEST: Final = 3  # letters of a nickname that still say something
_TAIL: Final = 6  # last characters of a user ID, which tell IDs of one person apart


# --- what an account is called on a button --------------------------------------------------------


def labels(
    room: Room, saved: Sequence[SavedAccount], most: int = MOST_LABEL
) -> Sequence[tuple[str, str]]:
    """Return for each account what its button says, and a hint with what was left out there.

    No two say the same.
    """
    taken: set[str] = set()
    found: list[tuple[str, str]] = []
    for account in saved:
        whole = room.account(account)
        label = next(each for each in _ways(account, whole, most) if each not in taken)
        taken.add(label)
        found.append((label, "" if whole in label else whole))
    return found


def _ways(account: SavedAccount, whole: str, most: int) -> Iterator[str]:
    """Return ever shorter ways to say which account it is, each of at most ``most`` characters."""
    name = account.nickname if players.keeps_direction(account.nickname) else ""
    tail = account.user_id if len(account.user_id) <= _TAIL else _CUT + account.user_id[-_TAIL:]
    for which in (whole, account.user_id, tail):
        room_for_name = most - len(which) - 3
        if name and room_for_name >= min(len(name), _SHORTEST):
            yield f"{_cut(name, room_for_name)} · {which}"
        elif not name and len(which) <= most:
            yield which
    yield from (way for way in (whole, account.user_id) if len(way) <= most)
    number = 1
    while True:  # alike to the last character that there is room for
        yield f"{number}. {_cut(whole, most - len(str(number)) - 2)}"
        number += 1


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}{_CUT}"


def most_on(count: int) -> int:
    """Return how long labels may be where so many choices are offered."""
    return 20 if count <= 3 else MOST_LABEL


# --- /akun ----------------------------------------------------------------------------------------


def command(room: Room, args: str) -> View:
    """List a person's saved accounts; forget one, or have it back for a while."""
    action, _, about = args.partition(":")
    match action:
        case "hapus":
            return _forget(room, about)
        case "urung":
            return _undo(room, about)
        case _:
            known = args.isascii() and args.isdigit() and len(args) < 5
            return _listed(room, page=max(int(args), 1) if known else 1)


def _forget(room: Room, account_id: str) -> View:
    """Forget an account at once. That there is an order for it is what brings it back."""
    books, address = room.books, room.address
    account = next((each for each in books.accounts.of(address) if each.id == account_id), None)
    if account is None:
        return _listed(room, room.texts("accounts.forgotten"))
    order_id = books.accounts.last_order(address, account)
    books.accounts.forget(address, account)
    undo = f"p:{COMMAND}:urung:{order_id}:{room.now + UNDONE_WITHIN}"
    choices = [Choice("undo", room.texts("button.undo"), data=undo)] if order_id else []
    shown = room.account(account)
    return _listed(room, room.texts("accounts.removed", account=shown), choices)


def _undo(room: Room, about: str) -> View:
    order_id, _, until = about.partition(":")
    order = room.own_order(order_id)
    if order is not None and _is_in_time(until, room.now):
        recognizing.remember(room.books, order, _nickname(room, order), room.now)
        kept = room.books.accounts.of_game(room.address, order.game)
        if recognizing.account_of(order).id in {account.id for account in kept}:
            return _listed(room, room.texts("accounts.restored"))
    return _listed(room, room.texts("accounts.gone"))


def _is_in_time(until: str, now: Millis) -> bool:
    known = until.isascii() and until.isdigit() and len(until) < 15
    return known and 0 <= int(until) - now <= UNDONE_WITHIN


def _nickname(room: Room, order: Order) -> str:
    whose = recognizing.of_order(room.books.rules, order)
    return recognizing.look(room.books, whose, room.now, asks=False).nickname


def _listed(room: Room, said: str = "", choices: Sequence[Choice] = (), *, page: int = 1) -> View:
    """Show a page of the accounts, game by game, below what was ``said`` and may be chosen."""
    saved = _by_game(room.books.accounts.of(room.address))
    shown = saved[(page - 1) * SHOWN :][:SHOWN]
    if not shown and page > 1:
        return _listed(room, said, choices)
    lines = [room.texts("accounts.list"), "", *_lines(room, shown)]
    text = "\n".join(lines) if shown else room.texts("accounts.empty")
    further = [*choices, *_paging(room, page, more=len(saved) > page * SHOWN)]
    most = most_on(len(further) + len(shown)) - len(room.texts("button.forget", account=""))
    forget = (
        Choice(
            f"forget:{account.id}",
            room.texts("button.forget", account=label),
            data=f"p:{COMMAND}:hapus:{account.id}",
        )
        for account, (label, _) in zip(shown, labels(room, shown, most), strict=True)
    )
    return View(
        title=room.texts("accounts.title"),
        text=f"{said}\n\n{text}" if said else text,
        choices=(*forget, *further),
    )


def _by_game(saved: Sequence[SavedAccount]) -> Sequence[SavedAccount]:
    """Return accounts game by game, the game that was bought last first."""
    games = list(dict.fromkeys(account.game for account in saved))
    return sorted(saved, key=lambda account: games.index(account.game))


def _lines(room: Room, shown: Sequence[SavedAccount]) -> Iterator[str]:
    """Write accounts under their games; a nickname may turn around what stands on its line."""
    for game, accounts in groupby(shown, key=lambda account: account.game):
        yield room.books.rules.game(game).title
        for account in accounts:
            yield f"• {room.account(account)}"
            yield from ([account.nickname] if account.nickname else ())


def _paging(room: Room, page: int, *, more: bool) -> Iterator[Choice]:
    if page > 1:
        yield Choice("newer", room.texts("button.previous"), data=f"p:{COMMAND}:{page - 1}")
    if more:
        yield Choice("older", room.texts("button.next"), data=f"p:{COMMAND}:{page + 1}")
