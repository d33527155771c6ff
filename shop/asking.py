"""Cases about no order: a supplier's balance, or a payment that is told with another amount."""

from dataclasses import replace

from shop.cases import Case, CaseKind, answers, with_words
from shop.notices import Facts, Notice, NoticeKind
from shop.orders import Order
from shop.ports import Books
from shop.time import Millis


def ask(books: Books, case: Case, now: Millis) -> None:
    """Store a case about no order, and owe the owners its question."""
    books.cases.put(case)
    tell(books, case, now)


def tell(books: Books, case: Case, now: Millis) -> None:
    """Owe the owners the question of a case about no order."""
    facts: Facts = {
        "case": case.id,
        "kind": case.kind,
        "supplier": case.about,
        "evidence": case.evidence,
        "answers": " ".join(answers(case, None)),
    }
    key = f"case:{case.id}:{case.kind}:{now}"
    books.outbox.owe_owners(Notice(key=key, kind=NoticeKind.CASE, address="", facts=facts), now)


def paid_twice(books: Books, order: Order, payment_id: str, words: str, now: Millis) -> None:
    """Ask about a payment that was believed and is now told with another amount, once for each.

    What becomes of its order answers nothing of it, so the case is about the payment alone.
    """
    about = f"{order.gateway} {payment_id}"
    last = books.cases.last_about(about)
    if last is not None and words in last.evidence:
        return
    case = Case(
        id=f"{order.id}-p{books.cases.count_about(about) + 1}",
        order_id="",
        about=about,
        kind=CaseKind.PAID_TWICE,
        evidence=f"{order.id} {order.address}: {words}",
        opened_at=now,
    )
    if last is not None and last.closed_at is None:
        evidence = with_words(last.evidence, words)
        case = replace(last, evidence=evidence, opened_at=now)
    ask(books, case, now)
