"""What one turn of the conversation has at hand."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from bot.conversation import forms
from bot.conversation.texts import Texts
from bot.conversation.views import Draft
from shop import targets
from shop.catalogue import Game, is_undescribed, server_title, undescribed
from shop.orders import Order
from shop.payments import PaymentMethod
from shop.ports import Books
from shop.routing import FRESH, Market, Sale
from shop.shelf import Item, Offer
from shop.targets import Target
from shop.time import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the owner set, as far as people see it."""

    name: str
    support: str
    games: Sequence[Game]
    suppliers: Sequence[str] = field(default=())
    titles: Mapping[str, str] = field(default_factory=dict)  # of suppliers, by their slugs
    balances: Sequence[str] = field(default=())  # who tells what we have there
    dropshippers: Sequence[str] = field(default=())  # whom customers can pay for their goods
    nicknames: Set[str] = frozenset()  # games whose players somebody can look up, by their slugs


class HasAccount(Protocol):
    """An order, a draft, a saved account: whatever goes to an account in a game."""

    @property
    def game(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def server(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One person, one moment, one transaction.

    ``token`` is unguessable and new for each turn; ``screen`` is the question being answered, and
    never comes again for this person: what it confirms happens once.
    """

    face: Face
    books: Books
    texts: Texts
    address: str
    now: Millis
    token: str
    screen: int = 0
    limit: int = 10  # choices this channel can show at once
    is_owner: bool = False
    _market: list[Market] = field(default_factory=list, init=False, repr=False)

    @property
    def market(self) -> Market:
        """What can be sold at this moment; read at the first question about it."""
        if not self._market:
            self._market.append(Market(self.books, self.now))
        return self._market[0]

    def game(self, slug: str) -> Game | None:
        """Return a game by its slug; one that nobody described, if anything of it is listed."""
        known = next((game for game in self.face.games if game.slug == slug), None)
        if known is None and is_undescribed(slug) and self.books.shelf.arranged(slug).items:
            return undescribed(slug)
        return known

    def games(self) -> list[Game]:
        """Return every game on the shelf, the best-selling first, whether or not it sells now."""
        stocked = self.books.shelf.games(self.now - FRESH)
        found = [game for slug in stocked if (game := self.game(slug)) is not None]
        best = list(self.books.orders.best_selling(len(found) + 1))
        popular = {slug: place for place, slug in enumerate(best)}
        usual = {game.slug: place for place, game in enumerate(self.face.games)}
        return sorted(
            found,
            key=lambda game: (
                popular.get(game.slug, len(popular)),
                usual.get(game.slug, len(usual)),
            ),
        )

    def games_on_sale(self) -> list[Game]:
        """Return the games with something to sell, the best-selling first."""
        return [game for game in self.games() if any(map(self.market.is_sold, self.items(game)))]

    def items(self, game: Game) -> Sequence[Item]:
        """Return every item of a game, those nobody can buy now included."""
        return self.books.shelf.arranged(game.slug).items

    def sales(self, game: Game) -> list[Sale]:
        """Return what is sold of a game to this person, cheapest first."""
        credit = self.credit()
        found = (self.market.sale(item, credit) for item in self.items(game))
        return sorted((s for s in found if s is not None), key=lambda sale: sale.quote.price)

    def item(self, game: str, key: str) -> Item | None:
        """Return an item by its key, or the one that an offer of that name is part of by now."""
        shelf = self.books.shelf
        found = shelf.item(key, game) or shelf.item_of(*key.split("/", 1)) if "/" in key else None
        return found if found is not None and found.game == game else None

    def sale(self, draft: Draft) -> Sale | None:
        """Return how this person can have what a draft speaks of now; ``None``: not at all."""
        item = self.item(draft.game, draft.good or f"{draft.supplier}/{draft.sku}")
        return None if item is None else self.market.sale(item, self.credit())

    def payments(self, sale: Sale) -> list[PaymentMethod]:
        """Return how this person can pay for an item now, the shop's preferred way first."""
        return self.market.methods(sale.offer, sale.quote.price, self.credit())

    def credit(self) -> int:
        """Return this person's store credit, in whole rupiah."""
        return self.books.ledger.credit_of(self.address)

    def credit_methods(self) -> list[PaymentMethod]:
        """Return how store credit can be bought."""
        buys_credit = {PaymentMethod.DEPOSIT, PaymentMethod.QRIS}
        methods = self.books.rules.methods
        return [m for m in methods if m in buys_credit] if PaymentMethod.WALLET in methods else []

    def asked(self, draft: Draft) -> Game | None:
        """Return the game as the draft's offer asks for it; ``None``: unknown, or by its form."""
        sale = self.sale(draft)
        if sale is None:
            return self.game(draft.game)
        return targets.asked(self.books.rules, sale.offer)

    def target(self, draft: Draft, offer: Offer) -> Target | None:
        """Return the draft's account as the offer's supplier wants it written."""
        said = forms.answers(draft)
        return targets.written(self.books.rules, offer, draft.user_id, draft.server, said)

    def own_order(self, order_id: str) -> Order | None:
        """Return an order of this person; another's is as good as none."""
        order = self.books.orders.get(order_id)
        return order if order is not None and order.address == self.address else None

    def account(self, of: HasAccount) -> str:
        """Write an account for people: ``12345678 (2001)``; a server as its game calls it."""
        if not of.server:
            return of.user_id
        game = self.game(of.game)
        server = of.server if game is None else server_title(game, of.server)
        return f"{of.user_id} ({server})"
