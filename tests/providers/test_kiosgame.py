"""Kiosgame's own oddities: bad keys that are "not found", a reference twice, keys in addresses."""

import asyncio
import hashlib
import hmac
import json
import logging
import tomllib
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from providers import base, kiosgame
from providers.kiosgame import Kiosgame, Settings
from shop.callbacks import Callback, Nonsense, Told, Trust
from shop.suppliers import (
    Misconfigured,
    NotSent,
    NotSold,
    OutcomeUnknown,
    OutOfBalance,
    Refused,
    StatusRequest,
    SupplierError,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
    WrongAccount,
)

FIXTURES = Path(__file__).parent / "fixtures" / "kiosgame"
KEY = "kanari/5f3a+9c71=d2"  # of signs that an address writes in another way
QUOTED = quote(KEY, safe="")
OLD = "kanari-lama-88e1"
CALLBACK_URL = "https://toko.example/callbacks/kiosgame"
REF = "7K2M9PQRST-kiosgame-1"
NUMBER = "APIKUY_XX_1679528285_4321"
TOPUP = TopupRequest(
    ref=REF, sku="S1_1187", user_id="0123456789", server="01234", target="0123456789|01234"
)
BY_REF = StatusRequest(ref=REF)
BY_NUMBER = StatusRequest(ref=REF, supplier_ref=NUMBER)
AGAIN = StatusRequest(ref=REF, repeat=TOPUP)

T = TopupState

INVOICE: dict[str, Any] = {
    "invoice_number": NUMBER,
    "trx_id": None,
    "response_note": "Nickname - 0123456789(01234) . RefId: XX_1679528285_1234",
    "category": {"title": "Mobile Legends", "subtitle": None, "type": "game"},
    "product": {"name": "5 (5+0) Diamonds", "code": "S1_1187", "price": 1511},
    "user_input": {"user_id": "0123456789", "server_id": "01234", "nickname": "Nickname"},
    "amount": 1511,
    "status": "PENDING",
    "voucher": None,
    "created_at": "2023-03-22T23:38:05.000Z",
}
PRODUCT = {
    "product_id": "00116691-900f-4753-a5d2-62f11a43469d",
    "product_name": "60 + 1 Gems",
    "product_code": "S1_10835",
    "product_price": 11327,
    "is_active": 1,
    "category_type": "game",
    "category_title": "Goddess of Victory: Nikke",
    "category_subtitle": "Level Infinite",
}
# The table "Response Message", and what each is as the answer to an order.
MEANS = {
    "API_KEY_NOT_FOUND": Misconfigured,
    "IP_NOT_WHITELISTED": Misconfigured,
    "INSUFFICIENT_BALANCE": OutOfBalance,
    "INVOICE_NOT_FOUND": OutcomeUnknown,
    "INVALID_USER_ID": WrongAccount,
    "NICKNAME_NOT_FOUND": WrongAccount,
    "DUPLICATE_TRX_ID": OutcomeUnknown,
    "PRODUCT_NOT_FOUND": NotSold,
    "PRODUCT_INACTIVE": NotSold,
    "INVALID_CALLBACK_URL": Refused,
    "PAYMENT_METHOD_NOT_ALLOWED": Refused,
    "SERVER_ERROR": OutcomeUnknown,
}
ABOUT_KEYS = ("API_KEY_NOT_FOUND", "IP_NOT_WHITELISTED")

Reply = tuple[int, Any]


def ok(data: Any) -> Reply:
    return 200, {"statusCode": 200, "message": "success", "data": data}


def no(message: Any, status: int = 400, **more: Any) -> Reply:
    return status, {"statusCode": 404, "message": message, "error": "Not Found", **more}


