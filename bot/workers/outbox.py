"""Send what is owed: at least once, in order for each lane of a chat, no chat waiting for another.

A message about an order never waits for the slow lane, and what was never tried does not wait for
what failed before: ``_SHARES`` says how much of the sending each may take up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bot.conversation.channels import CannotEdit, Sender, TryLater, Unreachable
from bot.conversation.letters import Drawn, Letter
from bot.conversation.notices import draw
from bot.conversation.room import Face
from bot.conversation.texts import Texts
from bot.logs import get_logger
from bot.workers.waiting import wait
from shop import moving
from shop.notices import FOR_OWNERS, Lane, Notice, NoticeKind
from shop.orders import Order, Status
from shop.time import HOUR, MINUTE, SECOND, Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, Unwritable
from storage.outbox import Owed, SqlOutbox

log = get_logger(__name__)

AT_ONCE: Final = 32
SEND_WITHIN: Final = 60.0  # seconds; longer than any channel's own timeouts for one message
_FINISH_WITHIN: Final = 2.5  # seconds, for what is being sent when the shop is told to stop
_GO_WITHIN: Final = 0.5  # seconds, for what was not finished by then
_AFTER_NO_NOTE: Final = 1.0  # seconds
_LONGEST_PAUSE: Final[Millis] = 300 * SECOND
_OWNER_AWAY: Final[Sequence[Millis]] = (15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR)
# All chats that are being written to may still be due in what is read; as many others are wanted.
_READ: Final = 2 * AT_ONCE

# order -> (picture of its QR, link to pay on): one of them, or neither
Pictures = Callable[[Order], Awaitable[tuple[bytes | None, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """How many messages of a lane may be being sent; ``again``: of those that failed before."""

    most: int
    again: int


_SHARES: Mapping[Lane, _Share] = {
    Lane.ORDERS: _Share(most=AT_ONCE - 1, again=AT_ONCE // 2),  # one place is always the others'
    Lane.SLOW: _Share(most=AT_ONCE // 4, again=AT_ONCE // 8),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    task: asyncio.Task[None]
    lane: Lane
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A message that was sent, at ``at``, and where it may be edited later."""

    owed: Owed
    at: Millis
    slot: str
    message_id: str


