"""What one supplier will certainly not deliver goes to another that the owner has confirmed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from shop import ledger, routing, targets
from shop.cases import with_words
from shop.copied import is_of_a_copy
from shop.moving import Because, go
from shop.orders import Event, Order, Status, may
from shop.ports import Books
from shop.suppliers import TopupState
from shop.time import Millis

_ARRIVES: Final = frozenset({TopupState.DELIVERED, TopupState.PARTIAL})


def rerouted(
    books: Books, order: Order, now: Millis, because: Because, **learnt: Any
) -> Order | None:
    """Have another offer deliver a paid order that certainly has not been ordered, or has failed.

    ``None``, and nothing done: no other may (``shop.routing``), or it is too late for that.
    """
    if not may(order, Event.REROUTED):
        return None
    if is_of_a_copy(books, order) or _was_in_doubt(books, order):
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


def _was_in_doubt(books: Books, order: Order) -> bool:
    """Tell whether it was ever unknown if an order was made.

    The owner's word to have it made all the same is one about the same offer.
    """
    history = books.orders.history(order.id)
    return any(happened.became is Status.UNSURE for happened in history)


def is_left_behind(order: Order) -> bool:
    """Tell whether the last attempt was at another offer than the one that delivers next."""
    attempt = order.attempt
    if attempt is None:
        return False
    return (attempt.supplier, attempt.sku) != (order.supplier, order.sku)


def back(books: Books, order: Order) -> Mapping[str, str | int]:
    """Return where an order goes back to if it came all the same, from the attempt left behind.

    The attempt keeps what it cost, if that is more than the price.
    """
    attempt = order.attempt
    if attempt is None or not is_left_behind(order):
        return {}
    cost = min(attempt.cost, order.price)
    route: dict[str, str | int] = {"supplier": attempt.supplier, "sku": attempt.sku}
    route |= {"listed": cost, "cost": cost}
    offer = books.shelf.as_listed(attempt.supplier, attempt.sku)
    if offer is not None:
        target = targets.written(books.rules, offer, order.user_id, order.server)
        route |= {"target": target.text, "server_code": target.server} if target else {}
    return route


def is_worth_hearing(books: Books, order: Order, nth: int, state: TopupState) -> bool:
    """Tell whether a word about an attempt, which another offer may stand in for, is news.

    Of one that certainly failed only that it came all the same; of one that was taken for never
    sent also that it is being done.
    """
    ended = _ended(books, order, nth)
    if ended is None or state in _ARRIVES:
        return True
    return ended is Event.NOT_SENT and state is TopupState.PENDING


def _ended(books: Books, order: Order, nth: int) -> Event | None:
    """Return what happened just before an order was rerouted from an attempt; ``None``: never."""
    events = [happened.event for happened in books.orders.history(order.id)]
    for place, event in enumerate(events):
        begun = events[:place].count(Event.SUBMISSION_STARTED)
        if event is Event.REROUTED and begun == nth:
            return events[place - 1]
    return None


def cost_returned(books: Books, order: Order, nth: int, words: str, now: Millis) -> None:
    """Take in that our balance has back what a failed attempt cost, that was left behind.

    The order goes on as it is: what its attempts cost are entries apart.
    """
    attempt = books.attempts.of(order.id, nth)
    if attempt is None or not attempt.charged:
        return
    amount, slug = attempt.charged, attempt.supplier
    entry = ledger.Entry(
        id=f"{order.id}/attempt/{nth}/returned",
        at=now,
        amounts={ledger.supplier(slug): amount, ledger.cost(slug): -amount},
        order_id=order.id,
        event=Event.COST_RETURNED,
        reason=words,
    )
    books.attempts.put(order.id, replace(attempt, charged=0))
    books.ledger.post(entry)
