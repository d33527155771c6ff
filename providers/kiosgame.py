"""Kiosgame Indonesia: JSON or Otomax (H2H) over HTTPS, our reference in every order, callbacks.

Source: Kiosgame's API document. What it leaves open is read as in docs/suppliers.md.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from providers.base import HttpSupplier, Reply
from providers.callbacks import is_signed, read_body
from providers.kiosgame_categories import Categories, read_categories
from providers.otomax import is_told_by, read_balance, read_line, read_report
from providers.reading import (
    is_named,
    read_flag,
    read_listing,
    read_note,
    read_plain_id,
    read_serial,
    read_word,
)
from providers.settings import Kind, Networks, Secrets, setting
from shop.callbacks import Callback, CallsBack, Nonsense, Told, Trust
from shop.money import read_rupiah
from shop.suppliers import (
    Listing,
    Misconfigured,
    NotSent,
    NotSold,
    OutcomeUnknown,
    OutOfBalance,
    PriceList,
    Refused,
    StatusRequest,
    SupplierError,
    TellsBalance,
    TellsPrices,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
    WrongAccount,
)
from shop.text import visible

# Status words ("Get invoice detail"), as ``read_word`` writes them.
_STATES: Mapping[str, TopupState] = MappingProxyType(
    {
        "success": TopupState.DELIVERED,
        "partial success": TopupState.PARTIAL,
        "pending": TopupState.PENDING,
        "paid": TopupState.PENDING,
        "refunded": TopupState.FAILED,
        "failed": TopupState.FAILED,
    }
)
# The table "Response Message": what each means as the answer to an order.
_MEANS: Mapping[str, type[SupplierError]] = MappingProxyType(
    {
        "API_KEY_NOT_FOUND": Misconfigured,
        "IP_NOT_WHITELISTED": Misconfigured,
        "INSUFFICIENT_BALANCE": OutOfBalance,
        "INVOICE_NOT_FOUND": OutcomeUnknown,  # no answer to an order
        "INVALID_USER_ID": WrongAccount,
        "NICKNAME_NOT_FOUND": WrongAccount,
        "DUPLICATE_TRX_ID": OutcomeUnknown,  # there is an order: only a question tells which
        "PRODUCT_NOT_FOUND": NotSold,
        "PRODUCT_INACTIVE": NotSold,
        "INVALID_CALLBACK_URL": Refused,
        "PAYMENT_METHOD_NOT_ALLOWED": Refused,
        "SERVER_ERROR": OutcomeUnknown,
    }
)
_NO_INVOICE = ("INVOICE_NOT_FOUND",)
_NO_PRODUCT = ("PRODUCT_NOT_FOUND", "PRODUCT_INACTIVE")
REPEAT_LIMIT = 35.0  # seconds for an order sent once more: with the question before it, below 60
_FINE = (200, 201)  # ``statusCode``; an order's answer says 200 in the body under HTTP 201
# Of HTTP 4xx these two may come after the work was begun: it took too long, or is being done.
_SAYS_NO = frozenset(range(400, 500)) - {408, 409}
_TEXT = MappingProxyType({"Accept": "text/plain, application/json"})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from ``KIOSGAME_*``."""

    api_key: Secrets = setting(
        Kind.SECRET,
        "API key from Kiosgame's dashboard (Kredensial); two (new,old) while it is being changed.",
        example="key-from-your-dashboard",
        needed=True,
    )
    url: str = setting(
        Kind.URL,
        "Where Kiosgame answers (http:// for loopback only).",
        default="https://api.kiosgameindonesia.com",
    )
    protocol: str = setting(
        Kind.CHOICE,
        "json, or otomax (H2H: the key stands in addresses, and reports are unsigned).",
        default="json",
        options=("json", "otomax"),
    )
    callback_ips: Networks = setting(
        Kind.NETWORKS,
        "Where Kiosgame calls back from, comma-separated; its signature suffices from anywhere.",
        default="206.189.46.211",
    )


