"""Store credit: what is typed as an amount, topping up, and what there is to see."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.conversation.views import Choice, Draft, StepId, View
from shop.orders import HOUSE, Order, Status
from shop.payments import PaymentMethod
from shop.suppliers import InvoiceState
from shop.time import MINUTE
from tests.bot.conversation.parlour import (
    BACK,
    EVERY_WAY,
    OWNER,
    RULES,
    TEXTS,
    Guest,
    Parlour,
    whole,
    wide,
)
from tests.bot.conversation.purses import CREDIT, begins, credit_of, takes_out

DROPSHIP, DEPOSIT, QRIS, WALLET = PaymentMethod
LEAST, MOST = EVERY_WAY.credit_min, EVERY_WAY.credit_max
say, money = TEXTS["id"], TEXTS["id"].money

UNDERSTOOD = [
    ("10000", 10_000),
    ("10.000", 10_000),
    ("10,000", 10_000),
    ("Rp10.000", 10_000),
    ("rp 10.000,-", 10_000),
    ("Rp. 25.000", 25_000),
    ("10rb", 10_000),
    ("10 ribu", 10_000),
    ("12,5k", 12_500),
    ("50K", 50_000),
    (" 15000 ", 15_000),
    (wide("20000"), 20_000),
]
NOT_UNDERSTOOD = [
    "-5", "-50.000", "+50000", "1e9", "1e4", "abc", "sepuluh ribu", "10.00", "10.0000", "1.000,50",
    "50 000", "0x4e20", "10rbb", "50rb ya", "1/2", "nan", "Rp", "?", "50.000 60.000", "9" * 40, "½",
]  # fmt: skip


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


# --- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "amount"), UNDERSTOOD)
@pytest.mark.parametrize(
    ("what", "after"), [("isi", StepId.CREDIT_METHOD), ("tarik", StepId.PAYOUT)]
)
def test_an_amount_is_understood_as_people_here_write_it(
    budi: Guest, what: str, after: StepId, typed: str, amount: int
) -> None:
    begins(budi, what)
    view = budi.says(typed)
    assert (budi.step, budi.draft.price) == (after, amount)
    assert money(amount) in view.text


@pytest.mark.parametrize("typed", NOT_UNDERSTOOD)
@pytest.mark.parametrize(("what", "step"), [("isi", StepId.CREDIT), ("tarik", StepId.CASH)])
def test_what_is_no_amount_gets_a_sentence_with_an_example(
    parlour: Parlour, budi: Guest, what: str, step: StepId, typed: str
) -> None:
    question = begins(budi, what)
    view = budi.says(typed)
    example = money(50_000)
    assert view.text == f"{say('amount.unreadable', example=example)}\n\n{question.text}"
    assert (budi.step, budi.draft, parlour.orders) == (step, Draft(), [])


@pytest.mark.parametrize("typed", ["0", "1", "5", "1k", "9.999", str(LEAST - 1)])
def test_too_little_says_how_much_it_takes(parlour: Parlour, budi: Guest, typed: str) -> None:
    begins(budi, "isi")
    view = budi.says(typed)
    wanted = say("amount.too_small", least=money(LEAST), example=money(50_000))
    assert view.text.startswith(wanted)
    assert budi.step is StepId.CREDIT


@pytest.mark.parametrize("typed", [str(MOST + 1), "2.000.001", "2,1jt", "500jt", "999999999999"])
def test_too_much_says_how_much_it_may_be(budi: Guest, typed: str) -> None:
    begins(budi, "isi")
    view = budi.says(typed)
    wanted = say("amount.too_large", most=money(MOST), example=money(50_000))
    assert view.text.startswith(wanted)
    assert budi.step is StepId.CREDIT


@pytest.mark.parametrize("amount", [LEAST, MOST])
def test_the_limits_themselves_will_do(budi: Guest, amount: int) -> None:
    begins(budi, "isi")
    budi.says(str(amount))
    assert (budi.step, budi.draft.price) == (StepId.CREDIT_METHOD, amount)


@pytest.mark.parametrize(("least", "most"), [(100_000, 200_000), (1_000, 2_000)])
def test_the_example_is_an_amount_that_would_do(
    parlour: Parlour, budi: Guest, least: int, most: int
) -> None:
    parlour.arrange(replace(EVERY_WAY, credit_min=least, credit_max=most))
    begins(budi, "isi")
    assert f"misalnya {money(min(max(50_000, least), most))}." in budi.says("abc").text


def test_nobody_takes_out_more_than_there_is(parlour: Parlour, budi: Guest) -> None:
    begins(budi, "tarik")
    for typed in (str(CREDIT + 1), "1jt"):
        view = budi.says(typed)
        wanted = say("amount.too_large", most=money(CREDIT), example=money(50_000))
        assert view.text.startswith(wanted)
    assert "Paling sedikit" in budi.says("0").text
    assert (budi.step, parlour.orders) == (StepId.CASH, [])


def test_the_buttons_offer_what_may_be_bought(parlour: Parlour, budi: Guest) -> None:
    begins(budi, "isi")
    assert budi.labels == ["Rp20.000", "Rp50.000", "Rp100.000", "Rp250.000", "Rp500.000", BACK]
    parlour.arrange(replace(EVERY_WAY, credit_min=60_000, credit_max=100_000))
    begins(budi, "isi")
    assert budi.labels == ["Rp100.000", BACK]


# --- topping up -----------------------------------------------------------------------------------


def tops_up(parlour: Parlour, guest: Guest, method: PaymentMethod, typed: str = "30rb") -> Order:
    begins(guest, "isi")
    guest.says(typed)
    assert guest.taps(method) is None
    return parlour.orders[-1]


def test_credit_is_confirmed_before_it_is_ordered(parlour: Parlour, budi: Guest) -> None:
    question = begins(budi, "isi")
    assert say("credit.ask", credit=money(CREDIT), least=money(LEAST), most=money(MOST)) == (
        question.text
    )
    view = budi.taps("Rp100.000")
    assert view is not None
    assert view.text == say("credit.confirm", amount="Rp100.000")
    assert budi.labels == ["✅ Bayar", "🏪 QRIS toko", BACK]
    assert parlour.orders == []


@pytest.mark.parametrize("typed", ["ya", "ok", "berapa?", "dropship", "wallet", "pay", "30rb"])
def test_nothing_but_a_way_to_pay_orders_credit(parlour: Parlour, budi: Guest, typed: str) -> None:
    begins(budi, "isi")
    budi.says("30rb")
    assert say("confirm.press_pay") in budi.says(typed).text
    for value in ("dropship", "wallet", ""):
        budi.presses(f"s:{budi.session.screen}:{value}")
    assert (budi.step, budi.draft.price) == (StepId.CREDIT_METHOD, 30_000)
    assert parlour.orders == []


def test_credit_by_deposit_arrives_once_it_is_paid(parlour: Parlour, budi: Guest) -> None:
    order = tops_up(parlour, budi, DEPOSIT)
    assert (order.supplier, order.sku, order.price) == (HOUSE, "credit", 30_000)
    parlour.show_qr(order.id)
    parlour.post()
    assert "Saldo Rp30.000" in budi.sees("Bayar Rp30.000").text
    assert credit_of(parlour, budi) == CREDIT
    parlour.deposited(order.id, 30_000)
    parlour.deposited(order.id, 30_000)
    parlour.post()
    assert credit_of(parlour, budi) == CREDIT + 30_000
    assert parlour.order(order.id).status is Status.DELIVERED
    assert "sudah masuk" in budi.sees("Saldo Rp30.000 sudah masuk", order.id).text
    assert say("wallet.is", credit=money(CREDIT + 30_000)) in budi.says("/saldo").text


def test_credit_by_the_owners_qris_waits_for_the_owner(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order = tops_up(parlour, budi, QRIS)
    parlour.post()
    budi.taps("Sudah bayar")
    parlour.post()
    owner.taps("paid")
    assert credit_of(parlour, budi) == CREDIT
    owner.taps("Ya, benar")
    assert credit_of(parlour, budi) == CREDIT + 30_000
    assert parlour.order(order.id).status is Status.DELIVERED
    assert owner.last.text == say("decided.paid_own", order=order.id)


def test_credit_paid_after_the_end_of_its_qr_is_credit_all_the_same(
    parlour: Parlour, budi: Guest
) -> None:
    order = tops_up(parlour, budi, DEPOSIT)
    parlour.show_qr(order.id)
    parlour.hear(order.id, InvoiceState.EXPIRED)
    assert parlour.order(order.id).status is Status.EXPIRED
    parlour.deposited(order.id, 30_000)
    parlour.post()
    assert credit_of(parlour, budi) == CREDIT + 30_000
    assert "Tidak apa-apa" in budi.sees("isi saldo", order.id).text


def test_a_second_tap_buys_credit_once(parlour: Parlour, budi: Guest) -> None:
    begins(budi, "isi")
    budi.says("30rb")
    button = budi.button("Bayar")
    for nth in range(3):
        budi.presses(button, input_id=f"tap{nth}")
    assert len(parlour.orders) == 1


@pytest.mark.parametrize(
    "methods", [(DROPSHIP,), (DROPSHIP, WALLET), (DROPSHIP, DEPOSIT, QRIS), (WALLET,)]
)
def test_a_shop_that_sells_no_credit_says_so_and_offers_its_games(
    parlour: Parlour, budi: Guest, methods: tuple[PaymentMethod, ...]
) -> None:
    parlour.arrange(replace(EVERY_WAY, methods=methods))
    view = budi.presses("p:isi:")  # a button of a time when it did
    assert view is not None
    assert view.text == say("credit.not_sold")
    assert budi.labels == [BACK]
    view = budi.says("50rb")
    assert view.text == f"{say('credit.not_sold')}\n\n{parlour_question(budi)}"
    assert (budi.step, parlour.orders) == (StepId.GAME, [])


def parlour_question(guest: Guest) -> str:
    """The question that stands now, without what was said before it."""
    return guest.says("/start").text


def test_credit_that_is_no_longer_sold_is_not_ordered_by_an_open_question(
    parlour: Parlour, budi: Guest
) -> None:
    begins(budi, "isi")
    budi.says("30rb")
    button = budi.button("Bayar")
    parlour.arrange(RULES)
    budi.presses(button)
    assert parlour.orders == []


# --- what there is --------------------------------------------------------------------------------


def buttons(view: View) -> list[str]:
    return [choice.id for choice in view.choices]


def test_a_customer_sees_their_credit_and_what_can_be_done_with_it(budi: Guest) -> None:
    for words in ("/saldo", "saldo", "/balance"):
        view = budi.says(words)
        assert view.text.splitlines()[0] == say("wallet.is", credit=money(CREDIT))
        assert buttons(view) == ["isi", "tarik"]


def test_who_has_no_credit_may_still_buy_some(parlour: Parlour) -> None:
    view = parlour.guest("siti").says("/saldo")
    assert view.text == say("wallet.is", credit="Rp0")
    assert buttons(view) == ["isi"]


def test_a_shop_without_credit_says_that_there_is_none(parlour: Parlour) -> None:
    parlour.arrange(RULES)
    view = parlour.guest("siti").says("/saldo")
    assert view == View(text=say("balance.customer"))


def test_credit_in_a_shop_that_sells_none_can_be_taken_out(parlour: Parlour, budi: Guest) -> None:
    parlour.arrange(RULES)
    view = budi.says("/saldo")
    assert buttons(view) == ["tarik"]
    assert takes_out(parlour, budi).status is Status.PROCESSING


def history_of(parlour: Parlour, guest: Guest) -> None:
    """Twelve things happen to a wallet, a minute apart; the first was the owner's gift."""
    parlour.arrange(replace(EVERY_WAY, credit_min=1_000))
    for _ in range(11):
        parlour.clock.advance(MINUTE)
        takes_out(parlour, guest, "1rb")


