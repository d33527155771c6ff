"""Typing instead of tapping: names, nicknames, slips of the finger, numbers, whole accounts."""

import pytest

from bot.conversation import asking
from bot.conversation.views import StepId, What
from shop.catalogue import Ask, Unreadable
from tests.bot.conversation.finding_samples import CONFUSING, NIKKE
from tests.bot.conversation.form_samples import CHOSEN_FIRST
from tests.bot.conversation.parlour import BACK, TEXTS, Guest, Parlour, wide

# --- games ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "game"),
    [
        ("mobile legends", "mobile-legends"),
        ("Mobile Legends", "mobile-legends"),
        ("MOBILE LEGENDS!!", "mobile-legends"),
        ("mobil legend", "mobile-legends"),
        ("mobile lagends", "mobile-legends"),
        ("mobilelegends", "mobile-legends"),
        ("ml", "mobile-legends"),
        ("ML", "mobile-legends"),
        ("mlbb", "mobile-legends"),
        (wide("ml"), "mobile-legends"),
        ("  ml  ", "mobile-legends"),
        ("ff", "free-fire"),
        ("epep", "free-fire"),
        ("free fire", "free-fire"),
        ("freefire", "free-fire"),
        ("fre fire", "free-fire"),
        ("ff max", "free-fire-max"),
        ("ffmax", "free-fire-max"),
        ("free fire max", "free-fire-max"),
        ("Free Fire MAX", "free-fire-max"),
        ("valo", "valorant"),
        ("valoran", "valorant"),
        ("genshin", "genshin-impact"),
        ("gensin impact", "genshin-impact"),
        ("free-fire", "free-fire"),
    ],
)
def test_a_game_is_known_by_many_names(budi: Guest, typed: str, game: str) -> None:
    budi.says("/start")
    budi.says(typed)
    assert (budi.step, budi.draft.game) == (StepId.ITEM, game)


@pytest.mark.parametrize("typed", ["free", "f", "garena"])
def test_a_name_that_fits_several_games_offers_those(budi: Guest, typed: str) -> None:
    budi.says("/start")
    view = budi.says(typed)
    assert "mirip" in view.text
    assert set(budi.labels) == {"Free Fire", "Free Fire MAX"}
    budi.says("free fire max")
    assert budi.draft.game == "free-fire-max"


@pytest.mark.parametrize("typed", ["roblox", "xyz", "pubg", "honor of kings", "12", "0", "<"])
def test_an_unknown_or_absent_game_offers_all_there_are(budi: Guest, typed: str) -> None:
    budi.says("/start")
    budi.says(typed)
    assert budi.step is StepId.GAME
    assert {"Free Fire", "Mobile Legends", "Valorant"} <= set(budi.labels)


def test_after_several_were_offered_another_name_still_works(budi: Guest) -> None:
    budi.says("/start")
    budi.says("free")
    budi.says("ml")
    assert (budi.step, budi.draft.game, budi.draft.find) == (StepId.ITEM, "mobile-legends", "")


def test_an_unknown_name_after_several_offers_all_again(budi: Guest) -> None:
    budi.says("/start")
    budi.says("free")
    budi.says("roblox")
    assert "Mobile Legends" in budi.labels


@pytest.mark.parametrize("typed", ["2", wide("2"), "٢", "2.", " 2 "])
def test_a_game_is_chosen_by_its_place(budi: Guest, typed: str) -> None:
    second = budi.says("/start").choices[1].id
    budi.says(typed)
    assert (budi.step, budi.draft.game) == (StepId.ITEM, second)


def test_when_what_was_searched_for_is_gone_the_rest_is_offered(
    parlour: Parlour, budi: Guest
) -> None:
    budi.says("/start")
    budi.says("free")
    parlour.stock({"mobile-legends": [("45", "86 Diamond", 19_100)]})
    budi.shares(What.OTHER)
    assert budi.labels == ["Mobile Legends"]
    budi.says("1")
    assert budi.draft.game == "mobile-legends"


# --- items ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["2", wide("2"), "2.", "(2)", "۲", "70 diamond", "70 DIAMOND", "70-diamond"]
)
def test_an_item_is_chosen_by_place_or_name(budi: Guest, typed: str) -> None:
    budi.says("/start")
    budi.says("ff")
    assert budi.labels[1] == "70 Diamond"
    budi.says(typed)
    assert (budi.step, budi.draft.item) == (StepId.ACCOUNT, "70 Diamond")


