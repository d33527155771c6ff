"""Calls for a supplier's price list, and for our balance there."""

from collections.abc import Sequence

from bot.logs import get_logger
from bot.workers.supplier_line import LIST_AGAIN, SupplierLine
from shop import catalogue, comparing, health
from shop.calls import COMPARE_EVERY, AskBalance, AskPrice, FetchList
from shop.catalogue import Game
from shop.notices import Facts, Notice, NoticeKind
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
from shop.time import HOUR, Millis
from storage.books import SqlBooks

log = get_logger(__name__)

OLD_PRICES: Millis = 6 * HOUR
BELIEVES_AFTER: Millis = HOUR  # a list that lost half of its items
_LONGEST_SKU = 40  # bytes; a button carries it


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
        await line.keep_answer(lambda books: _repriced(books, line.slug, listing))


async def _listing(line: SupplierLine, sku: str) -> Listing:
    if not isinstance(line.supplier, TellsPrices):
        raise Unavailable(f"{line.slug} does not tell single prices")
    return await line.supplier.listing(sku)


def _not_sold(books: SqlBooks, supplier: str, sku: str) -> None:
    books.shelf.withhold(supplier, sku)
    books.shelf.price_answered(supplier, sku)


def _repriced(books: SqlBooks, supplier: str, listing: Listing) -> None:
    books.shelf.reprice(supplier, listing.sku, listing.price, available=listing.available)
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
    """Try again soon; tell the owners once a day while the prices grow old."""
    now = line.clock()

    def later(books: SqlBooks) -> int:
        books.calls.set_list_due(line.slug, now + LIST_AGAIN)
        return books.shelf.stored(line.slug)[1]

    since = await line.keep_answer(later, error)
    if since and now - since > OLD_PRICES:
        await line.alert("list_unread", f"list:{now // (24 * HOUR)}", "", str(error))


async def _stock(line: SupplierLine, prices: PriceList, games: Sequence[Game]) -> None:
    sold = [
        (game.slug, listing)
        for listing in prices.listings
        if listing.available
        and len(listing.sku.encode()) <= _LONGEST_SKU
        and (game := catalogue.game_of(listing.category, games)) is not None
    ]
    now = line.clock()
    # A list that is a file of ours says nothing of the supplier.
    keep = line.keep if line.supplier.list_is_local else line.keep_answer
    kept = await keep(lambda books: _restock(books, line.slug, sold, now))
    log.info("list.read", supplier=line.slug, sold=len(sold), dropped=prices.dropped, kept_old=kept)


async def _close(line: SupplierLine, error: Misconfigured) -> None:
    """Take the supplier off the shelf until it accepts who we are, and tell the owners."""
    now, words = line.clock(), str(error)

    def off_the_shelf(books: SqlBooks) -> bool:
        books.calls.set_list_due(line.slug, now + LIST_AGAIN)
        return health.refused_us(books, line.slug, words, now)

    if await line.keep(off_the_shelf):
        log.warning("supplier.away", supplier=line.slug, why=words)


def _restock(
    books: SqlBooks, supplier: str, sold: Sequence[tuple[str, Listing]], now: Millis
) -> bool:
    """Replace the shelf; keep the old one for an hour if the new one is less than half of it."""
    before, since = books.shelf.stored(supplier)
    if 2 * len(sold) >= before or (sold and now - since >= BELIEVES_AFTER):
        books.shelf.replace(supplier, sold, now)
        return False
    facts: Facts = {
        "alert": "list_kept",
        "supplier": supplier,
        "evidence": f"{before} → {len(sold)}",
    }
    key = f"alert:{supplier}:list:{before}:{len(sold)}:{since}"
    notice = Notice(key=key, kind=NoticeKind.ALERT, address="", facts=facts)
    books.outbox.owe_owners(notice, now)
    return True
