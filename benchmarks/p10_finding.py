"""P10: how long it takes to find what somebody typed, among 25,000 offers of five suppliers.

The shelf is as five price lists of 5,000 rows make it: games that are described, whose offers are
put together, and as many that nobody described, whose offers stand alone; each supplier writes
names in its own way. People type what they do: a game and an amount, a pass by a nickname, slips
of the finger, an amount alone, an amount that nobody has, and nonsense as long as may be typed.
Each search is a turn's own, as in the shop: what is on the shelf, what sells, and what the person
bought is asked for anew. All of it is one core's work, and measured by processor time.

The baseline compares the same texts with the bare list of the 25,000 names, word by word in any
order (rapidfuzz's ``token_set_ratio``), and keeps the ten best: the least that a program does which
keeps no index, though it knows no aliases, rounds numbers, and asks nobody what sells.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz, process

from benchmarks.filled import Filling, fill
from benchmarks.measuring import Measured, Say, at_most, ratio_at_most
from benchmarks.price_lists import GAMES, RULES, SUPPLIERS, rows_of
from bot.conversation.engine import LONGEST_TEXT
from bot.conversation.finding import find
from bot.conversation.room import Face, Room
from bot.conversation.texts import Texts
from shop.catalogue import slug_of_undescribed
from shop.suppliers import Listing
from shop.time import MINUTE, Millis
from storage.books import SqlBooks
from storage.shelf import ShelfMemory
from storage.sqlite import SqliteTransaction, connect

SEARCHES = 300  # of each round
_ORDERS = 5_000
_NOW: Millis = 1_795_150_800_000
_WITHIN_A_TURN = 20.0  # milliseconds
_FACE = Face(name="Lapak", support="", games=GAMES, suppliers=SUPPLIERS)
_TEXTS = Texts(language="id", catalogue={}, zone=ZoneInfo("Asia/Jakarta"))
_TYPED = (
    "ml {n}", "{n} ml", "mlbb {n} dm", "ff{n}", "ff max {n}", "{n} diamond", "{n}", "pubg {n} uc",
    "{n} vp", "mobil legend {n}", "fre fire {n} diamon", "wdp", "weekly pass ml", "ml wdp x2",
    "genshin welkin", "welkn", "starlite ml", "tolong isi ml {n} dm ya kak", "ml 86 brazil",
    "arena of gods {n}", "ml 999999999", "halo kak mau tanya dong bisa bayar pakai apa aja ya",
    "voucher", "diamond", "{n} gems",
)  # fmt: skip


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Search for the same texts in both ways, in turn."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "lapak.db")
        await fill(path, Filling(orders=_ORDERS, apart=MINUTE, finished=True))
        with closing(connect(str(path))) as connection:
            shop = _Shop(connection)
            shop.stock(dearer=0)
            say(f"{len(shop.names)} offers, {shop.items()} items, {len(shop.games)} games")
            found = [_round(shop, nth) for nth in range(rounds)]
    firsts, anywhere, ours, theirs = zip(*found, strict=True)
    return [
        Measured(
            what="typed text to what it means, 25,000 offers, p50",
            unit="ms",
            figures=[statistics.median(each) for each in ours],
            baselines=[statistics.median(each) for each in theirs],
        ),
        Measured(
            what="typed text to what it means, 25,000 offers, p99",
            unit="ms",
            figures=[_p99(each) for each in ours],
            baselines=[_p99(each) for each in theirs],
            goals=(at_most(_WITHIN_A_TURN, "ms"), ratio_at_most(1)),
        ),
        Measured(
            what="the first text after every price has changed, if it names a game",
            unit="ms",
            figures=firsts,
            goals=(at_most(_WITHIN_A_TURN, "ms"),),
        ),
        Measured(
            what="the first that names none: every name is read anew",
            unit="ms",
            figures=anywhere,
        ),
    ]


def _round(shop: "_Shop", nth: int) -> tuple[float, float, Sequence[float], Sequence[float]]:
    shop.stock(dearer=nth + 1)
    shop.arrange()
    first = shop.search("ml 86")
    anywhere = shop.search("86 diamond")
    texts = list(_texts(random.Random(nth)))
    theirs = [_timed(partial(_compare, shop.names, text)) for text in texts]
    return first, anywhere, [shop.search(text) for text in texts], theirs


def _compare(names: Sequence[str], text: str) -> None:
    process.extract(text, names, scorer=fuzz.token_set_ratio, limit=10)


def _texts(chance: random.Random) -> Iterator[str]:
    for nth in range(SEARCHES):
        if nth % 50 == 49:  # as long as may be typed, and about nothing
            yield "".join(chance.choice("ab 019🔥_.") for _ in range(LONGEST_TEXT))
        else:
            yield _TYPED[nth % len(_TYPED)].format(n=chance.randrange(1, 2_000))


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1_000 * (time.process_time() - began)


def _p99(figures: Sequence[float]) -> float:
    return statistics.quantiles(figures, n=100)[98]


class _Shop:
    """The books with five price lists, and people who search."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._memory = ShelfMemory()
        self._lists = {supplier: _rows_of(nth) for nth, supplier in enumerate(SUPPLIERS)}
        self.games = sorted({game for rows in self._lists.values() for game, *_ in rows})
        self.names = [f"{game} {name}" for rows in self._lists.values() for game, name, _ in rows]

    def stock(self, dearer: int) -> None:
        """Let every supplier list its rows, each so many rupiah dearer than at first."""
        books = self._books()
        self._connection.execute("BEGIN")
        for supplier, rows in self._lists.items():
            listings = [
                (
                    game,
                    Listing(
                        sku=f"{supplier[:2]}{nth}",
                        category=game,
                        name=name,
                        price=price + dearer,
                        available=True,
                    ),
                )
                for nth, (game, name, price) in enumerate(rows)
            ]
            books.shelf.replace(supplier, listings, _NOW)
        self._connection.execute("COMMIT")

    def arrange(self) -> None:
        """Have all shelves arranged: whoever looks at the games does that."""
        self._room().games_on_sale()
        self.items()

    def items(self) -> int:
        shelf = self._books().shelf
        return sum(len(shelf.arranged(game).items) for game in self.games)

    def search(self, text: str) -> float:
        """Return how many milliseconds a search takes."""
        return _timed(lambda: find(self._room(), text))

    def _room(self) -> Room:
        return Room(
            face=_FACE, books=self._books(), texts=_TEXTS, address="web:1", now=_NOW, token="T"
        )

    def _books(self) -> SqlBooks:
        return SqlBooks(SqliteTransaction(self._connection), RULES, (), self._memory)


def _rows_of(nth: int) -> Sequence[tuple[str, str, int]]:
    """Return a supplier's list by the games' slugs."""
    slugs = {game.title: game.slug for game in GAMES}
    return [
        (slugs.get(category) or slug_of_undescribed(category), name, price)
        for category, name, price in rows_of(nth)
    ]
