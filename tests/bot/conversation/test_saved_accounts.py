"""The accounts a customer has used: offered first, listed by `/akun`, taken off and had back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import accounts
from bot.conversation.views import MOST_DATA_BYTES, StepId, View
from shop.orders import Order
from shop.players import MOST_SAVED, Found, SavedAccount, Whose
from shop.time import HOUR, MINUTE, SECOND
from tests.bot.conversation.parlour import NOON, TEXTS, Guest, Parlour, unhurried, whole
from tests.bot.conversation.test_foreign_text import HOSTILE, hidden

SAY = TEXTS["id"]
ML = ("mobile legends", "86")
FORGET, UNDO = SAY("button.forget", account=""), SAY("button.undo")


def places(
    parlour: Parlour, guest: Guest, account: str = "123456789", *of: str, nickname: str = ""
) -> Order:
    """Place an order; its QR is hidden again, so that many may be placed."""
    parlour.clock.advance(11 * SECOND)
    guest.walks_to_confirmation(*(of or ("Free Fire", "70")), account)
    guest.taps("Bayar")
    order = parlour.orders[-1]
    parlour.show_qr(order.id, expires_at=parlour.clock() + SECOND)
    parlour.clock.advance(5 * MINUTE)
    if nickname:
        named = SavedAccount(
            game=order.game, user_id=order.user_id, server=order.server,
            used_at=order.created_at, nickname=nickname,
        )  # fmt: skip
        parlour.books.accounts.name(guest.address, named)
    return parlour.order(order.id)


def forgets(guest: Guest, label: str) -> View:
    guest.says("/akun")
    guest.taps(f"{FORGET}{label}")
    return guest.last


def kept(parlour: Parlour, guest: Guest) -> list[str]:
    return [account.user_id for account in parlour.books.accounts.of(guest.address)]


# --- offered at the question whose account it is for ----------------------------------------------


def test_accounts_that_were_used_are_offered_first_the_latest_on_top(
    parlour: Parlour, budi: Guest
) -> None:
    for account in ("111111111", "222222222"):
        places(parlour, budi, account)
    budi.walks_to_account()
    assert budi.labels[:2] == ["222222222", "111111111"]
    budi.taps("111111111")
    assert budi.step is StepId.CONFIRM
    assert "👤 111111111" in budi.last.text


def test_an_account_is_offered_by_nickname_and_number(parlour: Parlour, budi: Guest) -> None:
    places(parlour, budi, "12345678 (2001)", *ML, nickname="Whyy")
    budi.walks_to_account(*ML)
    assert budi.labels[0] == "Whyy · 12345678"  # there are three choices at the most
    assert budi.last.choices[0].hint == "12345678 (2001)"
    budi.taps("Whyy")
    assert "👤 12345678 (2001)" in budi.last.text


def test_accounts_of_one_game_are_not_offered_in_another(parlour: Parlour, budi: Guest) -> None:
    places(parlour, budi)
    budi.walks_to_account("free fire max", "70")
    assert budi.labels == [SAY("button.back")]


def test_an_account_is_offered_before_its_order_has_arrived(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    budi.walks_to_account()
    assert budi.labels[0] == "123456789"


def test_five_accounts_of_a_game_are_offered_at_most(parlour: Parlour, budi: Guest) -> None:
    for nth in range(MOST_SAVED + 2):
        places(parlour, budi, f"12345678{nth}")
    budi.walks_to_account()
    assert budi.labels[:-1] == [f"12345678{nth}" for nth in (6, 5, 4, 3, 2)]


def test_a_button_for_an_account_that_was_taken_off_asks_again(
    parlour: Parlour, budi: Guest
) -> None:
    places(parlour, budi)
    budi.walks_to_account()
    button = budi.button("123456789")
    saved = parlour.books.accounts.of(budi.address)[0]
    parlour.books.accounts.forget(budi.address, saved)
    budi.presses(button)
    assert budi.step is StepId.ACCOUNT
    assert budi.last.text.startswith(SAY("account.forgotten"))


# --- what stands on buttons -----------------------------------------------------------------------

_IDS = (
    st.sampled_from(("12345678", "123456789012", "123456789012345678901234"))
    | st.from_regex(r"\A[0-9]{5,25}\Z")
    | st.from_regex(r"\A[A-Za-z0-9._-]{3,25}\Z")
)
_ACCOUNTS = st.lists(
    st.builds(
        SavedAccount,
        game=st.just("mobile-legends"),
        user_id=_IDS,
        server=st.sampled_from(("", "2001", "12729", "os_asia", "1234567890")),
        used_at=st.just(NOON),
        nickname=st.sampled_from(("", "Whyy", "•CUMAN BISA MM•", "שלום", "W" * 30, "王者王者王者")),
    ),
    max_size=MOST_SAVED,
    unique_by=lambda account: (account.user_id, account.server),
)


@unhurried
@given(saved=_ACCOUNTS, most=st.sampled_from((18, 20, 22, 24)))
def test_labels_fit_and_no_two_say_the_same(saved: list[SavedAccount], most: int) -> None:
    parlour = Parlour()
    try:
        room = parlour.room()
        found = accounts.labels(room, saved, most)
        names = [label for label, _ in found]
        assert len(set(names)) == len(names) == len(saved)
        for account, (label, hint) in zip(saved, found, strict=True):
            account_written = room.account(account)
            assert 0 < len(label) <= most
            assert account_written in f"{label} {hint}"
    finally:
        parlour.close()


@pytest.mark.parametrize(
    ("user_id", "server", "nickname", "label"),
    [
        ("12345678", "2001", "Whyy", "Whyy · 12345678 (2001)"),
        ("12345678", "2001", "", "12345678 (2001)"),
        ("938572270", "12729", "•CUMAN BISA MM•", "•CU… · 938572270 (12729)"),
        ("123456789012", "12345", "Mas Budi 77", "Mas Budi… · 123456789012"),
        ("1234567890123456789012345", "", "Whyy", "Whyy · …012345"),
        ("1234567890123456789012345", "", "", "…012345"),
    ],
)
def test_a_label_says_as_much_as_there_is_room_for(
    parlour: Parlour, user_id: str, server: str, nickname: str, label: str
) -> None:
    account = SavedAccount(
        game="mobile-legends", user_id=user_id, server=server, nickname=nickname, used_at=NOON
    )
    [(found, _)] = accounts.labels(parlour.room(), [account])
    assert found == label


def test_accounts_that_look_alike_are_told_apart_all_the_same(parlour: Parlour) -> None:
    alike = [
        SavedAccount(
            game="mobile-legends", user_id=user_id, server=server, nickname=name, used_at=NOON
        )
        for user_id in ("1234567890123456789012345", "9999567890123456789012345")
        for server, name in (("2001", "Whyy"), ("2002", "Whyy"), ("2003", ""), ("2004", ""))
    ]
    found = accounts.labels(parlour.room(), alike)
    assert len({label for label, _ in found}) == len(alike)
    assert all(0 < len(label) <= accounts.MOST_LABEL for label, _ in found)


def test_a_name_written_from_right_to_left_is_left_out_beside_digits(parlour: Parlour) -> None:
    account = SavedAccount(
        game="mobile-legends", user_id="12345678", server="2001", nickname="שלום", used_at=NOON
    )
    assert accounts.labels(parlour.room(), [account]) == [("12345678 (2001)", "")]


# --- /akun ----------------------------------------------------------------------------------------


def test_accounts_are_listed_game_by_game_with_a_button_each(parlour: Parlour, budi: Guest) -> None:
    places(parlour, budi, "111111111")
    places(parlour, budi, "12345678 (2001)", *ML, nickname="Whyy")
    places(parlour, budi, "222222222")
    view = budi.says("/akun")
    assert view.title == SAY("accounts.title")
    assert view.text.splitlines() == [
        SAY("accounts.list"),
        "",
        "Free Fire",
        "• 222222222",
        "• 111111111",
        "Mobile Legends",
        "• 12345678 (2001)",
        "Whyy",
    ]
    assert budi.labels == [
        "🗑 222222222",
        "🗑 111111111",
        "🗑 Whyy · 12345678",
    ]


@pytest.mark.parametrize("said", ["/akun", "/accounts", "akun", "Accounts"])
def test_the_list_is_there_for_whoever_asks_in_either_language(
    parlour: Parlour, budi: Guest, said: str
) -> None:
    assert budi.says(said).text == SAY("accounts.empty")
    places(parlour, budi)
    assert "123456789" in budi.says(said).text


def test_many_accounts_are_listed_page_by_page(parlour: Parlour, budi: Guest) -> None:
    for nth in range(MOST_SAVED):
        places(parlour, budi, f"12345678{nth}")
        places(parlour, budi, f"98765432{nth} (2001)", *ML)
    budi.says("/akun")
    first = whole(budi.last)
    budi.taps(SAY("button.next"))
    second = whole(budi.last)
    assert len(budi.labels) == accounts.SHOWN + 1
    shown = {user_id for user_id in kept(parlour, budi) if user_id in first}
    assert {user_id for user_id in kept(parlour, budi) if user_id in second}.isdisjoint(shown)
    budi.taps(SAY("button.previous"))
    assert whole(budi.last) == first
    for page in ("0", "9", "-1", "1e1"):
        assert whole(budi.says(f"/akun {page}")) == first


@pytest.mark.parametrize("args", ["0", "-1", "99999", "x", "hapus", "hapus:", "urung", "urung::9"])
def test_made_up_words_show_the_list_and_change_nothing(
    parlour: Parlour, budi: Guest, args: str
) -> None:
    places(parlour, budi)
    assert "123456789" in budi.says(f"/akun {args}").text
    assert kept(parlour, budi) == ["123456789"]


def test_an_account_is_taken_off_at_once_without_a_question(parlour: Parlour, budi: Guest) -> None:
    for account in ("111111111", "222222222"):
        places(parlour, budi, account)
    view = forgets(budi, "111111111")
    assert view.text.startswith(SAY("accounts.removed", account="111111111"))
    assert kept(parlour, budi) == ["222222222"]
    assert budi.labels == ["🗑 222222222", UNDO]
    budi.walks_to_account()
    assert budi.labels[:-1] == ["222222222"]


def test_what_was_taken_off_by_mistake_comes_back_where_it_was(
    parlour: Parlour, budi: Guest
) -> None:
    for account in ("111111111", "222222222"):
        places(parlour, budi, account)
    before = parlour.books.accounts.of(budi.address)
    forgets(budi, "111111111")
    parlour.clock.advance(10 * MINUTE)
    budi.taps(UNDO)
    assert budi.last.text.startswith(SAY("accounts.restored"))
    assert parlour.books.accounts.of(budi.address) == before


def test_after_ten_minutes_it_does_not_come_back(parlour: Parlour, budi: Guest) -> None:
    places(parlour, budi)
    forgets(budi, "123456789")
    parlour.clock.advance(10 * MINUTE + 1)
    budi.taps(UNDO)
    assert budi.last.text.startswith(SAY("accounts.gone"))
    assert kept(parlour, budi) == []


def test_what_comes_back_does_not_push_out_what_was_used_since(
    parlour: Parlour, budi: Guest
) -> None:
    for nth in range(MOST_SAVED):
        places(parlour, budi, f"12345678{nth}")
    forgets(budi, "123456780")
    undo = budi.button(UNDO)
    parlour.clock.advance(11 * SECOND)
    budi.walks_to_confirmation(account="987654321")
    budi.taps("Bayar")
    budi.presses(undo)
    assert budi.last.text.startswith(SAY("accounts.gone"))
    assert "123456780" not in kept(parlour, budi)
    assert len(kept(parlour, budi)) == MOST_SAVED


def test_two_taps_at_once_take_off_one_account(parlour: Parlour, budi: Guest) -> None:
    for account in ("111111111", "222222222"):
        places(parlour, budi, account)
    budi.says("/akun")
    button = budi.button(f"{FORGET}111111111")
    for _ in range(2):
        budi.presses(button)
    assert kept(parlour, budi) == ["222222222"]
    assert budi.last.text.startswith(SAY("accounts.forgotten"))


def test_an_account_that_came_back_brings_the_name_that_is_still_known(
    parlour: Parlour, budi: Guest
) -> None:
    places(parlour, budi, nickname="Budi")
    whose = Whose(game="free-fire", user_id="123456789")
    parlour.books.players.answer(whose, Found.FOUND, "Budi", parlour.clock())
    forgets(budi, "Budi")
    budi.taps(UNDO)
    assert [account.nickname for account in parlour.books.accounts.of(budi.address)] == ["Budi"]


@pytest.mark.parametrize("nickname", HOSTILE)
def test_m7_a_hostile_nickname_stays_on_its_line_and_off_the_others(
    parlour: Parlour, budi: Guest, nickname: str
) -> None:
    parlour.give_credit(budi, 50_000)
    places(parlour, budi, nickname=accounts.players.shown_nickname(nickname))
    view = budi.says("/akun")
    assert view.text.splitlines()[:4] == [SAY("accounts.list"), "", "Free Fire", "• 123456789"]
    assert len(view.text.splitlines()) == 5
    assert hidden(whole(view)) == []
    assert all(len(label) <= accounts.MOST_LABEL for label in budi.labels)


# --- nobody comes to another's accounts (S4) ------------------------------------------------------


HIS = "777888999"


def _pressed(parlour: Parlour, budi: Guest) -> dict[str, str]:
    """Every button that has to do with budi's saved account."""
    order = places(parlour, budi, HIS)
    account = parlour.books.accounts.of(budi.address)[0]
    until = parlour.clock() + MINUTE
    return {
        "forget": f"p:akun:hapus:{account.id}",
        "undo": f"p:akun:urung:{order.id}:{until}",
        "choose": f"@{account.id}",
    }


