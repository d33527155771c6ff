"""Somebody who sees every message as it arrives, and knows what the supplier really has by then."""

import json
import re
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.conversation.channels import Sender
from bot.conversation.texts import Texts
from bot.conversation.views import (
    MOST_DATA_BYTES,
    Acted,
    Incoming,
    Picked,
    StepId,
    Typed,
    View,
)
from shop.money import rupiah
from shop.time import HOUR
from tests.fakes.street import Street

OWNER = "web:owner"
LONGEST = 4096  # of a message (Telegram Bot API, sendMessage)
FORGETS_AFTER = 24 * HOUR
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is quickly made
SERIAL = re.compile(r"ZT[0-9A-F]{12}")  # as the simulator writes them
PAGE_TO_PAY = re.compile(r"/(?:invoice|qr)/([0-9]+)")
BY_HAND = frozenset({"payment_found", "given_back", "arrived", "refund_made"})
Row = Mapping[str, Any]


def whole(view: View) -> str:
    """Everything in a view that can be read, pressed or copied."""
    choices = (f"{choice.label}\n{choice.hint}\n{choice.data}" for choice in view.choices)
    return "\n".join([view.title, view.text, view.copy, view.link, *choices])


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What stands in the database, read by somebody else."""

    orders: Mapping[str, Row]
    sessions: Mapping[str, Row]
    cases: Mapping[str, Row]
    invoices: Mapping[str, Row]  # by order

    def of(self, address: str) -> list[Row]:
        return [row for row in self.orders.values() if row["address"] == address]

    def order_of(self, supplier_ref: str) -> Row | None:
        for row in self.invoices.values():
            if row["supplier_ref"] == supplier_ref:
                return self.orders[row["order_id"]]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message, and what the supplier had delivered and been paid for when it arrived."""

    address: str
    view: View
    delivered: frozenset[str]
    paid: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One thing a person did, and what stood in the database before and after."""

    address: str
    incoming: Incoming
    input_id: str
    before: Moment
    after: Moment
    view: View | None
    now: int

    @property
    def session(self) -> Row | None:
        return self.before.sessions.get(self.address)

    @property
    def screen(self) -> int:
        return 0 if self.session is None else int(self.session["screen"])

    @property
    def placed(self) -> list[Row]:
        return [row for name, row in self.after.orders.items() if name not in self.before.orders]


@dataclass
class Witness:
    """Sees all. ``there`` is set once the street is open."""

    there: Street = field(init=False)
    texts: Mapping[str, Texts] = field(init=False)
    news: list[Heard] = field(default_factory=list)  # not yet judged
    heard: list[Heard] = field(default_factory=list)
    buttons: dict[str, list[str]] = field(default_factory=dict)  # ever shown, by address
    confirmed: dict[str, View] = field(default_factory=dict)  # the last question to confirm
    orders: list[str] = field(default_factory=list)  # as they came to be
    delivered: set[str] = field(default_factory=set)  # at the supplier, now or once
    paid: set[str] = field(default_factory=set)
    serials: dict[str, str] = field(default_factory=dict)  # of which of the supplier's orders
    sent: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # perhaps accepted

    def sender(self, sender: Sender) -> "Watched":
        return Watched(sender, self)

    def look(self) -> Moment:
        with self.there.onlooker.look() as tx:
            found = {
                name: [dict(row) for row in tx.fetch(f"SELECT * FROM {name}")]
                for name in ("orders", "sessions", "cases", "invoices")
            }
        moment = Moment(
            orders={row["id"]: row for row in found["orders"]},
            sessions={row["address"]: row for row in found["sessions"]},
            cases={row["id"]: row for row in found["cases"]},
            invoices={row["order_id"]: row for row in found["invoices"]},
        )
        self.orders += sorted(moment.orders.keys() - set(self.orders))
        return moment

    def ask_the_supplier(self) -> None:
        for row in self.there.journal:
            if row["status"] == "Success":
                self.delivered.add(row["id"])
                self.serials[row["sn"]] = row["id"]
            if row["payment_status"] == "settlement":
                self.paid.add(row["id"])

    def hear(self, address: str, view: View) -> None:
        if hasattr(self, "there"):  # while the street opens, nobody has bought anything
            self.ask_the_supplier()
        self.news.append(
            Heard(
                address=address,
                view=view,
                delivered=frozenset(self.delivered),
                paid=frozenset(self.paid),
            )
        )
        shown = self.buttons.setdefault(address, [])
        shown += [choice.data for choice in view.choices if choice.data not in shown]

    def judge(self) -> None:
        """Hold everything that must always hold against what happened since the last time."""
        self.ask_the_supplier()
        moment = self.look()
        events = self.there.rows("SELECT order_id, event, at FROM order_events")
        by_hand = {row["order_id"] for row in events if row["event"] in BY_HAND}
        for news in self.news:
            self.nothing_is_in_the_wrong_chat(news, moment)
            self.nothing_is_claimed_too_early(news, moment, by_hand)
        self.heard += self.news
        self.news.clear()
        began = Counter(row["order_id"] for row in events if row["event"] == "opening_started")
        never_left = Counter(row["order_id"] for row in events if row["event"] == "not_sent")
        self.nothing_is_ordered_twice(moment, began - never_left)
        self.states_are_true(moment, by_hand)
        keys = Counter((m.address, m.key) for m in self.there.chat.messages if m.key)
        assert all(times == 1 for times in keys.values()), "M2: sent twice"
        broken = self.there.broken()
        assert not broken, broken

    def nothing_is_in_the_wrong_chat(self, news: Heard, moment: Moment) -> None:
        """M1, S4: what belongs to an order is its buyer's; its number is the owner's, too.

        A case quotes the supplier to the owner, whatever it says.
        """
        text = whole(news.view)
        if news.address != OWNER:
            for name, order in moment.orders.items():
                of_theirs = order["address"] == news.address
                assert of_theirs or name not in text, f"M1: order {name} at {news.address}"
        titles = [texts("case.title", order="") for texts in self.texts.values()]
        if news.address == OWNER and news.view.title.startswith(tuple(titles)):
            return
        numbered = {self.serials.get(serial, "") for serial in SERIAL.findall(text)}
        for ref in (*numbered, *PAGE_TO_PAY.findall(news.view.link)):
            buyer = moment.order_of(ref)
            assert buyer is not None, f"nobody's: {news.view}"
            assert buyer["address"] == news.address, f"M1: {ref} at {news.address}"
        assert numbered <= news.delivered, "M3: a serial number before the goods"

    def nothing_is_claimed_too_early(self, news: Heard, moment: Moment, by_hand: set[str]) -> None:
        """M3: "paid" and "delivered" are said when the supplier says so, or the owner did."""
        lines = {*news.view.title.splitlines(), *news.view.text.splitlines()}
        named = [name for name in moment.orders if name in whole(news.view)]
        for texts in self.texts.values():
            for ids, true_of in (
                (("delivered.title", "progress.delivered", "serial.title"), news.delivered),
                (("progress.paid", "progress.processing"), news.paid),
            ):
                if not lines & {texts(name) for name in ids}:
                    continue
                assert len(named) == 1, news
                ref = moment.invoices[named[0]]["supplier_ref"]
                assert ref in true_of or named[0] in by_hand, f"M3: {news.view} too early"

    def nothing_is_ordered_twice(self, moment: Moment, left: "Counter[str]") -> None:
        """O2, O10: one accepted invoice for an order at the most, and of what was confirmed."""
        assert all(times <= 1 for times in left.values()), "O4: asked twice"
        refs = [row["supplier_ref"] for row in moment.invoices.values()]
        assert len(refs) == len(set(refs)), "O2: an invoice of two orders"
        asked = Counter(
            (row["sku"], row["target"], row["price"])
            for name, row in moment.orders.items()
            if left[name]
        )
        assert self.sent <= asked, "O4: asked again for what may have been accepted"
        journal = {row["id"]: row for row in self.there.journal}
        accepted = Counter(
            (row["layanan"], row["target"], row["selling_price"]) for row in journal.values()
        )
        assert accepted <= asked, "O2: the supplier accepted more than was ordered"
        for name, invoice in moment.invoices.items():
            order, truth = moment.orders[name], journal[invoice["supplier_ref"]]
            confirmed = (order["sku"], order["target"], order["price"])
            assert confirmed == (truth["layanan"], truth["target"], truth["selling_price"]), "O10"

    def states_are_true(self, moment: Moment, by_hand: set[str]) -> None:
        """No order is paid or delivered that is not at the supplier, unless the owner said so."""
        for name, order in moment.orders.items():
            true_of = {
                "processing": self.paid,
                "refund_due": self.paid,
                "refunded": self.paid,
                "delivered": self.delivered,
            }.get(order["status"])
            if true_of is not None and name not in by_hand:
                assert moment.invoices[name]["supplier_ref"] in true_of, order
            if order["serial"]:
                assert moment.invoices[name]["supplier_ref"] in self.delivered, order

    def no_payment_is_lost(self) -> None:
        """L6: after a day without trouble whoever paid a QR has got it, gets it, or is owed it."""
        moment = self.look()
        for row in self.there.journal:
            order = moment.order_of(row["id"])
            if order is None or row["payment_status"] != "settlement":
                continue
            if row["paid_at"] < row["expires_at"] + 24 * HOUR:
                kept = order["status"] in {"processing", "delivered", "refund_due", "refunded"}
                assert kept, f"L6: paid, and forgotten: {order}"


class Watched:
    """A sender whose messages are all seen."""

    def __init__(self, sender: Sender, witness: Witness) -> None:
        self._sender, self._witness = sender, witness

    @property
    def edits(self) -> bool:
        return self._sender.edits

    async def send(self, address: str, view: View, key: str) -> str:
        message_id = await self._sender.send(address, view, key)
        self._witness.hear(address, view)
        return message_id

    async def edit(self, address: str, message_id: str, view: View) -> None:
        await self._sender.edit(address, message_id, view)
        self._witness.hear(address, view)


class Line(httpx.AsyncBaseTransport):
    """The line to the supplier: the witness reads along what is ordered on it."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._inner = httpx.AsyncHTTPTransport(verify=NO_TLS, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        ordered = json.loads(request.content) if request.url.path.endswith("/create") else None
        if ordered is not None:
            wanted = (ordered["layanan"], ordered["target"], ordered["selling_price"])
            self._witness.sent[wanted] += 1
        response = await self._inner.handle_async_request(request)
        if ordered is not None and 400 <= response.status_code < 500:  # it says that it did not
            self._witness.sent[wanted] -= 1
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