@pytest.mark.parametrize("typed", ["0", "4", "99", "2 2", "1e0", "²²", "seventy", "diamond"])
def test_a_number_or_name_that_is_not_there_chooses_nothing(budi: Guest, typed: str) -> None:
    budi.says("/start")
    budi.says("ff")
    view = budi.says(typed)
    assert budi.step is StepId.ITEM
    assert "tidak ada di daftar" in view.text


def test_a_place_is_counted_on_the_page_that_is_shown(parlour: Parlour) -> None:
    parlour.stock({"free-fire": [(str(n), f"Item {chr(64 + n)}", 1000 * n) for n in range(1, 8)]})
    budi = parlour.guest("budi", limit=3)
    budi.says("/start free-fire")
    budi.taps("Berikutnya")
    assert budi.labels[:3] == ["Item D", "Item E", "Item F"]
    budi.says("2")
    assert budi.draft.item == "Item E"


def test_a_name_on_another_page_is_found_too(parlour: Parlour) -> None:
    parlour.stock({"free-fire": [(str(n), f"Item {chr(64 + n)}", 1000 * n) for n in range(1, 8)]})
    budi = parlour.guest("budi", limit=3)
    budi.says("/start free-fire")
    budi.says("item g")
    assert budi.draft.item == "Item G"


def test_a_typed_amount_means_the_item_of_that_amount(parlour: Parlour, budi: Guest) -> None:
    # "5" is what people call "5 Diamond"; the fifth item here costs forty times as much.
    items = [("2", "5 Diamond", 850), ("3", "12 Diamond", 1_750), ("4", "50 Diamond", 7_150),
             ("1", "70 Diamond", 10_000), ("6", "355 Diamond", 49_000)]  # fmt: skip
    parlour.stock({"free-fire": items})
    budi.says("/start free-fire")
    budi.says("5")
    assert budi.draft.item == "5 Diamond"


def test_an_amount_on_another_page_comes_before_a_place_on_this_one(parlour: Parlour) -> None:
    items = [(str(n), f"{amount} Diamond", 100 * amount) for n, amount in
             enumerate([50, 70, 140, 355, 720, 2], start=1)]  # fmt: skip
    parlour.stock({"free-fire": items})
    budi = parlour.guest("budi", limit=3)
    budi.says("/start free-fire")
    budi.taps("Berikutnya")
    assert "50 Diamond" not in budi.labels
    budi.says("50")
    assert budi.draft.item == "50 Diamond"


def test_an_amount_that_two_items_begin_with_is_a_place(parlour: Parlour, budi: Guest) -> None:
    items = [("1", "2 Diamond", 500), ("2", "2 Diamond + bonus", 700), ("3", "9 Diamond", 900)]
    parlour.stock({"free-fire": items})
    budi.says("/start free-fire")
    budi.says("2")
    assert budi.draft.item == "2 Diamond + bonus"


@pytest.mark.parametrize("typed", ["70 diamon", "70 dimond", "70 diamonds", "70  Diamnod!"])
def test_a_slip_of_the_finger_in_an_item_is_understood(budi: Guest, typed: str) -> None:
    budi.says("/start free-fire")
    budi.says(typed)
    assert (budi.step, budi.draft.item) == (StepId.ACCOUNT, "70 Diamond")


@pytest.mark.parametrize(
    "typed",
    ["71 diamond", "700 diamond", "7 diamond", "170 diamond", "7O diamond", "70 70 diamond",
     "14 diamond", "5 5 diamond", "70 diamond 2"],
)  # fmt: skip
def test_another_number_is_never_a_slip_of_the_finger(budi: Guest, typed: str) -> None:
    budi.says("/start free-fire")
    view = budi.says(typed)
    assert (budi.step, budi.draft.item) == (StepId.ITEM, "")
    assert "tidak ada di daftar" in view.text


