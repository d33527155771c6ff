"""The fake Telegram, tried with the client library the bot uses."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image
from telegram import (
    Bot,
    CopyTextButton,
    InaccessibleMessage,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Update,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from tests.fakes.telegram import FakeTelegram, FaultKind
from tests.fakes.telegram_html import BadMarkup, parse_html

TOKEN = "123:abc"
Act = Callable[[Bot], Awaitable[Any]]


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    row = [InlineKeyboardButton(label, callback_data=f"go:{label}") for label in labels]
    return InlineKeyboardMarkup([row])


def picture(color: str = "red") -> bytes:
    Image.new("RGB", (4, 4), color).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


async def on_start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.message.reply_html("Selamat datang, <b>kak</b>!", reply_markup=keyboard("Naik"))


async def on_text(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.message.reply_text(f"kamu bilang {update.message.text}")


async def on_photo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    file = await update.message.photo[-1].get_file()
    data = await file.download_as_bytearray()
    await update.message.reply_photo(bytes(data), caption="fotomu")


async def on_other(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    kind = "stiker" if update.message.sticker else "kontak"
    await update.message.reply_text(f"itu {kind}")


async def on_tap(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    await query.answer(f"ok {query.data}")
    if not isinstance(query.message, InaccessibleMessage):
        await query.edit_message_text(f"tekan {query.data}", reply_markup=keyboard("Turun"))


def application(telegram: FakeTelegram) -> Application:
    urls = {"base_url": f"{telegram.url}/bot", "base_file_url": f"{telegram.url}/file/bot"}
    builder = Application.builder().token(TOKEN)
    built = builder.base_url(urls["base_url"]).base_file_url(urls["base_file_url"]).build()
    built.add_handler(CommandHandler("start", on_start))
    built.add_handler(MessageHandler(filters.TEXT, on_text))
    built.add_handler(MessageHandler(filters.PHOTO, on_photo))
    built.add_handler(MessageHandler(filters.ALL, on_other))
    built.add_handler(CallbackQueryHandler(on_tap))
    return built


@asynccontextmanager
async def running(telegram: FakeTelegram, **polling: Any) -> AsyncIterator[Application]:
    async with application(telegram) as bot:
        await bot.start()
        await bot.updater.start_polling(**polling)
        yield bot
        await bot.updater.stop()
        await bot.stop()


@pytest.fixture(autouse=True)
def spans_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the library warns whenever ``RetryAfter`` is raised."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(token=TOKEN) as telegram:
        yield telegram


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, f"{telegram.url}/bot", f"{telegram.url}/file/bot") as bot:
        yield bot


# -- a conversation -------------------------------------------------------------------------------


async def test_a_customer_talks_with_a_polling_bot(telegram: FakeTelegram) -> None:
    budi = telegram.person(7, first_name="Budi", language_code="id")
    async with running(telegram):
        await budi.says("/start")
        menu = await budi.sees("Selamat datang")
        assert menu.text == "Selamat datang, kak!"
        assert menu.entities == [{"type": "bold", "offset": 16, "length": 3}]
        assert menu.buttons == [("Naik", "go:Naik")]

        tap = await budi.taps("Nai")
        assert await budi.sees_answer(tap) == "ok go:Naik"
        assert await budi.sees("tekan go:Naik") is menu
        assert (menu.labels, menu.edited) == (["Turun"], 1)
        await budi.says("halo 👋")
        assert (await budi.sees("kamu bilang halo 👋")) is budi.last
    assert telegram.calls_of("sendMessage")[0].params["chat_id"] == 7
    assert telegram.unconfirmed == []


async def test_the_bot_receives_what_people_send(telegram: FakeTelegram) -> None:
    budi = telegram.person(7)
    async with running(telegram):
        await budi.sends_photo(picture("blue"), caption="bukti")
        assert (await budi.sees_photo()).photo == picture("blue")
        await budi.sends_sticker()
        await budi.sees("itu stiker")
        await budi.sends_contact()
        await budi.sees("itu kontak")


async def test_a_group_is_another_chat_of_the_same_person(telegram: FakeTelegram) -> None:
    budi = telegram.person(7)
    group = budi.in_group(-50)
    async with running(telegram):
        await group.says("/start@lapak_bot")
        await group.sees("Selamat datang")
        await group.quiet(0.1)
    assert budi.chat.messages == []
    assert group.last_update["message"]["chat"]["type"] == "group"
    assert group.last_update["message"]["from"]["id"] == 7


async def test_a_button_of_a_deleted_message_can_still_be_tapped(telegram: FakeTelegram) -> None:
    budi = telegram.person(7)
    async with running(telegram) as bot:
        sent = await bot.bot.send_message(7, "sebentar", reply_markup=keyboard("Naik"))
        await sent.delete()
        assert telegram.chat(7).visible == []
        assert telegram.chat(7).messages[0].deleted
        with pytest.raises(AssertionError, match="no button 'Naik'"):
            await budi.taps("Naik")
        tap = await budi.taps_data("go:Naik", sent.message_id)
        assert await budi.sees_answer(tap) == "ok go:Naik"


async def test_the_last_update_comes_again_with_the_same_number(telegram: FakeTelegram) -> None:
    budi = telegram.person(7)
    async with running(telegram):
        await budi.says("halo")
        await budi.sees("kamu bilang halo")
        await telegram.until(lambda: not telegram.unconfirmed)
        await budi.repeat_last_update()
        await telegram.until(lambda: len(telegram.chat(7).messages) == 2)
        await budi.quiet(0.1)
    assert [it.text for it in telegram.chat(7).messages] == ["kamu bilang halo"] * 2


async def test_waiting_in_vain_says_what_is_visible(telegram: FakeTelegram, bot: Bot) -> None:
    budi = telegram.person(7)
    await bot.send_message(7, "halo", reply_markup=keyboard("Naik"))
    with pytest.raises(AssertionError, match=r"(?s)'Lunas'; visible:.*'halo' \['Naik'\]"):
        await budi.sees("Lunas", timeout=0.01)
    with pytest.raises(AssertionError, match="'halo'"):
        await budi.sees("halo", timeout=0.01, after=budi.last)
    with pytest.raises(AssertionError, match="a photo"):
        await budi.sees_photo(timeout=0.01)


async def test_quiet_waits_for_the_end_of_the_talking(telegram: FakeTelegram, bot: Bot) -> None:
    budi = telegram.person(7)
    telegram.person(8)

    async def talk() -> None:
        for number in range(4):
            await asyncio.sleep(0.05)
            await bot.send_message(7, f"pesan {number}")

    talking = asyncio.create_task(talk())
    await budi.quiet(0.15)
    assert talking.done()
    assert budi.last.text == "pesan 3"
    telegram.fail_next("sendMessage", 500)
    with pytest.raises(AssertionError, match="never quiet"):
        await budi.quiet(1, within=0.05)
    with pytest.raises(NetworkError):
        await bot.send_message(8, "…")


# -- what Telegram refuses ------------------------------------------------------------------------


async def edit_the_same(bot: Bot) -> None:
    sent = await bot.send_message(7, "<b>x</b>", "HTML", reply_markup=keyboard("A"))
    await sent.edit_text("<b>x</b>", "HTML", reply_markup=keyboard("A"))


async def edit_a_deleted_one(bot: Bot) -> None:
    sent = await bot.send_message(7, "x")
    await sent.delete()
    await sent.edit_text("y")


async def edit_text_of_a_photo(bot: Bot) -> None:
    await (await bot.send_photo(7, picture())).edit_text("y")


async def edit_caption_of_a_text(bot: Bot) -> None:
    await (await bot.send_message(7, "x")).edit_caption("y")


def button(**action: Any) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("A", **action)]])


REFUSALS: dict[str, Act] = {
    "Message text is empty": lambda bot: bot.send_message(7, " <b> </b> ", "HTML"),
    "Message is too long": lambda bot: bot.send_message(7, "x" * 4097),
    "Message caption is too long": lambda bot: bot.send_photo(7, picture(), caption="x" * 1025),
    "Image_process_failed": lambda bot: bot.send_photo(7, b"not a picture"),
    "Wrong file identifier": lambda bot: bot.send_photo(7, "unknown"),
    "Chat not found": lambda bot: bot.send_message(99, "x"),
    "Can't parse entities: unsupported start tag": lambda bot: bot.send_message(7, "<x>", "HTML"),
    "Unsupported parse_mode": lambda bot: bot.send_message(7, "*x*", "Markdown"),
    "Button_data_invalid": lambda bot: bot.send_message(
        7, "x", reply_markup=button(callback_data="é" * 33)
    ),
    "Button_copy_text_invalid": lambda bot: bot.send_message(
        7, "x", reply_markup=button(copy_text=CopyTextButton("x" * 257))
    ),
    "Can't parse inline keyboard button": lambda bot: bot.send_message(
        7, "x", reply_markup=button()
    ),
    "Reply_markup_too_long": lambda bot: bot.send_message(
        7, "x", reply_markup=keyboard(*map(str, range(101)))
    ),
    "Message to be replied not found": lambda bot: bot.send_message(7, "x", reply_to_message_id=1),
    "Message is not modified": edit_the_same,
    "Message to edit not found": edit_a_deleted_one,
    "There is no text in the message to edit": edit_text_of_a_photo,
    "There is no caption in the message to edit": edit_caption_of_a_text,
    "Message to delete not found": lambda bot: bot.delete_message(7, 1),
    "Query is too old": lambda bot: bot.answer_callback_query("query-1"),
    "Bot_command_invalid": lambda bot: bot.set_my_commands([("Beli", "Beli")]),
}


@pytest.mark.parametrize("complaint", REFUSALS)
async def test_it_refuses_what_telegram_refuses(
    telegram: FakeTelegram, bot: Bot, complaint: str
) -> None:
    telegram.person(7)
    with pytest.raises(BadRequest, match=f"^{complaint}"):
        await REFUSALS[complaint](bot)
    assert telegram.calls[-1].status == 400


async def test_it_accepts_messages_at_the_limits(telegram: FakeTelegram, bot: Bot) -> None:
    budi = telegram.person(7)
    await bot.send_message(7, f"<b>{'&lt;' * 4096}</b>", "HTML")
    assert budi.last.text == "<" * 4096
    await bot.send_message(7, "x", reply_markup=button(callback_data="x" * 64))
    await bot.send_message(7, "y", reply_markup=button(copy_text=CopyTextButton("x" * 256)))
    assert budi.last.buttons == [("A", "x" * 256)]
    assert budi.last.callbacks == []
    await bot.send_message(7, "12345")
    assert budi.last.text == "12345"


async def test_a_tap_can_be_answered_in_time_only(telegram: FakeTelegram, bot: Bot) -> None:
    tap = await telegram.person(7).taps_data("x", 1)
    await bot.answer_callback_query(tap)
    telegram.query_lifetime = 0
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(tap)


async def test_only_the_right_token_and_known_methods_are_served(
    telegram: FakeTelegram, bot: Bot
) -> None:
    with pytest.raises(InvalidToken):
        async with Bot("123:other", f"{telegram.url}/bot"):
            pass
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("sendNothing")
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{telegram.url}/bot{TOKEN}/getMe") as answer:
            assert (await answer.json())["result"]["id"] == 123
        telegram.person(7)
        message = {"chat_id": 7, "text": "<i>halo</i>", "parse_mode": "HTML"}
        async with http.post(f"{telegram.url}/bot{TOKEN}/sendMessage", json=message) as answer:
            assert (await answer.json())["result"]["text"] == "halo"


# -- photos, edits, settings ----------------------------------------------------------------------


async def test_a_photo_is_kept_as_bytes_and_can_be_sent_again(
    telegram: FakeTelegram, bot: Bot
) -> None:
    budi = telegram.person(7)
    sent = await bot.send_photo(7, picture(), caption="<b>QR</b>", parse_mode="HTML")
    await bot.send_photo(7, sent.photo[-1].file_id)
    assert telegram.calls_of("sendPhoto")[0].params["photo"] == picture()
    assert [it.photo for it in telegram.chat(7).messages] == [picture()] * 2

    await sent.edit_caption("kedaluwarsa", reply_markup=keyboard("Ulang"))
    first = telegram.chat(7).messages[0]
    assert (first.text, first.labels, first.photo) == ("kedaluwarsa", ["Ulang"], picture())
    await sent.edit_media(InputMediaPhoto(picture("blue"), caption="baru"))
    assert (first.text, first.labels, first.photo) == ("baru", [], picture("blue"))
    assert await budi.sees_photo(after=first) is budi.last


async def test_taking_a_keyboard_away_keeps_the_text(telegram: FakeTelegram, bot: Bot) -> None:
    budi = telegram.person(7)
    sent = await bot.send_message(7, "pilih", reply_markup=keyboard("A", "B"))
    await sent.edit_reply_markup()
    assert (budi.last.text, budi.last.buttons, budi.last.edited) == ("pilih", [], 1)


async def test_settings_of_the_bot_are_noted(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.person(7)
    await bot.set_my_commands([("beli", "Beli")])
    await bot.set_my_commands([("buy", "Buy")], language_code="en")
    assert telegram.commands["en", "default"] == [{"command": "buy", "description": "Buy"}]
    assert [it.command for it in await bot.get_my_commands()] == ["beli"]
    await bot.delete_my_commands()
    assert list(telegram.commands) == [("en", "default")]
    assert await bot.set_my_description("Toko", language_code="id")
    assert telegram.calls[-1].params == {"description": "Toko", "language_code": "id"}
    assert await bot.send_chat_action(7, "typing")
    assert (await bot.get_chat(7)).first_name == "Budi"


# -- trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (400, BadRequest),
        (401, InvalidToken),
        (403, Forbidden),
        (429, RetryAfter),
        (500, NetworkError),
        ("cut", NetworkError),
    ],
)
@pytest.mark.parametrize("after", [False, True])
async def test_the_next_call_fails_and_only_that(
    telegram: FakeTelegram, bot: Bot, kind: FaultKind, error: type[Exception], after: bool
) -> None:
    telegram.person(7)
    fault = telegram.fail_next("sendMessage", kind, after=after)
    with pytest.raises(error):
        await bot.send_message(7, "satu")
    await bot.send_message(7, "dua")
    texts = [it.text for it in telegram.chat(7).messages]
    assert texts == (["satu", "dua"] if after else ["dua"])
    assert (fault.struck, fault.left) == (1, 0)


async def test_a_fault_can_be_meant_for_one_chat(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.person(7)
    telegram.person(8)
    telegram.fail_next("sendMessage", 429, retry_after=3, chat_id=8)
    await bot.send_message(7, "satu")
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(8, "dua")
    assert refused.value.retry_after == timedelta(seconds=3)


async def test_a_fault_can_have_its_own_words(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.person(7)
    telegram.fail_next("sendMessage", 403, says="Forbidden: user is deactivated")
    with pytest.raises(Forbidden, match="user is deactivated"):
        await bot.send_message(7, "satu")
    upgraded = "Bad Request: group chat was upgraded to a supergroup chat"
    telegram.fail_next("sendMessage", 400, says=upgraded, migrate_to=-1007)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(7, "dua")
    assert moved.value.new_chat_id == -1007


async def test_a_call_hangs_until_it_is_released(telegram: FakeTelegram, bot: Bot) -> None:
    budi = telegram.person(7)
    fault = telegram.fail_next("sendMessage", "hang", count=2)
    with pytest.raises(TimedOut):
        await bot.send_message(7, "satu", read_timeout=0.05)
    sending = asyncio.create_task(bot.send_message(7, "dua"))
    await telegram.until(lambda: fault.struck == 2)
    assert budi.chat.messages == []
    fault.release()
    await sending
    assert [it.text for it in budi.chat.messages] == ["dua"]


async def test_a_customer_blocks_the_bot(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.person(7)
    telegram.block(7)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_photo(7, picture())
    telegram.block(7, blocked=False)
    await bot.send_message(7, "lagi")


async def test_of_two_polling_bots_the_older_hears_of_a_conflict(telegram: FakeTelegram) -> None:
    async with (
        Bot(TOKEN, f"{telegram.url}/bot") as first,
        Bot(TOKEN, f"{telegram.url}/bot") as second,
    ):
        older = asyncio.create_task(first.get_updates(timeout=5))
        await telegram.until(lambda: telegram.calls_of("getUpdates"))
        newer = asyncio.create_task(second.get_updates(timeout=5))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await older
        await telegram.person(7).says("halo")
        assert [it.message.text for it in await newer] == ["halo"]


async def test_updates_stay_until_they_are_confirmed(telegram: FakeTelegram, bot: Bot) -> None:
    budi = telegram.person(7)
    for text in "abc":
        await budi.says(text)
    first, second = await bot.get_updates(limit=2)
    assert [first.message.text, second.message.text] == ["a", "b"]
    rest = await bot.get_updates(offset=second.update_id)
    assert [it.message.text for it in rest] == ["b", "c"]
    assert await bot.get_updates(offset=rest[-1].update_id + 1) == ()


async def test_only_the_kinds_of_updates_asked_for_are_kept(
    telegram: FakeTelegram, bot: Bot
) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    budi = telegram.person(7)
    await budi.says("halo")
    await budi.taps_data("x", 1)
    (only,) = await bot.get_updates()
    assert only.callback_query.data == "x"


async def test_a_webhook_is_told_until_it_answers_well(telegram: FakeTelegram, bot: Bot) -> None:
    heard: list[tuple[str, str]] = []

    async def hook(request: web.Request) -> web.Response:
        secret = request.headers["X-Telegram-Bot-Api-Secret-Token"]
        heard.append((secret, (await request.json())["message"]["text"]))
        return web.Response(status=503 if len(heard) == 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token="rahasia")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await telegram.person(7).says("halo")
    await telegram.until(lambda: not telegram.unconfirmed)
    assert heard == [("rahasia", "halo")] * 2
    assert "503" in (await bot.get_webhook_info()).last_error_message
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""
    await runner.cleanup()


ECHO_BOT = """
import sys
from telegram.ext import Application, MessageHandler, filters

