"""The curated games: which one a category names, and how suppliers' forms ask for its accounts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from zlib import crc32

from shop.accounts import Account, Unreadable, is_user_id, read_account, read_server
from shop.games import Ask, Game, Server, canonical, meant
from shop.games_file import read_games, with_own
from shop.suppliers import FormField, FormOption

__all__ = [
    "Account",
    "Ask",
    "Game",
    "Server",
    "Unreadable",
    "as_asked",
    "canonical",
    "fits",
    "fitting_server",
    "game_of",
    "is_undescribed",
    "is_user_id",
    "meant",
    "names_of",
    "option_for",
    "read_account",
    "read_games",
    "read_server",
    "server_code",
    "server_title",
    "slug_of_undescribed",
    "target_format",
    "undescribed",
    "with_own",
]

# What suppliers add to a game's name to tell their routes apart: "[PROMO TERMURAH]", "V3", "Q2".
# What else stands in brackets may be a region.
_ROUTE = re.compile(r"\[PROMO TERMURAH\]|\b(?:[VQ][0-9]{1,2}|PROMO)\b", re.IGNORECASE)


# --- names ----------------------------------------------------------------------------------------


def game_of(category: str, games: Sequence[Game]) -> Game | None:
    """Return the game a supplier's category names, exactly; ``None`` if nobody described it.

    What suppliers add for their own routes is left out; a region is not: it is another game.
    """
    wanted = canonical(_ROUTE.sub(" ", category))
    return next((game for game in games if wanted and wanted in names_of(game)), None)


def names_of(game: Game) -> Sequence[str]:
    """Return everything a game is called, as names are compared."""
    return [_known(name) for name in (game.title, *game.aliases)]


@lru_cache(maxsize=4096)
def _known(name: str) -> str:
    # A price list of thousands of rows is compared with every name: each is read once.
    return canonical(name)


# --- suppliers' forms -----------------------------------------------------------------------------

# What a game's form becomes where a supplier asks for the ID alone, for a typed text beside it, and
# for one of a few beside it. What is not here has no such form: no server belongs to a Riot ID.
_ALONE: Mapping[Ask, Ask] = {
    Ask.NUMBER: Ask.NUMBER,
    Ask.NUMBER_AND_SERVER: Ask.NUMBER,
    Ask.NUMBER_AND_REGION: Ask.NUMBER,
    Ask.WORD: Ask.WORD,
    Ask.WORD_AND_REGION: Ask.WORD,
    Ask.RIOT_ID: Ask.RIOT_ID,
}
_WITH_A_TEXT: Mapping[Ask, Ask] = {
    Ask.NUMBER: Ask.NUMBER_AND_SERVER,
    Ask.NUMBER_AND_SERVER: Ask.NUMBER_AND_SERVER,
    Ask.NUMBER_AND_REGION: Ask.NUMBER_AND_REGION,
    Ask.WORD_AND_REGION: Ask.WORD_AND_REGION,
}
_WITH_A_CHOICE: Mapping[Ask, Ask] = {
    Ask.NUMBER: Ask.NUMBER_AND_REGION,
    Ask.NUMBER_AND_SERVER: Ask.NUMBER_AND_REGION,
    Ask.NUMBER_AND_REGION: Ask.NUMBER_AND_REGION,
    Ask.WORD: Ask.WORD_AND_REGION,
    Ask.WORD_AND_REGION: Ask.WORD_AND_REGION,
}


def fits(game: Game, supplier: str, form: Sequence[FormField]) -> bool:
    """Tell whether a supplier's form asks just what the game asks, so that one answer does for all.

    An empty form asks what the game asks.
    """
    match [bool(field.options) for field in form]:
        case []:
            return True
        case [False]:
            return not game.has_server
        case [False, False] if game.servers:
            return all(supplier in server.codes for server in game.servers)
        case [False, False]:
            return game.ask is Ask.NUMBER_AND_SERVER
        case [False, True]:
            return _has_every_server(game, supplier, form[1].options)
        case _:
            return False


def _has_every_server(game: Game, supplier: str, options: Sequence[FormOption]) -> bool:
    found = [option_for(game, supplier, server.code, options) for server in game.servers]
    return bool(found) and None not in found and len(set(found)) == len(found)


def option_for(
    game: Game, supplier: str, server: str, options: Sequence[FormOption]
) -> FormOption | None:
    """Return the one option of a supplier's form that is a server of the game, given by its code.

    The supplier's own code counts most; then its names, ours, and other suppliers' codes.
    """
    known = next((each for each in game.servers if each.code == server), None)
    if known is None:
        return None
    own = known.codes.get(supplier, "")
    if by_code := [option for option in options if own and option.code == own]:
        return by_code[0] if len(by_code) == 1 else None
    names = (*known.called, *known.codes.values())
    found = {option for option in options if any(_is_called(option, name) for name in names)}
    return found.pop() if len(found) == 1 else None


def _is_called(option: FormOption, name: str) -> bool:
    return bool(meant(name, ((option.name, "it"), (option.code, "it"))))


def as_asked(game: Game, form: Sequence[FormField]) -> Game | None:
    """Return the game as a supplier's form asks for it; ``None``: field by field, as it stands.

    A form of one typed field asks for the ID alone; a second one is the server, typed or chosen.
    """
    ask: Ask | None = game.ask
    servers = game.servers
    match [bool(field.options) for field in form]:
        case []:
            pass
        case [False]:
            ask, servers = _ALONE[game.ask], ()
        case [False, False]:
            ask = _WITH_A_TEXT.get(game.ask)
        case [False, True]:
            ask = _WITH_A_CHOICE.get(game.ask)
            servers = tuple(_server_from(game, option) for option in form[1].options)
        case _:
            ask = None
    return None if ask is None else replace(game, ask=ask, servers=servers)


def _server_from(game: Game, option: FormOption) -> Server:
    """Return a form's server: called as people read it, with what is known of it."""
    for known in game.servers:
        if any(_is_called(option, name) for name in known.called):
            return replace(known, code=option.name, title=option.name, names=known.called)
    return Server(code=option.name, title=option.name)


