"""How often a supplier is asked again, in tests, and what is logged of it."""

import logging
from collections.abc import Iterator

import pytest
import stamina

from providers import base


@pytest.fixture
def asked_as_declared() -> Iterator[None]:
    """A question is asked as often as the code says, without waiting."""
    with stamina.set_testing(True, attempts=base.READ_TRIES, cap=True):
        yield


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch, asked_as_declared: None) -> None:
    """A question is asked once, so that one answer is all there is."""
    monkeypatch.setattr(base, "READ_TRIES", 1)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that is logged, but for what ``bot.logs`` silences: httpx names addresses."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")
    return caplog
