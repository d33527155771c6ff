"""Send what is owed: at least once, in order for each chat, no chat waiting for another."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from bot.conversation.channels import CannotEdit, Sender, TryLater, Unreachable
from bot.conversation.notices import Drawn, Letter, draw
from bot.conversation.room import Face
from bot.conversation.texts import Texts
from bot.logs import get_logger
from bot.workers.waiting import wait
from shop.notices import Notice, NoticeKind
from shop.orders import Order, Status
from shop.time import MINUTE, SECOND, Millis
from storage.books import BookKeeper, SqlBooks
from storage.outbox import Owed

log = get_logger(__name__)

AT_ONCE = 32
_LONGEST_PAUSE: Millis = 300 * SECOND
_AFTER_NO_NOTE = 1.0  # seconds
_FOR_OWNERS = frozenset({NoticeKind.CASE, NoticeKind.ALERT})
_OWNER_AWAY: Millis = 15 * MINUTE
_MUST_ARRIVE = frozenset({NoticeKind.DELIVERED, NoticeKind.SERIAL, NoticeKind.REFUND_DUE})

# order -> (picture of its QR, link to pay on): one of them, or neither
Pictures = Callable[[Order], Awaitable[tuple[bytes | None, str]]]


class OutboxWorker:
    """Drains the outbox through the channels' senders."""

    def __init__(
        self,
        *,
        keeper: BookKeeper,
        senders: Mapping[str, Sender],
        face: Face,
        texts_of: Callable[[str], Awaitable[Texts]],
        pictures: Pictures,
        clock: Callable[[], Millis],
    ) -> None:
        self._keeper = keeper
        self._senders = senders
        self._face = face
        self._texts_of = texts_of
        self._pictures = pictures
        self._clock = clock
        self._bell = keeper.bell()
        self._sending: dict[str, asyncio.Task[None]] = {}
        # Sent, while nothing can be stored: not to be sent again, only to be noted.
        self._unnoted: dict[tuple[str, int], tuple[str, str]] = {}

    async def run(self) -> None:
        """Send until cancelled; what is being sent then is finished."""
        try:
            while True:
                try:
                    until = await self._round()
                except Exception:
                    log.exception("outbox.round_failed")
                    until = self._clock() + SECOND
                await wait(self._bell, until, self._clock)
        finally:
            if self._sending:
                await asyncio.wait(self._sending.values(), timeout=4)

    async def drain(self) -> None:
        """Send everything that is due now, and what that brings about."""
        while await self._keeper.read(lambda books: books.outbox.due(self._clock(), 1)):
            await self._round()
            await asyncio.gather(*self._sending.values())

    async def _round(self) -> Millis | None:
        """Start sending what is due and not being sent; return when to look again."""
        now = self._clock()
        # Before reading: what is sent and noted while we read is still due in what we read.
        busy = frozenset(self._sending)
        due, next_at = await self._keeper.read(
            lambda books: (books.outbox.due(now, 4 * AT_ONCE), books.outbox.next_at(now))
        )
        for owed in due:
            address = owed.notice.address
            if address not in busy and len(self._sending) < AT_ONCE:
                task = asyncio.create_task(self._send(owed), name=f"send to {address}")
                self._sending[address] = task
                task.add_done_callback(partial(self._sent, address))
        return next_at

    def _sent(self, address: str, _: asyncio.Task[None]) -> None:
        del self._sending[address]
        self._bell.set()

    async def _send(self, owed: Owed) -> None:
        """Send one message and note what became of it."""
        try:
            await self._send_and_note(owed)
        except Exception:
            log.exception("outbox.not_noted", key=owed.notice.key)
            await asyncio.sleep(_AFTER_NO_NOTE)

    async def _send_and_note(self, owed: Owed) -> None:
        place = (owed.notice.address, owed.seq)
        try:
            if place not in self._unnoted:
                self._unnoted[place] = await self._deliver(owed)
        except TryLater as error:
            await self._later(owed, error.after, str(error))
        except Unreachable as error:
            await self._give_up(owed, str(error))
        except Exception:
            log.exception("outbox.send_failed", key=owed.notice.key)
            await self._later(owed, None, "unexpected")
        else:
            now, (slot, message_id) = self._clock(), self._unnoted[place]
            await self._keeper.write(lambda books: books.outbox.sent(owed, now, slot, message_id))
            del self._unnoted[place]

    async def _deliver(self, owed: Owed) -> tuple[str, str]:
        """Send or edit one message; return where it may be edited later."""
        notice = owed.notice
        sender = self._senders.get(notice.address.partition(":")[0])
        if sender is None:
            raise Unreachable("this channel is not switched on")
        drawn, shown = await self._draw(notice)
        if drawn is None:
            return "", ""
        if drawn.edit and shown and sender.edits:
            try:
                await sender.edit(notice.address, shown, drawn.view)
            except CannotEdit:
                log.info("outbox.cannot_edit", key=notice.key)
            else:
                return drawn.slot, shown
        if drawn.only_edit:
            return "", ""
        return drawn.slot, await sender.send(notice.address, drawn.view, notice.key)

    async def _draw(self, notice: Notice) -> tuple[Drawn | None, str]:
        """Return what to show, if it still makes sense, and the message it may replace."""
        picture, link = None, ""
        if notice.kind is NoticeKind.QR:
            order = await self._keeper.read(lambda books: books.orders.get(notice.order_id))
            if order is None or order.status is not Status.AWAITING_PAYMENT:
                return None, ""  # paid, cancelled or lapsed before it could be shown
            picture, link = await self._pictures(order)
        texts = await self._texts_of(notice.address)
        drawn = draw(
            Letter(notice=notice, texts=texts, face=self._face, picture=picture, link=link)
        )
        shown = await self._keeper.read(
            lambda books: books.outbox.shown_as(notice.order_id, notice.address, drawn.slot)
        )
        return drawn, shown

    async def _later(self, owed: Owed, after: Millis | None, why: str) -> None:
        pause = (
            after if after is not None else min(2 ** min(owed.tries, 9) * SECOND, _LONGEST_PAUSE)
        )
        due_at = self._clock() + pause
        log.warning("outbox.later", key=owed.notice.key, tries=owed.tries + 1, why=why)
        await self._keeper.write(lambda books: books.outbox.later(owed, due_at))

    async def _give_up(self, owed: Owed, why: str) -> None:
        if owed.notice.kind in _FOR_OWNERS:  # who may only have to press /start once
            await self._later(owed, _OWNER_AWAY, why)
            return
        log.warning("outbox.undeliverable", key=owed.notice.key, why=why)
        now = self._clock()
        await self._keeper.write(lambda books: _undeliverable(books, owed, why, now))


def _undeliverable(books: SqlBooks, owed: Owed, why: str, now: Millis) -> None:
    books.outbox.undeliverable(owed, why)
    notice = owed.notice
    if notice.kind in _MUST_ARRIVE:
        alert = Notice(
            key=f"undeliverable:{notice.key}",
            kind=NoticeKind.ALERT,
            address="",
            order_id=notice.order_id,
            facts={"alert": "undeliverable", "evidence": notice.address},
        )
        books.outbox.owe_owners(alert, now)
