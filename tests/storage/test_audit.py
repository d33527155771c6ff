"""The audit is silent about sound books, and goes red for each invariant that is broken by hand."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import psycopg
import pytest

from shop.notices import Notice, NoticeKind
from storage.address import Address, PostgresServer, SqliteFile
from storage.audit import RULES, audit
from storage.money_invariants import WHOLE_RUPIAH
from storage.opening import held
from storage.schema import Unusable
from storage.sqlite import connect
from tests.fakes.databases import fresh, rows, transaction
from tests.fakes.postgres import drop, new_database
from tests.shop.samples import NOW, OWNER
from tests.storage.damages import DAMAGES, DAMAGES_OF_A_FILE, MORE_DAMAGES, PREVENTED
from tests.storage.files import Shared
from tests.storage.stories import books_of, kept, told_again, with_orders


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Books of each kind with an order in every interesting status, all its messages sent."""
    with ExitStack() as stack:

        def tell(kind: str) -> Address:
            return kept(
                with_orders(stack.enter_context(fresh(kind, tmp_path_factory.mktemp(kind))))
            )

        yield cache(tell)


@pytest.fixture
def sold(kind: str, told: Shared, tmp_path: Path) -> Address:
    """Those books, for the test to break."""
    return told_again(told(kind), tmp_path)


def damage(address: Address, sql: str) -> None:
    """Change it behind the shop's back: no trigger and no foreign key is in the way."""
    if isinstance(address, SqliteFile):
        with closing(sqlite3.connect(address.path)) as file:
            for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                file.execute(f"DROP TRIGGER {name}")
            file.executescript(sql)
            file.commit()
        return
    with psycopg.connect(address.uri) as server:
        server.execute("SET session_replication_role = replica")
        server.execute(sql)


def ids(broken: list[str]) -> set[str]:
    return {line.partition(" ")[0] for line in broken}


def test_sound_books_are_silent(sold: Address) -> None:
    assert audit(sold) == []


def test_empty_books_are_silent(address: Address) -> None:
    assert audit(address) == []


def test_every_rule_is_broken_once_below() -> None:
    prevented = {line.partition(" ")[2].partition(":")[0] for line in PREVENTED}
    assert {*DAMAGES, *prevented} == {rule.says for rule in RULES}
    assert WHOLE_RUPIAH.id in {begins for begins, _ in DAMAGES_OF_A_FILE}


@pytest.mark.parametrize("says", DAMAGES)
def test_each_rule_goes_red_when_what_it_says_is_broken(sold: Address, says: str) -> None:
    sql, named = DAMAGES[says]
    damage(sold, sql)
    broken = audit(sold)
    assert any(f" {says}: " in line for line in broken)
    assert ids(broken) == named


@pytest.mark.parametrize("line", PREVENTED)
def test_what_the_schema_prevents_is_named_all_the_same(
    kind: str, line: str, tmp_path: Path
) -> None:
    lifted, sql = PREVENTED[line]
    with fresh(kind, tmp_path) as address:
        with_orders(address)
        damage(address, f"{lifted[kind]} {sql}")
        assert line in audit(address)


@pytest.mark.parametrize(("begins", "sql"), MORE_DAMAGES)
def test_other_damage_is_named_too(sold: Address, begins: str, sql: str) -> None:
    damage(sold, sql)
    assert any(line.startswith(begins) for line in audit(sold))


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(("begins", "sql"), DAMAGES_OF_A_FILE)
def test_damage_that_only_a_file_can_take_is_named_too(
    sold: Address, begins: str, sql: str
) -> None:
    damage(sold, sql)
    assert any(line.startswith(begins) for line in audit(sold))


def test_a_broken_order_is_named(sold: Address) -> None:
    damage(sold, "UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'")
    (line,) = audit(sold)
    assert line.endswith(": AWAITING")
    assert "\n" not in line


