"""Which message goes in which lane, who may be told, and what must arrive."""

from shop.notices import FOR_OWNERS, LANE_OF, MUST_ARRIVE, Lane, NoticeKind


def test_every_kind_of_message_has_its_lane() -> None:
    assert set(LANE_OF) == set(NoticeKind)


def test_only_what_is_about_no_order_is_slow() -> None:
    slow = {kind for kind, lane in LANE_OF.items() if lane is Lane.SLOW}
    assert slow == {NoticeKind.BALANCE, NoticeKind.ALERT}


def test_the_lanes_are_what_is_stored() -> None:
    assert [lane.value for lane in Lane] == [0, 1]


def test_what_must_arrive_is_never_an_owners() -> None:
    assert frozenset() == FOR_OWNERS & MUST_ARRIVE
