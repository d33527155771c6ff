"""Late money, lost answers, a shop that stops: nothing is forgotten, nothing doubled."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from shop.calls import LEASE, AskInvoice, Idle, OpenInvoice
from shop.suppliers import Invoice, InvoiceReport, InvoiceRequest
from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street

LAPSED = "tidak dibayar sampai batas waktunya, jadi"
LATE = "masuk setelah batas waktunya"
CASE_LATE = "Pembayaran masuk setelah QR ditutup"
DONE = "Top up masuk!"
UNSEEN = "belum terlihat"
SLOW = "belum selesai setelah 15 menit"
LOST = "tidak kami terima tepat waktu"
STATUS = "/api/order/status"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened
        no_message_twice(opened)


def no_message_twice(there: Street) -> None:
    """M2: one record for each message, and one delivery where nothing crashed."""
    keys = Counter((m.address, m.key) for m in there.chat.messages if m.key)
    assert [key for key, count in keys.items() if count > 1] == []


async def confirm(there: Street, person: Person, account: str = "123456789") -> None:
    await person.says("/start")
    await person.taps("Free Fire")
    await person.taps("70 Diamond")
    await person.says(account)
    await person.taps("Bayar")


async def with_a_qr(there: Street, person: Person, account: str = "123456789") -> None:
    await confirm(there, person, account)
    await there.work()
    person.sees("Bayar Rp11.800")


def statuses(there: Street) -> list[str]:
    return [row["status"] for row in there.orders]


def says(there: Street, person: Person, *parts: str) -> list[int]:
    """How often a person was told each of these."""
    return [person.count(part) for part in parts]


async def test_o11_a_hidden_qr_that_is_paid_all_the_same_is_delivered(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await budi.taps("Batal")
    await there.after(30 * SECOND)
    await there.control("finish", ref=there.journal[0]["id"], status="Pending")
    await there.pay()
    await there.after(90 * SECOND)
    assert statuses(there) == ["processing"]
    owner.sees(CASE_LATE)
    await there.control("finish", ref=there.journal[0]["id"], status="Success")
    await there.after(MINUTE)
    assert statuses(there) == ["delivered"]
    assert says(there, budi, LATE, DONE) == [1, 1]
    await owner.says("/kasus")
    owner.sees("Tidak ada kasus terbuka")
    assert len(there.journal) == 1


async def test_o11_a_hidden_qr_that_is_paid_and_fails_is_owed_back(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await budi.taps("Batal")
    await there.work()
    await there.control("finish", ref=there.journal[0]["id"], status="Gagal")
    await there.pay()
    await there.after(2 * MINUTE)
    assert statuses(there) == ["refund_due"]
    assert says(there, budi, "akan dikembalikan oleh pemilik toko", DONE) == [1, 0]
    owner.sees(CASE_LATE)


async def test_a_hidden_qr_that_nobody_pays_is_never_heard_of_again(there: Street) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await budi.taps("Batal")
    await there.work()
    told = len(budi.messages)
    await there.after(20 * MINUTE, step=30 * SECOND)
    await there.after(25 * HOUR, step=30 * MINUTE)
    assert statuses(there) == ["cancelled"]
    assert there.orders[0]["due_at"] is None
    assert len(budi.messages) == told


async def test_o6_o11_late_money_that_becomes_goods_after_all_is_a_delivery(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.after(18 * MINUTE, step=10 * SECOND)
    await there.pay()
    await there.control("finish", ref=there.journal[0]["id"], status="Success")
    await there.after(40 * MINUTE, step=MINUTE)
    assert statuses(there) == ["delivered"]
    assert says(there, budi, LAPSED, DONE) == [1, 1]
    assert [it for it in owner.messages if not it.key.startswith("alert:")] == []


async def test_o11_late_money_is_found_at_once_by_the_customers_word(there: Street) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await budi.taps("Sudah bayar")
    await there.work()
    await there.after(18 * MINUTE, step=10 * SECOND)
    assert statuses(there) == ["expired"]
    await there.pay()
    await budi.taps("Sudah bayar", budi.sees("belum terlihat"))
    await there.work()
    assert statuses(there) == ["refund_due"]
    assert budi.count("akan dikembalikan oleh pemilik toko") == 1


async def test_o11_the_suppliers_word_ends_a_qr_before_its_time(there: Street) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.control("expire", id=there.journal[0]["id"])
    await there.after(10 * SECOND)
    assert statuses(there) == ["expired"]
    assert budi.count(LAPSED) == 1


async def test_o11_unpaid_lapses_two_minutes_after_its_time_and_late_money_is_found(
    there: Street,
) -> None:
    """The supplier's clock is ten minutes slow: it says "unpaid" long after the QR's end."""
    there.clock.advance(11 * MINUTE)
    there.simulator._clock = lambda: there.clock() - 10 * MINUTE
    budi = there.person()
    await with_a_qr(there, budi)
    end = there.clock() + 5 * MINUTE
    await there.after(7 * MINUTE - SECOND)
    assert there.clock() > end
    assert statuses(there) == ["awaiting_payment"]
    await there.after(SECOND)
    assert statuses(there) == ["expired"]
    await there.pay()
    await there.after(5 * MINUTE - SECOND)  # after the lapse
    assert statuses(there) == ["expired"]
    await there.after(2 * SECOND)
    assert statuses(there) == ["delivered"]
    assert says(there, budi, LAPSED, DONE) == [1, 1]


async def test_o11_late_money_is_found_even_if_the_last_question_had_no_answer(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.after(18 * MINUTE, step=10 * SECOND)
    await there.after(23 * HOUR, step=30 * MINUTE)
    assert statuses(there) == ["expired"]
    await there.control("fault", kind="500", count=10_000, path=STATUS)
    await there.pay()
    await there.after(5 * HOUR, step=15 * MINUTE)  # the last scheduled question among it
    assert statuses(there) == ["expired"]
    await there.control("fault", kind="clear")
    await there.after(45 * MINUTE, step=15 * MINUTE)
    assert statuses(there) == ["refund_due"]
    assert says(there, budi, LAPSED, "akan dikembalikan oleh pemilik toko") == [1, 1]
    owner.sees(CASE_LATE)


async def test_a_claim_made_while_a_question_is_under_way_gets_an_answer_of_its_own(
    there: Street,
) -> None:
    """The customer pays while we ask: "not seen yet" would be an answer from before."""
    budi = there.person()
    await with_a_qr(there, budi)
    await there.after(20 * SECOND)
    worker = there.shop.suppliers[0]
    there.clock.advance(5 * SECOND)
    call = await worker.choose()
    assert isinstance(call, AskInvoice)
    supplier, ask = worker._line.supplier, worker._line.supplier.invoice_report

    async def while_we_ask(ref: str) -> InvoiceReport:
        report = await ask(ref)
        there.clock.advance(SECOND)
        await there.pay()
        await budi.taps("Sudah bayar")
        there.clock.advance(SECOND)
        return report

    supplier.invoice_report = while_we_ask  # type: ignore[method-assign]
    await worker.make(call)
    supplier.invoice_report = ask  # type: ignore[method-assign]
    await there.shop.outbox.drain()
    assert budi.count(UNSEEN) == 0
    assert statuses(there) == ["awaiting_payment"]
    await there.work()  # without waiting: asked again at once
    assert statuses(there) == ["processing"]
    await there.after(20 * SECOND)
    assert says(there, budi, UNSEEN, DONE) == [0, 1]


async def test_a_buyer_hears_at_once_that_an_order_was_given_up(there: Street) -> None:
    """The bell rings for what was moved while nothing was to be asked."""
    budi = there.person()
    await confirm(there, budi)
    worker = there.shop.suppliers[0]
    assert isinstance(await worker.choose(), OpenInvoice)  # and its caller is gone
    bell = there.shop.keeper.bell()
    await worker.choose()
    bell.clear()
    await worker.choose()
    assert not bell.is_set()  # nothing happened
    there.clock.advance(LEASE)
    assert isinstance(await worker.choose(), Idle)
    assert bell.is_set()
    await there.shop.outbox.drain()
    assert says(there, budi, LOST) == [1]
    bell.clear()
    await worker.choose()
    assert not bell.is_set()


@pytest.mark.parametrize("paid", [False, True])
async def test_o11_nothing_lapses_while_the_supplier_is_silent(there: Street, paid: bool) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    if paid:
        await there.pay()
    await there.control("fault", kind="500", count=10_000, path=STATUS)
    await there.after(40 * MINUTE, step=30 * SECOND)
    assert statuses(there) == ["awaiting_payment"]
    assert budi.count(LAPSED) == 0
    await there.control("fault", kind="clear")
    await there.after(6 * MINUTE, step=30 * SECOND)
    assert statuses(there) == ["delivered" if paid else "expired"]
    assert says(there, budi, LAPSED, DONE) == [int(not paid), int(paid)]


async def test_a_claim_is_answered_while_the_supplier_is_silent(there: Street) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.control("fault", kind="500", count=10_000, path=STATUS)
    await budi.taps("Sudah bayar")
    await there.work()
    await there.after(MINUTE)
    assert budi.count("Sistem pembayaran belum menjawab") == 1
    await there.control("fault", kind="clear")


async def test_o1_an_order_that_takes_long_is_said_so_once(there: Street) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.control("finish", ref=there.journal[0]["id"], status="Pending")
    await there.pay()
    await there.after(14 * MINUTE, step=10 * SECOND)
    assert says(there, budi, SLOW) == [0]
    await there.after(HOUR, step=MINUTE)
    assert says(there, budi, SLOW) == [1]
    owner.sees("lebih dari 15 menit belum ada kabar")
    await there.control("finish", ref=there.journal[0]["id"], status="Success")
    await there.after(6 * MINUTE, step=MINUTE)
    assert statuses(there) == ["delivered"]
    assert says(there, budi, SLOW, DONE) == [1, 1]


@pytest.mark.parametrize("kind", ["timeout", "500", "html", "truncated"])
async def test_o4_a_lost_answer_is_never_asked_for_again(there: Street, kind: str) -> None:
    budi = there.person()
    await confirm(there, budi)
    more: dict[str, Any] = {"seconds": 0} if kind == "timeout" else {}
    await there.control("fault", kind=kind, path="/api/order/create", **more)
    await there.after(5 * MINUTE)
    assert statuses(there) == ["cancelled"]
    assert says(there, budi, LOST, "Bayar Rp") == [1, 0]
    assert len(there.journal) == 1  # it was accepted, and nobody will ever see its QR


async def test_o2_after_a_lost_answer_the_same_wish_works_again_when_it_was_promised(
    there: Street,
) -> None:
    budi = there.person()
    await there.control("fault", kind="500", path="/api/order/create")
    await confirm(there, budi)
    await there.work()
    await there.after(MINUTE)
    await confirm(there, budi)  # too early: the supplier counts the first one as pending
    await there.work()
    budi.sees("tidak bisa dibuat")
    await there.after(15 * MINUTE, step=30 * SECOND)
    await with_a_qr(there, budi)
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["cancelled", "cancelled", "delivered"]
    assert [entry["status"] for entry in there.journal] == ["Error", "Success"]


async def test_o14_who_stood_still_until_the_lease_ran_out_asks_for_nothing(there: Street) -> None:
    budi = there.person()
    await confirm(there, budi)
    worker = there.shop.suppliers[0]
    call = await worker.choose()
    assert isinstance(call, OpenInvoice)
    there.clock.advance(LEASE)
    assert isinstance(await worker.choose(), Idle)  # given up, by another process
    await worker.make(call)
    assert there.journal == []
    assert statuses(there) == ["cancelled"]


async def test_o14_an_answer_that_comes_after_its_lease_shows_nothing_and_is_not_wasted(
    there: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    budi = there.person()
    await confirm(there, budi)
    worker = there.shop.suppliers[0]
    opened = worker._line.supplier.open_invoice

    async def late(request: InvoiceRequest) -> Invoice:
        invoice = await opened(request)
        there.clock.advance(LEASE)
        assert isinstance(await worker.choose(), Idle)  # given up
        return invoice

    monkeypatch.setattr(worker._line.supplier, "open_invoice", late)
    call = await worker.choose()
    assert isinstance(call, OpenInvoice)
    await worker.make(call)
    monkeypatch.undo()
    await there.work()
    assert statuses(there) == ["cancelled"]
    assert says(there, budi, LOST, "Bayar Rp") == [1, 0]
    await confirm(there, budi)
    await there.work()
    budi.sees("Bayar Rp11.800")
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["delivered"]
    assert len(there.journal) == 1


Stage = Callable[[Street, Person], Awaitable[None]]


async def _nothing(there: Street, budi: Person) -> None: ...


async def _qr(there: Street, budi: Person) -> None:
    await there.work()


async def _claimed(there: Street, budi: Person) -> None:
    await there.work()
    await budi.taps("Sudah bayar")


async def _paid(there: Street, budi: Person) -> None:
    await there.work()
    await there.pay()


async def _processing(there: Street, budi: Person) -> None:
    await there.work()
    await there.control("finish", ref=there.journal[0]["id"], status="Pending")
    await there.pay()
    await there.after(10 * SECOND)
    await there.control("finish", ref=there.journal[0]["id"], status="Success")


async def _delivered_unsent(there: Street, budi: Person) -> None:
    await _paid(there, budi)
    there.chat.failing = 2
    await there.after(10 * SECOND)


STAGES = (_nothing, _qr, _claimed, _paid, _processing, _delivered_unsent)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("away", [SECOND, 10 * MINUTE, 72 * HOUR])
async def test_o1_o2_m2_a_restart_at_any_stage_loses_and_doubles_nothing(
    there: Street, stage: Stage, away: int
) -> None:
    budi = there.person()
    await confirm(there, budi)
    await stage(there, budi)
    paid = bool(there.journal) and there.journal[0]["paid_at"] is not None
    await there.close()
    there.clock.advance(away)
    await there.open()
    await there.after(2 * MINUTE, step=10 * SECOND)
    if statuses(there) == ["awaiting_payment"]:
        await there.pay()
        paid = True
        await there.after(MINUTE)
    await there.after(2 * HOUR, step=5 * MINUTE)
    assert len(there.journal) <= 1
    assert statuses(there) in ([["delivered"]] if paid else [["expired"], ["cancelled"]])
    assert budi.count(DONE) == int(paid)


async def test_o4_a_restart_between_the_mark_and_the_answer_sends_nothing_again(
    there: Street,
) -> None:
    budi = there.person()
    await confirm(there, budi)
    worker = there.shop.suppliers[0]
    assert isinstance(await worker.choose(), OpenInvoice)
    await there.restart()
    await there.after(2 * MINUTE)
    assert statuses(there) == ["cancelled"]
    assert there.journal == []
    assert says(there, budi, LOST) == [1]


async def test_m5b_a_serial_number_that_cannot_be_sent_is_kept_and_the_owner_is_told(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    there.chat.blocked.add(budi.address)
    await there.pay()
    await there.after(MINUTE)
    assert budi.count(DONE) == 0
    owner.sees(budi.address)
    there.chat.blocked.clear()
    await budi.says("/riwayat")
    budi.sees(f"SN: {there.journal[0]['sn']}")
