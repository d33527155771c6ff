"""What one person may do at once, what two people may not do at all, and what a supplier allows."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shop.calls import LIST_EVERY, WINDOW
from shop.time import MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street
from tests.fakes.world import AT_LENGTH

QR = "Bayar Rp"
DONE = "Top up masuk!"
TOO_MANY = "Masih ada 3 QR"
TOO_SOON = "Tunggu 10 detik, lalu coba lagi"
TAKEN = "sedang diproses di pesanan lain"
AGAIN = "Pesanan ini masih terbuka"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened
        assert max_calls_a_minute(opened) <= 60
        assert 429 not in {call["status"] for call in opened.simulator.journal()["calls"]}


def max_calls_a_minute(there: Street) -> int:
    """By the supplier's own journal."""
    moments = [call["at"] for call in there.simulator.journal()["calls"]]
    return max(sum(at <= other < at + MINUTE for other in moments) for at in moments)


async def to_confirmation(
    person: Person, account: str = "123456789", item: str = "70 Diamond"
) -> None:
    await person.says("/start")
    await person.taps("Free Fire")
    await person.taps(item)
    await person.says(account)


async def order(
    there: Street, person: Person, account: str = "123456789", item: str = "70 Diamond"
) -> None:
    await to_confirmation(person, account, item)
    await person.taps("Bayar")
    await there.work()


def account(nth: int) -> str:
    return f"{100_000_000 + nth}"


async def test_a_person_has_three_open_qrs_at_the_most(there: Street) -> None:
    budi = there.person()
    for nth in range(3):
        await order(there, budi, account(nth))
        await there.after(11 * SECOND)
    assert budi.count(QR) == 3
    await order(there, budi, account(3))
    budi.sees(TOO_MANY, "Coba lagi setelah pukul 12.15")
    assert len(there.orders) == len(there.journal) == 3


async def test_a_hidden_qr_still_counts_for_it_can_be_had_back(there: Street) -> None:
    budi = there.person()
    for nth in range(3):
        await order(there, budi, account(nth))
        await there.after(11 * SECOND)
    await budi.taps("Batal", budi.sees(QR))
    await order(there, budi, account(3))
    budi.sees(TOO_MANY, "Coba lagi setelah pukul 12.15")
    assert len(there.journal) == 3
    await there.after(11 * SECOND)
    await order(there, budi, account(2))  # the hidden one
    waiting = [row for row in there.orders if row["status"] == "awaiting_payment"]
    assert len(waiting) == len(there.orders) == len(there.journal) == 3
    assert budi.count(QR) == 4
    await there.after(15 * MINUTE, step=20 * SECOND)
    await order(there, budi, account(3))
    assert len(there.journal) == 4


async def test_the_prices_stay_fresh_while_the_shop_is_busy(
    there: Street, on_a_database: str
) -> None:
    """More QRs are open than can be asked about at every poll; the list is read all the same."""
    waves = {"sqlite": 2, "postgres": 2 if AT_LENGTH else 1}[on_a_database]
    for wave in range(waves):
        for nth in range(40):
            person = there.person(f"p{wave}-{nth}")
            await order(there, person, account(100 * wave + nth))
            there.clock.advance(SECOND)
        await there.after(10 * MINUTE + SECOND, step=SECOND)
    read = [c["at"] for c in there.simulator.journal()["calls"] if "services" in c["path"]]
    pauses = [b - a for a, b in itertools.pairwise(read)]
    assert len(pauses) >= waves
    assert max(pauses) <= LIST_EVERY + WINDOW


async def test_the_three_are_counted_for_each_person_alone(there: Street) -> None:
    budi, ani = there.person("budi"), there.person("ani")
    for nth in range(3):
        await order(there, budi, account(nth))
        await there.after(11 * SECOND)
    await order(there, ani, account(9))
    assert ani.count(QR) == 1


async def test_a_qr_that_has_run_out_makes_room(there: Street) -> None:
    budi = there.person()
    for nth in range(3):
        await order(there, budi, account(nth))
        await there.after(11 * SECOND)
    await there.after(15 * MINUTE, step=20 * SECOND)
    await order(there, budi, account(3))
    assert budi.count(TOO_MANY) == 0
    assert len(there.journal) == 4


