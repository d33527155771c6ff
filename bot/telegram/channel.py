"""The Telegram channel: takes in, answers; survives everything Telegram can say."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from telegram.error import BadRequest, TelegramError
from telegram.ext import Application
from telegram.request import BaseRequest

from bot.conversation.channels import TakeTurn
from bot.conversation.texts import Texts
from bot.logs import get_logger
from bot.telegram import wire
from bot.telegram.flood import Flood
from bot.telegram.groups import Groups
from bot.telegram.handlers import AnyApplication, Listener, listen
from bot.telegram.hook import Hook
from bot.telegram.intake import Intake
from bot.telegram.menu import menus
from bot.telegram.polling import Polling
from bot.telegram.sender import TelegramSender
from bot.telegram.serving import Serving
from bot.telegram.trouble import Pace, Trouble
from shop.time import Millis
from storage.database import Database

__all__ = ["Mode", "Pace", "TelegramChannel"]

Mode = Literal["polling", "webhook"]

_log = get_logger(__name__)


@dataclass(kw_only=True, eq=False, repr=False)
class TelegramChannel:
    """Customers and owners on Telegram.

    ``texts`` are those of every language, ``language`` is the shop's; ``owners`` are addresses of
    any channel. In both modes an update is stored first and served from the store. With
    ``polling`` this object stores it; with ``webhook`` a web server below ``public_url`` does, in
    this process or another (``bot.telegram.intake.receiver``), and ``bell`` rings for it.
    ``request`` and ``poll_request`` replace the HTTP of all calls and of the poll.
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
    mode: Mode = "polling"
    public_url: str = ""
    webhook_secret: str = ""
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    flood: Flood = field(default_factory=Flood)
    pace: Pace = field(default_factory=Pace)
    request: BaseRequest = field(default_factory=wire.calls)
    poll_request: BaseRequest = field(default_factory=wire.polls)

    def __post_init__(self) -> None:
        if self.mode == "webhook" and not (self.public_url and self.webhook_secret):
            raise ValueError("a webhook needs a public address and a secret")
        self._running = False
        self._username = ""
        self._application = self._built()
        self._sender = TelegramSender(self._application.bot, self.texts_of, self.flood)
        self._trouble = Trouble(self.pace, self.api_url)
        self._intake = Intake(self.database, self.clock)
        self._serving = Serving(self._application, self._intake, self.bell, self.pace)
        self._feeder = self._hook() if self.mode == "webhook" else self._polling()
        default = self.texts[self.language]
        listener = Listener(
            take_turn=self.take_turn,
            sender=self._sender,
            groups=Groups(default, self.clock, self.flood),
            texts_of=self.texts_of,
            texts=default,
            support=self.support,
            waits=self.pace.answers,
        )
        listen(self._application, listener)

    @property
    def sender(self) -> TelegramSender:
        """Brings messages to people, also before ``run``; after it, it raises ``TryLater``."""
        return self._sender

    @property
    def alive(self) -> bool:
        """Whether ``run`` is running, even if Telegram is out of reach."""
        return self._running

    @property
    def username(self) -> str:
        """The bot's own name, as links write it; empty until Telegram has told it."""
        return self._username

    async def run(self) -> None:
        """Serve people until cancelled; then finish the answers being given, in five seconds.

        What was received and not answered stays stored, and is answered by the next run: of this
        object, or of another process.
        """
        self._running = True
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._trouble.insist(self._application.initialize)
                    self._username = self._application.bot.username
                    _log.info("telegram.started", bot=self._username, mode=self.mode)
                    self._serving.begin(tasks)
                    tasks.create_task(self._set_menus(), name="telegram menus")
                    await self._feeder.run()
                except asyncio.CancelledError:
                    await self._serving.drain()
                    raise
        finally:
            self._running = False
            await self._application.shutdown()
            await self._application.bot.shutdown()  # also if the application never got that far

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

    # -- the parts ---------------------------------------------------------------------------------

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
            .build()
        )

    def _polling(self) -> Polling:
        return Polling(
            bot=self._application.bot,
            request=self.poll_request,
            intake=self._intake,
            serving=self._serving,
            bell=self.bell,
            trouble=self._trouble,
            pace=self.pace,
        )

    def _hook(self) -> Hook:
        return Hook(
            self._application.bot,
            public_url=self.public_url,
            secret=self.webhook_secret,
            trouble=self._trouble,
            pace=self.pace,
        )
