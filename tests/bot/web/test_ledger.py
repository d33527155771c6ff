"""The books beside the chat are those of the shop, whole and balanced, and nobody else's to see."""

import json
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession

from bot.web.ledger import MOST_ENTRIES, LedgerPage
from shop.ledger import Entry, wallet
from shop.suppliers import TopupReport, TopupState
from storage.database import Unwritable
from storage.ledger import SqlLedger
from storage.sqlite import open_sqlite
from tests.fakes.databases import new_file
from tests.shop.samples import NOW
from tests.storage.stories import PRICE, books_of, on_own_qris, ordered, tell_all
from webhook_server.app import build_app, serve

BUYER = "web:0123456789abcdef0123456789abcdef"


class Books:
    def __init__(self, client, database):
        self.client = client
        self.database = database

    async def look(self):
        answer = await self.client.get("/chat/ledger")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        return await answer.json()

    async def post(self, *entries):
        await self.database.run(lambda tx: [SqlLedger(tx).post(entry) for entry in entries])


@pytest.fixture
async def books(tmp_path):
    path = new_file(tmp_path)
    async with AsyncExitStack() as stack:
        database = await open_sqlite(str(path))
        stack.push_async_callback(database.close)
        app = build_app(checks={}, parts=[LedgerPage(database).add_routes])
        port = await stack.enter_async_context(serve(app, "127.0.0.1", 0))
        client = await stack.enter_async_context(ClientSession(f"http://127.0.0.1:{port}"))
        yield Books(client, database)


async def test_a_shop_without_money_has_nothing_to_show(books):
    assert await books.look() == {
        "accounts": [{"account": "wallet", "balance": 0}],
        "entries": [],
        "invoices": [],
    }


async def test_the_accounts_of_a_whole_shop_sum_to_zero_and_so_does_every_entry(books):
    await books.database.run(lambda tx: tell_all(books_of(tx)))
    told = await books.look()
    balances = {row["account"]: row["balance"] for row in told["accounts"]}
    assert {"held", "sales", "qris", "supplier:zonegame", "wallet"} <= set(balances)
    assert sum(balances.values()) == 0
    assert len(told["entries"]) > 20
    assert {sum(line["amount"] for line in entry["lines"]) for entry in told["entries"]} == {0}
    assert all(isinstance(balance, int) for balance in balances.values())


async def test_an_entry_says_when_and_what_and_of_which_order(books):
    await books.database.run(lambda tx: on_own_qris(books_of(tx), "PAID"))
    (paid,) = (await books.look())["entries"]
    assert (paid["order"], paid["event"]) == ("PAID", "paid")
    lines = [{"account": "held", "amount": -PRICE}, {"account": "qris", "amount": PRICE}]
    said = {"at": NOW + 1, "item": "70 Diamond", "reason": "", "corrects": "", "lines": lines}
    assert {name: paid[name] for name in said} == said


async def test_a_qr_that_waits_is_shown_with_what_it_asks_for(books):
    await books.database.run(lambda tx: tell_all(books_of(tx)))
    told = {invoice["order"]: invoice for invoice in (await books.look())["invoices"]}
    claimed = told["CLAIMED"]
    assert (claimed["method"], claimed["status"]) == ("qris", "awaiting_payment")
    assert (claimed["asks_owner"], told["QRIS"]["asks_owner"]) == (True, False)
    assert claimed["amount"] != told["QRIS"]["amount"]
    assert claimed["expires_at"] > claimed["created_at"] == NOW


async def test_an_invoice_says_where_its_order_went_and_what_it_is_called_there(books):
    said = TopupReport(state=TopupState.PENDING, supplier_ref="ZG-7")
    await books.database.run(lambda tx: ordered(books_of(tx), on_own_qris(books_of(tx), "A"), said))
    await books.database.run(lambda tx: on_own_qris(books_of(tx), "B"))
    invoices = (await books.look())["invoices"]
    told = {one["order"]: (one["ordered_at"], one["ordered_as"]) for one in invoices}
    assert told == {"A": ("zonegame", "ZG-7"), "B": ("", "")}


async def test_only_the_newest_entries_are_told(books):
    amounts = {"qris": 1, "sales": -1}
    many = [Entry(id=f"e{n}", at=NOW + n, amounts=amounts) for n in range(MOST_ENTRIES + 5)]
    await books.post(*many)
    told = [entry["id"] for entry in (await books.look())["entries"]]
    assert told == [entry.id for entry in reversed(many[5:])]


async def test_a_wallet_is_told_without_the_address_that_opens_its_owners_chat(books):
    await books.post(Entry(id="a", at=NOW, amounts={"qris": 5_000, wallet(BUYER): -5_000}))
    told = await books.look()
    assert BUYER[4:] not in json.dumps(told)
    assert {"account": "wallet:…cdef", "amount": -5_000} in told["entries"][0]["lines"]
    assert {"account": "wallet", "balance": -5_000} in told["accounts"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "10.0.0.1"},
    ],
)
async def test_no_website_can_look_into_the_books(books, headers):
    assert (await books.client.get("/chat/ledger", headers=headers)).status == 403


async def test_the_books_are_only_looked_at(books):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await books.client.request(method, "/chat/ledger")).status == 405


async def test_books_that_cannot_be_read_now_are_asked_for_again_later(books, monkeypatch):
    async def unreadable(work):
        raise Unwritable

    monkeypatch.setattr(books.database, "read", unreadable)
    assert (await books.client.get("/chat/ledger")).status == 503
    monkeypatch.undo()
    assert (await books.look())["entries"] == []
