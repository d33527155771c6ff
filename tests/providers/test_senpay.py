"""SenPay's own oddities: a form for every provider, statuses in the body, callbacks by address."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from providers import senpay
from providers.senpay import SenPay, Settings
from shop.callbacks import Callback, Nonsense, Repriced, Told, Trust
from shop.suppliers import (
    FormField,
    FormOption,
    Misconfigured,
    NotSent,
    NotSold,
    OutcomeUnknown,
    PriceList,
    Refused,
    StatusRequest,
    SupplierError,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)

KEY = "kanari-5f3a9c71d2"
OLD = "kanari-lama-88e1"
SECRET = "kanari-rahasia-77"
HOME = "206.189.83.1"
REF = "7K2M9PQRST-senpay-1"
TRX = "TRX24070385294000934"
FORM = {"id": "0011223344", "server": "0112"}
TOPUP = TopupRequest(
    ref=REF, sku="ML_5", user_id="0011223344", server="0112", target=json.dumps(FORM)
)
ASKED = StatusRequest(ref=REF, supplier_ref=TRX)

T = TopupState

MADE = {
    "reference": TRX,
    "partner_reference": REF,
    "provider": "Mobile Legends [PROMO TERMURAH] V3",
    "product": "5 (5+0) Diamonds",
    "price": 1425,
    "status": "processing",
    "invoice_url": f"https://senpay.id/trx/{TRX}",
}
DATA = {
    "reference": TRX,
    "partner_reference": REF,
    "provider": "Mobile Legends [PROMO TERMURAH] V3",
    "product": "5 (5+0) Diamonds",
    "status": "success",
    "sn": "N/A",
    "note": "Transaksi berhasil",
    "webhook_sent": True,
}
HOOK = {
    "webhook_type": "transaction_status",
    "reference": TRX,
    "partner_reference": REF,
    "status": "success",
    "sn": "N/A",
    "note": "Transaksi berhasil",
    "sent_at": "2024-07-02T13:11:43.249729Z",
}
TYPED = {"label": "User ID", "key": "id", "type": "text"}
CHOSEN = {
    "label": "Server",
    "key": "server",
    "type": "dropdown",
    "options": [{"name": "ASIA", "code": "10"}, {"name": "EU", "code": "20"}],
}

Answering = Callable[[httpx.Request], httpx.Response]


def yes(data: Any) -> dict[str, Any]:
    return {"status": 200, "data": data}


def no(message: Any = "tidak bisa", **more: Any) -> dict[str, Any]:
    return {"status": 400, "message": message, **more}


def without(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != name}


def behind(answering: Answering) -> SenPay:
    """The adapter, and who answers it."""

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(answering), trust_env=False)

    wanted = Settings(
        url="http://127.0.0.1:9",
        api_key=lambda: (KEY, OLD),
        secret_key=lambda: (SECRET,),
        callback_ips=[ip_network(HOME)],
    )
    return SenPay(wanted, clock=lambda: 0, client=client, callback_url="https://toko.example/x")


def shop_of(answer: Any, status: int = 200, journal: list[httpx.Request] | None = None) -> SenPay:
    """The adapter in front of a supplier that says this to everything."""

    def answering(request: httpx.Request) -> httpx.Response:
        if journal is not None:
            journal.append(request)
        return httpx.Response(status, content=json.dumps(answer).encode())

    return behind(answering)


async def error_of(asking: Awaitable[Any]) -> SupplierError:
    with pytest.raises(SupplierError) as raised:
        await asking
    return raised.value


# --- what is sent ---------------------------------------------------------------------------------


async def test_an_order_has_the_form_at_its_root_beside_the_item_and_our_reference() -> None:
    journal: list[httpx.Request] = []
    await shop_of(yes(MADE), journal=journal).topup(TOPUP)
    [only] = journal
    assert (only.method, only.url.path) == ("POST", "/api/prepaid/transaction/create")
    assert json.loads(only.content) == {
        "target_product_code": "ML_5",
        "partner_reference": REF,
        "id": "0011223344",
        "server": "0112",
    }
    assert only.headers["content-type"] == "application/json"


async def test_the_secret_goes_with_orders_only_and_always_in_a_header() -> None:
    journal: list[httpx.Request] = []
    await shop_of(yes(MADE), journal=journal).topup(TOPUP)
    await shop_of(yes(DATA), journal=journal).status(ASKED)
    order, question = journal
    assert order.headers["authorization"] == question.headers["authorization"] == f"Bearer {KEY}"
    assert order.headers["signature"] == SECRET
    assert "signature" not in question.headers
    told = b"".join(each.url.raw_path + each.content for each in journal)
    assert KEY.encode() not in told
    assert SECRET.encode() not in told


@pytest.mark.parametrize(
    "target",
    [
        "",
        "0011223344|0112",
        "null",
        "[]",
        "{}",
        '["id"]',
        '"id"',
        '{"id":11}',
        '{"id":null}',
        '{"id":true}',
        '{"id":["1"]}',
        '{"id":""}',
        '{"id":" "}',
        '{"":"1"}',
        '{"id":"a\\ud800b"}',
        '{"a\\ud800b":"1"}',
        '{"id":"1\\n2"}',
        '{"id":"1"',
        '{"id":"1","partner_reference":"X"}',
        '{"id":"1","target_product_code":"X"}',
        "[" * 100_000,
    ],
)
async def test_what_is_no_filled_in_form_is_not_sent(target: str) -> None:
    journal: list[httpx.Request] = []
    shop = shop_of(yes(MADE), journal=journal)
    assert type(await error_of(shop.topup(replace(TOPUP, target=target)))) is NotSent
    assert journal == []


# --- the answer to an order -----------------------------------------------------------------------


async def test_an_order_tells_their_reference_and_what_it_costs() -> None:
    report = await shop_of(yes(MADE)).topup(TOPUP)
    assert (report.state, report.supplier_ref, report.cost) == (T.PENDING, TRX, 1425)
    assert not report.strange


@pytest.mark.parametrize("said", [None, "", "x", 0, -5, 1.5, True, [], {}])
async def test_a_cost_that_cannot_be_read_spoils_no_order(said: Any) -> None:
    report = await shop_of(yes({**MADE, "price": said})).topup(TOPUP)
    assert (report.state, report.supplier_ref, report.cost) == (T.PENDING, TRX, None)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "TRX1",
        without(MADE, "reference"),
        without(MADE, "partner_reference"),
        {**MADE, "reference": "TRX/../1"},
        {**MADE, "reference": None},
        {**MADE, "partner_reference": REF + "1"},
        {**MADE, "partner_reference": REF.lower()},
        {**MADE, "partner_reference": [REF]},
    ],
)
async def test_a_yes_that_cannot_be_followed_as_ours_was_a_yes_all_the_same(data: Any) -> None:
    error = await error_of(shop_of(yes(data)).topup(TOPUP))
    assert type(error) is OutcomeUnknown
    assert error.accepted


REFUSALS = {
    "Invalid API Key": Misconfigured,
    "invalid api key": Misconfigured,
    "Invalid signature": Misconfigured,
    "Produk sedang tidak aktif": NotSold,
    "Produk tidak ditemukan": NotSold,
    "Saldo tidak cukup": Refused,
    "Apa saja": Refused,
}


@pytest.mark.parametrize("status", [200, 201, 400, 404, 422])
@pytest.mark.parametrize("message", REFUSALS)
async def test_the_body_says_no_whatever_the_http_status(message: str, status: int) -> None:
    error = await error_of(shop_of(no(message), status).topup(TOPUP))
    assert type(error) is REFUSALS[message]
    assert message in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        no("Partner reference sudah digunakan"),
        no("Nomor referensi harus unik dalam 24 jam"),
        no("The partner_reference has already been taken."),
        no("Duplicate transaction"),
        no("Transaksi duplikat"),
        no("The given data was invalid.", errors={"partner_reference": ["taken"]}),
        no({"partner_reference": ["taken"]}),
    ],
)
async def test_a_no_about_our_reference_means_that_there_may_be_an_order(answer: Any) -> None:
    for status in (200, 400, 422):
        assert type(await error_of(shop_of(answer, status).topup(TOPUP))) is OutcomeUnknown


@pytest.mark.parametrize("status", [408, 409])
async def test_a_no_after_which_the_work_may_go_on_is_none(status: int) -> None:
    assert type(await error_of(shop_of(no("Apa saja"), status).topup(TOPUP))) is OutcomeUnknown


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"message": "Produk tidak ditemukan"},
        {"status": 404, "message": "Produk tidak ditemukan"},
        {"status": 500, "message": "Server Error"},
        {"status": False, "message": "tidak bisa"},
        {"status": True, "data": MADE},
        {"status": "success", "data": MADE},
        {"status": [200], "data": MADE},
        {"data": MADE},
        MADE,
        no(None),
        no(""),
        no(["tidak bisa"]),
    ],
)
async def test_an_envelope_nobody_showed_leaves_an_order_open(answer: Any) -> None:
    for status in (200, 400, 422):
        assert type(await error_of(shop_of(answer, status).topup(TOPUP))) is OutcomeUnknown


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_a_yes_under_a_refusal_says_both_and_so_nothing(status: int) -> None:
    assert type(await error_of(shop_of(yes(MADE), status).topup(TOPUP))) is OutcomeUnknown
    assert type(await error_of(shop_of(yes(DATA), status).status(ASKED))) is Unavailable


async def test_an_order_is_asked_for_once_whatever_comes_of_it() -> None:
    for status, answer in [(200, yes(MADE)), (400, no()), (200, {}), (500, {}), (429, no())]:
        journal: list[httpx.Request] = []
        with contextlib.suppress(SupplierError):
            await shop_of(answer, status, journal).topup(TOPUP)
        assert len(journal) == 1


# --- status words ---------------------------------------------------------------------------------

# Their word: our state, whether the money is back for certain, whether the owner must hear of it.
WORDS = {
    "unpaid": (T.PENDING, False, True),
    "processing": (T.PENDING, False, False),
    "success": (T.DELIVERED, False, False),
    "failed": (T.FAILED, False, False),
    "refund": (T.FAILED, True, False),
    "expired": (T.FAILED, False, False),
}


async def status_of(**data: Any) -> TopupReport:
    return await shop_of(yes({**DATA, **data})).status(ASKED)


@pytest.mark.parametrize("spelling", [str, str.upper, str.title, "  {}\t".format, "_{}_".format])
@pytest.mark.parametrize("word", WORDS)
async def test_each_of_their_words_has_one_meaning(
    word: str, spelling: Callable[[str], str]
) -> None:
    report = await status_of(status=spelling(word))
    assert (report.state, report.returned, report.strange) == WORDS[word]
    assert report.words == f"status {word}"
    assert report.cost is None


@pytest.mark.parametrize(
    "word",
    ["refunded", "sukses", "gagal", "partial", "not success", "success!", "", None, 1, True, [],
     {"status": "success"}, "2\u202e00"],
)  # fmt: skip
async def test_an_unknown_word_moves_nothing_and_is_told(word: Any) -> None:
    report = await status_of(status=word, sn="ABC123")
    assert (report.state, report.returned, report.strange) == (T.UNREADABLE, False, True)
    assert report.serial == ""
    assert "ABC123" in report.note


@pytest.mark.parametrize("said", ["N/A", "n/a", "", " ", "-", None, 5, True, [], {}, ["ABC123"]])
async def test_no_serial_number_is_none_and_the_note_never_becomes_one(said: Any) -> None:
    report = await status_of(sn=said, note="SN: BUKAN123")
    assert (report.state, report.serial) == (T.DELIVERED, "")
    assert "BUKAN123" in report.note


async def test_a_serial_number_is_shown_of_what_was_delivered_only() -> None:
    assert (await status_of(sn="SN: ABC123")).serial == "ABC123"
    assert (await status_of(sn="Whyy . RefId: DGG-XXXX")).serial == "DGG-XXXX"
    for word in without(WORDS, "success"):
        report = await status_of(status=word, sn="Akun tidak ditemukan")
        assert report.serial == ""
        assert report.note == f"status {word}: Transaksi berhasil (sn: Akun tidak ditemukan)"


async def test_a_page_in_place_of_a_serial_number_is_for_the_owner() -> None:
    report = await status_of(sn="<html>Bad Gateway</html>")
    assert (report.state, report.serial) == (T.DELIVERED, "")
    assert "Bad Gateway" in report.note


@pytest.mark.parametrize("name", ["reference", "partner_reference"])
@pytest.mark.parametrize("other", [None, "", "X", REF.lower(), TRX.lower(), 5, True, [REF], [TRX]])
async def test_a_status_is_believed_only_under_both_names(name: str, other: Any) -> None:
    """Their reference may come from a callback that anybody can write."""
    assert type(await error_of(status_of(**{name: other}))) is Unavailable
    bare = shop_of(yes(without(DATA, name)))
    assert type(await error_of(bare.status(ASKED))) is Unavailable


@pytest.mark.parametrize("bad", ["", "..", ".", "a/b", "a?b", "a#b", "a b", "%2e", "é", "x" * 101])
async def test_a_reference_that_cannot_be_one_is_not_asked_about(bad: str) -> None:
    journal: list[httpx.Request] = []
    shop = shop_of(yes({**DATA, "reference": bad}), journal=journal)
    assert type(await error_of(shop.status(replace(ASKED, supplier_ref=bad)))) is Unavailable
    assert type(await error_of(shop.listing(bad))) is Unavailable
    assert journal == []


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("more", ["", f": {TRX}", "."])
async def test_an_order_they_do_not_find_is_missing_and_proves_nothing(
    more: str, status: int
) -> None:
    report = await shop_of(no(f"Transaksi tidak ditemukan{more}"), status).status(ASKED)
    assert (report.state, report.returned, report.strange) == (T.MISSING, False, False)


@pytest.mark.parametrize("message", ["Produk tidak ditemukan", "tidak bisa", "", None, ["x"]])
async def test_another_no_to_a_question_is_no_answer(message: Any) -> None:
    assert type(await error_of(shop_of(no(message)).status(ASKED))) is Unavailable


@pytest.mark.parametrize("status", [200, 400, 404])
async def test_a_key_they_do_not_know_is_the_owners_business_in_every_question(
    status: int,
) -> None:
    shop = shop_of(no("Invalid API Key"), status)
    for asking in (shop.price_list(), shop.listing("ML_5"), shop.status(ASKED), shop.topup(TOPUP)):
        assert type(await error_of(asking)) is Misconfigured


@pytest.mark.parametrize("status", [401, 403, "error", False, None])
async def test_a_key_they_do_not_know_is_that_in_any_envelope_but_a_yes(status: Any) -> None:
    shop = shop_of({"status": status, "message": "Invalid API Key"})
    for asking in (shop.status(ASKED), shop.topup(TOPUP)):
        assert type(await error_of(asking)) is Misconfigured


@pytest.mark.parametrize("name", ["status", "sn", "note", "reference"])
async def test_an_order_that_repeats_our_secrets_does_not_make_us_repeat_them(name: str) -> None:
    for secret in (KEY, OLD, SECRET, SECRET.upper()):
        for said in (secret, f"xx {secret} yy", "z" * 190 + secret):
            answer = yes({**MADE, "sn": "A", "note": "B", name: said})
            try:
                told = repr(await shop_of(answer).topup(TOPUP))
            except SupplierError as error:
                told = str(error)
            assert secret[:10].lower() not in told.lower()


# --- the list -------------------------------------------------------------------------------------


def provider(code: str = "ML", **more: Any) -> dict[str, Any]:
    return {"id": 1, "code": code, "name": f"Game {code}", "active": 1, "forms": [TYPED], **more}


def product(of: str = "ML", number: str = "5", **more: Any) -> dict[str, Any]:
    row = {"id": 1, "code": f"{of}_{number}", "name": f"{number} Diamonds", "active": 1}
    return {**row, "price": 1425, "provider": {"code": of, "name": f"Game {of}"}, **more}


def selling(providers: Any, shelves: Mapping[str, Any], journal: list[str] | None = None) -> SenPay:
    """The adapter in front of providers, each with its answer; who is not named sells one item."""

    def answering(request: httpx.Request) -> httpx.Response:
        of = request.url.params.get("provider")
        if journal is not None:
            journal.append(of or request.url.path)
        assert request.url.params["active"] == "1"
        answer = yes(providers) if of is None else shelves.get(of, yes([product(of)]))
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=json.dumps(answer).encode())

    return behind(answering)


async def list_of(providers: Any, shelves: Mapping[str, Any] | None = None) -> PriceList:
    return await selling(providers, shelves or {}).price_list()


async def test_the_list_is_every_provider_s_products_with_its_form_in_their_order() -> None:
    codes = [f"P{number}" for number in range(11)]
    journal: list[str] = []
    found = await selling([provider(code) for code in codes], {}, journal).price_list()
    assert [listing.sku for listing in found.listings] == [f"{code}_5" for code in codes]
    assert [listing.category for listing in found.listings] == [f"Game {code}" for code in codes]
    assert {listing.form for listing in found.listings} == {(FormField(key="id", label="User ID"),)}
    assert found.dropped == 0
    assert sorted(journal) == sorted(["/api/prepaid/provider", *codes])


async def test_a_list_of_nobody_is_empty() -> None:
    assert await list_of([]) == PriceList(listings=[])


async def test_a_dropdown_s_choices_are_read_by_name_and_sent_by_code() -> None:
    found = await list_of([provider(forms=[TYPED, CHOSEN])])
    options = (FormOption(name="ASIA", code="10"), FormOption(name="EU", code="20"))
    assert found.listings[0].form == (
        FormField(key="id", label="User ID"),
        FormField(key="server", label="Server", options=options),
    )


FORMS: dict[str, Any] = {
    "none": None,
    "no list": {"id": TYPED},
    "empty": [],
    "no field": ["id"],
    "an unknown type": [{**TYPED, "type": "checkbox"}],
    "no type": [without(TYPED, "type")],
    "no key": [without(TYPED, "key")],
    "an odd key": [{**TYPED, "key": "a b"}],
    "a key that is no text": [{**TYPED, "key": ["id"]}],
    "no label": [without(TYPED, "label")],
    "an empty label": [{**TYPED, "label": "\u200b"}],
    "markup": [{**TYPED, "label": "<b>ID</b>"}],
    "one key twice": [TYPED, {**TYPED, "label": "Again"}],
    "our item": [TYPED, {**TYPED, "key": "target_product_code"}],
    "our reference": [TYPED, {**TYPED, "key": "partner_reference"}],
    "one of two not understood": [TYPED, {**CHOSEN, "type": "radio"}],
    "a dropdown of nothing": [{**CHOSEN, "options": []}],
    "a dropdown without options": [without(CHOSEN, "options")],
    "a text with options": [{**CHOSEN, "type": "text"}],
    "an option that is none": [{**CHOSEN, "options": [*CHOSEN["options"], "US"]}],
    "an option without a code": [{**CHOSEN, "options": [{"name": "ASIA"}]}],
    "an option without a name": [{**CHOSEN, "options": [{"code": "10"}]}],
    "two options that read alike": [
        {**CHOSEN, "options": [{"name": "ASIA", "code": "1"}, {"name": "ASIA ", "code": "2"}]}
    ],
}


@pytest.mark.parametrize("forms", FORMS.values(), ids=FORMS)
async def test_a_provider_whose_form_cannot_be_filled_in_is_left_out_and_counted(
    forms: Any,
) -> None:
    journal: list[str] = []
    shop = selling([provider("A", forms=forms), provider("B")], {}, journal)
    found = await shop.price_list()
    assert [listing.sku for listing in found.listings] == ["B_5"]
    assert found.dropped == 1
    assert "A" not in journal


@pytest.mark.parametrize(
    "row",
    [None, 5, "A", [], {}, provider(code=None), provider(code=["A"]), provider(active="maybe")],
)
async def test_a_provider_that_makes_no_sense_hides_no_other(row: Any) -> None:
    found = await list_of([row, provider("B")])
    assert ([listing.sku for listing in found.listings], found.dropped) == (["B_5"], 1)


@pytest.mark.parametrize(
    "row",
    [
        None,
        5,
        [],
        {},
        product("A", code="a b"),
        product("A", code="../x"),
        product("A", code=None),
        product("A", name="<b>5</b>"),
        product("A", price=0),
        product("A", price="gratis"),
        product("A", active="maybe"),
        product("A", provider=None),
        product("A", provider={"code": "B", "name": "Game B"}),
        product("A", provider={"code": "A"}),
    ],
)
async def test_a_product_that_makes_no_sense_or_is_anothers_hides_no_other(row: Any) -> None:
    found = await list_of([provider("A")], {"A": yes([row, product("A", "10")])})
    assert ([listing.sku for listing in found.listings], found.dropped) == (["A_10"], 1)


@pytest.mark.parametrize(
    ("shelf", "item", "sold"), [(1, 1, True), (1, 0, False), (0, 1, False), (0, 0, False)]
)
async def test_what_they_or_its_provider_switched_off_is_not_available(
    shelf: int, item: int, sold: bool
) -> None:
    found = await list_of([provider("A", active=shelf)], {"A": yes([product("A", active=item)])})
    assert [listing.available for listing in found.listings] == [sold]


async def test_a_provider_they_will_not_list_is_counted_and_hides_no_other() -> None:
    for status in (200, 400, 404):
        refused = httpx.Response(status, content=json.dumps(no()).encode())
        found = await list_of([provider("A"), provider("B")], {"A": refused})
        assert ([listing.sku for listing in found.listings], found.dropped) == (["B_5"], 1)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"status": 200},
        yes(None),
        yes({}),
        {"status": 500, "message": "Server Error"},
        httpx.Response(500, content=b"{}"),
        httpx.Response(200, content=b"<html></html>"),
        httpx.Response(429, content=b"{}"),
    ],
)
async def test_without_an_answer_about_every_provider_there_is_no_list(answer: Any) -> None:
    """Else the shelf would lose a game for every hiccup."""
    shop = selling([provider("A"), provider("B")], {"A": answer})
    assert type(await error_of(shop.price_list())) is Unavailable


async def test_after_trouble_with_one_provider_the_others_are_left_in_peace() -> None:
    journal: list[str] = []
    rows = [provider(f"P{number}") for number in range(40)]
    shop = selling(rows, {"P1": httpx.Response(429, content=b"{}")}, journal)
    error = await error_of(shop.price_list())
    assert isinstance(error, Unavailable)
    assert error.busy
    assert len(journal) < 10


async def test_trouble_with_one_provider_leaves_no_question_running() -> None:
    async def answering(request: httpx.Request) -> httpx.Response:
        of = request.url.params.get("provider")
        rows = [provider("A"), provider("B")] if of is None else [product(of)]
        for _ in range(50 if of == "B" else 0):
            await asyncio.sleep(0)
        status = 429 if of == "A" else 200
        return httpx.Response(status, content=json.dumps(yes(rows)).encode())

    before = asyncio.all_tasks()
    assert type(await error_of(behind(answering).price_list())) is Unavailable  # type: ignore[arg-type]
    assert asyncio.all_tasks() == before


async def test_a_few_providers_are_asked_at_a_time_and_never_many() -> None:
    open_now, most = 0, 0

    async def answering(request: httpx.Request) -> httpx.Response:
        nonlocal open_now, most
        of = request.url.params.get("provider")
        rows = [provider(f"P{number}") for number in range(9)] if of is None else [product(of)]
        open_now += 1
        most = max(most, open_now)
        for _ in range(5):
            await asyncio.sleep(0)
        open_now -= 1
        return httpx.Response(200, content=json.dumps(yes(rows)).encode())

    found = await behind(answering).price_list()  # type: ignore[arg-type]
    assert len(found.listings) == 9
    assert most == 4


async def test_a_list_without_end_is_given_up_and_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answering(request: httpx.Request) -> httpx.Response:
        if "provider" in request.url.params:
            await asyncio.Event().wait()
        return httpx.Response(200, content=json.dumps(yes([provider("A")])).encode())

    monkeypatch.setattr(senpay, "LIST_LIMIT", 0)
    before = asyncio.all_tasks()
    error = await error_of(behind(answering).price_list())  # type: ignore[arg-type]
    assert type(error) is Unavailable
    assert asyncio.all_tasks() == before


async def test_a_list_that_repeats_our_secrets_does_not_make_us_repeat_them() -> None:
    for secret in (KEY, SECRET):
        text = f"x {secret}"
        option = {"name": text, "code": f"c {secret}"}
        forms = [{**TYPED, "label": text}, {**CHOSEN, "options": [option]}]
        shelf = {"A": yes([product("A", name=text, provider={"code": "A", "name": text})])}
        found = await list_of([provider("A", forms=forms)], shelf)
        assert len(found.listings) == 1
        assert secret not in repr(found)


# --- one product ----------------------------------------------------------------------------------


async def test_one_product_is_read_as_it_stands_now() -> None:
    listing = await shop_of(yes(product("ML"))).listing("ML_5")
    assert (listing.sku, listing.price, listing.available) == ("ML_5", 1425, True)
    assert (listing.category, listing.form) == ("Game ML", ())
    assert not (await shop_of(yes(product("ML", active=0))).listing("ML_5")).available


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("message", ["Produk tidak ditemukan", "Produk sedang tidak aktif"])
async def test_a_product_they_do_not_have_is_not_sold(message: str, status: int) -> None:
    assert type(await error_of(shop_of(no(message), status).listing("ML_5"))) is NotSold


@pytest.mark.parametrize(
    "answer",
    [
        yes(product("ML", "10")),
        yes(product("ML", price=None)),
        yes(product("ML", active=None) | {"active": "maybe"}),
        yes([product("ML")]),
        yes(None),
        no("tidak bisa"),
        {"status": 200, "message": "Produk tidak ditemukan"},
        product("ML"),
    ],
)
async def test_what_says_nothing_of_the_product_says_nothing(answer: Any) -> None:
    assert type(await error_of(shop_of(answer).listing("ML_5"))) is Unavailable


# --- callbacks ------------------------------------------------------------------------------------


def callback(body: Any, remote: str = HOME, **headers: str) -> Callback:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Callback(method="POST", query="", body=octets, headers=headers, remote=remote)


SHOP = shop_of({})


@pytest.mark.parametrize("remote", [HOME, f"::ffff:{HOME}"])
def test_a_callback_from_their_address_is_a_hint_and_never_a_proof(remote: str) -> None:
    assert SHOP.verify(callback(HOOK, remote)) is Trust.HINT
    assert SHOP.verify(callback(HOOK, remote, signature=SECRET)) is Trust.HINT
    assert SHOP.verify(callback(HOOK, remote, signature="wrong")) is Trust.HINT
    assert SHOP.verify(callback(b"\xff not JSON", remote)) is Trust.HINT


@pytest.mark.parametrize(
    "remote", ["", "206.189.83.2", "127.0.0.1", "206.189.83.1, 198.51.100.7", "x", "206.189.83.01"]
)
def test_a_callback_from_elsewhere_is_refused_whatever_it_is_signed_with(remote: str) -> None:
    assert SHOP.verify(callback(HOOK, remote)) is Trust.NONE
    named = {"signature": SECRET, "x-forwarded-for": HOME, "authorization": f"Bearer {KEY}"}
    assert SHOP.verify(callback(HOOK, remote, **named)) is Trust.NONE


@pytest.mark.parametrize("word", WORDS)
def test_a_callback_tells_what_a_status_would(word: str) -> None:
    [news] = SHOP.parse(callback({**HOOK, "status": word, "sn": "SN: ABC123"}))
    assert isinstance(news, Told)
    assert (news.ref, news.supplier_ref) == (REF, TRX)
    report = news.report
    assert (report.state, report.returned, report.strange) == WORDS[word]
    assert report.serial == ("ABC123" if word == "success" else "")
    assert report.supplier_ref == TRX


def test_a_callback_is_understood_from_its_bytes_alone() -> None:
    stored = Callback(method="POST", query="", body=json.dumps(HOOK).encode())
    assert SHOP.parse(stored) == SHOP.parse(callback(HOOK, signature="x"))


def test_an_order_from_their_own_pages_is_told_by_their_reference() -> None:
    for body in ({**HOOK, "partner_reference": None}, without(HOOK, "partner_reference")):
        [news] = SHOP.parse(callback(body))
        assert isinstance(news, Told)
        assert (news.ref, news.supplier_ref) == ("", TRX)


NONSENSE: dict[str, Any] = {
    "bytes": b"\xff\xfe",
    "nothing": b"",
    "no object": [HOOK],
    "null": None,
    "a form": b"webhook_type=transaction_status",
    "deep": b'{"webhook_type":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a name twice": b'{"webhook_type":"transaction_status","reference":"A","reference":"B"}',
    "no type": without(HOOK, "webhook_type"),
    "another type": {**HOOK, "webhook_type": "balance_update"},
    "a type that is a list": {**HOOK, "webhook_type": ["transaction_status"]},
    "a type in another case": {**HOOK, "webhook_type": "TRANSACTION_STATUS"},
    "no reference": without(HOOK, "reference"),
    "a reference that is a list": {**HOOK, "reference": [TRX]},
    "a reference that is a path": {**HOOK, "reference": "../provider"},
    "half a character": {**HOOK, "reference": "a\ud800"},
    "our reference is a list": {**HOOK, "partner_reference": [REF]},
    "our reference is a path": {**HOOK, "partner_reference": "a/b"},
    "prices of nothing": {"webhook_type": "price_update", "data": []},
    "prices without rows": {"webhook_type": "price_update"},
    "prices that are none": {"webhook_type": "price_update", "data": {"product_code": "A"}},
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_what_makes_no_sense_is_called_so(body: Any) -> None:
    with pytest.raises(Nonsense) as raised:
        SHOP.parse(callback(body))
    assert len(str(raised.value)) < 100


def row(**more: Any) -> dict[str, Any]:
    return {"product_code": "ML_5", "price_old": 1425, "price_new": 1480, **more}


def prices(*rows: Any) -> Callback:
    return callback({"webhook_type": "price_update", "data": list(rows)})


def test_new_prices_are_told_item_by_item() -> None:
    told = SHOP.parse(prices(row(), row(product_code="ML_10", price_new=1920)))
    assert told == [Repriced(sku="ML_5", price=1480), Repriced(sku="ML_10", price=1920)]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        5,
        "ML_5",
        [],
        {},
        row(product_code=None),
        row(product_code="<b>"),
        row(product_code=["ML_5"]),
        row(product_code="../ML"),
        without(row(), "price_new"),
        *(row(price_new=said) for said in (None, 0, -1, 1.5, True, "x", [], 10**15)),
    ],
)
def test_a_hostile_row_hides_no_other_and_alone_is_nonsense(bad: Any) -> None:
    assert SHOP.parse(prices(bad, row())) == [Repriced(sku="ML_5", price=1480)]
    with pytest.raises(Nonsense):
        SHOP.parse(prices(bad))


@pytest.mark.parametrize("name", ["status", "sn", "note", "reference", "partner_reference"])
def test_a_callback_that_repeats_our_secrets_does_not_make_us_repeat_them(name: str) -> None:
    for secret in (KEY, OLD, SECRET):
        try:
            told = repr(SHOP.parse(callback({**HOOK, name: f"x{secret}"})))
        except Nonsense as nonsense:
            told = str(nonsense)
        assert secret not in told


def test_they_hear_thanks_as_they_spell_it() -> None:
    done = '{"status":200,"message":"Webhook berhasil diproses"}'
    assert SHOP.thanks(callback(HOOK)) == done
    assert SHOP.thanks(prices(row())) == '{"status":200,"message":"Harga berhasil diuperbarui"}'
    for body in NONSENSE.values():
        assert json.loads(SHOP.thanks(callback(body)))["status"] == 200


def test_they_hear_regrets_in_their_own_style_and_never_at_length() -> None:
    assert SHOP.regrets("Invalid signature") == '{"status":400,"message":"Invalid signature"}'
    for why in ("x" * 5_000, "a\ud800\n\u202eb", f"key {KEY} {SECRET}", "z" * 95 + KEY, '"}{'):
        told = json.loads(SHOP.regrets(why))
        assert told["status"] == 400
        assert len(told["message"]) <= 100
        assert told["message"].isprintable()
        assert "kanari" not in told["message"]
