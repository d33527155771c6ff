"""Deposits of ours that customers pay: asked about together, ended one by one."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from shop import calls, ledger, ordering, settling, watching
from shop.calls import ALONE_EVERY, LEASE, PACE, AskDeposits, AskInvoice, Idle, OpenInvoice
from shop.cases import CaseKind
from shop.notices import NoticeKind
from shop.orders import Order, Status
from shop.settling import NotOpened
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    GATEWAY,
    PRICE,
    a_shop,
    a_wish,
    asked,
    balances,
    credit,
    deposit,
    now_of,
    place,
    settled,
)
from tests.shop.samples import NOW, POLL, K, M, S, an_invoice, case_of, owed

W = InvoiceState
END = NOW + 15 * MINUTE
LAPSES = END + watching.GRACE


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with a_shop(tmp_path) as opened:
        opened.calls.set_list_due(GATEWAY, NOW + 99 * HOUR)
        opened.calls.set_compare_at(GATEWAY, NOW + 99 * HOUR)
        yield opened


def many(books: SqlBooks, count: int, at: int = NOW) -> list[Order]:
    """Deposits of that many people."""
    return [deposit(books, f"D{nth}", at, address=f"web:p{nth}") for nth in range(count)]


def choose(books: SqlBooks, now: int) -> calls.Call | Idle:
    return calls.next_call(books, GATEWAY, now)


def history(books: SqlBooks, now: int, due: str = "D0", **said: InvoiceReport) -> Order:
    """The supplier's answer about all deposits, asked for just before."""
    reports = {f"ref-{name}": report for name, report in said.items()}
    return settling.heard_of_deposits(books, due, reports, now - 1, now)


def saying(state: InvoiceState) -> InvoiceReport:
    return InvoiceReport(state=state, note="their words")


# --- opening ---


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, S.AWAITING_PAYMENT),
        ({"amount": PRICE + 999}, S.AWAITING_PAYMENT),
        ({"amount": PRICE + 1_000}, S.CANCELLED),
        ({"amount": PRICE - 1}, S.CANCELLED),
        ({"amount": 0}, S.CANCELLED),
    ],
)
def test_o8_a_deposit_is_shown_for_the_price_and_a_unique_code_never_for_less(
    books: SqlBooks, changes: dict[str, int], status: Status
) -> None:
    order = place(books, a_wish("D", M.DEPOSIT))
    assert (order.gateway, order.asks) == (GATEWAY, GATEWAY)
    call = choose(books, NOW)
    assert isinstance(call, OpenInvoice)
    invoice = an_invoice("D", **{"cost": 0, **changes})
    after = settling.opened(books, call.order, invoice, NOW + SECOND)
    assert after.status is status
    assert owed(books)[-1] == (K.QR if status is S.AWAITING_PAYMENT else K.NOT_OPENED)


def test_what_a_deposit_costs_teaches_nothing_about_the_goods(books: SqlBooks) -> None:
    deposit(books)
    assert books.shelf.learnt(GATEWAY, "1") is None
    assert books.shelf.learnt("zonegame", "1") is None


@pytest.mark.parametrize("why", [NotOpened.REFUSED, NotOpened.UNKNOWN])
def test_a_deposit_that_could_not_be_had_ends_the_order_and_costs_nobody(
    books: SqlBooks, why: NotOpened
) -> None:
    place(books, a_wish("D", M.DEPOSIT))
    call = choose(books, NOW)
    assert isinstance(call, OpenInvoice)
    assert settling.opened(books, call.order, why, NOW).status is S.CANCELLED
    assert owed(books)[-1] == K.NOT_OPENED


# --- what is said of one ---

SAYS: Mapping[tuple[Status, InvoiceState], tuple[Status, CaseKind | None, list[NoticeKind]]] = {
    (S.AWAITING_PAYMENT, W.SETTLED): (S.PAID, None, [K.STATUS, K.QR_CLOSED]),
    (S.AWAITING_PAYMENT, W.EXPIRED): (S.EXPIRED, None, [K.STATUS, K.QR_CLOSED, K.LAPSED]),
    (S.AWAITING_PAYMENT, W.FAILED): (S.AWAITING_PAYMENT, CaseKind.CONFLICT, []),
    (S.AWAITING_PAYMENT, W.DELIVERED): (S.AWAITING_PAYMENT, CaseKind.CONFLICT, []),
    (S.AWAITING_PAYMENT, W.UNCLEAR): (S.AWAITING_PAYMENT, CaseKind.CONFLICT, []),
    (S.EXPIRED, W.SETTLED): (S.REFUNDED, None, [K.STATUS, K.REFUNDED]),
    (S.EXPIRED, W.UNCLEAR): (S.EXPIRED, CaseKind.CONFLICT, []),
    (S.CANCELLED, W.SETTLED): (S.REFUNDED, None, [K.STATUS, K.REFUNDED]),
    (S.CANCELLED, W.UNCLEAR): (S.CANCELLED, CaseKind.CONFLICT, []),
}
UNPAID = (S.AWAITING_PAYMENT, S.EXPIRED, S.CANCELLED)


