"""Messages owed: in order for each chat, no chat waiting for another, the same one never twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.notices import Notice, NoticeKind
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from storage.outbox import SqlOutbox
from tests.shop.samples import NOW, OWNER, open_books

ANI, BUDI = "web:ani", "web:budi"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        yield opened


@pytest.fixture
def outbox(books: SqlBooks) -> SqlOutbox:
    return books.outbox


def notice(key: str, address: str = BUDI, **facts: str | int | None) -> Notice:
    return Notice(key=key, kind=NoticeKind.STATUS, address=address, order_id="O", facts=facts)


def due(outbox: SqlOutbox, now: int = NOW, most: int = 99) -> list[tuple[str, str]]:
    return [(owed.notice.address, owed.notice.key) for owed in outbox.due(now, most)]


def drained(outbox: SqlOutbox, now: int = NOW) -> list[tuple[str, str]]:
    """Everything in the order in which it would be sent."""
    sent = []
    while found := outbox.due(now, 99):
        for owed in found:
            sent.append((owed.notice.address, owed.notice.key))
            outbox.sent(owed, now)
    return sent


def test_a_message_is_owed_as_it_was_written(outbox: SqlOutbox) -> None:
    written = notice("k", text='a "b" <c> \u202e é', amount=12_000, until=None)
    outbox.owe(written, NOW)
    (owed,) = outbox.due(NOW, 9)
    assert owed.notice == written
    assert (owed.seq, owed.tries, owed.created_at) == (1, 0, NOW)


def test_m2_the_same_message_is_owed_once_even_after_it_was_sent(outbox: SqlOutbox) -> None:
    for _ in range(3):
        outbox.owe(notice("k"), NOW)
    assert drained(outbox) == [(BUDI, "k")]
    outbox.owe(notice("k"), NOW + SECOND)
    assert drained(outbox, NOW + SECOND) == []


def test_m2_an_undeliverable_message_is_not_owed_again(outbox: SqlOutbox) -> None:
    outbox.owe(notice("k"), NOW)
    outbox.undeliverable(outbox.due(NOW, 1)[0], "blocked")
    outbox.owe(notice("k"), NOW + SECOND)
    assert due(outbox, NOW + MINUTE) == []
    assert outbox.oldest() is None


def test_the_same_key_may_be_owed_to_several_people(outbox: SqlOutbox) -> None:
    outbox.owe(notice("k", ANI), NOW)
    outbox.owe(notice("k", BUDI), NOW)
    assert sorted(drained(outbox)) == [(ANI, "k"), (BUDI, "k")]


def test_every_owner_is_owed_an_owners_message(books: SqlBooks) -> None:
    owners = SqlOutbox(books.orders._tx, ("web:one", "web:two"))
    owners.owe_owners(notice("k", "ignored"), NOW)
    assert sorted(drained(owners)) == [("web:one", "k"), ("web:two", "k")]
    assert OWNER not in {"web:one", "web:two"}


def test_m5_each_chat_gets_its_messages_in_order_one_at_a_time(outbox: SqlOutbox) -> None:
    for nth in range(5):
        outbox.owe(notice(f"k{nth}", ANI), NOW)
        outbox.owe(notice(f"k{nth}", BUDI), NOW)
    assert sorted(due(outbox)) == [(ANI, "k0"), (BUDI, "k0")]
    for address in (ANI, BUDI):
        keys = [key for to, key in drained(outbox) if to == address]
        assert keys in ([], ["k0", "k1", "k2", "k3", "k4"])


def test_m5_order_within_a_chat_is_kept_whatever_fails(outbox: SqlOutbox) -> None:
    for nth in range(3):
        outbox.owe(notice(f"k{nth}"), NOW)
    first = outbox.due(NOW, 9)[0]
    outbox.later(first, NOW + MINUTE)
    assert due(outbox) == []
    assert due(outbox, NOW + MINUTE - 1) == []
    assert drained(outbox, NOW + MINUTE) == [(BUDI, "k0"), (BUDI, "k1"), (BUDI, "k2")]


def test_m5_a_poisoned_chat_stops_nobody_else(outbox: SqlOutbox) -> None:
    """A hundred messages to a chat that cannot be reached do not hide the one that can."""
    for nth in range(100):
        outbox.owe(notice(f"k{nth}", "web:poison"), NOW)
    outbox.owe(notice("k", ANI), NOW + 1)
    assert due(outbox, NOW + 1, most=2) == [("web:poison", "k0"), (ANI, "k")]
    outbox.later(outbox.due(NOW, 1)[0], NOW + MINUTE)
    assert due(outbox, NOW + 1, most=1) == [(ANI, "k")]


def test_m5_an_undeliverable_message_lets_the_next_one_pass(outbox: SqlOutbox) -> None:
    outbox.owe(notice("k0"), NOW)
    outbox.owe(notice("k1"), NOW)
    outbox.undeliverable(outbox.due(NOW, 1)[0], "too long")
    assert drained(outbox) == [(BUDI, "k1")]


def test_tries_are_counted(outbox: SqlOutbox) -> None:
    outbox.owe(notice("k"), NOW)
    for nth in range(3):
        (owed,) = outbox.due(NOW + nth, 9)
        assert owed.tries == nth
        outbox.later(owed, NOW + nth + 1)
    assert outbox.oldest() == NOW


def test_when_to_look_again_is_known(outbox: SqlOutbox) -> None:
    assert outbox.next_at(NOW) is None
    outbox.owe(notice("k"), NOW)
    assert outbox.next_at(NOW) is None  # it is due already
    outbox.later(outbox.due(NOW, 1)[0], NOW + MINUTE)
    outbox.owe(notice("k", ANI), NOW + 2 * MINUTE)
    assert outbox.next_at(NOW) == NOW + MINUTE
    assert outbox.next_at(NOW + MINUTE) == NOW + 2 * MINUTE


def test_what_a_clock_that_was_ahead_put_off_comes_due_and_the_rest_stays(
    outbox: SqlOutbox,
) -> None:
    for address, later in ((ANI, NOW + HOUR), (BUDI, NOW + HOUR + 1)):
        outbox.owe(notice("k", address), NOW)
        outbox.later(next(o for o in outbox.due(NOW, 9) if o.notice.address == address), later)
    outbox.owe(notice("sent", OWNER), NOW)
    outbox.sent(outbox.due(NOW, 9)[0], NOW)
    outbox.come_due(NOW, latest=NOW + HOUR)
    assert due(outbox) == [(BUDI, "k")]
    assert outbox.next_at(NOW) == NOW + HOUR


def test_where_a_message_was_shown_is_remembered_for_editing(outbox: SqlOutbox) -> None:
    assert outbox.shown_as("O", BUDI, "status") == ""
    for key, message_id in (("a", "m1"), ("b", "m2"), ("c", "")):
        outbox.owe(notice(key), NOW)
        outbox.sent(outbox.due(NOW, 1)[0], NOW, "status", message_id)
    assert outbox.shown_as("O", BUDI, "status") == "m2"
    assert outbox.shown_as("O", BUDI, "qr") == ""
    assert outbox.shown_as("O", ANI, "status") == ""
    assert outbox.shown_as("P", BUDI, "status") == ""
