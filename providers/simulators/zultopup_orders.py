"""The life of an order at the simulated ZulTopup, moved by events and by the clock alone.

Nothing runs in the background: whoever looks at an order brings it to the present with ``at``.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

from providers.simulators.wishes import NotNow

PAYMENT_WINDOW_MS = 15 * 60 * 1000

PENDING, SUCCESS, ERROR = "Pending", "Success", "Error"
FAILURES = frozenset({ERROR, "Gagal"})
UNPAID, SETTLED, EXPIRED = "pending", "settlement", "expired"
DROPSHIP, SALDO = "dropship", "saldo"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedOrder:
    """One accepted order, as of the last look; money in rupiah, instants in epoch ms.

    ``payment_status``, ``selling_price`` and ``expires_at`` are ``None`` in mode ``saldo``.
    ``plan`` is what it becomes by itself at ``due_at``; with the plan ``Pending`` it never does.
    ``qr`` says what ``qr_url`` leads to: an ``image``, ``html``, or ``text`` (it is the payload).
    """

    id: str
    invoice: str
    mode: str
    layanan: str
    kategori: str
    item: str
    target: str
    nometer: str | None
    harga: int
    selling_price: int | None
    reseller_cost: int
    amount: int
    customer_name: str | None
    customer_phone: str | None
    status: str
    payment_status: str | None
    sn: str | None
    created_at: int
    expires_at: int | None
    paid_at: int | None
    paid_late: bool
    due_at: int | None
    finished_at: int | None
    plan: str
    planned_sn: str | None
    qr: str

    @property
    def profit(self) -> int:
        """What was credited for it: the margin of a delivered dropship order, otherwise nothing."""
        if self.selling_price is None or self.status != SUCCESS:
            return 0
        return self.selling_price - self.reseller_cost

    @property
    def note(self) -> str:
        """Its ``catatan``."""
        if self.sn is not None:
            return f"SN: {self.sn}"
        if self.payment_status in _PAYMENT_NOTES and not self.paid_late:
            return _PAYMENT_NOTES[self.payment_status]
        return _STATUS_NOTES.get(self.status, "")


_PAYMENT_NOTES: dict[str | None, str] = {
    UNPAID: "Menunggu pembayaran",
    EXPIRED: "Pembayaran kedaluwarsa",
}
_STATUS_NOTES = {PENDING: "Sedang diproses", ERROR: "Transaksi gagal", "Gagal": "Transaksi gagal"}


def at(order: SimulatedOrder, now: int) -> SimulatedOrder:
    """Bring the order to the present: its QR may have run out, its delivery may have come."""
    if order.payment_status == UNPAID and order.expires_at is not None and now >= order.expires_at:
        return replace(
            order, status=ERROR, payment_status=EXPIRED, finished_at=order.expires_at, due_at=None
        )
    if order.due_at is not None and now >= order.due_at:
        return _finished(order, order.plan, order.planned_sn, order.due_at)
    return order


def paid(order: SimulatedOrder, amount: int | None, now: int, delivery_ms: int) -> SimulatedOrder:
    """Let the customer pay its QR, in time or too late; ``amount`` is checked if one is named.

    Paid too late, the money is taken and the order stays failed, whatever was planned for it.

    Raises:
        NotNow: There is nothing to pay, it is paid, or the amount is not the one in the QR.
    """
    if order.payment_status is None:
        raise NotNow(f"Order {order.id} was paid from the balance; it has no QR.")
    if order.payment_status == SETTLED:
        raise NotNow(f"Order {order.id} is already paid.")
    if amount is not None and amount != order.amount:
        raise NotNow(f"The QR of order {order.id} carries its amount; only {order.amount} is paid.")
    settled = replace(order, payment_status=SETTLED, paid_at=now)
    if order.payment_status == EXPIRED:
        return replace(settled, paid_late=True)
    return at(started(settled, now, delivery_ms), now)


def started(order: SimulatedOrder, now: int, delivery_ms: int) -> SimulatedOrder:
    """Send the paid order off: it comes to its planned end after ``delivery_ms``."""
    return replace(order, due_at=None if order.plan == PENDING else now + delivery_ms)


def expired(order: SimulatedOrder, now: int) -> SimulatedOrder:
    """Let its QR run out now; one that already has stays as it is.

    Raises:
        NotNow: It is paid, or never had a QR.
    """
    if order.payment_status not in {UNPAID, EXPIRED}:
        raise NotNow(f"Order {order.id} is not waiting for a payment.")
    if order.payment_status == EXPIRED:
        return order
    return at(replace(order, expires_at=now), now)


def finished(order: SimulatedOrder, status: str, sn: str | None, now: int) -> SimulatedOrder:
    """Finish a paid order at once (or hold, or reverse it); plan the end of an unpaid one.

    Raises:
        NotNow: Its QR ran out unpaid, so there is nothing to finish.
    """
    if order.payment_status == EXPIRED:
        raise NotNow(f"The QR of order {order.id} ran out unpaid; it can be finished once paid.")
    if order.payment_status == UNPAID:
        return replace(order, plan=status, planned_sn=sn)
    return _finished(order, status, sn, now)


def _finished(order: SimulatedOrder, status: str, sn: str | None, now: int) -> SimulatedOrder:
    return replace(
        order,
        status=status,
        sn=(sn or serial_number(order)) if status == SUCCESS else None,
        finished_at=None if status == PENDING else now,
        due_at=None,
    )


def serial_number(order: SimulatedOrder) -> str:
    """Make up the serial number that this order, and no other, is delivered with."""
    return f"ZT{sha256(order.invoice.encode()).hexdigest()[:12].upper()}"
