"""What the use cases need of the world around them: the books, kept in one transaction."""

from collections.abc import Mapping, Sequence, Set
from typing import Protocol

from shop.breaker import Breaker, Outcome
from shop.cases import Answer, Case
from shop.ledger import Entry, Line, UnderWay
from shop.notices import Notice
from shop.orders import Attempt, Event, Happened, Order
from shop.payments import Arrival
from shop.players import Players, SavedAccounts
from shop.price_lists import PriceLists
from shop.pricing import PriceRules
from shop.rules import Rules
from shop.shelf import Shelf
from shop.suppliers import Trouble
from shop.time import Millis


class Orders(Protocol):
    """The orders and their history."""

    def add(self, order: Order) -> None: ...
    def get(self, order_id: str) -> Order | None: ...
    def by_key(self, key: str) -> Order | None: ...
    def move(
        self, was: Order, now: Order, event: Event, *, actor: str = "", evidence: str = ""
    ) -> None:
        """Store a move and its event, or raise if ``was`` is no longer what is stored."""

    def note(self, order: Order) -> None:
        """Store what changed beside the move: timers, claims, counts."""

    def live_with(self, supplier: str, sku: str, target: str, now: Millis) -> Order | None:
        """Return the order that the supplier may still count as pending for item and account."""

    def live_of(
        self, address: str, good: str, user_id: str, server: str, now: Millis
    ) -> Order | None:
        """Return a person's order of the same good for the same account that is under way."""

    def open_of(self, address: str, now: Millis) -> Sequence[Order]:
        """Return the orders of a person that wait for payment."""

    def payable_of(self, address: str, now: Millis) -> Sequence[Order]:
        """Return those, and the hidden ones whose QR can still be paid."""

    def recent_of(self, address: str, most: int, before: int = 0) -> Sequence[Order]:
        """Return the newest orders of a person, ``before`` of them skipped."""

    def delivered_of(self, address: str, most: int, game: str = "") -> Sequence[Order]:
        """Return the newest delivered orders of a person."""

    def last_created_of(self, address: str) -> Millis | None: ...
    def last_claim_of(self, address: str) -> Millis | None: ...
    def next_claimed(self, supplier: str, now: Millis) -> Order | None: ...
    def next_placed(self, supplier: str, now: Millis) -> Order | None: ...
    def next_watched(self, supplier: str, now: Millis) -> Order | None: ...
    def next_lost_opening(self, supplier: str, now: Millis) -> Order | None:
        """Return an opening whose lease has run out."""

    def next_outdated(self, supplier: str, now: Millis) -> Order | None:
        """Return an order that waits for its QR while its quote has run out."""

    def next_watch_at(self, supplier: str) -> Millis | None:
        """Return when the next question, or the end of a lease, is due."""

    def next_opening_at(self, supplier: str) -> Millis | None:
        """Return when the next order that waits for its QR is due."""

    def waiting(self, supplier: str) -> int:
        """Return how many orders await payment or are being delivered."""

    def asked(self) -> Sequence[str]:
        """Return who is to be asked about orders: suppliers, and the house."""

    def end_leases(self, now: Millis) -> None:
        """Make due now every opening, and every order that waits or is being delivered."""

    def come_due(self, now: Millis, latest: Millis) -> None:
        """Make due now what a clock that was ahead made due after ``latest``."""

    def has_invoice(self, gateway: str, supplier_ref: str) -> bool:
        """Tell whether an order has that invoice already."""

    def with_invoice(self, gateway: str, supplier_ref: str) -> Order | None:
        """Return the order whose invoice that is."""

    def next_paid(self, supplier: str, now: Millis) -> Order | None:
        """Return a paid order that is to be delivered by a supplier."""

    def next_lost_submission(self, supplier: str, now: Millis) -> Order | None:
        """Return a submission whose lease has run out."""

    def next_submission_at(self, supplier: str) -> Millis | None:
        """Return when the next paid order is due."""

    def submitting(self, supplier: str) -> int:
        """Return for how many orders a supplier is being asked to deliver right now."""

    def open_deposits(self, gateway: str) -> int:
        """Return how many deposits wait for their payment."""

    def deposits_since(self, gateway: str, since: Millis) -> Set[str]:
        """Return the supplier's ids of the deposits whose orders moved after ``since``."""

    def waiting_deposits(self, gateway: str) -> Sequence[Order]:
        """Return the orders whose deposits wait for their payment."""

    def reserved_amounts(self, since: Millis) -> Set[int]:
        """Return the amounts of own-QRIS orders that are open, or ended after ``since``."""

    def under_way(self, supplier: str) -> UnderWay:
        """Return what may already stand in a supplier's balance, and is not posted yet."""

    def committed(self, supplier: str) -> int:
        """Return what paid orders will still cost of our balance at a supplier."""

    def kept_costs(self, supplier: str) -> Sequence[Order]:
        """Return the failed orders whose cost a supplier has kept, as far as we know."""

    def unsure_at(self, supplier: str) -> Sequence[Order]:
        """Return the orders that a supplier may have accepted."""

    def history(self, order_id: str) -> Sequence[Happened]:
        """Return what happened to an order, oldest first."""

    def best_selling(self, most: int) -> Sequence[str]: ...
    def best_selling_goods(self, most: int) -> Sequence[str]:
        """Return the goods that were delivered most of late, by their keys, the best first."""


