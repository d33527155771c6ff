import json
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from providers.simulators import senpay
from providers.simulators.prepaid_books import PrepaidOrder
from providers.simulators.senpay import SenPaySimulator
from providers.simulators.senpay_answers import in_utc, status_webhook
from providers.simulators.senpay_catalogue import ITEMS
from shop.catalogue import game_of, read_games
from tests.providers.simulators.desk import Clock, Desk, opened

DAY = 24 * 60 * 60 * 1000
GAMES = Path(senpay.__file__).parents[2] / "shop" / "games.toml"
KEY, SECRET = "kunci", "demo-secret"
FIVE = "MLBB-BJ-V3-ALLMLBB_ID_5"
ORDER = {
    "target_product_code": FIVE,
    "partner_reference": "INV12345678",
    "id": "1122334455",
    "server": "112233",
}
KNIGHTS = {"target_product_code": "AKV-BJAKV_60", "id": "1122334455", "server": "10040300"}
THANKS = {"status": 200, "message": "Webhook berhasil diproses"}


def no(message):
    return 200, {"status": 400, "message": message}


class Buyer(Desk):
    async def ask(self, method, path, *, key=KEY, headers=(), **more):
        headers = {"Authorization": f"Bearer {key}", **dict(headers)}
        return await super().ask(method, f"/api/prepaid{path}", headers=headers, **more)

    async def read(self, path, **query):
        status, body = await self.ask("GET", path, params=query)
        assert (status, body["status"]) == (200, 200), body
        return body["data"]

    async def order(self, *, without=(), secret=SECRET, **changes):
        body = {**ORDER, **changes}
        body = {name: value for name, value in body.items() if name not in without}
        headers = {"Signature": secret} if secret is not None else {}
        return await self.ask("POST", "/transaction/create", json=body, headers=headers)

    async def bought(self, **changes):
        status, body = await self.order(**changes)
        assert (status, body["status"]) == (200, 200), body
        return body["data"]

    async def status(self, reference):
        return await self.read(f"/transaction/{reference}")

    async def balance(self):
        return (await self.journal())["balance"]


@pytest.fixture
async def buyer():
    async with opened(SenPaySimulator, Buyer) as one:
        yield one


class Dashboard:
    """Where webhooks go; answers what ``answers`` holds, then as the document wants it."""

    def __init__(self):
        self.heard = []
        self.answers = []
        self.url = ""

    async def hear(self, request):
        self.heard.append((await request.read(), request))
        if not self.answers:
            return web.json_response(THANKS)
        return self.answers.pop(0)

    @property
    def bodies(self):
        return [json.loads(body) for body, _ in self.heard]


@pytest.fixture
async def dashboard():
    one = Dashboard()
    app = web.Application()
    app.router.add_route("*", "/senpay", one.hear)
    async with TestServer(app) as server:
        one.url = str(server.make_url("/senpay"))
        yield one


@asynccontextmanager
async def telling(dashboard, **more):
    async with opened(SenPaySimulator, Buyer, callback_url=dashboard.url, **more) as one:
        yield one


# Providers and products


async def test_the_documents_providers_are_shown_with_their_forms(buyer):
    found = {row["code"]: row for row in await buyer.read("/provider")}
    assert found["AKV-BJ"] == {
        "id": 9,
        "code": "AKV-BJ",
        "name": "Astra Knights of Veda V3",
        "active": 1,
        "icon": "1717861533U2HAY5jfw1.png",
        "forms": [
            {"label": "UID", "key": "id", "type": "text"},
            {
                "label": "Sever List/Server ID",
                "key": "server",
                "type": "dropdown",
                "options": [
                    {"name": "AMERICAS", "code": "10040400"},
                    {"name": "KR / JP / TW", "code": "10040300"},
                    {"name": "SEA / OCE", "code": "10040200"},
                ],
            },
        ],
        "icon_url": "https://senpay.id/images/provider/1717861533U2HAY5jfw1.png",
    }
    assert found["ABM22-RCF"] == {
        "id": 6,
        "code": "ABM22-RCF",
        "name": "ARENA BREAKOUT [PROMO TERMURAH] Q2",
        "active": 1,
        "icon": "1717855735f7nQaJ4A4G.jpg",
        "forms": [
            {"label": "User ID", "key": "player_id", "type": "text"},
            {"label": "Sever List/Server ID", "key": "server", "type": "text"},
        ],
        "icon_url": "https://senpay.id/images/provider/1717855735f7nQaJ4A4G.jpg",
    }


