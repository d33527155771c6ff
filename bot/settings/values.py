"""What one setting may be: for every type a reader, text in, value or ``ValueError`` out.

The error says what is wrong with the text, as the end of a sentence that begins with the name.
"""

import re
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainValidator, ValidatorFunctionWrapHandler, WrapValidator

from bot.secrets import Secret
from bot.settings.addresses import Url
from bot.settings.problems import meant, shown
from bot.settings.table import OF_SUPPLIERS, SETTINGS
from shop.catalogue import Game, read_games, with_own
from shop.goods import extend_words, read_words
from shop.payments import PaymentMethod, Refunds
from shop.qris import MOST_PER_PAYMENT, static_qris
from shop.text import visible

# --- words and numbers ----------------------------------------------------------------------------


def _one_line(high: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > high or not text.isprintable():
            raise ValueError(f"{shown(text)} is not one line of at most {high} characters")
        return text

    return read


def one_of(*options: str) -> Callable[[str], str]:
    """Return a reader of one of these words, in any case."""

    def read(text: str) -> str:
        for option in options:
            if text.lower() == option.lower():
                return option
        raise ValueError(f"{shown(text)} is not one of: {', '.join(options)}")

    return read


def _whole(low: int, high: int, what: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text) or not low <= int(text) <= high:
            raise ValueError(f"{shown(text)} is not {what} from {low} to {high}")
        return int(text)

    return read


def basis_points(high: int) -> Callable[[str], int]:
    """Read a percentage such as ``2.5`` as exact hundredths of a percent: 250."""

    def read(text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,2}))?", text)
        points = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
        if not 0 <= points <= high * 100:
            raise ValueError(
                f"{shown(text)} is not a percentage from 0 to {high} "
                "with at most two decimals after a point"
            )
        return points

    return read


def _timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        # OSError: a folder of the zone database, such as "Asia".
        raise ValueError(f"{shown(text)} is not a time zone") from None


ShopName = Annotated[str, PlainValidator(_one_line(60))]
Language = Annotated[str, PlainValidator(one_of("id", "en"))]
Timezone = Annotated[ZoneInfo, PlainValidator(_timezone)]
TelegramMode = Annotated[
    Literal["polling", "webhook"], PlainValidator(one_of("polling", "webhook"))
]
LogLevel = Annotated[str, PlainValidator(one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))]
LogFormat = Annotated[str, PlainValidator(one_of("text", "json"))]

_RUPIAH: Final = "an amount of whole rupiah"
Rupiah = Annotated[int, PlainValidator(_whole(0, 1_000_000_000, _RUPIAH))]
RoundTo = Annotated[int, PlainValidator(_whole(1, 1_000_000, _RUPIAH))]
Minutes = Annotated[int, PlainValidator(_whole(1, 1440, "a whole number of minutes"))]
Seconds = Annotated[int, PlainValidator(_whole(1, 300, "a whole number of seconds"))]
Port = Annotated[int, PlainValidator(_whole(1, 65535, "a port number"))]
Margin = Annotated[int, PlainValidator(basis_points(1000))]


def _unless_blank(text: str, read: ValidatorFunctionWrapHandler) -> str:
    return str(read(text)) if text else ""


PublicUrl = Annotated[Url, WrapValidator(_unless_blank)]


# --- people and suppliers -------------------------------------------------------------------------


