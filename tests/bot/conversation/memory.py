"""What a parlour keeps in memory: its books, its sessions, its time."""

import sqlite3
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.conversation.views import Session
from tests.fakes.databases import new_file


@cache
def empty_books() -> bytes:
    """Return a database with nothing in it but its tables."""
    with TemporaryDirectory() as folder:
        connection = sqlite3.connect(new_file(Path(folder)))
        connection.execute("PRAGMA journal_mode=DELETE")
        dumped = connection.serialize()
        connection.close()
    return dumped


def open_memory(content: bytes) -> sqlite3.Connection:
    """Return a database in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(content)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


@dataclass
class Clock:
    """Time that moves when told to."""

    at: int

    def __call__(self) -> int:
        return self.at

    def advance(self, span: int) -> None:
        self.at += span


class Sessions:
    """``bot.conversation.engine.Sessions`` in a dictionary."""

    def __init__(self) -> None:
        self.of: dict[str, Session] = {}

    def load(self, address: str) -> Session:
        return self.of.get(address, Session())

    def save(self, address: str, session: Session) -> None:
        self.of[address] = session
