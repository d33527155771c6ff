"""The plug is pulled at every place of prepaid purchases, once each; the shop opens again on its file.

Each path is one of money: in by a deposit, by the owner's own QRIS or from the wallet; on to goods,
back into the wallet, or out by the owner's hand. The supplier's journal is the truth.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import Seams
from shop.time import SECOND
from storage.opening import open_database
from tests.fakes.chat import Person
from tests.fakes.plug import POINTS, Plug, Pulled
from tests.fakes.street import Street, street

ACCOUNTS = ("123456789", "223456789", "323456789")
WALLET = "wallet:web:budi"
MOST_PLACES = 60
_HELD = {"paid", "submitting", "processing", "unsure", "partly_delivered", "refund_due"}
_ENDED = {"delivered", "refunded", "expired", "cancelled"}
_SAID_ONCE = ("delivered", "refunded", "refund_due", "paid_wrong")

Step = Callable[[str], Awaitable[Any]]


@dataclass
class Story:
    """One telling of a path, with a plug that may be pulled once on the way."""

    there: Street
    plug: Plug
    steps: int = 0
    answers: Mapping[bool, str] = field(  # of the owner, by what the supplier really has
        default_factory=lambda: {True: "Barang sudah sampai", False: "Tetap proses"}
    )

    def __post_init__(self) -> None:
        self.budi: Person = self.there.person()
        self.owner: Person = self.there.owner

    async def step(self, do: Step) -> None:
        """Do one step; if the plug is pulled, open again and do it once more, as it was told."""
        self.steps += 1
        told = f"step-{self.steps}"
        with suppress(Pulled):
            await do(told)
        if self.plug.out:
            self.plug.mend()
            await self.there.restart()
            await do(told)

    async def says(self, who: Person, text: str) -> None:
        await self.step(lambda told: who.says(text, told))

    async def taps(self, who: Person, label: str) -> None:
        await self.step(lambda told: who.taps(label, input_id=told))

    async def works(self) -> None:
        await self.step(lambda _: self.there.work())

    async def after(self, span: int) -> None:
        await self.step(lambda _: self.there.after(span))

    async def orders(self, method: str, account: str = ACCOUNTS[0]) -> None:
        """Order goods, to be paid in this way."""
        await self.says(self.budi, "/start")
        await self.taps(self.budi, "Free Fire")
        await self.taps(self.budi, "70 Diamond")
        await self.says(self.budi, account)
        await self.taps(self.budi, method)
        await self.works()

    async def tops_up(self, _account: str = "") -> None:
        await self.says(self.budi, "/isi")
        await self.says(self.budi, "50.000")
        await self.taps(self.budi, "Bayar")
        await self.works()

    async def has_a_qr(self, order: Callable[[str], Awaitable[None]]) -> str:
        """Order until there is a QR: one that nobody saw cannot be paid. Return what it belongs to."""
        for account in ACCOUNTS:
            await order(account)
            waiting = self._orders("awaiting_payment")
            if waiting:
                return str(waiting[0]["id"])
            self.there.clock.advance(11 * SECOND)
        raise AssertionError("no QR came")

    async def pays_the_deposit(self, order_id: str) -> None:
        [invoice] = self.there.rows(
            f"SELECT supplier_ref FROM invoices WHERE order_id = '{order_id}'"
        )
        await self.there.control("pay", id=invoice["supplier_ref"])

    async def comes_to_its_end(self) -> None:
        """Let time pass; the owner decides what only a person can."""
        for _ in range(20):
            if not [row for row in self.there.orders if row["status"] not in _ENDED]:
                break
            if self._orders("unsure"):
                await self.decides(self.answers[bool(self.there.journal)])
            await self.after(5 * SECOND)

    async def decides(self, answer: str) -> None:
        await self.taps(self.owner, answer)
        await self.taps(self.owner, "Ya, benar")

    def _orders(self, status: str) -> list[dict[str, Any]]:
        return [row for row in self.there.orders if row["status"] == status]


Path_ = Callable[[Story], Awaitable[None]]


async def by_deposit(it: Story) -> None:
    it.plug.arm()
    order = await it.has_a_qr(lambda account: it.orders("QRIS deposit", account))
    await it.pays_the_deposit(order)
    await it.comes_to_its_end()


async def goods_come(it: Story) -> None:
    [order] = it._orders("delivered")
    [sold] = it.there.journal
    assert (sold["target"], sold["mode"]) == (order["target"], "saldo")
    assert it.there.balance("sales") == -order["price"]


async def told(it: Story) -> None: ...


@pytest.mark.parametrize("point", POINTS)
async def test_x(tmp_path: Path, point: str) -> None:
    import time
    t = time.process_time()
    hit = 0
    while True:
        hit += 1
        (tmp_path / f"{hit}").mkdir()
        plug = Plug(point=point, hit=hit)
        seams = Seams(client=plug.client, database=plug.database(open_database), sender=plug.sender)
        async with street(tmp_path / f"{hit}", seams) as there:
            it = Story(there=there, plug=plug)
            await by_deposit(it)
            plug.mend()
            await there.after(30 * SECOND)
            await goods_come(it)
            assert there.broken() == []
        if not plug.was_pulled:
            break
    print(point, hit, time.process_time() - t)
