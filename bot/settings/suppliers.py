"""The settings of each supplier, as its adapter declares them: texts in, its ``Settings`` out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.secrets import Secret
from bot.settings.addresses import read_networks, read_url
from bot.settings.problems import MISPLACED, line_about, shown
from bot.settings.table import NEEDED_BY, OF_SUPPLIERS, Texts
from bot.settings.values import (
    basis_points,
    one_of,
    read_key,
    read_name,
    read_phone,
    read_rotated,
    read_target_format,
)
from providers.registry import adapters
from providers.settings import Kind, Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierSettings:
    """What was read: ``of`` each slug its adapter's settings, and who can be bought from."""

    of: Mapping[str, Any]
    configured: Sequence[str]
    secrets: Sequence[Secret] = field(repr=False)
    phones: Sequence[str] = field(repr=False)


class _Revealed:
    """Gives the texts of secrets, and shows none."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = tuple(secrets)

    def __eq__(self, other: object) -> bool:
        return self._secrets == other._secrets if isinstance(other, _Revealed) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._secrets)

    def __call__(self) -> Sequence[str]:
        return tuple(secret.reveal() for secret in self._secrets)


def _file(text: str) -> Path | None:
    if not text:
        return None
    path = Path(text)
    try:
        with path.open("rb"):
            return path
    except (OSError, ValueError):
        raise ValueError(f"{shown(text)} is not a file that can be read") from None


def _read(text: str, spec: Spec) -> Any:
    if spec.kind is Kind.SECRET:
        return tuple(read_key(part) for part in read_rotated(text))
    return _READERS[spec.kind](text) if spec.kind in _READERS else one_of(*spec.options)(text)


_READERS: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.NAME: read_name,
    Kind.URL: read_url,
    Kind.NETWORKS: read_networks,
    Kind.PERCENT: basis_points(100),
    Kind.PHONE: read_phone,
    Kind.TARGET: read_target_format,
    Kind.FILE: _file,
}


def read_suppliers(
    texts: Texts, unseen: frozenset[str]
) -> tuple[SupplierSettings | None, list[str]]:
    """Turn the texts of every supplier into its settings, or say what is wrong with them.

    ``unseen``: settings whose text must not be repeated.
    """
    problems: list[str] = []
    of: dict[str, Any] = {}
    secrets: list[Secret] = []
    phones: list[str] = []
    for slug in OF_SUPPLIERS:
        values: dict[str, Any] = {}
        for name, spec, value in _values(slug, texts, unseen, problems):
            match spec.kind:
                case Kind.SECRET:
                    secrets += value
                    value = _Revealed(value)  # noqa: PLW2901
                case Kind.PHONE:
                    phones.append(value)
                case _:
                    pass
            values[name] = value
        if not problems:
            of[slug] = adapters()[slug].settings_type(**values)
    if problems:
        return None, problems
    configured = [slug for slug, names in NEEDED_BY.items() if all(n in texts for n in names)]
    return SupplierSettings(of=of, configured=configured, secrets=secrets, phones=phones), []


def _values(
    slug: str, texts: Texts, unseen: frozenset[str], problems: list[str]
) -> Iterator[tuple[str, Spec, Any]]:
    for name, (setting, spec) in OF_SUPPLIERS[slug].items():
        try:
            yield name, spec, _read(texts.get(setting.name, setting.default), spec)
        except ValueError as error:
            wrong = MISPLACED if setting.name in unseen else str(error)
            problems.append(line_about(setting.name, wrong))
