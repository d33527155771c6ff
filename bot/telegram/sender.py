"""Bring messages to people on Telegram, and say what became of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from telegram import Bot, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.conversation.channels import CannotEdit, TryLater, Unreachable
from bot.conversation.texts import Texts
from bot.conversation.views import View
from bot.logs import get_logger
from bot.telegram.flood import Flood
from bot.telegram.render import MOST_CAPTION, MOST_TEXT, Drawing, Words, draw

Done = TypeVar("Done")

TEXT, PHOTO = "t", "p"  # what the message is that an id of ours names: "t123"

# Parts of what api.telegram.org answers, in lower case; there are no codes for these. Those in
# one word are MTProto's, passed on (core.telegram.org/method/messages.editMessage).
_SAME = ("message is not modified",)
_NOT_EDITABLE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message_author_required",
    "message_edit_time_expired",
    "message identifier is not specified",
    "there is no text in the message to edit",
    "there is no caption in the message to edit",
)
_PHOTO_REFUSED = (
    "image_process_failed",
    "photo_",
    "there is no photo",
    "wrong file",
    "file is too big",
    "request entity too large",
)
_URL_REFUSED = ("button_url_invalid", "wrong http url", "button url", "url host is empty")

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How a view is to be shown; what Telegram refuses makes it plainer."""

    view: View
    limit: int | None = None
    link_button: bool = True

    def plainer(self, refused: str) -> "_Plan | None":
        """Return the plan without what was refused; ``None`` if that is not in it."""
        if (self.view.image or self.view.file) and _has(refused, _PHOTO_REFUSED):
            return replace(self, view=replace(self.view, image=None, file=""))
        if self.view.link and self.link_button and _has(refused, _URL_REFUSED):
            return replace(self, link_button=False)
        return None


class TelegramSender:
    """``bot.conversation.channels.Sender`` for addresses ``telegram:<id>``.

    Each call to Telegram goes through ``flood``, which all who write to chats must share.
    """

    def __init__(
        self,
        bot: Bot,
        texts_of: Callable[[str], Awaitable[Texts]],
        flood: Flood | None = None,
    ) -> None:
        self._bot = bot
        self._texts_of = texts_of
        self._flood = flood or Flood()

    @property
    def edits(self) -> bool:
        return True

    async def send(self, address: str, view: View, key: str) -> str:
        """Send a view and return the message's id: ``t123`` for a text, ``p123`` for a photo."""
        chat_id, words = _chat_id(address), await self._words(address, view)

        async def send(drawing: Drawing) -> str:
            if drawing.photo is None:
                message = await self._bot.send_message(
                    chat_id,
                    drawing.html,
                    parse_mode=ParseMode.HTML,
                    reply_markup=drawing.keyboard,
                    link_preview_options=_NO_PREVIEW,
                )
                return f"{TEXT}{message.message_id}"
            message = await self._bot.send_photo(
                chat_id,
                drawing.photo,
                caption=drawing.html,
                parse_mode=ParseMode.HTML,
                reply_markup=drawing.keyboard,
            )
            return f"{PHOTO}{message.message_id}"

        return await self._carry_out(chat_id, send, _Plan(view=view), words)

    async def edit(self, address: str, message_id: str, view: View) -> None:
        """Make a message look like ``view``; of a photo, its caption and its buttons."""
        chat_id, (kind, number) = _chat_id(address), _parted(message_id)
        if kind == TEXT and (view.image or view.file):
            raise CannotEdit("a text does not become a photo")
        words = await self._words(address, view)

        async def edit(drawing: Drawing) -> None:
            if kind == TEXT:
                await self._bot.edit_message_text(
                    drawing.html,
                    chat_id,
                    number,
                    parse_mode=ParseMode.HTML,
                    reply_markup=drawing.keyboard,
                    link_preview_options=_NO_PREVIEW,
                )
            else:
                await self._bot.edit_message_caption(
                    chat_id,
                    number,
                    caption=drawing.html,
                    parse_mode=ParseMode.HTML,
                    reply_markup=drawing.keyboard,
                )

        limit = MOST_TEXT if kind == TEXT else MOST_CAPTION
        plan = _Plan(view=replace(view, image=None, file=""), limit=limit)
        try:
            await self._carry_out(chat_id, edit, plan, words)
        except Unreachable as error:
            _settle_edit(error)

    async def _carry_out(
        self,
        chat_id: int,
        act: Callable[[Drawing], Awaitable[Done]],
        plan: _Plan,
        words: Words,
    ) -> Done:
        """Do ``act`` with the drawing of ``plan``, or of a plainer one that Telegram takes."""
        while True:
            drawing = draw(plan.view, words, limit=plan.limit, link_button=plan.link_button)
            try:
                return await self._flood.through(chat_id, partial(act, drawing))
            except TelegramError as error:
                plainer = plan.plainer(error.message.lower())
                if plainer is None:
                    raise _explained(error) from error
                _log.warning("telegram.refused_part", why=error.message)
                plan = plainer

    async def _words(self, address: str, view: View) -> Words:
        if not (view.copy or view.link):
            return Words()  # most views need none: spares looking up the language
        texts = await self._texts_of(address)
        return Words(copy=texts("button.copy"), open_link=texts("button.open_link"))


def _explained(error: TelegramError) -> TryLater | Unreachable:
    """Return what the sender's user may do about ``error``."""
    match error:
        case BadRequest() | Forbidden() | ChatMigrated():
            return Unreachable(error.message)
        case _:  # the network, a server error, a token being changed
            return TryLater(f"{type(error).__name__}: {error.message}")


def _settle_edit(error: Unreachable) -> None:
    """Swallow an edit that changed nothing; raise ``CannotEdit`` if only the message is lost."""
    refused = str(error).lower()
    if _has(refused, _SAME):
        return
    if _has(refused, _NOT_EDITABLE):
        raise CannotEdit(str(error)) from error
    raise error


def _has(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text for part in parts)


def _chat_id(address: str) -> int:
    channel, _, number = address.partition(":")
    if channel != "telegram" or not (number.isascii() and number.isdigit()):
        raise Unreachable(f"{address} is not a person on Telegram")
    return int(number)


def _parted(message_id: str) -> tuple[str, int]:
    kind, number = message_id[:1], message_id[1:]
    if kind not in {TEXT, PHOTO} or not (number.isascii() and number.isdigit()):
        raise CannotEdit(f"{message_id!r} is not a message of Telegram")
    return kind, int(number)