def listed(text: str) -> tuple[str, ...]:
    """Split at commas; empty parts and repetitions fall away."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


_OWNER_REFUSALS: Final = (
    (re.compile(r".*\*.*"), "is a wildcard; name every owner"),
    (re.compile(r"web:.*"), "is a web owner, which exists in the demo only"),
    (re.compile(r"telegram:-.*"), "is a group or a channel; an owner is a person, above 0"),
    (re.compile(r"telegram:0+"), "is nobody; the id of a person is above 0"),
    (re.compile(r"whatsapp:\+?0+"), "is nobody"),
    (re.compile(r"telegram:@?[A-Za-z].*"), "is a name; the numeric id is needed"),
)
_OWNER: Final = re.compile(r"telegram:[1-9][0-9]{0,18}|whatsapp:\+?[A-Za-z0-9][A-Za-z0-9.]{4,127}")


def _owner(text: str) -> str:
    for refused, because in _OWNER_REFUSALS:
        if refused.fullmatch(text):
            raise ValueError(f"{shown(text)} {because}")
    if not _OWNER.fullmatch(text):
        raise ValueError(f"{shown(text)} is not telegram:<numeric id>")
    return text


_CONTACT: Final = re.compile(
    r"@[A-Za-z0-9_.]{2,64}"
    r"|\+?[0-9][0-9 ()-]{5,24}"
    r"|https://[!-~]{3,200}"
)


def _contact(text: str) -> str:
    if text and not _CONTACT.fullmatch(text):
        raise ValueError(f"{shown(text)} is not an @name, a phone number or an https:// URL")
    return text


def read_phone(text: str) -> str:
    """Read a phone number; nothing of it is repeated in an error."""
    if text and not re.fullmatch(r"\+?[0-9]{8,15}", text):
        raise ValueError("is not a phone number of 8 to 15 digits, with or without a + before them")
    return text


def _supplier(text: str) -> str:
    if text not in OF_SUPPLIERS:
        raise ValueError(f"{shown(text)} is not a supplier{meant(text, OF_SUPPLIERS)}")
    return text


def read_target_format(text: str) -> str:
    """Read the format of a target: each field once, no other braces, so ``format`` cannot fail."""
    rest = text
    for field in ("{user_id}", "{server_id}"):
        if text and text.count(field) != 1:
            raise ValueError(f"{shown(text)} does not have {field} in it exactly once")
        rest = rest.replace(field, "")
    if not re.fullmatch(r"[ -z|~]{0,60}", rest):
        raise ValueError(f"{shown(text)} has more in it than the two fields and plain text")
    return text


_List: Final = BeforeValidator(listed)
Owners = Annotated[tuple[Annotated[str, PlainValidator(_owner)], ...], _List]
Contact = Annotated[str, PlainValidator(_contact)]
Suppliers = Annotated[tuple[Annotated[str, PlainValidator(_supplier)], ...], _List]


# --- payments -------------------------------------------------------------------------------------


def _methods(text: str) -> tuple[str, ...]:
    """Split at commas; unlike ``listed``, what is left out or said twice is a mistake."""
    parts = tuple(part.strip().lower() for part in text.split(","))
    if not all(parts):
        raise ValueError("has nothing between two commas, or at an end; name a way to pay there")
    again = next((part for at, part in enumerate(parts) if part in parts[:at]), "")
    if again:
        raise ValueError(f"has {shown(again)} in it twice; name every way to pay once")
    return parts


def _method(text: str) -> PaymentMethod:
    try:
        return PaymentMethod(text)
    except ValueError:
        advice = meant(text, PaymentMethod) or f"; there are {', '.join(PaymentMethod)}"
        raise ValueError(f"{shown(text)} is not a way to pay{advice}") from None


def _refunds(text: str) -> Refunds:
    return Refunds(one_of(*Refunds)(text))


def _qris_payload(text: str) -> str:
    return static_qris(text) if text else ""


Payments = Annotated[
    tuple[Annotated[PaymentMethod, PlainValidator(_method)], ...], BeforeValidator(_methods)
]
RefundsBy = Annotated[Refunds, PlainValidator(_refunds)]
WalletTopup = Annotated[int, PlainValidator(_whole(1, MOST_PER_PAYMENT, _RUPIAH))]
QrisPayload = Annotated[str, PlainValidator(_qris_payload)]


# --- the owner's games ----------------------------------------------------------------------------

_MOST_BYTES: Final = 1 << 20


def _games_text(text: str) -> str:
    """Return what stands in the owner's games file; empty: there is none."""
    if not text:
        return ""
    octets = _octets_of(text)
    if len(octets) > _MOST_BYTES:
        raise ValueError(f"{shown(text)} has more than 1 MiB in it; it is no file of games")
    try:
        games = octets.decode("utf-8-sig")  # editors on Windows write a byte order mark
    except UnicodeDecodeError:
        raise ValueError(f"{shown(text)} is not UTF-8; save it as UTF-8") from None
    try:
        _check_suppliers(with_own(read_games(_shipped("games.toml")), games))
        extend_words(read_words(_shipped("goods.toml")), games)
    except ValueError as error:
        wrong = visible(str(error)).encode("ascii", "backslashreplace").decode()
        raise ValueError(f"{shown(text)} cannot be used: {wrong}") from None
    return games


