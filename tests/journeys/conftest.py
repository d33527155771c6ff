"""Every journey is made on both databases, unless a test says itself on which.

One marked ``sqlite`` is about a file; others parametrise ``on_a_database``.
"""

from collections.abc import Iterator

import pytest

from tests.fakes.databases import KINDS, the_kind


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if any("on_a_database" in it.args[0] for it in metafunc.definition.iter_markers("parametrize")):
        return
    marked = metafunc.definition.get_closest_marker("sqlite") is not None
    metafunc.parametrize("on_a_database", KINDS[:1] if marked else KINDS, indirect=True)


@pytest.fixture(autouse=True)
def on_a_database(request: pytest.FixtureRequest) -> Iterator[str]:
    token = the_kind.set(request.param)
    yield request.param
    the_kind.reset(token)
