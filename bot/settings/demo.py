"""The settings of ``lapak demo``: a shop of its own on this machine."""

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
        "ZULTOPUP_API_KEY": DEMO_KEY,
        "ZULTOPUP_URL": f"http://127.0.0.1:{port}/zultopup",
        "ZULTOPUP_TARGET_FORMAT": "{user_id}{server_id}",
        "ZULTOPUP_PHONE": "081200000000",
        "LAPAK_PAYMENTS": ",".join(PaymentMethod),
        "LAPAK_QRIS_PAYLOAD": _NOBODYS_QRIS,
    }
    # Neither can be written as a text: a web owner exists here only, and a path may hold anything.
    # The warnings are of a shop without an owner, and of money that is none here.
    database = SqliteFile(path=data / "lapak.db")
    only_here = {"owners": ("web:owner",), "database": database, "warnings": ()}
    return read_settings(texts, None).model_copy(update=only_here)