@pytest.mark.parametrize("what", ["forget", "undo", "choose"])
@pytest.mark.parametrize("who", ["web:siti", "telegram:12345", "web:owner"])
def test_s4_nobody_touches_another_persons_account(
    parlour: Parlour, budi: Guest, what: str, who: str
) -> None:
    stranger = parlour.guest(address=who)
    data = _pressed(parlour, budi)[what]
    if what == "choose":
        stranger.walks_to_account()
        data = f"s:{stranger.session.screen}:{data}"
    before = parlour.books.accounts.of(budi.address)
    stranger.presses(data)
    stranger.says("/" + data.removeprefix("p:").replace(":", " ", 1))
    assert parlour.books.accounts.of(budi.address) == before
    assert parlour.books.accounts.of(who) == []
    assert all(HIS not in f"{whole(view)} {view.choices}" for view in stranger.views)
    assert stranger.draft.user_id == ""


def test_s4_nobody_brings_back_what_another_took_off(parlour: Parlour, budi: Guest) -> None:
    undo = _pressed(parlour, budi)["undo"]
    forgets(budi, HIS)
    parlour.guest("siti").presses(undo)
    assert kept(parlour, budi) == kept(parlour, parlour.guest("siti")) == []


def test_every_button_fits_into_what_telegram_carries(parlour: Parlour, budi: Guest) -> None:
    for data in _pressed(parlour, budi).values():
        assert len(f"s:999999999:{data}".encode()) <= MOST_DATA_BYTES + len("s:999999999:p:")
    forgets(budi, HIS)
    assert all(len(choice.data.encode()) <= MOST_DATA_BYTES for choice in budi.last.choices)


def test_a_credit_order_brings_no_account(parlour: Parlour, budi: Guest) -> None:
    order = places(parlour, budi)
    forgets(budi, "123456789")
    parlour.books.orders._tx.execute("UPDATE orders SET supplier = 'house', game = ''")
    budi.presses(f"p:akun:urung:{order.id}:{parlour.clock() + MINUTE}")
    assert parlour.books.accounts.of(budi.address) == []


def test_an_undo_that_is_far_ahead_was_made_up(parlour: Parlour, budi: Guest) -> None:
    order = places(parlour, budi)
    forgets(budi, "123456789")
    for until in (parlour.clock() + HOUR, "9" * 40, "-1", "1e9", ""):
        budi.presses(f"p:akun:urung:{order.id}:{until}")
    assert kept(parlour, budi) == []


def test_the_list_fits_a_shop_that_dropped_a_game(parlour: Parlour, budi: Guest) -> None:
    places(parlour, budi)
    parlour.open(replace(parlour.face, games=()))
    assert "Free Fire" in budi.says("/akun").text
