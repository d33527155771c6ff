"""What an order means in the books: always in balance, and along every path the same."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from shop.ledger import (
    ADJUSTMENT,
    HELD,
    QRIS,
    SALES,
    Entry,
    cost,
    dropship,
    entry_of,
    profit,
    stands,
    supplier,
    wallet,
)
from shop.orders import (
    CASH,
    CREDIT,
    ENDED,
    HOLDS_MONEY,
    HOUSE,
    PAID_FOR,
    Attempt,
    Event,
    Order,
    Returned,
    Status,
    move,
    moves_of,
)
from shop.payments import PaymentMethod
from tests.shop.samples import BUYER, NOW, QUOTE, an_invoice, an_order

PRICE, COST = QUOTE.price, QUOTE.cost
M, S, E = PaymentMethod, Status, Event
GATEWAYS = {M.DROPSHIP: "zultopup", M.DEPOSIT: "zultopup", M.QRIS: HOUSE, M.WALLET: HOUSE}
OURS = wallet(BUYER)
Books = Counter[str]


def an_attempt(nth: int = 1, charged: int = 0) -> Attempt:
    return Attempt(
        nth=nth,
        ref=f"ORDER1-zonegame-{nth}",
        supplier="zonegame",
        sku="1",
        cost=COST,
        by_our_ref=True,
        charged=charged,
        started_at=NOW,
    )


def order_by(method: PaymentMethod, **changes: Any) -> Order:
    """An order paid by this method; prepaid ones are delivered by another supplier."""
    values: dict[str, Any] = {
        "method": method,
        "gateway": GATEWAYS[method],
        "supplier": "zultopup" if method is M.DROPSHIP else "zonegame",
        "invoice": None if method is M.WALLET else an_invoice(),
    }
    return an_order(**(values | changes))


def delivered(method: PaymentMethod, charged: int = COST, **changes: Any) -> Order:
    attempt = None if method is M.DROPSHIP else an_attempt(charged=charged)
    values: dict[str, Any] = {"status": S.DELIVERED, "received": PRICE, "attempt": attempt}
    return order_by(method, **(values | changes))


def booked(order: Order) -> dict[str, int]:
    return {account: amount for account, amount in stands(order).items() if amount}


@pytest.mark.parametrize("method", PaymentMethod)
def test_l1_an_order_is_in_balance_whatever_is_known_of_it(method: PaymentMethod) -> None:
    sold = [("zonegame", "1"), (HOUSE, CREDIT), (HOUSE, CASH)]
    known = itertools.product(
        Status, Returned, (False, True), (0, PRICE, 5_000), (0, 700), (0, -90, 63), (0, COST), sold
    )
    seen = 0
    for status, returned, lost, received, excess, fee, charged, (who, sku) in known:
        order = order_by(
            method,
            status=status,
            returned=returned,
            lost=lost,
            received=received,
            excess=excess,
            fee=fee,
            attempt=an_attempt(charged=charged),
            supplier=who,
            sku=sku,
        )
        assert sum(stands(order).values()) == 0
        seen += bool(booked(order))
    assert seen > 1_000


@pytest.mark.parametrize("status", sorted(PAID_FOR))
@pytest.mark.parametrize("method", PaymentMethod)
def test_l7_an_order_holds_what_was_received_until_it_is_earned_or_given_back(
    method: PaymentMethod, status: Status
) -> None:
    for returned in Returned:
        order = order_by(method, status=status, received=PRICE, returned=returned)
        assert stands(order)[HELD] == (-PRICE if status in HOLDS_MONEY else 0)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("method", PaymentMethod)
def test_an_order_that_nobody_paid_is_not_in_the_books(
    method: PaymentMethod, status: Status
) -> None:
    assert booked(order_by(method, status=status)) == {}


EXAMPLES: Mapping[str, tuple[Order, dict[str, int]]] = {
    "dropship, being delivered: the supplier has it": (
        order_by(M.DROPSHIP, status=S.PROCESSING, received=PRICE),
        {dropship("zultopup"): 11_800, HELD: -11_800},
    ),
    "dropship, delivered: what the supplier did not keep is profit": (
        delivered(M.DROPSHIP),
        {profit("zultopup"): 600, cost("zultopup"): 11_200, SALES: -11_800},
    ),
    "dropship, delivered, with a unique code on top, which the supplier keeps": (
        delivered(M.DROPSHIP, received=11_923),
        {profit("zultopup"): 600, cost("zultopup"): 11_323, SALES: -11_923},
    ),
    "dropship, refunded: between the owner and the supplier": (
        order_by(M.DROPSHIP, status=S.REFUNDED, received=PRICE, returned=Returned.HAND),
        {},
    ),
    "dropship, refunded out of the owner's pocket, and delivered all the same": (
        order_by(M.DROPSHIP, status=S.REFUNDED, received=PRICE, lost=True),
        {profit("zultopup"): 600, cost("zultopup"): 11_200, ADJUSTMENT: -11_800},
    ),
    "a deposit, paid, of which the gateway kept 63": (
        order_by(M.DEPOSIT, status=S.PAID, received=11_863, fee=63),
        {supplier("zultopup"): 11_800, cost("zultopup"): 63, HELD: -11_863},
    ),
    "a deposit, delivered by another supplier": (
        delivered(M.DEPOSIT),
        {
            supplier("zultopup"): 11_800,
            supplier("zonegame"): -11_200,
            cost("zonegame"): 11_200,
            SALES: -11_800,
        },
    ),
    "own QRIS, ordered": (
        order_by(M.QRIS, status=S.PROCESSING, received=PRICE, attempt=an_attempt(charged=11_000)),
        {QRIS: 11_800, supplier("zonegame"): -11_000, cost("zonegame"): 11_000, HELD: -11_800},
    ),
    "own QRIS, refunded into the wallet": (
        order_by(M.QRIS, status=S.REFUNDED, received=PRICE, returned=Returned.WALLET),
        {QRIS: 11_800, OURS: -11_800},
    ),
    "own QRIS, refunded by hand: it went back where it came from": (
        order_by(M.QRIS, status=S.REFUNDED, received=PRICE, returned=Returned.HAND),
        {},
    ),
    "own QRIS, refunded into the wallet, and the supplier kept what it took": (
        order_by(
            M.QRIS,
            status=S.REFUNDED,
            received=PRICE,
            returned=Returned.WALLET,
            attempt=an_attempt(charged=COST),
        ),
        {QRIS: 11_800, OURS: -11_800, supplier("zonegame"): -11_200, cost("zonegame"): 11_200},
    ),
    "a deposit, refunded by hand: out of the owner's pocket": (
        order_by(M.DEPOSIT, status=S.REFUNDED, received=PRICE, returned=Returned.HAND),
        {supplier("zultopup"): 11_800, ADJUSTMENT: -11_800},
    ),
    "from the wallet, delivered": (
        delivered(M.WALLET),
        {OURS: 11_800, supplier("zonegame"): -11_200, cost("zonegame"): 11_200, SALES: -11_800},
    ),
    "from the wallet, and back into it": (
        order_by(M.WALLET, status=S.REFUNDED, received=PRICE, returned=Returned.WALLET),
        {},
    ),
    "paid too much, delivered all the same: the rest is credit": (
        delivered(M.QRIS, received=16_800, excess=5_000),
        {
            QRIS: 16_800,
            OURS: -5_000,
            supplier("zonegame"): -11_200,
            cost("zonegame"): 11_200,
            SALES: -11_800,
        },
    ),
    "paid too much, and refunded in the end: all of it is credit": (
        order_by(
            M.QRIS, status=S.REFUNDED, received=16_800, excess=5_000, returned=Returned.WALLET
        ),
        {QRIS: 16_800, OURS: -16_800},
    ),
    "paid too little, and it must go back": (
        order_by(M.QRIS, status=S.REFUND_DUE, received=6_800),
        {QRIS: 6_800, HELD: -6_800},
    ),
    "credit that was bought": (
        order_by(M.QRIS, status=S.DELIVERED, received=50_007, supplier=HOUSE, sku=CREDIT),
        {QRIS: 50_007, OURS: -50_007},
    ),
    "credit that the owner is to pay out": (
        order_by(M.WALLET, status=S.PROCESSING, received=50_000, supplier=HOUSE, sku=CASH),
        {OURS: 50_000, HELD: -50_000},
    ),
    "credit that the owner has paid out": (
        order_by(M.WALLET, status=S.DELIVERED, received=50_000, supplier=HOUSE, sku=CASH),
        {OURS: 50_000, ADJUSTMENT: -50_000},
    ),
}


@pytest.mark.parametrize("what", EXAMPLES)
def test_the_books_say_of(what: str) -> None:
    order, accounts = EXAMPLES[what]
    assert booked(order) == accounts


# What an order may learn with an event: each a way it can go on.
def _paid(order: Order) -> Iterator[dict[str, Any]]:
    yield {"received": PRICE}
    if order.method is M.DEPOSIT:
        yield {"received": PRICE + 63, "fee": 63}


def _settled(order: Order) -> Iterator[dict[str, Any]]:
    if order.is_prepaid:
        yield from _charged(order)
    else:
        yield {"received": order.received or PRICE + 123}


def _paid_wrong(order: Order) -> Iterator[dict[str, Any]]:
    yield {"received": PRICE - 5_000}
    yield {"received": PRICE + 5_000}


def _begun(order: Order) -> Iterator[dict[str, Any]]:
    if order.tries < 2:
        yield {"tries": order.tries + 1, "attempt": an_attempt(order.tries + 1)}


def _charged(order: Order) -> Iterator[dict[str, Any]]:
    attempt = order.attempt
    if attempt is None or attempt.charged:
        yield {}
    else:
        yield {"attempt": replace(attempt, charged=COST)}


def _failed(order: Order) -> Iterator[dict[str, Any]]:
    if not order.is_prepaid:
        yield {"received": order.received or PRICE + 123}
        return
    yield {}
    yield from _returned(order)


def _returned(order: Order) -> Iterator[dict[str, Any]]:
    if order.attempt is not None and order.attempt.charged:
        yield {"attempt": replace(order.attempt, charged=0)}


def _proceeded(order: Order) -> Iterator[dict[str, Any]]:
    yield {"excess": max(order.received - order.amount_due, 0)}


def _lost(order: Order) -> Iterator[dict[str, Any]]:
    for learnt in _charged(order):
        yield {**learnt, "lost": True}


LEARNT = {
    E.PAID: _paid,
    E.PAID_LATE: _paid,
    E.PAID_WRONG: _paid_wrong,
    E.SETTLED: _settled,
    E.PAYMENT_FOUND: _settled,
    E.SUBMISSION_STARTED: _begun,
    E.ACCEPTED: _charged,
    E.PARTLY: _charged,
    E.DELIVERED: _settled,
    E.ARRIVED: _charged,
    E.FAILED: _failed,
    E.COST_RETURNED: _returned,
    E.PROCEEDED: _proceeded,
    E.CREDITED: lambda order: iter([{"returned": Returned.WALLET}]),
    E.REFUND_MADE: lambda order: iter([{"returned": Returned.HAND}]),
    E.LOSS_RECORDED: _lost,
}


def next_of(order: Order) -> Iterator[tuple[Event, Order]]:
    """Every way an order can go on by one legal move."""
    for status, event in moves_of(order):
        if status is order.status:
            for learnt in LEARNT.get(event, lambda _: iter([{}]))(order):
                yield event, move(replace(order, **learnt), event, NOW)


def added(books: Books, entry: Entry | None) -> Books:
    total = Counter(books)
    total.update({} if entry is None else entry.amounts)
    return total


def spent_before(was: Order, now: Order) -> Books:
    """What an attempt cost stays in the books when the next one begins."""
    if was.attempt is None or now.tries == was.tries:
        return Counter()
    charged = was.attempt.charged
    return Counter({supplier("zonegame"): -charged, cost("zonegame"): charged})


def key_of(order: Order, books: Books) -> tuple[Order, frozenset[tuple[str, int]]]:
    return replace(order, version=1), frozenset((name, n) for name, n in books.items() if n)


@pytest.mark.parametrize(("who", "sku"), [("zonegame", "1"), (HOUSE, CREDIT), (HOUSE, CASH)])
@pytest.mark.parametrize("method", PaymentMethod)
def test_l1_along_every_legal_path_what_was_posted_is_where_the_order_stands(
    method: PaymentMethod, who: str, sku: str
) -> None:
    """Every order that legal moves lead to, with two attempts at the most, is gone on from once."""
    first = order_by(method, supplier=who, sku=sku)
    fresh: list[tuple[Order, Books, Books]] = [(first, Counter(), Counter())]
    known = {key_of(first, Counter())}
    ends = set()
    while fresh:
        was, books, before = fresh.pop()
        for event, now in next_of(was):
            after = added(books, entry_of(was, now, event))
            spent = added(before, None)
            spent.update(spent_before(was, now))
            worth = stands(now)
            worth.update(spent)
            assert after == worth, (was.status, event, now.status)
            ends.add(now.status)
            if key_of(now, after) not in known:
                known.add(key_of(now, after))
                fresh.append((now, after, spent))
    assert ends >= ENDED  # those of orders that failed, too
    assert len(known) >= (10 if method is M.DROPSHIP else 100)


def test_a_move_that_moves_no_money_posts_nothing() -> None:
    was = order_by(M.QRIS, status=S.PAID, received=PRICE)
    now = replace(was, status=S.SUBMITTING, version=2, attempt=an_attempt(), tries=1)
    assert entry_of(was, now, E.SUBMISSION_STARTED) is None


def test_an_entry_names_the_move_that_made_it_and_who_made_that() -> None:
    was = order_by(M.QRIS, status=S.REFUND_DUE, received=PRICE, version=7)
    now = replace(was, status=S.REFUNDED, returned=Returned.HAND, version=8, changed_at=NOW + 5)
    entry = entry_of(was, now, E.REFUND_MADE, "web:owner", "transfer")
    assert entry == Entry(
        id="ORDER1/8",
        at=NOW + 5,
        amounts={HELD: PRICE, QRIS: -PRICE},
        order_id="ORDER1",
        event=E.REFUND_MADE,
        actor="web:owner",
        reason="transfer",
    )


def test_what_an_earlier_attempt_cost_is_neither_forgotten_nor_posted_again() -> None:
    was = order_by(M.QRIS, status=S.PAID, received=PRICE, attempt=an_attempt(1, COST), tries=1)
    begun = replace(was, status=S.SUBMITTING, version=2, attempt=an_attempt(2), tries=2)
    assert entry_of(was, begun, E.SUBMISSION_STARTED) is None
    done = replace(begun, status=S.DELIVERED, version=3, attempt=an_attempt(2, COST - 100))
    entry = entry_of(begun, done, E.DELIVERED)
    assert entry is not None
    assert entry.amounts[supplier("zonegame")] == 100 - COST


def test_l1_an_entry_that_does_not_sum_to_zero_cannot_even_be_made() -> None:
    with pytest.raises(ValueError, match="sums to zero"):
        Entry(id="a", at=NOW, amounts={QRIS: 5, SALES: -4})


def test_the_reason_of_an_entry_may_be_private_and_is_not_shown_with_it() -> None:
    assert "rahasia" not in repr(Entry(id="a", at=NOW, amounts={}, reason="rahasia"))
