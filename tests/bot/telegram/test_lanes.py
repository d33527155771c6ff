"""Order within a chat, and nothing left behind."""

import asyncio

import pytest
from telegram import Update

from bot.telegram.lanes import ChatByChat


def update(chat: int, number: int = 1) -> Update:
    person = {"id": chat, "is_bot": False, "first_name": "B"}
    message = {"message_id": 1, "date": 0, "chat": {"id": chat, "type": "private"}, "from": person}
    made = Update.de_json({"update_id": number, "message": message})
    assert made is not None
    return made


async def test_a_chat_waits_only_for_itself() -> None:
    lanes, done, gate = ChatByChat(chats_at_once=4, most_waiting=100), [], asyncio.Event()

    async def first() -> None:
        await gate.wait()
        done.append("A1")

    async def note(name: str) -> None:
        done.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(lanes.process_update(update(1), first()))
        tasks.create_task(lanes.process_update(update(1), note("A2")))
        tasks.create_task(lanes.process_update(update(2), note("B1")))
        await asyncio.sleep(0.01)
        assert done == ["B1"]
        assert lanes.behind(update(1)) == 1
        gate.set()
    assert done == ["B1", "A1", "A2"]
    assert lanes.chats == 0


async def test_in_a_chat_the_lowest_number_comes_first() -> None:
    lanes, done, gate = ChatByChat(chats_at_once=4, most_waiting=100), [], asyncio.Event()

    async def first() -> None:
        await gate.wait()

    async def note(number: int) -> None:
        done.append(number)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(lanes.process_update(update(1, 5), first()))
        for number in (9, 7, 8, 6, 1):
            tasks.create_task(lanes.process_update(update(1, number), note(number)))
        await asyncio.sleep(0.01)
        gate.set()
    assert done == [1, 6, 7, 8, 9]
    assert lanes.chats == 0


@pytest.mark.parametrize("called_already", [True, False])
async def test_one_that_is_cancelled_while_it_waits_holds_nobody_up(called_already: bool) -> None:
    lanes, done, gate = ChatByChat(chats_at_once=4, most_waiting=100), [], asyncio.Event()

    async def first() -> None:
        await gate.wait()

    async def note(number: int) -> None:
        done.append(number)

    turns = [first(), *(note(number) for number in (2, 3))]
    tasks = [
        asyncio.create_task(lanes.process_update(update(1, number), turn))
        for number, turn in enumerate(turns, start=1)
    ]
    await asyncio.sleep(0.01)
    if called_already:  # after the first one has gone, before the second one has come
        gate.set()
        asyncio.get_running_loop().call_soon(tasks[1].cancel)
    else:
        tasks[1].cancel()
        gate.set()
    await asyncio.wait(tasks)
    turns[1].close()
    assert done == [3]
    assert lanes.chats == 0


async def test_a_talkative_chat_takes_one_place_only() -> None:
    lanes, gate, done = ChatByChat(chats_at_once=2, most_waiting=100), asyncio.Event(), []

    async def wait() -> None:
        await gate.wait()

    async def note() -> None:
        done.append("B")

    async with asyncio.TaskGroup() as tasks:
        for _ in range(50):
            tasks.create_task(lanes.process_update(update(1), wait()))
        tasks.create_task(lanes.process_update(update(2), note()))
        await asyncio.sleep(0.01)
        assert done == ["B"]
        gate.set()


async def test_a_failure_lets_the_next_one_pass() -> None:
    lanes = ChatByChat(chats_at_once=1, most_waiting=9)

    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await lanes.process_update(update(1), fail())
    await lanes.process_update(update(1), asyncio.sleep(0))
    assert lanes.chats == 0
