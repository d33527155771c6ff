import hashlib
import hmac
from pathlib import Path

import pytest

from providers.simulators import zonegame
from providers.simulators.prepaid_books import PrepaidOrder
from providers.simulators.zonegame import ZoneGameSimulator
from shop.catalogue import game_of, read_games
from tests.providers.simulators.desk import START, Desk, opened

ORDER = {
    "product_code": "MLID5",
    "target": "938572270",
    "server_id": "12729",
    "trx_id": "ORDER-001",
}
KEY = "kunci"
GAMES = Path(zonegame.__file__).parents[2] / "shop" / "games.toml"


class Buyer(Desk):
    async def ask(self, method, path, *, key=KEY, **more):
        headers = {"Authorization": f"Bearer {key}"}
        return await super().ask(method, f"/api/v1{path}", headers=headers, **more)

    async def order(self, *, without=(), key=KEY, **changes):
        body = {**ORDER, "callback_url": self.url, **changes}
        body = {name: value for name, value in body.items() if name not in without}
        return await self.ask("POST", "/order", json=body, key=key)

    async def status(self, trx_id="ORDER-001"):
        status, body = await self.ask("GET", f"/order/{trx_id}")
        assert (status, body["success"]) == (200, True)
        return body["data"]

    async def balance(self):
        _, body = await self.ask("GET", "/profile")
        return body["data"]["balance"]


@pytest.fixture
async def buyer():
    async with opened(ZoneGameSimulator, Buyer) as one:
        yield one


# The document's examples


async def test_the_profile_shows_the_balance_as_a_number(buyer):
    assert await buyer.ask("GET", "/profile") == (
        200,
        {
            "success": True,
            "data": {
                "name": "John Doe",
                "email": "john@example.com",
                "phone": "08123456789",
                "tier": "member",
                "balance": 50000,
            },
        },
    )


async def test_the_price_list_begins_with_the_documents_row(buyer):
    status, body = await buyer.ask("GET", "/products")
    assert (status, body["success"]) == (200, True)
    assert body["data"][0] == {
        "code": "MLID5",
        "name": "5 Diamond (5 + 1)",
        "category": "Mobile Legends : Indonesia",
        "price": 1500,
    }
    assert 25 <= len(body["data"]) <= 40
    assert len({row["code"] for row in body["data"]}) == len(body["data"])


async def test_the_price_list_covers_the_games_that_are_sold_everywhere(buyer):
    games = read_games(GAMES.read_text(encoding="utf-8"))
    _, body = await buyer.ask("GET", "/products")
    sold = [game_of(row["category"], games) for row in body["data"]]
    assert all(game in sold for game in games[:8])


async def test_the_price_list_is_filtered_by_the_categorys_slug(buyer):
    _, body = await buyer.ask("GET", "/products", params={"category": "mobile-legends-indonesia"})
    assert {row["category"] for row in body["data"]} == {"Mobile Legends : Indonesia"}
    assert await buyer.ask("GET", "/products", params={"category": "consequatur"}) == (
        200,
        {"success": True, "data": []},
    )


async def test_one_product_is_shown_with_the_same_four_fields(buyer):
    _, listed = await buyer.ask("GET", "/products")
    assert await buyer.ask("GET", "/products/MLID5") == (
        200,
        {"success": True, "data": listed["data"][0]},
    )


async def test_a_product_that_nobody_sells_is_not_found(buyer):
    refusal = (404, {"success": False, "message": "Produk tidak ditemukan"})
    assert await buyer.ask("GET", "/products/consequatur") == refusal
    assert await buyer.order(product_code="consequatur") == refusal


async def test_an_order_is_answered_flat_and_charged_at_once(buyer):
    status, body = await buyer.order()
    invoice = body.pop("invoice_id")
    assert (status, body) == (
        200,
        {
            "success": True,
            "message": "Order berhasil dibuat",
            "trx_id": "ORDER-001",
            "product": "5 Diamond (5 + 1)",
            "target": "938572270",
            "nickname": "Whyy",
            "region": "ID",
            "price": 1500,
            "status": "pending",
        },
    )
    assert invoice.startswith("INV-")
    assert len(invoice) == len("INV-XXXXXXXXXXXXX")
    assert await buyer.balance() == 48_500


