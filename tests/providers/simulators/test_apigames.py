import csv
import io
from hashlib import md5

import pytest

from providers.simulators import apigames
from providers.simulators.apigames import ApigamesSimulator
from providers.simulators.prepaid_books import PrepaidOrder
from tests.providers.simulators.desk import START, Desk, opened

MERCHANT = "M220718CYXXXXX3KFF"
SECRET = "rahasia"
ORDER = {"produk": "ff5", "tujuan": "4645", "server_id": ""}
NOT_VALID = (200, {"error_msg": "Signature not valid", "status": 0})


def signed(*parts, joint=":"):
    return md5(joint.join(parts).encode()).hexdigest()


class Merchant(Desk):
    def identity(self, ref="sdfsdx2", **changes):
        return {
            "merchant_id": MERCHANT,
            "ref_id": ref,
            "signature": signed(MERCHANT, SECRET, ref),
            **changes,
        }

    async def order(self, ref="sdfsdx2", *, without=(), **changes):
        body = {**self.identity(ref), **ORDER, **changes}
        body = {name: value for name, value in body.items() if name not in without}
        return await self.ask("POST", "/v2/transaksi", json=body)

    async def status(self, ref="sdfsdx2"):
        status, body = await self.ask("POST", "/v2/transaksi/status", json=self.identity(ref))
        assert (status, body["status"]) == (200, 1), body
        return body["data"]

    async def merchant(self, path="", joint=":", **query):
        query = {"signature": signed(MERCHANT, SECRET, joint=joint), **query}
        return await self.ask("GET", f"/merchant/{MERCHANT}{path}", params=query)

    async def balance(self):
        _, body = await self.merchant()
        return body["data"]["saldo"]


@pytest.fixture
async def merchant():
    async with opened(ApigamesSimulator, Merchant, secret_key=SECRET) as one:
        yield one


# The document's examples


@pytest.mark.parametrize(
    ("status", "sn", "words"),
    [
        ("Gagal", "error_require_login", "status GAGAL. error_require_login."),
        (
            "Validasi Provider",
            "BSK.AFULP. RefId : 12067803053055289057",
            "status VALIDASI PROVIDER. BSK.AFULP. RefId : 12067803053055289057.",
        ),
        (
            "Sukses Sebagian",
            "BSK.AFULP. RefId : 12067803053055289057",
            "status SUKSES SEBAGIAN. BSK.AFULP. RefId : 12067803053055289057.",
        ),
        (
            "Proses",
            "BSK.AFULP. RefId : 12067803053055289057",
            "status PROSES. BSK.AFULP. RefId : 12067803053055289057.",
        ),
        (
            "Pending",
            "BSK.AFULP. RefId : 12067803053055289057",
            "status PENDING. BSK.AFULP. RefId : 12067803053055289057.",
        ),
        (
            "Sukses",
            "BSK.AFULP. RefId : 12067803053055289057",
            "status SUKSES. SN/Ref: BSK.AFULP. RefId : 12067803053055289057.",
        ),
    ],
)
def test_every_example_of_the_document_is_written_alike(status, sn, words):
    order = PrepaidOrder(
        id="T220926XXXXX00003",
        ref="sdfsdx2",
        code="ff5",
        item="5 Diamond",
        category="Free Fire",
        target="4645",
        server="",
        nickname="BSK.AFULP",
        region="ID",
        price=750,
        status=status,
        sn=sn,
        accepted_at=START,
        plan="Sukses",
        due_at=None,
        changed_at=START,
        finished_at=None,
        callback_url="",
        key="",
        more={"merchant_id": MERCHANT},
    )
    assert apigames.order_row(order, balance=99_049_000) == {
        "merchant_id": "M220718CYXXXXX3KFF",
        "trx_id": "T220926XXXXX00003",
        "ref_id": "sdfsdx2",
        "destination": "4645",
        "product_code": "ff5",
        "product_code_master": "ff5",
        "message": f"R#sdfsdx2 ff5.4645, {words} Sisa saldo 99049000",
        "status": status,
        "sn": sn,
        "last_balance": "99049000",
        "product_detail": {
            "name": "5 Diamond Free Fire",
            "code": "ff5",
            "price": 3,
            "price_unit": "garena shell",
            "rate": 250,
            "price_rp": 750,
        },
    }


async def test_an_order_is_pending_charged_at_once_and_delivered_by_itself(merchant):
    status, body = await merchant.order()
    assert (status, body["status"], body["data"]["status"]) == (200, 1, "Pending")
    assert body["data"]["trx_id"].startswith("T260715")
    assert body["data"]["last_balance"] == "19689250"
    assert await merchant.balance() == 19_689_250
    await merchant.later(2999)
    assert (await merchant.status())["status"] == "Pending"
    await merchant.later(1)
    delivered = await merchant.status()
    assert delivered["status"] == "Sukses"
    assert " RefId : " in delivered["sn"]


