"""Money on its way to a customer: credit taken out, refunds by hand, and where they are sent."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.conversation.views import Draft, StepId, View
from shop import ledger
from shop.cases import CaseKind
from shop.orders import HOUSE, Order, Status
from shop.payments import PaymentMethod, Refunds
from shop.suppliers import InvoiceState
from shop.time import SECOND
from tests.bot.conversation.parlour import (
    BACK,
    EVERY_WAY,
    OWNER,
    TEXTS,
    Guest,
    Parlour,
)
from tests.bot.conversation.purses import (
    BANK,
    CREDIT,
    begins,
    credit_of,
    says_where,
    takes_out,
)

DROPSHIP, DEPOSIT, QRIS, WALLET = PaymentMethod
LEAST, MOST = EVERY_WAY.credit_min, EVERY_WAY.credit_max
say, money = TEXTS["id"], TEXTS["id"].money


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour(rules=EVERY_WAY)
    yield opened
    opened.close()


@pytest.fixture
def budi(parlour: Parlour) -> Guest:
    """A customer with some credit."""
    guest = parlour.guest("budi")
    parlour.give_credit(guest, CREDIT)
    return guest


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


# --- taking out -----------------------------------------------------------------------------------


def test_credit_taken_out_is_set_aside_and_the_owner_sends_it(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order = takes_out(parlour, budi)
    assert (order.supplier, order.sku, order.method) == (HOUSE, "cash", WALLET)
    assert (order.status, order.payout) == (Status.PROCESSING, BANK)
    assert credit_of(parlour, budi) == CREDIT - 50_000
    assert parlour.books.ledger.balance(ledger.HELD) == -50_000
    parlour.post()
    asked = owner.sees("Kasus", order.id)
    for part in (say("case.payout", payout=BANK), "Rp50.000", budi.address, say("case.cash")):
        assert part in asked.text
    owner.taps("arrived")
    assert "Sudah kamu transfer Rp50.000" in owner.last.text
    owner.taps("Ya, benar")
    parlour.post()
    assert parlour.order(order.id).status is Status.DELIVERED
    assert credit_of(parlour, budi) == CREDIT - 50_000
    assert parlour.books.ledger.balance(ledger.HELD) == 0
    assert "sudah dikirim" in budi.sees("Tarik saldo Rp50.000", order.id, "sudah dikirim").text


def test_credit_that_the_owner_does_not_send_comes_back(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order = takes_out(parlour, budi)
    parlour.post()
    owner.taps("give_back")
    assert f"Rp50.000 ke saldo {budi.address}" in owner.last.text
    owner.taps("Ya, benar")
    parlour.post()
    assert credit_of(parlour, budi) == CREDIT
    assert "sudah kembali ke saldomu" in budi.sees(order.id, "Penarikan").text
    assert owner.last.text == say("decided.credited", order=order.id)
    case = parlour.books.cases.last_for(order.id)
    assert case is not None
    assert case.closed_at is not None


def test_all_of_the_credit_is_one_button(parlour: Parlour, budi: Guest) -> None:
    begins(budi, "tarik")
    assert budi.labels == [money(CREDIT), BACK]
    budi.taps(money(CREDIT))
    assert say("payout.ask", amount=money(CREDIT)) == budi.last.text
    says_where(budi)
    assert credit_of(parlour, budi) == 0


@pytest.mark.parametrize(
    "typed", ["BCA", "ke rekening saya", "DANA 08", "123", "🙂", "<b>", "rekening budi"]
)
def test_a_place_without_a_number_is_asked_for_again(
    parlour: Parlour, budi: Guest, typed: str
) -> None:
    begins(budi, "tarik")
    budi.says("50rb")
    view = budi.says(typed)
    assert view.text.startswith(say("payout.no_number"))
    assert (budi.step, parlour.orders, credit_of(parlour, budi)) == (StepId.PAYOUT, [], CREDIT)


def test_the_same_place_typed_twice_takes_out_once(parlour: Parlour, budi: Guest) -> None:
    takes_out(parlour, budi)
    budi.taps("kirim ke sini")
    budi.taps("kirim ke sini")
    assert len(parlour.orders) == 1
    assert credit_of(parlour, budi) == CREDIT - 50_000


def test_credit_that_was_spent_meanwhile_is_not_taken_out(parlour: Parlour, budi: Guest) -> None:
    begins(budi, "tarik")
    budi.says("50rb")
    parlour.give_credit(budi, -40_000)
    view = says_where(budi)
    assert view.text.startswith(say("order.short"))
    assert (parlour.orders, credit_of(parlour, budi)) == ([], CREDIT - 40_000)


def test_who_has_no_credit_has_nothing_to_take_out(parlour: Parlour) -> None:
    siti = parlour.guest("siti")
    view = siti.presses("p:tarik:")
    assert view is not None
    assert view.text == say("cash.nothing")
    siti.says("50rb")
    assert (siti.step, parlour.orders) == (StepId.GAME, [])


def test_taking_out_waits_as_every_order_does_and_says_so(parlour: Parlour, budi: Guest) -> None:
    takes_out(parlour, budi, "20rb")
    begins(budi, "tarik")
    budi.says("20rb")
    assert "10 detik" in says_where(budi).text
    parlour.clock.advance(11 * SECOND)
    says_where(budi)
    assert len(parlour.orders) == 2
    assert credit_of(parlour, budi) == CREDIT - 40_000


@pytest.mark.parametrize(
    "hostile",
    ["BCA 1234567890\nKasus: sudah selesai", "{price} 1234567890", "\u202e1234567890", "1234\0567"],
)
def test_where_it_is_sent_stays_on_its_line_before_the_owner(
    parlour: Parlour, budi: Guest, owner: Guest, hostile: str
) -> None:
    order = takes_out(parlour, budi, to=hostile)
    parlour.post()
    lines = [line for line in owner.sees("Kasus").text.splitlines() if line.startswith("Kirim ke")]
    assert lines == [say("case.payout", payout=order.payout)]
    assert not {"\n", "\0", "\u202e"} & set(order.payout)


# --- a refund by hand -----------------------------------------------------------------------------


def refund_due(parlour: Parlour, guest: Guest) -> Order:
    """Paid to the supplier, who could not deliver."""
    guest.walks_to_confirmation()
    guest.taps("Bayar")
    order = parlour.show_qr(parlour.orders[-1].id)
    order = parlour.hear(order.id, InvoiceState.FAILED, note="gagal")
    parlour.post()
    return order


def test_who_is_owed_money_says_where_and_the_owner_learns_of_it(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order = refund_due(parlour, budi)
    budi.taps("Tulis rekening")
    assert budi.step is StepId.PAYOUT
    assert say("payout.ask", amount=money(order.amount)) == budi.last.text
    view = says_where(budi)
    assert view.text == say("payout.noted", order=order.id, payout=BANK)
    assert parlour.order(order.id).payout == BANK
    parlour.post()
    assert order.id in owner.sees("Kasus", say("case.payout", payout=BANK)).title
    owner.says("/kasus")
    owner.taps(order.id)
    assert say("case.payout", payout=BANK) in owner.last.text


def test_where_money_is_sent_may_be_corrected(parlour: Parlour, budi: Guest, owner: Guest) -> None:
    order = refund_due(parlour, budi)
    for place in (BANK, "DANA 081234567890 Budi"):
        budi.presses(f"o:{order.id}:payout")
        says_where(budi, place)
        parlour.clock.advance(SECOND)
    assert parlour.order(order.id).payout == "DANA 081234567890 Budi"
    parlour.post()
    assert "DANA 081234567890" in owner.sees("Kasus", "Kirim ke: DANA").text
    assert len(parlour.books.cases.all_open()) == 1


def test_a_refund_that_was_made_meanwhile_needs_no_place(parlour: Parlour, budi: Guest) -> None:
    order = refund_due(parlour, budi)
    budi.presses(f"o:{order.id}:payout")
    parlour.hear(order.id, InvoiceState.DELIVERED, serial="SN-1")
    case = parlour.books.cases.open_for(order.id)
    if case is not None:  # the owner decides that the goods came
        parlour.guest(address=OWNER).presses(f"c:{case.id}:arrived")
        parlour.guest(address=OWNER).presses(f"c:{case.id}:yes-arrived")
    view = says_where(budi)
    assert view.text == say("payout.too_late")
    assert parlour.order(order.id).payout == ""
    assert budi.presses(f"o:{order.id}:payout") == View(text=say("payout.too_late"))


def test_nobody_says_where_the_money_of_somebody_else_is_sent(
    parlour: Parlour, budi: Guest
) -> None:
    order = refund_due(parlour, budi)
    siti = parlour.guest("siti")
    assert siti.presses(f"o:{order.id}:payout") == View(text=say("order.unknown"))
    siti.presses("p:tarik:")
    parlour.sessions.of[siti.address] = replace(
        siti.session, step=StepId.PAYOUT, draft=Draft(order=order.id)
    )
    assert says_where(siti, "OVO 089999999999").text == say("payout.too_late")
    assert parlour.order(order.id).payout == ""


@pytest.mark.parametrize("refunds", list(Refunds))
def test_money_that_a_supplier_holds_is_never_credited_by_itself(
    parlour: Parlour, budi: Guest, refunds: Refunds
) -> None:
    parlour.arrange(replace(EVERY_WAY, refunds=refunds))
    order = refund_due(parlour, budi)
    assert order.status is Status.REFUND_DUE
    assert credit_of(parlour, budi) == CREDIT
    case = parlour.books.cases.open_for(order.id)
    assert case is not None
    assert case.kind is CaseKind.PAID_FAILED
