"""What a monitor on this machine reads, and that nobody else finds anything there."""

import asyncio
import logging
import sqlite3
from dataclasses import replace
from itertools import product

import pytest
from aiohttp import ClientSession, UnixConnector, web
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDict
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families

from shop.calls import MOST_CALLS, WINDOW, Purpose
from shop.cases import CaseKind
from shop.figures import Budget, CallCount, CallOutcome, Figures, Waiting
from shop.orders import Status
from storage.figures import SqlFigures
from tests.fakes.databases import fresh, transaction
from tests.storage.planted import CANARY, opened, plant
from webhook_server import metrics
from webhook_server.app import build_app
from webhook_server.metrics import CallbackCounts, CallbackOutcome, add_metrics, is_this_machine

NOW = 1_795_150_800_000
BUDGETS = {"zultopup": Budget(most=MOST_CALLS, window=WINDOW)}
NOTHING = Figures(
    at=NOW,
    orders={},
    cases={},
    outbox={},
    updates=Waiting(),
    suppliers=("zultopup", "kiosgame"),
    budget_left={"zultopup": MOST_CALLS},
    calls=(),
)


def figures_of(database):
    return database.read(lambda tx: SqlFigures(tx).read(NOW, BUDGETS))


def reading(found):
    async def figures():
        return found

    return figures


class Questioned:
    """Figures that are counted each time they are read."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.times = 0

    async def __call__(self):
        self.times += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def address(tmp_path):
    with fresh("sqlite", tmp_path) as found:
        yield found


@pytest.fixture
async def shop():
    """Serves the figures; gives a client on the same machine."""
    clients = []

    async def shop(figures=None, *, callbacks=None, before=(), host="127.0.0.1"):
        counts = callbacks or CallbackCounts(["zonegame", "telegram"])

        def part(app):
            app.middlewares.extend(before)
            add_metrics(app, figures=figures or reading(NOTHING), callbacks=counts, version="1.2.3")

        server = TestServer(build_app(checks={}, parts=[part]), host=host)
        client = TestClient(server)
        clients.append(client)
        await client.start_server()
        return client

    yield shop
    for client in clients:
        await client.close()


async def samples_of(answer):
    """Every number of the answer by its name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await answer.text())
        for sample in family.samples
    }


async def scraped(client):
    answer = await client.get("/metrics")
    assert answer.status == 200
    found = await samples_of(answer)
    return lambda name, **labels: found[(name, *sorted(labels.items()))]


# --- the numbers ----------------------------------------------------------------------------------


async def test_the_numbers_are_what_the_database_holds(shop, address):
    plant(address, NOW)
    with transaction(address) as tx:
        book = SqlFigures(tx)
        for took in (40, 50, 700, 45_000):
            book.record_outcome("zultopup", Purpose.OPEN, CallOutcome.ANSWERED, took)
        book.record_outcome("zultopup", Purpose.OPEN, CallOutcome.UNKNOWN, 30_000)
    async with opened(address) as database:
        value = await scraped(await shop(lambda: figures_of(database)))
    assert value("lapak_up") == 1
    assert value("lapak_info", version="1.2.3") == 1
    assert {status: value("lapak_orders", status=status) for status in Status} == {
        **dict.fromkeys(Status, 0),
        Status.DELIVERED: 3,
        Status.PROCESSING: 2,
        Status.REFUND_DUE: 1,
    }
    assert {kind: value("lapak_cases_open", kind=kind) for kind in CaseKind} == {
        **dict.fromkeys(CaseKind, 0),
        CaseKind.STUCK: 2,
        CaseKind.PAID_LATE: 1,
    }
    assert value("lapak_case_oldest_seconds") == 90
    assert [value("lapak_outbox_waiting", lane=lane) for lane in "01"] == [2, 1]
    assert [value("lapak_outbox_oldest_seconds", lane=lane) for lane in "01"] == [5, 2.5]
    assert value("lapak_updates_waiting") == 2
    assert value("lapak_update_oldest_seconds") == 7
    assert value("lapak_supplier_budget_left", supplier="zultopup") == MOST_CALLS - 4
    opened_ones = {"supplier": "zultopup", "purpose": "open"}
    assert value("lapak_supplier_calls_total", **opened_ones, outcome="answered") == 4
    assert value("lapak_supplier_calls_total", **opened_ones, outcome="unknown") == 1
    assert value("lapak_supplier_calls_total", **opened_ones, outcome="busy") == 0
    up_to = [
        value("lapak_supplier_call_seconds_bucket", **opened_ones, le=le)
        for le in ("0.05", "0.1", "0.5", "1.0", "10.0", "30.0", "+Inf")
    ]
    assert up_to == [2, 2, 2, 3, 3, 4, 5]
    assert value("lapak_supplier_call_seconds_count", **opened_ones) == 5
    assert value("lapak_supplier_call_seconds_sum", **opened_ones) == 75.79


