"""ZoneGame's price list as simulated: made up, but believable; the first row is the document's."""

from providers.simulators.prepaid_books import Item

# (category, the only region its accounts may be of): (code, name, price in rupiah), …
_ROWS: dict[tuple[str, str], tuple[tuple[str, str, int], ...]] = {
    ("Mobile Legends : Indonesia", ""): (
        ("MLID5", "5 Diamond (5 + 1)", 1_500),
        ("MLID12", "12 Diamond (11 + 1)", 3_350),
        ("MLID28", "28 Diamond (25 + 3)", 7_600),
        ("MLID59", "59 Diamond (53 + 6)", 15_450),
        ("MLID86", "86 Diamond (78 + 8)", 18_950),
        ("MLID172", "172 Diamond (156 + 16)", 37_800),
        ("MLID257", "257 Diamond (234 + 23)", 56_100),
        ("MLID706", "706 Diamond (625 + 81)", 150_900),
        ("MLIDWDP", "Weekly Diamond Pass", 27_200),
    ),
    ("Mobile Legends : Brazil", "BR"): (
        ("MLBR86", "86 Diamond (78 + 8)", 17_100),
        ("MLBR172", "172 Diamond (156 + 16)", 34_000),
        ("MLBRWDP", "Weekly Diamond Pass", 24_500),
    ),
    ("Free Fire", ""): (
        ("FF5", "5 Diamond", 840),
        ("FF12", "12 Diamond", 1_740),
        ("FF50", "50 Diamond", 7_100),
        ("FF70", "70 Diamond", 9_900),
        ("FF140", "140 Diamond", 19_800),
        ("FF355", "355 Diamond", 48_800),
        ("FF720", "720 Diamond", 97_000),
        ("FFMM", "Membership Mingguan", 28_700),
    ),
    ("Free Fire MAX", ""): (
        ("FFMAX70", "70 Diamond", 10_050),
        ("FFMAX140", "140 Diamond", 20_000),
    ),
    ("PUBG Mobile : Indonesia", ""): (
        ("PUBGID60", "60 UC", 13_800),
        ("PUBGID325", "325 UC", 68_500),
        ("PUBGID660", "660 UC", 136_400),
    ),
    ("Honor of Kings", ""): (
        ("HOK80", "80 Token", 14_300),
        ("HOK240", "240 Token", 42_900),
        ("HOK400", "400 Token", 71_500),
    ),
    ("Valorant", ""): (
        ("VALO475", "475 VP", 52_500),
        ("VALO1000", "1000 VP", 104_900),
    ),
    ("Genshin Impact", ""): (
        ("GI60", "60 Genesis Crystals", 12_350),
        ("GI330", "330 Genesis Crystals", 61_500),
        ("GIWELKIN", "Blessing of the Welkin Moon", 62_200),
    ),
    ("Honkai Star Rail", ""): (
        ("HSR60", "60 Oneiric Shard", 12_250),
        ("HSR330", "330 Oneiric Shard", 61_200),
    ),
}

ITEMS = tuple(
    Item(code=code, name=name, category=category, price=price, region=region)
    for (category, region), rows in _ROWS.items()
    for code, name, price in rows
)

# Their list does not say which games need a server; without one there is no such account.
WITH_SERVER = frozenset(
    {
        "Mobile Legends : Indonesia",
        "Mobile Legends : Brazil",
        "Genshin Impact",
        "Honkai Star Rail",
    }
)
