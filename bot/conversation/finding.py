"""What a person means by what they type: a game, an item, or one of a few.

Numbers are never rounded: an item is found by its own numbers only. What is merely near, or merely
similar, is offered, and never chosen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from typing import Final

from rapidfuzz import fuzz, process

from bot.conversation.item_names import (
    ALIKE,
    ItemNames,
    Likeness,
    Tokens,
    cut,
    is_number,
    read_items,
    without_fillers,
)
from bot.conversation.room import Room
from shop import catalogue
from shop.catalogue import Game
from shop.goods import Words
from shop.routing import Sale
from shop.shelf import Arranged, Item

MOST_SALES: Final = 20  # pricing is the dearest part of a search
NEAREST: Final = 6
_MOST_TOKENS: Final = 16  # a longer text tells a story
_LONGEST_NAME: Final = 7  # words
_VERY_ALIKE: Final = 88  # of 100: a part of a text, and the name of a game
_CLEARLY: Final = 5  # points of 100 by which the best guess must be better
_SHORTEST_GUESS: Final = 5  # letters
_MOST_GUESSED: Final = 8  # words among which a game's name is guessed
_SHORTEST_PART: Final = 3  # letters that name another game wherever they stand: "max ff"
_SHORTEST_WORD: Final = 4  # letters by which a game is known where they are not all of its name
_POPULAR: Final = 200
_MOST_KEPT: Final = 500  # games: suppliers may make up ever new ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a text may mean. ``game``: the one it names; ``item``: the one it means, sold or not.

    ``sales``: what is on sale and may be meant, the likeliest first. With ``is_near`` these are no
    more than similar. ``games``: where it may be found.
    """

    game: Game | None = None
    item: Item | None = None
    sales: Sequence[Sale] = ()
    games: Sequence[Game] = ()
    is_near: bool = False


NOTHING: Final = Found()


def matching(text: str, games: Sequence[Game]) -> list[Game]:
    """Return the games a typed text may mean: the one it names, else those it resembles.

    Where there are none of these: those with its words in their names.
    """
    wanted = catalogue.canonical(text)
    if not wanted:
        return []
    if (named := catalogue.game_of(text, games)) is not None:
        return [named]
    numbers = _numbers(cut(wanted))
    names = {game.slug: catalogue.names_of(game) for game in games}
    scored = [
        (max(_ratio(wanted, name, numbers) for name in names[game.slug]), game) for game in games
    ]
    best = max((score for score, _ in scored), default=0)
    close = [game for score, game in scored if score >= max(ALIKE, best - _CLEARLY)]
    begun = [game for game in games if any(name.startswith(wanted) for name in names[game.slug])]
    if close or begun or min(map(len, wanted.split())) < _SHORTEST_WORD:
        return close or begun
    words = frozenset(cut(wanted))
    return [game for game in games if words <= _words_of(game)]


def _ratio(wanted: str, name: str, numbers: Tokens) -> float:
    # A slip of the finger in a number is another number.
    score = fuzz.ratio(wanted, name, score_cutoff=ALIKE)
    return score if score and _numbers(cut(name)) == numbers else 0.0


def _numbers(tokens: Tokens) -> Tokens:
    return tuple(token for token in tokens if is_number(token))


def find_game(room: Room, text: str) -> Game | None:
    """Return the one game on the shelf that a text names, perhaps with a slip of the finger."""
    found = matching(text, room.games())
    return found[0] if len(found) == 1 else None


def find_item(room: Room, text: str) -> Item | None:
    """Return the one item that a text clearly means, whether or not it is on sale."""
    return find(room, text).item


def find(room: Room, text: str, within: Game | None = None) -> Found:
    """Return what a text may mean; in the game that it names, else in ``within``, else anywhere."""
    asked = cut(text)
    if not asked or len(asked) > _MOST_TOKENS:
        return NOTHING
    search = _Search(room=room)
    said = search.said(asked)
    if said.game is not None:
        return search.in_game(said.game, said.rest)
    return search.anywhere(said) if within is None else search.inside(within, said)


# --- which game -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A text taken apart. ``games``: those that it names; ``rest``: what it says besides."""

    games: Sequence[Game]
    rest: Tokens

    @property
    def game(self) -> Game | None:
        return self.games[0] if len(self.games) == 1 else None

    @property
    def words(self) -> list[str]:
        return without_fillers(token for token in self.rest if not is_number(token))


# Every search looks at the names of all games: each is read once.
@lru_cache(maxsize=4096)
def _squeezed(name: str) -> str:
    return "".join(cut(name))


@lru_cache(maxsize=1024)
def _words_in(*names: str) -> frozenset[str]:
    return frozenset(word for name in names for word in cut(name))


def _words_of(game: Game) -> frozenset[str]:
    return _words_in(game.title, *game.aliases)


