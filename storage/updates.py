"""What a channel received: stored before it is confirmed, served in order, remembered for ever."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import Final, TypeGuard

from shop.time import Millis
from storage.database import Transaction

_STORE = """
INSERT INTO updates (channel, update_id, body, stored_at) VALUES (:channel, :id, :body, :now)
ON CONFLICT (channel, update_id) DO NOTHING
"""
_NUMBERS = """
SELECT update_id FROM updates WHERE channel = :channel AND done_at IS NULL
ORDER BY update_id LIMIT :most
"""
_BODIES = """
SELECT update_id, body FROM updates
WHERE channel = :channel AND done_at IS NULL AND update_id BETWEEN :first AND :last
ORDER BY update_id
"""
_KNOWN = "SELECT 1 AS known FROM updates WHERE channel = :channel AND update_id = :id"
_DONE = """
INSERT INTO updates (channel, update_id, body, stored_at, done_at)
VALUES (:channel, :id, '', :now, :now)
ON CONFLICT (channel, update_id) DO UPDATE SET done_at = :now, body = ''
WHERE updates.done_at IS NULL
"""
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**63 - 1
_MOST: Final = 1_000_000


def is_update_id(value: object) -> TypeGuard[int]:
    """Tell whether a value from outside is a number that can be stored."""
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return _SMALLEST <= value <= _LARGEST


class SqlUpdates:
    """The updates of one channel, on a transaction."""

    def __init__(self, tx: Transaction, channel: str) -> None:
        self._tx = tx
        self._channel = channel

    def store(self, update_id: int, body: str, now: Millis) -> bool:
        """Keep an update; ``False`` if it was known already, however long ago."""
        row = {"channel": self._channel, "id": update_id, "body": body, "now": now}
        return self._tx.execute(_STORE, row) == 1

    def knows(self, update_id: int) -> bool:
        """Tell whether an update was ever stored."""
        return bool(self._tx.fetch(_KNOWN, {"channel": self._channel, "id": update_id}))

    def waiting(
        self, *, held: AbstractSet[int] = frozenset(), most: int = _MOST
    ) -> Sequence[tuple[int, str]]:
        """Return number and body of what is not done and not ``held``, lowest number first.

        Of the held ones only the numbers are read: a look is cheap, and what was stored late, with
        a low number, is found as well as the newest.
        """
        question = {"channel": self._channel, "most": most + len(held)}
        numbers = [row["update_id"] for row in self._tx.fetch(_NUMBERS, question)]
        found: list[tuple[int, str]] = []
        for is_held, run in groupby(numbers, held.__contains__):
            wanted = () if is_held else tuple(run)[: most - len(found)]
            if wanted:
                found += self._bodies(wanted[0], wanted[-1])
        return found

    def _bodies(self, first: int, last: int) -> Sequence[tuple[int, str]]:
        span = {"channel": self._channel, "first": first, "last": last}
        return [(row["update_id"], row["body"]) for row in self._tx.fetch(_BODIES, span)]

    def done(self, update_id: int, now: Millis) -> None:
        """Forget what an answered update said; its number is remembered, even if it is news."""
        self._tx.execute(_DONE, {"channel": self._channel, "id": update_id, "now": now})
