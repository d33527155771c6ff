"""Orders on the owner's own QRIS, and what their customers and the owner say about them."""

from bot.conversation.views import View
from shop.cases import Case
from shop.orders import Order
from shop.payments import PaymentMethod
from tests.bot.conversation.parlour import Guest, Parlour

SECOND_OWNER = "telegram:12345"
PRICE = 11_800


def waiting(parlour: Parlour, guest: Guest, account: str = "123456789") -> Order:
    """An order whose QR is shown."""
    guest.walks_to_confirmation(account=account)
    guest.taps(PaymentMethod.QRIS)
    parlour.post()
    return parlour.orders[-1]


def claimed(parlour: Parlour, guest: Guest, account: str = "123456789") -> tuple[Order, Case]:
    order = waiting(parlour, guest, account)
    guest.presses(f"o:{order.id}:paid")
    parlour.post()
    return order, case_of(parlour, order)


def case_of(parlour: Parlour, order: Order) -> Case:
    case = parlour.books.cases.open_for(order.id)
    assert case is not None
    return case


def press(guest: Guest, case: Case, action: str) -> View:
    view = guest.presses(f"c:{case.id}:{action}")
    assert view is not None
    return view
