"""Messages owed: in order for each chat, no chat waiting for another, the same one never twice."""

import pytest

from shop.notices import Lane, Notice, NoticeKind
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from storage.outbox import SqlOutbox
from tests.shop.samples import NOW, OWNER

ANI, BUDI = "web:ani", "web:budi"


@pytest.fixture
def outbox(books: SqlBooks) -> SqlOutbox:
    return books.outbox


def notice(key: str, address: str = BUDI, **facts: str | int | None) -> Notice:
    return Notice(key=key, kind=NoticeKind.STATUS, address=address, order_id="O", facts=facts)


def alert(key: str, address: str = BUDI) -> Notice:
    """A message of the slow lane."""
    return Notice(key=key, kind=NoticeKind.ALERT, address=address)


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
    outbox.undeliverable(outbox.due(NOW, 1)[0], "blocked", NOW)
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
    outbox.undeliverable(outbox.due(NOW, 1)[0], "too long", NOW)
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


# --- lanes ----------------------------------------------------------------------------------------


def test_m5_a_message_about_an_order_does_not_wait_for_the_slow_ones_of_its_chat(
    outbox: SqlOutbox,
) -> None:
    for nth in range(5):
        outbox.owe(alert(f"slow{nth}"), NOW)
    outbox.owe(notice("order"), NOW + 1)
    assert due(outbox, NOW + 1) == [(BUDI, "order"), (BUDI, "slow0")]
    assert drained(outbox, NOW + 1)[0] == (BUDI, "order")


def test_m5_each_lane_of_a_chat_keeps_its_order(outbox: SqlOutbox) -> None:
    for nth in range(4):
        outbox.owe(alert(f"slow{nth}"), NOW)
        outbox.owe(notice(f"order{nth}"), NOW)
    found = [key for _, key in drained(outbox)]
    for lane in ("slow", "order"):
        assert [key for key in found if lane in key] == [f"{lane}{nth}" for nth in range(4)]


def test_a_lane_that_waits_for_another_try_does_not_stop_the_other(outbox: SqlOutbox) -> None:
    for nth in range(2):
        outbox.owe(alert(f"slow{nth}"), NOW)
        outbox.owe(notice(f"order{nth}"), NOW)
    (order,) = outbox.due(NOW, 9, Lane.ORDERS)
    outbox.later(order, NOW + HOUR)
    assert drained(outbox, NOW + MINUTE) == [(BUDI, "slow0"), (BUDI, "slow1")]


def test_one_lane_is_read_without_the_other(outbox: SqlOutbox) -> None:
    outbox.owe(alert("slow"), NOW)
    outbox.owe(notice("order"), NOW)
    for lane, key in ((Lane.ORDERS, "order"), (Lane.SLOW, "slow")):
        assert [(owed.lane, owed.notice.key) for owed in outbox.due(NOW, 9, lane)] == [(lane, key)]


def test_what_failed_before_does_not_hide_what_was_never_tried(outbox: SqlOutbox) -> None:
    for nth in range(50):
        outbox.owe(notice("k", f"web:poison{nth:02}"), NOW)
    for owed in outbox.due(NOW, 99):
        outbox.later(owed, NOW + SECOND)
    outbox.owe(notice("k", ANI), NOW + MINUTE)
    assert ANI not in [to for to, _ in due(outbox, NOW + MINUTE, most=10)]
    found = outbox.fresh(NOW + MINUTE, 10, Lane.ORDERS)
    assert [owed.notice.address for owed in found] == [ANI]


def test_chats_with_much_to_say_take_turns(outbox: SqlOutbox) -> None:
    for nth in range(3):
        outbox.owe(notice(f"k{nth}", ANI), NOW)
    outbox.owe(notice("k", BUDI), NOW + 1)
    (first,) = outbox.due(NOW + 1, 1)
    outbox.sent(first, NOW + 2)
    assert due(outbox, NOW + 2) == [(BUDI, "k"), (ANI, "k1")]


def test_what_waits_is_counted_and_dated_for_each_lane(outbox: SqlOutbox) -> None:
    assert outbox.waiting() == {Lane.ORDERS: 0, Lane.SLOW: 0}
    assert [outbox.oldest(lane) for lane in (None, *Lane)] == [None, None, None]
    outbox.owe(notice("sent"), NOW - MINUTE)
    outbox.sent(outbox.due(NOW, 1)[0], NOW)
    for nth in range(3):
        outbox.owe(alert(f"slow{nth}"), NOW + nth)
    outbox.owe(notice("order"), NOW + SECOND)
    assert outbox.waiting() == {Lane.ORDERS: 1, Lane.SLOW: 3}
    assert [outbox.oldest(lane) for lane in (None, *Lane)] == [NOW, NOW + SECOND, NOW]


