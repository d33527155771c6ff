"""The repository as its own tests see it."""

import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "providers", "shop", "storage", "webhook_server")


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@cache
def files() -> tuple[Path, ...]:
    """Every file that is in git, or would be with the next commit; relative to the root."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone: nobody knows which files belong to the project")
    listed = subprocess.run(
        # The folder may be another user's, as in a container.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(sorted(Path(name) for name in names if name and (ROOT / name).is_file()))


def text_of(path: Path) -> str:
    """What stands in a file; nothing, if it is no text."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def documents() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


def table_after(heading: str, markdown: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its two head lines."""
    section = re.split(
        r"^#+ ", markdown.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE
    )[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows[2:]]
