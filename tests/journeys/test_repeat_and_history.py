"""Coming back: the history, serial numbers, buying the same again, saved accounts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


async def to_confirmation(
    person: Person, account: str = "777888999", game: str = "free fire", item: str = "70 diamond"
) -> str:
    await person.says("/start")
    await person.says(game)
    await person.says(item)
    await person.says(account)
    return person.last.text


async def pays(there: Street, person: Person) -> dict[str, Any]:
    """Press pay, pay the QR, wait for the goods; return the supplier's own row."""
    before = len(there.journal)
    await person.taps("✅ Bayar")
    await there.work()
    assert len(there.journal) == before + 1
    await there.pay()
    await there.after(10 * SECOND)
    return there.journal[-1]


async def buys(there: Street, person: Person, account: str = "777888999", **what: str) -> Any:
    await there.after(11 * SECOND, step=11 * SECOND)
    await to_confirmation(person, account, **what)
    return await pays(there, person)


# --- the history ----------------------------------------------------------------------------------


async def test_the_history_shows_five_a_page_and_every_order_once(there: Street) -> None:
    budi = there.person()
    for number in range(7):
        await buys(there, budi, f"77788899{number}")
    view = await budi.says("/riwayat")
    assert view is not None
    ids = [row["id"] for row in reversed(there.orders)]
    assert [choice.label for choice in view.choices[:5]] == ids[:5]
    for row in there.journal[2:]:
        assert f"SN: {row['sn']}" in view.text
    await budi.taps("Lebih lama")
    assert [choice.label for choice in budi.last.choices] == ids[5:]
    for row in there.journal[:2]:
        assert f"SN: {row['sn']}" in budi.last.text
    await budi.taps(ids[-1])
    assert ids[-1] in budi.last.title
    assert budi.last.copy == there.journal[0]["sn"]


async def test_an_empty_history_says_how_to_begin(there: Street) -> None:
    view = await there.person().says("/riwayat")
    assert view is not None
    assert "/pesan" in view.text


@pytest.mark.parametrize("page", ["2", "9", "9999"])
async def test_a_page_past_the_last_is_the_first(there: Street, page: str) -> None:
    budi = there.person()
    await buys(there, budi)
    first, past = await budi.says("/riwayat"), await budi.says(f"/riwayat {page}")
    assert past is not None
    assert there.orders[0]["id"] in past.text
    assert past == first


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e3", "99999999999", "٢", "1 2"])
async def test_a_page_that_makes_no_sense_is_the_first(there: Street, page: str) -> None:
    budi = there.person()
    await to_confirmation(budi)
    await budi.taps("✅ Bayar")
    view = await budi.says(f"/riwayat {page}")
    assert view is not None
    assert there.orders[0]["id"] in view.text


async def test_m1_s4_a_serial_number_is_readable_by_its_buyer_only(there: Street) -> None:
    budi, siti, owner = there.person("budi"), there.person("siti"), there.owner
    serial = (await buys(there, budi))["sn"]
    (order,) = there.orders
    for person in (siti, owner, there.person("budi2"), there.person("Budi")):
        for doing in ("/riwayat", f"/status {order['id']}", f"@{order['id']}", "/kasus", serial):
            await person.says(doing)
        for action in ("show", "again", "paid", "cancel"):
            await person.presses(f"o:{order['id']}:{action}")
        await there.work()
        seen = " ".join(f"{m.view.title}{m.view.text}{m.view.copy}" for m in person.messages)
        assert serial not in seen
        assert "777888999" not in seen
    for doing in ("/riwayat", f"/status {order['id']}"):
        view = await budi.says(doing)
        assert view is not None
        assert serial in f"{view.text} {view.copy}"