def _without(tokens: Sequence[str], known: frozenset[str]) -> Tokens:
    return tuple(token for token in tokens if is_number(token) or token not in known)


# --- which item -----------------------------------------------------------------------------------

# What each game's items are called, as long as its shelf is the very same one.
_READ: dict[str, tuple[Arranged, Words, ItemNames]] = {}


def _items_of(room: Room, game: Game) -> ItemNames:
    arranged = room.books.shelf.arranged(game.slug)
    words = room.books.rules.words_of(game.slug)
    known = _READ.get(game.slug)
    if known is None or known[0] is not arranged or known[1] is not words:
        if len(_READ) >= _MOST_KEPT:
            _READ.clear()
        known = (arranged, words, read_items(game, words, arranged))
        _READ[game.slug] = known
    return known[2]


@dataclass(kw_only=True, eq=False)
class _Search:
    """One search: what it has read of the books it does not read again."""

    room: Room
    _names: dict[str, ItemNames] = field(default_factory=dict)

    @cached_property
    def stocked(self) -> Sequence[Game]:
        return self.room.games()

    @cached_property
    def spelt(self) -> Mapping[str, Game]:
        """Every name of every game, without blanks; what is on the shelf before what is not."""
        found: dict[str, Game] = {}
        for game in (*self.stocked, *self.room.face.games):
            for name in (game.title, *game.aliases):
                found.setdefault(_squeezed(name), game)
        return found

    def names(self, game: Game) -> ItemNames:
        if game.slug not in self._names:
            self._names[game.slug] = _items_of(self.room, game)
        return self._names[game.slug]

    def said(self, asked: Tokens) -> _Said:
        """Take apart what was asked: the names of games, the longest first, and the rest."""
        games: dict[str, Game] = {}
        rest: list[str] = []
        later: set[str] = set()  # words behind the name of a game
        at = 0
        while at < len(asked):
            game, length = self._name_at(asked, at)
            if game is not None:
                games[game.slug] = game
            else:
                rest.append(asked[at])
                later |= {asked[at]} if games else set()
            at += length
        if len(games) != 1:
            return _Said(games=tuple(games.values()), rest=tuple(rest))
        return self._refined(next(iter(games.values())), rest, later)

    def _name_at(self, asked: Tokens, at: int) -> tuple[Game | None, int]:
        for length in range(min(_LONGEST_NAME, len(asked) - at), 0, -1):
            run = "".join(asked[at : at + length])
            if run in self.spelt and not run.isdigit():
                return self.spelt[run], length
        return None, 1

    def _refined(self, game: Game, rest: Sequence[str], later: set[str]) -> _Said:
        """Understand "ml 86 brazil": there is another game, called so and more."""
        own, title = _words_of(game), frozenset(cut(game.title))
        telling = {word for word in rest if word in later or len(word) >= _SHORTEST_PART} - own
        others = {}
        for other in (*self.stocked, *self.room.face.games):
            words = _words_of(other) if other.slug != game.slug and telling else own
            if title < words and not telling.isdisjoint(words - own):
                others[other.slug] = other
        games = tuple(others.values()) or (game,)
        known = own.union(*(_words_of(each) for each in others.values()))
        return _Said(games=games, rest=_without(rest, known))

    def in_game(self, game: Game, rest: Tokens) -> Found:
        """Return what of one game is meant, and what is similar where nothing is."""
        names = self.names(game)
        said = _Said(games=(game,), rest=names.scaled(rest))
        numbers = _numbers(said.rest)
        if not numbers and (not said.words or names.counts_in(said.words)):
            return Found(game=game)
        found: Sequence[Likeness] = ()
        for exactly in (True, False):
            found = _likenesses(names, said.rest, exactly=exactly)
            if whole := [likeness for likeness in found if likeness.is_whole]:
                return self._meant(game, whole)
        near = self._on_sale(found) or self._near(names, numbers, said.words)
        return Found(game=game, sales=near, is_near=True)

    def _meant(self, game: Game, whole: Sequence[Likeness]) -> Found:
        item = _clear(whole)
        sales = self._on_sale(whole)
        if sales:
            return Found(game=game, item=item, sales=sales)
        entry = whole[0].entry
        amounts = (str(entry.amount),) if entry.amount else ()
        near = self._near(self.names(game), amounts, entry.words)
        return Found(game=game, item=item, sales=near, is_near=True)

    def inside(self, game: Game, said: _Said) -> Found:
        """Return what is meant in ``game``, or clearly elsewhere by words this game knows not."""
        here = self.in_game(game, said.rest)
        known = self.names(game).words.union(_words_of(game))
        is_here = here.item is not None or (here.sales and not here.is_near)
        if is_here or not said.words or not known.isdisjoint(said.words):
            return here
        elsewhere = self._everywhere(said, exactly=True)
        if elsewhere is NOTHING:
            elsewhere = self._guessed(said)
        return here if elsewhere is NOTHING else elsewhere

    def anywhere(self, said: _Said) -> Found:
        """Return what is meant, where no game is known."""
        found = self._everywhere(said, exactly=True)
        if found is NOTHING and not said.games:
            found = self._guessed(said)
        if found is NOTHING:
            found = self._everywhere(said, exactly=False)
        if found is not NOTHING:
            return found
        games = [game for game in self.stocked if self.names(game).counts_in(said.words)]
        return Found(games=games, is_near=True) if games else NOTHING

    def _everywhere(self, said: _Said, *, exactly: bool) -> Found:
        """Return what may be meant in any game; chosen is only what is called exactly so."""
        whole: list[Likeness] = []
        for game in said.games or self.stocked:
            names = self.names(game)
            rest = _without(names.scaled(said.rest), _words_of(game) - names.words)
            if _numbers(rest) or not names.counts_in(said.words):
                found = _likenesses(names, rest, exactly=exactly)
                whole += (likeness for likeness in found if likeness.is_whole)
        if not whole:
            return NOTHING
        is_sure = exactly and not said.games and all(each.is_named for each in whole)
        return Found(item=_clear(whole) if is_sure else None, sales=self._on_sale(whole))

    def _guessed(self, said: _Said) -> Found:
        """Return what is meant in the game whose name stands there with a slip of the finger."""
        words = said.rest[:_MOST_GUESSED]
        best: tuple[float, int, int] = (0.0, 0, 0)
        guess: Game | None = None
        for at in range(len(words)):
            for end in range(at + 1, min(len(words), at + _LONGEST_NAME) + 1):
                game, score = self._alike("".join(words[at:end]))
                if game is not None and (score, end - at) > best[:2]:
                    best, guess = (score, end - at, at), game
        if guess is None:
            return NOTHING
        _, length, at = best
        rest = said.rest[:at] + said.rest[at + length :]
        return self.in_game(guess, _without(rest, _words_of(guess)))

    def _alike(self, run: str) -> tuple[Game | None, float]:
        """Return the game whose name a run of words clearly resembles."""
        if len(run) < _SHORTEST_GUESS or any(char.isdigit() for char in run):
            return None, 0.0
        close = process.extract(
            run, self._spelt_out, scorer=fuzz.ratio, score_cutoff=_VERY_ALIKE, limit=4
        )
        games = {self.spelt[n].slug for n, score, _ in close if score > close[0][1] - _CLEARLY}
        return (self.spelt[close[0][0]], close[0][1]) if len(games) == 1 else (None, 0.0)

    @cached_property
    def _spelt_out(self) -> Sequence[str]:
        return [name for name in self.spelt if name.isalpha()]

    # --- what is on sale ---

    def _near(self, names: ItemNames, numbers: Tokens, words: Iterable[str]) -> Sequence[Sale]:
        if not numbers:
            return ()
        entries = names.near(numbers[0], words)
        sales = (self._sale(entry.item) for entry in entries)
        return tuple(islice((sale for sale in sales if sale is not None), NEAREST))

    def _on_sale(self, found: Sequence[Likeness]) -> Sequence[Sale]:
        """Return what is on sale: what this person bought last, what sells, what is likelier."""
        ranked = []
        for likeness in found:
            item = likeness.entry.item
            place = (self._bought.get(item.key, _POPULAR), self._popular.get(item.key, _POPULAR))
            listed = min(member.offer.listed for member in item.members)
            ranked.append(((*place, -likeness.rank), listed, item))
        ranked.sort(key=lambda each: each[:2])
        priced = ((place, self._sale(item)) for place, _, item in ranked)
        sold = islice(((place, sale) for place, sale in priced if sale is not None), MOST_SALES)
        best = sorted(sold, key=lambda each: (each[0], each[1].quote.price))
        return tuple(sale for _, sale in best)

    def _sale(self, item: Item) -> Sale | None:
        return self.room.market.sale(item, self._credit)

    @cached_property
    def _credit(self) -> int:
        return self.room.credit()

    @cached_property
    def _bought(self) -> Mapping[str, int]:
        delivered = self.room.books.orders.delivered_of(self.room.address, 20)
        return {order.good: nth for nth, order in reversed(list(enumerate(delivered)))}

    @cached_property
    def _popular(self) -> Mapping[str, int]:
        best = self.room.books.orders.best_selling_goods(_POPULAR)
        return {good: nth for nth, good in enumerate(best)}


def _likenesses(names: ItemNames, rest: Tokens, *, exactly: bool) -> Sequence[Likeness]:
    words = [token for token in rest if not is_number(token)]
    return names.like(words, _numbers(rest), exactly=exactly)


def _clear(whole: Sequence[Likeness]) -> Item | None:
    """Return the item that is likelier than every other."""
    best = max(likeness.rank for likeness in whole)
    first = [likeness for likeness in whole if likeness.rank == best]
    return first[0].entry.item if len(first) == 1 else None
