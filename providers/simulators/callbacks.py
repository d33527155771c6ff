"""Callbacks as a simulated supplier sends them: again until one is answered 2xx, or given up.

Only loopback is ever spoken to. What cannot be sent is written down like what was.
"""

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from ipaddress import ip_address
from typing import Any

import httpx

from providers.simulators.wishes import JsonObject

Client = Callable[[], httpx.AsyncClient]

_LIMIT = 5.0  # seconds for one callback as a whole
_PAUSES_MS = (5_000, 10_000, 20_000)  # before the second, third and last try
_REMEMBERED = 1000
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One callback, ready to be sent: ``body`` in UTF-8 is exactly what goes out.

    ``ref`` names the order it is about, for the journal; empty if it is about none.
    """

    url: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    message: Message
    due_at: int
    tries: int = 0


class CallbackPost:
    """The callbacks still to be sent, and the last 1000 tries with what was answered.

    ``clock`` decides what is due (epoch ms). ``saved`` is called after every try, when this object
    already knows its outcome: whoever is killed during a try sends that callback once more.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        client: Client | None = None,
        saved: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._client = client or _plain_client
        self._saved = saved
        self._turn = asyncio.Lock()
        self._waiting: list[_Waiting] = []
        self._sent: deque[JsonObject] = deque(maxlen=_REMEMBERED)

    def add(self, message: Message, due_at: int) -> None:
        """Send it once ``due_at`` has come; a second one like it is sent, too."""
        self._waiting.append(_Waiting(message=message, due_at=due_at))

    async def send_due(self) -> None:
        """Send what is due now, earliest first; return when all of it was answered or failed.

        Whoever calls this during another such call waits for that one first.
        """
        if not self._waiting:
            return
        async with self._turn:
            while (waiting := self._next()) is not None:
                await self._try(waiting)

    def journal(self) -> list[JsonObject]:
        """Tell every try: ``status`` is the answered one, else ``error`` says why there is none."""
        return [dict(row) for row in self._sent]

    def dump(self) -> JsonObject:
        """Tell everything as plain JSON."""
        return {"waiting": [asdict(each) for each in self._waiting], "sent": self.journal()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up again what ``dump`` told. Raise ``KeyError`` or ``TypeError`` if it is not."""
        for row in state["waiting"]:
            message = Message(**row["message"])
            self._waiting.append(_Waiting(**{**row, "message": message}))
        self._sent.extend(state["sent"])

    def _next(self) -> _Waiting | None:
        now = self._clock()
        due = [each for each in self._waiting if each.due_at <= now]
        return min(due, key=lambda each: each.due_at, default=None)

    async def _try(self, waiting: _Waiting) -> None:
        message = waiting.message
        status, error = await self._answer_to(message)
        self._waiting.remove(waiting)
        self._sent.append(
            {"at": self._clock(), **asdict(message), "status": status, "error": error}
        )
        if _is_worth_another(status, error) and waiting.tries < len(_PAUSES_MS):
            pause = _PAUSES_MS[waiting.tries]
            later = replace(waiting, tries=waiting.tries + 1, due_at=self._clock() + pause)
            self._waiting.append(later)
        self._saved()

    async def _answer_to(self, message: Message) -> tuple[int | None, str]:
        if not is_loopback(message.url):
            return None, _ELSEWHERE
        try:
            async with asyncio.timeout(_LIMIT), self._client() as client:
                answer = await client.request(
                    message.method,
                    message.url,
                    content=_bytes_of(message.body),
                    headers=dict(message.headers),
                )
        except (httpx.HTTPError, TimeoutError) as error:
            return None, type(error).__name__
        return answer.status_code, ""


_ELSEWHERE = "not sent: simulators speak to http:// loopback only"


def is_loopback(url: str) -> bool:
    """Tell whether this address is on this machine, read as the HTTP client will read it."""
    try:
        where = httpx.URL(url)
        if where.scheme != "http" or (where.port or 0) > _LAST_PORT:
            return False
        return where.host == "localhost" or ip_address(where.host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False


def compact(said: Mapping[str, object]) -> str:
    """Write JSON as JavaScript's ``JSON.stringify`` does: no blanks, nothing escaped needlessly."""
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


def hmac_of(body: str, key: str) -> str:
    """Sign a body's bytes: HMAC-SHA256 in lower-case hex."""
    return hmac.new(key.encode(), _bytes_of(body), hashlib.sha256).hexdigest()


def _bytes_of(body: str) -> bytes:
    # Half of a surrogate pair can come in as JSON, and cannot go out as UTF-8.
    return body.encode("utf-8", "replace")


def _is_worth_another(status: int | None, error: str) -> bool:
    return error != _ELSEWHERE and not (status is not None and 200 <= status < 300)


def _plain_client() -> httpx.AsyncClient:
    # Nothing but http:// on loopback is spoken to, so there is no certificate to check; to load
    # the trusted ones would take longer than the callback.
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=False)  # noqa: S501