@pytest.mark.parametrize(("status", "word"), list(itertools.product(UNPAID, W)))
def test_o11_m3_each_word_about_a_deposit_does_this_and_no_more(
    books: SqlBooks, status: Status, word: InvoiceState
) -> None:
    order = deposit(books)
    if status is S.CANCELLED:
        order = ordering.cancel(books, order, NOW + SECOND) or order
    elif status is S.EXPIRED:
        order = settling.heard(books, "D", saying(W.EXPIRED), NOW + 1, NOW + SECOND)
    told = owed(books)
    becomes, case, says = SAYS.get((status, word), (status, None, []))
    now = NOW + MINUTE
    after = settling.heard(books, "D", saying(word), now - 1, now)
    assert after == now_of(books, "D")
    assert (after.status, case_of(books, after)) == (becomes, case)
    assert owed(books) == [*told, *says]
    assert credit(books) == (PRICE if becomes is S.REFUNDED else 0)


# --- all of them in one ---


def test_one_question_serves_all_open_deposits(books: SqlBooks) -> None:
    many(books, 3)
    now = NOW + POLL
    call = choose(books, now)
    assert isinstance(call, AskDeposits)
    after = history(books, now + SECOND, due=call.order.id, D0=settled(), D2=settled(PRICE))
    assert after.id == call.order.id
    stands = [now_of(books, f"D{nth}").status for nth in range(3)]
    assert stands == [S.PAID, S.AWAITING_PAYMENT, S.PAID]
    # Whoever still waits has been asked about too.
    assert now_of(books, "D1").due_at == now + SECOND + POLL
    assert isinstance(choose(books, now + SECOND + PACE), Idle)


def test_a_deposit_that_is_alone_is_asked_about_by_itself(books: SqlBooks) -> None:
    many(books, 1)
    call = choose(books, NOW + POLL)
    assert isinstance(call, AskInvoice)
    assert call.order.id == "D0"


def test_dropship_orders_at_the_same_supplier_are_not_among_the_deposits(books: SqlBooks) -> None:
    many(books, 1)
    order = place(books, a_wish("X", M.DROPSHIP, supplier=GATEWAY), NOW + MINUTE)
    opening = settling.start_opening(books, order, NOW + HOUR, NOW + MINUTE)
    settling.opened(books, opening, an_invoice("X"), NOW + MINUTE)
    asked = [choose(books, NOW + nth * MINUTE) for nth in (2, 3)]
    assert {type(call) for call in asked} == {AskInvoice}


def test_o14_what_is_being_asked_is_not_asked_again_within_its_lease(books: SqlBooks) -> None:
    many(books, 2)
    now = NOW + POLL
    first, second = choose(books, now), choose(books, now + PACE)
    assert isinstance(first, AskDeposits)
    assert isinstance(second, AskDeposits)
    assert first.order.id != second.order.id
    assert isinstance(choose(books, now + 2 * PACE), Idle)
    again = choose(books, now + LEASE)  # nobody answered: whoever asked is gone
    assert isinstance(again, AskDeposits | AskInvoice)
    assert again.order.id == first.order.id


def test_o11_what_the_history_leaves_out_is_asked_about_alone_once_a_minute(
    books: SqlBooks,
) -> None:
    many(books, 4)
    now, alone = NOW, {f"D{nth}": [NOW] for nth in range(4)}
    together = 0
    while now < END:
        call = choose(books, now)
        if isinstance(call, AskInvoice):
            alone[call.order.id].append(now)
            settling.heard(books, call.order.id, saying(W.UNPAID), now, now)
        elif isinstance(call, AskDeposits):
            together += 1
            settling.heard_of_deposits(books, call.order.id, {}, now, now)
        now = call.until if isinstance(call, Idle) else now
    pauses = [b - a for moments in alone.values() for a, b in itertools.pairwise(moments)]
    assert max(pauses) <= ALONE_EVERY + 3 * POLL
    assert min(pauses) >= ALONE_EVERY
    assert together > 100


