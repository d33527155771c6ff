import asyncio
import json
import re
import sqlite3
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientSession, ClientWSTimeout, WSMsgType, WSServerHandshakeError
from structlog.testing import capture_logs

from bot.conversation.channels import CannotAnswer, CannotEdit, TryLater, Unreachable
from bot.conversation.engine import Turn
from bot.conversation.texts import Texts
from bot.conversation.views import Acted, Choice, Picked, Shared, Started, Typed, View, What
from bot.web import lines
from bot.web.chat import MOST_CHOICES, WebChat
from storage.database import Busy
from storage.sqlite import open_sqlite
from storage.sqlite_schema import prepare
from webhook_server.app import build_app, serve

START = 1_784_084_400_000
BUDI, ANI = "budi-0001", "ani-00001"
SORRY = "Maaf, hubungi @lapak"
PNG = b"\x89PNG\r\n\x1a\nnot really"


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        self.now += 1
        return self.now


class FakeTakeTurn:
    """Answers everything with its number; a test may make it slow, silent or broken."""

    def __init__(self):
        self.journal = []
        self.broken = []
        self.silent = False
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, address, incoming, input_id, limit):
        self.journal.append((address, incoming, input_id, limit))
        number = len(self.journal)
        self.asked.set()
        await self.gate.wait()
        if self.broken:
            raise self.broken.pop(0)
        choices = (Choice("a", "Ya", "Rp1.000", data="s:1:a"),)
        return Turn(view=None if self.silent else View(text=f"answer {number}", choices=choices))

    @property
    def inputs(self):
        return [input_id for _, _, input_id, _ in self.journal]


class Flaky:
    """A database of which the next writes can be refused."""

    def __init__(self, database):
        self._database = database
        self.refuse = 0

    async def run(self, work):
        if self.refuse:
            self.refuse -= 1
            raise Busy
        return await self._database.run(work)

    async def read(self, work):
        return await self._database.read(work)


class Page:
    """What the page in the browser does, without the browser."""

    def __init__(self, socket):
        self.socket = socket
        self.hello = None
        self.seq = 0

    async def next(self):
        message = await self.socket.receive(timeout=5)
        assert message.type is WSMsgType.TEXT, message
        frame = json.loads(message.data)
        self.seq = max(self.seq, frame.get("seq", 0))
        return frame

    async def some(self, count):
        return [await self.next() for _ in range(count)]

    async def quiet(self):
        """Nothing more comes: what is asked for now is answered at once, by a toast."""
        await self.socket.send_str("?")
        assert await self.next() == {"type": "toast", "text": SORRY}

    async def write(self, text, name=None):
        name = name or str(uuid.uuid4())
        await self.socket.send_json({"type": "text", "text": text, "input": name})
        return name

    async def tap(self, data, label="Ya"):
        name = str(uuid.uuid4())
        await self.socket.send_json({"type": "tap", "data": data, "label": label, "input": name})
        return name


class Demo:
    def __init__(self, client, port, chat, take_turn, database, stop):
        self.sockets = []
        self.client = client
        self.port = port
        self.stop = stop
        self.chat = chat
        self.sender = chat.sender
        self.take_turn = take_turn
        self.database = database

    async def connect(self, person=BUDI, after=0, query=None, **more):
        path = "/chat/socket" + (f"?person={person}&after={after}" if query is None else query)
        patience = ClientWSTimeout(ws_close=0.05)
        self.sockets.append(await self.client.ws_connect(path, timeout=patience, **more))
        return Page(self.sockets[-1])

    async def open(self, person=BUDI, after=0, **more):
        page = await self.connect(person, after, **more)
        page.hello = await page.next()
        return page


@asynccontextmanager
async def started(path):
    prepare(path)
    database = Flaky(await open_sqlite(str(path)))
    take_turn = FakeTakeTurn()
    texts = Texts(
        language="id",
        catalogue={"sorry.unexpected": "Maaf, hubungi {support}"},
        zone=ZoneInfo("Asia/Jakarta"),
    )

    async def texts_of(address):
        return texts

    chat = WebChat(
        database=database,
        take_turn=take_turn,
        texts_of=texts_of,
        shop_name="Lapak Top Up",
        owners=("web:owner",),
        support="@lapak",
        clock=Clock(),
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database._database.close)
        served = await stack.enter_async_context(AsyncExitStack())
        app = build_app(checks={}, parts=[chat.add_routes])
        port = await served.enter_async_context(serve(app, "127.0.0.1", 0))
        client = await stack.enter_async_context(ClientSession(f"http://127.0.0.1:{port}"))
        demo = Demo(client, port, chat, take_turn, database, served.aclose)
        yield demo
        for socket in demo.sockets:
            await socket.close()


