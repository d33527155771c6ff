"""The owner's own QRIS: an amount for each order, and a person who says whether it came."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop import housekeeping, ledger, ordering, settling, watching
from shop.cases import Answer, CaseKind, answers, event_of
from shop.ordering import RESERVED, UNIQUE_CODES, Claim, Declined, Shown, Why
from shop.orders import Event, Order, Status
from shop.qris import tlv
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    PRICE,
    a_shop,
    a_wish,
    asked,
    balances,
    credit,
    deposit,
    now_of,
    own_qris,
)
from tests.shop.samples import NOW, OWNER, E, K, M, S, case_of, owed

END = NOW + 15 * MINUTE  # of the first one's QR
LAPSES = END + watching.GRACE


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        yield opened


def opened(books: SqlBooks, nth: int, at: int = NOW) -> Order:
    return own_qris(books, f"Q{nth}", at, address=f"web:p{nth}")


def amount(order: Order) -> int:
    assert order.invoice is not None
    return order.invoice.amount


def claimed(books: SqlBooks, status: Status = S.AWAITING_PAYMENT) -> Order:
    """An order whose customer says that they have paid it."""
    order = own_qris(books)
    if status is S.CANCELLED:
        ordering.cancel(books, order, NOW + SECOND)
    elif status is S.EXPIRED:
        housekeeping.tidy(books, LAPSES)
    claim = ordering.claim_paid(books, now_of(books, "Q"), NOW + MINUTE)
    assert claim is Claim.ASKING_THE_OWNER
    return now_of(books, "Q")


# --- amounts ---


def test_the_qr_is_the_owners_own_with_the_amount_of_this_order(books: SqlBooks) -> None:
    order = own_qris(books)
    assert order.invoice is not None
    said = dict(tlv(order.invoice.qr))
    assert (said["54"], said["59"], said["01"]) == (str(PRICE), "TOKO CONTOH", "12")
    assert (order.status, order.due_at) == (S.AWAITING_PAYMENT, LAPSES)
    assert (order.gateway, order.invoice.expires_at) == ("house", END)
    assert owed(books) == [K.STATUS, K.QR]


def test_l8c_no_two_open_orders_ever_wait_for_the_same_amount(books: SqlBooks) -> None:
    amounts = [amount(opened(books, nth)) for nth in range(30)]
    assert amounts == list(range(PRICE, PRICE + 30))  # and none asks for much more


@pytest.mark.parametrize("end", [E.LAPSED, E.CANCELLED, E.PAID, E.PAYMENT_ABSENT])
def test_l8c_an_amount_stays_reserved_for_a_day_after_its_order_has_ended(
    books: SqlBooks, end: Event
) -> None:
    """A late payment is then taken for nobody else's."""
    first = opened(books, 1)
    ended = settling.decided(books, first, end, OWNER, LAPSES)
    assert amount(opened(books, 2, LAPSES + RESERVED - 1)) == PRICE + 1
    assert ended.changed_at == LAPSES
    assert amount(opened(books, 3, LAPSES + RESERVED)) == PRICE


def test_an_amount_is_reserved_for_as_long_as_its_order_is_open(books: SqlBooks) -> None:
    opened(books, 1)
    ordering.claim_paid(books, now_of(books, "Q1"), NOW + MINUTE)
    assert amount(opened(books, 2, NOW + 30 * RESERVED)) == PRICE + 1


def test_amounts_of_other_ways_to_pay_are_not_reserved(books: SqlBooks) -> None:
    deposit(books, "D", address="web:ani")
    assert amount(own_qris(books)) == PRICE


def test_l8c_when_every_amount_near_the_price_is_waited_for_nothing_is_placed(
    books: SqlBooks,
) -> None:
    for nth in range(UNIQUE_CODES):
        opened(books, nth)
    wish = a_wish("Q", M.QRIS)
    assert ordering.place(books, wish, NOW) == Declined(why=Why.NO_AMOUNT)
    assert books.orders.get("Q") is None
    assert owed(books) == []


