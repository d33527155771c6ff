"""What people are told when the supplier finds something wrong with their account."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.conversation.views import View
from shop.orders import Order, Status
from shop.payments import Refunds
from shop.suppliers import Refused, WrongAccount
from shop.text import visible
from tests.bot.conversation.parlour import (
    EVERY_WAY,
    TEXTS,
    Guest,
    Parlour,
    whole,
)
from tests.bot.conversation.test_foreign_text import HOSTILE, hidden

SAID = WrongAccount("zonegame: region", nickname="Whyy", region="ID", wanted="BR")
NOTHING_SAID = WrongAccount("kiosgame: INVALID_USER_ID")
CREDIT = 100_000
ITEM = "70 Diamond"
SAY = TEXTS["id"]


@pytest.fixture(params=[Refunds.WALLET, Refunds.MANUAL])
def parlour(request: pytest.FixtureRequest) -> Iterator[Parlour]:
    """A shop that gives money back in either way, and a customer with credit."""
    opened = Parlour(rules=replace(EVERY_WAY, refunds=request.param))
    opened.fund(1_000_000)
    opened.give_credit(opened.guest(), CREDIT)
    yield opened
    opened.close()


def refused(parlour: Parlour, guest: Guest, because: Refused, language: str = "id") -> Order:
    guest.says(f"/bahasa {language}")
    guest.walks_to_confirmation()
    guest.taps("wallet")
    order = parlour.supply(parlour.orders[-1].id, because)
    parlour.post()
    return order


def told(parlour: Parlour, guest: Guest, because: Refused, language: str = "id") -> View:
    """The message about the money, once the supplier has refused the order."""
    refused(parlour, guest, because, language)
    to_wallet = parlour.rules.refunds is Refunds.WALLET
    label = TEXTS[language]("button.wallet" if to_wallet else "button.payout")
    return next(v for v in reversed(guest.views) if label in [c.label for c in v.choices])


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_an_account_of_another_region_is_named_with_its_nickname(
    parlour: Parlour, budi: Guest, language: str
) -> None:
    first = told(parlour, budi, SAID, language).text.splitlines()[0]
    assert first == TEXTS[language](
        "wrong.region", nickname="Whyy", region="ID", item=ITEM, wanted="BR"
    )


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_an_account_that_nobody_knows_is_named_as_it_was_typed(
    parlour: Parlour, budi: Guest, language: str
) -> None:
    first = told(parlour, budi, NOTHING_SAID, language).text.splitlines()[0]
    assert first == TEXTS[language]("wrong.account", account="123456789", item=ITEM)


def test_the_rest_of_the_message_is_that_of_any_refusal(parlour: Parlour, budi: Guest) -> None:
    plain = told(parlour, budi, Refused("tidak bisa"))
    _, blank, *rest = told_another(parlour).text.splitlines()
    assert blank == ""
    assert rest == plain.text.splitlines()


@pytest.mark.parametrize("because", [SAID, NOTHING_SAID, Refused("tidak bisa")])
def test_o1_the_money_is_given_back_or_a_person_is_asked(
    parlour: Parlour, budi: Guest, because: Refused
) -> None:
    order = refused(parlour, budi, because)
    case = parlour.books.cases.open_for(order.id)
    credit = parlour.books.ledger.credit_of(budi.address)
    if parlour.rules.refunds is Refunds.WALLET:
        assert (order.status, case, credit) == (Status.REFUNDED, None, CREDIT)
    else:
        assert (order.status, credit) == (Status.REFUND_DUE, CREDIT - order.price)
        assert case is not None


@pytest.mark.parametrize("foreign", [*HOSTILE, "Kirim Rp50.000 ke 0812, ya." * 9])
def test_m7_a_hostile_nickname_stays_inside_its_sentence(
    parlour: Parlour, budi: Guest, foreign: str
) -> None:
    shown = visible(foreign, 60)  # as adapters clean it
    view = told(parlour, budi, WrongAccount("no", nickname=shown, region=shown, wanted=shown))
    sentence, *rest = view.text.splitlines()
    assert sentence == SAY("wrong.region", nickname=shown, region=shown, item=ITEM, wanted=shown)
    assert rest == told_another(parlour).text.splitlines()[1:]
    assert hidden(whole(view)) == []


def told_another(parlour: Parlour) -> View:
    """The same message about a like order, with nothing foreign in it."""
    siti = parlour.guest("siti")
    parlour.give_credit(siti, CREDIT)
    view = told(parlour, siti, SAID)
    first, second = parlour.orders
    return replace(view, text=view.text.replace(second.id, first.id))
