"""How suppliers write things: serial numbers in notes, times in many forms."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from shop.money import read_rupiah
from shop.suppliers import FormField, Listing
from shop.text import CUT, visible
from shop.time import Millis

WIB = timezone(timedelta(hours=7))  # the zone of Indonesian suppliers that name none

_WITH_REF = re.compile(
    r"^\s*(?:SN(?:/Ref)?\s*:\s*)?(?P<left>.*?)\s*\.?\s*\bRefId\s*:\s*(?P<ref>\S+?)\s*\.?\s*$",
    re.DOTALL,
)
_ONLY_SERIAL = re.compile(r"^\s*SN(?:/Ref)?\s*:\s*(?P<serial>.*?)\s*$", re.DOTALL)
_PLAIN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,99}")
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


def read_text(value: object) -> str:
    """Return an identifier or an address as it stands. Raise ``TypeError`` if it is none.

    It must be storable and readable; a number's digits count as text.
    """
    text = str(value).strip() if isinstance(value, str | int) else ""
    if isinstance(value, bool) or not text or not text.isprintable():
        raise TypeError("not a text")
    return text


def read_plain_id(value: object) -> str:
    """Return an identifier that may stand in an address; empty if it is none."""
    text = str(value) if type(value) in {str, int} else ""
    return text if _PLAIN_ID.fullmatch(text) else ""


def is_named(value: object, name: str) -> bool:
    """Tell whether a field holds this very identifier, as text or as a number."""
    return type(value) in {str, int} and str(value) == name


def read_note(value: object) -> str:
    """Return what they wrote; nothing of lists and objects, in which nothing was hidden."""
    return visible(str(value)) if isinstance(value, str | int | float) else ""


def read_rows(value: object) -> Sequence[object]:
    """Return the rows of a list; none of what is no list."""
    return value if isinstance(value, list) else ()


def read_listing(
    *,
    sku: object,
    category: object,
    name: object,
    price: object,
    available: bool,
    form: Sequence[FormField] = (),
) -> Listing | None:
    """Return one row of a price list; ``None`` if it makes no sense.

    Nor does one with markup in a name, or with a name so long that its end would be cut off: that
    may say of which region it is, and how much of it there is.
    """
    try:
        code, amount = read_text(sku), read_rupiah(price)
    except (TypeError, ValueError):
        return None
    shelf, title = (visible(text, 60) if isinstance(text, str) else "" for text in (category, name))
    if not (shelf and title and amount > 0) or "<" in shelf + title:
        return None
    if shelf.endswith(CUT) or title.endswith(CUT):
        return None
    return Listing(
        sku=code, category=shelf, name=title, price=amount, available=available, form=tuple(form)
    )


def read_flag(value: object) -> bool:
    """Return a truth written as ``true``, ``1`` or ``"1"``. Raise ``ValueError`` for other words.

    ``false``, ``0``, ``"0"``, ``"false"`` and ``null`` are false.
    """
    text = value.strip().lower() if isinstance(value, str) else value
    if text is True or (type(text) in {int, str} and text in (1, "1", "true")):
        return True
    if text is False or text is None or (type(text) in {int, str} and text in (0, "0", "false")):
        return False
    raise ValueError("neither true nor false")


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
