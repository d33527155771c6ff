"""An order, its invoice and its last attempt as one row, and back."""

from dataclasses import fields

from shop.orders import Attempt, Order, Returned, Status
from shop.payments import PaymentMethod
from shop.suppliers import Invoice
from storage.database import Row

_APART = {"id", "key", "invoice", "attempt"}
PLAIN = tuple(f.name for f in fields(Order) if f.name not in _APART)
_COLUMNS = ", ".join(f"o.{name}" for name in PLAIN)
SELECT = f"""
SELECT o.id, o.idempotency, {_COLUMNS},
       i.supplier_ref, i.number, i.amount, i.cost AS charged, i.qr, i.link, i.expires_at,
       a.nth, a.supplier AS tried_at, a.ref, a.sku AS tried_sku, a.cost AS expected, a.by_our_ref,
       a.calls_back, a.told_ref, a.supplier_ref AS tried_ref, a.charged AS spent, a.started_at
FROM orders o LEFT JOIN invoices i ON i.order_id = o.id
     LEFT JOIN attempts a ON a.order_id = o.id AND a.nth = o.tries
"""  # noqa: S608 - column names of our own dataclass


def row_of(order: Order) -> dict[str, str | int | None]:
    """Return what is stored of an order itself."""
    row: dict[str, str | int | None] = {name: getattr(order, name) for name in PLAIN}
    flags = {"alarmed": int(order.alarmed), "lost": int(order.lost)}
    return {**row, **flags, "id": order.id, "key": order.key, "asks": order.asks}


def invoice_row(order: Order, invoice: Invoice) -> dict[str, str | int | None]:
    """Return what is stored of its invoice."""
    return {
        "order_id": order.id,
        "gateway": order.gateway,
        "supplier_ref": invoice.supplier_ref,
        "number": invoice.number,
        "amount": invoice.amount,
        "cost": invoice.cost,
        "qr": invoice.qr,
        "link": invoice.link,
        "expires_at": invoice.expires_at,
    }


def read_order(row: Row) -> Order:
    """Return the order in a row of ``SELECT``."""
    values = {name: row[name] for name in PLAIN}
    values |= {name: kind(row[name]) for name, kind in _TYPES.items()}
    invoice, attempt = _invoice(row), _attempt(row)
    return Order(id=row["id"], key=row["idempotency"], invoice=invoice, attempt=attempt, **values)


_TYPES = {
    "status": Status,
    "method": PaymentMethod,
    "returned": Returned,
    "alarmed": bool,
    "lost": bool,
}


def _attempt(row: Row) -> Attempt | None:
    if row["nth"] is None:
        return None
    return Attempt(
        nth=row["nth"],
        supplier=row["tried_at"],
        ref=row["ref"],
        sku=row["tried_sku"],
        cost=row["expected"],
        by_our_ref=bool(row["by_our_ref"]),
        calls_back=bool(row["calls_back"]),
        supplier_ref=row["tried_ref"],
        told_ref=row["told_ref"],
        charged=row["spent"],
        started_at=row["started_at"],
    )


def _invoice(row: Row) -> Invoice | None:
    if row["supplier_ref"] is None:
        return None
    return Invoice(
        supplier_ref=row["supplier_ref"],
        number=row["number"],
        amount=row["amount"],
        cost=row["charged"],
        qr=row["qr"],
        link=row["link"],
        expires_at=row["expires_at"],
    )
