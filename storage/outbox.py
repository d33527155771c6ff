"""Messages owed, and where the ones that are edited later were shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shop.notices import Facts, Notice, NoticeKind
from shop.time import Millis
from storage.database import Row, Transaction

_OWE = """
INSERT INTO outbox (address, seq, message, kind, order_id, facts, created_at, due_at, tries, failed)
VALUES (:address, (SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox WHERE address = :address),
        :message, :kind, :order_id, :facts, :now, :now, 0, '')
ON CONFLICT (address, message) DO NOTHING
"""
# The oldest unsent message of each chat: order is kept per chat, no chat waits for another.
_DUE = """
SELECT o.* FROM outbox o
WHERE o.due_at <= :now AND o.due_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.address = o.address
                  AND e.due_at IS NOT NULL AND e.seq < o.seq)
ORDER BY o.due_at LIMIT :most
"""
_NEXT_AT = "SELECT MIN(due_at) AS at FROM outbox WHERE due_at IS NOT NULL AND due_at > :now"
_SENT = """
UPDATE outbox SET sent_at = :now, due_at = NULL WHERE address = :address AND seq = :seq
"""
_LATER = """
UPDATE outbox SET due_at = :due_at, tries = tries + 1 WHERE address = :address AND seq = :seq
"""
_FAILED = """
UPDATE outbox SET due_at = NULL, failed = :why WHERE address = :address AND seq = :seq
"""
_COME_DUE = "UPDATE outbox SET due_at = :now WHERE due_at > :latest"
_OLDEST = "SELECT MIN(created_at) AS at FROM outbox WHERE due_at IS NOT NULL"
_SHOWN = """
INSERT INTO shown (order_id, address, slot, message_id)
VALUES (:order_id, :address, :slot, :message_id)
ON CONFLICT (order_id, address, slot) DO UPDATE SET message_id = excluded.message_id
"""
_SHOWN_AS = """
SELECT message_id FROM shown WHERE order_id = :order_id AND address = :address AND slot = :slot
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A message of the outbox: the ``seq``-th of its chat."""

    seq: int
    tries: int
    created_at: Millis
    notice: Notice


class SqlOutbox:
    """``shop.ports.Outbox`` on a transaction, and what the sending worker needs."""

    def __init__(self, tx: Transaction, owners: Sequence[str] = ()) -> None:
        self._tx = tx
        self._owners = owners

    def owe(self, notice: Notice, now: Millis) -> None:
        self._tx.execute(
            _OWE,
            {
                "address": notice.address,
                "message": notice.key,
                "kind": notice.kind,
                "order_id": notice.order_id,
                "facts": json.dumps(dict(notice.facts), ensure_ascii=False),
                "now": now,
            },
        )

    def owe_owners(self, notice: Notice, now: Millis) -> None:
        for owner in self._owners:
            self.owe(replace(notice, address=owner), now)

    def come_due(self, now: Millis, latest: Millis) -> None:
        self._tx.execute(_COME_DUE, {"now": now, "latest": latest})

    def due(self, now: Millis, most: int) -> Sequence[Owed]:
        """Return messages to send now, at most one a chat."""
        return [_owed(row) for row in self._tx.fetch(_DUE, {"now": now, "most": most})]

    def next_at(self, now: Millis) -> Millis | None:
        """Return when the next message that is not due yet becomes due."""
        found: Millis | None = self._tx.fetch(_NEXT_AT, {"now": now})[0]["at"]
        return found

    def oldest(self) -> Millis | None:
        """Return since when the oldest unsent message waits."""
        found: Millis | None = self._tx.fetch(_OLDEST)[0]["at"]
        return found

    def sent(self, owed: Owed, now: Millis, slot: str = "", message_id: str = "") -> None:
        """Note a message as sent, and where, if it may be edited later."""
        key = {"address": owed.notice.address, "seq": owed.seq}
        self._tx.execute(_SENT, {**key, "now": now})
        if slot and message_id:
            shown = {"order_id": owed.notice.order_id, "slot": slot, "message_id": message_id}
            self._tx.execute(_SHOWN, {**shown, "address": owed.notice.address})

    def later(self, owed: Owed, due_at: Millis) -> None:
        """Try again at ``due_at``."""
        key = {"address": owed.notice.address, "seq": owed.seq}
        self._tx.execute(_LATER, {**key, "due_at": due_at})

    def undeliverable(self, owed: Owed, why: str) -> None:
        """Never try again; what it said stays readable by command."""
        key = {"address": owed.notice.address, "seq": owed.seq}
        self._tx.execute(_FAILED, {**key, "why": why})

    def shown_as(self, order_id: str, address: str, slot: str) -> str:
        """Return the id of the message to edit; empty if there is none."""
        wanted = {"order_id": order_id, "address": address, "slot": slot}
        rows = self._tx.fetch(_SHOWN_AS, wanted)
        return str(rows[0]["message_id"]) if rows else ""


def _owed(row: Row) -> Owed:
    facts: Facts = json.loads(row["facts"])
    return Owed(
        seq=row["seq"],
        tries=row["tries"],
        created_at=row["created_at"],
        notice=Notice(
            key=row["message"],
            kind=NoticeKind(row["kind"]),
            address=row["address"],
            order_id=row["order_id"],
            facts=facts,
        ),
    )
