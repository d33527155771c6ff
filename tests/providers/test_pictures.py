"""A payment QR is fetched from where it may be fetched, and from nowhere else."""

import asyncio
import base64
import contextlib
import gzip
import io
import shutil
import socket
import ssl
import struct
import subprocess
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpcore
import httpx
import pytest
import qrcode
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from providers.pictures import (
    MAX_BYTES,
    NoPicture,
    qr_picture,
    safe_link,
    system_resolver,
)
from shop.qris import crc16, qris_fields, tlv

STATIC = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)
DYNAMIC = (
    "00020101021226690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605405120005802ID"
    "5911TOKO CONTOH6007JAKARTA61051011062120508INV-00016304E74C"
)
PUBLIC = "93.184.216.34"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is quickly made


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 64)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "white").save(file, kind)
    return file.getvalue()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class PictureHost:
    """A server on loopback: answers each path with the bytes it was told, and keeps a journal."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.silent = False
        self.endless = b""
        self.connections = 0
        self.journal: list[str] = []
        self.names: list[str | None] = []
        self.port = 0
        self.cut_off = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.journal.append(head)
            if self.silent:
                await reader.read()
            writer.write(self.pages.get(head.split(" ")[1], answer(b"", status="404 Not Found")))
            while self.endless:
                writer.write(self.endless)
                await writer.drain()
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            self.cut_off.set()
        finally:
            writer.close()

    def header(self, name: str) -> list[str]:
        lines = self.journal[-1].split("\r\n")[1:]
        return [line.split(": ", 1)[1] for line in lines if line.lower().startswith(name + ":")]


@pytest.fixture
async def host() -> AsyncIterator[PictureHost]:
    host = PictureHost()
    await host.start()
    yield host
    await host.close()


class EverythingGoesTo(httpx.AsyncBaseTransport):
    """A network in which every request, wherever it is meant to go, arrives at one local server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport(verify=NO_TLS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(
            httpx.Request(request.method, url, headers=request.headers)
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


NAMES = {
    "pictures.example": [PUBLIC],
    "six.example": ["2606:2800:220:1:248:1893:25c8:1946"],
    "nat64.example": ["64:ff9b::5db8:d822"],
    "localhost": ["127.0.0.1"],
    "localhost.": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1"],
    "foo.localhost": ["127.0.0.1"],
    "ip6-localhost": ["::1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "127.0.0.1.": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata": ["169.254.169.254"],
    "instance-data.ec2.internal": ["169.254.169.254"],
    "kubernetes.default.svc": ["10.96.0.1"],
    "router.lan": ["192.168.1.1"],
    "office.example": ["172.16.5.4"],
    "mixed.example": [PUBLIC, "10.0.0.7"],
    "mixed-other-way.example": ["10.0.0.7", PUBLIC],
    "mixed-six.example": [PUBLIC, "::1"],
    "nowhere.example": [],
    "nonsense.example": ["not an address"],
    "carrier.example": ["100.64.0.1"],
    "alibaba.example": ["100.100.100.200"],
    "benchmark.example": ["198.18.0.1"],
    "multicast.example": ["224.0.0.1"],
    "multicast-global.example": ["232.1.2.3"],
    "broadcast.example": ["255.255.255.255"],
    "reserved.example": ["240.0.0.1"],
    "unspecified.example": ["0.0.0.0"],
    "azure.example": ["168.63.129.16"],
    "oracle.example": ["192.0.0.192"],
    "relay.example": ["192.88.99.1"],
    "documentation.example": ["203.0.113.5"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "mapped-private.example": ["::ffff:10.0.0.1"],
    "compatible.example": ["::127.0.0.1"],
    "nat64-inside.example": ["64:ff9b::7f00:1"],
    "nat64-metadata.example": ["64:ff9b::a9fe:a9fe"],
    "nat64-local.example": ["64:ff9b:1::1"],
    "sixtofour.example": ["2002:7f00:1::1"],
    "teredo.example": ["2001:0:53aa:64c:0:7d:80ff:fffe"],
    "unique-local.example": ["fd00:ec2::254"],
    "link-local.example": ["fe80::1"],
    "scoped.example": ["fe80::1%1"],
    "scoped-public.example": ["2606:2800:220:1::1%1"],
    "site-local.example": ["fec0::1"],
    "multicast-six.example": ["ff0e::1"],
    "documentation-six.example": ["2001:db8::1"],
    "any-six.example": ["::"],
}


class Resolver:
    """Answers from a table; numbers in any spelling are read as the operating system reads them."""

    def __init__(self, names: dict[str, list[str]] | None = None) -> None:
        self.names = NAMES if names is None else names
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host in self.names:
            return self.names[host]
        found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
        return [str(where[0]) for *_, where in found]


HOSTILE = [
    *(f"https://{name}:PORT/qr.png" for name in NAMES if name not in
      {"pictures.example", "six.example", "nat64.example"}),
    # other schemes
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1:PORT/qr.png",
    "gopher://127.0.0.1:PORT/_GET%20/",
    "dict://127.0.0.1:PORT/info",
    "ldap://127.0.0.1:PORT/",
    "jar:https://127.0.0.1:PORT/!/qr.png",
    "javascript:alert(1)",
    "blob:https://pictures.example/1",
    "data:text/html;base64,PHN2Zz4=",
    "data:image/svg+xml;base64,PHN2Zz4=",
    "data:image/png,plain",
    "data:image/png;base64,!!!!",
    "ws://127.0.0.1:PORT/",
    "http://pictures.example/qr.png",
    "http://pictures.example:443/qr.png",
    "http://127.0.0.1:PORT/qr.png",
    "http://localhost:PORT/qr.png",
    "http://[::1]:PORT/qr.png",
    "//pictures.example/qr.png",
    "/qr.png",
    "qr.png",
    "",
    "https:",
    "https:pictures.example/qr.png",
    "https:/127.0.0.1:PORT/qr.png",
    "https:///127.0.0.1:PORT/qr.png",
    "https://",
    "https://:PORT/qr.png",
    # numbers in disguise
    "https://127.0.0.1:PORT/qr.png",
    "https://127.1:PORT/qr.png",
    "https://127.0.1:PORT/qr.png",
    "https://2130706433:PORT/qr.png",
    "https://0x7f000001:PORT/qr.png",
    "https://0x7f.0.0.1:PORT/qr.png",
    "https://0x7f.1:PORT/qr.png",
    "https://017700000001:PORT/qr.png",
    "https://0177.0.0.1:PORT/qr.png",
    "https://00000177.0.0.1:PORT/qr.png",
    "https://127.255.255.254:PORT/qr.png",
    "https://0:PORT/qr.png",
    "https://0.0.0.0:PORT/qr.png",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/latest/meta-data/",
    "https://0xa9fea9fe/latest/meta-data/",
    "https://0251.0376.0251.0376/latest/meta-data/",
    "https://10.0.0.1/qr.png",
    "https://192.168.0.1/qr.png",
    "https://172.31.255.255/qr.png",
    "https://999.999.999.999/qr.png",
    "https://[::1]:PORT/qr.png",
    "https://[::]:PORT/qr.png",
    "https://[0:0:0:0:0:0:0:1]:PORT/qr.png",
    "https://[::ffff:127.0.0.1]:PORT/qr.png",
    "https://[::ffff:7f00:1]:PORT/qr.png",
    "https://[::ffff:169.254.169.254]/qr.png",
    "https://[0:0:0:0:0:ffff:127.0.0.1]:PORT/qr.png",
    "https://[::127.0.0.1]:PORT/qr.png",
    "https://[64:ff9b::127.0.0.1]:PORT/qr.png",
    "https://[2002:7f00:1::]:PORT/qr.png",
    "https://[fe80::1%25lo]:PORT/qr.png",
    "https://[fe80::1%lo]:PORT/qr.png",
    "https://[::1/qr.png",
    "https://[v1.fe80]/qr.png",
    # whose host is it?
    "https://pictures.example@127.0.0.1:PORT/qr.png",
    "https://127.0.0.1:PORT@pictures.example/qr.png",
    "https://user:password@pictures.example/qr.png",
    "https://@pictures.example/qr.png",
    "https://:@pictures.example/qr.png",
    "https://pictures.example:443@127.0.0.1:PORT/qr.png",
    "https://pictures.example%40127.0.0.1:PORT/qr.png",
    "https://pictures.example\\@127.0.0.1:PORT/qr.png",
    "https:\\\\127.0.0.1:PORT\\qr.png",
    "https://127.0.0.1:PORT\\.pictures.example/qr.png",
    "https://127.0.0.1%2f.pictures.example/qr.png",
    "https://127.0.0.1%00.pictures.example/qr.png",
    "https://%31%32%37.0.0.1:PORT/qr.png",
    "https://pictures.example:PORT:443/qr.png",
    "https://pictures.example:/qr.png#@127.0.0.1:PORT/",
    "https://pictures.example:0/qr.png",
    "https://pictures.example:65536/qr.png",
    "https://pictures.example:-1/qr.png",
    "https://pictures.example:443a/qr.png",
    "https://.pictures.example/qr.png",
    # white space, control characters, other alphabets
    " https://pictures.example/qr.png",
    "https://pictures.example/qr.png\n",
    "https://pictures.example/qr.png\r\nHost: 127.0.0.1",
    "https://pictures.example\r\n\r\nGET / HTTP/1.1/qr.png",
    "https://pictures.example/a b",
    "https://pictures.example/\x00",
    "https://pictures.example/\x7f",
    "ht\ntps://pictures.example/qr.png",
    "https://pict\tures.example/qr.png",
    "https://\u2460\u2461\u2466.0.0.1:PORT/qr.png",
    "https://127\u30020.0.1:PORT/qr.png",
    "https://\uff11\uff12\uff17.0.0.1:PORT/qr.png",
    "https://local\u00adhost:PORT/qr.png",
    "https://locahost\u0130:PORT/qr.png",
    "https://loca\u217c\u04bb\u043est:PORT/qr.png",
    "http\u017f://127.0.0.1:PORT/qr.png",
    "http\u017f://pictures.example/qr.png",
    "https://pictures.e\u212aample/qr.png",
    "https://pi\u0441tures.example/qr.png",
    "https://b\u00fccher.example/qr.png",
    "https://pictures.example\u2100.example/qr.png",
    "https://pictures.example/\u202egnp.rq",
    "https://pictures.example/qr.png?a=\ud800",
    "https://" + "a" * 64 + ".example/qr.png",
    "https://pictures.example/" + "a" * 70_000,
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
@pytest.mark.parametrize("own", [None, "http://127.0.0.1:1", "https://supplier.example"])
async def test_a_hostile_url_reaches_no_server(
    host: PictureHost, url: str, own: str | None
) -> None:
    host.pages = {"/qr.png": answer(picture())}
    with pytest.raises(NoPicture) as refusal:
        await qr_picture(
            url.replace("PORT", str(host.port)),
            own_origin=own,
            resolve=Resolver(),
            transport=EverythingGoesTo(host.port),
        )
    assert host.connections == 0
    assert "qr.png" not in str(refusal.value)


@pytest.mark.parametrize("url", [url for url in HOSTILE if "PORT" in url])
async def test_a_hostile_url_opens_no_connection_to_loopback(host: PictureHost, url: str) -> None:
    # The real network this time: what leads anywhere at all leads to the local server's port.
    with pytest.raises(NoPicture):
        await qr_picture(
            url.replace("PORT", str(host.port)),
            own_origin=f"http://127.0.0.1:{host.port ^ 1}",
            resolve=Resolver(),
            seconds=1,
        )
    assert host.connections == 0


def test_the_corpus_is_large_enough() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("name", ["pictures.example", "six.example", "nat64.example"])
async def test_a_picture_on_the_public_internet_is_fetched_as_it_is(
    host: PictureHost, name: str
) -> None:
    host.pages = {"/a/qr.png?key=1": answer(picture())}
    url = f"https://{name}/a/qr.png?key=1#here"
    resolver = Resolver()
    got = await qr_picture(
        url, own_origin=None, resolve=resolver, transport=EverythingGoesTo(host.port)
    )
    assert got == picture()
    assert resolver.asked == [name]
    assert host.header("host") == [name]
    assert host.header("accept-encoding") == ["identity"]
    assert host.header("cookie") == []


async def test_the_request_names_the_one_checked_address() -> None:
    seen: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=picture())

    async def changes_its_mind(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if seen else [PUBLIC, "93.184.216.35"]

    await qr_picture(
        "HTTPS://Pictures.Example.:8443?x=1",
        own_origin=None,
        resolve=changes_its_mind,
        transport=httpx.MockTransport(serve),
    )
    (request,) = seen
    assert str(request.url) == f"https://{PUBLIC}:8443?x=1"
    assert request.headers["Host"] == "pictures.example.:8443"
    assert request.extensions["sni_hostname"] == "pictures.example"


async def fetch(host: PictureHost, path: str = "/qr.png", seconds: float = 5) -> bytes:
    own = host.origin + "/zultopup"
    return await qr_picture(host.origin + path, own_origin=own, resolve=Resolver(), seconds=seconds)


async def test_the_suppliers_own_origin_on_loopback_may_be_fetched(host: PictureHost) -> None:
    host.pages = {"/qr.png": answer(picture())}
    assert await fetch(host) == picture()
    assert host.header("host") == [f"127.0.0.1:{host.port}"]


@pytest.mark.parametrize(
    "own",
    [
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "https://127.0.0.1:PORT",
        "http://localhost:PORT",
        "http://127.0.0.1.:PORT",
        "http://user@127.0.0.1:PORT",
        "http://127.0.0.1:PORT@127.0.0.1",
        "",
        None,
    ],
)
async def test_nothing_else_on_loopback_may_be_fetched(host: PictureHost, own: str | None) -> None:
    host.pages = {"/qr.png": answer(picture())}
    own = own and own.replace("PORT", str(host.port))
    with pytest.raises(NoPicture):
        await qr_picture(f"{host.origin}/qr.png", own_origin=own, resolve=Resolver())
    assert host.connections == 0


async def test_a_public_supplier_whose_name_turns_to_loopback_is_not_followed(
    host: PictureHost,
) -> None:
    own = f"https://supplier.example:{host.port}"
    with pytest.raises(NoPicture):
        await qr_picture(
            f"{own}/qr.png",
            own_origin=own,
            resolve=Resolver({"supplier.example": ["127.0.0.1"]}),
        )
    assert host.connections == 0


async def test_own_localhost_that_turns_to_another_network_is_not_followed(
    host: PictureHost,
) -> None:
    own = f"http://localhost:{host.port}"
    with pytest.raises(NoPicture):
        await qr_picture(
            f"{own}/qr.png",
            own_origin=own,
            resolve=Resolver({"localhost": ["10.0.0.1"]}),
            transport=EverythingGoesTo(host.port),
        )
    assert host.connections == 0


async def test_the_operating_system_is_asked_by_default(host: PictureHost) -> None:
    host.pages = {"/qr.png": answer(picture())}
    assert await system_resolver("127.0.0.1", 80) == ["127.0.0.1"]
    assert await qr_picture(f"{host.origin}/qr.png", own_origin=host.origin) == picture()


async def test_proxies_of_the_environment_are_not_used(
    host: PictureHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = PictureHost()
    await proxy.start()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxy.origin)
    host.pages = {"/qr.png": answer(picture())}
    assert await fetch(host) == picture()
    assert proxy.connections == 0
    await proxy.close()


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See", "307 Again", "308 For good"]
)
async def test_no_redirect_is_followed(host: PictureHost, status: str) -> None:
    target = PictureHost()
    await target.start()
    target.pages = {"/qr.png": answer(picture())}
    there = answer(picture(), f"Location: {target.origin}/qr.png", status=status)
    here = answer(picture(), "Location: /right.png", status=status)
    host.pages = {"/qr.png": there, "/here.png": here, "/right.png": answer(picture())}
    for path in ("/qr.png", "/here.png"):
        with pytest.raises(NoPicture):
            await fetch(host, path)
    assert target.connections == 0
    assert len(host.journal) == 2
    await target.close()


@pytest.mark.parametrize("status", ["204 None", "206 Partial", "404 Not Found", "500 Oops"])
async def test_only_status_200_is_a_picture(host: PictureHost, status: str) -> None:
    body = b"" if status.startswith("204") else picture()
    host.pages = {"/qr.png": answer(body, status=status)}
    with pytest.raises(NoPicture):
        await fetch(host)


async def test_cookies_are_not_kept(host: PictureHost) -> None:
    host.pages = {"/qr.png": answer(picture(), "Set-Cookie: a=b; Path=/")}
    await fetch(host)
    await fetch(host)
    assert host.header("cookie") == []


async def test_a_picture_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(
    host: PictureHost,
) -> None:
    fitting = picture() + b"\0" * (MAX_BYTES - len(picture()))
    host.pages = {"/qr.png": answer(fitting), "/more.png": answer(fitting + b"\0")}
    assert await fetch(host) == fitting
    with pytest.raises(NoPicture, match="too large"):
        await fetch(host, "/more.png")


async def test_an_endless_body_is_cut_off(host: PictureHost) -> None:
    host.pages = {"/qr.png": b"HTTP/1.1 200 OK\r\n\r\n"}
    host.endless = b"x" * 65536
    with pytest.raises(NoPicture, match="too large"):
        await fetch(host)
    await asyncio.wait_for(host.cut_off.wait(), 5)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "GZIP", "gzip, identity", "br"])
async def test_a_compressed_body_is_refused_unread(host: PictureHost, coding: str) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    host.pages = {"/qr.png": answer(bomb, f"Content-Encoding: {coding}")}
    with pytest.raises(NoPicture, match="compressed"):
        await fetch(host)


async def test_a_silent_server_costs_no_more_than_the_time_limit(host: PictureHost) -> None:
    host.silent = True
    async with asyncio.timeout(5):
        with pytest.raises(NoPicture):
            await fetch(host, seconds=0.1)


async def test_a_body_that_trickles_costs_no_more_than_the_time_limit() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield b"x"

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=trickle()))
    async with asyncio.timeout(5):
        with pytest.raises(NoPicture, match="took too long"):
            await qr_picture(
                "https://pictures.example/",
                own_origin=None,
                resolve=Resolver(),
                transport=transport,
                seconds=0.1,
            )


