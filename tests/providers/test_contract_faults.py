"""Every adapter, every way in which an answer can fail to come: nothing left, or nobody knows."""

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from providers import base
from shop.suppliers import Misconfigured, TopupReport, TopupState
from tests.providers.contract import (
    ASKED,
    CANARY,
    MAIN,
    NO,
    ORDERED,
    PAGE,
    QUESTIONS,
    Case,
    Wire,
    check_times,
    everywhere,
    failing,
    heard,
    lost,
    named,
    outcome,
    unclear,
    written_out,
)
from tests.providers.upstream import (
    Script,
    answer,
    impatient,
    never_ends,
    says,
    says_and_closes,
    says_and_hangs,
    says_and_resets,
    says_as_recorded,
    serving,
)

pytestmark = pytest.mark.usefixtures("asked_once")

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"


# --- nothing left ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_refused_connection_means_that_nothing_was_sent(case: Case) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: connecting to it is refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = await outcome(case.ask(case.supplier(url)))
    assert type(result) is lost(case.call), result
    assert CANARY not in written_out(result)


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_failed_tls_handshake_means_that_nothing_was_sent(
    case: Case, self_signed: ssl.SSLContext
) -> None:
    no_tls_at_all = answer(PAGE, status=400)
    async with serving(says(b""), greeting=no_tls_at_all) as upstream:
        plain = await outcome(case.ask(case.supplier(f"https://127.0.0.1:{upstream.port}")))
        assert upstream.requests == []
    assert type(plain) is lost(case.call), plain
    async with serving(says_as_recorded(case), self_signed) as upstream:
        signed = await outcome(case.ask(case.supplier(f"https://127.0.0.1:{upstream.port}")))
        assert upstream.requests == []
    assert type(signed) is lost(case.call), signed
    assert CANARY not in written_out(plain) + written_out(signed)


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    directory = tmp_path_factory.mktemp("tls")
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


# --- nobody knows ---------------------------------------------------------------------------------

NEVER_LEFT = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("slow"),
    httpx.UnsupportedProtocol("what?"),
]
MAY_HAVE_ARRIVED = [
    httpx.WriteError("cut"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("cut"),
    httpx.ReadTimeout("slow"),
    httpx.CloseError("cut"),
    httpx.RemoteProtocolError("cut"),
    httpx.DecodingError("what?"),
    httpx.ProxyError("what?"),
]


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_every_failure_of_the_transport_is_not_sent_or_unknown(case: Case) -> None:
    expected = {failure: lost(case.call) for failure in NEVER_LEFT}
    expected |= {failure: unclear(case.call) for failure in MAY_HAVE_ARRIVED}
    found = {}
    for failure in expected:
        wire = Wire(failing(failure))
        found[failure] = type(await heard(case, wire))
        check_times(case, wire)
    assert found == expected


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
    "no content": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
}


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_broken_answer_leaves_everything_open(
    case: Case, logged: pytest.LogCaptureFixture
) -> None:
    for fault, script in BROKEN.items():
        async with serving(script) as upstream:
            result = await outcome(case.ask(case.supplier(upstream.url)))
            check_times(case, upstream)
            assert upstream.connections == len(upstream.requests), fault
        assert type(result) is unclear(case.call), (fault, result)
        assert CANARY not in written_out(result), fault
    assert CANARY not in logged.text


