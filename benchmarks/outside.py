"""The world outside a shop, lean and quick: a Bot API with people, and a supplier with a list.

A process of its own: ``python -m benchmarks.outside``. It prints ``{"port": …}``, then obeys one
JSON object a line: ``{"play": "<token>", "chats": n, "updates": n, "words": […]}`` lets people
browse with the bot of that token and notes what they did; ``{"repeat": "<token>"}`` does the same
things to another bot. The answer says how many updates there were, how many seconds passed from the
first update to the last answer, and how much of that this process was working.

Only as much of HTTP and of the Bot API is spoken as an httpx client needs. What is served is made
once, as far as possible: neither bot must ever wait for this process.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote_plus, urlsplit

Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = Callable[[bytes], None]

BATCH = 0.01  # seconds that updates are gathered for one answer, as on a real way to Telegram
MOST_IN_BATCH = 100
FIRST_CHAT = 1_000_000
GAMES = (
    "Mobile Legends", "Free Fire", "PUBG Mobile", "Honor of Kings", "Valorant", "Genshin Impact",
    "Honkai: Star Rail", "Free Fire MAX",
)  # fmt: skip
ITEMS = 12  # of each game
_PLAYED_WITHIN = 120.0
_BACK = ":<"


@dataclass(slots=True)
class Chat:
    """A person: what they will do, and what they did."""

    id: int
    left: int
    words: Sequence[str]  # typed in turn; with none, buttons are pressed
    script: list[tuple[str, Json]] = field(default_factory=list)
    done: int = 0

    def begins(self) -> tuple[str, Json]:
        return self._types("/start")

    def goes_on(self, message: Json) -> tuple[str, Json]:
        """Answer what the bot has just shown."""
        if self.words:
            return self._types(self.words[self.done % len(self.words)])
        rows = message["reply_markup"]["inline_keyboard"]
        shown = [button["callback_data"] for row in rows for button in row]
        onward = [data for data in shown if not data.endswith(_BACK)]
        if len(onward) < len(shown):  # a list of items: back to the games
            data = next(data for data in shown if data.endswith(_BACK))
        else:
            data = onward[(self.id + self.done) % len(onward)]
        query = {"id": f"{self.id}{self.done}", "from": self._me(), "chat_instance": "1"}
        return "callback_query", {**query, "message": message, "data": data}

    def _types(self, text: str) -> tuple[str, Json]:
        command = {"type": "bot_command", "offset": 0, "length": len(text)}
        place = {"id": self.id, "type": "private", "first_name": "Budi"}
        said = {"message_id": self.done + 1, "date": 1_795_150_800, "chat": place, "text": text}
        entities = [command] if text.startswith("/") else []
        return "message", {**said, "from": self._me(), "entities": entities}

    def _me(self) -> Json:
        return {"id": self.id, "is_bot": False, "first_name": "Budi", "language_code": "id"}


@dataclass(slots=True)
class Bot:
    """One bot's side of the Bot API."""

    numbers: count = field(default_factory=lambda: count(1))  # type: ignore[type-arg]
    pending: list[tuple[int, bytes]] = field(default_factory=list)
    waiting: Answer | None = None
    is_gathering: bool = False
    chats: dict[int, Chat] = field(default_factory=dict)
    busy: int = 0  # chats that have not had their last answer
    repeats: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    messages: count = field(default_factory=lambda: count(1000))  # type: ignore[type-arg]

    def update(self, chat: Chat, kind: str, payload: Json) -> None:
        number = next(self.numbers)
        self.pending.append((number, json.dumps({"update_id": number, kind: payload}).encode()))
        chat.done += 1
        if not self.is_gathering:
            self.is_gathering = True
            asyncio.get_running_loop().call_later(BATCH, self._hand_out)

    def poll(self, query: dict[str, list[str]], answer: Answer) -> None:
        offset = int(query.get("offset", ["0"])[0])
        self.pending = [each for each in self.pending if each[0] >= offset]
        self.waiting = answer
        wait = float(query.get("timeout", ["0"])[0])
        asyncio.get_running_loop().call_later(wait, self._give_up, answer)
        if self.pending and not self.is_gathering:
            self._hand_out()

    def _hand_out(self) -> None:
        self.is_gathering = False
        if self.waiting is None or not self.pending:
            return
        answer, self.waiting = self.waiting, None
        bodies = b",".join(body for _, body in self.pending[:MOST_IN_BATCH])
        answer(b'{"ok":true,"result":[%b]}' % bodies)

    def _give_up(self, answer: Answer) -> None:
        if self.waiting is answer:
            self.waiting = None
            answer(b'{"ok":true,"result":[]}')

    def send(self, params: Json, answer: Answer) -> None:
        chat = self.chats.get(int(params["chat_id"]))
        message = {
            "message_id": next(self.messages),
            "date": 1_795_150_800,
            "chat": {"id": int(params["chat_id"]), "type": "private", "first_name": "Budi"},
            "from": BOT,
            "text": params.get("text", ""),
        }
        if "reply_markup" in params:
            message["reply_markup"] = json.loads(params["reply_markup"])
        answer(b'{"ok":true,"result":%b}' % json.dumps(message).encode())
        if chat is not None:
            self._heard(chat, message)

    def _heard(self, chat: Chat, message: Json) -> None:
        chat.left -= 1
        if chat.left <= 0:
            self.busy -= 1
            if self.busy == 0:
                self.over.set()
            return
        if self.repeats:
            self.update(chat, *chat.script[chat.done])
            return
        doing = chat.goes_on(message)
        chat.script.append(doing)
        self.update(chat, *doing)

    async def play(self, chats: Sequence[Chat], *, repeats: bool) -> Json:
        """Let these people act, each after the answer to what they did before."""
        self.chats = {chat.id: chat for chat in chats}
        self.busy, self.repeats = len(chats), repeats
        self.over.clear()
        updates = sum(chat.left for chat in chats)
        began, worked = time.perf_counter(), time.process_time()
        for chat in chats:
            if not repeats:
                chat.script.append(chat.begins())
            self.update(chat, *chat.script[0])
        async with asyncio.timeout(_PLAYED_WITHIN):
            await self.over.wait()
        took = time.perf_counter() - began
        self.chats = {}
        share = (time.process_time() - worked) / took
        return {"updates": updates, "seconds": took, "busy": share}


