"""What is paid is taken once, to the rupiah; and every rupiah that must go back goes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop import ledger, moving, ordering, paying, settling
from shop.cases import Answer, CaseKind, answers
from shop.money import rupiah
from shop.ordering import Declined, Why
from shop.orders import HOLDS_MONEY, Event, IllegalMove, Order, Returned, Status
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    GATEWAY,
    PRICE,
    WALLET,
    a_shop,
    a_wish,
    asked,
    balances,
    by_hand,
    credit,
    deposit,
    for_cash,
    for_credit,
    now_of,
    own_qris,
    paid,
    place,
    settled,
    started,
    with_credit,
)
from tests.shop.samples import NOW, OWNER, E, K, M, S, case_of, owed

CODE = 63  # what the gateway adds to tell payments apart, and keeps
THEN = NOW + MINUTE
LATE = NOW + HOUR
OURS = ledger.supplier(GATEWAY)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        yield opened


def pay(books: SqlBooks, order: Order, amount: int | None, at: int = THEN) -> Order:
    """The supplier says that a deposit was paid, and how much reached us."""
    return settling.heard(books, order.id, settled(amount), at - 1, at)


def lapsed(books: SqlBooks) -> Order:
    return settling.decided(books, deposit(books), E.PAYMENT_ABSENT, OWNER, NOW + SECOND)


def cancelled(books: SqlBooks) -> Order:
    order = ordering.cancel(books, deposit(books), NOW + SECOND)
    assert order is not None
    return order


# --- once ---


@pytest.mark.parametrize("amount", [None, PRICE, PRICE + CODE])
def test_what_was_asked_for_pays_the_order_with_or_without_the_gateways_code(
    books: SqlBooks, amount: int | None
) -> None:
    order = pay(books, deposit(books, more=CODE), amount)
    fee = CODE if amount == PRICE else 0
    assert (order.status, order.received, order.fee) == (S.PAID, PRICE + CODE, fee)
    assert (order.settled_at, order.due_at) == (THEN, THEN)
    kept = PRICE + CODE - fee
    assert balances(books, OURS, ledger.cost(GATEWAY), ledger.HELD) == (kept, fee, -PRICE - CODE)
    assert owed(books)[-2:] == [K.STATUS, K.QR_CLOSED]
    assert case_of(books, order) is None


def test_l6_the_same_payment_is_believed_once_however_often_it_is_heard(books: SqlBooks) -> None:
    order = pay(books, deposit(books), PRICE)
    told = owed(books)
    for nth in range(1, 4):
        again = pay(books, order, PRICE, THEN + nth * MINUTE)
        assert (again.status, again.version, again.received) == (S.PAID, order.version, PRICE)
    assert balances(books, OURS, ledger.HELD) == (PRICE, -PRICE)
    assert owed(books) == told
    assert owed(books, OWNER) == []


@pytest.mark.parametrize(
    ("event", "status"), [(E.GIVEN_BACK, S.REFUNDED), (E.OUTCOME_UNKNOWN, S.UNSURE)]
)
def test_l6_a_payment_is_believed_once_for_ever(
    books: SqlBooks, event: Event, status: Status
) -> None:
    order = pay(books, deposit(books), PRICE)
    order = settling.decided(books, order, event, OWNER, THEN + 1)
    after = pay(books, order, PRICE, LATE)
    assert (after.status, after.version, after.received) == (status, order.version, PRICE)
    assert credit(books) == (PRICE if status is S.REFUNDED else 0)


def test_l6_the_same_payment_with_another_amount_is_one_case_and_no_move(books: SqlBooks) -> None:
    order = pay(books, deposit(books), PRICE)
    for nth in range(1, 4):
        after = pay(books, order, PRICE + 5_000, THEN + nth * MINUTE)
        assert (after.status, after.received) == (S.PAID, PRICE)
    assert case_of(books, order) is None  # it is about the payment, whatever becomes of the order
    (told,) = asked(books)
    assert told["kind"] == CaseKind.PAID_TWICE
    assert told["evidence"].endswith(f"{rupiah(PRICE)} → {rupiah(PRICE + 5_000)}")
    assert balances(books, OURS, ledger.HELD) == (PRICE, -PRICE)


def test_a_payment_of_an_order_without_an_invoice_is_an_error(books: SqlBooks) -> None:
    order = place(books, a_wish("D", M.DEPOSIT))
    with pytest.raises(LookupError):
        paying.paid(books, order, PRICE, NOW)


# --- not what was asked for ---


@pytest.mark.parametrize("amount", [1, PRICE - 1, PRICE + 1, PRICE + CODE - 1, 2 * PRICE])
def test_too_little_and_too_much_are_a_case_and_nothing_is_guessed(
    books: SqlBooks, amount: int
) -> None:
    order = pay(books, deposit(books, more=CODE), amount)
    assert (order.status, order.received, order.fee) == (S.REFUND_DUE, amount, 0)
    assert case_of(books, order) is CaseKind.PAID_WRONG
    assert owed(books)[-1] == K.PAID_WRONG
    assert credit(books) == 0
    assert balances(books, OURS, ledger.HELD) == (amount, -amount)
    (told,) = asked(books)
    assert {"credit", "refunded", "proceed"} <= set(told["answers"].split())


def test_the_owner_may_turn_a_wrong_payment_into_credit(books: SqlBooks) -> None:
    order = pay(books, deposit(books), PRICE - 5_000)
    order = settling.decided(books, order, E.CREDITED, OWNER, THEN + 1)
    assert (order.status, order.returned) == (S.REFUNDED, Returned.WALLET)
    assert credit(books) == PRICE - 5_000
    assert case_of(books, order) is None


def test_the_owner_may_send_a_wrong_payment_back(books: SqlBooks) -> None:
    order = pay(books, deposit(books), PRICE - 5_000)
    order = settling.decided(books, order, E.REFUND_MADE, OWNER, THEN + 1)
    assert (order.returned, credit(books)) == (Returned.HAND, 0)
    assert balances(books, OURS, ledger.ADJUSTMENT) == (PRICE - 5_000, 5_000 - PRICE)


@pytest.mark.parametrize(("more", "excess"), [(5_000, 5_000), (-5_000, 0)])
def test_a_wrong_payment_may_be_accepted_what_is_too_much_is_credit_what_is_missing_a_gift(
    books: SqlBooks, more: int, excess: int
) -> None:
    order = pay(books, deposit(books), PRICE + more)
    order = settling.decided(books, order, E.PROCEEDED, OWNER, THEN + 1)
    assert (order.status, order.excess, credit(books)) == (S.PAID, excess, excess)
    assert books.ledger.balance(ledger.HELD) == excess - PRICE - more
    assert case_of(books, order) is None


@pytest.mark.parametrize("amount", [PRICE, PRICE + 1, 1])
def test_m3_money_that_comes_late_or_after_batal_is_never_ignored(
    books: SqlBooks, amount: int
) -> None:
    order = pay(books, lapsed(books), amount, LATE)
    if amount == PRICE:  # it goes back by itself
        assert (order.status, credit(books)) == (S.REFUNDED, PRICE)
        assert owed(books)[-2:] == [K.STATUS, K.REFUNDED]
        assert case_of(books, order) is None
    else:
        assert (order.status, credit(books)) == (S.REFUND_DUE, 0)
        assert case_of(books, order) is CaseKind.PAID_WRONG


def test_o11_a_hidden_qr_that_is_paid_all_the_same_is_given_back(books: SqlBooks) -> None:
    order = pay(books, cancelled(books), PRICE)
    assert (order.status, order.returned, credit(books)) == (S.REFUNDED, Returned.WALLET, PRICE)


def test_o11_late_money_is_a_case_where_the_owner_refunds_by_hand(books: SqlBooks) -> None:
    order = pay(by_hand(books), lapsed(books), PRICE, LATE)
    assert (order.status, credit(books)) == (S.REFUND_DUE, 0)
    assert case_of(books, order) is CaseKind.PAID_LATE
    assert owed(books)[-1] == K.REFUND_DUE


# --- from the wallet ---


def test_a_wallet_that_holds_exactly_enough_pays_and_is_empty(books: SqlBooks) -> None:
    with_credit(books, PRICE)
    order = place(books, a_wish("W", M.WALLET), THEN)
    assert (order.status, order.received, order.gateway) == (S.PAID, PRICE, "house")
    assert (order.invoice, order.due_at) == (None, THEN)
    assert balances(books, WALLET, ledger.HELD) == (0, -PRICE)
    assert owed(books)[-1] == K.STATUS


def test_l3_a_wallet_that_is_one_rupiah_short_pays_nothing(books: SqlBooks) -> None:
    with_credit(books, PRICE - 1)
    outcome = ordering.place(books, a_wish("W", M.WALLET), THEN)
    assert outcome == Declined(why=Why.SHORT)
    assert books.orders.get("W") is None
    assert credit(books) == PRICE - 1


def test_m1_nobody_pays_from_another_persons_wallet(books: SqlBooks) -> None:
    with_credit(books, 10 * PRICE, "web:ani")
    assert ordering.place(books, a_wish("W", M.WALLET), THEN) == Declined(why=Why.SHORT)
    assert credit(books, "web:ani") == 10 * PRICE


def test_l3_a_wallet_is_never_spent_twice(books: SqlBooks) -> None:
    with_credit(books, PRICE)
    place(books, a_wish("W", M.WALLET), THEN)
    again = ordering.place(books, a_wish("W2", M.WALLET), THEN + MINUTE)
    assert again == Declined(why=Why.SHORT)
    assert credit(books) == 0


def test_l3_what_the_books_do_not_have_is_not_paid_whoever_says_so(books: SqlBooks) -> None:
    """Two processes that both read the credit: the second one's posting is refused."""
    with_credit(books, PRICE - 1)
    tx = books.orders._tx
    tx.execute("SAVEPOINT tried")
    wish = a_wish("W", M.WALLET)
    order = ordering._new_order(books, wish, THEN)
    books.orders.add(order)
    with pytest.raises(ledger.Overdrawn):
        paying.pay_from_wallet(books, order, THEN)
    tx.execute("ROLLBACK TO SAVEPOINT tried")
    assert credit(books) == PRICE - 1


