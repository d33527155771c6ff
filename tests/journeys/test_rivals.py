"""Two customers, two workers, two processes want the same thing: one gets it, nobody is harmed.

The rival comes at the exact line: while our transaction is at a chosen statement, the whole of the
other one is done. On PostgreSQL a second process does it, and is through before we go on, so that
the rival wins, unless it has to wait for a row that we have changed. A SQLite file has one process
and one writer, so there the rival always has to wait.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import Seams, Shop, opened_shop
from shop.calls import MOST_CALLS, MOST_OF, WINDOW, Call, Idle, OpenInvoice
from shop.notices import Notice, NoticeKind
from shop.time import MINUTE, SECOND
from storage.address import PostgresServer
from storage.books import SqlBooks
from storage.opening import open_database
from tests.fakes.chat import Person
from tests.fakes.rival import Line
from tests.fakes.street import Street, street
from tests.journeys.test_first_sale import to_confirmation, with_a_qr

ZT = "zultopup"
TAKEN = "sedang diproses di pesanan lain"
CALLED_OFF = "dibatalkan. QR-nya jangan dibayar"

# Places in the statements of ``storage``.
BUDGET = "SELECT at, purpose FROM supplier_calls"
NEXT_PLACED = "AND o.status = 'placed' ORDER BY"
NOTE_CALL = "INSERT INTO supplier_calls"
TWIN = "WHERE o.supplier = :supplier AND o.sku = :sku AND o.target"
ADD_ORDER = "INSERT INTO orders"
GET_ORDER = "WHERE o.id = :id"
MOVE = "UPDATE orders SET status"
HISTORY = "INSERT INTO order_events"
OWE = "INSERT INTO outbox"
SENT = "UPDATE outbox SET sent_at"
LATER = "UPDATE outbox SET due_at = :due_at"


@dataclass
class Meeting:
    """A street with a second process, or, on a file, with one that does both."""

    there: Street
    other: Shop
    line: Line = field(default_factory=Line)

    @property
    def rival_wins(self) -> bool:
        return self.line.rival_wins

    async def at(
        self, place: str, ours: Callable[[], Awaitable[Any]], rival: Callable[[], Awaitable[Any]]
    ) -> tuple[Any, Any]:
        """Do ours; when it comes to ``place``, all of the rival's. Return what each came to."""
        verb = place.split(" ", 1)[0]
        self.line.at, self.line.before = place, verb in {"INSERT", "UPDATE"}
        self.line.rival = rival
        result = await ours()
        assert self.line.came is not None, f"nobody came to {place!r}"
        return result, await self.line.came

    def person_elsewhere(self, name: str) -> Person:
        """Somebody whose turns the other process takes."""
        person = Person(self.there.chat, self.other.take_turn, f"web:{name}")
        person._inputs = itertools.count(1000)  # not what they did here, told again
        return person


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    line = Line()
    async with street(tmp_path, Seams(database=line.open)) as there, second(there) as other:
        await there.work()
        yield Meeting(there=there, other=other, line=line)
        assert line.rival is None


@asynccontextmanager
async def second(there: Street) -> AsyncIterator[Shop]:
    if not isinstance(there.settings.database, PostgresServer):
        yield there.shop
        return
    async with opened_shop(there.settings, replace(there.seams, database=open_database)) as shop:
        yield shop


def choose(shop: Shop) -> Callable[[], Awaitable[Call | Idle]]:
    return shop.suppliers[0].choose


def make(shop: Shop, call: Call | Idle) -> Callable[[], Awaitable[None]]:
    assert not isinstance(call, Idle)
    return lambda: shop.suppliers[0].make(call)


def write(shop: Shop, work: Callable[[SqlBooks], Any]) -> Callable[[], Awaitable[Any]]:
    return lambda: shop.keeper.write(work)


# --- two workers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [BUDGET, NEXT_PLACED, MOVE, HISTORY, NOTE_CALL])
async def test_o2_two_workers_open_an_order_once(meeting: Meeting, place: str) -> None:
    there = meeting.there
    budi = there.person()
    await to_confirmation(budi)
    await budi.taps("Bayar")
    chosen = await meeting.at(place, choose(there.shop), choose(meeting.other))
    [opening] = [call for call in chosen if isinstance(call, OpenInvoice)]
    await make(there.shop, opening)()
    await there.work()
    assert len(there.journal) == 1
    assert budi.count("Bayar Rp") == 1


