"""What comes due with nobody to ask: own QRs that run out, and cases that wait for an answer."""

from dataclasses import replace

from shop import asking, calls, moving
from shop.cases import REMIND_EVERY, Case
from shop.moving import go
from shop.orders import HOUSE, Event, Status
from shop.ports import Books
from shop.time import HOUR, MINUTE, Millis

AT_ONCE = 50  # in one transaction
LOOK_EVERY: Millis = HOUR


def tidy(books: Books, now: Millis) -> Millis:
    """Do what has come due, and return when to look again at the latest."""
    until = _wait_for_strangers(books, now)
    for _ in range(AT_ONCE):
        if not (_lapse_one(books, now) or _remind_of_one(books, now)):
            return min(until, _next_moment(books, now))
    return now


def _wait_for_strangers(books: Books, now: Millis) -> Millis:
    """See to orders at suppliers that are no longer in the settings: nobody else does.

    Nothing is asked or ordered; people are told that it takes long, and the owner decides.
    """
    strangers = set(books.orders.asked()) - {*books.rules.abilities, HOUSE}
    for supplier in strangers:
        calls.wait_without(books, supplier, now)
    return now + (MINUTE if strangers else LOOK_EVERY)


def _next_moment(books: Books, now: Millis) -> Millis:
    due = books.orders.next_watch_at(HOUSE)
    return min(now + LOOK_EVERY, now + LOOK_EVERY if due is None else max(due, now))


def _lapse_one(books: Books, now: Millis) -> bool:
    order = books.orders.next_watched(HOUSE, now)
    if order is None:
        return False
    if order.status is Status.AWAITING_PAYMENT and books.cases.open_for(order.id) is None:
        go(books, order, Event.LAPSED, now)
    else:  # nothing is due about it any more, or the owner is being asked whether it was paid
        books.orders.note(replace(order, due_at=None))
    return True


def _remind_of_one(books: Books, now: Millis) -> bool:
    case = books.cases.next_to_remind(now)
    if case is None:
        return False
    books.cases.remind_at(case, now + REMIND_EVERY)
    remind(books, case, now)
    return True


def remind(books: Books, case: Case, now: Millis) -> None:
    """Tell the owners of an open case once more."""
    order = books.orders.get(case.order_id) if case.order_id else None
    if order is None:
        asking.tell(books, case, now)
        return
    key = f"case:{case.id}:{case.kind}:again:{now // REMIND_EVERY}"
    moving.tell(books, order, case, key, now)
