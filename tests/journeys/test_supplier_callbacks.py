"""What suppliers tell by themselves, over real HTTP: early, late, twice, reversed, and forged.

A callback is signed and believed, or a reason to ask; neither ever gives anything twice.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shop.calls import Idle
from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.mall import (
    APIGAMES,
    CALLING_BACK,
    DOOR_SECRET,
    KIOSGAME,
    OTOMAX,
    SENPAY,
    ZONEGAME,
    Mall,
    Stall,
    mall,
)
from tests.journeys.test_money import yes
from tests.journeys.test_suppliers import (
    CREDIT,
    DONE,
    GIVEN_BACK,
    is_delivered,
    is_given_back,
    of,
    on_sqlite,
)

each_that_calls_back = of(*CALLING_BACK)
FF70, FF5 = "FF-BJ-V3FF_ID_70", "FF-BJ-V3FF_ID_5"


def asked(there: Mall, stall: Stall) -> int:
    """How often a supplier was asked about an order."""
    return sum(stall.asking in sent.path for sent in there.line.sent)


# --- told in time ---------------------------------------------------------------------------------


@each_that_calls_back
@pytest.mark.parametrize("secret", [True, False], ids=["secret", "open"])
async def test_goods_come_by_a_callback_before_anybody_would_have_asked(
    tmp_path: Path, stall: Stall, *, secret: bool
) -> None:
    settings = {} if secret else {"callback_secrets": ()}
    async with mall(tmp_path, [stall], **settings) as there:
        assert (DOOR_SECRET in there.settings.callback_url(stall.slug)) is secret
        budi = there.person()
        await there.buys(budi, stall)
        await there.after(4 * SECOND)
        is_delivered(there, budi, stall)
        assert asked(there, stall) == (0 if stall.signs else 1)
        [told] = there.tries_of(stall)
        assert (told["method"], told["status"]) == ("GET" if stall is OTOMAX else "POST", 200)
        assert [row["due_at"] for row in there.rows("SELECT due_at FROM inbox")] == [None]


@each_that_calls_back
@on_sqlite
async def test_c1_nothing_is_stored_behind_the_wrong_door(tmp_path: Path, stall: Stall) -> None:
    async with mall(tmp_path, [stall]) as there:
        await there.buys(there.person(), stall)
        await there.work()
        door = f"/callbacks/{stall.slug}"
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            for path in (door, f"{door}/{DOOR_SECRET[:-1]}", f"{door}/{DOOR_SECRET}/more"):
                url = str(there.server.make_url(path))
                answers = [await client.request(how, url) for how in ("POST", "GET")]
                assert [answer.status_code for answer in answers] == [404, 404]
        assert there.rows("SELECT digest FROM inbox") == []


@of(ZONEGAME, KIOSGAME, APIGAMES)
@on_sqlite
async def test_c1_a_word_that_is_not_signed_moves_nothing(tmp_path: Path, stall: Stall) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.buys(budi, stall)
        await there.work()
        [attempt] = there.attempts()
        body = {"trx_id": attempt["ref"], "ref_id": attempt["ref"], "merchant_id": "DEMO"}
        forged = json.dumps({**body, "status": stall.done})
        for name in ("x-signature", "X-Apigames-Authorization"):
            answer = await there.brings(stall, forged, {name: "0" * 64})
            assert answer.status_code == 401
        await there.takes_in()
        assert there.orders_of(budi)[0]["status"] == "processing"
        assert there.rows("SELECT digest FROM inbox") == []


# --- too early, twice, too late -------------------------------------------------------------------


@each_that_calls_back
@pytest.mark.parametrize("answered", [True, False], ids=["answered", "unanswered"])
async def test_c4_what_a_callback_says_before_our_order_is_answered_is_not_lost(
    tmp_path: Path, stall: Stall, *, answered: bool
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.fault(stall, "callback_before_the_answer")
        if not answered:
            await there.fault(stall, "truncated", stall.ordering)
        stood: list[str] = []

        async def is_taken_in() -> None:
            stood.extend(row["status"] for row in there.orders_of(budi))
            assert await there.takes_in()
            for worker in there.shop.suppliers:  # another process may look what is due
                assert isinstance(await worker.choose(), Idle)

        there.line.meanwhile(stall.ordering, is_taken_in)
        await there.buys(budi, stall)
        await there.after(MINUTE)
        assert stood == ["submitting"]
        is_delivered(there, budi, stall)
        events = {row["event"] for row in there.rows("SELECT event FROM order_events")}
        assert answered or stall.signs or "outcome_unknown" in events
        assert not (answered and "outcome_unknown" in events)
        assert there.cases() == []
        assert len(there.orders_sent(stall)) == 1
        assert there.credit(budi) == CREDIT - there.orders_of(budi)[0]["price"]


@each_that_calls_back
@on_sqlite
async def test_c4_a_callback_that_comes_twice_says_it_once(tmp_path: Path, stall: Stall) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.fault(stall, "callback_twice")
        await there.buys(budi, stall)
        await there.after(MINUTE)
        assert [told["status"] for told in there.tries_of(stall)] == [200, 200]
        assert len(there.rows("SELECT digest FROM inbox")) == 1
        is_delivered(there, budi, stall)


@each_that_calls_back
@on_sqlite
async def test_c4_a_callback_after_the_question_says_nothing_new(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi = there.person()
        await there.fault(stall, "callback_late")
        await there.buys(budi, stall)
        await there.after(9 * SECOND)
        is_delivered(there, budi, stall)
        before = asked(there, stall)
        await there.after(MINUTE)
        assert [told["status"] for told in there.tries_of(stall)] == [200]
        is_delivered(there, budi, stall)
        assert asked(there, stall) == before
        assert there.cases() == []


@of(ZONEGAME, SENPAY)
async def test_l10_what_comes_after_the_owner_gave_the_money_back_is_a_case(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi, owner = there.person(), there.owner
        there.deaf_to(stall)
        await there.fault(stall, "truncated", stall.ordering)
        if stall is ZONEGAME:
            await there.fault(stall, "missing", count=500)
        await there.buys(budi, stall)
        await there.after(35 * MINUTE)
        await yes(owner, "Kembalikan dana")
        await there.work()
        is_given_back(there, budi)
        there.hears(stall)
        await there.tell(stall, "fault", kind="clear")
        await tells(there, stall, stall.done)
        is_given_back(there, budi)
        assert [case["kind"] for case in there.cases()] == ["conflict"]
        await yes(owner, "Catat rugi")
        await there.work()
        is_given_back(there, budi)
        assert there.cases() == []


# --- said otherwise -------------------------------------------------------------------------------


async def tells(there: Mall, stall: Stall, status: str) -> None:
    """Have a supplier end its only order in another way, and say so."""
    [entry] = there.accepted_by(stall)
    await there.tell(stall, "finish", ref=entry["id"], status=status)
    await there.after(MINUTE)


@each_that_calls_back
async def test_l10_a_success_after_the_refund_is_a_case_and_nothing_moves(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi, owner = there.person(), there.owner
        await there.buys(budi, stall)
        await there.work()
        await tells(there, stall, stall.failed)
        is_given_back(there, budi)
        await tells(there, stall, stall.done)
        is_given_back(there, budi)
        assert [case["kind"] for case in there.cases()] == ["conflict"]
        owner.sees("Pemasok berkata lain dari sebelumnya")
        await there.after(40 * MINUTE)
        is_given_back(there, budi)


@each_that_calls_back
async def test_o6_a_failure_after_the_goods_is_a_case_and_nothing_moves(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        budi, owner = there.person(), there.owner
        await there.buys(budi, stall)
        await there.after(MINUTE)
        await tells(there, stall, stall.failed)
        assert there.orders_of(budi)[0]["status"] == "delivered"
        assert (budi.count(DONE), budi.count(GIVEN_BACK)) == (1, 0)
        assert [case["kind"] for case in there.cases()] == ["conflict"]
        owner.sees("Pemasok berkata lain dari sebelumnya")
        await yes(owner, "Kembalikan dana")
        await there.after(MINUTE)
        assert there.credit(budi) == CREDIT


# --- of somebody else's order ---------------------------------------------------------------------


@on_sqlite
async def test_c4b_an_order_that_is_not_ours_is_told_to_the_owner_once(tmp_path: Path) -> None:
    async with mall(tmp_path, [ZONEGAME]) as there:
        of_zonegame = there.settings.of_suppliers["zonegame"]
        order = {"product_code": "FF5", "target": "123456789", "trx_id": "BY-HAND-1"}
        order["callback_url"] = there.settings.callback_url("zonegame")
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            url = f"{of_zonegame.url}/api/v1/order"
            key = {"Authorization": f"Bearer {of_zonegame.api_key()[0]}"}
            await client.post(url, json=order, headers=key)
        await there.after(9 * MINUTE)
        assert there.owner.count("BY-HAND-1") == 0
        await there.after(2 * MINUTE)
        assert there.owner.count("BY-HAND-1") == 1
        assert there.orders == []
        await there.after(HOUR)
        assert there.owner.count("BY-HAND-1") == 1


async def lost_answer(there: Mall) -> dict[str, Any]:
    """Siti's order is made at SenPay, and its answer does not come: nothing names it yet."""
    siti = there.person("siti")
    there.deaf_to(SENPAY)
    await there.fault(SENPAY, "truncated", SENPAY.ordering)
    await there.buys(siti, SENPAY, "987654321")
    await there.after(MINUTE)
    assert there.orders_of(siti)[0]["status"] == "unsure"
    there.hears(SENPAY)
    return there.accepted_by(SENPAY)[-1]


