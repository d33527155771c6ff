"""Whose account it is, before anybody pays: found, not found, or nobody can say."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.views import Incoming, StepId, View
from shop import recognizing
from shop.players import Found, MustAsk, Whose, shown_nickname
from shop.suppliers import FormField, WrongAccount
from shop.time import MINUTE, SECOND
from tests.bot.conversation.parlour import (
    EVERY_WAY,
    FACE,
    SHELF,
    TEXTS,
    Guest,
    Parlour,
    unhurried,
)
from tests.bot.conversation.test_foreign_text import HOSTILE, hidden

SAY = TEXTS["id"]
ML, FREE_FIRE, BRAZIL = "mobile-legends", "free-fire", "mobile-legends-brazil"
ID = "123456789"
ABSENT, UNKNOWN = SAY("confirm.absent"), SAY("confirm.unknown")


@dataclass
class Asking(Parlour):
    """A parlour where players of two games can be looked up; who is unknown is in ``silent``."""

    names: dict[str, str | None] = field(default_factory=dict)  # user ID -> name; None: no such
    silent: bool = False
    asked: list[Whose] = field(default_factory=list)

    def take_turn(self, address: str, incoming: Incoming, input_id: str, limit: int) -> View | None:
        """As the shop does: undone, asked, taken again."""
        try:
            return super().take_turn(address, incoming, input_id, limit)
        except MustAsk as must:
            self.answer(must.whose)
            return super().take_turn(address, incoming, input_id, limit)

    def answer(self, whose: Whose) -> None:
        self.asked.append(whose)
        if not self.silent:
            name = self.names.get(whose.user_id, "Budi")
            found = Found.ABSENT if name is None else Found.FOUND
            self.books.players.answer(whose, found, shown_nickname(name or ""), self.clock())
        recognizing.settle(self.books, whose, self.clock())


@pytest.fixture
def parlour() -> Iterator[Asking]:
    opened = Asking(face=replace(FACE, nicknames=frozenset({ML, FREE_FIRE})), rules=EVERY_WAY)
    yield opened
    opened.close()


def lines(guest: Guest) -> list[str]:
    return guest.last.text.splitlines()


# --- three outcomes -------------------------------------------------------------------------------


def test_a_player_that_is_found_is_shown_by_name(parlour: Asking, budi: Guest) -> None:
    parlour.names[ID] = "•CUMAN BISA MM•"
    budi.walks_to_confirmation()
    assert lines(budi)[2:5] == [
        f"👤 {ID}",
        SAY("confirm.nickname", nickname="•CUMAN BISA MM•"),
        "💰 Rp11.800",
    ]
    assert parlour.asked == [Whose(game=FREE_FIRE, user_id=ID)]


def test_a_player_that_nobody_knows_is_asked_for_again(parlour: Asking, budi: Guest) -> None:
    parlour.names[ID] = None
    budi.walks_to_account()
    budi.says(ID)
    assert budi.step is StepId.ACCOUNT
    assert lines(budi)[0] == SAY("account.absent", account=ID).splitlines()[0]
    assert SAY("account.ask", example="", where="").splitlines()[0] in budi.last.text


def test_what_was_not_found_is_let_through_if_it_is_sent_once_more(
    parlour: Asking, budi: Guest
) -> None:
    parlour.names[ID] = None
    budi.walks_to_account()
    budi.says(ID)
    budi.says(ID)
    assert budi.step is StepId.CONFIRM
    assert ABSENT in lines(budi)
    assert len(parlour.asked) == 1
    budi.taps("Bayar")
    assert [order.user_id for order in parlour.orders] == [ID]


def test_another_id_that_is_not_found_is_asked_for_once_more_too(
    parlour: Asking, budi: Guest
) -> None:
    parlour.names = {ID: None, "987654321": None}
    budi.walks_to_account()
    for typed in (ID, "987654321", ID):
        budi.says(typed)
        assert budi.step is StepId.ACCOUNT
    budi.says(ID)
    assert budi.step is StepId.CONFIRM


def test_a_mistyped_id_is_corrected_and_the_player_is_shown(parlour: Asking, budi: Guest) -> None:
    parlour.names["123456780"] = None
    budi.walks_to_account()
    budi.says("123456780")
    budi.says(ID)
    assert budi.step is StepId.CONFIRM
    assert SAY("confirm.nickname", nickname="Budi") in lines(budi)
    assert ABSENT not in lines(budi)


def test_a_player_nobody_can_tell_about_never_blocks(parlour: Asking, budi: Guest) -> None:
    parlour.silent = True
    budi.walks_to_confirmation()
    assert UNKNOWN in lines(budi)
    budi.taps("Bayar")
    assert len(parlour.orders) == 1


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_each_outcome_is_told_in_the_persons_language(
    parlour: Asking, budi: Guest, language: str
) -> None:
    say = TEXTS[language]
    budi.says(f"/bahasa {language}")
    parlour.names = {"111111111": None}
    budi.walks_to_confirmation()
    assert say("confirm.nickname", nickname="Budi") in lines(budi)
    budi.walks_to_account()
    budi.says("111111111")
    assert budi.last.text.startswith(say("account.absent", account="111111111"))
    parlour.silent = True
    budi.walks_to_confirmation(account="222222222")
    assert say("confirm.unknown") in lines(budi)


# --- who is asked, and how often ------------------------------------------------------------------


def test_nobody_is_asked_twice_within_ten_minutes(parlour: Asking, budi: Guest) -> None:
    budi.walks_to_confirmation()
    parlour.clock.advance(10 * MINUTE - 1)
    parlour.guest("siti").walks_to_confirmation()
    assert len(parlour.asked) == 1
    parlour.clock.advance(1)
    budi.walks_to_confirmation()
    assert len(parlour.asked) == 2


def test_who_could_not_be_told_is_asked_for_again_after_a_minute(
    parlour: Asking, budi: Guest
) -> None:
    parlour.silent = True
    budi.walks_to_confirmation()
    parlour.clock.advance(MINUTE - 1)
    budi.walks_to_confirmation()
    assert len(parlour.asked) == 1
    parlour.silent = False
    parlour.clock.advance(1)
    budi.walks_to_confirmation()
    assert UNKNOWN not in lines(budi)


def test_paying_asks_nobody_however_long_it_took(parlour: Asking, budi: Guest) -> None:
    budi.walks_to_confirmation()
    parlour.clock.advance(11 * MINUTE)
    parlour.names[ID] = None
    budi.taps("Bayar")
    assert (len(parlour.orders), len(parlour.asked)) == (1, 1)


def test_a_game_whose_players_nobody_knows_says_nothing_of_names(
    parlour: Asking, budi: Guest
) -> None:
    budi.walks_to_confirmation("genshin", "60", "812345678")
    assert parlour.asked == []
    assert lines(budi)[2:4] == ["👤 812345678 (Asia)", "💰 Rp14.600"]


def test_id_and_server_are_asked_about_together(parlour: Asking, budi: Guest) -> None:
    budi.walks_to_account("mobile legends", "86")
    budi.says("12345678")
    assert (budi.step, parlour.asked) == (StepId.SERVER, [])
    budi.says("2001")
    assert budi.step is StepId.CONFIRM
    assert parlour.asked == [Whose(game=ML, user_id="12345678", server="2001")]


def test_an_id_that_is_asked_for_without_its_server_is_no_player_to_ask_for(
    parlour: Asking, budi: Guest
) -> None:
    parlour.stock({ML: [("45", "86 Diamond", 19_100, FormField(key="id", label="ID"))]})
    budi.walks_to_confirmation("mobile legends", "86", "12345678")
    assert parlour.asked == []
    assert lines(budi)[2:4] == ["👤 12345678", "💰 Rp22.500"]


def test_nothing_of_a_turn_is_stored_before_the_player_is_known(
    parlour: Asking, budi: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    budi.walks_to_account()
    before = budi.session
    monkeypatch.setattr(Asking, "answer", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        budi.says(ID)
    assert budi.session == before
    monkeypatch.undo()
    budi.says(ID)
    assert budi.step is StepId.CONFIRM


def test_a_name_does_not_stay_with_another_account(parlour: Asking, budi: Guest) -> None:
    budi.walks_to_confirmation()
    budi.taps("account")
    parlour.silent = True
    budi.says("987654321")
    assert UNKNOWN in lines(budi)
    assert (budi.draft.nickname, budi.draft.user_id) == ("", "987654321")


# --- foreign names (M7) ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*HOSTILE, "Raja\n💰 Rp1", "👤 99999999", "שלום 123 (9)"])
def test_m7_a_hostile_nickname_stays_on_its_line(parlour: Asking, budi: Guest, name: str) -> None:
    parlour.names[ID] = name
    budi.walks_to_confirmation()
    shown = SAY("confirm.nickname", nickname=shown_nickname(name))
    assert lines(budi)[2:5] == [f"👤 {ID}", shown, "💰 Rp11.800"]
    assert hidden(budi.last.text) == []


@unhurried
@given(name=st.text(max_size=60))
def test_m7_whatever_a_player_is_called_the_rest_says_the_same(name: str) -> None:
    parlour = Asking(face=replace(FACE, nicknames=frozenset({FREE_FIRE})), names={ID: name})
    try:
        budi = parlour.guest()
        budi.walks_to_confirmation()
        rest = [line for nth, line in enumerate(lines(budi)) if nth != 3]
        plain = Parlour()
        try:
            siti = plain.guest("siti")
            siti.walks_to_confirmation()
            assert rest == siti.last.text.splitlines()
        finally:
            plain.close()
        assert hidden(budi.last.text) == []
        budi.taps("Bayar")
        assert len(parlour.orders) == 1
    finally:
        parlour.close()


# --- accounts of another region -------------------------------------------------------------------


@pytest.fixture
def sold(parlour: Asking) -> Asking:
    """Mobile Legends for accounts here, and for accounts in Brazil."""
    parlour.stock({**SHELF, BRAZIL: [("71", "86 Diamond", 19_500)]})
    return parlour


def learn(parlour: Asking, region: str, user_id: str = "55123456") -> None:
    whose = recognizing.whose(parlour.rules, BRAZIL, user_id, "2001")
    parlour.books.players.register(whose, region)


def test_an_account_of_another_region_is_told_before_payment(sold: Asking, budi: Guest) -> None:
    learn(sold, "BR")
    budi.walks_to_account("mobile legends", "86")
    budi.says("55123456 (2001)")
    assert budi.step is StepId.CHECK
    assert budi.last.text == SAY(
        "check.elsewhere", account="55123456 (2001)", region="Brazil", wanted="Indonesia"
    )
    assert budi.labels == [
        "Mobile Legends Brazil",
        SAY("check.another"),
        SAY("check.go_on"),
        SAY("button.back"),
    ]
    assert all(len(label) <= 24 for label in budi.labels)


def test_the_matching_game_is_a_tap_away_and_keeps_the_account(sold: Asking, budi: Guest) -> None:
    learn(sold, "BR")
    budi.walks_to_account("mobile legends", "86")
    budi.says("55123456 (2001)")
    budi.taps("Mobile Legends Brazil")
    assert budi.step is StepId.ITEM
    budi.taps("86")
    assert budi.step is StepId.CONFIRM
    assert lines(budi)[0] == "🎮 Mobile Legends Brazil"
    assert "👤 55123456 (2001)" in lines(budi)


def test_a_region_that_is_not_sold_here_is_not_offered(parlour: Asking, budi: Guest) -> None:
    learn(parlour, "BR")
    budi.walks_to_account("mobile legends", "86")
    budi.says("55123456 (2001)")
    assert budi.labels == [SAY("check.another"), SAY("check.go_on"), SAY("button.back")]
    assert all(len(label) <= 20 for label in budi.labels)


@pytest.mark.parametrize("answer", [SAY("check.go_on"), "ya"])
def test_who_insists_goes_on_and_is_not_asked_again(sold: Asking, budi: Guest, answer: str) -> None:
    learn(sold, "BR")
    budi.walks_to_account("mobile legends", "86")
    budi.says("55123456 (2001)")
    budi.says(answer)
    assert budi.step is StepId.CONFIRM
    sold.clock.advance(15 * SECOND)
    budi.taps("Bayar")
    assert [order.user_id for order in sold.orders] == ["55123456"]


def test_another_account_is_asked_for_and_looked_at_anew(sold: Asking, budi: Guest) -> None:
    learn(sold, "BR")
    learn(sold, "BR", "55999999")
    budi.walks_to_account("mobile legends", "86")
    budi.says("55123456 (2001)")
    budi.taps(SAY("check.another"))
    assert budi.step is StepId.ACCOUNT
    budi.says("55999999 (2001)")
    assert budi.step is StepId.CHECK
    budi.says("12345678 (2001)")
    assert budi.step is StepId.CONFIRM


def test_to_insist_on_one_account_says_nothing_of_another(sold: Asking, budi: Guest) -> None:
    for user_id in ("55123456", "55999999"):
        learn(sold, "BR", user_id)
    budi.walks_to_account("mobile legends", "86")
    budi.says("55123456 (2001)")
    budi.taps(SAY("check.go_on"))
    budi.taps("account")
    budi.says("55999999 (2001)")
    assert budi.step is StepId.CHECK


def test_an_account_of_the_games_own_region_is_asked_about_by_nobody(
    sold: Asking, budi: Guest
) -> None:
    learn(sold, "ID", "12345678")
    budi.walks_to_confirmation("mobile legends", "86", "12345678 (2001)")


def test_what_a_supplier_refused_is_known_the_next_time(sold: Asking, budi: Guest) -> None:
    sold.fund(10_000_000)
    sold.give_credit(budi, 100_000)
    budi.walks_to_confirmation("mobile legends", "86", "55123456 (2001)")
    budi.taps("wallet")
    because = WrongAccount("no", nickname="Whyy", region="BR", wanted="ID")
    sold.supply(sold.orders[-1].id, because)
    sold.post()
    sold.clock.advance(20 * MINUTE)
    budi.walks_to_account("mobile legends", "86")
    budi.taps("Whyy · ")
    assert budi.step is StepId.CHECK
    assert "Brazil" in budi.last.text


def test_a_variant_whose_players_cannot_be_asked_for_shows_the_name_that_is_known(
    sold: Asking, budi: Guest
) -> None:
    sold.names["12345678"] = None
    budi.walks_to_account("mobile legends", "86")
    budi.says("12345678 (2001)")
    assert budi.step is StepId.ACCOUNT
    budi.walks_to_confirmation("mobile legends brazil", "86", "12345678 (2001)")
    assert ABSENT not in lines(budi)
    sold.names["87654321"] = "Budi"
    budi.walks_to_confirmation("mobile legends", "86", "87654321 (2001)")
    budi.walks_to_confirmation("mobile legends brazil", "86", "87654321 (2001)")
    assert SAY("confirm.nickname", nickname="Budi") in lines(budi)