async def test_only_active_providers_are_shown_to_whom_asks_for_them(buyer):
    every = {row["code"]: row["active"] for row in await buyer.read("/provider")}
    active = {row["code"]: row["active"] for row in await buyer.read("/provider", active="1")}
    assert set(every.values()) == {0, 1}
    assert active == {code: is_on for code, is_on in every.items() if is_on}


async def test_the_documents_products_stand_at_their_prices(buyer):
    rows = await buyer.read("/product", provider="FFMAX-BJ-V3")
    provider = {"code": "FFMAX-BJ-V3", "name": "Free Fire MAX [PROMO TERMURAH] V3"}
    assert rows[:3] == [
        {
            "id": number,
            "code": f"FFMAX-BJ-V3FFMAX_ID_{amount}",
            "name": f"{amount} Diamonds",
            "active": 1,
            "price": price,
            "provider": provider,
        }
        for number, amount, price in [(466, 10, 1864), (467, 100, 14882), (468, 1000, 130180)]
    ]
    rows = await buyer.read("/product", provider="MLBB-BJ-V3-ALL")
    prices = {row["code"]: row["price"] for row in rows}
    assert [prices[f"MLBB-BJ-V3-ALLMLBB_ID_{amount}"] for amount in (5, 10, 15)] == [
        1425,
        2868,
        4255,
    ]


async def test_a_product_tells_more_of_its_provider_than_the_list(buyer):
    assert await buyer.read("/product/FFMAX-BJ-V3FFMAX_ID_140") == {
        "id": 472,
        "code": "FFMAX-BJ-V3FFMAX_ID_140",
        "name": "140 Diamonds",
        "active": 1,
        "price": 18610,
        "provider": {
            "id": 49,
            "code": "FFMAX-BJ-V3",
            "name": "Free Fire MAX [PROMO TERMURAH] V3",
            "icon": "17182474347Vr0hpu1dG.png",
            "icon_url": "https://senpay.id/images/provider/17182474347Vr0hpu1dG.png",
        },
    }


async def test_only_active_products_are_shown_to_whom_asks_for_them(buyer):
    every = await buyer.read("/product", provider="FFMAX-BJ-V3")
    active = await buyer.read("/product", provider="FFMAX-BJ-V3", active="1")
    assert {row["active"] for row in every} == {0, 1}
    assert active == [row for row in every if row["active"]]


async def test_every_product_is_listed_once_and_every_game_of_the_shop_is_there(buyer):
    providers = await buyer.read("/provider")
    rows = [row for one in providers for row in await buyer.read("/product", provider=one["code"])]
    assert 25 <= len(rows) == len(ITEMS) <= 40
    assert len({row["code"] for row in rows}) == len({row["id"] for row in rows}) == len(rows)
    assert all(row["code"].startswith(row["provider"]["code"]) for row in rows)
    names = " ".join(one["name"] for one in providers)
    everywhere = read_games(GAMES.read_text())[:8]
    games = [game.title.replace(":", "") for game in everywhere]
    assert [title for title in games if title not in names] == []


async def test_a_regions_codes_are_the_ones_our_games_know(buyer):
    games = read_games(GAMES.read_text())
    forms = {row["name"].removesuffix(" V3"): row["forms"] for row in await buyer.read("/provider")}
    for name in ["Genshin Impact", "Honkai Star Rail"]:
        game = game_of(name, games)
        [dropdown] = [form for form in forms[name] if form["type"] == "dropdown"]
        assert {row["code"] for row in dropdown["options"]} == {s.code for s in game.servers}


async def test_products_are_asked_for_by_provider_alone(buyer):
    assert await buyer.ask("GET", "/product") == no("provider wajib diisi")
    unknown = await buyer.ask("GET", "/product", params={"provider": "CONSEQUATUR"})
    assert unknown == no("Provider tidak ditemukan")


async def test_a_product_that_nobody_sells_is_not_found(buyer):
    assert await buyer.ask("GET", "/product/consequatur") == no("Produk tidak ditemukan")
    assert await buyer.order(target_product_code="x") == no("Produk tidak ditemukan")