@dataclass
class Upstream:
    """Answers by path: a status with a text or with JSON, or a failure; anything else is 404."""

    answers: dict[str, Reply | Exception]
    requests: list[httpx.Request] = field(default_factory=list)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._reply), trust_env=False)

    async def _reply(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        said = self.answers.get(request.url.path, self.answers.get("*", (404, "")))
        if isinstance(said, Exception):
            raise said
        status, body = said
        text = body if isinstance(body, str) else json.dumps(body)
        return httpx.Response(status, content=text.encode())

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


def shop_at(
    upstream: Upstream,
    protocol: str = "json",
    keys: tuple[str, ...] = (KEY, OLD),
    callback_url: str = CALLBACK_URL,
) -> Kiosgame:
    wanted = Settings(
        url="http://127.0.0.1:9",
        api_key=lambda: keys,
        protocol=protocol,
        callback_ips=[ip_network("206.189.46.211")],
    )
    return Kiosgame(wanted, clock=lambda: 0, client=upstream.client, callback_url=callback_url)


def shop_of(said: Reply | Exception, protocol: str = "json") -> Kiosgame:
    """The adapter in front of a supplier that says this to everything."""
    return shop_at(Upstream({"*": said}), protocol)


def recorded(name: str) -> str:
    written = tomllib.loads((FIXTURES / f"{name}.toml").read_text("utf-8"))
    return str(written["reply"]["body"])


async def status_of(**data: Any) -> TopupReport:
    return await shop_of(ok({**INVOICE, **data})).status(BY_NUMBER)


async def outcome(asking: Awaitable[Any]) -> Any:
    try:
        return await asking
    except SupplierError as error:
        return error


CALLS: dict[str, Callable[[Kiosgame], Awaitable[Any]]] = {
    "price_list": lambda shop: shop.price_list(),
    "listing": lambda shop: shop.listing("S1_10835"),
    "balance": lambda shop: shop.balance(),
    "topup": lambda shop: shop.topup(TOPUP),
    "status by number": lambda shop: shop.status(BY_NUMBER),
    "status by reference": lambda shop: shop.status(BY_REF),
}
PROTOCOLS = ("json", "otomax")


# --- what is sent ---------------------------------------------------------------------------------


async def test_an_order_is_sent_as_version_2_with_our_reference_and_where_to_call_back() -> None:
    upstream = Upstream({"/v2/order": ok(INVOICE)})
    await shop_at(upstream).topup(TOPUP)
    [request] = upstream.requests
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:9/v2/order")
    assert json.loads(request.content) == {
        "product_code": "S1_1187",
        "user_id": "0123456789",
        "server_id": "01234",
        "trx_id": REF,
        "callback_url": CALLBACK_URL,
    }


async def test_without_a_server_or_an_address_of_ours_the_one_is_empty_and_the_other_left_out() -> (
    None
):
    upstream = Upstream({"*": ok({**INVOICE, "user_input": None})})
    await shop_at(upstream, callback_url="").topup(replace(TOPUP, server=""))
    [request] = upstream.requests
    sent = json.loads(request.content)
    assert (sent["server_id"], "callback_url" in sent) == ("", False)


@pytest.mark.parametrize("call", CALLS)
async def test_the_key_stands_bare_in_its_header_and_in_no_address(call: str) -> None:
    upstream = Upstream({"*": ok(INVOICE)})
    await outcome(CALLS[call](shop_at(upstream)))
    assert upstream.requests
    for request in upstream.requests:
        assert request.headers["authorization"] == KEY
        assert QUOTED not in str(request.url)


async def test_an_otomax_order_joins_account_and_server_and_has_the_key_in_its_address() -> None:
    upstream = Upstream({"*": (200, "")})
    await outcome(shop_at(upstream, "otomax").topup(TOPUP))
    [request] = upstream.requests
    assert upstream.asked == ["GET /v3/otomax/order"]
    assert dict(request.url.params.multi_items()) == {
        "apikey": KEY,
        "product_code": "S1_1187",
        "user_id": "012345678901234",
        "trx_id": REF,
        "callback_url": CALLBACK_URL,
    }
    assert "authorization" not in request.headers


async def test_whichever_protocol_orders_json_asks_how_it_went() -> None:
    upstream = Upstream({"*": ok({**INVOICE, "trx_id": REF})})
    report = await shop_at(upstream, "otomax").status(BY_REF)
    assert (report.state, report.supplier_ref) == (T.PENDING, NUMBER)
    assert upstream.asked == [f"GET /v1/status/trx-id/{REF}"]
    assert QUOTED not in str(upstream.requests[0].url)


# --- what a no means ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 404, 422])
@pytest.mark.parametrize("word", ABOUT_KEYS)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_refused_key_is_the_owners_business_in_every_call(
    protocol: str, call: str, word: str, status: int
) -> None:
    result = await outcome(CALLS[call](shop_of(no(word, status), protocol)))
    assert type(result) is Misconfigured, result


@pytest.mark.parametrize("message", ["", None, "Not Found", "NOT_FOUND", "Cannot GET /v1", 404])
@pytest.mark.parametrize("call", ["listing", "status by number", "status by reference", "balance"])
async def test_a_404_alone_does_not_say_that_something_is_not_there(
    call: str, message: Any
) -> None:
    result = await outcome(CALLS[call](shop_of(no(message, 404))))
    assert type(result) is Unavailable, result


@pytest.mark.parametrize("call", ["listing", "status by reference"])
async def test_what_another_question_would_be_told_says_nothing(call: str) -> None:
    word = {"listing": "INVOICE_NOT_FOUND", "status by reference": "PRODUCT_NOT_FOUND"}[call]
    result = await outcome(CALLS[call](shop_of(no(word, 404))))
    assert type(result) is Unavailable, result


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 422])
@pytest.mark.parametrize("word", MEANS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_order_is_refused_by_their_word_whatever_http_says(
    protocol: str, word: str, status: int
) -> None:
    result = await outcome(shop_of(no(word, status), protocol).topup(TOPUP))
    assert type(result) is MEANS[word], result
    assert word in str(result)
    assert not getattr(result, "accepted", False)


@pytest.mark.parametrize("word", MEANS)
@pytest.mark.parametrize("status", [500, 503])
async def test_a_broken_server_refuses_nothing(word: str, status: int) -> None:
    assert type(await outcome(shop_of(no(word, status)).topup(TOPUP))) is OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"statusCode": 400, "message": "SEDANG_TUTUP"}, Refused),
        (404, {"message": "Cannot POST /v2/order"}, Refused),
        (422, {"statusCode": 422, "message": ["user_id: kosong", "trx_id: panjang"]}, Refused),
        # These two may come of a server that has begun.
        (408, {"statusCode": 408, "message": "Request Timeout"}, OutcomeUnknown),
        (409, {"statusCode": 409, "message": "SEDANG_DIPROSES"}, OutcomeUnknown),
        (200, {"statusCode": 400, "message": "SEDANG_TUTUP"}, OutcomeUnknown),
        (201, {"statusCode": 500, "message": "SEDANG_TUTUP"}, OutcomeUnknown),
        (200, {"message": "success", "data": INVOICE}, OutcomeUnknown),
        (200, {"statusCode": "200", "message": "success", "data": INVOICE}, OutcomeUnknown),
        (400, {"statusCode": 200, "message": "success", "data": INVOICE}, OutcomeUnknown),
        (400, {"statusCode": 400}, OutcomeUnknown),
        (404, {}, OutcomeUnknown),
        (200, {"statusCode": 200, "message": "success"}, OutcomeUnknown),
        (200, {"statusCode": 200, "message": "success", "data": [INVOICE]}, OutcomeUnknown),
        (200, {"statusCode": 200, "message": "success", "data": "PENDING"}, OutcomeUnknown),
    ],
)
async def test_only_a_plain_no_is_a_refusal(
    status: int, body: Any, kind: type[SupplierError]
) -> None:
    assert type(await outcome(shop_of((status, body)).topup(TOPUP))) is kind


