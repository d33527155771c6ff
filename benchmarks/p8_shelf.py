"""P8: five price lists of 5,000 rows each become one shelf.

From lists that were read to every game's items: rows are sorted out, what differs from what is
stored is written and committed to a SQLite file, and each game's offers are arranged. Once as a
shop sees it first, with nothing stored and no name ever read before; and once as it is every ten
minutes, when one row of a hundred has another price.

The baseline reads the same five lists out of their JSON, and does nothing with them.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.filled import empty
from benchmarks.measuring import Measured, Say, ratio_at_most
from benchmarks.price_lists import RULES, SUPPLIERS, listings_of, written
from shop import goods, price_lists, stocking
from shop.price_lists import sort_out
from shop.suppliers import Listing, PriceList
from shop.time import MINUTE, Millis
from storage.books import SqlBooks
from storage.shelf import ShelfMemory
from storage.sqlite import SqliteTransaction, connect

_NOW: Millis = 1_795_150_800_000
_READ_AGAIN: Millis = 10 * MINUTE
_ONE_OF = 100
_DEARER = 50  # rupiah
_TIMES = 10.0


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Merge the lists in both ways, beside reading them, in turn."""
    first = [written(nth) for nth in range(len(SUPPLIERS))]
    again = [written(nth, dearer=_DEARER, every=_ONE_OF) for nth in range(len(SUPPLIERS))]
    found = [_round(first, again) for _ in range(rounds)]
    say(f"{sum(len(json.loads(text)) for text in first)} rows, {found[0][3]} items")
    reading, merged, merged_again, _ = zip(*found, strict=True)
    return [
        Measured(
            what="five lists of 5,000 rows merged, at first sight",
            unit="ms",
            figures=merged,
            baselines=reading,
            goals=(ratio_at_most(_TIMES),),
        ),
        Measured(
            what="the same lists ten minutes later, one price of a hundred changed",
            unit="ms",
            figures=merged_again,
            baselines=reading,
            goals=(ratio_at_most(_TIMES),),
        ),
    ]


def _round(first: Sequence[str], again: Sequence[str]) -> tuple[float, float, float, int]:
    _forget_every_name()
    began = time.process_time()
    read = [json.loads(text) for text in first]
    reading = time.process_time() - began
    with TemporaryDirectory() as folder:
        path = Path(folder, "lapak.db")
        empty(path)
        with closing(connect(str(path))) as connection:
            memory = ShelfMemory()
            merged, items = _merged(connection, memory, [listings_of(rows) for rows in read], _NOW)
            later = [listings_of(json.loads(text)) for text in again]
            merged_again, _ = _merged(connection, memory, later, _NOW + _READ_AGAIN)
    return 1_000 * reading, 1_000 * merged, 1_000 * merged_again, items


def _merged(
    connection: sqlite3.Connection,
    memory: ShelfMemory,
    lists: Sequence[Sequence[Listing]],
    now: Millis,
) -> tuple[float, int]:
    """Return how long it takes until every game's items are there, in seconds, and how many."""
    began = time.process_time()
    for supplier, listings in zip(SUPPLIERS, lists, strict=True):
        found = sort_out(PriceList(listings=listings), RULES.games.values())
        connection.execute("BEGIN IMMEDIATE")
        stocking.take_in(_books(connection, memory), supplier, found, now)
        connection.execute("COMMIT")
    shelf = _books(connection, memory).shelf
    items = sum(len(shelf.arranged(game).items) for game in shelf.games(0))
    return time.process_time() - began, items


def _books(connection: sqlite3.Connection, memory: ShelfMemory) -> SqlBooks:
    return SqlBooks(SqliteTransaction(connection), RULES, (), memory)


def _forget_every_name() -> None:
    for module in (goods, price_lists):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
