"""Whole stories with every supplier: bought and delivered, refused, silent, away, and back.

At the end of each (``mall``) the books are in order, nothing was raised that nobody saw, and no
key of any supplier stands in a log, a message, a metric or the database (S1).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.kiosgame import Kiosgame
from shop.suppliers import Refused, TopupReport, TopupRequest
from shop.time import MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.mall import (
    APIGAMES,
    CANARY,
    KIOSGAME,
    OTOMAX,
    SENPAY,
    STALLS,
    ZONEGAME,
    ZULTOPUP,
    Mall,
    Stall,
    mall,
)
from tests.journeys.test_money import yes

CREDIT = 50_000
DONE = "Top up masuk!"
GIVEN_BACK = "sudah kembali ke saldomu"
TAKES_LONG = "belum selesai setelah 15 menit"

on_sqlite = pytest.mark.parametrize("on_a_database", ["sqlite"], indirect=True)
each_stall = pytest.mark.parametrize("stall", STALLS, ids=str)


def of(*stalls: Stall) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stall", stalls, ids=str)


def serial_of(entry: dict[str, Any]) -> str:
    """What the customer is to be shown of a supplier's note: what stands behind ``RefId:``."""
    return str(entry["sn"]).split()[-1]


def is_delivered(there: Mall, person: Person, stall: Stall) -> None:
    """Once at the supplier, once to the customer, with the number that is the supplier's."""
    [entry] = there.accepted_by(stall)
    assert entry["status"] == stall.done
    assert there.orders_of(person)[-1]["status"] == "delivered"
    assert person.count(DONE) == 1
    assert person.sees(DONE).view.copy == serial_of(entry)


def is_given_back(there: Mall, person: Person) -> None:
    """All of it, once, with one message."""
    assert there.orders_of(person)[-1]["status"] == "refunded"
    assert there.credit(person) == CREDIT
    assert person.count(GIVEN_BACK) == 1
    assert person.count(DONE) == 0


# --- bought and delivered -------------------------------------------------------------------------