@pytest.mark.parametrize("kind", ["sqlite"])
def test_d1_a_file_full_of_rubbish_is_never_called_sound(sold: SqliteFile) -> None:
    with closing(connect(str(sold.path))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(sold.path.read_bytes())
    page = 4096
    content[2 * page : 12 * page] = b"\xa5" * (10 * page)
    sold.path.write_bytes(content)
    try:
        broken = audit(sold)
    except Unusable:
        return
    assert broken


def test_a_missing_file_is_said_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no such database"):
        audit(SqliteFile(path=tmp_path / "lapak.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_database_of_a_server_is_said(shared: Shared) -> None:
    server = shared("postgres")
    assert isinstance(server, PostgresServer)
    missing = PostgresServer(uri=server.uri.replace("/lapak_", "/no_"), shown="postgresql://h/no")
    with pytest.raises(Unusable, match=r"^postgresql://h/no: no such database"):
        audit(missing)


def test_a_server_without_the_tables_is_not_called_sound() -> None:
    server = new_database(empty=True)
    with pytest.raises(Unusable, match=r"it is empty; run: lapak migrate$"):
        audit(server)
    drop(server)


def test_the_audit_runs_beside_a_shop_in_the_middle_of_a_write(sold: Address) -> None:
    with held(sold):
        with transaction(sold) as writer:
            writer.execute("UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'")
            assert audit(sold) == []  # it sees what is committed
        assert ids(audit(sold)) == {"O13"}


def test_the_audit_changes_nothing(path: Path) -> None:
    with_orders(SqliteFile(path=path))
    before = {found.name: found.read_bytes() for found in path.parent.glob("*.db")}
    audit(SqliteFile(path=path))
    assert {found.name: found.read_bytes() for found in path.parent.glob("*.db")} == before


def test_o8_a_qr_that_was_never_shown_breaks_no_promise(sold: Address) -> None:
    damage(
        sold,
        """
        UPDATE invoices SET amount = 99999 WHERE order_id = 'AWAITING';
        UPDATE outbox SET sent_at = NULL WHERE order_id = 'AWAITING' AND kind = 'qr'
        """,
    )
    assert audit(sold) == []


def test_m1_cases_alerts_and_pictures_of_receipts_are_the_owners_business(sold: Address) -> None:
    receipt = Notice(key="r", kind=NoticeKind.RECEIPT, address="", order_id="CLAIMED")
    with transaction(sold) as tx:
        books_of(tx).outbox.owe_owners(receipt, NOW)
    sql = "SELECT DISTINCT kind FROM outbox WHERE address = :owner AND order_id <> '' ORDER BY kind"
    assert rows(sold, sql, owner=OWNER) == [{"kind": "case"}, {"kind": "receipt"}]
    assert audit(sold) == []


def test_o3_a_qr_that_the_shop_draws_itself_was_asked_for_nowhere(sold: Address) -> None:
    drawn = "SELECT event FROM order_events WHERE order_id = 'QRIS' ORDER BY version"
    assert [row["event"] for row in rows(sold, drawn)] == ["placed", "invoice_opened"]
    assert audit(sold) == []


def test_l7_a_wallet_is_named_without_its_person(sold: Address) -> None:
    damage(sold, "UPDATE orders SET excess = excess + 1 WHERE id = 'EXCESS'")
    (line,) = audit(sold)
    assert line.endswith(": EXCESS (sales, wallet)")


def test_l8c_an_amount_that_was_paid_may_be_waited_for_again(sold: Address) -> None:
    damage(
        sold,
        """
        UPDATE invoices SET amount = (SELECT amount FROM invoices WHERE order_id = 'QRIS')
        WHERE order_id = 'PAID'
        """,
    )
    assert audit(sold) == []


def test_the_rules_name_invariants_of_the_design() -> None:
    orders = {"O1", "O1b", "O2", "O2b", "O3", "O3b", "O4", "O5", "O6b", "O8", "O8b", "O13"}
    money = {"L1", "L1b", "L3", "L6", "L7", "L8c", "L10"}
    assert {rule.id for rule in RULES} == orders | money | {"M1", "M2", "M3"}
