"""The owner's own price list of a supplier that has none: a CSV file in UTF-8.

The first line is ``code,game,name,price``; a price is whole rupiah. A text with a comma in it
stands in double quotes.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from providers.reading import read_listing
from shop.suppliers import Listing, PriceList
from shop.text import visible

HEADER: Final = ("code", "game", "name", "price")
MOST_BYTES: Final = 4_000_000


class BadProductFile(Exception):
    """The file cannot be used as it is. Its text names the file, and what to do."""


def read_products(path: Path) -> PriceList:
    """Return what the file lists as it stands now; rows that make no sense are counted.

    A code that stands twice makes no sense: nobody knows which row is meant. Blank rows are
    skipped.

    Raises:
        BadProductFile: there is no such file, it cannot be read, or it is no such CSV.
    """
    rows = list(_rows(path, _text(path)))
    listings = [listing for row in rows if (listing := _listing(row)) is not None]
    times = Counter(listing.sku for listing in listings)
    kept = [listing for listing in listings if times[listing.sku] == 1]
    return PriceList(listings=kept, dropped=len(rows) - len(kept))


def _text(path: Path) -> str:
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise _bad(path, "is not there, or is no file: put the price list there")
        with path.open("rb") as file:
            octets = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _bad(path, f"cannot be read ({error.strerror}): allow it, or move it") from error
    if len(octets) > MOST_BYTES:
        raise _bad(path, f"has more than {MOST_BYTES:,} bytes: list only what is sold")
    try:
        return octets.decode("utf-8-sig")  # spreadsheets write a byte order mark
    except UnicodeDecodeError as error:
        raise _bad(path, "is not UTF-8: save it as CSV UTF-8") from error


def _rows(path: Path, text: str) -> Iterator[list[str]]:
    # Strict: a quote that nobody closes would else swallow the rows after it in silence.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(name.strip().lower() for name in next(reader, [])) != HEADER:
            wanted = ",".join(HEADER)
            raise _bad(path, f"must begin with the line {wanted}: write it so, with commas")
        for row in reader:
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        where = f"line {reader.line_num}"
        raise _bad(path, f"is no CSV ({where}: {error}): mend the quotes there") from error


def _listing(row: list[str]) -> Listing | None:
    if len(row) != len(HEADER):
        return None
    code, game, name, price = row
    return read_listing(sku=code, category=game, name=name, price=price, available=True)


def _bad(path: Path, why: str) -> BadProductFile:
    return BadProductFile(f"{visible(str(path), 300)} {why}")