class Kiosgame(HttpSupplier[Settings], TellsBalance, TellsPrices, CallsBack):
    """The adapter."""

    slug = "kiosgame"
    title = "Kiosgame"
    counts_calls = False  # no limit is documented
    knows_our_ref = True  # GET /v1/status/trx-id/{trx_id}
    # "... trx_id yang sama maka akan kami anggap sebagai cek status transaksi" (v2, Otomax v3).
    repeats_are_questions = True
    settings_type = Settings
    callback_methods = ("POST", "GET")  # GET: the Otomax report

    @property
    def _url(self) -> str:
        return self._settings.url

    def _secrets(self) -> Iterable[str]:
        """Return the keys, also as Otomax' addresses write them."""
        return [form for key in self._settings.api_key() for form in (key, quote(key, safe=""))]

    async def price_list(self) -> PriceList:
        """Return every item; of a category that is switched off, none is available."""
        categories = read_categories(await self._rows("/v1/category"))
        rows = [self._listing(row, categories) for row in await self._rows("/v1/products")]
        listings = [row for row in rows if row is not None]
        return PriceList(listings=listings, dropped=len(rows) - len(listings))

    async def listing(self, sku: str) -> Listing:
        """Return one item by its code or ``product_id`` (a UUID), be its category on or off."""
        named = "product_id" if _UUID.fullmatch(sku) else "product_code"
        data = await self._asked("/v1/product", _NO_PRODUCT, **{named: sku})
        if data is None:
            raise NotSold("kiosgame: there is no such product")
        found = self._listing(data, Categories())
        if found is None or not is_named(data.get(named), sku):
            raise Unavailable("kiosgame: product is another one, or makes no sense")
        return found

    async def balance(self) -> int:
        try:
            return read_rupiah(await self._deposit())
        except ValueError as error:
            raise Unavailable("kiosgame: user shows no balance") from error

    async def topup(self, request: TopupRequest) -> TopupReport:
        """Order it by ``POST /v2/order``, or in Otomax' way by ``GET /v3/otomax/order``.

        Also raises ``OutcomeUnknown`` with ``accepted`` if the answer is about something else.
        """
        return self._made(await self._send(request), request)

    async def status(self, request: StatusRequest) -> TopupReport:
        """Ask by their number, else by our reference: in JSON, whichever protocol orders.

        If they have not heard of our reference, a ``repeat`` is sent, once: where the order has
        arrived it asks about it, where it has not it makes it. Takes less than a minute.
        """
        number = read_plain_id(request.supplier_ref)
        named = quote(number or f"trx-id/{request.ref}")
        data = await self._asked(f"/v1/status/{named}", _NO_INVOICE)
        if data is None:
            again = None if number else request.repeat
            same = again is not None and again.ref == request.ref  # another would be a new order
            return await self._repeated(again) if again and same else _missing()
        if not isinstance(data, dict) or not _is_invoice_of(data, request.ref, number):
            raise Unavailable("kiosgame: status speaks of another order", answered=True)
        return self._report(data)

    def verify(self, callback: Callback) -> Trust:
        """Believe a signed POST ("Callback API"), from any address; nobody signs Otomax' report."""
        if callback.method == "GET":
            return Trust.HINT
        given = callback.headers.get("x-signature")
        signed = is_signed(callback.body, given, self._settings.api_key())
        return Trust.PROOF if signed and callback.method == "POST" else Trust.NONE

    def parse(self, callback: Callback) -> Sequence[Told]:
        """Read an invoice, or an Otomax report. Raise ``Nonsense``: no order or status is named."""
        is_json = callback.method == "POST"
        said = read_body(callback.body) if is_json else read_report(callback.query)
        # trx_id may be null, as in their example: then their own number names the order.
        ref, number = _named(said.get("trx_id")), _named(said.get("invoice_number"))
        if not (ref or number) or not isinstance(said.get("status"), str):
            raise Nonsense("no order or no status is named")
        return [Told(ref=ref, supplier_ref=number, report=self._report(said))]

    async def _send(self, request: TopupRequest) -> Reply:
        """Send an order, once. Raise ``NotSent``, ``OutcomeUnknown`` or ``Misconfigured``."""
        order = {"product_code": request.sku, "trx_id": request.ref}
        if self._callback_url:
            order["callback_url"] = self._callback_url
        if self._settings.protocol != "otomax":
            # Whether server_id may be missing is not said: without a server it is empty.
            order |= {"user_id": request.user_id, "server_id": request.server}
            return await self._order("/v2/order", headers=self._headers(), body=order)
        # Their example joins user 123456789 and server 1234 with nothing in between.
        query = self._in_query() | order | {"user_id": request.user_id + request.server}
        return await self._order(
            "/v3/otomax/order", headers=_TEXT, query=query, readable=is_told_by(read_line)
        )

    def _made(self, reply: Reply, request: TopupRequest) -> TopupReport:
        """Read the answer to an order, in the form of either protocol. Raises as ``topup`` does."""
        line = read_line(reply.text()) if reply.is_ok else None
        if line is None and not _is_yes(reply):
            raise self._error(_meaning_to_order(reply), reply)
        data = line.invoice() if line else reply.fields().get("data")
        if not isinstance(data, dict):
            raise OutcomeUnknown("kiosgame: an order may be made, but it cannot be read")
        if not (line.is_for(request) if line else _is_as_ordered(data, request)):
            number = self._hide(read_plain_id(data.get("invoice_number"))) or "-"
            raise OutcomeUnknown(f"kiosgame: {number} is for something else", accepted=True)
        return self._report(data)

    async def _repeated(self, request: TopupRequest) -> TopupReport:
        """Send an order once more, as a question: no refusal proves anything of the first."""
        try:
            async with asyncio.timeout(REPEAT_LIMIT):
                reply = await self._send(request)
        except Misconfigured as error:
            return _missing(str(error))
        except (NotSent, OutcomeUnknown, TimeoutError) as error:
            raise Unavailable(f"kiosgame: sent once more, {type(error).__name__}") from error
        try:
            return self._made(reply, request)
        except (Refused, OutcomeUnknown) as error:
            return _missing(str(error))

    async def _deposit(self) -> object:
        """Return what our deposit there is, as they write it."""
        if self._settings.protocol != "otomax":
            data = await self._asked("/v1/user")
            return data.get("user_balance") if isinstance(data, dict) else None
        path, query = "/v1/otomax/user", self._in_query()
        reply = await self._ask(path, headers=_TEXT, query=query, readable=is_told_by(read_balance))
        if not reply.is_ok or (balance := read_balance(reply.text())) is None:
            raise self._error(_meaning_to_question(reply), reply)
        return balance

    async def _rows(self, path: str) -> Sequence[object]:
        data = await self._asked(path)
        if not isinstance(data, list):
            raise Unavailable(f"kiosgame: {path} is no list", answered=True)
        return data

    async def _asked(self, path: str, missing: Sequence[str] = (), **query: str) -> Any:
        """Return the data of a yes, ``None`` of a no in one of the words ``missing``.

        Raise ``Unavailable`` or ``Misconfigured``: an unknown key is HTTP 404 too.
        """
        reply = await self._ask(path, headers=self._headers(), query=query)
        data = reply.fields().get("data") if _is_yes(reply) else None
        if data is None and (_is_yes(reply) or _message(reply) not in missing):
            raise self._error(_meaning_to_question(reply), reply)
        return data

    def _error(self, kind: type[SupplierError], reply: Reply) -> SupplierError:
        words = self._words({"message": _message(reply)}, "message")
        return kind(f"kiosgame: HTTP {reply.status}: {words}")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._settings.api_key()[0], "Accept": "application/json"}

    def _in_query(self) -> dict[str, str]:
        # Otomax knows no other place for the key: such an address is shown and logged nowhere.
        return {"apikey": self._settings.api_key()[0]}

    def _listing(self, row: object, categories: Categories) -> Listing | None:
        """Read one product; ``None`` if it makes no sense."""
        if not isinstance(row, dict):
            return None
        said = self._hidden(row)
        try:
            active = read_flag(said.get("is_active"))
        except ValueError:
            return None
        listing = read_listing(
            sku=said.get("product_code"),
            category=said.get("category_title"),
            name=said.get("product_name"),
            price=said.get("product_price"),
            available=active and categories.is_open(said),
        )
        return listing and replace(listing, has_server=categories.has_server(said))

    def _report(self, invoice: Mapping[str, Any]) -> TopupReport:
        """Read an invoice. Only REFUNDED says that the money is back in our balance."""
        said = self._hidden(invoice)
        word = visible(read_word(said.get("status")), 60)
        state = _STATES.get(word, TopupState.UNREADABLE)
        # A text is what was bought; what else a voucher may be is not said, nor is it shown.
        odd = bool(said.get("voucher")) and not isinstance(said["voucher"], str)
        words = f"status {word or '-'}{', voucher unreadable' if odd else ''}"
        return TopupReport(
            state=state,
            supplier_ref=read_plain_id(said.get("invoice_number")),
            cost=_cost(said.get("amount")),
            returned=word == "refunded",
            serial=_serial(said) if state is TopupState.DELIVERED else "",
            words=words,
            strange=odd or state is TopupState.UNREADABLE,
            note=f"{words}: {read_note(said.get('response_note'))}",
        )


