"""The owner's own QRIS asks for the amount that was wanted, and changes in nothing else."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.qris import MOST_PER_PAYMENT, NotStatic, crc16, qris_fields, static_qris, tlv, with_amount

STATIC = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)
DYNAMIC = (
    "00020101021226690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605405120005802ID"
    "5911TOKO CONTOH6007JAKARTA61051011062120508INV-00016304E74C"
)
Fields = list[tuple[str, str]]
FIELDS = tlv(STATIC)[:-1]
AMOUNTS = st.integers(1, MOST_PER_PAYMENT)


def written(fields: Fields) -> str:
    """A payload of these fields, whole: its checksum is right."""
    text = "".join(f"{tag}{len(value):02}{value}" for tag, value in fields) + "6304"
    return text + crc16(text)


def with_field(tag: str, value: str) -> Fields:
    """The fields of the static example, one of them said otherwise or added in its place."""
    return sorted((dict(FIELDS) | {tag: value}).items())


def without(*tags: str) -> Fields:
    return [field for field in FIELDS if field[0] not in tags]


# What a converter that searches the text, instead of reading it, would stumble on.
TRAPS = st.sampled_from(["5802ID", "540510000", "5406", "5303360", "6304", "010211", "000201"])
INK = st.text(alphabet=string.ascii_letters + string.digits + " .,&'/-", min_size=1, max_size=12)
WORDS = st.builds("{}{}{}".format, INK, TRAPS | st.just(""), INK).filter(str.strip)


@st.composite
def static_payloads(draw: st.DrawFn) -> str:
    """Whole static QRIS texts of merchants of any name, with optional fields of any text."""
    template = st.builds(lambda a, b: f"00{len(a):02}{a}02{len(b):02}{b}", WORDS, WORDS)
    accounts = st.integers(26, 51).map(str)
    more = st.sampled_from(["52", "61", "62", "64", "80", "99"])
    fields = {
        **draw(st.dictionaries(accounts, template, min_size=1, max_size=3)),
        **draw(st.dictionaries(more, WORDS, max_size=4)),
        "00": "01",
        "01": "11",
        "53": "360",
        "58": "ID",
        "59": draw(WORDS).strip()[:25],
        "60": draw(WORDS).strip()[:15],
    }
    return written(sorted(fields.items()))


# --- which QRIS is taken ---


@pytest.mark.parametrize("around", ["{}", "  {}\n", "\r\n\t{}\u3000"])
def test_a_static_qris_is_taken_without_the_blanks_around_it(around: str) -> None:
    assert static_qris(around.format(STATIC)) == STATIC


@given(static_payloads())
def test_any_whole_static_qris_is_taken_as_it_is(payload: str) -> None:
    assert static_qris(payload) == payload


def test_a_qris_for_one_payment_is_read_but_not_taken() -> None:
    assert dict(qris_fields(DYNAMIC))["54"] == "12000"
    with pytest.raises(NotStatic, match=r"^is not static: .*; ask your bank"):
        static_qris(DYNAMIC)


LONG = [(str(tag), "x" * 60) for tag in range(80, 85)]
REFUSED = {
    "nothing": ("", "does not begin as a QRIS does"),
    "an address": ("https://toko.id/qris.png", "is cut, or no QRIS at all"),
    "letters outside ASCII": (STATIC.replace("TOKO", "T\u014cKO"), "has characters in it"),
    "a line break inside": (STATIC.replace("TOKO ", "TOKO\n"), "has characters in it"),
    "cut": (STATIC[:-1], "is cut, or no QRIS at all"),
    "cut between two fields": (STATIC[:-8], "was changed or cut"),
    "longer": (STATIC + "0", "is cut, or no QRIS at all"),
    "a field after the checksum": (STATIC + "9901x", "was changed or cut"),
    "another city": (STATIC.replace("JAKARTA", "JAKARTB"), "was changed or cut"),
    "a checksum in small letters": (STATIC[:-4] + "bb42", "was changed or cut"),
    "another version": (written(with_field("00", "02")), "does not begin as a QRIS does"),
    "no version": (written(without("00")), "does not begin as a QRIS does"),
    "version not first": (written([*FIELDS[1:], FIELDS[0]]), "does not begin as a QRIS does"),
    "dynamic": (written(with_field("01", "12")), "is not static"),
    "neither static nor dynamic": (written(without("01")), "is not static"),
    "an amount": (written(with_field("54", "5000")), "names an amount of its own"),
    "an empty amount": (written(with_field("54", "")), "names an amount of its own"),
    "a tip": (written(with_field("55", "01")), "adds a tip or a fee"),
    "a fixed fee": (written(with_field("56", "500")), "adds a tip or a fee"),
    "a fee in percent": (written(with_field("57", "1")), "adds a tip or a fee"),
    "dollars": (written(with_field("53", "840")), "is not in rupiah"),
    "no currency": (written(without("53")), "is not in rupiah"),
    "Singapore": (written(with_field("58", "SG")), "is not from Indonesia"),
    "no country": (written(without("58")), "is not from Indonesia"),
    "no merchant account": (written(without("26", "51")), "names no merchant account"),
    "a card scheme only": (
        written([*without("26", "51")[:2], ("02", "4000"), *without("26", "51")[2:]]),
        "names no merchant account",
    ),
    "no name": (written(without("59")), "does not name the merchant and the city"),
    "a blank name": (written(with_field("59", "  ")), "does not name the merchant and the city"),
    "no city": (written(without("60")), "does not name the merchant and the city"),
    "the city twice": (written([*FIELDS, ("60", "BANDUNG")]), "says something twice"),
    "the same twice": (written([*FIELDS, FIELDS[-1]]), "says something twice"),
    "too long": (written([*FIELDS, *LONG]), "is too long to take an amount"),
}


@pytest.mark.parametrize(("payload", "why"), REFUSED.values(), ids=REFUSED)
def test_a_qris_that_takes_no_amount_is_refused_with_the_reason_and_what_to_do(
    payload: str, why: str
) -> None:
    with pytest.raises(NotStatic) as refused:
        static_qris(payload)
    said = str(refused.value)
    assert said.startswith(why)
    assert "; copy its text" in said or "; ask your bank" in said
    assert "TOKO" not in said
    assert "9360" not in said


def test_room_for_the_largest_amount_is_needed_and_enough() -> None:
    room = 512 - len("540810000000") - len(STATIC)
    whole, rest = divmod(room, 63)
    fields = [*FIELDS, *[(str(80 + n), "x" * 59) for n in range(whole)], ("98", "x" * (rest - 4))]
    assert rest >= 4
    assert len(with_amount(written(fields), MOST_PER_PAYMENT)) == 512
    with pytest.raises(NotStatic, match="too long"):
        static_qris(written([*fields[:-1], ("98", "x" * (rest - 3))]))


@given(static_payloads(), st.data())
def test_a_change_of_any_one_character_is_noticed(payload: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(payload) - 1))
    other = data.draw(st.characters().filter(lambda char: char != payload[at]))
    with pytest.raises(NotStatic):
        static_qris(payload[:at] + other + payload[at + 1 :])


def test_a_lost_character_is_noticed_wherever_it_stood() -> None:
    for at in range(len(STATIC)):
        with pytest.raises(NotStatic):
            static_qris(STATIC[:at] + STATIC[at + 1 :])


@given(st.text(max_size=60) | st.text(alphabet="0123456789", max_size=60).map("000201".__add__))
def test_whatever_text_comes_is_taken_or_refused(text: str) -> None:
    with pytest.raises(NotStatic):
        static_qris(text)


# --- with an amount ---


def test_the_amount_stands_between_currency_and_country() -> None:
    asked = with_amount(STATIC, 12_000)
    body = STATIC[:-4].replace("010211", "010212", 1).replace("5802ID", "5405120005802ID", 1)
    assert asked == body + crc16(body)
    assert asked == written([*tlv(DYNAMIC)[:-2]])  # the example but for its reference


@given(static_payloads(), AMOUNTS)
def test_the_amount_is_what_was_asked_and_nothing_else_changes(payload: str, amount: int) -> None:
    before, after = qris_fields(payload), qris_fields(with_amount(payload, amount))
    assert after.count(("54", str(amount))) == 1
    assert after.index(("54", str(amount))) == after.index(("53", "360")) + 1
    assert ("01", "12") in after
    unchanged = [("01", "11") if tag == "01" else (tag, value) for tag, value in after]
    unchanged.remove(("54", str(amount)))
    assert unchanged[:-1] == before[:-1]


@given(static_payloads(), AMOUNTS)
def test_a_qris_with_an_amount_takes_no_other(payload: str, amount: int) -> None:
    with pytest.raises(NotStatic, match="is not static"):
        with_amount(with_amount(payload, amount), amount)


@given(static_payloads(), AMOUNTS, AMOUNTS)
def test_two_amounts_make_two_texts(payload: str, one: int, other: int) -> None:
    assert (with_amount(payload, one) == with_amount(payload, other)) is (one == other)


@pytest.mark.parametrize("amount", [0, -1, MOST_PER_PAYMENT + 1])
def test_an_amount_that_one_payment_cannot_have_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        with_amount(STATIC, amount)


@pytest.mark.parametrize("amount", [1, MOST_PER_PAYMENT])
def test_the_least_and_the_most_can_be_asked_for(amount: int) -> None:
    assert dict(qris_fields(with_amount(STATIC, amount)))["54"] == str(amount)


def test_the_text_with_an_amount_is_made_of_a_checked_one() -> None:
    with pytest.raises(NotStatic):
        with_amount(STATIC.replace("JAKARTA", "JAKARTB"), 12_000)
