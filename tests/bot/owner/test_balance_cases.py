"""A supplier's balance that is not what the books say: a case that only owners see and settle."""

from collections.abc import Iterator

import pytest

from bot.conversation.views import View
from bot.owner.desk import CONFIRM_WITHIN
from shop import comparing, ledger
from shop.cases import Case, CaseKind
from shop.housekeeping import tidy
from shop.payments import PaymentMethod
from shop.suppliers import TopupReport, TopupState
from shop.time import HOUR, SECOND
from tests.bot.conversation.parlour import (
    EVERY_WAY,
    OWNER,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    whole,
)

ACCOUNT = ledger.supplier(SUPPLIER)
SECOND_OWNER = "telegram:12345"
BOOKED, REAL = 100_000, 90_000
say, money = TEXTS["id"], TEXTS["id"].money


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour(owners=(OWNER, SECOND_OWNER), rules=EVERY_WAY)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


@pytest.fixture
def second(parlour: Parlour) -> Guest:
    return parlour.guest(address=SECOND_OWNER)


def supplier_says(parlour: Parlour, balance: int) -> None:
    parlour.clock.advance(SECOND)
    comparing.compared(parlour.books, SUPPLIER, balance, parlour.clock(), parlour.clock())
    parlour.post()


def differing(parlour: Parlour, real: int = REAL) -> Case:
    """The supplier has less than the books say."""
    supplier_says(parlour, BOOKED)
    supplier_says(parlour, real)
    (case,) = parlour.books.cases.all_open()
    return case


def booked(parlour: Parlour) -> int:
    return parlour.books.ledger.balance(ACCOUNT)


def press(guest: Guest, case: Case, action: str) -> View:
    view = guest.presses(f"c:{case.id}:{action}")
    assert view is not None
    return view


def is_closed(parlour: Parlour, case: Case) -> bool:
    found = parlour.books.cases.get(case.id)
    assert found is not None
    return found.closed_at is not None


def test_every_owner_is_told_both_balances_and_the_difference(
    parlour: Parlour, owner: Guest, second: Guest, budi: Guest
) -> None:
    case = differing(parlour)
    assert (case.kind, case.order_id, case.about) == (CaseKind.BALANCE, "", SUPPLIER)
    for somebody in (owner, second):
        shown = somebody.sees("Kasus: saldo zultopup")
        for part in (money(BOOKED), money(REAL), money(REAL - BOOKED), "/catat"):
            assert part in shown.text
        assert [choice.id for choice in shown.choices] == ["adjust", "seen"]
    assert budi.views == []
    assert booked(parlour) == BOOKED


def test_the_list_of_cases_names_the_supplier(parlour: Parlour, owner: Guest) -> None:
    case = differing(parlour)
    view = owner.says("/kasus")
    assert f"1. zultopup\n{say('case.balance.short')}" in view.text
    shown = owner.presses(view.choices[0].data)
    assert shown is not None
    assert shown.title == say("case.balance.title", supplier=SUPPLIER)
    assert case.evidence in shown.text


@pytest.mark.parametrize("address", ["web:budi", "telegram:owner", "web:12345", ""])
@pytest.mark.parametrize("action", ["open", "adjust", "yes-adjust", "seen", "yes-seen"])
def test_nobody_else_sees_or_settles_it(parlour: Parlour, address: str, action: str) -> None:
    case = differing(parlour)
    stranger = Guest(parlour, address, 12)
    view = press(stranger, case, action)
    assert view.text.startswith(say("button.old"))
    for secret in (money(BOOKED), money(REAL), SUPPLIER):
        assert secret not in whole(view)
    assert (booked(parlour), is_closed(parlour, case)) == (BOOKED, False)


def test_adjusting_asks_once_more_and_then_follows_the_supplier(
    parlour: Parlour, owner: Guest
) -> None:
    case = differing(parlour)
    asked = press(owner, case, "adjust")
    assert asked.text == say("sure.adjust", supplier=SUPPLIER, evidence=case.evidence)
    assert [choice.id for choice in asked.choices] == ["yes-adjust", "open"]
    assert booked(parlour) == BOOKED
    told = owner.taps("Ya, benar")
    assert told == View(text=say("decided.adjust", supplier=SUPPLIER))
    assert booked(parlour) == REAL
    assert parlour.books.ledger.balance(ledger.ADJUSTMENT) == -REAL
    assert is_closed(parlour, case)
    line = parlour.books.ledger.lines(ACCOUNT, 1)[0]
    assert (line.amount, line.actor) == (REAL - BOOKED, OWNER)


@pytest.mark.parametrize(("span", "after"), [(CONFIRM_WITHIN, REAL), (CONFIRM_WITHIN + 1, BOOKED)])
def test_the_question_is_open_for_two_minutes(
    parlour: Parlour, owner: Guest, span: int, after: int
) -> None:
    case = differing(parlour)
    press(owner, case, "adjust")
    parlour.clock.advance(span)
    press(owner, case, "yes-adjust")
    assert booked(parlour) == after


