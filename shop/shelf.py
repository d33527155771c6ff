"""The shelf of one game: which offers of several suppliers are the same item."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from typing import Protocol

from shop.catalogue import Game, fits
from shop.goods import Good, Kind, Words, good_called, recogniser, title_of
from shop.pricing import Charge
from shop.suppliers import FormField, Listing
from shop.text import visible
from shop.time import Millis

_LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one supplier lists now. ``listed`` in whole rupiah.

    ``withheld``: not sold until its price is read again. ``has_server``: whether its supplier says
    that the game has servers; ``None``: it does not say.
    """

    supplier: str
    sku: str
    game: str  # slug of a game
    item: str  # the supplier's own name of it, cleaned
    listed: int
    form: tuple[FormField, ...] = ()  # what its supplier asks; empty: what the game asks
    has_server: bool | None = None
    withheld: bool = False

    @property
    def key(self) -> str:
        """What it is called on the shelf while it stands alone."""
        return f"{self.supplier}/{self.sku}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What the owner said of an offer that was called ``item``: it is this good, or it is not."""

    supplier: str
    sku: str
    item: str
    good: str  # key of an item
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An offer as part of an item. ``confirmed``: by the owner, so that it may stand in for others.

    ``content``: how many units it holds; 0: it is not counted in units.
    """

    offer: Offer
    content: int = 0
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What customers see once, whoever has it. ``content``: the smallest of its members'.

    ``key`` names it for ever: a good's key, or the key of the one offer that it is.
    """

    key: str
    game: str
    title: str
    members: tuple[Member, ...]
    content: int = 0
    meant: str = ""  # key of the good that an offer which stands alone is certainly called like


class Why(StrEnum):
    """Why an offer that may be a good is not taken for it without a person's word."""

    NAME = "name"  # its name can be read in two ways
    PRICE = "price"  # it costs much more, or much less, than the others
    FORM = "form"  # its supplier asks other things than the game does


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A question to the owner: is this offer that good? Members of ``good`` may be empty."""

    offer: Offer
    good: str  # key of the item that it may be
    title: str  # of that
    why: Why
    others: tuple[Offer, ...]  # what stands there now; if nothing does, what else may be it


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """A game's items, cheapest first, and what is doubtful about its offers."""

    items: tuple[Item, ...]
    doubts: tuple[Doubt, ...] = ()
    _by_key: Mapping[str, Item] = field(init=False, repr=False, compare=False)
    _by_offer: Mapping[str, Item] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_offer = {member.offer.key: item for item in self.items for member in item.members}
        object.__setattr__(self, "_by_key", {item.key: item for item in self.items})
        object.__setattr__(self, "_by_offer", by_offer)

    def item(self, key: str) -> Item | None:
        return self._by_key.get(key)

    def item_of(self, supplier: str, sku: str) -> Item | None:
        """Return the item that an offer is part of."""
        return self._by_offer.get(f"{supplier}/{sku}")


EMPTY = Arranged(items=())


class Change(StrEnum):
    """What a list newly says of an offer. Stored: rename only with a migration."""

    NONE = ""
    NEW = "new"
    GONE = "gone"
    DEARER = "dearer"
    CHEAPER = "cheaper"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """One offer of which a list says something new. Prices in whole rupiah; 0: not listed."""

    supplier: str
    sku: str
    game: str
    item: str
    change: Change
    was: int
    became: int


def change_of(was: int, became: int) -> Change:
    """Return what became of a price; 0: not listed."""
    if was == became:
        return Change.NONE
    if not was or not became:
        return Change.GONE if was else Change.NEW
    return Change.DEARER if became > was else Change.CHEAPER


