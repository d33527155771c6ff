"""Orders that are paid first, as stored: their attempts, and what is reckoned from many of them."""

from dataclasses import replace
from typing import Any

import pytest

from shop.cases import Answer, Case, CaseKind
from shop.ledger import UnderWay
from shop.orders import Attempt, Order, Returned, Status
from shop.time import HOUR
from storage.books import SqlBooks
from storage.order_rows import PLAIN
from tests.shop.samples import (
    NOW,
    OWNER,
    PREPAID,
    QUOTE,
    E,
    M,
    S,
    an_attempt,
    moved,
    store_move,
    stored,
)

ZT, ELSEWHERE = "zultopup", "zonegame"


def prepaid(books: SqlBooks, status: Status, name: str = "O", **changes: Any) -> Order:
    """Paid as a deposit, delivered by somebody else."""
    known: dict[str, Any] = {
        "method": M.DEPOSIT,
        "supplier": ELSEWHERE,
        "gateway": ZT,
        "target": name,
    }
    return stored(books, status, id=name, **{**known, **changes})


@pytest.mark.parametrize("status", sorted(PREPAID))
def test_it_is_read_back_as_it_was_stored_with_its_last_attempt(
    books: SqlBooks, status: Status
) -> None:
    order = prepaid(books, status)
    assert books.orders.get("O") == order
    assert (order.attempt is None) is (order.tries == 0)


def test_all_that_is_learnt_of_its_money_is_kept(books: SqlBooks) -> None:
    paid = prepaid(books, S.REFUND_DUE, received=0)
    learnt: dict[str, Any] = {
        "fee": 63,
        "excess": 5,
        "returned": Returned.WALLET,
        "lost": True,
        "payout": "BCA 1",
    }
    after = replace(moved(paid, E.CREDITED), **learnt)
    books.orders.move(paid, after, E.CREDITED)
    assert books.orders.get("O") == after


def test_the_last_attempt_is_the_one_that_is_read_and_the_others_are_kept(
    books: SqlBooks,
) -> None:
    order = prepaid(books, S.SUBMITTING)
    for nth in (2, 3):
        before, order = order, moved(order, E.NOT_SENT)
        store_move(books, before, order, E.NOT_SENT)
        before, order = order, moved(order, E.SUBMISSION_STARTED)
        store_move(books, before, order, E.SUBMISSION_STARTED)
        kept = books.orders.get("O")
        assert kept == order
        assert kept.tries == nth
    tx = books.orders._tx
    refs = [row["ref"] for row in tx.fetch("SELECT ref FROM attempts ORDER BY nth")]
    assert refs == ["O-zonegame-1", "O-zonegame-2", "O-zonegame-3"]


def test_an_attempt_learns_its_number_and_its_cost_and_nothing_else(books: SqlBooks) -> None:
    order = prepaid(books, S.SUBMITTING)
    other = Attempt(
        nth=1,
        ref="another",
        supplier="another",
        sku="9",
        cost=1,
        by_our_ref=False,
        supplier_ref="77",
        charged=5,
        started_at=1,
    )
    books.orders.move(order, replace(moved(order, E.ACCEPTED), attempt=other), E.ACCEPTED)
    kept = books.orders.get("O")
    assert kept is not None
    assert kept.attempt == an_attempt(replace(order, tries=0), supplier_ref="77", charged=5)


def test_an_order_is_found_by_its_invoice(books: SqlBooks) -> None:
    order = prepaid(books, S.EXPIRED)
    assert books.orders.with_invoice(ZT, "ref-O") == order
    assert books.orders.with_invoice(ELSEWHERE, "ref-O") is None
    assert books.orders.with_invoice(ZT, "ref") is None


def test_deposits_that_wait_for_their_payment_are_known(books: SqlBooks) -> None:
    for status in PREPAID:
        prepaid(books, status, status)
    stored(books, S.AWAITING_PAYMENT, id="DROPSHIP")
    rests = prepaid(books, S.AWAITING_PAYMENT, "RESTS")
    prepaid(books, S.AWAITING_PAYMENT, "ELSEWHERE", gateway=ELSEWHERE)
    books.orders.note(replace(rests, due_at=None))
    assert [order.id for order in books.orders.waiting_deposits(ZT)] == [S.AWAITING_PAYMENT]
    assert books.orders.open_deposits(ZT) == 1


@pytest.mark.parametrize("status", sorted(PREPAID))
def test_l8c_amounts_of_own_qris_are_reserved_while_open_and_for_a_while_after(
    books: SqlBooks, status: Status
) -> None:
    prepaid(books, status, method=M.QRIS, gateway="house")
    prepaid(books, status, "D")  # asks for the same, elsewhere
    invoiced = status not in {S.PLACED, S.OPENING}
    assert books.orders.reserved_amounts(NOW - 1) == ({QUOTE.price} if invoiced else set())
    later = {QUOTE.price} if status is S.AWAITING_PAYMENT else set()
    assert books.orders.reserved_amounts(NOW) == later


