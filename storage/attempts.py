"""The attempts at having orders delivered, and the orders they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from shop.orders import Attempt, Order
from storage.database import Row, Transaction
from storage.order_rows import SELECT, read_order

_PUT: Final = """
INSERT INTO attempts (order_id, nth, supplier, ref, sku, cost, by_our_ref, calls_back, supplier_ref,
                      told_ref, charged, started_at)
VALUES (:order_id, :nth, :supplier, :ref, :sku, :cost, :by_our_ref, :calls_back, :supplier_ref,
        :told_ref, :charged, :started_at)
ON CONFLICT (order_id, nth) DO UPDATE SET
    supplier_ref = excluded.supplier_ref, told_ref = excluded.told_ref, charged = excluded.charged
"""
_NAMED: Final = "SELECT * FROM attempts WHERE supplier = :supplier AND ref = :ref"
_KNOWN_AS: Final = """
SELECT * FROM attempts WHERE supplier = :supplier AND supplier_ref = :supplier_ref
ORDER BY started_at DESC LIMIT 1
"""
_OF: Final = "SELECT * FROM attempts WHERE order_id = :order_id AND nth = :nth"
# The attempt before an event is the last one that was begun before it.
_LEFT_BEHIND: Final = """
SELECT DISTINCT a.* FROM order_events e
JOIN attempts a ON a.order_id = e.order_id AND a.supplier = :supplier AND a.charged > 0
JOIN orders o ON o.id = a.order_id
WHERE e.event = 'rerouted' AND a.nth = (
    SELECT COUNT(*) FROM order_events s WHERE s.order_id = e.order_id
    AND s.event = 'submission_started' AND s.version < e.version)
  AND NOT (a.nth = o.tries AND a.supplier = o.supplier AND a.sku = o.sku)
ORDER BY a.order_id, a.nth
"""
_TRIED: Final = "SELECT supplier, sku FROM attempts WHERE order_id = :order_id"
_TELL: Final = """
UPDATE attempts SET told_ref = :told_ref WHERE order_id = :order_id AND nth = :nth
"""


class SqlAttempts:
    """``shop.ports.Attempts`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def put(self, order_id: str, attempt: Attempt) -> None:
        """Store an attempt, or what has become known of it."""
        flags = {"by_our_ref": int(attempt.by_our_ref), "calls_back": int(attempt.calls_back)}
        self._tx.execute(_PUT, {**asdict(attempt), **flags, "order_id": order_id})

    def named(self, supplier: str, ref: str) -> Order | None:
        """Return the order whose attempt has this reference of ours, as that attempt left it."""
        return self._order_of(_NAMED, {"supplier": supplier, "ref": ref})

    def known_as(self, supplier: str, supplier_ref: str) -> Order | None:
        """Return the order whose attempt the supplier calls so, as that attempt left it."""
        return self._order_of(_KNOWN_AS, {"supplier": supplier, "supplier_ref": supplier_ref})

    def of(self, order_id: str, nth: int) -> Attempt | None:
        rows = self._tx.fetch(_OF, {"order_id": order_id, "nth": nth})
        return _attempt(rows[0]) if rows else None

    def left_behind(self, supplier: str) -> Sequence[tuple[str, Attempt]]:
        found = self._tx.fetch(_LEFT_BEHIND, {"supplier": supplier})
        return [(row["order_id"], _attempt(row)) for row in found]

    def tried(self, order_id: str) -> frozenset[tuple[str, str]]:
        rows = self._tx.fetch(_TRIED, {"order_id": order_id})
        return frozenset((row["supplier"], row["sku"]) for row in rows)

    def tell(self, order: Order, told_ref: str) -> None:
        """Keep what a callback calls the last attempt of an order, which nothing proves yet."""
        row = {"order_id": order.id, "nth": order.tries, "told_ref": told_ref}
        self._tx.execute(_TELL, row)
        self._tx.ring()

    def _order_of(self, sql: str, wanted: Mapping[str, str]) -> Order | None:
        found = self._tx.fetch(sql, wanted)
        if not found:
            return None
        [row] = self._tx.fetch(f"{SELECT} WHERE o.id = :id", {"id": found[0]["order_id"]})
        order = read_order(row)
        if order.tries == found[0]["nth"]:
            return order
        return replace(order, tries=found[0]["nth"], attempt=_attempt(found[0]))


def _attempt(row: Row) -> Attempt:
    return Attempt(
        nth=row["nth"],
        ref=row["ref"],
        supplier=row["supplier"],
        sku=row["sku"],
        cost=row["cost"],
        by_our_ref=bool(row["by_our_ref"]),
        calls_back=bool(row["calls_back"]),
        supplier_ref=row["supplier_ref"],
        told_ref=row["told_ref"],
        charged=row["charged"],
        started_at=row["started_at"],
    )
