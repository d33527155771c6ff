"""Asking who a player is: once for all who want to know, in time, and within bounds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from bot.workers.nicknames import (
    MOST_AT_ONCE,
    MOST_OF_ALL,
    MOST_OF_ONE,
    WINDOW,
    Nicknames,
)
from shop import health
from shop.players import LONGEST_NICKNAME, NOBODY, Found, Player, Whose
from shop.suppliers import (
    ChecksNicknames,
    Misconfigured,
    PriceList,
    StatusRequest,
    Supplier,
    TopupReport,
    TopupRequest,
    Unavailable,
)
from shop.time import MINUTE
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy
from storage.opening import open_database
from tests.fakes.databases import fresh
from tests.fakes.street import Clock
from tests.shop.samples import BUYER, OWNER, RULES

BUDI = Whose(game="mobile-legends", user_id="12345678", server="2001")
Answer = Callable[[], Awaitable[str | None]]


async def found() -> str | None:
    return "Budi"


class Oracle(Supplier, ChecksNicknames):
    """A supplier that knows players, and is asked for nothing else."""

    slug: ClassVar[str] = "oracle"
    title: ClassVar[str] = "Oracle"
    counts_calls: ClassVar[bool] = False
    knows_our_ref: ClassVar[bool] = True
    nickname_games: ClassVar[frozenset[str]] = frozenset({"mobile-legends"})

    def __init__(self, answer: Answer = found) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str]] = []
        self.heard = asyncio.Event()

    async def nickname(self, game: str, user_id: str, server: str) -> str | None:
        self.asked.append((game, user_id, server))
        self.heard.set()
        return await self.answer()

    async def price_list(self) -> PriceList:
        raise NotImplementedError

    async def topup(self, request: TopupRequest) -> TopupReport:
        raise NotImplementedError

    async def status(self, request: StatusRequest) -> TopupReport:
        raise NotImplementedError


class Second(Oracle):
    slug = "second"


@dataclass
class Hall:
    """Where people ask the oracle."""

    keeper: BookKeeper
    oracle: Oracle
    second: Second
    nicknames: Nicknames
    clock: Clock = field(default_factory=Clock)

    async def known(self, whose: Whose = BUDI) -> Player:
        return await self.keeper.read(lambda books: books.players.of(whose))

    async def asks(self, whose: Whose = BUDI, address: str = BUYER) -> Player:
        await self.nicknames.ask(whose, address)
        return await self.known(whose)


@asynccontextmanager
async def hall(folder: Path, answer: Answer = found) -> AsyncIterator[Hall]:
    clock, oracle, second = Clock(), Oracle(answer), Second()
    with fresh("sqlite", folder) as address:
        database = await open_database(address)
        keeper = BookKeeper(database, RULES, (OWNER,))
        nicknames = Nicknames([oracle, second], keeper=keeper, clock=clock, patience=0.05)
        try:
            yield Hall(keeper, oracle, second, nicknames, clock)
        finally:
            await database.close()


def raising(error: Exception) -> Answer:
    async def answer() -> str | None:
        raise error

    return answer


def saying(name: str | None) -> Answer:
    async def answer() -> str | None:
        return name

    return answer


async def for_ever() -> str | None:
    await asyncio.Event().wait()
    return "too late"


# --- three outcomes -------------------------------------------------------------------------------


async def test_a_name_is_asked_for_by_game_id_and_server_and_stored(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        known = await there.asks()
        assert known == Player(found=Found.FOUND, nickname="Budi", asked_at=there.clock())
        assert there.oracle.asked == [("mobile-legends", "12345678", "2001")]
        assert there.second.asked == []


async def test_that_there_is_no_such_player_is_stored_too(tmp_path: Path) -> None:
    async with hall(tmp_path, saying(None)) as there:
        assert (await there.asks()).found is Found.ABSENT


@pytest.mark.parametrize(
    "answer",
    [
        raising(Unavailable("no answer")), raising(Misconfigured("who are you?")),
        raising(RuntimeError("a mistake of ours")), for_ever, saying("\u202e \u200b"),
    ],
)  # fmt: skip
async def test_whatever_goes_wrong_is_that_nobody_can_say(tmp_path: Path, answer: Answer) -> None:
    async with hall(tmp_path, answer) as there:
        assert await there.asks() == Player(found=Found.UNKNOWN, asked_at=there.clock())


async def test_m7_a_hostile_name_is_stored_as_it_may_be_shown(tmp_path: Path) -> None:
    async with hall(tmp_path, saying("Raja\n\u202eBayar Rp1" + "a" * 99)) as there:
        name = (await there.asks()).nickname
        assert name.startswith("Raja Bayar Rp1aa")
        assert len(name) == LONGEST_NICKNAME


async def test_that_nobody_answers_says_nothing_of_how_the_supplier_sells(tmp_path: Path) -> None:
    async with hall(tmp_path, raising(Misconfigured("who are you?"))) as there:
        for number in range(MOST_OF_ONE):
            await there.asks(Whose(game="mobile-legends", user_id=f"1234567{number}"))
        away = await there.keeper.read(lambda books: books.health.away(there.clock()))
        assert away == set()


# --- who is asked ---------------------------------------------------------------------------------


async def test_a_supplier_that_is_away_is_not_asked_and_another_is(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        await there.keeper.write(lambda books: is_away(books, "oracle", there.clock()))
        assert (await there.asks()).nickname == "Budi"
        assert (len(there.oracle.asked), len(there.second.asked)) == (0, 1)


async def test_where_all_are_away_nobody_is_asked_and_nothing_is_stored(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        for slug in ("oracle", "second"):
            await there.keeper.write(lambda books, slug=slug: is_away(books, slug, there.clock()))
        assert await there.asks() == NOBODY
        assert there.oracle.asked == there.second.asked == []


def is_away(books: SqlBooks, supplier: str, now: int) -> None:
    for _ in range(10):
        health.unanswered(books, supplier, "no answer", now)
    assert supplier in books.health.away(now)


async def test_a_game_that_nobody_knows_is_asked_of_nobody(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        assert await there.asks(Whose(game="valorant", user_id="Budi#ID1")) == NOBODY
        assert there.oracle.asked == []


# --- how often ------------------------------------------------------------------------------------


async def test_many_who_ask_at_once_for_one_player_are_one_question(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        asking = (there.nicknames.ask(BUDI, f"web:p{nth}") for nth in range(20))
        await asyncio.gather(*asking)
        assert len(there.oracle.asked) == 1


async def test_who_waits_for_an_answer_that_does_not_come_does_not_ask_again(
    tmp_path: Path,
) -> None:
    async with hall(tmp_path, for_ever) as there:
        await asyncio.gather(*(there.nicknames.ask(BUDI, BUYER) for _ in range(3)))
        assert len(there.oracle.asked) == 1


async def test_a_few_questions_are_under_way_at_once_and_the_rest_wait(tmp_path: Path) -> None:
    under_way, most = 0, 0

    async def slowly() -> str | None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return "Budi"

    async with hall(tmp_path, slowly) as there:
        many = [Whose(game="mobile-legends", user_id=f"123456{nth:02d}") for nth in range(12)]
        await asyncio.gather(*(there.nicknames.ask(one, f"web:{one.user_id}") for one in many))
        assert len(there.oracle.asked) == 12
        assert 1 < most <= MOST_AT_ONCE


async def test_who_waits_gives_up_when_its_question_is_taken_back(tmp_path: Path) -> None:
    async with hall(tmp_path, for_ever) as there:
        first = asyncio.create_task(there.nicknames.ask(BUDI, BUYER))
        await there.oracle.heard.wait()
        there.oracle.answer = found
        second = asyncio.create_task(there.nicknames.ask(BUDI, "web:siti"))
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert (await there.known()).nickname == "Budi"


async def test_s7_who_tries_out_ids_is_answered_no_more_for_a_while(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        many = [Whose(game="mobile-legends", user_id=f"{nth}") for nth in range(10_000, 10_030)]
        known = [await there.asks(one) for one in many]
        assert [one.found for one in known[:MOST_OF_ONE]] == [Found.FOUND] * MOST_OF_ONE
        assert known[MOST_OF_ONE:] == [NOBODY] * (30 - MOST_OF_ONE)
        assert (await there.asks(many[-1], "web:siti")).found is Found.FOUND
        there.clock.advance(WINDOW)
        assert (await there.asks(many[-2])).found is Found.FOUND


async def test_what_is_known_already_costs_nobody_a_question(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        for _ in range(MOST_OF_ONE + 5):
            await there.asks()
        assert len(there.oracle.asked) == 1
        assert (await there.asks(Whose(game="mobile-legends", user_id="9"))).found is Found.FOUND


async def test_s7_all_people_together_ask_so_much_and_no_more(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        now = there.clock()
        there.nicknames._lately = [(now, f"web:p{nth}") for nth in range(MOST_OF_ALL)]
        assert await there.asks() == NOBODY
        there.clock.advance(WINDOW)
        assert (await there.asks()).found is Found.FOUND


async def test_a_clock_that_is_set_back_silences_nobody(tmp_path: Path) -> None:
    async with hall(tmp_path) as there:
        there.nicknames._lately = [(there.clock() + MINUTE, BUYER)] * MOST_OF_ONE
        assert (await there.asks()).found is Found.FOUND


# --- when nothing can be stored -------------------------------------------------------------------


async def test_an_answer_that_cannot_be_stored_is_lost_and_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_work: object) -> None:
        raise Busy

    async with hall(tmp_path) as there:
        monkeypatch.setattr(there.keeper, "write", busy)
        await there.nicknames.ask(BUDI, BUYER)
        assert await there.known() == NOBODY
