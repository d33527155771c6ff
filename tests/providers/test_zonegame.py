"""ZoneGame's own oddities: three ways to speak of an order, a no that may be a yes, signatures."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from providers.zonegame import Settings, ZoneGame
from shop.callbacks import Callback, Nonsense, Told, Trust
from shop.suppliers import (
    Misconfigured,
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

KEY = "kanari-5f3a9c71d2"
OLD = "kanari-lama-88e1"
CALLBACK_URL = "https://toko.example/callbacks/zonegame"
REF = "7K2M9PQRST-zonegame-1"
TOPUP = TopupRequest(
    ref=REF, sku="MLID5", user_id="00938572270", server="012729", target="00938572270|012729"
)
ASKED = StatusRequest(ref=REF, supplier_ref="INV-1")

T = TopupState

YES = {
    "success": True,
    "message": "Order berhasil dibuat",
    "invoice_id": "INV-1",
    "trx_id": REF,
    "product": "5 Diamond (5 + 1)",
    "target": "00938572270",
    "nickname": "Whyy",
    "region": "ID",
    "price": 1500,
    "status": "pending",
}
DATA = {
    "invoice_id": "INV-1",
    "trx_id": REF,
    "product": "5 Diamond (5 + 1)",
    "target": "00938572270",
    "server_id": "012729",
    "price": 1500,
    "status": "success",
    "serial_number": "Whyy . RefId: DGG-XXXX",
    "created_at": "2026-03-19T15:00:00.000000Z",
}
# "Data yang Dikirim", word for word.
TOLD = {
    "invoice_number": "INV-XXXXXXXXXXXXX",
    "trx_id": "ORDER-001",
    "response_note": "Whyy . RefId: DGG-XXXXX",
    "category": {"title": "Mobile Legends : Indonesia", "subtitle": None, "type": "game"},
    "product": {"name": "5 Diamond (5 + 1)", "code": "MLID5", "price": 1500},
    "user_input": {"user_id": "938572270", "server_id": "12729", "nickname": None},
    "balance": 50000,
    "amount": 1500,
    "status": "SUCCESS",
    "voucher": None,
    "created_at": 1729926123,
}
# Of TOLD as JSON.stringify writes it, with the key "test-api-key"; made with another program.
SIGNATURE = "eae7e8244b594704ebcaab55368fb62186cda4ee7051e95f6b29809c80a62bec"


def shop_of(
    answer: Any = None,
    status: int = 200,
    journal: list[httpx.Request] | None = None,
    *,
    keys: tuple[str, ...] = (KEY,),
    callback_url: str = CALLBACK_URL,
) -> ZoneGame:
    """The adapter in front of a supplier that says this to everything."""

    def reply(request: httpx.Request) -> httpx.Response:
        if journal is not None:
            journal.append(request)
        return httpx.Response(status, content=json.dumps(answer).encode())

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(reply), trust_env=False)

    wanted = Settings(url="http://127.0.0.1:9", api_key=lambda: keys)
    return ZoneGame(wanted, clock=lambda: 0, client=client, callback_url=callback_url)


def no(message: Any, **more: Any) -> dict[str, Any]:
    return {"success": False, "message": message, **more}


def without(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != name}


async def sent_for(request: TopupRequest, callback_url: str = CALLBACK_URL) -> dict[str, Any]:
    journal: list[httpx.Request] = []
    answer = {**YES, "trx_id": request.ref}
    await shop_of(answer, journal=journal, callback_url=callback_url).topup(request)
    [only] = journal
    assert (only.method, only.url.path) == ("POST", "/api/v1/order")
    return dict(json.loads(only.content))


async def status_of(**data: Any) -> TopupReport:
    return await shop_of({"success": True, "data": {**DATA, **data}}).status(ASKED)


# --- what is sent ---------------------------------------------------------------------------------


async def test_an_order_names_the_item_the_account_our_reference_and_where_to_tell_us() -> None:
    assert await sent_for(TOPUP) == {
        "product_code": "MLID5",
        "target": "00938572270",
        "server_id": "012729",
        "trx_id": REF,
        "callback_url": CALLBACK_URL,
    }


async def test_what_there_is_not_is_left_out_of_an_order() -> None:
    alone = TopupRequest(ref=REF, sku="FF70", user_id="123456789", server="", target="123456789")
    assert await sent_for(alone, callback_url="") == {
        "product_code": "FF70",
        "target": "123456789",
        "trx_id": REF,
    }


@pytest.mark.parametrize("user_id", ["000123", "Nama Ku#1D2", "名前#JP1", 'a"b\\c#x12'])
async def test_the_account_arrives_to_the_letter(user_id: str) -> None:
    wanted = TopupRequest(ref=REF, sku="V1", user_id=user_id, server="", target="other")
    assert (await sent_for(wanted))["target"] == user_id


async def test_the_key_stands_in_one_header_and_nowhere_else() -> None:
    journal: list[httpx.Request] = []
    shop = shop_of({}, journal=journal, keys=(KEY, OLD))
    for asking in (
        shop.topup(TOPUP),
        shop.status(ASKED),
        shop.price_list(),
        shop.listing("MLID5"),
        shop.balance(),
    ):
        with pytest.raises(SupplierError):
            await asking
    assert len(journal) == 5
    for request in journal:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.headers["accept"] == request.headers["content-type"] == "application/json"
        assert KEY not in str(request.url)
        assert KEY.encode() not in request.content
        others = {**request.headers, "authorization": ""}
        assert not [name for name, value in others.items() if KEY in value or OLD in value]


@pytest.mark.parametrize("strange", ["../profile", "A?x=1", "A#b", "A/B", "A B", "é", "a%2Fb"])
async def test_a_strange_code_or_reference_stays_one_part_of_the_address(strange: str) -> None:
    journal: list[httpx.Request] = []
    item = {"code": strange, "name": "5", "category": "ML", "price": 1500}
    listing = await shop_of({"success": True, "data": item}, journal=journal).listing(strange)
    assert listing.sku == strange
    data = {**DATA, "trx_id": strange}
    shop = shop_of({"success": True, "data": data}, journal=journal)
    assert (await shop.status(StatusRequest(ref=strange))).state is T.DELIVERED
    for request, start in zip(journal, ("/api/v1/products/", "/api/v1/order/"), strict=True):
        assert request.url.path == start + strange
        assert request.url.raw_path.count(b"/") == start.count("/")
        assert b"?" not in request.url.raw_path


# --- a no -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 402, 404, 422])
@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Saldo tidak cukup", OutOfBalance),
        (" SALDO  tidak cukup\n", OutOfBalance),
        ("Produk tidak ditemukan", NotSold),
        ("USER_REGION_IS_NOT_BR", WrongAccount),
        ("user_region_is_not_br", WrongAccount),
        ("USER_REGION_IS_NOT_", Refused),
        ("USER_REGION_IS_NOT_KNOWN", Refused),
        ("Saldo tidak cukup, atau produk tidak ditemukan", Refused),
        ("Trx ditolak", Refused),
        ("", Refused),
        (None, Refused),
        (["Saldo tidak cukup"], Refused),
    ],
)
async def test_a_no_is_told_apart_by_its_words_and_is_a_no_all_the_same(
    words: Any, meaning: type[Refused], status: int
) -> None:
    with pytest.raises(Refused) as refused:
        await shop_of(no(words), status).topup(TOPUP)
    assert refused.type is meaning


async def test_an_account_of_another_region_is_described_for_its_owner() -> None:
    answer = no("USER_REGION_IS_NOT_BR", nickname="Wh\u202eyy\n<b>" + "x" * 500, region="ID")
    with pytest.raises(WrongAccount, match="USER_REGION_IS_NOT_BR") as caught:
        await shop_of(answer, 422).topup(TOPUP)
    assert (caught.value.region, caught.value.wanted) == ("ID", "BR")
    assert caught.value.nickname.startswith("Whyy <b>xxx")
    assert len(caught.value.nickname) <= 60


@pytest.mark.parametrize("odd", [None, 5, True, ["Whyy"], {"a": "Whyy"}])
async def test_of_an_account_nothing_is_made_up(odd: Any) -> None:
    for answer in (
        no("USER_REGION_IS_NOT_BR"),
        no("USER_REGION_IS_NOT_BR", nickname=odd, region=odd),
    ):
        with pytest.raises(WrongAccount) as caught:
            await shop_of(answer, 422).topup(TOPUP)
        assert (caught.value.nickname, caught.value.region) == ("", "")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("trx_id sudah digunakan", 422),
        ("The trx id has already been taken.", 422),
        ("TrxID sudah ada", 400),
        ("Duplicate order", 400),
        ("Order duplikat", 400),
        ("Saldo tidak cukup", 409),
    ],
)
async def test_a_no_about_our_reference_may_mean_that_they_have_the_order(
    words: str, status: int
) -> None:
    """It was sent once: whoever sent it again, the first of the two may be under way."""
    with pytest.raises(OutcomeUnknown) as caught:
        await shop_of(no(words), status).topup(TOPUP)
    assert not caught.value.accepted


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (no("Saldo tidak cukup"), 200),
        (no("Produk tidak ditemukan"), 201),
        (no("USER_REGION_IS_NOT_BR"), 202),
        (YES, 400),
        (YES, 422),
        (without(YES, "success"), 200),
        ({**YES, "success": "true"}, 200),
        ({**YES, "success": 1}, 200),
        ({"message": "The given data was invalid.", "errors": {}}, 422),
        ({"message": "Saldo tidak cukup"}, 400),
        ({"success": 0, "message": "Saldo tidak cukup"}, 400),
        ({"success": None, "message": "Saldo tidak cukup"}, 400),
    ],
)
async def test_neither_a_plain_yes_nor_a_plain_no_leaves_an_order_open(
    answer: Any, status: int
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await shop_of(answer, status).topup(TOPUP)
    assert not caught.value.accepted


# --- a yes ----------------------------------------------------------------------------------------


async def test_a_yes_tells_the_owner_whose_account_it_was() -> None:
    report = await shop_of(YES).topup(TOPUP)
    assert report == TopupReport(
        state=T.PENDING,
        supplier_ref="INV-1",
        cost=1500,
        words="status pending",
        note="status pending: Order berhasil dibuat, Whyy, ID",
        nickname="Whyy",
        region="ID",
    )


async def test_m7_a_hostile_name_in_a_yes_is_cleaned() -> None:
    nasty = {"nickname": "Raja\n\u202eRp1", "region": ["ID"]}
    report = await shop_of({**YES, **nasty}).topup(TOPUP)
    assert (report.nickname, report.region) == ("Raja Rp1", "")


@pytest.mark.parametrize("other", ["7K2M9PQRST-zonegame-2", REF.lower(), "", None, True, [REF]])
async def test_a_yes_to_another_order_is_the_owners_business(other: Any) -> None:
    for answer in ({**YES, "trx_id": other}, without(YES, "trx_id")):
        with pytest.raises(OutcomeUnknown, match="another order") as caught:
            await shop_of(answer).topup(TOPUP)
        assert caught.value.accepted


@pytest.mark.parametrize(
    ("word", "state"), [("pending", T.PENDING), ("SUCCESS", T.DELIVERED), ("Failed", T.FAILED)]
)
async def test_an_order_may_be_finished_when_it_is_answered(word: str, state: TopupState) -> None:
    """They show "pending" only; a serial number is asked for later."""
    report = await shop_of({**YES, "status": word}).topup(TOPUP)
    assert (report.state, report.serial, report.returned) == (state, "", False)


@pytest.mark.parametrize("price", [None, "", "gratis", True, -1500, 1500.5, 0, [1500], 10**15])
async def test_an_order_whose_price_cannot_be_read_is_still_an_order(price: Any) -> None:
    report = await shop_of({**YES, "price": price}).topup(TOPUP)
    assert (report.state, report.cost) == (T.PENDING, None)


@pytest.mark.parametrize("number", [None, "", True, ["INV-1"], "INV 1", "INV/1", "x" * 101])
async def test_an_order_whose_number_cannot_be_read_is_still_an_order(number: Any) -> None:
    report = await shop_of({**YES, "invoice_id": number}).topup(TOPUP)
    assert (report.state, report.supplier_ref) == (T.PENDING, "")


# --- how an order stands --------------------------------------------------------------------------

WORDS = {
    "pending": T.PENDING,
    "success": T.DELIVERED,
    "SUCCESS": T.DELIVERED,
    " Success ": T.DELIVERED,
    "failed": T.FAILED,
    "FAILED": T.FAILED,
}
STRANGE = ("", "-", "sukses", "gagal", "processing", "refunded", "refund", "partial", "success.",
           "not success", "succ ess", "\u0441uccess", None, True, 1, ["success"],
           {"status": "success"})  # fmt: skip


async def test_the_words_of_the_document_tell_how_an_order_stands() -> None:
    for word, state in WORDS.items():
        report = await status_of(status=word)
        assert report.state is state
        assert report.serial == ("DGG-XXXX" if state is T.DELIVERED else "")
        assert (report.supplier_ref, report.cost) == ("INV-1", 1500)
        assert not report.strange


async def test_that_an_order_failed_does_not_say_that_its_money_is_back() -> None:
    assert not (await status_of(status="failed")).returned
    assert not (await status_of(status="refunded")).returned


@pytest.mark.parametrize("word", STRANGE)
async def test_an_unknown_word_moves_nothing(word: Any) -> None:
    report = await status_of(status=word)
    assert (report.state, report.serial, report.strange) == (T.UNREADABLE, "", True)


@pytest.mark.parametrize("note", [None, "", "N/A", "-", "SN: -", ["x"], {"x": "y"}, True, 5])
async def test_a_success_without_a_serial_number_says_so(note: Any) -> None:
    report = await status_of(serial_number=note)
    assert (report.state, report.serial) == (T.DELIVERED, "")


async def test_their_words_reach_the_owner_readable_and_short() -> None:
    long = "hubungi\r\nadmin \u202e" + "z" * 5000
    report = await status_of(status="Ditahan\u202e\n" + "x" * 5000, serial_number=long)
    assert report.words.startswith("status ditahan xxx")
    assert "hubungi admin" in report.note
    assert len(report.note) < 500
    assert report.note.isprintable()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (no("Order tidak ditemukan"), 404),
        (no("Order tidak ditemukan"), 400),
        (no("Order tidak ditemukan"), 200),
        (no(None), 422),
        ({"message": "No query results for model [Order]."}, 404),
    ],
)
async def test_an_order_they_have_not_heard_of_is_missing_and_not_failed(
    answer: Any, status: int
) -> None:
    report = await shop_of(answer, status).status(ASKED)
    assert (report.state, report.strange, report.supplier_ref) == (T.MISSING, False, "")
    assert f"HTTP {status}" in report.note


@pytest.mark.parametrize("status", [401, 403])
async def test_an_order_is_not_missing_because_the_key_is_refused(status: int) -> None:
    with pytest.raises(Misconfigured):
        await shop_of(no("Order tidak ditemukan"), status).status(ASKED)


@pytest.mark.parametrize("other", ["7K2M9PQRST-zonegame-2", REF.lower(), "", None, True, [REF]])
async def test_a_status_of_another_order_is_no_answer(other: Any) -> None:
    with pytest.raises(Unavailable, match="another order"):
        await status_of(trx_id=other)
    with pytest.raises(Unavailable, match="another order"):
        await shop_of({"success": True, "data": without(DATA, "trx_id")}).status(ASKED)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (DATA, 200),
        ({"data": DATA}, 200),
        ({"success": "true", "data": DATA}, 200),
        ({"success": True}, 200),
        ({"success": True, "data": None}, 200),
        ({"success": True, "data": "x"}, 200),
        ({"success": True, "data": DATA}, 400),
        ({"message": "The given data was invalid."}, 422),
    ],
)
async def test_an_answer_without_its_envelope_is_none(answer: Any, status: int) -> None:
    shop = shop_of(answer, status)
    for asking in (shop.status(ASKED), shop.balance(), shop.price_list(), shop.listing("MLID5")):
        with pytest.raises(Unavailable):
            await asking


@pytest.mark.parametrize("other", ["INV-2", "inv-1", "INV-11", 1])
async def test_a_status_under_another_number_of_theirs_is_no_answer(other: Any) -> None:
    with pytest.raises(Unavailable, match="another order"):
        await status_of(invoice_id=other)


@pytest.mark.parametrize("missing", [None, "", ["INV-2"], "INV/2"])
async def test_a_number_of_theirs_that_is_not_known_is_not_compared(missing: Any) -> None:
    assert (await status_of(invoice_id=missing)).state is T.DELIVERED
    report = await shop_of({"success": True, "data": DATA}).status(StatusRequest(ref=REF))
    assert (report.state, report.supplier_ref) == (T.DELIVERED, "INV-1")


# --- prices ---------------------------------------------------------------------------------------

ITEM = {"code": "MLID5", "name": "5 Diamond", "category": "Mobile Legends", "price": 1500}


@pytest.mark.parametrize(
    "bad",
    [
        None, 5, "x", [], {},
        {**ITEM, "code": ""}, {**ITEM, "code": None}, {**ITEM, "price": 0}, {**ITEM, "price": "-"},
        {**ITEM, "name": "<b>5</b>"}, {**ITEM, "category": None},
    ],
)  # fmt: skip
async def test_a_row_that_makes_no_sense_hides_no_other(bad: Any) -> None:
    found = await shop_of({"success": True, "data": [bad, ITEM]}).price_list()
    assert [listing.sku for listing in found.listings] == ["MLID5"]
    assert found.dropped == 1
    with pytest.raises(Unavailable):
        await shop_of({"success": True, "data": bad}).listing("MLID5")


@pytest.mark.parametrize("code", ["MLID6", "mlid5", "MLID50"])
async def test_the_price_of_another_item_is_no_answer(code: str) -> None:
    with pytest.raises(Unavailable):
        await shop_of({"success": True, "data": {**ITEM, "code": code}}).listing("MLID5")


async def test_only_their_own_words_take_an_item_off_the_shelf() -> None:
    with pytest.raises(NotSold):
        await shop_of(no("Produk tidak ditemukan"), 404).listing("MLID5")
    for answer in (no("Halaman tidak ditemukan"), no(None), {"message": "Produk tidak ditemukan"}):
        with pytest.raises(Unavailable):
            await shop_of(answer, 404).listing("MLID5")


# --- callbacks ------------------------------------------------------------------------------------


def compact(told: Any) -> bytes:
    """As their sample in JavaScript writes it."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def signed_with(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def called(body: bytes, signature: str | None = None) -> Callback:
    headers = {} if signature is None else {"x-signature": signature}
    return Callback(method="POST", query="", body=body, headers=headers, remote="192.0.2.7")


