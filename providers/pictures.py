"""The picture of a payment QR, whatever a supplier put into ``qr_url``.

That field is somebody else's text and we act on it, so it is the one place where a supplier, or
whoever speaks in its name, could send us to an address inside our own network. Therefore one
regular expression reads the URL, its host is looked up once, every answer must be public, and the
connection goes to the first of exactly these answers.
"""

import asyncio
import base64
import io
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx
from PIL import Image

from providers.base import trusted
from providers.qris import qris_png
from shop.qris import QRIS_START

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_BYTES = 1_000_000
MAX_LINK = 500
_SIDES = range(32, 4097)

# The characters of RFC 3986 and no others: no userinfo, no "%" or "\" in the host, no space,
# control or non-ASCII character anywhere (an IDN must come in its xn-- form). What two parsers
# could read differently does not match, and no other parser gets to see the host.
_URL = re.compile(
    r"(https?)://([a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
    r"((?:[/?#][a-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?)",
    re.ASCII | re.IGNORECASE,
)
_LOOPBACK_HOST = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]", re.ASCII)
_DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp);base64,", re.ASCII | re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}

# ``is_global`` alone is not enough: depending on the Python version it is True for ::127.0.0.1,
# 64:ff9b:1::1 or 192.0.0.9. IPv6 is given out for the Internet from one network only.
_NAT64 = ip_network("64:ff9b::/96")
_IPV6_INTERNET = ip_network("2000::/3")
_NOT_PUBLIC = (
    ip_network("168.63.129.16/32"),  # Azure's host agent: a public number, yet a local service
    ip_network("192.0.0.0/24"),  # protocol assignments; 192.0.0.192 is Oracle Cloud's metadata
    ip_network("192.88.99.0/24"),  # 6to4 relays
    ip_network("2001::/23"),  # Teredo and other protocol assignments
    ip_network("2002::/16"),  # 6to4
    ip_network("3fff::/20"),  # documentation
)


class NoPicture(Exception):
    """Nothing showable: send the invoice link instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    scheme: str
    host: str  # lower case, an IPv6 literal in its brackets
    port: int
    rest: str  # path, query and fragment


async def system_resolver(host: str, port: int) -> list[str]:
    """Every address the operating system knows for ``host``; ``OSError`` if it knows none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


async def qr_picture(
    source: str,
    *,
    own_origin: str | None,
    resolve: Resolver = system_resolver,
    transport: httpx.AsyncBaseTransport | None = None,
    seconds: float = 5.0,
) -> bytes:
    """A PNG, JPEG or WebP picture of the QR code named, or spelt out, by ``source``.

    ``source`` is a QRIS payload text (drawn), a ``data:`` URL (decoded) or an https URL (fetched
    within ``seconds``, at most ``MAX_BYTES``, no redirect). Pictures are handed on unaltered.
    If ``own_origin``, the supplier's configured base URL, is on loopback, a URL of that very
    origin may be fetched too: so the simulators are reached. ``transport`` replaces the network,
    and is closed afterwards.

    Raises:
        NoPicture: nothing can be shown; the reason quotes neither ``source`` nor what came back.
    """
    body = _inline(source)
    if body is None:
        try:
            async with asyncio.timeout(seconds):
                place, address = await _checked(source, own_origin, resolve)
                body = await _fetch(place, address, transport, seconds)
        except TimeoutError:
            raise NoPicture("took too long") from None
    return _showable(body)


def safe_link(url: str, *, own_origin: str | None) -> str | None:
    """``url`` itself if a customer may be shown it as a link, else None.

    That is https (or the very origin of ``own_origin`` if that is on loopback) with a host, no
    userinfo, only the characters of RFC 3986, and at most ``MAX_LINK`` of them.
    """
    place = _place(url) if len(url) <= MAX_LINK else None
    allowed = place is not None and (place.scheme == "https" or _is_own(place, own_origin))
    return url if allowed else None


def _place(url: str) -> _Place | None:
    parts = _URL.fullmatch(url)
    if parts is None:
        return None
    scheme = parts[1].lower()
    port = int(parts[3] or _DEFAULT_PORTS[scheme])
    place = _Place(scheme=scheme, host=parts[2].lower(), port=port, rest=parts[4])
    return place if 0 < port < 65536 else None


def _is_own(place: _Place, own_origin: str | None) -> bool:
    own = _place(own_origin or "")
    if own is None or not _LOOPBACK_HOST.fullmatch(own.host):
        return False
    return replace(own, rest="") == replace(place, rest="")


