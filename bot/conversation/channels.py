"""What the shop asks of a channel: take people's doings in, bring messages out."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from bot.conversation.engine import Turn
from bot.conversation.views import Incoming, View
from shop.time import Millis


class TryLater(Exception):
    """The channel could not take the message now. ``after``: milliseconds, if it said so."""

    def __init__(self, reason: str, after: Millis | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Unreachable(Exception):
    """This person cannot be written to, now or later (blocked, deleted, unknown)."""


class CannotEdit(Exception):
    """The message to edit is gone, or cannot become this view: send a new one."""


class Sender(Protocol):
    """Writes to the people of one channel. An address is ``<channel>:<person>``."""

    @property
    def edits(self) -> bool:
        """Whether messages can be edited."""

    async def send(self, address: str, view: View, key: str) -> str:
        """Send a view and return the message's id. Raise ``TryLater`` or ``Unreachable``.

        ``key`` names the message: a channel that keeps its own messages shows one key once.
        """

    async def edit(self, address: str, message_id: str, view: View) -> None:
        """Make a message look like ``view``. Raise ``CannotEdit``, ``TryLater``, ``Unreachable``.

        A message that already looks so is fine.
        """


# (address, incoming, input id, choices this channel can show) -> what to show.
# Raises ``CannotAnswer`` when nothing can be stored now.
TakeTurn: TypeAlias = Callable[[str, Incoming, str, int], Awaitable[Turn]]


class CannotAnswer(Exception):
    """Nothing could be stored now. ``view``: what to tell the person; nothing has happened."""

    def __init__(self, view: View) -> None:
        super().__init__("nothing can be stored now")
        self.view = view
