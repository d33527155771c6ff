import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from providers.simulators import kiosgame
from providers.simulators.callbacks import hmac_of
from providers.simulators.kiosgame import KiosgameSimulator
from providers.simulators.kiosgame_answers import callback_body
from providers.simulators.kiosgame_catalogue import ITEMS
from providers.simulators.kiosgame_otomax import created_line, report_url, status_line, taken_apart
from providers.simulators.players import nickname_of
from providers.simulators.prepaid_books import PrepaidOrder
from shop.catalogue import game_of, read_games
from tests.providers.simulators.desk import START, Clock, Desk, opened

GAMES = Path(kiosgame.__file__).parents[2] / "shop" / "games.toml"
KEY = "kunci"
USER = "123456789"
TRX = "853cdef4-7cf6-453a-b3a1-ba85d1e1c28a"
ORDER = {"product_code": "S1_1187", "user_id": USER, "server_id": "1234", "trx_id": TRX}
OTOMAX = {"product_code": "S1_1187", "user_id": "1234567891234", "trx_id": "1234243244"}
NICKNAME = nickname_of(USER)

# As in the document; its serial number is the one of "Get invoice detail".
PLAYED = PrepaidOrder(
    id="APIKUY_XX_1679528285_4321",
    ref="",
    code="S1_1187",
    item="5 (5+0) Diamonds",
    category="Mobile Legends",
    target="123456789",
    server="1234",
    nickname="Nickname",
    region="",
    price=1511,
    status="SUCCESS",
    sn="Nickname - 123456789(1234) . RefId: XX_1679528285_1234",
    accepted_at=1_679_528_285_000,
    plan="SUCCESS",
    due_at=None,
    changed_at=1_679_528_285_000,
    finished_at=1_679_528_285_000,
    callback_url="",
    key="test-api-key",
    more={"protocol": "json"},
)


def no(message, status=400):
    error = {400: "Bad Request", 404: "Not Found"}[status]
    return status, {"statusCode": status, "message": message, "error": error}


class Buyer(Desk):
    async def ask(self, method, path, *, key=KEY, **more):
        return await super().ask(method, path, headers={"Authorization": key}, **more)

    async def read(self, path, **query):
        status, body = await self.ask("GET", path, params=query)
        assert (status, body["statusCode"], body["message"]) == (200, 200, "success"), body
        return body["data"]

    async def order(self, version=1, *, without=(), key=KEY, **changes):
        body = {**ORDER, "callback_url": self.url, **changes}
        body = {name: value for name, value in body.items() if name not in without}
        return await self.ask("POST", f"/v{version}/order", json=body, key=key)

    async def bought(self, version=1, **changes):
        status, body = await self.order(version, **changes)
        assert (status, body["statusCode"], body["message"]) == (201, 200, "success"), body
        return body["data"]

    async def invoice(self, number):
        return await self.read(f"/v1/status/{number}")

    async def line(self, path, **query):
        """Ask as Otomax does: the key in the address, the answer a line of text."""
        query = {"apikey": KEY, **query}
        async with self.http.get(f"/kiosgame{path}", params=query) as reply:
            if reply.content_type == "application/json":
                return reply.status, await reply.json()
            assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
            return reply.status, await reply.text()

    async def otomax(self, version=3, **changes):
        return await self.line(
            f"/v{version}/otomax/order", **{**OTOMAX, "callback_url": self.url, **changes}
        )

    async def orders(self):
        return (await self.journal())["orders"]

    async def balance(self):
        return (await self.read("/v1/user"))["user_balance"]


@pytest.fixture
async def buyer():
    async with opened(KiosgameSimulator, Buyer) as one:
        yield one


# The list


async def test_the_user_is_shown_as_in_the_document(buyer):
    assert await buyer.read("/v1/user") == {
        "user_name": "TopupKuy",
        "user_email": "email@topupkuy.id",
        "user_phone": "628xxxxx",
        "user_balance": 1_000_000,
        "user_created_at": "2023-03-23T00:00:00.000Z",
        "user_updated_at": "2023-03-23T00:00:00.000Z",
        "role_name": "Platinum Member",
        "role_code": "platinum",
    }


