"""Kiosgame, played from its document: products, orders in JSON or by Otomax, both callbacks.

Served under ``/kiosgame/v1/…``, ``/v2/…`` and ``/v3/…`` with the document's fields and types. What
the document leaves open is decided here:

- A refusal has an example with HTTP 404 or is HTTP 400; Otomax hears it in JSON, too.
- Every key is good that has no blank in it and does not begin with ``invalid``. All keys see one
  shop, but an invoice is shown to the key it came with only; a ``trx_id`` is used up for all.
- ``server_id``, ``callback_url`` and, but for Otomax, ``trx_id`` may be missing or empty.
- A user ID that begins with 000 does not exist; nor does one without a server where the game has
  them. Where it has, that is ``NICKNAME_NOT_FOUND``, else ``INVALID_USER_ID``.
- In Otomax v2 and v3 the server is the last four digits of the user ID, or what begins with a
  letter. The ``trx_id`` of an earlier order is refused in v1 and v2; v3 answers like the status.
- The price is charged on acceptance and comes back with ``FAILED`` and ``REFUNDED``: "seluruh
  transaksi berhasil akan memotong saldo".
- A callback goes to the order's own address, else to the dashboard's (``webhook``), in the form of
  the protocol that the order came by.

Fault beyond those of ``prepaid.py``: ``ip_not_whitelisted``, for the next ``count`` calls.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from aiohttp import web

from providers.simulators.callbacks import Message, hmac_of
from providers.simulators.faults import FaultyAnswers
from providers.simulators.kiosgame_answers import (
    callback_body,
    categories_answer,
    created_answer,
    error_answer,
    invoice_answer,
    product_answer,
    products_answer,
    refusal,
    user_answer,
)
from providers.simulators.kiosgame_catalogue import EWALLET, ITEMS, category_of, id_of
from providers.simulators.kiosgame_otomax import (
    created_line,
    report_url,
    status_line,
    taken_apart,
    user_line,
)
from providers.simulators.players import nickname_of
from providers.simulators.prepaid import PrepaidSimulator, is_good_key
from providers.simulators.prepaid_books import Item, PrepaidOrder, Statuses, Wanted
from providers.simulators.wishes import BadWish, UnknownThing, read_body

_TOLD = frozenset({"SUCCESS", "PARTIAL_SUCCESS", "REFUNDED", "FAILED"})  # "Callback API"
_FAILED_NOTES = {"FAILED": "Transaksi gagal", "REFUNDED": "Saldo dikembalikan"}
_JSON, _OTOMAX = "json", "otomax"
_FIELDS = ("product_code", "user_id", "server_id", "trx_id", "callback_url")
_LONGEST_TEXT = 500
_NOBODY = "000"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_KeyIn = Callable[[web.Request], str]


class KiosgameSimulator(PrepaidSimulator):
    """The supplier and the world around it; a callback is signed with its order's key."""

    slug = "kiosgame"
    title = "Kiosgame"
    statuses = Statuses(
        first="PENDING",
        done="SUCCESS",
        failed="FAILED",
        others=("PAID", "PARTIAL_SUCCESS", "REFUNDED"),
        unfinished=frozenset({"PENDING", "PAID"}),
        returning=frozenset({"FAILED", "REFUNDED"}),
    )
    catalogue = ITEMS
    faulty_answers = FaultyAnswers(
        too_many=error_answer(429, "Too Many Requests", "Too Many Requests"),
        broken=error_answer(500, "SERVER_ERROR", "Internal Server Error"),
    )
    oddities = frozenset({"ip_not_whitelisted"})
    says_what_repeats_are = True  # DUPLICATE_TRX_ID, or "cek status transaksi"

    def _routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v1/user", self._by_header(self._user)),
            web.get("/v1/products", self._by_header(self._products)),
            web.post("/v1/products", self._by_header(self._products)),
            web.get("/v1/category", self._by_header(self._categories)),
            web.get("/v1/product", self._by_header(self._product_detail)),
            web.get("/v1/status/{invoice}", self._by_header(self._status)),
            web.get("/v1/status/trx-id/{trx_id}", self._by_header(self._status_by_trx_id)),
            web.post("/v1/order", self._by_header(self._order)),
            web.post("/v2/order", self._by_header(self._order_v2)),
            web.get("/v1/otomax/order", self._by_query(self._otomax_order)),
            web.get("/v2/otomax/order", self._by_query(self._otomax_order_v2)),
            web.get("/v3/otomax/order", self._by_query(self._otomax_order_v3)),
            web.get("/v1/otomax/status/{invoice}", self._by_query(self._otomax_status)),
            web.get("/v1/otomax/user", self._by_query(self._otomax_user)),
        ]

    def _new_id(self, number: int, wanted: Wanted) -> str:
        short = category_of(wanted.item.category).short
        return f"APIKUY_{short}_{self._clock() // 1000}_{number:04d}"

    def _sn(self, order: PrepaidOrder) -> str:
        account = f"{order.target}({order.server})" if order.server else order.target
        left = _FAILED_NOTES.get(order.status, f"{order.nickname} - {account}")
        return f"{left} . RefId: {_ref_id(order)}"

    def _callbacks(self, order: PrepaidOrder) -> Sequence[Message]:
        url = self._address_for(order)
        if not url or order.status not in _TOLD:
            return ()
        if order.more["protocol"] == _OTOMAX:
            report = report_url(order, url, self._books.balance)
            return [Message(method="GET", url=report, ref=order.ref)]
        body = callback_body(order, self._books.balance)
        headers = {"Content-Type": "application/json", "x-signature": hmac_of(body, order.key)}
        return [Message(url=url, body=body, headers=headers, ref=order.ref)]

    def _wrong_door(self, http_status: int, reason: str) -> Mapping[str, object]:
        return error_answer(http_status, reason, reason)

    # Doors.

    def _by_header(self, handler: _Handler) -> _Handler:
        return self._admitting(handler, _key_in_header)

    def _by_query(self, handler: _Handler) -> _Handler:
        return self._admitting(handler, _key_in_query)

    def _admitting(self, handler: _Handler, key_in: _KeyIn) -> _Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            key = key_in(request)
            if not is_good_key(key) or " " in key:
                raise refusal("API_KEY_NOT_FOUND")
            if self._faults.take(request.path, {"ip_not_whitelisted"}) is not None:
                self._save()
                raise refusal("IP_NOT_WHITELISTED")
            return await handler(request)

        return answer

    # Questions.

    async def _user(self, request: web.Request) -> web.Response:
        return web.json_response(user_answer(self._books.balance))

    async def _products(self, request: web.Request) -> web.Response:
        category_id = request.query.get("category_id")
        return web.json_response(products_answer(self._books.items(), category_id))

    async def _categories(self, request: web.Request) -> web.Response:
        return web.json_response(categories_answer(self._books.items()))

    async def _product_detail(self, request: web.Request) -> web.Response:
        code, product_id = (request.query.get(name) for name in ("product_code", "product_id"))
        for item in self._books.items():
            if code == item.code or (code is None and product_id == id_of(item.code)):
                return web.json_response(product_answer(item))
        raise refusal("PRODUCT_NOT_FOUND")

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(invoice_answer(self._invoice(request, _key_in_header)))

    async def _status_by_trx_id(self, request: web.Request) -> web.Response:
        trx_id = request.match_info["trx_id"]
        order = self._found(trx_id, request)
        if order is None or order.ref != trx_id or order.key != _key_in_header(request):
            raise refusal("INVOICE_NOT_FOUND")
        return web.json_response(invoice_answer(order))

    def _invoice(self, request: web.Request, key_in: _KeyIn) -> PrepaidOrder:
        number = request.match_info["invoice"]
        order = self._found(number, request)
        if order is None or order.id != number or order.key != key_in(request):
            raise refusal("INVOICE_NOT_FOUND")
        return order

    async def _otomax_status(self, request: web.Request) -> web.Response:
        order = self._invoice(request, _key_in_query)
        return web.Response(text=status_line(order, self._books.balance))

    async def _otomax_user(self, request: web.Request) -> web.Response:
        return web.Response(text=user_line(self._books.balance))

    # Orders.

    async def _order(self, request: web.Request) -> web.Response:
        fields = await _json_fields(request)
        if fields["trx_id"] and self._books.all_of(fields["trx_id"]):
            raise refusal("DUPLICATE_TRX_ID")
        order = await self._bought(fields, _JSON, _key_in_header(request), request)
        return web.json_response(created_answer(order), status=201)

    async def _order_v2(self, request: web.Request) -> web.Response:
        fields, key = await _json_fields(request), _key_in_header(request)
        order = self._earlier(fields["trx_id"], key)
        if order is None:
            order = await self._bought(fields, _JSON, key, request)
        return web.json_response(created_answer(order), status=201)

    async def _otomax_order(self, request: web.Request) -> web.Response:
        return await self._otomax_bought(_otomax_fields(request), request)

    async def _otomax_order_v2(self, request: web.Request) -> web.Response:
        return await self._otomax_bought(self._split(_otomax_fields(request)), request)

    async def _otomax_order_v3(self, request: web.Request) -> web.Response:
        fields = _otomax_fields(request)
        order = self._earlier(fields["trx_id"], _key_in_query(request))
        if order is not None:
            return web.Response(text=status_line(order, self._books.balance))
        return await self._otomax_bought(self._split(fields), request)

    async def _otomax_bought(self, fields: Mapping[str, str], request: web.Request) -> web.Response:
        if self._books.all_of(fields["trx_id"]):
            raise refusal("DUPLICATE_TRX_ID")
        order = await self._bought(fields, _OTOMAX, _key_in_query(request), request)
        return web.Response(text=created_line(order, _ref_id(order), self._books.balance))

    def _earlier(self, trx_id: str, key: str) -> PrepaidOrder | None:
        """Find what was ordered by this ``trx_id``, if any was; another key's is refused."""
        earlier = self._books.all_of(trx_id) if trx_id else []
        if earlier and earlier[-1].key != key:
            raise refusal("DUPLICATE_TRX_ID")
        return earlier[-1] if earlier else None

    def _split(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        """Take user and server apart where the game has servers."""
        if not category_of(self._item(fields["product_code"]).category).has_server:
            return {**fields, "server_id": ""}
        user_id, server_id = taken_apart(fields["user_id"])
        return {**fields, "user_id": user_id, "server_id": server_id}

    async def _bought(
        self, fields: Mapping[str, str], protocol: str, key: str, request: web.Request
    ) -> PrepaidOrder:
        """Check an order and take it on. Raise ``Refusal``."""
        if fields["callback_url"] and not _is_web_address(fields["callback_url"]):
            raise refusal("INVALID_CALLBACK_URL")
        item = self._item(fields["product_code"])
        _check_for_sale(item)
        _check_account(item, fields["user_id"], fields["server_id"])
        if self._books.balance < item.price:
            raise refusal("INSUFFICIENT_BALANCE")
        wanted = Wanted(
            item=item,
            ref=fields["trx_id"],
            target=fields["user_id"],
            server=fields["server_id"],
            nickname=nickname_of(fields["user_id"]),
            callback_url=fields["callback_url"],
            key=key,
            more={"protocol": protocol},
        )
        return await self._accept(wanted, request)

    def _item(self, code: str) -> Item:
        try:
            return self._books.item(code)
        except UnknownThing as unknown:
            raise refusal("PRODUCT_NOT_FOUND") from unknown


def _check_for_sale(item: Item) -> None:
    category = category_of(item.category)
    if not (item.active and category.is_active):
        raise refusal("PRODUCT_INACTIVE")
    if category.kind == EWALLET:
        raise refusal("PAYMENT_METHOD_NOT_ALLOWED")


def _check_account(item: Item, user_id: str, server_id: str) -> None:
    has_server = category_of(item.category).has_server
    if user_id.startswith(_NOBODY) or (has_server and not server_id):
        raise refusal("NICKNAME_NOT_FOUND" if has_server else "INVALID_USER_ID")


def _ref_id(order: PrepaidOrder) -> str:
    """Make the number of the seller behind Kiosgame, which is not the invoice's."""
    number = int(sha256(order.id.encode()).hexdigest(), 16) % 10_000
    return f"{category_of(order.category).short}_{order.accepted_at // 1000}_{number:04d}"


def _key_in_header(request: web.Request) -> str:
    return request.headers.get("Authorization", "")


def _key_in_query(request: web.Request) -> str:
    return request.query.get("apikey", "")


def _is_web_address(url: str) -> bool:
    try:
        address = urlsplit(url)
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname)


async def _json_fields(request: web.Request) -> Mapping[str, str]:
    try:
        body = await read_body(request)
    except BadWish as bad:
        raise refusal("Unexpected token in JSON") from bad
    return _checked(body, needed=("product_code", "user_id"))


def _otomax_fields(request: web.Request) -> Mapping[str, str]:
    return _checked(request.query, needed=("product_code", "user_id", "trx_id"))


def _checked(said: Mapping[str, object], *, needed: Sequence[str]) -> Mapping[str, str]:
    """Return the fields of an order as texts, empty where missing. Raise ``Refusal``."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for name in _FIELDS:
        value = said.get(name)
        value = "" if value is None else value
        if not isinstance(value, str) or not value.isprintable() or len(value) > _LONGEST_TEXT:
            wrong.append(f"{name} must be a string")
        elif name in needed and not value.strip():
            wrong.append(f"{name} should not be empty")
        else:
            found[name] = value.strip()
    if wrong:
        raise refusal(wrong)
    return found
