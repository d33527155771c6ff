"""Groups: the bot says where to write to it, and does nothing else there."""

from collections.abc import Callable
from functools import partial

from telegram import Bot, CallbackQuery, Message, MessageEntity, ReplyParameters, Update
from telegram.constants import ChatType
from telegram.error import TelegramError

from bot.conversation.channels import TryLater
from bot.conversation.texts import Texts
from bot.logs import get_logger
from bot.telegram.flood import Flood
from shop.time import HOUR, Millis

_GROUPS = (ChatType.GROUP, ChatType.SUPERGROUP)
_CALLING: list[str | None] = [
    MessageEntity.BOT_COMMAND,
    MessageEntity.MENTION,
    MessageEntity.TEXT_MENTION,
]
_MOST_REMEMBERED = 1000
_MOST_ALERT = 200  # characters of an answer to a tap (answerCallbackQuery)

_log = get_logger(__name__)


class Groups:
    """Answers in groups: who calls the bot, always; other chatter, once an hour in each group."""

    def __init__(self, texts: Texts, clock: Callable[[], Millis], flood: Flood) -> None:
        self._texts = texts
        self._clock = clock
        self._flood = flood
        self._told: dict[int, Millis] = {}

    async def answer(self, update: Update, bot: Bot) -> None:
        """Say where to write to, if this update is from a group and needs an answer."""
        sentence = self._texts("group.write_to_me", link=f"https://t.me/{bot.username}")
        try:
            if update.callback_query is not None:
                await _answer_tap(update.callback_query, sentence)
            elif update.message is not None and self._needs_answer(update.message, bot):
                await self._reply(update.message, sentence, bot)
        except (TelegramError, TryLater) as error:  # removed, muted, flooded: not worth a retry
            _log.info("telegram.group_not_answered", why=str(error))

    async def _reply(self, message: Message, sentence: str, bot: Bot) -> None:
        to = ReplyParameters(message.message_id, allow_sending_without_reply=True)
        group = message.chat.id
        await self._flood.through(
            group, partial(bot.send_message, group, sentence, reply_parameters=to)
        )

    def _needs_answer(self, message: Message, bot: Bot) -> bool:
        if message.chat.type not in _GROUPS or _is_from_a_bot(message):
            return False
        now, group = self._clock(), message.chat.id
        silent = now - self._told.get(group, now - HOUR) < HOUR
        if silent and not _calls(message, bot):
            return False
        if len(self._told) >= _MOST_REMEMBERED:
            self._told = {chat: at for chat, at in self._told.items() if now - at < HOUR}
        self._told[group] = now
        return True


async def _answer_tap(query: CallbackQuery, sentence: str) -> None:
    await query.answer(sentence[:_MOST_ALERT], show_alert=True)


def _is_from_a_bot(message: Message) -> bool:
    """Tell whether another bot wrote; an anonymous admin, who looks like one, has a chat."""
    sender = message.from_user
    return message.sender_chat is None and sender is not None and sender.is_bot


def _calls(message: Message, bot: Bot) -> bool:
    """Tell whether a message is for the bot: a command, a mention, a reply."""
    replied = message.reply_to_message and message.reply_to_message.from_user
    if replied and replied.id == bot.id:
        return True
    if message.text:
        words = message.parse_entities(_CALLING)
    else:
        words = message.parse_caption_entities(_CALLING) if message.caption else {}
    return any(_names(entity, word, bot) for entity, word in words.items())


def _names(entity: MessageEntity, word: str, bot: Bot) -> bool:
    if entity.type == MessageEntity.TEXT_MENTION:
        return entity.user is not None and entity.user.id == bot.id
    _, at, name = word.partition("@")
    is_command = entity.type == MessageEntity.BOT_COMMAND
    return name.lower() == bot.username.lower() if at else is_command
