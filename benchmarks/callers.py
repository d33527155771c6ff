"""A supplier that calls back, lean and quick: signed callbacks over connections that are kept.

A process of its own: ``python -m benchmarks.callers``. It prints ``{"ready": true}``, then obeys
one JSON object a line: ``{"port": …, "key": "…", "first": n, "callbacks": n, "in_flight": n}``
sends so many different callbacks, numbered from ``first`` on. The answer says how many seconds
passed from the first request to the last 200, and how much of that this process was working.

All is written and signed beforehand, and only as much of HTTP is read as an answer needs: what is
measured must never wait for this process. Any other answer than 200 ends it.
"""

import asyncio
import hashlib
import hmac
import json
import re
import sys
import time
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

PATH: Final = "/callbacks/zonegame"
_LENGTH: Final = re.compile(rb"(?i)content-length: *(\d+)")
_IN_TIME: Final = 120.0  # seconds

# ZoneGame, API documentation, "Callback API", "Data yang Dikirim".
_SAID: Final[Json] = {
    "invoice_number": "INV-XXXXXXXXXXXXX",
    "trx_id": "ORDER-001",
    "response_note": "Whyy . RefId: DGG-XXXXX",
    "category": {"title": "Mobile Legends : Indonesia", "subtitle": None, "type": "game"},
    "product": {"name": "5 Diamond (5 + 1)", "code": "MLID5", "price": 1500},
    "user_input": {"user_id": "938572270", "server_id": "12729", "nickname": None},
    "balance": 50000,
    "amount": 1500,
    "status": "SUCCESS",
    "voucher": None,
    "created_at": 1729926123,
}


class WrongAnswer(Exception):
    """Something else than 200 was answered, or the connection was closed."""


def written(nth: int, port: int, key: str) -> bytes:
    """Return one whole request."""
    said = {**_SAID, "trx_id": f"ORDER-{nth:012}"}
    body = json.dumps(said, separators=(",", ":")).encode()
    signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Caller(asyncio.Protocol):
    """One connection: the next request as soon as the last one was answered."""

    def __init__(self, requests: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._done = done
        self._came = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(WrongAnswer("the connection was closed"))

    def call(self) -> None:
        """Send the next request, if there is one."""
        request = next(self._requests, None)
        if request is not None and self._transport is not None:
            self._transport.write(request)
        elif not self._done.done():
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, ended, body = self._came.partition(b"\r\n\r\n")
        if not ended or len(body) < _length(head):
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            if not self._done.done():
                self._done.set_exception(WrongAnswer(repr(self._came[:200])))
            return
        self._came = b""
        self.call()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


async def obey(order: Json) -> Json:
    """Send what is asked for. Raises ``WrongAnswer``."""
    loop, port, first = asyncio.get_running_loop(), order["port"], order["first"]
    numbers = range(first, first + order["callbacks"])
    requests = iter([written(nth, port, order["key"]) for nth in numbers])
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(order["in_flight"])]
    callers = []
    for end in ends:
        _, caller = await loop.create_connection(
            lambda end=end: Caller(requests, end),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        callers.append(caller)
    try:
        began, used = time.perf_counter(), time.process_time()
        for caller in callers:
            caller.call()
        async with asyncio.timeout(_IN_TIME):
            await asyncio.gather(*ends)
        took, used = time.perf_counter() - began, time.process_time() - used
    finally:
        for caller in callers:
            caller.close()
    return {"seconds": took, "busy": used / took}


async def main() -> None:
    """Obey until told to stop."""
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    _say({"ready": True})
    while line := await orders.readline():
        _say(await obey(json.loads(line)))


def _say(found: Json) -> None:
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
