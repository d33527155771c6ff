"""The purchase conversation: one class per question, in the order they are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

from bot.conversation import accounts
from bot.conversation.asking import AskAccount, AskField, AskServer, CheckAccount
from bot.conversation.confirming import Confirm, ask_account, to_confirm
from bot.conversation.crediting import AskCash, AskCredit, AskCreditMethod, AskPayout
from bot.conversation.entering import ConfirmEntry
from bot.conversation.finding import Found, find, matching
from bot.conversation.linking import game_of, item_of, payload_of
from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Goto, Outcome, StepId, View
from shop import catalogue
from shop.catalogue import Game
from shop.routing import Sale
from shop.shelf import Item
from shop.text import visible

REPEATS = 2
ALL = "*"  # the choice that ends a search
_LONGEST_KEY = 50  # bytes of it that a button can carry


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
        every = tuple(Choice(game.slug, game.title) for game in games)
        found = _searched(room, draft.find, games) if draft.find else ()
        return View(
            title=room.texts("game.title", shop=room.face.name),
            text=room.texts("game.ask"),
            choices=found or (*_repeats(room), *every),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if value.startswith("@"):
            return repeat(room, value[1:])
        if value == ALL:
            return Goto(StepId.GAME, Draft())
        games = room.games_on_sale()
        named = next((game for game in games if game.slug == value), None)
        game = named or catalogue.game_of(value, games)
        if game is not None:
            return Goto(StepId.ITEM, Draft(game=game.slug))
        item = _item_by_key(room, value)
        return taken(room, Draft(), item) if item is not None else _typed_anywhere(room, value)


def _typed_anywhere(room: Room, text: str) -> Outcome:
    """Return what becomes of a text where no game is chosen."""
    found = find(room, text)
    if found.item is not None:
        return taken(room, Draft(), found.item)
    games = matching(text, room.games_on_sale())
    match games:
        case [game]:
            return Goto(StepId.ITEM, Draft(game=game.slug))
        case []:
            return _found(room, text, found)
        case _:
            return Again(room.texts("game.which"), Draft(find=text))


def _found(room: Room, text: str, found: Found) -> Outcome:
    """Offer what was found; whatever the text was, there is something to choose from."""
    if found.game is not None:
        if not _sells(room, found.game):
            return Again(room.texts("game.empty", game=found.game.title), Draft())
        draft = Draft(game=found.game.slug, find=text if found.sales else "")
        return Goto(StepId.ITEM, draft, _which(room, found))
    if found.sales or found.games:
        return Goto(StepId.GAME, Draft(find=text), room.texts("game.which"))
    return Again(room.texts("game.unknown"), Draft())


def _which(room: Room, found: Found) -> str:
    if not found.sales:
        return room.texts("item.unknown")
    return room.texts("item.near" if found.is_near else "item.which")


def _searched(room: Room, text: str, games: Sequence[Game]) -> tuple[Choice, ...]:
    """Return what a text may mean, as it was when it was typed; empty if nothing is left of it."""
    alike = matching(text, games)
    if alike:
        return tuple(Choice(game.slug, game.title) for game in alike)
    found = find(room, text)
    titles = {game.slug: game.title for game in games}
    sales = _choices_among_games(room, found.sales, titles)
    others = [Choice(game.slug, game.title) for game in found.games if game.slug in titles]
    if not sales and not others:
        return ()
    return (*sales, *others, Choice(ALL, room.texts("button.all_games")))


def _choices_among_games(
    room: Room, sales: Sequence[Sale], titles: Mapping[str, str]
) -> list[Choice]:
    """Return choices of several games: what they are called all say the game, or none does."""
    games = [titles.get(sale.item.game, "") for sale in sales]
    longer = [f"{sale.item.title} · {game}" for sale, game in zip(sales, games, strict=True)]
    most = accounts.most_on(len(sales) + 1)
    fit = all(len(label) <= most for label in longer)
    choices = []
    for sale, game, label in zip(sales, games, longer, strict=True):
        short = visible(sale.item.title, most)
        price = room.texts.money(sale.quote.price)
        shown = (label, price) if fit else (short, f"{game} · {price}")
        choices.append(Choice(_carried(sale.item), *shown))
    return choices


def _carried(item: Item) -> str:
    """Return what a button carries for an item."""
    return item.key if len(item.key.encode()) <= _LONGEST_KEY else payload_of(item)


def _item_by_key(room: Room, key: str) -> Item | None:
    """Return the item of any game that a button carries."""
    if "/" not in key:
        return item_of(room, key)
    shelf = room.books.shelf
    return shelf.item(key, key.partition("/")[0]) or shelf.item_of(*key.split("/", 1))


def _repeats(room: Room) -> tuple[Choice, ...]:
    seen: dict[tuple[str, str], Choice] = {}
    delivered = room.books.orders.delivered_of(room.address, 10)
    for order in (order for order in delivered if order.game):  # and not credit
        account = room.account(order)
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
        good=order.good,
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
        title = game.title if game else ""
        found = _found_in(room, game, draft.find) if game and draft.find else ()
        sales = found or (_bought_first(room, room.sales(game)) if game else [])
        if not sales:
            return View(title=title, text=room.texts("item.nothing"))
        choices = [
            Choice(_carried(sale.item), sale.item.title, room.texts.money(sale.quote.price))
            for sale in sales
        ]
        if found:
            choices.append(Choice(ALL, room.texts("button.all_items")))
        return View(title=title, text=room.texts("item.ask"), choices=tuple(choices))

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if value == ALL:
            return Goto(StepId.ITEM, replace(draft, find=""))
        item = room.item(draft.game, value) or item_of(room, value)
        if item is not None and item.game == draft.game:
            return taken(room, draft, item)
        game = room.game(draft.game)
        return _typed_anywhere(room, value) if game is None else _typed_in(room, draft, game, value)


def _found_in(room: Room, game: Game, text: str) -> Sequence[Sale]:
    found = find(room, text, game)
    return [sale for sale in found.sales if sale.item.game == game.slug]


def _typed_in(room: Room, draft: Draft, game: Game, text: str) -> Outcome:
    """Return what becomes of a text while an item of ``game`` is asked for."""
    found = find(room, text, game)
    if found.item is not None:
        here = found.item.game == game.slug
        return taken(room, draft if here else Draft(), found.item)
    named = catalogue.game_of(text, room.games_on_sale())
    if named is not None:
        return Goto(StepId.ITEM, Draft(game=named.slug))
    if found.game is not None and not _sells(room, found.game):
        return Again(room.texts("game.empty", game=found.game.title))
    leads_away = found.game is not None and found.game.slug != game.slug
    if leads_away or (found.game is None and found.sales):
        return _found(room, text, found)
    return Again(_which(room, found), replace(draft, find=text if found.sales else ""))


def taken(room: Room, draft: Draft, item: Item) -> Outcome:
    """Go on with an item that was chosen; if nobody has it now, to what is most like it."""
    draft = replace(draft, game=item.game, find="", good=item.key, item=item.title)
    if room.sale(draft) is None:
        similar = Draft(game=item.game, find=item.title, user_id=draft.user_id, server=draft.server)
        return Goto(StepId.ITEM, similar, room.texts("item.sold_out", item=item.title))
    return to_confirm(room, draft) if draft.user_id else ask_account(room, draft)


def elsewhere(room: Room, draft: Draft, step: StepId, text: str) -> Outcome | None:
    """Return what becomes of "ml 86" while something else is asked; ``None``: it is an answer.

    Only a text of several words that names a game, and clearly an item of it, is none.
    """
    if "#" in text or len(text.split()) < 2 or not any(map(str.isalpha, text)):
        return None
    found = find(room, text)
    if found.game is None or found.item is None:
        return None
    keeps = step is StepId.CONFIRM and found.item.game == draft.game
    known = Draft(user_id=draft.user_id, server=draft.server) if keeps else Draft()
    return taken(room, known, found.item)


def opened(room: Room, payload: str) -> Outcome | None:
    """Return where a link leads; ``None``: it is none of ours."""
    game = game_of(room, payload)
    if game is None:
        return None
    item = item_of(room, payload)
    if item is not None:
        return taken(room, Draft(), item)
    if not _sells(room, game):
        return Goto(StepId.GAME, Draft(), room.texts("game.empty", game=game.title))
    is_of_item = "_" in payload.removeprefix("_")
    because = room.texts("link.gone") if is_of_item else ""
    return Goto(StepId.ITEM, Draft(game=game.slug), because)


def _bought_first(room: Room, sales: Sequence[Sale]) -> list[Sale]:
    """Return what this person bought last before everything else, the rest as it was."""
    if not sales:
        return []
    game = sales[0].item.game
    bought = [order.good for order in room.books.orders.delivered_of(room.address, 20, game)]
    place = {good: nth for nth, good in reversed(list(enumerate(bought)))}
    return sorted(sales, key=lambda sale: place.get(sale.item.key, len(bought)))


def _sells(room: Room, game: Game) -> bool:
    return any(map(room.market.is_sold, room.items(game)))


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
