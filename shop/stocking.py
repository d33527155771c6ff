"""What becomes of a price list that was read, or could not be; and who hears of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from shop import calls
from shop.calls import Purpose
from shop.matching import digest
from shop.money import rupiah
from shop.notices import Facts, Notice, NoticeKind
from shop.ports import Books
from shop.price_lists import Kept, Reading, SortedList
from shop.shelf import Change, PriceChange, change_of
from shop.suppliers import Listing
from shop.time import HOUR, Millis

BELIEVES_AFTER: Millis = HOUR  # a list that lost half of its items
OLD_PRICES: Millis = 6 * HOUR
DAY: Millis = 24 * HOUR
REMEMBERED: Millis = 30 * DAY
FAILED_TOO_OFTEN = 5  # tries in a row, a minute apart
JUMP = 2_000  # hundredths of a percent, up or down in one step
SHOWN = 10  # in one message
SIGNS: Mapping[Change, str] = MappingProxyType(
    {Change.NEW: "+", Change.GONE: "-", Change.DEARER: "↑", Change.CHEAPER: "↓"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What came of a list. ``kept``: why it is not the one that is sold from now on."""

    kept: Kept | None = None
    changes: Sequence[PriceChange] = ()

    def count(self) -> Mapping[str, int]:
        """Return how many offers changed in each way, by its name."""
        counted = Counter(each.change for each in self.changes)
        return {change.value: counted[change] for change in SIGNS}


