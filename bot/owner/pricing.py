"""The owner's prices: ``/harga`` shows them, and changes them after a second look."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Final

from bot.conversation.room import Room
from bot.conversation.views import Again, Choice, Draft, Finish, Goto, Outcome, StepId, View
from bot.owner.price_effects import Effect, Priced, effects_of
from bot.owner.price_places import Place, Unknown, find, look_for, mark, of_scope, shown
from bot.owner.price_views import name, rule_of, view_of, written
from bot.owner.price_words import MOST_AMOUNT, MOST_STEP, Look, Unclear, Undo, Wanted, read
from shop.pricing import NOTHING, Decision, Override, Part, Scope
from shop.shelf import Item
from shop.text import visible
from shop.time import MINUTE, Millis

CONFIRM_WITHIN: Final[Millis] = 2 * MINUTE
UNDO_WITHIN: Final[Millis] = 10 * MINUTE
_SHOWN: Final = 5  # of the most changed items
_OPEN: Final = -1  # a draft's price: let the wider scope decide
_LONGEST_TYPED: Final = 40
_UNCLEAR: Final[Mapping[Unclear, str]] = MappingProxyType(
    {
        Unclear.HALF: "price.half",
        Unclear.PERCENT: "price.no_percent",
        Unclear.STEP: "price.no_step",
        Unclear.AMOUNT: "price.no_amount",
        Unclear.NOUGHT: "price.nought",
    }
)


def prices(room: Room, args: str) -> View | Outcome:
    """Answer ``/harga``: show prices, or what would become of them, and ask once more."""
    asked = read(args)
    match asked:
        case Look():
            return _look(room, asked)
        case Wanted():
            return _change(room, asked)
        case Undo():
            return _undo(room, asked.mark)
        case Unclear():
            return _unclear(room, asked)


def _unclear(room: Room, why: Unclear) -> View:
    most, step = room.texts.money(MOST_AMOUNT), room.texts.money(MOST_STEP)
    return _with_examples(room, room.texts(_UNCLEAR[why], most=most, step=step))


def _with_examples(room: Room, text: str) -> View:
    return View(text=f"{text}\n\n{room.texts('price.how')}")


def _look(room: Room, asked: Look) -> View:
    place = look_for(room, asked.where)
    if isinstance(place, Unknown):
        return _not_found(room, place)
    return view_of(room, place, asked.page)


def _not_found(room: Room, unknown: Unknown) -> View:
    rest = visible(unknown.rest, _LONGEST_TYPED)
    if unknown.game is None:
        text = room.texts("price.not_found", typed=rest)
    elif unknown.sure:
        text = room.texts(
            "price.no_item", typed=rest, game=unknown.game.title, slug=unknown.game.slug
        )
    else:
        text = room.texts("price.perhaps", typed=rest, game=unknown.game.title)
    return _with_examples(room, text)


# --- changing -------------------------------------------------------------------------------------


def _change(room: Room, wanted: Wanted) -> View | Outcome:
    place = find(room, wanted.where)
    if isinstance(place, Unknown):
        return _not_found(room, place)
    if wanted.part is Part.PRICE and not place.is_item:
        return _with_examples(room, room.texts("price.of_an_item"))
    present = room.market.overrides.get(place.scope, NOTHING)
    draft = Draft(
        find=place.scope,
        item=wanted.part or "",
        price=_OPEN if wanted.value is None else wanted.value,
        order=_state(present),
        until=room.now + CONFIRM_WITHIN,
    )
    if _decided(present, draft) == present:
        return View(text=room.texts("price.same", what=place.title(room)))
    return Goto(StepId.PRICE, draft)


def _state(override: Override) -> str:
    """Return a mark of what holds now: a yes to it is no yes to what came after."""
    return mark(override)


def _decided(present: Override, draft: Draft) -> Override:
    """Return what is to hold from now on."""
    if not draft.item:
        return NOTHING
    return present.put(Part(draft.item), None if draft.price == _OPEN else draft.price)


class ConfirmPrice:
    """Are prices to become so?"""

    id: ClassVar[StepId] = StepId.PRICE
    back: ClassVar[StepId | None] = StepId.GAME
    free: ClassVar[bool] = False
    about_game: ClassVar[bool] = False

    def ask(self, room: Room, draft: Draft) -> View:
        place = of_scope(room, draft.find)
        known = room.market.overrides
        decided = _decided(known.get(draft.find, NOTHING), draft)
        after = {**known, draft.find: decided}
        return View(
            title=room.texts("price.title", what=place.title(room)),
            text=room.texts(
                "price.ask",
                changes="\n".join(_changes(room, place, after)),
                effect="\n".join(_effect_lines(room, place, after)),
            ),
            choices=(Choice("yes", room.texts("price.yes")),),
        )

    def answer(self, room: Room, draft: Draft, value: str) -> Outcome:
        if not room.is_owner or room.now > draft.until:
            return Finish(View(text=room.texts("price.too_late")))
        if value != "yes":
            return Again(room.texts("price.press"))
        present = room.market.overrides.get(draft.find, NOTHING)
        if _state(present) != draft.order:
            return Finish(View(text=room.texts("price.changed_meanwhile")))
        decided = _decided(present, draft)
        room.books.price_rules.put(draft.find, decided, room.address, room.now)
        done = Decision(scope=draft.find, was=present, now=decided, actor=room.address, at=room.now)
        undo = Choice("undo", room.texts("price.undo"), data=f"p:harga:urung {_mark(done)}")
        what = of_scope(room, draft.find).title(room)
        return Finish(View(text=room.texts("price.done", what=what), choices=(undo,)))


def _mark(decision: Decision) -> str:
    return mark(decision.scope, decision.now, decision.at)


def _undo(room: Room, wanted: str) -> View:
    """Let the prices of a scope be what they were before its last change, once."""
    rules = room.books.price_rules
    lately = rules.decided_since(room.now - UNDO_WITHIN)
    found = next((d for d in lately if _mark(d) == wanted), None)
    if found is None:
        return View(text=room.texts("price.cannot_undo"))
    rules.put(found.scope, found.was, room.address, room.now)
    return View(text=room.texts("price.undone", what=of_scope(room, found.scope).title(room)))


# --- what would become of it ----------------------------------------------------------------------


def _changes(room: Room, place: Place, after: Mapping[Scope, Override]) -> Sequence[str]:
    """Say each part of a place's rule that an owner decides anew."""
    known = room.market.overrides
    was, now = known.get(place.scope, NOTHING), after.get(place.scope, NOTHING)
    return [
        room.texts(
            "price.change",
            part=name(room, part),
            was=written(room, part, getattr(rule_of(room, place, known), part)),
            now=written(room, part, getattr(rule_of(room, place, after), part)),
        )
        for part in Part
        if was.get(part) != now.get(part)
    ]


