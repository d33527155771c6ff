"""Money at random: whatever people, the supplier and the owner do, all of it is where it must be.

Customers order, pay (right, wrong, late, twice), claim, top up and withdraw; the supplier delivers,
fails, falls silent and changes its prices; the owner decides cases. After every step each person's
wallet, every order and every message is compared with what ``tests.fakes.till`` knows from what
others said; at the end of each story, after a quiet day, nothing is left that nobody looks after.

``LAPAK_SEED=<number>`` tells the same stories again; a failure names it. ``LAPAK_AT_LENGTH=1``
tells many long ones, and looks for the shortest that fails.
"""

import asyncio
import os
import random
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.bootstrap import all_texts
from bot.settings import demo_settings
from shop.calls import Submit
from shop.payments import Refunds
from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.judge import CUSTOMERS, SAID
from tests.fakes.market import ENTRIES, PAYS, PLENTY, Market, market
from tests.fakes.till import Purchase
from tests.fakes.world import AT_LENGTH

# kind: (stories, steps of each)
STORIES = {"sqlite": (6, 40), "postgres": (3, 30)}
LONG_STORIES = {"sqlite": (500, 60), "postgres": (100, 60)}

SKUS = ("1", "3", "4", "5")
METHODS = ("dropship", "deposit", "qris", "wallet")
FAULTS = ("timeout", "500", "html", "truncated", "429", "unique_code", "no money")
PATHS = ("order/create", "order/create", "order/status", "payment/", "")
STATUSES = ("Success", "Error", "Gagal", "Pending")
SPANS = (5 * SECOND, MINUTE, 16 * MINUTE, HOUR, 7 * HOUR, 25 * HOUR)
# What may become of an order, one thing after the other.
ENDINGS: Mapping[str, Sequence[str]] = {
    "unpaid": (),
    "paid": ("right",),
    "delivered": ("right", "time"),
    "late": ("time", "right"),
    "twice": ("right", "company", "right", "company"),
    "wrong": ("too much",),
    "wrong, and accepted": ("too much", "proceed"),
    "wrong, accepted, and failed": ("double", "no money", "proceed", "refunded"),
    "wrong, and refunded": ("too little", "refunded"),
    "dearer": ("dearer", "right"),
    "fails": ("right", "Error", "refunded"),
    "stays": ("right", "Pending"),
    "fails, and comes": ("right", "Error", "Success"),
    "comes, and fails": ("right", "Success", "Gagal"),
    **{fault: (fault, "right") for fault in FAULTS},
}
ADDRESSES = tuple(f"web:{name}" for name in CUSTOMERS)

customers = st.sampled_from(CUSTOMERS)
methods = st.sampled_from(METHODS)
numbers = st.integers(0, 30)
times = st.sampled_from((1, 1, 2, 3))
spans = st.sampled_from(SPANS)
looks = st.sampled_from((1, 4))
endings = st.sampled_from(tuple(ENDINGS))
an_order = st.tuples(customers, st.sampled_from(SKUS), methods, times, endings)
a_decision = st.tuples(
    numbers, numbers, st.sampled_from(("yes", "yes", "yes", "twice", "no", "too late"))
)