async def test_o2_two_workers_with_two_orders_open_each_once(meeting: Meeting) -> None:
    there = meeting.there
    for name, account in (("budi", "123456789"), ("siti", "987654321")):
        await to_confirmation(there.person(name), account)
        await there.person(name).taps("Bayar")
    chosen = await meeting.at(NEXT_PLACED, choose(there.shop), choose(meeting.other))
    opened = [call.order.id for call in chosen if isinstance(call, OpenInvoice)]
    assert sorted(opened) == sorted(row["id"] for row in there.orders)
    await asyncio.gather(make(there.shop, chosen[0])(), make(meeting.other, chosen[1])())
    await there.work()
    assert len(there.journal) == 2
    for name in ("budi", "siti"):
        there.person(name).sees("Bayar Rp")


@pytest.mark.parametrize("place", [BUDGET, NOTE_CALL])
async def test_the_last_call_of_the_budget_is_made_once(meeting: Meeting, place: str) -> None:
    there = meeting.there
    await write(there.shop, lambda books: ask_for_balances(books, there.clock(), 2))()
    await write(there.shop, lambda books: use_up(books, there.clock(), MOST_CALLS - 1))()
    chosen = await meeting.at(place, choose(there.shop), choose(meeting.other))
    assert sum(isinstance(call, Idle) for call in chosen) == 1
    assert calls_within(there, WINDOW) == MOST_CALLS


async def test_two_workers_together_stay_within_the_budget(meeting: Meeting) -> None:
    there, other = meeting.there, meeting.other
    for _ in range(4):
        made_before = calls_within(there, WINDOW)
        await write(there.shop, lambda books: ask_for_balances(books, there.clock(), 40))()
        taken = await asyncio.gather(*(all_of(shop) for shop in (there.shop, other) * 2))
        assert calls_within(there, WINDOW) == min(made_before + 40, MOST_CALLS)
        assert sum(map(len, taken)) == calls_within(there, WINDOW) - made_before
        there.clock.advance(11 * SECOND)
    times = [row["at"] for row in there.rows("SELECT at FROM supplier_calls")]
    assert len(times) == MOST_CALLS
    assert all(sum(at - WINDOW < each <= at for each in times) <= MOST_CALLS for at in times)


async def test_two_workers_together_leave_half_of_the_budget_to_others(meeting: Meeting) -> None:
    there, other = meeting.there, meeting.other
    for nth in range(MOST_OF + 5):
        person = there.person(f"p{nth}")
        await to_confirmation(person, f"{123456789 + nth}")
        await person.taps("Bayar")
    taken = await asyncio.gather(*(all_of(shop) for shop in (there.shop, other) * 2))
    opened = [call.order.id for calls in taken for call in calls if isinstance(call, OpenInvoice)]
    assert len(opened) == len(set(opened)) == MOST_OF
    there.clock.advance(80 * SECOND)  # nobody made these calls: they are given up, and told so
    await there.work()


async def all_of(shop: Shop) -> list[Call]:
    """Choose calls until there is nothing to do."""
    taken: list[Call] = []
    while not isinstance(call := await choose(shop)(), Idle):
        taken.append(call)
    return taken


def ask_for_balances(books: SqlBooks, now: int, count: int) -> None:
    for nth in range(count):
        books.calls.ask_balance(ZT, f"web:{now}-{nth}", now)


def use_up(books: SqlBooks, now: int, upto: int) -> None:
    for _ in range(upto - len(books.calls.made_between(ZT, now - WINDOW, now))):
        books.calls.record(ZT, "watch", now)


def calls_within(there: Street, span: int) -> int:
    since = there.clock() - span
    return len(there.rows(f"SELECT 1 AS one FROM supplier_calls WHERE at > {since}"))


