"""All nonsense at random, over the whole shop: never an exception, never a dead end.

People type, tap and share whatever they like, in any order, while the supplier fails, time passes,
chats are closed and the shop is restarted. After every step everything must hold that must always
hold (``tests.fakes.witness``); at the end of each story everybody can still buy, go back and give
up, and nobody who paid is forgotten (``tests.fakes.crowd``).

``LAPAK_SEED=<number>`` tells the same stories again; a failure names it. ``LAPAK_AT_LENGTH=1``
tells many long ones, and looks for the shortest that fails.
"""

import asyncio
import os
import random
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

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

from bot.bootstrap import curated_games
from bot.conversation.views import Shared, What
from providers.simulators.zultopup_services import SERVICES, Service
from shop.time import HOUR, MINUTE, SECOND
from tests.bot.conversation.mischief import (
    ACCOUNTS,
    CHANGES,
    COMMANDS,
    JUNK,
    MADE_UP,
    SENTENCES,
    slip,
)
from tests.fakes.crowd import CHOICES_AT_ONCE, CUSTOMERS, ENDINGS, FAULTS, Crowd, crowd
from tests.fakes.world import AT_LENGTH

T = TypeVar("T")
# kind: (stories, steps of each)
STORIES = {"sqlite": (8, 30), "postgres": (2, 30)}
LONG_STORIES = {"sqlite": (1000, 60), "postgres": (250, 60)}

PATHS = ("", "order/create", "order/status", "services", "user/me")
STATUSES = ("Success", "Error", "Gagal", "Pending")
SPANS = (0, SECOND, 11 * SECOND, MINUTE, 16 * MINUTE, HOUR, 7 * HOUR, 25 * HOUR, 72 * HOUR)
NAMES = (
    *(name for game in curated_games() for name in (game.title, *game.aliases)),
    *(service.layanan for service in SERVICES),
    "Bayar", "Ubah akun", "Kembali", "Berikutnya", "Asia", "Pay", "Cancel", "os_asia",
)  # fmt: skip
QUESTIONS = (
    "/start", "/pesan", "/riwayat", "/saldo", "/kasus", "/bantuan", "/bahasa en", "/bahasa id",
    "/status {order}", "/riwayat 2", "menu", "/start ff",
)  # fmt: skip
ODD = "\0\u202e\u2066\u200b\ufeff\ufe0f\u0661\u0662\u0645 #@<>&{}%/:;'\"\\\n\t0123456789"

whoever = st.sampled_from(tuple(CHOICES_AT_ONCE))
customers = st.sampled_from(CUSTOMERS)
endings = st.sampled_from(ENDINGS)
numbers = st.integers(0, 30)
which = st.sampled_from(("", "", ":pay", ":paid", ":cancel", ":again", ":show", "s:", "c:"))
changes = st.just("as it is") | st.sampled_from(tuple(CHANGES))
anything = st.one_of(
    st.sampled_from(JUNK),
    st.sampled_from(SENTENCES),
    st.sampled_from(ACCOUNTS),
    st.builds(slip, st.sampled_from(NAMES), st.integers(0, 20), st.integers(0, 4)),
    st.sampled_from(NAMES),
    st.integers(-1, 10**20).map(str),
    st.text(max_size=60),
    st.text(alphabet=ODD, max_size=30),
    st.builds(str.__mul__, st.sampled_from(("9", "x", "🙂", "ml ", "م")), st.integers(90, 3000)),
)
commands = st.one_of(
    st.sampled_from(COMMANDS),
    st.builds("/{} {}".format, st.sampled_from(("status", "riwayat", "start", "bahasa")), anything),
)

made_up = st.one_of(
    st.sampled_from(MADE_UP),
    st.text(max_size=70),
    st.builds(
        "{}:{}:{}".format,
        st.sampled_from("socp"),
        st.text(alphabet=ODD, max_size=12) | st.text(alphabet="\0A7\u202e", min_size=1, max_size=4),
        st.sampled_from(("paid", "cancel", "show", "again", "open", "yes-refunded", "", "\0")),
    ),
)


