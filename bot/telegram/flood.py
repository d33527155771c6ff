"""Telegram's flood limits: how fast people may be written to, and who has to wait."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiolimiter import AsyncLimiter
from telegram.error import RetryAfter

from bot.conversation.channels import TryLater
from bot.logs import get_logger
from bot.telegram.wire import Flooded, retry_after
from shop.time import SECOND, Millis

Done = TypeVar("Done")

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much Telegram takes, and what its refusals mean.

    Its numbers (core.telegram.org/bots/faq, "My bot is hitting limits"): about 30 messages a second
    over all; in one chat about one a second, short bursts are fine. A bucket lets through its burst
    and its rate within one second: 28 over all. A whole purchase is fewer messages than a chat's
    burst, so that only a chat that goes on and on is slowed down.
    """

    burst: int = 3
    per_second: float = 25.0
    chat_burst: int = 10
    chat_per_second: float = 1.0
    group_burst: int = 5
    group_per_second: float = 0.25  # with the burst 20 in a minute, which is what groups take
    together: float = 5.0  # seconds; two chats refused within them: it is the whole bot
    longest_rest: float = 30.0  # seconds of the whole bot, until Telegram is asked again
    unsaid: Millis = SECOND  # the rest when a 429 names none: it is a proxy's

    def of(self, chat: int) -> tuple[int, float]:
        """Return burst and calls a second of a chat; a group has a negative number."""
        if chat < 0:
            return self.group_burst, self.group_per_second
        return self.chat_burst, self.chat_per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    at: float
    until: float


class Flood:
    """The one gate through which every message and every edit goes to a chat.

    Edits count: Telegram limits them together with messages. Answers to taps
    (``answerCallbackQuery``) are not limited and do not pass here. Both said by the Bot API
    server's author (tdlib/td, 2024-08-27; tdlib/telegram-bot-api, 2024-10-09).

    Time is the event loop's. What is kept of a chat is forgotten once it has been quiet for as long
    as its bucket needs to drain: about ten seconds.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._overall = _bucket(self._limits.burst, self._limits.per_second)
        self._buckets: OrderedDict[int, AsyncLimiter] = OrderedDict()  # used last, stands last
        self._refusals: dict[int, _Refusal] = {}
        self._bot_rests_until = -math.inf

    @property
    def chats(self) -> int:
        """How many chats something is kept of."""
        return len(self._buckets.keys() | self._refusals.keys())

    async def through(self, chat: int, act: Callable[[], Awaitable[Done]]) -> Done:
        """Do ``act``, which is one call about ``chat``, when its turn comes.

        It waits in the chat's own bucket first and takes a place in the common one only then, so a
        talkative chat holds nobody up. Raises ``TryLater`` if Telegram refuses ``act`` with 429;
        and at once, without ``act``, while that refusal of the chat, or of the whole bot, lasts:
        waiting that long would hold the caller's place from people who can be written to. What
        else ``act`` raises passes.
        """
        self._refuse_resting(chat)
        for bucket in (self._bucket_of(chat), self._overall):
            await bucket.acquire()
            self._refuse_resting(chat)
        try:
            return await act()
        except (Flooded, RetryAfter) as error:
            after = retry_after(error)
            self._note_refusal(chat, self._limits.unsaid if after is None else after)
            raise TryLater("Too Many Requests", after) from error

    # -- buckets -----------------------------------------------------------------------------------

    def _bucket_of(self, chat: int) -> AsyncLimiter:
        self._forget_quiet()
        if chat not in self._buckets:
            burst, per_second = self._limits.of(chat)
            self._buckets[chat] = _bucket(burst, per_second)
        self._buckets.move_to_end(chat)
        return self._buckets[chat]

    def _forget_quiet(self) -> None:
        """Forget the chats that were used longest ago and whose bucket is as good as new."""
        while self._buckets:
            oldest = next(iter(self._buckets))
            if not self._buckets[oldest].has_capacity(self._buckets[oldest].max_rate):
                return
            del self._buckets[oldest]

    # -- refusals ----------------------------------------------------------------------------------

    def _refuse_resting(self, chat: int) -> None:
        refusal = self._refusals.get(chat)
        chat_rests_until = refusal.until if refusal else -math.inf
        left = max(chat_rests_until, self._bot_rests_until) - _now()
        if left > 0:
            raise TryLater("Telegram takes nothing more for now", math.ceil(left * SECOND))

    def _note_refusal(self, chat: int, span: Millis) -> None:
        """Let the chat rest; and the whole bot, if it is not the only one refused just now."""
        now = _now()
        since = now - self._limits.together
        self._refusals[chat] = _Refusal(at=now, until=now + span / SECOND)
        self._refusals = {
            each: refusal
            for each, refusal in self._refusals.items()
            if refusal.until > now or refusal.at > since
        }
        # Anybody can make a bot talk in groups: they say nothing about the bot as a whole.
        recent = [each for who, each in self._refusals.items() if each.at > since and who > 0]
        if len(recent) > 1:
            self._rest(min(max(each.until for each in recent), now + self._limits.longest_rest))

    def _rest(self, until: float) -> None:
        if self._bot_rests_until <= _now() < until:  # said once for each rest
            _log.warning("telegram.bot_flooded", seconds=math.ceil(until - _now()))
        self._bot_rests_until = max(self._bot_rests_until, until)


def _bucket(burst: int, per_second: float) -> AsyncLimiter:
    return AsyncLimiter(burst, burst / per_second)


def _now() -> float:
    return asyncio.get_running_loop().time()
