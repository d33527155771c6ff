"""The numbered migrations, and why a database cannot be used."""

import re
from importlib.resources import files

_NUMBER = re.compile(r"(\d{4})_\w+\.sql")


class Unusable(Exception):
    """The database cannot be used as it is; the text says why and what to do, in one line."""


def newest() -> int:
    """Return the number of the newest migration this program has."""
    return max(number for number, _ in migrations(""))


def migrations(database: str) -> list[tuple[int, str]]:
    """Return every migration's number and SQL, in order.

    ``database`` is ``sqlite`` or ``postgres``: what only that one understands stands in a file
    beside the shared one, and comes after it.
    """
    folder = files("storage.migrations")
    found = []
    for entry in folder.iterdir():
        if match := _NUMBER.fullmatch(entry.name):
            extra = folder / entry.name.replace(".sql", f".{database}.sql")
            sql = entry.read_text("utf-8") + (extra.read_text("utf-8") if extra.is_file() else "")
            found.append((int(match[1]), sql))
    return sorted(found)
