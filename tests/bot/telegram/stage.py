"""The channel on a fake Telegram and a real database, with a conversation of one line."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.conversation.engine import Turn
from bot.conversation.texts import LANGUAGES, Texts, read_catalogue
from bot.conversation.views import Incoming, Started, Typed, View
from bot.telegram.channel import Pace, TelegramChannel
from bot.telegram.intake import receiver
from storage.database import Database, Unwritable
from storage.updates import SqlUpdates
from tests.fakes.telegram import FakeTelegram
from webhook_server.app import build_app, serve
from webhook_server.telegram import add_telegram_webhook

TOKEN = "123:abc"
OWNER = "telegram:99"
SECRET = "rahasia-yang-panjang"
# Looks are far apart: what is answered soon was rung for.
FAST = Pace(
    token=0.05,
    conflict=0.05,
    storage=0.05,
    first=0.01,
    longest=0.05,
    look=60,
    webhook=0.05,
    answers=(0.01,) * 6,
)


def texts_of_all() -> dict[str, Texts]:
    folder = files("bot.conversation") / "locales"
    zone = ZoneInfo("Asia/Jakarta")
    return {
        name: Texts(
            language=name,
            catalogue=read_catalogue((folder / f"{name}.po").read_text("utf-8")),
            zone=zone,
        )
        for name in LANGUAGES
    }


TEXTS = texts_of_all()


def now() -> int:
    return time.time_ns() // 1_000_000


def echo(incoming: Incoming) -> View | None:
    match incoming:
        case Typed(text):
            return View(text=f"kamu bilang {text}")
        case Started(payload):
            return View(text=f"selamat datang {payload}".strip())
        case _:
            return View(text=repr(incoming))


@dataclass
class Conversation:
    """A ``TakeTurn`` with a journal; ``before`` may hold a turn up, or spoil it."""

    answer: Callable[[Incoming], View | None] = echo
    before: Callable[[str, Incoming], Awaitable[None]] | None = None
    taken: list[tuple[str, Incoming, str]] = field(default_factory=list)
    limits: set[int] = field(default_factory=set)

    async def __call__(self, address: str, incoming: Incoming, input_id: str, limit: int) -> Turn:
        self.taken.append((address, incoming, input_id))
        self.limits.add(limit)
        if self.before is not None:
            await self.before(address, incoming)
        return Turn(view=self.answer(incoming))

    @property
    def heard(self) -> list[Incoming]:
        return [incoming for _, incoming, _ in self.taken]


@dataclass
class Languages:
    """Which language a person chose."""

    chosen: dict[str, str] = field(default_factory=dict)

    async def __call__(self, address: str) -> Texts:
        return TEXTS[self.chosen.get(address, "id")]


def channel_on(
    telegram: FakeTelegram, database: Any, take_turn: Conversation, **more: Any
) -> TelegramChannel:
    settings: dict[str, Any] = {
        "token": TOKEN,
        "api_url": telegram.url,
        "take_turn": take_turn,
        "texts_of": Languages(),
        "texts": TEXTS,
        "language": "id",
        "owners": (OWNER, "web:owner"),
        "support": "@bantuan",
        "database": database,
        "clock": now,
        "pace": FAST,
    }
    return TelegramChannel(**(settings | more))


class FailingDatabase:
    """The real one; ``fails`` is raised instead of storing, or after it if ``too_late``.

    While it is ``dark``, nothing can be read.
    """

    def __init__(self, database: Database) -> None:
        self.fails: Exception | None = None
        self.too_late = self.dark = False
        self.reads = 0
        self.bell = database.bell
        self._database = database

    async def run(self, work: Callable[[Any], Any]) -> Any:
        fails = self.fails
        if fails is not None and not self.too_late:
            raise fails
        result = await self._database.run(work)
        if fails is not None:
            raise fails
        return result

    async def read(self, work: Callable[[Any], Any]) -> Any:
        self.reads += 1
        if self.dark:
            raise Unwritable("the server is away")
        return await self._database.read(work)


@asynccontextmanager
async def web_process(
    database: Any, secrets: tuple[bytes, ...] = (SECRET.encode(),), port: int = 0
) -> AsyncIterator[str]:
    """A process that takes webhooks in and has no bot; its public address."""
    store = receiver(database, now)

    def part(app: web.Application) -> None:
        add_telegram_webhook(app, secrets=secrets, store=store)

    async with serve(build_app(checks={}, parts=[part]), "127.0.0.1", port) as real:
        yield f"http://127.0.0.1:{real}"


def hooked_on(
    telegram: FakeTelegram, database: Any, take_turn: Conversation, url: str, **more: Any
) -> TelegramChannel:
    """The bot process of a shop that takes webhooks."""
    how = {"mode": "webhook", "public_url": url, "webhook_secret": SECRET, "bell": database.bell()}
    return channel_on(telegram, database, take_turn, **(how | more))


async def until(found: Callable[[], object], within: float = 5) -> None:
    for _ in range(int(within / 0.005)):
        if found():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("waited in vain")


async def until_waiting(database: Database) -> None:
    for _ in range(1000):
        if await waiting_in(database):
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nothing was stored")


async def until_answered(database: Database) -> None:
    for _ in range(1000):
        if not await waiting_in(database):
            return
        await asyncio.sleep(0.005)
    raise AssertionError("updates are left unanswered")


def events(logs: list[Any]) -> list[str]:
    return [entry["event"] for entry in logs]


@asynccontextmanager
async def running(channel: TelegramChannel) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(channel.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def waiting_in(database: Database) -> list[int]:
    """The numbers of the updates that are stored and not answered."""
    stored = await database.read(lambda tx: SqlUpdates(tx, "telegram").waiting())
    return [number for number, _ in stored]
