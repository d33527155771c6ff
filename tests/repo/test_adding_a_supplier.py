"""docs/adding-a-supplier.md can be followed to the letter: its own blocks make a sixth supplier."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

import shop.callbacks
import shop.suppliers
from providers.registry import adapters
from shop.suppliers import Supplier
from tests.repo.tree import PACKAGES, ROOT, text_of

pytestmark = pytest.mark.process

GUIDE = text_of(Path("docs/adding-a-supplier.md"))
SLUG = "contoh"
PATIENCE = 40.0  # seconds for one process
_BLOCK = re.compile(
    r"^`(?P<path>[\w./-]+)`"
    r"(?:, in the table below `(?P<table>[^`\n]+)`|, (?P<end>at the end))?:\n\n"
    r"```\w+\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What the guide says to write: a file of its own, rows of a table, or the end of a file."""

    path: str
    table: str
    at_the_end: bool
    text: str

    def put_into(self, folder: Path) -> None:
        file = folder / self.path
        before = file.read_text("utf-8") if file.exists() else ""
        assert bool(before) == (bool(self.table) or self.at_the_end), self.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._after(before), "utf-8")

    def _after(self, before: str) -> str:
        if not self.table:
            return before + self.text
        above, heading, below = before.partition(f"{self.table}\n")
        assert heading, self.table
        rows = re.search(r"(?m)(?:^\|.*\n)+", below)
        assert rows, self.table
        return above + heading + below[: rows.end()] + self.text + below[rows.end() :]


BLOCKS = [
    Block(
        path=found["path"],
        table=found["table"] or "",
        at_the_end=found["end"] is not None,
        text=found["text"],
    )
    for found in _BLOCK.finditer(GUIDE)
]
CODE = [block.path for block in BLOCKS if block.path.endswith(".py")]
WRITTEN = [block for block in BLOCKS if block.path.startswith("docs/")]


def copied(folder: Path, blocks: Iterable[Block]) -> Path:
    """A copy of this repository after these steps of the guide."""
    for name in (*PACKAGES, "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for block in blocks:
        block.put_into(folder)
    return folder


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("followed"), BLOCKS)


def run(folder: Path, *module: str) -> subprocess.CompletedProcess[str]:
    """One process in a copy, which sees nothing of this one; it is killed if it takes too long."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *module],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(folder)},
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def judged(folder: Path, *arguments: str) -> tuple[int, str]:
    """How many tests passed there, and what was said; none if one failed."""
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    passed = re.search(r"(?m)^(\d+) passed", done.stdout) if done.returncode == 0 else None
    return int(passed[1]) if passed else 0, done.stdout + done.stderr


def test_the_guide_writes_files_of_its_own_and_the_document_of_suppliers_and_nothing_else() -> None:
    assert SLUG not in adapters()
    assert {block.path for block in WRITTEN} == {"docs/suppliers.md"}
    new = [block.path for block in BLOCKS if block not in WRITTEN]
    assert len(new) == len(set(new))
    assert all(SLUG in path and not (ROOT / path).exists() for path in new)
    ways = re.findall(r"(?m)^```(?:toml|md)$", GUIDE)
    assert len(ways) == len([block for block in BLOCKS if block.path not in CODE]), "one is unnamed"


def test_the_guide_names_everything_that_an_adapter_may_declare() -> None:
    mixins = {
        name
        for module in (shop.suppliers, shop.callbacks)
        for name, kind in inspect.getmembers(module, inspect.isabstract)
        if kind.__module__ == module.__name__ and kind is not Supplier
    }
    assert len(mixins) > 5
    facts = {name for name, kind in Supplier.__annotations__.items() if "bool" in str(kind)}
    assert len(facts) == 4
    missing = [name for name in mixins | facts if f"| `{name}` |" not in GUIDE]
    assert missing == []


def test_its_settings_are_found_and_stand_in_the_example(followed: Path) -> None:
    (program,) = re.findall(r"python - > \.env\.example <<'END'\n(.+?)END\n", GUIDE, re.DOTALL)
    done = run(followed, "-c", program)
    assert "\n# --- Contoh ---\n" in done.stdout, done.stderr
    for line in ("CONTOH_API_KEY=", "CONTOH_URL=https://api.contoh.example"):
        assert f"\n{line}\n" in done.stdout


@pytest.mark.parametrize("half", [0, 1])
def test_the_contract_tests_judge_it_like_every_other_supplier(followed: Path, half: int) -> None:
    """In two processes: most of their time is spent waiting for suppliers that say nothing."""
    files = sorted((followed / "tests/providers").glob("test_contract*.py"))
    passed, said = judged(followed, *map(str, files[half::2]), "-k", SLUG)
    assert passed > 40, said


def test_an_order_is_delivered_and_the_document_says_what_is_so(followed: Path) -> None:
    passed, said = judged(
        followed,
        f"tests/providers/test_{SLUG}.py",
        "tests/providers/test_settings_declared.py",
        "tests/providers/test_registry.py",
        "tests/repo/test_suppliers_doc.py",
    )
    assert passed > 40, said


def test_without_its_row_and_its_section_a_supplier_is_missed(tmp_path: Path) -> None:
    half = copied(tmp_path, [block for block in BLOCKS if block not in WRITTEN])
    passed, said = judged(half, "tests/repo/test_suppliers_doc.py")
    assert passed == 0
    for wanted in ("Contoh: no row", "## Contoh: 0 times", "CONTOH_API_KEY"):
        assert wanted in said


def test_its_code_is_written_as_the_rest_is(followed: Path) -> None:
    for verb in (["format", "--check", "--diff"], ["check"]):
        done = run(followed, "-m", "ruff", *verb, "--no-cache", *CODE)
        assert done.returncode == 0, done.stdout + done.stderr
