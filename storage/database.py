"""One way to write: plain functions, many to a commit. Readers apart."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias, TypeVar

import aiosqlite

T = TypeVar("T")
Row = Mapping[str, Any]
Parameters = Mapping[str, Any]

MOST_IN_A_GROUP = 128
MOST_WAITING = 4096
_NONE: Parameters = {}


class Transaction(Protocol):
    """What a unit of work may do. It cannot await: no network while the write lock is held."""

    def execute(self, sql: str, parameters: Parameters = ...) -> int:
        """Run one statement with ``:named`` parameters; return the number of rows it touched."""

    def fetch(self, sql: str, parameters: Parameters = ...) -> Sequence[Row]:
        """Run one statement and return its rows (``RETURNING`` included)."""


Work = Callable[[Transaction], T]
_Waiting: TypeAlias = tuple[Work[Any], asyncio.Future[Any]]


class Busy(Exception):
    """Too much waits, or the database is closed: nothing was stored; try again later."""


class Unwritable(Exception):
    """The database cannot be written now (full, locked, read-only): nothing was stored."""


class WorkFailed(Exception):
    """A work raised; its group was undone. The cause is what it raised."""


class Engine(Protocol):
    """One database: runs a group of works in one commit, and a work that only reads."""

    async def run_group(self, works: Sequence[Work[Any]]) -> Sequence[Any]:
        """Store all or nothing. Raise ``WorkFailed``, or what the database itself raised."""

    async def read(self, work: Work[T]) -> T: ...
    async def close(self) -> None: ...


class Database:
    """Groups the transactions that arrive together into one durable commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MOST_WAITING)
        self._closing = False
        self._writer = asyncio.create_task(self._write(), name="database writer")

    async def run(self, work: Work[T]) -> T:
        """Return what ``work`` returned, once its group is durable; raise what it raised, undone.

        ``work`` may be run more than once (a neighbour failed): it touches nothing but ``tx``.
        Raises ``Busy`` if the queue is full, ``Unwritable`` if nothing can be stored now. A caller
        that is cancelled does not undo the work.
        """
        if self._closing:
            raise Busy
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((work, done))
        except asyncio.QueueFull:
            raise Busy from None
        return await asyncio.shield(done)

    async def read(self, work: Work[T]) -> T:
        """Return what ``work`` reads, of one moment, beside the writer."""
        return await self._engine.read(work)

    async def close(self) -> None:
        """Finish what waits, then close; whoever comes now hears ``Busy``."""
        self._closing = True
        await self._waiting.join()
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer
        await self._engine.close()

    async def _write(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while len(group) < MOST_IN_A_GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            await asyncio.shield(self._store(group))
            for _ in group:
                self._waiting.task_done()

    async def _store(self, group: Sequence[_Waiting]) -> None:
        """Store a group together; if one spoils it, nothing is stored, and each tries alone."""
        try:
            results = await self._engine.run_group([work for work, _ in group])
        except WorkFailed as failed:
            if len(group) == 1:
                _fail(group, failed.__cause__ or failed)
                return
            for lone in group:
                await self._store([lone])
        except Exception as error:  # noqa: BLE001 - the database would not: all of them hear of it
            _fail(group, error)
        else:
            for (_, done), result in zip(group, results, strict=True):
                if not done.cancelled():
                    done.set_result(result)


def _fail(group: Sequence[_Waiting], error: BaseException) -> None:
    if isinstance(error, sqlite3.OperationalError):
        unwritable = Unwritable(str(error))
        unwritable.__cause__ = error
        error = unwritable
    for _, done in group:
        if not done.cancelled():
            done.set_exception(error)


class SqliteTransaction:
    """A transaction of SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = _NONE) -> int:
        return self._connection.execute(sql, parameters).rowcount

    def fetch(self, sql: str, parameters: Parameters = _NONE) -> Sequence[Row]:
        return self._connection.execute(sql, parameters).fetchall()


def _all(tx: Transaction, works: Sequence[Work[Any]]) -> Sequence[Any]:
    try:
        return [work(tx) for work in works]
    except Exception as error:
        raise WorkFailed from error


class _Thread(aiosqlite.Connection):
    """An aiosqlite connection that runs whole functions in one visit to its thread.

    Awaiting each statement costs a thread switch: ten times the statement itself.
    """

    async def visit(self, function: Callable[[sqlite3.Connection], T]) -> T:
        return await self._execute(function, self._conn)  # type: ignore[no-any-return, no-untyped-call]


class SqliteEngine:
    """SQLite: one writing connection, one reading connection, each with its own thread."""

    def __init__(self, writer: _Thread, reader: _Thread) -> None:
        self._writer = writer
        self._reader = reader

    async def run_group(self, works: Sequence[Work[Any]]) -> Sequence[Any]:
        def group(connection: sqlite3.Connection) -> Sequence[Any]:
            # A deferred transaction can fail at its first write, without waiting for the lock.
            connection.execute("BEGIN IMMEDIATE")
            try:
                results = _all(SqliteTransaction(connection), works)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite itself rolls back when the disk is full
                    connection.execute("ROLLBACK")
                raise
            return results

        return await self._writer.visit(group)

    async def read(self, work: Work[T]) -> T:
        def reading(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return work(SqliteTransaction(connection))
            finally:
                connection.execute("ROLLBACK")

        return await self._reader.visit(reading)

    async def close(self) -> None:
        await self._reader.close()
        await self._writer.close()


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


async def open_sqlite(path: str) -> Database:
    """Open the database at ``path``, whose schema is up to date. Raises ``sqlite3.Error``."""
    writer = _Thread(lambda: connect(path), iter_chunk_size=64)
    reader = _Thread(lambda: connect(path, read_only=True), iter_chunk_size=64)
    await writer
    await reader
    return Database(SqliteEngine(writer, reader))
