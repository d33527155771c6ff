"""What may be there already is ordered nowhere else, and not given back, by the shop itself."""

from pathlib import Path
from typing import Any

import pytest

from shop.time import MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.mall import KIOSGAME, ZULTOPUP, Mall, mall
from tests.fakes.street import street
from tests.journeys.test_money import yes
from tests.journeys.test_one_shelf import (
    confirms,
    delivered,
    everywhere,
    one_shelf,
    pays,
    reads_the_lists,
)
from tests.journeys.test_restored import restored_in_between

CAME = {"success", "SUCCESS", "Success"}


def the_order(there: Mall, person: Person) -> dict[str, Any]:
    return there.orders_of(person)[-1]


def kinds_of_cases(there: Mall, person: Person) -> list[str]:
    order = the_order(there, person)["id"]
    return [case["kind"] for case in there.cases() if case["order_id"] == order]


async def test_o2_what_is_ordered_once_more_by_the_owners_word_goes_to_no_other(
    tmp_path: Path,
) -> None:
    """The supplier's no to the second one says that it has the first."""
    async with mall(tmp_path, (ZULTOPUP, KIOSGAME), apart=False) as there:
        await there.tell(ZULTOPUP, "price", code=ZULTOPUP.sku, price=9_000)
        await there.tell(KIOSGAME, "price", code=KIOSGAME.sku, price=10_300)
        await reads_the_lists(there)
        await confirms(there)
        person = there.person()
        order = await pays(there, person)
        assert order["supplier"] == ZULTOPUP.slug
        await there.fault(ZULTOPUP, "timeout", path=ZULTOPUP.ordering)
        there.simulators[ZULTOPUP.slug]._books._delivery_ms = 10 * MINUTE  # type: ignore[attr-defined]
        worker = there.shop.suppliers[0]
        await worker.make(await worker.choose())
        await there.shop.outbox.drain()
        assert the_order(there, person)["status"] == "unsure"
        await there.owner.says("/kasus")
        await there.owner.taps("1.")
        await yes(there.owner, "Tetap proses")
        await there.after(20 * MINUTE)
        assert (len(there.accepted_by(ZULTOPUP)), there.accepted_by(KIOSGAME)) == (1, [])
        assert the_order(there, person)["status"] == "refund_due"
        assert kinds_of_cases(there, person) == ["paid_failed"]
        there.owner.sees("mungkin sudah dikirim")


@pytest.mark.sqlite
@pytest.mark.parametrize("stage", ["processing", "submitting"])
async def test_o2_d2_what_another_may_have_delivered_since_the_copy_is_the_owners(
    tmp_path: Path, stage: str
) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        await pays(there, person)
        credit = there.credit(person)
        worker = there.shop.suppliers[1]
        call = await worker.choose()
        if stage == "processing":
            await worker.make(call)
        assert the_order(there, person)["status"] == stage
        async with restored_in_between(there):
            if stage == "submitting":
                await worker.make(call)
            await fails_and_another_delivers(there, person)
        await there.open()
        await there.after(20 * MINUTE)
        assert the_order(there, person)["status"] == "refund_due"
        assert there.credit(person) == credit
        assert kinds_of_cases(there, person) == ["paid_failed"]
        assert "salinan data" in repr(there.cases())
        assert len([entry for entry in everywhere(there) if entry["status"] in CAME]) == 1


@pytest.mark.sqlite
async def test_o2_d2_nor_is_it_ordered_again_if_the_first_question_has_no_answer(
    tmp_path: Path,
) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        await pays(there, person)
        worker = there.shop.suppliers[1]
        await worker.make(await worker.choose())
        async with restored_in_between(there):
            await fails_and_another_delivers(there, person)
            there.deaf_to(KIOSGAME)
        await there.open()
        await there.fault(KIOSGAME, "500", path=KIOSGAME.asking, count=3)
        await there.after(30 * MINUTE)
        assert len([entry for entry in everywhere(there) if entry["status"] in CAME]) == 1
        assert the_order(there, person)["status"] == "refund_due"


async def fails_and_another_delivers(there: Mall, person: Person) -> None:
    [entry] = there.accepted_by(KIOSGAME)
    await there.tell(KIOSGAME, "finish", ref=entry["ref"], status=KIOSGAME.failed)
    await there.after(10 * MINUTE)
    delivered(there, person)


async def test_one_customer_cannot_take_a_supplier_off_the_shelf(tmp_path: Path) -> None:
    """Though nothing that this one asks for is answered."""
    async with street(tmp_path) as there:
        odd = there.person("odd")
        worker = there.shop.suppliers[0]
        for nth in range(3):
            await there.control("fault", kind="500", count=1, path="order/create")
            await odd.says("/start")
            await odd.taps("Free Fire")
            await odd.taps("70 Diamond")
            await odd.says(f"66666666{nth}")
            await odd.taps("Bayar")
            await worker.make(await worker.choose())
            there.clock.advance(11 * SECOND)
        assert there.rows("SELECT * FROM supplier_health WHERE away_since IS NOT NULL") == []
        budi = there.person()
        await budi.says("/start")
        assert "Free Fire" in budi.labels
