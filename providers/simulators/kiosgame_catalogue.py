"""Kiosgame's categories and products as simulated: the document's own, and believable ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from providers.simulators.prepaid_books import Item

# The document's ids; the others are made from the codes, so that they stay the same.
_KNOWN_IDS = {
    "mobile-legends": "dca1a711-b6e2-4158-98da-014eb5caf458",
    "S4_ML86": "d8ccc4ea-e19d-4255-a7d0-f85d6fad0d77",
    "S1_10835": "00116691-900f-4753-a5d2-62f11a43469d",
}
_ASLEEP_CODES = frozenset({"S4_ML706", "S1_10840"})
_PHOTOS = "http://res.cloudinary.com/dk2yxqi3y/image/upload/v1700591984/logo"

EWALLET = "e-wallet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One row of ``/v1/category``; ``short`` begins the RefIds of its orders."""

    slug: str
    short: str
    title: str
    subtitle: str | None
    kind: str = "game"
    has_server: bool = False
    is_active: bool = True
    picture: str = ""

    @property
    def id(self) -> str:
        return id_of(self.slug)

    @property
    def photo(self) -> str:
        return f"{_PHOTOS}/{self.picture or self.slug}.webp"


_MOBILE_LEGENDS = Category(
    slug="mobile-legends",
    short="ML",
    title="Mobile Legends",
    subtitle="Montoon",  # so spelt there
    has_server=True,
    picture="tnxifn7hdnpuz5ufgvzd",
)
_FREE_FIRE = Category(slug="free-fire", short="FF", title="Free Fire", subtitle="Garena")
_FREE_FIRE_MAX = Category(
    slug="free-fire-max", short="FM", title="Free Fire MAX", subtitle="Garena"
)
_PUBG = Category(slug="pubg-mobile", short="PM", title="PUBG Mobile", subtitle="Tencent Games")
_HONOR_OF_KINGS = Category(
    slug="honor-of-kings", short="HK", title="Honor of Kings", subtitle="Level Infinite"
)
_VALORANT = Category(slug="valorant", short="VA", title="Valorant", subtitle="Riot Games")
_GENSHIN = Category(
    slug="genshin-impact",
    short="GI",
    title="Genshin Impact",
    subtitle="HoYoverse",
    has_server=True,
)
_STAR_RAIL = Category(
    slug="honkai-star-rail",
    short="HS",
    title="Honkai: Star Rail",
    subtitle="HoYoverse",
    has_server=True,
)
_NIKKE = Category(
    slug="goddess-of-victory-nikke",
    short="NK",
    title="Goddess of Victory: Nikke",
    subtitle="Level Infinite",
)
_RAGNAROK = Category(
    slug="ragnarok-origin",
    short="RO",
    title="Ragnarok Origin",
    subtitle="Gravity",
    is_active=False,
)
_DANA = Category(slug="dana", short="DN", title="DANA", subtitle=None, kind=EWALLET)

# category: (code, name, price in rupiah), …
_ROWS: tuple[tuple[Category, tuple[tuple[str, str, int], ...]], ...] = (
    (
        _MOBILE_LEGENDS,
        (
            ("S4_ML86", "86 Diamonds", 18_624),
            ("S1_1187", "5 (5+0) Diamonds", 1_511),
            ("S1_1188", "12 (11+1) Diamonds", 3_372),
            ("S1_1190", "28 (25+3) Diamonds", 7_655),
            ("S1_1193", "86 (78+8) Diamonds", 18_890),
            ("S4_ML172", "172 Diamonds", 37_213),
            ("S4_ML257", "257 Diamonds", 55_340),
            ("S4_ML706", "706 Diamonds", 148_950),
            ("S1_1201", "Weekly Diamond Pass", 27_080),
        ),
    ),
    (
        _FREE_FIRE,
        (
            ("S4_FF5", "5 Diamonds", 842),
            ("S4_FF12", "12 Diamonds", 1_712),
            ("S4_FF70", "70 Diamonds", 9_290),
            ("S4_FF140", "140 Diamonds", 18_520),
            ("S4_FF355", "355 Diamonds", 46_270),
            ("S1_2075", "Membership Mingguan", 27_810),
        ),
    ),
    (
        _FREE_FIRE_MAX,
        (
            ("S4_FFM70", "70 Diamonds", 9_415),
            ("S4_FFM140", "140 Diamonds", 18_735),
            ("S4_FFM355", "355 Diamonds", 46_905),
        ),
    ),
    (
        _PUBG,
        (
            ("S1_3311", "60 UC", 13_720),
            ("S1_3312", "325 UC", 67_910),
            ("S1_3313", "660 UC", 135_240),
        ),
    ),
    (
        _HONOR_OF_KINGS,
        (
            ("S1_8816", "16 Token", 3_067),
            ("S1_8817", "80 Token", 14_180),
            ("S1_8818", "240 Token", 42_511),
        ),
    ),
    (
        _VALORANT,
        (
            ("S1_5401", "475 VP", 52_330),
            ("S1_5402", "1000 VP", 104_220),
        ),
    ),
    (
        _GENSHIN,
        (
            ("S1_6120", "60 Genesis Crystals", 12_210),
            ("S1_6121", "330 Genesis Crystals", 60_640),
            ("S1_6126", "Blessing of the Welkin Moon", 61_185),
        ),
    ),
    (
        _STAR_RAIL,
        (
            ("S1_7740", "60 Oneiric Shard", 12_160),
            ("S1_7746", "Express Supply Pass", 60_930),
        ),
    ),
    (
        _NIKKE,
        (
            ("S1_10835", "60 + 1 Gems", 11_327),
            ("S1_10840", "312 + 18 Gems", 55_904),
        ),
    ),
    (_RAGNAROK, (("S1_9050", "100 Nyan Berry", 15_120),)),
    (_DANA, (("S9_DANA10", "DANA 10.000", 10_450),)),
)

CATEGORIES: Mapping[str, Category] = {category.title: category for category, _ in _ROWS}

ITEMS = tuple(
    Item(
        code=code,
        name=name,
        category=category.title,
        price=price,
        active=code not in _ASLEEP_CODES,
    )
    for category, rows in _ROWS
    for code, name, price in rows
)


def category_of(title: str) -> Category:
    """Return a category by its title; of a product added later, one that asks for no server."""
    slug = "-".join(title.casefold().split())
    return CATEGORIES.get(title) or Category(slug=slug, short="XX", title=title, subtitle=None)


def id_of(name: str) -> str:
    """Return the UUID of a product's code or a category's slug, always the same."""
    return _KNOWN_IDS.get(name) or str(uuid5(NAMESPACE_URL, f"https://kiosgame.example/{name}"))
