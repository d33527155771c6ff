from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database, open_sqlite
from storage.schema import prepare
from tests.bot.telegram.stage import TOKEN, Conversation
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(token=TOKEN) as telegram:
        yield telegram


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    prepare(tmp_path / "shop.db")
    database = await open_sqlite(str(tmp_path / "shop.db"))
    yield database
    await database.close()


@pytest.fixture
def conversation() -> Conversation:
    return Conversation()
