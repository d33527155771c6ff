"""ZoneGame, played from its document: profile, products, orders, signed callbacks.

Served under ``/zonegame/api/v1/…``. What the document leaves open is decided here: 401 without a
good key, 422 for a field that is missing or no text (a server where the game has one, too), 404
for an unknown order, ``{"success":false,"message":…}`` with all of them; a failed order's price
goes back to the balance; a field that is empty is ``null``; and a reference that came before is a
second order, unless the control action ``repeats`` has it ``refused`` (400) or answered with the
``status`` of the first. Of two orders with one reference, a question finds the later.

An item of the category ``Mobile Legends : Brazil`` is for accounts that begin with 55 alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from aiohttp import web

from providers.simulators.callbacks import Message, compact, hmac_of
from providers.simulators.faults import FaultyAnswers
from providers.simulators.players import nickname_of, region_of
from providers.simulators.prepaid import PrepaidSimulator, Refusal, is_good_key
from providers.simulators.prepaid_books import Item, PrepaidOrder, Statuses, Wanted
from providers.simulators.prepaid_wishes import REFUSED, STATUS
from providers.simulators.wishes import BadWish, JsonObject, UnknownThing, read_body
from providers.simulators.zonegame_products import ITEMS, WITH_SERVER

_CALLBACK_STATUSES = {"success": "SUCCESS", "failed": "FAILED"}  # section "Status"
_FAILED = "Transaksi gagal"


class ZoneGameSimulator(PrepaidSimulator):
    """The supplier and the world around it; an order's callback is signed with the order's key."""

    slug = "zonegame"
    title = "ZoneGame"
    statuses = Statuses(
        first="pending",
        done="success",
        failed="failed",
        unfinished=frozenset({"pending"}),
        returning=frozenset({"failed"}),
    )
    catalogue = ITEMS
    faulty_answers = FaultyAnswers(
        too_many={"success": False, "message": "Too Many Attempts."},
        broken={"success": False, "message": "Server Error"},
    )
    usual_balance = 50_000  # the document's example
    has_dashboard = False

    def _routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/api/v1/profile", self._profile),
            web.get("/api/v1/products", self._products),
            web.get("/api/v1/products/{code}", self._product_detail),
            web.post("/api/v1/order", self._order),
            web.get("/api/v1/order/{trx_id}", self._order_status),
        ]

    async def _profile(self, request: web.Request) -> web.Response:
        _key(request)
        profile = {
            "name": "John Doe",
            "email": "john@example.com",
            "phone": "08123456789",
            "tier": "member",
            "balance": self._books.balance,
        }
        return web.json_response({"success": True, "data": profile})

    async def _products(self, request: web.Request) -> web.Response:
        _key(request)
        wanted = request.query.get("category", "")
        rows = [
            _product_row(item)
            for item in self._books.items()
            if item.active and wanted in {"", _slug(item.category)}
        ]
        return web.json_response({"success": True, "data": rows})

    async def _product_detail(self, request: web.Request) -> web.Response:
        _key(request)
        item = self._for_sale(request.match_info["code"])
        return web.json_response({"success": True, "data": _product_row(item)})

    async def _order(self, request: web.Request) -> web.Response:
        key = _key(request)
        wanted = self._wanted(await _fields(request), key)
        before = self._books.all_of(wanted.ref)
        if before and self._repeats == REFUSED:
            raise _refusal(400, "trx_id sudah digunakan")
        if before and self._repeats == STATUS:
            return web.json_response(_order_answer(before[-1]))
        balance, price = self._books.balance, wanted.item.price
        if balance < price:
            raise _refusal(400, "Saldo tidak cukup", balance=balance, price=price)
        return web.json_response(_order_answer(await self._accept(wanted, request)))

    async def _order_status(self, request: web.Request) -> web.Response:
        _key(request)
        trx_id = request.match_info["trx_id"]
        order = self._found(trx_id, request)
        if order is None or order.ref != trx_id:  # by trx_id alone
            raise _refusal(404, "Order tidak ditemukan")
        return web.json_response({"success": True, "data": _status_row(order)})

    def _wanted(self, said: JsonObject, key: str) -> Wanted:
        code, target = _required(said, "product_code"), _required(said, "target")
        ref, callback_url = _required(said, "trx_id"), _optional(said, "callback_url")
        item = self._for_sale(code)
        is_needed = item.category in WITH_SERVER
        server = (_required if is_needed else _optional)(said, "server_id")
        nickname, region = nickname_of(target), region_of(target)
        if item.region not in {"", region}:
            raise _refusal(
                422, f"USER_REGION_IS_NOT_{item.region}", nickname=nickname, region=region
            )
        return Wanted(
            item=item,
            ref=ref,
            target=target,
            server=server,
            nickname=nickname,
            region=region,
            callback_url=callback_url,
            key=key,
        )

    def _for_sale(self, code: str) -> Item:
        try:
            item = self._books.item(code)
        except UnknownThing as unknown:
            raise _refusal(404, "Produk tidak ditemukan") from unknown
        if not item.active:
            raise _refusal(404, "Produk tidak ditemukan")
        return item

    def _new_id(self, number: int, wanted: Wanted) -> str:
        return f"INV-{_made_up(f'invoice {number} {wanted.ref}', 13)}"

    def _sn(self, order: PrepaidOrder) -> str:
        if order.status == "success":
            return f"{order.nickname} . RefId: DGG-{_made_up(f'sn {order.id}', 10)}"
        return _FAILED if order.status == "failed" else ""

    def _callbacks(self, order: PrepaidOrder) -> Sequence[Message]:
        url = self._address_for(order)
        if not url or order.status not in _CALLBACK_STATUSES:
            return ()
        body = callback_body(order, balance=self._books.balance)
        headers = {"Content-Type": "application/json", "x-signature": hmac_of(body, order.key)}
        return (Message(url=url, body=body, headers=headers, ref=order.ref),)

    def _wrong_door(self, http_status: int, reason: str) -> Mapping[str, object]:
        return {"success": False, "message": reason}


def callback_body(order: PrepaidOrder, *, balance: int) -> str:
    """Write what a callback says of a finished order; its fields are named unlike the API's."""
    return compact(
        {
            "invoice_number": order.id,
            "trx_id": order.ref,
            "response_note": order.sn,
            "category": {"title": order.category, "subtitle": None, "type": "game"},
            "product": {"name": order.item, "code": order.code, "price": order.price},
            "user_input": {
                "user_id": order.target,
                "server_id": order.server or None,
                "nickname": None,
            },
            "balance": balance,
            "amount": order.price,
            "status": _CALLBACK_STATUSES[order.status],
            "voucher": None,
            "created_at": order.accepted_at // 1000,
        }
    )


