"""What owners enter into the ledger themselves, and take back: entries and their corrections."""

from dataclasses import replace

from shop import health, ledger
from shop.ledger import Entry
from shop.notices import Facts, Notice, NoticeKind
from shop.ports import Books
from shop.time import Millis

OWN_ENTRY = "entry:"


def post_own(
    books: Books,
    account: str,
    amount: int,
    key: str,
    now: Millis,
    *,
    actor: str = "",
    reason: str = "",
) -> None:
    """Post money that the owner brought into an account, or took out of it (negative)."""
    amounts = {account: amount, ledger.ADJUSTMENT: -amount} if amount else {}
    slug = account.removeprefix(ledger.supplier(""))
    if key.startswith(OWN_ENTRY) and slug != account:
        books.calls.compare_soon(slug, now)
        health.topped_up(books, slug, now)
    books.ledger.post(Entry(id=key, at=now, amounts=amounts, actor=actor, reason=reason))


def credit(
    books: Books, address: str, amount: int, key: str, now: Millis, *, actor: str, reason: str
) -> None:
    """Give a person store credit, or take some (negative), at the owner's word; they are told.

    Raises ``ledger.Overdrawn`` if they have less: nothing may be committed then.
    """
    post_own(books, ledger.wallet(address), -amount, key, now, actor=actor, reason=reason)
    _tell(books, _notice(key, address, amount, reason), now)


def _tell(books: Books, notice: Notice, now: Millis) -> None:
    credit_now = books.ledger.credit_of(notice.address)
    books.outbox.owe(replace(notice, facts={**notice.facts, "credit": credit_now}), now)


def _notice(key: str, address: str, amount: int, reason: str) -> Notice:
    facts: Facts = {"amount": amount, "reason": reason}
    return Notice(key=f"credit:{key}", kind=NoticeKind.CREDIT, address=address, facts=facts)


def correct(books: Books, entry_id: str, actor: str, now: Millis) -> bool:
    """Post the opposite of an owner's own entry, which it names; ``False``: it was none, or undone.

    Entries are never changed: a correction is a new one. Raises ``ledger.Overdrawn`` if what was
    credited is spent already.
    """
    amounts = books.ledger.amounts_of(entry_id)
    undone = f"undo:{entry_id}"
    if not (entry_id.startswith(OWN_ENTRY) and amounts) or books.ledger.has(undone):
        return False
    opposite = {account: -amount for account, amount in amounts.items()}
    books.ledger.post(
        Entry(id=undone, at=now, amounts=opposite, actor=actor, reason="undone", corrects=entry_id)
    )
    for account, amount in opposite.items():
        if account.startswith(ledger.wallet("")):
            address = account.removeprefix(ledger.wallet(""))
            _tell(books, _notice(undone, address, -amount, ""), now)
    return True
