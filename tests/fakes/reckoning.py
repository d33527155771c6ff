"""What the supplier and the chats wrote down, beside what the shop says of itself.

The truth is theirs: every complaint is about the shop. A journal entry of the supplier and an
order of ours meet by the account, which is another for every order; a deposit and an order by the
QR that was shown.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram_state import Chat
from tests.fakes.world import World

Row = dict[str, Any]

_ORDERS = """
SELECT o.*, i.supplier_ref AS qr, (SELECT COUNT(*) FROM cases c
                                   WHERE c.order_id = o.id AND c.closed_at IS NULL) AS cases
FROM orders o LEFT JOIN invoices i ON i.order_id = o.id
"""
_ANNOUNCED = """
SELECT e.event, o.method, COUNT(*) AS n FROM order_events e JOIN orders o ON o.id = e.order_id
WHERE e.event IN ('opening_started', 'submission_started') GROUP BY e.event, o.method
"""
_CREDIT = """
SELECT account, CAST(-SUM(balance) AS BIGINT) AS credit FROM accounts
WHERE account LIKE 'wallet:%' GROUP BY account
"""
_ENDED = frozenset({"delivered", "refunded", "expired", "cancelled"})
_HOLDING = frozenset(
    {"paid", "submitting", "processing", "unsure", "partly_delivered", "refund_due"}
)
_UNSENT = "SELECT message FROM outbox WHERE due_at IS NOT NULL"
_UNDONE = "SELECT update_id FROM updates WHERE done_at IS NULL"
_MOVING = frozenset({"placed", "opening", "paid", "submitting", "processing"})


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """One look at everything."""

    entries: Sequence[Row]  # of the supplier: goods, by dropship or from our balance
    deposits: Sequence[Row]  # of the supplier
    calls: Sequence[Row]  # requests that reached it, the last thousand
    orders: Sequence[Row]  # ours; ``qr`` is the supplier's name for what it asked to be paid
    announced: Mapping[str, int]  # calls that were written down before they were made, by path
    credit: Mapping[str, int]  # of each customer, by address
    chats: Sequence[Chat]

    def __str__(self) -> str:
        became = Counter(str(order["status"]) for order in self.orders)
        cases = sum(order["cases"] for order in self.orders)
        return (
            f"{len(self.entries)} accepted, {self.bought} paid: {len(self.settled)} by dropship, "
            f"{len(self.received)} deposits; {cases} cases; "
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
        return [
            *self.at_any_moment(),
            *self._lost(),
            *self._made_up(),
            *self._miscounted(),
            *self._untold(),
        ]

    @property
    def settled(self) -> list[Row]:
        """What customers paid the supplier for goods."""
        return [entry for entry in self.entries if entry["payment_status"] == "settlement"]

    @property
    def received(self) -> dict[str, int]:
        """What came in for each of our QRs that was a deposit."""
        return {deposit["id"]: deposit["paid"] for deposit in self.deposits if deposit["paid"]}

    @property
    def bought(self) -> int:
        """How often goods or credit were paid for."""
        from_wallets = sum(order["method"] == "wallet" for order in self.orders)
        return len(self.settled) + len(self.received) + from_wallets

    def _doubles(self) -> list[str]:
        ordered = Counter(order["target"] for order in self.orders)
        accepted = Counter(entry["target"] for entry in self.entries)
        paid = Counter(entry["target"] for entry in self.settled)
        return [
            *(
                f"O2 {accepted[account]} accepted for {ordered[account]} orders for {account}"
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
        """One call, refused ones too, for each time that it was written down."""
        made = Counter(
            path for call in self.calls for path in self.announced if call["path"].endswith(path)
        )
        return [
            f"O4 {made[path]} calls to {path} were made, {written} were written down"
            for path, written in self.announced.items()
            if made[path] > written
        ]

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
            *(
                f"O1 {entry['target']} was paid ({entry['status']}, {entry['sn']}), and is "
                + (", ".join(_shown(order) for order in by_account[entry["target"]]) or "nowhere")
                for entry in self.settled
                if sum(_answers_for(order, entry) for order in by_account[entry["target"]]) != 1
            ),
            *self._lost_deposits(),
            *self._lost_goods(),
        ]

    def _lost_deposits(self) -> list[str]:
        taken_in = {order["qr"]: order["received"] for order in self.orders}
        return [
            f"O1 deposit {ref} was paid {amount}, and we know of {taken_in.get(ref, 'no such QR')}"
            for ref, amount in self.received.items()
            if taken_in.get(ref) != amount
        ]

    def _lost_goods(self) -> list[str]:
        """What was bought from our balance belongs to one order, which was told all about it."""
        bought = {entry["target"]: entry for entry in self.entries if entry["mode"] == "saldo"}
        return [
            f"O1 {_shown(order)}, and the supplier has "
            + (f"{entry['status']} {entry['sn']}" if entry else "nothing")
            for order in self.orders
            if _is_prepaid_goods(order) and not order["cases"]
            for entry in [bought.get(order["target"])]
            if (order["status"] == "delivered", order["serial"]) != _ended_as(entry)
        ]

    def _made_up(self) -> list[str]:
        paid = {entry["target"] for entry in self.settled}
        holding = [order for order in self.orders if order["status"] not in _ENDED]
        return [
            *(
                f"L6 {_shown(order)}, and nobody paid"
                for order in self.orders
                if order["status"] in {*_HOLDING, "delivered", "refunded"}
                and not self._was_paid(order, paid)
            ),
            *(
                f"O13 {_shown(order)} without a timer or a case"
                for order in holding
                if order["due_at"] is None and not order["cases"]
            ),
        ]

    def _was_paid(self, order: Row, settled: set[Any]) -> bool:
        if order["method"] == "wallet":
            return True  # by what came in before: see below
        return order["target"] in settled or order["qr"] in self.received

    def _miscounted(self) -> list[str]:
        """What each customer paid in is what they got, what they have, and what is still held."""
        came: Counter[str] = Counter()
        went: Counter[str] = Counter()
        for order in self.orders:
            if order["method"] == "deposit":
                came[order["address"]] += self.received.get(order["qr"], 0)
            if _is_prepaid_goods(order) and order["status"] == "delivered":
                went[order["address"]] += order["received"] - order["excess"]
            if order["method"] != "dropship" and order["status"] in _HOLDING:
                went[order["address"]] += order["received"] - order["excess"]
        return [
            f"L4 {address} paid in {came[address]}; goods and what is held come to "
            f"{went[address]}, and {self.credit.get(address, 0)} is credit"
            for address in {*came, *went, *self.credit}
            if came[address] != went[address] + self.credit.get(address, 0)
        ]

    def _untold(self) -> list[str]:
        complaints = []
        for order in self.orders:
            words = _last_words(order)
            if not words:
                continue
            chat = next(chat for chat in self.chats if _name(chat) == order["address"])
            said = _saying(chat, *words)
            if len(set(said)) != 1:
                complaints.append(f"M2 {_shown(order)} was told as {said}")
        return complaints


def _name(chat: Chat) -> str:
    return f"telegram:{chat.id}"


def _saying(chat: Chat, *words: str) -> list[str]:
    """Every message of the bot with all that in it, to the letter."""
    return [
        json.dumps([it.text, it.entities, it.markup], sort_keys=True)
        for it in chat.messages
        if all(word in it.text for word in words)
    ]


def _last_words(order: Row) -> tuple[str, ...]:
    """What the one message has in it that tells how this order ended; empty if it did not yet."""
    if order["status"] == "refunded" and order["returned"] == "wallet":
        return order["id"], "ke saldomu."
    if order["status"] != "delivered":
        return ()
    return (order["serial"],) if order["serial"] else (order["id"], "sudah masuk.")


def _shown(order: Row) -> str:
    return f"{order['id']} for {order['target']}: {order['status']} {order['serial']}".strip()


def _answers_for(order: Row, entry: Row) -> bool:
    """Whether that order is what became of that payment."""
    if order["cases"]:
        return True
    return (order["status"], order["serial"]) == ("delivered", entry["sn"])


def _is_prepaid_goods(order: Row) -> bool:
    return order["method"] != "dropship" and order["supplier"] != "house"


def _ended_as(entry: Row | None) -> tuple[bool, str]:
    """Whether it was delivered, and with what serial number."""
    return (False, "") if entry is None else (entry["status"] == "Success", entry["sn"] or "")


async def reckoning(world: World) -> Reckoning:
    """Look at everything: theirs first, so that what we wrote down meanwhile is not missed."""
    truth = await world.truth()
    written = {(row["event"], row["method"]): row["n"] for row in world.rows(_ANNOUNCED)}
    submitted = sum(n for (event, _), n in written.items() if event == "submission_started")
    return Reckoning(
        entries=truth["orders"],
        deposits=truth["deposits"],
        calls=truth["calls"],
        orders=world.rows(_ORDERS),
        announced={
            "/order/create": written.get(("opening_started", "dropship"), 0) + submitted,
            "/payment/deposit": written.get(("opening_started", "deposit"), 0),
        },
        credit={
            row["account"].removeprefix("wallet:"): row["credit"] for row in world.rows(_CREDIT)
        },
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