def take_in(books: Books, supplier: str, found: SortedList, now: Millis) -> News:
    """Sell what a list says from now on; keep the old one if the new one cannot be believed yet.

    One with less than half of what is on the shelf is believed when lists have been so for an hour,
    an empty one never. The owners hear of what needs their eyes, each once.
    """
    last = books.price_lists.reading(supplier)
    owners = _Owners(books=books, supplier=supplier, now=now)
    kept = _why_kept(last, found, now)
    if kept is not None:
        _keep(books, last, kept, found, now)
        return News(kept=kept)
    news = News(changes=tuple(books.shelf.replace(supplier, found.sold, now)))
    books.price_lists.note(news.changes, now)
    books.price_lists.forget_before(supplier, now - REMEMBERED)
    books.price_lists.put(
        Reading(
            supplier=supplier,
            rows=found.rows,
            dropped=found.dropped,
            undescribed=found.undescribed,
        )
    )
    if _is_short(last, found):
        owners.alert("list_believed", _shrunk(last, found), now)
    if found.dropped and not last.dropped:
        owners.alert("list_dropped", f"{found.dropped}/{found.rows}", now // DAY)
    _tell_of_undescribed(owners, last, found)
    _tell_of_jumps(owners, books, news.changes)
    _answer(books, last, "list_read", _counted(news), now)
    return news


def unread(books: Books, supplier: str, why: Kept, words: str, now: Millis) -> None:
    """Take in that a list could not be had; of one that never can the owners hear once a day.

    That the supplier is away they hear by other ways.
    """
    last = books.price_lists.reading(supplier)
    owners = _Owners(books=books, supplier=supplier, now=now)
    failed = last.failed + 1
    books.price_lists.put(replace(last, kept=why, words=words, failed=failed, asked_by=()))
    _answer(books, last, "list_not_read", words, now)
    if why is Kept.REFUSED:
        return
    if last.listed_at and now - last.listed_at > OLD_PRICES:
        owners.alert("list_unread", words, now // DAY)
    elif failed >= FAILED_TOO_OFTEN and books.health.of(supplier).away_since is None:
        owners.alert("list_unreadable", words, now // DAY)


def repriced(books: Books, supplier: str, listing: Listing, now: Millis) -> None:
    """Take in what one item costs now; a price that changed is remembered as of a list.

    What is called otherwise by now is another good: it is sold when the list says so, too.
    """
    item = books.shelf.item_of(supplier, listing.sku)
    offers = [member.offer for member in item.members] if item is not None else []
    changes = [
        PriceChange(
            supplier=supplier,
            sku=offer.sku,
            game=offer.game,
            item=offer.item,
            change=change_of(offer.listed, listing.price),
            was=offer.listed,
            became=listing.price,
        )
        for offer in offers
        if (offer.supplier, offer.sku) == (supplier, listing.sku) and offer.listed != listing.price
    ]
    books.price_lists.note(changes, now)
    _tell_of_jumps(_Owners(books=books, supplier=supplier, now=now), books, changes)
    known = books.shelf.as_listed(supplier, listing.sku)
    if known is not None and known.item != listing.name:
        listing = replace(listing, available=False)
        books.calls.set_list_due(supplier, min(books.calls.list_due_at(supplier), now))
    books.shelf.reprice(supplier, listing)


def ask(books: Books, suppliers: Iterable[str], address: str, now: Millis) -> None:
    """Have lists fetched as soon as the suppliers' budgets allow, and ``address`` told of each."""
    for supplier in suppliers:
        last = books.price_lists.reading(supplier)
        if address not in last.asked_by:
            books.price_lists.put(replace(last, asked_by=(*last.asked_by, address)))
        books.calls.set_list_due(supplier, min(books.calls.list_due_at(supplier), now))


def take_calls(books: Books, supplier: str, purposes: Sequence[Purpose], now: Millis) -> bool:
    """Take calls out of a supplier's budget, if it has all of them, for a command beside the shop.

    Nothing may be asked either while the supplier is left alone for having been asked too often.
    """
    if now < books.calls.paused_until(supplier) <= now + calls.BUSY_PAUSE:
        return False
    if not books.rules.abilities_of(supplier).counts_calls:
        return True
    made = books.calls.made_between(supplier, now - calls.WINDOW, now + calls.WINDOW)
    if len(made) + len(purposes) > calls.MOST_CALLS:
        return False
    for purpose in purposes:
        books.calls.record(supplier, purpose, now)
    return True


# --- whether a list is believed -------------------------------------------------------------------


def _is_short(last: Reading, found: SortedList) -> bool:
    return 2 * len(found.sold) < last.items


def _why_kept(last: Reading, found: SortedList, now: Millis) -> Kept | None:
    if not _is_short(last, found):
        return None
    if not found.sold:
        return Kept.EMPTY
    since = last.short_since
    return None if since and now - since >= BELIEVES_AFTER else Kept.SHORT


def _keep(books: Books, last: Reading, kept: Kept, found: SortedList, now: Millis) -> None:
    words, since = _shrunk(last, found), last.short_since
    if kept is Kept.SHORT:
        since = min(since or now, now)  # a clock may have been set
    owners = _Owners(books=books, supplier=last.supplier, now=now)
    if kept is Kept.EMPTY:
        owners.alert("list_empty", words, now // DAY)
    elif last.kept is not kept:
        owners.alert("list_kept", words, now // HOUR)
    books.price_lists.put(
        replace(last, kept=kept, words=words, short_since=since, failed=0, asked_by=())
    )
    _answer(books, last, "list_read_kept", words, now)


def _shrunk(last: Reading, found: SortedList) -> str:
    """Write how many items there were and are, and how many rows made no sense: ``60 → 0, ✗ 9``."""
    dropped = f", ✗ {found.dropped}" if found.dropped else ""
    return f"{last.items} → {len(found.sold)}{dropped}"


# --- who hears of it ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owners:
    """Tells the owners of one supplier's list, each thing once for each occasion."""

    books: Books
    supplier: str
    now: Millis

    def alert(self, name: str, evidence: str, occasion: int | str) -> None:
        key = f"alert:{self.supplier}:{name}:{occasion}"
        notice = Notice(
            key=key, kind=NoticeKind.ALERT, address="", facts=_facts(name, self.supplier, evidence)
        )
        self.books.outbox.owe_owners(notice, self.now)


def _facts(alert: str, supplier: str, evidence: str) -> Facts:
    return {"alert": alert, "supplier": supplier, "evidence": evidence}


def _answer(books: Books, last: Reading, alert: str, evidence: str, now: Millis) -> None:
    """Tell those who asked for this list what came of it."""
    for address in last.asked_by:
        key, facts = f"list:{last.supplier}:{now}", _facts(alert, last.supplier, evidence)
        books.outbox.owe(Notice(key=key, kind=NoticeKind.ALERT, address=address, facts=facts), now)


def _counted(news: News) -> str:
    """Write how many offers changed in each way: ``+3 -1 ↑2 ↓5``."""
    return " ".join(f"{SIGNS[Change(name)]}{count}" for name, count in news.count().items())


def _tell_of_undescribed(owners: _Owners, last: Reading, found: SortedList) -> None:
    """Name the categories that nobody described, if one of them is new."""
    known = {each.category for each in last.undescribed}
    if known.issuperset(each.category for each in found.undescribed):
        return
    largest = sorted(found.undescribed, key=lambda each: (-each.rows, each.category))
    lines = [f"{'✓' if e.sold else '✗'} {e.category} ({e.rows})" for e in largest]
    owners.alert("list_undescribed", _some(lines), _once_a_day(lines, owners.now))


def _tell_of_jumps(owners: _Owners, books: Books, changes: Sequence[PriceChange]) -> None:
    """Name the items that became dearer or cheaper by more than a fifth, the most so first."""
    jumps = sorted(filter(_is_jump, changes), key=_jumped, reverse=True)
    lines = [
        f"{SIGNS[each.change]} {each.item} ({books.rules.game(each.game).title}): "
        f"{rupiah(each.was)} → {rupiah(each.became)}"
        for each in jumps
    ]
    if lines:
        owners.alert("prices_jumped", _some(lines), _once_a_day(lines, owners.now))


def _once_a_day(lines: Sequence[str], now: Millis) -> str:
    """Return the occasion of news that may come and go again: each once a day."""
    return f"{now // DAY}:{digest(*lines)}"


def _is_jump(change: PriceChange) -> bool:
    return bool(change.was and change.became) and _jumped(change) > JUMP


def _jumped(change: PriceChange) -> int:
    """Return by how many hundredths of a percent a price has changed, rounded up."""
    return -(-10_000 * abs(change.became - change.was) // change.was)


def _some(lines: Sequence[str]) -> str:
    """Write the first lines of many, and how many more there are."""
    more = [f"… +{len(lines) - SHOWN}"] if len(lines) > SHOWN else []
    return "\n".join([*lines[:SHOWN], *more])
