"""A Telegram Bot API server for tests, with a journal and a customer's hands.

The bot under test is the real process, long polling (or taking webhooks from) this server:

    async with FakeTelegram(token="123:abc") as telegram:
        ...  # start the bot with TELEGRAM_API_URL=telegram.url
        budi = telegram.person(7, first_name="Budi", language_code="id")
        await budi.says("/start")
        menu = await budi.sees("Selamat datang")
        await budi.taps("Mobile Legends")

Semantics and wording of errors follow core.telegram.org/bots/api and what api.telegram.org answers.
"""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeVar

import aiohttp
from aiohttp import web

from tests.fakes.telegram_person import Person
from tests.fakes.telegram_state import (
    Chat,
    Json,
    Message,
    Refused,
    bad,
    caption_content,
    checked_markup,
    photo_size,
    text_content,
)

Found = TypeVar("Found")
FaultKind = Literal[400, 401, 403, 409, 429, 500, "hang", "cut"]

# Kept as they came; every other value that is JSON inside a form is decoded.
_PLAIN_PARAMS = (
    "text caption parse_mode callback_query_id language_code url description short_description name"
    " action photo file_id secret_token message_effect_id business_connection_id"
)
_UPDATES_BY_DEFAULT = ("message", "edited_message", "callback_query", "my_chat_member")
_ACCEPTED = (  # noted in the journal and forgotten
    "setmydescription setmyshortdescription setmyname setchatmenubutton"
    " setmydefaultadministratorrights logout close"
)
_BOT_BLOCKED = "Forbidden: bot was blocked by the user"
_FAULTS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: _BOT_BLOCKED,
    409: "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running",
    429: "Too Many Requests: retry after {retry_after}",
    500: "Internal Server Error",
}


@dataclass(slots=True, kw_only=True)
class Call:
    """One request of the bot; ``status`` is 0 until it is answered (for ever if it was cut)."""

    method: str
    params: Json  # uploaded files as bytes, under the name they were uploaded
    at: int  # epoch milliseconds
    status: int = 0


@dataclass(slots=True, kw_only=True)
class Fault:
    """What awaits the next ``left`` calls; see ``FakeTelegram.fail_next``."""

    method: str
    kind: FaultKind
    left: int
    after: bool
    retry_after: int
    chat_id: int | None
    says: str = ""  # the description, instead of the usual one
    migrate_to: int | None = None
    struck: int = 0  # how many calls it has met
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def meets(self, call: Call) -> bool:
        here = self.chat_id in (None, call.params.get("chat_id"))
        return self.left > 0 and self.method in ("*", call.method) and here

    def release(self) -> None:
        """Let the calls that hang go on."""
        self.released.set()

    async def strike(self, request: web.Request) -> None:
        if self.kind == "hang":
            await self.released.wait()
        elif self.kind == "cut":
            if request.transport:
                request.transport.abort()
            await asyncio.Event().wait()  # the lost connection cancels this handler
        else:
            extra = {"retry_after": self.retry_after} if self.kind == 429 else {}
            if self.migrate_to is not None:
                extra["migrate_to_chat_id"] = self.migrate_to
            says = self.says or _FAULTS[self.kind].format_map(extra)
            raise Refused(self.kind, says, **extra)


def _decoded(key: str, value: object) -> Any:
    if isinstance(value, bytearray):  # a part of unknown type
        return bytes(value)
    if not isinstance(value, str) or key in _PLAIN_PARAMS.split():
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


async def _params(request: web.Request) -> Json:
    params = {key: _decoded(key, value) for key, value in request.query.items()}
    if request.content_type == "application/json":
        return params | {key: _decoded(key, it) for key, it in (await request.json()).items()}
    for key, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            with value.file:
                params[key] = value.file.read()
        else:
            params[key] = _decoded(key, value)
    return params


