"""Orders as stored: what went in comes out, and only from where it was read."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.cases import Answer, Case, CaseKind
from shop.orders import Order, Status
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from storage.orders import Stale
from tests.fakes.databases import KINDS
from tests.shop.samples import (
    BUYER,
    NOW,
    OWNER,
    E,
    S,
    an_invoice,
    an_order,
    moved,
    stored,
)
from tests.shop.samples import RULES as OWNERS_RULES
from tests.storage.files import Shared, refused, undone

ZT = "zultopup"
# Without NUL, which PostgreSQL cannot store: see test_values.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
WHOLE = st.integers(min_value=0, max_value=2**62)


def history(books: SqlBooks, order_id: str) -> list[tuple[object, ...]]:
    sql = """
        SELECT version, event, was, became, actor, evidence FROM order_events
        WHERE order_id = :id ORDER BY version
    """
    return [tuple(dict(row).values()) for row in books.orders._tx.fetch(sql, {"id": order_id})]


def test_an_order_is_read_back_as_it_was_stored(books: SqlBooks) -> None:
    for status in Status:
        order = stored(books, status, id=f"O-{status}", target=status)
        assert books.orders.get(order.id) == order
        assert books.orders.by_key(order.key) == order
    assert books.orders.get("NOBODY") is None
    assert books.orders.by_key("NOTHING") is None


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)  # it waits for a disk
@given(item=TEXT, user_id=TEXT, target=TEXT, price=WHOLE, amount=WHOLE, qr=TEXT, end=WHOLE)
def test_o10_whatever_was_confirmed_is_kept_to_the_letter(
    shared: Shared,
    kind: str,
    item: str,
    user_id: str,
    target: str,
    price: int,
    amount: int,
    qr: str,
    end: int,
) -> None:
    with undone(shared(kind)) as tx:
        books = SqlBooks(tx, OWNERS_RULES, (OWNER,))
        order = an_order(
            item=item, user_id=user_id, target=target, price=price, cost=0, listed=0, alarmed=True
        )
        books.orders.add(order)
        assert books.orders.get(order.id) == order
        opening = moved(order, E.OPENING_STARTED)
        books.orders.move(order, opening, E.OPENING_STARTED)
        invoice = an_invoice(amount=amount, qr=qr, expires_at=end)
        opened = moved(opening, E.INVOICE_OPENED, invoice=invoice)
        books.orders.move(opening, opened, E.INVOICE_OPENED)
        assert books.orders.get(order.id) == opened


def test_the_history_tells_every_move_and_who_made_it(books: SqlBooks) -> None:
    order = stored(books, S.REFUND_DUE)
    done = moved(order, E.REFUND_MADE)
    books.orders.move(order, done, E.REFUND_MADE, actor=OWNER, evidence="BCA 1")
    assert history(books, order.id) == [
        (1, "placed", "", "placed", BUYER, ""),
        (2, "opening_started", "placed", "opening", "", ""),
        (3, "invoice_opened", "opening", "awaiting_payment", "", ""),
        (4, "failed", "awaiting_payment", "refund_due", "", ""),
        (5, "refund_made", "refund_due", "refunded", OWNER, "BCA 1"),
    ]


def test_o6b_o14_a_move_from_an_old_copy_is_refused_and_leaves_nothing(books: SqlBooks) -> None:
    old = stored(books, S.AWAITING_PAYMENT)
    paid = moved(old, E.SETTLED)
    books.orders.move(old, paid, E.SETTLED)
    before = history(books, old.id)
    with pytest.raises(Stale):
        books.orders.move(old, moved(old, E.LAPSED), E.LAPSED)
    assert books.orders.get(old.id) == paid
    assert history(books, old.id) == before


def test_o6b_the_status_must_be_the_one_that_was_read(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    forged = replace(order, status=S.PROCESSING)
    with pytest.raises(Stale):
        books.orders.move(forged, moved(forged, E.DELIVERED), E.DELIVERED)


def test_o14_timers_of_an_order_that_has_moved_on_are_refused(books: SqlBooks) -> None:
    old = stored(books, S.AWAITING_PAYMENT)
    paid = moved(old, E.SETTLED)
    books.orders.move(old, paid, E.SETTLED)
    with pytest.raises(Stale):
        books.orders.note(replace(old, due_at=NOW + MINUTE))
    assert books.orders.get(old.id) == paid


def test_a_note_changes_timers_and_never_where_it_stands(books: SqlBooks) -> None:
    order = stored(books, S.PROCESSING)
    noted = replace(order, due_at=None, claimed_at=1, last_claim_at=2, alarmed=True)
    books.orders.note(noted)
    assert books.orders.get(order.id) == noted
    books.orders.note(replace(noted, status=S.REFUNDED, price=1, target="other"))
    assert books.orders.get(order.id) == noted


def test_a_move_never_changes_what_was_confirmed(books: SqlBooks) -> None:
    order = stored(books, S.PLACED)
    after = replace(moved(order, E.OPENING_STARTED), price=1, user_id="x", good="y", content=2)
    books.orders.move(order, after, E.OPENING_STARTED)
    kept = books.orders.get(order.id)
    assert kept is not None
    assert (kept.price, kept.user_id) == (order.price, order.user_id)
    assert (kept.good, kept.content) == (order.good, order.content)


def test_a_move_can_change_by_whom_it_is_delivered(books: SqlBooks) -> None:
    order = stored(books, S.PLACED)
    route = {"supplier": "other", "sku": "x", "target": "there", "server_code": "y", "cost": 9}
    route["ceiling"] = 8  # of one that has become dear
    after = replace(moved(order, E.OPENING_STARTED), **route)
    books.orders.move(order, after, E.OPENING_STARTED)
    assert books.orders.get(order.id) == after


def test_the_first_invoice_stays(books: SqlBooks) -> None:
    order = stored(books, S.CANCELLED)
    again = moved(order, E.REOPENED, invoice=an_invoice(supplier_ref="another"))
    books.orders.move(order, again, E.REOPENED)
    kept = books.orders.get(order.id)
    assert kept is not None
    assert kept.invoice == order.invoice


@pytest.mark.parametrize("status", sorted(Status))
@pytest.mark.parametrize("ended", [False, True])
def test_o2_what_the_supplier_may_still_count_as_pending_is_found(
    books: SqlBooks, status: Status, ended: bool
) -> None:
    order = stored(books, status)
    now = NOW + 15 * MINUTE - (not ended)
    ever = {S.PLACED, S.OPENING, S.PAID, S.SUBMITTING, S.PROCESSING, S.UNSURE}
    while_open = set() if ended else {S.AWAITING_PAYMENT, S.CANCELLED}
    found = books.orders.live_with(ZT, order.sku, order.target, now)
    assert (found == order) is (status in ever | while_open)
    assert books.orders.live_with(ZT, order.sku, "other", now) is None
    assert books.orders.live_with("zonegame", order.sku, order.target, now) is None


def test_what_waits_for_payment_is_found_oldest_first(books: SqlBooks) -> None:
    wanted = [
        stored(books, status, id=f"O{nth}", target=str(nth), created_at=NOW + nth)
        for nth, status in enumerate((S.AWAITING_PAYMENT, S.PLACED, S.OPENING))
    ]
    for nth, status in enumerate((S.PROCESSING, S.CANCELLED, S.EXPIRED, S.DELIVERED)):
        stored(books, status, id=f"X{nth}", target=f"x{nth}")
    stored(books, S.PLACED, id="THEIRS", target="t", address="web:ani")
    assert books.orders.open_of(BUYER, NOW) == wanted
    assert books.orders.open_of(BUYER, NOW + 15 * MINUTE) == []


def test_history_comes_newest_first_and_in_pages(books: SqlBooks) -> None:
    for nth in range(7):
        status = S.DELIVERED if nth % 2 else S.EXPIRED
        stored(books, status, id=f"O{nth}", target=str(nth), created_at=NOW + nth)
    stored(books, S.DELIVERED, id="THEIRS", target="t", address="web:ani")
    names = [order.id for order in books.orders.recent_of(BUYER, 3)]
    assert names == ["O6", "O5", "O4"]
    assert [order.id for order in books.orders.recent_of(BUYER, 9, 5)] == ["O1", "O0"]
    assert [order.id for order in books.orders.delivered_of(BUYER, 9)] == ["O5", "O3", "O1"]
    assert [order.id for order in books.orders.delivered_of(BUYER, 2, "free-fire")] == ["O5", "O3"]
    assert books.orders.delivered_of(BUYER, 9, "valorant") == []


def test_a_person_who_never_ordered_has_no_last_time(books: SqlBooks) -> None:
    assert books.orders.last_created_of(BUYER) is None
    assert books.orders.last_claim_of(BUYER) is None
    stored(books, S.PLACED, last_claim_at=NOW + 5)
    assert books.orders.last_created_of(BUYER) == NOW
    assert books.orders.last_claim_of(BUYER) == NOW + 5


LEASED = {S.OPENING, S.AWAITING_PAYMENT, S.SUBMITTING, S.PROCESSING, S.UNSURE}


@pytest.mark.parametrize("status", sorted(Status))
@pytest.mark.parametrize("claimed_at", [None, NOW])
def test_o14_what_somebody_may_have_been_asking_about_is_due_when_leases_end(
    books: SqlBooks, status: Status, claimed_at: int | None
) -> None:
    order = stored(books, status)
    books.orders.note(replace(order, due_at=NOW + MINUTE, claimed_at=claimed_at))
    books.orders.end_leases(NOW + SECOND)
    at_once = status in LEASED or claimed_at is not None
    assert due_at(books, order.id) == NOW + (SECOND if at_once else MINUTE)


def test_o14_ending_leases_puts_nothing_off_and_wakes_nothing_that_rests(books: SqlBooks) -> None:
    overdue = stored(books, S.PROCESSING, id="A")
    ended = stored(books, S.DELIVERED, id="B", target="b")
    books.orders.note(replace(overdue, due_at=NOW - MINUTE))
    books.orders.note(replace(ended, due_at=None, claimed_at=NOW))
    books.orders.end_leases(NOW)
    assert [due_at(books, name) for name in "AB"] == [NOW - MINUTE, None]


@pytest.mark.parametrize("status", sorted(Status))
def test_o13_a_timer_set_by_a_clock_that_was_ahead_comes_due_and_the_rest_stays(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    for timer in (NOW + HOUR, NOW - HOUR, None):
        books.orders.note(replace(order, due_at=timer))
        books.orders.come_due(NOW, latest=NOW + HOUR)
        assert due_at(books, order.id) == timer
    books.orders.note(replace(order, due_at=NOW + HOUR + 1))
    books.orders.come_due(NOW, latest=NOW + HOUR)
    assert due_at(books, order.id) == NOW


def due_at(books: SqlBooks, order_id: str) -> int | None:
    kept = books.orders.get(order_id)
    assert kept is not None
    return kept.due_at


@pytest.mark.parametrize("status", sorted(Status))
def test_the_orders_that_somebody_waits_for_are_counted(books: SqlBooks, status: Status) -> None:
    stored(books, status)
    waits = {S.AWAITING_PAYMENT, S.PROCESSING, S.UNSURE}
    assert books.orders.waiting(ZT) == (status in waits)
    assert books.orders.waiting("zonegame") == 0


@pytest.mark.parametrize("status", sorted(Status))
@pytest.mark.parametrize("ended", [False, True])
def test_what_a_person_could_still_pay_is_found_even_if_it_is_hidden(
    books: SqlBooks, status: Status, ended: bool
) -> None:
    order = stored(books, status)
    payable = {S.PLACED, S.OPENING, S.AWAITING_PAYMENT, S.CANCELLED}
    found = books.orders.payable_of(BUYER, NOW + 15 * MINUTE - (not ended))
    assert found == ([order] if status in payable and not ended else [])
    assert books.orders.payable_of("web:ani", NOW) == []


def test_what_was_cancelled_without_a_qr_or_hidden_at_a_loss_cannot_be_paid(
    books: SqlBooks,
) -> None:
    given_up = stored(books, S.PLACED, id="A", target="a")
    books.orders.move(given_up, moved(given_up, E.GIVEN_UP), E.GIVEN_UP)
    opening = stored(books, S.OPENING, id="B", target="b")
    invoice = an_invoice("B", cost=opening.price + 1)
    loss = moved(opening, E.INVOICE_AT_A_LOSS, invoice=invoice)
    books.orders.move(opening, loss, E.INVOICE_AT_A_LOSS)
    assert books.orders.payable_of(BUYER, NOW) == []


def test_o2_an_invoice_that_an_order_has_is_known(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    assert order.invoice is not None
    assert books.orders.has_invoice(ZT, order.invoice.supplier_ref)
    assert not books.orders.has_invoice("zonegame", order.invoice.supplier_ref)
    assert not books.orders.has_invoice(ZT, "another")


def test_best_sellers_are_those_that_were_delivered(books: SqlBooks) -> None:
    games = ["valorant", "free-fire", "free-fire", "genshin-impact", "valorant", "free-fire"]
    for nth, game in enumerate(games):
        stored(books, S.DELIVERED, id=f"O{nth}", target=str(nth), game=game)
    stored(books, S.EXPIRED, id="X", game="pubg-mobile")
    assert books.orders.best_selling(2) == ["free-fire", "valorant"]


def test_a_picture_is_kept_as_it_came(books: SqlBooks) -> None:
    order = stored(books, S.AWAITING_PAYMENT)
    assert books.orders.picture(order.id) is None
    for picture in (b"\x89PNG\x00\xff", b"another"):
        books.orders.put_picture(order.id, picture)
    assert books.orders.picture(order.id) == b"\x89PNG\x00\xff"


def a_case(order: Order, nth: int = 1) -> Case:
    return Case(
        id=f"C{nth}",
        order_id=order.id,
        kind=CaseKind.PAID_FAILED,
        evidence="gagal <b>",
        opened_at=NOW + nth,
    )


def test_a_case_is_kept_with_what_was_chosen_until_it_is_closed(books: SqlBooks) -> None:
    order = stored(books, S.REFUND_DUE)
    case = a_case(order)
    books.cases.put(case)
    chosen = replace(case, pending=Answer.REFUNDED, pending_by=OWNER, pending_until=NOW + MINUTE)
    books.cases.put(chosen)
    assert books.cases.get(case.id) == books.cases.open_for(order.id) == chosen
    assert books.cases.all_open() == [chosen]
    books.cases.close(chosen, Answer.REFUNDED, OWNER, NOW + MINUTE)
    closed = books.cases.get(case.id)
    assert closed is not None
    assert (closed.closed_at, closed.pending) == (NOW + MINUTE, None)
    assert books.cases.open_for(order.id) is None
    assert books.cases.last_for(order.id) == closed
    assert books.cases.all_open() == []


def test_an_order_has_one_open_case_and_its_last_one_is_known(books: SqlBooks) -> None:
    order = stored(books, S.REFUND_DUE)
    for nth in range(1, 4):
        books.cases.put(a_case(order, nth))
        books.cases.close(a_case(order, nth), None, "", NOW + nth)
        assert books.cases.count_for(order.id) == nth
    last = books.cases.last_for(order.id)
    assert last is not None
    assert last.id == "C3"
    assert books.cases.count_for("NOBODY") == 0


def test_o2_the_same_key_can_never_be_stored_twice(books: SqlBooks) -> None:
    order = stored(books, S.PLACED)
    for twin in (replace(order, id="OTHER"), replace(order, key="other")):
        with refused(books.orders._tx, "(?i)unique"):
            books.orders.add(twin)
    assert books.orders.recent_of(BUYER, 9) == [order]
