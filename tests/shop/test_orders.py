"""The table of moves: what can happen to an order, and above all what cannot."""

import itertools

import pytest

from shop.cases import EVENT_OF, MOST_EVIDENCE, Answer, Case, CaseKind, answers, with_words
from shop.orders import (
    BY_THE_OWNER,
    ENDED,
    FIRST,
    HOLDS_MONEY,
    MOVES,
    UNPAID,
    Event,
    IllegalMove,
    Order,
    Status,
    may,
    move,
)
from tests.shop.samples import NOW, PATHS, an_order, in_status

PAIRS = list(itertools.product(Status, Event))
AFTER = {
    status: {became for (was, _), became in MOVES.items() if was is status} for status in Status
}


def reachable(start: Status, without: frozenset[Event] = frozenset()) -> set[Status]:
    found, fresh = {start}, {start}
    while fresh:
        fresh = {
            became
            for (was, event), became in MOVES.items()
            if was in fresh and event not in without
        } - found
        found |= fresh
    return found


@pytest.mark.parametrize(("status", "event"), [pair for pair in PAIRS if pair not in MOVES])
def test_o6b_every_pair_that_is_not_in_the_table_is_refused(status: Status, event: Event) -> None:
    order = an_order(status=status)
    assert not may(order, event)
    with pytest.raises(IllegalMove, match=rf"{order.id}: {event} while {status}"):
        move(order, event, NOW + 1)


@pytest.mark.parametrize(("status", "event"), sorted(MOVES))
def test_o6b_a_legal_move_changes_where_it_stands_and_nothing_that_was_confirmed(
    status: Status, event: Event
) -> None:
    order = in_status(status)
    after = move(order, event, NOW + 1)
    assert may(order, event)
    assert (after.status, after.version) == (MOVES[status, event], order.version + 1)
    assert after.changed_at == NOW + 1
    assert confirmed(after) == confirmed(order)


def confirmed(order: Order) -> tuple[object, ...]:
    """What the customer said yes to (O10), and who they are."""
    bought = (order.id, order.key, order.address, order.supplier, order.sku, order.game)
    account = (order.item, order.user_id, order.server, order.target)
    return (*bought, *account, order.listed, order.cost, order.price, order.quote_until)


def test_o6b_every_status_can_be_reached() -> None:
    assert reachable(FIRST) == set(Status)


def test_every_event_but_the_first_is_in_the_table() -> None:
    assert {event for _, event in MOVES} == set(Event) - {Event.PLACED}


@pytest.mark.parametrize("status", sorted(HOLDS_MONEY))
def test_o1_money_that_is_held_ends_with_goods_or_with_the_money_back(status: Status) -> None:
    """O1, L6: no way out but delivered or refunded, and one of them always within reach."""
    on_the_way = reachable(status)
    assert on_the_way <= HOLDS_MONEY | {Status.DELIVERED, Status.REFUNDED}
    for there in on_the_way:
        assert reachable(there) & {Status.DELIVERED, Status.REFUNDED}


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.REFUNDED}))
def test_no_status_is_a_dead_end_but_the_last_one(status: Status) -> None:
    assert AFTER[status]


def test_o2_an_invoice_is_asked_for_only_by_an_order_that_was_just_placed() -> None:
    """O2, O4: nothing leads back to a second submission."""
    into = {(was, event) for (was, event), became in MOVES.items() if became is Status.OPENING}
    assert into == {(Status.PLACED, Event.OPENING_STARTED)}


def test_o4_only_what_was_never_sent_may_be_asked_for_again() -> None:
    into = {(was, event) for (was, event), became in MOVES.items() if became is FIRST}
    assert into == {(Status.OPENING, Event.NOT_SENT)}
    from_unknown = MOVES[Status.OPENING, Event.OUTCOME_UNKNOWN]
    assert Status.OPENING not in reachable(from_unknown)


