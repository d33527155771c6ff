"""What the shop asks of a supplier.

The shop owns this vocabulary; ``providers/`` speaks it. Nothing here does I/O.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from shop.time import Millis


class SupplierError(Exception):
    """Base of everything a supplier adapter may raise on purpose. Its text holds no secret."""


class NotSent(SupplierError):
    """The request never left this machine: trying again is safe."""


class OutcomeUnknown(SupplierError):
    """The request may have been carried out: only questions may follow.

    ``accepted``: it certainly was, but not as asked for; the owner must look.
    """

    def __init__(self, text: str = "", *, accepted: bool = False) -> None:
        super().__init__(text)
        self.accepted = accepted


class Refused(SupplierError):
    """The supplier said no, and did nothing. Another try would hear the same."""


class Misconfigured(Refused):
    """The supplier does not accept who we are: the owner must look at the settings."""


class NotSold(Refused):
    """The supplier does not sell this item (any more): take it off the shelf."""


class OutOfBalance(Refused):
    """Our balance at the supplier does not cover the item: the owner must add to it."""


class WrongAccount(Refused):
    """There is no such account, or it may not have this item: only its owner can mend that.

    ``nickname`` (foreign text), ``region`` of the account and ``wanted``, the one that the item is
    for, are empty where the supplier does not say.
    """

    def __init__(
        self, text: str = "", *, nickname: str = "", region: str = "", wanted: str = ""
    ) -> None:
        super().__init__(text)
        self.nickname = nickname
        self.region = region
        self.wanted = wanted


class Unavailable(SupplierError):
    """A question had no usable answer: ask again later. Nothing has changed.

    ``busy``: we ask too often for the supplier's liking. ``answered``: it did answer, and of
    something else.
    """

    def __init__(self, text: str = "", *, busy: bool = False, answered: bool = False) -> None:
        super().__init__(text)
        self.busy = busy
        self.answered = answered


class Why(StrEnum):
    """Why nothing of a supplier is sold for now. Stored: rename only with a migration."""

    SILENT = "silent"  # it gives no answers
    KEY = "key"  # it does not accept who we are
    BALANCE = "balance"  # ours there does not cover what it should buy


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is amiss with a supplier. ``needs``: what our balance must exceed; whole rupiah."""

    misses: int = 0  # questions in a row that had no answer
    away_since: Millis | None = None
    why: Why | None = None
    needs: int = 0


NO_TROUBLE = Trouble()


class InvoiceState(StrEnum):
    """What a supplier says of an invoice its customer pays (dropship)."""

    UNPAID = "unpaid"
    SETTLED = "settled"  # paid, not yet delivered
    DELIVERED = "delivered"
    FAILED = "failed"  # paid, and not delivered
    EXPIRED = "expired"
    UNCLEAR = "unclear"  # the order failed, and nothing is said about the money
    UNREADABLE = "unreadable"  # a word nobody has explained: no reason to move


@dataclass(frozen=True, slots=True, kw_only=True)
class FormOption:
    """One choice of a field: people read ``name``, the supplier wants ``code``."""

    name: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field that a supplier wants filled in; without ``options`` it is typed."""

    key: str
    label: str
    options: tuple[FormOption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One row of a supplier's price list."""

    sku: str
    category: str
    name: str
    price: int  # whole rupiah
    available: bool
    form: tuple[FormField, ...] = ()  # what it asks of the buyer; empty: what the game asks
    has_server: bool | None = None  # whether its game has servers; None: the supplier does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A supplier's list as read, and how many rows made no sense."""

    listings: Sequence[Listing]
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRequest:
    """Ask the supplier for a QR that its customer pays, and that orders the item when paid."""

    ref: str  # ours; for logs and journals, where the supplier takes no reference
    sku: str
    target: str
    price: int  # what the customer pays, in whole rupiah


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What the supplier opened. Money in whole rupiah."""

    supplier_ref: str  # the supplier's own id: the only way to ask about it
    number: str
    amount: int  # what the customer must pay, to the rupiah
    cost: int  # what the supplier keeps of it
    qr: str  # address of a picture, or the QRIS text itself
    link: str  # a page to pay on, if the QR cannot be shown
    expires_at: Millis | None  # None: the supplier did not say, or not readably


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReport:
    """A supplier's answer about one invoice. ``amount``: what arrived, if it says; whole rupiah."""

    state: InvoiceState
    amount: int | None = None
    serial: str = ""  # proof of delivery, may be shown to the customer
    words: str = ""  # the status words it was read from
    strange: bool = False  # one of them is in no document: the owner should hear of it
    note: str = ""  # all the supplier said: for the owner only


@dataclass(frozen=True, slots=True, kw_only=True)
class TopupRequest:
    """Buy one item from our balance at the supplier. ``ref`` is ours, and never used again."""

    ref: str
    sku: str
    user_id: str
    server: str
    target: str  # both, as this supplier wants them written; of a form: a JSON object by its keys


