"""Whatever people do, in whatever order: an answer every time, and a sale at the end.

``LAPAK_AT_LENGTH=1`` tries more than twice as many.
"""

import random

import pytest

from bot.conversation.views import MOST_DATA_BYTES, Incoming, View
from shop import health, housekeeping, settling
from shop.fulfilment import Outcome
from shop.orders import Event, Order, Status, may
from shop.payments import PaymentMethod
from shop.settling import NotOpened
from shop.suppliers import (
    InvoiceState,
    NotSold,
    OutOfBalance,
    Refused,
    TopupReport,
    TopupState,
    WrongAccount,
)
from shop.time import HOUR, MINUTE, SECOND
from storage.audit import RULES
from tests.bot.conversation.form_samples import WITH_A_FORM
from tests.bot.conversation.mischief import Mischief
from tests.bot.conversation.parlour import EVERY_WAY, OWNER, SHELF, SUPPLIER, Guest, Parlour, whole
from tests.fakes.world import AT_LENGTH

EVENTS = 400
SEEDS = range(15 if AT_LENGTH else 6)
WAITS = frozenset({Status.AWAITING_PAYMENT, Status.EXPIRED, Status.CANCELLED})
UNPAID = (InvoiceState.UNPAID, InvoiceState.EXPIRED, InvoiceState.UNREADABLE)
PRICES = [{"free-fire": [("1", "70 Diamond", 12_345)]}, {}, SHELF, WITH_A_FORM, WITH_A_FORM]


NOES = (
    NotOpened.NOT_SENT,
    NotOpened.UNKNOWN,
    Refused("tidak bisa"),
    NotSold("tidak dijual"),
    OutOfBalance("saldo kurang"),
    WrongAccount("akun lain", nickname="<b>Whyy\u202e", region="ID", wanted="BR"),
)


def goes_away(parlour: Parlour) -> None:
    """The supplier gives no answer to one question after another."""
    for _ in range(health.MISSES):
        health.unanswered(parlour.books, SUPPLIER, "no answer", parlour.clock())


def is_back(parlour: Parlour) -> None:
    """The supplier answers, and says that our balance is large."""
    health.has_balance(parlour.books, SUPPLIER, 10_000_000, parlour.clock())
    health.answered(parlour.books, SUPPLIER, parlour.clock())


class Weather:
    """What happens outside while people chat: answers, payments, prices, time."""

    def __init__(self, parlour: Parlour, seed: int) -> None:
        self.parlour = parlour
        self.random = random.Random(seed)

    def change(self) -> None:
        match self.random.randrange(7):
            case 0 | 1:
                self.parlour.clock.advance(
                    self.random.choice([SECOND, 11 * SECOND, MINUTE, 20 * MINUTE, HOUR, 25 * HOUR])
                )
            case 2:
                self.parlour.stock(self.random.choice(PRICES))
            case 3:
                self.random.choice([goes_away, is_back])(self.parlour)
            case _:
                for order in self.parlour.orders[-5:]:
                    self._hear(order)

    def _hear(self, order: Order) -> None:
        if order.status is Status.PLACED:
            self.parlour.show_qr(order.id)
        elif order.invoice is not None:
            state = self.random.choice(list(InvoiceState))
            self.parlour.hear(order.id, state, serial=f"SN-{order.id}", note="kata pemasok")


class Storm(Weather):
    """The same where orders are paid in every way: deposits, our balance, the owner's word."""

    def change(self) -> None:
        super().change()
        housekeeping.tidy(self.parlour.books, self.parlour.clock())

    def _hear(self, order: Order) -> None:
        parlour = self.parlour
        if not order.is_prepaid:
            super()._hear(order)
        elif order.status is Status.PLACED:
            parlour.show_qr(order.id, amount=order.price + self.random.choice([0, 0, 7]))
        elif order.status in WAITS and order.method is PaymentMethod.DEPOSIT:
            self._hear_of_a_deposit(order)
        elif order.status in WAITS and order.method is PaymentMethod.QRIS:
            self._hear_the_owner(order)
        elif order.status is Status.PAID:
            parlour.supply(order.id, self._answer(order))
        elif order.attempt is not None:
            answer = self._answer(order)
            if isinstance(answer, TopupReport):
                parlour.told(order.id, answer)

    def _hear_of_a_deposit(self, order: Order) -> None:
        paid = order.price + self.random.choice([0, 0, 0, -500, 500])
        if order.invoice is None or self.random.random() < 0.3:
            return
        if self.random.random() < 0.3:
            self.parlour.hear(order.id, self.random.choice(UNPAID))
        else:
            self.parlour.deposited(order.id, paid)

    def _hear_the_owner(self, order: Order) -> None:
        if order.invoice is None or self.random.random() < 0.5:
            return
        event = next(event for event in (Event.PAID, Event.PAID_LATE) if may(order, event))
        settling.decided(self.parlour.books, order, event, OWNER, self.parlour.clock())

    def _answer(self, order: Order) -> Outcome:
        if self.random.random() < 0.3:
            return self.random.choice(NOES)
        state = self.random.choice(list(TopupState))
        serial = f"SN-{order.id}" if state is TopupState.DELIVERED else ""
        back = state is TopupState.FAILED and self.random.random() < 0.5
        # This supplier knows no reference of ours: what it accepts has an id of its own.
        ref = f"S-{order.id}-{order.tries}"
        note = "kata pemasok"
        return TopupReport(state=state, supplier_ref=ref, serial=serial, returned=back, note=note)


