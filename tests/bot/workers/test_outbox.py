"""What is owed is sent: in order for each chat, once, and no chat waits for another."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shop.notices import Notice, NoticeKind
from shop.time import HOUR, MINUTE
from storage.books import SqlBooks
from tests.fakes.street import Street, street

CHATS, EACH = 30, 20


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


def owe(books: SqlBooks, now: int, address: str, number: int) -> None:
    facts = {"supplier": f"{number:03}", "balance": number}
    key = f"{address}:{number}"
    books.outbox.owe(Notice(key=key, kind=NoticeKind.BALANCE, address=address, facts=facts), now)


async def all_sent(there: Street) -> None:
    for _ in range(3000):
        if not there.rows("SELECT 1 FROM outbox WHERE due_at IS NOT NULL LIMIT 1"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("messages are left")


async def test_m2_m5_many_chats_at_once_hear_everything_once_and_in_order(there: Street) -> None:
    def all_of_it(books: SqlBooks) -> None:
        for number in range(EACH):
            for chat in range(CHATS):
                owe(books, there.clock(), f"web:p{chat}", number)

    await there.shop.keeper.write(all_of_it)
    running = asyncio.create_task(there.shop.outbox.run())
    await all_sent(there)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert set(Counter(message.key for message in there.chat.messages).values()) == {1}
    for chat in range(CHATS):
        keys = [message.key for message in there.chat.of(f"web:p{chat}")]
        assert keys == [f"web:p{chat}:{number}" for number in range(EACH)]


async def test_m5_a_blocked_chat_keeps_nobody_waiting(there: Street) -> None:
    there.chat.blocked.add("web:gone")
    for number, address in enumerate(("web:gone", "web:here")):
        await there.shop.keeper.write(
            lambda books, a=address, n=number: owe(books, there.clock(), a, n)
        )
    await there.shop.outbox.drain()
    assert [message.key for message in there.chat.messages] == ["web:here:1"]


async def test_an_owner_who_was_away_is_written_to_again(there: Street) -> None:
    there.chat.blocked.add("web:owner")
    case = Notice(
        key="case:X:stuck", kind=NoticeKind.CASE, address="", facts={"kind": "stuck", "case": "X"}
    )
    await there.shop.keeper.write(lambda books: books.outbox.owe_owners(case, there.clock()))
    await there.shop.outbox.drain()
    assert there.chat.messages == []
    there.chat.blocked.clear()
    await there.after(HOUR, step=MINUTE)
    assert there.owner.count("Kasus") == 1
