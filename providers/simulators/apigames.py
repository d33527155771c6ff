"""Apigames, played from its documents: orders and their status, balance, nicknames, engines.

Served under ``/apigames/v2/transaksi…`` and ``/apigames/merchant/…``, from "Pengecekan status
transaksi versi 2" and, for all else, github.com/bukakios21/apigames-docs at bdc26650. Any merchant
is known whose id does not begin ``invalid``; every signature is checked against ``secret_key``.

What the documents leave open is decided here: an error is HTTP 200 with ``{"error_msg":…,
"status":0}``; an order is refused, not failed, for want of balance; ``server_id`` must be there
and may be empty; ``destination`` is ``tujuan`` alone; a reference that came before is a second
order, unless the control action ``repeats`` has it ``refused`` or answered with the ``status`` of
the first. Of two orders with one reference, a question finds the later. As in the examples,
``sn`` is filled whatever the status, and ``last_balance`` is a text.

Fault beyond those of ``prepaid.py``: ``plain_signature``, for the next ``count`` questions about
the balance: only ``md5(merchant_id + secret_key)`` is good, not the usual
``md5(merchant_id:secret_key)``. For nicknames and engines both always are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from hashlib import md5, sha256
from hmac import compare_digest
from pathlib import Path

from aiohttp import web

from providers.simulators.apigames_products import FREE_FIRE, ITEMS, products_csv
from providers.simulators.callbacks import Client, Message, compact
from providers.simulators.faults import FaultyAnswers
from providers.simulators.players import nickname_of, region_of
from providers.simulators.prepaid import PrepaidSimulator, Refusal, is_good_key
from providers.simulators.prepaid_books import Item, PrepaidOrder, Statuses, Wanted
from providers.simulators.prepaid_wishes import REFUSED, STATUS
from providers.simulators.wishes import BadWish, JsonObject, UnknownThing, read_body

_WIB = timezone(timedelta(hours=7))
_GAMES = frozenset({"mobilelegend", "freefire", "higgs"})  # docs/cek-username.md
_ENGINES = frozenset({"smileone", "kiosgamer", "higgs", "unipin", "unipinbr", "unipinmy"})
_SHELL = 250  # rupiah for a garena shell, in the document's examples
_FAILED = "error_require_login"


class ApigamesSimulator(PrepaidSimulator):
    """The supplier and the world around it; ``secret_key`` signs on both sides."""

    slug = "apigames"
    title = "Apigames"
    statuses = Statuses(
        first="Pending",
        done="Sukses",
        failed="Gagal",
        others=("Proses", "Validasi Provider", "Sukses Sebagian"),
        unfinished=frozenset({"Pending", "Proses", "Validasi Provider"}),
        returning=frozenset({"Gagal"}),
    )
    catalogue = ITEMS
    faulty_answers = FaultyAnswers(
        too_many={"error_msg": "Too many requests", "status": 0},
        broken={"error_msg": "Internal Server Error", "status": 0},
    )
    usual_balance = 19_690_000  # the documentation's example
    oddities = frozenset({"plain_signature"})

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        state: Path | None = None,
        delivery_ms: int = 3000,
        balance: int | None = None,
        callback_url: str = "",
        client: Client | None = None,
        secret_key: str = "demo-secret",  # noqa: S107
    ) -> None:
        super().__init__(
            clock=clock,
            state=state,
            delivery_ms=delivery_ms,
            balance=balance,
            callback_url=callback_url,
            client=client,
        )
        self._secret_key = secret_key

    def products_csv(self) -> str:
        """Return what is for sale now as the file that a shop's owner keeps of it."""
        return products_csv(item for item in self._books.items() if item.active)

    def _routes(self) -> Iterable[web.RouteDef]:
        merchant = "/merchant/{merchant_id}"
        return [
            web.post("/v2/transaksi", self._order),
            web.get("/v2/transaksi", self._order),
            web.post("/v2/transaksi/status", self._order_status),
            web.get("/v2/transaksi/status", self._order_status),
            web.get(merchant, self._merchant),
            web.get(f"{merchant}/cek-username/{{game_code}}", self._username),
            web.get(f"{merchant}/cek-koneksi", self._connection),
        ]

    async def _order(self, request: web.Request) -> web.Response:
        wanted = self._wanted(await self._signed_fields(request), request.method)
        before = self._books.all_of(wanted.ref)
        if before and self._repeats == REFUSED:
            raise _refusal("Ref ID sudah digunakan")
        if before and self._repeats == STATUS:
            return self._order_answer(before[-1])
        if self._books.balance < wanted.item.price:
            raise _refusal("Saldo tidak cukup")
        return self._order_answer(await self._accept(wanted, request))

    async def _order_status(self, request: web.Request) -> web.Response:
        said = await self._signed_fields(request)
        order = self._found(_field(said, "ref_id"), request)
        if order is None or not _is_about(order, said):
            raise _refusal("Transaksi tidak ditemukan")
        return self._order_answer(order)

    async def _merchant(self, request: web.Request) -> web.Response:
        merchant, given = _who(request)
        plain, joined = self._own_signatures(merchant)
        expects_plain = any(each["kind"] == "plain_signature" for each in self._faults.dump())
        _check(given, plain if expects_plain else joined)
        if expects_plain:
            self._faults.take(request.path, {"plain_signature"})
            self._save()
        data = {
            "id": 1,
            "merchant_id": merchant,
            "email": "toko@example.com",
            "hp": "08123456789",
            "nama": "Toko A",
            "saldo": self._books.balance,
        }
        return self._found_answer(200, "Sukses", data)

    async def _username(self, request: web.Request) -> web.Response:
        merchant, given = _who(request)
        _check(given, *self._own_signatures(merchant))
        game, user_id = request.match_info["game_code"], request.query.get("user_id", "")
        if game not in _GAMES:
            raise Refusal(200, _not_available(f"Game {game[:40]}"))
        # Nobody found is a success, too.
        is_valid = user_id.isascii() and user_id.isdigit() and len(user_id) >= 5
        data = {"is_valid": is_valid, "username": nickname_of(user_id) if is_valid else ""}
        return self._found_answer(0, "Data Found", data)

    async def _connection(self, request: web.Request) -> web.Response:
        merchant, given = _who(request)
        _check(given, *self._own_signatures(merchant))
        engine = request.query.get("engine", "")
        if engine not in _ENGINES:
            raise Refusal(200, _not_available(f"Engine {engine[:40]}"))
        # ``rc`` is 50 in the document's example of a success, as in that of a failure.
        return self._found_answer(50, "Sukses", {"engine": engine})

    async def _signed_fields(self, request: web.Request) -> JsonObject:
        """Return the fields of a call about an order, whose signature is good."""
        said: JsonObject = {**request.query}
        if request.method == "POST":
            said = await _fields(request)
        merchant, ref = _field(said, "merchant_id"), _field(said, "ref_id")
        if not is_good_key(merchant) or not ref:
            raise _refusal("Signature not valid")
        _check(_field(said, "signature"), self._signature(merchant, ref))
        return said

    def _wanted(self, said: JsonObject, method: str) -> Wanted:
        if method == "POST" and not isinstance(said.get("server_id"), str):
            raise _refusal("Parameter server_id wajib diisi")
        target, server = _field(said, "tujuan"), _field(said, "server_id")
        if not target:
            raise _refusal("Parameter tujuan wajib diisi")
        return Wanted(
            item=self._for_sale(_field(said, "produk")),
            ref=_field(said, "ref_id"),
            target=target,
            server=server,
            nickname=nickname_of(target + server),  # as cek-username is asked
            region=region_of(target),
            more={"merchant_id": _field(said, "merchant_id")},
        )

    def _for_sale(self, code: str) -> Item:
        try:
            item = self._books.item(code)
        except UnknownThing as unknown:
            raise _refusal("Produk tidak ditemukan") from unknown
        if not item.active:
            raise _refusal("Produk sedang gangguan")
        return item

    def _new_id(self, number: int, wanted: Wanted) -> str:
        day = datetime.fromtimestamp(self._clock() / 1000, _WIB)
        letters = sha256(wanted.ref.encode()).hexdigest()[:5].upper()
        return f"T{day:%y%m%d}{letters}{number:05d}"

    def _sn(self, order: PrepaidOrder) -> str:
        if order.status == "Gagal":
            return _FAILED
        number = int(sha256(f"sn {order.id}".encode()).hexdigest(), 16) % 10**20
        return f"{order.nickname}. RefId : {number:020d}"

    def _callbacks(self, order: PrepaidOrder) -> Sequence[Message]:
        url = self._address_for(order)
        if not url:
            return ()
        merchant = order.more["merchant_id"]
        headers = {
            "Content-Type": "application/json",
            "X-Apigames-Authorization": self._signature(merchant, order.ref),
        }
        body = compact(order_row(order, balance=self._books.balance))
        return (Message(url=url, body=body, headers=headers, ref=order.ref),)

    def _wrong_door(self, http_status: int, reason: str) -> Mapping[str, object]:
        return {"error_msg": reason, "status": 0}

    def _order_answer(self, order: PrepaidOrder) -> web.Response:
        row = order_row(order, balance=self._books.balance)
        return web.json_response({"data": row, "status": 1})

    def _found_answer(self, rc: int, message: str, data: JsonObject) -> web.Response:
        ts = self._clock() // 1000
        return web.json_response(
            {"status": 1, "rc": rc, "message": message, "data": data, "ts": ts}
        )

    def _signature(self, merchant: str, ref: str) -> str:
        return _md5(f"{merchant}:{self._secret_key}:{ref}")

    def _own_signatures(self, merchant: str) -> tuple[str, str]:
        """Return those of calls about no order: as of 2022, and as later documented."""
        return _md5(f"{merchant}{self._secret_key}"), _md5(f"{merchant}:{self._secret_key}")


