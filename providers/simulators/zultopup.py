"""ZulTopup, played from its document: prices, orders from the balance or by dropship, deposits.

Served under ``/zultopup/api/…`` with the document's fields and types, numbers written as strings
included. What the document leaves open is decided here: refusals are HTTP 400 (401 without a good
key, 404 for an unknown order, 429 over 60 requests in any 60 seconds of one key) with
``{"status":false,"message":…}``, ``payment_status`` stands beside ``status``, ``expired_at`` and
``expiryTime`` are ``YYYY-MM-DD HH:MM:SS`` in WIB. A deposit runs for fifteen minutes; whatever is
paid into it, when and how often, becomes balance, and once something was, ``amount`` is the sum of
it. Every key is good that is not empty and does not begin with ``invalid``; all keys see one shop.

Faults beyond those of ``faults.py`` (each for the next ``count`` QR codes or answers):

=================  =================================================================
``loss``           ``order/create`` answers a ``reseller_cost`` above ``selling_price``
``qr_text``        ``qr_url`` or ``qrCodeUrl`` is the QRIS text itself, not an address
``qr_broken``      ``qr_url`` or ``qrCodeUrl`` leads to a page of HTML
``unpaid_unsaid``  ``order/status`` says nothing about the payment
``unique_code``    ``amountToPay`` is ``code`` (1 to 999, usually 123) above the amount asked for
=================  =================================================================
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from providers.simulators import faults
from providers.simulators.control import Action
from providers.simulators.rate_limit import RateLimit
from providers.simulators.state_file import read_state, write_state
from providers.simulators.wishes import BadWish, JsonObject, UnknownThing, read_body, text, whole
from providers.simulators.zultopup_answers import (
    Refusal,
    created_answer,
    deposit_answer,
    history_answer,
    invoice_page,
    opened_answer,
    payload_of,
    picture_of,
    read_amount,
    read_wanted,
    services_answer,
    status_answer,
)
from providers.simulators.zultopup_books import Books, Wanted
from providers.simulators.zultopup_deposits import SimulatedDeposit
from providers.simulators.zultopup_orders import SimulatedOrder

_REMEMBERED_CALLS = 1000
_FIRST_BALANCE = 50_000  # the document's example
_ODDITIES = frozenset({"loss", "qr_text", "qr_broken", "unpaid_unsaid", "unique_code"})
_QR_KINDS = {"qr_text": "text", "qr_broken": "html"}
_STATUSES = {"pending": "Pending", "success": "Success", "error": "Error", "gagal": "Gagal"}
_FAULTY_ANSWERS = faults.FaultyAnswers(
    too_many={"status": False, "message": "Too many requests"},
    broken={"status": False, "message": "Internal Server Error"},
)


class ZulTopupSimulator:
    """The supplier and the world around it: customers who pay, prices that change, faults.

    Args:
        clock: Tells the time in epoch milliseconds; all deadlines follow it.
        state: File that everything is written to after each change and read back from; ``None``
            keeps it in memory. Raises ``ValueError`` if the file holds something else.
        delivery_ms: Time between a payment and ``Success``.
        balance: The reseller's, in whole rupiah, where no file tells another.
    """

    slug = "zultopup"

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        state: Path | None = None,
        delivery_ms: int = 3000,
        balance: int = _FIRST_BALANCE,
    ) -> None:
        self._clock = clock
        self._state = state
        self._books = Books(balance=balance, delivery_ms=delivery_ms)
        self._faults = faults.FaultQueue("ZulTopup", oddities=_ODDITIES, callbacks=False)
        self._calls: deque[JsonObject] = deque(maxlen=_REMEMBERED_CALLS)
        self._limit = RateLimit(most=60, window_ms=60_000)
        self._restore()

    def add_routes(self, app: web.Application) -> None:
        """Serve ``/zultopup/…``; connections held open end when this application shuts down."""
        shop = web.Application(middlewares=[self._door])
        shop.add_routes(
            [
                web.get("/api/user/me", self._me),
                web.get("/api/services", self._services),
                web.post("/api/order/create", self._create),
                web.get("/api/order/status", self._status),
                web.post("/api/payment/deposit", self._open_deposit),
                web.get("/api/payment/status/{id}", self._deposit_status),
                web.get("/api/payment/history", self._history),
                web.get("/qr/{id}.png", self._qr),
                web.get("/invoice/{id}", self._invoice),
            ]
        )
        faults.end_waits_with(shop)
        app.add_subapp(f"/{self.slug}", shop)

    def actions(self) -> Mapping[str, Action]:
        """Name what the control surface can do here.

        ``id`` and ``ref`` both take an order's id or invoice, or a deposit's id.
        """
        return {
            "pay": self._pay,
            "expire": self._expire,
            "price": self._price,
            "balance": self._balance,
            "finish": self._finish,
            "fault": self._fault,
        }

    def journal(self) -> JsonObject:
        """Tell all orders and deposits accepted, and the last 1000 calls.

        Those whose answer never arrived, too. A call's ``status`` is what was sent, ``None`` where
        nothing was (yet).
        """
        now = self._clock()
        orders = self._books.orders(now)
        return {
            "orders": [_journal_row(order) for order in orders],
            "deposits": [_deposit_row(deposit) for deposit in self._books.deposits(now)],
            "calls": [dict(call) for call in self._calls],
            "balance": self._books.balance,
            "profit": sum(order.profit for order in orders),
            "faults": self._faults.dump(),
        }

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(f"/{self.slug}/api/"):
            return await handler(request)
        call: JsonObject = {
            "at": self._clock(),
            "method": request.method,
            "path": request.path,
            "status": None,
        }
        self._calls.append(call)
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
        return await faults.commit(fault, request, execute, _FAULTY_ANSWERS)

    async def _execute(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._admit(request)
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal.http_status, str(refusal))
        except web.HTTPException as refusal:
            return _refused(refusal.status, refusal.reason)

    def _admit(self, request: web.Request) -> None:
        key = (request.headers.get("X-API-Key") or request.query.get("apikey") or "").strip()
        if not key or key.casefold().startswith("invalid"):
            raise Refusal("API key tidak valid", http_status=401)
        if not self._limit.admits(key, self._clock()):
            raise Refusal("Too many requests", http_status=429)

    async def _me(self, request: web.Request) -> web.Response:
        me = {"user_id": "toko_a", "balance": self._books.balance, "role": "reseller"}
        return web.json_response({"status": True, "data": me})

    async def _services(self, request: web.Request) -> web.Response:
        return web.json_response(
            services_answer(self._books.services.values(), request.query.get("tipe"))
        )

    async def _create(self, request: web.Request) -> web.Response:
        wanted = read_wanted(await _fields(request), self._books.services)
        now = self._clock()
        if self._books.is_double(wanted, now):
            raise Refusal("Pesanan dengan layanan dan target yang sama masih pending")
        order = self._accepted(wanted, now, request.path)
        self._save()
        return web.json_response(created_answer(order, _home(request)))

    def _accepted(self, wanted: Wanted, now: int, path: str) -> SimulatedOrder:
        if wanted.selling_price is not None:
            return self._books.sell_dropship(
                wanted,
                wanted.selling_price,
                now,
                at_a_loss=self._faults.take(path, {"loss"}) is not None,
                qr=self._next_qr(path),
            )
        if self._books.balance < wanted.service.harga:
            raise Refusal("Saldo tidak cukup")
        return self._books.sell_from_balance(wanted, now)

    def _next_qr(self, path: str) -> str:
        fault = self._faults.take(path, _QR_KINDS)
        return "image" if fault is None else _QR_KINDS[fault.kind]

    async def _open_deposit(self, request: web.Request) -> web.Response:
        amount = read_amount(await _fields(request))
        fault = self._faults.take(request.path, {"unique_code"})
        deposit = self._books.open_deposit(
            amount,
            0 if fault is None else fault.code,
            self._clock(),
            qr=self._next_qr(request.path),
        )
        self._save()
        return web.json_response(opened_answer(deposit, _home(request)))

    async def _deposit_status(self, request: web.Request) -> web.Response:
        try:
            deposit = self._books.deposit(request.match_info["id"], self._clock())
        except UnknownThing as unknown:
            raise Refusal("Deposit tidak ditemukan", http_status=404) from unknown
        return web.json_response(deposit_answer(deposit))

    async def _history(self, request: web.Request) -> web.Response:
        return web.json_response(history_answer(self._books.deposits(self._clock())))

    async def _status(self, request: web.Request) -> web.Response:
        name = request.query.get("id", "").strip()
        if not name:
            raise Refusal("Parameter id wajib diisi")
        try:
            order = self._books.order(name, self._clock())
        except UnknownThing as unknown:
            raise Refusal("Pesanan tidak ditemukan", http_status=404) from unknown
        return web.json_response(
            status_answer(order, with_payment=not self._is_unsaid(order, request.path))
        )

    def _is_unsaid(self, order: SimulatedOrder, path: str) -> bool:
        if order.payment_status is None or not self._faults.take(path, {"unpaid_unsaid"}):
            return False
        self._save()
        return True

    async def _qr(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        is_deposit = self._books.has_deposit(name)
        sold = self._books.deposit(name, self._clock()) if is_deposit else self._shown(request)
        if sold.qr == "html":
            return web.Response(text="<h1>QR tidak tersedia</h1>", content_type="text/html")
        return web.Response(body=picture_of(sold), content_type="image/png")

    async def _invoice(self, request: web.Request) -> web.Response:
        order = self._shown(request)
        return web.Response(text=invoice_page(order), content_type="text/html")

    def _shown(self, request: web.Request) -> SimulatedOrder:
        try:
            order = self._books.order(request.match_info["id"], self._clock())
        except UnknownThing as unknown:
            raise web.HTTPNotFound from unknown
        if order.payment_status is None:
            raise web.HTTPNotFound
        return order

    async def _pay(self, wish: JsonObject) -> JsonObject:
        amount = whole(wish, "amount", least=0) if "amount" in wish else None
        name, now = text(wish, "id", "ref"), self._clock()
        if self._books.has_deposit(name):
            return self._changed(self._books.pay_deposit(name, amount, now))
        return self._changed(self._books.pay(name, amount, now))

    async def _expire(self, wish: JsonObject) -> JsonObject:
        name, now = text(wish, "id", "ref"), self._clock()
        if self._books.has_deposit(name):
            return self._changed(self._books.expire_deposit(name, now))
        return self._changed(self._books.expire(name, now))

    async def _finish(self, wish: JsonObject) -> JsonObject:
        status = _STATUSES.get(text(wish, "status").casefold())
        if status is None:
            raise BadWish(f"'status' must be one of {', '.join(_STATUSES.values())}.")
        sn = text(wish, "sn") if wish.get("sn") is not None else None
        name = text(wish, "ref", "id")
        return self._changed(self._books.finish(name, status, sn, self._clock()))

    async def _price(self, wish: JsonObject) -> JsonObject:
        code, price = text(wish, "code", "sid"), whole(wish, "price", least=1)
        self._books.reprice(code, price)
        self._save()
        return {"code": code, "price": price}

    async def _balance(self, wish: JsonObject) -> JsonObject:
        self._books.balance = whole(wish, "balance", least=0)
        self._save()
        return {"balance": self._books.balance}

    async def _fault(self, wish: JsonObject) -> JsonObject:
        outcome = self._faults.plan(wish)
        self._save()
        return outcome

    def _changed(self, sold: SimulatedOrder | SimulatedDeposit) -> JsonObject:
        self._save()
        if isinstance(sold, SimulatedDeposit):
            return {"deposit": _deposit_row(sold)}
        return {"order": _journal_row(sold)}

    def _save(self) -> None:
        if self._state is None:
            return
        write_state(
            self._state,
            {
                "books": self._books.dump(),
                "faults": self._faults.dump(),
                "calls": list(self._calls),
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
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{self._state} does not hold ZulTopup's state.") from error


def _journal_row(order: SimulatedOrder) -> JsonObject:
    return {
        **asdict(order),
        "profit": order.profit,
        "qr_payload": None if order.payment_status is None else payload_of(order),
    }


def _deposit_row(deposit: SimulatedDeposit) -> JsonObject:
    return {
        "id": deposit.id,
        "amount": deposit.amount,
        "amountToPay": deposit.amount_to_pay,
        "status": deposit.status,
        "paid": deposit.paid,
        "payments": [asdict(payment) for payment in deposit.payments],
        "created_at": deposit.created_at,
        "expires_at": deposit.expires_at,
        "qr_payload": payload_of(deposit),
    }


async def _fields(request: web.Request) -> JsonObject:
    try:
        return await read_body(request)
    except BadWish as bad:
        raise Refusal("Body harus berupa objek JSON") from bad


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"status": False, "message": message}, status=status)


def _home(request: web.Request) -> str:
    return f"http://{request.host}/{ZulTopupSimulator.slug}"