async def test_a_silent_name_server_costs_no_more_than_the_time_limit() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    source = "https://pictures.example/"
    async with asyncio.timeout(5):
        with pytest.raises(NoPicture, match="took too long"):
            await qr_picture(source, own_origin=None, resolve=never, seconds=0.05)


async def test_a_host_that_is_not_there_is_no_picture_and_its_query_is_not_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        own = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(NoPicture) as refusal:
            await qr_picture(f"{own}/?key=hush", own_origin=own, resolve=Resolver())
    assert "hush" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "page",
    [
        answer(picture())[:-20],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
    ids=["body cut", "chunks cut", "head cut", "nothing", "not HTTP", "bad length", "endless head"],
)
async def test_a_broken_answer_is_no_picture(host: PictureHost, page: bytes) -> None:
    host.pages = {"/qr.png": page}
    with pytest.raises(NoPicture):
        await fetch(host)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("said", ["image/png", "text/html", "application/octet-stream", "x"])
async def test_a_picture_counts_whatever_its_content_type_says(
    host: PictureHost, kind: str, said: str
) -> None:
    host.pages = {"/qr.png": answer(picture(kind), f"Content-Type: {said}")}
    assert await fetch(host) == picture(kind)


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


BAD_BODIES = {
    "nothing": b"",
    "white space": b" \r\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>',
    "html": b"<!doctype html><title>Bayar</title><img src='qr.png'>",
    "json": b'{"status":false}',
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "tiff": picture("TIFF"),
    "ico": picture("ICO"),
    "pdf": picture("PDF"),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n",
    "png cut": picture()[:-20],
    "png damaged": picture().replace(b"IDAT", b"IDAT\x01", 1),
    "png magic only": b"\x89PNG\r\n\x1a\n",
    "jpeg magic only": b"\xff\xd8\xff\xe0",
    "jpeg cut": picture("JPEG")[:100],
    "webp cut": picture("WEBP")[:20],
    "too narrow": picture(size=(31, 64)),
    "too low": picture(size=(64, 31)),
    "too wide": picture(size=(4097, 64)),
    "too high": picture(size=(64, 4097)),
    "pixel warning": png_claiming(10_000, 10_000),
    "pixel bomb": png_claiming(60_000, 60_000),
    "no size": png_claiming(0, 0),
    "payload with a wrong checksum": STATIC.replace("BB42", "BB43").encode(),
    "payload cut": STATIC[:100].encode(),
    "payload in another alphabet": "000201\u0662".encode(),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_what_is_no_whole_picture_is_refused(host: PictureHost, body: bytes) -> None:
    host.pages = {"/qr.png": answer(body, "Content-Type: image/png")}
    with pytest.raises(NoPicture):
        await fetch(host)


@pytest.mark.parametrize("size", [(32, 32), (4096, 32), (32, 4096)])
async def test_pictures_up_to_the_limits_are_taken(size: tuple[int, int]) -> None:
    body = picture(size=size)
    source = "data:image/png;base64," + base64.b64encode(body).decode()
    assert await qr_picture(source, own_origin=None) == body


@given(st.binary(max_size=200), st.sampled_from(["PNG", "JPEG", "WEBP"]), st.integers(0, 300))
def test_whatever_the_bytes_are_nothing_but_no_picture_is_raised(
    junk: bytes, kind: str, keep: int
) -> None:
    body = base64.b64encode(picture(kind)[:keep] + junk).decode()
    with contextlib.suppress(NoPicture):
        asyncio.run(qr_picture("data:image/jpeg;base64," + body, own_origin=None))


async def test_a_data_url_is_decoded_without_asking_anybody() -> None:
    async def never(host: str, port: int) -> list[str]:
        raise AssertionError

    for kind in ("png", "jpeg", "webp"):
        body = picture(kind)
        source = f"data:image/{kind};base64," + base64.b64encode(body).decode()
        assert await qr_picture(source, own_origin=None, resolve=never) == body


@pytest.mark.parametrize(
    "body", [b"", b"<svg/>", picture("GIF"), b"\0" * (MAX_BYTES + 1), b"\0" * (2 * MAX_BYTES)]
)
async def test_a_data_url_is_checked_like_a_fetched_picture(body: bytes) -> None:
    source = "data:image/png;base64," + base64.b64encode(body).decode()
    with pytest.raises(NoPicture):
        await qr_picture(source, own_origin=None)


@pytest.mark.parametrize("junk", ["\n", "!", "=", "%0A", "\u00e9"])
async def test_a_data_url_with_anything_but_base64_is_refused(junk: str) -> None:
    text = base64.b64encode(picture()).decode()
    with pytest.raises(NoPicture):
        await qr_picture(f"data:image/png;base64,{text[:8]}{junk}{text[8:]}", own_origin=None)


def modules(png: bytes) -> list[list[bool]]:
    with Image.open(io.BytesIO(png)) as drawn:
        assert (drawn.format, drawn.mode) == ("PNG", "RGB")
        assert drawn.width == drawn.height >= 300
        assert {colour for _, colour in drawn.getcolors() or []} == {(0, 0, 0), (255, 255, 255)}
        step = drawn.width // count_modules(drawn)
        return [
            [drawn.getpixel((x, y)) == (0, 0, 0) for x in range(step // 2, drawn.width, step)]
            for y in range(step // 2, drawn.height, step)
        ]


def count_modules(drawn: Image.Image) -> int:
    # The first dark run of the first dark row is the seven-module edge of a finder pattern.
    left = next(x for x in range(drawn.width) if drawn.getpixel((x, x)) == (0, 0, 0))
    run = next(x for x in range(left, drawn.width) if drawn.getpixel((x, left)) != (0, 0, 0)) - left
    assert left * 7 == run * 4, "the border is four modules"
    return drawn.width * 7 // run


@pytest.mark.parametrize("payload", [STATIC, DYNAMIC])
@pytest.mark.parametrize("around", ["{}", "\r\n {}\n"])
async def test_a_payload_text_is_drawn_as_the_code_it_spells(payload: str, around: str) -> None:
    expected = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
    expected.add_data(payload)
    png = await qr_picture(around.format(payload), own_origin=None)
    assert modules(png) == expected.get_matrix()


async def test_a_payload_text_behind_a_url_is_drawn(host: PictureHost) -> None:
    host.pages = {"/qr": answer(f"\n{DYNAMIC}\r\n".encode(), "Content-Type: text/plain")}
    assert await fetch(host, "/qr") == await qr_picture(DYNAMIC, own_origin=None)


def sealed(text: str) -> str:
    return text + "6304" + crc16(text + "6304")


BODY = STATIC[:-8]
BAD_PAYLOADS = {
    "wrong checksum": STATIC.replace("JAKARTA", "JAKARTB"),
    "small letters": STATIC[:-4] + STATIC[-4:].lower(),
    "amount patched in, old checksum": DYNAMIC.replace("540512000", "540512001"),
    "no checksum": BODY,
    "cut": STATIC[:-1],
    "longer": STATIC + "0",
    "field after the checksum": STATIC + "9901x",
    "a length too great": sealed(BODY.replace("5911TOKO", "5999TOKO")),
    "a tag that is no number": sealed(BODY + "XX02ab"),
    "amount twice": sealed(BODY + "54051200054059999"),
    "amount twice in full": sealed(BODY + "5405120005405" + "13000"),
    "too long": sealed(BODY + "".join(f"{tag}99" + "x" * 99 for tag in range(80, 86))),
    "control characters inside": sealed(BODY + "8003a\nb"),
    "other digits": "000201\u0661\u0662",
    "only the start": "000201",
}


@pytest.mark.parametrize("payload", BAD_PAYLOADS.values(), ids=BAD_PAYLOADS)
async def test_a_payload_that_cannot_be_right_is_not_drawn(payload: str) -> None:
    with pytest.raises(NoPicture) as refusal:
        await qr_picture(payload, own_origin=None)
    assert payload not in str(refusal.value)


def test_a_payload_is_read_into_its_fields() -> None:
    fields = dict(qris_fields(DYNAMIC))
    assert (fields["54"], fields["58"], fields["59"]) == ("12000", "ID", "TOKO CONTOH")
    assert tlv(fields["51"]) == [
        ("00", "ID.CO.QRIS.WWW"),
        ("02", "ID1020000000001"),
        ("03", "UMI"),
    ]
    tags = [tag for tag, _ in qris_fields(STATIC)]
    assert " ".join(tags) == "00 01 26 51 52 53 58 59 60 61 63"


@pytest.mark.parametrize("text", ["0", "000", "0001", "0005ab", "00xx", "0002ab5", " 0000"])
def test_a_text_of_anything_but_whole_fields_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="field"):
        tlv(text)


def test_the_checksum_is_crc_16_ccitt_false() -> None:
    assert crc16("123456789") == "29B1"


@given(st.lists(st.tuples(st.from_regex(r"\A[0-9]{2}\Z"), st.text(max_size=99))))
def test_fields_written_down_are_read_back(fields: list[tuple[str, str]]) -> None:
    assert tlv("".join(f"{tag}{len(value):02}{value}" for tag, value in fields)) == fields


LINKS = [
    "https://pay.example/invoice/INV-1?a=b&c=%20#top",
    "https://pay.example",
    "HTTPS://Pay.Example:8443/",
    "https://xn--bcher-kva.example/",
    "https://pay.example/" + "a" * 480,
]
BAD_LINKS = [
    "http://pay.example/",
    "javascript:alert(1)",
    "tg://resolve?domain=x",
    "https://",
    "https:///invoice",
    "https:pay.example",
    "//pay.example/",
    "https://good.example@evil.example/",
    "https://good.example\\@evil.example/",
    "https://pay.example/\n",
    "https://pay.example/\x00",
    "https://pay.example/ x",
    "https://pay.example/\u202e",
    "https://b\u00fccher.example/",
    'https://pay.example/"><b>',
    "https://pay.example/" + "a" * 481,
    "http://127.0.0.1:8081/",
    "http://localhost:8080/",
    "",
]


@pytest.mark.parametrize("url", [*LINKS, "http://127.0.0.1:8080/invoice"])
def test_an_ordinary_link_may_be_shown(url: str) -> None:
    assert safe_link(url, own_origin="http://127.0.0.1:8080/zultopup") == url


@pytest.mark.parametrize("url", BAD_LINKS)
def test_a_link_that_could_deceive_is_not_shown(url: str) -> None:
    assert safe_link(url, own_origin="http://127.0.0.1:8080/zultopup") is None


def test_plain_http_of_a_public_supplier_is_not_shown() -> None:
    assert safe_link("http://pay.example/1", own_origin="http://pay.example") is None


# ---- TLS ----


def certificate(directory: Path, names: str) -> Path:
    """A file with a fresh key and a self-signed certificate for ``names``."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    file = directory / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", file,
         "-out", directory / "public.pem", "-addext", f"subjectAltName={names}",
         "-addext", "keyUsage=critical,digitalSignature,keyCertSign"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + (directory / "public.pem").read_bytes())
    return file


class DetourBackend(httpcore.AsyncNetworkBackend):
    """A network in which every connection, wherever it is meant to go, ends at one local port."""

    def __init__(self, port: int) -> None:
        self.asked: list[tuple[str, int]] = []
        self._port = port
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, *rest: object, **options: object
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, port))
        return await self._inner.connect_tcp("127.0.0.1", self._port)


async def fetch_over_tls(
    file: Path, *, url: str = "https://pictures.example/qr.png", trusted: bool = True
) -> tuple[PictureHost, DetourBackend, bytes | None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    host = PictureHost()
    host.pages = {"/qr.png": answer(picture())}
    await host.start(context)
    backend = DetourBackend(host.port)
    # The transport as the module makes it, only that its sockets lead to the local server.
    transport = httpx.AsyncHTTPTransport(trust_env=False)
    pool = transport._pool
    assert isinstance(pool, httpcore.AsyncConnectionPool)
    assert pool._ssl_context is not None
    pool._network_backend = backend
    if trusted:
        pool._ssl_context.load_verify_locations(file)
    body: bytes | None
    try:
        body = await qr_picture(url, own_origin=None, resolve=Resolver(), transport=transport)
    except NoPicture:
        body = None
    await host.close()
    return host, backend, body


async def test_a_certificate_for_the_hosts_name_is_accepted_at_the_pinned_address(
    tmp_path: Path,
) -> None:
    host, backend, body = await fetch_over_tls(certificate(tmp_path, "DNS:pictures.example"))
    assert body == picture()
    assert backend.asked == [(PUBLIC, 443)]
    assert host.names == ["pictures.example"]
    assert host.header("host") == ["pictures.example"]


@pytest.mark.parametrize("names", ["DNS:other.example", f"IP:{PUBLIC}"])
async def test_a_certificate_for_another_name_or_only_for_the_address_is_refused(
    tmp_path: Path, names: str
) -> None:
    host, backend, body = await fetch_over_tls(certificate(tmp_path, names))
    assert body is None
    assert backend.asked == [(PUBLIC, 443)]
    assert host.journal == []


async def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    file = certificate(tmp_path, "DNS:pictures.example")
    host, _, body = await fetch_over_tls(file, trusted=False)
    assert body is None
    assert host.journal == []


async def test_a_host_that_is_an_address_needs_a_certificate_for_it(tmp_path: Path) -> None:
    file = certificate(tmp_path, f"IP:{PUBLIC}")
    _, _, body = await fetch_over_tls(file, url=f"https://{PUBLIC}/qr.png")
    assert body == picture()
