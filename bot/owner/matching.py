"""The owner's word on offers that may be the same good: ``/cocok``."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot.conversation.room import Room
from bot.conversation.views import Choice, View
from shop import matching
from shop.matching import Pair
from shop.shelf import Doubt, Offer

_SHOWN: Final = 10  # of the pairs that are confirmed together


def match(room: Room, args: str) -> View:
    """Answer ``/cocok``: one question at a time, or what a button of such a question says."""
    word, _, rest = args.partition("-")
    do = _WORDS.get(word)
    return _question(room, _number(args)) if do is None else do(room, rest)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _question(room: Room, place: int, said: str = "", undo: Choice | None = None) -> View:
    """Put the question at ``place``, perhaps saying first what became of the one before."""
    before = (undo,) if undo is not None else ()
    doubts = matching.doubts(room.books)
    if not doubts:
        return _nothing(room, said, before)
    place %= len(doubts)
    doubt = doubts[place]
    mark = matching.pair_of(doubt).mark
    text = room.texts(
        "match.ask",
        offer=_offer(room, doubt.offer),
        title=doubt.title,
        game=room.books.rules.game(doubt.offer.game).title,
        others="\n".join(_offer(room, other) for other in doubt.others),
        why=room.texts(f"match.{doubt.why}"),
    )
    return View(
        title=room.texts("match.title", number=place + 1, count=len(doubts)),
        text=f"{said}\n\n{text}" if said else text,
        choices=(
            Choice("same", room.texts("match.same"), data=f"p:cocok:ya-{mark}"),
            Choice("other", room.texts("match.other"), data=f"p:cocok:bukan-{mark}"),
            *_skip(room, doubts, place),
            *before,
        ),
    )


def _skip(room: Room, doubts: Sequence[Doubt], place: int) -> tuple[Choice, ...]:
    if len(doubts) < 2:
        return ()
    return (Choice("skip", room.texts("match.skip"), data=f"p:cocok:{place + 1}"),)


def _nothing(room: Room, said: str, before: tuple[Choice, ...]) -> View:
    """Say that nothing is doubtful, and offer to confirm what went together by itself."""
    text = room.texts("match.none")
    waiting = len(matching.all_unconfirmed(room.books))
    choices = before
    if waiting:
        text = f"{text}\n{room.texts('match.none.unconfirmed', count=waiting)}"
        label = room.texts("match.all.look")
        choices = (Choice("all", label, data="p:cocok:semua-"), *before)
    return View(text=f"{said}\n\n{text}" if said else text, choices=choices)


def _offer(room: Room, offer: Offer) -> str:
    return room.texts(
        "match.offer",
        supplier=room.face.titles.get(offer.supplier, offer.supplier),
        item=offer.item,
        price=room.texts.money(offer.listed),
    )


def _say(room: Room, mark: str, *, same: bool) -> View:
    pair = matching.pair_marked(room.books, mark)
    if pair is None:
        return _question(room, 0, room.texts("match.gone"))
    place = _place_of(room, pair)
    matching.say(room.books, [pair], room.address, room.now, same=same)
    word, said_of = ("ya" if same else "bukan"), Pair(offer=pair.offer, good=pair.good)
    undo = Choice("undo", room.texts("match.undo"), data=f"p:cocok:urung-{word}-{said_of.mark}")
    said = room.texts("match.said.same" if same else "match.said.other", item=pair.offer.item)
    return _question(room, place, said, undo)


def _place_of(room: Room, pair: Pair) -> int:
    """Return where a question stands among the others; its answer makes room for the next."""
    asked = [(doubt.offer.key, doubt.good) for doubt in matching.doubts(room.books)]
    about = (pair.offer.key, pair.good)
    return asked.index(about) if about in asked else 0


def _take_back(room: Room, said: str) -> View:
    word, _, mark = said.partition("-")
    pair = matching.pair_marked(room.books, mark)
    if pair is None or not matching.take_back(room.books, pair, same=word == "ya"):
        return _question(room, 0, room.texts("match.gone"))
    undone = room.texts("match.undone", item=pair.offer.item)
    return _question(room, _place_of(room, pair), undone)


def _all(room: Room, digest: str) -> View:
    """Confirm everything that went together by itself, after a look at it."""
    pairs = matching.all_unconfirmed(room.books)
    if not pairs:
        return _question(room, 0, room.texts("match.all.none"))
    if digest != matching.digest_of(pairs):
        return _look_at_all(room, pairs, changed=bool(digest))
    matching.say(room.books, pairs, room.address, room.now, same=True)
    return _question(room, 0, room.texts("match.all.done", count=len(pairs)))


def _look_at_all(room: Room, pairs: Sequence[Pair], *, changed: bool) -> View:
    lines = [
        f"{room.books.rules.game(pair.offer.game).title}: {_offer(room, pair.offer)}"
        for pair in pairs[:_SHOWN]
    ]
    if len(pairs) > _SHOWN:
        lines.append(room.texts("match.all.more", more=len(pairs) - _SHOWN))
    text = room.texts("match.all.ask", count=len(pairs), lines="\n".join(lines))
    yes = f"p:cocok:semua-{matching.digest_of(pairs)}"
    return View(
        text=f"{room.texts('match.all.changed')}\n\n{text}" if changed else text,
        choices=(
            Choice(
                "yes",
                room.texts("match.all.yes"),
                data=yes,
            ),
            Choice("no", room.texts("case.no"), data="p:cocok:"),
        ),
    )


_WORDS: Mapping[str, Callable[[Room, str], View]] = {
    "ya": lambda room, mark: _say(room, mark, same=True),
    "bukan": lambda room, mark: _say(room, mark, same=False),
    "urung": _take_back,
    "semua": _all,
}
