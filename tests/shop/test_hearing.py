"""What a supplier says, asked or by itself: claims, serials, words, waits, decisions, callbacks."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop import calls, fulfilment, hearing, ordering, settling, watching
from shop.callbacks import Repriced, Told, Trust
from shop.calls import AskTopup
from shop.cases import CaseKind
from shop.fulfilment import Outcome
from shop.orders import BY_THE_OWNER, Event, IllegalMove, Order, Status, moves_of
from shop.settling import AGAIN_AFTER_NO_ANSWER, NotOpened
from shop.suppliers import Abilities, InvoiceReport, InvoiceState, Refused, TopupState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    COST,
    EVERY_WAY,
    PRICE,
    SELLER,
    T,
    a_shop,
    asked,
    by_hand,
    credit,
    listed_at,
    now_of,
    ordered,
    report,
    reported,
    started,
)
from tests.shop.prepaid import (
    paid as paid_first,
)
from tests.shop.samples import (
    NOW,
    OWNER,
    POLL,
    E,
    K,
    S,
    an_order,
    case_of,
    open_books,
    owed,
    stored,
)

W = InvoiceState


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        yield opened


def hear(books: SqlBooks, order: Order, word: InvoiceState, now: int, **more: Any) -> Order:
    return settling.heard(books, order.id, InvoiceReport(state=word, **more), now - 1, now)


def unheard(books: SqlBooks, order: Order, now: int) -> Order:
    return settling.unanswered(books, order.id, now - 1, now)


def claimed(books: SqlBooks, status: Status, now: int = NOW + SECOND) -> Order:
    order = stored(books, status)
    assert ordering.claim_paid(books, order, now) is ordering.Claim.ASKING
    return order


@pytest.mark.parametrize("status", [S.AWAITING_PAYMENT, S.EXPIRED, S.CANCELLED])
@pytest.mark.parametrize(
    ("word", "answer"), [(W.UNPAID, K.UNPAID_YET), (W.UNREADABLE, K.CHECK_DELAYED)]
)
def test_a_claim_that_finds_nothing_is_answered_exactly_once(
    books: SqlBooks, status: Status, word: InvoiceState, answer: str
) -> None:
    order = claimed(books, status)
    for nth in range(2, 5):
        assert hear(books, order, word, NOW + nth * SECOND).claimed_at is None
    assert owed(books) == [answer]


def test_a_claim_is_answered_even_when_the_supplier_is_silent(books: SqlBooks) -> None:
    order = claimed(books, S.AWAITING_PAYMENT)
    unheard(books, order, NOW + 2 * SECOND)
    unheard(books, order, NOW + 9 * SECOND)
    assert owed(books) == [K.CHECK_DELAYED]


@pytest.mark.parametrize("silent", [False, True])
def test_a_claim_made_while_a_question_was_under_way_is_answered_by_the_next_one_only(
    books: SqlBooks, silent: bool
) -> None:
    """The customer may have paid after that question was put: its answer is none to them."""
    order = stored(books, S.AWAITING_PAYMENT)
    asked_at, said_at, heard_at = NOW + SECOND, NOW + 2 * SECOND, NOW + 3 * SECOND
    ordering.claim_paid(books, order, said_at)
    if silent:
        after = settling.unanswered(books, order.id, asked_at, heard_at)
    else:
        unpaid = InvoiceReport(state=W.UNPAID)
        after = settling.heard(books, order.id, unpaid, asked_at, heard_at)
    assert owed(books) == []
    assert (after.claimed_at, after.due_at) == (said_at, heard_at)  # asked again at once
    claimed_next = books.orders.next_claimed(order.supplier, heard_at)
    assert claimed_next == after
    answered = hear(books, order, W.UNPAID, NOW + 4 * SECOND)
    assert answered.claimed_at is None
    assert owed(books) == [K.UNPAID_YET]


def test_an_old_answer_that_says_paid_is_believed_whatever_was_claimed_since(
    books: SqlBooks,
) -> None:
    order = claimed(books, S.AWAITING_PAYMENT, NOW + 2 * SECOND)
    report = InvoiceReport(state=W.SETTLED)
    after = settling.heard(books, order.id, report, NOW + SECOND, NOW + 3 * SECOND)
    assert (after.status, after.claimed_at) == (S.PROCESSING, None)
    assert owed(books) == [K.STATUS, K.QR_CLOSED]


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED])
def test_o11_late_money_is_found_even_if_the_last_question_had_no_answer(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    now = NOW + 25 * HOUR  # after the last of the scheduled questions
    assert watching.next_question(order, now, POLL) is None
    for _ in range(5):
        after = unheard(books, order, now)
        assert after.due_at == now + AGAIN_AFTER_NO_ANSWER
        now = after.due_at
    after = hear(books, order, W.SETTLED, now)
    assert after.status is S.PROCESSING
    assert case_of(books, order) is CaseKind.PAID_LATE
    assert owed(books) == [K.STATUS, K.PAID_LATE]


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED])
def test_an_order_whose_last_question_was_answered_is_left_alone(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    now = NOW + 25 * HOUR
    unheard(books, order, now)
    assert hear(books, order, W.UNPAID, now + AGAIN_AFTER_NO_ANSWER).due_at is None
    assert owed(books) == []


def test_while_its_schedule_lasts_silence_puts_nothing_off(books: SqlBooks) -> None:
    order = stored(books, S.EXPIRED)
    end = watching.ends_at(order)
    assert unheard(books, order, end + MINUTE).due_at == end + 5 * MINUTE


def test_a_claim_that_proves_true_needs_no_answer_but_the_news(books: SqlBooks) -> None:
    order = claimed(books, S.AWAITING_PAYMENT)
    after = hear(books, order, W.SETTLED, NOW + 2 * SECOND)
    assert after.claimed_at is None
    assert owed(books) == [K.STATUS, K.QR_CLOSED]


def test_each_claim_has_an_answer_of_its_own(books: SqlBooks) -> None:
    order = claimed(books, S.AWAITING_PAYMENT)
    hear(books, order, W.UNPAID, NOW + 2 * SECOND)
    again = books.orders.get(order.id)
    assert again is not None
    ordering.claim_paid(books, again, NOW + 20 * SECOND)
    hear(books, order, W.UNPAID, NOW + 21 * SECOND)
    assert owed(books) == [K.UNPAID_YET, K.UNPAID_YET]


def test_m2_a_serial_number_that_comes_later_is_sent_once(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.DELIVERED, NOW + 1)
    before = owed(books)
    for nth in range(2, 5):
        hear(books, order, W.DELIVERED, NOW + nth * MINUTE)
    assert owed(books) == before
    for nth in range(5, 8):
        after = hear(books, order, W.DELIVERED, NOW + nth * MINUTE, serial="SN1")
        assert (after.serial, after.due_at) == ("SN1", None)
    assert owed(books) == [*before, K.STATUS, K.SERIAL]


def test_m2_a_serial_number_once_shown_is_never_replaced(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.DELIVERED, NOW + 1, serial="SN1")
    told = owed(books)
    assert hear(books, order, W.DELIVERED, NOW + MINUTE, serial="SN2").serial == "SN1"
    assert hear(books, order, W.DELIVERED, NOW + 2 * MINUTE).serial == "SN1"
    assert owed(books) == told


def test_a_serial_number_said_before_the_success_is_not_lost(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.SETTLED, NOW + 1, serial="SN1")
    assert hear(books, order, W.DELIVERED, NOW + MINUTE).serial == "SN1"


def test_an_unknown_word_tells_the_owner_once_for_each_word(books: SqlBooks) -> None:
    one = stored(books, S.AWAITING_PAYMENT, id="A", target="a")
    two = stored(books, S.PROCESSING, id="B", target="b")
    for nth in range(1, 4):
        for order in (one, two):
            note = f"status sukses?: percobaan ke-{nth}, {order.id}"  # what they add changes
            said = {"words": "sukses?", "note": note, "strange": True}
            hear(books, order, W.UNREADABLE, NOW + nth * SECOND, **said)
    assert owed(books, OWNER) == [K.ALERT]
    for nth in range(4, 7):
        said = {"words": "refunded?", "note": "x", "strange": True}
        hear(books, one, W.UNREADABLE, NOW + nth * SECOND, **said)
    assert owed(books, OWNER) == [K.ALERT, K.ALERT]
    assert case_of(books, one) is None


def test_the_owner_sees_all_that_was_said_around_an_unknown_word(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    said = {"words": "sukses?", "note": "sukses?: cek admin", "strange": True}
    hear(books, order, W.UNREADABLE, NOW + SECOND, **said)
    (alert,) = [due.notice for due in books.outbox.due(NOW + MINUTE, 9)]
    assert (alert.address, alert.order_id) == (OWNER, order.id)
    assert alert.facts["evidence"] == "sukses?: cek admin"


def test_a_strange_word_is_told_even_where_the_other_word_decides(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    after = hear(books, order, W.SETTLED, NOW + SECOND, words="ditahan, settlement", strange=True)
    assert after.status is S.PROCESSING
    assert owed(books, OWNER) == [K.ALERT]


@pytest.mark.parametrize("word", W)
def test_known_words_are_no_alert(books: SqlBooks, word: InvoiceState) -> None:
    hear(books, stored(books, S.AWAITING_PAYMENT), word, NOW + SECOND, words="pending")
    assert K.ALERT not in owed(books, OWNER)


def test_o1_words_nobody_can_read_are_a_case_once_the_qr_has_run_out(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    lapses = watching.lapses_at(order)
    hear(books, order, W.UNREADABLE, lapses - 1, note="ditahan")
    assert case_of(books, order) is None
    for nth in range(3):
        after = hear(books, order, W.UNREADABLE, lapses + nth * MINUTE, note="ditahan")
        assert after.status is S.AWAITING_PAYMENT
    case = books.cases.open_for(order.id)
    assert case is not None
    assert (case.kind, case.evidence) == (CaseKind.UNSURE, "ditahan")
    assert owed(books, OWNER) == [K.CASE]
    assert owed(books) == []


def test_o1_an_order_that_nobody_decides_is_a_case_in_time(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    undecided = watching.undecided_at(order)
    assert undecided <= watching.ends_at(order) + HOUR
    unheard(books, order, undecided - 1)
    assert case_of(books, order) is None
    for nth in range(3):
        after = unheard(books, order, undecided + nth * MINUTE)
        assert (after.status, after.due_at is None) == (S.AWAITING_PAYMENT, False)
    assert case_of(books, order) is CaseKind.UNSURE
    assert owed(books, OWNER) == [K.CASE]
    assert owed(books) == []
    hear(books, order, W.DELIVERED, undecided + HOUR)
    assert case_of(books, order) is None


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED, S.REFUND_DUE, S.DELIVERED])
def test_a_supplier_that_never_answers_again_is_asked_for_two_days_not_for_ever(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    stops = watching.ends_at(order) + 48 * HOUR
    assert unheard(books, order, stops - 1).due_at is not None
    assert unheard(books, order, stops).due_at is None


def paid(books: SqlBooks) -> Order:
    order = stored(books, S.AWAITING_PAYMENT)
    return hear(books, order, W.SETTLED, NOW)


def test_o1_an_order_that_takes_long_is_said_so_once_and_is_a_case(books: SqlBooks) -> None:
    order = paid(books)
    before = owed(books)
    hear(books, order, W.SETTLED, NOW + watching.TAKES_LONG - 1)
    assert owed(books) == before
    assert case_of(books, order) is None
    for nth in range(3):
        after = hear(books, order, W.SETTLED, NOW + watching.TAKES_LONG + nth * MINUTE)
        assert after.alarmed
    assert owed(books) == [*before, K.SLOW]
    assert owed(books, OWNER) == [K.CASE]
    assert case_of(books, order) is CaseKind.STUCK


def test_o1_a_supplier_that_is_silent_for_long_is_a_case_too(books: SqlBooks) -> None:
    order = paid(books)
    unheard(books, order, NOW + watching.TAKES_LONG)
    assert case_of(books, order) is CaseKind.STUCK
    assert owed(books)[-1] == K.SLOW


def test_a_case_is_closed_by_the_success_it_waited_for(books: SqlBooks) -> None:
    order = paid(books)
    unheard(books, order, NOW + watching.TAKES_LONG)
    hear(books, order, W.DELIVERED, NOW + 20 * MINUTE)
    assert case_of(books, order) is None
    last = books.cases.last_for(order.id)
    assert last is not None
    assert last.closed_at == NOW + 20 * MINUTE


def test_o11_late_money_that_cannot_be_turned_into_goods_stays_one_case(books: SqlBooks) -> None:
    order = stored(books, S.EXPIRED)
    hear(books, order, W.SETTLED, NOW + MINUTE)
    assert case_of(books, order) is CaseKind.PAID_LATE
    hear(books, order, W.FAILED, NOW + 2 * MINUTE)
    assert case_of(books, order) is CaseKind.PAID_FAILED
    assert len(books.cases.all_open()) == 1
    assert owed(books, OWNER) == [K.CASE, K.CASE]


def test_a_case_that_was_closed_is_not_asked_again_before_the_order_moves(
    books: SqlBooks,
) -> None:
    order = stored(books, S.DELIVERED)
    hear(books, order, W.FAILED, NOW + MINUTE, note="gagal")
    case = books.cases.open_for(order.id)
    assert case is not None
    books.cases.close(case, None, OWNER, NOW + 2 * MINUTE)
    hear(books, order, W.FAILED, NOW + 3 * MINUTE, note="gagal")
    assert case_of(books, order) is None
    assert owed(books, OWNER) == [K.CASE]


def test_m3b_success_after_a_refund_is_due_asks_the_owner_and_tells_the_customer_nothing(
    books: SqlBooks,
) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    hear(books, order, W.FAILED, NOW + 1)
    told = owed(books)
    after = hear(books, order, W.DELIVERED, NOW + MINUTE)
    assert after.status is S.REFUND_DUE
    assert owed(books) == told
    assert case_of(books, order) is CaseKind.CONFLICT


DECISIONS = moves_of(an_order())


@pytest.mark.parametrize(("status", "event"), sorted(k for k in DECISIONS if k[1] in BY_THE_OWNER))
def test_the_owners_decision_is_a_move_with_its_author(
    books: SqlBooks, status: Status, event: Event
) -> None:
    order = stored(books, status)
    after = settling.decided(books, order, event, OWNER, NOW + MINUTE)
    assert after.status is DECISIONS[status, event]
    events = books.orders._tx.fetch(
        "SELECT event, actor FROM order_events WHERE version = :v", {"v": after.version}
    )
    assert [tuple(row) for row in events] == [(event, OWNER)]


@pytest.mark.parametrize(
    ("status", "event", "says"),
    [
        (S.AWAITING_PAYMENT, E.PAYMENT_FOUND, [K.STATUS, K.QR_CLOSED, K.REFUND_DUE]),
        (S.AWAITING_PAYMENT, E.PAYMENT_ABSENT, [K.STATUS, K.QR_CLOSED, K.LAPSED]),
        (S.PROCESSING, E.GIVEN_BACK, [K.STATUS, K.REFUND_DUE]),
        (S.PROCESSING, E.ARRIVED, [K.STATUS, K.DELIVERED]),
        (S.REFUND_DUE, E.REFUND_MADE, [K.STATUS, K.REFUNDED]),
        (S.REFUND_DUE, E.ARRIVED, [K.STATUS, K.DELIVERED]),
        (S.DELIVERED, E.GIVEN_BACK, [K.STATUS, K.REFUND_DUE]),
    ],
)
def test_m3_the_customer_is_told_what_the_owner_decided(
    books: SqlBooks, status: Status, event: Event, says: list[str]
) -> None:
    settling.decided(books, stored(books, status), event, OWNER, NOW + MINUTE)
    assert owed(books) == says


def test_o6b_a_decision_that_comes_too_late_changes_nothing(books: SqlBooks) -> None:
    order = stored(books, S.REFUNDED)
    with pytest.raises(IllegalMove):
        settling.decided(books, order, Event.REFUND_MADE, OWNER, NOW + MINUTE)
    assert books.orders.get(order.id) == order
    assert owed(books) == []


def test_an_answer_about_an_unknown_order_is_an_error_not_a_new_order(books: SqlBooks) -> None:
    with pytest.raises(LookupError):
        settling.heard(books, "NOBODY", InvoiceReport(state=W.SETTLED), NOW, NOW)
    with pytest.raises(LookupError):
        settling.unanswered(books, "NOBODY", NOW, NOW)


# --- what a supplier tells by itself, of orders paid from our balance ---

PROOF, HINT = Trust.PROOF, Trust.HINT
CALLS_BACK = Abilities(knows_our_ref=True, calls_back=True, tells_prices=True)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[SqlBooks]:
    """A shop whose seller calls back; its list and our balance there need no reading."""
    with a_shop(tmp_path, abilities={**EVERY_WAY.abilities, SELLER: CALLS_BACK}) as opened:
        opened.calls.set_list_due(SELLER, NOW + 99 * HOUR)
        opened.calls.set_compare_at(SELLER, NOW + 99 * HOUR)
        yield opened


def told(state: TopupState, nth: int = 1, supplier_ref: str = "", **more: Any) -> Told:
    """What a callback says of an attempt at the order P."""
    words = report(state, supplier_ref=supplier_ref, **more)
    return Told(ref=f"P-zonegame-{nth}", supplier_ref=supplier_ref, report=words)


def tell(
    shop: SqlBooks, trust: Trust, state: TopupState, now: int, nth: int = 1, **more: Any
) -> Order:
    assert hearing.heard(shop, SELLER, told(state, nth, **more), trust, now)
    return now_of(shop, "P")


PREPAID_STANDS: Mapping[Status, Outcome | None] = {
    S.SUBMITTING: None,
    S.PAID: NotOpened.NOT_SENT,
    S.PROCESSING: report(T.PENDING),
    S.UNSURE: NotOpened.UNKNOWN,
    S.PARTLY_DELIVERED: report(T.PARTIAL),
    S.DELIVERED: report(T.DELIVERED),
    S.REFUND_DUE: Refused("no"),
    S.REFUNDED: Refused("no"),
}


def standing(shop: SqlBooks, status: Status) -> Order:
    """An order that came there by the answer to our own call, or waits for it."""
    outcome = PREPAID_STANDS[status]
    rules = by_hand(shop) if status is S.REFUND_DUE else shop
    order = started(rules) if outcome is None else ordered(rules, outcome)
    assert order.status is status
    return order


def everything(shop: SqlBooks) -> dict[str, Any]:
    """All that is in the books, but when an order is asked about next."""
    tables = ("orders", "order_events", "attempts", "entries", "cases", "outbox", "payments")
    found = {name: shop.orders._tx.fetch(f"SELECT * FROM {name}") for name in tables}
    kept = {name: [dict(row) for row in rows] for name, rows in found.items()}
    for row in kept["orders"]:
        row["due_at"] = None
    return kept


@pytest.mark.parametrize("state", TopupState)
@pytest.mark.parametrize("status", PREPAID_STANDS)
def test_c1_nothing_that_is_not_signed_moves_or_says_anything(
    shop: SqlBooks, status: Status, state: TopupState
) -> None:
    standing(shop, status)
    before = everything(shop)
    news = told(state, cost=1, serial="SN-FORGED", supplier_ref="77", returned=True, strange=True)
    for nth in range(1, 4):
        hearing.heard(shop, SELLER, news, HINT, NOW + nth * MINUTE)
    assert everything(shop) == before


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (S.PROCESSING, T.DELIVERED),
        (S.PROCESSING, T.FAILED),
        (S.UNSURE, T.PENDING),
        (S.UNSURE, T.MISSING),
        (S.PARTLY_DELIVERED, T.FAILED),
        (S.DELIVERED, T.FAILED),
        (S.DELIVERED, T.DELIVERED),  # its serial number may have come
        (S.REFUND_DUE, T.DELIVERED),
        (S.REFUNDED, T.DELIVERED),
        (S.REFUNDED, T.UNREADABLE),
    ],
)
def test_what_is_not_signed_and_may_be_news_has_the_supplier_asked_at_once(
    shop: SqlBooks, status: Status, state: TopupState
) -> None:
    standing(shop, status)
    now = NOW + 20 * MINUTE
    order = tell(shop, HINT, state, now)
    assert order.due_at is not None
    assert order.due_at <= now
    assert isinstance(calls.next_call(shop, SELLER, now), AskTopup)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (S.PROCESSING, T.PENDING),
        (S.PARTLY_DELIVERED, T.PARTIAL),
        (S.REFUND_DUE, T.FAILED),
        (S.REFUNDED, T.FAILED),
        (S.REFUNDED, T.PENDING),
    ],
)
def test_nobody_is_asked_for_what_an_order_shows_already(
    shop: SqlBooks, status: Status, state: TopupState
) -> None:
    before = standing(shop, status)
    assert tell(shop, HINT, state, NOW + 2 * SECOND) == before


def test_goods_whose_serial_number_is_known_are_asked_about_for_no_hint(shop: SqlBooks) -> None:
    before = ordered(shop, report(T.DELIVERED, serial="SN1"))
    assert tell(shop, HINT, T.DELIVERED, NOW + MINUTE, serial="SN2") == before


@pytest.mark.parametrize("every", [100, 1_000, 9_999, 10_000])
def test_c1_however_many_hints_come_there_is_one_question_in_ten_seconds(
    shop: SqlBooks, every: int
) -> None:
    order = ordered(shop, report(T.PENDING))
    reported(shop, order, T.PENDING, NOW + 20 * MINUTE)  # asked about every five minutes by now
    begin, questions = NOW + 20 * MINUTE + SECOND, list[int]()
    for now in range(begin, begin + MINUTE, every):
        tell(shop, HINT, T.DELIVERED, now)
        call = calls.next_call(shop, SELLER, now)
        if isinstance(call, AskTopup):
            questions.append(now - begin)
            fulfilment.reported(shop, call.order, report(T.PENDING), now, now)
    assert questions[0] == 0
    assert len(questions) >= 3
    pauses = [after - before for before, after in itertools.pairwise(questions)]
    assert min(pauses) >= 10 * SECOND


def test_a_hint_puts_off_no_question_that_is_due_sooner(shop: SqlBooks) -> None:
    order = ordered(shop, NotOpened.UNKNOWN)
    assert order.due_at == NOW + 2 * SECOND
    shop.orders.note(replace(order, asked_at=NOW))
    assert tell(shop, HINT, T.DELIVERED, NOW + SECOND).due_at == NOW + 2 * SECOND


@pytest.mark.parametrize("asked_at", [NOW + 99 * HOUR, None])
def test_a_clock_that_was_ahead_keeps_no_hint_waiting(shop: SqlBooks, asked_at: int | None) -> None:
    order = ordered(shop, report(T.PENDING))
    shop.orders.note(replace(order, asked_at=asked_at, due_at=NOW + 99 * HOUR))
    after = tell(shop, HINT, T.DELIVERED, NOW + MINUTE)
    assert after.due_at is not None
    assert after.due_at <= NOW + MINUTE + 10 * SECOND


# --- signed ---


@pytest.mark.parametrize("status", [S.SUBMITTING, S.PAID, S.PROCESSING, S.UNSURE])
def test_c4_a_signed_word_is_as_good_as_an_answer(shop: SqlBooks, status: Status) -> None:
    standing(shop, status)
    order = tell(shop, PROOF, T.DELIVERED, NOW + MINUTE, serial="SN1", cost=COST - 1)
    assert (order.status, order.serial, order.tries) == (S.DELIVERED, "SN1", 1)
    assert order.attempt is not None
    accepted = status is S.PROCESSING  # its cost was posted then
    assert order.attempt.charged == (COST if accepted else COST - 1)
    assert owed(shop)[-1] == K.DELIVERED


@pytest.mark.parametrize("status", [S.SUBMITTING, S.PROCESSING, S.UNSURE, S.PARTLY_DELIVERED])
def test_c4_a_signed_failure_gives_the_money_back_once(shop: SqlBooks, status: Status) -> None:
    standing(shop, status)
    for nth in range(1, 4):
        order = tell(shop, PROOF, T.FAILED, NOW + nth * MINUTE)
        assert (order.status, credit(shop)) == (S.REFUNDED, PRICE)
    assert owed(shop).count(K.REFUNDED) == 1


LATER_ANSWERS: tuple[Outcome, ...] = (
    report(T.PENDING),
    report(T.DELIVERED, serial="SN2"),
    report(T.UNREADABLE),
    NotOpened.UNKNOWN,
    NotOpened.NOT_SENT,
    Refused("no"),
)


@pytest.mark.parametrize("outcome", LATER_ANSWERS, ids=str)
def test_c4_a_success_that_comes_before_our_own_answer_stays_one(
    shop: SqlBooks, outcome: Outcome
) -> None:
    asked_with = started(shop)
    done = tell(shop, PROOF, T.DELIVERED, NOW + SECOND, serial="SN1")
    says = owed(shop)
    after = fulfilment.submitted(shop, asked_with, outcome, NOW + 2 * SECOND)
    assert (after.status, after.version, after.serial) == (S.DELIVERED, done.version, "SN1")
    assert owed(shop) == says
    assert (asked(shop), credit(shop)) == ([], 0)


@pytest.mark.parametrize("outcome", LATER_ANSWERS, ids=str)
def test_c4_a_failure_that_comes_before_our_own_answer_is_refunded_once(
    shop: SqlBooks, outcome: Outcome
) -> None:
    asked_with = started(shop)
    tell(shop, PROOF, T.FAILED, NOW + SECOND)
    after = fulfilment.submitted(shop, asked_with, outcome, NOW + 2 * SECOND)
    assert (after.status, credit(shop), after.tries) == (S.REFUNDED, PRICE, 1)
    contradicts = outcome == LATER_ANSWERS[1]
    assert case_of(shop, after) is (CaseKind.CONFLICT if contradicts else None)


@pytest.mark.parametrize("status", [S.SUBMITTING, S.PAID])
def test_c4_what_is_not_signed_waits_until_our_own_call_is_over(
    shop: SqlBooks, status: Status
) -> None:
    before = standing(shop, status)
    assert not hearing.heard(shop, SELLER, told(T.DELIVERED), HINT, NOW + SECOND)
    assert now_of(shop, "P") == before
    if status is S.SUBMITTING:
        fulfilment.submitted(shop, before, NotOpened.UNKNOWN, NOW + 2 * SECOND)
        after = tell(shop, HINT, T.DELIVERED, NOW + 3 * SECOND)
        assert (after.status, after.due_at) == (S.UNSURE, NOW + 3 * SECOND)


def test_c4_what_did_leave_after_all_is_not_ordered_again(shop: SqlBooks) -> None:
    standing(shop, S.PAID)
    assert tell(shop, PROOF, T.PENDING, NOW + SECOND).status is S.PROCESSING
    assert not isinstance(calls.next_call(shop, SELLER, NOW + HOUR), calls.Submit)


CONTRADICTIONS = [
    (S.DELIVERED, T.FAILED),
    (S.DELIVERED, T.PARTIAL),
    (S.REFUND_DUE, T.DELIVERED),
    (S.REFUNDED, T.DELIVERED),
    (S.REFUNDED, T.PARTIAL),
]


@pytest.mark.parametrize(("status", "state"), CONTRADICTIONS)
def test_o6_a_signed_contradiction_moves_nothing_is_one_case_and_has_the_supplier_asked(
    shop: SqlBooks, status: Status, state: TopupState
) -> None:
    before = standing(shop, status)
    paid_back, says, cases = credit(shop), owed(shop), len(asked(shop))
    for nth in range(3):
        now = NOW + 10 * MINUTE + nth * SECOND
        after = tell(shop, PROOF, state, now)
        if nth == 0:
            assert after.due_at == now
    after = now_of(shop, "P")
    assert (after.status, after.version) == (before.status, before.version)
    assert (owed(shop), credit(shop)) == (says, paid_back)
    assert case_of(shop, after) is CaseKind.CONFLICT
    assert len(asked(shop)) == cases + 1


def test_a_signed_word_about_another_order_of_theirs_is_only_a_reason_to_ask(
    shop: SqlBooks,
) -> None:
    """Our reference beside an id that is not the one they gave: which of the two is meant?"""
    before = ordered(shop, report(T.PENDING, supplier_ref="77"))
    after = tell(shop, PROOF, T.FAILED, NOW + 20 * SECOND, supplier_ref="78")
    assert (after.status, after.version, after.attempt) == (
        S.PROCESSING,
        before.version,
        before.attempt,
    )
    assert after.due_at == NOW + 5 * SECOND  # as it was
    assert tell(shop, PROOF, T.FAILED, NOW + MINUTE, supplier_ref="77").status is S.REFUNDED


@pytest.mark.parametrize("trust", [PROOF, HINT])
@pytest.mark.parametrize("state", [T.DELIVERED, T.FAILED, T.PENDING])
def test_o4_word_of_an_earlier_attempt_says_nothing_of_the_present_one(
    shop: SqlBooks, trust: Trust, state: TopupState
) -> None:
    order = settling.decided(shop, ordered(shop, NotOpened.UNKNOWN), E.PROCEEDED, OWNER, NOW + 1)
    second = fulfilment.start(shop, order, NOW + MINUTE, NOW + 1)
    second = fulfilment.submitted(shop, second, report(T.PENDING), NOW + 2)
    says = owed(shop)
    after = tell(shop, trust, state, NOW + MINUTE, nth=1)
    assert (after.status, after.attempt, after.version) == (
        S.PROCESSING,
        second.attempt,
        second.version,
    )
    assert (owed(shop), credit(shop)) == (says, 0)
    if trust is PROOF:  # it may have been made twice: a person looks
        assert case_of(shop, after) is CaseKind.CONFLICT
    assert tell(shop, PROOF, T.DELIVERED, NOW + 2 * MINUTE, nth=2).status is S.DELIVERED


# --- whose order it is ---


def test_c4b_an_order_is_found_by_their_id_where_our_reference_is_left_out(
    shop: SqlBooks,
) -> None:
    ordered(shop, report(T.PENDING, supplier_ref="77"))
    news = replace(told(T.DELIVERED, supplier_ref="77"), ref="")
    assert hearing.heard(shop, SELLER, news, PROOF, NOW + MINUTE)
    assert now_of(shop, "P").status is S.DELIVERED


@pytest.mark.parametrize("trust", [PROOF, HINT])
@pytest.mark.parametrize(
    ("supplier", "ref", "theirs"),
    [
        (SELLER, "P-zonegame-2", ""),
        (SELLER, "P", ""),
        (SELLER, "p-zonegame-1", ""),
        (SELLER, "P-zonegame-1 ", ""),
        (SELLER, "", "78"),
        (SELLER, "", ""),
        (SELLER, "NOBODY", "77"),  # our own reference counts, if one is named
        ("kiosgame", "P-zonegame-1", ""),
        ("kiosgame", "", "77"),
    ],
)
def test_c4b_an_order_that_nobody_here_knows_is_nobodys(
    shop: SqlBooks, trust: Trust, supplier: str, ref: str, theirs: str
) -> None:
    ordered(shop, report(T.PENDING, supplier_ref="77"))
    before = everything(shop)
    news = Told(ref=ref, supplier_ref=theirs, report=report(T.DELIVERED))
    assert not hearing.heard(shop, supplier, news, trust, NOW + MINUTE)
    assert everything(shop) == before


def test_c1_an_id_that_only_a_hint_has_told_names_no_order(shop: SqlBooks) -> None:
    order = ordered(shop, NotOpened.UNKNOWN)
    shop.attempts.tell(order, "77")
    news = Told(supplier_ref="77", report=report(T.DELIVERED))
    assert not hearing.heard(shop, SELLER, news, PROOF, NOW + MINUTE)
    assert now_of(shop, "P").status is S.UNSURE


@pytest.mark.parametrize(
    ("age", "again"),
    [
        (0, 2 * SECOND),
        (10 * SECOND - 1, 2 * SECOND),
        (10 * SECOND, 30 * SECOND),
        (10 * MINUTE - 1, 30 * SECOND),
        (10 * MINUTE, None),
        (99 * HOUR, None),
    ],
)
def test_c4b_what_nobody_knows_is_tried_again_for_ten_minutes(age: int, again: int | None) -> None:
    now = NOW + age
    assert hearing.again_at(NOW, now) == (None if again is None else now + again)


def alerts_of(shop: SqlBooks, trust: Trust, *told_at: tuple[str, int]) -> list[str]:
    for name, now in told_at:
        news = Told(ref=name, report=report(T.DELIVERED))
        hearing.never_understood(shop, SELLER, news, trust, now)
    return [f"{alert['alert']} {alert['evidence']}" for alert in asked(shop, K.ALERT)]


def test_c4b_of_a_signed_order_that_nobody_knows_there_is_one_message_for_ever(
    shop: SqlBooks,
) -> None:
    days = [NOW + nth * 24 * HOUR for nth in range(4)]
    found = alerts_of(shop, PROOF, *[("A", at) for at in days], *[("B", at) for at in days])
    assert found == ["unknown_order A", "unknown_order B"]


def test_c4b_of_unsigned_ones_there_is_one_message_a_day_whatever_they_name(
    shop: SqlBooks,
) -> None:
    midnight = NOW - NOW % (24 * HOUR) + 24 * HOUR
    many = [(f"{nth}", midnight + nth * HOUR - 1) for nth in range(49)]
    assert alerts_of(shop, HINT, *many) == [
        "unknown_order 0",
        "unknown_order 1",
        "unknown_order 25",
    ]


def test_c4b_a_message_names_an_order_by_their_id_where_they_say_no_more(shop: SqlBooks) -> None:
    news = Told(supplier_ref="77", report=report(T.DELIVERED))
    hearing.never_understood(shop, SELLER, news, PROOF, NOW)
    assert [alert["evidence"] for alert in asked(shop, K.ALERT)] == ["77"]


def test_a_price_is_no_order_that_nobody_knows(shop: SqlBooks) -> None:
    hearing.never_understood(shop, SELLER, Repriced(sku="1", price=1), PROOF, NOW)
    assert owed(shop, OWNER) == []


# --- prices ---


def listed(shop: SqlBooks, sku: str = "1") -> int | None:
    offer = shop.shelf.offer(SELLER, sku, 0)
    return None if offer is None else offer.listed


@pytest.mark.parametrize("trust", [PROOF, HINT])
@pytest.mark.parametrize(
    ("price", "sold"), [(COST - 1, True), (COST, True), (COST + 1, False), (2**40, False)]
)
def test_o8b_a_price_that_is_told_is_read_again_and_a_dearer_item_not_sold_till_then(
    shop: SqlBooks, trust: Trust, price: int, sold: bool
) -> None:
    listed_at(shop, COST)
    assert hearing.heard(shop, SELLER, Repriced(sku="1", price=price), trust, NOW + 1)
    assert listed(shop) == (COST if sold else None)
    assert calls.next_call(shop, SELLER, NOW + 1) == calls.AskPrice(sku="1")


@pytest.mark.parametrize("supplier", ["kiosgame", "zultopup"])
def test_a_price_of_somebody_who_is_never_asked_for_one_changes_nothing(
    shop: SqlBooks, supplier: str
) -> None:
    listed_at(shop, COST)
    assert hearing.heard(shop, supplier, Repriced(sku="1", price=9 * COST), PROOF, NOW + 1)
    assert listed(shop) == COST
    assert shop.shelf.next_price_question(supplier, NOW + HOUR) is None


def test_a_price_of_an_item_that_is_not_sold_here_asks_nothing(shop: SqlBooks) -> None:
    listed_at(shop, COST)
    assert hearing.heard(shop, SELLER, Repriced(sku="2", price=1), HINT, NOW + 1)
    assert shop.shelf.next_price_question(SELLER, NOW + HOUR) is None


def test_o8_no_order_minds_what_is_said_of_prices(shop: SqlBooks) -> None:
    listed_at(shop, COST)
    order = paid_first(shop)
    before = everything(shop)
    hearing.heard(shop, SELLER, Repriced(sku="1", price=1), PROOF, NOW + 1)
    assert everything(shop) == before
    assert now_of(shop, "P") == order
