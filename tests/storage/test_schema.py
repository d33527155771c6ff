"""Any older database is brought to today's schema, once, whole, and without losing a row."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from storage.address import Address, SqliteFile
from storage.opening import migrate, prepare
from storage.schema import Unusable, migrations, newest
from tests.fakes.databases import fresh, transaction
from tests.fakes.postgres import drop, new_database
from tests.storage.files import BELONGING, as_of, found, put

TABLES = {
    "accounts",
    "accounts_used",
    "breakers",
    "matches",
    "outcomes",
    "players",
    "price_changes",
    "price_rules",
    "shelf_versions",
    "attempts",
    "balance_requests",
    "call_outcomes",
    "cases",
    "charges",
    "copied",
    "copied_orders",
    "entries",
    "inbox",
    "invoices",
    "offers",
    "order_events",
    "orders",
    "outbox",
    "payments",
    "price_questions",
    "supplier_health",
    "pictures",
    "postings",
    "price_lists",
    "sessions",
    "shown",
    "supplier_balances",
    "supplier_calls",
    "supplier_pauses",
    "transcript",
    "unasked",
    "updates",
}
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgres": """SELECT tablename AS name FROM pg_tables
                   WHERE schemaname = 'public' AND tablename <> 'schema_version'""",
}
_SCHEMA = {
    "sqlite": ["SELECT type, name, sql FROM sqlite_master ORDER BY type, name"],
    "postgres": [
        """SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default
           FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2""",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        """SELECT conrelid::regclass::text AS place, conname, pg_get_constraintdef(oid) AS says
           FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
        "SELECT pg_get_triggerdef(oid) AS says FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    ],
}
_VERSION = {
    "sqlite": "SELECT user_version AS number FROM pragma_user_version",
    "postgres": "SELECT number FROM schema_version",
}
_SET_VERSION = {
    "sqlite": "PRAGMA user_version = {number}",
    "postgres": "UPDATE schema_version SET number = {number}",
}
Rows = list[dict[str, Any]]


def kind_of(address: Address) -> str:
    return "sqlite" if isinstance(address, SqliteFile) else "postgres"


def tables(address: Address) -> set[str]:
    return {row["name"] for row in found(address, _TABLES[kind_of(address)])}


def schema(address: Address) -> list[Rows]:
    """Every table, index, rule and trigger."""
    return [found(address, sql) for sql in _SCHEMA[kind_of(address)]]


def content(address: Address) -> dict[str, Rows]:
    """Every row of every table."""
    return {
        name: sorted(found(address, f"SELECT * FROM {name}"), key=repr) for name in tables(address)
    }


def version(address: Address) -> int:
    return int(found(address, _VERSION[kind_of(address)])[0]["number"])


def reason(address: Address, what: Any = migrate) -> str:
    """Why the database cannot be used."""
    with pytest.raises(Unusable) as caught:
        what(address)
    said = str(caught.value)
    assert said.startswith(f"{address}: ")
    assert "\n" not in said
    return said


@pytest.fixture
def empty(kind: str, tmp_path: Path) -> Iterator[Address]:
    """A database without a single table."""
    if kind == "sqlite":
        yield SqliteFile(path=tmp_path / "lapak.db")
        return
    server = new_database(empty=True)
    yield server
    drop(server)


_RENAMED = {("invoices", "supplier"): "gateway"}
_MOVED = {("offers", "fetched_at")}  # to its list as a whole


def fill(address: Address) -> None:
    """A row in every table, two in the outbox."""
    others = sorted(tables(address) - {"orders"})
    with transaction(address) as tx:
        put(tx, "orders", id="O")
        for table in others:
            put(tx, table, **({"order_id": "O"} if table in BELONGING else {}))
        put(tx, "outbox", seq=2, message="2", order_id="")


@pytest.fixture(params=range(1, newest()))
def old(request: pytest.FixtureRequest, empty: Address) -> Address:
    """A database of an older version, with rows in every table."""
    with as_of(request.param):
        migrate(empty)
    assert version(empty) == request.param
    fill(empty)
    return empty


# --- numbers ---


def test_every_schema_number_up_to_the_newest_has_its_migration(kind: str) -> None:
    assert [number for number, _ in migrations(kind)] == list(range(1, newest() + 1))


def test_what_only_one_of_them_understands_comes_after_what_both_do() -> None:
    shared, file, server = (migrations(kind)[0][1] for kind in ("", "sqlite", "postgres"))
    assert file.startswith(shared)
    assert server.startswith(shared)
    assert "RAISE(ABORT" in file.removeprefix(shared)
    assert "plpgsql" in server.removeprefix(shared)


# --- a new database ---


def test_a_new_database_gets_the_whole_schema(empty: Address) -> None:
    assert migrate(empty) == newest()
    assert tables(empty) == TABLES
    assert version(empty) == newest()
    assert all(kept == [] for kept in content(empty).values())
    prepare(empty)