# --- what must hold of one thing that a person did ------------------------------------------------


def it_is_answered(doing: Doing) -> None:
    """There is an answer that can be shown, unless an order was placed, which speaks for itself."""
    if doing.view is None:
        assert doing.placed, doing.incoming
        return
    assert doing.view.text.strip(), doing.view
    assert len(whole(doing.view)) < LONGEST
    for choice in doing.view.choices:
        assert choice.label.strip(), doing.view
        assert 1 <= len(choice.data.encode()) <= MOST_DATA_BYTES, choice


def there_is_a_way_back(doing: Doing) -> None:
    """Every question but the first has a button that leads back."""
    place = doing.after.sessions[doing.address]
    if doing.view is not None and place["screen"] > doing.screen:
        first = place["step"] in {"", StepId.GAME}
        assert first or "<" in {choice.id for choice in doing.view.choices}, doing.view


def it_touches_what_is_theirs(doing: Doing) -> None:
    """S4: only their own orders, the cases about them and their own place; an owner answers any."""
    moved = {
        row["address"]
        for name, row in doing.after.orders.items()
        if row != doing.before.orders.get(name)
    }
    cases = doing.address == OWNER and isinstance(doing.incoming, Acted)
    assert cases or moved <= {doing.address}, doing
    for name, row in doing.after.cases.items():
        asks_of = doing.after.orders.get(row["order_id"], {}).get("address")
        theirs = asks_of == doing.address  # where the money goes is told to the owners anew
        assert cases or theirs or row == doing.before.cases.get(name), doing
    for address, row in doing.before.sessions.items():
        assert address == doing.address or doing.after.sessions[address] == row, doing
    place = doing.after.sessions[doing.address]
    assert place["screen"] >= doing.screen, doing
    assert place["step"] in {"", *StepId}, doing


