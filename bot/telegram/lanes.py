"""Updates of one chat in order, different chats side by side."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeAlias

from telegram import Update
from telegram.ext import BaseUpdateProcessor

_Place: TypeAlias = tuple[int, int, asyncio.Future[None]]  # of two with one number, the first


@dataclass(slots=True, kw_only=True)
class _Lane:
    present: int = 0  # waiting, or being processed
    _taken: bool = False
    _queue: list[_Place] = field(default_factory=list)
    _tickets: Iterator[int] = field(default_factory=count)

    @asynccontextmanager
    async def turn(self, number: int) -> AsyncIterator[None]:
        """Wait until nobody is inside and nobody with a lower number waits."""
        if self._taken:
            await self._wait(number)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, number: int) -> None:
        called = asyncio.get_running_loop().create_future()
        heappush(self._queue, (number, next(self._tickets), called))
        try:
            await called
        except asyncio.CancelledError:
            if not called.cancelled():  # called, and cancelled before it could come
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._queue:
            _, _, called = heappop(self._queue)
            if not called.done():
                called.set_result(None)
                return
        self._taken = False


class ChatByChat(BaseUpdateProcessor):
    """One lane for each chat that something waits in; so many chats at once.

    In a lane the lowest number comes first: webhooks of two processes may store a later update
    before an earlier one. A chat that says a lot waits behind itself only: it takes one of the
    ``chats_at_once``.
    """

    __slots__ = ("_at_once", "_lanes")

    def __init__(self, *, chats_at_once: int, most_waiting: int) -> None:
        super().__init__(most_waiting)
        self._at_once = asyncio.Semaphore(chats_at_once)
        self._lanes: dict[int, _Lane] = {}

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Await ``coroutine`` when it is its turn in its chat."""
        chat, number = _chat_of(update), update.update_id if isinstance(update, Update) else 0
        lane = self._lanes.setdefault(chat, _Lane())
        lane.present += 1
        try:
            async with lane.turn(number), self._at_once:
                await coroutine
        finally:
            lane.present -= 1
            if not lane.present:
                del self._lanes[chat]

    def behind(self, update: object) -> int:
        """Return how many updates of its chat came after the one that is being processed."""
        lane = self._lanes.get(_chat_of(update))
        return lane.present - 1 if lane is not None else 0

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
