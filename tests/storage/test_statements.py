"""Every statement is understood by both databases, and means the same to them."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

import storage
from storage.audit import RULES
from storage.database import CLAIMED, Transaction
from storage.postgres import PostgresTransaction, translated
from tests.fakes.databases import KINDS

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
# Of a SQLite file, and of nothing else.
ABOUT_A_FILE = {"backup", "sqlite", "sqlite_schema"}
# Of a server, and of nothing else.
ABOUT_A_SERVER = {"postgres_schema", "presence", "doorbell", "postgres"}
# The parameters that are texts; but for one, the others are whole numbers.
TEXTS = {
    "about",
    "account",
    "actor",
    "address",
    "after",
    "answer",
    "asks",
    "became",
    "body",
    "channel",
    "corrects",
    "digest",
    "draft",
    "event",
    "evidence",
    "facts",
    "form",
    "game",
    "good",
    "gateway",
    "id",
    "item",
    "key",
    "kind",
    "language",
    "last_id",
    "last_input",
    "link",
    "message",
    "message_id",
    "method",
    "query",
    "told_ref",
    "trust",
    "number",
    "order_id",
    "outcome",
    "payment_id",
    "payout",
    "pending",
    "pending_by",
    "purpose",
    "qr",
    "reason",
    "ref",
    "returned",
    "scope",
    "serial",
    "server",
    "sku",
    "slot",
    "status",
    "step",
    "supplier",
    "supplier_ref",
    "target",
    "user_id",
    "was",
    "was_status",
    "why",
}


class Values(dict[str, Any]):
    """A value for whatever a statement asks for, and the names it asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def __missing__(self, name: str) -> str | int | bytes:
        self.asked.add(name)
        if name == "bytes":
            return b""
        return "1" if name in TEXTS else 1  # an ``id`` is a text here, and a number there


def statements() -> Iterator[tuple[str, str]]:
    """Every constant of the package that is a statement, and every rule of the audit."""
    for found in iter_modules(storage.__path__):
        module = import_module(f"storage.{found.name}")
        for name, value in vars(module).items():
            # What has a gap in it is not a statement yet; what fills the gap makes it another one.
            if isinstance(value, str) and value.strip().startswith(VERBS) and "{" not in value:
                yield f"{found.name}.{name}", value
    for nth, rule in enumerate(RULES):
        yield f"audit.{rule.id}.{nth}", rule.sql


FOUND = dict(statements())


def is_for(name: str, kind: str) -> bool:
    others = ABOUT_A_FILE if kind == "postgres" else ABOUT_A_SERVER
    return name.partition(".")[0] not in others


def test_there_are_as_many_as_there_should_be() -> None:
    modules = {name.partition(".")[0] for name in FOUND}
    assert len(FOUND) > 150
    assert modules >= {"orders", "cases", "outbox", "shelf", "calls", "sessions", "updates"}
    assert modules >= {"transcript", "copies", "figures", "audit", "ledger", "money_invariants"}


EACH = [(kind, name) for name in FOUND for kind in KINDS if is_for(name, kind)]


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_every_statement_is_understood(tx: Transaction, name: str) -> None:
    assert tx.fetch(f"EXPLAIN {FOUND[name]}", parameters_of(FOUND[name]))


@pytest.mark.parametrize("kind", ["postgres"])
def test_no_answer_is_of_a_type_that_only_one_of_them_has(tx: Transaction) -> None:
    """A sum of BIGINT is NUMERIC, a quotient may be one: Python would get a Decimal."""
    assert isinstance(tx, PostgresTransaction)
    seen: dict[str, set[str]] = {}
    for name, sql in FOUND.items():
        if is_for(name, "postgres") and sql.strip().startswith("SELECT"):
            tx.fetch(sql, parameters_of(sql))
            for column in tx._cursor.description or ():
                seen.setdefault(column.type_display, set()).add(f"{name}: {column.name}")
    assert set(seen) <= {"int4", "int8", "text", "bytea", "bool"}, seen


