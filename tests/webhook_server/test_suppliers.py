"""What suppliers bring is proved, read and stored before they hear 200; anything else is not."""

import asyncio
import gzip
import hashlib
import hmac
import json
import logging
import re
from dataclasses import dataclass, field
from io import BytesIO
from ipaddress import ip_network

import pytest
from aiohttp import ClientSession, web, web_protocol
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from providers.callbacks import is_from, is_signed, read_body, read_query
from shop.callbacks import CallsBack, Nonsense, Told, Trust
from shop.suppliers import TopupReport, TopupState
from storage.database import Busy, CommitUnknown, Unwritable
from webhook_server import suppliers
from webhook_server.app import MOST_BYTES, build_app, serve
from webhook_server.metrics import CallbackOutcome
from webhook_server.suppliers import add_supplier_callbacks

KEY = "key-canary-7f3a"
SECRET = "secret-canary-91bc"
CANARY = "word-canary-55de"
LOOPBACK = [ip_network("127.0.0.0/8")]
SENPAY = "206.189.83.1"
BODY = b'{"ref": "LPK-1", "status": "Sukses"}'


def told(ref):
    return [Told(ref=ref, report=TopupReport(state=TopupState.PENDING))]


class Faithful(CallsBack):
    """Signs the very bytes."""

    def __init__(self):
        self.asked = []
        self.fails_to = {}

    def _journal(self, what, callback):
        self.asked.append((what, callback))
        if what in self.fails_to:
            raise self.fails_to[what]

    def verify(self, callback):
        self._journal("verify", callback)
        signed = is_signed(callback.body, callback.headers.get("x-signature"), [KEY])
        return Trust.PROOF if signed else Trust.NONE

    def parse(self, callback):
        self._journal("parse", callback)
        said = read_body(callback.body)
        if not isinstance(ref := said.get("ref"), str):
            raise Nonsense("no ref")
        return told(ref)

    def thanks(self, callback):
        self._journal("thanks", callback)
        return '{"received":true}'

    def regrets(self, why):
        self._journal("regrets", why)
        return json.dumps({"status": 400, "message": why})


class Known(Faithful):
    """Is known by its address, and by nothing else."""

    def verify(self, callback):
        self._journal("verify", callback)
        return Trust.HINT if is_from(callback.remote, [ip_network(SENPAY)]) else Trust.NONE


class Reporting(Faithful):
    """Signs what it posts; what it writes into the address is a hint."""

    callback_methods = ("POST", "GET")

    def verify(self, callback):
        return Trust.HINT if callback.method == "GET" else super().verify(callback)

    def parse(self, callback):
        if callback.method == "POST":
            return super().parse(callback)
        self._journal("parse", callback)
        query = read_query(callback.query)
        if "trx_id" not in query:
            raise Nonsense("no trx_id")
        return told(query["trx_id"])


@dataclass
class Store:
    """Keeps what it is given; ``fails`` is raised instead."""

    rows: dict = field(default_factory=dict)
    journal: list = field(default_factory=list)
    counted: list = field(default_factory=list)
    fails: Exception | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    commit: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self):
        self.commit.set()

    def count(self, slug, outcome, seconds):
        assert 0 <= seconds < 60
        self.counted.append((slug, outcome))

    async def __call__(self, slug, callback, trust):
        self.asked.set()
        await self.commit.wait()
        if self.fails is not None:
            raise self.fails
        key = (slug, callback.method, callback.query, callback.body)
        is_new = key not in self.rows
        self.rows.setdefault(key, trust)
        self.journal.append((slug, callback, trust))
        return is_new


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def known():
    return {"faithful": Faithful(), "known": Known(), "reporting": Reporting()}


@pytest.fixture
async def doors(store, known):
    """Opens the doors; gives a client on this machine."""
    clients = []

    async def doors(**more):
        def part(app):
            add_supplier_callbacks(app, suppliers=known, store=store, count=store.count, **more)

        client = TestClient(TestServer(build_app(checks={}, parts=[part])))
        clients.append(client)
        await client.start_server()
        return client

    yield doors
    for client in clients:
        await client.close()


@pytest.fixture
async def client(doors):
    return await doors(trusted=LOOPBACK)


