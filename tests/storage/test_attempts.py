"""Orders found by their attempts: by our reference, by the supplier's id, and by nothing else."""

from dataclasses import replace

import pytest

from shop.orders import Attempt, Event, Order, Status
from storage.books import SqlBooks
from storage.database import Transaction
from tests.shop.samples import NOW, E, M, S, an_attempt, moved, store_move, stored
from tests.storage.files import refused

ZG, KG = "zonegame", "kiosgame"


def tried(books: SqlBooks, name: str, theirs: str = "", supplier: str = ZG, at: int = NOW) -> Order:
    """An order that its supplier has accepted, under this id of theirs."""
    order = stored(
        books, S.PAID, id=name, target=name, method=M.DEPOSIT, supplier=supplier, gateway="g"
    )
    begun = go_on(books, order, E.SUBMISSION_STARTED, an_attempt(order, started_at=at))
    return go_on(books, begun, E.ACCEPTED, attempt(begun, supplier_ref=theirs))


def attempt(order: Order, **changes: object) -> Attempt:
    assert order.attempt is not None
    return replace(order.attempt, charged=order.cost, **changes)  # type: ignore[arg-type]


def go_on(books: SqlBooks, order: Order, event: Event, its: Attempt | None = None) -> Order:
    after = moved(order, event) if its is None else moved(order, event, attempt=its)
    store_move(books, order, after, event)
    return after


def tried_again(books: SqlBooks, order: Order, theirs: str = "") -> Order:
    """The order, failed and then begun once more at the owner's word."""
    for event in (E.FAILED, E.PROCEEDED, E.SUBMISSION_STARTED):
        order = go_on(books, order, event)
    return go_on(books, order, E.ACCEPTED, attempt(order, supplier_ref=theirs))


def of(books: SqlBooks, name: str) -> Order:
    found = books.orders.get(name)
    assert found is not None
    return found


# --- by our reference ---


def test_an_order_is_found_by_our_reference_as_it_is_stored(books: SqlBooks) -> None:
    order = tried(books, "A", "77")
    assert books.attempts.named(ZG, "A-zonegame-1") == order == of(books, "A")


@pytest.mark.parametrize(
    ("supplier", "ref"),
    [
        (ZG, ""),
        (ZG, "A"),
        (ZG, "77"),
        (ZG, "A-zonegame-2"),
        (ZG, "a-zonegame-1"),
        (ZG, "A-zonegame-1 "),
        (ZG, "A-zonegame-_"),
        (ZG, "A-zonegame-%"),
        (KG, "A-zonegame-1"),
    ],
)
def test_nothing_else_is_our_reference(books: SqlBooks, supplier: str, ref: str) -> None:
    tried(books, "A", "77")
    assert books.attempts.named(supplier, ref) is None


def test_an_earlier_attempt_gives_the_order_as_that_one_left_it(books: SqlBooks) -> None:
    first = tried(books, "A", "77")
    second = tried_again(books, first, "78")
    found = books.attempts.named(ZG, "A-zonegame-1")
    assert found is not None
    assert (found.tries, found.attempt) == (1, first.attempt)
    assert replace(found, tries=2, attempt=second.attempt) == second
    assert books.attempts.named(ZG, "A-zonegame-2") == second


@pytest.mark.parametrize("flags", [(True, True), (True, False), (False, True), (False, False)])
def test_all_that_is_known_of_an_attempt_is_kept(books: SqlBooks, flags: tuple[bool, bool]) -> None:
    order = stored(books, S.PAID, method=M.DEPOSIT, supplier=ZG)
    known = {"by_our_ref": flags[0], "calls_back": flags[1], "started_at": NOW + 7, "cost": 5}
    begun = replace(moved(order, E.SUBMISSION_STARTED), attempt=an_attempt(order, **known))
    store_move(books, order, begun, E.SUBMISSION_STARTED)
    assert of(books, order.id) == begun
    its = attempt(begun, supplier_ref="77", told_ref="78")
    after = go_on(books, begun, E.ACCEPTED, its)
    assert of(books, order.id) == after
    again = tried_again(books, after)
    earlier = books.attempts.named(ZG, f"{order.id}-zonegame-1")
    assert earlier is not None
    assert earlier.attempt == its
    assert again.tries == 2


