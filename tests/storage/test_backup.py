"""A copy made while the shop sells is sound and whole; where none can be made, nothing is left."""

import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pytest

from storage.backup import BackedUp, backup
from storage.schema import Unusable
from storage.sqlite_schema import prepare
from tests.shop.samples import NOW
from tests.storage.copies import (
    MEGABYTE,
    a_shop,
    broken,
    files_no_larger_than,
    names,
    note,
    reason,
)
from tests.storage.files import rows

ROOT = Path(__file__).parents[2]
ORDERS = "SELECT id FROM orders ORDER BY id"
COPIED = "SELECT at FROM copied ORDER BY at"


# --- what a copy is ---


def test_a_copy_is_one_private_file_that_says_when_it_was_made(tmp_path: Path) -> None:
    shop, target = a_shop(tmp_path, megabytes=2), tmp_path / "copy.db"
    made = backup(shop, target, NOW)
    assert made == BackedUp(path=target, bytes=target.stat().st_size, orders=0)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert rows(target, "PRAGMA journal_mode") == [("delete",)]
    assert rows(target, COPIED) == [(NOW,)]
    assert names(tmp_path) == {"lapak.db", "copy.db"}


def test_the_database_that_was_copied_is_left_as_it_was(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, megabytes=2)
    before = shop.read_bytes()
    backup(shop, tmp_path / "copy.db", NOW)
    assert rows(shop, COPIED) == []
    assert rows(shop, "PRAGMA journal_mode") == [("wal",)]
    assert shop.read_bytes() == before


def test_a_copy_holds_what_is_in_no_file_but_the_wal_yet(tmp_path: Path) -> None:
    shop, target = a_shop(tmp_path), tmp_path / "copy.db"
    with closing(sqlite3.connect(shop)) as idle:  # keeps the wal from being folded in
        idle.execute("SELECT 1 FROM orders").fetchall()
        note(shop, "7")
        assert (tmp_path / "lapak.db-wal").stat().st_size > 0
        backup(shop, target, NOW)
    assert rows(target, "SELECT seq FROM transcript") == [(7,)]


def test_d2_a_restored_copy_is_a_shop_that_knows_it_was_restored(tmp_path: Path) -> None:
    (tmp_path / "restored").mkdir()
    restored = tmp_path / "restored/lapak.db"
    backup(a_shop(tmp_path, megabytes=1), restored, NOW)
    prepare(restored)  # as at any start
    assert rows(restored, "PRAGMA journal_mode") == [("wal",)]
    assert rows(restored, COPIED) == [(NOW,)]
    assert broken(restored) == []


def test_a_copy_of_a_copy_keeps_the_older_mark(tmp_path: Path) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    backup(a_shop(tmp_path), first, NOW)
    backup(first, second, NOW + 1)
    backup(first, tmp_path / "third.db", NOW)
    assert rows(second, COPIED) == [(NOW,), (NOW + 1,)]
    assert rows(tmp_path / "third.db", COPIED) == [(NOW,)]


@pytest.mark.parametrize("name", ["a?b.db", "a#b.db", "a%20b.db", "a b.db", "ä.db"])
def test_any_file_name_is_that_file(tmp_path: Path, name: str) -> None:
    backup(a_shop(tmp_path), tmp_path / name, NOW)
    assert names(tmp_path) == {"lapak.db", name}


# --- while the shop sells ---

_SELL = """
import asyncio, sys
from pathlib import Path
from itertools import count
from shop.suppliers import InvoiceState
from tests.storage.files import opened
from tests.storage.stories import books_of, dropship

async def main():
    said = list(InvoiceState)
    async with opened(Path(sys.argv[1])) as database:
        for nth in count():
            name, state = f"ORDER{nth:06}", said[nth % len(said)]
            await database.run(lambda tx: dropship(books_of(tx), name, state) and None)
            print(name, flush=True)

asyncio.run(main())
"""


