"""A view as Telegram shows it: HTML with everything escaped, and a keyboard under the message."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from ipaddress import ip_address
from urllib.parse import urlsplit

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot.conversation.views import MOST_DATA_BYTES, Choice, View
from bot.logs import get_logger

# core.telegram.org/bots/api: sendMessage, sendPhoto, InlineKeyboardMarkup, CopyTextButton.
MOST_TEXT = 4096
MOST_CAPTION = 1024
MOST_BUTTONS = 100
MOST_COPIED = 256
MOST_URL = 2048
MOST_TITLE = 256
MOST_LABEL = 64

_COLUMNS = ((9, 3), (18, 2))  # if every label is at most this long, so many in a row

# Control characters, marks that turn the text around, halves of characters.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the buttons are called that are Telegram's own, in the reader's language."""

    copy: str = ""
    open_link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One message: ``html`` is its text, or its caption if there is a ``photo``."""

    html: str
    keyboard: InlineKeyboardMarkup | None
    photo: bytes | str | None  # a text is Telegram's own name for a picture it keeps


def draw(
    view: View, words: Words, *, limit: int | None = None, link_button: bool = True
) -> Drawing:
    """Return the message that shows ``view``, within Telegram's limits.

    Too long a text is cut; the title, what is to be copied and the link stay. ``limit``: visible
    characters, those of a text or of a caption if not given. Without ``link_button`` the link
    stands in the text, for addresses that Telegram does not take in a button.
    """
    photo = view.image or view.file or None
    most = limit or (MOST_CAPTION if photo else MOST_TEXT)
    in_button = link_button and is_linkable(view.link)
    return Drawing(
        html=_html(view, most, link="" if in_button else _clean(view.link)),
        keyboard=_keyboard(view, words, link=view.link if in_button else ""),
        photo=photo,
    )


def is_linkable(url: str) -> bool:
    """Tell whether ``url`` may be offered as a button: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or len(url) > MOST_URL or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


# --- the text -------------------------------------------------------------------------------------


def _html(view: View, most: int, link: str) -> str:
    title = _cut(_clean(view.title), MOST_TITLE)
    left = most - (_length(title) + 1 if title else 0)
    if link and _length(link) + 1 <= left:
        left -= _length(link) + 1
    else:
        link = ""
    copied = _cut(_clean(view.copy), left - 1)
    body = _clean(view.text)
    if copied and _length(body) <= left and (place := _place(body, copied)):
        shown = [_around(body, place)]
    else:
        body = _cut(body, left - _length(copied) - 1) if copied else _cut(body, left)
        shown = [escape(body, quote=False), _code(copied)]
    parts = [f"<b>{escape(title, quote=False)}</b>" if title else "", *shown]
    if link not in body:
        parts.append(escape(link, quote=False))
    return "\n".join(part for part in parts if part) or "…"


def _place(text: str, value: str) -> re.Match[str] | None:
    """Return where ``value`` stands in ``text`` as a word of its own, the last time."""
    found = list(re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text))
    return found[-1] if found else None


def _around(text: str, place: re.Match[str]) -> str:
    before, after = text[: place.start()], text[place.end() :]
    return f"{escape(before, quote=False)}{_code(place[0])}{escape(after, quote=False)}"


def _code(text: str) -> str:
    return f"<code>{escape(text, quote=False)}</code>" if text else ""


def _clean(text: str) -> str:
    return _HARMFUL.sub("", text).strip()


def _length(text: str) -> int:
    """Count as Telegram does: a character outside the basic plane is two."""
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, most: int) -> str:
    if _length(text) <= most:
        return text
    whole = text.encode("utf-16-le")[: 2 * max(most - 1, 0)].decode("utf-16-le", "ignore")
    return f"{whole.rstrip()}…" if most > 0 else ""


# --- the keyboard ---------------------------------------------------------------------------------


def _keyboard(view: View, words: Words, link: str) -> InlineKeyboardMarkup | None:
    rows = [[button] for button in (*_copy_button(view, words), *_link_button(link, words))]
    buttons = [_button(choice) for choice in view.choices if _is_pressable(choice)]
    rows += _rows(buttons[: MOST_BUTTONS - len(rows)])
    return InlineKeyboardMarkup(rows) if rows else None


def _copy_button(view: View, words: Words) -> list[InlineKeyboardButton]:
    value = _clean(view.copy)
    if not words.copy or not 1 <= _length(value) <= MOST_COPIED:
        return []
    return [InlineKeyboardButton(words.copy, copy_text=CopyTextButton(value))]


def _link_button(link: str, words: Words) -> list[InlineKeyboardButton]:
    return [InlineKeyboardButton(words.open_link or link, url=link)] if link else []


def _is_pressable(choice: Choice) -> bool:
    size = len(choice.data.encode("utf-8", "replace"))
    if 1 <= size <= MOST_DATA_BYTES:
        return True
    # Telegram would refuse the whole message for it.
    _log.error("telegram.button_left_out", choice=choice.id, bytes=size)
    return False


def _button(choice: Choice) -> InlineKeyboardButton:
    label = f"{choice.label} · {choice.hint}" if choice.hint else choice.label
    return InlineKeyboardButton(_cut(_clean(label), MOST_LABEL) or "…", callback_data=choice.data)


def _rows(buttons: Sequence[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    longest = max((len(button.text) for button in buttons), default=0)
    columns = next((columns for length, columns in _COLUMNS if longest <= length), 1)
    return [list(buttons[at : at + columns]) for at in range(0, len(buttons), columns)]
