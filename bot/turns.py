"""One turn of the conversation is one transaction."""

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Final

import stamina

from bot.conversation.channels import CannotAnswer, TakeTurn
from bot.conversation.engine import Conversation, Said, Turn
from bot.conversation.texts import LANGUAGES, Texts
from bot.conversation.views import Draft, Incoming, Session, StepId, View
from bot.logs import get_logger
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


def turn_taker(
    conversation: Conversation,
    keeper: BookKeeper,
    texts: Texts,
    *,
    clock: Callable[[], Millis],
    order_id: Callable[[], str],
) -> TakeTurn:
    """Return what channels call for each thing a person does."""

    async def take_turn(address: str, incoming: Incoming, input_id: str, limit: int) -> Turn:
        said = Said(
            address=address,
            incoming=incoming,
            input_id=input_id,
            now=clock(),
            token=order_id(),
            limit=limit,
        )

        doubtful = False  # whether an earlier try may have been stored

        def turn(books: SqlBooks) -> Turn:
            if doubtful and _has_gone_on(books.sessions.load(address), said):
                return Turn(view=None)
            return conversation.turn(books, _Sessions(books.sessions), said)

        try:
            async for attempt in stamina.retry_context(
                on=CommitUnknown, attempts=_ONCE_MORE, wait_initial=0.2, wait_max=2.0
            ):
                with attempt:
                    doubtful = attempt.num > 1
                    return await keeper.write(turn)
        except (Busy, Unwritable) as error:
            if doubtful or isinstance(error, CommitUnknown):
                log.exception("turn.nobody_knows", why=str(error))
                raise CannotAnswer(View(text=texts("sorry.perhaps_stored"))) from error
            log.exception("turn.not_stored", why=str(error))
            raise CannotAnswer(View(text=texts("sorry.cannot_store"))) from error
        raise AssertionError("stamina returns or raises")

    return take_turn
