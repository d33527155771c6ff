"""Reading all settings: texts are gathered, typed and compared, and every problem is named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from bot.secrets import Secret
from bot.settings.consistency import contradictions, holding_secrets, omissions, unknown_names
from bot.settings.env_file import read_env_file
from bot.settings.model import Settings
from bot.settings.problems import MISPLACED, SettingsError, line_about
from bot.settings.suppliers import read_suppliers
from bot.settings.table import BY_NAME, LATER, OF_SUPPLIERS, SECRET_NAMES, SETTINGS, Texts
from bot.settings.values import listed

_OF_A_SUPPLIER: Final = frozenset(
    s.name for each in OF_SUPPLIERS.values() for s, _ in each.values()
)


def read_settings(
    environment: Mapping[str, str], dotenv: Path | None, *, selling: bool = False
) -> Settings:
    """Read the settings of this process; the environment wins over ``dotenv``.

    A blank text counts as not set. ``dotenv`` need not exist. With ``selling``, a missing channel
    or supplier is a problem too: for ``lapak run``, not for commands that only look.

    Raises:
        SettingsError: something is unknown, missing, wrong or dangerous; it names all of that and
            shows no secret. Nothing was changed, so the caller may read again.
    """
    written, of_the_file = read_env_file(dotenv)
    texts = _ours(written) | _ours(environment)
    # A short one may stand in another text by chance.
    misplaced = holding_secrets(texts, at_least=16)
    settings, of_values = _typed({n: text for n, text in texts.items() if n not in misplaced})
    problems = (
        *of_values,
        *of_the_file,
        *(line_about(name, MISPLACED) for name in sorted(misplaced)),
        *unknown_names(environment, written),
        *contradictions(texts, selling=selling),
    )
    if problems or settings is None:
        raise SettingsError(tuple(dict.fromkeys(problems)))
    return settings


def _ours(texts: Mapping[str, str]) -> dict[str, str]:
    """Keep what is ours and not blank."""
    ours = ((name, texts.get(name, "").strip()) for name in (*BY_NAME, *LATER))
    return {name: text for name, text in ours if text}


def _typed(texts: Texts) -> tuple[Settings | None, list[str]]:
    """Turn every text into its value, or say what is wrong with it.

    Nothing is raised: pydantic's error holds the texts, secrets too, and must not be a context.
    """
    later = [name for name in LATER if name in texts]
    unused = [part for name in later if name in SECRET_NAMES for part in listed(texts[name])]
    raw = {s.name: texts.get(s.name, s.default) for s in SETTINGS if s.name not in _OF_A_SUPPLIER}
    unseen = holding_secrets(texts, at_least=1)
    of_suppliers, problems = read_suppliers(texts, unseen)
    beside: dict[str, Any] = {
        "warnings": (
            *(f"{name} has no effect in this version" for name in later),
            *omissions(texts),
        ),
        "unused_secrets": tuple(map(Secret, unused)),
    }
    if of_suppliers is not None:
        beside |= {
            "of_suppliers": of_suppliers.of,
            "configured": tuple(of_suppliers.configured),
            "supplier_secrets": tuple(of_suppliers.secrets),
            "supplier_phones": tuple(of_suppliers.phones),
        }
    try:
        settings = Settings.model_validate(raw | beside)
    except ValidationError as error:
        return None, [*problems, *_wrong_values(error, unseen)]
    return (None, problems) if problems else (settings, [])


def _wrong_values(error: ValidationError, unseen: frozenset[str]) -> list[str]:
    found = [
        (str(each["loc"][0]), str(each["ctx"]["error"]))
        for each in error.errors(include_url=False, include_input=False)
    ]
    return [line_about(name, MISPLACED if name in unseen else wrong) for name, wrong in found]
