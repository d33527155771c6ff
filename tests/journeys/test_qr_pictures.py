"""A customer sees a QR that can be paid, or a page to pay on, or an honest word: never a wrong QR.

What the supplier puts into ``qr_url`` is somebody else's text; here it arrives at the chat.
"""

import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from providers.qris import qris_png
from providers.simulators.qris import qr_png, qris_payload
from shop.qris import qris_fields
from shop.time import MINUTE, SECOND
from tests.fakes.chat import Person, Shown
from tests.fakes.street import Street, street

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is quickly made


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened


@dataclass
class Wire:
    """The line to the supplier, on which the payment of a new order can be altered."""

    alter: Callable[[dict[str, Any]], None] = field(default=lambda _: None)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=_Line(self), trust_env=False, timeout=5)


class _Line(httpx.AsyncBaseTransport):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._inner = httpx.AsyncHTTPTransport(verify=NO_TLS, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        body = json.loads(await response.aread())
        await response.aclose()
        if request.url.path.endswith("/order/create"):
            self._wire.alter(body["data"]["payment"])
        return httpx.Response(response.status_code, content=json.dumps(body).encode())

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
async def wire(there: Street) -> Wire:
    wire = Wire()
    there.seams = replace(there.seams, client=wire.client)
    await there.restart()
    await there.work()
    return wire


async def orders_it(there: Street, person: Person, account: str = "123456789") -> Shown:
    """Order, and return the message that asks for the payment."""
    await person.says("/start")
    await person.taps("Free Fire")
    await person.taps("70 Diamond")
    await person.says(account)
    await person.taps("Bayar")
    await there.work()
    return person.sees("Bayar Rp", there.orders[-1]["id"])


@pytest.fixture
def looks(there: Street, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The order of each picture that was fetched from the supplier."""
    seen: list[str] = []
    served = there.simulator._shown

    def noting(request: Any) -> Any:
        seen.append(request.match_info["id"])
        return served(request)

    monkeypatch.setattr(there.simulator, "_shown", noting)
    return seen


async def test_the_suppliers_picture_is_shown_as_it_came(there: Street) -> None:
    budi = there.person()
    shown = await orders_it(there, budi)
    row = there.journal[0]
    assert shown.view.image == qr_png(row["qr_payload"])
    assert shown.view.link == ""
    assert "simpan gambar" in shown.view.text
    assert dict(qris_fields(row["qr_payload"]))["54"] == "11800"


async def test_the_picture_is_fetched_once_and_shown_again_to_the_byte(
    there: Street, looks: list[str]
) -> None:
    budi = there.person()
    first = await orders_it(there, budi)
    there.clock.advance(20 * SECOND)
    await budi.says("/status " + there.orders[0]["id"])
    await budi.taps("Tampilkan QR")
    await there.work()
    second = budi.sees("Bayar Rp")
    assert second.id != first.id
    assert second.view.image == first.view.image
    await there.restart()
    await budi.says("/status " + there.orders[0]["id"])
    await budi.taps("Tampilkan QR")
    await there.work()
    assert budi.sees("Bayar Rp").view.image == first.view.image
    assert looks == [there.journal[0]["id"]]


async def test_a_qr_that_comes_as_text_is_drawn_here(there: Street, looks: list[str]) -> None:
    budi = there.person()
    await there.control("fault", kind="qr_text")
    shown = await orders_it(there, budi)
    assert shown.view.image == qris_png(there.journal[0]["qr_payload"])
    assert shown.view.link == ""
    assert looks == []
    await there.pay()
    await there.after(20 * SECOND)
    assert there.orders[0]["status"] == "delivered"


async def test_a_qr_that_is_no_picture_becomes_a_link_that_can_be_paid(there: Street) -> None:
    budi = there.person()
    await there.control("fault", kind="qr_broken")
    shown = await orders_it(there, budi)
    assert shown.view.image is None
    assert shown.view.link.endswith(f"/invoice/{there.journal[0]['invoice']}")
    assert "Buka halaman pembayaran" in shown.view.text
    assert "simpan gambar" not in shown.view.text
    await there.pay()
    await there.after(20 * SECOND)
    assert there.orders[0]["status"] == "delivered"
    assert shown.view.link == ""  # not to be paid again
    assert "jangan dibayar lagi" in shown.view.text


async def test_a_text_qr_over_another_amount_is_never_shown(there: Street, wire: Wire) -> None:
    budi = there.person()

    def dearer(payment: dict[str, Any]) -> None:
        payment["qr_url"] = qris_payload(amount=118_000, reference="INV-1")

    wire.alter = dearer
    shown = await orders_it(there, budi)
    assert shown.view.image is None
    assert "/invoice/" in shown.view.link


@pytest.mark.parametrize("amount", ["11800", "11800.00"])
async def test_a_text_qr_over_the_right_amount_is_shown(
    there: Street, wire: Wire, amount: str
) -> None:
    budi = there.person()

    def exact(payment: dict[str, Any]) -> None:
        payment["qr_url"] = qris_payload(amount=amount, reference="INV-1")  # type: ignore[arg-type]

    wire.alter = exact
    shown = await orders_it(there, budi)
    assert shown.view.image is not None


async def test_a_text_qr_with_a_slip_in_it_is_never_shown(there: Street, wire: Wire) -> None:
    budi = there.person()

    def slipped(payment: dict[str, Any]) -> None:
        right = qris_payload(amount=11_800, reference="INV-1")
        payment["qr_url"] = right.replace("TOKO CONTOH", "TOKO C0NTOH")

    wire.alter = slipped
    shown = await orders_it(there, budi)
    assert shown.view.image is None
    assert "/invoice/" in shown.view.link


HOSTILE = [
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:1/qr.png",
    "http://127.0.0.1/qr.png",
    "http://localhost/qr.png",
    "http://[::1]/qr.png",
    "http://2130706433/qr.png",
    "https://127.0.0.1/qr.png",
    "file:///etc/passwd",
    "ftp://127.0.0.1/qr.png",
    "javascript:alert(1)",
    "//127.0.0.1/qr.png",
    "data:text/html;base64,PGI+",
    "data:image/png;base64,AAAA",
    "data:image/svg+xml;base64,PHN2Zz4=",
    "000201",
    "",
    "x" * 5000,
    None,
    5,
]


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: str(source)[:24])
async def test_an_address_that_may_not_be_fetched_becomes_the_link(
    there: Street, wire: Wire, source: Any, looks: list[str]
) -> None:
    budi = there.person()
    wire.alter = lambda payment: payment.update(qr_url=source)
    shown = await orders_it(there, budi)
    assert shown.view.image is None
    assert "/invoice/" in shown.view.link
    assert looks == []


async def test_a_picture_on_another_port_of_this_machine_is_not_fetched(
    there: Street, wire: Wire
) -> None:
    budi = there.person()
    port = there.server.port or 0
    wire.alter = lambda payment: payment.update(
        qr_url=payment["qr_url"].replace(f":{port}", f":{port + 1}")
    )
    shown = await orders_it(there, budi)
    assert shown.view.image is None


UNSAFE_LINKS = [
    "javascript:alert(1)",
    "http://tokopalsu.example/bayar",
    "https://user:password@tokopalsu.example/",
    "https://tokopalsu.example/\u202egnp.exe",
    "https://tokopalsu.example/ x",
    "https://" + "x" * 600 + ".example/",
    "tg://resolve?domain=x",
    "",
    None,
    {"a": "b"},
]


@pytest.mark.parametrize("link", UNSAFE_LINKS, ids=lambda link: str(link)[:24])
async def test_a_link_that_may_not_be_shown_is_not(there: Street, wire: Wire, link: Any) -> None:
    budi = there.person()
    wire.alter = lambda payment: payment.update(qr_url="-", invoice_url=link)
    shown = await orders_it(there, budi)
    assert shown.view.image is None
    assert shown.view.link == ""
    assert "QR-nya tidak bisa ditampilkan" in shown.view.text
    assert "@lapak_demo" in shown.view.text
    assert "javascript" not in shown.view.text
    assert "tokopalsu" not in shown.view.text


async def test_with_neither_picture_nor_link_nobody_is_sent_round_in_circles(
    there: Street, wire: Wire
) -> None:
    """If the message advises to cancel and order again, that has to lead to a QR."""
    budi = there.person()
    wire.alter = lambda payment: payment.update(qr_url="-", invoice_url="")
    shown = await orders_it(there, budi)
    advice = shown.view.text  # the message is edited when it is closed
    wire.alter = lambda _: None
    await budi.taps("Batal", shown)
    there.clock.advance(11 * SECOND)
    again = await orders_it(there, budi)
    assert again.view.image or again.view.link or "pesan lagi" not in advice


async def test_a_picture_that_could_not_be_had_is_looked_for_again_when_asked(
    there: Street,
) -> None:
    budi = there.person()
    await there.control("fault", kind="qr_broken")
    first = await orders_it(there, budi)
    assert first.view.image is None
    row = there.journal[0]
    books = there.simulator._books
    books._keep(replace(books.order(row["id"], there.clock()), qr="image"))
    there.clock.advance(20 * SECOND)
    await budi.says("/status " + there.orders[0]["id"])
    await budi.taps("Tampilkan QR")
    await there.work()
    assert budi.sees("Bayar Rp").view.image == qr_png(row["qr_payload"])


async def test_a_unique_code_is_explained_and_the_exact_amount_asked_for(
    there: Street, wire: Wire
) -> None:
    budi = there.person()

    def with_code(payment: dict[str, Any]) -> None:
        payment["amount"] = 11_923
        payment["qr_url"] = qris_payload(amount=11_923, reference="INV-1")

    wire.alter = with_code
    shown = await orders_it(there, budi)
    assert "Bayar Rp11.923" in shown.view.title
    assert "berbeda Rp123 dari harga" in shown.view.text
    assert shown.view.image is not None


@pytest.mark.parametrize("amount", [12_800, 118_000, 5_000, 0, -1])
async def test_a_qr_for_much_more_or_for_less_than_it_costs_is_not_shown(
    there: Street, wire: Wire, amount: int
) -> None:
    budi = there.person()
    wire.alter = lambda payment: payment.update(amount=amount)
    await budi.says("/start")
    await budi.taps("Free Fire")
    await budi.taps("70 Diamond")
    await budi.says("123456789")
    await budi.taps("Bayar")
    await there.work()
    assert there.orders[0]["status"] == "cancelled"
    assert not any(message.view.image or message.view.link for message in budi.messages)


async def test_no_qr_is_shown_of_an_order_that_is_paid_or_hidden_by_then(there: Street) -> None:
    budi = there.person()
    there.chat.failing = 2  # the chat takes nothing just now
    await budi.says("/start")
    await budi.taps("Free Fire")
    await budi.taps("70 Diamond")
    await budi.says("123456789")
    await budi.taps("Bayar")
    await there.work()
    await there.pay()
    await there.after(MINUTE)
    assert there.orders[0]["status"] == "delivered"
    assert not any(message.view.image for message in budi.messages)
    budi.sees("Top up masuk!")


async def test_a_qr_belongs_to_the_one_who_ordered_it(there: Street) -> None:
    budi, siti = there.person("budi"), there.person("siti")
    mine = await orders_it(there, budi, "123456789")
    there.clock.advance(SECOND)
    hers = await orders_it(there, siti, "987654321")
    assert mine.view.image != hers.view.image
    assert {message.address for message in there.chat.messages if message.view.image} == {
        "web:budi",
        "web:siti",
    }
    await siti.says("/status " + there.orders[0]["id"])
    await there.work()
    assert [message.view.image for message in siti.messages if message.view.image] == [
        hers.view.image
    ]