def test_a_name_that_resembles_two_items_alike_chooses_neither(
    parlour: Parlour, budi: Guest
) -> None:
    items = [("1", "Paket Naga Biru", 10_000), ("2", "Paket Naga Baru", 90_000)]
    parlour.stock({"free-fire": items})
    budi.says("/start free-fire")
    budi.says("paket naga bru")
    assert (budi.step, budi.draft.item) == (StepId.ITEM, "")


# --- a game and an amount in one line -------------------------------------------------------------


@pytest.mark.parametrize("before", [(), ("/start",), ("/start", "ff"), ("/start valorant",)])
@pytest.mark.parametrize("typed", ["ml 86", "86 dm mlbb", "mobil legend 86"])
def test_an_item_is_found_by_typing_wherever_one_stands(
    budi: Guest, before: tuple[str, ...], typed: str
) -> None:
    for words in before:
        budi.says(words)
    view = budi.says(typed)
    assert (budi.step, budi.draft.game, budi.draft.item) == (
        StepId.ACCOUNT, "mobile-legends", "86 Diamond",
    )  # fmt: skip
    assert view.title == "Mobile Legends · 86 Diamond"
    budi.says("12345678 (2001)")
    assert budi.step is StepId.CONFIRM


def test_a_found_item_is_bought_like_any_other(parlour: Parlour, budi: Guest) -> None:
    budi.says("ml 86")
    budi.says("12345678 (2001)")
    budi.taps("Bayar")
    (order,) = parlour.orders
    assert (order.game, order.item, order.user_id) == ("mobile-legends", "86 Diamond", "12345678")


@pytest.mark.parametrize(
    ("item", "typed"),
    [
        ("ml 86", "ff 70"),  # where user ID and server are asked
        ("valorant 475", "ff 70 diamond"),  # where a Riot ID is
        ("genshin 60", "ff 70"),
    ],
)
def test_a_game_and_an_amount_are_no_account(budi: Guest, item: str, typed: str) -> None:
    budi.says(item)
    assert budi.step is StepId.ACCOUNT
    budi.says(typed)
    assert (budi.step, budi.draft.game, budi.draft.user_id) == (StepId.ACCOUNT, "free-fire", "")


@pytest.mark.parametrize("typed", ["ff70#ID1", "ml 86#ID1", "ff 70#MAX"])
def test_a_riot_id_stays_an_account_whatever_it_says(budi: Guest, typed: str) -> None:
    budi.says("valorant 475")
    budi.says(typed)
    assert (budi.step, budi.draft.user_id) == (StepId.CONFIRM, typed)


@pytest.mark.parametrize("typed", ["ff70", "ML86", "mlbb.86", "70"])
def test_an_account_of_letters_and_digits_stays_one(
    parlour: Parlour, budi: Guest, typed: str
) -> None:
    parlour.stock({**CONFUSING, NIKKE: [("401", "60 Gems", 14_000)]})
    budi.says("goddess of victory nikke 60")
    assert budi.step is StepId.ACCOUNT
    budi.says(typed)
    assert budi.draft.game == NIKKE
    assert budi.draft.user_id == typed


def test_a_game_and_an_amount_answer_no_field_of_a_form(parlour: Parlour, budi: Guest) -> None:
    parlour.stock(
        {
            "free-fire": [("1", "70 Diamond", 10_000, *CHOSEN_FIRST)],
            "mobile-legends": [("45", "86 Diamond", 19_100)],
        }
    )
    budi.says("ff 70")
    assert budi.step is StepId.FIELD
    budi.says("ml 86")
    assert (budi.step, budi.draft.game) == (StepId.ACCOUNT, "mobile-legends")


def test_another_amount_for_the_same_account_is_confirmed_at_once(budi: Guest) -> None:
    budi.says("ml 86")
    budi.says("12345678 (2001)")
    view = budi.says("ml 172")
    assert (budi.step, budi.draft.item) == (StepId.CONFIRM, "172 Diamond")
    assert "12345678 (2001)" in view.text


def test_another_games_item_asks_whose_account_it_is(budi: Guest) -> None:
    budi.says("ml 86")
    budi.says("12345678 (2001)")
    budi.says("ff 70")
    assert (budi.step, budi.draft.user_id, budi.draft.server) == (StepId.ACCOUNT, "", "")