class Cases(Protocol):
    """What the owner is asked."""

    def get(self, case_id: str) -> Case | None: ...
    def open_for(self, order_id: str) -> Case | None: ...
    def last_for(self, order_id: str) -> Case | None: ...
    def count_for(self, order_id: str) -> int: ...
    def all_open(self) -> Sequence[Case]: ...
    def open_about(self, about: str) -> Case | None:
        """Return the open case about something that is no order."""

    def last_about(self, about: str) -> Case | None: ...
    def count_about(self, about: str) -> int: ...
    def next_to_remind(self, now: Millis) -> Case | None:
        """Return an open case that the owners have not been reminded of for a day."""

    def remind_at(self, case: Case, at: Millis) -> None: ...
    def come_due(self, now: Millis, latest: Millis) -> None:
        """Make due now the reminders that a clock that was ahead made due after ``latest``."""

    def put(self, case: Case) -> None: ...
    def close(self, case: Case, answer: Answer | None, actor: str, now: Millis) -> None: ...


class Outbox(Protocol):
    """Messages owed; sent at least once."""

    def owe(self, notice: Notice, now: Millis) -> None:
        """Owe a message. Owing one with a known key again changes nothing."""

    def come_due(self, now: Millis, latest: Millis) -> None:
        """Make due now what a clock that was ahead made due after ``latest``."""

    def owe_owners(self, notice: Notice, now: Millis) -> None:
        """Owe every owner the message; the address in ``notice`` is ignored."""

    def try_again(self, address: str, now: Millis) -> None:
        """Make due now what waits for another try in this chat."""


class Calls(Protocol):
    """The call budget of each supplier, and the questions of owners."""

    def made_between(
        self, supplier: str, since: Millis, until: Millis
    ) -> Sequence[tuple[Millis, str]]:
        """Return when and for what calls were made after ``since``, oldest first."""

    def record(self, supplier: str, purpose: str, now: Millis) -> None: ...
    def ask_balance(self, supplier: str, address: str, now: Millis) -> None: ...
    def next_balance_request(self, supplier: str) -> str | None:
        """Return the address of the owner who has waited longest, and take it off the list."""

    def compare_at(self, supplier: str) -> Millis:
        """Return when our balance is next compared with the books; 0 if it never was."""

    def set_compare_at(self, supplier: str, at: Millis) -> None: ...
    def compare_soon(self, supplier: str, now: Millis) -> None: ...
    def come_due(self, now: Millis, latest: Millis) -> None:
        """Make due now the comparisons that a clock that was ahead made due after ``latest``."""

    def list_due_at(self, supplier: str) -> Millis: ...
    def set_list_due(self, supplier: str, at: Millis) -> None: ...
    def list_tried_at(self, supplier: str) -> Millis:
        """Return when a price list was last fetched or could not be; 0 if never."""

    def paused_until(self, supplier: str) -> Millis:
        """Return until when a supplier is left alone; 0 if it never was."""

    def pause(self, supplier: str, until: Millis) -> None: ...


class Copies(Protocol):
    """Whether the books are a restored copy, and what must be asked before the shop opens."""

    def made_at(self) -> Millis | None:
        """Return of which instant the copy is; ``None``: the books are no copy."""

    def forget(self) -> None:
        """From now on these are the books, and no copy."""

    def mark_orders(self) -> None:
        """Remember for good which orders came with the copy: all there are before it opens."""

    def has(self, order_id: str) -> bool:
        """Tell whether an order came with a copy."""

    def forget_what_was_said(self, made_at: Millis, now: Millis) -> None:
        """Answer nothing again that was waiting in the copy, and know none of its buttons."""

    def unseen(self, supplier: str) -> Sequence[str]:
        """Return the orders that, as far as the copy knows, have no QR yet."""

    def ask_only(self, suppliers: Sequence[str]) -> None:
        """Forget what only a supplier could be asked that is no longer in the settings."""

    def ask_about_all(self, supplier: str) -> None:
        """Remember every open invoice as one to ask about."""

    def asked(self, order_id: str) -> None: ...
    def left(self) -> int:
        """Return how many there are still to ask about."""


