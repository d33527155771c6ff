"""The books are only ever added to, always balance, and no wallet is ever overdrawn."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from shop.ledger import ADJUSTMENT, HELD, QRIS, SALES, Entry, Line, Overdrawn, UnderWay, wallet
from shop.ledger import supplier as balance_at
from shop.payments import Arrival
from storage.address import Address, PostgresServer
from storage.audit import audit
from storage.database import Transaction
from storage.ledger import WALLETS, SqlLedger, SqlPayments
from storage.postgres import PostgresTransaction
from tests.fakes.databases import fresh, rows, transaction
from tests.storage.files import BROKEN_RULE, opened, put, refused
from tests.storage.servers import two

NOW = 1_795_150_800_000
BUDI, SITI = "web:budi", "web:siti"


@pytest.fixture
def ledger(tx: Transaction) -> SqlLedger:
    return SqlLedger(tx, part=3)


def entry(name: str, at: int = NOW, /, order_id: str = "", **amounts: int) -> Entry:
    """``budi`` and ``siti`` name wallets, ``zt`` our balance at ZulTopup."""
    accounts = {"budi": wallet(BUDI), "siti": wallet(SITI), "zt": balance_at("zultopup")}
    named = {accounts.get(account, account): amount for account, amount in amounts.items()}
    return Entry(id=name, at=at, amounts=named, order_id=order_id, event="paid", actor="web:owner")


def parts(tx: Transaction) -> dict[tuple[str, int], int]:
    found = tx.fetch("SELECT account, part, balance FROM accounts")
    return {(row["account"], row["part"]): row["balance"] for row in found}


def in_books(tx: Transaction) -> tuple[int, int]:
    """How many entries there are, and how many postings."""
    sql = "SELECT (SELECT COUNT(*) FROM entries) AS e, (SELECT COUNT(*) FROM postings) AS p"
    row = tx.fetch(sql)[0]
    return row["e"], row["p"]


def test_an_entry_changes_the_balance_of_each_of_its_accounts(ledger: SqlLedger) -> None:
    ledger.post(entry("a", qris=12_000, held=-12_000))
    ledger.post(entry("b", held=12_000, sales=-12_000))
    assert ledger.balance(QRIS) == 12_000
    assert ledger.balance(HELD) == 0
    assert ledger.balance(SALES) == -12_000
    assert ledger.balance("nothing") == 0


def test_l1_a_balance_is_the_sum_of_the_parts_of_every_process(tx: Transaction) -> None:
    for part in (0, 1, 2):
        SqlLedger(tx, part).post(entry(f"e{part}", qris=100 + part, budi=-100 - part))
    assert SqlLedger(tx, 9).balance(QRIS) == 303
    assert SqlLedger(tx, 9).credit_of(BUDI) == 303
    own = {(QRIS, 0): 100, (QRIS, 1): 101, (QRIS, 2): 102}
    assert parts(tx) == {**own, (wallet(BUDI), 0): -303}


def test_amounts_of_nothing_are_not_posted_and_the_entry_is_kept(
    tx: Transaction, ledger: SqlLedger
) -> None:
    """The opening of an account in which there is nothing is an opening."""
    ledger.post(entry("opening:zultopup", zt=0, adjustment=0))
    ledger.post(entry("opening:zonegame"))
    assert ledger.has("opening:zultopup")
    assert ledger.has("opening:zonegame")
    assert not ledger.has("opening:kiosgame")
    assert (in_books(tx), parts(tx)) == ((2, 0), {})


def test_an_entry_is_stored_with_all_it_says(tx: Transaction, ledger: SqlLedger) -> None:
    said = {"order_id": "O", "event": "paid", "actor": "web:owner", "reason": "salah tulis"}
    amounts = {QRIS: 5, ADJUSTMENT: -5}
    ledger.post(Entry(id="b", at=NOW, amounts=amounts, corrects="a", **said))
    found = [dict(row) for row in tx.fetch("SELECT * FROM entries")]
    assert found == [{"id": "b", "at": NOW, "corrects": "a", **said}]
    posted = tx.fetch("SELECT * FROM postings ORDER BY account")
    assert [dict(row) for row in posted] == [
        {"entry_id": "b", "account": ADJUSTMENT, "amount": -5, "at": NOW},
        {"entry_id": "b", "account": QRIS, "amount": 5, "at": NOW},
    ]


def test_l8_the_same_entry_is_never_posted_twice(tx: Transaction, ledger: SqlLedger) -> None:
    ledger.post(entry("once", qris=100, sales=-100))
    with refused(tx, r"(?i)unique"):
        ledger.post(entry("once", qris=100, sales=-100))
    assert (ledger.balance(QRIS), in_books(tx)) == (100, (1, 2))


def test_l3_a_wallet_gives_what_is_in_it_to_the_last_rupiah(ledger: SqlLedger) -> None:
    ledger.post(entry("in", qris=500, budi=-500))
    ledger.post(entry("out", budi=200, held=-200))
    assert ledger.credit_of(BUDI) == 300
    ledger.post(entry("rest", budi=300, held=-300))
    assert ledger.credit_of(BUDI) == 0


@pytest.mark.parametrize("too_much", [501, 5_000])
def test_l3_a_wallet_never_gives_more_than_is_in_it_and_nothing_is_posted_then(
    tx: Transaction, ledger: SqlLedger, too_much: int
) -> None:
    ledger.post(entry("in", qris=500, budi=-500))
    before = parts(tx), in_books(tx)
    with pytest.raises(Overdrawn):
        ledger.post(entry("out", budi=too_much, held=-too_much))
    assert (parts(tx), in_books(tx)) == before  # and the transaction goes on
    ledger.post(entry("out", budi=500, held=-500))
    assert ledger.credit_of(BUDI) == 0


def test_l3_a_wallet_that_nothing_was_ever_put_into_gives_nothing(
    tx: Transaction, ledger: SqlLedger
) -> None:
    with pytest.raises(Overdrawn):
        ledger.post(entry("out", budi=1, held=-1))
    assert (parts(tx), in_books(tx)) == ({}, (0, 0))


def test_l3_of_two_wallets_both_give_or_neither(tx: Transaction, ledger: SqlLedger) -> None:
    ledger.post(entry("in", qris=500, budi=-500))
    before = parts(tx), in_books(tx)
    with pytest.raises(Overdrawn):
        ledger.post(entry("out", budi=500, siti=1, held=-501))
    assert (parts(tx), in_books(tx)) == before


def test_l3_the_schema_itself_keeps_wallets_from_being_overdrawn(tx: Transaction) -> None:
    for row in [(wallet(BUDI), 0, 1), (wallet(BUDI), 1, -1)]:
        with refused(tx, r"(?i)check constraint"):
            put(tx, "accounts", **dict(zip(("account", "part", "balance"), row, strict=True)))
    put(tx, "accounts", account=wallet(BUDI), part=0, balance=-1)
    with refused(tx, r"(?i)check constraint"):
        tx.execute("UPDATE accounts SET balance = 1")


def test_every_account_is_listed_and_wallets_as_one_line(ledger: SqlLedger) -> None:
    assert ledger.balances() == [(WALLETS, 0)]
    ledger.post(entry("a", qris=900, budi=-500, siti=-400))
    ledger.post(entry("b", budi=500, held=-500))
    ledger.post(entry("c", held=500, sales=-500))
    assert ledger.balances() == [(HELD, 0), (QRIS, 900), (SALES, -500), (WALLETS, -400)]


def test_the_newest_lines_of_an_account_come_first_some_of_them_skipped(
    ledger: SqlLedger,
) -> None:
    for nth in range(4):
        ledger.post(entry(f"e{nth}", NOW + nth, f"O{nth}", qris=nth + 1, sales=-nth - 1))
    ledger.post(entry("other", NOW + 9, zt=7, adjustment=-7))
    assert ledger.lines(QRIS, 1) == [
        Line(at=NOW + 3, amount=4, event="paid", order_id="O3", actor="web:owner", reason="")
    ]
    assert [line.amount for line in ledger.lines(QRIS, 2, 1)] == [3, 2]
    assert [line.amount for line in ledger.lines(SALES, 99)] == [-4, -3, -2, -1]
    assert ledger.lines("nothing", 5) == []


def test_what_left_and_what_came_since_a_moment_are_told_apart(ledger: SqlLedger) -> None:
    for nth, amount in enumerate([1_000, -300, 50, -20]):
        ledger.post(entry(f"e{nth}", NOW + nth, zt=amount, adjustment=-amount))
    account = balance_at("zultopup")
    assert ledger.since(account, NOW) == UnderWay(leaving=320, coming=1_050)
    assert ledger.since(account, NOW + 1) == UnderWay(leaving=320, coming=50)
    assert ledger.since(account, NOW + 4) == UnderWay()
    assert ledger.since("nothing", 0) == UnderWay()


def test_what_was_posted_since_a_suppliers_balance_last_agreed_is_listed(
    ledger: SqlLedger,
) -> None:
    def amounts(most: int = 9) -> list[int]:
        return [line.amount for line in ledger.since_agreement("zultopup", most)]

    for nth in range(1, 5):
        ledger.post(entry(f"e{nth}", NOW + nth, zt=nth, adjustment=-nth))
    assert amounts() == [4, 3, 2, 1]  # they never agreed yet
    ledger.note_balance("zultopup", 99, NOW + 1, agrees=False)
    assert amounts(2) == [4, 3]
    ledger.note_balance("zultopup", 10, NOW + 2, agrees=True)
    assert amounts() == [4, 3]
    ledger.note_balance("zultopup", 9, NOW + 3, agrees=False)
    ledger.note_balance("zonegame", 9, NOW + 4, agrees=True)
    assert amounts() == [4, 3]
    ledger.note_balance("zultopup", 10, NOW + 4, agrees=True)
    assert amounts() == []


def test_what_a_supplier_last_said_is_known_whether_or_not_the_books_agree(
    tx: Transaction, ledger: SqlLedger
) -> None:
    assert ledger.last_said("zultopup") == 0
    ledger.note_balance("zultopup", 10, NOW, agrees=False)
    assert ledger.last_said("zultopup") == 10
    tx.execute("UPDATE supplier_balances SET compare_at = 77")
    ledger.note_balance("zultopup", 20, NOW + 1, agrees=True)
    assert ledger.last_said("zultopup") == 20
    ledger.note_balance("zultopup", 30, NOW + 2, agrees=False)
    (row,) = tx.fetch("SELECT * FROM supplier_balances")
    said = {"supplier": "zultopup", "said": 30, "said_at": NOW + 2}
    assert dict(row) == {**said, "agreed_at": NOW + 1, "compare_at": 77}


@pytest.fixture
def payments(tx: Transaction) -> SqlPayments:
    for name in ("O1", "O2"):
        put(tx, "orders", id=name, idempotency=name, price=1, cost=1, listed=1)
    return SqlPayments(tx)


def test_l8_a_payment_is_new_once_for_ever(payments: SqlPayments) -> None:
    assert payments.arrived("zultopup", "p1", "O1", 500, NOW) is Arrival.FIRST
    assert payments.arrived("zultopup", "p1", "O1", 500, NOW + 1) is Arrival.AGAIN
    assert payments.arrived("zultopup", "p1", "O1", 500, NOW + 10**11) is Arrival.AGAIN
    # Another's payment with the same name is another payment.
    assert payments.arrived("house", "p1", "O2", 700, NOW) is Arrival.FIRST


@pytest.mark.parametrize(("order_id", "amount"), [("O1", 501), ("O2", 500), ("O2", 1)])
def test_l8b_a_known_payment_that_says_something_else_is_told_and_not_stored(
    tx: Transaction, payments: SqlPayments, order_id: str, amount: int
) -> None:
    payments.arrived("zultopup", "p1", "O1", 500, NOW)
    assert payments.arrived("zultopup", "p1", order_id, amount, NOW + 1) is Arrival.DIFFERS
    (row,) = tx.fetch("SELECT * FROM payments")
    known = {"gateway": "zultopup", "payment_id": "p1", "order_id": "O1"}
    assert dict(row) == {**known, "amount": 500, "arrived_at": NOW}


def test_a_payment_for_an_order_that_there_is_not_is_refused(
    tx: Transaction, payments: SqlPayments
) -> None:
    with refused(tx, r"(?i)foreign key"):
        payments.arrived("zultopup", "p1", "NOBODY", 500, NOW)


@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
@pytest.mark.parametrize(
    ("table", "column"), [("entries", "at"), ("postings", "amount"), ("payments", "amount")]
)
def test_l2_what_was_posted_or_paid_is_never_changed_nor_deleted(
    tx: Transaction, payments: SqlPayments, table: str, column: str, change: str
) -> None:
    SqlLedger(tx).post(entry("a", qris=5, sales=-5))
    payments.arrived("zultopup", "p1", "O1", 500, NOW)
    before = [dict(row) for row in tx.fetch(f"SELECT * FROM {table}")]
    with refused(tx, "never"):
        tx.execute(change.format(table, column, 7))
    assert [dict(row) for row in tx.fetch(f"SELECT * FROM {table}")] == before


def test_l2_an_attempt_is_never_deleted_and_may_learn_what_it_cost(
    tx: Transaction, payments: SqlPayments
) -> None:
    put(tx, "attempts", order_id="O1", nth=1)
    assert tx.execute("UPDATE attempts SET charged = 5") == 1
    with refused(tx, "never"):
        tx.execute("DELETE FROM attempts")


@pytest.mark.parametrize("table", ["entries", "postings", "payments", "attempts"])
@pytest.mark.parametrize("kind", ["postgres"])
def test_l2_a_server_empties_none_of_them_at_once(tx: Transaction, table: str) -> None:
    with refused(tx, "never"):
        tx.execute(f"TRUNCATE {table} CASCADE")


def test_a_posting_of_nothing_is_refused(tx: Transaction, ledger: SqlLedger) -> None:
    ledger.post(entry("a", qris=5, sales=-5))
    with refused(tx, r"(?i)check constraint"):
        put(tx, "postings", entry_id="a", account=HELD, amount=0)


_AMOUNT = st.integers(-3_000, 3_000)
_POSTED = st.lists(
    st.tuples(st.sampled_from(["budi", "siti", "qris", "zt"]), _AMOUNT, st.integers(0, 2)),
    max_size=12,
)


@given(posted=_POSTED)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_l3_whatever_is_posted_the_books_are_those_of_a_careful_person(
    tx: Transaction, posted: list[tuple[str, int, int]]
) -> None:
    tx.execute("SAVEPOINT example")
    kept = {"budi": 0, "siti": 0, "qris": 0, "zt": 0}
    for nth, (account, amount, part) in enumerate(posted):
        ledger = SqlLedger(tx, part)
        new = entry(str(nth), **{account: amount, "adjustment": -amount})
        if account in {"budi", "siti"} and amount > 0 and kept[account] + amount > 0:
            with pytest.raises(Overdrawn):
                ledger.post(new)
        else:
            ledger.post(new)
            kept[account] += amount
    ledger = SqlLedger(tx)
    assert (ledger.credit_of(BUDI), ledger.credit_of(SITI)) == (-kept["budi"], -kept["siti"])
    assert ledger.balance(QRIS) == kept["qris"]
    assert ledger.balance(balance_at("zultopup")) == kept["zt"]
    assert sum(amount for _, amount in ledger.balances()) == 0
    tx.execute("ROLLBACK TO SAVEPOINT example")


async def test_l3_of_many_who_take_from_one_wallet_at_once_only_as_many_as_it_pays_for_get_it(
    address: Address,
) -> None:
    with transaction(address) as tx:
        SqlLedger(tx).post(entry("in", qris=1_000, budi=-1_000))

    def takes(name: str, part: int, tx: Transaction) -> None:
        SqlLedger(tx, part).post(entry(name, budi=300, adjustment=-300))

    works = [lambda tx, nth=nth: takes(f"out{nth}", nth, tx) for nth in range(8)]
    async with opened(address) as database:
        got = await asyncio.gather(*map(database.run, works), return_exceptions=True)
    assert [type(each) for each in got if each is not None] == [Overdrawn] * 5
    assert audit(address) == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    with fresh("postgres", tmp_path) as address:
        assert isinstance(address, PostgresServer)
        yield address


async def test_l3_two_processes_never_take_more_from_a_wallet_than_is_in_it(
    server: PostgresServer,
) -> None:
    with transaction(server) as tx:
        SqlLedger(tx).post(entry("in", qris=1_000, budi=-1_000))

    def takes(nth: int, tx: Transaction) -> None:
        SqlLedger(tx, nth % 2).post(entry(f"out{nth}", budi=300, adjustment=-300))

    works = [lambda tx, nth=nth: takes(nth, tx) for nth in range(8)]
    async with two(server) as (one, other):
        both = [(one, other)[nth % 2].run(work) for nth, work in enumerate(works)]
        got = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in got if each is not None] == [Overdrawn] * 5
    assert rows(server, "SELECT balance FROM accounts WHERE part = 0 AND account LIKE 'wallet:%'")
    assert audit(server) == []


def serializable(server: PostgresServer) -> psycopg.Connection[dict[str, Any]]:
    connection = psycopg.connect(server.uri, row_factory=dict_row)
    connection.execute("SET lock_timeout = '2s'")  # who would have to wait says so
    connection.commit()
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    return connection


def test_processes_with_parts_of_their_own_neither_wait_for_each_other_nor_conflict(
    server: PostgresServer,
) -> None:
    """Both post to the same accounts, each in the middle of the other's transaction."""
    with transaction(server) as tx:
        for part in (1, 2):
            SqlLedger(tx, part).post(entry(f"before{part}", qris=1, held=-1))
    with serializable(server) as one, serializable(server) as other:
        with one.cursor() as ours, other.cursor() as theirs:
            for part, cursor in ((1, ours), (2, theirs)):
                new = entry(f"e{part}", qris=10, held=-10)
                SqlLedger(PostgresTransaction(cursor), part).post(new)
        one.commit()
        other.commit()
    found = rows(server, "SELECT balance FROM accounts WHERE account = 'qris' ORDER BY part")
    assert [row["balance"] for row in found] == [11, 11]


def test_the_same_entry_is_refused_for_good(address: Address) -> None:
    with transaction(address) as tx:
        SqlLedger(tx).post(entry("once", qris=1, sales=-1))
    with pytest.raises(BROKEN_RULE), transaction(address) as tx:
        SqlLedger(tx, 5).post(entry("once", qris=1, sales=-1))
    assert rows(address, "SELECT part, balance FROM accounts WHERE account = 'qris'") == [
        {"part": 0, "balance": 1}
    ]
