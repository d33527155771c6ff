"""What a name on a price list means: so many of a game's units, or one of its passes.

A name is cut into words, each word known of the game gets a sign, and the signs in their order are
looked up in a table of how amounts are written. What stands in no table is nobody's good: nothing
is guessed from likeness.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from shop.catalogue import Game
from shop.text import plain
from shop.words import (
    EVERY_GAME,
    NO_WORDS,
    TOKENS,
    Kind,
    Named,
    Words,
    extend_words,
    read_words,
    tokens_of,
)

__all__ = [
    "EVERY_GAME",
    "NO_WORDS",
    "Good",
    "Kind",
    "Named",
    "Words",
    "extend_words",
    "good_called",
    "read_words",
    "recognise",
    "title_of",
]

_LONGEST_NAME = 160  # a longer one may have been cut, and say less than it seems to
_MOST = 10**12
_HOLE = "\ue000"  # where a number stood; no foreign text holds it once it is plain
_FREE = re.compile(r"(?<![\w.,])([0-9]+(?:[.,][0-9]+)*)")
_GLUED = re.compile(rf"[^\W\d_]+(?=[0-9])|(?<=[0-9{_HOLE}])[^\W\d_]+")
# What suppliers put beside a name to tell their routes apart: "V3", "Q2", "S4".
_ROUTE = re.compile(r"(?<![\w.,])[vqs][0-9]{1,2}(?!\w|[.,][0-9])")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+|(?:,[0-9]{3})+)")
_SCALED = re.compile(r"(?:0|[1-9][0-9]{0,3})(?:[.,][0-9]{1,2})?")  # before "juta", and the like
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_TURNED = frozenset("\u202d\u202e")  # what follows is shown in another order than it is written


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """What an offer is. ``certain``: its name can be read in one way only."""

    game: str
    kind: Kind
    unit: str  # slug of the unit, or of the pass
    amount: int  # units in all; of a pass, how many of them
    certain: bool
    headline: int = 0  # the number its name begins with, where that is another

    @property
    def key(self) -> str:
        return f"{self.game}/{self.unit}/{self.amount}"

    @property
    def amounts(self) -> tuple[int, ...]:
        """How much it may hold: what its headline says, if that is another number, and in all."""
        return (self.headline, self.amount) if self.headline else (self.amount,)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every good it may be, by ``amounts``."""
        return tuple(f"{self.game}/{self.unit}/{amount}" for amount in self.amounts)


def good_called(game: Game, words: Words, key: str) -> Good | None:
    """Return the good whose key this is; ``None``: it is none of ``game``'s."""
    slug, _, rest = key.partition("/")
    unit, _, amount = rest.partition("/")
    kind = next((kind for kind, named in words.goods if named.slug == unit), None)
    if slug != game.slug or kind is None or not re.fullmatch("[1-9][0-9]{0,12}", amount):
        return None
    return Good(game=slug, kind=kind, unit=unit, amount=int(amount), certain=True)


def title_of(words: Words, good: Good) -> str:
    """Return what the shelf calls a good: "86 Diamond", "10.000 Koin", "Weekly Diamond Pass"."""
    title = next((named.title for _, named in words.goods if named.slug == good.unit), good.unit)
    amount = f"{good.amount:,}".replace(",", ".")
    match good.kind:
        case Kind.AMOUNT:
            return f"{amount} {title}"
        case Kind.PASS:
            return title if good.amount == 1 else f"{amount}× {title}"  # noqa: RUF001 so written


class _Sign(StrEnum):
    """What a word is worth to a reader."""

    NUMBER = "N"
    UNIT = "U"
    PASS = "P"  # noqa: S105 no password
    BONUS = "B"
    PLUS = "+"
    TIMES = "x"
    NOTHING = "-"
    ANOTHER = "!"  # it is another thing then
    UNKNOWN = "?"


_Meaning = tuple[_Sign, str]
_Reading = tuple[int, int, bool]  # units in all, the headline, whether it is the only reading
_Way = Callable[[Sequence[int]], _Reading | None]
_OF_NUMBERS: Mapping[str, _Sign] = {
    "bonus": _Sign.BONUS,
    "+": _Sign.PLUS,
    "x": _Sign.TIMES,
    "×": _Sign.TIMES,  # noqa: RUF001 the sign that suppliers write
}


def _sum(numbers: Sequence[int]) -> _Reading:
    """Read "60 + 1", which some call 60, and others 61."""
    return sum(numbers), numbers[0], sum(numbers) == numbers[0]


