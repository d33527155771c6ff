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
    button = page.locator(f'[data-testid=choice][data-label*="{label}"]').last
    await expect(button).to_be_in_viewport()
    await button.click()


async def buys(page: Page) -> None:
    await picks(page, "Mobile Legends")
    await picks(page, "86 Diamond")
    await page.get_by_test_id("composer").fill("12345678 (2001)")
    await page.get_by_test_id("send").click()
    await picks(page, "Bayar")
    await expect(page.get_by_test_id("qr").last).to_be_in_viewport(ratio=1)


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
