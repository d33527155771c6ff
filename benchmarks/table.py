"""The table of figures: its lines, and its place in ``benchmarks/README.md``."""

import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Sequence
from datetime import date
from os import cpu_count
from pathlib import Path

from benchmarks.measuring import Measured

ROOT = Path(__file__).parents[1]
README = Path(__file__).with_name("README.md")
BEGIN = "<!-- figures: begin (written by make bench ARGS=--write) -->"
END = "<!-- figures: end -->"
_COLUMNS = (
    "id",
    "measures",
    "figure (min to max)",
    "ratio min / median / max",
    "goal",
    "met",
    "date",
    "commit",
    "machine",
)
_MET = {True: "yes", False: "**no**", None: ""}


class NoPlace(Exception):
    """``README.md`` does not have the two lines between which the table stands."""


def lines(name: str, rows: Sequence[Measured], today: date) -> list[str]:
    """Return the lines of one benchmark, as measured today by the files as they are."""
    where = (today.isoformat(), commit(), machine())
    return [_line(name, row, *where) for row in rows]


def table(rows: Sequence[str]) -> str:
    """Return a whole Markdown table."""
    heads = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS))]
    return "\n".join([*heads, *rows])


def written(readme: str, fresh: Sequence[str]) -> str:
    """Return ``readme`` with new lines in its table; other benchmarks keep theirs.

    Raises:
        NoPlace: the markers are not there, once each and in order.
    """
    before, begin, rest = readme.partition(f"{BEGIN}\n")
    old, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise NoPlace(f"no table between {BEGIN} and {END}")
    measured = {_name(line) for line in fresh}
    kept = [line for line in _rows(old) if _name(line) not in measured]
    # Python's sort is stable: the rows of one benchmark stay in their order.
    rows = sorted([*kept, *fresh], key=_number)
    return f"{before}{begin}{table(rows)}\n{end}{after}"


def commit() -> str:
    """Return the commit that was measured, with a plus where files differ from it."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/README.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name}+" if changed else name


def machine() -> str:
    """Return what the figures were measured on: never its name or an address."""
    cores = cpu_count() or 0
    python, database = platform.python_version(), sqlite3.sqlite_version
    return f"{_processor()}, {cores} cores, Python {python}, SQLite {database}"


def _git(*arguments: str) -> str:
    # The folder may be another user's, as in a container.
    command = ["git", "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    return done.stdout.decode().strip()


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2] for line in told.splitlines() if line.startswith("model name")]
    return models[0].strip() if models else platform.machine()


def _line(name: str, row: Measured, today: str, measured_commit: str, where: str) -> str:
    goals = "; ".join(goal.words for goal in row.goals)
    place = ", ".join(filter(None, (where, row.beside)))
    figure, ratio = _figure(row), _ratio(row.ratios)
    return _row(
        (name, row.what, figure, ratio, goals, _MET[row.met], today, measured_commit, place)
    )


def _figure(row: Measured) -> str:
    middle, least, most = (
        _short(figure)
        for figure in (statistics.median(row.figures), min(row.figures), max(row.figures))
    )
    spread = "" if least == most else f" ({least} to {most})"
    return f"{middle} {row.unit}".strip() + spread


def _ratio(ratios: Sequence[float]) -> str:
    if not ratios:
        return ""
    return f"{min(ratios):.2f} / {statistics.median(ratios):.2f} / {max(ratios):.2f}"


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _rows(old: str) -> list[str]:
    return [line for line in old.splitlines() if line.startswith("| P")]


def _name(line: str) -> str:
    return line.strip("|").partition("|")[0].strip()


def _number(line: str) -> int:
    return int(_name(line).removeprefix("P"))
