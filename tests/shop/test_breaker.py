"""When a supplier is left alone for how its deliveries went."""

from dataclasses import replace

import pytest

from shop import breaker
from shop.breaker import FEWEST, LATELY, MOST, SLOW, Breaker, Outcome
from shop.time import HOUR, MINUTE
from tests.shop.samples import NOW


def went(*goods: bool, took: int = 100) -> list[Outcome]:
    return [
        Outcome(ref=str(n), at=NOW + n, went_well=good, took=took, buyer=f"web:{n}")
        for n, good in enumerate(goods)
    ]


def test_a_few_bad_ones_say_nothing() -> None:
    assert not breaker.is_failing(went(*[False] * (FEWEST - 1)))
    assert breaker.is_failing(went(*[False] * FEWEST))


def test_half_of_them_is_not_most_of_them() -> None:
    assert not breaker.is_failing(went(*[True, False] * 3))
    assert breaker.is_failing(went(*[True, False] * 3, False))


def test_only_the_last_ones_count() -> None:
    assert not breaker.is_failing(went(*[False] * 100, *[True] * MOST))


@pytest.mark.parametrize(("took", "failing"), [(SLOW, False), (SLOW + 1, True)])
def test_an_answer_that_takes_long_is_a_bad_sign(took: int, failing: bool) -> None:
    assert breaker.is_failing(went(*[True] * FEWEST, took=took)) is failing


def test_each_time_it_stays_open_for_twice_as_long_up_to_an_hour() -> None:
    now, before, pauses = NOW, None, []
    for _ in range(6):
        before = breaker.opened(now, before)
        pauses.append(before.pause)
        now = before.open_until
    assert pauses == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, HOUR]


def test_it_is_open_until_its_end_and_not_beyond() -> None:
    one = Breaker(open_until=NOW + MINUTE, pause=MINUTE)
    assert (one.is_open(NOW), one.is_open(NOW + MINUTE)) == (True, False)
    assert not one.is_open(NOW - 2 * HOUR)  # as a clock that was ahead left it
    assert LATELY < HOUR


def test_what_goes_wrong_for_one_or_two_people_says_nothing_of_the_supplier() -> None:
    everybody = went(*[False] * 12)
    two = [replace(each, buyer=f"web:{nth % 2}") for nth, each in enumerate(everybody)]
    assert breaker.is_failing(everybody)
    assert not breaker.is_failing(two)
    assert breaker.is_failing([*two, replace(two[-1], buyer="web:9")])


def test_after_a_pause_one_persons_bad_order_decides_nothing() -> None:
    assert not breaker.is_failing_still(went(False))
    assert breaker.is_failing_still(went(False, False))
    assert not breaker.is_failing_still(went(False, False, True))
