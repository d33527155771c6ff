"""Polling when the store has bad days: nothing lost, nobody told a falsehood."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.conversation.channels import CannotAnswer
from bot.conversation.views import Incoming, Typed, View
from storage.database import Busy, CommitUnknown, Database, Unwritable
from tests.bot.telegram.stage import (
    Conversation,
    FailingDatabase,
    channel_on,
    events,
    running,
    until,
    until_answered,
    until_waiting,
)
from tests.fakes.databases import KINDS
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.parametrize("kind", KINDS)

SORRY = "coba lagi nanti"


def shut(conversation: Conversation, failing: FailingDatabase) -> None:
    """Make turns fail as they do when they cannot be stored."""

    async def cannot(address: str, incoming: Incoming) -> None:
        if failing.fails:
            raise CannotAnswer(View(text=SORRY))

    conversation.before = cannot


async def test_a_batch_of_unknown_fate_is_stored_again_and_nobody_hears_of_it(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    shut(conversation, failing)
    for failing.too_late in (True, False):
        budi = telegram.person(7 if failing.too_late else 8)
        failing.fails = CommitUnknown("the connection broke")
        async with running(channel_on(telegram, failing, conversation)):
            await budi.says("permisi")
            polls = len(telegram.calls_of("getUpdates"))
            await telegram.until(lambda seen=polls: len(telegram.calls_of("getUpdates")) > seen + 3)
            assert telegram.unconfirmed
            failing.fails = None
            await telegram.until(lambda: not telegram.unconfirmed)
            await budi.sees("kamu bilang permisi")
            await until_answered(database)
        assert [it.text for it in budi.chat.messages] == ["kamu bilang permisi"]


async def test_nobody_is_told_that_nothing_was_stored_when_it_may_have_been(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi = telegram.person(7)
    shut(conversation, failing)
    failing.fails, failing.too_late = CommitUnknown("the connection broke"), True
    async with running(channel_on(telegram, failing, conversation)):
        await budi.says("permisi")
        await until_waiting(database)
        failing.fails, failing.too_late = Unwritable("the server is away"), False
        failing.dark = True
        polls = len(telegram.calls_of("getUpdates"))
        await telegram.until(lambda: len(telegram.calls_of("getUpdates")) > polls + 3)
        assert budi.chat.messages == []
        failing.fails, failing.dark = None, False
        await budi.sees("kamu bilang permisi")
        await until_answered(database)
    assert len(budi.chat.messages) == 1


async def test_nobody_is_told_that_nothing_was_stored_when_it_was_long_before(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi = telegram.person(7)
    shut(conversation, failing)
    async with running(channel_on(telegram, failing, conversation)):
        await budi.says("permisi")
        await budi.sees("kamu bilang permisi")
        await until_answered(database)
        failing.fails = Unwritable("disk full")
        polls = len(telegram.calls_of("getUpdates"))
        await budi.repeat_last_update()
        await telegram.until(lambda: len(telegram.calls_of("getUpdates")) > polls)
        await budi.quiet(0.1)
    assert [it.text for it in budi.chat.messages] == ["kamu bilang permisi"]


async def test_people_are_told_once_for_each_update_that_nothing_can_be_stored(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi, ani = telegram.person(7), telegram.person(8)
    shut(conversation, failing)
    for trouble in (Unwritable("disk full"), Busy()):
        failing.fails = trouble
        for someone in (budi, ani):
            someone.chat.history.clear()
        with capture_logs() as logs:
            async with running(channel_on(telegram, failing, conversation)):
                await budi.says("satu")
                await budi.sees(SORRY)
                await ani.says("dua")
                await ani.sees(SORRY)
                polls = len(telegram.calls_of("getUpdates"))
                await telegram.until(
                    lambda seen=polls: len(telegram.calls_of("getUpdates")) > seen + 3
                )
                failing.fails = None
                await telegram.until(lambda: not telegram.unconfirmed)
                await budi.says("tiga")
                await budi.sees("kamu bilang tiga")
                await until_answered(database)
        assert [it.text for it in ani.chat.messages] == [SORRY]
        assert [it.text for it in budi.chat.messages] == [SORRY, "kamu bilang tiga"]
        assert events(logs).count("telegram.cannot_store") == 1


class Flickering(FailingDatabase):
    """Cannot store, can once, and cannot again until it is ``well``; cannot be read meanwhile."""

    well = False
    tries = 0

    async def run(self, work: Callable[[Any], Any]) -> Any:
        self.tries += 1
        self.dark = not self.well
        self.fails = None if self.well or self.tries == 2 else Unwritable("flickers")
        return await super().run(work)


async def test_an_update_told_of_in_a_flickering_database_is_not_told_of_again(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, flickering = telegram.person(7), Flickering(database)
    async with running(channel_on(telegram, flickering, conversation)):
        await budi.says("permisi")
        await budi.sees("kamu bilang permisi")
        await until(lambda: flickering.tries > 4)
        flickering.well = True
        await telegram.until(lambda: not telegram.unconfirmed)
        await until_answered(database)
    assert conversation.heard == [Typed("permisi")]