SAYS_NOTHING: list[tuple[int, str | bytes]] = [
    (200, PAGE),
    (200, ""),
    (200, "null"),
    (200, "[]"),
    (200, '"success"'),
    (200, "1"),
    (200, "{}"),
    (200, b'{"status":true,"data":{"id":"\xff\xfe"}}'),
    (200, '{"data":' + "[" * 100_000 + "]" * 100_000 + "}"),
    (200, '{"status":true,"data":' + "9" * 10_000 + "}"),
    (200, "\ufeff{}"),
    *((status, body) for status in (500, 502, 503, 504, 520, 429) for body in (NO, PAGE, "")),
    *((404, body) for body in (PAGE, "", "[]", "null")),
]


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_an_answer_that_says_nothing_leaves_everything_open(
    case: Case, logged: pytest.LogCaptureFixture
) -> None:
    for status, body in SAYS_NOTHING:
        wire = Wire(everywhere(body, status))
        result = await heard(case, wire)
        check_times(case, wire)
        assert type(result) is unclear(case.call), (status, body[:80], result)
        assert CANARY not in written_out(result), (status, body[:80])
    assert CANARY not in logged.text


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_perfect_body_under_a_bad_status_is_no_answer(case: Case) -> None:
    for status in (300, 301, 302, 303, 304, 307, 308, 429, 500, 502, 503, 504, 520, 599):
        result = await heard(case, Wire(everywhere(case.body, status)))
        assert type(result) is unclear(case.call), (status, result)


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_perfect_body_under_a_refusal_says_both_and_so_nothing(case: Case) -> None:
    for status in (400, 404, 409, 422):
        result = await heard(case, Wire(everywhere(case.body, status)))
        is_missing = isinstance(result, TopupReport) and result.state is TopupState.MISSING
        assert type(result) is unclear(case.call) or is_missing, (status, result)


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_silence_leaves_everything_open(case: Case) -> None:
    for begun in (b"", CUT[:30], CUT):
        async with serving(says_and_hangs(begun)) as upstream:
            result = await outcome(case.ask(case.supplier(upstream.url, impatient)))
            check_times(case, upstream)
        assert type(result) is unclear(case.call), (begun, result)


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_trickle_of_bytes_does_not_hold_a_call_for_ever(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "ORDER_LIMIT", 0.2)
    monkeypatch.setattr(base, "READ_LIMIT", 0.2)
    async with serving(never_ends(CHUNKED, b"1\r\n \r\n", pause=0.02)) as upstream:
        async with asyncio.timeout(10):
            result = await outcome(case.ask(case.supplier(upstream.url)))
        # On a busy machine its time may be over before the request is written.
        assert upstream.times().total() <= 1
    assert type(result) is unclear(case.call), result


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_refused_key_is_the_owners_business_whatever_the_body_says(case: Case) -> None:
    for status in (401, 403):
        for body in (NO, PAGE, "", "Unauthorized", case.body):
            wire = Wire(everywhere(body, status))
            result = await heard(case, wire)
            check_times(case, wire)
            assert type(result) is Misconfigured, (status, body[:40], result)
            assert CANARY not in written_out(result)


# --- on a connection of its own, to where it was meant to go --------------------------------------


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_each_request_has_a_fresh_connection_even_if_the_last_one_was_kept(
    case: Case,
) -> None:
    script = says_as_recorded(case, "Connection: keep-alive", "Set-Cookie: session=1")
    async with serving(script) as upstream:
        supplier = case.supplier(upstream.url)
        first, second = await outcome(case.ask(supplier)), await outcome(case.ask(supplier))
        assert first == second == await heard(case)
        assert upstream.connections == len(upstream.requests)
        assert set(upstream.times().values()) == {2}
        assert upstream.header("cookie") == []  # none is brought along the next time
        assert upstream.header("host") == [f"127.0.0.1:{upstream.port}"]


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_redirects_are_not_followed(case: Case) -> None:
    async with serving(says_as_recorded(case)) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            moved = answer("", f"Location: {elsewhere.url}/api", status=status)
            async with serving(says(moved)) as upstream:
                result = await outcome(case.ask(case.supplier(upstream.url)))
                check_times(case, upstream)
            assert type(result) is unclear(case.call), (status, result)
        assert elsewhere.connections == 0


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_redirect_that_makes_no_sense_does_no_harm(case: Case) -> None:
    for where in ("http://[::1", "//", "http://\x7f/", "http://é.xn--/", "x:y:z:"):
        async with serving(says(answer("", f"Location: {where}", status=302))) as upstream:
            result = await outcome(case.ask(case.supplier(upstream.url)))
            check_times(case, upstream)
        assert type(result) is unclear(case.call), (where, result)


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_proxies_and_passwords_of_the_environment_are_ignored(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login budi password rahasia\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with serving(says_as_recorded(case)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        async with serving(says_as_recorded(case)) as upstream:
            await case.ask(case.supplier(upstream.url))
            check_times(case, upstream)
            assert not any("basic" in value.lower() for value in upstream.header("authorization"))
        assert proxy.connections == 0


def _padded_to(size: int, body: str, *, packed: bool) -> bytes:
    octets = body.encode()
    octets += b" " * (size - len(octets))
    if packed:
        return answer(gzip.compress(octets, 1), "Content-Encoding: gzip")
    return answer(octets)


JSON_ORDERS = [case for case in ORDERED if MAIN in case.json_at]


@pytest.mark.parametrize("case", JSON_ORDERS + QUESTIONS[:1], ids=named)
async def test_a_body_is_read_up_to_four_megabytes_and_no_further(case: Case) -> None:
    for packed in (False, True):
        async with serving(says(_padded_to(4_000_000, case.body, packed=packed))) as upstream:
            assert await case.ask(case.supplier(upstream.url)) == await heard(case)
        async with serving(says(_padded_to(4_000_001, case.body, packed=packed))) as upstream:
            result = await outcome(case.ask(case.supplier(upstream.url)))
        assert type(result) is unclear(case.call), result
