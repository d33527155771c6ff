"""The web part of a shop in a process of its own: ``lapak run --role web``, on SQLite as well.

The command itself refuses to run a part on SQLite, where a shop is one process.
"""

import os

from bot import running
from bot.logs import configure_logs
from bot.roles import Role
from bot.settings import read_settings


def main() -> None:
    """Run until told to stop."""
    settings = read_settings(os.environ, None, selling=True)
    configure_logs(settings.log_level, settings.log_format, settings.secrets())
    running.run(settings, frozenset({Role.WEB}))


if __name__ == "__main__":
    main()
