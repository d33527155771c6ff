"""The settings of ``lapak demo``: a shop of its own on this machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.settings.model import Settings
from bot.settings.reading import read_settings
from bot.settings.table import DEMO_KEY
from shop.payments import PaymentMethod
from storage.address import SqliteFile

# A static QRIS of a merchant who does not exist: no bank pays to it.
_NOBODYS_QRIS: Final = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)
EVERY_SUPPLIER: Final = ("zultopup", "zonegame", "senpay", "kiosgame", "apigames")
_LOOPBACK: Final = "127.0.0.1"


def demo_settings(
    data: Path,
    port: int,
    *,
    suppliers: Sequence[str] = EVERY_SUPPLIER,
    products: Path | None = None,
) -> Settings:
    """Give the settings of the demo: nothing from outside, and nothing but loopback.

    ``port`` is the one that chat page and simulators are served on, already known (not 0);
    ``products``: the file with Apigames' goods, if there is one.

    Raises:
        SettingsError: ``port`` is not a port number.
    """
    here = f"http://{_LOOPBACK}:{port}"
    texts = {
        "LAPAK_SHOP_NAME": "Lapak Demo",
        "LAPAK_SUPPORT": "@lapak_demo",
        "LAPAK_PORT": str(port),
        "LAPAK_PUBLIC_URL": here,
        "LAPAK_POLL_SECONDS": "2",
        "LAPAK_SUPPLIERS": ",".join(suppliers),
        "LAPAK_PAYMENTS": ",".join(PaymentMethod),
        "LAPAK_QRIS_PAYLOAD": _NOBODYS_QRIS,
        "ZULTOPUP_TARGET_FORMAT": "{user_id}{server_id}",
        "ZULTOPUP_PHONE": "081200000000",
        "APIGAMES_MERCHANT_ID": "DEMO",
        **dict.fromkeys(_KEYS, DEMO_KEY),
        **{f"{slug.upper()}_URL": f"{here}/{slug}" for slug in EVERY_SUPPLIER},
        **{f"{slug}_CALLBACK_IPS": _LOOPBACK for slug in ("SENPAY", "KIOSGAME", "APIGAMES")},
        **({} if products is None else {"APIGAMES_PRODUCTS": str(products)}),
    }
    # Neither can be written as a text: a web owner exists here only, and a path may hold anything.
    # The warnings are of a shop without an owner, and of money that is none here.
    database = SqliteFile(path=data / "lapak.db")
    only_here = {"owners": ("web:owner",), "database": database, "warnings": ()}
    return read_settings(texts, None).model_copy(update=only_here)


_KEYS: Final = (
    "ZULTOPUP_API_KEY",
    "ZONEGAME_API_KEY",
    "SENPAY_API_KEY",
    "SENPAY_SECRET_KEY",
    "KIOSGAME_API_KEY",
    "APIGAMES_SECRET_KEY",
)