async def test_the_list_begins_with_the_documents_row(buyer):
    rows = await buyer.read("/v1/products")
    assert rows[0] == {
        "product_id": "d8ccc4ea-e19d-4255-a7d0-f85d6fad0d77",
        "product_name": "86 Diamonds",
        "product_code": "S4_ML86",
        "product_price": 18624,
        "is_active": True,
        "category_type": "game",
        "category_title": "Mobile Legends",
        "category_subtitle": None,
    }
    assert 25 <= len(rows) == len(ITEMS) <= 40
    assert {type(row["is_active"]) for row in rows} == {bool}
    assert {row["is_active"] for row in rows} == {True, False}
    for name in ["product_id", "product_code"]:
        assert len({row[name] for row in rows}) == len(rows)


async def test_the_list_covers_the_games_that_are_sold_everywhere(buyer):
    games = read_games(GAMES.read_text())
    sold = [game_of(row["category_title"], games) for row in await buyer.read("/v1/products")]
    assert [game.slug for game in games[:8] if game not in sold] == []


async def test_the_list_may_be_posted_for(buyer):
    status, body = await buyer.ask("POST", "/v1/products")
    assert (status, body["data"]) == (200, await buyer.read("/v1/products"))


async def test_a_category_is_shown_as_in_the_document_with_numbers_for_truth(buyer):
    rows = await buyer.read("/v1/category")
    photos = "http://res.cloudinary.com/dk2yxqi3y/image/upload/v1700591984/logo"
    assert rows[0] == {
        "category_id": "dca1a711-b6e2-4158-98da-014eb5caf458",
        "category_type": "game",
        "category_title": "Mobile Legends",
        "category_subtitle": "Montoon",
        "category_banner": None,
        "category_photo": f"{photos}/tnxifn7hdnpuz5ufgvzd.webp",
        "category_slug": "mobile-legends",
        "is_active": 1,
        "is_server": 1,
        "is_popular": 1,
        "is_hotsale": 0,
        "category_order": 1,
    }
    assert {row["is_active"] for row in rows} == {0, 1}
    servers = {row["category_title"] for row in rows if row["is_server"]}
    assert servers == {"Mobile Legends", "Genshin Impact", "Honkai: Star Rail"}


async def test_the_list_is_filtered_by_the_categorys_id(buyer):
    every = await buyer.read("/v1/products")
    for category in await buyer.read("/v1/category"):
        rows = await buyer.read("/v1/products", category_id=category["category_id"])
        title = category["category_title"]
        assert rows == [row for row in every if row["category_title"] == title] != []
    assert await buyer.read("/v1/products", category_id="consequatur") == []


async def test_one_product_is_found_by_code_or_id_with_a_number_for_truth(buyer):
    by_code = await buyer.read("/v1/product", product_code="S1_10835")
    assert by_code == {
        "product_id": "00116691-900f-4753-a5d2-62f11a43469d",
        "product_name": "60 + 1 Gems",
        "product_code": "S1_10835",
        "product_logo": None,
        "product_price": 11327,
        "is_active": 1,
        "category_type": "game",
        "category_title": "Goddess of Victory: Nikke",
        "category_subtitle": "Level Infinite",
    }
    assert type(by_code["is_active"]) is int
    assert await buyer.read("/v1/product", product_id=by_code["product_id"]) == by_code


async def test_a_product_that_nobody_sells_is_not_found(buyer):
    refusal = no("PRODUCT_NOT_FOUND", 404)
    for query in [{"product_code": "x"}, {"product_id": "x"}, {}]:
        assert await buyer.ask("GET", "/v1/product", params=query) == refusal
    assert await buyer.order(product_code="x") == refusal
    assert await buyer.otomax(product_code="x") == refusal


async def test_a_product_added_later_is_sold_in_a_category_of_its_own(buyer):
    await buyer.done("product", code="S1_9", name="1 Koin", category="Game Baru", price=500)
    row = await buyer.read("/v1/product", product_code="S1_9")
    assert (row["product_price"], row["category_title"]) == (500, "Game Baru")
    category = (await buyer.read("/v1/category"))[-1]
    assert (category["category_title"], category["category_slug"]) == ("Game Baru", "game-baru")
    [listed] = await buyer.read("/v1/products", category_id=category["category_id"])
    assert listed["product_id"] == row["product_id"]
    assert (await buyer.bought(product_code="S1_9"))["amount"] == 500


