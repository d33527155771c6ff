"""Customers of the real program who buy all the time, whatever becomes of the shop meanwhile."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from providers.simulators.zultopup_orders import ERROR, PENDING, SUCCESS
from tests.fakes.telegram_person import Person
from tests.fakes.telegram_state import Message
from tests.fakes.world import World, confirms, gets, reaches_the_confirmation

_FOR_A_QR = 25.0


def accounts() -> Iterator[str]:
    """Account numbers, each for one order: the supplier's journal has no other link to ours."""
    return (str(number) for number in itertools.count(100_000_001))


BY_DROPSHIP, BY_DEPOSIT, BY_WALLET = "Bayar", "QRIS deposit", "Pakai saldo"
"""The buttons that people press to pay, where a shop takes all of these."""

_CREDIT = 50_000
_QR_OF = "SELECT i.supplier_ref FROM orders o JOIN invoices i ON i.order_id = o.id WHERE"


@dataclass
class Buyer:
    """Buys again and again, each time for another account.

    Pays what they were shown: at once, or late, or once never; or from their wallet, into which
    they pay when it holds too little. Sometimes the supplier then fails.
    """

    world: World
    person: Person
    accounts: Iterator[str]
    luck: random.Random
    method: str = BY_DROPSHIP
    leaves_one: bool = False
    patience: float = 8.0  # seconds for an answer; then they start over
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
        """Order for ``account``; whether it was taken: paid from the wallet, or a QR is there.

        Raises:
            AssertionError: Nobody answered.
        """
        await reaches_the_confirmation(self.person, account, self.patience)
        if self.method == BY_WALLET and not self._can_tap(BY_WALLET):
            if not await self.tops_up():
                return False
            await reaches_the_confirmation(self.person, account, self.patience)
        await confirms(self.person, self.patience, self.method)
        came = await self._sees(lambda: self._outcome(account), f"an answer about {account}")
        return "✖️" not in came.text

    async def tops_up(self) -> bool:
        """Pay into the wallet; whether it came there. ``AssertionError``: nobody answered."""
        await gets(self.person, self.person.says, "/isi", "Mau isi berapa?", self.patience)
        await gets(self.person, self.person.says, f"{_CREDIT}", "bisa dipakai", self.patience)
        last = self.person.chat.messages[-1]
        await confirms(self.person, self.patience)
        came = await self._sees(lambda: self._credit_outcome(last), "a QR for credit")
        if came.photo is None:
            return False
        await self._pays_a_deposit(
            f"o.address = 'telegram:{self.person.chat.id}' AND o.sku = 'credit'"
        )
        await self.person.sees("sudah masuk", _FOR_A_QR, after=last)
        return True

    def _can_tap(self, label: str) -> bool:
        shown = self.person.chat.visible[-1]
        return any(label in text for text, _ in shown.callbacks)

    async def _sees(self, find: Callable[[], Message | None], what: str) -> Message:
        await self.person.telegram.until(lambda: find() is not None, _FOR_A_QR, what)
        found = find()
        assert found is not None
        return found

    def _outcome(self, account: str) -> Message | None:
        """The QR, the word that it is paid, or that there will be none."""
        for it in self.person.chat.visible:
            is_qr = it.photo is not None and f"→ {account}" in it.text
            about = f"Akun: {account}\n" in it.text
            if is_qr or (about and ("✖️" in it.text or self._is_paid_for(it))):
                return it
        return None

    def _is_paid_for(self, it: Message) -> bool:
        return self.method == BY_WALLET and "✅ Dibayar" in it.text

    def _credit_outcome(self, last: Message) -> Message | None:
        for it in self.person.chat.visible:
            about = it.message_id > last.message_id and "Saldo Rp50.000" in it.text
            if about and (it.photo is not None or "✖️" in it.text):
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
        """Pay for that account; the supplier delivers at once, in its own time, or not."""
        plan = self.luck.random()
        if self.method == BY_DROPSHIP:
            await self._pays_the_supplier(account, plan)
            return
        if self.method == BY_DEPOSIT:
            await self._pays_a_deposit(f"o.target = '{account}'")
        if plan < 0.1:
            await self._has_it_fail(account)

    async def _pays_the_supplier(self, account: str, plan: float) -> None:
        paid = await self._entry(account)
        assert paid is not None
        if plan < 0.1:
            await self.world.control("finish", ref=paid["id"], status=ERROR)
        await self.world.control("pay", id=paid["id"])
        if plan > 0.5:
            await self.world.control("finish", ref=paid["id"], status=SUCCESS)

    async def _pays_a_deposit(self, whose: str) -> None:
        """Scan the newest QR that they were shown. Which one it is, our books say as well."""
        shown = self.world.rows(f"{_QR_OF} {whose} ORDER BY o.created_at DESC LIMIT 1")
        await self.world.control("pay", id=shown[0]["supplier_ref"])

    async def _has_it_fail(self, account: str) -> None:
        """Have the supplier fail, if it is asked within a second or two, and has not delivered."""
        for _ in range(10):
            await asyncio.sleep(0.2)
            asked = await self._entry(account)
            if asked is None:
                continue
            if asked["status"] == PENDING:
                await self.world.control("finish", ref=asked["id"], status=ERROR)
            return

    async def _entry(self, account: str) -> dict[str, Any] | None:
        journal = await self.world.journal()
        return next((entry for entry in journal if entry["target"] == account), None)


def buyers(
    world: World, size: int, seed: str, methods: Sequence[str] = (BY_DROPSHIP,)
) -> list[Buyer]:
    """``size`` people, who pay by each of ``methods`` in turn; ``seed`` says what else they do."""
    numbers = accounts()
    return [
        Buyer(
            world=world,
            person=world.person(7 + number, f"Budi {number}"),
            accounts=numbers,
            luck=random.Random(f"{seed}/{number}"),
            method=methods[number % len(methods)],
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
