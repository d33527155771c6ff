"""What the adapters prove and read callbacks with. The contract is ``shop.callbacks``."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from providers.settings import Networks
from shop.callbacks import Nonsense

_DEEPEST = 20  # levels of nesting; their examples have two
_MOST_FIELDS = 50


def is_signed(body: bytes, given: str | None, keys: Iterable[str]) -> bool:
    """Tell whether ``given`` is the HMAC-SHA256 of the very bytes, in hex as the samples write it.

    Every key is tried, in constant time: what it takes tells nothing of which one it was.
    """
    written = (given or "").encode("utf-8", "surrogatepass")
    found = [hmac.compare_digest(written, _hmac(key, body)) for key in keys if key]
    return any(found)


def _hmac(key: str, body: bytes) -> bytes:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest().encode()


def is_same(given: str | None, wanted: Iterable[str]) -> bool:
    """Tell whether ``given`` is one of the texts ``wanted``, in constant time."""
    written = (given or "").encode("utf-8", "surrogatepass")
    found = [hmac.compare_digest(written, each.encode()) for each in wanted if each]
    return any(found)


def is_from(remote: str, networks: Networks) -> bool:
    """Tell whether an address is in one of these networks; no address is in none."""
    try:
        address = ip_address(remote)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def read_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a callback is. Raise ``Nonsense``.

    A name that stands twice, a number that is none and nesting beyond reason are nonsense: two
    readers would not understand the same.
    """
    try:
        said = json.loads(body, object_pairs_hook=_once_each, parse_constant=_no_number)
    except Nonsense:
        raise
    except (ValueError, RecursionError) as error:
        raise Nonsense("not JSON") from error
    if not isinstance(said, dict) or _is_deep(said):
        raise Nonsense("not a plain JSON object")
    return said


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Nonsense("a name stands twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise Nonsense(f"{text} is no number")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        if not level:
            return False
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def read_query(query: str) -> Mapping[str, str]:
    """Return the parameters of a callback that is an address. Raise ``Nonsense``."""
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=False,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise Nonsense("not a query") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Nonsense("a name stands twice")
    return found
