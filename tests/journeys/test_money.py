"""Paid first, delivered from the shop's balance: every way to pay, and every way back."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shop.calls import Idle, Submit
from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street
from tests.journeys.test_first_sale import to_confirmation

BUDI = "wallet:web:budi"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


async def with_a_deposit(there: Street, person: Person, account: str = "123456789") -> None:
    await to_confirmation(person, account)
    await person.taps("QRIS deposit")
    await there.work()
    person.sees("Bayar Rp")


async def with_own_qris(there: Street, person: Person, account: str = "123456789") -> None:
    await to_confirmation(person, account)
    await person.taps("QRIS toko")
    await there.work()
    assert person.sees("Bayar Rp").view.image is not None


async def with_credit(there: Street, person: Person, amount: str = "50.000") -> None:
    await person.says("/isi")
    await person.says(amount)
    await person.taps("Bayar")
    await there.work()
    await there.pay_deposit()
    await there.after(MINUTE)
    person.sees("sudah masuk")


async def submitted_with(there: Street, action: str, **how: Any) -> None:
    """Have the next paid order submitted after this has happened to the supplier."""
    for _ in range(100):
        call = await there.shop.suppliers[0].choose()
        if isinstance(call, Submit):
            assert (await there.control(action, **how))["ok"]
            await there.shop.suppliers[0].make(call)
            return
        if isinstance(call, Idle):
            there.clock.advance(SECOND)
        else:
            await there.shop.suppliers[0].make(call)
    raise AssertionError("nothing was submitted")


async def yes_at_once(owner: Person, answer: str) -> None:
    await owner.taps(answer)
    owner.sees("sudah selesai")


async def yes(owner: Person, answer: str) -> None:
    await owner.taps(answer)
    await owner.taps("Ya, benar")


async def test_a_deposit_pays_for_goods_from_our_balance(there: Street) -> None:
    budi = there.person()
    await with_a_deposit(there, budi)
    await there.pay_deposit()
    await there.after(2 * MINUTE)
    [order] = there.orders
    assert (order["status"], order["method"], order["received"]) == (
        "delivered",
        "deposit",
        order["price"],
    )
    budi.sees("Top up masuk!")
    [sold] = there.journal
    assert (sold["mode"], sold["target"]) == ("saldo", "123456789")
    assert there.balance("held") == 0
    assert there.balance("sales") == -order["price"]
    assert there.balance("supplier:zultopup") == there.simulator.journal()["balance"]


async def test_the_owners_own_qris_is_confirmed_by_the_owner(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_own_qris(there, budi)
    await budi.taps("Sudah bayar")
    await there.work()
    budi.sees("Pemilik toko sedang memeriksa")
    owner.sees("QRIS-mu", "web:budi")
    assert there.journal == []
    await yes(owner, "Sudah dibayar")
    await there.after(MINUTE)
    [order] = there.orders
    assert order["status"] == "delivered"
    assert there.balance("qris") == order["price"]
    budi.sees("Top up masuk!")


async def test_a_claim_stops_the_expiry_and_the_owner_may_say_no(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_own_qris(there, budi)
    await budi.taps("Sudah bayar")
    await there.after(HOUR, step=MINUTE)
    assert there.orders[0]["status"] == "awaiting_payment"
    await yes(owner, "Tidak dibayar")
    await there.work()
    assert there.orders[0]["status"] == "expired"
    budi.sees("tidak dibayar sampai batas waktunya")


async def test_two_open_own_qris_never_ask_for_the_same_amount(there: Street) -> None:
    amounts = set()
    for name, account in (("budi", "123456789"), ("siti", "987654321"), ("andi", "555555555")):
        await with_own_qris(there, there.person(name), account)
    for row in there.rows("SELECT amount FROM invoices"):
        amounts.add(row["amount"])
    assert len(amounts) == 3
    await there.after(HOUR, step=MINUTE)
    assert {order["status"] for order in there.orders} == {"expired"}
    await with_own_qris(there, there.person("dewi"), "444444444")
    assert len({row["amount"] for row in there.rows("SELECT amount FROM invoices")}) == 4
    await there.after(25 * HOUR, step=10 * MINUTE)
    await with_own_qris(there, there.person("eka"), "333333333")
    assert len({row["amount"] for row in there.rows("SELECT amount FROM invoices")}) == 4


async def test_credit_is_topped_up_and_spent_in_one_tap(there: Street) -> None:
    budi = there.person()
    await with_credit(there, budi)
    assert there.balance(BUDI) == -50_000
    await there.after(MINUTE)
    await to_confirmation(budi)
    budi.sees("Saldomu Rp50.000")
    await budi.taps("Pakai saldo")
    await there.after(MINUTE)
    price = there.orders[-1]["price"]
    assert there.orders[-1]["status"] == "delivered"
    assert there.balance(BUDI) == price - 50_000
    await budi.says("/saldo")
    budi.sees(f"Saldomu: Rp{(50_000 - price) // 1000}")


async def test_what_the_supplier_refuses_is_credited_at_once_with_one_message(
    there: Street,
) -> None:
    budi = there.person()
    await with_a_deposit(there, budi)
    await there.pay_deposit()
    await submitted_with(there, "balance", balance=0)
    await there.after(MINUTE)
    [order] = there.orders
    assert (order["status"], order["returned"]) == ("refunded", "wallet")
    assert budi.count("sudah kembali ke saldomu") == 1
    assert budi.count("akan dikembalikan") == 0
    assert there.balance(BUDI) == -order["price"]


async def test_what_fails_at_the_supplier_is_credited_and_our_balance_is_whole(
    there: Street,
) -> None:
    budi = there.person()
    await with_a_deposit(there, budi)
    await there.pay_deposit()
    await there.after(6 * SECOND)
    await there.control("finish", ref=there.journal[0]["id"], status="Error")
    await there.after(2 * MINUTE)
    assert there.orders[0]["status"] == "refunded"
    assert there.balance("supplier:zultopup") == there.simulator.journal()["balance"]
    assert there.balance("cost:zultopup") == 0
    await budi.says("/saldo")
    await budi.taps("Tarik saldo")
    await budi.says("semua dong")
    budi.sees("misalnya Rp")


async def test_o11_late_money_goes_into_the_wallet(there: Street) -> None:
    budi = there.person()
    await with_a_deposit(there, budi)
    await there.after(30 * MINUTE, step=MINUTE)
    assert there.orders[0]["status"] == "expired"
    await there.pay_deposit()
    await there.after(HOUR, step=MINUTE)
    assert there.orders[0]["status"] == "refunded"
    assert budi.count("masuk setelah QR-nya ditutup") == 1
    assert there.journal == []


@pytest.mark.parametrize(("factor", "words"), [(0.5, "tetap diproses"), (2, "tetap diproses")])
async def test_o11b_a_wrong_amount_is_the_owners_to_decide(
    there: Street, factor: float, words: str
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_deposit(there, budi)
    asked = there.deposits[0]["amountToPay"]
    await there.pay_deposit(amount=int(asked * factor))
    await there.after(MINUTE)
    assert there.orders[0]["status"] == "refund_due"
    budi.sees(words)
    assert there.journal == []
    await yes(owner, "Tetap proses")
    await there.after(MINUTE)
    assert there.orders[0]["status"] == "delivered"
    assert there.balance(BUDI) == min(asked - int(asked * factor), 0)


async def test_o11b_a_wrong_amount_can_become_credit(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_deposit(there, budi)
    await there.pay_deposit(amount=5_000)
    await there.after(MINUTE)
    await yes(owner, "Masukkan ke saldo")
    await there.work()
    assert there.balance(BUDI) == -5_000
    budi.sees("Rp5.000", "saldomu")


async def test_o11b_a_deposit_paid_twice_is_credited_once_and_is_a_case(there: Street) -> None:
    budi, siti, owner = there.person(), there.person("siti"), there.owner
    await with_a_deposit(there, budi)
    await there.pay_deposit()
    await there.after(MINUTE)
    await there.pay_deposit()  # once more, after the goods came
    await with_a_deposit(there, siti, "987654321")
    await with_a_deposit(there, there.person("andi"), "555555555")
    await there.after(MINUTE)
    first = next(order for order in there.orders if order["address"] == "web:budi")
    assert first["status"] == "delivered"
    assert first["received"] == first["price"]
    owner.sees("mungkin dibayar dua kali")
    await owner.says("/catat web:budi +11.800 dibayar dua kali")
    await owner.taps("Ya, catat")
    await there.work()
    budi.sees("menambah saldomu Rp11.800", "dibayar dua kali")
    assert there.balance(BUDI) == -11_800
    await yes_at_once(owner, "Sudah dilihat")
    await owner.taps("Urungkan")
    await there.work()
    assert there.balance(BUDI) == 0


async def test_an_answer_that_never_came_is_the_owners_to_decide(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_deposit(there, budi)
    await there.pay_deposit()
    await submitted_with(there, "fault", kind="timeout", count=1, seconds=0.2)
    await there.after(2 * MINUTE)
    assert there.orders[0]["status"] == "unsure"
    owner.sees("mungkin sudah dibuat", "nyata Rp")
    assert len(there.journal) == 1
    await there.after(HOUR, step=MINUTE)
    assert len(there.journal) == 1
    await yes(owner, "Barang sudah sampai")
    await there.work()
    assert there.orders[0]["status"] == "delivered"


async def test_credit_is_paid_out_by_the_owners_hand(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_credit(there, budi)
    await there.after(MINUTE)
    await budi.says("/tarik")
    await budi.says("20rb")
    await budi.says("tidak tahu")
    budi.sees("belum ada", "Misalnya")
    await budi.says("BCA 1234567890 Budi")
    budi.sees("Benar?", "BCA 1234567890 Budi")
    await budi.taps("Ya, kirim ke sini")
    await there.work()
    assert there.balance(BUDI) == -30_000
    owner.sees("BCA 1234567890 Budi", "Rp20.000")
    await yes(owner, "Sudah ditransfer")
    await there.work()
    budi.sees("sudah dikirim pemilik toko")
    assert there.balance("held") == 0


async def test_a_withdrawal_called_off_is_credit_again(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_credit(there, budi)
    await there.after(MINUTE)
    await budi.says("/tarik")
    await budi.says("50000")
    await budi.says("DANA 081234567890")
    await budi.taps("Ya, kirim ke sini")
    await there.work()
    assert there.balance(BUDI) == 0
    await yes(owner, "Batalkan penarikan")
    await there.work()
    assert there.balance(BUDI) == -50_000
    budi.sees("kembali ke saldomu")


async def test_the_books_are_compared_with_the_suppliers_balance_every_day(there: Street) -> None:
    owner = there.owner
    await there.control("balance", balance=1)
    await there.after(25 * HOUR, step=HOUR)
    owner.sees("tidak sama dengan pembukuan")
    await yes(owner, "Samakan pembukuan")
    await there.work()
    assert there.balance("supplier:zultopup") == 1
    assert there.rows("SELECT 1 AS one FROM cases WHERE closed_at IS NULL") == []


async def test_one_question_serves_all_open_deposits(there: Street) -> None:
    people = [there.person(f"buyer{nth}") for nth in range(6)]
    for nth, person in enumerate(people):
        await with_a_deposit(there, person, f"12345678{nth}")
    before = asked_by_path(there)
    await there.after(45 * SECOND)
    asked = {path: n - before.get(path, 0) for path, n in asked_by_path(there).items()}
    assert asked["/api/payment/history"] > 5
    assert sum(n for path, n in asked.items() if "payment/status" in path) <= 6
    for nth in range(0, 6, 2):
        await there.pay_deposit(nth)
    await there.after(MINUTE)
    statuses = {order["address"]: order["status"] for order in there.orders}
    assert [statuses[f"web:buyer{nth}"] for nth in range(6)] == [
        "delivered",
        "awaiting_payment",
    ] * 3


def asked_by_path(there: Street) -> Counter[str]:
    return Counter(
        call["path"].removeprefix("/zultopup") for call in there.simulator.journal()["calls"]
    )
