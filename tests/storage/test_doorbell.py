"""News that one process stored rings in the others: once, and after an outage all the same."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.address import PostgresServer
from storage.database import Database, Transaction
from storage.doorbell import Doorbell
from tests.fakes.databases import fresh
from tests.fakes.proxy import Fault, Proxy
from tests.storage.files import opened
from tests.storage.servers import Note, give_up_sooner, two, until


@pytest.fixture
def direct(tmp_path: Path) -> Iterator[PostgresServer]:
    """A database, and nothing between."""
    with fresh("postgres", tmp_path) as address:
        assert isinstance(address, PostgresServer)
        yield address


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy().standing() as standing:
        yield standing


@pytest.fixture
def far(direct: PostgresServer, proxy: Proxy) -> PostgresServer:
    """The same database, behind a line that may break."""
    return proxy.address(direct)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that gives up sooner."""
    give_up_sooner(monkeypatch)


class Rings:
    """Counts how often it is rung."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


class CountedBell(asyncio.Event):
    def __init__(self) -> None:
        super().__init__()
        self.rung = 0

    def set(self) -> None:
        self.rung += 1
        super().set()


def bell_of(database: Database) -> CountedBell:
    bell = CountedBell()
    database._bells.append(bell)
    return bell


def news(tx: Transaction) -> None:
    tx.ring()


async def test_news_rings_in_every_process_once(direct: PostgresServer) -> None:
    async with two(direct) as (one, other):
        ours, theirs = bell_of(one), bell_of(other)
        for rung in range(1, 4):
            await one.run(news)
            assert ours.rung == rung  # at once, and not again when the server tells it
            await until(lambda rung=rung: theirs.rung == rung)
        await other.run(news)  # and what comes behind our own in the same line is heard
        await until(lambda: ours.rung == 4)
        assert theirs.rung == 4


async def test_no_news_rings_nowhere(direct: PostgresServer) -> None:
    async with two(direct) as (one, other):
        ours, theirs = bell_of(one), bell_of(other)
        await one.run(Note("quietly"))
        await other.run(news)
        await until(lambda: (ours.rung, theirs.rung) == (1, 1))


async def test_news_that_was_not_stored_rings_nowhere_else(direct: PostgresServer) -> None:
    def spoiled(tx: Transaction) -> None:
        tx.ring()
        raise LookupError

    async with two(direct) as (one, other):
        theirs = bell_of(other)
        with pytest.raises(LookupError):
            await one.run(spoiled)
        await one.run(news)
        await until(lambda: theirs.rung == 1)


@pytest.mark.usefixtures("short")
async def test_news_of_an_outage_is_made_up_for_by_one_ring(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    rings = Rings()
    doorbell = Doorbell(far.uri, rings)
    await doorbell.hung()
    async with opened(direct) as database:
        proxy.go_away()
        for _ in range(3):
            await database.run(news)
        assert rings.count == 0
        proxy.heal()
        await until(lambda: rings.count > 0)
        await database.run(news)
        await until(lambda: rings.count > 1)
        assert rings.count == 2
    await doorbell.close()


@pytest.mark.usefixtures("short")
async def test_a_bell_that_has_gone_deaf_is_hung_anew(
    direct: PostgresServer, far: PostgresServer, proxy: Proxy
) -> None:
    rings = Rings()
    doorbell = Doorbell(far.uri, rings)
    await doorbell.hung()
    async with opened(direct) as database:
        proxy.swallow()
        await database.run(news)
        await asyncio.sleep(0.3)
        proxy.fault = Fault.NONE  # the connection stays; what was said meanwhile is lost
        await until(lambda: rings.count > 0)
        before = rings.count
        await database.run(news)
        await until(lambda: rings.count > before)
    await doorbell.close()


@pytest.mark.usefixtures("short")
async def test_a_bell_is_taken_down_at_once_even_if_nobody_answers(
    far: PostgresServer, proxy: Proxy
) -> None:
    doorbell = Doorbell(far.uri, lambda: None)
    await doorbell.hung()
    proxy.swallow()
    await asyncio.sleep(0.3)  # it is asking whether anybody is there
    async with asyncio.timeout(3):
        await doorbell.close()
