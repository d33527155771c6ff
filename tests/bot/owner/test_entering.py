"""What the owner brings in and takes out: entered after a second look, undone by a correction."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.conversation.entering import CONFIRM_WITHIN, read_entry
from bot.conversation.views import Draft, StepId, View, read_button
from shop import ledger
from shop.orders import Order
from shop.payments import PaymentMethod
from shop.time import MINUTE
from tests.bot.conversation.parlour import (
    BACK,
    EVERY_WAY,
    OWNER,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    whole,
)

AT_SUPPLIER = ledger.supplier(SUPPLIER)
SECOND_OWNER = "telegram:12345"
say, money = TEXTS["id"], TEXTS["id"].money
Posting = tuple[str, int]


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour(owners=(OWNER, SECOND_OWNER), rules=EVERY_WAY)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


def balances(parlour: Parlour) -> dict[str, int]:
    return {name: balance for name, balance in parlour.books.ledger.balances() if balance}


def entries(parlour: Parlour) -> list[tuple[str, ...]]:
    """Who entered what, why, and what it corrects."""
    found = parlour.connection.execute("SELECT actor, reason, corrects FROM entries ORDER BY rowid")
    return [tuple(row) for row in found]


# --- what is understood ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "account", "amount", "note"),
    [
        ("zultopup +500rb setor dari BCA", AT_SUPPLIER, 500_000, "setor dari BCA"),
        ("zultopup + 500.000", AT_SUPPLIER, 500_000, ""),
        ("zultopup -25000 salah kirim", AT_SUPPLIER, -25_000, "salah kirim"),
        ("qris -1,5jt tarik ke bank", ledger.QRIS, -1_500_000, "tarik ke bank"),
        ("profit:zultopup -75k", ledger.profit(SUPPLIER), -75_000, ""),
        ("qris  +Rp10.000,-  kembalian", ledger.QRIS, 10_000, "kembalian"),
    ],
)
def test_an_entry_is_shown_before_it_is_made(
    parlour: Parlour, owner: Guest, typed: str, account: str, amount: int, note: str
) -> None:
    parlour.fund(2_000_000, account)
    view = owner.says(f"/catat {typed}")
    assert owner.step is StepId.ENTRY
    assert view.text == say(
        "entry.ask",
        account=account,
        amount=money(amount),
        before=money(2_000_000),
        after=money(2_000_000 + amount),
        note=note or "-",
    )
    assert owner.labels == ["Ya, catat", BACK]
    assert parlour.books.ledger.balance(account) == 2_000_000
    told = owner.taps("Ya, catat")
    assert told is not None
    assert told.text == say("entry.done", account=account, amount=money(amount))
    assert parlour.books.ledger.balance(account) == 2_000_000 + amount
    assert entries(parlour)[-1] == (OWNER, note, "")


@pytest.mark.parametrize(
    "typed",
    [
        "", "zultopup", "zultopup 500rb", "zultopup +", "zultopup + setor", "+500rb zultopup",
        "zultopup +0", "zultopup +-5", "zultopup +1e9", "zultopup +abc", "zultopup +1,23",
        "bank +500rb", "wallet:web:budi +500rb", "supplier:zultopup +500rb", "held +500rb",
        "sales -500rb", "adjustment +1", "cost:zultopup -1", "ZULTOPUP +500rb", "qris=+5000",
        "profit:qris +500rb", "zonegame +500rb", "zultopup +500 rb", "qris +½", "qris\u202e +5000",
    ],
)  # fmt: skip
def test_what_is_no_entry_is_explained_with_an_example(
    parlour: Parlour, owner: Guest, typed: str
) -> None:
    if typed == "zultopup +500 rb":  # "rb" is the note: five hundred rupiah, shown before it counts
        assert money(500) in owner.says(f"/catat {typed}").text
        return
    view = owner.says(f"/catat {typed}")
    names = ", ".join(["qris", "zultopup", "profit:zultopup"])
    assert view == View(text=say("entry.how", accounts=names))
    assert "/catat zultopup +500rb" in view.text
    assert (owner.step, entries(parlour)) == (None, [])


def test_only_the_accounts_that_are_named_are_entered_into(parlour: Parlour) -> None:
    paid_order(parlour)
    room = parlour.room(OWNER)
    for account in (
        "wallet:web:budi", "wallet", "wallet:", "supplier:zultopup", "dropship:x", "budi", "web:",
        "web:siti", "web:BUDI", "telegram:budi", "web:budi2", "held", "sales",
    ):  # fmt: skip
        assert read_entry(room, f"{account} +5000") is None
    assert read_entry(room, "web:budi +5000") is not None


# --- store credit by hand -------------------------------------------------------------------------


def test_an_owner_may_give_a_customer_credit_who_is_told(parlour: Parlour, owner: Guest) -> None:
    paid_order(parlour)
    budi = parlour.guest("budi")
    view = owner.says("/catat web:budi +50rb maaf menunggu")
    for part in ("Sebelum: Rp8.200", "Sesudah: Rp58.200", "maaf menunggu"):
        assert part in view.text
    assert parlour.books.ledger.credit_of(budi.address) == 8_200
    owner.taps("Ya, catat")
    assert parlour.books.ledger.credit_of(budi.address) == 58_200
    parlour.post()
    told = budi.sees("menambah saldomu Rp50.000")
    assert "Rp58.200" in told.text
    assert "maaf menunggu" in told.text


def test_credit_is_never_taken_below_nought(parlour: Parlour, owner: Guest) -> None:
    paid_order(parlour)
    owner.says("/catat web:budi -8.201 koreksi")
    assert owner.taps("Ya, catat") == View(text=say("entry.overdrawn"))
    assert parlour.books.ledger.credit_of("web:budi") == 8_200
    owner.says("/catat web:budi -8.200 koreksi")
    owner.taps("Ya, catat")
    assert parlour.books.ledger.credit_of("web:budi") == 0
    parlour.post()
    assert "Rp8.200" in parlour.guest("budi").sees("mengurangi saldomu").text


def test_credit_given_is_taken_back_once_and_only_if_it_is_still_there(
    parlour: Parlour, owner: Guest
) -> None:
    paid_order(parlour)
    done = entered(owner, "web:budi +50rb hadiah")
    parlour.give_credit(parlour.guest("budi"), -50_000)
    before = balances(parlour)
    assert owner.taps("Urungkan", on=done) == View(text=say("entry.overdrawn"))
    assert balances(parlour) == before
    parlour.give_credit(parlour.guest("budi"), 50_000)
    assert owner.taps("Urungkan", on=done) == View(text=say("entry.undone"))
    assert parlour.books.ledger.credit_of("web:budi") == 8_200
    owner.taps("Urungkan", on=done)
    assert parlour.books.ledger.credit_of("web:budi") == 8_200


@pytest.mark.parametrize("note", ["{amount}", "a\nb", "\u202ekebalik", "x" * 500, "<b>"])
def test_a_note_stays_on_its_line(owner: Guest, note: str) -> None:
    view = owner.says(f"/catat qris +5000 {note[:200]}")
    if owner.step is not StepId.ENTRY:  # a note of two lines is not understood
        assert view.text.startswith("Tulis: /catat")
        return
    assert len(view.text.splitlines()) == 6
    assert not {"\0", "\u202e"} & set(view.text)


# --- who, when, how often -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/buku", "/ledger", "buku", "/catat", "/urung"])
@pytest.mark.parametrize("args", ["", " qris +500rb setor", " entry:web:owner:1"])
def test_nobody_else_has_books(parlour: Parlour, budi: Guest, command: str, args: str) -> None:
    parlour.fund(1_000_000)
    if command == "buku" and args:
        return  # only the word by itself is a command
    view = budi.says(f"{command}{args}")
    assert view.text.startswith(say("command.unknown"))
    for secret in ("1.000.000", "supplier", "zultopup", "catat <"):
        assert secret not in whole(view)
    assert balances(parlour) == {AT_SUPPLIER: 1_000_000, ledger.ADJUSTMENT: -1_000_000}


@pytest.mark.parametrize("address", ["web:budi", "telegram:owner", "web:12345", "web:owner2"])
@pytest.mark.parametrize("data", ["p:catat:qris +500rb", "p:urung:{}", "p:buku:"])
def test_made_up_buttons_of_the_books_are_nobodys(
    parlour: Parlour, owner: Guest, address: str, data: str
) -> None:
    owner.says("/catat qris +1000")
    owner.taps("Ya, catat")
    key = owner.last.choices[0].data.removeprefix("p:urung:")
    stranger = Guest(parlour, address, 12)
    view = stranger.presses(data.format(key))
    assert view is not None
    assert view.text.startswith(say("command.unknown"))
    assert parlour.books.ledger.balance(ledger.QRIS) == 1_000
    assert stranger.step is StepId.GAME


def test_who_is_no_owner_any_more_enters_nothing(parlour: Parlour, owner: Guest) -> None:
    owner.says("/catat qris +1000")
    button = owner.button("Ya, catat")
    parlour.owners = (SECOND_OWNER,)
    parlour.restart()
    assert owner.presses(button) == View(text=say("entry.too_late"))
    assert (entries(parlour), owner.step) == ([], None)


def test_a_customer_whose_session_was_made_up_enters_nothing(parlour: Parlour, budi: Guest) -> None:
    budi.says("/start")
    later = parlour.clock() + CONFIRM_WITHIN
    draft = Draft(find=ledger.QRIS, price=1_000, until=later)
    parlour.sessions.of[budi.address] = replace(budi.session, step=StepId.ENTRY, draft=draft)
    budi.does(read_button(f"s:{budi.session.screen}:yes"))
    assert entries(parlour) == []


@pytest.mark.parametrize(("span", "counts"), [(CONFIRM_WITHIN, True), (CONFIRM_WITHIN + 1, False)])
def test_the_second_look_is_open_for_two_minutes(
    parlour: Parlour, owner: Guest, span: int, counts: bool
) -> None:
    assert CONFIRM_WITHIN == 120_000
    owner.says("/catat qris +1000")
    parlour.clock.advance(span)
    view = owner.taps("Ya, catat")
    assert view is not None
    assert (parlour.books.ledger.balance(ledger.QRIS) == 1_000) is counts
    if not counts:
        assert view == View(text=say("entry.too_late"))


@pytest.mark.parametrize("typed", ["ya", "ok", "catat", "tidak", "?", "zultopup +500rb"])
def test_nothing_but_the_button_enters(parlour: Parlour, owner: Guest, typed: str) -> None:
    question = owner.says("/catat qris +1000")
    view = owner.says(typed)
    assert view.text == f"{say('entry.press')}\n\n{question.text}"
    assert (owner.step, entries(parlour)) == (StepId.ENTRY, [])


@pytest.mark.parametrize("words", ["/batal", "/start", "kembali"])
def test_an_entry_that_was_left_is_not_made(parlour: Parlour, owner: Guest, words: str) -> None:
    owner.says("/catat qris +1000")
    button = owner.button("Ya, catat")
    owner.says(words)
    owner.presses(button)
    assert entries(parlour) == []


def test_a_second_tap_enters_once(parlour: Parlour, owner: Guest) -> None:
    owner.says("/catat qris +1000")
    button = owner.button("Ya, catat")
    for nth in range(4):
        owner.presses(button, input_id=f"tap{nth // 2}")
    assert parlour.books.ledger.balance(ledger.QRIS) == 1_000


def test_the_same_typed_twice_is_entered_twice(parlour: Parlour, owner: Guest) -> None:
    for _ in range(2):
        owner.says("/catat qris +1000")
        owner.taps("Ya, catat")
    assert parlour.books.ledger.balance(ledger.QRIS) == 2_000


def test_the_question_of_an_entry_outlives_a_restart(parlour: Parlour, owner: Guest) -> None:
    owner.says("/catat qris +1000")
    parlour.restart()
    owner.taps("Ya, catat")
    assert parlour.books.ledger.balance(ledger.QRIS) == 1_000


# --- undoing --------------------------------------------------------------------------------------


def entered(owner: Guest, typed: str = "zultopup +500rb setor") -> View:
    owner.says(f"/catat {typed}")
    view = owner.taps("Ya, catat")
    assert view is not None
    return view


def test_an_entry_is_undone_by_another_that_names_it_once(parlour: Parlour, owner: Guest) -> None:
    done = entered(owner)
    key = done.choices[0].data.removeprefix("p:urung:")
    assert owner.taps("Urungkan", on=done) == View(text=say("entry.undone"))
    assert balances(parlour) == {}
    for _ in range(3):
        assert owner.taps("Urungkan", on=done) == View(text=say("entry.cannot_undo"))
    assert balances(parlour) == {}
    assert entries(parlour) == [(OWNER, "setor", ""), (OWNER, "undone", key)]


def test_an_entry_can_be_undone_for_ten_minutes_and_by_every_owner(
    parlour: Parlour, owner: Guest
) -> None:
    old = entered(owner)
    parlour.clock.advance(10 * MINUTE + 1)
    assert owner.presses(old.choices[0].data) == View(text=say("entry.cannot_undo"))
    done = entered(owner)
    parlour.clock.advance(10 * MINUTE)
    parlour.restart()
    other = parlour.guest(address=SECOND_OWNER)
    assert other.presses(done.choices[0].data) == View(text=say("entry.undone"))
    assert entries(parlour)[-1][0] == SECOND_OWNER


def paid_order(parlour: Parlour) -> Order:
    parlour.fund(1_000_000)
    budi = parlour.guest("budi")
    parlour.give_credit(budi, 20_000)
    budi.walks_to_confirmation()
    budi.taps(PaymentMethod.WALLET)
    return parlour.orders[0]


def test_nothing_but_an_owners_entry_is_undone(parlour: Parlour, owner: Guest) -> None:
    order = paid_order(parlour)
    done = entered(owner, "qris +1000")
    owner.taps("Urungkan", on=done)
    key = done.choices[0].data.removeprefix("p:urung:")
    before = balances(parlour)
    for entry in ("", "nothing", f"{order.id}/2", "fund:1", f"undo:{key}", "entry:", "' OR 1=1 --"):
        assert owner.presses(f"p:urung:{entry}") == View(text=say("entry.cannot_undo"))
    assert balances(parlour) == before


# --- the books ------------------------------------------------------------------------------------


def test_empty_books_say_so(owner: Guest) -> None:
    for words in ("/buku", "/ledger", "buku"):
        assert owner.says(words) == View(title=say("ledger.title"), text=say("ledger.empty"))


def test_the_books_show_every_account_and_all_wallets_as_one(
    parlour: Parlour, owner: Guest
) -> None:
    paid_order(parlour)
    parlour.give_credit(parlour.guest("siti"), 7_000)
    view = owner.says("/buku")
    lines = dict(line.rsplit(": ", 1) for line in view.text.splitlines())
    assert lines[AT_SUPPLIER] == money(1_000_000)
    assert lines[ledger.HELD] == money(-11_800)
    assert lines["wallet"] == money(-(8_200 + 7_000))
    assert not [name for name in lines if "web:" in name]
    amounts = [balance for _, balance in parlour.books.ledger.balances()]
    assert sum(amounts) == 0


def test_looking_at_the_books_leaves_a_purchase_open(parlour: Parlour, owner: Guest) -> None:
    owner.walks_to_confirmation()
    owner.says("/buku")
    assert owner.step is StepId.CONFIRM
