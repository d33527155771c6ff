"""The settings: the environment and ``.env`` in, one frozen value out, every problem named at once.

Everything begins as text. A new setting is a row in ``table``, a line in ``model`` and, if there is
none like it yet, a type in ``values``. What settings say about each other is in ``consistency``.
"""

from bot.settings.demo import demo_settings
from bot.settings.model import Settings
from bot.settings.problems import SettingsError
from bot.settings.reading import read_settings
from bot.settings.table import SETTINGS, Setting, Texts, env_example

__all__ = [
    "SETTINGS",
    "Setting",
    "Settings",
    "SettingsError",
    "Texts",
    "demo_settings",
    "env_example",
    "read_settings",
]
