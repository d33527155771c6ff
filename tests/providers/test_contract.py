"""Every adapter, every recorded case. A new supplier adds its cases by itself: see contract.py."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any

import pytest

import shop.suppliers
from shop.callbacks import CallsBack
from shop.suppliers import (
    InvoiceReport,
    InvoiceState,
    OutcomeUnknown,
    PriceList,
    Supplier,
    SupplierError,
    TopupReport,
    TopupState,
    Unavailable,
)
from tests.providers.contract import (
    ADAPTERS,
    ASKED,
    CALLS,
    CANARY,
    CASES,
    FIRST_GOOD,
    FIXTURES,
    GOOD,
    MADE,
    MAIN,
    NOWHERE,
    ORDERED,
    ORDERS,
    RECORDED,
    SLUGS,
    Case,
    Wire,
    about_another,
    as_recorded,
    calls_of,
    everywhere,
    heard,
    make,
    named,
    outcome,
    settings_of,
    target_of,
    written_out,
    written_settings,
)
from tests.providers.telling import as_told

pytestmark = pytest.mark.usefixtures("asked_once")


# --- the adapters themselves ----------------------------------------------------------------------


def test_there_is_an_adapter_and_each_is_found_by_its_module_name() -> None:
    assert SLUGS
    for slug, cls in ADAPTERS.items():
        assert cls.slug == slug
        assert cls.title
        assert type(cls.counts_calls) is bool
        assert type(cls.knows_our_ref) is bool
        assert type(cls.repeats_are_questions) is bool


def test_everything_a_supplier_can_be_asked_is_asked_here() -> None:
    """A call that is added to the contract is added to ``CALLS``."""
    contracts = {
        each
        for _, each in inspect.getmembers(shop.suppliers, inspect.isclass)
        if inspect.isabstract(each) and each.__module__ == Supplier.__module__
    }
    assert set(CALLS) == contracts
    for kind, calls in CALLS.items():
        asked = {name for name in kind.__abstractmethods__ if _is_call(getattr(kind, name))}
        assert asked == set(calls)


def _is_call(member: object) -> bool:
    return inspect.iscoroutinefunction(member)


@pytest.mark.parametrize("slug", SLUGS)
def test_an_adapter_has_recorded_cases(slug: str) -> None:
    assert slug in RECORDED, f"no {FIXTURES.name}/{slug}/settings.toml"


@pytest.mark.parametrize("slug", RECORDED)
async def test_every_call_of_an_adapter_has_a_recorded_success_and_a_checked_request(
    slug: str,
) -> None:
    recorded = {case.call for case in FIRST_GOOD if case.slug == slug}
    assert recorded == set(calls_of(slug))
    checked = {case.call for case in ASKED if case.slug == slug}
    for case in FIRST_GOOD:
        if case.slug == slug and case.call not in checked:
            wire = Wire(as_recorded(case))
            await heard(case, wire)
            assert not wire.requests, f"{case.call} makes requests, and none is checked"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_recorded_case_says_where_it_comes_from_and_what_it_is_for(case: Case) -> None:
    assert case.source
    assert bool(case.call) != bool(case.unused)
    assert case.call in {"", *calls_of(case.slug)}
    assert bool(case.then) == bool(case.call)


@pytest.mark.parametrize("slug", RECORDED)
def test_the_settings_of_an_adapter_do_not_show_its_secrets(slug: str) -> None:
    supplier = make(slug, NOWHERE)
    assert CANARY not in repr(supplier)
    assert CANARY not in repr(vars(supplier))


@pytest.mark.parametrize("slug", RECORDED)
def test_the_secrets_of_an_adapter_are_functions(slug: str) -> None:
    """So that no ``repr`` of its settings, and no failed assertion, ever shows one."""
    found = settings_of(slug, NOWHERE, ("first", "second"))
    for name in written_settings(slug)["secrets"]:
        assert getattr(found, name)() == ("first", "second")
    declared = {field.name for field in fields(found)}
    assert {*written_settings(slug), *written_settings(slug)["secrets"]} <= declared | {"secrets"}


# --- recorded cases -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", MADE, ids=named)
async def test_recorded_case(case: Case) -> None:
    wire = Wire(as_recorded(case))
    result = await heard(case, wire)
    _check_requests(case, wire)
    then = dict(case.then)
    if (expected := then.pop("raises", None)) is not None:
        assert type(result) is getattr(shop.suppliers, expected), result
        return
    assert not isinstance(result, BaseException), result
    wanted = _filled(then)
    assert as_told(_told(result), wanted) == wanted


def _told(result: Any) -> dict[str, Any]:
    """What was heard, with the names that a case has for it."""
    return asdict(result) if is_dataclass(result) else {"value": result, "deposits": result}  # type: ignore[arg-type]


def _filled(then: dict[str, Any]) -> dict[str, Any]:
    """A listing of which no form is told has none, and a field no options."""
    rows = [{"form": []} | row for row in then.get("listings", [])]
    rows = [row | {"form": [{"options": []} | asked for asked in row["form"]]} for row in rows]
    return then | {"listings": rows} if rows else then


def _check_requests(case: Case, wire: Wire) -> None:
    for request in wire.requests:
        told = target_of(request).encode() + request.content
        assert (CANARY.encode() in told) == (CANARY in str(case.request)), target_of(request)
    assert case.call not in ORDERS or len(wire.requests) == 1
    assert set(wire.times().values()) <= {1}
    if not case.request:
        return
    targets = [target_of(request) for request in wire.requests]
    assert sorted(targets) == sorted({*filter(None, case.replies), case.request["path"]})
    request = wire.requests[targets.index(case.request["path"])]
    assert request.method == case.request["method"]
    sent = json.loads(request.content) if request.content else None
    assert sent == case.request.get("json")
    assert _types(sent) == _types(case.request.get("json"))


def _types(value: Any) -> Any:
    """``True == 1 == 1.0``, but a supplier may tell them apart."""
    if isinstance(value, dict):
        return {name: _types(inner) for name, inner in value.items()}
    return [_types(inner) for inner in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("case", [case for case in CASES if not case.call], ids=named)
async def test_the_answer_to_another_question_opens_nothing_and_delivers_nothing(
    case: Case,
) -> None:
    for asked in (asked for asked in ASKED if asked.slug == case.slug):
        match await heard(asked, Wire(everywhere(case.body, case.status))):
            case SupplierError() | int():
                pass
            case PriceList(listings=found) | (Mapping() as found):
                assert not found
            case TopupReport(state=state, returned=returned):
                assert state in {TopupState.UNREADABLE, TopupState.MISSING}
                assert not returned
            case InvoiceReport(state=state, amount=amount):
                assert (state, amount) == (InvoiceState.UNREADABLE, None)
            case other:
                pytest.fail(f"{asked.call}: {other}")


# --- our order, and no other ----------------------------------------------------------------------


@pytest.mark.parametrize("case", ORDERED, ids=named)
async def test_an_order_is_one_request_and_holds_our_reference_if_it_can_be_found_by_it(
    case: Case,
) -> None:
    wire = Wire(as_recorded(case))
    await heard(case, wire)
    [request] = wire.requests
    told = target_of(request) + request.content.decode()
    if ADAPTERS[case.slug].knows_our_ref:
        assert case.arguments["ref"] in told


def _names_in(case: Case) -> list[str]:
    """What the answer calls the order, as far as we knew it when we asked."""
    known = [case.arguments.get("ref", ""), case.arguments.get("supplier_ref", "")]
    return [name for name in known if name and about_another(case.body, name) != case.body]


SAID_OF_OURS = [
    pytest.param(case, name, id=f"{named(case)}-{name}")
    for case in GOOD
    if case.call in {"topup", "status"} and case.then.get("state") != "missing"
    for name in _names_in(case)
]


@pytest.mark.parametrize(("case", "name"), SAID_OF_OURS)
async def test_what_is_said_of_another_order_is_never_believed(case: Case, name: str) -> None:
    result = await heard(case.saying(about_another(case.body, name)))
    assert type(result) is (OutcomeUnknown if case.call == "topup" else Unavailable), result


def test_a_supplier_that_finds_orders_by_our_reference_is_asked_about_another_one() -> None:
    """Else the test above would prove nothing. An order's first answer may leave it out."""
    tried = {(case.values[0].slug, case.values[0].call) for case in SAID_OF_OURS}  # type: ignore[union-attr]
    for slug in RECORDED:
        assert (slug, "status") in tried or not ADAPTERS[slug].knows_our_ref


