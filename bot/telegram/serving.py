"""From a stored update to an answer: the one way, whoever stored it."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from telegram import Update

from bot.logs import get_logger
from bot.telegram.handlers import AnyApplication
from bot.telegram.intake import Intake, Stored
from bot.telegram.lanes import ChatByChat
from bot.telegram.read import parse
from bot.telegram.trouble import Pace
from storage.database import Unwritable

CHATS_AT_ONCE = 64
MOST_WAITING = 2000  # in hand at a time; the others stay where they are stored
MOST_BEHIND = 200  # of one chat; older ones than these are passed over
GRACE = 4.0  # seconds that answers being given may still take at the end
BREATH = 0.01  # seconds between two looks: under load one look finds the news of several rings

_log = get_logger(__name__)


class Serving:
    """Answers every stored update that is not done, lowest number first within each chat.

    ``bell`` rings for news; without it the store is looked at every few seconds. At most
    ``MOST_WAITING`` are in hand.
    """

    def __init__(
        self, application: AnyApplication, intake: Intake, bell: asyncio.Event, pace: Pace
    ) -> None:
        self._application = application
        self._intake = intake
        self._bell = bell
        self._pace = pace
        self._lanes = ChatByChat(chats_at_once=CHATS_AT_ONCE, most_waiting=MOST_WAITING)
        self._answers: set[asyncio.Task[None]] = set()
        self._has_room = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._is_crowded = self._is_blind = self._is_stopping = False

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Serve, with tasks of that group, what is stored and what comes."""
        self._tasks = tasks
        self._is_stopping = False
        self._has_room.set()
        self._intake.begin()
        self._looking = tasks.create_task(self._look_out(), name="telegram look-out")

    async def drain(self) -> None:
        """Begin no more answers; give those being given ``GRACE`` seconds."""
        self._is_stopping = True
        if self._looking is not None:
            self._looking.cancel()
        if self._answers:
            await asyncio.wait(self._answers, timeout=GRACE)

    async def room(self) -> None:
        """Wait while too many updates are in hand."""
        await self._has_room.wait()

    def take(self, stored: Stored) -> None:
        """Answer an update, stored or not, unless it is in hand already."""
        if self._intake.hold(stored[0]):
            self._answer_soon(stored)

    # -- looking -----------------------------------------------------------------------------------

    async def _look_out(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            self._bell.clear()
            try:
                await self._look()
            except Unwritable as error:
                if not self._is_blind:
                    _log.error("telegram.cannot_read", why=repr(error))
                self._is_blind = True
                await asyncio.sleep(self._pace.storage)
                continue
            self._is_blind = False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.look):
                    await self._bell.wait()
            await asyncio.sleep(began + BREATH - clock())

    async def _look(self) -> None:
        """Take in hand what waits, as far as there is room."""
        await self._intake.note_owed()
        room = MOST_WAITING - len(self._answers)
        found = await self._intake.look(room) if room > 0 else ()
        for stored in found:
            self._answer_soon(stored)

    # -- answering ---------------------------------------------------------------------------------

    def _answer_soon(self, stored: Stored) -> None:
        task = self._tasks.create_task(self._answer(*stored), name=f"telegram update {stored[0]}")
        self._answers.add(task)
        task.add_done_callback(self._leave)
        if len(self._answers) >= MOST_WAITING * 3 // 4:
            self._is_crowded = True
        if len(self._answers) >= MOST_WAITING:
            self._has_room.clear()

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._answers.discard(task)
        # Not at every one that leaves: a look at so many numbers should be worth it.
        if self._is_crowded and len(self._answers) <= MOST_WAITING // 2:
            self._is_crowded = False
            self._has_room.set()
            self._bell.set()

    async def _answer(self, number: int, body: str) -> None:
        try:
            update = parse(body, self._application.bot)
        except Exception:  # noqa: BLE001 - made elsewhere, in ways the library may not know
            _log.exception("telegram.unreadable_update", update=number)
            await self._intake.done(number)
            return
        turn: Coroutine[Any, Any, None] = self._turn(update)
        try:
            await self._lanes.process_update(update, turn)
        finally:
            turn.close()  # never begun, if the end came while it waited

    async def _turn(self, update: Update) -> None:
        """Answer one update, when it is its turn.

        That is noted before the chat's next one begins: the conversation knows a repetition only
        of the last thing a person did.
        """
        if self._is_stopping:
            return
        if self._lanes.behind(update) > MOST_BEHIND:
            _log.warning("telegram.passed_over", update=update.update_id)
        else:
            await self._application.process_update(update)
        await self._intake.done(update.update_id)
