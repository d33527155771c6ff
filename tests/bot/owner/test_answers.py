"""Every answer to every kind of case in every status: a legal move, or the case shown again."""

from dataclasses import replace

import pytest

from bot.conversation.views import View
from shop.cases import EVENTS_OF, Answer, Case, CaseKind, answers
from shop.notices import NoticeKind
from shop.orders import ENDED, HOUSE, PAID_FOR, Event, Order, Status, may, moves_of
from shop.payments import PaymentMethod
from shop.suppliers import Invoice
from shop.time import MINUTE
from tests.bot.conversation.parlour import NOON, OWNER, SUPPLIER, TEXTS, Guest, Parlour

_INVOICE = """
INSERT INTO invoices VALUES (:order_id, :gateway, 'r', 'n', 11800, 11200, '', '', :ends)
"""
DECISIONS = tuple(answer for answer in Answer if answer is not Answer.SEEN)
ABOUT_ORDERS = sorted(set(CaseKind) - {CaseKind.BALANCE, CaseKind.PAID_TWICE})
WAITS = frozenset({Status.REFUND_DUE, Status.UNSURE, Status.PARTLY_DELIVERED})
OF_PREPAID = frozenset({Status.PAID, Status.SUBMITTING, Status.UNSURE, Status.PARTLY_DELIVERED})
STANDINGS = [
    (method, status)
    for method in (PaymentMethod.DROPSHIP, PaymentMethod.QRIS)
    for status in Status
    if method is PaymentMethod.QRIS or status not in OF_PREPAID
]


def an_order(
    parlour: Parlour,
    status: Status,
    invoice: Invoice | None = None,
    method: PaymentMethod = PaymentMethod.DROPSHIP,
) -> Order:
    gateway = SUPPLIER if method is PaymentMethod.DROPSHIP else HOUSE
    order = Order(
        id="ABCDEFGHJK",
        key="k",
        address="web:budi",
        supplier="zultopup",
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id="777888999",
        server="",
        target="777888999",
        listed=10_000,
        cost=11_200,
        price=11_800,
        status=status,
        version=1,
        created_at=NOON,
        quote_until=NOON + 15 * MINUTE,
        changed_at=NOON,
        due_at=None,
        invoice=invoice,
        method=method,
        gateway=gateway,
        received=11_800 if status in PAID_FOR else 0,
    )
    parlour.books.orders.add(order)
    if status not in {Status.PLACED, Status.OPENING}:
        ends = {"order_id": order.id, "gateway": gateway, "ends": NOON + 15 * MINUTE}
        parlour.connection.execute(_INVOICE, ends)
    return parlour.order(order.id)


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest("owner")


@pytest.fixture
def budi(parlour: Parlour) -> Guest:
    return parlour.guest("budi")


@pytest.fixture(params=STANDINGS, ids="-".join)
def order(request: pytest.FixtureRequest, parlour: Parlour) -> Order:
    method, status = request.param
    return an_order(parlour, status, method=method)


@pytest.fixture(params=[CaseKind.STUCK, CaseKind.UNDELIVERED])
def case(request: pytest.FixtureRequest, parlour: Parlour, order: Order) -> Case:
    return a_case(parlour, order, request.param)


def a_case(parlour: Parlour, order: Order, kind: CaseKind) -> Case:
    case = Case(id="case1", order_id=order.id, kind=kind, evidence="kata mereka", opened_at=NOON)
    parlour.books.cases.put(case)
    return case


def press(guest: Guest, action: str) -> View:
    view = guest.presses(f"c:case1:{action}")
    assert view is not None
    return view


def may_just_be_seen(case: Case, order: Order) -> bool:
    only_told = case.kind in {CaseKind.UNDELIVERED, CaseKind.PAID_TWICE}
    otherwise = only_told and order.status is not Status.REFUND_DUE
    return order.status in ENDED or otherwise


def event_meant(answer: Answer, order: Order) -> Event | None:
    """The first of an answer's moves that is legal; nobody pays an order that asks for nothing."""
    if answer is Answer.PAID and order.invoice is None:
        return None
    return next((event for event in EVENTS_OF.get(answer, ()) if may(order, event)), None)


