"""Whose account it is: asked at a supplier before anybody pays, and learnt from orders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import Seams
from bot.workers.nicknames import Nicknames
from providers.simulators.players import nickname_of
from shop import health
from shop.time import MINUTE, SECOND
from storage.books import SqlBooks
from storage.opening import open_database
from tests.fakes.chat import Person
from tests.fakes.mall import APIGAMES, ZONEGAME, Mall, mall
from tests.fakes.plug import Plug, Pulled

ID = "123456789"
NAME = nickname_of(ID)
ASKING = "/cek-username/"
UNKNOWN = "Nama akun belum bisa dicek"
PRICE = 100_000


@asynccontextmanager
async def shops(folder: Path, **more: Any) -> AsyncIterator[Mall]:
    """A mall that buys at ZoneGame, and at Apigames, who can be asked for players."""
    async with mall(folder, (ZONEGAME, APIGAMES), **more) as there:
        yield there


async def to_account(person: Person, game: str = "free-fire", item: str = "70 Diamond") -> None:
    await person.says(f"/start {game}")
    await person.taps(item)


async def to_confirmation(person: Person, account: str = ID, *of: str) -> None:
    await to_account(person, *of)
    await person.says(account)
    person.sees("Cek dulu")


def questions(there: Mall) -> list[str]:
    return [sent.path for sent in there.line.sent if ASKING in sent.path]


def known(there: Mall) -> list[tuple[str, str]]:
    found = there.rows("SELECT found, nickname FROM players ORDER BY user_id")
    return [(row["found"], row["nickname"]) for row in found]


async def test_a_customer_sees_whose_account_it_is_before_paying(tmp_path: Path) -> None:
    async with shops(tmp_path) as there:
        budi = there.person()
        await to_confirmation(budi)
        assert f"👤 {ID}\n🏷️ Nama di game: {NAME}\n" in budi.last.text
        assert known(there) == [("found", NAME)]
        assert there.orders == []


async def test_an_id_that_nobody_has_is_asked_for_again_and_then_let_through(
    tmp_path: Path,
) -> None:
    async with shops(tmp_path) as there:
        budi = there.person()
        await to_account(budi)
        for _ in range(2):
            await budi.says("1234")
            await budi.says("ya")  # it is unusually short
        assert budi.count("Kami belum menemukan pemain dengan ID 1234") == 1
        budi.sees("Cek dulu", "belum kami temukan")
        assert len(questions(there)) == 1
        await budi.taps("qris")
        assert [order["user_id"] for order in there.orders] == ["1234"]


@pytest.mark.parametrize("kind", ["500", "429", "html", "truncated", "timeout"])
async def test_a_supplier_that_cannot_say_holds_nobody_up(tmp_path: Path, kind: str) -> None:
    async with shops(tmp_path) as there:
        await there.fault(APIGAMES, kind, ASKING, count=9)
        budi = there.person()
        await to_confirmation(budi)
        budi.sees("Cek dulu", UNKNOWN)
        asked = len(questions(there))
        await to_confirmation(budi)  # and nobody waits twice in a row
        assert len(questions(there)) == asked
        await there.fault(APIGAMES, "clear", ASKING)
        there.clock.advance(MINUTE)
        await to_confirmation(budi)
        budi.sees("Cek dulu", NAME)


async def test_a_supplier_that_takes_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.bootstrap.Nicknames", partial(Nicknames, patience=0.02))
    async with shops(tmp_path) as there:
        await there.tell(APIGAMES, "fault", kind="slow", path=ASKING, seconds=1)
        budi = there.person()
        await to_confirmation(budi)
        budi.sees("Cek dulu", UNKNOWN)
        await budi.taps("qris")
        assert len(there.orders) == 1


async def test_a_supplier_that_is_away_is_not_asked(tmp_path: Path) -> None:
    async with shops(tmp_path) as there:
        await there.shop.keeper.write(lambda books: _is_away(books, there.clock()))
        budi = there.person()
        await to_confirmation(budi)
        budi.sees("Cek dulu", UNKNOWN)
        assert questions(there) == []


def _is_away(books: SqlBooks, now: int) -> None:
    while APIGAMES.slug not in books.health.away(now):
        health.unanswered(books, APIGAMES.slug, "no answer", now)


async def test_two_who_mean_the_same_player_at_once_ask_once(tmp_path: Path) -> None:
    async with shops(tmp_path) as there:
        people = [there.person(name) for name in ("budi", "siti", "joko")]
        for person in people:
            await to_account(person)
        await asyncio.gather(*(person.says(ID) for person in people))
        for person in people:
            person.sees("Cek dulu", NAME)
        assert len(questions(there)) == 1


async def test_a_double_tap_asks_once_and_shows_one_question_at_a_time(tmp_path: Path) -> None:
    async with shops(tmp_path) as there:
        budi = there.person()
        await there.gives_credit(budi, PRICE)
        await to_confirmation(budi)
        await budi.taps("wallet")
        there.clock.advance(20 * MINUTE)
        await to_account(budi)
        button = budi.button(ID)
        asked = len(questions(there))
        await asyncio.gather(budi.presses(button), budi.presses(button))
        assert len(questions(there)) == asked + 1
        budi.sees("Cek dulu", NAME)


# --- what orders tell -----------------------------------------------------------------------------

BRAZIL = ("mobile-legends-brazil", "86 Diamond")
HERE = "12345678 (2001)"  # the simulated ZoneGame has no Brazilian whose ID begins so


async def test_an_account_that_was_refused_for_its_region_is_told_the_next_time(
    tmp_path: Path,
) -> None:
    async with shops(tmp_path) as there:
        budi = there.person()
        await there.gives_credit(budi, PRICE)
        there.clock.advance(11 * SECOND)
        await to_confirmation(budi, HERE, *BRAZIL)
        await budi.taps("wallet")
        await there.after(MINUTE)
        assert there.credit(budi) == PRICE
        await to_account(budi, *BRAZIL)
        await budi.says(HERE)
        budi.sees("terdaftar di Indonesia", "untuk Brazil")
        await budi.taps("Mobile Legends")  # which is sold to accounts here
        await budi.taps("86 Diamond")
        budi.sees("Cek dulu", HERE, "🎮 Mobile Legends\n")


async def test_the_name_in_an_orders_answer_stands_on_the_saved_account(tmp_path: Path) -> None:
    async with mall(tmp_path, (ZONEGAME,)) as there:
        budi = there.person()
        await there.gives_credit(budi, PRICE)
        there.clock.advance(11 * SECOND)
        await to_confirmation(budi, "938572270")
        await budi.taps("wallet")
        await there.after(MINUTE)
        await to_account(budi)
        assert budi.labels[0] == "Whyy · 938572270"
        await budi.says("/akun")
        budi.sees("• 938572270\nWhyy")


# --- the plug -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "hit"),
    [
        ("commit.before", 1), ("request.before", 1), ("request.after", 1), ("commit.before", 2),
        ("commit.after", 1), ("commit.before", 3), ("commit.after", 2),
    ],
)  # fmt: skip
async def test_a_plug_pulled_between_question_and_turn_loses_nothing(
    tmp_path: Path, point: str, hit: int
) -> None:
    plug = Plug(point=point, hit=hit)
    seams = Seams(client=plug.client, database=plug.database(open_database), sender=plug.sender)
    async with shops(tmp_path, seams=seams) as there:
        budi = there.person()
        await to_account(budi)
        plug.arm()
        with suppress(Pulled):
            await budi.says(ID, "the account")
        assert plug.was_pulled
        plug.mend()
        await there.restart()
        await budi.says(ID, "the account")  # an update is repeated until it was answered
        budi.sees("Cek dulu", NAME)
        await budi.taps("qris")
        assert [order["user_id"] for order in there.orders] == [ID]
