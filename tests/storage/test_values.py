"""What goes in comes out, to the letter; what cannot be kept is refused and spoils nobody."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from shop.notices import Notice, NoticeKind
from storage.books import SqlBooks
from storage.database import Database, Transaction, Work
from storage.sessions import StoredSession
from storage.transcript import SqlTranscript
from storage.updates import SqlUpdates
from tests.shop.samples import BUYER, NOW, S, an_order, stored
from tests.storage.files import BROKEN_RULE

TEXTS = [
    "",
    " ",
    "NULL",
    " leading and trailing \t\r\n",
    "😀👩‍👩‍👧‍👦🇮🇩",
    "e\u0301 and \u00e9",  # two ways to write it, and not one text
    "\u202eright to left\u202c \u200b\ufeff",
    "\x01\x1f\x7f\x85\u2028",
    "\ufffe\uffff\U0010ffff",
    'it\'s "quoted" \\ \\n $$ $1 ? ?1',
    ":name ::text %s %(name)s %% { } /* claimed */ --",
    "'; DROP TABLE orders; --",
    "x" * 100_000,
    "ᮞ" * 33_334,  # 100 kB in UTF-8
]


def shown(text: str) -> str:
    return ascii(text[:20])


def body(tx: Transaction, value: object) -> object:
    """A value through a column of text, and back."""
    row = {"address": BUYER, "body": value}
    tx.execute("INSERT INTO transcript VALUES (:address, 1, :body)", row)  # type: ignore[arg-type]
    return tx.fetch("SELECT body FROM transcript")[0]["body"]


@pytest.mark.parametrize("text", TEXTS, ids=shown)
def test_a_text_is_kept_to_the_letter(tx: Transaction, text: str) -> None:
    assert body(tx, text) == text


@pytest.mark.parametrize("text", TEXTS, ids=shown)
def test_a_text_is_found_by_itself_and_by_nothing_else(books: SqlBooks, text: str) -> None:
    books.sessions.save(text, a_session("it"))
    books.sessions.save(f"{text} ", a_session("another"))
    found = books.sessions.load(text)
    assert found is not None
    assert found.step == "it"


@pytest.mark.parametrize("text", TEXTS, ids=shown)
def test_a_text_is_kept_in_every_table(books: SqlBooks, text: str) -> None:
    order = an_order(item=text, user_id=text, server=text, target=text, serial=text)
    books.orders.add(order)
    assert books.orders.get(order.id) == order
    assert books.orders.live_with(order.supplier, order.sku, text, NOW) == order
    session = replace(a_session(text), draft={text: text}, last_input=text)
    books.sessions.save(BUYER, session)
    assert books.sessions.load(BUYER) == session
    facts: dict[str, str | int | None] = {"said": text, "amount": 2**62, "until": None}
    notice = Notice(key=text, kind=NoticeKind.STATUS, address=BUYER, order_id=text, facts=facts)
    books.outbox.owe(notice, NOW)
    (owed,) = books.outbox.due(NOW, 9)
    assert owed.notice == notice


def a_session(step: str) -> StoredSession:
    return StoredSession(
        language="", step=step, screen=1, page=0, draft={}, last_input="", touched_at=NOW
    )


# --- what PostgreSQL cannot store ---


def test_nul_is_shown_as_its_picture_where_it_cannot_be_kept(tx: Transaction, kind: str) -> None:
    assert body(tx, "a\0b\0") == {"sqlite": "a\0b\0", "postgres": "a␀b␀"}[kind]


def test_a_text_with_nul_is_found_again_by_the_same_text(books: SqlBooks) -> None:
    tx = books.orders._tx
    order = stored(books, S.PLACED, target="1\0", key="k\0")
    assert books.orders.by_key("k\0") is not None
    assert books.orders.live_with(order.supplier, order.sku, "1\0", NOW) is not None
    assert SqlTranscript(tx, "web:\0").append("a") == 1
    assert SqlTranscript(tx, "web:\0").append("b") == 2
    updates = SqlUpdates(tx, "tele\0")
    assert [updates.store(1, "\0", NOW), updates.store(1, "\0", NOW)] == [True, False]


def test_nul_among_bytes_is_a_byte_like_any_other(books: SqlBooks) -> None:
    order = stored(books, S.PLACED)
    picture = bytes(range(256)) * 400
    books.orders.put_picture(order.id, picture)
    assert books.orders.picture(order.id) == picture


# --- what neither can store ---


async def test_half_a_character_is_refused_and_spoils_nobody(database: Database) -> None:
    def half(tx: Transaction) -> int:
        return SqlTranscript(tx, BUYER).append("half \ud83d of it")

    assert await neighbours_of(half, database) is UnicodeEncodeError


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
async def test_a_number_beyond_int64_is_refused_and_spoils_nobody(
    database: Database, number: int
) -> None:
    def beyond(tx: Transaction) -> bool:
        return SqlUpdates(tx, "telegram").store(number, "", NOW)

    said = await neighbours_of(beyond, database)
    assert issubclass(said, OverflowError | psycopg.DataError)
    assert await database.read(lambda tx: SqlUpdates(tx, "telegram").waiting()) == []


async def test_nothing_where_there_must_be_something_is_refused_and_spoils_nobody(
    database: Database,
) -> None:
    def nothing(tx: Transaction) -> int:
        return tx.execute("INSERT INTO transcript VALUES ('a', 1, :body)", {"body": None})

    assert issubclass(await neighbours_of(nothing, database), BROKEN_RULE)


async def neighbours_of(bad: Work[object], database: Database) -> type:
    """What became of a work whose neighbours in the commit were served."""

    def good(tx: Transaction) -> int:
        return SqlTranscript(tx, "web:ani").append("good")

    works: list[Work[object]] = [good, bad, good]
    first, failed, last = await asyncio.gather(*map(database.run, works), return_exceptions=True)
    assert (first, last) == (1, 2)
    return type(failed)


# --- numbers ---


@pytest.mark.parametrize(
    "number", [0, 1, -1, 2**15, 2**31, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
)
def test_a_number_is_kept_to_the_last_digit(tx: Transaction, number: int) -> None:
    tx.execute("INSERT INTO transcript VALUES ('a', :seq, '')", {"seq": number})
    found = tx.fetch("SELECT seq FROM transcript WHERE seq = :seq", {"seq": number})
    assert [row["seq"] for row in found] == [number]
    assert type(found[0]["seq"]) is int
    nearest = {"low": number - 1, "high": number + 1}
    if -(2**63) < number < 2**63 - 1:
        sql = "SELECT seq FROM transcript WHERE seq > :low AND seq < :high"
        assert len(tx.fetch(sql, nearest)) == 1


def test_what_is_reckoned_is_an_int_of_python(books: SqlBooks) -> None:
    """A sum of BIGINT is a NUMERIC on PostgreSQL, and Python's Decimal if nobody minds."""
    tx = books.orders._tx
    for seq in (2**62, 1):
        tx.execute("INSERT INTO transcript VALUES ('a', :seq, '')", {"seq": seq})
    sql = """
        SELECT COUNT(*) AS n, MAX(seq) AS last, CAST(SUM(seq) AS BIGINT) AS total,
               COALESCE(MIN(seq), 0) AS low FROM transcript
    """
    (row,) = tx.fetch(sql)
    assert dict(row) == {"n": 2, "last": 2**62, "total": 2**62 + 1, "low": 1}
    assert {type(value) for value in dict(row).values()} == {int}


