"""What the items of a game may be called by somebody who types; read once for each shelf.

Words are compared in small letters, numbers as they are written: one that differs in a digit is
another number. Where a game counts in millions, "1b" is the number that it means.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from shop.catalogue import Game, names_of
from shop.goods import Named, Words
from shop.shelf import Arranged, Item
from shop.text import plain

ALIKE: Final = 78  # of 100: a word with a slip of the finger
SHORTEST_GUESS: Final = 4  # letters; shorter words resemble too much
_SHORTEST_BEGINNING: Final = 3
_LONGEST_NUMBER: Final = 15  # digits; no amount of anything has more

_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:[.,][0-9]{3})+(?![.,]?[0-9])")
_TIMES = re.compile(r"\b[x×] ?([0-9]+)\b|\b([0-9]+) ?[x×](?![a-z0-9])")  # noqa: RUF001 as written
_TOKENS = re.compile(r"[0-9]+|[a-z]+")
# What people write around what they want.
_FILLERS: Final = frozenset(
    {
        "ada", "aku", "bang", "banget", "beli", "beliin", "berapa", "boleh", "buat", "buy", "can",
        "dan", "dong", "dulu", "for", "game", "gan", "get", "harga", "i", "in", "ingin", "isi",
        "isiin", "itu", "juga", "ka", "kak", "kakak", "kalau", "kalo", "ke", "mas", "mau", "min",
        "minta", "mulai", "my", "need", "nih", "of", "order", "pengen", "pesan", "please", "pls",
        "price", "saya", "sis", "start", "the", "to", "tolong", "top", "topup", "untuk", "up",
        "want", "ya", "yah", "yang", "yg",
    }
)  # fmt: skip
_BESIDE_AMOUNTS: Final = frozenset({"bonus", "first", "total"})

Tokens = tuple[str, ...]


def cut(text: str) -> Tokens:
    """Return the words and numbers of a text: "FF70" is "ff" and "70", "1.060" is "1060"."""
    text = (text if text.isascii() else plain(text)).lower()
    if "." in text or "," in text:
        text = _THOUSANDS.sub(lambda found: re.sub("[.,]", "", found[0]), text)
    if "x" in text or "×" in text:  # noqa: RUF001 likewise
        text = _TIMES.sub(r" \1\2 ", text)
    return tuple(_TOKENS.findall(text))


def is_number(token: str) -> bool:
    """Tell whether one of those is a number."""
    return not token.isalpha()


def without_fillers(words: Iterable[str]) -> list[str]:
    """Return the words that say what is wanted, and not that, or how kindly."""
    return [word for word in words if word not in _FILLERS]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """One item. ``names`` without blanks and numbers; ``amount``: 0 where nothing is counted.

    ``is_good``: of more than one supplier, perhaps; its name was read in the one way there is.
    """

    item: Item
    words: frozenset[str]
    names: frozenset[str]
    amount: int = 0
    is_good: bool = False


_Called = tuple[Entry, bool]  # by some numbers: whether these are all that it has
_Forms = dict[Tokens, bool]  # the numbers that name an item: whether these are all that it has


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Likeness:
    """How well a text fits an item of which it says the numbers."""

    entry: Entry
    is_whole: bool  # each word of the text is one of the item's
    is_named: bool  # together they are one of its names
    rank: int  # the greater, the better


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemNames:
    """What the items on one game's shelf are called."""

    words: frozenset[str]
    units: Sequence[str]  # words for what is counted
    counted: Sequence[Entry]  # in the order of their amounts
    scales: Mapping[str, int]
    by_numbers: Mapping[Tokens, Sequence[_Called]]
    by_word: Mapping[str, Sequence[_Called]]  # those that may be called without a number
    vocabulary: Sequence[str]  # ``words`` in their order

    def like(self, words: Sequence[str], numbers: Tokens, *, exactly: bool) -> list[Likeness]:
        """Return the items that have these numbers and, if there are any, some of these words.

        Without ``exactly``, words may be begun only, or have a slip of the finger.
        """
        meant = {word: self._meant(word, exactly=exactly) for word in words}
        numbered = self.by_numbers.get(tuple(sorted(numbers)), ())
        candidates = numbered if numbers else self._called(words, meant)
        found = (_likeness(named, words, meant) for named in candidates)
        return [likeness for likeness in found if likeness is not None]

    def near(self, number: str, words: Iterable[str]) -> Sequence[Entry]:
        """Return items of about that amount, half of it to twice as much, the nearest first."""
        if len(number) > _LONGEST_NUMBER:
            return ()
        amount, units = int(number), frozenset(self.units).intersection(words)
        first = bisect_left(self.counted, (amount + 1) // 2, key=_amount)
        last = bisect_left(self.counted, 2 * amount + 1, key=_amount)
        fitting = (entry for entry in self.counted[first:last] if units <= entry.words)
        return sorted(fitting, key=lambda entry: abs(entry.amount - amount))

    def counts_in(self, words: Iterable[str]) -> bool:
        """Tell whether words, perhaps with a slip of the finger, name a unit and nothing else."""
        said = without_fillers(words)
        return bool(said) and all(
            word in self.units or _closest(word, self.units, 1) for word in said
        )

    def scaled(self, tokens: Tokens) -> Tokens:
        """Return the tokens with "1", "b" made the one number that they mean in this game."""
        return _scaled(tokens, self.scales)

    def _called(
        self, words: Sequence[str], meant: Mapping[str, frozenset[str]]
    ) -> Iterable[_Called]:
        names = {"".join(words), "".join(without_fillers(words))}
        keys = names.union(*meant.values())
        found = {id(each[0]): each for key in keys for each in self.by_word.get(key, ())}
        return found.values()

    def _meant(self, word: str, *, exactly: bool) -> frozenset[str]:
        if exactly or word in self.words:
            return frozenset({word})
        return frozenset({*self._begun(word), *_closest(word, self.vocabulary, 5)})

    def _begun(self, word: str) -> Iterator[str]:
        if len(word) < _SHORTEST_BEGINNING:
            return
        for at in range(bisect_left(self.vocabulary, word), len(self.vocabulary)):
            if not self.vocabulary[at].startswith(word):
                return
            yield self.vocabulary[at]


def _amount(entry: Entry) -> int:
    return entry.amount


def _scaled(tokens: Tokens, scales: Mapping[str, int]) -> Tokens:
    found: list[str] = []
    for token in tokens:
        if token in scales and found and is_number(found[-1]):
            found[-1] = str(int(found[-1][:_LONGEST_NUMBER]) * scales[token])
        else:
            found.append(token)
    return tuple(found)


def _closest(word: str, vocabulary: Sequence[str], most: int) -> list[str]:
    if len(word) < SHORTEST_GUESS:
        return []
    close = process.extract(word, vocabulary, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=most)
    return [name for name, _, _ in close]


def _likeness(
    called: _Called, words: Sequence[str], meant: Mapping[str, frozenset[str]]
) -> Likeness | None:
    """Judge one item; ``None``: it is a pass, which no number names."""
    entry, all_said = called
    said = [word for word in words if word not in _FILLERS or word in entry.words]
    is_numbered = not said and not entry.amount
    if is_numbered and entry.is_good:
        return None
    is_named = bool(said) and "".join(said) in entry.names
    slips = sum(word not in entry.words for word in said)
    missing = 0 if is_named else sum(meant[word].isdisjoint(entry.words) for word in said)
    missing += is_numbered  # whatever it is that it has so many of
    points = 8 * all_said + 4 * is_named + 2 * entry.is_good + (not slips)
    return Likeness(
        entry=entry,
        is_whole=not missing,
        is_named=is_named,
        rank=-missing if missing else points,
    )


# --- reading a shelf ------------------------------------------------------------------------------


def read_items(game: Game, words: Words, arranged: Arranged) -> ItemNames:
    """Return what the items on a game's shelf are called."""
    reader = _Reader(game, words)
    by_numbers: dict[Tokens, list[_Called]] = {}
    by_word: dict[str, list[_Called]] = {}
    counted, known = [], set[str]()
    for item in arranged.items:
        entry, forms = reader.read(item)
        known |= entry.words
        if entry.amount:
            counted.append(entry)
        for numbers, all_said in forms.items():
            if numbers:
                by_numbers.setdefault(numbers, []).append((entry, all_said))
            else:
                for word in {*entry.words, *entry.names}:
                    by_word.setdefault(word, []).append((entry, all_said))
    return ItemNames(
        words=frozenset(known),
        units=sorted(reader.units),
        counted=sorted(counted, key=_amount),
        scales=reader.scales,
        by_numbers=by_numbers,
        by_word=by_word,
        vocabulary=sorted(known),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _CalledSo:
    """What the words of a name say. ``is_amount``: no more than what it is so many of."""

    words: frozenset[str]  # and the other names of the units among them
    names: frozenset[str]
    is_amount: bool


class _Reader:
    """Reads the names of one game's items."""

    def __init__(self, game: Game, words: Words) -> None:
        self.scales = {name.lower(): scale for name, scale in words.scales}
        self._units = {named.slug: _Said(named) for named in words.units}
        self._passes = {named.slug: _Said(named) for named in words.passes}
        self.units = frozenset(word for unit in self._units.values() for word in unit.words)
        ours = {word for name in names_of(game) for word in cut(name)}
        self._beside = ours | self.units | _BESIDE_AMOUNTS
        self._known: dict[Tokens, _CalledSo] = {}

    def read(self, item: Item) -> tuple[Entry, _Forms]:
        game, _, good = item.key.partition("/")
        slug, _, count = good.partition("/")
        if game == item.game and count.isdigit():
            if (unit := self._units.get(slug)) is not None:  # it may hold less than it is called
                return unit.entry(item, item.content), {(str(item.content),): True}
            if (found := self._passes.get(slug)) is not None:
                return found.entry(item), found.forms(count)
        return self._alone(item)

    def _alone(self, item: Item) -> tuple[Entry, _Forms]:
        """Read the name of an offer that stands for itself."""
        tokens = _scaled(cut(item.title), self.scales)
        numbers = [token for token in tokens if is_number(token)]
        called = self._called(tuple(token for token in tokens if not is_number(token)))
        amount = item.content
        if (
            not amount
            and numbers
            and (called.is_amount or (not self.units and tokens[0] in numbers))
        ):
            amount = int(numbers[0][:_LONGEST_NUMBER])
        forms: _Forms = {(str(amount),): bool(item.content)} if amount else {(): not numbers}
        if not amount:
            forms.update({(number,): False for number in numbers})
        forms[tuple(sorted(numbers))] = True
        entry = Entry(item=item, words=called.words, names=called.names, amount=amount)
        return entry, forms

    def _called(self, words: Tokens) -> _CalledSo:
        """Return what words say beside the numbers: offers differ in these mostly."""
        if words not in self._known:
            besides = (unit.words for unit in self._units.values() if unit.words & set(words))
            self._known[words] = _CalledSo(
                words=frozenset(words).union(*besides),
                names=frozenset({"".join(words)}),
                is_amount=bool(self.units) and self._beside.issuperset(words),
            )
        return self._known[words]


class _Said:
    """What a unit or a pass is called."""

    def __init__(self, named: Named) -> None:
        every = [cut(name) for name in (named.title, *named.names)]
        spelt = [[token for token in tokens if not is_number(token)] for tokens in every]
        self.words = frozenset(word for words in spelt for word in words)
        self._names = frozenset(name for words in spelt if (name := "".join(words)))
        self._numbers = [token for token in every[0] if is_number(token)]  # "Prime 1 Bulan"

    def entry(self, item: Item, amount: int = 0) -> Entry:
        return Entry(item=item, words=self.words, names=self._names, amount=amount, is_good=True)

    def forms(self, count: str) -> _Forms:
        """Return the numbers that name so many of a pass: one is meant where none is said."""
        alone = tuple(sorted(self._numbers))
        counted = tuple(sorted([*self._numbers, count]))
        if count != "1":
            return {(count,): not alone, counted: True}
        return {(): not alone, alone: True, counted: True}
