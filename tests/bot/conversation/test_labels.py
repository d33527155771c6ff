"""What stands on buttons, in everything the shop can show, in both languages.

WhatsApp shows three buttons of 20 characters or a list of rows of 24; Telegram carries 64 bytes
behind a button. Names of items and accounts are foreign text: a channel shortens those.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from bot.conversation import commands
from bot.conversation.acting import act
from bot.conversation.notices import case_view, confirm_view, order_view
from bot.conversation.steps import STEPS
from bot.conversation.texts import LANGUAGES
from bot.conversation.views import MOST_DATA_BYTES, Acted, Choice, Draft, StepId, View, read_button
from bot.owner.desk import OwnersDesk
from shop import notices
from shop.cases import Answer, Case, CaseKind, answers
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import MOVES, Event, Order, Status
from shop.suppliers import Invoice
from tests.bot.conversation.parlour import (
    GAMES,
    NOON,
    OWNER,
    SHELF,
    TEXTS,
    Guest,
    Parlour,
    draw_notice,
)

LONGEST_ID = "ABCDEFGHJK"  # an order number has ten characters


def an_order(status: Status = Status.AWAITING_PAYMENT, *, serial: str = "") -> Order:
    unopened = {Status.PLACED, Status.OPENING}
    invoice = Invoice(
        supplier_ref="55",
        number="INV-55",
        amount=11_800,
        cost=11_200,
        qr="",
        link="",
        expires_at=NOON + 900_000,
    )
    return Order(
        id=LONGEST_ID,
        key="k",
        address="web:budi",
        supplier="zultopup",
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id="123456789",
        server="",
        target="123456789",
        listed=10_000,
        cost=11_200,
        price=11_800,
        status=status,
        version=3,
        created_at=NOON,
        quote_until=NOON + 900_000,
        changed_at=NOON,
        due_at=None,
        invoice=None if status in unopened else invoice,
        serial=serial,
    )


def a_case(kind: CaseKind = CaseKind.STUCK) -> Case:
    return Case(
        id=f"{LONGEST_ID}-12bbb", order_id=LONGEST_ID, kind=kind, evidence="Gagal", opened_at=NOON
    )


def every_question(parlour: Parlour, language: str) -> Iterator[View]:
    """Each step for each game, with a shelf and without, with and without a past."""
    drafts = [
        Draft(
            game=game.slug,
            supplier="zultopup",
            sku="1",
            item="70 Diamond",
            user_id="123456789",
            server=game.servers[0].code if game.servers else "2001",
            price=1_234_567,
        )
        for game in GAMES
    ]
    for shelf in (SHELF, {}):
        parlour.stock(shelf)
        for address in ("web:budi", "web:nobody"):
            room = parlour.room(address, language)
            yield from (step.ask(room, draft) for step in STEPS for draft in drafts)
            yield from (STEPS[0].ask(room, Draft(find=words)) for words in ("ff", "free", "xyz"))
    parlour.stock(SHELF)


def every_notice(language: str) -> Iterator[View]:
    for (was, event), became in MOVES.items():
        for serial in ("", "SN-1"):
            order = an_order(became, serial=serial)
            for notice in notices.after(an_order(was), order, event, {"until": NOON}):
                yield draw_notice(notice, language).view
    more: Facts = {"supplier": "ZulTopup", "evidence": "a → b", "balance": 12, "low": 1}
    facts = {**notices.facts_of(an_order()), **more}
    for kind in (NoticeKind.UNPAID_YET, NoticeKind.CHECK_DELAYED, NoticeKind.SLOW):
        yield _drawn(kind, facts, language)
    for case in CaseKind:
        yield _drawn(NoticeKind.CASE, {**facts, "kind": case, "case": a_case().id}, language)
    yield _drawn(NoticeKind.BALANCE, facts, language)
    yield _drawn(NoticeKind.BALANCE, {**facts, "balance": None}, language)
    for alert in ("", "misconfigured", "list_kept", "undeliverable"):
        yield _drawn(NoticeKind.ALERT, {**facts, "alert": alert}, language)


def _drawn(kind: NoticeKind, facts: Facts, language: str) -> View:
    notice = Notice(key="k", kind=kind, address=OWNER, order_id=LONGEST_ID, facts=facts)
    return draw_notice(notice, language).view


def every_answer(parlour: Parlour, budi: Guest, language: str) -> Iterator[View]:
    """The commands, and the buttons of orders."""
    for _ in range(7):
        bought = parlour.bought(budi)
    room = parlour.room(language=language)
    for name in commands.MENU["id"]:
        for args in ("", "1", bought.id, "nothing"):
            view = commands.answer(room, name, args)
            yield from () if view is None else (view,)
    yield commands.cancelled(room)
    yield commands.languages(room)
    for action in ("paid", "cancel", "show", "made-up"):
        shown = act(room, bought.id, action)
        if isinstance(shown, View):
            yield shown
    yield from (order_view(an_order(status), room) for status in Status)


def every_desk(parlour: Parlour, language: str) -> Iterator[View]:
    """What owners see."""
    owners = parlour.room(OWNER, language)
    for kind in CaseKind:
        for status in Status:
            case, order = a_case(kind), an_order(status)
            yield case_view(case, order, owners)
            decisions = [a for a in answers(case, order) if a is not Answer.SEEN]
            yield from (confirm_view(case, order, answer, owners) for answer in decisions)
    desk = OwnersDesk([OWNER])
    for count in (0, 1, 12):
        for number in range(count):
            parlour.books.cases.put(
                replace(a_case(), id=f"case{number:02d}", order_id=_another(parlour, number))
            )
        yield from filter(None, (desk.command(owners, name) for name in ("saldo", "kasus")))


def _another(parlour: Parlour, number: int) -> str:
    order = replace(an_order(Status.REFUND_DUE), id=f"CASEORDR{number:02d}", key=f"c{number}")
    if parlour.books.orders.get(order.id) is None:
        parlour.books.orders.add(order)
    return order.id


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def views(parlour: Parlour, budi: Guest, language: str) -> list[View]:
    shown = [*every_notice(language), *every_answer(parlour, budi, language)]
    shown += [*every_desk(parlour, language), *every_question(parlour, language)]
    assert len(shown) > 150
    return shown


def _is_foreign(choice: Choice) -> bool:
    return choice.id.startswith(("@", "zultopup/"))


def _too_long(views: Iterable[View], back: str) -> set[str]:
    found = set()
    for view in views:
        labels = [choice.label for choice in view.choices if not _is_foreign(choice)]
        bound = [choice for choice in view.choices if not choice.data]
        count = len(view.choices) + bool(bound)  # the engine adds a way back to questions
        most = 20 if count <= 3 else 24
        found |= {label for label in [*labels, back] if len(label) > most}
    return found


def test_every_label_of_ours_fits_its_button(views: list[View], language: str) -> None:
    assert _too_long(views, TEXTS[language]("button.back")) == set()


def test_no_label_is_empty_and_no_two_of_a_view_mean_different_things(views: list[View]) -> None:
    for view in views:
        assert all(choice.label.strip() for choice in view.choices)
        ids = [choice.data or choice.id for choice in view.choices]
        assert len(ids) == len(set(ids))


def test_everything_shown_says_something(views: list[View]) -> None:
    for view in views:
        assert view.text.strip()
        assert "{" not in f"{view.title}{view.text}"
        assert "None" not in f"{view.title}{view.text}"


def test_the_buttons_that_are_not_of_a_view_fit_too(language: str) -> None:
    for name in ("back", "next", "previous", "copy", "open_link"):
        text_id = f"button.{name}"
        assert len(TEXTS[language](text_id)) <= 20


def test_every_button_fits_into_64_bytes_and_is_understood(
    views: list[View], parlour: Parlour, language: str
) -> None:
    for view in views:
        for choice in view.choices:
            data = choice.data or f"s:999999999:{choice.id}"
            assert len(data.encode()) <= MOST_DATA_BYTES, data
            heard = read_button(data)
            if choice.data:
                assert isinstance(heard, Acted)


def test_the_longest_product_code_still_fits_into_a_button(parlour: Parlour, budi: Guest) -> None:
    sku = "x" * 40  # the longest that is put on the shelf
    parlour.stock({"free-fire": [(sku, "70 Diamond", 10_000)]})
    budi.says("/start")
    parlour.sessions.of[budi.address] = replace(budi.session, screen=999_999_998)
    budi.says("Free Fire")
    assert len(budi.button("70").encode()) <= MOST_DATA_BYTES
    budi.taps("70")
    assert budi.step is StepId.ACCOUNT


def test_every_step_and_every_kind_of_notice_was_drawn(language: str) -> None:
    assert {step.id for step in STEPS} == set(StepId)
    silent = {Event.PLACED, Event.OPENING_STARTED, Event.NOT_SENT}
    drawn = {
        notice.kind
        for was, event in MOVES
        for notice in notices.after(an_order(was), an_order(), event)
        if event not in silent
    }
    by_hand = {
        NoticeKind.UNPAID_YET, NoticeKind.CHECK_DELAYED, NoticeKind.SLOW, NoticeKind.CASE,
        NoticeKind.BALANCE, NoticeKind.ALERT,
    }  # fmt: skip
    assert drawn | by_hand == set(NoticeKind)
