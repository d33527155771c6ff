"""Receipts: pictures that customers send, passed on to the owners who alone can tell."""

from collections.abc import Iterator

import pytest

from bot.conversation.views import View, What
from shop.cases import CaseKind
from shop.payments import PaymentMethod
from shop.time import HOUR, MINUTE, SECOND
from tests.bot.conversation.parlour import EVERY_WAY, FACE, OWNER, TEXTS, Guest, Parlour
from tests.bot.owner.claims import PRICE, SECOND_OWNER, case_of, claimed, press, waiting

say, money = TEXTS["id"], TEXTS["id"].money


@pytest.fixture
def parlour() -> Iterator[Parlour]:
    opened = Parlour(owners=(OWNER, SECOND_OWNER), rules=EVERY_WAY)
    opened.fund(1_000_000)
    yield opened
    opened.close()


@pytest.fixture
def owner(parlour: Parlour) -> Guest:
    return parlour.guest(address=OWNER)


@pytest.fixture
def second(parlour: Parlour) -> Guest:
    return parlour.guest(address=SECOND_OWNER)


def receipts(guest: Guest) -> list[View]:
    return [view for view in guest.views if "🧾" in view.text]


def test_a_picture_is_passed_on_where_the_owner_reads_the_same_channel(
    parlour: Parlour, second: Guest, owner: Guest
) -> None:
    ani = parlour.guest(address="telegram:7")
    order = waiting(parlour, ani)
    view = ani.shares(What.PICTURE, "photo-77")
    assert view == View(text=say("picture.asking_the_owner"))
    parlour.post()
    (there,), (elsewhere,) = receipts(second), receipts(owner)
    assert there.file == "photo-77"
    assert elsewhere.file == ""
    assert "tidak bisa ditampilkan di sini" in elsewhere.text
    for shown in (there, elsewhere):
        for part in (order.id, ani.address, money(PRICE), order.item):
            assert part in shown.text
    assert case_of(parlour, order).kind is CaseKind.CLAIMED


def test_a_picture_without_a_name_is_told_in_words(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    waiting(parlour, budi)
    budi.shares(What.PICTURE)
    parlour.post()
    (shown,) = receipts(owner)
    assert (shown.file, "tidak bisa ditampilkan di sini" in shown.text) == ("", True)


def test_a_picture_a_minute_is_passed_on_and_the_owners_are_asked_once(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order = waiting(parlour, budi)
    for nth in range(6):
        budi.shares(What.PICTURE, f"photo-{nth}")
        parlour.clock.advance(30 * SECOND)
    parlour.post()
    assert [view.file for view in receipts(owner)] == ["photo-0", "photo-2", "photo-4"]
    asked = [view for view in owner.views if view.title == say("case.title", order=order.id)]
    assert len(asked) == 1


def test_a_picture_is_about_every_order_that_waits_and_about_nobody_elses(
    parlour: Parlour, budi: Guest, siti: Guest, owner: Guest
) -> None:
    theirs = waiting(parlour, siti, "987654321")
    mine = [waiting(parlour, budi)]
    parlour.clock.advance(MINUTE)
    mine.append(waiting(parlour, budi, "555666777"))
    budi.shares(What.PICTURE, "photo")
    parlour.post()
    shown = receipts(owner)
    assert len(shown) == 2
    for order, view in zip(mine, sorted(shown, key=lambda it: it.text.find(mine[0].id) < 0),
                           strict=True):  # fmt: skip
        assert order.id in view.text
    assert parlour.books.cases.open_for(theirs.id) is None


def test_a_picture_of_a_payment_to_a_supplier_is_nobodys_to_read(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    budi.walks_to_confirmation()
    budi.taps(PaymentMethod.DROPSHIP)
    parlour.show_qr(parlour.orders[0].id)
    view = budi.shares(What.PICTURE, "photo")
    parlour.post()
    assert view == View(text=say("picture.asking"))
    assert receipts(owner) == []


def test_a_picture_that_comes_after_the_end_of_the_qr_still_reaches_the_owner(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order, case = claimed(parlour, budi)
    parlour.clock.advance(HOUR)
    view = budi.shares(What.PICTURE, "photo")
    parlour.post()
    assert view == View(text=say("picture.asking_the_owner"))
    assert [order.id in shown.text for shown in receipts(owner)] == [True]
    assert case_of(parlour, order) == case


def test_a_picture_of_what_the_owner_has_confirmed_is_passed_to_nobody(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    order, case = claimed(parlour, budi)
    press(owner, case, "paid")
    press(owner, case, "yes-paid")
    view = budi.shares(What.PICTURE, "photo")
    parlour.post()
    assert view == View(text=say("claim.already_paid", order=order.id))
    assert (receipts(owner), parlour.books.cases.open_for(order.id)) == ([], None)


def test_a_picture_with_nothing_to_pay_is_passed_to_nobody(
    parlour: Parlour, budi: Guest, owner: Guest
) -> None:
    budi.says("/start")
    view = budi.shares(What.PICTURE, "photo")
    parlour.post()
    assert view == View(text=say("picture.nothing", support=FACE.support))
    assert receipts(owner) == []
