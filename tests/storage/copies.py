"""A shop to copy, and what became of it, for the tests of backups."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.address import SqliteFile
from storage.audit import audit
from storage.backup import backup
from storage.schema import Unusable
from tests.fakes.databases import new_file
from tests.shop.samples import NOW
from tests.storage.files import one_transaction

MEGABYTE = 1 << 20
FILL = "INSERT INTO transcript VALUES ('web:filler', :seq, :body)"


def a_shop(folder: Path, *, megabytes: int = 0) -> Path:
    """A database of about that size: each step of the copying is one megabyte."""
    path = new_file(folder)
    with one_transaction(path) as tx:
        for seq in range(16 * megabytes):
            tx.execute(FILL, {"seq": seq, "body": "x" * (MEGABYTE // 16)})
    return path


def note(path: Path, words: str) -> None:
    """Somebody else's commit."""
    with one_transaction(path) as tx:
        tx.execute("INSERT INTO transcript VALUES ('web:a', :seq, '')", {"seq": int(words)})


def names(folder: Path) -> set[str]:
    """What lies there, but for what SQLite keeps beside a database in use."""
    return {found.name for found in folder.iterdir() if not found.name.endswith(("-wal", "-shm"))}


def broken(path: Path) -> list[str]:
    """What the audit finds."""
    return audit(SqliteFile(path=path))


def reason(source: Path, target: Path) -> str:
    """Why no copy can be made."""
    with pytest.raises(Unusable) as caught:
        backup(source, target, NOW)
    said = str(caught.value)
    assert "\n" not in said
    return said


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Every write beyond that fails, as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
