"""After a restore: what the copy cannot know is asked about before the shop opens.

Between the copy and the restore customers were shown QRs, paid them and were served, and none of
that is in the copy. So nothing that may have been asked of a supplier is asked of it again, and
everything that can be asked about is.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from shop import fulfilment, moving, settling
from shop.cases import Case
from shop.copied import SINCE_THE_COPY
from shop.notices import Notice, NoticeKind
from shop.orders import HOUSE, Order, Status
from shop.ports import Books
from shop.time import Millis


def begin(books: Books, suppliers: Sequence[str], now: Millis) -> bool:
    """Tell whether this is a restored copy, and prepare the questions if it is.

    An order without a QR may have had one opened since: it is given up, not opened again, and its
    buyer is told. What people said before was answered, and their buttons have been shown other
    things since. The owners hear from when the copy is. To be called at every start.
    """
    made_at = books.copies.made_at()
    if made_at is None:
        return False
    books.copies.mark_orders()
    books.copies.forget_what_was_said(made_at, now)
    books.copies.ask_only(suppliers)
    for case in books.cases.all_open():
        _warn(books, case, now)
    # Also at suppliers that are not in the settings now: one day they may be again.
    for supplier in {*suppliers, *books.orders.asked()} - {HOUSE}:
        for order_id in books.copies.unseen(supplier):  # which have no QR, or no answer, yet
            _give_up(books, order_id, now)
    for supplier in suppliers:
        books.copies.ask_about_all(supplier)
    books.orders.end_leases(now)
    notice = Notice(
        key=f"alert:restored:{made_at}:{now}",
        kind=NoticeKind.ALERT,
        address="",
        facts={"alert": "restored", "at": made_at},
    )
    books.outbox.owe_owners(notice, now)
    _open_if_all_asked(books)
    return True


def _give_up(books: Books, order_id: str, now: Millis) -> None:
    order = books.orders.get(order_id)
    if order is not None:
        _GIVE_UP[order.status](books, order, now)


def _doubt(books: Books, order: Order, now: Millis) -> Order:
    return fulfilment.doubted(books, order, now, "may have been ordered since the copy")


_GIVE_UP: Mapping[Status, Callable[[Books, Order, Millis], Order]] = MappingProxyType(
    {
        Status.PLACED: settling.give_up,
        Status.OPENING: settling.opening_lost,
        Status.PAID: _doubt,
        Status.SUBMITTING: _doubt,
    }
)


def _warn(books: Books, case: Case, now: Millis) -> None:
    """Say in a case about an order what the copy cannot know: it may have been answered since."""
    order = books.orders.get(case.order_id) if case.order_id else None
    if order is not None and SINCE_THE_COPY not in case.evidence:
        moving.add_to_case(books, order, SINCE_THE_COPY, f"restored:{now}", now)


def asked(books: Books, order_id: str) -> bool:
    """Note that the supplier was asked about an order; tell whether the shop is still closed."""
    if not is_closed(books):
        return False
    books.copies.asked(order_id)
    _open_if_all_asked(books)
    return is_closed(books)


def _open_if_all_asked(books: Books) -> None:
    if books.copies.left() == 0:
        books.copies.forget()


def is_closed(books: Books) -> bool:
    """Tell whether the shop must not talk to anybody yet."""
    return books.copies.made_at() is not None
