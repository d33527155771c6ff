"""Which offer of an item is sold now, why the others are not, and which may stand in for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shop import ledger, pricing, shelf, targets
from shop.goods import recognise
from shop.money import MOST
from shop.orders import HOUSE, Order, Status
from shop.payments import PaymentMethod
from shop.ports import Books
from shop.pricing import Charge, Override, Quote
from shop.qris import MOST_PER_PAYMENT
from shop.shelf import Item, Match, Member, Offer
from shop.targets import Target
from shop.time import HOUR, Millis

FRESH: Millis = 24 * HOUR  # older prices are not sold
MOST_TRIES = 5  # attempts at one order, by whichever suppliers
_FROM_BALANCE = frozenset({PaymentMethod.DEPOSIT, PaymentMethod.QRIS, PaymentMethod.WALLET})


class Verdict(StrEnum):
    """What is to be said of an offer as part of its item. Stands in the ids of texts."""

    SOLD = "sold"  # the cheapest that can be delivered now
    DEARER = "dearer"  # can be delivered too
    WITHHELD = "withheld"  # gone, or its price is being asked for
    OLD = "old"  # the price list it stands in
    AWAY = "away"  # its supplier
    UNWRITABLE = "unwritable"  # nobody knows how its supplier wants accounts written
    AT_A_LOSS = "at_a_loss"  # the owner's own price is below cost and floor
    UNPAYABLE = "unpayable"  # no way to pay leads to it
    NO_BALANCE = "no_balance"  # ours at its supplier does not cover it


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to have an item delivered. ``quote`` is missing where nothing may be sold."""

    member: Member
    quote: Quote | None
    verdict: Verdict

    @property
    def offer(self) -> Offer:
        return self.member.offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An item as it is sold now: by one offer, at one price."""

    item: Item
    member: Member
    quote: Quote

    @property
    def offer(self) -> Offer:
        return self.member.offer


class Market:
    """What can be sold at one moment: read once, asked about many items."""

    def __init__(self, books: Books, now: Millis) -> None:
        self._books = books
        self._rules = books.rules
        self.away = books.health.away(now)
        self._fresh = books.shelf.fresh(now - FRESH)
        self.overrides: Mapping[str, Override] = books.price_rules.all()
        self._spendable: dict[str, int] = {}
        self._balances: dict[str, int] = {}
        self._learnt: Mapping[str, Charge] = books.shelf.charges()

    def routes(self, item: Item) -> Sequence[Route]:
        """Return every way to have an item delivered, the one that is sold first."""
        judged = [self._judged(item, member) for member in item.members]
        able = sorted((r for r in judged if r.verdict is Verdict.DEARER), key=self._rank)
        if able:
            able[0] = replace(able[0], verdict=Verdict.SOLD)
        return (*able, *(route for route in judged if route.verdict is not Verdict.DEARER))

    def sale(self, item: Item, credit: int = 0) -> Sale | None:
        """Return how an item is sold to somebody with ``credit`` in the wallet; whole rupiah.

        By the cheapest offer that this person can pay for; where there is none, by the cheapest.
        """
        able = [
            Sale(item=item, member=route.member, quote=route.quote)
            for route in self.routes(item)
            if route.verdict in {Verdict.SOLD, Verdict.DEARER} and route.quote is not None
        ]
        payable = (s for s in able if self.methods(s.offer, s.quote.price, credit))
        return next(payable, able[0] if able else None)

    def is_sold(self, item: Item) -> bool:
        return any(self._judged(item, m).verdict is Verdict.DEARER for m in item.members)

    def quote(
        self, item: Item, offer: Offer, overrides: Mapping[str, Override] | None = None
    ) -> Quote | None:
        """Price an offer as part of an item, by the owner's prices or by supposed ones."""
        known = self.overrides if overrides is None else overrides
        rule = pricing.rule_for(self._rules.prices, known, item.game, item.key, item.meant)
        learnt = self._learnt.get(offer.key) if self._dropships(offer.supplier) else None
        dropships = self._dropships(offer.supplier)
        return pricing.quote(offer.listed, rule, learnt, dropships=dropships)

    def methods(self, offer: Offer, price: int, credit: int) -> list[PaymentMethod]:
        """Return how an offer can be paid for now, the shop's preferred way first."""
        covers = offer.listed <= self.balance(offer.supplier)
        is_deposited = offer.supplier == self._rules.deposits_at
        possible: Mapping[PaymentMethod, Callable[[], bool]] = {
            PaymentMethod.DROPSHIP: lambda: self._dropships(offer.supplier),
            PaymentMethod.DEPOSIT: lambda: is_deposited or covers,
            PaymentMethod.QRIS: lambda: price <= MOST_PER_PAYMENT and covers,
            PaymentMethod.WALLET: lambda: credit >= price and covers,
        }
        return [method for method in self._rules.methods if possible[method]()]

    def balance(self, supplier: str) -> int:
        """Return what is left of our balance at a supplier, beside what is on its way."""
        if supplier not in self._balances:
            balance = self._books.ledger.balance(ledger.supplier(supplier))
            self._balances[supplier] = balance - self._books.orders.committed(supplier)
        return self._balances[supplier]

    def stands_in(self, order: Order, member: Member) -> Target | None:
        """Return where a member delivers a paid order instead; ``None``: it must not, or cannot.

        Only one that the owner has confirmed does, that holds no less than was promised and costs
        no more than the order's ceiling, nor its price: a yes to a dear one is to that one alone.
        """
        offer = member.offer
        fine = (
            member.confirmed
            and member.content >= order.content
            and offer.listed <= min(order.may_cost, order.price)
            and offer.listed <= self.balance(offer.supplier) + _set_aside(order, offer)
            and self._obstacle(offer) is None
        )
        if not fine:
            return None
        return targets.written(self._rules, offer, order.user_id, order.server)

    def _judged(self, item: Item, member: Member) -> Route:
        offer = member.offer
        quote = self.quote(item, offer)
        verdict = self._obstacle(offer) or self._price_obstacle(offer, quote) or Verdict.DEARER
        return Route(member=member, quote=quote, verdict=verdict)

    def _obstacle(self, offer: Offer) -> Verdict | None:
        """Return what keeps an offer from being delivered at all."""
        if offer.withheld:
            return Verdict.WITHHELD
        if offer.supplier not in self._fresh:
            return Verdict.OLD
        if offer.supplier in self.away or offer.supplier not in self._rules.abilities:
            return Verdict.AWAY  # or in the settings no more
        return None if targets.can_be_written(self._rules, offer) else Verdict.UNWRITABLE

    def _price_obstacle(self, offer: Offer, quote: Quote | None) -> Verdict | None:
        """Return what keeps an offer from being sold for money."""
        if quote is None:
            return Verdict.AT_A_LOSS
        if offer.listed <= self._payable_up_to(offer.supplier):
            return None
        has_any = bool(set(self._rules.methods) & _FROM_BALANCE)
        return Verdict.NO_BALANCE if has_any else Verdict.UNPAYABLE

    def _payable_up_to(self, supplier: str) -> int:
        """Return up to what listed price a supplier's goods can be paid for by anybody."""
        if supplier not in self._spendable:
            methods = set(self._rules.methods)
            deposits = PaymentMethod.DEPOSIT in methods and supplier == self._rules.deposits_at
            if self._dropships(supplier) or deposits:
                # The customer's money is itself what pays the supplier.
                self._spendable[supplier] = MOST
            else:
                self._spendable[supplier] = self.balance(supplier) if methods & _FROM_BALANCE else 0
        return self._spendable[supplier]

    def _dropships(self, supplier: str) -> bool:
        able = self._rules.abilities_of(supplier).dropships
        return able and PaymentMethod.DROPSHIP in self._rules.methods

    def _rank(self, route: Route) -> tuple[int, int]:
        """Cheaper comes first; at the same cost, the preferred supplier."""
        preferred = list(self._rules.suppliers)
        slug = route.offer.supplier
        place = preferred.index(slug) if slug in preferred else len(preferred)
        return (route.quote.cost if route.quote else MOST, place)