class Money(RuleBasedStateMachine):
    """One story. The rules are what people and the world may do next."""

    kind: ClassVar[str]
    market: Market

    def __init__(self) -> None:
        super().__init__()
        self._failed = False
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory(prefix="lapak-")
        self._stack = AsyncExitStack()

    def _then(self, doing: Coroutine[Any, Any, object]) -> None:
        async def judged() -> None:
            self.market.remembers_what_is_closed()
            await doing
            self._judged()

        self._run(judged())

    def _judged(self) -> None:
        self.market.judge()
        self.market.remembers_what_is_closed()

    def _run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self._runner.run(doing)
        except BaseException:
            self._failed = True
            raise

    def teardown(self) -> None:
        try:
            if not self._failed:
                self._run(self._ends_well())
        finally:
            self._close()

    async def _ends_well(self) -> None:
        await self.market.a_quiet_day_passes()
        self.market.nobody_is_forgotten()

    def _close(self) -> None:
        # Closing asks for the books to be in order, which they need not be after a failure.
        error = AssertionError("closed") if self._failed else None
        kind = None if error is None else type(error)
        self._runner.run(self._stack.__aexit__(kind, error, None))
        self._runner.close()
        self._folder.cleanup()

    @initialize(refunds=st.sampled_from((Refunds.WALLET, Refunds.WALLET, Refunds.MANUAL)))
    def opens(self, refunds: Refunds) -> None:
        opening = market(Path(self._folder.name), self.kind, refunds)
        self.market = self._run(self._stack.enter_async_context(opening))

    # --- customers ---

    @rule(orders=st.lists(an_order, min_size=1, max_size=4))
    def orders(self, orders: list[tuple[str, str, str, int, str]]) -> None:
        async def doing() -> None:
            for order in orders:
                await self._orders(*order)

        self._then(doing())

    @rule(order=an_order, span=spans, looks=looks)
    def orders_and_waits(
        self, order: tuple[str, str, str, int, str], span: int, looks: int
    ) -> None:
        async def doing() -> None:
            await self._orders(*order)
            await self.market.passes(span, looks)

        self._then(doing())

    async def _orders(self, name: str, sku: str, method: str, times: int, ending: str) -> None:
        if method == "wallet":  # it is ordered at once
            await self._fault(ENDINGS[ending][0] if ENDINGS[ending] else "")
        it = await self.market.orders(name, sku, method, times)
        self._judged()
        if it is not None:
            for what in ENDINGS[ending]:
                await self._happens(it, what)
                self._judged()
        await self.market.there.control("fault", kind="clear")

    async def _happens(self, it: Purchase, what: str) -> None:
        here = self.market
        if what in PAYS:
            await here.pays(it, what)
            await here.passes(6 * SECOND)
        elif what in STATUSES:
            await here.finishes(it, what)
        elif what in FAULTS:
            await self._fault(what)
        elif what == "time":
            await here.passes(20 * MINUTE, looks=4)
        elif what == "company":  # then all deposits are asked about in one
            for name in CUSTOMERS[:2]:
                await here.orders(name, "3", "deposit", 1)
            await here.passes(12 * SECOND, looks=2)
        elif what == "dearer":
            await here.reprices(it.sku, 200)
        else:
            await here.the_owner_says(it, what)

    async def _fault(self, kind: str, path: str = "order/create", count: int = 1) -> None:
        if kind == "no money":
            await self.market.there.control("balance", balance=0)
        elif kind in FAULTS:
            path = "payment/deposit" if kind == "unique_code" else path
            wish = {"kind": kind, "count": count, "path": path, "seconds": 0}
            await self.market.there.control("fault", **wish)

    @rule(name=customers, amount=st.sampled_from((10_000, 20_000, 50_000)),
          method=st.sampled_from(("deposit", "deposit", "qris")), times=times,
          how=st.sampled_from(("", "right", "right", *PAYS)))  # fmt: skip
    def tops_up(self, name: str, amount: int, method: str, times: int, how: str) -> None:
        here = self.market

        async def doing() -> None:
            it = await here.buys_credit(name, amount, method, times)
            if it is not None and how:
                await here.pays(it, how)
                await here.passes(6 * SECOND)

        self._then(doing())

    @rule(name=customers, share=st.integers(1, 5))
    def withdraws(self, name: str, share: int) -> None:
        self._then(self.market.withdraws(name, share))

    @precondition(lambda self: self.market.qrs())
    @rule(nth=numbers, how=st.sampled_from(("right", "right", *PAYS)), looks=st.integers(0, 1))
    def pays(self, nth: int, how: str, looks: int) -> None:
        """Any QR that was ever shown: in time or late, for the first time or once more."""
        qrs = self.market.qrs()

        async def doing() -> None:
            await self.market.pays(qrs[-1 - nth % len(qrs)], how)
            await self.market.passes(6 * SECOND, looks=looks)

        self._then(doing())

    @precondition(lambda self: self.market.qrs())
    @rule(nth=numbers, action=st.sampled_from(("paid", "paid", "cancel", "show", "payout")))
    def presses(self, nth: int, action: str) -> None:
        qrs, here = self.market.qrs(), self.market

        async def doing() -> None:
            it = qrs[-1 - nth % len(qrs)]
            await here.acts(it, action)
            if action == "payout":
                await here.says_where(here.people[it.address.removeprefix("web:")])
            await here.works()

        self._then(doing())

    @rule(name=customers, question=st.sampled_from(("/saldo", "/riwayat", "/status {order}")),
          nth=numbers)  # fmt: skip
    def asks(self, name: str, question: str, nth: int) -> None:
        """About what they have; the number of the order need not be theirs."""
        here = self.market
        known = list(here.till.purchases) or ["2345678923"]

        async def doing() -> None:
            await here.people[name].says(question.format(order=known[nth % len(known)]))
            here.credit_is_right(here.people[name])

        self._then(doing())

    @rule(name=customers, same=st.booleans())
    def repeats(self, name: str, same: bool) -> None:
        """Press the button that placed the last order again: it places no other."""
        here = self.market

        async def doing() -> None:
            data, input_id = here.pressed.get(name, ("", ""))
            if data:
                await here.people[name].presses(data, input_id if same else "")
                await here.works()

        self._then(doing())

    @rule(
        name=customers,
        nth=numbers,
        word=st.sampled_from(("credit", "refunded", "arrived", "give_back", "proceed", "paid")),
    )
    def somebody_else_tries(self, name: str, nth: int, word: str) -> None:
        self._then(self.market.somebody_else_tries(name, nth, word))

    # --- the owner ---

    @rule(decisions=st.lists(a_decision, min_size=1, max_size=3),
          fault=st.sampled_from(("", "", *FAULTS)))  # fmt: skip
    def decides(self, decisions: list[tuple[int, int, str]], fault: str) -> None:
        async def doing() -> None:
            await self._fault(fault)
            for nth, answer, sure in decisions:
                await self.market.decides(nth, answer, sure)
                self._judged()

        self._then(doing())

    @rule(account=st.sampled_from((*ENTRIES, *ADDRESSES)),
          amount=st.sampled_from((-70_000, -3000, 5, 250_000)))  # fmt: skip
    def enters(self, account: str, amount: int) -> None:
        self._then(self.market.enters(account, amount))

    @rule()
    def takes_back(self) -> None:
        self._then(self.market.takes_back())

    # --- the world ---

    @rule(span=spans, looks=looks)
    def time_passes(self, span: int, looks: int) -> None:
        self._then(self.market.passes(span, looks))

    @rule(amid=st.booleans())
    def restarts(self, amid: bool) -> None:
        """The shop is closed and opened again; perhaps a call was written down, and never made."""
        here = self.market

        async def doing() -> None:
            call = await here.there.shop.suppliers[0].choose() if amid else None
            if isinstance(call, Submit):
                here.till.heard.append(("submitted", call.order.target, "?"))
            await here.there.restart()
            await here.works()

        self._then(doing())

    @precondition(lambda self: self.market.there.journal)
    @rule(nth=numbers, status=st.sampled_from(STATUSES))
    def ends(self, nth: int, status: str) -> None:
        journal = self.market.there.journal

        async def doing() -> None:
            ref = journal[-1 - nth % len(journal)]["id"]
            await self.market.there.control("finish", ref=ref, status=status)
            await self.market.passes(6 * SECOND)

        self._then(doing())

    @rule(kind=st.sampled_from(FAULTS), path=st.sampled_from(PATHS), count=st.integers(1, 3))
    def fails(self, kind: str, path: str, count: int) -> None:
        self._then(self._fault(kind, path, count))

    @rule()
    def owner_pays_in(self) -> None:
        """Our balance is whole again; whether that is noted is another matter."""
        self._then(self.market.there.control("balance", balance=PLENTY))

    @rule(sku=st.sampled_from(SKUS), percent=st.sampled_from((90, 130, 200)))
    def price_changes(self, sku: str, percent: int) -> None:
        self._then(self.market.reprices(sku, percent))


class OnSqlite(Money):
    kind = "sqlite"


class OnPostgres(Money):
    kind = "postgres"


@pytest.mark.sqlite
def test_the_words_that_are_watched_for_are_the_shops_own(tmp_path: Path) -> None:
    texts = all_texts(demo_settings(tmp_path, 1))["id"]
    said = "\n".join(texts.catalogue.values())
    assert [words for words in SAID if words not in said] == []


@pytest.mark.timeout(0 if AT_LENGTH else 300)  # machines are busy with other things
def test_l3_l6_l7_o2_m1_m3_all_money_is_where_it_must_be_whatever_happens(
    on_a_database: str,
) -> None:
    machine = {"sqlite": OnSqlite, "postgres": OnPostgres}[on_a_database]
    seed = int(os.environ.get("LAPAK_SEED") or random.SystemRandom().randrange(2**32))
    stories, steps = (LONG_STORIES if AT_LENGTH else STORIES)[on_a_database]
    telling = settings(
        max_examples=stories,
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        print_blob=True,
        database=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink) if AT_LENGTH else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=telling)
    except Exception as error:
        error.add_note(f"LAPAK_SEED={seed} tells these stories again")
        raise