def webhook(reference: str, partner_reference: str, status: str = "success") -> str:
    said = {
        "webhook_type": "transaction_status",
        "reference": reference,
        "partner_reference": partner_reference,
        "status": status,
        "sn": "4711",
        "note": "Transaksi berhasil",
        "sent_at": "2026-11-20T05:10:00.000000Z",
    }
    return json.dumps(said)


async def test_senpays_webhook_brings_the_reference_and_its_answer_the_proof(
    tmp_path: Path,
) -> None:
    async with mall(tmp_path, [SENPAY]) as there:
        entry = await lost_answer(there)
        assert asked(there, SENPAY) == 0
        siti = there.person("siti")
        await there.tell(SENPAY, "finish", ref=entry["id"], status="success")
        await there.after(20 * SECOND)
        assert asked(there, SENPAY) == 1
        assert siti.sees(DONE).view.copy == entry["sn"]
        is_delivered(there, siti, SENPAY)


@pytest.mark.parametrize("forged", ["another's", "nobody's"])
async def test_c1_a_forged_reference_moves_nothing_and_the_right_one_still_does(
    tmp_path: Path, forged: str
) -> None:
    async with mall(tmp_path, [SENPAY]) as there:
        budi, siti = there.person(), there.person("siti")
        await there.buys(budi, SENPAY)
        await there.after(MINUTE)
        [budis] = there.accepted_by(SENPAY)
        entry = await lost_answer(there)
        reference = budis["id"] if forged == "another's" else "TRX261120000000000"
        for status in ("success", "failed"):
            answer = await there.brings(SENPAY, webhook(reference, entry["ref"], status))
            assert answer.json()["status"] == 200
            await there.after(15 * SECOND)
        assert there.orders_of(siti)[0]["status"] == "unsure"
        assert (siti.count(DONE), siti.count(GIVEN_BACK), budi.count(DONE)) == (0, 0, 1)
        await there.tell(SENPAY, "finish", ref=entry["id"], status="success")
        await there.after(MINUTE)
        assert there.orders_of(siti)[0]["status"] == "delivered"
        assert siti.sees(DONE).view.copy == there.accepted_by(SENPAY)[-1]["sn"]
        assert budi.count(DONE) == 1


