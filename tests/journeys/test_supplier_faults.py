"""The supplier goes wrong in every way it can. Nobody pays twice, is told a lie, or is forgotten.

After each story (``there``): the supplier accepted no order twice (O2), got what was confirmed to
the letter (O10), no paid order is lost (O1), and no customer was told what is not so (M3).
"""

import json
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from shop.suppliers import Misconfigured
from shop.time import HOUR, MINUTE, SECOND
from tests.fakes.chat import Person
from tests.fakes.street import Street, street

CREATE, STATUS, LIST = "order/create", "order/status", "services"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is quickly made
Edit = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as opened:
        yield opened
        await opened.work()
        all_is_well(opened)


@dataclass
class Wire:
    """The line to the supplier: it can be cut, and answers can be altered on it."""

    cut: bool = False
    edit: Edit | None = None
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=_Line(self), trust_env=False, timeout=5)


class _Line(httpx.AsyncBaseTransport):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._inner = httpx.AsyncHTTPTransport(verify=NO_TLS, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._wire.cut:
            raise httpx.ConnectError("no route to host")
        path = request.url.path
        self._wire.sent.append((path, json.loads(request.content or b"{}")))
        response = await self._inner.handle_async_request(request)
        if self._wire.edit is None:
            return response
        body = json.loads(await response.aread())
        await response.aclose()
        altered = json.dumps(self._wire.edit(path, body))
        return httpx.Response(response.status_code, content=altered.encode())

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
async def wire(there: Street) -> Wire:
    wire = Wire()
    there.seams = replace(there.seams, client=wire.client)
    await there.restart()
    return wire


# --- what must hold after every story -------------------------------------------------------------


def all_is_well(there: Street) -> None:
    nothing_was_ordered_twice(there)
    what_was_ordered_is_what_was_confirmed(there)
    no_paid_order_is_lost(there)
    nobody_was_told_a_lie(there)


def nothing_was_ordered_twice(there: Street) -> None:
    refs = [row["supplier_ref"] for row in there.rows("SELECT supplier_ref FROM invoices")]
    assert len(refs) == len(set(refs))
    assert set(refs) <= {row["id"] for row in there.journal}
    began = Counter(
        row["order_id"]
        for row in there.rows("SELECT order_id FROM order_events WHERE event = 'opening_started'")
    )
    never_left = Counter(
        row["order_id"]
        for row in there.rows("SELECT order_id FROM order_events WHERE event = 'not_sent'")
    )
    assert all(began[order] - never_left[order] <= 1 for order in began)
    asked = Counter(
        (row["sku"], row["target"], row["price"]) for row in there.orders if began[row["id"]]
    )
    accepted = Counter(
        (row["layanan"], row["target"], row["selling_price"]) for row in there.journal
    )
    assert accepted <= asked


def what_was_ordered_is_what_was_confirmed(there: Street) -> None:
    ours = {row["supplier_ref"]: row["order_id"] for row in there.rows("SELECT * FROM invoices")}
    orders = {row["id"]: row for row in there.orders}
    for row in there.journal:
        assert row["mode"] == "dropship"
        assert row["customer_phone"] == there.settings.of_suppliers["zultopup"].phone
        assert row["customer_name"] == "Pelanggan"
        if row["id"] not in ours:
            continue  # its answer never came: see nothing_was_ordered_twice
        order = orders[ours[row["id"]]]
        assert row["layanan"] == order["sku"]
        assert row["item"] == order["item"]
        assert row["target"] == order["user_id"] + order["server"]
        assert row["selling_price"] == order["price"]
        shown = [
            message.view.text
            for message in there.chat.of(order["address"])
            if "Cek dulu" in message.view.title
        ]
        account = order["user_id"] + (f" ({order['server']})" if order["server"] else "")
        price = f"Rp{order['price']:,}".replace(",", ".")
        assert any(f"💎 {order['item']}\n👤 {account}\n💰 {price}\n" in text for text in shown), (
            shown
        )


def no_paid_order_is_lost(there: Street) -> None:
    ours = {row["supplier_ref"]: row["order_id"] for row in there.rows("SELECT * FROM invoices")}
    orders = {row["id"]: row for row in there.orders}
    open_cases = {
        row["order_id"] for row in there.rows("SELECT * FROM cases") if not row["closed_at"]
    }
    for row in there.journal:
        if row["paid_at"] is None:
            continue
        order = orders[ours[row["id"]]]
        asked_again = order["due_at"] is not None and order["status"] not in {"placed", "opening"}
        is_case = order["id"] in open_cases
        ended_well = order["status"] in {"delivered", "refunded"}
        assert ended_well or is_case or asked_again, order
        assert is_case or order["status"] != "refund_due", order


_EVENT_BEHIND = {
    "Top up masuk!": "delivered",
    "akan dikembalikan oleh": "refund_due",
    "sudah dikembalikan.": "refunded",
}


def nobody_was_told_a_lie(there: Street) -> None:
    """Of every word of success, refund or "not paid", the books say the same."""
    refs = {row["order_id"]: row["supplier_ref"] for row in there.rows("SELECT * FROM invoices")}
    supplied = {row["id"]: row for row in there.journal}
    for order in there.orders:
        told = [
            f"{message.view.title}\n{message.view.text}\n{message.view.copy}"
            for message in there.chat.of(order["address"])
            if order["id"] in f"{message.view.title}\n{message.view.text}"
        ]
        happened = there.rows(f"SELECT * FROM order_events WHERE order_id = '{order['id']}'")
        became = {row["became"] for row in happened}
        for words, status in _EVENT_BEHIND.items():
            assert sum(words in text for text in told) == int(status in became), told
        if order["id"] in refs:
            _nothing_contradicts_the_supplier(supplied[refs[order["id"]]], told, happened)


def _nothing_contradicts_the_supplier(
    truth: dict[str, Any], told: list[str], happened: list[dict[str, Any]]
) -> None:
    if truth["paid_at"] is not None:
        assert not any("elum ada uang yang berpindah" in text for text in told), told
        lapsed = [row["at"] for row in happened if row["event"] == "lapsed"]
        assert all(at <= truth["paid_at"] for at in lapsed), "paid, and called unpaid"
    if truth["status"] == "Success" and any("Nomor seri" in text for text in told):
        assert any(text.endswith(f"\n{truth['sn']}") for text in told), told


# --- people ---------------------------------------------------------------------------------------


async def to_confirmation(person: Person, account: str = "123456789") -> None:
    await person.says("/start")
    await person.taps("Free Fire")
    await person.taps("70 Diamond")
    await person.says(account)


async def orders_it(there: Street, person: Person, account: str = "123456789") -> None:
    await to_confirmation(person, account)
    await person.taps("Bayar")
    await there.work()


async def with_a_qr(there: Street, person: Person, account: str = "123456789") -> None:
    await orders_it(there, person, account)
    person.sees("Bayar Rp", there.orders[-1]["id"])


def has_a_qr(person: Person) -> bool:
    return any(message.view.image or message.view.link for message in person.messages)


def statuses(there: Street) -> list[str]:
    return [row["status"] for row in there.orders]


def cases(there: Street) -> list[str]:
    return [row["kind"] for row in there.rows("SELECT * FROM cases") if row["closed_at"] is None]


# --- opening: the answer does not come through ----------------------------------------------------

LOST_ANSWERS = ["timeout", "500", "html", "truncated"]


@pytest.mark.parametrize("kind", LOST_ANSWERS)
async def test_an_order_whose_answer_is_lost_is_closed_honestly_and_never_sent_again(
    there: Street, kind: str
) -> None:
    budi = there.person()
    await there.control("fault", kind=kind, path=CREATE, seconds=0)
    await orders_it(there, budi)
    assert statuses(there) == ["cancelled"]
    budi.sees(
        "tidak kami terima tepat waktu", "Belum ada uang yang berpindah", "12.15", "@lapak_demo"
    )
    assert not has_a_qr(budi)
    await there.after(30 * MINUTE, step=MINUTE)
    assert len(there.journal) == 1
    assert budi.count("tidak kami terima tepat waktu") == 1
    assert statuses(there) == ["cancelled"]
    assert cases(there) == []


@pytest.mark.parametrize("kind", LOST_ANSWERS)
async def test_after_a_lost_answer_the_same_item_waits_and_another_does_not(
    there: Street, kind: str
) -> None:
    budi = there.person()
    await there.control("fault", kind=kind, path=CREATE, seconds=0)
    await orders_it(there, budi)
    there.clock.advance(11 * SECOND)
    await orders_it(there, budi)  # too early: the first one is still pending at the supplier
    assert statuses(there) == ["cancelled", "cancelled"]
    budi.sees("tidak bisa dibuat, dan belum ada uang yang berpindah", "tunggu 15 menit")
    assert len(there.journal) == 1
    there.clock.advance(11 * SECOND)
    await with_a_qr(there, budi, account="987654321")
    await there.after(16 * MINUTE, step=MINUTE)
    await with_a_qr(there, budi)  # at the time the message named
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["cancelled", "cancelled", "expired", "delivered"] or statuses(
        there
    ) == ["cancelled", "cancelled", "awaiting_payment", "delivered"]
    assert len(there.journal) == 3


async def test_a_supplier_too_busy_to_accept_is_not_asked_again_by_itself(there: Street) -> None:
    budi = there.person()
    await there.control("fault", kind="429", path=CREATE)
    await orders_it(there, budi)
    assert statuses(there) == ["cancelled"]
    assert there.journal == []
    budi.sees("Belum ada uang yang berpindah")
    there.clock.advance(11 * SECOND)
    await budi.taps("Coba lagi")
    await budi.taps("Bayar")
    await there.work()
    assert statuses(there) == ["cancelled", "awaiting_payment"]
    assert len(there.journal) == 1


async def test_a_slow_answer_is_waited_for(there: Street) -> None:
    budi = there.person()
    await there.control("fault", kind="slow", path=CREATE, seconds=0.3)
    await with_a_qr(there, budi)
    assert statuses(there) == ["awaiting_payment"]
    assert len(there.journal) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": True, "data": {"id": "55", "invoice": "INV-55", "pesan": "Berhasil"}},
        {"status": True, "data": None},
        {"status": "success"},
        {"message": "ok"},
    ],
)
async def test_an_answer_without_a_payment_is_no_qr(
    there: Street, wire: Wire, answer: dict[str, Any]
) -> None:
    budi = there.person()
    wire.edit = lambda path, body: answer if CREATE in path else body
    await orders_it(there, budi)
    wire.edit = None
    assert statuses(there) == ["cancelled"]
    assert not has_a_qr(budi)
    budi.sees("Belum ada uang yang berpindah")
    await there.after(20 * MINUTE, step=MINUTE)
    assert len([path for path, _ in wire.sent if CREATE in path]) == 1