def test_what_is_bought_with_credit_needs_no_qr_and_is_not_one_of_the_three(
    books: SqlBooks,
) -> None:
    with_credit(books, 10 * PRICE)
    for nth in range(ordering.MOST_OPEN):
        own_qris(books, f"Q{nth}", THEN + nth * MINUTE)
    soon = THEN + (ordering.MOST_OPEN - 1) * MINUTE + SECOND
    too_soon = ordering.place(books, a_wish("W", M.WALLET), soon)
    assert too_soon == Declined(why=Why.TOO_SOON, until=soon + 9 * SECOND)
    assert place(books, a_wish("W", M.WALLET), soon + 9 * SECOND).status is S.PAID


# --- back ---


def test_money_goes_back_into_the_wallet_at_once_with_one_message(books: SqlBooks) -> None:
    order = paid(books)
    told = owed(books)
    after = settling.decided(books, order, E.GIVEN_BACK, OWNER, THEN)
    assert (after.status, after.returned) == (S.REFUNDED, Returned.WALLET)
    assert credit(books) == PRICE
    assert owed(books)[len(told) :] == [K.STATUS, K.REFUNDED]
    assert owed(books, OWNER) == []
    history = [happened.event for happened in books.orders.history("P")][-2:]
    assert history == [E.GIVEN_BACK, E.CREDITED]


