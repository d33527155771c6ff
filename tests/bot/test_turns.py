"""A turn for which a player must be known: undone, asked for once, taken again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.engine import Said, Turn
from bot.conversation.views import Typed, View
from bot.turns import Turns
from shop import recognizing
from shop.players import Found, Whose
from shop.time import MINUTE, SECOND
from storage.books import BookKeeper, SqlBooks
from storage.opening import open_database
from tests.bot.conversation.parlour import TEXTS
from tests.fakes.databases import fresh
from tests.fakes.street import Clock
from tests.shop.samples import BUYER, OWNER, RULES

BUDI = Whose(game="mobile-legends", user_id="12345678", server="2001")
SITI = Whose(game="mobile-legends", user_id="87654321", server="2001")


@dataclass
class Curious:
    """A conversation that wants to know some players; what it did in vain must be undone."""

    wanted: Sequence[Whose]
    took: int = 0

    def turn(self, books: SqlBooks, _sessions: object, said: Said) -> Turn:
        self.took += 1
        books.calls.record("zultopup", f"turn {self.took}", said.now)
        looks = (recognizing.look(books, one, said.now, asks=True) for one in self.wanted)
        return Turn(view=View(text=" ".join(player.found.value for player in looks)))


@dataclass
class Desk:
    """Where turns are taken; ``known`` is what can be told, after ``seconds``."""

    keeper: BookKeeper
    clock: Clock
    known: dict[Whose, Found] = field(default_factory=dict)
    seconds: int = 4
    asked: list[tuple[Whose, str]] = field(default_factory=list)

    async def ask(self, whose: Whose, address: str) -> None:
        self.asked.append((whose, address))
        self.clock.advance(self.seconds * SECOND)
        if (found := self.known.get(whose)) is not None:
            now = self.clock()
            await self.keeper.write(lambda books: books.players.answer(whose, found, "", now))

    async def hears(self, conversation: Curious) -> str:
        turns = Turns(
            conversation,  # type: ignore[arg-type]
            self.keeper,
            TEXTS["id"],
            clock=self.clock,
            order_id=lambda: "ORDERX2345",
            ask=self.ask,
        )
        turn = await turns.take(BUYER, Typed("12345678"), "i1", 10)
        assert turn.view is not None
        return turn.view.text

    async def stored(self) -> list[str]:
        """What the turns stored."""
        now = self.clock()
        made = await self.keeper.read(
            lambda books: books.calls.made_between("zultopup", 0, now + MINUTE)
        )
        return [what for _, what in made]


@asynccontextmanager
async def desk(folder: Path, **more: Any) -> AsyncIterator[Desk]:
    with fresh("sqlite", folder) as address:
        database = await open_database(address)
        try:
            yield Desk(BookKeeper(database, RULES, (OWNER,)), Clock(), **more)
        finally:
            await database.close()


async def test_a_turn_that_wants_to_know_nobody_is_taken_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        assert await there.hears(Curious([])) == ""
        assert (there.asked, await there.stored()) == ([], ["turn 1"])


@pytest.mark.parametrize("found", [Found.FOUND, Found.ABSENT, Found.UNKNOWN])
async def test_who_is_asked_for_is_known_when_the_turn_is_taken_again(
    tmp_path: Path, found: Found
) -> None:
    async with desk(tmp_path, known={BUDI: found}) as there:
        assert await there.hears(Curious([BUDI])) == found.value
        assert there.asked == [(BUDI, BUYER)]
        assert await there.stored() == ["turn 2"]  # nothing of the first


async def test_where_there_is_no_answer_the_turn_goes_on_without(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        assert await there.hears(Curious([BUDI])) == "unknown"
        assert await there.hears(Curious([BUDI])) == "unknown"
        assert len(there.asked) == 1  # nobody waits twice in a row


async def test_one_turn_asks_for_one_player_and_takes_the_next_for_unknown(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, known={BUDI: Found.FOUND, SITI: Found.FOUND}) as there:
        assert await there.hears(Curious([BUDI, SITI])) == "found unknown"
        assert there.asked == [(BUDI, BUYER)]
        assert await there.stored() == ["turn 3"]
