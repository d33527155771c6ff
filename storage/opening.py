"""Open the shop's database, whichever it is: the one place that knows both kinds."""

import sqlite3
from contextlib import AbstractContextManager, nullcontext

import psycopg

from storage import postgres_schema, sqlite_schema
from storage.address import Address, SqliteFile
from storage.database import Database
from storage.postgres import open_postgres
from storage.presence import Alone, AmongOthers, Presence
from storage.schema import Unusable, newest
from storage.sqlite import open_sqlite


def prepare(address: Address) -> None:
    """Make sure that the schema is this program's: a SQLite file is migrated, a server is not.

    Raises ``storage.schema.Unusable``; nothing was changed then.
    """
    if isinstance(address, SqliteFile):
        sqlite_schema.prepare(address.path)
    else:
        postgres_schema.verify(address)


def prepare_beside(address: Address) -> None:
    """Like ``prepare``, for a command beside the shop: what a running shop uses is not migrated.

    Raises ``storage.schema.Unusable``, also if the running shop's schema is another.
    """
    if isinstance(address, SqliteFile) and sqlite_schema.is_current(address.path):
        return
    with held(address):
        prepare(address)


def migrate(address: Address) -> int:
    """Bring the schema up to date and return its number. Raises ``storage.schema.Unusable``."""
    if isinstance(address, SqliteFile):
        with sqlite_schema.only_one(address.path):
            sqlite_schema.prepare(address.path)
        return newest()
    return postgres_schema.migrate(address)


def held(address: Address) -> AbstractContextManager[None]:
    """Keep other shops off a SQLite file; a server takes any number of processes.

    Raises ``storage.schema.Unusable`` while another shop holds the file.
    """
    return (
        sqlite_schema.only_one(address.path) if isinstance(address, SqliteFile) else nullcontext()
    )


async def open_database(address: Address) -> Database:
    """Open the database, whose schema is up to date. Raises ``storage.schema.Unusable``."""
    try:
        if isinstance(address, SqliteFile):
            return await open_sqlite(address.path)
        return await open_postgres(address)
    except (sqlite3.Error, psycopg.Error) as error:
        raise Unusable(f"{address}: {str(error).splitlines()[0]}") from error


def presence_on(address: Address) -> Presence:
    """Return this process's place among those on the database."""
    return Alone() if isinstance(address, SqliteFile) else AmongOthers(address.uri)
