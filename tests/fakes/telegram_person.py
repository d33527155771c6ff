"""A customer's hands and eyes in one chat of the fake Telegram."""

import asyncio
import io
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.fakes.telegram_html import utf16
from tests.fakes.telegram_state import Chat, Json, Message

if TYPE_CHECKING:
    from tests.fakes.telegram import FakeTelegram

_COMMAND = re.compile(r"(?<!\S)/\w{1,32}(?:@\w+)?", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Person:
    """Someone with a phone. ``says``, ``sends_…`` and ``taps`` return once the update is queued."""

    telegram: "FakeTelegram" = field(repr=False)
    user: Json
    chat: Chat = field(repr=False)
    last_update: Json = field(default_factory=dict, repr=False)

    def in_group(self, chat_id: int, title: str = "Grup") -> "Person":
        """The same person, speaking in a group (a negative id)."""
        group = self.telegram.open_chat(chat_id, title=title)
        return Person(telegram=self.telegram, user=self.user, chat=group)

    # -- hands ----------------------------------------------------------------------------------

    async def says(self, text: str) -> Message:
        commands = [
            {"type": "bot_command", "offset": utf16(text[: it.start()]), "length": len(it[0])}
            for it in _COMMAND.finditer(text)
        ]
        return self._sends(text=text, entities=commands)

    async def sends_photo(self, data: bytes | None = None, caption: str = "") -> Message:
        if data is None:
            Image.new("RGB", (8, 8)).save(picture := io.BytesIO(), "PNG")
            data = picture.getvalue()
        return self._sends(text=caption, **self.telegram.store_photo(data))

    async def sends_sticker(self) -> Message:
        size = {"width": 512, "height": 512, "is_animated": False, "is_video": False}
        sticker = {"file_id": "sticker", "file_unique_id": "u", "type": "regular", "emoji": "👍"}
        return self._sends(extra={"sticker": sticker | size})

    async def sends_contact(self, phone_number: str = "+6281200000000") -> Message:
        card = {"phone_number": phone_number, "first_name": self.user["first_name"]}
        return self._sends(extra={"contact": card | {"user_id": self.user["id"]}})

    def _sends(self, **content: Any) -> Message:
        message = self.telegram.add_message(self.chat, self.user, **content)
        self.last_update = self.telegram.enqueue("message", message.json())
        return message

    async def taps(self, label: str, message: Message | None = None) -> str:
        """Press the newest button called so, or whose label contains it; the id of the tap.

        Raises:
            AssertionError: no such button; says what is visible.
        """
        for shown in [message] if message else reversed(self.chat.visible):
            for text, data in sorted(shown.callbacks, key=lambda button: button[0] != label):
                if label in text:
                    return await self.taps_data(data, shown.message_id)
        raise AssertionError(f"no button {label!r} to tap in:\n{message or self.chat}")

    async def taps_data(self, data: str, message_id: int) -> str:
        """Press a button that may be long gone, of a message that may be deleted."""
        there = self.chat.find(message_id)
        gone = {"chat": self.chat.json(), "message_id": message_id, "date": 0}
        query = {"from": self.user, "data": data, "message": there.json() if there else gone}
        self.last_update = self.telegram.tap(self.chat, query)
        return str(self.last_update["callback_query"]["id"])

    async def repeat_last_update(self) -> None:
        """Deliver it again, with the same ``update_id``, even if it was confirmed."""
        self.telegram.redeliver(self.last_update)

    # -- eyes -----------------------------------------------------------------------------------

    @property
    def last(self) -> Message:
        """The newest message of the bot that is still there."""
        assert self.chat.visible, "the bot has said nothing"
        return self.chat.visible[-1]

    def sees(
        self, part: str, timeout: float = 10, *, after: Message | None = None
    ) -> Awaitable[Message]:
        """Wait for a visible message with that text in it; the newest, if there are several.

        With ``after``, only messages younger than that one count.

        Raises:
            AssertionError: not within ``timeout`` seconds; says what is visible.
        """
        return self._sees(lambda it: part in it.text, f"{part!r}", timeout, after)

    def sees_photo(
        self, timeout: float = 10, *, after: Message | None = None
    ) -> Awaitable[Message]:
        """Wait for a visible message with a picture, like ``sees``."""
        return self._sees(lambda it: it.photo is not None, "a photo", timeout, after)

    async def _sees(
        self, wanted: Callable[[Message], bool], what: str, within: float, after: Message | None
    ) -> Message:
        oldest = after.message_id if after else 0

        def newest() -> Message | None:
            young = (it for it in reversed(self.chat.visible) if it.message_id > oldest)
            return next(filter(wanted, young), None)

        if (message := await self.telegram.wait(newest, within)) is None:
            raise AssertionError(f"waited {within} s in vain for {what}; visible:\n{self.chat}")
        return message

    async def sees_answer(self, tap: str, within: float = 10) -> str:
        """Wait until that tap is answered; the text shown for it, often empty."""
        answers = self.telegram.answers
        await self.telegram.until(lambda: tap in answers, within, f"an answer to {tap}")
        return answers[tap]

    async def quiet(self, seconds: float = 0.3, within: float = 10) -> None:
        """Wait until the bot has called nothing about this chat for that long.

        Raises:
            AssertionError: it does not stop.
        """
        try:
            async with asyncio.timeout(within):
                done = -1
                while done != (done := self._activity()):
                    await self.telegram.wait(lambda now=done: self._activity() != now, seconds)
        except TimeoutError:
            raise AssertionError(f"never quiet in {within} s; visible:\n{self.chat}") from None

    def _activity(self) -> int:
        """How often the bot has called about this chat, its taps included."""
        taps = {tap for tap, (chat, _) in self.telegram.queries.items() if chat == self.chat.id}
        return sum(
            call.params.get("chat_id") == self.chat.id
            or call.params.get("callback_query_id") in taps
            for call in self.telegram.calls
        )
