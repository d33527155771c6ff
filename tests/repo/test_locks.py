"""The locked lists: every requirement pinned and hashed, from nowhere in particular."""

import re
from collections.abc import Mapping

import pytest

from tests.repo.tree import ROOT, pyproject

LOCKS = ("requirements.lock", "requirements-dev.lock")


def requirements(lock: str) -> Mapping[str, str]:
    """The pinned requirements, each with what stands below it, by name."""
    text = (ROOT / lock).read_text("utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return {re.split(r"[=\[ ;@<>~!]", block)[0]: block for block in blocks if block.strip()}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_has_hashes(lock: str) -> None:
    for name, block in requirements(lock).items():
        assert re.match(rf"{re.escape(name)}(\[[a-z,-]+\])?==", block), name
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_says_where_a_package_is_fetched(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert re.findall(r".*(?:://|--[a-z-]*index|--find-links| @ ).*", text) == []


def test_everything_we_depend_on_is_locked() -> None:
    wanted = {re.split(r"[~>=\[ ]", each)[0] for each in pyproject()["project"]["dependencies"]}
    for_development = {
        re.split(r"[~>=\[ ]", each)[0] for each in pyproject()["dependency-groups"]["dev"]
    }
    assert wanted <= set(requirements(LOCKS[0]))
    assert wanted | for_development <= set(requirements(LOCKS[1]))


def test_tests_run_with_the_versions_that_are_shipped() -> None:
    def pins(lock: str) -> set[str]:
        return {block.split()[0] for block in requirements(lock).values()}

    only_to_run = pins(LOCKS[0]) - pins(LOCKS[1])
    assert {each.split("==")[0] for each in only_to_run}.isdisjoint(requirements(LOCKS[1]))


def test_every_dependency_has_its_reason() -> None:
    reasons = (ROOT / "docs/adr/0012-dependencies.md").read_text("utf-8")
    both = (*pyproject()["project"]["dependencies"], *pyproject()["dependency-groups"]["dev"])
    names = {re.split(r"[~>=\[ ]", each)[0] for each in both}
    assert {name for name in names if not re.search(rf"\b{re.escape(name)}\b", reasons)} == set()
