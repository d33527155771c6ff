"""Every adapter, every recorded case, every fault. A new supplier adds its cases here by itself.

``fixtures/<slug>/settings.toml`` holds made-up settings (their ``[secrets]`` are replaced by a
canary), and each other file there one exchange: its ``source``, the ``call`` with its
``[arguments]``, the ``[request]`` it makes, the ``[reply]`` it gets, and ``[then]`` what the shop
hears of it. An exchange that the adapter never makes says why, in ``unused``.
"""

import asyncio
import contextlib
import gzip
import json
import logging
import shutil
import socket
import ssl
import struct
import subprocess
import tomllib
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shop.suppliers
from providers import base
from providers.base import http_client
from providers.registry import adapters
from shop.suppliers import (
    ChecksConnections,
    ChecksNicknames,
    Dropships,
    Invoice,
    InvoiceReport,
    InvoiceRequest,
    InvoiceState,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    PriceList,
    Refused,
    StatusRequest,
    Supplier,
    SupplierError,
    TakesDeposits,
    TellsBalance,
    TellsPrices,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)
from shop.time import HOUR

FIXTURES = Path(__file__).parent / "fixtures"
NOW = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta
CANARY = "kanari-5f3a9c71d2"
CALLBACK_URL = "https://toko.example/callbacks"
MOST = 4_000_000  # no text is longer than a whole answer may be
CALLS: Mapping[type, tuple[str, ...]] = {
    Supplier: ("price_list", "topup", "status"),
    TellsBalance: ("balance",),
    TellsPrices: ("listing",),
    ChecksNicknames: ("nickname",),
    ChecksConnections: ("connections",),
    Dropships: ("open_invoice", "invoice_report"),
    TakesDeposits: ("open_deposit", "deposit_report", "deposit_history"),
}
# What leaves something behind there, and so must not be asked for twice.
ORDERS = frozenset({"topup", "open_invoice", "open_deposit"})
REQUESTS: Mapping[str, type] = {
    "open_invoice": InvoiceRequest,
    "topup": TopupRequest,
    "status": StatusRequest,
}


ADAPTERS = adapters()
SLUGS = sorted(ADAPTERS)


