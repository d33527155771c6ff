"""How suppliers come and go: once, and for a reason."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from shop.time import HOUR, MINUTE
from tests.fakes.mall import APIGAMES, CANARY, KIOSGAME, OTOMAX, SENPAY, ZONEGAME, Stall, mall
from tests.journeys.test_money import yes
from tests.journeys.test_supplier_callbacks import lost_answer, tells, webhook
from tests.journeys.test_suppliers import of, on_sqlite, told_of

BACK = "sudah bisa dipakai lagi"


# 1. bot/workers/price_lists.py, ask_balance: the probe a minute later is put off by a day
@of(ZONEGAME, KIOSGAME, OTOMAX)
@on_sqlite
async def test_a_supplier_is_back_by_itself_once_our_money_is_there(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        await there.buys(there.person(), stall)
        await there.tell(stall, "balance", balance=100)
        await there.after(10 * MINUTE)
        assert not await there.sells(stall)
        await there.tell(stall, "balance", balance=2_000_000)
        await there.after(2 * MINUTE)
        assert await there.sells(stall)
        assert there.owner.count(BACK) == 1
        assert there.owner.count("LAPAK_LOW_BALANCE") <= 1


# 2. the same place: nothing is logged when a question about our balance shows that the key is bad
@on_sqlite
async def test_o1_a_key_that_only_the_balance_shows_to_be_refused_is_logged_once(
    tmp_path: Path,
) -> None:
    async with mall(tmp_path, [APIGAMES]) as there:
        right = there.settings
        await there.buys(there.person(), APIGAMES)
        of_all: dict[str, Any] = dict(right.of_suppliers)
        wrong = replace(of_all["apigames"], secret_key=lambda: (f"wrong-{CANARY}",))
        there.settings = right.model_copy(update={"of_suppliers": {**of_all, "apigames": wrong}})
        await there.restart()
        await there.after(16 * MINUTE)
        assert not await there.sells(APIGAMES)
        assert told_of(there, APIGAMES) == ["supplier.away"]
        there.settings = right
        await there.restart()
        await there.after(3 * MINUTE)
        assert told_of(there, APIGAMES) == ["supplier.away", "supplier.back"]


# 3. shop/fulfilment.py, reported: a loss that the owner recorded is asked about again
@of(ZONEGAME, SENPAY)
@on_sqlite
async def test_l10_a_loss_that_was_recorded_is_no_case_again(tmp_path: Path, stall: Stall) -> None:
    async with mall(tmp_path, [stall]) as there:
        await there.buys(there.person(), stall)
        await there.work()
        await tells(there, stall, stall.failed)
        await tells(there, stall, stall.done)
        await yes(there.owner, "Catat rugi")
        await there.after(HOUR)
        assert there.cases() == []


# 4. one order that cannot be asked about takes its supplier off the shelf twenty times an hour
@on_sqlite
async def test_c1_a_forged_reference_does_not_take_senpay_off_the_shelf(tmp_path: Path) -> None:
    async with mall(tmp_path, [SENPAY]) as there:
        budi = there.person()
        await there.buys(budi, SENPAY)
        await there.after(MINUTE)
        [budis] = there.accepted_by(SENPAY)
        entry = await lost_answer(there)
        await there.brings(SENPAY, webhook(budis["id"], entry["ref"]))
        await there.after(HOUR)
        assert told_of(there, SENPAY) == []


@of(ZONEGAME, KIOSGAME, APIGAMES)
@on_sqlite
async def test_a_supplier_that_answers_all_but_one_question_does_not_come_and_go(
    tmp_path: Path, stall: Stall
) -> None:
    async with mall(tmp_path, [stall]) as there:
        there.deaf_to(stall)
        await there.fault(stall, "truncated", stall.ordering)
        await there.fault(stall, "500", stall.asking, count=10_000)
        await there.buys(there.person(), stall)
        await there.after(HOUR)
        assert Counter(told_of(there, stall))["supplier.away"] <= 3
