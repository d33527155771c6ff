"""SenPay, played from its document: providers with forms, orders by reference, webhooks.

Served under ``/senpay/api/prepaid/…`` with the document's fields and types. What the document
leaves open is decided here:

- A refusal is HTTP 200 with ``{"status":400,"message":…}``: the samples never look at the code.
- Every key is good that is not empty and does not begin with ``invalid``; ``Signature`` must be
  the secret key as it stands. All keys see one shop.
- A ``partner_reference`` of the last 24 hours is refused; after that it is a new order.
- Nothing but SenPay's own ``reference`` finds an order.
- The price is charged on acceptance, and comes back with ``refund``, not with ``failed``. An order
  that is ``unpaid`` or ``expired`` has cost nothing.
- ``sn`` is ``N/A`` until delivery; passes and pulsa have none afterwards, either.

Webhooks go to the address entered in the dashboard (``webhook``), unsigned, as PHP writes JSON:
``transaction_status`` of success, failed and expired, ``price_update`` of every new price. They
come again until they are answered ``{"status":200,…}``, the document's "Contoh Respon Sukses"; the
journal calls any other answer under HTTP 2xx ``NotUnderstood``.

Faults beyond those of ``prepaid.py``:

============  ======================================
``http_400``  the next ``count`` refusals are HTTP 400
============  ======================================
"""

import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import httpx
from aiohttp import web

from providers.simulators.callbacks import Client, Message
from providers.simulators.faults import FaultyAnswers
from providers.simulators.prepaid import PrepaidSimulator, Refusal, is_good_key
from providers.simulators.prepaid_books import Item, PrepaidOrder, Statuses, Wanted
from providers.simulators.senpay_answers import (
    NO_SERIAL,
    WIB,
    No,
    created_answer,
    is_understood,
    price_webhook,
    product_answer,
    products_answer,
    providers_answer,
    read_forms,
    required,
    status_answer,
    status_webhook,
)
from providers.simulators.senpay_catalogue import ITEMS, provider_of, tells_serial
from providers.simulators.wishes import BadWish, JsonObject, UnknownThing, read_body

