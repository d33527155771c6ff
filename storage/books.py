"""The shop's books, kept in one transaction of the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from shop.rules import Rules
from storage.calls import SqlCalls
from storage.cases import SqlCases
from storage.database import Transaction
from storage.orders import SqlOrders
from storage.outbox import SqlOutbox
from storage.shelf import SqlShelf


class SqlBooks:
    """``shop.ports.Books`` on a transaction."""

    def __init__(self, tx: Transaction, rules: Rules, owners: Sequence[str]) -> None:
        self.rules = rules
        self.orders = SqlOrders(tx)
        self.cases = SqlCases(tx)
        self.outbox = SqlOutbox(tx, owners)
        self.shelf = SqlShelf(tx)
        self.calls = SqlCalls(tx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeping:
    """Opens the books on any transaction, under the owner's rules."""

    rules: Rules
    owners: Sequence[str]

    def open(self, tx: Transaction) -> SqlBooks:
        return SqlBooks(tx, self.rules, self.owners)
