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
from psycopg.rows import DictRow, dict_row

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
            connection.execute("BEGIN IMMEDIATE")
            yield SqliteTransaction(connection)
            connection.execute("COMMIT")
        return
    with psycopg.connect(address.uri, row_factory=dict_row) as server, server.cursor() as cursor:
        yield PostgresTransaction(cursor)


class Onlooker:
    """Somebody else who looks again and again, on one connection until it is closed."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._file: sqlite3.Connection | None = None
        self._server: psycopg.Connection[DictRow] | None = None

    @contextmanager
    def look(self) -> Iterator[Transaction]:
        """A transaction that sees what is stored by now."""
        if isinstance(self._address, SqliteFile):
            self._file = self._file or connect(str(self._address.path), read_only=True)
            self._file.execute("BEGIN")
            try:
                yield SqliteTransaction(self._file)
            finally:
                self._file.execute("ROLLBACK")
            return
        if self._server is None or self._server.closed:
            self._server = psycopg.connect(self._address.uri, row_factory=dict_row)
        try:
            with self._server.cursor() as cursor:
                yield PostgresTransaction(cursor)
            self._server.rollback()
        except psycopg.Error:
            self.close()
            raise

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.look() as tx:
            return [dict(row) for row in tx.fetch(sql)]

    def close(self) -> None:
        """Look no more; whoever closes a file last puts it in order."""
        for connection in (self._file, self._server):
            if connection is not None:
                connection.close()
        self._file, self._server = None, None
