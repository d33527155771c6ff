"""A shelf of several suppliers, and money of ours at each, for tests of routes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from shop import entries, fulfilment, ledger
from shop.orders import Order
from shop.routing import Market, Sale
from shop.shelf import Item, Match
from shop.suppliers import Abilities, Listing
from shop.time import HOUR
from storage.books import SqlBooks
from tests.shop.prepaid import EVERY_WAY, a_shop, paid
from tests.shop.samples import NOW, OWNER

ZT, ZG, KG = "zultopup", "zonegame", "kiosgame"
GAME, GOOD = "free-fire", "free-fire/diamond/70"
NAMES = {ZT: "70 Diamond", ZG: "70 Diamonds", KG: "70 (63+7) Diamonds"}
ABLE = Abilities(knows_our_ref=True, tells_balance=True)
RULES = replace(
    EVERY_WAY,
    abilities={**EVERY_WAY.abilities, KG: replace(ABLE, repeats_are_questions=True)},
    suppliers=(ZT, ZG, KG),
)


@contextmanager
def confirmed_shelf(folder: Path) -> Iterator[SqlBooks]:
    """A shop with money at every supplier; two of them list the item, both confirmed."""
    rules = {name: getattr(RULES, name) for name in ("abilities", "suppliers")}
    with a_shop(folder, **rules) as opened:
        for slug in (ZT, ZG, KG):
            funds(opened, slug, 500_000)
            opened.calls.set_list_due(slug, NOW + 99 * HOUR)
            opened.calls.set_compare_at(slug, NOW + 99 * HOUR)
        every(opened, (ZG, KG), 10_000)
        confirms(opened, ZG, KG)
        yield opened


def lists(
    books: SqlBooks, supplier: str, price: int, at: int = NOW, name: str = "", **more: Any
) -> None:
    """Let a supplier list the item, and nothing else, at a price."""
    listing = Listing(
        sku=f"{supplier[:2]}70",
        category="Free Fire",
        name=name or NAMES[supplier],
        price=price,
        available=True,
        **more,
    )
    books.shelf.replace(supplier, [(GAME, listing)], at)


def funds(books: SqlBooks, supplier: str, amount: int) -> None:
    """Let our balance at a supplier be that much more."""
    account = ledger.supplier(supplier)
    entries.post_own(books, account, amount, f"own:{supplier}:{amount}", NOW, actor=OWNER)


def confirms(books: SqlBooks, *suppliers: str, good: str = GOOD) -> None:
    """The owner says that these offers are the good."""
    for slug in suppliers:
        match = Match(supplier=slug, sku=f"{slug[:2]}70", item=NAMES[slug], good=good, same=True)
        books.shelf.match([(GAME, match)], OWNER, NOW)


def the_item(books: SqlBooks, key: str = GOOD) -> Item:
    item = books.shelf.item(key, GAME)
    assert item is not None, [item.key for item in books.shelf.arranged(GAME).items]
    return item


def sale(books: SqlBooks, at: int = NOW, credit: int = 0) -> Sale | None:
    """How the item is sold now."""
    return Market(books, at).sale(the_item(books), credit)


def sold_by(books: SqlBooks, at: int = NOW, credit: int = 0) -> str:
    found = sale(books, at, credit)
    return found.offer.supplier if found is not None else ""


def verdicts(books: SqlBooks, at: int = NOW) -> dict[str, str]:
    """What is said of each supplier's offer, the one that is sold first."""
    routes = Market(books, at).routes(the_item(books))
    return {route.offer.supplier: route.verdict.value for route in routes}


def bought(books: SqlBooks, supplier: str = ZG, at: int = NOW, **changes: Any) -> Order:
    """A paid order of the item, sold by a supplier's offer."""
    found = next(
        route
        for route in Market(books, at).routes(the_item(books))
        if route.offer.supplier == supplier
    )
    assert found.quote is not None
    quote = replace(found.quote, cost=found.quote.listed)
    wish = {
        "supplier": supplier, "sku": found.offer.sku, "game": GAME, "good": GOOD,
        "content": the_item(books).content, "target": "123456789", "quote": quote,
    }  # fmt: skip
    return paid(books, changes.pop("name", "P"), at, **{**wish, **changes})


def started(books: SqlBooks, order: Order, at: int = NOW + 1) -> Order:
    return fulfilment.start(books, order, at + 75_000, at)


def events(books: SqlBooks, order: Order) -> list[str]:
    return [happened.event.value for happened in books.orders.history(order.id)]


def every(books: SqlBooks, suppliers: Iterable[str], price: int = 10_000) -> None:
    """Let each of them list the item, a rupiah dearer than the one before."""
    for nth, slug in enumerate(suppliers):
        lists(books, slug, price + nth)
