"""How an adapter says which settings it needs: a frozen dataclass, one field for each setting.

The field ``api_key`` of ``providers/zonegame.py`` is the setting ``ZONEGAME_API_KEY``: its kind,
default and help stand beside it, and ``bot.settings`` reads them from there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeAlias

Secrets: TypeAlias = Callable[[], Sequence[str]]
"""Gives the texts of a secret: the first signs, and while it is being changed both verify."""

Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]


class Kind(StrEnum):
    """What a setting's text is read as."""

    SECRET = "secret"  # -> Secrets  # noqa: S105
    NAME = "name"  # -> str: who we are there; no secret, no blanks
    URL = "url"  # -> str, without a slash at its end
    NETWORKS = "networks"  # -> Networks
    PERCENT = "percent"  # -> int, hundredths of a percent
    PHONE = "phone"  # -> str, kept out of the logs
    TARGET = "target"  # -> str, a format with {user_id} and {server_id}
    FILE = "file"  # -> Path | None, of a file that can be read
    CHOICE = "choice"  # -> str, one of ``options``


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One setting of a supplier. ``needed``: without it nothing is bought there."""

    kind: Kind
    help: str
    default: str = ""
    example: str = ""
    needed: bool = False
    options: Sequence[str] = ()


def setting(kind: Kind, help_: str, **more: Any) -> Any:
    """Declare a field of an adapter's ``Settings``; see ``Spec`` for the rest."""
    hidden = kind in {Kind.SECRET, Kind.PHONE}
    return field(metadata={"setting": Spec(kind=kind, help=help_, **more)}, repr=not hidden)


def specs_of(settings: type) -> Mapping[str, Spec]:
    """Return what each field of an adapter's ``Settings`` declares."""
    return {each.name: each.metadata["setting"] for each in fields(settings)}
