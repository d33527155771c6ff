"""The chats of the browser: each one's transcript, and the tabs that show it now.

A tab is never handed a message: it is woken, and reads what was stored after the last one it was
told. So it misses none, gets none twice and keeps their order, whether it comes or goes while
messages arrive; and a slow tab makes nobody else wait.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import WSCloseCode, web

from bot.logs import get_logger
from bot.web.frames import Entry, Post, encode, numbered, read_entry
from storage.database import Database, Transaction
from storage.transcript import SqlTranscript

GOODBYE = 2.0  # seconds that a page has to say goodbye when we leave
_MOST_ASIDES = 32

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in a transcript, up to the ``upto``-th entry.

    ``shown``: what the shop said, by message id, as it looks now; ``inputs``: where the echo of an
    input stands.
    """

    upto: int = 0
    shown: Mapping[str, Entry] = field(default_factory=dict)
    inputs: Mapping[str, int] = field(default_factory=dict)

    def then(self, rows: Sequence[tuple[int, str]]) -> "Written":
        """Return what stands there with these entries after it."""
        entries = [(seq, read_entry(body)) for seq, body in rows]
        echoed = {entry.input: seq for seq, entry in entries if entry.input}
        shown = {entry.id: entry for _, entry in entries if not entry.input}
        return Written(
            upto=max([self.upto, *(seq for seq, _ in rows)]),
            shown={**self.shown, **shown},
            inputs={**self.inputs, **echoed},
        )


Decide: TypeAlias = Callable[[Written], Sequence[Post]]
"""What to add, seeing what stands there. May be asked twice; if it raises, nothing is added."""


class Tab:
    """One open connection of a page. Everything it is told goes through one task, ``tell``."""

    def __init__(
        self,
        line: "Line",
        socket: web.WebSocketResponse,
        told: int,
        transport: asyncio.Transport | None,
    ) -> None:
        self._line = line
        self.socket = socket
        self._transport = transport
        self._told = told
        self._asides: deque[str] = deque(maxlen=_MOST_ASIDES)
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Let it look for what was stored meanwhile."""
        self._news.set()

    def say(self, frame: str) -> None:
        """Tell it something that is not stored."""
        self._asides.append(frame)
        self._news.set()

    def unsay(self, frame: str) -> None:
        """Do not tell it any more, if it was not told yet."""
        with suppress(ValueError):
            self._asides.remove(frame)

    async def repeat(self, seq: int) -> None:
        """Tell it the ``seq``-th entry once more; one that it was not told yet will come anyway."""
        if seq <= self._told:
            rows = await self._line.after(seq - 1)
            self.say(numbered(*rows[0]))

    async def tell(self) -> None:
        """Tell everything, in order, until cancelled or the connection is gone."""
        try:
            while True:
                self._news.clear()
                await self._tell_news()
                await self._news.wait()
        except ConnectionError:
            return  # the page comes back and says where it was
        except Exception:
            log.exception("web.telling_failed", address=self._line.address)
            await self.leave(WSCloseCode.INTERNAL_ERROR)

    async def leave(self, code: WSCloseCode) -> None:
        """Say goodbye; a page that does not even take that is cut off."""
        try:
            async with asyncio.timeout(GOODBYE):
                await self.socket.close(code=code)
        except TimeoutError:
            if self._transport is not None:
                self._transport.abort()

    async def _tell_news(self) -> None:
        while self._asides:
            await self.socket.send_str(self._asides.popleft())
        for seq, body in await self._line.after(self._told):
            await self.socket.send_str(numbered(seq, body))
            self._told = seq


class Line:
    """One person's chat. Whoever writes holds ``writing``: a turn with its answer, or news."""

    def __init__(self, database: Database, address: str) -> None:
        self.address = address
        self.writing = asyncio.Lock()
        self.tabs: set[Tab] = set()
        self._database = database
        self._written = Written()  # perhaps not all of it; reading on starts there

    async def after(self, seq: int) -> Sequence[tuple[int, str]]:
        """Return the stored entries that came after the ``seq``-th."""
        return await self._database.read(lambda tx: SqlTranscript(tx, self.address).after(seq))

    async def written(self) -> Written:
        """Return what stands there now."""
        known = self._written
        self._written = known.then(await self.after(known.upto))
        return self._written

    async def write(self, decide: Decide) -> None:
        """Store what ``decide`` says and let the tabs know; all of it or nothing.

        Raises ``Busy`` or ``Unwritable``, and what ``decide`` raises.
        """
        known = self._written

        def work(tx: Transaction) -> Written:
            transcript = SqlTranscript(tx, self.address)
            written = known.then(transcript.after(known.upto))
            bodies = [encode(post) for post in decide(written)]
            return written.then([(transcript.append(body), body) for body in bodies])

        self._written = await self._database.run(work)
        for tab in self.tabs:
            tab.wake()

    def whisper(self, frame: str) -> None:
        """Tell every tab something that is not stored."""
        for tab in self.tabs:
            tab.say(frame)

    def hush(self, frame: str) -> None:
        """Do not tell it to the tabs that were not told yet."""
        for tab in self.tabs:
            tab.unsay(frame)


class Lines:
    """Every chat of this process, by address."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: dict[str, Line] = {}

    def of(self, address: str) -> Line:
        """Return the one chat of this address."""
        return self._lines.setdefault(address, Line(self._database, address))

    async def close(self) -> None:
        """Close every tab; the pages come back when there is a shop again."""
        tabs = [tab for line in self._lines.values() for tab in line.tabs]
        await asyncio.gather(*(tab.leave(WSCloseCode.GOING_AWAY) for tab in tabs))
