"""QRIS payload texts: read, checked and drawn (EMVCo Merchant-Presented Mode).

Two digits of tag, two of length, the value; and so on. Field 63 comes last and is a checksum over
everything before its own value, ``6304`` included.
"""

import binascii
import io
import re

import qrcode  # type: ignore[import-untyped]  # it ships no types

QRIS_START = "000201"
_LONGEST = 512  # EMVCo Merchant-Presented Mode
_PIXELS_PER_MODULE = 12  # the smallest code, 21 modules and the border, is then 348 px wide
_FIELD = re.compile(r"([0-9]{2})([0-9]{2})", re.ASCII)


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


def qris_png(payload: str) -> bytes:
    """A PNG of the QR code that spells ``payload``: level M, a border of four, black on white.

    Raises:
        ValueError: ``qris_fields`` would refuse ``payload``.
    """
    qris_fields(payload)
    code = qrcode.QRCode(
        error_correction=qrcode.ERROR_CORRECT_M, box_size=_PIXELS_PER_MODULE, border=4
    )
    code.add_data(payload)
    png = io.BytesIO()
    code.make_image().get_image().convert("RGB").save(png, "PNG")  # WhatsApp takes no 1-bit PNG
    return png.getvalue()
