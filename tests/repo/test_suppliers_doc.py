"""What docs/suppliers.md says of each supplier is what its adapter does."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import shop.suppliers
from providers.base import HttpSupplier
from providers.reading import read_word
from providers.registry import adapters
from providers.settings import specs_of
from shop import fulfilment, watching
from shop.callbacks import CallsBack, Trust
from shop.orders import Status
from shop.payments import PaymentMethod
from shop.suppliers import (
    Dropships,
    PriceList,
    SupplierError,
    TakesDeposits,
    TellsBalance,
    TellsPrices,
    TopupReport,
    TopupState,
)
from shop.time import MINUTE
from tests.providers.contract import FIXTURES, GOOD, MADE, Case, Wire, as_recorded, heard
from tests.providers.recorded_callbacks import GENUINE
from tests.repo.tree import ROOT, text_of
from tests.shop.samples import NOW, an_attempt, an_order

DOCUMENT = text_of(Path("docs/suppliers.md"))
ADAPTERS = adapters()
Adapter = type[HttpSupplier[Any]]
Row = Mapping[str, str]


# --- the document ---------------------------------------------------------------------------------


def section(heading: str, document: str = DOCUMENT) -> str:
    """What stands below a heading, up to the next one that is as high."""
    level = heading.partition(" ")[0]
    parts = re.split(rf"(?m)^(?=#{{1,{len(level)}}} )", document)
    found = [part for part in parts if part.startswith(f"{heading}\n")]
    assert len(found) == 1, f"{heading}: {len(found)} times"
    return found[0]


def own_section(slug: str, document: str = DOCUMENT) -> str:
    return section(f"## {ADAPTERS[slug].title}", document)


def table(text: str) -> list[Row]:
    """The rows of the first table, each by the names of its columns."""
    found = re.search(r"(?m)(?:^\|.*\n)+", text)
    assert found is not None, f"no table below {text.splitlines()[0]}"
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in found[0].splitlines()
    ]
    return [dict(zip(head, row, strict=True)) for row in rows]


def plain(cell: str) -> str:
    """What a cell says, without what it adds behind a semicolon."""
    return cell.partition(";")[0].replace("`", "").strip()


def rows_by_name(rows: Sequence[Row]) -> dict[str, Row]:
    return {plain(row["supplier"]): row for row in rows}


# --- the code -------------------------------------------------------------------------------------


def _callbacks(adapter: Adapter) -> str:
    if not issubclass(adapter, CallsBack):
        return "none"
    recorded = [each for each in GENUINE if each.slug == adapter.slug]
    told = [
        f"{method} {trust}"
        for method in adapter.callback_methods
        for trust in (Trust.PROOF, Trust.HINT)
        if any((each.callback.method, each.trust) == (method, trust) for each in recorded)
    ]
    return ", ".join(told) or "nothing recorded"


def _paid_by_customers(adapter: Adapter) -> str:
    ways = {Dropships: "dropship", TakesDeposits: "deposit"}
    return ", ".join(way for kind, way in ways.items() if issubclass(adapter, kind)) or "nothing"


def _tried_on(adapter: Adapter) -> str:
    recorded = (FIXTURES / adapter.slug / "settings.toml").exists()
    played = (ROOT / f"providers/simulators/{adapter.slug}.py").exists()
    tried = [*["its document's examples"] * recorded, *["the simulator"] * played]
    return ", ".join(tried) or "nothing"


async def _form(adapter: Adapter) -> str:
    lists = [
        await heard(case) for case in GOOD if (case.slug, case.call) == (adapter.slug, "price_list")
    ]
    listings = [row for found in lists if isinstance(found, PriceList) for row in found.listings]
    assert listings, f"{adapter.slug}: no price list is recorded"
    return "its own" if any(listing.form for listing in listings) else "none"


MATRIX: Mapping[str, Callable[[Adapter], str]] = {
    "callbacks": _callbacks,
    "status by": lambda adapter: "our reference" if adapter.knows_our_ref else "its id",
    "the same reference again": lambda adapter: (
        "a question" if adapter.repeats_are_questions else "never sent"
    ),
    "our balance": lambda adapter: "told" if issubclass(adapter, TellsBalance) else "not told",
    "price list": lambda adapter: "a file of ours" if adapter.list_is_local else "asked for",
    "one price": lambda adapter: "told" if issubclass(adapter, TellsPrices) else "not told",
    "customer pays": _paid_by_customers,
    "calls": lambda adapter: "60 a minute" if adapter.counts_calls else "not counted",
    "tried on": _tried_on,
}


def _doubted(adapter: Adapter) -> Any:
    """An order there that may have been made, of which no more is known."""
    attempt = an_attempt(
        an_order(),
        supplier=adapter.slug,
        by_our_ref=adapter.knows_our_ref,
        calls_back=issubclass(adapter, CallsBack),
    )
    return replace(
        an_order(supplier=adapter.slug, method=PaymentMethod.WALLET),
        status=Status.UNSURE,
        attempt=attempt,
    )


def _asked_of_a_person(adapter: Adapter) -> str:
    order = _doubted(adapter)
    if not watching.may_resolve(order):
        return "at once"
    return f"after {(watching.doubtful_at(order) - NOW) // MINUTE} minutes"


LOST: Mapping[str, Callable[[Adapter], str]] = {
    "can be asked": lambda adapter: (
        "by our reference" if watching.can_be_asked_about(_doubted(adapter)) else "no"
    ),
    "the order is sent again": lambda adapter: (
        "as a question" if adapter.repeats_are_questions else "never"
    ),
    "it tells by itself": lambda adapter: "yes" if issubclass(adapter, CallsBack) else "no",
    "a person is asked": _asked_of_a_person,
}


def wrong(
    told: Sequence[Row], facts: Mapping[str, Callable[[Adapter], str]], known: Mapping[str, Adapter]
) -> list[str]:
    """What a table of the document says otherwise than the code."""
    rows, titles = rows_by_name(told), {each.title: each for each in known.values()}
    problems = [f"{title}: no row" for title in titles.keys() - rows.keys()]
    problems += [f"{title}: no such supplier" for title in rows.keys() - titles.keys()]
    for title in titles.keys() & rows.keys():
        for column, fact in facts.items():
            said, is_so = plain(rows[title][column]), fact(titles[title])
            if said != is_so:
                problems.append(f"{title}, {column}: {said!r}, it is {is_so!r}")
    return sorted(problems)


# --- all of them ----------------------------------------------------------------------------------


def test_every_supplier_has_its_row_and_the_row_is_so() -> None:
    rows = table(section("# Suppliers"))
    assert wrong(rows, MATRIX, ADAPTERS) == []
    assert len(rows) == len(rows_by_name(rows))
    assert all(cell for row in rows for cell in row.values())


@pytest.mark.parametrize("slug", ADAPTERS)
async def test_a_supplier_with_forms_of_its_own_says_so(slug: str) -> None:
    row = rows_by_name(table(section("# Suppliers")))[ADAPTERS[slug].title]
    assert plain(row["forms"]) == await _form(ADAPTERS[slug])


def test_every_supplier_has_its_row_for_a_lost_answer() -> None:
    assert wrong(table(section("### A lost answer")), LOST, ADAPTERS) == []


def test_an_order_is_repeated_as_a_question_for_as_long_as_is_said() -> None:
    told = f"for {fulfilment.REPEAT_WITHIN // MINUTE} minutes"
    rows = table(section("### A lost answer"))
    again = [row["the order is sent again"] for row in rows]
    assert all(told in cell for cell in again if cell.startswith("as a question"))


@pytest.mark.parametrize(
    ("heading", "facts"), [("# Suppliers", MATRIX), ("### A lost answer", LOST)]
)
def test_a_wrong_cell_a_missing_row_and_a_row_of_nobody_would_be_found(
    heading: str, facts: Mapping[str, Callable[[Adapter], str]]
) -> None:
    rows = table(section(heading))
    for number, row in enumerate(rows):
        for column in facts:
            changed = {**row, column: f"not {row[column]}"}
            assert len(wrong([*rows[:number], changed, *rows[number + 1 :]], facts, ADAPTERS)) == 1
        assert len(wrong([*rows[:number], *rows[number + 1 :]], facts, ADAPTERS)) == 1
        nobody = {**row, "supplier": "Nobody"}
        assert wrong([*rows, nobody], facts, ADAPTERS) == ["Nobody: no such supplier"]


def test_a_supplier_that_is_added_or_learns_something_would_be_found() -> None:
    rows, slug = table(section("# Suppliers")), next(iter(ADAPTERS))

    class Sixth(ADAPTERS[slug]):  # type: ignore[misc]
        title = "Sixth"

    class Taught(ADAPTERS[slug]):  # type: ignore[misc]
        repeats_are_questions = True

    assert wrong(rows, MATRIX, {**ADAPTERS, "sixth": Sixth}) == ["Sixth: no row"]
    (problem,) = wrong(rows, MATRIX, {**ADAPTERS, slug: Taught})
    assert "the same reference again" in problem


def test_every_setting_of_a_supplier_is_told_with_its_default() -> None:
    told = [tuple(map(plain, row.values())) for row in table(section("## Settings"))]
    real = [
        (f"{slug}_{name}".upper(), spec.default, "needed" if spec.needed else "")
        for slug, adapter in ADAPTERS.items()
        for name, spec in specs_of(adapter.settings_type).items()
    ]
    assert sorted(told) == sorted(real)


def test_every_error_is_told_with_what_follows() -> None:
    told = [plain(row["we read"]) for row in table(section("### Their answer to an order"))]
    known = [each.__name__ for each in vars(shop.suppliers).values() if _is_error(each)]
    assert sorted(told) == sorted(known)


def _is_error(each: object) -> bool:
    return isinstance(each, type) and issubclass(each, SupplierError) and each is not SupplierError


# --- each by itself -------------------------------------------------------------------------------

IN_ALL = (
    "### Transport",
    "### Their words, our words",
    "### Answers to an order",
    "### Gaps, and how we stay safe",
    "### Sent to them",
)


@pytest.mark.parametrize("slug", ADAPTERS)
def test_a_suppliers_section_says_what_all_of_them_say(slug: str) -> None:
    headings = re.findall(r"(?m)^### .+$", own_section(slug))
    assert [heading for heading in headings if heading in IN_ALL] == list(IN_ALL)
    assert ("### Callbacks" in headings) == issubclass(ADAPTERS[slug], CallsBack)
    assert f"providers/{slug}.py" in own_section(slug)
    gaps = re.findall(r"(?m)^(\d+)\. ", section(IN_ALL[3], own_section(slug)))
    assert gaps == [str(number) for number in range(1, len(gaps) + 1)]


async def _asked(slug: str) -> set[str]:
    """Every ``METHOD /path`` that an adapter is seen to ask for in the recorded cases."""
    found = set()
    for case in (case for case in MADE if case.slug == slug):
        wire = Wire(as_recorded(case))
        await heard(case, wire)
        found |= {f"{request.method} {request.url.path}" for request in wire.requests}
    return found


def _template(call: str) -> re.Pattern[str]:
    path = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(call.partition("?")[0]))
    return re.compile(path)


@pytest.mark.parametrize("slug", ADAPTERS)
async def test_a_supplier_is_asked_for_what_is_told_and_for_nothing_else(slug: str) -> None:
    rows = table(section("### Transport", own_section(slug)))
    told = [call for row in rows for call in re.findall(r"`((?:GET|POST) /[^`]*)`", row["we call"])]
    asked = await _asked(slug)
    unseen = [call for call in told if not any(map(_template(call).fullmatch, asked))]
    untold = [call for call in asked if not any(_template(each).fullmatch(call) for each in told)]
    assert (unseen, untold) == ([], [])


def words_of(slug: str) -> dict[str, str]:
    """The status words of orders from our balance, as the document has them: what we read."""
    rows = table(section("### Their words, our words", own_section(slug)))
    cells = [(next(iter(row.values())), plain(row["we read"])) for row in rows]
    return {word.strip(): read for words, read in cells for word in words.split(",")}


def _read(report: Any) -> str:
    """What a report says, in the words of the document."""
    assert isinstance(report, TopupReport), report
    return f"{report.state}{', returned' if report.returned else ''}"


def _word_of(report: TopupReport) -> str:
    return report.words.removeprefix("status ").partition(",")[0]


async def _questions(slug: str) -> list[tuple[Case, str]]:
    """Recorded answers to questions about orders, each with its status word; unfinished first."""
    found = []
    for case in (case for case in GOOD if (case.slug, case.call) == (slug, "status")):
        report = await heard(case)
        if report.state not in {TopupState.MISSING, TopupState.UNREADABLE}:
            found.append((report.state is not TopupState.PENDING, case, _word_of(report)))
    return [(case, word) for _, case, word in sorted(found, key=lambda each: each[0])]


def _saying(said: Any, word: str, instead: str) -> Any:
    """The same answer with another status word."""
    match said:
        case dict():
            return {name: _saying(inner, word, instead) for name, inner in said.items()}
        case str() if read_word(said) == word:
            return instead
        case _:
            return said


@pytest.mark.parametrize("slug", ADAPTERS)
async def test_a_suppliers_words_mean_what_is_told_and_other_suppliers_words_mean_nothing(
    slug: str,
) -> None:
    told = words_of(slug)
    (case, word), *_ = await _questions(slug)

    async def read(instead: str) -> str:
        said = _saying(json.loads(case.body), word, instead)
        return _read(await heard(case.saying(json.dumps(said))))

    assert {each: await read(each) for each in told} == told
    known = {read_word(each) for each in told}
    others = {each for other in ADAPTERS for each in words_of(other)}
    foreign = [each for each in others if read_word(each) not in known]
    assert {await read(each) for each in foreign} <= {"unreadable"}


@pytest.mark.parametrize("slug", ADAPTERS)
async def test_every_recorded_status_word_is_told(slug: str) -> None:
    told = {read_word(word) for word in words_of(slug)}
    assert {word for _, word in await _questions(slug)} <= told


_NARROW = frozenset({"Misconfigured", "NotSold", "OutOfBalance", "WrongAccount"})
_KEY_REFUSED = frozenset({401, 403})  # so of all of them


def refusals_of(slug: str) -> dict[str, str]:
    """Their words in answer to an order, quoted or IN_CAPITALS, as told: what we read."""
    rows = table(section("### Answers to an order", own_section(slug)))
    cells = [(next(iter(row.values())), row["we read"].split("`")) for row in rows]
    return {
        word.strip('"'): read[1]
        for words, read in cells
        if len(read) > 1
        for word in re.findall(r'"[^"]+"|\b[A-Z]+(?:_[A-Z]+)+\b', words)
    }


@pytest.mark.parametrize("slug", ADAPTERS)
async def test_a_suppliers_refusals_mean_what_is_told(slug: str) -> None:
    told = refusals_of(slug)
    refused = [
        (case, word)
        for case in MADE
        for word in told
        if (case.slug, case.call) == (slug, "topup") and "raises" in case.then and word in case.body
    ]
    assert refused or not told
    for case, word in refused[:1]:
        heard_of = {each: await heard(case.saying(case.body.replace(word, each))) for each in told}
        assert {each: type(result).__name__ for each, result in heard_of.items()} == told


@pytest.mark.parametrize("slug", ADAPTERS)
def test_every_recorded_refusal_that_says_why_is_told(slug: str) -> None:
    recorded = {
        case.then.get("raises", "")
        for case in MADE
        if (case.slug, case.call) == (slug, "topup") and case.status not in _KEY_REFUSED
    }
    assert recorded & _NARROW <= set(refusals_of(slug).values())
