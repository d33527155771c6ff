"""What the simulated suppliers that are paid from a balance share: doors, faults, time, control.

A supplier adds its paths, words, errors and callbacks. Orders end by themselves ``delivery_ms``
after acceptance, and callbacks go out, whether or not anybody asks: ``settle`` does what is due,
and a task of the application calls it all the time.

Faults beyond those of ``faults.py``:

===========  ======================================================================
``fails``    the next ``count`` orders end as failed, not as delivered
``missing``  the next ``count`` questions about an order find none
===========  ======================================================================

A callback fault acts on the next order that has something to say; its ``path`` is
``/<slug>/callbacks/<ref>``, so that one order can be chosen. ``callback_late`` is late by
``seconds`` (10). Of an order with ``callback_before_the_answer`` everything happens at once.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web
from aiohttp.typedefs import Handler

from providers.simulators import faults
from providers.simulators.callbacks import CallbackPost, Client, Message, is_loopback
from providers.simulators.control import Action
from providers.simulators.prepaid_books import Item, PrepaidBooks, PrepaidOrder, Statuses, Wanted
from providers.simulators.prepaid_wishes import (
    ORDER,
    read_finish,
    read_price,
    read_product,
    read_repeats,
    read_webhook,
)
from providers.simulators.state_file import read_state, write_state
from providers.simulators.wishes import JsonObject, UnknownThing, whole

_REMEMBERED_CALLS = 1000
_TICK = 0.2  # seconds of real time
_USUALLY_LATE = 10.0  # seconds
_ODDITIES = frozenset({"fails", "missing"})
_LATER = frozenset({"callback_twice", "callback_late"})
_EARLIER = frozenset({"callback_before_the_answer"})


class Refusal(Exception):
    """The supplier says no: an HTTP status and its own words, an object or a plain text."""

    def __init__(self, http_status: int, said: Mapping[str, object] | str) -> None:
        super().__init__(f"HTTP {http_status}")
        self.http_status = http_status
        self.said = said


class PrepaidSimulator(ABC):
    """One supplier that is paid from a balance, and the world around it.

    Args:
        clock: Tells the time in epoch milliseconds; everything that happens later follows it.
        state: File that everything is written to after each change and read back from; ``None``
            keeps it in memory. Raises ``ValueError`` if the file holds something else.
        delivery_ms: Time between acceptance and the end of an order.
        balance: Ours at the supplier, in whole rupiah, where no file tells another.
        callback_url: What is entered in the supplier's dashboard, where it has one; if the control
            surface changed it, a file knows, until another one is handed in. Raises
            ``ValueError`` if it is not on loopback.
        client: Makes the HTTP client of one callback.
    """

    slug: str
    title: str
    statuses: ClassVar[Statuses]
    catalogue: ClassVar[Sequence[Item]]
    faulty_answers: ClassVar[faults.FaultyAnswers]
    usual_balance: ClassVar[int] = 1_000_000
    oddities: ClassVar[frozenset[str]] = frozenset()  # besides the common ones
    has_dashboard: ClassVar[bool] = True  # whether a callback address can be entered there
    says_what_repeats_are: ClassVar[bool] = False  # its document: then no control action decides

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        state: Path | None = None,
        delivery_ms: int = 3000,
        balance: int | None = None,
        callback_url: str = "",
        client: Client | None = None,
    ) -> None:
        if callback_url and not is_loopback(callback_url):
            raise ValueError("a simulator's callbacks go to http:// loopback addresses only")
        self._clock = clock
        self._state = state
        self._books = PrepaidBooks(
            items=self.catalogue,
            statuses=self.statuses,
            balance=self.usual_balance if balance is None else balance,
            delivery_ms=delivery_ms,
        )
        self._faults = faults.FaultQueue(
            self.title, oddities=_ODDITIES | self.oddities, callbacks=True
        )
        self._post = CallbackPost(clock=clock, client=client, saved=self._save)
        self._calls: deque[JsonObject] = deque(maxlen=_REMEMBERED_CALLS)
        self._callback_url = callback_url
        self._webhook = callback_url
        self._repeats = ORDER
        self._restore()

    # What a supplier adds.

    @abstractmethod
    def _routes(self) -> Iterable[web.RouteDef]:
        """Name its paths, without the slug."""

    @abstractmethod
    def _new_id(self, number: int, wanted: Wanted) -> str:
        """Make the supplier's own name of an order; ``number`` counts them from 1."""

    @abstractmethod
    def _sn(self, order: PrepaidOrder) -> str:
        """Make what stands in its serial number or note with the status it has now."""

    @abstractmethod
    def _callbacks(self, order: PrepaidOrder) -> Sequence[Message]:
        """Write what is sent about an order whose status has just changed; nothing if nothing."""

    @abstractmethod
    def _wrong_door(self, http_status: int, reason: str) -> Mapping[str, object] | str:
        """Say that this path, method or body is none of its own."""

    def _price_callbacks(self, before: Item, after: Item) -> Sequence[Message]:
        """Write what is sent about another price; nothing by default."""
        return ()

    # What a supplier uses.

    def _address_for(self, order: PrepaidOrder) -> str:
        """Return where callbacks about an order go: the one it named, else the dashboard's."""
        return order.callback_url or (self._webhook if self.has_dashboard else "")

    async def _accept(self, wanted: Wanted, request: web.Request) -> PrepaidOrder:
        """Take on a checked order; return it as it was accepted, whatever happened since."""
        now = self._clock()
        fails = self._faults.take(request.path, {"fails"}) is not None
        order_id = self._new_id(self._books.count + 1, wanted)
        order = self._books.accept(wanted, order_id=order_id, fails=fails, now=now)
        order = self._books.note(order, self._sn(order))
        early = self._faults.take(self._callback_path(order), _EARLIER)
        if early is not None:
            self._move(order, order.plan, None, now)
        self._save()
        if early is not None:
            await self._post.send_due()
        return order

    def _found(self, name: str, request: web.Request) -> PrepaidOrder | None:
        """Find an order by its id, else the latest with this reference, unless it is missing."""
        try:
            order = self._books.order(name)
        except UnknownThing:
            return None
        if self._faults.take(request.path, {"missing"}) is None:
            return order
        self._save()
        return None

    # What everybody may call.

    def add_routes(self, app: web.Application) -> None:
        """Serve ``/<slug>/…``, and settle while this application runs."""
        shop = web.Application(middlewares=[self._door])
        shop.add_routes(self._routes())
        faults.end_waits_with(shop)
        shop.cleanup_ctx.append(self._settling)
        app.add_subapp(f"/{self.slug}", shop)

    async def settle(self) -> None:
        """Finish every order and send every callback that is due now, and wait for the answers."""
        self._catch_up()
        await self._post.send_due()

    def actions(self) -> Mapping[str, Action]:
        """Name what the control surface can do here; ``ref`` takes the supplier's id, too."""
        offered: dict[str, Action] = {
            "price": self._price,
            "balance": self._balance,
            "product": self._product,
            "finish": self._finish,
            "fault": self._fault,
        }
        if self.has_dashboard:
            offered["webhook"] = self._set_webhook
        if not self.says_what_repeats_are:
            offered["repeats"] = self._set_repeats
        return offered

    def journal(self) -> JsonObject:
        """Tell all orders accepted, and the last 1000 calls and tries of callbacks.

        Those whose answer never arrived, too. A call's ``status`` is what was sent, ``None`` where
        nothing was (yet).
        """
        self._catch_up()
        return {
            "orders": [order.row() for order in self._books.orders()],
            "calls": [dict(call) for call in self._calls],
            "balance": self._books.balance,
            "faults": self._faults.dump(),
            "callbacks": self._post.journal(),
        }

    # Time.

    async def _settling(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._settle_for_ever())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _settle_for_ever(self) -> None:
        while True:
            await self.settle()
            await asyncio.sleep(_TICK)

    def _catch_up(self) -> None:
        overdue = self._books.overdue(self._clock())
        for due_at, order in overdue:
            self._move(order, order.plan, None, due_at)
        if overdue:
            self._save()

    def _move(self, order: PrepaidOrder, status: str, sn: str | None, at: int) -> PrepaidOrder:
        note = self._sn(replace(order, status=status)) if sn is None else sn
        moved = self._books.move(order, status, note, at)
        self._tell(moved, at)
        return moved

    def _tell(self, order: PrepaidOrder, at: int) -> None:
        messages = self._callbacks(order)
        if not messages:
            return
        fault = self._faults.take(self._callback_path(order), _LATER)
        kind = None if fault is None else fault.kind
        late = 0.0
        if fault is not None and kind == "callback_late":
            late = fault.seconds or _USUALLY_LATE
        for message in messages:
            for _ in range(2 if kind == "callback_twice" else 1):
                self._post.add(message, at + int(late * 1000))

    def _callback_path(self, order: PrepaidOrder) -> str:
        return f"/{self.slug}/callbacks/{order.ref}"

    # Doors.

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        call: JsonObject = {
            "at": self._clock(),
            "method": request.method,
            "path": request.path,
            "status": None,
        }
        self._calls.append(call)
        self._catch_up()
        response = await self._answer(request, handler)
        if response is None:
            return faults.hang_up(request)
        call["status"] = response.status
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse | None:
        async def execute() -> web.StreamResponse:
            return await self._execute(request, handler)

        fault = self._faults.take(request.path, faults.WIRE_FAULTS)
        if fault is None:
            return await execute()
        self._save()
        return await faults.commit(fault, request, execute, self.faulty_answers)

    async def _execute(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return _said(refusal.said, refusal.http_status)
        except web.HTTPException as refusal:
            return _said(self._wrong_door(refusal.status, refusal.reason), refusal.status)

    # Control.

    async def _price(self, wish: JsonObject) -> JsonObject:
        before, after = read_price(wish, self._books)
        self._books.put(after)
        for message in self._price_callbacks(before, after):
            self._post.add(message, self._clock())
        self._save()
        return {"code": after.code, "price": after.price}

    async def _balance(self, wish: JsonObject) -> JsonObject:
        self._books.balance = whole(wish, "balance", least=0)
        self._save()
        return {"balance": self._books.balance}

    async def _product(self, wish: JsonObject) -> JsonObject:
        item = read_product(wish, self._books)
        self._books.put(item)
        self._save()
        return {"code": item.code, "active": item.active}

    async def _finish(self, wish: JsonObject) -> JsonObject:
        self._catch_up()
        wanted = read_finish(wish, self._books, self.statuses)
        moved = self._move(wanted.order, wanted.status, wanted.sn, self._clock())
        self._save()
        return {"order": moved.row()}

    async def _fault(self, wish: JsonObject) -> JsonObject:
        outcome = self._faults.plan(wish)
        self._save()
        return outcome

    async def _set_webhook(self, wish: JsonObject) -> JsonObject:
        self._webhook = read_webhook(wish)
        self._save()
        return {"url": self._webhook}

    async def _set_repeats(self, wish: JsonObject) -> JsonObject:
        self._repeats = read_repeats(wish)
        self._save()
        return {"as": self._repeats}

    # Memory.

    def _save(self) -> None:
        if self._state is None:
            return
        write_state(
            self._state,
            {
                "books": self._books.dump(),
                "faults": self._faults.dump(),
                "calls": list(self._calls),
                "callbacks": self._post.dump(),
                "callback_url": self._callback_url,
                "webhook": self._webhook,
                "repeats": self._repeats,
            },
        )

    def _restore(self) -> None:
        state: Any = None if self._state is None else read_state(self._state)
        if state is None:
            return
        try:
            self._books.load(state["books"])
            self._faults.load(state["faults"])
            self._calls.extend(state["calls"])
            self._post.load(state["callbacks"])
            if self._callback_url in {"", state["callback_url"]}:
                self._callback_url, self._webhook = state["callback_url"], state["webhook"]
            self._repeats = state["repeats"]
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{self._state} does not hold {self.title}'s state.") from error


def is_good_key(key: str) -> bool:
    """Tell whether the supplier knows this key: any is good that does not begin ``invalid``."""
    return bool(key.strip()) and not key.strip().casefold().startswith("invalid")


def _said(said: Mapping[str, object] | str, status: int) -> web.Response:
    if isinstance(said, str):
        return web.Response(text=said, status=status)
    return web.json_response(said, status=status)
