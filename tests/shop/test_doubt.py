"""Orders that may have been made: who is asked what, how long, and when a person decides."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from shop import calls, fulfilment, hearing, settling, watching
from shop.callbacks import Told, Trust
from shop.calls import AskBalance, AskTopup, Call, Idle, Submit
from shop.cases import CaseKind
from shop.fulfilment import Outcome
from shop.orders import Order, Status
from shop.settling import NotOpened
from shop.suppliers import Abilities, TopupReport, TopupState
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from tests.shop.prepaid import (
    COST,
    EVERY_WAY,
    LEASE,
    PRICE,
    SELLER,
    T,
    a_shop,
    asked,
    credit,
    listed_at,
    now_of,
    ordered,
    report,
    reported,
    started,
)
from tests.shop.samples import NOW, OWNER, E, K, M, S, an_attempt, case_of, in_status, owed

ASKED = Abilities(knows_our_ref=True, calls_back=True)  # it can be asked, and calls back
REPEATING = replace(ASKED, repeats_are_questions=True)
SILENT = Abilities(knows_our_ref=True)  # it can be asked, and never calls
TOLD = Abilities(calls_back=True)  # it can be asked by its own id alone, which we do not have
MUTE = Abilities()  # nobody will ever say anything
AMBIGUOUS, CONFLICT = CaseKind.AMBIGUOUS, CaseKind.CONFLICT
MISSING = report(T.MISSING, note="they have not heard of it")
THEIRS = "TRX-77"
FIRST = "P-zonegame-1"
Answers = Callable[[AskTopup, int], TopupReport | None]
Opened = Callable[[Abilities], AbstractContextManager[SqlBooks]]


@pytest.fixture
def shop(tmp_path: Path) -> Opened:
    """A shop whose one seller can do this much, and whose list and balance need no reading."""

    @contextmanager
    def opened(able: Abilities) -> Iterator[SqlBooks]:
        with a_shop(tmp_path, abilities={**EVERY_WAY.abilities, SELLER: able}) as books:
            quiet(books)
            yield books

    return opened


def quiet(books: SqlBooks) -> None:
    books.calls.set_list_due(SELLER, NOW + 999 * HOUR)
    books.calls.set_compare_at(SELLER, NOW + 999 * HOUR)


def never_answers(call: AskTopup, now: int) -> TopupReport | None:
    return None


def has_never_heard(call: AskTopup, now: int) -> TopupReport | None:
    return MISSING


def live(
    books: SqlBooks, until: int, answers: Answers = never_answers, since: int = NOW
) -> list[tuple[int, Call]]:
    """Let the seller's worker do all that falls due; return each call and when it was made."""
    now, made = since, list[tuple[int, Call]]()
    for _ in range(20_000):
        call = calls.next_call(books, SELLER, now)
        if isinstance(call, Idle):
            now = max(call.until, now + 1)
            if now >= until:
                return made
            continue
        made.append((now, call))
        if isinstance(call, AskBalance):
            books.calls.set_compare_at(SELLER, NOW + 999 * HOUR)
        elif isinstance(call, AskTopup):
            said = answers(call, now)
            if said is None:
                fulfilment.unanswered(books, call.order.id, now)
            else:
                fulfilment.reported(books, call.order, said, now, now)
    raise AssertionError("it never comes to rest")


def questions(made: list[tuple[int, Call]]) -> list[int]:
    return [now for now, call in made if isinstance(call, AskTopup)]


def unsure(books: SqlBooks) -> Order:
    return ordered(books, NotOpened.UNKNOWN)


# --- when a person is asked ---


@pytest.mark.parametrize(
    ("able", "after", "by"),
    [
        (ASKED, 10 * MINUTE, 11 * MINUTE),  # questions come a minute apart by then
        (SILENT, 10 * MINUTE, 11 * MINUTE),
        (TOLD, 30 * MINUTE, 30 * MINUTE + SECOND),
        (MUTE, 0, 0),
    ],
)
@pytest.mark.parametrize("answers", [never_answers, has_never_heard])
def test_o1_a_person_is_asked_when_nobody_else_has_told_in_time(
    shop: Opened, able: Abilities, after: int, by: int, answers: Answers
) -> None:
    with shop(able) as books:
        order = unsure(books)
        live(books, NOW + after, answers)
        assert case_of(books, order) is (AMBIGUOUS if after == 0 else None)
        live(books, NOW + by + 1, answers, NOW + after)
        assert case_of(books, order) is AMBIGUOUS
        assert now_of(books, "P").status is S.UNSURE