async def test_several_reasons_reach_the_owner_together() -> None:
    result = await outcome(shop_of(no(["user_id: kosong", "trx_id: panjang"])).topup(TOPUP))
    assert str(result) == "kiosgame: HTTP 400: user_id: kosong; trx_id: panjang"


async def test_http_201_around_a_body_that_says_200_is_a_success() -> None:
    _, body = ok(INVOICE)
    report = await shop_of((201, body)).topup(TOPUP)
    assert (report.state, report.supplier_ref, report.cost) == (T.PENDING, NUMBER, 1511)


# --- is it ours? ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"trx_id": "7K2M9PQRST-kiosgame-2"},
        {"trx_id": [REF]},
        {"trx_id": True},
        {"product": {"code": "S1_1188"}},
        {"user_input": {"user_id": "123456789"}},
        {"user_input": {"user_id": "0123456780", "server_id": "01234"}},
        {"user_input": {"user_id": "0123456789", "server_id": "1234"}},
        {"user_input": {"user_id": "0123456789", "server_id": 1234}},
    ],
)
async def test_an_order_of_something_else_was_accepted_and_is_a_case(said: Any) -> None:
    """The same reference again asks about the order it has stood for, whatever that was."""
    result = await outcome(shop_of(ok({**INVOICE, **said})).topup(TOPUP))
    assert type(result) is OutcomeUnknown
    assert result.accepted
    assert NUMBER in str(result)


@pytest.mark.parametrize(
    "said",
    [
        {"trx_id": REF},
        {"trx_id": ""},
        {"product": None},
        {"product": {}},
        {"product": {"code": None}},
        {"user_input": None},
        {"user_input": {}},
        {"user_input": {"user_id": "0123456789", "server_id": None}},
        {"user_input": {"user_id": "012345678901234", "server_id": ""}},
    ],
)
async def test_what_is_not_told_is_no_contradiction(said: Any) -> None:
    report = await shop_of(ok({**INVOICE, **said})).topup(TOPUP)
    assert (report.state, report.supplier_ref) == (T.PENDING, NUMBER)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (BY_NUMBER, {"invoice_number": "APIKUY_XX_1679528285_4322"}),
        (BY_NUMBER, {"trx_id": "7K2M9PQRST-kiosgame-2"}),
        (BY_REF, {"trx_id": "7K2M9PQRST-kiosgame-2"}),
        (BY_REF, {"trx_id": REF.lower()}),
    ],
)
async def test_the_status_of_another_order_is_not_taken_for_ours(
    asked: StatusRequest, said: Any
) -> None:
    with pytest.raises(Unavailable, match="another order"):
        await shop_of(ok({**INVOICE, **said})).status(asked)


async def test_a_number_that_cannot_stand_in_an_address_is_not_asked_by() -> None:
    upstream = Upstream({"*": ok(INVOICE)})
    await shop_at(upstream).status(StatusRequest(ref=REF, supplier_ref="../user?x"))
    assert upstream.asked == [f"GET /v1/status/trx-id/{REF}"]


# --- words ----------------------------------------------------------------------------------------

WORDS = {
    "SUCCESS": (T.DELIVERED, False),
    "PARTIAL_SUCCESS": (T.PARTIAL, False),
    "PENDING": (T.PENDING, False),
    "PAID": (T.PENDING, False),
    "REFUNDED": (T.FAILED, True),
    "FAILED": (T.FAILED, False),
}


@pytest.mark.parametrize("spelling", [str, str.lower, str.title, lambda word: f" {word}\n"])
async def test_a_status_word_means_one_thing(spelling: Callable[[str], str]) -> None:
    for word, (state, returned) in WORDS.items():
        report = await status_of(status=spelling(word))
        assert (report.state, report.returned, report.strange) == (state, returned, False)
        assert bool(report.serial) is (state is T.DELIVERED)


@pytest.mark.parametrize(
    "word",
    ["", "-", "REFUND", "PARTIAL", "SUCCESS_PARTIAL", "PROCESSING", "SUKSES", "SUCCESS.", "FAIL",
     "PARTIALSUCCESS", "\u0405UCCESS", None, True, 1, ["SUCCESS"], {"status": "SUCCESS"}],
)  # fmt: skip
async def test_an_unknown_word_moves_nothing(word: Any) -> None:
    report = await status_of(status=word)
    assert (report.state, report.serial, report.returned) == (T.UNREADABLE, "", False)
    assert report.strange


