"""Five price lists of 5,000 rows, as the suppliers would write them, and a shop that buys there.

Games that are described, whose offers are put together, and as many that nobody described, whose
offers stand alone; each supplier writes names in its own way.
"""

import json
from collections.abc import Callable, Sequence
from importlib.resources import files

from shop.catalogue import read_games
from shop.goods import Words
from shop.pricing import PriceRule
from shop.rules import Rules
from shop.suppliers import Abilities, FormField, Listing
from shop.time import MINUTE, SECOND
from shop.words import read_words

SUPPLIERS = ("zultopup", "zonegame", "senpay", "kiosgame", "apigames")
ROWS = 5_000  # of each list
UNDESCRIBED = 30  # games
GAMES = read_games((files("shop") / "games.toml").read_text("utf-8"))
WORDS = read_words((files("shop") / "goods.toml").read_text("utf-8"))
RULES = Rules(
    prices=PriceRule(margin_bp=500, margin_min=500, round_to=100, dropship_bp=1200),
    poll=5 * SECOND,
    holds_for=15 * MINUTE,
    abilities=dict.fromkeys(SUPPLIERS, Abilities(dropships=True)),
    suppliers=SUPPLIERS,
    targets=dict.fromkeys(SUPPLIERS, "{user_id}{server_id}"),
    games={game.slug: game for game in GAMES},
    words=WORDS,
)
# How suppliers write an amount of a unit, in the order of their names above.
_STYLES: Sequence[Callable[[int, str], str]] = (
    lambda amount, unit: f"{amount} {unit}",
    lambda amount, unit: f"{amount} {unit}s",
    lambda amount, unit: f"{amount} {unit}s ({amount - amount // 10} + {amount // 10} Bonus)",
    lambda amount, unit: f"{amount} ({amount - amount // 10}+{amount // 10}) {unit}s",
    lambda amount, unit: f"{amount} {unit.upper()}",
)
_A_NAME = (FormField(key="id", label="User ID"),)


def rows_of(nth: int) -> Sequence[tuple[str, str, int]]:
    """Return a supplier's list: category, name, and price in whole rupiah."""
    described = [(game.title, WORDS.get(game.slug, Words())) for game in GAMES]
    others = [(f"Arena of Gods {chr(65 + n)}", Words()) for n in range(UNDESCRIBED)]
    games = [*described, *others]
    rows = [
        (title, named.title, 20_000 + 7_000 * place)
        for title, words in games
        for place, named in enumerate(words.passes)
    ]
    style, amount = _STYLES[nth], 10
    while len(rows) < ROWS:
        for title, words in games:
            unit = words.units[0].title if words.units else "Gem"
            rows.append((title, style(amount, unit), amount * 230))
        amount += 11
    return rows[:ROWS]


def written(nth: int, dearer: int = 0, every: int = 1) -> str:
    """Return a supplier's list as JSON; each ``every``-th row so many rupiah ``dearer``."""
    return json.dumps(
        [
            {
                "code": f"{SUPPLIERS[nth][:2]}{row}",
                "name": name,
                "category": category,
                "price": price + (0 if row % every else dearer),
            }
            for row, (category, name, price) in enumerate(rows_of(nth))
        ]
    )


def listings_of(rows: Sequence[dict[str, str | int]]) -> Sequence[Listing]:
    """Return the listings in a list that was read from JSON."""
    return [
        Listing(
            sku=str(row["code"]),
            category=str(row["category"]),
            name=str(row["name"]),
            price=int(row["price"]),
            available=True,
            form=_A_NAME if str(row["category"]).startswith("Arena of Gods") else (),
        )
        for row in rows
    ]
