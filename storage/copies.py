"""Whether this database is a copy that was restored, and what must be asked before it opens."""

from collections.abc import Sequence

from shop.time import Millis
from storage.database import Transaction

_MADE_AT = "SELECT MIN(at) AS at FROM copied"
_FORGET = "DELETE FROM copied"
_MARK = (
    "INSERT INTO copied_orders (order_id) SELECT id FROM orders WHERE TRUE ON CONFLICT DO NOTHING"
)
_MARKED = "SELECT 1 AS n FROM copied_orders WHERE order_id = :order_id"
_UNSEEN = """
SELECT id FROM orders WHERE status IN ('placed', 'opening', 'paid', 'submitting')
  AND asks = :supplier ORDER BY id
"""
# What was paid first can be asked about only by a reference that the supplier knows.
_ASK = """
INSERT INTO unasked (order_id)
SELECT o.id FROM orders o LEFT JOIN attempts a ON a.order_id = o.id AND a.nth = o.tries
WHERE o.asks = :supplier AND o.due_at IS NOT NULL
  AND (o.status = 'awaiting_payment'
       OR (o.status IN ('processing', 'unsure')
           AND (o.method = 'dropship' OR a.by_our_ref = 1 OR a.supplier_ref <> '')))
ON CONFLICT (order_id) DO NOTHING
"""
_STRANGERS = """
SELECT u.order_id, o.asks FROM unasked u JOIN orders o ON o.id = u.order_id ORDER BY u.order_id
"""
_ASKED = "DELETE FROM unasked WHERE order_id = :order_id"
# One that nobody will ask about any more, because it has ended meanwhile, keeps nobody waiting.
_LEFT = """
SELECT COUNT(*) AS n FROM unasked u JOIN orders o ON o.id = u.order_id WHERE o.due_at IS NOT NULL
"""
_FORGET_SCREENS = "UPDATE sessions SET screen = screen + 1000000"
_FORGET_UPDATES = """
UPDATE updates SET done_at = :now, body = '' WHERE done_at IS NULL AND stored_at <= :made_at
"""


class SqlCopies:
    """``shop.ports.Copies`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def made_at(self) -> Millis | None:
        found: Millis | None = self._tx.fetch(_MADE_AT)[0]["at"]
        return found

    def forget(self) -> None:
        self._tx.execute(_FORGET)

    def mark_orders(self) -> None:
        self._tx.execute(_MARK)

    def has(self, order_id: str) -> bool:
        return bool(self._tx.fetch(_MARKED, {"order_id": order_id}))

    def forget_what_was_said(self, made_at: Millis, now: Millis) -> None:
        self._tx.execute(_FORGET_SCREENS)
        self._tx.execute(_FORGET_UPDATES, {"made_at": made_at, "now": now})

    def unseen(self, supplier: str) -> Sequence[str]:
        return [row["id"] for row in self._tx.fetch(_UNSEEN, {"supplier": supplier})]

    def ask_only(self, suppliers: Sequence[str]) -> None:
        for row in self._tx.fetch(_STRANGERS):
            if row["asks"] not in suppliers:
                self.asked(row["order_id"])

    def ask_about_all(self, supplier: str) -> None:
        self._tx.execute(_ASK, {"supplier": supplier})

    def asked(self, order_id: str) -> None:
        self._tx.execute(_ASKED, {"order_id": order_id})

    def left(self) -> int:
        return int(self._tx.fetch(_LEFT)[0]["n"])