async def test_an_empty_balance_is_refused_with_both_amounts(buyer):
    await buyer.done("balance", balance=1000)
    assert await buyer.order() == (
        400,
        {"success": False, "message": "Saldo tidak cukup", "balance": 1000, "price": 1500},
    )
    assert (await buyer.journal())["orders"] == []
    assert await buyer.balance() == 1000


async def test_a_brazilian_item_is_not_for_an_account_elsewhere(buyer):
    assert await buyer.order(product_code="MLBR86") == (
        422,
        {
            "success": False,
            "message": "USER_REGION_IS_NOT_BR",
            "nickname": "Whyy",
            "region": "ID",
        },
    )
    assert await buyer.balance() == 50_000
    status, body = await buyer.order(product_code="MLBR86", target="551234567")
    assert (status, body["region"]) == (200, "BR")


async def test_a_delivered_order_carries_a_serial_number_and_a_date(buyer):
    _, ordered = await buyer.order()
    await buyer.later()
    data = await buyer.status()
    serial = data.pop("serial_number")
    assert data == {
        "invoice_id": ordered["invoice_id"],
        "trx_id": "ORDER-001",
        "product": "5 Diamond (5 + 1)",
        "target": "938572270",
        "server_id": "12729",
        "price": 1500,
        "status": "success",
        "created_at": "2026-07-15T03:00:00.000000Z",
    }
    assert serial.startswith("Whyy . RefId: DGG-")


def test_a_callback_is_the_documents_example_to_the_byte():
    order = PrepaidOrder(
        id="INV-XXXXXXXXXXXXX",
        ref="ORDER-001",
        code="MLID5",
        item="5 Diamond (5 + 1)",
        category="Mobile Legends : Indonesia",
        target="938572270",
        server="12729",
        nickname="Whyy",
        region="ID",
        price=1500,
        status="success",
        sn="Whyy . RefId: DGG-XXXXX",
        accepted_at=1_729_926_123_456,
        plan="success",
        due_at=None,
        changed_at=1_729_926_123_456,
        finished_at=1_729_926_123_456,
        callback_url="",
        key="test-api-key",
        more={},
    )
    body = zonegame.callback_body(order, balance=50_000)
    assert len(body) == 409
    # Made with Node's JSON.stringify and createHmac, as the document shows it.
    assert zonegame.hmac_of(body, order.key) == (
        "eae7e8244b594704ebcaab55368fb62186cda4ee7051e95f6b29809c80a62bec"
    )


# Callbacks


async def test_a_finished_order_is_told_to_its_own_address_signed_with_its_own_key(buyer):
    _, ordered = await buyer.order(key="kunci-lain")
    assert buyer.shop.heard == []
    await buyer.later()
    [(body, headers, _)] = buyer.shop.heard
    assert headers["x-signature"] == hmac.new(b"kunci-lain", body, hashlib.sha256).hexdigest()
    assert headers["Content-Type"] == "application/json"
    [said] = buyer.shop.bodies
    asked = await buyer.status()
    assert said == {
        "invoice_number": ordered["invoice_id"],
        "trx_id": "ORDER-001",
        "response_note": asked["serial_number"],
        "category": {"title": "Mobile Legends : Indonesia", "subtitle": None, "type": "game"},
        "product": {"name": "5 Diamond (5 + 1)", "code": "MLID5", "price": 1500},
        "user_input": {"user_id": "938572270", "server_id": "12729", "nickname": None},
        "balance": 48_500,
        "amount": 1500,
        "status": "SUCCESS",
        "voucher": None,
        "created_at": START // 1000,
    }


async def test_an_order_without_an_address_is_told_to_nobody():
    async with opened(ZoneGameSimulator, Buyer) as buyer:
        await buyer.order(without={"callback_url"})
        await buyer.later()
        assert buyer.shop.heard == []
        assert (await buyer.status())["status"] == "success"


async def test_there_is_no_dashboard_to_enter_an_address_in(buyer):
    status, body = await buyer.control("webhook", url=buyer.url)
    assert status == 404
    assert "webhook" in body["error"]


async def test_a_failed_order_is_told_and_gives_its_price_back(buyer):
    await buyer.order()
    await buyer.done("finish", ref="ORDER-001", status="FAILED")
    await buyer.simulator.settle()
    [said] = buyer.shop.bodies
    assert (said["status"], said["balance"]) == ("FAILED", 50_000)
    assert (await buyer.status())["status"] == "failed"
    assert await buyer.balance() == 50_000


