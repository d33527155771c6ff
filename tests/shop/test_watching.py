"""When a supplier is asked again: often while money is likely, never too often, never by chance."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.orders import HOUSE, Order, Status
from shop.time import HOUR, MINUTE, SECOND
from shop.watching import (
    GRACE,
    LIKELY_UNTIL,
    TAKES_LONG,
    can_be_asked_about,
    ends_at,
    lapses_at,
    next_question,
    undecided_at,
)
from tests.shop.samples import NOW, POLL, PREPAID, M, an_attempt, an_invoice, in_status

END = NOW + 15 * MINUTE  # of the sample's QR
OPEN = (Status.AWAITING_PAYMENT, Status.PROCESSING)
# What is paid and not ordered yet is no question: it is ordered at once.
ASKED = tuple(status for status in Status if status is not Status.PAID)
SPANS = st.integers(min_value=0, max_value=72 * HOUR)
POLLS = st.integers(min_value=SECOND, max_value=MINUTE)


@st.composite
def orders(draw: st.DrawFn, statuses: tuple[Status, ...] = ASKED) -> Order:
    """An order in any status, its QR's end told or not, its goods with or without a number."""
    end = draw(st.none() | st.integers(min_value=NOW - HOUR, max_value=NOW + 24 * HOUR))
    status = draw(st.sampled_from(statuses))
    paid_by: list[dict[str, Any]] = [{}, {"method": M.DEPOSIT}]
    order = in_status(status, **draw(st.sampled_from(paid_by)))
    settled_at = draw(st.none() | st.just(NOW)) if order.status is Status.PROCESSING else None
    return replace(
        order,
        invoice=None if order.invoice is None else an_invoice(expires_at=end),
        serial=draw(st.sampled_from(["", "SN1"])),
        settled_at=settled_at,
    )


def at(order: Order, span: int, poll: int = POLL) -> int | None:
    """How long after ``NOW + span`` the next question comes."""
    due = next_question(order, NOW + span, poll)
    return None if due is None else due - NOW - span


@given(orders(), SPANS, POLLS)
def test_the_next_question_lies_ahead_or_nowhere(order: Order, span: int, poll: int) -> None:
    now = NOW + span
    due = next_question(order, now, poll)
    assert due is None or due > now


@given(orders(), SPANS, POLLS, st.integers(min_value=0, max_value=HOUR))
def test_nobody_is_asked_more_often_than_the_poll_allows(
    order: Order, span: int, poll: int, fair: int
) -> None:
    now = order.changed_at + 1 + span  # at its last move it was not asked about, but changed
    due = next_question(order, now, poll, fair)
    assert due is None or due >= now + poll


@given(st.sampled_from(OPEN), POLLS, st.data())
def test_nobody_is_asked_more_often_around_the_moments_that_decide(
    status: Status, poll: int, data: st.DataObject
) -> None:
    order = in_status(data.draw(st.sampled_from([status, Status.CANCELLED, Status.EXPIRED])))
    moment = data.draw(st.sampled_from([ends_at(order), ends_at(order) + SECOND, lapses_at(order)]))
    now = moment - data.draw(st.integers(min_value=0, max_value=2 * poll))
    due = next_question(order, now, poll)
    assert due is None or due >= now + poll


@given(orders(OPEN), SPANS, POLLS)
def test_o13_an_order_that_is_open_always_has_a_next_question(
    order: Order, span: int, poll: int
) -> None:
    assert next_question(order, NOW + span, poll) is not None


@given(orders(OPEN), SPANS, st.integers(min_value=0, max_value=HOUR))
def test_an_open_order_is_never_left_alone_for_long(order: Order, span: int, fair: int) -> None:
    """Five minutes while it is the supplier's, ten once it is a case, an hour after a day."""
    now, undecided = NOW + span, undecided_at(order)
    longest = 5 * MINUTE
    if order.status is Status.AWAITING_PAYMENT and now >= undecided:
        longest = 10 * MINUTE if now < undecided + 24 * HOUR else HOUR
    due = next_question(order, now, POLL, fair)
    assert due is not None
    assert due - now <= longest


@given(st.integers(min_value=0, max_value=300), SPANS)
def test_a_qr_falls_due_as_if_it_were_alone_however_many_others_wait(
    waiting: int, span: int
) -> None:
    """Its place in the queue slows it down, and nothing else: no part of the budget lies idle."""
    order = in_status(Status.AWAITING_PAYMENT)
    assert next_question(order, NOW + span, POLL, waiting * SECOND) == (
        next_question(order, NOW + span, POLL)
    )