def _sum_of_parts(numbers: Sequence[int]) -> _Reading | None:
    """Read "86 (78 + 8)", whose parts explain the number, and "5 (5 + 1)", whose parts do not."""
    headline, *parts = numbers
    total = sum(parts)
    return (total, headline, headline == total) if headline in {total, parts[0]} else None


def _product(numbers: Sequence[int]) -> _Reading:
    """Read "86 x2": two of them, or one that is doubled the first time."""
    return numbers[0] * numbers[1], max(numbers), False


# How amounts are written, without brackets (the suppliers' documents, and what others list).
_AMOUNTS: Mapping[str, _Way] = {
    "N": lambda numbers: (numbers[0], numbers[0], True),  # 86 Diamonds
    **dict.fromkeys(("NB", "BN", "N+B"), lambda numbers: (numbers[0], numbers[0], False)),
    **dict.fromkeys(("N+N", "N+NB", "N+BN", "N+N+N"), _sum),  # 60 + 1 Gems
    **dict.fromkeys(("NNB", "NBN"), _sum),  # 86 Diamonds (8 Bonus)
    **dict.fromkeys(("NN+N", "NN+NB", "NN+BN", "NN+N+N"), _sum_of_parts),  # 86 Diamonds (78 + 8)
    **dict.fromkeys(("NxN", "xNN", "NNx"), _product),  # 86 Diamonds x2
}
_PASSES: Mapping[str, _Way] = {
    "": lambda _: (1, 1, True),
    "N": lambda numbers: (numbers[0], numbers[0], False),  # how many, or which level or season
    **dict.fromkeys(("Nx", "xN"), _AMOUNTS["N"]),  # 2x Weekly Diamond Pass
}


def recognise(game: Game, words: Words, name: str) -> Good | None:
    """Return what a supplier's name of an item means in ``game``; ``None``: nobody can say.

    Readings are remembered: the same name costs next to nothing the second time.
    """
    return recogniser(game, words)(name)