def test_migrating_again_changes_nothing(empty: Address) -> None:
    migrate(empty)
    fill(empty)
    before = schema(empty), content(empty)
    for _ in range(2):
        assert migrate(empty) == newest()
        prepare(empty)
    assert (schema(empty), content(empty)) == before


# --- an older one ---


def test_an_older_database_is_brought_to_todays_schema(
    old: Address, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert migrate(old) == version(old) == newest()
    with fresh(kind, tmp_path_factory.mktemp("new")) as new:
        assert schema(old) == schema(new)


def test_an_older_database_keeps_every_row(old: Address) -> None:
    before = content(old)
    migrate(old)
    after = content(old)
    for table, kept in before.items():
        assert kept
        assert len(after[table]) == len(kept)
        for was, now in zip(kept, after[table], strict=True):
            stays = {name: value for name, value in was.items() if (table, name) not in _MOVED}
            assert {name: now[_RENAMED.get((table, name), name)] for name in stays} == stays


def test_what_was_owed_by_the_first_version_goes_into_the_lane_of_its_kind(empty: Address) -> None:
    with as_of(1):
        migrate(empty)
    fill(empty)
    with transaction(empty) as tx:
        put(tx, "outbox", seq=3, message="3", order_id="O", due_at=None)
    migrate(empty)
    assert found(empty, "SELECT seq, lane, due_at FROM outbox ORDER BY seq") == [
        {"seq": 1, "lane": 0, "due_at": 1},
        {"seq": 2, "lane": 1, "due_at": 1},
        {"seq": 3, "lane": 0, "due_at": None},
    ]


def test_a_file_is_brought_up_to_date_by_whoever_opens_it_and_a_server_is_not(
    old: Address, kind: str
) -> None:
    was = version(old)
    if kind == "sqlite":
        prepare(old)
        assert version(old) == newest()
        return
    said = reason(old, prepare)
    assert said.endswith(f"its schema is {was}, this Lapak needs {newest()}; run: lapak migrate")
    assert version(old) == was


# --- what goes wrong ---


def test_a_migration_that_fails_midway_leaves_everything_as_it_was(empty: Address) -> None:
    with as_of(newest() - 1):
        migrate(empty)
    fill(empty)
    last = "breakers"  # made by one of the last statements of the newest migration
    with transaction(empty) as tx:
        tx.execute(f"CREATE TABLE {last} (mine TEXT)")
        tx.execute(f"INSERT INTO {last} VALUES ('kept')")
    before = schema(empty), content(empty), version(empty)
    assert last in reason(empty)
    assert (schema(empty), content(empty), version(empty)) == before
    with transaction(empty) as tx:
        tx.execute(f"DROP TABLE {last}")
    assert migrate(empty) == version(empty) == newest()


def test_a_first_migration_that_fails_leaves_nothing_behind(empty: Address) -> None:
    with transaction(empty) as tx:
        tx.execute("CREATE TABLE outbox (mine TEXT)")
        tx.execute("INSERT INTO outbox VALUES ('kept')")
    before = schema(empty)
    assert "outbox" in reason(empty)
    assert schema(empty) == before
    assert content_of_mine(empty) == [{"mine": "kept"}]
    assert "outbox" in reason(empty)


def content_of_mine(address: Address) -> Rows:
    return found(address, "SELECT mine FROM outbox")


@pytest.mark.parametrize("what", [migrate, prepare])
def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    empty: Address, kind: str, what: Any
) -> None:
    migrate(empty)
    with transaction(empty) as tx:
        tx.execute(_SET_VERSION[kind].format(number=newest() + 1))
    before = schema(empty)
    said = reason(empty, what)
    assert f"made by a newer Lapak (schema {newest() + 1}, this one knows {newest()})" in said
    assert (schema(empty), version(empty)) == (before, newest() + 1)


@pytest.mark.parametrize("from_version", range(newest()))
def test_of_many_who_migrate_at_once_one_does_it(empty: Address, from_version: int) -> None:
    if from_version:
        with as_of(from_version):
            migrate(empty)
        fill(empty)
    together = threading.Barrier(4)

    def at_once(_: int) -> int | str:
        together.wait(10)
        try:
            return migrate(empty)
        except Unusable as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        said = set(pool.map(at_once, range(4)))
    assert newest() in said
    # On a file, whoever comes while it is being done is told so.
    busy = f"{empty}: a shop already runs on this database; stop it first,"
    others = said - {newest()}
    assert all(isinstance(other, str) and other.startswith(busy) for other in others)
    assert not others or isinstance(empty, SqliteFile)
    assert version(empty) == newest()
    assert tables(empty) == TABLES
    assert len(content(empty)["outbox"]) == (2 if from_version else 0)