def test_an_amount_alone_while_one_is_confirmed_changes_nothing(budi: Guest) -> None:
    budi.says("ml 86")
    budi.says("12345678 (2001)")
    budi.says("172")
    assert (budi.step, budi.draft.item) == (StepId.CONFIRM, "86 Diamond")


def ask_for_two(parlour: Parlour) -> list[str]:
    """The labels where so few are offered that they stand on buttons, and in no list."""
    siti = parlour.guest("siti")
    siti.says("70 diamond")
    assert len(siti.labels) == 3
    return siti.labels


def test_an_amount_of_several_games_is_asked_about(parlour: Parlour, budi: Guest) -> None:
    parlour.stock(CONFUSING)
    view = budi.says("86")
    assert budi.step is StepId.GAME
    assert "Yang mana?" in view.text
    by_label = {choice.label: choice.hint for choice in view.choices}
    assert by_label["86 Diamond"].startswith(("Mobile Legends", "Magic Chess"))
    assert all(len(label) <= 24 for label in by_label)
    assert all(len(label) <= 20 for label in ask_for_two(parlour))
    hints = [choice.hint for choice in view.choices if choice.label.startswith("86")]
    assert min(hints).startswith("Magic Chess: Go Go · Rp")
    assert len(set(hints)) == 3
    brazil = next(choice for choice in view.choices if "Brazil" in choice.hint)
    budi.presses(brazil.data)
    assert (budi.step, budi.draft.game) == (StepId.ACCOUNT, "mobile-legends-brazil")


@pytest.mark.parametrize("typed", ["70 diamond", "70"])
def test_a_name_that_two_choices_have_chooses_neither(budi: Guest, typed: str) -> None:
    budi.says("70")
    shown = budi.labels
    budi.says(typed)
    assert (budi.step, budi.labels) == (StepId.GAME, shown)
    budi.says("2")
    assert (budi.step, budi.draft.game) == (StepId.ACCOUNT, "free-fire-max")


def test_after_a_search_all_games_can_be_seen_again(budi: Guest) -> None:
    budi.says("70")
    budi.taps("Semua game")
    assert (budi.step, budi.draft.find) == (StepId.GAME, "")
    assert "Mobile Legends" in budi.labels


def test_an_amount_that_nobody_has_offers_what_is_near_and_takes_none_of_it(budi: Guest) -> None:
    view = budi.says("ml 85")
    assert (budi.step, budi.draft.game, budi.draft.good) == (StepId.ITEM, "mobile-legends", "")
    assert "tidak ada di daftar" in view.text
    assert budi.labels == ["86 Diamond", "Semua item", BACK]
    budi.taps("Semua item")
    assert budi.labels == ["86 Diamond", "172 Diamond", BACK]


def test_back_from_a_search_leads_to_all_there_is(budi: Guest) -> None:
    budi.says("ml 85")
    budi.taps(BACK)
    assert (budi.step, budi.draft.find) == (StepId.GAME, "")
    assert {"Free Fire", "Mobile Legends", "Valorant"} <= set(budi.labels)


def test_a_search_in_a_list_of_many_pages_begins_at_the_first(parlour: Parlour) -> None:
    items = [(str(n), f"{n} Diamond", 1_000 * n) for n in range(40, 80)]
    parlour.stock({"free-fire": items})
    budi = parlour.guest("budi", limit=3)
    budi.says("/start free-fire")
    budi.taps("Berikutnya")
    budi.taps("Berikutnya")
    budi.says("81 diamond")
    assert budi.labels[0] == "79 Diamond"


