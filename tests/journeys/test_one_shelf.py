"""Whole stories on one shelf: one item from several suppliers, and who delivers when one does not.

What counts are the suppliers' journals. At the end of each the books are in order (``mall``).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shop.calls import FetchList
from shop.time import MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.mall import KIOSGAME, SENPAY, ZONEGAME, Mall, Stall, mall

GOOD = "free-fire/diamond/70"
DONE = "Top up masuk!"
GIVEN_BACK = "sudah kembali ke saldomu"
BOTH = (ZONEGAME, KIOSGAME)  # the second is cheaper
# What makes a supplier's answer to an order worth nothing.
UNKNOWN = ("timeout", "500", "429", "html", "truncated", "slow")

on_sqlite = pytest.mark.parametrize("on_a_database", ["sqlite"], indirect=True)


async def pays(there: Mall, person: Person, account: str = "123456789") -> dict[str, Any]:
    """Buy the item on credit; return the order, which is paid and not ordered yet."""
    await there.gives_credit(person, 50_000)
    there.clock.advance(11 * SECOND)
    await person.says("/start free-fire")
    await person.taps(GOOD)
    await person.says(account)
    await person.taps("wallet")
    order = there.orders_of(person)[-1]
    assert order["status"] == "paid"
    return order


@asynccontextmanager
async def one_shelf(folder: Path) -> AsyncIterator[Mall]:
    """Two suppliers whose prices lie closer together than the shop's margin."""
    async with mall(folder, BOTH, apart=False) as there:
        await there.tell(ZONEGAME, "price", code=ZONEGAME.sku, price=9_500)
        await reads_the_lists(there)
        yield there


async def reads_the_lists(there: Mall) -> None:
    for worker in there.shop.suppliers:
        await worker.make(FetchList())


async def confirms(there: Mall, words: str = "ff 70") -> None:
    """The owner says that all ways to have the item are the same."""
    await there.owner.says(f"/rute {words}")
    await there.owner.taps("Semua rute ini sama")
    there.owner.sees("semua rute ini dianggap barang yang sama")


def everywhere(there: Mall, *stalls: Stall) -> list[dict[str, Any]]:
    """Every order that any of the suppliers really has."""
    return [entry for stall in stalls or BOTH for entry in there.accepted_by(stall)]


def delivered(there: Mall, person: Person) -> None:
    """Once at one supplier, and once in the chat with that supplier's number."""
    done = [e for e in everywhere(there) if e["status"] in {"success", "SUCCESS"}]
    assert len(done) == 1
    assert there.orders_of(person)[-1]["status"] == "delivered"
    assert person.count(DONE) == 1
    assert person.sees(DONE).view.copy == str(done[0]["sn"]).split()[-1]


async def test_an_item_stands_on_the_shelf_once_at_the_best_price(tmp_path: Path) -> None:
    async with mall(tmp_path, [*BOTH, SENPAY], apart=False) as there:
        person = there.person()
        await person.says("/start free-fire")
        labels = [choice.label for choice in person.last.choices]
        assert labels.count("70 Diamond") == 1
        order = await pays(there, person)
        assert (order["supplier"], order["listed"]) == ("senpay", 9_230)
        assert (order["good"], order["content"], order["item"]) == (GOOD, 70, "70 Diamond")
        await there.after(5 * MINUTE)
        assert there.orders_of(person)[-1]["status"] == "delivered"


async def test_the_owner_sees_why_it_is_sold_so(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        await there.owner.says("/rute ff 70")
        text = there.owner.last.text
        first, second, *_ = text.split("\n\n")
        assert first.startswith("✅ 1. Kiosgame: Rp9.290 → Rp9.800\n“70 Diamonds” · S4_FF70")
        assert "Dijual lewat rute ini" in first
        assert second.startswith("▫️ 2. ZoneGame: Rp9.500")
        assert "bukan yang termurah" in second
        assert "0 dari 2 rute boleh menggantikan" in text


async def test_o5_what_the_cheapest_refuses_the_other_delivers(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        await pays(there, person)
        await there.tell(KIOSGAME, "product", code=KIOSGAME.sku, active=False)
        await there.after(5 * MINUTE)
        delivered(there, person)
        assert [len(there.accepted_by(stall)) for stall in BOTH] == [1, 0]
        assert [a["supplier"] for a in there.attempts()] == ["kiosgame", "zonegame"]


async def test_o5_nobody_stands_in_unless_the_owner_said_so(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        person = there.person()
        await pays(there, person)
        await there.tell(KIOSGAME, "product", code=KIOSGAME.sku, active=False)
        await there.after(5 * MINUTE)
        assert everywhere(there) == []
        assert person.count(GIVEN_BACK) == 1
        assert there.credit(person) == 50_000


async def test_o5_what_was_accepted_and_failed_the_other_delivers(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        await pays(there, person)
        await there.shop.suppliers[1].make(await there.shop.suppliers[1].choose())
        [entry] = there.accepted_by(KIOSGAME)
        await there.tell(KIOSGAME, "finish", ref=entry["ref"], status=KIOSGAME.failed)
        await there.after(10 * MINUTE)
        delivered(there, person)
        assert there.accepted_by(KIOSGAME)[0]["status"] == KIOSGAME.failed


@pytest.mark.parametrize("kind", UNKNOWN)
async def test_o2_what_may_have_been_ordered_is_ordered_nowhere_else(
    tmp_path: Path, kind: str
) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        await pays(there, person)
        await there.fault(KIOSGAME, kind, path=KIOSGAME.ordering)
        await there.after(30 * MINUTE)
        assert len(everywhere(there)) <= 1
        assert there.accepted_by(ZONEGAME) == []
        if there.accepted_by(KIOSGAME):
            delivered(there, person)


async def test_an_order_does_not_wait_for_a_supplier_that_fell_silent(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        await pays(there, person)
        there.line.cut = {f"/{KIOSGAME.slug}/"}
        await there.after(15 * MINUTE)
        delivered(there, person)
        assert there.accepted_by(KIOSGAME) == []


async def test_nothing_is_sold_or_delivered_at_a_loss_when_prices_rise(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        order = await pays(there, person)
        for stall in BOTH:
            await there.tell(stall, "price", code=stall.sku, price=order["ceiling"] + 1)
        await there.owner.says("/daftar")
        await there.owner.taps("Ambil sekarang")  # all due at once: lists come after orders
        await there.after(20 * MINUTE)
        assert all(attempt["cost"] <= order["ceiling"] for attempt in there.attempts())


async def test_o8b_what_became_too_dear_goes_back_and_is_ordered_nowhere(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        person = there.person()
        order = await pays(there, person)
        for stall in BOTH:
            await there.tell(stall, "price", code=stall.sku, price=order["ceiling"] + 1)
        await reads_the_lists(there)  # before the order's turn comes
        await there.after(5 * MINUTE)
        assert everywhere(there) == []
        assert person.count(GIVEN_BACK) == 1


@on_sqlite
async def test_what_the_owner_answered_survives_a_restart(tmp_path: Path) -> None:
    async with one_shelf(tmp_path) as there:
        await confirms(there)
        await there.restart()
        await there.owner.says("/rute ff 70")
        assert "2 dari 2 rute boleh menggantikan" in there.owner.last.text
