"""The real program, as an operator starts it: Telegram, a supplier, a plug that is pulled."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from storage.audit import audit
from tests.fakes.process import Process, answers, free_port, started
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_person import Person

pytestmark = pytest.mark.process
TOKEN = "123456:canary-telegram-token-AAAA"
KEY = "canary-api-key-0123456789"
BUDI, OWNER = 7, 99


@dataclass
class World:
    """Telegram, a supplier, and the settings of a shop between them."""

    folder: Path
    telegram: FakeTelegram
    supplier: str
    port: int
    logs: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.telegram.url,
            "ZULTOPUP_API_KEY": KEY,
            "ZULTOPUP_URL": f"{self.supplier}/zultopup",
            "ZULTOPUP_PHONE": "081200000000",
            "LAPAK_OWNERS": f"telegram:{OWNER}",
            "LAPAK_SUPPORT": "@toko",
            "LAPAK_PORT": str(self.port),
            "LAPAK_POLL_SECONDS": "1",
        }

    @property
    def database(self) -> Path:
        return self.folder / "lapak.db"

    @asynccontextmanager
    async def shop(self, script: str = "") -> AsyncIterator[Process]:
        async with started(
            "run", folder=self.folder, environment=self.environment, script=script
        ) as process:
            try:
                yield process
            finally:
                self.logs.append(process.output)

    async def ready(self) -> None:
        await answers(f"http://127.0.0.1:{self.port}/readyz")

    async def control(self, action: str, **body: Any) -> dict[str, Any]:
        async with (
            ClientSession() as session,
            session.post(f"{self.supplier}/control/zultopup/{action}", json=body) as answer,
        ):
            return dict(await answer.json())

    async def journal(self) -> list[dict[str, Any]]:
        async with (
            ClientSession() as session,
            session.get(f"{self.supplier}/control/zultopup/journal") as answer,
        ):
            return list((await answer.json())["orders"])

    def orders(self) -> list[dict[str, Any]]:
        connection = sqlite3.connect(self.database)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute("SELECT * FROM orders")]
        finally:
            connection.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    port = free_port()
    async with (
        started("simulate", "--port", str(port), folder=tmp_path) as simulators,
        FakeTelegram(token=TOKEN) as telegram,
    ):
        await simulators.says("control")
        world = World(
            folder=tmp_path,
            telegram=telegram,
            supplier=f"http://127.0.0.1:{port}",
            port=free_port(),
        )
        yield world
        for log in world.logs:
            assert KEY not in log
            assert TOKEN not in log
        assert audit(world.database) == []


async def reaches_the_confirmation(budi: Person, account: str = "123456789") -> None:
    for act, said, seen in (
        (budi.says, "/start", "Mau top up game apa"),
        (budi.taps, "Free Fire", "Mau yang mana?"),
        (budi.taps, "70 Diamond", "Kirim User ID"),
        (budi.says, account, "Cek dulu"),
    ):
        last = next(reversed(budi.chat.messages), None)
        await act(said)
        await budi.sees(seen, 6, after=last)


async def test_a_customer_buys_on_telegram(world: World) -> None:
    budi = world.telegram.person(BUDI)
    world.telegram.person(OWNER)
    async with world.shop() as shop:
        await world.ready()
        await reaches_the_confirmation(budi)
        await budi.taps("Bayar")
        qr = await budi.sees_photo()
        assert "Rp11.800" in qr.text
        await world.control("pay", id=(await world.journal())[-1]["id"])
        done = await budi.sees("Top up masuk!", timeout=20)
        assert done.text.count((await world.journal())[-1]["sn"]) == 1
        assert await shop.kill(signal.SIGTERM) == 0
    status = [m for m in world.telegram.chat(BUDI).messages if "Pesanan" in m.text]
    assert any("Selesai" in m.text and m.edited for m in status)


async def test_the_owner_settles_a_failed_order_on_telegram(world: World) -> None:
    budi, owner = world.telegram.person(BUDI), world.telegram.person(OWNER)
    async with world.shop():
        await world.ready()
        await owner.says("/saldo")
        await owner.sees("Rp50.000")
        await reaches_the_confirmation(budi)
        await budi.taps("Bayar")
        await budi.sees_photo()
        order = (await world.journal())[-1]["id"]
        await world.control("finish", ref=order, status="Error")
        await world.control("pay", id=order)
        await budi.sees("akan dikembalikan", timeout=20)
        await owner.sees("pemasok gagal mengirim")
        await budi.says("/kasus")
        await budi.sees("Perintah itu belum ada")
        await owner.says("/kasus")
        await owner.sees("Kasus terbuka: 1")
        await owner.taps("1. ")
        await owner.sees("Pembeli: telegram:7")
        await owner.taps("Sudah dikembalikan")
        await owner.sees("Yakin?")
        await owner.taps("Ya, benar")
        await owner.sees("Tercatat")
        await budi.sees("sudah dikembalikan. Terima kasih")
    assert [row["status"] for row in world.orders()] == ["refunded"]


KILLED_AT = """
import os, signal, sys
from bot import __main__, running
from bot.bootstrap import Seams
from storage.opening import open_database
from tests.fakes.plug import Plug

