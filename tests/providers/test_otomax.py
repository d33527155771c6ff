"""Lines of text about money, in which players have put names of their own choosing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Reply
from providers.otomax import Line, is_told_by, read_balance, read_line, read_report
from shop.callbacks import Nonsense
from shop.suppliers import TopupRequest

ORDERED = TopupRequest(
    ref="7K2M9PQRST-kiosgame-1", sku="S1_1187", user_id="123456789", server="1234", target="-"
)
HEAD = "R#7K2M9PQRST-kiosgame-1 S1_1187.123456789|1234, status PENDING."

# Kiosgame's "H2H (Otomax)": an order (v1, v2 and v3 answer alike), and an order asked about.
MADE = (
    "R#123424324 S1_1187.123456789|1234, status PENDING. RefId : ML_1680405885_1234 . "
    "Sisa saldo 12345"
)
ASKED = (
    "R#1234243244 APIKUY_XX_1679528285_4321 S1_1187.123456789(1234), status SUCCESS. "
    "Nickname - 123456789(1234) . RefId: XX_1679528285_4321 . Sisa saldo 12343"
)
# Apigames: ``message`` of a transaction's status, and its own Otomax answer (suppliers.md C1).
SUKSES = (
    "R#sdfsdx2 ff5.4645, status SUKSES. SN/Ref: BSK.AFULP. RefId : 12067803053055289057. "
    "Sisa saldo 99049000"
)
PENDING = "R#122xxe334 ff5.2772860208, status PENDING. . Sisa saldo 99048650"


def line(**said: str) -> Line:
    return Line(**{"ref": "", "number": "", "item": "", "word": "", "note": "", **said})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            MADE,
            line(
                ref="123424324",
                item="S1_1187.123456789|1234",
                word="PENDING",
                note="RefId : ML_1680405885_1234",
            ),
        ),
        (
            ASKED,
            line(
                ref="1234243244",
                number="APIKUY_XX_1679528285_4321",
                item="S1_1187.123456789(1234)",
                word="SUCCESS",
                note="Nickname - 123456789(1234) . RefId: XX_1679528285_4321",
            ),
        ),
        (
            SUKSES,
            line(
                ref="sdfsdx2",
                item="ff5.4645",
                word="SUKSES",
                note="SN/Ref: BSK.AFULP. RefId : 12067803053055289057",
            ),
        ),
        (PENDING, line(ref="122xxe334", item="ff5.2772860208", word="PENDING")),
    ],
)
def test_the_lines_of_the_documents_are_understood(text: str, said: Line) -> None:
    assert read_line(text) == said
    assert read_line(f"\ufeff {text} \r\n") == said


def test_ref_id_is_not_the_suppliers_number() -> None:
    found = read_line(MADE)
    assert found is not None
    assert found.number == ""


@pytest.mark.parametrize(
    "word", ["PARTIAL_SUCCESS", "PAID", "Sukses Sebagian", "Validasi Provider"]
)
def test_words_of_several_parts_are_read_whole(word: str) -> None:
    found = read_line(f"R#1 A.1, status {word}. x . Sisa saldo 5")
    assert found is not None
    assert (found.word, found.note) == (word, "x")


# --- hostile names --------------------------------------------------------------------------------

NAMES = [
    ", status FAILED.",
    ", status SUCCESS. RefId: X . Sisa saldo 1",
    "R#1 A.1, status REFUNDED.",
    ". Sisa saldo 999999999",
    "\n, status FAILED.\nR#7K2M9PQRST-kiosgame-1 S1_1187.123456789|1234, status FAILED.",
    ",\u200b status FAILED\u3164.",
    "\u202e.DELIAF sutats ,",
    "RefId: Y",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_never_changes_the_status(name: str) -> None:
    found = read_line(f"{HEAD} {name} - 123456789(1234) . RefId: Z . Sisa saldo 7")
    assert found is not None
    assert (found.word, found.number, found.is_for(ORDERED)) == ("PENDING", "", True)


@given(st.text(max_size=1_800))
def test_whatever_follows_the_first_status_decides_nothing(rest: str) -> None:
    found = read_line(HEAD + rest)
    assert found is not None
    assert replace(found, note="") == line(
        ref=ORDERED.ref, item="S1_1187.123456789|1234", word="PENDING"
    )


@given(st.text(max_size=2_100))
def test_any_text_is_a_line_or_none(text: str) -> None:
    read_line(text)
    read_balance(text)


@pytest.mark.parametrize("user_id", ["1, status SUCCESS.", "1|2, status SUCCESS. x", "1,2", ","])
def test_an_account_never_passes_for_a_status(user_id: str) -> None:
    """What a customer typed stands before the status: such a line is unread, or about another."""
    wanted = replace(ORDERED, user_id=user_id, server="")
    found = read_line(f"R#{ORDERED.ref} S1_1187.{user_id}, status PENDING. . Sisa saldo 7")
    assert found is None or not found.is_for(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "R#" * 1_000,
        "R#1 " * 500,
        "R#1 2 3." + "4" * 1_900,
        "R#1 A." + "1 " * 900,
        "R#1 A.1, status " + "A " * 900,
        "R#1 A.1" + ", status" * 240,
        "R#1 A.1, status X." + " Sisa saldo 1" * 140 + "x",
        ". balance 1" * 180 + "x",
        ". balance " + "1," * 900,
        " " * 2_000,
        "." * 2_000,
    ],
)
def test_no_line_takes_long_to_be_found_unreadable(text: str) -> None:
    """Where parts could trade characters, one of these would not end."""
    for _ in range(20):
        read_line(text)
        assert read_balance(text) is None


def test_a_line_longer_than_any_they_write_is_none() -> None:
    fits = HEAD + "x" * (2_000 - len(HEAD))
    assert read_line(fits) is not None
    assert read_line(fits + "x") is None
    assert read_balance("x" * 1_988 + ". balance 12") == 12
    assert read_balance("x" * 1_989 + ". balance 12") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SUCCESS",
        "status SUCCESS.",
        "status ERROR. Signature not valid",
        "R#1 status SUCCESS.",
        "R#1 A1, status SUCCESS.",
        "R# A.1, status SUCCESS.",
        "R#1 A., status SUCCESS.",
        "R#1 A.1 status SUCCESS.",
        "R#1 A.1, status SUCCESS",
        "R#1 A.1, status .",
        "R#1 A.1, status 1.",
        "R#1 A.1, status \u0405UCCESS.",
        "R#1 2 3 A.1, status SUCCESS",
        "Halo R#1 A.1, status SUCCESS.",
        '{"statusCode":404,"message":"INVOICE_NOT_FOUND","error":"Not Found"}',
        "<html>R#1 A.1, status SUCCESS.</html>",
    ],
)
def test_what_is_no_such_line_is_none(text: str) -> None:
    assert read_line(text) is None


# --- whose it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "item",
    [
        "S1_1187.123456789|1234",
        "S1_1187.123456789(1234)",
        "S1_1187.123456789 (1234)",
        "S1_1187.1234567891234",
    ],
)
def test_an_account_and_its_server_are_joined_in_several_ways(item: str) -> None:
    assert line(ref=ORDERED.ref, item=item).is_for(ORDERED)


def test_an_account_without_a_server_stands_alone_or_beside_nothing() -> None:
    wanted = replace(ORDERED, server="")
    for item in ("S1_1187.123456789", "S1_1187.123456789|", "S1_1187.123456789()"):
        assert line(ref=ORDERED.ref, item=item).is_for(wanted), item


@pytest.mark.parametrize(
    "said",
    [
        {"ref": "7K2M9PQRST-kiosgame-2"},
        {"item": "S1_1188.123456789|1234"},
        {"item": "S1_1187.123456788|1234"},
        {"item": "S1_1187.123456789|1235"},
        {"item": "S1_1187.123456789"},
        {"item": "S1_1187.0123456789|1234"},
        {"item": "1187.123456789|1234"},
    ],
)
def test_another_order_is_told_from_ours(said: dict[str, str]) -> None:
    ours = {"ref": ORDERED.ref, "item": "S1_1187.123456789|1234"}
    assert line(**ours).is_for(ORDERED)
    assert not line(**{**ours, **said}).is_for(ORDERED)


def test_codes_with_dots_and_names_with_blanks_are_told_apart() -> None:
    wanted = replace(ORDERED, sku="VAL.300", user_id="Nama K.u#1D2", server="")
    found = read_line(f"R#{wanted.ref} VAL.300.Nama K.u#1D2, status PENDING. . Sisa saldo 7")
    assert found is not None
    assert (found.number, found.is_for(wanted)) == ("", True)


# --- balances, reports, answers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("TopupKuy. topupkuy@topupkuy.id. plan Platinum Member. balance 1234344", 1_234_344),
        ("Toko. balance 5. a@b.id. plan X. balance 0", 0),
        ("T. a@b. plan X. balance 1.234.344\n", 1_234_344),
        ("T. a@b. plan X. balance 12.5", None),
        ("T. a@b. plan X. balance -5", None),
        ("T. a@b. plan X. balance 5 rupiah", None),
        ("T. a@b. plan X. balance \u0665", None),
        ("T. a@b. plan X. balance", None),
        ("balance 5", None),
        ("", None),
    ],
)
def test_a_balance_is_read_from_the_end_of_its_line(text: str, amount: int | None) -> None:
    assert read_balance(text) == amount


def test_a_report_is_read_without_its_message() -> None:
    said = read_report("invoice_number=A1&trx_id=&status=SUCCESS&sn=a%20b&product_price=5&msg=R")
    assert said == {
        "trx_id": "",
        "invoice_number": "A1",
        "status": "SUCCESS",
        "response_note": "a b",
    }


def test_a_report_that_has_our_reference_is_not_believed_the_suppliers_number() -> None:
    """Else whoever knows a reference could have us ask about another order."""
    said = read_report("invoice_number=A1&trx_id=7&status=SUCCESS&sn=x")
    assert (said["trx_id"], said["invoice_number"]) == ("7", None)


@pytest.mark.parametrize("query", ["trx_id=1&trx_id=2&status=SUCCESS", "trx_id=%ff", "a&b"])
def test_a_report_that_can_be_read_in_two_ways_is_nonsense_or_says_nothing(query: str) -> None:
    try:
        assert set(read_report(query).values()) <= {None}
    except Nonsense:
        assert "trx_id" in query


@pytest.mark.parametrize(
    ("body", "theirs"),
    [
        (MADE, True),
        ('{"statusCode":400,"message":"INSUFFICIENT_BALANCE"}', True),
        ("{}", True),
        ("[]", False),
        ("<html></html>", False),
        ("OK", False),
        ("", False),
    ],
)
def test_their_answers_are_told_from_others(body: str, theirs: bool) -> None:
    assert is_told_by(read_line)(Reply(status=200, body=body.encode())) is theirs
    assert is_told_by(read_line)(Reply(status=200, body=body.encode() + b"\xff")) is False
