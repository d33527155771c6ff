"""SQLite: one file, one running shop, every commit synced to the disk."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from storage.database import (
    NO_PARAMETERS,
    Database,
    Parameters,
    Row,
    Stored,
    Unwritable,
    Work,
    WorkFailed,
)

T = TypeVar("T")

LOOK_EVERY = 1.0  # seconds: whether another process has stored something


class SqliteTransaction:
    """A transaction of SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.rang = False

    def execute(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> int:
        return self._connection.execute(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        self._connection.executemany(sql, rows)

    def fetch(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> Sequence[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def ring(self) -> None:
        self.rang = True


class _Thread(aiosqlite.Connection):
    """An aiosqlite connection that runs whole functions in one visit to its thread.

    Awaiting each statement costs a thread switch: ten times the statement itself.
    """

    async def visit(self, function: Callable[[sqlite3.Connection], T]) -> T:
        return await self._execute(function, self._conn)  # type: ignore[no-any-return, no-untyped-call]


class SqliteEngine:
    """One writing connection, one reading connection, each with its own thread."""

    def __init__(self, writer: _Thread, reader: _Thread) -> None:
        self._writer = writer
        self._reader = reader
        self._listening: asyncio.Task[None] | None = None

    def listen(self, ring: Callable[[], None]) -> None:
        """Ring whenever another process has stored something, until this is closed."""
        self._listening = asyncio.create_task(self._listen(ring), name="doorbell")

    async def _listen(self, ring: Callable[[], None]) -> None:
        known = None
        while True:
            with suppress(sqlite3.Error):  # whoever writes hears of it; here it is looked again
                found = await self._writer.visit(_stored_by_others)
                if known is not None and found != known:
                    ring()
                known = found
            await asyncio.sleep(LOOK_EVERY)

    async def run_group(self, works: Sequence[Work[Any]]) -> Stored:
        try:
            return await self._writer.visit(lambda connection: _group(connection, works))
        except sqlite3.OperationalError as error:
            raise Unwritable(str(error)) from error
        except WorkFailed as failed:
            if len(works) == 1 and isinstance(failed.__cause__, sqlite3.OperationalError):
                raise Unwritable(str(failed.__cause__)) from failed.__cause__
            raise

    async def read(self, work: Work[T]) -> T:
        def reading(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return work(SqliteTransaction(connection))
            finally:
                connection.execute("ROLLBACK")

        try:
            return await self._reader.visit(reading)
        except sqlite3.OperationalError as error:
            raise Unwritable(str(error)) from error

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self._reader.close()
        await self._writer.close()


def _stored_by_others(connection: sqlite3.Connection) -> int:
    # Of the connection that all of this process writes with, it changes with the others' commits
    # alone (SQLite, "PRAGMA data_version").
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _group(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> Stored:
    # A deferred transaction can fail at its first write, without waiting for the lock.
    connection.execute("BEGIN IMMEDIATE")
    tx = SqliteTransaction(connection)
    try:
        results = _all(tx, works)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise
    return Stored(results=results, rang=tx.rang)


def _all(tx: SqliteTransaction, works: Sequence[Work[Any]]) -> Sequence[Any]:
    try:
        return [work(tx) for work in works]
    except Exception as error:
        raise WorkFailed from error


# recursive_triggers: so that REPLACE, too, fires the triggers that keep history.
_PRAGMAS = ("foreign_keys=ON", "recursive_triggers=ON")
_WRITING = ("journal_mode=WAL", "synchronous=FULL")


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Open one SQLite connection as this shop needs it: WAL, every commit synced to the disk."""
    uri = f"file:{_quoted(path)}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=5, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        for pragma in _PRAGMAS if read_only else (*_PRAGMAS, *_WRITING):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


async def open_sqlite(path: Path | str) -> Database:
    """Open the database at ``path``, whose schema is up to date. Raises ``sqlite3.Error``."""
    writer = _Thread(lambda: connect(str(path)), iter_chunk_size=64)
    reader = _Thread(lambda: connect(str(path), read_only=True), iter_chunk_size=64)
    await writer
    await reader
    engine = SqliteEngine(writer, reader)
    database = Database(engine)
    engine.listen(database.ring)
    return database
