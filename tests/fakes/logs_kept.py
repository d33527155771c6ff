"""Everything that is global about logs, put back after a test that changes it."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = tuple(root.handlers), root.level
    ours = structlog.get_config()
    chatty = [logging.getLogger(name) for name in ("httpx", "httpcore", "telegram", "aiosqlite")]
    levels = [logger.level for logger in chatty]
    hooks = sys.excepthook, threading.excepthook
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = hooks
        logging.captureWarnings(capture=False)
        structlog.configure(**ours)
        root.handlers[:], root.level = handlers, level
        for logger, before in zip(chatty, levels, strict=True):
            logger.setLevel(before)
        logging.getLogger("aiohttp.access").disabled = False
