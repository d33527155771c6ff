"""The browser chat: a thin shell around the conversation, as the other channels are."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from bot.conversation.channels import CannotAnswer, TakeTurn
from bot.conversation.texts import Texts
from bot.conversation.views import View
from bot.logs import get_logger
from bot.web.frames import (
    MOST_BYTES,
    TYPING,
    BadFrame,
    Heard,
    Post,
    hello,
    read_frame,
    toast,
)
from bot.web.ledger import LedgerPage
from bot.web.lines import GOODBYE, Line, Lines, Tab
from bot.web.pages import add_pages, refuse_strangers
from bot.web.sender import CHANNEL, WebSender
from shop.time import Millis
from storage.database import Busy, Database, Unwritable

MOST_CHOICES: Final = 12  # on one page of a question
TYPING_AFTER: Final = 0.15  # seconds
PATIENCE: Final = 30.0  # seconds that a turn may take
_HEARTBEAT = 20.0

_PERSON = re.compile(r"owner|[A-Za-z0-9_-]{8,64}")
_AFTER = re.compile(r"[0-9]{1,15}")

log = get_logger(__name__)


class WebChat:
    """The whole shop in a browser tab, for ``lapak demo``. ``owners`` are addresses.

    A person is whoever knows the id in the address: fit for one machine, and for nothing else.
    """

    def __init__(
        self,
        *,
        database: Database,
        take_turn: TakeTurn,
        texts_of: Callable[[str], Awaitable[Texts]],
        shop_name: str,
        owners: Collection[str],
        support: str,
        clock: Callable[[], Millis],
    ) -> None:
        self._lines = Lines(database)
        self._ledger = LedgerPage(database)
        self._take_turn = take_turn
        self._texts_of = texts_of
        self._shop_name = shop_name
        self._owners = frozenset(owners)
        self._support = support
        self._clock = clock
        self.sender = WebSender(self._lines, clock)

    def add_routes(self, app: web.Application) -> None:
        """Serve ``/chat`` and all below it; when the application stops, close the sockets."""
        app.router.add_get("/chat/socket", self._socket, allow_head=False)
        self._ledger.add_routes(app)
        add_pages(app)
        app.on_shutdown.append(self._close)

    async def _close(self, _: web.Application) -> None:
        await self._lines.close()

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        refuse_strangers(request)
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT, timeout=GOODBYE, max_msg_size=MOST_BYTES, compress=False
        )
        await socket.prepare(request)
        person, after = request.query.get("person", ""), request.query.get("after", "0")
        if not (_PERSON.fullmatch(person) and _AFTER.fullmatch(after)):
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"no such person")
            return socket
        line = self._lines.of(f"{CHANNEL}{person}")
        newest = (await line.written()).upto
        # A page that knows more than we do remembers another database: it is told everything, sees
        # that from the numbers, and starts afresh.
        told = int(after) if int(after) <= newest else 0
        tab = Tab(line, socket, told, request.transport)
        tab.say(await self._hello(line, person))
        await self._converse(line, tab)
        return socket

    async def _hello(self, line: Line, person: str) -> str:
        texts = await self._texts_of(line.address)
        return hello(
            shop=self._shop_name,
            language=texts.language,
            person=person,
            owner=line.address in self._owners,
        )

    async def _converse(self, line: Line, tab: Tab) -> None:
        line.tabs.add(tab)
        telling = asyncio.create_task(tab.tell(), name=f"tell {line.address}")
        try:
            async for message in tab.socket:
                await self._hear(line, tab, message)
        finally:
            line.tabs.discard(tab)
            telling.cancel()
            await asyncio.wait({telling}, timeout=GOODBYE)

    async def _hear(self, line: Line, tab: Tab, message: WSMessage) -> None:
        try:
            heard = _read(message)
        except BadFrame:
            log.info("web.bad_frame", address=line.address)
            tab.say(toast(await self._sorry(line)))
            return
        async with line.writing:
            await self._answer(line, tab, heard)

    async def _answer(self, line: Line, tab: Tab, heard: Heard) -> None:
        """Take one turn and store it with its answer, together: what is echoed was answered."""
        echoed = (await line.written()).inputs
        if heard.input in echoed:
            await tab.repeat(echoed[heard.input])
            return
        echo = Post(
            id=f"me:{heard.input}",
            view=View(text=heard.echo),
            at=self._clock(),
            input=heard.input,
        )
        posts = [echo]
        view = await self._turn(line, heard)
        if view is not None:
            posts.append(Post(id=f"re:{heard.input}", view=view, at=self._clock()))
        try:
            await line.write(lambda _: posts)
        except (Busy, Unwritable) as error:
            # Not acknowledged, so the page sends it again; the engine knows a repetition.
            log.warning("web.not_stored", address=line.address, why=repr(error))
            tab.say(toast(await self._sorry(line)))

    async def _turn(self, line: Line, heard: Heard) -> View | None:
        loop = asyncio.get_running_loop()
        typing = loop.call_later(TYPING_AFTER, line.whisper, TYPING)
        try:
            async with asyncio.timeout(PATIENCE):
                turn = await self._take_turn(
                    line.address, heard.incoming, heard.input, MOST_CHOICES
                )
        except CannotAnswer as cannot:
            return cannot.view
        except Exception:
            log.exception("web.turn_failed", address=line.address)
            return View(text=await self._sorry(line))
        else:
            return turn.view
        finally:
            typing.cancel()
            line.hush(TYPING)

    async def _sorry(self, line: Line) -> str:
        texts = await self._texts_of(line.address)
        return texts("sorry.unexpected", support=self._support)


def _read(message: WSMessage) -> Heard:
    if message.type is not WSMsgType.TEXT:
        raise BadFrame
    return read_frame(message.data)
