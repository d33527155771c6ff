"""P7: how soon a payment is noticed under ZulTopup's 60 requests a minute, in virtual time.

A number of QRs is open, of every age up to ten minutes, and each of them is paid within the next
five, all moments being equally likely. What is measured is ``shop.calls`` and ``shop.settling`` on
real books; the supplier, its answers and the clock are played here. A round always plays the same
days: its number is their seed.

The baseline is the best any schedule could do with the budget. Nobody can tell which QR is paid
next. A QR that is asked about every T has a mean delay of T/2, and with a given number of questions
the sum of these is least when all are asked about equally often, and none once it is known to be
paid. So the baseline goes round all QRs not known to be paid, evenly, with the whole of the budget,
and does nothing else: it reads no price list and never asks whether goods were delivered. Like the
shop it never asks about one QR twice within ``POLL``, and waits as long for its answers.
"""

import heapq
import random
import statistics
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from sqlite3 import Connection
from tempfile import TemporaryDirectory

from benchmarks.measuring import Measured, Say, never_above, never_below, ratio_at_most
from shop import calls, settling
from shop.calls import MOST_CALLS, WINDOW, AskInvoice, Idle
from shop.orders import Order, Status
from shop.pricing import PriceRule, Quote
from shop.rules import Rules
from shop.suppliers import Invoice, InvoiceReport, InvoiceState
from shop.time import MINUTE, SECOND, Millis
from storage.books import SqlBooks
from storage.sqlite import SqliteTransaction, connect
from storage.sqlite_schema import prepare

