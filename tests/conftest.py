"""Tests talk to this machine only, and do not wait for its disk."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina
import structlog
from hypothesis import HealthCheck, settings

_LOOPBACK = ("127.", "::1", "localhost")
_MEMORY = Path("/dev/shm")  # a disk that needs no waiting, where there is one
_ENOUGH = 4 << 30  # bytes that the folders of a whole run may take
ARTIFACTS = Path(__file__).parent.parent / "artifacts"


def _is_roomy(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= _ENOUGH


# What is tested is what happens when our process dies, not when the machine does.
if "TMPDIR" not in os.environ and _is_roomy(_MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = str(
        _MEMORY
    )  # for the processes that tests start, too

# Machines are busy with other things: nothing is found wrong for having taken long.
settings.register_profile("lapak", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lapak")


# Where rich is installed, structlog would draw a traceback with all variables: a second of work.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


class LeftTheMachine(Exception):
    """A test tried to reach another machine."""


@pytest.fixture(autouse=True)
def stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        host = str(address[0]) if isinstance(address, tuple) else ""
        if isinstance(address, tuple) and not host.startswith(_LOOPBACK):
            raise LeftTheMachine(host)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(autouse=True)
def try_again_at_once() -> Iterator[None]:
    """What is tried again for a minute is tried again three times, without waiting."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def chromium() -> str:
    """The browser; skipped where there is none, but not in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI has no Chromium: .ci/run installs it")
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found
