"""Games as a TOML file describes them: ours in ``games.toml``, and the owner's additions."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from shop.accounts import Unreadable, read_account
from shop.games import OF_A_FEW, Ask, Game, Server, canonical
from shop.text import visible

_SLUG: Final = re.compile(r"[a-z0-9-]{2,30}")
_SUPPLIER: Final = re.compile(r"[a-z0-9_]{2,30}")
_LANGUAGES: Final = ("id", "en")
_NEEDED: Final = ("title", "ask", "example", "where")
_NOT_INHERITED: Final[Mapping[str, Any]] = {"title": "", "aliases": (), "region": ""}
_BLANK: Final = Game(
    slug="", title="", aliases=(), ask=Ask.NUMBER, usual=(5, 15), example="", where={}
)


def read_games(text: str) -> tuple[Game, ...]:
    """Return the games described in a TOML text, in its order.

    Raises:
        ValueError: it is no TOML, or a game is not described properly. One line says what is
            wrong, of which game and key; of the file it shows names only.
    """
    return with_own((), text)


def with_own(ours: Sequence[Game], text: str) -> tuple[Game, ...]:
    """Return our games with the owner's additions: changed ones in their places, new ones last.

    A known slug changes just the keys that its entry names, and adds to names. Raises
    ``ValueError`` as ``read_games`` does.
    """
    games = {game.slug: game for game in ours}
    described: set[str] = set()
    for number, entry in enumerate(_entries(text), start=1):
        slug = entry.get("slug")
        if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
            wanted = "2 to 30 of a-z, 0-9 and -"
            raise ValueError(f"game {number} of the file: slug: is not {wanted}")
        if slug in described:
            raise ValueError(f"game {slug}: slug: is described twice")
        try:
            games[slug] = _changed(_base(games, slug, entry), entry)
            _check(games[slug])
        except ValueError as error:
            raise ValueError(f"game {slug}: {error}") from error
        described.add(slug)
    _check_names(games.values())
    return tuple(games.values())


def _entries(text: str) -> Sequence[Mapping[str, Any]]:
    try:
        file = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"no TOML: {visible(str(error))}") from error
    # What goods are called stands in the same file, and is read by ``shop.goods``.
    _only_known(file, ("game", "goods", "every-game"))
    entries = file.get("game", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("game: is written [[game]], once for each")
    return entries


def _only_known(table: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(table).difference(known))
    if unknown:
        raise ValueError(f"{_shown(unknown[0])}: is no key; there are {', '.join(known)}")


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) else ascii(name[:40])


# --- one game -------------------------------------------------------------------------------------


def _base(games: Mapping[str, Game], slug: str, entry: Mapping[str, Any]) -> Game:
    """Return the game that an entry changes: the known one, the one it is like, or a blank."""
    like = entry.get("like")
    if slug in games:
        if like is not None:
            raise ValueError("like: is for a new game, and this one is known")
        return games[slug]
    if like is None:
        missing = next((key for key in _NEEDED if key not in entry), "")
        if missing:
            raise ValueError(f"{missing}: is missing")
        usual = (3, 20) if entry["ask"] in (Ask.WORD, Ask.WORD_AND_REGION) else _BLANK.usual
        return replace(_BLANK, slug=slug, usual=usual)
    if not isinstance(like, str) or like not in games:
        raise ValueError("like: names no game that is described before it")
    if "title" not in entry:
        raise ValueError("title: is missing")
    return replace(games[like], slug=slug, **_NOT_INHERITED)


def _changed(game: Game, entry: Mapping[str, Any]) -> Game:
    _only_known(entry, ("slug", "like", *_READERS))
    changes: dict[str, Any] = {}
    for key, read in _READERS.items():
        if key in entry:
            try:
                changes[key] = read(game, entry[key])
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
    return replace(game, **changes)


def _title(_: Game, value: object) -> str:
    return _line(value, 40)


def _line(value: object, most: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is not a text")
    if value != visible(value, most):
        raise ValueError(f"is not plain text on one line, of at most {most} characters")
    return value


def _lines(value: object, most: int) -> tuple[str, ...]:
    match value:
        case list():
            return tuple(_line(each, most) for each in value)
        case _:
            raise ValueError('is not a list of texts, as in ["one", "two"]')


def _aliases(game: Game, value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*game.aliases, *_lines(value, 60))))


def _ask(_: Game, value: object) -> Ask:
    if value not in list(Ask):
        raise ValueError(f"is none of {', '.join(Ask)}")
    return Ask(str(value))


def _lengths(most: int) -> Callable[[Game, object], tuple[int, int]]:
    def read(_: Game, value: object) -> tuple[int, int]:
        match value:
            case [int() as low, int() as high] if 1 <= low <= high <= most:
                return low, high
            case _:
                raise ValueError(f"is not two lengths from 1 to {most}, as in [5, {most}]")

    return read


def _example(_: Game, value: object) -> str:
    return _line(value, 60)


def _where(game: Game, value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not value:
        raise ValueError("is not where.id and where.en")
    _only_known(value, _LANGUAGES)
    said = {language: _line(text, 300) for language, text in value.items()}
    either = next(iter(said.values()))
    return dict.fromkeys(_LANGUAGES, either) | dict(game.where) | said


def _after_prefix(_: Game, value: object) -> int:
    if type(value) is not int or not 0 <= value <= 25:
        raise ValueError("is not a number of digits from 0 to 25")
    return value


def _region(_: Game, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{0,8}", value):
        raise ValueError('is not a region in capitals, as in "ID" or "GLOBAL"')
    return value


def _by_supplier(before: Mapping[str, str], value: object) -> Mapping[str, str]:
    match value:
        case dict():
            wrong = next((name for name in value if not _SUPPLIER.fullmatch(name)), None)
            if wrong is not None:
                raise ValueError(f"{_shown(wrong)} is no supplier")
            return {**before, **{supplier: _line(text, 80) for supplier, text in value.items()}}
        case _:
            raise ValueError("is not a text for each supplier, as in senpay = ...")


def _targets(game: Game, value: object) -> Mapping[str, str]:
    return _by_supplier(game.targets, value)


# --- its servers ----------------------------------------------------------------------------------


def _servers(game: Game, value: object) -> tuple[Server, ...]:
    """Return the servers with those of a list: known ones changed by their codes, new ones last."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError('is not a list of servers, as in [{ code = "1", title = "Asia" }]')
    servers = {server.code: server for server in game.servers}
    for entry in value:
        _only_known(entry, ("code", "title", "prefixes", "names", "codes"))
        code = _line(entry.get("code"), 40)
        servers[code] = _server(servers.get(code), code, entry)
    return tuple(servers.values())


