"""A parlour: the conversation over real books in memory, without a channel and without a network.

What a supplier would have said is said by the test. Messages the shop owes are drawn and handed
over by ``post``; nothing happens by itself, and time stands still until ``clock`` is moved.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TypeAlias
from zoneinfo import ZoneInfo

from hypothesis import settings

from bot.conversation.engine import Conversation, Said
from bot.conversation.letters import Drawn, Letter
from bot.conversation.notices import draw
from bot.conversation.room import Face, Room
from bot.conversation.texts import LANGUAGES, Texts, read_catalogue
from bot.conversation.views import (
    Draft,
    Incoming,
    Session,
    Shared,
    StepId,
    View,
    What,
    read_button,
    read_text,
)
from bot.owner.desk import OwnersDesk
from shop import entries, fulfilment, ledger, settling
from shop.catalogue import Game, read_games
from shop.goods import read_words
from shop.orders import Order, Status
from shop.payments import PaymentMethod
from shop.pricing import PriceRule
from shop.rules import Rules
from shop.suppliers import (
    Abilities,
    FormField,
    Invoice,
    InvoiceReport,
    InvoiceState,
    Listing,
    TopupReport,
)
from shop.time import MINUTE, SECOND
from storage.books import SqlBooks
from storage.sqlite import SqliteTransaction
from tests.bot.conversation.memory import Clock, Sessions, empty_books, open_memory

# Every example opens books of its own, on machines that are busy with other things.
unhurried = settings(deadline=None, max_examples=80)

NOON = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta
OWNER = "web:owner"
SUPPLIER = "zultopup"
GAMES = read_games((files("shop") / "games.toml").read_text("utf-8"))
WORDS = read_words((files("shop") / "goods.toml").read_text("utf-8"))
TEXTS: Mapping[str, Texts] = {
    language: Texts(
        language=language,
        catalogue=read_catalogue(
            (files("bot.conversation") / "locales" / f"{language}.po").read_text("utf-8")
        ),
        zone=ZoneInfo("Asia/Jakarta"),
    )
    for language in LANGUAGES
}
BACK = TEXTS["id"]("button.back")
OTHERS = ("zonegame", "senpay", "kiosgame", "apigames")
FACE = Face(
    name="Lapak Top Up",
    support="@lapak_help",
    games=GAMES,
    suppliers=(SUPPLIER,),
    balances=(SUPPLIER,),
    dropshippers=(SUPPLIER,),
)
RULES = Rules(
    prices=PriceRule(margin_bp=500, margin_min=500, round_to=100, dropship_bp=1200),
    poll=5 * SECOND,
    holds_for=15 * MINUTE,
    abilities={SUPPLIER: Abilities(dropships=True), **dict.fromkeys(OTHERS, Abilities())},
    suppliers=(SUPPLIER,),
    targets={SUPPLIER: "{user_id}{server_id}"},
    games={game.slug: game for game in GAMES},
    words=WORDS,
)
QRIS = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)
# A shop that can be paid in every way.
EVERY_WAY = replace(RULES, methods=tuple(PaymentMethod), qris=QRIS, deposits_at=SUPPLIER)

# game slug -> (sku, item, listed price, the fields of its supplier's form), ...
Shelf: TypeAlias = Mapping[str, Sequence[tuple[str | int | FormField, ...]]]
SHELF: Shelf = {
    "free-fire": [
        ("1", "70 Diamond", 10_000), ("2", "5 Diamond", 850), ("5", "140 Diamond", 19_900),
    ],
    "free-fire-max": [("24", "70 Diamond", 10_100)],
    "mobile-legends": [("45", "86 Diamond", 19_100), ("46", "172 Diamond", 38_000)],
    "valorant": [("101", "475 VP", 52_800)],
    "genshin-impact": [("121", "60 Genesis Crystals", 12_400)],
}  # fmt: skip


@dataclass
class Parlour:
    """Everything a conversation needs, and nothing else."""

    owners: Sequence[str] = (OWNER,)
    face: Face = FACE
    rules: Rules = RULES
    language: str = "id"
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    sessions: Sessions = field(default_factory=Sessions)
    guests: dict[str, "Guest"] = field(default_factory=dict)
    _tokens: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.connection = open_memory(empty_books())
        self.arrange(self.rules)
        self.open(self.face)
        self.stock(SHELF)

    def arrange(self, rules: Rules) -> None:
        """Let the owner have decided this from now on."""
        self.rules = rules
        self.books = SqlBooks(SqliteTransaction(self.connection), rules, self.owners)

    def restart(self) -> None:
        """Start the shop anew: only what was written down is known."""
        content = self.connection.serialize()
        self.close()
        self.connection = open_memory(content)
        self.arrange(self.rules)
        self.open(self.face)

    def open(self, face: Face) -> None:
        """Open the shop, perhaps with other settings, on the same books and sessions."""
        self.face = face
        self.conversation = Conversation(
            face=face, texts=TEXTS, language=self.language, desk=OwnersDesk(self.owners)
        )

    def close(self) -> None:
        self.connection.close()

    def guest(self, name: str = "budi", limit: int = 12, address: str = "") -> "Guest":
        address = address or f"web:{name}"
        return self.guests.setdefault(address, Guest(self, address, limit))

    def room(self, address: str = "web:budi", language: str = "id", **more: object) -> Room:
        return Room(
            face=self.face,
            books=self.books,
            texts=TEXTS[language],
            address=address,
            now=self.clock(),
            token="ROOMTOKEN2",
            **more,  # type: ignore[arg-type]
        )

    def take_turn(self, address: str, incoming: Incoming, input_id: str, limit: int) -> View | None:
        """One turn in one transaction; undone if it raises."""
        said = Said(
            address=address,
            incoming=incoming,
            input_id=input_id,
            now=self.clock(),
            token=f"ORDER{next(self._tokens):05d}",
            limit=limit,
        )
        self.connection.execute("BEGIN")
        try:
            turn = self.conversation.turn(self.books, self.sessions, said)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return turn.view

    # --- the world outside ---

    def stock(self, shelf: Shelf, supplier: str = SUPPLIER) -> None:
        """Let this be all that the supplier lists now."""
        listings = [
            (
                game,
                Listing(
                    sku=sku, category=game, name=item, price=price, available=True, form=tuple(form)
                ),
            )  # type: ignore[arg-type]
            for game, items in shelf.items()
            for sku, item, price, *form in items
        ]
        self.books.shelf.replace(supplier, listings, self.clock())

    @property
    def orders(self) -> list[Order]:
        ids = self.connection.execute("SELECT id FROM orders ORDER BY created_at, id").fetchall()
        return [self.order(row["id"]) for row in ids]

    def order(self, order_id: str) -> Order:
        order = self.books.orders.get(order_id)
        assert order is not None
        return order

    def show_qr(self, order_id: str, **more: object) -> Order:
        """The supplier opens the invoice of an order that was placed."""
        order = self.order(order_id)
        asked = settling.start_opening(self.books, order, self.clock() + MINUTE, self.clock())
        invoice = Invoice(
            supplier_ref=f"ref-{order_id}",
            number=f"INV-{order_id}",
            amount=order.price,
            cost=order.cost,
            qr="https://supplier.example/qr.png",
            link="https://supplier.example/pay",
            expires_at=self.clock() + 15 * MINUTE,
        )
        return settling.opened(self.books, asked, replace(invoice, **more), self.clock())  # type: ignore[arg-type]

    def hear(
        self, order_id: str, state: InvoiceState, *, serial: str = "", note: str = ""
    ) -> Order:
        """The supplier answers a question about an order."""
        report = InvoiceReport(state=state, serial=serial, note=note)
        return settling.heard(self.books, order_id, report, self.clock(), self.clock())

    def deliver(self, order_id: str, serial: str = "") -> Order:
        return self.hear(
            order_id, InvoiceState.DELIVERED, serial=serial or f"SN-{order_id}", note="Success"
        )

    def fund(self, amount: int, account: str = ledger.supplier(SUPPLIER)) -> None:
        """The owner brings money into an account; in whole rupiah."""
        key = f"fund:{next(self._tokens)}"
        entries.post_own(self.books, account, amount, key, self.clock())

    def give_credit(self, guest: "Guest", amount: int) -> None:
        """Let a guest have store credit; in whole rupiah."""
        self.fund(-amount, ledger.wallet(guest.address))

    def deposited(self, order_id: str, amount: int | None = None) -> Order:
        """The supplier says that a deposit was paid."""
        report = InvoiceReport(state=InvoiceState.SETTLED, amount=amount)
        return settling.heard(self.books, order_id, report, self.clock(), self.clock())

    def supply(self, order_id: str, outcome: fulfilment.Outcome) -> Order:
        """Have a paid order delivered from our balance, with this answer."""
        order = self.order(order_id)
        asked = fulfilment.start(self.books, order, self.clock() + MINUTE, self.clock())
        if asked.status is not Status.SUBMITTING:  # it has become too dear
            return asked
        return fulfilment.submitted(self.books, asked, outcome, self.clock())

    def told(self, order_id: str, report: TopupReport) -> Order:
        """The supplier answers a question about an order paid from our balance."""
        return fulfilment.reported(
            self.books, self.order(order_id), report, self.clock(), self.clock()
        )

    def post(self) -> None:
        """Hand over every message that is owed now."""
        while due := self.books.outbox.due(self.clock(), 100):
            for owed in due:
                self.books.outbox.sent(owed, self.clock())
                guest = self.guests.get(owed.notice.address)
                if guest is not None:
                    language = self.sessions.load(guest.address).language or self.language
                    guest.receive(draw_notice(owed.notice, language, self.face))

    def bought(
        self, guest: "Guest", account: str = "123456789", game: str = "Free Fire", item: str = "70"
    ) -> Order:
        """Let a guest buy something and get it."""
        self.clock.advance(11 * SECOND)  # orders of a person keep a distance
        guest.walks_to_confirmation(game, item, account)
        guest.taps("Bayar" if guest.language == "id" else "Pay")
        order = self.orders[-1]
        self.show_qr(order.id)
        self.deliver(order.id)
        self.post()
        return self.order(order.id)


def draw_notice(notice: object, language: str = "id", face: Face = FACE) -> Drawn:
    return draw(Letter(notice=notice, texts=TEXTS[language], face=face, picture=b"\x89PNG"))  # type: ignore[arg-type]


class Guest:
    """Someone in the parlour: says, taps, and keeps every view ever shown."""

    def __init__(self, parlour: Parlour, address: str, limit: int) -> None:
        self.parlour = parlour
        self.address = address
        self.limit = limit
        self.views: list[View] = []
        self._inputs = itertools.count(1)
        self.last_input = ""

    @property
    def language(self) -> str:
        return self.session.language or self.parlour.language

    @property
    def session(self) -> Session:
        return self.parlour.sessions.load(self.address)

    @property
    def step(self) -> StepId | None:
        return self.session.step

    @property
    def draft(self) -> Draft:
        return self.session.draft

    @property
    def last(self) -> View:
        return self.views[-1]

    @property
    def labels(self) -> list[str]:
        return [choice.label for choice in self.last.choices]

    def does(self, incoming: Incoming, input_id: str = "") -> View | None:
        self.last_input = input_id or f"i{next(self._inputs)}"
        view = self.parlour.take_turn(self.address, incoming, self.last_input, self.limit)
        if view is not None:
            self.views.append(view)
        return view

    def says(self, text: str, input_id: str = "") -> View:
        view = self.does(read_text(text), input_id)
        return self.last if view is None else view

    def presses(self, data: str, input_id: str = "") -> View | None:
        return self.does(read_button(data), input_id)

    def shares(self, what: What, file: str = "") -> View | None:
        return self.does(Shared(what, file))

    def taps(self, label: str, on: View | None = None, input_id: str = "") -> View | None:
        return self.presses(self.button(label, on), input_id)

    def button(self, label: str, on: View | None = None) -> str:
        """The data of the newest button with that label in it."""
        for view in [on] if on else reversed(self.views):
            for choice in view.choices:
                if label in choice.label or label == choice.id:
                    return choice.data
        raise AssertionError(f"no button {label!r} in {self.labels}")

    def receive(self, drawn: Drawn) -> None:
        self.views.append(drawn.view)

    def sees(self, *parts: str) -> View:
        """The newest view with all of these in it."""
        for view in reversed(self.views):
            if all(part in whole(view) for part in parts):
                return view
        raise AssertionError(f"{parts} is nowhere in {[whole(view) for view in self.views]}")

    def walks_to_account(self, game: str = "Free Fire", item: str = "70") -> View:
        self.says("/start")
        self.says(game)
        self.taps(item)
        return self.last

    def walks_to_confirmation(
        self, game: str = "Free Fire", item: str = "70", account: str = "123456789"
    ) -> View:
        self.walks_to_account(game, item)
        self.says(account)
        assert self.step is StepId.CONFIRM, self.last
        return self.last


def whole(view: View) -> str:
    """Everything written in a view but its choices."""
    return "\n".join([view.title, view.text, view.copy, view.link])


def wide(text: str) -> str:
    """ASCII as East Asian keyboards may write it: full width."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def without(game: str, games: Sequence[Game] = GAMES) -> Face:
    """The shop after its owner took a game away."""
    return replace(FACE, games=tuple(each for each in games if each.slug != game))
