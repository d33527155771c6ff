"""``lapak check`` says what works, what does not, and whether anybody could buy anything."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.bootstrap import Seams, now, suppliers_of
from bot.checking import Finding, Known, check, could_sell, payment_findings, table
from bot.settings import Settings, read_settings
from providers.simulators.control import add_simulators
from providers.simulators.zultopup import ZulTopupSimulator
from shop.suppliers import PriceList, StatusRequest, Supplier, TopupReport, TopupRequest
from tests.fakes.telegram import FakeTelegram

TOKEN = "123456:canary-telegram-token-AAAA"
KEY = "canary-api-key-0123456789"
QRIS = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)


@dataclass
class Surroundings:
    """A Telegram and a supplier for a shop to find."""

    folder: Path
    telegram: FakeTelegram
    simulator: TestServer

    def settings(self, **more: str) -> Settings:
        texts = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.telegram.url,
            "ZULTOPUP_API_KEY": KEY,
            "ZULTOPUP_URL": str(self.simulator.make_url("/zultopup")),
            "ZULTOPUP_PHONE": "081200000000",
            "ZULTOPUP_TARGET_FORMAT": "{user_id}{server_id}",
            "LAPAK_OWNERS": "telegram:99",
            "LAPAK_SUPPORT": "@toko",
            "LAPAK_DATABASE_URL": f"sqlite:///{self.folder / 'lapak.db'}",
        }
        return read_settings(texts | more, None)

    async def check(self, **more: str) -> list[Finding]:
        # It runs a loop of its own, as the command does.
        return await asyncio.to_thread(check, self.settings(**more))


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Surroundings]:
    app = web.Application()
    add_simulators(app, [ZulTopupSimulator(clock=now)])
    async with TestServer(app) as simulator, FakeTelegram(token=TOKEN) as telegram:
        yield Surroundings(folder=tmp_path, telegram=telegram, simulator=simulator)


def lines(findings: Sequence[Finding]) -> list[str]:
    """The findings about payments as they are printed, single blanks between the words."""
    shown = [" ".join(line.split()) for line in table(findings).splitlines()]
    first = next((at for at, line in enumerate(shown) if " pay by " in line), len(shown))
    return shown[first:-1]


async def test_a_shop_as_it_comes_can_sell_by_dropship(around: Surroundings) -> None:
    findings = await around.check()
    assert could_sell(findings)
    assert lines(findings) == [
        "ok pay by dropship customers pay ZulTopup, which delivers",
        "note pay by wallet credit is spent, but not topped up",
        "-> for top-ups, add deposit or qris to LAPAK_PAYMENTS",
    ]


async def test_every_way_to_pay_is_named_with_what_it_leads_to(around: Surroundings) -> None:
    findings = await around.check(
        LAPAK_PAYMENTS="qris,deposit,dropship,wallet", LAPAK_QRIS_PAYLOAD=QRIS
    )
    assert could_sell(findings)
    assert lines(findings) == [
        "ok pay by qris customers pay TOKO CONTOH; you confirm every payment",
        "ok pay by deposit customers pay into your balance at ZulTopup (now Rp50.000)",
        "ok pay by dropship customers pay ZulTopup, which delivers",
        "ok pay by wallet top-ups of Rp10.000 to Rp2.000.000",
    ]


async def test_a_supplier_that_does_not_know_us_takes_nobodys_money(around: Surroundings) -> None:
    findings = await around.check(
        LAPAK_PAYMENTS="dropship,deposit,wallet", ZULTOPUP_API_KEY="invalid-key"
    )
    assert not could_sell(findings)
    assert lines(findings)[:2] == [
        "note pay by dropship no supplier for it has answered",
        "note pay by deposit no supplier for it has answered",
    ]


async def test_with_a_wallet_alone_nobody_can_ever_pay(around: Surroundings) -> None:
    findings = await around.check(LAPAK_PAYMENTS="wallet")
    assert not could_sell(findings)
    assert could_sell(findings[:-1])
    assert lines(findings)[-2:] == [
        "BAD payments nobody can ever pay: LAPAK_PAYMENTS is wallet alone, and nothing tops it up",
        "-> add dropship, deposit or qris to LAPAK_PAYMENTS",
    ]
    assert table(findings).endswith("No sale could be made.")


@pytest.mark.parametrize("payments", ["dropship", "deposit", "deposit,wallet", "qris"])
async def test_any_way_to_pay_with_real_money_is_enough(
    around: Surroundings, payments: str
) -> None:
    more = {"LAPAK_QRIS_PAYLOAD": QRIS} if payments == "qris" else {}
    assert could_sell(await around.check(LAPAK_PAYMENTS=payments, **more))


# --- suppliers of other kinds ---


class PaidByUs(Supplier):
    """A supplier that sells from our balance only."""

    slug = "gudang"
    title = "Gudang"
    counts_calls = False
    knows_our_ref = True

    async def price_list(self) -> PriceList:
        return PriceList(listings=())

    async def balance(self) -> int:
        return 0

    async def topup(self, request: TopupRequest) -> TopupReport:
        raise NotImplementedError

    async def status(self, request: StatusRequest) -> TopupReport:
        raise NotImplementedError


def found(*known: tuple[Supplier, int], **texts: str) -> list[Finding]:
    """What is said of the ways to pay, where these suppliers know us and have that of ours."""
    key = {"ZULTOPUP_API_KEY": KEY, "ZULTOPUP_PHONE": "081200000000"}
    settings = read_settings(key | texts, None)
    return payment_findings(settings, [Known(supplier=s, balance=b) for s, b in known])


def zultopup() -> Supplier:
    (supplier,) = suppliers_of(
        read_settings({"ZULTOPUP_API_KEY": KEY, "ZULTOPUP_PHONE": "081200000000"}, None), Seams()
    )
    return supplier


def test_goods_that_no_way_to_pay_covers_are_not_sold_and_it_is_said() -> None:
    findings = found((zultopup(), 0), (PaidByUs(), 9_000), LAPAK_PAYMENTS="dropship")
    assert lines(findings) == [
        "ok pay by dropship customers pay ZulTopup, which delivers",
        "note Gudang goods not sold: none of LAPAK_PAYMENTS can pay for them",
        "-> add deposit or qris to LAPAK_PAYMENTS",
    ]
    assert could_sell(findings)


def test_if_those_are_all_goods_there_is_no_sale() -> None:
    findings = found((PaidByUs(), 9_000), LAPAK_PAYMENTS="dropship,wallet")
    assert "BAD Gudang goods not sold: none of LAPAK_PAYMENTS can pay for them" in lines(findings)
    assert not could_sell(findings)


@pytest.mark.parametrize("payments", ["dropship,deposit", "wallet,qris,dropship"])
def test_prepaid_goods_are_sold_where_customers_pay_us(payments: str) -> None:
    findings = found((PaidByUs(), 9_000), LAPAK_PAYMENTS=payments, LAPAK_QRIS_PAYLOAD=QRIS)
    assert could_sell(findings)
    assert not [finding for finding in findings if finding.what == "Gudang goods"]


def test_what_customers_pay_to_us_buys_nothing_from_an_empty_balance() -> None:
    own = {"LAPAK_QRIS_PAYLOAD": QRIS}
    findings = found((zultopup(), 0), LAPAK_PAYMENTS="qris,wallet", **own)
    assert lines(findings)[-2:] == [
        "BAD ZulTopup balance is empty: nothing can be bought with what customers pay by qris",
        "-> top up your balance at ZulTopup",
    ]
    assert not could_sell(findings)
    assert could_sell(found((zultopup(), 0), LAPAK_PAYMENTS="qris,dropship", **own))
    assert could_sell(found((zultopup(), 0), (PaidByUs(), 1), LAPAK_PAYMENTS="qris", **own))
    assert could_sell(found((zultopup(), 1), LAPAK_PAYMENTS="qris", **own))


def test_the_owners_qris_is_named_by_its_merchant_and_not_shown() -> None:
    findings = found((zultopup(), 1), LAPAK_PAYMENTS="qris", LAPAK_QRIS_PAYLOAD=QRIS)
    assert "TOKO CONTOH" in table(findings)
    assert "9360" not in table(findings)
