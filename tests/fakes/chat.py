"""A chat kept in memory, and the people in it: what they see, tap and type."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from bot.conversation.channels import CannotAnswer, CannotEdit, TakeTurn, TryLater, Unreachable
from bot.conversation.views import Shared, View, What, read_button, read_text


@dataclass
class Shown:
    """One message as it stands now."""

    id: str
    address: str
    view: View
    key: str
    edited: int = 0


@dataclass
class FakeChat:
    """The journal of a channel: every message of every person, in order."""

    edits: bool = True
    messages: list[Shown] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    failing: int = 0
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    async def send(self, address: str, view: View, key: str) -> str:
        self._check(address)
        return self.put(address, view, key).id

    async def edit(self, address: str, message_id: str, view: View) -> None:
        self._check(address)
        for message in self.messages:
            if message.id == message_id and message.address == address:
                message.view, message.edited = view, message.edited + 1
                return
        raise CannotEdit(message_id)

    def put(self, address: str, view: View, key: str = "") -> Shown:
        shown = Shown(id=f"m{next(self._ids)}", address=address, view=view, key=key)
        self.messages.append(shown)
        return shown

    def of(self, address: str) -> list[Shown]:
        return [message for message in self.messages if message.address == address]

    def _check(self, address: str) -> None:
        if self.failing:
            self.failing -= 1
            raise TryLater("the chat is down")
        if address in self.blocked:
            raise Unreachable("blocked")


class Person:
    """Someone with a chat window."""

    def __init__(self, chat: FakeChat, take_turn: TakeTurn, address: str, limit: int = 12) -> None:
        self.chat = chat
        self.address = address
        self._take_turn = take_turn
        self._limit = limit
        self._inputs = itertools.count(1)
        self.last_input = ""

    async def says(self, text: str, input_id: str = "") -> View | None:
        return await self._do(read_text(text), input_id)

    async def shares(self, what: What) -> View | None:
        return await self._do(Shared(what), "")

    async def taps(self, label: str, on: Shown | None = None, input_id: str = "") -> View | None:
        return await self.presses(self.button(label, on), input_id)

    async def presses(self, data: str, input_id: str = "") -> View | None:
        return await self._do(read_button(data), input_id)

    def button(self, label: str, on: Shown | None = None) -> str:
        """The data of the newest button with that label in it."""
        for message in [on] if on else reversed(self.messages):
            for choice in message.view.choices:
                if label in choice.label or label == choice.id:
                    return choice.data
        raise AssertionError(f"no button {label!r} in {self.labels}")

    @property
    def messages(self) -> list[Shown]:
        return self.chat.of(self.address)

    @property
    def last(self) -> View:
        return self.messages[-1].view

    @property
    def labels(self) -> list[str]:
        return [choice.label for choice in self.last.choices]

    def sees(self, *parts: str) -> Shown:
        """The newest message with all of these in it."""
        for message in reversed(self.messages):
            shown = f"{message.view.title}\n{message.view.text}\n{message.view.copy}"
            if all(part in shown for part in parts):
                return message
        seen = [f"{m.view.title} | {m.view.text}" for m in self.messages]
        raise AssertionError(f"{parts} is nowhere in {seen}")

    def count(self, part: str) -> int:
        return sum(part in f"{m.view.title}\n{m.view.text}" for m in self.messages)

    async def _do(self, incoming: Any, input_id: str) -> View | None:
        self.last_input = input_id or f"i{next(self._inputs)}"
        try:
            view = (
                await self._take_turn(self.address, incoming, self.last_input, self._limit)
            ).view
        except CannotAnswer as error:
            view = error.view
        if view is not None:
            self.chat.put(self.address, view)
        return view
