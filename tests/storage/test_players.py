"""What suppliers said of players: names for ten minutes, regions for good."""

import pytest

from shop.players import LASTS, NOBODY, Found, Player, Whose
from shop.time import HOUR, MINUTE
from storage.database import Transaction
from storage.players import SqlPlayers
from tests.shop.samples import NOW

BUDI = Whose(game="mobile-legends", user_id="12345678", server="2001")
SITI = Whose(game="mobile-legends", user_id="12345678", server="2002")


@pytest.fixture
def players(tx: Transaction) -> SqlPlayers:
    return SqlPlayers(tx)


def rows(tx: Transaction) -> int:
    return int(tx.fetch("SELECT COUNT(*) AS n FROM players")[0]["n"])


def test_of_a_player_nobody_asked_for_nothing_is_known(players: SqlPlayers) -> None:
    assert players.of(BUDI) == NOBODY


@pytest.mark.parametrize("found", [Found.FOUND, Found.ABSENT, Found.UNKNOWN])
def test_an_answer_is_kept_as_it_was_given(players: SqlPlayers, found: Found) -> None:
    name = "•CUMAN BISA MM•" if found is Found.FOUND else ""
    players.answer(BUDI, found, name, NOW)
    assert players.of(BUDI) == Player(found=found, nickname=name, asked_at=NOW)


def test_accounts_are_told_apart_by_game_id_and_server(players: SqlPlayers) -> None:
    players.answer(BUDI, Found.FOUND, "Budi", NOW)
    players.answer(SITI, Found.FOUND, "Siti", NOW)
    assert [players.of(each).nickname for each in (BUDI, SITI)] == ["Budi", "Siti"]
    assert players.of(Whose(game="free-fire", user_id="12345678", server="2001")) == NOBODY


def test_the_last_answer_counts(players: SqlPlayers) -> None:
    players.answer(BUDI, Found.FOUND, "Budi", NOW)
    players.answer(BUDI, Found.UNKNOWN, "", NOW + MINUTE)
    assert players.of(BUDI) == Player(found=Found.UNKNOWN, asked_at=NOW + MINUTE)


def test_a_region_is_kept_beside_whatever_is_answered(players: SqlPlayers) -> None:
    players.register(BUDI, "ID")
    assert players.of(BUDI) == Player(region="ID")
    players.answer(BUDI, Found.FOUND, "Budi", NOW)
    players.register(BUDI, "BR")
    assert players.of(BUDI) == Player(found=Found.FOUND, nickname="Budi", asked_at=NOW, region="BR")


def test_a_name_is_forgotten_once_nobody_may_believe_it(
    tx: Transaction, players: SqlPlayers
) -> None:
    players.answer(BUDI, Found.FOUND, "Budi", NOW)
    players.answer(SITI, Found.ABSENT, "", NOW + 10 * MINUTE - 1)
    assert players.of(BUDI).nickname == "Budi"
    players.answer(SITI, Found.ABSENT, "", NOW + 10 * MINUTE)
    assert players.of(BUDI) == NOBODY
    assert rows(tx) == 1


def test_of_a_player_whose_region_is_known_the_region_stays(
    tx: Transaction, players: SqlPlayers
) -> None:
    players.answer(BUDI, Found.FOUND, "Budi", NOW)
    players.register(BUDI, "ID")
    players.answer(SITI, Found.UNKNOWN, "", NOW + HOUR)
    assert players.of(BUDI) == Player(region="ID")
    assert rows(tx) == 2


def test_no_answer_is_forgotten_while_it_is_believed(players: SqlPlayers) -> None:
    for found, span in LASTS.items():
        if span:
            players.answer(BUDI, found, "", NOW)
            players.answer(SITI, Found.UNKNOWN, "", NOW + span - 1)
            assert players.of(BUDI).is_fresh(NOW + span - 1), found