def _is_yes(reply: Reply) -> bool:
    return reply.is_ok and reply.fields().get("statusCode") in _FINE


def _message(reply: Reply) -> str:
    """Return the word of an envelope; if it is a list of texts, all of them."""
    message = reply.fields().get("message")
    words = message if isinstance(message, list) else [message]
    return "; ".join(word for word in words if isinstance(word, str))


def _meaning_to_order(reply: Reply) -> type[SupplierError]:
    word, code = _message(reply), reply.fields().get("statusCode")
    is_no = reply.status in _SAYS_NO and code not in _FINE and bool(word)
    return _MEANS.get(word, Refused if is_no else OutcomeUnknown)


def _meaning_to_question(reply: Reply) -> type[SupplierError]:
    return Misconfigured if _MEANS.get(_message(reply)) is Misconfigured else Unavailable


def _missing(note: str = "INVOICE_NOT_FOUND") -> TopupReport:
    return TopupReport(state=TopupState.MISSING, words="INVOICE_NOT_FOUND", note=note)


def _agree(*fields: tuple[object, str]) -> bool:
    """Tell whether fields say what we said, or nothing: trx_id is null in their own example."""
    return all(said is None or said == "" or is_named(said, ours) for said, ours in fields)


def _is_invoice_of(invoice: Mapping[str, Any], ref: str, number: str) -> bool:
    theirs = invoice.get("invoice_number") if number else None
    return _agree((invoice.get("trx_id"), ref), (theirs, number))


def _is_as_ordered(invoice: Mapping[str, Any], order: TopupRequest) -> bool:
    """Tell whether an order is as asked for; the same reference may have stood for another."""
    inside = (invoice.get("product"), invoice.get("user_input"))
    product, account = (each if isinstance(each, dict) else {} for each in inside)
    joined = order.user_id + order.server  # as Otomax is told it
    return _agree(
        (invoice.get("trx_id"), order.ref),
        (product.get("code"), order.sku),
        (account.get("user_id"), joined if account.get("user_id") == joined else order.user_id),
        (account.get("server_id"), order.server),
    )


def _named(value: object) -> str:
    """Return an identifier; empty where there is none. Raise ``Nonsense``: it is something else."""
    if value not in (None, "") and not read_plain_id(value):
        raise Nonsense("not an identifier")
    return read_plain_id(value)


def _cost(amount: object) -> int | None:
    try:
        return read_rupiah(amount)
    except ValueError:
        return None


def _serial(said: Mapping[str, Any]) -> str:
    """Return the voucher, else the serial number in the note; markup is neither."""
    bought = visible(said["voucher"], 300) if read_serial(said.get("voucher")) else ""
    text = bought or read_serial(said.get("response_note"))
    return "" if "<" in text else text