# --- prices ---------------------------------------------------------------------------------------


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Mall]:
    async with mall(tmp_path, [SENPAY]) as opened:
        yield opened


def prices(**rows: Any) -> str:
    return json.dumps({"webhook_type": "price_update", **rows})


def shelf(there: Mall, sku: str = FF70) -> tuple[int, bool]:
    """What an item is listed for, and whether it is sold."""
    [row] = there.rows(f"SELECT listed, withheld FROM offers WHERE sku = '{sku}'")
    return row["listed"], not row["withheld"]


def prices_asked(there: Mall) -> list[str]:
    return [it.path.rpartition("/")[2] for it in there.line.sent if "/prepaid/product/" in it.path]


@on_sqlite
async def test_o8b_what_became_dearer_is_not_sold_until_its_price_was_read(there: Mall) -> None:
    await there.tell(SENPAY, "price", code=FF70, price=12_000)
    await there.settles()
    await there.takes_in()
    assert shelf(there) == (9_230, False)
    assert not await there.sells(SENPAY)
    assert prices_asked(there) == []
    await there.work()
    assert prices_asked(there) == [FF70]
    assert shelf(there) == (12_000, True)
    assert await there.sells(SENPAY)
    assert [told["status"] for told in there.tries_of(SENPAY)] == [200]


