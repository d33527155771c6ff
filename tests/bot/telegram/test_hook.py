"""Updates that Telegram brings: where to, proven by what, and the change of ways."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.conversation.views import Typed
from storage.database import CommitUnknown, Database, Unwritable
from tests.bot.telegram.stage import (
    SECRET,
    Conversation,
    FailingDatabase,
    channel_on,
    events,
    hooked_on,
    running,
    until,
    until_answered,
    waiting_in,
    web_process,
)
from tests.fakes.databases import KINDS
from tests.fakes.process import free_port
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.parametrize("kind", KINDS)


async def until_hooked(telegram: FakeTelegram) -> None:
    await telegram.until(lambda: telegram.calls_of("setWebhook"))


async def test_a_customer_talks_and_nobody_polls(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with (
        web_process(database) as url,
        running(hooked_on(telegram, database, conversation, url)),
    ):
        await until_hooked(telegram)
        await budi.says("satu")
        await budi.sees("kamu bilang satu")
        tap = await budi.taps_data("s:1:x", 1)
        assert await budi.sees_answer(tap) == ""
        await budi.sees("Picked")
        await until_answered(database)
        await telegram.until(lambda: not telegram.unconfirmed)
    assert telegram.calls_of("getUpdates") == []
    assert telegram.allowed_updates == ["message", "callback_query"]
    (asked,) = telegram.calls_of("setWebhook")
    assert asked.params["url"] == f"{url}/telegram/webhook"
    assert asked.params["secret_token"] == SECRET
    assert not asked.params.get("drop_pending_updates")


async def test_two_web_processes_store_and_one_bot_answers(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with (
        web_process(database) as one,
        web_process(database) as other,
        running(hooked_on(telegram, database, conversation, one)),
    ):
        await until_hooked(telegram)
        await budi.says("satu")
        await budi.sees("kamu bilang satu")
        telegram.webhook |= {"url": f"{other}/telegram/webhook"}
        await budi.repeat_last_update()
        await budi.says("dua")
        await budi.sees("kamu bilang dua")
        await telegram.until(lambda: not telegram.unconfirmed)
    assert conversation.heard == [Typed("satu"), Typed("dua")]


async def test_an_update_stored_without_an_answer_to_telegram_is_answered_once(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi = telegram.person(7)
    failing.fails, failing.too_late = CommitUnknown("cut"), True
    async with (
        web_process(failing) as url,
        running(hooked_on(telegram, database, conversation, url)),
    ):
        await budi.says("satu")
        await budi.sees("kamu bilang satu")  # stored, although Telegram heard 503
        assert len(telegram.unconfirmed) == 1
        failing.fails = None
        await telegram.until(lambda: not telegram.unconfirmed)
        await budi.says("dua")
        await budi.sees("kamu bilang dua")
    assert conversation.heard == [Typed("satu"), Typed("dua")]


async def test_what_cannot_be_stored_stays_with_telegram_and_nobody_is_told_anything(
    telegram: FakeTelegram,
    database: Database,
    failing: FailingDatabase,
    conversation: Conversation,
) -> None:
    budi, failing.fails = telegram.person(7), Unwritable("disk full")
    async with (
        web_process(failing) as url,
        running(hooked_on(telegram, database, conversation, url)),
    ):
        await budi.says("satu")
        await telegram.until(lambda: "503" in telegram.webhook.get("error", ""))
        assert budi.chat.messages == []
        failing.fails = None
        await budi.sees("kamu bilang satu")


async def test_from_polling_to_webhook_and_back_nothing_is_lost_or_repeated(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi, heard = telegram.person(7), []

    async def says(text: str) -> None:
        heard.append(Typed(text))
        await budi.says(text)

    async with web_process(database) as url:
        for round_ in range(2):
            async with running(channel_on(telegram, database, conversation)):
                await says(f"{round_} polling")
                await budi.sees(f"kamu bilang {round_} polling")
            # The last one is answered and not confirmed: it comes again by the webhook.
            await says(f"{round_} between")
            assert telegram.webhook == {}
            async with running(hooked_on(telegram, database, conversation, url)):
                await budi.sees(f"kamu bilang {round_} between")
                await says(f"{round_} webhook")
                await budi.sees(f"kamu bilang {round_} webhook")
            await says(f"{round_} without a bot")
            await telegram.until(lambda: not telegram.unconfirmed)
            assert len(await waiting_in(database)) == 1
            telegram.webhook |= {"url": "http://127.0.0.1:9/gone"}
            await says(f"{round_} without anybody")
        async with running(channel_on(telegram, database, conversation)):
            await budi.sees("kamu bilang 1 without anybody")
            await telegram.until(lambda: not telegram.unconfirmed)
            await until_answered(database)
    assert conversation.heard == heard


async def test_an_update_on_its_way_by_webhook_is_not_answered_twice_by_polling(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with web_process(database) as url:
        async with running(hooked_on(telegram, database, conversation, url)):
            await until_hooked(telegram)
            await budi.says("satu")
            await budi.sees("kamu bilang satu")
        async with running(channel_on(telegram, database, conversation)):
            await telegram.until(lambda: telegram.calls_of("getUpdates"))
            await budi.repeat_last_update()
            await budi.says("dua")
            await budi.sees("kamu bilang dua")
    assert conversation.heard == [Typed("satu"), Typed("dua")]


# -- where updates are taken to --------------------------------------------------------------------


async def test_a_webhook_that_cannot_be_set_is_said_once_and_tried_again(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    with capture_logs() as logs:
        async with web_process(database) as url:
            telegram.fail_next("setWebhook", 400, 3)
            async with running(hooked_on(telegram, database, conversation, url)):
                await budi.says("satu")
                await budi.sees("kamu bilang satu")
            telegram.fail_next("setWebhook", 500, 3)
            async with running(hooked_on(telegram, database, conversation, url)):
                await until(lambda: events(logs).count("telegram.back") == 2)
    refused = [entry for entry in logs if entry["event"] == "telegram.refused"]
    assert len(refused) == 1
    assert "LAPAK_PUBLIC_URL" in refused[0]["todo"]
    assert events(logs).count("telegram.unreachable") == 1
    assert SECRET not in repr(logs)


async def test_a_webhook_that_somebody_took_away_is_set_again(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    with capture_logs() as logs:
        async with (
            web_process(database) as url,
            running(hooked_on(telegram, database, conversation, url)),
        ):
            await until_hooked(telegram)
            telegram.webhook = {}
            await budi.says("satu")
            await budi.sees("kamu bilang satu")
            await until(lambda: "telegram.webhook_is_ours_again" in events(logs))
    assert events(logs).count("telegram.webhook_elsewhere") == 1


async def test_a_webhook_that_somebody_else_took_is_said_once_and_left_to_them(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    with capture_logs() as logs:
        async with running(hooked_on(telegram, database, conversation, "http://127.0.0.1:9")):
            await until_hooked(telegram)
            telegram.webhook = {"url": "http://127.0.0.9:9/secret-path", "secret_token": ""}
            looks = len(telegram.calls_of("getWebhookInfo"))
            await telegram.until(lambda: len(telegram.calls_of("getWebhookInfo")) > looks + 3)
    (said,) = [entry for entry in logs if entry["event"] == "telegram.webhook_elsewhere"]
    assert said["to"] == "127.0.0.9"
    assert "secret-path" not in repr(logs)
    assert len(telegram.calls_of("setWebhook")) == 1


async def test_what_telegram_complains_of_is_said_once(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    port = free_port()
    url, budi = f"http://127.0.0.1:{port}", telegram.person(7)
    with capture_logs() as logs:
        async with running(hooked_on(telegram, database, conversation, url)):
            await budi.says("satu")
            await until(lambda: "telegram.webhook_trouble" in events(logs))
            async with web_process(database, (b"another secret",), port):
                await until(lambda: events(logs).count("telegram.webhook_trouble") == 2)
                looks = len(telegram.calls_of("getWebhookInfo"))
                await telegram.until(lambda: len(telegram.calls_of("getWebhookInfo")) > looks + 3)
    complaints = [it["why"] for it in logs if it["event"] == "telegram.webhook_trouble"]
    assert complaints == ["Connection refused", "Wrong response from the webhook: 401"]


async def test_while_telegram_cannot_be_asked_what_is_stored_is_answered(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with (
        web_process(database) as url,
        running(hooked_on(telegram, database, conversation, url)),
    ):
        await until_hooked(telegram)
        fault = telegram.fail_next("getWebhookInfo", 500, 99)
        await telegram.until(lambda: fault.struck > 2)
        await budi.says("satu")
        await budi.sees("kamu bilang satu")


@pytest.mark.parametrize("missing", ["public_url", "webhook_secret"])
async def test_a_webhook_without_address_or_secret_is_refused_at_once(
    telegram: FakeTelegram, database: Database, conversation: Conversation, missing: str
) -> None:
    more: dict[str, Any] = {"public_url": "http://127.0.0.1:9", missing: ""}
    with pytest.raises(ValueError, match="needs a public address and a secret"):
        hooked_on(telegram, database, conversation, more.pop("public_url"), **more)


async def test_a_web_process_goes_on_without_a_bot(
    telegram: FakeTelegram, database: Database, conversation: Conversation
) -> None:
    budi = telegram.person(7)
    async with web_process(database) as url:
        telegram.webhook = {"url": f"{url}/telegram/webhook", "secret_token": SECRET}
        for text in ("satu", "dua"):
            await budi.says(text)
        await telegram.until(lambda: not telegram.unconfirmed)
        assert len(await waiting_in(database)) == 2
        await asyncio.sleep(0)
        async with running(hooked_on(telegram, database, conversation, url)):
            await budi.sees("kamu bilang dua")
    assert conversation.heard == [Typed("satu"), Typed("dua")]
