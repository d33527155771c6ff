"""A supplier that calls back at a steady pace, whether or not it was answered so far.

A process of its own: ``python -m benchmarks.steady_callers``. It prints ``{"ready": true}``, then
obeys one JSON object a line: ``{"port": …, "key": "…", "a_second": n, "tells": [["ref", "serial"],
…]}`` tells that these orders were delivered, so many a second. The answer says when each callback
was ``sent`` and ``answered``, in seconds of the machine's monotonic clock, and how ``late`` the
latest was.

The requests are those of ``benchmarks.callers``. Any other answer than 200 ends it.
"""

import asyncio
import hashlib
import hmac
import json
import re
import sys
import time
from typing import Any, Final, TypeAlias

from benchmarks.callers import PATH, WrongAnswer, written

Json: TypeAlias = dict[str, Any]

LINES: Final = 64  # connections that are kept; a callback that finds none free waits for one
_LENGTH: Final = re.compile(rb"(?i)content-length: *(\d+)")
_LONGEST_LINE: Final = 1 << 24  # bytes
_IN_TIME: Final = 60.0  # seconds
_FIRST_AFTER: Final = 0.1  # seconds
_END_OF_HEAD: Final = b"\r\n\r\n"


def _request(ref: str, serial: str, port: int, key: str) -> bytes:
    """Return one whole request."""
    _, _, like = written(0, port, key).partition(_END_OF_HEAD)
    said = {**json.loads(like), "trx_id": ref, "voucher": serial}
    body = json.dumps(said, separators=(",", ":")).encode()
    signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Signature: {signature}\r\nContent-Length: {len(body)}"
    )
    return head.encode() + _END_OF_HEAD + body


class _Calls:
    """Callbacks on their way: when each was to be sent, and when it was answered."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests
        self._waiting: asyncio.Queue[int | None] = asyncio.Queue()
        self.sent: list[float] = []
        self.answered = [0.0] * len(requests)
        self.late = 0.0

    async def send(self, a_second: float) -> None:
        """Let them go one by one, in equal steps, whatever becomes of them."""
        began = time.monotonic() + _FIRST_AFTER
        for nth in range(len(self._requests)):
            due = began + nth / a_second
            await asyncio.sleep(max(due - time.monotonic(), 0))
            # Here: one that finds no free line is waiting for the shop.
            self.sent.append(time.monotonic())
            self.late = max(self.late, self.sent[-1] - due)
            self._waiting.put_nowait(nth)
        for _ in range(LINES):
            self._waiting.put_nowait(None)

    async def carry(self, line: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Carry one after the other over a connection. Raises ``WrongAnswer``."""
        reader, writer = line
        while (nth := await self._waiting.get()) is not None:
            writer.write(self._requests[nth])
            await _hear(reader)
            self.answered[nth] = time.monotonic()


async def _hear(reader: asyncio.StreamReader) -> None:
    """Read as much of HTTP as an answer needs. Raises ``WrongAnswer``."""
    try:
        head = await reader.readuntil(_END_OF_HEAD)
        found = _LENGTH.search(head)
        await reader.readexactly(int(found[1]) if found else 0)
    except asyncio.IncompleteReadError as error:
        raise WrongAnswer("the connection was closed") from error
    if not head.startswith(b"HTTP/1.1 200 "):
        raise WrongAnswer(repr(head[:200]))


async def obey(order: Json) -> Json:
    """Send what is asked for. Raises ``WrongAnswer``."""
    port, key = order["port"], order["key"]
    calls = _Calls([_request(ref, serial, port, key) for ref, serial in order["tells"]])
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LINES)]
    try:
        async with asyncio.timeout(_IN_TIME), asyncio.TaskGroup() as tasks:
            tasks.create_task(calls.send(order["a_second"]))
            for line in lines:
                tasks.create_task(calls.carry(line))
    finally:
        for _, writer in lines:
            writer.close()
    return {"sent": calls.sent, "answered": calls.answered, "late": calls.late}


async def main() -> None:
    """Obey until told to stop."""
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    _say({"ready": True})
    while line := await orders.readline():
        _say(await obey(json.loads(line)))


def _say(found: Json) -> None:
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
