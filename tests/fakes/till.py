"""The till: where everybody's money must be, by the word of others than the shop.

It hears what the supplier answers the shop, and what customers and the owner decide. From that it
follows each payment: held, owed, spent on what has come, turned into credit, or sent by hand.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from tests.fakes.witness import NO_TLS

Row = Mapping[str, Any]
_AMOUNT = re.compile(r"Rp([\d.]+)")


def rupiah_in(text: str, before: str = "") -> int:
    """Read the first amount in a text, or the one after ``before``; 0 if there is none."""
    found = _AMOUNT.search(text, max(text.find(before), 0))
    return int(found[1].replace(".", "")) if found else 0


class Place(StrEnum):
    """Where the money of a purchase is."""

    NOWHERE = "nowhere"  # nothing was paid
    HELD = "held"  # for what is still to come
    DUE = "due"  # likewise, and only the owner can say what becomes of it
    SPENT = "spent"  # what it was paid for has come
    WALLET = "wallet"
    HAND = "hand"  # sent back by the owner


P = Place
_HELD = frozenset({P.HELD, P.DUE})
# What each answer of the owner does, and to money in which places; ``None``: not so simple.
_ANSWERS: Mapping[str, tuple[frozenset[Place], Place | None]] = {
    "paid": (frozenset({P.NOWHERE}), None),
    "unpaid": (frozenset({P.NOWHERE}), P.NOWHERE),
    "credit": (frozenset({P.DUE}), P.WALLET),
    "refunded": (frozenset({P.DUE}), P.HAND),
    "arrived": (_HELD, P.SPENT),
    "give_back": (frozenset({P.HELD, P.SPENT}), None),
    "proceed": (_HELD, None),
}


@dataclass(kw_only=True)
class Purchase:
    """One order: of goods, of credit, or of credit to be paid out. Money in whole rupiah."""

    id: str
    address: str
    method: str
    sold: str  # "goods", "credit" or "cash"
    sku: str
    target: str  # another for each order of goods
    price: int
    asked: int = 0  # in the QR, once it was shown
    believed: int = 0  # as first told by whoever was paid
    received: int = 0
    excess: int = 0  # beyond the price, and credit at once
    by_hand: int = 0
    place: Place = P.NOWHERE
    been: set[Place] = field(default_factory=set)
    orders: int = 0  # that the supplier may have accepted
    most_orders: int = 1
    insisted: bool = False  # the owner wants it delivered, whatever it costs
    disputed: bool = False  # another amount was told of the same payment

    def goes(self, place: Place) -> None:
        if self.sold == "credit" and place is P.SPENT:
            place = P.WALLET
        self.place = place
        self.been.add(place)

    @property
    def held(self) -> int:
        return self.received - self.excess if self.place in _HELD else 0

    @property
    def spent(self) -> int:
        return self.received - self.excess if self.place is P.SPENT else 0

    @property
    def credit(self) -> int:
        """What is in the wallet because of it, less what was taken from there for it."""
        came = self.received if self.place is P.WALLET else self.excess
        return came - (self.received if self.method == "wallet" else 0)


@dataclass
class Till:
    """Every purchase, and what was heard of them. ``to_wallet``: refunds go there at once."""

    to_wallet: bool = True
    purchases: dict[str, Purchase] = field(default_factory=dict)
    given: Counter[str] = field(default_factory=Counter)  # credit, by the owner as a present
    closed: set[str] = field(default_factory=set)  # orders whose QR is not to be paid any more
    listed: dict[str, int] = field(default_factory=dict)  # by sku, as last read by the shop
    dearest: dict[str, int] = field(default_factory=dict)  # likewise, since it was last judged
    heard: deque[tuple[str, Any, Any]] = field(default_factory=deque)  # not taken in yet

    # --- what each person's money has become ---

    def of(self, address: str) -> list[Purchase]:
        return [it for it in self.purchases.values() if it.address == address]

    def paid_by(self, address: str) -> int:
        return sum(it.received for it in self.of(address) if it.method != "wallet")

    def credit_of(self, address: str) -> int:
        return sum(it.credit for it in self.of(address)) + self.given[address]

    def held_of(self, address: str) -> int:
        return sum(it.held for it in self.of(address))

    def got(self, address: str) -> int:
        """What has come, in goods and by hand, for this person's money."""
        return sum(it.spent + it.by_hand for it in self.of(address))

    # --- what people do ---

    def placed(self, it: Purchase) -> None:
        self.purchases[it.id] = it
        if it.method == "wallet":
            assert self.credit_of(it.address) >= it.price, f"L3: {it} is more than the wallet holds"
            it.received = it.price
            it.goes(P.HELD)

    def decided(self, it: Purchase, answer: str, amount: int) -> None:
        """The owner has said it twice; ``amount``: what the owner was asked about."""
        if answer in {"loss", "seen"}:
            return
        places, place = _ANSWERS[answer]
        assert it.place in places, f"the owner was offered {answer} of {it}"
        if place is not None:
            it.goes(place)
            it.by_hand = amount if place is P.HAND else 0
        elif answer == "paid":
            self._is_said_to_be_paid(it)
        elif answer == "give_back":
            self._goes_back(it)
        else:
            it.excess = max(it.received - it.asked, 0) if it.asked else 0
            it.most_orders, it.insisted = it.orders + 1, True
            it.goes(P.SPENT if it.sold == "credit" else P.HELD)

    def _is_said_to_be_paid(self, it: Purchase) -> None:
        if it.method == "dropship":  # whatever was ordered has failed
            it.received = it.believed = it.asked
            it.goes(P.DUE)
        else:
            self.is_paid(it, it.asked)

    # --- what the supplier says ---

    def take_in(self, journal: Iterable[Row], deposits: Mapping[str, str]) -> None:
        """Understand what was heard. ``deposits``: whose order each deposit is for."""
        rows = {row["id"]: row for row in journal}
        by_target = {it.target: it for it in self.purchases.values() if it.target}
        while self.heard:
            what, ref, said = self.heard.popleft()
            if what == "listed":
                self.listed = said
                self.dearest = {sku: max(n, self.dearest.get(sku, 0)) for sku, n in said.items()}
            elif what == "submitted":
                self.is_submitted(by_target[ref], said)
            elif what == "deposit" and ref in deposits:
                self.is_paid(self.purchases[deposits[ref]], said)
            elif what == "order":
                self._hears_of(by_target[rows[ref]["target"]], *said)

    def _hears_of(self, it: Purchase, word: str, payment: str | None) -> None:
        if it.method == "dropship" and payment == "settlement" and not it.received:
            it.received = it.believed = it.asked
            it.goes(P.HELD)
        if it.place is not P.HELD:
            return
        if word == "Success":
            it.goes(P.SPENT)
        elif word in {"Error", "Gagal"}:
            self._goes_back(it)

    def is_paid(self, it: Purchase, amount: int) -> None:
        """The first word about a payment is believed; another amount later is a dispute."""
        if it.received:
            it.disputed |= amount != it.believed
            return
        right = amount in {it.asked, it.price}
        it.believed, it.received = amount, it.asked if right else amount
        if not right:
            it.goes(P.DUE)
        elif it.id in self.closed:
            self._goes_back(it)
        else:
            it.goes(P.SPENT if it.sold == "credit" else P.HELD)

    def is_submitted(self, it: Purchase, outcome: str) -> None:
        """It was ordered from our balance; ``outcome``: "no", "yes", or "?"."""
        assert it.place is P.HELD, f"ordered, and nobody pays for it: {it}"
        assert it.orders < it.most_orders, f"O2: ordered once more: {it}"
        assert it.insisted or self.listed[it.sku] <= it.price, f"O8b: ordered at a loss: {it}"
        if outcome == "no":
            self._goes_back(it)
        else:
            it.orders += 1

    def _goes_back(self, it: Purchase) -> None:
        ours = it.method != "dropship" and (self.to_wallet or it.sold != "goods")
        it.goes(P.WALLET if ours else P.DUE)

    def may_be_too_dear(self, it: Purchase) -> bool:
        """Whether it may be given back because the price rose before it was ordered."""
        prepaid = it.sold == "goods" and it.method != "dropship"
        waits = it.place is P.HELD and prepaid and not it.insisted
        return waits and it.orders < it.most_orders and self.dearest[it.sku] > it.price

    def is_too_dear(self, it: Purchase) -> None:
        self._goes_back(it)


