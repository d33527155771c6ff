"""What a person sees and does, in words no channel owns."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

MOST_DATA_BYTES = 64  # of what a button carries (Telegram Bot API, InlineKeyboardButton)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing a person may pick. ``data`` is what its button carries, set by the engine."""

    id: str
    label: str
    hint: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One message: a title, a text, perhaps a picture, something to copy, choices."""

    text: str
    title: str = ""
    choices: tuple[Choice, ...] = ()
    image: bytes | None = None
    file: str = ""  # a picture that this channel keeps, by the channel's own name for it
    copy: str = ""
    link: str = ""


class StepId(StrEnum):
    """The questions, by name. Stored in sessions: rename only with a migration."""

    GAME = "game"
    ITEM = "item"
    ACCOUNT = "account"
    SERVER = "server"
    FIELD = "field"
    CHECK = "check"
    CONFIRM = "confirm"
    CREDIT = "credit"
    CREDIT_METHOD = "credit_method"
    CASH = "cash"
    PAYOUT = "payout"
    ENTRY = "entry"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Picked:
    """A button of the conversation was pressed; ``screen``: of which showing."""

    choice: str
    screen: int


@dataclass(frozen=True, slots=True)
class Acted:
    """A button of an ``order``, a ``case`` or the ``person`` was pressed; these work for ever."""

    about: str
    id: str
    action: str


@dataclass(frozen=True, slots=True)
class Typed:
    """Something was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Started:
    """/start, perhaps with the payload of a link. ``typed``: those words, if they may be none."""

    payload: str = ""
    typed: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Command:
    """/name args."""

    name: str
    args: str = ""


class What(StrEnum):
    """What else can be sent into a chat."""

    PICTURE = "picture"
    OTHER = "other"  # stickers, voices, contacts, places, ...


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that is not text was sent."""

    what: What
    file: str = ""  # by the channel's own name for it


Incoming: TypeAlias = Picked | Acted | Typed | Started | Command | Shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the customer has told us so far. ``price``: as last shown, whole rupiah.

    ``good``: the key of an item; before there were any, ``supplier`` and ``sku`` of an offer.
    ``fields``: answers to a supplier's own form, as a JSON list, where it is asked field by field.
    ``order``: the one that the question is about; ``until``: when the answer comes too late.
    ``player``: what is known of whose account it is (``shop.players.Found``), and ``nickname``.
    ``absent``: an account that the customer was told nobody has; ``elsewhere``: one that is
    registered in another region, and meant all the same.
    """

    game: str = ""
    find: str = ""
    good: str = ""
    supplier: str = ""
    sku: str = ""
    item: str = ""
    user_id: str = ""
    server: str = ""
    fields: str = ""
    price: int = 0
    order: str = ""
    until: int = 0
    player: str = ""
    nickname: str = ""
    absent: str = ""
    elsewhere: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Where one person stands. ``screen`` grows by one each time a question is shown."""

    language: str = ""  # empty: has not chosen one
    step: StepId | None = None
    screen: int = 0
    page: int = 0
    draft: Draft = field(default_factory=Draft)
    last_input: str = ""
    touched_at: int = 0


@dataclass(frozen=True, slots=True)
class Goto:
    """Answer taken; ask this next, perhaps saying something first."""

    step: StepId
    draft: Draft
    because: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """The answer will not do; say why and ask once more."""

    because: str
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The conversation is over; say this last, unless the order speaks for itself."""

    view: View | None = None


Outcome: TypeAlias = Goto | Again | Finish


def for_order(order_id: str, action: str, label: str) -> Choice:
    """Return a button that belongs to an order for ever."""
    return Choice(action, label, data=f"o:{order_id}:{action}")


def for_case(case_id: str, action: str, label: str) -> Choice:
    """Return a button that belongs to a case for ever."""
    return Choice(action, label, data=f"c:{case_id}:{action}")


def on_screen(view: View, screen: int) -> View:
    """Return ``view`` with its own choices bound to ``screen``."""
    bound = (c if c.data else replace(c, data=f"s:{screen}:{c.id}") for c in view.choices)
    return replace(view, choices=tuple(bound))


_ABOUT = {"o": "order", "c": "case", "p": "person"}


def read_button(data: str) -> Incoming:
    """Understand what a button carried. Made-up data is a button of no screen: an old one."""
    kind, _, rest = data.partition(":")
    first, _, last = rest.partition(":")
    if kind in _ABOUT:
        return Acted(_ABOUT[kind], first, last)
    if kind == "s" and first.isascii() and first.isdigit() and len(first) < 10:
        return Picked(last, int(first))
    return Picked("", -1)


# Words that do what a command does, for channels and people without one.
_WORDS = {
    "menu": "start", "start": "start", "mulai": "start", "halo": "start", "hai": "start",
    "hi": "start", "hello": "start", "batal": "batal", "cancel": "batal", "riwayat": "riwayat",
    "history": "riwayat", "bantuan": "bantuan", "help": "bantuan", "bahasa": "bahasa",
    "language": "bahasa", "pesan": "pesan", "order": "pesan", "status": "status",
    "saldo": "saldo", "kasus": "kasus", "buku": "buku", "akun": "akun", "accounts": "akun",
}  # fmt: skip
_SAME = {
    "order": "pesan", "menu": "pesan", "history": "riwayat", "balance": "saldo", "cases": "kasus",
    "ledger": "buku", "topup": "isi", "withdraw": "tarik", "language": "bahasa",
    "help": "bantuan", "cancel": "batal", "mulai": "start", "route": "rute", "match": "cocok",
    "price": "harga", "prices": "harga",
    "accounts": "akun", "lists": "daftar", "link": "tautan",
}  # fmt: skip

# What a link does where a channel has none: "mulai mobile-legends_diamond_86".
_OPENING = frozenset({"mulai", "start", "beli", "buy"})


def read_text(text: str) -> Incoming:
    """Understand what was typed: a command, a word that does the same, or an answer."""
    text = text.strip()
    if text.startswith("/"):
        first, *args = text.split(maxsplit=1)
        name = first[1:].partition("@")[0].lower()
        return _command(_SAME.get(name, name), "".join(args))
    word = _WORDS.get(text.lower())
    if word is not None:
        return _command(word, "")
    first, _, rest = text.partition(" ")
    return Started(rest.strip(), text) if first.lower() in _OPENING and rest else Typed(text)


def _command(name: str, args: str) -> Incoming:
    return Started(args) if name == "start" else Command(name, args)