def calls_of(slug: str) -> list[str]:
    """What this adapter can be asked, by what it says it can do."""
    return [
        call for kind, calls in CALLS.items() if issubclass(ADAPTERS[slug], kind) for call in calls
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded exchange."""

    slug: str
    name: str
    source: str
    call: str
    arguments: dict[str, Any]
    request: dict[str, Any]
    status: int
    body: str
    then: dict[str, Any]
    unused: str

    @property
    def succeeds(self) -> bool:
        return bool(self.call) and "raises" not in self.then

    async def ask(self, supplier: Supplier) -> Any:
        asking = getattr(supplier, self.call)
        if (wanted := REQUESTS.get(self.call)) is not None:
            return await asking(wanted(**self.arguments))
        return await asking(**self.arguments)


def _case(path: Path) -> Case:
    written = tomllib.loads(path.read_text("utf-8"))
    return Case(
        slug=path.parent.name,
        name=path.stem,
        source=written["source"],
        call=written.get("call", ""),
        arguments=written.get("arguments", {}),
        request=written.get("request", {}),
        status=written["reply"]["status"],
        body=written["reply"]["body"],
        then=written.get("then", {}),
        unused=written.get("unused", ""),
    )


CASES = [
    _case(path)
    for slug in SLUGS
    for path in sorted((FIXTURES / slug).glob("*.toml"))
    if path.stem != "settings"
]
MADE = [case for case in CASES if case.call]
GOOD = [case for case in MADE if case.succeeds]


def good(slug: str, call: str) -> Case:
    """The first recorded case in which this call succeeds."""
    return next(case for case in GOOD if (case.slug, case.call) == (slug, call))


FIRST_GOOD = [good(slug, call) for slug in SLUGS for call in calls_of(slug)]


def named(case: Case) -> str:
    return f"{case.slug}/{case.name}"


def make(slug: str, url: str, client: base.Client = http_client) -> Supplier:
    written = tomllib.loads((FIXTURES / slug / "settings.toml").read_text("utf-8"))
    hidden = dict.fromkeys(written.pop("secrets"), lambda: (CANARY,))
    networks = {
        name: [ip_network(each) for each in value]
        for name, value in written.items()
        if name.endswith("_ips")
    }
    files = {name: FIXTURES / slug / value for name, value in written.items() if name == "products"}
    wanted = ADAPTERS[slug].settings_type(**{**written, **networks, **files, **hidden, "url": url})
    return ADAPTERS[slug](wanted, clock=lambda: NOW, client=client, callback_url=CALLBACK_URL)


def unclear(call: str) -> type[SupplierError]:
    """What an answer that says nothing means: an order may have been made, a question may not."""
    return OutcomeUnknown if call in ORDERS else Unavailable


def lost(call: str) -> type[SupplierError]:
    """What it means that nothing ever left."""
    return NotSent if call in ORDERS else Unavailable


# --- a supplier on loopback -----------------------------------------------------------------------

Script = Callable[["Upstream", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: str | bytes, *headers: str, status: int = 200) -> bytes:
    octets = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(octets)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + octets


@dataclass
class Upstream:
    """Answers every request in the same way, and counts them."""

    script: Script
    greeting: bytes = b""  # said before anything is heard; then it hangs up
    connections: int = 0
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0
    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def header(self, name: str) -> list[str]:
        lines = self.requests[-1][0].split("\r\n")[1:]
        return [line.split(": ", 1)[1] for line in lines if line.lower().startswith(f"{name}:")]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if (task := asyncio.current_task()) is not None:
            self.serving[task] = writer
        try:
            if self.greeting:
                writer.write(self.greeting)
                await reader.read(1)
                return
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lengths = [
                    int(line.split(":")[1])
                    for line in head.split("\r\n")
                    if line.lower().startswith("content-length:")
                ]
                body = await reader.readexactly(sum(lengths))
                self.requests.append((head, body))
                await self.script(self, reader, writer)
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(
    script: Script, tls: ssl.SSLContext | None = None, greeting: bytes = b""
) -> AsyncIterator[Upstream]:
    upstream = Upstream(script, greeting)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for writer in upstream.serving.values():
            writer.transport.abort()
        await asyncio.gather(*upstream.serving)
        await server.wait_closed()


def says(octets: bytes) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)

    return script


def says_and_closes(octets: bytes) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()
        writer.close()

    return script


def says_and_resets(octets: bytes) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return script


def says_and_hangs(octets: bytes) -> Script:
    async def script(
        _: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(octets)
        await writer.drain()
        await reader.read()  # until the other side gives up
        writer.close()

    return script


def never_ends(head: bytes, piece: bytes, pause: float = 0.0) -> Script:
    async def script(_: Upstream, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return script


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>"
NO = '{"status":false,"success":false,"statusCode":400,"message":"tidak bisa"}'


def impatient() -> httpx.AsyncClient:
    """As the real one, but sooner tired of waiting."""
    return httpx.AsyncClient(timeout=0.3, follow_redirects=False, trust_env=False)


async def outcome(asking: Awaitable[Any]) -> Any:
    """What came of it: a value, or one of the errors that the shop knows."""
    try:
        return await asking
    except SupplierError as error:
        return error


def written_out(value: object) -> str:
    """Everything that a log or a message could ever show of a value or an error."""
    if not isinstance(value, BaseException):
        return repr(value)
    chain: list[BaseException | None] = [value, value.__cause__, value.__context__]
    parts = [repr(part) + str(part) for part in chain if part is not None]
    return "".join([*parts, *traceback.format_exception(value)])


# --- the adapters themselves ----------------------------------------------------------------------


def test_there_is_an_adapter_and_each_is_found_by_its_module_name() -> None:
    assert SLUGS
    for slug, cls in ADAPTERS.items():
        assert cls.slug == slug
        assert cls.title
        assert type(cls.counts_calls) is bool
        assert type(cls.knows_our_ref) is bool


@pytest.mark.parametrize("slug", SLUGS)
def test_every_call_of_an_adapter_has_a_recorded_success_and_a_checked_request(slug: str) -> None:
    recorded = {case.call for case in GOOD if case.slug == slug}
    assert recorded == set(calls_of(slug))
    checked = {case.call for case in MADE if case.slug == slug and case.request}
    assert checked == set(calls_of(slug))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_recorded_case_says_where_it_comes_from_and_what_it_is_for(case: Case) -> None:
    assert case.source
    assert bool(case.call) != bool(case.unused)
    assert case.call in {"", *calls_of(case.slug)}
    assert bool(case.then) == bool(case.call)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_settings_of_an_adapter_do_not_show_its_secrets(slug: str) -> None:
    supplier = make(slug, "http://127.0.0.1:9")
    assert CANARY not in repr(supplier)
    assert CANARY not in repr(vars(supplier))


# --- recorded cases -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", MADE, ids=named)
async def test_recorded_case(case: Case) -> None:
    async with serving(says(answer(case.body, status=case.status))) as upstream:
        result = await outcome(case.ask(make(case.slug, upstream.url)))
        assert len(upstream.requests) == 1
        [(head, body)] = upstream.requests
    _check_request(case, head, body)
    then = dict(case.then)
    if (expected := then.pop("raises", None)) is not None:
        assert type(result) is getattr(shop.suppliers, expected), result
        return
    assert not isinstance(result, BaseException), result
    if "value" in then:
        assert (type(result), result) == (int, then["value"])
        return
    if (told := then.pop("deposits", None)) is not None:
        assert set(result) == set(told)
        for ref, report in told.items():
            _check_heard(result[ref], report)
        return
    _check_heard(result, then)


def _check_heard(result: Any, then: Mapping[str, Any]) -> None:
    heard, said = asdict(result), dict(then)
    assert [name for name in said.pop("none", []) if heard[name] is not None] == []
    assert {name: heard[name] for name in said} == said


def _check_request(case: Case, head: str, body: bytes) -> None:
    first, _, _ = head.partition("\r\n")
    assert CANARY not in first
    assert CANARY.encode() not in body
    if not case.request:
        return
    assert first == f"{case.request['method']} {case.request['path']} HTTP/1.1"
    wanted = case.request.get("json")
    sent = json.loads(body) if body else None
    assert sent == wanted
    assert _types(sent) == _types(wanted)


def _types(value: Any) -> Any:
    """``True == 1 == 1.0``, but a supplier may tell them apart."""
    if isinstance(value, dict):
        return {name: _types(inner) for name, inner in value.items()}
    return [_types(inner) for inner in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("case", [case for case in CASES if not case.call], ids=named)
async def test_the_answer_to_another_question_opens_nothing_and_delivers_nothing(
    case: Case,
) -> None:
    for call in calls_of(case.slug):
        match await _fed(good(case.slug, call), case.body, case.status):
            case SupplierError() | int():
                pass
            case PriceList(listings=found) | (Mapping() as found):
                assert not found
            case TopupReport(state=state, returned=returned):
                assert (state, returned) == (TopupState.UNREADABLE, False)
            case InvoiceReport(state=state, amount=amount):
                assert (state, amount) == (InvoiceState.UNREADABLE, None)
            case other:
                pytest.fail(f"{call}: {other}")


# --- nothing left, or nobody knows ----------------------------------------------------------------


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_refused_connection_means_that_nothing_was_sent(case: Case) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: connecting to it is refused
        result = await outcome(
            case.ask(make(case.slug, f"http://127.0.0.1:{taken.getsockname()[1]}"))
        )
    assert type(result) is lost(case.call), result
    assert CANARY not in written_out(result)


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_failed_tls_handshake_means_that_nothing_was_sent(
    case: Case, tmp_path: Path
) -> None:
    no_tls_at_all = answer(PAGE, status=400)
    async with serving(says(b""), greeting=no_tls_at_all) as upstream:
        result = await outcome(case.ask(make(case.slug, f"https://127.0.0.1:{upstream.port}")))
        assert upstream.requests == []
    assert type(result) is lost(case.call), result
    async with serving(says(answer(case.body)), _self_signed(tmp_path)) as upstream:
        result = await outcome(case.ask(make(case.slug, f"https://127.0.0.1:{upstream.port}")))
        assert upstream.requests == []
    assert type(result) is lost(case.call), result
    assert CANARY not in written_out(result)


def _self_signed(directory: Path) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, public = directory / "key.pem", directory / "public.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", key, "-out", public,
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, key)
    return context


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
@pytest.mark.parametrize(
    ("failure", "left"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("slow"), False),
        (httpx.UnsupportedProtocol("what?"), False),
        (httpx.WriteError("cut"), True),
        (httpx.WriteTimeout("slow"), True),
        (httpx.ReadError("cut"), True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.CloseError("cut"), True),
        (httpx.RemoteProtocolError("cut"), True),
        (httpx.DecodingError("what?"), True),
        (httpx.ProxyError("what?"), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_every_failure_of_the_transport_is_not_sent_or_unknown(
    case: Case, failure: Exception, left: bool
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    supplier = make(case.slug, "http://127.0.0.1:9", _speaking_through(fail))
    expected = unclear(case.call) if left else lost(case.call)
    assert type(await outcome(case.ask(supplier))) is expected


CUT = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"status":tr'
)
BROKEN: dict[str, Script] = {
    "closed unanswered": says_and_closes(b""),
    "reset before the answer": says_and_resets(b""),
    "reset in the answer": says_and_resets(CUT),
    "cut in the head": says_and_closes(CUT[:30]),
    "cut in the body": says_and_closes(CUT),
    "cut in a chunk": says_and_closes(CHUNKED + b'40\r\n{"status":true'),
    "no HTTP": says_and_closes(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "head without end": never_ends(b"HTTP/1.1 200 OK\r\n", b"X-Y: " + b"z" * 900 + b"\r\n"),
    "body without end": never_ends(CHUNKED, b"10000\r\n" + b" " * 0x10000 + b"\r\n"),
    "packed and broken": says(answer(b"\x1f\x8bxxxxxxxxxx", "Content-Encoding: gzip")),
    "page of HTML": says(answer(PAGE, "Content-Type: text/html")),
    "page of HTML called JSON": says(answer(PAGE, "Content-Type: application/json")),
    "empty": says(answer("")),
    "no content": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "null": says(answer("null")),
    "list": says(answer("[]")),
    "text": says(answer('"success"')),
    "number": says(answer("1")),
    "empty object": says(answer("{}")),
    "not UTF-8": says(answer(b'{"status":true,"data":{"id":"\xff\xfe"}}')),
    "nested beyond reason": says(answer('{"data":' + "[" * 100_000 + "]" * 100_000 + "}")),
    "number beyond reason": says(answer('{"status":true,"data":' + "9" * 10_000 + "}")),
    "500": says(answer(NO, status=500)),
    "500 page": says(answer(PAGE, status=500)),
    "502 page": says(answer(PAGE, status=502)),
    "503 empty": says(answer("", status=503)),
    "504": says(answer(NO, status=504)),
    "429": says(answer(NO, "Retry-After: 5", status=429)),
    "429 page": says(answer(PAGE, status=429)),
    "404 page": says(answer(PAGE, status=404)),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_an_answer_that_says_nothing_leaves_everything_open(
    case: Case, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(BROKEN[fault]) as upstream:
        result = await outcome(case.ask(make(case.slug, upstream.url)))
        assert (upstream.connections, len(upstream.requests)) == (1, 1)
    assert type(result) is unclear(case.call), result
    assert CANARY not in written_out(result) + caplog.text


@pytest.mark.parametrize(
    "begun", [b"", CUT[:30], CUT], ids=["nothing said", "in the head", "in the body"]
)
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_silence_leaves_everything_open(case: Case, begun: bytes) -> None:
    async with serving(says_and_hangs(begun)) as upstream:
        result = await outcome(case.ask(make(case.slug, upstream.url, impatient)))
        assert (upstream.connections, len(upstream.requests)) == (1, 1)
    assert type(result) is unclear(case.call), result


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_trickle_of_bytes_does_not_hold_a_call_for_ever(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "ORDER_LIMIT", 0.3)
    monkeypatch.setattr(base, "READ_LIMIT", 0.3)
    async with serving(never_ends(CHUNKED, b"1\r\n \r\n", pause=0.02)) as upstream:
        async with asyncio.timeout(10):
            result = await outcome(case.ask(make(case.slug, upstream.url)))
        assert len(upstream.requests) == 1
    assert type(result) is unclear(case.call), result


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_perfect_body_under_a_bad_status_is_no_answer(case: Case, status: int) -> None:
    result = await _fed(case, case.body, status)
    assert type(result) is unclear(case.call), result


@pytest.mark.parametrize("body", [NO, PAGE, "", "Unauthorized"], ids=["json", "html", "-", "text"])
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_refused_key_is_the_owners_business_whatever_the_body_says(
    case: Case, status: int, body: str
) -> None:
    async with serving(says(answer(body, status=status))) as upstream:
        result = await outcome(case.ask(make(case.slug, upstream.url)))
        assert len(upstream.requests) == 1
    assert type(result) is Misconfigured, result
    assert CANARY not in written_out(result)


# --- one request, on a connection of its own, to where it was meant to go -------------------------


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_each_call_has_a_fresh_connection_even_if_the_last_one_was_kept(case: Case) -> None:
    async with serving(says(answer(case.body, "Connection: keep-alive"))) as upstream:
        supplier = make(case.slug, upstream.url)
        first, second = await case.ask(supplier), await case.ask(supplier)
        assert first == second
        assert (upstream.connections, len(upstream.requests)) == (2, 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_redirects_are_not_followed(case: Case, status: int) -> None:
    async with serving(says(answer(case.body))) as elsewhere:
        moved = answer("", f"Location: {elsewhere.url}/api", status=status)
        async with serving(says(moved)) as upstream:
            result = await outcome(case.ask(make(case.slug, upstream.url)))
            assert len(upstream.requests) == 1
        assert elsewhere.connections == 0
    assert type(result) is unclear(case.call), result


@pytest.mark.parametrize("where", ["http://[::1", "//", "http://\x7f/", "http://é.xn--/", "x:y:z:"])
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_redirect_that_makes_no_sense_does_no_harm(case: Case, where: str) -> None:
    async with serving(says(answer("", f"Location: {where}", status=302))) as upstream:
        result = await outcome(case.ask(make(case.slug, upstream.url)))
        assert len(upstream.requests) == 1
    assert type(result) is unclear(case.call), result


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_proxies_and_passwords_of_the_environment_are_ignored(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login budi password rahasia\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with serving(says(answer(case.body))) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        async with serving(says(answer(case.body))) as upstream:
            await case.ask(make(case.slug, upstream.url))
            assert len(upstream.requests) == 1
            assert not any("basic" in value.lower() for value in upstream.header("authorization"))
        assert proxy.connections == 0


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_cookie_is_not_brought_along_the_next_time(case: Case) -> None:
    async with serving(says(answer(case.body, "Set-Cookie: session=1"))) as upstream:
        supplier = make(case.slug, upstream.url)
        await case.ask(supplier)
        await case.ask(supplier)
        assert upstream.header("cookie") == []


# --- secrets --------------------------------------------------------------------------------------

WORDS = ("message", "pesan", "error", "msg", "error_msg", "catatan", "note")


@pytest.mark.parametrize("status", [200, 400, 401, 403, 422, 500])
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_supplier_that_repeats_our_key_does_not_make_us_repeat_it(
    case: Case, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"status": False, "success": False, "statusCode": 400}
    told = json.dumps(body | dict.fromkeys(WORDS, f"API key {CANARY} tidak valid"))
    async with serving(says(answer(told, status=status))) as upstream:
        result = await outcome(case.ask(make(case.slug, upstream.url)))
    assert isinstance(result, SupplierError)
    assert CANARY not in written_out(result) + caplog.text


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_call_that_succeeds_logs_no_secret(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(says(answer(case.body))) as upstream:
        await case.ask(make(case.slug, upstream.url))
        head, _ = upstream.requests[0]
    assert CANARY in head  # or this test would prove nothing
    assert CANARY not in caplog.text


# --- shapes nobody promised -----------------------------------------------------------------------


def _speaking_through(reply: Callable[[httpx.Request], httpx.Response]) -> base.Client:
    return lambda: httpx.AsyncClient(transport=httpx.MockTransport(reply), trust_env=False)


async def _fed(case: Case, body: str, status: int = 200) -> Any:
    client = _speaking_through(lambda _: httpx.Response(status, content=body.encode()))
    return await outcome(case.ask(make(case.slug, "http://127.0.0.1:9", client)))


Path_ = tuple[str | int, ...]


def _paths(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    yield at
    match value:
        case dict():
            for name, inner in value.items():
                yield from _paths(inner, (*at, name))
        case list():
            for number, inner in enumerate(value):
                yield from _paths(inner, (*at, number))


def _at(value: Any, at: Path_) -> Any:
    for step in at:
        value = value[step]
    return value


def _with(value: Any, at: Path_, instead: Any) -> Any:
    if not at:
        return instead
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[at[0]] = _with(value[at[0]], at[1:], instead)
    return copied


def _padded(value: Any) -> Any:
    """The same, with fields that nobody has heard of in every object."""
    match value:
        case dict():
            inner = {name: _padded(inside) for name, inside in value.items()}
            return {"baru": {"apa": [1, None]}, **inner, "lain": "Success", "x": 1.5}
        case list():
            return [_padded(inside) for inside in value]
        case _:
            return value


@pytest.mark.parametrize("case", GOOD, ids=named)
async def test_fields_nobody_has_heard_of_change_nothing(case: Case) -> None:
    plain = await _fed(case, case.body)
    assert await _fed(case, json.dumps(_padded(json.loads(case.body)))) == plain


def _wrong_instead_of(value: Any) -> list[Any]:
    """Values of another kind. ``null`` is none of them: it means that something is not said."""
    match value:
        case bool():
            return [[], {}, ["x"], 2.5, -1]
        case int():
            return [True, False, [], {}, [value], {"x": value}, "x", "", 1.5, -value, 10**30, "1e3"]
        case str():
            return [True, False, [], {}, [value], list(value), {value: value}, 1.5, -1.25]
        case list():
            return [True, 5, "x", {"x": "y"}, dict.fromkeys(map(str, range(3)), 1)]
        case dict():
            return [True, 5, "x", ["x"], [value], [[]]]
        case _:
            return []


WRONG = [
    pytest.param(case, at, wrong, id=f"{named(case)}-{'.'.join(map(str, at))}-{number}")
    for case in GOOD
    for at in _paths(json.loads(case.body))
    for number, wrong in enumerate(_wrong_instead_of(_at(json.loads(case.body), at)))
]


@pytest.mark.parametrize(("case", "at", "wrong"), WRONG)
async def test_a_wrong_type_is_never_taken_for_something_else(
    case: Case, at: Path_, wrong: Any
) -> None:
    right = await _fed(case, case.body)
    result = await _fed(case, json.dumps(_with(json.loads(case.body), at, wrong)))
    if isinstance(result, SupplierError):
        assert type(result) in _may_raise(case.call), result
        return
    _check_value(result)
    assert _told_no_more(result, right), f"{result} instead of {right}"


def _may_raise(call: str) -> set[type[SupplierError]]:
    return {OutcomeUnknown, Refused} if call in ORDERS else {Unavailable}


def _told_no_more(result: Any, right: Any) -> bool:
    """Tell whether ``result`` says nothing that ``right`` does not say."""
    match result:
        case InvoiceReport():
            settled = {InvoiceState.SETTLED} if right.state is InvoiceState.FAILED else set()
            same_state = result.state in {right.state, InvoiceState.UNREADABLE, *settled}
            same_money = result.amount in {right.amount, None}
            return same_state and same_money and result.serial in {right.serial, ""}
        case TopupReport():
            same_state = result.state in {right.state, TopupState.UNREADABLE}
            returned = result.returned == (right.returned and result.state is right.state)
            told = (result.supplier_ref, result.cost) == (right.supplier_ref, right.cost)
            return same_state and returned and told and result.serial in {right.serial, ""}
        case Mapping():
            return all(_told_no_more(result[ref], right[ref]) for ref in result)
        case Invoice():
            neutral = {None, "", "-"}
            told = asdict(result)
            return all(told[name] in {value, *neutral} for name, value in asdict(right).items())
        case PriceList():
            known = [*right.listings, *(replace(one, available=False) for one in right.listings)]
            return all(one in known for one in result.listings)
        case _:
            return bool(result == right)


def _check_value(value: Any) -> None:
    """What every value an adapter returns must be, whatever the supplier sent."""
    match value:
        case Invoice():
            assert _is_text(value.supplier_ref, MOST)
            assert value.supplier_ref
            assert type(value.amount) is int
            assert value.amount > 0
            assert type(value.cost) is int
            assert value.cost >= 0
            assert value.expires_at is None or NOW < value.expires_at <= NOW + 24 * HOUR
            assert _is_text(value.number, 200)
            assert _is_text(value.qr, MOST)
            assert _is_text(value.link, MOST)
        case InvoiceReport():
            assert isinstance(value.state, InvoiceState)
            assert _is_text(value.serial, 300)
            assert _is_text(value.note, 1000)
            assert value.state is InvoiceState.DELIVERED or not value.serial
            assert value.amount is None or (type(value.amount) is int and value.amount > 0)
        case TopupReport():
            assert isinstance(value.state, TopupState)
            assert _is_text(value.supplier_ref, MOST)
            assert _is_text(value.serial, 300)
            assert _is_text(value.note, 1000)
            assert value.state is TopupState.DELIVERED or not value.serial
            assert value.state is TopupState.FAILED or not value.returned
            assert value.cost is None or (type(value.cost) is int and value.cost >= 0)
        case Mapping():
            for ref, report in value.items():
                assert ref
                assert _is_text(ref, MOST)
                _check_value(report)
        case PriceList():
            assert type(value.dropped) is int
            for listing in value.listings:
                assert _is_text(listing.sku, MOST)  # the shop leaves out those too long for it
                assert _is_text(listing.name, 200)
                assert _is_text(listing.category, 200)
                assert listing.sku
                assert listing.name
                assert listing.category
                assert type(listing.price) is int
                assert listing.price > 0
                assert type(listing.available) is bool
        case _:
            assert type(value) is int
            assert value >= 0


def _is_text(value: object, most: int) -> bool:
    """Tell whether it is a text that a database and a chat can take."""
    if not isinstance(value, str) or len(value) > most:
        return False
    return value.encode(errors="replace").decode() == value


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "Success",
            "settlement",
            "12.000",
            "0",
            "-5",
            "1e3",
            "\ud800",
            "\x00",
            "\u202e",
            "x" * 5000,
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "data", "id", "payment", "amount", "message"]) | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("case", GOOD, ids=named)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
async def test_whatever_stands_in_a_field_only_named_errors_come_out(
    case: Case, data: st.DataObject
) -> None:
    body = json.loads(case.body)
    at = data.draw(st.sampled_from(list(_paths(body))))
    result = await _fed(case, json.dumps(_with(body, at, data.draw(json_values))))
    if isinstance(result, SupplierError):
        assert type(result) in _may_raise(case.call), result
        assert len(str(result)) < 1000
    else:
        _check_value(result)


@pytest.mark.parametrize("case", GOOD, ids=named)
async def test_a_text_that_cannot_be_stored_is_never_handed_on(case: Case) -> None:
    """Half a surrogate pair is legal JSON, and neither a database nor a chat takes it."""
    body = json.loads(case.body)
    for at in _paths(body):
        if isinstance(_at(body, at), str):
            result = await _fed(case, json.dumps(_with(body, at, "a\ud800b")))
            assert _is_named(result)
            if not isinstance(result, SupplierError):
                _check_value(result)


@pytest.mark.parametrize("case", GOOD, ids=named)
async def test_nesting_just_below_the_limit_does_no_harm(case: Case) -> None:
    body = json.loads(case.body)
    for at in _paths(body):
        for depth in (900, 960, 980, 990):
            deep = json.dumps(_with(body, at, "DEEP")).replace(
                '"DEEP"', "[" * depth + "]" * depth, 1
            )
            result = await _fed(case, deep)
            assert _is_named(result)


def _is_named(result: object) -> bool:
    return is_dataclass(result) or isinstance(result, SupplierError | int | Mapping)


def _padded_to(size: int, body: str, *, packed: bool) -> bytes:
    octets = (body + " " * (size - len(body))).encode()
    if packed:
        return answer(gzip.compress(octets), "Content-Encoding: gzip")
    return answer(octets)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_body_is_read_up_to_four_megabytes_and_no_further(case: Case, packed: bool) -> None:
    async with serving(says(_padded_to(4_000_000, case.body, packed=packed))) as upstream:
        assert await case.ask(make(case.slug, upstream.url)) == await _fed(case, case.body)
    async with serving(says(_padded_to(4_000_001, case.body, packed=packed))) as upstream:
        result = await outcome(case.ask(make(case.slug, upstream.url)))
    assert type(result) is unclear(case.call), result


def test_the_secrets_of_an_adapter_are_functions() -> None:
    """So that no ``repr`` of its settings, and no failed assertion, ever shows one."""
    for slug in SLUGS:
        written = tomllib.loads((FIXTURES / slug / "settings.toml").read_text("utf-8"))
        declared = {f.name: f.type for f in fields(_settings_of(slug))}
        assert all("Callable" in str(declared[name]) for name in written["secrets"])


def _settings_of(slug: str) -> Any:
    return ADAPTERS[slug].settings_type