@pytest.fixture
async def demo(tmp_path):
    async with started(tmp_path / "lapak.db") as demo:
        yield demo


# --- hello ----------------------------------------------------------------------------------------


async def test_the_first_frame_tells_the_page_where_it_is(demo):
    page = await demo.open()
    assert page.hello == {
        "type": "hello",
        "shop": "Lapak Top Up",
        "language": "id",
        "person": BUDI,
        "owner": False,
    }
    assert (await demo.open("owner")).hello["owner"] is True


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?person=",
        "?person=short",
        f"?person={'x' * 65}",
        "?person=budi%200001",
        "?person=budi-0001%0A",
        "?person=owner%0A",
        f"?person={BUDI}&after=-1",
        f"?person={BUDI}&after=many",
        f"?person={BUDI}&after=%D9%A1",
        f"?person={BUDI}&after={'9' * 40}",
    ],
)
async def test_nobody_else_gets_in(demo, query):
    socket = (await demo.connect(query=query)).socket
    assert (await socket.receive(timeout=5)).type is WSMsgType.CLOSE
    assert socket.close_code == 1008


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "10.0.0.1"},
        {"Host": "[::1"},
        {"Host": ""},
    ],
)
async def test_no_website_can_talk_to_the_demo(demo, headers):
    with pytest.raises(WSServerHandshakeError) as refused:
        await demo.connect(headers=headers)
    assert refused.value.status == 403
    if "Host" in headers:
        assert (await demo.client.get("/chat", headers=headers)).status == 403


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "LOCALHOST:{}", "[::1]:{}"])
async def test_the_page_of_the_demo_can(demo, host):
    host = host.format(demo.port)
    headers = {"Host": host, "Origin": f"http://{host.lower()}"}
    assert (await demo.open(headers=headers)).hello["type"] == "hello"


# --- turns ----------------------------------------------------------------------------------------


async def test_a_text_is_acknowledged_and_answered(demo):
    page = await demo.open()
    name = await page.write("mobile legends")
    echo, answer = await page.some(2)
    assert echo == {
        "seq": 1,
        "type": "message",
        "id": f"me:{name}",
        "from": "me",
        "at": START + 1,
        "input": name,
        "title": "",
        "text": "mobile legends",
        "choices": [],
        "image": None,
        "copy": None,
        "link": None,
    }
    assert (answer["seq"], answer["from"], answer["text"]) == (2, "shop", "answer 1")
    assert answer["choices"] == [{"data": "s:1:a", "label": "Ya", "hint": "Rp1.000"}]
    assert answer["input"] is None
    assert demo.take_turn.journal == [(f"web:{BUDI}", Typed("mobile legends"), name, MOST_CHOICES)]


async def test_every_way_to_say_something_reaches_the_conversation(demo):
    page = await demo.open()
    await page.tap("s:3:a", "Bayar")
    await page.tap("o:ABC:paid", "Sudah bayar")
    await page.tap("made up")
    await page.write("/start ml")
    await page.socket.send_json({"type": "photo", "input": "p-1"})
    frames = await page.some(10)
    said = [incoming for _, incoming, _, _ in demo.take_turn.journal]
    assert said == [
        Picked("a", 3),
        Acted("order", "ABC", "paid"),
        Picked("", -1),
        Started("ml"),
        Shared(What.PICTURE),
    ]
    echoed = [frame["text"] for frame in frames if frame["from"] == "me"]
    assert echoed == ["Bayar", "Sudah bayar", "Ya", "/start ml", "🧾"]


async def test_an_order_may_speak_for_itself(demo):
    demo.take_turn.silent = True
    page = await demo.open()
    await page.write("bayar")
    assert (await page.next())["from"] == "me"
    await page.quiet()


