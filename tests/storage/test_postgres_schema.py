"""A server is looked at before it is used; in one line, without a password, why it cannot be."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from storage.address import PostgresServer
from storage.audit import audit
from storage.database import Row, Transaction
from storage.patience import CONNECTING
from storage.postgres_schema import _MIGRATING, migrate, reading, verify
from storage.schema import Unusable, newest
from tests.fakes.databases import rows, transaction
from tests.fakes.postgres import drop, new_database
from tests.storage.files import as_of, opened, put

SECRET = "s3cret"
NOBODY_THERE = "nobody answers there; is PostgreSQL running, and at this address?"
NOT_HERS = "this user may not do that; make it the owner of the database"
NO_SUCH = "no such database or user; create it first (createdb, createuser)"
BUSY = "others use it just now; stop the shop, or try again in a moment"
ASKED = [verify, migrate, audit]
_numbers = count(1)


@pytest.fixture
def empty() -> Iterator[PostgresServer]:
    server = new_database(empty=True)
    yield server
    drop(server)


@pytest.fixture(scope="module")
def there() -> Iterator[PostgresServer]:
    """A database that is as it should be; where it is, not what is in it."""
    server = new_database()
    yield server
    drop(server)


def reason(server: PostgresServer, ask: Callable[[PostgresServer], object] = verify) -> str:
    """Why it cannot be used."""
    with pytest.raises(Unusable) as caught:
        ask(server)
    said = str(caught.value)
    assert "\n" not in said
    assert SECRET not in said
    assert said.startswith(f"{server}: ")
    return said.removeprefix(f"{server}: ")


def at(uri: str) -> PostgresServer:
    return PostgresServer(uri=uri, shown="postgresql://shop@example/lapak")


def through(there: PostgresServer, *, user: str = "postgres", name: str = "") -> PostgresServer:
    """The same server, by its socket, with a password."""
    parts = urlsplit(there.uri)
    return at(f"postgresql://{user}:{SECRET}@/{name or parts.path[1:]}?{parts.query}")


@contextmanager
def made(there: PostgresServer, what: str, name: str, how: str) -> Iterator[str]:
    """Something else that the server has for a while."""
    name = f"{name}_{next(_numbers)}"
    with psycopg.connect(there.uri, autocommit=True) as owner:
        owner.execute(f"CREATE {what} {name} {how}")
        yield name
        owner.execute(f"DROP {what} {name}")


# --- whether the schema is ours ---


def test_a_database_with_todays_schema_may_be_used(there: PostgresServer) -> None:
    verify(there)
    with reading(there) as cursor:
        assert cursor.execute("SELECT COUNT(*) AS n FROM orders").fetchall() == [{"n": 0}]


@pytest.mark.parametrize("ask", [verify, audit])
def test_an_empty_database_is_refused_and_stays_empty(
    empty: PostgresServer, ask: Callable[[PostgresServer], object]
) -> None:
    assert reason(empty, ask) == "it is empty; run: lapak migrate"
    assert rows(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_what_lapak_migrate_was_told_to_do_makes_it_usable(empty: PostgresServer) -> None:
    assert migrate(empty) == newest()
    verify(empty)
    assert audit(empty) == []


@pytest.mark.parametrize("number", range(1, newest()))
def test_an_older_schema_is_refused(empty: PostgresServer, number: int) -> None:
    migrate(empty)
    with transaction(empty) as tx:
        tx.execute("UPDATE schema_version SET number = :number", {"number": number})
    wanted = f"its schema is {number}, this Lapak needs {newest()}; run: lapak migrate"
    assert reason(empty) == reason(empty, audit) == wanted


@pytest.mark.parametrize("ask", ASKED)
def test_a_newer_schema_is_refused(
    empty: PostgresServer, ask: Callable[[PostgresServer], object]
) -> None:
    migrate(empty)
    with transaction(empty) as tx:
        tx.execute("UPDATE schema_version SET number = number + 1")
    said = reason(empty, ask)
    assert f"schema {newest() + 1}, this one knows {newest()}" in said
    assert "start the newer version" in said
    assert "lapak migrate" not in said


def test_reading_one_moment_changes_nothing(there: PostgresServer) -> None:
    with reading(there) as cursor:
        assert cursor.execute("SELECT COUNT(*) AS n FROM transcript").fetchall() == [{"n": 0}]
        with transaction(there) as other:
            other.execute("INSERT INTO transcript VALUES ('a', 1, 'meanwhile')")
        assert cursor.execute("SELECT COUNT(*) AS n FROM transcript").fetchall() == [{"n": 0}]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            cursor.execute("DELETE FROM transcript")
    assert len(rows(there, "SELECT body FROM transcript")) == 1


# --- whether it answers ---


@pytest.mark.parametrize("ask", ASKED)
def test_nobody_at_the_address(ask: Callable[[PostgresServer], object]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert reason(at(f"postgresql://shop:{SECRET}@127.0.0.1:{port}/lapak"), ask) == NOBODY_THERE


def test_nobody_at_the_socket(tmp_path: Path) -> None:
    assert reason(at(f"postgresql://shop:{SECRET}@/lapak?host={tmp_path}")) == NOBODY_THERE


def test_somebody_who_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTING, "connect_timeout", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert reason(at(f"postgresql://shop:{SECRET}@127.0.0.1:{port}/lapak")) == NOBODY_THERE


@pytest.mark.parametrize(
    "uri",
    [
        f"postgresql://shop:{SECRET}%zz@127.0.0.1:1/lapak",
        f"postgresql://shop:x/{SECRET}?{SECRET}@127.0.0.1:1/lapak",
        f"postgresql://shop:x@127.0.0.1:1/lapak?{SECRET}=1",
        f"postgresql://shop:x@127.0.0.1:1/lapak?sslmode={SECRET}%00",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(uri: str) -> None:
    assert reason(at(uri)).startswith("LAPAK_DATABASE_URL is not understood; write % as %25")


@pytest.mark.parametrize("ask", ASKED)
def test_no_such_database(there: PostgresServer, ask: Callable[[PostgresServer], object]) -> None:
    assert reason(through(there, name="nothing"), ask) == NO_SUCH


def test_no_such_user(there: PostgresServer) -> None:
    assert reason(through(there, user="nobody")) == NO_SUCH


# --- whether it lets us in ---


@contextmanager
def asking_for_passwords(there: PostgresServer, user: str) -> Iterator[None]:
    """The server wants a password of that user, and lets everybody else in as before."""
    path = Path(
        rows(there, "SELECT setting FROM pg_settings WHERE name = 'hba_file'")[0]["setting"]
    )
    before = path.read_text()
    try:
        _obey(there, path, f"local all {user} scram-sha-256\n{before}")
        yield
    finally:
        _obey(there, path, before)


def _obey(there: PostgresServer, path: Path, wanted: str) -> None:
    """Write the server's rules, and return when it goes by them."""
    read_at = "SELECT pg_conf_load_time() AS at"
    before = rows(there, read_at)
    path.write_text(wanted)
    rows(there, "SELECT pg_reload_conf()")
    while rows(there, read_at) == before:
        pass


