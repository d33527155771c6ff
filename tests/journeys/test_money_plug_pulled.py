"""The plug is pulled at every place of a prepaid purchase, once each; the shop opens again.

Each path is one of money: in by a deposit, by the owner's own QRIS or out of the wallet; on to
goods, back into the wallet, or out by the owner's hand. The supplier's journal is the truth: from
it the owner knows what to answer where a crash left it open whether goods were ordered.

That is with ``LAPAK_AT_LENGTH=1``; else the plug is pulled at every third place.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import Seams
from shop.time import SECOND
from storage.opening import open_database
from tests.fakes.chat import Person
from tests.fakes.plug import POINTS, Plug, Pulled
from tests.fakes.street import Street, street
from tests.fakes.world import AT_LENGTH

ACCOUNTS = ("123456789", "223456789", "323456789")
WALLET = "wallet:web:budi"
CREDIT = 50_000
PAID_OUT = 20_000
MOST_PLACES = 60
_ENDED = frozenset({"delivered", "refunded", "expired", "cancelled"})
_CAME = "Barang sudah sampai"


@dataclass
class Story:
    """One telling of a path, with a plug that may be pulled once on the way."""

    there: Street
    plug: Plug
    otherwise: str = "Tetap proses"  # the owner's answer about goods that were never ordered
    steps: int = 0

    def __post_init__(self) -> None:
        self.budi: Person = self.there.person()
        self.owner: Person = self.there.owner

    async def step(self, do: Callable[[str], Awaitable[Any]]) -> None:
        """Do one step; if the plug is pulled, open again and do it once more, as it was told."""
        self.steps += 1
        told = f"step-{self.steps}"
        with suppress(Pulled):
            await do(told)
        if self.plug.out:
            self.plug.mend()
            await self.there.restart()
            await do(told)

    async def says(self, text: str) -> None:
        await self.step(lambda told: self.budi.says(text, told))

    async def taps(self, label: str, who: Person | None = None) -> None:
        await self.step(lambda told: (who or self.budi).taps(label, input_id=told))

    async def works(self) -> None:
        await self.step(lambda _: self.there.work())

    async def decides(self, answer: str) -> None:
        """Answer a case as the owner does; twice, if the plug takes the question back with it."""
        await self.taps(answer, self.owner)
        if "Ya, benar" not in self.owner.labels:
            await self.taps(answer, self.owner)
        await self.taps("Ya, benar", self.owner)
        await self.works()

    async def confirms(self, method: str, account: str = ACCOUNTS[0]) -> None:
        """Order goods, to be paid in this way; from the last tap on, the plug may be pulled."""
        await self.says("/start")
        await self.taps("Free Fire")
        await self.taps("70 Diamond")
        await self.says(account)
        self.plug.arm()
        await self.taps(method)
        await self.works()

    async def tops_up(self, _account: str = "") -> None:
        await self.says("/isi")
        await self.says(f"{CREDIT}")
        self.plug.arm()
        await self.taps("Bayar")
        await self.works()

    async def pays_a_deposit(self, order: Callable[[str], Awaitable[None]]) -> None:
        """Order until a QR comes, as one that nobody saw cannot be paid; and pay it."""
        for account in ACCOUNTS:
            await order(account)
            if shown := self.those("awaiting_payment"):
                [qr] = self.there.rows(
                    f"SELECT supplier_ref FROM invoices WHERE order_id = '{shown[0]['id']}'"
                )
                await self.there.control("pay", id=qr["supplier_ref"])
                return
            self.there.clock.advance(11 * SECOND)
        raise AssertionError("no QR came")

    async def has_credit(self) -> None:
        """Have credit by now; of that the plug knows nothing."""
        self.plug, plug = Plug(), self.plug
        await self.pays_a_deposit(self.tops_up)
        await self.comes_to_its_end()
        self.there.clock.advance(11 * SECOND)
        self.plug = plug

    async def comes_to_its_end(self) -> None:
        """Let time pass until every order has ended; the owner decides what only a person can."""
        for _ in range(15):
            if all(row["status"] in _ENDED for row in self.there.orders):
                return
            for order in self.those("unsure"):
                ordered = order["target"] in self.accepted
                await self.decides(_CAME if ordered else self.otherwise)
            await self.step(lambda _: self.there.after(4 * SECOND))

    @property
    def accepted(self) -> list[str]:
        """The accounts that the supplier was asked to deliver to."""
        return [entry["target"] for entry in self.there.journal]

    def those(self, status: str) -> list[dict[str, Any]]:
        return [row for row in self.there.orders if row["status"] == status]


async def goods_for_a_deposit(it: Story) -> None:
    await it.pays_a_deposit(lambda account: it.confirms("QRIS deposit", account))
    await it.comes_to_its_end()
    they_came(it)
    assert it.there.balance(WALLET) == 0


async def goods_for_the_owners_qris(it: Story) -> None:
    await it.confirms("QRIS toko")
    await it.taps("Sudah bayar")
    await it.works()
    await it.decides("Sudah dibayar")
    await it.comes_to_its_end()
    they_came(it)
    assert it.there.balance("qris") == it.there.orders[0]["price"]


async def goods_for_credit(it: Story) -> None:
    await it.has_credit()
    await it.confirms("Pakai saldo")
    await it.comes_to_its_end()
    order = they_came(it)
    assert it.there.balance(WALLET) == order["price"] - CREDIT


def they_came(it: Story) -> dict[str, Any]:
    [order] = [row for row in it.those("delivered") if row["sku"] != "credit"]
    assert it.accepted == [order["target"]]
    assert it.there.balance("sales") == -order["price"]
    return order


async def credit_for_a_deposit(it: Story) -> None:
    await it.pays_a_deposit(it.tops_up)
    await it.comes_to_its_end()
    assert [row["sku"] for row in it.those("delivered")] == ["credit"]
    assert it.there.balance(WALLET) == -CREDIT


async def credit_for_refused_goods(it: Story) -> None:
    it.otherwise = "Kembalikan dana"
    it.plug, plug = Plug(), it.plug
    await it.pays_a_deposit(lambda account: it.confirms("QRIS deposit", account))
    it.plug = plug
    has = it.there.simulator.journal()["balance"]
    await it.there.control("balance", balance=0)
    plug.arm()
    await it.comes_to_its_end()
    [order] = it.those("refunded")
    assert (order["returned"], it.accepted) == ("wallet", [])
    assert it.there.balance(WALLET) == -order["price"]
    plug.mend()
    await it.there.control("balance", balance=has)
    await it.owner.says("/saldo")


async def goods_of_an_answer_that_never_came(it: Story) -> None:
    it.plug, plug = Plug(), it.plug
    await it.pays_a_deposit(lambda account: it.confirms("QRIS deposit", account))
    it.plug = plug
    await it.there.control("fault", kind="timeout", path="order/create", seconds=0)
    plug.arm()
    await it.comes_to_its_end()
    they_came(it)


async def cash_for_credit(it: Story) -> None:
    await it.has_credit()
    await it.says("/tarik")
    await it.says(f"{PAID_OUT}")
    await it.says("BCA 1234567890 Budi")
    it.plug.arm()
    await it.taps("Ya, kirim ke sini")
    await it.works()
    await it.decides("Sudah ditransfer")
    assert [row["sku"] for row in it.those("delivered")] == ["credit", "cash"]
    assert it.there.balance(WALLET) == PAID_OUT - CREDIT


PATHS = (
    goods_for_a_deposit,
    goods_for_the_owners_qris,
    goods_for_credit,
    credit_for_a_deposit,
    credit_for_refused_goods,
    goods_of_an_answer_that_never_came,
    cash_for_credit,
)
ON_A_SERVER = {
    goods_for_credit: ("commit.after", "request.after"),
    credit_for_a_deposit: ("commit.before", "message.before"),
    cash_for_credit: ("commit.after", "message.after"),
}
Path_ = Callable[[Story], Awaitable[None]]
# Every path on a file; on a server, where the same code passes the same places, one that takes
# from a wallet, one that adds to it, and one that holds what was in it, at fewer places.
EVERY = {"sqlite": 1, "postgres": 5} if AT_LENGTH else {"sqlite": 3, "postgres": 9}
ON_EACH = [
    (kind, path, point)
    for kind, paths in (("sqlite", PATHS), ("postgres", ON_A_SERVER))
    for path in paths
    for point in POINTS
    if AT_LENGTH or kind == "sqlite" or point in ON_A_SERVER[path]
    if path is not cash_for_credit or not point.startswith("request")  # no supplier has part in it
]


def nothing_lost_or_doubled(it: Story) -> None:
    """Compare our books with those of the supplier, and every order with what was said of it."""
    there = it.there
    assert [row for row in there.orders if row["status"] not in _ENDED] == []
    assert there.rows("SELECT * FROM cases WHERE closed_at IS NULL") == []
    assert there.balance("held") == 0
    assert there.balance("supplier:zultopup") == there.simulator.journal()["balance"]
    assert len(set(it.accepted)) == len(it.accepted)
    sent = there.rows(
        "SELECT order_id, message FROM outbox WHERE kind IN ('delivered', 'refunded')"
    )
    finals = it.those("delivered") + it.those("refunded")
    assert sorted(row["order_id"] for row in sent) == sorted(row["id"] for row in finals)
    again = it.plug.point in {"message.after", "commit.before"}  # sent, and nobody noted it
    for row in sent:
        shown = [message for message in it.budi.messages if message.key == row["message"]]
        assert 1 <= len(shown) <= 1 + again


async def told(folder: Path, path: Path_, plug: Plug) -> None:
    """Tell one path, and look at what came of it."""
    folder.mkdir()
    seams = Seams(client=plug.client, database=plug.database(open_database), sender=plug.sender)
    async with street(folder, seams) as there:
        it = Story(there=there, plug=plug)
        await path(it)
        plug.mend()
        await there.after(20 * SECOND, step=10 * SECOND)
        nothing_lost_or_doubled(it)


async def places_passed(folder: Path, path: Path_, point: str, every: int) -> int:
    """Tell the path again and again, each time with the plug pulled later; how many places."""
    for hit in range(1, MOST_PLACES, every):
        plug = Plug(point=point, hit=hit)
        await told(folder / f"{hit}", path, plug)
        if not plug.was_pulled:
            return hit - 1
    raise AssertionError(f"{path.__name__} does not end")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("on_a_database", "path", "point"), ON_EACH, indirect=["on_a_database"])
async def test_o1_o2_l4_prepaid_money_is_neither_lost_nor_doubled_wherever_the_plug_is_pulled(
    tmp_path: Path, on_a_database: str, path: Path_, point: str
) -> None:
    assert await places_passed(tmp_path, path, point, EVERY[on_a_database]) >= 2
