"""The schema of a SQLite file: brought up to date, or said why it cannot be used."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.schema import Unusable, migrations, newest
from storage.sqlite import connect


def version_of(path: Path) -> int:
    """Return the schema number of the database at ``path``; 0 for a new one."""
    connection = connect(str(path))
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def is_current(path: Path) -> bool:
    """Tell whether there is a database at ``path`` with this program's schema."""
    if not path.is_file():
        return False
    try:
        return version_of(path) == newest()
    except sqlite3.Error:
        return False


def prepare(path: Path) -> None:
    """Create or migrate the SQLite database at ``path``.

    Raises ``Unusable``; nothing was changed then. An existing file is never replaced.
    """
    if not path.parent.is_dir():
        raise Unusable(f"{path}: the directory {path.parent} does not exist; create it first")
    try:
        _prepare(path)
    except sqlite3.DatabaseError as error:
        raise Unusable(f"{path}: {_explain(error)}") from error


def _prepare(path: Path) -> None:
    with _connected(path) as connection:
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if found > newest():
            raise Unusable(
                f"{path}: made by a newer Lapak (schema {found}, this one knows {newest()});"
                " start the newer version, or point LAPAK_DATABASE_URL at another file"
            )
        for number, sql in migrations("sqlite"):
            if number > found:
                # executescript commits what is open: the transaction is part of the script.
                script = f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version={number};\nCOMMIT;"
                connection.executescript(script)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS can_write (probe BIGINT)")
        connection.execute("DROP TABLE can_write")
        connection.execute("COMMIT")


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(str(path))
    try:
        yield connection
    finally:
        with suppress(sqlite3.Error):
            connection.close()


_EXPLAINED = (
    ("readonly", "it cannot be written; check the permissions of the file and its directory"),
    ("unable to open", "it cannot be opened; check the path and its permissions"),
    ("full", "the disk is full; make room, then start again"),
    ("locked", "another program holds it; stop that first"),
    ("not a database", "it is not a SQLite database; point LAPAK_DATABASE_URL at another file"),
    ("malformed", "the file is damaged; restore your last backup"),
)


def _explain(error: sqlite3.Error) -> str:
    text = str(error)
    return next((said for word, said in _EXPLAINED if word in text), text)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the database for one running shop. Raises ``Unusable`` while another holds it.

    The lock is the kernel's: it ends with the process, however that ends.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        handle = lock.open("a")
    except OSError as error:
        raise Unusable(f"{lock}: {error.strerror}; check the directory's permissions") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unusable(
                f"{path}: a shop already runs on this database; stop it first,"
                " or set LAPAK_DATABASE_URL to another file"
            ) from None
        yield
