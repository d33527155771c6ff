"""A customer buys a top-up: the whole path, as the customer, the supplier and the owner see it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


async def to_confirmation(person: Person, account: str = "123456789") -> None:
    await person.says("/start")
    await person.taps("Free Fire")
    await person.taps("70 Diamond")
    await person.says(account)


async def with_a_qr(there: Street, person: Person, account: str = "123456789") -> None:
    await to_confirmation(person, account)
    await person.taps("Bayar")
    await there.work()
    person.sees("Bayar Rp")


async def test_a_customer_buys_and_gets_the_serial_number(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    assert "Rp11.800" in budi.sees("Cek dulu").view.text
    await budi.taps("Bayar")
    await there.work()
    qr = budi.sees("Bayar Rp11.800")
    assert qr.view.image is not None
    assert qr.view.image.startswith(b"\x89PNG")
    await there.pay()
    await there.after(20 * SECOND)
    done = budi.sees("Top up masuk!")
    assert done.view.copy == there.journal[0]["sn"]
    assert budi.count("Top up masuk!") == 1
    assert [row["status"] for row in there.orders] == ["delivered"]
    assert "✅ Selesai" in budi.sees("🧾 Pesanan").view.text
    assert "jangan dibayar lagi" in qr.view.text
    assert qr.view.choices == ()
    assert len(there.journal) == 1


async def test_an_unpaid_qr_lapses_with_one_message(there: Street) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.after(20 * MINUTE, step=10 * SECOND)
    assert budi.count("tidak dibayar sampai batas waktunya, jadi") == 1
    assert [row["status"] for row in there.orders] == ["expired"]
    await there.after(25 * HOUR, step=10 * MINUTE)
    assert budi.count("tidak dibayar sampai batas waktunya, jadi") == 1
    assert there.orders[0]["due_at"] is None


async def test_late_money_is_noticed_and_goes_to_the_owner(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.after(20 * MINUTE, step=10 * SECOND)
    await there.pay()
    await there.after(40 * MINUTE, step=MINUTE)
    assert [row["status"] for row in there.orders] == ["refund_due"]
    budi.sees("akan dikembalikan")
    owner.sees("Pembayaran masuk setelah QR ditutup")


async def test_a_paid_order_that_fails_is_refunded_by_the_owner(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.control("finish", ref=there.journal[0]["id"], status="Error")
    await there.pay()
    await there.after(30 * SECOND)
    budi.sees("sudah dibayar Rp11.800 tetapi tidak bisa dikirim", "@lapak_demo")
    await owner.taps("Sudah dikembalikan")
    assert there.orders[0]["status"] == "refund_due"
    await owner.taps("Ya, benar")
    await there.work()
    assert there.orders[0]["status"] == "refunded"
    budi.sees("Dana Rp11.800", "sudah dikembalikan")
    await owner.says("/kasus")
    owner.sees("Tidak ada kasus terbuka")
    assert len(there.journal) == 1
