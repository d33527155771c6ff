"""Recognize who an account belongs to: from what was asked lately, or from what orders told."""

from shop import players, targets
from shop.catalogue import is_user_id
from shop.orders import HOUSE, Order
from shop.players import Found, Player, SavedAccount, Whose
from shop.ports import Books
from shop.routing import FRESH
from shop.rules import Rules
from shop.time import Millis


def whose(rules: Rules, game: str, user_id: str, server: str) -> Whose:
    """Return whose account it is; regional variants of a game share their accounts."""
    return Whose(game=players.base_of(rules.games, game), user_id=user_id, server=server)


def of_order(rules: Rules, order: Order) -> Whose:
    """Return whose account an order is for."""
    return whose(rules, order.game, order.user_id, order.server)


def look(books: Books, whose: Whose, now: Millis, *, asks: bool) -> Player:
    """Return what is known of a player; what is no longer believed is left out, but for the region.

    ``asks``: whether somebody can be asked. Raises ``MustAsk`` then, if there is no fresh answer.
    """
    player = books.players.of(whose)
    if player.is_fresh(now):
        return player
    if asks:
        raise players.MustAsk(whose)
    return Player(region=player.region)


def settle(books: Books, whose: Whose, now: Millis) -> None:
    """Take it that nobody can say who a player is, unless somebody has by now."""
    if not books.players.of(whose).is_fresh(now):
        books.players.answer(whose, Found.UNKNOWN, "", now)


def remember(books: Books, order: Order, nickname: str, now: Millis) -> None:
    """Keep the account of a new order, to be offered again.

    What was filled in field by field is no account that another offer could be had for.
    """
    if order.supplier != HOUSE and _is_an_account(books, order, now):
        books.accounts.use(order.address, account_of(order, nickname))


def account_of(order: Order, nickname: str = "") -> SavedAccount:
    """Return the account of an order as it is kept for its customer."""
    return SavedAccount(
        game=order.game,
        user_id=order.user_id,
        server=order.server,
        used_at=order.created_at,
        nickname=players.shown_nickname(nickname),
    )


def _is_an_account(books: Books, order: Order, now: Millis) -> bool:
    offer = books.shelf.offer(order.supplier, order.sku, now - FRESH)
    asked = books.rules.game(order.game) if offer is None else targets.asked(books.rules, offer)
    return asked is not None and is_user_id(asked, order.user_id)


def learn(books: Books, order: Order, nickname: str, region: str, now: Millis) -> None:
    """Take in what a supplier said of the player an order is for; both are foreign text."""
    mine, account = of_order(books.rules, order), account_of(order, nickname)
    if account.nickname:
        books.players.answer(mine, Found.FOUND, account.nickname, now)
        books.accounts.name(order.address, account)
    if country := players.read_region(region):
        books.players.register(mine, country)
