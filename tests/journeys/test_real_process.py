"""The real program, as an operator starts it: Telegram, a supplier, a plug that is pulled."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.buyers import BY_WALLET, buyers
from tests.fakes.reckoning import comes_to_rest, reckoning
from tests.fakes.telegram_person import Person
from tests.fakes.world import (
    AT_LENGTH,
    OWNER,
    World,
    confirms,
    opened_world,
    reaches_the_confirmation,
)

pytestmark = pytest.mark.process
BUDI = 7


@pytest.fixture
async def world(tmp_path: Path, on_a_database: str) -> AsyncIterator[World]:
    async with opened_world(tmp_path, on_a_database) as world:
        yield world


async def test_a_customer_buys_on_telegram(world: World) -> None:
    budi = world.person(BUDI)
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


async def test_a_customer_pays_into_a_wallet_and_buys_from_it_on_telegram(
    tmp_path: Path, on_a_database: str
) -> None:
    every_way = {"LAPAK_PAYMENTS": "dropship,deposit,wallet"}
    async with opened_world(tmp_path, on_a_database, **every_way) as world:
        [budi] = buyers(world, 1, "from a wallet", [BY_WALLET])
        async with world.shop():
            await world.ready()
            assert await budi.orders("123456789")
            await budi.person.sees("Top up masuk!", timeout=20)
            await comes_to_rest(world, 20)
        there = await reckoning(world)
        assert there.at_rest() == []
        assert there.credit == {f"telegram:{BUDI}": 50_000 - 11_800}


async def test_the_owner_settles_a_failed_order_on_telegram(world: World) -> None:
    budi, owner = world.person(BUDI), world.person(OWNER)
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
from bot.workers import price_lists
stock = price_lists._stock
async def stocked(line, prices, games):
    await stock(line, prices, games)
    plug.arm()
price_lists._stock = stocked
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


# Each place is passed in test_plug_pulled; here the process is real: a few places, of every kind on
# a file, and fewer on a server, where the same code passes the same places.
FEW = {
    "sqlite": [
        ("commit.before", 2),
        ("commit.before", 11),
        ("commit.after", 6),
        ("request.before", 1),
        ("request.after", 2),
        ("message.before", 3),
        ("message.after", 2),
    ],
    "postgres": [("commit.before", 13), ("commit.after", 4), ("request.after", 3)],
}
MANY = {"sqlite": PLACES[::4], "postgres": PLACES[1::11]}
ON_EACH = [
    (kind, *place) for kind, places in (MANY if AT_LENGTH else FEW).items() for place in places
]


@pytest.mark.parametrize(("on_a_database", "point", "hit"), ON_EACH, indirect=["on_a_database"])
async def test_o1_o2_d1_kill_9_of_the_real_process_loses_nothing(
    world: World, point: str, hit: int
) -> None:
    budi = world.person(BUDI)
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
    last = budi.chat.messages[-1]
    await confirms(budi)
    await budi.sees_photo(6, after=last)
    await world.control("pay", id=(await world.journal())[-1]["id"])
    await budi.sees("Top up masuk!", 12)


async def settled(world: World) -> list[dict[str, Any]]:
    """The orders, once none of them waits for its QR any more."""
    async with asyncio.timeout(10):
        while any(row["status"] in {"placed", "opening"} for row in world.orders()):  # noqa: ASYNC110 - rings no bell
            await asyncio.sleep(0.05)
    return world.orders()


async def comes_to_an_end(world: World, budi: Person) -> None:
    """Go on after the plug was pulled: an order that can be paid is paid, else a new one made."""
    entries = await world.journal()
    if entries and entries[-1]["payment_status"] == "settlement":
        await budi.sees("Top up masuk!", timeout=15)
        return
    orders = await settled(world)
    if any(order["status"] == "awaiting_payment" for order in orders):
        await budi.sees_photo(timeout=8)
        await world.control("pay", id=(await world.journal())[-1]["id"])
        await budi.sees("Top up masuk!", timeout=15)
        return
    if not orders:
        await buys(world, budi, "123456789")
        return
    await budi.sees("kami batalkan", timeout=8)
    # A friend does not have to wait ten seconds for the next order, as Budi would.
    await buys(world, world.person(8, "Siti"), "987654321")
