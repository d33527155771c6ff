"""What one process of the shop does: the web server, the one bot, the work between them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Final

from bot.bootstrap import Shop
from bot.logs import get_logger
from bot.workers.waiting import wait
from shop import calls, restoring
from shop.time import SECOND
from storage.database import Busy, Unwritable

Runs = Mapping[str, Callable[[], Awaitable[None]]]
Check = Callable[[], Awaitable[str | None]]

log = get_logger(__name__)


class Role(StrEnum):
    """A part of the shop that can be a process of its own."""

    WEB = "web"  # takes in what others send by HTTP
    BOT = "bot"  # talks to the chats, and drains the outbox: one at a time
    WORKER = "worker"  # calls the suppliers


EVERY_ROLE: Final = frozenset(Role)


class Running:
    """A shop at work in the roles of this process."""

    def __init__(self, shop: Shop, roles: frozenset[Role]) -> None:
        self._shop = shop
        self._roles = roles
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._bell = shop.keeper.bell()

    async def until(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; raise if something ends by itself."""
        self._tasks = {
            name: asyncio.create_task(_awaited(run), name=name)
            for name, run in self._runs().items()
        }
        await _first_of(self._tasks, stop)

    def _runs(self) -> Runs:
        runs: dict[str, Callable[[], Awaitable[None]]] = {}
        if Role.WORKER in self._roles:
            runs |= {f"supplier {each.slug}": each.run for each in self._shop.suppliers}
            runs["inbox"] = self._shop.inbox.run
            runs["housekeeper"] = self._shop.housekeeper.run
        if Role.BOT in self._roles:
            runs["bot"] = self._be_the_bot
        else:
            runs["presence"] = self._shop.presence.stay
        return runs

    async def _be_the_bot(self) -> None:
        """Talk to the chats whenever this process is the one that does; else stand by."""
        runs: dict[str, Callable[[], Awaitable[None]]] = {"outbox": self._shop.outbox.run}
        if self._shop.telegram is not None:
            runs["telegram"] = self._shop.telegram.run
        presence = self._shop.presence
        while True:
            await presence.is_the_bot()
            over = asyncio.Event()
            watching = asyncio.create_task(_set_after(presence.was_the_bot, over))
            try:
                await self._opened(over)
                if not over.is_set():
                    log.info("bot.talks")
                    await _first_of(_begun(runs), over)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            log.warning("bot.stands_by")

    async def _opened(self, over: asyncio.Event) -> None:
        """Return once every open order of a restored copy was asked about, or it is ``over``."""
        while await self._is_closed() and not over.is_set():
            await wait(self._bell, self._shop.clock() + SECOND, self._shop.clock)

    async def _is_closed(self) -> bool:
        try:
            return await self._shop.keeper.read(restoring.is_closed)
        except Unwritable:
            return True

    def checks(self) -> dict[str, Check]:
        """Return the checks behind ``/readyz``: ``None`` if all is well, else what is not."""
        checks: dict[str, Check] = {"database": self._database, "workers": self._workers}
        if Role.BOT in self._roles:
            checks["restored copy"] = self._restored
        if Role.WORKER in self._roles:
            checks["price lists"] = self._price_lists
        return checks

    async def _database(self) -> str | None:
        try:
            await self._shop.keeper.write(lambda _: None)
        except Busy:
            return "too much is waiting to be stored"
        except Unwritable:
            return "cannot be written"
        return None

    async def _workers(self) -> str | None:
        dead = [name for name, task in self._tasks.items() if task.done()]
        return f"not running: {', '.join(dead)}" if dead or not self._tasks else None

    async def _restored(self) -> str | None:
        return "its open orders are being asked about" if await self._is_closed() else None

    async def _price_lists(self) -> str | None:
        slugs = [supplier.slug for supplier in self._shop.suppliers]
        tried = await self._shop.keeper.read(
            lambda books: [books.calls.list_tried_at(slug) for slug in slugs]
        )
        since = self._shop.opened_at - calls.LIST_FRESH
        return None if all(at > since for at in tried) else "not fetched yet"


async def _first_of(tasks: Mapping[str, asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Return when ``stop`` is set, and every task has ended; raise if one ended by itself."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait([stopping, *tasks.values()], return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in tasks.values() if task.done() and not task.cancelled()]
        for task in (stopping, *tasks.values()):
            task.cancel()
        await asyncio.gather(stopping, *tasks.values(), return_exceptions=True)
    for task in ended:
        task.result()
        raise RuntimeError(f"{task.get_name()} ended by itself")


def _begun(runs: Runs) -> dict[str, asyncio.Task[None]]:
    return {name: asyncio.create_task(_awaited(run), name=name) for name, run in runs.items()}


async def _set_after(wait: Callable[[], Awaitable[None]], event: asyncio.Event) -> None:
    await wait()
    event.set()


async def _awaited(run: Callable[[], Awaitable[None]]) -> None:
    await run()
