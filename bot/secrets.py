"""A text that must not be seen by accident."""

import hmac
from typing import Any, NoReturn

from pydantic_core import CoreSchema, core_schema

_HIDDEN = "***"


class Secret:
    """A text that shows itself only to ``reveal()``.

    Its ``repr``, ``str``, ``format`` and pydantic dump are ``***``. Deliberately not a dataclass:
    whatever walks over the fields of one (``asdict``, the comparison of two in a failed test)
    would print the text. It cannot be pickled, for the same reason.

    Raises:
        ValueError: the text is empty; an empty secret proves nothing.
    """

    __slots__ = ("__text",)
    __text: str

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("a secret cannot be empty")
        object.__setattr__(self, "_Secret__text", text)

    def reveal(self) -> str:
        """Give the text itself, to sign or to authenticate with and for nothing else."""
        return self.__text

    def __repr__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode(), other.__text.encode())

    def __hash__(self) -> int:
        return hash(self.__text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret never changes")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a secret never changes")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: object) -> CoreSchema:
        """Accept a ready ``Secret`` only, and dump it as ``***``."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(repr)
        )
