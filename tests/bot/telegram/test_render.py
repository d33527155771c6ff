"""What a view looks like on Telegram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.views import Choice, View
from bot.telegram.render import Words, draw, is_linkable
from tests.fakes.telegram_html import parse_html

WORDS = Words(copy="Salin", open_link="Buka")


def shown(view: View, **more: object) -> str:
    return parse_html(draw(view, WORDS, **more).html)[0]


def rows(view: View) -> list[list[str]]:
    keyboard = draw(view, WORDS).keyboard
    return [[b.text for b in row] for row in keyboard.inline_keyboard] if keyboard else []


def choices(*labels: str) -> tuple[Choice, ...]:
    return tuple(Choice(str(n), label, data=f"s:1:{n}") for n, label in enumerate(labels))


def test_the_title_is_bold_and_everything_is_escaped() -> None:
    view = View(title="<i>Judul</i> & co", text='<a href="x">klik</a> &amp; </b>')
    assert draw(view, WORDS).html == (
        "<b>&lt;i&gt;Judul&lt;/i&gt; &amp; co</b>\n"
        '&lt;a href="x"&gt;klik&lt;/a&gt; &amp;amp; &lt;/b&gt;'
    )
    assert draw(View(text="x"), WORDS).keyboard is None


def test_marks_that_turn_the_text_around_are_taken_out() -> None:
    view = View(text="nama \u202egnorw\u2066\x00\x1b", choices=choices("\u202eyaB"))
    assert draw(view, WORDS).html == "nama gnorw"
    assert rows(view) == [["yaB"]]


def test_a_text_is_cut_to_what_telegram_takes() -> None:
    assert shown(View(text="<" * 4096)) == "<" * 4096
    assert shown(View(text="<" * 4097)) == "<" * 4095 + "…"
    assert shown(View(text="&" * 5000, image=b"x")) == "&" * 1023 + "…"
    assert shown(View(text="&" * 5000), limit=1024) == "&" * 1023 + "…"


def test_a_smile_counts_twice_and_is_never_cut_in_half() -> None:
    text = shown(View(text="😀" * 3000))
    assert text == "😀" * 2047 + "…"


def test_what_is_copied_survives_a_text_that_is_too_long() -> None:
    view = View(title="T", text="x" * 5000, copy="SN-1", link="http://example.org/p")
    text = shown(view)
    assert text.startswith("T\nxxx")
    assert text.endswith("…\nSN-1\nhttp://example.org/p")
    assert len(text) == 4096


@given(st.text(max_size=400), st.text(max_size=1500), st.text(max_size=1500), st.booleans())
def test_whatever_people_are_called_it_is_valid_and_within_the_limits(
    title: str, text: str, copy: str, captioned: bool
) -> None:
    view = View(title=title, text=text, copy=copy, image=b"x" if captioned else None)
    drawing = draw(view, WORDS)
    visible, entities = parse_html(drawing.html)
    assert len(drawing.html) >= 1
    assert len(visible.encode("utf-16-le")) // 2 <= (1024 if captioned else 4096)
    assert {entity["type"] for entity in entities} <= {"bold", "code"}


def test_the_value_to_copy_is_marked_where_it_stands() -> None:
    view = View(text="12 Diamonds\nSN: 12\nterima kasih", copy="12")
    drawing = draw(view, WORDS)
    assert drawing.html == "12 Diamonds\nSN: <code>12</code>\nterima kasih"
    assert drawing.keyboard is not None
    button = drawing.keyboard.inline_keyboard[0][0]
    assert (button.text, button.copy_text and button.copy_text.text) == ("Salin", "12")


def test_the_value_to_copy_is_added_where_it_is_missing() -> None:
    assert draw(View(text="SN:", copy="A<1"), WORDS).html == "SN:\n<code>A&lt;1</code>"


def test_too_long_a_value_has_no_button_but_is_shown() -> None:
    assert rows(View(text="SN:", copy="x" * 256)) == [["Salin"]]
    view = View(text="SN:", copy="x" * 257)
    assert rows(view) == []
    assert shown(view).endswith("x" * 257)


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        (("86", "172", "257", "344"), [3, 1]),
        (("Mobile Legends", "Free Fire", "PUBG"), [2, 1]),
        (("Mobile Legends: Bang Bang", "Free Fire"), [1, 1]),
        (("123456789", "1", "2"), [3]),
        (("1234567890", "1", "2"), [2, 1]),
    ],
)
def test_short_buttons_share_a_row(labels: tuple[str, ...], columns: list[int]) -> None:
    assert [len(row) for row in rows(View(text="?", choices=choices(*labels)))] == columns


def test_a_hint_stands_behind_its_label() -> None:
    view = View(text="?", choices=(Choice("a", "86 Diamonds", "Rp20.000", "s:1:a"),))
    assert rows(view) == [["86 Diamonds · Rp20.000"]]


def test_a_button_carries_64_bytes_and_one_that_cannot_is_left_out() -> None:
    fits, too_long = "s:1:" + "é" * 30, "s:1:" + "é" * 30 + "x"
    view = View(
        text="?",
        choices=(
            Choice("a", "muat", data=fits),
            Choice("b", "tidak", data=too_long),
            Choice("c", "kosong"),
        ),
    )
    assert rows(view) == [["muat"]]


def test_there_are_a_hundred_buttons_at_most() -> None:
    view = View(text="?", copy="x", choices=choices(*map(str, range(150))))
    assert sum(map(len, rows(view))) == 100


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://pay.example/qr?id=1", True),
        ("http://127.0.0.1:8080/pay", True),
        ("http://localhost:8080/pay", True),
        ("http://[::1]:8080/", True),
        ("http://pay.example/", False),
        ("javascript:alert(1)", False),
        ("tg://user?id=1", False),
        ("https://", False),
        ("https://[broken", False),
        ("https://a.example/\u202egnp", False),
        ("https://a.example/" + "x" * 2048, False),
        ("", False),
    ],
)
def test_only_safe_links_become_buttons(url: str, good: bool) -> None:
    assert is_linkable(url) is good


def test_a_link_is_a_button_or_stands_in_the_text() -> None:
    view = View(text="bayar di:", link="https://pay.example/1")
    assert (rows(view), shown(view)) == ([["Buka"]], "bayar di:")
    plain = draw(view, WORDS, link_button=False)
    assert (plain.keyboard, plain.html) == (None, "bayar di:\nhttps://pay.example/1")
    assert shown(View(text="x", link="http://pay.example")) == "x\nhttp://pay.example"


def test_an_empty_view_is_still_a_message() -> None:
    assert draw(View(text=" "), WORDS).html == "…"
