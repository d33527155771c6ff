"""O8b: whatever prices do, nothing is sold or ordered for less than cost and the owner's floor."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop import fulfilment
from shop.orders import Order, Status
from shop.pricing import NOTHING, Override
from shop.settling import NotOpened
from shop.suppliers import NotSold, Refused
from shop.time import MINUTE
from storage.books import SqlBooks
from tests.shop.prepaid import T, a_shop, paid, report
from tests.shop.samples import NOW, OWNER
from tests.shop.shelves import GAME, GOOD, KG, RULES, ZG, ZT, confirms, funds, lists, sale, the_item

SUPPLIERS = (ZT, ZG, KG)
prices = st.integers(9_500, 12_000)  # so that they are often one item, and often too dear
overrides = st.builds(
    Override,
    margin_bp=st.none() | st.integers(0, 1_000),
    margin_min=st.none() | st.integers(0, 2_000),
    round_to=st.none() | st.sampled_from([1, 50, 500]),
    floor=st.integers(0, 1_500),
    price=st.none() | st.none() | st.integers(9_000, 14_000),
)
ANSWERS = (NotSold("gone"), Refused("no"), NotOpened.NOT_SENT, report(T.PENDING), report(T.FAILED))
doings = st.one_of(
    st.tuples(st.just("relist"), st.sampled_from(SUPPLIERS), prices),
    st.tuples(st.just("price"), st.sampled_from(["", GAME, GOOD]), overrides | st.just(NOTHING)),
    st.tuples(st.just("buy"), st.just(""), st.just(0)),
    st.tuples(st.just("order"), st.sampled_from(ANSWERS), st.just(0)),
)


class Shop:
    """One good of three suppliers, and the orders of it."""

    def __init__(self, books: SqlBooks) -> None:
        self.books, self.now = books, NOW
        self.floors: dict[str, int] = {}
        for slug in SUPPLIERS:
            funds(books, slug, 10_000_000)
            self.relist(slug, 10_000)
        confirms(books, *SUPPLIERS)

    def do(self, what: str, whom: object, how: object) -> None:
        self.now += MINUTE
        doing: Callable[[object, object], None] = getattr(self, what)
        doing(whom, how)

    def relist(self, slug: object, price: object) -> None:
        lists(self.books, str(slug), price, self.now)  # type: ignore[arg-type]

    def price(self, scope: object, override: object) -> None:
        self.books.price_rules.put(str(scope), override, OWNER, self.now)  # type: ignore[arg-type]

    def buy(self, *_: object) -> None:
        found = sale(self.books, self.now)
        if found is None:
            return
        quote = found.quote
        assert quote.price >= quote.cost + quote.floor
        name = f"B{len(self.floors)}"
        self.floors[name] = quote.floor
        route = {
            "supplier": found.offer.supplier, "sku": found.offer.sku, "game": GAME, "good": GOOD,
            "content": the_item(self.books).content, "target": name, "address": f"web:{name}",
        }  # fmt: skip
        paid(self.books, name, self.now, quote=replace(quote, cost=quote.listed), **route)

    def order(self, answer: object, *_: object) -> None:
        """Have every paid order ordered; all suppliers answer the same."""
        for order in self.orders():
            if order.status is not Status.PAID:
                continue
            begun = fulfilment.start(self.books, order, self.now + 75_000, self.now)
            if begun.status is Status.SUBMITTING:
                fulfilment.submitted(self.books, begun, answer, self.now + 1)  # type: ignore[arg-type]

    def orders(self) -> list[Order]:
        found = [self.books.orders.get(name) for name in self.floors]
        return [order for order in found if order is not None]

    def check(self) -> None:
        for row in self.books.orders._tx.fetch("SELECT * FROM attempts"):
            order = self.books.orders.get(row["order_id"])
            assert order is not None
            assert row["cost"] + self.floors[order.id] <= order.price, (row["supplier"], order)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(doings, max_size=25))
def test_o8b_no_sequence_of_prices_sells_below_cost_and_floor(
    sequence: list[tuple[str, object, object]],
) -> None:
    rules = {name: getattr(RULES, name) for name in ("abilities", "suppliers")}
    with TemporaryDirectory() as folder, a_shop(Path(folder), **rules) as books:
        shop = Shop(books)
        shop.do("price", "", Override(floor=600))
        shop.do("buy", "", 0)
        for what, whom, how in sequence:
            shop.do(what, whom, how)
        shop.order(report(T.DELIVERED))
        shop.check()