def check_view(view: View) -> None:
    assert view.text.strip()
    assert len(whole(view)) < 4096
    for choice in view.choices:
        assert choice.label.strip()
        assert 1 <= len(choice.data.encode()) <= MOST_DATA_BYTES


def do(parlour: Parlour, guest: Guest, incoming: Incoming) -> None:
    """Do something; there is an answer, or a message of the order, and both are in order."""
    before = len(guest.views)
    guest.does(incoming)
    parlour.post()
    new = guest.views[before:]
    assert new, incoming
    for view in new:
        check_view(view)


def finish_a_purchase(parlour: Parlour, guest: Guest, number: int) -> None:
    """From wherever this person stands now: buy something and read its serial number."""
    parlour.clock.advance(30 * MINUTE)  # what is open has run out by now
    parlour.stock(SHELF)
    is_back(parlour)
    guest.walks_to_confirmation("free fire", "140 Diamond", f"77{number:07d}")
    before = {order.id for order in parlour.orders}
    guest.taps("dropship")
    (order,) = [order for order in parlour.orders if order.id not in before]
    assert order.address == guest.address
    parlour.show_qr(order.id)
    parlour.deliver(order.id, f"FINAL-{order.id}")
    parlour.post()
    assert guest.sees(order.id, f"FINAL-{order.id}").copy == f"FINAL-{order.id}"


def nothing_leaked(parlour: Parlour) -> None:
    """M1, S4: what belongs to an order was shown to its buyer, or to the owner."""
    for order in parlour.orders:
        for guest in parlour.guests.values():
            if guest.address not in {order.address, OWNER}:
                seen = "\n".join(f"{whole(v)} {[c.data for c in v.choices]}" for v in guest.views)
                assert order.id not in seen
                assert not order.serial or order.serial not in seen


def broken(parlour: Parlour) -> list[str]:
    return [
        f"{rule.id} {row['what']}"
        for rule in RULES
        for row in parlour.connection.execute(rule.sql).fetchall()
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_sequence_of_doings_is_answered_and_ends_in_a_sale(parlour: Parlour, seed: int) -> None:
    live(parlour, Weather(parlour, seed), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_sequence_is_answered_in_a_shop_that_can_be_paid_in_every_way(seed: int) -> None:
    parlour = Parlour(rules=EVERY_WAY)
    parlour.fund(500_000)
    for name in ("budi", "siti", "owner"):
        parlour.give_credit(parlour.guest(name), 60_000)
    live(parlour, Storm(parlour, seed), seed)
    assert len({order.method for order in parlour.orders}) >= 3
    assert sum(balance for _, balance in parlour.books.ledger.balances()) == 0
    assert all(parlour.books.ledger.credit_of(guest) >= 0 for guest in parlour.guests)
    parlour.close()


def live(parlour: Parlour, weather: Weather, seed: int) -> None:
    """Let three people do anything for a while, in some weather; then each buys something."""
    rng = random.Random(seed)
    people = [parlour.guest("budi", 12), parlour.guest("siti", 3), parlour.guest("owner", 10)]
    mischief = Mischief(rng)
    for number in range(EVENTS):
        guest = rng.choice(people)
        orders = [order.id for order in parlour.orders]
        do(parlour, guest, mischief.next_doing(guest.views, guest.session.screen, orders))
        if rng.random() < 0.15:
            weather.change()
            parlour.post()
        if number % 97 == 96:
            finish_a_purchase(parlour, guest, number)
    for number, guest in enumerate(people):
        finish_a_purchase(parlour, guest, EVENTS + number)
    nothing_leaked(parlour)
    assert broken(parlour) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sale_can_be_finished_after_any_single_doing(parlour: Parlour, seed: int) -> None:
    mischief = Mischief(random.Random(1000 + seed))
    for number in range(25):
        guest = parlour.guest(f"p{number}")
        guest.walks_to_account("ml", "86")
        for _ in range(2):
            do(parlour, guest, mischief.next_doing(guest.views, guest.session.screen, []))
        finish_a_purchase(parlour, guest, number)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_but_an_owner_ever_moves_an_order_by_hand(parlour: Parlour, seed: int) -> None:
    rng = random.Random(2000 + seed)
    buyer, people = parlour.guest("buyer"), [parlour.guest("budi"), parlour.guest("siti")]
    buyer.walks_to_confirmation()
    buyer.taps("Bayar")
    order = parlour.show_qr(parlour.orders[0].id)
    parlour.hear(order.id, InvoiceState.FAILED, note="gagal")
    (case,) = parlour.books.cases.all_open()
    mischief = Mischief(rng)
    doings = ["open", "refunded", "arrived", "seen", "paid", "yes-refunded", "yes-arrived"]
    for _ in range(300):
        guest = rng.choice(people)
        if rng.random() < 0.4:
            guest.presses(f"c:{case.id}:{rng.choice(doings)}")
        else:
            do(parlour, guest, mischief.next_doing(guest.views, guest.session.screen, [order.id]))
        parlour.clock.advance(SECOND)
        parlour.stock(SHELF)
    assert parlour.order(order.id).status is Status.REFUND_DUE
    assert parlour.books.cases.get(case.id) == case
