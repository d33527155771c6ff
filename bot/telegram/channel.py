"""The Telegram channel: polls, stores, answers; survives everything Telegram can say."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from telegram import Update
from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError
from telegram.ext import Application
from telegram.request import BaseRequest

from bot.conversation.channels import TakeTurn
from bot.conversation.texts import Texts
from bot.logs import get_logger
from bot.telegram import wire
from bot.telegram.groups import Groups
from bot.telegram.handlers import WAITS, AnyApplication, Listener, listen
from bot.telegram.intake import Intake, Stored, stored_form
from bot.telegram.lanes import ChatByChat
from bot.telegram.menu import menus
from bot.telegram.read import parse
from bot.telegram.sender import TelegramSender
from bot.telegram.wire import POLL_SECONDS, Flooded
from shop.time import SECOND, Millis
from storage.database import Busy, Database, Unwritable

ALLOWED_UPDATES = ("message", "callback_query")
CHATS_AT_ONCE = 64
MOST_WAITING = 2000  # taken in and not answered; then Telegram keeps the rest
MOST_BEHIND = 200  # of one chat; older ones than these are passed over
GRACE = 4.0  # seconds that answers being given may still take at the end

_UNREACHABLE = "telegram.unreachable"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between tries while something is wrong."""

    token: float = 30.0
    conflict: float = 5.0
    storage: float = 2.0
    first: float = 1.0
    longest: float = 30.0
    answers: Sequence[float] = WAITS


