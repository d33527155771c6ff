"""``lapak sync``: fetch the price lists now, or have the running shop do it; say what changed."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from bot.bootstrap import Seams, rules_of, suppliers_of
from bot.settings import Settings, SettingsError
from bot.settings.problems import line_about
from bot.workers import price_lists
from bot.workers.supplier_line import SupplierLine
from shop import calls, stocking
from shop.calls import FetchList, Purpose
from shop.money import rupiah
from shop.price_lists import Kept, Reading, Undescribed
from shop.rules import Rules
from shop.shelf import Change, PriceChange
from shop.suppliers import Supplier
from shop.text import visible
from shop.time import Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, Unwritable
from storage.opening import held, open_database, prepare_beside
from storage.schema import Unusable

WAIT = 90.0  # seconds, for the running shop, or for a call of the budget
LOOK_EVERY = 0.2
SHOWN = 20  # changes of one kind
SHOWN_CATEGORIES = 10
Say = Callable[[str], None]

_KEPT: Mapping[Kept, str] = MappingProxyType(
    {
        Kept.SHORT: "the old list is kept, the new one has less than half of it ({words} items)",
        Kept.EMPTY: "the old list is kept, the new one has nothing to sell ({words} items)",
        Kept.UNREAD: "the list could not be read: {words}",
        Kept.REFUSED: "it does not accept who we are: {words}",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What came of one supplier's list. ``wrong``: why it is not on the shelf; empty: it is."""

    title: str
    before: Reading
    after: Reading
    changes: Sequence[PriceChange] = ()
    wrong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    """What fetching takes."""

    suppliers: Sequence[Supplier]
    rules: Rules
    keeper: BookKeeper
    clock: Callable[[], Millis]


def sync(settings: Settings, say: Say, seams: Seams | None = None) -> list[str]:
    """Fetch every list now and say what changed; return what went wrong, a line for each.

    Raises:
        SettingsError: no supplier is configured.
        Unusable: the database cannot be opened. Nothing was fetched, nor is it if it is
            ``Unwritable``: what is stored by then stays.
    """
    if not settings.suppliers:
        wrong = "is not set, and there is no other supplier to buy from"
        raise SettingsError((line_about("ZULTOPUP_API_KEY", wrong),))
    prepare_beside(settings.database)
    return asyncio.run(_sync(settings, say, seams or Seams()))


async def _sync(settings: Settings, say: Say, seams: Seams) -> list[str]:
    is_running = await _is_running(settings, seams)
    suppliers = suppliers_of(settings, seams)
    rules = rules_of(settings, suppliers)
    database = await open_database(settings.database)
    try:
        keeper = BookKeeper(database, rules, settings.owners)
        shop = _Shop(suppliers=suppliers, rules=rules, keeper=keeper, clock=seams.clock)
        fetched = await (_by_the_shop(shop, say) if is_running else _by_ourselves(shop))
    except Busy as error:
        raise Unwritable("too much is waiting to be stored") from error
    finally:
        await database.close()
    say("\n\n".join("\n".join(_lines(each, rules)) for each in fetched))
    return [f"{each.title}: {each.wrong}" for each in fetched if each.wrong]


async def _is_running(settings: Settings, seams: Seams) -> bool:
    """Tell whether a shop runs on the database, and does so still a moment later.

    Another command that looks for one holds its place for a blink, too.
    """
    if not await _is_there(settings, seams):
        return False
    await asyncio.sleep(LOOK_EVERY)
    return await _is_there(settings, seams)


async def _is_there(settings: Settings, seams: Seams) -> bool:
    try:
        with held(settings.database):
            presence = seams.presence(settings.database)
            try:
                async with presence.entering() as alone:
                    return not alone
            finally:
                await presence.close()
    except Unusable:  # somebody holds the file
        return True


# --- fetching -------------------------------------------------------------------------------------


async def _by_the_shop(shop: _Shop, say: Say) -> Sequence[Synced]:
    """Have the running shop fetch the lists, within its own budget, and wait until it has."""
    slugs = [supplier.slug for supplier in shop.suppliers]

    def ask(books: SqlBooks) -> tuple[Sequence[Reading], Mapping[str, Millis]]:
        tried = {slug: books.calls.list_tried_at(slug) for slug in slugs}
        for slug in slugs:
            books.calls.set_list_due(slug, 0)
        return [books.price_lists.reading(slug) for slug in slugs], tried

    before, tried = await shop.keeper.write(ask)
    titles = ", ".join(supplier.title for supplier in shop.suppliers)
    say(f"The running shop fetches the lists of {titles}; at most {WAIT:.0f} s ...")
    waiting = await _fetched(shop, tried)
    wrong = f"the running shop has not fetched the list within {WAIT:.0f} s; its log says why"
    return await _found(shop, before, dict.fromkeys(waiting, wrong))


async def _fetched(shop: _Shop, tried: Mapping[str, Millis]) -> Sequence[str]:
    """Wait until the lists were fetched or could not be; return those of which neither is so."""

    def left(books: SqlBooks) -> Sequence[str]:
        return [slug for slug in tried if not _is_tried(books, slug, tried)]

    waiting: Sequence[str] = list(tried)
    with suppress(TimeoutError):
        async with asyncio.timeout(WAIT):
            while waiting:
                await asyncio.sleep(LOOK_EVERY)
                waiting = await shop.keeper.read(left)
    return waiting