@on_sqlite
async def test_o8b_what_became_dearer_stays_off_the_shelf_while_nobody_says_its_price(
    there: Mall,
) -> None:
    await there.fault(SENPAY, "500", "/prepaid/product/", count=6)
    await there.tell(SENPAY, "price", code=FF70, price=12_000)
    await there.after(3 * MINUTE)
    assert shelf(there) == (9_230, False)
    await there.after(2 * MINUTE)
    assert shelf(there) == (12_000, True)
    assert len(prices_asked(there)) == 7


@on_sqlite
async def test_what_became_cheaper_is_sold_for_that_once_it_was_read(there: Mall) -> None:
    await there.tell(SENPAY, "price", code=FF70, price=8_000)
    await there.settles()
    await there.takes_in()
    assert shelf(there) == (9_230, True)
    await there.work()
    assert shelf(there) == (8_000, True)
    assert prices_asked(there) == [FF70]


@on_sqlite
@pytest.mark.parametrize("said", [1, 50_000_000])
async def test_c1_a_price_is_never_what_a_webhook_says(there: Mall, said: int) -> None:
    await there.brings(SENPAY, prices(data=[{"product_code": FF70, "price_new": said}]))
    await there.work()
    assert shelf(there) == (9_230, True)
    assert prices_asked(there) == [FF70]


HOSTILE: list[Any] = [
    None,
    [],
    "FF-BJ-V3FF_ID_70",
    {},
    {"product_code": FF70},
    {"product_code": FF70, "price_new": 0},
    {"product_code": FF70, "price_new": -5},
    {"product_code": FF70, "price_new": 1.5},
    {"product_code": FF70, "price_new": True},
    {"product_code": FF70, "price_new": "1e9"},
    {"product_code": FF70, "price_new": [99_000]},
    {"product_code": ["x", FF70], "price_new": 99_000},
    {"product_code": f"../{FF70}", "price_new": 99_000},
    {"product_code": f"{FF70}?x=1", "price_new": 99_000},
    {"product_code": "X" * 5_000, "price_new": 99_000},
]


@on_sqlite
async def test_c1_hostile_rows_change_nothing_and_do_not_hide_the_others(there: Mall) -> None:
    await there.tell(SENPAY, "price", code=FF5, price=1_000)
    before = shelf(there)
    rows = [*HOSTILE, {"product_code": FF5, "price_old": 935, "price_new": 1_000}, *HOSTILE]
    answer = await there.brings(SENPAY, prices(data=rows))
    assert answer.json()["status"] == 200
    await there.work()
    assert shelf(there) == before
    assert shelf(there, FF5) == (1_000, True)
    assert set(prices_asked(there)) == {FF5}


@on_sqlite
@pytest.mark.parametrize("data", [None, "x", 7, {}, [], HOSTILE])
async def test_c1_prices_that_make_no_sense_are_refused(there: Mall, data: Any) -> None:
    answer = await there.brings(SENPAY, prices(data=data))
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    await there.work()
    assert there.rows("SELECT digest FROM inbox") == []
    assert prices_asked(there) == []


@on_sqlite
async def test_prices_of_what_is_not_sold_here_are_not_asked_for(there: Mall) -> None:
    rows = [{"product_code": f"NOBODY_KNOWS_{nth}", "price_new": 1_000} for nth in range(50)]
    answer = await there.brings(SENPAY, prices(data=rows))
    assert answer.json() == {"status": 200, "message": "Harga berhasil diuperbarui"}
    await there.work()
    assert prices_asked(there) == []
    assert there.rows("SELECT sku FROM price_questions") == []
