"""A paid order is ordered once from our balance; what comes of that, in time, late and twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shop import fulfilment, ledger, settling, watching
from shop.cases import Answer, CaseKind, answers
from shop.fulfilment import Outcome
from shop.notices import NoticeKind
from shop.orders import IllegalMove, Order, Status
from shop.routing import FRESH
from shop.settling import NotOpened
from shop.suppliers import Refused, TopupState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from storage.orders import Stale
from tests.shop.prepaid import (
    COST,
    LEASE,
    PRICE,
    SELLER,
    T,
    a_shop,
    asked,
    balances,
    by_hand,
    credit,
    listed_at,
    now_of,
    ordered,
    paid,
    report,
    reported,
    started,
)
from tests.shop.samples import NOW, OWNER, E, K, S, an_order, case_of, owed

THEN = NOW + MINUTE
OURS, SPENT = ledger.supplier(SELLER), ledger.cost(SELLER)
CONFLICT, AMBIGUOUS, PARTLY = CaseKind.CONFLICT, CaseKind.AMBIGUOUS, CaseKind.PARTLY


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        yield opened


# --- before the call ---


def test_o3_an_attempt_is_written_down_with_its_reference_before_the_call(books: SqlBooks) -> None:
    order = started(books)
    assert now_of(books, "P") == order
    assert (order.status, order.due_at, order.tries) == (S.SUBMITTING, LEASE, 1)
    assert order.attempt is not None
    assert (order.attempt.ref, order.attempt.supplier) == ("P-zonegame-1", SELLER)
    assert (order.attempt.cost, order.attempt.charged) == (COST, 0)
    assert balances(books, OURS, ledger.HELD) == (0, -PRICE)


def test_o14_two_workers_cannot_start_the_same_order(books: SqlBooks) -> None:
    order = paid(books)
    fulfilment.start(books, order, LEASE, NOW)
    with pytest.raises(Stale):
        fulfilment.start(books, order, LEASE, NOW)


@pytest.mark.parametrize(
    "outcome", [report(T.PENDING), report(T.DELIVERED), Refused("no"), NotOpened.UNKNOWN]
)
def test_o4_only_a_paid_order_is_started(books: SqlBooks, outcome: Outcome) -> None:
    order = ordered(books, outcome)
    with pytest.raises(IllegalMove):
        fulfilment.start(books, order, LEASE, NOW)


@pytest.mark.parametrize(
    ("listed", "status"), [(1, S.SUBMITTING), (PRICE, S.SUBMITTING), (PRICE + 1, S.REFUNDED)]
)
def test_o8_nothing_is_ordered_at_a_loss_and_who_paid_is_never_asked_for_more(
    books: SqlBooks, listed: int, status: Status
) -> None:
    order = paid(books)
    listed_at(books, listed)
    after = fulfilment.start(books, order, LEASE, NOW)
    assert after.status is status
    if after.attempt is not None:
        assert after.attempt.cost == listed
        assert credit(books) == 0
    else:
        assert (credit(books), after.tries) == (PRICE, 0)
        assert owed(books)[-1] == K.REFUNDED
        evidence = [happened.evidence for happened in books.orders.history("P")]
        assert f"{SELLER} 1: {COST} → {listed}" in evidence


def test_o8b_a_price_of_yesterday_is_too_dear_all_the_same(books: SqlBooks) -> None:
    listed_at(books, 2 * PRICE, NOW - FRESH - 1)
    assert fulfilment.start(books, paid(books), LEASE, NOW).status is not S.SUBMITTING


def test_what_became_too_dear_is_a_case_where_the_owner_refunds_by_hand(books: SqlBooks) -> None:
    order = paid(books)
    listed_at(books, PRICE + 1)
    after = fulfilment.start(by_hand(books), order, LEASE, NOW)
    assert (after.status, case_of(books, after)) == (S.REFUND_DUE, CaseKind.PAID_FAILED)


# --- the answer to the call ---


@dataclass(frozen=True)
class Then:
    """What must follow: where it stands, the case, the credit, our cost, who is told what."""

    status: Status
    case: CaseKind | None = None
    says: tuple[NoticeKind, ...] = ()
    back: int = 0
    cost: int = 0


REFUSED = Refused("no")
MADE: Mapping[Outcome, Then] = {
    report(T.PENDING): Then(S.PROCESSING, None, (K.STATUS,), 0, COST),
    report(T.DELIVERED): Then(S.DELIVERED, None, (K.STATUS, K.DELIVERED), 0, COST),
    report(T.PARTIAL): Then(S.PARTLY_DELIVERED, PARTLY, (K.STATUS, K.PARTLY), 0, COST),
    report(T.FAILED): Then(S.REFUNDED, None, (K.STATUS, K.REFUNDED), PRICE),
    report(T.UNREADABLE): Then(S.UNSURE, None, (K.STATUS,)),
    NotOpened.NOT_SENT: Then(S.PAID),
    REFUSED: Then(S.REFUNDED, None, (K.STATUS, K.REFUNDED), PRICE),
    NotOpened.UNKNOWN: Then(S.UNSURE, None, (K.STATUS,)),
}


def name_of(outcome: object) -> str:
    return str(getattr(outcome, "state", outcome))


@pytest.mark.parametrize("outcome", MADE, ids=name_of)
def test_o4_m3_each_answer_to_the_call_does_this_and_no_more(
    books: SqlBooks, outcome: Outcome
) -> None:
    then, order = MADE[outcome], started(books)
    told = len(owed(books))
    after = fulfilment.submitted(books, order, outcome, THEN, "their words")
    assert after == now_of(books, "P")
    assert after.status is then.status
    assert case_of(books, after) == then.case
    assert owed(books)[told:] == list(then.says)
    assert (credit(books), *balances(books, OURS, SPENT)) == (then.back, -then.cost, then.cost)


def test_every_answer_has_its_row() -> None:
    said = set(map(str, TopupState)) - {T.MISSING}  # of an order that is just being made
    unsent = set(map(str, NotOpened)) - {NotOpened.REFUSED}  # the refusal itself is handed on
    assert {name_of(outcome) for outcome in MADE} == {*said, *unsent, str(REFUSED)}


def test_our_balance_is_charged_what_the_supplier_says_not_what_was_expected(
    books: SqlBooks,
) -> None:
    order = ordered(books, report(T.DELIVERED, cost=COST - 700, serial="SN1"))
    assert order.attempt is not None
    assert order.attempt.charged == COST - 700
    assert balances(books, OURS, SPENT, ledger.SALES) == (700 - COST, COST - 700, -PRICE)
    assert reported(books, order, T.DELIVERED, THEN, cost=1).attempt == order.attempt


def test_o4_what_never_left_is_tried_again_under_a_reference_of_its_own(books: SqlBooks) -> None:
    order, refs = started(books), []
    for nth in range(1, 4):
        assert order.attempt is not None
        refs.append(order.attempt.ref)
        now = NOW + nth * MINUTE
        after = fulfilment.submitted(books, order, NotOpened.NOT_SENT, now)
        assert (after.status, after.due_at) == (S.PAID, now + (15 * SECOND << nth - 1))
        order = fulfilment.start(books, after, now + MINUTE, now)
    assert refs == ["P-zonegame-1", "P-zonegame-2", "P-zonegame-3"]
    assert order.tries == 4


def test_o1_who_paid_hears_once_that_it_takes_long_and_the_owner_is_asked_once(
    books: SqlBooks,
) -> None:
    """The supplier cannot be reached: nothing leaves, and it is tried again and again."""
    order = started(books)
    told = owed(books)
    for nth in range(6):
        now = NOW + watching.TAKES_LONG + (nth - 1) * MINUTE
        after = fulfilment.submitted(books, order, NotOpened.NOT_SENT, now)
        assert after == now_of(books, "P")
        assert after.alarmed is (nth > 0)
        order = fulfilment.start(books, after, now + 30 * SECOND, now)
    assert owed(books) == [*told, K.SLOW]
    assert case_of(books, order) is CaseKind.STUCK
    assert len(asked(books)) == 1
    fulfilment.submitted(books, order, report(T.DELIVERED), NOW + HOUR)
    assert case_of(books, order) is None


# --- what is heard later ---

STANDS: Mapping[Status, tuple[Outcome, CaseKind | None]] = {
    S.PROCESSING: (report(T.PENDING), None),
    S.UNSURE: (NotOpened.UNKNOWN, None),
    S.PARTLY_DELIVERED: (report(T.PARTIAL), PARTLY),
    S.DELIVERED: (report(T.DELIVERED), None),
    S.REFUND_DUE: (REFUSED, CaseKind.PAID_FAILED),
    S.REFUNDED: (REFUSED, None),
}
GOODS = (K.STATUS, K.DELIVERED)
IN_PART = (K.STATUS, K.PARTLY)
RETURNED = (K.STATUS, K.REFUNDED)
HEARD: Mapping[tuple[Status, TopupState], Then] = {
    (S.PROCESSING, T.DELIVERED): Then(S.DELIVERED, None, GOODS),
    (S.PROCESSING, T.PARTIAL): Then(S.PARTLY_DELIVERED, PARTLY, IN_PART),
    (S.PROCESSING, T.FAILED): Then(S.REFUNDED, None, RETURNED),
    (S.UNSURE, T.PENDING): Then(S.PROCESSING, None, (K.STATUS,)),
    (S.UNSURE, T.DELIVERED): Then(S.DELIVERED, None, GOODS),
    (S.UNSURE, T.PARTIAL): Then(S.PARTLY_DELIVERED, PARTLY, IN_PART),
    (S.UNSURE, T.FAILED): Then(S.REFUNDED, None, RETURNED),
    (S.PARTLY_DELIVERED, T.PENDING): Then(S.PARTLY_DELIVERED, CONFLICT),
    (S.PARTLY_DELIVERED, T.DELIVERED): Then(S.DELIVERED, None, GOODS),
    (S.PARTLY_DELIVERED, T.FAILED): Then(S.REFUNDED, None, RETURNED),
    (S.DELIVERED, T.PENDING): Then(S.DELIVERED, CONFLICT),
    (S.DELIVERED, T.PARTIAL): Then(S.DELIVERED, CONFLICT),
    (S.DELIVERED, T.FAILED): Then(S.DELIVERED, CONFLICT),
    (S.REFUND_DUE, T.DELIVERED): Then(S.REFUND_DUE, CONFLICT),
    (S.REFUND_DUE, T.PARTIAL): Then(S.REFUND_DUE, CONFLICT),
    (S.REFUNDED, T.DELIVERED): Then(S.REFUNDED, CONFLICT),
    (S.REFUNDED, T.PARTIAL): Then(S.REFUNDED, CONFLICT),
}
PAIRS = [(status, state) for status in STANDS for state in TopupState]


def standing(books: SqlBooks, status: Status) -> Order:
    """An order that came there by the supplier's own answer."""
    shop = by_hand(books) if status is S.REFUND_DUE else books
    order = ordered(shop, STANDS[status][0])
    assert order.status is status
    return order


