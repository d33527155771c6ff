"""How suppliers write things: serial numbers in notes, times in many forms."""

import re
from datetime import UTC, datetime, timedelta, timezone

from shop.text import visible
from shop.time import Millis

WIB = timezone(timedelta(hours=7))  # the zone of Indonesian suppliers that name none

_WITH_REF = re.compile(
    r"^\s*(?:SN(?:/Ref)?\s*:\s*)?(?P<left>.*?)\s*\.?\s*\bRefId\s*:\s*(?P<ref>\S+?)\s*\.?\s*$",
    re.DOTALL,
)
_ONLY_SERIAL = re.compile(r"^\s*SN(?:/Ref)?\s*:\s*(?P<serial>.*?)\s*$", re.DOTALL)
_NOTHING = frozenset({"", "n/a", "-", "null", "none"})


def read_serial(note: object) -> str:
    """Return the serial number in a supplier's note, cleaned for display; empty if there is none.

    ``SN: ABC123`` -> ``ABC123``; ``Whyy . RefId: DGG-XXXX`` -> ``DGG-XXXX``; the last ``RefId``
    counts, because a player's name may contain one. For display only: nothing is decided on it.
    """
    text = visible(note, 300) if isinstance(note, str) else ""
    if (found := _WITH_REF.match(text)) is not None:
        text = found["ref"]
    elif (found := _ONLY_SERIAL.match(text)) is not None:
        text = found["serial"]
    return "" if text.lower() in _NOTHING else text


def read_word(value: object) -> str:
    """Return a status word in lower case with single blanks; empty if it is no text."""
    text = visible(value) if isinstance(value, str) else ""
    return " ".join(text.lower().replace("_", " ").split())


def read_time(value: object) -> Millis | None:
    """Return an instant written as ISO 8601, ``YYYY-MM-DD HH:MM:SS`` or unix time; else ``None``.

    A time without a zone is taken for WIB (UTC+7).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"[0-9]{10,13}", value)):
        number = int(value)
        return number if number >= 10**11 else number * 1000
    return _read_iso(value.strip()) if isinstance(value, str) else None


def _read_iso(text: str) -> Millis | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=WIB)
    try:
        return int(moment.astimezone(UTC).timestamp() * 1000)
    except (OverflowError, OSError, ValueError):
        return None
