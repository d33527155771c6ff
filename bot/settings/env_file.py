"""The file ``.env``, as it is written."""

from io import StringIO
from pathlib import Path

from dotenv.parser import Original, parse_stream


def read_env_file(path: Path | None) -> tuple[dict[str, str], list[str]]:
    """Read names and texts, and what is wrong with the file; it need not exist.

    No ``$`` is special, as secrets may have one.
    """
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
