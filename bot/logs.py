"""The log: one line per event on stderr, and never a secret in it."""

import contextlib
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Final, TextIO
from urllib.parse import quote, quote_plus

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

get_logger = structlog.stdlib.get_logger

_HIDDEN: Final = "***"

# These tell every request (httpx with its address, a bot token in it) at INFO or below.
_CHATTY: Final = ("httpx", "httpcore", "telegram", "aiosqlite")
_SILENT: Final = ("aiohttp.access",)

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logs(
    level: str,
    format: str,  # noqa: A002 - the word of the setting, LAPAK_LOG_FORMAT
    secrets: Sequence[str],
) -> None:
    """Send every event of this process to stderr, as one line without secrets.

    That is: ours through structlog, other libraries' through ``logging``, warnings, what asyncio
    says about lost exceptions, and exceptions that end the process or a thread. ``format`` is
    ``text`` (``key=value``; tracebacks follow, indented) or ``json``. ``secrets`` are the texts to
    hide; ones shorter than four characters are left, since they would blot out half of every line.
    May be called again: the last call counts.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = _Stderr()
    handler.setFormatter(_Redacting(_as_json if format == "json" else _as_text, secrets))
    _take_over_root(handler, level)
    _quieten(level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash
    threading.excepthook = _log_lost_thread


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Give the function that takes secrets out of a text.

    It knows the given texts, also as they look in a URL or quoted by Python or JSON, and the shapes
    of a bot token in a URL, of ``apikey=`` and of the headers that prove who we are.
    """
    spellings = {form for secret in secrets if len(secret) >= 4 for form in _spellings(secret)}
    # Longest first, so that a secret which begins another one does not leave the rest of it.
    longest_first = sorted(spellings, key=lambda form: (-len(form), form))
    known = re.compile("|".join(map(_however_quoted, longest_first)) or r"(?!)")

    def redact(text: str) -> str:
        text = known.sub(_HIDDEN, text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return text

    return redact


_QUOTED: Final = r"""b?\\*["']"""
_WORD: Final = r"""[^\s"'\\,;&)}\]]+"""

_SHAPES: Final = (
    (re.compile(r"(?i)\b(bot)[0-9]+(?::|%3A)[\w-]+"), rf"\1{_HIDDEN}"),
    (re.compile(rf"(?i)(api[-_]?key\s*=\s*(?:{_QUOTED})?){_WORD}"), rf"\1{_HIDDEN}"),
    (
        # As a header line, in a dict, in a list of pairs; with its scheme, as in "Bearer abc".
        re.compile(
            rf"(?i)(?<!\w)((?:x-api-key|authorization)(?:\\*[\"'])?\s*[:=,]\s*(?:{_QUOTED})?)"
            rf"(?:[\w-]+\s+)?{_WORD}"
        ),
        rf"\1{_HIDDEN}",
    ),
)


def _spellings(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), quote(secret), quote_plus(secret)


def _however_quoted(spelling: str) -> str:
    """Give the pattern of a text in which Python or JSON may have escaped any number of times."""
    pattern = "".join(_QUOTED_CHARS.get(char) or re.escape(char) for char in spelling)
    return re.sub(r"%([0-9A-F]{2})", r"(?i:%\1)", pattern)


_QUOTED_CHARS: Final = {"\\": r"\\+", '"': r"\\*\"", "'": r"\\*'"}


# --- one event as text ----------------------------------------------------------------------------

_PLAIN: Final = re.compile(r"[\w.:/@+*-]+")


def _visible(text: str) -> str:
    """Escape what is not printed: line ends, terminal control, marks that turn the text around."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _value(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_visible(escaped)}"'


def _indented(block: str) -> str:
    return "".join(f"\n    {_visible(line)}" for line in block.split("\n"))


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    below = [str(event.pop(key)) for key in ("stack", "exception") if event.get(key)]
    head = [str(event.pop("timestamp")), str(event.pop("level")).upper().ljust(7)]
    head += [_visible(str(event.pop(key, ""))) for key in ("logger", "event")]
    fields = (f"{_visible(str(key))}={_value(value)}" for key, value in event.items())
    return " ".join((*head, *fields)) + "".join(map(_indented, below))


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    head = {key: event.pop(key, "") for key in ("timestamp", "level", "logger", "event")}
    line = json.dumps({**head, **event}, default=repr)
    return line.replace("\x7f", "\\u007f")  # the one control character that json leaves


def _without_rendering(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    # Left on the record by other handlers; logging lets nobody use these names for fields.
    for key in ("message", "asctime"):
        event.pop(key, None)
    return event


# --- logging's side -------------------------------------------------------------------------------


class _Redacting(structlog.stdlib.ProcessorFormatter):
    """Renders an event and then, as the very last thing, takes the secrets out of the line."""

    def __init__(
        self, render: Callable[[WrappedLogger, str, EventDict], str], secrets: Sequence[str]
    ) -> None:
        super().__init__(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                render,
            ],
            foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder(), _without_rendering],
        )
        self._redact = redactor(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever ``sys.stderr`` is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # logging's own _StderrHandler does this
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that an event could not be written, where ``logging`` would print it unredacted."""
        lost = logging.LogRecord(
            record.name, record.levelno, record.pathname, record.lineno, "log.unwritable", (), None
        )
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(self.format(lost) + self.terminator)


def _take_over_root(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    for old in tuple(root.handlers):
        # Not every handler: a test runner has its own ones there.
        if type(old) in {_Stderr, logging.StreamHandler}:
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


def _quieten(level: str) -> None:
    lowest = max(logging.getLevelNamesMapping()[level], logging.WARNING)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(lowest)
    for name in _SILENT:
        logging.getLogger(name).disabled = True


def _log_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    get_logger(__name__).critical("process.crashed", exc_info=(kind, error, trace))


def _log_lost_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        get_logger(__name__).error("thread.crashed", exc_info=args.exc_value)
