"""The table of moves: what can happen to an order, and above all what cannot."""

import itertools
from collections.abc import Mapping

import pytest

from shop.cases import (
    EVENTS_OF,
    MOST_EVIDENCE,
    Answer,
    Case,
    CaseKind,
    answers,
    event_of,
    with_words,
)
from shop.orders import (
    BY_THE_OWNER,
    CASH,
    CREDIT,
    ENDED,
    FIRST,
    HOLDS_MONEY,
    HOUSE,
    MOVES,
    PAID_FOR,
    UNPAID,
    Event,
    IllegalMove,
    Order,
    Status,
    may,
    move,
    moves_of,
)
from shop.payments import PaymentMethod
from tests.shop.samples import DROPSHIP, NOW, PREPAID, E, M, S, an_order, in_status

Moves = Mapping[tuple[Status, Event], Status]
# Whoever is paid also delivers, or the money comes first: two tables, and each is tried apart.
TABLES: Mapping[PaymentMethod, Moves] = {
    method: moves_of(an_order(method=method)) for method in (M.DROPSHIP, M.DEPOSIT)
}
PAIRS = list(itertools.product(TABLES, Status, Event))
LEGAL = [(method, was, event) for method, was, event in PAIRS if (was, event) in TABLES[method]]
STANDS = [
    *((M.DROPSHIP, status) for status in sorted(DROPSHIP)),
    *((M.DEPOSIT, status) for status in sorted(PREPAID)),
]
WITH_MONEY = [(method, status) for method, status in STANDS if status in HOLDS_MONEY]
BACK = {S.DELIVERED, S.REFUNDED}


def reachable(moves: Moves, start: Status, without: frozenset[Event] = frozenset()) -> set[Status]:
    found, fresh = {start}, {start}
    while fresh:
        fresh = {
            became
            for (was, event), became in moves.items()
            if was in fresh and event not in without
        } - found
        found |= fresh
    return found


def into(moves: Moves, status: Status) -> set[tuple[Status, Event]]:
    """The moves that lead there from elsewhere."""
    return {(was, event) for (was, event), became in moves.items() if became is status is not was}


@pytest.mark.parametrize(("method", "status", "event"), sorted(set(PAIRS) - set(LEGAL)))
def test_o6b_every_pair_that_is_not_in_the_table_is_refused(
    method: PaymentMethod, status: Status, event: Event
) -> None:
    order = an_order(method=method, status=status)
    assert not may(order, event)
    with pytest.raises(IllegalMove, match=rf"{order.id}: {event} while {status}"):
        move(order, event, NOW + 1)


@pytest.mark.parametrize(("method", "status", "event"), LEGAL)
def test_o6b_a_legal_move_changes_where_it_stands_and_nothing_that_was_confirmed(
    method: PaymentMethod, status: Status, event: Event
) -> None:
    order = in_status(status, method=method)
    after = move(order, event, NOW + 1)
    assert may(order, event)
    assert (after.status, after.version) == (TABLES[method][status, event], order.version + 1)
    assert after.changed_at == NOW + 1
    assert confirmed(after) == confirmed(order)


def confirmed(order: Order) -> tuple[object, ...]:
    """What the customer said yes to (O10), and who they are."""
    bought = (order.id, order.key, order.address, order.supplier, order.sku, order.game)
    account = (order.item, order.user_id, order.server, order.target, order.payout)
    paid = (order.listed, order.cost, order.price, order.method, order.gateway)
    return (*bought, *account, *paid, order.quote_until)


def test_every_way_to_pay_but_dropship_has_the_moves_of_prepaid_orders() -> None:
    for method in set(PaymentMethod) - {M.DROPSHIP}:
        assert an_order(method=method).is_prepaid
        assert moves_of(an_order(method=method)) == TABLES[M.DEPOSIT]
    assert {**TABLES[M.DROPSHIP], **TABLES[M.DEPOSIT]} == MOVES


def test_what_both_tables_have_leads_to_the_same_place() -> None:
    """Else an event of the history would mean one thing here and another there."""
    one, other = TABLES.values()
    assert all(one[pair] is other[pair] for pair in one.keys() & other.keys())


def test_o6b_every_status_can_be_reached() -> None:
    assert reachable(TABLES[M.DROPSHIP], FIRST) == set(DROPSHIP)
    assert reachable(TABLES[M.DEPOSIT], FIRST) == set(PREPAID) == set(Status)


def test_every_event_but_the_first_is_in_the_table() -> None:
    assert {event for _, event in MOVES} == set(Event) - {Event.PLACED}


