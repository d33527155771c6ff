"""What breaks each invariant in the books of ``tests.storage.stories``, by hand."""

from collections.abc import Mapping, Sequence

from storage.money_invariants import AGREES

# Which rule: how to break it, and the ids that must then be named.
DAMAGES: Mapping[str, tuple[str, set[str]]] = {
    "an order that holds money is watched, or is a case": (
        "UPDATE orders SET due_at = NULL WHERE id = 'ACCEPTED'",
        {"O1"},
    ),
    "what only a person can decide is a case": (
        "UPDATE cases SET closed_at = 1 WHERE order_id = 'REFUND'",
        {"O1b"},
    ),
    "the attempts of an order are numbered from one, without a gap": (
        "UPDATE attempts SET nth = 3 WHERE order_id = 'AGAIN' AND nth = 1",
        {"O2b"},
    ),
    "no invoice without the mark that it was asked for": (
        "UPDATE order_events SET event = 'placed' WHERE event = 'opening_started'",
        {"O3", "O6b"},
    ),
    "no attempt without the mark that it was begun, and no mark without its attempt": (
        """
        UPDATE order_events SET event = 'accepted'
        WHERE event = 'submission_started' AND order_id = 'SUBMITTING'
        """,
        {"O3b", "O6b"},
    ),
    "what may have been ordered is ordered again only at the owner's word": (
        """
        UPDATE order_events SET event = 'not_sent'
        WHERE event = 'proceeded' AND order_id = 'AGAIN'
        """,
        {"O4", "O6b"},
    ),
    "nothing is ordered twice unless it was never sent, failed, or at the owner's word": (
        "UPDATE order_events SET event = 'paid' WHERE event = 'proceeded' AND order_id = 'SPENT'",
        {"O4", "O6b"},
    ),
    "an order goes elsewhere only from where it was certainly not ordered, or has failed": (
        "UPDATE order_events SET event = 'rerouted' WHERE event = 'lapsed'",
        {"O5", "O6b"},
    ),
    "nothing is ordered for more than its ceiling, but at the owner's word": (
        "UPDATE attempts SET cost = 99999999 WHERE order_id = 'ACCEPTED'",
        {"O8b"},
    ),
    "the history of an order leads to where it stands": (
        "UPDATE orders SET status = 'cancelled' WHERE id = 'EXPIRED'",
        {"O6b"},
    ),
    "the history of an order has no gaps": (
        "DELETE FROM order_events WHERE order_id = 'AWAITING' AND version = 1",
        {"O6b"},
    ),
    "each event begins where the one before it ended": (
        "UPDATE order_events SET was = 'expired' WHERE event = 'settled'",
        {"O6b"},
    ),
    "no QR shown for more than the quote and a unique code, nor at a loss": (
        "UPDATE invoices SET amount = 12800 WHERE order_id = 'AWAITING'",
        {"O8"},
    ),
    "every order that is not at an end has a timer or is a case": (
        "UPDATE orders SET due_at = NULL WHERE id = 'AWAITING'",
        {"O13"},
    ),
    "what belongs to an order was sent to its buyer or is the owner's business": (
        "UPDATE outbox SET address = 'web:other' WHERE kind = 'delivered' AND order_id = 'EARNED'",
        {"M1"},
    ),
    "a delivered order has its message": (
        "DELETE FROM outbox WHERE kind = 'delivered'",
        {"M2"},
    ),
    "no word of success, refund or return before the order says so": (
        "UPDATE outbox SET created_at = created_at - 9 WHERE kind = 'refund_due'",
        {"M3"},
    ),
    "every entry sums to zero": (
        "UPDATE postings SET amount = amount + 1 WHERE entry_id = 'EARNED/5' AND account = 'sales'",
        {"L1", "L1b", "L7"},
    ),
    "all balances sum to zero": (
        "UPDATE accounts SET balance = balance + 1 WHERE account = 'sales'",
        {"L1", "L1b"},
    ),
    "a balance is the sum of what was posted to its account": (
        "UPDATE accounts SET account = 'bought' WHERE account = 'sales'",
        {"L1b"},
    ),
    "a payment belongs to an order that is paid for": (
        "INSERT INTO payments VALUES ('zultopup', 'another', 'EXPIRED', 0, 1)",
        {"L6"},
    ),
    "an order that is paid for has its one payment": (
        "DELETE FROM payments WHERE order_id = 'PAID'",
        {"L6"},
    ),
    "what was paid is what was received, less the fee": (
        "UPDATE payments SET amount = amount + 63 WHERE order_id = 'DEPOSIT'",
        {"L7"},
    ),
    "the money held is that of the orders that hold it": (
        "UPDATE orders SET received = received + 1 WHERE id = 'REFUND'",
        {"L7"},
    ),
    "nothing is posted for an order that received nothing": (
        "UPDATE entries SET order_id = 'AWAITING' WHERE order_id = 'EARNED'",
        {"L7"},
    ),
    "no two orders on the owner's own QRIS wait for the same amount": (
        "UPDATE invoices SET amount = 11806 WHERE order_id IN ('QRIS', 'CLAIMED')",
        {"L8c"},
    ),
    "a refunded order, and no other, says how the money went back": (
        "UPDATE orders SET returned = 'hand' WHERE id = 'PAID'",
        {"L10"},
    ),
    "what was refunded had been received": (
        """
        UPDATE orders SET received = 0 WHERE id = 'BY_HAND';
        DELETE FROM payments WHERE order_id = 'BY_HAND'
        """,
        {"L6", "L10"},
    ),
    "no more of an order becomes credit than was received for it": (
        "UPDATE orders SET received = 11803 WHERE id = 'CREDITED'",
        {"L7", "L10"},
    ),
}
# These a rule of the schema prevents: it is lifted first.
PREVENTED: Mapping[str, tuple[Mapping[str, str], str]] = {
    "O2 one invoice for an order, one order for an invoice: AWAITING": (
        {
            "sqlite": """
                CREATE TABLE loose AS SELECT * FROM invoices; DROP TABLE invoices;
                ALTER TABLE loose RENAME TO invoices;
            """,
            "postgres": "ALTER TABLE invoices DROP CONSTRAINT invoices_supplier_supplier_ref_key;",
        },
        "UPDATE invoices SET supplier_ref = 'same' WHERE order_id IN ('AWAITING', 'EXPIRED')",
    ),
    "L3 no wallet is overdrawn: wallet:web:CREDITED": (
        {
            "sqlite": "PRAGMA ignore_check_constraints = ON;",
            "postgres": "ALTER TABLE accounts DROP CONSTRAINT accounts_check;",
        },
        "UPDATE accounts SET balance = 1 WHERE account = 'wallet:web:CREDITED'",
    ),
}
MORE_DAMAGES: Sequence[tuple[str, str]] = (
    (
        "O1 an order",
        "UPDATE orders SET due_at = NULL WHERE id = 'REFUND'; UPDATE cases SET closed_at = 1",
    ),
    ("O1 an order", "UPDATE orders SET due_at = NULL WHERE id = 'PAID'"),
    ("O1 an order", "UPDATE orders SET due_at = NULL WHERE id = 'SUBMITTING'"),
    ("O1 ", "UPDATE orders SET due_at = NULL WHERE id = 'UNSURE'"),
    ("O1b what", "UPDATE cases SET closed_at = 1 WHERE order_id = 'PARTLY'"),
    ("O2b", "DELETE FROM attempts WHERE order_id = 'AGAIN' AND nth = 1"),
    ("O2b", "UPDATE orders SET tries = 2 WHERE id = 'UNSURE'"),
    ("O3b", "DELETE FROM attempts WHERE order_id = 'AGAIN' AND nth = 1"),
    ("O8b", "UPDATE orders SET ceiling = 1 WHERE id = 'ACCEPTED'"),
    (
        "O8b",
        """
        UPDATE orders SET ceiling = 99999999 WHERE id = 'ACCEPTED';
        UPDATE attempts SET cost = 99999999 WHERE order_id = 'ACCEPTED'
        """,
    ),
    (  # the owner's word comes too late for it
        "O4 what may have been ordered is ordered again only at the owner's word: AGAIN",
        """
        UPDATE order_events SET event = 'not_sent'
        WHERE event = 'proceeded' AND order_id = 'AGAIN';
        UPDATE order_events SET event = 'proceeded'
        WHERE event = 'delivered' AND order_id = 'AGAIN'
        """,
    ),
    ("O6b", "UPDATE orders SET version = version + 1 WHERE id = 'DELIVERED'"),
    ("O8", "UPDATE invoices SET cost = 11801 WHERE order_id = 'PROCESSING'"),
    # What the customer pays covers it, and the owner, who promised less, pays the rest.
    ("O8", "UPDATE invoices SET cost = 11801, amount = 12799 WHERE order_id = 'AWAITING'"),
    ("O8", "UPDATE invoices SET cost = 11801, amount = 12799 WHERE order_id = 'DELIVERED'"),
    ("O8", "UPDATE invoices SET amount = 12800 WHERE order_id = 'PAID'"),
    ("O13", "UPDATE orders SET due_at = NULL WHERE id = 'PROCESSING'"),
    ("O13", "UPDATE orders SET due_at = NULL WHERE id = 'PAID'"),
    ("O13", "UPDATE cases SET closed_at = 1 WHERE order_id = 'CLAIMED'"),
    ("M1", "UPDATE outbox SET address = 'web:other' WHERE kind = 'qr' AND order_id = 'EXPIRED'"),
    ("M3", "UPDATE outbox SET kind = 'refunded' WHERE kind = 'refund_due'"),
    ("L1b", "DELETE FROM accounts WHERE account = 'sales'"),
    ("L1b", "INSERT INTO accounts VALUES ('gifts', 0, -5)"),
    ("L6 a payment belongs", "UPDATE payments SET order_id = 'QRIS' WHERE order_id = 'PAID'"),
    (
        "L6 an order that is paid",
        "INSERT INTO payments VALUES ('house', 'twice', 'PAID', 11808, 1)",
    ),
    (
        "L6 an order that is paid for has its one payment: REFUND",
        "DELETE FROM payments WHERE order_id = 'REFUND'",
    ),
    (
        "L7 the money held is that of the orders that hold it: held",
        "UPDATE postings SET account = 'sales' WHERE entry_id = 'PAID/3' AND account = 'held'",
    ),
    (
        "L7 nothing is posted for an order that received nothing: EARNED/5",
        "UPDATE entries SET order_id = 'NOBODY' WHERE order_id = 'EARNED'",
    ),
    (
        f"{AGREES}: EARNED (cost, supplier)",
        "UPDATE attempts SET charged = charged + 1 WHERE order_id = 'EARNED'",
    ),
    # What an earlier attempt cost is in the books too.
    (
        f"{AGREES}: SPENT (cost, supplier)",
        "UPDATE attempts SET charged = charged + 1 WHERE order_id = 'SPENT' AND nth = 1",
    ),
    (
        f"{AGREES}: CREDITED (qris, wallet)",
        "UPDATE orders SET returned = 'hand' WHERE id = 'CREDITED'",
    ),
    (
        f"{AGREES}: DEPOSIT (cost, supplier)",
        "UPDATE orders SET fee = 62 WHERE id = 'DEPOSIT'",
    ),
    (
        f"{AGREES}: WALLET (qris, wallet)",
        "UPDATE postings SET account = 'qris' WHERE entry_id = 'WALLET/2' AND amount > 0",
    ),
    (
        f"{AGREES}: an order cannot be read: 'lost'",
        "UPDATE orders SET status = 'lost' WHERE id = 'DELIVERED'",
    ),
    ("L10", "UPDATE orders SET returned = '' WHERE id = 'CREDITED'"),
    (
        "L10 no more of an order becomes credit than was received for it: CREDITED",
        "UPDATE postings SET amount = -11805 WHERE amount = -11804 AND account LIKE 'wallet:%'",
    ),
    (
        "L10 no more of an order becomes credit than was received for it: WALLET",
        """
        UPDATE postings SET account = 'wallet:web:CREDITED', amount = -11801
        WHERE entry_id = 'WALLET/4' AND account = 'sales'
        """,
    ),
    (
        "O6b no such move: awaiting_payment arrived delivered",
        """
        UPDATE order_events SET event = 'arrived'
        WHERE event = 'delivered' AND order_id = 'DELIVERED'
        """,
    ),
    (
        "O6b does not begin as placed: AWAITING",
        "UPDATE order_events SET became = 'opening' WHERE version = 1",
    ),
)
# What a server would not even store.
DAMAGES_OF_A_FILE: Sequence[tuple[str, str]] = (
    ("L5", "UPDATE orders SET price = price + 0.5 WHERE id = 'AWAITING'"),
    ("L5", "UPDATE orders SET price = 'much' WHERE id = 'AWAITING'"),
    ("L5", "UPDATE orders SET received = 'much' WHERE id = 'PAID'"),
    ("L5", "UPDATE orders SET fee = 0.5 WHERE id = 'PAID'"),
    ("L5", "UPDATE orders SET excess = 0.5 WHERE id = 'PAID'"),
    ("L5", "UPDATE invoices SET amount = 11800.5 WHERE order_id = 'EXPIRED'"),
    ("L5", "UPDATE invoices SET cost = 'x' WHERE order_id = 'EXPIRED'"),
    ("L5", "UPDATE attempts SET cost = 0.5"),
    ("L5", "UPDATE attempts SET charged = 0.5"),
    ("L5", "UPDATE payments SET amount = 0.5"),
    ("L5", "UPDATE postings SET amount = 0.5"),
    ("L5", "UPDATE accounts SET balance = -0.5"),
    ("L5", "INSERT INTO supplier_balances VALUES ('zultopup', 1, 0.5, 1, 1)"),
    ("D1 a row of pictures", "INSERT INTO pictures (order_id, bytes) VALUES ('NOBODY', x'00')"),
    (
        "D1 the file is damaged",
        "PRAGMA writable_schema=ON; DELETE FROM sqlite_master WHERE name = 'orders_by_address'",
    ),
)