def test_every_line_of_a_wallet_is_reached_once_the_newest_first(
    parlour: Parlour, budi: Guest
) -> None:
    history_of(parlour, budi)
    view, lines = budi.says("/saldo"), list[str]()
    for page in range(1, 4):
        first, *found = view.text.splitlines()
        assert first == say("wallet.is", credit=money(CREDIT - 11_000))
        assert len(found) == (5 if page < 3 else 2)
        lines += found
        older = [choice for choice in view.choices if choice.id == "older"]
        assert bool(older) is (page < 3)
        view = budi.presses(older[0].data) or view if older else view
    ids = [order.id for order in reversed(parlour.orders)]
    assert [line.rsplit(" · ", 1)[1] for line in lines[:-1]] == ids
    assert all("-Rp1.000" in line for line in lines[:-1])
    assert f"+{money(CREDIT)}" in lines[-1]


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999", "1e3", "٣", ""])
def test_a_page_that_makes_no_sense_is_the_first(budi: Guest, page: str) -> None:
    assert budi.says(f"/saldo {page}").text == budi.says("/saldo").text


def test_nobody_sees_the_wallet_of_somebody_else(parlour: Parlour, budi: Guest) -> None:
    history_of(parlour, budi)
    siti = parlour.guest("siti")
    for words in ("/saldo", "/saldo 2", "/saldo web:budi", "/saldo budi", "/riwayat"):
        shown = f"{whole(siti.says(words))} {siti.last.choices}"
        assert "64.000" not in shown
        assert not [order.id for order in parlour.orders if order.id in shown]


