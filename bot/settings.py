"""The settings: the environment and ``.env`` in, one frozen value out, every problem named at once.

Everything begins as text. ``SETTINGS`` is the table of names, defaults and help, from which
``.env.example`` is written; ``Settings`` says which reader turns each text into a value.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from dotenv.parser import Original, parse_stream
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from bot.secrets import Secret

Texts = Mapping[str, str]
"""Setting name -> text, blanks around it stripped."""


class SettingsError(Exception):
    """The settings cannot be used; nothing was started.

    ``problems`` are all of them, one line each, safe to print. The caller prints them and leaves
    with exit code 2.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


# --- the table ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of this version, as text; a blank default means "not set"."""

    name: str
    group: str
    help: str
    default: str = ""
    example: str = ""
    secret: bool = False

    @property
    def shown_example(self) -> str:
        return f"{self.name}={self.example or self.default}"


_SHOP, _CHAT, _SUPPLIER = "The shop", "Telegram", "ZulTopup"
_PRICES, _SERVER = "Prices and orders", "Where and how it runs"

SETTINGS: Final = (
    Setting(
        name="LAPAK_SHOP_NAME",
        group=_SHOP,
        default="Lapak Top Up",
        help="The name shown in the chat.",
    ),
    Setting(
        name="LAPAK_LANGUAGE",
        group=_SHOP,
        default="id",
        help="Language for customers who have not chosen one: id or en.",
    ),
    Setting(
        name="LAPAK_TIMEZONE",
        group=_SHOP,
        default="Asia/Jakarta",
        help="Time zone of the times shown to people.",
    ),
    Setting(
        name="LAPAK_OWNERS",
        group=_SHOP,
        example="telegram:123456789",
        help="Who owns the shop, comma-separated: telegram:<numeric id>.",
    ),
    Setting(
        name="LAPAK_SUPPORT",
        group=_SHOP,
        example="@myshop_support",
        help="Contact named in every message about trouble: @name, phone number or https:// URL.",
    ),
    Setting(
        name="TELEGRAM_TOKEN",
        group=_CHAT,
        example="123456789:token-from-BotFather",
        secret=True,
        help="The bot's token from @BotFather; turns the Telegram channel on.",
    ),
    Setting(
        name="TELEGRAM_API_URL",
        group=_CHAT,
        default="https://api.telegram.org",
        help="Another Bot API server (http:// for loopback only).",
    ),
    Setting(
        name="TELEGRAM_MODE",
        group=_CHAT,
        default="polling",
        help="How news is fetched from Telegram; this version knows polling.",
    ),
    Setting(
        name="LAPAK_SUPPLIERS",
        group=_SUPPLIER,
        example="zultopup",
        help="Suppliers in order of preference, comma-separated; blank: every one with a key.",
    ),
    Setting(
        name="ZULTOPUP_API_KEY",
        group=_SUPPLIER,
        example="key-from-your-dashboard",
        secret=True,
        help="API key from ZulTopup's dashboard; two (new,old) while it is being changed.",
    ),
    Setting(
        name="ZULTOPUP_URL",
        group=_SUPPLIER,
        default="https://chestcloudx.my.id",
        help="Where ZulTopup answers (http:// for loopback only).",
    ),
    Setting(
        name="ZULTOPUP_TARGET_FORMAT",
        group=_SUPPLIER,
        example="{user_id}{server_id}",
        help="Target of games with a server, which are not sold while this is blank; "
        "try {user_id}{server_id}, to be confirmed by one test order.",
    ),
    Setting(
        name="ZULTOPUP_PHONE",
        group=_SUPPLIER,
        example="081234567890",
        help="The shop's own phone number, sent as the customer's; needed with ZULTOPUP_API_KEY.",
    ),
    Setting(
        name="ZULTOPUP_DROPSHIP_PERCENT",
        group=_SUPPLIER,
        default="12",
        help="Expected cost of dropship over the listed price, until learnt from answers.",
    ),
    Setting(
        name="LAPAK_MARGIN_PERCENT",
        group=_PRICES,
        default="5",
        help="Price = cost + the larger of this percentage and LAPAK_MARGIN_MIN, rounded up.",
    ),
    Setting(
        name="LAPAK_MARGIN_MIN",
        group=_PRICES,
        default="500",
        help="Smallest margin of one sale, in rupiah.",
    ),
    Setting(
        name="LAPAK_PRICE_ROUND_TO",
        group=_PRICES,
        default="100",
        help="Prices are rounded up to a multiple of this many rupiah.",
    ),
    Setting(
        name="LAPAK_ORDER_TTL_MINUTES",
        group=_PRICES,
        default="15",
        help="How long a quote, and a QR without an expiry of its own, holds.",
    ),
    Setting(
        name="LAPAK_POLL_SECONDS",
        group=_PRICES,
        default="5",
        help="Shortest time between two status questions about one order.",
    ),
    Setting(
        name="LAPAK_LOW_BALANCE",
        group=_PRICES,
        default="50000",
        help="A supplier balance below this many rupiah alerts the owner.",
    ),
    Setting(
        name="LAPAK_DATABASE_URL",
        group=_SERVER,
        default="sqlite:///lapak.db",
        help="The database: sqlite:///relative/path.db or sqlite:////absolute/path.db.",
    ),
    Setting(
        name="LAPAK_HOST",
        group=_SERVER,
        default="127.0.0.1",
        help="Address the web server listens on.",
    ),
    Setting(
        name="LAPAK_PORT",
        group=_SERVER,
        default="8080",
        help="Port the web server listens on.",
    ),
    Setting(
        name="LAPAK_LOG_LEVEL",
        group=_SERVER,
        default="INFO",
        help="DEBUG, INFO, WARNING, ERROR or CRITICAL.",
    ),
    Setting(
        name="LAPAK_LOG_FORMAT",
        group=_SERVER,
        default="text",
        help="One event per line: text or json.",
    ),
)

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}