def _inline(source: str) -> bytes | None:
    if source.lstrip().startswith(QRIS_START):
        return source.encode(errors="replace")
    data = _DATA_URL.match(source)
    if data is None:
        return None
    if len(source) > MAX_BYTES * 3 // 2:  # base64 is a third longer than what it carries
        raise NoPicture("too large")
    try:
        return base64.b64decode(source[data.end() :], validate=True)
    except ValueError:
        raise NoPicture("a data URL that is not base64") from None


async def _checked(source: str, own_origin: str | None, resolve: Resolver) -> tuple[_Place, str]:
    """Where ``source`` points, and the one address that may be connected to for it."""
    place = _place(source)
    own = place is not None and _is_own(place, own_origin)
    if place is None or not (own or place.scheme == "https"):
        raise NoPicture("not an https URL we follow")
    try:
        addresses = await resolve(place.host.strip("[]"), place.port)
        allowed = [_is_allowed(address, own=own) for address in addresses]
    except (OSError, ValueError):  # ValueError: a label too long for DNS, or no address at all
        raise NoPicture("its host is not known") from None
    if not allowed or not all(allowed):
        raise NoPicture("its host is not on the public Internet")
    return place, addresses[0]


def _is_allowed(text: str, *, own: bool) -> bool:
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        address = _carried_ipv4(address) or address
    if own:
        return address.is_loopback
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _IPV6_INTERNET):
        return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


def _carried_ipv4(address: IPv6Address) -> IPv4Address | None:
    # Only the forms that lead to this IPv4 address on an ordinary network: mapped, and NAT64 as
    # a DNS64 resolver makes it up. The tunnels, 6to4 and Teredo, are refused whatever they carry.
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


async def _fetch(
    place: _Place, address: str, transport: httpx.AsyncBaseTransport | None, seconds: float
) -> bytes:
    # The URL names the checked address, so nothing is looked up a second time. httpcore gives
    # ``sni_hostname`` to the TLS layer as ``server_hostname``: the name that is sent, and the one
    # the certificate must be valid for; that it is valid for the address then counts nothing
    # (the tests show both with a real TLS server).
    at = f"[{address}]" if ":" in address else address
    shown_port = "" if place.port == _DEFAULT_PORTS[place.scheme] else f":{place.port}"
    transport = transport or httpx.AsyncHTTPTransport(trust_env=False, verify=trusted())
    client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=seconds)
    try:
        async with (
            client,
            client.stream(
                "GET",
                f"{place.scheme}://{at}:{place.port}{place.rest}",
                headers={"Host": place.host + shown_port, "Accept-Encoding": "identity"},
                extensions={"sni_hostname": place.host.strip("[]").removesuffix(".")},
                follow_redirects=False,
            ) as response,
        ):
            return await _body(response)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        # Not "from error": its text may quote the URL, whose query may be a key.
        raise NoPicture(f"could not be fetched: {type(error).__name__}") from None


async def _body(response: httpx.Response) -> bytes:
    if response.status_code != 200:
        raise NoPicture(f"HTTP status {response.status_code}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        # We asked for none, and unpacking is where one small chunk becomes a gigabyte. Without
        # it, the bytes counted below are those received.
        raise NoPicture("compressed, though that was ruled out")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise NoPicture("too large")
    return bytes(body)


def _showable(body: bytes) -> bytes:
    text = body.strip()
    if text.startswith(QRIS_START.encode()):
        try:
            return qris_png(text.decode("ascii", errors="replace"))
        except ValueError as error:
            raise NoPicture(f"a QRIS payload that cannot be right: {error}") from None
    if len(body) > MAX_BYTES:
        raise NoPicture("too large")
    try:
        size = _size(body)
    except Exception as error:
        # Pillow does not list what a hostile file may raise (SyntaxError, struct.error, ...).
        raise NoPicture("not a whole PNG, JPEG or WebP picture") from error
    if not all(side in _SIDES for side in size):
        raise NoPicture("too small or too large a picture")
    return body


def _size(body: bytes) -> tuple[int, int]:
    # No ``load()``: unpacking pixels is where a small file becomes minutes of work (a progressive
    # JPEG of ten thousand scans) or gigabytes of memory, and we only hand the bytes on.
    with Image.open(io.BytesIO(body), formats=("PNG", "JPEG", "WEBP")) as picture:
        picture.verify()
        return picture.size
