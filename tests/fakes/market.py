"""Three customers and the owner in one street, with a till beside it that nobody can talk to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from structlog.testing import capture_logs

from bot.bootstrap import Seams
from bot.conversation.views import View
from providers.simulators.zultopup_services import SERVICES
from shop.calls import PACE, Idle
from shop.payments import Refunds
from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.judge import CUSTOMERS, Judge
from tests.fakes.street import street
from tests.fakes.till import Line, Purchase, Till, rupiah_in

PLENTY = 1_000_000  # our balance at the supplier
# What a payer makes of the amount that is asked for.
PAYS: Mapping[str, Any] = {
    "right": lambda asked: asked,
    "too little": lambda asked: asked - 500,
    "too much": lambda asked: asked + 700,
    "the half": lambda asked: asked // 2,
    "double": lambda asked: 2 * asked,
}
ENTRIES = {"qris": "qris", "zultopup": "supplier:zultopup", "profit:zultopup": "profit:zultopup"}


def _cases_in(view: View | None) -> list[str]:
    """The buttons of cases."""
    return [] if view is None else [c.data for c in view.choices if c.data.startswith("c:")]


@dataclass
class Entered:
    """What the owner noted, and the button that takes it back."""

    button: str
    account: str
    amount: int
    at: int
    undone: bool = False


@dataclass
class Market(Judge):
    """Three customers and the owner in one street, with a till beside it."""

    pressed: dict[str, tuple[str, str]] = field(default_factory=dict)  # the last order, by name
    entry: Entered = field(init=False)  # the owner's last own one
    _accounts: int = 200_000_000

    @property
    def owner(self) -> Person:
        return self.people["owner"]

    # --- time ---

    async def passes(self, span: int, looks: int = 1) -> None:
        for _ in range(looks):
            self.there.clock.advance(max(span // looks, SECOND))
            await self.works()

    async def works(self) -> None:
        """Do what is due, and what waits for nothing but the pace of the questions."""
        supplier = self.there.shop.suppliers[0]
        for _ in range(200):
            call = await supplier.choose()
            if not isinstance(call, Idle):
                await supplier.make(call)
            elif call.until - self.there.clock() > PACE:
                break
            else:
                self.there.clock.advance(max(call.until - self.there.clock(), 0))
        await self.there.work()

    # --- customers ---

    async def press(self, person: Person, choice: str, input_id: str = "") -> View | None:
        """Press a button of the last message; say nothing if it is not there."""
        data = next((c.data for c in person.last.choices if choice in {c.id, c.data}), "")
        return await person.presses(data, input_id) if data else None

    async def orders(self, name: str, sku: str, method: str, times: int) -> Purchase | None:
        person = self.people[name]
        self._accounts += 1
        self.there.clock.advance(11 * SECOND)
        await person.says("/start free-fire")
        await self.press(person, f"zultopup/{sku}")
        await person.says(str(self._accounts))
        price = rupiah_in(person.last.text, "💰")
        self.credit_is_right(person)
        return await self.confirms(name, method, times, price, ("goods", sku))

    async def buys_credit(self, name: str, amount: int, method: str, times: int) -> Purchase | None:
        person = self.people[name]
        self.there.clock.advance(11 * SECOND)
        await person.says("/isi")
        self.credit_is_right(person)
        await person.says(str(amount))
        return await self.confirms(name, method, times, amount, ("credit", "credit"))

    async def withdraws(self, name: str, share: int) -> Purchase | None:
        person = self.people[name]
        self.there.clock.advance(11 * SECOND)
        amount = max(self.till.credit_of(person.address) * share // 4, 1)
        await person.says("/tarik")
        self.credit_is_right(person)
        await person.says(str(amount))
        before = self.look()
        await self.says_where(person)
        return await self._new(person, before, "wallet", amount, ("cash", "cash"))

    async def says_where(self, person: Person) -> None:
        """Say where money is to be sent, and that this is right."""
        await person.says(f"DANA 081234567890 atas nama {person.address}")
        await self.press(person, "@yes")

    async def confirms(
        self, name: str, method: str, times: int, price: int, what: tuple[str, str]
    ) -> Purchase | None:
        """Press a way to pay, perhaps several times: that is one order at the most."""
        person, before = self.people[name], self.look()
        data = next((c.data for c in person.last.choices if c.id == method), "")
        if not data:
            return None
        for nth in range(times):
            await person.presses(data, person.last_input if nth == 1 else "")
        self.pressed[name] = data, person.last_input
        return await self._new(person, before, method, price, what)

    async def _new(
        self, person: Person, before: set[str], method: str, price: int, what: tuple[str, str]
    ) -> Purchase | None:
        new = sorted(self.look() - before)
        assert len(new) <= 1, "two orders of one tap"
        if not new:
            return None
        row = self.known[new[0]]
        made = (row["address"], row["method"], row["price"])
        assert made == (person.address, method, price), f"O10: {row}"
        sold, sku = what
        it = Purchase(
            id=row["id"],
            address=person.address,
            method=method,
            sold=sold,
            sku=sku,
            target=str(row["target"]),
            price=price,
        )
        self.till.placed(it)
        await self.works()
        self.reads_qrs(person)
        return it

    async def acts(self, it: Purchase, action: str) -> View | None:
        person = next(p for p in self.people.values() if p.address == it.address)
        return await person.presses(f"o:{it.id}:{action}")

    async def pays(self, it: Purchase, how: str) -> None:
        """Pay a QR; that of dropship carries its amount, of the own one only the owner knows."""
        self.look()
        ref = next((ref for ref, order in self.deposits.items() if order == it.id), "")
        if it.method == "dropship":
            await self.there.control("pay", id=ref)
        elif it.method == "deposit":
            await self.there.control("pay", id=ref, amount=PAYS[how](it.asked))
        elif it.method == "qris" and how == "right":
            await self.acts(it, "paid")
            await self.the_owner_says(it, "paid")

    def qrs(self) -> list[Purchase]:
        return [it for it in self.till.purchases.values() if it.asked]

    async def a_quiet_day_passes(self) -> None:
        """Nothing fails any more, and at its end the owner compares the books."""
        await self.there.control("fault", kind="clear")
        self.remembers_what_is_closed()
        await self.passes(27 * HOUR, looks=9)
        await self.owner.says("/saldo")
        await self.works()

    async def finishes(self, it: Purchase, status: str) -> None:
        """The supplier says what became of the last order for this account."""
        sold = [row["id"] for row in self.there.journal if it.target and row["target"] == it.target]
        if sold:
            await self.there.control("finish", ref=sold[-1], status=status)
            await self.passes(6 * MINUTE, looks=2)

    async def reprices(self, sku: str, percent: int) -> None:
        """The listed price of today changes, and the shop reads the list."""
        today = next(service.harga for service in SERVICES if service.sid == sku)
        await self.there.control("price", code=sku, price=today * percent // 100)
        await self.passes(11 * MINUTE)

    # --- the owner ---

    async def decides(self, nth: int, answer: int, sure: str) -> None:
        """The owner opens a case, and gives one of the answers that it offers."""
        view = await self.owner.says("/kasus")
        cases = _cases_in(view)
        if cases:
            view = await self.owner.presses(cases[nth % len(cases)])
            answers = _cases_in(view)
            if answers:
                await self.answers(answers[answer % len(answers)], sure)

    async def answers(self, data: str, sure: str) -> None:
        """Press an answer, and perhaps say yes to that: in time, too late, or twice."""
        _, case, word = data.split(":")
        view = await self.owner.presses(data)
        yes = f"c:{case}:yes-{word}"
        if yes not in _cases_in(view) or sure == "no":
            return
        assert view is not None
        self.there.clock.advance(3 * MINUTE if sure == "too late" else SECOND)
        said = await self.owner.presses(yes)
        assert said is not None
        assert said.text.startswith("Tercatat") == (sure != "too late"), said
        it = self.till.purchases.get(case.rpartition("-")[0])
        if it is not None and sure != "too late":
            self.till.decided(it, word, rupiah_in(view.text))
        if sure == "twice":
            await self.owner.presses(yes)
        await self.works()

    async def the_owner_says(self, it: Purchase, word: str) -> None:
        """Answer the open case about an order, if that is one of its answers."""
        self.look()
        for case in self.cases:
            if case["order_id"] == it.id:
                await self.answers(f"c:{case['id']}:{word}", "yes")

    async def enters(self, account: str, amount: int) -> None:
        """Note what came into an account, or was taken out; of a wallet, not more than is there."""
        before = self._noted(account)
        covered = account not in self._addresses or self.till.credit_of(account) + amount >= 0
        await self.owner.says(f"/catat {account} {amount:+} coba")
        done = await self.press(self.owner, "yes")
        assert done is not None
        assert self._noted(account) == before + covered * amount, done
        if covered:
            button, at = done.choices[0].data, self.there.clock()
            self.entry = Entered(button=button, account=account, amount=amount, at=at)
            self._gives(account, amount)

    async def takes_back(self) -> None:
        """Take the last entry back: once, soon, and not what was spent."""
        last = self.entry
        before, soon = self._noted(last.account), self.there.clock() - last.at <= 10 * MINUTE
        spent = last.account in self._addresses and self.till.credit_of(last.account) < last.amount
        amount = last.amount if soon and not spent and not last.undone else 0
        await self.owner.presses(last.button)
        assert self._noted(last.account) == before - amount
        last.undone |= amount != 0
        self._gives(last.account, -amount)

    def _noted(self, account: str) -> int:
        """What stands in an account, as the owner reads it: a wallet's credit is a plus."""
        wallet = account in self._addresses
        return -self.there.balance(f"wallet:{account}") if wallet else self._own(account)

    def _own(self, account: str) -> int:
        return self.there.balance(ENTRIES[account])

    def _gives(self, account: str, amount: int) -> None:
        if account in self._addresses:
            self.till.given[account] += amount

    @property
    def _addresses(self) -> set[str]:
        return {person.address for person in self.people.values()}

    async def somebody_else_tries(self, name: str, nth: int, word: str) -> None:
        """What only the owner may do changes nothing when others do it."""
        person = self.people[name]
        before = self.there.rows("SELECT COUNT(*) AS n FROM entries")
        wanted = [f"c:{case['id']}:{yes}{word}" for case in self.cases for yes in ("", "yes-")]
        for data in (*wanted[nth % 3 * 2 :][:2], self.entry.button):
            await person.presses(data)
        for command in ("/kasus", "/buku", "/catat qris +5000 uangku"):
            await person.says(command)
        await self.press(person, "yes")
        assert self.there.rows("SELECT COUNT(*) AS n FROM entries") == before


@asynccontextmanager
async def market(folder: Path, on: str, refunds: Refunds) -> AsyncIterator[Market]:
    """Open a street with money in it; at the end the books must be in order."""
    till = Till(to_wallet=refunds is Refunds.WALLET)

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=Line(till), trust_env=False)

    with capture_logs() as logs:
        async with street(folder, Seams(client=client), on=on, refunds=refunds) as there:
            here = Market(there=there, till=till, logs=logs)
            brought = PLENTY - there.simulator._books.balance
            await there.control("balance", balance=PLENTY)
            for name in CUSTOMERS:
                it = await here.buys_credit(name, 50_000, "deposit", 1)
                assert it is not None
                await here.pays(it, "right")
            await here.passes(6 * SECOND)
            here.judge()
            await here.enters("zultopup", brought)
            yield here
