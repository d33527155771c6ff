"""News for the people of the browser chat."""

from collections.abc import Callable, Sequence
from typing import Final

from bot.conversation.channels import CannotEdit, TryLater, Unreachable
from bot.conversation.views import View
from bot.web.frames import Post, look_of
from bot.web.lines import Decide, Lines, Written
from shop.time import Millis
from storage.database import Busy, Unwritable

CHANNEL: Final = "web:"


class WebSender:
    """``bot.conversation.channels.Sender``: to write is to store; open tabs show it at once.

    News waits for a turn that is under way, so that it never stands before what it answers.
    """

    edits: Final = True

    def __init__(self, lines: Lines, clock: Callable[[], Millis]) -> None:
        self._lines = lines
        self._clock = clock

    async def send(self, address: str, view: View, key: str) -> str:
        """Store a message under its key and return that; one key is shown once.

        Raises ``TryLater``, or ``Unreachable`` for an address of another channel.
        """
        post = Post(id=key, view=view, at=self._clock())

        def once(written: Written) -> Sequence[Post]:
            return () if key in written.shown else (post,)

        await self._write(address, once)
        return key

    async def edit(self, address: str, message_id: str, view: View) -> None:
        """Make a message look like ``view``; it keeps its place and its time.

        Raises ``CannotEdit`` if the shop never said it, ``TryLater``, ``Unreachable``.
        """

        def changed(written: Written) -> Sequence[Post]:
            if message_id not in written.shown:
                raise CannotEdit(message_id)
            entry = written.shown[message_id]
            if entry.look == look_of(view):
                return ()
            return (Post(type="edit", id=message_id, view=view, at=entry.at),)

        await self._write(address, changed)

    async def _write(self, address: str, decide: Decide) -> None:
        if not address.startswith(CHANNEL):
            raise Unreachable(address)
        line = self._lines.of(address)
        try:
            async with line.writing:
                await line.write(decide)
        except (Busy, Unwritable) as error:
            raise TryLater("the transcript cannot be stored now") from error
