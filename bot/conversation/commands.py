"""What customers can ask for at any time."""

from collections.abc import Callable, Mapping

from bot.conversation import accounts
from bot.conversation.notices import order_view, status_word
from bot.conversation.room import Room
from bot.conversation.views import Choice, View, for_order
from shop import ledger
from shop.ordering import is_payable
from shop.orders import Status

SHOWN_ORDERS = 5
SHOWN_LINES = 5
# Names as typed, per language, in the order of the menu; the text ids say what each does.
MENU: Mapping[str, Mapping[str, str]] = {
    "id": {
        "pesan": "menu.order",
        "riwayat": "menu.history",
        "status": "menu.status",
        "saldo": "menu.wallet",
        "akun": "menu.accounts",
        "bahasa": "menu.language",
        "bantuan": "menu.help",
        "batal": "menu.cancel",
    },
    "en": {
        "order": "menu.order",
        "history": "menu.history",
        "status": "menu.status",
        "balance": "menu.wallet",
        "accounts": "menu.accounts",
        "language": "menu.language",
        "help": "menu.help",
        "cancel": "menu.cancel",
    },
}


def answer(room: Room, name: str, args: str) -> View | None:
    """Answer a customer's command; ``None`` if there is no such command."""
    do = _COMMANDS.get(name)
    return None if do is None else do(room, args)


def cancelled(room: Room) -> View:
    """Say that the conversation is over; an open QR is cancelled by a button of its own."""
    waiting = room.books.orders.open_of(room.address, room.now)
    choices = tuple(
        for_order(order.id, "cancel", room.texts("button.cancel_order", order=order.id))
        for order in waiting
    )
    text = room.texts("conversation.cancelled")
    if waiting:
        text = f"{text}\n{room.texts('conversation.still_open', count=len(waiting))}"
    return View(text=text, choices=choices)


def languages(room: Room) -> View:
    """Offer the languages, each in its own words."""
    return View(
        text=room.texts("language.ask"),
        choices=(
            Choice("id", "Bahasa Indonesia", data="p:bahasa:id"),
            Choice("en", "English", data="p:bahasa:en"),
        ),
    )


def _history(room: Room, args: str) -> View:
    page = _page(args)
    before = (page - 1) * SHOWN_ORDERS
    found = room.books.orders.recent_of(room.address, SHOWN_ORDERS + 1, before)
    if not found and page > 1:
        return _history(room, "")
    if not found:
        return View(title=room.texts("history.title"), text=room.texts("history.empty"))
    lines = []
    for order in found[:SHOWN_ORDERS]:
        lines.append(f"{room.texts.date(order.created_at)} · {order.id}")
        account = room.account(order)
        lines.append(f"{order.item} → {account}" if account else order.item)
        lines.append(f"{room.texts.money(order.price)} · {status_word(order, room)}")
        lines.append(f"SN: {order.serial}\n" if order.serial else "")
    choices = [for_order(o.id, "show", o.id) for o in found[:SHOWN_ORDERS]]
    if len(found) > SHOWN_ORDERS:
        older = room.texts("history.older")
        choices.append(Choice("older", older, data=f"p:riwayat:{page + 1}"))
    return View(
        title=room.texts("history.title"), text="\n".join(lines).strip(), choices=tuple(choices)
    )


def _status(room: Room, args: str) -> View:
    if not args:
        return _history(room, "")
    order = room.own_order(args.strip().upper())
    return View(text=room.texts("order.unknown")) if order is None else order_view(order, room)


def _help(room: Room, _args: str) -> View:
    return View(
        title=room.face.name,
        text=room.texts("help", support=room.face.support or room.face.name),
    )


def _balance(room: Room, args: str) -> View:
    """Show a person's store credit, what came of it, and what still waits to be paid."""
    credit, methods = room.credit(), room.credit_methods()
    lines = _wallet_lines(room, _page(args))
    if not (credit or methods or lines):
        return _waiting(room, room.texts("balance.customer"), ())
    choices = []
    if methods:
        choices.append(Choice("isi", room.texts("button.top_up"), data="p:isi:"))
    if credit:
        choices.append(Choice("tarik", room.texts("button.cash"), data="p:tarik:"))
    if len(lines) > SHOWN_LINES:
        older = f"p:saldo:{_page(args) + 1}"
        choices.append(Choice("older", room.texts("history.older"), data=older))
    text = room.texts("wallet.is", credit=room.texts.money(credit))
    return _waiting(room, "\n".join([text, *lines[:SHOWN_LINES]]), tuple(choices))


def _wallet_lines(room: Room, page: int) -> list[str]:
    found = room.books.ledger.lines(
        ledger.wallet(room.address), SHOWN_LINES + 1, (page - 1) * SHOWN_LINES
    )
    return [
        f"{room.texts.date(line.at)} · {'+' if line.amount < 0 else ''}"
        f"{room.texts.money(-line.amount)} · {line.order_id}"
        for line in found
    ]


def _waiting(room: Room, text: str, choices: tuple[Choice, ...]) -> View:
    waiting = room.books.orders.open_of(room.address, room.now)
    payable = [
        o for o in waiting if o.status is Status.AWAITING_PAYMENT and is_payable(o, room.now)
    ]
    if payable:
        text = f"{text}\n{room.texts('balance.waiting')}"
    shown = (for_order(order.id, "show", order.id) for order in payable)
    return View(text=text, choices=(*choices, *shown))


def _page(args: str) -> int:
    return max(int(args), 1) if args.isascii() and args.isdigit() and len(args) < 5 else 1


_COMMANDS: Mapping[str, Callable[[Room, str], View]] = {
    "riwayat": _history,
    "status": _status,
    "bantuan": _help,
    "saldo": _balance,
    accounts.COMMAND: accounts.command,
}
