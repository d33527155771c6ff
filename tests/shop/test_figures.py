"""How calls to suppliers are sorted: by what came of them, and by how long they took."""

import pytest

from shop.figures import SLOWER_THAN, CallOutcome, bucket_of, outcome_of
from shop.suppliers import Misconfigured, NotSent, OutcomeUnknown, Refused, Unavailable


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, CallOutcome.ANSWERED),
        (Refused("stock"), CallOutcome.REFUSED),
        (Misconfigured("key"), CallOutcome.MISCONFIGURED),
        (NotSent("refused"), CallOutcome.NOT_SENT),
        (OutcomeUnknown("timeout"), CallOutcome.UNKNOWN),
        (OutcomeUnknown("unread", accepted=True), CallOutcome.UNKNOWN),
        (Unavailable("500"), CallOutcome.UNAVAILABLE),
        (Unavailable("429", busy=True), CallOutcome.BUSY),
        (ZeroDivisionError(), CallOutcome.BROKEN),
    ],
)
def test_what_a_call_raised_says_what_came_of_it(
    error: Exception | None, outcome: CallOutcome
) -> None:
    assert outcome_of(error) is outcome


@pytest.mark.parametrize(
    ("took", "bucket"),
    [
        (-1, 0),
        (0, 0),
        (1, 0),
        (50, 0),
        (51, 50),
        (30_000, 10_000),
        (30_001, 30_000),
        (10**9, 30_000),
    ],
)
def test_a_bucket_ends_with_its_upper_bound(took: int, bucket: int) -> None:
    assert bucket_of(took) == bucket


def test_every_bucket_can_be_found_again_by_its_lower_bound() -> None:
    assert tuple(bucket_of(bound + 1) for bound in SLOWER_THAN) == SLOWER_THAN
