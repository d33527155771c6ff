"""Carry one person one turn forward. Knows no channel and does no I/O of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol, assert_never

from bot.conversation import acting, commands
from bot.conversation.choosing import named, told_apart
from bot.conversation.notices import order_view
from bot.conversation.room import Face, Room
from bot.conversation.steps import STEPS, Step, elsewhere, opened
from bot.conversation.texts import Texts
from bot.conversation.views import (
    Acted,
    Again,
    Choice,
    Command,
    Draft,
    Finish,
    Goto,
    Incoming,
    Outcome,
    Picked,
    Session,
    Shared,
    Started,
    StepId,
    Typed,
    View,
    What,
    on_screen,
)
from shop import catalogue
from shop.ports import Books
from shop.time import HOUR, Millis

LONGEST_TEXT = 300
FORGETS_AFTER: Millis = 24 * HOUR
BACK, NEXT, PREVIOUS = "<", "+", "-"
# Questions where the name of an item is looked for anyhow, or anything may be the answer.
_READS_ALL = frozenset({StepId.GAME, StepId.ITEM, StepId.PAYOUT})
# Commands that begin with a question of their own.
_QUESTIONS = {"isi": StepId.CREDIT, "tarik": StepId.CASH}


class Sessions(Protocol):
    """Where sessions live between turns: one for each address."""

    def load(self, address: str) -> Session: ...
    def save(self, address: str, session: Session) -> None: ...


class Desk(Protocol):
    """The owner's desk."""

    @property
    def steps(self) -> Sequence[Step]:
        """The questions that only owners are asked."""

    def is_owner(self, address: str) -> bool: ...
    def command(self, room: Room, name: str, args: str) -> View | Outcome | None: ...
    def act(self, room: Room, case_id: str, action: str) -> View: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing a person did, and all that came with it.

    ``input_id`` tells a repetition from a second time; ``limit``: choices this channel can show.
    """

    address: str
    incoming: Incoming
    input_id: str
    now: Millis
    token: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to show now (``None``: the order speaks for itself), and where the person stands."""

    view: View | None
    step: StepId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    session: Session
    view: View | None


