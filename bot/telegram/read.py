"""A Telegram update in the conversation's words. Only people in private chats have any."""

import json
import warnings

from telegram import Bot, CallbackQuery, MaybeInaccessibleMessage, Message, Update, User
from telegram.constants import ChatType
from telegram.ext import filters
from telegram.warnings import PTBDeprecationWarning

from bot.conversation.views import (
    Incoming,
    Shared,
    Typed,
    What,
    read_button,
    read_text,
)


def parse(body: str, bot: Bot | None = None) -> Update:
    """Return the update of a JSON text; the library raises many kinds of errors for odd ones."""
    with warnings.catch_warnings():
        # "will be a timedelta": said for every message about a span of time; none is used here.
        warnings.simplefilter("ignore", PTBDeprecationWarning)
        return Update.de_json(json.loads(body), bot)


def address_of(update: Update) -> str | None:
    """Return ``telegram:<id>`` of the person who acted in their private chat; else ``None``.

    Groups, channels, anonymous admins, bots, and edited messages have no address: nothing they
    send can act for anybody.
    """
    sender, place = _actor(update)
    if sender is None or place is None or sender.is_bot:
        return None
    if place.chat.type != ChatType.PRIVATE or place.chat.id != sender.id:
        return None
    return f"telegram:{sender.id}"


def _actor(update: Update) -> tuple[User | None, MaybeInaccessibleMessage | None]:
    """Return who acted, and the message that says where."""
    query, message = update.callback_query, update.message
    if query is not None:
        return query.from_user, query.message  # no message: a button shown by another chat
    if message is not None and message.sender_chat is None:
        return message.from_user, message
    return None, None


def read(update: Update) -> Incoming | None:
    """Return what a person did, or ``None`` if nobody did anything to us.

    That is also so for what Telegram itself says in a chat ("pinned a message").
    """
    if address_of(update) is None:
        return None
    if update.callback_query is not None:
        return _read_tap(update.callback_query)
    if update.message is None or filters.StatusUpdate.ALL.check_update(update):
        return None
    return _read_message(update.message)


def _read_tap(query: CallbackQuery) -> Incoming:
    return read_button(_storable(query.data or ""))


def _read_message(message: Message) -> Incoming:
    if message.text is not None:
        text = _storable(message.text)
        # Somebody else's words, passed on, may be an answer but never a command.
        borrowed = message.forward_origin is not None or message.via_bot is not None
        return Typed(text.strip()) if borrowed else read_text(text)
    file_type = (message.document and message.document.mime_type) or ""
    if message.photo:  # in several sizes, the largest last
        return Shared(What.PICTURE, message.photo[-1].file_id)
    return Shared(What.PICTURE if file_type.startswith("image/") else What.OTHER)


def _storable(text: str) -> str:
    """Replace halves of characters, which JSON can carry and no database takes."""
    return text.encode("utf-8", "replace").decode()
