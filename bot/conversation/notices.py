"""The messages the shop sends by itself, in the reader's language."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.conversation.room import Face, Room
from bot.conversation.texts import Texts
from bot.conversation.views import Choice, View, for_case, for_order
from shop.cases import Answer, Case, CaseKind, answers
from shop.notices import Facts, Notice, NoticeKind, facts_of
from shop.ordering import is_payable
from shop.orders import HOUSE, Event, Order, Returned, Status
from shop.payments import PaymentMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A notice as a view. ``slot`` names what may be edited later; ``edit``: edit that one."""

    view: View
    slot: str = ""
    edit: bool = False
    only_edit: bool = False  # nothing to send where nothing can be edited


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a notice is drawn from. ``picture``: of its QR; ``link``: where there is no picture."""

    notice: Notice
    texts: Texts
    face: Face
    picture: bytes | None = None
    link: str = ""

    @property
    def facts(self) -> Facts:
        return self.notice.facts

    def text(self, name: str) -> str:
        value = self.facts.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        value = self.facts.get(name)
        return value if isinstance(value, int) else 0

    @property
    def game(self) -> str:
        slug = self.text("game")
        return next((game.title for game in self.face.games if game.slug == slug), slug)

    @property
    def account(self) -> str:
        server = self.text("server")
        titles = (s.title for game in self.face.games for s in game.servers if s.code == server)
        return (
            f"{self.text('user_id')} ({next(titles, server)})" if server else self.text("user_id")
        )

    def about(self, text_id: str) -> str:
        """Return the text for goods, or the one for what the shop itself sells."""
        sold = self.text("sold")
        return f"{text_id}.{sold}" if sold else text_id

    @property
    def support(self) -> str:
        return self.face.support or self.face.name

    def say(self, text_id: str, **more: object) -> str:
        """Return a text with everything about the order at hand."""
        expires_at, until = self.facts.get("expires_at"), self.facts.get("until")
        return self.texts(
            text_id,
            order=self.notice.order_id,
            game=self.game,
            item=self.text("item"),
            account=self.account,
            price=self.texts.money(self.number("price")),
            amount=self.texts.money(self.number("amount")),
            asked=self.texts.money(self.number("asked")),
            ends="" if expires_at is None else self.texts.time(self.number("expires_at")),
            at=self.texts.date(self.number("at")),
            until="" if until is None else self.texts.time(self.number("until")),
            serial=self.text("serial"),
            support=self.support,
            **more,
        )


def draw(letter: Letter) -> Drawn:
    """Draw a notice. The same notice is drawn the same, however often it is sent."""
    return _DRAWN[letter.notice.kind](letter)


_PROGRESS: Mapping[Status, tuple[str, ...]] = {
    Status.PLACED: ("progress.preparing",),
    Status.OPENING: ("progress.preparing",),
    Status.AWAITING_PAYMENT: ("progress.ordered", "progress.awaiting"),
    Status.PAID: ("progress.ordered", "progress.paid", "progress.processing"),
    Status.SUBMITTING: ("progress.ordered", "progress.paid", "progress.processing"),
    Status.PROCESSING: ("progress.ordered", "progress.paid", "progress.processing"),
    Status.UNSURE: ("progress.ordered", "progress.paid", "progress.processing"),
    Status.PARTLY_DELIVERED: ("progress.ordered", "progress.paid", "progress.partly"),
    Status.DELIVERED: ("progress.ordered", "progress.paid", "progress.delivered"),
    Status.REFUND_DUE: ("progress.ordered", "progress.paid", "progress.refund_due"),
    Status.REFUNDED: ("progress.ordered", "progress.paid", "progress.refunded"),
    Status.EXPIRED: ("progress.ordered", "progress.expired"),
    Status.CANCELLED: ("progress.ordered", "progress.cancelled"),
}


def _status(letter: Letter) -> Drawn:
    lines = [letter.say(name) for name in _PROGRESS[Status(letter.text("status"))]]
    if letter.text("returned") == Returned.WALLET:
        lines[-1] = letter.say("progress.credited")
    text = "\n".join([letter.say(letter.about("status.about")), "", *lines])
    return Drawn(view=View(title=letter.say("status.title"), text=text), slot="status", edit=True)


def _qr(letter: Letter) -> Drawn:
    parts = [letter.say(letter.about("qr.pay"))]
    extra = letter.number("amount") - letter.number("price")
    if extra:
        parts.append(letter.say("qr.other_amount", extra=letter.texts.money(abs(extra))))
    if letter.text("expires_at"):
        parts.append(letter.say("qr.ends"))
    if letter.picture is not None:
        parts.append(letter.say("qr.how"))
    else:
        parts.append(letter.say("qr.link" if letter.link else "qr.no_picture"))
    if letter.text("method") == PaymentMethod.QRIS:
        parts.append(letter.say("qr.own"))
    view = View(
        title=letter.say("qr.title"),
        text="\n".join(parts),
        image=letter.picture,
        link="" if letter.picture is not None else letter.link,
        choices=(
            for_order(letter.notice.order_id, "paid", letter.texts("button.paid")),
            for_order(letter.notice.order_id, "cancel", letter.texts("button.cancel")),
        ),
    )
    return Drawn(view=view, slot="qr")


_CLOSED: Mapping[Status, str] = {
    Status.CANCELLED: "qr.closed_hidden",
    Status.EXPIRED: "qr.closed_expired",
}


def _qr_closed(letter: Letter) -> Drawn:
    """Take the buttons from the QR, and say that it is not to be paid any more."""
    status = Status(letter.text("status"))
    text = letter.say(_CLOSED.get(status, "qr.closed_paid"))
    choices: tuple[Choice, ...] = ()
    if status is Status.CANCELLED:
        choices = (for_order(letter.notice.order_id, "show", letter.texts("button.show_qr")),)
    view = View(title=letter.say("qr.title"), text=text, choices=choices)
    return Drawn(view=view, slot="qr", edit=True, only_edit=True)


_NOT_OPENED: Mapping[str, str] = {
    Event.INVOICE_REFUSED: "not_opened.refused",
    Event.OUTCOME_UNKNOWN: "not_opened.unknown",
    Event.INVOICE_AT_A_LOSS: "not_opened.loss",
    Event.GIVEN_UP: "not_opened.given_up",
}


def _not_opened(letter: Letter) -> Drawn:
    return Drawn(view=_with_again(letter, _NOT_OPENED[letter.text("event")], "button.try_again"))


def _lapsed(letter: Letter) -> Drawn:
    order_id = letter.notice.order_id
    choices = (
        for_order(order_id, "again", letter.texts("button.order_again")),
        for_order(order_id, "paid", letter.texts("button.paid")),
    )
    return Drawn(view=View(text=letter.say("lapsed"), choices=choices))


def _with_again(letter: Letter, text_id: str, label: str) -> View:
    again = for_order(letter.notice.order_id, "again", letter.texts(label))
    return View(text=letter.say(text_id), choices=(again,))


def _delivered(letter: Letter) -> Drawn:
    if letter.text("sold"):
        return Drawn(view=View(text=letter.say(letter.about("delivered"))))
    serial = letter.text("serial")
    again = for_order(letter.notice.order_id, "again", letter.texts("button.buy_again"))
    text = letter.say("delivered.with_serial" if serial else "delivered.without_serial")
    if letter.text("was") == Status.REFUND_DUE:  # we had said that the money comes back
        text = f"{letter.say('delivered.after_all')}\n\n{text}"
    view = View(
        title=letter.say("delivered.title"),
        text=text,
        copy=serial,
        choices=(again,),
    )
    return Drawn(view=view)


def _refund_due(letter: Letter) -> Drawn:
    late = letter.text("event") == Event.PAID_LATE
    payout = for_order(letter.notice.order_id, "payout", letter.texts("button.payout"))
    text = letter.say("refund_due.late" if late else "refund_due")
    return Drawn(view=View(text=text, choices=(payout,)))


# Why money went back into the wallet, where more can be said than that it did.
_CREDITED_WHY: Mapping[str, str] = {
    Event.PAID_LATE: "credited.late",
    Event.TOO_DEAR: "credited.too_dear",
    Event.GIVEN_BACK: "credited.given_back",
}


def _refunded(letter: Letter) -> Drawn:
    if letter.text("returned") != Returned.WALLET:
        return Drawn(view=View(text=letter.say("refunded")))
    why = letter.say(_CREDITED_WHY.get(letter.text("why"), "credited.failed"))
    if letter.text("sold"):
        why = letter.say(letter.about("credited"))
    text = f"{why}\n\n{letter.say('credited.how')}"
    balance = Choice("saldo", letter.texts("button.wallet"), data="p:saldo:")
    return Drawn(view=View(text=text, choices=(balance,)))


def _serial(letter: Letter) -> Drawn:
    view = View(
        title=letter.say("serial.title"), text=letter.say("serial.text"), copy=letter.text("serial")
    )
    return Drawn(view=view)


def _plain(text_id: str) -> Callable[[Letter], Drawn]:
    def drawn(letter: Letter) -> Drawn:
        return Drawn(view=View(text=letter.say(text_id)))

    return drawn


def _unpaid_yet(letter: Letter) -> Drawn:
    paid = for_order(letter.notice.order_id, "paid", letter.texts("button.paid"))
    return Drawn(view=View(text=letter.say("claim.unpaid_yet"), choices=(paid,)))


# Whose words the evidence is in, where they are not the supplier's.
_EVIDENCE: Mapping[str, str] = {CaseKind.UNDELIVERED: "case.message"}


def _evidence(kind: str) -> str:
    return _EVIDENCE.get(kind, "case.evidence")


def _case(letter: Letter) -> Drawn:
    case_id, kind = letter.text("case"), letter.text("kind")
    if not letter.notice.order_id:
        return Drawn(view=_supplier_case(letter))
    parts = [
        letter.say(f"case.{kind}"),
        "",
        letter.say(letter.about("case.about")),
        letter.say("case.buyer", address=letter.text("buyer")),
    ]
    if letter.text("payout"):
        parts.append(letter.say("case.payout", payout=letter.text("payout")))
    parts.append(letter.say(_evidence(kind), evidence=letter.text("evidence") or "-"))
    return Drawn(
        view=View(
            title=letter.say("case.title"),
            text="\n".join(parts),
            choices=_answers(letter, case_id, letter.text("answers").split()),
        )
    )


def _answers(letter: Letter, case_id: str, words: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(for_case(case_id, word, letter.texts(f"answer.{word}")) for word in words)


def _supplier_case(letter: Letter) -> View:
    """Draw a case about a supplier's balance."""
    supplier = letter.text("supplier")
    return View(
        title=letter.say("case.balance.title", supplier=supplier),
        text=letter.say("case.balance", supplier=supplier, evidence=letter.text("evidence")),
        choices=_answers(letter, letter.text("case"), letter.text("answers").split()),
    )


