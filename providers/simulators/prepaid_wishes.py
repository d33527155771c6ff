"""What the control surface asks of a simulated prepaid supplier, read and checked."""

from dataclasses import dataclass, replace

from providers.simulators.callbacks import is_loopback
from providers.simulators.prepaid_books import Item, PrepaidBooks, PrepaidOrder, Statuses
from providers.simulators.wishes import BadWish, JsonObject, UnknownThing, text, whole

REFUSED, ORDER, STATUS = "refused", "order", "status"  # what a repeated reference may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """An order is to have this status. ``sn``: this number; empty: none; ``None``: the usual."""

    order: PrepaidOrder
    status: str
    sn: str | None


def read_finish(wish: JsonObject, books: PrepaidBooks, statuses: Statuses) -> Finish:
    """Read ``{"ref" or "id", "status", "sn"?}``. Raise ``BadWish`` or ``UnknownThing``."""
    order = books.order(text(wish, "ref", "id"))
    status = statuses.named(text(wish, "status"))
    if status is None:
        raise BadWish(f"'status' must be one of {', '.join(statuses.every)}.")
    sn = wish.get("sn")
    if sn is not None and not isinstance(sn, str):
        raise BadWish("'sn' must be a text; an empty one is none.")
    return Finish(order=order, status=status, sn=sn)


def read_price(wish: JsonObject, books: PrepaidBooks) -> tuple[Item, Item]:
    """Read ``{"code", "price"}`` as before and after. Raise ``BadWish`` or ``UnknownThing``."""
    before = books.item(text(wish, "code"))
    return before, replace(before, price=whole(wish, "price", least=1))


def read_product(wish: JsonObject, books: PrepaidBooks) -> Item:
    """Read ``{"code", "active"?}``; a new one needs ``name``, ``category`` and ``price``, too.

    Raises:
        BadWish: Something is missing or of another type.
    """
    code, active = text(wish, "code"), wish.get("active", True)
    if not isinstance(active, bool):
        raise BadWish("'active' must be true or false.")
    try:
        return replace(books.item(code), active=active)
    except UnknownThing:
        return Item(
            code=code,
            name=text(wish, "name"),
            category=text(wish, "category"),
            price=whole(wish, "price", least=1),
            active=active,
        )


def read_webhook(wish: JsonObject) -> str:
    """Read ``{"url"}``, empty for none. Raise ``BadWish`` if it is not on loopback."""
    url = wish.get("url")
    if not isinstance(url, str) or (url and not is_loopback(url)):
        raise BadWish("'url' must be an http:// loopback address, or empty for none.")
    return url


def read_repeats(wish: JsonObject) -> str:
    """Read ``{"as"}``. Raise ``BadWish`` if it is none of the three."""
    wanted = text(wish, "as")
    if wanted not in {REFUSED, ORDER, STATUS}:
        raise BadWish(f"'as' must be one of {REFUSED}, {ORDER}, {STATUS}.")
    return wanted
