"""A busy day in virtual time: the limit is never broken, and nobody is forgotten.

The seed is the name of the test: the same seed plays the same day.
"""

import heapq
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shop import calls, ordering, settling
from shop.calls import (
    LIST_EVERY,
    MOST_CALLS,
    MOST_OF,
    PACE,
    WINDOW,
    AskBalance,
    AskInvoice,
    FetchList,
    Idle,
    OpenInvoice,
    Purpose,
)
from shop.orders import Order
from shop.settling import NotOpened
from shop.suppliers import InvoiceReport, InvoiceState
from shop.time import MINUTE, SECOND
from shop.watching import LIKELY_UNTIL
from storage.books import SqlBooks
from tests.shop.samples import NOW, OWNER, S, an_invoice, an_order, open_books

ZT = "zultopup"
Happening = Callable[[int], None]


@dataclass
class Day:
    """A supplier's worker, customers and the supplier, in virtual time."""

    books: SqlBooks
    seed: int
    refuses: float = 0.0  # share of openings that end in no invoice
    answers: dict[str, InvoiceState] = field(default_factory=dict)
    made: list[tuple[int, Purpose]] = field(default_factory=list)
    asked: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    opened: dict[str, int] = field(default_factory=dict)
    balances: list[int] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    _coming: list[tuple[int, int, Happening]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def later(self, at: int, happening: Happening) -> None:
        heapq.heappush(self._coming, (at, self.chance.getrandbits(60), happening))

    def place(self, name: str, at: int) -> None:
        def placed(now: int) -> None:
            order = an_order(
                id=name,
                address=f"web:{name}",
                target=name,
                created_at=now,
                changed_at=now,
                due_at=now,
                quote_until=now + 15 * MINUTE,
            )
            self.books.orders.add(order)

        self.later(at, placed)

    def claim(self, name: str, at: int) -> None:
        def claimed(now: int) -> None:
            order = self.books.orders.get(name)
            if order is not None:
                ordering.claim_paid(self.books, order, now)

        self.later(at, claimed)

    def run(self, span: int) -> None:
        now, end = NOW, NOW + span
        while now < end:
            while self._coming and self._coming[0][0] <= now:
                heapq.heappop(self._coming)[2](now)
            call = calls.next_call(self.books, ZT, now)
            if isinstance(call, Idle):
                assert call.until >= now
                next_news = self._coming[0][0] if self._coming else end
                before = min(call.until - PACE, next_news) - 1
                if before > now:  # it would have been no use to look much earlier
                    assert isinstance(calls.next_call(self.books, ZT, before), Idle)
                now = max(min(call.until, next_news), now + 1)
            else:
                self._make(call, now)

    def _make(self, call: calls.Call, now: int) -> None:
        answer_at = now + self.chance.choice((50, 400, 2_000, 20_000))
        match call:
            case OpenInvoice(order=order):
                self._note(now, Purpose.OPEN)
                self.opened.setdefault(order.id, now)
                self.later(answer_at, self._opening(order))
            case AskInvoice(order=order):
                self._note(now, Purpose.WATCH)
                self.asked[order.id].append(now)
                self.later(answer_at, self._answering(order, now))
            case AskBalance():
                self._note(now, Purpose.BALANCE)
                self.balances.append(now)
            case FetchList():
                self._note(now, Purpose.LIST)
                self.lists.append(now)

    def _note(self, now: int, purpose: Purpose) -> None:
        self.made.append((now, purpose))

    def _opening(self, order: Order) -> Happening:
        why = self.chance.choice(list(NotOpened)) if self.chance.random() < self.refuses else None

        def opened(now: int) -> None:
            invoice = an_invoice(order.id, expires_at=now + 15 * MINUTE)
            settling.opened(self.books, order, why or invoice, now)

        return opened

    def _answering(self, order: Order, asked_at: int) -> Happening:
        def heard(now: int) -> None:
            state = self.answers.get(order.id, InvoiceState.UNPAID)
            if self.chance.random() < self.refuses:
                settling.unanswered(self.books, order.id, asked_at, now)
            else:
                report = InvoiceReport(state=state)
                settling.heard(self.books, order.id, report, asked_at, now)

        return heard


def most_in_a_window(moments: list[int]) -> int:
    """The largest number of calls in any ``WINDOW``, by a definition of our own."""
    return max(
        (
            sum(1 for other in moments[nth:] if other < at + WINDOW)
            for nth, at in enumerate(moments)
        ),
        default=0,
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_load_ever_makes_more_calls_than_the_supplier_allows(tmp_path: Path, seed: int) -> None:
    with open_books(tmp_path) as books:
        day = Day(books, seed, refuses=0.2)
        for nth in range(150):
            at = NOW + day.chance.randrange(5 * MINUTE)
            day.place(f"O{nth}", at)
            day.answers[f"O{nth}"] = day.chance.choice(list(InvoiceState))
            for _ in range(day.chance.randrange(4)):
                day.claim(f"O{nth}", at + day.chance.randrange(5 * MINUTE))
        for _ in range(20):
            day.later(
                NOW + day.chance.randrange(8 * MINUTE),
                lambda now: books.calls.ask_balance(ZT, OWNER, now),
            )
        day.run(8 * MINUTE)
        assert most_in_a_window([at for at, _ in day.made]) <= MOST_CALLS < 60
        openings = [at for at, purpose in day.made if purpose is Purpose.OPEN]
        assert most_in_a_window(openings) <= MOST_OF
        assert len(day.made) > 7 * MOST_CALLS  # it was a load


@pytest.mark.parametrize("seed", range(3))
def test_o1_without_claims_nobody_starves_under_a_steady_load(tmp_path: Path, seed: int) -> None:
    """25 orders a minute, all watched, and an owner who keeps asking."""
    with open_books(tmp_path) as books:
        day = Day(books, seed)
        for nth in range(200):
            day.place(f"O{nth}", NOW + nth * MINUTE // 25)
        questions = range(NOW, NOW + 8 * MINUTE, 40 * SECOND)
        for at in questions:
            day.later(at, lambda now: books.calls.ask_balance(ZT, OWNER, now))
        day.run(9 * MINUTE)
        for nth in range(200):
            waited = day.opened[f"O{nth}"] - (NOW + nth * MINUTE // 25)
            assert waited <= WINDOW
        assert len(day.balances) == len(questions)
        assert max(b - a for a, b in zip(questions, day.balances, strict=True)) <= WINDOW
        counts = Counter({name: len(moments) for name, moments in day.asked.items()})
        for nth in range(100):  # those that have been open for a while
            assert counts[f"O{nth}"] >= 1


@pytest.mark.parametrize("seed", range(3))
def test_o1_an_overload_is_shared_and_no_order_is_left_behind(tmp_path: Path, seed: int) -> None:
    """More open QRs than can be asked about at every poll: each still gets its turn."""
    with open_books(tmp_path) as books:
        day = Day(books, seed)
        for nth in range(90):
            day.place(f"O{nth}", NOW)
        day.run(14 * MINUTE)
        gaps = [
            max(b - a for a, b in zip(moments, [*moments[1:], NOW + 14 * MINUTE], strict=True))
            for moments in day.asked.values()
        ]
        assert len(gaps) == 90
        assert max(gaps) < 6 * MINUTE


@pytest.mark.parametrize("seed", range(3))
def test_who_waits_for_news_of_a_payment_goes_ahead_of_who_waits_for_the_goods(
    tmp_path: Path, seed: int
) -> None:
    """Twenty QRs, and as many orders that the supplier takes minutes to deliver."""
    with open_books(tmp_path) as books:
        day = Day(books, seed)
        for nth in range(40):
            day.place(f"O{nth}", NOW)
            day.answers[f"O{nth}"] = (InvoiceState.UNPAID, InvoiceState.SETTLED)[nth % 2]
        day.run(6 * MINUTE)
        counts = [
            sum(1 for at in day.asked[f"O{nth}"] if at >= NOW + 2 * MINUTE) for nth in range(40)
        ]
        unpaid, paid = counts[::2], counts[1::2]
        assert min(unpaid) > max(paid)
        assert sum(unpaid) > 1.5 * sum(paid)
        assert min(paid) >= 2


@pytest.mark.parametrize("seed", range(3))
def test_few_open_qrs_share_the_whole_budget(tmp_path: Path, seed: int) -> None:
    """Ten QRs while a payment is likely; one answer in four takes 20 s."""
    with open_books(tmp_path) as books:
        day = Day(books, seed)
        for nth in range(10):
            day.place(f"O{nth}", NOW)
        day.run(LIKELY_UNTIL)
        late = [at for at, _ in day.made if at >= NOW + LIKELY_UNTIL - 2 * MINUTE]
        assert len(late) > 0.8 * MOST_CALLS * 2 * MINUTE / WINDOW


@pytest.mark.parametrize("seed", range(3))
def test_the_prices_stay_fresh_under_a_steady_load(tmp_path: Path, seed: int) -> None:
    """Three times as many questions as may be asked, and a list fetched every ten minutes."""
    with open_books(tmp_path) as books:
        day = Day(books, seed)
        for nth in range(180):
            day.place(f"O{nth}", NOW + nth // 90 * 16 * MINUTE)
        day.run(31 * MINUTE)
        for minute in range(1, 30):
            asked = [at for at, _ in day.made if 0 <= at - NOW - minute * MINUTE < WINDOW]
            assert len(asked) > MOST_CALLS - 4  # it was a load
        assert len(day.lists) == 4
        pauses = [b - a for a, b in itertools.pairwise(day.lists)]
        assert max(pauses) <= LIST_EVERY + WINDOW


@pytest.mark.parametrize("seed", range(3))
def test_o13_after_any_load_every_open_order_has_its_timer(tmp_path: Path, seed: int) -> None:
    with open_books(tmp_path) as books:
        day = Day(books, seed, refuses=0.4)
        for nth in range(60):
            day.place(f"O{nth}", NOW + day.chance.randrange(3 * MINUTE))
            day.answers[f"O{nth}"] = day.chance.choice(list(InvoiceState))
        day.run(10 * MINUTE)
        for nth in range(60):
            order = books.orders.get(f"O{nth}")
            assert order is not None
            if order.status in {S.PLACED, S.OPENING, S.AWAITING_PAYMENT, S.PROCESSING}:
                assert order.due_at is not None