# Keys


@pytest.mark.parametrize("key", ["", " ", "invalid", "invalid-key", f"Bearer {KEY}"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/user",
        "/v1/products",
        "/v1/category",
        "/v1/product?product_code=S4_ML86",
        "/v1/status/APIKUY_1",
        "/v1/status/trx-id/1",
        "/v1/otomax/user",
        "/v1/otomax/status/APIKUY_1",
        "/v3/otomax/order",
    ],
)
async def test_nobody_without_a_good_key_hears_anything(buyer, path, key):
    refusal = no("API_KEY_NOT_FOUND", 404)
    joint = "&" if "?" in path else "?"
    assert await buyer.ask("GET", f"{path}{joint}apikey={key}", key=key) == refusal


@pytest.mark.parametrize("version", [1, 2])
async def test_nobody_without_a_good_key_orders(buyer, version):
    assert await buyer.order(version, key="invalid") == no("API_KEY_NOT_FOUND", 404)
    assert await buyer.orders() == []


async def test_each_protocol_looks_for_the_key_in_its_own_place(buyer):
    refusal = no("API_KEY_NOT_FOUND", 404)
    assert await buyer.ask("GET", "/v1/otomax/user") == refusal
    assert await buyer.line("/v1/user") == refusal


async def test_an_address_may_not_be_whitelisted(buyer):
    await buyer.done("fault", kind="ip_not_whitelisted", count=2)
    assert await buyer.order() == no("IP_NOT_WHITELISTED")
    assert await buyer.otomax() == no("IP_NOT_WHITELISTED")
    assert await buyer.orders() == []
    await buyer.bought()


async def test_no_key_stands_in_the_journal(buyer):
    await buyer.bought()
    await buyer.otomax()
    await buyer.later()
    assert f'"{KEY}"' not in json.dumps(await buyer.journal())
    assert f"apikey={KEY}" not in json.dumps(await buyer.journal())


# Orders in JSON


@pytest.mark.parametrize("version", [1, 2])
async def test_an_order_is_answered_as_in_the_document_and_charged_at_once(buyer, version):
    data = await buyer.bought(version)
    number, note = data.pop("invoice_number"), data.pop("response_note")
    assert data == {
        "trx_id": None,
        "category": {"title": "Mobile Legends", "subtitle": None, "type": "game"},
        "product": {"name": "5 (5+0) Diamonds", "code": "S1_1187", "price": 1511},
        "user_input": {"user_id": USER, "server_id": "1234", "nickname": NICKNAME},
        "amount": 1511,
        "status": "PENDING",
        "voucher": None,
        "created_at": "2026-07-15T03:00:00.000Z",
    }
    assert number == f"APIKUY_ML_{START // 1000}_0001"
    assert note.startswith(f"{NICKNAME} - 123456789(1234) . RefId: ML_{START // 1000}_")
    assert note.rpartition(": ")[2] not in number
    assert await buyer.balance() == 1_000_000 - 1511


async def test_an_invoice_is_found_by_its_number_and_by_our_reference(buyer):
    created = await buyer.bought()
    invoice = await buyer.invoice(created["invoice_number"])
    assert invoice == {**created, "trx_id": TRX}
    assert await buyer.read(f"/v1/status/trx-id/{TRX}") == invoice
    await buyer.later()
    assert (await buyer.invoice(created["invoice_number"]))["status"] == "SUCCESS"


async def test_an_invoice_is_not_found_by_the_other_name(buyer):
    created = await buyer.bought()
    refusal = no("INVOICE_NOT_FOUND", 404)
    number = created["invoice_number"]
    for path in [f"/v1/status/{TRX}", f"/v1/status/trx-id/{number}", "/v1/status/x"]:
        assert await buyer.ask("GET", path) == refusal


