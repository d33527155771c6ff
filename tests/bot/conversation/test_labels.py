"""What stands on buttons, in everything the shop can show, in both languages.

WhatsApp shows three buttons of 20 characters or a list of rows of 24; Telegram carries 64 bytes
behind a button. Names of items and accounts are foreign text: a channel shortens those.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

import pytest

from bot.conversation import commands
from bot.conversation.acting import act
from bot.conversation.case_views import case_view, confirm_view
from bot.conversation.confirming import Confirm
from bot.conversation.crediting import AskCash, AskCredit, AskCreditMethod
from bot.conversation.notices import order_view
from bot.conversation.steps import STEPS, AskField
from bot.conversation.texts import LANGUAGES
from bot.conversation.views import MOST_DATA_BYTES, Acted, Choice, Draft, StepId, View, read_button
from bot.owner.desk import OwnersDesk
from shop import notices
from shop.cases import Answer, Case, CaseKind, answers
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import (
    CASH,
    CREDIT,
    HOUSE,
    MOVES,
    Event,
    Order,
    Returned,
    Status,
    moves_of,
)
from shop.payments import PaymentMethod
from shop.suppliers import Invoice, Why
from tests.bot.conversation.form_samples import CHOSEN_FIRST
from tests.bot.conversation.parlour import (
    EVERY_WAY,
    GAMES,
    NOON,
    OWNER,
    SHELF,
    SUPPLIER,
    TEXTS,
    Guest,
    Parlour,
    draw_notice,
)

_WHY = ("", Event.PAID_LATE, Event.TOO_DEAR, Event.GIVEN_BACK, Event.FAILED)  # it was credited
LONGEST_ID = "ABCDEFGHJK"  # an order number has ten characters
EVERY_METHOD = [
    ways for n in range(len(PaymentMethod) + 1) for ways in combinations(PaymentMethod, n)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What is sold, and how it is paid. ``sku``: of the shop itself, or nothing for goods."""

    method: PaymentMethod
    sku: str = ""


GOODS = Sale(method=PaymentMethod.DROPSHIP)
SALES = (
    GOODS,
    Sale(method=PaymentMethod.QRIS),
    Sale(method=PaymentMethod.QRIS, sku=CREDIT),
    Sale(method=PaymentMethod.WALLET, sku=CASH),
)


def an_order(
    status: Status = Status.AWAITING_PAYMENT, *, serial: str = "", sale: Sale = GOODS
) -> Order:
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
        supplier=HOUSE if sale.sku else "zultopup",
        sku=sale.sku or "1",
        game="" if sale.sku else "free-fire",
        item="Saldo Rp50.000" if sale.sku else "70 Diamond",
        user_id="" if sale.sku else "123456789",
        server="",
        target="" if sale.sku else "123456789",
        listed=10_000,
        cost=11_200,
        price=11_800,
        status=status,
        version=3,
        created_at=NOON,
        quote_until=NOON + 900_000,
        changed_at=NOON,
        due_at=None,
        invoice=None if status in unopened or sale.sku == CASH else invoice,
        serial=serial,
        method=sale.method,
        gateway="zultopup" if sale.method is PaymentMethod.DROPSHIP else HOUSE,
        payout="BCA 1234567890 Budi" if sale.sku == CASH else "",
    )


def a_case(kind: CaseKind = CaseKind.STUCK) -> Case:
    return Case(
        id=f"{LONGEST_ID}-12bbb", order_id=LONGEST_ID, kind=kind, evidence="Gagal", opened_at=NOON
    )


ALERTS = (
    "", "list_kept", "list_unread", "undeliverable", "unknown_order", "back",
    *(f"away_{why}" for why in Why),
)  # fmt: skip
# What a supplier may have found wrong with an account, as it may say it.
WRONG_ACCOUNTS: tuple[Facts, ...] = (
    {"wrong": "account"},
    {"wrong": "account", "nickname": "Whyy", "region": "ID", "wanted": "BR"},
)
ABOUT_NO_ORDER = {CaseKind.BALANCE, CaseKind.PAID_TWICE}


