"""Calls for a supplier's price list, and for our balance there."""

from collections.abc import Sequence

from bot.logs import get_logger
from bot.workers.supplier_line import LIST_AGAIN, SupplierLine
from shop import catalogue, comparing
from shop.calls import COMPARE_EVERY, AskBalance, FetchList
from shop.catalogue import Game
from shop.notices import Facts, Notice, NoticeKind
from shop.suppliers import Listing, Misconfigured, PriceList, SupplierError
from shop.time import HOUR, Millis
from storage.books import SqlBooks

log = get_logger(__name__)

OLD_PRICES: Millis = 6 * HOUR
BELIEVES_AFTER: Millis = HOUR  # a list that lost half of its items
_LONGEST_SKU = 40  # bytes; a button carries it


async def ask_balance(line: SupplierLine, call: AskBalance, low_balance: int) -> None:
    """Ask for our balance, compare the books with it, and tell the owner who asked."""
    balance: int | None = None
    asked_at = line.clock()
    try:
        balance = await line.answer(call, line.supplier.balance())
    except SupplierError as error:
        await line.went_away(error)
    else:
        line.came_back()
    now = line.clock()
    low = balance is not None and balance < low_balance
    facts: Facts = {"supplier": line.supplier.title, "balance": balance, "low": int(low)}
    key = f"balance:{line.slug}:{now}"
    notice = Notice(key=key, kind=NoticeKind.BALANCE, address=call.address, facts=facts)

    def take_in(books: SqlBooks) -> None:
        if balance is not None and books.calls.compare_at(line.slug):
            books.calls.set_compare_at(line.slug, now + COMPARE_EVERY)
            comparing.compared(books, line.slug, balance, asked_at, now)
        if call.address:
            books.outbox.owe(notice, now)
        elif low:
            books.outbox.owe_owners(notice, now)

    await line.keep(take_in)


async def fetch_list(line: SupplierLine, call: FetchList, games: Sequence[Game]) -> None:
    """Fetch what a supplier sells, and put it on the shelf."""
    line.listed_at = line.clock()
    try:
        prices = await line.answer(call, line.supplier.price_list())
    except Misconfigured as error:
        await line.went_away(error)
        await _close(line, error)
    except SupplierError as error:
        await line.went_away(error)
        await _list_unread(line, str(error))
    else:
        line.came_back()
        await _stock(line, prices, games)
    finally:
        now = line.clock()
        await line.keep(lambda books: books.calls.list_tried(line.slug, now))


async def _list_unread(line: SupplierLine, why: str) -> None:
    """Try again soon; tell the owners once a day while the prices grow old."""
    now = line.clock()

    def later(books: SqlBooks) -> int:
        books.calls.set_list_due(line.slug, now + LIST_AGAIN)
        return books.shelf.stored(line.slug)[1]

    since = await line.keep(later)
    if since and now - since > OLD_PRICES:
        await line.alert("list_unread", f"list:{now // (24 * HOUR)}", "", why)


async def _stock(line: SupplierLine, prices: PriceList, games: Sequence[Game]) -> None:
    sold = [
        (game.slug, listing)
        for listing in prices.listings
        if listing.available
        and len(listing.sku.encode()) <= _LONGEST_SKU
        and (game := catalogue.game_of(listing.category, games)) is not None
    ]
    now = line.clock()
    kept = await line.keep(lambda books: _restock(books, line.slug, sold, now))
    log.info("list.read", supplier=line.slug, sold=len(sold), dropped=prices.dropped, kept_old=kept)


async def _close(line: SupplierLine, error: Misconfigured) -> None:
    """Take the supplier off the shelf until its list can be read again, and tell the owners."""
    now = line.clock()

    def off_the_shelf(books: SqlBooks) -> None:
        books.shelf.replace(line.slug, (), now)
        books.calls.set_list_due(line.slug, now + LIST_AGAIN)

    await line.keep(off_the_shelf)
    await line.alert("misconfigured", f"{now // (24 * HOUR)}", "", str(error))


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
