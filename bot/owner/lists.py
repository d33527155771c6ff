"""``/daftar``: what was read of each supplier's price list, what changed, and to read it now."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.conversation.room import Room
from bot.conversation.views import Choice, View
from shop import stocking
from shop.price_lists import Changed, Kept, Reading
from shop.shelf import PriceChange
from shop.time import HOUR

FETCH: Final = "ambil"
HOURS: Final = 24
MOST_HOURS: Final = stocking.REMEMBERED // HOUR
SHOWN_CHANGES: Final = 10
SHOWN_CATEGORIES: Final = 5
_ASKED = re.compile(r"([1-9][0-9]{0,2})(?:-([1-9][0-9]{0,3}))?")  # hours, and which page of them
_NOT_TAKEN: Final[Mapping[Kept, str]] = MappingProxyType(
    {
        Kept.SHORT: "lists.kept",
        Kept.EMPTY: "lists.kept",
        Kept.UNREAD: "lists.unread",
        Kept.REFUSED: "lists.unread",
    }
)


def lists(room: Room, args: str) -> View:
    """Show the lists and the changes of the last day, or of so many hours; or fetch them now."""
    if not room.face.suppliers:
        return View(text=room.texts("balance.no_supplier"))
    if args.strip() == FETCH:
        return _fetch(room)
    asked = _ASKED.fullmatch(args.strip())
    hours = min(int(asked[1]), MOST_HOURS) if asked else HOURS
    page = int(asked[2]) if asked and asked[2] else 1
    return _view(room, hours, page)


def _fetch(room: Room) -> View:
    stocking.ask(room.books, room.face.suppliers, room.address, room.now)
    names = ", ".join(_title(room, slug) for slug in room.face.suppliers)
    return View(text=room.texts("lists.asked", suppliers=names))


def _view(room: Room, hours: int, page: int) -> View:
    since, before = room.now - hours * HOUR, (page - 1) * SHOWN_CHANGES
    found = room.books.price_lists.changes(since, SHOWN_CHANGES + 1, before)
    if not found and page > 1:
        return _view(room, hours, 1)
    about = [_list(room, slug) for slug in room.face.suppliers] if page == 1 else []
    choices = [Choice(FETCH, room.texts("lists.fetch"), data=f"p:daftar:{FETCH}")]
    if len(found) > SHOWN_CHANGES:
        older = room.texts("history.older")
        choices.append(Choice("older", older, data=f"p:daftar:{hours}-{page + 1}"))
    elif hours < MOST_HOURS:
        month = room.texts("lists.month")
        choices.append(Choice("month", month, data=f"p:daftar:{MOST_HOURS}"))
    return View(
        title=room.texts("lists.title"),
        text="\n\n".join([*about, _changes(room, hours, found[:SHOWN_CHANGES])]),
        choices=tuple(choices),
    )


def _list(room: Room, supplier: str) -> str:
    """Say when a supplier's list was read, what is sold of it, and what is not."""
    reading = room.books.price_lists.reading(supplier)
    title = _title(room, supplier)
    lines = [
        room.texts(
            "lists.read", supplier=title, items=reading.items, at=room.texts.date(reading.listed_at)
        )
        if reading.listed_at
        else room.texts("lists.never", supplier=title)
    ]
    if reading.kept is not None:
        lines.append(room.texts(_NOT_TAKEN[reading.kept], words=reading.words))
    if reading.dropped:
        lines.append(room.texts("lists.dropped", dropped=reading.dropped, rows=reading.rows))
    if reading.undescribed:
        lines.append(room.texts("lists.undescribed", names=_categories(reading)))
    return "\n".join(lines)


def _categories(reading: Reading) -> str:
    """Name the largest categories that nobody described, and say which are sold all the same."""
    found = sorted(reading.undescribed, key=lambda each: (-each.rows, each.category))
    names = [f"{'✓' if e.sold else '✗'} {e.category} ({e.rows})" for e in found]
    more = [f"… +{len(names) - SHOWN_CATEGORIES}"] if len(names) > SHOWN_CATEGORIES else []
    return ", ".join([*names[:SHOWN_CATEGORIES], *more])


def _changes(room: Room, hours: int, found: Sequence[Changed]) -> str:
    if not found:
        return room.texts("lists.no_changes", hours=hours)
    lines, at = [room.texts("lists.changes", hours=hours)], 0
    for each in found:
        if each.at != at:
            at = each.at
            lines.append(room.texts.date(at))
        lines.append(_change(room, each.change))
    return "\n".join(lines)


def _change(room: Room, change: PriceChange) -> str:
    """Write a change for people: ``↑ 70 Diamond (Free Fire, ZulTopup): Rp10.000 → Rp12.000``."""
    game = room.books.rules.game(change.game).title
    prices = " → ".join(room.texts.money(each) for each in (change.was, change.became) if each)
    sign, title = stocking.SIGNS[change.change], _title(room, change.supplier)
    return f"{sign} {change.item} ({game}, {title}): {prices}"


def _title(room: Room, supplier: str) -> str:
    return room.face.titles.get(supplier, supplier)
