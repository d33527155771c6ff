"""The database is gone for ten seconds, in the middle of everything; the shop goes on by itself.

On PostgreSQL the line to the server breaks. On SQLite somebody else keeps the file locked, so that
it can be read and not written. The shop is at work as ``lapak run`` has it; its time passes ten
times as quickly as ours.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stamina
from structlog.testing import capture_logs

from bot.bootstrap import Seams
from bot.roles import EVERY_ROLE, Running
from shop.time import MINUTE, SECOND, Millis
from storage import doorbell, patience, postgres, presence
from storage.address import Address, PostgresServer
from storage.sqlite import SqliteEngine
from tests.fakes.chat import Person
from tests.fakes.databases import fresh, rows
from tests.fakes.outage import Fails, Locked, Outage, Unplugged, Wire
from tests.fakes.proxy import Fault, Proxy
from tests.fakes.street import Street, street
from tests.journeys.test_first_sale import to_confirmation

SOON = 60  # seconds of ours; a lease that nobody ends takes eight of them
TICK = 0.05  # of ours
TEN_SECONDS: Millis = 10 * SECOND
NOTHING_NOTED = "belum ada yang dicatat"
NOBODY_KNOWS = "belum pasti apakah yang tadi tercatat"
DONE = "Top up masuk!"

ON_A_SERVER = pytest.mark.parametrize("on_a_database", ["postgres"], indirect=True)


@dataclass
class World:
    """A shop at work, and what may happen to its database, which is there for us all the same."""

    there: Street
    database: Address
    outage: Outage
    wire: Wire
    proxy: Proxy | None

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return rows(self.database, sql)

    @property
    def orders(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM orders ORDER BY created_at, id")

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not holds():  # noqa: ASYNC110 - others make it so, in threads of their own
                await asyncio.sleep(TICK)

    async def passes(self, span: Millis) -> None:
        """Let the shop's time pass."""
        end = self.there.clock() + span
        await self.until(lambda: self.there.clock() >= end)

    async def sees(self, person: Person, part: str) -> None:
        await self.until(lambda: person.count(part) > 0)

    async def is_away_for_ten_seconds(self) -> None:
        self.outage.away()
        await self.is_back_in_ten_seconds()

    async def is_back_in_ten_seconds(self) -> None:
        await self.passes(TEN_SECONDS)
        self.outage.back()

    async def gets_a_qr(self, person: Person) -> None:
        await to_confirmation(person)
        await person.taps("Bayar")
        await self.sees(person, "Bayar Rp")

    async def ends_well(self, person: Person) -> None:
        """All that was promised comes; nothing comes twice, not at the supplier's either."""
        await self.sees(person, DONE)
        await self.until(lambda: [row["status"] for row in self.orders] == ["delivered"])
        await self.until(lambda: not self.rows("SELECT seq FROM outbox WHERE due_at IS NOT NULL"))
        assert len(self.there.journal) == 1
        assert person.sees(DONE).view.copy == self.there.journal[0]["sn"]
        assert person.count(DONE) == 1
        assert person.count("Bayar Rp") <= 1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody gives up, and looks again, as much sooner as time passes more quickly."""
    monkeypatch.setattr(postgres, "PATIENCE", 0.6)
    monkeypatch.setattr(patience, "ANSWER_WITHIN", 1.0)
    monkeypatch.setitem(patience.CONNECTING, "connect_timeout", 2)
    for module in (presence, doorbell):
        monkeypatch.setattr(module, "ANSWER_WITHIN", 1.0)
        monkeypatch.setattr(module, "PING_EVERY", 0.2)
        monkeypatch.setattr(module, "_AGAIN_AFTER", 0.05)
    stamina.set_testing(False)


@pytest.fixture(autouse=True)
def without_tracebacks() -> Iterator[None]:
    """Each failed try is logged; drawing that takes longer than the try."""
    with capture_logs():
        yield


@pytest.fixture
async def world(tmp_path: Path, on_a_database: str) -> AsyncIterator[World]:
    wire = Wire()
    beside = tmp_path / "beside"
    beside.mkdir()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(wire.end)
        database = stack.enter_context(fresh(on_a_database, tmp_path))
        proxy: Proxy | None = None
        outage: Outage
        address: Address = database
        if isinstance(database, PostgresServer):
            proxy = stack.enter_context(Proxy().standing())
            address, outage = proxy.address(database), Unplugged(proxy)
        else:
            outage = Locked(database)
        there = await stack.enter_async_context(
            street(beside, Seams(client=wire.client), on="sqlite", database=address)
        )
        if isinstance(outage, Locked):
            await wait_less_for_locks(there)
        async with at_work(there):
            try:
                yield World(there, database, outage, wire, proxy)
            finally:
                outage.back()


async def wait_less_for_locks(there: Street) -> None:
    engine = there.shop.database._engine
    assert isinstance(engine, SqliteEngine)
    await engine._writer.visit(lambda connection: connection.execute("PRAGMA busy_timeout=50"))


@asynccontextmanager
async def at_work(there: Street) -> AsyncIterator[None]:
    """The shop runs, and its time passes."""
    stop = asyncio.Event()
    running = asyncio.create_task(Running(there.shop, EVERY_ROLE).until(stop))
    ticking = asyncio.create_task(tick(there))
    try:
        yield
        assert not running.done()
    finally:
        ticking.cancel()
        stop.set()
        await asyncio.gather(ticking, return_exceptions=True)
        await running


async def tick(there: Street) -> None:
    while True:
        await asyncio.sleep(TICK)
        there.clock.advance(int(10 * TICK * SECOND))
        there.shop.database.ring()  # whoever waits for a moment looks whether it has come


# --- a person does something ----------------------------------------------------------------------


async def test_whoever_browses_meanwhile_is_told_so_and_goes_on_where_they_were(
    world: World,
) -> None:
    budi = world.there.person()
    await budi.says("/start")
    world.outage.away()
    await budi.taps("Free Fire", input_id="tap")
    assert NOTHING_NOTED in budi.last.text
    await world.is_back_in_ten_seconds()
    await budi.taps("Free Fire", input_id="tap")
    budi.sees("Mau yang mana?")


async def test_whoever_confirms_meanwhile_has_ordered_nothing_and_may_again(world: World) -> None:
    budi = world.there.person()
    await to_confirmation(budi)
    world.outage.away()
    await budi.taps("Bayar", input_id="tap")
    assert NOTHING_NOTED in budi.last.text
    await world.is_back_in_ten_seconds()
    assert world.orders == []
    await budi.taps("Bayar", input_id="tap")
    await world.sees(budi, "Bayar Rp")
    await world.there.pay()
    await world.ends_well(budi)


@ON_A_SERVER
async def test_whoever_taps_just_as_it_comes_back_does_not_notice(world: World) -> None:
    budi = world.there.person()
    await to_confirmation(budi)
    world.outage.away()
    tapping = asyncio.create_task(budi.taps("Bayar"))
    await asyncio.sleep(0.1)
    world.outage.back()
    await tapping
    assert budi.count("Maaf") == 0
    await world.sees(budi, "Bayar Rp")


async def test_whoever_says_they_have_paid_meanwhile_is_told_the_truth(world: World) -> None:
    budi = world.there.person()
    await world.gets_a_qr(budi)
    world.outage.away()
    await world.there.pay()
    await budi.taps("Sudah bayar")
    assert NOTHING_NOTED in budi.last.text
    await world.is_back_in_ten_seconds()
    await world.ends_well(budi)


# --- the supplier answers -------------------------------------------------------------------------


async def test_an_invoice_that_was_opened_meanwhile_is_shown_afterwards(world: World) -> None:
    budi = world.there.person()
    await to_confirmation(budi)
    answered = asyncio.Event()

    def goes_away() -> None:
        world.outage.away()
        answered.set()

    world.wire.before_answer("order/create", goes_away)
    await budi.taps("Bayar")
    await answered.wait()
    await world.is_back_in_ten_seconds()
    assert budi.count("Bayar Rp") == 0
    await world.sees(budi, "Bayar Rp")
    await world.there.pay()
    await world.ends_well(budi)


async def test_a_payment_that_was_heard_of_meanwhile_is_known_afterwards(world: World) -> None:
    budi = world.there.person()
    await world.gets_a_qr(budi)
    heard = asyncio.Event()

    def goes_away() -> None:
        world.outage.away()
        heard.set()

    await world.there.pay()
    world.wire.before_answer("order/status", goes_away)
    await heard.wait()
    await world.is_back_in_ten_seconds()
    await world.ends_well(budi)


@pytest.mark.parametrize("path", ["order/create", "order/status", "services"])
async def test_an_outage_before_a_call_leaves_nothing_undone(world: World, path: str) -> None:
    """Between choosing it, and making it, and hearing the answer of another."""
    budi = world.there.person()
    world.wire.before_answer(path, world.outage.away)
    bringing_back = asyncio.create_task(world.is_back_in_ten_seconds())
    await to_confirmation(budi)
    await budi.taps("Bayar")
    await world.sees(budi, "Bayar Rp")
    await world.there.pay()
    await bringing_back
    world.outage.back()
    await world.ends_well(budi)


# --- a message is sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["Bayar Rp", DONE])
async def test_m2_a_message_that_could_not_be_noted_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    budi, chat = world.there.person(), world.there.chat
    failing = Fails(chat, part, world.outage.away)
    monkeypatch.setattr(chat, "send", failing.send)
    await to_confirmation(budi)
    await budi.taps("Bayar")
    await world.sees(budi, "Bayar Rp")
    paying = asyncio.create_task(world.there.pay())
    await failing.did.wait()
    await world.is_back_in_ten_seconds()
    await paying
    await world.ends_well(budi)


async def test_several_outages_in_one_purchase_change_nothing_but_the_time_it_takes(
    world: World,
) -> None:
    budi = world.there.person()
    await to_confirmation(budi)
    await budi.taps("Bayar")
    await world.is_away_for_ten_seconds()
    await world.sees(budi, "Bayar Rp")
    await world.is_away_for_ten_seconds()
    await world.there.pay()
    await world.is_away_for_ten_seconds()
    await world.ends_well(budi)


# --- at the very COMMIT ---------------------------------------------------------------------------


# Whoever waits for a lock of SQLite waits in SQLite; no line to a file could break.
AT_COMMIT = [Fault.CUTS_BEFORE_COMMIT, Fault.CUTS_AFTER_COMMIT]


def the_proxy(world: World) -> Proxy:
    assert world.proxy is not None
    return world.proxy


@ON_A_SERVER
@pytest.mark.parametrize("fault", AT_COMMIT)
async def test_a_confirmation_that_nobody_knew_of_is_one_order(world: World, fault: Fault) -> None:
    proxy, budi = the_proxy(world), world.there.person()
    await to_confirmation(budi)
    proxy.break_at_commit(fault)
    await budi.taps("Bayar", input_id="tap")
    assert proxy.broken == 1
    assert len(world.orders) == 1
    assert budi.count("Maaf") == 0
    await world.sees(budi, "Bayar Rp")
    await world.there.pay()
    await world.ends_well(budi)


@ON_A_SERVER
@pytest.mark.parametrize("fault", AT_COMMIT)
async def test_whoever_cannot_be_told_whether_it_was_stored_is_told_just_that(
    world: World, fault: Fault
) -> None:
    """The line breaks at the COMMIT, and stays broken: it is not said that nothing was noted."""
    proxy, budi = the_proxy(world), world.there.person()
    await to_confirmation(budi)
    proxy.break_at_commit(fault, then=Fault.REFUSES)
    await budi.taps("Bayar", input_id="tap")
    assert proxy.broken == 1
    assert NOTHING_NOTED not in budi.last.text
    assert NOBODY_KNOWS in budi.last.text
    await world.is_back_in_ten_seconds()
    await budi.taps("Bayar", input_id="tap")  # Telegram tells us again what we did not acknowledge
    await world.sees(budi, "Bayar Rp")
    await world.there.pay()
    await world.ends_well(budi)


@ON_A_SERVER
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", AT_COMMIT)
async def test_o1_o2_a_purchase_on_a_line_that_breaks_at_every_fifth_commit(
    world: World, fault: Fault
) -> None:
    proxy, there, budi = the_proxy(world), world.there, world.there.person()
    async with storm(proxy, fault):
        await buys_until_it_arrives(world, budi)
    await world.passes(MINUTE)
    assert proxy.broken >= 3
    paid = [entry for entry in there.journal if entry["payment_status"] == "settlement"]
    delivered = [row for row in world.orders if row["status"] == "delivered"]
    assert [row["target"] for row in delivered] == [entry["target"] for entry in paid]
    assert [row["serial"] for row in delivered] == [entry["sn"] for entry in paid]
    targets = [entry["target"] for entry in there.journal]
    assert len(targets) == len(set(targets))  # O2: never two for one
    assert {m.view.copy for m in budi.messages if m.view.copy} == {paid[0]["sn"]}


@asynccontextmanager
async def storm(proxy: Proxy, fault: Fault) -> AsyncIterator[None]:
    async def breaks_again_and_again() -> None:
        while True:
            if proxy.fault is Fault.NONE:
                proxy.break_at_commit(fault, nth=5)
            await asyncio.sleep(TICK)

    breaking = asyncio.create_task(breaks_again_and_again())
    try:
        yield
    finally:
        breaking.cancel()
        await asyncio.gather(breaking, return_exceptions=True)
        proxy.heal()


async def buys_until_it_arrives(world: World, budi: Person) -> None:
    """Order as a person does who is told to try again, and whose taps are told again."""
    for account in ("123456789", "223456789", "323456789", "423456789"):
        taps: list[Callable[[str], Awaitable[Any]]] = [
            lambda n: budi.says("/start", n),
            lambda n: budi.taps("Free Fire", input_id=n),
            lambda n: budi.taps("70 Diamond", input_id=n),
            lambda n, account=account: budi.says(account, n),
            lambda n: budi.taps("Bayar", input_id=n),
        ]
        for number, tap in enumerate(taps):
            await told_until_answered(budi, tap, f"{account}-{number}")
        await world.until(lambda: world.orders[-1]["status"] in {"awaiting_payment", "cancelled"})
        if world.orders[-1]["status"] == "awaiting_payment":
            break
        await world.passes(11 * SECOND)
    await world.there.pay()
    await world.sees(budi, DONE)


async def told_until_answered(
    budi: Person, tap: Callable[[str], Awaitable[Any]], input_id: str
) -> None:
    for _ in range(5):
        await tap(input_id)
        if not budi.last.text.startswith("Maaf"):
            return
    raise AssertionError(f"never answered: {budi.last.text}")
