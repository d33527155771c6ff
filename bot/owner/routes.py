"""Why an item is sold the way it is: ``/rute``."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median_low
from typing import Final, TypeAlias

from bot.conversation.finding import find_game, find_item
from bot.conversation.room import Room
from bot.conversation.views import Choice, View
from shop import breaker, matching
from shop.catalogue import Game
from shop.matching import Pair
from shop.routing import Route, Verdict
from shop.shelf import Item
from shop.text import visible

_SHOWN: Final = 20  # items of a game


def route(room: Room, args: str) -> View:
    """Answer ``/rute ml 86``: every way to have an item delivered, and what speaks against it.

    Of a game: its items; the buttons carry items by their keys.
    """
    word, _, mark = args.partition(" ")
    if word in _SAY and mark:
        return _say(room, word, mark)
    item = _by_key(room, args) or find_item(room, args)
    if item is not None:
        return _of_item(room, item)
    game = find_game(room, args) if args else None
    if game is not None:
        return _of_game(room, game)
    unknown = room.texts("route.unknown", text=visible(args, 40)) if args else ""
    return View(text=f"{unknown}\n{room.texts('route.how')}".strip())


def _by_key(room: Room, key: str) -> Item | None:
    found = (room.books.shelf.item(key, game.slug) for game in room.games()) if "/" in key else ()
    return next((item for item in found if item is not None), None)


def _of_game(room: Room, game: Game) -> View:
    items = room.items(game)
    choices = [
        Choice(item.key, item.title[:24], data=f"p:rute:{item.key}")
        for item in items[:_SHOWN]
        if len(f"p:rute:{item.key}".encode()) <= 64
    ]
    lines = [_summary(room, item) for item in items[:_SHOWN]]
    if len(items) > _SHOWN:
        lines.append(room.texts("route.more", more=len(items) - _SHOWN))
    return View(
        title=room.texts("route.title", item=game.title),
        text="\n".join(lines) or room.texts("item.nothing"),
        choices=tuple(choices),
    )


def _summary(room: Room, item: Item) -> str:
    """Say in one line who delivers an item now, at what cost and price."""
    routes = room.market.routes(item)
    first = routes[0]
    if first.verdict is not Verdict.SOLD or first.quote is None:
        return room.texts("route.summary.not_sold", item=item.title)
    return room.texts(
        "route.summary",
        item=item.title,
        supplier=_title(room, first.offer.supplier),
        cost=room.texts.money(first.quote.cost),
        price=room.texts.money(first.quote.price),
        ways=len(routes),
    )


def _of_item(room: Room, item: Item, said: str = "", undo: tuple[Choice, ...] = ()) -> View:
    routes = room.market.routes(item)
    lines = [_line(room, nth, each) for nth, each in enumerate(routes, start=1)]
    text = "\n\n".join([*((said,) if said else ()), *lines, _stand_ins(room, item)])
    return View(
        title=room.texts("route.title", item=f"{_game(room, item)} · {item.title}"),
        text=text,
        choices=(*_choices(room, item, routes), *undo),
    )


def _game(room: Room, item: Item) -> str:
    return room.books.rules.game(item.game).title


_MARKS: Final[Mapping[Verdict, str]] = {Verdict.SOLD: "✅", Verdict.DEARER: "▫️"}


def _line(room: Room, nth: int, each: Route) -> str:
    """Say all there is to say of one way: cost, price, verdict, and how it went there lately."""
    offer, quote = each.offer, each.quote
    balance = room.texts.money(room.market.balance(offer.supplier))
    return room.texts(
        "route.line",
        mark=_MARKS.get(each.verdict, "⛔"),
        number=nth,
        supplier=_title(room, offer.supplier),
        sku=offer.sku,
        item=offer.item,
        cost=room.texts.money(offer.listed if quote is None else quote.cost),
        price="-" if quote is None else room.texts.money(quote.price),
        verdict=room.texts(f"route.{each.verdict}", balance=balance),
        lately=_lately(room, offer.supplier),
        match=room.texts("route.confirmed" if each.member.confirmed else "route.unconfirmed"),
    )


def _lately(room: Room, supplier: str) -> str:
    """Say how the last orders went there, and how long its answers took, if there were any."""
    outcomes = room.books.health.lately(supplier, room.now - breaker.LATELY)[-breaker.MOST :]
    if not outcomes:
        return ""
    took = median_low([outcome.took for outcome in outcomes])
    fine = sum(outcome.is_fine for outcome in outcomes)
    seconds = f"{took // 1000},{took % 1000 // 100}"
    return room.texts("route.lately", fine=fine, count=len(outcomes), seconds=seconds)


def _stand_ins(room: Room, item: Item) -> str:
    """Say which ways may stand in for one that fails after the customer has paid."""
    confirmed = sum(member.confirmed for member in item.members)
    if len(item.members) < 2:
        return room.texts("route.alone")
    return room.texts("route.stand_ins", confirmed=confirmed, count=len(item.members))


def _choices(room: Room, item: Item, routes: Sequence[Route]) -> tuple[Choice, ...]:
    if len(item.members) < 2:
        return ()
    choices = []
    if any(not member.confirmed for member in item.members):
        first = Pair(offer=item.members[0].offer, good=item.key)
        shown = matching.digest_of(matching.unconfirmed(item))
        label = room.texts("route.confirm")
        choices.append(Choice("confirm", label, data=f"p:rute:sama {first.mark} {shown}"))
    for nth, each in enumerate(routes, start=1):
        mark = Pair(offer=each.offer, good=item.key).mark
        label = room.texts("route.apart", number=nth)
        choices.append(Choice(f"apart-{nth}", label, data=f"p:rute:beda {mark}"))
    return tuple(choices)


def _say(room: Room, word: str, marks: str) -> View:
    """Do what a button under an item says: confirm what was shown, set one apart, undo that."""
    mark, _, shown = marks.partition(" ")
    pair = matching.pair_marked(room.books, mark)
    if pair is None:
        return View(text=room.texts("match.gone"))
    said, undo = _SAY[word](room, pair, shown)
    after = room.books.shelf.item(pair.good, pair.offer.game)
    return View(text=said, choices=undo) if after is None else _of_item(room, after, said, undo)


_Said: TypeAlias = tuple[str, tuple[Choice, ...]]


def _same(room: Room, pair: Pair, shown: str) -> _Said:
    item = room.books.shelf.item(pair.good, pair.offer.game)
    pairs = matching.unconfirmed(item) if item is not None else ()
    if not pairs or matching.digest_of(pairs) != shown:
        return room.texts("match.all.changed"), ()
    matching.say(room.books, pairs, room.address, room.now, same=True)
    return room.texts("route.said.confirmed"), ()


def _apart(room: Room, pair: Pair, _: str) -> _Said:
    matching.say(room.books, [pair], room.address, room.now, same=False)
    undo = Choice("undo", room.texts("match.undo"), data=f"p:rute:urung {pair.mark}")
    return room.texts("match.said.other", item=pair.offer.item), (undo,)


def _undo(room: Room, pair: Pair, _: str) -> _Said:
    if not matching.take_back(room.books, pair, same=False):
        return room.texts("match.gone"), ()
    return room.texts("match.undone", item=pair.offer.item), ()


_SAY: Final[Mapping[str, Callable[[Room, Pair, str], _Said]]] = {
    "sama": _same,
    "beda": _apart,
    "urung": _undo,
}


def _title(room: Room, supplier: str) -> str:
    return room.face.titles.get(supplier, supplier)