def _receipt(letter: Letter) -> Drawn:
    """Pass a customer's picture on, where the owner reads the same channel."""
    channel = letter.notice.address.partition(":")[0]
    same = letter.text("buyer").startswith(f"{channel}:")
    file = letter.text("file") if same else ""
    text = letter.say("receipt" if file else "receipt.elsewhere", address=letter.text("buyer"))
    return Drawn(view=View(text=text, file=file))


def _balance(letter: Letter) -> Drawn:
    if letter.facts.get("balance") is None:
        text = letter.say("balance.unknown", supplier=letter.text("supplier"))
    else:
        balance = letter.texts.money(letter.number("balance"))
        text = letter.say("balance.is", supplier=letter.text("supplier"), balance=balance)
        if letter.number("low"):
            text = f"{text}\n{letter.say('balance.low')}"
    return Drawn(view=View(text=text))


def _alert(letter: Letter) -> Drawn:
    name = letter.text("alert") or "unknown_word"
    return Drawn(
        view=View(
            text=letter.say(
                f"alert.{name}",
                supplier=letter.text("supplier"),
                evidence=letter.text("evidence"),
            )
        )
    )


_DRAWN: Mapping[NoticeKind, Callable[[Letter], Drawn]] = {
    NoticeKind.STATUS: _status,
    NoticeKind.QR: _qr,
    NoticeKind.QR_CLOSED: _qr_closed,
    NoticeKind.NOT_OPENED: _not_opened,
    NoticeKind.LAPSED: _lapsed,
    NoticeKind.UNPAID_YET: _unpaid_yet,
    NoticeKind.CHECK_DELAYED: _plain("claim.delayed"),
    NoticeKind.PAID_LATE: _plain("paid_late"),
    NoticeKind.SLOW: _plain("slow"),
    NoticeKind.DELIVERED: _delivered,
    NoticeKind.SERIAL: _serial,
    NoticeKind.REFUND_DUE: _refund_due,
    NoticeKind.REFUNDED: _refunded,
    NoticeKind.PAID_WRONG: _plain("paid_wrong"),
    NoticeKind.PARTLY: _plain("partly"),
    NoticeKind.RECEIPT: _receipt,
    NoticeKind.CASE: _case,
    NoticeKind.BALANCE: _balance,
    NoticeKind.ALERT: _alert,
}