def _is_tried(books: SqlBooks, supplier: str, before: Mapping[str, Millis]) -> bool:
    """Tell whether a list was tried that was begun after it became due, not just one under way."""
    due_at, tried_at = books.calls.list_due_at(supplier), books.calls.list_tried_at(supplier)
    return due_at > 0 and tried_at != before[supplier] and tried_at >= due_at - calls.LIST_EVERY


async def _by_ourselves(shop: _Shop) -> Sequence[Synced]:
    """Fetch the lists as the shop would, each within its supplier's budget."""
    before = await shop.keeper.read(
        lambda books: [books.price_lists.reading(each.slug) for each in shop.suppliers]
    )
    ends = await asyncio.gather(
        *(_fetch(shop, each) for each in shop.suppliers), return_exceptions=True
    )
    wrong = {}
    for supplier, end in zip(shop.suppliers, ends, strict=True):
        if isinstance(end, Busy | Unwritable) or not isinstance(end, Exception | str):
            raise end
        if end:
            wrong[supplier.slug] = end if isinstance(end, str) else f"{type(end).__name__}"
    return await _found(shop, before, wrong)


async def _fetch(shop: _Shop, supplier: Supplier) -> str:
    """Fetch one list and take it in; return why that could not even be tried."""
    line = SupplierLine(supplier, keeper=shop.keeper, clock=shop.clock)

    def begin(books: SqlBooks) -> bool:
        now = shop.clock()
        if not stocking.take_calls(books, supplier.slug, [Purpose.LIST], now):
            return False
        books.calls.set_list_due(supplier.slug, now + calls.LIST_EVERY)
        return True

    try:
        async with asyncio.timeout(WAIT):
            while not await shop.keeper.write(begin):  # noqa: ASYNC110 - of room nobody tells
                await asyncio.sleep(1)
    except TimeoutError:
        return "its call budget is used up; try again in a minute"
    await price_lists.fetch_list(line, FetchList(), tuple(shop.rules.games.values()))
    await line.count()
    return ""


async def _found(
    shop: _Shop, before: Iterable[Reading], wrong: Mapping[str, str]
) -> Sequence[Synced]:
    """Return what the books say of the lists by now."""

    def find(books: SqlBooks) -> Sequence[Synced]:
        return [
            _synced(books, supplier, was, wrong.get(supplier.slug, ""))
            for supplier, was in zip(shop.suppliers, before, strict=True)
        ]

    return await shop.keeper.read(find)


def _synced(books: SqlBooks, supplier: Supplier, before: Reading, wrong: str) -> Synced:
    after = books.price_lists.reading(supplier.slug)
    if not wrong and after.kept is not None:
        wrong = _KEPT[after.kept].format(words=visible(after.words))
    changes = () if wrong else books.price_lists.changes_of(supplier.slug, after.listed_at)
    return Synced(title=supplier.title, before=before, after=after, changes=changes, wrong=wrong)


# --- what is said ---------------------------------------------------------------------------------


def _lines(synced: Synced, rules: Rules) -> list[str]:
    """Write what came of one list, for a terminal."""
    after = synced.after
    if synced.wrong:
        return [f"{synced.title}: {synced.wrong}", f"  {after.items} items stay on the shelf"]
    lines = [f"{synced.title}: {after.rows} rows, {after.items} sold, {after.dropped} dropped"]
    if after.undescribed:
        lines.append(f"  nobody described: {_categories(after.undescribed)}")
    if not synced.before.listed_at:
        return [*lines, "  the first list: there is nothing to compare it with"]
    return [*lines, *_changes(synced.changes, rules)]


def _categories(undescribed: Iterable[Undescribed]) -> str:
    largest = sorted(undescribed, key=lambda each: (-each.rows, each.category))
    named = [
        f"{visible(e.category)} ({e.rows}, {'sold' if e.sold else 'not sold'})" for e in largest
    ]
    more = [f"and {len(named) - SHOWN_CATEGORIES} more"] if len(named) > SHOWN_CATEGORIES else []
    return ", ".join([*named[:SHOWN_CATEGORIES], *more])


def _changes(changes: Sequence[PriceChange], rules: Rules) -> Iterable[str]:
    """Give a line for each change, the first ones of each kind."""
    if not changes:
        return ["  no price has changed"]
    lines = []
    for kind in stocking.SIGNS:
        found = [change for change in changes if change.change is kind]
        lines += [_change(change, rules) for change in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"  {kind.upper():<8}... and {len(found) - SHOWN} more")
    return lines


def _change(change: PriceChange, rules: Rules) -> str:
    prices = {
        Change.NEW: rupiah(change.became),
        Change.GONE: f"was {rupiah(change.was)}",
    }.get(change.change, f"{rupiah(change.was)} -> {rupiah(change.became)}")
    name = f"{visible(change.item)} ({visible(rules.game(change.game).title)})"
    return f"  {change.change.upper():<8}{name:<44}{prices}"