def test_an_order_that_was_paid_never_waits_for_payment_again() -> None:
    for status in (*HOLDS_MONEY, Status.DELIVERED, Status.REFUNDED):
        assert not reachable(status) & (UNPAID | {Status.EXPIRED, Status.CANCELLED})


def test_o6_what_was_delivered_or_refunded_is_only_ever_corrected_by_the_owner() -> None:
    """O6, L10: nothing that a supplier says moves a final order to another status."""
    assert AFTER[Status.REFUNDED] == set()
    for (was, event), became in MOVES.items():
        if was is Status.DELIVERED and became is not was:
            assert event in BY_THE_OWNER


def test_o6_only_the_owner_returns_money() -> None:
    assert Status.REFUNDED not in reachable(FIRST, without=BY_THE_OWNER)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED])
@pytest.mark.parametrize("event", [Event.SETTLED, Event.DELIVERED, Event.FAILED])
def test_o11_money_that_comes_after_the_end_is_never_ignored(status: Status, event: Event) -> None:
    assert MOVES[status, event] in {*HOLDS_MONEY, Status.DELIVERED}


def test_the_owners_events_are_those_of_his_answers() -> None:
    assert {event for event in EVENT_OF.values() if event is not None} == BY_THE_OWNER
    assert set(EVENT_OF) == set(Answer)


def test_statuses_are_grouped_without_overlap_or_gap() -> None:
    groups = (UNPAID, HOLDS_MONEY, ENDED)
    assert frozenset().union(*groups) == set(Status)
    assert sum(map(len, groups)) == len(Status)


def test_the_samples_stand_where_they_say() -> None:
    assert {status: in_status(status).status for status in PATHS} == {s: s for s in Status}


def a_case(**changes: object) -> Case:
    values: dict[str, object] = {
        "id": "ORDER1-3",
        "order_id": "ORDER1",
        "kind": CaseKind.CONFLICT,
        "evidence": "",
        "opened_at": NOW,
        **changes,
    }
    return Case(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", Status)
def test_a_case_offers_exactly_the_moves_that_are_legal_now(status: Status) -> None:
    order = in_status(status)
    offered = answers(a_case(), order)
    legal = {a for a, event in EVENT_OF.items() if event is not None and may(order, event)}
    assert set(offered) - {Answer.SEEN} == legal


@pytest.mark.parametrize("status", Status)
def test_o1_a_case_is_just_seen_only_when_its_order_has_ended(status: Status) -> None:
    """Else money that is held, or may still come, would be nobody's business any more."""
    assert (Answer.SEEN in answers(a_case(), in_status(status))) is (status in ENDED)


@pytest.mark.parametrize("status", Status)
def test_o1_a_message_said_otherwise_is_just_seen_unless_money_must_go_back(
    status: Status,
) -> None:
    offered = answers(a_case(kind=CaseKind.UNDELIVERED), in_status(status))
    assert (Answer.SEEN in offered) is (status is not Status.REFUND_DUE)


def test_what_is_said_in_a_case_is_kept_once_on_one_line_and_not_without_end() -> None:
    assert with_words("", "gagal") == "gagal"
    assert with_words("gagal", "") == "gagal"
    assert with_words("gagal", "gagal") == "gagal"
    assert with_words("gagal", "sukses") == "gagal · sukses"
    long = with_words("x" * MOST_EVIDENCE, "the end")
    assert len(long) == MOST_EVIDENCE
    assert long.startswith("…")
    assert long.endswith(" · the end")


@pytest.mark.parametrize("status", Status)
def test_o1_a_case_can_be_answered_wherever_there_was_an_invoice(status: Status) -> None:
    order = in_status(status)
    assert bool(answers(a_case(), order)) is (order.invoice is not None)


@pytest.mark.parametrize("status", Status)
def test_a_closed_case_has_no_answers(status: Status) -> None:
    assert answers(a_case(closed_at=NOW), in_status(status)) == ()