def die():
    os.kill(os.getpid(), signal.SIGKILL)

plug = Plug(point={point!r}, hit={hit}, pull=die)
real = running.run
running.run = lambda settings, roles: real(settings, roles, Seams(
    client=plug.client, database=plug.database(open_database), sender=plug.sender))
import bot.workers.supplier_calls as calls
stock = calls.SupplierCalls._stock
async def stocked(self, prices):
    await stock(self, prices)
    plug.arm()
calls.SupplierCalls._stock = stocked
sys.exit(__main__.main())
"""
# More than a purchase passes: the last hits of a kind may find it finished, and kill it then.
PLACES = [
    *(("commit.before", hit) for hit in range(1, 21)),
    *(("commit.after", hit) for hit in range(1, 21)),
    *(("request.before", hit) for hit in range(1, 4)),
    *(("request.after", hit) for hit in range(1, 4)),
    *(("message.before", hit) for hit in range(1, 6)),
    *(("message.after", hit) for hit in range(1, 6)),
]


@pytest.mark.parametrize(("point", "hit"), PLACES)
async def test_o1_o2_d1_kill_9_of_the_real_process_loses_nothing(
    world: World, point: str, hit: int
) -> None:
    budi = world.telegram.person(BUDI)
    world.telegram.person(OWNER)
    async with world.shop(KILLED_AT.format(point=point, hit=hit)) as doomed:
        buying = asyncio.create_task(is_ready_and_buys(world, budi))
        dying = asyncio.create_task(doomed.ended(60))
        await asyncio.wait([buying, dying], return_when=asyncio.FIRST_COMPLETED)
        if not dying.done():
            await buying
            await doomed.kill()
        buying.cancel()
        await asyncio.gather(buying, return_exceptions=True)
        assert await dying == -signal.SIGKILL, doomed.output
        assert "Traceback" not in doomed.output
    async with world.shop():
        await world.ready()
        await comes_to_an_end(world, budi)
    paid = [entry for entry in await world.journal() if entry["payment_status"] == "settlement"]
    delivered = [row for row in world.orders() if row["status"] == "delivered"]
    assert [row["serial"] for row in delivered] == [entry["sn"] for entry in paid]
    assert len(await world.journal()) <= len(world.orders())


async def is_ready_and_buys(world: World, budi: Person) -> None:
    await world.ready()
    await buys(world, budi, "123456789")


async def buys(world: World, budi: Person, account: str) -> None:
    await reaches_the_confirmation(budi, account)
    for _ in range(6):
        last = budi.chat.messages[-1]
        await budi.taps("Bayar")
        shown = await budi.sees("", 6, after=last)
        if "Tunggu 10 detik" not in shown.text:
            break
        await asyncio.sleep(3)
    await budi.sees_photo(6, after=last)
    await world.control("pay", id=(await world.journal())[-1]["id"])
    await budi.sees("Top up masuk!", 12)


async def comes_to_an_end(world: World, budi: Person) -> None:
    """Go on after the plug was pulled: an order that can be paid is paid, else a new one made."""
    entries = await world.journal()
    if entries and entries[-1]["payment_status"] == "settlement":
        await budi.sees("Top up masuk!", timeout=15)
        return
    orders = world.orders()
    if any(order["status"] in {"placed", "awaiting_payment"} for order in orders):
        await budi.sees_photo(timeout=8)
        await world.control("pay", id=(await world.journal())[-1]["id"])
        await budi.sees("Top up masuk!", timeout=15)
        return
    if orders:
        await budi.sees("kami batalkan", timeout=8)
    await buys(world, budi, "987654321" if entries else "123456789")
