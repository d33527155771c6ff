"""The owner's own QRIS: nobody but the owner can tell that it was paid, and says so twice."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.conversation.views import View
from bot.owner.desk import CONFIRM_WITHIN
from shop import housekeeping, ledger
from shop.cases import REMIND_EVERY, Answer, CaseKind
from shop.orders import Status
from shop.payments import Refunds
from shop.suppliers import Refused
from shop.time import HOUR, MINUTE, SECOND
from tests.bot.conversation.parlour import EVERY_WAY, OWNER, TEXTS, Guest, Parlour, whole
from tests.bot.owner.claims import PRICE, SECOND_OWNER, case_of, claimed, press, waiting

say, money = TEXTS["id"], TEXTS["id"].money


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour(owners=(OWNER, SECOND_OWNER), rules=EVERY_WAY)
    opened.fund(1_000_000)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


@pytest.fixture
def second(parlour: Parlour) -> Guest:
    return parlour.guest(address=SECOND_OWNER)


# --- who may say so -------------------------------------------------------------------------------


def test_saying_that_it_is_paid_asks_the_owners_and_moves_nothing(
    parlour: Parlour, budi: Guest, owner: Guest, second: Guest
) -> None:
    order = waiting(parlour, budi)
    view = budi.presses(f"o:{order.id}:paid")
    assert view == View(text=say("claim.asking_the_owner", order=order.id))
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT
    case = case_of(parlour, order)
    assert case.kind is CaseKind.CLAIMED
    parlour.post()
    for somebody in (owner, second):
        asked = somebody.sees("Kasus", order.id)
        for part in (money(PRICE), budi.address, say("case.claimed", amount=money(PRICE))):
            assert part in asked.text
        assert [choice.id for choice in asked.choices] == [Answer.PAID, Answer.UNPAID]


@pytest.mark.parametrize("address", ["web:budi", "web:siti", "telegram:owner", "web:12345", ""])
def test_nobody_but_an_owner_says_that_it_came(parlour: Parlour, budi: Guest, address: str) -> None:
    order, case = claimed(parlour, budi)
    stranger = Guest(parlour, address, 12)
    for action in ("paid", "yes-paid", "open", "yes-paid", "unpaid", "yes-unpaid"):
        assert press(stranger, case, action).text.startswith(say("button.old"))
    assert parlour.order(order.id).version == order.version
    assert case_of(parlour, order) == case


def test_it_came_only_after_the_second_yes(parlour: Parlour, budi: Guest, owner: Guest) -> None:
    order, case = claimed(parlour, budi)
    asked = press(owner, case, "paid")
    for part in (money(PRICE), order.id, budi.address, "2 menit"):
        assert part in asked.text
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT
    told = press(owner, case, "yes-paid")
    assert told.text == say("decided.paid_own", order=order.id)
    assert parlour.order(order.id).status is Status.PAID
    assert parlour.books.ledger.balance(ledger.QRIS) == PRICE
    parlour.post()
    assert "✅ Dibayar" in budi.sees("🧾 Pesanan", order.id, "Dibayar").text
    assert "jangan dibayar lagi" in budi.sees("✅ Sudah dibayar").text


def test_a_yes_without_a_question_moves_nothing(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order, case = claimed(parlour, budi)
    press(owner, case, "yes-paid")
    assert parlour.order(order.id).version == order.version


@pytest.mark.parametrize(
    ("span", "became"),
    [(CONFIRM_WITHIN, Status.PAID), (CONFIRM_WITHIN + 1, Status.AWAITING_PAYMENT)],
)
def test_the_question_is_open_for_two_minutes(
    parlour: Parlour, budi: Guest, owner: Guest, span: int, became: Status
) -> None:
    order, case = claimed(parlour, budi)
    press(owner, case, "paid")
    parlour.clock.advance(span)
    press(owner, case, "yes-paid")
    assert parlour.order(order.id).status is became


def test_the_yes_of_another_owner_is_not_mine(
    parlour: Parlour, budi: Guest, owner: Guest, second: Guest
) -> None:
    order, case = claimed(parlour, budi)
    press(owner, case, "paid")
    press(second, case, "yes-paid")
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT


def test_the_yes_to_one_order_is_not_that_to_another(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    _, first = claimed(parlour, budi)
    parlour.clock.advance(MINUTE)
    other, second_case = claimed(parlour, budi, "987654321")
    press(owner, first, "paid")
    press(owner, second_case, "yes-paid")
    assert parlour.order(other.id).status is Status.AWAITING_PAYMENT


def test_a_second_yes_takes_the_money_in_once(parlour: Parlour, budi: Guest, owner: Guest) -> None:
    order, case = claimed(parlour, budi)
    press(owner, case, "paid")
    for _ in range(3):
        press(owner, case, "yes-paid")
        press(owner, case, "paid")
    assert parlour.order(order.id).status is Status.PAID
    assert parlour.books.ledger.balance(ledger.QRIS) == PRICE


# --- after a restart ------------------------------------------------------------------------------


def test_a_claim_and_its_first_yes_outlive_a_restart(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order, case = claimed(parlour, budi)
    parlour.restart()
    assert case_of(parlour, order) == case
    assert order.id in owner.says("/kasus").text
    press(owner, case, "paid")
    parlour.restart()
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT
    press(owner, case, "yes-paid")
    assert parlour.order(order.id).status is Status.PAID


def test_a_restart_makes_no_old_yes_young(parlour: Parlour, budi: Guest, owner: Guest) -> None:
    order, case = claimed(parlour, budi)
    press(owner, case, "paid")
    parlour.clock.advance(CONFIRM_WITHIN + 1)
    parlour.restart()
    press(owner, case, "yes-paid")
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT


def test_an_owner_taken_off_the_settings_says_nothing_any_more(
    parlour: Parlour, budi: Guest, second: Guest
) -> None:
    order, case = claimed(parlour, budi)
    press(second, case, "paid")
    parlour.owners = (OWNER,)
    parlour.restart()
    assert press(second, case, "yes-paid").text.startswith(say("button.old"))
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT


# --- time -----------------------------------------------------------------------------------------


def test_a_qr_that_nobody_claims_runs_out_and_one_that_is_claimed_waits(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    forgotten = waiting(parlour, budi)
    order, case = claimed(parlour, siti, "987654321")
    parlour.clock.advance(HOUR)
    housekeeping.tidy(parlour.books, parlour.clock())
    parlour.post()
    assert parlour.order(forgotten.id).status is Status.EXPIRED
    assert "tidak dibayar sampai batas waktunya" in budi.sees("QR pesanan", forgotten.id).text
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT
    assert case_of(parlour, order) == case


def test_owners_are_reminded_of_a_claim_once_a_day(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order, _ = claimed(parlour, budi)
    before = len(owner.views)
    for _ in range(3):
        parlour.clock.advance(REMIND_EVERY)
        for _ in range(2):
            housekeeping.tidy(parlour.books, parlour.clock())
            parlour.post()
    reminders = owner.views[before:]
    assert len(reminders) == 3
    assert all(order.id in whole(view) for view in reminders)


def test_no_it_did_not_come_closes_the_order_and_the_customer_can_speak_up(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order, case = claimed(parlour, budi)
    parlour.clock.advance(SECOND)
    press(owner, case, "unpaid")
    assert press(owner, case, "yes-unpaid").text == say("decided.unpaid", order=order.id)
    parlour.post()
    told = budi.sees("QR pesanan", order.id)
    assert parlour.order(order.id).status is Status.EXPIRED
    parlour.clock.advance(MINUTE)
    budi.taps("Sudah bayar", on=told)
    assert case_of(parlour, order).kind is CaseKind.CLAIMED


@pytest.mark.parametrize("refunds", list(Refunds))
def test_money_that_came_after_the_end_goes_back_and_nothing_is_ordered(
    parlour: Parlour, budi: Guest, owner: Guest, refunds: Refunds
) -> None:
    parlour.arrange(replace(EVERY_WAY, refunds=refunds))
    order = waiting(parlour, budi)
    parlour.clock.advance(HOUR)
    housekeeping.tidy(parlour.books, parlour.clock())
    budi.presses(f"o:{order.id}:paid")
    case = case_of(parlour, order)
    assert "sudah ditutup" in press(owner, case, "paid").text
    told = press(owner, case, "yes-paid")
    credited = refunds is Refunds.WALLET
    assert parlour.order(order.id).status is (Status.REFUNDED if credited else Status.REFUND_DUE)
    assert parlour.books.ledger.credit_of(budi.address) == (PRICE if credited else 0)
    assert told.text == say(f"decided.{'credited' if credited else 'paid'}", order=order.id)


def test_a_claim_about_what_is_hidden_may_turn_out_true(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order = waiting(parlour, budi)
    budi.presses(f"o:{order.id}:cancel")
    budi.presses(f"o:{order.id}:paid")
    case = case_of(parlour, order)
    press(owner, case, "paid")
    press(owner, case, "yes-paid")
    assert parlour.order(order.id).status is Status.REFUNDED
    assert parlour.books.ledger.credit_of(budi.address) == PRICE


def test_what_could_not_be_delivered_may_be_delivered_at_the_owners_word(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    parlour.arrange(replace(EVERY_WAY, refunds=Refunds.MANUAL))
    order, case = claimed(parlour, budi)
    press(owner, case, "paid")
    press(owner, case, "yes-paid")
    parlour.supply(order.id, Refused("no"))
    again = case_of(parlour, order)
    asked = press(owner, again, "proceed")
    assert "dua kali" in asked.text
    press(owner, again, "yes-proceed")
    assert parlour.order(order.id).status is Status.PAID
