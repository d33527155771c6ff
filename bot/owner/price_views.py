"""The owner's prices as they are shown: of the shop, of a game, of one item."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from bot.conversation.room import Room
from bot.conversation.views import MOST_DATA_BYTES, Choice, View
from bot.owner.price_effects import Priced, cost_of, price_of
from bot.owner.price_places import Place, of_item, of_scope, shown
from shop.catalogue import Game
from shop.pricing import SHOP, Override, Part, PriceRule, Scope, decided_for, rule_for
from shop.routing import Route
from shop.shelf import Item
from shop.text import visible

T = TypeVar("T")

_ON_A_PAGE: Final = 8
_NAMES: Final[Mapping[Part, str]] = {
    Part.PERCENT: "price.percent",
    Part.LEAST: "price.least",
    Part.STEP: "price.step",
    Part.FLOOR: "price.floor",
    Part.PRICE: "price.own",
}


def name(room: Room, part: Part) -> str:
    """Return what a part is called."""
    return room.texts(_NAMES[part])


def written(room: Room, part: Part, value: int | None) -> str:
    """Write the value of a part: ``7,5%``, ``Rp1.000``."""
    if value is None:
        return room.texts("price.none")
    if part is not Part.PERCENT:
        return room.texts.money(value)
    whole, hundredths = divmod(value, 100)
    decimals = f"{hundredths:02}".rstrip("0")
    return f"{whole}{room.texts('price.decimal') if decimals else ''}{decimals}%"


def rule_of(room: Room, place: Place, overrides: Mapping[Scope, Override]) -> PriceRule:
    """Return the rule of a place, as far as it is one for all of it."""
    return rule_for(
        room.books.rules.prices, overrides, place.game_slug, place.item_key, place.meant
    )


def view_of(room: Room, place: Place, page: int) -> View:
    """Show a place's prices."""
    if place.item is not None:
        return _item_view(room, place, place.item)
    if place.game is not None:
        return _game_view(room, place, place.game, page)
    return _shop_view(room, page) if place.scope == SHOP else _gone_view(room, place)


def _shop_view(room: Room, page: int) -> View:
    scopes = [scope for scope in room.market.overrides if scope != SHOP]
    some, page, pages = _page(room, scopes, page)
    places = [of_scope(room, scope) for scope in some]
    own = room.texts("price.overrides" if scopes else "price.no_overrides")
    return View(
        title=room.texts("price.title", what=room.texts("price.shop")),
        text=_text(
            _rule_lines(room, Place(scope=SHOP)),
            room.texts("price.means"),
            "\n".join([own, *(_override_line(room, place) for place in places)]),
            _page_line(room, page, pages),
            room.texts("price.how"),
        ),
        choices=(
            *(_opens(place.title(room), place.args) for place in places if _fits(place.args)),
            *_moves(room, "", page, pages),
        ),
    )


def _game_view(room: Room, place: Place, game: Game, page: int) -> View:
    some, page, pages = _page(room, room.items(game), page)
    lines = [_item_line(room, price_of(room, item)) for item in some]
    return View(
        title=room.texts("price.title", what=place.title(room)),
        text=_text(
            _rule_lines(room, place),
            "\n".join(lines) or room.texts("price.nothing"),
            _page_line(room, page, pages),
            room.texts("price.how_game", game=place.scope),
        ),
        choices=(
            *(_opens(shown(item), of_item(room, item).args) for item in some),
            *_moves(room, place.scope, page, pages),
        ),
    )


def _item_view(room: Room, place: Place, item: Item) -> View:
    rule = rule_of(room, place, room.market.overrides)
    lines = [_offer_line(room, item, route, rule) for route in room.market.routes(item)]
    return View(
        title=room.texts("price.title", what=place.title(room)),
        text=_text(
            _rule_lines(room, place), "\n".join(lines), room.texts("price.how_item", item=item.key)
        ),
    )


def _gone_view(room: Room, place: Place) -> View:
    """Show what was decided for an item that nobody lists any more."""
    return View(
        title=room.texts("price.title", what=place.title(room)),
        text=_text(
            _override_line(room, place),
            room.texts("price.gone"),
            room.texts("price.how_item", item=visible(place.scope)),
        ),
    )


