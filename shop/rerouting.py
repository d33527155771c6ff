"""What one supplier will certainly not deliver goes to another that the owner has confirmed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from shop import routing
from shop.cases import with_words
from shop.moving import Because, go
from shop.orders import Event, Order, Status, may
from shop.ports import Books
from shop.suppliers import TopupState
from shop.time import Millis

ARRIVES: Final = frozenset({TopupState.DELIVERED, TopupState.PARTIAL})
"""What is still believed of an attempt that another offer stands in for."""


def rerouted(
    books: Books, order: Order, now: Millis, because: Because, **learnt: Any
) -> Order | None:
    """Have another offer deliver a paid order that certainly has not been ordered, or has failed.

    ``None``, and nothing done: no other may (``shop.routing``), or it is too late for that.
    """
    if not may(order, Event.REROUTED) or _may_be_there_already(books, order):
        return None
    if _was_in_doubt(books, order):
        return None
    found = routing.stand_in(books, order, now)
    if found is None:
        return None
    words = f"{order.supplier} {order.sku} → {found.offer.supplier} {found.offer.sku}"
    because = replace(
        because, evidence=with_words(because.evidence, words), facts={}, lease_until=now
    )
    route = {
        "supplier": found.offer.supplier,
        "sku": found.offer.sku,
        "listed": found.offer.listed,
        "cost": found.offer.listed,
        "target": found.target.text,
        "server_code": found.target.server,
    }
    return go(books, order, Event.REROUTED, now, because, **route, **learnt)


def _may_be_there_already(books: Books, order: Order) -> bool:
    """Tell whether, since a restored copy was made, another may have delivered an order of it."""
    made_at = books.copies.made_at()
    return made_at is not None and order.created_at <= made_at


def _was_in_doubt(books: Books, order: Order) -> bool:
    """Tell whether it was ever unknown, since the owner's last word, if an order was made."""
    events = [happened.event for happened in books.orders.history(order.id)]
    since = len(events) - events[::-1].index(Event.PROCEEDED) if Event.PROCEEDED in events else 0
    return Event.OUTCOME_UNKNOWN in events[since:]


def is_left_behind(order: Order) -> bool:
    """Tell whether the last attempt was at another offer than the one that delivers next."""
    attempt = order.attempt
    if order.status is not Status.PAID or attempt is None:
        return False
    return (attempt.supplier, attempt.sku) != (order.supplier, order.sku)


def back(order: Order) -> Mapping[str, str]:
    """Return where an order goes back to if it came all the same, from the attempt left behind."""
    attempt = order.attempt
    if attempt is None or not is_left_behind(order):
        return {}
    return {"supplier": attempt.supplier, "sku": attempt.sku}