def a_supplier_case(kind: CaseKind = CaseKind.BALANCE) -> Case:
    words = "Rp100.000 → Rp90.000 (-Rp10.000)"
    return Case(
        id="zonegame-12", order_id="", about="zonegame", kind=kind, evidence=words,
        opened_at=NOON,
    )  # fmt: skip


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
    yield from every_field(parlour, language)
    yield from every_way_to_pay(parlour, language)


def every_field(parlour: Parlour, language: str) -> Iterator[View]:
    """The questions of a supplier's own form."""
    parlour.stock({"free-fire": [("1", "70 Diamond", 10_000, *CHOSEN_FIRST)]})
    room, draft = (
        parlour.room(language=language),
        Draft(game="free-fire", supplier=SUPPLIER, sku="1"),
    )
    for given in ("", '["Android"]', '["Android","123"]'):
        yield AskField().ask(room, replace(draft, fields=given))
    parlour.stock(SHELF)


def every_way_to_pay(parlour: Parlour, language: str) -> Iterator[View]:
    """The questions about paying, in shops that can be paid in some ways."""
    goods = Draft(game="free-fire", supplier="zultopup", sku="1", item="70 Diamond", price=11_800)
    for methods in EVERY_METHOD:
        parlour.arrange(replace(EVERY_WAY, methods=methods))
        for address in ("web:budi", "web:nobody"):
            room = parlour.room(address, language)
            yield Confirm().ask(room, goods)
            yield AskCredit().ask(room, Draft())
            yield AskCash().ask(room, Draft())
            yield AskCreditMethod().ask(room, Draft(price=50_000))
            yield from filter(None, [commands.answer(room, "saldo", "")])
    parlour.arrange(EVERY_WAY)


def every_notice(language: str) -> Iterator[View]:
    for sale in SALES:
        yield from _every_notice_of(sale, language)
    more: Facts = {"supplier": "ZulTopup", "evidence": "a → b", "balance": 12, "low": 1}
    facts = {**notices.facts_of(an_order()), **more}
    for kind in (NoticeKind.UNPAID_YET, NoticeKind.CHECK_DELAYED, NoticeKind.SLOW):
        yield _drawn(kind, facts, language)
    for buyer in (OWNER, "telegram:12345"):
        yield _drawn(NoticeKind.RECEIPT, {**facts, "buyer": buyer, "file": "f"}, language)
    for amount in (5_000, -5_000):
        credit: Facts = {"amount": amount, "reason": "hadiah", "credit": 7_000}
        yield _drawn(NoticeKind.CREDIT, credit, language, order_id="")
    for wrong in WRONG_ACCOUNTS:
        yield _drawn(NoticeKind.REFUND_DUE, {**facts, **wrong}, language)
        yield _drawn(NoticeKind.REFUNDED, {**facts, **wrong, "returned": "wallet"}, language)
    for case, sale in product(CaseKind, SALES):
        yield _drawn_case(case, sale, facts, language)
    yield _drawn(NoticeKind.BALANCE, facts, language)
    yield _drawn(NoticeKind.BALANCE, {**facts, "balance": None}, language)
    for alert in ALERTS:
        yield _drawn(NoticeKind.ALERT, {**facts, "alert": alert}, language)


def _every_notice_of(sale: Sale, language: str) -> Iterator[View]:
    shows_a_qr = {Event.INVOICE_OPENED, Event.REOPENED}
    for (was, event), became in moves_of(an_order(sale=sale)).items():
        if sale.sku == CASH and event in shows_a_qr:
            continue  # cash is paid from the wallet
        for serial, why in product(("", "SN-1"), _WHY if event is Event.CREDITED else ("",)):
            order = an_order(became, serial=serial, sale=sale)
            if event is Event.CREDITED:
                order = replace(order, returned=Returned.WALLET)
            facts: Facts = {"until": NOON, "why": why}
            for notice in notices.after(an_order(was, sale=sale), order, event, facts):
                yield draw_notice(notice, language).view


