"""What a monitor on this machine asks: the figures of the whole shop, in Prometheus' words.

Names, labels and the text follow "Exposition formats" and "Metric and label naming" of Prometheus'
documentation. Labels hold words of the program and slugs of suppliers, nothing that came from
outside.
"""

import asyncio
import logging
from collections import Counter as Counted
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from itertools import accumulate, product
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from shop.calls import Purpose
from shop.cases import CaseKind
from shop.figures import LANES, SLOWER_THAN, CallOutcome, Figures, Waiting, bucket_of
from shop.orders import Status
from shop.time import SECOND, Millis

PATIENCE = 2.0  # seconds that reading the figures may take

ReadFigures: TypeAlias = Callable[[], Awaitable[Figures]]

_METHODS: Final = (hdrs.METH_GET, hdrs.METH_HEAD)
_HEADERS: Final = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}

log = logging.getLogger(__name__)


def add_metrics(
    app: web.Application, *, figures: ReadFigures, callbacks: "CallbackCounts", version: str
) -> None:
    """Serve ``GET /metrics`` to this machine; for anybody else there is no such path.

    ``figures`` is called at each request and has ``PATIENCE`` seconds; if it raises, the answer is
    503 and ``lapak_up 0``.
    """
    app.router.add_route("*", "/metrics", _Page(figures, callbacks, version).answer)


class _Page:
    def __init__(self, figures: ReadFigures, callbacks: "CallbackCounts", version: str) -> None:
        self._figures = figures
        self._callbacks = callbacks
        self._version = version
        self._readable = True

    async def answer(self, request: web.Request) -> web.Response:
        if not _is_from_here(request):
            raise web.HTTPNotFound
        if request.method not in _METHODS:
            raise web.HTTPMethodNotAllowed(request.method, _METHODS)
        figures = await self._read()
        if figures is None:
            return web.Response(body=_text([_up(0)]), status=503, headers=_HEADERS)
        shown = (
            _up(1),
            InfoMetricFamily("lapak", "This program.", value={"version": self._version}),
            *(family(figures) for family in _FAMILIES),
            *self._callbacks.collect(),
        )
        return web.Response(body=_text(shown), headers=_HEADERS)

    async def _read(self) -> Figures | None:
        """Return the figures, or ``None``; log once when they go away and once when back."""
        try:
            async with asyncio.timeout(PATIENCE):
                figures = await self._figures()
        except Exception:
            if self._readable:
                log.exception("metrics.unreadable")
            self._readable = False
            return None
        if not self._readable:
            log.info("metrics.readable")
        self._readable = True
        return figures


class _Shown:
    """Families that were collected already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _text(families: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Shown(families))
    return generate_latest(registry)


# --- who may ask ----------------------------------------------------------------------------------

# What proxies and tunnels add to a request, some of them under names of their own.
_FORWARDED: Final = frozenset({"via", "x-real-ip", "cf-connecting-ip"})
_FORWARDED_KIND: Final = "forwarded"
_CLIENT_KIND: Final = "client-ip"


def _is_from_here(request: web.Request) -> bool:
    # Not ``request.remote``: a middleware may have put there what a proxy told it.
    peer = request.transport and request.transport.get_extra_info("peername")
    if not is_this_machine(peer) or was_forwarded(request.headers):
        return False
    return names_this_machine(request.headers.get(hdrs.HOST, ""))


def names_this_machine(host: str) -> bool:
    """Tell whether a Host header means this machine: a foreign website's name never does."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def is_this_machine(peer: Any) -> bool:
    """Tell whether a socket's peer has a loopback address: 127.0.0.0/8, or ::1."""
    try:
        address = ip_address(peer[0])
    except (TypeError, IndexError, ValueError):  # a Unix socket, or gone
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def was_forwarded(headers: Iterable[str]) -> bool:
    """Tell whether one of these names of headers says that somebody stood in between."""
    names = {name.lower() for name in headers}
    return bool(names & _FORWARDED) or any(
        _FORWARDED_KIND in name or name.endswith(_CLIENT_KIND) for name in names
    )


# --- what the database knows ----------------------------------------------------------------------


def _up(value: int) -> Metric:
    return GaugeMetricFamily("lapak_up", "Whether the figures could be read.", value)


