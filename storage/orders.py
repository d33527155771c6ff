"""Orders, their invoices, pictures and history."""

from collections.abc import Iterator, Sequence, Set

from shop.ledger import UnderWay
from shop.orders import Event, Happened, Order, Status
from shop.time import Millis
from storage.attempts import SqlAttempts
from storage.database import CLAIMED, Transaction
from storage.order_rows import PLAIN, SELECT, invoice_row, read_order, row_of


class Stale(Exception):
    """The order was changed by someone else since it was read: nothing was stored."""


_INSERT = f"""
INSERT INTO orders (id, idempotency, asks, {", ".join(PLAIN)})
VALUES (:id, :key, :asks, {", ".join(f":{name}" for name in PLAIN)})
"""  # noqa: S608 - likewise
_TIMERS = ("due_at", "claimed_at", "last_claim_at", "asked_at", "alarmed", "payout")
_LEARNT = (
    "settled_at", "serial", "received", "fee", "excess", "returned", "lost", "tries", "asks",
    "ceiling",
)  # fmt: skip
_ROUTE = ("supplier", "sku", "listed", "cost", "target", "server_code")
_MOVE = f"""
UPDATE orders SET status = :status, version = :version, changed_at = :changed_at,
       {", ".join(f"{name} = :{name}" for name in (*_TIMERS, *_LEARNT, *_ROUTE))}
WHERE id = :id AND version = :was_version AND status = :was_status
"""  # noqa: S608 - likewise
_NOTE = f"""
UPDATE orders SET {", ".join(f"{name} = :{name}" for name in _TIMERS)}
WHERE id = :id AND version = :version
"""  # noqa: S608 - likewise
_EVENT = """
INSERT INTO order_events (order_id, version, event, was, became, at, actor, evidence)
VALUES (:order_id, :version, :event, :was, :became, :at, :actor, :evidence)
"""
_INVOICE = """
INSERT INTO invoices
    (order_id, gateway, supplier_ref, number, amount, cost, qr, link, expires_at)
VALUES
    (:order_id, :gateway, :supplier_ref, :number, :amount, :cost, :qr, :link, :expires_at)
ON CONFLICT (order_id) DO NOTHING
"""
_WAITING = "('placed', 'opening', 'awaiting_payment')"
_ENDS = "COALESCE(i.expires_at, o.quote_until)"
_LIVE = f"""(o.status IN ('placed', 'opening', 'paid', 'submitting', 'processing', 'unsure')
       OR (o.status = 'awaiting_payment' AND {_ENDS} > :now)
       OR (o.status = 'cancelled' AND i.order_id IS NOT NULL AND {_ENDS} > :now))"""
