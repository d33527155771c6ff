"""What suppliers tell us by themselves: received bytes, whose they are, and what they say.

The shop owns this vocabulary; ``providers/`` speaks it. Nothing here does I/O.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from shop.suppliers import TopupReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One request as it came. Headers and address are known only while it is being proved.

    ``headers``: names in lower case; one that came twice is left out, as if it were missing.
    ``query``: as it stands in the address, without the question mark.
    """

    method: str
    query: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    remote: str = ""  # the address it came from, behind proxies that we trust


class Trust(StrEnum):
    """What a callback proves. Stored: rename only with a migration."""

    NONE = "none"  # it is not theirs: refused
    HINT = "hint"  # it may be theirs: a reason to ask, and nothing else
    PROOF = "proof"  # signed over the very bytes: its word is theirs


class Nonsense(Exception):
    """A callback that is theirs and cannot be understood; its text is for the log, and short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a callback says of one order: named by our reference, else by the supplier's id.

    Of a hint the ``report`` is never believed: the supplier is asked.
    """

    ref: str = ""
    supplier_ref: str = ""
    report: TopupReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """A callback says that an item costs something else now: a reason to ask. Whole rupiah."""

    sku: str
    price: int


News: TypeAlias = Told | Repriced


class CallsBack(ABC):
    """A supplier that tells us by itself how an order went."""

    callback_methods: ClassVar[tuple[str, ...]] = ("POST",)

    @abstractmethod
    def verify(self, callback: Callback) -> Trust:
        """Tell what a callback proves, before anything in it is read; constant time, no raising."""

    @abstractmethod
    def parse(self, callback: Callback) -> Sequence[News]:
        """Return what a proved callback says. Raise ``Nonsense``. Headers are not needed."""

    def thanks(self, callback: Callback) -> str:
        """Return what the supplier expects to hear, as JSON text, once a callback is stored."""
        return '{"success":true}'

    def regrets(self, why: str) -> str:
        """Return what the supplier expects to hear, as JSON text, if a callback is refused."""
        return '{"success":false}'
