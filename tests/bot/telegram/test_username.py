"""What the bot is called, for the links that lead to it."""

from storage.database import Database
from tests.bot.telegram.stage import Conversation, channel_on, running, until
from tests.fakes.telegram import FakeTelegram


async def test_the_bots_name_is_known_once_telegram_has_told_it(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    channel = channel_on(telegram, database, conversation)
    assert channel.username == ""
    async with running(channel):
        await until(lambda: channel.username == "lapak_bot")
    assert channel.username == "lapak_bot"
