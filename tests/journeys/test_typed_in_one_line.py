"""Stories of people who type what they want, or follow a link to it."""

from pathlib import Path

from shop.time import MINUTE, SECOND
from tests.fakes.mall import mall
from tests.fakes.street import street


async def test_an_item_typed_in_one_line_is_bought_and_offered_first_from_then_on(
    tmp_path: Path,
) -> None:
    async with street(tmp_path) as there:
        budi = there.person()
        await budi.says("ff140")
        await budi.says("123456789")
        await budi.taps("Bayar")
        await there.work()
        await there.pay()
        await there.after(10 * SECOND)
        (sold,) = there.journal
        assert sold["target"] == "123456789"
        assert there.orders[0]["item"] == "140 Diamond"
        assert there.orders[0]["good"] == "free-fire/diamond/140"
        view = await budi.says("ff")
        assert view is not None
        assert view.choices[0].label == "140 Diamond"  # the dearest first: it is his
        other = await there.person("siti").says("ff")
        assert other is not None
        assert other.choices[0].label != "140 Diamond"


async def test_a_link_survives_a_restart_and_a_new_price_list(tmp_path: Path) -> None:
    async with street(tmp_path) as there:
        budi = there.person()
        await there.restart()
        await there.after(MINUTE)
        await budi.says("/start free-fire_diamond_70")
        await budi.says("123456789")
        await budi.taps("Bayar")
        await there.work()
        (order,) = there.orders
        assert (order["good"], order["item"]) == ("free-fire/diamond/70", "70 Diamond")


async def test_a_number_that_nobody_sells_buys_nothing_anywhere(tmp_path: Path) -> None:
    async with mall(tmp_path, apart=False) as there:
        budi = there.person()
        for typed in ("ml 85", "ff 71", "85 dm mlbb"):
            view = await budi.says(typed)
            assert view is not None
            assert "tidak ada di daftar" in view.text
        assert there.orders == []
        await budi.says("ml 86")
        assert budi.last.title == "Mobile Legends · 86 Diamond"