# Refusals that the document leaves open


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": KEY},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic kunci"},
        {"Authorization": "Bearer invalid-key"},
    ],
)
@pytest.mark.parametrize("path", ["/profile", "/products", "/products/MLID5", "/order/A"])
async def test_nobody_without_a_good_key_hears_anything(buyer, path, headers):
    async with buyer.http.get(f"/zonegame/api/v1{path}", headers=headers) as reply:
        assert reply.status == 401
        assert (await reply.json())["success"] is False


async def test_nobody_without_a_good_key_orders(buyer):
    status, _ = await buyer.order(key="invalid")
    assert status == 401
    assert (await buyer.journal())["orders"] == []


async def test_an_order_nobody_made_is_not_found(buyer):
    assert await buyer.ask("GET", "/order/ORDER-002") == (
        404,
        {"success": False, "message": "Order tidak ditemukan"},
    )


async def test_an_order_is_found_by_our_reference_alone(buyer):
    _, ordered = await buyer.order()
    status, _ = await buyer.ask("GET", f"/order/{ordered['invoice_id']}")
    assert status == 404


@pytest.mark.parametrize("name", ["product_code", "target", "server_id", "trx_id"])
async def test_a_field_that_is_missing_or_no_text_is_refused(buyer, name):
    for reply in [
        await buyer.order(without={name}),
        await buyer.order(**{name: ""}),
        await buyer.order(**{name: 5}),
    ]:
        assert reply[0] == 422
        assert name.replace("_", " ") in reply[1]["message"]
    assert (await buyer.journal())["orders"] == []


async def test_a_game_without_servers_needs_none(buyer):
    status, body = await buyer.order(product_code="FF70", target="123456789", without={"server_id"})
    assert (status, body["price"]) == (200, 9_900)
    assert (await buyer.status())["server_id"] is None


async def test_what_is_no_json_object_is_refused(buyer):
    for body in [b"", b"[]", b"{", b'"x"']:
        status, said = await buyer.ask("POST", "/order", data=body)
        assert (status, said["success"]) == (422, False)


async def test_a_path_that_is_not_theirs_is_refused_in_their_way(buyer):
    status, body = await buyer.ask("GET", "/consequatur")
    assert (status, body) == (404, {"success": False, "message": "Not Found"})
    status, body = await buyer.ask("DELETE", "/order")
    assert (status, body) == (405, {"success": False, "message": "Method Not Allowed"})


# A reference that comes twice


async def test_a_repeated_reference_is_a_second_order_unless_decided_otherwise(buyer):
    _, first = await buyer.order()
    _, second = await buyer.order()
    assert first["invoice_id"] != second["invoice_id"]
    assert await buyer.balance() == 47_000
    assert [order["ref"] for order in (await buyer.journal())["orders"]] == ["ORDER-001"] * 2
    assert (await buyer.status())["invoice_id"] == second["invoice_id"]


async def test_a_repeated_reference_may_be_refused(buyer):
    await buyer.done("repeats", **{"as": "refused"})
    await buyer.order()
    status, body = await buyer.order()
    assert (status, body["success"]) == (400, False)
    assert len((await buyer.journal())["orders"]) == 1


async def test_a_repeated_reference_may_be_answered_with_what_became_of_the_first(buyer):
    await buyer.done("repeats", **{"as": "status"})
    _, first = await buyer.order()
    await buyer.later()
    assert await buyer.order() == (200, {**first, "status": "success"})
    assert len((await buyer.journal())["orders"]) == 1
    assert await buyer.balance() == 48_500


# Control


async def test_another_price_holds_for_new_orders_alone(buyer):
    await buyer.order()
    await buyer.done("price", code="MLID5", price=1600)
    _, body = await buyer.order(trx_id="ORDER-002")
    assert body["price"] == 1600
    assert (await buyer.status())["price"] == 1500
    assert (await buyer.ask("GET", "/products/MLID5"))[1]["data"]["price"] == 1600


async def test_a_product_taken_off_is_gone_until_it_comes_back(buyer):
    await buyer.done("product", code="MLID5", active=False)
    _, body = await buyer.ask("GET", "/products")
    assert "MLID5" not in {row["code"] for row in body["data"]}
    assert (await buyer.ask("GET", "/products/MLID5"))[0] == 404
    assert (await buyer.order())[0] == 404
    await buyer.done("product", code="MLID5", active=True)
    assert (await buyer.order())[0] == 200