@pytest.mark.parametrize(("status", "state"), PAIRS)
def test_o6_m3_each_word_in_each_status_does_this_and_no_more(
    books: SqlBooks, status: Status, state: TopupState
) -> None:
    order = standing(books, status)
    then = HEARD.get((status, state), Then(status, STANDS[status][1]))
    told, before = owed(books), len(asked(books))
    after = reported(books, order, state, THEN)
    assert after == now_of(books, "P")
    assert after.status is then.status
    assert case_of(books, after) == then.case
    assert owed(books) == [*told, *then.says]
    assert (len(asked(books)) > before) is (then.case not in {None, STANDS[status][1]})


@pytest.mark.parametrize(("status", "state"), PAIRS)
def test_m2_hearing_the_same_again_says_and_posts_nothing_twice(
    books: SqlBooks, status: Status, state: TopupState
) -> None:
    order = standing(books, status)
    once = reported(books, order, state, THEN)
    told = owed(books), owed(books, OWNER), credit(books), *balances(books, OURS, SPENT)
    for nth in range(1, 4):
        after = reported(books, order, state, THEN + nth * MINUTE)
        assert (after.status, after.version) == (once.status, once.version)
    assert told == (owed(books), owed(books, OWNER), credit(books), *balances(books, OURS, SPENT))


