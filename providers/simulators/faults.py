"""Faults that a supplier's server can commit on its next calls, whichever supplier it plays.

=============  =====================================================================
``timeout``    executes, holds the connection for ``seconds`` (60), closes it unanswered
``500``        executes, answers HTTP 500
``429``        does not execute, answers HTTP 429
``html``       executes, answers 200 with a page of HTML
``truncated``  executes, answers 200 with the first half of the JSON
``slow``       executes, answers after ``seconds`` (3)
=============  =====================================================================

A stopping server ends every such wait at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from aiohttp import web

from providers.simulators.wishes import BadWish, JsonObject, text, whole

WIRE_FAULTS = frozenset({"timeout", "500", "429", "html", "truncated", "slow"})
CALLBACK_FAULTS = frozenset({"callback_twice", "callback_late", "callback_before_the_answer"})

_LONG_NAMES = {
    "timeout_after_accepting": "timeout",
    "html_body": "html",
    "truncated_body": "truncated",
    "callback_before_answer": "callback_before_the_answer",
}
_USUAL_SECONDS = {"timeout": 60.0, "slow": 3.0}
_USUAL_CODE = 123
_MOST_CODE = 999
_MOST_SECONDS = 60
_MOST_CALLS = 100_000
_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body></body></html>"

Execute = Callable[[], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault and how many calls it still spoils; ``code`` is in rupiah."""

    kind: str
    count: int
    path: str
    seconds: float
    code: int = 0


class FaultQueue:
    """The faults still to be committed, oldest first."""

    def __init__(self, supplier: str, *, oddities: Collection[str], callbacks: bool) -> None:
        self._supplier = supplier
        self._oddities = frozenset(oddities)
        self._callbacks = callbacks
        self._pending: list[Fault] = []

    def plan(self, wish: JsonObject) -> JsonObject:
        """Queue the fault of a control request, or forget all of them for ``clear``.

        Raises:
            BadWish: The kind is unknown here, or a number or the path is not one.
        """
        kind = self._kind(wish)
        if kind == "clear":
            self._pending.clear()
            return {"pending": []}
        self._pending.append(
            Fault(
                kind=kind,
                count=whole({"count": 1, **wish}, "count", least=1, most=_MOST_CALLS),
                path=text(wish, "path") if "path" in wish else "",
                seconds=_seconds(wish, _USUAL_SECONDS.get(kind, 0.0)),
                code=_code(wish, kind),
            )
        )
        return {"pending": self.dump()}

    def take(self, path: str, kinds: Collection[str]) -> Fault | None:
        """Use up one call of the oldest fault of these kinds that is meant for this path."""
        for place, fault in enumerate(self._pending):
            if fault.kind in kinds and fault.path in path:
                self._pending[place : place + 1] = _left_of(fault)
                return fault
        return None

    def dump(self) -> list[JsonObject]:
        """Tell what is still pending, as plain JSON."""
        return [asdict(fault) for fault in self._pending]

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take up again what ``dump`` told."""
        self._pending = [Fault(**row) for row in rows]

    def _kind(self, wish: JsonObject) -> str:
        written = text(wish, "kind").casefold().replace(" ", "_").replace("-", "_")
        kind = _LONG_NAMES.get(written, written)
        if kind in CALLBACK_FAULTS and not self._callbacks:
            raise BadWish(f"{self._supplier} sends no callbacks.")
        known = WIRE_FAULTS | CALLBACK_FAULTS | self._oddities | {"clear"}
        if kind not in known:
            raise BadWish(f"'{written[:40]}' is not a fault; known are {', '.join(sorted(known))}.")
        return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyAnswers:
    """What this supplier says where the fault itself has something to say."""

    too_many: JsonObject
    broken: JsonObject


_STOPPING = web.AppKey("stopping", asyncio.Event)


def end_waits_with(app: web.Application) -> None:
    """Make every held connection of this application end when it shuts down."""
    app[_STOPPING] = asyncio.Event()
    app.on_shutdown.append(_stop)


async def commit(
    fault: Fault, request: web.Request, execute: Execute, answers: FaultyAnswers
) -> web.StreamResponse | None:
    """Answer the request in the faulty way; ``None`` means that it gets no answer at all."""
    if fault.kind == "429":
        return web.json_response(answers.too_many, status=429)
    response = await execute()
    if fault.kind == "500":
        return web.json_response(answers.broken, status=500)
    if fault.kind == "html":
        return web.Response(text=_PAGE, content_type="text/html")
    if fault.kind == "truncated":
        return _first_half(response)
    await _pause(request, fault.seconds)
    return None if fault.kind == "timeout" else response


def hang_up(request: web.Request) -> web.Response:
    """Close the connection; the returned answer is for the server's bookkeeping, nobody gets it."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _stop(app: web.Application) -> None:
    app[_STOPPING].set()


async def _pause(request: web.Request, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await request.app[_STOPPING].wait()
    except TimeoutError:
        return


def _first_half(response: web.StreamResponse) -> web.Response:
    body = response.body if isinstance(response, web.Response) else None
    whole_body = body if isinstance(body, bytes) else b"{}"
    return web.Response(
        body=whole_body[: len(whole_body) // 2], content_type="application/json", charset="utf-8"
    )


def _left_of(fault: Fault) -> list[Fault]:
    return [replace(fault, count=fault.count - 1)] if fault.count > 1 else []


def _seconds(wish: JsonObject, usual: float) -> float:
    value: Any = wish.get("seconds", usual)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _MOST_SECONDS:
        raise BadWish(f"'seconds' must be a number from 0 to {_MOST_SECONDS}.")
    return float(value)


def _code(wish: JsonObject, kind: str) -> int:
    if kind != "unique_code":
        return 0
    return whole({"code": _USUAL_CODE, **wish}, "code", least=1, most=_MOST_CODE)