def test_a_yes_without_a_question_adjusts_nothing(parlour: Parlour, owner: Guest) -> None:
    case = differing(parlour)
    view = press(owner, case, "yes-adjust")
    assert view.choices[0].id == "yes-adjust"  # it is asked first
    assert booked(parlour) == BOOKED


def test_the_yes_of_another_owner_is_not_mine(
    parlour: Parlour, owner: Guest, second: Guest
) -> None:
    case = differing(parlour)
    press(owner, case, "adjust")
    press(second, case, "yes-adjust")
    assert booked(parlour) == BOOKED
    press(second, case, "yes-adjust")  # now the question was the second one's
    assert booked(parlour) == REAL


def test_not_yet_takes_the_question_back(parlour: Parlour, owner: Guest) -> None:
    case = differing(parlour)
    press(owner, case, "adjust")
    view = owner.taps("Belum")
    assert view is not None
    assert [choice.id for choice in view.choices] == ["adjust", "seen"]
    press(owner, case, "yes-adjust")
    assert booked(parlour) == BOOKED


def test_a_difference_that_changed_in_between_is_asked_about_again(
    parlour: Parlour, owner: Guest
) -> None:
    case = differing(parlour)
    press(owner, case, "adjust")
    supplier_says(parlour, REAL - 5_000)
    view = press(owner, case, "yes-adjust")
    assert money(REAL - 5_000) in view.text
    assert booked(parlour) == BOOKED
    press(owner, case, "yes-adjust")
    assert booked(parlour) == REAL - 5_000


def test_what_was_bought_since_the_supplier_spoke_is_not_adjusted_away(
    parlour: Parlour, owner: Guest, budi: Guest
) -> None:
    case = differing(parlour)
    parlour.give_credit(budi, 20_000)
    budi.walks_to_confirmation()
    budi.taps(PaymentMethod.WALLET)
    parlour.clock.advance(SECOND)
    done = TopupReport(state=TopupState.DELIVERED, serial="SN-1", cost=10_000)
    parlour.supply(parlour.orders[0].id, done)
    press(owner, case, "adjust")
    press(owner, case, "yes-adjust")
    assert booked(parlour) == REAL - 10_000  # as it is at the supplier by now


def test_a_second_yes_adjusts_nothing_more(parlour: Parlour, owner: Guest, second: Guest) -> None:
    case = differing(parlour)
    press(owner, case, "adjust")
    press(owner, case, "yes-adjust")
    parlour.fund(1_000)
    for somebody in (owner, second):
        for action in ("yes-adjust", "adjust", "seen", "open"):
            closed = say("case.balance.closed", supplier=SUPPLIER)
            assert press(somebody, case, action) == View(text=closed)
    assert booked(parlour) == REAL + 1_000


def test_a_case_that_was_seen_is_closed_and_nothing_moved(parlour: Parlour, owner: Guest) -> None:
    case = differing(parlour)
    assert press(owner, case, "seen").text == say("case.balance.closed", supplier=SUPPLIER)
    assert (booked(parlour), is_closed(parlour, case)) == (BOOKED, True)
    assert owner.says("/kasus").text == say("cases.none")


@pytest.mark.parametrize("action", ["refunded", "yes-refunded", "paid", "", "x", "yes-", "loss"])
def test_answers_about_orders_mean_nothing_here(
    parlour: Parlour, owner: Guest, action: str
) -> None:
    case = differing(parlour)
    view = press(owner, case, action)
    assert view.title == say("case.balance.title", supplier=SUPPLIER)
    assert (booked(parlour), is_closed(parlour, case)) == (BOOKED, False)


def test_an_entry_that_explains_the_difference_settles_it_at_the_next_look(
    parlour: Parlour, owner: Guest
) -> None:
    case = differing(parlour)
    owner.says("/catat zultopup -10rb salah kirim")
    owner.taps("Ya, catat")
    supplier_says(parlour, REAL)
    assert (booked(parlour), is_closed(parlour, case)) == (REAL, True)


def test_the_question_outlives_a_restart(parlour: Parlour, owner: Guest) -> None:
    case = differing(parlour)
    press(owner, case, "adjust")
    parlour.restart()
    press(owner, case, "yes-adjust")
    assert booked(parlour) == REAL


def test_it_is_repeated_daily_and_only_while_it_is_open(parlour: Parlour, owner: Guest) -> None:
    case = differing(parlour)
    before = len(owner.views)
    for told in (1, 2):
        parlour.clock.advance(24 * HOUR)
        tidy(parlour.books, parlour.clock())
        tidy(parlour.books, parlour.clock())
        parlour.post()
        assert len(owner.views) == before + told
    press(owner, case, "seen")
    before = len(owner.views)
    parlour.clock.advance(48 * HOUR)
    tidy(parlour.books, parlour.clock())
    parlour.post()
    assert len(owner.views) == before
