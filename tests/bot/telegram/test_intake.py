"""What is stored, what is in hand, what is noted: nothing twice, nothing lost."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.telegram.intake import Intake, receiver
from storage.database import CommitUnknown, Database, Unwritable
from storage.updates import SqlUpdates
from tests.bot.telegram.stage import FailingDatabase, now, waiting_in
from tests.fakes.databases import KINDS

pytestmark = pytest.mark.parametrize("kind", KINDS)


def numbers(found: Any) -> list[int]:
    return [number for number, _ in found]


def begun(database: Any) -> Intake:
    intake = Intake(database, now)
    intake.begin()
    return intake


async def test_what_is_given_out_once_is_not_given_out_again(database: Database) -> None:
    intake = begun(database)
    await intake.store([(5, "five"), (6, "six")])
    assert await intake.look(10) == [(5, "five"), (6, "six")]
    assert await intake.look(10) == []
    await intake.done(5)
    await intake.done(6)
    assert await intake.look(10) == []
    assert await waiting_in(database) == []


async def test_what_is_stored_late_with_a_low_number_is_given_out_at_once(
    database: Database,
) -> None:
    intake = begun(database)
    await intake.store([(10, "ten"), (30, "thirty")])
    await intake.look(10)
    await intake.store([(40, "forty"), (20, "twenty"), (5, "five"), (21, "twenty-one")])
    assert await intake.look(10) == [
        *[(5, "five"), (20, "twenty"), (21, "twenty-one"), (40, "forty")]
    ]


async def test_so_many_are_given_out_and_the_lowest_first(database: Database) -> None:
    intake = begun(database)
    await intake.store([(number, "x") for number in range(10)])
    assert numbers(await intake.look(3)) == [0, 1, 2]
    await intake.done(1)
    assert numbers(await intake.look(4)) == [3, 4, 5, 6]
    await intake.store([(-1, "late")])
    assert numbers(await intake.look(2)) == [-1, 7]


async def test_an_update_that_comes_again_a_year_later_stays_answered(database: Database) -> None:
    await begun(database).store([(5, "five")])
    first = begun(database)
    await first.look(10)
    await first.done(5)
    a_year_later = Intake(database, lambda: now() + 365 * 24 * 3600 * 1000)
    await a_year_later.store([(5, "five")])
    assert await a_year_later.look(10) == []


async def test_two_feeders_store_the_same_update_once(database: Database) -> None:
    polling, webhook = begun(database), receiver(database, now)
    bell = database.bell()
    assert await webhook(5, "five")
    assert bell.is_set()
    bell.clear()
    assert not await webhook(5, "five")
    assert not bell.is_set()
    await polling.store([(5, "five"), (6, "six")])
    assert not await webhook(6, "six")
    await asyncio.gather(polling.store([(7, "seven")]), webhook(7, "seven"))
    assert await polling.look(10) == [(5, "five"), (6, "six"), (7, "seven")]


async def test_a_commit_whose_fate_is_unknown_is_stored_again(
    database: Database, failing: FailingDatabase
) -> None:
    webhook = receiver(failing, now)
    failing.fails, failing.too_late = CommitUnknown("cut"), True
    with pytest.raises(CommitUnknown):
        await webhook(5, "five")
    failing.fails = None
    assert not await webhook(5, "five")
    assert await begun(database).look(10) == [(5, "five")]


async def test_an_answer_that_cannot_be_noted_is_not_given_again_and_noted_later(
    database: Database, failing: FailingDatabase
) -> None:
    intake = begun(failing)
    await intake.store([(5, "five"), (6, "six")])
    await intake.look(10)
    for failing.fails in (Unwritable("full"), CommitUnknown("cut")):
        await intake.done(5)
        await intake.note_owed()
        assert await intake.look(10) == []
    failing.fails = None
    await intake.note_owed()
    assert await waiting_in(database) == [6]
    assert await intake.look(10) == []


async def test_what_was_answered_unstored_is_stored_as_answered(
    database: Database, failing: FailingDatabase
) -> None:
    intake = begun(failing)
    failing.fails = Unwritable("full")
    assert intake.hold(5)
    assert not intake.hold(5)
    await intake.done(5)
    failing.fails = None
    await intake.store([(5, "five"), (6, "six")])
    assert await waiting_in(database) == [6]
    assert numbers(await intake.look(10)) == [6]


async def test_what_was_answered_unstored_may_also_be_noted_before_it_is_stored(
    database: Database,
) -> None:
    intake = begun(database)
    intake.hold(5)
    await intake.done(5)
    await intake.store([(5, "five")])
    assert await intake.look(10) == []


async def test_a_new_run_gives_out_again_what_was_not_answered(
    database: Database, failing: FailingDatabase
) -> None:
    intake = begun(failing)
    await intake.store([(5, "five"), (6, "six"), (7, "seven")])
    await intake.look(10)
    await intake.done(5)
    failing.fails = Unwritable("full")
    await intake.done(6)
    intake.begin()
    assert numbers(await intake.look(10)) == [7]
    assert numbers(await begun(database).look(10)) == [6, 7]  # the next process cannot know


class Interrupted:
    """A database where something happens between reading and hearing what was read."""

    def __init__(self, database: Database) -> None:
        self.run = database.run
        self.meanwhile: Callable[[], Any] | None = None
        self._read = database.read

    async def read(self, work: Any) -> Any:
        found = await self._read(work)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return found


async def test_what_is_answered_while_we_look_is_not_given_out_again(database: Database) -> None:
    between = Interrupted(database)
    intake = begun(between)
    await intake.store([(5, "five"), (7, "seven")])
    await intake.look(1)
    between.meanwhile = lambda: intake.done(5)
    intake.begin()  # so that it is read once more
    intake.hold(0)
    assert numbers(await intake.look(10)) == [7]
    assert await waiting_in(database) == [7]


async def test_it_tells_what_was_ever_stored(database: Database) -> None:
    intake = begun(database)
    await intake.store([(5, "five"), (6, "six")])
    await intake.done(5)
    assert await intake.known([4, 5, 6]) == {5, 6}


async def test_bodies_of_what_is_in_hand_are_not_read_again(database: Database) -> None:
    asked: list[tuple[int, int]] = []

    class Watched(SqlUpdates):
        def _bodies(self, first: int, last: int) -> Any:
            asked.append((first, last))
            return super()._bodies(first, last)

    await begun(database).store([(number, "x") for number in (1, 2, 3, 5, 8, 9)])
    held = {2, 3, 8}
    found = await database.read(lambda tx: Watched(tx, "telegram").waiting(held=held, most=10))
    assert numbers(found) == [1, 5, 9]
    assert asked == [(1, 1), (5, 5), (9, 9)]
