"""What a game is, and how names of games and servers are compared."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zlib import crc32

from shop.text import plain


class Ask(StrEnum):
    """The form an account is written in."""

    NUMBER = "number"
    NUMBER_AND_SERVER = "number_and_server"  # the server is a number the customer types
    NUMBER_AND_REGION = "number_and_region"  # the server is one of a few
    WORD = "word"  # letters, digits, dots, dashes; its case tells people apart
    WORD_AND_REGION = "word_and_region"
    RIOT_ID = "riot_id"


OF_A_FEW = frozenset({Ask.NUMBER_AND_REGION, Ask.WORD_AND_REGION})
"""The forms with a server that is one of those the game lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One of a game's few servers. ``prefixes``: beginnings of the user IDs that live there."""

    code: str
    title: str
    prefixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # what suppliers' forms and customers call it besides
    codes: Mapping[str, str] = field(default_factory=dict)  # supplier -> its own code, if another

    @property
    def mark(self) -> str:
        """What a button carries for it: a supplier's own name of it may be too long."""
        return f"#{crc32(self.code.encode()):08x}"

    @property
    def called(self) -> tuple[str, ...]:
        """Everything people and forms call it."""
        return (self.title, self.code, *self.names)


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
    after_prefix: int = 0  # digits that follow a server's prefix in a user ID; 0: any number
    region: str = ""  # where its accounts are, as in "ID" or "GLOBAL"; empty: anywhere
    targets: Mapping[str, str] = field(default_factory=dict)  # supplier -> its target format

    @property
    def has_server(self) -> bool:
        return self.ask is Ask.NUMBER_AND_SERVER or self.ask in OF_A_FEW


def canonical(text: str) -> str:
    """Return a name as names are compared: lower case, letters and digits only."""
    return " ".join(re.findall(r"[a-z0-9]+", plain(text).lower()))


def meant(text: str, names: Iterable[tuple[str, str]]) -> str:
    """Return what is called so, of (name, what it names); empty if nothing is, or several are.

    Names in letters that ``canonical`` knows nothing of are told apart as they are written.
    """
    known, spoken, wanted = list(names), plain(text), canonical(text)
    exact = {what for name, what in known if plain(name) == spoken}
    alike = {what for name, what in known if wanted and canonical(name) == wanted}
    found = exact or alike
    return found.pop() if len(found) == 1 else ""
