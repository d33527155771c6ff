"""Every adapter: a question is asked again where that may help, and an order never is."""

import json

import httpx
import pytest

from providers import base
from shop.suppliers import SupplierError, Unavailable
from tests.providers.contract import (
    ADAPTERS,
    ASKED,
    MAIN,
    NO,
    ORDERS,
    PAGE,
    QUESTIONS,
    Case,
    Reply,
    Wire,
    as_recorded,
    check_times,
    everywhere,
    failing,
    heard,
    named,
    target_of,
    unclear,
)
from tests.providers.upstream import (
    Upstream,
    impatient,
    says_and_hangs,
    says_as_recorded,
    serving,
)

pytestmark = pytest.mark.usefixtures("asked_as_declared")

TROUBLE = [
    failing(httpx.ConnectError("refused")),
    failing(httpx.ReadTimeout("slow")),
    failing(httpx.RemoteProtocolError("cut")),
    everywhere(NO, 500),
    everywhere(PAGE, 502),
    everywhere("", 200),
    everywhere(PAGE, 200),
]


def tries_of(case: Case) -> int:
    """How often one path may be asked; where calls are counted, or leave something, once."""
    once = case.call in ORDERS or ADAPTERS[case.slug].counts_calls
    return 1 if once else base.READ_TRIES


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_question_that_had_no_answer_is_asked_again_and_an_order_never_is(
    case: Case,
) -> None:
    good = await heard(case)
    for trouble in TROUBLE:
        wire = Wire(_only_the_last_try_is_answered(case, trouble))
        result = await heard(case, wire)
        assert wire.times()[_first(wire)] == tries_of(case)
        assert result == good if tries_of(case) > 1 else isinstance(result, SupplierError), result
        check_times(case, wire, most=tries_of(case))


def _only_the_last_try_is_answered(case: Case, trouble):
    asked: list[str] = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(target_of(request))
        is_last = len(asked) >= max(2, tries_of(case))
        return (as_recorded(case) if is_last else trouble)(request)

    return answering


def _first(wire: Wire) -> str:
    return f"{wire.requests[0].method} {target_of(wire.requests[0])}"


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_trouble_without_end_is_given_up(case: Case) -> None:
    for trouble in TROUBLE[1:]:
        wire = Wire(trouble)
        result = await heard(case, wire)
        assert type(result) is unclear(case.call), result
        assert wire.times()[_first(wire)] == tries_of(case)
        check_times(case, wire, most=tries_of(case))


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_refusal_is_heard_once(case: Case) -> None:
    for status, body in [(400, NO), (404, NO), (422, NO), (200, NO), (401, NO), (403, PAGE)]:
        wire = Wire(everywhere(body, status))
        await heard(case, wire)
        check_times(case, wire)


@pytest.mark.parametrize("case", QUESTIONS, ids=named)
async def test_a_supplier_that_is_asked_too_often_is_left_in_peace(case: Case) -> None:
    for body in (NO, PAGE, "", case.body):
        wire = Wire(everywhere(body, 429))
        result = await heard(case, wire)
        assert (type(result), result.busy) == (Unavailable, True)
        assert len(wire.requests) == 1


@pytest.mark.parametrize("case", QUESTIONS, ids=named)
async def test_a_question_that_met_silence_is_asked_again_on_a_new_connection(case: Case) -> None:
    if ADAPTERS[case.slug].counts_calls:
        return

    async def silent_once(upstream: Upstream, reader, writer) -> None:
        script = says_and_hangs(b"") if len(upstream.requests) == 1 else says_as_recorded(case)
        await script(upstream, reader, writer)

    async with serving(silent_once) as upstream:
        assert await case.ask(case.supplier(upstream.url, impatient)) == await heard(case)
        assert upstream.connections == len(upstream.requests)


def test_every_recorded_answer_is_what_its_path_gets() -> None:
    """The ground these tests stand on: a path with an answer of its own, and all others."""
    case = ASKED[0]
    also = {"/a?b=c": Reply(status=404, body="{}"), MAIN: case.replies[MAIN]}
    line = Wire(as_recorded(type(case)(**{**_plain(case), "replies": also})))
    answered = line.answering(httpx.Request("GET", "http://127.0.0.1/a?b=c"))
    assert (answered.status_code, answered.json()) == (404, {})
    assert json.loads(line.answering(httpx.Request("GET", "http://127.0.0.1/a")).text)


def _plain(case: Case) -> dict[str, object]:
    return {name: getattr(case, name) for name in case.__slots__}