def _order_answer(order: PrepaidOrder) -> JsonObject:
    return {
        "success": True,
        "message": "Order berhasil dibuat",
        "invoice_id": order.id,
        "trx_id": order.ref,
        "product": order.item,
        "target": order.target,
        "nickname": order.nickname,
        "region": order.region,
        "price": order.price,
        "status": order.status,
    }


def _status_row(order: PrepaidOrder) -> JsonObject:
    created = datetime.fromtimestamp(order.accepted_at / 1000, UTC)
    return {
        "invoice_id": order.id,
        "trx_id": order.ref,
        "product": order.item,
        "target": order.target,
        "server_id": order.server or None,
        "price": order.price,
        "status": order.status,
        "serial_number": order.sn or None,
        "created_at": f"{created:%Y-%m-%dT%H:%M:%S.%f}Z",
    }


def _product_row(item: Item) -> JsonObject:
    return {
        "code": item.code,
        "name": item.name,
        "category": item.category,
        "price": item.price,
    }


def _slug(category: str) -> str:
    """Write ``mobile-legends-indonesia`` for ``Mobile Legends : Indonesia``."""
    return re.sub(r"[^a-z0-9]+", "-", category.casefold()).strip("-")


def _made_up(seed: str, length: int) -> str:
    return sha256(seed.encode()).hexdigest()[:length].upper()


def _key(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not is_good_key(key):
        raise _refusal(401, "Unauthenticated.")
    return key.strip()


async def _fields(request: web.Request) -> JsonObject:
    try:
        return await read_body(request)
    except BadWish as bad:
        raise _refusal(422, "The body must be a JSON object.") from bad


def _required(said: JsonObject, name: str) -> str:
    value = _optional(said, name)
    if not value:
        raise _refusal(422, f"The {name.replace('_', ' ')} field is required.")
    return value


def _optional(said: JsonObject, name: str) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _refusal(422, f"The {name.replace('_', ' ')} field must be a string.")
    return value.strip()


def _refusal(http_status: int, message: str, **more: object) -> Refusal:
    return Refusal(http_status, {"success": False, "message": message, **more})
