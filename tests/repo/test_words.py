"""What must not stand in any file of the project."""

import re
from pathlib import Path

import pytest

from tests.repo.tree import files, text_of

# Written so that this file is not found itself.
FORBIDDEN = (
    r"/wor[k]/",
    r"assistan[t]",
    r"pyp[i]\.org",
    r"pythonhoste[d]\.org",
    r"npmj[s]\.(?:org|com)",
    r"de[b]\.debian\.org",
    r"\bissu[e] #?\d",
)
SECRETS = (
    r"-----BEGI[N] [A-Z ]*PRIVATE KEY",
    r"\bgh[pousr]_[A-Za-z0-9]{36}",
)


@pytest.mark.parametrize("pattern", [*FORBIDDEN, *SECRETS])
def test_no_file_has_words_that_belong_elsewhere(pattern: str) -> None:
    wanted = re.compile(pattern, re.IGNORECASE)
    found = [
        f"{path}:{number}"
        for path in files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if wanted.search(line)
    ]
    assert found == []


def test_nothing_private_is_in_the_repository() -> None:
    private = [
        path
        for path in files()
        if path.name == ".env" or re.search(r"\.(?:db|db-wal|db-shm|lock|pem|key)$", path.name)
    ]
    assert set(private) <= {Path("requirements.lock"), Path("requirements-dev.lock")}
