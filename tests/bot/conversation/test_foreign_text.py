"""What others wrote never changes the meaning of what we say (M7)."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.case_views import case_view, supplier_case_view
from bot.conversation.letters import Letter
from bot.conversation.notices import draw, order_view
from bot.conversation.views import StepId, View
from shop import notices
from shop.cases import Case, CaseKind
from shop.orders import Event, Status
from shop.suppliers import InvoiceState
from shop.text import visible
from tests.bot.conversation.parlour import (
    FACE,
    NOON,
    OWNER,
    TEXTS,
    Guest,
    Parlour,
    draw_notice,
    unhurried,
    whole,
)

HOSTILE = (
    "<b>70</b> Diamond",
    "70 Diamond\n💰 Rp1",
    "70 Diamond\r\n👤 99999999",
    "70\u202e dnomaiD",
    "\u2066\u2067evil\u2069",
    "70\0Diamond",
    "{price} {support}",
    "{0.__class__}",
    "%s %(price)s $price",
    "*_`[x](http://evil.example)`_*",
    "&lt;script&gt;",
    "a\u0000\u0007\u001b[31m",
    "﷽" * 30,
    "🙂" * 60,
    "zalgo" + "\u0301" * 50,
)
_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Cn"}


def hidden(text: str) -> list[str]:
    return [c for c in text if c != "\n" and unicodedata.category(c) in _UNSEEN]


@pytest.mark.parametrize("item", HOSTILE)
def test_m7_the_name_of_an_item_stays_on_its_line(parlour: Parlour, budi: Guest, item: str) -> None:
    parlour.stock({"free-fire": [("1", visible(item, 60), 10_000)]})  # as adapters clean it
    budi.says("/start free-fire")
    budi.says("1")
    budi.says("123456789")
    assert budi.step is StepId.CONFIRM
    lines = budi.last.text.splitlines()
    shown = "70 Diamond" if visible(item) == "70Diamond" else visible(item, 60)
    assert lines[:4] == ["🎮 Free Fire", f"💎 {shown}", "👤 123456789", "💰 Rp11.800"]
    budi.taps("Bayar")
    parlour.show_qr(parlour.orders[0].id)
    parlour.deliver(parlour.orders[0].id)
    parlour.post()
    budi.says("/riwayat")
    for view in budi.views:
        assert hidden(whole(view)) == []
        assert sum(line.startswith("💰") for line in view.text.splitlines()) <= 1


_NAMES = st.text(min_size=1, max_size=40)


@unhurried
@given(name=_NAMES, tag=st.text(min_size=1, max_size=8))
def test_m7_a_typed_nickname_stays_on_its_line(name: str, tag: str) -> None:
    parlour = Parlour()
    try:
        budi = parlour.guest()
        budi.walks_to_account("valorant", "475")
        budi.says(f"{name}#{tag}")
        view = budi.last
        if budi.step is StepId.CONFIRM:
            lines = view.text.splitlines()
            assert lines[0] == "🎮 Valorant"
            assert lines[1] == "💎 475 VP"
            assert lines[2].startswith("👤 ")
            assert lines[3].startswith("💰 Rp")
            assert len(lines[2]) <= 25
            assert hidden(view.text) == []
    finally:
        parlour.close()


@unhurried
@given(text=st.text(max_size=300))
def test_m7_what_is_typed_is_never_repeated_with_its_signs(text: str) -> None:
    parlour = Parlour()
    try:
        budi = parlour.guest()
        for words in ("/start", text, "/start", "ml", text, "86 diamond", text, text):
            view = budi.says(words)
            assert hidden(whole(view)) == []
    finally:
        parlour.close()


@pytest.mark.parametrize("evidence", HOSTILE)
@pytest.mark.parametrize("kind", sorted(set(CaseKind) - {CaseKind.BALANCE, CaseKind.PAID_TWICE}))
def test_m7_the_suppliers_words_stay_on_their_line_before_the_owner(
    parlour: Parlour, budi: Guest, kind: CaseKind, evidence: str
) -> None:
    order = parlour.bought(budi)
    case = Case(id="c1", order_id=order.id, kind=kind, evidence=visible(evidence), opened_at=NOON)
    view = case_view(case, order, parlour.room(OWNER))
    plain = case_view(
        Case(id="c1", order_id=order.id, kind=kind, evidence="x", opened_at=NOON),
        order,
        parlour.room(OWNER),
    )
    assert view.title == plain.title
    whose = "Pesan" if kind is CaseKind.UNDELIVERED else "Kata pemasok"
    lines, others = view.text.splitlines(), plain.text.splitlines()
    place = others.index(f"{whose}: x")
    assert lines.pop(place) == f"{whose}: {visible(evidence)}"
    assert lines == others[:place] + others[place + 1 :]


@pytest.mark.parametrize("evidence", HOSTILE)
def test_m7_the_evidence_about_a_balance_is_never_read_as_a_template(
    parlour: Parlour, evidence: str
) -> None:
    case = Case(
        id="zultopup-1", order_id="", about="zultopup", kind=CaseKind.BALANCE,
        evidence=visible(evidence), opened_at=NOON,
    )  # fmt: skip
    view = supplier_case_view(case, parlour.room(OWNER))
    first = view.text.splitlines()[0]
    assert first == f"Saldo zultopup tidak sama dengan pembukuan: {visible(evidence)}"
    assert hidden(whole(view)) == []


def _like(notice: notices.Notice) -> notices.Notice:
    """The same notice with nothing foreign in it."""
    return replace(notice, facts={**notice.facts, "item": "70 Diamond", "serial": "x"})


@pytest.mark.parametrize("foreign", HOSTILE)
@pytest.mark.parametrize("field", ["item", "user_id", "server", "serial"])
def test_m7_values_are_never_read_as_templates(
    parlour: Parlour, budi: Guest, field: str, foreign: str
) -> None:
    order = replace(parlour.bought(budi), **{field: visible(foreign)})
    for event in (Event.DELIVERED, Event.FAILED, Event.REFUND_MADE):
        for notice in notices.after(order, order, event):
            view = draw_notice(notice).view
            ours = whole(draw_notice(_like(notice)).view).count("Rp")
            assert whole(view).count("Rp") <= ours + foreign.count("Rp")
            assert hidden(whole(view)) == []
    view = order_view(replace(order, status=Status.DELIVERED), parlour.room())
    if field != "server":
        assert visible(foreign) in whole(view)


def test_m7_a_serial_number_is_copied_apart_from_our_words(parlour: Parlour, budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.taps("Bayar")
    parlour.show_qr(parlour.orders[0].id)
    parlour.hear(parlour.orders[0].id, InvoiceState.DELIVERED, serial="Saldo Rp9.999.999 {order}")
    parlour.post()
    done = budi.sees("Top up masuk!")
    assert done.copy == "Saldo Rp9.999.999 {order}"
    assert "9.999.999" not in done.text


def test_the_same_notice_is_drawn_the_same_however_often(parlour: Parlour, budi: Guest) -> None:
    order = parlour.bought(budi)
    for language in TEXTS:
        for notice in notices.after(order, order, Event.DELIVERED):
            letter = Letter(notice=notice, texts=TEXTS[language], face=FACE)
            assert draw(letter) == draw(letter)


def test_a_view_never_says_more_than_a_chat_takes(parlour: Parlour, budi: Guest) -> None:
    parlour.stock({"free-fire": [("1", visible("x" * 500, 60), 10_000)]})
    for number in range(6):
        parlour.bought(budi, account=f"12345678{number}", item="xx")
    budi.says("/riwayat")
    longest: View = max(budi.views, key=lambda view: len(whole(view)))
    assert len(whole(longest)) < 4096