class Shelf(Protocol):
    """What suppliers list, and what can be made of it."""

    def replace(
        self, supplier: str, listings: Sequence[tuple[str, Listing]], now: Millis
    ) -> Sequence[PriceChange]:
        """Store a supplier's list, pairs of game slug and listing; return what it newly says."""

    def offers(self, game: str, since: Millis) -> Sequence[Offer]:
        """Return what lists no older than ``since`` have of a game, cheapest first."""

    def offer(self, supplier: str, sku: str, since: Millis) -> Offer | None: ...
    def as_listed(self, supplier: str, sku: str) -> Offer | None:
        """Return what is known of an offer, however old, and though it is not sold now."""

    def games(self, since: Millis) -> Sequence[str]: ...
    def fresh(self, since: Millis) -> Set[str]:
        """Return the suppliers whose lists are no older than ``since``."""

    def arranged(self, game: str) -> Arranged:
        """Return the items of a game, those nobody can buy now and old ones included."""

    def item(self, key: str, game: str) -> Item | None: ...
    def item_of(self, supplier: str, sku: str) -> Item | None:
        """Return the item that an offer is part of."""

    def match(self, matches: Sequence[tuple[str, Match]], actor: str, now: Millis) -> None:
        """Store what the owner says: pairs of game slug and match; the last word counts."""

    def unmatch(self, game: str, supplier: str, sku: str, good: str) -> None:
        """Forget what the owner said of an offer and a good."""

    def matches(self, game: str) -> Sequence[Match]: ...
    def charges(self) -> Mapping[str, Charge]:
        """Return what offers, by their keys, were seen to cost in dropship."""

    def withhold(self, supplier: str, sku: str) -> None:
        """Do not offer an item until its price is read again."""

    def reprice(self, supplier: str, listing: Listing) -> None:
        """Store what one item of the list costs and is called now; offer it if it is to be had."""

    def ask_price(self, supplier: str, sku: str, at: Millis) -> None:
        """Have the price of one item asked for at ``at``."""

    def next_price_question(self, supplier: str, now: Millis) -> str | None:
        """Return the item whose price is to be asked for now."""

    def next_price_question_at(self, supplier: str) -> Millis | None: ...
    def is_being_asked(self, supplier: str, sku: str) -> bool:
        """Tell whether an item's price is in question."""

    def price_answered(self, supplier: str, sku: str) -> None:
        """Ask for this item's price no more."""

    def learn(self, supplier: str, sku: str, charge: Charge, now: Millis) -> None: ...
    def learnt(self, supplier: str, sku: str) -> Charge | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An offer, what its name means, and what the owner said of it under that name."""

    offer: Offer
    fits: bool = True  # its supplier asks what the game asks
    good: Good | None = None
    home: Good | None = None  # what the owner says it is
    others: frozenset[str] = frozenset()  # keys of goods that it is not

    @property
    def place(self) -> Good | None:
        """What it is, as far as anybody is certain."""
        if self.home is not None:
            return self.home
        certain = self.good is not None and self.good.certain and self.good.key not in self.others
        return self.good if certain else None


def arrange(
    game: Game, words: Words, offers: Sequence[Offer], matches: Sequence[Match] = ()
) -> Arranged:
    """Put the offers of one game together: each offer is a member of exactly one item.

    Certain ones of about the same price are one item by themselves; of the others the owner's word
    counts, and while there is none they stand alone, with a question. The order of ``offers`` and
    ``matches`` does not matter.
    """
    said: dict[tuple[str, str], list[Match]] = {}
    for match in matches:
        said.setdefault((match.supplier, match.sku), []).append(match)
    meaning, ranked = recogniser(game, words), sorted(offers, key=_rank)
    read = [
        _Read(offer=each, good=meaning(each.item), fits=_fits(game, each))
        if each.game == game.slug
        else _Read(offer=each)
        for each in ranked
    ]
    if said:
        read = [
            _heard(game, words, each, said.get((each.offer.supplier, each.offer.sku), ()))
            for each in read
        ]
    groups: dict[str, list[_Read]] = {}
    for each in read:
        if each.fits and each.place is not None:
            groups.setdefault(each.place.key, []).append(each)
    together = {
        key: [each for each in group if _stays(each, group)] for key, group in groups.items()
    }
    items = {key: _item(words, members) for key, members in together.items() if members}
    inside = {id(each) for members in together.values() for each in members}
    alone = [each for each in read if id(each) not in inside]
    doubts = (_doubt(words, each, items, groups) for each in alone)
    every = [*items.values(), *(_alone(each) for each in alone)]
    return Arranged(
        items=tuple(sorted(every, key=lambda item: item.members[0].offer.listed)),
        doubts=tuple(doubt for doubt in doubts if doubt is not None),
    )


_rank = attrgetter("listed", "supplier", "sku")


def _fits(game: Game, offer: Offer) -> bool:
    return not offer.form or fits(game, offer.supplier, offer.form)


def _heard(game: Game, words: Words, each: _Read, matches: Sequence[Match]) -> _Read:
    """Return an offer with what the owner said of it, under the name that it has now."""
    said = [match for match in matches if match.item == each.offer.item]
    if not said or each.offer.game != game.slug:
        return each
    same = [good_called(game, words, match.good) for match in said if match.same]
    # A word against the name does not count: diamonds are no pass. Nor do two words at odds.
    good = each.good
    homes = [g for g in same if g is not None and (good is None or g.unit == good.unit)]
    return replace(
        each,
        home=homes[0] if len(homes) == 1 else None,
        others=frozenset(match.good for match in said if not match.same),
    )


def _stays(each: _Read, group: Sequence[_Read]) -> bool:
    return each.home is not None or _is_near(each.offer.listed, group)


def _is_near(price: int, group: Sequence[_Read]) -> bool:
    """Tell whether a price is within a fifth of the median of a group, ranked by price."""
    count = len(group)
    twice = group[(count - 1) // 2].offer.listed + group[count // 2].offer.listed
    return abs(2 * price - twice) * 5 <= twice


def _item(words: Words, members: Sequence[_Read]) -> Item:
    """Return the item that offers of one good are; the customer is promised the least of them."""
    good = next(each.place for each in members if each.place is not None)
    counted = good.kind is Kind.AMOUNT
    held = [_held(each, good) for each in members]
    return Item(
        key=good.key,
        game=good.game,
        title=title_of(words, replace(good, amount=min(held))),
        members=tuple(
            Member(
                offer=each.offer,
                content=amount if counted else 0,
                confirmed=each.home is not None,
            )
            for each, amount in zip(members, held, strict=True)
        ),
        content=min(held) if counted else 0,
    )


def _held(each: _Read, good: Good) -> int:
    """Return how much an offer holds that is taken for ``good``: of two readings, that one."""
    amounts = (good.amount,) if each.good is None else each.good.amounts
    return good.amount if good.amount in amounts else min(amounts)


def called(offer: Offer) -> str:
    """Return what customers read of an offer that stands alone."""
    return visible(offer.item, _LONGEST_TITLE) or offer.sku


def _alone(each: _Read) -> Item:
    offer, good = each.offer, each.good
    counted = good is not None and good.certain and good.kind is Kind.AMOUNT
    content = good.amount if good is not None and counted else 0
    return Item(
        key=offer.key,
        game=offer.game,
        title=called(offer),
        members=(Member(offer=offer, content=content),),
        content=content,
        meant=each.place.key if each.place is not None else "",
    )


def _doubt(
    words: Words, each: _Read, items: Mapping[str, Item], groups: Mapping[str, Sequence[_Read]]
) -> Doubt | None:
    """Return what is to be asked of an offer that stands alone."""
    if each.place is None:
        return _doubt_about_name(each, items) if each.fits else None
    key, group = each.place.key, groups.get(each.place.key, ())
    if each.fits:
        rivals = tuple(other.offer for other in group if other is not each)
        others = _offers(items[key]) if key in items else rivals
        title = items[key].title if key in items else title_of(words, each.place)
        return Doubt(offer=each.offer, good=key, title=title, why=Why.PRICE, others=others)
    # Once the owner has said that it is the same, there is nothing left to ask: it stays alone.
    if key not in items or each.home is not None or not _is_near(each.offer.listed, group):
        return None
    return _question(each, items[key], Why.FORM)


def _doubt_about_name(each: _Read, items: Mapping[str, Item]) -> Doubt | None:
    keys = () if each.good is None else each.good.keys
    known = [items[key] for key in keys if key in items and key not in each.others]
    if not known:
        return None

    def distance(item: Item) -> int:
        return min(abs(offer.listed - each.offer.listed) for offer in _offers(item))

    return _question(each, min(known, key=distance), Why.NAME)


def _question(each: _Read, item: Item, why: Why) -> Doubt:
    return Doubt(offer=each.offer, good=item.key, title=item.title, why=why, others=_offers(item))


def _offers(item: Item) -> tuple[Offer, ...]:
    return tuple(member.offer for member in item.members)