@pytest.mark.parametrize(
    ("waiting", "span", "wait"),
    [
        (1, 0, POLL),
        (5, 0, POLL),
        (6, 0, 6 * SECOND),
        (60, 0, MINUTE),
        (300, 0, MINUTE),
        (19, 2 * MINUTE, 4 * POLL),
        (21, 2 * MINUTE, 21 * SECOND),
        (300, TAKES_LONG, 5 * MINUTE),
    ],
)
def test_who_has_paid_lets_all_others_have_their_turn_first(
    waiting: int, span: int, wait: int
) -> None:
    now = NOW + span
    due = next_question(in_status(Status.PROCESSING), now, POLL, waiting * SECOND)
    assert due == now + wait


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PROCESSING}))
def test_only_what_is_being_delivered_minds_how_many_others_wait(status: Status) -> None:
    order = in_status(status)
    assert next_question(order, NOW, POLL, HOUR) == next_question(order, NOW, POLL)


@pytest.mark.parametrize("status", [Status.PLACED, Status.OPENING])
def test_an_order_without_an_invoice_has_nothing_to_be_asked_about(status: Status) -> None:
    assert at(in_status(status), 0) is None


@pytest.mark.parametrize(
    ("span", "wait"),
    [
        (0, POLL),
        (LIKELY_UNTIL - 1, POLL),
        (LIKELY_UNTIL, 2 * POLL),
        (15 * MINUTE - 1, 2 * POLL),
        (15 * MINUTE, 12 * POLL),  # the QR has run out; a payment may still be on its way
        (17 * MINUTE - 30 * SECOND, 30 * SECOND),  # asked at the moment it may lapse
        (17 * MINUTE, 12 * POLL),
        (47 * MINUTE - 1, 12 * POLL),
        (47 * MINUTE, 10 * MINUTE),  # nobody says whether it was paid: it is a case
        (24 * HOUR + 47 * MINUTE - 1, 10 * MINUTE),
        (24 * HOUR + 47 * MINUTE, HOUR),
    ],
)
def test_a_qr_is_watched_thinner_as_it_ages(span: int, wait: int) -> None:
    assert at(in_status(Status.AWAITING_PAYMENT), span) == wait


@pytest.mark.parametrize(
    ("span", "wait"),
    [
        (0, POLL),
        (2 * MINUTE - 1, POLL),
        (2 * MINUTE, 4 * POLL),
        (TAKES_LONG - 1, 4 * POLL),
        (TAKES_LONG, 5 * MINUTE),
        (24 * HOUR, 5 * MINUTE),
    ],
)
def test_a_paid_order_is_watched_by_the_time_since_it_was_paid(span: int, wait: int) -> None:
    order = replace(in_status(Status.PROCESSING), settled_at=NOW, changed_at=NOW - HOUR)
    assert at(order, span) == wait


@given(st.integers(min_value=0, max_value=24 * HOUR), POLLS)
def test_o11_no_question_is_missed_at_the_moment_an_unpaid_order_may_lapse(
    span: int, poll: int
) -> None:
    """An order watched from any moment on is asked at its lapse, or one poll from now."""
    order = in_status(Status.AWAITING_PAYMENT)
    now = lapses_at(order) - 1 - span
    due = next_question(order, now, poll)
    assert due is not None
    assert due <= max(lapses_at(order), now + poll)


def test_o11_grace_is_two_minutes_after_the_end_the_supplier_named() -> None:
    order = in_status(Status.AWAITING_PAYMENT)
    assert (ends_at(order), lapses_at(order)) == (END, END + GRACE)
    assert GRACE == 2 * MINUTE


def test_o11_where_the_supplier_named_no_end_the_quotes_end_counts() -> None:
    order = replace(in_status(Status.AWAITING_PAYMENT), invoice=an_invoice(expires_at=None))
    assert ends_at(order) == order.quote_until


LATE = (5 * MINUTE, 30 * MINUTE, 6 * HOUR, 24 * HOUR)


def asked_after(order: Order, start: int) -> list[int]:
    """The moments of every further question, if each is asked and answered when due."""
    moments: list[int] = []
    due = next_question(order, start, POLL)
    while due is not None and len(moments) < 100:
        moments.append(due)
        due = next_question(order, due, POLL)
    return moments


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.CANCELLED])
def test_o11_late_money_is_looked_for_at_four_moments_after_the_end(status: Status) -> None:
    order = in_status(status)
    assert asked_after(order, END + SECOND) == [END + offset for offset in LATE]


def test_o11_late_money_is_looked_for_after_the_lapse_however_late_that_was() -> None:
    """The supplier was away for two days, and then said that nobody had paid."""
    lapsed_at = END + 48 * HOUR
    order = replace(in_status(Status.EXPIRED), changed_at=lapsed_at)
    assert asked_after(order, lapsed_at) == [lapsed_at + offset for offset in LATE]


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.CANCELLED])
def test_o11_a_hidden_qr_is_watched_while_it_can_still_be_paid(status: Status) -> None:
    hidden_at = NOW + 7 * SECOND
    moments = [hidden_at, *asked_after(in_status(status), hidden_at)]
    assert END + SECOND in moments  # once more when the supplier may have ended it too
    until_the_end = moments[: moments.index(END + SECOND) + 1]
    pauses = [b - a for a, b in itertools.pairwise(until_the_end)]
    assert max(pauses) <= 12 * POLL