@dataclass(kw_only=True, eq=False, repr=False)
class TelegramChannel:
    """Customers and owners on Telegram, by long polling.

    ``texts`` are those of every language, ``language`` is the shop's; ``owners`` are addresses of
    any channel. Telegram hears that an update was received once it is stored (PTB's own updater
    says so before it was handled: a killed process would have lost it). ``request`` and
    ``poll_request`` replace the HTTP of all calls and of the poll.
    """

    token: str
    api_url: str
    take_turn: TakeTurn
    texts_of: Callable[[str], Awaitable[Texts]]
    texts: Mapping[str, Texts]
    language: str
    owners: Sequence[str]
    support: str
    database: Database
    clock: Callable[[], Millis]
    pace: Pace = field(default_factory=Pace)
    request: BaseRequest = field(default_factory=wire.calls)
    poll_request: BaseRequest = field(default_factory=wire.polls)

    def __post_init__(self) -> None:
        self._lanes = ChatByChat(chats_at_once=CHATS_AT_ONCE, most_waiting=MOST_WAITING)
        self._application = self._built()
        self._sender = TelegramSender(self._application.bot, self.texts_of)
        self._intake = Intake(self.database, self.clock)
        self._room = asyncio.Semaphore(MOST_WAITING)
        self._answers: set[asyncio.Task[None]] = set()
        self._told: set[int] = set()  # that nothing could be stored
        self._trouble, self._tries = "", 0
        self._running = self._stopping = False
        default = self.texts[self.language]
        listener = Listener(
            take_turn=self.take_turn,
            sender=self._sender,
            groups=Groups(default, self.clock),
            texts_of=self.texts_of,
            texts=default,
            support=self.support,
            waits=self.pace.answers,
        )
        listen(self._application, listener)

    @property
    def sender(self) -> TelegramSender:
        """Brings messages to people, also before and after ``run``."""
        return self._sender

    @property
    def alive(self) -> bool:
        """Whether ``run`` is running, even if Telegram is out of reach."""
        return self._running

    async def run(self) -> None:
        """Serve people until cancelled; then finish the answers being given, in five seconds.

        What was received and not answered stays stored, and is answered by the next run.
        """
        self._running, self._stopping = True, False
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._begin()
                    tasks.create_task(self._set_menus(), name="telegram menus")
                    for stored in await self._intake.waiting():
                        await self._answer_soon(tasks, stored)
                    await self._listen(tasks)
                except asyncio.CancelledError:
                    await self._drain()
                    raise
        finally:
            self._running = False
            await self._application.shutdown()
            await self._application.bot.shutdown()  # also if the application never got that far

    # -- the beginning and the end -----------------------------------------------------------------

    def _built(self) -> AnyApplication:
        url = self.api_url.rstrip("/")
        return (
            Application.builder()
            .token(self.token)
            .base_url(f"{url}/bot")
            .base_file_url(f"{url}/file/bot")
            .request(self.request)
            .get_updates_request(self.poll_request)
            .updater(None)
            .job_queue(None)
            .concurrent_updates(self._lanes)
            .build()
        )

    async def _begin(self) -> None:
        """Find out who we are; updates are polled from now on, not pushed."""
        while True:
            try:
                await self._application.initialize()
                await self._application.bot.delete_webhook()
            except TelegramError as error:
                await self._wait_out(error)
            else:
                break
        self._is_well()
        _log.info("telegram.started", bot=self._application.bot.username)

    async def _set_menus(self) -> None:
        for menu in menus(self.texts, self.language, self.owners):
            try:
                await self._application.bot.set_my_commands(
                    menu.commands, scope=menu.scope, language_code=menu.language or None
                )
            except BadRequest as error:
                # "Chat not found" is an owner who has never written to the bot.
                todo = "let the owner send /start to the bot, then start the shop again"
                _log.warning(
                    "telegram.menu_refused", to=repr(menu.scope), why=error.message, todo=todo
                )
            except TelegramError as error:
                _log.warning("telegram.menu_not_set", why=error.message)

    async def _drain(self) -> None:
        self._stopping = True
        if self._answers:
            await asyncio.wait(self._answers, timeout=GRACE)

    # -- listening ---------------------------------------------------------------------------------

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        offset = 0
        while True:
            try:
                batch = await self._poll(offset)
            except TelegramError as error:
                await self._wait_out(error)
                continue
            if await self._take_in(tasks, batch):
                # With an empty answer all is confirmed; numbers may start anew after a quiet week.
                offset = max((number for number, _ in batch), default=-1) + 1
                self._is_well()

    async def _poll(self, offset: int) -> Sequence[Stored]:
        """Confirm what is below ``offset`` and wait for more, each update as it came.

        ``Bot.get_updates`` would parse all of them at once: one odd update would hold up the rest.
        """
        # After an outage a short question, so that the log says soon that it is over.
        patience = 0 if self._trouble == _UNREACHABLE else POLL_SECONDS
        question: dict[str, Any] = {"timeout": patience, "limit": 100}
        question["allowed_updates"] = json.dumps(ALLOWED_UPDATES)
        if offset:
            question["offset"] = offset
        url = f"{self._application.bot.base_url}/getUpdates?{urlencode(question)}"
        return stored_form(await self.poll_request.post(url))

    async def _take_in(self, tasks: asyncio.TaskGroup, batch: Sequence[Stored]) -> bool:
        """Store a batch and have it answered; ``False`` if it must not be confirmed."""
        try:
            new = await self._intake.store(batch)
        except (Busy, Unwritable) as error:
            self._note("telegram.cannot_store", why=repr(error))
            await self._answer_unstored(tasks, batch)
            await asyncio.sleep(self.pace.storage)
            return False
        for number, body in new:
            if number in self._told:  # the person was told that nothing has happened: so be it
                await self._intake.done(number)
            else:
                await self._answer_soon(tasks, (number, body))
        self._told.clear()
        return True

    async def _answer_unstored(self, tasks: asyncio.TaskGroup, batch: Sequence[Stored]) -> None:
        """Have people told, once for each update, that nothing can be stored now."""
        for number, body in batch:
            if number not in self._told:
                self._told.add(number)
                await self._answer_soon(tasks, (number, body), is_stored=False)

    # -- answering ---------------------------------------------------------------------------------

    async def _answer_soon(
        self, tasks: asyncio.TaskGroup, stored: Stored, *, is_stored: bool = True
    ) -> None:
        """Queue an update behind those of its chat; wait while there are too many in all."""
        await self._room.acquire()
        number, body = stored
        answer = self._answer(number, body, is_stored=is_stored)
        task = tasks.create_task(answer, name=f"telegram update {number}")
        self._answers.add(task)
        task.add_done_callback(self._leave)

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._answers.discard(task)
        self._room.release()

    async def _answer(self, number: int, body: str, *, is_stored: bool) -> None:
        try:
            update = parse(body, self._application.bot)
        except Exception:  # noqa: BLE001 - made elsewhere, in ways the library may not know
            _log.exception("telegram.unreadable_update", update=number)
            await self._intake.done(number)
            return
        turn = self._turn(update, is_stored=is_stored)
        try:
            await self._lanes.process_update(update, turn)
        finally:
            turn.close()  # never begun, if the end came while it waited

    async def _turn(self, update: Update, *, is_stored: bool) -> None:
        """Answer one update, when it is its turn.

        That is noted before the chat's next one begins: the conversation knows a repetition only
        of the last thing a person did.
        """
        if self._stopping:
            return
        if self._lanes.behind(update) > MOST_BEHIND:
            _log.warning("telegram.passed_over", update=update.update_id)
        else:
            await self._application.process_update(update)
        if is_stored:
            await self._intake.done(update.update_id)

    # -- trouble -----------------------------------------------------------------------------------

    async def _wait_out(self, error: TelegramError) -> None:
        """Say once what is wrong, and wait before the next try."""
        self._tries += 1
        pause = min(self.pace.first * 2 ** min(self._tries - 1, 16), self.pace.longest)
        match error:
            case InvalidToken():  # its text may hold the token
                todo = "set TELEGRAM_TOKEN to the token @BotFather shows for this bot"
                self._note("telegram.token_refused", todo=todo)
                pause = self.pace.token
            case Conflict():
                todo = "stop the other program that uses this bot's token"
                self._note("telegram.conflict", why=error.message, todo=todo)
                pause = self.pace.conflict
            case Flooded():
                self._note("telegram.flooded")
                pause = max(pause, (error.after or 0) / SECOND)
            case _:
                self._note(_UNREACHABLE, why=error.message, url=self.api_url)
        await asyncio.sleep(pause)

    def _note(self, trouble: str, **more: str) -> None:
        if trouble != self._trouble:
            _log.error(trouble, **more)
        self._trouble = trouble

    def _is_well(self) -> None:
        if self._trouble:
            _log.info("telegram.back", after=self._trouble)
        self._trouble, self._tries = "", 0
