"""What becomes of prices if an owner decides so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.conversation.room import Room
from bot.owner.price_places import Place, items_of
from shop.pricing import Override, PriceRule, Quote, Scope, priced, rule_for
from shop.routing import Route, Verdict
from shop.shelf import Item, Offer

# What speaks against an offer so is a matter of prices, or nothing does.
_FOR_SALE = frozenset({Verdict.SOLD, Verdict.DEARER, Verdict.AT_A_LOSS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """An item at its cheapest offer, under one set of prices. Without a quote it is not sold."""

    item: Item
    rule: PriceRule
    cost: int
    quote: Quote | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of one item's price."""

    before: Priced
    after: Priced

    @property
    def item(self) -> Item:
        return self.before.item

    @property
    def by(self) -> int:
        """By how many rupiah the price changes; 0 where there is none before or after."""
        was, now = self.before.quote, self.after.quote
        return 0 if was is None or now is None else now.price - was.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What becomes of all prices that a decision is about."""

    count: int  # of items it is about
    changed: Sequence[Effect]  # the most changed first
    stopped: Sequence[Effect]  # not sold any more
    resumed: Sequence[Effect]  # sold again


def effects_of(room: Room, place: Place, overrides: Mapping[Scope, Override]) -> Effects:
    """Return what becomes of a place's prices under other ``overrides``."""
    found = list(_each(room, items_of(room, place), overrides))
    return Effects(
        count=len(found),
        changed=sorted((e for e in found if e.by), key=lambda effect: -abs(effect.by)),
        stopped=[e for e in found if e.before.quote is not None and e.after.quote is None],
        resumed=[e for e in found if e.before.quote is None and e.after.quote is not None],
    )


def price_of(room: Room, item: Item) -> Priced:
    """Return an item as it is priced today."""
    return _under(room, item, _cheapest(room, item), room.market.overrides)


def cost_of(room: Room, item: Item, offer: Offer) -> Quote:
    """Return what an offer is listed at and costs, as a quote by the settings alone."""
    quote = room.market.quote(item, offer, {})
    if quote is None:  # only a price of the owner's own can be too low
        raise LookupError(offer.key)
    return quote


def _each(
    room: Room, items: Iterable[Item], overrides: Mapping[Scope, Override]
) -> Iterable[Effect]:
    for item in items:
        cheapest = _cheapest(room, item)
        yield Effect(
            before=_under(room, item, cheapest, room.market.overrides),
            after=_under(room, item, cheapest, overrides),
        )


def _cheapest(room: Room, item: Item) -> Quote:
    """Return what an item costs where it costs least; what cannot be had now counts last."""
    routes: Sequence[Route] = room.market.routes(item)
    able = [route for route in routes if route.verdict in _FOR_SALE] or routes
    costs = (cost_of(room, item, route.offer) for route in able)
    return min(costs, key=lambda quote: quote.cost)


def _under(room: Room, item: Item, cheapest: Quote, overrides: Mapping[Scope, Override]) -> Priced:
    rule = rule_for(room.books.rules.prices, overrides, item.game, item.key, item.meant)
    quote = priced(cheapest.listed, cheapest.cost, rule)
    return Priced(item=item, rule=rule, cost=cheapest.cost, quote=quote)
