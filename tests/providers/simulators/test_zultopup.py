import asyncio
import io
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from providers.simulators.control import add_simulators
from providers.simulators.qris import crc16, qris_payload
from providers.simulators.zultopup import ZulTopupSimulator

# 2026-07-15 10:00:00 in Jakarta
START = 1_784_084_400_000
MINUTE = 60_000
DROPSHIP = {
    "layanan": "1",
    "target": "123456789",
    "selling_price": 12000,
    "customer_name": "Budi",
    "customer_phone": "08123",
}
SALDO = {"layanan": "1", "target": "123456789"}
DEPOSIT = {"amount": 50000, "fee": 0}
DEP = "DEP-20260715-000001"


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Reseller:
    """One reseller, its customers and the operator of the simulator, over real HTTP."""

    def __init__(self, http, clock, simulator, server):
        self.http = http
        self.clock = clock
        self.simulator = simulator
        self.server = server
        self.key = "kunci"

    async def ask(self, method, path, *, key=None, **more):
        headers = {"X-API-Key": key or self.key}
        async with self.http.request(
            method, f"/zultopup/api{path}", headers=headers, **more
        ) as reply:
            return reply.status, await reply.json()

    async def create(self, order=None, **changes):
        return await self.ask("POST", "/order/create", json={**(order or DROPSHIP), **changes})

    async def status(self, order_id="55"):
        status, body = await self.ask("GET", "/order/status", params={"id": order_id})
        assert status == 200
        return body["data"]

    async def states(self, order_id="55"):
        data = await self.status(order_id)
        return data["status"], data.get("payment_status")

    async def deposit(self, **changes):
        return await self.ask("POST", "/payment/deposit", json={**DEPOSIT, **changes})

    async def deposit_status(self, deposit_id=DEP):
        status, body = await self.ask("GET", f"/payment/status/{deposit_id}")
        assert status == 200
        assert list(body) == ["orderId", "status", "amount"]
        assert body["orderId"] == deposit_id
        return body["status"], body["amount"]

    async def control(self, action, **wish):
        async with self.http.post(f"/control/zultopup/{action}", json=wish) as reply:
            return reply.status, await reply.json()

    async def done(self, action, **wish):
        status, body = await self.control(action, **wish)
        assert (status, body["ok"]) == (200, True)
        return body

    async def journal(self):
        async with self.http.get("/control/zultopup/journal") as reply:
            assert reply.status == 200
            return await reply.json()

    async def balance(self):
        _, body = await self.ask("GET", "/user/me")
        return body["data"]["balance"]


@asynccontextmanager
async def opened(clock=None, **more):
    clock = clock or Clock()
    simulator = ZulTopupSimulator(clock=clock, **more)
    app = web.Application()
    add_simulators(app, [simulator])
    server = TestServer(app)
    async with TestClient(server) as http:
        yield Reseller(http, clock, simulator, server)


@pytest.fixture
async def reseller():
    async with opened() as one:
        yield one


# The document's examples


async def test_the_account_shows_the_balance_as_a_number(reseller):
    assert await reseller.ask("GET", "/user/me") == (
        200,
        {"status": True, "data": {"user_id": "toko_a", "balance": 50000, "role": "reseller"}},
    )


async def test_the_price_list_begins_with_the_documents_row_and_writes_numbers_as_strings(reseller):
    status, body = await reseller.ask("GET", "/services")
    assert (status, body["status"]) == (200, True)
    assert body["data"]["Games"][0] == {
        "sid": "1",
        "kategori": "Free Fire",
        "layanan": "70 Diamond",
        "harga": "10000",
        "status": "Normal",
    }
    rows = [row for group in body["data"].values() for row in group]
    assert all(isinstance(value, str) for row in rows for value in row.values())
    assert len({row["sid"] for row in rows}) == len(rows)
    assert {row["status"] for row in rows} == {"Normal", "Gangguan"}


async def test_the_price_list_covers_the_games_and_can_be_filtered_by_type(reseller):
    _, every = await reseller.ask("GET", "/services")
    _, games = await reseller.ask("GET", "/services", params={"tipe": "Games"})
    assert set(every["data"]) == {"Games", "Pulsa", "PLN"}
    assert games["data"] == {"Games": every["data"]["Games"]}
    assert {row["kategori"] for row in games["data"]["Games"]} == {
        "Mobile Legends",
        "Free Fire",
        "Free Fire MAX",
        "PUBG Mobile",
        "Honor of Kings",
        "Valorant",
        "Genshin Impact",
        "Honkai Star Rail",
    }


