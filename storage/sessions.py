"""Where each person stands in the conversation, and the language they chose."""

import json
from dataclasses import dataclass

from shop.time import Millis
from storage.database import Transaction

_LOAD = "SELECT * FROM sessions WHERE address = :address"
_SAVE = """
INSERT INTO sessions (address, language, step, screen, page, draft, last_input, touched_at)
VALUES (:address, :language, :step, :screen, :page, :draft, :last_input, :touched_at)
ON CONFLICT (address) DO UPDATE SET
    language = excluded.language, step = excluded.step, screen = excluded.screen,
    page = excluded.page, draft = excluded.draft, last_input = excluded.last_input,
    touched_at = excluded.touched_at
"""
_LANGUAGE = "SELECT language FROM sessions WHERE address = :address"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as stored: words and numbers only; what they mean is the conversation's."""

    language: str
    step: str
    screen: int
    page: int
    draft: dict[str, str | int]
    last_input: str
    touched_at: Millis


class SqlSessions:
    """The sessions, on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def load(self, address: str) -> StoredSession | None:
        rows = self._tx.fetch(_LOAD, {"address": address})
        if not rows:
            return None
        row = rows[0]
        return StoredSession(
            language=row["language"],
            step=row["step"],
            screen=row["screen"],
            page=row["page"],
            draft=json.loads(row["draft"]),
            last_input=row["last_input"],
            touched_at=row["touched_at"],
        )

    def save(self, address: str, session: StoredSession) -> None:
        self._tx.execute(
            _SAVE,
            {
                "address": address,
                "language": session.language,
                "step": session.step,
                "screen": session.screen,
                "page": session.page,
                "draft": json.dumps(session.draft, ensure_ascii=False),
                "last_input": session.last_input,
                "touched_at": session.touched_at,
            },
        )

    def language_of(self, address: str) -> str:
        """Return the language a person chose; empty if none."""
        rows = self._tx.fetch(_LANGUAGE, {"address": address})
        return str(rows[0]["language"]) if rows else ""
