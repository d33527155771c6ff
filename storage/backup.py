"""A consistent copy of a shop's SQLite database, made while the shop runs."""

import errno
import fcntl
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shop.time import MINUTE, SECOND, Millis
from storage.schema import Unusable
from storage.sqlite import connect

_STEP: Final = 256  # pages at a time: one megabyte
_REST: Final = 0.002  # seconds between two of them, in which the disk is the shop's alone
_PART: Final = ".lapak-part"  # how the name of an unfinished copy ends
_BESIDE: Final = ("-wal", "-shm", "-journal")  # SQLite believes what it finds beside a database

_SIZE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
_KNOWS_COPIES = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'copied'"
_MARK = "INSERT INTO copied (at) VALUES (:at) ON CONFLICT (at) DO NOTHING"
_ORDERS = "SELECT COUNT(*) FROM orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A finished copy: where it is, its size in bytes, and how many orders it knows."""

    path: Path
    bytes: int
    orders: int


def _rest() -> None:
    time.sleep(_REST)


def backup(
    source: Path,
    target: Path,
    now: Millis,
    *,
    rest: Callable[[], None] = _rest,
    within: Millis = 30 * MINUTE,
) -> BackedUp:
    """Copy the database at ``source`` to ``target``, a file of mode 600 that must not exist yet.

    The copy is that of one moment, and holds every order stored before the call. A running shop
    goes on writing: what it stores meanwhile waits in its ``-wal`` file and is not in the copy.
    ``rest`` is called after each megabyte; ``within`` is how long the copying may take.

    The copy, and only the copy, says in its table ``copied`` that it is one, made at ``now``.

    Raises:
        Unusable: There is no copy, nothing half-written is left, and ``source`` is as it was. The
            text is one line for the owner: what is wrong, and what to do.
    """
    try:
        _refuse(source, target)
        with _one_moment(source) as shop, _unfinished(target) as part:
            _refuse_without_room(shop, target)
            with closing(_empty(part)) as copy:
                shop.backup(copy, pages=_STEP, progress=_pausing(target, rest, within))
                orders = _finish(copy, source, now)
            _keep(part, target)
            return BackedUp(path=target, bytes=target.stat().st_size, orders=orders)
    except sqlite3.Error as error:
        raise Unusable(_explain(error, source, target)) from error
    except OSError as error:
        raise Unusable(f"{target}: {_explain_system(error)}") from error


# --- refusals ---


def _refuse(source: Path, target: Path) -> None:
    if not source.is_file():
        raise Unusable(
            f"{source}: there is no such database; set LAPAK_DATABASE_URL, or start once"
        )
    if not target.parent.is_dir():
        raise Unusable(f"{target}: the directory {target.parent} does not exist; create it first")
    if _belongs_to(source, target):
        raise Unusable(f"{target}: this is the shop's own database; name another file")
    for path in (target, *(_beside(target, ending) for ending in _BESIDE)):
        if os.path.lexists(path):
            raise _exists(path)


def _belongs_to(source: Path, target: Path) -> bool:
    """Tell whether ``target`` names the database, or a file that lives beside it."""
    ours = source.resolve()
    lives_there = {ours, *(_beside(ours, ending) for ending in (*_BESIDE, ".lock"))}
    return target.resolve() in lives_there or (target.exists() and target.samefile(source))


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}{ending}")


def _exists(path: Path) -> Unusable:
    return Unusable(
        f"{path}: exists already and is not overwritten;"
        " name another file, for example with the date in its name"
    )


def _refuse_without_room(shop: sqlite3.Connection, target: Path) -> None:
    """Leave a nearly full disk as it is: on a full one the shop sells nothing."""
    needed = int(shop.execute(_SIZE).fetchone()[0])
    if shutil.disk_usage(target.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_NO_ROOM: Final = "the disk is full; make room, or name a file on another disk"
_EXPLAINED: Final = (
    ("not a database", "{source}: it is not a SQLite database; check LAPAK_DATABASE_URL"),
    ("malformed", "{source}: the file is damaged; restore your last backup"),
    ("unable to open", "{source}: it cannot be opened; check its permissions"),
    ("locked", "{source}: another program holds it; try again in a moment"),
    ("full", f"{{target}}: {_NO_ROOM}"),
    # What a limit or a quota cuts short.
    ("disk I/O", "{target}: it cannot be written; check the disk, and any limit on its use"),
)


def _explain(error: sqlite3.Error, source: Path, target: Path) -> str:
    text = str(error)
    said = next((said for word, said in _EXPLAINED if word in text), "{source}: {text}")
    return said.format(source=source, target=target, text=text)


def _explain_system(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _NO_ROOM
    advice = (
        "; check the permissions of its directory" if isinstance(error, PermissionError) else ""
    )
    return f"{error.strerror or error}{advice}"


# --- the shop's side ---


@contextmanager
def _one_moment(source: Path) -> Iterator[sqlite3.Connection]:
    """Hold one moment of the shop's database; who writes to it is not held up."""
    with closing(connect(str(source), read_only=True)) as connection:
        # Without a transaction of ours, the copying begins anew at every commit of the shop.
        connection.execute("BEGIN")
        if not connection.execute(_KNOWS_COPIES).fetchone()[0]:
            raise Unusable(
                f"{source}: its schema is older than this program;"
                " start the shop once, or run `lapak migrate`"
            )
        yield connection


def _pausing(
    target: Path, rest: Callable[[], None], within: Millis
) -> Callable[[int, int, int], None]:
    """Return what is called after each step with its outcome, the pages left, and all pages."""
    deadline = time.monotonic() + within / SECOND

    def pause(_: int, left: int, total: int) -> None:
        if left and time.monotonic() > deadline:
            raise Unusable(
                f"{target}: copied only {total - left} of {total} pages within"
                f" {within // SECOND} seconds; name a file on a faster disk"
            )
        rest()

    return pause


# --- the copy's side ---


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """Give an empty file beside ``target`` that nobody else may read; it is gone at the end."""
    _sweep(target.parent)
    handle, name = tempfile.mkstemp(prefix=".", suffix=_PART, dir=target.parent)
    part = Path(name)
    try:
        # The lock is the kernel's: it tells a copy under way from what a killed process left.
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield part
    finally:
        _remove(part)
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what killed backups have left: it holds customers' data."""
    for left in folder.glob(f".*{_PART}"):
        # It may be under way, or another user's.
        with suppress(OSError), left.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(left)


def _remove(part: Path) -> None:
    for path in (part, *(_beside(part, ending) for ending in _BESIDE)):
        path.unlink(missing_ok=True)


def _empty(part: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{part.absolute().as_uri()}?mode=rw", uri=True)
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=OFF")  # the finished file is synced as a whole
    return connection


def _finish(copy: sqlite3.Connection, source: Path, now: Millis) -> int:
    """Make it one file, marked as a copy, and sound; return how many orders it knows."""
    copy.execute("PRAGMA journal_mode=DELETE")
    copy.execute(_MARK, {"at": now})
    said = str(copy.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if said != "ok" or copy.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise Unusable(
            f"{source}: the file is damaged, so it was not copied; see `lapak audit`,"
            " and keep your older copies"
        )
    return int(copy.execute(_ORDERS).fetchone()[0])


def _keep(part: Path, target: Path) -> None:
    """Bring the copy onto the disk, then give it its name; never over another file."""
    _sync(part)
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # a disk without hard links, such as a memory stick
        if os.path.lexists(target):
            raise
        part.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
