"""What one turn of the conversation has at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.conversation import forms
from bot.conversation.texts import Texts
from bot.conversation.views import Draft
from shop import catalogue, ledger, pricing
from shop.catalogue import Game
from shop.money import MOST
from shop.orders import Order
from shop.payments import PaymentMethod
from shop.ports import Books, Offer
from shop.pricing import Quote
from shop.qris import MOST_PER_PAYMENT
from shop.time import HOUR, Millis

FRESH: Millis = 24 * HOUR  # older prices are not sold
_FROM_BALANCE = frozenset({PaymentMethod.DEPOSIT, PaymentMethod.QRIS, PaymentMethod.WALLET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the owner set, as far as people see it. ``targets``: supplier -> target format."""

    name: str
    support: str
    games: Sequence[Game]
    targets: Mapping[str, str]
    suppliers: Sequence[str] = field(default=())
    titles: Mapping[str, str] = field(default_factory=dict)  # of suppliers, by their slugs
    balances: Sequence[str] = field(default=())  # who tells what we have there
    dropshippers: Sequence[str] = field(default=())  # whom customers can pay for their goods


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

    def game(self, slug: str) -> Game | None:
        return next((game for game in self.face.games if game.slug == slug), None)

    def games_on_sale(self) -> list[Game]:
        """Return the games with something to sell, the best-selling first."""
        stocked = set(self.books.shelf.games(self.now - FRESH))
        best = list(self.books.orders.best_selling(len(self.face.games)))
        sold = [game for game in self.face.games if game.slug in stocked and self.offers(game)]
        order = {slug: place for place, slug in enumerate(best)}
        return sorted(sold, key=lambda game: order.get(game.slug, len(order)))

    def offers(self, game: Game) -> list[Offer]:
        """Return what is sold of a game, cheapest first."""
        listed = self.books.shelf.offers(game.slug, self.now - FRESH)
        away = self.books.health.away()
        known = [
            offer
            for offer in listed
            if offer.supplier not in away and self.can_write_target(offer, game)
        ]
        spendable = {slug: self._spendable(slug) for slug in {o.supplier for o in known}}
        return [offer for offer in known if offer.listed <= spendable[offer.supplier]]

    def _spendable(self, supplier: str) -> int:
        """Return up to what listed price a supplier's goods can be paid for by anybody."""
        methods = set(self.books.rules.methods)
        own_money = {PaymentMethod.DROPSHIP} if supplier in self.face.dropshippers else set()
        if supplier == self.books.rules.deposits_at:
            own_money.add(PaymentMethod.DEPOSIT)
        if methods & own_money:  # the customer's money is itself what pays the supplier
            return MOST
        return self._balance(supplier) if methods & _FROM_BALANCE else 0

    def _balance(self, supplier: str) -> int:
        """Return what is left of our balance at a supplier, beside what is on its way."""
        balance = self.books.ledger.balance(ledger.supplier(supplier))
        return balance - self.books.orders.committed(supplier)

    def _covers(self, offer: Offer) -> bool:
        return offer.listed <= self._balance(offer.supplier)

    def _deposit_pays(self, offer: Offer) -> bool:
        """Tell whether a customer's deposit is itself the balance that the offer is bought from."""
        return offer.supplier == self.books.rules.deposits_at

    def payments(self, offer: Offer, price: int) -> list[PaymentMethod]:
        """Return how this person can pay for an offer now, the shop's preferred way first."""
        possible: Mapping[PaymentMethod, Callable[[], bool]] = {
            PaymentMethod.DROPSHIP: lambda: offer.supplier in self.face.dropshippers,
            PaymentMethod.DEPOSIT: lambda: self._deposit_pays(offer) or self._covers(offer),
            PaymentMethod.QRIS: lambda: price <= MOST_PER_PAYMENT and self._covers(offer),
            PaymentMethod.WALLET: lambda: self.credit() >= price and self._covers(offer),
        }
        return [method for method in self.books.rules.methods if possible[method]()]

    def credit(self) -> int:
        """Return this person's store credit, in whole rupiah."""
        return self.books.ledger.credit_of(self.address)

    def credit_methods(self) -> list[PaymentMethod]:
        """Return how store credit can be bought."""
        buys_credit = {PaymentMethod.DEPOSIT, PaymentMethod.QRIS}
        methods = self.books.rules.methods
        return [m for m in methods if m in buys_credit] if PaymentMethod.WALLET in methods else []

    def can_write_target(self, offer: Offer, game: Game) -> bool:
        """Tell whether it is known how the offer's supplier wants an account written."""
        return bool(offer.form) or not game.has_server or offer.supplier in self.face.targets

    def offer(self, draft: Draft) -> Offer | None:
        """Return the offer a draft speaks of, if it is still sold."""
        found = self.books.shelf.offer(draft.supplier, draft.sku, self.now - FRESH)
        if found is None or found.game != draft.game:
            return None
        return None if found.supplier in self.books.health.away() else found

    def asked(self, draft: Draft) -> Game | None:
        """Return the game as the draft's offer asks for it; ``None``: unknown, or by its form."""
        game, offer = self.game(draft.game), self.offer(draft)
        return game if game is None or offer is None else catalogue.as_asked(game, offer.form)

    def quote(self, offer: Offer) -> Quote:
        learnt = self.books.shelf.learnt(offer.supplier, offer.sku)
        dropships = offer.supplier in self.face.dropshippers
        return pricing.quote(offer.listed, self.books.rules.prices, learnt, dropships=dropships)

    def target(self, draft: Draft) -> str:
        """Return the account as the supplier wants it written; of a form: JSON by its keys."""
        offer = self.offer(draft)
        if offer is not None and offer.form:
            return forms.written(offer.form, draft)
        if not draft.server:
            return draft.user_id
        pattern = self.face.targets[draft.supplier]
        return pattern.format(user_id=draft.user_id, server_id=draft.server)

    def own_order(self, order_id: str) -> Order | None:
        """Return an order of this person; another's is as good as none."""
        order = self.books.orders.get(order_id)
        return order if order is not None and order.address == self.address else None

    def account(self, user_id: str, server: str) -> str:
        """Write an account for people: ``12345678 (2001)``."""
        game_server = next(
            (s.title for game in self.face.games for s in game.servers if s.code == server), server
        )
        return f"{user_id} ({game_server})" if server else user_id