async def test_a_dropship_order_is_answered_as_in_the_document(reseller):
    status, body = await reseller.create()
    home = f"http://{reseller.server.host}:{reseller.server.port}/zultopup"
    assert (status, body) == (
        200,
        {
            "status": True,
            "data": {
                "id": "55",
                "invoice": "INV-20260715-000055",
                "mode": "dropship",
                "selling_price": 12000,
                "reseller_cost": 11200,
                "reseller_profit": 800,
                "payment": {
                    "qr_url": f"{home}/qr/55.png",
                    "amount": 12000,
                    "expired_at": "2026-07-15 10:15:00",
                    "status_url": f"{home}/api/order/status?id=55",
                    "invoice_url": f"{home}/invoice/INV-20260715-000055",
                },
            },
        },
    )


async def test_a_dropship_cost_is_rounded_up_to_whole_rupiah(reseller):
    await reseller.done("price", code="1", price=10001)
    _, body = await reseller.create()
    assert body["data"]["reseller_cost"] == 11202


async def test_an_order_from_the_balance_is_answered_as_in_the_document_and_charged(reseller):
    status, body = await reseller.create(SALDO)
    assert (status, body) == (
        200,
        {
            "status": True,
            "data": {
                "id": "55",
                "invoice": "INV-20260715-000055",
                "pesan": "Pesanan berhasil dibuat dan sedang diproses.",
            },
        },
    )
    assert await reseller.balance() == 40000
    assert await reseller.status() == {
        "id": "55",
        "status": "Pending",
        "catatan": "Sedang diproses",
    }
    reseller.clock.now += 3000
    data = await reseller.status()
    assert data["status"] == "Success"
    assert data["catatan"].startswith("SN: ")


async def test_the_key_may_stand_in_the_query(reseller):
    async with reseller.http.get("/zultopup/api/user/me", params={"apikey": "kunci"}) as reply:
        assert reply.status == 200


@pytest.mark.parametrize("key", ["invalid", "invalid-123", "   "])
async def test_a_bad_key_is_refused(reseller, key):
    answer = await reseller.ask("GET", "/user/me", key=key)
    assert answer == (401, {"status": False, "message": "API key tidak valid"})


async def test_a_missing_key_is_refused(reseller):
    async with reseller.http.get("/zultopup/api/services") as reply:
        assert reply.status == 401
        assert await reply.json() == {"status": False, "message": "API key tidak valid"}


# Refusals


@pytest.mark.parametrize(
    "changes",
    [
        {"layanan": "999"},
        {"layanan": "50"},
        {"layanan": 1},
        {"layanan": None},
        {"target": ""},
        {"target": None},
        {"target": 123456789},
        {"target": ["1"]},
        {"target": "1" * 101},
        {"selling_price": 9999},
        {"selling_price": True},
        {"selling_price": "12000"},
        {"selling_price": 12000.0},
        {"selling_price": None},
        {"selling_price": -1},
        {"selling_price": 10**400},
        {"customer_name": {}},
        {"customer_phone": 8123},
    ],
)
async def test_a_senseless_order_is_refused_and_leaves_no_trace(reseller, changes):
    status, body = await reseller.create(**changes)
    assert (status, body["status"]) == (400, False)
    assert body["message"]
    assert (await reseller.journal())["orders"] == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 200_000, b"1" * 5000, b"{}"],
)
async def test_a_body_of_another_kind_is_refused(reseller, body):
    status, answer = await reseller.ask("POST", "/order/create", data=body)
    assert (status, answer["status"]) == (400, False)


async def test_half_a_character_in_a_target_breaks_nothing(tmp_path):
    async with opened(state=tmp_path / "state.json") as reseller:
        body = json.dumps({**DROPSHIP, "target": "\ud800"})
        status, _ = await reseller.ask("POST", "/order/create", data=body)
        assert status == 200
        assert (await reseller.journal())["orders"][0]["target"] == "\ud800"


async def test_an_oversized_body_and_an_unknown_path_are_refused_in_json(reseller):
    status, body = await reseller.ask("POST", "/order/create", data=io.BytesIO(b" " * 2_000_000))
    assert (status, body["status"]) == (400, False)
    status, body = await reseller.ask("GET", "/nothing")
    assert (status, body["status"]) == (404, False)


