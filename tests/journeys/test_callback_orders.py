"""Callbacks twice, late, early and in any order: each order ends where the in-order run has it.

A supplier goes through the words of a story. We hear of them by callbacks, signed or not, by the
answer to our own call, and by asking; what comes when is drawn at random. ``in_order`` is the
oracle: what must have become of the order. ``LAPAK_AT_LENGTH=1`` tries many more.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.workers.inbox import InboxWorker, receiver
from shop import calls, fulfilment
from shop.callbacks import Callback, CallsBack, Told, Trust
from shop.calls import AskTopup, Call, Idle
from shop.cases import CaseKind
from shop.orders import Order, Status
from shop.settling import NotOpened
from shop.suppliers import Abilities, TopupReport, TopupState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.fakes.world import AT_LENGTH
from tests.shop.prepaid import (
    COST,
    EVERY_WAY,
    PRICE,
    SELLER,
    T,
    a_shop,
    broken,
    credit,
    now_of,
    report,
    started,
)
from tests.shop.samples import NOW, K, S, case_of, owed

R = TypeVar("R")
SEQUENCES = 34_000 if AT_LENGTH else 250  # of each kind of supplier: 750 in all

OURS, THEIRS = "P-zonegame-1", "TRX-77"
FINALS = (T.PARTIAL, T.DELIVERED, T.FAILED)
AGREEING = (
    (T.PENDING, T.DELIVERED),
    (T.PENDING, T.FAILED),
    (T.PENDING, T.PARTIAL),
    (T.PENDING, T.PARTIAL, T.DELIVERED),
    (T.PENDING, T.PARTIAL, T.FAILED),
    (T.DELIVERED,),
    (T.FAILED,),
)
CONTRADICTING = (
    (T.PENDING, T.DELIVERED, T.FAILED),
    (T.PENDING, T.FAILED, T.DELIVERED),
    (T.PENDING, T.DELIVERED, T.FAILED, T.DELIVERED),
)
Words = tuple[TopupState, ...]

# --- the oracle ---

_NEXT: Mapping[tuple[Status, TopupState], Status] = {
    (S.PROCESSING, T.PARTIAL): S.PARTLY_DELIVERED,
    (S.PROCESSING, T.DELIVERED): S.DELIVERED,
    (S.PROCESSING, T.FAILED): S.REFUNDED,
    (S.PARTLY_DELIVERED, T.DELIVERED): S.DELIVERED,
    (S.PARTLY_DELIVERED, T.FAILED): S.REFUNDED,
}


def in_order(words: Sequence[TopupState]) -> Status:
    """Where an order must end whose supplier says this, one word after the other."""
    status = S.PROCESSING
    for word in words:
        status = _NEXT.get((status, word), status)
    return status


def in_any_order(words: Words) -> set[Status]:
    return {in_order(each) for each in itertools.permutations(words)}


# --- the supplier ---


@dataclass(frozen=True)
class Kind:
    """What a supplier can do, and how it calls back."""

    able: Abilities
    trust: Trust
    tells: frozenset[TopupState]  # in which words it calls back


KINDS = {
    # ZoneGame and Kiosgame sign, and call back about ends only (docs/suppliers.md).
    "signed": Kind(Abilities(knows_our_ref=True, calls_back=True), Trust.PROOF, frozenset(FINALS)),
    "unsigned": Kind(Abilities(knows_our_ref=True, calls_back=True), Trust.HINT, frozenset(T)),
    # SenPay: asked by its own id, which a lost answer leaves to the callback to tell.
    "by their id": Kind(Abilities(calls_back=True), Trust.HINT, frozenset(T)),
}


class Telling(CallsBack):
    """Reads the callbacks of this test."""

    def verify(self, callback: Callback) -> Trust:
        raise AssertionError("proved before it is stored")

    def parse(self, callback: Callback) -> Sequence[Told]:
        said = json.loads(callback.body)
        words = in_words(TopupState(said["state"]), said["id"])
        return [Told(ref=OURS, supplier_ref=said["id"], report=words)]


def in_words(state: TopupState, theirs: str = THEIRS) -> TopupReport:
    return report(state, supplier_ref=theirs, serial="SN1" if state is T.DELIVERED else "")


def callback(state: TopupState, theirs: str = THEIRS, copy: int = 0) -> Callback:
    """``copy``: it is sent again with another stamp, so that its bytes are others."""
    body = json.dumps({"state": state, "id": theirs, "copy": copy}).encode()
    return Callback(method="POST", query="", body=body)


@dataclass
class Company:
    """The supplier's side: our one order, and how far it has come."""

    kind: Kind
    words: Words
    is_reachable: bool  # for questions
    unheard: int  # questions to which it says, at first, that there is no such order
    at: int = 0

    def answer(self, order: Order) -> TopupReport | None:
        asks = fulfilment.question_about(order, NOW, may_repeat=False)
        is_known = self.kind.able.knows_our_ref or asks.supplier_ref == THEIRS
        if not self.is_reachable or not is_known:
            return None
        if self.unheard:
            self.unheard -= 1
            return report(T.MISSING)
        return in_words(self.words[self.at])


