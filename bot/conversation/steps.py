"""The purchase conversation: one class per question, in the order they are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

from rapidfuzz import fuzz

from bot.conversation import forms
from bot.conversation.confirming import Confirm, ask_account, to_confirm
from bot.conversation.crediting import AskCash, AskCredit, AskCreditMethod, AskPayout
from bot.conversation.entering import ConfirmEntry
from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Goto, Outcome, StepId, View
from shop import catalogue
from shop.catalogue import Account, Ask, Game, Unreadable
from shop.orders import Order
from shop.suppliers import FormField
from shop.text import visible

ALIKE = 78  # of 100: a typed name with a slip of the finger
REPEATS = 2
SAVED_ACCOUNTS = 5


class Step(Protocol):
    """One question: how to put it, and what an answer means."""

    id: ClassVar[StepId]
    back: ClassVar[StepId | None]
    free: ClassVar[bool]  # typed text is an answer of its own, not the name of a choice
    about_game: ClassVar[bool]  # makes no sense while no game is chosen

    def ask(self, room: Room, draft: Draft) -> View: ...
    def answer(self, room: Room, draft: Draft, value: str) -> Outcome: ...


class AskGame:
    """Which game?"""

    id: ClassVar[StepId] = StepId.GAME
    back: ClassVar[StepId | None] = None
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = False

    def ask(self, room: Room, draft: Draft) -> View:
        games = room.games_on_sale()
        if not games:
            return View(text=room.texts("game.nothing", support=_support(room)))
        found = (_matching(draft.find, games) if draft.find else games) or games
        repeats = () if draft.find else _repeats(room)
        return View(
            title=room.texts("game.title", shop=room.face.name),
            text=room.texts("game.ask"),
            choices=(*repeats, *(Choice(game.slug, game.title) for game in found)),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if value.startswith("@"):
            return repeat(room, value[1:])
        games = room.games_on_sale()
        chosen = [game for game in games if game.slug == value] or _matching(value, games)
        match chosen:
            case []:
                return Again(room.texts("game.unknown"), Draft())
            case [game]:
                return Goto(StepId.ITEM, Draft(game=game.slug))
            case _:
                return Again(room.texts("game.which"), Draft(find=value))


def _matching(text: str, games: Sequence[Game]) -> list[Game]:
    """Return the games a typed text may mean: the one it names, else those it resembles."""
    wanted = catalogue.canonical(text)
    if not wanted:
        return []
    if (named := catalogue.game_of(text, games)) is not None:
        return [named]
    names = {game.slug: catalogue.names_of(game) for game in games}
    scored = [(max(fuzz.ratio(wanted, name) for name in names[game.slug]), game) for game in games]
    best = max((score for score, _ in scored), default=0)
    close = [game for score, game in scored if score >= max(ALIKE, best - 5)]
    begun = [game for game in games if any(name.startswith(wanted) for name in names[game.slug])]
    return close or begun


def _repeats(room: Room) -> tuple[Choice, ...]:
    seen: dict[tuple[str, str], Choice] = {}
    delivered = room.books.orders.delivered_of(room.address, 10)
    for order in (order for order in delivered if order.game):  # and not credit
        account = room.account(order.user_id, order.server)
        label = room.texts("game.repeat", item=order.item)
        seen.setdefault((order.sku, order.target), Choice(f"@{order.id}", label[:24], account))
    return tuple(seen.values())[:REPEATS]


def repeat(room: Room, order_id: str) -> Outcome:
    """Go straight to the confirmation of an earlier purchase of this person."""
    order = room.own_order(order_id)
    if order is None:
        return Again(room.texts("order.unknown"))
    draft = Draft(
        game=order.game,
        supplier=order.supplier,
        sku=order.sku,
        item=order.item,
        user_id=order.user_id,
        server=order.server,
    )
    return to_confirm(room, draft)


class AskItem:
    """How much of it?"""

    id: ClassVar[StepId] = StepId.ITEM
    back: ClassVar[StepId | None] = StepId.GAME
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        game = room.game(draft.game)
        offers = room.offers(game) if game else []
        title = game.title if game else ""
        if not offers:
            return View(title=title, text=room.texts("item.nothing"))
        choices = (
            Choice(
                f"{offer.supplier}/{offer.sku}",
                offer.item,
                room.texts.money(room.quote(offer).price),
            )
            for offer in offers
        )
        return View(title=title, text=room.texts("item.ask"), choices=tuple(choices))

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        supplier, _, sku = value.partition("/")
        draft = replace(draft, supplier=supplier, sku=sku)
        offer = room.offer(draft)
        if offer is None:
            return Again(room.texts("item.unknown"))
        draft = replace(draft, item=offer.item)
        return to_confirm(room, draft) if draft.user_id else ask_account(room, draft)


_WRONG_ACCOUNT: Mapping[Unreadable, str] = {
    Unreadable.EMPTY: "account.empty",
    Unreadable.LETTERS: "account.letters",
    Unreadable.TOO_LONG: "account.too_long",
    Unreadable.TOO_MANY: "account.too_many",
    Unreadable.RUN_TOGETHER: "account.run_together",
    Unreadable.RIOT_ID: "account.riot_id",
    Unreadable.NO_SUCH_SERVER: "server.unknown",
}
_ASK_ACCOUNT: Mapping[Ask, str] = {
    Ask.NUMBER: "account.ask",
    Ask.NUMBER_AND_SERVER: "account.ask_with_server",
    Ask.NUMBER_AND_REGION: "account.ask_uid",
    Ask.RIOT_ID: "account.ask_riot_id",
}


class AskAccount:
    """Whose account?"""

    id: ClassVar[StepId] = StepId.ACCOUNT
    back: ClassVar[StepId | None] = StepId.ITEM
    free: ClassVar[bool] = True
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        game = _game(room, draft)
        return View(
            title=f"{game.title} · {draft.item}",
            text=room.texts(
                _ASK_ACCOUNT[game.ask],
                example=game.example,
                where=game.where[room.texts.language],
            ),
            choices=tuple(_saved_accounts(room, game)),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        game = _game(room, draft)
        if value.startswith("@"):
            return _use_saved(room, draft, value[1:])
        match catalogue.read_account(game, value):
            case Account() as account:
                draft = replace(draft, user_id=account.user_id, server=account.server)
                return _check_account(room, draft, game, account)
            case wrong:
                return Again(room.texts(_WRONG_ACCOUNT[wrong], example=game.example))


def _game(room: Room, draft: Draft) -> Game:
    """Return the game as the chosen item asks for it."""
    game = room.asked(draft) or room.game(draft.game)
    if game is None:
        raise LookupError(f"no game {draft.game!r}")
    return game


def _check_account(room: Room, draft: Draft, game: Game, account: Account) -> Outcome:
    if game.has_server and not account.server:
        return Goto(StepId.SERVER, draft)
    return Goto(StepId.CHECK, draft) if account.odd else to_confirm(room, draft)


def _saved_accounts(room: Room, game: Game) -> list[Choice]:
    seen: dict[str, Choice] = {}
    for order in room.books.orders.delivered_of(room.address, 20, game.slug):
        if not catalogue.is_user_id(game, order.user_id):
            continue
        account = room.account(order.user_id, order.server)
        seen.setdefault(account, Choice(f"@{order.id}", account))
    return list(seen.values())[:SAVED_ACCOUNTS]


def _use_saved(room: Room, draft: Draft, order_id: str) -> Outcome:
    order: Order | None = room.own_order(order_id)
    if order is None or order.game != draft.game:
        return Again(room.texts("order.unknown"))
    return to_confirm(room, replace(draft, user_id=order.user_id, server=order.server))


class AskServer:
    """On which server?"""

    id: ClassVar[StepId] = StepId.SERVER
    back: ClassVar[StepId | None] = StepId.ACCOUNT
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        game = _game(room, draft)
        text = "server.choose" if game.servers else "server.ask"
        return View(
            title=game.title,
            text=room.texts(text, user_id=draft.user_id, example=game.example),
            choices=tuple(Choice(server.mark, server.title) for server in game.servers),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        game = _game(room, draft)
        server = catalogue.read_server(game, value)
        if isinstance(server, Unreadable):
            return self._read_whole(room, draft, game, value, server)
        low, high = game.usual_server
        odd = not game.servers and not low <= len(server) <= high
        low, high = game.usual
        odd = odd or not low <= len(draft.user_id) <= high
        account = Account(user_id=draft.user_id, server=server, odd=odd)
        return _check_account(room, replace(draft, server=server), game, account)

    def _read_whole(
        self, room: Room, draft: Draft, game: Game, value: str, wrong: Unreadable
    ) -> Outcome:
        """Understand a person who sends ID and server once more, together."""
        account = catalogue.read_account(game, value)
        if isinstance(account, Account) and account.server:
            draft = replace(draft, user_id=account.user_id, server=account.server)
            return _check_account(room, draft, game, account)
        name = "server.unknown" if game.servers else "server.number"
        return Again(room.texts(name, example=game.example))


class AskField:
    """The next field of a supplier's own form."""

    id: ClassVar[StepId] = StepId.FIELD
    back: ClassVar[StepId | None] = StepId.ITEM
    free: ClassVar[bool] = True
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        field = _next_field(room, draft)
        if field is None:
            return View(text=room.texts("item.gone"))
        name = "field.choose" if field.options else "field.ask"
        return View(
            title=f"{_game(room, draft).title} · {draft.item}",
            text=room.texts(name, label=visible(field.label, 60)),
            choices=forms.choices(field),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        field = _next_field(room, draft)
        if field is None:
            return to_confirm(room, draft)
        answer = forms.read_answer(field, value)
        if not answer:
            name = "field.not_offered" if field.options else "field.too_long"
            return Again(room.texts(name, most=forms.LONGEST))
        draft = forms.with_answer(_form(room, draft), draft, answer)
        more = _next_field(room, draft) is not None
        return Goto(StepId.FIELD, draft) if more else to_confirm(room, draft)


def _form(room: Room, draft: Draft) -> Sequence[FormField]:
    """Return the form that is asked field by field; empty, if it is not, or not any more."""
    offer = room.offer(draft)
    return offer.form if offer is not None and room.asked(draft) is None else ()


def _next_field(room: Room, draft: Draft) -> FormField | None:
    return forms.next_field(_form(room, draft), draft)


_YES = frozenset({"yes", "y", "ya", "iya", "benar", "betul", "sudah", "ok", "oke"})


class CheckAccount:
    """That is an unusual ID: is it right?"""

    id: ClassVar[StepId] = StepId.CHECK
    back: ClassVar[StepId | None] = StepId.ACCOUNT
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        account = room.account(draft.user_id, draft.server)
        return View(
            title=_game(room, draft).title,
            text=room.texts("check.ask", account=account, digits=len(draft.user_id)),
            choices=(
                Choice("yes", room.texts("check.yes")),
                Choice("no", room.texts("check.no")),
            ),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        match "yes" if catalogue.canonical(value) in _YES else value:
            case "yes":
                return to_confirm(room, draft)
            case "no":
                return ask_account(room, draft)
            case _:  # they typed the ID again
                return AskAccount().answer(room, draft, value)


def _support(room: Room) -> str:
    return room.face.support or room.face.name


STEPS: tuple[Step, ...] = (
    AskGame(),
    AskItem(),
    AskAccount(),
    AskServer(),
    AskField(),
    CheckAccount(),
    Confirm(),
    AskCredit(),
    AskCreditMethod(),
    AskCash(),
    AskPayout(),
    ConfirmEntry(),
)
