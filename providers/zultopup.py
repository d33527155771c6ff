"""ZulTopup: JSON over HTTPS, an API key in a header, no callbacks, no reference of ours.

Source: ZulTopup's "Dokumentasi Reseller API". What it leaves open is read as in docs/suppliers.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from providers.base import HttpSupplier
from providers.reading import (
    is_named,
    read_listing,
    read_note,
    read_plain_id,
    read_rows,
    read_serial,
    read_text,
    read_time,
    read_word,
)
from providers.settings import Kind, Secrets, setting
from shop.money import read_rupiah
from shop.suppliers import (
    Dropships,
    Invoice,
    InvoiceReport,
    InvoiceRequest,
    InvoiceState,
    Listing,
    OutcomeUnknown,
    PriceList,
    Refused,
    StatusRequest,
    TakesDeposits,
    TellsBalance,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)
from shop.text import visible
from shop.time import HOUR, Millis

_CUSTOMER_NAME = "Pelanggan"  # they want a name; the customer's own is never sent
_LONGEST_QR: Millis = 24 * HOUR
_FINE = (True, "success")  # of an envelope; deposits say it in words

_S = InvoiceState
# Order words (section "Catatan Penting"): Pending, Success, Error/Gagal.
_ORDER_WORDS = MappingProxyType(
    {
        "pending": "pending",
        "success": "success",
        "error": "failed",
        "gagal": "failed",
        "error/gagal": "failed",
    }
)
# (order word, payment word): dropship adds payment_status pending, settlement, expired; where it
# stands is not shown, and without one nobody has said that the customer paid.
_STATES: Mapping[tuple[str, str], InvoiceState] = MappingProxyType(
    {
        ("pending", ""): _S.UNPAID,
        ("pending", "pending"): _S.UNPAID,
        ("pending", "settlement"): _S.SETTLED,
        ("pending", "expired"): _S.EXPIRED,
        ("success", ""): _S.DELIVERED,
        ("success", "pending"): _S.DELIVERED,
        ("success", "settlement"): _S.DELIVERED,
        ("success", "expired"): _S.DELIVERED,
        ("failed", ""): _S.UNCLEAR,
        ("failed", "pending"): _S.UNPAID,
        ("failed", "settlement"): _S.FAILED,
        ("failed", "expired"): _S.EXPIRED,
        # Their own word proves the money, whatever the other one means.
        ("?", "settlement"): _S.SETTLED,
    }
)
# The same order words where the balance paid ("Mode Saldo"): there is no payment beside them.
_TOPUPS: Mapping[str, TopupState] = MappingProxyType(
    {
        "pending": TopupState.PENDING,
        "success": TopupState.DELIVERED,
        "failed": TopupState.FAILED,
    }
)
# Of a deposit only "settlement" is shown; the other two are the payment words of dropship.
_DEPOSITS: Mapping[str, InvoiceState] = MappingProxyType(
    {"pending": _S.UNPAID, "settlement": _S.SETTLED, "expired": _S.EXPIRED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from ``ZULTOPUP_*``."""

    api_key: Secrets = setting(
        Kind.SECRET,
        "API key from ZulTopup's dashboard; two (new,old) while it is being changed.",
        example="key-from-your-dashboard",
        needed=True,
    )
    url: str = setting(
        Kind.URL,
        "Where ZulTopup answers (http:// for loopback only).",
        default="https://chestcloudx.my.id",
    )
    target_format: str = setting(
        Kind.TARGET,
        "Target of games with a server, which are not sold while this is blank; "
        "try {user_id}{server_id}, to be confirmed by one test order.",
        example="{user_id}{server_id}",
    )
    phone: str = setting(
        Kind.PHONE,
        "The shop's own phone number, sent as the customer's; needed for dropship.",
        example="081234567890",
    )
    dropship_percent: int = setting(
        Kind.PERCENT,
        "Expected cost of dropship over the listed price, until learnt from answers.",
        default="12",
    )


