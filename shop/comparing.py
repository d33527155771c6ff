"""Compare what the books say of our balance at a supplier with what the supplier says.

Between the two lies what is under way: orders that may have been made and are not posted yet, and
deposits that may have been paid. Only a difference that these cannot explain is a case.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from shop import asking, ledger, moving, rerouting
from shop.cases import Answer, Case, CaseKind, with_words
from shop.entries import post_own
from shop.money import rupiah
from shop.moving import Because
from shop.orders import Event
from shop.ports import Books
from shop.time import Millis

SHOWN_POSTINGS = 10


def compared(books: Books, supplier: str, balance: int, asked_at: Millis, now: Millis) -> None:
    """Take in our balance at a supplier: agree, open the books with it, or ask the owner.

    ``asked_at``: what was posted since may stand in the answer, or not.
    """
    account = ledger.supplier(supplier)
    opening = f"opening:{supplier}"
    if not books.ledger.has(opening):
        post_own(
            books, account, balance - books.ledger.balance(account), opening, now, reason="opening"
        )
    _take_back(books, supplier, balance, asked_at, now)
    written = books.ledger.balance(account)
    under_way, since = books.orders.under_way(supplier), books.ledger.since(account, asked_at)
    least = written - under_way.leaving - since.coming
    most = written + under_way.coming + since.leaving
    agrees = least <= balance <= most
    books.ledger.note_balance(supplier, balance, now, agrees=agrees)
    _tell_the_unsure(books, supplier, written, balance, now)
    if not agrees:
        _ask(books, supplier, written, balance, now)
    elif (case := books.cases.open_about(supplier)) is not None:
        books.cases.close(case, None, "", now)


def _take_back(books: Books, supplier: str, balance: int, asked_at: Millis, now: Millis) -> None:
    """Post that failed orders' costs are back, if they are exactly what our balance is more by.

    Most suppliers do not say whether a failed order costs us anything (docs/suppliers.md). While
    anything else may explain the difference, nothing is posted.
    """
    account = ledger.supplier(supplier)
    under_way, since = books.orders.under_way(supplier), books.ledger.since(account, asked_at)
    if any((under_way.leaving, under_way.coming, since.leaving, since.coming)):
        return
    difference = balance - books.ledger.balance(account)
    words = f"saldo {supplier}: {rupiah(balance)}"
    kept = _kept(books, supplier, words, now)
    alone = [give_back for cost, give_back in kept if cost == difference]
    everything = sum(cost for cost, _ in kept) == difference
    for give_back in [each for _, each in kept] if everything else alone[:1]:
        give_back()


def _kept(
    books: Books, supplier: str, words: str, now: Millis
) -> Sequence[tuple[int, Callable[[], object]]]:
    """Return what failed orders' attempts cost of our balance, and what posts that it is back."""
    because = Because(evidence=words)
    kept: list[tuple[int, Callable[[], object]]] = []
    for order in books.orders.kept_costs(supplier):
        if order.attempt is not None:
            back = replace(order.attempt, charged=0)
            give_back = partial(
                moving.go, books, order, Event.COST_RETURNED, now, because, attempt=back
            )
            kept.append((order.attempt.charged, give_back))
    for order_id, attempt in books.attempts.left_behind(supplier):
        order_of = books.orders.get(order_id)
        if order_of is not None:
            give = partial(rerouting.cost_returned, books, order_of, attempt.nth, words, now)
            kept.append((attempt.charged, give))
    return kept


def _tell_the_unsure(books: Books, supplier: str, written: int, balance: int, now: Millis) -> None:
    """Put both balances beside each order that may have been made: evidence, not proof."""
    words = f"saldo {supplier}: buku {rupiah(written)}, nyata {rupiah(balance)}"
    for order in books.orders.unsure_at(supplier):
        moving.add_to_case(books, order, words, f"balance:{now}", now)


def _ask(books: Books, supplier: str, written: int, balance: int, now: Millis) -> None:
    difference = balance - written
    lines = "; ".join(
        f"{line.event or line.reason} {line.order_id} {rupiah(line.amount)}"
        for line in books.ledger.since_agreement(supplier, SHOWN_POSTINGS)
    )
    evidence = with_words(f"{rupiah(written)} → {rupiah(balance)} ({rupiah(difference)})", lines)
    case = books.cases.open_about(supplier)
    if case is not None and case.evidence == evidence:
        return
    if case is None:
        case = Case(
            id=f"{supplier}-{books.cases.count_about(supplier) + 1}",
            order_id="",
            about=supplier,
            kind=CaseKind.BALANCE,
            evidence=evidence,
            opened_at=now,
        )
    case = replace(case, evidence=evidence, opened_at=now, pending=None)
    asking.ask(books, case, now)


def adjust(books: Books, case: Case, actor: str, now: Millis) -> None:
    """Let the books follow what the supplier said last; the difference is the owner's.

    It is the one that the owner was shown: what was posted since has nothing to do with it.
    """
    account = ledger.supplier(case.about)
    said = books.ledger.last_said(case.about)
    since = books.ledger.since(account, case.opened_at + 1)
    difference = said - (books.ledger.balance(account) - since.coming + since.leaving)
    key = f"adjust:{case.id}:{case.opened_at}"
    post_own(books, account, difference, key, now, actor=actor, reason=case.evidence)
    books.ledger.note_balance(case.about, said, now, agrees=True)
    books.cases.close(case, Answer.ADJUST, actor, now)