def _effect_lines(room: Room, place: Place, after: Mapping[Scope, Override]) -> Sequence[str]:
    """Say how many prices change, which the most, and what is not sold any more, and why."""
    effects = effects_of(room, place, after)
    count, changed = effects.count, len(effects.changed)
    if not count:
        return [room.texts("price.about_nothing")]
    lines = []
    if not changed or not place.is_item:  # of one item, its line says it all
        head = "price.changes" if changed else "price.changes_nothing"
        lines = [room.texts(head, changed=changed, count=count)]
    lines += _some(room, effects.changed, lambda each: _becomes(room, place, each))
    if effects.stopped:
        lines += ["", room.texts("price.stops", count=len(effects.stopped))]
        lines += _some(room, effects.stopped, lambda each: _stops(room, place, each))
    if effects.resumed:
        lines += ["", room.texts("price.resumes", count=len(effects.resumed))]
        lines += _some(room, effects.resumed, lambda each: _becomes(room, place, each))
    return lines


def _some(room: Room, effects: Sequence[Effect], line: Callable[[Effect], str]) -> Sequence[str]:
    lines = [line(effect) for effect in effects[:_SHOWN]]
    more = len(effects) - len(lines)
    return [*lines, room.texts("price.more", more=more)] if more else lines


def _becomes(room: Room, place: Place, effect: Effect) -> str:
    return room.texts(
        "price.becomes",
        item=_name(room, place, effect.item),
        was=_price(room, effect.before),
        now=_price(room, effect.after),
    )


def _stops(room: Room, place: Place, effect: Effect) -> str:
    rule = effect.after.rule
    return room.texts(
        "price.stops_as",
        item=_name(room, place, effect.item),
        price=written(room, Part.PRICE, rule.price),
        cost=room.texts.money(effect.after.cost),
        floor=room.texts.money(rule.floor),
    )


def _price(room: Room, each: Priced) -> str:
    quote = each.quote
    return room.texts("price.not_sold") if quote is None else room.texts.money(quote.price)


def _name(room: Room, place: Place, item: Item) -> str:
    game = "" if place.scope else f"{room.books.rules.game(item.game).title} · "
    return f"{game}{shown(item)}"