class ZulTopup(HttpSupplier[Settings], TellsBalance, Dropships, TakesDeposits):
    """The adapter."""

    slug = "zultopup"
    title = "ZulTopup"
    counts_calls = True  # "Rate limit": 60 requests a minute
    knows_our_ref = False  # no call takes a reference of ours
    settings_type = Settings

    @property
    def target_format(self) -> str:
        return self._settings.target_format

    @property
    def surcharge_bp(self) -> int:
        return self._settings.dropship_percent

    @property
    def _url(self) -> str:
        return self._settings.url

    def _secrets(self) -> Iterable[str]:
        return self._settings.api_key()

    async def price_list(self) -> PriceList:
        data = self._enveloped(await self._read("/api/services", headers=self._headers()))
        if not isinstance(data, dict):
            raise Unavailable("zultopup: services are not grouped by type", answered=True)
        rows = [_listing(row) for group in data.values() for row in read_rows(group)]
        listings = [row for row in rows if row is not None]
        return PriceList(listings=listings, dropped=len(rows) - len(listings))

    async def balance(self) -> int:
        data = self._enveloped(await self._read("/api/user/me", headers=self._headers()))
        try:
            return read_rupiah(data["balance"])
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("zultopup: user/me shows no balance") from error

    async def topup(self, request: TopupRequest) -> TopupReport:
        """Order in balance mode ("Mode A"): without ``selling_price`` our balance pays at once.

        Also raises ``OutcomeUnknown`` with ``accepted`` if an order was made that cannot be asked
        about, or one that the customer would have to pay.
        """
        data = await self._made(
            "/api/order/create", {"layanan": request.sku, "target": request.target}
        )
        try:
            supplier_ref = _paid_by_us(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OutcomeUnknown(
                "zultopup: an order was made, but it cannot be followed", accepted=True
            ) from error
        note = read_note(self._hide(data.get("pesan")))
        return TopupReport(state=TopupState.PENDING, supplier_ref=supplier_ref, note=note)

    async def status(self, request: StatusRequest) -> TopupReport:
        """Ask by their id, the only way. Also raises ``Unavailable`` where there is none."""
        if not request.supplier_ref:
            raise Unavailable("zultopup: an order can only be found by their id")
        return _topup_report(await self._order_status(request.supplier_ref), request.supplier_ref)

    async def open_invoice(self, request: InvoiceRequest) -> Invoice:
        """Order in dropship mode: ``selling_price`` selects it, and the customer pays the QR."""
        data = await self._made(
            "/api/order/create",
            {
                "layanan": request.sku,
                "target": request.target,
                "selling_price": request.price,
                "customer_name": _CUSTOMER_NAME,
                "customer_phone": self._settings.phone,
            },
        )
        return self._invoice(data)

    async def invoice_report(self, supplier_ref: str) -> InvoiceReport:
        return _report(await self._order_status(supplier_ref))

    async def open_deposit(self, ref: str, amount: int) -> Invoice:
        """Ask for a deposit's QR, in whole rupiah; they take no reference of ours."""
        return self._deposit(await self._made("/api/payment/deposit", {"amount": amount, "fee": 0}))

    async def deposit_report(self, supplier_ref: str) -> InvoiceReport:
        if not read_plain_id(supplier_ref):
            raise Unavailable("zultopup: no deposit has such an id")
        path = f"/api/payment/status/{quote(supplier_ref, safe='')}"
        # The only answer without an envelope; what stands there is the deposit's own status.
        data = await self._read(path, headers=self._headers())
        if data.get("status") is False:
            raise Unavailable(f"zultopup: {self._why(data)}")
        if not is_named(data.get("orderId"), supplier_ref):
            raise Unavailable("zultopup: payment/status speaks of another deposit", answered=True)
        return _deposit_report(self._hidden(data))

    async def deposit_history(self) -> Mapping[str, InvoiceReport]:
        """Return the deposits they list; of one that is told in two ways, nothing is known."""
        answer = await self._read("/api/payment/history", headers=self._headers())
        rows = self._enveloped(answer)
        if not isinstance(rows, list):
            raise Unavailable("zultopup: payment/history is no list")
        told: dict[str, set[InvoiceReport]] = {}
        for row in rows:
            if isinstance(row, dict) and (ref := read_plain_id(row.get("orderId"))):
                told.setdefault(ref, set()).add(_deposit_report(self._hidden(row)))
        return {ref: reports.pop() for ref, reports in told.items() if len(reports) == 1}

    async def _made(self, path: str, body: Mapping[str, str | int]) -> Any:
        """POST once, and return the data of a yes. Raises what ``open_invoice`` may raise."""
        answer = await self._order(path, headers=self._headers(), body=body)
        said = answer.json()
        if said.get("status") is False:
            raise Refused(f"zultopup: {self._why(said)}")
        if answer.status >= 400 or said.get("status", True) not in _FINE:
            raise OutcomeUnknown(f"zultopup: HTTP {answer.status}: {self._why(said)}")
        return said.get("data")

    async def _order_status(self, supplier_ref: str) -> dict[str, Any]:
        answer = await self._read(
            "/api/order/status", headers=self._headers(), query={"id": supplier_ref}
        )
        data = self._enveloped(answer)
        if not isinstance(data, dict) or not is_named(data.get("id", supplier_ref), supplier_ref):
            raise Unavailable("zultopup: order/status speaks of another order", answered=True)
        payment = data.get("payment")  # a word in it is read too
        inside = {"payment": self._hidden(payment)} if isinstance(payment, dict) else {}
        return self._hidden(data) | inside

    def _headers(self) -> dict[str, str]:
        # In a header, never in the address: addresses are logged on the way.
        return {"X-API-Key": self._settings.api_key()[0], "Accept": "application/json"}

    def _invoice(self, data: object) -> Invoice:
        """Read what was opened. Whatever cannot be read may still be open: ``OutcomeUnknown``."""
        try:
            payment = data["payment"]  # type: ignore[index]
            return Invoice(
                supplier_ref=read_text(data["id"]),  # type: ignore[index]
                number=_optional(data.get("invoice"))[:80],  # type: ignore[attr-defined]
                amount=_payable(payment["amount"]),
                cost=read_rupiah(data["reseller_cost"]),  # type: ignore[index]
                qr=read_text(payment.get("qr_url") or "-"),
                link=_optional(payment.get("invoice_url")),
                expires_at=self._expiry(payment.get("expired_at")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Without selling_price the same call orders from our balance (its "Mode A").
            raise OutcomeUnknown(
                "zultopup: an order was made, but no payment can be read", accepted=True
            ) from error

    def _deposit(self, data: object) -> Invoice:
        """Read a deposit. One that cannot be read is not shown, so nobody can pay it."""
        try:
            supplier_ref = read_text(read_plain_id(data["orderId"]))  # type: ignore[index]
            return Invoice(
                supplier_ref=supplier_ref,
                number=supplier_ref,
                amount=_payable(data["amountToPay"]),  # type: ignore[index]
                cost=0,
                qr=read_text(data["qrCodeUrl"]),  # type: ignore[index]
                link="",
                expires_at=self._expiry(data.get("expiryTime")),  # type: ignore[attr-defined]
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OutcomeUnknown("zultopup: a deposit was opened, but cannot be read") from error

    def _expiry(self, said: object) -> Millis | None:
        """Return a believable end of the QR; their time format and zone are not documented."""
        at, now = read_time(said), self._clock()
        return at if at is not None and now < at <= now + _LONGEST_QR else None

    def _enveloped(self, answer: Mapping[str, Any]) -> Any:
        """Return what an answer carries: ``status`` is one of ``_FINE`` around ``data``."""
        if answer.get("status") in _FINE and "data" in answer:
            return answer["data"]
        raise Unavailable(f"zultopup: {self._why(answer)}")

    def _why(self, answer: Mapping[str, Any]) -> str:
        """Return their own sentence; error bodies are not documented."""
        return self._words(answer, "message", "pesan", "error", "msg")


def _optional(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else ""


def _payable(value: object) -> int:
    amount = read_rupiah(value)
    if amount == 0:
        raise ValueError("nobody can pay nothing")
    return amount


def _paid_by_us(data: Any) -> str:
    """Return the id of an order; raise ``ValueError`` if it waits for a customer's payment."""
    if read_word(data.get("mode")) == "dropship":
        raise ValueError("not paid from our balance")
    return read_text(data["id"])


def _listing(row: object) -> Listing | None:
    """Read one service; ``None`` if it makes no sense. Any status but ``Normal`` is not sold."""
    if not isinstance(row, dict) or "status" not in row:
        return None
    return read_listing(
        sku=row.get("sid"),
        category=row.get("kategori"),
        name=row.get("layanan"),
        price=row.get("harga"),
        available=read_word(row["status"]) == "normal",
    )


def _report(data: Mapping[str, Any]) -> InvoiceReport:
    beside = data.get("payment_status")
    said = beside if beside is not None else _payment_word(data.get("payment"))
    order = visible(read_word(data.get("status")), 60)
    paid = "" if said is None or said == "" else visible(read_word(said), 60) or "?"
    state = _STATES.get((_ORDER_WORDS.get(order, "?"), paid), InvoiceState.UNREADABLE)
    strange = state is InvoiceState.UNREADABLE or order not in _ORDER_WORDS
    serial = read_serial(data.get("catatan")) if state is InvoiceState.DELIVERED else ""
    words = f"status {order or '-'}, payment {paid or '-'}"
    note = f"{words}: {read_note(data.get('catatan'))}"
    return InvoiceReport(state=state, serial=serial, words=words, strange=strange, note=note)


def _payment_word(payment: object) -> object:
    """Return what a ``payment`` says: an object with a word inside, a word itself, or nothing."""
    if not isinstance(payment, dict):
        return None if payment == [] else payment  # an empty object, as PHP writes one
    inside = payment.get("payment_status")
    return payment.get("status") if inside is None else inside


def _topup_report(data: Mapping[str, Any], supplier_ref: str) -> TopupReport:
    order = visible(read_word(data.get("status")), 60)
    state = _TOPUPS.get(_ORDER_WORDS.get(order, "?"), TopupState.UNREADABLE)
    delivered = state is TopupState.DELIVERED
    words = f"status {order or '-'}"
    return TopupReport(
        state=state,
        supplier_ref=supplier_ref,
        # "Kalau provider gagal, otomatis di-refund ke saldo" (section "Catatan Penting").
        returned=state is TopupState.FAILED,
        serial=read_serial(data.get("catatan")) if delivered else "",
        words=words,
        strange=state is TopupState.UNREADABLE,
        note=f"{words}: {read_note(data.get('catatan'))}",
    )


def _deposit_report(data: Mapping[str, Any]) -> InvoiceReport:
    """Read one deposit. Its ``amount`` is what arrived only once it is settled."""
    word = visible(read_word(data.get("status")), 60)
    state = _DEPOSITS.get(word, InvoiceState.UNREADABLE)
    words, amount = f"status {word or '-'}", None
    if state is InvoiceState.SETTLED:
        try:
            amount = _payable(data.get("amount"))
        except ValueError:
            # Money came, and nobody knows how much: the owner must hear of it.
            state, words = InvoiceState.UNREADABLE, f"{words}, amount unreadable"
    strange = state is InvoiceState.UNREADABLE
    note = f"{words}: amount {read_note(data.get('amount'))}"
    return InvoiceReport(state=state, amount=amount, words=words, strange=strange, note=note)
