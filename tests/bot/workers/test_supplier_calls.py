"""The worker of one supplier: what it begins, and when it looks again."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.workers import supplier_calls
from tests.fakes.databases import transaction
from tests.fakes.street import street
from tests.journeys.test_first_sale import to_confirmation


async def test_what_is_due_at_once_is_begun_together_each_once(tmp_path: Path) -> None:
    async with street(tmp_path) as there:
        for nth in range(5):
            person = there.person(f"person{nth}")
            await to_confirmation(person, f"12345678{nth}")
            await person.taps("Bayar")
        working = asyncio.create_task(there.shop.suppliers[0].run())
        for _ in range(2000):
            if {order["status"] for order in there.orders} == {"awaiting_payment"}:
                break
            await asyncio.sleep(0.005)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        assert [order["status"] for order in there.orders] == ["awaiting_payment"] * 5
        assert len(there.journal) == 5


async def test_what_another_process_has_in_hand_is_looked_at_again_after_a_breath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    async def waited(_bell: Any, until: int, _clock: Any) -> None:
        looks.append(until)
        raise asyncio.CancelledError

    async with street(tmp_path, on="postgres") as there:
        budi = there.person()
        await to_confirmation(budi)
        await budi.taps("Bayar")
        monkeypatch.setattr(supplier_calls, "wait", waited)
        with transaction(there.settings.database) as rival:
            assert rival.fetch("SELECT id FROM orders FOR UPDATE")
            with pytest.raises(asyncio.CancelledError):
                await there.shop.suppliers[0].run()
        assert looks == [there.clock() + 20]