async def test_an_invoice_is_shown_to_the_key_it_was_made_with_only(buyer):
    number = (await buyer.bought())["invoice_number"]
    refusal = no("INVOICE_NOT_FOUND", 404)
    for path in [f"/v1/status/{number}", f"/v1/status/trx-id/{TRX}"]:
        assert await buyer.ask("GET", path, key="kunci-lain") == refusal
    assert await buyer.line(f"/v1/otomax/status/{number}", apikey="kunci-lain") == refusal


async def test_an_invoice_may_be_missing_for_a_while(buyer):
    await buyer.bought()
    await buyer.done("fault", kind="missing")
    path = f"/v1/status/trx-id/{TRX}"
    assert await buyer.ask("GET", path) == no("INVOICE_NOT_FOUND", 404)
    await buyer.read(path)


async def test_an_order_needs_no_reference_of_ours(buyer):
    first = await buyer.bought(without={"trx_id"})
    second = await buyer.bought(2, trx_id="")
    third = await buyer.bought(2, trx_id=None)
    fourth = await buyer.bought(without={"trx_id"})
    numbers = [each["invoice_number"] for each in (first, second, third, fourth)]
    assert len(set(numbers)) == 4
    assert [(await buyer.invoice(number))["trx_id"] for number in numbers] == [None] * 4


@pytest.mark.parametrize("name", ["product_code", "user_id"])
async def test_a_field_that_is_missing_or_no_text_is_refused(buyer, name):
    empty, wrong = no([f"{name} should not be empty"]), no([f"{name} must be a string"])
    assert await buyer.order(without={name}) == empty
    assert await buyer.order(**{name: " "}) == empty
    assert await buyer.order(**{name: 5}) == wrong
    assert await buyer.order(**{name: "7" * 501}) == wrong
    assert await buyer.order(**{name: "\ud800"}) == wrong
    assert await buyer.orders() == []


async def test_all_that_is_wrong_is_named_at_once(buyer):
    _, body = await buyer.order(without={"user_id"}, trx_id=5)
    assert body["message"] == ["user_id should not be empty", "trx_id must be a string"]


async def test_what_is_no_json_object_is_refused(buyer):
    for body in [b"", b"[]", b"{", b'"x"']:
        assert (await buyer.ask("POST", "/v2/order", data=body))[0] == 400


@pytest.mark.parametrize("version", [1, 2])
async def test_an_order_is_refused_in_the_documents_words(buyer, version):
    assert await buyer.order(version, product_code="S4_ML706") == no("PRODUCT_INACTIVE")
    assert await buyer.order(version, product_code="S1_9050") == no("PRODUCT_INACTIVE")
    ewallet = await buyer.order(version, product_code="S9_DANA10")
    assert ewallet == no("PAYMENT_METHOD_NOT_ALLOWED")
    for url in ["halo", "ftp://127.0.0.1/x", "http://", "//127.0.0.1/x", "http://[/"]:
        assert await buyer.order(version, callback_url=url) == no("INVALID_CALLBACK_URL")
    assert await buyer.order(version, user_id="00012345") == no("NICKNAME_NOT_FOUND")
    nobody = await buyer.order(version, product_code="S4_FF70", user_id="00012345", server_id="")
    assert nobody == no("INVALID_USER_ID")
    assert await buyer.orders() == []
    assert await buyer.balance() == 1_000_000


async def test_a_game_with_servers_needs_one_and_another_does_not(buyer):
    for without, changes in [({"server_id"}, {}), ((), {"server_id": ""})]:
        assert await buyer.order(without=without, **changes) == no("NICKNAME_NOT_FOUND")
    data = await buyer.bought(product_code="S4_FF70", without={"server_id"})
    assert data["user_input"]["server_id"] == ""
    assert data["response_note"].startswith(f"{NICKNAME} - {USER} . RefId: FF_")


async def test_a_balance_that_does_not_suffice_is_refused(buyer):
    await buyer.done("balance", balance=1510)
    assert await buyer.order(2) == no("INSUFFICIENT_BALANCE")
    assert await buyer.otomax() == no("INSUFFICIENT_BALANCE")
    assert await buyer.balance() == 1510
    await buyer.done("balance", balance=1511)
    await buyer.bought(2)
    assert await buyer.balance() == 0


