"""Price lists, as everybody sees them: the customer, the owner, and who types ``lapak sync``."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shop.calls import LIST_EVERY
from shop.time import HOUR, MINUTE
from tests.fakes.mall import KIOSGAME, SENPAY, Mall, mall
from tests.fakes.process import Process, started
from tests.fakes.street import Street, street
from tests.fakes.world import OWNER, World, opened_world
from tests.journeys.test_supplier_faults import Wire

SERVICES = "/api/services"
TO_THE_NEXT_LIST = LIST_EVERY + MINUTE


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


@pytest.fixture
async def wire(there: Street) -> Wire:
    wire = Wire()
    there.seams = replace(there.seams, client=wire.client)
    await there.restart()
    return wire


def price_of(there: Street, sku: str) -> int | None:
    found = there.rows(f"SELECT listed FROM offers WHERE supplier = 'zultopup' AND sku = '{sku}'")
    return int(found[0]["listed"]) if found else None


# --- on a schedule, and when an owner asks --------------------------------------------------------


async def test_a_price_that_changed_is_sold_at_and_seen_by_the_owner_who_looks(
    there: Street,
) -> None:
    told = len(there.owner.messages)
    await there.control("price", code="1", price=10_500)
    await there.after(TO_THE_NEXT_LIST, step=MINUTE)
    assert price_of(there, "1") == 10_500
    assert len(there.owner.messages) == told  # nobody is written to for that
    await there.owner.says("/daftar")
    there.owner.sees("ZulTopup: 65 item", "↑ 70 Diamond (Free Fire, ZulTopup): Rp10.000 → Rp10.500")


async def test_an_owner_has_the_list_fetched_and_hears_what_changed(there: Street) -> None:
    owner = there.owner
    await there.control("price", code="1", price=9_900)
    await owner.says("/daftar")
    await owner.taps("Ambil sekarang")
    assert price_of(there, "1") == 10_000
    await there.work()
    assert price_of(there, "1") == 9_900
    owner.sees("✅ Daftar ZulTopup sudah diambil: +0 -0 ↑0 ↓1")


async def test_a_price_that_jumps_is_told_to_the_owner_who_did_not_look(there: Street) -> None:
    await there.control("price", code="1", price=13_000)
    await there.after(TO_THE_NEXT_LIST, step=MINUTE)
    there.owner.sees("↑ 70 Diamond (Free Fire): Rp10.000 → Rp13.000")


async def test_what_nobody_described_is_told_once_and_not_sold(there: Street) -> None:
    there.owner.sees("✗ Telkomsel (3)", "✗ Token PLN (1)", "LAPAK_GAMES_FILE")
    await there.restart()
    await there.after(3 * HOUR, step=5 * MINUTE)
    assert there.owner.count("Telkomsel") == 1
    assert there.rows("SELECT COUNT(*) AS n FROM offers WHERE game LIKE '~%'") == [{"n": 0}]


# --- lists with nonsense in them ------------------------------------------------------------------

HOSTILE: list[dict[str, Any]] = [
    {"harga": "abc"},
    {"harga": None},
    {"harga": -500},
    {"harga": 0},
    {"harga": 10.5},
    {"harga": True},
    {"harga": [1000]},
    {"layanan": "<b>70 Diamond</b>"},
    {"layanan": "<script>alert(1)</script>"},
    {"layanan": None},
    {"layanan": "\u202e"},
    {"kategori": "Free <i>Fire</i>"},
    {"sid": None},
    {"sid": "x" * 41},
    {"status": None},
]


async def test_hostile_rows_are_dropped_counted_and_told_and_the_rest_is_taken(
    there: Street, wire: Wire
) -> None:
    before = len(there.rows("SELECT sku FROM offers"))

    def hostile(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if SERVICES in path:
            rows = body["data"]["Games"]
            rows[0]["harga"] = "10.500"
            odd = [{**rows[1], "sid": f"evil-{nth}", **row} for nth, row in enumerate(HOSTILE)]
            body["data"]["Games"] = [*odd, "no row", None, *rows]
        return body

    wire.edit = hostile
    await there.after(TO_THE_NEXT_LIST, step=MINUTE)
    assert price_of(there, "1") == 10_500
    assert len(there.rows("SELECT sku FROM offers")) == before
    # A status that is no word says nothing of the row: it is read, and not to be had.
    dropped = len(HOSTILE) - 1 + 2
    there.owner.sees(f"tidak terbaca, jadi dilewati: {dropped}/{72 + dropped + 1}")
    await there.owner.says("/daftar")
    there.owner.sees(f"{dropped} dari {72 + dropped + 1} baris dilewati")
    await there.after(HOUR, step=5 * MINUTE)
    assert there.owner.count("jadi dilewati") == 1


async def test_a_list_that_lost_most_of_its_items_is_believed_after_an_hour(
    there: Street, wire: Wire
) -> None:
    wire.edit = lambda path, body: (
        {**body, "data": {"Games": body["data"]["Games"][:20]}} if SERVICES in path else body
    )
    await there.after(50 * MINUTE, step=5 * MINUTE)
    assert price_of(there, "101") == 52_800
    there.owner.sees("jauh lebih pendek (65 → 20 item)", "Untuk satu jam yang lama tetap dipakai")
    await there.owner.says("/daftar")
    there.owner.sees("Yang terbaru belum dipakai, jumlah item 65 → 20")
    await there.after(30 * MINUTE, step=5 * MINUTE)
    assert price_of(there, "101") is None
    there.owner.sees("sudah satu jam jauh lebih pendek (65 → 20 item)")
    assert there.owner.count("jauh lebih pendek") == 2


async def test_an_answer_that_is_no_list_keeps_the_old_one_on_sale_and_is_told(
    there: Street, wire: Wire
) -> None:
    wire.edit = lambda path, body: {**body, "data": "soon"} if SERVICES in path else body
    await there.after(40 * MINUTE, step=MINUTE)
    there.owner.sees("Daftar ZulTopup berkali-kali tidak bisa dibaca")
    assert there.owner.count("berkali-kali") == 1
    budi = there.person()
    await budi.says("/start")
    await budi.taps("Free Fire")
    budi.sees("Mau yang mana?")
    wire.edit = None
    await there.after(TO_THE_NEXT_LIST, step=MINUTE)
    await there.owner.says("/daftar")
    assert "⚠️" not in there.owner.last.text


# --- several suppliers ----------------------------------------------------------------------------


def shelf_of(there: Mall, game: str) -> list[str]:
    rows = there.rows(f"SELECT supplier, sku FROM offers WHERE game = '{game}' ORDER BY 1, 2")
    return [f"{row['supplier']}/{row['sku']}" for row in rows]


async def test_what_nobody_described_is_sold_with_the_fields_its_supplier_states(
    tmp_path: Path,
) -> None:
    async with mall(tmp_path, [KIOSGAME, SENPAY]) as there:
        new = {"name": "100 Gold", "category": "Nowhere Saga", "price": 9_000}
        await there.tell(KIOSGAME, "product", code="NS100", **new)
        await there.after(TO_THE_NEXT_LIST)
        assert shelf_of(there, "~nowhere-saga") == ["kiosgame/NS100"]
        there.owner.sees("Kiosgame", "✓ Nowhere Saga (1)", "✗ DANA (1)")
        there.owner.sees("SenPay", "✓ Pulsa Lengkap Telkomsel V3")
        await there.tell(KIOSGAME, "product", code="NS100", active=False)
        await there.after(TO_THE_NEXT_LIST)
        assert shelf_of(there, "~nowhere-saga") == []
        await there.owner.says("/daftar")
        there.owner.sees("- 100 Gold (Nowhere Saga, Kiosgame): Rp9.000")


# --- lapak sync -----------------------------------------------------------------------------------


async def synced(world: World) -> Process:
    """``lapak sync``, until it has ended."""
    async with started("sync", folder=world.folder, environment=world.environment) as process:
        await process.ended(60)
    assert "Traceback" not in process.output
    world.logs.append(process.output)
    return process


@pytest.mark.process
async def test_lapak_sync_without_a_shop_fetches_by_itself_within_the_budget(
    tmp_path: Path, on_a_database: str
) -> None:
    async with opened_world(tmp_path, on_a_database) as world:
        first = await synced(world)
        assert (first.code, "ZulTopup: 72 rows, 65 sold, 0 dropped" in first.output) == (0, True)
        await world.control("price", code="1", price=10_700)
        second = await synced(world)
        assert second.code == 0
        assert "DEARER  70 Diamond (Free Fire)" in second.output
        assert "Rp10.000 -> Rp10.700" in second.output
        counted = world.rows("SELECT purpose FROM supplier_calls")
        assert counted == [{"purpose": "list"}] * 2
        assert len((await world.truth())["calls"]) == 2
        await world.control("fault", kind="html", path=SERVICES)
        third = await synced(world)
        assert third.code == 1
        assert "lapak: ZulTopup: the list could not be read: zultopup: HTTP" in third.output


@pytest.mark.process
async def test_lapak_sync_beside_a_running_shop_has_the_shop_fetch(
    tmp_path: Path, on_a_database: str
) -> None:
    async with opened_world(tmp_path, on_a_database) as world, world.shop() as shop:
        await world.ready()
        await world.control("price", code="1", price=14_000)
        done = await synced(world)
        assert done.code == 0
        assert "The running shop fetches the lists of ZulTopup" in done.output
        assert "Rp10.000 -> Rp14.000" in done.output
        # The shop's own bot tells the owner of it.
        await world.person(OWNER, "Sari").sees("Rp10.000 → Rp14.000", timeout=20)
        assert shop.code is None
        assert len((await world.truth())["calls"]) == len(
            world.rows("SELECT at FROM supplier_calls")
        )


@pytest.mark.process
async def test_two_lapak_syncs_at_once_do_no_harm(tmp_path: Path, on_a_database: str) -> None:
    async with opened_world(tmp_path, on_a_database) as world:
        await synced(world)
        await world.control("price", code="1", price=10_700)
        both = await asyncio.gather(synced(world), synced(world))
        assert [one.code for one in both] == [0, 0]
        assert world.rows("SELECT became FROM price_changes") == [{"became": 10_700}]