@pytest.mark.parametrize("address", ["web:bud", "web:budi2", "web:BUDI", "telegram:budi", "web:"])
def test_a_similar_name_has_another_wallet(parlour: Parlour, budi: Guest, address: str) -> None:
    stranger = Guest(parlour, address, 12)
    assert stranger.says("/saldo").text == say("wallet.is", credit="Rp0")
    assert stranger.presses("p:tarik:") is not None
    assert stranger.last.text == say("cash.nothing")


def test_what_waits_to_be_paid_stands_below_the_credit(parlour: Parlour, budi: Guest) -> None:
    order = tops_up(parlour, budi, QRIS)
    view = budi.says("/saldo")
    assert view.text.endswith(say("balance.waiting"))
    assert [(c.id, c.data) for c in view.choices[-1:]] == [("show", f"o:{order.id}:show")]


def test_the_history_of_orders_names_credit_without_an_account(
    parlour: Parlour, budi: Guest
) -> None:
    order = takes_out(parlour, budi)
    view = budi.says("/riwayat")
    assert "Tarik saldo Rp50.000" in view.text.splitlines()
    assert "→" not in view.text
    shown = budi.says(f"/status {order.id}")
    assert "Tarik saldo Rp50.000" in shown.text
    assert "Akun:" not in shown.text
    assert "again" not in buttons(shown)


def test_credit_is_no_account_to_buy_for_again(parlour: Parlour, budi: Guest) -> None:
    order = tops_up(parlour, budi, DEPOSIT)
    parlour.show_qr(order.id)
    parlour.deposited(order.id, 30_000)
    parlour.post()
    assert not [label for label in choices_of(budi.says("/start")) if label.startswith("🔁")]
    budi.presses(f"s:{budi.session.screen}:@{order.id}")
    assert budi.step is StepId.GAME
    budi.presses(f"o:{order.id}:again")
    assert budi.step is StepId.CREDIT
    assert len(parlour.orders) == 1


def choices_of(view: View) -> list[str]:
    found: tuple[Choice, ...] = view.choices
    return [choice.label for choice in found]