@pytest.mark.parametrize(
    ("amount", "cost"),
    [(1511, 1511), ("1511", 1511), ("1.511", 1511), (1511.0, 1511), (0, 0), (None, None),
     (1511.5, None), ("12.5", None), (-1, None), (True, None), ([1511], None)],
)  # fmt: skip
async def test_the_cost_is_whole_rupiah_or_not_told(amount: Any, cost: int | None) -> None:
    assert (await status_of(amount=amount)).cost == cost


@pytest.mark.parametrize(
    ("voucher", "serial"),
    [
        ("ABCD-1234", "ABCD-1234"),
        (" ABCD 1234\n", "ABCD 1234"),
        ("ABCD . RefId: 7", "ABCD . RefId: 7"),
        (None, "XX_1"),
        ("", "XX_1"),
        ("N/A", "XX_1"),
        ("-", "XX_1"),
        ("<b>ABCD</b>", ""),
    ],
)
async def test_a_voucher_is_what_was_bought_before_the_note_is(
    voucher: str | None, serial: str
) -> None:
    said = {"status": "SUCCESS", "voucher": voucher, "response_note": "Whyy . RefId: XX_1"}
    report = await status_of(**said)
    assert (report.state, report.serial, report.strange) == (T.DELIVERED, serial, False)
    assert (await status_of(**{**said, "status": "PENDING"})).serial == ""


@pytest.mark.parametrize("voucher", [["ABCD"], {"code": "ABCD"}, 12345, True])
async def test_a_voucher_of_an_unknown_shape_is_shown_to_nobody_and_told_to_the_owner(
    voucher: Any,
) -> None:
    report = await status_of(status="SUCCESS", voucher=voucher, response_note="Whyy . RefId: XX_1")
    assert (report.state, report.serial, report.strange) == (T.DELIVERED, "XX_1", True)
    assert report.words == "status success, voucher unreadable"


@pytest.mark.parametrize("note", [None, "", "N/A", "-", "<html>502</html>", ["x"], {"sn": "x"}])
async def test_a_success_without_a_serial_number_says_so(note: Any) -> None:
    report = await status_of(status="SUCCESS", response_note=note)
    assert (report.state, report.serial, report.strange) == (T.DELIVERED, "", False)


# --- the same order again, as a question ----------------------------------------------------------

NOT_THERE = no("INVOICE_NOT_FOUND", 404)
TRX_ID, V2, V3 = f"/v1/status/trx-id/{REF}", "/v2/order", "/v3/otomax/order"
LINE = f"R#{REF} S1_1187.0123456789|01234, status PENDING. RefId : ML_1 . Sisa saldo 12345"


@pytest.mark.parametrize(
    ("protocol", "path", "answer"),
    [("json", f"POST {V2}", ok(INVOICE)), ("otomax", f"GET {V3}", (200, LINE))],
)
async def test_an_order_that_nobody_has_heard_of_is_sent_once_more_and_just_as_before(
    protocol: str, path: str, answer: Reply
) -> None:
    upstream = Upstream({TRX_ID: NOT_THERE, "*": answer})
    shop = shop_at(upstream, protocol)
    first = await shop.topup(TOPUP)
    assert await shop.status(AGAIN) == first
    assert first.state is T.PENDING
    assert upstream.asked == [path, f"GET {TRX_ID}", path]
    before, _, after = upstream.requests
    assert (before.url, before.content) == (after.url, after.content)


@pytest.mark.parametrize(
    "asked",
    [
        BY_REF,
        StatusRequest(ref=REF, supplier_ref=NUMBER, repeat=TOPUP),
        StatusRequest(ref=REF, repeat=replace(TOPUP, ref="7K2M9PQRST-kiosgame-2")),
    ],
    ids=["not wished", "known to them", "another reference"],
)
async def test_nothing_is_sent_again_without_need(asked: StatusRequest) -> None:
    upstream = Upstream({V2: ok(INVOICE), "*": NOT_THERE})
    report = await shop_at(upstream).status(asked)
    assert (report.state, report.strange) == (T.MISSING, False)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "said",
    [ok({**INVOICE, "trx_id": REF}), ok({**INVOICE, "trx_id": "x"}), ok(None), (500, ""),
     no("API_KEY_NOT_FOUND", 404), no("SERVER_ERROR"), no("Not Found", 404), (404, "<html>"),
     httpx.ReadTimeout("slow"), httpx.ConnectError("refused")],
)  # fmt: skip
async def test_nothing_is_sent_again_unless_they_say_that_it_is_not_there(
    said: Reply | Exception,
) -> None:
    upstream = Upstream({TRX_ID: said, V2: ok(INVOICE)})
    await outcome(shop_at(upstream).status(AGAIN))
    assert set(upstream.asked) == {f"GET {TRX_ID}"}


