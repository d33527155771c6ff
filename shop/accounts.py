"""Accounts as people type them, read by what their game asks. Nothing is invented or left out."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shop.games import OF_A_FEW, Ask, Game, meant
from shop.text import plain, visible

LONGEST_ID = 25
_LONGEST_SERVER = 10
_MOST_CANDIDATES = 8  # no name of a server has so many words: a long text is not read all over
_RUN_TOGETHER = range(13, 17)  # digits of an ID with its server, and of no ID alone
_RIOT_ID = re.compile(r"[^#]{3,16}#[A-Za-z0-9]{3,5}")
_SERVER_LABEL = r"(?:server|zone|zona|srv|region|wilayah)(?:\s*id)?"
_ID_LABEL = (
    r"(?:user|player|game|open|zepetto|zepeto)\s*id|id\s*(?:akun|user|player|game)|uid|id|akun"
)
_LABEL = rf"({_SERVER_LABEL}|{_ID_LABEL})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as read. ``server`` is empty where it is not known yet, or not needed."""

    user_id: str
    server: str = ""
    odd: bool = False  # an unusual length or shape: worth asking once more


class Unreadable(StrEnum):
    """Why a text is no account of this game."""

    EMPTY = "empty"
    LETTERS = "letters"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"  # more numbers than the game has fields
    RUN_TOGETHER = "run_together"  # ID and server without a gap between them
    UNCLEAR = "unclear"  # which is the ID, and which the server?
    RIOT_ID = "riot_id"
    WORD = "word"  # not one word of letters, digits, dots and dashes
    NO_SUCH_SERVER = "no_such_server"
    OTHER_SERVER = "other_server"  # the ID belongs to another server than the one named


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How IDs of one kind look, and what parts them from what stands around them."""

    id: re.Pattern[str]
    label: re.Pattern[str]
    separators: re.Pattern[str]


_NUMBER = _Shape(
    id=re.compile(r"[0-9]+"),
    label=re.compile(rf"(?<![^\W\d]){_LABEL}(?![^\W\d])\s*[:=]?", re.IGNORECASE),
    separators=re.compile(r"[\s()\[\]/|,.:;#-]+"),
)
_WORD = _Shape(
    id=re.compile(r"[A-Za-z0-9._-]+"),
    label=re.compile(rf"(?<![\w.-]){_LABEL}(?![\w.-])\s*[:=]?", re.IGNORECASE),
    separators=re.compile(r"[\s()\[\]/|,:;#]+"),
)
_SHAPES: Mapping[Ask, _Shape] = {
    Ask.NUMBER: _NUMBER,
    Ask.NUMBER_AND_SERVER: _NUMBER,
    Ask.NUMBER_AND_REGION: _NUMBER,
    Ask.WORD: _WORD,
    Ask.WORD_AND_REGION: _WORD,
}


class _Label(StrEnum):
    """What a word beside a number says of it."""

    ID = "id"
    SERVER = "server"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A piece of a typed text. ``label``: it only says what stands beside it."""

    text: str
    label: _Label | None = None


def _parts(shape: _Shape, text: str) -> list[_Part]:
    return list(_in_order(shape, plain(text)))


def _in_order(shape: _Shape, text: str) -> Iterator[_Part]:
    for place, piece in enumerate(shape.label.split(text)):  # every second piece is a label
        if place % 2:
            of_server = re.match(_SERVER_LABEL, piece, re.IGNORECASE)
            yield _Part(text=piece, label=_Label.SERVER if of_server else _Label.ID)
        else:
            yield from (_Part(text=part) for part in shape.separators.split(piece) if part)


def is_user_id(game: Game, text: str) -> bool:
    """Tell whether ``text`` can be a user ID of ``game``, as it is stored."""
    if game.ask is Ask.RIOT_ID:
        return _RIOT_ID.fullmatch(text) is not None
    return len(text) <= LONGEST_ID and _SHAPES[game.ask].id.fullmatch(text) is not None


def read_account(game: Game, text: str) -> Account | Unreadable:
    """Understand a typed account: ``12345678 (2001)``, ``ID: 12345678 server 2001``.

    Leading zeros are kept; nothing is invented: a server that was not typed, and does not follow
    from the ID, stays empty.
    """
    if game.ask is Ask.RIOT_ID:
        return _read_riot_id(text)
    shape = _SHAPES[game.ask]
    parts = _parts(shape, text)
    if shape is _WORD and shape.id.fullmatch(plain(text)):
        parts = [_Part(text=plain(text))]  # a word that is a label elsewhere is a name here
    if game.ask is Ask.NUMBER_AND_SERVER:
        return _with_typed_server(game, parts)
    return _with_named_server(game, shape, parts)


def _read_riot_id(text: str) -> Account | Unreadable:
    """Read ``Name#Tag``; the name is kept as written, in any script: it tells people apart."""
    text = unicodedata.normalize("NFC", text).replace("\uff03", "#")  # the full-width one
    name, _, tag = visible(text).partition("#")
    riot_id = f"{name.strip()}#{plain(tag)}"
    return Account(user_id=riot_id) if _RIOT_ID.fullmatch(riot_id) else Unreadable.RIOT_ID


# --- the ID, and where the game has a few servers the name of one ---------------------------------


def _with_named_server(game: Game, shape: _Shape, parts: Sequence[_Part]) -> Account | Unreadable:
    """Find the one part that can be the ID, so that the others name a server of the game."""
    candidates = [
        place
        for place, part in enumerate(parts)
        if part.label is None and shape.id.fullmatch(part.text)
    ]
    found = [
        (parts[place].text, server)
        for place in candidates[:_MOST_CANDIDATES]
        if (server := _server_named(game, [*parts[:place], *parts[place + 1 :]])) is not None
    ]
    match found:
        case [(user_id, server)]:
            return _checked(game, user_id, server)
        case []:
            return _why_not(shape, parts, len(candidates))
        case _:
            return Unreadable.UNCLEAR