class Line(httpx.AsyncBaseTransport):
    """The line to the supplier: the till listens to what reaches the shop."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._inner = httpx.AsyncHTTPTransport(verify=NO_TLS, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer: dict[str, Any] | None = None
        try:
            response = await self._inner.handle_async_request(request)
            body = await response.aread()
            answer = _read(response.status_code, body)
        finally:
            self._hear(request, answer)
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _hear(self, request: httpx.Request, answer: dict[str, Any] | None) -> None:
        path, till = request.url.path, self._till
        if path.endswith("/order/create"):
            wanted = json.loads(request.content)
            if "selling_price" not in wanted:
                outcome = "?" if answer is None else "yes" if answer["status"] else "no"
                till.heard.append(("submitted", wanted["target"], outcome))
        elif answer is None or answer.get("status") is False:
            return
        elif path.endswith("/services"):
            rows = (row for group in answer["data"].values() for row in group)
            prices = {row["sid"]: int(row["harga"]) for row in rows}
            till.heard.append(("listed", "", prices))
        elif path.endswith("/order/status"):
            said = answer["data"]
            told = (said["status"], said.get("payment_status"))
            till.heard.append(("order", said["id"], told))
        else:
            told_of = answer["data"] if path.endswith("/payment/history") else [answer]
            for row in told_of if "/payment/" in path else ():
                if row["status"] == "settlement":
                    till.heard.append(("deposit", row["orderId"], int(row["amount"])))


def _read(status: int, body: bytes) -> dict[str, Any] | None:
    """Return an answer that can be understood."""
    if status == 429 or status >= 500:
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
