"""What is owed is sent: in order for each chat, once, and no chat waits for another."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.channels import TryLater, Unreachable
from bot.conversation.views import View
from bot.workers import outbox as worker
from bot.workers.outbox import AT_ONCE, OutboxWorker
from shop.notices import FOR_OWNERS, Notice, NoticeKind
from shop.time import HOUR, MINUTE, SECOND
from storage.books import SqlBooks
from storage.database import Busy, CommitUnknown, Unwritable
from tests.fakes.street import Street, street

CHATS, EACH = 30, 20
ORDER, ALERT = NoticeKind.SLOW, NoticeKind.ALERT  # "this takes long" is about an order
SOON = 0.02  # seconds


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        await opened.shop.outbox.drain()  # what the first list gave the owners to read
        opened.chat.messages.clear()
        yield opened


@dataclass
class Channel:
    """A channel with a journal, that does to a chat what it is told to."""

    edits: bool = False
    does: dict[str, Callable[[], Any]] = field(default_factory=dict)  # by address; else it sends
    tried: list[tuple[str, str]] = field(default_factory=list)  # (address, key), each try
    sent: list[str] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    crowded: set[str] = field(default_factory=set)  # chats that were sent two messages at once

    async def send(self, address: str, view: View, key: str) -> str:
        self.tried.append((address, key))
        self.at_once[address] += 1
        if self.at_once[address] > 1:
            self.crowded.add(address)
        try:
            if (does := self.does.get(address)) is not None and (waits := does()) is not None:
                await waits
        finally:
            self.at_once[address] -= 1
        self.sent.append(key)
        return f"m{len(self.sent)}"

    async def edit(self, address: str, message_id: str, view: View) -> None:
        raise AssertionError("this channel cannot edit")

    @property
    def being_sent(self) -> list[str]:
        return [address for address, count in self.at_once.items() if count]

    def tries(self, address: str) -> int:
        return sum(to == address for to, _ in self.tried)


def raising(error: Exception) -> Callable[[], None]:
    def does() -> None:
        raise error

    return does


def until(event: asyncio.Event) -> Callable[[], Any]:
    return event.wait


def hanging() -> Any:
    return asyncio.Event().wait()


def worker_of(there: Street, channel: Channel, **more: Any) -> OutboxWorker:
    """A worker on the street's books that speaks to another channel."""
    known = there.shop.outbox
    parts: dict[str, Any] = {
        "keeper": there.shop.keeper,
        "senders": {"web": channel},
        "face": known._face,
        "texts_of": known._texts_of,
        "pictures": known._pictures,
        "clock": there.clock,
        **more,
    }
    return OutboxWorker(**parts)