async def test_a_product_taken_off_is_refused_until_it_comes_back(buyer):
    await buyer.done("product", code="S1_1187", active=False)
    assert await buyer.order() == no("PRODUCT_INACTIVE")
    assert (await buyer.read("/v1/product", product_code="S1_1187"))["is_active"] == 0
    await buyer.done("product", code="S1_1187", active=True)
    await buyer.bought()


async def test_another_price_holds_for_new_orders_alone(buyer):
    first = await buyer.bought()
    await buyer.done("price", code="S1_1187", price=1600)
    assert (await buyer.bought(trx_id="2"))["amount"] == 1600
    assert (await buyer.read("/v1/product", product_code="S1_1187"))["product_price"] == 1600
    assert (await buyer.invoice(first["invoice_number"]))["amount"] == 1511


# A reference that comes twice


async def test_v1_refuses_a_known_reference(buyer):
    await buyer.bought()
    assert await buyer.order() == no("DUPLICATE_TRX_ID")
    assert await buyer.order(product_code="S4_FF70", user_id="987654321") == no("DUPLICATE_TRX_ID")
    buyer.clock.now += 1000 * 24 * 60 * 60 * 1000
    assert await buyer.order() == no("DUPLICATE_TRX_ID")
    assert len(await buyer.orders()) == 1


async def test_v2_takes_a_known_reference_for_a_question(buyer):
    first = await buyer.bought(2)
    assert await buyer.bought(2) == first
    await buyer.later()
    again = await buyer.bought(2)
    assert again == {**first, "status": "SUCCESS", "response_note": again["response_note"]}
    assert len(await buyer.orders()) == 1
    assert await buyer.balance() == 1_000_000 - 1511


async def test_v2_never_makes_a_second_order_whatever_else_is_asked_for(buyer):
    first = await buyer.bought(2)
    await buyer.done("balance", balance=0)
    await buyer.done("product", code="S1_1187", active=False)
    for changes in [
        {"product_code": "S4_FF70"},
        {"product_code": "nothing"},
        {"user_id": "00012345"},
        {"callback_url": "halo"},
    ]:
        assert await buyer.bought(2, **changes) == first
    assert len(await buyer.orders()) == 1


async def test_a_reference_is_one_reference_in_every_protocol(buyer):
    await buyer.bought(2, trx_id="1234243244")
    assert await buyer.order(1, trx_id="1234243244") == no("DUPLICATE_TRX_ID")
    for version in [1, 2]:
        assert await buyer.otomax(version) == no("DUPLICATE_TRX_ID")
    status, line = await buyer.otomax(3)
    assert (status, line.startswith("R#1234243244 APIKUY_ML_")) == (200, True)
    assert len(await buyer.orders()) == 1


async def test_a_reference_of_another_key_is_used_up_and_not_shown(buyer):
    await buyer.bought(2, key="kunci-lain")
    assert await buyer.order(2) == no("DUPLICATE_TRX_ID")
    assert await buyer.otomax(3, trx_id=TRX) == no("DUPLICATE_TRX_ID")
    assert len(await buyer.orders()) == 1


async def test_a_refused_order_uses_no_reference_up(buyer):
    await buyer.order(user_id="00012345")
    await buyer.bought()


async def test_nobody_decides_what_a_repeated_reference_is(buyer):
    assert (await buyer.control("repeats", **{"as": "order"}))[0] == 404


# Statuses


@pytest.mark.parametrize(
    ("word", "charged"),
    [
        ("PENDING", 1511),
        ("PAID", 1511),
        ("SUCCESS", 1511),
        ("PARTIAL_SUCCESS", 1511),
        ("FAILED", 0),
        ("REFUNDED", 0),
    ],
)
async def test_every_status_of_the_document_can_be_and_costs_what_it_says(buyer, word, charged):
    number = (await buyer.bought())["invoice_number"]
    await buyer.done("finish", ref=TRX, status=word)
    assert (await buyer.invoice(number))["status"] == word
    assert await buyer.balance() == 1_000_000 - charged