async def test_ten_seconds_lie_between_two_orders_of_one_person(there: Street) -> None:
    budi, ani = there.person("budi"), there.person("ani")
    await order(there, budi, account(0))
    there.clock.advance(9 * SECOND)
    await order(there, budi, account(1))
    budi.sees(TOO_SOON)
    await order(there, ani, account(2))
    assert len(there.journal) == 2
    there.clock.advance(SECOND)
    await budi.taps("Bayar", budi.sees(TOO_SOON))
    await there.work()
    assert len(there.journal) == 3


async def test_ten_seconds_lie_between_two_claims_of_one_person(there: Street) -> None:
    budi = there.person()
    await order(there, budi)
    for wanted in (1, 1, 2):
        await budi.taps("Sudah bayar", budi.sees(QR))
        assert budi.count("kami tanyakan pembayaran") == wanted
        await there.work()
        there.clock.advance(5 * SECOND)
    assert budi.count("Baru saja kami tanyakan") == 1


async def test_o2_the_same_wish_of_the_same_person_is_one_order(there: Street) -> None:
    budi = there.person()
    await order(there, budi)
    await there.after(30 * SECOND)
    await order(there, budi)
    budi.sees(AGAIN)
    assert budi.count(QR) == 2
    assert len(there.orders) == len(there.journal) == 1
    await there.pay()
    await there.after(20 * SECOND)
    assert budi.count(DONE) == 1


async def test_o2_m1_the_same_wish_of_another_person_waits_and_learns_nothing(
    there: Street,
) -> None:
    budi, ani = there.person("budi"), there.person("ani")
    await order(there, budi)
    await order(there, ani)
    ani.sees(TAKEN, "Coba lagi setelah pukul 12.15")
    number = there.orders[0]["id"]
    assert ani.count(QR) == ani.count(number) == 0
    assert len(there.orders) == len(there.journal) == 1
    await there.pay()
    await there.after(20 * SECOND)
    await ani.taps("Bayar", ani.sees(TAKEN))
    await there.work()
    await there.pay()
    await there.after(20 * SECOND)
    assert [budi.count(DONE), ani.count(DONE)] == [1, 1]
    assert len(there.journal) == 2


async def test_o2_another_item_for_the_same_account_is_another_order(there: Street) -> None:
    budi, ani = there.person("budi"), there.person("ani")
    await order(there, budi)
    await order(there, ani, item="140 Diamond")
    assert len(there.journal) == 2


async def test_m1_an_order_answers_to_its_buyer_only(there: Street) -> None:
    budi, ani = there.person("budi"), there.person("ani")
    await order(there, budi)
    number = there.orders[0]["id"]
    for label in ("Sudah bayar", "Batal"):
        await ani.presses(budi.button(label, budi.sees(QR)))
        ani.sees("tidak ada di riwayatmu")
    await ani.says(f"/status {number}")
    await there.work()
    assert there.orders[0]["status"] == "awaiting_payment"
    assert there.orders[0]["claimed_at"] is None
    assert ani.count(number) == 0


@pytest.mark.parametrize("same_input", [False, True])
async def test_o2_ten_taps_at_once_are_one_order(there: Street, same_input: bool) -> None:
    budi = there.person()
    await to_confirmation(budi)
    pay = budi.button("Bayar")
    names = ["once" if same_input else f"tap{nth}" for nth in range(10)]
    await asyncio.gather(*(budi.presses(pay, input_id=name) for name in names))
    await there.work()
    assert len(there.orders) == len(there.journal) == 1
    assert budi.count(QR) == 1


