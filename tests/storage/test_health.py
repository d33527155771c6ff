"""What is amiss with suppliers: kept, changed and forgotten; the same on both databases."""

import pytest

from shop.suppliers import NO_TROUBLE, Trouble, Why
from storage.books import SqlBooks
from tests.shop.samples import NOW

TROUBLES = [
    Trouble(misses=1),
    Trouble(misses=3, away_since=NOW, why=Why.SILENT),
    Trouble(away_since=NOW, why=Why.KEY),
    Trouble(misses=2, away_since=0, why=Why.BALANCE, needs=2**40),
]


def test_nothing_is_amiss_with_whom_nothing_is_known_of(books: SqlBooks) -> None:
    assert books.health.of("zonegame") == NO_TROUBLE
    assert books.health.away(NOW) == frozenset()


@pytest.mark.parametrize("trouble", TROUBLES, ids=repr)
def test_what_is_amiss_is_kept_until_it_is_over(books: SqlBooks, trouble: Trouble) -> None:
    for before in TROUBLES:
        books.health.put("zonegame", before)
        books.health.put("zonegame", trouble)
        assert books.health.of("zonegame") == trouble
    books.health.put("zonegame", NO_TROUBLE)
    assert books.health.of("zonegame") == NO_TROUBLE
    assert books.orders._tx.fetch("SELECT * FROM supplier_health") == []


def test_each_supplier_has_its_own_trouble(books: SqlBooks) -> None:
    for nth, trouble in enumerate(TROUBLES):
        books.health.put(f"s{nth}", trouble)
    assert [books.health.of(f"s{nth}") for nth in range(4)] == TROUBLES
    assert books.health.away(NOW) == {"s1", "s2", "s3"}  # one miss is not away
    books.health.put("s2", NO_TROUBLE)
    assert books.health.away(NOW) == {"s1", "s3"}
    assert books.health.of("s3") == TROUBLES[3]