def test_large_amounts_are_compared_as_they_are(books: SqlBooks) -> None:
    order = an_order(price=2**53 + 3, cost=2**53 + 1, listed=2**53, quote_until=2**62)
    books.orders.add(order)
    assert books.orders.open_of(BUYER, 2**62 - 1) == books.orders.payable_of(BUYER, NOW) == [order]
    assert books.orders.open_of(BUYER, 2**62) == []


# --- nothing ---


def test_nothing_is_nothing_and_an_empty_text_is_a_text(books: SqlBooks) -> None:
    rests = an_order(id="A", due_at=None, server="")
    waits = an_order(id="B", due_at=0, server="0")
    for order in (rests, waits):
        books.orders.add(order)
        assert books.orders.get(order.id) == order
    found = books.orders.next_placed(rests.supplier, NOW)
    assert found == waits
    tx = books.orders._tx
    assert len(tx.fetch("SELECT id FROM orders WHERE server = ''")) == 1
    assert tx.fetch("SELECT id FROM orders WHERE server IS NULL") == []
    empty = {"nothing": None, "empty": ""}
    (row,) = tx.fetch("SELECT COALESCE(:nothing, 'no') AS a, COALESCE(:empty, 'no') AS b", empty)
    assert dict(row) == {"a": "no", "b": ""}


def test_the_best_of_nothing_is_nothing(books: SqlBooks) -> None:
    assert books.orders.last_created_of(BUYER) is None
    assert books.orders.next_watch_at("zultopup") is None
    assert books.outbox.oldest() is None
    assert books.copies.made_at() is None
    assert books.copies.left() == 0
    assert books.shelf.stored("zultopup") == (0, 0)


# --- order among equals ---


def test_orders_of_the_same_instant_keep_their_places(books: SqlBooks) -> None:
    tx = books.orders._tx
    for name in "CADB":
        stored(books, S.PLACED, id=name, target=name)
    before = [[order.id for order in found] for found in lists(books)]
    tx.execute("UPDATE orders SET serial = 'x' WHERE id IN ('A', 'C')")  # moves them on the disk
    assert [[order.id for order in found] for found in lists(books)] == before
    assert before == [["A", "B", "C", "D"]] * 3
    pages = [books.orders.recent_of(BUYER, 1, nth)[0].id for nth in range(4)]
    assert pages == ["A", "B", "C", "D"]


def lists(books: SqlBooks) -> list[list[object]]:
    orders = books.orders
    return [
        list(orders.open_of(BUYER, NOW)),
        list(orders.payable_of(BUYER, NOW)),
        list(orders.recent_of(BUYER, 9)),
    ]
