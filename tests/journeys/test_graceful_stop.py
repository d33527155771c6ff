"""SIGTERM while everything is under way: gone in ten seconds, with exit code 0 and nothing lost."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.fakes.buyers import Buyer, buyers
from tests.fakes.process import free_port
from tests.fakes.reckoning import comes_to_rest, reckoning
from tests.fakes.telegram import Fault
from tests.fakes.world import WEBHOOK_SECRET, World, opened_world

pytestmark = pytest.mark.process
GONE_WITHIN = 10.0 + 5.0  # ten are promised; the machine may be busy with other tests
TONO = 77
HELLO = {
    "update_id": 900_001,
    "message": {
        "message_id": 900_001,
        "date": 1_795_150_800,
        "chat": {"id": TONO, "type": "private", "first_name": "Tono"},
        "from": {"id": TONO, "is_bot": False, "first_name": "Tono", "language_code": "id"},
        "text": "halo",
    },
}


class OpenRequest:
    """Half of what Telegram brings; the other half is to come."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def begin(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps(HELLO).encode()
        head = (
            f"POST /telegram/webhook HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {WEBHOOK_SECRET}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body[: len(body) // 2])
        await self._writer.drain()

    async def is_answered_200(self) -> bool:
        """Whether the shop took the half for the whole."""
        said = await self._reader.read()
        self._writer.close()
        return said.startswith(b"HTTP/1.1 200")

    async def comes_again(self) -> int:
        async with ClientSession() as session:
            headers = {"X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET}
            url = f"http://127.0.0.1:{self._port}/telegram/webhook"
            async with session.post(url, json=HELLO, headers=headers) as answer:
                return answer.status


async def pays_and_hears_nothing(world: World, siti: Buyer) -> Fault:
    """Pay, and have the word of success hang on its way to the chat."""
    assert await siti.orders("123456789")
    hanging = world.telegram.fail_next("sendMessage", "hang", chat_id=siti.person.chat.id)
    [entry] = await world.journal()
    await world.control("pay", id=entry["id"])
    await world.control("finish", ref=entry["id"], status="Success")
    await world.telegram.until(lambda: hanging.struck, 15, "the success being sent")
    return hanging


async def is_accepted(world: World, account: str) -> None:
    async with asyncio.timeout(15):
        while account not in [entry["target"] for entry in await world.journal()]:  # noqa: ASYNC110 - the supplier rings no bell
            await asyncio.sleep(0.1)


# A supplier that never answers costs Budi his order; one that does so in time does not.
@pytest.mark.parametrize(
    ("fault", "seconds", "is_kept"), [("timeout", 60, False), ("slow", 4, True)]
)
async def test_o1_sigterm_in_the_middle_of_everything(
    tmp_path: Path, on_a_database: str, fault: str, seconds: int, is_kept: bool
) -> None:
    port = free_port()
    settings = {
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "LAPAK_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LAPAK_PORT": str(port),
    }
    async with opened_world(tmp_path, on_a_database, **settings) as world:
        world.port = port
        [siti, budi] = buyers(world, 2, "sigterm")
        tono, request = world.person(TONO, "Tono"), OpenRequest(port)
        async with world.shop() as shop:
            await world.ready()
            hanging = await pays_and_hears_nothing(world, siti)
            await world.control("fault", kind=fault, path="order/create", seconds=seconds)
            ordering = asyncio.create_task(budi.orders("987654321"))
            await is_accepted(world, "987654321")
            await request.begin()
            async with asyncio.timeout(GONE_WITHIN):
                assert await shop.kill(signal.SIGTERM) == 0
            assert "Traceback" not in shop.output
        hanging.release()
        assert not await request.is_answered_200()
        async with world.shop():
            await world.ready()
            assert await ordering == is_kept
            assert is_kept or await budi.orders("987654322")
            await budi.pays("987654321" if is_kept else "987654322")
            assert await request.comes_again() == 200
            await tono.sees("Mau top up game apa")
            await comes_to_rest(world, 30)
        assert (await reckoning(world)).at_rest() == []
        assert siti.person.chat.visible[-1].text.count("Top up masuk!") == 1
