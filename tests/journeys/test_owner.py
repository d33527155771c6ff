"""The owner's day: balances, cases, refunds, on more than one device, across a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shop.time import MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street

OWNERS = ("web:owner", "web:partner")
STRANGERS = (
    "budi", "siti", "owner2", "Owner", "owner ", " owner", "wner", "owne", "partner\u200b",
    "telegram:owner", "", "owner\0",
)  # fmt: skip


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path, owners=OWNERS) as opened:
        yield opened


async def failed_order(there: Street, budi: Person, account: str = "777888999") -> str:
    """Something that Budi paid for and did not get; return its number."""
    await there.after(11 * SECOND)
    await budi.says("/start")
    await budi.says("free fire")
    await budi.says("70 diamond")
    await budi.says(account)
    await budi.taps("✅ Bayar")
    await there.work()
    await there.control("finish", ref=there.journal[-1]["id"], status="Error")
    await there.pay()
    await there.after(15 * SECOND)
    assert there.orders[-1]["status"] == "refund_due"
    return str(there.orders[-1]["id"])


async def show_case(owner: Person, order: str) -> None:
    """Open the case of an order from the list."""
    view = await owner.says("/kasus")
    assert view is not None
    await owner.taps(order)
    assert order in owner.last.title


# --- balances -------------------------------------------------------------------------------------


async def test_the_balance_of_the_supplier_is_told_to_the_owner_who_asked(there: Street) -> None:
    await there.control("balance", balance=123_456)
    owner, partner = there.person("owner"), there.person("partner")
    await owner.says("/saldo")
    await there.work()
    assert "LAPAK_LOW_BALANCE" not in owner.sees("💼", "Rp123.456").view.text
    assert partner.count("💼") == 0


async def test_a_low_balance_is_pointed_out(there: Street) -> None:
    await there.control("balance", balance=49_999)
    await there.owner.says("/saldo")
    await there.work()
    there.owner.sees("Rp49.999", "LAPAK_LOW_BALANCE")


async def test_a_supplier_that_does_not_answer_leaves_no_question_unanswered(
    there: Street,
) -> None:
    await there.control("fault", kind="500", count=3)
    await there.owner.says("/saldo")
    await there.work()
    there.owner.sees("tidak bisa dibaca sekarang")


async def test_asking_ten_times_at_once_asks_the_supplier_once(there: Street) -> None:
    before = len(there.simulator.journal()["calls"])  # type: ignore[arg-type]
    owner = there.owner
    for _ in range(10):
        await owner.says("/saldo")
    await there.work()
    assert len(there.simulator.journal()["calls"]) == before + 1  # type: ignore[arg-type]
    assert owner.count("💼") == 1


@pytest.mark.parametrize("name", STRANGERS)
async def test_s2_nobody_else_sees_a_balance_or_a_case(there: Street, name: str) -> None:
    order = await failed_order(there, there.person("victim"))
    stranger = there.person(name)
    case = there.rows("SELECT id FROM cases")[0]["id"]
    before = there.rows("SELECT * FROM cases") + there.orders
    for doing in ("/saldo", "/kasus", "/balance", "/cases", f"/status {order}"):
        await stranger.says(doing)
    for action in ("open", "refunded", "yes-refunded", "arrived", "yes-arrived", "seen"):
        await stranger.presses(f"c:{case}:{action}")
    await there.work()
    seen = " ".join(f"{m.view.title} {m.view.text} {m.view.choices}" for m in stranger.messages)
    assert "💼" not in seen
    assert order not in seen
    assert "777888999" not in seen
    assert there.rows("SELECT * FROM cases") + there.orders == before


# --- cases ----------------------------------------------------------------------------------------


async def test_a_case_tells_every_owner_everything_and_the_buyer_his_part(there: Street) -> None:
    budi, owner, partner = there.person(), there.person("owner"), there.person("partner")
    order = await failed_order(there, budi)
    for somebody in (owner, partner):
        case = somebody.sees("Kasus", order)
        for part in ("70 Diamond", "777888999", "Rp11.800", "Kata pemasok: "):
            assert part in case.view.text
        assert somebody.count(f"Kasus: pesanan {order}") == 1
    told = budi.sees("tidak bisa dikirim", "Rp11.800", order)
    assert "@lapak_demo" in told.view.text
    assert "Kata pemasok" not in told.view.text
    assert budi.count("Kasus") == 0


async def test_the_refund_is_confirmed_by_one_owner_and_closed_for_the_other(
    there: Street,
) -> None:
    budi, owner, partner = there.person(), there.person("owner"), there.person("partner")
    order = await failed_order(there, budi)
    await show_case(partner, order)
    await show_case(owner, order)
    await owner.taps("Sudah dikembalikan")
    await owner.taps("Ya, benar")
    await there.work()
    assert there.orders[0]["status"] == "refunded"
    await partner.taps("Sudah dikembalikan")
    assert "sudah selesai" in partner.last.text
    budi.sees("Dana Rp11.800", order, "sudah dikembalikan")
    assert budi.count("sudah dikembalikan. Terima kasih") == 1
    for somebody in (owner, partner, there.person("siti")):
        assert somebody.count("sudah dikembalikan. Terima kasih") == 0
    await partner.says("/kasus")
    partner.sees("Tidak ada kasus terbuka")


async def test_s2b_the_question_survives_a_restart_and_still_runs_out(there: Street) -> None:
    owner = there.owner
    await failed_order(there, there.person())
    await owner.taps("Sudah dikembalikan", owner.sees("Kasus"))
    await there.restart()
    await there.after(121 * SECOND)
    await owner.taps("Ya, benar")
    assert there.orders[0]["status"] == "refund_due"
    await there.restart()
    await owner.taps("Ya, benar")
    assert there.orders[0]["status"] == "refunded"


async def test_s2b_a_repeated_update_of_the_first_yes_is_not_the_second(there: Street) -> None:
    owner = there.owner
    await failed_order(there, there.person())
    refunded = owner.button("Sudah dikembalikan", owner.sees("Kasus"))
    for _ in range(5):
        await owner.presses(refunded, input_id="again and again")
    assert there.orders[0]["status"] == "refund_due"


async def test_goods_that_arrived_after_all_are_delivered_by_the_owners_word(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    order = await failed_order(there, budi)
    await show_case(owner, order)
    await owner.taps("Barang sudah sampai")
    await owner.taps("Ya, benar")
    await there.work()
    assert there.orders[0]["status"] == "delivered"
    budi.sees("Top up masuk!", order)


async def test_two_cases_are_settled_one_by_one(there: Street) -> None:
    budi, owner = there.person(), there.owner
    first = await failed_order(there, budi, "777888991")
    second = await failed_order(there, budi, "777888992")
    await show_case(owner, second)
    await owner.taps("Sudah dikembalikan")
    await owner.taps("Ya, benar")
    await there.work()
    states = {row["id"]: row["status"] for row in there.orders}
    assert states == {first: "refund_due", second: "refunded"}
    await owner.says("/kasus")
    assert first in owner.last.text
    assert second not in owner.last.text


async def test_a_slow_delivery_becomes_a_case_and_closes_itself_when_it_arrives(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await budi.says("/start")
    await budi.says("ff")
    await budi.says("70 diamond")
    await budi.says("777888999")
    await budi.taps("✅ Bayar")
    await there.work()
    await there.control("finish", ref=there.journal[-1]["id"], status="Pending")
    await there.pay()
    await there.after(20 * MINUTE, step=20 * SECOND)
    budi.sees("lebih lama dari biasanya", "@lapak_demo")
    owner.sees("lebih dari 15 menit")
    await there.control("finish", ref=there.journal[-1]["id"], status="Success", sn="SN-LATE-1")
    await there.after(6 * MINUTE, step=30 * SECOND)
    assert budi.sees("Top up masuk!").view.copy == "SN-LATE-1"
    await owner.says("/kasus")
    owner.sees("Tidak ada kasus terbuka")
    assert all("SN-LATE-1" not in f"{m.view.text}{m.view.copy}" for m in owner.messages)


async def test_an_owner_who_cannot_be_reached_holds_nobody_up(there: Street) -> None:
    there.chat.blocked.add("web:owner")
    budi, partner = there.person(), there.person("partner")
    order = await failed_order(there, budi)
    partner.sees("Kasus", order)
    budi.sees("tidak bisa dikirim")
    there.chat.blocked.clear()
    await there.owner.says("/kasus")
    there.owner.sees(order)
