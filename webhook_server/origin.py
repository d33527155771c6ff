"""Where a request really came from, behind proxies that are trusted and past all that is not."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

from providers.settings import Networks

_Address: TypeAlias = IPv4Address | IPv6Address

# Some proxies (Azure's, IIS) add the port; an IPv6 address then stands in brackets.
_HOP: Final = re.compile(
    r"(?P<v4>[0-9.]+)(:[0-9]{1,5})?|\[(?P<bracketed>[0-9a-f:.]+)\](:[0-9]{1,5})?|(?P<v6>[0-9a-f:.]+)",
    re.ASCII | re.IGNORECASE,
)


def remote_of(request_peer: str | None, forwarded: Sequence[str], trusted: Networks) -> str:
    """Return the address that a request came from; empty if its peer has none (a Unix socket).

    ``forwarded``: the lines of ``X-Forwarded-For``, in order. Only what trusted hops wrote counts:
    from the right, the first address that is not trusted itself. What cannot be read ends the walk,
    and the last hop before it is the answer. IPv6 forms of an IPv4 address are that IPv4 address.
    """
    hop = _read(_without_zone(request_peer or ""))
    if hop is None:
        return ""
    for told_by_it in _from_the_right(forwarded):
        if not _is_in(hop, trusted) or told_by_it is None:
            break
        hop = told_by_it
    return str(hop)


def _from_the_right(forwarded: Sequence[str]) -> Iterator[_Address | None]:
    for entry in reversed(",".join(forwarded).split(",")):
        found = _HOP.fullmatch(entry.strip(" \t"))
        yield _read(found["v4"] or found["bracketed"] or found["v6"]) if found else None


def _read(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _without_zone(address: str) -> str:
    # "fe80::1%eth0": the part behind the sign names a network card of this machine.
    return address.partition("%")[0]


def _is_in(address: _Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
