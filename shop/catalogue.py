"""The curated games, and what each asks of the customer."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zlib import crc32

from shop.suppliers import FormField
from shop.text import plain, visible

_LABELS = re.compile(
    r"\b(?:user\s*id|id\s*akun|player\s*id|game\s*id|uid|id|server|zone|zona|srv)\b\s*[:=]?",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[\s()\[\]/|,.:;#-]+")
# What suppliers add to a game's name to tell their routes apart: "[PROMO TERMURAH]", "V3", "Q2".
_ROUTE = re.compile(r"\[[^\]]*\]|\b[VQ][0-9]{1,2}\b", re.IGNORECASE)
_RIOT_ID = re.compile(r"[^#]{3,16}#[A-Za-z0-9]{3,5}")
_LONGEST_ID = 25


class Ask(StrEnum):
    """The form an account is written in."""

    NUMBER = "number"
    NUMBER_AND_SERVER = "number_and_server"  # the server is a number the customer types
    NUMBER_AND_REGION = "number_and_region"  # the server is one of a few
    RIOT_ID = "riot_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One of a game's few servers. ``prefixes``: beginnings of the user IDs that live there."""

    code: str
    title: str
    prefixes: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """What a button carries for it: a supplier's own name of it may be too long."""
        return f"#{crc32(self.code.encode()):08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """A game as customers know it."""

    slug: str
    title: str
    aliases: tuple[str, ...]
    ask: Ask
    usual: tuple[int, int]  # lengths of a user ID that need no second look
    usual_server: tuple[int, int] = (1, 6)
    example: str
    where: Mapping[str, str]  # language -> where the ID is found
    servers: tuple[Server, ...] = ()

    @property
    def has_server(self) -> bool:
        return self.ask in {Ask.NUMBER_AND_SERVER, Ask.NUMBER_AND_REGION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as read. ``server`` is empty where it is not known yet, or not needed."""

    user_id: str
    server: str = ""
    odd: bool = False  # an unusual length: worth asking once more


class Unreadable(StrEnum):
    """Why a text is no account of this game."""

    EMPTY = "empty"
    LETTERS = "letters"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"  # more numbers than the game has fields
    RUN_TOGETHER = "run_together"  # ID and server without a gap between them
    RIOT_ID = "riot_id"
    NO_SUCH_SERVER = "no_such_server"


def read_games(text: str) -> tuple[Game, ...]:
    """Return the games described in a TOML text, in its order. Raises ``ValueError``."""
    return tuple(_game(entry) for entry in tomllib.loads(text).get("game", ()))


def _game(entry: Mapping[str, Any]) -> Game:
    try:
        return Game(
            slug=entry["slug"],
            title=entry["title"],
            aliases=tuple(entry["aliases"]),
            ask=Ask(entry["ask"]),
            usual=(entry["usual"][0], entry["usual"][1]),
            usual_server=tuple(entry.get("usual_server", (1, 6))),
            example=entry["example"],
            where=dict(entry["where"]),
            servers=tuple(
                Server(code=s["code"], title=s["title"], prefixes=tuple(s.get("prefixes", ())))
                for s in entry.get("servers", ())
            ),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"game {entry.get('slug', '?')}: {error}") from error


def canonical(text: str) -> str:
    """Return a name as names are compared: lower case, letters and digits only."""
    return " ".join(re.findall(r"[a-z0-9]+", plain(text).lower()))


def meant(text: str, names: Iterable[tuple[str, str]]) -> str:
    """Return what is called so, of (name, what it names); empty if nothing is, or several are.

    Names in letters that ``canonical`` knows nothing of are told apart as they are written.
    """
    known, wanted = list(names), canonical(text)
    exact = {what for name, what in known if plain(name) == plain(text)}
    alike = {what for name, what in known if wanted and canonical(name) == wanted}
    found = exact or alike
    return found.pop() if len(found) == 1 else ""


def game_of(category: str, games: Sequence[Game]) -> Game | None:
    """Return the game a supplier's category names, exactly; ``None`` if nobody described it.

    What suppliers add for their own routes is left out; a region is not: it is another game.
    """
    wanted = canonical(_ROUTE.sub(" ", category))
    return next((game for game in games if wanted in names_of(game)), None)


def as_asked(game: Game, form: Sequence[FormField]) -> Game | None:
    """Return the game as a supplier's form asks for it; ``None``: field by field, as it stands.

    A form of one typed field asks for the ID alone; a second one is the server, typed or chosen.
    """
    if game.ask is Ask.RIOT_ID and len(form) > 1:  # one name, that no server belongs to
        return None
    match [bool(field.options) for field in form]:
        case []:
            return game
        case [False]:
            ask = game.ask if game.ask is Ask.RIOT_ID else Ask.NUMBER
            return replace(game, ask=ask, servers=())
        case [False, False]:
            return game if game.has_server else replace(game, ask=Ask.NUMBER_AND_SERVER)
        case [False, True]:
            servers = tuple(_server_from(game, option.name) for option in form[1].options)
            return replace(game, ask=Ask.NUMBER_AND_REGION, servers=servers)
        case _:
            return None


