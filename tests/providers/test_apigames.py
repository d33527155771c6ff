"""Apigames' own oddities: a fine envelope around failures, two signatures, callbacks anyone knows.

What is recorded of it is in ``fixtures/apigames``.
"""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.apigames import Apigames, Settings
from shop.callbacks import Callback, Nonsense, Trust
from shop.suppliers import (
    Misconfigured,
    OutcomeUnknown,
    StatusRequest,
    SupplierError,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)

NOW = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta
OURS = "157.245.207.5"
# md5("M123:SECRET:ref-1"), md5("M123:SECRET") and md5("M123SECRET"), computed elsewhere.
SIGNATURE = "8b9ecec3097392155f525088b07cbaa3"
COLON = "5fc1f5532303ca40df8d51233a6742c0"
PLAIN = "cc3e7bddd259633c8368db1167136690"

TOPUP = TopupRequest(ref="ref-1", sku="ml86", user_id="012345678", server="2001", target="x")
ASKED = StatusRequest(ref="ref-1", supplier_ref="T220926XXXXX00003")
NOT_VALID = {"error_msg": "Signature not valid", "status": 0}
PERSON = {"status": 1, "rc": 200, "message": "Sukses", "data": {"saldo": 19_690_000}}

S = TopupState
Answer = Callable[[httpx.Request], Any]


def apigames(answer: Answer, *, products: Path | None = None, keys: Sequence[str] = ()) -> Apigames:
    """The adapter in front of a supplier that answers so: an object, or a whole response."""

    def reply(request: httpx.Request) -> httpx.Response:
        said = answer(request)
        whole = isinstance(said, httpx.Response)
        return said if whole else httpx.Response(200, content=json.dumps(said).encode())

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(reply), trust_env=False)

    wanted = Settings(
        url="http://127.0.0.1:9",
        merchant_id="M123",
        secret_key=lambda: keys or ("SECRET",),
        products=products,
        callback_ips=[ip_network(OURS)],
    )
    return Apigames(wanted, clock=lambda: NOW, client=client)


def says(said: Any, status: int = 200) -> Apigames:
    """The adapter in front of a supplier that says this to everything."""
    return apigames(lambda _: httpx.Response(status, content=json.dumps(said).encode()))


def told(status: object = "Sukses", **more: Any) -> dict[str, Any]:
    return {
        "merchant_id": "M123",
        "trx_id": "T220926XXXXX00003",
        "ref_id": "ref-1",
        "destination": "012345678",
        "product_code": "ml86",
        "message": "R#ref-1 ml86.012345678. Sisa saldo 99049000",
        "status": status,
        "sn": "BSK.AFULP. RefId : 12067803053055289057",
        "last_balance": "99049000",
        "product_detail": {"name": "86 Diamonds", "price": 3, "rate": 250, "price_rp": 750},
        **more,
    }


def enveloped(status: object = "Sukses", **more: Any) -> dict[str, Any]:
    return {"data": told(status, **more), "status": 1}


async def status_of(said: Any) -> TopupReport:
    return await says(said).status(ASKED)


# --- their words ----------------------------------------------------------------------------------

TABLE = {
    "Pending": S.PENDING,
    "Proses": S.PENDING,
    "Validasi Provider": S.PENDING,
    "Sukses Sebagian": S.PARTIAL,
    "Sukses": S.DELIVERED,
    "Gagal": S.FAILED,
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as written": str,
    "lower": str.lower,
    "upper": str.upper,
    "blanks around": lambda word: f"  {word}\t",
    "underscores": lambda word: word.replace(" ", "_"),
}
STRANGE = ("Success", "Refund", "Sukses.", "Tidak Sukses", "Sukses Gagal", "SuksesSebagian", "",
           "-", "1", 1, True, None, [], ["Sukses"], {"Sukses": 1}, "\u0421ukses")  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("word", TABLE)
async def test_each_word_has_one_meaning_however_it_is_spelt(word: str, spelling: str) -> None:
    said = enveloped(SPELLINGS[spelling](word))
    for report in (await status_of(said), await says(said).topup(TOPUP)):
        assert (report.state, report.strange) == (TABLE[word], False)
        assert report.words == f"status {word.lower()}"


@pytest.mark.parametrize("word", STRANGE)
async def test_an_unknown_word_moves_nothing_and_is_reported(word: object) -> None:
    said = enveloped(word)
    for report in (await status_of(said), await says(said).topup(TOPUP)):
        assert (report.state, report.strange, report.serial) == (S.UNREADABLE, True, "")


