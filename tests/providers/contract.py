"""Recorded exchanges with the suppliers, and adapters that hear them: the contract tests' ground.

``fixtures/<slug>/settings.toml`` holds made-up settings (their ``[secrets]`` are replaced by a
canary), each ``callback_*.toml`` one callback (see ``recorded_callbacks``), and each other file
one exchange: its ``source``, the ``call`` with its ``[arguments]``, the ``[request]`` it makes, the
``[reply]`` it gets, and ``[then]`` what the shop hears of it. A call that asks nobody has no
``[request]``; of one that makes several, ``[request]`` and ``[reply]`` are the last one's, and what
other paths answer stands in ``[[also]]`` (``path`` with its query, ``status``, ``body``). An
exchange that the adapter never makes says why, in ``unused``. ``[settings]`` are of one exchange
only: others than those of ``settings.toml``.
"""

import re
import tomllib
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Protocol

import httpx

from providers import base
from providers.base import HttpSupplier, http_client
from providers.registry import adapters
from providers.settings import Kind, specs_of
from shop.suppliers import (
    ChecksConnections,
    ChecksNicknames,
    Dropships,
    InvoiceRequest,
    NotSent,
    OutcomeUnknown,
    StatusRequest,
    Supplier,
    SupplierError,
    TakesDeposits,
    TellsBalance,
    TellsPrices,
    TopupRequest,
    Unavailable,
)

FIXTURES = Path(__file__).parent / "fixtures"
NOW = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta
CANARY = "kanari-5f3a9c71d2"
CALLBACK_URL = "https://toko.example/callbacks"
NOWHERE = "http://127.0.0.1:9"

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
REQUESTS: Mapping[str, Callable[..., object]] = {
    "open_invoice": InvoiceRequest,
    "topup": TopupRequest,
    "status": lambda repeat=None, **said: StatusRequest(
        **said, repeat=None if repeat is None else TopupRequest(**repeat)
    ),
}

ADAPTERS = adapters()
SLUGS = sorted(ADAPTERS)


def calls_of(slug: str) -> list[str]:
    """What this adapter can be asked, by what it says it can do."""
    return [
        call for kind, calls in CALLS.items() if issubclass(ADAPTERS[slug], kind) for call in calls
    ]


# --- adapters with made-up settings ---------------------------------------------------------------

Keys = Sequence[str]
# How a setting's text is read; one that ``settings.toml`` leaves out has its default's.
_READ: Mapping[Kind, Callable[[Path, Any], Any]] = {
    Kind.NETWORKS: lambda _, given: [
        ip_network(each) for each in (given.split(",") if isinstance(given, str) else given) if each
    ],
    Kind.FILE: lambda folder, given: folder / given if given else None,
    Kind.PERCENT: lambda _, given: int(given) * 100 if isinstance(given, str) else given,
}


@cache
def written_settings(slug: str) -> Mapping[str, Any]:
    return tomllib.loads((FIXTURES / slug / "settings.toml").read_text("utf-8"))


def settings_of(slug: str, url: str, keys: Keys, **others: Any) -> Any:
    written, kinds = {**written_settings(slug), **others}, ADAPTERS[slug].settings_type
    found: dict[str, Any] = {}
    for name, spec in specs_of(kinds).items():
        if spec.kind is Kind.SECRET:
            found[name] = lambda: tuple(keys)
        else:
            read = _READ.get(spec.kind, lambda _, given: given)
            found[name] = read(FIXTURES / slug, written.get(name, spec.default))
    return kinds(**{**found, "url": url})


def make(
    slug: str, url: str, client: base.Client = http_client, keys: Keys = (CANARY,), **others: Any
) -> HttpSupplier[Any]:
    wanted = settings_of(slug, url, keys, **others)
    return ADAPTERS[slug](wanted, clock=lambda: NOW, client=client, callback_url=CALLBACK_URL)


# --- recorded cases -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered to a request."""

    status: int
    body: str


MAIN = ""  # the place of the answer to every path that has none of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded exchange. ``replies``: by path and query; ``MAIN`` for all others."""

    slug: str
    name: str
    source: str
    call: str
    arguments: dict[str, Any]
    settings: dict[str, Any]
    request: dict[str, Any]
    replies: Mapping[str, Reply]
    then: dict[str, Any]
    unused: str

    @property
    def succeeds(self) -> bool:
        return bool(self.call) and "raises" not in self.then

    @property
    def body(self) -> str:
        return self.replies[MAIN].body

    @property
    def status(self) -> int:
        return self.replies[MAIN].status

    @property
    def json_at(self) -> list[str]:
        """Where its answers are JSON; some suppliers also write lines of plain text."""
        return [at for at, reply in self.replies.items() if reply.body.startswith(("{", "["))]

    def saying(self, body: str, at: str = MAIN) -> "Case":
        """The same exchange, but one of its answers reads differently."""
        changed = replace(self.replies[at], body=body)
        return replace(self, replies={**self.replies, at: changed})

    def answer(self, target: str) -> Reply:
        """What a path with its query is answered."""
        return self.replies.get(target, self.replies[MAIN])

    def supplier(self, url: str, client: base.Client = http_client) -> HttpSupplier[Any]:
        return make(self.slug, url, client, **self.settings)

    async def ask(self, supplier: Supplier) -> Any:
        asking = getattr(supplier, self.call)
        if (wanted := REQUESTS.get(self.call)) is not None:
            return await asking(wanted(**self.arguments))
        return await asking(**self.arguments)


