"""The shop's books as the page beside the chat shows them: read only, in the demo only."""

from typing import Final

from aiohttp import web

from bot.logs import get_logger
from bot.web.pages import refuse_strangers
from storage.database import Database, Transaction, Unwritable
from storage.ledger import WALLETS, SqlLedger
from storage.ledger_page import Posted, PrepaidInvoice, SqlLedgerPage
from storage.orders import SqlOrders

MOST_ENTRIES: Final = 50
_MOST_INVOICES: Final = 20
_TAIL = 4  # of a customer's address: enough to tell two apart, and not to open their chat
_WALLET: Final = f"{WALLETS}:"

log = get_logger(__name__)


class LedgerPage:
    """Answers ``GET /chat/ledger``: balances, the newest entries, what is asked of customers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_routes(self, app: web.Application) -> None:
        """Serve ``/chat/ledger``."""
        app.router.add_get("/chat/ledger", self._answer, allow_head=False)

    async def _answer(self, request: web.Request) -> web.Response:
        refuse_strangers(request)
        try:
            told = await self._database.read(_told)
        except Unwritable as error:
            log.warning("web.ledger_unreadable", why=repr(error))
            raise web.HTTPServiceUnavailable(text="The books cannot be read now.\n") from error
        return web.json_response(told, headers={"Cache-Control": "no-store"})


def _told(tx: Transaction) -> dict[str, object]:
    """Tell it all of one moment; amounts in whole rupiah, instants in epoch ms."""
    page = SqlLedgerPage(tx)
    return {
        "accounts": [
            {"account": account, "balance": balance}
            for account, balance in SqlLedger(tx).balances()
        ],
        "entries": [_entry(posted) for posted in page.newest(MOST_ENTRIES)],
        "invoices": [
            {**_invoice(invoice), **_ordered(tx, invoice.order_id)}
            for invoice in page.prepaid(_MOST_INVOICES)
        ],
    }


def _entry(posted: Posted) -> dict[str, object]:
    entry = posted.entry
    return {
        "id": entry.id,
        "at": entry.at,
        "order": entry.order_id,
        "item": posted.item,
        "event": entry.event,
        "reason": entry.reason,
        "corrects": entry.corrects,
        "lines": [
            {"account": _shown(account), "amount": amount}
            for account, amount in entry.amounts.items()
        ],
    }


def _shown(account: str) -> str:
    """Name an account; of a wallet only the end: whoever knows the whole of it is that person."""
    return f"{_WALLET}…{account[-_TAIL:]}" if account.startswith(_WALLET) else account


def _invoice(invoice: PrepaidInvoice) -> dict[str, object]:
    return {
        "order": invoice.order_id,
        "method": invoice.method,
        "status": invoice.status,
        "item": invoice.item,
        "ref": invoice.ref,
        "amount": invoice.amount,
        "asks_owner": invoice.asks_owner,
        "created_at": invoice.created_at,
        "expires_at": invoice.expires_at,
    }


def _ordered(tx: Transaction, order_id: str) -> dict[str, object]:
    """Tell where the shop has ordered it last, and what the supplier calls that."""
    order = SqlOrders(tx).get(order_id)
    attempt = None if order is None else order.attempt
    return {
        "ordered_at": attempt.supplier if attempt else "",
        "ordered_as": attempt.supplier_ref if attempt else "",
    }
