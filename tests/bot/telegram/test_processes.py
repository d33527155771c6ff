"""Several processes on one PostgreSQL: each with a connection of its own, none knows the others."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from bot.conversation.views import Typed
from bot.telegram.intake import receiver
from storage.address import Address
from storage.database import Database
from storage.opening import open_database
from tests.bot.telegram.stage import (
    Conversation,
    channel_on,
    hooked_on,
    now,
    running,
    until,
    until_answered,
    web_process,
)
from tests.bot.telegram.test_serving import NOWHERE, said
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
def kind() -> str:
    return "postgres"


@pytest.fixture
async def elsewhere(address: Address) -> AsyncIterator[Database]:
    database = await open_database(address)
    yield database
    await database.close()


async def test_a_web_process_rings_for_a_bot_elsewhere(
    telegram: FakeTelegram, database: Database, elsewhere: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with (
        web_process(elsewhere) as url,
        running(hooked_on(telegram, database, conversation, url)),
    ):
        await telegram.until(lambda: telegram.calls_of("setWebhook"))
        for text in ("satu", "dua"):
            await budi.says(text)
            await budi.sees(f"kamu bilang {text}")


async def test_two_feeders_at_once_store_each_update_once(
    telegram: FakeTelegram, database: Database, elsewhere: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    webhook = receiver(elsewhere, now)
    async with running(channel_on(telegram, database, conversation)):
        for number in range(4):
            await budi.says(f"{number}")  # polled
            await webhook(*said(budi.last_update["update_id"], f"{number}"))
        await budi.sees("kamu bilang 3")
        await until_answered(database)
        await telegram.until(lambda: not telegram.unconfirmed)
    assert conversation.heard == [Typed(str(number)) for number in range(4)]


async def test_whatever_the_order_and_whoever_the_bot_each_update_is_answered_once(
    telegram: FakeTelegram, database: Database, elsewhere: Database, conversation: Conversation
) -> None:
    updates = [said(100 + number, f"{number}", 7 + number % 6) for number in range(24)]
    for chat in range(7, 13):
        telegram.person(chat)
    chance = random.Random(4)

    async def web(mine: Database) -> None:
        store = receiver(mine, now)
        for update in chance.sample(updates, len(updates)):
            await store(*update)
            await asyncio.sleep(chance.random() / 200)

    bringing = [asyncio.create_task(web(each)) for each in (database, elsewhere, elsewhere)]
    for bots_database, answered in ((database, 6), (elsewhere, 14)):
        async with running(hooked_on(telegram, bots_database, conversation, NOWHERE)):
            await until(lambda least=answered: len(conversation.taken) >= least)
    await asyncio.wait(bringing)
    async with running(hooked_on(telegram, database, conversation, NOWHERE)):
        await until_answered(database)
    inputs = [key for _, _, key in conversation.taken]
    assert sorted(inputs) == sorted(f"u{number}" for number, _ in updates)