async def test_the_note_names_the_player_or_says_what_went_wrong(buyer):
    number = (await buyer.bought())["invoice_number"]
    ref_id = (await buyer.invoice(number))["response_note"].rpartition(" . ")[2]
    for word, left in [
        ("SUCCESS", f"{NICKNAME} - 123456789(1234)"),
        ("FAILED", "Transaksi gagal"),
        ("REFUNDED", "Saldo dikembalikan"),
    ]:
        await buyer.done("finish", ref=number, status=word)
        assert (await buyer.invoice(number))["response_note"] == f"{left} . {ref_id}"
    await buyer.done("finish", ref=number, status="SUCCESS", sn="Voucher ABC")
    assert (await buyer.invoice(number))["response_note"] == "Voucher ABC"


# Callbacks in JSON


def test_a_callback_is_the_documents_example_to_the_byte():
    body = callback_body(PLAYED, 12_345_678)
    assert len(body) == 454
    # Made with Node's JSON.stringify and createHmac, as the document shows it.
    assert hmac_of(body, PLAYED.key) == (
        "d39b395ea71f8d8319c6036bde8b9dcd6ad61af0fd23b54ca2ed7f4896a5db39"
    )


async def test_a_finished_order_is_told_to_its_own_address_signed_with_its_own_key(buyer):
    number = (await buyer.bought(key="kunci-lain"))["invoice_number"]
    await buyer.simulator.settle()
    assert buyer.shop.heard == []
    await buyer.later()
    [(body, headers, path)] = buyer.shop.heard
    assert path == "/callbacks"
    assert headers["x-signature"] == hmac.new(b"kunci-lain", body, hashlib.sha256).hexdigest()
    assert headers["Content-Type"] == "application/json"
    _, asked = await buyer.ask("GET", f"/v1/status/{number}", key="kunci-lain")
    assert json.loads(body) == {**asked["data"], "balance": 1_000_000 - 1511}
    assert asked["data"]["trx_id"] == TRX


async def test_an_order_without_our_reference_is_told_without_one(buyer):
    number = (await buyer.bought(without={"trx_id"}))["invoice_number"]
    await buyer.later()
    [said] = buyer.shop.bodies
    assert (said["trx_id"], said["invoice_number"]) == (None, number)


@pytest.mark.parametrize(
    ("word", "is_told"),
    [
        ("SUCCESS", True),
        ("PARTIAL_SUCCESS", True),
        ("REFUNDED", True),
        ("FAILED", True),
        ("PENDING", False),
        ("PAID", False),
    ],
)
@pytest.mark.parametrize("protocol", ["json", "otomax"])
async def test_four_statuses_are_told_and_two_are_not(buyer, protocol, word, is_told):
    if protocol == "json":
        await buyer.bought()
    else:
        await buyer.otomax(trx_id=TRX)
    await buyer.done("finish", ref=TRX, status=word)
    await buyer.simulator.settle()
    assert len(buyer.shop.heard) == int(is_told)


async def test_a_callback_tells_the_balance_after_the_money_came_back(buyer):
    await buyer.bought()
    await buyer.done("finish", ref=TRX, status="REFUNDED")
    await buyer.simulator.settle()
    [said] = buyer.shop.bodies
    assert (said["status"], said["balance"], said["amount"]) == ("REFUNDED", 1_000_000, 1511)


async def test_an_order_without_an_address_is_told_to_the_dashboards_if_there_is_one(buyer):
    await buyer.bought(without={"callback_url"})
    await buyer.bought(trx_id="2", callback_url="")
    await buyer.later()
    assert buyer.shop.heard == []
    await buyer.done("webhook", url=buyer.url)
    await buyer.bought(trx_id="3", without={"callback_url"})
    await buyer.later()
    assert [said["trx_id"] for said in buyer.shop.bodies] == ["3"]


async def test_nothing_but_loopback_is_spoken_to(buyer):
    await buyer.bought(callback_url="https://your-website.com/callback")
    await buyer.later()
    [row] = (await buyer.journal())["callbacks"]
    assert (row["status"], row["error"].startswith("not sent")) == (None, True)


# Otomax


