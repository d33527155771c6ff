"""What is shipped: five packages with all they need, and nothing else."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.repo.tree import PACKAGES, ROOT, files

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    folder = wheel.parent / "unpacked"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_the_wheel_has_the_five_packages_and_no_tests(unpacked: Path) -> None:
    folders = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert folders == set(PACKAGES)


def test_every_file_of_the_packages_is_shipped(unpacked: Path) -> None:
    ours = {path for path in files() if path.parts[0] in PACKAGES}
    shipped = {path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file()}
    assert ours - shipped == set()
    assert {path.suffix for path in shipped} >= {".po", ".toml", ".sql", ".html", ".js", ".css"}


def test_the_wheel_is_kept_out_of_public_indexes(unpacked: Path) -> None:
    (about,) = unpacked.glob("*.dist-info/METADATA")
    assert "Classifier: Private :: Do Not Upload" in about.read_text("utf-8")


def test_what_was_shipped_runs_in_an_empty_folder(unpacked: Path, tmp_path: Path) -> None:
    # Without a channel and a supplier `check` asks nobody, but needs the schema from the wheel.
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "bot", "check"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(unpacked), "PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "No sale could be made." in ran.stdout
    assert (tmp_path / "lapak.db").is_file()


@pytest.mark.parametrize("name", PACKAGES)
def test_no_dependency_ships_a_package_of_our_name(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"lapak"}