def what_is_repeated_changes_nothing(doing: Doing) -> None:
    """The same input once more is answered once more, and that is all."""
    was, place = doing.session, doing.after.sessions[doing.address]
    if was is None or was["last_input"] != doing.input_id:
        return
    assert doing.before.orders == doing.after.orders, doing
    # A question that is put once more may be answered for two minutes more.
    asked_again = {name: row["pending_until"] for name, row in doing.after.cases.items()}
    for name, row in doing.before.cases.items():
        until = asked_again[name] if row["pending"] else row["pending_until"]
        assert {**row, "pending_until": until} == doing.after.cases[name], doing
    assert doing.before.cases.keys() == doing.after.cases.keys(), doing
    if was["step"]:
        assert (was["step"], was["draft"]) == (place["step"], place["draft"]), doing


def an_old_button_does_nothing(doing: Doing) -> None:
    """A button of a question that is not the present one only brings the present one back."""
    if not isinstance(doing.incoming, Picked) or doing.incoming.screen == doing.screen:
        return
    assert doing.before.orders == doing.after.orders, doing
    was, place = doing.session, doing.after.sessions[doing.address]
    if was is None or not was["step"] or doing.now - was["touched_at"] > FORGETS_AFTER:
        return
    assert (was["step"], was["draft"]) == (place["step"], place["draft"]), doing


def an_order_is_what_was_confirmed(doing: Doing, confirmed: View | None) -> None:
    """O10, O8: at most one order, of what the last question to confirm showed, to the letter."""
    assert len(doing.placed) <= 1, doing
    for order in doing.placed:
        assert isinstance(doing.incoming, Picked | Typed), doing
        assert doing.session is not None
        assert doing.session["step"] == StepId.CONFIRM, doing
        draft = json.loads(doing.session["draft"])
        for name in ("good", "game", "item", "user_id", "server", "price"):
            assert order[name] == draft[name], f"O10: {name} of {order}, {draft}"
        assert order["address"] == doing.address, doing
        assert confirmed is not None, doing
        for shown in (order["item"], order["user_id"], rupiah(order["price"])):
            assert shown in confirmed.text, confirmed