def parameters_of(sql: str) -> Mapping[str, Any]:
    """A value for each name in a statement, of the type of that name."""
    values = Values()
    _ = translated(sql) % values
    return {name: values[name] for name in values.asked}


def test_what_only_one_of_them_understands_is_found(tx: Transaction, kind: str) -> None:
    theirs = {
        "postgres": "INSERT OR IGNORE INTO transcript VALUES (:address, :seq, :body)",
        "sqlite": "SELECT seq::text FROM transcript WHERE seq = ANY(:seqs)",
    }
    with pytest.raises(Exception, match=r"(?i)syntax|token|unrecognized"):
        tx.fetch(f"EXPLAIN {theirs[kind]}", parameters_of(theirs[kind]))


# --- how it is said to PostgreSQL ---


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT 1", "SELECT 1"),
        ("WHERE id = :id AND at>:now", "WHERE id = %(id)s AND at>%(now)s"),
        ("VALUES (:a,:b_c, :a)", "VALUES (%(a)s,%(b_c)s, %(a)s)"),
        (":a::text || '%'", "%(a)s::text || '%%'"),
        ("n::BIGINT % 2", "n::BIGINT %% 2"),
        ("LIKE '%(name)s'", "LIKE '%%(name)s'"),
        ("'12:30' || '{a:b}'", "'12:30' || '{a:b}'"),
        (f"FROM orders o LIMIT 1 {CLAIMED}", "FROM orders o LIMIT 1 FOR UPDATE OF o SKIP LOCKED"),
        ("/* claimed by :who */", "/* claimed by %(who)s */"),
    ],
)
def test_a_statement_is_said_in_the_words_of_psycopg(ours: str, theirs: str) -> None:
    assert translated(ours) == theirs


def test_what_is_no_parameter_stays_what_it_is(tx: Transaction) -> None:
    sql = "SELECT '100%' AS a, '%s %(x)s %%' AS b, 7 % 4 AS c, 'at 12:30' AS d"
    wanted = {"a": "100%", "b": "%s %(x)s %%", "c": 3, "d": "at 12:30"}
    assert [dict(row) for row in tx.fetch(sql)] == [wanted]
    with_one = [dict(row) for row in tx.fetch(f"{sql}, :e AS e", {"e": "%(e)s"})]
    assert with_one == [{**wanted, "e": "%(e)s"}]


def test_the_same_parameter_may_be_used_many_times_and_others_not_at_all(tx: Transaction) -> None:
    sql = "SELECT seq FROM transcript WHERE address = :a OR body = :a OR seq = :n"
    tx.execute("INSERT INTO transcript VALUES ('x', 1, 'y')")
    values = {"a": "y", "n": 5, "unused": None}
    assert [row["seq"] for row in tx.fetch(sql, values)] == [1]


def test_a_parameter_that_is_missing_is_never_taken_for_nothing(tx: Transaction) -> None:
    with pytest.raises(Exception, match=r"seq|binding"):
        tx.fetch("SELECT 1 FROM transcript WHERE seq = :seq", {"other": 1})


def test_rows_touched_are_counted_alike(tx: Transaction) -> None:
    """Also of those that a conflict left alone, and of those that were touched but not changed."""
    put = "INSERT INTO transcript VALUES ('a', :seq, '') ON CONFLICT (address, seq) DO NOTHING"
    assert [tx.execute(put, {"seq": seq}) for seq in (1, 1, 2)] == [1, 0, 1]
    assert tx.execute("UPDATE transcript SET body = ''") == 2
    assert tx.execute("UPDATE transcript SET body = '' WHERE seq = 9") == 0
    found = tx.fetch("DELETE FROM transcript WHERE seq = 1 RETURNING seq, body")
    assert [dict(row) for row in found] == [{"seq": 1, "body": ""}]
    assert tx.execute("DELETE FROM transcript") == 1
