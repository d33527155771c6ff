"""Orders of every method in every interesting status, made as the shop makes them.

Each is in the books under the name of its story, bought by ``web:<name>``.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg

from shop import fulfilment, ordering, paying, settling
from shop.orders import Event, Order
from shop.payments import PaymentMethod, Refunds
from shop.suppliers import Abilities, InvoiceReport, InvoiceState, Refused, TopupReport, TopupState
from shop.time import HOUR, MINUTE
from storage.address import Address, SqliteFile
from storage.books import SqlBooks
from storage.database import Transaction
from tests.fakes.databases import transaction
from tests.shop.samples import NOW, OWNER, QUOTE, RULES, an_invoice

PRICE = QUOTE.price
LATER = NOW + MINUTE
# A static QRIS of nobody, as ``shop.qris`` wants it.
STATIC_QRIS = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)
OWNERS_RULES = replace(
    RULES,
    qris=STATIC_QRIS,
    deposits_at="zultopup",
    abilities={
        **RULES.abilities,
        "zonegame": Abilities(knows_our_ref=True, tells_balance=True, calls_back=True),
    },
)
# Paid to the supplier, who said so: in which words.
DROPSHIP: Mapping[str, InvoiceState] = {
    "AWAITING": InvoiceState.UNPAID,
    "PROCESSING": InvoiceState.SETTLED,
    "DELIVERED": InvoiceState.DELIVERED,
    "REFUND": InvoiceState.FAILED,
    "EXPIRED": InvoiceState.EXPIRED,
}
# Paid to the owner's own QRIS, then ordered from our balance: what came of it.
ORDERED: Mapping[str, fulfilment.Outcome] = {
    "ACCEPTED": TopupReport(state=TopupState.PENDING),
    "PARTLY": TopupReport(state=TopupState.PARTIAL),
    "EARNED": TopupReport(state=TopupState.DELIVERED, serial="SN-1", cost=QUOTE.cost - 700),
    "UNSURE": settling.NotOpened.UNKNOWN,
    "CREDITED": Refused("no"),
    "NOT_SENT": settling.NotOpened.NOT_SENT,
}


def books_of(tx: Transaction, refunds: Refunds = Refunds.WALLET) -> SqlBooks:
    return SqlBooks(tx, replace(OWNERS_RULES, refunds=refunds), (OWNER,))


def placed(
    books: SqlBooks, name: str, method: PaymentMethod, buyer: str = "", at: int = NOW
) -> Order:
    """A new order; dropship from the one supplier that has it, and everything else elsewhere."""
    wish = ordering.Wish(
        id=name,
        key=name,
        address=f"web:{buyer or name}",
        supplier="zultopup" if method is PaymentMethod.DROPSHIP else "zonegame",
        sku="1",
        game="free-fire",
        item="70 Diamond",
        user_id="123456789",
        server="",
        target=name,
        quote=QUOTE,
        method=method,
    )
    outcome = ordering.place(books, wish, at)
    assert isinstance(outcome, ordering.Placed)
    return outcome.order


def dropship(books: SqlBooks, name: str, said: InvoiceState) -> Order:
    order = placed(books, name, PaymentMethod.DROPSHIP)
    opening = settling.start_opening(books, order, LATER, NOW)
    settling.opened(books, opening, an_invoice(name), NOW + 1)
    return settling.heard(books, name, InvoiceReport(state=said), NOW + 2, NOW + 2)


def on_own_qris(books: SqlBooks, name: str) -> Order:
    """Paid, as the owner says."""
    order = placed(books, name, PaymentMethod.QRIS)
    return settling.decided(books, order, Event.PAID, OWNER, NOW + 1)


def ordered(books: SqlBooks, order: Order, outcome: fulfilment.Outcome) -> Order:
    asked = fulfilment.start(books, order, LATER, NOW + 2)
    return fulfilment.submitted(books, asked, outcome, NOW + 3)


def waits_for_the_owner(books: SqlBooks) -> None:
    """Two own QRs; of one its customer says that it is paid."""
    placed(books, "QRIS", PaymentMethod.QRIS)
    claimed = placed(books, "CLAIMED", PaymentMethod.QRIS)
    assert ordering.claim_paid(books, claimed, NOW) is ordering.Claim.ASKING_THE_OWNER


def waits_for_the_supplier(books: SqlBooks) -> None:
    on_own_qris(books, "PAID")
    fulfilment.start(books, on_own_qris(books, "SUBMITTING"), LATER, NOW + 2)


def paid_wrong(books: SqlBooks) -> None:
    order = placed(books, "OWED", PaymentMethod.QRIS)
    paying.paid(books, order, PRICE - 5_000, NOW + 1)


def paid_too_much(books: SqlBooks) -> None:
    """The owner delivers all the same: what was too much is credit."""
    for name, outcome in (("EXCESS", "EARNED"), ("EXCESS_HELD", "ACCEPTED")):
        order = placed(books, name, PaymentMethod.QRIS)
        order = paying.paid(books, order, PRICE + 5_000, NOW + 1)
        order = settling.decided(books, order, Event.PROCEEDED, OWNER, NOW + 1)
        ordered(books, order, ORDERED[outcome])


def deposited(books: SqlBooks) -> None:
    """A deposit of which its gateway kept a fee."""
    order = placed(books, "DEPOSIT", PaymentMethod.DEPOSIT)
    opening = settling.start_opening(books, order, LATER, NOW)
    settling.opened(books, opening, an_invoice("DEPOSIT", amount=PRICE + 63, cost=0), NOW + 1)
    report = InvoiceReport(state=InvoiceState.SETTLED, amount=PRICE)
    order = settling.heard(books, "DEPOSIT", report, NOW + 2, NOW + 2)
    ordered(books, order, ORDERED["EARNED"])


def ordered_again(books: SqlBooks) -> None:
    """Perhaps ordered; the owner has it ordered once more."""
    order = ordered(books, on_own_qris(books, "AGAIN"), ORDERED["UNSURE"])
    order = settling.decided(books, order, Event.PROCEEDED, OWNER, NOW + 4)
    ordered(books, order, ORDERED["EARNED"])


def never_sent_at_first(books: SqlBooks) -> None:
    order = ordered(books, on_own_qris(books, "RETRIED"), ORDERED["NOT_SENT"])
    ordered(books, order, ORDERED["EARNED"])


def shown_after_all(books: SqlBooks) -> None:
    """A QR that came after it was given up, and is paid: nothing was ordered before that."""
    order = placed(books, "LATE", PaymentMethod.DEPOSIT)
    opening = settling.start_opening(books, order, LATER, NOW)
    settling.opening_lost(books, opening, NOW + 1)
    hidden = settling.opened(books, opening, an_invoice("LATE", cost=0), NOW + 2)
    ordering.show_again(books, hidden, NOW + 3)
    report = InvoiceReport(state=InvoiceState.SETTLED)
    ordered(books, settling.heard(books, "LATE", report, NOW + 4, NOW + 4), ORDERED["EARNED"])


def spent_twice(books: SqlBooks) -> None:
    """The first attempt cost something, failed, and nobody gave it back."""
    manual = books_of(books.orders._tx, Refunds.MANUAL)
    order = ordered(manual, on_own_qris(manual, "SPENT"), ORDERED["ACCEPTED"])
    failed = TopupReport(state=TopupState.FAILED)
    order = fulfilment.reported(manual, order, failed, NOW + 4, NOW + 4)
    order = settling.decided(manual, order, Event.PROCEEDED, OWNER, NOW + 5)
    ordered(manual, order, ORDERED["EARNED"])


def given_back_by_hand(books: SqlBooks) -> None:
    manual = books_of(books.orders._tx, Refunds.MANUAL)
    order = ordered(manual, on_own_qris(manual, "BY_HAND"), ORDERED["CREDITED"])
    settling.decided(manual, order, Event.REFUND_MADE, OWNER, NOW + 4)


def from_the_wallet(books: SqlBooks) -> None:
    """What went back to a wallet pays for the next order."""
    order = placed(books, "WALLET", PaymentMethod.WALLET, "CREDITED", NOW + HOUR)
    ordered(books, order, ORDERED["EARNED"])


_MORE: tuple[Callable[[SqlBooks], None], ...] = (
    waits_for_the_owner,
    waits_for_the_supplier,
    paid_wrong,
    paid_too_much,
    deposited,
    ordered_again,
    never_sent_at_first,
    shown_after_all,
    spent_twice,
    given_back_by_hand,
    from_the_wallet,
)


def tell_all(books: SqlBooks) -> None:
    """Every story, in one shop."""
    for name, said in DROPSHIP.items():
        dropship(books, name, said)
    for name, outcome in ORDERED.items():
        ordered(books, on_own_qris(books, name), outcome)
    for story in _MORE:
        story(books)


def with_orders(address: Address) -> Address:
    """Books with every story in them, all their messages sent."""
    with transaction(address) as tx:
        books = books_of(tx)
        tell_all(books)
        while owed := books.outbox.due(NOW + 2 * HOUR, 99):
            for message in owed:
                books.outbox.sent(message, NOW + 2 * HOUR)
    return address


_TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version'
"""


def kept(address: Address) -> Address:
    """Keep what stands in a database, to be ``told_again`` for the next test."""
    if isinstance(address, SqliteFile):
        return address
    with psycopg.connect(address.uri) as server:
        server.execute("CREATE SCHEMA kept")
        for (table,) in server.execute(_TABLES).fetchall():
            server.execute(f"CREATE TABLE kept.{table} AS TABLE public.{table}")
    return address


def told_again(kept_at: Address, folder: Path) -> Address:
    """A database as it was kept: quicker than living through it all again."""
    if isinstance(kept_at, SqliteFile):
        return SqliteFile(path=Path(shutil.copy(kept_at.path, folder / "lapak.db")))
    with psycopg.connect(kept_at.uri) as server:
        server.execute("SET session_replication_role = replica")  # no trigger, no foreign key
        for (table,) in server.execute(_TABLES).fetchall():
            server.execute(f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept.{table}")
    return kept_at