def told(**changed: Any) -> Told:
    [news] = shop_of().parse(called(compact({**TOLD, **changed})))
    assert isinstance(news, Told)
    return news


def test_the_signature_of_their_example_is_proof() -> None:
    shop = shop_of(keys=("test-api-key",))
    assert len(compact(TOLD)) == 409
    assert shop.verify(called(compact(TOLD), SIGNATURE)) is Trust.PROOF


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(TOLD, indent=4).encode(),
        json.dumps(TOLD).encode(),
        json.dumps(TOLD, separators=(",", ":"), sort_keys=True).encode(),
        compact(TOLD) + b"\n",
        compact({**TOLD, "amount": 1501}),
        b"",
    ],
    ids=["pretty", "spaced", "sorted", "longer", "altered", "empty"],
)
def test_the_same_words_in_other_bytes_prove_nothing(body: bytes) -> None:
    """What arrived is what counts, not what could be written of it again."""
    shop = shop_of(keys=("test-api-key",))
    assert shop.verify(called(body, SIGNATURE)) is Trust.NONE


@pytest.mark.parametrize(
    "signature",
    [None, "", "x", SIGNATURE.upper(), f"sha256={SIGNATURE}", SIGNATURE[:-1], f"{SIGNATURE} ",
     signed_with("", compact(TOLD)), signed_with("other", compact(TOLD)), "é", "\udcff"],
)  # fmt: skip
def test_any_other_signature_proves_nothing(signature: str | None) -> None:
    shop = shop_of(keys=("test-api-key",))
    assert shop.verify(called(compact(TOLD), signature)) is Trust.NONE


