"""The inbox: every callback once, for ever, byte for byte; the same on both databases."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.callbacks import Callback, Trust
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from storage.database import Transaction
from storage.inbox import Received, SqlInbox
from tests.shop.samples import NOW

ZG = "zonegame"
EVERY_BYTE = bytes(range(1, 256))
FOR_EVER = 10 * 365 * 24 * HOUR


def post(body: bytes = b"{}", **more: Any) -> Callback:
    return replace(Callback(method="POST", query="", body=body), **more)


def put(
    books: SqlBooks,
    callback: Callback,
    now: int = NOW,
    supplier: str = ZG,
    trust: Trust = Trust.PROOF,
) -> bool:
    return books.inbox.store(supplier, callback, trust, now)


def due(books: SqlBooks, now: int = NOW, most: int = 99) -> list[Received]:
    return list(books.inbox.due(now, most))


def bodies(books: SqlBooks, now: int = NOW, most: int = 99) -> list[bytes]:
    return [received.callback.body for received in due(books, now, most)]


def rang(tx: Transaction) -> bool:
    """Whether the bells were rung since this was asked last."""
    rung, tx.rang = tx.rang, False  # type: ignore[attr-defined]
    return bool(rung)


# --- what is kept ---


@pytest.mark.parametrize("trust", Trust)
def test_what_is_stored_is_all_that_counts_of_a_callback(books: SqlBooks, trust: Trust) -> None:
    sent = Callback(
        method="POST",
        query="a=1",
        body=b'{"status":"SUCCESS"}',
        headers={"x-signature": "secret"},
        remote="206.189.46.211",
    )
    assert put(books, sent, trust=trust)
    (received,) = due(books)
    assert received.callback == replace(sent, headers={}, remote="")
    assert (received.supplier, received.trust, received.received_at) == (ZG, trust, NOW)


@pytest.mark.parametrize("where", ["body", "query"])
def test_every_byte_is_as_it_was(books: SqlBooks, where: str) -> None:
    text = EVERY_BYTE.decode("utf-8", "surrogateescape")  # as aiohttp gives an address
    sent = post(EVERY_BYTE) if where == "body" else post(query=text)
    put(books, sent)
    (received,) = due(books)
    assert received.callback == sent


suppliers = itertools.count()


@given(body=st.binary(max_size=300), query=st.binary(max_size=100))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_as_they_were(books: SqlBooks, body: bytes, query: bytes) -> None:
    """But NUL, which PostgreSQL has no place for, and nothing that makes sense contains."""
    text = query.decode("utf-8", "surrogateescape")
    assert put(books, post(body, query=text), supplier=f"supplier{next(suppliers)}")
    (received,) = due(books)
    assert received.callback.body == body.replace(b"\0", b" ")
    assert received.callback.query == text.replace("\0", " ")
    books.inbox.done(received)


def test_a_long_body_is_kept_whole(books: SqlBooks) -> None:
    body = EVERY_BYTE * 257
    put(books, post(body))
    assert bodies(books) == [body]


# --- each once, for ever ---


@pytest.mark.parametrize("after", [0, SECOND, 24 * HOUR, FOR_EVER])
def test_c4_the_same_again_is_known_whatever_comes_with_it(books: SqlBooks, after: int) -> None:
    assert put(books, post(b"1", headers={"x-signature": "1"}, remote="10.0.0.1"))
    again = post(b"1", headers={"x-signature": "2", "cf-ray": "3"}, remote="10.0.0.2")
    assert not put(books, again, NOW + after)
    assert len(due(books, NOW + after)) == 1


@pytest.mark.parametrize("after", [0, HOUR, FOR_EVER])
def test_c4_what_was_taken_in_is_known_for_ever(books: SqlBooks, after: int) -> None:
    put(books, post(b"1"))
    (received,) = due(books)
    books.inbox.done(received)
    assert not put(books, post(b"1"), NOW + after)
    assert due(books, NOW + after + FOR_EVER) == []
    assert books.inbox.next_at() is None


@pytest.mark.parametrize(
    "other",
    [
        post(b"2"),
        post(b"1 "),
        post(b""),
        post(b"1", query="a=1"),
        post(b"1", method="GET"),
        post(b"1", method="post"),
    ],
    ids=repr,
)
def test_what_differs_in_one_byte_is_another_one(books: SqlBooks, other: Callback) -> None:
    assert put(books, post(b"1"))
    assert put(books, other)
    assert len(due(books)) == 2


def test_the_same_bytes_of_two_suppliers_are_two_callbacks(books: SqlBooks) -> None:
    assert put(books, post(b"1"))
    assert put(books, post(b"1"), supplier="kiosgame")
    (one, other) = due(books)
    books.inbox.done(one)
    assert due(books) == [other]
    assert books.inbox.waits(other)


def test_a_repetition_makes_nothing_of_the_first_one_truer(books: SqlBooks) -> None:
    put(books, post(b"1"), trust=Trust.HINT)
    assert not put(books, post(b"1"), trust=Trust.PROOF)
    assert [received.trust for received in due(books)] == [Trust.HINT]


# --- when ---


def test_they_are_taken_in_in_the_order_in_which_they_came(books: SqlBooks) -> None:
    came = [(b"c", NOW - 3), (b"a", NOW - 2), (b"d", NOW - 1), (b"b", NOW)]
    for body, now in reversed(came):
        put(books, post(body), now)
    assert bodies(books) == [b"c", b"a", b"d", b"b"]
    assert bodies(books, most=2) == [b"c", b"a"]
    assert bodies(books, NOW - 2) == [b"c", b"a"]


def test_of_those_that_came_together_the_order_is_always_the_same(books: SqlBooks) -> None:
    for nth in range(20):
        put(books, post(b"%d" % nth))
    found = bodies(books)
    assert len(found) == 20
    assert [bodies(books, most=most) for most in range(1, 20)] == [
        found[:most] for most in range(1, 20)
    ]


def test_what_was_put_off_is_due_again_then_at_its_old_place(books: SqlBooks) -> None:
    for nth in range(3):
        put(books, post(b"%d" % nth), NOW + nth)
    first = due(books)[0]
    books.inbox.later(first, NOW + MINUTE)
    assert bodies(books, NOW + MINUTE - 1) == [b"1", b"2"]
    assert bodies(books, NOW + MINUTE) == [b"0", b"1", b"2"]
    (again, *_) = due(books, NOW + MINUTE)
    assert again == first


def test_c4b_a_repetition_wakes_what_waits(books: SqlBooks) -> None:
    put(books, post(b"1"))
    (received,) = due(books)
    books.inbox.later(received, NOW + HOUR)
    assert due(books, NOW + SECOND) == []
    assert not put(books, post(b"1"), NOW + SECOND)
    assert due(books, NOW + SECOND) == [received]  # with the time at which it first came


def test_a_repetition_puts_nothing_off(books: SqlBooks) -> None:
    put(books, post(b"1"))
    put(books, post(b"1"), NOW + HOUR)
    assert bodies(books, NOW) == [b"1"]


def test_a_repetition_wakes_no_other_one(books: SqlBooks) -> None:
    for body in (b"1", b"2"):
        put(books, post(body))
    for received in due(books):
        books.inbox.later(received, NOW + HOUR)
    put(books, post(b"1"), NOW + SECOND)
    assert bodies(books, NOW + SECOND) == [b"1"]


def test_when_the_next_one_is_due_is_known(books: SqlBooks) -> None:
    assert books.inbox.next_at() is None
    put(books, post(b"1"), NOW + 5)
    put(books, post(b"2"), NOW + 3)
    assert books.inbox.next_at() == NOW + 3
    for received in due(books, NOW + 5):
        books.inbox.later(received, NOW + HOUR)
    assert books.inbox.next_at() == NOW + HOUR
    for received in due(books, NOW + HOUR):
        books.inbox.done(received)
    assert books.inbox.next_at() is None


def test_what_a_clock_that_was_ahead_put_off_comes_due(books: SqlBooks) -> None:
    for body, at in ((b"1", NOW + 5 * MINUTE), (b"2", NOW + 99 * HOUR), (b"3", NOW + 99 * HOUR)):
        put(books, post(body))
        received = next(each for each in due(books) if each.callback.body == body)
        books.inbox.later(received, at)
        if body == b"3":
            books.inbox.done(received)
    books.inbox.come_due(NOW, latest=NOW + 10 * MINUTE)
    assert bodies(books) == [b"2"]
    assert sorted(bodies(books, NOW + HOUR)) == [b"1", b"2"]


# --- afterwards ---


def test_d3_what_was_taken_in_is_forgotten_but_for_its_digest(books: SqlBooks) -> None:
    for nth in range(2):
        put(books, post(b"budi %d" % nth, query=f"sn=SECRET{nth}"))
    (done, waiting) = due(books)
    books.inbox.done(done)
    rows = books.orders._tx.fetch("SELECT * FROM inbox ORDER BY due_at IS NULL")
    left = [(row["digest"], row["query"], row["body"], row["due_at"]) for row in rows]
    kept = waiting.callback
    assert left == [
        (waiting.digest, kept.query, kept.body.decode(), NOW),
        (done.digest, "", "", None),
    ]


def test_o14_what_somebody_else_took_in_meanwhile_stays_taken_in(books: SqlBooks) -> None:
    put(books, post(b"1"))
    (ours,) = due(books)
    assert books.inbox.waits(ours)
    books.inbox.done(ours)
    assert not books.inbox.waits(ours)
    books.inbox.later(ours, NOW)
    assert not books.inbox.waits(ours)
    assert due(books, NOW + FOR_EVER) == []
    books.inbox.done(ours)
    assert not books.inbox.waits(ours)


def test_bells_ring_for_what_is_to_be_taken_in_and_for_nothing_else(
    tx: Transaction, books: SqlBooks
) -> None:
    inbox = SqlInbox(tx)
    inbox.store(ZG, post(b"1"), Trust.HINT, NOW)
    assert rang(tx)
    inbox.store(ZG, post(b"1"), Trust.HINT, NOW)  # it is due already
    assert not rang(tx)
    (received,) = inbox.due(NOW, 1)
    inbox.later(received, NOW + HOUR)
    assert not rang(tx)
    inbox.store(ZG, post(b"1"), Trust.HINT, NOW + 1)
    assert rang(tx)
    inbox.done(received)
    inbox.store(ZG, post(b"1"), Trust.HINT, NOW + 2)
    assert not rang(tx)
