"""The messages the shop sends by itself, in the reader's language."""

from collections.abc import Callable, Mapping

from bot.conversation.case_views import draw_case
from bot.conversation.letters import Drawn, Letter, letter_about
from bot.conversation.room import Room
from bot.conversation.views import Choice, View, for_order
from shop.notices import NoticeKind
from shop.ordering import is_payable
from shop.orders import Event, Order, Returned, Status
from shop.payments import PaymentMethod


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
    elif letter.text("event") == Event.PAID_WRONG:
        lines[-1] = letter.say("progress.wrong")
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
    if letter.text("wrong"):
        text = f"{_what_is_wrong(letter)}\n\n{text}"
    return Drawn(view=View(text=text, choices=(payout,)))


def _what_is_wrong(letter: Letter) -> str:
    """Say what the supplier found wrong with the account that was to be topped up."""
    if letter.text("wanted"):
        return letter.say(
            "wrong.region",
            nickname=letter.text("nickname") or letter.account,
            wanted=letter.text("wanted"),
        )
    return letter.say("wrong.account")


# Why money went back into the wallet, where more can be said than that it did.
_CREDITED_WHY: Mapping[str, str] = {
    Event.PAID_LATE: "credited.late",
    Event.CHANGED: "credited.changed",
    Event.TOO_DEAR: "credited.too_dear",
    Event.GIVEN_BACK: "credited.given_back",
}


def _refunded(letter: Letter) -> Drawn:
    if letter.text("returned") != Returned.WALLET:
        return Drawn(view=View(text=letter.say("refunded")))
    why = letter.say(_CREDITED_WHY.get(letter.text("why"), "credited.failed"))
    if letter.text("sold"):
        why = letter.say(letter.about("credited"))
    if letter.text("wrong"):
        why = f"{_what_is_wrong(letter)}\n\n{why}"
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


def _receipt(letter: Letter) -> Drawn:
    """Pass a customer's picture on, where the owner reads the same channel."""
    channel = letter.notice.address.partition(":")[0]
    same = letter.text("buyer").startswith(f"{channel}:")
    file = letter.text("file") if same else ""
    text = letter.say("receipt" if file else "receipt.elsewhere", address=letter.text("buyer"))
    return Drawn(view=View(text=text, file=file))


def _credit(letter: Letter) -> Drawn:
    amount, reason = letter.number("amount"), letter.text("reason")
    text = letter.texts(
        "credit.given" if amount > 0 else "credit.taken",
        amount=letter.texts.money(abs(amount)),
        credit=letter.texts.money(letter.number("credit")),
        support=letter.support,
    )
    return Drawn(view=View(text=f"{text}\n{reason}" if reason else text))


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
    name, supplier = letter.text("alert") or "unknown_word", letter.text("supplier")
    return Drawn(
        view=View(
            text=letter.say(
                f"alert.{name}",
                supplier=letter.face.titles.get(supplier, supplier),
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
    NoticeKind.CREDIT: _credit,
    NoticeKind.CASE: draw_case,
    NoticeKind.BALANCE: _balance,
    NoticeKind.ALERT: _alert,
}


def status_word(order: Order, room: Room) -> str:
    """Return one word or two for where an order stands."""
    return room.texts(f"word.{order.status}")


def order_view(order: Order, room: Room) -> View:
    """Show one order as it stands, with what its buyer may still do."""
    letter = letter_about(order, room)
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
