"""One event is one line on stderr, and no secret is in it, whoever logged it."""

import asyncio
import gc
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import configure_logs, get_logger, redactor
from bot.secrets import Secret
from tests.fakes.logs_kept import logs_as_before

TOKEN = "4242424242:canary-AAtoken_text"
KEY = """canary/key"with'odd\\marks&%"""
SECRETS = (TOKEN, KEY, "0812555555")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
EVENT = re.compile(rf"{STAMP.pattern} [A-Z]+ +\S+ ")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    with logs_as_before():
        yield


@pytest.fixture(params=["text", "json"])
def form(request: pytest.FixtureRequest) -> str:
    configure_logs("INFO", request.param, SECRETS)
    return request.param


def fail(message: str) -> None:
    raise RuntimeError(message)


def leaks(text: str) -> bool:
    return "canary" in text or "0812555555" in text


# --- the shape of a line ---


def test_an_event_in_text_is_readable(capsys):
    configure_logs("INFO", "text", ())
    get_logger("bot.shop").info("order.paid", order="A-17", rupiah=12_000, why="by QR", left=None)
    line = capsys.readouterr().err
    assert STAMP.match(line)
    assert line.partition(" ")[2] == (
        'INFO    bot.shop order.paid order=A-17 rupiah=12000 why="by QR" left=None\n'
    )


def test_an_event_in_json_is_one_object(capsys):
    configure_logs("INFO", "json", ())
    get_logger("bot.shop").info("order.paid", order="A-17", rupiah=12_000, key=Secret("x"))
    event = json.loads(capsys.readouterr().err)
    assert STAMP.fullmatch(event.pop("timestamp"))
    assert event == {
        "level": "info",
        "logger": "bot.shop",
        "event": "order.paid",
        "order": "A-17",
        "rupiah": 12_000,
        "key": "***",
    }


def test_another_librarys_event_looks_the_same(capsys, form):
    logging.getLogger("elsewhere").warning("%d of %s", 3, "four", extra={"order": "A-17"})
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    if form == "json":
        assert json.loads(line)["event"] == "3 of four"
    else:
        assert line.endswith("Z WARNING elsewhere 3 of four order=A-17\n")


def test_below_the_level_nothing_is_written(capsys, form):
    get_logger("x").debug("unseen")
    logging.getLogger("x").debug("unseen")
    assert capsys.readouterr().err == ""


def test_configuring_again_replaces_and_does_not_double(capsys):
    configure_logs("INFO", "json", ())
    log = get_logger("x")
    log.info("one")
    configure_logs("ERROR", "text", ())
    log.info("two")
    log.error("three")
    lines = capsys.readouterr().err.splitlines()
    assert [("one" in line, "three" in line) for line in lines] == [(True, False), (False, True)]


def test_chatty_libraries_are_quiet_and_the_access_log_is_off(capsys, form):
    for name in ("httpx", "httpcore.http11", "telegram.ext.Updater", "aiosqlite"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("aiohttp.access").error("chatter")
    assert capsys.readouterr().err == ""
    logging.getLogger("telegram.ext").warning("matters")
    assert "matters" in capsys.readouterr().err


def test_a_stricter_level_holds_for_chatty_libraries_too(capsys):
    configure_logs("ERROR", "text", ())
    logging.getLogger("httpx").warning("chatter")
    assert capsys.readouterr().err == ""


# --- nobody forges a line ---

NASTY = "a\n2025-01-01T00:00:00.000000Z INFO x paid\r\x1b[2K\x00\x7f\x85\u2028\u202e\u2066\ufeff\tz"


def test_foreign_text_never_makes_a_second_line(capsys, form):
    get_logger("x").info("said", nickname=NASTY, **{NASTY: 1}, nested={"n": [NASTY]})
    logging.getLogger("x").warning("%s", NASTY)
    logging.getLogger(f"x{NASTY}").warning(NASTY)
    written = capsys.readouterr().err
    lines = written.removesuffix("\n").split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)


def test_a_quote_in_foreign_text_does_not_end_the_value(capsys):
    configure_logs("INFO", "text", ())
    get_logger("x").info("said", nickname='a" paid="yes', slash="\\")
    assert capsys.readouterr().err.endswith(r'said nickname="a\" paid=\"yes" slash="\\"' + "\n")


def test_a_traceback_stays_readable_and_indented_in_text(capsys):
    configure_logs("INFO", "text", ())
    try:
        fail(f"odd {NASTY}")
    except RuntimeError:
        get_logger("x").exception("worker.failed", order="A-17")
    first, *below = capsys.readouterr().err.removesuffix("\n").split("\n")
    assert first.endswith("worker.failed order=A-17")
    assert below[0] == "    Traceback (most recent call last):"
    assert any("fail(f" in line for line in below)
    assert all(line.startswith("    ") and line.isprintable() for line in below)


def test_a_traceback_stays_inside_its_object_in_json(capsys):
    configure_logs("INFO", "json", ())
    try:
        fail("odd")
    except RuntimeError:
        logging.getLogger("x").exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("RuntimeError: odd")


# --- everything arrives, without secrets ---