@pytest.mark.parametrize("key", [KEY, OLD])
def test_while_the_key_is_being_changed_both_prove(key: str) -> None:
    body = compact(TOLD)
    assert shop_of(keys=(KEY, OLD)).verify(called(body, signed_with(key, body))) is Trust.PROOF
    assert shop_of(keys=("a", "b")).verify(called(body, signed_with(key, body))) is Trust.NONE


def test_a_callback_without_bytes_is_proved_by_nothing() -> None:
    assert shop_of(keys=("", KEY)).verify(called(b"", signed_with("", b""))) is Trust.NONE


def test_a_callback_names_our_order_and_says_how_it_went() -> None:
    assert told() == Told(
        ref="ORDER-001",
        supplier_ref="INV-XXXXXXXXXXXXX",
        report=TopupReport(
            state=T.DELIVERED,
            cost=1500,
            serial="DGG-XXXXX",
            words="status success",
            note="status success: Whyy . RefId: DGG-XXXXX",
        ),
    )


def test_the_number_in_a_callback_is_not_kept_for_later_questions() -> None:
    """Nobody says that invoice_number is invoice_id; if not, no answer would ever be ours."""
    assert told(invoice_number="INV-2").supplier_ref == "INV-2"
    assert told(invoice_number="INV-2").report.supplier_ref == ""
    for odd in (None, True, ["INV-2"], "INV 2", ""):
        assert told(invoice_number=odd).supplier_ref == ""


