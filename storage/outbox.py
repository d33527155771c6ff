"""Messages owed, and where the ones that are edited later were shown.

Of each lane of each chat only the oldest unsent message, its head, has a real ``due_at``; the ones
behind it have ``BEHIND``, and get theirs when they become the head. So what is due is found without
reading what waits behind it, however much that is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shop.notices import LANE_OF, Facts, Lane, Notice, NoticeKind
from shop.time import Millis
from storage.database import Row, Transaction

BEHIND: Final[Millis] = 10**15  # some thirty thousand years from now

# The head of a chat's lane is always asked for by MIN(seq): SQLite takes the index with the chat in
# it then, and not the one with the lane, in which all chats are.
_OWE = """
INSERT INTO outbox
    (address, seq, lane, message, kind, order_id, facts, created_at, due_at, tries, failed)
VALUES (:address, (SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox WHERE address = :address), :lane,
        :message, :kind, :order_id, :facts, :now,
        CASE WHEN (SELECT MIN(seq) FROM outbox WHERE address = :address AND lane = :lane
                   AND due_at IS NOT NULL) IS NULL THEN :now ELSE :behind END,
        0, '')
ON CONFLICT (address, message) DO NOTHING
"""
# That these are heads is looked up, too, but only of the few that are read: PostgreSQL would look
# up all that is due, and then sort it.
_DUE = """
SELECT o.* FROM (
    SELECT * FROM outbox WHERE lane = :lane AND due_at <= :now {and_more}
    ORDER BY due_at LIMIT :most
) o
WHERE o.seq = (SELECT MIN(e.seq) FROM outbox e WHERE e.address = o.address AND e.lane = o.lane
               AND e.due_at IS NOT NULL)
ORDER BY o.due_at
"""
_ANY_DUE = _DUE.format(and_more="")
_FRESH_DUE = _DUE.format(and_more="AND tries = 0")
_NEXT_AT = """
SELECT MIN(due_at) AS at FROM outbox WHERE lane = :lane AND due_at > :now AND due_at < :behind
"""
# Compare and set: what another process has noted meanwhile stays noted.
_SENT = """
UPDATE outbox SET sent_at = :now, due_at = NULL
WHERE address = :address AND seq = :seq AND due_at IS NOT NULL
"""
_LATER = """
UPDATE outbox SET due_at = :due_at, tries = tries + 1
WHERE address = :address AND seq = :seq AND due_at IS NOT NULL AND tries = :tries
"""
_FAILED = """
UPDATE outbox SET due_at = NULL, failed = :why
WHERE address = :address AND seq = :seq AND due_at IS NOT NULL AND tries = :tries
"""
_HEAD_COMES_DUE = """
UPDATE outbox SET due_at = :now
WHERE address = :address AND due_at > :now
  AND seq = (SELECT MIN(e.seq) FROM outbox e WHERE e.address = :address AND e.lane = :lane
             AND e.due_at IS NOT NULL)
"""
# An older program gave every message a real ``due_at``, and let the next one be.
_GO_BEHIND = """
UPDATE outbox SET due_at = :behind
WHERE due_at < :behind
  AND seq > (SELECT MIN(e.seq) FROM outbox e WHERE e.address = outbox.address
             AND e.lane = outbox.lane AND e.due_at IS NOT NULL)
"""
_COME_DUE = """
UPDATE outbox SET due_at = :now
WHERE due_at > :latest
  AND seq = (SELECT MIN(e.seq) FROM outbox e WHERE e.address = outbox.address
             AND e.lane = outbox.lane AND e.due_at IS NOT NULL)
