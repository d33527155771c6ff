"""Every journey is made on both databases; a test marked ``sqlite`` is about a file."""

from collections.abc import Iterator

import pytest

from tests.fakes.databases import KINDS, the_kind


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = metafunc.definition.get_closest_marker("sqlite") is not None
    metafunc.parametrize("on_a_database", KINDS[:1] if marked else KINDS, indirect=True)


@pytest.fixture(autouse=True)
def on_a_database(request: pytest.FixtureRequest) -> Iterator[str]:
    token = the_kind.set(request.param)
    yield request.param
    the_kind.reset(token)