def _shipped(name: str) -> str:
    return (files("shop") / name).read_text("utf-8")


def _octets_of(text: str) -> bytes:
    path = Path(text)
    try:
        if path.is_file():  # opening a pipe would wait for ever
            with path.open("rb") as file:
                return file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        raise ValueError(f"{shown(text)} cannot be read") from None
    raise ValueError(f"{shown(text)} is not there, or is no file")


def _check_suppliers(games: Iterable[Game]) -> None:
    for game in games:
        for name in {*game.targets, *(name for server in game.servers for name in server.codes)}:
            if name not in OF_SUPPLIERS:
                wrong = f"{name} is not a supplier{meant(name, OF_SUPPLIERS)}"
                raise ValueError(f"game {game.slug}: {wrong}")


GamesFile = Annotated[str, PlainValidator(_games_text)]


# --- secrets --------------------------------------------------------------------------------------

# ZulTopup's document writes YOUR_KEY, xxxx... and yyyy... where a key goes.
_PLACEHOLDERS: Final = frozenset(
    {"your_key", "your-key", "your_api_key", "your-api-key", "xxxx...", "yyyy...", "changeme"}
    | {setting.example.lower() for setting in SETTINGS if setting.secret}
)


def read_rotated(text: str) -> tuple[str, ...]:
    """Split a secret that is being rotated into new and old."""
    parts = tuple(part.strip() for part in text.split(",")) if text else ()
    if len(parts) > 2 or not all(parts):
        raise ValueError("is neither one value nor two separated by a comma (new,old)")
    return parts


def _token(text: str) -> Secret:
    if text.lower() in _PLACEHOLDERS:
        raise ValueError("is the placeholder of an example, not a token")
    if not re.fullmatch(r"[0-9]{1,20}:[A-Za-z0-9_-]+", text):
        raise ValueError("does not have the form <digits>:<text> of a token from @BotFather")
    return Secret(text)


def read_key(text: str) -> Secret:
    """Read one secret of a supplier; nothing of it is repeated in an error."""
    if text.lower() in _PLACEHOLDERS:
        raise ValueError("is the placeholder of an example, not a key")
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("has blanks or characters outside ASCII in it")
    if len(text) < 4:
        raise ValueError("is shorter than 4 characters")
    return Secret(text)


def read_name(text: str) -> str:
    """Read who we are at a supplier: one word, no secret."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{0,60}", text):
        raise ValueError(f"{shown(text)} is not one word of letters, digits, _, . and -")
    return text


def _callback_secret(text: str) -> Secret:
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,128}", text):
        raise ValueError("is not 16 to 128 characters out of A-Z, a-z, 0-9, _ and -")
    return _webhook_secret(text)


def _webhook_secret(text: str) -> Secret:
    if text.lower() in _PLACEHOLDERS:
        raise ValueError("is the placeholder of an example, not a secret")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", text):
        raise ValueError("is not 1 to 256 characters out of A-Z, a-z, 0-9, _ and -")
    return Secret(text)


_NewAndOld: Final = BeforeValidator(read_rotated)
Tokens = Annotated[tuple[Annotated[Secret, PlainValidator(_token)], ...], _NewAndOld]
CallbackSecrets = Annotated[
    tuple[Annotated[Secret, PlainValidator(_callback_secret)], ...], _NewAndOld
]
WebhookSecrets = Annotated[
    tuple[Annotated[Secret, PlainValidator(_webhook_secret)], ...], _NewAndOld
]