def test_the_lines_are_the_documents():
    played = {"id": "APIKUY_XX_1679528285_4321", "code": "S1_1187"}
    pending = changed(ref="123424324", status="PENDING", **played)
    assert created_line(pending, "ML_1680405885_1234", 12345) == (
        "R#123424324 S1_1187.123456789|1234, status PENDING. "
        "RefId : ML_1680405885_1234 . Sisa saldo 12345"
    )
    note = "Nickname - 123456789(1234) . RefId: XX_1679528285_4321"
    done = changed(ref="1234243244", sn=note, **played)
    assert status_line(done, 12343) == (
        "R#1234243244 APIKUY_XX_1679528285_4321 S1_1187.123456789(1234), status SUCCESS. "
        "Nickname - 123456789(1234) . RefId: XX_1679528285_4321 . Sisa saldo 12343"
    )
    assert report_url(done, "https://your-website.com/callback", 12343) == (
        "https://your-website.com/callback?invoice_number=APIKUY_XX_1679528285_4321"
        "&trx_id=1234243244&status=SUCCESS"
        "&sn=Nickname%20-%20123456789(1234)%20.%20RefId:%20XX_1679528285_4321"
        "&msg=R#1234243244%20APIKUY_XX_1679528285_4321%20S1_1187.123456789(1234),"
        "%20status%20SUCCESS.%20Nickname%20-%20123456789(1234)%20.%20RefId:%20"
        "XX_1679528285_4321%20.%20Sisa%20saldo%2012343"
    )


def changed(**changes):
    fields = {name: getattr(PLAYED, name) for name in PrepaidOrder.__dataclass_fields__}
    return PrepaidOrder(**{**fields, **changes})


def test_a_report_is_added_to_an_address_with_a_query():
    url = report_url(PLAYED, "http://127.0.0.1/callback?toko=a", 1)
    assert url.startswith("http://127.0.0.1/callback?toko=a&invoice_number=APIKUY_XX_")


def test_a_line_of_a_game_without_servers_names_the_account_alone():
    order = changed(ref="1", server="", sn="X . RefId: Y")
    assert created_line(order, "Y", 1).startswith("R#1 S1_1187.123456789, status")
    assert " S1_1187.123456789, status" in status_line(order, 1)


@pytest.mark.parametrize(
    ("joined", "apart"),
    [
        ("1234567891234", ("123456789", "1234")),
        ("812345678os_asia", ("812345678", "os_asia")),
        ("812345678prod_official_asia", ("812345678", "prod_official_asia")),
        ("1234", ("1234", "")),
        ("Budi#ID1", ("Budi#ID1", "")),
    ],
)
def test_user_and_server_written_as_one_are_taken_apart(joined, apart):
    assert taken_apart(joined) == apart


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_an_otomax_order_is_answered_as_in_the_document(buyer, version):
    account = {"user_id": USER, "server_id": "1234"} if version == 1 else {}
    status, line = await buyer.otomax(version, **account)
    assert status == 200
    assert line.startswith(
        f"R#1234243244 S1_1187.123456789|1234, status PENDING. RefId : ML_{START // 1000}_"
    )
    assert line.endswith(" . Sisa saldo 998489")
    [order] = await buyer.orders()
    assert (order["target"], order["server"]) == (USER, "1234")


async def test_v2_and_v3_take_no_server_of_its_own(buyer):
    await buyer.otomax(2, product_code="S4_FF70", user_id="987654321", server_id="1234")
    [order] = await buyer.orders()
    assert (order["target"], order["server"]) == ("987654321", "")


async def test_an_otomax_order_is_asked_about_in_either_protocol(buyer):
    await buyer.otomax()
    await buyer.later()
    invoice = await buyer.read("/v1/status/trx-id/1234243244")
    number, note = invoice["invoice_number"], invoice["response_note"]
    assert invoice["status"] == "SUCCESS"
    item = "S1_1187.123456789(1234)"
    assert await buyer.line(f"/v1/otomax/status/{number}") == (
        200,
        f"R#1234243244 {number} {item}, status SUCCESS. {note} . Sisa saldo 998489",
    )


