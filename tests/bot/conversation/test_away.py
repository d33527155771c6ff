"""A supplier that is away is off the shelf, and nobody is sold what cannot be had."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bot.conversation.views import StepId
from shop import health, ledger
from shop.orders import Status
from shop.suppliers import Why
from shop.time import MINUTE
from tests.bot.conversation.form_samples import CHOSEN_FIRST
from tests.bot.conversation.parlour import (
    EVERY_WAY,
    FACE,
    OWNER,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
)

OTHER = "zonegame"
SAY = TEXTS["id"]


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    """Two suppliers of the same diamonds; one of them sells Valorant alone."""
    face = replace(FACE, suppliers=(SUPPLIER, OTHER), balances=(SUPPLIER, OTHER))
    opened = Parlour(rules=EVERY_WAY, face=face)
    opened.fund(500_000, ledger.supplier(OTHER))
    opened.fund(500_000)
    opened.give_credit(opened.guest(), 500_000)
    opened.stock({"free-fire": [("z1", "71 Diamond", 10_500)]}, OTHER)
    yield opened
    opened.close()


def is_silent(parlour: Parlour, supplier: str) -> None:
    for _ in range(health.MISSES):
        health.unanswered(parlour.books, supplier, "no answer", parlour.clock())


def refuses_us(parlour: Parlour, supplier: str) -> None:
    health.refused_us(parlour.books, supplier, "invalid key", parlour.clock())


def has_nothing_of_ours(parlour: Parlour, supplier: str) -> None:
    health.has_no_balance(parlour.books, supplier, 20_000, "saldo kurang", parlour.clock())


AWAY = {Why.SILENT: is_silent, Why.KEY: refuses_us, Why.BALANCE: has_nothing_of_ours}
Leave = Callable[[Parlour, str], None]


@pytest.fixture(params=sorted(Why))
def leaves(request: pytest.FixtureRequest) -> Leave:
    return AWAY[request.param]


def is_back(parlour: Parlour, supplier: str) -> None:
    health.answered(parlour.books, supplier, parlour.clock())
    health.has_balance(parlour.books, supplier, 1_000_000, parlour.clock())


def test_every_reason_to_be_away_is_tried() -> None:
    assert set(AWAY) == set(Why)


def test_what_a_supplier_sells_is_not_shown_while_it_is_away(
    parlour: Parlour, budi: Guest, leaves: Leave
) -> None:
    leaves(parlour, SUPPLIER)
    budi.says("/start")
    assert budi.labels == ["Free Fire"]  # sold by the other one too
    budi.says("ff")
    assert budi.labels == ["71 Diamond", SAY("button.back")]
    is_back(parlour, SUPPLIER)
    budi.says("/start")
    assert {"Free Fire", "Valorant", "Mobile Legends"} <= set(budi.labels)
    budi.says("ff")
    assert {"70 Diamond", "71 Diamond"} <= set(budi.labels)


def test_one_question_without_an_answer_takes_nothing_off_the_shelf(
    parlour: Parlour, budi: Guest
) -> None:
    health.unanswered(parlour.books, SUPPLIER, "no answer", parlour.clock())
    budi.says("/start")
    assert "Valorant" in budi.labels


def test_while_every_supplier_is_away_that_is_what_people_are_told(
    parlour: Parlour, budi: Guest, leaves: Leave
) -> None:
    leaves(parlour, SUPPLIER)
    leaves(parlour, OTHER)
    view = budi.says("/start")
    assert view.text == SAY("game.nothing", support=FACE.support)
    assert view.choices == ()


@pytest.mark.parametrize("way", ["dropship", "wallet", "deposit", "qris"])
def test_a_confirmation_pressed_after_its_supplier_went_away_sells_nothing_and_keeps_the_account(
    parlour: Parlour, budi: Guest, leaves: Leave, way: str
) -> None:
    budi.walks_to_confirmation()
    leaves(parlour, SUPPLIER)
    view = budi.taps(way)
    assert view is not None
    assert parlour.orders == []
    assert view.text.startswith(SAY("item.gone"))
    assert budi.step is StepId.ITEM
    assert budi.labels == ["71 Diamond", SAY("button.back")]
    budi.taps("71 Diamond")
    assert budi.step is StepId.CONFIRM  # the account is still known
    assert "👤 123456789" in budi.last.text


def test_a_confirmation_whose_game_nobody_else_sells_leads_back_to_a_choice(
    parlour: Parlour, budi: Guest, leaves: Leave
) -> None:
    budi.walks_to_confirmation("valorant", "475", "Budi#ID1")
    leaves(parlour, SUPPLIER)
    view = budi.taps("Bayar")
    assert view is not None
    assert parlour.orders == []
    assert SAY("item.gone") in view.text
    assert SAY("item.nothing") in view.text
    budi.taps("Kembali")
    assert "Free Fire" in budi.labels


@pytest.mark.parametrize("words", ["123456789", "12", "android", "?"])
@pytest.mark.parametrize("form", [(), CHOSEN_FIRST])
def test_a_question_answered_after_its_supplier_went_away_leads_to_the_items(
    parlour: Parlour, budi: Guest, leaves: Leave, form: tuple[object, ...], words: str
) -> None:
    parlour.stock({"free-fire": [("f1", "500 Diamond", 40_000, *form)]})
    budi.says("/start")
    budi.says("ff")
    budi.taps("500 Diamond")
    leaves(parlour, SUPPLIER)
    for said in (words, "ya", "123456789"):
        view = budi.says(said)
        assert view.text.strip()
    assert parlour.orders == []
    assert budi.step in {StepId.ITEM, StepId.ACCOUNT}
    assert "500 Diamond" not in budi.labels


def test_buying_again_from_a_supplier_that_is_away_leads_to_the_items(
    parlour: Parlour, budi: Guest, leaves: Leave
) -> None:
    parlour.bought(budi)
    leaves(parlour, SUPPLIER)
    budi.taps("Beli lagi")
    assert budi.step is StepId.ITEM
    assert budi.last.text.startswith(SAY("item.gone"))
    assert len(parlour.orders) == 1


def test_who_has_a_qr_may_still_pay_it(parlour: Parlour, budi: Guest, leaves: Leave) -> None:
    budi.walks_to_confirmation()
    budi.taps("dropship")
    order = parlour.show_qr(parlour.orders[0].id)
    leaves(parlour, SUPPLIER)
    parlour.post()
    budi.presses(f"o:{order.id}:show")
    assert parlour.order(order.id).status is Status.AWAITING_PAYMENT
    parlour.deliver(order.id)
    assert parlour.order(order.id).status is Status.DELIVERED


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_owners_are_told_once_that_it_is_away_and_once_that_it_is_back(
    parlour: Parlour, leaves: Leave, language: str
) -> None:
    owner = parlour.guest(address=OWNER)
    owner.says(f"/bahasa {language}")
    before = len(owner.views)
    for _ in range(3):
        leaves(parlour, SUPPLIER)
        parlour.clock.advance(MINUTE)
    parlour.post()
    (away,) = owner.views[before:]
    assert SUPPLIER in away.text
    assert any(words in away.text for words in ("no answer", "invalid key", "saldo kurang"))
    is_back(parlour, SUPPLIER)
    is_back(parlour, SUPPLIER)
    parlour.post()
    back = owner.views[-1]
    assert len(owner.views) == before + 2
    assert back.text == TEXTS[language]("alert.back", supplier=SUPPLIER)
