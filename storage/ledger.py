"""The double-entry books, and the payments that were believed: only ever added to."""

from collections.abc import Mapping, Sequence
from typing import Final

from shop.ledger import Entry, Line, Overdrawn, UnderWay, wallet
from shop.ledger import supplier as account_of
from shop.payments import Arrival
from shop.time import Millis
from storage.database import Row, Transaction

WALLETS: Final = "wallet"
"""The line of ``balances`` that is the sum of all wallets."""

_WALLET: Final = wallet("")
_ENTRY = """
INSERT INTO entries (id, at, order_id, event, actor, reason, corrects)
VALUES (:id, :at, :order_id, :event, :actor, :reason, :corrects)
"""
_POSTING = """
INSERT INTO postings (entry_id, account, amount, at) VALUES (:id, :account, :amount, :at)
"""
# Never read before it is written: under SERIALIZABLE, whoever has read a row conflicts with
# whoever changes it, and every order changes the same few accounts.
_ADD = """
INSERT INTO accounts (account, part, balance) VALUES (:account, :part, :amount)
ON CONFLICT (account, part) DO UPDATE SET balance = accounts.balance + excluded.balance
"""
# Not as above: a new row is checked even where it would only be added to an old one, and a check
# that fails ends a transaction of PostgreSQL.
_TAKE = """
UPDATE accounts SET balance = balance + :amount
WHERE account = :account AND part = 0 AND balance + :amount <= 0
"""
_HAS = "SELECT 1 AS found FROM entries WHERE id = :id"
_POSTED_AT = "SELECT at FROM entries WHERE id = :id"
_AMOUNTS = "SELECT account, amount FROM postings WHERE entry_id = :id"
_BALANCE = """
SELECT CAST(COALESCE(SUM(balance), 0) AS BIGINT) AS balance FROM accounts WHERE account = :account
"""
_BALANCES = """
SELECT account, CAST(SUM(balance) AS BIGINT) AS balance FROM accounts
WHERE account NOT LIKE 'wallet:%' GROUP BY account
"""
_ALL_WALLETS = """
SELECT CAST(COALESCE(SUM(balance), 0) AS BIGINT) AS balance FROM accounts
WHERE account LIKE 'wallet:%'
"""
_LINES = """
SELECT p.at, p.amount, e.event, e.order_id, e.actor, e.reason
FROM postings p JOIN entries e ON e.id = p.entry_id
WHERE p.account = :account
ORDER BY p.at DESC, p.entry_id DESC LIMIT :most OFFSET :before
"""
_SINCE = """
SELECT CAST(COALESCE(SUM(CASE WHEN amount < 0 THEN -amount ELSE 0 END), 0) AS BIGINT) AS leaving,
       CAST(COALESCE(SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END), 0) AS BIGINT) AS coming
FROM postings WHERE account = :account AND at >= :at
"""
_SINCE_AGREEMENT = """
SELECT p.at, p.amount, e.event, e.order_id, e.actor, e.reason
FROM postings p JOIN entries e ON e.id = p.entry_id
WHERE p.account = :account
  AND p.at > COALESCE((SELECT agreed_at FROM supplier_balances WHERE supplier = :supplier), 0)
ORDER BY p.at DESC, p.entry_id DESC LIMIT :most
"""
_NOTE_BALANCE = """
INSERT INTO supplier_balances (supplier, compare_at, said, said_at, agreed_at)
VALUES (:supplier, 0, :amount, :now, CASE WHEN :agrees = 1 THEN :now ELSE 0 END)
ON CONFLICT (supplier) DO UPDATE SET
    said = excluded.said, said_at = excluded.said_at,
    agreed_at = CASE WHEN :agrees = 1 THEN :now ELSE supplier_balances.agreed_at END
"""
_LAST_SAID = "SELECT said FROM supplier_balances WHERE supplier = :supplier"
_ARRIVED = """
INSERT INTO payments (gateway, payment_id, order_id, amount, arrived_at)
VALUES (:gateway, :payment_id, :order_id, :amount, :now)
ON CONFLICT (gateway, payment_id) DO NOTHING
"""
_PAYMENT = """
SELECT order_id, amount FROM payments WHERE gateway = :gateway AND payment_id = :payment_id
"""


