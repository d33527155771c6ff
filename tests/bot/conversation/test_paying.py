"""How an order can be paid: what is offered, in whose order, and what is refused when it counts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from bot.conversation.views import StepId
from shop import ledger
from shop.fulfilment import Outcome
from shop.orders import HOUSE, Order, Status
from shop.payments import PaymentMethod
from shop.qris import qris_fields
from shop.settling import NotOpened
from shop.suppliers import Abilities, Refused, TopupReport, TopupState
from shop.time import MINUTE, SECOND
from tests.bot.conversation.parlour import (
    BACK,
    EVERY_WAY,
    FACE,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    whole,
)

DROPSHIP, DEPOSIT, QRIS, WALLET = PaymentMethod
PRICE = 11_800  # of 70 Diamond, listed at 10,000
LISTED = 10_000
say, money = TEXTS["id"], TEXTS["id"].money


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    """A shop that can be paid in every way, with enough of its own money at the supplier."""
    opened = Parlour(rules=EVERY_WAY)
    opened.fund(1_000_000)
    yield opened
    opened.close()


def offered(guest: Guest) -> list[str]:
    """The ways to pay on the newest question."""
    return [choice.id for choice in guest.last.choices if choice.id in set(PaymentMethod)]


def with_methods(parlour: Parlour, *methods: PaymentMethod) -> None:
    parlour.arrange(replace(EVERY_WAY, methods=methods))


def pay(parlour: Parlour, guest: Guest, method: PaymentMethod, account: str = "123456789") -> Order:
    """Let a guest order in this way."""
    guest.walks_to_confirmation(account=account)
    assert guest.taps(method) is None
    return parlour.orders[-1]


# --- what is offered ------------------------------------------------------------------------------


@pytest.mark.parametrize("methods", list(permutations(PaymentMethod)))
def test_the_ways_to_pay_come_in_the_owners_order(
    parlour: Parlour, budi: Guest, methods: Sequence[PaymentMethod]
) -> None:
    with_methods(parlour, *methods)
    parlour.give_credit(budi, PRICE)
    budi.walks_to_confirmation()
    assert offered(budi) == list(methods)
    first = next(method for method in methods if method is not WALLET)
    assert budi.labels[methods.index(first)] == "✅ Bayar"  # the usual way is simply "pay"
    assert budi.labels[methods.index(WALLET)] == "👛 Pakai saldo"
    assert budi.labels[len(methods) :] == ["✏️ Ubah akun", BACK]


@pytest.mark.parametrize(
    ("credit", "shown"), [(0, False), (1, False), (PRICE - 1, False), (PRICE, True), (10**6, True)]
)
def test_the_wallet_is_offered_only_if_it_pays_for_all_of_it(
    parlour: Parlour, budi: Guest, credit: int, shown: bool
) -> None:
    parlour.give_credit(budi, credit)
    question = budi.walks_to_confirmation()
    assert (WALLET in offered(budi)) is shown
    assert ("Saldomu" in question.text) is shown
    if shown:
        assert say("confirm.credit", credit=money(credit)) in question.text


def test_nobody_is_offered_the_credit_of_somebody_else(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    parlour.give_credit(siti, 1_000_000)
    budi.walks_to_confirmation()
    assert WALLET not in offered(budi)
    assert "1.000.000" not in whole(budi.last)


@pytest.mark.parametrize(
    ("balance", "ways"),
    [
        (0, [DROPSHIP, DEPOSIT]),
        (LISTED - 1, [DROPSHIP, DEPOSIT]),
        (LISTED, [DROPSHIP, DEPOSIT, QRIS, WALLET]),
    ],
)
def test_what_our_balance_cannot_buy_is_sold_only_for_money_that_comes_there(
    budi: Guest, parlour: Parlour, balance: int, ways: list[PaymentMethod]
) -> None:
    parlour.fund(balance - 1_000_000)
    parlour.give_credit(budi, PRICE)
    budi.walks_to_confirmation()
    assert offered(budi) == ways


def test_what_paid_orders_will_still_cost_is_not_promised_twice(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    parlour.fund(LISTED - 1_000_000)
    parlour.give_credit(budi, PRICE)
    parlour.give_credit(siti, PRICE)
    pay(parlour, budi, WALLET)
    siti.walks_to_confirmation(account="987654321")
    assert offered(siti) == [DROPSHIP, DEPOSIT]


def test_a_deposit_at_another_supplier_needs_our_balance_at_the_one_that_delivers(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.arrange(replace(EVERY_WAY, methods=(DROPSHIP, DEPOSIT), deposits_at="elsewhere"))
    parlour.fund(-1_000_000)
    budi.walks_to_confirmation()
    assert offered(budi) == [DROPSHIP]


def test_a_supplier_that_customers_cannot_pay_is_not_offered_for_dropship(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.arrange(replace(parlour.rules, abilities={SUPPLIER: Abilities()}))
    budi.walks_to_confirmation()
    assert offered(budi) == [DEPOSIT, QRIS]


def test_what_nobody_can_pay_for_is_not_on_the_shelf(parlour: Parlour, budi: Guest) -> None:
    with_methods(parlour, QRIS, WALLET)
    parlour.fund(LISTED - 1 - 1_000_000)  # enough for the small item only
    budi.says("/start")
    budi.says("Free Fire")
    assert budi.labels == ["5 Diamond", BACK]


def test_a_shop_that_nobody_can_pay_sells_nothing(parlour: Parlour, budi: Guest) -> None:
    with_methods(parlour)
    assert budi.says("/start").text == say("game.nothing", support=FACE.support)


# --- what is refused when it counts ---------------------------------------------------------------


@pytest.mark.parametrize("method", list(PaymentMethod))
def test_a_way_that_the_owner_took_away_meanwhile_is_refused(
    parlour: Parlour, budi: Guest, method: PaymentMethod
) -> None:
    parlour.give_credit(budi, PRICE)
    question = budi.walks_to_confirmation()
    with_methods(parlour, *(set(PaymentMethod) - {method}))
    view = budi.taps(method, on=question)
    assert view is not None
    if method is DROPSHIP:  # whose supplier then costs less
        assert view.text.startswith(say("confirm.price_changed", was="Rp11.800", now="Rp10.500"))
    else:
        assert view.text.startswith(say("confirm.other_method"))
    assert method not in offered(budi)
    assert parlour.orders == []


@pytest.mark.parametrize("method", [QRIS, WALLET])
def test_a_balance_that_went_to_others_meanwhile_sells_nothing(
    parlour: Parlour, budi: Guest, method: PaymentMethod
) -> None:
    parlour.give_credit(budi, PRICE)
    question = budi.walks_to_confirmation()
    parlour.fund(-1_000_000)
    view = budi.taps(method, on=question)
    assert view is not None
    assert view.text.startswith(say("confirm.other_method"))
    assert parlour.orders == []
    assert parlour.books.ledger.credit_of(budi.address) == PRICE


def test_credit_that_was_spent_meanwhile_pays_for_nothing_more(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.give_credit(budi, PRICE + 100)
    question = budi.walks_to_confirmation()
    parlour.give_credit(budi, -101)
    view = budi.taps(WALLET, on=question)
    assert view is not None
    assert view.text.startswith(say("confirm.other_method"))
    assert (parlour.orders, parlour.books.ledger.credit_of(budi.address)) == ([], PRICE - 1)


@pytest.mark.parametrize("value", ["pay", "cash", "", "WALLET", "wallet ", "hand"])
def test_a_made_up_way_to_pay_is_no_answer(parlour: Parlour, budi: Guest, value: str) -> None:
    parlour.give_credit(budi, PRICE)
    budi.walks_to_confirmation()
    view = budi.presses(f"s:{budi.session.screen}:{value}")
    assert view is not None
    assert view.text.startswith(say("confirm.press"))
    assert parlour.orders == []


@pytest.mark.parametrize("method", list(PaymentMethod))
def test_a_changed_price_is_asked_about_however_it_is_paid(
    parlour: Parlour, budi: Guest, method: PaymentMethod
) -> None:
    parlour.give_credit(budi, 100_000)
    question = budi.walks_to_confirmation()
    parlour.stock({"free-fire": [("1", "70 Diamond", 12_000)]})
    view = budi.taps(method, on=question)
    assert view is not None
    assert f"{money(PRICE)} → {money(budi.draft.price)}" in view.text
    assert parlour.orders == []
    assert budi.taps(method) is None
    assert parlour.orders[0].price > PRICE


# --- what each way does ---------------------------------------------------------------------------


def test_an_order_costs_what_is_listed_unless_its_customer_pays_the_supplier(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.give_credit(budi, PRICE)
    for number, (method, gateway) in enumerate(
        [(DROPSHIP, SUPPLIER), (DEPOSIT, SUPPLIER), (QRIS, HOUSE), (WALLET, HOUSE)]
    ):
        order = pay(parlour, budi, method, f"12345678{number}")
        assert (order.method, order.gateway, order.price) == (method, gateway, PRICE)
        assert (order.cost == order.listed == LISTED) is (method is not DROPSHIP)
        parlour.clock.advance(11 * SECOND)


def test_the_wallet_pays_at_once_and_to_the_rupiah(parlour: Parlour, budi: Guest) -> None:
    parlour.give_credit(budi, PRICE + 200)
    order = pay(parlour, budi, WALLET)
    assert (order.status, order.received) == (Status.PAID, PRICE)
    assert parlour.books.ledger.credit_of(budi.address) == 200
    assert parlour.books.ledger.balance(ledger.HELD) == -PRICE
    parlour.post()
    shown = budi.sees("🧾 Pesanan", order.id)
    assert "✅ Dibayar" in shown.text
    assert all(view.image is None for view in budi.views)


def test_a_second_tap_does_not_pay_from_the_wallet_twice(parlour: Parlour, budi: Guest) -> None:
    parlour.give_credit(budi, 10 * PRICE)
    budi.walks_to_confirmation()
    button = budi.button(WALLET)
    for nth in range(4):
        budi.presses(button, input_id=f"tap{nth}")
    assert len(parlour.orders) == 1
    assert parlour.books.ledger.credit_of(budi.address) == 9 * PRICE


def test_goods_that_could_not_be_sent_are_credited_and_the_customer_is_told_how_to_use_it(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.give_credit(budi, PRICE)
    order = pay(parlour, budi, WALLET)
    parlour.supply(order.id, Refused("no"))
    parlour.post()
    told = budi.sees(order.id, f"{money(PRICE)} sudah kembali ke saldomu")
    assert say("credited.how") in told.text
    assert parlour.order(order.id).status is Status.REFUNDED
    assert parlour.books.ledger.credit_of(budi.address) == PRICE
    view = budi.taps("Lihat saldo", on=told)
    assert view is not None
    assert say("wallet.is", credit=money(PRICE)) in view.text


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (TopupReport(state=TopupState.PENDING), "⏳ Sedang diproses"),
        (NotOpened.UNKNOWN, "⏳ Sedang diproses"),
        (TopupReport(state=TopupState.PARTIAL), "⚠️ Baru sebagian"),
        (TopupReport(state=TopupState.DELIVERED, serial="SN-7"), "✅ Selesai"),
    ],
)
def test_a_paid_order_is_shown_as_it_stands(
    parlour: Parlour, budi: Guest, outcome: Outcome, says: str
) -> None:
    parlour.give_credit(budi, PRICE)
    order = pay(parlour, budi, WALLET)
    parlour.supply(order.id, outcome)
    view = budi.says(f"/status {order.id}")
    assert says in view.text
    parlour.post()
    assert says in budi.sees("🧾 Pesanan", order.id, says).text


def amount_in(view_or_qr: str) -> int:
    return int(dict(qris_fields(view_or_qr))["54"])


def test_the_owners_qris_asks_for_exactly_this_price(parlour: Parlour, budi: Guest) -> None:
    order = pay(parlour, budi, QRIS)
    assert order.status is Status.AWAITING_PAYMENT
    assert order.invoice is not None
    assert amount_in(order.invoice.qr) == order.invoice.amount == PRICE
    parlour.post()
    shown = budi.sees(f"Bayar {money(PRICE)}")
    assert shown.image is not None
    assert say("qr.own", amount=money(PRICE)) in shown.text
    assert [choice.label for choice in shown.choices] == ["✅ Sudah bayar", "Batal"]


def test_no_two_open_orders_ask_for_the_same_amount_on_the_owners_qris(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    first = pay(parlour, budi, QRIS)
    second = pay(parlour, siti, QRIS, "987654321")
    assert [order.amount_due for order in (first, second)] == [PRICE, PRICE + 1]
    parlour.post()
    assert "berbeda Rp1 dari harga" in siti.sees(f"Bayar {money(PRICE + 1)}").text


def test_a_paid_deposit_becomes_our_balance_and_the_order_goes_on(
    parlour: Parlour, budi: Guest
) -> None:
    order = pay(parlour, budi, DEPOSIT)
    assert order.status is Status.PLACED
    parlour.show_qr(order.id)
    parlour.post()
    assert say("qr.own", amount=money(PRICE)) not in budi.sees(f"Bayar {money(PRICE)}").text
    before = parlour.books.ledger.balance(ledger.supplier(SUPPLIER))
    assert parlour.deposited(order.id, PRICE).status is Status.PAID
    assert parlour.books.ledger.balance(ledger.supplier(SUPPLIER)) == before + PRICE


def test_a_wrong_amount_is_named_to_the_customer_and_nothing_is_ordered(
    parlour: Parlour, budi: Guest
) -> None:
    order = pay(parlour, budi, DEPOSIT)
    parlour.show_qr(order.id)
    assert parlour.deposited(order.id, PRICE - 1_000).status is Status.REFUND_DUE
    parlour.post()
    told = budi.sees(order.id, f"nominalnya {money(PRICE - 1_000)}, bukan {money(PRICE)}")
    assert FACE.support in told.text


def test_the_same_again_by_another_way_hides_the_open_order(parlour: Parlour, budi: Guest) -> None:
    parlour.give_credit(budi, PRICE)
    pay(parlour, budi, QRIS)
    parlour.clock.advance(MINUTE)
    budi.walks_to_confirmation()
    view = budi.taps(WALLET)
    assert view is None
    assert [order.status for order in parlour.orders] == [Status.CANCELLED, Status.PAID]
    assert parlour.books.ledger.credit_of(budi.address) == 0


def test_buying_again_asks_how_it_is_paid_this_time(parlour: Parlour, budi: Guest) -> None:
    parlour.give_credit(budi, 2 * PRICE)
    order = pay(parlour, budi, WALLET)
    parlour.supply(order.id, TopupReport(state=TopupState.DELIVERED, serial="SN-1"))
    parlour.post()
    parlour.clock.advance(MINUTE)
    budi.taps("Beli lagi")
    assert budi.step is StepId.CONFIRM
    assert offered(budi) == list(PaymentMethod)
    assert len(parlour.orders) == 1