def _case(path: Path) -> Case:
    written = tomllib.loads(path.read_text("utf-8"))
    answers = {each["path"]: each for each in written.get("also", [])} | {MAIN: written["reply"]}
    return Case(
        slug=path.parent.name,
        name=path.stem,
        source=written["source"],
        call=written.get("call", ""),
        arguments=written.get("arguments", {}),
        settings=written.get("settings", {}),
        request=written.get("request", {}),
        replies={
            at: Reply(status=each["status"], body=each["body"]) for at, each in answers.items()
        },
        then=written.get("then", {}),
        unused=written.get("unused", ""),
    )


RECORDED = [slug for slug in SLUGS if (FIXTURES / slug / "settings.toml").exists()]
CASES = [
    _case(path)
    for slug in RECORDED
    for path in sorted((FIXTURES / slug).glob("*.toml"))
    if path.stem != "settings" and not path.stem.startswith("callback")
]
MADE = [case for case in CASES if case.call]
GOOD = [case for case in MADE if case.succeeds]


def _first_of(cases: Sequence[Case]) -> Iterator[Case]:
    """The first case of each call of each adapter, and of each settings that change it."""
    seen: set[tuple[str, str, str]] = set()
    for case in cases:
        kind = (case.slug, case.call, repr(case.settings))
        if kind not in seen:
            seen.add(kind)
            yield case


FIRST_GOOD = list(_first_of(GOOD))
# Those with a request; test_contract.py sees to it that the others make none.
ASKED = list(_first_of([case for case in GOOD if case.request]))
ORDERED = [case for case in ASKED if case.call in ORDERS]
QUESTIONS = [case for case in ASKED if case.call not in ORDERS]


def named(case: Case) -> str:
    return f"{case.slug}/{case.name}"


# --- what came of it ------------------------------------------------------------------------------


def unclear(call: str) -> type[SupplierError]:
    """What an answer that says nothing means: an order may have been made, a question may not."""
    return OutcomeUnknown if call in ORDERS else Unavailable


def lost(call: str) -> type[SupplierError]:
    """What it means that nothing ever left."""
    return NotSent if call in ORDERS else Unavailable


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


PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>"
NO = '{"status":false,"success":false,"statusCode":400,"message":"tidak bisa"}'

Answering = Callable[[httpx.Request], httpx.Response]


def target_of(request: httpx.Request) -> str:
    """A request's path and query, as they are sent."""
    return request.url.raw_path.decode()


@dataclass
class Wire:
    """A line without sockets: answers each request, and keeps it."""

    answering: Answering
    requests: list[httpx.Request] = field(default_factory=list)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer), trust_env=False)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answering(request)

    def times(self) -> Counter[str]:
        """How often each path was asked."""
        return Counter(f"{request.method} {target_of(request)}" for request in self.requests)


class Line(Protocol):
    """What a supplier is asked over."""

    def times(self) -> Counter[str]:
        """How often each path was asked."""


def check_times(case: Case, line: Line, most: int = 1) -> None:
    """Check that an order is one request, and that no path is asked more often than it may be."""
    times = line.times()
    assert times, "nothing was asked"
    assert max(times.values()) <= most, times
    assert case.call not in ORDERS or times.total() == 1, times


def as_recorded(case: Case) -> Answering:
    def answering(request: httpx.Request) -> httpx.Response:
        said = case.answer(target_of(request))
        return httpx.Response(said.status, content=said.body.encode())

    return answering


def everywhere(body: str | bytes, status: int = 200, **headers: str) -> Answering:
    octets = body.encode() if isinstance(body, str) else body
    return lambda _: httpx.Response(status, content=octets, headers=headers)


def failing(failure: Exception) -> Answering:
    def answering(_: httpx.Request) -> httpx.Response:
        raise failure

    return answering


async def heard(case: Case, wire: Wire | None = None) -> Any:
    """What comes of a case over a line without sockets; by default with its recorded answers."""
    line = Wire(as_recorded(case)) if wire is None else wire
    return await outcome(case.ask(case.supplier(NOWHERE, line.client)))


def another(name: str) -> str:
    """An identifier that looks the same, and is another."""
    return name[:-1] + ("7" if name[-1] != "7" else "3")


def about_another(text: str, name: str) -> str:
    """The text with another identifier wherever this one stands by itself."""
    whole = rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])"
    return re.sub(whole, another(name), text)