def test_an_item_that_is_sold_out_is_named_and_others_are_offered(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.books.shelf.withhold("zultopup", "45")
    view = budi.says("ml 86")
    assert (budi.step, budi.draft.good) == (StepId.ITEM, "")
    assert "86 Diamond sedang habis" in view.text
    assert budi.labels == ["172 Diamond", "Semua item", BACK]
    budi.taps("172")
    assert (budi.step, budi.draft.item) == (StepId.ACCOUNT, "172 Diamond")


def test_a_pass_that_is_sold_out_is_named_too(parlour: Parlour, budi: Guest) -> None:
    parlour.stock(CONFUSING)
    parlour.books.shelf.withhold("zultopup", "52")
    view = budi.says("twilight pass")
    assert "Twilight Pass sedang habis" in view.text
    assert "Weekly Diamond Pass" in budi.labels


def test_a_game_that_is_sold_out_is_named_and_others_are_offered(budi: Guest) -> None:
    view = budi.says("pubg 60")
    assert "PUBG Mobile sedang kosong" in view.text
    assert "Mobile Legends" in budi.labels


def test_a_game_that_is_sold_out_is_named_where_an_item_of_another_is_asked(budi: Guest) -> None:
    budi.says("/start free-fire")
    view = budi.says("pubg 60")
    assert "PUBG Mobile sedang kosong" in view.text
    assert (budi.step, budi.draft.game) == (StepId.ITEM, "free-fire")


def test_a_unit_alone_offers_the_games_that_have_it(budi: Guest) -> None:
    budi.says("diamond")
    assert set(budi.labels) == {"Free Fire", "Free Fire MAX", "Mobile Legends", "Semua game"}


def test_another_games_name_while_an_item_is_asked_leads_there(budi: Guest) -> None:
    budi.says("/start ff")
    budi.says("ff")
    budi.says("valorant")
    assert (budi.step, budi.draft.game) == (StepId.ITEM, "valorant")


@pytest.mark.parametrize("language", ["id", "en"])
def test_what_was_found_is_said_in_the_persons_language(
    parlour: Parlour, budi: Guest, language: str
) -> None:
    texts = TEXTS[language]
    budi.says(f"/bahasa {language}")
    assert texts("item.near") in budi.says("ml 85").text
    assert texts("button.all_items") in budi.labels
    budi.says("/start")
    assert texts("game.which") in budi.says("70").text
    assert texts("button.all_games") in budi.labels
    parlour.books.shelf.withhold("zultopup", "45")
    assert texts("item.sold_out", item="86 Diamond") in budi.says("ml 86").text


# --- accounts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "12345678 (2001)",
        "12345678(2001)",
        "12345678 2001",
        "12345678/2001",
        "12345678-2001",
        "12345678, 2001",
        "12345678|2001",
        "ID: 12345678 Server: 2001",
        "user id 12345678 zone 2001",
        "id=12345678 zona=2001",
        "12345678\n2001",
        wide("12345678 (2001)"),
        "\u202a12345678\u202c (2001)",
        "12345678\u200b (2001)",
        "١٢٣٤٥٦٧٨ ٢٠٠١",
    ],
)
def test_an_account_with_a_server_is_read_as_people_write_it(budi: Guest, typed: str) -> None:
    budi.walks_to_account("ml", "86")
    budi.says(typed)
    assert budi.step is StepId.CONFIRM
    assert (budi.draft.user_id, budi.draft.server) == ("12345678", "2001")
    assert "12345678 (2001)" in budi.last.text


def test_a_missing_server_is_asked_for(budi: Guest) -> None:
    budi.walks_to_account("ml", "86")
    view = budi.says("12345678")
    assert budi.step is StepId.SERVER
    assert "12345678" in view.text
    budi.says("2001")
    assert "12345678 (2001)" in budi.last.text


@pytest.mark.parametrize("typed", ["12345678 (2001)", "ID 87654321 server 3002"])
def test_where_a_server_is_asked_a_whole_account_is_understood(budi: Guest, typed: str) -> None:
    budi.walks_to_account("ml", "86")
    budi.says("11111111")
    budi.says(typed)
    assert budi.step is StepId.CONFIRM
    assert "11111111" not in budi.last.text


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("abc", "angka"),
        ("12345678a", "angka"),
        ("", "Belum ada"),
        ("()", "Belum ada"),
        ("id server", "Belum ada"),
        ("1 2 3", "lebih banyak"),
        ("123456782001", ""),  # twelve digits: an ID without a server
        ("1234567820011", "tersambung"),
        ("9" * 30, "terlalu panjang"),
        ("12345678 20012001200", "terlalu panjang"),
    ],
)
def test_what_is_no_account_is_asked_again_with_a_hint(budi: Guest, typed: str, hint: str) -> None:
    budi.walks_to_account("ml", "86")
    view = budi.says(typed)
    assert hint in view.text
    assert budi.step is not StepId.CONFIRM
    budi.says("/start")
    budi.says("ml")
    budi.says("86 diamond")
    budi.says("12345678 (2001)")
    assert budi.step is StepId.CONFIRM


