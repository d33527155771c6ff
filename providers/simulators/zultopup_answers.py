"""What ZulTopup reads and says, in the document's own fields and types."""

import html
from collections.abc import Iterable, Mapping
from datetime import datetime

from providers.simulators.qris import qr_png, qris_payload
from providers.simulators.wishes import JsonObject
from providers.simulators.zultopup_books import WIB, Wanted
from providers.simulators.zultopup_deposits import SimulatedDeposit
from providers.simulators.zultopup_orders import SimulatedOrder
from providers.simulators.zultopup_services import Service

_LONGEST_TEXT = 100
_MOST_BY_QRIS = 10_000_000


class Refusal(Exception):
    """The supplier says no; nothing was done. Its text is the answer's ``message``."""

    def __init__(self, message: str, *, http_status: int = 400) -> None:
        super().__init__(message)
        self.http_status = http_status


def read_wanted(fields: JsonObject, services: Mapping[str, Service]) -> Wanted:
    """Read what ``order/create`` was sent.

    Raises:
        Refusal: A field is missing or of another type, the service is unknown or not sold now, or
            the selling price is below the listed one.
    """
    wanted = Wanted(
        service=_service(fields, services),
        target=_required(fields, "target"),
        nometer=_optional(fields, "nometer"),
        selling_price=_selling_price(fields),
        customer_name=_optional(fields, "customer_name"),
        customer_phone=_optional(fields, "customer_phone"),
    )
    if wanted.selling_price is not None and wanted.selling_price < wanted.service.harga:
        raise Refusal("selling_price harus lebih besar atau sama dengan harga reseller")
    return wanted


def read_amount(fields: JsonObject) -> int:
    """Read what ``payment/deposit`` was sent: whole rupiah.

    Raises:
        Refusal: The amount is none that QRIS carries, or there is a fee: nothing explains it.
    """
    amount, fee = fields.get("amount"), fields.get("fee", 0)
    if type(amount) is not int or not 0 < amount <= _MOST_BY_QRIS:
        raise Refusal("amount tidak valid")
    if type(fee) is not int or fee != 0:
        raise Refusal("fee tidak valid")
    return amount


def services_answer(services: Iterable[Service], tipe: str | None) -> JsonObject:
    """Answer ``services``: rows grouped by type, ``sid`` and ``harga`` as strings."""
    groups: dict[str, list[JsonObject]] = {}
    for service in services:
        if tipe and service.tipe.casefold() != tipe.casefold():
            continue
        groups.setdefault(service.tipe, []).append(
            {
                "sid": service.sid,
                "kategori": service.kategori,
                "layanan": service.layanan,
                "harga": str(service.harga),
                "status": service.status,
            }
        )
    return {"status": True, "data": groups}


def created_answer(order: SimulatedOrder, home: str) -> JsonObject:
    """Answer ``order/create`` in the shape of the order's mode; ``home`` begins its addresses."""
    data: JsonObject = {"id": order.id, "invoice": order.invoice}
    if order.selling_price is None or order.expires_at is None:
        data["pesan"] = "Pesanan berhasil dibuat dan sedang diproses."
        return {"status": True, "data": data}
    data |= {
        "mode": order.mode,
        "selling_price": order.selling_price,
        "reseller_cost": order.reseller_cost,
        "reseller_profit": order.selling_price - order.reseller_cost,
        "payment": {
            "qr_url": payload_of(order) if order.qr == "text" else f"{home}/qr/{order.id}.png",
            "amount": order.amount,
            "expired_at": _in_wib(order.expires_at),
            "status_url": f"{home}/api/order/status?id={order.id}",
            "invoice_url": f"{home}/invoice/{order.invoice}",
        },
    }
    return {"status": True, "data": data}


def status_answer(order: SimulatedOrder, *, with_payment: bool) -> JsonObject:
    """Answer ``order/status``; only a dropship order has a ``payment_status`` to tell."""
    data: JsonObject = {"id": order.id, "status": order.status}
    if with_payment and order.payment_status is not None:
        data["payment_status"] = order.payment_status
    data["catatan"] = order.note
    return {"status": True, "data": data}


def opened_answer(deposit: SimulatedDeposit, home: str) -> JsonObject:
    """Answer ``payment/deposit``; its ``status`` is a word, not a truth value."""
    payload = payload_of(deposit)
    return {
        "status": "success",
        "data": {
            "orderId": deposit.id,
            "amountToPay": deposit.amount_to_pay,
            "qrCodeUrl": payload if deposit.qr == "text" else f"{home}/qr/{deposit.id}.png",
            "expiryTime": _in_wib(deposit.expires_at),
        },
    }


def deposit_answer(deposit: SimulatedDeposit) -> JsonObject:
    """Answer ``payment/status``, which has no envelope: ``status`` is the deposit's own."""
    return {"orderId": deposit.id, "status": deposit.status, "amount": deposit.told}


def history_answer(deposits: Iterable[SimulatedDeposit]) -> JsonObject:
    """Answer ``payment/history``: the same fields in another order, in an envelope."""
    rows = [
        {"orderId": deposit.id, "amount": deposit.told, "status": deposit.status}
        for deposit in deposits
    ]
    return {"status": "success", "data": rows}


def payload_of(sold: SimulatedOrder | SimulatedDeposit) -> str:
    """Write the QRIS text of a dropship order or of a deposit."""
    if isinstance(sold, SimulatedDeposit):
        return qris_payload(amount=sold.amount_to_pay, reference=sold.id)
    return qris_payload(amount=sold.amount, reference=sold.invoice)


def picture_of(sold: SimulatedOrder | SimulatedDeposit) -> bytes:
    """Draw the QR of a dropship order or of a deposit as a PNG."""
    return qr_png(payload_of(sold))


def invoice_page(order: SimulatedOrder) -> str:
    """Write the page behind ``invoice_url``: the QR, what it is for, how much and until when."""
    until = "" if order.expires_at is None else _in_wib(order.expires_at)
    return (
        f'<!DOCTYPE html><html lang="id"><meta charset="utf-8"><title>{order.invoice}</title>'
        f"<h1>{order.invoice}</h1>"
        f"<p>{html.escape(order.kategori)} {html.escape(order.item)}: Rp{order.amount}</p>"
        f'<img src="../qr/{order.id}.png" alt="QRIS"><p>Bayar sebelum {until} WIB</p></html>'
    )


def _service(fields: JsonObject, services: Mapping[str, Service]) -> Service:
    service = services.get(_required(fields, "layanan"))
    if service is None:
        raise Refusal("Layanan tidak ditemukan")
    if not service.is_normal:
        raise Refusal("Layanan sedang gangguan")
    return service


def _required(fields: JsonObject, name: str) -> str:
    value = _optional(fields, name)
    if value is None:
        raise Refusal(f"{name} wajib diisi")
    return value


def _optional(fields: JsonObject, name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise Refusal(f"{name} tidak valid")
    return value.strip() or None


def _selling_price(fields: JsonObject) -> int | None:
    if "selling_price" not in fields:
        return None
    value = fields["selling_price"]
    if type(value) is not int or not 0 < value <= _MOST_BY_QRIS:
        raise Refusal("selling_price tidak valid")
    return value


def _in_wib(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1000, WIB):%Y-%m-%d %H:%M:%S}"
