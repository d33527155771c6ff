"""What owners are asked: each case with its evidence and its answers."""

from collections.abc import Iterable, Mapping

from bot.conversation.letters import Drawn, Letter, letter_about
from bot.conversation.room import Room
from bot.conversation.views import Choice, View, for_case
from shop.cases import Answer, Case, CaseKind, answers
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import CASH, HOUSE, Order, Status

# Whose words the evidence is in, where they are not the supplier's.
_EVIDENCE: Mapping[str, str] = {CaseKind.UNDELIVERED: "case.message"}


def _evidence(kind: str) -> str:
    return _EVIDENCE.get(kind, "case.evidence")


def draw_case(letter: Letter) -> Drawn:
    """Draw the question of a case as the shop first puts it."""
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


# What the same answer is called where no goods are sold.
_ANSWERS_OF: Mapping[str, Mapping[str, str]] = {
    CASH: {Answer.ARRIVED: "answer.arrived.cash", Answer.GIVE_BACK: "answer.give_back.cash"},
}


def _answers(letter: Letter, case_id: str, words: Iterable[str]) -> tuple[Choice, ...]:
    names = _ANSWERS_OF.get(letter.text("sold"), {})
    return tuple(
        for_case(case_id, word, letter.texts(names.get(word, f"answer.{word}"))) for word in words
    )


def _supplier_case(letter: Letter) -> View:
    """Draw a case about a supplier's balance, or about a payment."""
    supplier, kind = letter.text("supplier"), letter.text("kind")
    return View(
        title=letter.say(f"case.{kind}.title", supplier=supplier),
        text=letter.say(f"case.{kind}", supplier=supplier, evidence=letter.text("evidence")),
        choices=_answers(letter, letter.text("case"), letter.text("answers").split()),
    )


_SHOWN_HISTORY = 8


def case_view(case: Case, order: Order, room: Room) -> View:
    """Show the owner one case: what happened, and every answer that is a legal move now."""
    letter = letter_about(order, room)
    happened = room.books.orders.history(order.id)
    words = [f"{room.texts.time(each.at)} {room.texts(f'word.{each.became}')}" for each in happened]
    parts = [
        letter.say(f"case.{case.kind}"),
        "",
        letter.say(letter.about("case.about")),
        room.texts("case.buyer", address=order.address),
        room.texts("case.state", status=room.texts(f"word.{order.status}")),
        letter.say(_evidence(case.kind), evidence=case.evidence or "-"),
        "",
        *list(dict.fromkeys(words))[-_SHOWN_HISTORY:],
    ]
    if order.payout:
        parts.insert(4, room.texts("case.payout", payout=order.payout))
    choices = _answers(letter, case.id, answers(case, order))
    return View(title=letter.say("case.title"), text="\n".join(parts), choices=choices)


def supplier_case_view(case: Case, room: Room) -> View:
    """Show the owner a case about a supplier's balance."""
    facts: Facts = {
        "case": case.id,
        "kind": case.kind,
        "supplier": case.about,
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
    letter = letter_about(order, room)
    return View(
        title=letter.say("case.sure"),
        text=letter.say(_sure(order, answer), address=order.address),
        choices=(
            for_case(case.id, f"yes-{answer}", room.texts("case.yes")),
            for_case(case.id, "open", room.texts("case.no")),
        ),
    )