async def test_a_body_that_is_not_encoded_as_it_claims_is_refused(reseller):
    head = {"X-API-Key": "kunci", "Content-Encoding": "gzip", "Connection": "close"}
    for path in ("/zultopup/api/order/create", "/control/zultopup/pay"):
        async with reseller.http.post(path, data=b"junk", headers=head) as reply:
            assert reply.status == 400


async def test_too_small_a_balance_is_refused(reseller):
    await reseller.done("balance", balance=9999)
    assert await reseller.create(SALDO) == (400, {"status": False, "message": "Saldo tidak cukup"})
    assert await reseller.balance() == 9999


async def test_an_unknown_order_has_no_status(reseller):
    status, body = await reseller.ask("GET", "/order/status", params={"id": "99"})
    assert (status, body["status"]) == (404, False)
    status, body = await reseller.ask("GET", "/order/status")
    assert (status, body["status"]) == (400, False)


async def test_the_same_order_is_refused_while_one_is_pending_and_welcome_after(reseller):
    await reseller.create()
    status, body = await reseller.create(selling_price=13000)
    assert (status, body["status"]) == (400, False)
    assert "pending" in body["message"]
    assert (await reseller.create(target="987654321"))[0] == 200
    assert (await reseller.create(layanan="2"))[0] == 200
    reseller.clock.now += 15 * MINUTE
    assert (await reseller.create())[0] == 200


async def test_the_sixty_first_request_in_a_minute_of_one_key_is_refused(reseller):
    for _ in range(60):
        assert (await reseller.ask("GET", "/user/me"))[0] == 200
    reseller.clock.now += MINUTE - 1
    async with reseller.http.get(
        "/zultopup/api/user/me", headers={"X-API-Key": reseller.key}
    ) as reply:
        assert reply.status == 429
        assert "Retry-After" not in reply.headers
        assert await reply.json() == {"status": False, "message": "Too many requests"}
    assert (await reseller.ask("GET", "/user/me", key="another"))[0] == 200
    reseller.clock.now += 1
    assert (await reseller.ask("GET", "/user/me"))[0] == 200


# The QR


def test_the_qris_text_is_the_known_good_one():
    assert crc16(b"123456789") == 0x29B1
    assert qris_payload(amount=12000, reference="INV-0001") == (
        "00020101021226690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
        "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605405120005802ID"
        "5911TOKO CONTOH6007JAKARTA61051011062120508INV-00016304E74C"
    )


async def test_the_qr_is_a_picture_and_the_invoice_shows_it(reseller):
    _, body = await reseller.create()
    payment = body["data"]["payment"]
    async with reseller.http.session.get(payment["qr_url"]) as reply:
        assert reply.content_type == "image/png"
        picture = Image.open(io.BytesIO(await reply.read()))
    assert picture.format == "PNG"
    assert min(picture.size) >= 300
    async with reseller.http.session.get(payment["invoice_url"]) as reply:
        assert reply.content_type == "text/html"
        assert 'src="../qr/55.png"' in await reply.text()


async def test_there_is_no_qr_of_an_order_from_the_balance_or_of_none(reseller):
    await reseller.create(SALDO)
    for path in ("qr/55.png", "qr/99.png", "invoice/99"):
        async with reseller.http.get(f"/zultopup/{path}") as reply:
            assert reply.status == 404


# The life of an order


async def test_a_paid_dropship_order_is_delivered_after_a_while(reseller):
    await reseller.create()
    assert await reseller.states() == ("Pending", "pending")
    await reseller.done("pay", id="55", amount=12000)
    assert await reseller.states() == ("Pending", "settlement")
    reseller.clock.now += 2999
    assert await reseller.states() == ("Pending", "settlement")
    reseller.clock.now += 1
    data = await reseller.status()
    assert list(data) == ["id", "status", "payment_status", "catatan"]
    assert (data["status"], data["payment_status"]) == ("Success", "settlement")
    journal = await reseller.journal()
    order = journal["orders"][0]
    assert data["catatan"] == f"SN: {order['sn']}"
    assert (order["paid_at"], order["finished_at"]) == (START, START + 3000)
    assert (order["profit"], journal["profit"]) == (800, 800)


async def test_an_unpaid_qr_runs_out_after_fifteen_minutes(reseller):
    await reseller.create()
    reseller.clock.now += 15 * MINUTE - 1
    assert await reseller.states() == ("Pending", "pending")
    reseller.clock.now += 1
    assert await reseller.states() == ("Error", "expired")