@pytest.mark.parametrize(("status", "state"), PAIRS)
def test_o6_an_answer_asked_for_before_the_last_move_is_old_not_a_contradiction(
    books: SqlBooks, status: Status, state: TopupState
) -> None:
    order = standing(books, status)
    asked_before = len(asked(books))
    after = fulfilment.reported(books, order, report(state), order.changed_at - 1, THEN)
    if after.status is status:
        assert len(asked(books)) == asked_before


@pytest.mark.parametrize("status", [S.PROCESSING, S.UNSURE])
def test_o13_what_may_still_come_is_asked_about_again_whatever_is_heard(
    books: SqlBooks, status: Status
) -> None:
    order = standing(books, status)
    for nth in range(1, 9):
        now = NOW + nth * 10 * MINUTE
        after = fulfilment.unanswered(books, "P", now)
        assert after.due_at is not None
        assert now < after.due_at <= now + 5 * MINUTE
        assert after.status is status
    assert now_of(books, "P").alarmed
    assert owed(books).count(K.SLOW) == 1
    assert case_of(books, order) is (AMBIGUOUS if status is S.UNSURE else CaseKind.STUCK)


def test_an_answer_about_an_unknown_order_is_an_error(books: SqlBooks) -> None:
    with pytest.raises(LookupError):
        fulfilment.reported(books, an_order(id="NOBODY"), report(T.DELIVERED), NOW, NOW)
    with pytest.raises(LookupError):
        fulfilment.unanswered(books, "NOBODY", NOW)


