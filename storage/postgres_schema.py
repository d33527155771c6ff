"""The schema of a PostgreSQL database: brought up to date on request, else only looked at."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.rows import DictRow, dict_row

from storage.address import PostgresServer
from storage.patience import connecting
from storage.schema import Unusable, migrations, newest

_MIGRATING: Final = 0x4C61_7061_6B03  # one process at a time
_OLDEST_SERVER: Final = 140_000
_VERSION = "SELECT number FROM schema_version"
_HAS_VERSION = "SELECT to_regclass('schema_version') IS NOT NULL"
_BEGIN_VERSION = """
CREATE TABLE schema_version (number BIGINT NOT NULL);
INSERT INTO schema_version VALUES (0)
"""


def verify(server: PostgresServer) -> None:
    """Return if the schema is this program's. Raises ``Unusable``: old, newer, or no answer."""
    with _connected(server) as connection:
        found = _version_of(connection)
    if found > newest():
        raise _too_new(server, found)
    if found < newest():
        kind = f"its schema is {found}, this Lapak needs {newest()}" if found else "it is empty"
        raise Unusable(f"{server}: {kind}; run: lapak migrate")


def migrate(server: PostgresServer) -> int:
    """Bring the schema up to date and return its number. Raises ``Unusable``; nothing changed."""
    with _connected(server) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATING])
        found = _version_of(connection)
        if found > newest():
            raise _too_new(server, found)
        if not found:
            connection.execute(_BEGIN_VERSION)
        for number, sql in migrations("postgres"):
            if number > found:
                connection.execute(sql)
        connection.execute("UPDATE schema_version SET number = %s", [newest()])
    return newest()


@contextmanager
def reading(server: PostgresServer) -> Iterator[psycopg.Cursor[DictRow]]:
    """Give a cursor that reads one moment of the database. Raises ``Unusable``."""
    verify(server)
    with _connected(server) as connection:
        connection.autocommit = False
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.cursor(row_factory=dict_row) as cursor:
            yield cursor


def _too_new(server: PostgresServer, found: int) -> Unusable:
    return Unusable(
        f"{server}: made by a newer Lapak (schema {found}, this one knows {newest()});"
        " start the newer version, or point LAPAK_DATABASE_URL at another database"
    )


def _version_of(connection: psycopg.Connection) -> int:
    row = connection.execute(_HAS_VERSION).fetchone()
    if row is None or not row[0]:
        return 0
    number = connection.execute(_VERSION).fetchone()
    return int(number[0]) if number is not None else 0


@contextmanager
def _connected(server: PostgresServer) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(server.uri, autocommit=True, **connecting(server.uri)) as connection:
            _fit_for_use(server, connection)
            yield connection
    except psycopg.Error as error:
        raise Unusable(f"{server}: {_explain(error)}") from error


def _fit_for_use(server: PostgresServer, connection: psycopg.Connection) -> None:
    if connection.info.server_version < _OLDEST_SERVER:
        raise Unusable(f"{server}: PostgreSQL is older than 14; use a newer server")
    row = connection.execute("SHOW synchronous_commit").fetchone()
    if row is not None and row[0] == "off":
        raise Unusable(f"{server}: synchronous_commit is off, so what was stored may be lost")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise Unusable(f"{server}: its encoding is not UTF8; create it with ENCODING 'UTF8'")


_EXPLAINED = (
    (r"password authentication failed", "the user or the password is not accepted"),
    (r"no password supplied", "a password is needed; put it into LAPAK_DATABASE_URL"),
    (
        r'(database|role) ".*" does not exist',
        "no such database or user; create it first (createdb, createuser)",
    ),
    (r"permission denied", "this user may not do that; make it the owner of the database"),
    (r"too many", "the server takes no more connections; raise max_connections"),
    (r"lock timeout", "others use it just now; stop the shop, or try again in a moment"),
    (
        r"refused|connection timeout|timed out|No such file",
        "nobody answers there; is PostgreSQL running, and at this address?",
    ),
    (r"resolve", "no such host; check LAPAK_DATABASE_URL"),
)
# What libpq says of an address that it cannot read may have the password in it.
_UNREADABLE = (
    "LAPAK_DATABASE_URL is not understood; write % as %25 and @ as %40 in a user or a password"
)


def _explain(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return _UNREADABLE
    text = str(error)
    known = (said for pattern, said in _EXPLAINED if re.search(pattern, text))
    return next(known, text.splitlines()[0])
