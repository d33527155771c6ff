"""The channel on a fake Telegram and a real database, with a conversation of one line."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from bot.conversation.engine import Turn
from bot.conversation.texts import LANGUAGES, Texts, read_catalogue
from bot.conversation.views import Incoming, Started, Typed, View
from bot.telegram.channel import Pace, TelegramChannel
from storage.database import Database
from storage.updates import SqlUpdates
from tests.fakes.telegram import FakeTelegram

TOKEN = "123:abc"
OWNER = "telegram:99"
FAST = Pace(token=0.05, conflict=0.05, storage=0.05, first=0.01, longest=0.05, answers=(0.01,) * 6)


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
