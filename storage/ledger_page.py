"""A look at the books as a page shows them: the newest entries, and what is paid into them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from shop.ledger import Entry
from shop.orders import Status
from shop.payments import PaymentMethod
from shop.time import Millis
from storage.database import Row, Transaction

# For a small shop's page: nothing keeps the entries sorted by time.
_NEWEST = """
SELECT e.id, e.at, e.order_id, e.event, e.reason, e.corrects, o.item, p.account, p.amount
FROM (SELECT * FROM entries ORDER BY at DESC, id DESC LIMIT :most) AS e
     LEFT JOIN orders o ON o.id = e.order_id
     LEFT JOIN postings p ON p.entry_id = e.id
ORDER BY e.at DESC, e.id DESC, p.account
"""
_PREPAID = """
SELECT o.id, o.method, o.status, o.item, o.created_at, i.supplier_ref, i.amount, i.expires_at,
       c.id AS open_case
FROM orders o JOIN invoices i ON i.order_id = o.id
     LEFT JOIN cases c ON c.order_id = o.id AND c.closed_at IS NULL
WHERE o.method IN ('deposit', 'qris')
ORDER BY o.created_at DESC, o.id LIMIT :most
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An entry, and the item of its order as the customer confirmed it; empty: of no order."""

    entry: Entry
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepaidInvoice:
    """What a customer is asked to pay before the shop orders; ``amount`` in whole rupiah.

    ``ref`` is the deposit's name at the supplier. ``asks_owner``: a case about it is open.
    """

    order_id: str
    method: PaymentMethod
    status: Status
    item: str
    ref: str
    amount: int
    asks_owner: bool
    created_at: Millis
    expires_at: Millis


class SqlLedgerPage:
    """The newest of the books, on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def newest(self, most: int) -> Sequence[Posted]:
        """Return the entries posted last, the newest first."""
        rows = self._tx.fetch(_NEWEST, {"most": most})
        return [_posted(list(lines)) for _, lines in groupby(rows, key=lambda row: row["id"])]

    def prepaid(self, most: int) -> Sequence[PrepaidInvoice]:
        """Return the invoices of deposits and of the owner's own QRIS, the newest order first."""
        return [_invoice(row) for row in self._tx.fetch(_PREPAID, {"most": most})]


def _posted(rows: Sequence[Row]) -> Posted:
    first = rows[0]
    entry = Entry(
        id=first["id"],
        at=first["at"],
        amounts={row["account"]: row["amount"] for row in rows if row["account"] is not None},
        order_id=first["order_id"],
        event=first["event"],
        reason=first["reason"],
        corrects=first["corrects"],
    )
    return Posted(entry=entry, item=first["item"] or "")


def _invoice(row: Row) -> PrepaidInvoice:
    return PrepaidInvoice(
        order_id=row["id"],
        method=PaymentMethod(row["method"]),
        status=Status(row["status"]),
        item=row["item"],
        ref=row["supplier_ref"],
        amount=row["amount"],
        asks_owner=row["open_case"] is not None,
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
