"""ZulTopup: JSON over HTTPS, an API key in a header, no callbacks, no reference of ours.

Source: ZulTopup's "Dokumentasi Reseller API". What it leaves open is read as in docs/suppliers.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from providers.base import Client, HttpSupplier, http_client
from providers.reading import read_serial, read_time, read_word
from shop.money import read_rupiah
from shop.suppliers import (
    Invoice,
    InvoiceReport,
    InvoiceRequest,
    InvoiceState,
    Listing,
    Misconfigured,
    OutcomeUnknown,
    PriceList,
    Refused,
    Unavailable,
)
from shop.text import visible
from shop.time import HOUR, Millis

_CUSTOMER_NAME = "Pelanggan"  # they want a name; the customer's own is never sent
_LONGEST_QR: Millis = 24 * HOUR

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
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from ``ZULTOPUP_*``. ``key`` must never reach text: hence no ``repr`` of it."""

    url: str
    key: Callable[[], str]
    phone: str


class ZulTopup(HttpSupplier):
    """The adapter."""

    slug = "zultopup"
    title = "ZulTopup"

    def __init__(
        self, settings: Settings, *, clock: Callable[[], Millis], client: Client = http_client
    ) -> None:
        super().__init__(url=settings.url, client=client, clock=clock)
        self._settings = settings

    async def price_list(self) -> PriceList:
        data = _enveloped(await self._read("/api/services", headers=self._headers()))
        if not isinstance(data, dict):
            raise Unavailable("zultopup: services are not grouped by type")
        rows = [_listing(row) for group in data.values() for row in _rows(group)]
        listings = [row for row in rows if row is not None]
        return PriceList(listings=listings, dropped=len(rows) - len(listings))

    async def balance(self) -> int:
        data = _enveloped(await self._read("/api/user/me", headers=self._headers()))
        try:
            return read_rupiah(data["balance"])
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("zultopup: user/me shows no balance") from error

    async def open_invoice(self, request: InvoiceRequest) -> Invoice:
        """Order in dropship mode: ``selling_price`` selects it, and the customer pays the QR."""
        reply = await self._order(
            "/api/order/create",
            headers=self._headers(),
            body={
                "layanan": request.sku,
                "target": request.target,
                "selling_price": request.price,
                "customer_name": _CUSTOMER_NAME,
                "customer_phone": self._settings.phone,
            },
        )
        data = reply.json()
        if reply.status in {401, 403}:
            raise Misconfigured(f"zultopup: {_words(data)}")
        if data.get("status") is False:
            raise Refused(f"zultopup: {_words(data)}")
        if reply.status >= 400:
            raise OutcomeUnknown(f"zultopup: HTTP {reply.status}: {_words(data)}")
        return self._invoice(data.get("data"))

    async def invoice_report(self, supplier_ref: str) -> InvoiceReport:
        answer = await self._read(
            "/api/order/status", headers=self._headers(), query={"id": supplier_ref}
        )
        data = _enveloped(answer)
        if not isinstance(data, dict) or str(data.get("id", supplier_ref)) != supplier_ref:
            raise Unavailable("zultopup: order/status speaks of another order")
        return _report(data)

    def _headers(self) -> dict[str, str]:
        # In a header, never in the address: addresses are logged on the way.
        return {"X-API-Key": self._settings.key(), "Accept": "application/json"}

    def _invoice(self, data: object) -> Invoice:
        """Read what was opened. Whatever cannot be read may still be open: ``OutcomeUnknown``."""
        try:
            payment = data["payment"]  # type: ignore[index]
            return Invoice(
                supplier_ref=_text(data["id"]),  # type: ignore[index]
                number=visible(str(data.get("invoice", "")), 80),  # type: ignore[attr-defined]
                amount=read_rupiah(payment["amount"]),
                cost=read_rupiah(data["reseller_cost"]),  # type: ignore[index]
                qr=_text(payment.get("qr_url") or "-"),
                link=str(payment.get("invoice_url") or ""),
                expires_at=self._expiry(payment.get("expired_at")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OutcomeUnknown(
                f"zultopup: an order was made, but no payment can be read ({type(error).__name__})"
            ) from error

    def _expiry(self, said: object) -> Millis | None:
        """Return a believable end of the QR; their time format and zone are not documented."""
        at, now = read_time(said), self._clock()
        return at if at is not None and now < at <= now + _LONGEST_QR else None


def _enveloped(answer: Mapping[str, Any]) -> Any:
    """Return what an answer carries. ``status`` is ``true`` or ``"success"`` around ``data``."""
    if answer.get("status") in (True, "success") and "data" in answer:
        return answer["data"]
    raise Unavailable(f"zultopup: {_words(answer)}")


def _words(answer: object) -> str:
    """Return a supplier's own sentence, for the owner's eyes; error bodies are not documented."""
    if isinstance(answer, dict):
        for name in ("message", "pesan", "error", "msg"):
            if isinstance(answer.get(name), str):
                return visible(answer[name])
    return "no reason given"


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise TypeError("not a text")
    return str(value).strip()


def _rows(group: object) -> Iterable[object]:
    return group if isinstance(group, list) else ()


def _listing(row: object) -> Listing | None:
    """Read one service; ``None`` if it makes no sense. Any status but ``Normal`` is not sold."""
    try:
        name, category = visible(row["layanan"], 60), visible(row["kategori"], 60)  # type: ignore[index]
        sku, price = _text(row["sid"]), read_rupiah(row["harga"])  # type: ignore[index]
        available = read_word(row["status"]) == "normal"  # type: ignore[index]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not (name and category and price > 0) or "<" in name + category:
        return None
    return Listing(sku=sku, category=category, name=name, price=price, available=available)


def _report(data: Mapping[str, Any]) -> InvoiceReport:
    payment = data.get("payment")
    beside = data.get("payment_status")
    said = beside if beside is not None else _payment_word(payment)
    order, paid = read_word(data.get("status")), read_word(said)
    state = _STATES.get((_ORDER_WORDS.get(order, "?"), paid), InvoiceState.UNREADABLE)
    note = (
        f"status {order or '-'}, payment {paid or '-'}: {visible(str(data.get('catatan') or ''))}"
    )
    serial = read_serial(data.get("catatan")) if state is InvoiceState.DELIVERED else ""
    return InvoiceReport(state=state, serial=serial, note=note)


def _payment_word(payment: object) -> object:
    if not isinstance(payment, dict):
        return None
    return payment.get("payment_status", payment.get("status"))
