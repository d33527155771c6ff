"""Orders of before a restored copy: what became of them afterwards, the books cannot know."""

from typing import Final

from shop.orders import Order
from shop.ports import Books

SINCE_THE_COPY: Final = "salinan data: mungkin sudah dijawab, dikirim, atau dikembalikan sesudahnya"


def is_of_a_copy(books: Books, order: Order) -> bool:
    """Tell whether an order came with a copy that was restored.

    It stays so, however often its supplier was asked since: another may have delivered it.
    """
    return books.copies.has(order.id)
