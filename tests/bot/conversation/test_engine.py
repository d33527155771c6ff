"""What the engine does so that no question has to: old buttons, ways back, languages, sessions."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.commands import MENU
from bot.conversation.engine import FORGETS_AFTER, LONGEST_TEXT, Conversation
from bot.conversation.steps import STEPS
from bot.conversation.views import Command, Draft, StepId, Typed, View, What, read_button, read_text
from bot.owner.desk import OwnersDesk
from shop.orders import Order
from shop.payments import PaymentMethod
from shop.suppliers import InvoiceState
from shop.time import HOUR, SECOND
from tests.bot.conversation.form_samples import WITH_A_FORM
from tests.bot.conversation.parlour import (
    BACK,
    EVERY_WAY,
    FACE,
    SHELF,
    TEXTS,
    Guest,
    Parlour,
    unhurried,
    without,
)

OLD = TEXTS["id"]("button.old")

# How to stand before each question, and what it shows.
STANDING: dict[StepId, tuple[str, ...]] = {
    StepId.GAME: ("/start",),
    StepId.ITEM: ("/start", "ml"),
    StepId.ACCOUNT: ("/start", "ml", "86 diamond"),
    StepId.SERVER: ("/start", "ml", "86 diamond", "12345678"),
    StepId.FIELD: ("/start", "ml", "weekly pass"),
    StepId.CHECK: ("/start", "ml", "86 diamond", "123 (2001)"),
    StepId.CONFIRM: ("/start", "ml", "86 diamond", "12345678 (2001)"),
    StepId.CREDIT: ("p:isi:",),
    StepId.CREDIT_METHOD: ("p:isi:", "30rb"),
    StepId.CASH: ("p:tarik:",),
    StepId.PAYOUT: ("p:tarik:", "30rb"),
}
OF_OWNERS = frozenset({StepId.ENTRY, StepId.PRICE})  # see tests/bot/owner
ABOUT_MONEY = frozenset({StepId.CREDIT, StepId.CREDIT_METHOD, StepId.CASH, StepId.PAYOUT})


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    """A shop that sells credit, and goods with a form; and a customer who has some credit."""
    opened = a_parlour()
    yield opened
    opened.close()


def a_parlour() -> Parlour:
    opened = Parlour(rules=EVERY_WAY)
    opened.stock(WITH_A_FORM)
    opened.give_credit(opened.guest(), 50_000)
    return opened


@pytest.fixture(params=sorted(set(StepId) - OF_OWNERS))
def step(request: pytest.FixtureRequest, budi: Guest) -> StepId:
    """Every question in turn, with Budi standing before it."""
    wanted: StepId = request.param
    stand(budi, wanted)
    return wanted


def stand(guest: Guest, step: StepId) -> None:
    for words in STANDING[step]:
        guest.does(read_button(words) if words.startswith("p:") else read_text(words))
    assert guest.step is step


def test_every_question_is_stood_before() -> None:
    assert set(STANDING) | OF_OWNERS == set(StepId)


def says_again(guest: Guest, step: StepId) -> View:
    """The last input arrives once more."""
    words = STANDING[step][-1]
    incoming = read_button(words) if words.startswith("p:") else read_text(words)
    guest.does(incoming, guest.last_input)
    return guest.last


def goods_of(parlour: Parlour) -> list[Order]:
    return [order for order in parlour.orders if order.game]


def essence(view: View) -> tuple[str, list[str]]:
    return view.text, [choice.label for choice in view.choices]


# --- old and made-up buttons ----------------------------------------------------------------------


def test_an_old_button_shows_the_present_question_again_with_a_sentence(
    budi: Guest, step: StepId
) -> None:
    question, before = budi.last, budi.session
    for old in [view for view in budi.views[:-1] if view.choices]:
        view = budi.presses(old.choices[0].data)
        assert view is not None
        assert view.text == f"{OLD}\n\n{question.text}"
        assert [c.label for c in view.choices] == [c.label for c in question.choices]
    assert (budi.step, budi.draft) == (step, before.draft)


def test_the_question_that_an_old_button_brought_back_can_be_answered(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation()
    budi.presses(budi.views[0].choices[0].data)
    budi.taps("Bayar")
    assert len(parlour.orders) == 1


@unhurried
@given(data=st.text(max_size=80))
def test_made_up_button_data_is_harmless(data: str) -> None:
    _press_made_up(data)


@unhurried
@given(
    kind=st.sampled_from(["s", "o", "c", "p", ""]),
    middle=st.text(max_size=20) | st.integers().map(str),
    end=st.text(max_size=60)
    | st.sampled_from(
        [
            "pay",
            "dropship",
            "wallet",
            "paid",
            "yes-refunded",
            "refunded",
            "<",
            "+",
            "-",
            "@",
            "account",
        ]
    ),
)
def test_almost_right_button_data_is_harmless(kind: str, middle: str, end: str) -> None:
    _press_made_up(f"{kind}:{middle}:{end}")


def _press_made_up(data: str) -> None:
    parlour = Parlour()
    try:
        budi = parlour.guest()
        budi.walks_to_confirmation()
        view = budi.does(read_button(data))
        assert view is not None
        assert view.text.strip()
        assert parlour.orders == []
        assert parlour.books.cases.all_open() == []
        assert budi.draft.sku in {"1", ""}
    finally:
        parlour.close()


@unhurried
@given(choice=st.text(max_size=60), step=st.sampled_from(sorted(STANDING)))
def test_a_made_up_choice_on_the_present_screen_gets_an_answer_and_places_nothing(
    choice: str, step: StepId
) -> None:
    parlour = a_parlour()
    try:
        budi = parlour.guest()
        stand(budi, step)
        view = budi.presses(f"s:{budi.session.screen}:{choice}")
        if choice not in set(PaymentMethod) and step is not StepId.PAYOUT:
            assert view is not None
            assert view.text.strip()
            assert parlour.orders == []
    finally:
        parlour.close()


def test_a_screen_number_is_never_used_twice(parlour: Parlour, budi: Guest) -> None:
    screens = [budi.session.screen]
    for words in ("/start", "ff", "70 diamond", "/batal", "/start", "x", "/bahasa en", "zzz"):
        budi.says(words)
        screens.append(budi.session.screen)
    parlour.clock.advance(FORGETS_AFTER + 1)
    budi.says("/start")
    screens.append(budi.session.screen)
    shown = [view.choices[0].data for view in budi.views if view.choices]
    assert screens == sorted(screens)
    assert len(shown) == len({data.split(":")[1] for data in shown if data.startswith("s:")})


# --- ways out, from anywhere ----------------------------------------------------------------------


@pytest.mark.parametrize("words", ["/batal", "batal", "Batal", "cancel", "/cancel", "/batal@bot x"])
def test_cancel_works_anywhere(budi: Guest, step: StepId, words: str) -> None:
    view = budi.says(words)
    assert view.text == TEXTS["id"]("conversation.cancelled")
    assert budi.step is None
    assert budi.draft == Draft()


@pytest.mark.parametrize(
    "words",
    [
        "/start", "/START", "menu", "mulai", "/mulai", "/pesan", "/order", "pesan", "Order", "halo",
        "/pesan\nya", "/start\t",
    ],
)  # fmt: skip
def test_start_works_anywhere(budi: Guest, step: StepId, words: str) -> None:
    view = budi.says(words)
    assert view.title == FACE.name
    assert budi.step is StepId.GAME
    assert budi.draft == Draft()


def test_back_leads_from_any_question_to_the_games(budi: Guest, step: StepId) -> None:
    for _ in StepId:
        if budi.step is StepId.GAME:
            break
        budi.taps("Kembali")
    assert budi.step is StepId.GAME


def test_every_question_but_the_first_has_a_way_back(budi: Guest, step: StepId) -> None:
    assert (BACK in budi.labels) == (step is not StepId.GAME)


@pytest.mark.parametrize("name", [*MENU["id"], *MENU["en"]])
def test_every_command_of_the_menu_is_answered_anywhere(
    budi: Guest, step: StepId, name: str
) -> None:
    view = budi.says(f"/{name}")
    assert view.text.strip()
    assert TEXTS["id"]("command.unknown") not in view.text


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("name", ["riwayat", "status", "bantuan", "saldo"])
def test_looking_something_up_leaves_the_question_open(
    parlour: Parlour, budi: Guest, name: str, slash: str
) -> None:
    question = budi.walks_to_confirmation()
    view = budi.says(f"{slash}{name}")
    assert view == budi.says(f"/{name}")
    assert budi.step is StepId.CONFIRM
    budi.taps("Bayar", on=question)
    assert len(parlour.orders) == 1


@pytest.mark.parametrize("words", ["/nonsense", "/", "/ start", "//", "/saldo2 x", "/kasus"])
def test_an_unknown_command_puts_the_present_question_again(
    budi: Guest, step: StepId, words: str
) -> None:
    question = budi.last
    view = budi.says(words)
    assert view.text == f"{TEXTS['id']('command.unknown')}\n\n{question.text}"
    assert budi.step is step


@pytest.mark.parametrize("gap", [" ", "\n", "\t", "\u3000", " \n "])
def test_whatever_stands_between_a_command_and_its_word(budi: Guest, gap: str) -> None:
    assert budi.says(f"/start{gap}free-fire").title == "Free Fire"
    assert budi.says(f"/bahasa@lapak_bot{gap}en").title == "Free Fire"
    assert budi.language == "en"


def test_a_link_leads_straight_to_a_game(budi: Guest) -> None:
    assert budi.says("/start free-fire").title == "Free Fire"
    assert budi.step is StepId.ITEM


@pytest.mark.parametrize("payload", ["nothing", "honor-of-kings", "FREE-FIRE", "<b>", "'; --"])
def test_a_link_to_nothing_leads_to_the_games(budi: Guest, payload: str) -> None:
    budi.says(f"/start {payload}")
    assert budi.step is StepId.GAME


def test_anything_at_all_begins_a_conversation(parlour: Parlour) -> None:
    for number, words in enumerate(["?", "assalamualaikum", "🙂", "\u202e", "\0", " "]):
        guest = parlour.guest(f"new{number}")
        view = guest.says(words)
        assert guest.step is StepId.GAME
        assert "Free Fire" in [choice.label for choice in view.choices]


# --- things that are not answers ------------------------------------------------------------------


def test_a_sticker_puts_the_present_question_again(budi: Guest, step: StepId) -> None:
    question = budi.last
    view = budi.shares(What.OTHER)
    assert view is not None
    assert view.text == f"{TEXTS['id']('shared.other')}\n\n{question.text}"
    assert budi.step is step


def test_a_picture_is_answered_and_loses_nothing(budi: Guest, step: StepId) -> None:
    before = budi.session
    view = budi.shares(What.PICTURE)
    assert view is not None
    assert view.text == TEXTS["id"]("picture.nothing", support=FACE.support)
    assert (budi.step, budi.draft) == (step, before.draft)


@pytest.mark.parametrize("length", [LONGEST_TEXT + 1, 5_000])
def test_an_endless_text_puts_the_present_question_again(
    budi: Guest, step: StepId, length: int
) -> None:
    question, before = budi.last, budi.draft
    view = budi.says("9" * length)
    assert view.text.endswith(question.text)
    assert str(LONGEST_TEXT) in view.text
    assert budi.draft == before


@pytest.mark.parametrize("junk", ["?!", "abc def", "<b>x</b>", "\u202eabc", "🙂🙂", "\0", "ー"])
def test_free_text_where_a_choice_is_asked_puts_the_question_again(
    budi: Guest, step: StepId, junk: str
) -> None:
    question, labels = budi.last, budi.labels
    view = budi.says(junk)
    assert budi.step is step
    assert view.text.strip() != question.text.strip()  # it says why
    assert [choice.label for choice in view.choices] == labels


# --- languages ------------------------------------------------------------------------------------


def test_the_language_changes_in_mid_question_and_nothing_is_lost(
    budi: Guest, step: StepId
) -> None:
    before = budi.draft
    budi.says("/bahasa")
    view = budi.taps("English")
    assert view is not None
    assert view.text.startswith("Done, we speak English now.")
    assert (budi.step, budi.draft) == (step, before)
    assert TEXTS["en"]("button.back") in budi.labels or step is StepId.GAME
    budi.says("/language")
    view = budi.taps("Bahasa Indonesia")
    assert view is not None
    assert view.text.startswith(TEXTS["id"]("language.set"))


def test_a_chosen_language_stays_for_good(parlour: Parlour, budi: Guest) -> None:
    budi.says("/bahasa en")
    parlour.clock.advance(30 * FORGETS_AFTER)
    parlour.stock(WITH_A_FORM)
    assert "Hi!" in budi.says("/start").text
    assert "Halo!" in parlour.guest("siti").says("/start").text


@pytest.mark.parametrize("args", ["", "xx", "EN", "../en", "<b>"])
def test_an_unknown_language_is_asked_for_in_both(budi: Guest, args: str) -> None:
    view = budi.says(f"/bahasa {args}")
    assert [choice.label for choice in view.choices] == ["Bahasa Indonesia", "English"]


def test_an_old_language_button_works_for_ever(parlour: Parlour, budi: Guest) -> None:
    offered = budi.says("/bahasa")
    budi.walks_to_confirmation()
    parlour.clock.advance(FORGETS_AFTER + HOUR)
    view = budi.taps("English", on=offered)
    assert view is not None
    assert "we speak English now" in view.text


# --- the same input twice -------------------------------------------------------------------------


def test_a_repeated_input_is_answered_with_the_present_question(budi: Guest, step: StepId) -> None:
    question, before = budi.last, budi.session
    view = says_again(budi, step)
    assert essence(view) == essence(question)
    assert (budi.step, budi.draft) == (step, before.draft)


def test_a_repeated_input_never_acts_twice(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    pay = budi.button("Bayar")
    assert budi.presses(pay, input_id="once") is None
    for _ in range(5):
        view = budi.presses(pay, input_id="once")
        assert view is not None
    assert len(parlour.orders) == 1


def test_a_repeated_command_changes_nothing_either(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.says("/batal", input_id="twice")
    budi.walks_to_confirmation()
    budi.says("/start", input_id="thrice")
    budi.says("/start", input_id="thrice")
    assert budi.step is StepId.GAME
    assert parlour.orders == []


def test_the_repetition_of_one_person_is_not_that_of_another(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    for guest, account in ((budi, "123456789"), (siti, "987654321")):
        guest.walks_to_confirmation(account=account)
        guest.taps("Bayar", input_id="same")
    assert len(parlour.orders) == 2


# --- time -----------------------------------------------------------------------------------------


def test_a_question_is_forgotten_after_a_day(parlour: Parlour, budi: Guest, step: StepId) -> None:
    screen = budi.session.screen
    parlour.clock.advance(FORGETS_AFTER + 1)
    budi.says("apa kabar")
    assert budi.step is StepId.GAME
    assert budi.draft == Draft()
    assert budi.session.screen > screen


def test_a_question_is_remembered_for_a_day(parlour: Parlour, budi: Guest, step: StepId) -> None:
    before = budi.draft
    parlour.clock.advance(FORGETS_AFTER)
    parlour.stock(WITH_A_FORM)
    budi.shares(What.OTHER)
    assert (budi.step, budi.draft) == (step, before)


def test_a_button_of_a_forgotten_question_starts_afresh_and_buys_nothing(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation()
    parlour.clock.advance(FORGETS_AFTER + 1)
    parlour.stock(WITH_A_FORM)
    view = budi.taps("Bayar")
    assert view is not None
    assert budi.step is StepId.GAME
    assert parlour.orders == []


def test_a_list_older_than_a_day_sells_nothing(parlour: Parlour, budi: Guest) -> None:
    parlour.clock.advance(24 * HOUR + SECOND)
    view = budi.says("/start")
    assert "belum ada yang bisa dijual" in view.text
    assert FACE.support in view.text
    assert view.choices == ()


# --- a shelf and a shop that change in between ----------------------------------------------------


@pytest.mark.parametrize("label", ["Bayar", "Ubah akun", "Kembali"])
def test_a_game_that_left_the_shelf_leads_back_to_a_choice(
    parlour: Parlour, budi: Guest, label: str
) -> None:
    budi.walks_to_confirmation()
    parlour.stock({"mobile-legends": SHELF["mobile-legends"]})
    budi.taps(label)
    assert parlour.orders == []
    assert budi.last.choices
    budi.says("/start")
    assert "Free Fire" not in budi.labels


def test_when_nothing_is_left_every_question_still_has_an_answer(
    parlour: Parlour, budi: Guest, step: StepId
) -> None:
    parlour.stock({})
    for doing in ("70", "12345678 (2001)", "bayar", "/riwayat", "menu"):
        before = len(budi.views)
        budi.says(doing)
        parlour.post()
        assert all(view.text.strip() for view in budi.views[before:])
        assert len(budi.views) > before
    assert goods_of(parlour) == []


@pytest.mark.parametrize("doing", ["12345678 (2001)", "bayar", "1", "ya", "kembali", "/bahasa en"])
def test_a_draft_whose_game_the_owner_took_away_starts_over(
    parlour: Parlour, budi: Guest, step: StepId, doing: str
) -> None:
    parlour.open(without("mobile-legends"))
    shown = budi.says(doing)
    assert "Mobile Legends" not in f"{shown.title} {budi.labels}"
    if step not in {StepId.GAME, *ABOUT_MONEY}:
        assert budi.step in {StepId.GAME, StepId.ITEM}  # "1" is the first of the games
        assert (budi.draft.user_id, budi.draft.sku) == ("", "")
    assert goods_of(parlour) == []
    budi.walks_to_confirmation("valorant", "475", "Budi#ID1")


def test_a_repeated_input_after_the_owner_took_the_game_away_ends_at_the_games(
    parlour: Parlour, budi: Guest, step: StepId
) -> None:
    parlour.open(without("mobile-legends"))
    before = budi.draft
    says_again(budi, step)
    if step in ABOUT_MONEY:
        assert (budi.step, budi.draft) == (step, before)
        return
    assert (budi.step, budi.draft) == (StepId.GAME, Draft())
    assert "Free Fire" in budi.labels


def test_tapping_a_button_of_a_game_that_the_owner_took_away_ends_at_the_games(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation("ml", "86", "12345678 (2001)")
    parlour.open(without("mobile-legends"))
    view = budi.taps("Bayar")
    assert view is not None
    assert budi.step is StepId.GAME
    assert parlour.orders == []


# --- two devices ----------------------------------------------------------------------------------


def test_two_devices_share_one_conversation(parlour: Parlour, budi: Guest) -> None:
    on_the_phone = budi.says("/start")
    on_the_laptop = budi.says("/start")
    budi.taps("Mobile Legends", on=on_the_laptop)
    view = budi.taps("Free Fire", on=on_the_phone)
    assert view is not None
    assert view.text.startswith(OLD)
    assert view.title == "Mobile Legends"
    assert budi.draft.game == "mobile-legends"


def test_two_devices_cannot_confirm_one_screen_twice(parlour: Parlour, budi: Guest) -> None:
    question = budi.walks_to_confirmation()
    pay = budi.button("Bayar", on=question)
    budi.presses(pay, input_id="phone")
    view = budi.presses(pay, input_id="laptop")
    (order,) = parlour.orders
    assert view is not None
    assert order.id in view.title  # what became of it, and not the games
    assert "Menyiapkan" in view.text
    assert budi.step is None
    parlour.show_qr(order.id)
    view = budi.presses(pay, input_id="tablet")
    assert view is not None
    assert [choice.data for choice in view.choices] == [
        f"o:{order.id}:{action}" for action in ("paid", "show", "cancel")
    ]
    assert len(parlour.orders) == 1


def test_an_old_button_shows_the_newest_order_that_waits(parlour: Parlour, budi: Guest) -> None:
    for account in ("123456781", "123456782"):
        budi.walks_to_confirmation(account=account)
        budi.taps("Bayar")
        parlour.clock.advance(11 * SECOND)
    for old in [view for view in budi.views if view.choices]:
        view = budi.presses(old.choices[-1].data)
        assert view is not None
        assert parlour.orders[-1].id in view.title
        assert "123456782" in view.text


def test_an_old_button_never_shows_the_order_of_somebody_else(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    siti.walks_to_confirmation(account="777888999")
    siti.taps("Bayar")
    old = budi.says("/start")
    budi.says("/batal")
    view = budi.presses(old.choices[0].data)
    assert view is not None
    assert budi.step is StepId.GAME
    assert parlour.orders[0].id not in f"{view.title} {view.text}"


@pytest.mark.parametrize("state", [InvoiceState.DELIVERED, InvoiceState.EXPIRED])
def test_once_an_order_has_ended_an_old_button_begins_a_new_purchase(
    parlour: Parlour, budi: Guest, state: InvoiceState
) -> None:
    budi.walks_to_confirmation()
    pay = budi.button("Bayar")
    budi.presses(pay)
    parlour.show_qr(parlour.orders[0].id)
    parlour.hear(parlour.orders[0].id, state)
    view = budi.presses(pay)
    assert view is not None
    assert view.text.startswith(OLD)
    assert budi.step is StepId.GAME
    assert len(parlour.orders) == 1


def test_an_open_question_comes_before_an_order_that_waits(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    pay = budi.button("Bayar")
    budi.presses(pay)
    budi.walks_to_account("ml", "86")
    view = budi.presses(pay)
    assert view is not None
    assert view.text.startswith(OLD)
    assert budi.step is StepId.ACCOUNT


def test_what_one_device_changes_the_other_cannot_confirm(parlour: Parlour, budi: Guest) -> None:
    question = budi.walks_to_confirmation(account="123456789")
    pay = budi.button("Bayar", on=question)
    budi.taps("Ubah akun")
    budi.says("987654321")
    budi.presses(pay)
    assert parlour.orders == []
    assert "987654321" in budi.last.text
    budi.taps("Bayar")
    assert [order.user_id for order in parlour.orders] == ["987654321"]


# --- reading --------------------------------------------------------------------------------------


@unhurried
@given(text=st.text(max_size=400))
def test_any_text_is_understood_somehow(text: str) -> None:
    heard = read_text(text)
    match heard:
        case Typed(said):
            assert said == text.strip()
        case Command(name, args):
            assert name == name.lower()
            assert args == args.strip()


def test_a_conversation_that_lacks_a_question_is_never_built() -> None:
    with pytest.raises(ValueError, match="never written"):
        Conversation(face=FACE, texts=TEXTS, language="id", desk=OwnersDesk([]), steps=STEPS[:-1])
