"""The small tables: the shelf, the call budget, sessions, updates, the browser chat's messages."""

from dataclasses import replace

import pytest

from shop.notices import Notice, NoticeKind
from shop.pricing import Charge
from shop.shelf import Offer
from shop.suppliers import Listing
from shop.time import HOUR, MINUTE
from storage.books import BookKeeper, SqlBooks
from storage.database import Database, Transaction
from storage.sessions import StoredSession
from storage.transcript import SqlTranscript
from storage.updates import SqlUpdates, is_update_id
from tests.shop.samples import NOW, RULES, an_order
from tests.storage.files import refused

ZT = "zultopup"
LETTER = Notice(key="k", kind=NoticeKind.ALERT, address="web:owner")


def listing(sku: str, price: int, name: str = "Item") -> Listing:
    return Listing(sku=sku, category="", name=name, price=price, available=True)


def skus(books: SqlBooks, game: str = "free-fire", since: int = 0) -> list[str]:
    return [offer.sku for offer in books.shelf.offers(game, since)]


def test_the_shelf_holds_the_newest_list_cheapest_first(books: SqlBooks) -> None:
    books.shelf.replace(ZT, [("free-fire", listing("old", 1))], NOW)
    new = [("free-fire", listing("b", 200)), ("free-fire", listing("a", 100))]
    books.shelf.replace(ZT, [*new, ("valorant", listing("v", 5))], NOW + 1)
    assert skus(books) == ["a", "b"]
    assert books.shelf.stored(ZT) == (3, NOW + 1)
    assert books.shelf.stored("zonegame") == (0, 0)
    assert books.shelf.games(0) == ["free-fire", "valorant"]
    offer = books.shelf.offer(ZT, "a", 0)
    assert offer == Offer(supplier=ZT, sku="a", game="free-fire", item="Item", listed=100)


def test_the_shelf_of_one_supplier_is_not_anothers(books: SqlBooks) -> None:
    for supplier in (ZT, "zonegame"):
        books.shelf.replace(supplier, [("free-fire", listing(supplier, 1))], NOW)
    books.shelf.replace(ZT, [], NOW + 1)
    assert skus(books) == ["zonegame"]


def test_what_costs_the_same_stands_in_the_suppliers_order_then_by_supplier(
    books: SqlBooks,
) -> None:
    for supplier in (ZT, "zonegame", "kiosgame"):
        twins = [("free-fire", listing(f"{supplier}-{nth}", 100)) for nth in "ba"]
        books.shelf.replace(supplier, twins, NOW)
    assert skus(books) == [
        f"{supplier}-{nth}" for nth in "ba" for supplier in ("kiosgame", "zonegame", ZT)
    ]


def test_nothing_is_listed_for_nothing(books: SqlBooks) -> None:
    with refused(books.shelf._tx, "(?i)check"):
        books.shelf.replace(ZT, [("free-fire", listing("a", 0))], NOW)


def test_old_prices_are_not_sold(books: SqlBooks) -> None:
    books.shelf.replace(ZT, [("free-fire", listing("a", 1))], NOW)
    assert skus(books, since=NOW) == ["a"]
    assert skus(books, since=NOW + 1) == []
    assert books.shelf.games(NOW + 1) == []
    assert books.shelf.offer(ZT, "a", NOW + 1) is None


def test_a_list_that_names_an_item_twice_keeps_the_first(books: SqlBooks) -> None:
    books.shelf.replace(ZT, [("free-fire", listing("a", 1)), ("free-fire", listing("a", 9))], NOW)
    offer = books.shelf.offer(ZT, "a", 0)
    assert offer is not None
    assert offer.listed == 1


def test_the_last_charge_is_what_was_learnt(books: SqlBooks) -> None:
    assert books.shelf.learnt(ZT, "a") is None
    for charged in (110, 120):
        books.shelf.learn(ZT, "a", Charge(listed=100, charged=charged), NOW)
    assert books.shelf.learnt(ZT, "a") == Charge(listed=100, charged=120)
    assert books.shelf.learnt(ZT, "b") is None


