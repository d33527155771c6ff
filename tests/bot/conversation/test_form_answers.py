"""A supplier's form: no answer is taken for another, and every choice can be tapped."""

from collections.abc import Iterator

import pytest

from bot.conversation.views import StepId
from shop.suppliers import FormField, FormOption
from tests.bot.conversation.form_samples import CHOSEN_FIRST, OTHER_THREE, THREE_TYPED, typed
from tests.bot.conversation.parlour import Guest, Parlour
from tests.bot.conversation.test_forms import (
    FORMS,
    asks,
    open_shop,
    pays,
    receives,
    sell,
    target,
)


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = open_shop()
    yield opened
    opened.close()


def test_answers_to_one_form_are_no_answers_to_another_of_the_same_length(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.stock(
        {
            "free-fire": [
                ("f1", "500 Diamond", 40_000, *THREE_TYPED),
                ("f2", "Bundle", 45_000, *OTHER_THREE),
            ]
        },
        FORMS,
    )
    asks(budi)
    for words in ("12345678", "2001", "Budi"):
        budi.says(words)
    budi.taps("Kembali")
    budi.taps("Bundle")
    assert budi.step is StepId.FIELD
    assert budi.draft.fields == ""


def test_a_form_that_becomes_another_one_while_it_is_confirmed_is_asked_anew(
    parlour: Parlour, budi: Guest
) -> None:
    sell(parlour, *THREE_TYPED)
    asks(budi)
    for words in ("12345678", "2001", "Budi"):
        budi.says(words)
    sell(parlour, *OTHER_THREE)
    budi.taps("wallet")
    assert parlour.orders == []
    assert budi.step is StepId.FIELD


@pytest.mark.parametrize(
    ("form", "answers"),
    [(CHOSEN_FIRST, ["ios", "12345678", "x"]), (OTHER_THREE, ["0812345678", "0812", "x"])],
)
def test_the_answers_to_a_form_are_no_account_of_goods_without_one(
    parlour: Parlour, budi: Guest, form: tuple[FormField, ...], answers: list[str]
) -> None:
    sell(parlour, *form)
    asks(budi)
    for words in answers:
        budi.says(words)
    budi.taps("Kembali")
    budi.taps("70 Diamond")
    assert budi.step is StepId.ACCOUNT


@pytest.mark.parametrize(
    ("form", "answers"),
    [(CHOSEN_FIRST, ["ios", "12345678", "x"]), (OTHER_THREE, ["0812345678", "0812", "x"])],
)
def test_the_answers_to_a_form_are_no_saved_account_of_goods_without_one(
    parlour: Parlour, budi: Guest, form: tuple[FormField, ...], answers: list[str]
) -> None:
    sell(parlour, *form)
    asks(budi)
    for words in answers:
        budi.says(words)
    receives(parlour, pays(parlour, budi))
    budi.says("/start")
    budi.says("ff")
    budi.taps("70 Diamond")
    assert budi.step is StepId.ACCOUNT
    assert budi.labels == ["‹ Kembali"]  # noqa: RUF001


def in_their_letters(*names: str) -> FormField:
    options = tuple(FormOption(name=name, code=f"s{at}") for at, name in enumerate(names))
    return FormField(key="server", label="服务器", options=options)


NAMES = [("亚洲", "欧洲", "美洲"), ("S1", "S1+", "S1-"), ("Азия", "Европа", "Asia")]


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("first", [(), (typed("id"),)])
def test_o10_servers_are_told_apart_whatever_letters_they_are_written_in(
    parlour: Parlour, budi: Guest, names: tuple[str, ...], first: tuple[FormField, ...]
) -> None:
    form = (*first, in_their_letters(*names)) if first else (in_their_letters(*names), typed("id"))
    sell(parlour, *form)
    asks(budi)
    if first:
        budi.says("12345678")
    by_label = {choice.label: choice.data for choice in budi.last.choices}
    budi.presses(by_label[names[1]])
    if not first:
        budi.says("12345678")
    assert target(pays(parlour, budi))["server"] == "s1"


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("first", [(), (typed("id"),)])
@pytest.mark.parametrize("junk", ["?!", "🙂", "آسيا"])
def test_junk_chooses_no_server_whatever_letters_they_are_written_in(
    parlour: Parlour, budi: Guest, names: tuple[str, ...], first: tuple[FormField, ...], junk: str
) -> None:
    form = (*first, in_their_letters(*names)) if first else (in_their_letters(*names), typed("id"))
    sell(parlour, *form)
    asks(budi)
    if first:
        budi.says("12345678")
    before = budi.draft
    budi.says(junk)
    assert budi.draft == before
    assert budi.step in {StepId.FIELD, StepId.SERVER}


@pytest.mark.parametrize("code", ["<", "+", "-", "@1", "x" * 70, "é" * 40])
@pytest.mark.parametrize("first", [(), (typed("id"),)])
def test_any_code_of_a_choice_can_be_chosen(
    parlour: Parlour, budi: Guest, code: str, first
) -> None:
    choice = FormField(
        key="server",
        label="Server",
        options=(FormOption(name="Asia", code="1"), FormOption(name="Europe", code=code)),
    )
    sell(parlour, *((*first, choice) if first else (choice, typed("id"))))
    asks(budi)
    if first:
        budi.says("12345678")
    data = budi.button("Europe")
    assert len(data.encode()) <= 64
    budi.presses(data)
    if not first:
        budi.says("12345678")
    assert target(pays(parlour, budi))["server"] == code


@pytest.mark.parametrize("first", [(), (typed("id"),)])
def test_a_choice_with_a_long_name_can_be_tapped(parlour: Parlour, budi: Guest, first) -> None:
    choice = in_their_letters("A" * 60, "界" * 40)
    sell(parlour, *((*first, choice) if first else (choice, typed("id"))))
    asks(budi)
    if first:
        budi.says("12345678")
    data = budi.button("界" * 40)
    assert len(data.encode()) <= 64


def test_a_choice_of_a_form_is_chosen_by_its_place(parlour: Parlour, budi: Guest) -> None:
    sell(parlour, *CHOSEN_FIRST)
    asks(budi)
    budi.says("2")
    budi.says("a")
    budi.says("b")
    assert target(pays(parlour, budi))["os"] == "2"


@pytest.mark.parametrize(
    "form", [(typed("id"), typed("tag")), (typed("id"), in_their_letters("Asia", "Europe"))]
)
def test_a_form_of_two_fields_can_be_answered_in_a_game_with_names(
    parlour: Parlour, budi: Guest, form
) -> None:
    parlour.stock({"valorant": [("f1", "1000 VP", 90_000, *form)]}, FORMS)
    for words in ("/start", "valorant", "1000 VP", "Budi#ID1", "Asia"):
        budi.says(words)
    assert target(pays(parlour, budi))["id"].startswith("Budi")