async def test_money_that_comes_too_late_is_taken_and_the_order_stays_failed(reseller):
    await reseller.create()
    await reseller.done("expire", id="55")
    await reseller.done("expire", id="55")
    assert await reseller.states() == ("Error", "expired")
    assert (await reseller.control("finish", ref="55", status="Success"))[0] == 409
    await reseller.done("pay", id="55")
    reseller.clock.now += MINUTE
    assert await reseller.states() == ("Error", "settlement")
    assert "SN" not in (await reseller.status())["catatan"]
    assert (await reseller.journal())["orders"][0]["paid_late"] is True


async def test_a_qr_is_paid_once_and_only_with_its_amount(reseller):
    await reseller.create()
    status, body = await reseller.control("pay", id="55", amount=11999)
    assert status == 409
    assert "12000" in body["error"]
    assert await reseller.states() == ("Pending", "pending")
    await reseller.done("pay", id="INV-20260715-000055")
    assert (await reseller.control("pay", id="55"))[0] == 409
    assert (await reseller.control("expire", id="55"))[0] == 409


async def test_an_order_from_the_balance_has_nothing_to_pay(reseller):
    await reseller.create(SALDO)
    assert (await reseller.control("pay", id="55"))[0] == 409
    assert (await reseller.control("expire", id="55"))[0] == 409


async def test_an_end_named_before_the_payment_comes_after_it(reseller):
    await reseller.create()
    await reseller.done("finish", ref="55", status="Success", sn="ABC123")
    assert await reseller.states() == ("Pending", "pending")
    await reseller.done("pay", id="55")
    reseller.clock.now += 3000
    assert (await reseller.status())["catatan"] == "SN: ABC123"


async def test_a_held_order_never_finishes_by_itself(reseller):
    await reseller.create()
    await reseller.done("finish", ref="55", status="Pending")
    await reseller.done("pay", id="55")
    reseller.clock.now += 60 * MINUTE
    assert await reseller.states() == ("Pending", "settlement")
    await reseller.done("finish", ref="55", status="error")
    assert await reseller.states() == ("Error", "settlement")


async def test_a_finished_order_can_be_reversed_both_ways(reseller):
    await reseller.create()
    await reseller.done("pay", id="55")
    await reseller.done("finish", ref="55", status="Success")
    assert await reseller.states() == ("Success", "settlement")
    await reseller.done("finish", ref="55", status="Error")
    assert await reseller.status() == {
        "id": "55",
        "status": "Error",
        "payment_status": "settlement",
        "catatan": "Transaksi gagal",
    }
    await reseller.done("finish", ref="55", status="Success", sn="NEW")
    assert (await reseller.status())["catatan"] == "SN: NEW"


async def test_a_failed_order_from_the_balance_gives_the_money_back_once(reseller):
    await reseller.create(SALDO)
    for status, balance in [("Error", 50000), ("Gagal", 50000), ("Success", 40000)]:
        await reseller.done("finish", ref="55", status=status)
        assert await reseller.balance() == balance


async def test_a_new_price_is_listed_and_an_old_order_keeps_its_own(reseller):
    await reseller.create()
    await reseller.done("price", code="1", price=12500)
    _, body = await reseller.ask("GET", "/services")
    assert body["data"]["Games"][0]["harga"] == "12500"
    assert (await reseller.create(target="2"))[0] == 400
    assert (await reseller.journal())["orders"][0]["reseller_cost"] == 11200


# Faults


async def test_a_timeout_executes_and_closes_the_connection_unanswered(reseller):
    await reseller.done("fault", kind="timeout after accepting", seconds=0.05)
    with pytest.raises(aiohttp.ClientConnectionError):
        await reseller.create()
    journal = await reseller.journal()
    assert [order["id"] for order in journal["orders"]] == ["55"]
    assert journal["calls"][-1]["status"] is None
    assert (await reseller.create())[0] == 400


async def test_a_held_connection_ends_when_the_server_stops():
    async with opened() as reseller:
        await reseller.done("fault", kind="timeout")
        call = asyncio.create_task(reseller.create())
        while not (await reseller.journal())["orders"]:
            pass
        async with asyncio.timeout(5):
            await reseller.server.close()
            with pytest.raises(aiohttp.ClientConnectionError):
                await call


async def test_a_500_executes_and_hides_the_answer(reseller):
    await reseller.done("fault", kind=500)
    status, body = await reseller.create()
    assert (status, body["status"]) == (500, False)
    assert len((await reseller.journal())["orders"]) == 1


