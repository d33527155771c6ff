"""Where no copy can be made, it is said in one line, and nothing is left or overwritten."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from storage.backup import backup
from storage.schema import Unusable
from tests.shop.samples import NOW
from tests.storage.copies import a_shop, files_no_larger_than, names, reason
from tests.storage.files import one_transaction

NOBODY = 65534


def test_a_database_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    said = reason(tmp_path / "lapak.db", tmp_path / "copy.db")
    assert "no such database" in said
    assert names(tmp_path) == set()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_bytes(b"my shopping list\n" * 100)
    assert "not a SQLite database" in reason(notes, tmp_path / "copy.db")
    assert names(tmp_path) == {"notes.txt"}


def test_a_damaged_database_is_not_copied_as_if_it_were_sound(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    with closing(sqlite3.connect(shop)) as careless:
        careless.execute("INSERT INTO pictures (order_id, bytes) VALUES ('NOBODY', x'00')")
        careless.commit()
    assert "damaged" in reason(shop, tmp_path / "copy.db")
    assert names(tmp_path) == {"lapak.db"}


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_what_exists_is_never_overwritten(tmp_path: Path, ending: str) -> None:
    shop, there = a_shop(tmp_path), tmp_path / f"copy.db{ending}"
    there.write_text("mine")
    said = reason(shop, tmp_path / "copy.db")
    assert f"copy.db{ending}: exists already" in said
    assert there.read_text() == "mine"


def test_a_link_to_nowhere_exists_too(tmp_path: Path) -> None:
    (tmp_path / "copy.db").symlink_to(tmp_path / "nowhere.db")
    assert "exists already" in reason(a_shop(tmp_path), tmp_path / "copy.db")
    assert not (tmp_path / "nowhere.db").exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten_either(tmp_path: Path) -> None:
    shop, target = a_shop(tmp_path, megabytes=2), tmp_path / "copy.db"

    def somebody_writes() -> None:
        target.write_text("mine")

    with pytest.raises(Unusable, match="exists already"):
        backup(shop, target, NOW, rest=somebody_writes)
    assert target.read_text() == "mine"
    assert names(tmp_path) == {"lapak.db", "copy.db"}


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = reason(a_shop(tmp_path), tmp_path / "nowhere/copy.db")
    assert "nowhere does not exist" in said
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["lapak.db", "lapak.db-journal", "lapak.db.lock", "link.db"])
def test_the_shops_own_files_are_no_place_for_a_copy(tmp_path: Path, name: str) -> None:
    shop = a_shop(tmp_path)
    (tmp_path / "link.db").hardlink_to(shop)
    before = shop.read_bytes()
    assert "the shop's own" in reason(shop, tmp_path / name)
    assert shop.read_bytes() == before


def test_a_name_that_the_disk_does_not_take_is_said_in_one_line(tmp_path: Path) -> None:
    said = reason(a_shop(tmp_path), tmp_path / ("long" * 70))
    assert "too long" in said
    assert names(tmp_path) == {"lapak.db"}


@pytest.fixture
def everyones_folder() -> Iterator[Path]:
    """A directory that other users may look into, as pytest's own may not be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """To root, everything is allowed."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_directory_that_may_not_be_written_is_named(everyones_folder: Path) -> None:
    shop, closed = a_shop(everyones_folder), everyones_folder / "closed"
    shop.chmod(0o666)
    closed.mkdir(mode=0o555)
    with without_roots_rights():
        said = reason(shop, closed / "copy.db")
    assert "permissions of its directory" in said
    assert names(closed) == set()


def test_a_database_that_may_not_be_read_is_named(everyones_folder: Path) -> None:
    shop = a_shop(everyones_folder)
    shop.chmod(0o000)
    with without_roots_rights():
        said = reason(shop, everyones_folder / "copy.db")
    assert "cannot be opened" in said
    assert names(everyones_folder) == {"lapak.db"}


def test_a_schema_without_the_mark_of_a_copy_is_brought_up_to_date_first(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    with one_transaction(shop) as tx:
        tx.execute("DROP TABLE copied")
        tx.execute("PRAGMA user_version=1")
    said = reason(shop, tmp_path / "copy.db")
    assert "older" in said
    assert "lapak migrate" in said
    assert names(tmp_path) == {"lapak.db"}


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_refusals_leave_no_file_open(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    (tmp_path / "copy.db").touch()
    before = open_files()
    for _ in range(5):
        reason(shop, tmp_path / "copy.db")
        with pytest.raises(Unusable), files_no_larger_than(4096):
            backup(shop, tmp_path / "other.db", NOW)
    assert open_files() == before
