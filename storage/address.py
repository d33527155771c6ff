"""Where a shop's database is: a SQLite file, or a PostgreSQL server."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """A file of this machine, used by one running shop."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A database of a server, used by any number of processes.

    ``uri``: a libpq connection URI, password and all. ``shown``: the same, fit for the log.
    """

    uri: str = field(repr=False)
    shown: str

    @property
    def password(self) -> str:
        """The password in the URI; empty if there is none."""
        parts = urlsplit(self.uri)
        in_the_query = parse_qs(parts.query).get("password", [""])
        return unquote(parts.password or "") or in_the_query[-1]

    def __str__(self) -> str:
        return self.shown


Address: TypeAlias = SqliteFile | PostgresServer