async def test_a_429_does_not_execute(reseller):
    await reseller.done("fault", kind="429", count=2)
    for _ in range(2):
        assert await reseller.create() == (429, {"status": False, "message": "Too many requests"})
    assert (await reseller.journal())["orders"] == []
    assert (await reseller.create())[0] == 200


@pytest.mark.parametrize(
    ("kind", "content_type"), [("HTML body", "text/html"), ("truncated-body", "application/json")]
)
async def test_an_unreadable_answer_comes_with_200_after_executing(reseller, kind, content_type):
    await reseller.done("fault", kind=kind)
    async with reseller.http.post(
        "/zultopup/api/order/create", json=DROPSHIP, headers={"X-API-Key": "kunci"}
    ) as reply:
        assert (reply.status, reply.content_type) == (200, content_type)
        with pytest.raises(json.JSONDecodeError):
            json.loads(await reply.read())
    assert len((await reseller.journal())["orders"]) == 1


async def test_a_slow_answer_is_a_good_one(reseller):
    await reseller.done("fault", kind="slow", seconds=0.05)
    began = asyncio.get_running_loop().time()
    assert (await reseller.create())[0] == 200
    assert asyncio.get_running_loop().time() - began >= 0.04


async def test_a_fault_waits_for_its_path_and_can_be_forgotten(reseller):
    await reseller.done("fault", kind="500", path="/order/create")
    assert (await reseller.ask("GET", "/user/me"))[0] == 200
    assert (await reseller.create())[0] == 500
    await reseller.done("fault", kind="500", count=5)
    assert (await reseller.done("fault", kind="clear"))["pending"] == []
    assert (await reseller.ask("GET", "/user/me"))[0] == 200


async def test_a_loss_costs_more_than_it_brings(reseller):
    await reseller.done("fault", kind="loss")
    _, body = await reseller.create()
    assert body["data"]["reseller_cost"] > body["data"]["selling_price"]
    assert body["data"]["reseller_profit"] < 0
    _, body = await reseller.create(target="2")
    assert body["data"]["reseller_profit"] == 800


async def test_a_qr_may_come_as_text_or_lead_to_a_page(reseller):
    await reseller.done("fault", kind="qr_text")
    await reseller.done("fault", kind="qr_broken", path="/order/create")
    _, text = await reseller.create()
    assert text["data"]["payment"]["qr_url"] == qris_payload(
        amount=12000, reference="INV-20260715-000055"
    )
    _, broken = await reseller.create(target="2")
    async with reseller.http.session.get(broken["data"]["payment"]["qr_url"]) as reply:
        assert reply.content_type == "text/html"


async def test_a_status_may_not_mention_the_payment(reseller):
    await reseller.create()
    await reseller.done("fault", kind="unpaid_unsaid")
    assert "payment_status" not in await reseller.status()
    assert "payment_status" in await reseller.status()


# Deposits


async def test_a_deposit_is_answered_as_in_the_document(reseller):
    status, body = await reseller.deposit()
    assert (status, body["status"]) == (200, "success")
    assert list(body["data"]) == ["orderId", "amountToPay", "qrCodeUrl", "expiryTime"]
    assert body["data"]["orderId"] == DEP
    assert body["data"]["amountToPay"] == 50000
    assert body["data"]["expiryTime"] == "2026-07-15 10:15:00"
    assert await reseller.deposit_status() == ("pending", 50000)
    assert await reseller.ask("GET", "/payment/history") == (
        200,
        {
            "status": "success",
            "data": [{"orderId": DEP, "amount": 50000, "status": "pending"}],
        },
    )


async def test_a_paid_deposit_settles_and_becomes_balance(reseller):
    await reseller.deposit()
    assert await reseller.balance() == 50000
    paid = await reseller.done("pay", id=DEP)
    assert (paid["deposit"]["status"], paid["deposit"]["paid"]) == ("settlement", 50000)
    assert await reseller.deposit_status() == ("settlement", 50000)
    assert await reseller.balance() == 100000
    _, body = await reseller.ask("GET", "/payment/history")
    assert body["data"] == [{"orderId": DEP, "amount": 50000, "status": "settlement"}]
    reseller.clock.now += 60 * MINUTE
    assert await reseller.deposit_status() == ("settlement", 50000)