_LIVE_WITH = f"""{SELECT}
WHERE o.supplier = :supplier AND o.sku = :sku AND o.target = :target AND {_LIVE}
ORDER BY o.created_at DESC, o.id LIMIT 1
"""
_LIVE_OF = f"""{SELECT}
WHERE o.address = :address AND o.good = :good AND o.user_id = :user_id AND o.server = :server
  AND {_LIVE}
ORDER BY o.created_at DESC, o.id LIMIT 1
"""
_OPEN_OF = f"""{SELECT}
WHERE o.address = :address AND o.status IN {_WAITING} AND {_ENDS} > :now
ORDER BY o.created_at, o.id
"""
_MAY_COST = "COALESCE(NULLIF(o.ceiling, 0), o.price)"
_PAYABLE_OF = f"""{SELECT}
WHERE o.address = :address AND {_ENDS} > :now
  AND (o.status IN {_WAITING} OR (o.status = 'cancelled' AND i.cost <= {_MAY_COST}
           AND i.cost <= i.amount AND i.amount < o.price + 1000))
ORDER BY o.created_at, o.id
"""
_RECENT_OF = f"""{SELECT}
WHERE o.address = :address ORDER BY o.created_at DESC, o.id LIMIT :most OFFSET :before
"""
_DELIVERED_OF = f"""{SELECT}
WHERE o.address = :address AND o.status = 'delivered' AND (:game = '' OR o.game = :game)
ORDER BY o.created_at DESC, o.id LIMIT :most
"""
_NEXT = f"{SELECT} WHERE o.asks = :supplier AND o.due_at <= :now"
_FIRST = f"LIMIT 1 {CLAIMED}"
_NEXT_CLAIMED = f"{_NEXT} AND o.claimed_at IS NOT NULL ORDER BY o.claimed_at {_FIRST}"
_NEXT_PLACED = f"{_NEXT} AND o.status = 'placed' ORDER BY o.due_at, o.created_at {_FIRST}"
_NEXT_PAID = f"{_NEXT} AND o.status = 'paid' ORDER BY o.due_at, o.created_at {_FIRST}"
_WATCHED = "NOT IN ('placed', 'opening', 'paid', 'submitting')"
_NEXT_WATCHED = f"{_NEXT} AND o.status {_WATCHED} ORDER BY o.due_at {_FIRST}"
_NEXT_UNANSWERED = f"{_NEXT} AND o.status = 'submitting' ORDER BY o.due_at {_FIRST}"
_NEXT_LOST = f"{_NEXT} AND o.status = 'opening' ORDER BY o.due_at {_FIRST}"
_NEXT_OUTDATED = f"""{SELECT}
WHERE o.asks = :supplier AND o.status = 'placed' AND o.due_at IS NOT NULL
  AND o.quote_until <= :now {_FIRST}
"""
# Each on an index of its own: among ten thousand open orders the first due is found at once.
_DUE = "SELECT MIN(due_at) AS at FROM orders WHERE asks = :supplier AND due_at IS NOT NULL"
_NEXT_WATCH_AT = f"""
SELECT MIN(at) AS at FROM ({_DUE} AND status {_WATCHED}
    UNION ALL {_DUE} AND status = 'opening'
    UNION ALL {_DUE} AND status = 'submitting') AS firsts
"""  # noqa: S608 - likewise
_NEXT_OPENING_AT = f"{_DUE} AND status = 'placed'"
_NEXT_SUBMISSION_AT = f"{_DUE} AND status = 'paid'"
_END_LEASES = """
UPDATE orders SET due_at = :now WHERE due_at > :now
  AND (status IN ('opening', 'submitting', 'processing', 'unsure')
       OR (status = 'awaiting_payment' AND gateway <> 'house') OR claimed_at IS NOT NULL)
"""
_ASKED = "SELECT DISTINCT asks FROM orders WHERE due_at IS NOT NULL ORDER BY asks"
_COME_DUE = "UPDATE orders SET due_at = :now WHERE due_at > :latest"
_COUNT_WAITING = """
SELECT COUNT(*) AS n FROM orders
WHERE asks = :supplier AND status IN ('awaiting_payment', 'processing', 'unsure')
"""
_COUNT_SUBMITTING = """
SELECT COUNT(*) AS n FROM orders
WHERE asks = :supplier AND due_at IS NOT NULL AND status = 'submitting'
"""
_COUNT_DEPOSITS = """
SELECT COUNT(*) AS n FROM orders
WHERE gateway = :gateway AND method = 'deposit' AND due_at IS NOT NULL
  AND status = 'awaiting_payment'
"""
_WAITING_DEPOSITS = f"""{SELECT}
WHERE o.gateway = :gateway AND o.method = 'deposit' AND o.due_at IS NOT NULL
  AND o.status = 'awaiting_payment' ORDER BY o.id
"""
_DEPOSITS_SINCE = """
SELECT i.supplier_ref FROM orders o JOIN invoices i ON i.order_id = o.id
WHERE o.method = 'deposit' AND o.gateway = :gateway AND o.changed_at > :since
"""
_RESERVED = """
SELECT i.amount FROM orders o JOIN invoices i ON i.order_id = o.id
WHERE o.method = 'qris' AND o.changed_at > :since
UNION
SELECT i.amount FROM orders o JOIN invoices i ON i.order_id = o.id
WHERE o.asks = 'house' AND o.status IN ('awaiting_payment', 'processing', 'unsure')
  AND o.status = 'awaiting_payment'
UNION
SELECT i.amount FROM cases c JOIN orders o ON o.id = c.order_id JOIN invoices i ON i.order_id = o.id
WHERE c.closed_at IS NULL AND o.method = 'qris'
"""
_LEAVING = """
SELECT CAST(COALESCE(SUM(a.cost), 0) AS BIGINT) AS n FROM orders o
JOIN attempts a ON a.order_id = o.id AND a.nth = o.tries AND a.charged = 0
WHERE o.asks = :supplier AND a.supplier = :supplier
  AND o.status IN ('submitting', 'unsure', 'processing', 'partly_delivered')
"""
_COMING = """
SELECT CAST(COALESCE(SUM(i.amount), 0) AS BIGINT) AS n
FROM orders o JOIN invoices i ON i.order_id = o.id
WHERE o.gateway = :supplier AND o.method = 'deposit' AND o.due_at IS NOT NULL AND o.received = 0
"""
_COMMITTED = """
SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS n FROM orders
WHERE asks = :supplier AND status IN ('paid', 'submitting') AND method <> 'dropship'
"""
_UNSURE_AT = f"{SELECT} WHERE o.asks = :supplier AND o.status = 'unsure' ORDER BY o.id LIMIT 20"
_KEPT_COSTS = f"""{SELECT}
WHERE o.asks = :supplier AND o.status IN ('refund_due', 'refunded') AND a.charged > 0
  AND o.lost = 0 AND EXISTS (
      SELECT 1 FROM order_events e WHERE e.order_id = o.id AND e.event = 'failed' AND e.version >
          (SELECT MAX(s.version) FROM order_events s
           WHERE s.order_id = o.id AND s.event = 'submission_started'))
ORDER BY o.id
"""  # noqa: S608 - likewise
_HISTORY = """
SELECT at, event, became, actor, evidence FROM order_events WHERE order_id = :order_id
ORDER BY version
"""
_WITH_MONEY = f"""{SELECT}
WHERE o.id > :after AND (o.received > 0 OR o.tries > 0) ORDER BY o.id LIMIT 500
"""
_HAS_INVOICE = """
SELECT 1 AS found FROM invoices WHERE gateway = :gateway AND supplier_ref = :supplier_ref
"""
_WITH_INVOICE = f"{SELECT} WHERE i.gateway = :gateway AND i.supplier_ref = :supplier_ref"
_LAST_CREATED = "SELECT MAX(created_at) AS at FROM orders WHERE address = :address"
_LAST_CLAIM = "SELECT MAX(last_claim_at) AS at FROM orders WHERE address = :address"
_BEST_SELLING = """
SELECT game FROM (SELECT game FROM orders WHERE status = 'delivered'
                  ORDER BY changed_at DESC LIMIT 1000) AS latest
GROUP BY game HAVING game <> '' ORDER BY COUNT(*) DESC, game LIMIT :most
"""
_BEST_SELLING_GOODS = """
SELECT good FROM (SELECT good FROM orders WHERE status = 'delivered'
                  ORDER BY changed_at DESC LIMIT 1000) AS latest
GROUP BY good HAVING good <> '' ORDER BY COUNT(*) DESC, good LIMIT :most
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
        self._tx.execute(_INSERT, row_of(order))
        self._tx.ring()
        self._record(order, order, Event.PLACED, "", "")

    def get(self, order_id: str) -> Order | None:
        return self._one(f"{SELECT} WHERE o.id = :id", id=order_id)

    def by_key(self, key: str) -> Order | None:
        return self._one(f"{SELECT} WHERE o.idempotency = :key", key=key)

    def move(
        self, was: Order, now: Order, event: Event, *, actor: str = "", evidence: str = ""
    ) -> None:
        """Store a move and its event. Raises ``Stale`` if ``was`` is not what is stored."""
        stored = {**row_of(now), "was_version": was.version, "was_status": was.status}
        if self._tx.execute(_MOVE, stored) != 1:
            raise Stale(now.id)
        self._tx.ring()
        self._record(was, now, event, actor, evidence)
        if now.invoice is not None and now.invoice != was.invoice:
            self._tx.execute(_INVOICE, invoice_row(now, now.invoice))
        if now.attempt is not None and now.attempt != was.attempt:
            SqlAttempts(self._tx).put(now.id, now.attempt)

    def note(self, order: Order) -> None:
        """Store timers and counts. Raises ``Stale`` if the order has moved since it was read."""
        if self._tx.execute(_NOTE, row_of(order)) != 1:
            raise Stale(order.id)
        self._tx.ring()

    def live_with(self, supplier: str, sku: str, target: str, now: Millis) -> Order | None:
        return self._one(_LIVE_WITH, supplier=supplier, sku=sku, target=target, now=now)

    def live_of(
        self, address: str, good: str, user_id: str, server: str, now: Millis
    ) -> Order | None:
        who = {"address": address, "user_id": user_id, "server": server}
        return self._one(_LIVE_OF, good=good, now=now, **who)

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
        return self._at(_NEXT_WATCH_AT, supplier=supplier)

    def next_opening_at(self, supplier: str) -> Millis | None:
        return self._at(_NEXT_OPENING_AT, supplier=supplier)

    def next_submission_at(self, supplier: str) -> Millis | None:
        return self._at(_NEXT_SUBMISSION_AT, supplier=supplier)

    def next_paid(self, supplier: str, now: Millis) -> Order | None:
        return self._one(_NEXT_PAID, supplier=supplier, now=now)

    def next_lost_submission(self, supplier: str, now: Millis) -> Order | None:
        return self._one(_NEXT_UNANSWERED, supplier=supplier, now=now)

    def submitting(self, supplier: str) -> int:
        return self._number(_COUNT_SUBMITTING, supplier=supplier)

    def open_deposits(self, gateway: str) -> int:
        return self._number(_COUNT_DEPOSITS, gateway=gateway)

    def deposits_since(self, gateway: str, since: Millis) -> Set[str]:
        rows = self._tx.fetch(_DEPOSITS_SINCE, {"gateway": gateway, "since": since})
        return {row["supplier_ref"] for row in rows}

    def waiting_deposits(self, gateway: str) -> Sequence[Order]:
        return self._many(_WAITING_DEPOSITS, gateway=gateway)

    def reserved_amounts(self, since: Millis) -> Set[int]:
        return {row["amount"] for row in self._tx.fetch(_RESERVED, {"since": since})}

    def under_way(self, supplier: str) -> UnderWay:
        return UnderWay(
            leaving=self._number(_LEAVING, supplier=supplier),
            coming=self._number(_COMING, supplier=supplier),
        )

    def committed(self, supplier: str) -> int:
        return self._number(_COMMITTED, supplier=supplier)

    def kept_costs(self, supplier: str) -> Sequence[Order]:
        return self._many(_KEPT_COSTS, supplier=supplier)

    def unsure_at(self, supplier: str) -> Sequence[Order]:
        return self._many(_UNSURE_AT, supplier=supplier)

    def history(self, order_id: str) -> Sequence[Happened]:
        rows = self._tx.fetch(_HISTORY, {"order_id": order_id})
        return [
            Happened(
                at=row["at"],
                event=Event(row["event"]),
                became=Status(row["became"]),
                actor=row["actor"],
                evidence=row["evidence"],
            )
            for row in rows
        ]

    def with_money(self) -> Iterator[Order]:
        """Return every order that money was received for, or spent on, a few hundred at a time."""
        after = ""
        while found := self._many(_WITH_MONEY, after=after):
            yield from found
            after = found[-1].id

    def best_selling(self, most: int) -> Sequence[str]:
        return [row["game"] for row in self._tx.fetch(_BEST_SELLING, {"most": most})]

    def best_selling_goods(self, most: int) -> Sequence[str]:
        return [row["good"] for row in self._tx.fetch(_BEST_SELLING_GOODS, {"most": most})]

    def asked(self) -> Sequence[str]:
        return [row["asks"] for row in self._tx.fetch(_ASKED)]

    def end_leases(self, now: Millis) -> None:
        self._tx.execute(_END_LEASES, {"now": now})

    def come_due(self, now: Millis, latest: Millis) -> None:
        self._tx.execute(_COME_DUE, {"now": now, "latest": latest})

    def waiting(self, supplier: str) -> int:
        return self._number(_COUNT_WAITING, supplier=supplier)

    def has_invoice(self, gateway: str, supplier_ref: str) -> bool:
        wanted = {"gateway": gateway, "supplier_ref": supplier_ref}
        return bool(self._tx.fetch(_HAS_INVOICE, wanted))

    def with_invoice(self, gateway: str, supplier_ref: str) -> Order | None:
        return self._one(_WITH_INVOICE, gateway=gateway, supplier_ref=supplier_ref)

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
        return read_order(rows[0]) if rows else None

    def _many(self, sql: str, **parameters: str | int) -> Sequence[Order]:
        return [read_order(row) for row in self._tx.fetch(sql, parameters)]

    def _number(self, sql: str, **parameters: str | int) -> int:
        return int(self._tx.fetch(sql, parameters)[0]["n"])

    def _at(self, sql: str, **parameters: str | int) -> Millis | None:
        found: Millis | None = self._tx.fetch(sql, parameters)[0]["at"]
        return found
