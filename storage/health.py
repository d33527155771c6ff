"""Which suppliers give no answers, do not know us, or have nothing of ours left."""

from typing import Final

from shop.suppliers import NO_TROUBLE, Trouble, Why
from shop.time import Millis
from storage.database import Transaction

_GET: Final = "SELECT * FROM supplier_health WHERE supplier = :supplier"
_PUT: Final = """
INSERT INTO supplier_health (supplier, misses, away_since, why, needs)
VALUES (:supplier, :misses, :away_since, :why, :needs)
ON CONFLICT (supplier) DO UPDATE SET misses = excluded.misses, away_since = excluded.away_since,
    why = excluded.why, needs = excluded.needs
"""
_CLEAR: Final = "DELETE FROM supplier_health WHERE supplier = :supplier"
_AWAY: Final = "SELECT supplier FROM supplier_health WHERE away_since IS NOT NULL"


class SqlHealth:
    """``shop.ports.Health`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of(self, supplier: str) -> Trouble:
        rows = self._tx.fetch(_GET, {"supplier": supplier})
        if not rows:
            return NO_TROUBLE
        row = rows[0]
        since: Millis | None = row["away_since"]
        why = Why(row["why"]) if row["why"] else None
        return Trouble(misses=row["misses"], away_since=since, why=why, needs=row["needs"])

    def put(self, supplier: str, trouble: Trouble) -> None:
        if trouble == NO_TROUBLE:
            self._tx.execute(_CLEAR, {"supplier": supplier})
            return
        self._tx.execute(
            _PUT,
            {
                "supplier": supplier,
                "misses": trouble.misses,
                "away_since": trouble.away_since,
                "why": trouble.why or "",
                "needs": trouble.needs,
            },
        )

    def away(self) -> frozenset[str]:
        return frozenset(row["supplier"] for row in self._tx.fetch(_AWAY))