# --- our side ---


class OneTransaction:
    """The keeper of books that are undone after each story."""

    def __init__(self, books: SqlBooks) -> None:
        self.books = books

    async def write(self, work: Callable[[SqlBooks], R]) -> R:
        return work(self.books)

    read = write

    def bell(self) -> asyncio.Event:
        return asyncio.Event()


@dataclass
class Story:
    """One order, from the moment at which its call is made."""

    books: SqlBooks
    company: Company
    outcome: str  # of our own call: "says", "lost", or "never" known
    now: int = NOW + 1  # no callback comes in the very millisecond in which the call begins
    is_answered: bool = False
    journal: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        keeper: Any = OneTransaction(self.books)
        suppliers = {SELLER: Telling()}
        self._asked_with = self.order
        self._receive = receiver(keeper, suppliers, lambda: self.now)
        self._inbox = InboxWorker(keeper=keeper, suppliers=suppliers, clock=lambda: self.now)

    @property
    def order(self) -> Order:
        return now_of(self.books, "P")

    async def does(self, what: str, nth: int) -> None:
        await getattr(self, what)(nth)

    async def advances(self, _nth: int) -> None:
        self.company.at = min(self.company.at + 1, len(self.company.words) - 1)

    async def calls_back(self, nth: int) -> None:
        """About anything that has happened by then, once more in the same bytes or in others."""
        happened = self.company.words[: self.company.at + 1]
        await self._told(happened[nth % len(happened)], copy=nth % 2)

    async def is_forged(self, nth: int) -> None:
        """Somebody says anything at all: as long as it is not signed, nothing moves."""
        if self.company.kind.trust is Trust.PROOF:
            return
        before = self.order.version, credit(self.books)
        # An id that is not theirs: tests/shop/test_doubt.py.
        theirs = "FORGED" if self.company.kind.able.knows_our_ref else THEIRS
        await self._receive(SELLER, callback(FINALS[nth % 3], theirs, copy=2 + nth), Trust.HINT)
        await self._inbox.round()
        assert (self.order.version, credit(self.books)) == before

    async def _told(self, state: TopupState, copy: int) -> None:
        if state in self.company.kind.tells:
            await self._receive(SELLER, callback(state, copy=copy), self.company.kind.trust)

    async def answers_our_call(self, _nth: int) -> None:
        if self.is_answered or self.outcome == "never":
            return
        self.is_answered = True
        first = in_words(self.company.words[0])
        outcome = first if self.outcome == "says" else NotOpened.UNKNOWN
        fulfilment.submitted(self.books, self._asked_with, outcome, self.now)

    async def time_passes(self, nth: int) -> None:
        await self._passes((1, SECOND, 11 * SECOND, 2 * MINUTE, 20 * MINUTE)[nth % 5])

    async def _passes(self, span: int) -> None:
        """Let everything be done that falls due."""
        until = self.now + span
        for _ in range(5_000):
            next_at = await self._inbox.round()
            if next_at is not None and next_at <= self.now:
                continue
            call = calls.next_call(self.books, SELLER, self.now)
            if not isinstance(call, Idle):
                self._makes(call)
                continue
            self.now = max(self.now, min(call.until, next_at or until, until))
            if self.now == until:
                return
        raise AssertionError("it never comes to rest")

    def _makes(self, call: Call) -> None:
        self.journal[type(call).__name__] += 1
        assert isinstance(call, AskTopup), call  # nothing is ordered a second time
        said = self.company.answer(call.order)
        if said is None:
            fulfilment.unanswered(self.books, "P", self.now)
        else:
            fulfilment.reported(self.books, call.order, said, self.now, self.now)

    async def ends(self) -> None:
        """The supplier comes to the end of its story, and has called back about all of it."""
        self.company.at = len(self.company.words) - 1
        for word in self.company.words:
            await self._told(word, copy=0)
        await self.answers_our_call(0)
        await self._passes(HOUR)


