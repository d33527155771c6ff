"""The shop's books: every use case in one transaction, and a bell for those who wait for news."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from shop.rules import Rules
from storage.accounts import SqlAccounts
from storage.attempts import SqlAttempts
from storage.calls import SqlCalls
from storage.cases import SqlCases
from storage.copies import SqlCopies
from storage.database import Database, Transaction
from storage.figures import SqlFigures
from storage.health import SqlHealth
from storage.inbox import SqlInbox
from storage.ledger import SqlLedger, SqlPayments
from storage.orders import SqlOrders
from storage.outbox import SqlOutbox
from storage.players import SqlPlayers
from storage.price_lists import SqlPriceLists
from storage.price_rules import SqlPriceRules
from storage.sessions import SqlSessions
from storage.shelf import ShelfMemory, SqlShelf

T = TypeVar("T")

_PARTS = 16
_PART = os.getpid() % _PARTS  # of the accounts that every order touches: see migration 0003


class SqlBooks:
    """``shop.ports.Books`` on a transaction."""

    def __init__(
        self,
        tx: Transaction,
        rules: Rules,
        owners: Sequence[str],
        memory: ShelfMemory | None = None,
    ) -> None:
        self.rules = rules
        self.orders = SqlOrders(tx)
        self.attempts = SqlAttempts(tx)
        self.cases = SqlCases(tx)
        self.health = SqlHealth(tx)
        self.inbox = SqlInbox(tx)
        self.outbox = SqlOutbox(tx, owners)
        self.shelf = SqlShelf(tx, rules, memory or ShelfMemory())
        self.price_rules = SqlPriceRules(tx)
        self.players = SqlPlayers(tx)
        self.accounts = SqlAccounts(tx)
        self.price_lists = SqlPriceLists(tx)
        self.calls = SqlCalls(tx)
        self.copies = SqlCopies(tx)
        self.sessions = SqlSessions(tx)
        self.figures = SqlFigures(tx)
        self.payments = SqlPayments(tx)
        self.ledger = SqlLedger(tx, _PART)


class BookKeeper:
    """Opens the books under the owner's rules; rings the bells after each commit."""

    def __init__(self, database: Database, rules: Rules, owners: Sequence[str]) -> None:
        self._database = database
        self._rules = rules
        self._owners = owners
        self._memory = ShelfMemory()

    async def write(self, work: Callable[[SqlBooks], T]) -> T:
        """Return what ``work`` returned, once it is durable. Raises as ``Database.run``.

        Bells ring if there is something to do for somebody: what stores that says so itself.
        """
        return await self._database.run(lambda tx: work(self._open(tx)))

    async def read(self, work: Callable[[SqlBooks], T]) -> T:
        """Return what ``work`` reads, beside the writer."""
        return await self._database.read(lambda tx: work(self._open(tx)))

    def bell(self) -> asyncio.Event:
        """Return an event that is set when there is news; whoever waits for it clears it."""
        return self._database.bell()

    def _open(self, tx: Transaction) -> SqlBooks:
        return SqlBooks(tx, self._rules, self._owners, self._memory)