async def on_text(update, context):
    await update.message.reply_text("gema " + update.message.text)

app = Application.builder().token("123:abc").base_url(sys.argv[1]).build()
app.add_handler(MessageHandler(filters.TEXT, on_text))
app.run_polling()
"""


@pytest.mark.process
async def test_a_killed_bot_is_told_again_after_its_restart(
    telegram: FakeTelegram, tmp_path: Path
) -> None:
    script = tmp_path / "echo_bot.py"
    script.write_text(ECHO_BOT)
    budi = telegram.person(7)

    async def start() -> asyncio.subprocess.Process:
        command = [sys.executable, str(script), f"{telegram.url}/bot"]
        return await asyncio.create_subprocess_exec(*command)

    # Handed out, but the process dies before it can ask for more, which is what confirms.
    fault = telegram.fail_next("getUpdates", "hang", after=True)
    killed = await start()
    await telegram.until(lambda: telegram.calls_of("getUpdates"))
    await budi.says("satu")
    await budi.says("dua")
    await telegram.until(lambda: fault.struck)
    killed.kill()
    await killed.wait()
    assert len(telegram.unconfirmed) == 2

    restarted = await start()
    await budi.sees("gema satu")
    await budi.sees("gema dua")
    await telegram.until(lambda: not telegram.unconfirmed)
    restarted.terminate()
    assert await restarted.wait() == 0
    assert len(budi.chat.messages) == 2


# -- HTML -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("a &lt;b&gt; &amp;amp; &quot;&#39;", "a <b> &amp; \"'", []),
        ("AT&T > 5 &nbsp;", "AT&T > 5 &nbsp;", []),
        ("  <b>hi</b>\n", "hi", [("bold", 0, 2)]),
        ("👋<i>a<b>b</b></i>", "👋ab", [("italic", 2, 2), ("bold", 3, 1)]),
        ("<b></b>x<b> </b>", "x", []),
        ("<tg-spoiler>a</tg-spoiler><U>b</U><s>c</s>", "abc", 3),
        ("<pre>a\n</pre><code>b</code>", "a\nb", [("pre", 0, 2), ("code", 2, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [("blockquote", 0, 1)]),
        ('<a href="https://a.id/?x=1&amp;y=>">a</a>', "a", [("text_link", 0, 1)]),
    ],
)
def test_html_becomes_plain_text_and_entities(source: str, text: str, entities: Any) -> None:
    plain, found = parse_html(source)
    assert plain == text
    if isinstance(entities, int):
        assert len(found) == entities
    else:
        assert [(it["type"], it["offset"], it["length"]) for it in found] == entities


def test_the_address_of_a_link_is_unescaped() -> None:
    assert parse_html("<a href='https://a.id/?x=1&amp;y'>a</a>")[1][0]["url"] == (
        "https://a.id/?x=1&y"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("é<br>", 'Unsupported start tag "br" at byte offset 2'),
        ("1 < 2", "Unclosed start tag at byte offset 2"),
        ("<b", "Unclosed start tag"),
        ("<>", 'Unsupported start tag ""'),
        ("</b>", "Unexpected end tag at byte offset 0"),
        ("<b><i>x</b></i>", 'offset 7, expected "</i>", found "</b>"'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<img src=x>", 'Unsupported start tag "img"'),
    ],
)
def test_bad_html_is_refused_with_the_place(source: str, reason: str) -> None:
    with pytest.raises(BadMarkup) as refused:
        parse_html(source)
    assert reason in str(refused.value)
