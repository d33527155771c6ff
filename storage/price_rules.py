"""What the owner decided of prices, and what it was before."""

import json
from collections.abc import Mapping, Sequence

from shop.pricing import NOTHING, Decision, Override, Part, Scope
from shop.time import Millis
from storage.database import Row, Transaction

_ALL = "SELECT * FROM price_rules ORDER BY scope"
_OF = "SELECT * FROM price_rules WHERE scope = :scope"
_SINCE = "SELECT * FROM price_rules WHERE at >= :since ORDER BY at, scope"
_PUT = """
INSERT INTO price_rules (scope, margin_bp, margin_min, round_to, floor, price, was, actor, at)
VALUES (:scope, :margin_bp, :margin_min, :round_to, :floor, :price, :was, :actor, :now)
ON CONFLICT (scope) DO UPDATE SET
    margin_bp = excluded.margin_bp, margin_min = excluded.margin_min,
    round_to = excluded.round_to, floor = excluded.floor, price = excluded.price,
    was = excluded.was, actor = excluded.actor, at = excluded.at
"""


class SqlPriceRules:
    """``shop.ports.PriceRules`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def all(self) -> Mapping[Scope, Override]:
        decided = {str(row["scope"]): _override(row) for row in self._tx.fetch(_ALL)}
        return {scope: override for scope, override in decided.items() if override != NOTHING}

    def put(self, scope: Scope, override: Override, actor: str, now: Millis) -> None:
        rows = self._tx.fetch(_OF, {"scope": scope})
        was = _override(rows[0]) if rows else NOTHING
        decided = {part.value: override.get(part) for part in Part}
        row = {"scope": scope, "was": _written(was), "actor": actor, "now": now}
        self._tx.execute(_PUT, {**decided, **row})

    def decided_since(self, since: Millis) -> Sequence[Decision]:
        return [
            Decision(
                scope=row["scope"],
                was=_read(row["was"]),
                now=_override(row),
                actor=row["actor"],
                at=row["at"],
            )
            for row in self._tx.fetch(_SINCE, {"since": since})
        ]


def _override(row: Row) -> Override:
    return Override(**{part.value: row[part.value] for part in Part})


def _written(override: Override) -> str:
    return json.dumps({part.value: value for part, value in override.parts.items()})


def _read(was: str) -> Override:
    return Override(**(json.loads(was) if was else {}))