@each_stall
async def test_goods_paid_from_the_wallet_come_though_every_callback_is_lost(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        if stall.calls_back:
            there.deaf_to(stall)
        await there.buys(budi, stall)
        await there.after(MINUTE)
        is_delivered(there, budi, stall)
        assert there.rows("SELECT digest FROM inbox") == []
        await there.after(40 * MINUTE)
        is_delivered(there, budi, stall)
        assert there.credit(budi) == CREDIT - there.orders_of(budi)[0]["price"]


@on_sqlite
@each_stall
async def test_goods_paid_by_the_owners_qris_come_once_the_owner_has_seen_the_money(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.chooses(budi, stall)
        await budi.taps("qris")
        await there.work()
        await budi.taps("Sudah bayar")
        await there.after(MINUTE)
        assert there.accepted_by(stall) == []
        await yes(there.owner, "Sudah dibayar")
        await there.after(MINUTE)
        is_delivered(there, budi, stall)


@on_sqlite
async def test_a_deposit_at_one_supplier_pays_for_goods_of_each(tmp_path: Path) -> None:
    async with mall(tmp_path) as there:
        stalls = [ZONEGAME, SENPAY, KIOSGAME, APIGAMES, ZULTOPUP]
        for stall in stalls:
            person = there.person(stall.slug)
            await there.chooses(person, stall)
            await person.taps("deposit")
            await there.work()
            await there.pay_deposit()
            await there.after(90 * SECOND)
            is_delivered(there, person, stall)
        for stall in stalls:
            if stall is not SENPAY:
                real = there.simulators[stall.slug].journal()["balance"]
                assert there.balance(f"supplier:{stall.slug}") == real


@of(
    replace(ZONEGAME, sku="MLID86"),
    replace(KIOSGAME, sku="S4_ML86"),
    replace(OTOMAX, sku="S4_ML86"),
)
@on_sqlite
async def test_o10_id_and_server_arrive_as_they_were_confirmed(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.gives_credit(budi, CREDIT)
        await there.chooses(budi, stall, "938572270 (12729)", "mobile-legends")
        await budi.taps("wallet")
        await there.after(MINUTE)
        [entry] = there.accepted_by(stall)
        ordered = (entry["code"], entry["target"] + entry["server"])
        assert ordered == (stall.sku, "93857227012729")
        is_delivered(there, budi, stall)


@on_sqlite
async def test_o10_senpays_form_is_filled_in_with_what_was_confirmed(tmp_path: Path) -> None:
    stall = replace(SENPAY, sku="GI-BJ-V3GI_60")
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.gives_credit(budi, CREDIT)
        await there.chooses(budi, stall, "812345678", "genshin-impact")
        budi.sees("Cek dulu", "Asia")
        await budi.taps("wallet")
        await there.after(MINUTE)
        [entry] = there.accepted_by(stall)
        assert entry["more"] == {"id": "812345678", "server": "os_asia"}
        is_delivered(there, budi, stall)


# --- refused, or failed ---------------------------------------------------------------------------


@each_stall
async def test_what_fails_at_the_supplier_is_given_back_once(tmp_path: Path, stall: Stall) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.buys(budi, stall)
        await there.work()
        [entry] = there.accepted_by(stall)
        await there.tell(stall, "finish", ref=entry["id"], status=stall.failed)
        await there.after(2 * MINUTE)
        is_given_back(there, budi)
        await there.after(40 * MINUTE)
        is_given_back(there, budi)
        if stall is not SENPAY:  # which tells no balance
            await there.owner.says("/saldo")
            await there.work()
            assert there.balance(f"supplier:{stall.slug}") == _has(there, stall)
            assert there.balance(f"cost:{stall.slug}") == 0
        assert there.cases() == []


def _has(there: Mall, stall: Stall) -> int:
    return int(there.simulators[stall.slug].journal()["balance"])


@on_sqlite
async def test_what_senpay_refunds_later_is_our_balance_again(tmp_path: Path) -> None:
    async with mall(tmp_path, [SENPAY]) as there:
        budi = there.person()
        await there.buys(budi, SENPAY)
        await there.work()
        [entry] = there.accepted_by(SENPAY)
        await there.tell(SENPAY, "finish", ref=entry["id"], status="failed")
        await there.after(2 * MINUTE)
        assert there.balance("supplier:senpay") == 500_000 - entry["price"]
        await there.tell(SENPAY, "finish", ref=entry["id"], status="refund")
        await there.after(40 * MINUTE)
        assert there.balance("supplier:senpay") == 500_000
        is_given_back(there, budi)


@on_sqlite
async def test_an_account_of_another_region_is_named_to_its_owner(tmp_path: Path) -> None:
    async with mall(tmp_path, [ZONEGAME]) as there:
        budi, books = there.person(), there.prepaid[0]._books
        books.put(replace(books.item("FF70"), region="BR"))
        await there.buys(budi, ZONEGAME, "938572270")
        await there.after(MINUTE)
        budi.sees("Akun Whyy bukan dari region BR; 70 Diamond hanya untuk region itu", GIVEN_BACK)
        is_given_back(there, budi)
        assert there.accepted_by(ZONEGAME) == []
        assert await there.sells(ZONEGAME)
        assert there.cases() == []


@pytest.mark.parametrize(
    ("stall", "game", "account", "shown"),
    [
        (replace(KIOSGAME, sku="S4_ML86"), "mobile-legends", "00012345 2001", "00012345 (2001)"),
        (replace(OTOMAX, sku="S4_ML86"), "mobile-legends", "00012345 2001", "00012345 (2001)"),
        (KIOSGAME, "free-fire", "000123456", "000123456"),
    ],
    ids=["nickname", "nickname by otomax", "user id"],
)
@on_sqlite
async def test_an_account_that_does_not_exist_is_named_to_its_buyer(
    tmp_path: Path, stall: Stall, game: str, account: str, shown: str
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.gives_credit(budi, CREDIT)
        await there.chooses(budi, stall, account, game)
        await budi.taps("wallet")
        await there.after(MINUTE)
        budi.sees(f"Akun {shown} tidak ditemukan untuk", "Cek lagi ID-nya", GIVEN_BACK)
        is_given_back(there, budi)
        assert there.accepted_by(stall) == []
        assert await there.sells(stall, game)


@of(ZONEGAME, KIOSGAME, OTOMAX)
async def test_a_supplier_without_our_money_is_off_the_shelf_until_it_has_some(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi, siti, owner = there.person(), there.person("siti"), there.owner
        await there.buys(budi, stall)
        await there.buys(siti, stall, "987654321")
        await there.tell(stall, "balance", balance=100)
        await there.after(40 * MINUTE)
        is_given_back(there, budi)
        assert owner.count("Saldo kita di") == 1
        assert not await there.sells(stall)
        assert there.orders_of(siti)[-1]["status"] == "paid"
        assert siti.count(TAKES_LONG) == 1
        await there.tell(stall, "balance", balance=2_000_000)
        await owner.says("/saldo")
        await there.after(5 * MINUTE)
        assert await there.sells(stall)
        assert owner.count("sudah bisa dipakai lagi") == 1
        assert owner.count("Saldo kita di") == 1
        [entry] = there.accepted_by(stall)
        assert (entry["target"], entry["status"]) == ("987654321", stall.done)
        assert siti.count(DONE) == 1


@of(ZONEGAME, SENPAY, KIOSGAME, OTOMAX)
@on_sqlite
async def test_what_a_supplier_sells_no_more_is_off_the_shelf_at_once(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.buys(budi, stall)
        await there.tell(stall, "product", code=stall.sku, active=False)
        assert await there.sells(stall)
        await there.after(MINUTE)
        is_given_back(there, budi)
        assert there.accepted_by(stall) == []
        assert not await there.sells(stall)
        await there.tell(stall, "product", code=stall.sku, active=True)
        await there.after(11 * MINUTE)
        assert await there.sells(stall)


# --- away, and back -------------------------------------------------------------------------------


def told_of(there: Mall, stall: Stall) -> list[str]:
    """What the log says of whether a supplier is there."""
    events = ("supplier.away", "supplier.back")
    of_theirs = (line for line in there.logs if line.get("supplier") == stall.slug)
    return [line["event"] for line in of_theirs if line["event"] in events]


async def waits_for_its_qr_to_be_paid(there: Mall, person: Person, stall: Stall) -> None:
    await there.chooses(person, stall)
    await person.taps("qris")
    await there.work()


async def is_paid(there: Mall, person: Person) -> None:
    await person.taps("Sudah bayar")
    await there.work()
    await yes(there.owner, "Sudah dibayar")


async def goes_on_selling(there: Mall, stall: Stall) -> None:
    person = there.person("somebody-else")
    await there.buys(person, stall)
    await there.after(MINUTE)
    is_delivered(there, person, stall)


@pytest.mark.parametrize("how", ["gone", "slow", "html"])
@of(ZONEGAME, SENPAY, KIOSGAME, APIGAMES)
@on_sqlite
async def test_o1_a_silent_supplier_is_off_the_shelf_and_paid_orders_wait_for_it(
    tmp_path: Path, stall: Stall, how: str
) -> None:
    other = KIOSGAME if stall is ZONEGAME else ZONEGAME
    async with mall(tmp_path, [stall, other]) as there:
        budi, siti, owner = there.person(), there.person("siti"), there.owner
        await waits_for_its_qr_to_be_paid(there, budi, stall)
        await there.buys(siti, stall, "987654321")
        await falls_silent(there, stall, how)
        await there.after(13 * MINUTE)
        assert not await there.sells(stall)
        await is_paid(there, budi)
        await goes_on_selling(there, other)
        await there.after(20 * MINUTE)
        assert told_of(there, stall) == ["supplier.away"]
        assert owner.count("tidak menjawab") == 1
        assert there.orders_of(budi)[0]["status"] == "paid"
        assert budi.count(TAKES_LONG) == 1
        await speaks_again(there, stall)
        await there.after(10 * MINUTE)
        assert await there.sells(stall)
        assert told_of(there, stall) == ["supplier.away", "supplier.back"]
        assert owner.count("sudah bisa dipakai lagi") == 1
        for person, account in ((budi, "123456789"), (siti, "987654321")):
            [entry] = [it for it in there.accepted_by(stall) if it["target"] == account]
            assert person.sees(DONE).view.copy == serial_of(entry)
            assert person.count(DONE) == 1
        assert there.cases() == []


async def falls_silent(there: Mall, stall: Stall, how: str) -> None:
    match how:
        case "gone":
            there.line.cut.add(f"/{stall.slug}/")
        case "slow":
            there.line.slow.add(f"/{stall.slug}/")
        case fault:
            await there.fault(stall, fault, f"/{stall.slug}/", count=100_000)


async def speaks_again(there: Mall, stall: Stall) -> None:
    there.line.cut.clear()
    there.line.slow.clear()
    await there.tell(stall, "fault", kind="clear")


@of(ZONEGAME, SENPAY, KIOSGAME, OTOMAX, ZULTOPUP)
@on_sqlite
async def test_o1_a_supplier_that_refuses_our_key_is_off_the_shelf_until_it_is_mended(
    tmp_path: Path, stall: Stall
) -> None:
    other = KIOSGAME if stall is ZONEGAME else ZONEGAME
    async with mall(tmp_path, [stall, other]) as there:
        budi, owner, right = there.person(), there.owner, there.settings
        await there.buys(budi, stall)
        await has_another_key(there, stall)
        await there.after(16 * MINUTE)
        assert not await there.sells(stall)
        assert there.orders_of(budi)[0]["status"] == "paid"
        assert budi.count(TAKES_LONG) == 1
        assert told_of(there, stall) == ["supplier.away"]
        assert owner.count("menolak kunci API kita") == 1
        await goes_on_selling(there, other)
        there.settings = right
        await there.restart()
        await there.after(5 * MINUTE)
        assert await there.sells(stall)
        assert told_of(there, stall) == ["supplier.away", "supplier.back"]
        assert owner.count("sudah bisa dipakai lagi") == 1
        await there.after(5 * MINUTE)
        [entry] = there.accepted_by(stall)
        assert budi.sees(DONE).view.copy == serial_of(entry)


async def has_another_key(there: Mall, stall: Stall) -> None:
    """A mistake in the settings: with them, the shop is started again."""
    of = dict(there.settings.of_suppliers)
    of[stall.slug] = replace(of[stall.slug], api_key=lambda: (f"invalid-{CANARY}",))
    there.settings = there.settings.model_copy(update={"of_suppliers": of})
    await there.restart()


# --- keys -----------------------------------------------------------------------------------------


class Talkative(Kiosgame):
    """Says in its own words what it was asked with."""

    async def topup(self, request: TopupRequest) -> TopupReport:
        raise Refused(f"kiosgame: no, {self._in_query()}")


async def tells_all(folder: Path, seen: list[str]) -> None:
    async with mall(folder, [OTOMAX]) as there:
        adapter = Talkative(there.settings.of_suppliers["kiosgame"], clock=there.clock)
        there.seams = replace(there.seams, suppliers=[adapter])
        await there.restart()
        await there.buys(there.person(), OTOMAX)
        assert await there.leaks() == []
        await there.after(MINUTE)
        seen += await there.leaks()


@on_sqlite
async def test_s1_a_key_that_stood_anywhere_would_be_noticed(tmp_path: Path) -> None:
    seen: list[str] = []
    with pytest.raises(AssertionError):  # at the end of every mall
        await tells_all(tmp_path, seen)
    assert {"logs", "order_events"} <= set(seen)
