"""The Telegram half of the conversation: a ConversationHandler generated from the steps."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from telegram import CallbackQuery, Update
from telegram.error import TelegramError
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    BaseHandler,
    CallbackQueryHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    TypeHandler,
    filters,
)
from telegram.warnings import PTBUserWarning

from bot.conversation.channels import CannotAnswer, TakeTurn, TryLater, Unreachable
from bot.conversation.texts import Texts
from bot.conversation.views import StepId, View
from bot.logs import get_logger
from bot.telegram.groups import Groups
from bot.telegram.read import address_of, read
from bot.telegram.sender import TelegramSender
from shop.time import MINUTE, SECOND, Millis

CHOICES_A_PAGE = 20
# Seconds between tries to bring an answer: five minutes in all, then the person asks again.
WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, *[30.0] * 9)
_SIGN_ENDS_WITHIN = 5.0  # seconds; by then the answer itself is there
LONGEST_FLOOD: Millis = 2 * MINUTE

AnyApplication: TypeAlias = Application[Any, Any, Any, Any, Any, Any]
Callback: TypeAlias = Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, object]]
Handler: TypeAlias = BaseHandler[Update, ContextTypes.DEFAULT_TYPE, object]

_GATE, _CONVERSATION = -1, 0  # PTB's handler groups, in this order

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Hears every update: one turn of the conversation for a person, a sentence for a group."""

    take_turn: TakeTurn
    sender: TelegramSender
    groups: Groups
    texts_of: Callable[[str], Awaitable[Texts]]
    texts: Texts  # where nobody's language is known
    support: str
    waits: Sequence[float] = WAITS

    async def admit(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Let only people in private chats pass to the conversation."""
        if address_of(update) is None:
            await self.groups.answer(update, context.bot)
            raise ApplicationHandlerStop

    async def hear(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> object:
        """Take one turn, bring what it shows, and return the state it leaves the person in.

        The stored session is the truth: the state only lets PTB route. A lost one, after a
        restart, is repaired by the next update, which comes in by an entry point.
        """
        acknowledging = asyncio.create_task(_acknowledge(update.callback_query))
        try:
            return await self._answer(update)
        finally:
            await acknowledging

    async def _answer(self, update: Update) -> object:
        address, incoming = address_of(update), read(update)
        if address is None or incoming is None:
            return None  # nobody who acts: PTB keeps the state it had
        key = f"u{update.update_id}"
        try:
            turn = await self.take_turn(address, incoming, key, CHOICES_A_PAGE)
        except CannotAnswer as sorry:
            await self._bring(address, sorry.view, key)
            return None
        if turn.view is not None:
            await self._bring(address, turn.view, key)
        return turn.step or ConversationHandler.END

    async def apologise(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Log what nobody expected, and do not leave the person without a word."""
        number = update.update_id if isinstance(update, Update) else None
        _log.error("telegram.update_failed", update=number, exc_info=context.error)
        address = address_of(update) if isinstance(update, Update) else None
        if address is not None:
            texts = await self._texts_for(address)
            sorry = View(text=texts("sorry.unexpected", support=self.support))
            await self._bring(address, sorry, f"u{number}:sorry")

    async def _texts_for(self, address: str) -> Texts:
        try:
            return await self.texts_of(address)
        except Exception as error:  # noqa: BLE001 - the database may be what is broken
            _log.warning("telegram.language_unknown", why=repr(error))
            return self.texts

    async def _bring(self, address: str, view: View, key: str) -> None:
        """Send an answer, trying again as long as Telegram may still take it."""
        for pause in self.waits:
            try:
                await self.sender.send(address, view, key)
            except Unreachable as error:
                _log.info("telegram.cannot_be_reached", to=address, why=str(error))
                return
            except TryLater as error:
                _log.info("telegram.answer_later", to=address, why=str(error))
                if (error.after or 0) > LONGEST_FLOOD:
                    break
                await asyncio.sleep(max(pause, (error.after or 0) / SECOND))
            else:
                return
        _log.warning("telegram.answer_given_up", to=address, input=key)


async def _acknowledge(query: CallbackQuery | None) -> None:
    """End the waiting sign on a button; a tap of an hour ago can no longer be answered."""
    try:
        if query is not None:
            await query.answer(read_timeout=_SIGN_ENDS_WITHIN)
    except TelegramError as error:
        _log.debug("telegram.tap_not_acknowledged", why=error.message)


def purchase_handler(hear: Callback) -> ConversationHandler[Any]:
    """Return the conversation: every state listens alike, the step decides what an answer means."""
    commands: Handler = MessageHandler(filters.COMMAND, hear)
    taps: Handler = CallbackQueryHandler(hear)
    messages: Handler = MessageHandler(~filters.COMMAND, hear)
    with warnings.catch_warnings():
        # PTB warns that per_message=False cannot tell old buttons from new: our screen
        # number does, and per_message=True would shut out typed answers.
        warnings.filterwarnings("ignore", message=".*CallbackQueryHandler", category=PTBUserWarning)
        return ConversationHandler(
            entry_points=[commands, taps, messages],
            states={step: [taps, messages] for step in StepId},
            fallbacks=[commands],
            name="purchase",
        )


def listen(application: AnyApplication, listener: Listener) -> None:
    """Make ``application`` hand every update to ``listener``."""
    application.add_handler(TypeHandler(Update, listener.admit), group=_GATE)
    application.add_handler(purchase_handler(listener.hear), group=_CONVERSATION)
    application.add_error_handler(listener.apologise)
