"""A person buys in the demo's chat page, by clicking, in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from storage.address import SqliteFile
from storage.audit import audit
from tests.conftest import ARTIFACTS
from tests.fakes.process import answers, free_port, started

pytestmark = [pytest.mark.browser, pytest.mark.process]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def browsing(
    chromium: str, url: str, width: int = 1280, height: int = 860
) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page(viewport={"width": width, "height": height})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(url)
        try:
            yield page
        finally:
            await browser.close()
        assert problems == []


async def picks(page: Page, label: str) -> None:
    await presses(page, f'[data-label*="{label}"]')


async def presses(page: Page, choice: str) -> None:
    button = page.locator(f"[data-testid=choice]{choice}").last
    await expect(button).to_be_in_viewport()
    await button.click()


async def says(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("send").click()


ONLY_AT_ZULTOPUP = "honor-of-kings/weekly-card/1"
CHEAPEST_AT_KIOSGAME = "free-fire-max/diamond/355"


async def buys(
    page: Page,
    how: str = "Bayar",
    game: str = "Honor of Kings",
    item: str = ONLY_AT_ZULTOPUP,
) -> None:
    """Go as far as the QR code, for an item that one supplier sells."""
    await picks(page, game)
    await presses(page, f'[data-choice$=":{item}"]')
    await says(page, "12345678")
    await picks(page, how)
    await expect(page.get_by_test_id("qr").last).to_be_in_viewport(ratio=1)


async def hears(page: Page, *parts: str) -> None:
    """The newest of what was said holds all of this, within the patience of a person."""
    for part in parts:
        await expect(page.get_by_test_id("message").last).to_contain_text(part, timeout=20_000)


async def stands(page: Page, account: str, amount: str) -> None:
    """The ledger beside the chat has this balance, and balances."""
    row = page.locator(f'[data-testid=accounts] [data-account="{account}"]')
    await expect(row).to_contain_text(amount, timeout=10_000)
    await expect(page.get_by_test_id("sum")).to_have_attribute("data-balanced", "true")


async def is_shown(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"{name}.png")


@asynccontextmanager
async def shopping(chromium: str, folder: Path, width: int = 1280) -> AsyncIterator[Page]:
    """The chat page of a demo of its own, whose books hold when it is over."""
    port = free_port()
    arguments = ("demo", "--port", str(port), "--data", str(folder))
    async with started(*arguments, folder=folder) as demo:
        await answers(f"http://127.0.0.1:{port}/readyz")
        url = f"http://127.0.0.1:{port}/chat"
        async with browsing(chromium, url, width=width, height=860) as page:
            yield page
        await demo.kill()
    assert audit(SqliteFile(path=folder / "lapak.db")) == []


@pytest.mark.sqlite
async def test_a_person_buys_by_clicking(tmp_path: Path, chromium: str) -> None:
    port = free_port()
    arguments = ("demo", "--port", str(port), "--data", str(tmp_path))
    async with started(*arguments, folder=tmp_path) as demo:
        await answers(f"http://127.0.0.1:{port}/readyz")
        async with browsing(chromium, f"http://127.0.0.1:{port}/chat") as page:
            await buys(page)
            ARTIFACTS.mkdir(exist_ok=True)
            await page.screenshot(path=ARTIFACTS / "chat-qr.png")
            await page.get_by_test_id("pay").first.click()
            await expect(page.get_by_test_id("copy").last).to_be_visible(timeout=20_000)
            await expect(page.get_by_text("Top up masuk!").last).to_be_in_viewport()
            await page.screenshot(path=ARTIFACTS / "chat-done.png")
        await demo.kill()
    assert audit(SqliteFile(path=tmp_path / "lapak.db")) == []


async def test_the_page_finds_its_way_back_after_the_plug_was_pulled(
    tmp_path: Path, chromium: str
) -> None:
    port = free_port()
    arguments = ("demo", "--port", str(port), "--data", str(tmp_path))
    url = f"http://127.0.0.1:{port}"
    async with started(*arguments, folder=tmp_path) as first:
        await answers(f"{url}/readyz")
        async with browsing(chromium, f"{url}/chat", width=390, height=844) as page:
            await buys(page)
            await first.kill()
            async with started(*arguments, folder=tmp_path):
                await answers(f"{url}/readyz")
                await page.get_by_test_id("composer").fill("/riwayat")
                await page.get_by_test_id("send").click()
                await expect(page.get_by_text("Pesananmu").last).to_be_visible(timeout=15_000)
                await expect(page.get_by_text("· menunggu pembayaran").last).to_be_visible()
                await expect(page.get_by_test_id("qr")).to_have_count(1)
                ARTIFACTS.mkdir(exist_ok=True)
                await page.screenshot(path=ARTIFACTS / "chat-phone.png")


@pytest.mark.sqlite
async def test_money_that_comes_too_late_is_the_customers_credit(
    tmp_path: Path, chromium: str
) -> None:
    async with shopping(chromium, tmp_path) as page:
        await buys(page, "QRIS deposit")
        deposit = page.get_by_test_id("deposit")
        await deposit.get_by_test_id("expire").click()
        await hears(page, "tidak dibayar sampai batas waktunya")
        await deposit.get_by_test_id("pay").click()
        await expect(page.get_by_test_id("panel-toast")).to_contain_text("terlambat")
        await picks(page, "Sudah bayar")
        await hears(page, "sudah masuk ke saldomu")
        amount = await deposit.locator("[data-part=amount]").inner_text()
        await stands(page, "wallet", f"-{amount}")
        await expect(page.get_by_test_id("entry").first).to_contain_text("Dikembalikan ke saldo")
        await says(page, "/saldo")
        await hears(page, f"Saldomu: {amount}", "Isi saldo", "Tarik saldo")
        await is_shown(page, "money-late")


@pytest.mark.sqlite
async def test_money_that_is_too_little_or_comes_twice_is_the_owners_to_decide(
    tmp_path: Path, chromium: str
) -> None:
    async with shopping(chromium, tmp_path) as page:
        await buys(page, "QRIS deposit")
        deposit = page.get_by_test_id("deposit")
        await deposit.get_by_test_id("less").click()
        await expect(deposit.locator("[data-part=payment]")).to_have_text("Dibayar kurang")
        await hears(page, "Pemilik toko memutuskan")
        await expect(page.get_by_test_id("entry").first).to_contain_text("Dibayar tidak pas")
        await deposit.get_by_test_id("again").click()
        await expect(deposit.locator("[data-part=payment]")).to_have_text("Dibayar lebih")
        await is_shown(page, "money-panel")
        await deposit.get_by_test_id("owner").click()
        await expect(page.get_by_test_id("view-owner")).to_have_attribute("aria-pressed", "true")
        await hears(page, "Kasus: pesanan", "Tetap proses")
        await says(page, "/saldo")
        await expect(page.get_by_text("Samakan pembukuan").last).to_be_visible(timeout=20_000)
        await is_shown(page, "money-owner")


@pytest.mark.sqlite
async def test_the_shops_own_qris_is_paid_outside_and_confirmed_by_its_owner(
    tmp_path: Path, chromium: str
) -> None:
    async with shopping(chromium, tmp_path, width=390) as page:
        await buys(page, "QRIS toko")
        await page.get_by_test_id("qr-world").click()
        own = page.get_by_test_id("own-qris")
        await expect(own).to_contain_text("pemilik yang memeriksa")
        await expect(own.get_by_test_id("owner")).to_be_hidden()
        await page.get_by_test_id("panel-close").click()
        await picks(page, "Sudah bayar")
        await hears(page, "sedang memeriksa")
        await page.get_by_test_id("world").click()
        await own.get_by_test_id("owner").click()
        await picks(page, "Sudah dibayar")
        await picks(page, "Ya, benar")
        await page.get_by_test_id("view-customer").click()
        await hears(page, "Top up masuk!")
        await says(page, "/bahasa en")
        await hears(page, "we speak English now")
        await page.reload()
        await page.get_by_test_id("world").click()
        await expect(own.locator("[data-part=payment]")).to_have_text("Paid")
        await page.get_by_test_id("sum").scroll_into_view_if_needed()
        await stands(page, "qris", await own.locator("[data-part=amount]").inner_text())
        await expect(page.get_by_test_id("ledger")).to_contain_text("Balanced")
        await is_shown(page, "money-phone")


@pytest.mark.sqlite
async def test_what_a_supplier_is_made_to_fail_is_the_customers_credit(
    tmp_path: Path, chromium: str
) -> None:
    async with shopping(chromium, tmp_path) as page:
        await page.get_by_test_id("supplier-kiosgame").click()
        await page.get_by_test_id("fault-hold").click()
        await buys(page, game="Free Fire MAX", item=CHEAPEST_AT_KIOSGAME)
        deposit = page.get_by_test_id("deposit")
        await deposit.get_by_test_id("pay").click()
        bought = deposit.get_by_test_id("supply")
        await expect(bought).to_contain_text("Dipesan di Kiosgame", timeout=10_000)
        await expect(bought.get_by_test_id("ends-in")).to_be_hidden()
        await expect(bought).to_have_attribute("data-word", "PENDING")
        await expect(bought.get_by_test_id("callback")).to_have_text("Belum ada callback.")
        await bought.get_by_test_id("finish-FAILED").click()
        await expect(page.get_by_test_id("panel-toast")).to_contain_text(
            "Kiosgame melaporkan FAILED"
        )
        amount = await deposit.locator("[data-part=amount]").inner_text()
        await hears(page, "tidak bisa dikirim", f"{amount} sudah kembali ke saldomu")
        await expect(bought.get_by_test_id("callback")).to_contain_text("toko menjawab 200")
        await expect(deposit.locator("[data-part=status]")).to_have_text("Gagal")
        await stands(page, "wallet", f"-{amount}")
        await stands(page, "supplier:kiosgame", "Saldo di Kiosgame")
        await expect(page.get_by_test_id("entry").first).to_contain_text("Dikembalikan ke saldo")
        await is_shown(page, "supplier-failed")


@pytest.mark.sqlite
async def test_every_trouble_on_offer_can_be_made_and_ended(tmp_path: Path, chromium: str) -> None:
    async with shopping(chromium, tmp_path) as page:
        troubles = page.get_by_test_id("troubles")
        for slug in ("zultopup", "zonegame", "senpay", "kiosgame", "apigames"):
            await troubles.get_by_test_id(f"supplier-{slug}").click()
            for folded in await troubles.locator("details:not([open]) > summary:visible").all():
                await folded.click()
            offered = await troubles.locator(".act:visible:not([data-testid=fault-clear])").all()
            assert len(offered) == (5 if slug == "zultopup" else 10)
            for trouble in offered:
                await trouble.click()
            await expect(troubles.locator(".act.set:visible")).to_have_count(len(offered))
            await troubles.get_by_test_id("fault-clear").click()
            await expect(troubles.locator(".set, .troubled")).to_have_count(0)
        await is_shown(page, "supplier-troubles")
