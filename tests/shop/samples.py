"""Orders in every status, and the real books on a file of their own, for tests of the shop."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from shop import ledger
from shop.cases import CaseKind
from shop.catalogue import Game, read_games
from shop.goods import read_words
from shop.notices import NoticeKind
from shop.orders import PAID_FOR, Attempt, Event, Order, Returned, Status, move
from shop.payments import PaymentMethod
from shop.pricing import PriceRule, Quote
from shop.rules import Rules
from shop.suppliers import Abilities, Invoice
from shop.time import MINUTE, SECOND
from storage.books import SqlBooks
from storage.sqlite import SqliteTransaction, connect
from tests.fakes.databases import new_file

GAMES = read_games((files("shop") / "games.toml").read_text("utf-8"))
WORDS = read_words((files("shop") / "goods.toml").read_text("utf-8"))
NOW = 1_795_150_800_000  # 2026-11-20 05:00 UTC
POLL = 5 * SECOND
OWNER = "web:owner"
BUYER = "web:budi"
RULES = Rules(
    prices=PriceRule(margin_bp=500, margin_min=500, round_to=100, dropship_bp=1200),
    poll=POLL,
    holds_for=15 * MINUTE,
    abilities={"zultopup": Abilities(counts_calls=True, tells_balance=True, dropships=True)},
    games={game.slug: game for game in GAMES},
    words=WORDS,
)
QUOTE = Quote(listed=10_000, cost=11_200, price=11_800)

# How an order comes to stand where it stands, by legal moves only.
S, E, K, M = Status, Event, NoticeKind, PaymentMethod
_OPEN = (E.OPENING_STARTED, E.INVOICE_OPENED)
_UNPAID: Mapping[Status, tuple[Event, ...]] = {
    S.PLACED: (),
    S.OPENING: (E.OPENING_STARTED,),
    S.AWAITING_PAYMENT: _OPEN,
    S.EXPIRED: (*_OPEN, E.LAPSED),
    S.CANCELLED: (*_OPEN, E.CANCELLED),
}
DROPSHIP: Mapping[Status, tuple[Event, ...]] = {
    **_UNPAID,
    S.PROCESSING: (*_OPEN, E.SETTLED),
    S.DELIVERED: (*_OPEN, E.DELIVERED),
    S.REFUND_DUE: (*_OPEN, E.FAILED),
    S.REFUNDED: (*_OPEN, E.FAILED, E.REFUND_MADE),
}
_ASKED = (*_OPEN, E.PAID, E.SUBMISSION_STARTED)
PREPAID: Mapping[Status, tuple[Event, ...]] = {
    **_UNPAID,
    S.PAID: (*_OPEN, E.PAID),
    S.SUBMITTING: _ASKED,
    S.PROCESSING: (*_ASKED, E.ACCEPTED),
    S.UNSURE: (*_ASKED, E.OUTCOME_UNKNOWN),
    S.PARTLY_DELIVERED: (*_ASKED, E.PARTLY),
    S.DELIVERED: (*_ASKED, E.DELIVERED),
    S.REFUND_DUE: (*_ASKED, E.FAILED),
    S.REFUNDED: (*_ASKED, E.FAILED, E.CREDITED),
}
PATHS: Mapping[PaymentMethod, Mapping[Status, tuple[Event, ...]]] = {
    M.DROPSHIP: DROPSHIP,
    M.DEPOSIT: PREPAID,
}
_TAKES_MONEY = {E.ACCEPTED, E.PARTLY, E.DELIVERED}  # of our balance
_MARKS: Mapping[Event, Mapping[str, Any]] = {
    E.CREDITED: {"returned": Returned.WALLET},
    E.REFUND_MADE: {"returned": Returned.HAND},
    E.LOSS_RECORDED: {"lost": True},
}


def an_invoice(order_id: str = "ORDER1", **changes: Any) -> Invoice:
    """The QR of an order, open for fifteen minutes, paid to the rupiah of the quote."""
    invoice = Invoice(
        supplier_ref=f"ref-{order_id}",
        number=f"INV-{order_id}",
        amount=QUOTE.price,
        cost=QUOTE.cost,
        qr="-",
        link="",
        expires_at=NOW + 15 * MINUTE,
    )
    return replace(invoice, **changes)


def an_order(**changes: Any) -> Order:
    """A new order, as ``shop.ordering`` makes it."""
    name = changes.get("id", "ORDER1")
    order = Order(
        id=name,
        key=f"key-{name}",
        address=BUYER,
        supplier="zultopup",
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id="123456789",
        server="",
        target="123456789",
        listed=QUOTE.listed,
        cost=QUOTE.cost,
        price=QUOTE.price,
        status=Status.PLACED,
        version=1,
        created_at=NOW,
        quote_until=NOW + 15 * MINUTE,
        changed_at=NOW,
        due_at=NOW,
        gateway=changes.get("supplier", "zultopup"),
    )
    return replace(order, **changes)


def an_attempt(order: Order, **changes: Any) -> Attempt:
    """The next try at having an order delivered; the supplier can be asked by our reference."""
    nth = order.tries + 1
    attempt = Attempt(
        nth=nth,
        ref=f"{order.id}-{order.supplier}-{nth}",
        supplier=order.supplier,
        sku=order.sku,
        cost=order.cost,
        by_our_ref=True,
        started_at=NOW,
    )
    return replace(attempt, **changes)


def moved(order: Order, event: Event, at: int = NOW, **changes: Any) -> Order:
    """The order after one more move, with all that the move says about its money."""
    after = replace(move(order, event, at), **_MARKS.get(event, {}))
    if event is Event.INVOICE_OPENED and after.invoice is None:
        after = replace(after, invoice=an_invoice(order.id))
    if event is Event.SUBMISSION_STARTED:
        after = replace(after, attempt=an_attempt(order), tries=order.tries + 1)
    if event in _TAKES_MONEY and after.attempt is not None:
        charged = after.attempt.charged or after.attempt.cost
        after = replace(after, attempt=replace(after.attempt, charged=charged))
    if after.status in PAID_FOR and not after.received:
        after = replace(after, received=after.amount_due, settled_at=at)
    return replace(after, due_at=at, **changes)


def path_to(status: Status, order: Order) -> tuple[Event, ...]:
    """The legal moves by which an order paid like this one comes there."""
    return (PREPAID if order.is_prepaid else DROPSHIP)[status]


def _begun(status: Status, changes: Mapping[str, Any]) -> Order:
    """Dropship, unless something else is said, or never comes to stand there."""
    method = M.DROPSHIP if status in DROPSHIP else M.DEPOSIT
    return an_order(**{"method": method, **changes})


def in_status(status: Status, at: int = NOW, **changes: Any) -> Order:
    """An order that came to ``status`` at ``at``, not in any books."""
    order = _begun(status, changes)
    for event in path_to(status, order):
        order = moved(order, event, at)
    return order


def stored(books: SqlBooks, status: Status, at: int = NOW, **changes: Any) -> Order:
    """An order that came to ``status`` at ``at``, in the books with its history and its money."""
    order = _begun(status, changes)
    books.orders.add(order)
    for event in path_to(status, order):
        before, order = order, moved(order, event, at)
        store_move(books, before, order, event)
    return order


def store_move(books: SqlBooks, before: Order, after: Order, event: Event) -> None:
    """One move as it is stored, with its payment and its entry, and without a word to anybody."""
    books.orders.move(before, after, event)
    if after.received and not before.received:
        payment = after.invoice.supplier_ref if after.invoice else after.id
        books.payments.arrived(
            after.gateway, payment, after.id, after.received - after.fee, after.changed_at
        )
    entry = ledger.entry_of(before, after, event)
    if entry is not None:
        books.ledger.post(entry)


@contextmanager
def open_books(folder: Path, rules: Rules = RULES) -> Iterator[SqlBooks]:
    """The real books on a real file; nothing is committed, so tests stay quick."""
    path = new_file(folder)
    with closing(connect(str(path))) as connection:
        connection.execute("BEGIN")
        yield SqlBooks(SqliteTransaction(connection), rules, (OWNER,))
        connection.execute("ROLLBACK")


def owed(books: SqlBooks, address: str = BUYER) -> list[str]:
    """The kinds of the messages owed to one chat, in order."""
    rows = books.orders._tx.fetch(
        "SELECT kind FROM outbox WHERE address = :address ORDER BY seq", {"address": address}
    )
    return [row["kind"] for row in rows]


def case_of(books: SqlBooks, order: Order) -> CaseKind | None:
    """What the owner is being asked about an order."""
    case = books.cases.open_for(order.id)
    return None if case is None else case.kind


def the_games() -> dict[str, Game]:
    """The curated games by slug."""
    found = read_games((files("shop") / "games.toml").read_text("utf-8"))
    return {game.slug: game for game in found}


def wide(text: str) -> str:
    """The text in full-width characters, as keyboards for Chinese and Japanese write it."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def in_digits_from(zero: str, text: str) -> str:
    """The text with its digits in the script whose nought is ``zero``."""
    return text.translate({ord("0") + n: ord(zero) + n for n in range(10)})
