"""What travels between the page and the shop: JSON objects, one thing each."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.conversation.views import Incoming, Shared, View, What, read_button, read_text
from shop.time import Millis

MOST_BYTES: Final = 64 * 1024  # of one frame from the page; a longer one closes the socket
_MOST_ECHOED = 2_000
_PICTURE = "🧾"  # in place of a picture, which the page never sends: only that there is one
_INPUT = re.compile(r"[A-Za-z0-9_-]{1,64}")

TYPING: Final = '{"type":"typing"}'


class BadFrame(Exception):
    """The page sent what is none of its frames: nothing was done, and nothing will be."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing a person did. ``input``: the page's name for it; ``echo``: how it looks to them."""

    input: str
    incoming: Incoming
    echo: str


def read_frame(data: str) -> Heard:
    """Understand what the page sent. Raise ``BadFrame``."""
    try:
        frame = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadFrame from error
    match frame:
        case {"type": "tap", "input": str(name), "data": str(button), "label": str(label)}:
            heard = Heard(name, read_button(_clean(button)), _clean(label))
        case {"type": "text", "input": str(name), "text": str(text)}:
            heard = Heard(name, read_text(_clean(text, most=len(text))), _clean(text))
        case {"type": "photo", "input": str(name)}:
            heard = Heard(name, Shared(What.PICTURE), _PICTURE)
        case _:
            raise BadFrame
    if not _INPUT.fullmatch(heard.input):
        raise BadFrame
    return heard


def _clean(text: str, *, most: int = _MOST_ECHOED) -> str:
    """Cut a text, and take out the halves of surrogate pairs: JSON has them, no database does."""
    return text[:most].encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One entry of a transcript: a new message, or an edit of the one with the same id.

    ``input``: what of the person this echoes; empty for what the shop says.
    """

    type: Literal["message", "edit"] = "message"
    id: str
    view: View
    at: Millis
    input: str = ""


def encode(post: Post) -> str:
    """Write a post as it is stored; its number is not known yet."""
    entry = {
        "type": post.type,
        "id": post.id,
        "from": "me" if post.input else "shop",
        "at": post.at,
        "input": post.input or None,
    }
    return json.dumps({**entry, **_drawn(post.view)})


def numbered(seq: int, body: str) -> str:
    """Return a stored post as the page wants it."""
    return json.dumps({"seq": seq, **json.loads(body)})


def hello(*, shop: str, language: str, person: str, owner: bool) -> str:
    """Return the first frame of every connection."""
    frame = {"type": "hello", "shop": shop, "language": language, "person": person, "owner": owner}
    return json.dumps(frame)


def toast(text: str) -> str:
    """Return a frame that is shown for a moment and is no part of the chat."""
    return json.dumps({"type": "toast", "text": text})


def _drawn(view: View) -> dict[str, object]:
    return {
        "title": view.title,
        "text": view.text,
        "choices": [
            {"data": choice.data, "label": choice.label, "hint": choice.hint}
            for choice in view.choices
        ],
        "image": None if view.image is None else _data_url(view.image),
        "copy": view.copy or None,
        "link": view.link or None,
    }


def _data_url(image: bytes) -> str:
    kind = "jpeg" if image.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{b64encode(image).decode()}"


def look_of(view: View) -> str:
    """Return a digest that is the same for views that look the same."""
    return _digest(_drawn(view))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What matters of a stored post to whoever writes the next one."""

    id: str
    at: Millis
    input: str
    look: str


def read_entry(body: str) -> Entry:
    """Read a stored post."""
    post: Mapping[str, Any] = json.loads(body)
    look = {name: post[name] for name in _LOOK}
    return Entry(id=post["id"], at=post["at"], input=post["input"] or "", look=_digest(look))


_LOOK = ("title", "text", "choices", "image", "copy", "link")


def _digest(look: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(look).encode()).hexdigest()