def test_a_callback_is_read_from_its_stored_bytes_alone() -> None:
    stored = Callback(method="POST", query="", body=compact(TOLD))
    assert shop_of().parse(stored) == [told()]


@pytest.mark.parametrize(
    ("voucher", "note", "serial"),
    [
        (None, "Whyy . RefId: DGG-1", "DGG-1"),
        ("", "Whyy . RefId: DGG-1", "DGG-1"),
        ("N/A", "Whyy . RefId: DGG-1", "DGG-1"),
        ("ABCD-1234", "Whyy . RefId: DGG-1", "ABCD-1234"),
        ("ABCD-1234", None, "ABCD-1234"),
        ({"code": "ABCD-1234"}, "SN: 77", "77"),
        (["ABCD-1234"], None, ""),
        (None, None, ""),
    ],
)
def test_a_voucher_is_the_serial_number_where_there_is_one(
    voucher: Any, note: Any, serial: str
) -> None:
    assert told(voucher=voucher, response_note=note).report.serial == serial
    for word in ("FAILED", "PENDING", "REFUNDED"):
        assert told(status=word, voucher=voucher, response_note=note).report.serial == ""


def test_the_owner_is_not_shown_a_voucher() -> None:
    for word in ("SUCCESS", "FAILED", "REFUNDED"):
        assert "ABCD-1234" not in told(status=word, voucher="ABCD-1234").report.note


