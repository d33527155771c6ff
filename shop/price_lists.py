"""A supplier's price list as a whole: what is sold of it, and what is to be said of the rest."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from shop import catalogue
from shop.catalogue import Game
from shop.shelf import PriceChange
from shop.suppliers import Listing, PriceList
from shop.time import Millis

LONGEST_SKU = 40  # bytes; a button carries it


@dataclass(frozen=True, slots=True, kw_only=True)
class Undescribed:
    """A category that is no game of ours.

    ``rows``: those that are to be had at the moment and those that are not. ``sold``: something of
    it is, by the fields that its supplier states.
    """

    category: str
    rows: int
    sold: bool


class Kept(StrEnum):
    """Why the list before the last one is still sold. Stored: rename only with a migration."""

    SHORT = "short"  # the last one has less than half of what is on the shelf
    EMPTY = "empty"
    UNREAD = "unread"  # there was no answer, or one that is no list
    REFUSED = "refused"  # the supplier does not accept who we are


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of a supplier's list. ``rows`` and ``dropped``: of the one that is sold.

    ``kept``: why the last one that was asked for is not sold, with ``words`` about it: how many
    items there were and are, or the supplier's own. ``asked_by``: who waits to hear of the next.
    """

    supplier: str
    items: int = 0  # on the shelf
    listed_at: Millis = 0  # when the list that is sold was last read; 0: never
    rows: int = 0
    dropped: int = 0
    undescribed: tuple[Undescribed, ...] = ()
    kept: Kept | None = None
    words: str = ""
    short_since: Millis = 0  # since when lists are shorter than half; 0: they are not
    failed: int = 0  # tries in a row that brought no list
    asked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A price change, and when a list said so."""

    at: Millis
    change: PriceChange


class PriceLists(Protocol):
    """What came of the suppliers' lists."""

    def reading(self, supplier: str) -> Reading: ...
    def put(self, reading: Reading) -> None:
        """Store what is known of a list; ``items`` and ``listed_at`` are the shelf's to say."""

    def note(self, changes: Iterable[PriceChange], at: Millis) -> None:
        """Store what a list newly said."""

    def changes(self, since: Millis, most: int, before: int = 0) -> Sequence[Changed]:
        """Return the newest changes after ``since``, ``before`` of them skipped."""

    def changes_of(self, supplier: str, at: Millis) -> Sequence[PriceChange]:
        """Return what the list that was read at ``at`` newly said."""

    def forget_before(self, supplier: str, at: Millis) -> None:
        """Forget a supplier's older changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedList:
    """A price list, sorted out. ``sold``: pairs of a game's slug and a row, in the list's order."""

    sold: tuple[tuple[str, Listing], ...]
    rows: int
    dropped: int
    undescribed: tuple[Undescribed, ...]


class Described:
    """The games that somebody described, by what suppliers call them."""

    def __init__(self, games: Iterable[Game]) -> None:
        self._by_slug = {_slug(name): game for game in games for name in catalogue.names_of(game)}

    def game(self, category: str) -> Game | None:
        """Return the game that a category names, as ``catalogue.game_of`` does."""
        slug = _slug(category)
        return self._by_slug.get(slug) if slug else None


@lru_cache(maxsize=8192)
def _slug(name: str) -> str:
    # Thousands of rows have hundreds of categories, the same ones every ten minutes.
    return catalogue.slug_of_undescribed(name)


def sort_out(prices: PriceList, games: Iterable[Game]) -> SortedList:
    """Say of each row whether it is sold, and as a part of which game.

    A category that nobody described is sold if its supplier says what it asks of the buyer: by a
    form, or by saying whether there are servers. Rows whose sku no button can carry are dropped.
    """
    described = Described(games)
    readable = [row for row in prices.listings if len(row.sku.encode()) <= LONGEST_SKU]
    categories = {row.category for row in readable}
    slugs = {category: _slug_of(described.game(category)) for category in categories}
    sold = [
        (slug, row)
        for row in readable
        if row.available and (slug := slugs[row.category] or _slug_by_its_supplier(row))
    ]
    sold_as_stated = {row.category for _, row in sold if not slugs[row.category]}
    strange = Counter(row.category for row in readable if not slugs[row.category])
    return SortedList(
        sold=tuple(sold),
        rows=len(prices.listings) + prices.dropped,
        dropped=prices.dropped + len(prices.listings) - len(readable),
        undescribed=tuple(
            Undescribed(category=category, rows=rows, sold=category in sold_as_stated)
            for category, rows in strange.items()
        ),
    )


def _slug_of(game: Game | None) -> str:
    return "" if game is None else game.slug


def _slug_by_its_supplier(row: Listing) -> str:
    """Return the slug of a category that nobody described; empty: it cannot be sold."""
    states = bool(row.form) or row.has_server is not None
    return _slug(row.category) if states else ""
