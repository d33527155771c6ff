"""Every invariant that is a question to the database. The ids are those of the design's list."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shop.orders import MOVES
from storage.database import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold. ``sql`` finds what breaks it, and names that in a column ``what``."""

    id: str
    says: str
    sql: str


RULES: Sequence[Rule] = (
    Rule(
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
    ),
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


def audit(path: Path) -> list[str]:
    """Return what is broken in the database at ``path``, one line each; empty if all holds.

    Reads one moment of it, beside a running shop. Raises ``sqlite3.Error`` if it cannot be read.
    """
    connection = connect(str(path), read_only=True)
    try:
        connection.execute("BEGIN")
        return [*_file(connection), *_rows(connection), *_moves(connection)]
    finally:
        connection.close()


def _file(connection: sqlite3.Connection) -> list[str]:
    said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    broken = [f"D1 the file is damaged: {line}" for line in said if line != "ok"]
    dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [*broken, *(f"D1 a row of {row[0]} belongs to nothing" for row in dangling)]


def _rows(connection: sqlite3.Connection) -> list[str]:
    return [
        f"{rule.id} {rule.says}: {row['what']}"
        for rule in RULES
        for row in connection.execute(rule.sql)
    ]


def _moves(connection: sqlite3.Connection) -> list[str]:
    legal = {(str(was), str(event), str(to)) for (was, event), to in MOVES.items()}
    edges = {(row["was"], row["event"], row["became"]) for row in connection.execute(_EDGES)}
    unknown = [f"O6b no such move: {was} {event} {to}" for was, event, to in sorted(edges - legal)]
    begun = connection.execute(_BEGINNINGS).fetchall()
    return [*unknown, *(f"O6b does not begin as placed: {row['order_id']}" for row in begun)]
