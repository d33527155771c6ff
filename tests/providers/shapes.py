"""JSON in shapes that nobody promised: the same with one thing changed."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

At = tuple[str | int, ...]


def paths(value: Any, at: At = ()) -> Iterator[At]:
    """Where anything stands in it, itself included."""
    yield at
    match value:
        case dict():
            for name, inner in value.items():
                yield from paths(inner, (*at, name))
        case list():
            for number, inner in enumerate(value):
                yield from paths(inner, (*at, number))


def value_at(value: Any, at: At) -> Any:
    for step in at:
        value = value[step]
    return value


def with_value(value: Any, at: At, instead: Any) -> Any:
    """The same, with another value at one place."""
    if not at:
        return instead
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[at[0]] = with_value(value[at[0]], at[1:], instead)
    return copied


def padded(value: Any) -> Any:
    """The same, with fields that nobody has heard of in every object."""
    match value:
        case dict():
            inner = {name: padded(inside) for name, inside in value.items()}
            return {"baru": {"apa": [1, None]}, **inner, "lain": "Success", "x": 1.5}
        case list():
            return [padded(inside) for inside in value]
        case _:
            return value


def wrong_instead_of(value: Any) -> list[Any]:
    """Values of another kind. ``null`` is none of them: it means that something is not said."""
    match value:
        case bool():
            return [[], {}, ["x"], 2.5, -1]
        case int():
            flags = [] if value in (0, 1) else [True, False]  # there they mean the same
            less = -abs(value) - 1
            return [*flags, [], {}, [value], {"x": value}, "x", "", 1.5, less, 10**30, "1e3"]
        case str():
            return [True, False, [], {}, [value], list(value), {value: value}, 1.5, -1.25]
        case list():
            return [True, 5, "x", {"x": "y"}, dict.fromkeys(map(str, range(3)), 1)]
        case dict():
            return [True, 5, "x", ["x"], [value], [[]]]
        case _:
            return []


def one_wrong(value: Any) -> Iterator[tuple[At, Any, Any]]:
    """Every place in it, each value of another kind there, and all of it with that one."""
    for at in paths(value):
        for wrong in wrong_instead_of(value_at(value, at)):
            yield at, wrong, with_value(value, at, wrong)


_HOSTILE = [
    "Success", "SUCCESS", "Sukses", "settlement", "refunded", "12.000", "0", "-5", "1e3",
    "\ud800", "\x00", "\u202e", "x" * 5000, "'; --", "<b>", "../..", "N/A",
]  # fmt: skip
_NAMES = ["status", "statusCode", "success", "data", "id", "payment", "amount", "message"]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(_HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