def signed(body, key=KEY):
    return {"X-Signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}


async def post(client, body=BODY, headers=None, path="/callbacks/faithful", method="POST"):
    sent = signed(body) if headers is None else headers
    async with client.request(method, path, data=BytesIO(body), headers=sent) as answer:
        return answer.status, await answer.text()


async def get(client, target):
    async with client.get(URL(target, encoded=True)) as answer:
        return answer.status, await answer.text()


async def raw(client, sent):
    """Send these very bytes, and no end of them; return the line that the answer begins with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(5):
            return await reader.readline()
    finally:
        writer.close()


OK = (200, '{"received":true}')


# --- what is stored -------------------------------------------------------------------------------


async def test_a_proved_callback_is_stored_as_it_came(client, store):
    target = "/callbacks/faithful?a=%41&b=x+y%20z&a=%c3%a9"
    headers = {**signed(BODY), "X-Twice": "1", "X-Once": "Yes"}
    async with client.post(URL(target, encoded=True), data=BODY, headers=headers) as answer:
        assert (answer.status, await answer.text()) == OK
        assert answer.headers["Content-Type"] == "application/json"
    ((slug, callback, trust),) = store.journal
    assert (slug, trust) == ("faithful", Trust.PROOF)
    assert (callback.method, callback.body) == ("POST", BODY)
    assert callback.query == "a=%41&b=x+y%20z&a=%c3%a9"
    assert callback.headers["x-once"] == "Yes"
    assert callback.remote == "127.0.0.1"
    assert store.counted == [("faithful", "stored")]


async def test_the_very_bytes_are_proved_and_stored(client, store):
    body = b' {"ref":"\\u0041" ,\r\n "n": 1.0, "s": "\xc3\xa9\\/"}\n\n'
    assert await post(client, body) == OK
    assert store.journal[0][1].body == body


async def test_a_repeat_is_heard_as_gladly(client, store):
    assert [await post(client) for _ in range(3)] == [OK] * 3
    assert len(store.rows) == 1
    assert store.counted == [("faithful", each) for each in ("stored", "repeated", "repeated")]


async def test_many_repeats_at_once_are_one(client, store):
    assert await asyncio.gather(*(post(client) for _ in range(20))) == [OK] * 20
    assert len(store.rows) == 1
    outcomes = [outcome for _, outcome in store.counted]
    assert sorted(outcomes) == ["repeated"] * 19 + ["stored"]


async def test_a_hint_is_stored_as_a_hint(client, store):
    headers = {"X-Forwarded-For": SENPAY}
    assert await post(client, headers=headers, path="/callbacks/known") == OK
    assert store.journal[0][2] is Trust.HINT


async def test_the_answer_comes_only_after_it_was_stored(client, store):
    store.commit.clear()
    asking = asyncio.create_task(post(client))
    await store.asked.wait()
    done, _ = await asyncio.wait([asking], timeout=0.02)
    assert not done
    store.commit.set()
    assert await asking == OK


async def test_it_is_proved_then_read_then_stored(client, store, known):
    await post(client)
    faithful = known["faithful"]
    assert [what for what, _ in faithful.asked] == ["verify", "parse", "thanks"]
    store.fails = Busy()
    await post(client)
    assert [what for what, _ in faithful.asked][3:] == ["verify", "parse"]


@pytest.mark.parametrize(
    "fails",
    [Busy(), Unwritable("full"), CommitUnknown("cut"), RuntimeError(CANARY), TimeoutError()],
    ids=repr,
)
async def test_what_cannot_be_stored_is_to_come_again(client, store, fails, caplog):
    store.fails = fails
    answers = [await post(client) for _ in range(3)]
    assert answers == [(503, "503: Service Unavailable")] * 3
    store.fails = None
    assert await post(client) == OK
    store.fails = fails
    assert (await post(client))[0] == 503
    outcomes = [outcome for _, outcome in store.counted]
    assert outcomes == ["not_stored"] * 3 + ["stored", "not_stored"]
    assert caplog.messages == ["callback.cannot_store"] * 2
    assert CANARY not in everything_logged(caplog)


async def test_each_supplier_is_heard_by_its_own_door(client, store, known):
    assert await post(client, path="/callbacks/reporting") == OK
    assert known["faithful"].asked == []
    assert store.journal[0][0] == "reporting"


# --- which door -----------------------------------------------------------------------------------

NOT_FOUND = (404, "404: Not Found")


@pytest.mark.parametrize(
    "path",
    [
        "/callbacks/stranger",
        "/callbacks/Faithful",
        "/callbacks/faithful/",
        "/callbacks/faithful/anything",
        f"/callbacks/faithful/{SECRET}",
        "/callbacks/faithful//",
        "/callbacks/",
        "/callbacks//faithful",
        "/callbacks/faithful%00",
        "/callbacks/%66aithful%2f",
        "/callbacks/..%2ffaithful",
        "/callbacks/%ff%fe",
        "/Callbacks/faithful",
    ],
)
async def test_another_address_is_no_door(client, store, path):
    assert await post(client, path=URL(path, encoded=True)) == NOT_FOUND
    assert store.journal == []
    assert {outcome for _, outcome in store.counted} <= {"not_found"}


async def test_with_a_secret_only_the_address_with_it_is_a_door(doors, store):
    client = await doors(secrets=[SECRET.encode(), b"the-old-secret"])
    assert await post(client, path=f"/callbacks/faithful/{SECRET}") == OK
    assert await post(client, path="/callbacks/faithful/the-old-secret") == OK
    assert len(store.journal) == 2


@pytest.mark.parametrize(
    "end",
    [
        "",
        "/",
        "/wrong",
        f"/{SECRET}x",
        f"/{SECRET[:-1]}",
        f"/{SECRET.upper()}",
        f"/{SECRET}/",
        f"/{SECRET}/{SECRET}",
        f"?{SECRET}",
        f"?secret={SECRET}",
        f"/?secret={SECRET}",
        "/%ff",
        "/%ed%a0%80",
        "/r%C3%A4tsel",
        f"/{SECRET},the-old-secret",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
async def test_without_the_secret_there_is_no_door(doors, store, end, method):
    client = await doors(secrets=[SECRET.encode(), b"the-old-secret"])
    path = URL(f"/callbacks/reporting{end}", encoded=True)
    assert await post(client, path=path, method=method) == NOT_FOUND
    assert store.journal == []


async def test_a_secret_is_compared_as_it_is_meant_not_as_it_is_written(doors):
    client = await doors(secrets=["rätsel/7".encode()])
    path = URL("/callbacks/faithful/r%C3%A4tsel%2F7", encoded=True)
    assert await post(client, path=path) == OK


@pytest.mark.parametrize("secrets", [[b""], [b"good", b""]])
def test_an_empty_secret_is_none(store, secrets):
    with pytest.raises(ValueError, match="empty secret"):
        add_supplier_callbacks(web.Application(), suppliers={}, store=store, secrets=secrets)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize(
    ("slug", "allowed"),
    [("faithful", {"POST"}), ("known", {"POST"}), ("reporting", {"POST", "GET"})],
)
async def test_a_door_has_its_methods(client, store, known, method, slug, allowed):
    if method in allowed:
        return
    path = f"/callbacks/{slug}"
    async with client.request(method, path, data=BODY, headers=signed(BODY)) as answer:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == allowed
    assert (store.journal, known[slug].asked) == ([], [])
    assert store.counted == [(slug, "not_found")]


async def test_the_default_is_to_post(store):
    def part(app):
        add_supplier_callbacks(app, suppliers={"faithful": Faithful()}, store=store)

    async with TestClient(TestServer(build_app(checks={}, parts=[part]))) as client:
        assert await post(client) == OK
        assert (await get(client, "/callbacks/faithful"))[0] == 405


# --- who brings it --------------------------------------------------------------------------------

SIGNED = signed(BODY)["X-Signature"]
REDUMPED = json.dumps(json.loads(BODY), separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Signature": ""},
        {"X-Signature": "wrong"},
        {"X-Signature": SIGNED.upper()},
        {"X-Signature": f"sha256={SIGNED}"},
        {"X-Signature": SIGNED[:-1]},
        {"X-Signature": f"{SIGNED}, {SIGNED}"},
        {"X-Signature": "r\u00e4tsel"},
        signed(BODY, key="another-key"),
        signed(REDUMPED),
        {"Authorization": SIGNED},
    ],
    ids=repr,
)
async def test_without_proof_nothing_is_heard(client, store, known, headers, caplog):
    assert await post(client, headers=headers) == (401, "401: Unauthorized")
    assert await post(client, b"\xff" * 100, headers) == (401, "401: Unauthorized")
    assert store.journal == []
    assert {what for what, _ in known["faithful"].asked} == {"verify"}
    assert store.counted == [("faithful", "unproved")] * 2
    assert caplog.messages == ["callback.unproved"]


async def test_a_proof_that_stands_twice_is_none(client, store):
    head = f"X-Signature: {SIGNED}\r\nx-signature: {SIGNED}\r\n"
    sent = request(BODY, head)
    assert b" 401 " in await raw(client, sent)
    assert store.journal == []


async def test_a_header_in_bytes_that_are_no_text_is_no_proof(client, store):
    sent = request(BODY).replace(b"Host: x", b"Host: x\r\nX-Signature: \xff\xfe")
    assert b" 401 " in await raw(client, sent)
    assert store.journal == []


async def test_one_altered_byte_is_no_proof(client, store):
    for place in range(len(BODY)):
        altered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert (await post(client, altered, signed(BODY)))[0] == 401
    assert store.journal == []


@pytest.mark.parametrize(
    "forwarded", [None, "203.0.113.66", f"{SENPAY}, 203.0.113.66", f"{SENPAY},", "junk"]
)
async def test_an_address_is_only_proved_by_trusted_proxies(client, store, forwarded):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert (await post(client, headers=headers, path="/callbacks/known"))[0] == 401
    assert store.journal == []


async def test_nobody_is_believed_where_no_proxy_is_trusted(doors, store):
    client = await doors()
    headers = {"X-Forwarded-For": SENPAY, "X-Real-IP": SENPAY, "Forwarded": f"for={SENPAY}"}
    assert (await post(client, headers=headers, path="/callbacks/known"))[0] == 401
    assert store.journal == []


async def test_several_lines_of_forwarding_are_read_in_order(client, store):
    for lines, status in (
        ((SENPAY, "203.0.113.66"), b" 401 "),
        (("203.0.113.66", SENPAY), b" 200 "),
    ):
        head = "".join(f"X-Forwarded-For: {line}\r\n" for line in lines)
        assert status in await raw(client, request(BODY, head, "known"))
    assert len(store.journal) == 1


@pytest.mark.parametrize("fails", [RuntimeError(CANARY), Nonsense(CANARY), RecursionError(CANARY)])
async def test_a_proof_that_fails_is_none_and_is_logged_once(client, store, known, fails, caplog):
    known["faithful"].fails_to["verify"] = fails
    assert [(await post(client))[0] for _ in range(3)] == [401] * 3
    assert store.journal == []
    assert caplog.messages.count("callback.cannot_verify") == 1
    assert CANARY not in everything_logged(caplog)


@pytest.mark.parametrize("trust", [None, True, 1, "yes", []], ids=repr)
async def test_only_the_two_words_for_it_are_proof(client, store, known, monkeypatch, trust):
    monkeypatch.setattr(known["faithful"], "verify", lambda _: trust)
    assert (await post(client))[0] == 401
    assert store.journal == []


# --- what makes no sense --------------------------------------------------------------------------

NONSENSE = [
    b"",
    b"halo",
    b'{"ref": "LPK-1"',
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b"{}",
    b'{"ref": NaN}',
    b'{"ref": "a", "ref": "b"}',
    b'{"ref": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    b"[" * 60_000,
]


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:40]))
async def test_a_proved_body_that_makes_no_sense_is_refused_in_their_words(client, store, body):
    status, text = await post(client, body)
    assert status == 400
    assert json.loads(text)["status"] == 400
    assert store.journal == []
    assert store.counted == [("faithful", "nonsense")]


async def test_they_hear_why(client, known):
    assert await post(client, b"{}") == (400, '{"status": 400, "message": "no ref"}')


async def test_a_hint_that_makes_no_sense_is_refused_too_if_it_was_posted(client, store):
    headers = {"X-Forwarded-For": SENPAY}
    assert (await post(client, b"{}", headers, "/callbacks/known"))[0] == 400
    assert store.journal == []


@pytest.mark.parametrize("fails", [TypeError(CANARY), KeyError(CANARY), RecursionError(CANARY)])
async def test_a_reader_that_fails_is_nonsense(client, store, known, fails, caplog):
    known["faithful"].fails_to["parse"] = fails
    for _ in range(3):
        status, text = await post(client)
        assert (status, CANARY in text) == (400, False)
    assert store.journal == []
    assert caplog.messages == ["callback.cannot_parse"]
    assert CANARY not in everything_logged(caplog)


async def test_why_is_logged_once_in_a_while_on_one_line(client, known, caplog, monkeypatch):
    known["faithful"].fails_to["parse"] = Nonsense("no\nref\x1b[31m" + "x" * 1000)
    for _ in range(3):
        await post(client)
    (record,) = caplog.records
    assert (record.message, record.supplier) == ("callback.nonsense", "faithful")
    assert record.why.startswith("no ref[31mxxx")
    assert len(record.why) <= 200
    monkeypatch.setattr(suppliers, "SELDOM", 0)
    await post(client)
    assert len(caplog.records) == 2


@pytest.mark.parametrize("way", ["thanks", "regrets"])
@pytest.mark.parametrize("fails", [RuntimeError(CANARY), Nonsense(CANARY)])
async def test_a_supplier_without_words_still_hears_the_status(client, store, known, way, fails):
    known["faithful"].fails_to[way] = fails
    body, status = (BODY, 200) if way == "thanks" else (b"{}", 400)
    assert await post(client, body) == (status, "{}")
    assert len(store.journal) == (way == "thanks")


async def test_half_a_character_is_said_as_json_says_it(client, known, monkeypatch):
    monkeypatch.setattr(known["faithful"], "thanks", lambda _: '"\ud83d"')
    assert await post(client) == (200, '"\\ud83d"')


# --- reports in the address -----------------------------------------------------------------------


async def test_a_report_in_the_address_is_a_hint(client, store):
    target = "/callbacks/reporting?invoice_number=I&trx_id=LPK-1&status=SUCCESS&sn=%2B1&msg=a%20b"
    assert await get(client, target) == OK
    ((slug, callback, trust),) = store.journal
    assert (slug, trust) == ("reporting", Trust.HINT)
    assert (callback.method, callback.body) == ("GET", b"")
    assert callback.query == target.partition("?")[2]


# The example of the supplier's document (kiosgame.md, "Callback Otomax"), sent without escaping.
OTOMAX = (
    "invoice_number=APIKUY_XX_1679528285_4321&trx_id=1234243244&status=SUCCESS"
    "&sn=Nickname%20-%20123456789(1234)%20.%20RefId:%20XX_1679528285_4321"
    "&msg=R#1234243244%20APIKUY_XX_1679528285_4321%20S1_1187.123456789(1234),%20status%20SUCCESS."
    "%20Nickname%20-%20123456789(1234)%20.%20RefId:%20XX_1679528285_4321%20."
    "%20Sisa%20saldo%2012343"
)


async def test_a_number_sign_in_the_address_cuts_nothing_off(client, store):
    assert b" 200 " in await raw(client, report(OTOMAX.encode()))
    assert store.journal[0][1].query == OTOMAX


async def test_bytes_that_are_no_text_are_kept_too(client, known, monkeypatch):
    # aiohttp's parser in C answers 400 by itself; the one in Python, for other machines, does not.
    monkeypatch.setattr(web_protocol, "HttpRequestParser", HttpRequestParserPy)
    await raw(client, report(b"trx_id=LPK-1&msg=\xff\xc3\xa9%41"))
    what, callback = known["reporting"].asked[0]
    assert (what, callback.query) == ("parse", "trx_id=LPK-1&msg=\udcff\u00e9%41")


async def test_a_whole_address_is_read_like_a_path(client, store):
    answer = await raw(client, report(b"trx_id=LPK-1", b"http://shop.example"))
    assert b" 200 " in answer
    assert store.journal[0][1].query == "trx_id=LPK-1"


@pytest.mark.parametrize("query", ["", "?", "?a=b", "?trx_id=a&trx_id=b", "?%ff", "?;;;", "?=&="])
async def test_a_report_that_makes_no_sense_is_heard_and_forgotten(client, store, query):
    assert await get(client, f"/callbacks/reporting{query}") == OK
    assert store.journal == []
    assert store.counted == [("reporting", "ignored")]


async def test_a_proof_in_an_address_that_makes_no_sense_is_refused(
    client, store, known, monkeypatch
):
    monkeypatch.setattr(known["reporting"], "verify", lambda _: Trust.PROOF)
    assert (await get(client, "/callbacks/reporting?a=b"))[0] == 400
    assert store.counted == [("reporting", "nonsense")]


# --- how much, and how ----------------------------------------------------------------------------


def of_size(size):
    head, tail = b'{"ref": "LPK-1", "x": "', b'"}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


def report(query, before=b""):
    line = b"GET " + before + b"/callbacks/reporting?" + query + b" HTTP/1.1\r\n"
    return line + b"Host: x\r\nConnection: close\r\n\r\n"


def request(body, head="", slug="faithful"):
    lines = f"POST /callbacks/{slug} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}"
    return f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def test_a_large_callback_is_taken_and_a_larger_one_is_not(client, store, known):
    too_large = (413, "413: Request Entity Too Large")
    assert await post(client, of_size(MOST_BYTES + 1)) == too_large
    assert (store.journal, known["faithful"].asked) == ([], [])
    assert await post(client, of_size(MOST_BYTES)) == OK
    assert [outcome for _, outcome in store.counted] == ["too_large", "stored"]


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 10**12, 2**63 - 1])
async def test_what_is_said_to_be_too_large_is_refused_before_it_comes(client, store, size):
    head = f"POST /callbacks/faithful HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    assert b" 413 " in await raw(client, head.encode())
    assert store.counted == [("faithful", "too_large")]


async def test_what_grows_beyond_the_limit_is_refused_before_it_ends(client, store, known):
    head = b"POST /callbacks/faithful HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = (b"1000\r\n" + b"x" * 0x1000 + b"\r\n") * 17
    assert b" 413 " in await raw(client, head + chunks)
    assert known["faithful"].asked == []
    assert store.counted == [("faithful", "too_large")]


async def test_a_body_in_small_pieces_is_one_body(client, store):
    head = f"POST /callbacks/faithful HTTP/1.1\r\nHost: x\r\nX-Signature: {SIGNED}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
    for byte in BODY:
        writer.write(b"1;ext=1\r\n" + bytes([byte]) + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert (await reader.read()).endswith(OK[1].encode())
    writer.close()
    assert store.journal[0][1].body == BODY


@pytest.mark.parametrize("length", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_body_that_never_ends_is_given_up(client, store, known, monkeypatch, length):
    monkeypatch.setattr(suppliers, "PATIENCE", 0.02)
    head = f"POST /callbacks/faithful HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n"
    assert b" 408 " in await raw(client, head.encode())
    assert known["faithful"].asked == []
    assert store.counted == [("faithful", "nonsense")]


@pytest.mark.parametrize(
    "coding", ["gzip", "GZIP", "deflate", "br", "zstd", "x-gzip", "identity, gzip", "", "junk"]
)
async def test_a_packed_body_is_not_unpacked(client, store, known, coding):
    bomb = gzip.compress(b"x" * 30_000_000)
    head = f"Content-Encoding: {coding}\r\nX-Signature: {signed(bomb)['X-Signature']}\r\n"
    line = await raw(client, request(bomb, head))
    assert b" 415 " in line or b" 400 " in line  # if aiohttp sees first that it is packed wrongly
    assert known["faithful"].asked == []
    assert store.journal == []


async def test_a_body_that_is_said_to_be_as_it_is_is_taken(client, store):
    assert await post(client, headers={**signed(BODY), "Content-Encoding": "Identity"}) == OK


async def begun(port, head):
    """Begin a callback, and wait until the door waits for its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    line = "POST /callbacks/faithful HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    writer.write(f"{line}{head}\r\n\r\n".encode())
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_a_body_that_breaks_is_refused(client, store, known):
    head = b"POST /callbacks/faithful HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 400 " in await raw(client, head + b"5\r\nabcdeXX\r\nnot a size\r\n")
    assert known["faithful"].asked == []


# aiohttp's parser in C does not tell who waits for the body, so it is as if no more of it came.
@pytest.mark.parametrize(
    ("parser", "status"), [(HttpRequestParser, b" 408 "), (HttpRequestParserPy, b" 400 ")]
)
async def test_a_body_that_breaks_later_is_given_up(
    client, store, known, monkeypatch, parser, status
):
    monkeypatch.setattr(web_protocol, "HttpRequestParser", parser)
    monkeypatch.setattr(suppliers, "PATIENCE", 0.2)
    reader, writer = await begun(client.port, "Transfer-Encoding: chunked")
    writer.write(b"5\r\nabcdeXX\r\nnot a size\r\n")
    assert status in await reader.readline()
    writer.close()
    assert known["faithful"].asked == []
    assert store.counted == [("faithful", "nonsense")]


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(store, known, caplog, framing):
    app = build_app(checks={}, parts=[open_to_all(store, known)])
    async with serve(app, "127.0.0.1", 0) as port, ClientSession(base(port)) as http:
        _, writer = await begun(port, framing)
        writer.transport.abort()
        assert await post(http) == OK
    assert len(store.journal) == 1
    assert [what for what, _ in known["faithful"].asked] == ["verify", "parse", "thanks"]
    assert sorted(store.counted) == [("faithful", "nonsense"), ("faithful", "stored")]
    assert caplog.records == []


async def test_other_parts_keep_their_paths(store):
    def part(app):
        add_supplier_callbacks(app, suppliers={}, store=store)

    async with TestClient(TestServer(build_app(checks={}, parts=[part]))) as client:
        assert await get(client, "/healthz") == (200, "ok")
        assert await post(client) == NOT_FOUND


async def test_what_is_counted_has_a_name_known_beforehand(client, store):
    await post(client)
    await post(client)
    await post(client, headers={})
    await post(client, b"")
    await post(client, of_size(MOST_BYTES + 1))
    await post(client, path="/callbacks/stranger")
    await get(client, "/callbacks/reporting")
    store.fails = Busy()
    await post(client)
    assert {outcome for _, outcome in store.counted} == set(CallbackOutcome)


# --- whatever is sent -----------------------------------------------------------------------------


def everything_logged(caplog):
    """All that any of the records holds, whoever wrote it."""
    formatter = logging.Formatter()
    return "\n".join(f"{formatter.format(each)} {each.__dict__}" for each in caplog.records)


async def test_nothing_of_a_request_is_logged(store, known, caplog):
    caplog.set_level(logging.DEBUG)
    app = build_app(checks={}, parts=[open_to_all(store, known, secrets=[SECRET.encode()])])
    async with serve(app, "127.0.0.1", 0) as port, ClientSession(base(port)) as http:
        body = json.dumps({"ref": CANARY, "msg": CANARY}).encode()
        nonsense = json.dumps({CANARY: CANARY}).encode()
        path = f"/callbacks/faithful/{SECRET}?q={CANARY}"
        for where in (path, f"/callbacks/{CANARY}/{SECRET}", f"/callbacks/{SECRET}%zz"):
            for sent in (body, nonsense, b"{" + body, of_size(MOST_BYTES + 1)):
                for proof in (signed(sent), {"X-Signature": CANARY, "X-Forwarded-For": CANARY}):
                    await post(http, sent, {**proof, "X-More": CANARY}, URL(where, encoded=True))
        for fails in (Busy(), ValueError(CANARY)):
            store.fails = fails
            assert (await post(http, body, path=path))[0] == 503
        known["faithful"].fails_to = {"parse": ValueError(CANARY), "regrets": ValueError(CANARY)}
        assert (await post(http, body, path=path))[0] == 400
    said = everything_logged(caplog)
    assert {each.message for each in caplog.records} >= {
        "callback.unproved",
        "callback.nonsense",
        "callback.cannot_store",
        "callback.cannot_parse",
        "callback.speechless",
    }
    assert [word for word in (CANARY, SECRET, KEY, SIGNED) if word in said] == []


def mostly(usual, rare):
    return st.integers(0, 4).flatmap(lambda nth: rare if nth == 0 else usual)


METHODS = mostly(st.sampled_from(["POST", "GET"]), st.sampled_from(["HEAD", "PUT", "TRACE", "X"]))
WORDS = st.one_of(
    st.text(max_size=20), st.sampled_from([SECRET, KEY, "%ff", "%00", "..", "#", "?"])
)
SLUGS = mostly(st.sampled_from(["faithful", "known", "reporting"]), WORDS)
QUERIES = st.one_of(WORDS, WORDS.map("trx_id={}".format))
FORWARDED = st.lists(st.sampled_from([SENPAY, "203.0.113.66", "junk", ""]), max_size=3)
HEADERS = st.one_of(
    FORWARDED.map(lambda hops: {"X-Forwarded-For": ",".join(hops)}),
    st.dictionaries(
        st.sampled_from(["X-Signature", "Content-Encoding", "Content-Type", "Expect", "Upgrade"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=40),
        max_size=2,
    ),
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
SENSE = st.builds(lambda ref: {"ref": ref}, st.text(max_size=9))
BODIES = mostly(mostly(SENSE, JSONS).map(lambda each: json.dumps(each).encode()), st.binary())


@dataclass
class Sent:
    """A request that anybody could send; ``proof`` signs it, which only the supplier can."""

    method: str
    slug: str
    end: str
    query: str
    headers: dict
    body: bytes
    proof: bool


REQUESTS = st.builds(
    Sent,
    method=METHODS,
    slug=SLUGS,
    end=mostly(st.just(""), WORDS.map("/{}".format)),
    query=QUERIES,
    headers=HEADERS,
    body=BODIES,
    proof=st.booleans(),
)


def open_to_all(store, known=None, **more):
    """The three doors, at which anybody may knock; gives the part."""
    known = known or {"faithful": Faithful(), "known": Known(), "reporting": Reporting()}

    def part(app):
        add_supplier_callbacks(
            app, suppliers=known, store=store, count=store.count, trusted=LOOPBACK, **more
        )

    return part


def is_earned(slug, callback, trust):
    """Tell, by other means than the doors do, whether this may have been stored."""
    if slug == "faithful" or (slug == "reporting" and callback.method == "POST"):
        right = hmac.new(KEY.encode(), callback.body, hashlib.sha256).hexdigest()
        return trust is Trust.PROOF and callback.headers.get("x-signature") == right
    if slug == "known":
        return trust is Trust.HINT and callback.headers["x-forwarded-for"].endswith(SENPAY)
    return slug == "reporting" and callback.method == "GET" and trust is Trust.HINT


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(REQUESTS, min_size=20, max_size=20))
async def test_no_request_breaks_the_door_and_none_is_stored_without_proof(requests):
    store = Store()
    app = build_app(checks={}, parts=[open_to_all(store)])
    async with serve(app, "127.0.0.1", 0) as port, ClientSession(base(port)) as http:
        for sent in requests:
            headers = sent.headers | (signed(sent.body) if sent.proof else {})
            path = URL(f"/callbacks/{sent.slug}{sent.end}?{sent.query}")
            data = BytesIO(sent.body)
            try:
                asking = http.request(sent.method, path, data=data, headers=headers)
                async with asking as answer:
                    assert answer.status < 500
            except ValueError:  # the client will not send such a header or address
                continue
    assert all(is_earned(*each) for each in store.journal)


ODD = st.sampled_from(
    [b"\r\n", b"\0", b"\xff", b" ", b":", b"#", b"?", b"%", b"%zz", b"x" * 9000, b"\r\n\r\n", b"\t"]
)


@st.composite
def mangled(draw):
    """A callback as bytes, with odd ones put anywhere."""
    body, slug = draw(BODIES), draw(st.sampled_from(["faithful", "known", "reporting"]))
    query = draw(st.sampled_from(["", "?trx_id=1", "?a=b&msg=R#1", "?%ff=%00"]))
    true = f"Content-Length: {len(body)}"
    lengths = [
        f"Content-Length: {length}" for length in (len(body) + 1, 0, -1, 65_537, 10**30, "x")
    ]
    framing = draw(mostly(st.just(true), st.sampled_from([*lengths, "Transfer-Encoding: chunked"])))
    proof = draw(st.sampled_from(["X-Signature: 00", f"X-Forwarded-For: {SENPAY}, 203.0.113.66"]))
    line = f"{draw(METHODS)} /callbacks/{slug}{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    sent = f"{line}{framing}\r\n{proof}\r\n\r\n".encode() + body
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(sent)))
        sent = sent[:at] + draw(ODD) + sent[at:]
    return sent


# Ends whatever was begun before: it is the rest of a body, or else no HTTP.
END = b"\r\n\r\n\0\r\n\r\n"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(mangled(), min_size=20, max_size=20))
async def test_no_bytes_break_the_door_and_none_are_stored_without_proof(requests):
    store = Store()
    server = TestServer(build_app(checks={}, parts=[open_to_all(store)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suppliers, "PATIENCE", 0.2)  # a length may be mangled into any other
        async with TestClient(server) as client:
            answers = await asyncio.gather(*(raw(client, sent + END) for sent in requests))
    assert [each for each in answers if not re.match(rb"HTTP/1\.[01] [24]\d\d ", each)] == []
    assert {(slug, each.method, trust) for slug, each, trust in store.journal} <= {
        ("reporting", "GET", Trust.HINT)
    }


def base(port):
    return f"http://127.0.0.1:{port}"