async def test_each_answer_is_read_anew(shop):
    later = replace(NOTHING, orders={"placed": 1})
    figures = Questioned(NOTHING, later)
    client = await shop(figures)
    assert (await scraped(client))("lapak_orders", status="placed") == 0
    assert (await scraped(client))("lapak_orders", status="placed") == 1
    assert figures.times == 2


async def test_all_that_can_happen_is_there_from_the_start(shop):
    value = await scraped(await shop())
    assert {value("lapak_orders", status=status) for status in Status} == {0}
    assert {value("lapak_cases_open", kind=kind) for kind in CaseKind} == {0}
    assert [value("lapak_outbox_waiting", lane=lane) for lane in "01"] == [0, 0]
    assert [value("lapak_outbox_oldest_seconds", lane=lane) for lane in "01"] == [0, 0]
    assert value("lapak_case_oldest_seconds") == 0
    assert value("lapak_update_oldest_seconds") == 0
    for supplier, purpose in product(NOTHING.suppliers, Purpose):
        kind = {"supplier": supplier, "purpose": purpose}
        for outcome in CallOutcome:
            assert value("lapak_supplier_calls_total", **kind, outcome=outcome) == 0
        assert value("lapak_supplier_call_seconds_count", **kind) == 0
        assert value("lapak_supplier_call_seconds_sum", **kind) == 0
    for source in ("zonegame", "telegram", "other"):
        for outcome in CallbackOutcome:
            assert value("lapak_callbacks_total", source=source, outcome=outcome) == 0
        assert value("lapak_callback_seconds_count", source=source) == 0


async def test_what_an_older_program_stored_is_shown_as_well(shop):
    kind = {"supplier": "gone", "purpose": "topup", "outcome": "odd"}
    stored = [
        CallCount(**kind, slower_than=0, calls=1, took=10),
        CallCount(**kind, slower_than=60, calls=2, took=150),
        CallCount(**kind, slower_than=99_000, calls=4, took=400_000),
    ]
    value = await scraped(await shop(reading(replace(NOTHING, orders={"lost": 9}, calls=stored))))
    assert value("lapak_orders", status="lost") == 9
    assert value("lapak_supplier_calls_total", **kind) == 7
    labels = {"supplier": "gone", "purpose": "topup"}
    up_to = [
        value("lapak_supplier_call_seconds_bucket", **labels, le=le)
        for le in ("0.05", "0.1", "30.0", "+Inf")
    ]
    assert up_to == [1, 3, 3, 7]


async def test_a_clock_that_was_set_back_makes_nothing_younger_than_now(shop):
    figures = replace(NOTHING, updates=Waiting(count=1, since=NOW + 60_000))
    assert (await scraped(await shop(reading(figures))))("lapak_update_oldest_seconds") == 0


async def test_no_label_holds_what_came_from_outside(shop, address):
    plant(address, NOW)
    counts = CallbackCounts(["zonegame"])
    counts.count(CANARY, CallbackOutcome.NOT_FOUND, 0.001)
    async with opened(address) as database:
        client = await shop(lambda: figures_of(database), callbacks=counts)
        answer = await client.get("/metrics", params={"q": CANARY}, headers={"X-Any": CANARY})
        text = await answer.text()
    assert answer.status == 200
    assert "canary" not in text.lower()
    assert CANARY not in str(answer.headers)