# --- two customers --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [TWIN, ADD_ORDER, HISTORY])
async def test_an_item_for_an_account_is_ordered_by_one_of_two(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    budi, siti = there.person("budi"), meeting.person_elsewhere("siti")
    await to_confirmation(budi)
    await to_confirmation(siti)
    await meeting.at(place, lambda: budi.taps("Bayar"), lambda: siti.taps("Bayar"))
    first, late = (siti, budi) if meeting.rival_wins else (budi, siti)
    late.sees(TAKEN)
    await there.work()
    first.sees("Bayar Rp")
    assert late.count("Bayar Rp") == 0
    assert [row["address"] for row in there.orders] == [first.address]
    assert len(there.journal) == 1


@pytest.mark.parametrize("again", ["tap", "another tap"], ids=["told twice", "tapped twice"])
@pytest.mark.parametrize("place", [TWIN, ADD_ORDER])
async def test_o3_a_confirmation_in_two_processes_at_once_is_one_order(
    meeting: Meeting, place: str, again: str
) -> None:
    there = meeting.there
    budi, budi_elsewhere = there.person(), meeting.person_elsewhere("budi")
    await to_confirmation(budi)
    pay = budi.button("Bayar")
    await meeting.at(
        place,
        lambda: budi.presses(pay, input_id="tap"),
        lambda: budi_elsewhere.presses(pay, input_id=again),
    )
    await there.work()
    assert budi.count("Bayar Rp") == 1
    assert budi.count("Maaf") == 0
    assert len(there.orders) == len(there.journal) == 1


# --- one order ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [GET_ORDER, MOVE, HISTORY])
async def test_o1_batal_and_the_payment_at_once_lose_no_money(meeting: Meeting, place: str) -> None:
    there = meeting.there
    budi, call = await paid_and_about_to_be_asked(meeting)
    view, _ = await meeting.at(place, lambda: budi.taps("Batal"), make(meeting.other, call))
    # What was paid already cannot be called off, and is not said to be.
    assert (CALLED_OFF in view.text) is not meeting.rival_wins
    await it_arrives(there, budi)


@pytest.mark.parametrize("place", [GET_ORDER, MOVE, HISTORY])
async def test_o1_the_payment_and_batal_at_once_lose_no_money(meeting: Meeting, place: str) -> None:
    there = meeting.there
    _, call = await paid_and_about_to_be_asked(meeting)
    budi = meeting.person_elsewhere("budi")
    _, view = await meeting.at(place, make(there.shop, call), lambda: budi.taps("Batal"))
    assert (CALLED_OFF in view.text) is meeting.rival_wins
    await it_arrives(there, budi)


async def paid_and_about_to_be_asked(meeting: Meeting) -> tuple[Person, Call]:
    there = meeting.there
    budi = there.person()
    await with_a_qr(there, budi)
    await there.pay()
    there.clock.advance(6 * SECOND)
    call = await choose(there.shop)()
    assert not isinstance(call, Idle)
    return budi, call


async def it_arrives(there: Street, budi: Person) -> None:
    await there.after(2 * MINUTE)
    assert [row["status"] for row in there.orders] == ["delivered"]
    assert budi.sees("Top up masuk!").view.copy == there.journal[0]["sn"]
    assert budi.count("Top up masuk!") == 1


@pytest.mark.parametrize("place", [GET_ORDER, MOVE])
async def test_an_owners_decision_and_a_delivery_at_once_are_not_both_believed(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    budi, owner, call = await stuck_and_about_to_be_given_back(meeting)
    await meeting.at(place, lambda: owner.taps("Ya, benar"), make(meeting.other, call))
    await one_of_them_is_told(there, budi, delivered=meeting.rival_wins)


@pytest.mark.parametrize("place", [GET_ORDER, MOVE])
async def test_a_delivery_and_an_owners_decision_at_once_are_not_both_believed(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    budi, _, call = await stuck_and_about_to_be_given_back(meeting)
    owner = meeting.person_elsewhere("owner")
    await meeting.at(place, make(there.shop, call), lambda: owner.taps("Ya, benar"))
    await one_of_them_is_told(there, budi, delivered=not meeting.rival_wins)


async def stuck_and_about_to_be_given_back(meeting: Meeting) -> tuple[Person, Person, Call]:
    """Paid, long in delivery; the owner wants to give the money back, and then it arrives."""
    there = meeting.there
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.control("finish", ref=there.journal[0]["id"], status="Pending")
    await there.pay()
    await there.after(16 * MINUTE, step=20 * SECOND)
    owner.sees("lebih dari 15 menit belum ada kabar")
    there.clock.advance(5 * MINUTE)
    call: Call | Idle = await choose(there.shop)()
    while not (isinstance(call, Idle) or hasattr(call, "order")):
        await make(there.shop, call)()
        call = await choose(there.shop)()
    assert not isinstance(call, Idle)
    await there.control("finish", ref=there.journal[0]["id"], status="Success")
    await owner.taps("Kembalikan dana")
    return budi, owner, call


async def one_of_them_is_told(there: Street, budi: Person, *, delivered: bool) -> None:
    await there.after(2 * MINUTE)
    [order] = there.orders
    open_cases = there.rows("SELECT kind FROM cases WHERE closed_at IS NULL")
    if delivered:
        assert (order["status"], open_cases) == ("delivered", [])
        assert budi.count("Top up masuk!") == 1
        assert budi.count("akan dikembalikan") == 0
    else:  # the supplier's word then contradicts the owner's, who is asked
        assert order["status"] == "refund_due"
        assert [case["kind"] for case in open_cases] == ["conflict"]
        assert budi.count("Top up masuk!") == 0
        assert budi.count("akan dikembalikan") > 0


@pytest.mark.parametrize("place", [GET_ORDER, MOVE])
async def test_an_answer_that_comes_as_its_lease_is_ended_shows_a_qr_or_says_there_is_none(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    budi = there.person()
    await to_confirmation(budi)
    await budi.taps("Bayar")
    opening = await choose(there.shop)()
    assert isinstance(opening, OpenInvoice)

    async def answered_late() -> None:
        making = asyncio.create_task(make(there.shop, opening)())
        for _ in range(100_000):
            if there.journal:
                break
            await asyncio.sleep(0)
        there.clock.advance(76 * SECOND)  # the answer is on its way longer than any call may be
        await making

    await meeting.at(place, answered_late, choose(meeting.other))
    await there.work()
    [order] = there.orders
    assert len(there.journal) == 1
    assert len(there.rows("SELECT 1 AS one FROM invoices")) == 1  # kept, seen or not
    shown = budi.count("Bayar Rp")
    assert (order["status"], shown) == (
        ("cancelled", 0) if meeting.rival_wins else ("awaiting_payment", 1)
    )
    await there.after(MINUTE)
    assert budi.count("Bayar Rp") == shown
    if meeting.rival_wins:  # whoever tries again gets that QR: there is no second one
        await to_confirmation(budi)
        await budi.taps("Bayar")
        await there.work()
        assert budi.count("Bayar Rp") == 1
        assert len(there.journal) == 1


# --- one message ----------------------------------------------------------------------------------


def a_notice(key: str, address: str = "web:budi") -> Notice:
    return Notice(key=key, kind=NoticeKind.BALANCE, address=address, facts={"supplier": ZT})


async def test_two_processes_that_owe_a_chat_something_both_do(meeting: Meeting) -> None:
    there, now = meeting.there, meeting.there.clock()
    await meeting.at(
        OWE,
        write(there.shop, lambda books: books.outbox.owe(a_notice("ours"), now)),
        write(meeting.other, lambda books: books.outbox.owe(a_notice("theirs"), now)),
    )
    owed = there.rows("SELECT seq, message FROM outbox WHERE address = 'web:budi' ORDER BY seq")
    assert [row["seq"] for row in owed] == [1, 2]
    assert sorted(row["message"] for row in owed) == ["ours", "theirs"]
    await every_message_is_sent_once(there, 2)


async def test_the_same_message_owed_by_two_processes_is_one(meeting: Meeting) -> None:
    there, now = meeting.there, meeting.there.clock()
    await meeting.at(
        OWE,
        write(there.shop, lambda books: books.outbox.owe(a_notice("same"), now)),
        write(meeting.other, lambda books: books.outbox.owe(a_notice("same"), now)),
    )
    await every_message_is_sent_once(there, 1)


@pytest.mark.parametrize("ours_failed", [False, True], ids=["both sent it", "one failed"])
async def test_a_message_is_noted_as_sent_once(meeting: Meeting, *, ours_failed: bool) -> None:
    there, now = meeting.there, meeting.there.clock()

    def owe_two(books: SqlBooks) -> None:
        books.outbox.owe(a_notice("first"), now)
        books.outbox.owe(a_notice("second"), now)

    def our_note(books: SqlBooks) -> bool:
        if ours_failed:
            return books.outbox.later(owed, now + MINUTE)
        return books.outbox.sent(owed, now, "status", "ours")

    def their_note(books: SqlBooks) -> bool:
        return books.outbox.sent(owed, now, "status", "theirs")

    await write(there.shop, owe_two)()
    [owed] = await there.shop.keeper.read(lambda books: books.outbox.due(now, 10))
    noted = await meeting.at(
        LATER if ours_failed else SENT,
        write(there.shop, our_note),
        write(meeting.other, their_note),
    )
    if ours_failed and not meeting.rival_wins:
        assert noted == (True, True)  # one tried again later, the other was through first after all
    else:
        assert noted == (not meeting.rival_wins, meeting.rival_wins)
    await every_message_is_sent_once(there, 1)  # the second one; nobody sends the first again


async def every_message_is_sent_once(there: Street, messages: int) -> None:
    before = len(there.person().messages)
    await there.after(2 * MINUTE)
    assert len(there.person().messages) - before == messages
    assert there.rows("SELECT 1 AS one FROM outbox WHERE due_at IS NOT NULL") == []