class Attempts(Protocol):
    """Orders by their attempts; each as the named attempt left it, later ones forgotten."""

    def named(self, supplier: str, ref: str) -> Order | None: ...
    def known_as(self, supplier: str, supplier_ref: str) -> Order | None: ...
    def of(self, order_id: str, nth: int) -> Attempt | None: ...
    def put(self, order_id: str, attempt: Attempt) -> None:
        """Store an attempt, or what has become known of it."""

    def left_behind(self, supplier: str) -> Sequence[tuple[str, Attempt]]:
        """Return the attempts, with their orders' ids, that another offer stood in for.

        Of those whose cost a supplier has kept, as far as we know.
        """

    def tried(self, order_id: str) -> Set[tuple[str, str]]:
        """Return the offers, as supplier and sku, by which delivery of an order was tried."""

    def tell(self, order: Order, told_ref: str) -> None:
        """Keep what a callback calls the last attempt of an order, which nothing proves yet."""


class Health(Protocol):
    """What is amiss with suppliers."""

    def of(self, supplier: str) -> Trouble: ...
    def put(self, supplier: str, trouble: Trouble) -> None: ...
    def away(self, now: Millis) -> Set[str]:
        """Return the suppliers of which nothing is sold for now."""

    def note(self, supplier: str, outcome: Outcome) -> None:
        """Store how an attempt went; the last word about one counts."""

    def lately(self, supplier: str, since: Millis) -> Sequence[Outcome]:
        """Return how attempts went after ``since``, oldest first."""

    def forget_before(self, supplier: str, at: Millis) -> None: ...
    def breaker(self, supplier: str) -> Breaker | None: ...
    def set_breaker(self, supplier: str, breaker: Breaker | None) -> None: ...


class Payments(Protocol):
    """The payments that were believed, each once for ever."""

    def arrived(
        self, gateway: str, payment_id: str, order_id: str, amount: int, now: Millis
    ) -> Arrival:
        """Store a payment unless it is known; tell which, and whether it says the same."""


class Ledger(Protocol):
    """The double-entry books; they are only ever added to."""

    def post(self, entry: Entry) -> None:
        """Add an entry and change its balances. Raises ``Overdrawn`` for a wallet, no more."""

    def has(self, entry_id: str) -> bool: ...
    def posted_at(self, entry_id: str) -> Millis | None: ...
    def amounts_of(self, entry_id: str) -> Mapping[str, int]:
        """Return what an entry added to each account; empty if there is no such entry."""

    def balance(self, account: str) -> int: ...
    def balances(self) -> Sequence[tuple[str, int]]:
        """Return every account that is not a wallet, and the sum of the wallets."""

    def credit_of(self, address: str) -> int:
        """Return the store credit of a person, in whole rupiah; never negative."""

    def lines(self, account: str, most: int, before: int = 0) -> Sequence[Line]:
        """Return the newest lines of an account, ``before`` of them skipped."""

    def since(self, account: str, at: Millis) -> UnderWay:
        """Return what left an account and what came into it from ``at`` on."""

    def since_agreement(self, supplier: str, most: int) -> Sequence[Line]:
        """Return the newest lines since a supplier's balance last was what the books say."""

    def note_balance(self, supplier: str, balance: int, now: Millis, *, agrees: bool) -> None:
        """Store what a supplier says of our balance, and whether the books agree."""

    def last_said(self, supplier: str) -> int:
        """Return what a supplier last said of our balance; 0 if nothing."""


class Books(Protocol):
    """Everything a use case may read and write, in one transaction."""

    @property
    def rules(self) -> Rules: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def health(self) -> Health: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def shelf(self) -> Shelf: ...
    @property
    def price_rules(self) -> PriceRules: ...
    @property
    def players(self) -> Players: ...
    @property
    def accounts(self) -> SavedAccounts: ...
    @property
    def price_lists(self) -> PriceLists: ...
    @property
    def calls(self) -> Calls: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def copies(self) -> Copies: ...
