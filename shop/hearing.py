"""What suppliers tell us by themselves: a signed word is a report, else it is a reason to ask."""

from dataclasses import replace

from shop import fulfilment, moving, rerouting, watching
from shop.callbacks import News, Repriced, Told, Trust
from shop.calls import LEASE
from shop.cases import CaseKind
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import Order, Status
from shop.ports import Books
from shop.suppliers import TopupState
from shop.time import MINUTE, SECOND, Millis

ASKS_EVERY: Millis = 10 * SECOND  # about one order, however many hints come
PARKED_FOR: Millis = 10 * MINUTE
_AT_FIRST: Millis = 10 * SECOND
_OURS_IS_UNDER_WAY = frozenset({Status.PAID, Status.SUBMITTING})


def heard(books: Books, supplier: str, news: News, trust: Trust, now: Millis) -> bool:
    """Take in what a supplier's callback says; ``False``: it is too early to know what it means.

    It may have come before our own request has returned: try again at ``again_at``.
    """
    if isinstance(news, Repriced):
        _repriced(books, supplier, news, now)
        return True
    asked = _order_of(books, supplier, news)
    if asked is None:
        return False
    if trust is Trust.PROOF and _is_of(news, asked):
        _believe(books, asked, news, now)
        return True
    return _hinted(books, asked, news, now)


def again_at(received_at: Millis, now: Millis) -> Millis | None:
    """Return when to try again to understand a callback; ``None``: not any more."""
    age = now - received_at  # below zero, if the clock was ahead when it came
    if not -PARKED_FOR < age < PARKED_FOR:
        return None
    return now + (2 * SECOND if age < _AT_FIRST else 30 * SECOND)


def never_understood(books: Books, supplier: str, news: News, trust: Trust, now: Millis) -> None:
    """Tell the owners of an order that a supplier speaks of and nobody here knows.

    Anybody may send what is not signed: of such there is one message a day.
    """
    if not isinstance(news, Told) or _order_of(books, supplier, news) is not None:
        return
    name = news.ref or news.supplier_ref
    occasion = name if trust is Trust.PROOF else f"{now // (24 * 60 * MINUTE)}"
    facts: Facts = {"alert": "unknown_order", "supplier": supplier, "evidence": name}
    key = f"alert:{supplier}:unknown_order:{occasion}"
    books.outbox.owe_owners(Notice(key=key, kind=NoticeKind.ALERT, address="", facts=facts), now)


def _order_of(books: Books, supplier: str, told: Told) -> Order | None:
    if told.ref:
        return books.attempts.named(supplier, told.ref)
    return books.attempts.known_as(supplier, told.supplier_ref) if told.supplier_ref else None


def _is_of(told: Told, asked: Order) -> bool:
    """Tell whether what was signed names the order as it was named before."""
    known = asked.attempt.supplier_ref if asked.attempt else ""
    return not (known and told.supplier_ref) or known == told.supplier_ref


def _believe(books: Books, asked: Order, told: Told, now: Millis) -> None:
    # When it was said nobody knows: that it is being done may well be older than its end.
    said_at = 0 if told.report.state is TopupState.PENDING else now
    order = fulfilment.reported(books, asked, told.report, said_at, now)
    case = books.cases.open_for(order.id)
    contradicted = case is not None and (case.kind, case.opened_at) == (CaseKind.CONFLICT, now)
    if contradicted and watching.can_be_asked_about(order):
        _ask_soon(books, order, now)


def _hinted(books: Books, asked: Order, told: Told, now: Millis) -> bool:
    order = books.orders.get(asked.id)
    if order is None or order.attempt is None or order.status in _OURS_IS_UNDER_WAY:
        return False
    if order.tries != asked.tries:  # only of the last attempt the supplier can be asked
        # What it says is not proved, so only of what it speaks is told: the owner can look.
        name = told.ref or told.supplier_ref
        if rerouting.is_worth_hearing(books, order, asked.tries, told.report.state):
            moving.open_case(books, order, CaseKind.CONFLICT, f"{name}: ?", now)
        return True
    if fulfilment.is_old_news(order, told.report):
        return True
    if _is_being_asked(order):  # the answer may be older than this
        return False
    if told.supplier_ref and not (order.attempt.by_our_ref or order.attempt.supplier_ref):
        books.attempts.tell(order, told.supplier_ref)
        order = replace(order, attempt=replace(order.attempt, told_ref=told.supplier_ref))
    if watching.can_be_asked_about(order):
        _ask_soon(books, order, now)
    return True


def _is_being_asked(order: Order) -> bool:
    return order.asked_at is not None and order.due_at == order.asked_at + LEASE


def _ask_soon(books: Books, order: Order, now: Millis) -> None:
    """Have the supplier asked, unless that is due, or was done, just now."""
    lately = min(order.asked_at or 0, now)
    due_at = max(now, lately + ASKS_EVERY)
    if order.due_at is None or due_at < order.due_at:
        books.orders.note(replace(order, due_at=due_at))


def _repriced(books: Books, supplier: str, news: Repriced, now: Millis) -> None:
    """Have a price read again; an item that is said to have become dearer is not sold till then."""
    offer = books.shelf.offer(supplier, news.sku, 0)
    if offer is None or not books.rules.abilities_of(supplier).tells_prices:
        return
    if news.price > offer.listed:
        books.shelf.withhold(supplier, news.sku)
    books.shelf.ask_price(supplier, news.sku, now)
