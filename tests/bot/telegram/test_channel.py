"""The channel against a Telegram that has bad days, on a real database."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.conversation.channels import CannotAnswer
from bot.conversation.commands import MENU
from bot.conversation.views import Choice, Incoming, Picked, Shared, Started, Typed, View, What
from bot.telegram.intake import stored_form
from storage.database import Database, Unwritable
from tests.bot.telegram.stage import (
    TEXTS,
    Conversation,
    FailingDatabase,
    Languages,
    channel_on,
    events,
    running,
    until,
    until_answered,
    waiting_in,
)
from tests.fakes.telegram import FakeTelegram

# -- a conversation --------------------------------------------------------------------------------


async def test_a_customer_talks_and_taps(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    updates = []
    yes = Choice("yes", "Ya", data="s:3:yes")
    conversation.answer = lambda it: View(title="Toko", text=repr(it), choices=(yes,))
    channel = channel_on(telegram, database, conversation)
    assert not channel.alive
    async with running(channel):
        await budi.says("/start ff")
        updates.append(budi.last_update["update_id"])
        await budi.sees("Started(payload='ff')")
        assert channel.alive
        tap = await budi.taps("Ya")
        updates.append(budi.last_update["update_id"])
        assert await budi.sees_answer(tap) == ""
        await budi.sees("Picked(choice='yes', screen=3)")
        await until_answered(database)
        await telegram.until(lambda: not telegram.unconfirmed)
    assert not channel.alive
    assert conversation.heard == [Started("ff"), Picked("yes", 3)]
    assert [key for _, _, key in conversation.taken] == [f"u{number}" for number in updates]
    assert conversation.limits == {20}
    assert telegram.allowed_updates == ["message", "callback_query"]
    assert budi.last.entities[0]["type"] == "bold"


async def test_what_is_not_text_is_heard_too(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with running(channel_on(telegram, database, conversation)):
        await budi.sends_photo(caption="bukti")
        await budi.sends_sticker()
        await budi.sends_contact()
        await until(lambda: len(conversation.taken) == 3)
    picture, *others = conversation.heard
    assert isinstance(picture, Shared)
    assert picture.what is What.PICTURE
    assert picture.file
    assert others == [Shared(What.OTHER), Shared(What.OTHER)]


async def test_an_edited_message_does_nothing(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with running(channel_on(telegram, database, conversation)):
        await telegram.until(lambda: telegram.calls_of("getUpdates"))
        said = await budi.says("satu")
        await budi.sees("kamu bilang satu")
        telegram.allowed_updates.append("edited_message")  # asked for by an earlier version
        telegram.enqueue("edited_message", said.json() | {"text": "/kasus"})
        await budi.says("dua")
        await budi.sees("kamu bilang dua")
    assert conversation.heard == [Typed("satu"), Typed("dua")]


async def test_an_order_that_speaks_for_itself_needs_no_answer(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    conversation.answer = lambda it: None
    async with running(channel_on(telegram, database, conversation)):
        await budi.says("bayar")
        await until(lambda: conversation.taken)
        await until_answered(database)
    assert budi.chat.messages == []


async def test_a_tap_that_can_no_longer_be_acknowledged_still_counts(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, telegram.query_lifetime = telegram.person(7), 0
    async with running(channel_on(telegram, database, conversation)):
        await budi.taps_data("s:1:x", 1)
        await budi.sees("Picked")


def test_an_answer_of_telegram_is_taken_apart_into_numbers_and_texts() -> None:
    batch = [{"update_id": 5, "x": "\ud83d"}, {"update_id": True}, {"update_id": 2**63}, {}, 7]
    assert stored_form(batch) == [(5, '{"update_id": 5, "x": "\\ud83d"}')]
    assert stored_form({"update_id": 5}) == []


# -- order, repetition, crashes --------------------------------------------------------------------


async def test_one_chat_is_answered_in_order_while_others_go_on(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    slow, quick, gate = telegram.person(7), telegram.person(8), asyncio.Event()

    async def hold(address: str, incoming: Incoming) -> None:
        if incoming == Typed("satu"):
            await gate.wait()

    conversation.before = hold
    async with running(channel_on(telegram, database, conversation)):
        for text in ("satu", "dua", "tiga"):
            await slow.says(text)
        await quick.says("permisi")
        await quick.sees("kamu bilang permisi")
        assert slow.chat.messages == []
        gate.set()
        await slow.sees("kamu bilang tiga")
    assert [it.text for it in slow.chat.messages] == [
        f"kamu bilang {text}" for text in ("satu", "dua", "tiga")
    ]


async def test_a_repeated_update_is_taken_once(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with running(channel_on(telegram, database, conversation)):
        await budi.says("permisi")
        await budi.sees("kamu bilang permisi")
        await budi.repeat_last_update()
        await budi.says("lagi")
        await budi.sees("kamu bilang lagi")
    async with running(channel_on(telegram, database, conversation)):
        await budi.repeat_last_update()
        await budi.quiet(0.2)
    assert conversation.heard == [Typed("permisi"), Typed("lagi")]


async def test_what_was_stored_and_not_answered_is_answered_by_the_next_run(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, telegram_is_slow = telegram.person(7), asyncio.Event()

    async def hang(address: str, incoming: Incoming) -> None:
        await telegram_is_slow.wait()

    conversation.before = hang
    task = asyncio.create_task(channel_on(telegram, database, conversation).run())
    await budi.says("satu")
    await budi.says("dua")
    await until(lambda: conversation.taken)
    await telegram.until(lambda: not telegram.unconfirmed)  # Telegram will not say it again
    task.cancel()
    await asyncio.sleep(0)
    for other in asyncio.all_tasks():  # as a kill would: nothing is finished
        if other.get_name().startswith("telegram update"):
            other.cancel()
    await asyncio.wait([task])
    assert len(await waiting_in(database)) == 2

    again = Conversation()
    async with running(channel_on(telegram, database, again)):
        await budi.says("tiga")
        await budi.sees("kamu bilang tiga")
        await until_answered(database)
    assert [it.text for it in budi.chat.messages] == [
        f"kamu bilang {text}" for text in ("satu", "dua", "tiga")
    ]
    assert again.taken[0] == conversation.taken[0]


async def test_nothing_is_confirmed_before_it_is_stored(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi, failing.fails = telegram.person(7), Unwritable("disk full")

    async def cannot(address: str, incoming: Incoming) -> None:
        if failing.fails:
            raise CannotAnswer(View(text="coba lagi nanti"))

    conversation.before = cannot
    with capture_logs() as logs:
        async with running(channel_on(telegram, failing, conversation)):
            await budi.says("permisi")
            await budi.sees("coba lagi nanti")
            polls = len(telegram.calls_of("getUpdates"))
            await telegram.until(lambda: len(telegram.calls_of("getUpdates")) > polls + 3)
            assert [it["message"]["text"] for it in telegram.unconfirmed] == ["permisi"]
            failing.fails = None
            await telegram.until(lambda: not telegram.unconfirmed)
            await budi.says("lagi")
            await budi.sees("kamu bilang lagi")
            await until_answered(database)
    assert [it.text for it in budi.chat.messages] == ["coba lagi nanti", "kamu bilang lagi"]
    assert events(logs).count("telegram.cannot_store") == 1
    assert events(logs).count("telegram.back") == 1


async def test_an_answer_that_could_not_be_noted_is_noted_later(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi = telegram.person(7)

    async def breaks(address: str, incoming: Incoming) -> None:
        failing.fails = Unwritable("disk full") if incoming == Typed("satu") else None

    conversation.before = breaks
    async with running(channel_on(telegram, failing, conversation)):
        await budi.says("satu")
        await budi.sees("kamu bilang satu")
        await until(lambda: failing.fails)
        await asyncio.sleep(0.02)
        assert len(await waiting_in(database)) == 1
        failing.fails = None
        await budi.says("dua")
        await budi.sees("kamu bilang dua")
        await until_answered(database)


async def test_an_update_nobody_can_read_is_put_aside(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    with capture_logs() as logs:
        async with running(channel_on(telegram, database, conversation)):
            await telegram.until(lambda: telegram.calls_of("getUpdates"))
            telegram.enqueue("message", {"message_id": "?", "chat": 5})
            await budi.says("permisi")
            await budi.sees("kamu bilang permisi")
            await until_answered(database)
    assert "telegram.unreadable_update" in events(logs)


async def test_a_flood_of_one_chat_costs_its_oldest_messages(
    telegram: FakeTelegram,
    database: Database,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.serving.MOST_BEHIND", 3)
    budi, gate = telegram.person(7), asyncio.Event()

    async def hold(address: str, incoming: Incoming) -> None:
        await gate.wait()

    conversation.before = hold
    async with running(channel_on(telegram, database, conversation)):
        for number in range(10):
            await budi.says(f"{number}")
        await until(lambda: conversation.taken)
        await telegram.until(lambda: not telegram.unconfirmed)
        gate.set()
        await budi.sees("kamu bilang 9")
        await until_answered(database)
    assert conversation.heard[-4:] == [Typed(str(number)) for number in (6, 7, 8, 9)]
    assert len(conversation.heard) < 10


async def test_the_end_waits_for_answers_that_are_on_their_way(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    fault = telegram.fail_next("sendMessage", "hang")
    async with running(channel_on(telegram, database, conversation)) as task:
        await budi.says("satu")
        await budi.says("dua")
        await telegram.until(lambda: fault.struck)
        await telegram.until(lambda: not telegram.unconfirmed)
        task.cancel()
        await asyncio.sleep(0.02)
        assert not task.done()
        started = time.monotonic()
        fault.release()
        await asyncio.wait([task])
        assert time.monotonic() - started < 1
    assert [it.text for it in budi.chat.messages] == ["kamu bilang satu"]
    assert len(await waiting_in(database)) == 1  # "dua" was not begun


async def test_the_end_does_not_wait_for_ever(
    telegram: FakeTelegram,
    database: Database,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.serving.GRACE", 0.05)
    budi = telegram.person(7)
    fault = telegram.fail_next("sendMessage", "hang")
    async with running(channel_on(telegram, database, conversation)):
        await budi.says("satu")
        await telegram.until(lambda: fault.struck)
    assert len(await waiting_in(database)) == 1


# -- Telegram's bad days ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [429, 500, "cut"])
async def test_an_answer_is_tried_again(
    telegram: FakeTelegram, database: Database, conversation: Conversation, kind: Any
) -> None:
    budi = telegram.person(7)
    telegram.fail_next("sendMessage", kind, 2, retry_after=0)
    async with running(channel_on(telegram, database, conversation)):
        await budi.says("permisi")
        await budi.sees("kamu bilang permisi")
        await until_answered(database)
    assert len(conversation.taken) == 1


async def test_a_flood_limit_is_obeyed(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    telegram.fail_next("sendMessage", 429, retry_after=1)
    async with running(channel_on(telegram, database, conversation)):
        await budi.says("permisi")
        await budi.sees("kamu bilang permisi")
    first, second = telegram.calls_of("sendMessage")
    assert second.at - first.at >= 990


@pytest.mark.parametrize("hopeless", ["blocked", "long flood", "down"])
async def test_an_answer_that_cannot_arrive_holds_nobody_up(
    telegram: FakeTelegram, database: Database, conversation: Conversation, hopeless: str
) -> None:
    budi, ani = telegram.person(7), telegram.person(8)
    if hopeless == "blocked":
        telegram.block(7)
    elif hopeless == "long flood":
        telegram.fail_next("sendMessage", 429, retry_after=9999, chat_id=7)
    else:
        telegram.fail_next("sendMessage", 500, 99, chat_id=7)
    async with running(channel_on(telegram, database, conversation)):
        await budi.says("permisi")
        await ani.says("permisi")
        await ani.sees("kamu bilang permisi")
        await until_answered(database)
    assert budi.chat.messages == []


async def test_a_wrong_token_is_said_once_and_tried_again(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    right, telegram.token = telegram.token, "123:changed"
    with capture_logs() as logs:
        async with running(channel_on(telegram, database, conversation)) as task:
            for _ in range(1000):
                if "telegram.token_refused" in events(logs):
                    break
                await asyncio.sleep(0.01)
            assert not task.done()
            telegram.token = right
            await budi.says("permisi")
            await budi.sees("kamu bilang permisi")
    refused = [entry for entry in logs if entry["event"] == "telegram.token_refused"]
    assert len(refused) == 1
    assert "@BotFather" in refused[0]["todo"]
    assert "telegram.back" in events(logs)
    assert right not in repr(logs)


async def test_a_network_that_is_away_is_said_once(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    telegram.fail_next("*", "cut", 3)
    with capture_logs() as logs:
        async with running(channel_on(telegram, database, conversation)):
            await telegram.until(lambda: telegram.calls_of("getUpdates"))
            telegram.fail_next("getUpdates", 500, 4)
            await budi.says("permisi")
            await budi.sees("kamu bilang permisi")
            await until(lambda: events(logs).count("telegram.back") == 2)
    assert events(logs).count("telegram.unreachable") == 2
    assert events(logs).count("telegram.back") == 2


async def test_another_poller_is_said_once(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    telegram.fail_next("getUpdates", 409, 3)
    with capture_logs() as logs:
        async with running(channel_on(telegram, database, conversation)):
            await budi.says("permisi")
            await budi.sees("kamu bilang permisi")
            await until(lambda: "telegram.back" in events(logs))
    assert events(logs).count("telegram.conflict") == 1


async def test_a_forgotten_webhook_is_taken_away_with_its_updates_kept(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    telegram.webhook = {"url": "http://127.0.0.1:9/gone", "secret_token": ""}
    await budi.says("permisi")
    async with running(channel_on(telegram, database, conversation)):
        await budi.sees("kamu bilang permisi")
    assert telegram.webhook == {}


async def test_commands_are_offered_in_each_language_and_more_to_owners(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    telegram.person(99)
    async with running(channel_on(telegram, database, conversation)):
        await telegram.until(lambda: len(telegram.calls_of("setMyCommands")) == 4)
    offered = {key: [it["command"] for it in them] for key, them in telegram.commands.items()}
    assert offered["", "default"] == list(MENU["id"])
    assert offered["en", "default"] == list(MENU["en"])
    desk = ["kasus", "daftar", "rute", "cocok", "harga", "tautan", "buku", "catat"]
    assert offered["", "99:chat"] == [*MENU["id"], *desk]
    desk = ["cases", "lists", "route", "match", "price", "link", "ledger", "catat"]
    assert offered["en", "99:chat"] == [*MENU["en"], *desk]
    said = {it["command"]: it["description"] for it in telegram.commands["", "99:chat"]}
    ours = {it["command"]: it["description"] for it in telegram.commands["", "default"]}
    assert (said["saldo"], ours["saldo"]) == ("Saldo pemasok", "Saldomu")


async def test_refused_menus_do_not_stop_the_shop(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    telegram.fail_next("setMyCommands", 500, 2)
    telegram.fail_next("setMyCommands", 400, 2)
    async with running(channel_on(telegram, database, conversation)):
        await budi.says("permisi")
        await budi.sees("kamu bilang permisi")


# -- the unexpected --------------------------------------------------------------------------------


def failing_at(word: str) -> Callable[[str, Incoming], Awaitable[None]]:
    async def fail(address: str, incoming: Incoming) -> None:
        if incoming == Typed(word):
            raise LookupError(word)

    return fail


async def test_an_error_of_ours_is_logged_and_the_person_hears_of_it(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, ann = telegram.person(7), telegram.person(8)
    conversation.before = failing_at("rusak")
    channel = channel_on(telegram, database, conversation, texts_of=Languages({"telegram:8": "en"}))
    with capture_logs() as logs:
        async with running(channel):
            await budi.says("rusak")
            await budi.sees(TEXTS["id"]("sorry.unexpected", support="@bantuan"))
            await ann.says("rusak")
            await ann.sees(TEXTS["en"]("sorry.unexpected", support="@bantuan"))
            await budi.says("permisi")
            await budi.sees("kamu bilang permisi")
            await until_answered(database)
    assert events(logs).count("telegram.update_failed") == 2


async def test_the_person_hears_of_it_even_if_their_language_is_lost(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    conversation.before = failing_at("rusak")

    async def lost(address: str) -> Any:
        raise LookupError

    async with running(channel_on(telegram, database, conversation, texts_of=lost)):
        await budi.says("rusak")
        await budi.sees(TEXTS["id"]("sorry.unexpected", support="@bantuan"))


# -- groups ----------------------------------------------------------------------------------------

WRITE_TO_ME = TEXTS["id"]("group.write_to_me", link="https://t.me/lapak_bot")


async def test_in_a_group_the_bot_only_says_where_to_write_to(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    mention = {"type": "mention", "offset": 0, "length": 10}
    owner = telegram.person(99)
    group = owner.in_group(-50)
    async with running(channel_on(telegram, database, conversation)):
        said = await group.says("selamat pagi semua")  # the first one of this hour
        told = await group.sees(WRITE_TO_ME)
        for chatter in ("pagi", "permisi @orang_lain", "/start@bot_lain"):
            await group.says(chatter)
        for called in ("/kasus", "/saldo@lapak_bot"):
            await group.says(called)
            told = await group.sees(WRITE_TO_ME, after=told)
        for how in (
            {"text": "@Lapak_bot berapa?", "entities": [mention]},
            {"reply_to_message": told.json()},
        ):
            telegram.enqueue("message", said.json() | {"entities": []} | how)
            told = await group.sees(WRITE_TO_ME, after=told)
        tap = await group.taps_data("c:1:yes-refund", told.message_id)
        assert await group.sees_answer(tap) == WRITE_TO_ME
        await group.sends_sticker()
        await group.quiet(0.1)
    assert [it.text for it in group.chat.messages] == [WRITE_TO_ME] * 5
    assert conversation.taken == []
    assert owner.chat.messages == []