def status_word(order: Order, room: Room) -> str:
    """Return one word or two for where an order stands."""
    return room.texts(f"word.{order.status}")


def order_view(order: Order, room: Room) -> View:
    """Show one order as it stands, with what its buyer may still do."""
    letter = _letter(order, room)
    view = _status(letter).view
    choices = []
    if order.status is Status.AWAITING_PAYMENT:
        choices.append(for_order(order.id, "paid", room.texts("button.paid")))
    if order.status in {Status.AWAITING_PAYMENT, Status.CANCELLED} and is_payable(order, room.now):
        choices.append(for_order(order.id, "show", room.texts("button.show_qr")))
    if order.status is Status.AWAITING_PAYMENT:
        choices.append(for_order(order.id, "cancel", room.texts("button.cancel")))
    if order.status is Status.REFUND_DUE:
        choices.append(for_order(order.id, "payout", room.texts("button.payout")))
    if order.status in {Status.DELIVERED, Status.EXPIRED, Status.CANCELLED} and order.game:
        choices.append(for_order(order.id, "again", room.texts("button.buy_again")))
    text = f"{view.text}\n{room.texts('serial.label')}" if order.serial else view.text
    return View(title=view.title, text=text, copy=order.serial, choices=tuple(choices))


_SHOWN_HISTORY = 8