async def test_otomax_knows_no_invoice_that_nobody_made(buyer):
    await buyer.otomax()
    for number in ["x", "1234243244"]:
        reply = await buyer.line(f"/v1/otomax/status/{number}")
        assert reply == no("INVOICE_NOT_FOUND", 404)


async def test_otomax_v1_and_v2_refuse_a_known_reference_and_v3_answers_it(buyer):
    await buyer.otomax(2)
    assert await buyer.otomax(1, server_id="1234") == no("DUPLICATE_TRX_ID")
    assert await buyer.otomax(2) == no("DUPLICATE_TRX_ID")
    await buyer.later()
    status, line = await buyer.otomax(3, product_code="nothing")
    assert (status, ", status SUCCESS. " in line) == (200, True)
    assert len(await buyer.orders()) == 1


async def test_the_otomax_user_is_shown_as_in_the_document(buyer):
    await buyer.done("balance", balance=1_234_344)
    assert await buyer.line("/v1/otomax/user") == (
        200,
        "TopupKuy. topupkuy@topupkuy.id. plan Platinum Member. balance 1234344",
    )


@pytest.mark.parametrize("name", ["product_code", "user_id", "trx_id"])
async def test_an_otomax_order_needs_its_fields(buyer, name):
    assert await buyer.otomax(**{name: ""}) == no([f"{name} should not be empty"])
    assert await buyer.orders() == []


async def test_an_otomax_order_is_refused_in_the_same_words(buyer):
    assert await buyer.otomax(user_id="0001234561234") == no("NICKNAME_NOT_FOUND")
    assert await buyer.otomax(user_id="1234") == no("NICKNAME_NOT_FOUND")
    assert await buyer.otomax(callback_url="halo") == no("INVALID_CALLBACK_URL")
    assert await buyer.orders() == []


async def test_an_otomax_order_is_reported_by_an_unsigned_get(buyer):
    await buyer.otomax()
    await buyer.later()
    invoice = await buyer.read("/v1/status/trx-id/1234243244")
    [row] = (await buyer.journal())["callbacks"]
    msg = "&msg=R#1234243244%20APIKUY_ML_"
    assert (row["method"], row["status"], msg in row["url"]) == ("GET", 200, True)
    [(body, headers, path)] = buyer.shop.heard
    assert body == b""
    assert "x-signature" not in headers
    # The client cuts off what follows the bare "#", as the document's would.
    assert parse_qs(urlsplit(path).query) == {
        "invoice_number": [invoice["invoice_number"]],
        "trx_id": ["1234243244"],
        "status": ["SUCCESS"],
        "sn": [invoice["response_note"]],
        "msg": ["R"],
    }


# What stands around


async def test_a_server_error_may_come_after_the_order(buyer):
    await buyer.done("fault", kind="500", path="/v2/order")
    status, body = await buyer.order(2)
    assert (status, body["message"]) == (500, "SERVER_ERROR")
    assert (await buyer.read(f"/v1/status/trx-id/{TRX}"))["status"] == "PENDING"


async def test_a_path_that_is_not_theirs_is_refused_in_their_way(buyer):
    status, body = await buyer.ask("GET", "/v1/consequatur")
    assert (status, body["statusCode"], body["message"]) == (404, 404, "Not Found")
    status, body = await buyer.ask("DELETE", "/v1/order")
    assert (status, body["statusCode"]) == (405, 405)


async def test_everything_is_there_again_after_a_restart(tmp_path):
    clock, file = Clock(), tmp_path / "kiosgame.json"
    async with opened(KiosgameSimulator, Buyer, clock=clock, state=file) as buyer:
        first = await buyer.bought(2)
        await buyer.done("price", code="S1_1187", price=1600)
    async with opened(KiosgameSimulator, Buyer, clock=clock, state=file) as buyer:
        assert await buyer.bought(2) == first
        assert (await buyer.read("/v1/product", product_code="S1_1187"))["product_price"] == 1600
        await buyer.done("webhook", url=buyer.url)
        await buyer.later()
        assert (await buyer.invoice(first["invoice_number"]))["status"] == "SUCCESS"
        assert await buyer.balance() == 1_000_000 - 1511
