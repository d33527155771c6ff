"""Links that lead customers straight to a game or an item: ``/tautan``."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.conversation.finding import find, find_game
from bot.conversation.linking import item_of, payload_of, payload_of_game
from bot.conversation.room import Room
from bot.conversation.views import MOST_DATA_BYTES, Choice, View
from shop.routing import Sale
from shop.shelf import Item
from shop.text import visible

_OFFERED: Final = 10
_MOST_LABEL: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrances:
    """Where people come in. ``telegram`` tells the bot's user name, empty until it is known.

    ``web``: the address of the browser chat; empty where there is none.
    """

    telegram: Callable[[], str] = str
    web: str = ""


NOWHERE: Final = Entrances()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What links lead to; without a payload, to the shop."""

    title: str
    payload: str = ""


def links(entrances: Entrances, room: Room, args: str) -> View:
    """Answer ``/tautan ml 86``: a link for each channel that is on, and a text to share."""
    if not args:
        return _shown(entrances, room, _Place(title=room.face.name))
    item = item_of(room, args)
    if item is not None:
        return _shown(entrances, room, _of_item(room, item))
    found = find(room, args)
    if found.item is not None:
        return _shown(entrances, room, _of_item(room, found.item))
    game = None if found.sales else find_game(room, args) or found.game
    if game is not None:
        return _shown(entrances, room, _Place(title=game.title, payload=payload_of_game(game)))
    unknown = room.texts("link.unknown", text=visible(args, 40))
    return View(text=unknown, choices=tuple(_choices(room, found.sales[:_OFFERED])))


def _of_item(room: Room, item: Item) -> _Place:
    game = room.books.rules.game(item.game).title
    return _Place(title=f"{game} · {item.title}", payload=payload_of(item))


def _choices(room: Room, sales: Sequence[Sale]) -> Iterator[Choice]:
    for item in (sale.item for sale in sales):
        payload, game = payload_of(item), room.books.rules.game(item.game).title
        data = f"p:tautan:{payload}"
        if len(data.encode()) <= MOST_DATA_BYTES:
            yield Choice(payload, visible(item.title, _MOST_LABEL), game, data=data)


def _shown(entrances: Entrances, room: Room, place: _Place) -> View:
    texts, name = room.texts, entrances.telegram()
    found = {
        "link.telegram": f"https://t.me/{name}" if name else "",
        "link.web": entrances.web,
    }
    start = f"?start={place.payload}" if place.payload else ""
    addresses = {text_id: f"{link}{start}" for text_id, link in found.items() if link}
    lines = [texts(text_id, link=link) for text_id, link in addresses.items()]
    words = f"mulai {place.payload}".strip()
    lines.append(texts("link.typed", words=words))
    share = "link.share" if place.payload else "link.share_shop"
    best = next(iter(addresses.values()), "")
    return View(
        title=texts("link.title", name=place.title),
        text="\n".join([texts("link.text", name=place.title), "", *lines]),
        copy=texts(share, name=place.title, shop=room.face.name, link=best) if best else words,
    )
