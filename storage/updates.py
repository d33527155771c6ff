"""What a channel received and has not fully answered yet: stored before it is confirmed."""

from collections.abc import Sequence

from shop.time import Millis
from storage.database import Transaction

_STORE = """
INSERT INTO updates (channel, update_id, body, stored_at) VALUES (:channel, :id, :body, :now)
ON CONFLICT (channel, update_id) DO NOTHING
"""
_WAITING = """
SELECT update_id, body FROM updates WHERE channel = :channel AND done_at IS NULL ORDER BY update_id
"""
_DONE = "UPDATE updates SET done_at = :now, body = '' WHERE channel = :channel AND update_id = :id"


class SqlUpdates:
    """The updates of one channel, on a transaction."""

    def __init__(self, tx: Transaction, channel: str) -> None:
        self._tx = tx
        self._channel = channel

    def store(self, update_id: int, body: str, now: Millis) -> bool:
        """Keep an update; ``False`` if it was known already."""
        row = {"channel": self._channel, "id": update_id, "body": body, "now": now}
        return self._tx.execute(_STORE, row) == 1

    def waiting(self) -> Sequence[tuple[int, str]]:
        """Return what was stored and not answered, oldest first."""
        rows = self._tx.fetch(_WAITING, {"channel": self._channel})
        return [(row["update_id"], row["body"]) for row in rows]

    def done(self, update_id: int, now: Millis) -> None:
        """Forget what an answered update said; its number is remembered."""
        self._tx.execute(_DONE, {"channel": self._channel, "id": update_id, "now": now})
