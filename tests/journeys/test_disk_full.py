"""The disk fills up while the shop runs: nobody is told a falsehood, and it goes on by itself."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.bootstrap import Seams
from shop.time import SECOND
from storage.address import Address
from storage.database import Database, Unwritable
from storage.opening import open_database
from tests.fakes.street import street
from tests.journeys.test_first_sale import to_confirmation, with_a_qr


class Disk:
    """Nothing can be written while it is full."""

    def __init__(self) -> None:
        self.full = False

    async def open(self, address: Address) -> Any:
        return _OnDisk(await open_database(address), self)


class _OnDisk:
    def __init__(self, database: Database, disk: Disk) -> None:
        self._database, self._disk = database, disk

    async def run(self, work: Any) -> Any:
        if self._disk.full:
            raise Unwritable("database or disk is full")
        return await self._database.run(work)

    async def read(self, work: Any) -> Any:
        return await self._database.read(work)

    def bell(self) -> asyncio.Event:
        return self._database.bell()

    async def close(self) -> None:
        await self._database.close()


async def test_a_tap_on_a_full_disk_gets_a_sentence_and_orders_nothing(tmp_path: Path) -> None:
    disk = Disk()
    async with street(tmp_path, Seams(database=disk.open)) as there:
        budi = there.person()
        await to_confirmation(budi)
        disk.full = True
        await budi.taps("Bayar", input_id="tap")
        assert "belum ada yang dicatat" in budi.last.text
        disk.full = False
        assert there.orders == []
        await budi.taps("Bayar", input_id="tap")
        await there.work()
        budi.sees("Bayar Rp")
        assert len(there.orders) == 1


async def test_m2_a_message_that_could_not_be_noted_is_not_sent_again(tmp_path: Path) -> None:
    disk = Disk()
    async with street(tmp_path, Seams(database=disk.open)) as there:
        budi = there.person()
        await with_a_qr(there, budi)
        await there.pay()
        there.clock.advance(20 * SECOND)
        call = await there.shop.suppliers[0].choose()
        await there.shop.suppliers[0].make(call)
        status = budi.sees("🧾 Pesanan")
        edited = status.edited
        disk.full = True
        sending = asyncio.create_task(there.shop.outbox.run())
        await until(lambda: status.edited > edited)
        await asyncio.sleep(1.2)  # long enough for a second try
        assert status.edited == edited + 1
        disk.full = False
        await until(lambda: not there.rows("SELECT 1 FROM outbox WHERE due_at IS NOT NULL"))
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert status.edited == edited + 1
        assert budi.count("Top up masuk!") == 1


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never came")