@pytest.mark.parametrize("amount", [1, 49999, 50001, 1_000_000])
async def test_too_little_and_too_much_settle_with_what_was_paid(reseller, amount):
    await reseller.deposit()
    await reseller.done("pay", id=DEP, amount=amount)
    assert await reseller.deposit_status() == ("settlement", amount)
    assert await reseller.balance() == 50000 + amount


async def test_an_unpaid_deposit_runs_out_after_fifteen_minutes(reseller):
    await reseller.deposit()
    reseller.clock.now += 15 * MINUTE - 1
    assert await reseller.deposit_status() == ("pending", 50000)
    reseller.clock.now += 1
    assert await reseller.deposit_status() == ("expired", 50000)
    assert await reseller.balance() == 50000


async def test_a_deposit_can_be_let_run_out_but_not_once_it_is_paid(reseller):
    await reseller.deposit()
    for _ in range(2):
        assert (await reseller.done("expire", id=DEP))["deposit"]["status"] == "expired"
    assert await reseller.deposit_status() == ("expired", 50000)
    assert (await reseller.journal())["deposits"][0]["expires_at"] == START
    await reseller.done("pay", id=DEP)
    assert (await reseller.control("expire", id=DEP))[0] == 409


async def test_money_that_comes_too_late_settles_a_deposit_all_the_same(reseller):
    await reseller.deposit()
    reseller.clock.now += 24 * 60 * MINUTE
    assert await reseller.deposit_status() == ("expired", 50000)
    await reseller.done("pay", id=DEP, amount=20000)
    assert await reseller.deposit_status() == ("settlement", 20000)
    assert await reseller.balance() == 70000


async def test_a_deposit_paid_twice_tells_the_sum(reseller):
    await reseller.deposit()
    await reseller.done("pay", id=DEP)
    reseller.clock.now += MINUTE
    await reseller.done("pay", ref=DEP, amount=12345)
    assert await reseller.deposit_status() == ("settlement", 62345)
    assert await reseller.balance() == 112345
    [row] = (await reseller.journal())["deposits"]
    assert row["payments"] == [
        {"amount": 50000, "at": START},
        {"amount": 12345, "at": START + MINUTE},
    ]


async def test_a_unique_code_is_added_to_what_is_to_be_paid(reseller):
    await reseller.done("fault", kind="unique_code", code=77)
    await reseller.done("fault", kind="unique_code")
    for amount in (50077, 50123, 50000):
        _, body = await reseller.deposit()
        assert body["data"]["amountToPay"] == amount
    assert await reseller.deposit_status() == ("pending", 50000)
    await reseller.done("pay", id=DEP)
    assert await reseller.deposit_status() == ("settlement", 50077)
    [first, *_] = (await reseller.journal())["deposits"]
    assert (first["amount"], first["amountToPay"]) == (50000, 50077)
    assert first["qr_payload"] == qris_payload(amount=50077, reference=DEP)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"amount": 0},
        {"amount": -1},
        {"amount": True},
        {"amount": "50000"},
        {"amount": 50000.5},
        {"amount": 10_000_001},
        {"fee": 500},
        {"fee": "0"},
        {"fee": None},
    ],
)
async def test_a_senseless_deposit_is_refused_and_leaves_no_trace(reseller, changes):
    status, body = await reseller.deposit(**changes)
    assert (status, body["status"]) == (400, False)
    assert (await reseller.journal())["deposits"] == []


async def test_an_unknown_deposit_has_no_status_and_needs_a_key(reseller):
    await reseller.create()
    for name in ("DEP-1", "55"):
        status, body = await reseller.ask("GET", f"/payment/status/{name}")
        assert (status, body["status"]) == (404, False)
    for method, path in (
        ("POST", "/payment/deposit"),
        ("GET", f"/payment/status/{DEP}"),
        ("GET", "/payment/history"),
    ):
        status, body = await reseller.ask(method, path, key="invalid")
        assert (status, body["status"]) == (401, False)


async def test_the_qr_of_a_deposit_is_a_picture_a_text_or_a_page(reseller):
    _, picture = await reseller.deposit()
    async with reseller.http.session.get(picture["data"]["qrCodeUrl"]) as reply:
        assert reply.content_type == "image/png"
        assert Image.open(io.BytesIO(await reply.read())).format == "PNG"
    await reseller.done("fault", kind="qr_text")
    _, text = await reseller.deposit()
    assert text["data"]["qrCodeUrl"] == qris_payload(amount=50000, reference="DEP-20260715-000002")
    await reseller.done("fault", kind="qr_broken")
    _, broken = await reseller.deposit()
    async with reseller.http.session.get(broken["data"]["qrCodeUrl"]) as reply:
        assert reply.content_type == "text/html"
    async with reseller.http.get("/zultopup/qr/DEP-20260715-000009.png") as reply:
        assert reply.status == 404