async def test_an_answer_that_cannot_even_be_stored_leaves_no_order_in_the_air(
    there: Street, wire: Wire
) -> None:
    budi = there.person()

    def half_a_character(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if CREATE in path:
            body["data"]["payment"]["invoice_url"] = "https://a.example/\ud800"
        return body

    wire.edit = half_a_character
    await orders_it(there, budi)
    wire.edit = None
    await there.after(2 * MINUTE)
    assert statuses(there)[0] in {"cancelled", "awaiting_payment"}
    assert len(there.journal) == 1


async def test_a_restart_while_the_answer_is_under_way_asks_nobody_twice(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    await budi.taps("Bayar")
    call = await there.shop.suppliers[0].choose()
    assert type(call).__name__ == "OpenInvoice"
    await there.restart()  # the call was written down, and never made
    await there.work()
    assert statuses(there) == ["cancelled"]
    budi.sees("Belum ada uang yang berpindah")
    assert there.journal == []


@pytest.mark.parametrize(
    ("game", "item", "account", "target"),
    [
        ("Mobile Legends", "86 Diamond", "938572270 (12729)", "93857227012729"),
        ("Mobile Legends", "5 Diamond", "0012345678 0042", "00123456780042"),
        ("Valorant", "475 VP", "Nama Ku#1d2", "Nama Ku#1d2"),
        ("Free Fire", "70 Diamond", "000123456", "000123456"),
    ],
)
async def test_an_account_arrives_at_the_supplier_to_the_letter(
    there: Street, game: str, item: str, account: str, target: str
) -> None:
    budi = there.person(limit=50)
    await budi.says("/start")
    await budi.taps(game)
    await budi.taps(item)
    await budi.says(account)
    if "Cek dulu" not in budi.last.title:
        await budi.taps("Ya, sudah benar")
    await budi.taps("Bayar")
    await there.work()
    assert there.journal[0]["target"] == target
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["delivered"]


# --- opening: the supplier cannot be reached ------------------------------------------------------


async def test_an_order_that_never_left_is_tried_again_until_it_gets_through(
    there: Street, wire: Wire
) -> None:
    budi = there.person()
    await to_confirmation(budi)
    wire.cut = True
    await budi.taps("Bayar")
    await there.after(MINUTE)
    assert statuses(there) == ["placed"]
    assert there.journal == []
    wire.cut = False
    await there.after(20 * SECOND)
    assert statuses(there) == ["awaiting_payment"]
    assert has_a_qr(budi)
    assert len(there.journal) == 1
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["delivered"]


async def test_an_order_that_never_gets_through_is_given_up_when_its_quote_ends(
    there: Street, wire: Wire
) -> None:
    budi = there.person()
    await to_confirmation(budi)
    wire.cut = True
    await budi.taps("Bayar")
    await there.after(16 * MINUTE, step=15 * SECOND)
    assert statuses(there) == ["cancelled"]
    assert budi.count("pemasok belum bisa dihubungi") == 1
    budi.sees("Belum ada uang yang berpindah")
    wire.cut = False
    await there.after(20 * MINUTE, step=MINUTE)
    assert there.journal == []


# --- opening: prices ------------------------------------------------------------------------------


async def test_a_price_that_changed_between_quote_and_tap_is_asked_again(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    budi.sees("Cek dulu", "Rp11.800")
    await there.control("price", code="1", price=10_500)
    await there.after(11 * MINUTE, step=MINUTE)  # the list is read anew
    await budi.taps("Bayar")
    await there.work()
    assert there.orders == []
    assert there.journal == []
    budi.sees("Harganya baru saja berubah: Rp11.800 → Rp12.400", "Rp12.400")
    await budi.taps("Bayar")
    await there.work()
    assert there.journal[0]["selling_price"] == 12_400
    budi.sees("Bayar Rp12.400")


async def test_a_price_that_fell_is_asked_again_too(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    await there.control("price", code="1", price=8_000)
    await there.after(11 * MINUTE, step=MINUTE)
    await budi.taps("Bayar")
    await there.work()
    assert there.orders == []
    budi.sees("Harganya baru saja berubah: Rp11.800 → Rp9.500")


async def test_the_button_of_the_old_price_buys_nothing(there: Street) -> None:
    budi = there.person()
    await to_confirmation(budi)
    old = budi.button("Bayar")
    await there.control("price", code="1", price=10_500)
    await there.after(11 * MINUTE, step=MINUTE)
    await budi.presses(old)
    await budi.presses(old)
    await there.work()
    assert there.orders == []
    assert there.journal == []


async def test_a_price_above_ours_is_refused_by_the_supplier_and_costs_nobody_anything(
    there: Street,
) -> None:
    budi = there.person()
    await to_confirmation(budi)
    await there.control("price", code="1", price=20_000)  # our list is older
    await budi.taps("Bayar")
    await there.work()
    assert statuses(there) == ["cancelled"]
    assert there.journal == []
    budi.sees("belum ada uang yang berpindah")


async def test_a_cost_above_our_price_shows_no_qr_and_teaches_the_next_quote(
    there: Street,
) -> None:
    budi = there.person()
    await there.control("fault", kind="loss")
    await orders_it(there, budi)
    assert statuses(there) == ["cancelled"]
    assert not has_a_qr(budi)
    budi.sees("harga 70 Diamond baru saja naik", "12.15", "sebelum kamu membayar")
    await there.after(16 * MINUTE, step=MINUTE)
    await to_confirmation(budi)
    budi.sees("Cek dulu", "Rp13.500")  # 12.800 was charged last time
    await budi.taps("Bayar")
    await there.work()
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["cancelled", "delivered"]
    assert len(there.journal) == 2


async def test_a_hidden_loss_stays_hidden_when_the_same_thing_is_ordered_again(
    there: Street,
) -> None:
    budi = there.person()
    await there.control("fault", kind="loss")
    await orders_it(there, budi)
    there.clock.advance(11 * SECOND)
    await to_confirmation(budi)
    await budi.taps("Bayar")
    await there.work()
    assert not has_a_qr(budi)
    assert len(there.journal) == 1


async def test_one_absurd_cost_does_not_price_an_item_out_for_ever(
    there: Street, wire: Wire
) -> None:
    budi = there.person()

    def absurd(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if CREATE in path:
            body["data"]["reseller_cost"] = 900_000_000
        return body

    wire.edit = absurd
    await orders_it(there, budi)
    wire.edit = None
    assert statuses(there) == ["cancelled"]
    await there.after(16 * MINUTE, step=MINUTE)
    await to_confirmation(budi)
    shown = budi.sees("Cek dulu").view.text
    assert "Rp900" not in shown
    assert "Rp945" not in shown


# --- while it is being paid -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["timeout", "500", "429", "html", "truncated"])
async def test_questions_without_answers_move_nothing_and_are_asked_again(
    there: Street, kind: str
) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.control("fault", kind=kind, path=STATUS, count=4, seconds=0)
    await there.pay()
    await there.after(10 * SECOND)
    await budi.taps("Sudah bayar")
    await there.work()
    assert statuses(there) == ["awaiting_payment"]
    await there.after(20 * SECOND)  # who asks too often waits first
    budi.sees("Sistem pembayaran belum menjawab", "pesananmu aman")
    assert budi.count("belum terlihat") == 0
    await there.after(MINUTE)
    assert statuses(there) == ["delivered"]
    assert budi.sees("Top up masuk!").view.copy == there.journal[0]["sn"]
    assert cases(there) == []


async def test_a_supplier_that_is_away_while_the_customer_pays_is_asked_when_it_is_back(
    there: Street, wire: Wire
) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.pay()
    wire.cut = True
    await there.after(30 * SECOND)
    await budi.taps("Sudah bayar")
    await there.work()
    budi.sees("Sistem pembayaran belum menjawab")
    await there.after(2 * HOUR, step=MINUTE)
    assert statuses(there) == ["awaiting_payment"]
    assert budi.count("tidak dibayar") == 0  # nobody knows
    wire.cut = False
    await there.after(10 * MINUTE, step=30 * SECOND)
    assert statuses(there) == ["delivered"]
    assert budi.count("Top up masuk!") == 1


async def test_a_supplier_that_is_away_for_a_day_still_settles_the_order(
    there: Street, wire: Wire
) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.pay()
    wire.cut = True
    await there.after(25 * HOUR, step=30 * MINUTE)
    await there.restart()
    wire.cut = False
    await there.after(10 * MINUTE, step=MINUTE)
    assert statuses(there) == ["delivered"]


async def test_an_unpaid_order_behind_a_supplier_that_was_away_lapses_after_it_was_asked(
    there: Street, wire: Wire
) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    wire.cut = True
    await there.after(HOUR, step=MINUTE)
    assert statuses(there) == ["awaiting_payment"]
    wire.cut = False
    await there.after(10 * MINUTE, step=MINUTE)
    assert statuses(there) == ["expired"]
    assert budi.count("tidak dibayar sampai batas waktunya") >= 1


async def test_a_supplier_that_never_mentions_the_payment_still_delivers(there: Street) -> None:
    budi = there.person()
    await there.control("fault", kind="unpaid_unsaid", count=1000)
    await with_a_qr(there, budi)
    await there.after(10 * SECOND)
    await budi.taps("Sudah bayar")
    await there.work()
    budi.sees("belum terlihat")
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["delivered"]
    assert cases(there) == []


async def test_a_failure_that_does_not_mention_the_payment_is_the_owners_question(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await there.control("fault", kind="unpaid_unsaid", count=1000)
    await with_a_qr(there, budi)
    await there.control("finish", ref=there.journal[0]["id"], status="Error")
    await there.pay()
    await there.after(30 * SECOND)
    assert statuses(there) == ["awaiting_payment"]
    assert cases(there) == ["unsure"]
    assert budi.count("akan dikembalikan") == 0
    await owner.taps("Sudah dibayar", owner.sees("tidak jelas apakah pelanggan sudah membayar"))
    await owner.taps("Ya, benar")
    await there.work()
    assert statuses(there) == ["refund_due"]
    budi.sees("Dana Rp11.800 akan dikembalikan")
    await refund(there, owner)
    assert statuses(there) == ["refunded"]


async def test_a_failure_heard_only_after_the_qr_lapsed_is_the_owners_question_too(
    there: Street, wire: Wire
) -> None:
    """No word about the payment, ever: an error then means money that may have to go back."""
    budi = there.person()
    await with_a_qr(there, budi)
    wire.edit = saying("Pending", lambda _: "Menunggu", payment=False)
    await there.after(18 * MINUTE, step=15 * SECOND)
    assert statuses(there) == ["expired"]
    wire.edit = saying("Error", lambda _: "Transaksi gagal", payment=False)
    await there.after(25 * HOUR, step=30 * MINUTE)
    assert cases(there) == ["unsure"]


async def test_a_payment_that_is_said_once_and_then_not_again_is_not_forgotten(
    there: Street,
) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.control("finish", ref=there.journal[0]["id"], status="Pending")
    await there.pay()
    await there.after(10 * SECOND)
    assert statuses(there) == ["processing"]
    await there.control("fault", kind="unpaid_unsaid", count=3)
    await there.after(20 * SECOND)
    assert statuses(there) == ["processing"]
    assert budi.count("belum terlihat") == 0
    await there.control("finish", ref=there.journal[0]["id"], status="Success")
    await there.after(MINUTE)
    assert statuses(there) == ["delivered"]
    assert cases(there) == []


async def test_an_answer_about_another_order_moves_nothing(there: Street, wire: Wire) -> None:
    budi = there.person()
    await with_a_qr(there, budi)

    def another(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if STATUS in path:
            body["data"] |= {"id": "999", "status": "Success", "payment_status": "settlement"}
        return body

    wire.edit = another
    await there.after(MINUTE)
    assert statuses(there) == ["awaiting_payment"]
    assert budi.count("Top up masuk!") == 0


# --- delivery goes wrong --------------------------------------------------------------------------


async def refund(there: Street, owner: Person) -> None:
    await owner.taps("Sudah dikembalikan", owner.sees("Kasus: pesanan", "gagal mengirim"))
    await owner.taps("Ya, benar")
    await there.work()


@pytest.mark.parametrize("word", ["Error", "Gagal"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_paid_order_that_fails_is_never_ordered_again_and_goes_back(
    there: Street, word: str, when: str
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    ref = there.journal[0]["id"]
    if when == "before":
        await there.control("finish", ref=ref, status=word)
        await there.pay()
    else:
        await there.control("finish", ref=ref, status="Pending")
        await there.pay()
        await there.after(30 * SECOND)
        assert statuses(there) == ["processing"]
        await there.control("finish", ref=ref, status=word)
    await there.after(MINUTE)
    assert statuses(there) == ["refund_due"]
    assert cases(there) == ["paid_failed"]
    budi.sees("sudah dibayar Rp11.800 tetapi tidak bisa dikirim", "tidak kami pesankan ulang")
    await refund(there, owner)
    assert statuses(there) == ["refunded"]
    assert cases(there) == []
    await there.after(25 * HOUR, step=HOUR)
    assert budi.count("akan dikembalikan oleh") == 1
    assert len(there.journal) == 1


async def test_a_failure_before_the_payment_is_said_moves_nothing_yet(there: Street) -> None:
    """Error with a pending payment: nobody has paid, and the QR simply runs out."""
    budi = there.person()
    await with_a_qr(there, budi)
    await there.control("expire", id=there.journal[0]["id"])
    await there.after(10 * MINUTE, step=30 * SECOND)
    assert statuses(there) == ["expired"]
    assert cases(there) == []
    assert budi.count("akan dikembalikan") == 0


async def test_a_success_after_an_error_moves_nothing_until_the_owner_looked(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    ref = there.journal[0]["id"]
    await there.control("finish", ref=ref, status="Error")
    await there.pay()
    await there.after(30 * SECOND)
    assert statuses(there) == ["refund_due"]
    await there.control("finish", ref=ref, status="Success")
    await there.after(6 * MINUTE, step=15 * SECOND)
    assert statuses(there) == ["refund_due"]
    assert cases(there) == ["conflict"]
    assert budi.count("Top up masuk!") == 0
    await owner.taps("Barang sudah sampai", owner.sees("Pemasok berkata lain dari sebelumnya"))
    await owner.taps("Ya, benar")
    await there.work()
    assert statuses(there) == ["delivered"]
    assert cases(there) == []


async def test_a_success_after_the_refund_is_the_owners_business_and_moves_nothing(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    ref = there.journal[0]["id"]
    await there.control("finish", ref=ref, status="Error")
    await there.pay()
    await there.after(30 * SECOND)
    await refund(there, owner)
    await there.control("finish", ref=ref, status="Success")
    await there.after(25 * HOUR, step=HOUR)
    assert statuses(there) == ["refunded"]
    assert budi.count("Top up masuk!") == 0


def without_serial(path: str, body: dict[str, Any]) -> dict[str, Any]:
    if STATUS in path and body.get("data", {}).get("status") == "Success":
        body["data"]["catatan"] = "N/A"
    return body


async def test_a_success_that_is_taken_back_is_a_case_and_moves_nothing(
    there: Street, wire: Wire
) -> None:
    budi, owner = there.person(), there.owner
    wire.edit = without_serial
    await with_a_qr(there, budi)
    await there.pay()
    await there.after(20 * SECOND)
    assert statuses(there) == ["delivered"]
    budi.sees("Pemasok tidak memberi nomor seri")
    await there.control("finish", ref=there.journal[0]["id"], status="Error")
    await there.after(10 * MINUTE, step=15 * SECOND)
    assert statuses(there) == ["delivered"]
    assert cases(there) == ["conflict"]
    owner.sees("Pemasok berkata lain dari sebelumnya")
    assert budi.count("akan dikembalikan") == 0
    await there.after(7 * HOUR, step=30 * MINUTE)
    assert owner.count("Pemasok berkata lain") == 1  # once is enough


async def test_a_success_with_a_serial_number_stays_whatever_is_said_later(there: Street) -> None:
    budi = there.person()
    await with_a_qr(there, budi)
    await there.pay()
    await there.after(20 * SECOND)
    serial = there.journal[0]["sn"]
    await there.control("finish", ref=there.journal[0]["id"], status="Error")
    await there.after(25 * HOUR, step=HOUR)
    assert statuses(there) == ["delivered"]
    assert there.orders[0]["serial"] == serial
    assert budi.count("akan dikembalikan") == 0


async def test_a_serial_number_that_comes_later_is_sent_once(there: Street, wire: Wire) -> None:
    budi = there.person()
    wire.edit = without_serial
    await with_a_qr(there, budi)
    await there.pay()
    await there.after(20 * SECOND)
    wire.edit = None
    await there.after(7 * HOUR, step=30 * MINUTE)
    late = budi.sees("Nomor seri menyusul")
    assert late.view.copy == there.journal[0]["sn"]
    assert budi.count("Nomor seri menyusul") == 1
    assert budi.count("Top up masuk!") == 1


async def test_a_delivery_that_takes_long_is_said_once_and_is_a_case_until_it_arrives(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    await there.control("finish", ref=there.journal[0]["id"], status="Pending")
    await there.pay()
    await there.after(40 * MINUTE, step=30 * SECOND)
    assert statuses(there) == ["processing"]
    assert cases(there) == ["stuck"]
    assert budi.count("belum selesai setelah 15 menit") == 1
    owner.sees("lebih dari 15 menit belum ada kabar akhir")
    await there.control("finish", ref=there.journal[0]["id"], status="Success")
    await there.after(6 * MINUTE, step=30 * SECOND)
    assert statuses(there) == ["delivered"]
    assert cases(there) == []


def saying(word: str, note: Callable[[int], str], *, payment: bool = True) -> Edit:
    count = 0

    def edit(path: str, body: dict[str, Any]) -> dict[str, Any]:
        nonlocal count
        if STATUS in path and "data" in body:
            count += 1
            body["data"] |= {"status": word, "catatan": note(count)}
            if not payment:
                body["data"].pop("payment_status", None)
        return body

    return edit


async def test_a_status_word_nobody_knows_moves_nothing_and_the_owner_hears_of_it_once(
    there: Street, wire: Wire
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    wire.edit = saying("Sebagian", lambda _: "Sedang diproses", payment=False)
    await there.pay()
    await there.after(2 * MINUTE)
    assert statuses(there) == ["awaiting_payment"]
    assert owner.count("kata yang belum dikenal") == 1
    owner.sees("sebagian", there.orders[0]["id"])
    await budi.taps("Sudah bayar")
    await there.work()
    budi.sees("Sistem pembayaran belum menjawab")
    assert budi.count("belum terlihat") == 0
    wire.edit = None
    await there.after(2 * MINUTE)
    assert statuses(there) == ["delivered"]


async def test_beside_a_settled_payment_an_unknown_word_is_money_and_no_goods(
    there: Street, wire: Wire
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    wire.edit = saying("Sebagian", lambda _: "SN: PALSU123")
    await there.pay()
    await there.after(2 * MINUTE)
    assert statuses(there) == ["processing"]
    assert owner.count("kata yang belum dikenal") == 1
    owner.sees("sebagian", there.orders[0]["id"])
    assert budi.count("Top up masuk!") == 0
    assert not any("PALSU123" in f"{message.view}" for message in budi.messages)
    wire.edit = None
    await there.after(2 * MINUTE)
    assert statuses(there) == ["delivered"]
    assert cases(there) == []


async def test_an_unknown_word_with_a_note_that_changes_is_still_told_once(
    there: Street, wire: Wire
) -> None:
    budi, owner = there.person(), there.owner
    await with_a_qr(there, budi)
    wire.edit = saying("Sebagian", lambda count: f"Percobaan ke-{count}")
    await there.pay()
    await there.after(2 * MINUTE)
    assert owner.count("kata yang belum dikenal") == 1


@pytest.mark.parametrize(
    ("payment", "status", "case"),
    [(True, "processing", "stuck"), (False, "awaiting_payment", "unsure")],
)
async def test_a_paid_order_whose_words_nobody_knows_becomes_a_case_in_time(
    there: Street, wire: Wire, payment: bool, status: str, case: str
) -> None:
    """It may never lapse as unpaid, and nobody may wait for it for ever unseen."""
    budi = there.person()
    await with_a_qr(there, budi)
    wire.edit = saying("Sebagian", lambda _: "Sedang diproses", payment=payment)
    await there.pay()
    await there.after(30 * MINUTE, step=MINUTE)
    assert statuses(there) == [status]
    assert cases(there) == [case]
    await there.after(3 * HOUR, step=MINUTE)
    assert statuses(there) == [status]
    assert cases(there) == [case]
    assert there.owner.count("Kasus: pesanan") == 1
    assert budi.count("tidak dibayar") == 0


@pytest.mark.parametrize("payment", [True, False])
@pytest.mark.parametrize("status", [None, 5, True, ["Success"], {"a": 1}, "", "\ud800", "x" * 3000])
async def test_a_status_that_is_no_word_delivers_nothing(
    there: Street, wire: Wire, status: Any, payment: bool
) -> None:
    budi = there.person()
    await with_a_qr(there, budi)

    def edit(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if STATUS in path and "data" in body:
            body["data"]["status"] = status
            if not payment:
                body["data"].pop("payment_status", None)
        return body

    wire.edit = edit
    await there.pay()
    await there.after(30 * SECOND)
    if payment:  # that it settled is said in a word we know
        assert statuses(there) == ["processing"]
    else:
        await budi.taps("Sudah bayar")
        await there.work()
        assert statuses(there) == ["awaiting_payment"]
        budi.sees("Sistem pembayaran belum menjawab")  # asked, and not left without an answer
    assert all(len(message.view.text) < 2000 for message in there.owner.messages)
    assert budi.count("Top up masuk!") == 0
    wire.edit = None
    await there.after(3 * MINUTE)
    assert statuses(there) == ["delivered"]


# --- the price list -------------------------------------------------------------------------------


def on_sale(there: Street) -> list[tuple[str, int]]:
    return [(row["sku"], row["listed"]) for row in there.rows("SELECT * FROM offers ORDER BY sku")]


async def after_the_next_list(there: Street) -> None:
    await there.after(11 * MINUTE, step=MINUTE)


async def test_an_empty_price_list_leaves_the_old_one_and_tells_the_owner(
    there: Street, wire: Wire
) -> None:
    before = on_sale(there)
    wire.edit = lambda path, body: {**body, "data": {}} if LIST in path else body
    await after_the_next_list(there)
    assert on_sale(there) == before
    there.owner.sees("Daftar harga ZulTopup yang baru jauh lebih pendek", "0")
    assert there.owner.count("Daftar harga") == 1
    await with_a_qr(there, there.person())


async def test_less_than_half_a_price_list_leaves_the_old_one_and_tells_the_owner(
    there: Street, wire: Wire
) -> None:
    before = on_sale(there)

    def halved(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if LIST in path:
            body["data"] = {"Games": body["data"]["Games"][:20]}
        return body

    wire.edit = halved
    await after_the_next_list(there)
    assert on_sale(there) == before
    there.owner.sees("Daftar harga ZulTopup yang baru jauh lebih pendek")


async def test_a_price_list_of_nonsense_leaves_the_old_one_and_tells_the_owner(
    there: Street, wire: Wire
) -> None:
    before = on_sale(there)

    def nonsense(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if LIST in path:
            body["data"] = {"Games": [{"sid": n, "harga": "hubungi admin"} for n in range(60)]}
        return body

    wire.edit = nonsense
    await after_the_next_list(there)
    assert on_sale(there) == before
    there.owner.sees("Daftar harga ZulTopup yang baru jauh lebih pendek")


@pytest.mark.parametrize("kind", ["timeout", "500", "429", "html", "truncated"])
async def test_a_price_list_that_cannot_be_read_leaves_the_old_one(
    there: Street, kind: str
) -> None:
    before = on_sale(there)
    await there.control("price", code="1", price=10_500)
    await there.control("fault", kind=kind, path=LIST, seconds=0)
    await after_the_next_list(there)
    await there.after(3 * MINUTE, step=MINUTE)  # asked again soon, not in ten minutes
    assert on_sale(there) == [("1", 10_500), *(row for row in before if row[0] != "1")]


async def test_a_price_list_that_cannot_be_read_for_hours_is_told_to_the_owner(
    there: Street, wire: Wire
) -> None:
    before = on_sale(there)
    wire.edit = lambda path, body: [] if LIST in path else body  # type: ignore[return-value]
    await there.after(12 * HOUR, step=20 * MINUTE)
    assert on_sale(there) == before
    assert there.owner.messages, "items vanish after a day, and nobody was told"


async def test_one_service_that_cannot_be_stored_does_not_cost_the_whole_list(
    there: Street, wire: Wire
) -> None:
    before = on_sale(there)

    def one_odd_row(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if LIST in path:
            for row in body["data"]["Games"]:
                row["harga"] = str(int(row["harga"]) + 100)
            body["data"]["Games"].append({**body["data"]["Games"][0], "sid": "x\ud800"})
        return body

    wire.edit = one_odd_row
    await after_the_next_list(there)
    assert on_sale(there) == [(sku, listed + 100) for sku, listed in before]


async def test_an_item_that_disappeared_between_quote_and_tap_is_not_ordered(
    there: Street, wire: Wire
) -> None:
    budi = there.person()
    await to_confirmation(budi)

    def gone(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if LIST in path:
            body["data"]["Games"] = [row for row in body["data"]["Games"] if row["sid"] != "1"]
        return body

    wire.edit = gone
    await after_the_next_list(there)
    await budi.taps("Bayar")
    await there.work()
    budi.sees("Item itu baru saja habis")
    assert there.orders == []
    assert there.journal == []


# --- the key --------------------------------------------------------------------------------------


async def with_a_wrong_key(there: Street) -> None:
    ours = there.settings.of_suppliers["zultopup"]
    wrong = replace(ours, api_key=lambda: ("invalid-kanari-5f3a9c71d2",))
    there.settings = there.settings.model_copy(
        update={"of_suppliers": {**there.settings.of_suppliers, "zultopup": wrong}}
    )
    await there.restart()


async def test_with_a_wrong_key_nothing_is_ordered_and_the_owner_is_told_once(
    there: Street,
) -> None:
    budi, owner = there.person(), there.owner
    await to_confirmation(budi)
    await with_a_wrong_key(there)
    await budi.taps("Bayar")
    await there.after(30 * MINUTE, step=MINUTE)
    assert statuses(there) == ["cancelled"]
    assert there.journal == []
    budi.sees("belum ada uang yang berpindah")
    assert owner.count("menolak kunci API kita") == 1
    owner.sees("lapak check")
    assert not any("kanari" in f"{m.view}" for m in there.chat.messages)


async def test_a_key_that_goes_bad_while_a_customer_pays_loses_nothing(there: Street) -> None:
    budi, owner = there.person(), there.owner
    good = there.settings
    await with_a_qr(there, budi)
    await with_a_wrong_key(there)
    await there.pay()
    await there.after(10 * SECOND)
    await budi.taps("Sudah bayar")
    await there.after(HOUR, step=MINUTE)
    assert statuses(there) == ["awaiting_payment"]
    budi.sees("Sistem pembayaran belum menjawab")
    assert budi.count("tidak dibayar") == 0
    assert owner.count("menolak kunci API kita") == 1
    there.settings = good
    await there.restart()
    await there.after(10 * MINUTE, step=MINUTE)
    assert statuses(there) == ["delivered"]


# --- everything at once ---------------------------------------------------------------------------

FAULTS = ("timeout", "500", "429", "html", "truncated", "slow", "loss", "qr_text", "qr_broken",
          "unpaid_unsaid")  # fmt: skip
ENDS = ("Success", "Success", "Success", "Error", "Gagal", "Pending")


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_goes_wrong_in_whatever_order(there: Street, seed: int) -> None:
    """Several people, one supplier out of its mind; in the end everybody got goods or a case."""
    dice = random.Random(seed)
    people = [there.person(f"p{number}") for number in range(5)]
    for turn in range(40):
        person = dice.choice(people)
        match dice.randrange(7):
            case 0 | 1:
                await orders_it(there, person, str(100_000_000 + dice.randrange(4)))
            case 2 | 3:
                await _something_is_paid(there, dice)
            case 4:
                where = dice.choice([CREATE, STATUS, LIST, "/"])
                await there.control(
                    "fault",
                    kind=dice.choice(FAULTS),
                    path=where,
                    count=dice.randrange(1, 4),
                    seconds=0,
                )
            case 5 if there.journal:
                ref = dice.choice(there.journal)["id"]
                await there.control("finish", ref=ref, status=dice.choice(ENDS))
            case _:
                await there.control("price", code="1", price=dice.choice([9_000, 10_000, 11_500]))
        if turn % 13 == 7:
            await there.restart()
        await there.after(dice.choice([5, 15, 60, 240]) * SECOND, step=40 * SECOND)
        nothing_was_ordered_twice(there)
    await there.control("fault", kind="clear")
    await there.after(26 * HOUR, step=30 * MINUTE)  # late money is looked for during a day
    assert {"placed", "opening", "awaiting_payment"}.isdisjoint(statuses(there))
    paid = {row["id"] for row in there.journal if row["paid_at"] is not None}
    ours = there.rows("SELECT * FROM invoices i JOIN orders o ON o.id = i.order_id")
    noticed = {"processing", "delivered", "refund_due", "refunded"}
    assert {row["supplier_ref"] for row in ours if row["status"] in noticed} == paid
    assert there.broken() == []


async def _something_is_paid(there: Street, dice: random.Random) -> None:
    """Somebody pays a QR that was shown to them; others nobody can pay."""
    shown = [
        row["supplier_ref"]
        for row in there.rows(
            "SELECT i.supplier_ref FROM invoices i JOIN outbox m ON m.order_id = i.order_id"
            " WHERE m.kind = 'qr' AND m.sent_at IS NOT NULL ORDER BY i.supplier_ref"
        )
    ]
    if shown:
        await there.control("pay", id=dice.choice(shown))


async def test_one_refused_question_does_not_close_the_shop(there: Street, wire: Wire) -> None:
    """A key is refused when the price list says so, not when one order's status does."""
    budi = there.person()
    await with_a_qr(there, budi)
    before = on_sale(there)
    there.shop.suppliers[0]._line.supplier.invoice_report = refused  # type: ignore[method-assign]
    await there.after(2 * MINUTE)
    assert on_sale(there) == before
    assert there.owner.count("menolak kunci") == 0
    assert statuses(there) == ["awaiting_payment"]


async def refused(_: str) -> Any:
    raise Misconfigured("zultopup: HTTP 403, the key is not accepted")
