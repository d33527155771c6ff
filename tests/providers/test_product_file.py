"""The owner's own price list: written by hand or by a spreadsheet, and edited while we read it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.product_file import MOST_BYTES, BadProductFile, read_products
from shop.suppliers import Listing

HEAD = "code,game,name,price\n"
FF5 = Listing(sku="ff5", category="Free Fire", name="5 Diamond", price=750, available=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "apigames.csv"


def read(file: Path, content: str | bytes) -> tuple[list[Listing], int]:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_products(file)
    return list(found.listings), found.dropped


def why(file: Path, content: str | bytes) -> str:
    with pytest.raises(BadProductFile) as caught:
        read(file, content)
    assert str(file) in str(caught.value)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        HEAD + "ff5,Free Fire,5 Diamond,750\n",
        HEAD + "ff5,Free Fire,5 Diamond,750",
        HEAD + ' ff5 , Free Fire ,"5 Diamond",750\n\n',
        HEAD + 'ff5,Free Fire,5 Diamond,"750"\n,,,\n',
        " Code , GAME ,Name,price\r\nff5,Free Fire,5 Diamond,750\r\n",
        "\ufeff" + HEAD + "ff5,Free Fire,5 Diamond,750\n",
    ],
    ids=["plain", "no last newline", "blanks", "blank row", "spreadsheet", "byte order mark"],
)
def test_a_list_is_read_however_it_was_saved(file: Path, content: str) -> None:
    assert read(file, content) == ([FF5], 0)


def test_a_comma_in_quotes_belongs_to_the_name(file: Path) -> None:
    [listing], dropped = read(file, HEAD + 'ff140,Free Fire,"140 Diamond, bonus ""14""",17250\n')
    assert (listing.name, listing.price, dropped) == ('140 Diamond, bonus "14"', 17_250, 0)


@pytest.mark.parametrize(
    "row",
    [
        "ff5,Free Fire,5 Diamond",
        "ff5,Free Fire,5 Diamond,750,lagi",
        "ff5;Free Fire;5 Diamond;750",
        ",Free Fire,5 Diamond,750",
        "ff5,,5 Diamond,750",
        "ff5,Free Fire,,750",
        "ff5,Free Fire,5 Diamond,",
        "ff5,Free Fire,5 Diamond,0",
        "ff5,Free Fire,5 Diamond,-750",
        "ff5,Free Fire,5 Diamond,750.5",
        "ff5,Free Fire,5 Diamond,habis",
        "ff5,Free Fire,5 Diamond,Rp750",
        "ff5,Free Fire,<b>5 Diamond</b>,750",
        "f\x00f5,Free Fire,5 Diamond,750",
        "f\u202ef5,Free Fire,5 Diamond,750",
    ],
)
def test_a_row_that_makes_no_sense_is_dropped_and_counted(file: Path, row: str) -> None:
    content = f"{HEAD}{row}\nff70,Free Fire,70 Diamond,9.500\n"
    [listing], dropped = read(file, content)
    assert (listing.sku, listing.price, dropped) == ("ff70", 9_500, 1)


def test_of_a_code_that_stands_twice_no_row_counts(file: Path) -> None:
    rows = (
        "ff5,Free Fire,5 Diamond,750\nff70,Free Fire,70 Diamond,9500\nff5,Free Fire,5 Diamond,7\n"
    )
    listings, dropped = read(file, HEAD + rows)
    assert ([one.sku for one in listings], dropped) == (["ff70"], 2)


def test_a_list_of_nothing_is_a_list(file: Path) -> None:
    assert read(file, HEAD) == ([], 0)


def test_the_rows_stay_in_their_order(file: Path) -> None:
    rows = "".join(f"ff{n},Free Fire,{n} Diamond,{n}000\n" for n in (70, 5, 140))
    listings, _ = read(file, HEAD + rows)
    assert [one.sku for one in listings] == ["ff70", "ff5", "ff140"]


@pytest.mark.parametrize(
    "content",
    ["", "\n", "code;game;name;price\n", "code,game,price,name\n", "code,name,price\n",
     "kode,game,nama,harga\n", "ff5,Free Fire,5 Diamond,750\n", "code,game,name,price,,\n",
     "<!DOCTYPE html>", "sep=,\ncode,game,name,price\n"],
)  # fmt: skip
def test_another_header_is_no_list_and_the_owner_reads_what_it_should_be(
    file: Path, content: str
) -> None:
    assert "code,game,name,price" in why(file, content)


def test_a_quote_that_nobody_closes_does_not_swallow_the_rest_in_silence(file: Path) -> None:
    said = why(file, HEAD + 'ff5,Free Fire,"5 Diamond,750\nff70,Free Fire,70 Diamond,9500\n')
    assert "quotes" in said
    assert "line 3" in said


def test_a_cell_beyond_reason_is_no_list(file: Path) -> None:
    assert "line 2" in why(file, f"{HEAD}ff5,Free Fire,{'x' * 200_000},750\n")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_that_is_not_utf_8_is_no_list(file: Path, encoding: str) -> None:
    content = (HEAD + "ff5,Free Fire,5 Diamond é,750\n").encode(encoding)
    assert "UTF-8" in why(file, content)


def test_a_list_has_four_megabytes_at_most(file: Path) -> None:
    row = "ff5,Free Fire,5 Diamond,750\n"
    fits = (HEAD + row).ljust(MOST_BYTES, "\n")
    assert read(file, fits) == ([FF5], 0)
    assert "4,000,000 bytes" in why(file, fits + "\n")


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    for path in (file, file.parent, file / "below"):
        with pytest.raises(BadProductFile) as caught:
            read_products(path)
        assert f"{path} is not there" in str(caught.value)


def test_a_pipe_is_no_file_and_nobody_waits_for_it(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(BadProductFile, match="is no file"):
        read_products(file)


def test_a_file_that_may_not_be_read_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so that the refusal itself is played."""
    file.write_text(HEAD)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadProductFile, match=r"apigames\.csv cannot be read \(Permission denied\)"):
        read_products(file)


@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_whatever_stands_in_it_every_row_is_a_listing_or_counted(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(HEAD.encode() + content)
    try:
        found = read_products(file)
    except BadProductFile:
        return
    for one in found.listings:
        assert one.sku
        assert one.price > 0
        assert one.name.isprintable()
