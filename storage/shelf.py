"""What suppliers list, what the owner said of it, and what they were seen to charge."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from functools import lru_cache
from operator import itemgetter
from secrets import token_hex

from shop import shelf
from shop.pricing import Charge
from shop.rules import Rules
from shop.shelf import Arranged, Change, Item, Match, Offer, PriceChange
from shop.suppliers import FormField, FormOption, Listing
from shop.time import Millis
from storage.database import Row, Transaction

_LISTED = """
SELECT o.*, o.sku IN (SELECT sku FROM price_questions WHERE supplier = :supplier) AS asked
FROM offers o WHERE o.supplier = :supplier
"""
_PUT = """
INSERT INTO offers (supplier, sku, position, game, item, listed, form, has_server, withheld)
VALUES (:supplier, :sku, :position, :game, :item, :listed, :form, :has_server, :withheld)
ON CONFLICT (supplier, sku) DO UPDATE SET
    game = excluded.game, item = excluded.item, listed = excluded.listed, form = excluded.form,
    has_server = excluded.has_server, withheld = excluded.withheld
"""
_GONE = "DELETE FROM offers WHERE supplier = :supplier AND sku = :sku"
_LISTED_AT = """
INSERT INTO price_lists (supplier, due_at, listed_at) VALUES (:supplier, 0, :now)
ON CONFLICT (supplier) DO UPDATE SET listed_at = excluded.listed_at
"""
_FRESH = "SELECT supplier FROM price_lists WHERE listed_at >= :since"
_OF_GAME = "SELECT * FROM offers WHERE game = :game ORDER BY listed, position, supplier"
_OFFERS = """
SELECT o.* FROM offers o JOIN price_lists p ON p.supplier = o.supplier
WHERE o.game = :game AND p.listed_at >= :since AND o.withheld = 0
ORDER BY o.listed, o.position, o.supplier
"""
_OFFER = """
SELECT o.* FROM offers o JOIN price_lists p ON p.supplier = o.supplier
WHERE o.supplier = :supplier AND o.sku = :sku AND p.listed_at >= :since AND o.withheld = 0
"""
_AS_LISTED = "SELECT * FROM offers WHERE supplier = :supplier AND sku = :sku"
_STORED = """
SELECT (SELECT COUNT(*) FROM offers WHERE supplier = :supplier) AS n,
       COALESCE((SELECT listed_at FROM price_lists WHERE supplier = :supplier), 0) AS since
"""
_GAMES = """
SELECT v.game FROM shelf_versions v WHERE EXISTS (
    SELECT 1 FROM offers o JOIN price_lists p ON p.supplier = o.supplier
    WHERE o.game = v.game AND p.listed_at >= :since)
ORDER BY v.game
"""
_GAME_OF = "SELECT game FROM offers WHERE supplier = :supplier AND sku = :sku"
_VERSIONS = "SELECT game, version FROM shelf_versions"
_NEW_VERSION = """
INSERT INTO shelf_versions (game, version) VALUES (:game, :version)
ON CONFLICT (game) DO UPDATE SET version = excluded.version
"""
_MATCHES = "SELECT * FROM matches WHERE game = :game ORDER BY at, supplier, sku, good"
_PUT_MATCH = """
INSERT INTO matches (supplier, sku, good, game, item, same, actor, at)
VALUES (:supplier, :sku, :good, :game, :item, :same, :actor, :now)
ON CONFLICT (supplier, sku, good) DO UPDATE SET
    game = excluded.game, item = excluded.item, same = excluded.same, actor = excluded.actor,
    at = excluded.at
"""
_NO_MATCH = "DELETE FROM matches WHERE supplier = :supplier AND sku = :sku AND good = :good"
_WITHHOLD = "UPDATE offers SET withheld = 1 WHERE supplier = :supplier AND sku = :sku"
_REPRICE = """
UPDATE offers SET listed = :price, item = :item, withheld = :withheld
WHERE supplier = :supplier AND sku = :sku
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
_CHARGES = "SELECT supplier, sku, listed, charged FROM charges"


