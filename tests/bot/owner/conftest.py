"""What the tests of the owner's desk share."""

from collections.abc import Iterator

import pytest

from tests.bot.conversation.parlour import Guest, Parlour


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour()
    yield opened
    opened.close()


@pytest.fixture
def budi(parlour: Parlour) -> Guest:
    return parlour.guest("budi")


@pytest.fixture
def siti(parlour: Parlour) -> Guest:
    return parlour.guest("siti")
