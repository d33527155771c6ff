"""The life of a deposit at the simulated ZulTopup: a QR that anybody may pay, whatever it asks for.

Nothing runs in the background: whoever looks at a deposit brings it to the present with ``at``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from providers.simulators.wishes import BadWish, NotNow

PAYMENT_WINDOW_MS = 15 * 60 * 1000

PENDING, SETTLED, EXPIRED = "pending", "settlement", "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that arrived: whole rupiah, and when, in epoch ms."""

    amount: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDeposit:
    """One deposit, as of the last look; money in rupiah, instants in epoch ms.

    ``amount`` was asked for, ``amount_to_pay`` stands in the QR. ``qr`` says what ``qrCodeUrl``
    leads to: an ``image``, ``html``, or ``text`` (it is the payload).
    """

    id: str
    amount: int
    amount_to_pay: int
    status: str
    created_at: int
    expires_at: int
    qr: str
    payments: tuple[Payment, ...] = ()

    @property
    def paid(self) -> int:
        """Everything that arrived for it."""
        return sum(payment.amount for payment in self.payments)

    @property
    def told(self) -> int:
        """The ``amount`` that is told of it: what arrived, or what was asked for until then."""
        return self.paid if self.payments else self.amount


def at(deposit: SimulatedDeposit, now: int) -> SimulatedDeposit:
    """Bring the deposit to the present: its QR may have run out."""
    if deposit.status == PENDING and now >= deposit.expires_at:
        return replace(deposit, status=EXPIRED)
    return deposit


def paid(deposit: SimulatedDeposit, amount: int | None, now: int) -> SimulatedDeposit:
    """Let somebody pay: too much, too little, too late or once more; by default what it asks for.

    Raises:
        BadWish: The amount is nothing.
    """
    arrived = deposit.amount_to_pay if amount is None else amount
    if arrived == 0:
        raise BadWish("Nobody can pay nothing into a deposit.")
    payments = (*deposit.payments, Payment(amount=arrived, at=now))
    return replace(deposit, status=SETTLED, payments=payments)


def expired(deposit: SimulatedDeposit, now: int) -> SimulatedDeposit:
    """Let its QR run out now; one that already has stays as it is.

    Raises:
        NotNow: It is paid.
    """
    if deposit.status == SETTLED:
        raise NotNow(f"Deposit {deposit.id} is paid; it does not run out.")
    return at(replace(deposit, expires_at=min(now, deposit.expires_at)), now)


def restored(row: Mapping[str, Any]) -> SimulatedDeposit:
    """Read a deposit that was written down as plain JSON.

    Raises:
        KeyError, TypeError: It is none.
    """
    payments = tuple(Payment(**payment) for payment in row["payments"])
    return SimulatedDeposit(**{**row, "payments": payments})
