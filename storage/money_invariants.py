"""Invariants of money that are questions to the database, and the books compared with the orders.

The ids are those of the design's list.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from shop.ledger import stands
from shop.orders import Order
from storage.database import Row, Transaction
from storage.invariants import HOLDING, PAYING, Rule
from storage.orders import SqlOrders

MONEY: Sequence[Rule] = (
    Rule(
        id="L1",
        says="every entry sums to zero",
        sql="""
            SELECT p.entry_id AS what
            FROM postings p
            GROUP BY p.entry_id HAVING SUM(p.amount) <> 0
        """,
    ),
    Rule(
        id="L1",
        says="all balances sum to zero",
        sql="""
            SELECT 'accounts' AS what
            WHERE (SELECT COALESCE(SUM(balance), 0)
            FROM accounts) <> 0
        """,
    ),
    Rule(
        id="L1b",
        says="a balance is the sum of what was posted to its account",
        sql="""
            SELECT x.account AS what
            FROM (SELECT account, amount
            FROM postings
            UNION ALL SELECT account, -balance
            FROM accounts) AS x
            GROUP BY x.account HAVING SUM(x.amount) <> 0
        """,
    ),
    Rule(
        id="L3",
        says="no wallet is overdrawn",
        sql="""
            SELECT account AS what
            FROM accounts
            WHERE account LIKE 'wallet:%' AND balance > 0
        """,
    ),
    Rule(
        id="L6",
        says="a payment belongs to an order that is paid for",
        sql=f"""
            SELECT p.payment_id AS what
            FROM payments p
            JOIN orders o ON o.id = p.order_id
            WHERE o.status NOT IN {PAYING}
        """,  # noqa: S608 - words of our own
    ),
    Rule(
        id="L6",
        says="an order that is paid for has its one payment",
        sql=f"""
            SELECT o.id AS what
            FROM orders o
            LEFT JOIN payments p ON p.order_id = o.id
            WHERE o.received > 0 OR o.status IN {PAYING}
            GROUP BY o.id HAVING COUNT(p.payment_id) <> 1
        """,  # noqa: S608 - likewise
    ),
    Rule(
        id="L7",
        says="what was paid is what was received, less the fee",
        sql="""
            SELECT o.id AS what
            FROM orders o
            JOIN payments p ON p.order_id = o.id
            WHERE p.amount <> o.received - o.fee
        """,
    ),
    Rule(
        id="L7",
        says="the money held is that of the orders that hold it",
        sql=f"""
            SELECT 'held' AS what
            WHERE (SELECT COALESCE(SUM(-amount), 0)
            FROM postings
            WHERE account = 'held') <> (SELECT COALESCE(SUM(received - excess), 0)
            FROM orders
            WHERE status IN {HOLDING})
        """,  # noqa: S608 - likewise
    ),
    Rule(
        id="L7",
        says="nothing is posted for an order that received nothing",
        sql="""
            SELECT e.id AS what
            FROM entries e
            LEFT JOIN orders o ON o.id = e.order_id
            WHERE e.order_id <> ''
            AND (o.id IS NULL OR (o.received = 0 AND o.tries = 0))
            AND EXISTS (SELECT 1
            FROM postings p
            WHERE p.entry_id = e.id)
        """,
    ),
    Rule(
        id="L8c",
        says="no two orders on the owner's own QRIS wait for the same amount",
        sql="""
            SELECT MIN(o.id) AS what
            FROM orders o
            JOIN invoices i ON i.order_id = o.id
            WHERE o.method = 'qris' AND o.status = 'awaiting_payment'
            GROUP BY i.amount HAVING COUNT(*) > 1
        """,
    ),
    Rule(
        id="L10",
        says="a refunded order, and no other, says how the money went back",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE (o.status = 'refunded') <> (o.returned <> '')
        """,
    ),
    Rule(
        id="L10",
        says="what was refunded had been received",
        sql="""
            SELECT o.id AS what
            FROM orders o
            WHERE o.status = 'refunded' AND o.received = 0
            AND NOT EXISTS (SELECT 1
            FROM payments p
            WHERE p.order_id = o.id)
        """,
    ),
    Rule(
        id="L10",
        says="no more of an order becomes credit than was received for it",
        sql="""
            SELECT o.id AS what
            FROM orders o
            JOIN entries e ON e.order_id = o.id
            JOIN postings p ON p.entry_id = e.id
            WHERE p.account LIKE 'wallet:%' AND p.amount < 0
            GROUP BY o.id, o.received HAVING SUM(-p.amount) > o.received
        """,
    ),
)
_AMOUNTS: Mapping[str, tuple[str, Sequence[str]]] = {
    "orders": ("id", ("price", "cost", "listed", "received", "fee", "excess")),
    "invoices": ("order_id", ("amount", "cost")),
    "attempts": ("ref", ("cost", "charged")),
    "payments": ("payment_id", ("amount",)),
    "postings": ("entry_id", ("amount",)),
    "accounts": ("account", ("balance",)),
    "supplier_balances": ("supplier", ("said",)),
}


