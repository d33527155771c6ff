"""Links to games and items: the few letters that a link can carry, and what they lead to."""

import re
from hashlib import blake2b
from typing import Final

from bot.conversation.room import Room
from shop.catalogue import Game
from shop.shelf import Item

# core.telegram.org/bots/features, deep linking: A-Z, a-z, 0-9, _ and -, up to 64 characters.
PAYLOAD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GOOD: Final = re.compile(r"[A-Za-z0-9-]+(?:/[A-Za-z0-9-]+){2}")
_UNDESCRIBED: Final = "~"  # what slugs of such games begin with: no letter of a payload
_MARKED: Final = "i"  # in the place of a unit: what follows is a mark


def payload_of_game(game: Game) -> str:
    """Return what a link to a game carries: ``mobile-legends``."""
    return _game_part(game.slug)


def payload_of(item: Item) -> str:
    """Return what a link to an item carries: ``mobile-legends_diamond_86``.

    Where its key has other characters, or is too long, a mark of the key stands for it.
    """
    payload = item.key.replace("/", "_")
    is_good = item.key.startswith(f"{item.game}/") and _GOOD.fullmatch(item.key)
    if is_good and PAYLOAD.fullmatch(payload) and payload.split("_")[1] != _MARKED:
        return payload
    return "_".join((_game_part(item.game), _MARKED, _mark(item.key)))


def game_of(room: Room, payload: str) -> Game | None:
    """Return the game that a link leads to, or to an item of which it led."""
    slug, _ = _parts(payload)
    return room.game(slug) if slug else None


def item_of(room: Room, payload: str) -> Item | None:
    """Return the item that a link leads to; ``None``: it is no item's, or no such one is listed.

    An offer that has become part of an item by now leads to that.
    """
    slug, rest = _parts(payload)
    match rest:
        case (word, mark) if word == _MARKED and room.game(slug) is not None:
            arranged = room.books.shelf.arranged(slug)
            keys = (
                (key, item)
                for item in arranged.items
                for key in (item.key, *(member.offer.key for member in item.members))
            )
            return next((item for key, item in keys if _mark(key) == mark), None)
        case (unit, amount):
            return room.item(slug, f"{slug}/{unit}/{amount}")
        case _:
            return None


def _game_part(slug: str) -> str:
    return slug.replace(_UNDESCRIBED, "_")


def _parts(payload: str) -> tuple[str, tuple[str, ...]]:
    """Return the slug of a game, and what a payload says besides."""
    if not PAYLOAD.fullmatch(payload):
        return "", ()
    slug, *rest = payload.removeprefix("_").split("_")
    return (f"{_UNDESCRIBED}{slug}" if payload.startswith("_") else slug), tuple(rest)


def _mark(key: str) -> str:
    return blake2b(key.encode(), digest_size=8).hexdigest()