class FakeTelegram:
    """The server. ``calls`` is the journal; ``chat(id)`` is what people see now.

    ``query_lifetime``: seconds after which a tap can no longer be answered; ``None`` is never.
    """

    def __init__(self, token: str = "123:abc", clock: Callable[[], float] = time.time) -> None:
        self.token, self.url = token, ""
        self.bot: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Lapak",
            "username": "lapak_bot",
        }
        self.calls: list[Call] = []
        self.commands: dict[tuple[str, str], list[Json]] = {}  # by language and scope
        self.answers: dict[str, str] = {}  # the text shown for each answered tap
        self.allowed_updates: list[str] = []
        self.webhook: Json = {}
        self.query_lifetime: float | None = None
        self._clock = clock
        self._chats: dict[int, Chat] = {}
        self._files: dict[str, bytes] = {}
        self._faults: list[Fault] = []
        self.queries: dict[str, tuple[int, float]] = {}  # chat and time of each tap
        self._pending: list[Json] = []
        self._repeated: list[Json] = []
        self._numbers = itertools.count(1001)
        self._change = asyncio.Event()
        self._polls = 0

    # -- the server -----------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._serve_file)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._courier = asyncio.create_task(self._push_to_webhook())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._courier.cancel()
        with suppress(asyncio.CancelledError):
            await self._courier
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != self.token:
            return web.json_response(Refused(401, "Unauthorized").json(), status=401)
        params = await _params(request)
        method, at = request.match_info["method"], int(self._clock() * 1000)
        call = Call(method=method, params=params, at=at)
        self.calls.append(call)
        try:
            answer, status = {"ok": True, "result": await self._perform(call, request)}, 200
        except Refused as refused:
            answer, status = refused.json(), refused.code
        call.status = status
        self.changed()
        return web.json_response(answer, status=status)

    async def _perform(self, call: Call, request: web.Request) -> Any:
        fault = next((fault for fault in self._faults if fault.meets(call)), None)
        if fault is None:
            return await self._execute(call)
        fault.left -= 1
        result = await self._execute(call) if fault.after else None
        fault.struck += 1
        self.changed()
        await fault.strike(request)
        return result if fault.after else await self._execute(call)

    async def _execute(self, call: Call) -> Any:
        if call.method.lower() == "getupdates":
            return await self._get_updates(call.params)
        if (perform := _METHODS.get(call.method.lower())) is None:
            raise Refused(404, "Not Found")
        return perform(self, call.params)

    async def _serve_file(self, request: web.Request) -> web.Response:
        data = self._files.get(request.match_info["path"].removeprefix("photos/"))
        if request.match_info["token"] != self.token or data is None:
            return web.json_response(Refused(404, "Not Found").json(), status=404)
        return web.Response(body=data)

    def changed(self) -> None:
        """Wake everyone who waits in ``until``."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait(self, found: Callable[[], Found], within: float | None) -> Found | None:
        """The first true answer of ``found``, asked again after all that happens; None if late."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not (it := found()):
                    await self._change.wait()
                return it
        return None

    async def until(self, found: Callable[[], Found], within: float = 10, what: str = "") -> Found:
        """Like ``wait``, but late is an ``AssertionError``."""
        if (it := await self.wait(found, within)) is None:
            raise AssertionError(f"waited {within} s in vain for {what or found}")
        return it

    # -- what tests do --------------------------------------------------------------------------

    def chat(self, chat_id: int) -> Chat:
        return self._chats.get(chat_id) or Chat(id=chat_id, title={})

    def person(
        self, user_id: int, first_name: str = "Budi", language_code: str = "id", **user: str
    ) -> Person:
        """Someone who has started the bot before, so that it may write to them."""
        me = {"id": user_id, "is_bot": False, "first_name": first_name}
        me |= {"language_code": language_code} | user
        return Person(telegram=self, user=me, chat=self.open_chat(user_id, first_name=first_name))

    def open_chat(self, chat_id: int, **title: str) -> Chat:
        """A chat the bot may write to."""
        return self._chats.setdefault(chat_id, Chat(id=chat_id, title=title))

    @property
    def unconfirmed(self) -> list[Json]:
        """Updates the bot has not taken, or has taken without saying so."""
        return list(self._pending)

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def fail_next(
        self,
        method: str,
        kind: FaultKind,
        count: int = 1,
        *,
        after: bool = False,
        retry_after: int = 1,
        chat_id: int | None = None,
        says: str = "",
        migrate_to: int | None = None,
    ) -> Fault:
        """Make the next ``count`` calls of ``method`` ("*": of any) fail.

        A number is answered as that error, in the words of ``says`` if given. "hang": no answer
        until ``release()`` or until the bot gives up. "cut": the connection breaks. With ``after``
        the call is executed first, so only its answer is lost.
        """
        fault = Fault(
            method=method,
            kind=kind,
            left=count,
            after=after,
            retry_after=retry_after,
            chat_id=chat_id,
            says=says,
            migrate_to=migrate_to,
        )
        self._faults.append(fault)
        return fault

    def block(self, chat_id: int, *, blocked: bool = True) -> None:
        """From now on everything sent there is 403."""
        self._chats[chat_id].blocked = blocked

    # -- updates --------------------------------------------------------------------------------

    def enqueue(self, kind: str, payload: Json) -> Json:
        update = {"update_id": next(self._numbers), kind: payload}
        if kind in (self.allowed_updates or _UPDATES_BY_DEFAULT):
            self._pending.append(update)
        self.changed()
        return update

    def tap(self, chat: Chat, query: Json) -> Json:
        """The update about a pressed button, which may be answered from now on."""
        query |= {"id": f"query-{next(self._numbers)}", "chat_instance": "1"}
        self.queries[query["id"]] = chat.id, self._clock()
        return self.enqueue("callback_query", query)

    def redeliver(self, update: Json) -> None:
        """Hand it out once more, confirmed or not."""
        self._repeated.append(update)
        self.changed()

    def _allow(self, params: Json) -> None:
        self.allowed_updates = params.get("allowed_updates", self.allowed_updates)

    async def _get_updates(self, params: Json) -> list[Json]:
        if self.webhook:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        self._allow(params)
        self._confirm(int(params.get("offset", 0)))
        self._polls += 1
        mine = self._polls
        self.changed()
        await self.wait(
            lambda: self._pending or self._repeated or self._polls != mine,
            min(int(params.get("timeout", 0)), 50),
        )
        if self._polls != mine:
            raise Refused(409, _FAULTS[409])
        repeated, self._repeated = self._repeated, []
        return repeated + self._pending[: min(max(int(params.get("limit", 100)), 1), 100)]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._pending = self._pending[offset:]
        self._pending = [update for update in self._pending if update["update_id"] >= offset]

    async def _push_to_webhook(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while True:
                await self.wait(lambda: self.webhook and (self._repeated or self._pending), None)
                queue = self._repeated or self._pending
                update = queue[0]
                if not await self._push(session, update):
                    await asyncio.sleep(0.1)
                elif update in queue:  # it may have been dropped meanwhile
                    queue.remove(update)
                    self.changed()

    async def _push(self, session: aiohttp.ClientSession, update: Json) -> bool:
        secret = self.webhook["secret_token"]
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        try:
            async with session.post(self.webhook["url"], json=update, headers=headers) as answer:
                error = "" if answer.ok else f"Wrong response from the webhook: {answer.status}"
        except (aiohttp.ClientError, TimeoutError):
            error = "Connection refused"
        if error and self.webhook:
            self.webhook |= {"error": error}
        return not error

    def _set_webhook(self, params: Json) -> bool:
        self._allow(params)
        url, secret = params.get("url", ""), params.get("secret_token", "")
        self.webhook = {"url": url, "secret_token": secret} if url else {}
        return self._drop(params)

    def _delete_webhook(self, params: Json) -> bool:
        self.webhook = {}
        return self._drop(params)

    def _drop(self, params: Json) -> bool:
        if params.get("drop_pending_updates"):
            self._pending.clear()
        self.changed()
        return True

    def _webhook_info(self, params: Json) -> Json:
        info = {
            "url": self.webhook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": len(self._pending),
        }
        if self.allowed_updates:
            info["allowed_updates"] = self.allowed_updates
        if error := self.webhook.get("error"):
            info |= {"last_error_date": int(self._clock()), "last_error_message": error}
        return info

    # -- messages -------------------------------------------------------------------------------

    def _reach(self, params: Json) -> Chat:
        chat = self._chats.get(params.get("chat_id", 0))
        if chat is None:
            raise bad("chat not found" if params.get("chat_id") else "chat_id is empty")
        if chat.blocked:
            raise Refused(403, _BOT_BLOCKED)
        return chat

    def add_message(self, chat: Chat, sender: Json, **content: Any) -> Message:
        now, number = int(self._clock()), next(self._numbers)
        message = Message(message_id=number, chat=chat, sender=sender, date=now, **content)
        chat.history.append(message)
        return message

    def _send(self, params: Json, content: Json) -> Json:
        chat, markup = self._reach(params), checked_markup(params)
        reply: Json = params.get("reply_parameters") or {}
        orphan = reply and chat.find(reply["message_id"]) is None
        if orphan and not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        return self.add_message(chat, self.bot, markup=markup, **content).json()

    def _send_message(self, params: Json) -> Json:
        return self._send(params, text_content(params))

    def _send_photo(self, params: Json) -> Json:
        return self._send(params, self.store_photo(params.get("photo")) | caption_content(params))

    def store_photo(self, source: bytes | str | None) -> Json:
        if not source:
            raise bad("there is no photo in the request")
        if isinstance(source, bytes):
            file_id = f"photo-{next(self._numbers)}"
            photo_size(file_id, source)
            self._files[file_id] = source
        elif (file_id := source) not in self._files:
            raise bad("wrong file identifier/HTTP URL specified")
        return {"file_id": file_id, "photo": self._files[file_id]}

    def _get_file(self, params: Json) -> Json:
        if (data := self._files.get(params.get("file_id", ""))) is None:
            raise bad("invalid file_id")
        return photo_size(params["file_id"], data) | {"file_path": f"photos/{params['file_id']}"}

    def _editable(self, params: Json) -> Message:
        message = self._reach(params).find(params.get("message_id"))
        if message is None:
            raise bad("message to edit not found")
        if message.sender is not self.bot:
            raise bad("message can't be edited")
        return message

    def _edit(self, message: Message, params: Json, content: Json) -> Json:
        content |= {"markup": checked_markup(params)}  # an edit without a keyboard takes it away
        if all(getattr(message, key) == value for key, value in content.items()):
            raise bad(
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
        for key, value in content.items():
            setattr(message, key, value)
        message.edited += 1
        return message.json()

    def _edit_text(self, params: Json) -> Json:
        message = self._editable(params)
        if message.photo:
            raise bad("there is no text in the message to edit")
        return self._edit(message, params, text_content(params))

    def _edit_caption(self, params: Json) -> Json:
        message = self._editable(params)
        if not message.photo:
            raise bad("there is no caption in the message to edit")
        return self._edit(message, params, caption_content(params))

    def _edit_markup(self, params: Json) -> Json:
        return self._edit(self._editable(params), params, {})

    def _edit_media(self, params: Json) -> Json:
        message, media = self._editable(params), params["media"]
        source = media["media"]
        if source.startswith("attach://"):
            source = params.get(source.removeprefix("attach://"))
        return self._edit(message, params, self.store_photo(source) | caption_content(media))

    def _delete(self, params: Json) -> bool:
        message = self._reach(params).find(params.get("message_id"))
        if message is None:
            raise bad("message to delete not found")
        message.deleted = True
        return True

    def _answer_tap(self, params: Json) -> bool:
        query = params.get("callback_query_id", "")
        _, asked = self.queries.get(query, (0, float("-inf")))
        lifetime = float("inf") if self.query_lifetime is None else self.query_lifetime
        if query not in self.queries or self._clock() - asked > lifetime:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(params.get("text", "")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        self.answers[query] = params.get("text", "")
        return True

    # -- the rest -------------------------------------------------------------------------------

    def _get_me(self, params: Json) -> Json:
        rights = {"can_join_groups": True, "can_read_all_group_messages": False}
        return self.bot | rights | {"supports_inline_queries": False}

    def _get_chat(self, params: Json) -> Json:
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        accepted = dict.fromkeys((*gifts, "gifts_from_channels"), True)
        fixed = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": accepted}
        return self._reach(params).json() | fixed

    def _set_commands(self, params: Json) -> bool:
        for command in params["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[_audience(params)] = params["commands"]
        return True

    def _delete_commands(self, params: Json) -> bool:
        self.commands.pop(_audience(params), None)
        return True

    def _get_commands(self, params: Json) -> list[Json]:
        return self.commands.get(_audience(params), [])

    def _act(self, params: Json) -> bool:
        self._reach(params)
        return True

    def _agree(self, params: Json) -> bool:
        return True


def _audience(params: Json) -> tuple[str, str]:
    scope = params.get("scope") or {"type": "default"}
    return params.get("language_code", ""), ":".join(str(part) for part in scope.values())


_METHODS: Mapping[str, Callable[[FakeTelegram, Json], Any]] = {
    "getme": FakeTelegram._get_me,
    "setwebhook": FakeTelegram._set_webhook,
    "deletewebhook": FakeTelegram._delete_webhook,
    "getwebhookinfo": FakeTelegram._webhook_info,
    "sendmessage": FakeTelegram._send_message,
    "sendphoto": FakeTelegram._send_photo,
    "sendchataction": FakeTelegram._act,
    "editmessagetext": FakeTelegram._edit_text,
    "editmessagecaption": FakeTelegram._edit_caption,
    "editmessagereplymarkup": FakeTelegram._edit_markup,
    "editmessagemedia": FakeTelegram._edit_media,
    "deletemessage": FakeTelegram._delete,
    "answercallbackquery": FakeTelegram._answer_tap,
    "getchat": FakeTelegram._get_chat,
    "getfile": FakeTelegram._get_file,
    "setmycommands": FakeTelegram._set_commands,
    "deletemycommands": FakeTelegram._delete_commands,
    "getmycommands": FakeTelegram._get_commands,
} | dict.fromkeys(_ACCEPTED.split(), FakeTelegram._agree)
