"""What suppliers told us is stored before it is answered, and taken in once, in order."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import pytest
from structlog.testing import capture_logs

from bot.workers import inbox as worker
from bot.workers.inbox import InboxWorker, receiver
from shop import fulfilment, hearing
from shop.callbacks import Callback, CallsBack, News, Nonsense, Repriced, Told, Trust
from shop.orders import Order, Status
from shop.settling import NotOpened
from shop.suppliers import Abilities, TopupReport, TopupState
from shop.time import HOUR, MINUTE, SECOND
from storage.address import Address
from storage.audit import audit
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, CommitUnknown, Database, Unwritable
from tests.fakes.databases import KINDS, fresh, rows, transaction
from tests.shop.prepaid import EVERY_WAY, SELLER, started
from tests.shop.samples import NOW, OWNER, S
from tests.storage.files import empty, opened

T = TypeVar("T")
PROOF, HINT = Trust.PROOF, Trust.HINT
ABLE = Abilities(knows_our_ref=True, calls_back=True, tells_prices=True)
RULES = replace(EVERY_WAY, abilities={**EVERY_WAY.abilities, SELLER: ABLE})
DELIVERED, PENDING = TopupState.DELIVERED, TopupState.PENDING


class Reporting(CallsBack):
    """A supplier whose callbacks say what they mean."""

    def __init__(self) -> None:
        self.parsed = 0

    def verify(self, callback: Callback) -> Trust:
        raise AssertionError("it was proved before it was stored")

    def parse(self, callback: Callback) -> Sequence[News]:
        self.parsed += 1
        if callback.body == b"nonsense":
            raise Nonsense("not a word of it")
        if callback.body == b"poison":
            raise ValueError("nobody thought of that")
        said = dict(parse_qsl(callback.query)) if callback.query else json.loads(callback.body)
        return [_news(each) for each in (said if isinstance(said, list) else [said])]


def _news(said: Mapping[str, Any]) -> News:
    if "price" in said:
        return Repriced(sku=said["sku"], price=said["price"])
    state = TopupState(said["state"])
    words = TopupReport(state=state, supplier_ref=said.get("id", ""), note="their words")
    return Told(ref=said.get("ref", ""), supplier_ref=said.get("id", ""), report=words)


def told(name: str, state: TopupState = DELIVERED, **more: str) -> Callback:
    """A callback about the first attempt at an order."""
    said = {"ref": f"{name}-{SELLER}-1", "state": state, **more}
    return Callback(method="POST", query="", body=json.dumps(said).encode())


def in_address(name: str, state: TopupState = DELIVERED) -> Callback:
    return Callback(method="GET", query=f"ref={name}-{SELLER}-1&state={state}", body=b"")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Keeper(BookKeeper):
    """The books, which cannot be written into when a test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, RULES, (OWNER,))
        self.troubles: list[Exception] = []  # of the next writes
        self.writes = 0

    async def write(self, work: Callable[[SqlBooks], T]) -> T:
        self.writes += 1
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None and not isinstance(trouble, CommitUnknown):
            raise trouble
        result = await super().write(work)
        if trouble is not None:  # it was stored, and nobody knows
            raise trouble
        return result