def test_s1_no_field_of_an_event_shows_a_secret(capsys, form):
    log = get_logger("x").bind(bound=KEY)
    log.info(TOKEN, key=KEY, nested={"k": [KEY, Secret(KEY)]}, raw=KEY.encode(), n=TOKEN)
    log.info("url", url=f"https://h/bot{TOKEN}/get?k={quote(KEY, safe='')}&l={quote(KEY).lower()}")
    log.info("%s", KEY, stack_info=True)
    structlog.contextvars.bind_contextvars(everywhere=f"tel:+{SECRETS[2]}")
    log.info("context")
    structlog.contextvars.clear_contextvars()
    written = capsys.readouterr().err
    assert not leaks(written)
    assert written.count("***") >= 11


def test_s1_no_other_librarys_event_shows_a_secret(capsys, form):
    logging.getLogger("x").warning("got %r and %s", KEY, {"X-API-Key": KEY}, extra={"e": KEY})
    assert not leaks(capsys.readouterr().err)


def test_s1_no_traceback_shows_a_secret(capsys, form):
    try:
        try:
            fail(TOKEN)
        except RuntimeError as error:
            error.add_note(f"while using {KEY!r}")
            raise ExceptionGroup("both", [error, ValueError(KEY)]) from error
    except ExceptionGroup:
        get_logger("x").exception("failed")
        logging.getLogger("x").exception("failed")
    written = capsys.readouterr().err
    assert not leaks(written)
    assert written.count("RuntimeError: ***") == 4


def test_s1_a_warning_arrives_without_secrets(capsys, form):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # Inside a `catch_warnings` the capture has to be asked for again.
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"old {KEY}", stacklevel=1)
        logging.captureWarnings(capture=False)
    written = capsys.readouterr().err
    assert "UserWarning: old ***" in written
    assert not leaks(written)
    assert written.count("\n") == 1


def test_s1_what_asyncio_says_of_a_lost_exception_arrives_without_secrets(capsys, form):
    async def lose() -> None:
        async def lost() -> None:
            fail(TOKEN)

        task = asyncio.create_task(lost())
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(lose())
    written = capsys.readouterr().err
    assert "Task exception was never retrieved" in written
    assert "RuntimeError: ***" in written
    assert not leaks(written)


def test_s1_an_exception_that_ends_the_process_or_a_thread_arrives_without_secrets(capsys, form):
    try:
        fail(TOKEN)
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=fail, args=(TOKEN,))
    thread.start()
    thread.join()
    written = capsys.readouterr().err
    assert "process.crashed" in written
    assert "thread.crashed" in written
    assert not leaks(written)


def test_s1_an_event_that_cannot_be_written_is_said_without_its_content(capsys, form):
    root = logging.getLogger()
    root.handlers[:] = [h for h in root.handlers if type(h).__module__ == "bot.logs"]
    root.warning("%d", TOKEN)
    get_logger("x").warning("odd", k=Unreadable())
    written = capsys.readouterr().err
    assert written.count("log.unwritable") == 2
    assert written.count("\n") == 2
    assert not leaks(written)


class Unreadable:
    def __repr__(self) -> str:
        raise ValueError(TOKEN)


def test_s1_a_request_that_httpx_tells_of_at_info_shows_no_token(capsys):
    configure_logs("DEBUG", "text", ())
    logging.getLogger("httpx").setLevel(logging.INFO)
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        client.get(f"https://api.telegram.org/bot{TOKEN}/getMe")
    written = capsys.readouterr().err
    assert "https://api.telegram.org/bot***/getMe" in written
    assert not leaks(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /bot12:AA-b_c/getMe", "GET /bot***/getMe"),
        ("GET /bot12%3AAAbc/getMe", "GET /bot***/getMe"),
        ("/api?apikey=canary&x=1", "/api?apikey=***&x=1"),
        ("api_key='canary' API-KEY = canary", "api_key='***' API-KEY = ***"),
        ("X-API-Key: canary", "X-API-Key: ***"),
        ('{"x-api-key": "canary", "a": 1}', '{"x-api-key": "***", "a": 1}'),
        ("{'X-API-Key': 'canary'}", "{'X-API-Key': '***'}"),
        ("(b'X-API-Key', b'canary')", "(b'X-API-Key', b'***')"),
        (r"{\"Authorization\": \"Bearer canary\"}", r"{\"Authorization\": \"***\"}"),
        ("Authorization: Bearer canary\nHost: h", "Authorization: ***\nHost: h"),
        ("authorization=canary", "authorization=***"),
        ("ZULTOPUP_API_KEY: is not set", "ZULTOPUP_API_KEY: is not set"),
        ("robot 12:30", "robot 12:30"),
    ],
)
def test_s1_shapes_of_secrets_are_hidden_even_when_unknown(text, expected):
    assert redactor(())(text) == expected


def test_of_two_secrets_that_begin_alike_nothing_remains():
    assert redactor(("abcd", "abcdefgh"))("abcdefgh abcd") == "*** ***"


def test_a_secret_too_short_to_hide_leaves_the_line_readable():
    assert redactor(("a", ""))("a banana") == "a banana"


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30))
def test_s1_any_key_is_hidden_however_the_line_quotes_it(tail):
    key = f"canary{tail}"
    redact = redactor((key,))
    lines = (
        key,
        repr(key),
        repr({"k": key}),
        repr([repr(key)]),
        json.dumps({"k": key}),
        json.dumps(repr(key)),
        json.dumps(json.dumps(key)),
        quote(key),
        quote(key, safe=""),
        quote(key, safe="").lower() if tail.islower() else "",
    )
    for line in lines:
        assert "canary" not in redact(line)
