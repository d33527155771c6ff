"""The call budget of each supplier, and what waits for a call."""

from collections.abc import Sequence

from shop.time import HOUR, Millis
from storage.database import Transaction

_SINCE = """
SELECT at, purpose FROM supplier_calls WHERE supplier = :supplier AND at > :since AND at <= :until
ORDER BY at, nth
"""
_RECORD = """
INSERT INTO supplier_calls (supplier, at, nth, purpose)
VALUES (:supplier, :now, (SELECT COUNT(*) FROM supplier_calls
                          WHERE supplier = :supplier AND at = :now), :purpose)
"""
_FORGET = "DELETE FROM supplier_calls WHERE supplier = :supplier AND at < :before"
_ASK = """
INSERT INTO balance_requests (supplier, address, asked_at) VALUES (:supplier, :address, :now)
ON CONFLICT (supplier, address) DO NOTHING
"""
_NEXT_REQUEST = """
DELETE FROM balance_requests WHERE supplier = :supplier AND address =
    (SELECT address FROM balance_requests WHERE supplier = :supplier
     ORDER BY asked_at, address LIMIT 1)
RETURNING address
"""
_LIST_DUE = "SELECT due_at FROM price_lists WHERE supplier = :supplier"
_COMPARE_AT = "SELECT compare_at FROM supplier_balances WHERE supplier = :supplier"
_SET_COMPARE_AT = """
INSERT INTO supplier_balances (supplier, compare_at, said, said_at, agreed_at)
VALUES (:supplier, :at, 0, 0, 0)
ON CONFLICT (supplier) DO UPDATE SET compare_at = excluded.compare_at
"""
_COMPARE_DUE = "UPDATE supplier_balances SET compare_at = :now WHERE compare_at > :latest"
_PAUSED = "SELECT paused_until FROM supplier_pauses WHERE supplier = :supplier"
_PAUSE = """
INSERT INTO supplier_pauses (supplier, paused_until) VALUES (:supplier, :until)
ON CONFLICT (supplier) DO UPDATE SET paused_until = excluded.paused_until
"""
_TRIED = "UPDATE price_lists SET tried_at = :now WHERE supplier = :supplier"
_TRIED_AT = "SELECT tried_at FROM price_lists WHERE supplier = :supplier"
_SET_LIST_DUE = """
INSERT INTO price_lists (supplier, due_at) VALUES (:supplier, :at)
ON CONFLICT (supplier) DO UPDATE SET due_at = excluded.due_at
"""


class SqlCalls:
    """``shop.ports.Calls`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def made_between(
        self, supplier: str, since: Millis, until: Millis
    ) -> Sequence[tuple[Millis, str]]:
        wanted = {"supplier": supplier, "since": since, "until": until}
        rows = self._tx.fetch(_SINCE, wanted)
        return [(row["at"], row["purpose"]) for row in rows]

    def record(self, supplier: str, purpose: str, now: Millis) -> None:
        self._tx.execute(_FORGET, {"supplier": supplier, "before": now - HOUR})
        self._tx.execute(_RECORD, {"supplier": supplier, "purpose": purpose, "now": now})

    def ask_balance(self, supplier: str, address: str, now: Millis) -> None:
        self._tx.execute(_ASK, {"supplier": supplier, "address": address, "now": now})
        self._tx.ring()

    def next_balance_request(self, supplier: str) -> str | None:
        rows = self._tx.fetch(_NEXT_REQUEST, {"supplier": supplier})
        return str(rows[0]["address"]) if rows else None

    def list_due_at(self, supplier: str) -> Millis:
        rows = self._tx.fetch(_LIST_DUE, {"supplier": supplier})
        return int(rows[0]["due_at"]) if rows else 0

    def set_list_due(self, supplier: str, at: Millis) -> None:
        self._tx.execute(_SET_LIST_DUE, {"supplier": supplier, "at": at})
        self._tx.ring()

    def compare_at(self, supplier: str) -> Millis:
        rows = self._tx.fetch(_COMPARE_AT, {"supplier": supplier})
        return int(rows[0]["compare_at"]) if rows else 0

    def set_compare_at(self, supplier: str, at: Millis) -> None:
        self._tx.execute(_SET_COMPARE_AT, {"supplier": supplier, "at": at})

    def compare_soon(self, supplier: str, now: Millis) -> None:
        self.set_compare_at(supplier, now)
        self._tx.ring()

    def come_due(self, now: Millis, latest: Millis) -> None:
        self._tx.execute(_COMPARE_DUE, {"now": now, "latest": latest})

    def paused_until(self, supplier: str) -> Millis:
        rows = self._tx.fetch(_PAUSED, {"supplier": supplier})
        return int(rows[0]["paused_until"]) if rows else 0

    def pause(self, supplier: str, until: Millis) -> None:
        self._tx.execute(_PAUSE, {"supplier": supplier, "until": until})

    def list_tried(self, supplier: str, now: Millis) -> None:
        """Note that a price list was fetched, or could not be."""
        self._tx.execute(_TRIED, {"supplier": supplier, "now": now})

    def list_tried_at(self, supplier: str) -> Millis:
        """Return when that was last noted, by any process; 0 if never."""
        rows = self._tx.fetch(_TRIED_AT, {"supplier": supplier})
        return int(rows[0]["tried_at"]) if rows else 0
