"""Rows for tests that count them: every text nobody asked for is a canary."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.address import Address
from storage.database import Database, Transaction
from storage.opening import open_database
from storage.postgres import PostgresTransaction
from tests.fakes.databases import transaction

CANARY = "canary-6281234567890-key"


_COLUMNS = {
    True: """SELECT column_name AS name, UPPER(data_type) AS type
             FROM information_schema.columns WHERE table_name = :table""",
    False: "SELECT name, type FROM pragma_table_info(:table)",
}


@asynccontextmanager
async def opened(address: Address) -> AsyncIterator[Database]:
    """The database, as the shop opens it."""
    database = await open_database(address)
    try:
        yield database
    finally:
        await database.close()


def put(tx: Transaction, table: str, **columns: str | int | None) -> None:
    """One row; a column that is not named holds the canary, or 1 if it is a number."""
    info = tx.fetch(_COLUMNS[isinstance(tx, PostgresTransaction)], {"table": table})
    row = {each["name"]: CANARY if each["type"] == "TEXT" else 1 for each in info} | columns
    names = ", ".join(row)
    tx.execute(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})", row)


def put_order(tx: Transaction, order_id: str, status: str) -> None:
    put(tx, "orders", id=order_id, idempotency=f"{CANARY}-{order_id}", status=status)


def put_message(tx: Transaction, seq: int, lane: int, created_at: int, due_at: int | None) -> None:
    row = {"seq": seq, "lane": lane, "created_at": created_at, "due_at": due_at}
    put(tx, "outbox", message=f"{CANARY}-{seq}", **row)


def plant(address: Address, now: int) -> None:
    """A shop in the middle of its day."""
    with transaction(address) as tx:
        stand = ["delivered"] * 3 + ["processing"] * 2 + ["refund_due"]
        for nth, status in enumerate(stand):
            put_order(tx, f"{CANARY}-{nth}", status)
        for nth, (kind, opened_at, closed_at) in enumerate(
            [
                ("stuck", now - 90_000, None),
                ("stuck", now - 30_000, None),
                ("paid_late", now - 60_000, None),
                ("conflict", now - 500_000, now - 1),
            ]
        ):
            ids = {"id": f"{CANARY}-{nth}", "order_id": f"{CANARY}-{nth}"}
            put(tx, "cases", **ids, kind=kind, opened_at=opened_at, closed_at=closed_at)
        put_message(tx, 1, 0, now - 5_000, now - 5_000)
        put_message(tx, 2, 0, now - 4_000, now + 60_000)  # put off, and still owed
        put_message(tx, 3, 1, now - 2_500, now - 2_500)
        put_message(tx, 4, 0, now - 99_000, None)  # sent, or given up
        waiting: list[tuple[int, int | None]] = [
            (now - 7_000, None),
            (now - 9_000, now),
            (now, None),
        ]
        for nth, (stored_at, done_at) in enumerate(waiting):
            put(tx, "updates", update_id=nth, stored_at=stored_at, done_at=done_at)
        for nth, at in enumerate([now - 61_000, now - 60_999, now - 1, now, now + 1]):
            put(tx, "supplier_calls", supplier="zultopup", at=at, nth=nth, purpose="watch")
        put(tx, "supplier_calls", supplier="zonegame", at=now, nth=0)
