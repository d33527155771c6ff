"""QR codes that look like QRIS and can pay nobody: the merchant in them does not exist.

EMVCo merchant-presented text: two digits of tag, two of length, the value; tag 63 closes it with a
CRC-16/CCITT-FALSE over everything before its own value, its tag and length included.
"""

import binascii
import io
from functools import lru_cache

import qrcode  # type: ignore[import-untyped]  # it ships no types

_FAKE_ACQUIRER = (
    ("00", "ID.CO.EXAMPLE.WWW"),
    ("01", "936009990000000001"),
    ("02", "000000000000001"),
    ("03", "UMI"),
)
_FAKE_NATIONAL = (("00", "ID.CO.QRIS.WWW"), ("02", "ID1020000000001"), ("03", "UMI"))


def qris_payload(*, amount: int, reference: str) -> str:
    """Write the dynamic QRIS text that asks for ``amount`` rupiah and carries ``reference``.

    Args:
        amount: Whole rupiah, put into tag 54.
        reference: At most 25 ASCII characters, put into tag 62, field 05.
    """
    body = _fields(
        ("00", "01"),
        ("01", "12"),
        ("26", _fields(*_FAKE_ACQUIRER)),
        ("51", _fields(*_FAKE_NATIONAL)),
        ("52", "5816"),
        ("53", "360"),
        ("54", str(amount)),
        ("58", "ID"),
        ("59", "TOKO CONTOH"),
        ("60", "JAKARTA"),
        ("61", "10110"),
        ("62", _fields(("05", reference))),
    )
    unsigned = f"{body}6304"
    return f"{unsigned}{crc16(unsigned.encode('ascii')):04X}"


def crc16(data: bytes) -> int:
    """Compute CRC-16/CCITT-FALSE: polynomial 0x1021, from 0xFFFF, nothing reflected."""
    return binascii.crc_hqx(data, 0xFFFF)


@lru_cache(maxsize=256)
def qr_png(payload: str) -> bytes:
    """Draw the text as a PNG, black on white with the quiet zone that scanners want."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, box_size=6, border=4)
    code.add_data(payload)
    code.make(fit=True)
    picture = io.BytesIO()
    code.make_image().save(picture)
    return picture.getvalue()


def _fields(*fields: tuple[str, str]) -> str:
    return "".join(f"{tag}{len(value):02d}{value}" for tag, value in fields)
