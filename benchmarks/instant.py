"""A supplier and a chat that answer at once, and people who buy: nobody waits but for the shop."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from zlib import crc32

from bot.bootstrap import Seams, Shop, opened_shop
from bot.conversation.views import Picked, StepId, View, read_button
from bot.roles import EVERY_ROLE, Role, Running
from bot.settings import Settings, demo_settings
from providers.simulators.qris import qr_png, qris_payload
from shop.notices import NoticeKind
from shop.payments import PaymentMethod
from shop.pricing import Quote
from shop.suppliers import (
    Dropships,
    Invoice,
    InvoiceReport,
    InvoiceRequest,
    InvoiceState,
    Listing,
    PriceList,
    StatusRequest,
    Supplier,
    TellsBalance,
    TopupReport,
    TopupRequest,
    TopupState,
)
from storage.address import Address
from storage.books import SqlBooks
from storage.sessions import StoredSession

_ITEM, _SKU, _GAME = "70 Diamond", "1", "free-fire"
_LISTED: Final = 10_000
_QUOTE: Final = Quote(listed=_LISTED, cost=11_200, price=11_800)
_ANY_PORT: Final = 8080  # of a page that is not served
_SCREEN: Final = 1
_CHOICES: Final = 12
_IN_TIME: Final = 90.0  # seconds
_STOCKED_WITHIN: Final = 20.0
_BETWEEN_LOOKS: Final = 0.02


class InstantSupplier(Supplier, TellsBalance, Dropships):
    """Opens every invoice, and has delivered whatever it is asked for or about.

    ``takes``: seconds for each answer. Its picture comes along with the invoice: drawing one, and
    fetching it, are the supplier's business.
    """

    slug = "zultopup"
    title = "ZulTopup"
    counts_calls = False
    knows_our_ref = True

    def __init__(self, takes: float = 0) -> None:
        self.takes = takes
        picture = qr_png(qris_payload(amount=_QUOTE.price, reference="BENCHMARK"))
        self._qr = f"data:image/png;base64,{base64.b64encode(picture).decode()}"

    @property
    def surcharge_bp(self) -> int:
        return 1200

    async def price_list(self) -> PriceList:
        listing = Listing(sku=_SKU, category="Free Fire", name=_ITEM, price=_LISTED, available=True)
        return PriceList(listings=[listing])

    async def balance(self) -> int:
        return 0

    async def topup(self, request: TopupRequest) -> TopupReport:
        return await self._delivered(request.ref)

    async def status(self, request: StatusRequest) -> TopupReport:
        return await self._delivered(request.ref)

    async def _delivered(self, ref: str) -> TopupReport:
        await asyncio.sleep(self.takes)
        return TopupReport(state=TopupState.DELIVERED, supplier_ref=ref, serial=f"SN{ref}")

    async def open_invoice(self, request: InvoiceRequest) -> Invoice:
        await asyncio.sleep(self.takes)
        return Invoice(
            supplier_ref=request.ref,
            number=request.ref,
            amount=request.price,
            cost=_QUOTE.cost,
            qr=self._qr,
            link="",
            expires_at=None,
        )

    async def invoice_report(self, supplier_ref: str) -> InvoiceReport:
        await asyncio.sleep(self.takes)
        return InvoiceReport(state=InvoiceState.DELIVERED, serial=f"SN{supplier_ref}")


class InstantChat:
    """Shows nothing to nobody; calls ``saw`` with the address, the kind and the order of news."""

    edits = True

    def __init__(self) -> None:
        self.saw: Callable[[str, str, str], None] = lambda *_: None

    async def send(self, address: str, view: View, key: str) -> str:
        order, kind, _ = key.split(":", 2)
        self.saw(address, kind, order)
        return key

    async def edit(self, address: str, message_id: str, view: View) -> None:
        return


def settings_on(database: Address, folder: Path) -> Settings:
    """Return the settings of a shop on this database."""
    paid_by = (
        PaymentMethod.DROPSHIP,
        PaymentMethod.WALLET,
    )  # as a shop sells unless told otherwise
    changes = {"database": database, "payments": paid_by}
    return demo_settings(folder, _ANY_PORT, suppliers=("zultopup",)).model_copy(update=changes)


@asynccontextmanager
async def working_shop(
    settings: Settings,
    seams: Seams,
    roles: frozenset[Role] = EVERY_ROLE,
    supplier: InstantSupplier | None = None,
) -> AsyncIterator[Shop]:
    """Run these roles of the shop on the instant supplier; a worker begins with its price list."""
    seams = replace(seams, suppliers=[supplier or InstantSupplier()])
    async with opened_shop(settings, seams) as shop:
        stop = asyncio.Event()
        working = asyncio.create_task(Running(shop, roles).until(stop))
        try:
            if Role.WORKER in roles:
                await _stocked(shop)
            yield shop
        finally:
            stop.set()
            await working


async def _stocked(shop: Shop) -> None:
    """Wait until there is something to sell."""
    async with asyncio.timeout(_STOCKED_WITHIN):
        while True:
            items, _ = await shop.keeper.read(lambda books: books.shelf.stored("zultopup"))
            if items:
                return
            await asyncio.sleep(_BETWEEN_LOOKS)


async def buy(
    shop: Shop,
    chat: InstantChat,
    people: Iterable[str],
    *,
    at_once: int,
    to_the_end: bool = True,
) -> None:
    """Let each of ``people`` buy once, so many at a time: press "Bayar", have the goods announced.

    Each says "Sudah bayar" as soon as the QR is there, so nobody waits for a scheduled question;
    or, if it does not go ``to_the_end``, looks at the QR and leaves. Raises ``TimeoutError`` if
    that takes too long.
    """
    names = tuple(people)
    now = shop.clock()
    await shop.keeper.write(lambda books: _bring_to_the_confirmation(books, names, now))
    crowd = _Crowd(shop, chat, at_once=at_once, to_the_end=to_the_end)
    async with asyncio.timeout(_IN_TIME), asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(crowd.buy(name))


def _bring_to_the_confirmation(books: SqlBooks, names: Iterable[str], now: int) -> None:
    """Leave each where all questions are answered but the last."""
    for name in names:
        draft: dict[str, str | int] = {
            "game": _GAME,
            "supplier": "zultopup",
            "sku": _SKU,
            "item": _ITEM,
            "user_id": f"{crc32(name.encode()):010}",
            "price": _QUOTE.price,
        }
        session = StoredSession(
            language="",
            step=StepId.CONFIRM,
            screen=_SCREEN,
            page=0,
            draft=draft,
            last_input="",
            touched_at=now,
        )
        books.sessions.save(name, session)


@dataclass(slots=True)
class _Buyer:
    """What somebody who buys waits for."""

    qr: asyncio.Event = field(default_factory=asyncio.Event)
    goods: asyncio.Event = field(default_factory=asyncio.Event)
    order: str = ""


class _Crowd:
    """People who buy at the same time."""

    def __init__(self, shop: Shop, chat: InstantChat, *, at_once: int, to_the_end: bool) -> None:
        self._shop = shop
        self._to_the_end = to_the_end
        self._places = asyncio.Semaphore(at_once)
        self._buyers: dict[str, _Buyer] = {}
        chat.saw = self._saw

    async def buy(self, name: str) -> None:
        async with self._places:
            buyer = self._buyers[name] = _Buyer()
            pay = Picked(PaymentMethod.DROPSHIP, _SCREEN)
            turn = await self._shop.take_turn(name, pay, "pay", _CHOICES)
            if turn.view is not None:
                raise RuntimeError(f"no order was placed: {turn.view.text}")
            await buyer.qr.wait()
            if self._to_the_end:
                claim = read_button(f"o:{buyer.order}:paid")
                await self._shop.take_turn(name, claim, "paid", _CHOICES)
                await buyer.goods.wait()

    def _saw(self, name: str, kind: str, order: str) -> None:
        buyer = self._buyers[name]
        if kind == NoticeKind.QR:
            buyer.order = order
            buyer.qr.set()
        elif kind == NoticeKind.DELIVERED:
            buyer.goods.set()
