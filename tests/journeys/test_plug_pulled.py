"""The plug is pulled at every place of a purchase, once each; the shop opens again on its file.

That is with ``LAPAK_AT_LENGTH=1``; else the plug is pulled at every second place.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import Seams
from shop.time import MINUTE, SECOND
from storage.opening import open_database
from tests.fakes.chat import Person
from tests.fakes.plug import POINTS, Plug, Pulled
from tests.fakes.street import Street, street
from tests.fakes.world import AT_LENGTH

# On a server the same code passes the same places.
EVERY = {"sqlite": 1 if AT_LENGTH else 2, "postgres": 6}
ACCOUNTS = ("123456789", "223456789", "323456789")


def seams_with(plug: Plug) -> Seams:
    return Seams(client=plug.client, database=plug.database(open_database), sender=plug.sender)


async def survive(there: Street, plug: Plug, step: Callable[[], Awaitable[Any]]) -> None:
    """Do one step of the story; if the plug is pulled, open again and do it once more."""
    with suppress(Pulled):
        await step()
    if plug.out:
        plug.mend()
        await there.restart()
        await step()


async def order(there: Street, plug: Plug, budi: Person, account: str) -> None:
    """Order as a person does whose taps are delivered again until they are answered."""
    taps = [
        lambda n: budi.says("/start", n),
        lambda n: budi.taps("Free Fire", input_id=n),
        lambda n: budi.taps("70 Diamond", input_id=n),
        lambda n: budi.says(account, n),
        lambda n: budi.taps("Bayar", input_id=n),
    ]
    for number, tap in enumerate(taps):
        await survive(there, plug, lambda tap=tap, n=f"{account}-{number}": tap(n))
    await survive(there, plug, there.work)


async def buy(there: Street, plug: Plug) -> Person:
    """Order until there is a QR, pay it, and wait."""
    plug.arm()
    budi = there.person()
    for account in ACCOUNTS:
        await order(there, plug, budi, account)
        if any(row["status"] == "awaiting_payment" for row in there.orders):
            break
        there.clock.advance(11 * SECOND)
    await survive(there, plug, lambda: there.after(20 * SECOND))
    await there.control("finish", ref=there.journal[-1]["id"], status="Pending")
    await there.pay()
    await survive(there, plug, lambda: budi.taps("Sudah bayar", input_id="claim"))
    await survive(there, plug, lambda: there.after(20 * SECOND))
    await there.control("finish", ref=there.journal[-1]["id"], status="Success")
    await survive(there, plug, lambda: there.after(MINUTE))
    plug.mend()
    await there.after(2 * MINUTE, step=20 * SECOND)
    return budi


def nothing_lost_or_doubled(there: Street, budi: Person) -> None:
    """Compare our books with the supplier's journal: the journal is the truth."""
    paid = [entry for entry in there.journal if entry["payment_status"] == "settlement"]
    assert len(paid) == 1
    [delivered] = [row for row in there.orders if row["status"] == "delivered"]
    assert delivered["target"] == paid[0]["target"]
    assert delivered["serial"] == paid[0]["sn"]
    assert budi.count("Top up masuk!") >= 1
    assert {m.view.copy for m in budi.messages if m.view.copy} == {paid[0]["sn"]}
    assert len(there.journal) <= len(there.orders)  # O2: never two for one
    for entry in there.journal:
        assert sum(row["target"] == entry["target"] for row in there.orders) >= 1
    assert there.broken() == []


async def count_places(folder: Path) -> Plug:
    plug = Plug()
    async with street(folder, seams_with(plug)) as there:
        nothing_lost_or_doubled(there, await buy(there, plug))
    return plug


@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
async def test_o1_o2_m2_nothing_is_lost_or_doubled_wherever_the_plug_is_pulled(
    tmp_path: Path, point: str, on_a_database: str
) -> None:
    places = (await count_places(tmp_path)).passed[point]
    assert places >= 4
    for hit in range(1, places + 1, EVERY[on_a_database]):
        folder = tmp_path / f"{hit}"
        folder.mkdir()
        plug = Plug(point=point, hit=hit)
        async with street(folder, seams_with(plug)) as there:
            nothing_lost_or_doubled(there, await buy(there, plug))
