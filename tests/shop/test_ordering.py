"""What a customer may do with an order, and how often."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shop import ordering, settling, watching
from shop.notices import NoticeKind
from shop.ordering import (
    BETWEEN_CLAIMS,
    BETWEEN_ORDERS,
    MOST_OPEN,
    Claim,
    Declined,
    Placed,
    Shown,
    Why,
    Wish,
)
from shop.orders import Event, Order, Status
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.samples import (
    BUYER,
    NOW,
    QUOTE,
    RULES,
    an_invoice,
    an_order,
    moved,
    open_books,
    owed,
    stored,
)

LATER = NOW + BETWEEN_ORDERS


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    with open_books(tmp_path) as opened:
        yield opened


def wish(name: str = "NEW", address: str = BUYER, **changes: str) -> Wish:
    made = Wish(
        id=name,
        key=f"key-{name}",
        address=address,
        supplier="zultopup",
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id="123456789",
        server="",
        target="123456789",
        quote=QUOTE,
    )
    return replace(made, **changes)


def order_of(outcome: object) -> Order:
    assert isinstance(outcome, Placed | Shown)
    return outcome.order


def test_o8_o10_an_order_is_exactly_what_was_confirmed(books: SqlBooks) -> None:
    wanted = wish(server="2001", target="1234567892001", item="70 Diamond \u2764")
    outcome = ordering.place(books, wanted, NOW)
    assert isinstance(outcome, Placed)
    kept = books.orders.get("NEW")
    assert kept == outcome.order
    for name in ("id", "key", "address", "supplier", "sku", "game", "item", "user_id", "target"):
        assert getattr(kept, name) == getattr(wanted, name)
    assert (kept.listed, kept.cost, kept.price) == (QUOTE.listed, QUOTE.cost, QUOTE.price)
    assert kept.quote_until == NOW + RULES.holds_for
    assert kept.due_at == NOW
    assert owed(books) == [NoticeKind.STATUS]


def test_o2_the_same_confirmation_is_the_same_order_however_late_it_comes(books: SqlBooks) -> None:
    first = order_of(ordering.place(books, wish("A"), NOW))
    for span in (0, SECOND, 20 * SECOND, 60 * MINUTE):
        again = ordering.place(books, wish("B", key="key-A"), NOW + span)
        assert again == Shown(order=first)
    assert books.orders.get("B") is None
    assert owed(books) == [NoticeKind.STATUS]


@pytest.mark.parametrize("status", sorted(Status))
def test_o2_a_confirmation_that_was_used_up_never_orders_again(
    books: SqlBooks, status: Status
) -> None:
    order = stored(books, status)
    for other in ("123456789", "987654321"):
        again = ordering.place(books, wish("B", key=order.key, target=other), NOW + 60 * MINUTE)
        assert again == Shown(order=order)
    assert books.orders.get("B") is None
    assert owed(books) == []


@pytest.mark.parametrize("status", [Status.PLACED, Status.OPENING, Status.AWAITING_PAYMENT])
def test_o2_the_same_item_for_the_same_account_is_shown_again(
    books: SqlBooks, status: Status
) -> None:
    twin = stored(books, status)
    outcome = ordering.place(books, wish(), LATER)
    assert order_of(outcome).id == twin.id
    assert books.orders.get("NEW") is None
    assert owed(books).count("qr") == (status is Status.AWAITING_PAYMENT)


@pytest.mark.parametrize(
    "status", [Status.PAID, Status.SUBMITTING, Status.PROCESSING, Status.UNSURE]
)
def test_o2_an_order_being_delivered_is_not_bought_twice_by_accident(
    books: SqlBooks, status: Status
) -> None:
    stored(books, status)
    assert ordering.place(books, wish(), LATER) == Declined(why=Why.TAKEN)


@pytest.mark.parametrize(
    ("status", "until"),
    [
        (Status.PLACED, NOW + RULES.holds_for),
        (Status.OPENING, NOW + RULES.holds_for),
        (Status.AWAITING_PAYMENT, NOW + 15 * MINUTE),
        (Status.CANCELLED, NOW + 15 * MINUTE),
        (Status.PROCESSING, None),
    ],
)
def test_m1_another_persons_order_is_never_shown_only_declined(
    books: SqlBooks, status: Status, until: int | None
) -> None:
    stored(books, status, address="web:ani")
    assert ordering.place(books, wish(), NOW) == Declined(why=Why.TAKEN, until=until)
    assert owed(books) == []


@pytest.mark.parametrize(
    "status", [Status.DELIVERED, Status.REFUND_DUE, Status.REFUNDED, Status.EXPIRED]
)
def test_what_has_ended_can_be_bought_again(books: SqlBooks, status: Status) -> None:
    stored(books, status)
    assert isinstance(ordering.place(books, wish(), LATER), Placed)


@pytest.mark.parametrize("name", ["sku", "target", "supplier"])
def test_another_item_account_or_supplier_is_another_order(books: SqlBooks, name: str) -> None:
    stored(books, Status.AWAITING_PAYMENT)
    assert isinstance(ordering.place(books, wish(**{name: "other"}), LATER), Placed)


def test_a_qr_that_has_run_out_does_not_stand_in_the_way(books: SqlBooks) -> None:
    stored(books, Status.AWAITING_PAYMENT)
    end = NOW + 15 * MINUTE
    assert isinstance(ordering.place(books, wish("A"), end - 1), Shown)
    assert isinstance(ordering.place(books, wish("B"), end), Placed)


def test_three_qrs_are_open_at_the_most_and_it_is_said_until_when(books: SqlBooks) -> None:
    for nth in range(MOST_OPEN):
        end = NOW + (15 - nth) * MINUTE
        order = stored(books, Status.OPENING, id=f"O{nth}", target=f"t{nth}")
        invoice = an_invoice(order.id, expires_at=end)
        after = moved(order, Event.INVOICE_OPENED, invoice=invoice)
        books.orders.move(order, after, Event.INVOICE_OPENED)
    declined = ordering.place(books, wish(), LATER)
    assert declined == Declined(why=Why.TOO_MANY, until=NOW + 13 * MINUTE)
    assert isinstance(ordering.place(books, wish("A"), NOW + 13 * MINUTE), Placed)


@pytest.mark.parametrize("status", [Status.PLACED, Status.OPENING])
def test_orders_still_without_a_qr_count_among_the_three(books: SqlBooks, status: Status) -> None:
    for nth in range(MOST_OPEN):
        stored(books, status, id=f"O{nth}", target=f"t{nth}")
    until = NOW + RULES.holds_for  # then their quotes run out
    assert ordering.place(books, wish(), LATER) == Declined(why=Why.TOO_MANY, until=until)
    theirs = wish("A", "web:ani", target="theirs")
    assert isinstance(ordering.place(books, theirs, LATER), Placed)
    assert isinstance(ordering.place(books, wish(), until), Placed)


def test_ten_seconds_lie_between_two_orders_of_one_person(books: SqlBooks) -> None:
    ordering.place(books, wish("A", target="a"), NOW)
    soon = ordering.place(books, wish("B", target="b"), NOW + BETWEEN_ORDERS - 1)
    assert soon == Declined(why=Why.TOO_SOON, until=NOW + BETWEEN_ORDERS)
    other = ordering.place(books, wish("C", "web:ani", target="c"), NOW + 1)
    assert isinstance(other, Placed)
    assert isinstance(ordering.place(books, wish("D", target="d"), LATER), Placed)


@pytest.mark.parametrize("status", [Status.PLACED, Status.AWAITING_PAYMENT])
def test_batal_hides_an_order_that_is_not_paid(books: SqlBooks, status: Status) -> None:
    order = stored(books, status)
    hidden = ordering.cancel(books, order, NOW + SECOND)
    assert hidden is not None
    assert books.orders.get(order.id) == hidden
    assert hidden.status is Status.CANCELLED
    assert (hidden.due_at is not None) is (hidden.invoice is not None)
    closed = [NoticeKind.QR_CLOSED] if status is Status.AWAITING_PAYMENT else []
    assert owed(books) == [NoticeKind.STATUS, *closed]


@pytest.mark.parametrize(
    "status", sorted(set(Status) - {Status.PLACED, Status.AWAITING_PAYMENT}, key=str)
)
def test_batal_comes_too_late_for_everything_else(books: SqlBooks, status: Status) -> None:
    order = stored(books, status)
    assert ordering.cancel(books, order, NOW + SECOND) is None
    assert books.orders.get(order.id) == order
    assert owed(books) == []


def test_o2_a_hidden_qr_is_reopened_and_no_second_one_is_made(books: SqlBooks) -> None:
    order = stored(books, Status.AWAITING_PAYMENT)
    ordering.cancel(books, order, NOW + SECOND)
    outcome = ordering.place(books, wish(), LATER)
    assert isinstance(outcome, Shown)
    assert (outcome.order.id, outcome.order.status) == (order.id, Status.AWAITING_PAYMENT)
    assert outcome.order.due_at is not None
    assert owed(books)[-2:] == [NoticeKind.STATUS, NoticeKind.QR]


@pytest.mark.parametrize("hidden", range(MOST_OPEN + 1))
def test_hidden_qrs_count_among_the_three_for_they_can_be_had_back(
    books: SqlBooks, hidden: int
) -> None:
    for nth in range(MOST_OPEN):
        status = Status.CANCELLED if nth < hidden else Status.AWAITING_PAYMENT
        stored(books, status, id=f"O{nth}", target=f"t{nth}")
    until = NOW + 15 * MINUTE
    assert ordering.place(books, wish(), until - 1) == Declined(why=Why.TOO_MANY, until=until)
    for nth in range(MOST_OPEN):
        order = books.orders.get(f"O{nth}")
        assert order is not None
        assert ordering.show_again(books, order, LATER).status is Status.AWAITING_PAYMENT
    assert len(books.orders.open_of(BUYER, LATER)) == MOST_OPEN
    assert isinstance(ordering.place(books, wish(), until), Placed)


@pytest.mark.parametrize("seed", range(8))
def test_however_they_are_placed_hidden_and_had_back_no_more_than_three_are_open(
    books: SqlBooks, seed: int
) -> None:
    dice, now, names = random.Random(seed), NOW, ["t0"]
    fullest = 0
    for turn in range(120):
        now += dice.choice((SECOND, 11 * SECOND, MINUTE))
        order = books.orders.get(dice.choice(names))
        match dice.randrange(4):
            case 0:
                outcome = ordering.place(books, wish(f"t{turn}", target=f"t{turn}"), now)
                names += [f"t{turn}"] * isinstance(outcome, Placed)
            case 1 if order and order.status is Status.PLACED and now < order.quote_until:
                opening = settling.start_opening(books, order, now + MINUTE, now)
                invoice = an_invoice(order.id, expires_at=now + 5 * MINUTE)
                settling.opened(books, opening, invoice, now)
            case 2 if order is not None:
                ordering.cancel(books, order, now)
            case _ if order is not None:
                again = wish("again", key=f"again{turn}", target=order.target)
                ordering.place(books, replace(again, id=f"again{turn}"), now)
                names += [f"again{turn}"] * (books.orders.get(f"again{turn}") is not None)
        fullest = max(fullest, len(books.orders.open_of(BUYER, now)))
    assert fullest == MOST_OPEN


def test_another_persons_three_do_not_keep_a_hidden_qr_hidden(books: SqlBooks) -> None:
    for nth in range(MOST_OPEN):
        stored(books, Status.AWAITING_PAYMENT, id=f"O{nth}", target=f"t{nth}", address="web:ani")
    stored(books, Status.CANCELLED)
    assert isinstance(ordering.place(books, wish(), LATER), Shown)


def test_a_hidden_qr_is_not_reopened_after_its_end(books: SqlBooks) -> None:
    order = stored(books, Status.CANCELLED)
    end = NOW + 15 * MINUTE
    assert ordering.show_again(books, order, end) == order
    assert isinstance(ordering.place(books, wish("A"), end), Placed)


@pytest.mark.parametrize("changes", [{"cost": QUOTE.price + 1}, {"amount": QUOTE.price + 1_000}])
def test_o8_a_qr_hidden_because_of_a_loss_is_never_shown_again(
    books: SqlBooks, changes: dict[str, int]
) -> None:
    opening = stored(books, Status.OPENING)
    invoice = an_invoice(opening.id, **changes)
    loss = moved(opening, Event.INVOICE_AT_A_LOSS, invoice=invoice)
    books.orders.move(opening, loss, Event.INVOICE_AT_A_LOSS)
    kept = books.orders.get(opening.id)
    assert kept is not None
    assert not ordering.is_payable(kept, NOW)
    assert ordering.show_again(books, kept, NOW) == kept
    declined = ordering.place(books, wish(), LATER)
    assert declined == Declined(why=Why.TAKEN, until=NOW + 15 * MINUTE)
    assert owed(books) == []


def test_many_taps_at_once_show_a_qr_again_once_and_later_ones_again(books: SqlBooks) -> None:
    order = stored(books, Status.AWAITING_PAYMENT)
    for at in (NOW, NOW, NOW + SECOND, NOW + 9 * SECOND):
        assert ordering.show_again(books, order, at) == order
    assert owed(books) == [NoticeKind.QR]
    ordering.show_again(books, order, NOW + BETWEEN_ORDERS)
    assert owed(books) == [NoticeKind.QR, NoticeKind.QR]


def test_a_qr_that_was_hidden_and_had_back_is_shown_even_if_it_was_shown_just_before(
    books: SqlBooks,
) -> None:
    order = stored(books, Status.AWAITING_PAYMENT)
    ordering.show_again(books, order, NOW)
    hidden = ordering.cancel(books, order, NOW + SECOND)
    assert hidden is not None
    ordering.show_again(books, hidden, NOW + 2 * SECOND)
    closed, opened = NoticeKind.QR_CLOSED, NoticeKind.QR
    assert [kind for kind in owed(books) if kind in {closed, opened}] == [opened, closed, opened]


def test_a_qr_that_has_run_out_is_not_shown_again(books: SqlBooks) -> None:
    order = stored(books, Status.AWAITING_PAYMENT)
    assert ordering.show_again(books, order, NOW + 15 * MINUTE) == order
    assert owed(books) == []


@pytest.mark.parametrize(
    ("status", "claim"),
    [
        (Status.PLACED, Claim.NOTHING_TO_ASK),
        (Status.OPENING, Claim.NOTHING_TO_ASK),
        (Status.AWAITING_PAYMENT, Claim.ASKING),
        (Status.PAID, Claim.ALREADY_PAID),
        (Status.SUBMITTING, Claim.ALREADY_PAID),
        (Status.PROCESSING, Claim.ALREADY_PAID),
        (Status.UNSURE, Claim.ALREADY_PAID),
        (Status.PARTLY_DELIVERED, Claim.ALREADY_PAID),
        (Status.DELIVERED, Claim.NOTHING_TO_ASK),
        (Status.REFUND_DUE, Claim.NOTHING_TO_ASK),
        (Status.REFUNDED, Claim.NOTHING_TO_ASK),
        (Status.EXPIRED, Claim.ASKING),
        (Status.CANCELLED, Claim.ASKING),
    ],
)
def test_o11_i_have_paid_is_asked_about_wherever_money_may_have_come(
    books: SqlBooks, status: Status, claim: Claim
) -> None:
    order = stored(books, status)
    assert ordering.claim_paid(books, order, NOW + MINUTE) is claim
    kept = books.orders.get(order.id)
    assert kept is not None
    claimed = claim is Claim.ASKING
    assert (kept.claimed_at, kept.due_at) == (
        (NOW + MINUTE, NOW + MINUTE) if claimed else (None, order.due_at)
    )
    assert (kept.status, kept.version) == (order.status, order.version)


def test_an_order_that_never_had_a_qr_has_nothing_to_be_asked_about(books: SqlBooks) -> None:
    order = stored(books, Status.PLACED)
    cancelled = ordering.cancel(books, order, NOW)
    assert cancelled is not None
    assert ordering.claim_paid(books, cancelled, NOW) is Claim.NOTHING_TO_ASK


def test_ten_seconds_lie_between_two_claims_of_one_person(books: SqlBooks) -> None:
    one = stored(books, Status.AWAITING_PAYMENT, id="A", target="a")
    two = stored(books, Status.AWAITING_PAYMENT, id="B", target="b")
    theirs = stored(books, Status.AWAITING_PAYMENT, id="C", target="c", address="web:ani")
    assert ordering.claim_paid(books, one, NOW) is Claim.ASKING
    assert ordering.claim_paid(books, two, NOW + BETWEEN_CLAIMS - 1) is Claim.TOO_SOON
    assert ordering.claim_paid(books, theirs, NOW + 1) is Claim.ASKING
    assert ordering.claim_paid(books, two, NOW + BETWEEN_CLAIMS) is Claim.ASKING


def test_one_word_asks_about_everything_a_person_may_have_paid(books: SqlBooks) -> None:
    statuses = (Status.AWAITING_PAYMENT, Status.PROCESSING, Status.CANCELLED, Status.PLACED)
    orders = [
        stored(books, status, id=f"O{nth}", target=f"t{nth}") for nth, status in enumerate(statuses)
    ]
    assert ordering.claim_any(books, BUYER, orders, NOW) is Claim.ASKING
    kept = [books.orders.get(order.id) for order in orders]
    assert [order.claimed_at for order in kept if order] == [NOW, None, NOW, None]
    assert ordering.claim_any(books, BUYER, orders, NOW + BETWEEN_CLAIMS - 1) is Claim.TOO_SOON
    assert ordering.claim_any(books, BUYER, orders, NOW + BETWEEN_CLAIMS) is Claim.ASKING


def test_one_word_about_nothing_that_may_be_paid_says_so(books: SqlBooks) -> None:
    placed = stored(books, Status.PLACED, id="A", target="a")
    paid = stored(books, Status.PROCESSING, id="B", target="b")
    assert ordering.claim_any(books, BUYER, [], NOW) is Claim.NOTHING_TO_ASK
    assert ordering.claim_any(books, BUYER, [placed], NOW) is Claim.NOTHING_TO_ASK
    assert ordering.claim_any(books, BUYER, [placed, paid], NOW) is Claim.ALREADY_PAID


def test_a_qr_that_ran_out_long_ago_is_asked_about_once_an_hour(books: SqlBooks) -> None:
    order = stored(books, Status.EXPIRED)
    long_ago = watching.lapses_at(order) + HOUR
    asked_at = []
    for minutes in range(0, 150, 5):
        kept = books.orders.get(order.id)
        assert kept is not None
        at = long_ago - 30 * MINUTE + minutes * MINUTE
        if ordering.claim_paid(books, kept, at) is Claim.ASKING:
            asked_at.append(at - long_ago)
    assert asked_at == [*range(-30 * MINUTE, 1, 5 * MINUTE), HOUR]


def test_a_clock_that_went_back_keeps_nobody_waiting(books: SqlBooks) -> None:
    order = stored(books, Status.AWAITING_PAYMENT, target="other", created_at=NOW + HOUR)
    books.orders.note(replace(order, last_claim_at=NOW + HOUR))
    assert ordering.claim_paid(books, order, NOW) is Claim.ASKING
    assert isinstance(ordering.place(books, wish(), NOW), Placed)


def test_nothing_is_payable_without_a_qr() -> None:
    assert not ordering.is_payable(an_order(), NOW)