def test_the_same_wish_shows_the_same_qr_again(books: SqlBooks) -> None:
    order = own_qris(books)
    again = ordering.place(books, a_wish("Q2", M.QRIS, target=order.target), NOW + MINUTE)
    assert again == Shown(order=order)
    assert owed(books) == [K.STATUS, K.QR, K.QR]


# --- the customer's word ---


def test_o11_a_claim_stops_the_expiry_and_asks_the_owner(books: SqlBooks) -> None:
    order = claimed(books)
    assert (order.status, order.due_at, order.claimed_at) == (S.AWAITING_PAYMENT, None, None)
    assert case_of(books, order) is CaseKind.CLAIMED
    (told,) = asked(books)
    assert {"paid", "unpaid"} <= set(told["answers"].split())
    for hours in range(1, 72, 7):
        housekeeping.tidy(books, LAPSES + hours * HOUR)
    assert now_of(books, "Q").status is S.AWAITING_PAYMENT


def test_m2_claiming_again_and_again_asks_the_owner_once(books: SqlBooks) -> None:
    claimed(books)
    assert ordering.claim_paid(books, now_of(books, "Q"), NOW + MINUTE + SECOND) is Claim.TOO_SOON
    for nth in range(2, 9):
        again = ordering.claim_paid(books, now_of(books, "Q"), NOW + nth * MINUTE)
        assert again is Claim.ASKING_THE_OWNER
    assert len(asked(books)) == 1


def test_no_supplier_is_asked_about_the_owners_own_qris(books: SqlBooks) -> None:
    claimed(books)
    for supplier in ("zultopup", "zonegame"):
        assert books.orders.next_claimed(supplier, NOW + HOUR) is None
        assert books.orders.next_watched(supplier, NOW + HOUR) is None


def test_one_word_about_two_orders_asks_the_owner_and_the_supplier(books: SqlBooks) -> None:
    orders = [own_qris(books), deposit(books, at=NOW + MINUTE)]
    at = NOW + 2 * MINUTE
    assert ordering.claim_any(books, orders[0].address, orders, at) is Claim.ASKING
    assert case_of(books, orders[0]) is CaseKind.CLAIMED
    assert now_of(books, "D").claimed_at == at


# --- the owner's ---


@pytest.mark.parametrize("status", [S.AWAITING_PAYMENT, S.EXPIRED, S.CANCELLED])
def test_l6_the_owners_yes_is_the_payment(books: SqlBooks, status: Status) -> None:
    order = claimed(books, status)
    event = event_of(Answer.PAID, order)
    assert event is not None
    after = settling.decided(books, order, event, OWNER, NOW + HOUR)
    if status is S.AWAITING_PAYMENT:
        assert (after.status, after.received, after.fee) == (S.PAID, PRICE, 0)
        assert balances(books, ledger.QRIS, ledger.HELD) == (PRICE, -PRICE)
    else:  # too late for the goods
        assert (after.status, credit(books)) == (S.REFUNDED, PRICE)
    assert case_of(books, after) is None
    history = books.orders.history("Q")
    assert OWNER in {happened.actor for happened in history}


def test_the_owners_no_ends_it_and_the_customer_hears_so(books: SqlBooks) -> None:
    order = claimed(books)
    after = settling.decided(books, order, E.PAYMENT_ABSENT, OWNER, NOW + HOUR)
    assert (after.status, after.received, case_of(books, after)) == (S.EXPIRED, 0, None)
    assert owed(books)[-1] == K.LAPSED
    assert books.ledger.balance(ledger.QRIS) == 0


