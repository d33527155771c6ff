"""The adapter and the simulator were written from one document: here they speak to each other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from providers.simulators.control import add_simulators
from providers.simulators.zultopup import ZulTopupSimulator
from providers.zultopup import Settings, ZulTopup
from shop.suppliers import (
    Invoice,
    InvoiceState,
    OutcomeUnknown,
    Refused,
    StatusRequest,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)
from shop.time import MINUTE, Millis

NOW = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta
WANTED = TopupRequest(ref="R1", sku="1", user_id="123456789", server="", target="123456789")


@dataclass
class Street:
    """A supplier on loopback, the adapter in front of it, and the time for both."""

    simulator: ZulTopupSimulator
    shop: ZulTopup
    now: Millis = NOW

    async def happens(self, action: str, **wish: Any) -> None:
        await self.simulator.actions()[action](wish)

    async def status(self, bought: TopupReport) -> TopupReport:
        return await self.shop.status(StatusRequest(ref="R1", supplier_ref=bought.supplier_ref))

    async def deposit(self, invoice: Invoice) -> tuple[InvoiceState, int | None]:
        """What is said of it, which the history must say too."""
        report = await self.shop.deposit_report(invoice.supplier_ref)
        assert (await self.shop.deposit_history())[invoice.supplier_ref] == report
        return report.state, report.amount


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    app = web.Application()
    simulator = ZulTopupSimulator(clock=lambda: here.now)
    add_simulators(app, [simulator])
    async with TestServer(app) as server:
        wanted = Settings(
            url=str(server.make_url("/zultopup")),
            api_key=lambda: ("kunci",),
            phone="0812",
            target_format="",
            dropship_percent=1200,
        )
        here = Street(simulator, ZulTopup(wanted, clock=lambda: here.now))
        yield here


async def test_an_order_from_the_balance_costs_the_listed_price_and_is_delivered(
    street: Street,
) -> None:
    before = await street.shop.balance()
    bought = await street.shop.topup(WANTED)
    assert bought.state is TopupState.PENDING
    assert before - await street.shop.balance() == 10_000
    assert (await street.status(bought)).state is TopupState.PENDING
    street.now += MINUTE
    report = await street.status(bought)
    assert report.state is TopupState.DELIVERED
    assert report.serial


@pytest.mark.parametrize("word", ["Error", "Gagal"])
async def test_a_failed_order_has_given_the_balance_its_money_back(
    street: Street, word: str
) -> None:
    before = await street.shop.balance()
    bought = await street.shop.topup(WANTED)
    await street.happens("finish", ref=bought.supplier_ref, status=word)
    report = await street.status(bought)
    assert (report.state, report.returned) == (TopupState.FAILED, True)
    assert await street.shop.balance() == before


async def test_what_the_balance_cannot_pay_is_refused(street: Street) -> None:
    await street.happens("balance", balance=9_999)
    with pytest.raises(Refused, match="Saldo"):
        await street.shop.topup(WANTED)
    assert await street.shop.balance() == 9_999


async def test_a_lost_answer_is_unknown_and_the_order_was_made_once(street: Street) -> None:
    await street.happens("fault", kind="timeout", seconds=0)
    with pytest.raises(OutcomeUnknown):
        await street.shop.topup(WANTED)
    orders: Any = street.simulator.journal()["orders"]
    assert [order["mode"] for order in orders] == ["saldo"]
    with pytest.raises(Unavailable):
        await street.shop.status(StatusRequest(ref="R1", supplier_ref="99"))


async def test_a_deposit_is_unpaid_then_settled_with_what_was_paid(street: Street) -> None:
    await street.happens("fault", kind="unique_code", code=77)
    invoice = await street.shop.open_deposit("R1", 50_000)
    assert (invoice.amount, invoice.expires_at) == (50_077, NOW + 15 * MINUTE)
    assert await street.deposit(invoice) == (InvoiceState.UNPAID, None)
    before = await street.shop.balance()
    await street.happens("pay", id=invoice.supplier_ref)
    assert await street.deposit(invoice) == (InvoiceState.SETTLED, 50_077)
    assert await street.shop.balance() - before == 50_077
    await street.happens("pay", id=invoice.supplier_ref, amount=23)
    assert await street.deposit(invoice) == (InvoiceState.SETTLED, 50_100)


async def test_money_after_the_end_of_a_deposit_is_told(street: Street) -> None:
    invoice = await street.shop.open_deposit("R1", 50_000)
    street.now += 15 * MINUTE
    assert await street.deposit(invoice) == (InvoiceState.EXPIRED, None)
    await street.happens("pay", id=invoice.supplier_ref, amount=49_000)
    assert await street.deposit(invoice) == (InvoiceState.SETTLED, 49_000)


@pytest.mark.parametrize("kind", ["500", "html", "truncated", "429", "timeout"])
async def test_a_deposit_whose_answer_is_lost_is_unknown(street: Street, kind: str) -> None:
    await street.happens("fault", kind=kind, seconds=0)
    with pytest.raises(OutcomeUnknown):
        await street.shop.open_deposit("R1", 50_000)
    with pytest.raises(Unavailable):
        await street.shop.deposit_report("DEP-20261120-000009")