@asynccontextmanager
async def running(outbox: OutboxWorker) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def eventually(holds: Callable[[], object]) -> None:
    for _ in range(1500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never came")


async def owe(there: Street, *wanted: tuple[NoticeKind, str, str]) -> None:
    """Owe messages: (kind, chat, key)."""

    def all_of_them(books: SqlBooks) -> None:
        for kind, address, key in wanted:
            notice = Notice(key=key, kind=kind, address=address, facts={"order": "ORDER1"})
            books.outbox.owe(notice, there.clock())

    await there.shop.keeper.write(all_of_them)


def chats(name: str, count: int, kind: NoticeKind = ORDER) -> list[tuple[NoticeKind, str, str]]:
    return [(kind, f"web:{name}{nth:03}", f"{name}{nth:03}") for nth in range(count)]


def waiting(there: Street) -> list[Mapping[str, Any]]:
    return there.rows("SELECT * FROM outbox WHERE due_at IS NOT NULL ORDER BY address, seq")


# --- order, and once ------------------------------------------------------------------------------


async def test_m2_m5_many_chats_at_once_hear_everything_once_and_in_order(there: Street) -> None:
    channel = Channel()
    wanted = [
        (kind, f"web:p{chat}", f"p{chat}:{kind}:{number:02}")
        for number in range(EACH)
        for chat in range(CHATS)
        for kind in (ORDER, ALERT)
    ]
    await owe(there, *wanted)
    async with running(worker_of(there, channel)):
        await eventually(lambda: not waiting(there))
    assert set(Counter(channel.sent).values()) == {1}
    assert len(channel.sent) == len(wanted)
    assert channel.crowded == set()
    for chat in range(CHATS):
        for kind in (ORDER, ALERT):
            of_a_lane = [key for key in channel.sent if key.startswith(f"p{chat}:{kind}")]
            assert of_a_lane == sorted(of_a_lane)


async def test_m5_a_blocked_chat_keeps_nobody_waiting(there: Street) -> None:
    there.chat.blocked.add("web:gone")
    await owe(there, (ORDER, "web:gone", "gone"), (ORDER, "web:here", "here"))
    await there.shop.outbox.drain()
    assert [message.key for message in there.chat.messages] == ["here"]


# --- lanes ----------------------------------------------------------------------------------------


async def test_m5_what_is_about_an_order_goes_before_the_slow_ones_of_its_chat(
    there: Street,
) -> None:
    channel = Channel()
    slow = [(ALERT, "web:owner", f"slow{nth}") for nth in range(20)]
    await owe(there, *slow, (ORDER, "web:owner", "order"))
    await worker_of(there, channel).drain()
    assert channel.sent == ["order", *(key for _, _, key in slow)]


async def test_slow_messages_have_a_quarter_of_the_places_and_orders_the_rest(
    there: Street,
) -> None:
    go, channel = asyncio.Event(), Channel()
    for _, address, _ in (slow := chats("slow", 50, ALERT)):
        channel.does[address] = until(go)
    await owe(there, *slow)
    async with running(worker_of(there, channel)):
        await eventually(lambda: len(channel.being_sent) == AT_ONCE // 4)
        orders = chats("order", 60)
        await owe(there, *orders)
        await eventually(lambda: len(channel.sent) == len(orders))
        assert len(channel.being_sent) == AT_ONCE // 4
        go.set()
        await eventually(lambda: not waiting(there))


async def test_slow_messages_are_not_starved_by_orders(there: Street) -> None:
    go, channel = asyncio.Event(), Channel()
    for _, address, _ in (orders := chats("order", 50)):
        channel.does[address] = until(go)
    slow = chats("slow", 5, ALERT)
    await owe(there, *orders, *slow)
    async with running(worker_of(there, channel)):
        await eventually(lambda: len(channel.sent) == len(slow))
        assert len(channel.being_sent) == AT_ONCE - 1
        go.set()
        await eventually(lambda: not waiting(there))


async def test_ten_thousand_slow_messages_do_not_hold_up_an_order(there: Street) -> None:
    channel = Channel()
    await owe(there, *chats("slow", 10_000, ALERT))
    async with running(worker_of(there, channel)):
        await eventually(lambda: len(channel.sent) > 10)
        await owe(there, (ORDER, "web:budi", "order"))
        before = len(channel.sent)
        await eventually(lambda: "order" in channel.sent)
        assert channel.sent.index("order") - before < 2 * AT_ONCE


# --- poison ---------------------------------------------------------------------------------------

_POISON: Mapping[str, Callable[[], Any]] = {
    "says later, at once": raising(TryLater("no", 0)),
    "says later, in the past": raising(TryLater("no", -5000)),
    "says later": raising(TryLater("no")),
    "raises": raising(ValueError("anything")),
    "raises a timeout of its own": raising(TimeoutError()),
    "hangs": hanging,
}


@pytest.mark.parametrize("how", _POISON)
async def test_m5_a_poisoned_chat_is_tried_again_with_growing_pauses(
    there: Street, how: str
) -> None:
    channel = Channel(does={"web:poison": _POISON[how]})
    await owe(there, (ORDER, "web:poison", "poison"), (ORDER, "web:poison", "behind it"))
    outbox, pauses = worker_of(there, channel, send_within=SOON), []
    for _ in range(12):
        await outbox.drain()
        pauses.append(waiting(there)[0]["due_at"] - there.clock())
        there.clock.advance(pauses[-1])
    grown = [SECOND * 2**nth for nth in range(9)] + [300 * SECOND] * 3
    assert pauses == grown
    assert channel.tries("web:poison") == 12
    del channel.does["web:poison"]
    await outbox.drain()
    assert channel.sent == ["poison", "behind it"]


async def test_a_pause_that_the_channel_asks_for_is_kept(there: Street) -> None:
    channel = Channel(does={"web:budi": raising(TryLater("slowly", 42 * SECOND))})
    await owe(there, (ORDER, "web:budi", "k"))
    await worker_of(there, channel).drain()
    assert waiting(there)[0]["due_at"] == there.clock() + 42 * SECOND


@pytest.mark.parametrize("kind", [ORDER, ALERT])
async def test_m5_a_hundred_chats_that_hang_leave_places_for_the_rest(
    there: Street, monkeypatch: pytest.MonkeyPatch, kind: NoticeKind
) -> None:
    monkeypatch.setattr(worker, "_FINISH_WITHIN", SOON)
    places = {ORDER: AT_ONCE // 2, ALERT: AT_ONCE // 8}[kind]
    channel = Channel()
    for _, address, _ in (poison := chats("poison", 100, kind)):
        channel.does[address] = raising(TryLater("no"))
    await owe(there, *poison)
    await worker_of(there, channel).drain()
    for _, address, _ in poison:
        channel.does[address] = hanging
    there.clock.advance(MINUTE)
    async with running(worker_of(there, channel)):
        await eventually(lambda: len(channel.being_sent) == places)
        good = chats("good", 100, kind)
        await owe(there, *good)  # due later than all the poison
        await eventually(lambda: len(channel.sent) == len(good))
        assert len(channel.being_sent) == places


async def test_m5_a_chat_that_hangs_gives_its_place_back(there: Street) -> None:
    channel = Channel()
    for _, address, _ in (poison := chats("poison", 2 * AT_ONCE)):
        channel.does[address] = hanging
    await owe(there, *poison, (ORDER, "web:good", "good"))
    # Long enough for the one that does not hang, however busy the machine is.
    async with running(worker_of(there, channel, send_within=20 * SOON)):
        await eventually(lambda: channel.sent == ["good"])
        await eventually(lambda: len(channel.tried) == len(poison) + 1)


# --- owners ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(FOR_OWNERS))
async def test_an_owner_who_is_away_is_written_to_again_ever_more_rarely(
    there: Street, kind: NoticeKind
) -> None:
    channel = Channel(does={"web:owner": raising(Unreachable("never pressed /start"))})
    facts = {"kind": "balance", "case": "X", "balance": 1}
    notice = Notice(key="k", kind=kind, address="web:owner", facts=facts)
    await there.shop.keeper.write(lambda books: books.outbox.owe(notice, there.clock()))
    outbox, pauses = worker_of(there, channel), []
    for _ in range(6):
        await outbox.drain()
        pauses.append(waiting(there)[0]["due_at"] - there.clock())
        there.clock.advance(pauses[-1])
    assert pauses == [15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR]
    channel.does.clear()
    await outbox.drain()
    assert channel.sent == ["k"]


async def test_an_owner_who_comes_back_gets_at_once_what_was_said_meanwhile(there: Street) -> None:
    there.chat.blocked.add("web:owner")
    case = {"kind": "balance", "case": "X"}
    for key in ("first", "second"):
        notice = Notice(key=key, kind=NoticeKind.CASE, address="", facts=case)
        await there.shop.keeper.write(
            lambda books, n=notice: books.outbox.owe_owners(n, there.clock())
        )
    await there.shop.outbox.drain()
    await there.after(2 * HOUR, step=10 * MINUTE)
    assert there.owner.messages == []
    there.chat.blocked.clear()
    await there.owner.says("/kasus")
    await there.shop.outbox.drain()
    keys = [message.key for message in there.owner.messages]
    assert [key for key in keys if key and not key.startswith("alert:")] == ["first", "second"]


# --- noting ---------------------------------------------------------------------------------------


class BadKeeper:
    """A keeper to whom storing happens as told, as long as it is told."""

    def __init__(self, keeper: Any, error: Exception, *, stores: bool) -> None:
        self.keeper, self.error, self.stores, self.failed = keeper, error, stores, 0
        self.bad = True

    async def write(self, work: Any, **more: Any) -> Any:
        if not self.bad:
            return await self.keeper.write(work, **more)
        self.failed += 1
        if self.stores:
            await self.keeper.write(work, **more)
        raise self.error

    async def read(self, work: Any) -> Any:
        return await self.keeper.read(work)

    def bell(self) -> asyncio.Event:
        bell: asyncio.Event = self.keeper.bell()
        return bell


@pytest.mark.parametrize(
    ("error", "stores"),
    [
        (Unwritable("the disk is full"), False),
        (Busy(), False),
        (CommitUnknown("cut"), False),
        (CommitUnknown("cut"), True),
        (ValueError("something else"), False),
    ],
)
async def test_m2_what_was_sent_and_could_not_be_noted_is_not_sent_again(
    there: Street, monkeypatch: pytest.MonkeyPatch, error: Exception, stores: bool
) -> None:
    monkeypatch.setattr(worker, "_AFTER_NO_NOTE", SOON)
    channel, keeper = Channel(), BadKeeper(there.shop.keeper, error, stores=stores)
    await owe(there, (ORDER, "web:budi", "one"), (ORDER, "web:budi", "two"))
    async with running(worker_of(there, channel, keeper=keeper)):
        await eventually(lambda: channel.sent)
        await eventually(lambda: keeper.failed > 1 or stores)
        await owe(there, (ORDER, "web:ani", "three"))  # rings: it is looked again
        keeper.bad = False
        await owe(there, (ORDER, "web:ani", "four"))
        await eventually(lambda: not waiting(there))
    assert sorted(channel.sent) == ["four", "one", "three", "two"]
    assert channel.sent.index("one") < channel.sent.index("two")


async def test_nothing_more_is_sent_while_nothing_can_be_noted(
    there: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash would have all of it sent again."""
    monkeypatch.setattr(worker, "_AFTER_NO_NOTE", SOON)
    channel = Channel()
    keeper = BadKeeper(there.shop.keeper, Unwritable("full"), stores=False)
    await owe(there, (ORDER, "web:budi", "one"))
    async with running(worker_of(there, channel, keeper=keeper)):
        await eventually(lambda: keeper.failed > 1)
        await owe(there, (ORDER, "web:ani", "two"))
        failed = keeper.failed
        await eventually(lambda: keeper.failed > failed)
        assert channel.sent == ["one"]
        keeper.bad = False
        await owe(there, (ORDER, "web:ani", "three"))
        await eventually(lambda: not waiting(there))
    assert channel.sent == ["one", "two", "three"]


async def test_a_late_note_of_an_older_worker_changes_nothing(there: Street) -> None:
    go, old, new = asyncio.Event(), Channel(), Channel()
    old.does["web:budi"] = until(go)
    await owe(there, (ORDER, "web:budi", "one"), (ORDER, "web:budi", "two"))
    async with running(worker_of(there, old)):
        await eventually(lambda: old.being_sent)
        await worker_of(there, new).drain()
        assert new.sent == ["one", "two"]
        noted = there.rows("SELECT * FROM outbox ORDER BY seq")
        there.clock.advance(MINUTE)
        go.set()
        await eventually(lambda: old.sent)
    assert old.sent == ["one"]
    assert there.rows("SELECT * FROM outbox ORDER BY seq") == noted


# --- stopping -------------------------------------------------------------------------------------


async def test_a_message_that_is_being_sent_is_finished_and_noted_at_the_end(
    there: Street,
) -> None:
    go, channel = asyncio.Event(), Channel()
    channel.does["web:budi"] = until(go)
    await owe(there, (ORDER, "web:budi", "one"), (ORDER, "web:budi", "two"))
    task = asyncio.create_task(worker_of(there, channel).run())
    await eventually(lambda: channel.being_sent)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(task, return_exceptions=True)
    assert channel.sent == ["one"]
    assert [row["message"] for row in waiting(there)] == ["two"]


async def test_a_message_that_hangs_does_not_hold_up_the_end(
    there: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_FINISH_WITHIN", SOON)
    channel = Channel(does={"web:budi": hanging})
    await owe(there, (ORDER, "web:budi", "one"))
    before = asyncio.all_tasks()
    async with running(worker_of(there, channel)):
        await eventually(lambda: channel.being_sent)
    assert channel.being_sent == []
    assert asyncio.all_tasks() <= before
    assert [row["tries"] for row in waiting(there)] == [0]
    del channel.does["web:budi"]
    await worker_of(there, channel).drain()
    assert channel.sent == ["one"]


def test_stopping_takes_three_seconds_at_the_most() -> None:
    assert worker._FINISH_WITHIN + worker._GO_WITHIN <= 3
