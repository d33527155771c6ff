"""Every invariant that is a question to the database. The ids are those of the design's list."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from shop.orders import MOVES
from storage import postgres_schema, sqlite
from storage.address import Address, PostgresServer, SqliteFile
from storage.database import Transaction
from storage.invariants import MESSAGES, ORDERS, Rule
from storage.money_invariants import AGREES, MONEY, WHOLE_RUPIAH, misposted
from storage.postgres import PostgresTransaction
from storage.schema import Unusable
from storage.sqlite import SqliteTransaction

RULES: Sequence[Rule] = (*ORDERS, *MESSAGES, *MONEY)
_EDGES = "SELECT DISTINCT was, event, became FROM order_events WHERE version > 1"
_BEGINNINGS = "SELECT order_id FROM order_events WHERE version = 1 AND became <> 'placed'"


def audit(address: Address) -> list[str]:
    """Return what is broken in the database, one line each; empty if all holds.

    Reads one moment of it, beside a running shop. Raises ``storage.schema.Unusable`` if it cannot
    be read.
    """
    if isinstance(address, SqliteFile):
        return _of_a_file(address)
    return _of_a_server(address)


def _of_a_file(address: SqliteFile) -> list[str]:
    if not address.path.is_file():
        raise Unusable(
            f"{address}: there is no such database; set LAPAK_DATABASE_URL, or start once"
        )
    try:
        with closing(sqlite.connect(str(address.path), read_only=True)) as connection:
            connection.execute("BEGIN")
            tx = SqliteTransaction(connection)
            return [*_file(tx), *_broken(tx, (*RULES, WHOLE_RUPIAH))]
    except sqlite3.Error as error:
        raise Unusable(f"{address}: {error}") from error


def _of_a_server(address: PostgresServer) -> list[str]:
    with postgres_schema.reading(address) as cursor:
        return _broken(PostgresTransaction(cursor), RULES)


def _file(tx: Transaction) -> list[str]:
    said = [str(row["integrity_check"]) for row in tx.fetch("PRAGMA integrity_check(20)")]
    broken = [f"D1 the file is damaged: {line}" for line in said if line != "ok"]
    dangling = tx.fetch("PRAGMA foreign_key_check")
    return [*broken, *(f"D1 a row of {row['table']} belongs to nothing" for row in dangling)]


def _broken(tx: Transaction, rules: Sequence[Rule]) -> list[str]:
    lines = [
        f"{rule.id} {rule.says}: {row['what']}" for rule in rules for row in tx.fetch(rule.sql)
    ]
    return [*lines, *_moves(tx), *_orders(tx)]


def _orders(tx: Transaction) -> list[str]:
    try:
        return list(misposted(tx))
    except (TypeError, ValueError) as error:  # a word that is none of ours, or no number
        return [f"{AGREES}: an order cannot be read: {error}"]


def _moves(tx: Transaction) -> list[str]:
    legal = {(str(was), str(event), str(to)) for (was, event), to in MOVES.items()}
    edges = {(row["was"], row["event"], row["became"]) for row in tx.fetch(_EDGES)}
    unknown = [f"O6b no such move: {was} {event} {to}" for was, event, to in sorted(edges - legal)]
    begun = tx.fetch(_BEGINNINGS)
    return [*unknown, *(f"O6b does not begin as placed: {row['order_id']}" for row in begun)]
