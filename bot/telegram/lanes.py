"""Updates of one chat in order, different chats side by side."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from telegram import Update
from telegram.ext import BaseUpdateProcessor


@dataclass(slots=True, kw_only=True)
class _Lane:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class ChatByChat(BaseUpdateProcessor):
    """One lock for each chat that something waits in; so many chats at once.

    A chat that says a lot waits behind itself only: it takes one of the ``chats_at_once``.
    """

    __slots__ = ("_at_once", "_lanes")

    def __init__(self, *, chats_at_once: int, most_waiting: int) -> None:
        super().__init__(most_waiting)
        self._at_once = asyncio.Semaphore(chats_at_once)
        self._lanes: dict[int, _Lane] = {}

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Await ``coroutine`` when it is its turn in its chat."""
        chat = _chat_of(update)
        lane = self._lanes.setdefault(chat, _Lane())
        lane.waiting += 1
        try:
            async with lane.lock, self._at_once:
                await coroutine
        finally:
            lane.waiting -= 1
            if not lane.waiting:
                del self._lanes[chat]

    def behind(self, update: object) -> int:
        """Return how many updates of its chat came after the one that is being processed."""
        lane = self._lanes.get(_chat_of(update))
        return lane.waiting - 1 if lane is not None else 0

    @property
    def chats(self) -> int:
        """How many chats something waits or happens in."""
        return len(self._lanes)

    async def initialize(self) -> None:
        """Need nothing."""

    async def shutdown(self) -> None:
        """Leave nothing."""


def _chat_of(update: object) -> int:
    chat = update.effective_chat if isinstance(update, Update) else None
    return chat.id if chat is not None else 0