class Anything(RuleBasedStateMachine):
    """One story. The rules are what people and the world may do next."""

    kind: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._failed = False
        self._at_once = 0
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory(prefix="lapak-")
        self._stack = AsyncExitStack()
        opening = self._stack.enter_async_context(crowd(Path(self._folder.name), self.kind))
        self.crowd: Crowd = self._run(opening)

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(doing)
        except BaseException:
            self._failed = True
            raise

    def _then(self, doing: Coroutine[Any, Any, object]) -> None:
        async def judged() -> None:
            await doing
            self.crowd.judge()

        self._run(judged())

    def teardown(self) -> None:
        try:
            if not self._failed:
                self._run(self.crowd.everybody_gets_through())
        finally:
            self._close()

    def _close(self) -> None:
        # Closing asks for the books to be in order, which they need not be after a failure.
        error = AssertionError("closed") if self._failed else None
        kind = None if error is None else type(error)
        self._runner.run(self._stack.__aexit__(kind, error, None))
        self._runner.close()
        self._folder.cleanup()

    @initialize(beginnings=st.lists(st.tuples(customers, numbers, endings), min_size=1, max_size=3))
    def begins(self, beginnings: list[tuple[str, int, str]]) -> None:
        async def doing() -> None:
            for beginning in beginnings:
                await self.crowd.orders_and(*beginning)

        self._then(doing())

    # --- people ---

    @rule(name=whoever, text=anything | commands)
    def types(self, name: str, text: str) -> None:
        self._then(self.crowd.says(name, text))

    @rule(name=whoever, questions=st.sets(st.sampled_from(QUESTIONS), min_size=4), nth=numbers)
    def asks(self, name: str, questions: set[str], nth: int) -> None:
        """What can be asked at any time, with a number of an order that need not be theirs."""
        known = self.crowd.witness.orders
        order = known[nth % len(known)] if known else "2345678923"

        async def doing() -> None:
            for question in sorted(questions):
                await self.crowd.says(name, question.format(order=order))

        self._then(doing())

    @rule(
        name=customers,
        times=st.integers(1, 6),
        nth=numbers,
        account=st.sampled_from(ACCOUNTS),
        aside=st.none() | st.sampled_from(What) | anything,
    )
    def gets_on(
        self, name: str, times: int, nth: int, account: str, aside: What | str | None
    ) -> None:
        """Answers some questions; before each there is something else to say."""

        async def doing() -> None:
            for _ in range(times):
                if isinstance(aside, What):
                    await self.crowd.does(name, Shared(aside))
                elif aside is not None:
                    await self.crowd.says(name, aside)
                await self.crowd.answers(name, nth, account)

        self._then(doing())

    @rule(name=customers, nth=numbers, old=st.integers(0, 3), aside=st.sampled_from(What))
    def hesitates(self, name: str, nth: int, old: int, aside: What) -> None:
        """Has only to confirm, looks for something else, and presses one of the buttons to pay."""

        async def doing() -> None:
            await self.crowd.walks_to_confirmation(name, nth, aside)
            await self.crowd.walks_to_confirmation(name, nth + 1)
            if old:
                await self.crowd.presses(name, self.crowd.button(name, old, ":pay"))

        self._then(doing())

    @rule(name=customers, nth=numbers, ending=endings, fault=st.none() | st.sampled_from(FAULTS))
    def orders(self, name: str, nth: int, ending: str, fault: str | None) -> None:
        async def doing() -> None:
            if fault is not None:
                await self.crowd.fails(fault, "order/create")
            await self.crowd.orders_and(name, nth, ending)

        self._then(doing())

    @rule(name=whoever, of=whoever, which=which, nth=numbers, change=changes, number=numbers)
    def taps(self, name: str, of: str, which: str, nth: int, change: str, number: int) -> None:
        data = CHANGES[change](self.crowd.button(of, nth, which), number)
        self._then(self.crowd.presses(name, data))

    @rule(name=customers, which=which, nth=numbers)
    def taps_an_old_one(self, name: str, which: str, nth: int) -> None:
        self._then(self.crowd.presses(name, self.crowd.button(name, -1 - nth, which)))

    @rule(name=whoever, data=made_up)
    def taps_what_never_was(self, name: str, data: str) -> None:
        self._then(self.crowd.presses(name, data))

    @rule(name=whoever, nth=numbers, times=st.integers(2, 3), same=st.booleans())
    def taps_again(self, name: str, nth: int, times: int, same: bool) -> None:
        async def doing() -> None:
            data, person = self.crowd.button(name, nth), self.crowd.people[name]
            for number in range(times):
                repeated = same and number > 0
                await self.crowd.presses(name, data, person.last_input if repeated else "")

        self._then(doing())

    @rule(name=whoever, nth=st.integers(0, 4), times=st.integers(1, 3), working=st.booleans())
    def taps_at_once(self, name: str, nth: int, times: int, working: bool) -> None:
        self._at_once += 1
        inputs = [f"at-once-{self._at_once}-{number}" for number in range(times)]
        data = self.crowd.button(name, nth)
        self._then(self.crowd.at_once(name, data, inputs, working=working))

    @rule(name=whoever)
    def repeats(self, name: str) -> None:
        person = self.crowd.people[name]
        if name in self.crowd.last:
            self._then(self.crowd.does(name, self.crowd.last[name], person.last_input))

    @rule(name=whoever, what=st.sampled_from(What))
    def shares(self, name: str, what: What) -> None:
        self._then(self.crowd.does(name, Shared(what)))

    @rule(name=customers, word=st.sampled_from(("/batal", "batal", "cancel", "<")))
    def gives_up(self, name: str, word: str) -> None:
        crowd = self.crowd
        self._then(crowd.goes_back(name) if word == "<" else crowd.gives_up(name, word))

    @rule(nth=numbers, answer=numbers, sure=st.booleans())
    def decides(self, nth: int, answer: int, sure: bool) -> None:
        self._then(self.crowd.decides(nth, answer, sure=sure))

    # --- the world ---

    @rule(span=st.sampled_from(SPANS), how=st.sampled_from(("working", "asleep", "restarted")))
    def time_passes(self, span: int, how: str) -> None:
        async def doing() -> None:
            if how == "restarted":
                await self.crowd.there.restart()
            if how == "asleep":
                self.crowd.there.clock.advance(span)
            await self.crowd.passes(max(span, SECOND), looks=8)

        self._then(doing())

    @precondition(lambda self: self.crowd.qrs())
    @rule(nth=numbers, less=st.sampled_from((0, 0, 0, 1, -500)))
    def pays(self, nth: int, less: int) -> None:
        refs = self.crowd.qrs()
        ref = refs[nth % len(refs)]
        (order,) = [row for row in self.crowd.there.journal if row["id"] == ref]
        self._then(self.crowd.control("pay", id=ref, amount=max(order["amount"] - less, 0)))

    @precondition(lambda self: self.crowd.there.journal)
    @rule(nth=numbers, status=st.sampled_from((*STATUSES, "runs out")))
    def ends(self, nth: int, status: str) -> None:
        journal = self.crowd.there.journal
        ref = journal[nth % len(journal)]["id"]
        action = "expire" if status == "runs out" else "finish"
        more = {} if status == "runs out" else {"status": status}
        self._then(self.crowd.control(action, id=ref, **more))

    @rule(kind=st.sampled_from(FAULTS), count=st.integers(1, 3), path=st.sampled_from(PATHS))
    def fails(self, kind: str, count: int, path: str) -> None:
        self._then(self.crowd.fails(kind, path, count))

    @rule(percent=st.integers(1, 900), gone=st.sampled_from(SERVICES) | st.none())
    def prices_change(self, percent: int, gone: Service | None) -> None:
        """All of them, and perhaps something is sold no more; then the list is read again."""

        async def doing() -> None:
            for service in SERVICES:
                price = max(service.harga * percent // 100, 1)
                self.crowd.reprices(service.sid, price)
            if gone is not None:
                self.crowd.there.simulator._books.services.pop(gone.sid, None)
            await self.crowd.passes(11 * MINUTE, looks=3)

        self._then(doing())

    @rule(name=whoever, failing=st.integers(0, 3))
    def chat_is_closed(self, name: str, failing: int) -> None:
        """Closed, or open again; or none can be written to for a while."""
        self.crowd.unreachable = True
        chat = self.crowd.there.chat
        chat.failing = failing
        if not failing:
            chat.blocked ^= {self.crowd.people[name].address}


class OnSqlite(Anything):
    kind = "sqlite"


class OnPostgres(Anything):
    kind = "postgres"


@pytest.mark.timeout(0 if AT_LENGTH else 300)  # machines are busy with other things
def test_o2_m1_m3_l6_whatever_happens_is_answered_and_never_in_the_way_of_a_sale(
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
