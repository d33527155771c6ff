"""Which database a test is on, and what stands in it, read by somebody else."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from psycopg.rows import dict_row

from storage.address import Address, SqliteFile
from storage.database import Transaction
from storage.postgres import PostgresTransaction
from storage.sqlite import SqliteTransaction, connect
from storage.sqlite_schema import prepare
from tests.fakes import postgres

KINDS = ("sqlite", "postgres")
the_kind: ContextVar[str] = ContextVar("the_kind", default="sqlite")
"""Of the test that runs now."""


@cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        prepare(path)
        return path.read_bytes()


def new_file(folder: Path) -> Path:
    """A SQLite database with an up-to-date schema and nothing in it."""
    path = folder / "lapak.db"
    path.write_bytes(_empty_file())
    return path


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[Address]:
    """A database of this kind, with an up-to-date schema and nothing in it, gone at the end."""
    if kind == "sqlite":
        yield SqliteFile(path=new_file(folder))
        return
    server = postgres.new_database()
    try:
        yield server
    finally:
        postgres.drop(server)


def rows(address: Address, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    """What a query finds, asked on a connection of its own."""
    with transaction(address) as tx:
        return [dict(row) for row in tx.fetch(sql, parameters)]


@contextmanager
def transaction(address: Address) -> Iterator[Transaction]:
    """A transaction of somebody else, committed at the end."""
    if isinstance(address, SqliteFile):
        with closing(connect(str(address.path))) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN IMMEDIATE")
            yield SqliteTransaction(connection)
            connection.execute("COMMIT")
        return
    with psycopg.connect(address.uri, row_factory=dict_row) as server, server.cursor() as cursor:
        yield PostgresTransaction(cursor)