# Promised names that this version does not act on yet, and whether their text is a secret.
_LATER: Final = {
    "LAPAK_PUBLIC_URL": False,
    "LAPAK_TRUSTED_PROXIES": False,
    "LAPAK_CALLBACK_SECRET": True,
    "LAPAK_PAYMENTS": False,
    "LAPAK_REFUNDS": False,
    "LAPAK_WALLET_MIN": False,
    "LAPAK_WALLET_MAX": False,
    "LAPAK_GAMES_FILE": False,
    "LAPAK_QRIS_PAYLOAD": False,
    "TELEGRAM_WEBHOOK_SECRET": True,
    "WHATSAPP_TOKEN": True,
    "WHATSAPP_PHONE_NUMBER_ID": False,
    "WHATSAPP_APP_SECRET": True,
    "WHATSAPP_VERIFY_TOKEN": True,
    "WHATSAPP_API_URL": False,
    "WHATSAPP_API_VERSION": False,
    "WHATSAPP_TEMPLATE_ORDER_UPDATE": False,
    "ZONEGAME_API_KEY": True,
    "ZONEGAME_URL": False,
    "SENPAY_API_KEY": True,
    "SENPAY_SECRET_KEY": True,
    "SENPAY_URL": False,
    "SENPAY_CALLBACK_IPS": False,
    "KIOSGAME_API_KEY": True,
    "KIOSGAME_URL": False,
    "KIOSGAME_PROTOCOL": False,
    "KIOSGAME_CALLBACK_IPS": False,
    "APIGAMES_MERCHANT_ID": False,
    "APIGAMES_SECRET_KEY": True,
    "APIGAMES_URL": False,
    "APIGAMES_PRODUCTS": False,
    "APIGAMES_CALLBACK_IPS": False,
}

_PREFIXES: Final = (
    "LAPAK_",
    "TELEGRAM_",
    "WHATSAPP_",
    "ZULTOPUP_",
    "ZONEGAME_",
    "SENPAY_",
    "KIOSGAME_",
    "APIGAMES_",
)

_KEY_OF_SUPPLIER: Final = {"zultopup": "ZULTOPUP_API_KEY"}
_LATER_SUPPLIERS: Final = ("zonegame", "senpay", "kiosgame", "apigames")