def order_row(order: PrepaidOrder, *, balance: int) -> JsonObject:
    """Write what Apigames says of an order: under ``data``, or as a callback."""
    number = f"SN/Ref: {order.sn}" if order.status == "Sukses" else order.sn
    about = f"R#{order.ref} {order.code}.{order.target}, status {order.status.upper()}"
    return {
        "merchant_id": order.more["merchant_id"],
        "trx_id": order.id,
        "ref_id": order.ref,
        "destination": order.target,
        "product_code": order.code,
        "product_code_master": order.code,
        "message": f"{about}. {number}. Sisa saldo {balance}",
        "status": order.status,
        "sn": order.sn,
        "last_balance": str(balance),
        "product_detail": {
            "name": f"{order.item} {order.category}",
            "code": order.code,
            **_price_row(order.category, order.price),
        },
    }


def _price_row(category: str, price: int) -> JsonObject:
    """Write a price as the provider behind them does, and in rupiah."""
    if category == FREE_FIRE and price % _SHELL == 0:
        unit, rate = "garena shell", _SHELL
    else:
        unit, rate = "rupiah", 1
    return {"price": price // rate, "price_unit": unit, "rate": rate, "price_rp": price}


def _is_about(order: PrepaidOrder, said: JsonObject) -> bool:
    return (order.ref, order.more["merchant_id"]) == (
        _field(said, "ref_id"),
        _field(said, "merchant_id"),
    )


def _who(request: web.Request) -> tuple[str, str]:
    merchant = request.match_info["merchant_id"]
    if not is_good_key(merchant):
        raise _refusal("Signature not valid")
    return merchant, request.query.get("signature", "")


def _check(given: str, *good: str) -> None:
    if not any(compare_digest(given.encode(), each.encode()) for each in good):
        raise _refusal("Signature not valid")


async def _fields(request: web.Request) -> JsonObject:
    try:
        return await read_body(request)
    except BadWish as bad:
        raise _refusal("Body harus berupa objek JSON") from bad


def _field(said: JsonObject, name: str) -> str:
    """Return a field's text; what is missing or no text is empty."""
    value = said.get(name)
    return value.strip() if isinstance(value, str) else ""


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()  # their formula


def _not_available(what: str) -> JsonObject:
    return {"status": 0, "rc": 50, "error_msg": f"{what} belum tersedia"}


def _refusal(message: str) -> Refusal:
    return Refusal(200, {"error_msg": message, "status": 0})