async def test_the_status_of_an_order_follows_it(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    await budi.taps("✅ Bayar")
    (order,) = there.orders
    await budi.says(f"/status {order['id']}")
    assert "Menyiapkan" in budi.last.text
    await there.work()
    await budi.says(f"/status {order['id'].lower()}")
    assert "Menunggu pembayaran Rp11.800" in budi.last.text
    assert {"✅ Sudah bayar", "Tampilkan QR", "Batal"} == set(budi.labels)
    await there.pay()
    await there.after(10 * SECOND)
    await budi.says(f"/status {order['id']}")
    assert "✅ Selesai" in budi.last.text
    assert budi.labels == ["Beli lagi"]


@pytest.mark.parametrize("number", ["ABCDEFGHJK", "x", "0", "'; --", "%", "../../etc", "A" * 200])
async def test_the_status_of_nothing_is_unknown(there: Street, number: str) -> None:
    view = await there.person().says(f"/status {number}")
    assert view is not None
    assert "tidak ada di riwayatmu" in view.text


async def test_m5b_a_serial_number_that_could_not_be_delivered_is_in_the_history(
    there: Street,
) -> None:
    budi = there.person()
    await to_confirmation(budi)
    await budi.taps("✅ Bayar")
    await there.work()
    there.chat.blocked.add(budi.address)
    await there.pay()
    await there.after(10 * SECOND)
    there.owner.sees("tidak bisa dikirim", "/riwayat")
    serial = there.journal[0]["sn"]
    assert all(serial not in f"{m.view.text}{m.view.copy}" for m in there.owner.messages)
    there.chat.blocked.clear()
    view = await budi.says("/riwayat")
    assert view is not None
    assert serial in view.text


async def test_everything_is_still_there_after_a_restart(there: Street) -> None:
    budi = there.person()
    serial = (await buys(there, budi))["sn"]
    await budi.says("/bahasa en")
    await to_confirmation(budi, item="140 diamond")
    await there.restart()
    await budi.taps("✅ Pay")
    await there.work()
    assert [row["layanan"] for row in there.journal] == ["1", "5"]
    view = await budi.says("/history")
    assert view is not None
    assert serial in view.text
    assert "awaiting payment" in view.text


# --- the same again -------------------------------------------------------------------------------


async def test_buying_again_goes_straight_to_the_confirmation_at_todays_price(
    there: Street,
) -> None:
    budi = there.person()
    await buys(there, budi)
    await there.control("price", code="1", price=12_000)
    await there.after(11 * MINUTE, step=MINUTE)
    await budi.taps("Beli lagi")
    assert "70 Diamond" in budi.last.text
    assert "777888999" in budi.last.text
    shown = there.rows("SELECT draft FROM sessions")[0]["draft"]
    row = await pays(there, budi)
    first, second = there.orders
    assert second["price"] > first["price"]
    assert f'"price": {second["price"]}' in shown
    assert row["selling_price"] == second["price"]
    assert row["target"] == "777888999"


async def test_the_start_offers_the_last_purchases_again(there: Street) -> None:
    budi = there.person()
    await buys(there, budi, "12345678 2001", game="ml", item="86 diamond")
    await buys(there, budi)
    await buys(there, budi)
    view = await budi.says("/start")
    assert view is not None
    assert [(choice.label, choice.hint) for choice in view.choices[:2]] == [
        ("🔁 70 Diamond", "777888999"),
        ("🔁 86 Diamond", "12345678 (2001)"),
    ]
    await budi.taps("🔁 86")
    assert "12345678 (2001)" in budi.last.text
    await there.after(11 * SECOND)
    assert (await pays(there, budi))["target"] == "123456782001"


async def test_nobody_is_offered_the_purchases_of_somebody_else(there: Street) -> None:
    await buys(there, there.person("budi"))
    siti = there.person("siti")
    await siti.says("/start")
    assert all("🔁" not in label for label in siti.labels)


async def test_saved_accounts_are_five_at_the_most_and_can_be_tapped(there: Street) -> None:
    budi = there.person()
    for number in range(6):
        await buys(there, budi, f"77788899{number}")
    await budi.says("/start")
    await budi.says("free fire")
    await budi.says("140 diamond")
    assert budi.labels[:-1] == [f"77788899{number}" for number in (5, 4, 3, 2, 1)]
    await budi.taps("777888993")
    assert "👤 777888993" in budi.last.text
    await there.after(11 * SECOND)
    assert (await pays(there, budi))["target"] == "777888993"


async def test_an_order_that_ran_out_can_be_ordered_again(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    await budi.taps("✅ Bayar")
    await there.work()
    await there.after(20 * MINUTE, step=20 * SECOND)
    await budi.taps("Pesan lagi")
    await pays(there, budi)
    assert [row["status"] for row in there.orders] == ["expired", "delivered"]


async def test_an_old_button_of_an_order_still_works_days_later(there: Street) -> None:
    budi = there.person()
    await buys(there, budi)
    done = budi.sees("Top up masuk!")
    await there.after(50 * HOUR, step=HOUR)
    await budi.taps("Beli lagi", done)
    assert "Cek dulu" in budi.last.title
    await pays(there, budi)
    assert len(there.journal) == 2