async def test_a_product_added_later_is_listed_under_a_provider_of_its_own(buyer):
    await buyer.done("product", code="BARU1", name="1 Koin", category="Game Baru", price=500)
    [row] = await buyer.read("/product", provider="Game Baru")
    assert (row["code"], row["price"], row["active"]) == ("BARU1", 500, 1)
    assert "Game Baru" in {row["code"] for row in await buyer.read("/provider")}
    bought = await buyer.bought(target_product_code="BARU1", without={"server"})
    assert bought["provider"] == "Game Baru"


# Keys


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "kunci"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic kunci"},
        {"Authorization": "Bearer invalid-key"},
    ],
)
async def test_nobody_without_a_good_key_hears_anything(buyer, headers):
    refusal = no("Invalid API Key")
    paths = ["/provider", "/product?provider=AKV-BJ", f"/product/{FIVE}", "/transaction/TRX1"]
    for path in paths:
        async with buyer.http.get(f"/senpay/api/prepaid{path}", headers=headers) as reply:
            assert (reply.status, await reply.json()) == refusal
    create = "/senpay/api/prepaid/transaction/create"
    signed = {**headers, "Signature": SECRET}
    async with buyer.http.post(create, json=ORDER, headers=signed) as reply:
        assert (reply.status, await reply.json()) == refusal
    assert (await buyer.journal())["orders"] == []


@pytest.mark.parametrize("secret", [None, "", "demo-secret-lain", "DEMO-SECRET", KEY])
async def test_an_order_without_the_secret_key_as_its_signature_is_refused(buyer, secret):
    assert await buyer.order(secret=secret) == no("Invalid signature")
    assert (await buyer.journal())["orders"] == []


async def test_another_secret_key_can_be_agreed_on():
    async with opened(SenPaySimulator, Buyer, secret_key="rahasia") as buyer:
        assert (await buyer.order())[1]["status"] == 400
        assert (await buyer.order(secret="rahasia"))[1]["status"] == 200


async def test_no_key_stands_in_the_journal(buyer):
    await buyer.bought()
    said = json.dumps(await buyer.journal())
    assert KEY not in said
    assert SECRET not in said


# Orders


async def test_an_order_is_answered_as_in_the_document_and_charged_at_once(buyer):
    data = await buyer.bought()
    reference = data["reference"]
    assert data == {
        "reference": reference,
        "partner_reference": "INV12345678",
        "provider": "Mobile Legends [PROMO TERMURAH] V3",
        "product": "5 (5+0) Diamonds",
        "price": 1425,
        "status": "processing",
        "invoice_url": f"https://senpay.id/trx/{reference}",
    }
    assert reference.startswith("TRX260715")
    assert len(reference) == len("TRX24070385294000934")
    assert await buyer.balance() == 1_000_000 - 1425


async def test_an_order_is_written_down_as_it_was_filled_in(buyer):
    await buyer.bought(**KNIGHTS)
    [order] = (await buyer.journal())["orders"]
    assert (order["ref"], order["code"]) == ("INV12345678", "AKV-BJAKV_60")
    assert (order["target"], order["server"]) == ("1122334455", "10040300")
    assert order["more"] == {"id": "1122334455", "server": "10040300"}


@pytest.mark.parametrize("name", ["target_product_code", "partner_reference", "id", "server"])
async def test_every_field_and_every_key_of_the_form_is_mandatory(buyer, name):
    for reply in [
        await buyer.order(without={name}),
        await buyer.order(**{name: "  "}),
        await buyer.order(**{name: 5}),
    ]:
        assert reply == no(f"{name} wajib diisi")
    assert (await buyer.journal())["orders"] == []


async def test_the_forms_keys_stand_at_the_root_of_an_order(buyer):
    reply = await buyer.order(without={"id"}, forms={"id": "1122334455"})
    assert reply == no("id wajib diisi")


@pytest.mark.parametrize("server", ["SEA / OCE", "10040201", "1004020"])
async def test_of_a_dropdown_only_a_code_is_taken(buyer, server):
    assert await buyer.order(**{**KNIGHTS, "server": server}) == no("server tidak valid")
    assert (await buyer.journal())["orders"] == []