class Conversation:
    """The whole purchase, for any channel."""

    def __init__(
        self,
        *,
        face: Face,
        texts: Mapping[str, Texts],
        language: str,
        desk: Desk,
        steps: Sequence[Step] = STEPS,
    ) -> None:
        self._face = face
        self._texts = texts
        self._language = language
        self._desk = desk
        self._steps = MappingProxyType({step.id: step for step in (*steps, *desk.steps)})
        if missing := set(StepId) - set(self._steps):
            raise ValueError(f"steps never written: {sorted(missing)}")

    def turn(self, books: Books, sessions: Sessions, said: Said) -> Turn:
        """Take in what a person did and return what to show; all of it in one transaction."""
        session = sessions.load(said.address)
        repeated = session.last_input == said.input_id
        room = self._room(books, session, said)
        if self._desk.is_owner(said.address):  # who writes can be written to again
            books.outbox.try_again(said.address, said.now)
        if self._is_over(room, session) and not repeated:
            session = replace(session, step=None, draft=Draft())
        if repeated and not _is_safe_to_repeat(
            said.incoming
        ):  # our answer may never have arrived: the same question once more
            answered = self._present(room, session)
        else:
            answered = self._answer(room, session, said.incoming)
        sessions.save(
            said.address,
            replace(answered.session, last_input=said.input_id, touched_at=said.now),
        )
        return Turn(view=answered.view, step=answered.session.step)

    def _is_over(self, room: Room, session: Session) -> bool:
        """Tell whether a conversation is too old, or about a game the shop no longer knows."""
        game = session.draft.game
        unknown = bool(game) and room.game(game) is None
        return unknown or room.now - session.touched_at > FORGETS_AFTER

    def _room(self, books: Books, session: Session, said: Said) -> Room:
        return Room(
            face=self._face,
            books=books,
            texts=self._texts[session.language or self._language],
            address=said.address,
            now=said.now,
            token=said.token,
            screen=session.screen,
            limit=said.limit,
            is_owner=self._desk.is_owner(said.address),
        )

    def _answer(self, room: Room, session: Session, incoming: Incoming) -> _Answered:
        match incoming:
            case Started(payload, typed):
                answered = self._start(room, session, payload, typed)
            case Command(name, args):
                answered = self._command(room, session, name, args)
            case Acted():
                answered = self._act(room, session, incoming)
            case Picked(_, screen) if screen != session.screen:
                answered = self._present(room, session, room.texts("button.old"))
            case Picked(choice):
                answered = self._picked(room, session, choice)
            case Typed(text):
                answered = self._typed(room, session, text)
            case Shared(what, file):
                answered = self._shared(room, session, what, file)
            case _:
                assert_never(incoming)
        return answered

    def _present(self, room: Room, session: Session, because: str = "") -> _Answered:
        """Show where the person is: the order just placed, or the present question."""
        if session.step is None:
            waiting = room.books.orders.open_of(room.address, room.now)
            if waiting:
                return self._say(session, order_view(waiting[-1], room))
        return self._question(room, session, because)

    def _start(self, room: Room, session: Session, payload: str = "", typed: str = "") -> _Answered:
        """Begin, perhaps where a link leads; what was ``typed`` and is no link is an answer."""
        outcome = opened(room, payload)
        if outcome is None and typed:
            return self._typed(room, session, typed)
        session = replace(session, draft=Draft(), page=0)
        return self._follow(room, session, outcome or Goto(StepId.GAME, Draft()))

    def _command(self, room: Room, session: Session, name: str, args: str) -> _Answered:
        if name == "pesan":
            return self._start(room, session)
        if name == "batal":
            session = replace(session, step=None, draft=Draft())
            return self._say(session, commands.cancelled(room))
        if room.is_owner and (done := self._desk.command(room, name, args)) is not None:
            return self._done(room, session, done)
        if name == "bahasa":
            return self._language_of(room, session, args)
        return self._plain_command(room, session, name, args)

    def _plain_command(self, room: Room, session: Session, name: str, args: str) -> _Answered:
        if name in _QUESTIONS:
            return self._show(room, replace(session, draft=Draft()), _QUESTIONS[name])
        view = commands.answer(room, name, args)
        if view is None:
            return self._question(room, session, room.texts("command.unknown"))
        return self._say(session, view)

    def _language_of(self, room: Room, session: Session, args: str) -> _Answered:
        if args not in self._texts:
            return self._say(session, commands.languages(room))
        session = replace(session, language=args)
        room = replace(room, texts=self._texts[args])
        return self._question(room, session, room.texts("language.set"))

    def _act(self, room: Room, session: Session, acted: Acted) -> _Answered:
        match acted.about:
            case "case" if self._desk.is_owner(room.address):
                return self._say(session, self._desk.act(room, acted.id, acted.action))
            case "case":
                return self._question(room, session, room.texts("button.old"))
            case "person":
                return self._command(room, session, acted.id, acted.action)
            case _:
                return self._done(room, session, acting.act(room, acted.id, acted.action))

    def _done(self, room: Room, session: Session, done: View | Outcome) -> _Answered:
        if isinstance(done, View):
            return self._say(session, done)
        return self._follow(room, session, done)

    def _shared(self, room: Room, session: Session, what: What, file: str) -> _Answered:
        if what is What.PICTURE:
            return self._say(session, acting.claim_all(room, file))
        return self._question(room, session, room.texts("shared.other"))

    def _picked(self, room: Room, session: Session, choice: str) -> _Answered:
        if session.step is None:
            return self._start(room, session)
        step = self._steps[session.step]
        match choice:
            case _ if choice == BACK:
                return self._back(room, session, step)
            case _ if choice == NEXT:
                return self._show(room, replace(session, page=session.page + 1), step.id)
            case _ if choice == PREVIOUS:
                return self._show(room, replace(session, page=session.page - 1), step.id)
            case _:
                outcome = step.answer(room, session.draft, choice)
                return self._follow(room, session, outcome)

    def _back(self, room: Room, session: Session, step: Step) -> _Answered:
        """Go one question back; a search, and an account not read to its end, are forgotten."""
        draft = replace(session.draft, find="")
        if step.id is not StepId.CONFIRM:
            draft = replace(draft, user_id="", server="")
        session = replace(session, draft=draft)
        return self._show(room, session, step.back or StepId.GAME)

    def _typed(self, room: Room, session: Session, text: str) -> _Answered:
        if len(text) > LONGEST_TEXT:
            because = room.texts("typed.too_long", most=LONGEST_TEXT)
            return self._question(room, session, because)
        step = self._steps[session.step or StepId.GAME]
        if session.step is None:
            session = replace(session, draft=Draft())
        chosen = self._chosen(room, step, session, text)
        if chosen in {BACK, NEXT, PREVIOUS}:
            return self._picked(room, replace(session, step=step.id), chosen)
        value = chosen or text.lstrip("@")  # "@": by button only
        outcome = None
        if chosen is None and step.id not in _READS_ALL:
            outcome = elsewhere(room, session.draft, step.id, text)
        outcome = outcome or step.answer(room, session.draft, value)
        return self._follow(room, replace(session, step=step.id), outcome)

    def _chosen(self, room: Room, step: Step, session: Session, text: str) -> str | None:
        """Return the id of the choice that was typed: its label, or its place on the page."""
        if step.free and "#" in text:
            return None  # a Riot ID, whatever its letters resemble
        wanted = catalogue.canonical(text)
        choices = step.ask(room, session.draft).choices
        page = choices[session.page * room.limit :][: room.limit]
        telling = told_apart(choices) if step.id is StepId.GAME else choices
        chosen = named(text, (*telling, *_moving(room, step)))
        if chosen is not None or step.free or not wanted.isdigit():
            return chosen
        amounts = [choice for choice in choices if choice.label.split()[:1] == [wanted]]
        if len(amounts) == 1:  # "70" is 70 Diamond before it is the seventieth
            return amounts[0].id
        return page[int(wanted) - 1].id if 0 < int(wanted) <= len(page) else None

    def _follow(self, room: Room, session: Session, outcome: Outcome) -> _Answered:
        match outcome:
            case Goto(step, draft, because):
                session = replace(session, draft=draft, page=0)
                return self._show(room, session, step, because)
            case Again(because, draft):
                if draft is not None:
                    page = session.page if draft.find == session.draft.find else 0
                    session = replace(session, draft=draft, page=page)
                return self._question(room, session, because)
            case Finish(view):
                session = replace(session, step=None, draft=Draft(), screen=session.screen + 1)
                return self._say(session, view)
            case _:
                assert_never(outcome)

    def _question(self, room: Room, session: Session, because: str = "") -> _Answered:
        """Put the present question again; the first one if there is none."""
        return self._show(room, session, session.step or StepId.GAME, because)

    def _show(self, room: Room, session: Session, step_id: StepId, because: str = "") -> _Answered:
        step = self._steps[step_id]
        if step_id is not session.step:
            session = replace(session, page=0)
        if step.about_game and room.game(session.draft.game) is None:
            step, session = self._steps[StepId.GAME], replace(session, draft=Draft(), page=0)
        view, page = _paged(room, step.ask(room, session.draft), session.page)
        if step.back is not None:
            view = replace(view, choices=(*view.choices, Choice(BACK, room.texts("button.back"))))
        if because:
            view = replace(view, text=f"{because}\n\n{view.text}")
        session = replace(session, step=step.id, page=page, screen=session.screen + 1)
        return _Answered(session=session, view=on_screen(view, session.screen))

    def _say(self, session: Session, view: View | None) -> _Answered:
        return _Answered(session=session, view=view)


def _is_safe_to_repeat(incoming: Incoming) -> bool:
    """Tell whether the same tap again does nothing new: owners' answers are asked for twice."""
    return isinstance(incoming, Acted) and incoming.about == "case"


def _moving(room: Room, step: Step) -> tuple[Choice, ...]:
    """Return the choices that the engine adds to a question."""
    pages = (
        Choice(NEXT, room.texts("button.next")),
        Choice(PREVIOUS, room.texts("button.previous")),
    )
    return pages if step.back is None else (*pages, Choice(BACK, room.texts("button.back")))


def _paged(room: Room, view: View, page: int) -> tuple[View, int]:
    """Return the page of a view that a channel can show, and its number, in range."""
    if len(view.choices) <= room.limit:
        return view, 0
    last = (len(view.choices) - 1) // room.limit
    page = min(max(page, 0), last)
    shown = list(view.choices[page * room.limit :][: room.limit])
    if page > 0:
        shown.append(Choice(PREVIOUS, room.texts("button.previous")))
    if page < last:
        shown.append(Choice(NEXT, room.texts("button.next")))
    where = room.texts("page", page=page + 1, pages=last + 1)
    return replace(view, choices=tuple(shown), text=f"{view.text}\n{where}"), page