def _server(known: Server | None, code: str, entry: Mapping[str, Any]) -> Server:
    before = known or Server(code=code, title=_line(entry.get("title"), 40))
    prefixes = _lines(entry.get("prefixes", list(before.prefixes)), 10)
    if not all(re.fullmatch(r"[0-9]+", prefix) for prefix in prefixes):
        raise ValueError("prefixes are not texts of digits")
    return replace(
        before,
        title=_line(entry.get("title", before.title), 40),
        prefixes=prefixes,
        names=tuple(dict.fromkeys((*before.names, *_lines(entry.get("names", []), 60)))),
        codes=_by_supplier(before.codes, entry.get("codes", {})),
    )


_READERS: Final[Mapping[str, Callable[[Game, object], Any]]] = {
    "title": _title,
    "aliases": _aliases,
    "ask": _ask,
    "usual": _lengths(25),
    "usual_server": _lengths(10),
    "example": _example,
    "where": _where,
    "servers": _servers,
    "after_prefix": _after_prefix,
    "region": _region,
    "targets": _targets,
}


# --- what must hold of a game, and of all of them -------------------------------------------------


def _check(game: Game) -> None:
    if bool(game.servers) is not (game.ask in OF_A_FEW):
        needed = "needed" if game.ask in OF_A_FEW else "not asked for"
        raise ValueError(f"servers: are {needed} where ask is {game.ask}")
    _check_servers(game.servers)
    match read_account(game, game.example):
        case Unreadable():
            raise ValueError("example: is not an account as this game asks for it")
        case _:
            pass
    for supplier, target in game.targets.items():
        _check_target(f"targets.{supplier}", target, has_server=game.has_server)


def _check_target(key: str, target: str, *, has_server: bool) -> None:
    """Check that a format has each field once and no other braces, so it cannot fail."""
    fields = ("{user_id}", "{server_id}") if has_server else ("{user_id}",)
    rest = re.sub("|".join(map(re.escape, fields)), "", target)
    if any(target.count(each) != 1 for each in fields) or "{" in rest or "}" in rest:
        raise ValueError(f"{key}: does not have {' and '.join(fields)} in it exactly once")


def _check_servers(servers: Sequence[Server]) -> None:
    owners: dict[str, str] = {}
    for server in servers:
        for name in {canonical(name) or name for name in server.called}:
            if owners.setdefault(name, server.code) != server.code:
                raise ValueError(f"servers: {_shown(name)} names two of them")
        for prefix in server.prefixes:
            if owners.setdefault(f"{prefix}…", server.code) != server.code:
                raise ValueError(f"servers: IDs that begin with {prefix} live on two of them")


def _check_names(games: Iterable[Game]) -> None:
    """Check that no name means two games: a category would be sold as the wrong one."""
    owners: dict[str, str] = {}
    for game in games:
        for alias in (game.title, *game.aliases):
            name = canonical(alias)
            if not name:
                wrong = f"{alias!a} has no letter of a-z and no digit in it"
                raise ValueError(f"game {game.slug}: aliases: {wrong}")
            other = owners.setdefault(name, game.slug)
            if other != game.slug:
                wrong = f"{name!r} is a name of {other}, too"
                raise ValueError(f"game {game.slug}: aliases: {wrong}")
