"""Buttons of an order: they work for ever, on any screen, and for its buyer only (S4)."""

from collections.abc import Callable

import pytest

from bot.conversation.views import StepId, View, What
from shop import settling
from shop.orders import Order, Status
from shop.suppliers import InvoiceState
from shop.time import HOUR, MINUTE, SECOND
from tests.bot.conversation.parlour import FACE, SHELF, TEXTS, Guest, Parlour, whole

UNKNOWN = TEXTS["id"]("order.unknown")
ACTIONS = ("paid", "cancel", "again", "show", "made-up", "", "open", "refunded", "yes-refunded")
DAY = 24 * HOUR


ACCOUNT = "777888999"  # not the example that questions show


def placed(parlour: Parlour, guest: Guest) -> Order:
    guest.walks_to_confirmation(account=ACCOUNT)
    guest.taps("Bayar")
    return parlour.orders[-1]


def awaiting(parlour: Parlour, guest: Guest) -> Order:
    return parlour.show_qr(placed(parlour, guest).id)


def processing(parlour: Parlour, guest: Guest) -> Order:
    return parlour.hear(awaiting(parlour, guest).id, InvoiceState.SETTLED)


def delivered(parlour: Parlour, guest: Guest) -> Order:
    return parlour.deliver(awaiting(parlour, guest).id, "SECRET-SN-1")


def refund_due(parlour: Parlour, guest: Guest) -> Order:
    return parlour.hear(awaiting(parlour, guest).id, InvoiceState.FAILED, note="gagal")


def expired(parlour: Parlour, guest: Guest) -> Order:
    return parlour.hear(awaiting(parlour, guest).id, InvoiceState.EXPIRED)


def cancelled(parlour: Parlour, guest: Guest) -> Order:
    order = awaiting(parlour, guest)
    guest.presses(f"o:{order.id}:cancel")
    return parlour.order(order.id)


STANDINGS: list[Callable[[Parlour, Guest], Order]] = [
    placed, awaiting, processing, delivered, refund_due, expired, cancelled,
]  # fmt: skip


@pytest.fixture(params=STANDINGS, ids=lambda made: made.__name__)
def order(request: pytest.FixtureRequest, parlour: Parlour, budi: Guest) -> Order:
    """An order of Budi's, in every standing."""
    made: Callable[[Parlour, Guest], Order] = request.param
    order = made(parlour, budi)
    parlour.post()
    parlour.clock.advance(11 * SECOND)
    return order


def rows(parlour: Parlour) -> list[tuple[object, ...]]:
    tables = ("orders", "order_events", "outbox", "cases", "invoices")
    return [
        tuple(row)
        for table in tables
        for row in parlour.connection.execute(f"SELECT * FROM {table}")
    ]


# --- nobody else's business -----------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_s4_an_order_of_somebody_else_is_answered_like_an_unknown_one(
    parlour: Parlour, siti: Guest, order: Order, action: str
) -> None:
    siti.says("/start")
    before = rows(parlour)
    theirs = siti.presses(f"o:{order.id}:{action}")
    nobodys = siti.presses(f"o:ZZZZZZZZZZ:{action}")
    assert theirs is not None
    assert nobodys is not None
    assert theirs == nobodys
    assert theirs.text == UNKNOWN
    assert theirs.choices == ()
    assert rows(parlour) == before


@pytest.mark.parametrize("spelling", ["{}", " {} ", "{} x", "#{}", "'{}'"])
def test_s4_the_status_of_somebody_elses_order_is_unknown(
    parlour: Parlour, siti: Guest, order: Order, spelling: str
) -> None:
    view = siti.says(f"/status {spelling.format(order.id)}")
    assert view.text == siti.says("/status ZZZZZZZZZZ").text == UNKNOWN


def test_s4_an_order_cannot_be_repeated_by_somebody_else(
    parlour: Parlour, siti: Guest, order: Order
) -> None:
    siti.says("/start")
    for choice in (f"@{order.id}", f"@{order.id.lower()}", "@ZZZZZZZZZZ"):
        view = siti.presses(f"s:{siti.session.screen}:{choice}")
        assert view is not None
        assert order.user_id not in whole(view)
        assert siti.step is StepId.GAME
    siti.walks_to_account()
    view = siti.presses(f"s:{siti.session.screen}:@{order.id}")
    assert view is not None
    assert order.user_id not in whole(view)
    assert siti.step is StepId.ACCOUNT


