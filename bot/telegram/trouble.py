"""When Telegram does not do what it should: said once, tried again, and said when it is over."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError

from bot.logs import get_logger
from bot.telegram.handlers import WAITS
from bot.telegram.wire import Flooded
from shop.time import SECOND

T = TypeVar("T")

_UNREACHABLE = "telegram.unreachable"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between tries while something is wrong, and between looks while nothing is."""

    token: float = 30.0
    conflict: float = 5.0
    storage: float = 2.0
    first: float = 1.0
    longest: float = 30.0
    look: float = 5.0  # for stored updates that nobody rang for
    webhook: float = 180.0  # at where Telegram brings updates to
    answers: Sequence[float] = WAITS


class Trouble:
    """What is wrong between Telegram and one channel now, if anything is."""

    def __init__(self, pace: Pace, api_url: str) -> None:
        self._pace = pace
        self._api_url = api_url
        self._present, self._tries = "", 0

    @property
    def is_away(self) -> bool:
        """Whether Telegram was out of reach when it was last asked."""
        return self._present == _UNREACHABLE

    async def insist(self, call: Callable[[], Awaitable[T]], *, if_refused: str = "") -> T:
        """Return what ``call`` returns, as soon as Telegram agrees.

        ``if_refused`` is what the owner may do when it says that the request itself is wrong.
        """
        while True:
            try:
                result = await call()
            except TelegramError as error:
                if isinstance(error, BadRequest) and if_refused:
                    self.note("telegram.refused", why=error.message, todo=if_refused)
                    await asyncio.sleep(self._pace.token)
                else:
                    await self.wait_out(error)
            else:
                self.is_over()
                return result

    async def wait_out(self, error: TelegramError) -> None:
        """Say once what is wrong, and wait before the next try."""
        self._tries += 1
        pause = min(self._pace.first * 2 ** min(self._tries - 1, 16), self._pace.longest)
        match error:
            case InvalidToken():  # its text may hold the token
                todo = "set TELEGRAM_TOKEN to the token @BotFather shows for this bot"
                self.note("telegram.token_refused", todo=todo)
                pause = self._pace.token
            case Conflict():
                todo = "stop the other program that uses this bot's token"
                self.note("telegram.conflict", why=error.message, todo=todo)
                pause = self._pace.conflict
            case Flooded():
                self.note("telegram.flooded")
                pause = max(pause, (error.after or 0) / SECOND)
            case _:
                self.note(_UNREACHABLE, why=error.message, url=self._api_url)
        await asyncio.sleep(pause)

    def note(self, trouble: str, **more: str) -> None:
        """Say what is wrong, unless that was said last."""
        if trouble != self._present:
            _log.error(trouble, **more)
        self._present = trouble

    def is_over(self) -> None:
        """Say that all is well again, if something was wrong."""
        if self._present:
            _log.info("telegram.back", after=self._present)
        self._present, self._tries = "", 0
