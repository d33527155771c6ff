"""PostgreSQL: one server, any number of processes, every transaction SERIALIZABLE.

A function given to ``Database.run`` then means the same as on SQLite, where only one runs at a
time: what would have been different is run again (PostgreSQL manual, "Serializable Isolation
Level").
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

import psycopg
from psycopg.errors import (
    DeadlockDetected,
    FeatureNotSupported,
    IdleInTransactionSessionTimeout,
    ReadOnlySqlTransaction,
    SerializationFailure,
    UniqueViolation,
)
from psycopg.rows import DictRow, dict_row

from storage.address import PostgresServer
from storage.database import (
    CLAIMED,
    NO_PARAMETERS,
    CommitUnknown,
    Database,
    Parameters,
    Row,
    Stored,
    Unwritable,
    Work,
    WorkFailed,
)
from storage.doorbell import CHANNEL, Doorbell
from storage.patience import PatientConnection, connecting

T = TypeVar("T")

PATIENCE: Final = 5.0  # seconds of trying before those who wait are told, as on SQLite
_MOST_READERS: Final = 4
_MOST_PASSING: Final = 3
_LONGEST_PAUSE: Final = 0.05
# The server ends what stands still for too long, as when a machine was suspended.
_AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError, IdleInTransactionSessionTimeout)
_UNWRITABLE: Final = (*_AWAY, ReadOnlySqlTransaction)  # as just before another server takes over
_AGAIN: Final = (SerializationFailure, DeadlockDetected)
# Over after a retry: a key that another process was about to use, a plan from before a migration.
_PASSING: Final = (UniqueViolation, FeatureNotSupported)
_NAMED: Final = re.compile(r"(?<![:\w]):([a-z_]+)")


@lru_cache(maxsize=512)
def translated(sql: str) -> str:
    """Return the statement as psycopg wants it: ``%(name)s`` for ``:name``, rows claimed by lock.

    What another process is claiming is passed over (PostgreSQL manual, "SELECT", SKIP LOCKED).
    """
    claimed = sql.replace(CLAIMED, "FOR UPDATE OF o SKIP LOCKED")
    return _NAMED.sub(r"%(\1)s", claimed.replace("%", "%%"))


class PostgresTransaction:
    """A transaction of PostgreSQL."""

    def __init__(self, cursor: psycopg.Cursor[DictRow]) -> None:
        self._cursor = cursor
        self.rang = False

    def execute(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> int:
        return self._cursor.execute(translated(sql), _storable(parameters)).rowcount

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        self._cursor.executemany(translated(sql), [_storable(row) for row in rows])

    def fetch(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> Sequence[Row]:
        return self._cursor.execute(translated(sql), _storable(parameters)).fetchall()

    def ring(self) -> None:
        self.rang = True


def _storable(parameters: Parameters) -> Parameters:
    """Show the one character that PostgreSQL cannot store: NUL becomes its picture."""
    if any(isinstance(value, str) and "\0" in value for value in parameters.values()):
        return {
            name: value.replace("\0", "\N{SYMBOL FOR NULL}") if isinstance(value, str) else value
            for name, value in parameters.items()
        }
    return parameters


class _Connections:
    """Connections of one kind to the server: as many as are used at once, kept for the next."""

    def __init__(self, uri: str, configure: Callable[[PatientConnection], None]) -> None:
        self._uri = uri
        self._configure = configure
        self._idle: list[PatientConnection] = []
        self.pids: set[int] = set()  # of the server's processes, these connections' other ends

    @contextmanager
    def lent(self) -> Iterator[PatientConnection]:
        """Lend a connection; what was not committed by the end is undone."""
        connection = self._kept() or self._connect()
        try:
            yield connection
        finally:
            try:
                connection.rollback()
            except psycopg.Error:
                self.pids.discard(connection.server_pid)
                connection.close()
            else:
                self._idle.append(connection)

    def _kept(self) -> PatientConnection | None:
        try:
            return self._idle.pop()
        except IndexError:  # asked for by several threads at once
            return None

    def _connect(self) -> PatientConnection:
        connection = PatientConnection.connect(
            self._uri, row_factory=dict_row, **connecting(self._uri)
        )
        self._configure(connection)
        connection.server_pid = connection.info.backend_pid
        self.pids.add(connection.server_pid)
        return connection

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class PostgresEngine:
    """A connection that writes and a few that read, each work in a thread."""

    def __init__(self, uri: str) -> None:
        self._writer = _Connections(uri, _to_write)
        self._readers = _Connections(uri, _to_read)
        # Threads of its own: a silent server must not use up those that look names up.
        self._writing = ThreadPoolExecutor(1, "database writer")
        self._reading = ThreadPoolExecutor(_MOST_READERS, "database reader")
        self.doorbell: Doorbell | None = None
        self.pids = self._writer.pids

    async def run_group(self, works: Sequence[Work[Any]]) -> Stored:
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._group, works)

    async def read(self, work: Work[T]) -> T:
        reading = partial(self._read, work)
        return await asyncio.get_running_loop().run_in_executor(self._reading, reading)

    async def close(self) -> None:
        if self.doorbell is not None:
            await self.doorbell.close()
        for threads in (self._writing, self._reading):
            threads.shutdown(wait=False)
        self._writer.close()
        self._readers.close()

    def _group(self, works: Sequence[Work[Any]]) -> Stored:
        """Store a group; try again while others are faster, or the server is away."""
        passing = 0
        for last in _tries():
            try:
                return self._store(works)
            except _AGAIN as error:
                if last:
                    raise Unwritable(f"other writers were always faster: {error}") from error
            except _UNWRITABLE as error:
                if last:
                    raise Unwritable(f"no answer from the server: {error}") from error
            except WorkFailed as failed:
                passing += 1
                if not isinstance(failed.__cause__, _PASSING) or passing == _MOST_PASSING:
                    raise
        raise AssertionError("there is always a last try")

    def _store(self, works: Sequence[Work[Any]]) -> Stored:
        with self._writer.lent() as connection, connection.cursor() as cursor:
            tx = PostgresTransaction(cursor)
            results = _all(tx, works)
            if tx.rang:
                cursor.execute(f"NOTIFY {CHANNEL}")
            try:
                connection.commit()
            except _AGAIN:
                raise
            except psycopg.Error as error:
                if _nobody_knows(error):
                    raise CommitUnknown(str(error)) from error
                raise  # the server itself said that it did not
            return Stored(results=results, rang=tx.rang)

    def _read(self, work: Work[T]) -> T:
        for last in _tries():
            try:
                with self._readers.lent() as connection, connection.cursor() as cursor:
                    found = work(PostgresTransaction(cursor))
                    connection.commit()  # a rollback would throw prepared statements away
                    return found
            except (*_AWAY, FeatureNotSupported) as error:  # a plan from before a migration
                if last:
                    raise Unwritable(f"no answer from the server: {error}") from error
        raise AssertionError("there is always a last try")


def _nobody_knows(error: psycopg.Error) -> bool:
    """Tell whether the server may have committed before it fell silent."""
    state = error.sqlstate
    # Connection exceptions and shutdowns; and what makes a server fall down.
    return (
        state is None
        or state.startswith(("08", "57P"))
        or error.diag.severity_nonlocalized == "PANIC"
    )


def _all(tx: PostgresTransaction, works: Sequence[Work[Any]]) -> Sequence[Any]:
    try:
        return [work(tx) for work in works]
    except _UNWRITABLE:
        raise  # serialization failures are among these: no fault of the work
    except Exception as error:
        raise WorkFailed from error


def _tries() -> Iterator[bool]:
    """Give ``False`` again and again with pauses between, ``True`` when it is the last time."""
    until, pause = time.monotonic() + PATIENCE, 0.001
    while time.monotonic() < until:
        yield False
        time.sleep(pause * (0.5 + random.random()))  # noqa: S311 - keeps rivals apart, no secret
        pause = min(2 * pause, _LONGEST_PAUSE)
    yield True


def _to_write(connection: PatientConnection) -> None:
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE


def _to_read(connection: PatientConnection) -> None:
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True


async def open_postgres(server: PostgresServer) -> Database:
    """Open the database of ``server``, whose schema is up to date.

    Raises ``psycopg.OperationalError`` if the server does not answer.
    """
    engine = PostgresEngine(server.uri)
    database = Database(engine)
    doorbell = Doorbell(server.uri, database.ring, own=engine.pids)
    try:
        await doorbell.hung()
    except BaseException:
        await database.close()
        raise
    engine.doorbell = doorbell
    return database
