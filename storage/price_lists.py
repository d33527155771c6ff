"""What came of the suppliers' price lists, and what they newly said."""

import json
from collections.abc import Iterable, Sequence

from shop.price_lists import Changed, Kept, Reading, Undescribed
from shop.shelf import Change, PriceChange
from shop.time import Millis
from storage.database import Row, Transaction

_READING = """
SELECT p.listed_at, p.dropped, p.said,
       (SELECT COUNT(*) FROM offers o WHERE o.supplier = :supplier) AS items
FROM price_lists p WHERE p.supplier = :supplier
"""
# said: all that has no column of its own, as JSON.
_PUT = """
INSERT INTO price_lists (supplier, due_at, dropped, said)
VALUES (:supplier, 0, :dropped, :facts)
ON CONFLICT (supplier) DO UPDATE SET dropped = excluded.dropped, said = excluded.said
"""
_NOTE = """
INSERT INTO price_changes (supplier, at, sku, game, item, change, was, became)
VALUES (:supplier, :at, :sku, :game, :item, :kind, :old, :new)
ON CONFLICT (supplier, at, sku) DO UPDATE SET
    change = excluded.change, was = excluded.was, became = excluded.became
"""
# Supplier by supplier: so it is found by the key, however much is remembered.
_NEWEST = """
SELECT c.* FROM price_lists p
JOIN price_changes c ON c.supplier = p.supplier AND c.at > :since
ORDER BY c.at DESC, c.supplier, c.game, c.was, c.became, c.sku LIMIT :most OFFSET :before
"""
_OF_ONE_LIST = """
SELECT * FROM price_changes WHERE supplier = :supplier AND at = :at
ORDER BY game, was, became, sku
"""
_FORGET = "DELETE FROM price_changes WHERE supplier = :supplier AND at < :at"


class SqlPriceLists:
    """``shop.price_lists.PriceLists`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def reading(self, supplier: str) -> Reading:
        rows = self._tx.fetch(_READING, {"supplier": supplier})
        return _reading(supplier, rows[0]) if rows else Reading(supplier=supplier)

    def put(self, reading: Reading) -> None:
        row = {"supplier": reading.supplier, "dropped": reading.dropped, "facts": _written(reading)}
        self._tx.execute(_PUT, row)

    def note(self, changes: Iterable[PriceChange], at: Millis) -> None:
        for change in changes:
            row = {
                "supplier": change.supplier,
                "at": at,
                "sku": change.sku,
                "game": change.game,
                "item": change.item,
                "kind": change.change,
                "old": change.was,
                "new": change.became,
            }
            self._tx.execute(_NOTE, row)

    def changes(self, since: Millis, most: int, before: int = 0) -> Sequence[Changed]:
        rows = self._tx.fetch(_NEWEST, {"since": since, "most": most, "before": before})
        return [Changed(at=row["at"], change=_change(row)) for row in rows]

    def changes_of(self, supplier: str, at: Millis) -> Sequence[PriceChange]:
        rows = self._tx.fetch(_OF_ONE_LIST, {"supplier": supplier, "at": at})
        return [_change(row) for row in rows]

    def forget_before(self, supplier: str, at: Millis) -> None:
        self._tx.execute(_FORGET, {"supplier": supplier, "at": at})


def _written(reading: Reading) -> str:
    return json.dumps(
        {
            "rows": reading.rows,
            "undescribed": [[u.category, u.rows, u.sold] for u in reading.undescribed],
            "kept": reading.kept,
            "words": reading.words,
            "short_since": reading.short_since,
            "failed": reading.failed,
            "asked_by": reading.asked_by,
        }
    )


def _reading(supplier: str, row: Row) -> Reading:
    stored = {"supplier": supplier, "items": row["items"], "listed_at": row["listed_at"]}
    if not row["said"]:  # nothing was asked for yet, or by an older program
        return Reading(**stored, dropped=row["dropped"])
    said = json.loads(row["said"])
    return Reading(
        **stored,
        rows=said["rows"],
        dropped=row["dropped"],
        undescribed=tuple(
            Undescribed(category=category, rows=rows, sold=sold)
            for category, rows, sold in said["undescribed"]
        ),
        kept=Kept(said["kept"]) if said["kept"] else None,
        words=said["words"],
        short_since=said["short_since"],
        failed=said["failed"],
        asked_by=tuple(said["asked_by"]),
    )


def _change(row: Row) -> PriceChange:
    return PriceChange(
        supplier=row["supplier"],
        sku=row["sku"],
        game=row["game"],
        item=row["item"],
        change=Change(row["change"]),
        was=row["was"],
        became=row["became"],
    )
