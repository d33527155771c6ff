"""The owner's desk: who may sit there is checked at every act (S2), and money asks twice (S2b)."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import pytest

from bot.conversation.views import StepId, View
from bot.owner.desk import CONFIRM_WITHIN, OwnersDesk
from shop.cases import Answer, Case, CaseKind, answers
from shop.notices import Notice, NoticeKind
from shop.orders import Order, Status
from shop.suppliers import InvoiceState
from shop.time import HOUR, MINUTE, SECOND
from tests.bot.conversation.parlour import OWNER, SUPPLIER, TEXTS, Guest, Parlour, whole

OWNERS = (OWNER, "telegram:12345", "whatsapp:6281234567890")
STRANGERS = (
    "web:budi",  # the customer of the order
    "web:siti",  # another one
    "telegram:owner",  # the owner's name on another channel
    "web:12345",
    "whatsapp:12345",  # the owner's number on another channel
    "telegram:1234",  # part of a number
    "telegram:123456",
    "telegram:012345",
    "telegram:+12345",
    "telegram:12345 ",
    "Telegram:12345",
    "whatsapp:+6281234567890",
    "whatsapp:81234567890",
    "web:owner2",
    "web:Owner",
    "web:owner\u200b",
    "owner",
    "12345",
    "telegram:",
    ":",
    "",
)
DOINGS = ("open", *Answer, *(f"yes-{answer}" for answer in Answer), "", "x", "yes-", "yes-yes-paid")


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour(owners=OWNERS)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest("owner")


@pytest.fixture
def second(parlour: Parlour) -> Guest:
    return parlour.guest(address="telegram:12345")


def failed(parlour: Parlour) -> tuple[Order, Case]:
    """Something paid that could not be delivered."""
    budi = parlour.guest("budi")
    parlour.clock.advance(11 * SECOND)
    budi.walks_to_confirmation(account=f"77{len(parlour.orders):07d}")
    budi.taps("Bayar")
    order = parlour.show_qr(parlour.orders[-1].id)
    order = parlour.hear(order.id, InvoiceState.FAILED, note="Nomor tujuan tidak ditemukan")
    case = parlour.books.cases.open_for(order.id)
    assert case is not None
    parlour.post()
    return order, case


def stuck(parlour: Parlour) -> tuple[Order, Case]:
    """Something paid that nobody hears of any more."""
    budi = parlour.guest("budi")
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    order = parlour.show_qr(parlour.orders[-1].id)
    parlour.hear(order.id, InvoiceState.SETTLED)
    parlour.clock.advance(16 * MINUTE)
    order = parlour.hear(order.id, InvoiceState.SETTLED)
    case = parlour.books.cases.open_for(order.id)
    assert case is not None
    return order, case


def books_of(parlour: Parlour) -> list[tuple[object, ...]]:
    tables = ("orders", "order_events", "outbox", "cases", "balance_requests")
    return [
        tuple(row)
        for table in tables
        for row in parlour.connection.execute(f"SELECT * FROM {table}").fetchall()
    ]


def press(guest: Guest, case: Case, action: str) -> View:
    view = guest.presses(f"c:{case.id}:{action}")
    assert view is not None
    return view


# --- S2: who --------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", STRANGERS)
def test_s2_an_act_on_a_case_by_anybody_else_does_nothing(parlour: Parlour, address: str) -> None:
    order, case = failed(parlour)
    stranger = Guest(parlour, address, 12)
    before = books_of(parlour)
    for doing in DOINGS:
        view = press(stranger, case, doing)
        assert view.text.startswith(TEXTS["id"]("button.old"))
        assert view.choices  # the present question
        for secret in (order.id, order.user_id, case.evidence, "Kasus"):
            assert secret not in whole(view)
    assert books_of(parlour) == before


@pytest.mark.parametrize("address", STRANGERS)
@pytest.mark.parametrize("command", ["/kasus", "/cases", "p:kasus:", "p:kasus:x"])
def test_s2_the_list_of_cases_is_an_unknown_command_to_anybody_else(
    parlour: Parlour, address: str, command: str
) -> None:
    order, _ = failed(parlour)
    stranger = Guest(parlour, address, 12)
    view = stranger.says(command) if command.startswith("/") else stranger.presses(command)
    assert view is not None
    assert view.text.startswith(TEXTS["id"]("command.unknown"))
    assert order.id not in whole(view)


@pytest.mark.parametrize("address", STRANGERS)
@pytest.mark.parametrize("command", ["/saldo", "/balance", "p:saldo:"])
def test_s2_nobody_else_asks_a_supplier_for_the_balance(
    parlour: Parlour, address: str, command: str
) -> None:
    stranger = Guest(parlour, address, 12)
    view = stranger.says(command) if command.startswith("/") else stranger.presses(command)
    assert view is not None
    assert view.text == TEXTS["id"]("balance.customer")
    assert parlour.books.calls.next_balance_request(SUPPLIER) is None


@pytest.mark.parametrize("address", STRANGERS)
def test_s2_the_desk_itself_refuses_whoever_comes_past_the_engine(
    parlour: Parlour, address: str
) -> None:
    _, case = failed(parlour)
    desk, room = OwnersDesk(OWNERS), parlour.room(address)
    before = books_of(parlour)
    assert not desk.is_owner(address)
    for name in ("saldo", "kasus", "buku", "catat", "urung", "nonsense", ""):
        assert desk.command(room, name, "") is None
        assert desk.command(room, name, "qris +500rb setor") is None
    for doing in DOINGS:
        assert desk.act(room, case.id, doing).choices == ()
    assert books_of(parlour) == before


@pytest.mark.parametrize("doing", ["/kasus", "/saldo", "/riwayat", "c:nothing:open"])
def test_what_waited_for_an_owner_who_was_away_comes_when_they_write(
    parlour: Parlour, owner: Guest, doing: str
) -> None:
    books = parlour.books
    for key, kind in (
        ("one", NoticeKind.CASE),
        ("two", NoticeKind.ALERT),
        ("hers", NoticeKind.STATUS),
    ):
        address = "web:budi" if key == "hers" else OWNER
        books.outbox.owe(Notice(key=key, kind=kind, address=address), parlour.clock())
    for away in books.outbox.due(parlour.clock(), 9):
        books.outbox.later(away, parlour.clock() + HOUR)
    assert books.outbox.due(parlour.clock(), 9) == []
    parlour.guest("budi").says("/riwayat")
    assert books.outbox.due(parlour.clock(), 9) == []
    owner.says(doing) if doing.startswith("/") else owner.presses(doing)
    assert [owed.notice.key for owed in books.outbox.due(parlour.clock(), 9)] == ["one", "two"]


@pytest.mark.parametrize("address", OWNERS)
def test_s2_every_owner_named_in_the_settings_may(parlour: Parlour, address: str) -> None:
    order, case = failed(parlour)
    somebody = Guest(parlour, address, 12)
    assert order.id in somebody.says("/kasus").text
    assert order.id in press(somebody, case, "open").title
    somebody.says("/saldo")
    assert parlour.books.calls.next_balance_request(SUPPLIER) == address


@pytest.mark.parametrize("owners", [(), ("",), ("web:",)])
def test_s2_a_shop_without_owners_has_no_desk(owners: Collection[str]) -> None:
    parlour = Parlour(owners=tuple(owners))
    order, case = failed(parlour)
    for address in ("web:budi", "telegram:12345", "web:owner"):
        view = press(Guest(parlour, address, 12), case, "yes-refunded")
        assert order.id not in whole(view)
    parlour.close()


def test_s2_an_owner_who_was_taken_off_the_settings_loses_the_desk(
    parlour: Parlour, second: Guest
) -> None:
    _, case = failed(parlour)
    press(second, case, "refunded")
    parlour.owners = (OWNER,)
    parlour.open(parlour.face)
    before = books_of(parlour)
    assert press(second, case, "yes-refunded").text.startswith(TEXTS["id"]("button.old"))
    assert books_of(parlour) == before


def test_an_owner_may_also_buy(parlour: Parlour, owner: Guest) -> None:
    order = parlour.bought(owner)
    assert order.status is Status.DELIVERED
    assert order.id in owner.says("/riwayat").text


# --- S2b: twice -----------------------------------------------------------------------------------


def refund(guest: Guest, case: Case) -> View:
    press(guest, case, "refunded")
    return press(guest, case, "yes-refunded")


def test_s2b_money_moves_at_the_second_yes_only(parlour: Parlour, owner: Guest) -> None:
    order, case = failed(parlour)
    view = press(owner, case, "refunded")
    assert "Rp11.800" in view.text or "Rp" in view.text
    assert order.id in view.title
    assert parlour.order(order.id).status is Status.REFUND_DUE
    owner.taps("Ya, benar")
    assert parlour.order(order.id).status is Status.REFUNDED


@pytest.mark.parametrize("doing", [f"yes-{answer}" for answer in Answer])
def test_s2b_a_yes_without_a_question_moves_nothing(
    parlour: Parlour, owner: Guest, doing: str
) -> None:
    order, case = failed(parlour)
    press(owner, case, doing)
    assert parlour.order(order.id).status is Status.REFUND_DUE
    assert parlour.order(order.id).version == order.version


def test_s2b_a_yes_to_another_answer_moves_nothing(parlour: Parlour, owner: Guest) -> None:
    order, case = failed(parlour)
    press(owner, case, "refunded")
    view = press(owner, case, "yes-arrived")
    assert parlour.order(order.id).version == order.version
    assert "yes-arrived" in view.choices[0].data  # it is asked first
    press(owner, case, "yes-refunded")  # the first question is no longer the one that is open
    assert parlour.order(order.id).version == order.version


def test_s2b_a_yes_to_another_case_moves_nothing(parlour: Parlour, owner: Guest) -> None:
    first, first_case = failed(parlour)
    second, second_case = failed(parlour)
    press(owner, first_case, "refunded")
    press(owner, second_case, "yes-refunded")
    assert parlour.order(second.id).status is Status.REFUND_DUE
    assert parlour.order(first.id).status is Status.REFUND_DUE


@pytest.mark.parametrize(
    ("span", "became"),
    [
        (0, Status.REFUNDED),
        (CONFIRM_WITHIN, Status.REFUNDED),
        (CONFIRM_WITHIN + 1, Status.REFUND_DUE),
        (30 * MINUTE, Status.REFUND_DUE),
    ],
)
def test_s2b_a_question_is_open_for_two_minutes(
    parlour: Parlour, owner: Guest, span: int, became: Status
) -> None:
    assert CONFIRM_WITHIN <= 120 * SECOND
    order, case = failed(parlour)
    press(owner, case, "refunded")
    parlour.clock.advance(span)
    view = press(owner, case, "yes-refunded")
    assert parlour.order(order.id).status is became
    if became is Status.REFUND_DUE:  # it is asked afresh, and that can be confirmed
        assert "2 menit" in view.text
        press(owner, case, "yes-refunded")
        assert parlour.order(order.id).status is Status.REFUNDED


def test_s2b_a_yes_counts_once(parlour: Parlour, owner: Guest) -> None:
    order, case = failed(parlour)
    refund(owner, case)
    after = books_of(parlour)
    for _ in range(3):
        assert "sudah selesai" in press(owner, case, "yes-refunded").text
        assert "sudah selesai" in press(owner, case, "refunded").text
    assert books_of(parlour) == after
    assert parlour.order(order.id).status is Status.REFUNDED


def test_s2b_the_yes_of_another_owner_is_not_mine(
    parlour: Parlour, owner: Guest, second: Guest
) -> None:
    order, case = failed(parlour)
    press(owner, case, "refunded")
    press(second, case, "yes-refunded")
    assert parlour.order(order.id).status is Status.REFUND_DUE
    press(owner, case, "yes-refunded")  # now the other one's question is open
    assert parlour.order(order.id).status is Status.REFUND_DUE
    press(owner, case, "yes-refunded")
    assert parlour.order(order.id).status is Status.REFUNDED


def test_s2b_not_yet_leaves_the_case_open_and_shows_it(parlour: Parlour, owner: Guest) -> None:
    order, case = failed(parlour)
    press(owner, case, "refunded")
    view = owner.taps("Belum")
    assert view is not None
    assert "Sudah dikembalikan" in owner.labels
    assert parlour.order(order.id).status is Status.REFUND_DUE


def test_s2b_not_yet_takes_the_question_back(parlour: Parlour, owner: Guest) -> None:
    order, case = failed(parlour)
    press(owner, case, "refunded")
    owner.taps("Belum")
    kept = parlour.books.cases.get(case.id)
    assert kept is not None
    assert (kept.pending, kept.pending_until, kept.closed_at) == (None, None, None)
    view = press(owner, case, "yes-refunded")
    assert view.title == TEXTS["id"]("case.sure", order=order.id)  # it is asked afresh
    assert parlour.order(order.id).version == order.version
    press(owner, case, "yes-refunded")
    assert parlour.order(order.id).status is Status.REFUNDED


def test_s2b_whichever_owner_looks_at_the_case_takes_the_question_back(
    parlour: Parlour, owner: Guest, second: Guest
) -> None:
    order, case = failed(parlour)
    press(owner, case, "refunded")
    press(second, case, "open")
    press(owner, case, "yes-refunded")
    assert parlour.order(order.id).version == order.version


def test_s2b_a_case_that_changed_in_between_is_asked_about_again(
    parlour: Parlour, owner: Guest
) -> None:
    order, case = stuck(parlour)
    press(owner, case, "give_back")
    parlour.hear(order.id, InvoiceState.FAILED, note="gagal")
    view = press(owner, case, "yes-give_back")
    assert parlour.order(order.id).status is Status.REFUND_DUE
    assert [choice.id for choice in view.choices] == ["refunded", "arrived"]
    press(owner, case, "yes-refunded")
    assert parlour.order(order.id).status is Status.REFUND_DUE


def test_s2b_news_of_the_supplier_in_between_is_read_before_the_yes_counts(
    parlour: Parlour, owner: Guest
) -> None:
    order, case = stuck(parlour)
    press(owner, case, "give_back")
    parlour.hear(order.id, InvoiceState.UNPAID, note="belum dibayar")  # it said paid before
    view = press(owner, case, "yes-give_back")
    assert parlour.order(order.id).status is Status.PROCESSING
    assert view.title == TEXTS["id"]("case.sure", order=order.id)
    press(owner, case, "yes-give_back")
    assert parlour.order(order.id).status is Status.REFUND_DUE


def test_s2b_a_move_that_settles_the_case_in_between_wins(parlour: Parlour, owner: Guest) -> None:
    order, case = stuck(parlour)
    press(owner, case, "give_back")
    parlour.deliver(order.id)
    assert "sudah selesai" in press(owner, case, "yes-give_back").text
    assert parlour.order(order.id).status is Status.DELIVERED


def test_s2b_asking_about_the_money_names_item_account_and_amount(
    parlour: Parlour, owner: Guest
) -> None:
    order, case = failed(parlour)
    view = press(owner, case, "refunded")
    for part in ("Rp11.800", order.item, order.user_id):
        assert part in view.text


# --- two devices, and other people ----------------------------------------------------------------


def test_a_case_closed_on_one_device_is_closed_on_the_other(
    parlour: Parlour, owner: Guest, second: Guest
) -> None:
    order, case = failed(parlour)
    refund(owner, case)
    for doing in DOINGS:
        view = press(second, case, doing)
        assert view.text == TEXTS["id"]("case.closed", order=order.id)
        assert view.choices == ()
    assert second.says("/kasus").text == TEXTS["id"]("cases.none")


@pytest.mark.parametrize("case_id", ["", "nothing", "' OR 1=1 --", "x" * 40])
def test_a_case_that_does_not_exist_is_said_to_be_unknown(owner: Guest, case_id: str) -> None:
    view = owner.presses(f"c:{case_id}:open")
    assert view is not None
    assert view.text == TEXTS["id"]("case.unknown")


def test_a_made_up_answer_shows_the_case(parlour: Parlour, owner: Guest) -> None:
    order, case = failed(parlour)
    for doing in ("", "x", "yes-", "unpaid", "paid", "give_back", "seen", "yes-seen"):
        view = press(owner, case, doing)
        assert order.id in view.title
        assert "Sudah dikembalikan" in owner.labels
    assert parlour.order(order.id).version == order.version


def test_the_owner_learns_of_a_case_with_all_there_is_to_know(
    parlour: Parlour, owner: Guest, second: Guest
) -> None:
    order, case = failed(parlour)
    for somebody in (owner, second):
        notice = somebody.sees("Kasus", order.id)
        for part in (order.item, order.user_id, "Rp11.800", "Nomor tujuan tidak ditemukan",
                     f"Pembeli: {order.address}"):  # fmt: skip
            assert part in notice.text
        assert [choice.data for choice in notice.choices] == [
            f"c:{case.id}:{answer}" for answer in answers(case, order)
        ]
    view = owner.says("/kasus")
    assert order.id in view.text
    owner.presses(view.choices[0].data)
    for part in (order.item, order.user_id, "Rp11.800", "tidak ditemukan", "web:budi"):
        assert part in owner.last.text


def test_the_buyer_alone_hears_of_the_refund(parlour: Parlour, owner: Guest, second: Guest) -> None:
    budi, siti = parlour.guest("budi"), parlour.guest("siti")
    order, case = failed(parlour)
    siti.says("/start")
    before = {guest.address: len(guest.views) for guest in (owner, second, siti)}
    refund(owner, case)
    parlour.post()
    told = budi.sees("Dana Rp11.800", "sudah dikembalikan")
    assert order.id in told.text
    assert len(owner.views) == before[owner.address] + 2  # question and confirmation
    assert len(second.views) == before[second.address]
    assert len(siti.views) == before[siti.address]


def test_acting_on_a_case_does_not_disturb_the_owners_own_purchase(
    parlour: Parlour, owner: Guest
) -> None:
    _, case = failed(parlour)
    question = owner.walks_to_confirmation(account="555666777")
    refund(owner, case)
    assert owner.step is StepId.CONFIRM
    owner.taps("Bayar", on=question)
    assert parlour.orders[-1].user_id == "555666777"


# --- lists ----------------------------------------------------------------------------------------


def test_the_list_of_cases_shows_ten_and_counts_the_rest(parlour: Parlour, owner: Guest) -> None:
    orders = [failed(parlour)[0] for _ in range(12)]
    view = owner.says("/kasus")
    assert "12" in view.title
    assert [choice.label for choice in view.choices] == [
        f"{number}. {order.id}" for number, order in enumerate(orders[:10], start=1)
    ]
    assert "2 lagi" in view.text
    for choice, order in zip(view.choices, orders, strict=False):
        shown = owner.presses(choice.data)
        assert shown is not None
        assert order.id in shown.title


def test_cases_beyond_the_tenth_come_up_as_the_first_are_settled(
    parlour: Parlour, owner: Guest
) -> None:
    pairs = [failed(parlour) for _ in range(12)]
    for _, case in pairs[:4]:
        refund(owner, case)
    view = owner.says("/kasus")
    assert pairs[-1][0].id in view.text
    assert len(view.choices) == 8


def test_no_case_says_that_all_is_well(owner: Guest) -> None:
    assert owner.says("/kasus").text == TEXTS["id"]("cases.none")


def test_a_shop_without_suppliers_says_that_there_is_no_balance(
    parlour: Parlour, owner: Guest
) -> None:
    parlour.open(replace(parlour.face, suppliers=()))
    assert owner.says("/saldo").text == TEXTS["id"]("balance.no_supplier")
    assert parlour.books.calls.next_balance_request(SUPPLIER) is None


Making = Callable[[Parlour], tuple[Order, Case]]


@pytest.mark.parametrize("make", [failed, stuck])
def test_every_owner_gets_the_case_in_their_own_language(
    parlour: Parlour, owner: Guest, second: Guest, make: Making
) -> None:
    second.says("/bahasa en")
    order, case = make(parlour)
    parlour.post()
    assert "Kasus" in owner.sees(order.id).title
    assert "Case" in second.sees(order.id).title
    assert isinstance(case.kind, CaseKind)