@pytest.mark.parametrize("able", [ASKED, TOLD, MUTE])
def test_o4_a_day_of_silence_is_one_attempt_one_question_to_a_person_and_no_refund(
    shop: Opened, able: Abilities
) -> None:
    with shop(able) as books:
        unsure(books)
        made = live(books, NOW + 24 * HOUR, has_never_heard)
        assert not [call for _, call in made if isinstance(call, Submit)]
        order = now_of(books, "P")
        assert (order.status, order.tries, credit(books)) == (S.UNSURE, 1, 0)
        assert len(asked(books)) == 1
        assert owed(books).count(K.SLOW) == 1
        if able is ASKED:
            assert len(questions(made)) > 24 * 59  # the supplier is asked on and on


def test_the_balance_is_looked_at_when_it_happens_and_again_when_a_person_is_asked(
    shop: Opened,
) -> None:
    with shop(replace(ASKED, tells_balance=True)) as books:
        unsure(books)
        made = live(books, NOW + HOUR)
        looks = [now - NOW for now, call in made if isinstance(call, AskBalance)]
        assert len(looks) == 2
        assert looks[0] == 0
        assert 10 * MINUTE <= looks[1] < 11 * MINUTE


def test_the_owner_reads_what_the_supplier_said_last(shop: Opened) -> None:
    with shop(ASKED) as books:
        order = unsure(books)
        live(books, NOW + 11 * MINUTE, has_never_heard)
        case = books.cases.open_for(order.id)
        assert case is not None
        assert case.evidence == MISSING.note


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (T.PENDING, S.PROCESSING),
        (T.DELIVERED, S.DELIVERED),
        (T.FAILED, S.REFUNDED),
        (T.PARTIAL, S.PARTLY_DELIVERED),
    ],
)
@pytest.mark.parametrize("after", [5 * MINUTE, HOUR])
def test_word_that_comes_ends_the_doubt_before_and_after_a_person_is_asked(
    shop: Opened, state: TopupState, status: Status, after: int
) -> None:
    with shop(ASKED) as books:
        unsure(books)
        live(books, NOW + after, has_never_heard)
        assert len(asked(books)) == (after > 11 * MINUTE)
        order = reported(books, now_of(books, "P"), state, NOW + after)
        assert order.status is status
        assert case_of(books, order) is not AMBIGUOUS


def test_a_person_is_not_asked_again_after_saying_they_have_seen_it(shop: Opened) -> None:
    with shop(ASKED) as books:
        order = unsure(books)
        live(books, NOW + HOUR)
        case = books.cases.open_for(order.id)
        assert case is not None
        books.cases.close(case, None, "", NOW + HOUR)
        live(books, NOW + 5 * HOUR, since=NOW + HOUR)
        assert len(asked(books)) == 1
        assert now_of(books, "P").due_at is not None


def test_each_doubt_has_its_own_time(shop: Opened) -> None:
    """One that was lost with its worker is in doubt from then on, not from its first call."""
    with shop(ASKED) as books:
        order = started(books)
        live(books, LEASE + 10 * MINUTE)
        assert now_of(books, "P").status is S.UNSURE
        assert case_of(books, order) is None
        live(books, LEASE + 11 * MINUTE, since=LEASE + 10 * MINUTE)
        assert case_of(books, order) is AMBIGUOUS


@pytest.mark.parametrize("step", [-1, 0, 1])
@pytest.mark.parametrize("theirs", ["", THEIRS])
@pytest.mark.parametrize("able", [ASKED, TOLD, SILENT, MUTE])
def test_when_a_person_is_asked_follows_from_what_the_attempt_itself_knows(
    able: Abilities, theirs: str, step: int
) -> None:
    """What the supplier can do by now does not matter: the attempt says what it could then."""
    order = in_status(S.UNSURE)
    known = {"by_our_ref": able.knows_our_ref, "calls_back": able.calls_back}
    order = replace(order, attempt=an_attempt(order, nth=1, told_ref=theirs, **known))
    asks = able.knows_our_ref or bool(theirs)
    assert watching.can_be_asked_about(order) is asks
    assert watching.may_resolve(order) is (asks or able.calls_back)
    assert watching.doubtful_at(order) == NOW + (10 if asks else 30) * MINUTE
    due = watching.next_question(order, watching.doubtful_at(order) + step, 5 * SECOND)
    assert due is not None  # its customer, at least, has not been told yet that it takes long


@pytest.mark.parametrize("status", sorted(set(S) - {S.UNSURE, S.PAID}))
def test_only_what_may_have_been_made_resolves_by_itself(status: Status) -> None:
    assert not watching.may_resolve(in_status(status, method=M.DEPOSIT))