@dataclass
class There:
    """A shop's database, and what works on it."""

    address: Address
    keeper: Keeper
    clock: Clock = field(default_factory=Clock)
    supplier: Reporting = field(default_factory=Reporting)
    _inbox: InboxWorker | None = None

    def worker(self, keeper: BookKeeper | None = None) -> InboxWorker:
        suppliers = {SELLER: self.supplier}
        return InboxWorker(keeper=keeper or self.keeper, suppliers=suppliers, clock=self.clock)

    async def receive(self, callback: Callback, trust: Trust = PROOF) -> bool:
        store = receiver(self.keeper, {SELLER: self.supplier}, self.clock)
        return await store(SELLER, callback, trust)

    async def being_made(self, *names: str) -> None:
        """Orders whose call is being made, each of a buyer of their own."""
        for name in names:
            await self.keeper.write(partial(started, name=name, address=f"web:{name}"))

    async def of(self, name: str) -> Order:
        found = await self.keeper.read(lambda books: books.orders.get(name))
        assert found is not None
        return found

    async def status(self, name: str) -> Status:
        return (await self.of(name)).status

    async def rest(self, until: int) -> None:
        """Let the worker do all that falls due by then."""
        self._inbox = self._inbox or self.worker()
        for _ in range(200):
            at = await self._inbox.round()
            if at is None or at > until:
                self.clock.now = until
                return
            self.clock.now = max(self.clock.now, at)
        raise AssertionError("it never comes to rest")

    def waiting(self) -> list[dict[str, Any]]:
        return rows(self.address, "SELECT * FROM inbox WHERE due_at IS NOT NULL")

    def alerts(self) -> list[str]:
        found = rows(self.address, "SELECT facts FROM outbox WHERE kind = 'alert' ORDER BY seq")
        return [json.loads(row["facts"])["alert"] for row in found]

    def events(self, name: str) -> list[str]:
        sql = "SELECT event FROM order_events WHERE order_id = :id ORDER BY version"
        found = [row["event"] for row in rows(self.address, sql, id=name)]
        return found[found.index("submission_started") + 1 :]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Address]]:
    """A database on a server for all tests, made when the first of them wants it."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("server")
        yield cache(lambda: stack.enter_context(fresh("postgres", folder)))


@pytest.fixture(params=KINDS)
def address(
    request: pytest.FixtureRequest, server: Callable[[], Address], tmp_path: Path
) -> Iterator[Address]:
    if request.param == "sqlite":
        with fresh(request.param, tmp_path) as file:
            yield file
        return
    yield server()
    empty(server())


@pytest.fixture
async def there(address: Address) -> AsyncIterator[There]:
    async with opened(address) as database:
        yield There(address, Keeper(database))
    assert audit(address) == []


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """What is logged; nothing of it is written out, which takes longer than the tests."""
    with capture_logs() as lines:
        yield lines


# --- stored before it is answered ---


async def test_c3_a_callback_is_durable_when_its_sender_hears_so(there: There) -> None:
    callback = told("NOBODY")
    assert await there.receive(callback)
    (row,) = there.waiting()  # read by somebody else
    assert (row["supplier"], row["trust"], row["due_at"]) == (SELLER, PROOF, NOW)
    assert row["body"] == callback.body.decode()


@pytest.mark.parametrize("trouble", [Busy("full"), Unwritable("locked"), CommitUnknown("broken")])
async def test_c3_what_could_not_be_stored_or_may_not_have_been_is_not_said_to_be(
    there: There, trouble: Exception
) -> None:
    there.keeper.troubles = [trouble]
    with pytest.raises(type(trouble)):
        await there.receive(told("P"))
    assert len(there.waiting()) == isinstance(trouble, CommitUnknown)
    await there.receive(told("P"))  # its sender repeats it
    assert len(there.waiting()) == 1


async def test_c4_a_repetition_is_known_before_and_after_it_was_taken_in(there: There) -> None:
    await there.being_made("P")
    assert await there.receive(told("P"))
    assert not await there.receive(told("P"))
    await there.rest(NOW)
    for years in range(3):
        there.clock.now = NOW + years * 365 * 24 * HOUR
        assert not await there.receive(told("P"))
    assert there.waiting() == []
    assert there.events("P") == ["delivered"]


async def test_c4b_what_anybody_may_send_is_not_stored_unless_it_names_an_attempt(
    there: There,
) -> None:
    await there.being_made("P")
    for name in ("NOBODY", "p", "P-zonegame", ""):
        assert not await there.receive(in_address(name), HINT)
    assert rows(there.address, "SELECT * FROM inbox") == []
    assert await there.receive(in_address("P"), HINT)
    assert len(there.waiting()) == 1


async def test_c4b_what_is_theirs_as_far_as_its_sender_goes_is_stored_whatever_it_names(
    there: There,
) -> None:
    assert await there.receive(told("NOBODY"), HINT)
    assert await there.receive(in_address("NOBODY"), PROOF)
    assert len(there.waiting()) == 2


# --- taken in once, in order ---


async def test_callbacks_are_taken_in_in_the_order_in_which_they_came(there: There) -> None:
    names = [f"O{nth}" for nth in range(12)]
    await there.being_made(*names)
    for state in (PENDING, DELIVERED):
        for name in names:
            there.clock.now += 1
            await there.receive(told(name, state))
    await there.rest(there.clock.now)
    for name in names:
        assert there.events(name) == ["accepted", "delivered"]
    assert there.waiting() == []


async def test_more_callbacks_than_fit_into_a_commit_are_all_taken_in(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AT_ONCE", 3)
    names = [f"O{nth}" for nth in range(8)]
    await there.being_made(*names)
    for name in names:
        await there.receive(told(name))
    await there.rest(NOW)
    assert [await there.status(name) for name in names] == [S.DELIVERED] * 8


async def test_o14_several_workers_take_each_in_once_and_in_order(there: There) -> None:
    """On PostgreSQL they are processes of their own; a file has one process."""
    names = [f"O{nth}" for nth in range(15)]
    await there.being_made(*names)
    for state in (PENDING, DELIVERED):
        for name in names:
            there.clock.now += 1
            await there.receive(told(name, state))
            await there.receive(told(name, state, again="1"))
    async with AsyncExitStack() as stack:
        workers = [there.worker()]
        for _ in range(3):
            keeper: BookKeeper = there.keeper
            if not hasattr(there.address, "path"):
                keeper = Keeper(await stack.enter_async_context(opened(there.address)))
            workers.append(there.worker(keeper))
        for _ in range(3):
            await asyncio.gather(*[each.round() for each in workers])
    for name in names:
        assert there.events(name) == ["accepted", "delivered"]
    told_buyers = rows(there.address, "SELECT address FROM outbox WHERE kind = 'delivered'")
    assert sorted(row["address"] for row in told_buyers) == sorted(f"web:{n}" for n in names)
    assert rows(there.address, "SELECT * FROM cases") == []
    assert there.waiting() == []


async def test_what_somebody_else_has_taken_in_meanwhile_is_left_alone(there: There) -> None:
    await there.being_made("P")
    await there.receive(told("P"))
    (received,) = await there.keeper.read(lambda books: books.inbox.due(NOW, 9))
    await there.rest(NOW)
    parsed = there.supplier.parsed
    await there.worker()._take_in(received)
    assert there.supplier.parsed == parsed
    assert there.waiting() == []


async def test_d3_what_was_taken_in_is_forgotten(there: There) -> None:
    await there.being_made("P")
    await there.receive(told("P"))
    await there.rest(NOW)
    (row,) = rows(there.address, "SELECT * FROM inbox")
    assert (row["body"], row["query"], row["due_at"]) == ("", "", None)


async def test_one_callback_may_say_several_things(there: There) -> None:
    await there.being_made("A", "B")
    both = [json.loads(told(name).body) for name in "AB"]
    body = json.dumps([*both, {"sku": "1", "price": 1}]).encode()
    await there.receive(Callback(method="POST", query="", body=body))
    await there.rest(NOW)
    assert [await there.status(name) for name in "AB"] == [S.DELIVERED] * 2
    assert there.waiting() == []


# --- too early, or about nobody's order ---


async def test_c4_what_came_before_our_own_answer_waits_for_it_and_is_heard(
    there: There,
) -> None:
    await there.being_made("P")
    await there.receive(told("P"), HINT)
    await there.rest(NOW + 20 * SECOND)
    assert len(there.waiting()) == 1
    asked_with = await there.of("P")
    assert asked_with.status is S.SUBMITTING
    lost = NotOpened.UNKNOWN
    await there.keeper.write(
        lambda books: fulfilment.submitted(books, asked_with, lost, there.clock())
    )
    await there.rest(there.clock.now + 30 * SECOND)
    order = await there.of("P")
    assert order.due_at is not None
    assert (order.status, order.due_at <= there.clock.now) == (S.UNSURE, True)
    assert (there.waiting(), there.alerts()) == ([], [])


@pytest.mark.parametrize("trust", [PROOF, HINT])
async def test_c4b_what_nobody_knows_is_tried_again_for_ten_minutes_and_told_once(
    there: There, trust: Trust
) -> None:
    await there.receive(told("NOBODY"), trust)
    await there.rest(NOW + 10 * MINUTE - 1)
    tries = there.supplier.parsed
    assert tries == 6 + 19  # every two seconds at first, then every thirty
    assert (len(there.waiting()), there.alerts()) == (1, [])
    await there.rest(NOW + 10 * MINUTE + 30 * SECOND)
    assert (there.waiting(), there.alerts()) == ([], ["unknown_order"])
    assert rows(there.address, "SELECT * FROM orders") == []
    await there.rest(NOW + 24 * HOUR)
    assert there.supplier.parsed == tries + 1


async def test_c4b_of_many_that_nobody_knows_signed_ones_are_told_each_others_once_a_day(
    there: There,
) -> None:
    for nth in range(5):
        await there.receive(told(f"X{nth}"), PROOF)
        await there.receive(told(f"X{nth}", PENDING), PROOF)
        await there.receive(told(f"Y{nth}"), HINT)
    await there.rest(NOW + 11 * MINUTE)
    assert there.alerts() == ["unknown_order"] * 6


async def test_c4b_a_repetition_has_what_waits_looked_at_at_once(there: There) -> None:
    await there.receive(told("P"))
    await there.rest(NOW + MINUTE)
    (parked,) = there.waiting()
    assert parked["due_at"] > NOW + MINUTE
    await there.being_made("P")
    assert not await there.receive(told("P"))
    await there.rest(NOW + MINUTE)
    assert await there.status("P") is S.DELIVERED
    assert there.waiting() == []


async def test_what_a_callback_says_besides_is_not_lost_while_a_part_waits(there: There) -> None:
    await there.being_made("A")
    both = [json.loads(told(name).body) for name in ("NOBODY", "A")]
    await there.receive(Callback(method="POST", query="", body=json.dumps(both).encode()))
    await there.rest(NOW)
    assert await there.status("A") is S.DELIVERED
    assert len(there.waiting()) == 1
    await there.rest(NOW + 11 * MINUTE)
    assert there.events("A") == ["delivered"]  # heard again and again, it stays that
    assert there.alerts() == ["unknown_order"]


# --- what nobody can make sense of ---


@pytest.mark.parametrize("body", [b"nonsense", b"poison"])
async def test_what_cannot_be_read_keeps_no_other_from_being_taken_in(
    there: There, body: bytes
) -> None:
    await there.being_made("P")
    await there.receive(Callback(method="POST", query="", body=body))
    there.clock.now += 1
    await there.receive(told("P"))
    await there.rest(NOW + 1)
    assert await there.status("P") is S.DELIVERED
    assert [row["due_at"] for row in there.waiting()] == (
        [] if body == b"nonsense" else [NOW + 1 + 30 * SECOND]
    )
    await there.rest(NOW + 11 * MINUTE)
    assert there.waiting() == []
    assert there.supplier.parsed < 50


class Broken:
    """A use case that fails for one order, having written half of it down."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_broken = True
        self._name, self._heard = name, hearing.heard
        monkeypatch.setattr(hearing, "heard", self)

    def __call__(self, books: SqlBooks, supplier: str, news: News, trust: Trust, now: int) -> bool:
        done = self._heard(books, supplier, news, trust, now)
        if self.is_broken and isinstance(news, Told) and news.ref.startswith(self._name):
            raise RuntimeError("a mistake of ours")
        return done