_DAY_MS = 24 * 60 * 60 * 1000
_SUCCESS = "success"
_TOLD = frozenset({_SUCCESS, "failed", "expired"})  # "Webhook akan dikirimkan ketika …"
_JSON = {"Content-Type": "application/json"}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SenPaySimulator(PrepaidSimulator):
    """The supplier and the world around it; ``secret_key`` is what ``Signature`` must say."""

    slug = "senpay"
    title = "SenPay"
    statuses = Statuses(
        first="processing",
        done=_SUCCESS,
        failed="failed",
        others=("unpaid", "refund", "expired"),
        unfinished=frozenset({"processing", "unpaid"}),
        returning=frozenset({"refund", "unpaid", "expired"}),
    )
    catalogue = ITEMS
    faulty_answers = FaultyAnswers(
        too_many={"message": "Too Many Attempts."},
        broken={"message": "Server Error"},
    )
    oddities = frozenset({"http_400"})
    says_what_repeats_are = True  # "harus unique dalam waktu 24 jam terakhir"

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
            client=client or _client,
        )
        self._secret_key = secret_key

    def _routes(self) -> Iterable[web.RouteDef]:
        home = "/api/prepaid"
        return [
            web.get(f"{home}/provider", self._answering(self._providers)),
            web.get(f"{home}/product", self._answering(self._products)),
            web.get(f"{home}/product/{{code}}", self._answering(self._product_detail)),
            web.post(f"{home}/transaction/create", self._answering(self._create)),
            web.get(f"{home}/transaction/{{reference}}", self._answering(self._status)),
        ]

    def _new_id(self, number: int, wanted: Wanted) -> str:
        day = datetime.fromtimestamp(self._clock() // 1000, WIB)
        return f"TRX{day:%y%m%d}{_digits(wanted.ref, 5)}{number:06d}"

    def _sn(self, order: PrepaidOrder) -> str:
        is_told = order.status == _SUCCESS and tells_serial(order.item)
        return _digits(order.id, 16) if is_told else NO_SERIAL

    def _callbacks(self, order: PrepaidOrder) -> Sequence[Message]:
        if order.status not in _TOLD:
            return ()
        return self._message(status_webhook(order), order.ref)

    def _price_callbacks(self, before: Item, after: Item) -> Sequence[Message]:
        return () if before.price == after.price else self._message(price_webhook(before, after))

    def _message(self, body: str, ref: str = "") -> Sequence[Message]:
        if not self._webhook:
            return ()
        return [Message(url=self._webhook, body=body, headers=_JSON, ref=ref)]

    def _wrong_door(self, http_status: int, reason: str) -> Mapping[str, object]:
        return {"message": reason}

    def _answering(self, handler: _Handler) -> _Handler:
        """Let only good keys in, and put every no into the envelope."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                _admit(request)
                return await handler(request)
            except No as no:
                raise self._refusal(str(no), request) from no

        return answer

    def _refusal(self, message: str, request: web.Request) -> Refusal:
        by_code = self._faults.take(request.path, {"http_400"}) is not None
        if by_code:
            self._save()
        return Refusal(400 if by_code else 200, {"status": 400, "message": message})

    async def _providers(self, request: web.Request) -> web.Response:
        answer = providers_answer(self._books.items(), only_active=_only_active(request))
        return web.json_response(answer)

    async def _products(self, request: web.Request) -> web.Response:
        code = required(request.query, "provider")
        answer = products_answer(self._books.items(), code, only_active=_only_active(request))
        return web.json_response(answer)

    async def _product_detail(self, request: web.Request) -> web.Response:
        return web.json_response(product_answer(self._sold(request.match_info["code"])))

    async def _create(self, request: web.Request) -> web.Response:
        if not self._is_signed(request):
            raise No("Invalid signature")
        wanted = self._wanted(await _fields(request), _key(request))
        return web.json_response(created_answer(await self._accept(wanted, request)))

    async def _status(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        order = self._found(reference, request)
        if order is None or order.id != reference:
            raise No("Transaksi tidak ditemukan")
        sent = order.status in _TOLD and bool(self._webhook)
        return web.json_response(status_answer(order, webhook_sent=sent))

    def _is_signed(self, request: web.Request) -> bool:
        given = request.headers.get("Signature", "")
        written = given.encode("utf-8", "surrogateescape")
        return hmac.compare_digest(written, self._secret_key.encode())

    def _wanted(self, fields: JsonObject, key: str) -> Wanted:
        """Read and check an order. Raise ``No``."""
        item = self._sold(required(fields, "target_product_code"))
        ref = required(fields, "partner_reference")
        provider = provider_of(item)
        if not (item.active and provider.active):
            raise No("Produk sedang tidak aktif")
        forms = read_forms(fields, provider)
        if self._is_used(ref):
            raise No("partner_reference sudah digunakan dalam 24 jam terakhir")
        if self._books.balance < item.price:
            raise No("Saldo tidak mencukupi")
        target, *rest = forms.values()
        return Wanted(
            item=item,
            ref=ref,
            target=target,
            server=" ".join(rest),
            key=key,
            more=forms,
        )

    def _sold(self, code: str) -> Item:
        try:
            return self._books.item(code)
        except UnknownThing as unknown:
            raise No("Produk tidak ditemukan") from unknown

    def _is_used(self, ref: str) -> bool:
        since = self._clock() - _DAY_MS
        return any(order.accepted_at > since for order in self._books.all_of(ref))


class NotUnderstood(httpx.HTTPError):
    """A webhook was answered, and not as it should be."""


async def _judge(response: httpx.Response) -> None:
    if response.is_success and not is_understood(await response.aread()):
        raise NotUnderstood(f"HTTP {response.status_code}")


def _client() -> httpx.AsyncClient:
    # No certificate is checked: only http:// on loopback is spoken to.
    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        verify=False,  # noqa: S501
        event_hooks={"response": [_judge]},
    )


def _key(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme == "Bearer" else ""


def _admit(request: web.Request) -> None:
    if not is_good_key(_key(request)):
        raise No("Invalid API Key")


async def _fields(request: web.Request) -> JsonObject:
    try:
        return await read_body(request)
    except BadWish as bad:
        raise No("Data tidak valid") from bad


def _only_active(request: web.Request) -> bool:
    return request.query.get("active") == "1"


def _digits(text: str, count: int) -> str:
    return f"{int(sha256(text.encode()).hexdigest(), 16) % 10**count:0{count}d}"
