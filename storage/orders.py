"""Orders, their invoices, pictures and history."""

from collections.abc import Sequence
from dataclasses import fields

from shop.orders import Event, Order, Status
from shop.suppliers import Invoice
from shop.time import Millis
from storage.database import CLAIMED, Row, Transaction


class Stale(Exception):
    """The order was changed by someone else since it was read: nothing was stored."""


_PLAIN = tuple(f.name for f in fields(Order) if f.name not in {"id", "key", "invoice"})
_COLUMNS = ", ".join(f"o.{name}" for name in _PLAIN)
_SELECT = f"""
SELECT o.id, o.idempotency, {_COLUMNS},
       i.supplier_ref, i.number, i.amount, i.cost AS charged, i.qr, i.link, i.expires_at
FROM orders o LEFT JOIN invoices i ON i.order_id = o.id
"""  # noqa: S608 - column names of our own dataclass
_INSERT = f"""
INSERT INTO orders (id, idempotency, {", ".join(_PLAIN)})
VALUES (:id, :key, {", ".join(f":{name}" for name in _PLAIN)})
"""  # noqa: S608 - likewise
_CHANGING = ("due_at", "claimed_at", "last_claim_at", "settled_at", "serial", "alarmed")
_SET = ", ".join(f"{name} = :{name}" for name in _CHANGING)
_MOVE = f"""
UPDATE orders SET status = :status, version = :version, changed_at = :changed_at, {_SET}
WHERE id = :id AND version = :was_version AND status = :was_status
"""  # noqa: S608 - likewise
_NOTE = f"UPDATE orders SET {_SET} WHERE id = :id AND version = :version"  # noqa: S608 - likewise
_EVENT = """
INSERT INTO order_events (order_id, version, event, was, became, at, actor, evidence)
VALUES (:order_id, :version, :event, :was, :became, :at, :actor, :evidence)
"""
_INVOICE = """
INSERT INTO invoices
    (order_id, supplier, supplier_ref, number, amount, cost, qr, link, expires_at)
VALUES
    (:order_id, :supplier, :supplier_ref, :number, :amount, :cost, :qr, :link, :expires_at)
ON CONFLICT (order_id) DO NOTHING
"""
_WAITING = "('placed', 'opening', 'awaiting_payment')"
_ENDS = "COALESCE(i.expires_at, o.quote_until)"
_LIVE_WITH = f"""{_SELECT}
WHERE o.supplier = :supplier AND o.sku = :sku AND o.target = :target
  AND (o.status IN ('placed', 'opening', 'processing')
       OR (o.status = 'awaiting_payment' AND {_ENDS} > :now)
       OR (o.status = 'cancelled' AND i.order_id IS NOT NULL AND {_ENDS} > :now))
ORDER BY o.created_at DESC, o.id LIMIT 1
"""
_OPEN_OF = f"""{_SELECT}
WHERE o.address = :address AND o.status IN {_WAITING} AND {_ENDS} > :now
ORDER BY o.created_at, o.id
"""
_PAYABLE_OF = f"""{_SELECT}
WHERE o.address = :address AND {_ENDS} > :now
  AND (o.status IN {_WAITING} OR (o.status = 'cancelled' AND i.cost <= o.price
           AND i.cost <= i.amount AND i.amount < o.price + 1000))
ORDER BY o.created_at, o.id
"""
_RECENT_OF = f"""{_SELECT}
WHERE o.address = :address ORDER BY o.created_at DESC, o.id LIMIT :most OFFSET :before
"""
_DELIVERED_OF = f"""{_SELECT}
WHERE o.address = :address AND o.status = 'delivered' AND (:game = '' OR o.game = :game)
ORDER BY o.created_at DESC, o.id LIMIT :most
"""
_NEXT = f"{_SELECT} WHERE o.supplier = :supplier AND o.due_at <= :now"
_FIRST = f"LIMIT 1 {CLAIMED}"
_NEXT_CLAIMED = f"{_NEXT} AND o.claimed_at IS NOT NULL ORDER BY o.claimed_at {_FIRST}"
_NEXT_PLACED = f"{_NEXT} AND o.status = 'placed' ORDER BY o.due_at, o.created_at {_FIRST}"
_NEXT_WATCHED = f"{_NEXT} AND o.status NOT IN ('placed', 'opening') ORDER BY o.due_at {_FIRST}"
_NEXT_LOST = f"{_NEXT} AND o.status = 'opening' ORDER BY o.due_at {_FIRST}"
_NEXT_OUTDATED = f"""{_SELECT}
WHERE o.supplier = :supplier AND o.status = 'placed' AND o.due_at IS NOT NULL
  AND o.quote_until <= :now {_FIRST}
"""
_NEXT_AT = """
SELECT MIN(due_at) AS at FROM orders
WHERE supplier = :supplier AND due_at IS NOT NULL
  AND CASE WHEN status = 'placed' THEN 1 ELSE 0 END = :placed
"""
_END_LEASES = """
UPDATE orders SET due_at = :now WHERE due_at > :now
  AND (status IN ('opening', 'awaiting_payment', 'processing') OR claimed_at IS NOT NULL)
"""
_COME_DUE = "UPDATE orders SET due_at = :now WHERE due_at > :latest"
_COUNT_WAITING = """
SELECT COUNT(*) AS n FROM orders
WHERE supplier = :supplier AND status IN ('awaiting_payment', 'processing')
"""
_HAS_INVOICE = """
SELECT 1 AS found FROM invoices WHERE supplier = :supplier AND supplier_ref = :supplier_ref
"""
_LAST_CREATED = "SELECT MAX(created_at) AS at FROM orders WHERE address = :address"
_LAST_CLAIM = "SELECT MAX(last_claim_at) AS at FROM orders WHERE address = :address"
_BEST_SELLING = """
SELECT game FROM (SELECT game FROM orders WHERE status = 'delivered'
                  ORDER BY changed_at DESC LIMIT 1000) AS latest
GROUP BY game ORDER BY COUNT(*) DESC, game LIMIT :most
"""
_PUT_PICTURE = """
INSERT INTO pictures (order_id, bytes) VALUES (:order_id, :bytes) ON CONFLICT (order_id) DO NOTHING
"""
_PICTURE = "SELECT bytes FROM pictures WHERE order_id = :order_id"


