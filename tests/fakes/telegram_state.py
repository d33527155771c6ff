"""What a chat of the fake Telegram holds, and what may be put into one.

The limits are those of core.telegram.org/bots/api; the wording of errors is api.telegram.org's.
"""

import io
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, UnidentifiedImageError

from tests.fakes.telegram_html import BadMarkup, parse_html

Json = dict[str, Any]

_DECORATION = {"text", "style", "icon_custom_emoji_id"}
_BUTTON_LIMITS = {  # what it does: (smallest, largest, counted in, complaint)
    "callback_data": (1, 64, lambda value: len(value.encode()), "BUTTON_DATA_INVALID"),
    "copy_text": (1, 256, lambda value: len(value["text"]), "BUTTON_COPY_TEXT_INVALID"),
    "url": (1, 2048, len, "BUTTON_URL_INVALID"),
}


class Refused(Exception):
    """An answer with ``"ok": false``."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters

    def json(self) -> Json:
        body = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad(description: str) -> Refused:
    return Refused(400, f"Bad Request: {description}")


@dataclass(slots=True, kw_only=True, eq=False)
class Chat:
    """One chat: everything said in it, oldest first."""

    id: int
    title: Json
    blocked: bool = False
    history: list["Message"] = field(default_factory=list)

    @property
    def messages(self) -> list["Message"]:
        """What the bot sent, deleted ones too."""
        return [message for message in self.history if message.sender["is_bot"]]

    @property
    def visible(self) -> list["Message"]:
        return [message for message in self.messages if not message.deleted]

    def json(self) -> Json:
        return {"id": self.id, "type": "private" if self.id > 0 else "group"} | self.title

    def find(self, message_id: int | None) -> "Message | None":
        there = (it for it in self.history if it.message_id == message_id and not it.deleted)
        return next(there, None)

    def __str__(self) -> str:
        return "\n".join(map(str, self.visible)) or "(nothing)"


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """A message as it is now; edits and deletion change this object."""

    message_id: int
    chat: Chat = field(repr=False)
    sender: Json
    date: int
    text: str = ""  # or the caption
    entities: list[Json] = field(default_factory=list)
    file_id: str | None = None
    photo: bytes | None = field(default=None, repr=False)
    markup: Json = field(default_factory=dict)  # reply_markup, of any sort
    extra: Json = field(default_factory=dict)  # a sticker, a contact, …
    edited: int = 0
    deleted: bool = False

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Of every inline button: label, and its callback data, copied text or address."""
        return [(b["text"], _purpose(b)[1]) for b in self._inline()]

    @property
    def callbacks(self) -> list[tuple[str, str]]:
        """Only of the buttons the bot hears about."""
        return [(b["text"], b["callback_data"]) for b in self._inline() if "callback_data" in b]

    @property
    def labels(self) -> list[str]:
        return [label for label, _ in self.buttons]

    def _inline(self) -> list[Json]:
        return [button for row in self.markup.get("inline_keyboard", ()) for button in row]

    def json(self) -> Json:
        text, entities = ("caption", "caption_entities") if self.photo else ("text", "entities")
        optional = {
            text: self.text,
            entities: self.entities,
            "photo": self.photo and [photo_size(self.file_id, self.photo)],
            "reply_markup": self.markup if "inline_keyboard" in self.markup else None,
            "edit_date": self.date if self.edited else None,
        }
        fixed = {
            "message_id": self.message_id,
            "date": self.date,
            "chat": self.chat.json(),
            "from": self.sender,
        }
        return fixed | {key: value for key, value in optional.items() if value} | self.extra

    def __str__(self) -> str:
        photo = "[photo] " if self.photo else ""
        return f"#{self.message_id} {photo}{self.text!r} {self.labels}"


def _purpose(button: Json) -> tuple[str, str]:
    kind = next((key for key in button if key not in _DECORATION), "")
    value = button.get(kind)
    return kind, value["text"] if kind == "copy_text" else str(value)


def photo_size(file_id: str | None, data: bytes) -> Json:
    try:
        width, height = Image.open(io.BytesIO(data)).size
    except UnidentifiedImageError:
        raise bad("IMAGE_PROCESS_FAILED") from None
    size = {"width": width, "height": height, "file_size": len(data)}
    return {"file_id": file_id, "file_unique_id": f"u{file_id}"} | size


def _formatted(params: Json, key: str, limit: int, too_long: str) -> tuple[str, list[Json]]:
    source, mode = str(params.get(key, "")), str(params.get("parse_mode") or "").lower()
    if mode not in ("", "html"):
        raise bad("unsupported parse_mode")
    try:
        text, entities = parse_html(source) if mode else (source.strip(), [])
    except BadMarkup as error:
        raise bad(f"can't parse entities: {error}") from error
    if len(text) > limit:
        raise bad(too_long)
    return text, entities or params.get("entities") or params.get("caption_entities") or []


def text_content(params: Json) -> Json:
    text, entities = _formatted(params, "text", 4096, "message is too long")
    if not text:
        raise bad("message text is empty")
    return {"text": text, "entities": entities}


def caption_content(params: Json) -> Json:
    text, entities = _formatted(params, "caption", 1024, "message caption is too long")
    return {"text": text, "entities": entities}


def checked_markup(params: Json) -> Json:
    markup: Json = params.get("reply_markup") or {}
    buttons = [button for row in markup.get("inline_keyboard", ()) for button in row]
    if len(buttons) > 100:
        raise bad("REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        _check_button(button)
    return markup


def _check_button(button: Json) -> None:
    if not button.get("text"):
        raise bad("BUTTON_TEXT_INVALID")
    if len(button.keys() - _DECORATION) != 1:
        raise bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    kind = _purpose(button)[0]
    smallest, largest, size, complaint = _BUTTON_LIMITS.get(kind, (0, 1, lambda _: 0, ""))
    if not smallest <= size(button[kind]) <= largest:
        raise bad(complaint)
