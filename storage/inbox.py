"""What suppliers told us: stored before it is answered, known for ever by its digest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shop.callbacks import Callback, Trust
from shop.time import Millis
from storage.database import Transaction

_STORE: Final = """
INSERT INTO inbox (supplier, digest, trust, method, query, body, received_at, due_at)
VALUES (:supplier, :digest, :trust, :method, :query, :body, :now, :now)
ON CONFLICT (supplier, digest) DO NOTHING
"""
_WAKE: Final = """
UPDATE inbox SET due_at = :now
WHERE supplier = :supplier AND digest = :digest AND due_at > :now
"""
_DUE: Final = """
SELECT * FROM inbox WHERE due_at <= :now ORDER BY received_at, digest LIMIT :most
"""
_NEXT_AT: Final = "SELECT MIN(due_at) AS at FROM inbox WHERE due_at IS NOT NULL"
_WAITS: Final = """
SELECT 1 AS waits FROM inbox
WHERE supplier = :supplier AND digest = :digest AND due_at IS NOT NULL
"""
_LATER: Final = """
UPDATE inbox SET due_at = :at
WHERE supplier = :supplier AND digest = :digest AND due_at IS NOT NULL
"""
_DONE: Final = """
UPDATE inbox SET due_at = NULL, query = '', body = ''
WHERE supplier = :supplier AND digest = :digest AND due_at IS NOT NULL
"""
_COME_DUE: Final = "UPDATE inbox SET due_at = :now WHERE due_at > :latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A stored callback that waits to be taken in; its headers and address are gone."""

    supplier: str
    digest: str
    trust: Trust
    callback: Callback
    received_at: Millis


def digest_of(callback: Callback) -> str:
    """Return what a callback is known by: method, query and body, and nothing that varies."""
    parts = (callback.method.encode(), callback.query.encode("utf-8", "surrogateescape"))
    return hashlib.sha256(b"\n".join((*parts, callback.body))).hexdigest()


class SqlInbox:
    """The inbox, on a transaction. Bytes are stored as Latin-1 text: every byte is a character."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def store(self, supplier: str, callback: Callback, trust: Trust, now: Millis) -> bool:
        """Keep a callback; ``False`` if it was known already.

        A repetition of one that waits wakes it: it is taken in at once.
        """
        key = {"supplier": supplier, "digest": digest_of(callback)}
        row = {
            "trust": trust,
            "method": callback.method,
            "query": _storable(callback.query.encode("utf-8", "surrogateescape")),
            "body": _storable(callback.body),
            "now": now,
        }
        is_new = self._tx.execute(_STORE, {**row, **key}) == 1
        if is_new or self._tx.execute(_WAKE, {**key, "now": now}):
            self._tx.ring()
        return is_new

    def due(self, now: Millis, most: int) -> Sequence[Received]:
        """Return what is to be taken in now, in the order in which it came."""
        rows = self._tx.fetch(_DUE, {"now": now, "most": most})
        return [
            Received(
                supplier=row["supplier"],
                digest=row["digest"],
                trust=Trust(row["trust"]),
                callback=Callback(
                    method=row["method"],
                    query=_bytes(row["query"]).decode("utf-8", "surrogateescape"),
                    body=_bytes(row["body"]),
                ),
                received_at=row["received_at"],
            )
            for row in rows
        ]

    def next_at(self) -> Millis | None:
        """Return when something is next to be taken in; ``None``: nothing waits."""
        found: Millis | None = self._tx.fetch(_NEXT_AT)[0]["at"]
        return found

    def waits(self, received: Received) -> bool:
        """Tell whether nobody has taken it in meanwhile."""
        return bool(self._tx.fetch(_WAITS, _key(received)))

    def later(self, received: Received, at: Millis) -> None:
        """Take it in again at ``at``: nobody knows yet what it is about."""
        self._tx.execute(_LATER, {**_key(received), "at": at})

    def done(self, received: Received) -> None:
        """Forget what it said; that it came is remembered."""
        self._tx.execute(_DONE, _key(received))

    def come_due(self, now: Millis, latest: Millis) -> None:
        """Make due now what a clock that was ahead made due after ``latest``."""
        self._tx.execute(_COME_DUE, {"now": now, "latest": latest})


def _key(received: Received) -> dict[str, str]:
    return {"supplier": received.supplier, "digest": received.digest}


def _storable(octets: bytes) -> str:
    # A NUL is no character that PostgreSQL takes; no callback that makes sense has one.
    return octets.decode("latin-1").replace("\0", " ")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
