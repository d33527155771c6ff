"""What suppliers list, and what they were seen to charge."""

from collections.abc import Sequence

from shop.ports import Offer
from shop.pricing import Charge
from shop.suppliers import Listing
from shop.time import Millis
from storage.database import Row, Transaction

_CLEAR = "DELETE FROM offers WHERE supplier = :supplier"
_PUT = """
INSERT INTO offers (supplier, sku, position, game, item, listed, fetched_at)
VALUES (:supplier, :sku, :position, :game, :item, :listed, :now)
ON CONFLICT (supplier, sku) DO NOTHING
"""
_OFFERS = """
SELECT * FROM offers WHERE game = :game AND fetched_at >= :since
ORDER BY listed, position, supplier
"""
_OFFER = """
SELECT * FROM offers WHERE supplier = :supplier AND sku = :sku AND fetched_at >= :since
"""
_STORED = """
SELECT COUNT(*) AS n, COALESCE(MAX(fetched_at), 0) AS since FROM offers WHERE supplier = :supplier
"""
_GAMES = "SELECT DISTINCT game FROM offers WHERE fetched_at >= :since ORDER BY game"
_LEARN = """
INSERT INTO charges (supplier, sku, listed, charged, learnt_at)
VALUES (:supplier, :sku, :listed, :charged, :now)
ON CONFLICT (supplier, sku) DO UPDATE SET
    listed = excluded.listed, charged = excluded.charged, learnt_at = excluded.learnt_at
"""
_LEARNT = "SELECT listed, charged FROM charges WHERE supplier = :supplier AND sku = :sku"


class SqlShelf:
    """``shop.ports.Shelf`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def replace(self, supplier: str, listings: Sequence[tuple[str, Listing]], now: Millis) -> None:
        self._tx.execute(_CLEAR, {"supplier": supplier})
        for position, (game, listing) in enumerate(listings):
            row = {"sku": listing.sku, "item": listing.name, "listed": listing.price, "game": game}
            self._tx.execute(_PUT, {**row, "supplier": supplier, "position": position, "now": now})

    def offers(self, game: str, since: Millis) -> Sequence[Offer]:
        return [_offer(row) for row in self._tx.fetch(_OFFERS, {"game": game, "since": since})]

    def offer(self, supplier: str, sku: str, since: Millis) -> Offer | None:
        rows = self._tx.fetch(_OFFER, {"supplier": supplier, "sku": sku, "since": since})
        return _offer(rows[0]) if rows else None

    def stored(self, supplier: str) -> tuple[int, Millis]:
        """Return how many items of a supplier are stored, and since when."""
        row = self._tx.fetch(_STORED, {"supplier": supplier})[0]
        return int(row["n"]), int(row["since"])

    def games(self, since: Millis) -> Sequence[str]:
        return [row["game"] for row in self._tx.fetch(_GAMES, {"since": since})]

    def learn(self, supplier: str, sku: str, charge: Charge, now: Millis) -> None:
        row = {"supplier": supplier, "sku": sku, "now": now}
        self._tx.execute(_LEARN, {**row, "listed": charge.listed, "charged": charge.charged})

    def learnt(self, supplier: str, sku: str) -> Charge | None:
        rows = self._tx.fetch(_LEARNT, {"supplier": supplier, "sku": sku})
        return Charge(listed=rows[0]["listed"], charged=rows[0]["charged"]) if rows else None


def _offer(row: Row) -> Offer:
    return Offer(
        supplier=row["supplier"],
        sku=row["sku"],
        game=row["game"],
        item=row["item"],
        listed=row["listed"],
    )
