"""A shop in a process of its own, as ``lapak run`` runs it, without Telegram's flood limits.

What is measured is how fast the shop is, not how fast Telegram lets it be.
"""

import os

from bot import running
from bot.bootstrap import Seams
from bot.logs import configure_logs
from bot.settings import read_settings
from bot.telegram.flood import Flood, Limits

TOKEN = "123456:benchmark-token-AAAAAAAAAAAA"
KEY = "benchmark-key-0123456789"


def environment(*, outside: int, database: str, port: int, token: str = TOKEN) -> dict[str, str]:
    """Return the settings of a shop whose Telegram and supplier are at the port ``outside``.

    Each shop that runs at the same time has a ``token`` of its own.
    """
    world = f"http://127.0.0.1:{outside}"
    return {
        "TELEGRAM_TOKEN": token,
        "TELEGRAM_API_URL": world,
        "ZULTOPUP_API_KEY": KEY,
        "ZULTOPUP_URL": f"{world}/zultopup",
        "ZULTOPUP_PHONE": "081200000000",
        "ZULTOPUP_TARGET_FORMAT": "{user_id}{server_id}",
        "LAPAK_OWNERS": "telegram:99",
        "LAPAK_SUPPORT": "@toko",
        "LAPAK_HOST": "127.0.0.1",
        "LAPAK_PORT": str(port),
        "LAPAK_DATABASE_URL": database,
        "LAPAK_LOG_LEVEL": "ERROR",
    }


def unlimited() -> Flood:
    """Return a gate that holds nobody up."""
    many = 1_000_000
    return Flood(Limits(burst=many, per_second=many, chat_burst=many, chat_per_second=many))


def main() -> None:
    """Run until told to stop."""
    settings = read_settings(os.environ, None, selling=True)
    configure_logs(settings.log_level, settings.log_format, settings.secrets())
    running.run(settings, seams=Seams(flood=unlimited))


if __name__ == "__main__":
    main()