def test_o11_after_a_no_the_customer_may_insist_and_the_owner_may_find_it_after_all(
    books: SqlBooks,
) -> None:
    order = claimed(books)
    settling.decided(books, order, E.PAYMENT_ABSENT, OWNER, NOW + 2 * MINUTE)
    again = ordering.claim_paid(books, now_of(books, "Q"), NOW + 3 * MINUTE)
    assert again is Claim.ASKING_THE_OWNER
    case = books.cases.open_for("Q")
    assert case is not None
    order = now_of(books, "Q")
    assert set(answers(case, order)) == {Answer.PAID, Answer.SEEN}
    after = settling.decided(books, order, E.PAID_LATE, OWNER, NOW + 4 * MINUTE)
    assert (after.status, credit(books)) == (S.REFUNDED, PRICE)


def test_l6_a_second_yes_is_no_second_payment(books: SqlBooks) -> None:
    order = claimed(books)
    first = settling.decided(books, order, E.PAID, OWNER, NOW + HOUR)
    second = settling.decided(books, first, E.PAID, OWNER, NOW + HOUR + 1)
    assert (second.status, second.version) == (S.PAID, first.version)
    assert balances(books, ledger.QRIS, ledger.HELD) == (PRICE, -PRICE)


# --- nobody says anything ---


def test_unclaimed_it_lapses_after_its_grace_by_the_shops_own_hand(books: SqlBooks) -> None:
    own_qris(books)
    assert housekeeping.tidy(books, LAPSES - 1) == LAPSES
    assert now_of(books, "Q").status is S.AWAITING_PAYMENT
    housekeeping.tidy(books, LAPSES)
    order = now_of(books, "Q")
    assert (order.status, order.due_at) == (S.EXPIRED, None)
    assert owed(books)[-3:] == [K.STATUS, K.QR_CLOSED, K.LAPSED]
    assert asked(books) == []


def test_o11_a_claim_is_not_forgotten_because_its_customer_taps_batal(books: SqlBooks) -> None:
    """They may have paid all the same, and only the owner can see it."""
    order = claimed(books)
    cancelled = ordering.cancel(books, order, NOW + 2 * MINUTE)
    assert cancelled is not None
    assert case_of(books, cancelled) is CaseKind.CLAIMED
    case = books.cases.open_for("Q")
    assert case is not None
    assert Answer.PAID in answers(case, cancelled)


def test_o11_a_claimed_qr_that_was_hidden_and_had_back_does_not_lapse(books: SqlBooks) -> None:
    order = claimed(books)
    hidden = ordering.cancel(books, order, NOW + 2 * MINUTE)
    assert hidden is not None
    ordering.show_again(books, hidden, NOW + 3 * MINUTE)
    housekeeping.tidy(books, LAPSES + HOUR)
    after = now_of(books, "Q")
    assert case_of(books, after) is CaseKind.CLAIMED


def test_who_says_again_that_it_was_paid_is_looked_for_again(books: SqlBooks) -> None:
    order = claimed(books, S.EXPIRED)
    case = books.cases.open_for(order.id)
    assert case is not None
    books.cases.close(case, Answer.SEEN, OWNER, LAPSES)
    later = LAPSES + 2 * HOUR
    assert ordering.claim_paid(books, now_of(books, "Q"), later) is Claim.ASKING_THE_OWNER
    assert case_of(books, order) is CaseKind.CLAIMED
    assert len(asked(books)) == 2


def test_l8c_an_amount_is_nobody_elses_while_the_owner_is_being_asked_about_it(
    books: SqlBooks,
) -> None:
    order = claimed(books, S.EXPIRED)
    other = opened(books, 1, at=NOW + RESERVED + 2 * HOUR)
    assert amount(other) != amount(order)


def test_a_qr_stays_while_another_way_to_pay_has_to_wait(books: SqlBooks) -> None:
    order = own_qris(books)
    other = a_wish("D", M.DEPOSIT, target=order.target)
    assert isinstance(ordering.place(books, other, NOW + SECOND), Declined)
    assert now_of(books, "Q").status is S.AWAITING_PAYMENT
    assert isinstance(ordering.place(books, other, NOW + MINUTE), ordering.Placed)
    assert now_of(books, "Q").status is S.CANCELLED