@pytest.mark.parametrize("word", TABLE)
async def test_only_what_is_delivered_has_a_serial_number_although_all_have_an_sn(
    word: str,
) -> None:
    report = await status_of(enveloped(word))
    assert report.serial == ("12067803053055289057" if word == "Sukses" else "")
    assert not report.returned


async def test_a_failure_does_not_say_that_the_money_is_back() -> None:
    """They charge for some failures of the provider behind them (docs/v2/intro.md)."""
    report = await status_of(enveloped("Gagal", sn="error_require_login"))
    assert (report.state, report.returned, report.serial) == (S.FAILED, False, "")


@pytest.mark.parametrize(
    ("sn", "serial"),
    [
        ("N/A", ""),
        ("", ""),
        (None, ""),
        ("-", ""),
        (["A"], ""),
        ("<b>A1</b>", ""),
        ("SN: ABC123", "ABC123"),
        ("Whyy. RefId : A/1", "A/1"),
        ("A\u202e1", "A1"),
    ],
)
async def test_the_serial_number_is_what_a_person_can_read(sn: object, serial: str) -> None:
    assert (await status_of(enveloped(sn=sn))).serial == serial


@pytest.mark.parametrize(
    ("detail", "cost"),
    [
        ({"price": 3, "rate": 250, "price_rp": 750}, 750),
        ({"price_rp": "1.750"}, 1_750),
        ({"price_rp": 750.0}, 750),
        ({"price_rp": 750.5}, None),
        ({"price_rp": -1}, None),
        ({"price_rp": True}, None),
        ({"price": 3}, None),
        ({}, None),
        ([], None),
        (None, None),
        ("750", None),
        (750, None),
    ],
)
async def test_the_cost_is_in_rupiah_or_unknown(detail: object, cost: int | None) -> None:
    assert (await status_of(enveloped(product_detail=detail))).cost == cost


@pytest.mark.parametrize("other", [{"message": ""}, {"message": None}, {}], ids=str)
async def test_the_owner_reads_what_they_said(other: dict[str, Any]) -> None:
    report = await status_of(enveloped("Gagal", sn="error_require_login", **other))
    assert report.note == (
        "status gagal: error_require_login"
        if other
        else "status gagal: R#ref-1 ml86.012345678. Sisa saldo 99049000"
    )


@pytest.mark.parametrize("trx_id", [None, "", "T 1", "<b>", True, [], {"T1": 1}, "x" * 101, 1.5])
async def test_an_id_that_is_none_is_left_out_and_the_word_counts(trx_id: object) -> None:
    report = await status_of(enveloped(trx_id=trx_id))
    assert (report.state, report.supplier_ref) == (S.DELIVERED, "")


# --- an order -------------------------------------------------------------------------------------


async def test_an_order_carries_everything_they_want_as_text() -> None:
    sent: list[httpx.Request] = []
    await apigames(lambda request: sent.append(request) or enveloped("Pending")).topup(TOPUP)
    [request] = sent
    assert (request.method, request.url.path, request.url.query) == ("POST", "/v2/transaksi", b"")
    assert json.loads(request.content) == {
        "ref_id": "ref-1",
        "merchant_id": "M123",
        "produk": "ml86",
        "tujuan": "012345678",
        "server_id": "2001",
        "signature": SIGNATURE,
    }