async def test_every_name_is_ours_and_every_family_explains_itself(shop):
    answer = await (await shop()).get("/metrics")
    families = list(text_string_to_metric_families(await answer.text()))
    assert all(family.name.startswith("lapak_") for family in families)
    assert all(family.documentation and family.type != "unknown" for family in families)
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert not any(name.endswith("_created") for name in names)


# --- what this process received -------------------------------------------------------------------


async def test_what_was_received_is_counted_and_timed(shop):
    counts = CallbackCounts(["zonegame"])
    counts.count("zonegame", CallbackOutcome.STORED, 0.004)
    counts.count("zonegame", CallbackOutcome.STORED, 0.2)
    counts.count("zonegame", CallbackOutcome.UNPROVED, -1.0)
    value = await scraped(await shop(callbacks=counts))
    assert value("lapak_callbacks_total", source="zonegame", outcome="stored") == 2
    assert value("lapak_callbacks_total", source="zonegame", outcome="unproved") == 1
    assert value("lapak_callback_seconds_count", source="zonegame") == 3
    assert value("lapak_callback_seconds_sum", source="zonegame") == pytest.approx(0.204)


async def test_strangers_cannot_make_new_labels(shop):
    counts = CallbackCounts(["zonegame"])
    for nth in range(100):
        counts.count(f"supplier-{nth}", CallbackOutcome.NOT_FOUND, 0.001)
    client = await shop(callbacks=counts)
    value = await scraped(client)
    assert value("lapak_callbacks_total", source="other", outcome="not_found") == 100
    assert "supplier-" not in await (await client.get("/metrics")).text()


async def test_two_shops_in_one_process_count_apart():
    one, other = CallbackCounts(["zonegame"]), CallbackCounts(["zonegame"])
    one.count("zonegame", CallbackOutcome.STORED, 0.1)
    counted = [sample.value for family in other.collect() for sample in family.samples]
    assert set(counted) == {0}


# --- the answer -----------------------------------------------------------------------------------


async def test_it_says_what_kind_of_text_it_is_and_that_it_grows_old(shop):
    answer = await (await shop()).get("/metrics")
    assert answer.headers.getall("Content-Type") == [CONTENT_TYPE_LATEST]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_head_is_a_get_without_the_text(shop):
    answer = await (await shop()).head("/metrics")
    assert (answer.status, await answer.read()) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_figures_are_only_asked_for(shop, method):
    figures = Questioned(NOTHING)
    answer = await (await shop(figures)).request(method, "/metrics")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
    assert figures.times == 0


# --- when the database does not answer ------------------------------------------------------------


async def test_figures_that_cannot_be_read_are_a_503_that_says_so(shop, caplog):
    client = await shop(Questioned(sqlite3.OperationalError(f"disk I/O error at {CANARY}")))
    answer = await client.get("/metrics")
    assert (answer.status, await samples_of(answer)) == (503, {("lapak_up",): 0})
    assert answer.headers["Content-Type"] == CONTENT_TYPE_LATEST
    assert CANARY not in await answer.text()
    (record,) = caplog.records
    assert (record.message, record.levelname) == ("metrics.unreadable", "ERROR")
    assert record.exc_info is not None


async def test_figures_that_take_too_long_are_given_up(shop, monkeypatch, caplog):
    monkeypatch.setattr(metrics, "PATIENCE", 0.02)
    given_up = asyncio.Event()

    async def hanging():
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    async with asyncio.timeout(1):
        answer = await (await shop(hanging)).get("/metrics")
    assert (answer.status, await samples_of(answer)) == (503, {("lapak_up",): 0})
    assert given_up.is_set()
    assert "metrics.unreadable" in caplog.text


async def test_the_log_tells_once_that_they_went_away_and_once_that_they_are_back(shop, caplog):
    caplog.set_level(logging.INFO, "webhook_server")
    away = RuntimeError("away")
    client = await shop(Questioned(NOTHING, away, away, NOTHING, NOTHING, away))
    answers = [(await client.get("/metrics")).status for _ in range(6)]
    assert answers == [200, 503, 503, 200, 200, 503]
    said = [record.message for record in caplog.records]
    assert said == ["metrics.unreadable", "metrics.readable", "metrics.unreadable"]


# --- who may ask ----------------------------------------------------------------------------------


