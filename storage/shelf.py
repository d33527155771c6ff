"""What suppliers list, and what they were seen to charge."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache

from shop.ports import Offer
from shop.pricing import Charge
from shop.suppliers import FormField, FormOption, Listing
from shop.time import Millis
from storage.database import Row, Transaction

_CLEAR = "DELETE FROM offers WHERE supplier = :supplier"
_PUT = """
INSERT INTO offers (supplier, sku, position, game, item, listed, form, fetched_at, withheld)
VALUES (:supplier, :sku, :position, :game, :item, :listed, :form, :now,
        (SELECT COUNT(*) FROM price_questions WHERE supplier = :supplier AND sku = :sku))
ON CONFLICT (supplier, sku) DO NOTHING
"""
_OFFERS = """
SELECT * FROM offers WHERE game = :game AND fetched_at >= :since AND withheld = 0
ORDER BY listed, position, supplier
"""
_OFFER = """
SELECT * FROM offers
WHERE supplier = :supplier AND sku = :sku AND fetched_at >= :since AND withheld = 0
"""
_STORED = """
SELECT COUNT(*) AS n, COALESCE(MAX(fetched_at), 0) AS since FROM offers WHERE supplier = :supplier
"""
_GAMES = "SELECT DISTINCT game FROM offers WHERE fetched_at >= :since ORDER BY game"
_WITHHOLD = "UPDATE offers SET withheld = 1 WHERE supplier = :supplier AND sku = :sku"
_REPRICE = """
UPDATE offers SET listed = :price, withheld = :withheld WHERE supplier = :supplier AND sku = :sku
"""
_ASK_PRICE = """
INSERT INTO price_questions (supplier, sku, due_at) VALUES (:supplier, :sku, :at)
ON CONFLICT (supplier, sku) DO UPDATE SET due_at = excluded.due_at
"""
_NEXT_PRICE = """
SELECT sku FROM price_questions WHERE supplier = :supplier AND due_at <= :now
ORDER BY due_at, sku LIMIT 1
"""
_IS_ASKED = "SELECT 1 AS n FROM price_questions WHERE supplier = :supplier AND sku = :sku"
_NEXT_PRICE_AT = "SELECT MIN(due_at) AS at FROM price_questions WHERE supplier = :supplier"
_PRICE_ANSWERED = "DELETE FROM price_questions WHERE supplier = :supplier AND sku = :sku"
_NO_QUESTIONS = """
DELETE FROM price_questions WHERE supplier = :supplier
AND sku NOT IN (SELECT sku FROM offers WHERE supplier = :supplier)
"""
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
            row = {
                "supplier": supplier,
                "sku": listing.sku,
                "position": position,
                "game": game,
                "item": listing.name,
                "listed": listing.price,
                "form": _written(listing.form),
                "now": now,
            }
            self._tx.execute(_PUT, row)
        self._tx.execute(_NO_QUESTIONS, {"supplier": supplier})

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

    def withhold(self, supplier: str, sku: str) -> None:
        self._tx.execute(_WITHHOLD, {"supplier": supplier, "sku": sku})

    def reprice(self, supplier: str, sku: str, price: int, *, available: bool) -> None:
        row = {"supplier": supplier, "sku": sku, "price": price, "withheld": int(not available)}
        self._tx.execute(_REPRICE, row)

    def ask_price(self, supplier: str, sku: str, at: Millis) -> None:
        self._tx.execute(_ASK_PRICE, {"supplier": supplier, "sku": sku, "at": at})
        self._tx.ring()

    def next_price_question(self, supplier: str, now: Millis) -> str | None:
        rows = self._tx.fetch(_NEXT_PRICE, {"supplier": supplier, "now": now})
        return str(rows[0]["sku"]) if rows else None

    def next_price_question_at(self, supplier: str) -> Millis | None:
        found: Millis | None = self._tx.fetch(_NEXT_PRICE_AT, {"supplier": supplier})[0]["at"]
        return found

    def is_being_asked(self, supplier: str, sku: str) -> bool:
        return bool(self._tx.fetch(_IS_ASKED, {"supplier": supplier, "sku": sku}))

    def price_answered(self, supplier: str, sku: str) -> None:
        self._tx.execute(_PRICE_ANSWERED, {"supplier": supplier, "sku": sku})

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
        form=_form(row["form"]),
    )


def _written(form: Sequence[FormField]) -> str:
    return json.dumps([asdict(field) for field in form]) if form else ""


@lru_cache(maxsize=256)
def _form(written: str) -> tuple[FormField, ...]:
    # A few forms are shared by thousands of items: each is read once.
    return tuple(
        FormField(
            key=field["key"],
            label=field["label"],
            options=tuple(FormOption(**option) for option in field["options"]),
        )
        for field in (json.loads(written) if written else ())
    )
