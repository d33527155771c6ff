"""What a price is decided for: the shop, a game or an item, as owners name them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from bot.conversation.finding import find_game, find_item
from bot.conversation.room import Room
from shop.catalogue import Game, canonical, names_of
from shop.pricing import SHOP, Scope
from shop.shelf import Item
from shop.text import visible

_LONGEST = 48  # of a name of an item: there may be many in one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A scope with what is known of it; neither game nor item: the shop, or gone from the shelf."""

    scope: Scope
    game: Game | None = None
    item: Item | None = None

    @property
    def is_item(self) -> bool:
        """Whether it is an item, or was one while it was on the shelf."""
        return "/" in self.scope

    @property
    def game_slug(self) -> str:
        return self.game.slug if self.game is not None else self.scope.partition("/")[0]

    @property
    def item_key(self) -> str:
        return self.scope if self.is_item else ""

    @property
    def meant(self) -> str:
        """The good that its only offer is called like, for which prices may be decided, too."""
        return self.item.meant if self.item is not None else ""

    @property
    def args(self) -> str:
        """What a button carries after the command: keys of items may be too long for one."""
        return f"{self.game_slug} @{mark(self.item.key)}" if self.item else self.scope

    def title(self, room: Room) -> str:
        if self.item is not None and self.game is not None:
            return f"{self.game.title} · {shown(self.item)}"
        if self.game is not None:
            return self.game.title
        return visible(self.scope, _LONGEST) or room.texts("price.shop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nothing is called so. ``game``: the one that was understood; ``rest``: what was not."""

    rest: str
    game: Game | None = None
    sure: bool = False  # that it is this game


def mark(*parts: object) -> str:
    """Return a short name for something that is too long for a button."""
    return f"{crc32('|'.join(map(str, parts)).encode()):08x}"


def shown(item: Item) -> str:
    """Return an item's name, short enough for a list."""
    return visible(item.title, _LONGEST)


def find(room: Room, where: str) -> Place | Unknown:
    """Return what an owner's words mean, to the letter: a price is nothing to guess about."""
    if not where:
        return Place(scope=SHOP)
    game = _game_called(room, where)
    if game is not None:
        return Place(scope=game.slug, game=game)
    item = _marked(room, where) or _keyed(room, where) or find_item(room, where)
    if item is not None:
        return of_item(room, item)
    if where in room.market.overrides:
        return Place(scope=where)
    return _unknown(room, where)


def look_for(room: Room, where: str) -> Place | Unknown:
    """Return what an owner's words mean, or resemble."""
    found = find(room, where)
    if isinstance(found, Unknown) and found.game is not None and not found.sure:
        return Place(scope=found.game.slug, game=found.game)
    return found


def of_scope(room: Room, scope: Scope) -> Place:
    """Return what a stored scope means today."""
    item = _keyed(room, scope)
    if item is not None:
        return of_item(room, item)
    game = room.game(scope) if scope else None
    return Place(scope=scope, game=game)


def of_item(room: Room, item: Item) -> Place:
    """Return the scope of an item on the shelf."""
    return Place(scope=item.key, game=room.game(item.game), item=item)


def items_of(room: Room, place: Place) -> Iterator[Item]:
    """Return every item that a place's prices are about."""
    if place.item is not None:
        yield place.item
    elif place.game is not None:
        yield from room.items(place.game)
    elif place.scope == SHOP:
        for game in room.games():
            yield from room.items(game)


def _game_called(room: Room, where: str) -> Game | None:
    """Return the game of exactly that name, described or not."""
    wanted = canonical(where)
    if not wanted:
        return None
    described = room.game(where) or _first_called(room.face.games, wanted)
    return described or _first_called(room.games(), wanted)


def _first_called(games: Sequence[Game], wanted: str) -> Game | None:
    return next((game for game in games if wanted in names_of(game)), None)


def _marked(room: Room, where: str) -> Item | None:
    slug, sign, wanted = where.rpartition(" @")
    game = room.game(slug) if sign else None
    items = room.items(game) if game is not None else ()
    return next((item for item in items if mark(item.key) == wanted), None)


def _keyed(room: Room, key: str) -> Item | None:
    """Return the item of exactly that key, wherever it stands."""
    first, slash, rest = key.partition("/")
    if not slash:
        return None
    found = room.item(first, key) or room.books.shelf.item_of(first, rest)
    return found if found is not None and found.key == key else None


def _unknown(room: Room, where: str) -> Unknown:
    """Return how far the words can be understood: the longest beginning that names a game."""
    words = where.split()
    for upto in range(len(words) - 1, 0, -1):
        game = _game_called(room, " ".join(words[:upto]))
        if game is not None:
            return Unknown(rest=" ".join(words[upto:]), game=game, sure=True)
    return Unknown(rest=where, game=find_game(room, where))