# --- two workers for a moment ---------------------------------------------------------------------


def test_a_late_note_of_another_process_changes_nothing(outbox: SqlOutbox) -> None:
    outbox.owe(notice("k0"), NOW)
    outbox.owe(notice("k1"), NOW)
    (read_by_both,) = outbox.due(NOW, 9)
    assert outbox.sent(read_by_both, NOW, "status", "m1")
    assert not outbox.sent(read_by_both, NOW + 1, "status", "m2")
    assert not outbox.later(read_by_both, NOW + HOUR)
    assert not outbox.undeliverable(read_by_both, "blocked", NOW)
    assert outbox.shown_as("O", BUDI, "status") == "m1"
    assert drained(outbox) == [(BUDI, "k1")]


def test_a_try_that_failed_twice_at_once_is_noted_once(outbox: SqlOutbox) -> None:
    outbox.owe(notice("k"), NOW)
    (read_by_both,) = outbox.due(NOW, 9)
    assert outbox.later(read_by_both, NOW + SECOND)
    assert not outbox.later(read_by_both, NOW + HOUR)
    assert not outbox.undeliverable(read_by_both, "blocked", NOW)
    (owed,) = outbox.due(NOW + SECOND, 9)
    assert owed.tries == 1


def test_what_was_sent_is_noted_even_if_another_process_failed_meanwhile(
    outbox: SqlOutbox,
) -> None:
    outbox.owe(notice("k"), NOW)
    (read_by_both,) = outbox.due(NOW, 9)
    outbox.later(read_by_both, NOW + HOUR)
    assert outbox.sent(read_by_both, NOW)
    assert drained(outbox, NOW + HOUR) == []


def test_a_given_up_message_stays_given_up(outbox: SqlOutbox) -> None:
    outbox.owe(notice("k"), NOW)
    (read_by_both,) = outbox.due(NOW, 9)
    assert outbox.undeliverable(read_by_both, "blocked", NOW)
    assert not outbox.later(read_by_both, NOW)
    assert drained(outbox, NOW + HOUR) == []


# --- what an older program wrote ------------------------------------------------------------------


def test_m5_rows_of_an_older_program_keep_their_order(outbox: SqlOutbox) -> None:
    """It gave every message a time of its own, and did not pass it on."""
    for nth in range(4):
        outbox.owe(notice(f"k{nth}"), NOW)
    outbox._tx.execute("UPDATE outbox SET due_at = :now", {"now": NOW})
    assert due(outbox) == [(BUDI, "k0")]
    assert drained(outbox) == [(BUDI, f"k{nth}") for nth in range(4)]


def test_m5_the_backlog_of_an_older_program_hides_nobody_after_a_start(outbox: SqlOutbox) -> None:
    for nth in range(50):
        outbox.owe(notice(f"k{nth}", "web:poison"), NOW)
    outbox.later(outbox.due(NOW, 1)[0], NOW + MINUTE)
    outbox._tx.execute("UPDATE outbox SET due_at = :now WHERE seq > 1", {"now": NOW})
    outbox.owe(notice("k", ANI), NOW + 1)
    outbox.come_due(NOW + 1, latest=NOW + HOUR)
    assert due(outbox, NOW + 1, most=5) == [(ANI, "k")]
    assert len(drained(outbox, NOW + MINUTE)) == 51


def test_a_head_that_nobody_made_due_comes_due_at_the_next_start(outbox: SqlOutbox) -> None:
    for nth in range(4):
        outbox.owe(notice(f"k{nth}"), NOW)
    # As an older program notes it: the next one is not made due.
    outbox._tx.execute("UPDATE outbox SET due_at = NULL, sent_at = 1 WHERE seq = 1")
    assert due(outbox, NOW + HOUR) == []
    outbox.come_due(NOW, latest=NOW + HOUR)
    assert drained(outbox) == [(BUDI, f"k{nth}") for nth in range(1, 4)]


# --- another try ----------------------------------------------------------------------------------


def test_what_waits_for_another_try_in_a_chat_can_be_made_due(outbox: SqlOutbox) -> None:
    for address in (ANI, BUDI):
        for nth in range(3):
            outbox.owe(notice(f"order{nth}", address), NOW)
            outbox.owe(alert(f"slow{nth}", address), NOW)
    for owed in outbox.due(NOW, 9):
        outbox.later(owed, NOW + HOUR)
    outbox.try_again(BUDI, NOW + SECOND)
    assert due(outbox, NOW + SECOND) == [(BUDI, "order0"), (BUDI, "slow0")]
    assert outbox.next_at(NOW + SECOND) == NOW + HOUR