_MISPLACED: Final = "has the text of a secret setting in it"
_DEMO_KEY: Final = "demo-key"
# ZulTopup's document writes YOUR_KEY, xxxx... and yyyy... where a key goes.
_PLACEHOLDERS: Final = frozenset(
    {"your_key", "your-key", "your_api_key", "your-api-key", "xxxx...", "yyyy...", "changeme"}
    | {setting.example.lower() for setting in SETTINGS if setting.secret}
)


# --- readers: text -> value, or ValueError saying what is wrong -----------------------------------

_TOKEN_SHAPE: Final = re.compile(r"[0-9]{5,}:[A-Za-z0-9_-]{20,}")


def _shown(text: str) -> str:
    """Quote foreign text on one ASCII line; a bot token in the wrong place stays unseen."""
    return json.dumps(_TOKEN_SHAPE.sub("***", text)[:60])


def _one_line(high: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > high or not text.isprintable():
            raise ValueError(f"{_shown(text)} is not one line of at most {high} characters")
        return text

    return read


def _one_of(*options: str, later: str = "") -> Callable[[str], str]:
    def read(text: str) -> str:
        if later and text.lower() == later:
            raise ValueError(f"{_shown(text)} comes with a later version")
        for option in options:
            if text.lower() == option.lower():
                return option
        raise ValueError(f"{_shown(text)} is not one of: {', '.join(options)}")

    return read


def _whole(low: int, high: int, what: str = "a whole number") -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text) or not low <= int(text) <= high:
            raise ValueError(f"{_shown(text)} is not {what} from {low} to {high}")
        return int(text)

    return read


def _basis_points(high: int) -> Callable[[str], int]:
    """Read a percentage such as ``2.5`` as exact hundredths of a percent: 250."""

    def read(text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,2}))?", text)
        points = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
        if not 0 <= points <= high * 100:
            raise ValueError(
                f"{_shown(text)} is not a percentage from 0 to {high} "
                "with at most two decimals after a point"
            )
        return points

    return read


