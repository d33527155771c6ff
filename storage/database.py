"""One way to write: plain functions, many to a commit. Readers apart.

What is said here holds for SQLite (``storage.sqlite``) and PostgreSQL (``storage.postgres``) alike.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]
Parameters = Mapping[str, Any]

MOST_IN_A_GROUP = 128
MOST_WAITING = 4096
NO_PARAMETERS: Final[Parameters] = {}

CLAIMED: Final = "/* claimed */"
"""At the end of a SELECT from ``orders o``: whoever else claims now passes these rows over."""


class Transaction(Protocol):
    """What a unit of work may do. It cannot await: no network while the write lock is held."""

    def execute(self, sql: str, parameters: Parameters = ...) -> int:
        """Run one statement with ``:named`` parameters; return the number of rows it touched."""

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run one statement once for each of ``rows``; of thousands, in one go."""

    def fetch(self, sql: str, parameters: Parameters = ...) -> Sequence[Row]:
        """Run one statement and return its rows (``RETURNING`` included)."""

    def ring(self) -> None:
        """Ring every bell of every process once this transaction is durable."""


Work = Callable[[Transaction], T]
_Waiting: TypeAlias = tuple[Work[Any], asyncio.Future[Any]]


class Busy(Exception):
    """Too much waits, or the database is closed: nothing was stored; try again later."""


class Unwritable(Exception):
    """The database cannot be used now (full, locked, read-only, away): nothing was stored."""


class CommitUnknown(Unwritable):
    """The connection broke during COMMIT: it may have been stored, or not.

    Only what does no harm when it is done twice may be tried again.
    """


class WorkFailed(Exception):
    """A work raised; its group was undone. The cause is what it raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the works of a group returned, and whether one of them rang."""

    results: Sequence[Any]
    rang: bool


class Engine(Protocol):
    """One database: runs a group of works in one commit, and a work that only reads."""

    async def run_group(self, works: Sequence[Work[Any]]) -> Stored:
        """Store all or nothing. Raise ``WorkFailed``, ``Unwritable`` or ``CommitUnknown``."""

    async def read(self, work: Work[T]) -> T: ...
    async def close(self) -> None: ...


class Database:
    """Groups the transactions that arrive together into one durable commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MOST_WAITING)
        self._bells: list[asyncio.Event] = []
        self._closing = False
        self._writer = asyncio.create_task(self._write(), name="database writer")

    async def run(self, work: Work[T]) -> T:
        """Return what ``work`` returned, once its group is durable; raise what it raised, undone.

        ``work`` may be run more than once (a neighbour failed, another process was faster): it
        touches nothing but ``tx``. Raises ``Busy`` if the queue is full, ``Unwritable`` if nothing
        can be stored now, ``CommitUnknown`` if nobody can tell. A caller that is cancelled does not
        undo the work.
        """
        if self._closing:
            raise Busy
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((work, done))
        except asyncio.QueueFull:
            raise Busy from None
        return await asyncio.shield(done)

    async def read(self, work: Work[T]) -> T:
        """Return what ``work`` reads, of one moment, beside the writer.

        Raises ``Unwritable`` if nothing can be read now.
        """
        return await self._engine.read(work)

    def bell(self) -> asyncio.Event:
        """Return an event that is set when news is stored; whoever waits for it clears it."""
        bell = asyncio.Event()
        self._bells.append(bell)
        return bell

    def ring(self) -> None:
        """Ring the bells of this process."""
        for bell in self._bells:
            bell.set()

    async def close(self) -> None:
        """Finish what waits, then close; whoever comes now hears ``Busy``."""
        self._closing = True
        finished = asyncio.ensure_future(self._waiting.join())
        # A writer that was cancelled before us, with the whole program, finishes nothing more.
        await asyncio.wait({finished, self._writer}, return_when=asyncio.FIRST_COMPLETED)
        finished.cancel()
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer
        await self._engine.close()

    async def _write(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while len(group) < MOST_IN_A_GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            await asyncio.shield(self._store(group))
            for _ in group:
                self._waiting.task_done()

    async def _store(self, group: Sequence[_Waiting]) -> None:
        """Store a group together; if one spoils it, nothing is stored, and each tries alone."""
        try:
            stored = await self._engine.run_group([work for work, _ in group])
        except WorkFailed as failed:
            if len(group) == 1:
                _fail(group, failed.__cause__ or failed)
                return
            for lone in group:
                await self._store([lone])
        except Exception as error:  # noqa: BLE001 - the database would not: all of them hear of it
            _fail(group, error)
            self.ring()  # perhaps there is news all the same
        else:
            _succeed(group, stored.results)
            if stored.rang:
                self.ring()


def _succeed(group: Sequence[_Waiting], results: Sequence[Any]) -> None:
    for (_, done), result in zip(group, results, strict=True):
        if not done.cancelled():
            done.set_result(result)


def _fail(group: Sequence[_Waiting], error: BaseException) -> None:
    for _, done in group:
        if not done.cancelled():
            done.set_exception(error)
            done.exception()  # heard: whoever waited for it may be gone, and then nobody asks