def seen_from(peer):
    """A middleware that makes the request come from elsewhere."""

    @web.middleware
    async def elsewhere(request, handler):
        request.transport._extra["peername"] = peer
        return await handler(request)

    return elsewhere


@web.middleware
async def believing_a_proxy(request, handler):
    return await handler(request.clone(remote="127.0.0.1"))


async def same_as_nothing(client, method, **more):
    """The path answers like one that does not exist, to the last header."""
    here = await client.request(method, "/metrics", **more)
    nothing = await client.request(method, "/nothing", **more)
    told = [
        (a.status, await a.read(), [pair for pair in a.raw_headers if pair[0] != b"Date"])
        for a in (here, nothing)
    ]
    return here.status == 404 and told[0] == told[1]


FORWARDED = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Real-IP",
    "Forwarded",
    "Via",
    "x-forwarded-for",
    "CF-Connecting-IP",
]
METHODS = ["GET", "HEAD", "POST", "OPTIONS", "DELETE"]


@pytest.mark.parametrize("header", FORWARDED)
@pytest.mark.parametrize("value", ["127.0.0.1", "203.0.113.9", ""])
async def test_a_forwarded_request_finds_nothing(shop, header, value):
    figures = Questioned(NOTHING)
    client = await shop(figures)
    assert await same_as_nothing(client, "GET", headers={header: value})
    assert figures.times == 0


@pytest.mark.parametrize("values", [("127.0.0.1", "127.0.0.1"), ("", ""), ("", "203.0.113.9")])
async def test_a_header_that_comes_twice_was_forwarded(shop, values):
    headers = CIMultiDict([("X-Forwarded-For", value) for value in values])
    assert await same_as_nothing(await shop(), "GET", headers=headers)


@pytest.mark.parametrize("method", METHODS)
async def test_a_forwarded_request_finds_nothing_whatever_it_wants(shop, method):
    headers = {"Via": "1.1 proxy"}
    assert await same_as_nothing(await shop(), method, headers=headers)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("peer", [("192.0.2.7", 4711), ("2001:db8::7", 4711, 0, 0), None])
async def test_another_machine_finds_nothing(shop, method, peer):
    figures = Questioned(NOTHING)
    client = await shop(figures, before=[seen_from(peer)])
    assert await same_as_nothing(client, method)
    assert figures.times == 0


async def test_what_a_proxy_was_believed_does_not_open_it(shop):
    client = await shop(before=[seen_from(("192.0.2.7", 4711)), believing_a_proxy])
    assert await same_as_nothing(client, "GET")


async def test_a_unix_socket_is_not_loopback(tmp_path):
    """Whoever stands at its other end is most often a proxy."""

    def part(app):
        counts = CallbackCounts([])
        add_metrics(app, figures=reading(NOTHING), callbacks=counts, version="1")

    runner = web.AppRunner(build_app(checks={}, parts=[part]))
    await runner.setup()
    socket = str(tmp_path / "s")
    await web.UnixSite(runner, socket).start()
    try:
        async with ClientSession(connector=UnixConnector(socket)) as http:
            assert (await http.get("http://127.0.0.1/metrics")).status == 404
    finally:
        await runner.cleanup()


async def test_an_address_of_this_machine_written_as_ipv6_may_ask(shop):
    try:
        client = await shop(host="::")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    port = client.server.port
    for host in ("127.0.0.1", "[::1]"):
        answer = await client.session.get(f"http://{host}:{port}/metrics")
        assert answer.status == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:2"]
)
def test_loopback_is_this_machine(host):
    assert is_this_machine((host, 1))


@pytest.mark.parametrize(
    "peer",
    [
        ("128.0.0.1", 1),
        ("0.0.0.0", 1),
        ("10.0.0.1", 1),
        ("::", 1, 0, 0),
        ("::2", 1, 0, 0),
        ("::127.0.0.1", 1, 0, 0),
        ("::ffff:10.0.0.1", 1, 0, 0),
        ("fe80::1%eth0", 1, 0, 2),
        ("localhost", 1),
        ("127.0.0.1.evil.example", 1),
        "",
        "/run/proxy.sock",
        b"",
        (),
        None,
    ],
)
def test_anything_else_is_not(peer):
    assert not is_this_machine(peer)