def _gauge(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _each(known: Iterable[str], counts: Mapping[str, int]) -> Mapping[str, int]:
    """Return the counts, with a 0 for whatever is known and was not counted."""
    return {**dict.fromkeys(known, 0), **counts}


def _age(waiting: Iterable[Waiting], now: Millis) -> float:
    """Return the seconds that the oldest has waited; 0 if nothing waits."""
    since = [each.since for each in waiting if each.since is not None]
    return max(now - min(since), 0) / SECOND if since else 0.0


def _orders(figures: Figures) -> Metric:
    return _gauge("lapak_orders", "Orders by status.", "status", _each(Status, figures.orders))


def _cases_open(figures: Figures) -> Metric:
    open_now = {kind: waiting.count for kind, waiting in figures.cases.items()}
    says = "Questions the owner has not answered."
    return _gauge("lapak_cases_open", says, "kind", _each(CaseKind, open_now))


def _case_oldest(figures: Figures) -> Metric:
    age = _age(figures.cases.values(), figures.at)
    return GaugeMetricFamily("lapak_case_oldest_seconds", "Age of the oldest open question.", age)


def _lanes(figures: Figures) -> Mapping[str, Waiting]:
    lanes = {**dict.fromkeys(LANES, Waiting()), **figures.outbox}
    return {str(lane): waiting for lane, waiting in lanes.items()}


def _outbox_waiting(figures: Figures) -> Metric:
    counts = {lane: waiting.count for lane, waiting in _lanes(figures).items()}
    return _gauge("lapak_outbox_waiting", "Messages owed and not sent.", "lane", counts)


def _outbox_oldest(figures: Figures) -> Metric:
    ages = {lane: _age([waiting], figures.at) for lane, waiting in _lanes(figures).items()}
    says = "Age of the oldest message owed and not sent."
    return _gauge("lapak_outbox_oldest_seconds", says, "lane", ages)


def _updates_waiting(figures: Figures) -> Metric:
    says = "Updates received from a channel and not answered."
    return GaugeMetricFamily("lapak_updates_waiting", says, figures.updates.count)


def _update_oldest(figures: Figures) -> Metric:
    says = "Age of the oldest update received and not answered."
    age = _age([figures.updates], figures.at)
    return GaugeMetricFamily("lapak_update_oldest_seconds", says, age)


def _budget_left(figures: Figures) -> Metric:
    says = "Calls that the supplier's limit still allows now."
    return _gauge("lapak_supplier_budget_left", says, "supplier", figures.budget_left)


def _calls(figures: Figures) -> Metric:
    known = product(figures.suppliers, Purpose, CallOutcome)
    total: Counted[tuple[str, str, str]] = Counted(dict.fromkeys(known, 0))
    for each in figures.calls:
        total[each.supplier, each.purpose, each.outcome] += each.calls
    labels = ("supplier", "purpose", "outcome")
    family = CounterMetricFamily(
        "lapak_supplier_calls", "Calls made to a supplier, and what came of them.", labels=labels
    )
    for key, count in total.items():
        family.add_metric(key, count)
    return family


_UPPER_BOUNDS: Final = (*(f"{bound / SECOND}" for bound in SLOWER_THAN[1:]), "+Inf")


def _call_seconds(figures: Figures) -> Metric:
    kinds: dict[tuple[str, str], None] = dict.fromkeys(product(figures.suppliers, Purpose))
    calls: Counted[tuple[str, str, Millis]] = Counted()
    took: Counted[tuple[str, str]] = Counted()
    for each in figures.calls:
        kind = (each.supplier, each.purpose)
        kinds[kind] = None
        # An older program may have used other buckets.
        calls[*kind, bucket_of(each.slower_than + 1)] += each.calls
        took[kind] += each.took
    family = HistogramMetricFamily(
        "lapak_supplier_call_seconds", "How long calls took.", labels=("supplier", "purpose")
    )
    for kind in kinds:
        up_to = accumulate(calls[*kind, bound] for bound in SLOWER_THAN)
        family.add_metric(kind, list(zip(_UPPER_BOUNDS, up_to, strict=True)), took[kind] / SECOND)
    return family


_FAMILIES: Final[tuple[Callable[[Figures], Metric], ...]] = (
    _orders,
    _cases_open,
    _case_oldest,
    _outbox_waiting,
    _outbox_oldest,
    _updates_waiting,
    _update_oldest,
    _budget_left,
    _calls,
    _call_seconds,
)


# --- what only this process knows -----------------------------------------------------------------


class CallbackOutcome(StrEnum):
    """How something that came in was answered."""

    STORED = "stored"
    REPEATED = "repeated"  # known already
    IGNORED = "ignored"  # nobody asked for this kind
    UNPROVED = "unproved"  # 401
    NOT_FOUND = "not_found"  # an unknown supplier, or a wrong secret in the address
    NONSENSE = "nonsense"
    TOO_LARGE = "too_large"
    NOT_STORED = "not_stored"  # 503


class CallbackCounts:
    """Counts what this process received since it began."""

    OTHER: Final = "other"

    def __init__(self, sources: Iterable[str]) -> None:
        """Begin at 0. ``sources``: who may send something, suppliers and channels."""
        self._sources = frozenset({*sources, self.OTHER})
        self._registry = CollectorRegistry()
        self._counts = Counter(
            "lapak_callbacks",
            "Callbacks and updates received by this process.",
            ("source", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "lapak_callback_seconds",
            "How long this process took to answer them.",
            ("source",),
            registry=self._registry,
        )
        for source in sorted(self._sources):
            self._seconds.labels(source)
            for outcome in CallbackOutcome:
                self._counts.labels(source, outcome)

    def count(self, source: str, outcome: CallbackOutcome, seconds: float) -> None:
        """Count one. A ``source`` that is not known is ``OTHER``: an address is anybody's words."""
        known = source if source in self._sources else self.OTHER
        self._counts.labels(known, outcome).inc()
        self._seconds.labels(known).observe(max(seconds, 0.0))

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            # When a count began is of no use where all begin together.
            family.samples = [each for each in family.samples if not _is_birthday(each.name)]
            yield family


def _is_birthday(name: str) -> bool:
    return name.endswith("_created")