async def test_a_repeated_input_is_acknowledged_again_and_not_taken_twice(demo):
    page = await demo.open()
    name = await page.write("satu")
    first = await page.some(2)
    await page.write("dua")
    await page.some(2)
    await page.write("satu", name)
    assert await page.next() == first[0]
    await page.quiet()
    assert len(demo.take_turn.journal) == 2


async def test_an_input_sent_again_on_a_new_connection_runs_once_and_comes_once(demo):
    page = await demo.open()
    name = await page.write("satu")
    await page.socket.close()  # before the acknowledgement was read
    again = await demo.open()
    await again.write("satu", name)
    assert [frame["seq"] for frame in await again.some(2)] == [1, 2]
    assert demo.take_turn.inputs == [name]
    # Whether the echo came with the history or after it, nothing else comes but the same echo.
    await again.socket.send_str("?")
    rest = [await again.next()]
    while rest[-1]["type"] != "toast":
        rest.append(await again.next())
    assert {frame.get("seq", 1) for frame in rest} == {1}


async def test_a_turn_goes_on_when_the_page_leaves(demo):
    demo.take_turn.gate.clear()
    page = await demo.open()
    await page.write("satu")
    await demo.take_turn.asked.wait()
    await page.socket.close()
    demo.take_turn.gate.set()
    again = await demo.open()
    assert [frame["text"] for frame in await again.some(2)] == ["satu", "answer 1"]


async def test_inputs_keep_their_order_across_tabs(demo):
    demo.take_turn.gate.clear()
    one, two = await demo.open(), await demo.open()
    names = [await one.write("1"), await one.write("2")]
    await demo.take_turn.asked.wait()
    names.append(await two.write("3"))
    await asyncio.sleep(0.02)
    assert len(demo.take_turn.journal) == 1  # nobody is asked while a turn is under way
    demo.take_turn.gate.set()
    frames = await one.some(6)
    assert [frame["seq"] for frame in frames] == [1, 2, 3, 4, 5, 6]
    kinds = [frame["from"] for frame in frames]
    assert kinds == ["me", "shop"] * 3
    assert set(demo.take_turn.inputs) == set(names)
    assert names.index(demo.take_turn.inputs[0]) == 0


async def test_people_do_not_wait_for_each_other_nor_see_each_other(demo):
    budi, ani = await demo.open(BUDI), await demo.open(ANI)
    demo.take_turn.gate.clear()
    await budi.write("lama")
    await demo.take_turn.asked.wait()
    demo.take_turn.gate.set()
    await ani.write("cepat")
    assert [frame["text"] for frame in await ani.some(2)] == ["cepat", "answer 2"]
    await ani.quiet()


async def test_typing_is_shown_only_when_it_takes_a_while(demo):
    page, other = await demo.open(), await demo.open()
    await page.write("cepat")
    assert [frame["type"] for frame in await page.some(2)] == ["message", "message"]
    demo.take_turn.gate.clear()
    await page.write("lama")
    assert await page.next() == {"type": "typing"}
    demo.take_turn.gate.set()
    assert [frame["type"] for frame in await page.some(2)] == ["message", "message"]
    await page.quiet()
    kinds = [frame["type"] for frame in await other.some(5)]
    assert kinds == ["message", "message", "typing", "message", "message"]


async def test_typing_is_not_shown_to_a_tab_that_learns_of_it_after_the_answer(demo):
    slow, page = await demo.open(), await demo.open()
    for number in range(4):  # more than the connection holds while nobody reads
        view = View(text="", image=PNG + b"x" * 3_000_000)
        await demo.sender.send(f"web:{BUDI}", view, f"k{number}")
    await page.some(4)
    demo.take_turn.gate.clear()
    await page.write("lama")
    assert await page.next() == {"type": "typing"}
    demo.take_turn.gate.set()
    await page.some(2)
    assert [frame["type"] for frame in await slow.some(6)] == ["message"] * 6


async def test_an_unexpected_error_is_said_and_logged_and_not_repeated(demo):
    demo.take_turn.broken = [RuntimeError("boom")]
    page = await demo.open()
    with capture_logs() as logs:
        name = await page.write("satu")
        echo, answer = await page.some(2)
    assert [log["event"] for log in logs] == ["web.turn_failed"]
    assert (echo["input"], answer["text"]) == (name, SORRY)
    await page.write("dua")
    assert (await page.some(2))[1]["text"] == "answer 2"
    await page.quiet()


