"""Databases for the tests of storage: files, and what is the same on a server."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from storage.address import Address, SqliteFile
from storage.database import Database, Transaction
from storage.opening import open_database
from storage.postgres import PostgresTransaction
from storage.sqlite import SqliteTransaction, connect
from storage.sqlite_schema import prepare

# What the two databases raise when a rule of the schema is broken, or a trigger says no.
BROKEN_RULE = (sqlite3.IntegrityError, psycopg.IntegrityError, psycopg.errors.RaiseException)


def new_file(folder: Path) -> Path:
    """A SQLite database with an up-to-date schema and nothing in it."""
    path = folder / "lapak.db"
    prepare(path)
    return path


@asynccontextmanager
async def opened(where: Path | Address) -> AsyncIterator[Database]:
    """The database, as the shop opens it."""
    database = await open_database(SqliteFile(path=where) if isinstance(where, Path) else where)
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


@contextmanager
def undone(address: Address) -> Iterator[Transaction]:
    """A transaction of which nothing is kept: thousands of them are quick on either database."""
    if isinstance(address, SqliteFile):
        with closing(connect(str(address.path))) as connection:
            connection.execute("BEGIN")
            yield SqliteTransaction(connection)
            connection.execute("ROLLBACK")
        return
    with psycopg.connect(address.uri, row_factory=dict_row) as server, server.cursor() as cursor:
        server.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        yield PostgresTransaction(cursor)
        server.rollback()


@contextmanager
def refused(tx: Transaction, match: str = "") -> Iterator[None]:
    """What is tried inside breaks a rule of the schema; the transaction goes on without it."""
    tx.execute("SAVEPOINT tried")
    with pytest.raises(BROKEN_RULE, match=match):
        yield
    tx.execute("ROLLBACK TO SAVEPOINT tried")
