"""``lapak check`` with several suppliers: each is asked, and one that can sell is enough."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.__main__ import main
from bot.bootstrap import now
from bot.checking import Finding, check, could_sell, table
from bot.settings import read_settings
from bot.simulated import products_csv, simulators_of
from providers.simulators.control import add_simulators
from tests.fakes.telegram import FakeTelegram

TOKEN = "123456:canary-telegram-token-AAAA"
KEYS: Mapping[str, Mapping[str, str]] = {
    "zultopup": {"ZULTOPUP_API_KEY": "canary-zultopup", "ZULTOPUP_PHONE": "081200000000"},
    "zonegame": {"ZONEGAME_API_KEY": "canary-zonegame"},
    "senpay": {"SENPAY_API_KEY": "canary-senpay", "SENPAY_SECRET_KEY": "demo-key"},
    "kiosgame": {"KIOSGAME_API_KEY": "canary-kiosgame"},
    "apigames": {"APIGAMES_MERCHANT_ID": "DEMO", "APIGAMES_SECRET_KEY": "demo-key"},
}
TITLES = {
    "zultopup": "ZulTopup",
    "zonegame": "ZoneGame",
    "senpay": "SenPay",
    "kiosgame": "Kiosgame",
    "apigames": "Apigames",
}
REFUSED = {  # the setting of each that says who we are, and a text that is not accepted
    "zultopup": ("ZULTOPUP_API_KEY", "invalid-canary-1"),
    "zonegame": ("ZONEGAME_API_KEY", "invalid-canary-2"),
    "senpay": ("SENPAY_API_KEY", "invalid-canary-3"),
    "kiosgame": ("KIOSGAME_API_KEY", "invalid-canary-4"),
    "apigames": ("APIGAMES_SECRET_KEY", "invalid-canary-5"),
}
QRIS = {
    "LAPAK_PAYMENTS": "qris,wallet",
    "LAPAK_QRIS_PAYLOAD": (
        "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
        "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
        "6007JAKARTA6105101106304BB42"
    ),
}


@dataclass
class Surroundings:
    """A Telegram, and five suppliers; each of them can be taken away."""

    folder: Path
    telegram: FakeTelegram
    simulators: TestServer
    nowhere: str

    def settings(self, slugs: Iterable[str], more: Mapping[str, str]) -> dict[str, str]:
        products = self.folder / "products.csv"
        products.write_text(products_csv(), encoding="utf-8")
        texts = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.telegram.url,
            "LAPAK_OWNERS": "telegram:99",
            "LAPAK_SUPPORT": "@toko",
            "LAPAK_DATABASE_URL": f"sqlite:///{self.folder / 'lapak.db'}",
        }
        for slug in slugs:
            texts |= KEYS[slug]
            texts[f"{slug.upper()}_URL"] = str(self.simulators.make_url(f"/{slug}"))
            if slug == "apigames":
                texts["APIGAMES_PRODUCTS"] = str(products)
        return texts | QRIS | more

    async def check(self, *slugs: str, **more: str) -> list[Finding]:
        # It runs a loop of its own, as the command does.
        settings = read_settings(self.settings(slugs, more), None)
        return await asyncio.to_thread(check, settings)

    def away(self, *slugs: str) -> dict[str, str]:
        """The settings with which these cannot be reached."""
        return {f"{slug.upper()}_URL": self.nowhere for slug in slugs}


@pytest.fixture
async def around(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Surroundings]:
    app = web.Application()
    add_simulators(app, simulators_of(now))
    async with TestServer(app) as simulators, FakeTelegram(token=TOKEN) as telegram:
        nowhere = f"http://127.0.0.1:{unused_tcp_port}"
        yield Surroundings(
            folder=tmp_path, telegram=telegram, simulators=simulators, nowhere=nowhere
        )


def about(findings: Sequence[Finding], slug: str) -> list[Finding]:
    return [finding for finding in findings if finding.what.startswith(TITLES[slug])]


def first(findings: Sequence[Finding], slug: str) -> Finding:
    return next(finding for finding in findings if finding.what == TITLES[slug])


async def test_every_supplier_says_who_we_are_and_what_it_sells(around: Surroundings) -> None:
    findings = await around.check(*KEYS)
    assert could_sell(findings)
    for slug in KEYS:
        known, goods, *_ = about(findings, slug)
        assert (known.what, known.works) == (TITLES[slug], True)
        assert known.says.startswith("we are known; ")
        assert (goods.what, goods.works) == (f"{TITLES[slug]} goods", True)
        assert not goods.says.startswith("0 items")
    assert table(findings).endswith("A sale could be made.")


async def test_who_tells_no_balance_is_named_with_what_to_do(around: Surroundings) -> None:
    findings = await around.check(*KEYS)
    tells = {slug: "it tells no balance" not in first(findings, slug).says for slug in KEYS}
    assert tells == {slug: slug != "senpay" for slug in KEYS}
    (by_hand,) = [finding for finding in findings if finding.what == "SenPay balance"]
    assert (by_hand.works, by_hand.needed) == (False, False)
    assert by_hand.do.endswith("/catat senpay +500rb")


@pytest.mark.parametrize("slug", sorted(KEYS))
async def test_each_of_them_alone_is_enough(around: Surroundings, slug: str) -> None:
    more = {"ZULTOPUP_TARGET_FORMAT": "{user_id}{server_id}"} if slug == "zultopup" else {}
    assert could_sell(await around.check(slug, **more))


@pytest.mark.parametrize("slug", sorted(KEYS))
async def test_one_that_is_down_is_no_reason_not_to_sell(around: Surroundings, slug: str) -> None:
    others = sorted(set(KEYS) - {slug})
    findings = await around.check(*KEYS, **around.away(slug))
    down = first(findings, slug)
    assert could_sell(findings)
    assert not down.works
    assert f"{slug.upper()}_URL" in down.do
    assert f"note  {TITLES[slug]}" in table(findings)
    assert all(first(findings, other).works for other in others)


@pytest.mark.parametrize("slug", sorted(KEYS))
async def test_one_that_does_not_know_us_is_told_with_its_settings(
    around: Surroundings, slug: str
) -> None:
    name, text = REFUSED[slug]
    findings = await around.check(*KEYS, **{name: text})
    refused = first(findings, slug)
    assert could_sell(findings)
    assert (refused.works, refused.needed) == (False, False)
    assert name in refused.do
    assert "canary" not in table(findings)


async def test_where_all_are_down_there_is_no_sale(around: Surroundings) -> None:
    findings = await around.check(*KEYS, **around.away(*KEYS))
    assert not could_sell(findings)
    assert all(first(findings, slug).needed for slug in KEYS)
    assert table(findings).endswith("No sale could be made.")


async def test_one_down_and_one_with_nothing_to_sell_make_no_sale(around: Surroundings) -> None:
    empty = around.folder / "empty.csv"
    empty.write_text("code,game,name,price\n", encoding="utf-8")
    more = around.away("zonegame") | {"APIGAMES_PRODUCTS": str(empty)}
    findings = await around.check("zonegame", "apigames", **more)
    assert not could_sell(findings)
    (goods,) = [finding for finding in findings if finding.what == "Apigames goods"]
    assert (goods.works, goods.needed) == (False, True)


async def test_without_any_supplier_there_is_no_sale(around: Surroundings) -> None:
    findings = await around.check()
    assert not could_sell(findings)
    (none,) = [finding for finding in findings if finding.what == "suppliers"]
    assert none.says == "none is configured"


async def test_who_is_not_in_the_owners_list_is_not_asked(around: Surroundings) -> None:
    findings = await around.check(*KEYS, LAPAK_SUPPLIERS="kiosgame,zonegame")
    asked = [each.what for each in findings if each.what in TITLES.values()]
    assert asked == ["Kiosgame", "ZoneGame"]


async def test_suppliers_are_named_in_the_owners_order(around: Surroundings) -> None:
    wanted = "senpay,zultopup,apigames,zonegame,kiosgame"
    findings = await around.check(*KEYS, LAPAK_SUPPLIERS=wanted)
    asked = [each.what for each in findings if each.what in TITLES.values()]
    assert asked == [TITLES[slug] for slug in wanted.split(",")]


async def test_goods_that_customers_cannot_pay_for_are_named(around: Surroundings) -> None:
    findings = await around.check(*KEYS, LAPAK_PAYMENTS="dropship,wallet")
    not_sold = [each.what for each in findings if each.says.startswith("not sold: ")]
    assert sorted(not_sold) == sorted(
        f"{TITLES[slug]} goods" for slug in KEYS if slug != "zultopup"
    )
    assert could_sell(findings)  # ZulTopup's are


async def test_if_nobody_can_pay_for_any_goods_there_is_no_sale(around: Surroundings) -> None:
    slugs = sorted(set(KEYS) - {"zultopup"})
    findings = await around.check(*slugs, LAPAK_PAYMENTS="dropship,wallet")
    assert not could_sell(findings)
    dropship = next(each for each in findings if each.what == "pay by dropship")
    assert (dropship.works, dropship.says) == (False, "no supplier for it has answered")


@pytest.mark.parametrize(("down", "code"), [(["zonegame"], 0), (["zonegame", "kiosgame"], 1)])
async def test_the_command_ends_with_1_only_if_nobody_can_sell(
    around: Surroundings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    down: list[str],
    code: int,
) -> None:
    texts = around.settings(["zonegame", "kiosgame"], around.away(*down))
    for name, text in texts.items():
        monkeypatch.setenv(name, text)
    monkeypatch.chdir(around.folder)
    monkeypatch.setattr("bot.__main__.configure_logs", lambda *_: None)
    assert await asyncio.to_thread(main, ["check"]) == code
    printed = capsys.readouterr().out
    assert printed.endswith(f"{'No' if code else 'A'} sale could be made.\n")
    assert "canary" not in printed