@pytest.mark.parametrize(("method", "status"), WITH_MONEY)
def test_o1_money_that_is_held_ends_with_goods_or_with_the_money_back(
    method: PaymentMethod, status: Status
) -> None:
    """O1, L6: no way out but delivered or refunded, and both of them always within reach."""
    moves = TABLES[method]
    on_the_way = reachable(moves, status)
    assert on_the_way <= HOLDS_MONEY | BACK
    for there in on_the_way - {S.REFUNDED}:
        assert reachable(moves, there) >= BACK


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_no_status_is_a_dead_end_but_the_last_one(method: PaymentMethod, status: Status) -> None:
    ways_out = {became for (was, _), became in TABLES[method].items() if was is status} - {status}
    assert bool(ways_out) is (status is not S.REFUNDED)


@pytest.mark.parametrize("method", TABLES)
def test_o2_an_invoice_is_asked_for_only_by_an_order_that_was_just_placed(
    method: PaymentMethod,
) -> None:
    """O2, O4: nothing leads back to a second one."""
    assert into(TABLES[method], S.OPENING) == {(S.PLACED, E.OPENING_STARTED)}


@pytest.mark.parametrize("method", TABLES)
def test_o4_only_what_was_never_sent_may_be_asked_for_again(method: PaymentMethod) -> None:
    moves = TABLES[method]
    assert into(moves, FIRST) == {(S.OPENING, E.NOT_SENT)}
    assert S.OPENING not in reachable(moves, moves[S.OPENING, E.OUTCOME_UNKNOWN])


def test_o4_an_order_is_made_from_our_balance_only_when_it_is_paid() -> None:
    assert into(TABLES[M.DEPOSIT], S.SUBMITTING) == {(S.PAID, E.SUBMISSION_STARTED)}
    assert E.SUBMISSION_STARTED not in {event for _, event in TABLES[M.DROPSHIP]}


def test_o4_only_the_owner_has_what_may_have_been_ordered_ordered_again() -> None:
    """From UNSURE no path leads to a submission but over the owner's own word."""
    moves = TABLES[M.DEPOSIT]
    assert S.SUBMITTING in reachable(moves, S.UNSURE)
    # Over a supplier's own word that it has accepted, and then certainly failed, it goes elsewhere.
    elsewhere = frozenset({E.PROCEEDED, E.REROUTED})
    assert S.SUBMITTING not in reachable(moves, S.UNSURE, without=elsewhere)
    assert E.PROCEEDED in BY_THE_OWNER
    assert (S.UNSURE, E.REROUTED) not in moves


@pytest.mark.parametrize("status", [S.PROCESSING, S.PARTLY_DELIVERED, S.DELIVERED, S.REFUNDED])
def test_o4_what_a_supplier_took_on_is_never_ordered_there_again_by_itself(status: Status) -> None:
    by_itself = reachable(TABLES[M.DEPOSIT], status, without=BY_THE_OWNER | frozenset({E.REROUTED}))
    assert not by_itself & {S.PAID, S.SUBMITTING}


def test_o5_an_order_goes_elsewhere_only_from_where_it_is_certain_that_nobody_delivers() -> None:
    moves = TABLES[M.DEPOSIT]
    froms = {was for was, event in moves if event is E.REROUTED}
    assert froms == {S.PAID, S.SUBMITTING, S.PROCESSING}
    assert {moves[was, E.REROUTED] for was in froms} == {S.PAID}
    assert all(event is not E.REROUTED for _, event in TABLES[M.DROPSHIP])


@pytest.mark.parametrize("method", TABLES)
def test_an_order_that_was_paid_never_waits_for_payment_again(method: PaymentMethod) -> None:
    for status in PAID_FOR:
        unpaid = UNPAID | {S.EXPIRED, S.CANCELLED}
        assert not reachable(TABLES[method], status) & unpaid


@pytest.mark.parametrize("method", TABLES)
def test_o6_what_was_delivered_or_refunded_is_only_ever_corrected_by_the_owner(
    method: PaymentMethod,
) -> None:
    """O6, L10: nothing that a supplier says moves a final order to another status."""
    for (was, event), became in TABLES[method].items():
        assert was is not S.REFUNDED or became is S.REFUNDED
        if was is S.DELIVERED and became is not was:
            assert event in BY_THE_OWNER


def test_o6_dropship_money_is_returned_by_the_owner_and_prepaid_money_may_become_credit() -> None:
    assert S.REFUNDED not in reachable(TABLES[M.DROPSHIP], FIRST, without=BY_THE_OWNER)
    without = BY_THE_OWNER | {E.CREDITED}
    assert S.REFUNDED not in reachable(TABLES[M.DEPOSIT], FIRST, without=without)
    assert E.CREDITED not in {event for _, event in TABLES[M.DROPSHIP]}


