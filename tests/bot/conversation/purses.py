"""What customers do with their store credit, step by step."""

from bot.conversation.views import View
from shop.orders import Order
from tests.bot.conversation.parlour import Guest, Parlour

CREDIT = 75_000
BANK = "BCA 1234567890 Budi Santoso"


def begins(guest: Guest, what: str) -> View:
    """Press "Isi saldo" (``isi``) or "Tarik saldo" (``tarik``) below the credit."""
    guest.says("/saldo")
    guest.taps(what)
    return guest.last


def credit_of(parlour: Parlour, guest: Guest) -> int:
    return parlour.books.ledger.credit_of(guest.address)


def takes_out(parlour: Parlour, guest: Guest, typed: str = "50rb", to: str = BANK) -> Order:
    begins(guest, "tarik")
    guest.says(typed)
    says_where(guest, to)
    return parlour.orders[-1]


def says_where(guest: Guest, to: str = BANK) -> View | None:
    """Say where money is to be sent, and that it is right."""
    guest.says(to)
    return guest.taps("kirim ke sini")