@pytest.mark.parametrize("word", [*MEANS, "SEDANG_TUTUP"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_refusal_of_what_was_sent_again_proves_nothing(
    protocol: str, word: str, status: int
) -> None:
    upstream = Upstream({TRX_ID: NOT_THERE, "*": no(word, status)})
    report = await shop_at(upstream, protocol).status(AGAIN)
    assert (report.state, report.returned, report.cost) == (T.MISSING, False, None)
    assert str(status) in report.note
    assert status in {401, 403} or word in report.note
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    "said", [{"product": {"code": "S1_1188"}}, {"user_input": {"user_id": "1"}}, {"trx_id": "x"}]
)
async def test_an_answer_about_something_else_to_what_was_sent_again_proves_nothing(
    said: Any,
) -> None:
    upstream = Upstream({TRX_ID: NOT_THERE, V2: ok({**INVOICE, **said})})
    report = await shop_at(upstream).status(AGAIN)
    assert (report.state, report.supplier_ref) == (T.MISSING, "")
    assert NUMBER in report.note


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut"),
     (500, ""), (429, {}), (302, ""), (200, "<html>"), (200, ""), (503, {"message": "x"})],
)  # fmt: skip
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_trouble_on_the_way_of_what_was_sent_again_is_no_answer(
    protocol: str, trouble: Reply | Exception
) -> None:
    upstream = Upstream({TRX_ID: NOT_THERE, "*": trouble})
    result = await outcome(shop_at(upstream, protocol).status(AGAIN))
    assert type(result) is Unavailable, result
    assert len(upstream.requests) == 2


