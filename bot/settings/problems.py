"""How a mistake in the settings is told: in one printable line, without a secret in it."""

import difflib
import json
import re
from collections.abc import Iterable
from typing import Final

from bot.settings.table import BY_NAME

MISPLACED: Final = "has the text of a secret setting in it"
_TOKEN_SHAPE: Final = re.compile(r"[0-9]{5,}:[A-Za-z0-9_-]{20,}")


class SettingsError(Exception):
    """The settings cannot be used; nothing was started.

    ``problems`` are all of them, one line each, safe to print. The caller prints them and leaves
    with exit code 2.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def line_about(name: str, wrong: str) -> str:
    """Say what is wrong with a setting of this version, and show one that is right."""
    return f"{name}: {wrong}; for example {BY_NAME[name].shown_example}"


def shown(text: str) -> str:
    """Quote foreign text on one ASCII line; a bot token in the wrong place stays unseen."""
    return json.dumps(_TOKEN_SHAPE.sub("***", text)[:60])


def meant(word: str, words: Iterable[str]) -> str:
    """Suggest the nearest of the ``words``, as the end of a line; blank if none is near."""
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""
