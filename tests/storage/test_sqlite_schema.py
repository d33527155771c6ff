"""A SQLite file is brought up to date by whoever opens it; in one line, why it cannot be used."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from storage.schema import Unusable, newest
from storage.sqlite import SqliteTransaction, connect
from storage.sqlite_schema import only_one, prepare, version_of
from tests.fakes.databases import new_file
from tests.storage.files import put, rows

NOBODY = 65534


def reason(path: Path) -> str:
    """Why the database at ``path`` cannot be used."""
    with pytest.raises(Unusable) as caught:
        prepare(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "lapak.db"
    path.touch()
    prepare(path)
    assert version_of(path) == newest()
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    content = b"my shopping list\n" * 100
    path.write_bytes(content)
    assert "not a SQLite database" in reason(path)
    assert path.read_bytes() == content


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    said = reason(tmp_path / "nowhere" / "lapak.db")
    assert "nowhere" in said
    assert "does not exist" in said
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "lapak.db").mkdir()
    assert "cannot be opened" in reason(tmp_path / "lapak.db")


@pytest.fixture
def everyones_folder() -> Iterator[Path]:
    """A directory that other users may look into, as pytest's own may not be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """To root, nothing is read-only."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize(
    ("rights", "because"), [(0o444, "cannot be written"), (0o000, "cannot be opened")]
)
def test_a_database_that_cannot_be_written_is_said_at_the_start(
    everyones_folder: Path, rights: int, because: str
) -> None:
    path = new_file(everyones_folder)
    path.chmod(rights)
    everyones_folder.chmod(0o555)
    with without_roots_rights():
        said = reason(path)
    everyones_folder.chmod(0o755)
    assert because in said
    assert "permissions" in said


def test_s8_a_second_shop_on_the_same_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lapak.db"
    with only_one(path):
        with pytest.raises(Unusable, match="already runs"), only_one(path):
            raise AssertionError("two at once")
        with only_one(tmp_path / "other.db"):
            pass
    with only_one(path):
        pass


def test_the_lock_needs_its_directory(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="permissions"), only_one(tmp_path / "nowhere" / "lapak.db"):
        pass


_HOLD = """
import sys, time
from pathlib import Path
from storage.sqlite_schema import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.process
def test_the_lock_ends_with_the_process_however_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "lapak.db"
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(Unusable), only_one(path):
                pass
        finally:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
    with only_one(path):
        pass


@pytest.mark.parametrize(
    "sql",
    [
        "REPLACE INTO order_events VALUES ('A', 1, 'delivered', '', 'delivered', 1, '', '')",
        "INSERT OR REPLACE INTO order_events SELECT * FROM order_events",
        "REPLACE INTO orders SELECT * FROM orders",
    ],
)
def test_l2_history_is_not_replaced_either(path: Path, sql: str) -> None:
    with closing(connect(str(path))) as connection:
        tx = SqliteTransaction(connection)
        put(tx, "orders", id="A")
        put(tx, "order_events", order_id="A")
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(sql)
        assert connection.execute("SELECT COUNT(*) FROM order_events").fetchone()[0] == 1