@pytest.mark.parametrize("status", sorted(PREPAID))
def test_what_may_stand_in_a_balance_and_is_not_posted_yet_is_reckoned(
    books: SqlBooks, status: Status
) -> None:
    prepaid(books, status)
    leaving = QUOTE.cost if status in {S.SUBMITTING, S.UNSURE} else 0
    unpaid = {S.AWAITING_PAYMENT, S.EXPIRED, S.CANCELLED}
    coming = QUOTE.price if status in unpaid else 0
    assert books.orders.under_way(ELSEWHERE) == UnderWay(leaving=leaving)
    assert books.orders.under_way(ZT) == UnderWay(coming=coming)
    committed = QUOTE.cost if status in {S.PAID, S.SUBMITTING} else 0
    assert books.orders.committed(ELSEWHERE) == committed
    assert books.orders.committed(ZT) == 0


def test_what_is_reckoned_is_the_sum_of_all(books: SqlBooks) -> None:
    for nth in range(3):
        prepaid(books, S.SUBMITTING, f"S{nth}")
        prepaid(books, S.AWAITING_PAYMENT, f"A{nth}")
    assert books.orders.under_way(ELSEWHERE) == UnderWay(leaving=3 * QUOTE.cost)
    assert books.orders.under_way(ZT) == UnderWay(coming=3 * QUOTE.price)
    assert books.orders.submitting(ELSEWHERE) == 3
    assert {type(n) for n in (books.orders.committed(ELSEWHERE), books.orders.submitting(ZT))} == {
        int
    }


def test_orders_that_may_have_been_made_are_known(books: SqlBooks) -> None:
    for status in PREPAID:
        prepaid(books, status, status)
    assert [order.id for order in books.orders.unsure_at(ELSEWHERE)] == [S.UNSURE]
    assert list(books.orders.unsure_at(ZT)) == []


def test_every_order_with_money_is_read_once_however_many_there_are(books: SqlBooks) -> None:
    wanted = [f"O{nth:04}" for nth in range(1_200)]
    prepaid(books, S.PAID, wanted[0])
    others = ", ".join((*PLAIN, "asks"))
    copy = f"""
        INSERT INTO orders (id, idempotency, {others}) SELECT :id, :id, {others}
        FROM orders WHERE id = :first
    """
    for name in wanted[1:]:
        books.orders._tx.execute(copy, {"id": name, "first": wanted[0]})
    stored(books, S.EXPIRED, id="UNPAID", target="u")
    assert [found.id for found in books.orders.with_money()] == wanted


# --- cases ---


def about_a_balance(nth: int, supplier: str = ZT) -> Case:
    return Case(
        id=f"{supplier}-{nth}",
        order_id="",
        about=supplier,
        kind=CaseKind.BALANCE,
        evidence="Rp1 → Rp2",
        opened_at=NOW + nth,
    )


def test_a_case_about_a_balance_is_kept_apart_from_those_of_orders(books: SqlBooks) -> None:
    one = about_a_balance(1)
    books.cases.put(one)
    assert books.cases.get(one.id) == books.cases.open_about(ZT) == one
    assert books.cases.open_about(ELSEWHERE) is None
    assert (books.cases.count_about(ZT), books.cases.count_for("")) == (1, 0)
    assert books.cases.open_for("") is None
    books.cases.close(one, Answer.ADJUST, OWNER, NOW + HOUR)
    assert books.cases.open_about(ZT) is None
    books.cases.put(about_a_balance(2))
    assert books.cases.count_about(ZT) == 2


def test_whoever_waits_longest_is_reminded_of_first(books: SqlBooks) -> None:
    for nth, supplier in ((3, "c"), (1, "a"), (2, "b")):
        books.cases.put(about_a_balance(nth, supplier))
    closed = about_a_balance(0, "d")
    books.cases.put(closed)
    books.cases.close(closed, None, "", NOW)
    day = NOW + 24 * HOUR
    assert books.cases.next_to_remind(day) is None
    reminded = []
    while (case := books.cases.next_to_remind(day + 9)) is not None:
        reminded.append(case.about)
        books.cases.remind_at(case, day + HOUR)
    assert reminded == ["a", "b", "c"]


def test_a_case_that_is_asked_anew_is_a_day_old_a_day_later(books: SqlBooks) -> None:
    case = about_a_balance(1)
    books.cases.put(case)
    books.cases.put(replace(case, opened_at=NOW + HOUR))
    assert books.cases.next_to_remind(NOW + 25 * HOUR - 1) is None
    assert books.cases.next_to_remind(NOW + 25 * HOUR) is not None