@pytest.mark.parametrize(
    ("status", "offsets"),
    [
        (Status.REFUND_DUE, LATE),
        (Status.DELIVERED, (MINUTE, 5 * MINUTE, 30 * MINUTE, 6 * HOUR)),
        (Status.REFUNDED, ()),
    ],
)
def test_what_was_decided_is_looked_at_again_a_few_times(
    status: Status, offsets: tuple[int, ...]
) -> None:
    assert asked_after(in_status(status), NOW) == [NOW + offset for offset in offsets]


def test_goods_with_their_serial_number_need_no_further_question() -> None:
    assert at(replace(in_status(Status.DELIVERED), serial="SN1"), 0) is None


# --- paid from our balance ---


@pytest.mark.parametrize(
    ("tries", "wait"), [(0, 0), (1, 15 * SECOND), (2, 30 * SECOND), (7, 5 * MINUTE)]
)
def test_what_is_paid_is_ordered_at_once_and_again_soon_if_that_never_left(
    tries: int, wait: int
) -> None:
    order = replace(in_status(Status.PAID), tries=tries)
    assert at(order, 0) == wait
    assert at(order, HOUR) == wait


def test_o3_an_order_that_is_being_made_is_not_asked_about_meanwhile() -> None:
    being_made = replace(in_status(Status.SUBMITTING), attempt=None)
    assert at(being_made, 0) is None


def test_o4_what_may_have_been_ordered_is_asked_about_soon_and_then_every_minute() -> None:
    """As the table of suppliers.md, B3, has it; and never twice within a poll."""
    asked = [moment - NOW for moment in asked_after(in_status(Status.UNSURE), NOW)[:7]]
    soon = [2 * SECOND, 7 * SECOND, 15 * SECOND, 30 * SECOND]
    assert asked == [*soon, *(30 * SECOND + nth * MINUTE for nth in (1, 2, 3))]


@pytest.mark.parametrize("status", sorted(set(PREPAID) - {Status.PAID, Status.SUBMITTING}))
@pytest.mark.parametrize(
    ("by_our_ref", "supplier_ref", "known"),
    [(True, "", True), (False, "77", True), (False, "", False)],
)
def test_an_order_is_asked_about_only_where_the_supplier_can_find_it(
    status: Status, by_our_ref: bool, supplier_ref: str, known: bool
) -> None:
    order = in_status(status, method=M.DEPOSIT)
    if order.attempt is None:
        return
    attempt = an_attempt(order, nth=1, by_our_ref=by_our_ref, supplier_ref=supplier_ref)
    order = replace(order, attempt=attempt, alarmed=True)
    assert can_be_asked_about(order) is known
    assert (at(order, 0) is not None) is known


@pytest.mark.parametrize("status", [Status.PROCESSING, Status.UNSURE])
def test_o1_who_waits_for_what_nobody_can_be_asked_about_is_told_once_that_it_takes_long(
    status: Status,
) -> None:
    order = in_status(status, method=M.DEPOSIT)
    order = replace(order, attempt=an_attempt(order, nth=1, by_our_ref=False))
    assert [at(order, span) for span in (0, MINUTE, TAKES_LONG, HOUR)] == [
        TAKES_LONG,
        TAKES_LONG - MINUTE,
        0,
        0,
    ]
    assert at(replace(order, alarmed=True), HOUR) is None
    assert at(replace(order, supplier=HOUSE), 0) is None  # cash: the owner sends it


def test_what_was_refunded_before_it_was_ordered_is_left_alone() -> None:
    order = replace(in_status(Status.REFUNDED, method=M.DEPOSIT), attempt=None, tries=0)
    assert at(order, 0) is None


def test_a_refund_is_looked_at_again_for_goods_that_came_all_the_same() -> None:
    order = in_status(Status.REFUNDED, method=M.DEPOSIT)
    assert asked_after(order, NOW) == [NOW + offset for offset in LATE]


OWN_QRIS: dict[str, Any] = {"method": M.QRIS, "gateway": HOUSE}


def test_the_owners_own_qris_is_asked_about_nowhere_and_lapses_after_its_end() -> None:
    order = in_status(Status.AWAITING_PAYMENT, **OWN_QRIS)
    assert next_question(order, NOW, POLL) == lapses_at(order)
    late = lapses_at(order) + HOUR
    assert next_question(order, late, POLL) == late


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.CANCELLED])
def test_nobody_can_be_asked_about_late_money_on_the_owners_own_qris(status: Status) -> None:
    assert at(in_status(status, **OWN_QRIS), 0) is None


@pytest.mark.parametrize("changes", [{"price": 1}, {"claimed_at": NOW}])
def test_only_status_time_and_invoice_matter(changes: dict[str, Any]) -> None:
    order = in_status(Status.AWAITING_PAYMENT)
    assert at(replace(order, **changes), 0) == at(order, 0)
