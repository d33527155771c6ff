"""Two want the same money at the same moment, in two processes: it moves once.

As in ``test_rivals``: the rival comes at an exact statement of ours, and wins on PostgreSQL unless
it has to wait for a row that we have changed; on a file it always has to wait.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import Seams, Shop
from shop import ordering
from shop.calls import AskDeposits, AskInvoice, AskTopup, Call, Idle, Submit
from shop.ordering import Declined, Placed, Why, Wish
from shop.orders import CASH, HOUSE
from shop.payments import PaymentMethod
from shop.pricing import Quote
from shop.time import MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.rival import Line
from tests.fakes.street import Street, street
from tests.journeys.test_first_sale import to_confirmation
from tests.journeys.test_money import BUDI, with_a_deposit, with_credit, with_own_qris, yes
from tests.journeys.test_rivals import Meeting, choose, make, second, write

PRICE = 11_800
ENOUGH_FOR_ONE = 15_000
BACK = "sudah kembali ke saldomu"

# Places in the statements of ``storage``.
BUDGET = "SELECT at, purpose FROM supplier_calls"
GET_ORDER = "WHERE o.id = :id"
NEXT_PAID = "AND o.status = 'paid' ORDER BY"
RESERVED = "SELECT i.amount FROM orders o JOIN invoices"
CREDIT_OF = "SELECT CAST(COALESCE(SUM(balance), 0) AS BIGINT) AS balance FROM accounts WHERE"
ADD_ORDER = "INSERT INTO orders"
MOVE = "UPDATE orders SET status"
NOTE = "UPDATE orders SET due_at"
HISTORY = "INSERT INTO order_events"
INVOICE = "INSERT INTO invoices"
ATTEMPT = "INSERT INTO attempts"
ARRIVED = "INSERT INTO payments"
ENTRY = "INSERT INTO entries"
ADD = "INSERT INTO accounts"
TAKE = "UPDATE accounts SET balance"
CASE = "INSERT INTO cases"


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    line = Line()
    async with street(tmp_path, Seams(database=line.open)) as there, second(there) as other:
        await there.work()
        yield Meeting(there=there, other=other, line=line)
        assert line.rival is None


# --- one wallet -----------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["tap", "another tap"], ids=["told twice", "tapped twice"])
@pytest.mark.parametrize("place", [CREDIT_OF, ADD_ORDER, ARRIVED, TAKE, ENTRY])
async def test_l3_credit_used_in_two_processes_at_once_is_spent_once(
    meeting: Meeting, place: str, again: str
) -> None:
    there = meeting.there
    budi, budi_elsewhere = there.person(), meeting.person_elsewhere("budi")
    await with_credit(there, budi, f"{ENOUGH_FOR_ONE}")
    await there.after(MINUTE)
    await to_confirmation(budi)
    use = budi.button("Pakai saldo")
    await meeting.at(
        place,
        lambda: budi.presses(use, input_id="tap"),
        lambda: budi_elsewhere.presses(use, input_id=again),
    )
    await there.after(MINUTE)
    assert [row["status"] for row in there.orders] == ["delivered", "delivered"]  # credit, goods
    assert len(there.journal) == 1
    assert there.balance(BUDI) == PRICE - ENOUGH_FOR_ONE
    assert budi.count("Maaf") == 0
    assert budi.count("Top up masuk!") == 1


@pytest.mark.parametrize("place", [CREDIT_OF, ADD_ORDER, ARRIVED, TAKE, ENTRY])
async def test_l3_two_payouts_at_once_share_no_credit_that_covers_one(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    await with_credit(there, there.person(), f"{ENOUGH_FOR_ONE}")
    there.clock.advance(MINUTE)
    now = there.clock()
    outcomes = await meeting.at(
        place,
        write(there.shop, lambda books: ordering.place(books, cash("first"), now)),
        # Not refused as a second order that comes too soon after the first, whichever that is.
        write(meeting.other, lambda books: ordering.place(books, cash("second"), now + MINUTE)),
    )
    first, late = reversed(outcomes) if meeting.rival_wins else outcomes
    assert isinstance(first, Placed)
    assert late == Declined(why=Why.SHORT)
    assert there.balance(BUDI) == PRICE - ENOUGH_FOR_ONE
    assert there.balance("held") == -PRICE
    assert [row["sku"] for row in there.orders] == ["credit", "cash"]


def cash(name: str) -> Wish:
    return Wish(
        id=name,
        key=name,
        address="web:budi",
        supplier=HOUSE,
        sku=CASH,
        game="",
        item="Tarik saldo",
        user_id="",
        server="",
        target="",
        quote=Quote(listed=PRICE, cost=PRICE, price=PRICE),
        method=PaymentMethod.WALLET,
        payout="BCA 1234567890",
    )


# --- one order ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [BUDGET, NEXT_PAID, MOVE, HISTORY, ATTEMPT])
async def test_o2_two_workers_submit_a_paid_order_once(meeting: Meeting, place: str) -> None:
    there = meeting.there
    budi = there.person()
    await with_own_qris(there, budi)
    await budi.taps("Sudah bayar")
    await there.work()
    await yes(there.owner, "Sudah dibayar")
    chosen = await meeting.at(place, choose(there.shop), choose(meeting.other))
    [submitting] = [call for call in chosen if isinstance(call, Submit)]
    await make(there.shop, submitting)()
    await there.after(MINUTE)
    assert len(there.journal) == 1
    assert budi.count("Top up masuk!") == 1
    assert there.balance("cost:zultopup") == there.journal[0]["harga"]


@pytest.mark.parametrize("again", ["tap", "another tap"], ids=["told twice", "tapped twice"])
@pytest.mark.parametrize("place", [GET_ORDER, MOVE, HISTORY, ENTRY, ADD])
async def test_l4_an_owners_yes_in_two_processes_credits_once(
    meeting: Meeting, place: str, again: str
) -> None:
    there = meeting.there
    budi, owner, owner_elsewhere = there.person(), there.owner, meeting.person_elsewhere("owner")
    await with_a_deposit(there, budi)
    await there.pay_deposit(amount=5_000)
    await there.after(MINUTE)
    await owner.taps("Masukkan ke saldo")
    yes = owner.button("Ya, benar")
    await meeting.at(
        place,
        lambda: owner.presses(yes, input_id="tap"),
        lambda: owner_elsewhere.presses(yes, input_id=again),
    )
    await there.work()
    assert there.balance(BUDI) == -5_000
    assert there.balance("held") == 0
    assert [row["status"] for row in there.orders] == ["refunded"]
    assert budi.count(BACK) == 1


@pytest.mark.parametrize("place", [GET_ORDER, ARRIVED, MOVE, HISTORY, ENTRY, ADD])
@pytest.mark.parametrize("history_first", [False, True], ids=["asked first", "history first"])
async def test_l4_a_deposit_heard_of_twice_at_once_is_credited_once(
    meeting: Meeting, place: str, *, history_first: bool
) -> None:
    there = meeting.there
    budi = there.person()
    asking, listing = await paid_and_about_to_be_heard_of(meeting, budi)
    first, rival = (listing, asking) if history_first else (asking, listing)
    await meeting.at(place, make(there.shop, first), make(meeting.other, rival))
    await there.work()
    assert there.balance(BUDI) == -ENOUGH_FOR_ONE
    assert len(there.rows("SELECT 1 AS one FROM payments")) == 1
    assert budi.count("sudah masuk") == 1
    assert there.rows("SELECT 1 AS one FROM cases") == []


async def paid_and_about_to_be_heard_of(meeting: Meeting, budi: Person) -> tuple[Call, Call]:
    """A deposit for credit: its buyer has it asked about, and a worker reads the history."""
    there = meeting.there
    await with_a_deposit(there, there.person("siti"), "987654321")
    await budi.says("/isi")
    await budi.says(f"{ENOUGH_FOR_ONE}")
    await budi.taps("Bayar")
    await there.work()
    await there.pay_deposit()
    there.clock.advance(6 * SECOND)
    await budi.taps("Sudah bayar")
    asking, listing = await choose(there.shop)(), await choose(there.shop)()
    assert isinstance(asking, AskInvoice)
    assert isinstance(listing, AskDeposits)
    return asking, listing


@pytest.mark.parametrize("place", [GET_ORDER, MOVE, ENTRY])
async def test_goods_that_come_as_the_owner_gives_back_are_not_paid_back_too(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    budi, owner, call = await stuck_and_about_to_be_given_back(meeting)
    await meeting.at(place, lambda: owner.taps("Ya, benar"), make(meeting.other, call))
    await one_of_them_is_told(there, budi)


@pytest.mark.parametrize("place", [GET_ORDER, MOVE, ENTRY])
async def test_what_the_owner_gives_back_as_the_goods_come_is_not_delivered_too(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    budi, _, call = await stuck_and_about_to_be_given_back(meeting)
    owner = meeting.person_elsewhere("owner")
    await meeting.at(place, make(there.shop, call), lambda: owner.taps("Ya, benar"))
    await one_of_them_is_told(there, budi)


async def stuck_and_about_to_be_given_back(meeting: Meeting) -> tuple[Person, Person, Call]:
    """Paid, long in delivery; the owner wants to give the money back, and then it arrives."""
    there = meeting.there
    budi, owner = there.person(), there.owner
    await with_a_deposit(there, budi)
    await there.pay_deposit()
    await there.after(6 * SECOND, step=SECOND)
    await there.control("finish", ref=there.journal[0]["id"], status="Pending")
    await there.after(16 * MINUTE, step=20 * SECOND)
    owner.sees("lebih dari 15 menit belum ada kabar")
    there.clock.advance(5 * MINUTE)
    call: Call | Idle = await choose(there.shop)()
    while not isinstance(call, AskTopup):
        assert not isinstance(call, Idle)
        await make(there.shop, call)()
        call = await choose(there.shop)()
    await there.control("finish", ref=there.journal[0]["id"], status="Success")
    await owner.taps("Kembalikan dana")
    return budi, owner, call


async def one_of_them_is_told(there: Street, budi: Person) -> None:
    """Whichever of the two came first: the database decides that, and both ends are good."""
    await there.after(7 * MINUTE, step=20 * SECOND)
    [order] = there.orders
    delivered = order["status"] == "delivered"
    open_cases = there.rows("SELECT kind FROM cases WHERE closed_at IS NULL")
    if delivered:
        assert (order["status"], open_cases) == ("delivered", [])
        assert (budi.count("Top up masuk!"), budi.count(BACK)) == (1, 0)
        assert there.balance(BUDI) == 0
    else:  # the supplier's word then contradicts the owner's, who is asked
        assert order["status"] == "refunded"
        assert [case["kind"] for case in open_cases] == ["conflict"]
        assert (budi.count("Top up masuk!"), budi.count(BACK)) == (0, 1)
        assert there.balance(BUDI) == -order["price"]


# --- the owner's own QRIS -------------------------------------------------------------------------


@pytest.mark.parametrize("place", [RESERVED, ADD_ORDER, MOVE, INVOICE, HISTORY])
async def test_l8_two_who_pay_to_the_owners_qris_at_once_are_asked_for_different_amounts(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    budi, siti = there.person("budi"), meeting.person_elsewhere("siti")
    await to_confirmation(budi, "123456789")
    await to_confirmation(siti, "987654321")
    await meeting.at(place, lambda: budi.taps("QRIS toko"), lambda: siti.taps("QRIS toko"))
    await there.work()
    amounts = [row["amount"] for row in there.rows("SELECT amount FROM invoices")]
    assert sorted(amounts) == [PRICE, PRICE + 1]
    budi.sees("Bayar Rp")
    siti.sees("Bayar Rp")


@pytest.mark.parametrize("place", [GET_ORDER, NOTE, CASE])
async def test_o1_a_claim_as_the_qr_lapses_reaches_the_owner(meeting: Meeting, place: str) -> None:
    there = meeting.there
    budi = await about_to_lapse(there)
    await meeting.at(place, lambda: budi.taps("Sudah bayar"), lapse(meeting.other))
    # What we have noted already is passed over by whoever looks for what is due.
    await the_money_finds_its_way(there, lapsed=meeting.rival_wins and place != CASE)


@pytest.mark.parametrize("place", [MOVE, HISTORY])
async def test_o1_a_qr_that_lapses_as_it_is_claimed_reaches_the_owner(
    meeting: Meeting, place: str
) -> None:
    there = meeting.there
    await about_to_lapse(there)
    budi = meeting.person_elsewhere("budi")
    await meeting.at(place, lapse(there.shop), lambda: budi.taps("Sudah bayar"))
    await the_money_finds_its_way(there, lapsed=not meeting.rival_wins)


def lapse(shop: Shop) -> Callable[[], Awaitable[Any]]:
    return shop.housekeeper.tidy


async def about_to_lapse(there: Street) -> Person:
    budi = there.person()
    await with_own_qris(there, budi)
    there.clock.advance(20 * MINUTE)
    return budi


async def the_money_finds_its_way(there: Street, *, lapsed: bool) -> None:
    """The owner is asked, says that it came, and it is goods or credit."""
    await there.work()
    [order] = there.orders
    assert order["status"] == ("expired" if lapsed else "awaiting_payment")
    await yes(there.owner, "Sudah dibayar")
    await there.after(MINUTE)
    [order] = there.orders
    assert order["status"] == ("refunded" if lapsed else "delivered")
    assert there.balance(BUDI) == (-order["price"] if lapsed else 0)
    assert len(there.journal) == (0 if lapsed else 1)