@pytest.mark.parametrize("typed", ["1234", "123456789012345"])
def test_an_odd_length_is_asked_about_and_never_refused(budi: Guest, typed: str) -> None:
    budi.walks_to_account()
    view = budi.says(typed)
    assert budi.step is StepId.CHECK
    assert typed in view.text
    assert str(len(typed)) in view.text
    budi.taps("Ya")
    assert budi.step is StepId.CONFIRM
    assert typed in budi.last.text


def test_an_odd_account_can_be_changed(budi: Guest) -> None:
    budi.walks_to_account()
    budi.says("1234")
    budi.taps("Ubah")
    assert budi.step is StepId.ACCOUNT
    budi.says("123456789")
    assert budi.step is StepId.CONFIRM


def test_a_doubted_account_can_be_typed_anew(budi: Guest) -> None:
    budi.walks_to_account()
    budi.says("1234")
    budi.says("123456789")
    assert budi.step is StepId.CONFIRM
    assert "123456789" in budi.last.text


def test_leading_zeros_are_kept(budi: Guest) -> None:
    budi.walks_to_account()
    budi.says("001234567")
    assert budi.draft.user_id == "001234567"


@pytest.mark.parametrize("typed", ["ya, sudah benar", "Ya sudah benar"])
def test_yes_may_be_typed_in_full(budi: Guest, typed: str) -> None:
    budi.walks_to_account()
    budi.says("1234")
    budi.says(typed)
    assert budi.step is StepId.CONFIRM


@pytest.mark.parametrize("typed", ["ya", "Iya!", "benar", "y", "ok", "1", "1.", wide("1")])
def test_yes_may_be_typed_in_short(budi: Guest, typed: str) -> None:
    budi.walks_to_account()
    budi.says("1234")
    budi.says(typed)
    assert (budi.step, budi.draft.user_id) == (StepId.CONFIRM, "1234")


@pytest.mark.parametrize("typed", ["2", "2.", "ubah id", "Ubah ID"])
def test_no_may_be_typed_too(budi: Guest, typed: str) -> None:
    budi.walks_to_account()
    budi.says("1234")
    budi.says(typed)
    assert (budi.step, budi.draft.user_id) == (StepId.ACCOUNT, "")


@pytest.mark.parametrize("typed", ["belum benar", "tidak", "bukan", "salah", "ga", "nggak",
                                   "belum sudah"])  # fmt: skip
def test_a_no_never_confirms_an_odd_account(budi: Guest, typed: str) -> None:
    check_not_confirmed(budi, typed)


@pytest.mark.parametrize("typed", ["ga sudah benar", "ya tidak benar", "ya salah benar"])
def test_a_no_that_looks_like_a_yes_never_confirms_an_odd_account(budi: Guest, typed: str) -> None:
    check_not_confirmed(budi, typed)


def check_not_confirmed(budi: Guest, typed: str) -> None:
    budi.walks_to_account()
    budi.says("1234")
    budi.says(typed)
    assert budi.step in {StepId.CHECK, StepId.ACCOUNT}


@pytest.mark.parametrize("typed", ["No, it is right", "Yes, it is not right"])
def test_a_no_in_english_never_confirms_an_odd_account(budi: Guest, typed: str) -> None:
    budi.says("/bahasa en")
    check_not_confirmed(budi, typed)


def test_a_riot_id_is_read_with_its_tag(budi: Guest) -> None:
    budi.walks_to_account("valorant", "475")
    assert "Nama#Tag" in budi.says("Budi Santoso").text
    budi.says("Budi Santoso # ID1")
    assert budi.step is StepId.CONFIRM
    assert budi.draft.user_id == "Budi Santoso#ID1"


def test_a_server_that_follows_from_the_id_is_not_asked_for(budi: Guest) -> None:
    budi.walks_to_account("genshin", "60")
    budi.says("812345678")
    assert budi.step is StepId.CONFIRM
    assert "812345678 (Asia)" in budi.last.text