def check(story: Story) -> None:
    """Compare what became of the order with the oracle."""
    words, order, case = story.company.words, story.order, case_of(story.books, story.order)
    signed = story.company.kind.trust is Trust.PROOF
    if words in AGREEING:
        assert order.status is in_order(words)
        several = len(set(words) & set(FINALS)) > 1  # out of order, these too contradict each other
        usual = CaseKind.PARTLY if order.status is S.PARTLY_DELIVERED else None
        assert case is usual or (several and signed and case is CaseKind.CONFLICT)
    else:
        assert order.status in in_any_order(words)
        assert case in ({CaseKind.CONFLICT} if signed else {CaseKind.CONFLICT, None})
    told = Counter(owed(story.books))
    assert told[K.DELIVERED] == (order.status is S.DELIVERED)
    assert told[K.REFUNDED] == (order.status is S.REFUNDED)
    assert credit(story.books) == (PRICE if order.status is S.REFUNDED else 0)
    assert order.tries == 1
    assert order.attempt is not None
    assert order.attempt.charged in ({0, COST} if order.status is S.REFUNDED else {COST})
    assert order.serial == ("SN1" if order.status is S.DELIVERED else "")
    assert story.books.inbox.next_at() is None
    assert K.ALERT not in {row["kind"] for row in _messages(story.books)}
    assert broken(story.books) == []


def _messages(books: SqlBooks) -> Sequence[Mapping[str, Any]]:
    return books.orders._tx.fetch("SELECT kind FROM outbox")


HAPPENS = (
    "advances",
    "calls_back",
    "calls_back",
    "is_forged",
    "answers_our_call",
    "time_passes",
)
steps = st.lists(st.tuples(st.sampled_from(HAPPENS), st.integers(0, 9)), max_size=14)


@pytest.mark.sqlite
@pytest.mark.timeout(0 if AT_LENGTH else 120)
@pytest.mark.parametrize("name", KINDS)
def test_c4_callbacks_in_whatever_order_lead_where_they_would_in_order(
    tmp_path: Path, name: str
) -> None:
    kind = KINDS[name]
    abilities = {**EVERY_WAY.abilities, SELLER: kind.able}
    told = Counter[str]()

    with a_shop(tmp_path, abilities=abilities) as books, asyncio.Runner() as runner:
        books.calls.set_list_due(SELLER, NOW + 99 * HOUR)
        started(books)
        tx = books.orders._tx

        @settings(
            max_examples=SEQUENCES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(
            words=st.sampled_from(AGREEING + CONTRADICTING),
            outcome=st.sampled_from(("says", "lost", "never")),
            is_reachable=st.booleans() if kind.trust is Trust.PROOF else st.just(value=True),
            unheard=st.integers(0, 2),
            happens=steps,
        )
        def converges(
            words: Words,
            outcome: str,
            is_reachable: bool,
            unheard: int,
            happens: list[tuple[str, int]],
        ) -> None:
            tx.execute("SAVEPOINT story")
            try:
                story = Story(books, Company(kind, words, is_reachable, unheard), outcome)
                for what, nth in happens:
                    runner.run(story.does(what, nth))
                runner.run(story.ends())
                check(story)
                told[story.order.status] += 1
            finally:
                tx.execute("ROLLBACK TO SAVEPOINT story")
                tx.execute("RELEASE SAVEPOINT story")

        converges()
    assert sum(told.values()) >= SEQUENCES
    assert min(told[each] for each in (S.DELIVERED, S.REFUNDED, S.PARTLY_DELIVERED)) > 10
