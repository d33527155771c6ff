"""What an owner writes after /harga: of what, and what is to become of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from shop.money import NotAnAmount, read_typed_rupiah
from shop.pricing import Part
from shop.text import plain

MOST_BP: Final = 10_000  # a hundred percent
MOST_STEP: Final = 100_000  # rupiah to round to
MOST_AMOUNT: Final = 100_000_000  # rupiah; far above the dearest item there is
_PERCENT = re.compile(r"([0-9]{1,4})(?:[.,]([0-9]{1,2}))? ?%?")
_PAGE = re.compile(r"(?:(.*) )?(?:hal|halaman|page) ([0-9]{1,4})", re.IGNORECASE)
_UNDO = re.compile(r"(?:urung|undo) ([0-9a-f]{8})")
_PARTS: Mapping[str, Part] = MappingProxyType(
    {
        **dict.fromkeys(("persen", "percent"), Part.PERCENT),
        **dict.fromkeys(("min", "minimal", "minimum"), Part.LEAST),
        **dict.fromkeys(("bulat", "pembulatan", "round"), Part.STEP),
        **dict.fromkeys(("lantai", "floor"), Part.FLOOR),
        **dict.fromkeys(("=", "harga", "price"), Part.PRICE),
    }
)
_TAKE_BACK = frozenset({"hapus", "reset"})


class Unclear(StrEnum):
    """Why a change cannot be understood, or is not meant."""

    HALF = "half"  # a value is missing, or there is too much
    PERCENT = "percent"
    STEP = "step"
    AMOUNT = "amount"
    NOUGHT = "nought"  # goods are not given away


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Show the prices of what ``where`` means."""

    where: str
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Let a part be ``value`` for what ``where`` means, or as the wider scope has it (``None``).

    Without a part: let everything be as the wider scope has it.
    """

    where: str
    part: Part | None = None
    value: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Take the decision back that is marked so."""

    mark: str


Asked: TypeAlias = Look | Wanted | Undo | Unclear


def read(args: str) -> Asked:
    """Understand ``ml 86``, ``ml persen 7``, ``ml 86 = 20rb``, ``ml hapus``, ``ml hal 2``."""
    text = plain(args)
    if found := _UNDO.fullmatch(text):
        return Undo(mark=found[1])
    if found := _PAGE.fullmatch(text):
        return Look(where=found[1] or "", page=int(found[2]))
    words = text.replace("=", " = ").split()
    at = next((n for n, word in enumerate(words) if _is_a_change(word)), None)
    if at is None:
        return Look(where=text)
    where, word, rest = " ".join(words[:at]), words[at].lower(), words[at + 1 :]
    if word in _TAKE_BACK:
        return Unclear.HALF if rest else Wanted(where=where)
    return _wanted(where, _PARTS[word], rest)


def _is_a_change(word: str) -> bool:
    return word.lower() in _PARTS or word.lower() in _TAKE_BACK


def _wanted(where: str, part: Part, rest: Sequence[str]) -> Wanted | Unclear:
    typed = " ".join(rest).removeprefix("= ").lower()
    if not typed:
        return Unclear.HALF
    if typed in _TAKE_BACK:
        return Wanted(where=where, part=part)
    value = _percent(typed) if part is Part.PERCENT else _rupiah(part, typed)
    return value if isinstance(value, Unclear) else Wanted(where=where, part=part, value=value)


def _percent(typed: str) -> int | Unclear:
    """Return basis points."""
    found = _PERCENT.fullmatch(typed)
    points = int(found[1] + (found[2] or "").ljust(2, "0")) if found else MOST_BP + 1
    return points if points <= MOST_BP else Unclear.PERCENT


def _rupiah(part: Part, typed: str) -> int | Unclear:
    is_step = part is Part.STEP
    try:
        amount = read_typed_rupiah(typed)
    except NotAnAmount:
        return Unclear.STEP if is_step else Unclear.AMOUNT
    if is_step:
        return amount if 1 <= amount <= MOST_STEP else Unclear.STEP
    if part is Part.PRICE and not amount:
        return Unclear.NOUGHT
    return amount if amount <= MOST_AMOUNT else Unclear.AMOUNT