def case_view(case: Case, order: Order, room: Room) -> View:
    """Show the owner one case: what happened, and every answer that is a legal move now."""
    letter = _letter(order, room)
    happened = room.books.orders.history(order.id)[-_SHOWN_HISTORY:]
    parts = [
        letter.say(f"case.{case.kind}"),
        "",
        letter.say(letter.about("case.about")),
        room.texts("case.buyer", address=order.address),
        room.texts("case.state", status=status_word(order, room)),
        letter.say(_evidence(case.kind), evidence=case.evidence or "-"),
        "",
        *(f"{room.texts.time(each.at)} {each.event}" for each in happened),
    ]
    if order.payout:
        parts.insert(4, room.texts("case.payout", payout=order.payout))
    choices = _answers(letter, case.id, answers(case, order))
    return View(title=letter.say("case.title"), text="\n".join(parts), choices=choices)


def supplier_case_view(case: Case, room: Room) -> View:
    """Show the owner a case about a supplier's balance."""
    facts: Facts = {
        "case": case.id,
        "supplier": case.supplier,
        "evidence": case.evidence,
        "answers": " ".join(answers(case, None)),
    }
    notice = Notice(key="", kind=NoticeKind.CASE, address=room.address, facts=facts)
    return _supplier_case(Letter(notice=notice, texts=room.texts, face=room.face))


# What an answer means depends on whose money it is about.
_SURE: Mapping[tuple[Answer, Status], str] = {
    (Answer.PAID, Status.AWAITING_PAYMENT): "sure.paid_own",
    (Answer.PAID, Status.EXPIRED): "sure.paid_own_late",
    (Answer.PAID, Status.CANCELLED): "sure.paid_own_late",
    (Answer.GIVE_BACK, Status.PROCESSING): "sure.give_back_cash",
    (Answer.ARRIVED, Status.PROCESSING): "sure.cash_sent",
}


def _sure(order: Order, answer: Answer) -> str:
    own = order.is_prepaid and (answer is Answer.PAID or order.supplier == HOUSE)
    return _SURE.get((answer, order.status), f"sure.{answer}") if own else f"sure.{answer}"


def confirm_view(case: Case, order: Order, answer: Answer, room: Room) -> View:
    """Ask the owner once more: bound to this case, this answer and this amount."""
    letter = _letter(order, room)
    return View(
        title=letter.say("case.sure"),
        text=letter.say(_sure(order, answer), address=order.address),
        choices=(
            for_case(case.id, f"yes-{answer}", room.texts("case.yes")),
            for_case(case.id, "open", room.texts("case.no")),
        ),
    )


def _letter(order: Order, room: Room) -> Letter:
    notice = Notice(
        key="",
        kind=NoticeKind.STATUS,
        address=order.address,
        order_id=order.id,
        facts=facts_of(order),
    )
    return Letter(notice=notice, texts=room.texts, face=room.face)
