"""Calls for a supplier's price list, and for our balance there."""

from collections.abc import Sequence

from bot.logs import get_logger
from bot.workers.supplier_line import LIST_AGAIN, SupplierLine
from shop import comparing, health, matching, stocking
from shop.calls import COMPARE_EVERY, AskBalance, AskPrice, FetchList
from shop.catalogue import Game
from shop.notices import Facts, Notice, NoticeKind
from shop.price_lists import Kept, sort_out
from shop.suppliers import (
    Listing,
    Misconfigured,
    NotSold,
    PriceList,
    SupplierError,
    TellsBalance,
    TellsPrices,
    Unavailable,
    Why,
)
from shop.time import Millis
from storage.books import SqlBooks

log = get_logger(__name__)


async def ask_balance(line: SupplierLine, call: AskBalance, low_balance: int) -> None:
    """Ask for our balance, compare the books with it, and tell the owner who asked."""
    balance: int | None = None
    failed: SupplierError | None = None
    asked_at = line.clock()
    try:
        balance = await line.answer(call, _balance(line))
    except SupplierError as error:
        failed = error
    now = line.clock()
    low = balance is not None and balance < low_balance
    facts: Facts = {"supplier": line.supplier.title, "balance": balance, "low": int(low)}
    key = f"balance:{line.slug}:{now}"
    notice = Notice(key=key, kind=NoticeKind.BALANCE, address=call.address, facts=facts)

    def take_in(books: SqlBooks) -> bool:
        is_known = books.health.of(line.slug).why is Why.BALANCE
        refused = isinstance(failed, Misconfigured) and health.refused_us(
            books, line.slug, str(failed), now
        )
        if balance is not None and books.calls.compare_at(line.slug):
            books.calls.set_compare_at(line.slug, now + COMPARE_EVERY)
            comparing.compared(books, line.slug, balance, asked_at, now)
        if balance is not None:  # after that: what is too little is asked for again in a minute
            health.has_balance(books, line.slug, balance, now)
        if call.address:
            books.outbox.owe(notice, now)
        elif low and not is_known:
            books.outbox.owe_owners(notice, now)
        return refused

    if await line.keep_answer(take_in, failed):
        log.warning("supplier.away", supplier=line.slug, why=str(failed))


async def _balance(line: SupplierLine) -> int:
    if not isinstance(line.supplier, TellsBalance):
        raise Unavailable(f"{line.slug} does not tell our balance")
    return await line.supplier.balance()


async def ask_price(line: SupplierLine, call: AskPrice) -> None:
    """Ask what one item costs now, and sell it again for that; off the shelf if it is gone."""
    try:
        listing = await line.answer(call, _listing(line, call.sku))
    except NotSold:
        await line.keep_answer(lambda books: _not_sold(books, line.slug, call.sku))
    except SupplierError as error:
        await line.keep_answer(lambda _: None, error)
    else:
        now = line.clock()
        await line.keep_answer(lambda books: _repriced(books, line.slug, listing, now))


async def _listing(line: SupplierLine, sku: str) -> Listing:
    if not isinstance(line.supplier, TellsPrices):
        raise Unavailable(f"{line.slug} does not tell single prices")
    return await line.supplier.listing(sku)


def _not_sold(books: SqlBooks, supplier: str, sku: str) -> None:
    books.shelf.withhold(supplier, sku)
    books.shelf.price_answered(supplier, sku)


def _repriced(books: SqlBooks, supplier: str, listing: Listing, now: Millis) -> None:
    stocking.repriced(books, supplier, listing, now)
    books.shelf.price_answered(supplier, listing.sku)


async def fetch_list(line: SupplierLine, call: FetchList, games: Sequence[Game]) -> None:
    """Fetch what a supplier sells, and put it on the shelf."""
    line.listed_at = line.clock()
    try:
        prices = await line.answer(call, line.supplier.price_list())
    except Misconfigured as error:
        await _close(line, error)
    except SupplierError as error:
        await _list_unread(line, error)
    else:
        await _stock(line, prices, games)
    finally:
        now = line.clock()
        await line.keep(lambda books: books.calls.list_tried(line.slug, now))


async def _list_unread(line: SupplierLine, error: SupplierError) -> None:
    """Try again soon."""
    now = line.clock()

    def later(books: SqlBooks) -> None:
        books.calls.set_list_due(line.slug, now + LIST_AGAIN)
        stocking.unread(books, line.slug, Kept.UNREAD, str(error), now)

    await line.keep_answer(later, error)


async def _stock(line: SupplierLine, prices: PriceList, games: Sequence[Game]) -> None:
    found, now = sort_out(prices, games), line.clock()
    # A list that is a file of ours says nothing of the supplier.
    keep = line.keep if line.supplier.list_is_local else line.keep_answer
    news = await keep(lambda books: stocking.take_in(books, line.slug, found, now))
    log.info(
        "list.read",
        supplier=line.slug,
        sold=len(found.sold),
        dropped=found.dropped,
        kept_old=news.kept is not None,
        **news.count(),
    )
    if news.kept is None:
        await _ask_about_doubts(line, now)


async def _ask_about_doubts(line: SupplierLine, now: Millis) -> None:
    """Have the owners asked about offers that may be the same as others.

    The shelf is arranged for that, beside the writer: whoever comes next finds it so.
    """
    count = await line.keeper.read(lambda books: len(matching.doubts(books)))
    if count:
        await line.keep(lambda books: matching.ask_the_owners(books, count, now))


async def _close(line: SupplierLine, error: Misconfigured) -> None:
    """Take the supplier off the shelf until it accepts who we are, and tell the owners."""
    now, words = line.clock(), str(error)

    def off_the_shelf(books: SqlBooks) -> bool:
        books.calls.set_list_due(line.slug, now + LIST_AGAIN)
        stocking.unread(books, line.slug, Kept.REFUSED, words, now)
        return health.refused_us(books, line.slug, words, now)

    if await line.keep(off_the_shelf):
        log.warning("supplier.away", supplier=line.slug, why=words)