async def test_a_turn_that_cannot_be_stored_is_answered_all_the_same(demo):
    demo.take_turn.broken = [CannotAnswer(View(text="Toko sedang penuh"))]
    page = await demo.open()
    name = await page.write("satu")
    echo, answer = await page.some(2)
    assert (echo["input"], answer["text"]) == (name, "Toko sedang penuh")


async def test_an_answer_that_cannot_be_stored_leaves_the_input_to_be_sent_again(demo):
    demo.database.refuse = 1
    page = await demo.open()
    name = await page.write("satu")
    assert await page.next() == {"type": "toast", "text": SORRY}
    await page.write("satu", name)
    assert [frame["text"] for frame in await page.some(2)] == ["satu", "answer 2"]
    assert demo.take_turn.inputs == [name, name]  # the engine knows a repetition by its id


# --- bad frames -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "null",
        "[]",
        '"tap"',
        "[" * 30_000,
        "{}",
        '{"type":"text"}',
        '{"type":["text"],"text":"a","input":"i"}',
        '{"type":"text","text":5,"input":"i"}',
        '{"type":"text","text":"a","input":""}',
        '{"type":"text","text":"a","input":"i\\n"}',
        '{"type":"text","text":"a","input":"' + "i" * 65 + '"}',
        '{"type":"tap","data":"s:1:a","input":"i"}',
        '{"type":"tap","data":null,"label":"a","input":"i"}',
        '{"type":"hello","input":"i"}',
        '{"type":"text","text":' + "9" * 5000 + ',"input":"i"}',
    ],
)
async def test_a_frame_that_is_none_of_ours_changes_nothing(demo, data):
    page = await demo.open()
    await page.socket.send_str(data)
    assert await page.next() == {"type": "toast", "text": SORRY}
    await page.write("masih di sini")
    assert (await page.some(2))[0]["seq"] == 1


async def test_bytes_are_no_frame(demo):
    page = await demo.open()
    await page.socket.send_bytes(b'{"type":"photo","input":"i"}')
    assert await page.next() == {"type": "toast", "text": SORRY}
    assert demo.take_turn.journal == []


async def test_an_oversized_frame_closes_the_socket_and_nothing_else(demo):
    page, other = await demo.open(), await demo.open()
    await page.write("x" * 70_000)
    assert (await page.socket.receive(timeout=5)).type is WSMsgType.CLOSE
    assert page.socket.close_code == 1009
    await other.quiet()
    assert demo.take_turn.journal == []


async def test_half_a_surrogate_pair_and_a_nul_are_text_like_any_other(demo):
    page = await demo.open()
    await page.socket.send_str('{"type":"text","text":"a\\ud800b\\u0000<b>","input":"i"}')
    assert (await page.some(2))[0]["text"] == "a?b\x00<b>"


async def test_a_very_long_text_is_heard_in_full_and_echoed_in_part(demo):
    page = await demo.open()
    await page.write("x" * 60_000)
    assert len((await page.some(2))[0]["text"]) == 2_000
    assert demo.take_turn.journal[0][1] == Typed("x" * 60_000)


# --- news, and coming back ------------------------------------------------------------------------


async def test_news_is_shown_at_once_in_every_tab(demo):
    one, two = await demo.open(), await demo.open()
    view = View(title="Bayar", text="QR", image=PNG, copy="SN-1", link="https://a.example/")
    assert await demo.sender.send(f"web:{BUDI}", view, "order:1:qr") == "order:1:qr"
    frame = await one.next()
    assert frame == await two.next()
    assert (frame["id"], frame["title"], frame["copy"]) == ("order:1:qr", "Bayar", "SN-1")
    assert frame["link"] == "https://a.example/"
    assert frame["image"].startswith("data:image/png;base64,iVBOR")


async def test_one_key_is_shown_once(demo):
    page = await demo.open()
    for text in ("pertama", "kedua"):
        assert await demo.sender.send(f"web:{BUDI}", View(text=text), "k") == "k"
    assert (await page.next())["text"] == "pertama"
    await page.quiet()


async def test_one_key_sent_at_the_same_time_is_shown_once(demo):
    page = await demo.open()
    address = f"web:{BUDI}"
    await asyncio.gather(*(demo.sender.send(address, View(text="a"), "k") for _ in range(10)))
    assert (await page.next())["seq"] == 1
    await page.quiet()


