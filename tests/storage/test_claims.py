"""Which order is worked on next: the same on both databases; never by two processes at once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shop.orders import Order, Status
from shop.time import MINUTE
from storage.address import Address
from storage.books import SqlBooks
from storage.database import Transaction
from tests.fakes.databases import transaction
from tests.shop.samples import NOW, OWNER, RULES, S, stored
from tests.storage.files import undone

ZT = "zultopup"
Next = Callable[[SqlBooks], Order | None]


def asking(name: str) -> Next:
    """The question of that name, asked now."""
    return lambda books: getattr(books.orders, name)(ZT, NOW)


CLAIMED = asking("next_claimed")
PLACED = asking("next_placed")
WATCHED = asking("next_watched")
LOST = asking("next_lost_opening")
OUTDATED = asking("next_outdated")
PAID = asking("next_paid")
UNANSWERED = asking("next_lost_submission")

WHICH = pytest.mark.parametrize(
    ("find", "status", "more"),
    [
        (CLAIMED, S.AWAITING_PAYMENT, {"claimed_at": NOW}),
        (PLACED, S.PLACED, {}),
        (WATCHED, S.PROCESSING, {}),
        (LOST, S.OPENING, {}),
        (OUTDATED, S.PLACED, {"quote_until": NOW}),
        (PAID, S.PAID, {}),
        (UNANSWERED, S.SUBMITTING, {}),
    ],
    ids=["claimed", "placed", "watched", "lost opening", "outdated", "paid", "unanswered"],
)


def waiting(
    books: SqlBooks, name: str, status: Status, due_at: int | None, **more: int | str
) -> Order:
    """An order of that status and timer."""
    order = stored(books, status, id=name, target=name, **more)
    order = replace(order, due_at=due_at)
    books.orders.note(order)
    return order


@WHICH
def test_what_is_due_is_found_until_it_is_put_off(
    books: SqlBooks, find: Next, status: Status, more: dict[str, int]
) -> None:
    assert find(books) is None
    order = waiting(books, "A", status, NOW, **more)
    waiting(books, "B", status, NOW, **more, supplier="zonegame")
    waiting(books, "C", status, None, **more)
    assert find(books) == order
    books.orders.note(replace(order, due_at=None))
    assert find(books) is None


@WHICH
def test_what_stands_elsewhere_is_not_found(
    books: SqlBooks, find: Next, status: Status, more: dict[str, int]
) -> None:
    others = {
        CLAIMED: set[Status](),
        PLACED: set(Status) - {S.PLACED},
        WATCHED: {S.PLACED, S.OPENING, S.PAID, S.SUBMITTING},
        LOST: set(Status) - {S.OPENING},
        OUTDATED: set(Status) - {S.PLACED},
        PAID: set(Status) - {S.PAID},
        UNANSWERED: set(Status) - {S.SUBMITTING},
    }
    for other in others[find]:
        waiting(books, other, other, NOW, **more)
    waiting(books, "A", status, NOW + 1, **dict.fromkeys(more, NOW + 1))
    if find is CLAIMED:
        waiting(books, "B", status, NOW)
    assert find(books) is None


@pytest.mark.parametrize(
    ("find", "status", "key"),
    [
        (CLAIMED, S.PROCESSING, "claimed_at"),
        (PLACED, S.PLACED, "due_at"),
        (PLACED, S.PLACED, "created_at"),
        (WATCHED, S.PROCESSING, "due_at"),
        (LOST, S.OPENING, "due_at"),
        (PAID, S.PAID, "due_at"),
        (PAID, S.PAID, "created_at"),
        (UNANSWERED, S.SUBMITTING, "due_at"),
    ],
)
def test_whoever_waits_longest_comes_first(
    books: SqlBooks, find: Next, status: Status, key: str
) -> None:
    for nth, since in enumerate([NOW - 1, NOW - MINUTE, NOW - 2, NOW]):
        times = {"due_at": NOW, "created_at": NOW, "claimed_at": NOW, key: since}
        waiting(books, f"O{nth}", status, **times)
    found = []
    while (order := find(books)) is not None:
        found.append(order.id)
        books.orders.note(replace(order, due_at=None))
    assert found == ["O1", "O2", "O0", "O3"]


@pytest.mark.parametrize("leased", [S.OPENING, S.SUBMITTING])
def test_when_the_next_one_is_due_is_known_of_each_kind_and_for_the_ends_of_leases(
    books: SqlBooks, leased: Status
) -> None:
    orders = books.orders
    asked = (orders.next_watch_at, orders.next_opening_at, orders.next_submission_at)
    assert [ask(ZT) for ask in asked] == [None, None, None]
    waiting(books, "A", S.PLACED, NOW + 5)
    waiting(books, "B", S.PLACED, NOW + 3)
    waiting(books, "C", S.PROCESSING, NOW + 4)
    waiting(books, "G", S.PAID, NOW + 7)
    waiting(books, "H", S.PAID, NOW + 6)
    assert [ask(ZT) for ask in asked] == [NOW + 4, NOW + 3, NOW + 6]
    waiting(books, "D", leased, NOW + 2)
    waiting(books, "E", S.DELIVERED, None)
    waiting(books, "F", S.PLACED, NOW - 1, supplier="zonegame")
    assert [ask(ZT) for ask in asked] == [NOW + 2, NOW + 3, NOW + 6]


# --- several processes, which only PostgreSQL has -------------------------------------------------


ON_A_SERVER = pytest.mark.parametrize("kind", ["postgres"])


def books_of(tx: Transaction) -> SqlBooks:
    return SqlBooks(tx, RULES, (OWNER,))


@ON_A_SERVER
@WHICH
def test_what_another_process_is_claiming_is_passed_over(
    address: Address, find: Next, status: Status, more: dict[str, int]
) -> None:
    with transaction(address) as tx:
        for name in "AB":
            waiting(books_of(tx), name, status, NOW, **more)
    with undone(address) as one, undone(address) as other, undone(address) as third:
        found = [find(books_of(tx)) for tx in (one, other, third)]
    assert sorted(order.id for order in found if order is not None) == ["A", "B"]
    assert found[2] is None
    with undone(address) as tx:  # whoever undid what it did claims nothing any more
        assert find(books_of(tx)) is not None


@ON_A_SERVER
def test_others_may_read_what_is_being_claimed(address: Address) -> None:
    with transaction(address) as tx:
        order = waiting(books_of(tx), "A", S.PLACED, NOW)
    with undone(address) as one, undone(address) as other:
        assert PLACED(books_of(one)) == order
        assert books_of(other).orders.get("A") == order
