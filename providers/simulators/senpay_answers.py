"""What SenPay reads and says, in the document's own fields and types."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone

from providers.simulators.prepaid_books import Item, PrepaidOrder
from providers.simulators.senpay_catalogue import (
    PROVIDERS,
    Provider,
    Question,
    id_of,
    provider_of,
)
from providers.simulators.wishes import JsonObject

WIB = timezone(timedelta(hours=7))
NO_SERIAL = "N/A"

_SITE = "https://senpay.id"
_LONGEST_TEXT = 100
_NOTES = {
    "unpaid": "Menunggu pembayaran",
    "processing": "Transaksi sedang diproses",
    "success": "Transaksi berhasil",
    "failed": "Transaksi gagal",
    "refund": "Saldo dikembalikan",
    "expired": "Transaksi kedaluwarsa",
}


class No(Exception):
    """SenPay says no; nothing was done. Its text is the answer's ``message``."""


def required(fields: Mapping[str, object], name: str) -> str:
    """Return a text that must be there, in one line. Raise ``No``."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise No(f"{name} wajib diisi")
    if not value.isprintable() or len(value) > _LONGEST_TEXT:
        raise No(f"{name} tidak valid")
    return value.strip()


def read_forms(fields: Mapping[str, object], provider: Provider) -> dict[str, str]:
    """Return what the provider's ``forms`` ask for, by their keys.

    Raises:
        No: One of them is missing, or is none of the dropdown's codes.
    """
    return {question.key: _filled_in(fields, question) for question in provider.forms}


def _filled_in(fields: Mapping[str, object], question: Question) -> str:
    value = required(fields, question.key)
    if question.options and value not in {code for _, code in question.options}:
        raise No(f"{question.key} tidak valid")
    return value


def providers_answer(items: Iterable[Item], *, only_active: bool) -> JsonObject:
    """Answer ``provider``: all that have ever had a product."""
    known = {provider.code: provider for provider in PROVIDERS.values()}
    known |= {provider.code: provider for provider in map(provider_of, items)}
    return _yes([_provider_row(each) for each in known.values() if each.active or not only_active])


def products_answer(items: Iterable[Item], code: str, *, only_active: bool) -> JsonObject:
    """Answer ``product`` for one provider's code. Raise ``No`` if it has none."""
    rows = [item for item in items if provider_of(item).code == code]
    if not rows:
        raise No("Provider tidak ditemukan")
    return _yes([_product_row(item) for item in rows if item.active or not only_active])


def product_answer(item: Item) -> JsonObject:
    """Answer ``product/{code}``, which says more of the provider than the list does."""
    provider = provider_of(item)
    row = _product_row(item)
    row["provider"] = {
        "id": provider.id,
        "code": provider.code,
        "name": provider.name,
        "icon": provider.icon,
        "icon_url": provider.icon_url,
    }
    return _yes(row)


def created_answer(order: PrepaidOrder) -> JsonObject:
    """Answer ``transaction/create``: the only place that tells what it costs."""
    return _yes(
        {
            "reference": order.id,
            "partner_reference": order.ref,
            "provider": order.category,
            "product": order.item,
            "price": order.price,
            "status": order.status,
            "invoice_url": f"{_SITE}/trx/{order.id}",
        }
    )


def status_answer(order: PrepaidOrder, *, webhook_sent: bool) -> JsonObject:
    """Answer ``transaction/{reference}``."""
    return _yes(
        {
            "reference": order.id,
            "partner_reference": order.ref,
            "provider": order.category,
            "product": order.item,
            "status": order.status,
            "status_at": in_utc(order.changed_at),
            "sn": order.sn or NO_SERIAL,
            "note": _note(order),
            "webhook_sent": webhook_sent,
            "created_at": in_utc(order.accepted_at),
            "invoice_url": f"{_SITE}/trx/{order.id}",
        }
    )


def status_webhook(order: PrepaidOrder) -> str:
    """Write the webhook about an order's status."""
    return as_php(
        {
            "webhook_type": "transaction_status",
            "reference": order.id,
            "partner_reference": order.ref,
            "status": order.status,
            "sn": order.sn or NO_SERIAL,
            "note": _note(order),
            "sent_at": in_utc(order.changed_at),
        }
    )


def price_webhook(before: Item, after: Item) -> str:
    """Write the webhook about another price."""
    row = {"product_code": after.code, "price_old": before.price, "price_new": after.price}
    return as_php({"webhook_type": "price_update", "data": [row]})


def is_understood(answer: bytes) -> bool:
    """Tell whether a webhook was answered as it should be: ``{"status": 200, …}``."""
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("status") == 200


def as_php(said: JsonObject) -> str:
    r"""Write JSON as PHP's ``json_encode`` does: ``\/``, and ASCII only."""
    return json.dumps(said, separators=(",", ":")).replace("/", r"\/")


def in_utc(at: int) -> str:
    """Write epoch ms as ``2024-07-02T13:09:08.000000Z``."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}000Z"


def _note(order: PrepaidOrder) -> str:
    moment = datetime.fromtimestamp(order.changed_at // 1000, WIB)
    return f"{_NOTES[order.status]} pada {moment:%Y/%m/%d %H:%M:%S} WIB"


def _yes(data: object) -> JsonObject:
    return {"status": 200, "data": data}


def _provider_row(provider: Provider) -> JsonObject:
    return {
        "id": provider.id,
        "code": provider.code,
        "name": provider.name,
        "active": provider.active,
        "icon": provider.icon,
        "forms": [_form_row(question) for question in provider.forms],
        "icon_url": provider.icon_url,
    }


def _form_row(question: Question) -> JsonObject:
    row: JsonObject = {"label": question.label, "key": question.key, "type": "text"}
    if not question.options:
        return row
    options = [{"name": name, "code": code} for name, code in question.options]
    return {**row, "type": "dropdown", "options": options}


def _product_row(item: Item) -> JsonObject:
    provider = provider_of(item)
    return {
        "id": id_of(item),
        "code": item.code,
        "name": item.name,
        "active": int(item.active),
        "price": item.price,
        "provider": {"code": provider.code, "name": provider.name},
    }