@pytest.mark.parametrize("status", [200, 400, 404, 422])
@pytest.mark.parametrize(
    "error",
    ["Saldo tidak mencukupi", "Produk tidak ditemukan", "ref_id sudah digunakan", "Invalid tujuan",
     "Provider: signature not valid", "IP provider berubah", "", None, ["Signature not valid"]],
)  # fmt: skip
async def test_an_error_nobody_has_explained_may_follow_an_order(
    error: object, status: int
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await says({"error_msg": error, "status": 0}, status).topup(TOPUP)
    assert not caught.value.accepted


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize("error", ["Signature not valid", "SIGNATURE NOT VALID", "Ip Not Allow",
                                   "Ip not allowed: 203.0.113.9"])  # fmt: skip
async def test_only_words_that_say_who_may_not_order_mean_that_nothing_was_ordered(
    error: str, status: int
) -> None:
    with pytest.raises(Misconfigured, match=error):
        await says({"error_msg": error, "status": 0}, status).topup(TOPUP)


@pytest.mark.parametrize("envelope", [1, "1", 2, None, True, False, [], 0.0])
async def test_a_refusal_in_an_envelope_that_is_none_refuses_nothing(envelope: object) -> None:
    with pytest.raises(OutcomeUnknown):
        await says({"error_msg": "Signature not valid", "status": envelope}).topup(TOPUP)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_a_yes_under_an_http_error_is_pending_as_they_want_it(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        await says(enveloped("Gagal"), status).topup(TOPUP)
    with pytest.raises(Unavailable):
        await says(enveloped("Gagal"), status).status(ASKED)


@pytest.mark.parametrize("envelope", [0, 2, None, True, [1], "yes", 1.0])
async def test_only_an_envelope_of_one_is_a_yes(envelope: object) -> None:
    said = {**enveloped("Sukses"), "status": envelope}
    with pytest.raises(OutcomeUnknown):
        await says(said).topup(TOPUP)
    with pytest.raises(Unavailable):
        await says(said).status(ASKED)


@pytest.mark.parametrize("data", [None, [], "Sukses", {}, [told()]])
async def test_a_yes_around_nothing_leaves_everything_open(data: Any) -> None:
    said = {"data": data, "status": 1}
    with pytest.raises(OutcomeUnknown) as caught:
        await says(said).topup(TOPUP)
    assert not caught.value.accepted
    with pytest.raises(Unavailable):
        await says(said).status(ASKED)


@pytest.mark.parametrize("ref", ["ref-2", "REF-1", "ref-1 ", 1])
async def test_the_answer_about_another_order_is_not_ours(ref: object) -> None:
    with pytest.raises(OutcomeUnknown, match="another order"):
        await says(enveloped("Gagal", ref_id=ref)).topup(TOPUP)
    with pytest.raises(Unavailable, match="another order"):
        await status_of(enveloped("Gagal", ref_id=ref))


async def test_their_own_id_must_be_the_one_they_told_if_they_told_one() -> None:
    with pytest.raises(Unavailable, match="another order"):
        await status_of(enveloped("Gagal", trx_id="T220926XXXXX00004"))
    asked = StatusRequest(ref="ref-1")
    report = await says(enveloped("Gagal", trx_id="T220926XXXXX00004")).status(asked)
    assert report.supplier_ref == "T220926XXXXX00004"


async def test_an_order_made_for_another_reference_is_the_owners_to_look_at() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await says(enveloped("Pending", ref_id="ref-2")).topup(TOPUP)
    assert caught.value.accepted


# --- a question about an order --------------------------------------------------------------------


async def test_a_question_keeps_the_signature_out_of_the_address() -> None:
    sent: list[httpx.Request] = []
    await apigames(lambda request: sent.append(request) or enveloped()).status(ASKED)
    [request] = sent
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:9/v2/transaksi/status")
    mine = {"ref_id": "ref-1", "merchant_id": "M123", "signature": SIGNATURE}
    assert json.loads(request.content) == mine


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize(
    "error", ["Transaksi tidak ditemukan", "TRANSAKSI TIDAK DITEMUKAN", "ref_id not found"]
)
async def test_an_order_that_is_not_there_is_missing_and_no_more(error: str, status: int) -> None:
    report = await says({"error_msg": error, "status": 0}, status).status(ASKED)
    assert (report.state, report.strange, report.returned) == (S.MISSING, False, False)
    assert (report.note, report.supplier_ref, report.cost) == (f"status -: {error}", "", None)


@pytest.mark.parametrize(
    "said",
    [
        {"error_msg": "Terjadi kesalahan", "status": 0},
        {"error_msg": None, "status": 0},
        {"status": 0},
        {"message": "Not Found"},
        {"message": "Not Found", "status": 404},
        {"error_msg": "Transaksi tidak ditemukan", "status": None},
        {"error_msg": ["Transaksi tidak ditemukan"], "status": 0},
    ],
)
async def test_an_error_nobody_has_explained_says_nothing_of_the_order(said: Any) -> None:
    with pytest.raises(Unavailable):
        await status_of(said)


@pytest.mark.parametrize("error", ["Signature not valid", "Invalid signature", "Ip Not Allow"])
async def test_a_question_that_is_refused_for_who_we_are_is_the_owners_business(error: str) -> None:
    with pytest.raises(Misconfigured, match=error):
        await status_of({"error_msg": error, "status": 0})


# --- the signature of everything else -------------------------------------------------------------


class TwoDoors:
    """Accepts one of the two signatures at each door, and writes down what it was shown."""

    def __init__(self, *accepted: str, error: str = "Signature not valid") -> None:
        self.accepted = accepted
        self.error = error
        self.shown: list[str] = []

    def __call__(self, request: httpx.Request) -> Any:
        signature = request.url.params["signature"]
        self.shown.append(signature)
        if signature in self.accepted:
            return PERSON
        return {"error_msg": self.error, "status": 0}


async def test_a_balance_is_signed_with_a_colon_unless_that_is_refused() -> None:
    door = TwoDoors(COLON)
    assert await apigames(door).balance() == 19_690_000
    assert door.shown == [COLON]


@pytest.mark.parametrize("error", ["Signature not valid", "signature salah", "Invalid Signature!"])
async def test_what_was_accepted_once_is_tried_first_from_then_on(error: str) -> None:
    door = TwoDoors(PLAIN, error=error)
    supplier = apigames(door)
    assert await supplier.balance() == 19_690_000
    assert await supplier.balance() == 19_690_000
    assert door.shown == [COLON, PLAIN, PLAIN]
    door.accepted = (COLON,)
    assert await supplier.balance() == 19_690_000
    assert await supplier.balance() == 19_690_000
    assert door.shown[3:] == [PLAIN, COLON, COLON]


async def test_two_refusals_are_the_owners_business_and_nothing_is_learnt() -> None:
    door = TwoDoors()
    supplier = apigames(door)
    for _ in range(2):
        with pytest.raises(Misconfigured, match="Signature not valid"):
            await supplier.balance()
    assert door.shown == [COLON, PLAIN, COLON, PLAIN]


async def test_another_error_is_no_reason_to_sign_in_another_way() -> None:
    door = TwoDoors(error="Merchant tidak aktif")
    with pytest.raises(Unavailable, match="Merchant tidak aktif"):
        await apigames(door).balance()
    assert door.shown == [COLON]


async def test_each_kind_of_question_learns_for_itself() -> None:
    door = TwoDoors(COLON, PLAIN)
    supplier = apigames(door)
    await supplier.balance()
    await supplier.connections()
    with pytest.raises(Unavailable):
        await supplier.nickname("free-fire", "123456789", "")
    assert door.shown == [COLON, *[PLAIN] * 6]


async def test_the_first_of_two_keys_signs() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> Any:
        sent.append(request)
        return PERSON if request.method == "GET" else enveloped()

    supplier = apigames(answer, keys=["SECRET", "OLD"])
    await supplier.balance()
    await supplier.status(ASKED)
    assert sent[0].url.params["signature"] == COLON
    assert json.loads(sent[1].content)["signature"] == SIGNATURE


@pytest.mark.parametrize("saldo", [None, True, -1, 1.5, "x", [], {}])
async def test_a_balance_that_is_no_amount_is_none(saldo: object) -> None:
    with pytest.raises(Unavailable):
        await says({"status": 1, "data": {"saldo": saldo}}).balance()


# --- names and engines ----------------------------------------------------------------------------


def named(valid: object, username: object) -> dict[str, Any]:
    return {"status": 1, "rc": 0, "data": {"is_valid": valid, "username": username}}


async def test_a_name_is_asked_for_with_id_and_zone_as_one() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> Any:
        sent.append(request)
        return named(True, "•CUMAN BISA MM•")

    name = await apigames(answer).nickname("mobile-legends", "012345678", "2001")
    assert name == "•CUMAN BISA MM•"
    [request] = sent
    assert request.url.path == "/merchant/M123/cek-username/mobilelegend"
    assert dict(request.url.params) == {"user_id": "0123456782001", "signature": PLAIN}


async def test_nobody_is_found_only_if_they_say_so() -> None:
    assert await says(named(False, "")).nickname("free-fire", "123456789", "") is None
    for valid in (None, 0, "", "false", [], "x", 2, True):
        with pytest.raises(Unavailable):
            await says(named(valid, "")).nickname("free-fire", "123456789", "")


@pytest.mark.parametrize("username", ["", " ", "\u3164", None, 5, ["Whyy"], {"Whyy": 1}])
async def test_a_name_that_cannot_be_seen_is_none(username: object) -> None:
    with pytest.raises(Unavailable):
        await says(named(True, username)).nickname("free-fire", "123456789", "")


async def test_a_name_is_foreign_text_and_made_visible() -> None:
    hostile = "\u202eBudi\x00\n<b>" + "x" * 300
    name = await says(named(True, hostile)).nickname("free-fire", "123456789", "")
    assert name is not None
    assert name.startswith("Budi <b>")
    assert name.isprintable()
    assert len(name) <= 60


async def test_a_game_they_know_no_players_of_is_not_asked_about() -> None:
    def nobody(_: httpx.Request) -> Any:
        raise AssertionError("they were asked")

    with pytest.raises(Unavailable):
        await apigames(nobody).nickname("valorant", "Budi#ID1", "")


@pytest.mark.parametrize("rc", [0, 50, 200, 500, None])
@pytest.mark.parametrize(("status", "works"), [(1, True), (0, False)])
async def test_an_engine_works_by_its_status_whatever_rc_says(
    rc: object, status: int, works: bool
) -> None:
    said = {"status": status, "rc": rc, "error_msg": "belum tersedia"}
    found = await says(said).connections()
    assert found == dict.fromkeys(
        ["smileone", "kiosgamer", "unipin", "unipinbr", "unipinmy"], works
    )


@pytest.mark.parametrize("status", [None, True, False, 2, "ok", []])
async def test_an_engine_of_which_nothing_is_said_is_not_known(status: object) -> None:
    with pytest.raises(Unavailable):
        await says({"status": status, "rc": 0}).connections()


async def test_a_refused_signature_is_no_broken_engine() -> None:
    with pytest.raises(Misconfigured):
        await says(NOT_VALID).connections()


# --- the price list -------------------------------------------------------------------------------


def unasked(products: Path | None) -> Apigames:
    def nobody(_: httpx.Request) -> Any:
        raise AssertionError("they were asked")

    return apigames(nobody, products=products)


async def test_the_list_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "apigames.csv"
    supplier = unasked(file)
    for price in (750, 800):
        file.write_text(f"code,game,name,price\nff5,Free Fire,5 Diamond,{price}\nff70,,,\n")
        found = await supplier.price_list()
        assert [(one.sku, one.price) for one in found.listings] == [("ff5", price)]
        assert found.dropped == 1


async def test_without_a_file_nothing_is_listed() -> None:
    found = await unasked(None).price_list()
    assert (list(found.listings), found.dropped) == ([], 0)


async def test_a_file_that_cannot_be_used_is_the_owners_business(tmp_path: Path) -> None:
    file = tmp_path / "apigames.csv"
    with pytest.raises(Misconfigured, match=r"^apigames: .*apigames\.csv is not there"):
        await unasked(file).price_list()
    file.write_text("kode,harga\n")
    with pytest.raises(Misconfigured, match=r"apigames\.csv must begin with .*code,game,name"):
        await unasked(file).price_list()


# --- callbacks ------------------------------------------------------------------------------------


def callback(
    said: object = None, *, header: str | None = SIGNATURE, remote: str = OURS
) -> Callback:
    body = (
        said if isinstance(said, bytes) else json.dumps(told() if said is None else said).encode()
    )
    headers = {} if header is None else {"x-apigames-authorization": header}
    return Callback(method="POST", query="", body=body, headers=headers, remote=remote)


def verified(given: Callback, *keys: str) -> Trust:
    return apigames(lambda _: None, keys=keys).verify(given)


def test_a_callback_is_a_hint_at_most_because_its_header_does_not_cover_its_body() -> None:
    assert verified(callback()) is Trust.HINT
    assert verified(callback(told("Gagal"))) is Trust.HINT
    assert verified(callback(remote=f"::ffff:{OURS}")) is Trust.HINT


@pytest.mark.parametrize("remote", ["", "157.245.207.6", "127.0.0.1", "x", f"{OURS}, 10.0.0.1"])
def test_the_header_alone_proves_nothing(remote: str) -> None:
    assert verified(callback(remote=remote)) is Trust.NONE


@pytest.mark.parametrize(
    "header",
    [None, "", COLON, PLAIN, SIGNATURE.upper(), SIGNATURE[:-1], f"{SIGNATURE} ", f"md5={SIGNATURE}",
     "SECRET", "\udcff", "é"],
)  # fmt: skip
def test_the_address_alone_proves_nothing(header: str | None) -> None:
    assert verified(callback(header=header)) is Trust.NONE


@pytest.mark.parametrize(
    "said",
    [told(ref_id="ref-2"), told(ref_id="ref-1 "), told(ref_id=None), told(ref_id=["ref-1"]),
     told(ref_id="\ud800"), told(ref_id=10**400), told(ref_id=""), told(merchant_id="M124"),
     told(merchant_id=None), told(merchant_id=["M123"]), {}, [], "ref-1", 5,
     {"data": told(), "status": 1}, b"", b"\xff", b"{", b'{"ref_id":' + b"[" * 100_000,
     b'{"ref_id":"ref-1","ref_id":"ref-1","merchant_id":"M123"}',
     b'{"ref_id":"ref-1","merchant_id":"M123","x":NaN}',
     b'{"ref_id":' + b"9" * 10_000 + b"}", b"ref_id=ref-1&merchant_id=M123"],
)  # fmt: skip
def test_a_body_that_does_not_name_the_order_of_the_header_proves_nothing(said: object) -> None:
    assert verified(callback(said)) is Trust.NONE


def test_while_the_key_is_being_changed_both_verify() -> None:
    assert verified(callback(), "NEW", "SECRET") is Trust.HINT
    assert verified(callback(), "SECRET", "OLD") is Trust.HINT
    assert verified(callback(), "NEW", "OLD") is Trust.NONE


@given(body=st.binary(max_size=60), header=st.text(max_size=40), remote=st.text(max_size=20))
def test_whatever_comes_it_is_verified_without_a_fuss(
    body: bytes, header: str, remote: str
) -> None:
    assert verified(callback(body, header=header, remote=remote)) is Trust.NONE
    assert verified(callback(body, header=header)) is Trust.NONE


@pytest.mark.parametrize("word", TABLE)
def test_a_callback_says_what_a_status_would_say(word: str) -> None:
    stored = Callback(method="POST", query="", body=json.dumps(told(word)).encode())
    [news] = says({}).parse(stored)
    assert (news.ref, news.supplier_ref) == ("ref-1", "T220926XXXXX00003")
    assert (news.report.state, news.report.cost) == (TABLE[word], 750)
    assert news.report.serial == ("12067803053055289057" if word == "Sukses" else "")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"status":"Sukses"}', b'{"ref_id":null}',
                                  b'{"ref_id":"a\\ud800"}', b'{"ref_id":["ref-1"]}'])  # fmt: skip
