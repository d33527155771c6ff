"""People in a street who do anything at all, and who can always be helped to what they want."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from structlog.testing import capture_logs

from bot.bootstrap import Seams, all_texts
from bot.conversation.views import Incoming, Shared, StepId, View, What, read_button, read_text
from providers.simulators.faults import WIRE_FAULTS
from shop.calls import PACE, Idle
from shop.payments import PaymentMethod
from shop.time import HOUR, MINUTE, SECOND
from tests.fakes import witness as rules
from tests.fakes.chat import Person
from tests.fakes.street import Street, street
from tests.fakes.witness import Doing, Heard, Line, Moment, Witness

CHOICES_AT_ONCE = {"budi": 12, "siti": 3, "owner": 10}  # as in a browser, on WhatsApp, on Telegram
CUSTOMERS = ("budi", "siti")
MOVING = ("<", "+", "-")
# Money that comes first is told at random by ``tests/journeys/test_money_at_random.py``.
DROPSHIP_ALONE = (PaymentMethod.DROPSHIP, PaymentMethod.WALLET)
GAMES = (
    ("free fire", "123456789"),
    ("ml", "12345678 2001"),
    ("valorant", "Budi#ID1"),
    ("genshin", "812345678"),
)
ENDINGS = ("unpaid", "paid", "late", "Success", "Error", "Pending")
FAULTS = (*sorted(WIRE_FAULTS), "loss", "qr_text", "qr_broken", "unpaid_unsaid")
MOST_TRIES = 60  # doings until somebody who wants to buy has a QR

# How an account of each form is written by somebody who reads the question.
ACCOUNTS: Mapping[str, str] = {
    "mobile-legends": "{n} 2001",
    "valorant": "Budi{n}#ID1",
    "genshin-impact": "8{n}",
    "honkai-star-rail": "8{n}",
    "honor-of-kings": "555{n}",
}


class Complaints(logging.Handler):
    """What libraries log as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class Crowd:
    """Two customers and the owner in one street, watched."""

    there: Street
    witness: Witness
    logs: list[Any]
    complaints: Complaints
    unreachable: bool = False  # somebody's chat was closed at some time
    people: dict[str, Person] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Incoming] = field(default_factory=dict)
    asked: dict[str, View] = field(default_factory=dict)  # the last question in each chat
    _numbers: Any = field(default_factory=lambda: itertools.count(10_000_001))

    def __post_init__(self) -> None:
        for name, limit in CHOICES_AT_ONCE.items():
            self.people[name] = self.there.person(name, limit)
        self.services.update(self.there.simulator._books.services)

    # --- one thing done ---

    async def does(self, name: str, incoming: Incoming, input_id: str = "") -> View | None:
        """Do one thing, and hold what happened against all that must hold of it."""
        person, before = self.people[name], self.witness.look()
        view = await person._do(incoming, input_id)
        self.last[name] = incoming
        doing = Doing(
            address=person.address,
            incoming=incoming,
            input_id=person.last_input,
            before=before,
            after=self.witness.look(),
            view=view,
            now=self.there.clock(),
        )
        rules.it_is_answered(doing)
        rules.there_is_a_way_back(doing)
        rules.it_touches_what_is_theirs(doing)
        rules.what_is_repeated_changes_nothing(doing)
        rules.an_old_button_does_nothing(doing)
        rules.an_order_is_what_was_confirmed(doing, self.witness.confirmed.get(person.address))
        if view is not None:
            self._remember(person.address, view)
        else:
            await self._hears_of_it(person.address)
        return view

    def _remember(self, address: str, view: View) -> None:
        self.witness.hear(address, view)
        ids = [choice.id for choice in view.choices]
        if any(choice.data.startswith("s:") for choice in view.choices):
            self.asked[address] = view
        if PaymentMethod.DROPSHIP in ids:
            self.witness.confirmed[address] = view

    async def _hears_of_it(self, address: str) -> None:
        """An order that was placed speaks for itself, at once."""
        before = len(self.messages_to(address))
        await self.there.work()
        heard = len(self.messages_to(address)) > before
        assert self.unreachable or heard, f"{address} has ordered and hears nothing"

    def messages_to(self, address: str) -> list[Heard]:
        both = (*self.witness.heard, *self.witness.news)
        return [heard for heard in both if heard.address == address]

    async def says(self, name: str, text: str) -> View | None:
        return await self.does(name, read_text(text))

    async def presses(self, name: str, data: str, input_id: str = "") -> View | None:
        return await self.does(name, read_button(data), input_id)

    async def at_once(self, name: str, data: str, inputs: list[str], *, working: bool) -> None:
        """The same button from several devices at the same time, while the shop works."""
        person, before = self.people[name], self.witness.look()
        doings = [person.presses(data, input_id) for input_id in inputs]
        work = [self.there.work()] if working else []
        views = await asyncio.gather(*doings, *work)
        for view in views[: len(doings)]:
            if view is not None:
                self._remember(person.address, view)
        new = self.witness.look().orders.keys() - before.orders.keys()
        assert len(new) <= 1, "O2: two orders of one tap"

    def step(self, name: str) -> str:
        row = self.witness.look().sessions.get(self.people[name].address)
        return "" if row is None else str(row["step"])

    def button(self, name: str, nth: int, which: str = "") -> str:
        """The ``nth`` newest button ever shown to somebody, of those that begin or end so."""
        every = self.witness.buttons.get(self.people[name].address, [])
        shown = [data for data in every if data.startswith(which) or data.endswith(which)] or every
        return shown[-1 - nth % len(shown)] if shown else ""

    async def answers(self, name: str, nth: int, account: str) -> View | None:
        """Answer the present question as somebody would who wants to get on."""
        asked = self.asked.get(self.people[name].address)
        onward = [c for c in asked.choices if c.id not in MOVING] if asked else []
        buys = [choice for choice in onward if choice.id == PaymentMethod.DROPSHIP]
        wanted = buys if buys and nth % 4 else onward
        if self.step(name) in {"", StepId.ACCOUNT} or not wanted:
            return await self.says(name, account if self.step(name) else "menu")
        return await self.presses(name, wanted[nth % len(wanted)].data)

    async def walks_to_confirmation(self, name: str, nth: int, aside: What | None = None) -> None:
        """Choose something of the ``nth`` game, if it is sold; show something else in between."""
        game, account = GAMES[nth % len(GAMES)]
        await self.passes(11 * SECOND, looks=1)
        await self.says(name, "/start")
        await self.says(name, game)
        await self.answers(name, nth, "")
        if aside is not None:
            await self.does(name, Shared(aside))
        await self.says(name, account)
        if aside is not None:
            await self.does(name, Shared(aside))

    async def orders(self, name: str, nth: int) -> str:
        """Order something of the ``nth`` game; return the order, if there is a QR for it."""
        before = len(self.messages_to(self.people[name].address))
        await self.walks_to_confirmation(name, nth)
        await self.answers(name, 1, "")
        await self.there.work()
        return self._qr_since(name, before)

    async def orders_and(self, name: str, nth: int, ending: str) -> None:
        """Order something, and let it end like this; ``unpaid``: with the QR."""
        order = await self.orders(name, nth)
        if not order or ending == "unpaid":
            return
        ref = self.witness.look().invoices[order]["supplier_ref"]
        if ending == "late":
            await self.control("expire", id=ref)
            await self.passes(4 * MINUTE, looks=4)
        elif ending != "paid":
            await self.control("finish", ref=ref, status=ending)
        await self.control("pay", id=ref)
        await self.passes(10 * SECOND, looks=2)

    async def decides(self, nth: int, answer: int, *, sure: bool) -> None:
        """The owner opens a case, answers it, and perhaps says yes to that."""
        view = await self.says("owner", "/kasus")
        for number in (nth, answer, 0)[: 2 + sure]:
            if view is None or not view.choices:
                break
            view = await self.presses("owner", view.choices[number % len(view.choices)].data)
        await self._owner_hears_all()

    async def _owner_hears_all(self) -> None:
        """Whoever writes can be written to: what waited for the owner comes at once."""
        address, chat = self.people["owner"].address, self.there.chat
        if address not in chat.blocked and not chat.failing:
            await self.there.work()
            owed = "SELECT message FROM outbox WHERE due_at IS NOT NULL AND address"
            waiting = self.there.rows(f"{owed} = '{address}'")
            assert not waiting, f"the owner writes, and is not told: {waiting}"

    # --- what somebody can always do ---

    async def buys(self, name: str) -> str:
        """Get a QR from wherever this person stands, by what is offered only; return its order."""
        view = await self.says(name, "?")  # brings the present question back
        for _ in range(MOST_TRIES):
            before = len(self.messages_to(self.people[name].address))
            view = await self._gets_on(name, view)
            await self.there.work()
            if order := self._qr_since(name, before):
                return order
            if view is None:  # no QR could be had; later, with fresh prices
                await self.passes(20 * MINUTE)
                view = await self.says(name, "menu")
        raise AssertionError(f"{name} never gets a QR; last: {view}")

    async def _gets_on(self, name: str, view: View | None) -> View | None:
        step = self.step(name)
        choices = view.choices if view is not None else ()
        onward = [choice for choice in choices if choice.id[:1] not in {"@", *MOVING}]
        if step == StepId.PAYOUT:  # about money that comes back, and no way to a QR
            return await self.says(name, "menu")
        if step == StepId.ACCOUNT or not onward:
            return await self.says(name, self._account(name))
        if step != StepId.CONFIRM:
            return await self.presses(name, onward[0].data)
        view = await self.presses(name, onward[0].data)
        if view is None or all(choice.id != "account" for choice in view.choices):
            return view
        if "→" in view.text.splitlines()[0]:
            return view  # at another price: pressed once more
        await self.passes(20 * MINUTE)  # not now, it says
        return await self.presses(name, view.choices[1].data)

    def _account(self, name: str) -> str:
        row = self.witness.look().sessions[self.people[name].address]
        game = next((slug for slug in ACCOUNTS if f'"{slug}"' in row["draft"]), "")
        return ACCOUNTS.get(game, "5{n}").format(n=next(self._numbers))

    def _qr_since(self, name: str, before: int) -> str:
        """The order whose QR was shown to this person since then."""
        for heard in self.messages_to(self.people[name].address)[before:]:
            data = [choice.data for choice in heard.view.choices]
            if heard.view.image and any(each.endswith(":paid") for each in data):
                return data[0].split(":")[1]
        return ""

    async def goes_back(self, name: str) -> None:
        """Get to the first question by "back" alone."""
        view = await self.says(name, "?")
        for _ in StepId:
            if self.step(name) == StepId.GAME:
                return
            assert view is not None
            back = [choice for choice in view.choices if choice.id == "<"]
            assert back, f"no way back from {view}"
            view = await self.presses(name, back[0].data)
        assert self.step(name) == StepId.GAME, f"{name} goes back for ever"

    async def gives_up(self, name: str, word: str) -> None:
        """Stop it all: no question is open, and no QR that could be cancelled."""
        view = await self.says(name, word)
        assert self.step(name) == "", f"{name} cannot stop it"
        assert view is not None
        for choice in view.choices:
            await self.presses(name, choice.data)
        await self.there.work()

    async def gets_what_is_bought(self, name: str, order: str) -> None:
        """Pay a QR and read the serial number."""
        ref = self.witness.look().invoices[order]["supplier_ref"]
        await self.control("finish", ref=ref, status="Success")  # whatever was planned for it
        await self.control("pay", id=ref)
        await self.passes(2 * MINUTE)
        (truth,) = [row for row in self.there.journal if row["id"] == ref]
        copies = [heard.view.copy for heard in self.messages_to(self.people[name].address)]
        assert truth["sn"] in copies, f"{name} has paid {order} and hears nothing"

    async def everybody_gets_through(self) -> None:
        """After all this: everybody can buy, go back and give up; no payment is lost."""
        await self.all_is_well_again()
        await self.says("owner", "/kasus")  # whoever writes can be written to
        for name in CUSTOMERS:
            order = await self.buys(name)
            if name == CUSTOMERS[0]:
                await self.gets_what_is_bought(name, order)
            await self.says(name, "/start")
            await self.answers(name, 1, "")
            await self.goes_back(name)
            await self.gives_up(name, "/batal")
            mine = self.witness.look().of(self.people[name].address)
            still = [row for row in mine if row["status"] in {"placed", "awaiting_payment"}]
            assert not still, f"{name} cannot cancel {still}"
            self.judge()
        await self.passes(27 * HOUR, looks=9)
        self.witness.no_payment_is_lost()
        self.judge()

    # --- the world ---

    async def control(self, action: str, **body: Any) -> None:
        self.witness.ask_the_supplier()
        await self.there.control(action, **body)
        self.witness.ask_the_supplier()

    async def fails(self, kind: str, path: str, count: int = 1) -> None:
        """Let the supplier fail the next calls of this path, or in its own odd way."""
        more = {"path": path} if kind in WIRE_FAULTS else {}
        await self.control("fault", kind=kind, count=count, seconds=0, **more)

    def reprices(self, sid: str, price: int) -> None:
        if sid in self.there.simulator._books.services:
            self.there.simulator._books.reprice(sid, price)

    async def passes(self, span: int, looks: int = 8) -> None:
        """Let time pass, and the shop look around so often, each time at all that is due."""
        for _ in range(looks):
            self.there.clock.advance(max(span // looks, SECOND))
            await self._catches_up()

    async def _catches_up(self) -> None:
        """Work off what waits for nothing but the pace of the questions to the supplier."""
        supplier = self.there.shop.suppliers[0]
        for _ in range(2 * len(self.witness.orders) + 5):
            await self.there.work()
            call = await supplier.choose()
            if not isinstance(call, Idle):
                await supplier.make(call)
            elif (pause := call.until - self.there.clock()) <= PACE:
                self.there.clock.advance(max(pause, 0))
            else:
                break
        await self.there.work()

    async def all_is_well_again(self) -> None:
        await self.there.control("fault", kind="clear")
        self.there.simulator._books.services.update(self.services)
        self.there.chat.blocked.clear()
        self.there.chat.failing = 0
        await self.passes(25 * MINUTE, looks=6)
        self.unreachable = False

    def qrs(self) -> list[str]:
        """What can be paid: the supplier's numbers of the QRs that were shown, in order."""
        moment: Moment = self.witness.look()
        shown = {
            choice.data.split(":")[1]
            for heard in (*self.witness.heard, *self.witness.news)
            for choice in heard.view.choices
            if (heard.view.image or heard.view.link) and choice.data.endswith(":paid")
        }
        refs = [row["supplier_ref"] for name, row in moment.invoices.items() if name in shown]
        return sorted(refs, key=int)

    def judge(self) -> None:
        """Nothing raised where nobody saw it, and everything holds that must."""
        raised = [line for line in self.logs if line["log_level"] in {"error", "critical"}]
        assert not raised, f"raised where nobody saw it: {raised}"
        assert not self.complaints.lines, self.complaints.lines
        self.witness.judge()


@asynccontextmanager
async def crowd(folder: Path, on: str) -> AsyncIterator[Crowd]:
    """Open a street on the kind of database ``on``, with people in it."""
    witness, complaints = Witness(), Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        with capture_logs() as logs:
            seams = Seams(
                client=lambda: httpx.AsyncClient(transport=Line(witness), trust_env=False),
                sender=witness.sender,
            )
            async with street(folder, seams, on=on, payments=DROPSHIP_ALONE) as there:
                witness.there, witness.texts = there, all_texts(there.settings)
                yield Crowd(there=there, witness=witness, logs=logs, complaints=complaints)
    finally:
        logging.getLogger().removeHandler(complaints)
