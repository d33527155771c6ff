"""QRIS payload texts: read, checked and given an amount (EMVCo Merchant-Presented Mode).

Two digits of tag, two of length, the value; and so on. Field 63 comes last and is a checksum over
everything before its own value, ``6304`` included.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from typing import Final

QRIS_START: Final = "000201"
MOST_PER_PAYMENT: Final = 10_000_000  # rupiah; Bank Indonesia's limit of one QRIS payment
_LONGEST: Final = 512  # EMVCo Merchant-Presented Mode
_LONGEST_AMOUNT: Final = len("5408") + len(str(MOST_PER_PAYMENT))
_FIELD: Final = re.compile(r"([0-9]{2})([0-9]{2})", re.ASCII)


class NotStatic(ValueError):
    """This QRIS takes no amount. The text ends a sentence: why, and what to do.

    It repeats nothing of the payload, which names the merchant's account.
    """


def tlv(text: str) -> list[tuple[str, str]]:
    """The (tag, value) pairs of an EMVCo text, in order; ``ValueError`` if it is not one.

    A template's value stays text and can be given to this function again.
    """
    fields: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        head = _FIELD.match(text, at)
        if head is None:
            raise ValueError("no tag and length where a field should start")
        at = head.end() + int(head[2])
        if at > len(text):
            raise ValueError("the last field is cut short")
        fields.append((head[1], text[head.end() : at]))
    return fields


def crc16(text: str) -> str:
    """The value of field 63 for a payload up to and including ``6304`` (CRC-16/CCITT-FALSE)."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def qris_fields(text: str) -> list[tuple[str, str]]:
    """The (tag, value) pairs of a whole QRIS payload whose checksum, the last pair, is right.

    Raises:
        ValueError: it is no such payload, or says something twice (two readers could differ).
    """
    if len(text) > _LONGEST or not (text.isascii() and text.isprintable()):
        raise ValueError("too long, or not plain text")
    fields = tlv(text)
    if not text.startswith(QRIS_START) or fields[-1] != ("63", crc16(text[:-4])):
        raise ValueError("no payload, or its checksum is wrong")
    if len(dict(fields)) != len(fields):
        raise ValueError("a field occurs twice")
    return fields


_COPY: Final = "copy its text once more, from 000201 to the four characters after 6304"
_ASK: Final = "ask your bank or payment provider for a static one"

_Flaws = tuple[tuple[Callable[[Mapping[str, str]], bool], str], ...]
_FLAWS: Final[_Flaws] = (
    (lambda said: said.get("01") != "11", "is not static: it was made for one payment"),
    (lambda said: "54" in said, "names an amount of its own"),
    (
        lambda said: not {"55", "56", "57"}.isdisjoint(said),
        "adds a tip or a fee, so that the amount would not be ours alone",
    ),
    (lambda said: said.get("53") != "360", "is not in rupiah"),
    (lambda said: said.get("58") != "ID", "is not from Indonesia"),
    (lambda said: not any("26" <= tag <= "51" for tag in said), "names no merchant account"),
    (
        lambda said: not (said.get("59", "").strip() and said.get("60", "").strip()),
        "does not name the merchant and the city",
    ),
)


def static_qris(text: str) -> str:
    """Return the payload, without blanks around it, of a merchant's QRIS that takes an amount.

    Raises:
        NotStatic: it is not whole, not static, not in rupiah, or has no room for an amount.
    """
    payload = text.strip()
    said = _whole(payload)
    for flawed, why in _FLAWS:
        if flawed(said):
            raise NotStatic(f"{why}; {_ASK}")
    return payload


def _whole(payload: str) -> Mapping[str, str]:
    if not (payload.isascii() and payload.isprintable()):
        raise NotStatic(f"has characters in it that no QRIS has; {_COPY}")
    try:
        fields = tlv(payload)
    except ValueError:
        raise NotStatic(f"is cut, or no QRIS at all; {_COPY}") from None
    if not payload.startswith(QRIS_START):
        raise NotStatic(f"does not begin as a QRIS does; {_COPY}")
    if fields[-1] != ("63", crc16(payload[:-4])):
        raise NotStatic(f"was changed or cut: its checksum is wrong; {_COPY}")
    if len(dict(fields)) != len(fields):
        raise NotStatic(f"says something twice; {_ASK}")
    if len(payload) + _LONGEST_AMOUNT > _LONGEST:
        raise NotStatic(f"is too long to take an amount; {_ASK}")
    return dict(fields)


def with_amount(static: str, amount: int) -> str:
    """Turn a static QRIS into one that asks for ``amount`` whole rupiah, for one payment.

    All other fields stay as they are and where they are. No acquirer knows of this payment, so
    only its amount tells it from others.

    Raises:
        ValueError: ``amount`` is not from 1 to ``MOST_PER_PAYMENT``; ``NotStatic`` as above.
    """
    if not 1 <= amount <= MOST_PER_PAYMENT:
        raise ValueError("not an amount that one QRIS payment may have")
    parts = []
    for tag, value in tlv(static_qris(static))[:-1]:
        parts.append(_field(tag, "12" if tag == "01" else value))
        if tag == "53":
            parts.append(_field("54", str(amount)))
    unsealed = f"{''.join(parts)}6304"
    return unsealed + crc16(unsealed)


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"
