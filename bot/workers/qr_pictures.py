"""Find the picture of an order's QR, or else the link to pay on."""

from collections.abc import Mapping

from bot.logs import get_logger
from bot.workers.outbox import Pictures
from providers.pictures import NoPicture, qr_picture, safe_link
from shop.orders import Order
from shop.qris import qris_fields
from storage.books import BookKeeper

log = get_logger(__name__)


def picture_finder(keeper: BookKeeper, origins: Mapping[str, str]) -> Pictures:
    """Return what finds the picture of an order's QR, or else the link to pay on.

    ``origins``: gateway -> its address, the only one on this machine that may be fetched from.
    """

    async def find(order: Order) -> tuple[bytes | None, str]:
        if order.invoice is None:
            return None, ""
        own_origin = origins.get(order.gateway)
        known = await keeper.read(lambda books: books.orders.picture(order.id))
        if known is not None:
            return known, ""
        link = safe_link(order.invoice.link, own_origin=own_origin) or ""
        if not _says(order.invoice.qr, order.invoice.amount):
            log.warning("qr.wrong_amount", order=order.id)
            return None, link
        try:
            picture = await qr_picture(order.invoice.qr, own_origin=own_origin)
        except NoPicture as error:
            log.warning("qr.no_picture", order=order.id, why=str(error))
            return None, link
        await keeper.write(lambda books: books.orders.put_picture(order.id, picture))
        return picture, ""

    return find


def _says(qr: str, amount: int) -> bool:
    """Tell whether a QRIS text, if it is one, asks for ``amount`` or leaves the amount open."""
    try:
        said = dict(qris_fields(qr)).get("54")
    except ValueError:
        return True  # an address: its picture is not read
    return said is None or said.removesuffix(".00") == str(amount)