# --- "never heard of it" proves nothing ---

STANDS: Mapping[Status, Outcome] = {
    S.PROCESSING: report(T.PENDING),
    S.UNSURE: NotOpened.UNKNOWN,
    S.PARTLY_DELIVERED: report(T.PARTIAL),
    S.DELIVERED: report(T.DELIVERED),
    S.REFUNDED: report(T.FAILED),
}


@pytest.mark.parametrize("status", STANDS)
def test_o4_that_a_supplier_has_not_heard_of_it_moves_nothing_and_is_no_contradiction(
    shop: Opened, status: Status
) -> None:
    with shop(ASKED) as books:
        order = ordered(books, STANDS[status])
        assert order.status is status
        told, cases = owed(books), asked(books)
        for nth in range(5):
            after = reported(books, order, T.MISSING, NOW + (1 + nth) * MINUTE)
            assert (after.status, after.version, after.tries) == (status, order.version, 1)
        assert (owed(books), asked(books)) == (told, cases)
        assert credit(books) == (PRICE if status is S.REFUNDED else 0)


# --- sent once more, as a question ---

question = partial(fulfilment.question_about, may_repeat=True)


@pytest.mark.parametrize(
    ("age", "repeats"),
    [
        (-1, False),  # of a clock that was set back
        (0, True),
        (5 * MINUTE, True),
        (9 * MINUTE - 1, True),
        (9 * MINUTE, False),
        (10 * MINUTE, False),
        (24 * HOUR, False),
    ],
)
def test_o4_an_order_is_sent_once_more_as_a_question_within_nine_minutes_only(
    age: int, repeats: bool
) -> None:
    order = in_status(S.UNSURE)
    asks = question(order, NOW + age)
    assert asks.ref == "ORDER1-zultopup-1"
    assert asks.repeat == (fulfilment.request_of(order) if repeats else None)


@pytest.mark.parametrize(
    "status", [S.SUBMITTING, S.PROCESSING, S.PARTLY_DELIVERED, S.DELIVERED, S.REFUNDED]
)
def test_o4_only_what_may_not_have_been_made_is_sent_once_more(
    shop: Opened, status: Status
) -> None:
    with shop(REPEATING) as books:
        listed_at(books, COST)
        order = unsure(books)
        assert fulfilment.may_be_repeated(books, order)
        assert not fulfilment.may_be_repeated(books, replace(order, status=status))


def test_o4_what_the_supplier_has_a_name_for_is_never_sent_again(shop: Opened) -> None:
    with shop(REPEATING) as books:
        listed_at(books, COST)
        order = unsure(books)
        named = replace(order, attempt=an_attempt(order, nth=1, supplier_ref=THEIRS))
        assert not fulfilment.may_be_repeated(books, named)
    assert question(named, NOW).supplier_ref == THEIRS


def test_o4_where_a_repetition_is_a_new_order_nothing_is_sent_again(shop: Opened) -> None:
    with shop(ASKED) as books:
        listed_at(books, COST)
        assert not fulfilment.may_be_repeated(books, unsure(books))
    order = in_status(S.UNSURE)
    plain = fulfilment.question_about(order, NOW, may_repeat=False)
    assert (plain.ref, plain.repeat) == ("ORDER1-zultopup-1", None)


def test_o4_nothing_is_sent_once_more_after_a_person_was_asked(shop: Opened) -> None:
    """Who then gives the money back knows that nothing is being ordered."""
    repeats: list[int] = []

    def misses(call: AskTopup, now: int) -> TopupReport | None:
        asks = fulfilment.question_about(call.order, now, may_repeat=call.may_repeat)
        if asks.repeat is not None:
            assert asks.repeat.ref == FIRST
            assert case_of(books, call.order) is None
            repeats.append(now - NOW)
        return MISSING

    with shop(REPEATING) as books:
        listed_at(books, COST)
        unsure(books)
        live(books, NOW + HOUR, misses)
        assert case_of(books, now_of(books, "P")) is AMBIGUOUS
    assert len(repeats) > 5
    assert max(repeats) + MINUTE < 10 * MINUTE  # the last answer, too, is there by then


# --- what a callback calls it, which nothing has proved ---


def hint(theirs: str = THEIRS, state: TopupState = T.DELIVERED) -> Told:
    return Told(ref=FIRST, supplier_ref=theirs, report=report(state, supplier_ref=theirs))


def tell(books: SqlBooks, told: Told, now: int) -> None:
    assert hearing.heard(books, SELLER, told, Trust.HINT, now)