@pytest.mark.parametrize("typed", ["2", "america", "America", "os_usa", "OS-USA"])
def test_a_server_of_a_few_is_chosen_by_place_name_or_code(budi: Guest, typed: str) -> None:
    budi.walks_to_account("genshin", "60")
    budi.says("512345678")
    assert budi.step is StepId.SERVER
    assert budi.labels[:4] == ["Asia", "America", "Europe", "TW, HK, MO"]
    budi.says(typed)
    assert budi.draft.server == "os_usa"
    assert "(America)" in budi.last.text


@pytest.mark.parametrize("typed", ["0", "5", "mars", "", "asiaa x"])
def test_a_server_that_does_not_exist_is_asked_for_again(budi: Guest, typed: str) -> None:
    budi.walks_to_account("genshin", "60")
    budi.says("512345678")
    budi.says(typed)
    assert budi.step is StepId.SERVER


def test_an_id_with_the_name_of_its_server_is_understood(budi: Guest) -> None:
    budi.walks_to_account("genshin", "60")
    budi.says("512345678 Asia")
    assert (budi.draft.user_id, budi.draft.server) == ("512345678", "os_asia")


# --- saved accounts -------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["1", "2"])
def test_a_saved_account_is_not_chosen_by_its_place(
    parlour: Parlour, budi: Guest, place: str
) -> None:
    for account in ("123456781", "123456782"):
        parlour.bought(budi, account)
    budi.walks_to_account()
    budi.says(place)
    assert budi.draft.user_id == place


