"""Every adapter, every field of its recorded answers, in shapes that nobody promised."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.suppliers import (
    Misconfigured,
    NotSold,
    OutcomeUnknown,
    PriceList,
    Refused,
    SupplierError,
    Unavailable,
)
from tests.fakes.world import AT_LENGTH
from tests.providers.contract import ASKED, GOOD, MAIN, ORDERS, Case, heard, named
from tests.providers.shapes import json_values, one_wrong, padded, paths, value_at, with_value
from tests.providers.telling import check_value, told_no_more

pytestmark = pytest.mark.usefixtures("asked_once")


_WITH_REQUESTS = {(case.slug, case.call) for case in ASKED}
ANSWERED = [case for case in GOOD if (case.slug, case.call) in _WITH_REQUESTS]
UNDERSTOOD = [case for case in ANSWERED if not case.then.get("strange")]


def may_raise(result: SupplierError, call: str) -> bool:
    """Tell whether a call may end so, whatever was answered under HTTP 200."""
    if call in ORDERS:
        return isinstance(result, OutcomeUnknown | Refused)
    allowed = {Unavailable, Misconfigured} | ({NotSold} if call == "listing" else set())
    return type(result) in allowed


@pytest.mark.parametrize("case", ANSWERED, ids=named)
async def test_fields_nobody_has_heard_of_change_nothing(case: Case) -> None:
    plain = await heard(case)
    more = case
    for at in case.json_at:
        more = more.saying(json.dumps(padded(json.loads(case.replies[at].body))), at)
    assert await heard(more) == plain


@pytest.mark.parametrize("case", UNDERSTOOD, ids=named)
async def test_a_wrong_type_is_never_taken_for_something_else(case: Case) -> None:
    right = await heard(case)
    problems = []
    for answer in case.json_at:
        for at, wrong, said in one_wrong(json.loads(case.replies[answer].body)):
            result = await heard(case.saying(json.dumps(said), answer))
            known = right if answer == MAIN else _without_what_is_told_beside(right)
            if not _is_as_careful(case, result, known, says_no=wrong is False):
                problems.append(f"{answer} {at} = {wrong!r:.60}: {result!r}")
    assert not problems, "\n".join([f"instead of {right}", *problems])


def _without_what_is_told_beside(right: object) -> object:
    """What may be on sale, if nothing but an answer beside the list says that it is not.

    Whether a game has servers is told there, too.
    """
    if not isinstance(right, PriceList):
        return right
    opened = [replace(listing, available=True) for listing in right.listings]
    either = [replace(listing, has_server=False) for listing in opened]
    return replace(right, listings=[*right.listings, *opened, *either])


def _is_as_careful(case: Case, result: object, right: object, *, says_no: bool) -> bool:
    """Tell whether a call fails as it may, or tells no more than it did.

    What was ordered by the right answer may be ordered by the wrong one, too: only where they say
    ``false`` instead of a yes is it a refusal.
    """
    if not isinstance(result, SupplierError):
        check_value(result)
        return told_no_more(result, right)
    if case.call in ORDERS:
        return type(result) is OutcomeUnknown or (says_no and isinstance(result, Refused))
    return may_raise(result, case.call)


@pytest.mark.parametrize("case", [case for case in ASKED if case.json_at], ids=named)
@given(data=st.data())
@settings(max_examples=60 if AT_LENGTH else 30, deadline=None)
async def test_whatever_stands_in_a_field_only_named_errors_come_out(
    case: Case, data: st.DataObject
) -> None:
    where = data.draw(st.sampled_from(case.json_at))
    body = json.loads(case.replies[where].body)
    at = data.draw(st.sampled_from(list(paths(body))))
    said = json.dumps(with_value(body, at, data.draw(json_values)))
    result = await heard(case.saying(said, where))
    if isinstance(result, SupplierError):
        assert may_raise(result, case.call), result
        assert len(str(result)) < 1000
    else:
        check_value(result)


def _texts(case: Case) -> Iterator[tuple[str, object, tuple[str | int, ...]]]:
    for where in case.json_at:
        body = json.loads(case.replies[where].body)
        for at in paths(body):
            if isinstance(value_at(body, at), str):
                yield where, body, at


@pytest.mark.parametrize("case", ANSWERED, ids=named)
async def test_a_text_that_cannot_be_stored_is_never_handed_on(case: Case) -> None:
    """Half a surrogate pair is legal JSON, and neither a database nor a chat takes it."""
    for where, body, at in _texts(case):
        for text in ("a\ud800b", "a\x00b", "a\u202eb\r\n"):
            result = await heard(case.saying(json.dumps(with_value(body, at, text)), where))
            assert _is_named(result)
            if not isinstance(result, SupplierError):
                check_value(result)


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_nesting_just_below_the_limit_does_no_harm(case: Case) -> None:
    for where in case.json_at:
        body = json.loads(case.replies[where].body)
        for at in paths(body):
            for depth in (900, 960, 990):
                deep = json.dumps(with_value(body, at, "DEEP")).replace(
                    '"DEEP"', "[" * depth + "]" * depth, 1
                )
                assert _is_named(await heard(case.saying(deep, where)))


def _is_named(result: object) -> bool:
    return is_dataclass(result) or isinstance(result, SupplierError | int | str | Mapping | None)


@pytest.mark.parametrize("case", ASKED, ids=named)
async def test_an_answer_in_part_is_no_answer(case: Case) -> None:
    """JSON cut anywhere is none, and half an object is not believed."""
    for where in case.json_at:
        body = case.replies[where].body
        for length in range(1, len(body), max(1, len(body) // 60)):
            result = await heard(case.saying(body[:length], where))
            assert type(result) is (OutcomeUnknown if case.call in ORDERS else Unavailable), length