def test_calls_are_remembered_for_an_hour(books: SqlBooks) -> None:
    for at in (NOW, NOW, NOW + MINUTE):
        books.calls.record(ZT, "watch", at)
    books.calls.record("zonegame", "list", NOW)
    assert books.calls.made_between(ZT, NOW - 1, NOW + MINUTE) == [
        (NOW, "watch"),
        (NOW, "watch"),
        (NOW + MINUTE, "watch"),
    ]
    assert books.calls.made_between(ZT, NOW, NOW + MINUTE) == [(NOW + MINUTE, "watch")]
    assert books.calls.made_between(ZT, NOW - 1, NOW) == [(NOW, "watch"), (NOW, "watch")]
    books.calls.record(ZT, "open", NOW + HOUR + 1)
    assert len(books.calls.made_between(ZT, 0, NOW + HOUR + 1)) == 2


def test_a_new_suppliers_list_is_due_at_once(books: SqlBooks) -> None:
    assert books.calls.list_due_at(ZT) == 0
    for at in (NOW, NOW + 1):
        books.calls.set_list_due(ZT, at)
    assert books.calls.list_due_at(ZT) == NOW + 1


def test_when_a_list_was_last_tried_is_known_to_every_process(books: SqlBooks) -> None:
    assert books.calls.list_tried_at(ZT) == 0
    books.calls.set_list_due(ZT, NOW)
    assert books.calls.list_tried_at(ZT) == 0
    books.calls.list_tried(ZT, NOW + 1)
    books.calls.set_list_due(ZT, NOW + 2)
    assert (books.calls.list_tried_at(ZT), books.calls.list_due_at(ZT)) == (NOW + 1, NOW + 2)
    assert books.calls.list_tried_at("zonegame") == 0


def test_a_supplier_is_left_alone_until_the_last_instant_that_was_said(books: SqlBooks) -> None:
    assert books.calls.paused_until(ZT) == 0
    for until in (NOW + MINUTE, NOW + 1):
        books.calls.pause(ZT, until)
        assert books.calls.paused_until(ZT) == until
    assert books.calls.paused_until("zonegame") == 0


def test_asking_for_the_balance_twice_is_one_question(books: SqlBooks) -> None:
    books.calls.ask_balance(ZT, "web:b", NOW + 1)
    books.calls.ask_balance(ZT, "web:a", NOW)
    books.calls.ask_balance(ZT, "web:a", NOW + 2)
    books.calls.ask_balance("zonegame", "web:c", NOW)
    assert [books.calls.next_balance_request(ZT) for _ in range(3)] == ["web:a", "web:b", None]
    assert books.calls.next_balance_request("zonegame") == "web:c"


def test_a_session_is_read_back_as_it_was_saved(books: SqlBooks) -> None:
    session = StoredSession(
        language="en",
        step="confirm",
        screen=7,
        page=1,
        draft={"item": 'é "q"', "price": 12_000},
        last_input="i1",
        touched_at=NOW,
    )
    assert books.sessions.load("web:budi") is None
    assert books.sessions.language_of("web:budi") == ""
    for saved in (session, replace(session, screen=8, draft={})):
        books.sessions.save("web:budi", saved)
        assert books.sessions.load("web:budi") == saved
    assert books.sessions.language_of("web:budi") == "en"
    assert books.sessions.load("web:ani") is None


def test_an_update_is_stored_once_and_waits_until_it_is_answered(books: SqlBooks) -> None:
    updates = SqlUpdates(books.orders._tx, "telegram")
    stored = [updates.store(number, f"body {number}", NOW) for number in (7, 3, 7)]
    assert stored == [True, True, False]
    assert updates.waiting() == [(3, "body 3"), (7, "body 7")]
    updates.done(3, NOW)
    assert updates.waiting() == [(7, "body 7")]
    assert not updates.store(3, "again", NOW)
    assert SqlUpdates(books.orders._tx, "whatsapp").waiting() == []