async def test_a_callback_and_a_status_understand_the_same_words() -> None:
    for word in (*WORDS, *STRANGE):
        asked, heard = await status_of(status=word), told(status=word).report
        assert (heard.state, heard.strange, heard.words) == (
            asked.state,
            asked.strange,
            asked.words,
        )


def test_a_callback_that_does_not_say_how_it_went_moves_nothing() -> None:
    [news] = shop_of().parse(called(compact(without(TOLD, "status"))))
    assert isinstance(news, Told)
    assert (news.report.state, news.report.strange) == (T.UNREADABLE, True)


@pytest.mark.parametrize(
    "odd", [None, "", " ", True, 1.5, ["ORDER-001"], {"a": 1}, "a\nb", "x" * 101]
)
def test_a_callback_about_no_order_is_nonsense(odd: Any) -> None:
    for body in ({**TOLD, "trx_id": odd}, without(TOLD, "trx_id")):
        with pytest.raises(Nonsense):
            shop_of().parse(called(compact(body)))


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"SUCCESS"', b"trx_id=ORDER-001", b"\xff", b"[" * 100_000,
     b'{"trx_id":"A","trx_id":"B"}', b'{"trx_id":"A","amount":NaN}'],
)  # fmt: skip
def test_a_body_that_is_no_plain_object_is_nonsense(body: bytes) -> None:
    with pytest.raises(Nonsense):
        shop_of().parse(called(body))


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(0, 220, 20))
async def test_an_answer_that_repeats_a_key_of_ours_does_not_make_us_repeat_it(cut: int) -> None:
    """Neither the whole of it, nor the half that is left where a long text is cut."""
    heard: list[object] = []
    for key in (KEY, OLD.upper()):
        said = "x" * cut + f" kunci {key} ditolak"
        filled = dict.fromkeys(("message", "nickname", "region", "status", "invoice_id"), said)
        row = dict.fromkeys(("name", "category"), said)
        data = {**DATA, "status": said, "serial_number": said}
        keys = (KEY, OLD)
        heard += [
            await shop_of({**YES, **filled}, keys=keys).topup(TOPUP),
            await shop_of({"success": True, "data": data}, keys=keys).status(ASKED),
            await shop_of(no(said), 404, keys=keys).status(ASKED),
            await shop_of({"success": True, "data": [{**ITEM, **row}]}, keys=keys).price_list(),
            shop_of(keys=keys).parse(
                called(compact({**TOLD, **filled, "voucher": said, "response_note": said}))
            ),
        ]
        for answer in (no(said), no("USER_REGION_IS_NOT_BR", nickname=said, region=said)):
            with pytest.raises(Refused) as caught:
                await shop_of(answer, 422, keys=keys).topup(TOPUP)
            heard += [str(caught.value), vars(caught.value)]
    shown = repr(heard).lower()
    assert KEY[:10] not in shown
