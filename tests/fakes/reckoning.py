"""What the supplier and the chats wrote down, beside what the shop says of itself.

The truth is theirs: every complaint is about the shop. A journal entry of the supplier and an
order of ours meet by the account, which is another for every order.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram_state import Chat
from tests.fakes.world import World

Row = dict[str, Any]

_ORDERS = """
SELECT o.*, (SELECT COUNT(*) FROM cases c WHERE c.order_id = o.id AND c.closed_at IS NULL) AS cases
FROM orders o
"""
_OPENINGS = "SELECT COUNT(*) AS n FROM order_events WHERE event = 'opening_started'"
_ENDED = frozenset({"delivered", "refunded", "expired", "cancelled"})
_UNSENT = "SELECT message FROM outbox WHERE due_at IS NOT NULL"
_UNDONE = "SELECT update_id FROM updates WHERE done_at IS NULL"
_MOVING = frozenset({"placed", "opening", "processing"})


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """One look at everything."""

    entries: Sequence[Row]  # of the supplier
    calls: Sequence[Row]  # requests that reached it, the last thousand
    orders: Sequence[Row]  # ours
    openings: int  # written down before a QR was asked for
    chats: Sequence[Chat]

    def __str__(self) -> str:
        became = Counter(str(order["status"]) for order in self.orders)
        cases = sum(order["cases"] for order in self.orders)
        return (
            f"{len(self.entries)} invoices, {len(self.settled)} paid, {cases} cases; "
            + ", ".join(f"{count} {status}" for status, count in sorted(became.items()))
        )

    def at_any_moment(self) -> list[str]:
        """What is wrong already, even while the shop lies dead."""
        return [
            *self._doubles(),
            *self._unknown(),
            *self._unannounced(),
            *self._too_many(),
            *self._in_wrong_chats(),
        ]

    def at_rest(self) -> list[str]:
        """What is wrong once the shop had the time to finish everything."""
        return [*self.at_any_moment(), *self._lost(), *self._made_up(), *self._untold()]

    @property
    def settled(self) -> list[Row]:
        return [entry for entry in self.entries if entry["payment_status"] == "settlement"]

    def _doubles(self) -> list[str]:
        ordered = Counter(order["target"] for order in self.orders)
        accepted = Counter(entry["target"] for entry in self.entries)
        paid = Counter(entry["target"] for entry in self.settled)
        return [
            *(
                f"O2 {accepted[account]} invoices for {ordered[account]} orders for {account}"
                for account in accepted
                if accepted[account] > ordered[account]
            ),
            *(
                f"O2 {account} was paid {times} times"
                for account, times in paid.items()
                if times > 1
            ),
        ]

    def _unknown(self) -> list[str]:
        known = {order["target"] for order in self.orders}
        return [
            f"O3 the supplier was asked for {entry['target']}, and nothing was written down"
            for entry in self.entries
            if entry["target"] not in known
        ]

    def _unannounced(self) -> list[str]:
        """One request for a QR, refused ones too, for each time that it was written down."""
        asked = sum(call["path"].endswith("/order/create") for call in self.calls)
        if asked <= self.openings:
            return []
        return [f"O4 {asked} QRs were asked for, {self.openings} were written down"]

    def _too_many(self) -> list[str]:
        """Not more requests than it allows, of all processes together, before and after a kill."""
        times = [call["at"] for call in self.calls]
        refused = sum(call["status"] == 429 for call in self.calls)
        crowded = [last - first < 60_000 for first, last in zip(times, times[60:], strict=False)]
        return [f"more than 60 calls in a minute; {refused} refused"] if any(crowded) else []

    def _in_wrong_chats(self) -> list[str]:
        right = {order["target"]: order["address"] for order in self.orders}
        return [
            f"M1 {entry['sn']} of {right.get(entry['target'])} is in the chat of {_name(chat)}"
            for entry in self.entries
            if entry["sn"]
            for chat in self.chats
            if _name(chat) != right.get(entry["target"]) and _saying(chat, entry["sn"])
        ]

    def _lost(self) -> list[str]:
        by_account = defaultdict(list)
        for order in self.orders:
            by_account[order["target"]].append(order)
        return [
            f"O1 {entry['target']} was paid ({entry['status']}, {entry['sn']}), and is "
            + (", ".join(_shown(order) for order in by_account[entry["target"]]) or "nowhere")
            for entry in self.settled
            if sum(_answers_for(order, entry) for order in by_account[entry["target"]]) != 1
        ]

    def _made_up(self) -> list[str]:
        paid = {entry["target"] for entry in self.settled}
        holding = [order for order in self.orders if order["status"] not in _ENDED]
        return [
            *(
                f"L6 {_shown(order)}, and nobody paid"
                for order in self.orders
                if order["status"] in {"processing", "delivered", "refund_due"}
                and order["target"] not in paid
            ),
            *(
                f"O13 {_shown(order)} without a timer or a case"
                for order in holding
                if order["due_at"] is None and not order["cases"]
            ),
        ]

    def _untold(self) -> list[str]:
        complaints = []
        for order in self.orders:
            if order["status"] != "delivered":
                continue
            chat = next(chat for chat in self.chats if _name(chat) == order["address"])
            said = _saying(chat, order["serial"])
            if len(set(said)) != 1:
                complaints.append(f"M2 {_shown(order)} was told as {said}")
        return complaints


def _name(chat: Chat) -> str:
    return f"telegram:{chat.id}"


def _saying(chat: Chat, serial: str) -> list[str]:
    """Every message of the bot with that in it, to the letter."""
    return [
        json.dumps([it.text, it.entities, it.markup], sort_keys=True)
        for it in chat.messages
        if serial in it.text
    ]


def _shown(order: Row) -> str:
    return f"{order['id']} for {order['target']}: {order['status']} {order['serial']}".strip()


def _answers_for(order: Row, entry: Row) -> bool:
    """Whether that order is what became of that payment."""
    if order["cases"]:
        return True
    return order["status"] == "delivered" and order["serial"] == entry["sn"]


async def reckoning(world: World) -> Reckoning:
    """Look at everything: theirs first, so that what we wrote down meanwhile is not missed."""
    truth = await world.truth()
    openings = world.rows(_OPENINGS)
    return Reckoning(
        entries=truth["orders"],
        calls=truth["calls"],
        orders=world.rows(_ORDERS),
        openings=openings[0]["n"] if openings else 0,
        chats=[person.chat for person in world.people.values()],
    )


async def comes_to_rest(world: World, within: float) -> None:
    """Wait until the shop has nothing left to do but ask about QRs that nobody paid.

    Raises:
        AssertionError: It has, ``within`` seconds later.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + within
    while restless := await _restless(world):
        assert clock() < until, f"O1 still not at rest after {within} s: {restless}"
        await asyncio.sleep(0.25)


async def _restless(world: World) -> list[str]:
    here = await reckoning(world)
    return [
        *(_shown(order) for order in here.orders if order["status"] in _MOVING),
        *here._lost(),
        *(f"unsent: {row['message']}" for row in world.rows(_UNSENT)),
        *(f"unanswered: {row['update_id']}" for row in world.rows(_UNDONE)),
        *(f"untaken: {update['update_id']}" for update in world.telegram.unconfirmed),
    ]
