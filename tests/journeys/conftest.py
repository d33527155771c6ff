"""Every journey is made on both databases, unless a test says itself on which.

One marked ``sqlite`` is about a file; others parametrise ``on_a_database``. A test of several
cases makes all of them on SQLite, and the first, the fourth and so on on PostgreSQL, where the same
code passes the same places more slowly; ``LAPAK_AT_LENGTH=1`` makes all on both.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.databases import KINDS, the_kind
from tests.fakes.world import AT_LENGTH

_HERE = Path(__file__).parent
_EVERY = 3  # so many cases, one is made on a server, too


def _says_itself(test: pytest.Item) -> bool:
    return any("on_a_database" in it.args[0] for it in test.iter_markers("parametrize"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if _says_itself(metafunc.definition):
        return
    marked = metafunc.definition.get_closest_marker("sqlite") is not None
    metafunc.parametrize("on_a_database", KINDS[:1] if marked else KINDS, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is made on SQLite only; which, depends on the order of the cases alone."""
    if AT_LENGTH:
        return
    of_a_test = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and _is_on_a_server(item):
            of_a_test[item.parent, item.originalname].append(item)
    left_out = {
        item for cases in of_a_test.values() for nth, item in enumerate(cases) if nth % _EVERY
    }
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


def _is_on_a_server(item: pytest.Function) -> bool:
    if not item.path.is_relative_to(_HERE) or _says_itself(item) or not hasattr(item, "callspec"):
        return False
    return bool(item.callspec.params.get("on_a_database") == "postgres")


@pytest.fixture(autouse=True)
def on_a_database(request: pytest.FixtureRequest) -> Iterator[str]:
    token = the_kind.set(request.param)
    yield request.param
    the_kind.reset(token)