def recogniser(game: Game, words: Words) -> Callable[[str], Good | None]:
    """Return what recognises the names of a game, for many of them."""
    if not (words.units or words.passes):
        return lambda _: None
    reader = _reader(game.slug, game.region, (game.title, *game.aliases), words)
    return lambda name: None if len(name) > _LONGEST_NAME else _read(reader, name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reader:
    """A game's words, ready to be looked up. ``phrases`` by their first word, longest first."""

    game: str
    phrases: Mapping[str, Sequence[tuple[list[str], _Meaning]]]
    scales: Mapping[str, int]
    glue: frozenset[str]  # words that may touch a number: "86dm", "x2"
    numbered: bool  # there are names with numbers in them: "Prime 1 Bulan"


@lru_cache(maxsize=256)
def _reader(slug: str, region: str, names: tuple[str, ...], words: Words) -> _Reader:
    known: dict[tuple[str, ...], _Meaning] = {}
    for name, meaning in _meanings(region, names, words):
        known.setdefault(tuple(tokens_of(name)), meaning)
    phrases: dict[str, list[tuple[list[str], _Meaning]]] = {}
    for phrase in sorted(filter(None, known), key=len, reverse=True):
        phrases.setdefault(phrase[0], []).append((list(phrase), known[phrase]))
    scales = {name.lower(): scale for name, scale in words.scales}
    glue = {*scales, *(name.lower() for name in names)}
    glue |= {phrase[0] for phrase, (sign, _) in known.items() if phrase and sign in "UPx"}
    numbered = any(word[0].isdigit() for phrase in known for word in phrase)
    return _Reader(
        game=slug, phrases=phrases, scales=scales, glue=frozenset(glue), numbered=numbered
    )


def _meanings(region: str, names: Iterable[str], words: Words) -> Iterator[tuple[str, _Meaning]]:
    """Yield every name there is; of one that stands for two things, the first counts."""
    yield from ((name, (sign, "")) for name, sign in _OF_NUMBERS.items())
    for kind, named in words.goods:
        sign = _Sign.UNIT if kind is Kind.AMOUNT else _Sign.PASS
        yield from ((name, (sign, named.slug)) for name in (named.title, *named.names))
    # "Zepeto Zem" is a name of the game, and not to be passed over in "60 Zepeto Zem".
    goods = {name.lower() for _, named in words.goods for name in (named.title, *named.names)}
    names = [name for name in names if goods.isdisjoint(tokens_of(name))]
    yield from ((name, (_Sign.NOTHING, "")) for name in names)
    yield from ((name, (_Sign.ANOTHER, "")) for name in words.another)
    yield from ((name, (_Sign.NOTHING, "")) for name in words.ignored)
    for each in words.regions:
        here = _Sign.NOTHING if each.slug == region else _Sign.ANOTHER
        # Where accounts are of no region, it may be a server, or the account's own country.
        meaning = (here if region else _Sign.UNKNOWN, "")
        yield from ((name, meaning) for name in (each.title, *each.names))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """What a name says besides its numbers, and what to make of those: (text or hole, scale)."""

    kind: Kind
    unit: str
    certain: bool
    numbers: Sequence[tuple[str, int]]
    way: _Way


@lru_cache(maxsize=1 << 16)
def _read(reader: _Reader, name: str) -> Good | None:
    # Rows of a list differ in their numbers mostly: what is around them is understood once.
    around, numbers = [_written(name)], []
    if not reader.numbered:
        around, numbers = (parts := _FREE.split(around[0]))[::2], parts[1::2]
    pattern = _pattern(reader, _HOLE.join(around))
    if pattern is None:
        return None
    left = iter(numbers)
    read = [_number(next(left) if w == _HOLE else w, scale) for w, scale in pattern.numbers]
    known = [number for number in read if number is not None]
    reading = pattern.way(known) if len(known) == len(read) else None
    if reading is None or not 0 < reading[0] <= _MOST:
        return None
    amount, headline, only = reading
    return Good(
        game=reader.game,
        kind=pattern.kind,
        unit=pattern.unit,
        amount=amount,
        certain=only and pattern.certain,
        headline=headline if headline != amount else 0,
    )


def _written(name: str) -> str:
    """Return a name in small letters and plain digits; empty if it shows other than it holds."""
    if name.isascii() and name.isprintable():
        return name.lower()
    if any(char in _TURNED or unicodedata.category(char) == "No" for char in name):
        return ""  # "86²" would become 862
    return _FLAG.sub(_country, plain(name)).lower()


def _country(flag: re.Match[str]) -> str:
    return f" {unicodedata.name(flag[0][0])[-1]}{unicodedata.name(flag[0][1])[-1]} "


@lru_cache(maxsize=1 << 13)
def _pattern(reader: _Reader, text: str) -> _Pattern | None:
    routes = _ROUTE.findall(text)
    text = _ROUTE.sub(" ", text)
    if not reader.glue.issuperset(_GLUED.findall(text)):
        return None
    seen = list(_signs(reader, TOKENS.findall(text)))
    signs = [sign for sign, _, _ in seen]
    goods = {(sign, what) for sign, what, _ in seen if sign in "UP"}
    strange = _Sign.UNKNOWN in signs
    if len(goods) != 1 or _Sign.ANOTHER in signs:
        return None
    if strange and signs.count(_Sign.NUMBER) > 1:
        return None  # one of the numbers may count what nobody knows
    sign, unit = goods.pop()
    kind, ways = (Kind.AMOUNT, _AMOUNTS) if sign is _Sign.UNIT else (Kind.PASS, _PASSES)
    way = ways.get("".join(sign for sign in signs if sign in "NBx+"))
    # "S4" beside a pass may be its season.
    season = kind is Kind.PASS and any(route[0] == "s" for route in routes)
    return way and _Pattern(
        kind=kind,
        unit=unit,
        certain=not season and not strange,
        numbers=[(what, scale) for sign, what, scale in seen if sign is _Sign.NUMBER],
        way=way,
    )


def _signs(reader: _Reader, tokens: Sequence[str]) -> Iterator[tuple[_Sign, str, int]]:
    """Yield what each word or phrase means, the longest phrase first; of numbers, their scale."""
    place = 0
    while place < len(tokens):
        token, length, found = tokens[place], 1, (_Sign.UNKNOWN, "", 1)
        if token == _HOLE or token[0].isdigit():
            scale = reader.scales.get(tokens[place + 1], 1) if tokens[place + 1 :] else 1
            length, found = 1 + (scale > 1), (_Sign.NUMBER, token, scale)
        for phrase, (sign, what) in reader.phrases.get(token, ()):
            if phrase == tokens[place : place + len(phrase)]:
                length, found = len(phrase), (sign, what, 1)
                break
        yield found
        place += length


def _number(text: str, scale: int) -> int | None:
    if scale > 1:
        return int(Fraction(text.replace(",", ".")) * scale) if _SCALED.fullmatch(text) else None
    if text.isdigit():
        return int(text) if text[0] != "0" or text == "0" else None
    return int(text.replace(".", "").replace(",", "")) if _GROUPED.fullmatch(text) else None
