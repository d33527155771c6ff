"""The one step with an effect: what is confirmed is what is ordered, once, at the price shown."""

from dataclasses import replace

import pytest

from bot.conversation.views import Draft, StepId, View
from shop import settling
from shop.catalogue import Game
from shop.orders import Order, Status
from shop.suppliers import InvoiceState
from shop.time import MINUTE, SECOND
from tests.bot.conversation.parlour import BACK, GAMES, SHELF, TEXTS, Guest, Parlour, whole

money = TEXTS["id"].money


def check_order(guest: Guest, order: Order, question: str) -> None:
    """What stands in the books is what stood on the screen (O8, O10)."""
    assert order.address == guest.address
    assert f"💎 {order.item}\n" in question
    assert f"💰 {money(order.price)}\n" in question
    titles = {server.code: server.title for game in GAMES for server in game.servers}
    server = titles.get(order.server, order.server)
    shown = f"{order.user_id} ({server})" if server else order.user_id
    assert f"👤 {shown}\n" in question
    assert order.target == f"{order.user_id}{order.server}"
    assert order.price >= order.cost >= order.listed


@pytest.mark.parametrize(
    ("game", "item", "account"),
    [
        ("ff", "70", "123456789"),
        ("ml", "86", "12345678 (2001)"),
        ("ml", "86", "00012345 0201"),
        ("valorant", "475", "Budi S#ID1"),
        ("genshin", "60", "712345678"),
    ],
)
def test_o8_o10_what_is_stored_is_what_was_shown(
    parlour: Parlour, budi: Guest, game: str, item: str, account: str
) -> None:
    question = budi.walks_to_confirmation(game, item, account)
    listed = budi.draft.price
    assert budi.taps("Bayar") is None  # the order speaks for itself
    (order,) = parlour.orders
    assert order.price == listed
    check_order(budi, order, question.text)
    parlour.post()
    budi.sees("🧾 Pesanan", order.id, order.item, money(order.price))


def test_the_price_of_the_list_is_the_price_of_the_confirmation(budi: Guest) -> None:
    budi.says("/start ml")
    budi.says("ml")
    hint = next(choice.hint for choice in budi.last.choices if choice.label == "86 Diamond")
    budi.says("86 diamond")
    assert f"💰 {hint}\n" in budi.says("12345678 (2001)").text


# --- a shelf that changes -------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [9_000, 10_001 + 900, 100_000])
def test_a_changed_price_asks_again(parlour: Parlour, budi: Guest, listed: int) -> None:
    budi.walks_to_confirmation()
    was = budi.draft.price
    parlour.stock({"free-fire": [("1", "70 Diamond", listed)]})
    view = budi.taps("Bayar")
    assert view is not None
    assert parlour.orders == []
    assert budi.step is StepId.CONFIRM
    assert f"{money(was)} → {money(budi.draft.price)}" in view.text
    budi.taps("Bayar")
    (order,) = parlour.orders
    assert order.price == budi_price(view.text)


def budi_price(question: str) -> int:
    line = next(line for line in question.splitlines() if line.startswith("💰"))
    return int("".join(filter(str.isdigit, line)))


