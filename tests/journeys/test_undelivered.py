"""M5b: a serial number that cannot be brought is kept for its buyer, and the owner is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street
from tests.journeys.test_first_sale import with_a_qr

DONE = "Top up masuk!"
LOST = "tidak bisa dikirim (diblokir atau dihapus)"
SEEN = "Sudah dilihat"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


async def lost_delivery(there: Street, person: Person) -> str:
    """Let somebody pay, block the bot, and be delivered to; return the serial number."""
    await with_a_qr(there, person)
    await there.pay()
    there.chat.blocked.add(person.address)
    await there.after(20 * SECOND)
    assert [row["status"] for row in there.orders] == ["delivered"]
    assert person.count(DONE) == 0
    return str(there.journal[0]["sn"])


def everything_of(person: Person) -> str:
    return " ".join(f"{m.view.title} {m.view.text} {m.view.copy}" for m in person.messages)


def cases(there: Street) -> list[tuple[str, bool]]:
    """Each case: its kind, and whether it is open."""
    rows = there.rows("SELECT kind, closed_at FROM cases ORDER BY opened_at, id")
    return [(row["kind"], row["closed_at"] is None) for row in rows]


async def test_m5b_the_owner_is_told_whose_message_was_lost_and_closes_the_case(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    serial = await lost_delivery(there, budi)
    order = there.orders[0]["id"]
    case = owner.sees(LOST, order, "70 Diamond", "Pembeli: web:budi", "Pesan: delivered → web:budi")
    assert owner.count(LOST) == 1
    assert cases(there) == [("undelivered", True)]
    await owner.says("/kasus")
    owner.sees("pesan tidak sampai", order)
    await owner.taps(SEEN, on=case)
    assert cases(there) == [("undelivered", False)]
    await owner.says("/kasus")
    owner.sees("Tidak ada kasus terbuka")
    assert serial not in everything_of(owner)
    assert there.orders[0]["status"] == "delivered"


async def test_m1_m5b_only_the_buyer_finds_the_serial_number_when_they_come_back(
    there: Street,
) -> None:
    budi, siti = there.person(), there.person("siti")
    serial = await lost_delivery(there, budi)
    order = there.orders[0]["id"]
    there.chat.blocked.clear()
    for somebody in (siti, there.owner):
        for words in ("/riwayat", f"/status {order}"):
            await somebody.says(words)
        await somebody.presses(f"o:{order}:show")
        await there.work()
        assert serial not in everything_of(somebody)
    await budi.says("/riwayat")
    assert f"SN: {serial}" in budi.last.text
    await budi.says(f"/status {order}")
    assert budi.last.copy == serial


async def test_m2_m3b_nothing_is_sent_by_itself_to_one_who_comes_back(there: Street) -> None:
    """It would say again, days later, what the person reads by command."""
    budi = there.person()
    await lost_delivery(there, budi)
    there.chat.blocked.clear()
    await budi.says("/riwayat")
    await there.after(2 * HOUR, step=10 * MINUTE)
    assert budi.count(DONE) == 0
    await with_a_qr(there, budi, "987654321")  # and the shop goes on writing to them


async def test_o1_money_that_must_go_back_to_one_who_cannot_be_told_stays_that_case(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.control("finish", ref=there.journal[0]["id"], status="Error")
    await there.pay()
    there.chat.blocked.add(budi.address)
    await there.after(30 * SECOND)
    assert cases(there) == [("paid_failed", True)]
    assert owner.count("pemasok gagal mengirim") == 2  # once more, with what could not be said
    case = owner.sees("pemasok gagal mengirim", "refund_due → web:budi: ")
    assert SEEN not in [choice.label for choice in case.view.choices]
    await owner.taps("Sudah dikembalikan", on=case)
    await owner.taps("Ya, benar")
    await there.work()
    assert cases(there) == [("paid_failed", False)]
    assert there.orders[0]["status"] == "refunded"


async def test_m5b_the_case_survives_a_restart(there: Street) -> None:
    there.chat.blocked.add("web:owner")
    serial = await lost_delivery(there, there.person())
    await there.restart()
    there.chat.blocked.clear()
    await there.owner.says("/kasus")
    await there.work()
    there.owner.sees(LOST)
    assert serial not in everything_of(there.owner)
