"""The accounts that customers have used: the latest few of each game, each customer's own."""

from dataclasses import replace

import pytest

from shop.players import MOST_SAVED, SavedAccount
from shop.time import MINUTE
from storage.accounts import SqlAccounts
from storage.books import SqlBooks
from storage.database import Transaction
from tests.shop.samples import BUYER, NOW, an_order

SITI = "web:siti"


@pytest.fixture
def accounts(tx: Transaction) -> SqlAccounts:
    return SqlAccounts(tx)


def an_account(number: int = 1, **changes: object) -> SavedAccount:
    account = SavedAccount(
        game="mobile-legends", user_id=f"1234567{number}", server="2001", used_at=NOW + number
    )
    return replace(account, **changes)  # type: ignore[arg-type]


def test_accounts_come_back_the_latest_first(accounts: SqlAccounts) -> None:
    first, second = an_account(1, nickname="Budi"), an_account(2)
    for account in (second, first):
        accounts.use(BUYER, account)
    assert accounts.of(BUYER) == accounts.of_game(BUYER, "mobile-legends") == [second, first]
    assert accounts.of_game(BUYER, "free-fire") == []


def test_at_most_five_of_a_game_are_kept_and_the_oldest_makes_way(accounts: SqlAccounts) -> None:
    other = an_account(0, game="free-fire", server="")
    accounts.use(BUYER, other)
    for number in range(1, MOST_SAVED + 3):
        accounts.use(BUYER, an_account(number))
    kept = [account.used_at - NOW for account in accounts.of_game(BUYER, "mobile-legends")]
    assert kept == [7, 6, 5, 4, 3]
    assert accounts.of_game(BUYER, "free-fire") == [other]


def test_an_account_that_is_used_again_comes_first_and_stands_there_once(
    accounts: SqlAccounts,
) -> None:
    for number in range(1, MOST_SAVED + 1):
        accounts.use(BUYER, an_account(number))
    accounts.use(BUYER, an_account(1, used_at=NOW + MINUTE))
    accounts.use(BUYER, an_account(6))
    kept = [account.user_id[-1] for account in accounts.of(BUYER)]
    assert kept == ["1", "6", "5", "4", "3"]


def test_a_nickname_stays_until_there_is_another(accounts: SqlAccounts) -> None:
    accounts.use(BUYER, an_account(nickname="Budi"))
    accounts.use(BUYER, an_account(used_at=NOW + MINUTE))
    assert accounts.of(BUYER) == [an_account(nickname="Budi", used_at=NOW + MINUTE)]
    accounts.use(BUYER, an_account(nickname="Budi 2", used_at=NOW))
    assert accounts.of(BUYER) == [an_account(nickname="Budi 2", used_at=NOW + MINUTE)]


def test_a_nickname_is_stored_with_an_account_that_is_kept_and_makes_no_other(
    accounts: SqlAccounts,
) -> None:
    accounts.use(BUYER, an_account(1))
    accounts.name(BUYER, an_account(1, nickname="Budi"))
    accounts.name(BUYER, an_account(2, nickname="Siti"))
    accounts.name(SITI, an_account(1, nickname="Siti"))
    assert accounts.of(BUYER) == [an_account(1, nickname="Budi")]
    assert accounts.of(SITI) == []


def test_what_is_forgotten_is_gone_and_nothing_else(accounts: SqlAccounts) -> None:
    for number in (1, 2):
        accounts.use(BUYER, an_account(number))
        accounts.use(SITI, an_account(number))
    assert accounts.forget(BUYER, an_account(1))
    assert not accounts.forget(BUYER, an_account(1))
    assert accounts.of(BUYER) == [an_account(2)]
    assert accounts.of(SITI) == [an_account(2), an_account(1)]


def test_the_last_order_for_an_account_is_the_persons_own(books: SqlBooks) -> None:
    mine = SavedAccount(game="free-fire", user_id="123456789", server="", used_at=NOW)
    orders = {
        "OLD": {"created_at": NOW}, "NEW": {"created_at": NOW + MINUTE},
        "HERS": {"created_at": NOW + 2 * MINUTE, "address": SITI},
        "OTHER": {"created_at": NOW + 3 * MINUTE, "user_id": "987654321"},
    }  # fmt: skip
    for name, changes in orders.items():
        books.orders.add(an_order(id=name, target=name, **changes))
    assert books.accounts.last_order(BUYER, mine) == "NEW"
    assert books.accounts.last_order(SITI, mine) == "HERS"
    assert books.accounts.last_order("web:nobody", mine) == ""


def test_ids_tell_the_accounts_of_a_person_apart() -> None:
    apart = [
        an_account(1), an_account(2), an_account(1, server="2002"), an_account(1, server=""),
        an_account(1, user_id="12345671\n2001", server=""), an_account(1, game="free-fire"),
    ]  # fmt: skip
    assert len({account.id for account in apart}) == len(apart)
    assert an_account(1).id == an_account(1, used_at=0, nickname="Budi").id