def test_a_price_that_keeps_changing_keeps_asking(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    for number in range(5):
        parlour.stock({"free-fire": [("1", "70 Diamond", 20_000 + 1_000 * number)]})
        assert budi.taps("Bayar") is not None
    assert parlour.orders == []
    assert budi.taps("Bayar") is None


def test_a_price_that_is_the_same_in_the_end_is_not_asked_about(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation()
    parlour.stock({"free-fire": [("1", "70 Diamond", 30_000)]})
    parlour.stock(SHELF)
    assert budi.taps("Bayar") is None


def test_o10_an_item_that_was_renamed_at_the_same_price_asks_again(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.stock({"free-fire": [("1", "Kotak Merah", 10_000)]})
    budi.walks_to_confirmation(item="Kotak Merah")
    parlour.stock({"free-fire": [("1", "Kotak Biru", 10_000)]})
    view = budi.taps("Bayar")
    assert parlour.orders == []
    assert view is not None
    assert budi.step is StepId.CONFIRM
    assert "Kotak Merah → Kotak Biru" in view.text
    budi.taps("Bayar")
    (order,) = parlour.orders
    check_order(budi, order, view.text)


def test_o10_an_item_renamed_at_another_price_is_ordered_as_it_was_shown_last(
    parlour: Parlour, budi: Guest
) -> None:
    parlour.stock({"free-fire": [("1", "Kotak Merah", 10_000)]})
    budi.walks_to_confirmation(item="Kotak Merah")
    parlour.stock({"free-fire": [("1", "Kotak Biru", 8_000)]})
    view = budi.taps("Bayar")
    assert view is not None
    assert parlour.orders == []
    budi.taps("Bayar")
    (order,) = parlour.orders
    check_order(budi, order, view.text)


def test_o10_a_code_that_is_used_for_another_amount_is_another_item(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation()
    parlour.stock({"free-fire": [("1", "50 Diamond", 10_000)]})
    view = budi.taps("Bayar")
    assert view is not None
    assert view.text.startswith(TEXTS["id"]("item.gone"))
    assert (budi.step, parlour.orders) == (StepId.ITEM, [])


@pytest.mark.parametrize(
    "after", [("ff",), ("ff", "70 diamond"), ("ff", "70 diamond", "1234")], ids=len
)
def test_an_item_that_sells_out_between_two_steps_is_never_ordered(
    parlour: Parlour, budi: Guest, after: tuple[str, ...]
) -> None:
    budi.says("/start")
    for words in after:
        budi.says(words)
    parlour.stock({"free-fire": [("5", "140 Diamond", 19_900)]})
    for words in ("70 diamond", "123456789", "ya", "bayar"):
        budi.says(words)
        if budi.step is StepId.ITEM:
            break
    assert parlour.orders == []
    assert budi.step is StepId.ITEM
    assert "140 Diamond" in budi.labels


def test_an_item_that_sells_out_before_paying_leads_back_to_the_items(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation()
    parlour.stock({"free-fire": [("5", "140 Diamond", 19_900)]})
    view = budi.taps("Bayar")
    assert view is not None
    assert "baru saja habis" in view.text
    assert budi.labels == ["140 Diamond", BACK]
    budi.taps("140")
    assert budi.step is StepId.CONFIRM  # the account is kept
    assert "123456789" in budi.last.text


# --- an account is always whole -------------------------------------------------------------------


def test_after_going_back_another_item_keeps_the_account(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation("ml", "86", "12345678 (2001)")
    budi.taps("Kembali")
    budi.taps("172")
    assert budi.step is StepId.CONFIRM
    assert "12345678 (2001)" in budi.last.text
    assert "172 Diamond" in budi.last.text


def test_another_game_never_keeps_the_account(budi: Guest) -> None:
    budi.walks_to_confirmation("ml", "86", "12345678 (2001)")
    budi.taps("Kembali")
    budi.taps("Kembali")
    budi.taps("Free Fire")
    assert budi.draft == Draft(game="free-fire")


def test_o10_nothing_is_ordered_without_the_server_it_needs(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_account("ml", "86")
    budi.says("12345678")  # now the server is asked for
    budi.taps("Kembali")
    budi.taps("Kembali")
    budi.taps("172")
    assert budi.step is StepId.ACCOUNT
    budi.says("bayar")
    assert parlour.orders == []


def test_o10_a_stored_draft_that_lacks_the_server_is_asked_for_it(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation("ml", "86", "12345678 (2001)")
    half = replace(budi.session, draft=replace(budi.draft, server=""))
    parlour.sessions.of[budi.address] = half
    budi.taps("Bayar")
    assert parlour.orders == []
    assert budi.step is StepId.SERVER
    budi.says("2001")
    budi.taps("Bayar")
    assert [order.target for order in parlour.orders] == ["123456782001"]


def test_an_odd_id_that_was_not_confirmed_is_asked_about_again(budi: Guest) -> None:
    budi.walks_to_account()
    budi.says("1234")
    assert budi.step is StepId.CHECK
    budi.taps("Kembali")
    budi.taps("Kembali")
    assert budi.draft.user_id == ""
    budi.taps("140")
    assert budi.step is StepId.ACCOUNT
    budi.says("1234")
    assert budi.step is StepId.CHECK


@pytest.mark.parametrize("game", [game for game in GAMES if game.has_server], ids=lambda g: g.slug)
def test_a_game_with_servers_is_sold_only_where_its_target_can_be_written(
    parlour: Parlour, game: Game
) -> None:
    parlour.stock({game.slug: [("1", "Item", 1_000)]})
    assert parlour.room().games_on_sale()
    parlour.arrange(replace(parlour.rules, targets={}))
    assert parlour.room().games_on_sale() == []


# --- the same thing twice -------------------------------------------------------------------------


def test_the_same_item_for_the_same_account_shows_the_open_order_again(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    parlour.show_qr(parlour.orders[0].id)
    parlour.post()
    parlour.clock.advance(MINUTE)
    budi.walks_to_confirmation()
    view = budi.taps("Bayar")
    assert view is not None
    assert view.text == TEXTS["id"]("order.shown_again")
    parlour.post()
    assert len(parlour.orders) == 1
    assert sum(view.image is not None for view in budi.views) == 2


@pytest.mark.parametrize("opening", [False, True])
def test_the_same_again_before_there_is_a_qr_promises_it_and_shows_none(
    parlour: Parlour, budi: Guest, opening: bool
) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    if opening:
        order, now = parlour.orders[0], parlour.clock()
        settling.start_opening(parlour.books, order, now + MINUTE, now)
    budi.walks_to_confirmation()
    view = budi.taps("Bayar")
    assert view is not None
    assert view.text == TEXTS["id"]("order.shown_soon")
    parlour.post()
    assert len(parlour.orders) == 1
    assert all(view.image is None for view in budi.views)


def test_what_is_being_delivered_cannot_be_ordered_meanwhile(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    parlour.show_qr(parlour.orders[0].id)
    parlour.hear(parlour.orders[0].id, InvoiceState.SETTLED)
    parlour.clock.advance(MINUTE)
    budi.walks_to_confirmation()
    view = budi.taps("Bayar")
    assert view is not None
    assert "sedang diproses" in view.text
    assert budi.step is StepId.CONFIRM
    budi.taps("Ubah akun")
    budi.says("987654321")
    budi.taps("Bayar")
    assert len(parlour.orders) == 2


def test_somebody_elses_open_order_says_when_to_try_again(
    parlour: Parlour, budi: Guest, siti: Guest
) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    parlour.show_qr(parlour.orders[0].id)
    siti.walks_to_confirmation()
    view = siti.taps("Bayar")
    assert view is not None
    assert "12.15 WIB" in view.text
    assert parlour.orders[0].id not in whole(view)
    assert "web:budi" not in whole(view)
    assert len(parlour.orders) == 1


def test_a_second_order_within_ten_seconds_waits(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    budi.walks_to_confirmation("ml", "86", "12345678 2001")
    view = budi.taps("Bayar")
    assert view is not None
    assert "10 detik" in view.text
    parlour.clock.advance(10 * SECOND)
    assert budi.taps("Bayar") is None
    assert len(parlour.orders) == 2


def three_open_and_a_fourth_asked_for(parlour: Parlour, budi: Guest) -> View:
    for number in range(3):
        budi.walks_to_confirmation(account=f"12345678{number}")
        budi.taps("Bayar")
        parlour.show_qr(parlour.orders[-1].id)
        parlour.clock.advance(11 * SECOND)
    budi.walks_to_confirmation("ml", "86", "12345678 2001")
    view = budi.taps("Bayar")
    assert view is not None
    return view


def test_a_fourth_open_qr_waits_for_one_of_the_three(parlour: Parlour, budi: Guest) -> None:
    view = three_open_and_a_fourth_asked_for(parlour, budi)
    assert "3 QR" in view.text
    assert "12.15 WIB" in view.text
    parlour.deliver(parlour.orders[0].id)
    assert budi.taps("Bayar", on=budi.sees("3 QR")) is None
    assert len(parlour.orders) == 4


def test_a_cancelled_qr_that_can_still_be_paid_is_one_of_the_three(
    parlour: Parlour, budi: Guest
) -> None:
    three_open_and_a_fourth_asked_for(parlour, budi)
    budi.presses(f"o:{parlour.orders[0].id}:cancel")
    view = budi.taps("Bayar", on=budi.sees("3 QR"))
    assert view is not None
    assert "12.15 WIB" in view.text
    parlour.clock.advance(15 * MINUTE)
    assert budi.taps("Bayar", on=view) is None
    assert len(parlour.orders) == 4


def test_what_a_person_with_three_qrs_is_advised_to_do_helps(parlour: Parlour, budi: Guest) -> None:
    view = three_open_and_a_fourth_asked_for(parlour, budi)
    assert "batalkan" not in view.text


def test_a_declined_confirmation_can_be_pressed_again_and_again(
    parlour: Parlour, budi: Guest
) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    budi.walks_to_confirmation("ml", "86", "12345678 2001")
    for _ in range(5):
        assert budi.taps("Bayar") is not None
    assert len(parlour.orders) == 1


def test_changing_the_account_keeps_the_item(budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.taps("Ubah akun")
    assert budi.step is StepId.ACCOUNT
    assert "70 Diamond" in budi.last.title
    budi.says("987654321")
    assert "987654321" in budi.last.text
    assert "70 Diamond" in budi.last.text


def test_the_key_of_an_order_is_its_screen(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    screen = budi.session.screen
    budi.taps("Bayar")
    (order,) = parlour.orders
    assert order.key == f"web:budi:{screen}"
    assert order.status is Status.PLACED
    assert budi.session.screen > screen
