"""Kiosgame's categories: which are switched off, and which are games with servers.

Source: Kiosgame's API document, "Get category". A product names its category by the title.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from providers.reading import read_word
from shop.text import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """What is told of categories, by their titles.

    ``closed``: switched off, and not on under the same title. ``servers``: whether there are any,
    of games; a title of which both is told is left out.
    """

    closed: frozenset[str] = frozenset()
    servers: Mapping[str, bool] = field(default_factory=dict)

    def is_open(self, product: Mapping[str, Any]) -> bool:
        return _title(product) not in self.closed

    def has_server(self, product: Mapping[str, Any]) -> bool | None:
        """Tell whether a product's game has servers; ``None``: nobody says, or it is no game."""
        return self.servers.get(_title(product)) if _is_game(product) else None


def read_categories(rows: Sequence[object]) -> Categories:
    """Read the answer of ``GET /v1/category``; rows that make no sense tell nothing."""
    told = [row for row in rows if isinstance(row, dict)]
    games = [row for row in told if _is_game(row)]
    opened, closed = _titles(told, "is_active")
    with_server, without = _titles(games, "is_server")
    return Categories(
        closed=closed - opened,
        servers={title: title in with_server for title in with_server ^ without},
    )


def _is_game(row: Mapping[str, Any]) -> bool:
    return read_word(row.get("category_type")) == "game"


def _title(row: Mapping[str, Any]) -> str:
    title = row.get("category_title")
    return visible(title, 60) if isinstance(title, str) else ""


def _titles(rows: Iterable[Mapping[str, Any]], flag: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the titles of the rows in which a flag is set, and of those in which it is not."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for row in rows:
        if isinstance(row.get(flag), bool | int):
            found[bool(row[flag])].add(_title(row))
    return frozenset(found[True]), frozenset(found[False])
