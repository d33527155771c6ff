"""A page of the books: the newest entries, each whole, and what customers are asked to pay."""

from shop.ledger import ADJUSTMENT, QRIS, SALES, Entry, wallet
from shop.orders import Status
from shop.payments import PaymentMethod
from shop.time import MINUTE
from storage.books import SqlBooks
from storage.database import Transaction
from storage.ledger_page import Posted, SqlLedgerPage
from tests.shop.samples import NOW
from tests.storage.stories import PRICE, books_of, placed, tell_all


def entry(name: str, at: int, /, **amounts: int) -> Entry:
    return Entry(id=name, at=at, amounts=amounts)


def test_the_newest_entries_come_first_and_no_more_than_asked_for(
    tx: Transaction, books: SqlBooks
) -> None:
    for name, at in (("b", NOW + 2), ("a", NOW + 1), ("c", NOW + 2), ("d", NOW)):
        books.ledger.post(entry(name, at, qris=1_000, sales=-1_000))
    assert [posted.entry.id for posted in SqlLedgerPage(tx).newest(3)] == ["c", "b", "a"]


def test_an_entry_is_shown_as_it_was_posted(tx: Transaction, books: SqlBooks) -> None:
    amounts = {QRIS: 12_000, SALES: -10_000, wallet("web:budi"): -2_000}
    posted = Entry(
        id="a", at=NOW, amounts=amounts, order_id="GONE", event="paid", reason="r", corrects="z"
    )
    books.ledger.post(posted)
    assert SqlLedgerPage(tx).newest(9) == [Posted(entry=posted, item="")]


def test_an_entry_without_postings_is_shown_too(tx: Transaction, books: SqlBooks) -> None:
    books.ledger.post(entry("opening:zultopup", NOW, adjustment=0))
    (opening,) = SqlLedgerPage(tx).newest(9)
    assert opening.entry.amounts == {}
    books.ledger.post(Entry(id="e", at=NOW + 1, amounts={QRIS: 5, ADJUSTMENT: -5}))
    assert len(SqlLedgerPage(tx).newest(9)) == 2


def test_every_entry_of_every_order_names_its_item_and_is_told_whole(tx: Transaction) -> None:
    books = books_of(tx)
    tell_all(books)
    posted = SqlLedgerPage(tx).newest(999)
    assert {each.item for each in posted if each.entry.order_id} == {"70 Diamond"}
    told: dict[str, int] = {}
    for each in posted:
        for account, amount in each.entry.amounts.items():
            told[account] = told.get(account, 0) + amount
    assert told == {account: books.ledger.balance(account) for account in told}


def test_what_is_paid_before_the_shop_orders_is_told_with_its_status(tx: Transaction) -> None:
    books = books_of(tx)
    tell_all(books)
    told = {each.order_id: each for each in SqlLedgerPage(tx).prepaid(999)}
    assert (told["DEPOSIT"].method, told["DEPOSIT"].ref) == (PaymentMethod.DEPOSIT, "ref-DEPOSIT")
    assert told["DEPOSIT"].amount == PRICE + 63
    assert told["DEPOSIT"].status is Status.DELIVERED
    assert told["QRIS"].method is PaymentMethod.QRIS
    assert told["QRIS"].status is Status.AWAITING_PAYMENT
    assert {each.item for each in told.values()} == {"70 Diamond"}
    assert {"AWAITING", "WALLET"} & set(told) == set()  # dropship, and from a wallet


def test_it_is_told_which_of_them_wait_for_the_owner(tx: Transaction) -> None:
    books = books_of(tx)
    tell_all(books)
    told = {each.order_id: each.asks_owner for each in SqlLedgerPage(tx).prepaid(999)}
    assert (told["CLAIMED"], told["QRIS"], told["EARNED"]) == (True, False, False)
    case = books.cases.open_for("CLAIMED")
    assert case is not None
    books.cases.close(case, None, "", NOW)
    again = {each.order_id: each.asks_owner for each in SqlLedgerPage(tx).prepaid(999)}
    assert again == {**told, "CLAIMED": False}


def test_the_newest_orders_are_told_and_no_more_than_asked_for(tx: Transaction) -> None:
    for name, at in (("FIRST", NOW), ("LAST", NOW + 2 * MINUTE), ("SECOND", NOW + MINUTE)):
        placed(books_of(tx), name, PaymentMethod.QRIS, name, at)
    assert [each.order_id for each in SqlLedgerPage(tx).prepaid(2)] == ["LAST", "SECOND"]
