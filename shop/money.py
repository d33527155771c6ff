"""Whole rupiah, always ``int``."""

import re

_PLAIN = re.compile(r"[0-9]{1,15}")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}(?:\1[0-9]{3}){0,3}")
_ZERO_CENTS = re.compile(r"([0-9]{1,15})[.,]00?")
MOST = 10**15  # far above any honest price; keeps arithmetic and columns in range


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


def ceil_div(dividend: int, divisor: int) -> int:
    """Divide and round up, without leaving ``int``."""
    return -(-dividend // divisor)
