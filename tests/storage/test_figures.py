"""The figures of the shop: what is counted is what the rows say, and counting them is cheap."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.calls import Purpose
from shop.figures import Budget, CallCount, CallOutcome, Waiting
from storage import figures
from storage.address import Address
from storage.database import Transaction
from storage.figures import SqlFigures
from tests.fakes.databases import KINDS, fresh, rows, transaction
from tests.storage.planted import opened, plant, put_order

NOW = 1_795_150_800_000
BUDGETS = {
    "zultopup": Budget(most=58, window=61_000),
    "zonegame": Budget(most=1, window=1_000),
    "senpay": Budget(most=10, window=1_000),
    "kiosgame": None,
}


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    with fresh(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def tx(address: Address) -> Iterator[Transaction]:
    with transaction(address) as found:
        yield found


async def test_an_empty_shop_has_nothing_waiting_and_every_call_left(address: Address) -> None:
    async with opened(address) as database:
        found = await database.read(lambda tx: SqlFigures(tx).read(NOW, BUDGETS))
    assert found.at == NOW
    assert (found.orders, found.cases, found.outbox) == ({}, {}, {})
    assert found.updates == Waiting(count=0, since=None)
    assert found.budget_left == {"zultopup": 58, "zonegame": 1, "senpay": 10}
    assert found.suppliers == ("zultopup", "zonegame", "senpay", "kiosgame")
    assert found.calls == []


async def test_the_figures_are_what_the_rows_say(address: Address) -> None:
    plant(address, NOW)
    async with opened(address) as database:
        found = await database.read(lambda tx: SqlFigures(tx).read(NOW, BUDGETS))
    assert found.orders == {"delivered": 3, "processing": 2, "refund_due": 1}
    assert found.cases == {
        "stuck": Waiting(count=2, since=NOW - 90_000),
        "paid_late": Waiting(count=1, since=NOW - 60_000),
    }
    assert found.outbox == {
        0: Waiting(count=2, since=NOW - 5_000),
        1: Waiting(count=1, since=NOW - 2_500),
    }
    assert found.updates == Waiting(count=2, since=NOW - 7_000)


async def test_the_calls_of_the_last_window_are_taken_from_the_budget(address: Address) -> None:
    """The call of exactly a window ago is over; one noted by a clock that was ahead counts."""
    plant(address, NOW)
    async with opened(address) as database:
        found = await database.read(lambda tx: SqlFigures(tx).read(NOW, BUDGETS))
    assert found.budget_left == {"zultopup": 58 - 4, "zonegame": 0, "senpay": 10}


async def test_a_budget_that_was_overdrawn_is_nought(address: Address) -> None:
    plant(address, NOW)
    budgets = {"zultopup": Budget(most=2, window=61_000)}
    async with opened(address) as database:
        found = await database.read(lambda tx: SqlFigures(tx).read(NOW, budgets))
    assert found.budget_left == {"zultopup": 0}


async def test_all_figures_are_of_one_moment(address: Address) -> None:
    """Another process stores an order between two of the questions: it is not half seen."""
    async with opened(address) as database:

        def slowly(tx: Transaction) -> tuple[int, int]:
            before = SqlFigures(tx).read(NOW, BUDGETS)
            with transaction(address) as other:
                put_order(other, "O", "placed")
            after = SqlFigures(tx).read(NOW, BUDGETS)
            return len(before.orders), len(after.orders)

        assert await database.read(slowly) == (0, 0)
    assert rows(address, "SELECT COUNT(*) AS n FROM orders") == [{"n": 1}]


# --- what came of the calls -----------------------------------------------------------------------


async def test_calls_of_a_kind_are_counted_in_one_row_a_bucket(address: Address) -> None:
    async with opened(address) as database:
        for took in (0, 1, 50, 51, 100, 700, 30_000, 30_001, 3_600_000):
            await database.run(
                lambda tx, took=took: SqlFigures(tx).record_outcome(
                    "zultopup", Purpose.OPEN, CallOutcome.ANSWERED, took
                )
            )
        found = await database.read(lambda tx: SqlFigures(tx).read(NOW, BUDGETS))
    kind = {"supplier": "zultopup", "purpose": "open", "outcome": "answered"}
    assert found.calls == [
        CallCount(**kind, slower_than=0, calls=3, took=51),
        CallCount(**kind, slower_than=50, calls=2, took=151),
        CallCount(**kind, slower_than=500, calls=1, took=700),
        CallCount(**kind, slower_than=10_000, calls=1, took=30_000),
        CallCount(**kind, slower_than=30_000, calls=2, took=3_630_001),
    ]


def test_calls_of_different_kinds_are_counted_apart(tx: Transaction) -> None:
    book = SqlFigures(tx)
    book.record_outcome("zultopup", Purpose.OPEN, CallOutcome.ANSWERED, 10)
    book.record_outcome("zultopup", Purpose.OPEN, CallOutcome.UNKNOWN, 10)
    book.record_outcome("zultopup", Purpose.WATCH, CallOutcome.ANSWERED, 10)
    book.record_outcome("zonegame", Purpose.OPEN, CallOutcome.ANSWERED, 10)
    assert [(c.supplier, c.purpose, c.outcome, c.calls) for c in book.read(NOW, {}).calls] == [
        ("zonegame", "open", "answered", 1),
        ("zultopup", "open", "answered", 1),
        ("zultopup", "open", "unknown", 1),
        ("zultopup", "watch", "answered", 1),
    ]


def test_a_clock_that_was_set_back_takes_nothing_from_the_sum(tx: Transaction) -> None:
    book = SqlFigures(tx)
    book.record_outcome("zultopup", Purpose.OPEN, CallOutcome.ANSWERED, 40)
    book.record_outcome("zultopup", Purpose.OPEN, CallOutcome.ANSWERED, -3_600_000)
    (call,) = book.read(NOW, {}).calls
    assert (call.slower_than, call.calls, call.took) == (0, 2, 40)


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "answered_by"),
    [
        (figures._ORDERS, "SCAN orders USING COVERING INDEX orders_delivered"),
        (figures._CASES, "SCAN cases USING INDEX cases_to_remind"),
        (figures._OUTBOX, "SCAN outbox USING INDEX outbox_due"),
        (figures._UPDATES, "SCAN updates USING INDEX updates_waiting"),
        (figures._MADE, "SEARCH supplier_calls USING COVERING INDEX"),
    ],
    ids=["orders", "cases", "outbox", "updates", "calls made"],
)
def test_what_is_long_over_is_not_read_again(
    tmp_path: Path, question: str, answered_by: str
) -> None:
    wanted = {"supplier": "zultopup", "since": 0, "until": NOW}
    with fresh("sqlite", tmp_path) as address:
        plan = rows(address, f"EXPLAIN QUERY PLAN {question}", **wanted)
    assert plan[0]["detail"].startswith(answered_by)
