"""Databases for the tests of storage: files, and what is the same on a server."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from storage import postgres_schema, sqlite_schema
from storage.address import Address, PostgresServer, SqliteFile
from storage.database import Database, Transaction
from storage.opening import open_database
from storage.postgres import PostgresTransaction
from storage.schema import migrations
from storage.sqlite import SqliteTransaction, connect

# What the two databases raise when a rule of the schema is broken, or a trigger says no.
BROKEN_RULE = (sqlite3.IntegrityError, psycopg.IntegrityError, psycopg.errors.RaiseException)
# The tables whose rows belong to an order.
BELONGING = {
    "attempts", "cases", "copied_orders", "invoices", "order_events", "payments", "pictures",
    "unasked",
}  # fmt: skip
Shared = Callable[[str], Address]  # for each kind, one database for many tests


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


def found(address: Address, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    """What somebody else reads, also in the middle of a write."""
    with undone(address) as tx:
        return [dict(row) for row in tx.fetch(sql, parameters)]


def empty(server: Address) -> None:
    """Delete every row, history and all: quicker than a new database."""
    assert isinstance(server, PostgresServer)
    with psycopg.connect(server.uri) as connection:
        connection.execute("SET session_replication_role = replica")  # no trigger, no foreign key
        tables = connection.execute(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'schema_version'"
        )
        for (table,) in tables.fetchall():
            connection.execute(f"DELETE FROM {table}")


_COLUMNS = {
    True: """
        SELECT attname AS name, UPPER(CAST(CAST(atttypid AS regtype) AS TEXT)) AS type
        FROM pg_attribute
        WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped
    """,
    False: "SELECT name, type FROM pragma_table_info(:table)",
}
_ANYTHING: Mapping[str, object] = {"TEXT": "x", "BYTEA": b"\x00\xff"}


def put(tx: Transaction, table: str, **columns: object) -> None:
    """One row, of whatever version the schema is; what is not named holds anything."""
    known = tx.fetch(_COLUMNS[isinstance(tx, PostgresTransaction)], {"table": table})
    row = {each["name"]: _ANYTHING.get(each["type"], 1) for each in known} | columns
    tx.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES (:{', :'.join(row)})", row)


@contextmanager
def as_of(number: int) -> Iterator[None]:
    """The program as it was when that migration was its newest."""
    with pytest.MonkeyPatch.context() as patch:
        for kind, module in (("sqlite", sqlite_schema), ("postgres", postgres_schema)):
            old = [each for each in migrations(kind) if each[0] <= number]
            patch.setattr(module, "newest", lambda: number)
            patch.setattr(module, "migrations", lambda _, old=old: old)
        yield
