"""What a simulated supplier that is paid from a balance remembers: products, orders, balance."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from providers.simulators.wishes import JsonObject, UnknownThing


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One product; ``price`` in rupiah. ``region``: the only accounts it is for; empty: all."""

    code: str
    name: str
    category: str
    price: int
    active: bool = True
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """The supplier's own words for how an order stands.

    ``first``: on acceptance. ``done`` and ``failed``: what it becomes by itself.
    ``unfinished``: with these it may still go either way. ``returning``: with these its price is
    back on the balance.
    """

    first: str
    done: str
    failed: str
    others: tuple[str, ...] = ()
    unfinished: frozenset[str] = frozenset()
    returning: frozenset[str] = frozenset()

    @property
    def every(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((self.first, self.done, self.failed, *self.others)))

    def named(self, written: str) -> str | None:
        """Find the word somebody wrote: in any case, with blanks or underscores."""
        return next((each for each in self.every if _plain(each) == _plain(written)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A checked request for an order: affordable, for sale, and for an account that may have it.

    ``key`` is what it came with, ``more`` what this supplier alone needs later.
    """

    item: Item
    ref: str
    target: str
    server: str = ""
    nickname: str = ""
    region: str = ""
    callback_url: str = ""
    key: str = field(default="", repr=False)
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepaidOrder:
    """One accepted order, as of the last look; money in rupiah, instants in epoch ms.

    ``id`` is the supplier's, ``ref`` the customer shop's. At ``due_at`` it becomes ``plan`` by
    itself; with none it waits for the control surface. ``price`` was charged on acceptance.
    """

    id: str
    ref: str
    code: str
    item: str
    category: str
    target: str
    server: str
    nickname: str
    region: str
    price: int
    status: str
    sn: str
    accepted_at: int
    plan: str
    due_at: int | None
    changed_at: int
    finished_at: int | None
    callback_url: str
    key: str = field(repr=False)
    more: Mapping[str, str]

    def row(self) -> JsonObject:
        """Tell it to the journal, without the key."""
        return {name: value for name, value in asdict(self).items() if name != "key"}


class PrepaidBooks:
    """The supplier's own books. Nothing happens in them by itself: see ``overdue`` and ``move``.

    ``delivery_ms``: time from acceptance to the end of an order.
    """

    def __init__(
        self, *, items: Iterable[Item], statuses: Statuses, balance: int, delivery_ms: int
    ) -> None:
        self.balance = balance
        self._statuses = statuses
        self._delivery_ms = delivery_ms
        self._usual_items = {item.code: item for item in items}
        self._items = dict(self._usual_items)
        self._orders: dict[str, PrepaidOrder] = {}
        self._ids: dict[str, list[str]] = {}
        self._due: dict[str, int] = {}

    def items(self) -> list[Item]:
        """List every product, also those not for sale now."""
        return list(self._items.values())

    def item(self, code: str) -> Item:
        """Find a product, for sale or not. Raise ``UnknownThing``."""
        if code not in self._items:
            raise UnknownThing(f"There is no product '{code[:40]}'.")
        return self._items[code]

    def put(self, item: Item) -> None:
        """Add a product or change it; orders already accepted keep what they were."""
        self._items[item.code] = item

    @property
    def count(self) -> int:
        """How many orders were ever accepted."""
        return len(self._orders)

    def orders(self) -> list[PrepaidOrder]:
        """List every order accepted, oldest first."""
        return list(self._orders.values())

    def all_of(self, ref: str) -> list[PrepaidOrder]:
        """List every order accepted with this reference, oldest first."""
        return [self._orders[order_id] for order_id in self._ids.get(ref, [])]

    def order(self, name: str) -> PrepaidOrder:
        """Find an order by its id, else the latest with this reference. Raise ``UnknownThing``."""
        if name in self._orders:
            return self._orders[name]
        found = self.all_of(name)
        if not found:
            raise UnknownThing(f"There is no order '{name[:40]}'.")
        return found[-1]

    def accept(self, wanted: Wanted, *, order_id: str, fails: bool, now: int) -> PrepaidOrder:
        """Charge its price and take it on; the caller has checked it, the balance too."""
        self.balance -= wanted.item.price
        return self._keep(
            PrepaidOrder(
                id=order_id,
                ref=wanted.ref,
                code=wanted.item.code,
                item=wanted.item.name,
                category=wanted.item.category,
                target=wanted.target,
                server=wanted.server,
                nickname=wanted.nickname,
                region=wanted.region,
                price=wanted.item.price,
                status=self._statuses.first,
                sn="",
                accepted_at=now,
                plan=self._statuses.failed if fails else self._statuses.done,
                due_at=now + self._delivery_ms,
                changed_at=now,
                finished_at=None,
                callback_url=wanted.callback_url,
                key=wanted.key,
                more=dict(wanted.more),
            )
        )

    def overdue(self, now: int) -> list[tuple[int, PrepaidOrder]]:
        """List the orders that should have come to their end by now, and when; first due first."""
        due = [(due_at, order_id) for order_id, due_at in self._due.items() if due_at <= now]
        due.sort(key=lambda each: each[0])  # of one instant: as they were accepted
        return [(due_at, self._orders[order_id]) for due_at, order_id in due]

    def note(self, order: PrepaidOrder, sn: str) -> PrepaidOrder:
        """Write something in its serial number or note; it stays as it is otherwise."""
        return self._keep(replace(order, sn=sn))

    def move(self, order: PrepaidOrder, status: str, sn: str, at: int) -> PrepaidOrder:
        """Give it another status; from now on it does nothing by itself.

        Its price goes back to the balance, or is charged again, as the two statuses demand.
        """
        returning = self._statuses.returning
        self.balance += order.price * ((status in returning) - (order.status in returning))
        is_final = status not in self._statuses.unfinished
        return self._keep(
            replace(
                order,
                status=status,
                sn=sn,
                due_at=None,
                changed_at=at,
                finished_at=at if is_final else None,
            )
        )

    def dump(self) -> JsonObject:
        """Tell everything as plain JSON."""
        usual = self._usual_items
        changed = [item for item in self._items.values() if usual.get(item.code) != item]
        return {
            "balance": self.balance,
            "items": [asdict(item) for item in changed],
            "orders": [asdict(order) for order in self._orders.values()],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up again what ``dump`` told. Raise ``KeyError`` or ``TypeError`` if it is not."""
        self.balance = state["balance"]
        for row in state["items"]:
            self.put(Item(**row))
        for row in state["orders"]:
            self._keep(PrepaidOrder(**row))

    def _keep(self, order: PrepaidOrder) -> PrepaidOrder:
        if order.id not in self._orders:
            self._ids.setdefault(order.ref, []).append(order.id)
        self._orders[order.id] = order
        self._due.pop(order.id, None)
        if order.due_at is not None:
            self._due[order.id] = order.due_at
        return order


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").split())