class OutboxWorker:
    """Drains the outbox through the channels' senders.

    ``send_within``: how long one message may take, in seconds.
    """

    def __init__(
        self,
        *,
        keeper: BookKeeper,
        senders: Mapping[str, Sender],
        face: Face,
        texts_of: Callable[[str], Awaitable[Texts]],
        pictures: Pictures,
        clock: Callable[[], Millis],
        send_within: float = SEND_WITHIN,
    ) -> None:
        self._keeper = keeper
        self._senders = senders
        self._face = face
        self._texts_of = texts_of
        self._pictures = pictures
        self._clock = clock
        self._send_within = send_within
        self._bell = keeper.bell()
        self._sending: dict[str, _Sending] = {}
        # By address; while nothing can be stored. Not to be sent again, only to be noted.
        self._unnoted: dict[str, _Sent] = {}

    async def run(self) -> None:
        """Send until cancelled; what is being sent then has three seconds to finish."""
        try:
            while True:
                try:
                    until = await self._round()
                except Exception:
                    log.exception("outbox.round_failed")
                    until = self._clock() + SECOND
                await wait(self._bell, until, self._clock)
        finally:
            await self._finish()

    async def drain(self) -> None:
        """Send everything that is due now, and what that brings about.

        Raises ``Unwritable`` or ``Busy`` if what was sent cannot be noted.
        """
        while await self._keeper.read(lambda books: books.outbox.due(self._clock(), 1)):
            await self._round()
            if not self._sending:
                return
            await asyncio.wait([sending.task for sending in self._sending.values()])

    async def _finish(self) -> None:
        tasks = [sending.task for sending in self._sending.values()]
        for within in (_FINISH_WITHIN, _GO_WITHIN):
            if tasks:
                _, late = await asyncio.wait(tasks, timeout=within)
                tasks = list(late)
            for task in tasks:
                task.cancel()

    async def _round(self) -> Millis | None:
        """Start sending what is due and not being sent; return when to look again."""
        await self._note_what_was_sent()
        if len(self._sending) >= AT_ONCE:
            return None
        now = self._clock()
        # Before reading: what is sent and noted while we read is still due in what we read.
        busy = {*self._sending, *self._unnoted}
        lanes = [lane for lane in Lane if lane is Lane.ORDERS or self._has_room_in(lane)]
        due, next_at = await self._keeper.read(
            lambda books: (_to_send(books.outbox, lanes, now), books.outbox.next_at(now))
        )
        for owed in due:
            address = owed.notice.address
            if address not in busy and self._has_room_for(owed):
                self._start(owed)
            busy.add(address)  # also if its order's message must wait: no slow one goes before it
        return next_at

    def _has_room_for(self, owed: Owed) -> bool:
        return len(self._sending) < AT_ONCE and self._has_room_in(owed.lane, again=owed.tries > 0)

    def _has_room_in(self, lane: Lane, *, again: bool = False) -> bool:
        """Tell whether ``lane`` has a place left, for what failed before or for the rest."""
        same = [sending for sending in self._sending.values() if sending.lane is lane]
        share = _SHARES[lane]
        failed = sum(sending.again for sending in same)
        return len(same) < share.most and (not again or failed < share.again)

    def _start(self, owed: Owed) -> None:
        address = owed.notice.address
        task = asyncio.create_task(self._send(owed), name=f"send to {address}")
        self._sending[address] = _Sending(task=task, lane=owed.lane, again=owed.tries > 0)
        task.add_done_callback(partial(self._done, address))

    def _done(self, address: str, _: asyncio.Task[None]) -> None:
        del self._sending[address]
        self._bell.set()

    async def _note_what_was_sent(self) -> None:
        """Note what was sent while nothing could be stored. Raises ``Unwritable`` or ``Busy``.

        Nothing more is sent while that lasts: a crash would have all of it sent again.
        """
        for address in [address for address in self._unnoted if address not in self._sending]:
            try:
                await self._note(address)
            except (Unwritable, Busy):
                raise
            except Exception:  # it alone cannot be noted: it is not sent again, that is all
                log.exception("outbox.not_noted", address=address)

    async def _note(self, address: str) -> None:
        sent = self._unnoted[address]
        await self._keeper.write(
            lambda books: books.outbox.sent(sent.owed, sent.at, sent.slot, sent.message_id)
        )
        del self._unnoted[address]

    async def _send(self, owed: Owed) -> None:
        """Send one message and note what became of it."""
        try:
            await self._send_and_note(owed)
        except Exception:
            log.exception("outbox.not_noted", key=owed.notice.key)
            await asyncio.sleep(_AFTER_NO_NOTE)

    async def _send_and_note(self, owed: Owed) -> None:
        try:
            async with asyncio.timeout(self._send_within):
                slot, message_id = await self._deliver(owed)
        except TryLater as error:
            await self._later(owed, error.after or 0, str(error))
        except Unreachable as error:
            await self._give_up(owed, str(error))
        except TimeoutError:
            await self._later(owed, 0, "it took too long")
        except Exception:
            log.exception("outbox.send_failed", key=owed.notice.key)
            await self._later(owed, 0, "unexpected")
        else:
            address = owed.notice.address
            self._unnoted[address] = _Sent(
                owed=owed, at=self._clock(), slot=slot, message_id=message_id
            )
            await self._note(address)

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

    async def _later(self, owed: Owed, after: Millis, why: str) -> None:
        """Try again with growing pauses, and not before ``after`` has passed."""
        pause = max(after, min(2 ** min(owed.tries, 9) * SECOND, _LONGEST_PAUSE))
        due_at = self._clock() + pause
        log.warning("outbox.later", key=owed.notice.key, tries=owed.tries + 1, why=why)
        await self._keeper.write(lambda books: books.outbox.later(owed, due_at))

    async def _give_up(self, owed: Owed, why: str) -> None:
        if owed.notice.kind in FOR_OWNERS:
            await self._later(owed, _OWNER_AWAY[min(owed.tries, len(_OWNER_AWAY) - 1)], why)
            return
        log.warning("outbox.undeliverable", key=owed.notice.key, why=why)
        now = self._clock()
        await self._keeper.write(lambda books: _undeliverable(books, owed, why, now))


def _to_send(outbox: SqlOutbox, lanes: Sequence[Lane], now: Millis) -> Sequence[Owed]:
    """Return what may be sent now, lane by lane, longest due first.

    If what failed before fills it, the first of the rest follow: they must not wait for that.
    """
    found: list[Owed] = []
    for lane in lanes:
        due = outbox.due(now, _READ, lane)
        found += due
        if len(due) == _READ and any(owed.tries for owed in due):
            found += outbox.fresh(now, _READ, lane)
    return found


def _undeliverable(books: SqlBooks, owed: Owed, why: str, now: Millis) -> None:
    if books.outbox.undeliverable(owed, why, now):
        moving.undelivered(books, owed.notice, why, now)