def test_a_saved_account_is_not_chosen_by_a_slip_of_the_finger(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.bought(budi, "Budi Santoso#ID1", "valorant", "475")
    budi.walks_to_account("valorant", "475")
    budi.says("Budi Santosa#ID1")
    assert budi.draft.user_id == "Budi Santosa#ID1"


def test_an_earlier_purchase_is_not_chosen_by_its_name(parlour: Parlour, budi: Guest) -> None:
    bought = parlour.bought(budi, "123456789")
    label = budi.says("/start").choices[0].label
    assert budi.last.choices[0].id == f"@{bought.id}"
    for typed in (label, f"@{bought.id}", f"@@{bought.id}", bought.item):
        budi.says(typed)
        assert (budi.step, budi.draft.user_id) == (StepId.GAME, "")


def test_a_saved_account_may_be_tapped_or_typed(parlour: Parlour, budi: Guest) -> None:
    parlour.bought(budi, "12345678 (2001)", "ml", "86")
    budi.walks_to_account("ml", "172")
    assert budi.labels[0] == "12345678 (2001)"
    budi.taps("12345678")
    assert (budi.draft.user_id, budi.draft.server) == ("12345678", "2001")
    budi.walks_to_account("ml", "172")
    budi.says("12345678 2001")
    assert (budi.draft.user_id, budi.draft.server) == ("12345678", "2001")


def test_a_typed_number_is_an_account_where_saved_accounts_are_offered(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.bought(budi, "123456789")
    budi.walks_to_account()
    budi.says("1")
    assert (budi.step, budi.draft.user_id) == (StepId.CHECK, "1")


def test_a_typed_account_is_never_taken_for_a_saved_one_that_only_looks_alike(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.bought(budi, "ぶでぃ#ID1", "valorant", "475")
    budi.walks_to_account("valorant", "475")
    budi.says("しろう#ID1")
    assert budi.draft.user_id == "しろう#ID1"


def test_a_typed_account_is_never_taken_for_one_with_other_signs(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.bought(budi, "Budi.S#ID1", "valorant", "475")
    budi.walks_to_account("valorant", "475")
    budi.says("Budi-S#ID1")
    assert budi.draft.user_id == "Budi-S#ID1"


def test_an_account_of_another_game_is_not_offered(parlour: Parlour, budi: Guest) -> None:
    parlour.bought(budi, "12345678 (2001)", "ml", "86")
    budi.walks_to_account("ff", "70")
    assert budi.labels == [BACK]


def test_an_account_of_another_game_is_not_taken_either(parlour: Parlour, budi: Guest) -> None:
    parlour.bought(budi, "123456789")
    [saved] = parlour.books.accounts.of(budi.address)
    budi.walks_to_account("ml", "86")
    view = budi.presses(f"s:{budi.session.screen}:@{saved.id}")
    assert view is not None
    assert (budi.step, budi.draft.user_id) == (StepId.ACCOUNT, "")


def test_five_accounts_are_saved_the_newest_first(parlour: Parlour, budi: Guest) -> None:
    for number in range(7):
        parlour.bought(budi, f"12345678{number}")
    parlour.bought(budi, "123456783")
    budi.walks_to_account()
    assert budi.labels == ["123456783", "123456786", "123456785", "123456784", "123456782",
                           BACK]  # fmt: skip


def test_nobody_is_offered_the_account_of_somebody_else(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    bought = parlour.bought(budi, "123456789")
    [saved] = parlour.books.accounts.of(budi.address)
    siti.walks_to_account()
    assert siti.labels == [BACK]
    for view in (siti.says(f"@{saved.id}"), siti.presses(f"s:{siti.session.screen}:@{saved.id}")):
        assert view is not None
        assert (siti.step, siti.draft.user_id) == (StepId.ACCOUNT, "")
        assert bought.user_id not in view.text.replace("Contoh: 123456789", "")
    assert "sudah tidak tersimpan" in siti.last.text


def test_every_way_to_ask_for_an_account_or_to_get_it_wrong_has_its_words() -> None:
    assert set(asking._ASK_ACCOUNT) == set(Ask)
    assert set(asking._WRONG_ACCOUNT) == set(Unreadable)


# --- confirming -----------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["bayar", "Bayar", "✅ Bayar", "1", "bayarr", "bayr"])
def test_paying_may_be_typed(parlour: Parlour, budi: Guest, typed: str) -> None:
    budi.walks_to_confirmation()
    budi.says(typed)
    assert len(parlour.orders) == 1


@pytest.mark.parametrize(
    "typed",
    ["ok", "ya", "account", "70", "3", "0", "bayar dong", "ga bayar", "gak bayar", "jangan bayar",
     "belum bayar", "tidak bayar", "batal bayar", "sudah bayar"],
)  # fmt: skip
def test_nothing_else_confirms(parlour: Parlour, budi: Guest, typed: str) -> None:
    budi.walks_to_confirmation()
    budi.says(typed)
    assert parlour.orders == []


@pytest.mark.parametrize("typed", ["g bayar", "x bayar"])
def test_a_no_that_looks_like_the_button_orders_nothing(
    parlour: Parlour, budi: Guest, typed: str
) -> None:
    budi.walks_to_confirmation()
    budi.says(typed)
    assert parlour.orders == []


@pytest.mark.parametrize("typed", ["kembali", "Kembali", BACK, "kembal", "kembalii"])
@pytest.mark.parametrize(
    ("standing", "before"),
    [
        ((), StepId.GAME),
        (("70 diamond",), StepId.ITEM),
        (("70 diamond", "1234"), StepId.ACCOUNT),
        (("70 diamond", "123456789"), StepId.ITEM),
    ],
)
def test_back_may_be_typed(
    budi: Guest, typed: str, standing: tuple[str, ...], before: StepId
) -> None:
    for words in ("/start free-fire", *standing):
        budi.says(words)
    budi.says(typed)
    assert budi.step is before


@pytest.mark.parametrize("typed", ["しろう#BACK", "しろう#Next"])
def test_a_riot_id_is_never_taken_for_a_button(budi: Guest, typed: str) -> None:
    budi.says("/bahasa en")
    budi.walks_to_account("valorant", "475")
    budi.says(typed)
    assert (budi.step, budi.draft.user_id) == (StepId.CONFIRM, typed)


def test_a_page_may_be_turned_by_typing_may_be_typed(parlour: Parlour) -> None:
    parlour.stock({"free-fire": [(str(n), f"Item {chr(64 + n)}", 1000 * n) for n in range(1, 8)]})
    budi = parlour.guest("budi", limit=3)
    budi.says("/start free-fire")
    onward, back = TEXTS["id"]("button.next"), TEXTS["id"]("button.previous")
    for typed, shown in (("berikutnya", "Item D"), (onward, "Item G"), ("berikutnya", "Item G"),
                         ("sebelumnya", "Item D"), (back, "Item A")):  # fmt: skip
        budi.says(typed)
        assert (budi.step, budi.labels[0]) == (StepId.ITEM, shown)