def _server_named(game: Game, parts: Sequence[_Part]) -> str | None:
    """Return the server that parts name, empty if they name none; ``None``: they say more."""
    words = [part.text for part in parts if part.label is None]
    if not words:
        return ""
    if not game.servers:
        return None
    # "Server 1" may be a server's name, or the server 1.
    unlike_ids = [part.text for part in parts if part.label is not _Label.ID]
    return _of_a_few(game, " ".join(unlike_ids)) or _of_a_few(game, " ".join(words)) or None


def _why_not(shape: _Shape, parts: Sequence[_Part], candidates: int) -> Unreadable:
    if shape is _WORD:
        return Unreadable.WORD
    if all(part.label for part in parts):
        return Unreadable.EMPTY
    return Unreadable.TOO_MANY if candidates > 1 else Unreadable.LETTERS


def _checked(game: Game, user_id: str, server: str) -> Account | Unreadable:
    if len(user_id) > LONGEST_ID:
        return Unreadable.TOO_LONG
    own = _server_of(game, user_id)
    if own and server and own != server:
        return Unreadable.OTHER_SERVER
    return Account(user_id=user_id, server=server or own, odd=_is_odd(game, user_id))


def _server_of(game: Game, user_id: str) -> str:
    """Derive the server from the ID's beginning, where the game has such a rule."""
    found = {
        server.code
        for server in game.servers
        for prefix in server.prefixes
        if user_id.startswith(prefix) and game.after_prefix in {0, len(user_id) - len(prefix)}
    }
    return found.pop() if len(found) == 1 else ""


def _is_odd(game: Game, user_id: str) -> bool:
    low, high = game.usual
    stray = user_id.strip("._-") != user_id  # the end of a sentence, more likely than of an ID
    return stray or not low <= len(user_id) <= high


# --- the ID and the number of a server ------------------------------------------------------------


def _with_typed_server(game: Game, parts: Sequence[_Part]) -> Account | Unreadable:
    spoken = [part.text for part in parts if part.label is None]
    if not spoken:
        return Unreadable.EMPTY
    if not all(_NUMBER.id.fullmatch(part) for part in spoken):
        return Unreadable.LETTERS
    labels = _what_labels_say(parts)
    match spoken:
        case [user_id]:
            return _one_number(game, user_id, labels[0])
        case [first, second]:
            return _two_numbers(game, first, second, labels)
        case _:
            return Unreadable.TOO_MANY


def _what_labels_say(parts: Sequence[_Part]) -> tuple[_Label | None, ...]:
    """Return for each number which field the labels before it name, or after it if none is before.

    ``ID Server 12345678 2001`` names both in order, before the numbers: the numbers follow suit.
    """
    groups: list[list[_Label]] = [[]]
    for part in parts:
        if part.label is None:
            groups.append([])
        else:
            groups[-1].append(part.label)
    after = groups.pop()
    if after and not groups[0]:
        groups = [*groups[1:], after]
    if groups[0] == [_Label.ID, _Label.SERVER] and len(groups) == 2 and not groups[1]:
        groups[0] = []
    return tuple(_named_by(group) for group in groups)


def _named_by(labels: Sequence[_Label]) -> _Label | None:
    if not labels:
        return None
    return labels[0] if len(set(labels)) == 1 else _Label.BOTH


def _one_number(game: Game, user_id: str, label: _Label | None) -> Account | Unreadable:
    if label is _Label.SERVER:
        return Unreadable.EMPTY
    if label is _Label.BOTH:
        return Unreadable.UNCLEAR
    return Unreadable.RUN_TOGETHER if len(user_id) in _RUN_TOGETHER else _checked(game, user_id, "")


def _two_numbers(
    game: Game, first: str, second: str, labels: tuple[_Label | None, ...]
) -> Account | Unreadable:
    match labels:
        case (None | _Label.ID, None | _Label.SERVER):
            user_id, server = first, second
        case (_Label.SERVER, None | _Label.ID):
            user_id, server = second, first
        case _:
            return Unreadable.UNCLEAR
    if len(user_id) > LONGEST_ID or len(server) > _LONGEST_SERVER:
        return Unreadable.TOO_LONG
    low, high = game.usual_server
    odd = _is_odd(game, user_id) or not low <= len(server) <= high
    return Account(user_id=user_id, server=server, odd=odd)


# --- the server alone -----------------------------------------------------------------------------


def read_server(game: Game, text: str) -> str | Unreadable:
    """Understand a typed or chosen server of ``game``."""
    if game.ask in OF_A_FEW:
        unlabelled = " ".join(p.text for p in _parts(_NUMBER, text) if p.label is None)
        return _of_a_few(game, text) or _of_a_few(game, unlabelled) or Unreadable.NO_SUCH_SERVER
    parts = _parts(_NUMBER, text)
    numbers = [part.text for part in parts if part.label is None]
    if len(numbers) != 1 or not _NUMBER.id.fullmatch(numbers[0]):
        return Unreadable.LETTERS if numbers else Unreadable.EMPTY
    if _what_labels_say(parts) == (_Label.ID,):
        return Unreadable.UNCLEAR
    return numbers[0] if len(numbers[0]) <= _LONGEST_SERVER else Unreadable.TOO_LONG


def _of_a_few(game: Game, text: str) -> str:
    return meant(text, ((name, s.code) for s in game.servers for name in (*s.called, s.mark)))