class SqlLedger:
    """``shop.ports.Ledger`` on a transaction. ``part``: this process's own of each balance."""

    def __init__(self, tx: Transaction, part: int = 0) -> None:
        self._tx = tx
        self._part = part

    def post(self, entry: Entry) -> None:
        """Add an entry and change its balances.

        Raises ``shop.ledger.Overdrawn`` for a wallet, with nothing posted; and what the database
        raises for a key that is taken if the same entry was posted before.
        """
        amounts = {account: amount for account, amount in sorted(entry.amounts.items()) if amount}
        takings = {
            account: amount for account, amount in amounts.items() if _takes(account, amount)
        }
        self._take(takings)
        self._tx.execute(_ENTRY, _row(entry))
        for account, amount in amounts.items():
            posting = {"id": entry.id, "account": account, "amount": amount, "at": entry.at}
            self._tx.execute(_POSTING, posting)
            if account not in takings:
                self._add(account, amount)

    def has(self, entry_id: str) -> bool:
        return bool(self._tx.fetch(_HAS, {"id": entry_id}))

    def posted_at(self, entry_id: str) -> Millis | None:
        rows = self._tx.fetch(_POSTED_AT, {"id": entry_id})
        return int(rows[0]["at"]) if rows else None

    def amounts_of(self, entry_id: str) -> Mapping[str, int]:
        rows = self._tx.fetch(_AMOUNTS, {"id": entry_id})
        return {row["account"]: row["amount"] for row in rows}

    def balance(self, account: str) -> int:
        return int(self._tx.fetch(_BALANCE, {"account": account})[0]["balance"])

    def balances(self) -> Sequence[tuple[str, int]]:
        """Return every account that is not a wallet, by name, and ``WALLETS`` as the last."""
        accounts = sorted((row["account"], row["balance"]) for row in self._tx.fetch(_BALANCES))
        return [*accounts, (WALLETS, self._tx.fetch(_ALL_WALLETS)[0]["balance"])]

    def credit_of(self, address: str) -> int:
        return -self.balance(wallet(address))

    def lines(self, account: str, most: int, before: int = 0) -> Sequence[Line]:
        wanted = {"account": account, "most": most, "before": before}
        return [_line(row) for row in self._tx.fetch(_LINES, wanted)]

    def since(self, account: str, at: Millis) -> UnderWay:
        row = self._tx.fetch(_SINCE, {"account": account, "at": at})[0]
        return UnderWay(leaving=row["leaving"], coming=row["coming"])

    def since_agreement(self, supplier: str, most: int) -> Sequence[Line]:
        wanted = {"account": account_of(supplier), "supplier": supplier, "most": most}
        return [_line(row) for row in self._tx.fetch(_SINCE_AGREEMENT, wanted)]

    def note_balance(self, supplier: str, balance: int, now: Millis, *, agrees: bool) -> None:
        said = {"supplier": supplier, "amount": balance, "now": now, "agrees": int(agrees)}
        self._tx.execute(_NOTE_BALANCE, said)

    def last_said(self, supplier: str) -> int:
        rows = self._tx.fetch(_LAST_SAID, {"supplier": supplier})
        return int(rows[0]["said"]) if rows else 0

    def _take(self, takings: dict[str, int]) -> None:
        """Take from wallets, from all of them or from none."""
        taken: list[str] = []
        for account, amount in takings.items():
            if self._tx.execute(_TAKE, {"account": account, "amount": amount}) != 1:
                for given_back in taken:
                    self._add(given_back, -takings[given_back])
                raise Overdrawn(account)
            taken.append(account)

    def _add(self, account: str, amount: int) -> None:
        part = 0 if account.startswith(_WALLET) else self._part
        self._tx.execute(_ADD, {"account": account, "part": part, "amount": amount})


class SqlPayments:
    """``shop.ports.Payments`` on a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def arrived(
        self, gateway: str, payment_id: str, order_id: str, amount: int, now: Millis
    ) -> Arrival:
        """Store a payment unless it is known; tell which, and whether it says the same."""
        payment = {"gateway": gateway, "payment_id": payment_id, "order_id": order_id}
        if self._tx.execute(_ARRIVED, {**payment, "amount": amount, "now": now}):
            return Arrival.FIRST
        known = self._tx.fetch(_PAYMENT, payment)[0]
        same = (known["order_id"], known["amount"]) == (order_id, amount)
        return Arrival.AGAIN if same else Arrival.DIFFERS


def _takes(account: str, amount: int) -> bool:
    return amount > 0 and account.startswith(_WALLET)


def _row(entry: Entry) -> dict[str, str | int]:
    return {
        "id": entry.id,
        "at": entry.at,
        "order_id": entry.order_id,
        "event": entry.event,
        "actor": entry.actor,
        "reason": entry.reason,
        "corrects": entry.corrects,
    }


def _line(row: Row) -> Line:
    return Line(
        at=row["at"],
        amount=row["amount"],
        event=row["event"],
        order_id=row["order_id"],
        actor=row["actor"],
        reason=row["reason"],
    )