async def test_asking_and_sending_again_take_less_than_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert base.READ_LIMIT + kiosgame.REPEAT_LIMIT < 60
    monkeypatch.setattr(kiosgame, "REPEAT_LIMIT", 0.0)

    class Silent(Upstream):
        async def _reply(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == V2:
                await asyncio.Event().wait()
            return await super()._reply(request)

    with pytest.raises(Unavailable, match="sent once more"):
        await shop_at(Silent({TRX_ID: NOT_THERE})).status(AGAIN)


# --- price list -----------------------------------------------------------------------------------


async def listed(categories: Any, *products: Any) -> dict[str, bool]:
    upstream = Upstream({"/v1/category": ok(categories), "/v1/products": ok(list(products))})
    found = await shop_at(upstream).price_list()
    assert upstream.asked == ["GET /v1/category", "GET /v1/products"]
    return {each.sku: each.available for each in found.listings}


def category(title: Any, active: Any) -> dict[str, Any]:
    return {"category_title": title, "category_subtitle": "Montoon", "is_active": active}


def product(code: str, title: str, active: Any = True) -> dict[str, Any]:
    return {**PRODUCT, "product_code": code, "category_title": title, "is_active": active}


async def test_nothing_of_a_category_that_is_switched_off_is_available() -> None:
    assert await listed(
        [category("A", 1), category("B", 0), category("C", False), category("D", True)],
        *(product(title, title) for title in "ABCDE"),
    ) == {"A": True, "B": False, "C": False, "D": True, "E": True}


async def test_of_two_categories_of_one_name_one_that_is_on_suffices() -> None:
    """Items name their category by its title alone."""
    rows = [category("A", 0), category("A", 1), category("B", 1), category("B", 0)]
    assert await listed(rows, product("A", "A"), product("B", "B")) == {"A": True, "B": True}


@pytest.mark.parametrize("row", [None, 5, [], {}, category(["A"], 0), category("A", "x")])
async def test_a_category_that_makes_no_sense_closes_nothing(row: Any) -> None:
    assert await listed([row], product("A", "A")) == {"A": True}


async def with_servers(categories: Any, *products: Any) -> dict[str, bool | None]:
    upstream = Upstream({"/v1/category": ok(categories), "/v1/products": ok(list(products))})
    return {each.sku: each.has_server for each in (await shop_at(upstream).price_list()).listings}


def game(title: str, server: Any, kind: Any = "game") -> dict[str, Any]:
    return {**category(title, 1), "category_type": kind, "is_server": server}


async def test_a_category_says_whether_its_game_has_servers() -> None:
    categories = [game("A", 1), game("B", 0), game("C", False), category("D", 1)]
    assert await with_servers(categories, *(product(title, title) for title in "ABCDE")) == {
        "A": True,
        "B": False,
        "C": False,
        "D": None,  # it does not say
        "E": None,  # there is no such category
    }


@pytest.mark.parametrize("said", [None, "yes", [], {}])
async def test_what_is_neither_yes_nor_no_says_nothing_of_servers(said: Any) -> None:
    assert await with_servers([game("A", said)], product("A", "A")) == {"A": None}


async def test_of_two_games_of_one_name_nobody_can_say_whether_there_are_servers() -> None:
    assert await with_servers([game("A", 1), game("A", 0)], product("A", "A")) == {"A": None}


async def test_what_is_no_game_says_nothing_of_a_game_of_its_name() -> None:
    categories = [game("A", 1), game("A", 0, "voucher")]
    assert await with_servers(categories, product("A", "A")) == {"A": True}


async def test_what_is_no_game_has_no_servers_to_be_told_of() -> None:
    wallet = {**product("W", "W"), "category_type": "e-wallet"}
    named_so = {**product("V", "A"), "category_type": "voucher"}  # beside a game of that title
    categories = [game("W", 0, "e-wallet"), game("A", 1)]
    found = await with_servers(categories, wallet, named_so, product("A", "A"))
    assert found == {"W": None, "V": None, "A": True}


async def test_one_item_asked_for_alone_does_not_say_whether_its_game_has_servers() -> None:
    assert (await shop_of(ok(PRODUCT)).listing("S1_10835")).has_server is None


@pytest.mark.parametrize(
    ("active", "available"),
    [(True, True), (1, True), ("1", True), (False, False), (0, False), (None, False)],
)
async def test_an_item_is_on_by_a_truth_or_a_number(active: Any, available: bool) -> None:
    assert await listed([], product("A", "A", active)) == {"A": available}
    shop = shop_of(ok({**PRODUCT, "is_active": active}))
    assert (await shop.listing("S1_10835")).available is available


@pytest.mark.parametrize("broken", ["/v1/category", "/v1/products"])
@pytest.mark.parametrize("data", [None, {}, "x", {"data": []}])
async def test_half_a_price_list_is_none(broken: str, data: Any) -> None:
    whole: dict[str, Reply | Exception] = {"/v1/category": ok([]), "/v1/products": ok([])}
    with pytest.raises(Unavailable):
        await shop_at(Upstream({**whole, broken: ok(data)})).price_list()


async def test_rows_that_make_no_sense_are_counted_and_left_out() -> None:
    rows = [None, [], {}, product("A", "A"), product("B", "B", "mungkin"), product("C", "<b>")]
    shop = shop_at(Upstream({"/v1/category": ok([]), "/v1/products": ok(rows)}))
    found = await shop.price_list()
    assert ([each.sku for each in found.listings], found.dropped) == (["A"], 5)


async def test_an_item_is_asked_for_by_its_code_or_by_its_id() -> None:
    upstream = Upstream({"*": ok(PRODUCT)})
    shop = shop_at(upstream)
    by_code = await shop.listing("S1_10835")
    assert await shop.listing(str(PRODUCT["product_id"])) == by_code
    assert (by_code.sku, by_code.price, by_code.available) == ("S1_10835", 11327, True)
    assert [request.url.query.decode() for request in upstream.requests] == [
        "product_code=S1_10835",
        f"product_id={PRODUCT['product_id']}",
    ]


@pytest.mark.parametrize("sku", ["S1_10836", "10116691-900f-4753-a5d2-62f11a43469d"])
async def test_another_item_is_no_answer(sku: str) -> None:
    with pytest.raises(Unavailable):
        await shop_of(ok(PRODUCT)).listing(sku)


@pytest.mark.parametrize("word", ["PRODUCT_NOT_FOUND", "PRODUCT_INACTIVE"])
async def test_an_item_that_is_not_there_is_not_sold(word: str) -> None:
    with pytest.raises(NotSold):
        await shop_of(no(word, 404)).listing("S1_10835")


# --- Otomax ---------------------------------------------------------------------------------------


async def test_the_otomax_order_of_the_document_is_understood() -> None:
    """Version 1 has answered so to trx_id 123424324; its RefId is not the invoice's number."""
    wanted = TopupRequest(
        ref="123424324", sku="S1_1187", user_id="123456789", server="1234", target="-"
    )
    report = await shop_of((200, recorded("otomax_order")), "otomax").topup(wanted)
    assert report == TopupReport(
        state=T.PENDING, words="status pending", note="status pending: RefId : ML_1680405885_1234"
    )


async def test_the_otomax_invoice_of_the_document_is_understood_as_the_answer_to_an_order() -> None:
    """The same reference once more asks how it stands."""
    wanted = TopupRequest(
        ref="1234243244", sku="S1_1187", user_id="123456789", server="1234", target="-"
    )
    report = await shop_of((200, recorded("otomax_invoice")), "otomax").topup(wanted)
    assert (report.state, report.supplier_ref) == (T.DELIVERED, NUMBER)
    assert (report.serial, report.cost) == ("XX_1679528285_4321", None)


async def test_the_otomax_account_of_the_document_is_understood() -> None:
    upstream = Upstream({"/v1/otomax/user": (200, recorded("otomax_user"))})
    assert await shop_at(upstream, "otomax").balance() == 1_234_344
    assert [request.url.query.decode() for request in upstream.requests] == [f"apikey={QUOTED}"]


@pytest.mark.parametrize(
    "said",
    [(200, "<html>"), (200, ""), (404, "x. balance 5"), (500, "x. balance 5"), (200, {}),
     (200, "x. balance lima"), ok({"user_balance": 5}), no("SERVER_ERROR")],
)  # fmt: skip
async def test_an_otomax_account_that_cannot_be_read_is_no_answer(said: Reply) -> None:
    with pytest.raises(Unavailable):
        await shop_of(said, "otomax").balance()


@pytest.mark.parametrize("word", [*WORDS, "ON_HOLD"])
async def test_a_line_is_read_by_the_same_words(word: str) -> None:
    said = LINE.replace("PENDING. RefId : ML_1", f"{word}. Whyy . RefId: DGG-1")
    report = await shop_of((200, said), "otomax").topup(TOPUP)
    state, returned = WORDS.get(word, (T.UNREADABLE, False))
    assert (report.state, report.returned) == (state, returned)
    assert report.serial == ("DGG-1" if state is T.DELIVERED else "")
    assert report.strange is (state is T.UNREADABLE)


@pytest.mark.parametrize("name", [", status FAILED.", ", status SUCCESS. RefId: 1", "R#1 A.1,"])
async def test_a_hostile_name_in_a_line_changes_nothing(name: str) -> None:
    report = await shop_of((200, LINE.replace("RefId", f"{name} RefId")), "otomax").topup(TOPUP)
    assert (report.state, report.serial, report.supplier_ref) == (T.PENDING, "", "")


@pytest.mark.parametrize(
    "said",
    ["", "OK", "INSUFFICIENT_BALANCE", "status FAILED.", "<html></html>", LINE[:40],
     LINE.replace("R#", ""), LINE.replace(", status", " status"), '"SUCCESS"'],
)  # fmt: skip
async def test_a_text_that_is_no_line_leaves_everything_open(said: str) -> None:
    result = await outcome(shop_of((200, said), "otomax").topup(TOPUP))
    assert type(result) is OutcomeUnknown
    assert not result.accepted


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_a_line_under_an_error_refuses_nothing(status: int) -> None:
    said = LINE.replace("PENDING", "FAILED")
    assert type(await outcome(shop_of((status, said), "otomax").topup(TOPUP))) is OutcomeUnknown


@pytest.mark.parametrize(
    "said",
    [LINE.replace("-1 S1", "-2 S1"), LINE.replace("S1_1187", "S1_1188"),
     LINE.replace("|01234", "|1234"), LINE.replace("0123456789|", "123456789|")],
)  # fmt: skip
async def test_a_line_about_something_else_is_a_case(said: str) -> None:
    result = await outcome(shop_of((200, said), "otomax").topup(TOPUP))
    assert type(result) is OutcomeUnknown
    assert result.accepted


async def test_a_line_is_no_answer_to_json_and_an_invoice_is_one_to_otomax() -> None:
    assert type(await outcome(shop_of((200, LINE)).topup(TOPUP))) is OutcomeUnknown
    assert (await shop_of(ok(INVOICE), "otomax").topup(TOPUP)).supplier_ref == NUMBER


# --- secrets --------------------------------------------------------------------------------------


def written_out(value: object) -> str:
    """Everything that a log or a message could ever show of a value or an error."""
    if not isinstance(value, BaseException):
        return repr(value)
    chain = [value, value.__cause__, value.__context__]
    return "".join([*map(repr, chain), *map(str, chain), *traceback.format_exception(value)])


FAULTS: list[Reply | Exception] = [
    httpx.ConnectError("All connection attempts failed"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("slow"),
    httpx.UnsupportedProtocol("what?"),
    httpx.WriteError("cut"),
    httpx.ReadError("cut"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("cut"),
    httpx.DecodingError("what?"),
    (200, ""),
    (200, "<html>"),
    (302, ""),
    (404, ""),
    (500, ""),
    *(no("SERVER_ERROR", status) for status in (200, 400, 401, 403, 404, 429, 500)),
    (200, f"API key {KEY} ({QUOTED}, {OLD}) tidak valid"),
    *(no(f"API key {KEY} ({QUOTED}, {OLD}) tidak valid", status) for status in (200, 400, 404)),
    *(no([KEY, QUOTED.lower(), OLD.upper()], status) for status in (200, 400, 404)),
    (200, LINE.replace("ML_1", f"{KEY} {QUOTED} {OLD}")),
    (200, f"R#{REF} {QUOTED} S1_1187.1, status PENDING. x"),
    ok({**INVOICE, "response_note": f"{KEY} {QUOTED}", "status": f"{KEY}", "voucher": OLD}),
    ok({**INVOICE, "invoice_number": OLD, "trx_id": "x"}),
]


def _is_of_httpx(name: str) -> bool:
    return name == "httpx"  # logs addresses, and so is silenced by the shop (bot.logs)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("call", [*CALLS, "sent again"])
async def test_the_key_in_an_address_reaches_no_error_no_value_and_no_log(
    protocol: str, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asking = CALLS.get(call, lambda shop: shop.status(AGAIN))
    for fault in FAULTS:
        answers = {"*": fault} | ({TRX_ID: NOT_THERE} if call == "sent again" else {})
        upstream = Upstream(answers)
        result = await outcome(asking(shop_at(upstream, protocol)))
        logged = "".join(
            record.getMessage() for record in caplog.records if not _is_of_httpx(record.name)
        )
        shown = (written_out(result) + logged).lower()
        for secret in (KEY, QUOTED, OLD):
            assert secret.lower() not in shown, (fault, secret)
        assert upstream.requests


async def test_on_a_real_connection_too_the_key_reaches_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    heard: list[bytes] = []
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    wanted = Settings(url=url, api_key=lambda: (KEY,), protocol="otomax", callback_ips=[])
    async with server:
        results = [
            await outcome(Kiosgame(wanted, clock=lambda: 0).topup(TOPUP)),
            await outcome(Kiosgame(wanted, clock=lambda: 0).balance()),
        ]
    nobody = replace(wanted, url="http://127.0.0.1:1")
    results.append(await outcome(Kiosgame(nobody, clock=lambda: 0).topup(TOPUP)))
    assert [type(each) for each in results] == [OutcomeUnknown, Unavailable, NotSent]
    logged = "".join(r.getMessage() for r in caplog.records if not _is_of_httpx(r.name))
    shown = "".join(map(written_out, results)) + logged
    assert all(QUOTED.encode() in each for each in heard)  # or this test would prove nothing
    assert KEY not in shown
    assert QUOTED not in shown


# --- callbacks ------------------------------------------------------------------------------------


def told_by(name: str) -> Callback:
    """A recorded callback, without what is gone once it is stored."""
    said = tomllib.loads((FIXTURES / f"{name}.toml").read_text("utf-8"))["callback"]
    return Callback(method=said["method"], query=said["query"], body=said["body"].encode())


TOLD = told_by("callback")
# Of TOLD with the key "test-api-key"; made with another program (suppliers.md A6).
SIGNATURE = "d39b395ea71f8d8319c6036bde8b9dcd6ad61af0fd23b54ca2ed7f4896a5db39"


def signed(callback: Callback, key: str = KEY) -> Callback:
    given = hmac.new(key.encode(), callback.body, hashlib.sha256).hexdigest()
    return replace(callback, headers={"x-signature": given})


def shop(protocol: str = "json", keys: tuple[str, ...] = (KEY, OLD)) -> Kiosgame:
    return shop_at(Upstream({}), protocol, keys)


@pytest.mark.parametrize("keys", [("test-api-key",), ("baru", "test-api-key")])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("remote", ["", "206.189.46.211", "203.0.113.9"])
def test_their_signature_proves_a_callback_from_any_address(
    remote: str, protocol: str, keys: tuple[str, ...]
) -> None:
    callback = replace(TOLD, headers={"x-signature": SIGNATURE}, remote=remote)
    assert len(callback.body) == 454
    assert shop(protocol, keys).verify(callback) is Trust.PROOF


@pytest.mark.parametrize(
    "forged",
    [
        TOLD,
        replace(TOLD, remote="206.189.46.211"),
        replace(TOLD, headers={"x-signature": ""}),
        replace(TOLD, headers={"x-signature": "\udcff\u0661"}),
        replace(TOLD, headers={"x-signature": SIGNATURE}),
        replace(TOLD, headers={"X-Signature": signed(TOLD).headers["x-signature"]}),
        replace(TOLD, headers={"x-signature": signed(TOLD).headers["x-signature"].upper()}),
        replace(TOLD, headers={"authorization": KEY}),
        signed(TOLD, ""),
        replace(signed(TOLD), body=TOLD.body + b" "),
        replace(signed(TOLD), body=TOLD.body.replace(b"SUCCESS", b"FAILED")),
        replace(signed(TOLD), body=json.dumps(json.loads(TOLD.body)).encode()),
        replace(signed(TOLD), body=json.dumps(json.loads(TOLD.body), indent=4).encode()),
        replace(signed(TOLD), method="PUT"),
    ],
)
def test_a_callback_that_nobody_signed_proves_nothing(forged: Callback) -> None:
    assert shop().verify(forged) is Trust.NONE


def test_without_a_key_nothing_is_proved() -> None:
    assert shop(keys=()).verify(signed(TOLD, "")) is Trust.NONE


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_otomax_report_is_a_hint_whatever_it_brings(protocol: str) -> None:
    report = told_by("callback_otomax")
    for brought in (report, replace(report, remote="206.189.46.211"), signed(report)):
        assert shop(protocol).verify(brought) is Trust.HINT
    assert shop(protocol, keys=()).verify(report) is Trust.HINT


def test_a_callback_of_the_document_names_the_order_by_their_number() -> None:
    [told] = shop().parse(TOLD)
    assert isinstance(told, Told)
    assert (told.ref, told.supplier_ref) == ("", NUMBER)
    assert (told.report.state, told.report.cost) == (T.DELIVERED, 1511)
    assert told.report.serial == "XX_1679528285_1234"


def test_an_otomax_report_names_the_order_by_our_reference_alone() -> None:
    """Else a forged one could tie our order to the number of another."""
    [told] = shop().parse(told_by("callback_otomax_whole"))
    assert (told.ref, told.supplier_ref, told.report.supplier_ref) == ("1234243244", "", "")
    assert (told.report.state, told.report.serial) == (T.DELIVERED, "XX_1679528285_4321")


@pytest.mark.parametrize(
    "said",
    [
        {"trx_id": None, "invoice_number": None},
        {"trx_id": "", "invoice_number": ""},
        {"trx_id": ["x"]},
        {"trx_id": {"x": "y"}},
        {"trx_id": True},
        {"trx_id": 1.5},
        {"trx_id": "a/b"},
        {"trx_id": "x" * 101},
        {"invoice_number": [NUMBER]},
        {"invoice_number": "a b"},
        {"status": None},
        {"status": 1},
        {"status": ["SUCCESS"]},
    ],
)
def test_a_callback_that_names_no_order_or_no_status_is_nonsense(said: dict[str, Any]) -> None:
    body = json.dumps({**json.loads(TOLD.body), **said}).encode()
    with pytest.raises(Nonsense):
        shop().parse(replace(TOLD, body=body))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"SUCCESS"', b"{}", b"\xff", b'{"trx_id":"1","trx_id":"2"}']
)
def test_a_body_that_is_no_invoice_is_nonsense(body: bytes) -> None:
    with pytest.raises(Nonsense):
        shop().parse(replace(TOLD, body=body))


@pytest.mark.parametrize(
    "query",
    ["", "status=SUCCESS", "trx_id=1", "trx_id=1&status=SUCCESS&status=FAILED", "trx_id=%ff",
     "trx_id=a%2Fb&status=SUCCESS", "&".join(f"a{n}=1" for n in range(60))],
)  # fmt: skip
def test_a_report_that_names_no_order_or_no_status_is_nonsense(query: str) -> None:
    with pytest.raises(Nonsense):
        shop().parse(Callback(method="GET", query=query, body=b""))


def test_a_callback_that_repeats_our_key_does_not_make_us_repeat_it() -> None:
    note = {"response_note": f"{KEY} {OLD}", "status": KEY}
    body = json.dumps({**json.loads(TOLD.body), **note}).encode()
    assert KEY not in repr(shop().parse(replace(TOLD, body=body)))
    assert OLD not in repr(shop().parse(replace(TOLD, body=body)))
