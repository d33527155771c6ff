"""The browser chat's messages: what a page shows again when it comes back."""

from collections.abc import Sequence

from storage.database import Transaction

_APPEND = """
INSERT INTO transcript (address, seq, body)
VALUES (:address,
        (SELECT COALESCE(MAX(seq), 0) + 1 FROM transcript WHERE address = :address), :body)
RETURNING seq
"""
_AFTER = "SELECT seq, body FROM transcript WHERE address = :address AND seq > :after ORDER BY seq"


class SqlTranscript:
    """The messages of one browser chat, on a transaction."""

    def __init__(self, tx: Transaction, address: str) -> None:
        self._tx = tx
        self._address = address

    def append(self, body: str) -> int:
        """Add a message and return its number, from 1."""
        rows = self._tx.fetch(_APPEND, {"address": self._address, "body": body})
        return int(rows[0]["seq"])

    def after(self, seq: int) -> Sequence[tuple[int, str]]:
        """Return the messages that came after the ``seq``-th."""
        rows = self._tx.fetch(_AFTER, {"address": self._address, "after": seq})
        return [(row["seq"], row["body"]) for row in rows]