def _drawn_case(kind: CaseKind, sale: Sale, facts: Facts, language: str) -> View:
    if kind in ABOUT_NO_ORDER:
        words = " ".join(answers(a_supplier_case(kind), None))
        facts = {**facts, "case": a_supplier_case().id, "kind": kind, "answers": words}
        return _drawn(NoticeKind.CASE, facts, language, order_id="")
    order = an_order(Status.REFUND_DUE, sale=sale)
    case = a_case(kind)
    words = " ".join(answers(case, order))
    facts = {**facts, **notices.facts_of(order), "payout": order.payout, "buyer": order.address}
    facts = {**facts, "kind": kind, "case": case.id, "answers": words}
    return _drawn(NoticeKind.CASE, facts, language)


def _drawn(kind: NoticeKind, facts: Facts, language: str, order_id: str = LONGEST_ID) -> View:
    notice = Notice(key="k", kind=kind, address=OWNER, order_id=order_id, facts=facts)
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
    for action in ("paid", "cancel", "show", "payout", "made-up"):
        shown = act(room, bought.id, action)
        if isinstance(shown, View):
            yield shown
    for status, sale in product(Status, SALES):
        yield order_view(an_order(status, sale=sale), room)


def every_desk(parlour: Parlour, language: str) -> Iterator[View]:
    """What owners see."""
    owners = parlour.room(OWNER, language)
    for kind, status, sale in product(set(CaseKind) - ABOUT_NO_ORDER, Status, SALES):
        case, order = a_case(kind), an_order(status, sale=sale)
        yield case_view(case, order, owners)
        decisions = [a for a in answers(case, order) if a is not Answer.SEEN]
        yield from (confirm_view(case, order, answer, owners) for answer in decisions)
    desk = OwnersDesk([OWNER])
    parlour.books.cases.put(a_supplier_case())
    for action in ("open", "adjust", "yes-adjust", "open"):
        yield desk.act(owners, a_supplier_case().id, action)
    for count in (0, 1, 12):
        for number in range(count):
            parlour.books.cases.put(
                replace(a_case(), id=f"case{number:02d}", order_id=_another(parlour, number))
            )
        said = (desk.command(owners, name, "") for name in ("saldo", "kasus", "buku", "catat"))
        yield from (view for view in said if isinstance(view, View))


def _another(parlour: Parlour, number: int) -> str:
    order = replace(an_order(Status.REFUND_DUE), id=f"CASEORDR{number:02d}", key=f"c{number}")
    if parlour.books.orders.get(order.id) is None:
        parlour.books.orders.add(order)
    return order.id


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    """A shop that can be paid in every way, and a customer with credit."""
    opened = Parlour(rules=EVERY_WAY)
    opened.fund(10_000_000)
    opened.give_credit(opened.guest(), 1_234_567)
    yield opened
    opened.close()


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
    assert {step.id for step in (*STEPS, *OwnersDesk.steps)} == set(StepId)
    silent = {
        Event.PLACED, Event.OPENING_STARTED, Event.NOT_SENT, Event.SUBMISSION_STARTED,
        Event.COST_RETURNED, Event.LOSS_RECORDED,
    }  # fmt: skip
    drawn = {
        notice.kind
        for was, event in MOVES
        for notice in notices.after(an_order(was), an_order(), event)
        if event not in silent
    }
    by_hand = {
        NoticeKind.UNPAID_YET, NoticeKind.CHECK_DELAYED, NoticeKind.SLOW, NoticeKind.CASE,
        NoticeKind.BALANCE, NoticeKind.ALERT, NoticeKind.RECEIPT,
        NoticeKind.CREDIT,
    }  # fmt: skip
    assert drawn | by_hand == set(NoticeKind)