def test_a_callback_that_names_no_order_is_nonsense(body: bytes) -> None:
    with pytest.raises(Nonsense):
        says({}).parse(Callback(method="POST", query="", body=body))


# --- secrets --------------------------------------------------------------------------------------

TELLING = ("SECRET", SIGNATURE, COLON, PLAIN, SIGNATURE.upper())


def shown(value: object) -> str:
    if isinstance(value, BaseException):
        return "".join(traceback.format_exception(value)) + repr(value)
    return repr(value)


@pytest.mark.parametrize("secret", TELLING)
@pytest.mark.parametrize("envelope", [0, 1, None])
async def test_neither_key_nor_signature_is_ever_repeated(secret: str, envelope: object) -> None:
    words = f"kunci {secret} salah"
    data = told("Sukses", sn=words, message=words, trx_id=secret, username=words, is_valid=True)
    supplier = says({"status": envelope, "error_msg": words, "message": words, "data": data})
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: supplier.topup(TOPUP),
        lambda: supplier.status(ASKED),
    ]
    if secret.lower() != SIGNATURE:  # which is told only where that order is spoken of
        calls += [supplier.balance, supplier.connections]
        calls.append(lambda: supplier.nickname("free-fire", "123456789", ""))
    for call in calls:
        try:
            result = await call()
        except SupplierError as error:
            result = error
        assert secret.lower() not in shown(result).lower(), result


async def test_a_lost_connection_does_not_show_the_signature_in_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)  # as the shop keeps httpx, which tells addresses below that

    def cut(_: httpx.Request) -> Any:
        raise httpx.ReadError("cut")

    with pytest.raises(Unavailable) as caught:
        await apigames(cut).balance()
    assert not any(secret in shown(caught.value) + caplog.text for secret in TELLING[1:])


def test_nothing_secret_is_in_the_settings_text() -> None:
    supplier = says({})
    assert not any(secret in repr(vars(supplier)) for secret in TELLING)
