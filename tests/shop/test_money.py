"""Whole rupiah: written for people, read from suppliers with distrust."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.money import MOST, ceil_div, read_rupiah, rupiah
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