async def test_a_failed_order_still_succeeds_outside_and_says_why_in_its_sn(merchant):
    await merchant.order()
    await merchant.done("finish", ref="sdfsdx2", status="gagal")
    data = await merchant.status()
    assert (data["status"], data["sn"]) == ("Gagal", "error_require_login")
    assert await merchant.balance() == 19_690_000


async def test_an_order_and_its_status_can_be_asked_by_address_too(merchant):
    query = {**merchant.identity(), "produk": "ff5", "tujuan": "4645"}
    _, ordered = await merchant.ask("GET", "/v2/transaksi", params=query)
    _, asked = await merchant.ask("GET", "/v2/transaksi/status", params=merchant.identity())
    assert ordered == asked
    assert ordered["data"]["ref_id"] == "sdfsdx2"


async def test_the_documented_formulas_are_the_ones_that_count():
    assert signed("M123", "SECRET", "ref-1") == "8b9ecec3097392155f525088b07cbaa3"
    async with opened(ApigamesSimulator, Merchant, secret_key="SECRET") as one:
        body = {
            "merchant_id": "M123",
            "ref_id": "ref-1",
            "signature": "8b9ecec3097392155f525088b07cbaa3",
            **ORDER,
        }
        _, answer = await one.ask("POST", "/v2/transaksi", json=body)
        assert answer["status"] == 1
        query = {"signature": "5fc1f5532303ca40df8d51233a6742c0"}
        _, answer = await one.ask("GET", "/merchant/M123", params=query)
        assert answer["data"]["saldo"] == 19_689_250


async def test_the_balance_is_a_number_in_the_documented_envelope(merchant):
    status, body = await merchant.merchant()
    data = body.pop("data")
    assert (status, body) == (
        200,
        {"status": 1, "rc": 200, "message": "Sukses", "ts": START // 1000},
    )
    assert list(data) == ["id", "merchant_id", "email", "hp", "nama", "saldo"]
    assert (data["merchant_id"], data["saldo"]) == (MERCHANT, 19_690_000)


# Signatures


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "1db518e0c97adb24cddc77be3c806773"},
        {"signature": ""},
        {"signature": None},
        {"signature": "é"},
        {"signature": signed(MERCHANT, "rahasia-lain", "sdfsdx2")},
        {"signature": signed(MERCHANT, SECRET, "sdfsdx2").upper()},
        {"ref_id": "sdfsdx3"},
        {"ref_id": ""},
        {"merchant_id": "M2"},
        {"merchant_id": "invalid", "signature": signed("invalid", SECRET, "sdfsdx2")},
    ],
)
async def test_nothing_is_done_for_a_signature_that_is_not_good(merchant, changes):
    assert await merchant.order(**changes) == NOT_VALID
    body = {**merchant.identity(), **changes}
    assert await merchant.ask("POST", "/v2/transaksi/status", json=body) == NOT_VALID
    assert (await merchant.journal())["orders"] == []


async def test_the_balance_takes_the_form_with_a_colon_alone(merchant):
    assert await merchant.merchant(joint="") == NOT_VALID
    assert await merchant.merchant(signature="") == NOT_VALID


async def test_the_balance_can_be_made_to_take_the_plain_form_alone(merchant):
    await merchant.done("fault", kind="plain_signature")
    assert await merchant.merchant() == NOT_VALID
    assert (await merchant.merchant(joint=""))[1]["status"] == 1
    assert (await merchant.merchant())[1]["status"] == 1


# Callbacks


async def test_every_change_is_told_to_the_dashboards_address(merchant):
    await merchant.done("webhook", url=merchant.url)
    await merchant.order()
    await merchant.simulator.settle()
    assert merchant.shop.heard == []
    await merchant.done("finish", ref="sdfsdx2", status="validasi_provider")
    await merchant.done("finish", ref="sdfsdx2", status="Sukses Sebagian")
    await merchant.simulator.settle()
    assert [said["status"] for said in merchant.shop.bodies] == [
        "Validasi Provider",
        "Sukses Sebagian",
    ]


async def test_a_callback_is_the_orders_row_without_an_envelope(merchant):
    await merchant.done("webhook", url=merchant.url)
    await merchant.order()
    await merchant.later()
    assert merchant.shop.bodies == [await merchant.status()]
    [(body, headers, _)] = merchant.shop.heard
    assert headers["X-Apigames-Authorization"] == signed(MERCHANT, SECRET, "sdfsdx2")
    assert b'","ref_id":"sdfsdx2","' in body


async def test_nobody_is_told_while_the_dashboard_names_no_address(merchant):
    await merchant.order()
    await merchant.later()
    assert (await merchant.journal())["callbacks"] == []


# Refusals that the documents leave open


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"produk": "consequatur"}, "Produk tidak ditemukan"),
        ({"produk": None}, "Produk tidak ditemukan"),
        ({"tujuan": ""}, "Parameter tujuan wajib diisi"),
        ({"server_id": None}, "Parameter server_id wajib diisi"),
    ],
)
async def test_what_cannot_be_ordered_is_refused_under_http_200(merchant, changes, why):
    assert await merchant.order(**changes) == (200, {"error_msg": why, "status": 0})
    assert (await merchant.journal())["orders"] == []


