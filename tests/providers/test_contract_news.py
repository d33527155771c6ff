"""Every supplier that calls back: what a callback says, and that nothing more is made of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.callbacks import Callback, News, Nonsense, Repriced, Told
from tests.fakes.world import AT_LENGTH
from tests.providers.contract import ADAPTERS, CANARY, NOWHERE, make
from tests.providers.recorded_callbacks import (
    CALLBACKS,
    CALLERS,
    GENUINE,
    TELLING,
    Recorded,
    called,
)
from tests.providers.shapes import json_values, one_wrong, padded, paths, value_at, with_value
from tests.providers.telling import as_told, check_value, is_text, told_no_more

IN_BODY = [each for each in TELLING if each.is_json]
IN_QUERY = [each for each in TELLING if not each.is_json]
LONGEST_NAME = 100  # of an order or an item, in characters


def heard_of(each: Recorded, **changed: Any) -> Sequence[News] | Nonsense:
    """What a callback says with something changed; any other exception fails the test."""
    return _heard(each.adapter(), replace(each.callback, **changed))


def _heard(adapter: Any, callback: Callback) -> Sequence[News] | Nonsense:
    try:
        news = list(adapter.parse(callback))
    except Nonsense as nonsense:
        _check_log(str(nonsense))
        return nonsense
    for one in news:
        _check_news(one)
    return news


def _check_log(text: str) -> None:
    assert len(text) <= 200
    assert CANARY not in text


def _check_news(one: News) -> None:
    if isinstance(one, Repriced):
        assert one.sku
        assert is_text(one.sku, LONGEST_NAME)
        check_value(one.price)
        return
    assert isinstance(one, Told)
    assert one.ref or one.supplier_ref
    for name in (one.ref, one.supplier_ref, one.report.supplier_ref):
        assert is_text(name, LONGEST_NAME)
        assert name.isprintable()
    check_value(one.report)


def _is_no_more(heard: Sequence[News] | Nonsense, right: Sequence[News]) -> bool:
    return isinstance(heard, Nonsense) or all(
        any(_says_no_more(one, of) for of in right) for one in heard
    )


def _says_no_more(one: News, right: News) -> bool:
    if not isinstance(one, Told) or not isinstance(right, Told):
        return one == right
    names = (one.ref in {right.ref, ""}, one.supplier_ref in {right.supplier_ref, ""})
    return all(names) and told_no_more(one.report, right.report)


# --- as recorded ----------------------------------------------------------------------------------


@pytest.mark.parametrize("each", CALLBACKS, ids=called)
def test_a_recorded_callback_says_what_it_says(each: Recorded) -> None:
    heard, then = heard_of(each), each.then
    assert set(then) <= {"trust", "told", "repriced", "raises"}
    assert then.get("raises", "Nonsense") == "Nonsense"
    if "raises" in then:
        assert isinstance(heard, Nonsense)
    elif each.is_genuine:
        wanted = [*then.get("told", []), *then.get("repriced", [])]
        assert wanted
        assert as_told(heard, wanted) == wanted


@pytest.mark.parametrize("each", GENUINE, ids=called)
def test_a_callback_is_understood_later_from_what_was_stored(each: Recorded) -> None:
    """Method, query and body are stored; headers and address are not."""
    bare = heard_of(each, headers={}, remote="")
    assert str(bare) == str(heard_of(each))


@pytest.mark.parametrize("each", GENUINE, ids=called)
def test_the_supplier_hears_json_whatever_came(each: Recorded) -> None:
    adapter = each.adapter()
    for body in (each.callback.body, b"", b"\xff", b"[]", b'{"webhook_type":[]}', b"[" * 50_000):
        said = json.loads(adapter.thanks(replace(each.callback, body=body)))
        assert isinstance(said, dict)
    for why in ("", "not a query", '"', "\n", "\ud800", "x" * 5_000, CANARY):
        regrets = adapter.regrets(why)
        assert isinstance(json.loads(regrets), dict)
        assert len(regrets.encode()) < 2_000
        assert CANARY not in regrets
        assert json.loads(regrets) != json.loads(adapter.thanks(each.callback))


# --- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", IN_BODY, ids=called)
def test_fields_nobody_has_heard_of_change_nothing(each: Recorded) -> None:
    said = json.dumps(padded(json.loads(each.callback.body))).encode()
    assert heard_of(each, body=said) == heard_of(each)


@pytest.mark.parametrize("each", IN_BODY, ids=called)
def test_a_wrong_type_is_nonsense_or_says_no_more(each: Recorded) -> None:
    right = heard_of(each)
    assert not isinstance(right, Nonsense)
    problems = []
    for at, wrong, said in one_wrong(json.loads(each.callback.body)):
        heard = heard_of(each, body=json.dumps(said).encode())
        if not _is_no_more(heard, right):
            problems.append(f"{at} = {wrong!r:.60}: {heard!r}")
    assert not problems, "\n".join([f"instead of {right}", *problems])


RAW = {
    "not a number": "NaN",
    "without end": "-Infinity",
    "too large": "1e999",
    "too many digits": "9" * 5_000,
    "a large number": "9" * 400,
    "deep": "[" * 5_000 + "]" * 5_000,
    "deeper than the reader": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 500 + "1" + "}" * 500,
    "half a pair": '"a\\ud800b"',
    "nothing": '"\\u0000"',
    "turned around": '"\\u202eabc"',
    "lines": '"a\\r\\nb"',
    "long": f'"{"x" * 50_000}"',
    "empty": '""',
    "blank": '" "',
    "path": '"../../x?y=z"',
    "null": "null",
    "no JSON": "undefined",
    "comment": "1 /* */",
}


@pytest.mark.parametrize("each", IN_BODY, ids=called)
def test_hostile_values_are_nonsense_or_harmless(each: Recorded) -> None:
    body = json.loads(each.callback.body)
    for at in paths(body):
        written = json.dumps(with_value(body, at, "HERE"))
        for raw in RAW.values():
            heard_of(each, body=written.replace('"HERE"', raw, 1).encode())


@pytest.mark.parametrize("each", IN_BODY, ids=called)
def test_what_two_readers_would_read_differently_is_nonsense(each: Recorded) -> None:
    body = each.callback.body
    for at in paths(json.loads(body)):
        if at and isinstance(at[-1], str):
            assert isinstance(heard_of(each, body=_twice(json.loads(body), at)), Nonsense), at
    for said in (body + body, body + b"x", b"x" + body, body[:-1], body.replace(b":", b"=", 1)):
        assert isinstance(heard_of(each, body=said), Nonsense), said
    for said in (b"", b" ", b"null", b"[]", b"1", b'"x"', b"\xff\xfe\x00", b"[" + body + b"]"):
        assert isinstance(heard_of(each, body=said), Nonsense), said


def _twice(body: Any, at: tuple[Any, ...]) -> bytes:
    """The body with one field written twice: first with another value."""
    owner = value_at(body, at[:-1])
    doubled = {"HERE": 1} | owner
    written = json.dumps(with_value(body, at[:-1], doubled))
    return written.replace('"HERE"', json.dumps(at[-1]), 1).encode()


@pytest.mark.parametrize("each", IN_BODY, ids=called)
def test_a_field_that_is_missing_or_null_says_less(each: Recorded) -> None:
    right, body = heard_of(each), json.loads(each.callback.body)
    assert not isinstance(right, Nonsense)
    for at in paths(body):
        for said in (with_value(body, at, None), *_without(body, at)):
            heard = heard_of(each, body=json.dumps(said).encode())
            assert _is_no_more(heard, right), (at, heard)


def _without(body: Any, at: tuple[Any, ...]) -> Iterator[Any]:
    if at and isinstance(at[-1], str):
        owner = value_at(body, at[:-1])
        rest = {name: value for name, value in owner.items() if name != at[-1]}
        yield with_value(body, at[:-1], rest)


@pytest.mark.parametrize("each", IN_BODY, ids=called)
def test_what_a_callback_tells_holds_no_key_of_ours(each: Recorded) -> None:
    body = json.loads(each.callback.body)
    for at in paths(body):
        if isinstance(value_at(body, at), str):
            for text in (f"x {CANARY} y", "z" * 190 + CANARY, CANARY.upper()):
                heard = heard_of(each, body=json.dumps(with_value(body, at, text)).encode())
                told = [] if isinstance(heard, Nonsense) else heard
                for one in told:
                    if isinstance(one, Told):  # an identifier is as it is
                        report = replace(one.report, supplier_ref="")
                        assert CANARY[:10] not in repr(report).lower(), at


@pytest.mark.parametrize("slug", CALLERS)
@given(data=st.data())
@settings(max_examples=300 if AT_LENGTH else 150, deadline=None)
def test_whatever_is_sent_is_understood_or_nonsense(slug: str, data: st.DataObject) -> None:
    ours = [json.loads(each.callback.body) for each in IN_BODY if each.slug == slug]
    changed = st.sampled_from(ours or [{}]).flatmap(_one_changed)
    bodies = st.binary(max_size=200) | (json_values | changed).map(
        lambda said: json.dumps(said).encode()
    )
    method = data.draw(st.sampled_from(ADAPTERS[slug].callback_methods))  # type: ignore[attr-defined]
    query = data.draw(st.text(max_size=200) | _queries)
    callback = Callback(method=method, query=query, body=data.draw(bodies))
    _heard(make(slug, NOWHERE), callback)


def _one_changed(body: Any) -> st.SearchStrategy[Any]:
    return st.builds(with_value, st.just(body), st.sampled_from(list(paths(body))), json_values)


_queries = st.lists(
    st.tuples(
        st.sampled_from(["invoice_number", "trx_id", "status", "sn", "msg", "product_price", "x"]),
        st.text(max_size=30) | st.sampled_from(["SUCCESS", "FAILED", "ORDER-1", "%", "R#1"]),
    ),
    max_size=8,
).map(lambda pairs: urlencode(pairs, errors="replace"))


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", IN_QUERY, ids=called)
def test_a_parameter_that_is_missing_or_odd_says_no_more(each: Recorded) -> None:
    right, pairs = heard_of(each), parse_qsl(each.callback.query, keep_blank_values=True)
    assert not isinstance(right, Nonsense)
    theirs = [_by_their_name(one, name) for one in right for _, name in pairs]
    odd = ["", " ", "x" * 5_000, "%00", "%ff", "%ED%A0%80", "%E2%80%AE", "%0d%0a", "#", "%", "+"]
    for number in range(len(pairs)):
        rest = pairs[:number] + pairs[number + 1 :]
        assert _is_no_more(heard_of(each, query=urlencode(rest)), [*right, *theirs]), rest
        for value in odd:
            heard_of(each, query=f"{urlencode(rest)}&{pairs[number][0]}={value}")


def _by_their_name(one: News, name: str) -> News:
    """Where our reference is missing, one of the other texts names the order."""
    if not isinstance(one, Told):
        return one
    return Told(supplier_ref=name, report=replace(one.report, supplier_ref=name))


@pytest.mark.parametrize("each", IN_QUERY, ids=called)
def test_a_parameter_that_stands_twice_is_nonsense(each: Recorded) -> None:
    query = each.callback.query.partition("#")[0]
    for name, value in parse_qsl(query, keep_blank_values=True):
        for again in (f"{name}={quote(value)}", f"{name}=LAIN", f"{name}=", quote(name)):
            for said in (f"{query}&{again}", f"{again}&{query}"):
                assert isinstance(heard_of(each, query=said), Nonsense), said


@pytest.mark.parametrize("each", IN_QUERY, ids=called)
def test_parameters_nobody_has_heard_of_and_a_body_change_nothing(each: Recorded) -> None:
    right, query = heard_of(each), each.callback.query.partition("#")[0]
    assert heard_of(each, query=f"baru=1&{query}") == right
    signed = b'{"trx_id":"LAIN-1","invoice_number":"LAIN-2","status":"FAILED"}'
    assert heard_of(each, body=signed) == right
