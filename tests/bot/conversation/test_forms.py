"""Goods whose supplier asks with a form of its own: exactly its fields, and nothing is invented."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.forms import LONGEST
from bot.conversation.views import Draft, StepId
from providers.senpay_forms import filled_in
from shop import fulfilment, ledger
from shop.orders import Order
from shop.suppliers import FormField, TopupReport, TopupState
from shop.time import MINUTE
from tests.bot.conversation.form_samples import (
    CHOSEN_AND_TYPED,
    CHOSEN_FIRST,
    ONE_TYPED,
    SERVER,
    THREE_TYPED,
    TWO_TYPED,
    TYPED_AND_CHOSEN,
)
from tests.bot.conversation.parlour import (
    EVERY_WAY,
    FACE,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    unhurried,
    wide,
)

FORMS = "senpay"  # a supplier that asks with forms
PLAIN = "zonegame"  # one that does not
ITEM = {
    "free-fire": "500 Diamond",
    "genshin-impact": "330 Genesis Crystals",
    "mobile-legends": "Pass",
}
SAY = TEXTS["id"]


def open_shop() -> Parlour:
    """A shop with three suppliers, and money of ours at each."""
    face = replace(
        FACE,
        suppliers=(SUPPLIER, FORMS, PLAIN),
        balances=(SUPPLIER, PLAIN),
    )
    rules = replace(
        EVERY_WAY,
        suppliers=(SUPPLIER, FORMS, PLAIN),
        targets={**EVERY_WAY.targets, PLAIN: "{user_id}|{server_id}"},
    )
    parlour = Parlour(rules=rules, face=face)
    for slug in (FORMS, PLAIN):
        parlour.fund(1_000_000, ledger.supplier(slug))
    parlour.give_credit(parlour.guest(), 900_000)
    return parlour


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = open_shop()
    yield opened
    opened.close()


def sell(
    parlour: Parlour, *form: FormField, game: str = "free-fire", supplier: str = FORMS
) -> None:
    """Let a supplier sell something of a game, with this form."""
    parlour.stock({game: [("f1", ITEM[game], 40_000, *form)]}, supplier)


def asks(guest: Guest, game: str = "free-fire") -> str:
    """Choose the item that has a form; return what is asked then."""
    guest.says("/start")
    guest.says(game)
    guest.taps(ITEM[game])
    return guest.last.text


def pays(parlour: Parlour, guest: Guest) -> Order:
    assert guest.step is StepId.CONFIRM, guest.last
    guest.taps("wallet")
    return parlour.orders[-1]


def target(order: Order) -> dict[str, str]:
    """What the supplier is told, read as its adapter does."""
    return filled_in(order.target)


# --- forms that ask as the game does --------------------------------------------------------------


def test_a_form_of_one_typed_field_asks_for_the_id_alone(parlour: Parlour, budi: Guest) -> None:
    sell(parlour, *ONE_TYPED, game="mobile-legends")
    assert "12345678 (2001)" in asks(budi, "mobile-legends")
    budi.says("ID: 12345678")
    order = pays(parlour, budi)
    assert (order.user_id, order.server) == ("12345678", "")
    assert order.target == '{"id":"12345678"}'


@pytest.mark.parametrize("typed", ["Budi#ID1", "Budi\uff03ID1", "Budi # ID1"])
def test_the_form_of_a_game_with_names_takes_a_name(
    parlour: Parlour, budi: Guest, typed: str
) -> None:
    parlour.stock({"valorant": [("f1", "1000 VP", 90_000, *ONE_TYPED)]}, FORMS)
    for words in ("/start", "valorant", "1000 VP", "12345678"):
        budi.says(words)
    assert budi.step is StepId.ACCOUNT
    budi.says(typed)
    order = pays(parlour, budi)
    assert target(order) == {"id": order.user_id}
    assert order.user_id == "Budi#ID1"


@pytest.mark.parametrize(
    "typed", [["123456789 (2001)"], ["123456789/2001"], ["id 123456789", "server 2001"]]
)
def test_of_two_typed_fields_the_second_is_the_server(
    parlour: Parlour, budi: Guest, typed: list[str]
) -> None:
    sell(parlour, *TWO_TYPED)  # of a game that has no servers elsewhere
    asks(budi)
    for words in typed:
        budi.says(words)
    order = pays(parlour, budi)
    assert order.target == '{"player_id":"123456789","zone":"2001"}'
    assert "123456789 (2001)" in budi.says("/riwayat").text


@pytest.mark.parametrize("name", ["Europe", "europe", "EUROPE", "Eurpoe", wide("Europe"), "3"])
def test_a_typed_field_and_a_choice_are_the_id_and_one_of_these_servers(
    parlour: Parlour, budi: Guest, name: str
) -> None:
    sell(parlour, *TYPED_AND_CHOSEN)
    asks(budi)
    budi.says("123456789")
    assert budi.step is StepId.SERVER
    assert budi.labels[:3] == ["Asia", "America", "Europe"]
    budi.says(name)
    assert "123456789 (Europe)" in budi.last.text
    order = pays(parlour, budi)
    assert order.target == '{"id":"123456789","server":"os_euro"}'
    assert order.server == "Europe"  # as people read it


def test_a_server_is_chosen_by_button_or_sent_together_with_the_id(
    parlour: Parlour, budi: Guest
) -> None:
    sell(parlour, *TYPED_AND_CHOSEN)
    asks(budi)
    budi.says("123456789")
    budi.taps("America")
    assert target(pays(parlour, budi)) == {"id": "123456789", "server": "os_usa"}
    parlour.clock.advance(MINUTE)
    asks(budi)
    budi.says("987654321 (asia)")
    assert target(pays(parlour, budi)) == {"id": "987654321", "server": "os_asia"}


@pytest.mark.parametrize("name", ["Mars", "os_mars", "9", "?!", "🙂"])
def test_a_server_that_is_not_offered_is_asked_for_again(
    parlour: Parlour, budi: Guest, name: str
) -> None:
    sell(parlour, *TYPED_AND_CHOSEN)
    asks(budi)
    budi.says("123456789")
    budi.says(name)
    assert budi.step is StepId.SERVER
    assert budi.labels[:3] == ["Asia", "America", "Europe"]
    assert parlour.orders == []


def test_what_is_known_of_a_games_ids_is_known_of_a_forms_servers(
    parlour: Parlour, budi: Guest
) -> None:
    sell(parlour, *TYPED_AND_CHOSEN, game="genshin-impact")
    asks(budi, "genshin-impact")
    budi.says("612345678")  # lives in America
    assert target(pays(parlour, budi)) == {"id": "612345678", "server": "os_usa"}


def answers_in(line: str) -> list[str]:
    """The answers to a form, as people read them."""
    return re.split(r", | \(", line.rpartition("→ ")[2].removeprefix("👤 ").rstrip(")"))


# --- forms asked field by field -------------------------------------------------------------------


def test_any_other_form_is_asked_field_by_field(parlour: Parlour, budi: Guest) -> None:
    sell(parlour, *CHOSEN_FIRST)
    assert asks(budi) == SAY("field.choose", label="Platform")
    assert budi.step is StepId.FIELD
    assert budi.labels == ["Android", "iOS", "Windows", SAY("button.back")]
    budi.taps("iOS")
    assert budi.last.text == SAY("field.ask", label="User ID")
    assert budi.labels == [SAY("button.back")]
    budi.says("Budi_77")
    assert budi.last.text == SAY("field.ask", label="Nickname")
    budi.says("Si  Budi")
    account = next(line for line in budi.last.text.splitlines() if line.startswith("👤"))
    assert answers_in(account) == ["iOS", "Budi_77", "Si Budi"]
    assert pays(parlour, budi).target == '{"os":"2","id":"Budi_77","nick":"Si Budi"}'
    assert answers_in(account) == answers_in(budi.says("/riwayat").text.splitlines()[1])


def test_the_supplier_is_told_what_the_form_says(parlour: Parlour, budi: Guest) -> None:
    sell(parlour, *THREE_TYPED)
    asks(budi)
    for words in ("12345678", "2001", 'Budi "Ã" \\ {x}'):
        budi.says(words)
    order = pays(parlour, budi)
    asked = fulfilment.start(parlour.books, order, parlour.clock() + MINUTE, parlour.clock())
    told = filled_in(fulfilment.request_of(asked).target)
    assert told == {"id": "12345678", "zone": "2001", "nick": 'Budi "Ã" \\ {x}'}
    assert list(json.loads(order.target)) == [field.key for field in THREE_TYPED]


@pytest.mark.parametrize("name", ["windows", "WINDOWS", "Windosw", wide("Windows")])
def test_a_choice_of_a_form_may_be_typed(parlour: Parlour, budi: Guest, name: str) -> None:
    sell(parlour, *CHOSEN_FIRST)
    asks(budi)
    for words in (name, "Budi_77", "Budi"):
        budi.says(words)
    assert target(pays(parlour, budi))["os"] == "3"


@pytest.mark.parametrize("name", ["Symbian", "x", "?!", "🙂", "\u202e", "{os}", "a" * 200])
def test_a_choice_that_a_form_does_not_offer_is_asked_for_again(
    parlour: Parlour, budi: Guest, name: str
) -> None:
    sell(parlour, *CHOSEN_FIRST)
    asked, labels = asks(budi), budi.labels
    view = budi.says(name)
    assert view.text == f"{SAY('field.not_offered')}\n\n{asked}"
    assert (budi.step, budi.labels, budi.draft.fields) == (StepId.FIELD, labels, "")


@pytest.mark.parametrize("typed", ["x" * (LONGEST + 1), "9" * 299, "é" * 100])
def test_too_long_an_answer_is_asked_for_again(parlour: Parlour, budi: Guest, typed: str) -> None:
    sell(parlour, *THREE_TYPED)
    asked = asks(budi)
    view = budi.says(typed)
    assert view.text == f"{SAY('field.too_long', most=LONGEST)}\n\n{asked}"
    for words in ("x" * LONGEST, "1", "2"):
        budi.says(words)
    assert target(pays(parlour, budi))["id"] == "x" * LONGEST


@pytest.mark.parametrize("typed", ["\u202e", "\u2066\u2069", "\0", "\ufeff\u200b"])
def test_an_answer_that_shows_nothing_is_asked_for_again(
    parlour: Parlour, budi: Guest, typed: str
) -> None:
    sell(parlour, *THREE_TYPED)
    asked = asks(budi)
    assert budi.says(typed).text.endswith(asked)
    assert (budi.step, budi.draft.fields) == (StepId.FIELD, "")


@unhurried
@given(answers=st.lists(st.text(max_size=80), min_size=3, max_size=3))
def test_m7_o10_whatever_is_typed_into_a_form_is_what_was_shown_and_what_is_ordered(
    answers: list[str],
) -> None:
    parlour = open_shop()
    try:
        budi = parlour.guest()
        sell(parlour, *THREE_TYPED)
        asks(budi)
        for words in answers:
            budi.says(words)
        if budi.step is not StepId.CONFIRM:
            return
        shown = budi.last.text.splitlines()
        order = pays(parlour, budi)
        assert shown[2].startswith("👤 ")
        left = shown[2]
        for answer in target(order).values():
            _, there, left = left.partition(answer)
            assert there
        assert shown[3].startswith("💰 Rp")
    finally:
        parlour.close()


def test_a_form_is_answered_across_a_restart(parlour: Parlour, budi: Guest) -> None:
    sell(parlour, *CHOSEN_FIRST)
    asks(budi)
    for words in ("android", "Budi_77"):
        parlour.restart()
        budi.says(words)
    parlour.restart()
    assert budi.step is StepId.FIELD
    budi.says("Budi")
    parlour.restart()
    assert target(pays(parlour, budi)) == {"os": "1", "id": "Budi_77", "nick": "Budi"}


def test_back_from_a_form_leads_to_the_items_and_it_is_asked_anew(
    parlour: Parlour, budi: Guest
) -> None:
    sell(parlour, *CHOSEN_FIRST)
    asked = asks(budi)
    budi.says("android")
    budi.taps("Kembali")
    assert budi.step is StepId.ITEM
    budi.taps(ITEM["free-fire"])
    assert budi.last.text == asked
    for words in ("windows", "Siti_1", "Siti"):
        budi.says(words)
    assert target(pays(parlour, budi)) == {"os": "3", "id": "Siti_1", "nick": "Siti"}


def test_the_button_of_an_answered_field_is_an_old_one(parlour: Parlour, budi: Guest) -> None:
    sell(parlour, *CHOSEN_FIRST)
    asks(budi)
    old = budi.button("Android")
    budi.taps("iOS")
    view = budi.presses(old)
    assert view is not None
    assert view.text.startswith(SAY("button.old"))
    for words in ("Budi_77", "Budi"):
        budi.says(words)
    assert target(pays(parlour, budi))["os"] == "2"


def test_changing_the_account_asks_the_whole_form_anew(parlour: Parlour, budi: Guest) -> None:
    sell(parlour, *THREE_TYPED)
    asked = asks(budi)
    for words in ("12345678", "2001", "Budi"):
        budi.says(words)
    budi.taps("Ubah akun")
    assert (budi.last.text, budi.draft.fields) == (asked, "")
    for words in ("87654321", "2002", "Siti"):
        budi.says(words)
    assert target(pays(parlour, budi)) == {"id": "87654321", "zone": "2002", "nick": "Siti"}


@pytest.mark.parametrize("form", [CHOSEN_FIRST, CHOSEN_AND_TYPED, TWO_TYPED, ONE_TYPED])
def test_a_form_that_changes_while_it_is_answered_is_never_filled_in_by_halves(
    parlour: Parlour, budi: Guest, form: tuple[FormField, ...]
) -> None:
    sell(parlour, *THREE_TYPED)
    asks(budi)
    budi.says("12345678")
    budi.says("2001")
    sell(parlour, *form)
    budi.says("87654321")
    for words in ("android", "europe", "12345678", "2001", "Budi"):
        if budi.step is not StepId.CONFIRM:
            budi.says(words)
    assert list(target(pays(parlour, budi))) == [field.key for field in form]


def test_an_item_that_is_gone_while_its_form_is_answered_leads_to_the_items(
    parlour: Parlour, budi: Guest
) -> None:
    sell(parlour, *CHOSEN_FIRST)
    asks(budi)
    parlour.stock({}, FORMS)
    budi.says("android")
    assert (budi.step, budi.draft.fields) == (StepId.ITEM, "")
    assert SAY("item.gone") in budi.last.text


# --- buying again, and other goods for the same account -------------------------------------------


def receives(parlour: Parlour, order: Order) -> None:
    parlour.supply(order.id, TopupReport(state=TopupState.DELIVERED, serial="SN", supplier_ref="1"))
    parlour.post()
    parlour.clock.advance(MINUTE)


def test_buying_again_asks_the_form_anew_where_the_answers_are_not_known_one_by_one(
    parlour: Parlour, budi: Guest
) -> None:
    sell(parlour, *THREE_TYPED)
    asked = asks(budi)
    for words in ("12345678", "2001", "Budi, the first"):
        budi.says(words)
    receives(parlour, pays(parlour, budi))
    budi.taps("Beli lagi")
    assert (budi.step, budi.last.text) == (StepId.FIELD, asked)
    item = {"good": f"{FORMS}/f1", "supplier": FORMS, "sku": "f1", "item": ITEM["free-fire"]}
    assert budi.draft == Draft(game="free-fire", **item)
    for words in ("12345678", "2001", "Budi"):
        budi.says(words)
    assert target(pays(parlour, budi)) == {"id": "12345678", "zone": "2001", "nick": "Budi"}


@pytest.mark.parametrize(
    ("form", "answers"),
    [
        (ONE_TYPED, ["12345678"]),
        (TYPED_AND_CHOSEN, ["12345678", "europe"]),
        (TWO_TYPED, ["12345678 9"]),
    ],
)
def test_buying_again_needs_nothing_typed_where_the_form_is_an_account(
    parlour: Parlour, budi: Guest, form: tuple[FormField, ...], answers: list[str]
) -> None:
    sell(parlour, *form)
    asks(budi)
    for words in answers:
        budi.says(words)
    first = pays(parlour, budi)
    receives(parlour, first)
    budi.taps("Beli lagi")
    second = pays(parlour, budi)
    assert second.id != first.id
    assert second.target == first.target


@pytest.mark.parametrize(
    ("form", "steps", "told"),
    [
        (ONE_TYPED, [], {"id": "612345678"}),
        (TYPED_AND_CHOSEN, [], {"id": "612345678", "server": "os_usa"}),
        (CHOSEN_FIRST, ["android", "612345678", "x"], {"os": "1", "id": "612345678", "nick": "x"}),
        (THREE_TYPED, ["612345678", "7", "x"], {"id": "612345678", "zone": "7", "nick": "x"}),
    ],
)
def test_a_saved_account_goes_as_far_as_the_form_of_other_goods_asks_for_it(
    parlour: Parlour, budi: Guest, form: tuple[FormField, ...], steps: list[str], told: object
) -> None:
    sell(parlour, game="genshin-impact", supplier=PLAIN)
    asks(budi, "genshin-impact")
    budi.says("612345678")
    plain = pays(parlour, budi)
    assert plain.target == "612345678|os_usa"
    receives(parlour, plain)
    parlour.stock({}, PLAIN)
    sell(parlour, *form, game="genshin-impact")
    asks(budi, "genshin-impact")
    if not steps:
        budi.taps("612345678")
    for words in steps:
        assert budi.step is StepId.FIELD
        budi.says(words)
    assert target(pays(parlour, budi)) == told


def test_the_account_of_a_form_goes_back_to_goods_without_one(
    parlour: Parlour, budi: Guest
) -> None:
    sell(parlour, *TYPED_AND_CHOSEN, game="genshin-impact")
    asks(budi, "genshin-impact")
    budi.says("1234567890")
    budi.says("asia")
    receives(parlour, pays(parlour, budi))
    parlour.stock({}, FORMS)
    sell(parlour, game="genshin-impact", supplier=PLAIN)
    asks(budi, "genshin-impact")
    budi.taps("1234567890 (Asia)")
    assert pays(parlour, budi).target == "1234567890|os_asia"


OTHER_GOODS = [
    # the form of the first goods, how it is answered, the form of the others, what they still ask
    ((), ["123456789"], TWO_TYPED, StepId.SERVER),
    ((), ["123456789"], TYPED_AND_CHOSEN, StepId.SERVER),
    ((), ["123456789"], CHOSEN_FIRST, StepId.FIELD),
    ((), ["123456789"], THREE_TYPED, StepId.FIELD),
    ((), ["123456789"], CHOSEN_AND_TYPED, StepId.FIELD),
    ((), ["123456789"], (SERVER,), StepId.FIELD),
    ((), ["123456789"], ONE_TYPED, StepId.CONFIRM),
    (TWO_TYPED, ["123456789 2001"], TYPED_AND_CHOSEN, StepId.SERVER),
    (TWO_TYPED, ["123456789 2001"], ONE_TYPED, StepId.CONFIRM),
    (TWO_TYPED, ["123456789 2001"], THREE_TYPED, StepId.FIELD),
    (TYPED_AND_CHOSEN, ["123456789", "asia"], CHOSEN_AND_TYPED, StepId.FIELD),
    (THREE_TYPED, ["123456789", "1", "x"], CHOSEN_FIRST, StepId.FIELD),
    (CHOSEN_FIRST, ["ios", "123456789", "x"], CHOSEN_AND_TYPED, StepId.FIELD),
]


@pytest.mark.parametrize(("first", "answers", "other", "step"), OTHER_GOODS)
def test_other_goods_ask_exactly_what_their_form_still_wants(
    parlour: Parlour,
    budi: Guest,
    first: tuple[FormField, ...],
    answers: list[str],
    other: tuple[FormField, ...],
    step: StepId,
) -> None:
    parlour.stock(
        {"free-fire": [("f1", "500 Diamond", 40_000, *first), ("f2", "Bundle", 45_000, *other)]},
        FORMS,
    )
    asks(budi)
    for words in answers:
        budi.says(words)
    assert budi.step is StepId.CONFIRM
    budi.taps("Kembali")
    budi.taps("Bundle")
    assert budi.step is step
    if step is StepId.FIELD:
        assert budi.draft.fields == ""
    if step is StepId.CONFIRM:
        assert target(pays(parlour, budi)) == {"id": "123456789"}