def test_s4_nothing_of_an_order_is_ever_shown_to_another_person(
    parlour: Parlour, siti: Guest, order: Order
) -> None:
    for words in ("/start", "/riwayat", "/riwayat 2", f"/status {order.id}", "/saldo", "/status",
                  "/batal", f"@{order.id}", order.id, "ff", "70 diamond", "5 diamond"):  # fmt: skip
        siti.says(words)
    siti.shares(What.PICTURE)
    parlour.post()
    seen = "\n".join(whole(view) + str(view.choices) for view in siti.views)
    assert order.user_id not in seen
    assert order.id not in seen
    assert "SECRET-SN-1" not in seen


@pytest.mark.parametrize(
    "address",
    ["web:bud", "web:budi ", "web:BUDI", "web:budi2", "telegram:budi", "budi", "", "web:"],
)
def test_s4_a_similar_name_is_another_person(parlour: Parlour, budi: Guest, address: str) -> None:
    bought = parlour.bought(budi)
    stranger = parlour.guest(address=address or "-", limit=12)
    stranger.address = address
    view = stranger.presses(f"o:{bought.id}:show")
    assert view is not None
    assert view.text == UNKNOWN


def test_s4_a_picture_claims_only_ones_own_orders(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    order = awaiting(parlour, budi)
    siti.shares(What.PICTURE)
    assert parlour.order(order.id).claimed_at is None
    budi.shares(What.PICTURE)
    assert parlour.order(order.id).claimed_at is not None


# --- for ever, on any screen ----------------------------------------------------------------------


@pytest.mark.parametrize("action", ["paid", "cancel", "again", "show"])
def test_a_button_of_an_order_answers_for_ever(
    parlour: Parlour, budi: Guest, order: Order, action: str
) -> None:
    for span in (0, MINUTE, HOUR, 25 * HOUR, 400 * DAY):
        parlour.clock.advance(span)
        parlour.stock(SHELF)
        view = budi.presses(f"o:{order.id}:{action}")
        assert view is not None
        assert view.text.strip()
        assert view.text != UNKNOWN
        parlour.post()
    assert len(parlour.orders) == 1


@pytest.mark.parametrize("action", ["paid", "cancel", "show"])
def test_a_button_of_an_order_does_not_disturb_the_question_that_is_open(
    parlour: Parlour, budi: Guest, order: Order, action: str
) -> None:
    budi.walks_to_account("ml", "86")
    before = budi.session
    question = budi.last
    budi.presses(f"o:{order.id}:{action}")
    assert (budi.step, budi.draft) == (before.step, before.draft)
    budi.presses(question.choices[-1].data)  # the question's own buttons still work
    assert budi.step is StepId.ITEM


def test_a_made_up_action_of_ones_own_order_puts_the_present_question(
    parlour: Parlour, budi: Guest, order: Order
) -> None:
    question, before = budi.walks_to_account(), rows(parlour)
    view = budi.presses(f"o:{order.id}:made-up")
    assert view is not None
    assert view.text == f"{TEXTS['id']('button.old')}\n\n{question.text}"
    assert budi.labels == [choice.label for choice in question.choices]
    assert rows(parlour) == before
    budi.presses(view.choices[-1].data)
    assert budi.step is StepId.ITEM


# --- what each does -------------------------------------------------------------------------------


def test_cancelling_hides_the_qr_and_showing_brings_it_back(parlour: Parlour, budi: Guest) -> None:
    order = awaiting(parlour, budi)
    parlour.post()
    budi.taps("Batal")
    assert parlour.order(order.id).status is Status.CANCELLED
    parlour.post()
    budi.taps("Tampilkan QR")
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT
    parlour.post()
    assert budi.last.image is not None or budi.sees("Bayar Rp").image is not None


def test_cancelling_twice_is_answered_twice(parlour: Parlour, budi: Guest) -> None:
    order = awaiting(parlour, budi)
    first = budi.presses(f"o:{order.id}:cancel")
    again = budi.presses(f"o:{order.id}:cancel")
    assert first == again
    assert parlour.order(order.id).version == order.version + 1


def test_an_order_whose_qr_is_being_made_says_when_it_can_be_cancelled(
    parlour: Parlour, budi: Guest
) -> None:
    order, now = placed(parlour, budi), parlour.clock()
    settling.start_opening(parlour.books, order, now + MINUTE, now)
    view = budi.presses(f"o:{order.id}:cancel")
    assert view is not None
    assert view.text == TEXTS["id"]("order.being_opened", order=order.id)
    assert parlour.order(order.id).status is Status.OPENING


def test_a_paid_order_cannot_be_cancelled_and_says_so(parlour: Parlour, budi: Guest) -> None:
    order = processing(parlour, budi)
    view = budi.presses(f"o:{order.id}:cancel")
    assert view is not None
    assert "sudah berjalan" in view.text
    assert parlour.order(order.id).status is Status.PROCESSING


def test_saying_that_it_is_paid_asks_at_most_every_ten_seconds(
    parlour: Parlour, budi: Guest
) -> None:
    order = awaiting(parlour, budi)
    assert "kami tanyakan" in whole(budi.presses(f"o:{order.id}:paid") or View(text=""))
    parlour.hear(order.id, InvoiceState.UNPAID)
    parlour.clock.advance(9 * SECOND)
    assert "Baru saja" in whole(budi.presses(f"o:{order.id}:paid") or View(text=""))
    parlour.clock.advance(SECOND)
    assert "kami tanyakan" in whole(budi.presses(f"o:{order.id}:paid") or View(text=""))


def test_an_order_can_be_claimed_after_it_ran_out(parlour: Parlour, budi: Guest) -> None:
    order = expired(parlour, budi)
    view = budi.presses(f"o:{order.id}:paid")
    assert view is not None
    assert "kami tanyakan" in view.text
    assert parlour.order(order.id).due_at == parlour.clock()


def test_again_goes_straight_to_the_confirmation_at_todays_price(
    parlour: Parlour, budi: Guest
) -> None:
    order = delivered(parlour, budi)
    parlour.stock({"free-fire": [("1", "70 Diamond", 12_000)]})
    view = budi.presses(f"o:{order.id}:again")
    assert view is not None
    assert budi.step is StepId.CONFIRM
    assert budi.draft.price != order.price
    assert TEXTS["id"].money(budi.draft.price) in view.text
    assert order.user_id in view.text
    parlour.clock.advance(11 * SECOND)
    budi.taps("Bayar")
    assert len(parlour.orders) == 2


def test_again_of_what_is_sold_out_keeps_the_account_and_offers_the_rest(
    parlour: Parlour, budi: Guest
) -> None:
    order = delivered(parlour, budi)
    parlour.stock({"free-fire": [("5", "140 Diamond", 19_900)]})
    view = budi.presses(f"o:{order.id}:again")
    assert view is not None
    assert "habis" in view.text
    budi.taps("140")
    assert budi.step is StepId.CONFIRM
    assert order.user_id in budi.last.text


def test_a_receipt_for_a_paid_order_is_told_that_the_money_is_there(
    parlour: Parlour, budi: Guest
) -> None:
    order = processing(parlour, budi)
    view = budi.shares(What.PICTURE)
    assert view is not None
    assert view.text == TEXTS["id"]("claim.already_paid", order=order.id)


def test_a_receipt_asks_about_what_waits_before_it_speaks_of_what_is_paid(
    parlour: Parlour, budi: Guest
) -> None:
    processing(parlour, budi)
    parlour.clock.advance(11 * SECOND)
    budi.walks_to_confirmation("ml", "86", "12345678 2001")
    budi.taps("Bayar")
    waiting = parlour.show_qr(parlour.orders[-1].id)
    view = budi.shares(What.PICTURE)
    assert view is not None
    assert view.text == TEXTS["id"]("picture.asking")
    assert parlour.order(waiting.id).claimed_at == parlour.clock()


@pytest.mark.parametrize("made", [delivered, refund_due], ids=lambda made: made.__name__)
def test_a_receipt_for_what_has_been_settled_says_that_nothing_waits(
    parlour: Parlour, budi: Guest, made: Callable[[Parlour, Guest], Order]
) -> None:
    made(parlour, budi)
    view = budi.shares(What.PICTURE)
    assert view is not None
    assert view.text == TEXTS["id"]("picture.nothing", support=FACE.support)


def test_cancelling_the_conversation_offers_to_cancel_what_waits(
    parlour: Parlour, budi: Guest
) -> None:
    order = awaiting(parlour, budi)
    view = budi.says("batal")
    assert [choice.data for choice in view.choices] == [f"o:{order.id}:cancel"]
    budi.presses(view.choices[0].data)
    assert parlour.order(order.id).status is Status.CANCELLED