def goes_into_the_wallet(order: Order, event: Event) -> bool:
    """Money that is ours goes back at once; what a supplier holds is the owner's to send."""
    if event is Event.CREDITED:
        return True
    return order.is_prepaid and event in {Event.GIVEN_BACK, Event.PAID_LATE}


def is_the_case(view: View, order: Order) -> bool:
    return view.title == TEXTS["id"]("case.title", order=order.id)


@pytest.mark.parametrize("answer", list(Answer))
def test_an_answer_makes_its_legal_move_or_shows_the_case_again(
    parlour: Parlour, owner: Guest, order: Order, case: Case, answer: Answer
) -> None:
    event = event_meant(answer, order)
    asked, told = press(owner, answer), press(owner, f"yes-{answer}")
    after = parlour.order(order.id)
    if event is not None and goes_into_the_wallet(order, event):
        assert asked.title == TEXTS["id"]("case.sure", order=order.id)
        assert told.text == TEXTS["id"]("decided.credited", order=order.id)
        assert after.status is Status.REFUNDED
        assert parlour.books.ledger.credit_of(order.address) == 11_800
    elif event is not None:
        word = "paid_own" if event is Event.PAID else answer
        assert asked.title == TEXTS["id"]("case.sure", order=order.id)
        assert told.text == TEXTS["id"](f"decided.{word}", order=order.id)
        assert after.status is moves_of(order)[order.status, event]
        assert after.version == order.version + 1
        assert parlour.books.ledger.credit_of(order.address) == 0
    else:
        assert after == order
        closes = answer is Answer.SEEN and may_just_be_seen(case, order)
        closed = parlour.books.cases.get(case.id)
        assert closed is not None
        assert (closed.closed_at is not None) == closes
        assert closes or (is_the_case(asked, order) and is_the_case(told, order))


@pytest.mark.parametrize("kind", ABOUT_ORDERS)
def test_a_case_offers_exactly_what_is_possible(
    parlour: Parlour, owner: Guest, order: Order, kind: CaseKind
) -> None:
    case = a_case(parlour, order, kind)
    view = press(owner, "open")
    assert is_the_case(view, order)
    offered = [choice.id for choice in view.choices]
    assert offered == list(answers(case, order))
    possible = [answer for answer in EVENTS_OF if event_meant(answer, order) is not None]
    assert offered == [*possible, *([Answer.SEEN] if may_just_be_seen(case, order) else [])]
    # Before there is a QR, and while a call is made, nothing can be decided.
    assert offered or order.status in {Status.PLACED, Status.OPENING, Status.SUBMITTING}
    for part in (order.item, order.user_id, "Rp11.800", "kata mereka", order.address):
        assert part in view.text


@pytest.mark.parametrize("answer", DECISIONS)
def test_a_decision_is_written_down_with_its_owner(
    parlour: Parlour, owner: Guest, order: Order, case: Case, answer: Answer
) -> None:
    press(owner, answer)
    press(owner, f"yes-{answer}")
    rows = parlour.connection.execute(
        "SELECT event, actor FROM order_events WHERE version = 2"
    ).fetchall()
    for row in rows:
        assert (row["event"], row["actor"]) == (event_meant(answer, order), OWNER)


@pytest.mark.parametrize("answer", DECISIONS)
def test_only_the_buyer_is_told_of_a_decision(
    parlour: Parlour, owner: Guest, order: Order, case: Case, answer: Answer
) -> None:
    press(owner, answer)
    press(owner, f"yes-{answer}")
    rows = parlour.connection.execute("SELECT address, kind FROM outbox").fetchall()
    for row in rows:
        of_the_owner = row["kind"] in {NoticeKind.CASE, NoticeKind.ALERT}
        assert row["address"] == (OWNER if of_the_owner else order.address)