def _listed(text: str) -> tuple[str, ...]:
    """Split at commas; empty parts and repetitions fall away."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _rotated(text: str) -> tuple[str, ...]:
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


def _api_key(text: str) -> Secret:
    if text.lower() in _PLACEHOLDERS:
        raise ValueError("is the placeholder of an example, not a key")
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("has blanks or characters outside ASCII in it")
    if len(text) < 4:
        raise ValueError("is shorter than 4 characters")
    return Secret(text)


def _timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        # OSError: a folder of the zone database, such as "Asia".
        raise ValueError(f"{_shown(text)} is not a time zone") from None


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
            raise ValueError(f"{_shown(text)} {because}")
    if not _OWNER.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not telegram:<numeric id>")
    return text


_SUPPORT: Final = re.compile(
    r"@[A-Za-z0-9_.]{2,64}"
    r"|\+?[0-9][0-9 ()-]{5,24}"
    r"|https://[!-~]{3,200}"
)


def _support(text: str) -> str:
    if text and not _SUPPORT.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not an @name, a phone number or an https:// URL")
    return text


def _slug(text: str) -> str:
    if text in _LATER_SUPPLIERS:
        raise ValueError(f"{_shown(text)} comes with a later version")
    if text not in _KEY_OF_SUPPLIER:
        raise ValueError(f"{_shown(text)} is not a supplier{_meant(text, _KEY_OF_SUPPLIER)}")
    return text


def _target_format(text: str) -> str:
    """Read the format of a target: each field once, no other braces, so ``format`` cannot fail."""
    rest = text
    for field in ("{user_id}", "{server_id}"):
        if text and text.count(field) != 1:
            raise ValueError(f"{_shown(text)} does not have {field} in it exactly once")
        rest = rest.replace(field, "")
    if not re.fullmatch(r"[ -z|~]{0,60}", rest):
        raise ValueError(f"{_shown(text)} has more in it than the two fields and plain text")
    return text


def _phone(text: str) -> str:
    if text and not re.fullmatch(r"\+?[0-9]{8,15}", text):
        raise ValueError("is not a phone number of 8 to 15 digits, with or without a + before them")
    return text


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        label = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        # All digits and dots, and yet no address: a mistyped address, not a name.
        if not re.fullmatch(rf"{label}(?:\.{label})*", text) or re.fullmatch(r"[0-9.]+", text):
            raise ValueError(f"{_shown(text)} is not an IP address or a host name") from None
        return text


_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _LOOPBACK)


def _split_url(text: str) -> SplitResult | None:
    """Take a URL apart; ``None`` if it is not one."""
    if not re.fullmatch(r"[!-~]+", text) or "\\" in text:
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is not a port
    except ValueError:
        return None
    return parts if parts.hostname else None


def _url(text: str) -> str:
    if re.search(r"[@?#]", text):
        # What stands there is likely a secret, so it is not repeated.
        raise ValueError("must not have a user name, a query or a fragment in it")
    parts = _split_url(text)
    if parts is None or parts.scheme not in {"https", "http"}:
        raise ValueError(f"{_shown(text)} is not an https:// address")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError(f"{_shown(text)} is http://, which is accepted for loopback only")
    return text.rstrip("/")


def _database_path(text: str) -> Path:
    if re.match(r"postgres(ql)?(\+\w+)?:", text):
        raise ValueError("PostgreSQL comes with a later version; use sqlite")
    scheme, _, path = text.partition(":///")
    if scheme != "sqlite" or not path or "?" in path or not path.isprintable():
        # Not repeated: an address of another database may have a password in it.
        raise ValueError("is not sqlite:/// followed by the path of a file")
    if path == ":memory:":
        raise ValueError("a database in memory forgets every order; name a file")
    if path.endswith("/") or _is_directory(Path(path)):
        raise ValueError(f"{_shown(path)} is a directory; name a file")
    return Path(path)


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # whoever opens the database says what is wrong with it


# --- the settings ---------------------------------------------------------------------------------

_MOST_RUPIAH: Final = 1_000_000_000

_Rupiah = Annotated[int, PlainValidator(_whole(0, _MOST_RUPIAH, "an amount of whole rupiah"))]
_Url = Annotated[str, PlainValidator(_url)]
_Secrets = BeforeValidator(_rotated)
_List = BeforeValidator(_listed)


class Settings(BaseModel):
    """Everything the owner can set, checked and typed; never changes.

    Money is whole rupiah, ``…_bp`` are hundredths of a percent, a text that is not set is empty.
    ``zultopup_target_format`` is for ``str.format`` with ``user_id`` and ``server_id``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    shop_name: Annotated[str, PlainValidator(_one_line(60))] = Field(alias="LAPAK_SHOP_NAME")
    language: Annotated[str, PlainValidator(_one_of("id", "en"))] = Field(alias="LAPAK_LANGUAGE")
    timezone: Annotated[ZoneInfo, PlainValidator(_timezone)] = Field(alias="LAPAK_TIMEZONE")
    owners: Annotated[tuple[Annotated[str, PlainValidator(_owner)], ...], _List] = Field(
        alias="LAPAK_OWNERS"
    )
    support: Annotated[str, PlainValidator(_support)] = Field(alias="LAPAK_SUPPORT")

    telegram_tokens: Annotated[tuple[Annotated[Secret, PlainValidator(_token)], ...], _Secrets] = (
        Field(alias="TELEGRAM_TOKEN")
    )
    telegram_api_url: _Url = Field(alias="TELEGRAM_API_URL")
    telegram_mode: Annotated[str, PlainValidator(_one_of("polling", later="webhook"))] = Field(
        alias="TELEGRAM_MODE"
    )

    preferred_suppliers: Annotated[tuple[Annotated[str, PlainValidator(_slug)], ...], _List] = (
        Field(alias="LAPAK_SUPPLIERS")
    )
    zultopup_api_keys: Annotated[
        tuple[Annotated[Secret, PlainValidator(_api_key)], ...], _Secrets
    ] = Field(alias="ZULTOPUP_API_KEY")
    zultopup_url: _Url = Field(alias="ZULTOPUP_URL")
    zultopup_target_format: Annotated[str, PlainValidator(_target_format)] = Field(
        alias="ZULTOPUP_TARGET_FORMAT"
    )
    zultopup_phone: Annotated[str, PlainValidator(_phone)] = Field(
        alias="ZULTOPUP_PHONE", repr=False
    )
    zultopup_dropship_bp: Annotated[int, PlainValidator(_basis_points(100))] = Field(
        alias="ZULTOPUP_DROPSHIP_PERCENT"
    )

    margin_bp: Annotated[int, PlainValidator(_basis_points(1000))] = Field(
        alias="LAPAK_MARGIN_PERCENT"
    )
    margin_min: _Rupiah = Field(alias="LAPAK_MARGIN_MIN")
    price_round_to: Annotated[
        int, PlainValidator(_whole(1, 1_000_000, "an amount of whole rupiah"))
    ] = Field(alias="LAPAK_PRICE_ROUND_TO")
    order_ttl_minutes: Annotated[
        int, PlainValidator(_whole(1, 1440, "a whole number of minutes"))
    ] = Field(alias="LAPAK_ORDER_TTL_MINUTES")
    poll_seconds: Annotated[int, PlainValidator(_whole(1, 300, "a whole number of seconds"))] = (
        Field(alias="LAPAK_POLL_SECONDS")
    )
    low_balance: _Rupiah = Field(alias="LAPAK_LOW_BALANCE")

    database_path: Annotated[Path, PlainValidator(_database_path)] = Field(
        alias="LAPAK_DATABASE_URL"
    )
    host: Annotated[str, PlainValidator(_host)] = Field(alias="LAPAK_HOST")
    port: Annotated[int, PlainValidator(_whole(1, 65535, "a port number"))] = Field(
        alias="LAPAK_PORT"
    )
    log_level: Annotated[
        str, PlainValidator(_one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
    ] = Field(alias="LAPAK_LOG_LEVEL")
    log_format: Annotated[str, PlainValidator(_one_of("text", "json"))] = Field(
        alias="LAPAK_LOG_FORMAT"
    )

    warnings: tuple[str, ...] = ()
    unused_secrets: tuple[Secret, ...] = Field(default=(), repr=False)
    """Secrets of later versions: never used, and kept out of the logs all the same."""

    @property
    def telegram_token(self) -> Secret | None:
        """The token to use, or ``None``: the channel is off."""
        return self.telegram_tokens[0] if self.telegram_tokens else None

    @property
    def zultopup_api_key(self) -> Secret | None:
        """The key that signs, or ``None``: nothing is bought at ZulTopup."""
        return self.zultopup_api_keys[0] if self.zultopup_api_keys else None

    @property
    def suppliers(self) -> tuple[str, ...]:
        """Slugs of the suppliers to buy at, the preferred one first; each has its key."""
        with_key = ("zultopup",) if self.zultopup_api_keys else ()
        return self.preferred_suppliers or with_key

    def secrets(self) -> tuple[str, ...]:
        """Give every text that no log line may show; the shop's phone number is one of them."""
        known = (*self.telegram_tokens, *self.zultopup_api_keys, *self.unused_secrets)
        phone = (self.zultopup_phone,) if self.zultopup_phone else ()
        return (*(secret.reveal() for secret in known), *phone)


# --- reading --------------------------------------------------------------------------------------


def read_settings(
    environment: Mapping[str, str], dotenv: Path | None, *, selling: bool = False
) -> Settings:
    """Read the settings of this process; the environment wins over ``dotenv``.

    A blank text counts as not set. ``dotenv`` need not exist. With ``selling``, a missing channel
    or supplier is a problem too: for ``lapak run``, not for commands that only look.

    Raises:
        SettingsError: something is unknown, missing, wrong or dangerous; it names all of that and
            shows no secret. Nothing was changed, so the caller may read again.
    """
    written, problems = _read_dotenv(dotenv)
    texts = _stripped(written) | _stripped(environment)
    # A short one may stand in another text by chance.
    misplaced = _holding_secrets(texts, at_least=16)
    problems += [_line(name, _MISPLACED) for name in sorted(misplaced)]
    problems += _unknown_names(environment, written)
    problems += _contradictions(texts, selling=selling)
    later = [name for name in _LATER if name in texts]
    return _build(
        {name: text for name, text in texts.items() if name not in misplaced},
        problems,
        warnings=(*(f"{name} has no effect in this version" for name in later), *_omissions(texts)),
        unused_secrets=tuple(
            Secret(part) for name in later if _LATER[name] for part in _listed(texts[name])
        ),
    )


def demo_settings(data: Path, port: int) -> Settings:
    """Give the settings of the demo: nothing from outside, and nothing but loopback.

    ``port`` is the one that chat page and simulators are served on, already known (not 0).

    Raises:
        SettingsError: ``port`` is not a port number.
    """
    texts = {
        "LAPAK_SHOP_NAME": "Lapak Demo",
        "LAPAK_SUPPORT": "@lapak_demo",
        "LAPAK_PORT": str(port),
        "LAPAK_POLL_SECONDS": "2",
        "ZULTOPUP_API_KEY": _DEMO_KEY,
        "ZULTOPUP_URL": f"http://127.0.0.1:{port}/zultopup",
        "ZULTOPUP_TARGET_FORMAT": "{user_id}{server_id}",
        "ZULTOPUP_PHONE": "081200000000",
    }
    # Neither can be written as a text: a web owner exists here only, and a path may hold anything.
    only_here = {"owners": ("web:owner",), "database_path": data / "lapak.db"}
    return _build(texts, []).model_copy(update=only_here)


def env_example() -> str:
    """Give the text of ``.env.example``: every setting of this version, its help and default."""
    lines = [
        "# Lapak reads these from the environment, or from a file named .env in the folder it is",
        "# started in; the environment wins. A setting left blank has its default.",
    ]
    group = ""
    for setting in SETTINGS:
        if setting.group != group:
            group = setting.group
            lines += ["", f"# --- {group} ---"]
        lines += ["", f"# {setting.help}", f"{setting.name}={setting.default}"]
    return "\n".join(lines) + "\n"


def _build(
    texts: Texts,
    problems: list[str],
    *,
    warnings: tuple[str, ...] = (),
    unused_secrets: tuple[Secret, ...] = (),
) -> Settings:
    """Turn the texts into settings; add what is wrong with them to ``problems`` and raise all."""
    raw = {setting.name: texts.get(setting.name, setting.default) for setting in SETTINGS}
    settings = None
    try:
        settings = Settings.model_validate(
            raw | {"warnings": warnings, "unused_secrets": unused_secrets}
        )
    except ValidationError as error:
        unseen = _holding_secrets(texts, at_least=1)
        problems = [*_wrong_texts(error, unseen), *problems]
    # Outside the handler: pydantic's error holds the texts, secrets too, and must not be a context.
    if problems or settings is None:
        raise SettingsError(tuple(dict.fromkeys(problems)))
    return settings


def _line(name: str, wrong: str) -> str:
    return f"{name}: {wrong}; for example {_BY_NAME[name].shown_example}"


def _wrong_texts(error: ValidationError, unseen: frozenset[str]) -> Iterator[str]:
    for found in error.errors(include_url=False, include_input=False):
        name = str(found["loc"][0])
        yield _line(name, _MISPLACED if name in unseen else str(found["ctx"]["error"]))


def _stripped(texts: Mapping[str, str]) -> dict[str, str]:
    """Keep what is ours and not blank."""
    ours = ((name, texts.get(name, "").strip()) for name in (*_BY_NAME, *_LATER))
    return {name: text for name, text in ours if text}


def _read_dotenv(path: Path | None) -> tuple[dict[str, str], list[str]]:
    """Read ``.env`` as it is written: no ``$`` is special, as secrets may have one."""
    if path is None:
        return {}, []
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, []
    except UnicodeDecodeError:
        return {}, [f"{path.name}: is not a text in UTF-8; save it as UTF-8"]
    except OSError as error:
        return {}, [f"{path.name}: cannot be read ({error.strerror}); let this user read it"]
    lines = list(parse_stream(StringIO(content)))
    texts = {line.key: line.value or "" for line in lines if line.key is not None}
    # Not repeated: the line may have a secret in it.
    return texts, [
        f"{path.name}: line {_line_number(line.original)} cannot be understood; "
        "for example LAPAK_PORT=8080"
        for line in lines
        if line.error
    ]


def _line_number(original: Original) -> int:
    """Count from 1, past the blank lines that the parser gives to the statement after them."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _unknown_names(environment: Iterable[str], written: Iterable[str]) -> list[str]:
    """Name what looks like a setting and is none; other programs' variables stay out of it."""
    candidates = {name for name in environment if name.startswith("LAPAK_")}
    candidates |= {name for name in written if name.upper().startswith(_PREFIXES)}
    unknown = sorted(candidates - _BY_NAME.keys() - _LATER.keys())
    return [
        f"{name if re.fullmatch('[A-Za-z0-9_]+', name) else _shown(name)}: is not a setting"
        + (_meant(name.upper(), (*_BY_NAME, *_LATER)) or "; .env.example lists every one")
        for name in unknown
    ]


def _meant(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""


def _contradictions(texts: Texts, *, selling: bool) -> list[str]:
    """Say what is missing or dangerous between settings, even if some of them are wrong."""
    found = [*_dangerous_keys(texts), *_missing(texts)]
    if selling:
        found += _not_for_sale(texts)
    return found


def _dangerous_keys(texts: Texts) -> Iterator[str]:
    tokens, keys = (_listed(texts.get(n, "")) for n in ("TELEGRAM_TOKEN", "ZULTOPUP_API_KEY"))
    if set(tokens) & set(keys):
        yield _line("TELEGRAM_TOKEN", "is the same as ZULTOPUP_API_KEY")
    parts = _split_url(texts.get("ZULTOPUP_URL", _BY_NAME["ZULTOPUP_URL"].default))
    if _DEMO_KEY in keys and not (parts and _is_loopback(parts.hostname or "")):
        yield _line("ZULTOPUP_API_KEY", "is the key of the demo")


def _is_secret(name: str) -> bool:
    return _LATER.get(name, False) or (name in _BY_NAME and _BY_NAME[name].secret)


def _holding_secrets(texts: Texts, *, at_least: int) -> frozenset[str]:
    """Name the settings that show the text of a secret one, if that is ``at_least`` so long."""
    secrets = [part for name in texts if _is_secret(name) for part in _listed(texts[name])]
    long = [secret for secret in secrets if len(secret) >= at_least]
    return frozenset(
        name
        for name, text in texts.items()
        if name in _BY_NAME and not _is_secret(name) and any(secret in text for secret in long)
    )


def _missing(texts: Texts) -> Iterator[str]:
    if "ZULTOPUP_API_KEY" in texts and "ZULTOPUP_PHONE" not in texts:
        yield _line("ZULTOPUP_PHONE", "is not set, and ZulTopup takes no dropship order without it")
    for slug in _listed(texts.get("LAPAK_SUPPLIERS", "")):
        key = _KEY_OF_SUPPLIER.get(slug)
        if key and key not in texts:
            yield _line("LAPAK_SUPPLIERS", f"{slug} needs {key}, which is not set")


def _not_for_sale(texts: Texts) -> Iterator[str]:
    if "TELEGRAM_TOKEN" not in texts:
        yield _line("TELEGRAM_TOKEN", "is not set, and there is no other way to reach the shop")
    if "ZULTOPUP_API_KEY" not in texts:
        yield _line("ZULTOPUP_API_KEY", "is not set, and there is no other supplier to buy from")


def _omissions(texts: Texts) -> Iterator[str]:
    owners = _listed(texts.get("LAPAK_OWNERS", ""))
    if not owners:
        yield "LAPAK_OWNERS is not set: cases that need a person reach nobody"
    elif not any(owner.startswith("telegram:") for owner in owners):
        yield "LAPAK_OWNERS names no telegram: owner: cases that need a person reach nobody"
    if "LAPAK_SUPPORT" not in texts:
        yield "LAPAK_SUPPORT is not set: messages about trouble name nobody to turn to"
    own = {f"telegram:{t.partition(':')[0]}" for t in _listed(texts.get("TELEGRAM_TOKEN", ""))}
    if own & set(owners):
        yield "LAPAK_OWNERS names the bot itself: write to the bot and use your own id"
