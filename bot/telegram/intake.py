"""What Telegram handed over: stored before it is confirmed, forgotten when it is answered."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from bot.logs import get_logger
from shop.time import Millis
from storage.database import Busy, Database, Transaction, Unwritable
from storage.updates import SqlUpdates

CHANNEL = "telegram"
Stored: TypeAlias = tuple[int, str]  # its number, and the JSON as it came

_log = get_logger(__name__)


class Intake:
    """The stored updates of this channel."""

    def __init__(self, database: Database, clock: Callable[[], Millis]) -> None:
        self._database = database
        self._clock = clock
        self._owed: set[int] = set()  # answered, but that could not be noted yet

    async def waiting(self) -> Sequence[Stored]:
        """Return what an earlier run stored and did not answer, oldest first."""
        return await self._database.read(lambda tx: SqlUpdates(tx, CHANNEL).waiting())

    async def store(self, batch: Sequence[Stored]) -> Sequence[Stored]:
        """Store a batch in one transaction; return what was not known yet.

        Raises ``Busy`` or ``Unwritable``; nothing is stored then, so nothing may be confirmed.
        """
        now, owed = self._clock(), frozenset(self._owed)
        if not batch and not owed:
            return ()

        def store(tx: Transaction) -> Sequence[Stored]:
            updates = SqlUpdates(tx, CHANNEL)
            for number in owed:
                updates.done(number, now)
            return [(number, body) for number, body in batch if updates.store(number, body, now)]

        new = await self._database.run(store)
        self._owed -= owed
        return new

    async def done(self, number: int) -> None:
        """Note that an update was answered; later, if it cannot be stored now.

        An update that is never noted is answered again by the next run: once too often, not never.
        """
        now, numbers = self._clock(), (number, *self._owed)

        def done(tx: Transaction) -> None:
            updates = SqlUpdates(tx, CHANNEL)
            for each in numbers:
                updates.done(each, now)

        try:
            await self._database.run(done)
        except (Busy, Unwritable) as error:
            self._owed.add(number)
            _log.warning("telegram.answer_not_noted", update=number, why=repr(error))
        else:
            self._owed.difference_update(numbers)


def stored_form(batch: object) -> Sequence[Stored]:
    """Return the updates of an answer to getUpdates, each with its number and its JSON text."""
    entries: Sequence[Any] = batch if isinstance(batch, list) else ()
    return [
        (entry["update_id"], json.dumps(entry))  # ASCII: half characters stay escaped
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("update_id"), int)
    ]
