"""Foreign text is made harmless, typed text is made plain."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.text import plain, visible
from tests.shop.samples import in_digits_from, wide

ANYTHING = st.text(max_size=400)
UNSEEN = (
    "\u200b\u200c\u200d\u2060\ufeff"  # zero width
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"  # direction
    "\x00\x07\x08\x1b\x7f\x85\xad\ue000\U000e0041"  # control, soft hyphen, private use, tags
)


@pytest.mark.parametrize("char", [char for char in UNSEEN if not char.isspace()])
def test_m7_what_cannot_be_seen_is_taken_out(char: str) -> None:
    assert visible(f"Bu{char}di") == "Budi"
    assert plain(f"1234{char}5678") == "12345678"


BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe0e\ufe0f\uffa0"  # letters that show nothing


@pytest.mark.parametrize("char", BLANK)
def test_m7_a_letter_that_looks_like_nothing_is_nothing(char: str) -> None:
    assert visible(f"Bu{char}di") == "Budi"
    assert plain(f"1234{char}5678") == "12345678"
    for shown in (visible(char * 3), plain(char * 3), visible(f" {char} ")):
        assert shown == ""


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\t", "\u2028", "\u2029", "\xa0", "\u3000", "  \v "])
def test_m7_a_name_stays_on_one_line(gap: str) -> None:
    assert visible(f"{gap}Budi{gap}Santoso{gap}") == "Budi Santoso"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (wide("12345678(2001)"), "12345678(2001)"),
        (in_digits_from("\u0660", "12345678"), "12345678"),  # Arabic
        (in_digits_from("\u06f0", "12345678"), "12345678"),  # Persian
        (in_digits_from("\u0966", "12345678"), "12345678"),  # Devanagari
        (in_digits_from("\U0001d7ce", "123"), "123"),  # bold, as in fancy nicknames
        (wide("ID:123"), "ID:123"),
        ("1²", "12"),
        ("00123", "00123"),
        (wide("Budi"), "Budi"),
        ("", ""),
    ],
)
def test_typed_digits_become_the_plain_ones(typed: str, meant: str) -> None:
    assert plain(typed) == meant


def test_long_text_is_cut_with_a_mark() -> None:
    assert visible("a" * 200) == "a" * 200
    assert visible("a" * 201) == "a" * 199 + "…"
    assert visible("abc", 2) == "a…"


def test_ordinary_text_in_any_script_is_left_alone() -> None:
    for text in ("Budi & <b>Ani</b>", "Привет, мир", "한국어 이름", "日本", "👍🏽 ok", "é"):
        assert visible(text) == text


@given(ANYTHING)
def test_m7_nothing_unseen_and_no_second_line_ever_remains(text: str) -> None:
    for shown in (visible(text), plain(text)):
        assert shown == " ".join(shown.split())
        assert not set(shown) & set(BLANK)
        for char in shown:
            assert unicodedata.category(char)[0] != "C"
            assert char == " " or not char.isspace()


@given(ANYTHING, st.integers(min_value=1, max_value=50))
def test_m7_a_limit_is_a_limit(text: str, most: int) -> None:
    assert len(visible(text, most)) <= most


@given(ANYTHING)
def test_m7_making_it_harmless_twice_changes_nothing(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(ANYTHING)
def test_plain_text_has_no_digits_but_the_plain_ones(text: str) -> None:
    assert all(char.isascii() for char in plain(text) if unicodedata.digit(char, None) is not None)


@given(st.text(alphabet="0123456789", max_size=30))
def test_plain_digits_are_never_changed(digits: str) -> None:
    assert plain(digits) == digits
