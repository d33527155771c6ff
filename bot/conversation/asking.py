"""Whose account is it for? Asked as the game asks, or as a supplier's form stands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from bot.conversation import accounts, forms
from bot.conversation.confirming import (
    ask_account,
    lives_elsewhere,
    meant_all_the_same,
    to_confirm,
)
from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Goto, Outcome, StepId, View
from shop import catalogue, players
from shop.catalogue import Account, Ask, Game, Unreadable
from shop.suppliers import FormField
from shop.text import visible

_WRONG_ACCOUNT: Mapping[Unreadable, str] = {
    Unreadable.EMPTY: "account.empty",
    Unreadable.LETTERS: "account.letters",
    Unreadable.TOO_LONG: "account.too_long",
    Unreadable.TOO_MANY: "account.too_many",
    Unreadable.RUN_TOGETHER: "account.run_together",
    Unreadable.UNCLEAR: "account.unclear",
    Unreadable.RIOT_ID: "account.riot_id",
    Unreadable.WORD: "account.word",
    Unreadable.NO_SUCH_SERVER: "server.unknown",
    Unreadable.OTHER_SERVER: "account.other_server",
}
_ASK_ACCOUNT: Mapping[Ask, str] = {
    Ask.NUMBER: "account.ask",
    Ask.NUMBER_AND_SERVER: "account.ask_with_server",
    Ask.NUMBER_AND_REGION: "account.ask_uid",
    Ask.WORD: "account.ask_word",
    Ask.WORD_AND_REGION: "account.ask_word",
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
    saved = room.books.accounts.of_game(room.address, game.slug)
    fitting = [account for account in saved if catalogue.is_user_id(game, account.user_id)]
    most = accounts.most_on(len(fitting) + 1)  # the engine adds a way back
    return [
        Choice(f"@{account.id}", label, hint)
        for account, (label, hint) in zip(
            fitting, accounts.labels(room, fitting, most), strict=True
        )
    ]


def _use_saved(room: Room, draft: Draft, account_id: str) -> Outcome:
    saved = room.books.accounts.of_game(room.address, draft.game)
    account = next((each for each in saved if each.id == account_id), None)
    if account is None:
        return Again(room.texts("account.forgotten"))
    return to_confirm(room, replace(draft, user_id=account.user_id, server=account.server))


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
    sale = room.sale(draft)
    return sale.offer.form if sale is not None and room.asked(draft) is None else ()


def _next_field(room: Room, draft: Draft) -> FormField | None:
    return forms.next_field(_form(room, draft), draft)


_YES = frozenset({"yes", "y", "ya", "iya", "benar", "betul", "sudah", "ok", "oke"})


class CheckAccount:
    """That is an unusual ID, or one of another region: is it right?"""

    id: ClassVar[StepId] = StepId.CHECK
    back: ClassVar[StepId | None] = StepId.ACCOUNT
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = True

    def ask(self, room: Room, draft: Draft) -> View:
        if region := lives_elsewhere(room, draft):
            return _ask_about_region(room, draft, region)
        account = room.account(draft)
        return View(
            title=_game(room, draft).title,
            text=room.texts("check.ask", account=account, digits=len(draft.user_id)),
            choices=(
                Choice("yes", room.texts("check.yes")),
                Choice("no", room.texts("check.no")),
            ),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        region = lives_elsewhere(room, draft)
        match "yes" if catalogue.canonical(value) in _YES else value:
            case "yes":
                return to_confirm(room, meant_all_the_same(draft) if region else draft)
            case "no":
                return ask_account(room, draft)
            case "game" if (variant := _variant(room, draft, region)) is not None:
                there = Draft(game=variant.slug, user_id=draft.user_id, server=draft.server)
                return Goto(StepId.ITEM, there)
            case _:  # they typed the ID again
                return AskAccount().answer(room, draft, value)


def _ask_about_region(room: Room, draft: Draft, region: str) -> View:
    game, variant = _game(room, draft), _variant(room, draft, region)
    return View(
        title=game.title,
        text=room.texts(
            "check.elsewhere",
            account=room.account(draft),
            region=_region(room, game, region),
            wanted=_region(room, game, game.region),
        ),
        choices=(
            *([] if variant is None else [Choice("game", variant.title)]),
            Choice("no", room.texts("check.another")),
            Choice("yes", room.texts("check.go_on")),
        ),
    )


def _region(room: Room, game: Game, region: str) -> str:
    named = room.books.rules.words_of(game.slug).regions
    return next((each.title for each in named if each.slug == region), region)


def _variant(room: Room, draft: Draft, region: str) -> Game | None:
    """Return the game that sells to accounts of ``region``; ``None`` if nothing of it is sold."""
    base = players.base_of(room.books.rules.games, draft.game)
    game = players.variant_in(room.face.games, base, region) if region else None
    sold = game is not None and any(map(room.market.is_sold, room.items(game)))
    return game if sold else None
