"""Cases: what the owner is asked."""

from collections.abc import Mapping, Sequence

from shop.cases import REMIND_EVERY, Answer, Case, CaseKind
from shop.time import Millis
from storage.database import CLAIMED, Row, Transaction

_GET = "SELECT * FROM cases WHERE id = :id"
_OPEN_FOR = "SELECT * FROM cases WHERE order_id = :order_id AND closed_at IS NULL"
_LAST_FOR = """
SELECT * FROM cases WHERE order_id = :order_id ORDER BY opened_at DESC, id DESC LIMIT 1
"""
_COUNT_FOR = "SELECT COUNT(*) AS n FROM cases WHERE order_id = :order_id"
_OPEN_ABOUT = """
SELECT * FROM cases WHERE about = :about AND order_id IS NULL AND closed_at IS NULL
"""
_LAST_ABOUT = """
SELECT * FROM cases WHERE about = :about AND order_id IS NULL
ORDER BY opened_at DESC, id DESC LIMIT 1
"""
_COUNT_ABOUT = "SELECT COUNT(*) AS n FROM cases WHERE about = :about AND order_id IS NULL"
_TO_REMIND = "SELECT * FROM cases o WHERE o.closed_at IS NULL AND o.remind_at <= :now"
_NEXT_TO_REMIND = f"{_TO_REMIND} ORDER BY o.remind_at LIMIT 1 {CLAIMED}"
_REMINDERS_DUE = """
UPDATE cases SET remind_at = :now WHERE remind_at > :latest AND closed_at IS NULL
"""
_REMIND_AT = "UPDATE cases SET remind_at = :at WHERE id = :id"
_ALL_OPEN = "SELECT * FROM cases WHERE closed_at IS NULL ORDER BY opened_at, id"
_PUT = """
INSERT INTO cases (id, order_id, about, kind, evidence, opened_at, remind_at, closed_at, answer,
                   actor, pending, pending_by, pending_until)
VALUES (:id, :order_id, :about, :kind, :evidence, :opened_at, :remind_at, NULL, '', '',
        :pending, :pending_by, :pending_until)
ON CONFLICT (id) DO UPDATE SET
    kind = excluded.kind, evidence = excluded.evidence, opened_at = excluded.opened_at,
    remind_at = CASE WHEN cases.opened_at = excluded.opened_at
                THEN cases.remind_at ELSE excluded.remind_at END,
    pending = excluded.pending, pending_by = excluded.pending_by,
    pending_until = excluded.pending_until
"""
_CLOSE = """
UPDATE cases SET closed_at = :now, answer = :answer, actor = :actor, pending = ''
WHERE id = :id AND closed_at IS NULL
"""


class SqlCases:
    """``shop.ports.Cases`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, case_id: str) -> Case | None:
        return self._one(_GET, {"id": case_id})

    def open_for(self, order_id: str) -> Case | None:
        return self._one(_OPEN_FOR, {"order_id": order_id})

    def last_for(self, order_id: str) -> Case | None:
        return self._one(_LAST_FOR, {"order_id": order_id})

    def count_for(self, order_id: str) -> int:
        return int(self._tx.fetch(_COUNT_FOR, {"order_id": order_id})[0]["n"])

    def all_open(self) -> Sequence[Case]:
        return [_case(row) for row in self._tx.fetch(_ALL_OPEN)]

    def put(self, case: Case) -> None:
        self._tx.execute(
            _PUT,
            {
                "id": case.id,
                "order_id": case.order_id or None,
                "about": case.about,
                "kind": case.kind,
                "evidence": case.evidence,
                "opened_at": case.opened_at,
                "remind_at": case.opened_at + REMIND_EVERY,
                "pending": case.pending or "",
                "pending_by": case.pending_by,
                "pending_until": case.pending_until,
            },
        )

    def close(self, case: Case, answer: Answer | None, actor: str, now: Millis) -> None:
        self._tx.execute(
            _CLOSE, {"id": case.id, "answer": answer or "", "actor": actor, "now": now}
        )

    def open_about(self, about: str) -> Case | None:
        return self._one(_OPEN_ABOUT, {"about": about})

    def last_about(self, about: str) -> Case | None:
        return self._one(_LAST_ABOUT, {"about": about})

    def count_about(self, about: str) -> int:
        return int(self._tx.fetch(_COUNT_ABOUT, {"about": about})[0]["n"])

    def next_to_remind(self, now: Millis) -> Case | None:
        return self._one(_NEXT_TO_REMIND, {"now": now})

    def come_due(self, now: Millis, latest: Millis) -> None:
        self._tx.execute(_REMINDERS_DUE, {"now": now, "latest": latest})

    def remind_at(self, case: Case, at: Millis) -> None:
        self._tx.execute(_REMIND_AT, {"id": case.id, "at": at})

    def _one(self, sql: str, parameters: Mapping[str, str | int]) -> Case | None:
        rows = self._tx.fetch(sql, parameters)
        return _case(rows[0]) if rows else None


def _case(row: Row) -> Case:
    return Case(
        id=row["id"],
        order_id=row["order_id"] or "",
        about=row["about"],
        kind=CaseKind(row["kind"]),
        evidence=row["evidence"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        pending=Answer(row["pending"]) if row["pending"] else None,
        pending_by=row["pending_by"],
        pending_until=row["pending_until"],
    )