class TopupState(StrEnum):
    """What a supplier says of an order paid from our balance there."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARTIAL = "partial"  # a part arrived: a person decides
    FAILED = "failed"
    MISSING = "missing"  # the supplier has not heard of it yet: proves nothing
    UNREADABLE = "unreadable"  # a word nobody has explained: no reason to move


@dataclass(frozen=True, slots=True, kw_only=True)
class TopupReport:
    """A supplier's answer about one order paid from our balance. Money in whole rupiah.

    ``nickname`` (foreign text) and ``region`` of the account: empty where it does not say.
    """

    state: TopupState
    supplier_ref: str = ""  # the supplier's own id, where it told one
    cost: int | None = None  # what it took from our balance, if it says
    returned: bool = False  # failed, and our balance certainly has the money back
    serial: str = ""  # proof of delivery, may be shown to the customer
    words: str = ""  # the status words it was read from
    strange: bool = False  # one of them is in no document: the owner should hear of it
    note: str = ""  # all the supplier said: for the owner only
    nickname: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """Ask about one order paid from our balance: by our reference, or by the supplier's id.

    ``repeat``: what was ordered, if the order may be sent once more as a question, which only a
    supplier does whose ``repeats_are_questions``.
    """

    ref: str
    supplier_ref: str = ""
    repeat: TopupRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a supplier can do, as far as the use cases must know."""

    counts_calls: bool = False  # ``shop.calls`` keeps within 60 a minute
    knows_our_ref: bool = False
    repeats_are_questions: bool = False
    tells_balance: bool = False
    tells_prices: bool = False
    calls_back: bool = False  # it tells us by itself how an order went
    dropships: bool = False  # customers can pay it for its goods


NO_ABILITIES = Abilities()


class Supplier(ABC):
    """One upstream seller. ``slug`` is also the module name and the prefix of its settings."""

    slug: ClassVar[str]
    title: ClassVar[str]
    counts_calls: ClassVar[bool]  # 60 a minute and key; ``shop.calls`` keeps within it
    knows_our_ref: ClassVar[bool]  # whether ``status`` can find an order by it
    list_is_local: ClassVar[bool] = False  # its price list is a file of ours, and proves no life
    repeats_are_questions: ClassVar[bool] = False  # the same reference again orders nothing new

    @property
    def target_format(self) -> str:
        """How ``{user_id}`` and ``{server_id}`` are written as one; empty: nobody knows how."""
        return "{user_id}|{server_id}"

    @abstractmethod
    async def price_list(self) -> PriceList:
        """Return what is sold now. Raise ``Unavailable`` or ``Misconfigured``."""

    @abstractmethod
    async def topup(self, request: TopupRequest) -> TopupReport:
        """Buy it once. Raise ``NotSent``, ``Refused`` or ``OutcomeUnknown``; never retry here."""

    @abstractmethod
    async def status(self, request: StatusRequest) -> TopupReport:
        """Ask about an order. Raise ``Unavailable`` or ``Misconfigured``; nothing moves then."""


class TellsBalance(ABC):
    """A supplier that says what our deposit there is."""

    @abstractmethod
    async def balance(self) -> int:
        """Return our deposit there, in whole rupiah. Raise ``Unavailable`` or ``Misconfigured``."""


class TellsPrices(ABC):
    """A supplier that can be asked for one item of its list."""

    @abstractmethod
    async def listing(self, sku: str) -> Listing:
        """Return one item as listed now. Raise ``NotSold``, ``Unavailable`` or ``Misconfigured``.

        ``available`` is false of an item that is listed, and not sold at the moment.
        """


class ChecksNicknames(ABC):
    """A supplier that knows what some games' players call themselves."""

    nickname_games: ClassVar[frozenset[str]]  # slugs of our games

    @abstractmethod
    async def nickname(self, game: str, user_id: str, server: str) -> str | None:
        """Return a player's name, foreign text; ``None``: there is certainly no such player.

        Raise ``Unavailable`` or ``Misconfigured``: nobody can say.
        """


class ChecksConnections(ABC):
    """A supplier that tells which of the engines behind it work."""

    @abstractmethod
    async def connections(self) -> Mapping[str, bool]:
        """Return for each engine whether it works. Raise ``Unavailable`` or ``Misconfigured``."""


class Dropships(ABC):
    """A supplier that lets our customer pay: the invoice is the order."""

    @property
    @abstractmethod
    def surcharge_bp(self) -> int:
        """What it is expected to cost over the listed price, in hundredths of a percent."""

    @abstractmethod
    async def open_invoice(self, request: InvoiceRequest) -> Invoice:
        """Ask once. Raise ``NotSent``, ``Refused`` or ``OutcomeUnknown``; never retry here."""

    @abstractmethod
    async def invoice_report(self, supplier_ref: str) -> InvoiceReport:
        """Ask about an invoice. Raise ``Unavailable`` or ``Misconfigured``; nothing moves then."""


class TakesDeposits(ABC):
    """A supplier whose deposits anybody can pay: the money becomes our balance there."""

    @abstractmethod
    async def open_deposit(self, ref: str, amount: int) -> Invoice:
        """Ask once for a QR over ``amount`` rupiah; ``ref`` is ours, for logs and journals.

        Raise ``NotSent``, ``Refused`` or ``OutcomeUnknown``; never retry here.
        """

    @abstractmethod
    async def deposit_report(self, supplier_ref: str) -> InvoiceReport:
        """Ask about a deposit. Raise ``Unavailable`` or ``Misconfigured``; nothing moves then."""

    @abstractmethod
    async def deposit_history(self) -> Mapping[str, InvoiceReport]:
        """Return every deposit there is word of, by the supplier's id; ones missing prove nothing.

        Raise ``Unavailable`` or ``Misconfigured``.
        """