def _server_from(game: Game, name: str) -> Server:
    """Return a form's server: called as people read it, with what is known of its IDs."""
    wanted = canonical(name)
    known = (s for s in game.servers if wanted in {canonical(s.title), canonical(s.code)})
    prefixes = next((server.prefixes for server in known), ())
    return Server(code=name, title=name, prefixes=prefixes)


def fitting_server(asked: Game, game: Game, server: str) -> str:
    """Return what ``asked`` calls a server that ``game`` or a person calls ``server``.

    Empty if it asks for none, or has none of that name.
    """
    if not asked.has_server or not server:
        return ""
    if not asked.servers:
        return server
    names = [server, *(s.title for s in game.servers if s.code == server)]
    found = (read_server(asked, name) for name in names)
    return next((each for each in found if not isinstance(each, Unreadable)), "")


def is_user_id(game: Game, text: str) -> bool:
    """Tell whether ``text`` can be a user ID of ``game``, as it is stored."""
    if game.ask is Ask.RIOT_ID:
        return _RIOT_ID.fullmatch(text) is not None
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID


def names_of(game: Game) -> Sequence[str]:
    """Return everything a game is called, as names are compared."""
    return [_known(name) for name in (game.title, *game.aliases)]


@lru_cache(maxsize=1024)
def _known(name: str) -> str:
    # A price list of thousands of rows is compared with every name: each is read once.
    return canonical(name)


def read_account(game: Game, text: str) -> Account | Unreadable:
    """Understand a typed account: ``12345678 (2001)``, ``ID: 12345678 server 2001``.

    Leading zeros are kept; nothing is invented: a server that was not typed stays empty.
    """
    if game.ask is Ask.RIOT_ID:
        return _read_riot_id(text)
    parts = [part for part in _SEPARATORS.split(_LABELS.sub(" ", plain(text))) if part]
    numbers = [part for part in parts if part.isascii() and part.isdigit()]
    words = " ".join(part for part in parts if part not in numbers)
    if not parts:
        return Unreadable.EMPTY
    server = read_server(game, words) if words and game.servers else ""
    if isinstance(server, Unreadable) or not numbers or (words and not server):
        return Unreadable.LETTERS
    account = _check_numbers(game, numbers)
    return replace(account, server=server) if server and isinstance(account, Account) else account


def _read_riot_id(text: str) -> Account | Unreadable:
    """Read ``Name#Tag``; the name is kept as written, in any script: it tells people apart."""
    text = unicodedata.normalize("NFC", text).replace("\uff03", "#")  # the full-width one
    name, _, tag = visible(text).partition("#")
    riot_id = f"{name.strip()}#{plain(tag)}"
    return Account(user_id=riot_id) if _RIOT_ID.fullmatch(riot_id) else Unreadable.RIOT_ID


def _check_numbers(game: Game, numbers: Sequence[str]) -> Account | Unreadable:
    user_id, *rest = numbers
    typed_server = game.ask is Ask.NUMBER_AND_SERVER
    if len(rest) > int(typed_server):
        return Unreadable.TOO_MANY
    if typed_server and not rest and 13 <= len(user_id) <= 16:
        return Unreadable.RUN_TOGETHER
    if len(user_id) > _LONGEST_ID or (rest and len(rest[0]) > 10):
        return Unreadable.TOO_LONG
    server = rest[0] if rest else _server_of(game, user_id)
    return Account(user_id=user_id, server=server, odd=_is_odd(game, user_id, server))


def _server_of(game: Game, user_id: str) -> str:
    """Derive the server from the ID's beginning, where the game has such a rule."""
    found = [s.code for s in game.servers if user_id.startswith(s.prefixes or ("\0",))]
    return found[0] if len(found) == 1 else ""


def _is_odd(game: Game, user_id: str, server: str) -> bool:
    low, high = game.usual
    if not low <= len(user_id) <= high:
        return True
    low, high = game.usual_server
    return game.ask is Ask.NUMBER_AND_SERVER and bool(server) and not low <= len(server) <= high


def read_server(game: Game, text: str) -> str | Unreadable:
    """Understand a typed or chosen server of ``game``."""
    text = plain(text)
    if game.ask is Ask.NUMBER_AND_REGION:
        names = ((name, s.code) for s in game.servers for name in (s.title, s.code, s.mark))
        return meant(text, names) or Unreadable.NO_SUCH_SERVER
    numbers = [part for part in _SEPARATORS.split(_LABELS.sub(" ", text)) if part]
    if len(numbers) != 1 or not (numbers[0].isascii() and numbers[0].isdigit()):
        return Unreadable.LETTERS if numbers else Unreadable.EMPTY
    return numbers[0] if len(numbers[0]) <= 10 else Unreadable.TOO_LONG