async def test_o2_two_devices_confirming_the_same_thing_make_one_order(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    first = budi.button("Bayar")
    await budi.says("/start")
    await to_confirmation(budi)
    second = budi.button("Bayar")
    await asyncio.gather(budi.presses(second), budi.presses(first))
    await there.work()
    assert len(there.orders) == len(there.journal) == 1


async def test_o2_an_old_button_orders_nothing_and_offers_the_present_question(
    there: Street,
) -> None:
    budi = there.person()
    await to_confirmation(budi)
    old = budi.button("Bayar")
    await to_confirmation(budi, account(1))
    await budi.presses(old)
    assert there.orders == []
    await budi.taps("Bayar", budi.sees("Tombol itu sudah lewat", account(1)))
    await there.work()
    assert [entry["target"] for entry in there.journal] == [account(1)]


async def test_batal_and_bayar_again_and_again_open_one_qr(there: Street) -> None:
    budi = there.person()
    await order(there, budi)
    for _ in range(3):
        await budi.taps("Batal", budi.sees(QR))
        await there.after(11 * SECOND)
        assert there.orders[0]["status"] == "cancelled"
        await order(there, budi)
        assert there.orders[0]["status"] == "awaiting_payment"
    assert len(there.orders) == len(there.journal) == 1
    await there.pay()
    await there.after(20 * SECOND)
    assert budi.count(DONE) == 1


async def test_o8_a_qr_at_a_loss_is_never_shown_however_it_is_asked_for(there: Street) -> None:
    budi, ani = there.person("budi"), there.person("ani")
    await there.control("fault", kind="loss")
    await order(there, budi)
    budi.sees("baru saja naik di pemasok")
    await there.after(11 * SECOND)
    await budi.says("/start")
    await budi.taps("Free Fire")
    await budi.taps("70 Diamond")
    await budi.says("123456789")
    await budi.taps("Bayar")
    budi.sees(TAKEN)
    await order(there, ani)
    ani.sees(TAKEN)
    await there.work()
    assert budi.count(QR) == ani.count(QR) == 0
    assert len(there.journal) == 1


async def test_o8_a_price_that_changed_before_the_tap_is_asked_again(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    budi.sees("Rp11.800")
    await there.control("price", code="1", price=12_000)
    await there.after(11 * MINUTE, step=MINUTE)
    await budi.taps("Bayar")
    budi.sees("Harganya baru saja berubah: Rp11.800 → ")
    assert there.orders == []
    await budi.taps("Bayar")
    await there.work()
    assert there.journal[0]["selling_price"] == there.orders[0]["price"] > 12_000


async def test_a_crowd_is_served_within_what_the_supplier_allows(there: Street) -> None:
    """Forty people order in the same second: the second half of them waits a minute."""
    people = [there.person(f"p{nth}") for nth in range(40)]
    for nth, person in enumerate(people):
        await to_confirmation(person, account(nth))
    await asyncio.gather(*(person.taps("Bayar") for person in people))
    await there.work()
    assert sum(person.count(QR) for person in people) == 30
    await there.after(65 * SECOND)
    assert [person.count(QR) for person in people] == [1] * 40
    targets = Counter(entry["target"] for entry in there.journal)
    assert targets == Counter(account(nth) for nth in range(40))


async def test_m1_each_of_a_crowd_gets_the_serial_number_of_their_own_order(
    there: Street,
) -> None:
    people = {account(nth): there.person(f"p{nth}") for nth in range(12)}
    for wanted, person in people.items():
        await to_confirmation(person, wanted)
    await asyncio.gather(*(person.taps("Bayar") for person in people.values()))
    await there.work()
    for nth in range(12):
        await there.pay(nth)
    await there.after(2 * MINUTE)
    for entry in there.journal:
        person = people[entry["target"]]
        assert {m.view.copy for m in person.messages if m.view.copy} == {entry["sn"]}
        assert person.count(DONE) == 1


async def test_a_claim_is_asked_ahead_of_a_crowd(there: Street) -> None:
    people = [there.person(f"p{nth}") for nth in range(30)]
    for nth, person in enumerate(people):
        await to_confirmation(person, account(nth))
    await asyncio.gather(*(person.taps("Bayar") for person in people))
    await there.work()
    await there.after(20 * SECOND)
    budi = people[7]
    nth = next(n for n, entry in enumerate(there.journal) if entry["target"] == account(7))
    await there.pay(nth)
    there.clock.advance(50 * SECOND)
    await budi.taps("Sudah bayar")
    call = await there.shop.suppliers[0].choose()
    await there.shop.suppliers[0].make(call)  # type: ignore[arg-type]
    paid = [row["target"] for row in there.orders if row["status"] in {"processing", "delivered"}]
    assert paid == [account(7)]
