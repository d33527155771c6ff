"""Whole rupiah, always ``int``."""

import re

from shop.text import plain

_PLAIN = re.compile(r"[0-9]{1,15}")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}(?:\1[0-9]{3}){0,3}")
_ZERO_CENTS = re.compile(r"([0-9]{1,15})[.,]00?")
_TYPED = re.compile(r"(0|[1-9][0-9]{0,14}|[1-9][0-9]{0,2}([.,])[0-9]{3}(?:\2[0-9]{3}){0,3})(?:,-)?")
_COUNTED = re.compile(r"(0|[1-9][0-9]{0,11})(?:[.,]([0-9]{1,2}))? ?(rb|ribu|k|jt|juta)")
_UNITS = {"k": 1_000, "rb": 1_000, "ribu": 1_000, "jt": 1_000_000, "juta": 1_000_000}
MOST = 10**15  # far above any honest price; keeps arithmetic and columns in range


class NotAnAmount(ValueError):
    """What a person typed is no amount of whole rupiah, or could be two different ones."""


def rupiah(amount: int) -> str:
    """Write an amount as people here read it: ``Rp12.000``."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp{abs(amount):,}".replace(",", ".")


def read_rupiah(value: object) -> int:
    """Return whole rupiah for what a supplier sent as a number or a string.

    Understands ``10000``, ``"10000"``, ``"10.000"``, ``"10,000"``, ``12000.0`` and ``"12000.00"``.
    Raises ``ValueError`` for everything else, ``bool``, negatives and fractions included.
    """
    match value:
        case bool():
            raise ValueError("a truth value is no amount")
        case int() if 0 <= value < MOST:
            return value
        case float() if value.is_integer() and 0 <= value < MOST:
            return int(value)
        case str():
            return _read_text(value.strip())
        case _:
            raise ValueError(f"not an amount: {type(value).__name__}")


def _read_text(text: str) -> int:
    if _PLAIN.fullmatch(text):
        return int(text)
    if _THOUSANDS.fullmatch(text):
        return int(re.sub("[.,]", "", text))
    if found := _ZERO_CENTS.fullmatch(text):
        return int(found[1])
    raise ValueError("not an amount")


def read_typed_rupiah(text: str) -> int:
    """Return whole rupiah for what a person typed, nought included; below ``MOST``.

    Understands ``10000``, ``10.000``, ``10,000``, each after ``Rp`` and before ``,-`` too, and
    ``10rb``, ``10 ribu``, ``10k``, ``1jt``, ``1,5 juta`` with at most two decimals (three could be
    thousands). Digits of any script are read.

    Raises:
        NotAnAmount: it is anything else.
    """
    typed = re.sub(r"\Arp\.? ?", "", plain(text).lower())
    if found := _TYPED.fullmatch(typed):
        return int(re.sub("[.,]", "", found[1]))
    if found := _COUNTED.fullmatch(typed):
        hundredths = int(found[1] + (found[2] or "").ljust(2, "0"))
        amount = hundredths * _UNITS[found[3]] // 100
        if amount < MOST:
            return amount
    raise NotAnAmount("not an amount of rupiah")


def ceil_div(dividend: int, divisor: int) -> int:
    """Divide and round up, without leaving ``int``."""
    return -(-dividend // divisor)
