"""Ten thousand messages that wait cost those that are due nothing: counted in SQLite's steps."""

import sqlite3
from collections.abc import Callable, Sequence

import pytest

from shop.notices import Lane, Notice
from shop.time import HOUR
from storage.books import SqlBooks
from storage.database import NO_PARAMETERS, Parameters, Row, Transaction
from storage.outbox import SqlOutbox
from tests.shop.samples import NOW, OWNER
from tests.storage.test_outbox import ANI, BUDI, alert, notice

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

MANY = 10_000


class Journal:
    """A transaction that writes down what is asked of it."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.asked: list[tuple[str, Parameters]] = []

    def execute(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> int:
        self.asked.append((sql, parameters))
        return self.tx.execute(sql, parameters)

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        for row in rows:
            self.execute(sql, row)

    def fetch(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> Sequence[Row]:
        self.asked.append((sql, parameters))
        return self.tx.fetch(sql, parameters)

    def ring(self) -> None:
        self.tx.ring()


def everything(outbox: SqlOutbox) -> None:
    """All that is done while the shop runs."""
    outbox.owe(notice("new"), NOW)
    outbox.owe(alert("slow"), NOW)
    outbox.due(NOW, 9)
    outbox.fresh(NOW, 9, Lane.ORDERS)
    outbox.next_at(NOW)
    outbox.waiting()
    outbox.oldest()
    outbox.try_again(BUDI, NOW)
    order, slow = outbox.due(NOW, 9)
    assert outbox.later(order, NOW + 1)
    assert outbox.undeliverable(slow, "blocked", NOW)
    assert outbox.sent(outbox.due(NOW + 1, 1)[0], NOW, "status", "m1")
    outbox.shown_as("O", BUDI, "status")


def test_every_question_is_answered_from_an_index(books: SqlBooks) -> None:
    journal = Journal(books.orders._tx)
    everything(SqlOutbox(journal, (OWNER,)))
    assert len({sql for sql, _ in journal.asked}) >= 11
    for sql, parameters in journal.asked:
        plan = [row["detail"] for row in journal.tx.fetch(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        # "SCAN o" reads the few rows that another question, which is looked at here, has found.
        about = [line for line in plan if line.startswith(("SCAN", "SEARCH")) and line != "SCAN o"]
        assert about or "INTO shown" in sql, sql
        assert all(line.startswith("SEARCH") and " USING " in line for line in about), (sql, plan)


def steps(books: SqlBooks, work: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes for it."""
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1

    connection: sqlite3.Connection = books.orders._tx._connection  # type: ignore[attr-defined]
    connection.set_progress_handler(step, 1)
    try:
        work()
    finally:
        connection.set_progress_handler(None, 0)
    return taken


@pytest.mark.parametrize("make", [notice, alert])
@pytest.mark.parametrize("chats", [1, MANY])
def test_ten_thousand_waiting_messages_cost_the_others_nothing(
    books: SqlBooks, make: Callable[[str, str], Notice], chats: int
) -> None:
    """Be they in one chat that waits for another try, or be they the slow ones of many chats."""
    outbox = books.outbox
    outbox.owe(notice("k", BUDI), NOW + 1)
    alone = steps(books, lambda: outbox.due(NOW + 1, 64, Lane.ORDERS))
    for nth in range(MANY):
        outbox.owe(make(f"k{nth}", f"web:chat{nth % chats}"), NOW)
    if make is notice:  # else they come first, and rightly so
        for owed in outbox.due(NOW, MANY):
            outbox.later(owed, NOW + HOUR)
    (found,) = outbox.due(NOW + 1, 64, Lane.ORDERS)
    assert found.notice.address == BUDI
    assert 0 < alone < 200
    assert steps(books, lambda: outbox.due(NOW + 1, 64, Lane.ORDERS)) <= alone + 10
    assert steps(books, lambda: outbox.next_at(NOW + 1)) < 200
    assert steps(books, lambda: outbox.owe(notice("new", ANI), NOW)) < 200
    assert steps(books, lambda: outbox.sent(found, NOW + 1)) < 200