@pytest.mark.parametrize(
    ("password", "said"),
    [
        (f"not_{SECRET}", "the user or the password is not accepted"),
        ("", "a password is needed; put it into LAPAK_DATABASE_URL"),
    ],
)
def test_a_wrong_password_is_said_and_not_repeated(
    there: PostgresServer, monkeypatch: pytest.MonkeyPatch, password: str, said: str
) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    with made(there, "ROLE", "shop", f"LOGIN PASSWORD '{SECRET}'") as user:
        right = through(there, user=user)
        with asking_for_passwords(there, user):
            assert reason(right) == NOT_HERS
            for ask in ASKED:
                assert reason(at(right.uri.replace(SECRET, password)), ask) == said


def test_a_user_who_may_not_make_tables(empty: PostgresServer) -> None:
    with made(empty, "ROLE", "guest", "LOGIN") as user:
        said = reason(through(empty, user=user), migrate)
    assert said == NOT_HERS
    assert reason(empty) == "it is empty; run: lapak migrate"


def test_a_user_who_may_not_look(there: PostgresServer) -> None:
    with made(there, "ROLE", "guest", "LOGIN") as user:
        said = reason(through(there, user=user))
    assert said == NOT_HERS


# --- whether it can hold what we store ---


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_character(there: PostgresServer, encoding: str) -> None:
    how = f"TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
    with made(there, "DATABASE", "latin", how) as name:
        said = {reason(through(there, name=name), ask) for ask in ASKED}
    assert said == {"its encoding is not UTF8; create it with ENCODING 'UTF8'"}


# --- while it is being migrated ---


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a lock."""
    monkeypatch.setitem(CONNECTING, "options", "-c lock_timeout=50ms")


@pytest.mark.usefixtures("hasty")
def test_whoever_migrates_beside_a_shop_that_writes_changes_nothing(empty: PostgresServer) -> None:
    with as_of(1):
        migrate(empty)
    with transaction(empty) as shop:
        put(shop, "outbox")
        assert reason(empty, migrate) == BUSY
    assert reason(empty).startswith("its schema is 1")
    assert migrate(empty) == newest()


@pytest.mark.usefixtures("hasty")
def test_whoever_migrates_beside_another_who_does_changes_nothing(empty: PostgresServer) -> None:
    with transaction(empty) as another:
        another.fetch("SELECT pg_advisory_xact_lock(:lock)", {"lock": _MIGRATING})
        assert reason(empty, migrate) == BUSY
    assert reason(empty) == "it is empty; run: lapak migrate"
    assert migrate(empty) == newest()


async def test_a_shop_that_runs_while_a_column_is_added_does_not_notice(
    empty: PostgresServer,
) -> None:
    """Its plans for what it asks again and again are no longer good, and are made anew."""
    migrate(empty)
    async with opened(empty) as database:
        for _ in range(10):
            assert await database.run(everything) == []
            assert await database.read(everything) == []
        with transaction(empty) as tx:
            tx.execute("ALTER TABLE cases ADD COLUMN more BIGINT")
        assert await database.run(everything) == []
        assert await database.read(everything) == []


def everything(tx: Transaction) -> Sequence[Row]:
    return tx.fetch("SELECT * FROM cases WHERE order_id = :order_id", {"order_id": "O"})
