"""Ask suppliers who a player is, in the middle of a turn, while somebody waits for the answer."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from bot.logs import get_logger
from shop.players import Found, Whose, shown_nickname
from shop.suppliers import ChecksNicknames, Supplier, SupplierError
from shop.time import MINUTE, Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, Unwritable

PATIENCE: Final = 4.0  # seconds that somebody waits
MOST_AT_ONCE: Final = 4
WINDOW: Final[Millis] = 10 * MINUTE
MOST_OF_ONE: Final = 20  # questions of one person in a window: who has more tries out IDs
MOST_OF_ALL: Final = 600

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    found: Found
    nickname: str = ""


class Nicknames:
    """Whoever can tell what players call themselves; orders are not asked about here.

    ``suppliers`` are asked in their order; what cannot be told within ``patience`` seconds is
    unknown. That one gives no answer says nothing of how it sells. What people ask is counted by
    each process for itself.
    """

    def __init__(
        self,
        suppliers: Sequence[Supplier],
        *,
        keeper: BookKeeper,
        clock: Callable[[], Millis],
        patience: float = PATIENCE,
    ) -> None:
        self._asked: dict[str, ChecksNicknames] = {
            each.slug: each for each in suppliers if isinstance(each, ChecksNicknames)
        }
        self._keeper = keeper
        self._clock = clock
        self._patience = patience
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)
        self._asking: WeakValueDictionary[Whose, asyncio.Lock] = WeakValueDictionary()
        self._lately: list[tuple[Millis, str]] = []

    async def ask(self, whose: Whose, address: str) -> None:
        """Ask for a player, for the person at ``address``, and store the answer.

        Nothing is asked, and nothing stored, if there is an answer by now, if everybody who could
        tell is away, or if this person asks too much. Never raises what a supplier does.
        """
        lock = self._asking.setdefault(whose, asyncio.Lock())
        async with lock:  # whoever means the same player waits for this answer
            slug = await self._who_can_tell(whose)
            if not slug or not self._may_ask(address):
                return
            answer = await self._answer_of(slug, whose)
            await self._store(whose, answer)

    async def _who_can_tell(self, whose: Whose) -> str:
        """Return the supplier to be asked; empty: none, or none needs to be."""

        def look(books: SqlBooks) -> tuple[bool, frozenset[str]]:
            now = self._clock()
            return books.players.of(whose).is_fresh(now), books.health.away(now)

        try:
            is_known, away = await self._keeper.read(look)
        except Unwritable as error:
            log.info("nickname.not_asked", why=str(error))
            return ""
        able = (slug for slug, each in self._asked.items() if whose.game in each.nickname_games)
        return "" if is_known else next((slug for slug in able if slug not in away), "")

    def _may_ask(self, address: str) -> bool:
        now = self._clock()
        self._lately = [(at, who) for at, who in self._lately if 0 <= now - at < WINDOW]
        mine = sum(who == address for _, who in self._lately)
        if mine >= MOST_OF_ONE or len(self._lately) >= MOST_OF_ALL:
            log.warning("nickname.too_many", person=mine, all=len(self._lately))
            return False
        self._lately.append((now, address))
        return True

    async def _answer_of(self, slug: str, whose: Whose) -> _Answer:
        asked = self._asked[slug]
        try:
            async with asyncio.timeout(self._patience), self._at_once:
                name = await asked.nickname(whose.game, whose.user_id, whose.server)
        except (SupplierError, TimeoutError) as error:
            log.info("nickname.unknown", supplier=slug, why=str(error) or type(error).__name__)
            return _Answer(found=Found.UNKNOWN)
        except Exception:  # somebody waits, and can do without
            log.exception("nickname.failed", supplier=slug)
            return _Answer(found=Found.UNKNOWN)
        if name is None:
            return _Answer(found=Found.ABSENT)
        shown = shown_nickname(name)
        return _Answer(found=Found.FOUND if shown else Found.UNKNOWN, nickname=shown)

    async def _store(self, whose: Whose, answer: _Answer) -> None:
        now = self._clock()
        with suppress(Busy, Unwritable):  # the turn that follows says what is to be said of that
            await self._keeper.write(
                lambda books: books.players.answer(whose, answer.found, answer.nickname, now)
            )