def test_an_answered_updates_words_are_forgotten_and_its_number_is_not(books: SqlBooks) -> None:
    updates = SqlUpdates(books.orders._tx, "telegram")
    updates.store(1, "a secret", NOW)
    updates.done(1, NOW)
    assert not updates.store(1, "again", NOW + 90 * 24 * HOUR)
    rows = books.orders._tx.fetch("SELECT update_id, body, done_at FROM updates")
    assert [dict(row) for row in rows] == [{"update_id": 1, "body": "", "done_at": NOW}]


def test_an_update_that_was_answered_before_it_was_stored_is_known(tx: Transaction) -> None:
    updates = SqlUpdates(tx, "telegram")
    assert not updates.knows(1)
    updates.done(1, NOW)
    updates.done(1, NOW + 1)
    assert updates.knows(1)
    assert not updates.store(1, "late", NOW + 2)
    assert updates.waiting() == []
    assert not SqlUpdates(tx, "whatsapp").knows(1)


def test_what_is_held_is_passed_over_and_what_came_late_is_found(tx: Transaction) -> None:
    updates = SqlUpdates(tx, "telegram")
    for number in (5, 2, 9, 7, 3, -4):
        updates.store(number, f"body {number}", NOW)
    waiting = [(number, f"body {number}") for number in (-4, 2, 3, 5, 7, 9)]
    assert updates.waiting() == waiting
    assert updates.waiting(most=2) == waiting[:2]
    assert updates.waiting(held={2, 5, 100}) == [waiting[nth] for nth in (0, 2, 4, 5)]
    assert updates.waiting(held={-4, 3}, most=3) == [waiting[nth] for nth in (1, 3, 4)]
    assert updates.waiting(held={-4, 2, 3, 5, 7, 9}) == []


@pytest.mark.parametrize("number", [0, -(2**63), 2**53 + 1, 2**63 - 1])
def test_every_number_that_is_an_update_id_can_be_stored(tx: Transaction, number: int) -> None:
    updates = SqlUpdates(tx, "telegram")
    assert is_update_id(number)
    assert updates.store(number, "body", NOW)
    assert not updates.store(number, "body", NOW)
    assert updates.waiting() == [(number, "body")]
    updates.done(number, NOW)
    assert updates.waiting() == []


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, True, 1.0, "1", None])
def test_nothing_else_is_an_update_id(value: object) -> None:
    assert not is_update_id(value)


def test_a_chats_messages_are_numbered_from_one(books: SqlBooks) -> None:
    budi, ani = (SqlTranscript(books.orders._tx, f"web:{name}") for name in ("budi", "ani"))
    assert [budi.append(body) for body in "ab"] == [1, 2]
    assert ani.append("c") == 1
    assert budi.after(0) == [(1, "a"), (2, "b")]
    assert budi.after(1) == [(2, "b")]
    assert budi.after(2) == []


async def test_bells_ring_for_what_somebody_must_act_on(database: Database) -> None:
    keeper = BookKeeper(database, RULES, ())
    bells = [keeper.bell(), keeper.bell()]
    await keeper.read(lambda books: books.calls.list_due_at(ZT))
    await keeper.write(lambda books: books.calls.list_tried(ZT, NOW))
    assert not any(bell.is_set() for bell in bells)
    for news in (
        lambda books: books.calls.set_list_due(ZT, NOW),
        lambda books: books.calls.ask_balance(ZT, "web:owner", NOW),
        lambda books: books.outbox.owe(LETTER, NOW),
        lambda books: books.orders.add(an_order()),
        lambda books: books.orders.note(an_order()),
    ):
        await keeper.write(news)
        assert all(bell.is_set() for bell in bells)
        for bell in bells:
            bell.clear()


async def test_a_bell_stays_silent_when_nothing_was_stored(database: Database) -> None:
    def fail(books: SqlBooks) -> None:
        books.calls.set_list_due(ZT, NOW)
        raise LookupError

    keeper = BookKeeper(database, RULES, ())
    bell = keeper.bell()
    with pytest.raises(LookupError):
        await keeper.write(fail)
    assert not bell.is_set()
    assert await keeper.read(lambda books: books.calls.list_due_at(ZT)) == 0
