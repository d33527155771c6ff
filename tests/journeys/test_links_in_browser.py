"""A link to the demo's chat page leads to an item, once, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.fakes.process import answers, free_port, started
from tests.journeys.test_browser import browsing, hears, says

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.sqlite]


async def test_a_link_is_followed_once_and_by_the_customer(tmp_path: Path, chromium: str) -> None:
    port = free_port()
    arguments = ("demo", "--port", str(port), "--data", str(tmp_path))
    url = f"http://127.0.0.1:{port}/chat"
    async with started(*arguments, folder=tmp_path) as demo:
        await answers(f"http://127.0.0.1:{port}/readyz")
        async with browsing(chromium, f"{url}?start=honor-of-kings_token_80") as page:
            await hears(page, "Honor of Kings · 80 Token")
            assert page.url == url
            asked = page.get_by_test_id("message").filter(has_text="/start honor-of-kings_token_80")
            await expect(asked).to_have_count(1)
            await page.reload()
            await hears(page, "Honor of Kings · 80 Token")
            await expect(asked).to_have_count(1)
            await page.goto(f"{url}?as=owner&start=free-fire")
            await says(page, "/tautan ff 70")
            await hears(page, f"{url}?start=free-fire_diamond_70")
            await page.get_by_test_id("view-customer").click()
            await hears(page, "Free Fire")
            assert page.url == url
            await page.goto(f"{url}?start=%3Cscript%3E")
            await says(page, "ml 86")
            await hears(page, "Mobile Legends · 86 Diamond")
        await demo.kill()
