"""How fast people are written to, and who waits when Telegram has had enough.

Time here is the event loop's, and jumps: nothing is waited for.
"""

import asyncio
import functools
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram.error import Forbidden, RetryAfter

from bot.conversation.channels import TryLater
from bot.telegram.flood import Flood, Limits
from bot.telegram.wire import Flooded

_TICK = 1e-6  # of work between two looks at the clock: without it, rounding could hold time still


class _Skipping(selectors.DefaultSelector):
    """Waits for nothing, and counts how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everyone waits, and nothing will ever happen")
        self.now += max(timeout, 0.0) + _TICK
        return super().select(0)


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Skipping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def jumping(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


@dataclass
class Telegram:
    """Takes every message, except those that ``refusal`` finds something against."""

    flood: Flood = field(default_factory=Flood)
    refusal: Callable[[int], Exception | None] = lambda chat: None
    travels: float = 0.0  # seconds until its answer is there
    journal: list[tuple[float, int]] = field(default_factory=list)  # seconds, chat

    async def take(self, chat: int) -> str:
        self.journal.append((seconds(), chat))
        await asyncio.sleep(self.travels)
        if (error := self.refusal(chat)) is not None:
            raise error
        return f"to {chat}"

    async def send(self, chat: int) -> str:
        return await self.flood.through(chat, lambda: self.take(chat))

    async def send_all(self, *chats: int) -> None:
        await asyncio.gather(*(self.send(chat) for chat in chats))

    async def refused(self, chat: int) -> int | None:
        """Send in vain and return when to come back."""
        with pytest.raises(TryLater) as refused:
            await self.send(chat)
        return refused.value.after

    def times(self, chat: int) -> list[float]:
        return [at for at, to in self.journal if to == chat]


def seconds() -> float:
    return asyncio.get_running_loop().time()


def flooding(**chats: float) -> Callable[[int], Exception | None]:
    """Refuse chats for so many seconds: ``flooding(_7=3600)``."""
    return lambda chat: Flooded(int(chats[f"_{chat}"] * 1000)) if f"_{chat}" in chats else None


def most_within(span: float, times: list[float]) -> int:
    return max(sum(start <= at < start + span for at in times) for start in times)


# -- how fast --------------------------------------------------------------------------------------


@jumping
async def test_the_messages_of_a_purchase_go_out_at_once() -> None:
    telegram = Telegram()
    await asyncio.sleep(5)
    begun = seconds()
    await telegram.send_all(7, 7, 7)
    assert len(telegram.journal) == 3
    assert seconds() - begun < 0.001


@jumping
async def test_what_the_call_brings_comes_back() -> None:
    assert await Telegram().send(7) == "to 7"


@jumping
async def test_all_chats_together_stay_below_thirty_a_second_and_near_it() -> None:
    telegram = Telegram()
    await telegram.send_all(*range(250))
    times = [at for at, _ in telegram.journal]
    assert most_within(1.0, times) <= 28
    assert len({chat for _, chat in telegram.journal}) == 250
    assert times[-1] - times[0] < 10.5


@jumping
async def test_a_talkative_chat_is_slowed_to_one_a_second_after_its_burst() -> None:
    telegram = Telegram()
    await telegram.send_all(*[7] * 20)
    times = telegram.times(7)
    assert times[9] - times[0] < 0.5
    assert [round(later - at) for at, later in pairwise(times[9:])] == [1] * 10


@jumping
async def test_a_chat_that_rested_has_its_burst_again() -> None:
    telegram = Telegram()
    await telegram.send_all(*[7] * 10)
    await asyncio.sleep(11)
    begun = seconds()
    await telegram.send_all(*[7] * 10)
    assert seconds() - begun < 0.5


@jumping
async def test_a_talkative_chat_holds_nobody_up() -> None:
    telegram = Telegram()
    talking = asyncio.create_task(telegram.send_all(*[7] * 200))
    await asyncio.sleep(1)
    begun = seconds()
    await telegram.send_all(*range(100, 150))
    assert seconds() - begun < 2.2  # 50 at 25 a second, and hardly one of the talkative chat's
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking


@jumping
async def test_whoever_stops_waiting_leaves_the_place_to_others() -> None:
    telegram = Telegram()
    patient = asyncio.create_task(telegram.send_all(*[7] * 12))
    await asyncio.sleep(0.5)
    impatient = asyncio.create_task(telegram.send_all(*[7] * 50))
    await asyncio.sleep(0)
    impatient.cancel()
    await patient
    assert len(telegram.journal) == 12
    assert seconds() < 3
    with pytest.raises(asyncio.CancelledError):
        await impatient


@jumping
async def test_quiet_chats_are_forgotten() -> None:
    telegram = Telegram()
    most = 0
    for chat in range(2000):
        await telegram.send(chat)
        most = max(most, telegram.flood.chats)
    assert most < 50
    await asyncio.sleep(2)
    await telegram.send(1)
    assert telegram.flood.chats == 1


@jumping
async def test_a_chat_that_goes_on_and_on_keeps_nobody_else_remembered() -> None:
    telegram = Telegram()
    await telegram.send_all(*[7] * 10)
    for chat in range(100, 400):
        await telegram.send(chat)
        if chat % 25 == 0:
            await telegram.send(7)
    assert telegram.flood.chats < 50


@jumping
async def test_a_chat_is_not_forgotten_while_its_bucket_drains() -> None:
    telegram = Telegram()
    await telegram.send_all(*[7] * 10)
    for chat in range(100, 150):
        await telegram.send(chat)
    begun = seconds()
    await telegram.send_all(*[7] * 5)
    assert seconds() - begun > 2


# -- when Telegram has had enough ------------------------------------------------------------------


@jumping
async def test_a_refused_chat_is_not_asked_for_until_its_time_has_come() -> None:
    telegram = Telegram(refusal=flooding(_7=3600))
    assert await telegram.refused(7) == 3_600_000
    await asyncio.sleep(600)
    left = await telegram.refused(7)
    assert left is not None
    assert 2_999_000 < left <= 3_000_000
    assert len(telegram.times(7)) == 1
    telegram.refusal = lambda chat: None
    await asyncio.sleep(left / 1000)
    await telegram.send(7)
    assert len(telegram.times(7)) == 2


@jumping
async def test_one_refused_chat_delays_no_other_however_often() -> None:
    telegram = Telegram(refusal=flooding(_7=3600, _8=1))
    for _ in range(5):
        await telegram.refused(8)
        await asyncio.sleep(1)
    await asyncio.sleep(10)
    await telegram.refused(7)
    begun = seconds()
    await telegram.send_all(100, 101, 102)
    assert seconds() - begun < 0.2


@jumping
async def test_messages_that_waited_while_their_chat_was_refused_are_not_tried() -> None:
    telegram = Telegram()
    tasks = [asyncio.create_task(telegram.send(7)) for _ in range(15)]
    await asyncio.sleep(0.9)
    sent = len(telegram.journal)
    telegram.refusal = flooding(_7=60)
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(end, TryLater) for end in ends] == [False] * 10 + [True] * 5
    assert len(telegram.journal) == sent + 1


@jumping
async def test_two_refused_chats_at_about_the_same_time_are_the_whole_bot() -> None:
    telegram = Telegram(refusal=flooding(_7=12, _8=4))
    with capture_logs() as logs:
        await telegram.refused(7)
        await asyncio.sleep(2)
        await telegram.refused(8)
        left = await telegram.refused(9)
    assert left is not None
    assert 9_900 < left <= 10_000
    assert telegram.times(9) == []
    assert [(entry["event"], entry["seconds"]) for entry in logs] == [("telegram.bot_flooded", 10)]
    await asyncio.sleep(left / 1000)
    await telegram.send(9)


@jumping
async def test_many_refusals_at_once_are_said_once() -> None:
    telegram = Telegram(refusal=lambda chat: Flooded(5000), travels=0.5)
    with capture_logs() as logs:
        ends = await asyncio.gather(*map(telegram.send, range(60)), return_exceptions=True)
    assert all(isinstance(end, TryLater) for end in ends)
    assert 10 < len(telegram.journal) < 20  # the others were still waiting
    assert len(logs) == 1


@jumping
async def test_the_whole_bot_rests_half_a_minute_at_most() -> None:
    telegram = Telegram(refusal=flooding(_7=3600, _8=900))
    await telegram.refused(7)
    await telegram.refused(8)
    left = await telegram.refused(9)
    assert left is not None
    assert 29_000 < left <= 30_000
    await asyncio.sleep(30)
    await telegram.send(9)
    await telegram.refused(7)  # these two still rest themselves
    await telegram.refused(8)
    assert Counter(chat for _, chat in telegram.journal) == {7: 1, 8: 1, 9: 1}


@jumping
async def test_two_refused_chats_far_apart_are_two_refused_chats() -> None:
    telegram = Telegram(refusal=flooding(_7=3600, _8=3600))
    await telegram.refused(7)
    await asyncio.sleep(6)
    await telegram.refused(8)
    assert await telegram.send(9) == "to 9"


@jumping
async def test_refusals_are_forgotten_when_they_are_over() -> None:
    telegram = Telegram(refusal=lambda chat: Flooded(1000))
    for chat in range(100):
        await telegram.refused(chat)
        await asyncio.sleep(10)
    assert telegram.flood.chats <= 2


@jumping
async def test_a_proxy_that_names_no_time_is_left_alone_for_a_second() -> None:
    telegram = Telegram(refusal=lambda chat: Flooded(None))
    assert await telegram.refused(7) is None  # so that whoever sends waits longer each time
    left = await telegram.refused(7)
    assert left is not None
    assert 900 < left <= 1000
    assert len(telegram.journal) == 1


@jumping
async def test_a_refusal_without_a_pause_is_tried_again_at_once() -> None:
    telegram = Telegram(refusal=flooding(_7=0))
    assert await telegram.refused(7) == 0
    assert await telegram.refused(7) == 0
    assert len(telegram.journal) == 2


@jumping
async def test_the_librarys_own_error_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    telegram = Telegram(refusal=lambda chat: RetryAfter(timedelta(seconds=2)))
    assert await telegram.refused(7) == 2000
    assert len(telegram.journal) == 1
    assert await telegram.refused(7) is not None
    assert len(telegram.journal) == 1


@jumping
async def test_other_errors_pass_and_nobody_rests() -> None:
    telegram = Telegram(refusal=lambda chat: Forbidden("blocked") if chat == 7 else None)
    for _ in range(2):
        with pytest.raises(Forbidden):
            await telegram.send(7)
    assert len(telegram.journal) == 2
    await telegram.send(8)


@jumping
async def test_the_limits_can_be_others() -> None:
    limits = Limits(burst=100, per_second=1000.0, chat_burst=50, chat_per_second=100.0)
    telegram = Telegram(flood=Flood(limits))
    await telegram.send_all(*[7] * 50)
    assert seconds() < 0.01


@jumping
async def test_groups_that_are_flooded_keep_the_bot_from_nobody() -> None:
    """Anybody can make a bot answer in groups until Telegram has had enough of that."""
    telegram = Telegram(refusal=lambda chat: Flooded(30_000) if chat < 0 else None)
    for group in (-1, -2, -3):
        with pytest.raises(TryLater):
            await telegram.send(group)
    assert await telegram.send(7) == "to 7"


@jumping
async def test_a_group_is_written_to_twenty_times_a_minute() -> None:
    telegram = Telegram()
    await telegram.send_all(*[-1] * 40)
    assert sum(at < 60 for at, _ in telegram.journal) <= 20
    await asyncio.sleep(60)
    await telegram.send(7)
    assert telegram.flood.chats == 1
