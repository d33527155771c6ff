"""What the shop has stored and said, compared with what the till knows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.conversation.views import View
from shop.time import HOUR
from tests.fakes.chat import Person
from tests.fakes.street import Street
from tests.fakes.till import Place, Row, Till, rupiah_in
from tests.fakes.witness import whole

CUSTOMERS = ("budi", "siti", "andi")
# What is said of an order only once its money has been there.
SAID: Mapping[str, frozenset[Place]] = {
    "Top up masuk!": frozenset({Place.SPENT}),
    "✅ Selesai": frozenset({Place.SPENT, Place.WALLET}),
    "sudah dikirim pemilik toko": frozenset({Place.SPENT}),
    "sudah masuk. Lihat dan pakai": frozenset({Place.WALLET}),
    "ke saldomu.": frozenset({Place.WALLET}),
    "Dana masuk ke saldomu": frozenset({Place.WALLET}),
    "sudah dikembalikan": frozenset({Place.HAND}),
    "akan dikembalikan": frozenset({Place.DUE}),
    "dikembalikan oleh pemilik toko": frozenset({Place.DUE}),
    "Uangmu tercatat": frozenset({Place.HELD, Place.DUE}),
    "✅ Dibayar": frozenset(Place) - {Place.NOWHERE},
}
PLACE_OF: Mapping[str, Place] = {
    "placed": Place.NOWHERE,
    "opening": Place.NOWHERE,
    "awaiting_payment": Place.NOWHERE,
    "expired": Place.NOWHERE,
    "cancelled": Place.NOWHERE,
    "paid": Place.HELD,
    "submitting": Place.HELD,
    "processing": Place.HELD,
    "unsure": Place.HELD,
    "delivered": Place.SPENT,
    "refund_due": Place.DUE,
}


def place_of(row: Row) -> Place:
    """Where the shop says that the money of an order is."""
    if row["status"] == "refunded":
        return Place.WALLET if row["returned"] == "wallet" else Place.HAND
    if (row["status"], row["sku"]) == ("delivered", "credit"):
        return Place.WALLET
    return PLACE_OF[row["status"]]


@dataclass
class Judge:
    """Compares. What was read last is kept: orders by id, the order of each deposit, open cases."""

    there: Street
    till: Till
    logs: list[Any]
    people: dict[str, Person] = field(default_factory=dict)
    seen: set[tuple[str, int]] = field(default_factory=set)  # messages already judged
    known: dict[str, Row] = field(default_factory=dict)
    deposits: dict[str, str] = field(default_factory=dict)
    cases: list[Row] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.people.update({name: self.there.person(name) for name in (*CUSTOMERS, "owner")})

    def look(self) -> set[str]:
        """Read what the shop has stored."""
        with self.there.onlooker.look() as tx:
            orders = [dict(row) for row in tx.fetch("SELECT * FROM orders")]
            invoices = tx.fetch("SELECT order_id, supplier_ref FROM invoices")
            self.deposits = {row["supplier_ref"]: row["order_id"] for row in invoices}
            cases = "SELECT * FROM cases WHERE closed_at IS NULL ORDER BY opened_at"
            self.cases = [dict(row) for row in tx.fetch(cases)]
            found = tx.fetch("SELECT account, SUM(balance) AS n FROM accounts GROUP BY account")
            self.balances = {row["account"]: int(row["n"]) for row in found}
        self.known = {row["id"]: row for row in orders}
        return set(self.known)

    def remembers_what_is_closed(self) -> None:
        """A payment heard of during the next step is late for these."""
        self.look()
        closed = {"expired", "cancelled"}
        self.till.closed = {name for name, row in self.known.items() if row["status"] in closed}

    def judge(self) -> None:
        self.look()
        self.till.take_in(self.there.journal, self.deposits)
        self.money_is_where_it_must_be()
        self.wallets_and_what_is_held_are_right()
        self.nothing_is_ordered_twice()
        self.messages_are_true()
        self.till.dearest = dict(self.till.listed)
        broken = self.there.broken()
        assert not broken, broken
        raised = [line for line in self.logs if line["log_level"] in {"error", "critical"}]
        assert not raised, f"raised where nobody saw it: {raised}"

    def money_is_where_it_must_be(self) -> None:
        """L6: of each order the shop says what the others say."""
        assert self.known.keys() == self.till.purchases.keys()
        for it in self.till.purchases.values():
            row = self.known[it.id]
            if place_of(row) in {Place.WALLET, Place.DUE} and self.till.may_be_too_dear(it):
                self.till.is_too_dear(it)
            here = (place_of(row), row["received"], row["excess"])
            assert here == (it.place, it.received, it.excess), f"L6: {row}, but {it}"
            if it.disputed:
                asked = self.there.rows(f"SELECT 1 AS n FROM cases WHERE id LIKE '{it.id}-p%'")
                assert asked, f"L8b: another amount was told, and nobody asks the owner: {it}"

    def wallets_and_what_is_held_are_right(self) -> None:
        """L3, L7: what somebody paid is what came, went back, is credit, or is still held."""
        for person in self.people.values():
            credit = -self.balances.get(f"wallet:{person.address}", 0)
            held = sum(
                row["received"] - row["excess"]
                for row in self.known.values()
                if row["address"] == person.address and place_of(row) in {Place.HELD, Place.DUE}
            )
            assert credit >= 0, f"L3: {person.address} has {credit}"
            assert credit == self.till.credit_of(person.address), f"L7: credit of {person.address}"
            total = self.till.got(person.address) + credit + held
            paid = self.till.paid_by(person.address) + self.till.given[person.address]
            assert paid == total, f"L7: {person.address} paid {paid}, has {total}"
        held = sum(it.held for it in self.till.purchases.values())
        assert -self.balances.get("held", 0) == held, "L7: what is held"

    def nothing_is_ordered_twice(self) -> None:
        """O2: one accepted order for a payment, and one more each time that the owner says so."""
        accepted = Counter((row["target"], row["mode"]) for row in self.there.journal)
        by_target = {it.target: it for it in self.till.purchases.values() if it.target}
        for (target, mode), count in accepted.items():
            it = by_target[target]
            most = 1 if mode == "dropship" else it.orders
            assert count <= most, f"O2: accepted {count} times: {it}"
            assert (mode == "dropship") == (it.method == "dropship"), it

    def reads_qrs(self, person: Person) -> None:
        """What is asked for is what the QR says."""
        for message in person.messages:
            for it in self.till.of(person.address):
                shown = message.view.title.startswith("Bayar Rp") and it.id in message.view.text
                if shown and not it.asked:
                    it.asked = rupiah_in(message.view.title)

    def messages_are_true(self) -> None:
        """M1, M3: nothing is said before it is so, nor to anybody else."""
        for name in CUSTOMERS:
            person = self.people[name]
            self.reads_qrs(person)
            for message in person.messages:
                if (message.id, message.edited) not in self.seen:
                    self.seen.add((message.id, message.edited))
                    self.is_true(person.address, message.view)

    def is_true(self, address: str, view: View) -> None:
        text = whole(view)
        for it in self.till.purchases.values():
            theirs = it.address == address
            for word in (it.id, it.target) if it.target else (it.id,):
                assert theirs or word not in text, f"M1: {word} at {address}: {view}"
        of = [it for it in self.till.of(address) if it.id in view.title + view.text]
        if len(of) != 1:
            return
        [it] = of
        for words, places in SAID.items():
            if words in f"{view.title}\n{view.text}":
                assert it.been & places, f"M3: {words!r} too early of {it}"

    def credit_is_right(self, person: Person) -> None:
        """Whoever is shown a balance is shown their own."""
        for words in ("Saldomu: ", "Saldomu ", "Saldomu sekarang "):
            if f"{words}Rp" in person.last.text:
                shown = rupiah_in(person.last.text, f"{words}Rp")
                assert shown == self.till.credit_of(person.address), person.last

    def nobody_is_forgotten(self) -> None:
        """After a day without trouble: nothing is left that nobody looks after."""
        self.judge()
        asked = {case["order_id"] for case in self.cases}
        for it in self.till.purchases.values():
            assert not it.held or it.id in asked, f"O1: nobody looks after {it}"
        for row in (*self.there.journal, *self.there.deposits):
            paid_at = row["paid_at"] if "mode" in row else _first_payment(row)
            in_time = paid_at is not None and paid_at < (row["expires_at"] or 0) + 23 * HOUR
            if in_time and row["id"] in self.deposits:
                it = self.till.purchases[self.deposits[row["id"]]]
                assert it.received, f"L6: paid, and forgotten: {it}"
        real = self.there.simulator.journal()["balance"]
        written = self.balances["supplier:zultopup"]
        agrees = real == written or any(case["kind"] == "balance" for case in self.cases)
        unsure = any(row["status"] == "unsure" for row in self.known.values())
        assert agrees or unsure, f"the books say {written}, the supplier says {real}"


def _first_payment(deposit: Row) -> int | None:
    payments: Sequence[Row] = deposit["payments"]
    return payments[0]["at"] if payments else None
