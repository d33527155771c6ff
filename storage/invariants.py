"""Invariants of orders and messages that are questions to the database.

The ids are those of the design's list.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final

from shop.orders import HOLDS_MONEY, PAID_FOR, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold. ``sql`` finds what breaks it, and names that in a column ``what``."""

    id: str
    says: str
    sql: str


def listed(statuses: Set[Status]) -> str:
    """Return the statuses as SQL writes a list."""
    return f"({', '.join(repr(str(status)) for status in sorted(statuses))})"


HOLDING: Final = listed(HOLDS_MONEY)
PAYING: Final = listed(PAID_FOR)
_NO_CASE: Final = """
    NOT EXISTS (SELECT 1
    FROM cases c
    WHERE c.order_id = o.id AND c.closed_at IS NULL)
"""

ORDERS: Sequence[Rule] = (
    Rule(
        id="O1",
        says="an order that holds money is watched, or is a case",
        sql=f"""
            SELECT o.id AS what
            FROM orders o
            WHERE o.status IN {HOLDING} AND o.due_at IS NULL
            AND {_NO_CASE}
        """,  # noqa: S608 - words of our own
    ),
    Rule(
        id="O1b",
        says="what only a person can decide is a case",
        sql=f"""
            SELECT o.id AS what
            FROM orders o
            WHERE o.status IN ('refund_due', 'partly_delivered')
            AND {_NO_CASE}
        """,  # noqa: S608 - likewise
    ),
    Rule(
        id="O2",
        says="one invoice for an order, one order for an invoice",
        sql="""
            SELECT MIN(order_id) AS what
            FROM invoices
            GROUP BY gateway, supplier_ref HAVING COUNT(*) > 1
        """,
    ),
    Rule(
        id="O2b",
        says="the attempts of an order are numbered from one, without a gap",
        sql="""
            SELECT o.id AS what
            FROM orders o
            LEFT JOIN attempts a ON a.order_id = o.id
            GROUP BY o.id, o.tries
            HAVING COUNT(a.nth) <> o.tries OR COUNT(DISTINCT a.nth) <> o.tries
            OR COALESCE(MAX(a.nth), 0) <> o.tries OR COALESCE(MIN(a.nth), 1) <> 1
        """,
    ),
    Rule(
        id="O3",
        says="no invoice without the mark that it was asked for",
        sql="""
            SELECT i.order_id AS what
            FROM invoices i
            JOIN orders o ON o.id = i.order_id
            WHERE o.method <> 'qris'
            AND NOT EXISTS (SELECT 1
            FROM order_events e
            WHERE e.order_id = i.order_id AND e.event = 'opening_started')
        """,
    ),
    Rule(
        id="O3b",
        says="no attempt without the mark that it was begun, and no mark without its attempt",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE (o.status = 'submitting' AND o.tries = 0)
            OR (SELECT COUNT(*)
            FROM attempts a
            WHERE a.order_id = o.id) <> (SELECT COUNT(*)
            FROM order_events e
            WHERE e.order_id = o.id AND e.event = 'submission_started')
        """,
    ),
    Rule(
        id="O4",
        says="what may have been ordered is ordered again only at the owner's word",
        sql="""
            SELECT s.order_id AS what
            FROM order_events s
            JOIN order_events u ON u.order_id = s.order_id AND u.version < s.version
            WHERE s.event = 'submission_started'
            AND u.event = 'outcome_unknown' AND u.became = 'unsure'
            AND NOT EXISTS (SELECT 1
            FROM order_events p
            WHERE p.order_id = s.order_id AND p.event = 'proceeded'
            AND p.version > u.version AND p.version < s.version)
        """,
    ),
    Rule(
        id="O4",
        says="nothing is ordered twice unless it was never sent, failed, or at the owner's word",
        sql="""
            SELECT s.order_id AS what
            FROM order_events s
            JOIN order_events b ON b.order_id = s.order_id AND b.version < s.version
            WHERE s.event = 'submission_started' AND b.event = 'submission_started'
            AND NOT EXISTS (SELECT 1
            FROM order_events p
            WHERE p.order_id = s.order_id AND p.event IN ('not_sent', 'rerouted', 'proceeded')
            AND p.version > b.version AND p.version < s.version)
        """,
    ),
    Rule(
        id="O5",
        says="an order goes elsewhere only from where it was certainly not ordered, or has failed",
        sql="""
            SELECT e.order_id AS what
            FROM order_events e
            WHERE e.event = 'rerouted' AND e.was NOT IN ('paid', 'submitting', 'processing')
        """,
    ),
    Rule(
        id="O8b",
        says="nothing is ordered for more than its ceiling, but at the owner's word",
        sql="""
            SELECT a.ref AS what
            FROM attempts a
            JOIN orders o ON o.id = a.order_id
            WHERE (a.cost > o.price OR a.cost > o.ceiling AND o.ceiling > 0)
            AND NOT EXISTS (SELECT 1
            FROM order_events p
            WHERE p.order_id = o.id AND p.event = 'proceeded')
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
        sql=f"""
            SELECT o.id AS what
            FROM orders o
            JOIN invoices i ON i.order_id = o.id
            WHERE (o.status IN {PAYING} OR o.status = 'awaiting_payment')
            AND (i.amount < i.cost OR i.cost > o.price OR i.amount >= o.price + 1000)
            AND EXISTS (SELECT 1
            FROM outbox m
            WHERE m.order_id = o.id AND m.kind = 'qr' AND m.sent_at IS NOT NULL)
        """,  # noqa: S608 - likewise
    ),
    Rule(
        id="O13",
        says="every order that is not at an end has a timer or is a case",
        # A claim makes a case of an order on the owner's own QRIS; what else waits is asked about.
        sql=f"""
            SELECT o.id AS what
            FROM orders o
            WHERE o.due_at IS NULL
            AND (o.status IN ('placed', 'opening', 'paid', 'submitting')
            OR (o.method = 'dropship' AND o.status = 'processing')
            OR (o.status = 'awaiting_payment' AND (o.method <> 'qris' OR {_NO_CASE})))
        """,  # noqa: S608 - likewise
    ),
)
MESSAGES: Sequence[Rule] = (
    Rule(
        id="M1",
        says="what belongs to an order was sent to its buyer or is the owner's business",
        sql="""
            SELECT m.message AS what
            FROM outbox m
            JOIN orders o ON o.id = m.order_id
            WHERE m.address <> o.address AND m.kind NOT IN ('case', 'alert', 'receipt')
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
