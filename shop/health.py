"""Whether a supplier's goods can be sold now: noted at every call, told once when it changes.

A supplier that is away is off the shelf, is asked a question a minute, and orders wait for it.
"""

from dataclasses import replace

from shop import breaker, ledger
from shop.breaker import Outcome
from shop.notices import Facts, Notice, NoticeKind
from shop.ports import Books
from shop.suppliers import NO_TROUBLE, Trouble, Why
from shop.time import MINUTE, Millis

MISSES = 3  # questions in a row without an answer: then it is taken for away
PROBE_EVERY: Millis = MINUTE
LOOK_AGAIN: Millis = 5 * MINUTE  # at a supplier that leaves questions about orders open


def answered(books: Books, supplier: str, now: Millis) -> bool:
    """Take in that a supplier gave a usable answer; return whether it had been away.

    One that is away for want of balance comes back by ``has_balance`` alone.
    """
    trouble = books.health.of(supplier)
    if trouble == NO_TROUBLE:
        return False
    if trouble.why is Why.BALANCE:
        books.health.put(supplier, replace(trouble, misses=0))
        return False
    return _is_back(books, supplier, trouble, now)


def unanswered(books: Books, supplier: str, words: str, now: Millis) -> bool:
    """Take in that a question had no usable answer; return whether the supplier is now away."""
    trouble = books.health.of(supplier)
    trouble = replace(trouble, misses=min(trouble.misses + 1, MISSES))
    books.health.put(supplier, trouble)
    if trouble.away_since is not None:
        _probe(books, supplier, now)
        return False
    if trouble.misses < MISSES:
        return False
    return _is_away(books, supplier, replace(trouble, why=Why.SILENT), words, now)


def left_open(books: Books, supplier: str, now: Millis) -> None:
    """Take in that a question about one order had no usable answer: it may lie with the order.

    Of these alone no supplier is taken for away: the list, or our balance, is asked for soon, and
    that decides.
    """
    trouble = books.health.of(supplier)
    books.health.put(supplier, replace(trouble, misses=min(trouble.misses + 1, MISSES - 1)))
    if trouble.away_since is not None or trouble.misses + 1 < MISSES:
        return
    if not 0 <= now - books.calls.list_tried_at(supplier) < LOOK_AGAIN:
        _look(books, supplier, now)


def refused_us(books: Books, supplier: str, words: str, now: Millis) -> bool:
    """Take in that a supplier does not accept who we are; return whether that is news."""
    trouble = books.health.of(supplier)
    if trouble.why is Why.KEY:
        return False
    return _is_away(books, supplier, replace(trouble, why=Why.KEY), words, now)


def has_no_balance(books: Books, supplier: str, needs: int, words: str, now: Millis) -> bool:
    """Take in that our balance did not cover ``needs`` rupiah; return whether that is news."""
    trouble = books.health.of(supplier)
    if trouble.away_since is not None:
        return False
    trouble = replace(trouble, why=Why.BALANCE, needs=needs)
    return _is_away(books, supplier, trouble, words, now)


def has_balance(books: Books, supplier: str, balance: int, now: Millis) -> bool:
    """Take in our balance there, in whole rupiah; return whether the supplier is back by it."""
    trouble = books.health.of(supplier)
    if trouble.why is not Why.BALANCE:
        return False
    if balance < trouble.needs:
        _probe(books, supplier, now)
        return False
    return _is_back(books, supplier, trouble, now)


def topped_up(books: Books, supplier: str, now: Millis) -> bool:
    """Take in that the owner added to our balance, where nobody else can tell what it is."""
    if books.rules.abilities_of(supplier).tells_balance:
        return False
    return has_balance(books, supplier, books.ledger.balance(ledger.supplier(supplier)), now)


def went(books: Books, supplier: str, outcome: Outcome) -> None:
    """Take in how an attempt at a delivery went: of many bad ones the supplier is left alone.

    After the pause the first good outcome brings it back, and bad ones of two people do not.
    """
    now, before = outcome.at, books.health.breaker(supplier)
    books.health.note(supplier, outcome)
    if before is not None and before.is_of_a_wrong_clock(now):
        books.health.set_breaker(supplier, None)
        before = None
    if before is not None and before.is_open(now):  # of a call that was made before
        return
    if before is None:
        failing = breaker.is_failing(books.health.lately(supplier, now - breaker.LATELY))
    else:
        since = books.health.lately(supplier, before.open_until - 1)
        failing = breaker.is_failing_still(since)
        if not (failing or outcome.is_fine):
            return
    if failing:
        books.health.set_breaker(supplier, breaker.opened(now, before))
        if before is None:
            _tell(books, supplier, "failing", now, _counted(books, supplier, now))
    elif before is not None:
        books.health.set_breaker(supplier, None)
        books.health.forget_before(supplier, now)
        _tell(books, supplier, "works_again", now, "")


def _counted(books: Books, supplier: str, now: Millis) -> str:
    lately = books.health.lately(supplier, now - breaker.LATELY)[-breaker.MOST :]
    return f"{sum(outcome.is_fine for outcome in lately)}/{len(lately)}"


def _is_away(books: Books, supplier: str, trouble: Trouble, words: str, now: Millis) -> bool:
    books.health.put(supplier, replace(trouble, away_since=now))
    _probe(books, supplier, now)
    _tell(books, supplier, f"away_{trouble.why}", now, words)
    return True


def _is_back(books: Books, supplier: str, trouble: Trouble, now: Millis) -> bool:
    books.health.put(supplier, NO_TROUBLE)
    if trouble.away_since is None:
        return False
    _tell(books, supplier, "back", now, "")
    return True


def _probe(books: Books, supplier: str, now: Millis) -> None:
    """Have a question asked soon that shows whether it is back.

    Where the books are not compared with our balance, the list is question enough.
    """
    _look(books, supplier, now + PROBE_EVERY)


def _look(books: Books, supplier: str, at: Millis) -> None:
    """Have list and balance asked for at ``at``, or sooner if that is due: never put it off."""
    compared = books.rules.sells_from_balance or books.calls.compare_at(supplier) > 0
    if compared and books.rules.abilities_of(supplier).tells_balance:
        books.calls.set_compare_at(supplier, min(books.calls.compare_at(supplier) or at, at))
    books.calls.set_list_due(supplier, min(books.calls.list_due_at(supplier), at))


def _tell(books: Books, supplier: str, alert: str, now: Millis, words: str) -> None:
    facts: Facts = {"alert": alert, "supplier": supplier, "evidence": words}
    key = f"alert:{supplier}:{alert}:{now}"
    books.outbox.owe_owners(Notice(key=key, kind=NoticeKind.ALERT, address="", facts=facts), now)
