"""What suppliers said of players: their names for ten minutes, where they are registered for good.

A row without a region goes when its answer is no longer believed; one with a region keeps nothing
but that.
"""

from dataclasses import asdict
from typing import Final

from shop.players import LASTS, NOBODY, Found, Player, Whose
from shop.time import Millis
from storage.database import Transaction

_OF: Final = """
SELECT found, nickname, asked_at, region FROM players
WHERE game = :game AND user_id = :user_id AND server = :server
"""
_ANSWER: Final = """
INSERT INTO players (game, user_id, server, found, nickname, asked_at, region)
VALUES (:game, :user_id, :server, :found, :nickname, :now, '')
ON CONFLICT (game, user_id, server) DO UPDATE SET
    found = excluded.found, nickname = excluded.nickname, asked_at = excluded.asked_at
"""
_REGISTER: Final = """
INSERT INTO players (game, user_id, server, found, nickname, asked_at, region)
VALUES (:game, :user_id, :server, '', '', 0, :region)
ON CONFLICT (game, user_id, server) DO UPDATE SET region = excluded.region
"""
_FORGET: Final = "DELETE FROM players WHERE asked_at > 0 AND asked_at <= :before AND region = ''"
_FORGET_NAMES: Final = """
UPDATE players SET found = '', nickname = '', asked_at = 0
WHERE asked_at > 0 AND asked_at <= :before
"""
_LONGEST: Final = max(LASTS.values())


class SqlPlayers:
    """``shop.players.Players`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of(self, whose: Whose) -> Player:
        rows = self._tx.fetch(_OF, asdict(whose))
        if not rows:
            return NOBODY
        row = rows[0]
        return Player(
            found=Found(row["found"]),
            asked_at=row["asked_at"],
            nickname=row["nickname"],
            region=row["region"],
        )

    def answer(self, whose: Whose, found: Found, nickname: str, now: Millis) -> None:
        for forget in (_FORGET, _FORGET_NAMES):
            self._tx.execute(forget, {"before": now - _LONGEST})
        row = {**asdict(whose), "found": found.value, "nickname": nickname, "now": now}
        self._tx.execute(_ANSWER, row)

    def register(self, whose: Whose, region: str) -> None:
        self._tx.execute(_REGISTER, {**asdict(whose), "region": region})
