"""What a message about an order is drawn from, and what comes of it."""

from dataclasses import dataclass

from bot.conversation.room import Face, Room
from bot.conversation.texts import Texts
from bot.conversation.views import View
from shop.catalogue import is_undescribed, server_title, undescribed
from shop.notices import Facts, Notice, NoticeKind, facts_of
from shop.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A notice as a view. ``slot`` names what may be edited later; ``edit``: edit that one."""

    view: View
    slot: str = ""
    edit: bool = False
    only_edit: bool = False  # nothing to send where nothing can be edited


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a notice is drawn from. ``picture``: of its QR; ``link``: where there is no picture."""

    notice: Notice
    texts: Texts
    face: Face
    picture: bytes | None = None
    link: str = ""

    @property
    def facts(self) -> Facts:
        return self.notice.facts

    def text(self, name: str) -> str:
        value = self.facts.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        value = self.facts.get(name)
        return value if isinstance(value, int) else 0

    @property
    def game(self) -> str:
        slug = self.text("game")
        known = next((game.title for game in self.face.games if game.slug == slug), slug)
        return undescribed(slug).title if is_undescribed(slug) else known

    @property
    def account(self) -> str:
        user_id, server = self.text("user_id"), self.text("server")
        if not server:
            return user_id
        game = next((g for g in self.face.games if g.slug == self.text("game")), None)
        return f"{user_id} ({server if game is None else server_title(game, server)})"

    def about(self, text_id: str) -> str:
        """Return the text for goods, or the one for what the shop itself sells."""
        sold = self.text("sold")
        return f"{text_id}.{sold}" if sold else text_id

    @property
    def support(self) -> str:
        return self.face.support or self.face.name

    def say(self, text_id: str, **more: object) -> str:
        """Return a text with everything about the order at hand."""
        expires_at, until = self.facts.get("expires_at"), self.facts.get("until")
        return self.texts(
            text_id,
            order=self.notice.order_id,
            game=self.game,
            item=self.text("item"),
            account=self.account,
            price=self.texts.money(self.number("price")),
            amount=self.texts.money(self.number("amount")),
            asked=self.texts.money(self.number("asked") or self.number("amount")),
            ends="" if expires_at is None else self.texts.time(self.number("expires_at")),
            at=self.texts.date(self.number("at")),
            until="" if until is None else self.texts.time(self.number("until")),
            serial=self.text("serial"),
            support=self.support,
            buyer=self.text("buyer") or self.notice.address,
            **more,
        )


def letter_about(order: Order, room: Room) -> Letter:
    """Return a letter that says how an order stands now."""
    notice = Notice(
        key="",
        kind=NoticeKind.STATUS,
        address=order.address,
        order_id=order.id,
        facts=facts_of(order),
    )
    return Letter(notice=notice, texts=room.texts, face=room.face)
