"""A database on a file, for the tests of storage."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from storage.database import Database, SqliteTransaction, connect, open_sqlite
from storage.schema import prepare


def new_file(folder: Path) -> Path:
    """A database with an up-to-date schema and nothing in it."""
    path = folder / "lapak.db"
    prepare(path)
    return path


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    """The database, as the shop opens it."""
    database = await open_sqlite(str(path))
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def one_transaction(path: Path) -> Iterator[SqliteTransaction]:
    """A transaction of a connection of our own, committed at the end."""
    with closing(connect(str(path))) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield SqliteTransaction(connection)
        connection.execute("COMMIT")


def rows(path: Path, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """What the file holds, read by somebody else."""
    with closing(connect(str(path), read_only=True)) as connection:
        return [tuple(row) for row in connection.execute(sql, parameters)]
