"""Foreign text, made harmless to read. Escaping for a channel's markup is the channel's."""

import unicodedata

CUT = "…"  # how a text ends that was cut
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})  # control, direction marks, surrogates, ...
# Letters and marks by name that show nothing: fillers, joiners, variation selectors, blank Braille.
_BLANK = frozenset(
    {
        *"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159",
        *map(chr, range(0xFE00, 0xFE10)),
        *map(chr, range(0xE0100, 0xE01F0)),
    }
)


def visible(text: str, most: int = 200) -> str:
    """Return ``text`` on one line, without what cannot be seen, cut after ``most`` characters."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(" " if char.isspace() else char for char in text if _is_seen(char))
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}{CUT}"


def _is_seen(char: str) -> bool:
    if char.isspace():
        return True
    return char not in _BLANK and unicodedata.category(char) not in _UNSEEN


def plain(text: str) -> str:
    """Return typed text in its plainest form: NFKC, ASCII digits, nothing unseen, single blanks."""
    return visible(
        "".join(_ascii_digit(char) for char in unicodedata.normalize("NFKC", text)), 8_000
    )


def _ascii_digit(char: str) -> str:
    digit = unicodedata.digit(char, None)
    return char if char.isascii() or digit is None else str(digit)
