"""However many choices there are, and however few a channel can show: each is reached once."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.engine import BACK, NEXT, PREVIOUS
from bot.conversation.views import Choice, StepId, View
from tests.bot.conversation.parlour import BACK as BACK_LABEL
from tests.bot.conversation.parlour import SHELF, Guest, Parlour, unhurried

_OWN = {BACK, NEXT, PREVIOUS}


def items_of(view: View) -> list[Choice]:
    return [choice for choice in view.choices if choice.id not in _OWN]


def own_of(view: View) -> set[str]:
    return {choice.id for choice in view.choices if choice.id in _OWN}


def opened(count: int, limit: int) -> tuple[Parlour, Guest, View]:
    parlour = Parlour()
    items = [(str(n), f"Item {n}", 1_000 + n) for n in range(count)]
    parlour.stock({"free-fire": items})
    guest = parlour.guest("budi", limit=limit)
    return parlour, guest, guest.says("/start free-fire")


def leaf_through(guest: Guest, view: View, turn: str) -> Iterator[View]:
    yield view
    while turn in own_of(view):
        shown = guest.presses(f"s:{guest.session.screen}:{turn}")
        assert shown is not None
        view = shown
        yield view


def check(count: int, limit: int) -> None:
    parlour, guest, view = opened(count, limit)
    try:
        forward = list(leaf_through(guest, view, NEXT))
        reached = [choice.id for page in forward for choice in items_of(page)]
        assert reached == [f"zultopup/{n}" for n in range(count)]
        for page in forward:
            assert len(items_of(page)) <= limit
            assert BACK in own_of(page)
        backward = list(leaf_through(guest, forward[-1], PREVIOUS))
        pages = [[choice.id for choice in items_of(page)] for page in forward]
        assert [[c.id for c in items_of(page)] for page in backward] == pages[::-1]
        if len(forward) > 1:
            said = [page.text.rsplit("\n", 1)[1] for page in forward]
            assert said == [f"Halaman {n} dari {len(forward)}" for n in range(1, len(forward) + 1)]
    finally:
        parlour.close()


@unhurried
@given(count=st.integers(1, 200), limit=st.integers(3, 30))
def test_every_item_is_reached_exactly_once(count: int, limit: int) -> None:
    check(count, limit)


@pytest.mark.parametrize("limit", [3, 10, 30])
@pytest.mark.parametrize("pages", [1, 2, 5])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_edges_of_pages_hold_no_surprise(limit: int, pages: int, more: int) -> None:
    check(pages * limit + more, limit)


def test_what_fits_is_shown_without_turning() -> None:
    for count in (1, 3):
        parlour, _, view = opened(count, 3)
        assert own_of(view) == {BACK}
        assert "Halaman" not in view.text
        parlour.close()


@pytest.mark.parametrize(("turn", "page"), [("Berikutnya", 3), ("Sebelumnya", 1)])
def test_turning_past_the_end_stays_there(turn: str, page: int) -> None:
    parlour, guest, _ = opened(9, 3)
    for _ in range(6):
        guest.says(turn)
    assert f"Halaman {page} dari 3" in guest.last.text
    parlour.close()


def test_an_item_of_any_page_can_be_bought() -> None:
    parlour, guest, _ = opened(30, 7)
    guest.taps("Berikutnya")
    guest.taps("Berikutnya")
    guest.taps("Item 20")
    assert guest.draft.item == "Item 20"
    parlour.close()


def test_a_page_is_kept_when_the_question_is_put_again() -> None:
    parlour, guest, first = opened(30, 7)
    guest.taps("Berikutnya")
    for doing in ("zzz", "/nonsense"):
        assert "Halaman 2 dari 5" in guest.says(doing).text
    view = guest.presses(first.choices[0].data)
    assert view is not None
    assert "Halaman 2 dari 5" in view.text
    parlour.close()


def test_another_question_begins_at_its_first_page() -> None:
    parlour, guest, _ = opened(30, 7)
    guest.taps("Berikutnya")
    guest.taps("Item 8")
    guest.taps("Kembali")
    assert "Halaman 1 dari 5" in guest.last.text
    parlour.close()


def test_a_shelf_that_shrinks_under_a_page_shows_its_last() -> None:
    other, guest, _ = opened(30, 7)
    for _ in range(4):
        guest.taps("Berikutnya")
    other.stock({"free-fire": [("1", "Item 1", 1_000)]})
    guest.says("?")
    assert [choice.label for choice in guest.last.choices] == ["Item 1", BACK_LABEL]
    other.close()


def test_the_same_person_on_a_smaller_screen_reaches_everything() -> None:
    parlour, guest, _ = opened(20, 12)
    guest.taps("Berikutnya")
    guest.limit = 3
    view = guest.says("?")
    assert "Halaman 2 dari 7" in view.text
    assert len(items_of(view)) == 3
    assert guest.step is StepId.ITEM
    parlour.close()


def test_going_back_begins_at_the_first_page_too() -> None:
    parlour = Parlour()
    items = [(str(n), f"Item {n}", 1_000 + n) for n in range(9)]
    parlour.stock({**SHELF, "free-fire": items})
    guest = parlour.guest("budi", limit=3)
    guest.says("/start free-fire")
    guest.taps("Berikutnya")
    assert "Halaman 2 dari 3" in guest.last.text
    guest.taps("Kembali")
    assert "Halaman 1 dari 2" in guest.last.text
    parlour.close()