def test_o3_a_reference_is_one_attempts_alone(books: SqlBooks, tx: Transaction) -> None:
    one, other = tried(books, "A"), tried(books, "B")
    assert one.attempt is not None
    with refused(tx, "(?i)unique"):
        books.attempts.put(other.id, replace(one.attempt, nth=2))


def test_o3_what_an_attempt_was_begun_with_does_not_change(books: SqlBooks) -> None:
    order = tried(books, "A")
    its = attempt(order, cost=1, by_our_ref=False, calls_back=True, started_at=1, sku="other")
    books.attempts.put("A", replace(its, ref="OTHER", charged=order.cost))
    assert of(books, "A") == order


# --- by the supplier's id ---


def test_an_order_is_found_by_its_suppliers_id(books: SqlBooks) -> None:
    one, other = tried(books, "A", "77"), tried(books, "B", "77", KG)
    tried(books, "C", "79")
    assert books.attempts.known_as(ZG, "77") == one
    assert books.attempts.known_as(KG, "77") == other
    assert books.attempts.known_as(ZG, "7") is None
    assert books.attempts.known_as("senpay", "77") is None


def test_of_two_with_the_same_id_the_latest_is_meant(books: SqlBooks) -> None:
    for nth, name in enumerate("BCA"):
        tried(books, name, "77", at=NOW + nth)
    found = books.attempts.known_as(ZG, "77")
    assert found is not None
    assert found.id == "A"


def test_an_id_of_an_earlier_attempt_gives_the_order_as_that_one_left_it(
    books: SqlBooks,
) -> None:
    first = tried(books, "A", "77")
    tried_again(books, first, "78")
    found = books.attempts.known_as(ZG, "77")
    assert found is not None
    assert (found.tries, found.attempt, found.status) == (1, first.attempt, S.PROCESSING)


# --- by what a callback told ---


def unsure(books: SqlBooks, name: str = "A") -> Order:
    return stored(books, S.UNSURE, id=name, target=name, method=M.DEPOSIT, supplier=ZG)


def test_c1_what_a_callback_calls_it_is_kept_apart_and_finds_nothing(books: SqlBooks) -> None:
    order = unsure(books)
    books.attempts.tell(order, "77")
    after = of(books, "A")
    assert order.attempt is not None
    assert after == replace(order, attempt=replace(order.attempt, told_ref="77"))
    assert books.attempts.known_as(ZG, "77") is None
    books.attempts.tell(after, "78")
    assert of(books, "A").attempt == replace(order.attempt, told_ref="78")


def test_c1_only_the_last_attempt_of_that_order_is_called_so(books: SqlBooks) -> None:
    order = tried_again(books, tried(books, "A", "77"))
    other = unsure(books, "B")
    books.attempts.tell(order, "79")
    assert of(books, "B") == other
    first, second = (books.attempts.named(ZG, f"A-zonegame-{nth}") for nth in (1, 2))
    assert first is not None
    assert first.attempt is not None
    assert second is not None
    assert second.attempt is not None
    assert (first.attempt.told_ref, second.attempt.told_ref) == ("", "79")


@pytest.mark.parametrize(
    ("event", "status"), [(E.ACCEPTED, S.PROCESSING), (E.FAILED, S.REFUND_DUE)]
)
def test_what_a_callback_told_outlives_a_move(
    books: SqlBooks, event: Event, status: Status
) -> None:
    books.attempts.tell(unsure(books), "77")
    after = go_on(books, of(books, "A"), event)
    assert of(books, "A") == after
    assert after.attempt is not None
    assert (after.status, after.attempt.told_ref) == (status, "77")


def test_whoever_asks_suppliers_hears_that_there_is_something_new_to_ask(
    books: SqlBooks, tx: Transaction
) -> None:
    order = unsure(books)
    tx.rang = False  # type: ignore[attr-defined]
    books.attempts.tell(order, "77")
    assert tx.rang  # type: ignore[attr-defined]
