"""Every invariant that is a question to the database. The ids are those of the design's list."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from shop.orders import MOVES
from storage import postgres_schema, sqlite
from storage.address import Address, PostgresServer, SqliteFile
from storage.database import Transaction
from storage.postgres import PostgresTransaction
from storage.schema import Unusable
from storage.sqlite import SqliteTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold. ``sql`` finds what breaks it, and names that in a column ``what``."""

    id: str
    says: str
    sql: str


WHOLE_RUPIAH = Rule(
    id="L5",
    says="money is whole rupiah",
    sql="""
        SELECT id AS what
        FROM orders
        WHERE typeof(price) <> 'integer' OR typeof(cost) <> 'integer' OR typeof(listed) <>
        'integer'
        UNION ALL SELECT order_id
        FROM invoices
        WHERE typeof(amount) <> 'integer' OR typeof(cost) <> 'integer'
    """,
)
"""Of SQLite only, where a column takes any type; elsewhere BIGINT takes nothing else."""

RULES: Sequence[Rule] = (
    Rule(
        id="O1",
        says="an order that holds money is watched, or is a case",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE o.status IN ('processing', 'refund_due') AND o.due_at IS NULL
            AND NOT EXISTS (SELECT 1
            FROM cases c
            WHERE c.order_id = o.id AND c.closed_at IS NULL)
        """,
    ),
    Rule(
        id="O1b",
        says="money that must go back is a case",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE o.status = 'refund_due'
            AND NOT EXISTS (SELECT 1
            FROM cases c
            WHERE c.order_id = o.id AND c.closed_at IS NULL)
        """,
    ),
    Rule(
        id="O2",
        says="one invoice for an order, one order for an invoice",
        sql="""
            SELECT MIN(order_id) AS what
            FROM invoices
            GROUP BY supplier, supplier_ref HAVING COUNT(*) > 1
        """,
    ),
    Rule(
        id="O3",
        says="no invoice without the mark that it was asked for",
        sql="""
            SELECT i.order_id AS what
            FROM invoices i
            WHERE NOT EXISTS (SELECT 1
            FROM order_events e
            WHERE e.order_id = i.order_id AND e.event = 'opening_started')
        """,
    ),
    Rule(
        id="O6b",
        says="the history of an order leads to where it stands",
        sql="""
            SELECT o.id AS what
            FROM orders o
            JOIN order_events e ON e.order_id = o.id AND e.version = o.version
            WHERE e.became <> o.status
        """,
    ),
    Rule(
        id="O6b",
        says="the history of an order has no gaps",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE o.version <> (SELECT COUNT(*)
            FROM order_events e
            WHERE e.order_id = o.id)
        """,
    ),
    Rule(
        id="O6b",
        says="each event begins where the one before it ended",
        sql="""
            SELECT e.order_id AS what
            FROM order_events e
            JOIN order_events b ON b.order_id = e.order_id AND b.version = e.version - 1
            WHERE e.was <> b.became
        """,
    ),
    Rule(
        id="O8",
        says="no QR shown for more than the quote and a unique code, nor at a loss",
        sql="""
            SELECT o.id AS what
            FROM orders o
            JOIN invoices i ON i.order_id = o.id
            WHERE o.status IN ('awaiting_payment', 'processing', 'delivered')
            AND (i.amount < i.cost OR i.cost > o.price OR i.amount >= o.price + 1000)
            AND EXISTS (SELECT 1
            FROM outbox m
            WHERE m.order_id = o.id AND m.kind = 'qr' AND m.sent_at IS NOT NULL)
        """,
    ),
    Rule(
        id="O13",
        says="every order that is not at an end has a timer or is a case",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE o.due_at IS NULL AND o.status IN ('placed', 'opening', 'awaiting_payment',
            'processing')
        """,
    ),
    Rule(
        id="M1",
        says="what belongs to an order was sent to its buyer or is the owner's business",
        sql="""
            SELECT m.message AS what
            FROM outbox m
            JOIN orders o ON o.id = m.order_id
            WHERE m.address <> o.address AND m.kind NOT IN ('case', 'alert')
        """,
    ),
    Rule(
        id="M2",
        says="a delivered order has its message",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE o.status = 'delivered'
            AND NOT EXISTS (SELECT 1
            FROM outbox m
            WHERE m.order_id = o.id AND m.kind = 'delivered')
        """,
    ),
    Rule(
        id="M3",
        says="no word of success, refund or return before the order says so",
        sql="""
            SELECT m.message AS what
            FROM outbox m
            WHERE m.kind IN ('delivered', 'refund_due', 'refunded')
            AND NOT EXISTS (SELECT 1
            FROM order_events e
            WHERE e.order_id = m.order_id AND e.became = m.kind AND e.at <= m.created_at)
        """,
    ),
)
_EDGES = "SELECT DISTINCT was, event, became FROM order_events WHERE version > 1"
_BEGINNINGS = "SELECT order_id FROM order_events WHERE version = 1 AND became <> 'placed'"


def audit(address: Address) -> list[str]:
    """Return what is broken in the database, one line each; empty if all holds.

    Reads one moment of it, beside a running shop. Raises ``storage.schema.Unusable`` if it cannot
    be read.
    """
    if isinstance(address, SqliteFile):
        return _of_a_file(address)
    return _of_a_server(address)


def _of_a_file(address: SqliteFile) -> list[str]:
    if not address.path.is_file():
        raise Unusable(
            f"{address}: there is no such database; set LAPAK_DATABASE_URL, or start once"
        )
    try:
        with closing(sqlite.connect(str(address.path), read_only=True)) as connection:
            connection.execute("BEGIN")
            tx = SqliteTransaction(connection)
            return [*_file(tx), *_broken(tx, (*RULES, WHOLE_RUPIAH))]
    except sqlite3.Error as error:
        raise Unusable(f"{address}: {error}") from error


def _of_a_server(address: PostgresServer) -> list[str]:
    with postgres_schema.reading(address) as cursor:
        return _broken(PostgresTransaction(cursor), RULES)


def _file(tx: Transaction) -> list[str]:
    said = [str(row["integrity_check"]) for row in tx.fetch("PRAGMA integrity_check(20)")]
    broken = [f"D1 the file is damaged: {line}" for line in said if line != "ok"]
    dangling = tx.fetch("PRAGMA foreign_key_check")
    return [*broken, *(f"D1 a row of {row['table']} belongs to nothing" for row in dangling)]


def _broken(tx: Transaction, rules: Sequence[Rule]) -> list[str]:
    lines = [
        f"{rule.id} {rule.says}: {row['what']}" for rule in rules for row in tx.fetch(rule.sql)
    ]
    return [*lines, *_moves(tx)]


def _moves(tx: Transaction) -> list[str]:
    legal = {(str(was), str(event), str(to)) for (was, event), to in MOVES.items()}
    edges = {(row["was"], row["event"], row["became"]) for row in tx.fetch(_EDGES)}
    unknown = [f"O6b no such move: {was} {event} {to}" for was, event, to in sorted(edges - legal)]
    begun = tx.fetch(_BEGINNINGS)
    return [*unknown, *(f"O6b does not begin as placed: {row['order_id']}" for row in begun)]
