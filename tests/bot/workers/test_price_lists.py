"""The worker that fetches a price list: what it stores, what it logs, when it tries again."""

from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from structlog.testing import capture_logs

from bot.workers import price_lists
from bot.workers.supplier_line import SupplierLine
from shop import stocking
from shop.calls import AskPrice, FetchList
from shop.price_lists import Kept, Reading
from shop.suppliers import (
    NO_TROUBLE,
    Abilities,
    Listing,
    Misconfigured,
    NotSold,
    PriceList,
    StatusRequest,
    Supplier,
    SupplierError,
    TellsPrices,
    TopupReport,
    TopupRequest,
    Unavailable,
    Why,
)
from shop.time import MINUTE
from storage.books import BookKeeper, SqlBooks
from storage.opening import open_database
from tests.fakes.databases import KINDS, fresh
from tests.fakes.street import Clock
from tests.shop.samples import GAMES, NOW, OWNER, RULES

T = TypeVar("T")
SLUG = "gudang"
Logs = Sequence[MutableMapping[str, Any]]


class Gudang(Supplier, TellsPrices):
    """A supplier that lists what a test says, or fails as it says."""

    slug = SLUG
    title = "Gudang"
    counts_calls = False
    knows_our_ref = True

    def __init__(self) -> None:
        self.says: PriceList | SupplierError = PriceList(listings=())

    async def price_list(self) -> PriceList:
        if isinstance(self.says, SupplierError):
            raise self.says
        return self.says

    async def listing(self, sku: str) -> Listing:
        rows = {row.sku: row for row in (await self.price_list()).listings}
        if sku not in rows:
            raise NotSold("there is no such item")
        return rows[sku]

    async def topup(self, request: TopupRequest) -> TopupReport:
        raise NotImplementedError

    async def status(self, request: StatusRequest) -> TopupReport:
        raise NotImplementedError


class OurFile(Gudang):
    list_is_local = True


@dataclass
class Bench:
    """The worker's bench: a supplier, real books, time that stands still."""

    keeper: BookKeeper
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    supplier: Gudang = field(default_factory=Gudang)

    def __post_init__(self) -> None:
        self.line = SupplierLine(self.supplier, keeper=self.keeper, clock=self.clock)

    async def fetches(self, says: PriceList | SupplierError) -> Logs:
        """Fetch what the supplier says a minute later; return what was logged."""
        self.clock.advance(MINUTE)
        self.supplier.says = says
        with capture_logs() as logs:
            await price_lists.fetch_list(self.line, FetchList(), GAMES)
        return logs

    async def read(self, work: Callable[[SqlBooks], T]) -> T:
        return await self.keeper.read(work)

    async def reading(self) -> Reading:
        return await self.read(lambda books: books.price_lists.reading(SLUG))

    async def told(self) -> list[str]:
        """What the owner is told, each by the first words of its key."""
        sql = "SELECT message FROM outbox WHERE address = :owner ORDER BY seq"
        rows = await self.read(lambda books: books.outbox._tx.fetch(sql, {"owner": OWNER}))
        return [row["message"].split(":")[2] for row in rows]


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    rules = replace(RULES, abilities={SLUG: Abilities(tells_prices=True)})
    with fresh(request.param, tmp_path) as address:
        database = await open_database(address)
        try:
            yield Bench(keeper=BookKeeper(database, rules, (OWNER,)))
        finally:
            await database.close()


def row(sku: str, price: int = 10_000, category: str = "Free Fire") -> Listing:
    return Listing(sku=sku, category=category, name=f"{sku} Diamond", price=price, available=True)


def a_list(*rows: Listing, dropped: int = 0) -> PriceList:
    return PriceList(listings=rows, dropped=dropped)


TEN = a_list(*(row(str(nth)) for nth in range(10)))
NO_LIST = Unavailable("gudang: products is no list", answered=True)