def test_an_owner_may_want_to_refund_everything_by_hand(books: SqlBooks) -> None:
    manual = by_hand(books)
    order = settling.decided(manual, paid(manual), E.GIVEN_BACK, OWNER, THEN)
    assert (order.status, credit(books)) == (S.REFUND_DUE, 0)
    assert case_of(books, order) is CaseKind.PAID_FAILED
    assert owed(books)[-1] == K.REFUND_DUE
    done = settling.decided(manual, order, E.REFUND_MADE, OWNER, THEN + MINUTE)
    assert (done.status, done.returned) == (S.REFUNDED, Returned.HAND)
    assert owed(books)[-1] == K.REFUNDED
    assert balances(books, ledger.QRIS, ledger.HELD) == (0, 0)


def test_l10_what_went_back_never_goes_back_again(books: SqlBooks) -> None:
    order = settling.decided(books, paid(books), E.GIVEN_BACK, OWNER, THEN)
    for event in (E.CREDITED, E.REFUND_MADE, E.GIVEN_BACK):
        with pytest.raises(IllegalMove):
            settling.decided(books, order, event, OWNER, THEN + 1)
    assert credit(books) == PRICE


def test_what_came_back_as_credit_pays_for_the_next_order(books: SqlBooks) -> None:
    settling.decided(books, paid(books), E.GIVEN_BACK, OWNER, THEN)
    order = place(books, a_wish("W", M.WALLET), LATE)
    back = settling.decided(books, order, E.GIVEN_BACK, OWNER, LATE + 1)
    assert (back.status, credit(books)) == (S.REFUNDED, PRICE)


def test_what_was_paid_beyond_the_price_is_credited_once_even_if_the_order_goes_back(
    books: SqlBooks,
) -> None:
    order = pay(books, deposit(books), PRICE + 5_000)
    order = settling.decided(books, order, E.PROCEEDED, OWNER, THEN + 1)
    order = settling.decided(books, order, E.GIVEN_BACK, OWNER, THEN + 2)
    assert (order.status, credit(books)) == (S.REFUNDED, PRICE + 5_000)