# --- lines ----------------------------------------------------------------------------------------


def _rule_lines(room: Room, place: Place) -> str:
    """Say each part of the rule in force, and who decided it."""
    rule = rule_of(room, place, room.market.overrides)
    parts = [part for part in Part if part is not Part.PRICE or rule.price is not None]
    return "\n".join(
        room.texts(
            "price.part",
            part=name(room, part),
            value=written(room, part, getattr(rule, part)),
            source=_source(room, part, place),
        )
        for part in parts
    )


def _source(room: Room, part: Part, place: Place) -> str:
    overrides = room.market.overrides
    scope = decided_for(part, overrides, place.game_slug, place.item_key, place.meant)
    if scope is None:
        return room.texts("price.by_settings")
    if scope == SHOP:
        return room.texts("price.by_shop")
    return room.texts(
        "price.by_item" if scope in {place.item_key, place.meant} else "price.by_game"
    )


def _override_line(room: Room, place: Place) -> str:
    parts = room.market.overrides[place.scope].parts
    said = [f"{name(room, part)} {written(room, part, value)}" for part, value in parts.items()]
    return f"• {place.title(room)}: {' · '.join(said)}"


def _item_line(room: Room, each: Priced) -> str:
    own = " ✎" if each.item.key in room.market.overrides else ""
    line = f"• {shown(each.item)}{own}: {_price(room, each)}"
    paused = each.quote is not None and not room.market.is_sold(each.item)
    return room.texts("price.paused", line=line) if paused else line


def _price(room: Room, each: Priced) -> str:
    cost = room.texts.money(each.cost)
    if each.quote is None:
        return room.texts("price.line_unsold", cost=cost)
    return room.texts(
        "price.line",
        cost=cost,
        price=room.texts.money(each.quote.price),
        profit=room.texts.money(each.quote.price - each.quote.cost),
    )


def _offer_line(room: Room, item: Item, route: Route, rule: PriceRule) -> str:
    """Say what an offer costs and would sell for, and what keeps it from being sold."""
    supplier = room.face.titles.get(route.offer.supplier, route.offer.supplier)
    cost = room.texts.money(cost_of(room, item, route.offer).cost)
    if route.quote is None:
        return room.texts(
            "price.offer_at_a_loss",
            supplier=supplier,
            cost=cost,
            price=written(room, Part.PRICE, rule.price),
            floor=room.texts.money(rule.floor),
        )
    return room.texts(
        "price.offer",
        supplier=supplier,
        cost=cost,
        price=room.texts.money(route.quote.price),
        profit=room.texts.money(route.quote.price - route.quote.cost),
        verdict=room.texts(
            f"route.{route.verdict}",
            balance=room.texts.money(room.market.balance(route.offer.supplier)),
        ),
    )


# --- pages ----------------------------------------------------------------------------------------


def _text(*paragraphs: str) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _page(room: Room, found: Sequence[T], page: int) -> tuple[Sequence[T], int, int]:
    """Return what stands on a page, its number in range, and how many pages there are."""
    size = max(min(_ON_A_PAGE, room.limit - 2), 1)
    pages = max(-(-len(found) // size), 1)
    page = min(max(page, 1), pages)
    return found[(page - 1) * size : page * size], page, pages


def _page_line(room: Room, page: int, pages: int) -> str:
    return room.texts("page", page=page, pages=pages) if pages > 1 else ""


def _moves(room: Room, where: str, page: int, pages: int) -> Iterator[Choice]:
    for label, to in (("button.previous", page - 1), ("button.next", page + 1)):
        if 1 <= to <= pages:
            yield _opens(room.texts(label), f"{where} hal {to}".strip())


def _opens(label: str, args: str) -> Choice:
    return Choice(args, label[:24], data=f"p:harga:{args}")


def _fits(args: str) -> bool:
    """Tell whether a button can carry it; what it cannot is still there to be typed."""
    return len(f"p:harga:{args}".encode()) <= MOST_DATA_BYTES
