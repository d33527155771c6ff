"""One turn of the conversation is one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, fields, replace
from typing import Final, TypeAlias

import stamina

from bot.conversation.channels import CannotAnswer
from bot.conversation.engine import Conversation, Said, Turn
from bot.conversation.texts import LANGUAGES, Texts
from bot.conversation.views import Draft, Incoming, Session, StepId, View
from bot.logs import get_logger
from shop import recognizing
from shop.players import MustAsk, Whose
from shop.time import Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, CommitUnknown, Unwritable
from storage.sessions import SqlSessions, StoredSession

_ONCE_MORE: Final = 3  # a turn that may have been stored is taken again: it knows itself

log = get_logger(__name__)


class _Sessions:
    """``bot.conversation.engine.Sessions`` over the stored ones."""

    def __init__(self, stored: SqlSessions) -> None:
        self._stored = stored

    def load(self, address: str) -> Session:
        stored = self._stored.load(address)
        if stored is None:
            return Session()
        known = {f.name for f in fields(Draft)}  # an older program may have known others
        draft = {name: value for name, value in stored.draft.items() if name in known}
        return Session(
            language=stored.language if stored.language in LANGUAGES else "",
            step=StepId(stored.step) if stored.step in set(StepId) else None,
            screen=stored.screen,
            page=stored.page,
            draft=Draft(**draft),  # type: ignore[arg-type]  # as saved below
            last_input=stored.last_input,
            touched_at=stored.touched_at,
        )

    def save(self, address: str, session: Session) -> None:
        self._stored.save(
            address,
            StoredSession(
                language=session.language,
                step=session.step or "",
                screen=session.screen,
                page=session.page,
                draft=asdict(session.draft),
                last_input=session.last_input,
                touched_at=session.touched_at,
            ),
        )


def _has_gone_on(session: StoredSession | None, said: Said) -> bool:
    """Tell whether the person did other things since, by way of another process."""
    if session is None or session.last_input == said.input_id:
        return False
    return session.touched_at > said.now


AskPlayer: TypeAlias = Callable[[Whose, str], Awaitable[None]]
"""Have a player looked up for the person at an address, and the answer stored, if there is one."""


class Turns:
    """Takes what people do, in one transaction each.

    A turn for which a player must be known is undone, the player is asked for, and it is taken
    again. Nobody is asked twice for one turn: what is unknown then stays so.
    """

    def __init__(
        self,
        conversation: Conversation,
        keeper: BookKeeper,
        texts: Texts,
        *,
        clock: Callable[[], Millis],
        order_id: Callable[[], str],
        ask: AskPlayer,
    ) -> None:
        self._conversation = conversation
        self._keeper = keeper
        self._texts = texts
        self._clock = clock
        self._order_id = order_id
        self._ask = ask

    async def take(self, address: str, incoming: Incoming, input_id: str, limit: int) -> Turn:
        """Take in what a person did, and return what to show; what channels call."""
        said = Said(
            address=address,
            incoming=incoming,
            input_id=input_id,
            now=self._clock(),
            token=self._order_id(),
            limit=limit,
        )
        asked: list[Whose] = []
        while True:
            try:
                return await self._take(said, asked)
            except MustAsk as must:
                if not asked:
                    await self._ask(must.whose, address)
                asked.append(must.whose)
                said = replace(said, now=self._clock())

    async def _take(self, said: Said, asked: Sequence[Whose]) -> Turn:
        """Take a turn in which the players of ``asked`` are known, or nobody can tell."""
        doubtful = False  # whether an earlier try may have been stored

        def turn(books: SqlBooks) -> Turn:
            if doubtful and _has_gone_on(books.sessions.load(said.address), said):
                return Turn(view=None)
            for whose in asked:
                recognizing.settle(books, whose, said.now)
            return self._conversation.turn(books, _Sessions(books.sessions), said)

        try:
            async for attempt in stamina.retry_context(
                on=CommitUnknown, attempts=_ONCE_MORE, wait_initial=0.2, wait_max=2.0
            ):
                with attempt:
                    doubtful = attempt.num > 1
                    return await self._keeper.write(turn)
        except (Busy, Unwritable) as error:
            if doubtful or isinstance(error, CommitUnknown):
                log.exception("turn.nobody_knows", why=str(error))
                raise CannotAnswer(View(text=self._texts("sorry.perhaps_stored"))) from error
            log.exception("turn.not_stored", why=str(error))
            raise CannotAnswer(View(text=self._texts("sorry.cannot_store"))) from error
        raise AssertionError("stamina returns or raises")