async def test_what_a_list_says_is_stored_and_logged_with_what_changed(bench: Bench) -> None:
    await bench.fetches(a_list(row("1"), row("2"), row("3"), row("4"), dropped=1))
    logs = await bench.fetches(a_list(row("1"), row("2", 11_000), row("3", 9_000), row("5")))
    assert logs == [
        {
            "event": "list.read",
            "log_level": "info",
            "supplier": SLUG,
            "sold": 4,
            "dropped": 0,
            "kept_old": False,
            "new": 1,
            "gone": 1,
            "dearer": 1,
            "cheaper": 1,
        }
    ]
    assert (await bench.reading()).listed_at == bench.clock()
    assert await bench.read(lambda books: books.calls.list_tried_at(SLUG)) == bench.clock()


async def test_a_list_that_is_kept_back_is_logged_as_that(bench: Bench) -> None:
    await bench.fetches(TEN)
    [log] = await bench.fetches(a_list(row("1")))
    assert (log["event"], log["kept_old"], log["gone"]) == ("list.read", True, 0)
    assert (await bench.reading()).items == 10


async def test_a_list_that_could_not_be_had_is_asked_for_again_in_a_minute(bench: Bench) -> None:
    await bench.fetches(TEN)
    await bench.fetches(Unavailable("gudang: HTTP 502"))
    reading = await bench.reading()
    assert (reading.kept, reading.words, reading.items) == (Kept.UNREAD, "gudang: HTTP 502", 10)
    assert await bench.read(lambda books: books.calls.list_due_at(SLUG)) == bench.clock() + MINUTE
    assert await bench.read(lambda books: books.calls.list_tried_at(SLUG)) == bench.clock()


async def test_a_supplier_without_answers_is_away_and_its_list_not_told_besides(
    bench: Bench,
) -> None:
    await bench.fetches(TEN)
    for _ in range(20):
        await bench.fetches(Unavailable("gudang: HTTP 502"))
    assert await bench.told() == [f"away_{Why.SILENT}"]


async def test_a_supplier_that_answers_with_no_list_sells_on_from_the_old_one(
    bench: Bench,
) -> None:
    await bench.fetches(TEN)
    for _ in range(stocking.FAILED_TOO_OFTEN):
        assert await bench.told() == []
        await bench.fetches(NO_LIST)
    assert await bench.told() == ["list_unreadable"]
    assert await bench.read(lambda books: books.health.of(SLUG)) == NO_TROUBLE
    assert await bench.read(lambda books: books.health.away(bench.clock())) == set()
    [log] = await bench.fetches(TEN)
    assert log["event"] == "list.read"
    assert (await bench.reading()).kept is None


async def test_whoever_asked_hears_of_a_refused_key(bench: Bench) -> None:
    await bench.keeper.write(lambda books: stocking.ask(books, [SLUG], "web:asks", NOW))
    await bench.fetches(Misconfigured("gudang: HTTP 401, the key is not accepted"))
    assert await bench.told() == [f"away_{Why.KEY}"]
    sql = "SELECT facts FROM outbox WHERE address = 'web:asks'"
    [owed] = await bench.read(lambda books: books.outbox._tx.fetch(sql))
    assert "list_not_read" in owed["facts"]
    assert "HTTP 401" in owed["facts"]


async def test_a_list_that_is_a_file_of_ours_does_not_show_that_its_supplier_is_there(
    bench: Bench,
) -> None:
    bench.supplier = OurFile()
    bench.__post_init__()
    for _ in range(3):
        await bench.fetches(Unavailable("gudang: HTTP 502"))
    await bench.fetches(TEN)
    assert (await bench.reading()).items == 10
    assert await bench.read(lambda books: books.health.away(bench.clock())) == {SLUG}


async def test_a_price_that_was_asked_for_is_remembered(bench: Bench) -> None:
    await bench.fetches(a_list(row("1"), row("2")))
    bench.supplier.says = a_list(row("1", 11_000))
    bench.clock.advance(MINUTE)
    for sku in ("1", "2"):
        await bench.keeper.write(lambda books, s=sku: books.shelf.ask_price(SLUG, s, NOW))
        await price_lists.ask_price(bench.line, AskPrice(sku=sku))
    changes = await bench.read(lambda books: books.price_lists.changes(0, 9))
    assert [(each.at, each.change.sku, each.change.became) for each in changes] == [
        (bench.clock(), "1", 11_000)
    ]
    assert await bench.read(lambda books: books.shelf.offer(SLUG, "2", 0)) is None
    assert await bench.read(lambda books: books.shelf.next_price_question_at(SLUG)) is None