def fitting_server(asked: Game, game: Game, server: str) -> str:
    """Return what ``asked`` calls a server that ``game`` or a person calls ``server``.

    Empty if it asks for none, or has none of that name.
    """
    if not asked.has_server or not server:
        return ""
    if not asked.servers:
        return server
    names = [server, *(name for s in game.servers if s.code == server for name in s.called)]
    found = (read_server(asked, name) for name in names)
    return next((each for each in found if not isinstance(each, Unreadable)), "")


# --- what a supplier calls things -----------------------------------------------------------------


def server_title(game: Game, server: str) -> str:
    """Return what people call a server of the game, given by its code; a typed one as it is.

    Ask it of the account's own game: a code such as "5000" is a typed server of another.
    """
    return next((each.title for each in game.servers if each.code == server), server)


def server_code(game: Game, supplier: str, server: str) -> str:
    """Return what a supplier calls a server of the game; one that is typed, as it was typed."""
    known = next((each for each in game.servers if each.code == server), None)
    return known.codes.get(supplier, server) if known is not None else server


def target_format(game: Game, supplier: str, default: str) -> str:
    """Return how a supplier wants an account of this game written; ``default``: of any game."""
    return game.targets.get(supplier, default)


# --- games that nobody described ------------------------------------------------------------------

_MARK = "~"
_LONGEST_SLUG = 30
_TAIL = re.compile(r"-[0-9a-f]{8}")
_NUMBER_EXAMPLE = "12345678"
_WHERE: Mapping[str, str] = {
    "id": "User ID biasanya ada di profil atau pengaturan di dalam game.",
    "en": "The user ID usually stands in the game's profile or settings.",
}


def slug_of_undescribed(category: str) -> str:
    """Return the slug of a game that only a supplier's category names: ``~arena-of-gods``.

    Empty if nothing legible is left of it. What is too long is cut, and told apart by a checksum.
    """
    words = canonical(_ROUTE.sub(" ", category))
    slug = _MARK + words.replace(" ", "-")
    if len(slug) > _LONGEST_SLUG:
        tail = f"-{crc32(words.encode()):08x}"
        slug = slug[: _LONGEST_SLUG - len(tail)] + tail
    return slug if words else ""


def is_undescribed(slug: str) -> bool:
    """Tell whether a slug is of a game that nobody described."""
    return slug.startswith(_MARK)


def undescribed(slug: str, *, has_server: bool | None = None) -> Game:
    """Return a game that nobody described: called as its supplier calls it, and asked for broadly.

    ``has_server``: whether its supplier says that it has servers; ``None``: it does not say.
    """
    name = slug.removeprefix(_MARK)
    if len(slug) == _LONGEST_SLUG and _TAIL.fullmatch(name[-9:]):
        name = f"{name[:-9]}…"
    return Game(
        slug=slug,
        title=" ".join(word.capitalize() for word in name.split("-")),
        aliases=(),
        ask=Ask.NUMBER_AND_SERVER if has_server else Ask.WORD,
        usual=(3, 20),
        usual_server=(1, 10),
        example=f"{_NUMBER_EXAMPLE} (2001)" if has_server else _NUMBER_EXAMPLE,
        where=_WHERE,
    )
