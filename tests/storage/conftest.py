"""What storage promises is tried on both databases; a test about a file asks for its path."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from storage.address import Address
from storage.books import SqlBooks
from storage.database import Database, Transaction
from tests.fakes.databases import KINDS, fresh, new_file
from tests.shop.samples import OWNER, RULES
from tests.storage.files import Shared, empty, opened, undone


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database this test is on."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One database of each kind, for all tests that leave nothing in it."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(fresh(kind, tmp_path_factory.mktemp(kind))))


@pytest.fixture
def address(kind: str, shared: Shared, tmp_path: Path) -> Iterator[Address]:
    """A database with nothing in it, whose schema is not for the test to change."""
    if kind == "sqlite":
        with fresh(kind, tmp_path) as file:
            yield file
        return
    server = shared(kind)
    yield server
    empty(server)


@pytest.fixture
async def database(address: Address) -> AsyncIterator[Database]:
    """The database at ``address``, as the shop opens it."""
    async with opened(address) as found:
        yield found


@pytest.fixture
def tx(kind: str, shared: Shared) -> Iterator[Transaction]:
    """A transaction on an empty database, of which nothing is kept."""
    with undone(shared(kind)) as found:
        yield found


@pytest.fixture
def books(tx: Transaction) -> SqlBooks:
    """The real books, of which nothing is kept."""
    return SqlBooks(tx, RULES, (OWNER,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A SQLite file, with nothing in it."""
    return new_file(tmp_path)
