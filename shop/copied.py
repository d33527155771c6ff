"""Orders of before a restored copy: what became of them afterwards, the books cannot know."""

from typing import Final

from shop.orders import Order
from shop.ports import Books

SINCE_THE_COPY: Final = "salinan data: mungkin sudah dijawab, dikirim, atau dikembalikan sesudahnya"


def is_of_a_copy(books: Books, order: Order) -> bool:
    """Tell whether an order was there already when the books were copied that are used now.

    It stays so, however often its supplier was asked since: another may have delivered it.
    """
    made_at = books.copies.newest()
    return made_at is not None and order.created_at <= made_at
