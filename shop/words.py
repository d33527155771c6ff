"""What goods are called: the words of each game, and the file that the owner may add to."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shop.text import plain, visible

EVERY_GAME = "every-game"  # the table of the words that hold for all games
BETWEEN_NUMBERS = frozenset({"bonus", "+", "x", "×"})  # noqa: RUF001 no good can be called so

_LONGEST_NAME = 40
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*|[A-Z]+")  # a region's is in capitals
# Numbers, words, and signs; brackets and punctuation add nothing to the order of the numbers.
_QUIET = r"""\s()\[\]{}:;|/\\.,!*"'\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u00b7-"""
TOKENS = re.compile(rf"[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+|[^\w{_QUIET}]")


class Kind(StrEnum):
    """What sort of good it is."""

    AMOUNT = "amount"  # of a unit that is counted: diamonds, UC, VP
    PASS = "pass"  # noqa: S105 a membership or voucher too: known by its exact name only


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A unit or a pass of a game, or a region, and what suppliers and customers call it."""

    slug: str
    title: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a game's goods are named."""

    units: tuple[Named, ...] = ()
    passes: tuple[Named, ...] = ()
    scales: tuple[tuple[str, int], ...] = ()  # ("juta", 1_000_000), where the game counts so
    ignored: tuple[str, ...] = ()  # says nothing about the good: "proses cepat"
    another: tuple[str, ...] = ()  # makes it another thing: "joki", "voucher"
    regions: tuple[Named, ...] = ()  # slugs as in ``Game.region``

    def __hash__(self) -> int:
        # Part of a key that is looked up for every row of a list, beside the game's slug.
        return hash((len(self.passes), len(self.ignored)))

    @property
    def goods(self) -> tuple[tuple[Kind, Named], ...]:
        units = tuple((Kind.AMOUNT, unit) for unit in self.units)
        return (*units, *((Kind.PASS, each) for each in self.passes))


NO_WORDS = Words()


def read_words(text: str) -> Mapping[str, Words]:
    """Return each described game's words by its slug, and by ``EVERY_GAME`` what all share.

    Raises ``ValueError``, which names what is wrong, and where.
    """
    return extend_words({}, text)


def extend_words(ours: Mapping[str, Words], text: str) -> Mapping[str, Words]:
    """Return ``ours`` with what ``text`` describes besides: more names, units, passes, games.

    Of a unit or pass that is known, the names are added, and its title may be changed. A game may
    be ``like`` one of ours, or one above it. Raises ``ValueError``, as ``read_words`` does.
    """
    try:
        described = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    shared = _words(EVERY_GAME, _table(EVERY_GAME, described.get(EVERY_GAME, {})))
    found = {slug: _joined(words, shared) for slug, words in ours.items()}
    found.setdefault(EVERY_GAME, shared)
    for slug, given in _table("goods", described.get("goods", {})).items():
        entry = dict(_table(f"goods.{slug}", given))
        lent = _lent(f"goods.{slug}", entry.pop("like", slug), {slug: NO_WORDS, **found})
        known = _joined(found.get(slug, found[EVERY_GAME]), lent)
        found[slug] = _joined(known, _words(f"goods.{slug}", entry))
    for slug, words in found.items():
        _check(slug, words)
    return found


def _lent(where: str, like: object, known: Mapping[str, Words]) -> Words:
    """Return what a game takes of the one it is like; what is said around goods stays behind."""
    words = known.get(like) if isinstance(like, str) else None
    if words is None:
        raise ValueError(f"{where}: nothing above it is called {like!r}")
    return Words(units=words.units, passes=words.passes, scales=words.scales)


def _joined(known: Words, more: Words) -> Words:
    return Words(
        units=_together(known.units, more.units),
        passes=_together(known.passes, more.passes),
        regions=_together(known.regions, more.regions),
        scales=tuple({**dict(known.scales), **dict(more.scales)}.items()),
        ignored=tuple(dict.fromkeys(known.ignored + more.ignored)),
        another=tuple(dict.fromkeys(known.another + more.another)),
    )


def _together(known: Sequence[Named], more: Sequence[Named]) -> tuple[Named, ...]:
    found = {each.slug: each for each in known}
    for new in more:
        old = found.get(new.slug, new)
        title = new.title or old.title
        names = dict.fromkeys((*old.names, *new.names, *({old.title} - {title, ""})))
        found[new.slug] = Named(slug=new.slug, title=title, names=tuple(names))
    return tuple(found.values())


def _words(where: str, entry: Mapping[str, Any]) -> Words:
    parts: dict[str, Any] = {
        part: tuple(_named(f"{where}.{part}", each) for each in _list(where, entry.get(part, [])))
        for part in ("units", "passes", "regions")
    }
    parts |= {part: _texts(where, entry.get(part, [])) for part in ("ignored", "another")}
    scales = _table(f"{where}.scales", entry.get("scales", {}))
    if strange := sorted(set(entry) - {*parts, "scales"}):
        raise ValueError(f"{where}: nobody knows what {', '.join(strange)} means")
    if not all(type(scale) is int and scale > 1 for scale in scales.values()):
        raise ValueError(f"{where}.scales: {scales} are not all whole numbers over 1")
    return Words(**parts, scales=tuple(scales.items()))


def _named(where: str, given: object) -> Named:
    entry = {"title": "", "names": [], **_table(where, given)}
    slug, title = _texts(where, [entry.get("slug"), entry["title"]])
    if len(entry) > 3 or not _SLUG.fullmatch(slug):
        raise ValueError(f"{where}: {given} has other parts than a slug, a title and names")
    return Named(slug=slug, title=title, names=_texts(f"{where}.{slug}", entry["names"]))


def _table(where: str, given: object) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"{where} is not a table")  # noqa: TRY004 it is the owner's, not ours
    return given


def _list(where: str, given: object) -> Sequence[Any]:
    if not isinstance(given, list):
        raise ValueError(f"{where}: {given!r} is not a list")  # noqa: TRY004 as above
    return given


def _texts(where: str, given: object) -> tuple[str, ...]:
    texts = tuple(_list(where, given))
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{where}: {given!r} are not all texts")
    return texts


def _check(slug: str, words: Words) -> None:
    slugs = [named.slug for _, named in words.goods]
    meant: dict[tuple[str, ...], str] = {}
    for _, named in words.goods:
        for name in (named.title, *named.names):
            tokens = tuple(tokens_of(name))
            legible = tokens and visible(name, _LONGEST_NAME) == name
            if not legible or tokens[0] in BETWEEN_NUMBERS or tokens[0][0].isdigit():
                raise ValueError(f"goods.{slug}: {named.slug} cannot be called {name!r}")
            if meant.setdefault(tokens, named.slug) != named.slug or slugs.count(named.slug) > 1:
                raise ValueError(f"goods.{slug}: {name!r} would mean two goods")


def tokens_of(name: str) -> list[str]:
    """Cut a name into its numbers, words and signs, in small letters."""
    return TOKENS.findall((name if name.isascii() else plain(name)).lower())