SAID_IN_JSON = [case for case in GOOD if case.call in {"topup", "status"} and MAIN in case.json_at]

# --- secrets --------------------------------------------------------------------------------------

WORDS = (
    "message", "pesan", "error", "msg", "error_msg", "catatan", "note", "sn", "serial_number",
    "response_note", "nickname", "region",
)  # fmt: skip


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_a_supplier_that_repeats_our_key_does_not_make_us_repeat_it(
    case: Case, logged: pytest.LogCaptureFixture
) -> None:
    body = {"status": False, "success": False, "statusCode": 400}
    for key in (CANARY, CANARY.upper()):
        told = json.dumps(body | dict.fromkeys(WORDS, f"API key {key} tidak valid"))
        for status in (200, 400, 401, 403, 404, 422, 500):
            result = await heard(case, Wire(everywhere(told, status)))
            assert isinstance(result, SupplierError) or _is_missing(result), (status, result)
            assert CANARY not in written_out(result).lower(), status
    assert CANARY not in logged.text.lower()


def _is_missing(result: object) -> bool:
    return isinstance(result, TopupReport) and result.state is TopupState.MISSING


@pytest.mark.parametrize("case", SAID_IN_JSON, ids=named)
async def test_what_they_say_of_an_order_holds_no_key_of_ours(case: Case) -> None:
    """Whichever of their texts repeats it, and wherever in it."""
    said = json.loads(case.body)
    for at in _texts_in(said):
        for key in (f"x {CANARY} y", "z" * 190 + CANARY):
            result = await heard(case.saying(json.dumps(_instead(said, at, key))))
            if isinstance(result, TopupReport):
                result = replace(result, supplier_ref="")  # an identifier is as it is
            assert CANARY[:10] not in written_out(result), at