@pytest.mark.parametrize("status", [S.CANCELLED, S.EXPIRED])
@pytest.mark.parametrize(
    ("method", "event"),
    [
        (M.DROPSHIP, E.SETTLED),
        (M.DROPSHIP, E.DELIVERED),
        (M.DROPSHIP, E.FAILED),
        (M.DROPSHIP, E.PAYMENT_FOUND),
        (M.DEPOSIT, E.PAID_LATE),
        (M.DEPOSIT, E.PAID_WRONG),
    ],
)
def test_o11_money_that_comes_after_the_end_is_never_ignored(
    method: PaymentMethod, status: Status, event: Event
) -> None:
    assert TABLES[method][status, event] in {*HOLDS_MONEY, S.DELIVERED}


def test_the_owners_events_are_those_of_his_answers() -> None:
    """Money that came, or goes into the wallet, is noted by the shop as well as by the owner."""
    said = {event for events in EVENTS_OF.values() for event in events}
    assert said == BY_THE_OWNER | {E.PAID, E.PAID_LATE, E.CREDITED}
    assert set(EVENTS_OF) == set(Answer) - {Answer.SEEN, Answer.ADJUST}


def test_statuses_are_grouped_without_overlap_or_gap() -> None:
    groups = (UNPAID, HOLDS_MONEY, ENDED)
    assert frozenset().union(*groups) == set(Status)
    assert sum(map(len, groups)) == len(Status)
    assert PAID_FOR == HOLDS_MONEY | BACK


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_the_samples_stand_where_they_say(method: PaymentMethod, status: Status) -> None:
    order = in_status(status, method=method)
    assert order.status is status
    assert (order.received > 0) is (status in PAID_FOR)


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_who_is_paid_is_asked_until_it_is_paid_and_then_who_delivers(
    method: PaymentMethod, status: Status
) -> None:
    order = in_status(status, method=method, supplier="zonegame", gateway="zultopup")
    assert order.asks == ("zonegame" if status in PAID_FOR else "zultopup")


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


def legal(order: Order) -> dict[Answer, Event]:
    """Each answer whose event is a legal move now, the first of them; none before an invoice."""
    return (
        {}
        if order.invoice is None
        else {
            answer: next(event for event in events if may(order, event))
            for answer, events in EVENTS_OF.items()
            if any(may(order, event) for event in events)
        }
    )


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_a_case_offers_exactly_the_moves_that_are_legal_now(
    method: PaymentMethod, status: Status
) -> None:
    order = in_status(status, method=method)
    offered = answers(a_case(), order)
    assert set(offered) - {Answer.SEEN} == set(legal(order))
    assert {answer: event_of(answer, order) for answer in legal(order)} == legal(order)


def test_a_loss_is_recorded_once() -> None:
    refunded = in_status(S.REFUNDED, method=M.DEPOSIT)
    assert Answer.LOSS in answers(a_case(), refunded)
    lost = in_status(S.REFUNDED, method=M.DEPOSIT, lost=True)
    assert answers(a_case(), lost) == (Answer.SEEN,)
    assert event_of(Answer.LOSS, lost) is None


@pytest.mark.parametrize("sku", [CREDIT, CASH])
def test_l3_credit_that_was_sold_and_cash_that_was_sent_are_not_taken_back(sku: str) -> None:
    """The credit may be spent by now, and cash is gone."""
    order = an_order(supplier=HOUSE, sku=sku, method=M.WALLET, status=S.DELIVERED, received=1)
    assert may(order, E.GIVEN_BACK)
    assert answers(a_case(), order) == (Answer.SEEN,)
    assert event_of(Answer.GIVE_BACK, order) is None


def test_a_case_about_a_balance_is_adjusted_or_just_seen() -> None:
    balance = a_case(order_id="", about="zultopup", kind=CaseKind.BALANCE)
    assert answers(balance, None) == (Answer.ADJUST, Answer.SEEN)
    assert answers(a_case(order_id="", kind=CaseKind.BALANCE, closed_at=NOW), None) == ()


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_o1_a_case_is_just_seen_only_when_its_order_has_ended(
    method: PaymentMethod, status: Status
) -> None:
    """Else money that is held, or may still come, would be nobody's business any more."""
    assert (Answer.SEEN in answers(a_case(), in_status(status, method=method))) is (status in ENDED)


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_o1_a_message_said_otherwise_is_just_seen_unless_money_must_go_back(
    method: PaymentMethod, status: Status
) -> None:
    offered = answers(a_case(kind=CaseKind.UNDELIVERED), in_status(status, method=method))
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


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_o1_a_case_can_be_answered_wherever_there_was_an_invoice(
    method: PaymentMethod, status: Status
) -> None:
    """But for the moment in which the call is being made that orders the goods."""
    order = in_status(status, method=method)
    can_be = order.invoice is not None and status is not S.SUBMITTING
    assert bool(answers(a_case(), order)) is can_be


@pytest.mark.parametrize(("method", "status"), STANDS)
def test_a_closed_case_has_no_answers(method: PaymentMethod, status: Status) -> None:
    assert answers(a_case(closed_at=NOW), in_status(status, method=method)) == ()
