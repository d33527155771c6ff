"""QRIS payload texts, drawn as QR codes. What they say is read in ``shop.qris``."""

import io

import qrcode  # type: ignore[import-untyped]  # it ships no types

from shop.qris import qris_fields

_PIXELS_PER_MODULE = 12  # the smallest code, 21 modules and the border, is then 348 px wide


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