async def test_a_deposit_is_no_order_and_an_order_no_deposit(reseller):
    await reseller.deposit()
    await reseller.create(SALDO)
    assert (await reseller.control("finish", ref=DEP, status="Success"))[0] == 404
    assert (await reseller.ask("GET", "/order/status", params={"id": DEP}))[0] == 404
    assert (await reseller.control("pay", id=DEP, amount=0))[0] == 400
    assert (await reseller.control("pay", id=DEP, amount="1"))[0] == 400
    assert (await reseller.control("pay", id="DEP-9"))[0] == 404
    assert await reseller.deposit_status() == ("pending", 50000)
    journal = await reseller.journal()
    assert [order["id"] for order in journal["orders"]] == ["55"]
    assert [deposit["id"] for deposit in journal["deposits"]] == [DEP]


async def test_the_journal_tells_all_of_a_deposit(reseller):
    await reseller.deposit()
    assert (await reseller.journal())["deposits"] == [
        {
            "id": DEP,
            "amount": 50000,
            "amountToPay": 50000,
            "status": "pending",
            "paid": 0,
            "payments": [],
            "created_at": START,
            "expires_at": START + 15 * MINUTE,
            "qr_payload": qris_payload(amount=50000, reference=DEP),
        }
    ]


async def test_a_lost_answer_leaves_a_deposit_or_an_order_from_the_balance_behind(reseller):
    for ask in (reseller.deposit, lambda: reseller.create(SALDO)):
        await reseller.done("fault", kind="timeout after accepting", seconds=0.05)
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask()
    journal = await reseller.journal()
    assert (len(journal["deposits"]), len(journal["orders"])) == (1, 1)
    assert journal["balance"] == 40000


@pytest.mark.parametrize(("kind", "opened"), [("500", 1), ("429", 0), ("html", 1)])
async def test_a_deposit_can_go_wrong_in_every_other_way_too(reseller, kind, opened):
    await reseller.done("fault", kind=kind, path="/payment/deposit")
    async with reseller.http.post(
        "/zultopup/api/payment/deposit", json=DEPOSIT, headers={"X-API-Key": "kunci"}
    ) as reply:
        assert reply.status == {"500": 500, "429": 429, "html": 200}[kind]
    assert len((await reseller.journal())["deposits"]) == opened
    await reseller.deposit()
    await reseller.done("fault", kind=kind, path="/payment/history")
    async with reseller.http.get(
        "/zultopup/api/payment/history", headers={"X-API-Key": "kunci"}
    ) as reply:
        assert '"success"' not in await reply.text()


# The control surface


@pytest.mark.parametrize(
    ("action", "wish", "status"),
    [
        ("pay", {}, 400),
        ("pay", {"id": ["55"]}, 400),
        ("pay", {"id": "99"}, 404),
        ("pay", {"id": "55", "amount": "12000"}, 400),
        ("expire", {"id": 99}, 404),
        ("price", {"code": "1", "price": 0}, 400),
        ("price", {"code": "1", "price": True}, 400),
        ("price", {"code": "1", "price": 10**400}, 400),
        ("price", {"code": "999", "price": 1}, 404),
        ("balance", {"balance": "1"}, 400),
        ("balance", {}, 400),
        ("finish", {"ref": "55"}, 400),
        ("finish", {"ref": "55", "status": "Sukses"}, 400),
        ("finish", {"ref": "99", "status": "Success"}, 404),
        ("fault", {"kind": "earthquake"}, 400),
        ("fault", {"kind": "500", "count": 0}, 400),
        ("fault", {"kind": "500", "count": True}, 400),
        ("fault", {"kind": "500", "path": {}}, 400),
        ("fault", {"kind": "unique_code", "code": 0}, 400),
        ("fault", {"kind": "unique_code", "code": 1000}, 400),
        ("fault", {"kind": "slow", "seconds": 61}, 400),
        ("fault", {"kind": "slow", "seconds": True}, 400),
        ("dance", {}, 404),
    ],
)
async def test_a_bad_wish_is_refused_in_one_sentence(reseller, action, wish, status):
    await reseller.create()
    answer, body = await reseller.control(action, **wish)
    assert answer == status
    assert set(body) == {"error"}
    assert await reseller.states() == ("Pending", "pending")


