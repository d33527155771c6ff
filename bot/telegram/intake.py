"""What Telegram handed over: stored before it is confirmed, forgotten when it is answered."""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, TypeAlias

from bot.logs import get_logger
from shop.time import Millis
from storage.database import Busy, Database, Transaction, Unwritable
from storage.updates import SqlUpdates, is_update_id

CHANNEL = "telegram"
ALLOWED_UPDATES = ("message", "callback_query")
Stored: TypeAlias = tuple[int, str]  # its number, and the JSON as it came

_log = get_logger(__name__)


class Intake:
    """The stored updates of this channel, and which of them this process has in hand.

    An update is in hand from the moment it is given out until it is noted as answered.
    """

    def __init__(self, database: Database, clock: Callable[[], Millis]) -> None:
        self._database = database
        self._clock = clock
        self._held: set[int] = set()
        self._owed: set[int] = set()  # of those: answered, but that could not be noted yet
        self._noted: set[int] = set()  # since the last look began

    def begin(self) -> None:
        """Have nothing in hand, but what was answered and not noted."""
        self._held = set(self._owed)

    async def store(self, batch: Sequence[Stored]) -> None:
        """Store a batch in one transaction.

        Raises ``Busy`` or ``Unwritable``; nothing is stored then, so nothing may be confirmed.
        After ``CommitUnknown``, too, the same batch is stored again: what is known stays as it is.
        """
        now, owed = self._clock(), frozenset(self._owed)
        if not batch and not owed:
            return

        def store(tx: Transaction) -> None:
            # In the same commit: an answer given to something that was not stored until now.
            _note(tx, owed, now)
            updates = SqlUpdates(tx, CHANNEL)
            for number, body in batch:
                updates.store(number, body, now)

        await self._database.run(store)
        self._settle(owed)

    async def known(self, numbers: Iterable[int]) -> frozenset[int]:
        """Return which of these were stored before. Raises ``Unwritable``: nobody can tell."""
        asked = tuple(numbers)

        def known(tx: Transaction) -> frozenset[int]:
            return frozenset(filter(SqlUpdates(tx, CHANNEL).knows, asked))

        return await self._database.read(known)

    async def look(self, most: int) -> Sequence[Stored]:
        """Take in hand what waits, oldest first, at most so many. Raises ``Unwritable``."""
        held = frozenset(self._held)
        self._noted.clear()
        found = await self._database.read(
            lambda tx: SqlUpdates(tx, CHANNEL).waiting(held=held, most=most)
        )
        # What was noted while we read still waits in what we read.
        return [(number, body) for number, body in found if self._is_ours(number)]

    def _is_ours(self, number: int) -> bool:
        return number not in self._noted and self.hold(number)

    def hold(self, number: int) -> bool:
        """Take an update in hand; ``False`` if it is already."""
        if number in self._held:
            return False
        self._held.add(number)
        return True

    async def done(self, number: int) -> None:
        """Note that an update was answered; later, if it cannot be stored now.

        An update that is never noted is answered again by the next run: once too often, not never.
        """
        await self._try_to_note(frozenset({number, *self._owed}))

    async def note_owed(self) -> None:
        """Note what could not be noted before, if that can be stored now."""
        if self._owed:
            await self._try_to_note(frozenset(self._owed))

    async def _try_to_note(self, numbers: frozenset[int]) -> None:
        now = self._clock()
        try:
            await self._database.run(lambda tx: _note(tx, numbers, now))
        except (Busy, Unwritable) as error:
            if news := numbers - self._owed:
                _log.warning("telegram.answer_not_noted", updates=sorted(news), why=repr(error))
            self._owed |= numbers
            self._held |= numbers
        else:
            self._settle(numbers)

    def _settle(self, numbers: Collection[int]) -> None:
        self._owed.difference_update(numbers)
        self._held.difference_update(numbers)
        self._noted.update(numbers)


def receiver(
    database: Database, clock: Callable[[], Millis]
) -> Callable[[int, str], Awaitable[bool]]:
    """Return what a webhook stores one update with, for the process that talks to the chats.

    It gives ``False`` for one that was stored before, and raises ``Busy``, ``Unwritable`` and
    ``CommitUnknown`` as ``Database.run``: the update must come again then, and harms nothing.
    """

    async def receive(number: int, body: str) -> bool:
        now = clock()

        def store(tx: Transaction) -> bool:
            is_new = SqlUpdates(tx, CHANNEL).store(number, body, now)
            if is_new:
                tx.ring()
            return is_new

        return await database.run(store)

    return receive


def _note(tx: Transaction, numbers: Iterable[int], now: Millis) -> None:
    updates = SqlUpdates(tx, CHANNEL)
    for number in numbers:
        updates.done(number, now)


def stored_form(batch: object) -> Sequence[Stored]:
    """Return the updates of an answer to getUpdates, each with its number and its JSON text."""
    entries: Sequence[Any] = batch if isinstance(batch, list) else ()
    return [
        (entry["update_id"], json.dumps(entry))  # ASCII: half characters stay escaped
        for entry in entries
        if isinstance(entry, dict) and is_update_id(entry.get("update_id"))
    ]
