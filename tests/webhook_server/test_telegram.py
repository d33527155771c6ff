"""What Telegram brings is proven, read and stored before it hears 200; anything else is not."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.telegram import hook, intake
from bot.telegram.read import parse
from storage.database import Busy, CommitUnknown, Unwritable
from webhook_server.app import build_app
from webhook_server.metrics import CallbackOutcome
from webhook_server.telegram import (
    HEADER,
    KINDS,
    MOST_BYTES,
    PATH,
    add_telegram_webhook,
)

SECRET = "the-new-secret"
PROOF = {HEADER: SECRET}
PERSON = {"id": 7, "is_bot": False, "first_name": "Budi"}
MESSAGE = {
    "message_id": 1,
    "date": 0,
    "chat": {"id": 7, "type": "private", "first_name": "Budi"},
    "from": PERSON,
    "text": "halo",
}


@dataclass
class Store:
    """Keeps what it is given; ``fails`` is raised instead."""

    rows: dict[int, str] = field(default_factory=dict)
    fails: Exception | None = None
    counted: list[str] = field(default_factory=list)

    def count(self, outcome: CallbackOutcome, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.counted.append(outcome)

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    commit: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.commit.set()

    async def __call__(self, number: int, body: str) -> bool:
        self.asked.set()
        await self.commit.wait()
        if self.fails is not None:
            raise self.fails
        if number in self.rows:
            return False
        self.rows[number] = body
        return True


@pytest.fixture
def store() -> Store:
    return Store()


Ask = Callable[..., Awaitable[int]]


@pytest.fixture
async def client(store: Store) -> AsyncIterator[TestClient[Any, Any]]:
    def part(app: web.Application) -> None:
        secrets = [SECRET.encode(), b"the-old-secret"]
        add_telegram_webhook(app, secrets=secrets, store=store, count=store.count)

    async with TestClient(TestServer(build_app(checks={}, parts=[part]))) as client:
        yield client


@pytest.fixture
def bring(client: TestClient[Any, Any]) -> Ask:
    async def bring(body: Any, headers: dict[str, str] = PROOF, method: str = "POST") -> int:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = io.BytesIO(data)
        async with client.request(method, PATH, data=sent, headers=headers) as answer:
            return answer.status

    return bring


def update(number: Any = 5, **content: Any) -> dict[str, Any]:
    return {"update_id": number} | (content or {"message": MESSAGE})


# -- what is stored --------------------------------------------------------------------------------


async def test_an_update_is_stored_as_the_bot_reads_it(bring: Ask, store: Store) -> None:
    text = "half \ud83d a smile, \u00e9, \0"
    assert await bring(update(message=MESSAGE | {"text": text})) == 200
    (body,) = store.rows.values()
    assert body.isascii()
    assert parse(body).message.text == text
    assert store.counted == ["stored"]


async def test_an_update_that_comes_again_is_stored_once_and_heard_gladly(
    bring: Ask, store: Store
) -> None:
    assert await bring(update()) == 200
    first = dict(store.rows)
    assert await bring(update(message=MESSAGE | {"text": "another"})) == 200
    assert store.rows == first
    assert store.counted == ["stored", "repeated"]


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, -(2**63)])
async def test_every_number_that_fits_is_stored(bring: Ask, store: Store, number: int) -> None:
    assert await bring(update(number)) == 200
    assert list(store.rows) == [number]


async def test_kinds_that_nobody_asked_for_are_heard_and_forgotten(
    bring: Ask, store: Store
) -> None:
    for kind in ("edited_message", "channel_post", "poll", "business_message"):
        assert await bring(update(**{kind: MESSAGE})) == 200
    assert await bring({"update_id": 5}) == 200
    assert await bring(update(callback_query={"id": "q"})) == 200
    assert len(store.rows) == 1
    assert store.counted == ["ignored"] * 5 + ["stored"]


async def test_the_answer_comes_only_after_it_was_stored(
    client: TestClient[Any, Any], store: Store
) -> None:
    store.commit.clear()
    asking = asyncio.create_task(client.post(PATH, json=update(), headers=PROOF))
    await store.asked.wait()
    await asyncio.sleep(0.02)
    assert not asking.done()
    store.commit.set()
    assert (await asking).status == 200


@pytest.mark.parametrize("fails", [Busy(), Unwritable("full"), CommitUnknown("cut")])
async def test_what_cannot_be_stored_is_to_come_again(
    bring: Ask, store: Store, fails: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store.fails = fails
    assert [await bring(update()) for _ in range(3)] == [503] * 3
    store.fails = None
    assert await bring(update()) == 200
    assert store.counted == ["not_stored"] * 3 + ["stored"]
    assert caplog.text.count("telegram.cannot_store") == 1


# -- who brings it ---------------------------------------------------------------------------------


async def test_the_old_secret_still_proves(bring: Ask, store: Store) -> None:
    assert await bring(update(5), {HEADER: "the-old-secret"}) == 200
    assert await bring(update(6), {HEADER.lower(): SECRET}) == 200
    assert sorted(store.rows) == [5, 6]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ""},
        {HEADER: "wrong"},
        {HEADER: SECRET + "x"},
        {HEADER: SECRET[:-1]},
        {HEADER: SECRET.upper()},
        {HEADER: f"{SECRET},the-old-secret"},
        {HEADER: "r\u00e4tsel"},
        {"Authorization": SECRET},
    ],
)
async def test_without_the_secret_nothing_is_heard(
    bring: Ask, store: Store, headers: dict[str, str]
) -> None:
    assert await bring(update(), headers) == 401
    assert await bring(b"\xff" * 100, headers) == 401
    assert store.rows == {}
    assert store.counted == ["unproved"] * 2


async def test_bytes_that_are_no_text_are_no_secret(
    client: TestClient[Any, Any], store: Store
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{HEADER}: "
    writer.write(head.encode() + b"\xff\xfe\r\nConnection: close\r\n\r\n")
    assert b" 401 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert store.rows == {}


async def test_the_refusal_does_not_wait_for_the_body(
    client: TestClient[Any, Any], store: Store
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n{HEADER}: wrong\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(5):
        assert b" 401 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("secrets", [[], [b""], [b"good", b""]])
async def test_a_door_without_a_secret_is_not_built(store: Store, secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        add_telegram_webhook(web.Application(), secrets=secrets, store=store)


# -- what makes no sense ---------------------------------------------------------------------------

NONSENSE = [
    b"",
    b"halo",
    b'{"update_id": 5',
    b"\xff\xfe\x00",
    b"[]",
    b"5",
    b"null",
    b'"update_id"',
    b"{}",
    b'{"update_id": NaN, "message": {}}',
    b'{"update_id": 5, "message": {"date": Infinity}}',
    b'{"update_id": 5, "message": {"date": 1e999}}',
    b'{"update_id": ' + b"9" * 5000 + b', "message": {}}',
    b'{"update_id": 5, "message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"update_id": 5, "message": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    b"[" * 500_000,
]


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:40]))
async def test_a_proven_body_that_makes_no_sense_is_not_to_come_again(
    bring: Ask, store: Store, body: bytes
) -> None:
    assert await bring(body) == 400
    assert store.rows == {}
    assert store.counted == ["nonsense"]


@pytest.mark.parametrize("number", [True, False, None, "5", 5.0, 2**63, -(2**63) - 1, [5], {}])
async def test_an_update_without_a_number_that_fits_is_not_to_come_again(
    bring: Ask, store: Store, number: Any
) -> None:
    assert await bring(update(number)) == 400
    assert store.rows == {}


async def test_a_body_of_any_depth_is_answered_with_sense(bring: Ask) -> None:
    for depth in (10, 300, 900, 1000, 1100, 3000, 30_000):
        body = b'{"update_id": 5, "message": ' + b"[" * depth + b"]" * depth + b"}"
        assert await bring(body) in {200, 400}


async def test_a_broken_encoding_is_not_to_come_again(bring: Ask, store: Store) -> None:
    assert await bring(b"halo", PROOF | {"Content-Encoding": "gzip"}) == 400
    assert store.rows == {}


# -- how much --------------------------------------------------------------------------------------


def of_size(size: int) -> bytes:
    head, tail = b'{"update_id": 5, "message": {"text": "', b'"}}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


async def test_a_large_update_is_taken_and_a_larger_one_is_not(bring: Ask, store: Store) -> None:
    assert await bring(of_size(MOST_BYTES + 1)) == 413
    assert store.rows == {}
    assert await bring(of_size(MOST_BYTES)) == 200
    assert store.counted == ["too_large", "stored"]


async def test_what_is_said_to_be_too_large_is_refused_before_it_comes(
    client: TestClient[Any, Any], store: Store
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\n"
    writer.write(f"{head}Content-Length: {MOST_BYTES + 1}\r\n\r\n".encode())
    async with asyncio.timeout(5):
        assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_what_grows_beyond_the_limit_is_refused(
    client: TestClient[Any, Any], store: Store
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    answer = await client.post(PATH, data=endless(), headers=PROOF)
    assert answer.status == 413
    bomb = gzip.compress(b"x" * 30_000_000)
    answer = await client.post(PATH, data=bomb, headers=PROOF | {"Content-Encoding": "gzip"})
    assert answer.status == 413
    assert store.counted == ["too_large"] * 2


def test_both_ends_mean_the_same_path_and_the_same_kinds() -> None:
    assert hook.PATH == PATH
    assert intake.ALLOWED_UPDATES == KINDS


async def test_the_other_paths_keep_their_smaller_limit(store: Store) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    def part(app: web.Application) -> None:
        add_telegram_webhook(app, secrets=[b"x"], store=store)
        app.router.add_post("/echo", echo)

    async with TestClient(TestServer(build_app(checks={}, parts=[part]))) as client:
        assert (await client.post("/echo", data=b"x" * 65_537)).status == 413


# -- how -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_updates_are_only_posted(bring: Ask, store: Store, method: str) -> None:
    assert await bring(update(), PROOF, method) == 405
    assert store.rows == {}


async def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(
    client: TestClient[Any, Any], store: Store, bring: Ask
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    body = json.dumps(update()).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\n"
    writer.write(f"{head}Content-Length: {len(body) + 1}\r\n\r\n".encode() + body)
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.close()
    await writer.wait_closed()
    assert await bring(update(6)) == 200
    assert list(store.rows) == [6]


async def test_what_is_counted_has_a_name_known_beforehand(bring: Ask, store: Store) -> None:
    await bring(update())
    await bring(update())
    await bring(update(), {})
    await bring(b"")
    await bring(of_size(MOST_BYTES + 1))
    await bring(update(poll={}))
    store.fails = Busy()
    await bring(update(9))
    assert set(store.counted) == set(CallbackOutcome) - {CallbackOutcome.NOT_FOUND}


async def test_it_works_without_anybody_who_counts(store: Store) -> None:
    def part(app: web.Application) -> None:
        add_telegram_webhook(app, secrets=[SECRET.encode()], store=store)

    async with TestClient(TestServer(build_app(checks={}, parts=[part]))) as client:
        assert (await client.post(PATH, json=update(), headers=PROOF)).status == 200
