"""Everything the shop says, in the language of the person it says it to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import StringIO
from types import MappingProxyType
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po

from shop.money import rupiah
from shop.time import Millis

LANGUAGES = ("id", "en")
_CLOCK = {"id": "%H.%M", "en": "%H:%M"}
_MONTHS = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


@lru_cache(maxsize=len(LANGUAGES))
def read_catalogue(po: str) -> Mapping[str, str]:
    """Return the texts of a gettext catalogue by their symbolic ids."""
    catalogue = read_po(StringIO(po))
    return MappingProxyType({str(m.id): str(m.string) for m in catalogue if m.id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """One language. Values are put in as they are: foreign ones come cleaned (``shop.text``)."""

    language: str
    catalogue: Mapping[str, str]
    zone: ZoneInfo

    def __call__(self, text_id: str, **values: object) -> str:
        return self.catalogue[text_id].format_map(values)

    def time(self, at: Millis) -> str:
        """Write a time of day in the shop's zone: ``17.05 WIB``."""
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone)
        return f"{local:{_CLOCK[self.language]}} {local:%Z}"

    def date(self, at: Millis) -> str:
        """Write a day and a time in the shop's zone: ``20 Nov 2026, 17.05 WIB``."""
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone)
        month = _MONTHS[self.language][local.month - 1]
        return f"{local.day} {month} {local.year}, {self.time(at)}"

    def money(self, amount: int) -> str:
        """Write whole rupiah: ``Rp12.000``."""
        return rupiah(amount)
