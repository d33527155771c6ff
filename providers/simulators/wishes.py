"""What the control surface is asked for, read with distrust and refused in one plain sentence."""

import json
from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

JsonObject = dict[str, object]

MOST_RUPIAH = 10**12


class WishRefused(Exception):
    """A control request changed nothing; its text is one sentence for the person who sent it."""

    http_status: ClassVar[int] = 400


class BadWish(WishRefused):
    """The request makes no sense as written: correct it before sending it again."""


class UnknownThing(WishRefused):
    """It names an order, item, action or supplier that does not exist here: name another."""

    http_status: ClassVar[int] = 404


class NotNow(WishRefused):
    """It names the right thing in the wrong state: look at the journal before asking again."""

    http_status: ClassVar[int] = 409


def read_object(body: bytes) -> JsonObject:
    """Read the bytes as one JSON object.

    Raises:
        BadWish: They are not JSON, or are JSON of another shape (or nested or long beyond reason).
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadWish("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise BadWish("The body must be a JSON object.")
    return value


async def read_body(request: web.Request) -> JsonObject:
    """Read the request's body as one JSON object.

    Raises:
        BadWish: It is not one, is too long, or is not encoded as it claims.
    """
    try:
        return read_object(await request.read())
    except (web.HTTPRequestEntityTooLarge, web.RequestPayloadError) as error:
        raise BadWish("The body cannot be read.") from error


def whole(wish: Mapping[str, object], name: str, *, least: int, most: int = MOST_RUPIAH) -> int:
    """Read a whole number within bounds; ``true`` and ``"5"`` are not numbers here.

    Raises:
        BadWish: It is missing, of another type, or out of bounds.
    """
    value = wish.get(name)
    if type(value) is not int or not least <= value <= most:
        raise BadWish(f"'{name}' must be a whole number from {least} to {most}.")
    return value


def text(wish: Mapping[str, object], *names: str) -> str:
    """Read the first of these names that is there, as text; a number's digits count as text.

    Raises:
        BadWish: None of them is there, or the first one is empty or neither text nor a number.
    """
    name = next((name for name in names if name in wish), names[0])
    value = wish.get(name)
    if type(value) is int:
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise BadWish(f"'{name}' must be a text.")
    return value.strip()