def _texts_in(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, str):
        return [at]
    inner = value.items() if isinstance(value, dict) else ()
    return [found for name, inside in inner for found in _texts_in(inside, (*at, name))]


def _instead(value: Any, at: tuple[Any, ...], text: str) -> Any:
    return value | {at[0]: _instead(value[at[0]], at[1:], text)} if at else text


@pytest.mark.parametrize("case", FIRST_GOOD, ids=named)
async def test_a_call_that_succeeds_logs_no_secret(
    case: Case, logged: pytest.LogCaptureFixture
) -> None:
    result = await outcome(case.ask(case.supplier(NOWHERE, Wire(as_recorded(case)).client)))
    assert CANARY not in logged.text + written_out(result)


@pytest.mark.parametrize("slug", RECORDED)
async def test_each_supplier_hears_who_we_are(slug: str) -> None:
    """Or the tests of what is kept secret would prove nothing."""
    keys = [("one-key", "old"), ("two-key", "old")]
    told: list[str] = []
    for case in (case for case in ASKED if case.slug == slug):
        for each in keys:
            wire = Wire(as_recorded(case))
            await outcome(case.ask(make(slug, NOWHERE, wire.client, each, **case.settings)))
            first = wire.requests[0]
            told.append(f"{target_of(first)} {first.headers.raw} {first.content!r}")
        assert told[-1] != told[-2], f"{case.call} does not depend on the key"
        assert "old" not in told[-1].replace("holder", "")


@pytest.mark.parametrize("slug", RECORDED)
def test_a_supplier_that_calls_back_has_recorded_callbacks(slug: str) -> None:
    found = list((FIXTURES / slug).glob("callback*.toml"))
    assert bool(found) == issubclass(ADAPTERS[slug], CallsBack)