@pytest.mark.parametrize("word", [W.UNPAID, W.EXPIRED, W.FAILED, W.UNCLEAR, W.UNREADABLE])
def test_o11_the_history_proves_what_was_paid_and_nothing_else(
    books: SqlBooks, word: InvoiceState
) -> None:
    many(books, 2)
    for nth in range(1, 4):
        history(books, LAPSES + nth * HOUR, D0=saying(word))
    for name in ("D0", "D1"):
        order = now_of(books, name)
        assert (order.status, case_of(books, order)) == (S.AWAITING_PAYMENT, None)


def test_o11_a_deposit_missing_from_the_history_is_asked_about_alone_at_its_end(
    books: SqlBooks,
) -> None:
    many(books, 3)
    for nth in range(3):
        call = choose(books, LAPSES + nth * PACE)
        assert isinstance(call, AskInvoice)
        unpaid = saying(W.UNPAID)
        settling.heard(books, call.order.id, unpaid, LAPSES, LAPSES + nth * PACE)
    assert {now_of(books, f"D{nth}").status for nth in range(3)} == {S.EXPIRED}


def test_o11_at_its_end_it_is_asked_about_alone_even_if_it_was_just_before(
    books: SqlBooks,
) -> None:
    many(books, 2)
    for at in (LAPSES - 30 * SECOND, LAPSES):
        for name in ("D0", "D1"):
            books.orders.note(replace(now_of(books, name), due_at=at))
        found = [choose(books, at), choose(books, at + PACE)]
        assert {type(call) for call in found} == {AskInvoice}


def test_l6_the_history_repeats_itself_and_pays_nothing_twice(books: SqlBooks) -> None:
    many(books, 2)
    for nth in range(1, 5):
        history(books, NOW + nth * MINUTE, due="D1", D0=settled(PRICE))
    order = now_of(books, "D0")
    assert (order.status, case_of(books, order)) == (S.PAID, None)
    assert balances(books, ledger.supplier(GATEWAY), ledger.HELD) == (PRICE, -PRICE)
    assert owed(books, "web:p0") == [K.STATUS, K.STATUS, K.QR, K.STATUS, K.QR_CLOSED]


def test_l6_another_amount_in_the_history_is_a_case(books: SqlBooks) -> None:
    many(books, 2)
    history(books, NOW + MINUTE, due="D1", D0=settled(PRICE))
    history(books, NOW + 2 * MINUTE, due="D1", D0=settled(PRICE + 5))
    order = now_of(books, "D0")
    assert (order.status, order.received) == (S.PAID, PRICE)
    (told,) = asked(books)
    assert told["kind"] == CaseKind.PAID_TWICE


def test_deposits_of_nobody_are_nobodys_business(books: SqlBooks) -> None:
    """The owner's own, and those of before."""
    many(books, 2)
    history(books, NOW + MINUTE, STRANGER=settled(1_000_000))
    assert balances(books, ledger.supplier(GATEWAY), ledger.HELD) == (0, 0)
    assert books.cases.all_open() == []


def test_o11_late_money_is_found_in_the_history_too(books: SqlBooks) -> None:
    many(books, 2)
    settling.heard(books, "D0", saying(W.EXPIRED), NOW + 1, NOW + SECOND)
    history(books, NOW + HOUR, due="D1", D0=settled(PRICE))
    assert now_of(books, "D0").status is S.REFUNDED
    assert credit(books, "web:p0") == PRICE


def test_a_claim_is_answered_by_its_own_question_not_by_the_history(books: SqlBooks) -> None:
    many(books, 2)
    at = NOW + MINUTE
    assert ordering.claim_paid(books, now_of(books, "D0"), at) is ordering.Claim.ASKING
    history(books, at + 1, due="D1")
    assert now_of(books, "D0").claimed_at == at
    call = choose(books, at + 2)
    assert isinstance(call, AskInvoice)
    assert call.order.id == "D0"
    settling.heard(books, "D0", saying(W.UNPAID), at + 2, at + 3)
    assert owed(books, "web:p0")[-1] == K.UNPAID_YET