def _other_than_whole(table: str) -> str:
    name, columns = _AMOUNTS[table]
    wrong = " OR ".join(f"typeof({column}) <> 'integer'" for column in columns)
    return f"SELECT {name} AS what FROM {table} WHERE {wrong}"  # noqa: S608 - likewise


WHOLE_RUPIAH = Rule(
    id="L5",
    says="money is whole rupiah",
    sql=" UNION ALL ".join(_other_than_whole(table) for table in _AMOUNTS),
)
"""Of SQLite only, where a column takes any type; elsewhere BIGINT takes nothing else."""

AGREES: Final = "L7 the books say of each order what it is worth"
_AT_ONCE: Final = 500
_POSTED = """
SELECT e.order_id, p.account, CAST(SUM(p.amount) AS BIGINT) AS amount
FROM entries e JOIN postings p ON p.entry_id = e.id
WHERE e.order_id <> '' AND e.order_id >= :id AND e.order_id <= :last_id
GROUP BY e.order_id, p.account
"""
# What an earlier attempt cost stays in the books when the next one begins.
_SPENT_BEFORE = """
SELECT o.id AS order_id, s.side || a.supplier AS account,
       CAST(SUM(s.sign * a.charged) AS BIGINT) AS amount
FROM orders o JOIN attempts a ON a.order_id = o.id AND a.nth < o.tries
     CROSS JOIN (SELECT 'cost:' AS side, 1 AS sign UNION ALL SELECT 'supplier:', -1) AS s
WHERE o.id >= :id AND o.id <= :last_id AND a.charged > 0
GROUP BY o.id, s.side, a.supplier
"""


def misposted(tx: Transaction) -> Iterator[str]:
    """Name each order whose postings are not what ``shop.ledger.stands`` says, with the accounts.

    Raises ``ValueError`` or ``TypeError`` for an order that cannot be read at all.
    """
    for orders in _batches(SqlOrders(tx).with_money()):
        between = {"id": orders[0].id, "last_id": orders[-1].id}
        posted = _by_order(tx.fetch(_POSTED, between))
        spent = _by_order(tx.fetch(_SPENT_BEFORE, between))
        for order in orders:
            worth = stands(order)
            worth.update(spent[order.id])
            wrong = sorted(_differing(posted[order.id], worth))
            if wrong:
                yield f"{AGREES}: {order.id} ({', '.join(wrong)})"


def _batches(orders: Iterable[Order]) -> Iterator[Sequence[Order]]:
    left = iter(orders)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch


def _by_order(rows: Iterable[Row]) -> defaultdict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row["order_id"]][row["account"]] = row["amount"]
    return found


def _differing(posted: Counter[str], worth: Counter[str]) -> set[str]:
    """Return the kinds of the accounts that differ: the rest of a name may be a person's."""
    accounts = posted.keys() | worth.keys()
    return {name.partition(":")[0] for name in accounts if posted[name] != worth[name]}
