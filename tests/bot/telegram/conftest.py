from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.address import Address
from storage.database import Database
from storage.opening import open_database
from tests.bot.telegram.stage import TOKEN, Conversation, FailingDatabase
from tests.fakes.databases import fresh
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(token=TOKEN) as telegram:
        yield telegram


@pytest.fixture
def kind() -> str:
    """Which database; a module may want both."""
    return "sqlite"


@pytest.fixture
def address(kind: str, tmp_path: Path) -> Iterator[Address]:
    with fresh(kind, tmp_path) as address:
        yield address


@pytest.fixture
async def database(address: Address) -> AsyncIterator[Database]:
    database = await open_database(address)
    yield database
    await database.close()


@pytest.fixture
def failing(database: Database) -> FailingDatabase:
    return FailingDatabase(database)


@pytest.fixture
def conversation() -> Conversation:
    return Conversation()