# --- owner's decisions ---


def test_what_arrived_in_part_is_decided_by_the_owner(books: SqlBooks) -> None:
    order = standing(books, S.PARTLY_DELIVERED)
    case = books.cases.open_for("P")
    assert case is not None
    assert answers(case, order) == (Answer.ARRIVED, Answer.GIVE_BACK)
    after = settling.decided(books, order, E.GIVEN_BACK, OWNER, THEN)
    assert (after.status, credit(books)) == (S.REFUNDED, PRICE)
    assert balances(books, OURS, SPENT) == (-COST, COST)  # the supplier keeps what it took
    assert case_of(books, after) is None


@pytest.mark.parametrize("status", [S.UNSURE, S.REFUND_DUE])
def test_goods_that_the_owner_says_came_have_their_cost(books: SqlBooks, status: Status) -> None:
    order = standing(books, status)
    after = settling.decided(books, order, E.ARRIVED, OWNER, THEN)
    assert after.status is S.DELIVERED
    assert balances(books, OURS, SPENT, ledger.SALES) == (-COST, COST, -PRICE)


@pytest.mark.parametrize("status", [S.UNSURE, S.REFUND_DUE])
def test_o4_ordered_again_at_the_owners_word_it_has_a_new_reference(
    books: SqlBooks, status: Status
) -> None:
    order = settling.decided(books, standing(books, status), E.PROCEEDED, OWNER, THEN)
    assert (order.status, case_of(books, order)) == (S.PAID, None)
    again = fulfilment.start(books, order, THEN + MINUTE, THEN)
    assert again.attempt is not None
    assert (again.attempt.ref, again.tries) == ("P-zonegame-2", 2)
    assert fulfilment.submitted(books, again, report(T.DELIVERED), THEN).status is S.DELIVERED


def test_o8b_what_became_dearer_is_delivered_at_the_owners_word(books: SqlBooks) -> None:
    books = by_hand(books)
    order = paid(books)
    listed_at(books, order.price + 1)
    order = fulfilment.start(books, order, LEASE, NOW)
    assert order.status is S.REFUND_DUE
    order = settling.decided(books, order, E.PROCEEDED, OWNER, NOW)
    assert order.status is S.PAID
    assert fulfilment.start(books, order, LEASE, NOW).status is S.SUBMITTING
