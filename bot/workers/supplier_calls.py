"""Make the calls that ``shop.calls`` chooses, and hand the answers to the use cases."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from bot.logs import get_logger
from bot.workers import invoices, price_lists, topups
from bot.workers.supplier_line import SupplierLine
from bot.workers.waiting import wait
from shop import calls
from shop.calls import (
    AskBalance,
    AskDeposits,
    AskInvoice,
    AskPrice,
    AskTopup,
    Call,
    FetchList,
    Idle,
    OpenInvoice,
    Submit,
)
from shop.catalogue import Game
from shop.suppliers import Supplier
from shop.time import Millis
from storage.books import BookKeeper, SqlBooks

log = get_logger(__name__)

AT_ONCE = 16
_BREATH: Millis = 20  # between two looks at what is due
# Seconds, for calls under way when the shop is told to stop; the web server takes three more after.
_FINISH_WITHIN = 5.0


Make: TypeAlias = Callable[[SupplierLine, Any], Awaitable[None]]
_MAKE: Mapping[type[Call], Make] = {
    Submit: topups.submit,
    AskTopup: topups.ask_topup,
    OpenInvoice: invoices.open_invoice,
    AskInvoice: invoices.ask_invoice,
    AskDeposits: invoices.ask_deposits,
    AskPrice: price_lists.ask_price,
}


class SupplierCalls:
    """One supplier's worker."""

    def __init__(
        self,
        supplier: Supplier,
        *,
        keeper: BookKeeper,
        games: Sequence[Game],
        low_balance: int,
        clock: Callable[[], Millis],
    ) -> None:
        self._line = SupplierLine(supplier, keeper=keeper, clock=clock)
        self.slug = supplier.slug
        self.counts_calls = supplier.counts_calls
        self._making_of: Mapping[type[Call], Make] = {
            **_MAKE,
            AskBalance: partial(price_lists.ask_balance, low_balance=low_balance),
            FetchList: partial(price_lists.fetch_list, games=games),
        }
        self._keeper = keeper
        self._clock = clock
        self._bell = keeper.bell()
        self._making: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Call until cancelled; calls under way then have a few seconds to finish."""
        try:
            while True:
                await self._round()
        finally:
            if self._making:
                await asyncio.wait(self._making, timeout=_FINISH_WITHIN)

    async def _round(self) -> None:
        if len(self._making) >= AT_ONCE:
            await wait(self._bell, None, self._clock)
            return
        self._bell.clear()  # before choosing: what happens from here on rings again
        try:
            chosen = await self._choose(AT_ONCE - len(self._making))
        except Exception:
            log.exception("calls.choose_failed", supplier=self.slug)
            await asyncio.sleep(1)
            return
        for call in chosen:
            if isinstance(call, Idle):
                # A bell rings for whatever is stored: of many, one is enough.
                await asyncio.sleep(_BREATH / 1000)
                # What is due may be in another process's hands: do not spin on it.
                until = max(call.until, self._clock() + _BREATH)
                await wait(self._bell, until, self._clock)
            else:
                self._begin(call)

    def _begin(self, call: Call) -> None:
        task = asyncio.create_task(self.make(call), name=f"{self.slug} {type(call).__name__}")
        self._making.add(task)
        task.add_done_callback(self._made)

    def _made(self, task: asyncio.Task[None]) -> None:
        self._making.discard(task)
        self._bell.set()

    async def choose(self) -> Call | Idle:
        """Write down which call is made next, and return it."""
        return (await self._choose(1))[0]

    async def _choose(self, most: int) -> Sequence[Call | Idle]:
        """Write down in one commit which calls are made next; only the last may be ``Idle``."""

        def choose(books: SqlBooks) -> Sequence[Call | Idle]:
            now = self._clock()  # here: it may have waited its turn for a while
            chosen: list[Call | Idle] = []
            while len(chosen) < most and not (chosen and isinstance(chosen[-1], Idle)):
                chosen.append(calls.next_call(books, self.slug, now))
            return chosen

        return await self._keeper.write(choose)

    async def make(self, call: Call) -> None:
        """Make a call that ``choose`` returned, and take in its answer."""
        try:
            await self._making_of[type(call)](self._line, call)
        except Exception:
            log.exception("calls.failed", supplier=self.slug, call=type(call).__name__)
        await self._line.count()
