"""A shop full of people who do not do as they are told. Each doing is answered; a sale is possible.

The whole shop on a real file, with a supplier that fails now and then. The seed replays a run.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.views import MOST_DATA_BYTES, Incoming, Picked, Shared, View, What
from shop.calls import PACE
from shop.time import MINUTE, SECOND
from tests.bot.conversation.mischief import Mischief
from tests.fakes.chat import Person, Shown
from tests.fakes.street import Street, street

EVENTS = 320
SEEDS = (1, 2)
FAULTS = ("500", "429", "html", "truncated", "loss", "qr_text", "qr_broken")


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


async def does(person: Person, incoming: Incoming, input_id: str = "") -> View | None:
    return await person._do(incoming, input_id)


def screen_of(there: Street, person: Person) -> int:
    rows = there.rows("SELECT address, screen FROM sessions")
    return next((row["screen"] for row in rows if row["address"] == person.address), 0)


async def is_answered(there: Street, person: Person, incoming: Incoming) -> None:
    """Do something: there is an answer at once, or the order speaks for itself."""
    before = len(person.messages)
    edits = sum(message.edited for message in person.messages)
    await does(person, incoming)
    if len(person.messages) == before:
        await there.work()
    new = person.messages[before:]
    assert new or sum(message.edited for message in person.messages) > edits, incoming
    for message in new:
        assert message.view.text.strip()
        for choice in message.view.choices:
            assert 1 <= len(choice.data.encode()) <= MOST_DATA_BYTES


async def something_happens(there: Street, rng: random.Random) -> None:
    match rng.randrange(8):
        case 0:
            await there.restart()
        case 1:
            await there.control("fault", kind=rng.choice(FAULTS), count=1)
        case 2:
            await there.control("price", code=rng.choice("125"), price=rng.randrange(900, 90_000))
        case 3:
            await there.after(rng.choice([SECOND, 11 * SECOND, 40 * SECOND]), step=11 * SECOND)
        case _ if there.journal:
            await there.pay(rng.randrange(-min(3, len(there.journal)), 0))
    await there.work()


async def finishes_a_purchase(there: Street, person: Person, account: str) -> None:
    """From wherever this person stands: buy something, and read its serial number."""
    await there.control("fault", kind="clear")
    await there.after(25 * MINUTE, step=MINUTE)  # what was open has run out
    await person.says("/bahasa id")
    await person.says("/start")
    await person.says("mobile legends")
    await person.says("172 diamond")
    await person.says(account)
    before = {row["id"] for row in there.orders}
    await person.taps("✅ Bayar")
    await there.work()
    (order,) = [row for row in there.orders if row["id"] not in before]
    (invoice,) = there.rows(f"SELECT supplier_ref FROM invoices WHERE order_id = '{order['id']}'")
    await there.control("pay", id=invoice["supplier_ref"])
    await there.after(15 * SECOND)
    done = person.sees("Top up masuk!", order["id"])
    truth = next(row for row in there.journal if row["id"] == invoice["supplier_ref"])
    assert done.view.copy == truth["sn"]
    assert truth["selling_price"] == order["price"]


@pytest.mark.parametrize("seed", SEEDS)
async def test_nonsense_is_always_answered_and_never_in_the_way_of_a_sale(
    there: Street, seed: int
) -> None:
    rng = random.Random(seed)
    mischief = Mischief(rng)
    people = [there.person("budi", 12), there.person("siti", 3), there.person("owner", 10)]
    for _ in range(EVENTS):
        person = rng.choice(people)
        views = [message.view for message in person.messages]
        orders = [row["id"] for row in there.orders]
        doing = mischief.next_doing(views, screen_of(there, person), orders)
        await is_answered(there, person, doing)
        there.clock.advance(rng.choice([0, SECOND, 5 * SECOND]))
        if rng.random() < 0.12:
            await something_happens(there, rng)
    assert len(there.orders) >= 5  # the nonsense got somewhere
    for number, person in enumerate(people):
        await finishes_a_purchase(there, person, f"5550000{number} 2001")
    o2_one_order_for_a_payment(there)
    m1_nothing_in_the_wrong_chat(there)


def o2_one_order_for_a_payment(there: Street) -> None:
    known = there.rows("SELECT supplier_ref FROM invoices")
    assert len({row["supplier_ref"] for row in known}) == len(known)
    assert len(there.journal) <= len(there.orders)


def m1_nothing_in_the_wrong_chat(there: Street) -> None:
    for row in there.orders:
        if row["serial"]:
            readers = {m.address for m in there.chat.messages if row["serial"] in _all(m)}
            assert readers <= {row["address"]}


def _all(shown: Shown) -> str:
    return f"{shown.view.title}{shown.view.text}{shown.view.copy}"


JUNK_AT_THE_ACCOUNT = (
    "abc", "12345678a2001", "12345678", "12345678 (2001", "1 2 3", "9" * 5_000, "x" * 5_000,
    "<b>12345678</b>", "\u202e12345678", "\0", "🙂", "", "/nonsense", "@", "ID server",
)  # fmt: skip


@pytest.mark.parametrize("junk", JUNK_AT_THE_ACCOUNT)
async def test_junk_for_an_account_is_followed_by_a_sale(there: Street, junk: str) -> None:
    budi = there.person()
    await budi.says("/start")
    await budi.says("ml")
    await budi.says("86 diamond")
    for doing in (junk, What.OTHER, What.PICTURE, junk):
        view = await (budi.shares(doing) if isinstance(doing, What) else budi.says(doing))
        assert view is not None
        assert view.text.strip()
    assert there.orders == []
    await budi.says("12345678 (2001)")
    await budi.taps("✅ Bayar")
    await there.work()
    await there.pay()
    await there.after(10 * SECOND)
    assert budi.sees("Top up masuk!").view.copy == there.journal[0]["sn"]
    assert there.journal[0]["target"] == "123456782001"


# --- the one button with an effect ----------------------------------------------------------------


async def ready_to_pay(person: Person) -> str:
    """Go to the confirmation; return what its button carries."""
    await person.says("/start")
    await person.says("free fire")
    await person.says("70 diamond")
    await person.says("777888999")
    return person.button("✅ Bayar")


@pytest.mark.parametrize("same_input", [True, False])
async def test_o2_ten_taps_at_once_are_one_order(there: Street, same_input: bool) -> None:
    budi = there.person()
    pay = await ready_to_pay(budi)
    inputs = ["tap"] * 10 if same_input else [f"tap{number}" for number in range(10)]
    views = await asyncio.gather(*(budi.presses(pay, input_id=name) for name in inputs))
    await there.work()
    assert len(there.orders) == len(there.journal) == 1
    assert views.count(None) == 1
    assert budi.count("Bayar Rp11.800") == 1


async def test_o2_taps_of_two_devices_with_time_between_are_one_order(there: Street) -> None:
    budi = there.person()
    pay = await ready_to_pay(budi)
    for number in range(5):
        await budi.presses(pay, input_id=f"device{number}")
        await there.after(12 * SECOND)
    assert len(there.orders) == len(there.journal) == 1


async def test_o2_a_tap_repeated_after_a_restart_is_one_order(there: Street) -> None:
    budi = there.person()
    pay = await ready_to_pay(budi)
    await budi.presses(pay, input_id="u1")
    for _ in range(3):
        await there.restart()
        await budi.presses(pay, input_id="u1")
        await there.work()
    assert len(there.orders) == len(there.journal) == 1


async def test_o2_the_same_purchase_confirmed_twice_in_a_row_is_one_order(there: Street) -> None:
    budi = there.person()
    for _ in range(3):
        await ready_to_pay(budi)
        await budi.taps("✅ Bayar")
        await there.after(11 * SECOND)
    assert len(there.orders) == len(there.journal) == 1
    assert budi.count("tidak kami buat dua kali") == 2
    assert budi.count("Bayar Rp11.800") == 3


async def test_two_people_who_confirm_the_same_account_at_once_get_one_order(
    there: Street,
) -> None:
    budi, siti = there.person("budi"), there.person("siti")
    presses = [(person, await ready_to_pay(person)) for person in (budi, siti)]
    await asyncio.gather(*(person.presses(pay) for person, pay in presses))
    await there.work()
    assert len(there.orders) == len(there.journal) == 1


async def test_ten_people_at_once_get_ten_orders_each_in_their_own_chat(there: Street) -> None:
    people = [there.person(f"person{number}") for number in range(10)]

    async def confirm(number: int, person: Person) -> None:
        await person.says("/start")
        await person.says("ml")
        await person.says("86 diamond")
        await person.says(f"1234567{number} 2001")
        await person.taps("✅ Bayar")

    await asyncio.gather(*(confirm(number, person) for number, person in enumerate(people)))
    await there.work()
    for number in range(10):
        await there.pay(number)
    await there.after(30 * SECOND, step=PACE)  # the supplier is asked about one after the other
    for number, person in enumerate(people):
        serial = person.sees("Top up masuk!", f"1234567{number} (2001)").view.copy
        (truth,) = [r for r in there.journal if r["target"] == f"1234567{number}2001"]
        assert serial == truth["sn"]


# --- prices and stock between the steps -----------------------------------------------------------


async def test_o8_the_price_shown_is_the_price_stored_and_the_price_asked_of_the_supplier(
    there: Street,
) -> None:
    budi = there.person()
    for account, item in (("777888991", "70 diamond"), ("777888992", "5 diamond")):
        await budi.says("/start")
        await budi.says("free fire")
        await budi.says(item)
        await budi.says(account)
        shown = next(line for line in budi.last.text.splitlines() if line.startswith("💰"))
        await budi.taps("✅ Bayar")
        await there.after(11 * SECOND)
        price = int("".join(filter(str.isdigit, shown)))
        assert there.orders[-1]["price"] == price
        assert there.journal[-1]["selling_price"] == price
        assert there.journal[-1]["target"] == account
        budi.sees(f"Bayar Rp{price:,}".replace(",", "."))


async def test_o8_a_price_that_changes_before_the_tap_is_asked_about(there: Street) -> None:
    budi = there.person()
    await ready_to_pay(budi)
    await there.control("price", code="1", price=20_000)
    await there.after(11 * MINUTE, step=MINUTE)
    view = await budi.taps("✅ Bayar")
    assert view is not None
    assert "Rp11.800 → " in view.text
    assert there.orders == []
    await budi.taps("✅ Bayar")
    await there.work()
    assert there.orders[0]["price"] == there.journal[0]["selling_price"] > 20_000


async def test_an_item_that_sells_out_between_the_steps_is_not_ordered(there: Street) -> None:
    budi = there.person()
    await ready_to_pay(budi)
    sells_out(there, "1")
    await there.after(11 * MINUTE, step=MINUTE)
    view = await budi.taps("✅ Bayar")
    assert view is not None
    assert "baru saja habis" in view.text
    assert there.orders == there.journal == []
    await budi.says("140 diamond")
    await budi.taps("✅ Bayar")
    await there.work()
    assert there.journal[0]["layanan"] == "5"
    assert there.journal[0]["target"] == "777888999"


def sells_out(there: Street, sid: str) -> None:
    services: dict[str, Any] = there.simulator._books.services
    del services[sid]


async def test_a_screen_of_the_future_confirms_nothing(there: Street) -> None:
    budi = there.person()
    await ready_to_pay(budi)
    for screen in (0, -1, screen_of(there, budi) + 1, 10**9):
        await does(budi, Picked("pay", screen))
    await does(budi, Shared(What.PICTURE))
    assert there.orders == []
