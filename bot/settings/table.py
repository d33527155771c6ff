"""The table of settings: names, defaults and help, and ``.env.example`` written from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from providers.registry import adapters
from providers.settings import Kind, Spec, specs_of

Texts = Mapping[str, str]
"""Setting name -> text, blanks around it stripped."""


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


_SHOP, _CHAT, _SUPPLIERS = "The shop", "Telegram", "Suppliers"
_PAY, _PRICES, _SERVER = "Payments", "Prices and orders", "Where and how it runs"

_BEFORE: Final = (
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
        name="LAPAK_GAMES_FILE",
        group=_SHOP,
        example="/etc/lapak/games.toml",
        help="Your additions to the games and what their goods are called: a TOML file in UTF-8 "
        "(see docs/games.md), read at the start.",
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
        help="How messages come from Telegram: polling, or webhook "
        "(needs LAPAK_PUBLIC_URL and TELEGRAM_WEBHOOK_SECRET).",
    ),
    Setting(
        name="TELEGRAM_WEBHOOK_SECRET",
        group=_CHAT,
        example="32-random-letters-and-digits",
        secret=True,
        help="What proves that a webhook comes from Telegram: A-Z, a-z, 0-9, _ and -; "
        "two (new,old) while it is being changed.",
    ),
    Setting(
        name="LAPAK_SUPPLIERS",
        group=_SUPPLIERS,
        example="zultopup,kiosgame",
        help="Suppliers in order of preference, comma-separated; blank: every one with a key.",
    ),
)


def _of(slug: str, field: str, spec: Spec) -> Setting:
    return Setting(
        name=f"{slug}_{field}".upper(),
        group=adapters()[slug].title,
        help=spec.help,
        default=spec.default,
        example=spec.example,
        secret=spec.kind is Kind.SECRET,
    )


OF_SUPPLIERS: Final = {
    slug: {field: (_of(slug, field, spec), spec) for field, spec in specs.items()}
    for slug, specs in ((each, specs_of(adapters()[each].settings_type)) for each in adapters())
}
"""Slug -> field of the adapter's settings -> the setting, and what the adapter says of it."""

_AFTER: Final = (
    Setting(
        name="LAPAK_PAYMENTS",
        group=_PAY,
        default="dropship,wallet",
        help="How customers may pay, comma-separated: dropship, deposit, qris, wallet.",
    ),
    Setting(
        name="LAPAK_QRIS_PAYLOAD",
        group=_PAY,
        example="00020101021126...5802ID...6304ABCD",
        help="The text of your own static QRIS, whole, as a QR reader shows it; needed for qris.",
    ),
    Setting(
        name="LAPAK_REFUNDS",
        group=_PAY,
        default="wallet",
        help="How orders not paid by dropship are refunded: wallet (as credit at once), "
        "or manual (you transfer).",
    ),
    Setting(
        name="LAPAK_WALLET_MIN",
        group=_PAY,
        default="10000",
        help="Smallest top-up of a customer's wallet, in rupiah.",
    ),
    Setting(
        name="LAPAK_WALLET_MAX",
        group=_PAY,
        default="2000000",
        help="Largest top-up of a customer's wallet, in rupiah; at most 10000000.",
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
        help="sqlite:///relative.db, sqlite:////absolute.db, or postgresql://user:password@host/name.",
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
        name="LAPAK_PUBLIC_URL",
        group=_SERVER,
        example="https://shop.example.com",
        help="The https:// address under which Telegram and suppliers reach the web server.",
    ),
    Setting(
        name="LAPAK_TRUSTED_PROXIES",
        group=_SERVER,
        example="127.0.0.1,10.0.0.0/8",
        help="Networks of your own reverse proxies, comma-separated: only their X-Forwarded-For is "
        "believed.",
    ),
    Setting(
        name="LAPAK_CALLBACK_SECRET",
        group=_SERVER,
        example="16-or-more-letters-and-digits",
        secret=True,
        help="An extra last part of every callback address, at least 16 characters: A-Z, a-z, 0-9, "
        "_ and -; two (new,old) while it is being changed.",
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

SETTINGS: Final = (
    *_BEFORE,
    *(setting for each in OF_SUPPLIERS.values() for setting, _ in each.values()),
    *_AFTER,
)

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}

LATER: Final = {
    "WHATSAPP_TOKEN": True,
    "WHATSAPP_PHONE_NUMBER_ID": False,
    "WHATSAPP_APP_SECRET": True,
    "WHATSAPP_VERIFY_TOKEN": True,
    "WHATSAPP_API_URL": False,
    "WHATSAPP_API_VERSION": False,
    "WHATSAPP_TEMPLATE_ORDER_UPDATE": False,
}
"""Promised names that this version does not act on yet -> whether their text is a secret."""

SECRET_NAMES: Final = frozenset(
    {setting.name for setting in SETTINGS if setting.secret}
    | {name for name, secret in LATER.items() if secret}
)

NEEDED_BY: Final = {
    slug: tuple(setting.name for setting, spec in each.values() if spec.needed)
    for slug, each in OF_SUPPLIERS.items()
}
"""Slug -> the settings without which nothing is bought there."""

DEMO_KEY: Final = "demo-key"
"""What the demo signs with, and no real shop: everybody can read it here."""


def env_example() -> str:
    """Give the text of ``.env.example``: every setting of this version, its help and default."""
    lines = [
        "# Lapak reads these from the environment, or from a file named .env in the folder it is",
        "# started in; the environment wins. A setting left blank has its default.",
    ]
    for group, settings in groupby(SETTINGS, attrgetter("group")):
        lines += ["", f"# --- {group} ---"]
        for setting in settings:
            lines += ["", f"# {setting.help}", f"{setting.name}={setting.default}"]
    return "\n".join(lines) + "\n"