class SqlOrders:
    """``shop.ports.Orders`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, order: Order) -> None:
        self._tx.execute(_INSERT, _row(order))
        self._tx.ring()
        self._record(order, order, Event.PLACED, "", "")

    def get(self, order_id: str) -> Order | None:
        return self._one(f"{_SELECT} WHERE o.id = :id", id=order_id)

    def by_key(self, key: str) -> Order | None:
        return self._one(f"{_SELECT} WHERE o.idempotency = :key", key=key)

    def move(
        self, was: Order, now: Order, event: Event, *, actor: str = "", evidence: str = ""
    ) -> None:
        """Store a move and its event. Raises ``Stale`` if ``was`` is not what is stored."""
        stored = {**_row(now), "was_version": was.version, "was_status": was.status}
        if self._tx.execute(_MOVE, stored) != 1:
            raise Stale(now.id)
        self._tx.ring()
        self._record(was, now, event, actor, evidence)
        if now.invoice is not None:
            self._tx.execute(_INVOICE, _invoice_row(now, now.invoice))

    def note(self, order: Order) -> None:
        """Store timers and counts. Raises ``Stale`` if the order has moved since it was read."""
        if self._tx.execute(_NOTE, _row(order)) != 1:
            raise Stale(order.id)
        self._tx.ring()

    def live_with(self, supplier: str, sku: str, target: str, now: Millis) -> Order | None:
        return self._one(_LIVE_WITH, supplier=supplier, sku=sku, target=target, now=now)

    def open_of(self, address: str, now: Millis) -> Sequence[Order]:
        return self._many(_OPEN_OF, address=address, now=now)

    def payable_of(self, address: str, now: Millis) -> Sequence[Order]:
        return self._many(_PAYABLE_OF, address=address, now=now)

    def recent_of(self, address: str, most: int, before: int = 0) -> Sequence[Order]:
        return self._many(_RECENT_OF, address=address, most=most, before=before)

    def delivered_of(self, address: str, most: int, game: str = "") -> Sequence[Order]:
        return self._many(_DELIVERED_OF, address=address, most=most, game=game)

    def last_created_of(self, address: str) -> Millis | None:
        return self._at(_LAST_CREATED, address=address)

    def last_claim_of(self, address: str) -> Millis | None:
        return self._at(_LAST_CLAIM, address=address)

    def next_claimed(self, supplier: str, now: Millis) -> Order | None:
        return self._one(_NEXT_CLAIMED, supplier=supplier, now=now)

    def next_placed(self, supplier: str, now: Millis) -> Order | None:
        return self._one(_NEXT_PLACED, supplier=supplier, now=now)

    def next_watched(self, supplier: str, now: Millis) -> Order | None:
        return self._one(_NEXT_WATCHED, supplier=supplier, now=now)

    def next_lost_opening(self, supplier: str, now: Millis) -> Order | None:
        return self._one(_NEXT_LOST, supplier=supplier, now=now)

    def next_outdated(self, supplier: str, now: Millis) -> Order | None:
        return self._one(_NEXT_OUTDATED, supplier=supplier, now=now)

    def next_watch_at(self, supplier: str) -> Millis | None:
        return self._at(_NEXT_AT, supplier=supplier, placed=0)

    def next_opening_at(self, supplier: str) -> Millis | None:
        return self._at(_NEXT_AT, supplier=supplier, placed=1)

    def best_selling(self, most: int) -> Sequence[str]:
        return [row["game"] for row in self._tx.fetch(_BEST_SELLING, {"most": most})]

    def end_leases(self, now: Millis) -> None:
        self._tx.execute(_END_LEASES, {"now": now})

    def come_due(self, now: Millis, latest: Millis) -> None:
        self._tx.execute(_COME_DUE, {"now": now, "latest": latest})

    def waiting(self, supplier: str) -> int:
        return int(self._tx.fetch(_COUNT_WAITING, {"supplier": supplier})[0]["n"])

    def has_invoice(self, supplier: str, supplier_ref: str) -> bool:
        wanted = {"supplier": supplier, "supplier_ref": supplier_ref}
        return bool(self._tx.fetch(_HAS_INVOICE, wanted))

    def put_picture(self, order_id: str, picture: bytes) -> None:
        self._tx.execute(_PUT_PICTURE, {"order_id": order_id, "bytes": picture})

    def picture(self, order_id: str) -> bytes | None:
        rows = self._tx.fetch(_PICTURE, {"order_id": order_id})
        return bytes(rows[0]["bytes"]) if rows else None

    def _record(self, was: Order, now: Order, event: Event, actor: str, evidence: str) -> None:
        first = was is now
        self._tx.execute(
            _EVENT,
            {
                "order_id": now.id,
                "version": now.version,
                "event": event,
                "was": "" if first else was.status,
                "became": now.status,
                "at": now.changed_at,
                "actor": actor or (now.address if first else ""),
                "evidence": evidence,
            },
        )

    def _one(self, sql: str, **parameters: str | int) -> Order | None:
        rows = self._tx.fetch(sql, parameters)
        return _order(rows[0]) if rows else None

    def _many(self, sql: str, **parameters: str | int) -> Sequence[Order]:
        return [_order(row) for row in self._tx.fetch(sql, parameters)]

    def _at(self, sql: str, **parameters: str | int) -> Millis | None:
        found: Millis | None = self._tx.fetch(sql, parameters)[0]["at"]
        return found


def _row(order: Order) -> dict[str, str | int | None]:
    row: dict[str, str | int | None] = {name: getattr(order, name) for name in _PLAIN}
    return {**row, "id": order.id, "key": order.key, "alarmed": int(order.alarmed)}


def _invoice_row(order: Order, invoice: Invoice) -> dict[str, str | int | None]:
    return {
        "order_id": order.id,
        "supplier": order.supplier,
        "supplier_ref": invoice.supplier_ref,
        "number": invoice.number,
        "amount": invoice.amount,
        "cost": invoice.cost,
        "qr": invoice.qr,
        "link": invoice.link,
        "expires_at": invoice.expires_at,
    }


def _order(row: Row) -> Order:
    values = {name: row[name] for name in _PLAIN}
    values |= {"status": Status(row["status"]), "alarmed": bool(row["alarmed"])}
    return Order(id=row["id"], key=row["idempotency"], invoice=_invoice(row), **values)


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