def is_as_sold(books: Books, order: Order, offer: Offer) -> bool:
    """Tell whether an order's offer is still the good that was confirmed, and holds as much.

    Of one that stood alone its name counts. Orders of before there were goods know no better.
    """
    if not order.good:
        return True
    if offer.game != order.game:
        return False
    if order.good == offer.key:
        return shelf.called(offer) == order.item
    item = books.shelf.item(order.good, order.game)
    members = item.members if item is not None else ()
    member = next((m for m in members if m.offer.key == offer.key), None)
    if member is not None:
        return member.content >= order.content
    # Its price alone may have set it apart, or the owner.
    said = books.shelf.matches(order.game)
    if any(_sets_apart(match, offer, order.good) for match in said):
        return False
    game, words = books.rules.game(order.game), books.rules.words_of(order.game)
    good = recognise(game, words, offer.item)
    return good is not None and good.certain and good.key == order.good


def is_still_sold(books: Books, order: Order) -> bool:
    """Tell whether the item of an order that was only placed is what it was then.

    It is not if a list has left it out since. What is paid for first is looked at later, and
    another offer may stand in for it then.
    """
    if order.is_prepaid:
        return True
    offer = books.shelf.as_listed(order.supplier, order.sku)
    return not order.good if offer is None else is_as_sold(books, order, offer)


def _sets_apart(match: Match, offer: Offer, good: str) -> bool:
    about = (match.supplier, match.sku, match.item, match.good)
    return not match.same and about == (offer.supplier, offer.sku, offer.item, good)


_SETS_ASIDE = frozenset({Status.PAID, Status.SUBMITTING})


def _set_aside(order: Order, offer: Offer) -> int:
    """Return what of our balance at the offer's supplier is kept for this very order."""
    kept = order.supplier == offer.supplier and order.status in _SETS_ASIDE
    return order.cost if kept else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """An offer that delivers a paid order instead of the one it was sold by."""

    offer: Offer
    target: Target


def stand_in(books: Books, order: Order, now: Millis) -> StandIn | None:
    """Return the cheapest other offer that may deliver a paid order; ``None``: there is none."""
    if not order.is_prepaid or order.supplier == HOUSE or order.tries >= MOST_TRIES:
        return None
    item = books.shelf.item(order.good, order.game) if order.good else None
    if item is None:
        return None
    tried = books.attempts.tried(order.id) | {(order.supplier, order.sku)}
    market = Market(books, now)
    others = (m for m in item.members if (m.offer.supplier, m.offer.sku) not in tried)
    for member in sorted(others, key=lambda member: member.offer.listed):
        target = market.stands_in(order, member)
        if target is not None:
            return StandIn(offer=member.offer, target=target)
    return None
