"""The accounts that customers have used, to be offered again: the latest few of each game."""

from collections.abc import Sequence
from typing import Any, Final

from shop.players import MOST_SAVED, SavedAccount
from storage.database import Row, Transaction

_USE: Final = """
INSERT INTO accounts_used (address, game, user_id, server, nickname, used_at)
VALUES (:address, :game, :user_id, :server, :nickname, :used_at)
ON CONFLICT (address, game, user_id, server) DO UPDATE SET
    used_at = CASE WHEN excluded.used_at > accounts_used.used_at
              THEN excluded.used_at ELSE accounts_used.used_at END,
    nickname = CASE WHEN excluded.nickname <> ''
               THEN excluded.nickname ELSE accounts_used.nickname END
"""
_OF_GAME: Final = """
SELECT game, user_id, server, nickname, used_at FROM accounts_used
WHERE address = :address AND game = :game ORDER BY used_at DESC, user_id, server
"""
_OF: Final = """
SELECT game, user_id, server, nickname, used_at FROM accounts_used
WHERE address = :address ORDER BY used_at DESC, game, user_id, server
"""
_NAME: Final = """
UPDATE accounts_used SET nickname = :nickname
WHERE address = :address AND game = :game AND user_id = :user_id AND server = :server
"""
_FORGET: Final = """
DELETE FROM accounts_used
WHERE address = :address AND game = :game AND user_id = :user_id AND server = :server
"""
_LAST_ORDER: Final = """
SELECT id FROM orders WHERE address = :address AND game = :game
    AND user_id = :user_id AND server = :server ORDER BY created_at DESC, id LIMIT 1
"""


class SqlAccounts:
    """``shop.players.SavedAccounts`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def use(self, address: str, account: SavedAccount) -> None:
        self._tx.execute(_USE, _row(address, account, "nickname", "used_at"))
        for old in self.of_game(address, account.game)[MOST_SAVED:]:
            self.forget(address, old)

    def of_game(self, address: str, game: str) -> Sequence[SavedAccount]:
        rows = self._tx.fetch(_OF_GAME, {"address": address, "game": game})
        return [_account(row) for row in rows]

    def of(self, address: str) -> Sequence[SavedAccount]:
        return [_account(row) for row in self._tx.fetch(_OF, {"address": address})]

    def name(self, address: str, account: SavedAccount) -> None:
        self._tx.execute(_NAME, _row(address, account, "nickname"))

    def forget(self, address: str, account: SavedAccount) -> bool:
        return self._tx.execute(_FORGET, _row(address, account)) > 0

    def last_order(self, address: str, account: SavedAccount) -> str:
        rows = self._tx.fetch(_LAST_ORDER, _row(address, account))
        return str(rows[0]["id"]) if rows else ""


def _row(address: str, account: SavedAccount, *more: str) -> dict[str, Any]:
    names = ("game", "user_id", "server", *more)
    return {"address": address, **{name: getattr(account, name) for name in names}}


def _account(row: Row) -> SavedAccount:
    return SavedAccount(**dict(row))
