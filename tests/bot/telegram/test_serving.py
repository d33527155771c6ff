"""Whatever is stored is answered, once, in order: whoever stored it, whenever it was."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.conversation.views import Incoming, Typed
from bot.telegram.channel import TelegramChannel
from bot.telegram.intake import receiver
from storage.database import Database, Unwritable
from storage.updates import SqlUpdates
from tests.bot.telegram.stage import (
    FAST,
    Conversation,
    FailingDatabase,
    channel_on,
    events,
    hooked_on,
    now,
    running,
    until,
    until_answered,
    waiting_in,
)
from tests.fakes.databases import KINDS
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.parametrize("kind", KINDS)

NOWHERE = "http://127.0.0.1:9"


def said(number: int, text: str, chat: int = 7) -> tuple[int, str]:
    """An update as it is stored."""
    person = {"id": chat, "is_bot": False, "first_name": "Budi"}
    place = {"id": chat, "type": "private", "first_name": "Budi"}
    message = {"message_id": number, "date": 0, "chat": place, "from": person, "text": text}
    return number, json.dumps({"update_id": number, "message": message})


async def bring(database: Database, *updates: tuple[int, str]) -> None:
    """As web processes do: one after the other, each in its own commit."""
    store = receiver(database, now)
    for update in updates:
        await store(*update)


class Gate:
    """Holds the turns of one chat up."""

    def __init__(self, conversation: Conversation, chat: int = 7) -> None:
        self.open = asyncio.Event()
        self._address = f"telegram:{chat}"
        conversation.before = self._hold

    async def _hold(self, address: str, incoming: Incoming) -> None:
        if address == self._address:
            await self.open.wait()


def texts(conversation: Conversation) -> list[str]:
    return [it.text for it in conversation.heard if isinstance(it, Typed)]


async def test_what_another_process_stores_is_answered_when_the_bell_rings(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with running(hooked_on(telegram, database, conversation, NOWHERE)):
        await bring(database, said(5, "satu"))
        await budi.sees("kamu bilang satu")
        await bring(database, said(6, "dua"))
        await budi.sees("kamu bilang dua")
        await until_answered(database)


async def test_what_nobody_rang_for_is_found_all_the_same(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, deaf = telegram.person(7), asyncio.Event()
    often = replace(FAST, look=0.02)
    channel = hooked_on(telegram, database, conversation, NOWHERE, bell=deaf, pace=often)
    async with running(channel):
        await bring(database, said(5, "satu"))
        await budi.sees("kamu bilang satu")


async def test_numbers_that_start_anew_lower_are_answered_too(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with running(hooked_on(telegram, database, conversation, NOWHERE)):
        await bring(database, said(900, "satu"))
        await budi.sees("kamu bilang satu")
        await bring(database, said(5, "dua"))
        await budi.sees("kamu bilang dua")


async def test_updates_stored_out_of_order_are_answered_in_order(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, ani, gate = telegram.person(7), telegram.person(8), Gate(conversation)
    async with running(hooked_on(telegram, database, conversation, NOWHERE)):
        await bring(database, said(5, "lima"), said(30, "tiga puluh"))
        await until(lambda: conversation.taken)
        await bring(database, said(10, "sepuluh"), said(20, "dua puluh"), said(40, "permisi", 8))
        await ani.sees("kamu bilang permisi")
        gate.open.set()
        await budi.sees("kamu bilang tiga puluh")
    assert [it.text for it in budi.chat.messages] == [
        f"kamu bilang {text}" for text in ("lima", "sepuluh", "dua puluh", "tiga puluh")
    ]


async def test_a_late_update_with_a_low_number_does_not_wait_for_the_others(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    ani, gate = telegram.person(8), Gate(conversation)
    async with running(hooked_on(telegram, database, conversation, NOWHERE)):
        await bring(database, *(said(100 + n, f"{n}") for n in range(9)))
        await until(lambda: conversation.taken)
        await bring(database, said(50, "permisi", 8))
        await ani.sees("kamu bilang permisi")
        gate.open.set()
        await until_answered(database)
    assert sorted(texts(conversation)) == sorted(["permisi", *map(str, range(9))])


async def test_more_than_can_be_in_hand_is_answered_in_the_end(
    telegram: FakeTelegram,
    database: Database,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.serving.MOST_WAITING", 8)
    gate = Gate(conversation)
    for chat in range(7, 15):
        telegram.person(chat)
    everything = [said(number, f"{number}", 7 + number % 8) for number in range(32)]
    await bring(database, *everything)
    async with running(hooked_on(telegram, database, conversation, NOWHERE)):
        await until(lambda: len(conversation.taken) > 8)  # others go on
        in_hand = [it for it in asyncio.all_tasks() if it.get_name().startswith("telegram update")]
        assert len(in_hand) <= 8
        gate.open.set()
        await until_answered(database)
    assert sorted(map(int, texts(conversation))) == list(range(32))
    for chat in range(7, 15):
        told = [int(said.text) for who, said, _ in conversation.taken if who == f"telegram:{chat}"]
        assert told == sorted(told)


async def test_while_too_much_is_in_hand_telegram_keeps_the_rest(
    telegram: FakeTelegram,
    database: Database,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.serving.MOST_WAITING", 4)
    budi, gate = telegram.person(7), Gate(conversation)
    async with running(channel_on(telegram, database, conversation)):
        for number in range(4):
            await budi.says(f"{number}")
        await until(lambda: conversation.taken)
        await telegram.until(lambda: not telegram.unconfirmed)
        polls = len(telegram.calls_of("getUpdates"))
        await budi.says("lagi")
        await telegram.until(lambda: len(telegram.calls_of("getUpdates")) >= polls)
        await asyncio.sleep(0.05)
        assert len(telegram.calls_of("getUpdates")) <= polls + 1
        gate.open.set()
        await budi.sees("kamu bilang lagi")


async def test_looking_costs_little_while_much_is_in_hand(
    telegram: FakeTelegram,
    failing: FailingDatabase,
    database: Database,
    conversation: Conversation,
) -> None:
    gate = Gate(conversation)
    telegram.person(7)
    channel = hooked_on(telegram, failing, conversation, NOWHERE)
    async with running(channel):
        await bring(database, *(said(number, f"{number}") for number in range(5)))
        await until(lambda: conversation.taken)
        for _ in range(50):
            channel.bell.set()
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert failing.reads < 20
        gate.open.set()
        await until_answered(database)
    assert len(conversation.taken) == 5


async def test_a_store_that_cannot_be_read_is_said_once_and_read_again(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi = telegram.person(7)
    failing.dark = True
    with capture_logs() as logs:
        async with running(hooked_on(telegram, failing, conversation, NOWHERE)):
            await bring(database, said(5, "satu"))
            await asyncio.sleep(0.2)
            assert conversation.taken == []
            failing.dark = False
            await budi.sees("kamu bilang satu")
    assert events(logs).count("telegram.cannot_read") == 1


async def test_answers_that_could_not_be_noted_are_noted_without_any_news(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi = telegram.person(7)
    often = replace(FAST, look=0.02)

    async def breaks(address: str, incoming: Incoming) -> None:
        failing.fails = Unwritable("disk full")

    conversation.before = breaks
    async with running(hooked_on(telegram, failing, conversation, NOWHERE, pace=often)):
        await bring(database, said(5, "satu"))
        await budi.sees("kamu bilang satu")
        await asyncio.sleep(0.1)
        assert await waiting_in(database) == [5]
        failing.fails = None
        await until_answered(database)
    assert len(conversation.taken) == 1


# -- one bot after the other -----------------------------------------------------------------------


async def killed(channel: TelegramChannel, conversation: Conversation) -> None:
    """Run until something is being answered; then end as a kill would: nothing is finished."""
    task = asyncio.create_task(channel.run())
    await until(lambda: conversation.taken)
    task.cancel()
    await asyncio.sleep(0)
    for other in asyncio.all_tasks():
        if other.get_name().startswith("telegram update"):
            other.cancel()
    await asyncio.wait([task])


async def test_another_process_answers_what_a_killed_one_left(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, _ = telegram.person(7), Gate(conversation)
    await bring(database, said(5, "satu"), said(6, "dua"))
    await killed(hooked_on(telegram, database, conversation, NOWHERE), conversation)
    await bring(database, said(7, "tiga"))  # web processes need no bot
    assert await waiting_in(database) == [5, 6, 7]

    successor = Conversation()
    async with running(hooked_on(telegram, database, successor, NOWHERE)):
        await budi.sees("kamu bilang tiga")
        await until_answered(database)
    assert texts(successor) == ["satu", "dua", "tiga"]
    assert successor.taken[0] == conversation.taken[0]  # the same input, not a second one


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_the_same_object_runs_again_after_its_end(
    telegram: FakeTelegram, database: Database, conversation: Conversation, mode: str
) -> None:
    budi = telegram.person(7)
    channel = hooked_on(telegram, database, conversation, NOWHERE, mode=mode)
    for number in range(3):
        async with running(channel):
            await until(lambda: channel.alive)
            await bring(database, said(number, f"{number}"))
            await budi.sees(f"kamu bilang {number}")
            await until_answered(database)
        assert not channel.alive
    assert texts(conversation) == ["0", "1", "2"]


async def test_a_run_that_was_cut_short_is_taken_up_by_the_same_object(
    telegram: FakeTelegram,
    database: Database,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.serving.GRACE", 0.05)
    budi, gate = telegram.person(7), Gate(conversation)
    channel = hooked_on(telegram, database, conversation, NOWHERE)
    await bring(database, said(5, "satu"), said(6, "dua"))
    async with running(channel):
        await until(lambda: conversation.taken)
    assert await waiting_in(database) == [5, 6]
    gate.open.set()
    async with running(channel):
        await budi.sees("kamu bilang dua")
        await until_answered(database)
    assert texts(conversation) == ["satu", "satu", "dua"]


async def test_an_end_before_telegram_was_ever_reached_is_an_end(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    fault = telegram.fail_next("getMe", "hang")
    channel = channel_on(telegram, database, conversation)
    async with running(channel):
        await telegram.until(lambda: fault.struck)
    async with running(channel):
        budi = telegram.person(7)
        await budi.says("satu")
        await budi.sees("kamu bilang satu")


async def test_an_update_that_comes_again_after_a_year_is_not_answered_again(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    a_year_ago = now() - 365 * 24 * 3600 * 1000
    number, body = said(5, "satu")

    def long_ago(tx: Any) -> None:
        SqlUpdates(tx, "telegram").store(number, body, a_year_ago)
        SqlUpdates(tx, "telegram").done(number, a_year_ago)

    await database.run(long_ago)
    async with running(hooked_on(telegram, database, conversation, NOWHERE)):
        await bring(database, (number, body), said(6, "dua"))
        await budi.sees("kamu bilang dua")
    assert texts(conversation) == ["dua"]
