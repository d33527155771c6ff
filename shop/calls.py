"""Whose turn it is to be asked about: one call budget a supplier, one order of precedence.

ZulTopup allows 60 requests a minute and key (its document, "Rate limit"). Whether that is counted
in fixed or sliding minutes it does not say: no more than 60 in any 61 s satisfies both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from shop import settling
from shop.orders import Order
from shop.ports import Books
from shop.time import MINUTE, SECOND, Millis

WINDOW: Millis = 61 * SECOND
MOST_CALLS = 60
MOST_OPENINGS = 30
LEASE: Millis = 75 * SECOND  # longer than any call may take
LIST_EVERY: Millis = 10 * MINUTE


class Purpose(StrEnum):
    """What a call is for, most urgent first."""

    CLAIM = "claim"  # a customer says they have paid
    OPEN = "open"  # a new order wants its QR; at most half of the budget
    BALANCE = "balance"  # the owner asks
    LIST = "list"  # the price list: rarely, but then ahead of the many questions
    WATCH = "watch"  # scheduled questions


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """Open the invoice of ``order``, which is written down as being opened."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AskInvoice:
    """Ask about the invoice of ``order``."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBalance:
    """Ask for our balance, for the owner at ``address``."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchList:
    """Fetch the price list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing may or need be asked before ``until``, unless something happens.

    ``moved``: orders were given up while looking, and their buyers must hear of it.
    """

    until: Millis
    moved: bool = False


Call: TypeAlias = OpenInvoice | AskInvoice | AskBalance | FetchList


def next_call(books: Books, supplier: str, now: Millis) -> Call | Idle:
    """Choose the next call to ``supplier``, and write it down; the caller commits, then makes it.

    A call that is never made after all costs one of the 60, and its lease brings it back.
    """
    moved = _clear_away(books, supplier, now)
    made = books.calls.made_since(supplier, now - WINDOW)
    if len(made) >= MOST_CALLS:
        return Idle(until=made[len(made) - MOST_CALLS][0] + WINDOW, moved=moved)
    openings = [at for at, purpose in made if purpose == Purpose.OPEN]
    may_open = len(openings) < MOST_OPENINGS
    found = _choose(books, supplier, now, may_open=may_open)
    if found is None:
        return Idle(until=_next_moment(books, supplier, openings, now), moved=moved)
    purpose, call = found
    books.calls.record(supplier, purpose, now)
    return call


def wake_up(books: Books, suppliers: Sequence[str], now: Millis) -> None:
    """Begin after a stop, where no other process can still be making a call: all leases end.

    Every open invoice is asked about at once, and every price list is fetched.
    """
    books.orders.end_leases(now)
    for supplier in suppliers:
        books.calls.set_list_due(supplier, now)


def _clear_away(books: Books, supplier: str, now: Millis) -> bool:
    """Give up what nobody can finish: openings whose caller is gone, quotes that ran out."""
    moved = False
    while (lost := books.orders.next_lost_opening(supplier, now)) is not None:
        settling.opening_lost(books, lost, now)
        moved = True
    while (late := books.orders.next_outdated(supplier, now)) is not None:
        settling.give_up(books, late, now)
        moved = True
    return moved


def _choose(
    books: Books, supplier: str, now: Millis, *, may_open: bool
) -> tuple[Purpose, Call] | None:
    if (claimed := books.orders.next_claimed(supplier, now)) is not None:
        return Purpose.CLAIM, _ask(books, claimed, now)
    placed = books.orders.next_placed(supplier, now) if may_open else None
    if placed is not None:
        order = settling.start_opening(books, placed, now + LEASE, now)
        return Purpose.OPEN, OpenInvoice(order=order)
    if (address := books.calls.next_balance_request(supplier)) is not None:
        return Purpose.BALANCE, AskBalance(address=address)
    if books.calls.list_due_at(supplier) <= now:
        books.calls.set_list_due(supplier, now + LIST_EVERY)
        return Purpose.LIST, FetchList()
    watched = books.orders.next_watched(supplier, now)
    return None if watched is None else (Purpose.WATCH, _ask(books, watched, now))


def _ask(books: Books, order: Order, now: Millis) -> AskInvoice:
    books.orders.note(replace(order, due_at=now + LEASE))
    return AskInvoice(order=order)


def _next_moment(books: Books, supplier: str, openings: list[Millis], now: Millis) -> Millis:
    """Return when the budget or a timer next allows something."""
    moments = [books.calls.list_due_at(supplier)]
    if (watched := books.orders.next_watch_at(supplier)) is not None:
        moments.append(watched)
    if (placed := books.orders.next_opening_at(supplier)) is not None:
        full = placed <= now and len(openings) >= MOST_OPENINGS
        moments.append(openings[len(openings) - MOST_OPENINGS] + WINDOW if full else placed)
    return max(min(moments), now)
