"""Works and waits for the tests of PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from storage import doorbell, patience, postgres
from storage.address import PostgresServer
from storage.database import Database, Transaction
from tests.fakes.databases import rows, transaction
from tests.storage.files import opened

SOON = 15  # seconds that nobody has to wait longer than, whatever the server does


def give_up_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten what is waited for, by us and by the server."""
    monkeypatch.setattr(postgres, "PATIENCE", 0.3)
    monkeypatch.setattr(patience, "ANSWER_WITHIN", 0.5)
    monkeypatch.setattr(doorbell, "PING_EVERY", 0.1)
    monkeypatch.setattr(doorbell, "_AGAIN_AFTER", 0.05)
    options = "-c lock_timeout=100ms -c idle_in_transaction_session_timeout=300ms"
    monkeypatch.setitem(patience.CONNECTING, "options", options)
    monkeypatch.setitem(patience.CONNECTING, "connect_timeout", 2)


@asynccontextmanager
async def two(address: PostgresServer) -> AsyncIterator[tuple[Database, Database]]:
    """Two processes on one database."""
    async with opened(address) as one, opened(address) as other:
        yield one, other


class Note:
    """A work that writes one row behind the others, and knows how often it was run.

    The first time ``meanwhile`` happens, between reading and writing.
    """

    def __init__(self, body: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._body = body
        self._meanwhile = meanwhile
        self.runs = 0

    def __call__(self, tx: Transaction) -> int:
        self.runs += 1
        last = tx.fetch("SELECT COALESCE(MAX(seq), 0) AS seq FROM transcript")[0]["seq"]
        if self.runs == 1:
            self._meanwhile()
        row = {"seq": last + 1, "body": self._body}
        tx.execute("INSERT INTO transcript VALUES ('a', :seq, :body)", row)
        return int(last) + 1


def first_time(do: Callable[[], object]) -> Callable[[], None]:
    """What does it once, however often it is called."""
    left = [do]

    def once() -> None:
        if left:
            left.pop()()

    return once


def notes(address: PostgresServer) -> list[str]:
    return [row["body"] for row in rows(address, "SELECT body FROM transcript ORDER BY seq")]


def end_all_connections(address: PostgresServer) -> None:
    """What the server does when it is restarted, or told to by its owner."""
    with transaction(address) as tx:
        tx.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - what is waited for is not in this loop
            await asyncio.sleep(0.01)