async def test_an_edit_changes_a_message_and_keeps_its_time(demo):
    page = await demo.open()
    address = f"web:{BUDI}"
    await demo.sender.send(address, View(text="menunggu"), "k")
    sent = await page.next()
    await demo.sender.edit(address, "k", View(text="selesai"))
    await demo.sender.edit(address, "k", View(text="selesai"))  # looks so already
    edit = await page.next()
    assert (edit["type"], edit["seq"], edit["id"]) == ("edit", 2, "k")
    assert (edit["text"], edit["at"], edit["from"]) == ("selesai", sent["at"], "shop")
    await page.quiet()
    await demo.sender.edit(address, "k", View(text="menunggu"))
    assert (await page.next())["text"] == "menunggu"


async def test_the_answer_of_a_turn_can_be_edited_but_not_what_the_person_said(demo):
    page = await demo.open()
    name = await page.write("satu")
    _, answer = await page.some(2)
    await demo.sender.edit(f"web:{BUDI}", answer["id"], View(text="lain"))
    assert (await page.next())["type"] == "edit"
    with pytest.raises(CannotEdit):
        await demo.sender.edit(f"web:{BUDI}", f"me:{name}", View(text="palsu"))


async def test_a_message_that_never_was_cannot_be_edited(demo):
    await demo.sender.send(f"web:{ANI}", View(text="a"), "k")
    with pytest.raises(CannotEdit):
        await demo.sender.edit(f"web:{BUDI}", "k", View(text="b"))


async def test_the_sender_says_what_may_be_done_about_a_failure(demo):
    demo.database.refuse = 1
    with pytest.raises(TryLater):
        await demo.sender.send(f"web:{BUDI}", View(text="a"), "k")
    with pytest.raises(Unreachable):
        await demo.sender.send("telegram:1", View(text="a"), "k")
    assert demo.sender.edits


async def test_news_never_stands_before_what_it_answers(demo):
    demo.take_turn.gate.clear()
    page = await demo.open()
    await page.write("bayar")
    await demo.take_turn.asked.wait()
    news = asyncio.create_task(demo.sender.send(f"web:{BUDI}", View(text="QR"), "k"))
    await asyncio.sleep(0.02)
    demo.take_turn.gate.set()
    assert [frame["text"] for frame in await page.some(3)] == ["bayar", "answer 1", "QR"]
    await news


async def test_a_page_that_comes_back_is_told_what_it_missed(demo):
    page = await demo.open()
    await page.write("satu")
    await page.some(2)
    await page.socket.close()
    await demo.sender.send(f"web:{BUDI}", View(text="selesai"), "k")
    again = await demo.open(after=page.seq)
    frame = await again.next()
    assert (frame["seq"], frame["text"]) == (3, "selesai")
    await again.quiet()
    fresh = await demo.open()
    assert [frame["seq"] for frame in await fresh.some(3)] == [1, 2, 3]
    await fresh.quiet()


async def test_a_page_that_remembers_another_shop_is_told_everything(demo):
    await demo.sender.send(f"web:{BUDI}", View(text="baru"), "k")
    page = await demo.open(after=50)
    assert (await page.next())["seq"] == 1
    empty = await demo.open(ANI, after=50)
    await demo.sender.send(f"web:{ANI}", View(text="baru"), "k")
    assert (await empty.next())["seq"] == 1


async def test_pages_that_come_and_go_while_messages_arrive_miss_none_and_get_none_twice(demo):
    most = 60

    async def chatter():
        for number in range(most):
            await demo.sender.send(f"web:{BUDI}", View(text=str(number)), f"k{number}")

    async def reading():
        seqs = []
        while len(seqs) < most:
            page = await demo.open(after=len(seqs))
            frames = await page.some(min(7, most - len(seqs)))
            seqs += [frame["seq"] for frame in frames]
            await page.socket.close()
        return seqs

    *seen, _ = await asyncio.gather(*(reading() for _ in range(3)), chatter())
    assert seen == [list(range(1, most + 1))] * 3


async def test_a_tab_that_does_not_read_makes_nobody_wait(demo):
    stuck, page = await demo.open(), await demo.open()
    picture = PNG + b"x" * 400_000
    async with asyncio.timeout(20):
        for number in range(20):
            await demo.sender.send(f"web:{BUDI}", View(text="", image=picture), f"k{number}")
            assert (await page.next())["seq"] == number + 1
    assert [frame["seq"] for frame in await stuck.some(20)] == list(range(1, 21))


