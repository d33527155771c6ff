"""What the owner says of offers that may be the same good: same, other, or not asked any more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from shop.notices import Facts, Notice, NoticeKind
from shop.ports import Books
from shop.shelf import Doubt, Item, Match, Offer, Why
from shop.time import HOUR, Millis

ASK_EVERY: Final[Millis] = 24 * HOUR


def digest(*said: str) -> str:
    """Return what stands in a button for these texts: no supplier finds others with the same."""
    return blake2b("\0".join(said).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An offer and the good that it is, or may be."""

    offer: Offer
    good: str  # key of an item
    by_price: bool = False  # whether it costs too much or too little is what is asked

    @property
    def mark(self) -> str:
        """What a button carries for it; another once the offer is called otherwise.

        Where the price is the question, also once it costs something else.
        """
        price = (str(self.offer.listed),) if self.by_price else ()
        return digest(self.offer.key, self.offer.item, self.good, *price)


def pair_of(doubt: Doubt) -> Pair:
    """Return what a question is about."""
    return Pair(offer=doubt.offer, good=doubt.good, by_price=doubt.why is Why.PRICE)


def doubts(books: Books) -> Sequence[Doubt]:
    """Return what is doubtful on the whole shelf, game by game."""
    games = sorted(books.shelf.games(0))
    return [doubt for game in games for doubt in books.shelf.arranged(game).doubts]


def unconfirmed(item: Item) -> Sequence[Pair]:
    """Return the members of an item that went together by themselves."""
    if len(item.members) < 2:
        return ()
    return [Pair(offer=m.offer, good=item.key) for m in item.members if not m.confirmed]


def digest_of(pairs: Sequence[Pair]) -> str:
    """Return what binds a yes to the very pairs that were shown."""
    return digest(*(pair.mark for pair in pairs))


def all_unconfirmed(books: Books) -> Sequence[Pair]:
    """Return them for the whole shelf."""
    return [
        pair
        for game in sorted(books.shelf.games(0))
        for item in books.shelf.arranged(game).items
        for pair in unconfirmed(item)
    ]


def pair_marked(books: Books, mark: str) -> Pair | None:
    """Return the pair that a button means; ``None``: it is not on the shelf any more."""
    return next((pair for pair in _pairs(books) if pair.mark == mark), None)


def _pairs(books: Books) -> Iterator[Pair]:
    """Return every pair that is asked about, true by itself, or decided."""
    for game in books.shelf.games(0):
        arranged = books.shelf.arranged(game)
        yield from map(pair_of, arranged.doubts)
        offers = {}
        for item in arranged.items:
            for member in item.members:
                offers[member.offer.supplier, member.offer.sku] = member.offer
                yield Pair(offer=member.offer, good=item.key)
        for match in books.shelf.matches(game):
            offer = offers.get((match.supplier, match.sku))
            if offer is not None:
                yield Pair(offer=offer, good=match.good)


def say(books: Books, pairs: Sequence[Pair], actor: str, now: Millis, *, same: bool) -> None:
    """Store the owner's word on pairs; it counts while an offer is called as it is now."""
    matches = [
        (
            pair.offer.game,
            Match(
                supplier=pair.offer.supplier,
                sku=pair.offer.sku,
                item=pair.offer.item,
                good=pair.good,
                same=same,
            ),
        )
        for pair in pairs
    ]
    books.shelf.match(matches, actor, now)


def take_back(books: Books, pair: Pair, *, same: bool) -> bool:
    """Forget the owner's word on a pair: it is as it was before, or asked about again.

    ``False``, and nothing done: the word is not ``same`` any more.
    """
    offer = pair.offer
    word = (offer.supplier, offer.sku, pair.good, same)
    said = books.shelf.matches(offer.game)
    if word not in [(match.supplier, match.sku, match.good, match.same) for match in said]:
        return False
    books.shelf.unmatch(offer.game, offer.supplier, offer.sku, pair.good)
    return True


def ask_the_owners(books: Books, count: int, now: Millis) -> None:
    """Tell the owners, once a day, how many offers are doubtful."""
    facts: Facts = {"alert": "doubts", "evidence": str(count)}
    key = f"alert:doubts:{now // ASK_EVERY}"
    notice = Notice(key=key, kind=NoticeKind.ALERT, address="", facts=facts)
    books.outbox.owe_owners(notice, now)