async def test_what_cannot_be_written_down_is_refused(buyer):
    for text in ["\ud800", "a\nb", "7" * 101]:
        assert (await buyer.order(partner_reference=text))[1]["status"] == 400
    for body in [b"", b"[]", b"{", b'"x"']:
        headers = {"Signature": SECRET}
        reply = await buyer.ask("POST", "/transaction/create", data=body, headers=headers)
        assert reply == no("Data tidak valid")


async def test_an_inactive_product_is_refused_and_so_are_all_of_an_inactive_provider(buyer):
    refusal = no("Produk sedang tidak aktif")
    asleep = {"target_product_code": "FFMAX-BJ-V3FFMAX_ID_130"}
    assert await buyer.order(**asleep) == refusal
    assert await buyer.order(target_product_code="RO-BJ-V3RO_100") == refusal
    await buyer.done("product", code=FIVE, active=False)
    assert await buyer.order() == refusal
    await buyer.done("product", code=FIVE, active=True)
    await buyer.bought()


async def test_a_balance_that_does_not_suffice_is_refused(buyer):
    await buyer.done("balance", balance=1424)
    assert await buyer.order() == no("Saldo tidak mencukupi")
    assert await buyer.balance() == 1424
    await buyer.done("balance", balance=1425)
    await buyer.bought()
    assert await buyer.balance() == 0


async def test_another_price_holds_for_new_orders_alone(buyer):
    await buyer.bought()
    await buyer.done("price", code=FIVE, price=1480)
    assert (await buyer.bought(partner_reference="INV2"))["price"] == 1480
    assert (await buyer.read(f"/product/{FIVE}"))["price"] == 1480
    assert [order["price"] for order in (await buyer.journal())["orders"]] == [1425, 1480]


# A reference that comes twice


async def test_a_reference_of_the_last_day_is_refused(buyer):
    await buyer.bought()
    refusal = no("partner_reference sudah digunakan dalam 24 jam terakhir")
    assert await buyer.order() == refusal
    buyer.clock.now += DAY - 1
    assert await buyer.order(id="5566778899") == refusal
    assert len((await buyer.journal())["orders"]) == 1


async def test_after_a_day_the_same_reference_is_a_new_order(buyer):
    first = await buyer.bought()
    buyer.clock.now += DAY
    second = await buyer.bought()
    assert first["reference"] != second["reference"]
    assert len((await buyer.journal())["orders"]) == 2
    assert (await buyer.status(first["reference"]))["status"] == "success"
    assert (await buyer.status(second["reference"]))["status"] == "processing"
    assert (await buyer.order())[1]["status"] == 400


async def test_a_refused_order_uses_no_reference_up(buyer):
    await buyer.order(without={"server"})
    await buyer.bought()


async def test_nobody_decides_what_a_repeated_reference_is(buyer):
    assert (await buyer.control("repeats", **{"as": "order"}))[0] == 404


# Status


async def test_a_delivered_order_is_told_as_in_the_document(buyer):
    reference = (await buyer.bought())["reference"]
    await buyer.later()
    data = await buyer.status(reference)
    serial = data.pop("sn")
    assert data == {
        "reference": reference,
        "partner_reference": "INV12345678",
        "provider": "Mobile Legends [PROMO TERMURAH] V3",
        "product": "5 (5+0) Diamonds",
        "status": "success",
        "status_at": "2026-07-15T03:00:03.000000Z",
        "note": "Transaksi berhasil pada 2026/07/15 10:00:03 WIB",
        "webhook_sent": False,
        "created_at": "2026-07-15T03:00:00.000000Z",
        "invoice_url": f"https://senpay.id/trx/{reference}",
    }
    assert serial.isdigit()


async def test_there_is_no_serial_number_before_delivery(buyer):
    reference = (await buyer.bought())["reference"]
    data = await buyer.status(reference)
    assert (data["status"], data["sn"]) == ("processing", "N/A")
    await buyer.done("finish", ref="INV12345678", status="failed")
    data = await buyer.status(reference)
    assert (data["status"], data["sn"]) == ("failed", "N/A")


@pytest.mark.parametrize(
    "order",
    [
        {"target_product_code": "MLBB-BJ-V3-ALLMLBB_ID_WDP"},
        {"target_product_code": "TSEL-BJ-V3TSEL_10", "phone": "08123456789"},
    ],
)
async def test_some_deliveries_have_no_serial_number(buyer, order):
    reference = (await buyer.bought(**order))["reference"]
    await buyer.later()
    data = await buyer.status(reference)
    assert (data["status"], data["sn"]) == ("success", "N/A")


