"""Orders in every status, and the real books on a file of their own, for tests of the shop."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from shop.cases import CaseKind
from shop.catalogue import Game, read_games
from shop.notices import NoticeKind
from shop.orders import Event, Order, Status, move
from shop.pricing import PriceRule, Quote
from shop.rules import Rules
from shop.suppliers import Invoice
from shop.time import MINUTE, SECOND
from storage.books import SqlBooks
from storage.sqlite import SqliteTransaction, connect
from storage.sqlite_schema import prepare

NOW = 1_795_150_800_000  # 2026-11-20 05:00 UTC
POLL = 5 * SECOND
OWNER = "web:owner"
BUYER = "web:budi"
RULES = Rules(
    prices=PriceRule(margin_bp=500, margin_min=500, round_to=100, dropship_bp=1200),
    poll=POLL,
    holds_for=15 * MINUTE,
)
QUOTE = Quote(listed=10_000, cost=11_200, price=11_800)

# How an order comes to stand where it stands, by legal moves only.
S, E, K = Status, Event, NoticeKind
PATHS: Mapping[Status, tuple[Event, ...]] = {
    S.PLACED: (),
    S.OPENING: (E.OPENING_STARTED,),
    S.AWAITING_PAYMENT: (E.OPENING_STARTED, E.INVOICE_OPENED),
    S.PROCESSING: (E.OPENING_STARTED, E.INVOICE_OPENED, E.SETTLED),
    S.DELIVERED: (E.OPENING_STARTED, E.INVOICE_OPENED, E.DELIVERED),
    S.REFUND_DUE: (E.OPENING_STARTED, E.INVOICE_OPENED, E.FAILED),
    S.REFUNDED: (E.OPENING_STARTED, E.INVOICE_OPENED, E.FAILED, E.REFUND_MADE),
    S.EXPIRED: (E.OPENING_STARTED, E.INVOICE_OPENED, E.LAPSED),
    S.CANCELLED: (E.OPENING_STARTED, E.INVOICE_OPENED, E.CANCELLED),
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
    )
    return replace(order, **changes)


def moved(order: Order, event: Event, at: int = NOW, **changes: Any) -> Order:
    """The order after one more move, with its invoice from the moment it has one."""
    after = move(order, event, at)
    if event is Event.INVOICE_OPENED and after.invoice is None:
        after = replace(after, invoice=an_invoice(order.id))
    return replace(after, due_at=at, **changes)


def in_status(status: Status, at: int = NOW, **changes: Any) -> Order:
    """An order that came to ``status`` at ``at``, not in any books."""
    order = an_order(**changes)
    for event in PATHS[status]:
        order = moved(order, event, at)
    return order


def stored(books: SqlBooks, status: Status, at: int = NOW, **changes: Any) -> Order:
    """An order that came to ``status`` at ``at``, in the books with its history."""
    order = an_order(**changes)
    books.orders.add(order)
    for event in PATHS[status]:
        before, order = order, moved(order, event, at)
        books.orders.move(before, order, event)
    return order


@contextmanager
def open_books(folder: Path) -> Iterator[SqlBooks]:
    """The real books on a real file; nothing is committed, so tests stay quick."""
    path = folder / "lapak.db"
    prepare(path)
    with closing(connect(str(path))) as connection:
        connection.execute("BEGIN")
        yield SqlBooks(SqliteTransaction(connection), RULES, (OWNER,))
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