async def test_the_server_must_be_named_even_if_there_is_none(merchant):
    _, body = await merchant.order(without={"server_id"})
    assert body["status"] == 0


async def test_the_server_is_kept_beside_the_destination(merchant):
    _, body = await merchant.order(produk="ML86", tujuan="938572270", server_id="12729")
    assert body["data"]["destination"] == "938572270"
    assert body["data"]["sn"].startswith("Whyy. RefId : ")
    [order] = (await merchant.journal())["orders"]
    assert (order["target"], order["server"], order["price"]) == ("938572270", "12729", 19_000)


async def test_an_empty_balance_is_refused(merchant):
    await merchant.done("balance", balance=749)
    assert await merchant.order() == (200, {"error_msg": "Saldo tidak cukup", "status": 0})
    assert await merchant.balance() == 749


async def test_an_order_nobody_made_is_not_found(merchant):
    refusal = (200, {"error_msg": "Transaksi tidak ditemukan", "status": 0})
    body = merchant.identity()
    assert await merchant.ask("POST", "/v2/transaksi/status", json=body) == refusal
    _, ordered = await merchant.order()
    body = merchant.identity(ordered["data"]["trx_id"])
    assert await merchant.ask("POST", "/v2/transaksi/status", json=body) == refusal


async def test_an_order_of_another_merchant_is_not_found(merchant):
    await merchant.order()
    body = merchant.identity(merchant_id="M2", signature=signed("M2", SECRET, "sdfsdx2"))
    _, answer = await merchant.ask("POST", "/v2/transaksi/status", json=body)
    assert answer["status"] == 0


async def test_what_is_no_json_object_is_refused(merchant):
    for path in ["/v2/transaksi", "/v2/transaksi/status"]:
        for body in [b"", b"[]", b"{"]:
            _, answer = await merchant.ask("POST", path, data=body)
            assert answer["status"] == 0


@pytest.mark.parametrize(
    ("answer", "orders", "status"), [("order", 2, 1), ("status", 1, 1), ("refused", 1, 0)]
)
async def test_a_repeated_reference_is_answered_as_decided(merchant, answer, orders, status):
    await merchant.done("repeats", **{"as": answer})
    await merchant.order()
    _, body = await merchant.order()
    assert body["status"] == status
    assert len((await merchant.journal())["orders"]) == orders


# Nicknames and engines


@pytest.mark.parametrize("joint", ["", ":"])
async def test_a_player_is_found_by_either_signature(merchant, joint):
    status, body = await merchant.merchant("/cek-username/mobilelegend", joint, user_id="938572270")
    assert (status, body) == (
        200,
        {
            "status": 1,
            "rc": 0,
            "message": "Data Found",
            "data": {"is_valid": True, "username": "Whyy"},
            "ts": START // 1000,
        },
    )


@pytest.mark.parametrize("user_id", ["", "12", "abcdef", "٣٣٣٣٣٣"])
async def test_nobody_found_is_a_success_too(merchant, user_id):
    _, body = await merchant.merchant("/cek-username/freefire", user_id=user_id)
    assert (body["status"], body["rc"]) == (1, 0)
    assert body["data"] == {"is_valid": False, "username": ""}


async def test_games_and_engines_that_nobody_knows_are_refused(merchant):
    assert await merchant.merchant("/cek-koneksi", engine="higgsj") == (
        200,
        {"status": 0, "rc": 50, "error_msg": "Engine higgsj belum tersedia"},
    )
    _, body = await merchant.merchant("/cek-username/valorant", user_id="938572270")
    assert body["status"] == 0


async def test_an_engine_that_works_is_a_success_whose_rc_says_nothing(merchant):
    _, body = await merchant.merchant("/cek-koneksi", "", engine="smileone")
    assert (body["status"], body["rc"]) == (1, 50)


async def test_nobody_else_asks_for_players_and_engines(merchant):
    for path in ["/cek-username/freefire", "/cek-koneksi"]:
        query = {"signature": "1db518e0c97adb24cddc77be3c806773"}
        assert await merchant.merchant(path, **query) == NOT_VALID


# The owner's list


async def test_the_owners_list_is_what_is_for_sale_at_todays_prices(merchant):
    await merchant.done("price", code="ff5", price=800)
    await merchant.done("product", code="ff12", active=False)
    rows = list(csv.reader(io.StringIO(merchant.simulator.products_csv())))
    assert rows[:3] == [
        ["code", "game", "name", "price"],
        ["ff5", "Free Fire", "5 Diamond", "800"],
        ["ff50", "Free Fire", "50 Diamond", "7000"],
    ]
    assert 25 <= len(rows) - 1 <= 40


async def test_a_price_that_is_no_number_of_shells_is_told_in_rupiah(merchant):
    await merchant.done("price", code="ff5", price=801)
    _, body = await merchant.order()
    detail = body["data"]["product_detail"]
    assert (detail["price"], detail["price_unit"]) == (801, "rupiah")
    assert (detail["rate"], detail["price_rp"]) == (1, 801)
