"""A simulator's memory on disk: one JSON document, replaced as a whole."""

import json
from pathlib import Path

from providers.simulators.wishes import BadWish, JsonObject, read_object


def write_state(path: Path, state: JsonObject) -> None:
    """Replace the file so that a reader finds the old document or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(state), encoding="utf-8")
    fresh.replace(path)


def read_state(path: Path) -> JsonObject | None:
    """Read what was written last; ``None`` if nothing ever was.

    Raises:
        ValueError: The file is not such a document; move it away to start anew.
    """
    if not path.exists():
        return None
    try:
        return read_object(path.read_bytes())
    except BadWish as error:
        raise ValueError(f"{path} does not hold a simulator's state.") from error