"""
_WAITING = "SELECT COUNT(*) AS n FROM outbox WHERE lane = :lane AND due_at IS NOT NULL"
_OLDEST = "SELECT MIN(created_at) AS at FROM outbox WHERE lane = :lane AND due_at IS NOT NULL"
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
    lane: Lane
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
                "lane": LANE_OF[notice.kind].value,
                "message": notice.key,
                "kind": notice.kind,
                "order_id": notice.order_id,
                "facts": json.dumps(dict(notice.facts), ensure_ascii=False),
                "now": now,
                "behind": BEHIND,
            },
        )
        self._tx.ring()

    def owe_owners(self, notice: Notice, now: Millis) -> None:
        for owner in self._owners:
            self.owe(replace(notice, address=owner), now)

    def come_due(self, now: Millis, latest: Millis) -> None:
        self._tx.execute(_GO_BEHIND, {"behind": BEHIND})
        self._tx.execute(_COME_DUE, {"now": now, "latest": latest})

    def try_again(self, address: str, now: Millis) -> None:
        for lane in Lane:
            self._next_comes_due(address, lane, now)
        self._tx.ring()

    def due(self, now: Millis, most: int, lane: Lane | None = None) -> Sequence[Owed]:
        """Return messages to send now, of one lane or of all in turn, longest due first.

        At most one for each lane of a chat.
        """
        if lane is None:
            return [owed for each in Lane for owed in self.due(now, most, each)][:most]
        return self._find(_ANY_DUE, now, most, lane)

    def fresh(self, now: Millis, most: int, lane: Lane) -> Sequence[Owed]:
        """Return those of ``due`` that were never tried."""
        return self._find(_FRESH_DUE, now, most, lane)

    def next_at(self, now: Millis) -> Millis | None:
        """Return when the next message that is not due yet becomes due."""
        instants = (
            self._tx.fetch(_NEXT_AT, {"lane": lane.value, "now": now, "behind": BEHIND})[0]["at"]
            for lane in Lane
        )
        return min((at for at in instants if at is not None), default=None)

    def waiting(self) -> Mapping[Lane, int]:
        """Return how many messages are neither sent nor given up."""
        return {lane: int(self._tx.fetch(_WAITING, {"lane": lane.value})[0]["n"]) for lane in Lane}

    def oldest(self, lane: Lane | None = None) -> Millis | None:
        """Return since when the oldest unsent message waits, in one lane or in all."""
        lanes = tuple(Lane) if lane is None else (lane,)
        found = (self._tx.fetch(_OLDEST, {"lane": each.value})[0]["at"] for each in lanes)
        return min((at for at in found if at is not None), default=None)

    def sent(self, owed: Owed, now: Millis, slot: str = "", message_id: str = "") -> bool:
        """Note a message as sent, and where, if it may be edited later.

        Return whether it was unsent until now; otherwise nothing was changed.
        """
        if not self._tx.execute(_SENT, {**_place(owed), "now": now}):
            return False
        if slot and message_id:
            shown = {"order_id": owed.notice.order_id, "slot": slot, "message_id": message_id}
            self._tx.execute(_SHOWN, {**shown, "address": owed.notice.address})
        self._next_comes_due(owed.notice.address, owed.lane, now)
        return True

    def later(self, owed: Owed, due_at: Millis) -> bool:
        """Try again at ``due_at``.

        Return whether it was unsent, and not tried by others since it was read; otherwise nothing
        was changed.
        """
        tried = {**_place(owed), "tries": owed.tries}
        return bool(self._tx.execute(_LATER, {**tried, "due_at": due_at}))

    def undeliverable(self, owed: Owed, why: str, now: Millis) -> bool:
        """Never try again; what it said stays readable by command. Return as ``later`` does."""
        tried = {**_place(owed), "tries": owed.tries}
        if not self._tx.execute(_FAILED, {**tried, "why": why}):
            return False
        self._next_comes_due(owed.notice.address, owed.lane, now)
        return True

    def shown_as(self, order_id: str, address: str, slot: str) -> str:
        """Return the id of the message to edit; empty if there is none."""
        wanted = {"order_id": order_id, "address": address, "slot": slot}
        rows = self._tx.fetch(_SHOWN_AS, wanted)
        return str(rows[0]["message_id"]) if rows else ""

    def _find(self, sql: str, now: Millis, most: int, lane: Lane) -> Sequence[Owed]:
        wanted = {"lane": lane.value, "now": now, "most": most}
        return [_owed(row) for row in self._tx.fetch(sql, wanted)]

    def _next_comes_due(self, address: str, lane: Lane, now: Millis) -> None:
        self._tx.execute(_HEAD_COMES_DUE, {"address": address, "lane": lane.value, "now": now})


def _place(owed: Owed) -> dict[str, str | int]:
    return {"address": owed.notice.address, "seq": owed.seq}


def _owed(row: Row) -> Owed:
    facts: Facts = json.loads(row["facts"])
    return Owed(
        seq=row["seq"],
        lane=Lane(row["lane"]),
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
