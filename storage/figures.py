"""Figures for the monitor: read at one moment, and what came of the calls to suppliers."""

from collections.abc import Mapping

from shop.calls import Purpose
from shop.figures import Budget, CallCount, CallOutcome, Figures, Waiting, bucket_of
from shop.time import Millis
from storage.database import Row, Transaction

# Answered by the index ``orders_delivered`` alone: no order is read.
_ORDERS = "SELECT status, COUNT(*) AS n FROM orders GROUP BY status"
_CASES = """
SELECT kind, COUNT(*) AS n, MIN(opened_at) AS since FROM cases WHERE closed_at IS NULL GROUP BY kind
"""
_OUTBOX = """
SELECT lane, COUNT(*) AS n, MIN(created_at) AS since FROM outbox
WHERE due_at IS NOT NULL GROUP BY lane
"""
_UPDATES = "SELECT COUNT(*) AS n, MIN(stored_at) AS since FROM updates WHERE done_at IS NULL"
# Calls noted ahead of now count, as they do for whoever makes the next call.
_MADE = """
SELECT COUNT(*) AS n FROM supplier_calls
WHERE supplier = :supplier AND at > :since AND at <= :until
"""
_CALLS = """
SELECT supplier, purpose, outcome, slower_than, calls, took FROM call_outcomes
ORDER BY supplier, purpose, outcome, slower_than
"""
_RECORD = """
INSERT INTO call_outcomes (supplier, purpose, outcome, slower_than, calls, took)
VALUES (:supplier, :purpose, :outcome, :slower_than, 1, :took)
ON CONFLICT (supplier, purpose, outcome, slower_than) DO UPDATE SET
    calls = call_outcomes.calls + 1, took = call_outcomes.took + excluded.took
"""


class SqlFigures:
    """The figures of the whole shop, on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def read(self, now: Millis, budgets: Mapping[str, Budget | None]) -> Figures:
        """Return how the shop stands ``now``.

        ``budgets`` names every supplier it has, with ``None`` for one that does not count calls.
        """
        return Figures(
            at=now,
            orders={row["status"]: row["n"] for row in self._tx.fetch(_ORDERS)},
            cases={row["kind"]: _waiting(row) for row in self._tx.fetch(_CASES)},
            outbox={row["lane"]: _waiting(row) for row in self._tx.fetch(_OUTBOX)},
            updates=_waiting(self._tx.fetch(_UPDATES)[0]),
            suppliers=tuple(budgets),
            budget_left={
                supplier: max(budget.most - self._made(supplier, now, budget.window), 0)
                for supplier, budget in budgets.items()
                if budget is not None
            },
            calls=[CallCount(**dict(row)) for row in self._tx.fetch(_CALLS)],
        )

    def record_outcome(
        self, supplier: str, purpose: Purpose, outcome: CallOutcome, took: Millis
    ) -> None:
        """Count one call that was made. A clock that was set back makes it take no time."""
        spent = max(took, 0)
        self._tx.execute(
            _RECORD,
            {
                "supplier": supplier,
                "purpose": purpose.value,
                "outcome": outcome.value,
                "slower_than": bucket_of(spent),
                "took": spent,
            },
        )

    def _made(self, supplier: str, now: Millis, window: Millis) -> int:
        wanted = {"supplier": supplier, "since": now - window, "until": now + window}
        return int(self._tx.fetch(_MADE, wanted)[0]["n"])


def _waiting(row: Row) -> Waiting:
    return Waiting(count=row["n"], since=row["since"])
