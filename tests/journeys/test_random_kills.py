"""The real program under load, killed at random moments, on each database.

LAPAK_SEED replays the moments and the habits of the customers (not the machine's own timing);
LAPAK_AT_LENGTH=1 kills two hundred times on each.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.buyers import BY_DEPOSIT, BY_DROPSHIP, BY_WALLET, Buyer, buyers, buying
from tests.fakes.reckoning import comes_to_rest, reckoning
from tests.fakes.world import AT_LENGTH, World, opened_world, simulated

pytestmark = [pytest.mark.process, pytest.mark.timeout(1800 if AT_LENGTH else 240)]
KILLS = {"sqlite": 10, "postgres": 6}
CUSTOMERS = 6
METHODS = (BY_DROPSHIP, BY_DEPOSIT, BY_WALLET)
EVERY_WAY = {"LAPAK_PAYMENTS": "dropship,deposit,wallet"}

# What naive shops do: the answer about a QR was lost, so it is asked for again.
NAIVE = """
import sys
from bot import __main__
from shop import moving, settling
from shop.settling import NotOpened

moving._AGAIN_AFTER_NOT_SENT = 0
settling.opening_lost = lambda books, order, now: settling._not_opened(
    books, order, NotOpened.NOT_SENT, now, "asked for again")
sys.exit(__main__.main())
"""
# Likewise of goods: they are ordered again, once the supplier has delivered the first ones.
NAIVE_WITH_GOODS = """
import sys
from bot import __main__
from shop import fulfilment, moving, watching
from shop.orders import Event

watching._SUBMIT_AGAIN = 2500
fulfilment.lost = lambda books, order, now: moving.go(books, order, Event.NOT_SENT, now)
sys.exit(__main__.main())
"""


def _seed() -> str:
    seed = os.environ.get("LAPAK_SEED") or f"{random.SystemRandom().getrandbits(32)}"
    sys.stdout.write(f"LAPAK_SEED={seed}\n")
    return seed


async def is_killed(world: World, luck: random.Random, script: str = "") -> None:
    """One life of the shop: it starts, works for a while, is killed. Nothing may be wrong then."""
    async with world.shop(script) as shop:
        if luck.random() < 0.2:  # while it starts
            await asyncio.sleep(luck.uniform(0.05, 1.2))
        else:
            await world.listens()
            await asyncio.sleep(0.05 * 30 ** luck.random())
        assert await shop.kill() == -signal.SIGKILL, shop.output
        assert "Traceback" not in shop.output, shop.output
    assert world.damage() == []
    await unseen_qrs_run_out(world)
    assert (await reckoning(world)).at_any_moment() == []


async def unseen_qrs_run_out(world: World) -> None:
    """What the supplier accepted and nobody was told of: here its fifteen minutes are over.

    Until then the supplier would refuse the same item for the same account, and with that hide it
    if somebody asks again.
    """
    told = {row["target"] for row in world.orders() if row["status"] not in {"placed", "opening"}}
    for entry in await world.journal():
        if entry["payment_status"] == "pending" and entry["target"] not in told:
            await world.control("expire", id=entry["id"])


async def test_o1_o2_m1_d1_a_shop_killed_at_random_loses_and_doubles_nothing(
    tmp_path: Path, on_a_database: str
) -> None:
    seed, kills = _seed(), 200 if AT_LENGTH else KILLS[on_a_database]
    luck = random.Random(seed)
    async with opened_world(tmp_path, on_a_database, simulated, **EVERY_WAY) as world:
        people = buyers(world, CUSTOMERS, seed, METHODS)
        # Not so quick that no kill ever comes between a question and its answer.
        await world.control("fault", kind="slow", path="/api/", seconds=0.15, count=100_000)
        async with buying(people):
            for _ in range(kills):
                await is_killed(world, luck)
        await world.control("fault", kind="clear")
        async with world.shop():
            await comes_to_rest(world, 75)
            await asyncio.gather(*(still_buys(each) for each in people))
            await comes_to_rest(world, 60)
        there = await reckoning(world)
        assert there.at_rest() == []
        assert await world.audit() == 0
        sys.stdout.write(f"{kills} kills: {there}\n")
        assert there.bought > CUSTOMERS, "hardly anybody bought: the kills hit nothing"


async def still_buys(buyer: Buyer) -> None:
    buyer.patience = 30.0
    account = next(buyer.accounts)
    assert await buyer.orders(account)
    await buyer.pays(account)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("script", "method"),
    [(NAIVE, BY_DROPSHIP), (NAIVE_WITH_GOODS, BY_DEPOSIT)],
    ids=["for a QR", "for goods"],
)
async def test_a_shop_that_asks_again_is_caught(tmp_path: Path, script: str, method: str) -> None:
    """Not at a random moment: between the supplier's yes and the answer that says so."""
    async with opened_world(tmp_path, "sqlite", **EVERY_WAY) as world:
        await world.control("fault", kind="slow", path="order/create", seconds=20, count=1)
        async with buying(buyers(world, 1, "one who pays", [method])):
            await is_killed_once_accepted(world, 1, script)
            await unseen_qrs_run_out(world)
            await is_killed_once_accepted(world, 2, script)
        complaints = (await reckoning(world)).at_any_moment()
    assert any("O2 2 accepted for 1 orders" in each for each in complaints), complaints


async def is_killed_once_accepted(world: World, orders: int, script: str) -> None:
    async with world.shop(script) as shop:
        for _ in range(600):
            if len(await world.journal()) >= orders:
                break
            await asyncio.sleep(0.1)
        await shop.kill()