@contextmanager
def selling(path: Path) -> Iterator[Iterator[str]]:
    """A process that sells without end; gives the number of each order once it is stored."""
    command = [sys.executable, "-c", _SELL, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as shop:
        assert shop.stdout is not None
        try:
            yield (line.strip() for line in shop.stdout)
        finally:
            shop.kill()


@pytest.mark.process
def test_d2_a_copy_made_while_the_shop_sells_is_whole_and_of_one_moment(tmp_path: Path) -> None:
    shop, target = a_shop(tmp_path, megabytes=4), tmp_path / "copy.db"
    during: list[str] = []
    with selling(shop) as stored:
        before = [next(stored) for _ in range(20)]
        # Between two steps, three more sales: the copying neither holds them up nor begins anew.
        made = backup(shop, target, NOW, rest=lambda: during.extend(next(stored) for _ in range(3)))
    assert broken(target) == []
    copied = [name for (name,) in rows(target, ORDERS)]
    assert copied[: len(before)] == before
    assert copied == [name for (name,) in rows(shop, ORDERS)][: made.orders]
    assert 12 <= len(during) < 40
    assert len(rows(shop, ORDERS)) > made.orders
    assert rows(shop, COPIED) == []
    assert broken(shop) == []


def test_what_is_stored_during_the_copying_is_not_in_the_copy(tmp_path: Path) -> None:
    shop, target = a_shop(tmp_path, megabytes=3), tmp_path / "copy.db"
    note(shop, "0")
    later = count(1)
    backup(shop, target, NOW, rest=lambda: note(shop, str(next(later))))
    mine = "SELECT seq FROM transcript WHERE address = 'web:a'"
    assert rows(target, mine) == [(0,)]
    assert len(rows(shop, mine)) > 3


# --- cut short ---

_STAND_STILL = """
import signal, sys, time
from pathlib import Path
from storage.backup import backup

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs

def rest():
    print("midway", flush=True)
    time.sleep(60)

backup(Path(sys.argv[1]), Path(sys.argv[2]), 1, rest=rest)
"""


@contextmanager
def standing_still(shop: Path, target: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has copied the first megabyte, and no more."""
    command = [sys.executable, "-c", _STAND_STILL, str(shop), str(target)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "midway\n"
            yield process
        finally:
            process.kill()


@pytest.mark.process
def test_a_copy_that_is_killed_midway_has_no_name_and_the_next_one_clears_up(
    tmp_path: Path,
) -> None:
    shop, target = a_shop(tmp_path, megabytes=3), tmp_path / "copy.db"
    with standing_still(shop, target) as process:
        process.kill()
    left = names(tmp_path) - {"lapak.db"}
    assert "copy.db" not in left
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in left} == {0o600}
    backup(shop, target, NOW)
    assert names(tmp_path) == {"lapak.db", "copy.db"}


@pytest.mark.process
def test_a_copy_that_is_interrupted_clears_up_itself(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, megabytes=3)
    with standing_still(shop, tmp_path / "copy.db") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) != 0
    assert names(tmp_path) == {"lapak.db"}


def test_clearing_up_spares_a_copy_that_is_under_way(tmp_path: Path) -> None:
    shop, first, second = a_shop(tmp_path, megabytes=2), tmp_path / "1.db", tmp_path / "2.db"

    def another() -> None:
        if not second.exists():
            backup(shop, second, NOW)

    backup(shop, first, NOW, rest=another)
    assert names(tmp_path) == {"lapak.db", "1.db", "2.db"}
    assert broken(first) == broken(second) == []


def test_copying_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, megabytes=3)
    with pytest.raises(Unusable, match="within 0 seconds"):
        backup(shop, tmp_path / "copy.db", NOW, within=0)
    assert names(tmp_path) == {"lapak.db"}


def test_room_that_runs_out_midway_leaves_nothing_half_written(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, megabytes=3)
    with files_no_larger_than(2 * MEGABYTE):
        assert "cannot be written" in reason(shop, tmp_path / "copy.db")
    assert names(tmp_path) == {"lapak.db"}


def test_a_disk_without_room_for_the_copy_is_not_filled_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, megabytes=1)
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=MEGABYTE // 2))
    assert "disk is full" in reason(shop, tmp_path / "copy.db")
    assert names(tmp_path) == {"lapak.db"}