def test_money_that_must_go_back_stays_a_case(
    parlour: Parlour, owner: Guest, order: Order, case: Case
) -> None:
    for answer in Answer:
        press(owner, answer)
        press(owner, f"yes-{answer}")
        now = parlour.order(order.id)
        if now.status in WAITS:
            assert parlour.books.cases.open_for(order.id) is not None
        if now.status is Status.REFUNDED is not order.status:
            assert parlour.books.cases.open_for(order.id) is None


def test_a_message_that_was_said_otherwise_closes_its_case(parlour: Parlour, owner: Guest) -> None:
    order = an_order(parlour, Status.DELIVERED)
    words = "delivered → web:budi: blocked"
    case = Case(
        id="case1", order_id=order.id, kind=CaseKind.UNDELIVERED, evidence=words, opened_at=NOON
    )
    parlour.books.cases.put(case)
    view = press(owner, "open")
    assert TEXTS["id"]("case.message", evidence=words) in view.text.splitlines()
    assert "Kata pemasok" not in view.text
    owner.taps("Sudah dilihat", on=view)
    closed = parlour.books.cases.get("case1")
    assert closed is not None
    assert closed.closed_at is not None
    assert parlour.order(order.id) == order


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.REFUNDED])
def test_a_case_that_was_seen_is_closed_and_nothing_moved(
    parlour: Parlour, owner: Guest, status: Status
) -> None:
    order = an_order(parlour, status)
    case = Case(id="case1", order_id=order.id, kind=CaseKind.CONFLICT, evidence="", opened_at=NOON)
    parlour.books.cases.put(case)
    view = owner.taps("Sudah dilihat", on=press(owner, "open"))
    assert view is not None
    assert "sudah selesai" in view.text
    assert parlour.order(order.id) == order
    assert owner.says("/kasus").text == TEXTS["id"]("cases.none")


def test_a_case_whose_order_was_given_back_asks_for_the_transfer(
    parlour: Parlour, owner: Guest, budi: Guest
) -> None:
    order = an_order(parlour, Status.PROCESSING)
    parlour.books.cases.put(
        Case(id="case1", order_id=order.id, kind=CaseKind.STUCK, evidence="", opened_at=NOON)
    )
    press(owner, "give_back")
    press(owner, "yes-give_back")
    parlour.post()
    budi.sees("akan dikembalikan", "Rp11.800")
    press(owner, "refunded")
    press(owner, "yes-refunded")
    parlour.post()
    budi.sees("sudah dikembalikan", "Rp11.800")
    assert parlour.order(order.id).status is Status.REFUNDED


def test_what_the_supplier_said_is_kept_when_the_case_goes_on(
    parlour: Parlour, owner: Guest
) -> None:
    order = an_order(parlour, Status.DELIVERED)
    case = Case(
        id="case1", order_id=order.id, kind=CaseKind.CONFLICT, evidence="gagal", opened_at=NOON
    )
    parlour.books.cases.put(case)
    press(owner, "give_back")
    press(owner, "yes-give_back")
    open_case = parlour.books.cases.open_for(order.id)
    assert open_case is not None
    assert open_case.evidence == "gagal"


@pytest.mark.parametrize("kind", ABOUT_ORDERS)
def test_a_case_names_the_amount_and_never_calls_it_paid(
    parlour: Parlour, owner: Guest, kind: CaseKind
) -> None:
    order = an_order(parlour, Status.AWAITING_PAYMENT)
    parlour.books.cases.put(
        Case(id="case1", order_id=order.id, kind=kind, evidence="", opened_at=NOON)
    )
    view = press(owner, "open")
    assert f"Nominal: Rp11.800 (harga {TEXTS['id'].money(order.price)})" in view.text
    assert "Dibayar:" not in view.text


def test_a_case_of_an_order_that_never_had_an_invoice_can_still_be_opened(
    parlour: Parlour, owner: Guest
) -> None:
    order = an_order(parlour, Status.PLACED)
    case = Case(id="case1", order_id=order.id, kind=CaseKind.CONFLICT, evidence="", opened_at=NOON)
    parlour.books.cases.put(replace(case, pending=Answer.PAID, pending_by=OWNER))
    assert is_the_case(press(owner, "open"), order)
    assert is_the_case(press(owner, "yes-paid"), order)