async def test_a_callback_that_only_fails_blocks_nobody_and_leaves_nothing_half_done(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken("BAD", monkeypatch)
    await there.being_made("A", "BAD", "B")
    for name in ("BAD", "A", "B"):
        await there.receive(told(name))
    await there.rest(NOW)
    assert [await there.status(name) for name in ("A", "B")] == [S.DELIVERED] * 2
    assert (await there.status("BAD"), there.events("BAD")) == (S.SUBMITTING, [])
    assert len(there.waiting()) == 1
    broken.is_broken = False
    await there.rest(NOW + 30 * SECOND)
    assert await there.status("BAD") is S.DELIVERED
    assert there.waiting() == []


async def test_a_callback_that_fails_for_ever_is_given_up(
    there: There, monkeypatch: pytest.MonkeyPatch, logged: list[Any]
) -> None:
    Broken("BAD", monkeypatch)
    await there.being_made("BAD")
    await there.receive(told("BAD"))
    await there.rest(NOW + 11 * MINUTE)
    assert there.waiting() == []
    assert await there.status("BAD") is S.SUBMITTING
    assert [line["event"] for line in logged] == ["inbox.failed"] * there.supplier.parsed
    assert 15 < there.supplier.parsed < 25


async def test_what_is_told_by_whom_the_shop_has_no_more_to_do_with_is_dropped(
    there: There,
) -> None:
    await there.being_made("P")
    await there.receive(told("P"))
    nobody = InboxWorker(keeper=there.keeper, suppliers={}, clock=there.clock)
    await nobody.round()
    assert (there.waiting(), there.alerts()) == ([], [])
    assert await there.status("P") is S.SUBMITTING


# --- while the database is away ---


@pytest.mark.parametrize("trouble", [Busy("full"), Unwritable("locked")])
async def test_what_could_not_be_taken_in_waits_and_is_taken_in_later(
    there: There, trouble: Exception
) -> None:
    await there.being_made("A", "B")
    for name in "AB":
        await there.receive(told(name))
    there.keeper.troubles = [trouble]
    with pytest.raises(type(trouble)):
        await there.worker().round()
    assert [await there.status(name) for name in "AB"] == [S.SUBMITTING, S.DELIVERED]
    assert len(there.waiting()) == 1
    await there.rest(NOW)
    assert [there.events(name) for name in "AB"] == [["delivered"]] * 2


async def test_m2_what_was_taken_in_without_our_knowing_is_not_taken_in_again(
    there: There,
) -> None:
    await there.being_made("P")
    await there.receive(told("P"))
    there.keeper.troubles = [CommitUnknown("the connection broke")]
    with pytest.raises(CommitUnknown):
        await there.worker().round()
    await there.rest(NOW)
    assert there.events("P") == ["delivered"]
    assert len(rows(there.address, "SELECT * FROM outbox WHERE kind = 'delivered'")) == 1


async def test_a_failure_that_cannot_even_be_noted_is_tried_again(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    Broken("P", monkeypatch)
    await there.being_made("P")
    await there.receive(told("P"))
    there.keeper.troubles = [RuntimeError("a mistake of ours"), Unwritable("and locked")]
    with pytest.raises(Unwritable):
        await there.worker().round()
    assert [row["due_at"] for row in there.waiting()] == [NOW]


# --- the worker as it runs ---


async def until(holds: Callable[[], object]) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("never came")


def was_delivered(there: There, name: str) -> bool:
    return there.events(name) == ["delivered"]


async def test_what_is_stored_is_taken_in_without_anybodys_asking(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_AFTER_TROUBLE", 5)
    await there.being_made("A", "B", "C")
    there.keeper.troubles = []
    running = asyncio.create_task(there.worker().run())
    try:
        for name in "ABC":
            await there.receive(told(name))
            if name == "B":
                there.keeper.troubles = [Unwritable("locked"), Busy("full"), Unwritable("locked")]
            await until(partial(was_delivered, there, name))
        assert not running.done()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert there.waiting() == []


async def test_a_worker_with_nothing_to_do_sleeps(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int | None] = []

    async def wait(_bell: Any, at: int | None, _clock: Any) -> None:
        waits.append(at)
        if len(waits) == 3:
            raise asyncio.CancelledError
        with transaction(there.address) as tx:  # somebody else's, without a bell
            tx.execute("UPDATE inbox SET due_at = :at WHERE due_at IS NOT NULL", {"at": NOW + HOUR})

    monkeypatch.setattr(worker, "wait", wait)
    await there.receive(told("NOBODY"))
    with pytest.raises(asyncio.CancelledError):
        await there.worker().run()
    assert waits == [NOW + 2 * SECOND, NOW + HOUR, NOW + HOUR]
