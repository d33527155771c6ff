"""Which suppliers give no answers, do not know us, or have nothing of ours left."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from shop.breaker import Breaker, Outcome
from shop.suppliers import NO_TROUBLE, Trouble, Why
from shop.time import HOUR, Millis
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
_NOTE: Final = """
INSERT INTO outcomes (supplier, ref, at, went_well, took, buyer)
VALUES (:supplier, :ref, :at, :went_well, :took, :buyer)
ON CONFLICT (supplier, ref) DO UPDATE SET went_well = excluded.went_well
"""
_FORGET: Final = "DELETE FROM outcomes WHERE supplier = :supplier AND at < :at"
# Noted by a clock that was ahead.
_FORGET_THE_FUTURE: Final = "DELETE FROM outcomes WHERE supplier = :supplier AND at > :now"
_LATELY: Final = """
SELECT ref, at, went_well, took, buyer FROM outcomes
WHERE supplier = :supplier AND at > :since ORDER BY at, ref
"""
_BREAKERS: Final = "SELECT * FROM breakers"
_OPEN: Final = """
INSERT INTO breakers (supplier, open_until, pause) VALUES (:supplier, :open_until, :pause)
ON CONFLICT (supplier) DO UPDATE SET open_until = excluded.open_until, pause = excluded.pause
"""
_CLOSE: Final = "DELETE FROM breakers WHERE supplier = :supplier"
_KEPT: Final = HOUR


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

    def away(self, now: Millis) -> frozenset[str]:
        silent = {row["supplier"] for row in self._tx.fetch(_AWAY)}
        failing = {slug for slug, breaker in self._breakers().items() if breaker.is_open(now)}
        return frozenset(silent | failing)

    def note(self, supplier: str, outcome: Outcome) -> None:
        self.forget_before(supplier, outcome.at - _KEPT)
        self._tx.execute(_FORGET_THE_FUTURE, {"supplier": supplier, "now": outcome.at + _KEPT})
        row = {**asdict(outcome), "went_well": int(outcome.went_well), "supplier": supplier}
        self._tx.execute(_NOTE, row)

    def lately(self, supplier: str, since: Millis) -> Sequence[Outcome]:
        return [
            Outcome(
                ref=row["ref"],
                at=row["at"],
                went_well=bool(row["went_well"]),
                took=row["took"],
                buyer=row["buyer"],
            )
            for row in self._tx.fetch(_LATELY, {"supplier": supplier, "since": since})
        ]

    def forget_before(self, supplier: str, at: Millis) -> None:
        self._tx.execute(_FORGET, {"supplier": supplier, "at": at})

    def breaker(self, supplier: str) -> Breaker | None:
        return self._breakers().get(supplier)

    def set_breaker(self, supplier: str, breaker: Breaker | None) -> None:
        if breaker is None:
            self._tx.execute(_CLOSE, {"supplier": supplier})
            return
        self._tx.execute(_OPEN, {**asdict(breaker), "supplier": supplier})

    def _breakers(self) -> Mapping[str, Breaker]:
        return {
            row["supplier"]: Breaker(open_until=row["open_until"], pause=row["pause"])
            for row in self._tx.fetch(_BREAKERS)
        }
