"""Players: whose account it is, where it is registered, and which accounts a customer has used."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Protocol

from shop.games import Game, canonical
from shop.text import visible
from shop.time import MINUTE, Millis

MOST_SAVED: Final = 5  # accounts of one game that are offered to one customer
LONGEST_NICKNAME: Final = 30  # characters of one that is shown
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


class Found(StrEnum):
    """What came of asking for a player. Stored: rename only with a migration."""

    FOUND = "found"
    ABSENT = "absent"
    UNKNOWN = "unknown"  # nobody could say
    UNASKED = ""


# How long an answer is believed. That nobody could say is one, so that nobody waits twice in a row.
LASTS: Final[Mapping[Found, Millis]] = MappingProxyType(
    {
        Found.FOUND: 10 * MINUTE,
        Found.ABSENT: 10 * MINUTE,
        Found.UNKNOWN: MINUTE,
        Found.UNASKED: 0,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose account is meant. ``game``: the one whose accounts a regional variant shares."""

    game: str
    user_id: str
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """What is known of whoever has an account. ``nickname``: foreign text, safe to be shown."""

    found: Found = Found.UNASKED
    asked_at: Millis = 0
    nickname: str = ""
    region: str = ""  # where the account is registered, as in "ID"; empty: nobody has said

    def is_fresh(self, now: Millis) -> bool:
        """Tell whether what was answered is still believed, its region apart."""
        return 0 <= now - self.asked_at < LASTS[self.found]


NOBODY: Final = Player()


class MustAsk(Exception):
    """Nobody knows a player yet: ask outside of any transaction, then do the same once more."""

    def __init__(self, whose: Whose) -> None:
        super().__init__(f"a player of {whose.game} is unknown")
        self.whose = whose


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAccount:
    """An account that a customer has used. ``nickname``: foreign text; empty: nobody has said."""

    game: str
    user_id: str
    server: str
    used_at: Millis
    nickname: str = ""

    @property
    def id(self) -> str:
        """What buttons carry for it; it means something only among one customer's own accounts."""
        text = "\n".join((self.game, self.user_id, self.server))
        return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def shown_nickname(text: str) -> str:
    """Return a nickname as it may be shown: one line, nothing unseen, not too long."""
    return visible(text, LONGEST_NICKNAME)


def keeps_direction(text: str) -> bool:
    """Tell whether digits and brackets beside ``text`` stay in their order.

    Letters that are written from right to left turn around what stands on the same line.
    """
    return not any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in text)


# --- where accounts are registered ----------------------------------------------------------------


def read_region(text: str) -> str:
    """Return a country as suppliers write it, two letters; empty if it is anything else."""
    country = text.strip().upper()
    return country if _COUNTRY.fullmatch(country) else ""


def is_elsewhere(game: Game, region: str) -> bool:
    """Tell whether an account that is registered in ``region`` is none of the game's.

    What is no country ("GLOBAL") says of no account that it is elsewhere.
    """
    told = bool(read_region(game.region)) and bool(region)
    return told and game.region != region


def base_of(games: Mapping[str, Game], slug: str) -> str:
    """Return the game whose accounts a regional variant shares; of any other, its own slug.

    Variants are named after their game: "Mobile Legends Brazil".
    """
    game = games.get(slug)
    if game is None or not game.region:
        return slug
    return next((each.slug for each in games.values() if _is_variant(game, each)), slug)


def _is_variant(game: Game, base: Game) -> bool:
    named_after = f"{canonical(game.title)} ".startswith(f"{canonical(base.title)} ")
    return bool(base.region) and base.ask is game.ask and named_after


def variant_in(games: Iterable[Game], base: str, region: str) -> Game | None:
    """Return the variant of a game for accounts in ``region``, the game itself among them."""
    known = {game.slug: game for game in games}
    found = (game for game in known.values() if game.region == region)
    return next((game for game in found if base_of(known, game.slug) == base), None)


# --- what the books keep of them ------------------------------------------------------------------


class Players(Protocol):
    """What suppliers said of players."""

    def of(self, whose: Whose) -> Player: ...
    def answer(self, whose: Whose, found: Found, nickname: str, now: Millis) -> None:
        """Store what came of asking for a player; ``nickname`` is safe to be shown."""

    def register(self, whose: Whose, region: str) -> None:
        """Store where an account is registered, for good."""


class SavedAccounts(Protocol):
    """The accounts that customers have used, the latest first; nobody comes to another's."""

    def use(self, address: str, account: SavedAccount) -> None:
        """Keep an account that was used; of too many of a game, the oldest makes way."""

    def of_game(self, address: str, game: str) -> Sequence[SavedAccount]: ...
    def of(self, address: str) -> Sequence[SavedAccount]: ...
    def name(self, address: str, account: SavedAccount) -> None:
        """Store the nickname of an account, if it is kept."""

    def forget(self, address: str, account: SavedAccount) -> bool:
        """Forget an account; ``False``: it was not kept."""

    def last_order(self, address: str, account: SavedAccount) -> str:
        """Return a person's newest order for an account; empty if there is none."""