class Theirs:
    """The supplier's side: one order, which it finds by its own id alone."""

    def __init__(self, state: TopupState) -> None:
        self.state = state
        self.journal: list[str] = []

    def __call__(self, call: AskTopup, now: int) -> TopupReport | None:
        asks = question(call.order, now)
        self.journal.append(asks.supplier_ref)
        # An answer about another order, or about none, is no answer: the adapter sees to that.
        return report(self.state, supplier_ref=THEIRS) if asks.supplier_ref == THEIRS else None


def test_c1_an_id_from_a_callback_is_asked_about_and_believed_by_the_answer(shop: Opened) -> None:
    there = Theirs(T.DELIVERED)
    with shop(TOLD) as books:
        before = unsure(books)
        assert not watching.can_be_asked_about(before)
        tell(books, hint(), NOW + MINUTE)
        told = now_of(books, "P")
        assert (told.status, told.due_at) == (S.UNSURE, NOW + MINUTE)
        assert told.attempt is not None
        assert (told.attempt.told_ref, told.attempt.supplier_ref) == (THEIRS, "")
        live(books, NOW + MINUTE + SECOND, there, NOW + MINUTE)
        after = now_of(books, "P")
        assert (after.status, there.journal) == (S.DELIVERED, [THEIRS])
        assert after.attempt is not None
        assert after.attempt.supplier_ref == THEIRS


def test_c1_what_the_callback_said_of_the_order_does_not_count(shop: Opened) -> None:
    with shop(TOLD) as books:
        unsure(books)
        tell(books, hint(state=T.FAILED), NOW + MINUTE)
        live(books, NOW + 2 * MINUTE, Theirs(T.PENDING), NOW + MINUTE)
        assert now_of(books, "P").status is S.PROCESSING
        assert credit(books) == 0


def test_c1_a_forged_id_moves_nothing_and_does_not_block_the_right_one(shop: Opened) -> None:
    there = Theirs(T.DELIVERED)
    with shop(TOLD) as books:
        order = unsure(books)
        tell(books, hint("FORGED"), NOW + MINUTE)
        live(books, NOW + 4 * MINUTE, there, NOW + MINUTE)
        assert set(there.journal) == {"FORGED"}
        assert now_of(books, "P").version == order.version
        tell(books, hint(), NOW + 4 * MINUTE)
        live(books, NOW + 5 * MINUTE, there, NOW + 4 * MINUTE)
        assert there.journal[-1] == THEIRS
        assert now_of(books, "P").status is S.DELIVERED


def test_c1_an_id_that_an_answer_has_proved_is_not_changed_by_a_callback(shop: Opened) -> None:
    there = Theirs(T.PENDING)
    with shop(TOLD) as books:
        order = ordered(books, report(T.PENDING, supplier_ref=THEIRS))
        assert order.status is S.PROCESSING
        tell(books, hint("FORGED"), NOW + MINUTE)
        live(books, NOW + 2 * MINUTE, there, NOW + MINUTE)
        assert set(there.journal) == {THEIRS}
        after = now_of(books, "P")
        assert after.attempt is not None
        assert (after.attempt.supplier_ref, after.attempt.told_ref) == (THEIRS, "")


def test_c1_the_id_of_an_earlier_attempt_is_not_that_of_the_present_one(shop: Opened) -> None:
    with shop(TOLD) as books:
        order = settling.decided(books, unsure(books), E.PROCEEDED, OWNER, NOW + 1)
        order = fulfilment.start(books, order, LEASE, NOW + 1)
        order = fulfilment.submitted(books, order, NotOpened.UNKNOWN, NOW + 2)
        tell(books, hint(), NOW + MINUTE)
        assert now_of(books, "P") == order
        assert live(books, NOW + 2 * MINUTE, since=NOW + MINUTE) == []


def test_where_our_reference_will_do_no_id_is_taken_from_a_hint(shop: Opened) -> None:
    with shop(ASKED) as books:
        unsure(books)
        tell(books, hint("FORGED"), NOW + MINUTE)
        after = now_of(books, "P")
        assert after.attempt is not None
        assert after.attempt.told_ref == ""
        assert question(after, NOW + MINUTE).supplier_ref == ""


def test_o1_an_id_that_leads_nowhere_has_a_person_asked_sooner_not_later(shop: Opened) -> None:
    with shop(TOLD) as books:
        order = unsure(books)
        tell(books, hint("FORGED"), NOW + 20 * MINUTE)
        assert case_of(books, order) is None
        live(books, NOW + 21 * MINUTE, Theirs(T.DELIVERED), NOW + 20 * MINUTE)
        assert case_of(books, order) is AMBIGUOUS