BOT: Json = {"id": 1, "is_bot": True, "first_name": "Lapak", "username": "lapak_bot"}
_RIGHTS = {"can_join_groups": True, "can_read_all_group_messages": False}
_ME = json.dumps({"ok": True, "result": BOT | _RIGHTS | {"supports_inline_queries": False}})
_TRUE = b'{"ok":true,"result":true}'


def _price_list() -> bytes:
    rows = [
        {
            "sid": f"{nth}-{amount}",
            "kategori": game,
            "layanan": f"{10 * amount} Diamond",
            "harga": str(1000 * amount + nth),
            "status": "Normal",
        }
        for nth, game in enumerate(GAMES)
        for amount in range(1, ITEMS + 1)
    ]
    return json.dumps({"status": True, "data": {"Games": rows}}).encode()


class World:
    """Every bot by its token, and the supplier."""

    def __init__(self) -> None:
        self.bots: dict[str, Bot] = {}
        self.script: dict[int, list[tuple[str, Json]]] = {}
        self._prices = _price_list()

    def serve(self, target: str, body: bytes, answer: Answer) -> None:
        """Answer one request."""
        parts = urlsplit(target)
        if parts.path.startswith("/bot"):
            token, _, method = parts.path.removeprefix("/bot").partition("/")
            self._serve_bot(self._bot(unquote_plus(token)), method, parts.query, body, answer)
        elif parts.path.endswith("/services"):
            answer(self._prices)
        elif parts.path.endswith("/order/status"):
            asked = parse_qs(parts.query)["id"][0]
            said = {"id": asked, "status": "Pending", "payment_status": "pending", "catatan": ""}
            answer(json.dumps({"status": True, "data": said}).encode())
        else:
            answer(b'{"status":true,"data":{"balance":"1000000"}}')

    def _serve_bot(self, bot: Bot, method: str, query: str, body: bytes, answer: Answer) -> None:
        match method:
            case "sendMessage":
                given = parse_qs(body.decode("ascii"))
                bot.send({name: values[0] for name, values in given.items()}, answer)
            case "getUpdates":
                bot.poll(parse_qs(query) | parse_qs(body.decode("ascii")), answer)
            case "getMe":
                answer(_ME.encode())
            case _:
                answer(_TRUE)

    def _bot(self, token: str) -> Bot:
        return self.bots.setdefault(token, Bot())

    async def obey(self, order: Json) -> Json:
        """Do what a line of our input says, and return what to say of it."""
        if token := order.get("play"):
            chats = [
                Chat(FIRST_CHAT + nth, order["updates"], order["words"])
                for nth in range(order["chats"])
            ]
            found = await self._bot(token).play(chats, repeats=False)
            self.script = {chat.id: chat.script for chat in chats}
            return found
        chats = [
            Chat(number, len(script), (), script=script) for number, script in self.script.items()
        ]
        return await self._bot(order["repeat"]).play(chats, repeats=True)


class Wire(asyncio.Protocol):
    """HTTP/1.1 as httpx speaks it: one request after another, bodies of a known length."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport if isinstance(transport, asyncio.Transport) else None

    def data_received(self, data: bytes) -> None:
        """Serve every request that has come as a whole."""
        self._read += data
        while True:
            head, end, rest = self._read.partition(b"\r\n\r\n")
            length = _length(head)
            if not end or len(rest) < length:
                return
            body, self._read = rest[:length], rest[length:]
            target = head.split(b" ", 2)[1].decode("ascii")
            self._world.serve(target, body, self._answer)

    def _answer(self, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            )
            self._transport.write(head % len(body) + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def main() -> None:
    """Serve until our input ends."""
    world = World()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Wire(world), "127.0.0.1", 0)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    _say({"port": server.sockets[0].getsockname()[1]})
    while line := await orders.readline():
        _say(await world.obey(json.loads(line)))


def _say(found: Json) -> None:
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