POLL: Millis = 5 * SECOND
OPEN_QRS = (10, 60, 200)
PAYMENTS_A_ROUND = 400  # so that a round tells the schedule from luck
START: Millis = 1_795_150_800_000
PAID_WITHIN: Millis = 5 * MINUTE
OPENED_WITHIN: Millis = 10 * MINUTE  # the oldest is paid before its end, like all others
HOLDS_FOR: Millis = 15 * MINUTE
ALLOWED_A_MINUTE = 60
_ANSWERS: tuple[Millis, Millis] = (150, 450)
_SUPPLIER = "zultopup"
_PRICES = PriceRule(margin_bp=500, margin_min=500, round_to=100, dropship_bp=1200)
_QUOTE = Quote(listed=10_000, cost=11_200, price=11_800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How long the supplier takes from the payment to the goods."""

    words: str
    least: Millis
    most: Millis


SOON = Delivery(words="goods within a minute", least=5 * SECOND, most=MINUTE)
SLOW = Delivery(words="goods after 10 minutes", least=10 * MINUTE, most=11 * MINUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What will happen to one QR."""

    name: str
    opened_at: Millis
    paid_at: Millis
    delivered_at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a schedule made of some purchases: delays in milliseconds, one a purchase."""

    to_payment: Sequence[Millis]
    to_goods: Sequence[Millis]
    questions: int
    most_in_a_minute: int
    least_between: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The days of a round, ours and the best, on the same purchases."""

    ours: Sequence[Day]
    best: Sequence[Day]


async def measure(rounds: int, say: Say) -> Sequence[Measured]:
    """Play every round for each number of open QRs, with a quick supplier and a slow one."""
    rows: list[Measured] = []
    played: list[Round] = []
    with TemporaryDirectory() as folder, _a_file(Path(folder)) as connection:
        for delivery in (SOON, SLOW):
            for count in OPEN_QRS:
                say(f"{count} open QRs, {delivery.words}")
                found = [_play(connection, count, delivery, nth) for nth in range(rounds)]
                rows += _rows(found, f"{count} open QRs, {delivery.words}")
                played += found
    return [*rows, *_limits(played, rounds)]


def _rows(found: Sequence[Round], where: str) -> list[Measured]:
    return [
        Measured(
            what=f"payment to its news: {where}",
            unit="s",
            figures=[_mean(day.to_payment for day in one.ours) for one in found],
            baselines=[_mean(day.to_payment for day in one.best) for one in found],
            goals=(ratio_at_most(1.5),),
        ),
        Measured(
            what=f"goods to their news: {where}",
            unit="s",
            figures=[_mean(day.to_goods for day in one.ours) for one in found],
        ),
        Measured(
            what=f"requests per completed order: {where}",
            unit="",
            figures=[_requests(one.ours) for one in found],
            baselines=[_requests(one.best) for one in found],
        ),
    ]


def _limits(played: Sequence[Round], rounds: int) -> list[Measured]:
    """Return the worst of all days, round by round."""
    days = [[day for one in played[nth::rounds] for day in one.ours] for nth in range(rounds)]
    return [
        Measured(
            what="most requests in any minute",
            unit="",
            figures=[max(day.most_in_a_minute for day in of_round) for of_round in days],
            goals=(never_above(ALLOWED_A_MINUTE, ""),),
        ),
        Measured(
            what="least time between two questions about one order",
            unit="s",
            figures=[min(day.least_between for day in of_round) / SECOND for of_round in days],
            goals=(never_below(POLL / SECOND, "s"),),
        ),
    ]


def _mean(delays: Iterator[Sequence[Millis]]) -> float:
    return statistics.fmean(delay for of_day in delays for delay in of_day) / SECOND


def _requests(days: Sequence[Day]) -> float:
    """Return the questions and the one opening of an order, on average."""
    return 1 + sum(day.questions for day in days) / sum(len(day.to_payment) for day in days)


def _play(connection: Connection, count: int, delivery: Delivery, seed: int) -> Round:
    ours, best = [], []
    for nth in range(PAYMENTS_A_ROUND // count):
        chance = random.Random(f"{count} {delivery.words} {seed} {nth}")
        purchases = _purchases(count, delivery, chance)
        best.append(_best(purchases, chance))
        with _books(connection) as books:
            ours.append(_Shop(books, purchases, chance).day())
    return Round(ours=ours, best=best)


def _purchases(count: int, delivery: Delivery, chance: random.Random) -> list[Purchase]:
    """Return QRs opened evenly up to now, in no order."""
    found = []
    for nth in range(count):
        paid_at = START + chance.randrange(PAID_WITHIN)
        purchase = Purchase(
            name=f"O{nth}",
            opened_at=START - nth * OPENED_WITHIN // count,
            paid_at=paid_at,
            delivered_at=paid_at + chance.randrange(delivery.least, delivery.most),
        )
        found.append(purchase)
    chance.shuffle(found)
    return found


def _best(purchases: Sequence[Purchase], chance: random.Random) -> Day:
    """Play the baseline: round and round, one question at each pace of the whole budget."""
    pace = WINDOW / MOST_CALLS
    now, questions = float(START), 0
    delays: list[Millis] = []
    asked_longest_ago_first = deque((purchase, now) for purchase in purchases)
    while asked_longest_ago_first:
        purchase, may_ask_at = asked_longest_ago_first.popleft()
        now = max(now, may_ask_at)
        questions += 1
        if purchase.paid_at <= now:
            delays.append(round(now) + chance.randrange(*_ANSWERS) - purchase.paid_at)
        else:
            asked_longest_ago_first.append((purchase, now + POLL))
        now += pace
    return Day(
        to_payment=delays, to_goods=(), questions=questions, most_in_a_minute=0, least_between=POLL
    )


@dataclass(slots=True)
class _Shop:
    """The shop's own schedule, and the supplier it asks."""

    books: SqlBooks
    purchases: Sequence[Purchase]
    chance: random.Random
    calls_at: list[Millis] = field(default_factory=list)
    asked_at: dict[str, list[Millis]] = field(default_factory=dict)
    paid: dict[str, Millis] = field(default_factory=dict)
    delivered: dict[str, Millis] = field(default_factory=dict)
    _answers: list[tuple[Millis, int, Purchase, Millis]] = field(default_factory=list)

    def day(self) -> Day:
        """Play until the news of every delivery has come."""
        for purchase in self.purchases:
            _open(self.books, purchase)
        # Where between two price lists a day begins is chance.
        self.books.calls.set_list_due(_SUPPLIER, START + self.chance.randrange(calls.LIST_EVERY))
        now = START
        while len(self.delivered) < len(self.purchases):
            now = self._step(now)
        gaps = [b - a for moments in self.asked_at.values() for a, b in pairwise(moments)]
        return Day(
            to_payment=[self.paid[one.name] - one.paid_at for one in self.purchases],
            to_goods=[self.delivered[one.name] - one.delivered_at for one in self.purchases],
            questions=sum(len(moments) for moments in self.asked_at.values()),
            most_in_a_minute=_most_within(MINUTE, self.calls_at),
            least_between=min(gaps),
        )

    def _step(self, now: Millis) -> Millis:
        """Hear what is answered by now, and make one call; return when to look again."""
        while self._answers and self._answers[0][0] <= now:
            self._hear(*heapq.heappop(self._answers))
        call = calls.next_call(self.books, _SUPPLIER, now)
        if isinstance(call, Idle):
            answer_at = self._answers[0][0] if self._answers else call.until
            return max(min(call.until, answer_at), now + 1)
        self.calls_at.append(now)
        if isinstance(call, AskInvoice):
            self._ask(call.order, now)
        return now

    def _ask(self, order: Order, now: Millis) -> None:
        self.asked_at.setdefault(order.id, []).append(now)
        purchase = next(one for one in self.purchases if one.name == order.id)
        answer_at = now + self.chance.randrange(*_ANSWERS)
        heapq.heappush(self._answers, (answer_at, len(self.calls_at), purchase, now))

    def _hear(self, now: Millis, _: int, purchase: Purchase, asked_at: Millis) -> None:
        state = _state(purchase, asked_at)
        report = InvoiceReport(state=state, serial="SN1" if state is InvoiceState.DELIVERED else "")
        after = settling.heard(self.books, purchase.name, report, asked_at, now)
        if after.status in {Status.PROCESSING, Status.DELIVERED}:
            self.paid.setdefault(purchase.name, now)
        if after.status is Status.DELIVERED:
            self.delivered.setdefault(purchase.name, now)


def _state(purchase: Purchase, at: Millis) -> InvoiceState:
    if at >= purchase.delivered_at:
        return InvoiceState.DELIVERED
    return InvoiceState.SETTLED if at >= purchase.paid_at else InvoiceState.UNPAID


def _most_within(span: Millis, moments: Sequence[Millis]) -> int:
    """Return the largest number of moments in any half-open span of that length."""
    most, first = 0, 0
    for last, at in enumerate(moments):
        while at - moments[first] >= span:
            first += 1
        most = max(most, last - first + 1)
    return most


def _open(books: SqlBooks, purchase: Purchase) -> None:
    """Bring one QR into the books as the shop does, at its own moment."""
    order = _order(purchase)
    books.orders.add(order)
    asked = settling.start_opening(books, order, purchase.opened_at, purchase.opened_at)
    invoice = Invoice(
        supplier_ref=purchase.name,
        number=purchase.name,
        amount=_QUOTE.price,
        cost=_QUOTE.cost,
        qr="-",
        link="",
        expires_at=purchase.opened_at + HOLDS_FOR,
    )
    settling.opened(books, asked, invoice, purchase.opened_at)


def _order(purchase: Purchase) -> Order:
    return Order(
        id=purchase.name,
        key=purchase.name,
        address=f"web:{purchase.name}",
        supplier=_SUPPLIER,
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id=purchase.name,
        server="",
        target=purchase.name,
        listed=_QUOTE.listed,
        cost=_QUOTE.cost,
        price=_QUOTE.price,
        status=Status.PLACED,
        version=1,
        created_at=purchase.opened_at,
        quote_until=purchase.opened_at + HOLDS_FOR,
        changed_at=purchase.opened_at,
        due_at=purchase.opened_at,
        gateway=_SUPPLIER,
    )


@contextmanager
def _a_file(folder: Path) -> Iterator[Connection]:
    path = folder / "lapak.db"
    prepare(path)
    with closing(connect(str(path))) as connection:
        yield connection


@contextmanager
def _books(connection: Connection) -> Iterator[SqlBooks]:
    """Open empty books; a virtual day is thrown away, so nothing is ever synced to the disk."""
    rules = Rules(prices=_PRICES, poll=POLL, holds_for=HOLDS_FOR)
    connection.execute("BEGIN")
    try:
        yield SqlBooks(SqliteTransaction(connection), rules, ("web:owner",))
    finally:
        connection.execute("ROLLBACK")
