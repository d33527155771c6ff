"""What the simulated Apigames sells, which has no list to ask for; ``ff5`` is the document's."""

import csv
import io
from collections.abc import Iterable

from providers.simulators.prepaid_books import Item

FREE_FIRE = "Free Fire"

# category: (code, name, price in rupiah), …
_ROWS: dict[str, tuple[tuple[str, str, int], ...]] = {
    FREE_FIRE: (
        ("ff5", "5 Diamond", 750),
        ("ff12", "12 Diamond", 1_750),
        ("ff50", "50 Diamond", 7_000),
        ("ff70", "70 Diamond", 9_750),
        ("ff140", "140 Diamond", 19_500),
        ("ff355", "355 Diamond", 48_500),
        ("ff720", "720 Diamond", 96_500),
        ("ffmm", "Membership Mingguan", 28_500),
    ),
    "Mobile Legends": (
        ("ML5", "5 Diamond", 1_430),
        ("ML12", "12 Diamond", 3_380),
        ("ML28", "28 Diamond", 7_650),
        ("ML59", "59 Diamond", 15_500),
        ("ML86", "86 Diamond", 19_000),
        ("ML172", "172 Diamond", 37_900),
        ("ML257", "257 Diamond", 56_250),
        ("ML706", "706 Diamond", 151_000),
        ("MLWDP", "Weekly Diamond Pass", 27_250),
    ),
    "PUBG Mobile": (
        ("PUBG60", "60 UC", 13_850),
        ("PUBG325", "325 UC", 68_700),
        ("PUBG660", "660 UC", 136_800),
    ),
    "Honor of Kings": (
        ("HOK80", "80 Token", 14_350),
        ("HOK240", "240 Token", 43_000),
        ("HOK400", "400 Token", 71_700),
    ),
    "Valorant": (
        ("VAL475", "475 VP", 52_600),
        ("VAL1000", "1000 VP", 105_100),
    ),
    "Genshin Impact": (
        ("GI60", "60 Genesis Crystals", 12_380),
        ("GI330", "330 Genesis Crystals", 61_600),
    ),
    "Honkai Star Rail": (("HSR60", "60 Oneiric Shard", 12_280),),
}

ITEMS = tuple(
    Item(code=code, name=name, category=category, price=price)
    for category, rows in _ROWS.items()
    for code, name, price in rows
)


def products_csv(items: Iterable[Item]) -> str:
    """Write what is for sale as the owner writes it down: ``code,game,name,price``."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("code", "game", "name", "price"))
    rows.writerows((each.code, each.category, each.name, each.price) for each in items)
    return text.getvalue()
