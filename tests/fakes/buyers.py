"""Customers of the real program who buy all the time, whatever becomes of the shop meanwhile."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.fakes.telegram_person import Person
from tests.fakes.telegram_state import Message
from tests.fakes.world import World, confirms, reaches_the_confirmation

_PATIENCE = 8.0  # seconds for an answer; then they start over
_FOR_A_QR = 25.0


def accounts() -> Iterator[str]:
    """Account numbers, each for one order: the supplier's journal has no other link to ours."""
    return (str(number) for number in itertools.count(100_000_001))


@dataclass
class Buyer:
    """Buys again and again, each time for another account.

    Pays what they were shown: at once, or late, or once never. Sometimes the supplier then fails.
    """

    world: World
    person: Person
    accounts: Iterator[str]
    luck: random.Random
    leaves_one: bool = False
    late: list[str] = field(default_factory=list)  # accounts they will still pay for

    async def buys_until_stopped(self) -> None:
        while True:
            with suppress(AssertionError):  # not answered in time: /start again, as people do
                await self.buys()
            await asyncio.sleep(self.luck.uniform(0.2, 2.0))

    async def buys(self) -> None:
        """Order once, and pay if a QR comes. Raises ``AssertionError``: an answer did not come."""
        if await self.orders(account := next(self.accounts)):
            await self._pays_or_not(account)

    async def orders(self, account: str) -> bool:
        """Order for ``account``; whether the QR came. ``AssertionError``: nobody answered."""
        await reaches_the_confirmation(self.person, account, _PATIENCE)
        await confirms(self.person, _PATIENCE)
        telegram = self.person.telegram
        await telegram.until(lambda: self._outcome(account), _FOR_A_QR, f"a QR for {account}")
        came = self._outcome(account)
        return came is not None and came.photo is not None

    def _outcome(self, account: str) -> Message | None:
        """The QR, or the word that there will be none."""
        for it in self.person.chat.visible:
            is_qr = it.photo is not None and f"→ {account}" in it.text
            is_refusal = f"Akun: {account}\n" in it.text and "✖️" in it.text
            if is_qr or is_refusal:
                return it
        return None

    async def _pays_or_not(self, account: str) -> None:
        habit = self.luck.random()
        if habit < 0.1 and not self.leaves_one:
            self.leaves_one = True
            return
        if habit < 0.3:
            self.late.append(account)
            await asyncio.sleep(self.luck.uniform(1.0, 5.0))
            self.late.remove(account)
        await self.pays(account)

    async def pays(self, account: str) -> None:
        """Pay the QR of that account; the supplier delivers at once, in its own time, or not."""
        journal = await self.world.journal()
        paid = next(entry["id"] for entry in journal if entry["target"] == account)
        plan = self.luck.random()
        if plan < 0.1:
            await self.world.control("finish", ref=paid, status="Error")
        await self.world.control("pay", id=paid)
        if plan > 0.5:
            await self.world.control("finish", ref=paid, status="Success")


def buyers(world: World, size: int, seed: str) -> list[Buyer]:
    """``size`` people; what they do follows from ``seed``."""
    numbers = accounts()
    return [
        Buyer(
            world=world,
            person=world.person(7 + number, f"Budi {number}"),
            accounts=numbers,
            luck=random.Random(f"{seed}/{number}"),
        )
        for number in range(size)
    ]


@asynccontextmanager
async def buying(people: list[Buyer]) -> AsyncIterator[None]:
    """All of them buy while the block runs; what was to be paid late is paid at its end."""
    tasks = [asyncio.create_task(each.buys_until_stopped()) for each in people]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [it for it in ended if not isinstance(it, asyncio.CancelledError)]
    assert not broken, broken
    for each in people:
        for account in each.late:
            await each.pays(account)
