"""ZulTopup's own oddities: two states in one answer, two envelopes, numbers written as texts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import httpx
import pytest

from providers.zultopup import Settings, ZulTopup
from shop.suppliers import (
    InvoiceReport,
    InvoiceRequest,
    InvoiceState,
    Listing,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    StatusRequest,
    SupplierError,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)
from shop.time import HOUR, MINUTE, SECOND

NOW = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta
KEY = "kanari-5f3a9c71d2"
PHONE = "081200000000"
REQUEST = InvoiceRequest(ref="7K2M9PQRST", sku="0012", target="00123456782001", price=12_000)

TOPUP = TopupRequest(
    ref="7K2M9PQRST", sku="0012", user_id="00123456782001", server="", target="00123456782001"
)

S = InvoiceState
T = TopupState


def shop_of(answer: Any, status: int = 200, journal: list[httpx.Request] | None = None) -> ZulTopup:
    """The adapter in front of a supplier that says this to everything."""

    def reply(request: httpx.Request) -> httpx.Response:
        if journal is not None:
            journal.append(request)
        return httpx.Response(status, content=json.dumps(answer).encode())

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(reply), trust_env=False)

    wanted = settings_with(lambda: (KEY,))
    return ZulTopup(wanted, clock=lambda: NOW, client=client)


def settings_with(key: Callable[[], Sequence[str]]) -> Settings:
    return Settings(
        url="http://127.0.0.1:9",
        api_key=key,
        phone=PHONE,
        target_format="{user_id}{server_id}",
        dropship_percent=1200,
    )


def opened(**payment: Any) -> dict[str, Any]:
    """A dropship order as the document shows it."""
    return {
        "status": True,
        "data": {
            "id": "55",
            "invoice": "INV-55",
            "mode": "dropship",
            "selling_price": 12_000,
            "reseller_cost": 11_200,
            "reseller_profit": 800,
            "payment": {
                "qr_url": "https://chestcloudx.my.id/qr/55.png",
                "amount": 12_000,
                "expired_at": "2026-11-20 12:15:00",
                "status_url": "https://chestcloudx.my.id/status/55",
                "invoice_url": "https://chestcloudx.my.id/invoice/55",
                **payment,
            },
        },
    }


def changed(answer: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {**answer, "data": {**answer["data"], **data}}


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    kept = {name: value for name, value in answer["data"].items() if name not in names}
    return {**answer, "data": kept}


# --- the two states -------------------------------------------------------------------------------

NOTHING = None
# What the order word and the payment word say together. Without a payment word nobody has said
# that the customer paid; goods that are delivered are delivered, whatever is said of the money.
TABLE = {
    ("Pending", NOTHING): S.UNPAID,
    ("Pending", "pending"): S.UNPAID,
    ("Pending", "settlement"): S.SETTLED,
    ("Pending", "expired"): S.EXPIRED,
    ("Success", NOTHING): S.DELIVERED,
    ("Success", "pending"): S.DELIVERED,
    ("Success", "settlement"): S.DELIVERED,
    ("Success", "expired"): S.DELIVERED,
    ("Error", NOTHING): S.UNCLEAR,
    ("Error", "pending"): S.UNPAID,
    ("Error", "settlement"): S.FAILED,
    ("Error", "expired"): S.EXPIRED,
    ("Gagal", NOTHING): S.UNCLEAR,
    ("Gagal", "pending"): S.UNPAID,
    ("Gagal", "settlement"): S.FAILED,
    ("Gagal", "expired"): S.EXPIRED,
    ("Error/Gagal", NOTHING): S.UNCLEAR,
    ("Error/Gagal", "pending"): S.UNPAID,
    ("Error/Gagal", "settlement"): S.FAILED,
    ("Error/Gagal", "expired"): S.EXPIRED,
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as written": str,
    "lower": str.lower,
    "upper": str.upper,
    "blanks around": lambda word: f"  {word}\t",
    "underscores around": lambda word: f"_{word}_",
}
PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "beside": lambda word: {"payment_status": word},
    "inside payment": lambda word: {"payment": {"payment_status": word}},
    "payment's own status": lambda word: {"payment": {"status": word}},
    "beside, and a payment without one": lambda word: {"payment_status": word, "payment": {}},
    "beside is null": lambda word: {"payment_status": None, "payment": {"payment_status": word}},
    "inside is null": lambda word: {"payment": {"payment_status": None, "status": word}},
}


async def state_of(data: dict[str, Any]) -> InvoiceState:
    report = await shop_of({"status": True, "data": data}).invoice_report("55")
    return report.state


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_order_word_and_payment_word_make_one_state(spelling: str, place: str) -> None:
    spelt = SPELLINGS[spelling]
    for (order, payment), state in TABLE.items():
        said = {} if payment is NOTHING else PLACES[place](spelt(payment))
        assert await state_of({"id": "55", "status": spelt(order), **said}) is state, (
            order,
            payment,
        )


@pytest.mark.parametrize("payment", ["", None, {}, {"payment_status": None}, {"amount": 12_000}])
@pytest.mark.parametrize("order", ["Pending", "Success", "Error"])
async def test_a_payment_that_says_nothing_is_as_good_as_none(order: str, payment: Any) -> None:
    state = await state_of({"id": "55", "status": order, "payment": payment})
    assert state is TABLE[order, NOTHING]


STRANGE = ("Partial", "Refund", "Canceled", "Proses", "Sukses", "Successful", "", "-",
           "Not Success", "Success.", "succ ess", "SUCCES", "Error/Gagal/Refund", "error / gagal",
           "Pending Success", "\u0441uccess")  # fmt: skip


async def report_of(**data: Any) -> InvoiceReport:
    return await shop_of({"status": True, "data": {"id": "55", **data}}).invoice_report("55")


@pytest.mark.parametrize("payment", ["", "pending", "expired", "paid"])
@pytest.mark.parametrize("order", STRANGE)
async def test_an_order_word_nobody_explained_is_never_guessed(order: str, payment: str) -> None:
    report = await report_of(status=order, payment_status=payment, catatan="SN: ABC123")
    assert (report.state, report.serial, report.strange) == (S.UNREADABLE, "", True)


@pytest.mark.parametrize("order", STRANGE)
async def test_a_settled_payment_is_money_whatever_the_order_word_means(order: str) -> None:
    """Else a paid order would be called unpaid; of goods, or of a failure, nothing is said."""
    report = await report_of(status=order, payment_status="settlement", catatan="SN: ABC123")
    assert (report.state, report.serial, report.strange) == (S.SETTLED, "", True)


@pytest.mark.parametrize("order", ["Pending", "Success", "Error"])
@pytest.mark.parametrize(
    "payment",
    ["paid", "unpaid", "settled", "refund", "cancel", "capture", "deny", "failure",
     "settlement,refund", "not settlement", "0", "true", "1"],
)  # fmt: skip
async def test_a_payment_word_nobody_explained_is_never_guessed(order: str, payment: str) -> None:
    report = await report_of(status=order, payment_status=payment, catatan="SN: ABC123")
    assert (report.state, report.serial, report.strange) == (S.UNREADABLE, "", True)


async def test_the_words_of_the_document_are_not_strange() -> None:
    for order, payment in TABLE:
        said = {} if payment is NOTHING else {"payment_status": payment}
        report = await report_of(status=order, **said)
        assert not report.strange, (order, payment)


async def test_the_words_are_the_same_whatever_is_written_beside_them() -> None:
    """By them the owner is told once of each, not of each note."""
    reports = [
        await report_of(status=word, payment_status="settlement", catatan=note)
        for word, note in (("Ditahan", "ke-1"), (" DITAHAN ", "ke-2"), ("Ditahan", ["x"]))
    ]
    assert len({report.words for report in reports}) == 1
    assert len({report.note for report in reports}) == 3
    assert (await report_of(status="Dilepas", payment_status="settlement")).words not in {
        report.words for report in reports
    }


@pytest.mark.parametrize("order", ["Pending", "Success", "Error"])
@pytest.mark.parametrize("place", ["beside", "inside payment", "payment's own status", "payment"])
async def test_a_payment_word_that_is_no_text_is_not_the_same_as_none(
    order: str, place: str
) -> None:
    """Else a paid order would be called unpaid, and lapse."""
    put = PLACES.get(place, lambda word: {"payment": word})
    for value in (True, 1, 2.5, ["settlement"], *([] if place == "payment" else [{"a": "b"}])):
        state = await state_of({"id": "55", "status": order, **put(value)})
        assert state is S.UNREADABLE, value


@pytest.mark.parametrize("value", [True, False, 0, 1, None, [], ["Success"], {"status": "Success"}])
@pytest.mark.parametrize("payment", [None, "settlement"])
async def test_an_order_word_that_is_no_text_says_nothing(value: Any, payment: Any) -> None:
    report = await report_of(status=value, payment_status=payment)
    assert report.state is (S.SETTLED if payment else S.UNREADABLE)
    assert report.strange


async def test_only_a_delivered_order_has_a_serial_number() -> None:
    for (order, payment), state in TABLE.items():
        said = {} if payment is NOTHING else {"payment_status": payment}
        data = {"id": "55", "status": order, "catatan": "SN: ABC123", **said}
        report = await shop_of({"status": True, "data": data}).invoice_report("55")
        assert report.serial == ("ABC123" if state is S.DELIVERED else "")
        assert "SN: ABC123" in report.note


@pytest.mark.parametrize("note", [None, "", "N/A", "-", "SN:", "SN: -"])
async def test_a_success_without_a_serial_number_says_so(note: Any) -> None:
    data = {"id": "55", "status": "Success", "payment_status": "settlement", "catatan": note}
    report = await shop_of({"status": True, "data": data}).invoice_report("55")
    assert (report.state, report.serial) == (S.DELIVERED, "")


async def test_the_suppliers_words_reach_the_owner_readable_and_short() -> None:
    data = {
        "id": "55",
        "status": "Ditahan\u202e\n" + "x" * 5000,
        "payment_status": "settle\u2066d" + "y" * 5000,
        "catatan": "hubungi\r\nadmin \u202e" + "z" * 5000,
    }
    report = await shop_of({"status": True, "data": data}).invoice_report("55")
    assert report.state is S.UNREADABLE
    assert "ditahan" in report.note
    assert "hubungi admin" in report.note
    assert len(report.note) < 1000
    assert report.note.isprintable()


# --- whose answer, in which envelope --------------------------------------------------------------


@pytest.mark.parametrize("status", [True, "success"])
async def test_both_envelopes_of_the_document_are_understood(status: Any) -> None:
    services = {"Games": []}
    assert await shop_of({"status": status, "data": {"balance": 5}}).balance() == 5
    assert (await shop_of({"status": status, "data": services}).price_list()).listings == []
    data = {"id": "55", "status": "Success", "catatan": ""}
    report = await shop_of({"status": status, "data": data}).invoice_report("55")
    assert report.state is S.DELIVERED
    invoice = await shop_of({**opened(), "status": status}).open_invoice(REQUEST)
    assert invoice.supplier_ref == "55"


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"id": "55", "status": "Success", "balance": 5}},
        {"id": "55", "status": "Success", "balance": 5},
        {"status": True},
        {"status": True, "message": "ok"},
        {"status": False, "data": {"id": "55", "status": "Success", "balance": 5}},
        {"status": "error", "data": {"id": "55", "status": "Success", "balance": 5}},
        {"status": "failed", "message": "x"},
        {"status": None, "data": {"id": "55", "status": "Success", "balance": 5}},
        {"status": True, "data": None},
        {"status": True, "data": []},
        {"status": True, "data": "Success"},
    ],
)
async def test_a_question_without_its_envelope_has_no_answer(answer: Any) -> None:
    shop = shop_of(answer)
    for asking in (shop.invoice_report("55"), shop.balance(), shop.price_list()):
        with pytest.raises(Unavailable):
            await asking


@pytest.mark.parametrize("status", ["", None, 0, "0", "false", "error", "failed", []])
@pytest.mark.parametrize("data", [None, {}, "gagal", {"id": "55"}])
async def test_an_order_answered_with_neither_yes_nor_no_may_have_been_made(
    status: Any, data: Any
) -> None:
    for answer in ({"status": status, "data": data}, {"data": data}, {"message": "hm"}):
        with pytest.raises(OutcomeUnknown):
            await shop_of(answer).open_invoice(REQUEST)


async def test_an_order_whose_answer_lacks_the_envelopes_word_is_still_read() -> None:
    answer = opened()
    del answer["status"]
    assert (await shop_of(answer).open_invoice(REQUEST)).amount == 12_000


@pytest.mark.parametrize("status", ["error", "failed", "gagal"])
async def test_an_order_that_failed_by_its_envelope_is_not_shown_as_a_qr(status: str) -> None:
    with pytest.raises(OutcomeUnknown):
        await shop_of({**opened(), "status": status}).open_invoice(REQUEST)


@pytest.mark.parametrize("other", ["56", 56, "5", "055", "55 ", "", None, True, ["55"], {"id": 55}])
async def test_an_answer_about_another_order_is_no_answer(other: Any) -> None:
    data = {"id": other, "status": "Success", "catatan": "SN: ABC123"}
    with pytest.raises(Unavailable):
        await shop_of({"status": True, "data": data}).invoice_report("55")


@pytest.mark.parametrize("data", [{"id": 55}, {"id": "55"}, {}])
async def test_an_id_may_be_a_number_or_be_left_out(data: dict[str, Any]) -> None:
    report = await shop_of({"status": True, "data": {**data, "status": "Success"}}).invoice_report(
        "55"
    )
    assert report.state is S.DELIVERED


# --- opening an order -----------------------------------------------------------------------------


async def test_mode_a_would_have_been_paid_by_the_owner_and_shows_no_qr() -> None:
    answer = {"status": True, "data": {"id": "55", "invoice": "INV-55", "pesan": "Berhasil"}}
    with pytest.raises(OutcomeUnknown, match="no payment") as caught:
        await shop_of(answer).open_invoice(REQUEST)
    assert caught.value.accepted  # so the owner is told: it may have cost their balance


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422])
@pytest.mark.parametrize("name", ["message", "pesan", "error", "msg"])
async def test_a_rejection_is_a_no_with_the_suppliers_reason(status: int, name: str) -> None:
    answer = {"status": False, name: "Pesanan masih pending"}
    with pytest.raises(Refused, match="Pesanan masih pending") as refused:
        await shop_of(answer, status).open_invoice(REQUEST)
    assert refused.type is Refused


@pytest.mark.parametrize(
    "answer",
    [
        {"status": False},
        {"status": False, "message": None},
        {"status": False, "message": {"selling_price": ["min"]}},
        {"status": False, "errors": ["x"]},
    ],
)
async def test_a_rejection_without_a_reason_is_still_a_no(answer: Any) -> None:
    with pytest.raises(Refused):
        await shop_of(answer, 422).open_invoice(REQUEST)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_an_http_error_without_a_no_leaves_it_open(status: int) -> None:
    for answer in ({"message": "?"}, {"status": True}, opened()):
        with pytest.raises(OutcomeUnknown):
            await shop_of(answer, status).open_invoice(REQUEST)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_the_owners_business(status: int) -> None:
    answer = {"status": False, "message": "API key tidak valid"}
    for asking in (
        shop_of(answer, status).open_invoice(REQUEST),
        shop_of(answer, status).invoice_report("55"),
        shop_of(answer, status).price_list(),
        shop_of(answer, status).balance(),
        shop_of(answer, status).topup(TOPUP),
        shop_of(answer, status).status(StatusRequest(ref="R", supplier_ref="55")),
        shop_of(answer, status).open_deposit("R", 50_000),
        shop_of(answer, status).deposit_report("DEP-1"),
        shop_of(answer, status).deposit_history(),
    ):
        with pytest.raises(Misconfigured):
            await asking


@pytest.mark.parametrize(
    ("amount", "cost", "read"),
    [
        (12_000, 11_200, (12_000, 11_200)),
        ("12000", "11200", (12_000, 11_200)),
        ("12.000", "11.200", (12_000, 11_200)),
        ("12,000", "11,200", (12_000, 11_200)),
        (12_000.0, 11_200.0, (12_000, 11_200)),
        ("12000.00", "11200.00", (12_000, 11_200)),
        (12_123, 11_200, (12_123, 11_200)),
    ],
)
async def test_money_may_be_a_number_or_a_text(amount: Any, cost: Any, read: Any) -> None:
    answer = changed(opened(amount=amount), reseller_cost=cost)
    invoice = await shop_of(answer).open_invoice(REQUEST)
    assert (invoice.amount, invoice.cost) == read
    assert (type(invoice.amount), type(invoice.cost)) == (int, int)


@pytest.mark.parametrize(
    "amount",
    [
        None, True, "", "gratis", "12.5", 12_000.5, -12_000, "-12000", "1e4", [], {}, 10**15,
        "Rp12.000", "١٢٠٠٠", float("nan"), float("inf"), 0, "0", 0.0,
    ],
)  # fmt: skip
async def test_an_order_with_an_amount_nobody_can_pay_is_not_shown(amount: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await shop_of(opened(amount=amount)).open_invoice(REQUEST)


@pytest.mark.parametrize(
    "answer",
    [
        without(opened(), "id"),
        without(opened(), "payment"),
        without(opened(), "reseller_cost"),
        changed(opened(), id=""),
        changed(opened(), id="  "),
        changed(opened(), id=None),
        changed(opened(), id=True),
        changed(opened(), id=["55"]),
        changed(opened(), payment=None),
        changed(opened(), payment=[]),
        changed(opened(), payment="https://chestcloudx.my.id/qr/55.png"),
        changed(opened(), reseller_cost=None),
        changed(opened(), reseller_cost="-"),
    ],
)
async def test_an_order_that_cannot_be_asked_about_or_paid_is_not_shown(answer: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await shop_of(answer).open_invoice(REQUEST)


@pytest.mark.parametrize(
    ("answer", "status", "accepted"),
    [
        (opened(amount=0), 200, True),
        (opened(amount="gratis"), 200, True),
        (without(opened(), "payment"), 200, True),
        (without(opened(), "id"), 200, True),
        ({"status": True}, 200, True),
        ({"status": True, "data": None}, 200, True),
        (opened(), 302, False),
        (opened(), 422, False),
        (opened(), 429, False),
        (opened(), 500, False),
        ({"status": "failed"}, 200, False),
        ([], 200, False),
    ],
)
async def test_only_a_yes_that_cannot_be_read_says_that_an_order_was_made(
    answer: Any, status: int, accepted: bool
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await shop_of(answer, status).open_invoice(REQUEST)
    assert caught.value.accepted is accepted


@pytest.mark.parametrize("missing", [None, "", NOTHING])
async def test_a_missing_qr_leaves_the_page_to_pay_on(missing: Any) -> None:
    answer = opened(qr_url=missing)
    if missing is NOTHING:
        del answer["data"]["payment"]["qr_url"]
    invoice = await shop_of(answer).open_invoice(REQUEST)
    assert not invoice.qr.startswith("http")
    assert invoice.link == "https://chestcloudx.my.id/invoice/55"


EXPIRIES = [
    ("2026-11-20 12:15:00", 15 * MINUTE),
    ("2026-11-20T12:15:00", 15 * MINUTE),
    ("2026-11-20T05:15:00Z", 15 * MINUTE),
    ("2026-11-20T05:15:00.000000Z", 15 * MINUTE),
    ("2026-11-20T12:15:00+07:00", 15 * MINUTE),
    ((NOW + 15 * MINUTE) // 1000, 15 * MINUTE),
    (NOW + 15 * MINUTE, 15 * MINUTE),
    (str((NOW + 15 * MINUTE) // 1000), 15 * MINUTE),
    ("2026-11-20 12:00:01", SECOND),
    ("2026-11-21 12:00:00", 24 * HOUR),
]


@pytest.mark.parametrize(("said", "ahead"), EXPIRIES)
async def test_the_end_of_a_qr_is_read_in_any_form(said: Any, ahead: int) -> None:
    invoice = await shop_of(opened(expired_at=said)).open_invoice(REQUEST)
    assert invoice.expires_at == NOW + ahead


@pytest.mark.parametrize(
    "said",
    [
        None, "", "...", "15 menit", "20/11/2026 12:15", True, [], {}, 1.5, "12:15:00",
        "2026-11-20 12:00:00",  # now
        "2026-11-20 11:59:59",
        "2026-11-20 05:15:00",  # UTC, taken for WIB: long past
        "2020-01-01 00:00:00",
        "2026-11-21 12:00:01",
        "2036-11-20 12:15:00",
        "9999-12-31 23:59:59",
        0, -1, 900, 10**30, "9" * 13,
    ],
)  # fmt: skip
async def test_an_end_that_cannot_be_right_is_left_open(said: Any) -> None:
    invoice = await shop_of(opened(expired_at=said)).open_invoice(REQUEST)
    assert invoice.expires_at is None
    assert invoice.amount == 12_000


# --- what is sent ---------------------------------------------------------------------------------


async def test_an_order_is_sent_with_the_documents_fields_and_types() -> None:
    journal: list[httpx.Request] = []
    await shop_of(opened(), journal=journal).open_invoice(REQUEST)
    [request] = journal
    sent = json.loads(request.content)
    assert (request.method, request.url.path) == ("POST", "/api/order/create")
    assert sent == {
        "layanan": "0012",
        "target": "00123456782001",
        "selling_price": 12_000,
        "customer_name": "Pelanggan",
        "customer_phone": PHONE,
    }
    assert (type(sent["selling_price"]), type(sent["layanan"])) == (int, str)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("target", ["000123", "123456789", "Nama Ku#1D2", "名前#JP1", 'a"b\\c#x12'])
async def test_the_target_arrives_to_the_letter(target: str) -> None:
    journal: list[httpx.Request] = []
    wanted = InvoiceRequest(ref="R", sku="101", target=target, price=58_000)
    await shop_of(opened(), journal=journal).open_invoice(wanted)
    assert json.loads(journal[0].content)["target"] == target


async def test_nothing_of_the_customer_is_sent_but_the_account() -> None:
    journal: list[httpx.Request] = []
    await shop_of(opened(), journal=journal).open_invoice(REQUEST)
    body = journal[0].content.decode()
    assert REQUEST.ref not in body
    assert body.count(PHONE) == 1


async def test_the_key_stands_in_a_header_and_nowhere_else() -> None:
    journal: list[httpx.Request] = []
    data = {"id": "55", "status": "Pending", "balance": 1}
    await shop_of(opened(), journal=journal).open_invoice(REQUEST)
    shop = shop_of({"status": True, "data": data}, journal=journal)
    await shop.invoice_report("55")
    await shop.balance()
    await shop.price_list()
    await shop.topup(TOPUP)
    await shop.status(StatusRequest(ref="R", supplier_ref="55"))
    for asking in (
        shop.open_deposit("R", 50_000),
        shop.deposit_report("DEP-1"),
        shop.deposit_history(),
    ):
        with pytest.raises(SupplierError):
            await asking
    assert len(journal) == 9
    for request in journal:
        assert request.headers["x-api-key"] == KEY
        assert KEY not in str(request.url)
        assert KEY.encode() not in request.content
        assert [name for name, value in request.headers.items() if KEY in value] == ["x-api-key"]
        assert "apikey" not in str(request.url).lower()


async def test_a_key_that_was_rotated_is_used_from_the_next_call_on() -> None:
    keys = iter(["old-key", "new-key"])
    seen: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-api-key"])
        return httpx.Response(200, json={"status": True, "data": {"balance": 1}})

    shop = ZulTopup(
        settings_with(lambda: (next(keys),)),
        clock=lambda: NOW,
        client=lambda: httpx.AsyncClient(transport=httpx.MockTransport(reply), trust_env=False),
    )
    await shop.balance()
    await shop.balance()
    assert seen == ["old-key", "new-key"]


@pytest.mark.parametrize("ref", ["55&apikey=x", "55#", "../user/me", "5 5", "55?id=56", "é"])
async def test_a_strange_id_stays_one_parameter(ref: str) -> None:
    journal: list[httpx.Request] = []
    answer = {"status": True, "data": {"id": ref, "status": "Pending"}}
    await shop_of(answer, journal=journal).invoice_report(ref)
    assert journal[0].url.path == "/api/order/status"
    assert dict(journal[0].url.params) == {"id": ref}


@pytest.mark.parametrize("name", ["status", "payment_status", "catatan"])
@pytest.mark.parametrize("cut", range(0, 220, 20))
async def test_a_report_that_repeats_our_key_does_not_make_us_repeat_it(
    name: str, cut: int
) -> None:
    """Neither the whole of it, nor the half that is left where a long text is cut."""
    data = {"status": "Pending", "payment_status": "pending", "catatan": ""}
    report = await report_of(**{**data, name: "x" * cut + f" kunci {KEY} ditolak"})
    assert KEY not in repr(report)
    assert KEY[:10] not in repr(report)


@pytest.mark.parametrize("name", ["status", "payment_status"])
async def test_a_payment_that_repeats_our_key_does_not_make_us_repeat_it(name: str) -> None:
    report = await report_of(status="Pending", payment={name: f"kunci {KEY} ditolak"})
    assert report.strange
    assert KEY not in repr(report)


@pytest.mark.parametrize(("status", "busy"), [(429, True), (500, False), (302, False)])
async def test_being_asked_too_often_is_told_from_being_away(status: int, busy: bool) -> None:
    for ask in (ZulTopup.balance, ZulTopup.price_list, ZulTopup.deposit_history):
        with pytest.raises(Unavailable) as caught:
            await ask(shop_of({"status": True, "data": {"balance": 1}}, status))
        assert caught.value.busy is busy


@pytest.mark.parametrize("status", [300, 304, 400, 402, 404, 409, 410, 418, 422, 451, 499, 599])
async def test_a_question_answered_with_anything_but_yes_has_no_answer(status: int) -> None:
    data = {"id": "55", "status": "Success", "payment_status": "settlement", "balance": 5}
    shop = shop_of({"status": True, "data": data}, status)
    for asking in (shop.invoice_report("55"), shop.balance(), shop.price_list()):
        with pytest.raises(Unavailable):
            await asking


# --- prices and balance ---------------------------------------------------------------------------

ROW = {
    "sid": "1",
    "kategori": "Free Fire",
    "layanan": "70 Diamond",
    "harga": "10000",
    "status": "Normal",
}
LISTING = Listing(sku="1", category="Free Fire", name="70 Diamond", price=10_000, available=True)


def services(*rows: Any) -> dict[str, Any]:
    return {"status": True, "data": {"Games": list(rows)}}


@pytest.mark.parametrize("harga", ["10000", 10_000, "10.000", "10,000", 10_000.0, "10000.00"])
async def test_a_price_may_be_a_text_or_a_number(harga: Any) -> None:
    prices = await shop_of(services({**ROW, "harga": harga})).price_list()
    assert list(prices.listings) == [LISTING]


async def test_a_service_id_may_be_a_number() -> None:
    assert list((await shop_of(services({**ROW, "sid": 1})).price_list()).listings) == [LISTING]


@pytest.mark.parametrize(
    "bad",
    [
        None, 5, "x", [], {},
        {**ROW, "harga": "0"},
        {**ROW, "harga": "-10000"},
        {**ROW, "harga": "10.5"},
        {**ROW, "harga": None},
        {**ROW, "harga": True},
        {**ROW, "harga": "hubungi admin"},
        {**ROW, "sid": ""},
        {**ROW, "sid": None},
        {**ROW, "sid": True},
        {**ROW, "sid": ["1"]},
        {**ROW, "layanan": ""},
        {**ROW, "layanan": "\u202e\u200b"},
        {**ROW, "layanan": None},
        {**ROW, "layanan": 70},
        {**ROW, "layanan": "<b>70</b>"},
        {**ROW, "kategori": None},
        {**ROW, "kategori": "<script>"},
        {name: value for name, value in ROW.items() if name != "status"},
    ],
)  # fmt: skip
async def test_a_row_that_makes_no_sense_is_dropped_and_counted(bad: Any) -> None:
    prices = await shop_of(services(bad, ROW)).price_list()
    assert list(prices.listings) == [LISTING]
    assert prices.dropped == 1


@pytest.mark.parametrize(
    ("status", "available"),
    [("Normal", True), ("normal", True), (" NORMAL ", True), ("Gangguan", False), ("", False),
     ("Tidak Normal", False), ("Kosong", False), (None, False), (True, False), (1, False)],
)  # fmt: skip
async def test_only_a_normal_service_is_sold(status: Any, available: bool) -> None:
    prices = await shop_of(services({**ROW, "status": status})).price_list()
    assert [listing.available for listing in prices.listings] == [available]


async def test_names_are_cleaned_and_never_cut() -> None:
    row = {**ROW, "layanan": "70\n Dia\u202emond", "kategori": "Free  Fire"}
    long = {**ROW, "sid": "2", "kategori": "Free  Fire" + "x" * 500}
    [listing] = (await shop_of(services(row, long)).price_list()).listings
    assert (listing.name, listing.category) == ("70 Diamond", "Free Fire")
    assert all(str(value).isprintable() for value in asdict(listing).values())


async def test_groups_of_every_type_are_read_and_odd_ones_skipped() -> None:
    data = {"Games": [ROW], "Pulsa": [{**ROW, "sid": "2"}], "PLN": None, "x": 5, "y": {"1": ROW}}
    prices = await shop_of({"status": True, "data": data}).price_list()
    assert [listing.sku for listing in prices.listings] == ["1", "2"]


@pytest.mark.parametrize("said", [50_000, "50000", "50.000", 50_000.0])
async def test_a_balance_may_be_a_text_or_a_number(said: Any) -> None:
    assert await shop_of({"status": True, "data": {"balance": said}}).balance() == 50_000


@pytest.mark.parametrize("said", [None, "", -1, "-1", True, 1.5, [], "banyak"])
async def test_a_balance_that_cannot_be_read_is_not_zero(said: Any) -> None:
    with pytest.raises(Unavailable):
        await shop_of({"status": True, "data": {"balance": said}}).balance()


async def test_errors_quote_the_supplier_on_one_short_line() -> None:
    told = {"status": False, "message": "tidak\r\nbisa \u202e" + "x" * 5000}
    with pytest.raises(SupplierError) as error:
        await shop_of(told, 400).open_invoice(REQUEST)
    assert str(error.value).startswith("zultopup: tidak bisa")
    assert len(str(error.value)) < 300
    assert str(error.value).isprintable()


# --- paid from our balance ------------------------------------------------------------------------

SALDO = {"status": True, "data": {"id": "55", "invoice": "INV-55", "pesan": "Sedang diproses."}}


async def test_an_order_from_the_balance_is_sent_without_a_selling_price() -> None:
    """Its mere presence would make the customer pay, whatever it says."""
    journal: list[httpx.Request] = []
    await shop_of(SALDO, journal=journal).topup(TOPUP)
    [request] = journal
    assert (request.method, request.url.path) == ("POST", "/api/order/create")
    assert json.loads(request.content) == {"layanan": "0012", "target": "00123456782001"}


async def test_an_accepted_order_is_pending_under_their_id_and_says_no_cost() -> None:
    assert await shop_of(SALDO).topup(TOPUP) == TopupReport(
        state=T.PENDING, supplier_ref="55", note="Sedang diproses."
    )


@pytest.mark.parametrize("said", [55, "55", " 55 "])
async def test_the_id_of_an_order_may_be_a_number_or_a_text(said: Any) -> None:
    assert (await shop_of(changed(SALDO, id=said)).topup(TOPUP)).supplier_ref == "55"


@pytest.mark.parametrize(
    "answer",
    [
        without(SALDO, "id"),
        changed(SALDO, id=""),
        changed(SALDO, id="  "),
        changed(SALDO, id=None),
        changed(SALDO, id=True),
        changed(SALDO, id=["55"]),
        changed(SALDO, id="5\n5"),
        {"status": True},
        {"status": True, "data": None},
        {"status": True, "data": []},
        {"status": True, "data": "55"},
        changed(SALDO, mode="dropship"),
        opened(),
    ],
)
async def test_a_yes_that_cannot_be_followed_may_have_cost_us_money(answer: Any) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await shop_of(answer).topup(TOPUP)
    assert caught.value.accepted


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (SALDO, 302),
        (SALDO, 404),
        (SALDO, 422),
        (SALDO, 429),
        (SALDO, 500),
        ({**SALDO, "status": "failed"}, 200),
        ({**SALDO, "status": None}, 200),
        ([], 200),
        ("55", 200),
    ],
)
async def test_neither_yes_nor_no_leaves_an_order_open(answer: Any, status: int) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await shop_of(answer, status).topup(TOPUP)
    assert not caught.value.accepted


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422])
@pytest.mark.parametrize("name", ["message", "pesan", "error", "msg"])
async def test_a_no_to_an_order_from_the_balance_brings_their_reason(
    status: int, name: str
) -> None:
    with pytest.raises(Refused, match="Saldo tidak cukup") as refused:
        await shop_of({"status": False, name: "Saldo tidak cukup"}, status).topup(TOPUP)
    assert refused.type is Refused


async def topup_of(**data: Any) -> TopupReport:
    shop = shop_of({"status": True, "data": {"id": "55", **data}})
    return await shop.status(StatusRequest(ref="7K2M9PQRST", supplier_ref="55"))


TOPUPS = {
    "Pending": T.PENDING,
    "Success": T.DELIVERED,
    "Error": T.FAILED,
    "Gagal": T.FAILED,
    "Error/Gagal": T.FAILED,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_their_words_tell_how_an_order_from_the_balance_stands(spelling: str) -> None:
    for word, state in TOPUPS.items():
        report = await topup_of(status=SPELLINGS[spelling](word), catatan="SN: ABC123")
        assert report.state is state
        assert report.supplier_ref == "55"
        assert report.serial == ("ABC123" if state is T.DELIVERED else "")
        assert "SN: ABC123" in report.note
        assert not report.strange
        assert report.cost is None


async def test_only_a_failed_order_has_its_money_back() -> None:
    """ "Mode Saldo: ... Kalau provider gagal, otomatis di-refund ke saldo." """
    for word, state in TOPUPS.items():
        assert (await topup_of(status=word)).returned is (state is T.FAILED)
    assert not (await topup_of(status="Refund")).returned


@pytest.mark.parametrize("word", [*STRANGE, None, True, 1, [], {"status": "Success"}])
async def test_a_word_nobody_explained_moves_no_order_from_the_balance(word: Any) -> None:
    report = await topup_of(status=word, catatan="SN: ABC123")
    assert (report.state, report.serial, report.returned) == (T.UNREADABLE, "", False)
    assert report.strange


async def test_the_words_of_a_topup_do_not_change_with_the_note() -> None:
    reports = [await topup_of(status=word, catatan=word) for word in ("Ditahan", " DITAHAN ")]
    assert len({report.words for report in reports}) == 1


async def test_without_their_id_an_order_is_not_asked_about() -> None:
    journal: list[httpx.Request] = []
    with pytest.raises(Unavailable):
        await shop_of(SALDO, journal=journal).status(StatusRequest(ref="7K2M9PQRST"))
    assert journal == []
    assert not ZulTopup.knows_our_ref


@pytest.mark.parametrize("other", ["56", 56, "5", "055", "", None, True, ["55"]])
async def test_a_status_of_another_order_is_no_answer(other: Any) -> None:
    with pytest.raises(Unavailable):
        await topup_of(id=other, status="Success")


@pytest.mark.parametrize("note", [f"kunci {KEY} salah", [f"kunci {KEY} salah"], {"x": KEY}])
async def test_a_note_with_our_key_in_it_is_not_repeated(note: Any) -> None:
    reports = [
        await topup_of(status="Error", catatan=note),
        await report_of(status="Error", catatan=note),
        await shop_of(changed(SALDO, pesan=note)).topup(TOPUP),
    ]
    assert KEY not in repr(reports)


# --- deposits -------------------------------------------------------------------------------------

DEPOSIT = {
    "status": "success",
    "data": {
        "orderId": "DEP-1",
        "amountToPay": 50_000,
        "qrCodeUrl": "https://chestcloudx.my.id/qr/DEP-1.png",
        "expiryTime": "2026-11-20 12:15:00",
    },
}


async def test_a_deposit_is_asked_for_with_the_documents_fields_and_no_reference() -> None:
    journal: list[httpx.Request] = []
    await shop_of(DEPOSIT, journal=journal).open_deposit("7K2M9PQRST", 50_000)
    [request] = journal
    sent = json.loads(request.content)
    assert (request.method, request.url.path) == ("POST", "/api/payment/deposit")
    assert (sent, [type(value) for value in sent.values()]) == (
        {"amount": 50_000, "fee": 0},
        [int, int],
    )


@pytest.mark.parametrize("status", ["success", True])
async def test_a_deposit_is_read_in_both_envelopes(status: Any) -> None:
    invoice = await shop_of({**DEPOSIT, "status": status}).open_deposit("R", 50_000)
    assert (invoice.supplier_ref, invoice.number) == ("DEP-1", "DEP-1")
    assert (invoice.amount, invoice.cost) == (50_000, 0)
    assert (invoice.qr, invoice.link) == ("https://chestcloudx.my.id/qr/DEP-1.png", "")
    assert invoice.expires_at == NOW + 15 * MINUTE


@pytest.mark.parametrize("said", [50_123, "50123", "50.123", 50_123.0])
async def test_what_is_to_be_paid_is_what_they_say(said: Any) -> None:
    invoice = await shop_of(changed(DEPOSIT, amountToPay=said)).open_deposit("R", 50_000)
    assert (invoice.amount, type(invoice.amount)) == (50_123, int)


@pytest.mark.parametrize(("said", "ahead"), EXPIRIES)
async def test_the_end_of_a_deposit_is_read_in_any_form(said: Any, ahead: int) -> None:
    invoice = await shop_of(changed(DEPOSIT, expiryTime=said)).open_deposit("R", 50_000)
    assert invoice.expires_at == NOW + ahead


@pytest.mark.parametrize("said", [None, "", "...", "2026-11-20 11:59:59", "2036-01-01 00:00:00", 0])
async def test_an_end_of_a_deposit_that_cannot_be_right_is_left_open(said: Any) -> None:
    invoice = await shop_of(changed(DEPOSIT, expiryTime=said)).open_deposit("R", 50_000)
    assert invoice.expires_at is None


BAD_IDS = ["", " ", "../user/me", "..", ".", "DEP/1", "DEP?1", "DEP#1", "DEP%2F1", "DEP 1", "DÉP-1",
           "DEP\n1", "DEP\\1", "x" * 101]  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        *(changed(DEPOSIT, orderId=bad) for bad in (*BAD_IDS, None, True, 1.5, ["DEP-1"])),
        *(changed(DEPOSIT, amountToPay=bad) for bad in (None, True, "", 0, -1, 1.5, "gratis", [])),
        *(changed(DEPOSIT, qrCodeUrl=bad) for bad in (None, "", " ", True, [], {}, "a\nb")),
        *(without(DEPOSIT, name) for name in ("orderId", "amountToPay", "qrCodeUrl")),
        {"status": "success"},
        {"status": "success", "data": []},
        {"status": "success", "data": "DEP-1"},
        {"status": "pending", "data": DEPOSIT["data"]},
    ],
)
async def test_a_deposit_that_cannot_be_shown_is_no_deposit(answer: Any) -> None:
    """A QR that nobody has seen cannot be paid: there is nothing for the owner to look at."""
    with pytest.raises(OutcomeUnknown) as caught:
        await shop_of(answer).open_deposit("R", 50_000)
    assert not caught.value.accepted


async def test_a_refused_deposit_is_a_no() -> None:
    with pytest.raises(Refused, match="Minimal") as refused:
        await shop_of({"status": False, "message": "Minimal 10.000"}, 400).open_deposit("R", 1)
    assert refused.type is Refused


async def deposit_of(**data: Any) -> InvoiceReport:
    return await shop_of({"orderId": "DEP-1", **data}).deposit_report("DEP-1")


DEPOSITS = {"settlement": S.SETTLED, "pending": S.UNPAID, "expired": S.EXPIRED}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_only_a_settled_deposit_says_what_arrived(spelling: str) -> None:
    for word, state in DEPOSITS.items():
        report = await deposit_of(status=SPELLINGS[spelling](word), amount=50_000)
        assert report.state is state
        assert report.amount == (50_000 if state is S.SETTLED else None)
        assert not report.strange
        assert report.serial == ""


@pytest.mark.parametrize("said", [49_999, "49999", "49.999", 49_999.0])
async def test_what_arrived_is_read_to_the_rupiah(said: Any) -> None:
    assert (await deposit_of(status="settlement", amount=said)).amount == 49_999


@pytest.mark.parametrize(
    "said", [None, "", "lunas", True, 0, "0", -50_000, 50_000.5, [], {}, 10**15, "Rp50.000"]
)
async def test_money_of_which_nobody_knows_how_much_is_told_and_not_guessed(said: Any) -> None:
    report = await deposit_of(status="settlement", amount=said)
    assert (report.state, report.amount, report.strange) == (S.UNREADABLE, None, True)
    assert report.words == (await deposit_of(status="Settlement")).words  # told once, not per text
    for word in ("pending", "expired"):
        assert (await deposit_of(status=word, amount=said)).state is DEPOSITS[word]


@pytest.mark.parametrize(
    "word", ["success", "paid", "settled", "capture", "deny", "cancel", "refund", "Success", "",
             "not settlement", "settlement,refund", None, True, 1, [], {"status": "settlement"}]
)  # fmt: skip
async def test_a_deposits_word_nobody_explained_is_never_guessed(word: Any) -> None:
    report = await deposit_of(status=word, amount=50_000)
    assert (report.state, report.amount, report.strange) == (S.UNREADABLE, None, True)


@pytest.mark.parametrize("other", ["DEP-2", "dep-1", "DEP-1 ", "", None, True, 1, ["DEP-1"]])
async def test_word_of_another_deposit_or_of_none_is_no_answer(other: Any) -> None:
    with pytest.raises(Unavailable):
        await deposit_of(orderId=other, status="settlement", amount=50_000)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "settlement", "amount": 50_000},
        {"orderId": "DEP-1", "status": False, "amount": 50_000},
        {"status": False, "message": "Deposit tidak ditemukan"},
        {"status": True, "data": {"orderId": "DEP-1", "status": "settlement", "amount": 50_000}},
        [],
        "settlement",
    ],
)
async def test_a_deposit_is_believed_only_under_its_own_name(answer: Any) -> None:
    with pytest.raises(Unavailable):
        await shop_of(answer).deposit_report("DEP-1")


@pytest.mark.parametrize("bad", BAD_IDS)
async def test_an_id_that_is_not_plain_never_gets_into_an_address(bad: str) -> None:
    journal: list[httpx.Request] = []
    with pytest.raises(Unavailable):
        await shop_of({"orderId": bad, "status": "settlement"}, journal=journal).deposit_report(bad)
    assert journal == []


@pytest.mark.parametrize("ref", ["DEP-1", "DEP-...", "dep_1.2", "7", "DEP:1"])
async def test_a_plain_id_is_asked_about_under_its_path(ref: str) -> None:
    journal: list[httpx.Request] = []
    shop = shop_of({"orderId": ref, "status": "pending"}, journal=journal)
    assert (await shop.deposit_report(ref)).state is S.UNPAID
    assert journal[0].url.path == f"/api/payment/status/{ref}"
    assert b":" not in journal[0].url.raw_path


async def history_of(*rows: Any) -> dict[str, InvoiceReport]:
    return dict(await shop_of({"status": "success", "data": list(rows)}).deposit_history())


PAID = {"orderId": "DEP-1", "amount": 50_000, "status": "settlement"}


async def test_the_history_says_of_each_deposit_what_its_status_says() -> None:
    rows = [{**PAID, "orderId": f"DEP-{word}", "status": word} for word in (*DEPOSITS, "capture")]
    found = await history_of(*rows)
    assert len(found) == 4
    for row in rows:
        ref = str(row["orderId"])
        assert found[ref] == await shop_of(row).deposit_report(ref)


@pytest.mark.parametrize(
    "bad", [None, 5, "x", [], {}, [PAID], *({**PAID, "orderId": bad} for bad in (*BAD_IDS, None))]
)
async def test_a_row_about_no_deposit_hides_no_other(bad: Any) -> None:
    assert set(await history_of(bad, PAID)) == {"DEP-1"}


@pytest.mark.parametrize(
    "other",
    [
        {**PAID, "amount": 5_000},
        {**PAID, "amount": None},
        {**PAID, "status": "pending"},
        {**PAID, "status": "refund"},
        {**PAID, "status": None},
    ],
)
async def test_of_a_deposit_told_in_two_ways_nothing_is_known(other: Any) -> None:
    apart = {**PAID, "orderId": "DEP-2"}
    for rows in ((PAID, other), (other, PAID), (PAID, other, PAID)):
        assert set(await history_of(*rows, apart)) == {"DEP-2"}


async def test_a_deposit_told_twice_in_one_way_is_one_deposit() -> None:
    assert await history_of(PAID, dict(PAID)) == await history_of(PAID)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "success"},
        {"status": "success", "data": None},
        {"status": "success", "data": {"DEP-1": PAID}},
        {"status": "success", "data": "DEP-1"},
        {"status": False, "data": [PAID]},
        {"status": "error", "data": [PAID]},
        {"data": [PAID]},
        [PAID],
    ],
)
async def test_a_history_that_is_none_is_not_an_empty_one(answer: Any) -> None:
    with pytest.raises(Unavailable):
        await shop_of(answer).deposit_history()


async def test_a_deposit_that_repeats_our_key_does_not_make_us_repeat_it() -> None:
    for name in ("status", "amount"):
        for said in (f"xx {KEY} yy", [KEY], {"x": KEY}):
            row = {**PAID, name: said}
            assert KEY not in repr(await shop_of(row).deposit_report("DEP-1"))
            assert KEY not in repr(await history_of(row))