async def test_a_restart_on_the_same_file_keeps_the_chat_and_what_was_answered(tmp_path):
    path = tmp_path / "lapak.db"
    async with started(path) as demo:
        page = await demo.open()
        name = await page.write("satu")
        before = await page.some(2)
        await demo.sender.send(f"web:{BUDI}", View(text="a"), "k")
        before.append(await page.next())
    async with started(path) as demo:
        page = await demo.open()
        assert await page.some(3) == before
        await demo.sender.send(f"web:{BUDI}", View(text="a"), "k")
        await page.write("satu", name)
        assert await page.next() == before[0]
        await page.quiet()
        assert demo.take_turn.journal == []
        await demo.sender.edit(f"web:{BUDI}", "k", View(text="b"))
        assert (await page.next())["seq"] == 4


async def test_a_stopping_shop_says_goodbye(demo):
    page, owner = await demo.open(), await demo.open("owner")
    stopping = asyncio.create_task(demo.stop())
    for one in (page, owner):
        assert (await one.socket.receive(timeout=5)).type is WSMsgType.CLOSE
        assert one.socket.close_code == 1001
    await stopping


async def test_a_stopping_shop_does_not_wait_for_a_tab_that_does_not_read(demo, monkeypatch):
    monkeypatch.setattr(lines, "GOODBYE", 0.05)
    await demo.open()
    picture = PNG + b"x" * 3_000_000
    for number in range(4):
        await demo.sender.send(f"web:{BUDI}", View(text="", image=picture), f"k{number}")
    async with asyncio.timeout(2):
        await demo.stop()


async def test_a_transcript_that_cannot_be_read_closes_the_socket(demo, monkeypatch):
    page = await demo.open()
    await page.quiet()

    async def unreadable(work):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(demo.database, "read", unreadable)
    await demo.sender.send(f"web:{BUDI}", View(text="a"), "k")
    async with asyncio.timeout(20):  # what was said before may still come
        while (await page.socket.receive()).type is not WSMsgType.CLOSE:
            pass
    assert page.socket.close_code == 1011


# --- the page -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content_type", "within"),
    [
        ("/chat", "text/html", b"<!doctype html>"),
        ("/chat/chat.css", "text/css", b":root"),
        ("/chat/chat.js", "text/javascript", b"WebSocket"),
        ("/chat/panel.js", "text/javascript", b"export"),
        ("/chat/supply.js", "text/javascript", b"export"),
        ("/chat/troubles.js", "text/javascript", b"export"),
        ("/chat/ledger.js", "text/javascript", b"export"),
        ("/chat/suppliers.js", "text/javascript", b"export"),
        ("/chat/drawing.js", "text/javascript", b"export"),
    ],
)
async def test_the_page_is_served_and_may_load_nothing_from_elsewhere(
    demo, path, content_type, within
):
    answer = await demo.client.get(path)
    assert (answer.status, answer.content_type, answer.charset) == (200, content_type, "utf-8")
    assert within in await answer.read()
    assert answer.headers["Cache-Control"] == "no-cache"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_everything_that_a_page_loads_is_served(demo):
    asked, found = ["/chat"], set()
    while asked:
        path = asked.pop()
        answer = await demo.client.get(path)
        assert answer.status == 200, path
        found.add(path)
        parts = re.findall(r'(?:from|src=|href=) ?"(/chat/[a-z.]+)"', await answer.text())
        asked += set(parts) - found
    assert {"/chat/chat.css", "/chat/chat.js", "/chat/drawing.js"} <= found


async def test_the_books_are_beside_the_chat(demo):
    answer = await demo.client.get("/chat/ledger")
    assert (await answer.json())["accounts"] == [{"account": "wallet", "balance": 0}]


async def test_a_socket_is_needed_where_there_is_one(demo):
    assert (await demo.client.get(f"/chat/socket?person={BUDI}")).status == 400
    assert (await demo.client.post("/chat/socket")).status == 405
    assert (await demo.client.get("/chat/../../etc/passwd")).status == 404
    assert (await demo.client.get("/chat/chat.html")).status == 404
