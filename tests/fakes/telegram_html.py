"""Telegram's HTML, read as strictly as the Bot API reads it.

Source: core.telegram.org/bots/api#html-style.
"""

import html
import re
from dataclasses import dataclass, field
from typing import Any

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "tg-spoiler": "spoiler",
    "blockquote": "blockquote",
}
# An ampersand that starts none of these is an ampersand; a "<" is always the start of a tag.
_TOKEN = re.compile(
    r"""(?P<tag><(?P<close>/?)(?P<name>[a-z0-9-]*)(?P<attributes>(?:\s(?:[^<>"']|"[^"]*"|'[^']*')*)?)>)
      | (?P<broken><)
      | (?P<entity>&(?:lt|gt|amp|quot|\#\d+|\#x[0-9a-f]+);)
      | (?P<text>[^<&]+|&)""",
    re.IGNORECASE | re.VERBOSE,
)
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""", re.IGNORECASE)


class BadMarkup(ValueError):
    """The Bot API would answer "can't parse entities" with this reason."""


def utf16(text: str) -> int:
    """Length as Telegram counts offsets: in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


@dataclass(slots=True, kw_only=True)
class _Reader:
    source: str
    plain: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)
    open: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def take(self, token: re.Match[str]) -> None:
        match token.lastgroup:
            case "tag" if token["close"]:
                self._close(token)
            case "tag":
                self._open(token)
            case "broken":
                raise BadMarkup(f"Unclosed start tag at byte offset {self._byte(token)}")
            case _:
                self.plain += html.unescape(token[0]) if token.lastgroup == "entity" else token[0]

    def _byte(self, token: re.Match[str]) -> int:
        return len(self.source[: token.start()].encode())

    def _open(self, token: re.Match[str]) -> None:
        name = token["name"].lower()
        if name not in _KINDS:
            raise BadMarkup(f'Unsupported start tag "{name}" at byte offset {self._byte(token)}')
        entity: dict[str, Any] = {"type": _KINDS[name], "offset": utf16(self.plain)}
        if name == "a" and (href := _HREF.search(token["attributes"])):
            entity["url"] = html.unescape(next(part for part in href.groups() if part is not None))
        self.open.append((name, entity))

    def _close(self, token: re.Match[str]) -> None:
        found = token["name"].lower()
        if not self.open:
            raise BadMarkup(f"Unexpected end tag at byte offset {self._byte(token)}")
        name, entity = self.open.pop()
        if found not in ("", name):  # "</>" closes whatever is open
            raise BadMarkup(
                f"Unmatched end tag at byte offset {self._byte(token)}, "
                f'expected "</{name}>", found "</{found}>"'
            )
        entity["length"] = utf16(self.plain) - entity["offset"]
        self.entities.append(entity)

    def finish(self) -> tuple[str, list[dict[str, Any]]]:
        if self.open:
            raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{self.open[-1][0]}"')
        text = self.plain.strip()
        dropped, size = utf16(self.plain) - utf16(self.plain.lstrip()), utf16(text)
        for entity in self.entities:
            start = min(max(entity["offset"] - dropped, 0), size)
            end = min(max(entity["offset"] + entity["length"] - dropped, 0), size)
            entity.update(offset=start, length=end - start)
        kept = [entity for entity in self.entities if entity["length"]]
        return text, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"]))


def parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Plain text, trimmed, and its ``MessageEntity`` objects.

    Raises:
        BadMarkup: an unknown, unclosed, crossed or unfinished tag.
    """
    reader = _Reader(source=source)
    for token in _TOKEN.finditer(source):
        reader.take(token)
    return reader.finish()
