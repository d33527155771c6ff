"""What suppliers write, in all the ways they write it."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.reading import (
    WIB,
    is_named,
    read_flag,
    read_listing,
    read_note,
    read_plain_id,
    read_rows,
    read_serial,
    read_text,
    read_time,
    read_word,
)
from shop.suppliers import FormField, Listing

# The first block stands in the suppliers' own documents; the second follows from docs/suppliers.md.
SERIALS = [
    ("SN: ABC123", "ABC123"),
    ("Whyy . RefId: DGG-XXXX", "DGG-XXXX"),
    ("Whyy . RefId: DGG-XXXXX", "DGG-XXXXX"),
    ("Nickname - 123456789(1234) . RefId: XX_1679528285_1234", "XX_1679528285_1234"),
    ("Nickname - 123456789(1234) . RefId: XX_1679528285_4321", "XX_1679528285_4321"),
    ("BSK.AFULP. RefId : 12067803053055289057", "12067803053055289057"),
    ("SN/Ref: BSK.AFULP. RefId : 12067803053055289057", "12067803053055289057"),
    ("MR~~05~@. RefId : 2522960267/15522394740128892614", "2522960267/15522394740128892614"),
    ("RefId : ML_1680405885_1234 .", "ML_1680405885_1234"),
    ("N/A", ""),
    ("", ""),
    # --- ours
    ("-", ""),
    ("n/a", ""),
    ("null", ""),
    ("   ", ""),
    ("SN: N/A", ""),
    ("SN/Ref: -", ""),
    ("SN:", ""),
    ("SN/Ref:", ""),
    (" SN : ABC123 ", "ABC123"),
    ("SN:ABC123", "ABC123"),
    ("SN: ABC 123 456", "ABC 123 456"),
    ("ZT0123456789AB", "ZT0123456789AB"),
    ("RefId: A . RefId: B", "B"),
    ("my RefId: me . RefId: DGG-1", "DGG-1"),
    ("a - b - 12(3) . RefId: DGG-2", "DGG-2"),
    ("Whyy . RefId: DGG-3 .", "DGG-3"),
    ("Whyy . RefId: DGG.4", "DGG.4"),
    ("Whyy\n. RefId: DGG-5", "DGG-5"),
    ("\u3164 . RefId: DGG-6", "DGG-6"),
    ("👑Budi👑 . RefId: DGG-7", "DGG-7"),
    ("NotRefId: x", "NotRefId: x"),
]


@pytest.mark.parametrize(("note", "serial"), SERIALS)
def test_the_serial_number_in_a_note(note: str, serial: str) -> None:
    assert read_serial(note) == serial


@pytest.mark.parametrize("note", [None, 5, 1.5, True, [], ["SN: A"], {}, {"sn": "A"}, b"SN: A"])
def test_a_note_that_is_no_text_has_no_serial_number(note: object) -> None:
    assert read_serial(note) == ""


HOSTILE = [
    "SN: ABC\u202e123",
    "SN: \u2066ABC\u2069",
    "SN: ABC\u200b123",
    "SN: ABC\x00123",
    "SN: ABC\x1b[31m123",
    "SN: ABC\r\n✅ Dana dikembalikan",
    "SN: ABC\u2028next",
    "SN: \ud800ABC",
    "SN: \ufeffABC",
    "\u202eSN: ABC",
    "Why\ny . RefId: \u202eDGG-1",
    "x" * 100_000,
    "SN: " + "y" * 100_000,
    "RefId:" * 5_000,
    "a " * 50_000 + "RefId: z",
    ". " * 50_000,
]


@pytest.mark.parametrize("note", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_note_is_harmless_to_read(note: str) -> None:
    serial = read_serial(note)
    assert len(serial) <= 300
    assert not re.search(r"[\r\n\t\v\f]", serial)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in serial)
    serial.encode()


def test_markup_in_a_serial_number_is_left_to_the_channel_that_escapes_it() -> None:
    assert read_serial("SN: <b>*_`[A](x)") == "<b>*_`[A](x)"


def test_marks_that_turn_the_text_around_are_gone_and_the_rest_is_whole() -> None:
    assert read_serial("SN: ABC\u202e123\u202c") == "ABC123"


@given(st.text(st.characters()))
def test_any_note_gives_a_short_line_that_can_be_sent(note: str) -> None:
    serial = read_serial(note)
    serial.encode()
    assert len(serial) <= 300
    assert serial == serial.strip()


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("Success", "success"),
        ("SUCCESS", "success"),
        ("  Pending\t", "pending"),
        ("Sukses_Sebagian", "sukses sebagian"),
        ("sukses   sebagian", "sukses sebagian"),
        ("__Error__", "error"),
        ("Error/Gagal", "error/gagal"),
        ("", ""),
        (None, ""),
        (True, ""),
        (1, ""),
        ([], ""),
        ({"status": "Success"}, ""),
    ],
)
def test_a_status_word_is_compared_in_one_spelling(written: object, word: str) -> None:
    assert read_word(written) == word


# --- times ----------------------------------------------------------------------------------------

NOON = 1_795_150_800_000  # 2026-11-20 05:00 UTC, noon in Jakarta
TIMES = [
    ("2026-11-20 12:00:00", NOON),
    ("2026-11-20T12:00:00", NOON),
    ("2026-11-20 12:00", NOON),
    (" 2026-11-20 12:00:00 ", NOON),
    ("2026-11-20T05:00:00Z", NOON),
    ("2026-11-20T05:00:00.0Z", NOON),
    ("2026-11-20T05:00:00.000Z", NOON),
    ("2026-11-20T05:00:00.000000Z", NOON),
    ("2026-11-20T05:00:00.250Z", NOON + 250),
    ("2026-11-20T05:00:00+00:00", NOON),
    ("2026-11-20T12:00:00+07:00", NOON),
    ("2026-11-20 12:00:00+0700", NOON),
    ("2026-11-20T14:00:00+09:00", NOON),
    ("2026-11-19T19:00:00-10:00", NOON),
    (NOON // 1000, NOON),
    (NOON, NOON),
    (str(NOON // 1000), NOON),
    (str(NOON), NOON),
    ("2026-03-19T15:00:00.000000Z", 1_773_932_400_000),  # ZoneGame's example
    (1_729_926_123, 1_729_926_123_000),  # likewise
    (0, 0),
]


@pytest.mark.parametrize(("written", "at"), TIMES)
def test_an_instant_in_any_of_the_forms_in_use(written: object, at: int) -> None:
    assert read_time(written) == at


@pytest.mark.parametrize(
    "written",
    [
        "...", "", " ", "20/11/2026 12:00", "20-11-2026 12:00:00", "Nov 20, 2026", "15 menit",
        "2026-13-01 00:00:00", "2026-02-30 00:00:00", "2026-11-20 25:00:00", "12:00:00",
        "2026-11-20 12:00:00 WIB", "-1", "1e9", "1795150800.0",
        "\u0662\u0660\u0662\u0666-11-20 12:00:00",
        "0001-01-01 00:00:00", "9999-12-31T23:59:59-23:59", "9" * 40,
        None, True, False, 1.5, 1_795_150_800.0, [], {}, float("nan"),
    ],
)  # fmt: skip
def test_what_is_no_instant_is_none(written: object) -> None:
    assert read_time(written) is None


def test_a_time_without_a_zone_is_western_indonesian_time() -> None:
    assert WIB.utcoffset(None) == timedelta(hours=7)
    assert read_time("1970-01-01 07:00:00") == 0


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - naive on purpose
def test_every_moment_survives_being_written_and_read(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    at = int(moment.timestamp()) * 1000
    assert read_time(moment.isoformat()) == at
    assert read_time(f"{moment.astimezone(WIB):%Y-%m-%d %H:%M:%S}") == at


@given(st.text(st.characters()) | st.integers() | st.floats() | st.booleans())
def test_nothing_anybody_writes_is_an_error(written: object) -> None:
    assert read_time(written) is None or type(read_time(written)) is int


# --- identifiers and other texts ------------------------------------------------------------------

NO_TEXTS = [None, True, False, 1.5, float("nan"), [], ["x"], {}, {"x": "y"}, b"x"]


@pytest.mark.parametrize(("written", "text"), [("x", "x"), (" a b ", "a b"), (5, "5"), (0, "0")])
def test_a_text_is_as_it_stands(written: object, text: str) -> None:
    assert read_text(written) == text


@pytest.mark.parametrize("written", [*NO_TEXTS, "", " ", "\n", "a\nb", "a\x00", "\ud800", "\u202e"])
def test_what_cannot_be_stored_or_seen_is_no_text(written: object) -> None:
    with pytest.raises(TypeError):
        read_text(written)


PLAIN_IDS = ["INV-1", "TRX24070385294000934", "a", "7", "A.b_c:d-e", "x" * 100, "0"]


@pytest.mark.parametrize("written", PLAIN_IDS)
def test_an_identifier_that_may_stand_in_an_address_is_itself(written: str) -> None:
    assert read_plain_id(written) == written


def test_a_number_is_an_identifier_too() -> None:
    assert (read_plain_id(0), read_plain_id(123)) == ("0", "123")


@pytest.mark.parametrize(
    "written",
    [
        *NO_TEXTS, "", " ", " a", "a ", "a b", "a/b", "..", ".a", "-a", "a?b", "a#b", "a%2F", "a\n",
        "\na", "é", "\u0661", "a\x00", "\ud800", "a\\b", "a&b=c", "<b>", "x" * 101, -1, 10**100,
    ],
)  # fmt: skip
def test_what_may_not_stand_in_an_address_is_no_identifier(written: object) -> None:
    assert read_plain_id(written) == ""


@given(st.text(st.characters()) | st.integers() | st.floats() | st.none())
def test_an_identifier_is_short_and_plain(written: object) -> None:
    name = read_plain_id(written)
    assert re.fullmatch(r"|[0-9A-Za-z][0-9A-Za-z._:-]{0,99}", name)
    assert name in {"", str(written)}


@pytest.mark.parametrize(
    ("value", "name", "same"),
    [
        ("55", "55", True),
        (55, "55", True),
        (0, "0", True),
        ("", "", True),
        ("055", "55", False),
        (" 55", "55", False),
        ("INV-1", "inv-1", False),
        (True, "True", False),
        (False, "0", False),
        (1.0, "1.0", False),
        (None, "None", False),
        (["55"], "['55']", False),
        ({}, "{}", False),
    ],
)
def test_a_field_names_an_order_only_if_it_is_the_very_name(
    value: object, name: str, same: bool
) -> None:
    assert is_named(value, name) is same


@pytest.mark.parametrize(
    ("written", "note"),
    [
        ("Transaksi gagal", "Transaksi gagal"),
        (" a\n b\u202e ", "a b"),
        (5, "5"),
        (1.5, "1.5"),
        (None, ""),
        (["kunci"], ""),
        ({"kunci": 1}, ""),
        (b"x", ""),
    ],
)
def test_a_note_is_one_visible_line_and_nothing_of_what_may_hide_more(
    written: object, note: str
) -> None:
    assert read_note(written) == note


def test_a_long_note_is_cut() -> None:
    assert len(read_note("x" * 100_000)) == 200


@pytest.mark.parametrize("value", [None, True, 5, "xyz", {"a": 1}, {}, (1, 2)])
def test_what_is_no_list_has_no_rows(value: object) -> None:
    assert list(read_rows(value)) == []
    assert list(read_rows([value])) == [value]


# --- truths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [True, 1, "1", "true", "True", " TRUE "])
def test_a_truth_in_any_of_the_forms_in_use(written: object) -> None:
    assert read_flag(written) is True


@pytest.mark.parametrize("written", [False, 0, "0", "false", "False", " FALSE ", None])
def test_an_untruth_in_any_of_the_forms_in_use(written: object) -> None:
    assert read_flag(written) is False


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "yes",
        "no",
        "on",
        "aktif",
        "01",
        "1.0",
        "2",
        "null",
        2,
        -1,
        10,
        1.0,
        0.0,
        [],
        [1],
        {},
    ],
)
def test_what_is_neither_true_nor_false_is_an_error(written: object) -> None:
    with pytest.raises(ValueError, match="neither"):
        read_flag(written)


# --- rows of a price list -------------------------------------------------------------------------

ROW = {"sku": "ff5", "category": "Free Fire", "name": "5 Diamond", "price": 750}


def row(**changed: object) -> Listing | None:
    return read_listing(**{"available": True, **ROW, **changed})


def test_a_row_that_makes_sense_is_a_listing() -> None:
    assert row() == Listing(**ROW, available=True, form=())
    assert row(available=False, sku=5, price="10.000") == Listing(
        **(ROW | {"sku": "5", "price": 10_000}), available=False
    )


def test_a_listing_has_its_form_as_it_was_given() -> None:
    asked = [FormField(key="id", label="User ID"), FormField(key="zone", label="Zone")]
    found = row(form=asked)
    assert found is not None
    assert found.form == tuple(asked)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"sku": value} for value in (None, "", " ", True, [], "a\nb", "\ud800")),
        *({"price": value} for value in (None, 0, "0", -1, "x", "", 1.5, True, [], "1e3", 10**15)),
        *({part: value} for part in ("category", "name") for value in (None, "", " ", 5, [], {})),
        *({part: value} for part in ("category", "name") for value in ("<b>", "a<", "\u202e")),
    ],
    ids=str,
)
def test_a_row_that_makes_no_sense_is_left_out(wrong: dict[str, object]) -> None:
    assert row(**wrong) is None


def test_names_of_a_listing_are_visible_and_short() -> None:
    found = row(name="5\nDiamond\u202e " + "x" * 50, category="Free\tFire")
    assert found is not None
    assert (found.category, found.name) == ("Free Fire", "5 Diamond " + "x" * 50)


@pytest.mark.parametrize("where", ["name", "category"])
def test_o10_a_row_whose_end_would_be_cut_off_is_none(where: str) -> None:
    """The end may say of which region it is, and how much of it there is."""
    assert row(**{where: "86 Diamonds Mobile Legends Top Up Proses Otomatis Cepat Brazil"}) is None


def test_markup_that_would_be_cut_away_is_seen_or_gone() -> None:
    """What is kept has none; what is cut away does no harm."""
    found = row(name="x" * 100 + "<b>")
    assert found is None or "<" not in found.name