def test_where_a_refund_is_to_be_sent_is_told_to_the_owner(books: SqlBooks) -> None:
    manual = by_hand(books)
    order = settling.decided(manual, paid(manual), E.GIVEN_BACK, OWNER, THEN)
    assert ordering.pay_out_to(manual, order, "GoPay 0812", THEN + MINUTE)
    assert asked(books)[-1]["payout"] == "GoPay 0812"
    assert now_of(books, "P").payout == "GoPay 0812"
    done = settling.decided(manual, now_of(books, "P"), E.REFUND_MADE, OWNER, LATE)
    assert not ordering.pay_out_to(manual, done, "GoPay 0813", LATE + 1)
    assert now_of(books, "P").payout == "GoPay 0812"


# --- what the shop itself sells ---


def test_credit_is_there_as_soon_as_it_is_paid(books: SqlBooks) -> None:
    order = place(books, for_credit("C", 50_000))
    assert (order.supplier, credit(books)) == ("house", 0)
    order = settling.decided(books, order, E.PAID, OWNER, THEN)
    assert (order.status, credit(books)) == (S.DELIVERED, 50_000)
    assert balances(books, ledger.QRIS, ledger.SALES, ledger.HELD) == (50_000, 0, 0)
    assert owed(books)[-1] == K.DELIVERED
    assert answers_to(books, order) == set()


def answers_to(books: SqlBooks, order: Order) -> set[Answer]:
    case = books.cases.open_for(order.id)
    return set() if case is None else set(answers(case, order))


def test_credit_may_be_topped_up_as_often_as_one_likes(books: SqlBooks) -> None:
    """Unlike goods: two of the same are no mistake."""
    for nth in range(3):
        at = NOW + nth * MINUTE
        order = place(books, for_credit(f"C{nth}", 50_000), at)
        settling.decided(books, order, E.PAID, OWNER, at)
    assert credit(books) == 50_000 + 50_001 + 50_002  # to the rupiah that each QR asked for


def test_credit_paid_with_a_wrong_amount_is_worth_what_came(books: SqlBooks) -> None:
    order = place(books, for_credit("C", 50_000))
    order = paying.paid(books, order, 40_000, THEN)
    assert case_of(books, order) is CaseKind.PAID_WRONG
    order = settling.decided(books, order, E.CREDITED, OWNER, THEN + 1)
    assert (order.status, credit(books)) == (S.REFUNDED, 40_000)


def test_cash_leaves_the_wallet_at_once_and_is_sent_by_the_owner(books: SqlBooks) -> None:
    with_credit(books, 50_000)
    order = place(books, for_cash("X", 30_000), THEN)
    assert (order.status, credit(books)) == (S.PROCESSING, 20_000)
    assert case_of(books, order) is CaseKind.CASH
    assert answers_to(books, order) == {Answer.ARRIVED, Answer.GIVE_BACK}
    assert asked(books)[-1]["payout"] == "BCA 123"
    assert books.ledger.balance(ledger.HELD) == -30_000
    sent = settling.decided(books, order, E.ARRIVED, OWNER, LATE)
    assert (sent.status, credit(books)) == (S.DELIVERED, 20_000)
    assert balances(books, ledger.HELD, ledger.SALES, ledger.ADJUSTMENT) == (0, 0, -30_000)


def test_cash_that_is_called_off_is_credit_again_even_where_refunds_are_by_hand(
    books: SqlBooks,
) -> None:
    manual = by_hand(books)
    with_credit(manual, 50_000)
    order = place(manual, for_cash("X", 30_000), THEN)
    back = settling.decided(manual, order, E.GIVEN_BACK, OWNER, LATE)
    assert (back.status, credit(books)) == (S.REFUNDED, 50_000)
    assert case_of(books, order) is None


def test_l3_more_cash_than_there_is_credit_is_not_paid_out(books: SqlBooks) -> None:
    with_credit(books, 29_999)
    assert ordering.place(books, for_cash("X", 30_000), THEN) == Declined(why=Why.SHORT)


# --- all ways together ---


@pytest.mark.parametrize("status", sorted(HOLDS_MONEY))
def test_l6_what_is_held_is_what_customers_paid_and_did_not_get(
    books: SqlBooks, status: Status
) -> None:
    order = started(by_hand(books))
    paths = {
        S.PAID: (E.NOT_SENT,),
        S.SUBMITTING: (),
        S.PROCESSING: (E.ACCEPTED,),
        S.UNSURE: (E.OUTCOME_UNKNOWN,),
        S.PARTLY_DELIVERED: (E.PARTLY,),
        S.REFUND_DUE: (E.FAILED,),
    }
    for event in paths[status]:
        order = moving.go(by_hand(books), order, event, THEN)
    assert order.status is status
    assert books.ledger.balance(ledger.HELD) == -PRICE