async def test_a_serial_number_may_be_given_or_withheld(buyer):
    reference = (await buyer.bought())["reference"]
    await buyer.done("finish", ref=reference, status="success", sn="ABC/123")
    assert (await buyer.status(reference))["sn"] == "ABC/123"
    await buyer.done("finish", ref=reference, status="success", sn="")
    assert (await buyer.status(reference))["sn"] == "N/A"


async def test_nothing_but_their_own_reference_finds_an_order(buyer):
    await buyer.bought()
    for name in ["INV12345678", "TRX1"]:
        reply = await buyer.ask("GET", f"/transaction/{name}")
        assert reply == no("Transaksi tidak ditemukan")


async def test_an_order_may_be_missing_for_a_while(buyer):
    reference = (await buyer.bought())["reference"]
    await buyer.done("fault", kind="missing", count=1)
    reply = await buyer.ask("GET", f"/transaction/{reference}")
    assert reply == no("Transaksi tidak ditemukan")
    await buyer.status(reference)


@pytest.mark.parametrize(
    ("word", "charged"),
    [
        ("processing", 1425),
        ("success", 1425),
        ("failed", 1425),
        ("refund", 0),
        ("unpaid", 0),
        ("expired", 0),
    ],
)
async def test_every_status_of_the_document_can_be_and_costs_what_it_says(buyer, word, charged):
    reference = (await buyer.bought())["reference"]
    await buyer.done("finish", ref="INV12345678", status=word)
    assert (await buyer.status(reference))["status"] == word
    assert await buyer.balance() == 1_000_000 - charged


async def test_a_failed_order_gives_its_price_back_once_refunded(buyer):
    await buyer.done("fault", kind="fails")
    await buyer.bought()
    await buyer.later()
    assert await buyer.balance() == 1_000_000 - 1425
    await buyer.done("finish", ref="INV12345678", status="refund")
    assert await buyer.balance() == 1_000_000


# Webhooks


def test_a_webhook_is_the_documents_example_written_as_php_writes_it():
    order = PrepaidOrder(
        id="TRX24070385294000934",
        ref="INV12345678",
        code=FIVE,
        item="5 (5+0) Diamonds",
        category="Mobile Legends [PROMO TERMURAH] V3",
        target="1122334455",
        server="112233",
        nickname="",
        region="",
        price=1425,
        status="success",
        sn="N/A",
        accepted_at=0,
        plan="success",
        due_at=None,
        changed_at=1_719_925_903_249,
        finished_at=1_719_925_903_249,
        callback_url="",
        key="",
        more={},
    )
    # Its note is a moment older than its sent_at, and ours are the same; the document says
    # sent_at in microseconds.
    assert status_webhook(order) == (
        r'{"webhook_type":"transaction_status","reference":"TRX24070385294000934",'
        r'"partner_reference":"INV12345678","status":"success","sn":"N\/A",'
        r'"note":"Transaksi berhasil pada 2024\/07\/02 20:11:43 WIB",'
        r'"sent_at":"2024-07-02T13:11:43.249000Z"}'
    )


async def test_a_finished_order_is_told_to_the_dashboard_by_nobody_in_particular(dashboard):
    async with telling(dashboard) as buyer:
        data = await buyer.bought()
        await buyer.simulator.settle()
        assert dashboard.heard == []
        await buyer.later()
        [(body, request)] = dashboard.heard
        asked = await buyer.status(data["reference"])
        assert json.loads(body) == {
            "webhook_type": "transaction_status",
            "reference": data["reference"],
            "partner_reference": "INV12345678",
            "status": "success",
            "sn": asked["sn"],
            "note": asked["note"],
            "sent_at": in_utc(buyer.clock.now),
        }
        assert asked["webhook_sent"] is True
        assert rb"2026\/07\/15" in body
        assert request.method == "POST"
        assert request.headers["Content-Type"] == "application/json"
        assert {"Signature", "X-Signature", "Authorization"}.isdisjoint(request.headers)


@pytest.mark.parametrize(
    ("word", "is_told"),
    [
        ("success", True),
        ("failed", True),
        ("expired", True),
        ("refund", False),
        ("unpaid", False),
        ("processing", False),
    ],
)
async def test_three_statuses_are_told_and_three_are_not(dashboard, word, is_told):
    async with telling(dashboard) as buyer:
        await buyer.bought()
        await buyer.done("finish", ref="INV12345678", status=word)
        await buyer.simulator.settle()
        assert [body["status"] for body in dashboard.bodies] == [word] * is_told


