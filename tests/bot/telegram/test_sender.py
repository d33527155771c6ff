"""What becomes of a message on its way to a person."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from PIL import Image
from telegram import Bot, Message
from telegram.error import RetryAfter
from telegram.warnings import PTBDeprecationWarning

from bot.conversation.channels import CannotEdit, TryLater, Unreachable
from bot.conversation.views import Choice, View
from bot.telegram import wire
from bot.telegram.flood import Flood
from bot.telegram.sender import TelegramSender
from tests.bot.telegram.stage import TOKEN, Languages
from tests.fakes.telegram import FakeTelegram, FaultKind

Done = TypeVar("Done")


def picture() -> bytes:
    Image.new("RGB", (4, 4), "red").save(file := io.BytesIO(), "PNG")
    return file.getvalue()


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[Bot]:
    bot = Bot(TOKEN, f"{telegram.url}/bot", request=wire.calls())
    yield bot
    await bot._request[0].shutdown()
    await bot._request[1].shutdown()


@pytest.fixture
def sender(bot: Bot) -> TelegramSender:
    return TelegramSender(bot, Languages({"telegram:8": "en"}))


async def test_a_text_is_sent_and_edited(telegram: FakeTelegram, sender: TelegramSender) -> None:
    budi = telegram.person(7)
    number = await sender.send("telegram:7", View(title="Menunggu", text="QR <1>"), "k")
    assert number == f"t{budi.last.message_id}"
    assert budi.last.text == "Menunggu\nQR <1>"
    done = View(text="Selesai", choices=(Choice("again", "Beli lagi", data="o:1:again"),))
    await sender.edit("telegram:7", number, done)
    await sender.edit("telegram:7", number, done)  # looks so already
    assert (budi.last.text, budi.last.labels, budi.last.edited) == ("Selesai", ["Beli lagi"], 1)
    assert sender.edits


async def test_a_photo_keeps_its_picture_when_edited(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    budi, qr = telegram.person(7), picture()
    number = await sender.send("telegram:7", View(title="Bayar", text="Rp1", image=qr), "k")
    assert number == f"p{budi.last.message_id}"
    assert (budi.last.text, budi.last.photo) == ("Bayar\nRp1", qr)
    await sender.edit("telegram:7", number, View(text="x" * 2000))
    assert (len(budi.last.text), budi.last.photo) == (1024, qr)


async def test_a_picture_that_telegram_keeps_is_shown_by_its_name(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    owner, receipt = telegram.person(9), picture()
    file_id = telegram.store_photo(receipt)["file_id"]  # sent by somebody else
    number = await sender.send("telegram:9", View(text="Bukti bayar", file=file_id), "k")
    assert number == f"p{owner.last.message_id}"
    assert (owner.last.text, owner.last.photo) == ("Bukti bayar", receipt)


async def test_a_picture_that_telegram_no_longer_knows_leaves_its_words(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    owner = telegram.person(9)
    number = await sender.send("telegram:9", View(text="Bukti bayar", file="gone"), "k")
    assert number == f"t{owner.last.message_id}"
    assert (owner.last.text, owner.last.photo) == ("Bukti bayar", None)


async def test_the_copy_button_speaks_the_readers_language(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    budi, ann = telegram.person(7), telegram.person(8)
    for address in ("telegram:7", "telegram:8"):
        await sender.send(address, View(text="SN:", copy="S-1"), "k")
    assert budi.last.buttons == [("📋 Salin", "S-1")]
    assert ann.last.buttons == [("📋 Copy", "S-1")]
    assert budi.last.text == "SN:\nS-1"


async def test_a_refused_picture_is_replaced_by_text_and_link(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    budi = telegram.person(7)
    view = View(text="bayar", image=b"not a picture", link="https://pay.example/1")
    assert (await sender.send("telegram:7", view, "k")).startswith("t")
    assert (budi.last.photo, budi.last.labels) == (None, ["Buka halaman bayar"])


async def test_a_refused_link_stands_in_the_text(
    telegram: FakeTelegram, sender: TelegramSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    budi = telegram.person(7)
    monkeypatch.setattr("bot.telegram.render.MOST_URL", 9999)
    link = "https://pay.example/" + "x" * 2100
    await sender.send("telegram:7", View(text="bayar", link=link), "k")
    assert (budi.last.text, budi.last.labels) == (f"bayar\n{link}", [])


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (400, Unreachable),
        (401, TryLater),
        (403, Unreachable),
        (429, TryLater),
        (500, TryLater),
        ("cut", TryLater),
    ],
)
async def test_errors_say_what_may_be_done(
    telegram: FakeTelegram, sender: TelegramSender, kind: FaultKind, error: type[Exception]
) -> None:
    telegram.person(7)
    number = await sender.send("telegram:7", View(text="x"), "k")
    telegram.fail_next("*", kind, 3)
    with pytest.raises(error):
        await sender.send("telegram:7", View(text="y"), "k")
    with pytest.raises(error):
        await sender.send("telegram:7", View(text="y", image=picture()), "k")
    with pytest.raises(error):
        await sender.edit("telegram:7", number, View(text="y"))


@pytest.mark.parametrize("setting", ["true", "false"])
async def test_flooding_tells_when_to_come_back(
    telegram: FakeTelegram,
    sender: TelegramSender,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", setting)
    telegram.person(7)
    telegram.fail_next("sendMessage", 429, retry_after=3)
    with pytest.raises(TryLater) as refused:
        await sender.send("telegram:7", View(text="x"), "k")
    assert refused.value.after == 3000


async def test_one_flooded_chat_is_left_alone_and_nobody_else_waits(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    telegram.person(7)
    ani = telegram.person(8)
    number = await sender.send("telegram:7", View(text="x"), "k")
    telegram.fail_next("*", 429, 99, retry_after=3600, chat_id=7)
    with pytest.raises(TryLater) as refused:
        await sender.edit("telegram:7", number, View(text="y"))
    assert refused.value.after == 3_600_000
    asked = len(telegram.calls)
    for text in ("satu", "dua"):
        with pytest.raises(TryLater) as left:
            await sender.send("telegram:7", View(text=text), "k")
        assert 3_590_000 < (left.value.after or 0) <= 3_600_000
    assert len(telegram.calls) == asked
    await sender.send("telegram:8", View(text="halo"), "k")
    assert ani.last.text == "halo"


async def test_two_flooded_chats_are_the_whole_bot(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    for number in (7, 8, 9):
        telegram.person(number)
    telegram.fail_next("*", 429, 2, retry_after=20)
    for number in (7, 8, 9):
        with pytest.raises(TryLater):
            await sender.send(f"telegram:{number}", View(text="x"), "k")
    assert [call.params["chat_id"] for call in telegram.calls] == [7, 8]


async def test_senders_can_share_the_limits(telegram: FakeTelegram, bot: Bot) -> None:
    flood = Flood()
    turns, notices = (TelegramSender(bot, Languages(), flood) for _ in range(2))
    telegram.person(7)
    telegram.fail_next("sendMessage", 429, retry_after=60)
    with pytest.raises(TryLater):
        await turns.send("telegram:7", View(text="x"), "k")
    with pytest.raises(TryLater):
        await notices.send("telegram:7", View(text="x"), "k")
    assert len(telegram.calls) == 1


async def test_a_plainer_try_is_a_call_of_its_own(telegram: FakeTelegram, bot: Bot) -> None:
    journal: list[int] = []

    class Counting(Flood):
        async def through(self, chat: int, act: Callable[[], Awaitable[Done]]) -> Done:
            journal.append(chat)
            return await super().through(chat, act)

    telegram.person(7)
    sender = TelegramSender(bot, Languages(), Counting())
    await sender.send("telegram:7", View(text="bayar", image=b"not a picture"), "k")
    assert journal == [7, 7]


@pytest.mark.parametrize("setting", ["true", "false"])
@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_the_librarys_own_flood_error_is_understood_too(
    telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", setting)

    class Flooding(Bot):
        async def send_message(self, *args: object, **kwargs: object) -> Message:
            raise RetryAfter(timedelta(seconds=2))

    sender = TelegramSender(Flooding(TOKEN), Languages())
    with pytest.raises(TryLater) as refused:
        await sender.send("telegram:7", View(text="x"), "k")
    assert refused.value.after == 2000
    assert issubclass(PTBDeprecationWarning, Warning)


async def test_a_proxy_that_answers_in_html_is_no_answer(
    telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, payload in [(200, b"<html>"), (502, b"<html>"), (200, b"[]"), (429, b"slow down")]:

        async def answer(self: object, *args: object, **kwargs: object) -> tuple[int, bytes]:
            return code, payload  # noqa: B023 - used up within the same round

        monkeypatch.setattr("telegram.request.HTTPXRequest.do_request", answer)
        sender = TelegramSender(Bot(TOKEN, request=wire.calls()), Languages())
        with pytest.raises(TryLater):
            await sender.send("telegram:7", View(text="x"), "k")


async def test_a_blocked_or_unknown_person_is_unreachable(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    telegram.person(7)
    telegram.block(7)
    for address in ("telegram:7", "telegram:404", "web:7", "telegram:-50"):
        with pytest.raises(Unreachable):
            await sender.send(address, View(text="x"), "k")


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
@pytest.mark.parametrize(
    ("kind", "says", "migrate_to"),
    [
        (403, "Forbidden: bot was blocked by the user", None),
        (403, "Forbidden: user is deactivated", None),
        (403, "Forbidden: bot can't initiate conversation with a user", None),
        (403, "Forbidden: bot can't send messages to bots", None),
        (400, "Bad Request: chat not found", None),
        (400, "Bad Request: PEER_ID_INVALID", None),
        (400, "Bad Request: group chat was upgraded to a supergroup chat", -1007),
    ],
)
async def test_a_chat_that_is_closed_to_us_is_unreachable(
    telegram: FakeTelegram,
    sender: TelegramSender,
    method: str,
    kind: FaultKind,
    says: str,
    migrate_to: int | None,
) -> None:
    telegram.person(7)
    number = await sender.send("telegram:7", View(text="x"), "k")
    telegram.fail_next(method, kind, says=says, migrate_to=migrate_to)
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "sendMessage": lambda: sender.send("telegram:7", View(text="y"), "k"),
        "editMessageText": lambda: sender.edit("telegram:7", number, View(text="y")),
    }
    with pytest.raises(Unreachable):
        await acts[method]()


@pytest.mark.parametrize(
    "says",
    [
        "Bad Request: message to edit not found",
        "Bad Request: message can't be edited",
        "Bad Request: MESSAGE_ID_INVALID",
        "Bad Request: MESSAGE_AUTHOR_REQUIRED",
        "Bad Request: MESSAGE_EDIT_TIME_EXPIRED",
    ],
)
async def test_only_the_message_is_lost(
    telegram: FakeTelegram, sender: TelegramSender, says: str
) -> None:
    budi = telegram.person(7)
    number = await sender.send("telegram:7", View(text="x"), "k")
    telegram.fail_next("editMessageText", 400, says=says)
    with pytest.raises(CannotEdit):
        await sender.edit("telegram:7", number, View(text="y"))
    await sender.send("telegram:7", View(text="y"), "k")
    assert budi.last.text == "y"


async def test_an_edit_for_someone_who_blocked_the_bot_is_unreachable(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    telegram.person(7)
    number = await sender.send("telegram:7", View(text="x"), "k")
    telegram.block(7)
    with pytest.raises(Unreachable):
        await sender.edit("telegram:7", number, View(text="y"))


async def test_an_edit_that_changes_nothing_is_fine_for_photos_too(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    budi = telegram.person(7)
    number = await sender.send("telegram:7", View(text="x", image=picture()), "k")
    await sender.edit("telegram:7", number, View(text="x"))
    assert budi.last.edited == 0


async def test_a_lost_message_cannot_be_edited(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    budi = telegram.person(7)
    text = await sender.send("telegram:7", View(text="x"), "k")
    photo = await sender.send("telegram:7", View(text="x", image=picture()), "k")
    for wrong in (f"p{text[1:]}", f"t{photo[1:]}", "t99", "", "123", "tx"):
        with pytest.raises(CannotEdit):
            await sender.edit("telegram:7", wrong, View(text="y"))
    with pytest.raises(CannotEdit):
        await sender.edit("telegram:7", text, View(text="y", image=picture()))
    budi.chat.visible[0].deleted = True
    with pytest.raises(CannotEdit):
        await sender.edit("telegram:7", text, View(text="y"))


async def test_turned_text_in_a_name_changes_nothing_else(
    telegram: FakeTelegram, sender: TelegramSender
) -> None:
    budi = telegram.person(7)
    await sender.send("telegram:7", View(title="</b>", text="<b>\u202eBudi</b> &lt;"), "k")
    assert budi.last.text == "</b>\n<b>Budi</b> &lt;"
    assert [entity["type"] for entity in budi.last.entities] == ["bold"]
