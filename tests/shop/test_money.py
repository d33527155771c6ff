"""Whole rupiah: written for people, read from suppliers with distrust."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.money import MOST, NotAnAmount, ceil_div, read_rupiah, read_typed_rupiah, rupiah
from tests.shop.samples import in_digits_from, wide

AMOUNTS = st.integers(min_value=0, max_value=MOST - 1)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0, "Rp0"),
        (5, "Rp5"),
        (999, "Rp999"),
        (1_000, "Rp1.000"),
        (12_000, "Rp12.000"),
        (1_234_567, "Rp1.234.567"),
        (-500, "-Rp500"),
        (-12_000, "-Rp12.000"),
    ],
)
def test_amounts_are_written_as_people_here_read_them(amount: int, written: str) -> None:
    assert rupiah(amount) == written


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (0, 0),
        (10_000, 10_000),
        ("10000", 10_000),
        ("0010000", 10_000),
        (" 10000\n", 10_000),
        ("10.000", 10_000),
        ("10,000", 10_000),
        ("1.234.567", 1_234_567),
        (12_000.0, 12_000),
        ("12000.00", 12_000),
        ("12000,0", 12_000),
        ("0", 0),
        (MOST - 1, MOST - 1),
    ],
)
def test_l5_what_suppliers_write_is_read_to_the_rupiah(value: object, amount: int) -> None:
    read = read_rupiah(value)
    assert (read, type(read)) == (amount, int)


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        -1,
        "-1",
        -0.5,
        0.5,
        "0.5",
        "12000.50",
        "1e3",
        "1_000",
        "10 000",
        "Rp10.000",
        "10.00.000",
        "1.234,567",  # a comma may be a fraction there
        "1,234.567",
        "1.234,56",
        "1.234.567,00",
        "0.000",
        "000.000",
        "010.000",
        "0.010.000",
        "10.0000",
        ".000",
        "10000.",
        "",
        "  ",
        "NaN",
        "Infinity",
        math.nan,
        math.inf,
        -math.inf,
        MOST,
        float(MOST),
        "9" * 16,
        wide("10000"),
        in_digits_from("\u0660", "10000"),
        "0x10",
        b"10000",
        [10_000],
        {"amount": 10_000},
    ],
)
def test_l5_what_is_no_whole_amount_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"amount|truth"):
        read_rupiah(value)


@given(AMOUNTS)
def test_l5_every_amount_is_read_back_as_it_was_written(amount: int) -> None:
    written = rupiah(amount).removeprefix("Rp")
    assert read_rupiah(written) == amount
    assert read_rupiah(written.replace(".", ",")) == amount
    assert read_rupiah(str(amount)) == amount
    assert read_rupiah(amount) == amount


@given(
    st.one_of(
        st.text(max_size=30),
        st.text(alphabet="0123456789.,-+eE _", max_size=20),
        st.floats(),
        st.integers(),
        st.booleans(),
        st.none(),
    )
)
def test_l5_whatever_comes_becomes_a_whole_amount_in_range_or_a_refusal(value: object) -> None:
    try:
        amount = read_rupiah(value)
    except ValueError:
        return
    assert type(amount) is int
    assert 0 <= amount < MOST
    assert not isinstance(value, bool)


@given(st.integers(), st.integers(min_value=1))
def test_l5_dividing_rounds_up_and_stays_whole(dividend: int, divisor: int) -> None:
    up = ceil_div(dividend, divisor)
    assert type(up) is int
    assert (up - 1) * divisor < dividend <= up * divisor


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("10000", 10_000),
        ("10.000", 10_000),
        ("10,000", 10_000),
        ("1.234.567", 1_234_567),
        ("Rp10.000", 10_000),
        ("rp 10.000,-", 10_000),
        ("Rp. 10000", 10_000),
        ("10000,-", 10_000),
        ("10rb", 10_000),
        ("10 ribu", 10_000),
        ("10k", 10_000),
        ("10 K", 10_000),
        ("Rp 10RB", 10_000),
        ("1jt", 1_000_000),
        ("1 juta", 1_000_000),
        ("1,5jt", 1_500_000),
        ("1.5jt", 1_500_000),
        ("1,25 juta", 1_250_000),
        ("0,5jt", 500_000),
        ("2.5k", 2_500),
        ("  10.000\n", 10_000),
        ("10\u200b.000", 10_000),
        (wide("Rp10.000"), 10_000),
        (in_digits_from("\u0660", "10000"), 10_000),
        ("0", 0),
        ("Rp0", 0),
        ("0rb", 0),
        (str(MOST - 1), MOST - 1),
        ("999999999jt", 999_999_999_000_000),
        ("999999999999,99rb", 999_999_999_999_990),
    ],
)
def test_l5_what_a_person_types_is_read_to_the_rupiah(typed: str, amount: int) -> None:
    read = read_typed_rupiah(typed)
    assert (read, type(read)) == (amount, int)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "abc",
        "rp",
        "rb",
        ",-",
        "-5",
        "+5",
        "\u22125",
        "-Rp5",
        "Rp-5",
        "1e9",
        "0x10",
        "1_000",
        "10.00",
        "10.5",
        "10,5",
        "10.0000",
        "10.000.00",
        "10.00.000",
        "10.000,00",
        "1.000,000",
        "0.000",
        "0,5",
        "10.",
        ".5jt",
        "1,jt",
        "1,250jt",  # 1.25 million, or 1250 million
        "10.000rb",
        "1,5,5jt",
        "10rb,-",
        "1jt500rb",
        "10000 20000",
        "10 000",
        "10rb 20rb",
        "10rb-20rb",
        "Rp10.000 Rp20.000",
        "RpRp10",
        "081234567890",  # a phone number
        "007",
        "½jt",
        "10%",
        "10$",
        "seribu",
        "nan",
        str(MOST),
        "1000000000jt",
        "9" * 16,
        "9" * 7_000,
        "9.999" + ".999" * 2_000,
    ],
)
def test_l5_what_could_be_another_amount_is_asked_again(typed: str) -> None:
    with pytest.raises(NotAnAmount):
        read_typed_rupiah(typed)


@given(AMOUNTS)
def test_l5_every_amount_typed_as_it_was_shown_is_read_back(amount: int) -> None:
    shown = rupiah(amount)
    for typed in (
        shown,
        shown.lower(),
        wide(shown),
        f"{shown},-",
        shown.replace(".", ","),
        str(amount),
    ):
        assert read_typed_rupiah(typed) == amount


@given(st.integers(0, 99_999_999), st.sampled_from(["rb", "ribu", "k", " jt", "juta"]))
def test_l5_a_count_of_thousands_or_millions_is_never_off_by_a_rupiah(
    hundredths: int, unit: str
) -> None:
    one = 1_000_000 if "j" in unit else 1_000
    typed = f"{hundredths // 100},{hundredths % 100:02}{unit}"
    assert read_typed_rupiah(typed) * 100 == hundredths * one


@given(st.one_of(st.text(max_size=30), st.text(alphabet="0123456789.,-+ rpkbjtRP", max_size=20)))
def test_l5_whatever_is_typed_becomes_an_amount_in_range_or_a_refusal(typed: str) -> None:
    try:
        amount = read_typed_rupiah(typed)
    except NotAnAmount:
        return
    assert type(amount) is int
    assert 0 <= amount < MOST