async def test_another_price_is_told_to_the_dashboard(dashboard):
    async with telling(dashboard) as buyer:
        await buyer.done("price", code=FIVE, price=1480)
        await buyer.done("price", code=FIVE, price=1480)
        await buyer.simulator.settle()
        assert dashboard.bodies == [
            {
                "webhook_type": "price_update",
                "data": [{"product_code": FIVE, "price_old": 1425, "price_new": 1480}],
            }
        ]


async def test_without_an_address_in_the_dashboard_nobody_is_told(buyer):
    await buyer.bought()
    await buyer.done("price", code=FIVE, price=1480)
    await buyer.later()
    assert (await buyer.journal())["callbacks"] == []


async def test_the_address_in_the_dashboard_can_be_entered_later(buyer, dashboard):
    await buyer.bought()
    await buyer.done("webhook", url=dashboard.url)
    await buyer.later()
    assert [body["status"] for body in dashboard.bodies] == ["success"]


@pytest.mark.parametrize(
    "answer",
    [
        {"text": ""},
        {"text": "OK"},
        {"text": "[]"},
        {"text": '{"status":400,"message":"Transaksi tidak ditemukan: TRX1"}'},
        {"text": json.dumps(THANKS), "status": 503},
    ],
)
async def test_a_webhook_comes_again_until_it_is_answered_as_they_expect(dashboard, answer):
    dashboard.answers.append(web.Response(**answer))
    async with telling(dashboard) as buyer:
        await buyer.bought()
        await buyer.later()
        assert len(dashboard.heard) == 1
        await buyer.later(5000)
        await buyer.later(60_000)
        assert len(dashboard.heard) == 2
        first, second = (await buyer.journal())["callbacks"]
        assert first["status"] == answer.get("status")
        assert first["error"] == ("" if "status" in answer else "NotUnderstood")
        assert (second["status"], second["error"]) == (200, "")


async def test_a_client_of_ones_own_is_used_as_it_is():
    asked = []

    def answer(request):
        asked.append(request.url)
        return httpx.Response(200)

    def client():
        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    url = "http://127.0.0.1:9/senpay"
    async with opened(SenPaySimulator, Buyer, callback_url=url, client=client) as buyer:
        await buyer.bought()
        await buyer.later()
        assert asked == [url]
        assert (await buyer.journal())["callbacks"][0]["status"] == 200


# What stands around


async def test_the_http_status_of_a_refusal_can_be_400(buyer):
    await buyer.done("fault", kind="http_400", count=2)
    message = {"status": 400, "message": "Transaksi tidak ditemukan"}
    assert [await buyer.ask("GET", "/transaction/TRX1") for _ in range(3)] == [
        (400, message),
        (400, message),
        (200, message),
    ]
    assert (await buyer.journal())["faults"] == []


async def test_an_answer_that_is_a_yes_uses_up_no_such_fault(buyer):
    await buyer.done("fault", kind="http_400")
    await buyer.read("/provider")
    assert len((await buyer.journal())["faults"]) == 1


async def test_a_path_that_is_not_theirs_is_refused_in_their_way(buyer):
    assert await buyer.ask("GET", "/consequatur") == (404, {"message": "Not Found"})
    assert await buyer.ask("DELETE", "/provider") == (405, {"message": "Method Not Allowed"})


async def test_everything_is_there_again_after_a_restart(tmp_path, dashboard):
    clock, file = Clock(), tmp_path / "senpay.json"
    async with telling(dashboard, clock=clock, state=file) as buyer:
        reference = (await buyer.bought())["reference"]
        await buyer.done("price", code=FIVE, price=1480)
        await buyer.simulator.settle()
    async with telling(dashboard, clock=clock, state=file) as buyer:
        assert (await buyer.read(f"/product/{FIVE}"))["price"] == 1480
        assert (await buyer.order())[1]["status"] == 400
        await buyer.later()
        assert (await buyer.status(reference))["status"] == "success"
        assert [body["webhook_type"] for body in dashboard.bodies] == [
            "price_update",
            "transaction_status",
        ]