@pytest.mark.parametrize("kind", ["callback twice", "callback_late", "Callback before the answer"])
async def test_callback_faults_are_refused_for_there_are_no_callbacks(reseller, kind):
    assert await reseller.control("fault", kind=kind) == (
        400,
        {"error": "ZulTopup sends no callbacks."},
    )


async def test_another_supplier_and_another_body_are_refused(reseller):
    async with reseller.http.post("/control/nobody/pay", json={}) as reply:
        assert reply.status == 404
    async with reseller.http.get("/control/nobody/journal") as reply:
        assert reply.status == 404
    for body in (b"", b"[]", b"\xff"):
        async with reseller.http.post("/control/zultopup/pay", data=body) as reply:
            assert reply.status == 400
            assert set(await reply.json()) == {"error"}


async def test_the_journal_tells_orders_and_the_last_thousand_calls(reseller):
    await reseller.create()
    journal = await reseller.journal()
    order = journal["orders"][0]
    assert {
        "id": "55",
        "mode": "dropship",
        "layanan": "1",
        "item": "70 Diamond",
        "target": "123456789",
        "selling_price": 12000,
        "reseller_cost": 11200,
        "amount": 12000,
        "customer_name": "Budi",
        "customer_phone": "08123",
        "created_at": START,
        "paid_at": None,
        "expires_at": START + 15 * MINUTE,
        "sn": None,
    }.items() <= order.items()
    assert journal["calls"] == [
        {"at": START, "method": "POST", "path": "/zultopup/api/order/create", "status": 200}
    ]
    for _ in range(1001):
        await reseller.ask("GET", "/user/me", key="invalid")
    assert len((await reseller.journal())["calls"]) == 1000


# The state file


async def test_a_restarted_simulator_knows_everything(tmp_path):
    clock, state = Clock(), tmp_path / "deep" / "zultopup.json"
    async with opened(clock, state=state) as reseller:
        await reseller.create()
        await reseller.done("pay", id="55")
        await reseller.create(SALDO, target="2")
        await reseller.done("price", code="2", price=999)
        await reseller.deposit()
        await reseller.deposit()
        await reseller.done("pay", id=DEP, amount=7000)
        await reseller.done("pay", id=DEP, amount=3000)
        await reseller.done("fault", kind="unique_code", code=5)
        await reseller.done("fault", kind="500", path="/user/me")
        before = await reseller.journal()
    assert [path.name for path in state.parent.iterdir()] == ["zultopup.json"]
    async with opened(clock, state=state) as reseller:
        after = await reseller.journal()
        assert {**after, "calls": []} == {**before, "calls": []}
        assert (await reseller.ask("GET", "/user/me"))[0] == 500
        assert await reseller.balance() == 50000
        assert (await reseller.create(SALDO, target="2"))[0] == 400
        assert await reseller.deposit_status() == ("settlement", 10000)
        _, body = await reseller.deposit()
        assert (body["data"]["orderId"], body["data"]["amountToPay"]) == (
            "DEP-20260715-000003",
            50005,
        )
        clock.now += 3000
        assert await reseller.states() == ("Success", "settlement")
        _, body = await reseller.create(target="3")
        assert body["data"]["id"] == "57"


async def test_a_state_file_from_before_there_were_deposits_is_still_read(tmp_path):
    clock, state = Clock(), tmp_path / "zultopup.json"
    async with opened(clock, state=state) as reseller:
        await reseller.create()
        await reseller.done("fault", kind="500", path="/user/me")
    old = json.loads(state.read_text())
    del old["books"]["deposits"]
    for fault in old["faults"]:
        del fault["code"]
    state.write_text(json.dumps(old))
    async with opened(clock, state=state) as reseller:
        journal = await reseller.journal()
        assert [order["id"] for order in journal["orders"]] == ["55"]
        assert journal["deposits"] == []
        assert (await reseller.ask("GET", "/user/me"))[0] == 500
        assert (await reseller.deposit())[0] == 200
    async with opened(clock, state=state) as reseller:
        assert await reseller.deposit_status() == ("pending", 50000)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"books": {"balance": 1}}'])
async def test_a_foreign_state_file_is_named_not_overwritten(tmp_path, content):
    state = tmp_path / "state.json"
    state.write_text(content)
    with pytest.raises(ValueError, match=r"state\.json"):
        ZulTopupSimulator(clock=Clock(), state=state)
    assert state.read_text() == content