class ShelfMemory:
    """What the shelves of games looked like in their present versions; shared by transactions.

    A version is made up anew with every change and never comes again, so that what a transaction
    saw that was then undone is never taken for what is stored.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Arranged]] = {}

    def recall(self, game: str, version: str) -> Arranged | None:
        known = self._known.get(game)
        return known[1] if known is not None and known[0] == version else None

    def keep(self, game: str, version: str, arranged: Arranged) -> None:
        self._known[game] = (version, arranged)


class SqlShelf:
    """``shop.ports.Shelf`` on a transaction."""

    def __init__(self, tx: Transaction, rules: Rules, memory: ShelfMemory) -> None:
        self._tx = tx
        self._rules = rules
        self._memory = memory
        self._versions: Mapping[str, str] | None = None

    def replace(
        self, supplier: str, listings: Sequence[tuple[str, Listing]], now: Millis
    ) -> Sequence[PriceChange]:
        before = {row["sku"]: row for row in self._tx.fetch(_LISTED, {"supplier": supplier})}
        listed = _first_of_each(supplier, listings)
        gone_skus = before.keys() - listed.keys()
        self._tx.execute_many(_GONE, [{"supplier": supplier, "sku": sku} for sku in gone_skus])
        changed = {
            sku: row
            for sku, row in listed.items()
            if sku not in before or _differs(before[sku], row)
        }
        asked = {sku for sku, row in before.items() if row["asked"]}
        self._tx.execute_many(
            _PUT, [{**row, "withheld": int(sku in asked)} for sku, row in changed.items()]
        )
        self._tx.execute(_NO_QUESTIONS, {"supplier": supplier})
        self._tx.execute(_LISTED_AT, {"supplier": supplier, "now": now})
        gone = {sku: before[sku] for sku in gone_skus}
        touched = [*changed.values(), *gone.values(), *(before[s] for s in changed if s in before)]
        self._renew({row["game"] for row in touched})
        return _changes(supplier, before, listed)

    def offers(self, game: str, since: Millis) -> Sequence[Offer]:
        return [_offer(row) for row in self._tx.fetch(_OFFERS, {"game": game, "since": since})]

    def offer(self, supplier: str, sku: str, since: Millis) -> Offer | None:
        rows = self._tx.fetch(_OFFER, {"supplier": supplier, "sku": sku, "since": since})
        return _offer(rows[0]) if rows else None

    def as_listed(self, supplier: str, sku: str) -> Offer | None:
        rows = self._tx.fetch(_AS_LISTED, {"supplier": supplier, "sku": sku})
        return _offer(rows[0]) if rows else None

    def stored(self, supplier: str) -> tuple[int, Millis]:
        """Return how many items of a supplier are stored, and since when."""
        row = self._tx.fetch(_STORED, {"supplier": supplier})[0]
        return int(row["n"]), int(row["since"])

    def games(self, since: Millis) -> Sequence[str]:
        return [row["game"] for row in self._tx.fetch(_GAMES, {"since": since})]

    def fresh(self, since: Millis) -> Set[str]:
        return {row["supplier"] for row in self._tx.fetch(_FRESH, {"since": since})}

    def arranged(self, game: str) -> Arranged:
        if self._versions is None:
            rows = self._tx.fetch(_VERSIONS)
            self._versions = {row["game"]: row["version"] for row in rows}
        version = self._versions.get(game)
        if version is None:
            return shelf.EMPTY
        known = self._memory.recall(game, version)
        if known is None:
            offers = [_offer(row) for row in self._tx.fetch(_OF_GAME, {"game": game})]
            known = shelf.arrange(
                self._rules.game(game), self._rules.words_of(game), offers, self.matches(game)
            )
            self._memory.keep(game, version, known)
        return known

    def item(self, key: str, game: str = "") -> Item | None:
        return self.arranged(game or key.partition("/")[0]).item(key)

    def item_of(self, supplier: str, sku: str) -> Item | None:
        rows = self._tx.fetch(_GAME_OF, {"supplier": supplier, "sku": sku})
        return self.arranged(rows[0]["game"]).item_of(supplier, sku) if rows else None

    def matches(self, game: str) -> Sequence[Match]:
        return [
            Match(
                supplier=row["supplier"],
                sku=row["sku"],
                item=row["item"],
                good=row["good"],
                same=bool(row["same"]),
            )
            for row in self._tx.fetch(_MATCHES, {"game": game})
        ]

    def match(self, matches: Sequence[tuple[str, Match]], actor: str, now: Millis) -> None:
        said = {"actor": actor, "now": now}
        rows = [
            {**asdict(match), "same": int(match.same), "game": game, **said}
            for game, match in matches
        ]
        self._tx.execute_many(_PUT_MATCH, rows)
        self._renew({game for game, _ in matches})

    def unmatch(self, game: str, supplier: str, sku: str, good: str) -> None:
        self._tx.execute(_NO_MATCH, {"supplier": supplier, "sku": sku, "good": good})
        self._renew({game})

    def _renew(self, games: Set[str]) -> None:
        for game in sorted(games):
            self._tx.execute(_NEW_VERSION, {"game": game, "version": token_hex(8)})
        self._versions = None

    def _renew_of(self, supplier: str, sku: str) -> None:
        rows = self._tx.fetch(_GAME_OF, {"supplier": supplier, "sku": sku})
        self._renew({row["game"] for row in rows})

    def withhold(self, supplier: str, sku: str) -> None:
        self._tx.execute(_WITHHOLD, {"supplier": supplier, "sku": sku})
        self._renew_of(supplier, sku)

    def reprice(self, supplier: str, listing: Listing) -> None:
        row = {
            "supplier": supplier,
            "sku": listing.sku,
            "price": listing.price,
            "item": listing.name,
            "withheld": int(not listing.available),
        }
        self._tx.execute(_REPRICE, row)
        self._renew_of(supplier, listing.sku)

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

    def charges(self) -> Mapping[str, Charge]:
        return {
            f"{row['supplier']}/{row['sku']}": Charge(listed=row["listed"], charged=row["charged"])
            for row in self._tx.fetch(_CHARGES)
        }

    def price_answered(self, supplier: str, sku: str) -> None:
        self._tx.execute(_PRICE_ANSWERED, {"supplier": supplier, "sku": sku})

    def learn(self, supplier: str, sku: str, charge: Charge, now: Millis) -> None:
        row = {"supplier": supplier, "sku": sku, "now": now}
        self._tx.execute(_LEARN, {**row, "listed": charge.listed, "charged": charge.charged})

    def learnt(self, supplier: str, sku: str) -> Charge | None:
        rows = self._tx.fetch(_LEARNT, {"supplier": supplier, "sku": sku})
        return Charge(listed=rows[0]["listed"], charged=rows[0]["charged"]) if rows else None


def _first_of_each(supplier: str, listings: Sequence[tuple[str, Listing]]) -> Mapping[str, Row]:
    """Return the rows to be stored by their skus; of several with one sku the first counts."""
    rows: dict[str, Row] = {}
    for position, (game, listing) in enumerate(listings):
        if listing.sku not in rows:
            rows[listing.sku] = {
                "supplier": supplier,
                "sku": listing.sku,
                "position": position,
                "game": game,
                "item": listing.name,
                "listed": listing.price,
                "form": _written(listing.form),
                "has_server": None if listing.has_server is None else int(listing.has_server),
            }
    return rows


_said = itemgetter("game", "item", "listed", "form", "has_server")


def _differs(before: Row, row: Row) -> bool:
    back = before["withheld"] and not before["asked"]  # the list has it: it is sold again
    return bool(back) or _said(before) != _said(row)


def _changes(
    supplier: str, before: Mapping[str, Row], listed: Mapping[str, Row]
) -> Sequence[PriceChange]:
    """Return what a list newly says; of the first one there is nothing to tell."""
    if not before:
        return ()
    changes = []
    for sku in [*listed, *sorted(before.keys() - listed.keys())]:
        row = listed.get(sku) or before[sku]
        was = int(before[sku]["listed"]) if sku in before else 0
        became = int(row["listed"]) if sku in listed else 0
        change = shelf.change_of(was, became)
        if change is not Change.NONE:
            said = {"sku": sku, "game": row["game"], "item": row["item"]}
            changes.append(
                PriceChange(supplier=supplier, change=change, was=was, became=became, **said)
            )
    return changes


def _offer(row: Row) -> Offer:
    return Offer(
        supplier=row["supplier"],
        sku=row["sku"],
        game=row["game"],
        item=row["item"],
        listed=row["listed"],
        form=_form(row["form"]),
        has_server=None if row["has_server"] is None else bool(row["has_server"]),
        withheld=bool(row["withheld"]),
    )


@lru_cache(maxsize=256)
def _written(form: tuple[FormField, ...]) -> str:
    # A few forms are shared by thousands of items: each is written once.
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
