"""Files with many orders in them: one that the shop really made, and its likes."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import instant
from bot.bootstrap import Seams
from shop.time import Millis
from storage.address import SqliteFile
from storage.opening import migrate
from storage.sqlite import connect

_TABLES: Final = (
    "sessions", "orders", "order_events", "invoices", "payments", "entries", "postings", "pictures",
    "outbox", "shown",
)  # fmt: skip
_UPDATES_AN_ORDER: Final = 6  # taps and texts, whose numbers a channel remembers
_ACCOUNTS: Final = frozenset({"user_id", "target"})
_INSTANTS: Final = frozenset(
    {"created_at", "changed_at", "settled_at", "quote_until", "due_at", "at", "sent_at"}
    | {"expires_at", "last_claim_at", "asked_at", "arrived_at", "touched_at"}
)
_BUYER: Final = "telegram:10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """How many orders, how far apart they were placed, and whether they came to their end."""

    orders: int
    apart: Millis
    finished: bool


async def fill(path: Path, filling: Filling) -> None:
    """Make a file at ``path`` with so many orders in it."""
    await _sell_one(path, finished=filling.finished)
    with closing(connect(str(path))) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # of this connection, which nobody will miss
        connection.execute("BEGIN IMMEDIATE")
        order = connection.execute("SELECT id FROM orders").fetchone()["id"]
        for table in _TABLES:
            _multiply(connection, table, order, filling)
        connection.execute(
            "UPDATE accounts SET balance = balance * :many", {"many": filling.orders}
        )
        connection.execute(_REMEMBERED, {"many": filling.orders * _UPDATES_AN_ORDER})
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def empty(path: Path) -> None:
    """Make a file at ``path`` with an up-to-date schema and nothing in it."""
    migrate(SqliteFile(path=path))


async def _sell_one(path: Path, *, finished: bool) -> None:
    address, chat = SqliteFile(path=path), instant.InstantChat()
    migrate(address)
    with TemporaryDirectory() as folder:
        settings = instant.settings_on(address, Path(folder))
        seams = Seams(senders={"telegram": chat})
        async with instant.working_shop(settings, seams) as shop:
            await instant.buy(shop, chat, [_BUYER], at_once=1, to_the_end=finished)


_REMEMBERED = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)
INSERT INTO updates (channel, update_id, body, stored_at, done_at) SELECT 'telegram', n, '', n, n
FROM numbers
"""


def _multiply(connection: sqlite3.Connection, table: str, order: str, filling: Filling) -> None:
    """Copy the rows of the one order, each time with other names, accounts and instants."""
    columns = [str(row["name"]) for row in connection.execute(f"PRAGMA table_info({table})")]
    copied = ", ".join(map(_copied, columns))
    sql = f"""
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)
        INSERT INTO {table} ({", ".join(columns)})
        SELECT {copied} FROM numbers CROSS JOIN (SELECT * FROM {table}) WHERE n < :many
    """
    names = {"order": order, "buyer": _BUYER, "many": filling.orders, "apart": filling.apart}
    connection.execute(sql, names)


def _copied(column: str) -> str:
    if column in _ACCOUNTS:
        return "printf('%010d', n)"
    if column in _INSTANTS:
        return f"{column} - n * :apart"
    return f"""
        CASE WHEN typeof({column}) = 'text'
        THEN replace(replace({column}, :order, printf('N%09d', n)), :buyer, :buyer || n)
        ELSE {column} END
    """


def counted(path: Path, status: str) -> int:
    """Return how many orders of that status are in a file."""
    with closing(connect(str(path), read_only=True)) as connection:
        sql = "SELECT COUNT(*) AS n FROM orders WHERE status = :status"
        rows: Sequence[sqlite3.Row] = connection.execute(sql, {"status": status}).fetchall()
        return int(rows[0]["n"])
