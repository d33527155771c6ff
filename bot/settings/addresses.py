"""Where things are: URLs, hosts and the database, as types with readers as in ``values``."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import PlainValidator

from bot.settings.problems import shown
from storage.address import Address, PostgresServer, SqliteFile

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def leads_to_loopback(url: str) -> bool:
    """Tell whether nothing sent to ``url`` can leave this machine; not, if it is no URL."""
    parts = _split_url(url)
    return parts is not None and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _LOOPBACK)


def _split_url(text: str) -> SplitResult | None:
    """Take a URL apart; ``None`` if it is not one."""
    if not re.fullmatch(r"[!-~]+", text) or "\\" in text:
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is not a port
    except ValueError:
        return None
    return parts if parts.hostname else None


def read_url(text: str) -> str:
    """Read an ``https://`` address; ``http://`` only if it cannot leave this machine."""
    if re.search(r"[@?#]", text):
        # What stands there is likely a secret, so it is not repeated.
        raise ValueError("must not have a user name, a query or a fragment in it")
    parts = _split_url(text)
    if parts is None or parts.scheme not in {"https", "http"}:
        raise ValueError(f"{shown(text)} is not an https:// address")
    if parts.scheme == "http" and not leads_to_loopback(text):
        raise ValueError(f"{shown(text)} is http://, which is accepted for loopback only")
    return text.rstrip("/")


def read_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read comma-separated addresses and networks: ``206.189.83.1, 10.0.0.0/8``."""
    parts = [part.strip() for part in text.split(",")] if text else []
    return tuple(_network(part) for part in parts)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IP address or a network") from None
    if network.prefixlen == 0:
        raise ValueError(f"{shown(text)} is every address there is; name the ones you mean")
    return network


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        # All digits and dots, and yet no address: a mistyped address, not a name.
        if not re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", text) or re.fullmatch(r"[0-9.]+", text):
            raise ValueError(f"{shown(text)} is not an IP address or a host name") from None
        return text


def _database(text: str) -> Address:
    if re.match(r"postgres(ql)?:", text):
        return _server(text)
    scheme, _, path = text.partition(":///")
    if scheme != "sqlite" or not path or "?" in path or not path.isprintable():
        # Not repeated: an address of another database may have a password in it.
        raise ValueError("is neither sqlite:/// followed by the path of a file, nor postgresql://")
    if path == ":memory:":
        raise ValueError("a database in memory forgets every order; name a file")
    if path.endswith("/") or _is_directory(Path(path)):
        raise ValueError(f"{shown(path)} is a directory; name a file")
    return SqliteFile(path=Path(path))


def _server(text: str) -> PostgresServer:
    # Nothing of it is repeated in an error: it has a password in it.
    parts = _split_server(text)
    name = parts.path.removeprefix("/") if parts is not None else ""
    if parts is None or not re.fullmatch(r"[^/\s@:]+", name) or parts.fragment:
        raise ValueError("is not postgresql://user:password@host:port/name")
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    where = f"{user}{parts.hostname or 'localhost'}{port}"
    return PostgresServer(uri=text, shown=f"postgresql://{where}/{name}")


def _split_server(text: str) -> SplitResult | None:
    """Take a libpq URI apart, which may leave the host to its query; ``None`` if it is not one."""
    if not re.fullmatch(r"postgres(?:ql)?://[!-~]+", text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is not a port
    except ValueError:
        return None
    return parts


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # whoever opens the database says what is wrong with it


Url = Annotated[str, PlainValidator(read_url)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], PlainValidator(read_networks)]
Host = Annotated[str, PlainValidator(_host)]
Database = Annotated[Address, PlainValidator(_database)]
